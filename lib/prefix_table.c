/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/prefix_table.h"

#include <stdlib.h>

int ip6_prefix_cmp(const struct ip6_prefix *a, const struct ip6_prefix *b)
{
	int c = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return c ? c : (a->plen > b->plen) - (a->plen < b->plen);
}

int prefix_row_cmp(const void *a, const void *b)
{
	const struct prefix_row *x = a, *y = b;
	int c = memcmp(&x->home_address, &y->home_address, sizeof(x->home_address));

	return c ? c : ip6_prefix_cmp(&x->prefix, &y->prefix);
}

static int by_prefix(const void *a, const void *b)
{
	const struct prefix_row *x = a, *y = b;

	return ip6_prefix_cmp(&x->prefix, &y->prefix);
}

/* In this order all that lies in a prefix comes right behind it. */
size_t prefix_rows_overlap(struct prefix_row *rows, size_t n)
{
	if (n)
		qsort(rows, n, sizeof(*rows), by_prefix);
	for (size_t i = 1; i < n; i++)
		if (ip6_prefix_contains(&rows[i - 1].prefix, &rows[i].prefix))
			return i;
	return 0;
}
