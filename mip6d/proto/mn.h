/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile node: movement detection (RFC 6275 11.5), care-of addresses (11.5.3,
 * RFC 4429), home registration, refresh, de-registration and returning home
 * (11.7.1, 11.7.3, 11.5.5, 11.8).  Requirement M2.
 */
#ifndef PROTO_MN_H
#define PROTO_MN_H

#include "lib/addr.h"
#include "lib/icmp6.h"
#include "lib/icmp6_error.h"
#include "lib/mh.h"
#include "lib/rr.h"
#include "mip6/env.h"

struct cn;

#define MN_MAX_INTERFACES 16
#define MN_MAX_INTERNAL 16

struct mn_interface_config {
	int ifindex;
	int preference; /* higher wins; the home link wins over all */
};

enum mn_uplink {
	MN_UPLINK_OPTIMISTIC, /* data right behind the Binding Update */
	MN_UPLINK_CAUTIOUS, /* data after the Binding Acknowledgement */
};

/* A mobile router (RFC 3963 5); n_networks 0: a mobile host. */
struct mn_router_config {
	bool explicit_mode; /* tell the home agent the prefixes; else it knows them (5.2) */
	size_t n_networks;
	struct ip6_prefix networks[MIP6_MAX_NETWORKS];
};

struct mn_config {
	struct in6_addr home_address;
	struct ip6_prefix home_prefix;
	struct in6_addr home_agent; /* with discover, :: until one is known */
	bool discover; /* Dynamic Home Agent Address Discovery (RFC 6275 11.4.1) */
	uint32_t lifetime_s; /* asked for; a multiple of 4 */
	enum mn_uplink uplink;
	/* At home data waits for the Acknowledgement: until then the home agent takes nothing of it in clear. */
	bool clear_waits;
	bool optimistic_dad; /* care-of addresses are used while DAD runs */
	bool eager; /* a router with other prefixes is a move even while the old one answers */
	bool random_iid; /* care-of addresses with random instead of EUI-64 interface identifiers */
	/*
	 * Another daemon moves the tunnel (IKEv2 with MOBIKE, RFC 4555; requirement T15): no registration.
	 * home_address is the tunnel's inner address and may be ::, home_agent the gateway and is only shown.
	 */
	bool foreign_tunnel;
	bool require_ipsec; /* ignore answers that are not MIP6_PKT_PROTECTED */
	bool path_stays; /* at a stop, until mn_end(): others say good-bye to the home agent behind the binding */
	uint32_t hold_ms; /* hold what is sent while there is no place to send from, at most so long */
	/* InitialBindackTimeoutFirstReg (RFC 6275 13: MUST be configurable); 0: 1500 ms */
	uint32_t first_registration_timeout_ms;
	/* RTR_SOLICITATION_INTERVAL (RFC 4861 6.3.7: SHOULD be at least 4 s); 0: 4000 ms */
	uint32_t solicit_interval_ms;
	/* believe Binding Revocations and Home Agent Switch messages without IPsec: anybody may forge them */
	bool unprotected_signals;
	struct mh_heartbeat_config heartbeat; /* asked of the home agent (RFC 5847) */
	uint32_t restart_counter; /* RFC 5847 3.2: grew when this node last lost its state */
	const char *identifier; /* user@realm, told to the home agent (RFC 4283); NULL: none; borrowed */
	struct mn_router_config router;
	size_t n_internal; /* prefixes that give no care-of addresses: of an intranet (doc/vcm.md) */
	struct ip6_prefix internal[MN_MAX_INTERNAL];
	size_t n_interfaces;
	struct mn_interface_config interfaces[MN_MAX_INTERFACES];
};

/*
 * Route optimization (RFC 6275 11.6, 11.7.2; requirement M4).  The first rule
 * whose prefix has the correspondent decides; without one it is never.
 */
enum mn_ro_when {
	MN_RO_NEVER, /* the location stays private (11.7.2) */
	MN_RO_ALWAYS, /* from the first packet on */
	MN_RO_AFTER, /* when `packets` went by faster than `per_s` a second; the kernel counts */
};
struct mn_ro_rule {
	struct ip6_prefix prefix;
	enum mn_ro_when when;
	uint32_t packets, per_s; /* MN_RO_AFTER; per_s 0: at any speed */
};
#define MN_RO_MAX_RULES 64
#define MN_RO_DEFAULT_CORRESPONDENTS 256

struct mn_ro_config {
	size_t n_rules;
	struct mn_ro_rule rules[MN_RO_MAX_RULES];
	uint32_t max_correspondents; /* entries of the Binding Update List; 0: the default */
	uint32_t lifetime_s; /* asked for; 0: 420, MAX_RR_BINDING_LIFETIME */
	uint32_t idle_s; /* without traffic so long a binding is not refreshed; 0: 60 */
};

struct mn; /* opaque */

struct mn *mn_new(const struct mn_config *config, const struct mip6_env *env,
	const struct mn_ops *ops, void *ops_ctx);
void mn_free(struct mn *mn);

/*
 * What was stored before a restart: the home agent may still hold this
 * binding.  With remaining_s 0 only the sequence number counts.
 */
void mn_restore(struct mn *mn, const struct in6_addr *care_of, uint16_t seq, uint32_t remaining_s);

/*
 * An interface has carrier and is up (again), or not.  mac is 6 octets (NULL:
 * as before).  A second "up" without a "down" between means that the interface
 * says it may be on another link.  Solicitation starts at once.  link_local is
 * whether there is a usable link-local address; when there is none yet the
 * solicitation has the unspecified source (RFC 4861 4.1), and a later call in
 * which link_local becomes true is no news of a move.  Which address it is,
 * and its state, is told by mn_address_event().
 */
void mn_link_event(struct mn *mn, int ifindex, bool up, const uint8_t *mac, bool link_local);
/* ICMPv6 (RA, NA) arrived on a managed interface; hop limit and source are judged in here. */
void mn_receive_icmp6(struct mn *mn, const struct mip6_packet *p);
void mn_receive_mh(struct mn *mn, const struct mip6_packet *p);
enum mn_address_state {
	MN_ADDR_TENTATIVE, /* not usable yet */
	MN_ADDR_USABLE_OPTIMISTIC, /* DAD still runs, RFC 4429 */
	MN_ADDR_READY,
	MN_ADDR_DUPLICATE,
	MN_ADDR_REMOVED, /* somebody else took it away */
};
/* For care-of addresses, the home address, and link-local addresses (fe80::/10) of managed interfaces. */
void mn_address_event(struct mn *mn, int ifindex, const struct in6_addr *addr, enum mn_address_state s);
/* The kernel's Neighbor Unreachability Detection gave up on a neighbour, or reached it again (which is no news here). */
void mn_neighbour_event(struct mn *mn, int ifindex, const struct in6_addr *addr, bool reachable);

/*
 * foreign_tunnel: the tunnel's end is at care_of now (NULL: there is no
 * tunnel), so what waited for that can leave.
 */
void mn_tunnel_moved(struct mn *mn, const struct in6_addr *care_of);
/* foreign_tunnel: is there one that ends where packets can leave from? */
bool mn_tunnel_usable(struct mn *mn);
/* foreign_tunnel: the inner address and the gateway, as negotiated. */
void mn_tunnel_is(struct mn *mn, const struct in6_addr *inner, const struct in6_addr *gateway);

/*
 * Tell the home agent to forget the binding (a clean stop while away:
 * de-registration with the care-of address as source, RFC 6275 11.7.1), and
 * stop.  Runs until mn_idle(); at the most a few seconds.
 */
void mn_shutdown(struct mn *mn);
bool mn_idle(const struct mn *mn);
/* Behind mn_idle(), with path_stays: addresses and routes go. */
void mn_end(struct mn *mn);

/* ---- route optimization ---- */

/*
 * Turns route optimization on.  ro and cn are borrowed; cn, the correspondent
 * part of this node, may be NULL: it tells the care-of addresses of peers that
 * are mobile themselves.  To be called before the first event.
 */
int mn_ro_enable(struct mn *mn, const struct mn_ro_config *config, const struct ro_ops *ro, void *ro_ctx,
	struct cn *cn);
/* Data between the home address and peer, beyond the thresholds of its rule (see mn_ops.ro_watch). */
void mn_traffic(struct mn *mn, const struct in6_addr *peer);
/* An ICMPv6 error that quotes a packet of ours (11.3.5, 11.6.2). */
void mn_icmp_error(struct mn *mn, const struct icmp6_error *e);
/* RFC 4449: no return routability with this peer.  seq: last one used, or -1.  s is copied; NULL: forget. */
int mn_shared_set(struct mn *mn, const struct in6_addr *peer, const struct rr_shared *s, int seq);

/* A packet that was known to be genuine has come to the home address by the home agent. */
void mn_home_agent_heard(struct mn *mn);

/* By hand (mip6ctl): start now and keep, or end and do not start again; flush: forget, rules decide anew. */
enum mn_ro_command { MN_RO_ON, MN_RO_OFF, MN_RO_FLUSH };
int mn_ro_command(struct mn *mn, const struct in6_addr *peer, enum mn_ro_command c); /* 0, -ENOENT, -ENOSPC, -EINVAL */
/* The same, not by hand: why, a string constant, is what events say of it. */
int mn_ro_because(
	struct mn *mn, const struct in6_addr *peer, enum mn_ro_command c, const char *why);

/*
 * What leaves by way of the home address has just lost a place of its own:
 * where there is no path, data is held for the next one as if it had been lost
 * just now.
 */
void mn_wait(struct mn *mn);

/*
 * All that goes to this peer is ESP, which it takes from whatever care-of
 * address it comes (V10): at a move what goes directly leaves from the new one
 * at once, before the peer has a binding for it.  For a peer that there is;
 * until it is taken back, or there is no peer any more.
 */
void mn_ro_sealed(struct mn *mn, const struct in6_addr *peer, bool on);
/*
 * A Binding Update of this peer was accepted here: it is there, and so is the
 * way to it.  What it has not acknowledged to us, or answered of tests, is said
 * again at once.
 */
void mn_ro_heard(struct mn *mn, const struct in6_addr *peer);

enum mn_ro_state {
	MN_RO_IDLE, /* known, and nothing to do: by rule or by hand, or at home with nothing registered */
	MN_RO_TESTING, /* return routability is under way */
	MN_RO_UPDATING, /* BU sent, no answer yet */
	MN_RO_BOUND,
	MN_RO_DELETING, /* BU with lifetime 0 sent, or its test is under way */
	MN_RO_REFUSED, /* does not support it, does not answer, or refused; tried again later */
};
const char *mn_ro_state_name(enum mn_ro_state s);

struct mn_ro_info {
	struct in6_addr peer, care_of; /* care_of: the one registered there, :: none */
	enum mn_ro_state state;
	bool direct; /* what we send takes the direct path now */
	bool shared; /* Kbm by RFC 4449 */
	bool manual_on, manual_off;
	int64_t home_token_age_s, care_of_token_age_s; /* -1: there is none */
	uint16_t seq;
	uint32_t lifetime_s, remaining_s;
	int last_status; /* of the last BA, -1: none yet */
	uint32_t updates; /* BUs sent */
	int64_t next_ms; /* until the next thing happens by itself; -1: nothing is due */
};
void mn_ro_foreach(const struct mn *mn, bool (*fn)(void *arg, const struct mn_ro_info *i), void *arg);
size_t mn_ro_count(const struct mn *mn);

enum mn_location { MN_NOWHERE, MN_AT_HOME, MN_AWAY };
enum mn_registration {
	MN_REG_NONE,
	MN_REG_PENDING, /* BU sent, no answer yet, no binding that we know of */
	MN_REG_REGISTERED,
	MN_REG_REFRESHING, /* BU sent, an older binding still lives */
	MN_REG_DEREGISTERING,
	MN_REG_REFUSED, /* tried again after a while */
};
const char *mn_registration_name(enum mn_registration r);

struct mn_info {
	enum mn_location location;
	enum mn_registration registration;
	struct in6_addr home_address, home_agent, care_of; /* care_of :: when nowhere */
	int ifindex;
	struct in6_addr router;
	uint16_t seq;
	uint32_t lifetime_s, remaining_s;
	int64_t refresh_in_ms; /* -1: none due */
	int64_t retransmit_in_ms; /* -1: none due */
	uint32_t moves, retransmissions;
	int last_status; /* of the last BA, -1: none yet */
	const struct mn_router_config *mobile_router; /* NULL: a mobile host */
	bool router_refused; /* no home agent serves its networks; it does not register any more */
	uint32_t barred_for_s; /* the binding was revoked: no registration for so long */
	bool leaving; /* this home agent, for another one */
	bool agent_lost; /* it does not answer heartbeats */
};
void mn_info(const struct mn *mn, struct mn_info *i);

struct mn_link_info {
	int ifindex, preference;
	bool up, current, home;
	struct in6_addr router, care_of; /* :: when none */
	enum mn_address_state address_state;
	const char *state; /* "down", "soliciting", "attached", "probing" */
};
void mn_foreach_link(const struct mn *mn, bool (*fn)(void *arg, const struct mn_link_info *i), void *arg);

/*
 * Another preference for an interface, from now on; the node moves when
 * another one is better by that.  For whoever knows more of the links than
 * their order in the configuration: before the one in use is lost, so that no
 * packet is.  False: no such interface.
 */
bool mn_prefer(struct mn *mn, int ifindex, int preference);

/* What discovery has told of home agents, in the order of preference (RFC 6275 11.4.1). */
enum mn_candidate_state {
	MN_CANDIDATE_UNTRIED,
	MN_CANDIDATE_TRIED, /* a registration is under way */
	MN_CANDIDATE_FAILED, /* refused, or does not answer */
	MN_CANDIDATE_REGISTERED,
};
const char *mn_candidate_state_name(enum mn_candidate_state s);
struct mn_candidate {
	struct in6_addr addr;
	enum mn_candidate_state state;
};
void mn_foreach_candidate(
	const struct mn *mn, bool (*fn)(void *arg, const struct mn_candidate *c), void *arg);

/* The prefixes of the home link, the one in use first (11.4.3). */
struct mn_home_prefix_info {
	struct ip6_prefix prefix;
	struct in6_addr home_address; /* in use, or the one this node would have there */
	bool in_use;
	bool known; /* an advertisement told the lifetimes */
	uint32_t preferred_s, valid_s; /* from now on; UINT32_MAX: for ever; 0: over */
};
void mn_foreach_home_prefix(
	const struct mn *mn, bool (*fn)(void *arg, const struct mn_home_prefix_info *i), void *arg);

struct mn_stats {
	uint64_t ra_received, rs_sent, bu_sent, bu_retransmitted, ba_received, ba_accepted, ba_refused,
		ba_ignored, moves, malformed, unknown_type, dad_failures, unprotected;
	/* revocation, heartbeats, change of home agent */
	uint64_t revocation_received, revoked, switch_received, heartbeats_sent, heartbeats_answered,
		heartbeats_ignored, peer_lost, peer_restarted, signals_ignored;
	/* discovery of home agents and prefixes */
	uint64_t discovery_sent, discovery_received, discovery_ignored,
		prefix_solicitations, prefix_advertisements, prefix_ignored;
	/* route optimization */
	uint64_t hoti_sent, coti_sent, hot_received, cot_received, tests_ignored, cbu_sent, cba_received,
		be_received, brr_received, ro_refused;
};
const struct mn_stats *mn_stats(const struct mn *mn);

#endif
