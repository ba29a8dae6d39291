/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies of a security gateway for nodes that are inside or outside
 * (doc/vcm.md, "Policies of the SG").  Pure.
 */
#ifndef GLUE_PLAN_VPN_GATEWAY_H
#define GLUE_PLAN_VPN_GATEWAY_H

#include "mip6/ipsec.h"

struct ipsec_vpn_gateway {
	struct in6_addr address; /* external: where the tunnels end */
	const struct ip6_prefix *internal;
	size_t n_internal;
};

struct ipsec_vpn_node {
	struct in6_addr internal, home;
	uint32_t reqid;
};

/* What it sends is taken, by its SA or as it is: the packet filter knows where the latter may come from. */
void ipsec_plan_vpn_receive(const struct ipsec_vpn_gateway *g, const struct ipsec_vpn_node *n,
	bool on, struct ipsec_plan *p);
/* Outside: what is for it goes by its SA. */
void ipsec_plan_vpn_send(const struct ipsec_vpn_gateway *g, const struct ipsec_vpn_node *n, bool on,
	struct ipsec_plan *p);
/* UDP between this host and the manager is protected, in transport mode. */
void ipsec_plan_vpn_manager(const struct in6_addr *own, const struct in6_addr *manager,
	uint32_t reqid, bool on, struct ipsec_plan *p);

#endif
