/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations that do nothing and succeed, for tests of a core that are not
 * about them.  Their names are those of the members of struct ha_ops, mn_ops
 * and ro_ops, or what they have in common.
 */
#ifndef TESTS_QUIET_H
#define TESTS_QUIET_H

#include "mip6/env.h"

#define QUIET static inline int __attribute__((unused))

QUIET quiet_address(void *ctx, const struct in6_addr *a)
{
	(void)ctx, (void)a;
	return 0;
}

QUIET quiet_pair(void *ctx, const struct in6_addr *a, const struct in6_addr *b)
{
	(void)ctx, (void)a, (void)b;
	return 0;
}

QUIET quiet_path_set(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, const struct in6_addr *c)
{
	(void)ctx, (void)a, (void)b, (void)c;
	return 0;
}

QUIET quiet_receive_set(void *ctx, const struct in6_addr *a, const struct in6_addr *b, bool on)
{
	(void)ctx, (void)a, (void)b, (void)on;
	return 0;
}

QUIET quiet_address_set(void *ctx, int ifindex, const struct in6_addr *a, uint8_t plen,
	unsigned flags, uint32_t preferred_s, uint32_t valid_s)
{
	(void)ctx, (void)ifindex, (void)a, (void)plen, (void)flags, (void)preferred_s;
	(void)valid_s;
	return 0;
}

QUIET quiet_address_del(void *ctx, int ifindex, const struct in6_addr *a, uint8_t plen)
{
	(void)ctx, (void)ifindex, (void)a, (void)plen;
	return 0;
}

QUIET quiet_link_local_renew(void *ctx, int ifindex, bool optimistic)
{
	(void)ctx, (void)ifindex, (void)optimistic;
	return 0;
}

QUIET quiet_router_set(void *ctx, int ifindex, const struct in6_addr *router, const uint8_t *lladdr,
	size_t len, const struct in6_addr *care_of, uint32_t mtu, bool primary)
{
	(void)ctx, (void)ifindex, (void)router, (void)lladdr, (void)len, (void)care_of;
	(void)mtu, (void)primary;
	return 0;
}

QUIET quiet_router_del(void *ctx, int ifindex, const struct in6_addr *care_of)
{
	(void)ctx, (void)ifindex, (void)care_of;
	return 0;
}

QUIET quiet_neighbour_set(
	void *ctx, int ifindex, const struct in6_addr *a, const uint8_t *lladdr, size_t len)
{
	(void)ctx, (void)ifindex, (void)a, (void)lladdr, (void)len;
	return 0;
}

QUIET quiet_tunnel_set(void *ctx, const struct in6_addr *home, const struct in6_addr *agent,
	const struct in6_addr *care_of, bool hold)
{
	(void)ctx, (void)home, (void)agent, (void)care_of, (void)hold;
	return 0;
}

QUIET quiet_home_set(void *ctx, const struct in6_addr *home, uint8_t plen, int ifindex,
	const struct in6_addr *router, bool dad, bool hold)
{
	(void)ctx, (void)home, (void)plen, (void)ifindex, (void)router, (void)dad, (void)hold;
	return 0;
}

QUIET quiet_home_del(void *ctx, const struct in6_addr *home, int ifindex)
{
	(void)ctx, (void)home, (void)ifindex;
	return 0;
}

static inline void __attribute__((unused)) quiet_store_binding(void *ctx,
	const struct in6_addr *home, const struct in6_addr *agent, const struct in6_addr *care_of,
	uint16_t seq, uint32_t remaining_s)
{
	(void)ctx, (void)home, (void)agent, (void)care_of, (void)seq, (void)remaining_s;
}

#endif
