/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rtnetlink requests of both roles. */
#ifndef OS_RTNL_H
#define OS_RTNL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlreq;

#define RTNL_PROTO 175 /* rtm_protocol of our routes and rules, how we know our own */

int rtnl_address_set(struct nlreq *r, int ifindex, const struct in6_addr *a, uint8_t plen, uint32_t ifa_flags,
	uint32_t preferred_s, uint32_t valid_s);
int rtnl_address_del(struct nlreq *r, int ifindex, const struct in6_addr *a, uint8_t plen);

struct rtnl_route {
	struct in6_addr dst;
	uint8_t plen;
	uint32_t table; /* 0: main */
	int ifindex;
	const struct in6_addr *gateway; /* NULL: on link */
	const struct in6_addr *encap_src, *encap_dst; /* not NULL: ip6 encapsulation */
	uint32_t metric, mtu; /* 0: the kernel's */
};
int rtnl_route_set(struct nlreq *r, const struct rtnl_route *route); /* adds or replaces */
int rtnl_route_del(struct nlreq *r, const struct rtnl_route *route);
int rtnl_rule(struct nlreq *r, bool add, const struct in6_addr *src, uint32_t table, uint32_t priority);
int rtnl_neighbour(struct nlreq *r, int ifindex, const struct in6_addr *a, const uint8_t *lladdr, size_t len);
int rtnl_neighbour_forget(struct nlreq *r, int ifindex, const struct in6_addr *a); /* 0 also if there is none */
int rtnl_proxy(struct nlreq *r, bool add, int ifindex, const struct in6_addr *a);
/* An ip6tnl device; external: addresses from the route of each packet.  Creates, or changes what is there. */
int rtnl_tunnel(struct nlreq *r, const char *name, bool external, const struct in6_addr *local,
	const struct in6_addr *remote);
int rtnl_link_up(struct nlreq *r, int ifindex);
int rtnl_link_del(struct nlreq *r, const char *name);
/* The plug queue at a device's root: buffer, or let go of what is there and all that comes. */
int rtnl_plug(struct nlreq *r, int ifindex, bool hold, uint32_t limit);

#endif
