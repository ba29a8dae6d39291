/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between glue.c (start, end, nodes), glue_sa.c (SAs with manual keys), glue_mend.c (events, comparison) and glue_show.c. */
#ifndef GLUE_GLUE_INTERNAL_H
#define GLUE_GLUE_INTERNAL_H

#include <time.h>
#include <uthash.h>

#include "ipsec-glue/glue.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/manual.h"
#include "ipsec-glue/sender.h"
#include "ipsec-glue/sequence.h"

struct glue_key {
	struct in6_addr home_address, home_agent;
};

struct glue_node {
	struct glue_key key;
	struct ipsec_node n;
	const struct ipsec_manual_sa *manual[IPSEC_USES][2]; /* second index: sends */
	bool keyed[IPSEC_USES]; /* these SAs are in the kernel */
	bool left; /* on a mobile node that was not bound yet: policies of the tunnel are a predecessor's, and stay */
	struct glue_node *suspect; /* the next one that has to be compared */
	bool suspected;
	uint32_t spi[IPSEC_USES][2]; /* of an IKE daemon's; second index: sends */
	uint32_t replaced[2]; /* the tunnel's before the last rekeying; 0: none, or moved since */
	time_t replaced_at; /* monotonic */
	UT_hash_handle hh;
};

/* Both uses of a node have their number; a mobile node's may be the same with several home agents. */
struct glue_reqid {
	uint32_t reqid;
	enum ipsec_use use;
	struct glue_node *node;
	UT_hash_handle hh;
};

struct glue_pair_key {
	enum ipsec_use use;
	struct in6_addr local, peer;
};

/* pair.h */
struct glue_pair {
	struct glue_pair_key key;
	uint32_t reqid;
	bool has_sel; /* of the SA that receives */
	struct ipsec_selector sel;
	const struct ipsec_manual_sa *manual[2]; /* index: sends */
	bool suspected;
	UT_hash_handle hh, by_reqid;
};

/* What a predecessor left, until ipsec_glue_settle(). */
struct glue_found {
	uint32_t spi;
	struct ipsec_sa_info info;
	struct glue_found *next; /* with the same SPI, for another destination */
	UT_hash_handle hh;
};

struct ipsec_glue {
	struct ipsec_glue_config config;
	const struct ipsec_glue_ops *ops;
	void *ctx;
	struct ipsec_sender *sender;
	struct ipsec_kernel_events *events;
	struct glue_node *nodes;
	struct glue_reqid *reqids;
	struct glue_found *found;
	struct glue_pair *pairs, *pairs_by_reqid;
	size_t suspected_pairs; /* have to be compared */
	bool compare; /* everything has to be compared */
	struct glue_node *suspects;
	char why[256];
	struct ipsec_glue_stats stats;
};

/* ---- glue.c ---- */

struct glue_node *glue_find(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent);
struct glue_node *glue_of_reqid(const struct ipsec_glue *g, uint32_t reqid, enum ipsec_use *use);
/* Carry a plan out and free it; what failed is in why. */
int glue_do(struct ipsec_glue *g, struct ipsec_plan *p);
void glue_notice(struct ipsec_glue *g, const struct in6_addr *home_address, const char *text);

/* ---- glue_sa.c ---- */

int glue_sa_take_over(struct ipsec_glue *g); /* note what there is */
void glue_sa_forget(struct ipsec_glue *g);
/* The keys of a node, and its reqids; -ENOKEY. */
int glue_sa_keys(struct ipsec_glue *g, struct glue_node *node);
/* What a predecessor left of this node's SAs becomes ours. */
void glue_sa_adopt(struct ipsec_glue *g, struct glue_node *node);
/* Add what is missing of this use, with n's addresses. */
void glue_sa_add(struct ipsec_glue *g, struct glue_node *node, const struct ipsec_node *n,
	enum ipsec_use use, struct ipsec_plan *p);
void glue_sa_del(const struct glue_node *node, enum ipsec_use use, struct ipsec_plan *p);
/* As it should be. */
void glue_sa_wanted(const struct ipsec_glue *g, const struct glue_node *node,
	const struct ipsec_node *n, enum ipsec_use use, bool out, struct ipsec_sa *sa);

/* ---- glue_sequence.c ---- */

/* Each manual SA that the plan makes gets its numbers, which are reserved now. */
int glue_sequence_prepare(struct ipsec_glue *g, struct ipsec_plan *p);
/* One that is there already, as info, goes on as sa should be, or makes place for it. */
void glue_sequence_resume(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sa_info *info, const struct ipsec_sa *sa, struct ipsec_plan *p);
/* Reserve what the node's SAs will use, and remember what they have received. */
int glue_sequence_look(struct ipsec_glue *g, const struct glue_node *node);

/* The same for one of them, if it is there. */
int glue_sequence_look_at(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sa *sa, struct ipsec_plan *p);
/* It was deleted, and info is the last that was seen of it. */
void glue_sequence_remember(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sa_info *info, bool out);

struct glue_last {
	bool seen[IPSEC_USES][2]; /* second index: sends */
	struct ipsec_sequence_now now[IPSEC_USES][2];
};
/* Right before the SAs of a node are deleted, and right behind. */
void glue_sequence_last(struct ipsec_glue *g, const struct glue_node *node, struct glue_last *last);
void glue_sequence_end(struct ipsec_glue *g, const struct glue_node *node, const struct glue_last *last);

/* ---- pair.c ---- */

struct glue_pair *glue_pair_of_reqid(const struct ipsec_glue *g, uint32_t reqid);
/* What there should be of all pairs. */
void glue_pairs_want(const struct ipsec_glue *g, struct ipsec_plan *plan);
/* As glue_sequence_look() and mending do it for a node. */
int glue_pair_look(struct ipsec_glue *g, const struct glue_pair *p);
int glue_pair_mend(struct ipsec_glue *g, const struct glue_pair *p);
void glue_pairs_close(struct ipsec_glue *g, bool remove);
int glue_pair_sas(struct ipsec_glue *g, const struct in6_addr *local, const struct in6_addr *peer,
	ipsec_glue_sa_fn *fn, void *arg);

#endif
