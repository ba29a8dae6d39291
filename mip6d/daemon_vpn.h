/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mobile node with an intranet (group vpn): where it is, and what follows
 * from that.  Embodiment 1: an internal address of its own, SAs with the
 * gateway and the VCM, probes.  Embodiment 2: at home is inside.  All do
 * nothing where the group is missing.  Requirements V1, V2, V4.
 */
#ifndef MIP6D_DAEMON_VPN_H
#define MIP6D_DAEMON_VPN_H

#include <stdbool.h>

struct daemon;
struct json_t;
struct mip6_event;
struct mip6_packet;

/* After the core, the direct path and the part of sessions; false after a line in the log. */
bool daemon_vpn_start(struct daemon *d);
/* Before the direct path ends. */
void daemon_vpn_stop(struct daemon *d);
void daemon_vpn_link(struct daemon *d, int ifindex, bool up, bool link_local);
void daemon_vpn_icmp6(struct daemon *d, const struct mip6_packet *p);
void daemon_vpn_event(struct daemon *d, const struct mip6_event *e);
/* control_backend.vpn_check: policies of the place, of sessions, and of a gateway */
int daemon_vpn_check(void *daemon, bool mend, void (*fn)(void *arg, const char *text), void *arg);
/* control_backend.vpn */
struct json_t *daemon_vpn_status(void *daemon);

#endif
