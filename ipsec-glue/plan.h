/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be done to SAs and policies when a mobile node's binding comes,
 * moves or goes; and what should be there.  Pure: everything is a list of
 * operations (include/mip6/ipsec.h), for whoever carries them out.
 *
 * doc/ipsec.md has the table of policies.  RFC 3776 4, RFC 4877 4.
 */
#ifndef GLUE_PLAN_H
#define GLUE_PLAN_H

#include "mip6/ipsec.h"

#define IPSEC_MAX_NETWORKS 16 /* prefixes of one mobile router */

/*
 * A mobile node and its home agent, seen from one of them.  Those who plan
 * read it; ipsec_node_bound() and its like say what was carried out.
 */
struct ipsec_node {
	bool at_home_agent; /* we are the home agent */
	enum ipsec_arrangement arrangement;
	bool payload; /* all that goes through the tunnel, not only HoTI and HoT */
	bool ike; /* an IKE daemon makes the SAs and has to hear of moves */
	struct in6_addr home_address, home_agent;
	uint32_t reqid[IPSEC_USES];
	size_t n_networks;
	struct ip6_prefix networks[IPSEC_MAX_NETWORKS];
	/* In force: */
	bool was_bound; /* there are policies of the tunnel */
	bool bound; /* and they demand it: away, or a binding */
	struct in6_addr care_of; /* where the tunnel SAs end, if that is a care-of address; :: there are none yet */
	bool sourced; /* mobile node: there is a state of the Home Address option */
	struct in6_addr source;
	uint32_t spi_out; /* of the tunnel SA that sends; 0: none is known */
	uint32_t spi_signal; /* and of that of signalling, with ike */
};

/* What all nodes share: Neighbor Discovery and groups of one link are never protected. */
void ipsec_plan_common(bool set, struct ipsec_plan *p);
/* Signalling is protected from now on, whoever asks. */
void ipsec_plan_install(const struct ipsec_node *n, struct ipsec_plan *p);
/*
 * The tunnel ends at care_of: for the first time, again, or moved there.
 */
void ipsec_plan_bind(const struct ipsec_node *n, const struct in6_addr *care_of, struct ipsec_plan *p);
/* At home: what arrives by the tunnel is still taken, nothing is sent by it any more; care_of is the home address then. */
void ipsec_plan_unbind(const struct ipsec_node *n, struct ipsec_plan *p);
/* A mobile router's networks become these. */
void ipsec_plan_networks(const struct ipsec_node *n, const struct ip6_prefix *networks, size_t n_networks,
	struct ipsec_plan *p);
/* Mobile node: what it says to the home agent leaves from care_of with a Home Address option; NULL: without. */
void ipsec_plan_source(const struct ipsec_node *n, const struct in6_addr *care_of, struct ipsec_plan *p);
/* All policies and states away; SAs are the caller's. */
void ipsec_plan_remove(const struct ipsec_node *n, struct ipsec_plan *p);
/* All policies and states as they should be: POLICY_SET and RO_SET. */
void ipsec_plan_wanted(const struct ipsec_node *n, struct ipsec_plan *p);

/* Where the SA of this use and direction begins and ends (outbound: out). */
void ipsec_node_ends(const struct ipsec_node *n, enum ipsec_use use, bool out, struct in6_addr *src, struct in6_addr *dst);

/* ---- two ends of a session (KERNEL.md E1): traffic between two inner prefixes, between two home addresses ---- */

struct ipsec_session {
	struct in6_addr local, peer; /* home addresses: the SAs' ends */
	struct ipsec_selector inner; /* from the local side to the peer's */
	uint32_t reqid_out;
	bool inside; /* the local side is: what comes may come as it is */
};

/*
 * Where the home agent is the gateway (embodiment 2) a direct path alone would
 * carry what is for the intranet in clear.  Outside this goes by the tunnel's
 * SA, or by a session's, and comes by one.
 */
struct ipsec_session_guard {
	struct in6_addr home_address, home_agent;
	uint32_t reqid; /* of the tunnel */
	size_t n_prefixes;
	const struct ip6_prefix *prefixes; /* of the intranet */
};
void ipsec_plan_session_guard(const struct ipsec_session_guard *g, bool on, struct ipsec_plan *p);

/* First what receives, then (once the peer has acknowledged) what sends. */
void ipsec_plan_session_in(const struct ipsec_session *s, struct ipsec_plan *p);
void ipsec_plan_session_out(const struct ipsec_session *s, struct ipsec_plan *p);
void ipsec_plan_session_end(const struct ipsec_session *s, bool in, bool out, struct ipsec_plan *p);

#endif
