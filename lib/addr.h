/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 addresses and prefixes: comparison, classes, text. */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ip6_prefix {
	struct in6_addr addr; /* bits beyond plen are zero */
	uint8_t plen;
};

static inline bool in6_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
static inline bool in6_is_any(const struct in6_addr *a)
{
	return IN6_IS_ADDR_UNSPECIFIED(a);
}
/*
 * Can be a home or care-of address: unicast and routable, that is not
 * unspecified, loopback, multicast, link-local, site-local or v4-mapped
 * (RFC 6275 9.5.1, 11.3.1, 6.3).
 */
bool in6_is_routable_unicast(const struct in6_addr *a);
bool in6_in_prefix(const struct in6_addr *a, const struct in6_addr *prefix, uint8_t plen);
/* All of inner is in outer, or it is the same. */
static inline bool ip6_prefix_contains(const struct ip6_prefix *outer, const struct ip6_prefix *inner)
{
	return outer->plen <= inner->plen &&
	       in6_in_prefix(&inner->addr, &outer->addr, outer->plen);
}
/* a with the bits beyond plen zeroed */
struct in6_addr in6_mask(const struct in6_addr *a, uint8_t plen);
/* prefix (first 64 bits) and interface identifier (last 64 bits of iid) put together */
struct in6_addr in6_join(const struct in6_addr *prefix, const struct in6_addr *iid);
/* ff02::1:ffXX:XXXX of RFC 4291 2.7.1 */
struct in6_addr in6_solicited_node(const struct in6_addr *a);
/*
 * The Mobile IPv6 Home-Agents anycast address of a prefix (RFC 2526 2):
 * identifier 126 in an EUI-64 interface identifier, or, when the prefix
 * leaves no 64 bits for one, behind ones.
 */
struct in6_addr in6_home_agents_anycast(const struct ip6_prefix *p);
/* fe80:: plus the modified EUI-64 of a 48-bit MAC (RFC 2464 4, 5) */
struct in6_addr in6_eui64_link_local(const uint8_t mac[6]);

/* Text in one of a few static buffers, for log lines: good for four uses in one statement. */
const char *in6_str(const struct in6_addr *a);
/* "2001:db8::/32"; false when malformed or when bits beyond the length are set */
bool ip6_prefix_parse(const char *text, struct ip6_prefix *p);
/* Hash for tables, keyed so that a remote cannot choose collisions. */
uint64_t in6_hash(const struct in6_addr *a, const uint64_t key[2]);

extern const struct in6_addr in6_all_nodes; /* ff02::1 */
extern const struct in6_addr in6_all_routers; /* ff02::2 */

#endif
