/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heartbeats between home agent and mobile node (RFC 5847, which is written
 * for the two ends of Proxy Mobile IPv6; here the mobile node is one of them).
 *
 * A node that does not answer is marked and told, and its binding lives on
 * until its lifetime ends: a radio hole is no reason to lose it, and the
 * node's next packet shows that it is there.  3 says "should mark as invalid".
 */
#include <stdlib.h>

#include "mip6d/proto/ha_internal.h"

struct ha_heartbeat {
	struct ha_binding *binding;
	struct timer timer;
	uint32_t seq; /* of the last request */
	uint32_t counter; /* of the node's restarts */
	uint16_t missing;
	bool waiting; /* for the response */
	bool lost, unsupported, has_counter;
};

static void lost(struct ha *ha, struct ha_binding *b)
{
	b->heartbeat->lost = true;
	ha->stats.peers_lost++;
	ha_signal_event(ha, b, EV_PEER_LOST, 0, NULL);
}

static void present(struct ha *ha, struct ha_binding *b)
{
	struct ha_heartbeat *h = b->heartbeat;

	h->waiting = false;
	h->missing = 0;
	if (h->lost)
		ha_signal_event(ha, b, EV_PEER_BACK, 0, NULL);
	h->lost = false;
}

static void tick(struct timer *t, void *arg)
{
	struct ha_heartbeat *h = arg;
	struct ha_binding *b = h->binding;
	struct ha *ha = b->ha;
	struct mh_message m = {.type = MH_HEARTBEAT};

	timer_start(ha->env->timers, t, mono_add_s(ha_now(ha), ha->config.heartbeat.interval_s));
	if (h->waiting && h->missing < UINT16_MAX && ++h->missing > ha->config.heartbeat.missed &&
		!h->lost)
		lost(ha, b);
	m.u.heartbeat.seq = ++h->seq;
	h->waiting = true;
	ha->stats.heartbeats_sent++;
	ha_send_signal(ha, &b->node.addr, &b->care_of, &m);
}

static struct ha_heartbeat *heartbeat_new(struct ha *ha, struct ha_binding *b)
{
	struct ha_heartbeat *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->binding = b;
	ha->env->random(ha->env->ctx, &h->seq, sizeof(h->seq));
	timer_init(&h->timer, tick, h);
	return h;
}

void ha_heartbeat_registered(struct ha *ha, struct ha_binding *b)
{
	struct ha_heartbeat *h = b->heartbeat;
	uint32_t interval_ms = ha->config.heartbeat.interval_s * 1000, spread;

	if (!interval_ms)
		return;
	if (h) {
		present(ha, b);
		return;
	}
	h = b->heartbeat = heartbeat_new(ha, b);
	if (!h)
		return; /* without heartbeats the binding is as good */
	/* Those of many bindings that came at once, after a restart, do not go at once. */
	ha->env->random(ha->env->ctx, &spread, sizeof(spread));
	timer_start(ha->env->timers, &h->timer,
		mono_add_ms(ha_now(ha), interval_ms / 2 + spread % (interval_ms / 2 + 1)));
}

void ha_heartbeat_end(struct ha *ha, struct ha_binding *b)
{
	if (!b->heartbeat)
		return;
	timer_stop(ha->env->timers, &b->heartbeat->timer);
	free(b->heartbeat);
	b->heartbeat = NULL;
}

bool ha_heartbeat_lost(const struct ha_binding *b)
{
	return b->heartbeat && b->heartbeat->lost;
}

static void compare_counter(struct ha *ha, struct ha_binding *b, const struct mh_message *m)
{
	const struct mh_option *o = mh_option(m, MHOPT_RESTART_COUNTER);
	struct ha_heartbeat *h = b->heartbeat;

	if (!o)
		return;
	if (h->has_counter && h->counter != o->u.restart_counter) {
		ha->stats.peers_restarted++;
		ha_signal_event(ha, b, EV_PEER_RESTARTED, 0, NULL);
	}
	h->has_counter = true;
	h->counter = o->u.restart_counter;
}

/* An unsolicited one has no number that would prove who sent it, so it has to be protected. */
static bool is_expected(
	const struct ha_heartbeat *h, const struct mip6_packet *p, const struct mh_message *m)
{
	if (!h)
		return false;
	if (m->u.heartbeat.unsolicited)
		return p->flags & MIP6_PKT_PROTECTED;
	return h->waiting && h->seq == m->u.heartbeat.seq;
}

static void response(struct ha *ha, struct ha_binding *b, const struct mip6_packet *p,
	const struct mh_message *m)
{
	if (!is_expected(b ? b->heartbeat : NULL, p, m)) {
		ha->stats.signals_ignored++;
		return;
	}
	if (!m->u.heartbeat.unsolicited) {
		ha->stats.heartbeats_answered++;
		present(ha, b);
	}
	compare_counter(ha, b, m);
}

/*
 * 3: MUST be answered whether there is a binding or not; a node whose binding
 * is lost learns it this way.  Of strangers with an address that nobody here
 * could register, and of too many others without a binding, none.
 */
static bool may_ask(struct ha *ha, const struct mip6_packet *p, const struct ha_binding *b)
{
	uint32_t valid_s, preferred_s;

	if (!(p->flags & MIP6_PKT_HAO) || !ha_can_answer(&p->src_coa))
		return false;
	if (b && ha_binding_is_alive(b))
		return true;
	return ha_prefix_remaining(ha, &p->src, &valid_s, &preferred_s) &&
	       ha_may_register(ha, &p->src) && log_allowed(&ha->stranger_limit, ha_now(ha), NULL);
}

static void answer(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m)
{
	struct mh_message a = {.type = MH_HEARTBEAT};

	a.u.heartbeat.response = true;
	a.u.heartbeat.seq = m->u.heartbeat.seq;
	mh_option_add(&a, MHOPT_RESTART_COUNTER)->u.restart_counter = ha->config.restart_counter;
	ha->stats.heartbeats_received++;
	ha_send_signal(ha, &p->src, &p->src_coa, &a);
}

void ha_heartbeat_message(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m)
{
	struct ha_binding *b = ha_binding_find(ha, &p->src);

	if (m->u.heartbeat.response)
		response(ha, b, p, m);
	else if (may_ask(ha, p, b))
		answer(ha, p, m);
	else
		ha->stats.signals_ignored++;
}

/* 3: MUST NOT use Heartbeat messages with it again. */
void ha_heartbeat_unknown(struct ha *ha, struct ha_binding *b)
{
	if (!b->heartbeat || !b->heartbeat->waiting)
		return;
	b->heartbeat->unsupported = true;
	b->heartbeat->waiting = false;
	timer_stop(ha->env->timers, &b->heartbeat->timer);
}
