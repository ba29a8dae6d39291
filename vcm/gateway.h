/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The security gateway's part: which nodes are outside (V3, V11), with whom
 * they talk (V5), and the reports to the VCM (V6).  Headers only; nothing of
 * it waits.  Pure.
 */
#ifndef VCM_GATEWAY_H
#define VCM_GATEWAY_H

#include "vcm/exchange.h"

struct vcm_gateway; /* opaque */

struct vcm_gateway_config {
	struct in6_addr manager;
	uint64_t epoch;
	uint32_t threshold_packets; /* of a pair before it is reported, 0: 1 */
	uint32_t threshold_s; /* within so long, 0: 10 */
	uint32_t
		hold_s; /* a pair is not reported again for so long after it was, 0: 60; less if the VCM asks for it */
	uint32_t
		settle_ms; /* a node has to be outside so long before its pairs are reported, 0: none (hysteresis) */
	size_t max_nodes; /* 0: 100000 */
	size_t max_correspondents; /* remembered per node; 0: 64 */
	size_t max_pairs; /* 0: 100000 */
	/* May these two talk directly?  NULL: all may.  Internal addresses. */
	bool (*allowed)(void *ctx, const struct in6_addr *a, const struct in6_addr *b);
};

struct vcm_gateway_ops {
	monotime_t (*now)(void *ctx);
	void (*random)(void *ctx, void *to, size_t n);
	int (*send)(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len);
	/* V3: outbound SA, route and proxy for this node are on, or off.  0 or a negative errno. */
	int (*activate)(
		void *ctx, const struct in6_addr *internal, const struct in6_addr *home, bool on);
	/* The pair needs not be told for ttl_s (0: tell the next packet again), one direction or both. */
	void (*pair_known)(
		void *ctx, const struct in6_addr *a, const struct in6_addr *b, uint32_t ttl_s);
	/* Survives a restart: vcm_gateway_restore(). */
	void (*store)(void *ctx, const struct in6_addr *internal, const struct in6_addr *home,
		bool outside);
	void (*event)(void *ctx, const char *what, const struct in6_addr *a,
		const struct in6_addr *b, const char *text);
};

struct vcm_gateway *vcm_gateway_new(const struct vcm_gateway_config *c,
	const struct vcm_gateway_ops *ops, void *ctx, struct timerq *timers);
void vcm_gateway_free(struct vcm_gateway *g);

/* A node that may be outside.  -EEXIST, -ENOSPC. */
int vcm_gateway_add(
	struct vcm_gateway *g, const struct in6_addr *internal, const struct in6_addr *home);
/* It was outside when we stopped; before anything else. */
void vcm_gateway_restore(struct vcm_gateway *g, const struct in6_addr *internal);

enum vcm_evidence { VCM_BY_BINDING, VCM_BY_TRAFFIC, VCM_BY_MESSAGE };
/* Seen outside (binding, authenticated packet of its inbound SA), or inside (packet in clear on an internal interface, binding gone). */
void vcm_gateway_outside(
	struct vcm_gateway *g, const struct in6_addr *internal, enum vcm_evidence e);
void vcm_gateway_inside(
	struct vcm_gateway *g, const struct in6_addr *internal, enum vcm_evidence e);
/* By home address, as the correspondent part knows it. */
void vcm_gateway_binding(struct vcm_gateway *g, const struct in6_addr *home, bool bound);
/* The first packet of a pair (it will be told again when pair_known() ends). */
void vcm_gateway_traffic(
	struct vcm_gateway *g, const struct in6_addr *from, const struct in6_addr *to);
void vcm_gateway_receive(
	struct vcm_gateway *g, const struct in6_addr *from, const uint8_t *data, size_t len);

struct vcm_gateway_node_info {
	struct in6_addr internal, home;
	bool outside, reported;
	size_t n_correspondents;
	uint32_t since_s; /* in this place */
};
void vcm_gateway_foreach_node(const struct vcm_gateway *g,
	bool (*fn)(void *arg, const struct vcm_gateway_node_info *i), void *arg);
/* With whom it talks or talked outside; false: there is no such node. */
bool vcm_gateway_foreach_correspondent(const struct vcm_gateway *g, const struct in6_addr *internal,
	bool (*fn)(void *arg, const struct in6_addr *correspondent), void *arg);
struct vcm_gateway_pair_info {
	struct in6_addr a, b;
	bool reported; /* and acknowledged */
	enum vcm_trigger trigger;
	uint32_t packets, age_s;
};
void vcm_gateway_foreach_pair(const struct vcm_gateway *g,
	bool (*fn)(void *arg, const struct vcm_gateway_pair_info *i), void *arg);
struct vcm_gateway_stats {
	uint64_t reports, pairs, left, returned, refused;
	struct vcm_exchange_stats exchange;
};
void vcm_gateway_stats(const struct vcm_gateway *g, struct vcm_gateway_stats *s);

#endif
