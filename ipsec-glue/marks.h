/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the glue knows its own in XFRM: every policy of ours has one of these
 * priorities, so whoever comes after a killed daemon finds them.  A smaller
 * number is looked at first.
 */
#ifndef GLUE_MARKS_H
#define GLUE_MARKS_H

/* Bit of the packet mark that bundles of moved states clear; never set by anybody. */
#define GLUE_BUMP 0x80000000u

#define GLUE_PRIO_ESP 1 /* the best of all: ESP behind Home Address option or routing header */
#define GLUE_PRIO_OPEN 7 /* between home address and home agent, as it is: Neighbor Discovery */
#define GLUE_PRIO_SIGNAL_MH 8
#define GLUE_PRIO_SIGNAL_ICMP 9
#define GLUE_PRIO_BU 10 /* in clear, with a Home Address option */
#define GLUE_PRIO_DATA_MH 900 /* HoTI, HoT */
#define GLUE_PRIO_RO_NOT 1000 /* never the direct path: Mobility Headers, Neighbor Discovery */
#define GLUE_PRIO_MH 4000
#define GLUE_PRIO_SESSION 4500 /* between two mobile nodes */
#define GLUE_PRIO_VPN_OPEN 4520 /* Neighbor Discovery on the internal link */
#define GLUE_PRIO_VPN_PROBE 4530 /* am I inside? */
#define GLUE_PRIO_VPN_MANAGER 4540 /* with the VCM, whose address is one of the intranet */
#define GLUE_PRIO_SESSION_GUARD 4600 /* to and from the intranet, before any direct path */
#define GLUE_PRIO_RO 5000 /* a pair of addresses; Mobility Headers are accepted before */
#define GLUE_PRIO_VPN 5800 /* between internal addresses */
#define GLUE_PRIO_DATA 6000 /* what goes through the tunnel */

#endif
