/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions as they should be, compared with the kernel; what others do to
 * them; what a predecessor left.
 */
#include <errno.h>
#include <stdio.h>

#include "ipsec-glue/compare.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/reconcile.h"
#include "ipsec-glue/sender.h"
#include "ipsec-glue/sessions_internal.h"
#include "ipsec-glue/snapshot.h"

/* ---- comparing ---- */

struct report {
	ipsec_sessions_text_fn *fn;
	void *arg;
};

static bool is_left_sa(const struct ipsec_sessions *x, const struct ipsec_sa *sa)
{
	bool out = sa->reqid != REQID_IN;

	return sa->reqid - REQID_IN < REQIDS &&
	       !sessions_find(x, out ? &sa->dst : NULL, sa->spi, out);
}

/* What nobody wants and has our numbers or priorities; a predecessor's that receives stays for a while. */
static bool owns(void *ctx, const struct ipsec_op *surplus)
{
	const struct ipsec_sessions *x = ctx;
	const struct ipsec_policy *p = &surplus->policy;

	if (surplus->type == IPSEC_SA_DEL)
		return (surplus->sa.reqid != REQID_IN || !x->left) && is_left_sa(x, &surplus->sa);
	if (surplus->type != IPSEC_POLICY_DEL)
		return false;
	return (p->priority == GLUE_PRIO_SESSION && (p->dir == IPSEC_OUT || !x->left)) ||
	       (p->priority == GLUE_PRIO_SESSION_GUARD && !x->left);
}

/* whole: with what is left over, which takes a look at all that there is. */
static int compare_policies(struct ipsec_sessions *x, bool mend_too, bool whole, struct report *r)
{
	struct ipsec_compare c = {.owns = whole ? owns : NULL,
		.ctx = x,
		.mend = mend_too,
		.tell = r->fn,
		.arg = r->arg};
	struct ipsec_plan wanted = {0};
	int n;

	for (const struct entry *e = x->entries; e; e = e->next)
		sessions_plan_policies(x, e, &wanted);
	if (x->guarded)
		ipsec_plan_session_guard(&x->guard, true, &wanted);
	n = ipsec_compare(x->sender, &wanted, &c);
	if (n < 0 && c.why[0])
		snprintf(x->why, sizeof(x->why), "%s", c.why);
	ipsec_plan_free(&wanted);
	return n;
}

static void tell_gone(const struct ipsec_sessions *x, const struct entry *e, const struct report *r)
{
	struct ipsec_op op = {.type = IPSEC_SA_DEL,
		.sa = {.spi = e->spi,
			.mode = IPSEC_TUNNEL,
			.src = e->out ? x->local : e->peer,
			.dst = e->out ? e->peer : x->local}};
	char object[160], text[260];

	ipsec_op_text(&op, object, sizeof(object));
	snprintf(text, sizeof(text),
		"%s is missing, and its key is gone with it: its session ends, and is offered "
		"again",
		object);
	if (r->fn)
		r->fn(r->arg, text);
}

/* The list may change in expires(), so each time from its beginning; told once. */
static int report_gone(struct ipsec_sessions *x, bool end, struct report *r)
{
	struct entry *e = x->entries;
	int n = 0;

	while (e) {
		struct ipsec_sa_info info;
		uint32_t spi = e->spi;
		bool out = e->out;

		if (sessions_look(x, e, &info) != -ESRCH) {
			e = e->next;
			continue;
		}
		n++;
		tell_gone(x, e, r);
		if (!end) {
			e = e->next;
			continue;
		}
		sessions_forget(x, e);
		x->ops->expires(x->ctx, spi, out, true);
		e = x->entries;
	}
	return n;
}

static int compare(struct ipsec_sessions *x, bool mend, bool whole, struct report *r)
{
	int gone = report_gone(x, mend, r), n = compare_policies(x, mend, whole, r);

	return n < 0 ? n : gone + n;
}

int ipsec_sessions_check(struct ipsec_sessions *x, bool mend, ipsec_sessions_text_fn *fn, void *arg)
{
	struct report r = {fn, arg};

	return compare(x, mend, true, &r);
}

void ipsec_sessions_sas(struct ipsec_sessions *x, ipsec_sessions_sa_fn *fn, void *arg)
{
	for (const struct entry *e = x->entries; e; e = e->next) {
		struct ipsec_sa_info info = {.sa = {.spi = e->spi, .mode = IPSEC_TUNNEL}};
		bool missing = sessions_look(x, e, &info) != 0;

		info.sa.src = e->out ? x->local : e->peer;
		info.sa.dst = e->out ? e->peer : x->local;
		fn(arg, &x->local, &e->peer, e->out, missing, &info);
	}
}

/* ---- events ---- */

static void gone(struct ipsec_sessions *x, const struct ipsec_event *ev, bool hard)
{
	bool out = !in6_equal(&ev->dst, &x->local);

	if (ev->reqid - REQID_IN < REQIDS && sessions_find(x, out ? &ev->dst : NULL, ev->spi, out))
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
	struct report r = {notice, x};

	ipsec_kernel_events_read(x->events, ipsec_sender_port(x->sender), take, x);
	if (!x->compare)
		return;
	x->compare = false;
	if (compare(x, true, false, &r) < 0)
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

static bool is_left_guard(const struct ipsec_sessions *x, const struct ipsec_policy *p)
{
	return p->priority == GLUE_PRIO_SESSION_GUARD && !x->guarded;
}

static bool is_left(const struct ipsec_sessions *x, const struct ipsec_policy *p)
{
	return p->priority == GLUE_PRIO_SESSION && !wants_policy(x, p);
}

static void delete_policy(const struct ipsec_policy *q, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_POLICY_DEL);

	if (op)
		op->policy = *q;
}

/* The guard stays until it is known that it is not needed. */
static void plan_left(const struct ipsec_sessions *x, const struct ipsec_snapshot *there, bool all,
	struct ipsec_plan *p)
{
	struct ipsec_op *op;

	for (size_t i = 0; i < there->n_policies; i++) {
		const struct ipsec_policy *q = &there->policies[i];

		if ((is_left(x, q) && (all || q->dir == IPSEC_OUT)) || (all && is_left_guard(x, q)))
			delete_policy(q, p);
	}
	for (size_t i = 0; i < there->n_sas; i++) {
		const struct ipsec_sa *sa = &there->sas[i].sa;

		if (is_left_sa(x, sa) && (all || sa->reqid != REQID_IN) &&
			(op = ipsec_plan_add(p, IPSEC_SA_DEL)))
			op->sa = *sa;
	}
}

int sessions_remove_left(struct ipsec_sessions *x, bool all)
{
	struct ipsec_plan p = {0};
	struct ipsec_snapshot there;
	int err = ipsec_sender_snapshot(x->sender, &there);

	if (!err)
		plan_left(x, &there, all, &p);
	ipsec_snapshot_free(&there);
	if (!err && p.n)
		err = sessions_carry_out(x, &p);
	ipsec_plan_free(&p);
	return err;
}

static bool has_sa(const struct ipsec_sessions *x, const struct ipsec_snapshot *there,
	const struct ipsec_policy *q)
{
	for (size_t i = 0; i < there->n_sas; i++) {
		const struct ipsec_sa *sa = &there->sas[i].sa;

		if (sa->reqid == REQID_IN && is_left_sa(x, sa) &&
			in6_equal(&sa->sel.src.addr, &q->sel.src.addr))
			return true;
	}
	return false;
}

static bool plan_without_sa(
	const struct ipsec_sessions *x, const struct ipsec_snapshot *there, struct ipsec_plan *p)
{
	bool more = false;

	for (size_t i = 0; i < there->n_sas && !more; i++)
		more = is_left_sa(x, &there->sas[i].sa);
	for (size_t i = 0; i < there->n_policies; i++) {
		const struct ipsec_policy *q = &there->policies[i];

		if ((is_left(x, q) && !has_sa(x, there, q)) || is_left_guard(x, q))
			delete_policy(q, p);
	}
	return more;
}

bool ipsec_sessions_forget_left(struct ipsec_sessions *x)
{
	struct ipsec_plan p = {0};
	struct ipsec_snapshot there;
	int err = ipsec_sender_snapshot(x->sender, &there);

	x->left = err || plan_without_sa(x, &there, &p);
	ipsec_snapshot_free(&there);
	if (!err && p.n)
		err = sessions_carry_out(x, &p);
	ipsec_plan_free(&p);
	if (err) {
		x->left = true;
		notice(x, ipsec_sessions_why(x));
	}
	return x->left;
}

int sessions_set_left(struct ipsec_sessions *x)
{
	struct ipsec_plan p = {0};
	struct ipsec_snapshot there;
	int err = x->left ? ipsec_sender_snapshot(x->sender, &there) : -ENOENT;

	if (err)
		return err == -ENOENT ? 0 : err;
	for (size_t i = 0; i < there.n_policies; i++) {
		const struct ipsec_policy *q = &there.policies[i];
		struct ipsec_op *op;

		if (!is_left(x, q) || q->dir == IPSEC_OUT ||
			!(op = ipsec_plan_add(&p, IPSEC_POLICY_SET)))
			continue;
		op->policy = *q;
		op->policy.templates[0].optional = x->inside;
	}
	ipsec_snapshot_free(&there);
	if (p.n)
		err = sessions_carry_out(x, &p);
	ipsec_plan_free(&p);
	return err;
}
