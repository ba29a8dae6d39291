/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes by internal and by home address, pairs, and correspondents of a node: all bounded. */
#include <errno.h>
#include <stdlib.h>

#include "lib/addr.h"
#include "vcm/gateway_internal.h"

/* ---- nodes ---- */

struct gateway_node *gateway_node_find(const struct vcm_gateway *g, const struct in6_addr *internal)
{
	struct addr_node *l = addr_table_find(&g->by_internal, internal);

	return l ? ADDR_OBJECT(l, struct gateway_node, by_internal) : NULL;
}

struct gateway_node *gateway_node_by_home(const struct vcm_gateway *g, const struct in6_addr *home)
{
	struct addr_node *l = addr_table_find(&g->by_home, home);

	return l ? ADDR_OBJECT(l, struct gateway_node, by_home) : NULL;
}

struct gateway_node *gateway_node_next(const struct vcm_gateway *g, const struct gateway_node *n)
{
	struct addr_node *l = addr_table_walk(&g->by_internal, n ? &n->by_internal : NULL);

	return l ? ADDR_OBJECT(l, struct gateway_node, by_internal) : NULL;
}

/* ---- pairs ---- */

static void in_order(const struct in6_addr **a, const struct in6_addr **b)
{
	const struct in6_addr *was = *a;

	if (memcmp(*a, *b, sizeof(**a)) <= 0)
		return;
	*a = *b;
	*b = was;
}

/* What stands for both in a table of addresses. */
static struct in6_addr pair_key(
	const struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	const uint64_t halves[2] = {in6_hash(a, g->hash_key), in6_hash(b, g->hash_key)};
	struct in6_addr key;

	memcpy(&key, halves, sizeof(key));
	return key;
}

struct gateway_pair *gateway_pair_find(
	const struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	struct in6_addr key;

	in_order(&a, &b);
	key = pair_key(g, a, b);
	for (struct addr_node *l = addr_table_find(&g->pairs, &key); l;
		l = addr_table_find_next(l)) {
		struct gateway_pair *p = ADDR_OBJECT(l, struct gateway_pair, link);

		if (in6_equal(&p->a, a) && in6_equal(&p->b, b))
			return p;
	}
	return NULL;
}

void gateway_pair_drop(struct vcm_gateway *g, struct gateway_pair *p)
{
	addr_table_del(&g->pairs, &p->link);
	TAILQ_REMOVE(&g->lru, p, lru);
	if (p->state == PAIR_WAITING)
		TAILQ_REMOVE(&g->waiting, p, waiting);
	free(p);
}

static struct gateway_pair *pair_new(
	struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	struct gateway_pair *p;

	if (g->pairs.n >= g->config.max_pairs)
		gateway_pair_drop(g, TAILQ_FIRST(&g->lru));
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	in_order(&a, &b);
	p->a = *a;
	p->b = *b;
	p->first = p->counting_since = gateway_now(g);
	p->link.addr = pair_key(g, a, b);
	addr_table_add(&g->pairs, &p->link);
	TAILQ_INSERT_TAIL(&g->lru, p, lru);
	return p;
}

struct gateway_pair *gateway_pair_get(
	struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	struct gateway_pair *p = gateway_pair_find(g, a, b);

	if (!p)
		return pair_new(g, a, b);
	TAILQ_REMOVE(&g->lru, p, lru);
	TAILQ_INSERT_TAIL(&g->lru, p, lru);
	return p;
}

/* ---- correspondents ---- */

static struct correspondent *oldest(const struct gateway_node *n)
{
	struct correspondent *c = n->correspondents;

	for (size_t i = 1; i < n->n_correspondents; i++)
		if (mono_before(n->correspondents[i].talked, c->talked))
			c = &n->correspondents[i];
	return c;
}

/* A place for one more; NULL when out of memory. */
static struct correspondent *place(struct vcm_gateway *g, struct gateway_node *n)
{
	struct correspondent *c;
	size_t cap;

	if (n->n_correspondents == g->config.max_correspondents) {
		c = oldest(n);
		g->ops.pair_known(g->ctx, &n->internal, &c->addr, 0);
		return c;
	}
	if (n->n_correspondents == n->cap_correspondents) {
		cap = n->cap_correspondents ? n->cap_correspondents * 2 : 4;
		c = reallocarray(n->correspondents, cap, sizeof(*c));
		if (!c)
			return NULL;
		n->correspondents = c;
		n->cap_correspondents = cap;
	}
	return &n->correspondents[n->n_correspondents++];
}

void gateway_correspondent(
	struct vcm_gateway *g, struct gateway_node *n, const struct in6_addr *addr)
{
	monotime_t now = gateway_now(g);
	struct correspondent *c;

	for (size_t i = 0; i < n->n_correspondents; i++)
		if (in6_equal(&n->correspondents[i].addr, addr)) {
			n->correspondents[i].talked = now;
			return;
		}
	c = place(g, n);
	if (!c)
		return;
	*c = (struct correspondent){.addr = *addr, .talked = now};
	gateway_node_talks(g, n);
}
