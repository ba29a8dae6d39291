/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that nftables hands to us for a verdict (NFQUEUE). */
#ifndef OS_QUEUE_H
#define OS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

/*
 * fn is called for each packet; data is its network header, `copy` octets at
 * most.  The packet waits until queue_verdict() names its id.
 */
struct queue *queue_open(uint16_t number, uint32_t copy, uint32_t max_len,
	void (*fn)(void *arg, uint32_t id, const uint8_t *data, size_t len), void *arg);
/* Packets still waiting are dropped. */
void queue_close(struct queue *q);
int queue_fd(const struct queue *q);
void queue_read(struct queue *q);
/* mark not 0: set it, and have a packet of our own routed anew. */
void queue_verdict(struct queue *q, uint32_t id, bool accept, uint32_t mark);

#endif
