/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the gateway's part share. */
#ifndef VCM_GATEWAY_INTERNAL_H
#define VCM_GATEWAY_INTERNAL_H

#include <sys/queue.h>

#include "lib/addr_table.h"
#include "vcm/gateway.h"

/* Options that fit a REPORT of VCM_MESSAGE_MAX octets: a NODE or PAIR takes 36. */
#define REPORT_OPTIONS ((VCM_MESSAGE_MAX - VCM_HEADER_LEN) / 36)
#define REPORTS_UNDER_WAY 8
#define RETRY_S 5 /* after the VCM did not answer, or the kernel refused */
#define TALKED_S 300 /* a pair that has not talked for so long is no session of theirs any more */
#define QUIET_S 60 /* a correspondent is told so often */
#define LEAVING_MS 1000 /* who has a binding already is on its way out, and may still say something inside */
#define IN_FLIGHT_MS 1000 /* ESP that was under way when its sender came in says nothing */

struct correspondent {
	struct in6_addr addr;
	monotime_t talked;
	bool reported;
};

enum said { SAID_INSIDE, SAID_OUTSIDE, SAID_UNKNOWN };

struct gateway_node {
	struct addr_node by_internal, by_home;
	TAILQ_ENTRY(gateway_node) dirty, talks, broken;
	struct in6_addr internal, home;
	bool outside;
	enum vcm_evidence evidence; /* of the present place */
	monotime_t since;
	uint32_t stay; /* number of changes of place: pairs of another stay are others */
	/* What the VCM has acknowledged. */
	enum said said;
	bool is_dirty, under_way, is_talking, is_broken;
	size_t n_correspondents, cap_correspondents;
	struct correspondent *correspondents;
};

enum pair_state { PAIR_COUNTING, PAIR_WAITING, PAIR_SENT, PAIR_REPORTED };

struct gateway_pair {
	struct addr_node link;
	TAILQ_ENTRY(gateway_pair) lru, waiting;
	struct in6_addr a, b; /* in order */
	uint32_t stay_a, stay_b;
	enum pair_state state;
	enum vcm_trigger trigger;
	uint32_t packets, counted; /* ever; and since counting_since */
	monotime_t first, counting_since, reported_at;
};

/* What a message under way says, by address: nodes and pairs may change or go meanwhile. */
struct gateway_report {
	TAILQ_ENTRY(gateway_report) entry;
	uint64_t token;
	size_t n_nodes, n_pairs, n_correspondents;
	struct vcm_node_option nodes[VCM_MAX_NODES];
	struct vcm_pair_option pairs[VCM_MAX_PAIRS];
	struct vcm_correspondent_option correspondents[VCM_MAX_CORRESPONDENTS];
};

TAILQ_HEAD(gateway_nodes, gateway_node);
TAILQ_HEAD(gateway_pairs, gateway_pair);
TAILQ_HEAD(gateway_reports, gateway_report);

struct vcm_gateway {
	struct vcm_gateway_config config;
	struct vcm_gateway_ops ops;
	void *ctx;
	struct timerq *timers;
	struct vcm_exchange *exchange;
	uint64_t hash_key[2];
	struct addr_table by_internal, by_home, pairs;
	struct gateway_pairs lru, waiting; /* all pairs, oldest first; those to be reported */
	struct gateway_nodes dirty, talks,
		broken; /* place, or correspondents, to be reported; not as it should be in the kernel */
	struct gateway_reports under_way;
	size_t n_under_way;
	uint64_t token;
	monotime_t blocked_until; /* the VCM did not answer */
	struct timer flush, mend;
	struct vcm_gateway_stats stats;
};

static inline monotime_t gateway_now(const struct vcm_gateway *g)
{
	return g->ops.now(g->ctx);
}
void gateway_event(const struct vcm_gateway *g, const char *what, const struct in6_addr *a,
	const struct in6_addr *b, const char *text);

/* gateway_table.c */
struct gateway_node *gateway_node_find(
	const struct vcm_gateway *g, const struct in6_addr *internal);
struct gateway_node *gateway_node_by_home(const struct vcm_gateway *g, const struct in6_addr *home);
/* All of them, in no order: the first if n is NULL, else the one behind n. */
struct gateway_node *gateway_node_next(const struct vcm_gateway *g, const struct gateway_node *n);
/* In any order of the two. */
struct gateway_pair *gateway_pair_find(
	const struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b);
/* The same, made when it is not there; the oldest one goes when there are too many.  NULL: out of memory. */
struct gateway_pair *gateway_pair_get(
	struct vcm_gateway *g, const struct in6_addr *a, const struct in6_addr *b);
void gateway_pair_drop(struct vcm_gateway *g, struct gateway_pair *p);
/* Noted as talking with n; the one that has not talked for longest goes when there are too many. */
void gateway_correspondent(
	struct vcm_gateway *g, struct gateway_node *n, const struct in6_addr *addr);

/* gateway_pairs.c */
void gateway_pair_wait(struct vcm_gateway *g, struct gateway_pair *p);
/* The node has gone outside: with whom of those outside does it talk? */
void gateway_pairs_left(struct vcm_gateway *g, struct gateway_node *n);
/* It has come inside: its next packets outside are news. */
void gateway_pairs_returned(struct vcm_gateway *g, struct gateway_node *n);

/* gateway_report.c */
extern const struct vcm_exchange_ops gateway_exchange_ops;
void gateway_report_soon(struct vcm_gateway *g);
void gateway_node_dirty(struct vcm_gateway *g, struct gateway_node *n);
void gateway_node_talks(struct vcm_gateway *g, struct gateway_node *n);
timer_fn gateway_flush;
void gateway_reports_free(struct vcm_gateway *g);

#endif
