/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between node.c (place, what is received), node_offer.c (INVITE, OFFER,
 * PEER-READY, END, CLOSE), node_session.c (the state machine) and node_watch.c
 * (dead paths, idle sessions).
 */
#ifndef VCM_NODE_INTERNAL_H
#define VCM_NODE_INTERNAL_H

#include "vcm/node.h"
#include "vcm/secret.h"

/* One set of keys: a session (id) has one of these for each generation that is not over. */
struct session {
	struct session *next;
	struct vcm_node *node;
	uint32_t number; /* never used again; names it in tokens of messages */
	uint64_t id;
	uint32_t generation;
	struct in6_addr peer_internal, peer_home;
	enum vcm_node_state state;
	bool asymmetric, shared_key;
	bool path; /* the direct path is there */
	bool kcn; /* the direct path is asked for when the peer has the secret as well */
	bool peer_ready;
	bool over; /* draining because the session has ended, not because a generation has followed */
	bool renewing; /* the VCM has been told that sequence numbers come to an end */
	unsigned unsent; /* a bit for each kind of message that was given up */
	char algorithm[VCM_ALGORITHM_LEN];
	struct vcm_sa_option in, out; /* keys only until they are used; wiped */
	struct vcm_keypair keypair; /* INVITED only; wiped */
	uint32_t lifetime_s, linger_s;
	monotime_t began, ends; /* outbound may be used until then */
	struct timer timer; /* of the state: path, lifetime, linger */
	enum vcm_reason reason; /* of the DOWN that is under way */
	int64_t packets_in, packets_out; /* for it, while the SAs could still be asked */
	/* node_watch.c; packets but for our own PROBEs and answers */
	int64_t seen_in, data_in, data_out;
	uint32_t own_in, own_out;
	monotime_t active; /* last traffic in either direction */
	monotime_t looked; /* at the counters, or news came */
	monotime_t unanswered; /* since when we send and hear nothing; NEVER: we do not */
	struct timer doubt; /* runs with unanswered: the next PROBE, or the end */
	monotime_t replied; /* last answer to a PROBE */
	unsigned probes; /* without a reply */
	uint8_t nonce[VCM_NONCE_LEN];
};

/* What came before its OFFER. */
struct note {
	uint64_t id;
	uint32_t generation;
	bool ended; /* else the peer is ready */
	bool used;
};

#define NOTES 64
#define INVITATION_S 60 /* an OFFER should have come by then */
#define TICK_S 1
/* A doubt: PROBES, one each ASK_MS, and the last answer has so long; together 4 s (doc/vcm.md). */
#define PROBES 18
#define ASK_MS 200
#define LAST_ANSWER_MS 600

struct vcm_node {
	struct vcm_node_config config;
	const struct vcm_node_ops *ops;
	void *ctx;
	struct timerq *timers;
	struct vcm_exchange *exchange;
	struct session *sessions; /* the newest first */
	size_t n_sessions;
	uint32_t last_number;
	bool placed, outside; /* placed: it is known where we are */
	bool place_unsent;
	struct note notes[NOTES];
	size_t next_note;
	struct timer tick; /* while there is a DIRECT one */
	struct timer resend; /* while there is something unsent */
};

/* ---- node.c ---- */

enum kind { SAY_PLACE, SAY_PUBLIC, SAY_READY, SAY_ACTIVE, SAY_DOWN };
#define KIND_BITS 3

void node_say(struct session *s, enum kind kind);
void node_unsay(struct session *s, enum kind kind);
/* Packets until now; what its SAs do not tell any more stays as it was. */
void node_count(struct session *s);
void node_event(
	const struct vcm_node *n, const char *what, const struct in6_addr *peer, const char *text);

/* ---- node_offer.c ---- */

enum vcm_status node_invited(struct vcm_node *n, const struct vcm_message *m);
enum vcm_status node_offered(struct vcm_node *n, const struct vcm_message *m);
enum vcm_status node_peer_ready(struct vcm_node *n, const struct vcm_message *m);
enum vcm_status node_ended(struct vcm_node *n, const struct vcm_message *m);
enum vcm_status node_closed(struct vcm_node *n, const struct vcm_message *m);

/* What still comes of it is of a session that is over. */
void node_note_ended(const struct session *s);

/* ---- node_session.c ---- */

/* In the list from now on; NULL: no memory, or there are too many. */
struct session *session_new(struct vcm_node *n, const struct vcm_message *m);
void session_free(struct session *s);
struct session *session_find(const struct vcm_node *n, uint64_t id, uint32_t generation);
bool session_active(const struct session *s); /* INBOUND or DIRECT */
/* The newest active one with this peer, NULL: none. */
struct session *session_of_peer(const struct vcm_node *n, const struct in6_addr *peer_internal);
struct vcm_node_session session_view(const struct session *s);

/* Keys are in s: inbound is installed, the VCM is told; 0, or inbound_add()'s error, and s is gone. */
int session_install(struct session *s, const struct rr_shared *kcn);
/* The peer has inbound and, if there is one, the shared secret. */
void session_peer_ready(struct session *s);
/* As soon as everything is there outbound is switched. */
void session_try_direct(struct session *s);
/* Nobody wants the direct path there, unless another session does. */
void session_path_over(struct vcm_node *n, const struct in6_addr *peer_home);
/* Nothing is left that the secret for Binding Updates was for, unless there is another session. */
void session_secret_over(struct vcm_node *n, const struct in6_addr *peer_home);
/* Outbound is off at once; inbound stays as long as the peer may send by it.  tell: the VCM hears why. */
void session_drain(struct session *s, bool over, bool tell, enum vcm_reason reason);
/* The peer does not send by it any more: what is under way still comes. */
void session_close(struct session *s);

/* ---- node_watch.c ---- */

void watch_begin(struct session *s);
void watch_end(struct session *s);
void watch_doubt(struct timer *t, void *arg);
void watch_tick(struct timer *t, void *arg);
void watch_probe(struct vcm_node *n, const struct in6_addr *from, const struct vcm_message *m);

#endif
