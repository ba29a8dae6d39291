/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes by internal and by home address, pairs, and correspondents of a node: all bounded. */
#include <errno.h>
#include <stdlib.h>

#include "lib/addr.h"
#include "vcm/gateway_internal.h"

#define CONTAINER(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define FIRST_BUCKETS 64

/* ---- hash ---- */

static int grow(struct hash_table *t)
{
	size_t cap = t->cap ? t->cap * 2 : FIRST_BUCKETS;
	struct hash_link **buckets = calloc(cap, sizeof(*buckets));

	if (!buckets)
		return -ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		for (struct hash_link *l = t->buckets[i], *next; l; l = next) {
			next = l->next;
			l->next = buckets[l->hash & (cap - 1)];
			buckets[l->hash & (cap - 1)] = l;
		}
	free(t->buckets);
	t->buckets = buckets;
	t->cap = cap;
	return 0;
}

int hash_put(struct hash_table *t, struct hash_link *l, uint64_t hash)
{
	if (t->n >= t->cap && grow(t) && !t->cap)
		return -ENOMEM;
	l->hash = hash;
	l->next = t->buckets[hash & (t->cap - 1)];
	t->buckets[hash & (t->cap - 1)] = l;
	t->n++;
	return 0;
}

void hash_remove(struct hash_table *t, struct hash_link *l)
{
	struct hash_link **p = &t->buckets[l->hash & (t->cap - 1)];

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	t->n--;
}

void hash_free(struct hash_table *t)
{
	free(t->buckets);
	*t = (struct hash_table){0};
}

static struct hash_link *bucket(const struct hash_table *t, uint64_t hash)
{
	return t->cap ? t->buckets[hash & (t->cap - 1)] : NULL;
}

/* ---- nodes ---- */

struct gateway_node *gateway_node_find(const struct vcm_gateway *g, const struct in6_addr *internal)
{
	uint64_t hash = in6_hash(internal, g->hash_key);

	for (struct hash_link *l = bucket(&g->by_internal, hash); l; l = l->next) {
		struct gateway_node *n = CONTAINER(l, struct gateway_node, by_internal);

		if (in6_equal(&n->internal, internal))
			return n;
	}
	return NULL;
}

struct gateway_node *gateway_node_by_home(const struct vcm_gateway *g, const struct in6_addr *home)
{
	uint64_t hash = in6_hash(home, g->hash_key);

	for (struct hash_link *l = bucket(&g->by_home, hash); l; l = l->next) {
		struct gateway_node *n = CONTAINER(l, struct gateway_node, by_home);

		if (in6_equal(&n->home, home))
			return n;
	}
	return NULL;
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

static uint64_t pair_hash(const struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	uint64_t second = in6_hash(b, g->hash_key);

	return in6_hash(a, g->hash_key) ^ (second << 21 | second >> 43);
}

struct gateway_pair *gateway_pair_find(
	const struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b)
{
	in_order(&a, &b);
	for (struct hash_link *l = bucket(&g->pairs, pair_hash(g, a, b)); l; l = l->next) {
		struct gateway_pair *p = CONTAINER(l, struct gateway_pair, link);

		if (in6_equal(&p->a, a) && in6_equal(&p->b, b))
			return p;
	}
	return NULL;
}

void gateway_pair_drop(struct vcm_gateway *g, struct gateway_pair *p)
{
	hash_remove(&g->pairs, &p->link);
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
	if (hash_put(&g->pairs, &p->link, pair_hash(g, a, b))) {
		free(p);
		return NULL;
	}
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
