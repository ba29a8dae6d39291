/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the home address sends while there is no place to send it from.
 *
 * Packets of a held address wait in a kernel packet queue on their way out,
 * before they were encapsulated or left for a neighbour.  When they are let
 * go, their mark changes, and the kernel routes them again: they leave as
 * the routes are then, through the tunnel from the new care-of address or
 * natively at home.  A queueing discipline on the tunnel device (`plug`)
 * could do the first but not the second.
 *
 * What the networks of a mobile router send waits in the same queue, but
 * before it was routed the first time (mn_networks.h has the rules).
 *
 * An internal address (doc/vcm.md) outside leaves by way of the home address.
 * So what it sends waits as well, in a queue of its own, which is let go also
 * when the node finds that it is inside.
 *
 * Back on the home link a node answers for its home address from its Binding
 * Update on (RFC 6275 11.5.5), and neighbours that ask just then send to it in
 * clear before the Acknowledgement has made it believe that this is home.
 * IPsec policies of outside would drop that: what arrives in clear waits as
 * well, until the hold ends, and is then judged by the policies as they are.
 *
 * Mobility Headers and Neighbor Discovery pass: they are what ends the hold.
 * So does ESP, which they become when they are protected.
 */
#ifndef SYS_MN_HOLD_H
#define SYS_MN_HOLD_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mn_hold; /* opaque */
struct nlreq;
struct sys_loop;

#define MN_HOLD_PACKETS 4096 /* at most; a burst of a TCP sender counts as one */

struct mn_hold_stats {
	uint64_t held, released, dropped;
};

/*
 * Loads the packet filter's rules, and forgets holds of a predecessor.  links:
 * interfaces of the networks, as long as the hold lives.  NULL with the
 * reason in err.
 */
struct mn_hold *mn_hold_open(struct sys_loop *loop, struct nlreq *nf,
	const struct in6_addr *home_address, const char (*links)[IFNAMSIZ], size_t n_links,
	char *err, size_t errlen);
/* remove: the rules too; else they stay, and what is held is lost. */
void mn_hold_close(struct mn_hold *h, bool remove);

/* An internal address as well; until told otherwise its node is inside, and it does not wait. */
int mn_hold_internal(
	struct mn_hold *h, const struct in6_addr *internal, char *err, size_t errlen);
/* Outside its packets wait whenever those of the home address do; what waits leaves when it is inside. */
int mn_hold_outside(struct mn_hold *h, bool outside);
/* Another home address from now on; what is held is held for it as well. */
int mn_hold_address(struct mn_hold *h, const struct in6_addr *home_address);
int mn_hold_start(struct mn_hold *h);
/* What arrives in clear waits as well from now on, or no longer.  While nothing is held: harmless. */
int mn_hold_arriving(struct mn_hold *h, bool on);
/* IKE of the home address passes from now on: it makes the SAs that others wait for. */
int mn_hold_pass_ike(struct mn_hold *h, char *err, size_t errlen);
bool mn_hold_holding(const struct mn_hold *h);
/* End it: what waits leaves, or with drop is dropped.  Harmless when nothing is held. */
int mn_hold_end(struct mn_hold *h, bool drop);
const struct mn_hold_stats *mn_hold_stats(const struct mn_hold *h);

#endif
