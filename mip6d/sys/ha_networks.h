/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent's kernel: networks of mobile routers (RFC 3963 6.4, 6.5).
 *
 *   PREFIX encap ...   one route a prefix, to the care-of address of its
 *                      router, better than a static one to the home address
 *   networksN          set of (care-of address, prefix of N bits): what may
 *                      come back through the tunnel; networksN_left is the
 *                      same for places that were left a moment ago
 *
 * A packet is looked up once for each prefix length that was ever in use, so
 * its cost does not depend on the number of networks, and neither does that
 * of a change.
 */
#ifndef SYS_HA_NETWORKS_H
#define SYS_HA_NETWORKS_H

#include <stdio.h>

#include "lib/addr.h"

struct ha_networks; /* opaque */
struct nlreq;
struct nlmsghdr;
struct rtnl_route;

/* A change of the sets is wanted; set lives as long as the struct ha_networks. */
typedef void ha_networks_change_fn(void *arg, const char *set, bool add,
	const struct in6_addr *care_of, const struct in6_addr *network);

struct ha_networks *ha_networks_new(
	struct nlreq *rt, struct nlreq *nf, ha_networks_change_fn *change, void *arg);
void ha_networks_free(struct ha_networks *s);

/* Lines for nft that make the chain `networks`, with sets and rules of all lengths that are in the kernel. */
void ha_networks_rules(struct ha_networks *s, FILE *to);
/* Before ha_networks_take() and ha_networks_set(). */
void ha_networks_device(struct ha_networks *s, int ifindex, const struct in6_addr *local);

/* A predecessor's route; false when it is not one of a network. */
bool ha_networks_take_route(struct ha_networks *s, const struct rtnl_route *r);
/* A predecessor's elements of the sets; 0 or an errno. */
int ha_networks_take_pairs(struct ha_networks *s);
/* Remove what was taken and nobody asked for since; how many. */
size_t ha_networks_reconcile(struct ha_networks *s);

/* These are the networks behind home_address, at care_of.  0 or an errno, and then there are none. */
int ha_networks_set(struct ha_networks *s, const struct in6_addr *home_address,
	const struct in6_addr *care_of, const struct ip6_prefix *networks, size_t n);

/* The home address moves: so do its networks. */
int ha_networks_move(
	struct ha_networks *s, const struct in6_addr *home_address, const struct in6_addr *care_of);

/* Is inner in a network whose router is at care_of? */
bool ha_networks_registered(
	const struct ha_networks *s, const struct in6_addr *care_of, const struct in6_addr *inner);
/* N of a set networksN; 0: another set. */
uint8_t ha_networks_length(const char *set);
size_t ha_networks_count(const struct ha_networks *s);

#endif
