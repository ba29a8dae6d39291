/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that knows SAs and policies of mobile nodes: mip6d tells it
 * what happens to bindings, and it plans, carries out, watches and mends.
 *
 * A node is a home address with a home agent.  All functions but the readers
 * return 0 or a negative errno; what failed is said by ipsec_glue_why().
 * One thread.  Requirements M6, T1.
 */
#ifndef GLUE_GLUE_H
#define GLUE_GLUE_H

#include "ipsec-glue/plan.h"
#include "mip6/ipsec.h"

struct ipsec_glue; /* opaque */
struct ipsec_keys; /* ipsec-glue/manual.h */
struct ipsec_manual_sa;
struct ipsec_sequence; /* ipsec-glue/sequence.h */

struct ipsec_glue_config {
	bool at_home_agent;
	enum ipsec_manager manager;
	enum ipsec_arrangement arrangement;
	bool payload;
	uint32_t replay_window;
	const struct ipsec_keys *keys; /* manual; must outlive the glue */
};

/* What the glue asks of the daemon; all may be NULL.  None of them adds or deletes nodes. */
struct ipsec_glue_ops {
	/* What home_address would send by its SAs waits, or goes on. */
	int (*pause)(void *ctx, const struct in6_addr *home_address, bool on);
	/* The tunnel's SAs ended at from until now: what is still under way to there belongs to care_of. */
	void (*moved)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *from,
		const struct in6_addr *care_of);
	/* The tunnel ends at care_of now, at home at the home address: an IKE daemon has its place there. */
	void (*bound)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
		const struct in6_addr *care_of);
	/* SAs that an IKE daemon has to make are needed. */
	void (*needed)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
		enum ipsec_use use);
	/* An SA of this node comes to an end, or (hard) has: it is gone. */
	void (*expired)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
		enum ipsec_use use, uint32_t spi, bool hard);
	/*
	 * Sequence numbers of an SA with a manual key, found again after a restart
	 * by src, dst and spi of the key file.  get: false, there are none.
	 * put: false, they are not stored; sync: they outlive the machine's end
	 * when it returns.
	 */
	bool (*sequence_get)(void *ctx, const struct ipsec_manual_sa *sa, struct ipsec_sequence *s);
	bool (*sequence_put)(
		void *ctx, const struct ipsec_manual_sa *sa, const struct ipsec_sequence *s, bool sync);
	/* For logs: something of the kernel's or of ours that an operator should know. */
	void (*notice)(void *ctx, const struct in6_addr *home_address, const char *text);
};

/* NULL with the reason in err. */
struct ipsec_glue *ipsec_glue_open(const struct ipsec_glue_config *c, const struct ipsec_glue_ops *ops,
	void *ctx, char *err, size_t errlen);
/* remove: nothing is left in the kernel; else it stays for a successor. */
void ipsec_glue_close(struct ipsec_glue *g, bool remove);

/* The kernel's events: wait for this descriptor to be readable, then read. */
int ipsec_glue_fd(const struct ipsec_glue *g);
void ipsec_glue_read(struct ipsec_glue *g);

/* What the last error was about. */
const char *ipsec_glue_why(const struct ipsec_glue *g);

/* ---- nodes ---- */

struct ipsec_glue_node {
	struct in6_addr home_address, home_agent;
	uint32_t reqid[IPSEC_USES]; /* 0, with manual keys: the glue chooses */
};

/*
 * Signalling of this node is protected from now on; SAs with manual keys are
 * there when this returns.  What a predecessor left of it is taken over.
 * -ENOKEY: there are no keys for it.
 */
int ipsec_glue_add(struct ipsec_glue *g, const struct ipsec_glue_node *n);
int ipsec_glue_del(struct ipsec_glue *g, const struct in6_addr *home_address, const struct in6_addr *home_agent);
/* After the start: policies and SAs of nodes that nobody has added are removed. */
int ipsec_glue_settle(struct ipsec_glue *g);

/* There is a node, so Mobility Headers and ICMPv6 between the two are protected or dropped. */
bool ipsec_glue_protects(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent);

/* There are SAs of this use. */
bool ipsec_glue_keyed(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use);

/* By which its tunnel's SAs are found; 0: there is no such node. */
uint32_t ipsec_glue_reqid(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent);

/* ---- bindings: -ENOENT when there is no such node ---- */

/* The tunnel's end is care_of from now on. */
int ipsec_glue_bind(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of);
int ipsec_glue_unbind(
	struct ipsec_glue *g, const struct in6_addr *home_address, const struct in6_addr *home_agent);
int ipsec_glue_networks(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct ip6_prefix *networks, size_t n);
/* Mobile node: signalling leaves from care_of with a Home Address option; NULL: without one. */
int ipsec_glue_source(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of);

/* An IKE daemon has made, changed or lost the SAs of one use. */
struct ipsec_glue_child {
	enum ipsec_use use;
	uint32_t spi_in, spi_out; /* 0: there are none */
	struct in6_addr local, remote; /* their ends */
};
int ipsec_glue_child(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct ipsec_glue_child *c);
/* It has forgotten these, or deletes them where they are not any more: gone already is fine. */
int ipsec_glue_stale(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use, uint32_t spi_in, uint32_t spi_out);

/* ---- for those who look ---- */

struct ipsec_glue_sa {
	struct in6_addr home_address, home_agent;
	enum ipsec_manager manager;
	enum ipsec_use use;
	bool out; /* sends */
	bool missing; /* should be there and is not: info has src, dst, and spi where known */
	struct ipsec_sa_info info;
};

/* Each node, in no order, and each pair (pair.h).  fn returns false to end it. */
typedef bool ipsec_glue_node_fn(
	void *arg, const struct in6_addr *home_address, const struct in6_addr *home_agent);
void ipsec_glue_nodes(const struct ipsec_glue *g, ipsec_glue_node_fn *fn, void *arg);

/* Each SA of one node, -ENOENT: there is no such node.  fn returns false to end it. */
typedef bool ipsec_glue_sa_fn(void *arg, const struct ipsec_glue_sa *sa);
int ipsec_glue_sas(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, ipsec_glue_sa_fn *fn, void *arg);

/* Each difference between what should be in the kernel and what is: one line of text.  How many, or a negative errno. */
typedef void ipsec_glue_text_fn(void *arg, const char *text);
int ipsec_glue_check(struct ipsec_glue *g, ipsec_glue_text_fn *fn, void *arg);
/* The same, and mends them. */
int ipsec_glue_mend(struct ipsec_glue *g, ipsec_glue_text_fn *fn, void *arg);

struct ipsec_glue_stats {
	size_t nodes, bound;
	uint64_t moves, mended, acquires, expired;
};
void ipsec_glue_stats(const struct ipsec_glue *g, struct ipsec_glue_stats *s);

#endif
