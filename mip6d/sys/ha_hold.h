/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnelled packets that came before their binding.  The data of a node that
 * has moved is right behind its Binding Update and may overtake our work on
 * it.  Such packets wait a moment; those whose pair of addresses is in order
 * by then go on, all others are dropped (RFC 6275 10.4.5).
 *
 * What strangers can make us hold is bounded: in number, in time, and per
 * outer source.
 */
#ifndef SYS_HA_HOLD_H
#define SYS_HA_HOLD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ha_hold; /* opaque */
struct sys_loop;

#define HA_HOLD_PACKETS 1024
#define HA_HOLD_PER_SOURCE 256
#define HA_HOLD_MS 200

struct ha_hold_stats {
	uint64_t held; /* had to wait, or would have had to */
	uint64_t released; /* their binding came in time */
	uint64_t dropped; /* it did not, or there was no room */
};

/* registered: is inner a home address, or in a network, whose care-of address is care_of? */
typedef bool ha_hold_registered_fn(
	void *arg, const struct in6_addr *care_of, const struct in6_addr *inner);
struct ha_hold *ha_hold_open(
	struct sys_loop *loop, ha_hold_registered_fn *registered, void *arg, int *err);
void ha_hold_close(struct ha_hold *h);
/* The pair of care-of address and the first plen bits of inner is in force now: let go what waits for it. */
void ha_hold_release(struct ha_hold *h, const struct in6_addr *care_of,
	const struct in6_addr *inner, uint8_t plen);
const struct ha_hold_stats *ha_hold_stats(const struct ha_hold *h);

/*
 * Outer source and inner source of an IPv6-in-IPv6 packet, behind any
 * hop-by-hop, destination, routing and first fragment headers.
 */
bool ha_hold_addresses(
	const uint8_t *data, size_t len, struct in6_addr *outer, struct in6_addr *inner);

#endif
