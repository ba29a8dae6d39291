/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies of a mobile node with an internal address of its own, by place
 * (doc/vcm.md, embodiment 1); in embodiment 2 those with the manager alone:
 * internal is the home address, gateway the home agent, reqid that of the
 * tunnel's SAs, and there are neither probe nor prefixes.  Pure; SAs are the caller's (pair.h, or an IKE
 * daemon's).  Requirements V1, V2.
 */
#ifndef GLUE_PLAN_VPN_H
#define GLUE_PLAN_VPN_H

#include "mip6/ipsec.h"

#define IPSEC_VPN_MAX_PREFIXES 16

struct ipsec_vpn {
	struct in6_addr internal, home, gateway; /* IA, HoA, the gateway's external address */
	bool has_manager;
	struct in6_addr manager;
	uint32_t reqid; /* of the tunnel with the gateway */
	uint32_t manager_reqid; /* 0: no SAs with the manager, the tunnel carries it */
	uint16_t probe_port; /* from and to it: probes; 0: none are sent */
	size_t n_prefixes;
	struct ip6_prefix prefixes[IPSEC_VPN_MAX_PREFIXES]; /* the internal portion */
};

/*
 * The policies of a place, all of them.  Those of the place before are
 * replaced, and what only the other one has is removed: first what protects
 * or lets in, then what lets out.
 */
void ipsec_plan_vpn(const struct ipsec_vpn *v, bool outside, struct ipsec_plan *p);
void ipsec_plan_vpn_end(const struct ipsec_vpn *v, struct ipsec_plan *p);

#endif
