/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registration with the home agent (RFC 6275 11.7.1, 11.7.3, 11.8): the one
 * Binding Update List entry (11.1) and what becomes of the request in it.
 *
 *           register            BA accepted             refresh is due
 *   none ------------> pending ------------> registered ---------> refreshing
 *     ^                   ^  \ refused           |  ^  register        |   |
 *     |                   |   v                  |  +------------------+   |
 *     |                   |  refused <-----------|-----------------refused-+
 *     | BA, or 133,       +---- the binding expires, or: wait is over
 *     | or it expired
 *     +------------ deregistering <---- deregister (from any)
 *
 * A sequence number is never used twice, not even after a restart: it is
 * stored before the Binding Update leaves.  What may still live at the home
 * agent (may_live_until) and what it has confirmed (acked_until) are kept
 * apart: the first decides how to return home, the second how to refresh.
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define REFUSED_WAIT_MS 60000
#define REFUSED_WAIT_MAX_MS 960000
#define NOWHERE_WAIT_MS 10000

const char *mn_registration_name(enum mn_registration r)
{
	static const char *const names[] = {
		[MN_REG_NONE] = "none",
		[MN_REG_PENDING] = "pending",
		[MN_REG_REGISTERED] = "registered",
		[MN_REG_REFRESHING] = "refreshing",
		[MN_REG_DEREGISTERING] = "deregistering",
		[MN_REG_REFUSED] = "refused",
	};

	return names[r];
}

bool mn_binding_may_live(const struct mn *mn)
{
	return mono_before(mn_now(mn), mn->reg.may_live_until);
}

bool mn_binding_lives(const struct mn *mn)
{
	return mono_before(mn_now(mn), mn->reg.acked_until);
}

bool mn_link_local_compatible(const struct mn *mn)
{
	for (size_t i = 0; i < mn->n_links; i++) {
		const struct in6_addr *a = &mn->links[i].link_local;

		if (!in6_is_any(a) &&
			memcmp(&a->s6_addr[8], &mn->config.home_address.s6_addr[8], 8) == 0)
			return true;
	}
	return false;
}

/* ---- the machine ---- */

void mn_reg_expiry_start(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;

	if (reg->state == MN_REG_DEREGISTERING)
		mn_timer(mn, &reg->expiry_timer, reg->may_live_until);
	else if (mn_binding_lives(mn))
		mn_timer(mn, &reg->expiry_timer, reg->acked_until);
	else
		timer_stop(mn->env->timers, &reg->expiry_timer);
}

void mn_reg_change_state(struct mn *mn, enum mn_registration to)
{
	struct mn_reg *reg = &mn->reg;
	struct timerq *q = mn->env->timers;

	if (reg->state != to)
		log_debug("registration: %s -> %s", mn_registration_name(reg->state),
			mn_registration_name(to));
	reg->state = to;
	timer_stop(q, &reg->send_timer);
	timer_stop(q, &reg->refresh_timer);
	switch (to) {
	case MN_REG_NONE:
		reg->outstanding = false;
		reg->acked_until = MN_PAST;
		break;
	case MN_REG_PENDING:
	case MN_REG_REFRESHING:
	case MN_REG_DEREGISTERING:
		break;
	case MN_REG_REGISTERED:
		reg->outstanding = false;
		reg->refused_wait_ms = REFUSED_WAIT_MS;
		mn_timer(mn, &reg->refresh_timer, reg->refresh_at);
		break;
	case MN_REG_REFUSED:
		reg->outstanding = false;
		if (reg->home_address_lost || reg->router_refused)
			break; /* RFC 6275 11.7.1, RFC 3963 5.4: it MUST NOT be tried again */
		mn_timer(mn, &reg->refresh_timer, mono_add_ms(mn_now(mn), reg->refused_wait_ms));
		reg->refused_wait_ms *= 2;
		if (reg->refused_wait_ms > REFUSED_WAIT_MAX_MS)
			reg->refused_wait_ms = REFUSED_WAIT_MAX_MS;
		break;
	}
	mn_reg_expiry_start(mn);
}

/* ---- requests ---- */

void mn_reg_request(
	struct mn *mn, const struct in6_addr *care_of, bool deregister, enum mn_registration state)
{
	struct mn_reg *reg = &mn->reg;

	reg->care_of = *care_of;
	reg->deregister = deregister;
	reg->tries = 0;
	reg->outstanding = true;
	reg->delivered = false;
	reg->sequence_errors = 0;
	/* Without a binding over there, DAD comes before the answer (11.8). */
	reg->timeout_ms = deregister || mn_binding_lives(mn)
				  ? MIP6_INITIAL_BINDACK_TIMEOUT
				  : mn->config.first_registration_timeout_ms;
	mn_reg_change_state(mn, state);
	mn_reg_send_bu(mn);
}

static bool barred(const struct mn *mn)
{
	return mn->config.foreign_tunnel || !mn_has_home_agent(mn) || mn->prefixes.invalid ||
	       mn->reg.home_address_lost || mn->reg.router_refused ||
	       mono_before(mn_now(mn), mn->reg.barred_until);
}

bool mn_reg_needed(const struct mn *mn, const struct in6_addr *care_of)
{
	const struct mn_reg *reg = &mn->reg;
	bool same = in6_equal(&reg->care_of, care_of) && !reg->deregister;

	if (barred(mn))
		return false;
	switch (reg->state) {
	case MN_REG_NONE:
	case MN_REG_PENDING:
	case MN_REG_REFRESHING:
	case MN_REG_DEREGISTERING:
		return true;
	case MN_REG_REGISTERED:
		return !same || !mono_before(mn_now(mn), reg->refresh_at);
	case MN_REG_REFUSED:
		return !same;
	}
	return true;
}

void mn_reg_register(struct mn *mn, const struct in6_addr *care_of)
{
	if (barred(mn))
		return;
	mn_reg_request(
		mn, care_of, false, mn_binding_lives(mn) ? MN_REG_REFRESHING : MN_REG_PENDING);
}

void mn_reg_deregister(struct mn *mn, const struct in6_addr *care_of)
{
	mn_reg_request(mn, care_of, true, MN_REG_DEREGISTERING);
}

void mn_reg_none(struct mn *mn)
{
	mn_reg_change_state(mn, MN_REG_NONE);
}

/* What is not answered is sent again when there is a path: mn_reg_needed(). */
void mn_reg_pause(struct mn *mn)
{
	timer_stop(mn->env->timers, &mn->reg.send_timer);
}

/* ---- timers ---- */

static void refresh_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;

	(void)t;
	if (mn->stopping)
		return;
	/* Registered: the return of a path notices that it is due. */
	if (mn->path.location == MN_AWAY)
		mn_reg_register(mn, &mn->path.care_of);
	else if (mn->reg.state == MN_REG_REFUSED)
		mn_timer(mn, &mn->reg.refresh_timer, mono_add_ms(mn_now(mn), NOWHERE_WAIT_MS));
}

void mn_reg_deregistered(struct mn *mn, const char *text)
{
	struct mn_reg *reg = &mn->reg;

	reg->may_live_until = MN_PAST;
	mn->ops->store_binding(mn->ops_ctx, &mn->config.home_address, &mn->config.home_agent,
		&reg->care_of, reg->seq, 0);
	mn_reg_change_state(mn, MN_REG_NONE);
	mn_emit(mn, (struct mip6_event){.type = EV_DEREGISTERED,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .status = mn->last_status,
			    .seq = reg->seq,
			    .text = text});
	if (mn->stopping) {
		mn_finish(mn);
		return;
	}
	if (reg->router_refused && !mn->agent.leaving) {
		if (!mn_agent_failed(mn)) {
			mn_reg_change_state(mn, MN_REG_REFUSED);
			mn_path_answered(mn, false);
		}
		return;
	}
	if (!mn_agent_left(mn) || mn->path.location == MN_AT_HOME)
		mn_path_answered(mn, true);
	if (mn->path.location == MN_AT_HOME)
		mn_home_announce(mn->path.link);
}

static void expiry_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_reg *reg = &mn->reg;

	(void)t;
	if (reg->state == MN_REG_DEREGISTERING) {
		mn_reg_deregistered(mn, "the binding has expired");
		return;
	}
	mn_emit(mn, (struct mip6_event){.type = EV_BINDING_LOST,
			    .care_of = reg->acked_care_of,
			    .peer = mn->config.home_agent,
			    .status = -1,
			    .seq = reg->seq});
	reg->acked_until = MN_PAST;
	if (mn->stopping)
		return;
	if (reg->state == MN_REG_REFRESHING) {
		monotime_t next = reg->send_timer.when;
		bool running = timer_running(&reg->send_timer);

		/* The request goes on where it is. */
		mn_reg_change_state(mn, MN_REG_PENDING);
		if (running)
			mn_timer(mn, &reg->send_timer, next);
	} else if (reg->state == MN_REG_REGISTERED) {
		mn_reg_change_state(mn, MN_REG_NONE);
		if (mn->path.location == MN_AWAY)
			mn_reg_register(mn, &mn->path.care_of);
	}
}

void mn_reg_init(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;

	reg->acked_until = reg->may_live_until = reg->last_sent = reg->refresh_at = MN_PAST;
	reg->barred_until = MN_PAST;
	reg->refused_wait_ms = REFUSED_WAIT_MS;
	timer_init(&reg->send_timer, mn_reg_send_timer, mn);
	timer_init(&reg->refresh_timer, refresh_timer, mn);
	timer_init(&reg->expiry_timer, expiry_timer, mn);
}

void mn_reg_stop(struct mn *mn)
{
	timer_stop(mn->env->timers, &mn->reg.send_timer);
	timer_stop(mn->env->timers, &mn->reg.refresh_timer);
	timer_stop(mn->env->timers, &mn->reg.expiry_timer);
}

void mn_reg_revoked(struct mn *mn, int64_t wait)
{
	struct mn_reg *reg = &mn->reg;

	reg->may_live_until = reg->acked_until = MN_PAST;
	mn->ops->store_binding(mn->ops_ctx, &mn->config.home_address, &mn->config.home_agent,
		&reg->care_of, reg->seq, 0);
	if (!wait) {
		mn_reg_change_state(mn, MN_REG_NONE);
		if (mn->path.location == MN_AWAY)
			mn_reg_register(mn, &mn->path.care_of);
		return;
	}
	reg->barred_until = mono_add_ms(mn_now(mn), wait);
	reg->refused_wait_ms = wait;
	mn_reg_change_state(mn, MN_REG_REFUSED);
	reg->refused_wait_ms = REFUSED_WAIT_MS;
	mn_path_answered(mn, false);
}

void mn_reg_forget(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;

	reg->may_live_until = reg->refresh_at = reg->barred_until = MN_PAST;
	reg->router_refused = false;
	reg->refused_wait_ms = REFUSED_WAIT_MS;
	mn_reg_change_state(mn, MN_REG_NONE);
}

void mn_reg_restore(
	struct mn *mn, const struct in6_addr *care_of, uint16_t seq, uint32_t remaining_s)
{
	struct mn_reg *reg = &mn->reg;

	reg->has_seq = true;
	reg->seq = seq;
	reg->care_of = reg->acked_care_of = *care_of;
	if (remaining_s)
		reg->may_live_until = mono_add_s(mn_now(mn), remaining_s);
}

/*
 * Not authentic, so it counts only when nothing was answered so far: then the
 * pace of retransmissions is too fast for what a home agent that is none may do.
 */
void mn_reg_unsupported(struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;

	if (reg->state != MN_REG_PENDING || reg->tries < 2)
		return;
	if (mn_may_log(mn))
		log_warning("home agent %s does not know the Mobility Header",
			in6_str(&mn->config.home_agent));
	if (mn_agent_failed(mn))
		return;
	mn_reg_change_state(mn, MN_REG_REFUSED);
	mn_path_answered(mn, false);
}
