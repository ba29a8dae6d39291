/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mobile node's kernel when it is a mobile router (RFC 3963 5).
 *
 *   rule       from a network: the table of the home address, so the tunnel,
 *              or the home link, or unreachable; never anything else
 *   rule       to a network: the main table, whose routes lead into it; what
 *              none of them takes is unreachable there, so that nothing goes
 *              to and fro between us and the home agent
 *   forwarding on, but not on the interfaces that lead out: there we are a
 *              host still, which listens to routers and is none (5.6, 5.7)
 *   chain forward   what may pass between the networks and the rest
 *   chain before    holds what the networks send, see mn_hold.h
 */
#ifndef SYS_MN_NETWORKS_H
#define SYS_MN_NETWORKS_H

#include <net/if.h>
#include <stdio.h>

#include "mip6/env.h"

struct mn_kernel;
struct rtnl_route;
struct rtnl_rule;

#define MN_NETWORKS_INGRESS 16

struct mn_networks_config {
	size_t n_networks; /* 0: not a mobile router */
	struct ip6_prefix networks[MIP6_MAX_NETWORKS];
	size_t n_ingress;
	char ingress[MN_NETWORKS_INGRESS][IFNAMSIZ]; /* interfaces that lead into the networks */
};

/* Rules, routes, settings and the packet filter; after the devices are there.  0, or an errno with the reason in err. */
int mn_networks_open(struct mn_kernel *k, char *err, size_t errlen);
/* Natively, the networks are reached by this interface alone (0: by none, but the tunnel). */
int mn_networks_home(struct mn_kernel *k, int ifindex);
/* Made by this configuration: else a predecessor's, to be removed. */
bool mn_networks_has_rule(const struct mn_kernel *k, const struct rtnl_rule *r);
bool mn_networks_has_route(const struct mn_kernel *k, const struct rtnl_route *r);

#endif
