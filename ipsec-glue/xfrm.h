/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM route-optimization states and policies: what makes the kernel put in,
 * take off and accept the Home Address option (RFC 6275 6.3) and the type 2
 * routing header (6.4).  Addresses are those of the home level but for
 * care_of.
 *
 * All of them have fixed selectors and priorities (marks.h), so whoever comes
 * after a killed daemon sets the same ones again, or removes them, without
 * looking.  Setting is idempotent; removing what is not there is no error.
 */
#ifndef GLUE_XFRM_H
#define GLUE_XFRM_H

#include <netinet/in.h>
#include <stdint.h>

struct nlreq; /* of NETLINK_XFRM */
struct nl_msg;

/* Accept Mobility Headers behind a Home Address option, from anybody; and ESP behind one. */
int xfrm_accept_hao(struct nlreq *x);
int xfrm_refuse_hao(struct nlreq *x);
/*
 * Accept ICMPv6 for dst behind a Home Address option if the packet filter has
 * given it this mark.  Needs xfrm_accept_hao() as well.
 */
int xfrm_accept_icmp6(struct nlreq *x, const struct in6_addr *dst, uint32_t mark);
int xfrm_refuse_icmp6(struct nlreq *x, const struct in6_addr *dst, uint32_t mark);
/* Accept Mobility Headers behind a type 2 routing header for home_address; and ESP behind one. */
int xfrm_accept_rh2(struct nlreq *x, const struct in6_addr *home_address);
int xfrm_refuse_rh2(struct nlreq *x, const struct in6_addr *home_address);

/*
 * Binding Updates from home_address to peer leave from care_of with a Home
 * Address option.  Moves an existing path; sockets with cached bundles follow.
 */
int xfrm_bu_path_set(struct nlreq *x, const struct in6_addr *home_address,
	const struct in6_addr *peer, const struct in6_addr *care_of);
int xfrm_bu_path_del(
	struct nlreq *x, const struct in6_addr *home_address, const struct in6_addr *peer);
/*
 * What else the mobile node says to its home agent takes the same path:
 * Binding Revocation Acknowledgements (RFC 5846), Heartbeats (RFC 5847) and
 * Mobile Prefix Solicitations, whose answers come behind a type 2 routing
 * header (RFC 6275 6.7, 6.8).
 */
int xfrm_signal_path_set(
	struct nlreq *x, const struct in6_addr *home_address, const struct in6_addr *home_agent);
int xfrm_signal_path_del(
	struct nlreq *x, const struct in6_addr *home_address, const struct in6_addr *home_agent);
/* Remove the Binding Update paths of home_address to everybody. */
int xfrm_bu_path_flush(struct nlreq *x, const struct in6_addr *home_address);

/* ---- builders, for the above and for tests ---- */

struct xfrm_ro_state {
	struct in6_addr src, dst, care_of;
	uint8_t proto; /* IPPROTO_DSTOPTS or IPPROTO_ROUTING */
	int wildcard; /* for receiving, whatever the addresses */
};
struct nl_msg *xfrm_state_msg(int type, const struct xfrm_ro_state *s); /* XFRM_MSG_NEWSA, UPDSA */
struct nl_msg *xfrm_state_del_msg(const struct xfrm_ro_state *s);
/* Adds or moves a state that is not wildcard. */
int xfrm_state_set(struct nlreq *x, const struct xfrm_ro_state *s);

struct xfrm_ro_policy {
	struct in6_addr src, dst; /* :: matches all */
	uint8_t dir; /* XFRM_POLICY_IN, _OUT */
	uint8_t proto;
	int mh_type; /* or ICMPv6 type; -1: any */
	uint32_t priority;
	uint32_t mark; /* bits that the packet must bear; 0: whatever it bears */
	int n_templates; /* all of them accept plain packets too if dir is in */
	uint8_t templates[2]; /* IPPROTO_DSTOPTS, IPPROTO_ROUTING */
};
struct nl_msg *xfrm_policy_msg(const struct xfrm_ro_policy *p); /* adds or replaces */
struct nl_msg *xfrm_policy_del_msg(const struct xfrm_ro_policy *p);

#endif
