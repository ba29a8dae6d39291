/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the VCM is told (V6).  Nodes, pairs and correspondents wait in lists
 * until the end of the turn and share messages.  Messages may arrive in any
 * order, so a node is never in two of them, and a pair or correspondent not
 * before its nodes, unless in the same message.
 *
 * When the VCM does not answer, what it was told is told again later; when it
 * has started again, everything is.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/addr.h"
#include "vcm/gateway_internal.h"

/* Earlier than the timer runs already, if it does. */
static void report_at(struct vcm_gateway *g, monotime_t when)
{
	if (!timer_running(&g->flush) || mono_before(when, g->flush.when))
		(void)timer_start(g->timers, &g->flush, when);
}

void gateway_report_soon(struct vcm_gateway *g)
{
	report_at(g, gateway_now(g));
}

static bool news(const struct gateway_node *n)
{
	return n->said != (n->outside ? SAID_OUTSIDE : SAID_INSIDE);
}

void gateway_node_dirty(struct vcm_gateway *g, struct gateway_node *n)
{
	if (n->is_dirty || n->under_way || !news(n))
		return;
	n->is_dirty = true;
	TAILQ_INSERT_TAIL(&g->dirty, n, dirty);
	gateway_report_soon(g);
}

void gateway_node_talks(struct vcm_gateway *g, struct gateway_node *n)
{
	if (n->is_talking || !n->outside)
		return;
	n->is_talking = true;
	TAILQ_INSERT_TAIL(&g->talks, n, talks);
	gateway_report_soon(g);
}

/* ---- a message is put together ---- */

static size_t options(const struct vcm_message *m)
{
	return m->n_nodes + m->n_pairs + m->n_correspondents;
}

static void add_nodes(struct vcm_gateway *g, struct vcm_message *m)
{
	struct gateway_node *n, *next;

	for (n = TAILQ_FIRST(&g->dirty); n; n = next) {
		next = TAILQ_NEXT(n, dirty);
		if (m->n_nodes == VCM_MAX_NODES || options(m) == REPORT_OPTIONS)
			return;
		TAILQ_REMOVE(&g->dirty, n, dirty);
		n->is_dirty = false;
		if (!news(n)) /* there and back again */
			continue;
		n->under_way = true;
		m->nodes[m->n_nodes++] = (struct vcm_node_option){
			.outside = n->outside, .internal = n->internal, .home = n->home};
	}
}

static bool is_in(const struct vcm_message *m, const struct in6_addr *internal)
{
	for (size_t i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].outside && in6_equal(&m->nodes[i].internal, internal))
			return true;
	return false;
}

/* The VCM knows that it is outside when it reads m. */
static bool told(const struct vcm_message *m, const struct gateway_node *n)
{
	return n->outside && (is_in(m, &n->internal) || (n->said == SAID_OUTSIDE && !n->under_way));
}

static bool settled(
	struct vcm_gateway *g, const struct gateway_node *a, const struct gateway_node *b)
{
	monotime_t last = mono_before(a->since, b->since) ? b->since : a->since,
		   when = mono_add_ms(last, g->config.settle_ms);

	if (!mono_before(gateway_now(g), when))
		return true;
	report_at(g, when);
	return false;
}

static void add_pairs(struct vcm_gateway *g, struct vcm_message *m)
{
	struct gateway_pair *p, *next;

	for (p = TAILQ_FIRST(&g->waiting); p; p = next) {
		const struct gateway_node *a = gateway_node_find(g, &p->a),
					  *b = gateway_node_find(g, &p->b);

		next = TAILQ_NEXT(p, waiting);
		if (m->n_pairs == VCM_MAX_PAIRS || options(m) == REPORT_OPTIONS)
			return;
		if (!a->outside || !b->outside) { /* one of them has come back meanwhile */
			gateway_pair_drop(g, p);
			continue;
		}
		if (!told(m, a) || !told(m, b) || !settled(g, a, b))
			continue;
		TAILQ_REMOVE(&g->waiting, p, waiting);
		p->state = PAIR_SENT;
		m->pairs[m->n_pairs++] =
			(struct vcm_pair_option){.a = p->a, .b = p->b, .trigger = p->trigger};
	}
}

/* False when some are left. */
static bool add_those_of(struct vcm_message *m, struct gateway_node *n)
{
	for (size_t i = 0; i < n->n_correspondents; i++) {
		struct correspondent *c = &n->correspondents[i];

		if (c->reported)
			continue;
		if (m->n_correspondents == VCM_MAX_CORRESPONDENTS || options(m) == REPORT_OPTIONS)
			return false;
		c->reported = true;
		m->correspondents[m->n_correspondents++] = (struct vcm_correspondent_option){
			.node = n->internal, .correspondent = c->addr};
	}
	return true;
}

static void add_correspondents(struct vcm_gateway *g, struct vcm_message *m)
{
	struct gateway_node *n, *next;

	for (n = TAILQ_FIRST(&g->talks); n; n = next) {
		next = TAILQ_NEXT(n, talks);
		if (n->outside && !told(m, n))
			continue;
		if (n->outside && !add_those_of(m, n))
			return;
		TAILQ_REMOVE(&g->talks, n, talks);
		n->is_talking = false;
	}
}

/* ---- on its way ---- */

static struct gateway_report *report_find(const struct vcm_gateway *g, uint64_t token)
{
	struct gateway_report *r;

	TAILQ_FOREACH(r, &g->under_way, entry)
	if (r->token == token)
		return r;
	return NULL;
}

static void node_again(struct vcm_gateway *g, const struct in6_addr *internal)
{
	struct gateway_node *n = gateway_node_find(g, internal);

	n->under_way = false;
	n->said = SAID_UNKNOWN; /* it may have been read nevertheless */
	gateway_node_dirty(g, n);
}

static void correspondent_again(struct vcm_gateway *g, const struct vcm_correspondent_option *o)
{
	struct gateway_node *n = gateway_node_find(g, &o->node);

	for (size_t i = 0; i < n->n_correspondents; i++)
		if (in6_equal(&n->correspondents[i].addr, &o->correspondent))
			n->correspondents[i].reported = false;
	gateway_node_talks(g, n);
}

/* It did not arrive, as far as we know: all of it waits again. */
static void again(struct vcm_gateway *g, const struct gateway_report *r)
{
	for (size_t i = 0; i < r->n_nodes; i++)
		node_again(g, &r->nodes[i].internal);
	for (size_t i = 0; i < r->n_pairs; i++) {
		struct gateway_pair *p = gateway_pair_find(g, &r->pairs[i].a, &r->pairs[i].b);

		if (p && p->state == PAIR_SENT)
			gateway_pair_wait(g, p);
	}
	for (size_t i = 0; i < r->n_correspondents; i++)
		correspondent_again(g, &r->correspondents[i]);
}

static void report_free(struct vcm_gateway *g, struct gateway_report *r)
{
	TAILQ_REMOVE(&g->under_way, r, entry);
	g->n_under_way--;
	free(r);
}

static void block(struct vcm_gateway *g)
{
	g->blocked_until = mono_add_s(gateway_now(g), RETRY_S);
	(void)timer_start(g->timers, &g->flush, g->blocked_until);
}

static struct gateway_report *report_new(struct vcm_gateway *g, const struct vcm_message *m)
{
	struct gateway_report *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	r->token = ++g->token;
	r->n_nodes = m->n_nodes;
	r->n_pairs = m->n_pairs;
	r->n_correspondents = m->n_correspondents;
	memcpy(r->nodes, m->nodes, sizeof(r->nodes));
	memcpy(r->pairs, m->pairs, sizeof(r->pairs));
	memcpy(r->correspondents, m->correspondents, sizeof(r->correspondents));
	TAILQ_INSERT_TAIL(&g->under_way, r, entry);
	g->n_under_way++;
	return r;
}

/* False when nothing more is to be sent now. */
static bool send_one(struct vcm_gateway *g)
{
	struct vcm_message m = {.type = VCM_REPORT};
	struct gateway_report *r;

	add_nodes(g, &m);
	add_pairs(g, &m);
	add_correspondents(g, &m);
	if (!options(&m))
		return false;
	r = report_new(g, &m);
	if (!r)
		return false;
	if (vcm_exchange_send(g->exchange, &g->config.manager, &m, r->token)) {
		again(g, r);
		report_free(g, r);
		block(g);
		return false;
	}
	g->stats.reports++;
	return true;
}

void gateway_flush(struct timer *t, void *arg)
{
	struct vcm_gateway *g = arg;

	(void)t;
	if (mono_before(gateway_now(g), g->blocked_until)) {
		(void)timer_start(g->timers, &g->flush, g->blocked_until);
		return;
	}
	while (g->n_under_way < REPORTS_UNDER_WAY && send_one(g))
		;
}

void gateway_reports_free(struct vcm_gateway *g)
{
	while (!TAILQ_EMPTY(&g->under_way))
		report_free(g, TAILQ_FIRST(&g->under_way));
}

/* ---- what becomes of it ---- */

static void node_said(struct vcm_gateway *g, const struct vcm_node_option *o)
{
	struct gateway_node *n = gateway_node_find(g, &o->internal);

	n->under_way = false;
	n->said = o->outside ? SAID_OUTSIDE : SAID_INSIDE;
	gateway_node_dirty(g, n);
}

static void pair_said(struct vcm_gateway *g, const struct vcm_pair_option *o)
{
	struct gateway_pair *p = gateway_pair_find(g, &o->a, &o->b);

	if (!p || p->state != PAIR_SENT)
		return;
	p->state = PAIR_REPORTED;
	p->reported_at = gateway_now(g);
	g->ops.pair_known(g->ctx, &p->a, &p->b, g->config.hold_s);
	gateway_event(g, "reported", &p->a, &p->b, NULL);
}

static void acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status)
{
	struct vcm_gateway *g = ctx;
	struct gateway_report *r = report_find(g, token);

	(void)to;
	if (!r)
		return;
	if (status == VCM_NO_RESOURCES || status == VCM_NOT_READY) {
		again(g, r);
		report_free(g, r);
		block(g);
		return;
	}
	if (status != VCM_OK)
		gateway_event(g, "report-refused", NULL, NULL, vcm_status_name(status));
	for (size_t i = 0; i < r->n_nodes; i++)
		node_said(g, &r->nodes[i]);
	for (size_t i = 0; i < r->n_pairs; i++)
		pair_said(g, &r->pairs[i]);
	report_free(g, r);
	gateway_report_soon(g);
}

static void failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	struct vcm_gateway *g = ctx;
	struct gateway_report *r = report_find(g, token);

	(void)to;
	if (!r)
		return;
	if (!mono_before(gateway_now(g), g->blocked_until))
		gateway_event(g, "manager-lost", &g->config.manager, NULL, NULL);
	again(g, r);
	report_free(g, r);
	block(g);
}

static void tell_node_again(struct vcm_gateway *g, struct gateway_node *n)
{
	if (!n->outside && n->said == SAID_INSIDE)
		return;
	n->said = SAID_UNKNOWN;
	for (size_t i = 0; i < n->n_correspondents; i++)
		n->correspondents[i].reported = false;
	gateway_node_dirty(g, n);
	gateway_node_talks(g, n);
}

/* The VCM has started again: what it kept is its matter, it gets everything. */
static void restarted(void *ctx, const struct in6_addr *peer)
{
	struct vcm_gateway *g = ctx;
	struct gateway_pair *p;

	gateway_event(g, "manager-restarted", peer, NULL, NULL);
	g->blocked_until = gateway_now(g);
	for (struct gateway_node *n = gateway_node_next(g, NULL); n; n = gateway_node_next(g, n))
		tell_node_again(g, n);
	TAILQ_FOREACH(p, &g->lru, lru)
	if (p->state == PAIR_REPORTED)
		gateway_pair_wait(g, p);
	gateway_report_soon(g);
}

/* A VCM has nothing to ask of a gateway. */
static enum vcm_status received(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)ctx;
	(void)from;
	(void)m;
	return VCM_REFUSED;
}

static monotime_t now(void *ctx)
{
	return gateway_now(ctx);
}

static void random_octets(void *ctx, void *to, size_t n)
{
	struct vcm_gateway *g = ctx;

	g->ops.random(g->ctx, to, n);
}

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct vcm_gateway *g = ctx;

	return g->ops.send(g->ctx, to, data, len);
}

static void probe(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)ctx;
	(void)from;
	(void)m;
}

const struct vcm_exchange_ops gateway_exchange_ops = {.now = now,
	.random = random_octets,
	.send = send_datagram,
	.received = received,
	.probe = probe,
	.acknowledged = acknowledged,
	.failed = failed,
	.restarted = restarted};
