/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The binding cache of the home agent (RFC 6275 9.1, 10.1): entries marked as
 * home registrations, each in one state.
 *
 *	NONE -> DAD      first registration on a real home link (10.3.1)
 *	NONE -> ACTIVE   the same on a virtual home link, or restored
 *	DAD -> ACTIVE    nobody else has the home address
 *	DAD, ACTIVE, INVALID -> INVALID   de-registered (10.3.2)
 *	INVALID -> DAD, ACTIVE   registered again: the sequence number still counted
 *	any -> NONE      expired, duplicate, removed by hand
 *
 * An invalid entry defends and forwards nothing.  It is kept for
 * MAX_DELETE_BCE_TIMEOUT so that a delayed older Binding Update is refused.
 */
#include <errno.h>
#include <stdlib.h>

#include "mip6d/proto/ha_internal.h"

struct ha_binding *ha_binding_find(const struct ha *ha, const struct in6_addr *home_address)
{
	struct addr_node *n = addr_table_find(&ha->cache, home_address);

	return n ? ADDR_OBJECT(n, struct ha_binding, node) : NULL;
}

static void expire(struct timer *t, void *arg)
{
	struct ha_binding *b = arg;
	struct ha *ha = b->ha;

	(void)t;
	if (b->state != BINDING_INVALID)
		ha->stats.expirations++;
	ha_change_state(ha, b, BINDING_NONE, NULL, "expired");
}

struct ha_binding *ha_binding_new(struct ha *ha, const struct in6_addr *home_address)
{
	struct ha_binding *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->node.addr = *home_address;
	b->ha = ha;
	b->created = ha_now(ha);
	b->state = BINDING_NONE;
	timer_init(&b->expiry, expire, b);
	/* From here on the timer runs always and is only moved, which cannot fail. */
	if (timer_start(ha->env->timers, &b->expiry, MONOTIME_NEVER) < 0) {
		free(b);
		return NULL;
	}
	addr_table_add(&ha->cache, &b->node);
	return b;
}

static uint32_t remaining_s(const struct ha *ha, const struct ha_binding *b)
{
	int64_t s = mono_diff_s(b->expiry.when, ha_now(ha));

	if (s <= 0)
		return 0;
	return s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static void store(struct ha *ha, const struct ha_binding *b)
{
	struct ha_binding_record r = {
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.seq = b->seq,
		.flags = b->flags,
		.lifetime_s = b->lifetime_s,
		.remaining_s = remaining_s(ha, b),
		.invalid = b->state == BINDING_INVALID,
		.n_networks = b->n_networks,
		.networks = b->networks,
	};

	if (ha->ops->store_put)
		ha->ops->store_put(ha->ops_ctx, &r);
}

static void expire_in(struct ha *ha, struct ha_binding *b, int64_t ms)
{
	timer_start(ha->env->timers, &b->expiry, mono_add_ms(ha_now(ha), ms));
}

static int set_forwarding(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	int err;

	if (!b->forwarding || !in6_equal(&b->care_of, &r->care_of)) {
		err = ha->ops->forward_set(ha->ops_ctx, &b->node.addr, &r->care_of);
		if (err) {
			ha_op_failed(ha, "set forwarding of", &b->node.addr, err);
			return err;
		}
		b->forwarding = true;
	}
	err = ha_nemo_forward(ha, b, r);
	if (err)
		ha_op_failed(ha, "set forwarding of the networks of", &b->node.addr, err);
	return err;
}

static void unset_forwarding(struct ha *ha, struct ha_binding *b)
{
	int err;

	if (!b->forwarding)
		return;
	b->forwarding = b->networks_forwarded = false;
	err = ha->ops->forward_del(ha->ops_ctx, &b->node.addr);
	if (err)
		ha_op_failed(ha, "delete forwarding of", &b->node.addr, err);
}

static void take(struct ha_binding *b, const struct ha_request *r)
{
	b->care_of = r->care_of;
	/* While DAD ran for this request a later one may have been refused: its number counts. */
	if (b->state == BINDING_NONE || ha_seq_is_greater(r->answer.seq, b->seq))
		b->seq = r->answer.seq;
	b->flags = r->flags;
}

/*
 * Optimistic forwarding is an extra: it may fail, and is tried again when the
 * binding becomes active.  What waits for DAD is not stored, as nothing was
 * promised yet.
 */
static int enter_dad(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	int err = ha_dad_start(ha, b, r);

	if (err)
		return err;
	if (ha->config.optimistic && set_forwarding(ha, b, r) && b->forwarding)
		unset_forwarding(ha, b); /* it would go to the old care-of address */
	take(b, r);
	b->lifetime_s = (uint32_t)r->lifetime * MIP6_LIFETIME_UNIT;
	expire_in(ha, b, (int64_t)b->lifetime_s * 1000);
	b->state = BINDING_DAD;
	return 0;
}

static int enter_active(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	uint32_t left;
	int err = set_forwarding(ha, b, r);

	if (err)
		return err;
	take(b, r);
	b->lifetime_s =
		r->restored ? r->restored->lifetime_s : (uint32_t)r->granted * MIP6_LIFETIME_UNIT;
	left = r->restored ? r->restored->remaining_s : b->lifetime_s;
	expire_in(ha, b, (int64_t)left * 1000);
	b->state = BINDING_ACTIVE;
	ha_defend(ha, b, r->restored ? HA_DEFEND_RESTORED : HA_DEFEND_ONE);
	if (!ha_revocation_bars(b))
		ha_revocation_end(ha, b); /* RFC 5846 7: the update was accepted */
	ha_heartbeat_registered(ha, b);
	ha_prefix_registered(ha, b);
	if (!r->restored)
		store(ha, b);
	return 0;
}

/* 10.3.2: stop intercepting; what follows may be answered on the home link. */
static void enter_invalid(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	ha_undefend(ha, b);
	ha_signals_end(ha, b);
	unset_forwarding(ha, b);
	ha_nemo_forget(b);
	b->seq = r->answer.seq;
	b->state = BINDING_INVALID;
	if (r->restored) {
		b->care_of = r->restored->care_of;
		b->flags = r->restored->flags;
		b->lifetime_s = r->restored->lifetime_s;
	}
	expire_in(ha, b,
		r->restored ? (int64_t)r->restored->remaining_s * 1000
			    : MIP6_MAX_DELETE_BCE_TIMEOUT);
	if (!r->restored)
		store(ha, b);
}

static void enter_none(struct ha *ha, struct ha_binding *b)
{
	ha_undefend(ha, b);
	ha_signals_end(ha, b);
	unset_forwarding(ha, b);
	timer_stop(ha->env->timers, &b->expiry);
	/* Nothing is in the store if it never was more than a request; deleting that is harmless. */
	if (b->state != BINDING_NONE && ha->ops->store_del)
		ha->ops->store_del(ha->ops_ctx, &b->node.addr);
	addr_table_del(&ha->cache, &b->node);
	b->state = BINDING_NONE;
}

static bool alive(enum binding_state s)
{
	return s == BINDING_DAD || s == BINDING_ACTIVE;
}

/* Which event a change is; false: none worth telling. */
static bool classify(
	enum binding_state from, enum binding_state to, bool moved, enum mip6_event_type *type)
{
	if (!alive(to)) {
		*type = EV_BINDING_GONE;
		return alive(from);
	}
	if (alive(from) && moved)
		*type = EV_BINDING_MOVED;
	else if (from == BINDING_ACTIVE)
		*type = EV_BINDING_REFRESHED;
	else
		*type = EV_BINDING_NEW;
	return !(from == BINDING_DAD && to == BINDING_DAD && !moved);
}

static void count(struct ha *ha, enum binding_state from, enum binding_state to, bool moved)
{
	if (to == BINDING_ACTIVE && from != BINDING_ACTIVE)
		ha->stats.registrations++;
	else if (alive(to) && moved)
		ha->stats.moves++;
	else if (to == BINDING_ACTIVE)
		ha->stats.refreshes++;
	else if (to == BINDING_INVALID && alive(from))
		ha->stats.deregistrations++;
}

static void tell(struct ha *ha, const struct ha_binding *b, enum binding_state from,
	const struct ha_request *r, bool moved, const char *why)
{
	struct mip6_event e = {
		.when = ha_now(ha),
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.peer = r ? r->answer.source : in6addr_any,
		.status = b->state == BINDING_ACTIVE && r ? r->status : -1,
		.seq = b->seq,
		.lifetime_s = alive(b->state) ? b->lifetime_s : 0,
		.text = why,
	};

	if (r && r->restored)
		e.status = -1;
	if (classify(from, b->state, moved, &e.type))
		ha_emit(ha, &e);
}

int ha_change_state(struct ha *ha, struct ha_binding *b, enum binding_state to,
	const struct ha_request *r, const char *why)
{
	enum binding_state from = b->state;
	bool moved = r && alive(from) && alive(to) && !in6_equal(&b->care_of, &r->care_of);
	int err = 0;

	switch (to) {
	case BINDING_NONE:
		enter_none(ha, b);
		break;
	case BINDING_DAD:
		err = enter_dad(ha, b, r);
		break;
	case BINDING_ACTIVE:
		err = enter_active(ha, b, r);
		break;
	case BINDING_INVALID:
		enter_invalid(ha, b, r);
		break;
	}
	if (err)
		return err;
	ha->n_invalid -= from == BINDING_INVALID;
	ha->n_invalid += to == BINDING_INVALID;
	b->moves += moved;
	if (!r || !r->restored)
		count(ha, from, to, moved);
	tell(ha, b, from, r, moved, why);
	if (to == BINDING_NONE) {
		free(b->identifier);
		ha_nemo_forget(b);
		free(b);
	}
	return 0;
}

void ha_binding_note_seq(struct ha *ha, struct ha_binding *b, uint16_t seq)
{
	b->seq = seq;
	if (b->state == BINDING_ACTIVE || b->state == BINDING_INVALID)
		store(ha, b);
}

/* ---- restart, removal, questions ---- */

static bool record_is_sane(const struct ha *ha, const struct ha_binding_record *r)
{
	return in6_is_routable_unicast(&r->home_address) && in6_is_routable_unicast(&r->care_of) &&
	       !in6_equal(&r->home_address, &r->care_of) &&
	       !in6_equal(&r->home_address, &ha->config.address);
}

/*
 * What was promised before the restart stays promised, but for a home address
 * that the configuration no longer serves, and for no longer than its prefix
 * is valid (10.3.1).  The limit of bindings is not applied.
 */
int ha_restore(struct ha *ha, const struct ha_binding_record *record)
{
	struct ha_binding_record rec = *record;
	struct ha_request r = {.restored = &rec, .care_of = rec.care_of, .flags = rec.flags};
	uint32_t valid_s, preferred_s;
	struct ha_binding *b;
	int err;

	if (ha->withdrawn || !record_is_sane(ha, &rec))
		return -EINVAL;
	if (!ha_prefix_remaining(ha, &rec.home_address, &valid_s, &preferred_s) ||
		!ha_may_register(ha, &rec.home_address))
		return -EACCES;
	if (rec.invalid)
		valid_s = MIP6_MAX_DELETE_BCE_TIMEOUT / 1000;
	if (rec.remaining_s > valid_s)
		rec.remaining_s = valid_s;
	if (!rec.remaining_s)
		return -ETIMEDOUT;
	if (ha_binding_find(ha, &rec.home_address))
		return -EEXIST;
	r.answer.home_address = rec.home_address;
	err = rec.invalid ? 0 : ha_nemo_restore(ha, &r, &rec);
	if (err)
		return err;
	b = ha_binding_new(ha, &rec.home_address);
	if (!b)
		return -ENOMEM;
	if (rec.lifetime_s > rec.remaining_s)
		b->created = mono_add_s(b->created, -(int64_t)(rec.lifetime_s - rec.remaining_s));
	r.answer.seq = rec.seq;
	err = ha_change_state(
		ha, b, rec.invalid ? BINDING_INVALID : BINDING_ACTIVE, &r, "restored");
	if (err)
		ha_change_state(ha, b, BINDING_NONE, NULL, "not restored");
	return err;
}

bool ha_remove(struct ha *ha, const struct in6_addr *home_address)
{
	struct ha_binding *b = ha_binding_find(ha, home_address);

	if (!b || ha->withdrawn)
		return false;
	ha_change_state(ha, b, BINDING_NONE, NULL, "removed by hand");
	return true;
}

/* Not a change of state: the bindings live on in the store. */
void ha_withdraw(struct ha *ha)
{
	for (struct addr_node *n = NULL; (n = addr_table_walk(&ha->cache, n));) {
		struct ha_binding *b = ADDR_OBJECT(n, struct ha_binding, node);

		ha_undefend(ha, b);
		ha_signals_end(ha, b);
		unset_forwarding(ha, b);
		timer_stop(ha->env->timers, &b->expiry);
	}
	ha_switch_all_end(ha);
	ha_list_end(ha);
	ha->withdrawn = true;
}

static void describe(const struct ha *ha, const struct ha_binding *b, struct ha_binding_info *i)
{
	*i = (struct ha_binding_info){
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.state = b->state == BINDING_DAD      ? HA_BINDING_DAD
			 : b->state == BINDING_ACTIVE ? HA_BINDING_ACTIVE
						      : HA_BINDING_INVALID,
		.seq = b->seq,
		.flags = b->flags,
		.lifetime_s = b->lifetime_s,
		.remaining_s = remaining_s(ha, b),
		.age_s = (uint32_t)mono_diff_s(ha_now(ha), b->created),
		.moves = b->moves,
		.revoking = b->revocation,
		.switching = b->switching,
		.unreachable = ha_heartbeat_lost(b),
		.identifier = b->identifier,
		.n_networks = b->n_networks,
		.networks = b->networks,
	};
}

size_t ha_count(const struct ha *ha)
{
	return ha->cache.n - ha->n_invalid;
}

void ha_foreach(struct ha *ha, bool (*fn)(void *arg, const struct ha_binding_info *i), void *arg)
{
	struct ha_binding_info i;

	for (struct addr_node *n = NULL; (n = addr_table_walk(&ha->cache, n));) {
		describe(ha, ADDR_OBJECT(n, struct ha_binding, node), &i);
		if (!fn(arg, &i))
			return;
	}
}

bool ha_find(struct ha *ha, const struct in6_addr *home_address, struct ha_binding_info *i)
{
	struct ha_binding *b = ha_binding_find(ha, home_address);

	if (b)
		describe(ha, b, i);
	return b;
}
