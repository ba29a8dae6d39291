/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this node inside?  Each link by itself (V2):
 *
 *             RA with an internal prefix        PROBE-REPLY with its nonce
 *   FOREIGN ----------------------------> ASKING ------------------------> INSIDE
 *      ^                                   ^  |                              |
 *      | down, prefix withdrawn or expired |  | again and again, backing off | RA of another router, carrier again,
 *      +--------------(any)----------------+  +------------------------------+ no answer any more: outside at once
 *
 * Without authentication the prefix is enough.  The node is inside as long as
 * any link is; the one that was first stays the one in use.  Pure.
 */
#ifndef PROTO_VPN_PLACE_H
#define PROTO_VPN_PLACE_H

#include "lib/addr.h"
#include "mip6/env.h"
#include "mip6/vpn.h"
#include "vcm/message.h"

#define VPN_PLACE_LINKS VPN_LINKS
#define VPN_PLACE_PREFIXES 16

struct vpn_place; /* opaque */
struct icmp6_ra;

struct vpn_place_config {
	bool authenticate; /* inside counts when the VCM answered on that link */
	uint64_t epoch; /* of this life, for probes */
	size_t n_internal;
	struct ip6_prefix internal[VPN_PLACE_PREFIXES];
};

struct vpn_place_ops {
	monotime_t (*now)(void *ctx);
	void (*random)(void *ctx, void *to, size_t n);
	/* The link may be an internal one: probes can leave by it, and answers come back; or no more. */
	void (*candidate)(void *ctx, const struct vpn_link *l, bool on);
	/* A PROBE to the VCM, by this link and its SA alone. */
	void (*probe)(void *ctx, int ifindex, const uint8_t *data, size_t len);
	/* NULL: outside.  why: for logs. */
	void (*place)(void *ctx, const struct vpn_link *inside, const char *why);
};

struct vpn_place *vpn_place_new(const struct vpn_place_config *c, const struct vpn_place_ops *ops,
	void *ctx, struct timerq *timers);
void vpn_place_free(struct vpn_place *p);

/* Carrier came, or came again (it may be another link), or went. */
void vpn_place_link(struct vpn_place *p, int ifindex, bool up);
/* A Router Advertisement that was judged (RFC 4861 6.1.2). */
void vpn_place_advertised(struct vpn_place *p, int ifindex, const struct in6_addr *router,
	const struct icmp6_ra *ra);
/* What came to the port of probes, through the SA with the VCM. */
void vpn_place_answer(struct vpn_place *p, const uint8_t *data, size_t len);

bool vpn_place_inside(const struct vpn_place *p);
const char *vpn_place_why(const struct vpn_place *p);

#endif
