/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/reconcile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ipsec-glue/marks.h"

enum kind { SA, RO, POLICY };

/* What identifies an object in the kernel; zeroed before it is filled, as it is compared as octets. */
struct key {
	struct in6_addr src, dst;
	uint32_t spi;
	int16_t type;
	uint8_t kind, family, proto, src_plen, dst_plen, dir, marked;
};

struct entry {
	struct key key;
	const void *there; /* ipsec_sa_info, ipsec_ro, ipsec_policy; NULL: there is none */
	const struct ipsec_op *wanted; /* NULL: nobody wants it */
	UT_hash_handle hh;
};

struct compare {
	struct entry *table, *entries;
	size_t n;
	ipsec_owns_fn *owns;
	void *ctx;
	struct ipsec_plan *mend;
	ipsec_difference_fn *tell;
	void *tell_ctx;
	int differences;
};

/* ---- keys ---- */

static struct key sa_key(const struct ipsec_sa *sa)
{
	struct key k;

	memset(&k, 0, sizeof(k));
	k.kind = SA;
	k.dst = sa->dst;
	k.spi = sa->spi;
	return k;
}

static struct key ro_key(const struct ipsec_ro *ro)
{
	struct key k;

	memset(&k, 0, sizeof(k));
	k.kind = RO;
	k.src = ro->src;
	k.dst = ro->dst;
	k.proto = ro->proto;
	return k;
}

static struct key policy_key(const struct ipsec_policy *p)
{
	struct key k;

	memset(&k, 0, sizeof(k));
	k.kind = POLICY;
	k.src = p->sel.src.addr;
	k.dst = p->sel.dst.addr;
	k.src_plen = p->sel.src.plen;
	k.dst_plen = p->sel.dst.plen;
	k.family = p->sel.family;
	k.proto = p->sel.proto;
	k.type = p->sel.type;
	k.dir = (uint8_t)p->dir;
	k.marked = p->marked;
	return k;
}

static struct entry *entry_of(struct compare *c, const struct key *k)
{
	struct entry *e;

	HASH_FIND(hh, c->table, k, sizeof(*k), e);
	if (e)
		return e;
	e = &c->entries[c->n++];
	e->key = *k;
	HASH_ADD(hh, c->table, key, sizeof(e->key), e);
	return e;
}

static void index_there(struct compare *c, const struct ipsec_snapshot *s)
{
	struct key k;

	for (size_t i = 0; i < s->n_sas; i++) {
		k = sa_key(&s->sas[i].sa);
		entry_of(c, &k)->there = &s->sas[i];
	}
	for (size_t i = 0; i < s->n_ros; i++) {
		k = ro_key(&s->ros[i]);
		entry_of(c, &k)->there = &s->ros[i];
	}
	for (size_t i = 0; i < s->n_policies; i++) {
		k = policy_key(&s->policies[i]);
		entry_of(c, &k)->there = &s->policies[i];
	}
}

static void index_wanted(struct compare *c, const struct ipsec_plan *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct ipsec_op *op = &wanted->ops[i];
		struct key k;

		if (op->type == IPSEC_SA_ADD)
			k = sa_key(&op->sa);
		else if (op->type == IPSEC_RO_SET)
			k = ro_key(&op->ro);
		else if (op->type == IPSEC_POLICY_SET)
			k = policy_key(&op->policy);
		else
			continue;
		entry_of(c, &k)->wanted = op;
	}
}

/* ---- comparing ---- */

static bool same_prefix(const struct ip6_prefix *a, const struct ip6_prefix *b)
{
	return a->plen == b->plen && in6_equal(&a->addr, &b->addr);
}

static bool same_selector(const struct ipsec_selector *a, const struct ipsec_selector *b)
{
	return a->family == b->family && a->proto == b->proto && a->type == b->type &&
	       same_prefix(&a->src, &b->src) && same_prefix(&a->dst, &b->dst);
}

static bool same_sa(const struct ipsec_sa *want, const struct ipsec_sa *have)
{
	if (want->has_sel != have->has_sel || (want->has_sel && !same_selector(&want->sel, &have->sel)))
		return false;
	return in6_equal(&want->src, &have->src) && want->reqid == have->reqid && want->mode == have->mode &&
	       want->algorithm == have->algorithm && want->esn == have->esn &&
	       (!want->replay_window || want->replay_window == have->replay_window);
}

static bool same_ro(const struct ipsec_ro *want, const struct ipsec_ro *have)
{
	return want->wildcard == have->wildcard && in6_equal(&want->care_of, &have->care_of);
}

static bool same_template(const struct ipsec_template *a, const struct ipsec_template *b)
{
	return a->proto == b->proto && a->mode == b->mode && a->optional == b->optional &&
	       a->reqid == b->reqid && in6_equal(&a->src, &b->src) && in6_equal(&a->dst, &b->dst);
}

static bool same_policy(const struct ipsec_policy *want, const struct ipsec_policy *have)
{
	if (want->priority != have->priority || want->block != have->block ||
		want->n_templates != have->n_templates)
		return false;
	for (size_t i = 0; i < want->n_templates; i++)
		if (!same_template(&want->templates[i], &have->templates[i]))
			return false;
	return true;
}

static bool same(const struct entry *e)
{
	switch ((enum kind)e->key.kind) {
	case SA:
		return same_sa(&e->wanted->sa, &((const struct ipsec_sa_info *)e->there)->sa);
	case RO:
		return same_ro(&e->wanted->ro, e->there);
	case POLICY:
		return same_policy(&e->wanted->policy, e->there);
	}
	return true;
}

/* ---- mending ---- */

static void tell(struct compare *c, enum ipsec_difference d, const struct ipsec_op *op)
{
	c->differences++;
	if (c->tell)
		c->tell(c->tell_ctx, d, op);
}

static struct ipsec_op *append(struct compare *c, const struct ipsec_op *op, enum ipsec_op_type type)
{
	struct ipsec_op *to = ipsec_plan_add(c->mend, type);

	if (!to)
		return NULL;
	*to = *op;
	to->type = type;
	return to;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Another SA is in its place: numbers go on, should it have the same key. */
static void replace_sa(struct compare *c, const struct entry *e)
{
	const struct ipsec_sa *have = &((const struct ipsec_sa_info *)e->there)->sa;
	struct ipsec_op *op;

	if (!append(c, e->wanted, IPSEC_SA_DEL))
		return;
	op = append(c, e->wanted, IPSEC_SA_ADD);
	if (!op)
		return;
	op->sa.sent = later(op->sa.sent, have->sent ? have->sent + IPSEC_SEQUENCE_GAP : 0);
	op->sa.received = later(op->sa.received, have->received);
}

static void mend_wanted(struct compare *c, const struct entry *e)
{
	tell(c, e->there ? IPSEC_IS_DIFFERENT : IPSEC_IS_MISSING, e->wanted);
	if (e->key.kind == SA && e->there)
		replace_sa(c, e);
	else
		append(c, e->wanted, e->wanted->type);
}

bool ipsec_priority_of_nodes(uint32_t priority)
{
	return priority == GLUE_PRIO_OPEN || priority == GLUE_PRIO_SIGNAL_MH ||
	       priority == GLUE_PRIO_SIGNAL_ICMP || priority == GLUE_PRIO_DATA_MH ||
	       priority == GLUE_PRIO_DATA;
}

static bool lets_pass(const struct ipsec_policy *p)
{
	return !p->block && !p->n_templates;
}

static void drop_surplus(struct compare *c, const struct entry *e)
{
	struct ipsec_op op = {.type = IPSEC_SA_DEL};

	if (e->key.kind == SA) {
		op.sa = ((const struct ipsec_sa_info *)e->there)->sa;
	} else if (e->key.kind == RO) {
		op.type = IPSEC_RO_DEL;
		op.ro = *(const struct ipsec_ro *)e->there;
	} else {
		op.type = IPSEC_POLICY_DEL;
		op.policy = *(const struct ipsec_policy *)e->there;
	}
	if (!c->owns || !c->owns(c->ctx, &op))
		return;
	tell(c, IPSEC_IS_SURPLUS, &op);
	append(c, &op, op.type);
}

/* Which difference is mended when. */
enum turn { SAS, STATES, PROTECTING, PASSING, SURPLUS_PASSING, SURPLUS_POLICIES, SURPLUS_STATES, SURPLUS_SAS, TURNS };

static enum turn turn_of(const struct entry *e)
{
	const struct ipsec_policy *p;

	switch ((enum kind)e->key.kind) {
	case SA:
		return e->wanted ? SAS : SURPLUS_SAS;
	case RO:
		return e->wanted ? STATES : SURPLUS_STATES;
	case POLICY:
		break;
	}
	p = e->wanted ? &e->wanted->policy : e->there;
	if (e->wanted)
		return lets_pass(p) ? PASSING : PROTECTING;
	return lets_pass(p) ? SURPLUS_PASSING : SURPLUS_POLICIES;
}

static void mend_all(struct compare *c)
{
	for (int turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < c->n; i++) {
			const struct entry *e = &c->entries[i];

			if (turn_of(e) != (enum turn)turn || (e->wanted && e->there && same(e)))
				continue;
			if (e->wanted)
				mend_wanted(c, e);
			else
				drop_surplus(c, e);
		}
}

int ipsec_reconcile(const struct ipsec_plan *wanted, const struct ipsec_snapshot *there,
	ipsec_owns_fn *owns, void *ctx, struct ipsec_plan *mend, ipsec_difference_fn *tell_fn, void *tell_ctx)
{
	struct compare c = {
		.owns = owns, .ctx = ctx, .mend = mend, .tell = tell_fn, .tell_ctx = tell_ctx};
	size_t n = wanted->n + there->n_sas + there->n_ros + there->n_policies;

	if (wanted->no_memory)
		return -ENOMEM;
	if (!n)
		return 0;
	c.entries = calloc(n, sizeof(*c.entries));
	if (!c.entries)
		return -ENOMEM;
	index_there(&c, there);
	index_wanted(&c, wanted);
	mend_all(&c);
	HASH_CLEAR(hh, c.table);
	free(c.entries);
	return mend->no_memory ? -ENOMEM : c.differences;
}

/* ---- in words ---- */

static void policy_text(const struct ipsec_policy *p, char *text, size_t len)
{
	static const char *const dirs[] = {"in", "out", "fwd"};
	char src[INET6_ADDRSTRLEN], type[16] = "";

	if (p->sel.type >= 0)
		snprintf(type, sizeof(type), " type %d", p->sel.type);
	snprintf(src, sizeof(src), "%s", in6_str(&p->sel.src.addr));
	snprintf(text, len, "policy %s %s/%u -> %s/%u proto %u%s, priority %u", dirs[p->dir], src,
		p->sel.src.plen, in6_str(&p->sel.dst.addr), p->sel.dst.plen, p->sel.proto, type, p->priority);
}

void ipsec_op_text(const struct ipsec_op *op, char *text, size_t len)
{
	char src[INET6_ADDRSTRLEN];

	switch (op->type) {
	case IPSEC_POLICY_SET:
	case IPSEC_POLICY_DEL:
		policy_text(&op->policy, text, len);
		return;
	case IPSEC_RO_SET:
	case IPSEC_RO_DEL:
		snprintf(src, sizeof(src), "%s", in6_str(&op->ro.src));
		snprintf(text, len, "state of the %s %s -> %s",
			op->ro.proto == IPPROTO_ROUTING ? "type 2 routing header" : "Home Address option", src,
			in6_str(&op->ro.dst));
		return;
	case IPSEC_SA_ADD:
	case IPSEC_SA_DEL:
	case IPSEC_SA_LIMITS:
	case IPSEC_SA_STOP:
	case IPSEC_SA_SKIP:
		snprintf(src, sizeof(src), "%s", in6_str(&op->sa.src));
		snprintf(text, len, "SA %s -> %s, SPI 0x%08x, %s mode", src, in6_str(&op->sa.dst), op->sa.spi,
			op->sa.mode == IPSEC_TUNNEL ? "tunnel" : "transport");
		return;
	case IPSEC_MIGRATE:
	case IPSEC_PAUSE:
	case IPSEC_RESUME:
		break;
	}
	snprintf(text, len, "%s", ipsec_op_name(op->type));
}

void ipsec_difference_text(
	enum ipsec_difference d, const struct ipsec_op *op, char *text, size_t len)
{
	static const char *const what[] = {"is missing", "differs", "is left over"};
	char object[160];

	ipsec_op_text(op, object, sizeof(object));
	snprintf(text, len, "%s %s", object, what[d]);
}
