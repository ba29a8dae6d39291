/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VPN Connectivity Manager: contexts of mobile nodes, sessions of pairs,
 * keys (V6 to V9, V11 to V15).  Pure; sockets, store and audit log are the
 * daemon's (vcmd*.c).
 *
 * A session:
 *
 *   INVITED (asymmetric only) -> OFFERED -both READY-> DIRECT -> ENDING -> gone
 *                                   ^                    | REKEYING (next generation offered) |
 *                                   +-- spi-taken -------+------------------------------------+
 *
 * READY of one node is passed on at once, whatever the other does.
 */
#ifndef VCM_MANAGER_H
#define VCM_MANAGER_H

#include "vcm/exchange.h"

struct vcm_manager; /* opaque */

enum vcm_variant { VCM_SYMMETRIC, VCM_ASYMMETRIC };

struct vcm_policy { /* what applies to a pair */
	bool allowed;
	enum vcm_variant variant;
	const char *algorithm; /* must live as long as the manager */
	size_t key_len; /* octets, as ipsec_algorithm_key_len() */
	bool shared_key; /* one key for both directions; never with a counter mode */
	bool kcn; /* a shared secret for Binding Updates (V15) */
	uint32_t lifetime_s, linger_s;
};

struct vcm_manager_config {
	uint64_t epoch;
	size_t n_gateways;
	const struct in6_addr *gateways; /* who may REPORT */
	size_t max_contexts, max_sessions; /* 0: 200000, 100000 */
	uint32_t retry_s, retry_most_s; /* after a dead path, doubling; 0: 5, 300 */
	/* A node is known (it may be a mobile node of ours)?  NULL: whoever a gateway reports. */
	bool (*known)(void *ctx, const struct in6_addr *internal);
	/* For two internal addresses. */
	void (*policy)(void *ctx, const struct in6_addr *a, const struct in6_addr *b,
		struct vcm_policy *p);
};

enum vcm_session_state { VCM_S_INVITED, VCM_S_OFFERED, VCM_S_DIRECT, VCM_S_REKEYING, VCM_S_ENDING };
const char *vcm_session_state_name(enum vcm_session_state s);

/* What survives a restart.  Secrets are sealed by whoever stores them. */
struct vcm_context_record {
	struct in6_addr internal, home;
	bool outside, revoked;
	uint64_t epoch; /* the node's, as last known; 0: none */
	size_t n_correspondents;
	const struct in6_addr *correspondents;
};
struct vcm_session_record {
	uint64_t id; /* of 60 bits, not 0 */
	uint32_t generation;
	struct in6_addr a, b; /* a is the lower one */
	enum vcm_session_state state;
	bool ready_a, ready_b, active_a, active_b;
	enum vcm_variant variant;
	char algorithm[VCM_ALGORITHM_LEN];
	uint32_t lifetime_s, linger_s;
	uint64_t offered_at, ends_at; /* Unix time, seconds */
	uint32_t spi_a, spi_b; /* inbound at a, at b */
	/* Only until both are ready. */
	struct vcm_session_secrets {
		size_t key_len;
		uint8_t key_ab[VCM_KEY_MAX], key_ba[VCM_KEY_MAX];
		bool has_kcn;
		struct rr_shared kcn;
		uint8_t public_a[VCM_PUBLIC_LEN], public_b[VCM_PUBLIC_LEN], salt[VCM_SALT_LEN];
		bool has_public_a, has_public_b;
	} secrets;
};

struct vcm_audit { /* one line of the audit log; no secrets */
	const char *
		what; /* "session-offered", "session-direct", "session-ended", "node-outside", ... */
	uint64_t session;
	uint32_t generation;
	struct in6_addr a, b;
	struct in6_addr node; /* which of the two has said so; :: the manager itself */
	const char *text; /* reason, variant, algorithm; or NULL */
	uint32_t spi_a, spi_b;
	uint64_t packets_ab, packets_ba; /* when told at the end */
};

struct vcm_manager_ops {
	monotime_t (*now)(void *ctx);
	uint64_t (*wall)(void *ctx); /* Unix time, for records only */
	void (*random)(void *ctx, void *to, size_t n);
	int (*send)(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len);
	/*
	 * These return before what depends on them is sent; who collects changes
	 * holds the messages back until they are on disk.  Not 0: it is tried
	 * again, and nothing is said until then.
	 */
	int (*context_put)(void *ctx, const struct vcm_context_record *r);
	int (*context_del)(void *ctx, const struct in6_addr *internal);
	int (*session_put)(void *ctx, const struct vcm_session_record *r);
	int (*session_del)(void *ctx, uint64_t id);
	void (*audit)(void *ctx, const struct vcm_audit *a);
};

struct vcm_manager *vcm_manager_new(const struct vcm_manager_config *c,
	const struct vcm_manager_ops *ops, void *ctx, struct timerq *timers);
void vcm_manager_free(struct vcm_manager *m);
/* From the store, contexts first; then once vcm_manager_start(), which takes up what was under way. */
int vcm_manager_restore_context(struct vcm_manager *m, const struct vcm_context_record *r);
int vcm_manager_restore_session(struct vcm_manager *m, const struct vcm_session_record *r);
void vcm_manager_start(struct vcm_manager *m);

void vcm_manager_receive(
	struct vcm_manager *m, const struct in6_addr *from, const uint8_t *data, size_t len);
/* A PROBE to the other port: answered, by ops.send() within the call, if the node is known. */
void vcm_manager_probed(
	struct vcm_manager *m, const struct in6_addr *from, const uint8_t *data, size_t len);

/* By hand.  All sessions of a node end and it gets no more (until unrevoke); of a pair; -ENOENT. */
int vcm_manager_revoke_node(struct vcm_manager *m, const struct in6_addr *internal, bool revoked);
int vcm_manager_end_session(struct vcm_manager *m, uint64_t id, enum vcm_reason reason);
int vcm_manager_rekey(struct vcm_manager *m, uint64_t id);
/* The policy has changed: sessions that are not allowed any more end. */
void vcm_manager_policy_changed(struct vcm_manager *m);

void vcm_manager_foreach_context(struct vcm_manager *m,
	bool (*fn)(void *arg, const struct vcm_context_record *r), void *arg);
void vcm_manager_foreach_session(struct vcm_manager *m,
	bool (*fn)(void *arg, const struct vcm_session_record *r), void *arg);

struct vcm_manager_stats {
	size_t contexts, sessions;
	uint64_t reports, offered, direct, ended, refused, rekeys, spi_taken;
	struct vcm_exchange_stats exchange;
};
void vcm_manager_stats(const struct vcm_manager *m, struct vcm_manager_stats *s);

#endif
