/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hash table of objects that belong to an address; the node is part of the
 * object.  An address may occur more than once.  The hash is keyed, so that
 * nobody outside can choose addresses that fall together.
 */
#ifndef LIB_ADDR_TABLE_H
#define LIB_ADDR_TABLE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct addr_node {
	struct addr_node *next;
	struct in6_addr addr;
};

struct addr_table {
	struct addr_node **buckets;
	size_t n_buckets; /* a power of two */
	size_t n;
	uint64_t key[2];
};

/* The object that a node is part of; NULL stays NULL if the node is its first member. */
#define ADDR_OBJECT(node_, type_, member_) \
	((type_ *)(void *)((char *)(node_)-offsetof(type_, member_)))

int addr_table_init(struct addr_table *t, const uint64_t key[2]); /* 0 or -ENOMEM */
void addr_table_free(struct addr_table *t); /* not the objects */
void addr_table_add(struct addr_table *t, struct addr_node *n);
void addr_table_del(struct addr_table *t, struct addr_node *n);
struct addr_node *addr_table_find(const struct addr_table *t, const struct in6_addr *addr);
/* Another one with the address of n. */
struct addr_node *addr_table_find_next(const struct addr_node *n);
/* All of them, in no order: the first if n is NULL, else the one behind n. */
struct addr_node *addr_table_walk(const struct addr_table *t, const struct addr_node *n);

#endif
