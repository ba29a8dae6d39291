/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile node, route optimization, for its own files only.
 *
 *   mn_ro.c        which peers: rules, traffic, commands, shared keys, information
 *   mn_ro_step.c   state machine of one peer; moves
 *   mn_rr.c        Home Test, Care-of Test, tokens (11.6)
 *   mn_cbu.c       Binding Updates to correspondents and their answers (11.7.2, 11.7.3)
 *   mn_ro_error.c  what others say of their own accord: BE, BRR, ICMPv6 errors
 *
 * Everything that happens to a peer ends in mn_ro_pursue(), which compares
 * what is wanted at the place where the node is with what has been reached,
 * and takes the next step.
 */
#ifndef PROTO_MN_RO_INTERNAL_H
#define PROTO_MN_RO_INTERNAL_H

#include "mip6d/proto/cn.h"
#include "mip6d/proto/mn_internal.h"

#define RO_MAX_FAILURE 3 /* retries, RFC 6275 12 MAX_RO_FAILURE */
#define RO_CARE_OFS 4 /* care-of addresses whose keygen tokens are remembered */
#define RO_COOKIES 4 /* of transmissions of one test whose answer is still good */
#define RO_SENT 8 /* transmissions of one Binding Update whose answer is still good */
/* A token is used so long before it is too old that the Binding Update arrives in time (5.2.7). */
#define RO_TOKEN_MARGIN_S 5
#define RO_PROVOKED_S 5 /* at most one exchange in so long for what anybody can send */
#define RO_REFUSED_MS 60000
#define RO_REFUSED_MAX_MS 960000
#define RO_SHARED_SOONER 12 /* times, with a peer that is known to answer */
#define RO_SEALED_SOONER 60 /* times, when one that has SAs with us did not answer */

struct ro_token {
	bool has;
	struct in6_addr care_of; /* of a care-of keygen token */
	uint64_t token;
	uint16_t index;
	monotime_t at; /* received */
};

/* Home Test Init or Care-of Test Init under way. */
struct ro_test {
	bool waiting;
	unsigned tries, past; /* past: how many of them were before it began anew */
	uint64_t cookies[RO_COOKIES]; /* a ring */
	int64_t timeout_ms;
	monotime_t last_sent;
	struct mn_rate rate;
	struct timer timer;
};

/* The Binding Update under way. */
struct ro_update {
	bool waiting;
	bool deletes;
	bool held_back; /* by the home address, until the home agent has answered */
	struct in6_addr from; /* its source; the home address when at home */
	struct in6_addr
		care_of; /* as in the authenticator: the home address when it deletes (6.2.7) */
	uint8_t kbm[RR_KBM_LEN];
	uint16_t home_index, care_of_index; /* of the nonces */
	monotime_t key_until; /* its tokens are too old then */
	unsigned tries, n_sent;
	struct {
		uint16_t seq, lifetime;
		monotime_t at;
	} sent[RO_SENT]; /* a ring */
	int64_t timeout_ms;
	struct mn_rate rate;
	struct timer timer;
};

struct ro_peer {
	struct mn *mn;
	struct ro_peer *next;
	struct in6_addr addr;
	enum mn_ro_state state;
	bool manual_on, manual_off;
	const char *by; /* whose wish that, or forget, is; NULL: by hand */
	bool wanted; /* by traffic; by hand is manual_on */
	bool sealed; /* see mn_ro_sealed() */
	bool forget; /* when nothing is left to delete over there */
	bool unwatched; /* ro_watch(false) is in force */
	bool direct, receiving, path_set; /* own_set(), receive_set(), bu_path_set() are in force */
	struct in6_addr path; /* of bu_path_set() */
	monotime_t used; /* the last sign of traffic */

	struct ro_token home, care_of[RO_CARE_OFS];
	struct ro_test hoti, coti;
	struct in6_addr testing; /* the care-of address of coti */
	struct ro_update bu;
	bool has_seq;
	uint16_t seq; /* the last one used */

	struct in6_addr bound; /* care-of address that the peer has confirmed; :: none */
	uint32_t granted_s;
	monotime_t bound_until; /* as confirmed */
	monotime_t refresh_at;
	monotime_t may_live_until; /* the longest that any binding may live over there */
	bool refresh; /* a new binding is wanted though there is one */
	bool silent; /* MN_RO_REFUSED for want of an answer */
	int64_t refused_wait_ms;
	monotime_t heard; /* the last request that mn_ro_heard() began */
	monotime_t provoked; /* the last exchange that anybody could have caused */
	unsigned nonce_errors; /* 136 to 138 in a row */
	int last_status;
	uint32_t updates;
	struct timer timer; /* refresh, expiry, end of a refusal */
};

struct ro_shared {
	struct ro_shared *next;
	struct in6_addr peer;
	struct rr_shared data;
	int seq; /* the last one used, or -1 */
};

struct mn_ro {
	struct mn_ro_config config;
	const struct ro_ops *ops;
	void *ops_ctx;
	struct cn *cn; /* or NULL */
	struct ro_peer *peers;
	size_t n_peers;
	struct ro_shared *shared;
	struct log_limit create_rate;
};

/* mn_ro.c */
struct ro_peer *mn_ro_find(const struct mn *mn, const struct in6_addr *addr);
struct ro_shared *mn_ro_shared(const struct ro_peer *p); /* NULL: return routability */
void mn_ro_drop(struct ro_peer *p); /* takes it off the list and frees it */
void mn_ro_watch(struct ro_peer *p, bool on);
void mn_ro_emit(struct ro_peer *p, struct mip6_event e); /* fills in the peer */

/* mn_ro_step.c */
void mn_ro_peer_init(struct ro_peer *p);
void mn_ro_peer_stop(struct ro_peer *p); /* timers only */
void mn_ro_pursue(struct ro_peer *p, const char *why); /* may free p */
/* Sends by the home agent from now on. */
void mn_ro_tunnel(struct ro_peer *p, const char *why);
void mn_ro_confirmed(struct ro_peer *p, uint32_t lifetime_s, monotime_t sent); /* BA: bound */
void mn_ro_deleted(struct ro_peer *p); /* BA, or nothing more to be hoped for; may free p */
void mn_ro_unauthorized(struct ro_peer *p, const char *why); /* the binding is gone */
void mn_ro_refused(struct ro_peer *p, const char *why);
void mn_ro_unanswered(struct ro_peer *p, const char *why);
void mn_ro_again(struct ro_peer *p); /* the refusal is over */
void mn_ro_kernel_clear(struct ro_peer *p);
bool mn_ro_in_use(const struct ro_peer *p);
bool mn_ro_may_live(const struct ro_peer *p);

/* mn_rr.c */
bool mn_rr_usable(const struct ro_peer *p, const struct ro_token *t);
struct ro_token *mn_rr_care_of_token(
	struct ro_peer *p, const struct in6_addr *care_of); /* or NULL */
/* These tests, and no other: goes on with those that are under way. */
void mn_rr_run(struct ro_peer *p, bool home, const struct in6_addr *care_of);
void mn_rr_init(struct ro_peer *p);
void mn_rr_pause(struct ro_peer *p); /* nothing is under way any more */
void mn_rr_forget(struct ro_peer *p); /* wipes all tokens */
/* The home agent knows us now: a Home Test Init that was sent before may have been lost there. */
void mn_rr_hurry(struct ro_peer *p);
/* A test has been sent again; both go on as if they had been sent once. */
bool mn_rr_backs_off(const struct ro_peer *p);
void mn_rr_anew(struct ro_peer *p);
bool mn_rr_cookie(const struct ro_test *t, uint64_t cookie);

/* mn_cbu.c */
void mn_cbu_init(struct ro_peer *p);
/* Of what was commanded. */
static inline const char *mn_ro_by(const struct ro_peer *p)
{
	return p->by ? p->by : "by hand";
}
void mn_cbu_register(struct ro_peer *p); /* both tokens, or a shared Kbm, are there */
void mn_cbu_delete(struct ro_peer *p);
void mn_cbu_pause(struct ro_peer *p);
/* What is under way is said again as soon as the shortest time since the last transmission has passed. */
void mn_cbu_hurry(struct ro_peer *p);
/* The home agent has answered. */
void mn_cbu_go_on(struct ro_peer *p);
/* A deletion, once, if there is a key for it. */
void mn_cbu_last_words(struct ro_peer *p);

#endif
