/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heartbeats between mobile node and home agent (RFC 5847, which is written
 * for the two ends of Proxy Mobile IPv6; here the mobile node is one of them).
 *
 * While there is a binding the home agent is asked every interval whether it
 * is there.  When more answers are missing than allowed, or its Restart
 * Counter says that it has lost its state (3.2), a Binding Update goes out:
 * who answers it is there, and has the binding again.
 */
#include "mip6d/proto/mn_internal.h"

static void send_request(struct mn *mn)
{
	struct mn_heartbeat *h = &mn->heartbeat;
	struct mh_message m = {.type = MH_HEARTBEAT};

	if (!h->seq) /* not to be guessed by who cannot see it */
		mn->env->random(mn->env->ctx, &h->seq, sizeof(h->seq));
	m.u.heartbeat.seq = ++h->seq;
	h->waiting = true;
	mn->stats.heartbeats_sent++;
	mn_send_to_agent(mn, &m, "send a Heartbeat");
}

static void event(struct mn *mn, enum mip6_event_type type)
{
	mn_emit(mn, (struct mip6_event){.type = type, .peer = mn->config.home_agent, .status = -1});
}

static void lost(struct mn *mn)
{
	mn->heartbeat.lost = true;
	mn->stats.peer_lost++;
	log_warning("home agent %s does not answer heartbeats", in6_str(&mn->config.home_agent));
	event(mn, EV_PEER_LOST);
	if (mn->reg.state == MN_REG_REGISTERED)
		mn_reg_register(mn, &mn->path.care_of);
}

static void tick(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_heartbeat *h = &mn->heartbeat;

	/* 3: only as long as there is a binding; the next acknowledgement starts it again. */
	if (mn->stopping || h->unsupported || !mono_before(mn_now(mn), mn->reg.acked_until))
		return;
	mn_timer(mn, t, mono_add_s(mn_now(mn), mn->config.heartbeat.interval_s));
	if (mn->path.location != MN_AWAY) {
		h->waiting = false; /* what is missing says nothing of the home agent */
		return;
	}
	if (h->waiting && ++h->missing > mn->config.heartbeat.missed && !h->lost)
		lost(mn);
	send_request(mn);
}

void mn_heartbeat_registered(struct mn *mn)
{
	struct mn_heartbeat *h = &mn->heartbeat;

	h->waiting = false;
	h->missing = 0;
	if (h->lost)
		event(mn, EV_PEER_BACK);
	h->lost = false;
	if (mn->config.heartbeat.interval_s && !h->unsupported && !timer_running(&h->timer))
		mn_timer(mn, &h->timer, mono_add_s(mn_now(mn), mn->config.heartbeat.interval_s));
}

/* 3.2: another counter than before means that the bindings are gone over there. */
static void compare_counter(struct mn *mn, const struct mh_message *m)
{
	const struct mh_option *o = mh_option(m, MHOPT_RESTART_COUNTER);
	struct mn_heartbeat *h = &mn->heartbeat;
	bool restarted;

	if (!o)
		return;
	restarted = h->has_counter && h->counter != o->u.restart_counter;
	/* Not yet, if an update has only just been answered: the next heartbeat tells it again. */
	if (restarted && mn->reg.state == MN_REG_REGISTERED && !mn_update_again(mn))
		return;
	h->has_counter = true;
	h->counter = o->u.restart_counter;
	if (!restarted)
		return;
	mn->stats.peer_restarted++;
	log_notice("home agent %s has restarted and lost its bindings",
		in6_str(&mn->config.home_agent));
	event(mn, EV_PEER_RESTARTED);
}

static void response(struct mn *mn, const struct mh_message *m)
{
	struct mn_heartbeat *h = &mn->heartbeat;

	if (!m->u.heartbeat.unsolicited) {
		if (!h->waiting || m->u.heartbeat.seq != h->seq) {
			mn->stats.heartbeats_ignored++;
			return;
		}
		mn->stats.heartbeats_answered++;
		h->waiting = false;
		h->missing = 0;
		if (h->lost)
			event(mn, EV_PEER_BACK);
		h->lost = false;
	}
	compare_counter(mn, m);
}

void mn_heartbeat_received(struct mn *mn, const struct mh_message *m)
{
	struct mh_message a = {.type = MH_HEARTBEAT};

	if (mn->path.location != MN_AWAY)
		return;
	if (m->u.heartbeat.response) {
		response(mn, m);
		return;
	}
	/* 3: MUST be answered, whatever the bindings */
	a.u.heartbeat.response = true;
	a.u.heartbeat.seq = m->u.heartbeat.seq;
	mh_option_add(&a, MHOPT_RESTART_COUNTER)->u.restart_counter = mn->config.restart_counter;
	mn_send_to_agent(mn, &a, "answer a Heartbeat");
}

void mn_heartbeat_unknown(struct mn *mn)
{
	struct mn_heartbeat *h = &mn->heartbeat;

	if (!h->waiting || h->unsupported)
		return;
	log_notice("home agent %s does not know heartbeats; none are sent any more",
		in6_str(&mn->config.home_agent));
	h->unsupported = true;
	timer_stop(mn->env->timers, &h->timer);
}

void mn_heartbeat_init(struct mn *mn)
{
	timer_init(&mn->heartbeat.timer, tick, mn);
}

void mn_heartbeat_forget(struct mn *mn)
{
	struct mn_heartbeat *h = &mn->heartbeat;

	timer_stop(mn->env->timers, &h->timer);
	h->waiting = h->lost = h->unsupported = h->has_counter = false;
	h->missing = 0;
}
