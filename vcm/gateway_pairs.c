/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs that talk (V5).  A pair is reported once both are outside: when the
 * second of two that talk leaves, or when two that are outside begin.  What
 * was reported is quiet for a while; the kernel is told so, and wakes us
 * again with the pair's next packet behind that.
 */
#include "lib/addr.h"
#include "vcm/gateway_internal.h"

static bool may_talk(
	const struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	return !g->config.allowed || g->config.allowed(g->ctx, a, b);
}

void gateway_pair_wait(struct vcm_gateway *g, struct gateway_pair *p)
{
	p->state = PAIR_WAITING;
	TAILQ_INSERT_TAIL(&g->waiting, p, waiting);
	gateway_report_soon(g);
}

/* What was said of the pair, was it in this stay outside of both? */
static bool same_stay(const struct vcm_gateway *g, const struct gateway_pair *p)
{
	const struct gateway_node *a = gateway_node_find(g, &p->a),
				  *b = gateway_node_find(g, &p->b);

	return a && b && a->stay == p->stay_a && b->stay == p->stay_b;
}

/* It is quiet: reported a while ago, or under way.  The kernel need not tell it. */
static bool quiet(struct vcm_gateway *g, const struct gateway_pair *p)
{
	int64_t left_ms =
		mono_diff_ms(mono_add_s(p->reported_at, g->config.hold_s), gateway_now(g));

	if (p->state == PAIR_WAITING || p->state == PAIR_SENT)
		return true;
	if (p->state != PAIR_REPORTED || left_ms <= 0)
		return false;
	g->ops.pair_known(g->ctx, &p->a, &p->b, (uint32_t)((left_ms + 999) / 1000));
	return true;
}

static void begin_stay(struct vcm_gateway *g, struct gateway_pair *p)
{
	if (p->state == PAIR_WAITING)
		TAILQ_REMOVE(&g->waiting, p, waiting);
	p->state = PAIR_COUNTING;
	p->stay_a = gateway_node_find(g, &p->a)->stay;
	p->stay_b = gateway_node_find(g, &p->b)->stay;
	p->counted = 0;
	p->counting_since = gateway_now(g);
}

static bool enough(struct vcm_gateway *g, struct gateway_pair *p)
{
	monotime_t now = gateway_now(g);

	if (mono_diff_ms(now, p->counting_since) > (int64_t)g->config.threshold_s * 1000) {
		p->counted = 0;
		p->counting_since = now;
	}
	p->packets++;
	return ++p->counted >= g->config.threshold_packets;
}

/* Both are outside, and they talk. */
static void talk(struct vcm_gateway *g, const struct gateway_node *a, const struct gateway_node *b,
	enum vcm_trigger trigger)
{
	struct gateway_pair *p;

	if (!may_talk(g, &a->internal, &b->internal)) {
		g->stats.refused++;
		g->ops.pair_known(g->ctx, &a->internal, &b->internal, g->config.hold_s);
		return;
	}
	p = gateway_pair_get(g, &a->internal, &b->internal);
	if (!p)
		return;
	if (!same_stay(g, p))
		begin_stay(g, p);
	if (quiet(g, p))
		return;
	if (p->state == PAIR_REPORTED) /* the time of quiet is over */
		begin_stay(g, p);
	if (!enough(g, p) && trigger == VCM_NEW_SESSION)
		return;
	p->trigger = trigger;
	g->stats.pairs++;
	gateway_event(g, "pair", &p->a, &p->b,
		trigger == VCM_SECOND_LEFT ? "second-left" : "new-session");
	gateway_pair_wait(g, p);
}

void gateway_pairs_left(struct vcm_gateway *g, struct gateway_node *n)
{
	monotime_t now = gateway_now(g);

	for (size_t i = 0; i < n->n_correspondents; i++) {
		const struct correspondent *c = &n->correspondents[i];
		const struct gateway_node *other = gateway_node_find(g, &c->addr);

		if (other && other->outside && mono_diff_s(now, c->talked) < TALKED_S)
			talk(g, n, other, VCM_SECOND_LEFT);
	}
}

void gateway_pairs_returned(struct vcm_gateway *g, struct gateway_node *n)
{
	for (size_t i = 0; i < n->n_correspondents; i++) {
		const struct in6_addr *other = &n->correspondents[i].addr;
		struct gateway_pair *p = gateway_pair_find(g, &n->internal, other);

		g->ops.pair_known(g->ctx, &n->internal, other, 0);
		if (p)
			gateway_pair_drop(g, p);
	}
}

void vcm_gateway_traffic(
	struct vcm_gateway *g, const struct in6_addr *from, const struct in6_addr *to)
{
	struct gateway_node *a = gateway_node_find(g, from), *b = gateway_node_find(g, to);
	bool outside = (a && a->outside) || (b && b->outside);

	if (!outside || in6_equal(from, to))
		return;
	if (a)
		gateway_correspondent(g, a, to);
	if (b)
		gateway_correspondent(g, b, from);
	if (a && b && a->outside && b->outside)
		talk(g, a, b, VCM_NEW_SESSION);
	else
		g->ops.pair_known(g->ctx, from, to, QUIET_S);
}
