/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/sessions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/plan.h"
#include "ipsec-glue/reconcile.h"
#include "ipsec-glue/sender.h"
#include "ipsec-glue/snapshot.h"

/* By their reqids whoever comes after a killed daemon finds the SAs. */
#define REQID_IN 0x73650000u
#define REQIDS 0x10000u

/*
 * With 64 bit sequence numbers nothing comes to an end soon; a key is not
 * used for more packets than 32 bits count, whatever the cipher.
 */
#define HARD_PACKETS 0xffffffffu
#define SOFT_PACKETS 0xc0000000u

struct entry { /* one SA */
	struct entry *next;
	bool out, unused; /* unused: without its policy */
	uint32_t spi, reqid;
	struct in6_addr peer, inner_local, inner_peer;
};

struct ipsec_sessions {
	struct in6_addr local;
	uint32_t replay_window;
	const struct ipsec_sessions_ops *ops;
	void *ctx;
	struct ipsec_sender *sender;
	struct ipsec_kernel_events *events;
	struct entry *entries;
	uint32_t reqids; /* handed out */
	bool compare;
	bool guarded, inside;
	struct ipsec_session_guard guard;
	char why[256];
};

/* ---- algorithms ---- */

static const struct ipsec_algorithm *usable(const char *name)
{
	const struct ipsec_algorithm *a = ipsec_algorithm_find(name);

	return a && !a->weak ? a : NULL;
}

size_t ipsec_sessions_key_len(const char *algorithm)
{
	const struct ipsec_algorithm *a = usable(algorithm);

	return a ? ipsec_algorithm_key_len(a) : 0;
}

bool ipsec_sessions_may_share(const char *algorithm)
{
	const struct ipsec_algorithm *a = usable(algorithm);

	return a && !a->aead;
}

/* ---- what there is ---- */

static struct entry *find(
	const struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool out)
{
	struct entry *e = x->entries;

	while (e && (e->spi != spi || e->out != out || (peer && !in6_equal(&e->peer, peer))))
		e = e->next;
	return e;
}

/* Another SA of this pair of inner addresses, in this direction. */
static struct entry *other(const struct ipsec_sessions *x, const struct entry *than)
{
	struct entry *e = x->entries;

	while (e &&
		(e == than || e->out != than->out || !in6_equal(&e->inner_peer, &than->inner_peer)))
		e = e->next;
	return e;
}

static void forget(struct ipsec_sessions *x, struct entry *e)
{
	struct entry **at = &x->entries;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	free(e);
}

/* ---- plans ---- */

static int carry_out(struct ipsec_sessions *x, struct ipsec_plan *p)
{
	struct ipsec_failure f = {0};
	int err = p->no_memory ? -ENOMEM : ipsec_sender_do(x->sender, p, &f);

	if (err)
		snprintf(x->why, sizeof(x->why), "%s: %s",
			p->n > f.op ? ipsec_op_name(p->ops[f.op].type) : "plan",
			f.why[0] ? f.why : strerror(-err));
	ipsec_plan_free(p);
	return err;
}

static struct ipsec_selector between(const struct in6_addr *src, const struct in6_addr *dst)
{
	return (struct ipsec_selector){
		.family = AF_INET6, .type = -1, .src = {*src, 128}, .dst = {*dst, 128}};
}

static struct ipsec_session session_of(const struct ipsec_sessions *x, const struct entry *e)
{
	return (struct ipsec_session){.local = x->local,
		.peer = e->peer,
		.inner = between(&e->inner_local, &e->inner_peer),
		.reqid_out = e->reqid,
		.inside = x->inside};
}

static void plan_policies(
	const struct ipsec_sessions *x, const struct entry *e, struct ipsec_plan *p)
{
	struct ipsec_session s = session_of(x, e);

	if (e->out && !e->unused)
		ipsec_plan_session_out(&s, p);
	else if (!e->out)
		ipsec_plan_session_in(&s, p);
}

static void plan_sa(const struct ipsec_sessions *x, const struct entry *e,
	const struct ipsec_session_sa *s, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_ADD);

	if (!op)
		return;
	op->sa = (struct ipsec_sa){.src = e->out ? x->local : e->peer,
		.dst = e->out ? e->peer : x->local,
		.spi = e->spi,
		.reqid = e->reqid,
		.mode = IPSEC_TUNNEL,
		.algorithm = usable(s->algorithm),
		.replay_window = e->out ? 0 : x->replay_window,
		.esn = true,
		.has_sel = !e->out,
		.sel = between(&e->inner_peer, &e->inner_local),
		.hard_s = s->hard_s,
		.soft_packets = SOFT_PACKETS,
		.hard_packets = HARD_PACKETS};
	op->sa.key.len = s->key_len;
	memcpy(op->sa.key.octets, s->key, s->key_len);
}

static void plan_sa_del(const struct ipsec_sessions *x, const struct entry *e, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_DEL);

	if (!op)
		return;
	op->sa.spi = e->spi;
	op->sa.src = e->out ? x->local : e->peer;
	op->sa.dst = e->out ? e->peer : x->local;
}

/* ---- adding ---- */

static struct entry *new_entry(struct ipsec_sessions *x, const struct ipsec_session_sa *s, bool out)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->out = out;
	e->spi = s->spi;
	e->reqid = out ? REQID_IN + 1 + x->reqids++ % (REQIDS - 1) : REQID_IN;
	e->peer = s->peer;
	e->inner_local = s->inner_local;
	e->inner_peer = s->inner_peer;
	return e;
}

static bool good_key(const struct ipsec_session_sa *s)
{
	size_t len = ipsec_sessions_key_len(s->algorithm);

	return len && len == s->key_len && len <= IPSEC_KEY_MAX;
}

static int add(struct ipsec_sessions *x, const struct ipsec_session_sa *s, bool out)
{
	struct ipsec_plan p = {0};
	struct entry *e, *before = NULL;
	int err;

	if (!good_key(s))
		return -EINVAL;
	e = new_entry(x, s, out);
	if (!e)
		return -ENOMEM;
	plan_sa(x, e, s, &p);
	plan_policies(x, e, &p);
	if (out && (before = other(x, e)))
		plan_sa_del(x, before, &p);
	err = carry_out(x, &p);
	if (err) {
		free(e);
		return err;
	}
	if (before)
		forget(x, before);
	e->next = x->entries;
	x->entries = e;
	return 0;
}

int ipsec_sessions_in(struct ipsec_sessions *x, const struct ipsec_session_sa *s)
{
	return find(x, NULL, s->spi, false) ? -EEXIST : add(x, s, false);
}

int ipsec_sessions_out(struct ipsec_sessions *x, const struct ipsec_session_sa *s)
{
	return add(x, s, true);
}

int ipsec_sessions_use(
	struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool use)
{
	struct entry *e = find(x, peer, spi, true);
	struct ipsec_plan p = {0};
	struct ipsec_session s;
	int err;

	if (!e || e->unused == !use)
		return 0;
	s = session_of(x, e);
	if (use)
		ipsec_plan_session_out(&s, &p);
	else
		ipsec_plan_session_end(&s, false, true, &p);
	err = carry_out(x, &p);
	if (!err)
		e->unused = !use;
	return err;
}

int ipsec_sessions_inside(struct ipsec_sessions *x, bool inside)
{
	struct ipsec_plan p = {0};
	int err;

	x->inside = inside;
	for (const struct entry *e = x->entries; e; e = e->next)
		if (!e->out)
			plan_policies(x, e, &p);
	err = carry_out(x, &p);
	if (err)
		x->inside = false; /* and mended so */
	return err;
}

int ipsec_sessions_guard(struct ipsec_sessions *x, const struct ipsec_session_guard *g, bool on)
{
	struct ipsec_plan p = {0};
	int err;

	ipsec_plan_session_guard(g, on, &p);
	err = carry_out(x, &p);
	if (err)
		return err;
	x->guarded = on;
	if (on)
		x->guard = *g;
	return 0;
}

/* ---- removing: policies first, as without an SA they would make packets wait for one ---- */

static int del(struct ipsec_sessions *x, struct entry *e)
{
	struct ipsec_session s = session_of(x, e);
	struct ipsec_plan p = {0};
	int err;

	if (!other(x, e))
		ipsec_plan_session_end(&s, !e->out, e->out, &p);
	plan_sa_del(x, e, &p);
	err = carry_out(x, &p);
	if (!err)
		forget(x, e);
	return err;
}

int ipsec_sessions_in_del(struct ipsec_sessions *x, uint32_t spi)
{
	struct entry *e = find(x, NULL, spi, false);

	return e ? del(x, e) : 0;
}

int ipsec_sessions_out_del(struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi)
{
	struct entry *e = find(x, peer, spi, true);

	return e ? del(x, e) : 0;
}

/* ---- looking ---- */

static int look(struct ipsec_sessions *x, const struct entry *e, struct ipsec_sa_info *info)
{
	int err = ipsec_sender_sa(x->sender, e->out ? &e->peer : &x->local, e->spi, info);

	if (!err && info->sa.reqid != e->reqid)
		err = -ESRCH;
	return err;
}

int64_t ipsec_sessions_packets(
	struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool out)
{
	const struct entry *e = find(x, peer, spi, out);
	struct ipsec_sa_info info;

	return e && !look(x, e, &info) ? (int64_t)info.packets : -1;
}

const char *ipsec_sessions_why(const struct ipsec_sessions *x)
{
	return x->why[0] ? x->why : "no SA and no policy was touched";
}

struct report {
	ipsec_sessions_text_fn *fn;
	void *arg;
};

static void tell(void *ctx, enum ipsec_difference d, const struct ipsec_op *op)
{
	static const char *const what[] = {"is missing", "differs", "is left over"};
	const struct report *r = ctx;
	char object[160], text[200];

	ipsec_op_text(op, object, sizeof(object));
	snprintf(text, sizeof(text), "%s %s", object, what[d]);
	if (r->fn)
		r->fn(r->arg, text);
}

static int compare_policies(struct ipsec_sessions *x, bool mend_too, struct report *r)
{
	struct ipsec_plan wanted = {0}, mend = {0};
	struct ipsec_snapshot there;
	int n, err = 0;

	for (const struct entry *e = x->entries; e; e = e->next)
		plan_policies(x, e, &wanted);
	if (x->guarded)
		ipsec_plan_session_guard(&x->guard, true, &wanted);
	n = ipsec_sender_look(x->sender, &wanted, &there);
	if (!n)
		n = ipsec_reconcile(&wanted, &there, NULL, NULL, &mend, tell, r);
	if (n > 0 && mend_too)
		err = carry_out(x, &mend);
	ipsec_snapshot_free(&there);
	ipsec_plan_free(&wanted);
	ipsec_plan_free(&mend);
	return err ? err : n;
}

/* The list may change in expires(), so each time from its beginning; told once. */
static int report_gone(struct ipsec_sessions *x, bool end, struct report *r)
{
	struct entry *e = x->entries;
	int n = 0;

	while (e) {
		struct ipsec_op op = {.type = IPSEC_SA_DEL,
			.sa = {.spi = e->spi,
				.mode = IPSEC_TUNNEL,
				.src = e->out ? x->local : e->peer,
				.dst = e->out ? e->peer : x->local}};
		struct ipsec_sa_info info;
		uint32_t spi = e->spi;
		bool out = e->out;

		e = look(x, e, &info) == -ESRCH ? e : e->next;
		if (!e || e->spi != spi || e->out != out)
			continue;
		n++;
		tell(r, IPSEC_IS_MISSING, &op);
		if (!end) {
			e = e->next;
			continue;
		}
		forget(x, e);
		x->ops->expires(x->ctx, spi, out, true);
		e = x->entries;
	}
	return n;
}

int ipsec_sessions_check(struct ipsec_sessions *x, bool mend, ipsec_sessions_text_fn *fn, void *arg)
{
	struct report r = {fn, arg};
	int gone = report_gone(x, mend, &r), n = compare_policies(x, mend, &r);

	return n < 0 ? n : gone + n;
}

/* ---- events ---- */

static void gone(struct ipsec_sessions *x, const struct ipsec_event *ev, bool hard)
{
	bool out = !in6_equal(&ev->dst, &x->local);

	if (ev->reqid - REQID_IN < REQIDS && find(x, out ? &ev->dst : NULL, ev->spi, out))
		x->ops->expires(x->ctx, ev->spi, out, hard);
}

static void take(void *arg, const struct ipsec_event *ev)
{
	struct ipsec_sessions *x = arg;

	switch (ev->type) {
	case IPSEC_EV_EXPIRE:
		gone(x, ev, ev->hard);
		break;
	case IPSEC_EV_SA_GONE:
		gone(x, ev, true);
		break;
	case IPSEC_EV_POLICY_GONE:
	case IPSEC_EV_FLUSHED:
	case IPSEC_EV_LOST:
		x->compare = true;
		break;
	case IPSEC_EV_ACQUIRE:
	case IPSEC_EV_MAPPING:
	case IPSEC_EV_MIGRATE:
		break;
	}
}

static void notice(void *arg, const char *text)
{
	struct ipsec_sessions *x = arg;

	x->ops->notice(x->ctx, text);
}

void ipsec_sessions_read(struct ipsec_sessions *x)
{
	ipsec_kernel_events_read(x->events, ipsec_sender_port(x->sender), take, x);
	if (!x->compare)
		return;
	x->compare = false;
	if (ipsec_sessions_check(x, true, notice, x) < 0)
		notice(x, ipsec_sessions_why(x));
}

int ipsec_sessions_fd(const struct ipsec_sessions *x)
{
	return ipsec_kernel_events_fd(x->events);
}

/* ---- what a predecessor left ---- */

static bool wants_policy(const struct ipsec_sessions *x, const struct ipsec_policy *p)
{
	bool out = p->dir == IPSEC_OUT;
	const struct in6_addr *inner = out ? &p->sel.dst.addr : &p->sel.src.addr;

	for (const struct entry *e = x->entries; e; e = e->next)
		if (e->out == out && in6_equal(&e->inner_peer, inner))
			return true;
	return false;
}

/* The guard stays until it is known that it is not needed. */
static bool is_left(const struct ipsec_sessions *x, const struct ipsec_policy *p, bool receives)
{
	if (p->priority == GLUE_PRIO_SESSION_GUARD)
		return receives && !x->guarded;
	return p->priority == GLUE_PRIO_SESSION && (p->dir == IPSEC_OUT || receives) &&
	       !wants_policy(x, p);
}

static void plan_left(const struct ipsec_sessions *x, const struct ipsec_snapshot *there,
	bool receives, struct ipsec_plan *p)
{
	struct ipsec_op *op;

	for (size_t i = 0; i < there->n_policies; i++) {
		const struct ipsec_policy *q = &there->policies[i];

		if (!is_left(x, q, receives))
			continue;
		if ((op = ipsec_plan_add(p, IPSEC_POLICY_DEL)))
			op->policy = *q;
	}
	for (size_t i = 0; i < there->n_sas; i++) {
		const struct ipsec_sa *sa = &there->sas[i].sa;
		bool out = sa->reqid != REQID_IN;

		if (sa->reqid - REQID_IN >= REQIDS || (!out && !receives) ||
			find(x, out ? &sa->dst : NULL, sa->spi, out))
			continue;
		if ((op = ipsec_plan_add(p, IPSEC_SA_DEL)))
			op->sa = *sa;
	}
}

static int remove_left(struct ipsec_sessions *x, bool receives)
{
	struct ipsec_plan p = {0};
	struct ipsec_snapshot there;
	int err = ipsec_sender_snapshot(x->sender, &there);

	if (!err)
		plan_left(x, &there, receives, &p);
	ipsec_snapshot_free(&there);
	if (!err && p.n)
		err = carry_out(x, &p);
	ipsec_plan_free(&p);
	return err;
}

void ipsec_sessions_forget_left(struct ipsec_sessions *x)
{
	if (remove_left(x, true))
		notice(x, ipsec_sessions_why(x));
}

/* ---- start and end ---- */

struct ipsec_sessions *ipsec_sessions_open(const struct in6_addr *local, uint32_t replay_window,
	const struct ipsec_sessions_ops *ops, void *ctx, char *err, size_t errlen)
{
	struct ipsec_sessions *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x) {
		x->local = *local;
		x->replay_window = replay_window ? replay_window : IPSEC_REPLAY_WINDOW;
		x->ops = ops;
		x->ctx = ctx;
		x->events = ipsec_kernel_events_open(&rc);
		x->sender = x->events ? ipsec_sender_open(&rc) : NULL;
	}
	if (x && x->sender)
		rc = remove_left(x, false);
	if (!rc)
		return x;
	snprintf(err, errlen,
		"the kernel's IPsec cannot be reached (CAP_NET_ADMIN, CONFIG_XFRM_USER): %s",
		strerror(-rc));
	if (x) {
		ipsec_kernel_events_close(x->events);
		ipsec_sender_close(x->sender);
	}
	free(x);
	return NULL;
}

void ipsec_sessions_close(struct ipsec_sessions *x)
{
	if (!x)
		return;
	while (x->entries)
		forget(x, x->entries);
	x->guarded = false;
	(void)remove_left(x, true);
	ipsec_kernel_events_close(x->events);
	ipsec_sender_close(x->sender);
	free(x);
}
