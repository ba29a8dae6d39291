/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A correspondent (mip6d/proto/cn.h), what it asks for written down, and the
 * mobile node's part played by hand.
 */
#ifndef TESTS_UNIT_CN_WORLD_H
#define TESTS_UNIT_CN_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "mip6d/proto/cn.h"
#include "tests/run.h"

#define MAX_SENT 1024

struct sent {
	struct mip6_packet p;
	uint8_t data[1400];
	struct mh_message m; /* of a Mobility Header */
	bool icmp6;
};

extern struct cn_world {
	monotime_t now;
	struct timerq *timers;
	struct sent sent[MAX_SENT];
	size_t n_sent;
	char order[64]; /* k: kernel, s: store, m: message, in the order of the calls */
	int peer_set_err;
	struct in6_addr peer_coa; /* last peer_set() */
	bool peer_is_set, any_local;
	size_t peer_sets;
	int64_t idle_s;
	int stored_seq;
	struct mip6_event last, gone; /* the last of all, the last EV_CN_BINDING_GONE */
	uint8_t random;
} w;

extern struct cn *cn;
extern struct in6_addr home, coa, coa2, local, other;

/* ---- the world ---- */

extern const struct ro_ops ro;
extern const struct ro_ops ro_blind; /* does not know when a peer was heard last */
/* A new correspondent in place of the one before. */
void start(const struct cn_config *c, const struct ro_ops *ops);
void setup(void);
void teardown(void);
void pass_s(int64_t s); /* time goes by, timers run */
const struct sent *last_sent(void);

/* ---- the mobile node ---- */

struct tokens {
	uint64_t home, care_of;
	uint16_t home_index, care_of_index;
};

/* HoTI or CoTI -->, HoT or CoT <-- */
uint64_t test(uint8_t type, const struct in6_addr *from, uint16_t *index);
/* Both tests. */
struct tokens tests(const struct in6_addr *h, const struct in6_addr *c);
/* HoTI or CoTI --> that may remain without an answer. */
void send_init(
	const struct in6_addr *src, const struct in6_addr *dst, unsigned flags, uint8_t type);

struct bu {
	const struct in6_addr *home, *source, *alt,
		*claimed; /* claimed: the one in the MAC, if another */
	uint16_t seq, flags, lifetime;
	const struct tokens *t; /* NULL: no nonce indices */
	const struct rr_shared *s;
	bool no_auth, bad_auth;
	size_t auth_len; /* 0: 12 */
};

/* BU --> */
void send_bu(const struct bu *b);
/* <-- BA, whose authenticator must be right if there is to be one */
const struct mh_message *expect_ba(const struct bu *b, uint8_t status, bool authenticated);
/* A BU that is to be dropped without a word and without any effect. */
void expect_silence(const struct bu *b);
/* One that is good: from home at `source`. */
struct bu make_bu(const struct tokens *t, const struct in6_addr *source, uint16_t seq);
/* RR and a binding for home at c */
struct tokens bind_at(const struct in6_addr *c, uint16_t seq);
void no_binding(void);
void bound_at(const struct in6_addr *c);
extern const struct rr_shared shared_data;

#endif
