/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between manager.c (life, what is received), manager_context.c (nodes,
 * REPORT, PLACE), manager_pair.c (who wants a session, and when again),
 * manager_session.c (the state machine), manager_offer.c (secrets, what is
 * due to whom, the record) and manager_node.c (what nodes say).
 *
 * A pair has at most one session; a new one begins when the one before is
 * gone.  What nodes have to be told follows from the session alone
 * (manager_session_commit()): so the same code begins, repeats, and takes up again
 * what was under way when the manager stopped.
 */
#ifndef VCM_MANAGER_INTERNAL_H
#define VCM_MANAGER_INTERNAL_H

#include <sys/queue.h>

#include "lib/addr_table.h"
#include "lib/log.h"
#include "vcm/manager.h"

#define ID_BITS 60 /* the rest of a token says which message */
#define MAX_CORRESPONDENTS 64 /* remembered of one node, the latest */
#define SETUP_S 60 /* both nodes are ready by then */
#define MAX_TRIES 8 /* of SPIs */
#define WAIT_MOST_S 8 /* for a node that is inside for itself, doubling from 1 */
#define LEAST_REKEY_S 5 /* between two that nodes ask for */
#define SAVE_AGAIN_S 1
#define END_AGAIN_S 60 /* a node that could not be told */
#define LEAST_OFFER_S 1 /* of lifetime left */

struct pair_link { /* a pair in the list of one of its nodes */
	LIST_ENTRY(pair_link) entry;
	struct pair *pair;
};

struct context {
	struct addr_node node; /* internal address */
	struct in6_addr home;
	bool outside, revoked;
	bool left; /* what a gateway said last */
	bool greeted; /* in this life of ours: its epoch is known, or asked for */
	uint64_t epoch;
	uint16_t n_correspondents, next_correspondent;
	struct in6_addr *correspondents;
	LIST_HEAD(, pair_link) pairs;
};

struct pair {
	struct addr_node node; /* pair_key() */
	struct vcm_manager *m;
	struct context *nodes[2]; /* a, b: the lower address first */
	struct pair_link links[2];
	struct session *session;
	bool wanted; /* a session, as soon as it may be */
	unsigned failures;
	monotime_t not_before;
	struct timer timer;
};

enum kind { SAY_INVITE, SAY_OFFER, SAY_PEER_READY, SAY_END, SAY_CLOSE, KINDS };

struct side { /* of a session: one of its nodes */
	uint32_t spi, old_spi; /* inbound there; old_spi that of the generation before */
	bool ready, active;
	bool told; /* has no outbound any more, ENDING */
	bool closed; /* knows that nobody sends by it any more, ENDING */
	bool old_closed; /* the same of the generation before */
	bool lost; /* has nothing of it any more */
	uint8_t said; /* a bit for each enum kind that is under way or acknowledged */
};

struct session {
	struct addr_node node; /* id_key() */
	struct pair *pair;
	uint64_t id;
	uint32_t generation;
	enum vcm_session_state state;
	enum vcm_variant variant;
	enum vcm_reason reason; /* ENDING */
	char algorithm[VCM_ALGORITHM_LEN];
	uint32_t lifetime_s, linger_s;
	uint64_t offered_at, ends_at; /* Unix time */
	monotime_t offered, ends; /* the same */
	monotime_t direct; /* since when; NEVER: it never was */
	struct side sides[2];
	struct vcm_session_secrets *secrets; /* NULL: both are ready */
	unsigned tries; /* of SPIs */
	unsigned waits; /* for a node that is inside for itself */
	bool unsaved; /* the store does not have what memory has */
	bool resting; /* restored, and not taken up yet */
	monotime_t deadline, retry; /* of the state; of what could not be said or saved, or NEVER */
	struct timer timer;
};

struct vcm_manager {
	struct vcm_manager_config config;
	struct in6_addr *gateways;
	const struct vcm_manager_ops *ops;
	void *ctx;
	struct timerq *timers;
	struct vcm_exchange *exchange;
	struct addr_table contexts, pairs, sessions;
	uint64_t pair_keys[2][2];
	struct log_limit complaints;
	struct vcm_manager_stats stats;
};

/* ---- manager.c ---- */

monotime_t manager_now(const struct vcm_manager *m);
/* About a session, or NULL; a and b may be NULL; text NULL. */
void manager_audit(struct vcm_manager *m, const char *what, const struct session *s,
	const struct in6_addr *a, const struct in6_addr *b, const char *text);
/* Said by a node (0: a, 1: b) of its session; the rest of line is filled in. */
void manager_audit_said(const struct session *s, int side, struct vcm_audit *line);

/* ---- manager_context.c ---- */

struct context *context_find(const struct vcm_manager *m, const struct in6_addr *internal);
struct context *context_new(struct vcm_manager *m, const struct in6_addr *internal);
void context_free(struct vcm_manager *m, struct context *c);
int context_save(struct vcm_manager *m, const struct context *c);
struct vcm_context_record context_record(const struct context *c);
bool context_remember(struct context *c, const struct in6_addr *correspondent);
bool node_known(const struct vcm_manager *m, const struct in6_addr *internal);
/* May have sessions now. */
bool context_able(const struct context *c);
/* It has lost its sessions; told: it certainly has, and need not be told that they have ended. */
void node_restarted(struct vcm_manager *m, struct context *c, bool told);
/* All its sessions end, none begins by itself. */
void node_end_all(struct vcm_manager *m, struct context *c, enum vcm_reason reason);
enum vcm_status take_report(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r);
enum vcm_status take_place(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r);

/* ---- manager_pair.c ---- */

/* The pair of these two, made if need be; NULL: there is no room. */
struct pair *pair_get(struct vcm_manager *m, struct context *a, struct context *b);
/* The pair has reasons for a session.  p may be gone afterwards. */
enum vcm_status pair_want(struct pair *p);
/* Begins a session, waits until it may, or is gone. */
enum vcm_status pair_drive(struct pair *p);
/* What its node waited for may have come: a first failure is not waited for any longer. */
void pair_hurry(struct pair *p);
/* Its node will soon say that it is outside, as the gateway does; or the wish is forgotten. */
void pair_await(struct pair *p);
/* The session has not come to be, or its path is dead; free_first: the first time costs no waiting. */
void pair_failed(struct pair *p, bool free_first);
void pair_free(struct pair *p);

/* ---- manager_session.c ---- */

struct session *manager_session_find(const struct vcm_manager *m, uint64_t id);
/* Not in any state yet; NULL: no memory. */
struct session *manager_session_new(struct pair *p, uint64_t id);
void manager_session_free(struct session *s);
/* Of a pair that has none. */
enum vcm_status manager_session_begin(struct pair *p);
/* s may be gone after each of these. */
void manager_session_end(struct session *s, enum vcm_reason reason, bool again);
enum vcm_status manager_session_rekey(struct session *s);
void manager_session_offer(struct session *s); /* both public keys are there */
void manager_session_both_ready(struct session *s);
/* Other SPIs and keys, as a node cannot take these. */
void manager_session_other_spis(struct session *s);
void manager_session_arm(struct session *s);
void manager_session_retry_at(struct session *s, monotime_t when);
void manager_session_resume(struct session *s);

/* ---- manager_offer.c ---- */

/* The policy's secrets and SPIs for the next generation; false: it cannot be. */
bool manager_session_secrets(struct session *s, const struct vcm_policy *p);
struct vcm_session_secrets *manager_session_secrets_new(void);
void manager_session_wipe(struct session *s);
bool manager_session_inviting(const struct session *s); /* public keys are still missing */
/* Store, then say what is due, each once; ENDING with both told is gone. */
void manager_session_commit(struct session *s);
/* What a node did not take, as it was inside for itself, is said again. */
void manager_session_say_again(struct session *s);
/* Of what was said under another generation nothing counts. */
void manager_session_unsay(struct session *s);
/* r holds secrets. */
void manager_session_record(const struct session *s, struct vcm_session_record *r);
void manager_acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status);
void manager_failed(void *ctx, const struct in6_addr *to, uint64_t token);
void manager_sending(void *ctx, const struct in6_addr *to, uint64_t token, struct vcm_message *r);

/* ---- manager_node.c ---- */

/* PUBLIC, READY, ACTIVE, DOWN. */
enum vcm_status take_session_message(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r);

#endif
