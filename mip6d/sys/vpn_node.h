/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The internal address of a mobile node in the kernel (doc/vcm.md, embodiment
 * 1), inside and outside:
 *
 *   mip6vpn   a device that sends nothing: it carries IA, and outside all
 *             that IA sends is routed to it, so what no policy takes is lost
 *   rule      from IA: table T
 *   rule      IKE from the home address to the gateway: table T, inside and with
 *             strongSwan alone; so the SAs are there before it leaves
 *   main      the internal prefixes, with IA as the source of whoever has none
 *   table ip6 mip6d_vpn   what IA sends in clear leaves by the internal link
 *             alone, and only as long as vpn_node_still_inside() is called:
 *             a dead daemon cannot see that the node has left
 *
 * Policies are the caller's.  A link that may be internal has IA as well, so
 * that neighbours find it, and the route of probes.
 */
#ifndef SYS_VPN_NODE_H
#define SYS_VPN_NODE_H

#include "lib/addr.h"
#include "mip6/vpn.h"

struct vpn_node; /* opaque */

#define VPN_NODE_PREFIXES 16
#define VPN_NODE_DEVICE "mip6vpn"
#define VPN_NODE_INSIDE_S 20 /* without vpn_node_still_inside() nothing leaves in clear any more */

struct vpn_node_config {
	struct in6_addr internal, manager;
	struct in6_addr home, gateway; /* between which IKE runs; gateway ::: it does not */
	uint32_t table;
	size_t n_prefixes;
	struct ip6_prefix prefixes[VPN_NODE_PREFIXES];
};

/* Outside, whatever a predecessor has left.  NULL with the reason in err. */
struct vpn_node *vpn_node_open(const struct vpn_node_config *c, char *err, size_t errlen);
/* remove: nothing is left in the kernel; else it goes on, outside. */
void vpn_node_close(struct vpn_node *v, bool remove);

/* All return 0 or a negative errno. */
int vpn_node_candidate(struct vpn_node *v, const struct vpn_link *l, bool on);
/* What IA sends goes by this link; NULL: nowhere but where policies lead. */
int vpn_node_routes(struct vpn_node *v, const struct vpn_link *inside);
/* It may leave in clear there; NULL: nowhere. */
int vpn_node_clear(struct vpn_node *v, const struct vpn_link *inside);
int vpn_node_still_inside(struct vpn_node *v, const struct vpn_link *inside);
/* By this link and no other. */
int vpn_node_probe(struct vpn_node *v, int ifindex, const uint8_t *data, size_t len);
/* Where answers to probes arrive. */
int vpn_node_fd(const struct vpn_node *v);
/* Octets of one datagram from the manager; 0: not its; negative errno: there is none. */
int vpn_node_read(struct vpn_node *v, uint8_t *to, size_t cap);
bool vpn_node_mac(int ifindex, uint8_t mac[6]);

#endif
