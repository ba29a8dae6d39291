/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/addr_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

#define FIRST_BUCKETS 64

int addr_table_init(struct addr_table *t, const uint64_t key[2])
{
	t->buckets = calloc(FIRST_BUCKETS, sizeof(*t->buckets));
	if (!t->buckets)
		return -ENOMEM;
	t->n_buckets = FIRST_BUCKETS;
	t->n = 0;
	memcpy(t->key, key, sizeof(t->key));
	return 0;
}

void addr_table_free(struct addr_table *t)
{
	free(t->buckets);
	t->buckets = NULL;
	t->n_buckets = t->n = 0;
}

static size_t bucket_of(const struct addr_table *t, const struct in6_addr *addr)
{
	return (size_t)in6_hash(addr, t->key) & (t->n_buckets - 1);
}

/* Without memory to grow the table goes on as it is, only slower. */
static void grow(struct addr_table *t)
{
	struct addr_table bigger = *t;

	bigger.n_buckets = t->n_buckets * 2;
	bigger.buckets = calloc(bigger.n_buckets, sizeof(*bigger.buckets));
	if (!bigger.buckets)
		return;
	for (size_t i = 0; i < t->n_buckets; i++) {
		for (struct addr_node *n = t->buckets[i], *next; n; n = next) {
			size_t to = bucket_of(&bigger, &n->addr);

			next = n->next;
			n->next = bigger.buckets[to];
			bigger.buckets[to] = n;
		}
	}
	free(t->buckets);
	*t = bigger;
}

void addr_table_add(struct addr_table *t, struct addr_node *n)
{
	size_t to;

	if (t->n >= t->n_buckets)
		grow(t);
	to = bucket_of(t, &n->addr);
	n->next = t->buckets[to];
	t->buckets[to] = n;
	t->n++;
}

void addr_table_del(struct addr_table *t, struct addr_node *n)
{
	struct addr_node **at = &t->buckets[bucket_of(t, &n->addr)];

	while (*at && *at != n)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = n->next;
	n->next = NULL;
	t->n--;
}

static struct addr_node *same_address(struct addr_node *n, const struct in6_addr *addr)
{
	while (n && !in6_equal(&n->addr, addr))
		n = n->next;
	return n;
}

struct addr_node *addr_table_find(const struct addr_table *t, const struct in6_addr *addr)
{
	return same_address(t->buckets[bucket_of(t, addr)], addr);
}

struct addr_node *addr_table_find_next(const struct addr_node *n)
{
	return same_address(n->next, &n->addr);
}

struct addr_node *addr_table_walk(const struct addr_table *t, const struct addr_node *n)
{
	size_t i = 0;

	if (n) {
		if (n->next)
			return n->next;
		i = bucket_of(t, &n->addr) + 1;
	}
	for (; i < t->n_buckets; i++) {
		if (t->buckets[i])
			return t->buckets[i];
	}
	return NULL;
}
