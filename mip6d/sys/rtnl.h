/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builders of rtnetlink messages: from what is wanted to a struct nl_msg, and
 * readers of the few answers that are needed.  No system calls in here; send
 * with nlreq_do() or nlreq_dump().  NULL when out of memory.
 */
#ifndef SYS_RTNL_H
#define SYS_RTNL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nl_msg;
struct nlmsghdr;

/* ---- addresses ---- */

struct rtnl_address {
	int ifindex;
	struct in6_addr addr;
	uint8_t plen;
	uint8_t protocol; /* IFA_PROTO */
	uint32_t flags; /* IFA_F_* */
	uint32_t preferred_s, valid_s;
};
/* create: it must be new, else it must be there. */
struct nl_msg *rtnl_address_set(const struct rtnl_address *a, bool create);
struct nl_msg *rtnl_address_del(int ifindex, const struct in6_addr *addr, uint8_t plen);
struct nl_msg *rtnl_address_dump(int ifindex); /* 0: of all interfaces */
bool rtnl_address_read(const struct nlmsghdr *h, struct rtnl_address *a);

/* ---- routes ---- */

struct rtnl_route {
	struct in6_addr dst;
	uint8_t plen;
	uint8_t type; /* RTN_*; 0: unicast */
	uint32_t table; /* 0: main */
	uint32_t metric; /* 0: the kernel's default, 1024 */
	int ifindex;
	struct in6_addr gateway; /* ::: on link */
	struct in6_addr prefsrc; /* of packets whose sender has chosen none; ::: the kernel chooses */
	bool encap; /* ip6 encapsulation from encap_src to encap_dst */
	struct in6_addr encap_src, encap_dst;
	uint32_t mtu; /* 0: as the device */
};
struct nl_msg *rtnl_route_set(const struct rtnl_route *r); /* adds or replaces */
struct nl_msg *rtnl_route_del(const struct rtnl_route *r);
struct nl_msg *rtnl_route_dump(void); /* of SYS_PROTOCOL, all tables */
/* False when it is not ours. */
bool rtnl_route_read(const struct nlmsghdr *h, struct rtnl_route *r);

/* ---- rules ---- */

struct rtnl_rule {
	struct in6_addr src, dst;
	uint8_t src_len, dst_len; /* 0: the whole address; everything when that is :: */
	uint32_t table, priority;
	uint16_t udp_port; /* UDP from this port to the same one alone; 0: everything */
	/* Applies to packets without a source yet, if src would be chosen for them. */
	bool find_source;
};
struct nl_msg *rtnl_rule_add(const struct rtnl_rule *r);
struct nl_msg *rtnl_rule_del(const struct rtnl_rule *r);
struct nl_msg *rtnl_rule_dump(void);
bool rtnl_rule_read(const struct nlmsghdr *h, struct rtnl_rule *r); /* false: not ours */

/* ---- neighbours ---- */

struct nl_msg *rtnl_neighbour_set(int ifindex, const struct in6_addr *addr, const uint8_t *lladdr,
	size_t len, uint16_t state);
struct nl_msg *rtnl_neighbour_del(int ifindex, const struct in6_addr *addr);
struct nl_msg *rtnl_proxy_set(int ifindex, const struct in6_addr *addr, bool router);
struct nl_msg *rtnl_proxy_del(int ifindex, const struct in6_addr *addr);
struct nl_msg *rtnl_proxy_dump(int ifindex);

struct rtnl_neighbour {
	int ifindex;
	struct in6_addr addr;
	uint16_t state; /* NUD_* */
	uint8_t protocol;
	bool proxy;
};
bool rtnl_neighbour_read(const struct nlmsghdr *h, struct rtnl_neighbour *n);

/* ---- links ---- */

struct rtnl_tunnel {
	const char *name;
	bool external; /* addresses come from the route of each packet */
	struct in6_addr local, remote;
	uint32_t mtu; /* 0: from the path's first link */
};
/* New device, down, IPv6 in IPv6, hop limit 64, no encapsulation limit. */
struct nl_msg *rtnl_tunnel_add(const struct rtnl_tunnel *t);
struct nl_msg *rtnl_dummy_add(const char *name); /* new device, down: what is sent there is lost */
/* It makes no link-local address for itself; to be sent before it goes up. */
struct nl_msg *rtnl_link_no_local(int ifindex);
/* Other addresses for a device that is there. */
struct nl_msg *rtnl_tunnel_move(
	int ifindex, const struct in6_addr *local, const struct in6_addr *remote);
struct nl_msg *rtnl_link_del(int ifindex);
struct nl_msg *rtnl_link_up(int ifindex, uint32_t mtu); /* mtu 0: leave it */
struct nl_msg *rtnl_link_get(const char *name);
struct nl_msg *rtnl_link_dump(void);

struct rtnl_link {
	int ifindex;
	char name[16];
	unsigned flags; /* IFF_* */
	uint32_t carrier_ups; /* how often carrier came */
	size_t mac_len;
	uint8_t mac[32];
	bool is_tunnel; /* kind ip6tnl, with what follows */
	bool external;
	struct in6_addr local, remote;
};
bool rtnl_link_read(const struct nlmsghdr *h, struct rtnl_link *l);

#endif
