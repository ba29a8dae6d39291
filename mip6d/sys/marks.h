/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How mip6d knows its own in the kernel.  Everything it puts there bears one
 * of these numbers or names, so that the next start finds what a killed
 * daemon left, keeps what the restored bindings need, and removes the rest.
 * Priorities of XFRM policies are in ipsec-glue/marks.h.
 */
#ifndef SYS_MARKS_H
#define SYS_MARKS_H

/* rtm_protocol of routes, FRA_PROTOCOL of rules, NDA_PROTOCOL of proxies, IFA_PROTO of addresses */
#define SYS_PROTOCOL 175
/* IFA_PROTO of link-local addresses that the kernel made; a renewed one looks the same */
#define SYS_IFAPROT_KERNEL_LL 3

/* Priorities of routing rules; both come before the main table (32766). */
#define SYS_RULE_VPN_IKE 17495 /* from the home address to the gateway: IKE of a node inside */
#define SYS_RULE_VPN 17496 /* from the internal address of a node that may be outside */
#define SYS_RULE_HOME_TO_AGENT 17497 /* from the home address to the home agent: as all from it */
#define SYS_RULE_TO_AGENT 17498 /* to the home agent, where IKE needs the care-of address */
#define SYS_RULE_INSIDE 17499 /* to the networks behind a mobile router */
#define SYS_RULE_HOME 17500 /* from the home address */
#define SYS_RULE_CARE_OF 17501 /* from a care-of address */

#define SYS_METRIC 1024 /* of routes in tables of our own */
#define SYS_METRIC_PMTU 1000 /* of host routes because of Packet Too Big */
#define SYS_METRIC_MAIN 64 /* of the default route in the main table */
#define SYS_METRIC_NETWORK 512 /* of a network behind a mobile router: before static routes by way of its home address */
#define SYS_METRIC_VPN 32 /* of a node outside, at its gateway: before the route of its link */
#define SYS_METRIC_LAST 0xfffffffe /* of the unreachable route behind all others */

/* The nftables table `ip6 mip6d` */
#define SYS_NFT_TABLE "mip6d"
#define SYS_NFT_BINDINGS "bindings" /* set of care-of address . inner source */
#define SYS_NFT_LEFT "left" /* the same for places that were left a moment ago */
#define SYS_NFT_NETWORKS "networks" /* sets networksN of care-of address . prefix of N bits; chain */
#define SYS_NFT_HELD "held" /* set of home addresses whose packets wait */
#define SYS_NFT_HELD_INTERNAL "held_internal" /* the same of internal addresses */
#define SYS_NFT_HELD_ARRIVING "held_arriving" /* set of home addresses: what comes for them in clear waits */
#define SYS_NFT_HELD_LINKS "held_links" /* set of interfaces: what networks behind them send waits */
#define SYS_NFT_PRIORITY (-250)
/*
 * Route optimization has a table of its own: the home agent and the mobile
 * node take away theirs as a whole.
 */
#define SYS_NFT_TABLE_RO "mip6d_ro"
#define SYS_NFT_TABLE_ESP "mip6d_esp" /* what IPsec needs, see esp_filter.h */
#define SYS_NFT_TABLE_VPN "mip6d_vpn" /* inside and outside, see vpn_gateway.h and vpn_node.h */
#define SYS_NFT_PAUSED "paused" /* set of home addresses whose SAs are being moved */
#define SYS_NFT_RO_BOUND "bound" /* set of care-of address . home address in force */
#define SYS_NFT_RO_KNOWN "known" /* set of peers whose traffic needs not be told */
#define SYS_NFT_RO_SEEN "seen" /* set of peers that were told a moment ago */

/*
 * One bit of the packet mark.  On the home agent it says, between the outer
 * and the inner pass of a tunnelled packet, that the pair of addresses was
 * found in order; on the mobile node, that a packet was held and is let go.
 * It never leaves the host and is cleared as soon as it has been read.
 */
#define SYS_MARK 0x20000000u

#define SYS_QUEUE_UNKNOWN 27958 /* NFQUEUE: tunnelled packets of unknown pairs */
#define SYS_QUEUE_HOLD 27959 /* NFQUEUE: what the home address sends during a move */
#define SYS_QUEUE_TRAFFIC 27960 /* NFQUEUE: a packet of a peer that is worth route optimization */
#define SYS_QUEUE_PAUSED 27961 /* NFQUEUE: what is for a home address whose SA is being moved */
#define SYS_QUEUE_OUTSIDE 27962 /* NFQUEUE: a node's packet that came through IPsec */
#define SYS_QUEUE_INSIDE 27963 /* NFQUEUE: one that came in clear, inside */
#define SYS_QUEUE_PAIRS 27964 /* NFQUEUE: the first one of a pair */
#define SYS_QUEUE_HOLD_INTERNAL 27966 /* NFQUEUE: what the internal address sends during a move */
#define SYS_QUEUE_HOLD_ARRIVING 27967 /* NFQUEUE: what comes in clear for the home address on the home link */
#define SYS_QUEUE_ASKING 27965 /* NFQUEUE: of a node that asks whether it is inside, and the answer */

#define SYS_VPN_DEVICE "mip6vpn0" /* routes of nodes outside lead here, at their gateway */

#endif
