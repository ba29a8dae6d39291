/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The direct path in the kernel: struct ro_ops over XFRM route-optimization
 * states and one ordered policy in each direction for a pair of addresses
 * (RFC 6275 6.3, 6.4, 9.3, 11.3.1), and what comes back from there:
 *
 *   reports	packets dropped because of their Home Address option, for
 *		Binding Errors; few, as nftables drops a flood of them before
 *   errors	ICMPv6 errors that quote packets of the direct path.  Packet
 *		Too Big is acted upon in here: the kernel looks it up by the
 *		care-of addresses and forgets it, so a host route with that MTU
 *		is set for a care-of address that we send to
 *   traffic	peers of the home address, as a policy of a mobile node asks
 *
 * Policies always before routes, states before policies; a state that moves
 * is updated in place with its cached routes.  What a killed daemon left is
 * removed at the next start, by its priorities and marks.
 */
#ifndef SYS_RO_KERNEL_H
#define SYS_RO_KERNEL_H

#include "lib/addr.h"
#include "lib/icmp6_error.h"
#include "mip6/env.h"

struct ro_kernel; /* opaque */
struct settings;
struct sys_loop;

enum ro_watch_when { RO_WATCH_NEVER, RO_WATCH_ALWAYS, RO_WATCH_AFTER };
struct ro_watch_rule { /* the first that matches counts */
	struct ip6_prefix peers;
	enum ro_watch_when when;
	uint32_t packets, per_s; /* see struct mn_ro_rule */
};

struct ro_kernel_config {
	/* Watch the traffic of home_address; n_rules 0: nothing is watched. */
	struct in6_addr home_address;
	size_t n_rules;
	const struct ro_watch_rule *rules; /* borrowed during ro_kernel_open() */
	bool by_sa; /* what does not come directly comes through an SA of the tunnel */
};

struct ro_kernel_events {
	/* local: ours; home: of the option; care_of: the source on the wire */
	void (*unverified)(void *ctx, const struct in6_addr *local, const struct in6_addr *home,
		const struct in6_addr *care_of);
	void (*icmp_error)(void *ctx, const struct icmp6_error *e);
	void (*traffic)(void *ctx, const struct in6_addr *peer);
};

/* events are borrowed.  NULL, with what is missing and the remedy in err. */
struct ro_kernel *ro_kernel_open(const struct ro_kernel_config *c, struct sys_loop *loop,
	struct settings *settings, const struct ro_kernel_events *events, void *ctx, char *err,
	size_t errlen);
/* remove: take everything out of the kernel; else leave it to the next one. */
/*
 * ESP between home addresses goes from src to dst on the wire (or not any
 * more): errors that quote it are ours, the kernel looks for the SA by the
 * addresses of the wire and does not find it.
 */
void ro_kernel_wire(
	struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst, bool on);
/* With by_sa: what the home address sends goes through the tunnel, or, at home, not. */
int ro_kernel_away(struct ro_kernel *k, bool away);
void ro_kernel_close(struct ro_kernel *k, bool remove);

extern const struct ro_ops ro_kernel_ops; /* their context is the struct ro_kernel */
/* For mn_ops.ro_watch: traffic of this peer is told, or not (any more). */
int ro_kernel_watch(struct ro_kernel *k, const struct in6_addr *peer, bool on);

struct ro_kernel_stats {
	uint64_t reports, errors, mtu_set, mtu_ignored, traffic;
};
void ro_kernel_stats(const struct ro_kernel *k, struct ro_kernel_stats *s);

#endif
