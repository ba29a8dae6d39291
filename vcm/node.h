/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mobile node's part: tells the VCM where the node is, and carries a
 * session from the OFFER to direct traffic and back, make before break
 * (V8, V9, V10, V12, V14, V15).  Pure.
 *
 * A session of a node:
 *
 *   NONE -INVITE-> INVITED -OFFER-> INBOUND -peer ready, path-> DIRECT
 *                     OFFER-^          |                          | END, DOWN
 *                                      +------> DRAINING <--------+
 *                                  (inbound until CLOSE and linger, or lifetime and linger)
 */
#ifndef VCM_NODE_H
#define VCM_NODE_H

#include "vcm/exchange.h"

struct vcm_node; /* opaque */

struct vcm_node_config {
	struct in6_addr internal, home; /* IA, HoA; the same in embodiment 2 */
	struct in6_addr manager; /* the VCM's address */
	uint64_t epoch;
	uint32_t path_wait_ms; /* for the direct path before outbound is switched; 0: 1000 */
	uint32_t probe_s; /* without news from a peer to which we send; 0: 5 */
	uint32_t idle_s; /* no traffic in either direction; 0: 120 */
	bool path_required; /* nothing may go by the peer's home agent (embodiment 2) */
	size_t max_sessions; /* 0: 256 */
	/* Is a session with this peer acceptable?  NULL: always. */
	bool (*allowed)(void *ctx, const struct in6_addr *peer_internal);
};

/* Keys are valid during the call only. */
struct vcm_node_session {
	uint64_t id;
	uint32_t generation;
	struct in6_addr peer_internal, peer_home;
	const char *algorithm;
	uint32_t spi_in, spi_out;
	const uint8_t *key_in, *key_out;
	size_t key_len;
	uint32_t lifetime_s, linger_s; /* outbound; and inbound so much longer */
};

struct vcm_node_ops {
	/* Packets, time, random numbers: as in exchange.h. */
	monotime_t (*now)(void *ctx);
	void (*random)(void *ctx, void *to, size_t n);
	int (*send)(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len);
	/* Octets of a key for it; 0: unknown here. */
	size_t (*key_len)(void *ctx, const char *algorithm);
	/*
	 * Inbound SA and policy of this generation; an older generation's stay.
	 * 0, -EEXIST: that SPI is taken, -EINVAL: such keys cannot be used, other negative errno.
	 */
	int (*inbound_add)(void *ctx, const struct vcm_node_session *s);
	/* Of this generation; the policy goes with the last one of the pair. */
	void (*inbound_del)(void *ctx, const struct in6_addr *peer_internal,
		const struct in6_addr *peer_home, uint32_t spi_in);
	/* Outbound SA and policy: what goes to the peer goes by it from now on; the generation before is replaced. */
	int (*outbound_set)(void *ctx, const struct vcm_node_session *s);
	/* With path_required: by the gateway's SA as long as there is no direct path (use false), and back. */
	void (*outbound_use)(void *ctx, const struct in6_addr *peer_internal,
		const struct in6_addr *peer_home, uint32_t spi_out, bool use);
	/* Back to the gateway's SA, from the next packet on. */
	void (*outbound_del)(void *ctx, const struct in6_addr *peer_internal,
		const struct in6_addr *peer_home, uint32_t spi_out);
	/*
	 * The VCM's secret for Binding Updates with this home address; NULL: taken back.  It outlives
	 * path(), as long as the peer may still take back its binding.
	 */
	void (*share)(void *ctx, const struct in6_addr *peer_home, const struct rr_shared *kcn);
	/* The direct path to this home address is wanted, or no more.  May call vcm_node_path(). */
	void (*path)(void *ctx, const struct in6_addr *peer_home, bool wanted);
	/* Packets by the SAs until now; -1 where unknown. */
	void (*counters)(void *ctx, const struct vcm_node_session *s, int64_t *in, int64_t *out);
	/* For logs, `mip6ctl monitor` and tests: what happened to which peer. */
	void (*event)(void *ctx, const char *what, const struct in6_addr *peer_internal,
		const char *text);
};

struct vcm_node *vcm_node_new(const struct vcm_node_config *c, const struct vcm_node_ops *ops,
	void *ctx, struct timerq *timers);
/* clean: ends all sessions on this side and says DOWN once. */
void vcm_node_free(struct vcm_node *n, bool clean);

/* The node is outside (and has a way to the VCM), or inside; said again whenever home changes. */
void vcm_node_place(struct vcm_node *n, bool outside);
/* The direct path to this home address is there in both directions, or not any more. */
void vcm_node_path(struct vcm_node *n, const struct in6_addr *peer_home, bool direct);
/* The kernel: an SA's sequence numbers or lifetime come to an end; hard: it is gone, also when somebody deleted it. */
void vcm_node_sa_expires(struct vcm_node *n, uint32_t spi, bool out, bool hard);
/* A datagram to the port. */
void vcm_node_receive(
	struct vcm_node *n, const struct in6_addr *from, const uint8_t *data, size_t len);
/* By hand: end the session with this peer; false: there is none. */
bool vcm_node_end(struct vcm_node *n, const struct in6_addr *peer_internal);

enum vcm_node_state { VCM_NODE_INVITED, VCM_NODE_INBOUND, VCM_NODE_DIRECT, VCM_NODE_DRAINING };
const char *vcm_node_state_name(enum vcm_node_state s);

struct vcm_node_info {
	uint64_t session;
	uint32_t generation;
	struct in6_addr peer_internal, peer_home;
	enum vcm_node_state state;
	bool asymmetric, shared_key, path; /* path: the direct path is there */
	const char *algorithm;
	uint32_t spi_in, spi_out;
	uint32_t age_s, remaining_s;
	int64_t packets_in, packets_out;
};
void vcm_node_foreach(
	struct vcm_node *n, bool (*fn)(void *arg, const struct vcm_node_info *i), void *arg);
void vcm_node_exchange_stats(const struct vcm_node *n, struct vcm_exchange_stats *s);

#endif
