/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Home agent: home registrations (RFC 6275 9.5, 10.3), Duplicate Address
 * Detection and proxying for home addresses (10.3.1, 10.4.1).  Requirement M1.
 */
#ifndef PROTO_HA_H
#define PROTO_HA_H

#include "lib/addr.h"
#include "lib/mh.h"
#include "lib/prefix_table.h"
#include "mip6/env.h"

struct ha_prefix {
	struct ip6_prefix prefix;
	uint32_t valid_s, preferred_s; /* UINT32_MAX: for ever */
	monotime_t since; /* they count from here; set by the home agent */
};

#define HA_MAX_PREFIXES 16

struct ha_config {
	struct in6_addr address;
	int home_ifindex; /* 0: virtual home link, so no DAD and no proxying */
	uint8_t home_lladdr[32]; /* of home_ifindex */
	size_t home_lladdr_len;
	size_t n_prefixes;
	struct ha_prefix prefixes[HA_MAX_PREFIXES];
	/* Home addresses that may register; n_allowed 0: every one of the home prefixes. */
	size_t n_allowed;
	const struct in6_addr *allowed; /* sorted by memcmp; owned by the configuration */
	/* The Prefix Table of mobile routers, sorted by prefix_row_cmp(); owned by the configuration. */
	size_t n_networks;
	const struct prefix_row *networks;
	uint32_t max_lifetime_s; /* granted at most; a multiple of 4; 0: no limit */
	/* 0: no Binding Refresh Advice option.  Nor is there one if ops->store_put is set (10.3.1). */
	uint32_t refresh_advice_s;
	uint32_t max_bindings; /* 0: no limit */
	bool optimistic; /* forward while DAD for the home address still runs */
	bool require_ipsec; /* refuse what is not MIP6_PKT_PROTECTED */
	struct mh_heartbeat_config heartbeat; /* asked of mobile nodes (RFC 5847) */
	uint32_t restart_counter; /* RFC 5847 3.2: grew when the bindings were last lost */
	struct { /* RFC 5846 11 */
		uint32_t retries; /* BRIMaxRetriesNumber */
		uint32_t timeout_ms, max_timeout_ms; /* InitMINDelayBRIs, MAX_BRACK_TIMEOUT */
	} revocation;
	uint16_t preference; /* among home agents (7.4); higher is better */
	/* MinMobPfxAdvInterval, MaxMobPfxAdvInterval (13); max 0: the defaults, 600 and 86400 */
	uint32_t min_prefix_interval_s, max_prefix_interval_s;
	uint32_t switch_rate; /* nodes asked in a second to switch; 0: 1, MAX-HA-SWITCH-TRANSMIT-RATE */
	/* Who may register, user@realm (RFC 4283); n_identifiers 0: whoever.  Sorted by strcmp; owned by the configuration. */
	size_t n_identifiers;
	char *const *identifiers;
};

struct ha; /* opaque */

/* config is copied (but not what `allowed` points to).  NULL when out of memory. */
struct ha *ha_new(const struct ha_config *config, const struct mip6_env *env,
	const struct ha_ops *ops, void *ops_ctx);
/* Frees memory only; the kernel's and the store's state stay for whoever comes next. */
void ha_free(struct ha *ha);

/*
 * A Mobility Header arrived, its checksum verified.  Everything else of 9.2,
 * 9.5.1, 10.3 happens in here.  An answer with an ifindex must leave there,
 * even when forwarding of its destination is set: the node is at home.
 */
void ha_receive_mh(struct ha *ha, const struct mip6_packet *p);
/*
 * An ICMPv6 message arrived: Router Advertisements of other home agents and,
 * while DAD runs, NS and NA of the home link; Home Agent Address Discovery
 * Requests; Mobile Prefix Solicitations.
 * Our own solicitations may come back, they are recognized.
 */
void ha_receive_icmp6(struct ha *ha, const struct mip6_packet *p);
/*
 * Take over a binding that was stored before a restart; no DAD, forwarding is
 * set again.  0, or -EINVAL: no sane record, -EACCES: not served any more by
 * this configuration, -ETIMEDOUT: expired, -EEXIST, -ENOMEM, or what
 * forward_set() said.  The store is left as it is, so drop what was not taken.
 */
int ha_restore(struct ha *ha, const struct ha_binding_record *r);
/*
 * The home link went down (ifindex 0) or came back, or its link-layer address
 * is another.  Proxying is asked for again, as the kernel may have dropped it.
 */
void ha_home_link(struct ha *ha, int ifindex, const uint8_t *lladdr, size_t lladdr_len);
/* Remove all forwarding and proxying (a clean stop); the store is left as it is. */
void ha_withdraw(struct ha *ha);

enum ha_binding_state {
	HA_BINDING_DAD, /* accepted when DAD ends well; forwarded meanwhile if `optimistic` */
	HA_BINDING_ACTIVE,
	HA_BINDING_INVALID, /* de-registered less than MAX_DELETE_BCE_TIMEOUT ago */
};

struct ha_binding_info {
	struct in6_addr home_address, care_of;
	enum ha_binding_state state;
	uint16_t seq, flags;
	uint32_t lifetime_s, remaining_s;
	uint32_t age_s; /* since the first registration */
	uint32_t moves;
	bool revoking, switching; /* the node was told, and has not answered yet */
	bool unreachable; /* does not answer heartbeats */
	const char *identifier; /* of the mobile node (RFC 4283), or NULL; as long as nothing changes */
	/* Prefixes of a mobile router that are forwarded to it; as long as nothing changes. */
	size_t n_networks;
	const struct ip6_prefix *networks;
};

size_t ha_count(const struct ha *ha); /* bindings that are not HA_BINDING_INVALID */
/* Calls fn for each, invalid ones too, until it returns false; fn changes nothing. */
void ha_foreach(struct ha *ha, bool (*fn)(void *arg, const struct ha_binding_info *i), void *arg);
bool ha_find(struct ha *ha, const struct in6_addr *home_address, struct ha_binding_info *i);
/* Remove one by hand (mip6ctl); false when there is none. */
bool ha_remove(struct ha *ha, const struct in6_addr *home_address);

/*
 * Tell the node that its binding is no more (RFC 5846), and end it when the
 * node has answered or too often has not.  0, -ENOENT: no binding, -EALREADY,
 * -EBUSY: too many at once, -ENOMEM.
 */
int ha_revoke(struct ha *ha, const struct in6_addr *home_address, uint8_t trigger);

/*
 * Ask the node to leave for one of these home agents, the best first, or for
 * one that it finds by itself (RFC 5142).  Repeated until it de-registers.
 * 0, -ENOENT: no binding, -E2BIG, -ENOMEM.
 */
#define HA_SWITCH_MAX_ADDRESSES 16
int ha_switch_node(struct ha *ha, const struct in6_addr *home_address,
	const struct in6_addr *addresses, size_t n);
/* The same of all that are bound now, one after the other at the configured rate. */
int ha_switch_all(struct ha *ha, const struct in6_addr *addresses, size_t n);

/* ---- discovery and prefixes (10.5, 10.6) ---- */

struct ha_agent_info {
	bool own; /* this home agent itself */
	struct in6_addr link_local; /* :: for our own */
	uint16_t preference;
	uint32_t lifetime_s; /* left; UINT32_MAX: for ever */
	bool mobile_routers; /* RFC 3963 7.1 */
	size_t n_addrs;
	const struct in6_addr *addrs; /* global; as long as nothing changes */
};
/* The Home Agents List, our own entry first; until fn returns false. */
void ha_foreach_agent(struct ha *ha, bool (*fn)(void *arg, const struct ha_agent_info *i), void *arg);
/* The home prefixes with what is left of their lifetimes; until fn returns false. */
void ha_foreach_prefix(struct ha *ha, bool (*fn)(void *arg, const struct ha_prefix *p), void *arg);
/*
 * Add a home prefix, or change its lifetimes (seconds from now, UINT32_MAX:
 * for ever); valid_s 0 ends it.  Bindings are shortened to what is left
 * (10.6.4), nodes are told at a random time (10.6.2).  0, -EINVAL: preferred
 * longer than valid or a length that no link has, -ENOENT: none to end,
 * -ENOSPC: HA_MAX_PREFIXES.
 */
int ha_set_prefix(
	struct ha *ha, const struct ip6_prefix *prefix, uint32_t valid_s, uint32_t preferred_s);

struct ha_stats {
	uint64_t bu_received, ba_sent, bu_accepted, registrations, moves, refreshes,
		deregistrations, expirations, dad_failures, malformed, unknown_type,
		refused[256 - 128], no_hao, unprotected;
	/* revocation, switch, heartbeats */
	uint64_t revocations_sent, revocations_answered, revocations_unanswered, switches_sent,
		heartbeats_sent, heartbeats_answered, heartbeats_received, peers_lost, peers_restarted,
		signals_ignored;
	/* discovery, prefixes */
	uint64_t discovery_requests, discovery_replies, discovery_ignored, prefix_solicitations,
		prefix_advertisements;
};
const struct ha_stats *ha_stats(const struct ha *ha);

#endif
