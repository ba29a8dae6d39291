/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See exchange.h and vcm-protocol(7).
 *
 * Which epoch a peer has is believed when it is the first one, in a message
 * that names ours; and when another one comes in the ACK of a HELLO of ours,
 * whose sequence number nobody has seen before.  So nothing that was said in
 * an earlier life of either end, and comes again, is acted on.
 *
 *	A, started again               B, knows A from before
 *	HELLO (A', 0)         -->
 *	                      <--      HELLO (B, A')
 *	                      <--      ACK (B, A')          A' knows B
 *	ACK (A', B)           -->                           B knows A', all for A has failed
 *	REPORT (A', B)        -->
 */
#include "vcm/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/exchange_internal.h"

#define FIRST_MS 300
#define MOST_MS 2000
#define GIVE_UP_MS 30000
#define MAX_PEERS 16
#define MAX_QUEUED 32

monotime_t exchange_now(const struct vcm_exchange *x)
{
	return x->ops.now(x->ctx);
}

/* ---- peers ---- */

struct peer *exchange_find(const struct vcm_exchange *x, const struct in6_addr *addr)
{
	struct addr_node *n = addr_table_find(&x->peers, addr);

	return n ? ADDR_OBJECT(n, struct peer, node) : NULL;
}

struct peer *exchange_add(struct vcm_exchange *x, const struct in6_addr *addr)
{
	struct peer *p;

	if (x->peers.n >= x->c.max_peers)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->node.addr = *addr;
	p->x = x;
	p->sequence = x->sequence;
	addr_table_add(&x->peers, &p->node);
	return p;
}

static void free_out(struct vcm_exchange *x, struct out *o)
{
	timer_stop(x->timers, &o->timer);
	vcm_message_wipe(&o->m);
	free(o);
	x->stats.queued--;
}

void exchange_drop_out(struct peer *p, struct out *o)
{
	struct out **at = &p->queue;

	while (*at && *at != o)
		at = &(*at)->next;
	if (*at)
		*at = o->next;
	free_out(p->x, o);
}

/* What the callbacks queue in the meantime stays. */
void exchange_fail_all(struct peer *p)
{
	struct vcm_exchange *x = p->x;
	struct in6_addr to = p->node.addr;
	struct out *o = p->queue, *next;

	p->queue = NULL;
	for (; o; o = next) {
		uint64_t token = o->token;
		bool hello = o->hello;

		next = o->next;
		free_out(x, o);
		x->stats.failed++;
		if (!hello && x->ops.failed)
			x->ops.failed(x->ctx, &to, token);
	}
}

static void drop_all(struct peer *p)
{
	while (p->queue)
		exchange_drop_out(p, p->queue);
}

/* ---- sending ---- */

static void transmit(struct peer *p, struct vcm_message *m)
{
	struct vcm_exchange *x = p->x;
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	m->epoch = x->c.epoch;
	m->peer_epoch = m->type == VCM_HELLO && p->claimed ? p->claimed : p->epoch;
	len = vcm_message_write(m, data, sizeof(data));
	if (len && x->ops.send(x->ctx, &p->node.addr, data, len) == 0)
		x->stats.sent++;
	rr_wipe(data, sizeof(data));
}

static void put_on_way(struct out *o)
{
	struct vcm_exchange *x = o->peer->x;
	monotime_t again = mono_add_ms(exchange_now(x), o->wait_ms),
		   end = mono_add_ms(o->since, x->c.give_up_ms);

	if (!o->hello && x->ops.sending)
		x->ops.sending(x->ctx, &o->peer->node.addr, o->token, &o->m);
	o->under_way = true;
	transmit(o->peer, &o->m);
	(void)timer_start(x->timers, &o->timer, mono_before(again, end) ? again : end);
}

/*
 * The peer remembers WINDOW sequence numbers: one that is further behind than
 * that when it comes at last, because it was lost, would not be taken.
 */
static bool fits_window(const struct peer *p, const struct out *o)
{
	const struct out *oldest = p->queue;

	while (oldest != o && (oldest->hello || !oldest->under_way))
		oldest = oldest->next;
	return o->m.sequence - oldest->m.sequence < WINDOW;
}

/* Nothing but a HELLO leaves before the other's epoch is known. */
void exchange_advance(struct peer *p)
{
	for (struct out *o = p->queue; o; o = o->next) {
		if (o->under_way || (!o->hello && (!p->epoch || !fits_window(p, o))))
			continue;
		o->wait_ms = p->x->c.first_ms;
		o->since = exchange_now(p->x);
		put_on_way(o);
	}
}

static void give_up(struct out *o)
{
	struct peer *p = o->peer;
	struct vcm_exchange *x = p->x;
	struct in6_addr to = p->node.addr;
	uint64_t token = o->token;
	bool hello;

	if (o->hello && !p->epoch) { /* what waited for the answer fails with it */
		exchange_fail_all(p);
		return;
	}
	hello = o->hello;
	exchange_drop_out(p, o);
	exchange_advance(p);
	if (hello)
		return;
	x->stats.failed++;
	if (x->ops.failed)
		x->ops.failed(x->ctx, &to, token);
}

static void repeat(struct timer *t, void *arg)
{
	struct out *o = arg;
	struct vcm_exchange *x = o->peer->x;

	(void)t;
	if (mono_diff_ms(exchange_now(x), o->since) >= x->c.give_up_ms) {
		give_up(o);
		return;
	}
	o->wait_ms = o->wait_ms * 2 < x->c.most_ms ? o->wait_ms * 2 : x->c.most_ms;
	x->stats.repeated++;
	put_on_way(o);
}

static struct out *queue(struct peer *p, const struct vcm_message *m, uint64_t token, bool first)
{
	struct out *o = calloc(1, sizeof(*o)), **at = &p->queue;

	if (!o)
		return NULL;
	o->peer = p;
	o->token = token;
	o->hello = m->type == VCM_HELLO;
	o->m = *m;
	o->m.sequence = ++p->sequence;
	timer_init(&o->timer, repeat, o);
	while (!first && *at)
		at = &(*at)->next;
	o->next = *at;
	*at = o;
	p->x->stats.queued++;
	return o;
}

static size_t queued(const struct peer *p)
{
	size_t n = 0;

	for (const struct out *o = p->queue; o; o = o->next)
		n++;
	return n;
}

static bool has_hello(const struct peer *p)
{
	for (const struct out *o = p->queue; o; o = o->next)
		if (o->hello)
			return true;
	return false;
}

/* A HELLO of our own, so that the peer's epoch becomes known. */
bool exchange_ask(struct peer *p)
{
	static const struct vcm_message hello = {.type = VCM_HELLO};

	return has_hello(p) || queue(p, &hello, 0, true);
}

int vcm_exchange_send(struct vcm_exchange *x, const struct in6_addr *to,
	const struct vcm_message *m, uint64_t token)
{
	struct peer *p = exchange_find(x, to);

	if (!p)
		return -ENOENT;
	if (queued(p) >= x->c.max_queued)
		return -ENOBUFS;
	if (!p->epoch && m->type != VCM_HELLO && !exchange_ask(p))
		return -ENOMEM;
	if (!queue(p, m, token, false))
		return -ENOMEM;
	exchange_advance(p);
	return 0;
}

void vcm_exchange_cancel(struct vcm_exchange *x, const struct in6_addr *to, uint64_t token)
{
	struct peer *p = exchange_find(x, to);
	struct out *o = p ? p->queue : NULL, *next;

	for (; o; o = next) {
		next = o->next;
		if (!o->hello && o->token == token)
			exchange_drop_out(p, o);
	}
	if (p)
		exchange_advance(p);
}

int vcm_exchange_probe(
	struct vcm_exchange *x, const struct in6_addr *to, const struct vcm_message *m)
{
	struct vcm_message probe = *m;
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	probe.sequence = 0;
	probe.epoch = x->c.epoch;
	probe.peer_epoch = 0;
	len = vcm_message_write(&probe, data, sizeof(data));
	if (!len)
		return -EINVAL;
	x->stats.sent++;
	return x->ops.send(x->ctx, to, data, len);
}

/* ---- life ---- */

struct vcm_exchange *vcm_exchange_new(const struct vcm_exchange_config *c,
	const struct vcm_exchange_ops *ops, void *ctx, struct timerq *timers)
{
	struct vcm_exchange *x = calloc(1, sizeof(*x));
	uint64_t key[2];

	if (!x)
		return NULL;
	x->c = *c;
	x->c.first_ms = c->first_ms ? c->first_ms : FIRST_MS;
	x->c.most_ms = c->most_ms ? c->most_ms : MOST_MS;
	x->c.give_up_ms = c->give_up_ms ? c->give_up_ms : GIVE_UP_MS;
	x->c.max_peers = c->max_peers ? c->max_peers : MAX_PEERS;
	x->c.max_queued = c->max_queued ? c->max_queued : MAX_QUEUED;
	x->ops = *ops;
	x->ctx = ctx;
	x->timers = timers;
	x->complaints = (struct log_limit)LOG_LIMIT_INIT(5, 10);
	ops->random(ctx, key, sizeof(key));
	if (addr_table_init(&x->peers, key)) {
		free(x);
		return NULL;
	}
	return x;
}

void vcm_exchange_free(struct vcm_exchange *x)
{
	struct addr_node *n;

	if (!x)
		return;
	while ((n = addr_table_walk(&x->peers, NULL)))
		vcm_exchange_forget(x, &n->addr);
	addr_table_free(&x->peers);
	free(x);
}

int vcm_exchange_peer(struct vcm_exchange *x, const struct in6_addr *peer)
{
	if (exchange_find(x, peer))
		return 0;
	if (x->peers.n >= x->c.max_peers)
		return -ENOSPC;
	return exchange_add(x, peer) ? 0 : -ENOMEM;
}

void vcm_exchange_forget(struct vcm_exchange *x, const struct in6_addr *peer)
{
	struct peer *p = exchange_find(x, peer);

	if (!p)
		return;
	drop_all(p);
	if (p->sequence > x->sequence)
		x->sequence = p->sequence;
	addr_table_del(&x->peers, &p->node);
	free(p);
}

void vcm_exchange_stats(const struct vcm_exchange *x, struct vcm_exchange_stats *s)
{
	*s = x->stats;
	s->peers = x->peers.n;
}
