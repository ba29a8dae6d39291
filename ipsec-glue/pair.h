/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of SAs with manual keys beside those of home registrations: the
 * tunnel between a home address and a security gateway, and what a node or a
 * gateway has with the VCM (doc/vcm.md).  Sequence numbers, taking over after
 * a crash and mending are those of the glue; it may be one without nodes
 * (manager manual, keys, replay_window, and the sequence_* and notice
 * callbacks are all that it needs then).
 *
 * Policies are the caller's.  ipsec_glue_nodes() and ipsec_glue_sas() show
 * pairs as well, with local and peer for home_address and home_agent.
 */
#ifndef GLUE_PAIR_H
#define GLUE_PAIR_H

#include "ipsec-glue/glue.h"

struct ipsec_pair {
	enum ipsec_use use; /* IPSEC_GATEWAY: tunnel mode; IPSEC_MANAGER: transport mode */
	struct in6_addr local, peer;
	uint32_t reqid; /* of both SAs; 0: that of ipsec_glue_pair_reqid() */
	bool has_sel; /* the one that receives is good for packets of sel only */
	struct ipsec_selector sel;
};

/*
 * Both SAs are there when this returns, those of a predecessor go on.
 * -ENOKEY: the key file has none for it; -EEXIST: another one's reqid.  Adding
 * what is there is fine.
 */
int ipsec_glue_pair_add(struct ipsec_glue *g, const struct ipsec_pair *pair);
/* They are removed, and what they have sent and received is remembered; -ENOENT. */
int ipsec_glue_pair_del(struct ipsec_glue *g, enum ipsec_use use, const struct in6_addr *local,
	const struct in6_addr *peer);
/* What the templates of policies must name; 0: there is no such pair. */
uint32_t ipsec_glue_pair_reqid(const struct ipsec_glue *g, enum ipsec_use use,
	const struct in6_addr *local, const struct in6_addr *peer);
/* What it has sent and received, in packets; false: an SA is missing. */
bool ipsec_glue_pair_counters(struct ipsec_glue *g, enum ipsec_use use, const struct in6_addr *local,
	const struct in6_addr *peer, uint64_t *in, uint64_t *out);

#endif
