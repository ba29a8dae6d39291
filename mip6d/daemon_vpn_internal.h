/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between daemon_vpn.c (the place, and what it changes) and daemon_vpn_policies.c (SAs and policies). */
#ifndef MIP6D_DAEMON_VPN_INTERNAL_H
#define MIP6D_DAEMON_VPN_INTERNAL_H

#include "ipsec-glue/plan_vpn.h"
#include "lib/timer.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/mn.h"
#include "mip6d/proto/vpn_place.h"

struct daemon_vpn {
	struct daemon *d;
	bool outside;
	char why[128];
	struct ipsec_sender *sender; /* embodiment 2: with SAs with the manager only */
	struct ipsec_vpn policies;
	bool policies_outside; /* which of them are wanted */
	struct policy_watch *watch; /* while there is a sender */
	/* Embodiment 1; else all NULL: */
	struct vpn_place *place;
	struct vpn_node *kernel;
	struct vpn_link inside;
	struct timer refresh;
	struct {
		int ifindex;
		bool up, link_local;
	} links[VPN_PLACE_LINKS];
};

/* What an address of the intranet needs before it is there; false after a line in the log. */
bool daemon_vpn_protect(struct daemon_vpn *v);
/* Embodiment 2: SAs with the manager, if it has its own; false after a line in the log. */
bool daemon_vpn_protect_manager(struct daemon_vpn *v);
/* The policies of a place: 0, or a negative errno after a line in the log. */
int daemon_vpn_policies(struct daemon_vpn *v, bool outside);
/* Embodiment 2: what is said to the manager is in its own SA, and outside in the tunnel's as well. */
void daemon_vpn_place_manager(struct daemon_vpn *v, const struct mn_info *i, bool outside);
void daemon_vpn_unprotect(struct daemon_vpn *v);

/* false, after a line in the log */
bool daemon_vpn_refuse(const char *what, const char *why);

#endif
