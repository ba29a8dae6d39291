/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Binding Cache of a correspondent (RFC 6275 9.1, 9.3.4, 9.5.5, 9.6).
 *
 * An entry is active, or it is forgotten: then it is there for its sequence
 * number alone, until no Binding Update that was accepted for it could be
 * replayed any more, since one of its nonces has become too old (5.2.8, 9.5.3).
 *
 * Room (9.6).  At most max_bindings are active.  When that many are, a new one
 * takes the place of one that has not been used for CN_IDLE_S, and is refused
 * if the search finds none: whoever makes bindings in masses cannot push out
 * one that carries traffic, and those that he does not use make room for
 * others.  The search goes on where the last one stopped and looks at a few
 * entries, so a flood does not make it long.  Forgotten entries need memory as
 * well: there are never more than twice max_bindings in all.  Pairs with a
 * shared Kbm are the administrator's choice; they always have room, and stay.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/addr.h"
#include "mip6d/proto/cn_internal.h"

#define CN_IDLE_S 60
#define CN_SEARCH_ENTRIES 16
#define CN_SEARCH_BUCKETS 64
#define CN_REFRESH_LEAD_S 30 /* before the end, or a quarter of the lifetime */
#define CN_MAX_REFRESH_REQUESTS 3
#define CN_UNREACHABLE_ERRORS 5 /* as many, over as long, without a longer pause: persistent */
#define CN_UNREACHABLE_S 5
#define CN_UNREACHABLE_PAUSE_S 30

struct cn_binding *cn_binding_find(
	const struct cn *cn, const struct in6_addr *local, const struct in6_addr *home)
{
	struct addr_node *n = addr_table_find(&cn->cache, home);

	for (; n; n = addr_table_find_next(n)) {
		struct cn_binding *b = ADDR_OBJECT(n, struct cn_binding, node);

		if (in6_equal(&b->local, local))
			return b;
	}
	return NULL;
}

bool cn_is_bound_home(const struct cn *cn, const struct in6_addr *home)
{
	struct addr_node *n = addr_table_find(&cn->cache, home);

	for (; n; n = addr_table_find_next(n)) {
		if (ADDR_OBJECT(n, struct cn_binding, node)->state == CN_ACTIVE)
			return true;
	}
	return false;
}

/* ---- room ---- */

static int64_t unused_s(const struct cn *cn, const struct cn_binding *b)
{
	int64_t since = mono_diff_s(cn_now(cn), b->updated);
	int64_t idle = cn->ro->idle_s(cn->ro_ctx, &b->local, &b->node.addr);

	return idle < 0 || idle > since ? since : idle;
}

/* The longest unused of the next few entries. */
static struct cn_binding *find_idle(struct cn *cn)
{
	struct cn_binding *best = NULL;
	size_t entries = 0;
	int64_t most = CN_IDLE_S - 1;

	for (size_t i = 0; i < CN_SEARCH_BUCKETS && entries < CN_SEARCH_ENTRIES; i++) {
		struct addr_node *n;

		cn->hand = (cn->hand + 1) % cn->cache.n_buckets;
		for (n = cn->cache.buckets[cn->hand]; n; n = n->next) {
			struct cn_binding *b = ADDR_OBJECT(n, struct cn_binding, node);
			int64_t unused;

			if (b->state != CN_ACTIVE || b->shared)
				continue;
			entries++;
			unused = unused_s(cn, b);
			if (unused > most) {
				most = unused;
				best = b;
			}
		}
	}
	return best;
}

static bool make_room(struct cn *cn)
{
	struct cn_binding *b;

	if (cn->n_active < cn->config.max_bindings)
		return true;
	b = cn->ro->idle_s ? find_idle(cn) : NULL;
	if (!b)
		return false;
	cn->stats.evicted++;
	cn_change_state(cn, b, CN_FORGOTTEN, NULL, 0, "not used, and the cache is full");
	return true;
}

/* ---- timers ---- */

static void on_expiry(struct timer *t, void *arg)
{
	struct cn_binding *b = arg;

	(void)t;
	if (b->state == CN_ACTIVE)
		b->cn->stats.expirations++;
	cn_change_state(
		b->cn, b, b->state == CN_ACTIVE ? CN_FORGOTTEN : CN_NONE, NULL, 0, "expired");
}

static int64_t refresh_lead_ms(const struct cn_binding *b)
{
	int64_t lead = (int64_t)b->lifetime_s * 1000 / 4;

	return lead < CN_REFRESH_LEAD_S * 1000 ? lead : CN_REFRESH_LEAD_S * 1000;
}

/* 9.5.5: where there was traffic of late, a few times, until the Binding Update comes. */
static void on_refresh(struct timer *t, void *arg)
{
	struct cn_binding *b = arg;
	struct cn *cn = b->cn;
	int64_t idle = cn->ro->idle_s(cn->ro_ctx, &b->local, &b->node.addr);

	if (idle >= 0 && idle <= CN_REFRESH_LEAD_S) {
		cn_send_refresh_request(cn, b);
		b->requests++;
	}
	if (b->requests < CN_MAX_REFRESH_REQUESTS)
		timer_start(cn->env->timers, t, mono_add_ms(cn_now(cn), refresh_lead_ms(b) / 4));
}

static int start_timers(struct cn *cn, struct cn_binding *b)
{
	monotime_t ask = mono_add_ms(b->expires, -refresh_lead_ms(b));
	int err = timer_start(cn->env->timers, &b->expiry, b->expires);

	if (!err && cn->config.refresh && cn->ro->idle_s)
		err = timer_start(cn->env->timers, &b->refresh, ask);
	return err;
}

/* ---- states ---- */

struct cn_binding *cn_binding_new(struct cn *cn, const struct cn_request *r)
{
	struct cn_binding *b;

	if (!r->shared && cn->cache.n >= 2 * (size_t)cn->config.max_bindings)
		return NULL;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->cn = cn;
	b->node.addr = r->home;
	b->local = r->local;
	timer_init(&b->expiry, on_expiry, b);
	timer_init(&b->refresh, on_refresh, b);
	addr_table_add(&cn->cache, &b->node);
	return b;
}

static void tell(
	struct cn *cn, const struct cn_binding *b, enum mip6_event_type type, const char *why)
{
	struct mip6_event e = {
		.type = type,
		.when = cn_now(cn),
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.peer = b->node.addr,
		.status = -1,
		.seq = b->seq,
		.lifetime_s = type == EV_CN_BINDING_GONE ? 0 : b->lifetime_s,
		.text = why,
	};

	cn_emit(cn, &e);
}

/* The number of a valid Binding Update, and how long it could be replayed. */
static void note(struct cn_binding *b, const struct cn_request *r)
{
	b->seq = r->seq;
	if (mono_before(b->nonces_until, r->nonces_until))
		b->nonces_until = r->nonces_until;
}

static void deactivate(struct cn *cn, struct cn_binding *b, const char *why)
{
	int err = cn->ro->peer_set(cn->ro_ctx, &b->local, &b->node.addr, NULL);

	if (err)
		cn_op_failed(cn, "remove the direct path to", &b->node.addr, err);
	b->state = CN_FORGOTTEN;
	cn->n_active--;
	tell(cn, b, EV_CN_BINDING_GONE, why);
}

static void drop(struct cn *cn, struct cn_binding *b)
{
	timer_stop(cn->env->timers, &b->expiry);
	timer_stop(cn->env->timers, &b->refresh);
	addr_table_del(&cn->cache, &b->node);
	free(b);
}

static void forget(struct cn *cn, struct cn_binding *b)
{
	timer_stop(cn->env->timers, &b->refresh);
	if (!mono_before(cn_now(cn), b->nonces_until) ||
		timer_start(cn->env->timers, &b->expiry, b->nonces_until) < 0) {
		drop(cn, b);
		return;
	}
	b->state = CN_FORGOTTEN;
}

static int activate(
	struct cn *cn, struct cn_binding *b, const struct cn_request *r, uint32_t lifetime_s)
{
	bool known = b->state == CN_ACTIVE, moved = known && !in6_equal(&b->care_of, &r->care_of);
	monotime_t now = cn_now(cn);
	int err;

	if (!known && !r->shared && !make_room(cn))
		return -ENOSPC;
	b->lifetime_s = lifetime_s;
	b->expires = mono_add_s(now, lifetime_s);
	b->requests = 0;
	err = start_timers(cn, b);
	if (!err && (!known || moved)) {
		err = cn->ro->peer_set(cn->ro_ctx, &b->local, &b->node.addr, &r->care_of);
		if (err)
			cn_op_failed(cn, "set the direct path to", &b->node.addr, err);
	}
	if (err)
		return err;
	b->care_of = r->care_of;
	b->shared = r->shared != NULL;
	b->updated = now;
	b->unreachable = 0;
	b->state = CN_ACTIVE;
	if (!known) {
		b->created = now;
		b->moves = 0;
		cn->n_active++;
	}
	b->moves += moved;
	cn->stats.moves += moved;
	tell(cn, b,
		moved   ? EV_CN_BINDING_MOVED
		: known ? EV_CN_BINDING_REFRESHED
			: EV_CN_BINDING_NEW,
		NULL);
	return 0;
}

int cn_change_state(struct cn *cn, struct cn_binding *b, enum cn_state to,
	const struct cn_request *r, uint32_t lifetime_s, const char *why)
{
	int err = 0;

	if (r)
		note(b, r);
	if (to == CN_ACTIVE) {
		err = activate(cn, b, r, lifetime_s);
		if (!err)
			return 0;
		/* Packets to where the node has left are worse than packets by its home agent. */
		why = "the direct path cannot be set";
		to = b->state == CN_NONE ? CN_NONE : CN_FORGOTTEN;
	}
	if (b->state == CN_ACTIVE)
		deactivate(cn, b, why);
	if (to == CN_FORGOTTEN)
		forget(cn, b);
	else
		drop(cn, b);
	return err;
}

/*
 * 9.3.4: one error may be the move itself, whose Binding Update is on its way,
 * or come from anybody who knows the addresses.
 */
void cn_binding_unreachable(struct cn *cn, struct cn_binding *b)
{
	monotime_t now = cn_now(cn);

	if (b->state != CN_ACTIVE)
		return;
	if (!b->unreachable || mono_diff_s(now, b->unreachable_last) >= CN_UNREACHABLE_PAUSE_S) {
		b->unreachable = 0;
		b->unreachable_since = now;
	}
	b->unreachable_last = now;
	b->unreachable++;
	if (b->unreachable >= CN_UNREACHABLE_ERRORS &&
		mono_diff_s(now, b->unreachable_since) >= CN_UNREACHABLE_S)
		cn_change_state(cn, b, CN_FORGOTTEN, NULL, 0, "care-of address cannot be reached");
}
