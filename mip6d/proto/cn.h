/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Correspondent node (RFC 6275 section 9): answers Home Test Init and Care-of
 * Test Init without keeping state, judges Binding Updates by their
 * authenticator (or by a Kbm that the pair shares, RFC 4449), and keeps the
 * Binding Cache.  Every node is one: correspondent, mobile node (which is the
 * correspondent of other mobile nodes, at home and away) and home agent.
 * Requirements M3, M7.
 */
#ifndef PROTO_CN_H
#define PROTO_CN_H

#include "lib/icmp6_error.h"
#include "lib/mh.h"
#include "lib/rr.h"
#include "mip6/env.h"

struct cn_config {
	uint32_t max_bindings; /* the whole cache; 0: CN_DEFAULT_BINDINGS */
	uint32_t
		max_lifetime_s; /* granted at most; MAX_RR_BINDING_LIFETIME (420 s) is the limit with RR */
	uint32_t max_shared_lifetime_s; /* the same for a shared Kbm, 0: as asked for */
	bool refresh; /* ask for a refresh (BRR) of a binding in use that is about to expire */
	/* Whoever may have bindings here: RFC 6275 leaves that to policy.  NULL: everybody. */
	bool (*allowed)(void *ctx, const struct in6_addr *local, const struct in6_addr *home);
	void *allowed_ctx;
	/* Is it an address of this node?  NULL: only the one that the packet was sent to is known. */
	bool (*is_ours)(void *ctx, const struct in6_addr *addr);
	void *is_ours_ctx;
};

#define CN_DEFAULT_BINDINGS 10000

/* What the correspondent asks of the kernel and its memory, beside struct ro_ops. */
struct cn_store_ops {
	/*
	 * The last sequence number of a pair with a shared Kbm (RFC 4449 3: MUST be kept),
	 * on disk when this returns.  Or NULL.
	 */
	void (*sequence_put)(
		void *ctx, const struct in6_addr *local, const struct in6_addr *home, uint16_t seq);
	void *ctx;
};

struct cn; /* opaque */

/* NULL: out of memory.  ro and its context must live longer; store is copied, and may be NULL. */
struct cn *cn_new(const struct cn_config *config, const struct mip6_env *env,
	const struct ro_ops *ro, void *ro_ctx, const struct cn_store_ops *store);
/* Wipes keys, frees memory; the kernel's state stays (see cn_withdraw). */
void cn_free(struct cn *cn);
/* Remove all bindings, so that nothing stays in the kernel; from then on packets are ignored. */
void cn_withdraw(struct cn *cn);

/*
 * Is this one for the correspondent's part of a node that is something else as
 * well: HoTI, CoTI, a Binding Update without the H flag.  A home agent takes
 * such a Binding Update itself where it has a home registration (9.5.1, 139).
 */
bool cn_wants(const struct mip6_packet *p);
/*
 * A Mobility Header, its checksum verified.  Unknown types are answered with a
 * Binding Error and malformed ones counted (9.2) when it is given all that
 * arrives; other types of other parts are ignored.
 */
void cn_receive_mh(struct cn *cn, const struct mip6_packet *p);
/*
 * The kernel dropped a packet because of its Home Address option (9.3.1):
 * source and option as on the wire.  Answered with a rate-limited Binding
 * Error, unless there is such a binding by now.
 */
void cn_unverified_home_address(struct cn *cn, const struct in6_addr *local,
	const struct in6_addr *home, const struct in6_addr *care_of);
/* 9.3.4: persistent Destination Unreachable for a care-of address deletes the binding. */
void cn_icmp_error(struct cn *cn, const struct icmp6_error *e);

/*
 * RFC 4449: home is the peer's home address.  seq: the last one seen, -1: none
 * but what was seen here with the same s.  s is copied; NULL: forget.  A
 * binding that was authorized otherwise is deleted.  -EEXIST: another home
 * address has this Kcn (section 4); -EINVAL: Kcn shorter than 20 octets, a
 * nonce missing or too long.
 */
int cn_shared_set(struct cn *cn, const struct in6_addr *local, const struct in6_addr *home,
	const struct rr_shared *s, int seq);
/*
 * From now on it is good for taking bindings back alone, the one that is there is gone; until
 * cn_shared_set().  What asks for another binding is refused (129).
 */
void cn_shared_close(struct cn *cn, const struct in6_addr *local, const struct in6_addr *home);

/* The care-of address of a binding, and false when there is none (for sending by a type 2 routing header). */
bool cn_care_of(const struct cn *cn, const struct in6_addr *local, const struct in6_addr *home,
	struct in6_addr *care_of);

struct cn_binding_info {
	struct in6_addr local, home_address, care_of;
	uint16_t seq;
	uint32_t lifetime_s, remaining_s, age_s, moves;
	bool shared; /* authorized by a shared Kbm */
};
size_t cn_count(const struct cn *cn);
void cn_foreach(
	const struct cn *cn, bool (*fn)(void *arg, const struct cn_binding_info *i), void *arg);
/* By hand (mip6ctl): local :: for all; returns how many. */
size_t cn_remove(struct cn *cn, const struct in6_addr *local, const struct in6_addr *home);

struct cn_stats {
	uint64_t hoti_received, hot_sent, coti_received, cot_sent, tests_limited, bu_received,
		ba_sent, bu_accepted, moves, deregistrations, expirations, evicted, be_sent,
		be_limited, brr_sent, malformed, unknown_type, bad_authenticator, nonce_expired,
		refused;
};
const struct cn_stats *cn_stats(const struct cn *cn);

#endif
