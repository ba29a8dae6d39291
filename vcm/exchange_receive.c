/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is received: from whom, of which life, for the first time or again (exchange.h, exchange.c). */
#include "lib/addr.h"
#include "vcm/exchange_internal.h"

#define ASK_MS 200 /* at most one unasked HELLO to a peer in so long */

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
	exchange_fail_all(p);
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
		exchange_drop_out(p, o);
		x->stats.acknowledged++;
		if (!hello)
			x->ops.acknowledged(x->ctx, &from, token, m->status);
		break;
	}
	p = exchange_find(x, &from);
	if (p)
		exchange_advance(p);
}

/* It thinks of another life of ours, or says to be in another one itself: a HELLO of ours makes it clear. */
static void provoked(struct peer *p)
{
	struct vcm_exchange *x = p->x;

	x->stats.old_epoch++;
	if (p->ever_asked && mono_diff_ms(exchange_now(x), p->asked) < ASK_MS)
		return;
	p->ever_asked = true;
	p->asked = exchange_now(x);
	if (exchange_ask(p))
		exchange_advance(p);
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
	p = exchange_find(x, &from);
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
	exchange_advance(p);
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
	return exchange_find(x, &addr);
}

static void complain(struct vcm_exchange *x, const struct in6_addr *from, const char *why)
{
	uint64_t held;

	x->stats.malformed++;
	if (log_allowed(&x->complaints, exchange_now(x), &held))
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
	p = exchange_find(x, from);
	if (!p && may_begin(x, m))
		p = exchange_add(x, from);
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
