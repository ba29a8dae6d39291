/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of a mobile node with an intranet share (doc/vcm.md). */
#ifndef MIP6_VPN_H
#define MIP6_VPN_H

#include "lib/addr.h"

/* A link, and where the router of an internal prefix is. */
struct vpn_link {
	int ifindex;
	struct in6_addr router; /* link-local */
	struct ip6_prefix prefix;
};

#define VPN_LINKS 16

#endif
