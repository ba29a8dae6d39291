/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lower half of the protocol, the same for gateway, manager and nodes:
 * each message is sent again until it is acknowledged, and handed up once.
 * Epochs keep out what belongs to an earlier life of either end
 * (vcm-protocol(7)).  Pure; one of these per process, many peers, a peer
 * without anything under way costs little (U5: 100,000 of them).
 */
#ifndef VCM_EXCHANGE_H
#define VCM_EXCHANGE_H

#include "lib/timer.h"
#include "mip6/monotime.h"
#include "vcm/message.h"

struct vcm_exchange; /* opaque */

struct vcm_exchange_config {
	uint64_t epoch; /* random, not 0, another one at each start */
	uint32_t first_ms, most_ms; /* retransmission: doubles from first to most; 0: 300, 2000 */
	uint32_t give_up_ms; /* 0: 30000 */
	size_t max_peers; /* 0: 16; strangers beyond it get no answer */
	size_t max_queued; /* messages under way or waiting for one peer; 0: 32 */
	bool strangers; /* whoever sends a HELLO becomes a peer; else only those of vcm_exchange_peer() */
};

struct vcm_exchange_ops {
	monotime_t (*now)(void *ctx);
	void (*random)(void *ctx, void *to, size_t n);
	int (*send)(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len);
	/*
	 * A message that was not handed up before, its type's options are there.
	 * What is returned goes into the ACK, which leaves when this has
	 * returned, and into those for repetitions.  HELLO does not come here.
	 */
	enum vcm_status (*received)(
		void *ctx, const struct in6_addr *from, const struct vcm_message *m);
	/* PROBE and PROBE-REPLY, as they are. */
	void (*probe)(void *ctx, const struct in6_addr *from, const struct vcm_message *m);
	/* token is that of vcm_exchange_send(). */
	void (*acknowledged)(
		void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status);
	/* Given up, or the peer has started again before it could acknowledge: all its tokens, then restarted(). */
	void (*failed)(void *ctx, const struct in6_addr *to, uint64_t token);
	/* The peer has another epoch than before (not at the first one). */
	void (*restarted)(void *ctx, const struct in6_addr *peer);
	/* m leaves, for the first time or again: what of it goes by the clock is set; NULL: nothing does. */
	void (*sending)(
		void *ctx, const struct in6_addr *to, uint64_t token, struct vcm_message *m);
};

struct vcm_exchange *vcm_exchange_new(const struct vcm_exchange_config *c,
	const struct vcm_exchange_ops *ops, void *ctx, struct timerq *timers);
void vcm_exchange_free(struct vcm_exchange *x); /* wipes what was queued */

/* A peer that may send and be sent to.  0, also when it is one already; -ENOSPC, -ENOMEM. */
int vcm_exchange_peer(struct vcm_exchange *x, const struct in6_addr *peer);
void vcm_exchange_forget(struct vcm_exchange *x, const struct in6_addr *peer); /* no failed() */
/*
 * Queue m for to (sequence and epochs are filled in; a HELLO goes first when
 * the peer's epoch is not known).  token is the caller's.  0, -ENOENT, -ENOBUFS,
 * -ENOMEM.  Messages of one peer are handed up in any order.
 */
int vcm_exchange_send(struct vcm_exchange *x, const struct in6_addr *to,
	const struct vcm_message *m, uint64_t token);
/* Take back what has not been acknowledged. */
void vcm_exchange_cancel(struct vcm_exchange *x, const struct in6_addr *to, uint64_t token);
/* Not acknowledged, not repeated, no epochs: PROBE, PROBE-REPLY. */
int vcm_exchange_probe(
	struct vcm_exchange *x, const struct in6_addr *to, const struct vcm_message *m);
/* A datagram: from is its source address. */
void vcm_exchange_receive(
	struct vcm_exchange *x, const struct in6_addr *from, const uint8_t *data, size_t len);

struct vcm_exchange_stats {
	uint64_t sent, repeated, received, duplicates, acknowledged, failed, malformed, old_epoch,
		strangers;
	size_t peers, queued;
};
void vcm_exchange_stats(const struct vcm_exchange *x, struct vcm_exchange_stats *s);

#endif
