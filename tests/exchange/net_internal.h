/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated network, for its own files only.
 *
 *	net.c		life, clock, randomness, what was seen, rules
 *	net_wire.c	control packets: from sender over links to receiver
 *	net_nd.c	links: routers, hosts, who has an address
 *	net_ha.c	kernel of the home agent (struct ha_ops)
 *	net_cn.c	the correspondent, and ro_ops of both
 *	net_mn.c	kernel of the mobile node (struct mn_ops)
 *	net_data.c	data packets
 *	net_check.c	what must always hold, and what must hold in the end
 */
#ifndef TESTS_EXCHANGE_NET_INTERNAL_H
#define TESTS_EXCHANGE_NET_INTERNAL_H

#include "lib/addr.h"
#include "tests/exchange/net.h"

#define ND_HOP_LIMIT 255
#define HOME_PLEN 64

enum net_side { SIDE_HA, SIDE_MN, SIDE_CN, SIDE_OTHER };

/* One copy of a packet under way. */
struct net_flight {
	struct net *net;
	struct net_flight *prev, *next;
	struct timer timer;
	void (*arrive)(struct net *n, struct net_flight *f);
	/* control packets */
	enum net_kind kind;
	enum net_side from;
	size_t seen; /* index + 1 of the log entry whose fate this is; 0: a copy */
	int link; /* where it arrives; CORE: at the home agent from outside */
	int ifindex; /* one interface of the mobile node alone, or 0 */
	bool tunnelled; /* inside the tunnel of the home agent, to `outer` */
	struct in6_addr outer;
	struct mip6_packet p; /* p.data points to data */
	/* data packets */
	size_t number;
	int64_t extra_us; /* on the way beside links and core */
	uint8_t data[]; /* p.len octets */
};

/* net.c */
void net_violation(struct net *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void net_say(struct net *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void net_timer(struct net *n, struct timer *t, int64_t after_us);
struct net_flight *net_flight_new(struct net *n, size_t len);
void net_flight_go(struct net *n, struct net_flight *f, int64_t after_us);
size_t net_log(
	struct net *n, enum net_side from, int link, const struct mip6_packet *p, bool is_mh);
bool net_random_below(struct net *n, unsigned per_mille);

/* net_wire.c */
int net_ha_send_mh(void *ctx, const struct mip6_packet *p);
int net_ha_send_icmp6(void *ctx, const struct mip6_packet *p);
int net_mn_send_mh(void *ctx, const struct mip6_packet *p);
int net_mn_send_icmp6(void *ctx, const struct mip6_packet *p);
/*
 * Put a packet on a link (and behind it the core, if via_core): faults and
 * rules decide how many copies arrive, and when.  arrive is called for each.
 */
void net_transmit(
	struct net *n, const struct net_flight *model, const struct mip6_packet *p, bool via_core);
bool net_router_forwards(const struct net *n, const struct net_if *i, const struct in6_addr *wire);
void net_mh_at_mn(struct net *n, struct net_flight *f);
void net_arrived_well(struct net *n, const struct net_flight *f, bool well);
int net_link_of(const struct in6_addr *a); /* by its prefix; NOWHERE */

/* net_nd.c */
void net_routers_init(struct net *n);
void net_advertise(struct net *n, int link, const struct in6_addr *to, int ifindex);
void net_nd_arrived(struct net *n, struct net_flight *f);
bool net_is_taken(const struct net *n, int link, const struct in6_addr *a);

/* net_ha.c */
void net_ha_init(struct net *n);
bool net_has_proxy(const struct net *n, const struct in6_addr *a);
void net_ha_nd(struct net *n, const struct mip6_packet *p, const struct icmp6_message *m);

/* net_cn.c */
void net_cn_init(struct net *n);
int64_t net_cn_us(const struct net *n);
int64_t net_direct_us(const struct net *n);
int net_cn_send_mh(void *ctx, const struct mip6_packet *p);
void net_mh_at_cn(struct net *n, struct net_flight *f);
/* A Mobility Header of the mobile node from its home address, while it is away. */
void net_mn_tunnels(struct net *n, const struct mip6_packet *p);

/* net_mn.c */
void net_mn_init(struct net *n);
void net_mn_reset(struct net *n); /* nothing is configured */
struct net_if *net_if(struct net *n, int ifindex);
struct net_addr *net_addr_find(const struct net *n, int ifindex, const struct in6_addr *a);
bool net_addr_usable(const struct net_addr *a);
/* The usable address on an interface that is plugged into its link, or NULL. */
struct net_addr *net_addr_on_link(const struct net *n, int link, const struct in6_addr *a);
const struct net_route *net_route(const struct net *n, const struct in6_addr *care_of);
void net_mn_nd(struct net *n, struct net_if *i, const struct mip6_packet *p,
	const struct icmp6_message *m);
void net_mn_tell_link(struct net *n, struct net_if *i, bool up);

/* net_data.c */
void net_data_release(struct net *n); /* what was held may leave */
void net_data_drop(struct net *n); /* what was held is dropped */

/* net_check.c */
void net_check(struct net *n); /* after every step */
void net_check_bu(struct net *n, const struct net_seen *s);
void net_check_ro(struct net *n, const struct net_seen *s);
void net_check_ba(struct net *n, const struct net_seen *s);
void net_check_nd(struct net *n, const struct net_seen *s, const struct mip6_packet *p);
void net_ba_reached(struct net *n, const struct mip6_packet *p);

#endif
