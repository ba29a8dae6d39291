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

#define MAX_LIFETIME 65535 /* units */
#define REFUSED_WAIT_MS 60000
#define REFUSED_WAIT_MAX_MS 960000
#define NOWHERE_WAIT_MS 10000
#define NETWORK_OPTION_LEN 24 /* RFC 3963 4.3, with padding */
#define AGENT_TRIES 3 /* without an answer: another home agent is tried, if one is known */
#define LAST_TRIES 3 /* of a de-registration after which something else waits to be done */

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

static bool binding_lives(const struct mn *mn)
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

static void expiry_start(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;

	if (reg->state == MN_REG_DEREGISTERING)
		mn_timer(mn, &reg->expiry_timer, reg->may_live_until);
	else if (binding_lives(mn))
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
	expiry_start(mn);
}

/* ---- sending ---- */

static bool at_home(const struct mn *mn)
{
	return in6_equal(&mn->reg.care_of, &mn->config.home_address);
}

static monotime_t later(monotime_t a, monotime_t b)
{
	return mono_before(a, b) ? b : a;
}

/* Not beyond the end of the care-of address or the home address (RFC 6275 11.7.1, 11.4.2), and never 0. */
static uint16_t ask_for(const struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;
	uint32_t s = mn->config.lifetime_s, units;
	const struct mn_coa *c = NULL;
	monotime_t now = mn_now(mn), home_end = mn_home_valid_until(mn);

	if (reg->deregister)
		return 0;
	if (mn->path.location == MN_AWAY)
		c = mn_coa_find(mn->path.link, &reg->care_of);
	if (c && mono_before(now, c->valid_until) && mono_diff_s(c->valid_until, now) < s)
		s = (uint32_t)mono_diff_s(c->valid_until, now);
	if (mono_before(now, home_end) && mono_diff_s(home_end, now) < s)
		s = (uint32_t)mono_diff_s(home_end, now);
	units = s / MIP6_LIFETIME_UNIT;
	if (units == 0)
		units = 1;
	return units > MAX_LIFETIME ? MAX_LIFETIME : (uint16_t)units;
}

/* A new number for every transmission (11.7.2, 11.8), on disk before it is on the wire. */
static void number_and_store(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;
	monotime_t now = mn_now(mn);

	if (reg->has_seq)
		reg->seq++;
	else
		mn->env->random(mn->env->ctx, &reg->seq, sizeof(reg->seq));
	reg->has_seq = true;
	reg->lifetime = ask_for(mn);
	if (reg->lifetime)
		reg->may_live_until = later(reg->may_live_until,
			mono_add_s(now, (int64_t)reg->lifetime * MIP6_LIFETIME_UNIT));
	reg->sent[reg->tries % MN_REG_SENT].seq = reg->seq;
	reg->sent[reg->tries % MN_REG_SENT].lifetime = reg->lifetime;
	reg->sent[reg->tries % MN_REG_SENT].at = now;
	reg->tries++;
	reg->last_sent = now;
	mn->ops->store_binding(mn->ops_ctx, &mn->config.home_address, &mn->config.home_agent,
		&reg->care_of, reg->seq,
		mono_before(now, reg->may_live_until)
			? (uint32_t)(mono_diff_s(reg->may_live_until, now) + 1)
			: 0);
}

static size_t build(const struct mn *mn, uint8_t *buf, size_t cap)
{
	const struct mn_reg *reg = &mn->reg;
	struct mh_message m = {.type = MH_BU};

	m.u.bu.seq = reg->seq;
	m.u.bu.lifetime = reg->lifetime;
	/* K stays clear: the keys of this home agent are not moved by us. */
	m.u.bu.flags = BU_F_A | BU_F_H;
	if (mn_link_local_compatible(mn))
		m.u.bu.flags |= BU_F_L;
	mn_nemo_request(mn, &m, reg->deregister);
	if (!at_home(mn))
		mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = reg->care_of;
	if (mn->config.identifier) {
		struct mh_option *o = mh_option_add(&m, MHOPT_MN_ID);

		o->u.mn_id.subtype = MN_ID_NAI;
		o->u.mn_id.id = (const uint8_t *)mn->config.identifier;
		o->u.mn_id.len = strlen(mn->config.identifier);
	}
	return mh_build(&m, buf, cap);
}

static int transmit(struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;
	uint8_t buf[64 + MN_ID_NAI_MAX + 8 + MIP6_MAX_NETWORKS * NETWORK_OPTION_LEN];
	struct mip6_packet p = {
		.src = mn->config.home_address,
		.dst = mn->config.home_agent,
		.data = buf,
		.len = build(mn, buf, sizeof(buf)),
		.flags = mn->config.require_ipsec ? MIP6_PKT_PROTECTED : 0,
	};

	if (at_home(mn)) {
		p.ifindex = mn->path.link->ifindex;
	} else {
		p.flags |= MIP6_PKT_HAO;
		p.src_coa = reg->care_of;
	}
	return mn->env->send_mh(mn->env->ctx, &p);
}

void mn_reg_send_bu(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;
	monotime_t now = mn_now(mn), when = mn_rate_when(&reg->rate, now);

	if (mn->path.location == MN_NOWHERE)
		return;
	reg->delayed = mono_before(now, when);
	if (reg->delayed) {
		mn_timer(mn, &reg->send_timer, when);
		return;
	}
	mn_rate_take(&reg->rate, now);
	number_and_store(mn);
	if (mn_check(mn, transmit(mn), "send a Binding Update") >= 0)
		reg->delivered = true;
	mn->stats.bu_sent++;
	expiry_start(mn);
	mn_timer(mn, &reg->send_timer, mono_add_ms(now, reg->timeout_ms));
	mn_emit(mn, (struct mip6_event){.type = EV_BU_SENT,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .ifindex = mn->path.link->ifindex,
			    .status = -1,
			    .seq = reg->seq,
			    .lifetime_s = (uint32_t)reg->lifetime * MIP6_LIFETIME_UNIT});
	if (reg->delivered)
		mn_path_bu_sent(mn);
}

/* At home nobody is in a hurry: another node may not have the home address before the binding is gone. */
static bool last_words(const struct mn *mn)
{
	return mn->stopping || (mn->agent.leaving && mn->path.location == MN_AWAY);
}

/*
 * No answer for so long that another home agent is worth a try.  The one that
 * holds a binding of ours comes first (11.4.1), so it has all of the back-off.
 */
static bool given_up(const struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;

	return binding_lives(mn) ? reg->timeout_ms >= MIP6_MAX_BINDACK_TIMEOUT
				 : reg->tries >= AGENT_TRIES;
}

/* RFC 6275 11.8: the time doubles up to MAX_BINDACK_TIMEOUT, and goes on at that rate. */
static void send_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_reg *reg = &mn->reg;

	(void)t;
	if (!reg->delayed) {
		if (last_words(mn) && reg->tries >= LAST_TRIES) {
			if (mn->stopping)
				mn_finish(mn);
			else
				mn_agent_left(mn);
			return;
		}
		reg->timeout_ms *= 2;
		if (reg->timeout_ms > MIP6_MAX_BINDACK_TIMEOUT)
			reg->timeout_ms = MIP6_MAX_BINDACK_TIMEOUT;
		if (last_words(mn) && reg->tries + 1 >= LAST_TRIES)
			reg->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
		if (!reg->deregister && given_up(mn) && mn_agent_failed(mn))
			return;
		mn->stats.bu_retransmitted++;
		mn->retransmissions++;
	}
	mn_reg_send_bu(mn);
}

/*
 * The answer has been lost, as the binding is there: a new back-off (11.8),
 * which begins when the shortest time since the last transmission has passed.
 */
void mn_home_agent_heard(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;

	if (!reg->outstanding || reg->deregister || reg->delayed || last_words(mn) ||
		mono_before(mn_now(mn),
			mono_add_ms(reg->last_sent, MIP6_INITIAL_BINDACK_TIMEOUT)))
		return;
	reg->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	mn->stats.bu_retransmitted++;
	mn->retransmissions++;
	mn_reg_send_bu(mn);
}

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
	reg->timeout_ms = deregister || binding_lives(mn)
				  ? MIP6_INITIAL_BINDACK_TIMEOUT
				  : mn->config.first_registration_timeout_ms;
	mn_reg_change_state(mn, state);
	mn_reg_send_bu(mn);
}

static bool barred(const struct mn *mn)
{
	return mn->config.foreign_tunnel || !mn_has_home_agent(mn) || mn->prefixes.invalid || mn->reg.home_address_lost || mn->reg.router_refused ||
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
	mn_reg_request(mn, care_of, false, binding_lives(mn) ? MN_REG_REFRESHING : MN_REG_PENDING);
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
	timer_init(&reg->send_timer, send_timer, mn);
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
