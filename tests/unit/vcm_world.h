/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A manager, a gateway and nodes that know the protocol but nothing else, a
 * network and a store, for tests of the manager.
 */
#ifndef TESTS_VCM_WORLD_H
#define TESTS_VCM_WORLD_H

#include "vcm/manager.h"

#define NODES 4
#define GATEWAY NODES /* its number as an end */
#define ENDS (NODES + 1)
#define LOG 512
#define RECORDS 64

struct said { /* to or from an end, as it was handed up there or here */
	int end;
	bool to_manager;
	enum vcm_type type;
	struct vcm_message m;
};

struct end {
	struct vcm_exchange *x;
	struct in6_addr internal, home;
	bool deaf; /* nothing reaches it */
	bool asleep; /* acknowledges, but says nothing by itself */
	enum vcm_status answer; /* to INVITE and OFFER */
	unsigned refuse; /* so many times `answer`, then VCM_OK */
	enum vcm_status last_status; /* of what it has said */
	unsigned acknowledged, restarts, probes;
	struct vcm_message offer; /* the last one */
	struct vcm_message peer_ready; /* the last one */
	unsigned n_offers, n_ends, n_closes;
};

extern struct world {
	struct vcm_manager *m;
	struct timerq *timers;
	monotime_t now;
	struct in6_addr manager;
	struct end ends[ENDS];
	struct vcm_policy policy;
	bool unknown[NODES]; /* not ours */
	struct said log[LOG];
	size_t n_log;
	size_t n_contexts, n_sessions;
	struct vcm_context_record contexts[RECORDS];
	struct in6_addr correspondents[RECORDS][64];
	struct vcm_session_record sessions[RECORDS];
	unsigned puts;
	bool store_broken;
	unsigned die_at_put; /* nothing is written or sent any more from this put on; 0: never */
	bool dead;
	unsigned loss, twice; /* percent */
	uint64_t dice;
	size_t max_contexts, max_sessions; /* of the next manager */
	uint64_t packets_ab, packets_ba; /* the last ones in the audit log */
	char audit[16384];
	unsigned early; /* messages about what the store did not have */
} w;

void world_begin(void);
void world_end(void);
/* A manager out of the store. */
void world_start_manager(bool restart);
/* Another life of an end. */
void world_restart_end(int i);
void world_run(int64_t ms);
uint32_t world_roll(uint32_t below);
/* Until it is so, at most ms; whether it is. */
bool world_until(bool (*so)(void), int64_t ms);

struct vcm_message report_nodes(unsigned outside_mask, unsigned inside_mask);
void add_pair(struct vcm_message *m, int a, int b);
void say(int from, const struct vcm_message *m);
void say_session(int from, enum vcm_type type, uint64_t id, uint32_t generation);
void say_down(int from, uint64_t id, uint32_t generation, enum vcm_reason reason);
/* Both are outside and talk. */
void talk(int a, int b);

struct vcm_message place(int i, bool outside);
/* The session of nodes 0 and 1 is used by both; there is one; there is none. */
bool direct(void);
bool some(void);
bool none(void);
uint64_t begin_direct(void); /* its identifier */
/* The first of this type that this end got; -1: none. */
int place_in_log(int end, enum vcm_type type);

struct vcm_session_record *stored(int a, int b);
bool audited(const char *what);
struct vcm_manager_stats manager_stats(void);

#endif
