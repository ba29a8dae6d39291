/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel packet queue (NFQUEUE): packets wait in the kernel until there is
 * a verdict.  When nobody listens they are dropped, so a dead daemon lets
 * nothing pass unchecked.
 */
#ifndef SYS_NFQUEUE_H
#define SYS_NFQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nfqueue; /* opaque */

/*
 * Listen to queue number num.  copy: how many octets of each packet, from its
 * IPv6 header on, are wanted; 0: none.  max: how many may wait in the kernel,
 * further ones are dropped.  NULL with *err: -EBUSY when another process
 * listens.
 */
struct nfqueue *nfqueue_open(uint16_t num, uint32_t copy, uint32_t max, int *err);
/* From now on what does not fit passes instead of being dropped.  Right behind nfqueue_open(), before a rule leads here. */
int nfqueue_fail_open(struct nfqueue *q);
/* Packets that wait are dropped. */
void nfqueue_close(struct nfqueue *q);
int nfqueue_fd(const struct nfqueue *q);

/* A packet waits: its id rises by one from packet to packet. */
typedef void nfqueue_fn(void *arg, uint32_t id, const uint8_t *data, size_t len);

/* Where the packet in hand came in; to be asked for within nfqueue_fn.  ifindex or mac_len 0: not known. */
struct nfqueue_origin {
	int ifindex;
	size_t mac_len;
	uint8_t mac[8]; /* of the sender on that link */
};
const struct nfqueue_origin *nfqueue_origin(const struct nfqueue *q);
/* Read what is there, at most a burst; true when there may be more. */
bool nfqueue_read(struct nfqueue *q, nfqueue_fn *fn, void *arg);

/* mark: the packet mark from now on; 0: as it is.  Locally sent packets whose mark changes are routed again. */
int nfqueue_verdict(struct nfqueue *q, uint32_t id, bool accept, uint32_t mark);
/* For all that wait, up to and including id. */
int nfqueue_verdict_upto(struct nfqueue *q, uint32_t id, bool accept, uint32_t mark);

#endif
