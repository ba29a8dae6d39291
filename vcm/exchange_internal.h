/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between exchange.c (peers, what is sent) and exchange_receive.c. */
#ifndef VCM_EXCHANGE_INTERNAL_H
#define VCM_EXCHANGE_INTERNAL_H

#include "lib/addr_table.h"
#include "lib/log.h"
#include "vcm/exchange.h"

#define WINDOW 32 /* sequence numbers of a peer whose status is remembered */

struct out {
	struct out *next;
	struct peer *peer;
	struct timer timer;
	uint64_t token;
	monotime_t since; /* first sent */
	int64_t wait_ms;
	bool under_way, hello;
	struct vcm_message m;
};

struct peer {
	struct addr_node node;
	struct vcm_exchange *x;
	struct out *queue; /* in the order of their sequence numbers */
	uint64_t epoch; /* 0: not known */
	uint64_t claimed; /* another one that it says to have: our HELLO names it; 0: none */
	monotime_t asked; /* the last HELLO that it provoked */
	uint32_t sequence; /* the last one that we used */
	uint32_t newest; /* of theirs */
	uint32_t seen; /* bit i: newest - i */
	uint8_t status[WINDOW]; /* of newest - i at (newest - i) % WINDOW */
	bool heard, ever_asked;
};

struct vcm_exchange {
	struct vcm_exchange_config c;
	struct vcm_exchange_ops ops;
	void *ctx;
	struct timerq *timers;
	struct addr_table peers;
	struct log_limit complaints;
	uint32_t
		sequence; /* the last one used with a peer that was forgotten: it may remember it */
	struct vcm_exchange_stats stats;
};

monotime_t exchange_now(const struct vcm_exchange *x);
struct peer *exchange_find(const struct vcm_exchange *x, const struct in6_addr *addr);
/* NULL: no memory, or there are too many. */
struct peer *exchange_add(struct vcm_exchange *x, const struct in6_addr *addr);
void exchange_drop_out(struct peer *p, struct out *o);
/* All that is under way or waits has failed. */
void exchange_fail_all(struct peer *p);
/* A HELLO of our own, so that the peer's epoch becomes known; false: no memory. */
bool exchange_ask(struct peer *p);
/* What may leave now leaves. */
void exchange_advance(struct peer *p);

#endif
