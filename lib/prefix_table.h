/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Prefix Table of a home agent: whose networks are whose (RFC 3963 6.1.2). */
#ifndef LIB_PREFIX_TABLE_H
#define LIB_PREFIX_TABLE_H

#include <stddef.h>

#include "lib/addr.h"

struct prefix_row {
	struct in6_addr home_address; /* of the mobile router */
	struct ip6_prefix prefix;
};

int ip6_prefix_cmp(const struct ip6_prefix *a, const struct ip6_prefix *b);
/* For qsort(): by home address, then by prefix. */
int prefix_row_cmp(const void *a, const void *b);
/*
 * Sorts by prefix.  The first two rows that overlap, so that a packet would
 * belong to two networks, at rows[i] and rows[i - 1]: i; 0: there are none.
 */
size_t prefix_rows_overlap(struct prefix_row *rows, size_t n);

#endif
