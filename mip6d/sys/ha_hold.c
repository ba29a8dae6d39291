/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/ha_hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "common/loop.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/nfqueue.h"

#define COPY 192 /* two IPv6 headers and what is likely between them */
#define QUEUE_MAX 2048

struct held {
	uint32_t id;
	struct in6_addr care_of, inner;
	monotime_t until;
};

struct ha_hold {
	struct sys_loop *loop;
	struct nfqueue *queue;
	ha_hold_registered_fn *registered;
	void *arg;
	struct timer timer;
	size_t n;
	struct held held[HA_HOLD_PACKETS]; /* oldest first */
	struct ha_hold_stats stats;
};

bool ha_hold_addresses(
	const uint8_t *data, size_t len, struct in6_addr *outer, struct in6_addr *inner)
{
	struct rbuf r = rbuf_make(data, len);
	uint8_t next, ext;
	uint16_t offset;

	if (!rbuf_skip(&r, 6) || !rbuf_u8(&r, &next) || !rbuf_skip(&r, 1) || !rbuf_in6(&r, outer) ||
		!rbuf_skip(&r, 16))
		return false;
	while (next != IPPROTO_IPV6) {
		if (next == IPPROTO_FRAGMENT) {
			if (!rbuf_u8(&r, &next) || !rbuf_skip(&r, 1) || !rbuf_u16(&r, &offset) ||
				!rbuf_skip(&r, 4) || (offset & 0xfff8))
				return false;
			continue;
		}
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_DSTOPTS && next != IPPROTO_ROUTING)
			return false;
		if (!rbuf_u8(&r, &next) || !rbuf_u8(&r, &ext) ||
			!rbuf_skip(&r, (size_t)ext * 8 + 6))
			return false;
	}
	return rbuf_skip(&r, 8) && rbuf_in6(&r, inner);
}

static void arm(struct ha_hold *h)
{
	struct timerq *q = sys_loop_timers(h->loop);

	if (h->n)
		timer_start(q, &h->timer, h->held[0].until);
	else
		timer_stop(q, &h->timer);
}

static void remove_at(struct ha_hold *h, size_t i, bool accept)
{
	nfqueue_verdict(h->queue, h->held[i].id, accept, 0);
	*(accept ? &h->stats.released : &h->stats.dropped) += 1;
	h->n--;
	memmove(&h->held[i], &h->held[i + 1], (h->n - i) * sizeof(h->held[0]));
}

static void too_late(struct timer *t, void *arg)
{
	struct ha_hold *h = arg;
	monotime_t now = sys_now(NULL);

	(void)t;
	while (h->n && !mono_before(now, h->held[0].until))
		remove_at(h, 0, false);
	arm(h);
}

static size_t from_source(const struct ha_hold *h, const struct in6_addr *care_of)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += in6_equal(&h->held[i].care_of, care_of);
	return n;
}

static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct ha_hold *h = arg;
	struct held p = {.id = id, .until = mono_add_ms(sys_now(NULL), HA_HOLD_MS)};

	h->stats.held++;
	if (!ha_hold_addresses(data, len, &p.care_of, &p.inner) ||
		from_source(h, &p.care_of) >= HA_HOLD_PER_SOURCE) {
		h->stats.dropped++;
		nfqueue_verdict(h->queue, id, false, 0);
		return;
	}
	if (h->registered(h->arg, &p.care_of,
		    &p.inner)) { /* it came while the packet was on its way here */
		h->stats.released++;
		nfqueue_verdict(h->queue, id, true, 0);
		return;
	}
	if (h->n == HA_HOLD_PACKETS)
		remove_at(h, 0, false);
	h->held[h->n++] = p;
	arm(h);
}

static void readable(void *arg)
{
	struct ha_hold *h = arg;

	nfqueue_read(h->queue, packet, h);
}

struct ha_hold *ha_hold_open(
	struct sys_loop *loop, ha_hold_registered_fn *registered, void *arg, int *err)
{
	struct ha_hold *h = calloc(1, sizeof(*h));

	if (!h) {
		*err = -ENOMEM;
		return NULL;
	}
	h->loop = loop;
	h->registered = registered;
	h->arg = arg;
	timer_init(&h->timer, too_late, h);
	h->queue = nfqueue_open(SYS_QUEUE_UNKNOWN, COPY, QUEUE_MAX, err);
	if (h->queue)
		*err = sys_loop_read(loop, nfqueue_fd(h->queue), readable, h);
	if (*err) {
		ha_hold_close(h);
		return NULL;
	}
	return h;
}

void ha_hold_close(struct ha_hold *h)
{
	if (!h)
		return;
	timer_stop(sys_loop_timers(h->loop), &h->timer);
	if (h->queue) {
		sys_loop_forget(h->loop, nfqueue_fd(h->queue));
		nfqueue_close(h->queue);
	}
	free(h);
}

void ha_hold_release(struct ha_hold *h, const struct in6_addr *care_of,
	const struct in6_addr *inner, uint8_t plen)
{
	for (size_t i = 0; i < h->n;) {
		if (in6_equal(&h->held[i].care_of, care_of) &&
			in6_in_prefix(&h->held[i].inner, inner, plen))
			remove_at(h, i, true);
		else
			i++;
	}
	arm(h);
}

const struct ha_hold_stats *ha_hold_stats(const struct ha_hold *h)
{
	return &h->stats;
}
