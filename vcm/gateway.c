/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes, and where they are.  Whatever says that a node is outside or inside
 * comes here; a change of place is carried out in the kernel, stored, and
 * reported.  Outside, the kernel is changed before anything is reported; what
 * the kernel refuses is tried again.
 */
#include "vcm/gateway.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/addr.h"
#include "vcm/gateway_internal.h"

void gateway_event(const struct vcm_gateway *g, const char *what, const struct in6_addr *a,
	const struct in6_addr *b, const char *text)
{
	if (g->ops.event)
		g->ops.event(g->ctx, what, a, b, text);
}

/* ---- start and end ---- */

static void set_defaults(struct vcm_gateway_config *c)
{
	if (!c->threshold_packets)
		c->threshold_packets = 1;
	if (!c->threshold_s)
		c->threshold_s = 10;
	if (!c->hold_s)
		c->hold_s = 60;
	if (!c->max_nodes)
		c->max_nodes = 100000;
	if (!c->max_correspondents)
		c->max_correspondents = 64;
	if (!c->max_pairs)
		c->max_pairs = 100000;
}

static void set_active(struct vcm_gateway *g, struct gateway_node *n)
{
	int err = g->ops.activate(g->ctx, &n->internal, &n->home, n->outside);

	if (err && !n->is_broken)
		TAILQ_INSERT_TAIL(&g->broken, n, broken);
	else if (!err && n->is_broken)
		TAILQ_REMOVE(&g->broken, n, broken);
	n->is_broken = err;
	if (err && !timer_running(&g->mend))
		(void)timer_start(g->timers, &g->mend, mono_add_s(gateway_now(g), RETRY_S));
}

static void mend(struct timer *t, void *arg)
{
	struct vcm_gateway *g = arg;
	struct gateway_node *n, *next;

	for (n = TAILQ_FIRST(&g->broken); n; n = next) {
		next = TAILQ_NEXT(n, broken);
		set_active(g, n);
	}
	if (!TAILQ_EMPTY(&g->broken))
		(void)timer_start(g->timers, t, mono_add_s(gateway_now(g), RETRY_S));
}

struct vcm_gateway *vcm_gateway_new(const struct vcm_gateway_config *c,
	const struct vcm_gateway_ops *ops, void *ctx, struct timerq *timers)
{
	const struct vcm_exchange_config x = {.epoch = c->epoch, .max_peers = 1};
	struct vcm_gateway *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->config = *c;
	set_defaults(&g->config);
	g->ops = *ops;
	g->ctx = ctx;
	g->timers = timers;
	ops->random(ctx, g->hash_key, sizeof(g->hash_key));
	TAILQ_INIT(&g->lru);
	TAILQ_INIT(&g->waiting);
	TAILQ_INIT(&g->dirty);
	TAILQ_INIT(&g->talks);
	TAILQ_INIT(&g->broken);
	TAILQ_INIT(&g->under_way);
	timer_init(&g->flush, gateway_flush, g);
	timer_init(&g->mend, mend, g);
	g->blocked_until = gateway_now(g);
	if (addr_table_init(&g->by_internal, g->hash_key) ||
		addr_table_init(&g->by_home, g->hash_key) ||
		addr_table_init(&g->pairs, g->hash_key)) {
		vcm_gateway_free(g);
		return NULL;
	}
	g->exchange = vcm_exchange_new(&x, &gateway_exchange_ops, g, timers);
	if (!g->exchange || vcm_exchange_peer(g->exchange, &c->manager)) {
		vcm_gateway_free(g);
		return NULL;
	}
	return g;
}

static void free_nodes(struct vcm_gateway *g)
{
	struct gateway_node *n;

	while ((n = gateway_node_next(g, NULL))) {
		addr_table_del(&g->by_internal, &n->by_internal);
		free(n->correspondents);
		free(n);
	}
}

void vcm_gateway_free(struct vcm_gateway *g)
{
	if (!g)
		return;
	if (g->exchange)
		vcm_exchange_free(g->exchange);
	gateway_reports_free(g);
	timer_stop(g->timers, &g->flush);
	timer_stop(g->timers, &g->mend);
	while (!TAILQ_EMPTY(&g->lru))
		gateway_pair_drop(g, TAILQ_FIRST(&g->lru));
	free_nodes(g);
	addr_table_free(&g->by_internal);
	addr_table_free(&g->by_home);
	addr_table_free(&g->pairs);
	free(g);
}

/* ---- nodes ---- */

int vcm_gateway_add(
	struct vcm_gateway *g, const struct in6_addr *internal, const struct in6_addr *home)
{
	struct gateway_node *n;

	if (gateway_node_find(g, internal) || gateway_node_by_home(g, home))
		return -EEXIST;
	if (g->by_internal.n >= g->config.max_nodes)
		return -ENOSPC;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->internal = *internal;
	n->home = *home;
	n->since = gateway_now(g);
	n->by_internal.addr = *internal;
	n->by_home.addr = *home;
	addr_table_add(&g->by_internal, &n->by_internal);
	addr_table_add(&g->by_home, &n->by_home);
	return 0;
}

void vcm_gateway_restore(struct vcm_gateway *g, const struct in6_addr *internal)
{
	struct gateway_node *n = gateway_node_find(g, internal);

	if (!n || n->outside)
		return;
	n->outside = true;
	n->said = SAID_UNKNOWN;
	set_active(g, n);
	gateway_node_dirty(g, n);
}

/* The one place where a node changes its place. */
static void move(struct vcm_gateway *g, struct gateway_node *n, bool outside, enum vcm_evidence e)
{
	static const char *const by[] = {"binding", "traffic", "message"};

	n->outside = outside;
	n->evidence = e;
	n->since = gateway_now(g);
	n->stay++;
	set_active(g, n);
	g->ops.store(g->ctx, &n->internal, &n->home, outside);
	gateway_event(g, outside ? "outside" : "inside", &n->internal, &n->home, by[e]);
	gateway_node_dirty(g, n);
	if (outside) {
		g->stats.left++;
		gateway_pairs_left(g, n);
		gateway_node_talks(g, n);
	} else {
		g->stats.returned++;
		gateway_pairs_returned(g, n);
	}
}

void vcm_gateway_outside(
	struct vcm_gateway *g, const struct in6_addr *internal, enum vcm_evidence e)
{
	struct gateway_node *n = gateway_node_find(g, internal);

	if (!n || n->outside)
		return;
	if (e == VCM_BY_TRAFFIC && n->stay && n->evidence != VCM_BY_BINDING &&
		mono_diff_ms(gateway_now(g), n->since) < IN_FLIGHT_MS)
		return;
	move(g, n, true, e);
}

void vcm_gateway_inside(struct vcm_gateway *g, const struct in6_addr *internal, enum vcm_evidence e)
{
	struct gateway_node *n = gateway_node_find(g, internal);

	if (!n || !n->outside)
		return;
	if (e == VCM_BY_TRAFFIC && n->evidence == VCM_BY_BINDING &&
		mono_diff_ms(gateway_now(g), n->since) < LEAVING_MS)
		return;
	move(g, n, false, e);
}

void vcm_gateway_binding(struct vcm_gateway *g, const struct in6_addr *home, bool bound)
{
	struct gateway_node *n = gateway_node_by_home(g, home);

	if (n && bound)
		vcm_gateway_outside(g, &n->internal, VCM_BY_BINDING);
	else if (n)
		vcm_gateway_inside(g, &n->internal, VCM_BY_BINDING);
}

void vcm_gateway_receive(
	struct vcm_gateway *g, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	vcm_exchange_receive(g->exchange, from, data, len);
}

/* ---- for those who look ---- */

void vcm_gateway_foreach_node(const struct vcm_gateway *g,
	bool (*fn)(void *arg, const struct vcm_gateway_node_info *i), void *arg)
{
	monotime_t now = gateway_now(g);

	for (const struct gateway_node *n = gateway_node_next(g, NULL); n;
		n = gateway_node_next(g, n)) {
		const struct vcm_gateway_node_info info = {.internal = n->internal,
			.home = n->home,
			.outside = n->outside,
			.reported = n->said == (n->outside ? SAID_OUTSIDE : SAID_INSIDE),
			.n_correspondents = n->n_correspondents,
			.since_s = (uint32_t)mono_diff_s(now, n->since)};

		if (!fn(arg, &info))
			return;
	}
}

bool vcm_gateway_foreach_correspondent(const struct vcm_gateway *g, const struct in6_addr *internal,
	bool (*fn)(void *arg, const struct in6_addr *correspondent), void *arg)
{
	const struct gateway_node *n = gateway_node_find(g, internal);

	for (size_t i = 0; n && i < n->n_correspondents; i++)
		if (!fn(arg, &n->correspondents[i].addr))
			break;
	return n;
}

void vcm_gateway_foreach_pair(const struct vcm_gateway *g,
	bool (*fn)(void *arg, const struct vcm_gateway_pair_info *i), void *arg)
{
	monotime_t now = gateway_now(g);
	const struct gateway_pair *p;

	TAILQ_FOREACH(p, &g->lru, lru)
	{
		const struct vcm_gateway_pair_info info = {.a = p->a,
			.b = p->b,
			.reported = p->state == PAIR_REPORTED,
			.trigger = p->trigger,
			.packets = p->packets,
			.age_s = (uint32_t)mono_diff_s(now, p->first)};

		if (!fn(arg, &info))
			return;
	}
}

void vcm_gateway_stats(const struct vcm_gateway *g, struct vcm_gateway_stats *s)
{
	*s = g->stats;
	vcm_exchange_stats(g->exchange, &s->exchange);
}
