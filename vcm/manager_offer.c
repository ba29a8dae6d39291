/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session consists of (fresh secrets and SPIs for each generation and
 * direction, V7, V12, V15), and what its nodes have to be told because of it:
 * first the store has it, then they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/manager_internal.h"

#define LEAST_SPI 0x1000

/* ---- secrets ---- */

struct vcm_session_secrets *manager_session_secrets_new(void)
{
	return calloc(1, sizeof(struct vcm_session_secrets));
}

void manager_session_wipe(struct session *s)
{
	if (!s->secrets)
		return;
	rr_wipe(s->secrets, sizeof(*s->secrets));
	free(s->secrets);
	s->secrets = NULL;
}

static bool spi_used(const struct context *c, uint32_t spi)
{
	const struct pair_link *l;

	LIST_FOREACH(l, &c->pairs, entry)
	{
		const struct session *s = l->pair->session;
		const struct side *side = s ? &s->sides[l->pair->nodes[1] == c] : NULL;

		if (side && (side->spi == spi || side->old_spi == spi))
			return true;
	}
	return false;
}

static uint32_t new_spi(struct vcm_manager *m, const struct context *c)
{
	uint32_t spi;

	do {
		m->ops->random(m->ctx, &spi, sizeof(spi));
	} while (spi < LEAST_SPI || spi_used(c, spi));
	return spi;
}

static void fill_secrets(
	struct vcm_manager *m, struct vcm_session_secrets *x, const struct vcm_policy *p)
{
	const struct vcm_manager_ops *o = m->ops;

	x->key_len = p->key_len;
	x->has_kcn = p->kcn;
	if (p->variant == VCM_ASYMMETRIC) {
		o->random(m->ctx, x->salt, sizeof(x->salt));
		return;
	}
	o->random(m->ctx, x->key_ab, p->key_len);
	if (p->shared_key)
		memcpy(x->key_ba, x->key_ab, p->key_len);
	else
		o->random(m->ctx, x->key_ba, p->key_len);
	if (!p->kcn)
		return;
	x->kcn.kcn_len = RR_KCN_LEN;
	x->kcn.home_nonce_len = x->kcn.care_of_nonce_len = RR_NONCE_LEN;
	o->random(m->ctx, x->kcn.kcn, x->kcn.kcn_len);
	o->random(m->ctx, x->kcn.home_nonce, x->kcn.home_nonce_len);
	o->random(m->ctx, x->kcn.care_of_nonce, x->kcn.care_of_nonce_len);
}

bool manager_session_secrets(struct session *s, const struct vcm_policy *p)
{
	struct vcm_manager *m = s->pair->m;
	struct vcm_session_secrets *x = manager_session_secrets_new();

	if (!x)
		return false;
	manager_session_wipe(s);
	s->secrets = x;
	fill_secrets(m, x, p);
	s->generation++;
	s->variant = p->variant;
	memcpy(s->algorithm, p->algorithm, strlen(p->algorithm) + 1);
	s->lifetime_s = p->lifetime_s;
	s->linger_s = p->linger_s;
	s->offered = manager_now(m);
	s->offered_at = m->ops->wall(m->ctx);
	s->ends = mono_add_s(s->offered, p->lifetime_s);
	s->ends_at = s->offered_at + p->lifetime_s;
	for (int i = 0; i < 2; i++) {
		struct side *side = &s->sides[i];
		uint32_t old = side->spi;

		*side = (struct side){.old_spi = old};
		side->spi = new_spi(m, s->pair->nodes[i]);
		side->old_spi = old;
	}
	return true;
}

bool manager_session_inviting(const struct session *s)
{
	return s->variant == VCM_ASYMMETRIC && s->secrets &&
	       !(s->secrets->has_public_a && s->secrets->has_public_b);
}

/* ---- the record ---- */

void manager_session_record(const struct session *s, struct vcm_session_record *r)
{
	const struct side *a = &s->sides[0], *b = &s->sides[1];

	*r = (struct vcm_session_record){.id = s->id,
		.generation = s->generation,
		.a = s->pair->nodes[0]->node.addr,
		.b = s->pair->nodes[1]->node.addr,
		.state = s->state,
		.ready_a = a->ready,
		.ready_b = b->ready,
		.active_a = a->active,
		.active_b = b->active,
		.variant = s->variant,
		.lifetime_s = s->lifetime_s,
		.linger_s = s->linger_s,
		.offered_at = s->offered_at,
		.ends_at = s->ends_at,
		.spi_a = a->spi,
		.spi_b = b->spi};
	memcpy(r->algorithm, s->algorithm, sizeof(r->algorithm));
	if (s->secrets)
		r->secrets = *s->secrets;
}

static bool save(struct session *s)
{
	struct vcm_manager *m = s->pair->m;
	struct vcm_session_record r;

	manager_session_record(s, &r);
	s->unsaved = m->ops->session_put(m->ctx, &r) != 0;
	rr_wipe(&r, sizeof(r));
	return !s->unsaved;
}

/* ---- messages ---- */

static const enum vcm_type types[KINDS] = {[SAY_INVITE] = VCM_INVITE,
	[SAY_OFFER] = VCM_OFFER,
	[SAY_PEER_READY] = VCM_PEER_READY,
	[SAY_END] = VCM_END,
	[SAY_CLOSE] = VCM_CLOSE};

static uint64_t token_of(const struct session *s, int side, enum kind kind)
{
	return s->id << 4 | (uint64_t)kind << 1 | (unsigned)side;
}

static void put_peer(const struct session *s, int side, struct vcm_message *m)
{
	const struct context *peer = s->pair->nodes[!side];

	m->has |= VCM_HAS_PEER;
	m->peer_internal = peer->node.addr;
	m->peer_home = peer->home;
}

static void put_keys(const struct session *s, int side, struct vcm_message *m)
{
	const struct vcm_session_secrets *x = s->secrets;
	const uint8_t *in = side ? x->key_ab : x->key_ba, *out = side ? x->key_ba : x->key_ab;

	m->in.key_len = m->out.key_len = x->key_len;
	memcpy(m->in.key, in, x->key_len);
	memcpy(m->out.key, out, x->key_len);
	m->kcn = x->kcn;
}

static void put_public(const struct session *s, int side, struct vcm_message *m)
{
	const struct vcm_session_secrets *x = s->secrets;

	m->has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
	memcpy(m->public_key, side ? x->public_a : x->public_b, sizeof(m->public_key));
	memcpy(m->salt, x->salt, sizeof(m->salt));
}

static uint32_t lifetime_left(const struct session *s)
{
	int64_t left = mono_diff_s(s->ends, manager_now(s->pair->m));

	return left > LEAST_OFFER_S ? (uint32_t)left : LEAST_OFFER_S;
}

static void put_offer(const struct session *s, int side, struct vcm_message *m)
{
	put_peer(s, side, m);
	m->has |= VCM_HAS_ALGORITHM | VCM_HAS_SA_IN | VCM_HAS_SA_OUT | VCM_HAS_LIFETIME;
	memcpy(m->algorithm, s->algorithm, sizeof(m->algorithm));
	m->in.spi = s->sides[side].spi;
	m->out.spi = s->sides[!side].spi;
	m->lifetime_s = lifetime_left(s);
	m->linger_s = s->linger_s;
	if (s->variant == VCM_ASYMMETRIC)
		put_public(s, side, m);
	else
		put_keys(s, side, m);
	if (s->secrets->has_kcn &&
		s->state != VCM_S_REKEYING) /* both have one of this session already */
		m->has |= VCM_HAS_KCN;
}

static bool say(struct session *s, int side, enum kind kind)
{
	struct vcm_manager *m = s->pair->m;
	const struct in6_addr *to = &s->pair->nodes[side]->node.addr;
	struct vcm_message out = {.type = types[kind],
		.has = VCM_HAS_SESSION,
		.session = s->id,
		.generation = s->generation};
	int err;

	if (kind == SAY_INVITE)
		put_peer(s, side, &out);
	if (kind == SAY_OFFER)
		put_offer(s, side, &out);
	if (kind == SAY_END) {
		out.has |= VCM_HAS_REASON;
		out.reason = s->reason;
	}
	if (kind == SAY_CLOSE && s->state != VCM_S_ENDING)
		out.generation--;
	vcm_exchange_cancel(m->exchange, to, token_of(s, side, kind));
	err = vcm_exchange_send(m->exchange, to, &out, token_of(s, side, kind));
	vcm_message_wipe(&out);
	return !err;
}

/* Inbound may go when nobody sends by it any more. */
static unsigned owed_at_end(const struct side *own, const struct side *peer)
{
	if (!own->told)
		return 1u << SAY_END;
	return peer->told && !own->closed && !own->lost ? 1u << SAY_CLOSE : 0;
}

/* Which messages this node has to have, as things stand. */
static unsigned owed(const struct session *s, int side)
{
	const struct side *own = &s->sides[side], *peer = &s->sides[!side];
	const struct vcm_session_secrets *x = s->secrets;
	unsigned due = 0;

	if (s->state == VCM_S_ENDING)
		return owed_at_end(own, peer);
	if (manager_session_inviting(s))
		return (side ? x->has_public_b : x->has_public_a) ? 0 : 1u << SAY_INVITE;
	if (!own->ready)
		due |= 1u << SAY_OFFER;
	if (peer->ready && !own->active)
		due |= 1u << SAY_PEER_READY;
	if (own->active && peer->active && s->generation > 1 && !own->old_closed)
		due |= 1u << SAY_CLOSE;
	return due;
}

static bool say_to(struct session *s, int side)
{
	struct side *own = &s->sides[side];
	const struct in6_addr *to = &s->pair->nodes[side]->node.addr;
	unsigned due = owed(s, side);
	bool all = true;

	for (int kind = 0; kind < KINDS; kind++) {
		unsigned bit = 1u << kind;

		if (own->said & bit && !(due & bit)) {
			vcm_exchange_cancel(
				s->pair->m->exchange, to, token_of(s, side, (enum kind)kind));
		} else if (due & bit && !(own->said & bit)) {
			if (say(s, side, (enum kind)kind))
				own->said |= (uint8_t)bit;
			else
				all = false;
		}
	}
	return all;
}

void manager_session_unsay(struct session *s)
{
	for (int side = 0; side < 2; side++) {
		for (int kind = 0; kind < KINDS; kind++)
			if (s->sides[side].said & 1u << kind)
				vcm_exchange_cancel(s->pair->m->exchange,
					&s->pair->nodes[side]->node.addr,
					token_of(s, side, (enum kind)kind));
		s->sides[side].said = 0;
	}
}

static bool is_over(const struct session *s)
{
	for (int side = 0; side < 2; side++)
		if (s->state != VCM_S_ENDING || owed(s, side))
			return false;
	return true;
}

void manager_session_commit(struct session *s)
{
	monotime_t soon = mono_add_s(manager_now(s->pair->m), SAVE_AGAIN_S);

	if (s->resting)
		return;
	if (is_over(s)) { /* not from within what may still look at it */
		s->deadline = manager_now(s->pair->m);
		manager_session_arm(s);
		return;
	}
	if (s->unsaved && !save(s)) {
		manager_session_retry_at(s, soon);
		return;
	}
	for (int side = 0; side < 2; side++)
		if (!say_to(s, side))
			manager_session_retry_at(s, soon);
}

/* ---- what became of them ---- */

static struct session *of_token(struct vcm_manager *m, const struct in6_addr *to, uint64_t token,
	int *side, enum kind *kind)
{
	struct session *s = manager_session_find(m, token >> 4);

	*side = (int)(token & 1);
	*kind = (enum kind)(token >> 1 & 7);
	if (!s || *kind >= KINDS || !in6_equal(&s->pair->nodes[*side]->node.addr, to))
		return NULL;
	return s;
}

/*
 * Its gateway knows earlier than the node itself that it is outside; with two
 * links it is still inside for itself for a while.  Then it says PLACE.
 */
static void wait_for_place(struct session *s)
{
	unsigned wait_s = 1u << s->waits;

	s->waits += wait_s < WAIT_MOST_S;
	manager_session_retry_at(s, mono_add_s(manager_now(s->pair->m), wait_s));
}

void manager_session_say_again(struct session *s)
{
	if (s->waits && (s->state == VCM_S_INVITED || s->state == VCM_S_OFFERED))
		manager_session_commit(s);
}

/* INVITE, OFFER or PEER-READY was not taken. */
static void not_taken(struct session *s, struct side *own, enum kind kind, enum vcm_status status)
{
	struct pair *p = s->pair;

	if (status == VCM_NOT_OUTSIDE && (s->state == VCM_S_INVITED || s->state == VCM_S_OFFERED)) {
		own->said &= (uint8_t) ~(1u << kind);
		wait_for_place(s);
		return;
	}

	manager_audit(p->m, "session-not-taken", s, NULL, NULL, vcm_status_name(status));
	if (status == VCM_SPI_TAKEN)
		manager_session_other_spis(s);
	else
		manager_session_end(
			s, VCM_PEER, status != VCM_UNSUPPORTED && status != VCM_MALFORMED);
}

/* END and CLOSE: whatever it says to it, it does not use the session. */
static bool heard(struct session *s, struct side *own, enum kind kind)
{
	if (kind == SAY_END)
		own->told = true;
	else if (kind == SAY_CLOSE && s->state == VCM_S_ENDING)
		own->closed = true;
	else if (kind == SAY_CLOSE)
		own->old_closed = true;
	else
		return false;
	manager_session_commit(s);
	return true;
}

void manager_acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status)
{
	struct vcm_manager *m = ctx;
	enum kind kind;
	int side;
	struct session *s = of_token(m, to, token, &side, &kind);

	if (s && !heard(s, &s->sides[side], kind) && status && s->state != VCM_S_ENDING)
		not_taken(s, &s->sides[side], kind, status);
}

/* What a node with which one cannot speak uses, ends with its lifetime. */
void manager_failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	struct vcm_manager *m = ctx;
	enum kind kind;
	int side;
	struct session *s = of_token(m, to, token, &side, &kind);
	monotime_t now = manager_now(m);

	if (!s)
		return;
	s->sides[side].said &= (uint8_t) ~(1u << kind);
	if (kind == SAY_CLOSE)
		(void)heard(s, &s->sides[side], kind);
	else if (kind == SAY_END)
		manager_session_retry_at(s, mono_add_s(now, END_AGAIN_S));
	else if (s->state == VCM_S_REKEYING)
		manager_session_retry_at(s, mono_add_s(now, SAVE_AGAIN_S));
	else if (s->state != VCM_S_ENDING)
		manager_session_end(s, VCM_PEER, true);
}

/* Its receiver counts from receipt: nobody shall send longer than the other receives. */
void manager_sending(void *ctx, const struct in6_addr *to, uint64_t token, struct vcm_message *r)
{
	enum kind kind;
	int side;
	const struct session *s = of_token(ctx, to, token, &side, &kind);

	if (s && kind == SAY_OFFER)
		r->lifetime_s = lifetime_left(s);
}
