/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are nodes of ours, and what applies to a pair of them. */
#include "vcm/vcmd_config.h"

bool vcmd_node_known(const struct vcmd_config *c, const struct in6_addr *internal)
{
	size_t low = 0, high = c->n_nodes;

	if (!c->n_nodes)
		return true;
	/* The last that begins at or before the address: as none is in another, only that one can have it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&c->nodes[middle].addr, internal, sizeof(*internal)) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && in6_in_prefix(internal, &c->nodes[low - 1].addr, c->nodes[low - 1].plen);
}

static bool in_prefix(const struct in6_addr *a, const struct ip6_prefix *p)
{
	return in6_in_prefix(a, &p->addr, p->plen);
}

size_t vcmd_pair_policy(const struct vcmd_config *c, const struct in6_addr *a,
	const struct in6_addr *b, struct vcm_policy *p)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		const struct vcmd_rule *r = &c->rules[i];

		if ((in_prefix(a, &r->a) && in_prefix(b, &r->b)) ||
			(in_prefix(b, &r->a) && in_prefix(a, &r->b))) {
			*p = r->policy;
			return i + 1;
		}
	}
	*p = (struct vcm_policy){.allowed = false};
	return 0;
}
