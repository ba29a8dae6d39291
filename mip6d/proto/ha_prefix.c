/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefixes of the home link, and telling mobile nodes of them (RFC 6275
 * 10.6).
 *
 * An active binding has one delivery in one state:
 *
 *	QUIET		nothing to tell; the timer is MaxMobPfxAdvInterval after
 *			the last advertisement
 *	SCHEDULED	the timer is RAND_ADV_DELAY after the change
 *	SENT		not acknowledged yet; the timer repeats it
 *	UNANSWERED	repeated often enough; the next Binding Update begins anew
 *
 * A Mobile Prefix Solicitation is answered at once and leads to QUIET.  The
 * list goes out as it is when it is sent, so a change meanwhile replaces what
 * was scheduled.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha_internal.h"

#define PREFIX_ADV_RETRIES 3 /* RFC 6275 12 */
#define PREFIX_ADV_TIMEOUT_S 3
#define MAX_MESSAGE 1024

enum delivery_state { QUIET, SCHEDULED, SENT, UNANSWERED };

struct ha_delivery {
	struct ha_binding *binding;
	struct timer timer;
	enum delivery_state state;
	unsigned retries; /* sent again so far */
};

/* ---- prefixes and what is left of them ---- */

uint32_t ha_prefix_left(const struct ha *ha, const struct ha_prefix *p, uint32_t lifetime_s)
{
	int64_t left_ms;

	if (lifetime_s == UINT32_MAX)
		return UINT32_MAX;
	left_ms = (int64_t)lifetime_s * 1000 - mono_diff_ms(ha_now(ha), p->since);
	return left_ms > 0 ? (uint32_t)(left_ms / 1000) : 0;
}

void ha_foreach_prefix(
	struct ha *ha, bool (*fn)(void *arg, const struct ha_prefix *p), void *arg)
{
	for (size_t i = 0; i < ha->config.n_prefixes; i++) {
		struct ha_prefix p = ha->config.prefixes[i];

		p.valid_s = ha_prefix_left(ha, &p, p.valid_s);
		p.preferred_s = ha_prefix_left(ha, &p, p.preferred_s);
		if (!fn(arg, &p))
			return;
	}
}

/* ---- advertisements ---- */

static bool add_prefix(void *arg, const struct ha_prefix *p)
{
	struct icmp6_message *m = arg;
	struct nd_prefix *to = &m->u.mpa.prefixes[m->u.mpa.n_prefixes++];

	*to = (struct nd_prefix){.prefix = p->prefix.addr,
		.plen = p->prefix.plen,
		.on_link = true,
		.autonomous = p->prefix.plen == 64,
		.valid_s = p->valid_s,
		.preferred_s = p->preferred_s};
	return m->u.mpa.n_prefixes < ND_MAX_PREFIXES;
}

/* 7.2: in place of the prefix that our address is in, the address itself. */
static void name_us(const struct ha *ha, struct icmp6_mpa *m)
{
	for (size_t i = 0; i < m->n_prefixes; i++) {
		struct nd_prefix *p = &m->prefixes[i];

		if (!in6_in_prefix(&ha->config.address, &p->prefix, p->plen))
			continue;
		p->prefix = ha->config.address;
		p->router_address = true;
	}
}

/* 10.6.3; the id is that of the solicitation, or 0. */
static void advertise(struct ha *ha, const struct ha_binding *b, uint16_t id)
{
	struct icmp6_message m = {.type = ICMP6T_MPA, .u.mpa.id = id};
	uint8_t data[MAX_MESSAGE];
	struct mip6_packet out = {.src = ha->config.address,
		.dst = b->node.addr,
		.dst_coa = b->care_of,
		.flags = MIP6_PKT_RH2,
		.data = data};
	int err;

	if (ha->config.require_ipsec)
		out.flags |= MIP6_PKT_PROTECTED;
	ha_foreach_prefix(ha, add_prefix, &m);
	name_us(ha, &m.u.mpa);
	out.len = icmp6_build(&m, data, sizeof(data));
	if (!out.len)
		return;
	err = ha->env->send_icmp6(ha->env->ctx, &out);
	if (err)
		ha_op_failed(ha, "send prefixes to", &b->node.addr, err);
	else
		ha->stats.prefix_advertisements++;
}

/* ---- when ---- */

/*
 * RAND_ADV_DELAY of 10.6.2, for the prefix of this home address.  What ends
 * before MinMobPfxAdvInterval is over is told before it ends.
 */
static int64_t random_delay_ms(struct ha *ha, const struct ha_binding *b)
{
	uint32_t valid_s, preferred_s, min = ha->config.min_prefix_interval_s,
			  max = ha->config.max_prefix_interval_s, r;
	uint64_t span;

	if (ha_prefix_remaining(ha, &b->node.addr, &valid_s, &preferred_s)) {
		uint32_t end_s = preferred_s ? preferred_s : valid_s / 2;

		max = end_s < max ? end_s : max;
	}
	if (max <= min)
		min = 0;
	span = (uint64_t)(max - min) * 1000;
	ha->env->random(ha->env->ctx, &r, sizeof(r));
	return (int64_t)min * 1000 + (span ? (int64_t)(r % span) : 0);
}

/* The one place where the state changes; the timer always runs, moving it cannot fail. */
static void enter(struct ha *ha, struct ha_delivery *d, enum delivery_state state)
{
	int64_t ms = (int64_t)ha->config.max_prefix_interval_s * 1000;

	d->state = state;
	if (state == SCHEDULED)
		ms = random_delay_ms(ha, d->binding);
	else if (state == SENT)
		ms = (int64_t)(PREFIX_ADV_TIMEOUT_S * 1000) << d->retries;
	timer_start(ha->env->timers, &d->timer, mono_add_ms(ha_now(ha), ms));
}

static void due(struct timer *t, void *arg)
{
	struct ha_delivery *d = arg;
	struct ha *ha = d->binding->ha;

	(void)t;
	switch (d->state) {
	case QUIET:
	case UNANSWERED:
		enter(ha, d, SCHEDULED);
		return;
	case SCHEDULED:
		d->retries = 0;
		break;
	case SENT:
		if (d->retries == PREFIX_ADV_RETRIES) {
			enter(ha, d, UNANSWERED);
			return;
		}
		d->retries++;
		break;
	}
	advertise(ha, d->binding, 0);
	enter(ha, d, SENT);
}

void ha_prefix_registered(struct ha *ha, struct ha_binding *b)
{
	struct ha_delivery *d = b->delivery;

	if (d) { /* it is alive: what it did not answer is said once more */
		if (d->state == UNANSWERED)
			enter(ha, d, SCHEDULED);
		return;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return;
	d->binding = b;
	timer_init(&d->timer, due, d);
	if (timer_start(ha->env->timers, &d->timer, MONOTIME_NEVER) < 0) {
		free(d);
		return;
	}
	b->delivery = d;
	enter(ha, d, QUIET);
}

void ha_prefix_end(struct ha *ha, struct ha_binding *b)
{
	if (!b->delivery)
		return;
	timer_stop(ha->env->timers, &b->delivery->timer);
	free(b->delivery);
	b->delivery = NULL;
}

void ha_prefix_solicitation(struct ha *ha, const struct mip6_packet *p)
{
	struct ha_binding *b = ha_binding_find(ha, &p->src);
	struct icmp6_message m;

	if (!in6_equal(&p->dst, &ha->config.address))
		return;
	ha->stats.prefix_solicitations++;
	if (!icmp6_parse(p->data, p->len, &m)) {
		ha_bad_packet(ha, p, "Mobile Prefix Solicitation is malformed");
		return;
	}
	if (ha->config.require_ipsec && !(p->flags & MIP6_PKT_PROTECTED)) {
		ha->stats.unprotected++;
		ha_bad_packet(ha, p, "Mobile Prefix Solicitation without IPsec");
		return;
	}
	/* 9.3.1: a Home Address option counts with a binding from there alone. */
	if (!b || b->state != BINDING_ACTIVE || !(p->flags & MIP6_PKT_HAO) ||
		!in6_equal(&b->care_of, &p->src_coa)) {
		ha_bad_packet(ha, p, "Mobile Prefix Solicitation without a binding");
		return;
	}
	if (!log_allowed(&ha->solicitation_limit, ha_now(ha), NULL))
		return;
	advertise(ha, b, m.u.mps.id);
	if (b->delivery)
		enter(ha, b->delivery, QUIET);
}

/* ---- changes ---- */

static struct ha_prefix *find(struct ha *ha, const struct ip6_prefix *prefix)
{
	for (size_t i = 0; i < ha->config.n_prefixes; i++) {
		struct ha_prefix *p = &ha->config.prefixes[i];

		if (p->prefix.plen == prefix->plen && in6_equal(&p->prefix.addr, &prefix->addr))
			return p;
	}
	return NULL;
}

/* A new row, or that of one which is not valid any more. */
static struct ha_prefix *add(struct ha *ha)
{
	struct ha_prefix *p;

	if (ha->config.n_prefixes < HA_MAX_PREFIXES)
		return &ha->config.prefixes[ha->config.n_prefixes++];
	for (size_t i = 0; i < HA_MAX_PREFIXES; i++) {
		p = &ha->config.prefixes[i];
		if (!ha_prefix_left(ha, p, p->valid_s))
			return p;
	}
	return NULL;
}

/* 10.6.4: not longer than the prefix; without any, the node is told before it is let go. */
static void shorten(struct ha *ha, struct ha_binding *b)
{
	uint32_t valid_s = 0, preferred_s;
	monotime_t end;

	if (!ha_prefix_remaining(ha, &b->node.addr, &valid_s, &preferred_s) || !valid_s) {
		if (b->state == BINDING_ACTIVE)
			advertise(ha, b, 0);
		ha_change_state(ha, b, BINDING_NONE, NULL, "prefix removed");
		return;
	}
	end = mono_add_s(ha_now(ha), valid_s);
	if (valid_s != UINT32_MAX && mono_diff_ms(b->expiry.when, end) > 0)
		timer_start(ha->env->timers, &b->expiry, end);
}

/* What is scheduled stays so, unless the new reason cannot wait so long. */
static void schedule(struct ha *ha, struct ha_delivery *d)
{
	monotime_t before = d->timer.when;
	bool was = d->state == SCHEDULED;

	enter(ha, d, SCHEDULED);
	if (was && mono_diff_ms(d->timer.when, before) > 0)
		timer_start(ha->env->timers, &d->timer, before);
}

static void tell_all(struct ha *ha, const struct ip6_prefix *prefix)
{
	struct addr_node *n, *next;

	for (n = addr_table_walk(&ha->cache, NULL); n; n = next) {
		struct ha_binding *b = ADDR_OBJECT(n, struct ha_binding, node);

		next = addr_table_walk(&ha->cache, n);
		if (b->delivery)
			schedule(ha, b->delivery);
		if (b->state != BINDING_INVALID &&
			in6_in_prefix(&b->node.addr, &prefix->addr, prefix->plen))
			shorten(ha, b); /* may free b */
	}
}

int ha_set_prefix(
	struct ha *ha, const struct ip6_prefix *prefix, uint32_t valid_s, uint32_t preferred_s)
{
	struct ha_prefix *p = find(ha, prefix);

	if (ha->withdrawn || preferred_s > valid_s || !prefix->plen || prefix->plen > 120)
		return -EINVAL;
	if (!p && !valid_s)
		return -ENOENT;
	if (!p)
		p = add(ha);
	if (!p)
		return -ENOSPC;
	/* Without time left it stays in the list, so that nodes hear of its end. */
	*p = (struct ha_prefix){.prefix = *prefix,
		.valid_s = valid_s,
		.preferred_s = preferred_s,
		.since = ha_now(ha)};
	tell_all(ha, prefix);
	return 0;
}
