/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM of the direct path between two addresses (RFC 6275 6.3, 6.4, 9.3,
 * 11.3.1).  Errors are negative errnos; removing what is not there is none.
 */
#ifndef GLUE_XFRM_PAIR_H
#define GLUE_XFRM_PAIR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct nlreq; /* of NETLINK_XFRM */

struct xfrm_pair_key {
	struct in6_addr local, peer;
};

/* What is in force for a pair. */
struct xfrm_pair {
	struct xfrm_pair_key key;
	struct in6_addr peer_care_of, own_care_of; /* ::: not in force */
	bool receive;
	bool by_sa; /* what comes through the tunnel comes through an SA */
	bool away; /* what local sends goes through that tunnel, unless own_care_of is in force */
};

/* Before anything is accepted: what all pairs share, and away with what was left. */
int xfrm_pair_open(struct nlreq *x);
int xfrm_pair_close(struct nlreq *x);
/* The pair's policies, from what is in force for it. */
int xfrm_pair_policies(struct nlreq *x, const struct xfrm_pair *p);
/*
 * States towards the peer's binding, and for our binding there; care_of NULL:
 * away with them.  *created is set when there was none: policies must be
 * written for sockets with cached routes to notice.
 */
int xfrm_pair_peer(struct nlreq *x, const struct xfrm_pair_key *p, const struct in6_addr *care_of,
	bool *created);
int xfrm_pair_own(struct nlreq *x, const struct xfrm_pair_key *p, const struct in6_addr *care_of,
	bool *created);
/* Seconds since either state was last used; -1: never. */
int64_t xfrm_pair_idle_s(struct nlreq *x, const struct xfrm_pair_key *p);

#endif
