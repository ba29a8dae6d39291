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
#include "lib/addr_table.h"
#include "lib/log.h"

#define FIRST_MS 300
#define MOST_MS 2000
#define GIVE_UP_MS 30000
#define MAX_PEERS 16
#define MAX_QUEUED 32
#define WINDOW 32 /* sequence numbers of a peer whose status is remembered */
#define ASK_MS 200 /* at most one unasked HELLO to a peer in so long */

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

static monotime_t now(const struct vcm_exchange *x)
{
	return x->ops.now(x->ctx);
}

/* ---- peers ---- */

static struct peer *find(const struct vcm_exchange *x, const struct in6_addr *addr)
{
	struct addr_node *n = addr_table_find(&x->peers, addr);

	return n ? ADDR_OBJECT(n, struct peer, node) : NULL;
}

static struct peer *add(struct vcm_exchange *x, const struct in6_addr *addr)
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

static void drop_out(struct peer *p, struct out *o)
{
	struct out **at = &p->queue;

	while (*at && *at != o)
		at = &(*at)->next;
	if (*at)
		*at = o->next;
	free_out(p->x, o);
}

/* What the callbacks queue in the meantime stays. */
static void fail_all(struct peer *p)
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
		drop_out(p, p->queue);
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
	monotime_t again = mono_add_ms(now(x), o->wait_ms),
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
static void advance(struct peer *p)
{
	for (struct out *o = p->queue; o; o = o->next) {
		if (o->under_way || (!o->hello && (!p->epoch || !fits_window(p, o))))
			continue;
		o->wait_ms = p->x->c.first_ms;
		o->since = now(p->x);
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
		fail_all(p);
		return;
	}
	hello = o->hello;
	drop_out(p, o);
	advance(p);
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
	if (mono_diff_ms(now(x), o->since) >= x->c.give_up_ms) {
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
static bool ask(struct peer *p)
{
	static const struct vcm_message hello = {.type = VCM_HELLO};

	return has_hello(p) || queue(p, &hello, 0, true);
}

int vcm_exchange_send(struct vcm_exchange *x, const struct in6_addr *to,
	const struct vcm_message *m, uint64_t token)
{
	struct peer *p = find(x, to);

	if (!p)
		return -ENOENT;
	if (queued(p) >= x->c.max_queued)
		return -ENOBUFS;
	if (!p->epoch && m->type != VCM_HELLO && !ask(p))
		return -ENOMEM;
	if (!queue(p, m, token, false))
		return -ENOMEM;
	advance(p);
	return 0;
}

void vcm_exchange_cancel(struct vcm_exchange *x, const struct in6_addr *to, uint64_t token)
{
	struct peer *p = find(x, to);
	struct out *o = p ? p->queue : NULL, *next;

	for (; o; o = next) {
		next = o->next;
		if (!o->hello && o->token == token)
			drop_out(p, o);
	}
	if (p)
		advance(p);
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

/* ---- receiving ---- */

static void acknowledge(struct peer *p, uint32_t sequence, uint64_t epoch, enum vcm_status status)
{
	struct vcm_message ack = {.type = VCM_ACK,
		.has = VCM_HAS_STATUS,
		.status = status,
		.sequence = sequence,
		.epoch = p->x->c.epoch,
		.peer_epoch = epoch};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len = vcm_message_write(&ack, data, sizeof(data));

	if (len && p->x->ops.send(p->x->ctx, &p->node.addr, data, len) == 0)
		p->x->stats.sent++;
}

static bool remembered(const struct peer *p, uint32_t sequence, enum vcm_status *status)
{
	uint32_t behind = p->newest - sequence;

	if (!p->heard || behind >= WINDOW || !(p->seen >> behind & 1))
		return false;
	*status = (enum vcm_status)p->status[sequence % WINDOW];
	return true;
}

/* Older than what is remembered: not new, and what became of it is forgotten. */
static bool too_old(const struct peer *p, uint32_t sequence)
{
	return p->heard && p->newest - sequence >= WINDOW && p->newest - sequence < UINT32_MAX / 2;
}

static void remember(struct peer *p, uint32_t sequence, enum vcm_status status)
{
	uint32_t ahead = sequence - p->newest;

	if (!p->heard || (ahead && ahead < UINT32_MAX / 2)) {
		p->seen = p->heard && ahead < WINDOW ? p->seen << ahead : 0;
		p->newest = sequence;
		p->heard = true;
	}
	p->seen |= 1u << (p->newest - sequence);
	p->status[sequence % WINDOW] = (uint8_t)status;
}

/* Everything that was under way was for the former life: the peer cannot have kept what came of it. */
static void begin_again(struct peer *p, uint64_t epoch)
{
	struct vcm_exchange *x = p->x;
	struct in6_addr addr = p->node.addr;
	bool known = p->epoch;

	p->epoch = epoch;
	p->claimed = 0;
	p->heard = false;
	p->seen = 0;
	if (!known)
		return;
	fail_all(p);
	if (x->ops.restarted)
		x->ops.restarted(x->ctx, &addr);
}

static void acknowledged(struct peer *p, const struct vcm_message *m)
{
	struct vcm_exchange *x = p->x;
	struct in6_addr from = p->node.addr;

	for (struct out *o = p->queue; o; o = o->next) {
		uint64_t token = o->token;
		bool hello = o->hello;

		if (!o->under_way || o->m.sequence != m->sequence)
			continue;
		drop_out(p, o);
		x->stats.acknowledged++;
		if (!hello)
			x->ops.acknowledged(x->ctx, &from, token, m->status);
		break;
	}
	p = find(x, &from);
	if (p)
		advance(p);
}

/* It thinks of another life of ours, or says to be in another one itself: a HELLO of ours makes it clear. */
static void provoked(struct peer *p)
{
	struct vcm_exchange *x = p->x;

	x->stats.old_epoch++;
	if (p->ever_asked && mono_diff_ms(now(x), p->asked) < ASK_MS)
		return;
	p->ever_asked = true;
	p->asked = now(x);
	if (ask(p))
		advance(p);
}

static void handle(struct peer *p, const struct vcm_message *m)
{
	struct vcm_exchange *x = p->x;
	struct in6_addr from = p->node.addr;
	enum vcm_status status = VCM_OK;

	if (remembered(p, m->sequence, &status)) {
		x->stats.duplicates++;
		acknowledge(p, m->sequence, m->epoch, status);
		return;
	}
	if (too_old(p, m->sequence)) {
		x->stats.duplicates++;
		return;
	}
	x->stats.received++;
	status = x->ops.received(x->ctx, &from, m);
	p = find(x, &from);
	if (!p)
		return;
	remember(p, m->sequence, status);
	acknowledge(p, m->sequence, m->epoch, status);
}

/*
 * Always acknowledged: that tells our epoch.  One of another life than we
 * know, or an old one come again, is asked, before it may go on.
 */
static void hello(struct peer *p, const struct vcm_message *m)
{
	struct vcm_exchange *x = p->x;

	if (!p->epoch && m->peer_epoch == x->c.epoch) {
		p->epoch = m->epoch;
	} else if (p->epoch != m->epoch && (p->epoch || p->queue)) {
		p->claimed = m->epoch;
		provoked(p);
	}
	acknowledge(p, m->sequence, m->epoch, VCM_OK);
	advance(p);
}

static bool answers_hello(const struct peer *p, const struct vcm_message *m)
{
	if (m->type != VCM_ACK)
		return false;
	for (const struct out *o = p->queue; o; o = o->next)
		if (o->hello && o->under_way && o->m.sequence == m->sequence)
			return true;
	return false;
}

/* NULL: not to be believed, or nobody is left to believe it. */
static struct peer *meet(struct peer *p, const struct vcm_message *m)
{
	struct vcm_exchange *x = p->x;
	struct in6_addr addr = p->node.addr;

	if (p->epoch == m->epoch)
		return p;
	if (p->epoch && !answers_hello(p, m)) {
		p->claimed = m->epoch;
		provoked(p);
		return NULL;
	}
	begin_again(p, m->epoch);
	return find(x, &addr);
}

static void complain(struct vcm_exchange *x, const struct in6_addr *from, const char *why)
{
	uint64_t held;

	x->stats.malformed++;
	if (log_allowed(&x->complaints, now(x), &held))
		log_warning("vcm: a message of %s is dropped: %s (%llu more like it)",
			in6_str(from), why, (unsigned long long)held);
}

/* Read as far as the header: only the sender's mistake is told, nothing is done. */
static void refuse(struct peer *p, const struct vcm_message *m, enum vcm_read how)
{
	if (m->peer_epoch == p->x->c.epoch && m->type != VCM_ACK && m->type != VCM_PROBE &&
		m->type != VCM_PROBE_REPLY)
		acknowledge(p, m->sequence, m->epoch,
			how == VCM_READ_UNSUPPORTED ? VCM_UNSUPPORTED : VCM_MALFORMED);
}

static void dispatch(struct peer *p, const struct vcm_message *m)
{
	if (m->type == VCM_HELLO) {
		hello(p, m);
		return;
	}
	if (m->peer_epoch != p->x->c.epoch) {
		if (m->type == VCM_ACK)
			p->x->stats.old_epoch++;
		else
			provoked(p);
		return;
	}
	p = meet(p, m);
	if (p && m->type == VCM_ACK)
		acknowledged(p, m);
	else if (p)
		handle(p, m);
}

static bool may_begin(const struct vcm_exchange *x, const struct vcm_message *m)
{
	return x->c.strangers && (m->type == VCM_HELLO || m->peer_epoch);
}

static void receive(struct vcm_exchange *x, const struct in6_addr *from, const uint8_t *data,
	size_t len, struct vcm_message *m)
{
	const char *why;
	enum vcm_read how = vcm_message_read(data, len, m, &why);
	struct peer *p;

	if (how == VCM_READ_MALFORMED || how == VCM_READ_VERSION) {
		complain(x, from, why);
		return;
	}
	if (how == VCM_READ_OK && (m->type == VCM_PROBE || m->type == VCM_PROBE_REPLY)) {
		if (x->ops.probe)
			x->ops.probe(x->ctx, from, m);
		return;
	}
	if (!m->epoch) {
		complain(x, from, "it has no epoch");
		return;
	}
	p = find(x, from);
	if (!p && may_begin(x, m))
		p = add(x, from);
	if (!p) {
		x->stats.strangers++;
		return;
	}
	if (how == VCM_READ_OK) {
		dispatch(p, m);
		return;
	}
	complain(x, from, why);
	refuse(p, m, how);
}

void vcm_exchange_receive(
	struct vcm_exchange *x, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	struct vcm_message m;

	receive(x, from, data, len, &m);
	vcm_message_wipe(&m);
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
	if (find(x, peer))
		return 0;
	if (x->peers.n >= x->c.max_peers)
		return -ENOSPC;
	return add(x, peer) ? 0 : -ENOMEM;
}

void vcm_exchange_forget(struct vcm_exchange *x, const struct in6_addr *peer)
{
	struct peer *p = find(x, peer);

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
