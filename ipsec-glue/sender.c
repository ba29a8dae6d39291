/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An operation is up to three requests: a look at what it will replace, the
 * request itself, and, for a state of the Home Address option or the routing
 * header, one that adds it should there be nothing to update.
 */
#include "ipsec-glue/sender.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/build.h"
#include "ipsec-glue/sender_internal.h"
#include "ipsec-glue/snapshot.h"
#include "lib/netlink.h"

#define REQUESTS_PER_OP 3

enum step { LOOK, DO, OTHERWISE };

struct batch {
	struct run *run;
	size_t n;
	struct nl_msg *m[NLREQ_MANY];
	size_t op[NLREQ_MANY];
	enum step step[NLREQ_MANY];
	struct nlreq_result result[NLREQ_MANY];
	bool makes; /* holds requests that make something */
};

/* ---- a failure ---- */

static int fail(struct run *run, size_t op, int error, const char *words)
{
	struct ipsec_failure *f = run->failure;

	if (run->error)
		return run->error; /* the first one is told */
	run->error = error;
	f->op = op;
	f->error = error;
	snprintf(f->why, sizeof(f->why), "%s%s%.120s%s", strerror(-error), words[0] ? " (" : "", words,
		words[0] ? ")" : "");
	return error;
}

static bool gone(int error)
{
	return error == -ESRCH || error == -ENOENT;
}

/* ---- batches ---- */

/* The kernel's answer to a look is kept: that is what undoing puts back. */
static void note_was(void *arg, size_t i, const struct nlmsghdr *h)
{
	struct batch *b = arg;
	struct done *d = &b->run->done[b->op[i]];

	if (b->step[i] != LOOK || d->was)
		return;
	d->was = malloc(h->nlmsg_len);
	if (d->was)
		memcpy(d->was, h, h->nlmsg_len);
	else
		fail(b->run, b->op[i], -ENOMEM, "");
}

static void judge(struct batch *b, size_t i)
{
	const struct ipsec_op *op = &b->run->plan->ops[b->op[i]];
	struct done *d = &b->run->done[b->op[i]];
	const struct nlreq_result *r = &b->result[i];

	if (b->step[i] == LOOK) {
		if (r->error && !gone(r->error) && !op->may_fail)
			fail(b->run, b->op[i], r->error, r->words);
		return;
	}
	if (b->step[i] == OTHERWISE && d->done)
		return; /* there was something to update */
	if (!r->error) {
		d->done = true;
		return;
	}
	if (b->step[i] == DO && op->type == IPSEC_RO_SET && r->error == -ESRCH)
		return; /* will be added */
	if (op->may_fail || (gone(r->error) && (op->type == IPSEC_SA_DEL || op->type == IPSEC_POLICY_DEL ||
						       op->type == IPSEC_RO_DEL)))
		return;
	fail(b->run, b->op[i], r->error, r->words);
}

static int flush(struct batch *b)
{
	int err;

	if (!b->n)
		return 0;
	err = nlreq_many(b->run->sender->x, b->m, b->n, b->result, note_was, b);
	for (size_t i = 0; i < b->n; i++) {
		if (!err)
			judge(b, i);
		ipsec_message_free(b->m[i]);
	}
	if (err)
		fail(b->run, b->op[0], err, "");
	b->n = 0;
	b->makes = false;
	return b->run->error;
}

static int put(struct batch *b, struct nl_msg *m, size_t op, enum step step)
{
	if (!m)
		return fail(b->run, op, -ENOMEM, "the request could not be built");
	b->m[b->n] = m;
	b->op[b->n] = op;
	b->step[b->n] = step;
	b->n++;
	return 0;
}

static bool op_breaks(const struct ipsec_op *op)
{
	return op->type == IPSEC_SA_DEL || op->type == IPSEC_POLICY_DEL || op->type == IPSEC_RO_DEL ||
	       op->type == IPSEC_MIGRATE;
}

static bool op_looks(const struct ipsec_op *op)
{
	return op->type != IPSEC_SA_ADD && op->type != IPSEC_MIGRATE;
}

static int put_op(struct batch *b, size_t i)
{
	const struct ipsec_op *op = &b->run->plan->ops[i];
	int err = 0;

	if (b->n + REQUESTS_PER_OP > NLREQ_MANY || (op_breaks(op) && b->makes))
		err = flush(b);
	b->makes |= !op_breaks(op);
	if (!err && op_looks(op))
		err = put(b, ipsec_build_look(op), i, LOOK);
	if (!err)
		err = put(b, ipsec_build(op), i, DO);
	if (!err && op->type == IPSEC_RO_SET)
		err = put(b, ipsec_build_ro_add(&op->ro), i, OTHERWISE);
	return err;
}

/* ---- operations that are no request ---- */

static int pause_or_resume(struct ipsec_sender *s, const struct in6_addr *home_address, bool on)
{
	return s->pause ? s->pause(s->ctx, home_address, on) : 0;
}

static int do_alone(struct ipsec_sender *s, const struct ipsec_op *op)
{
	int err;

	if (op->type == IPSEC_PAUSE || op->type == IPSEC_RESUME)
		return pause_or_resume(s, &op->pause, op->type == IPSEC_PAUSE);
	err = op->type == IPSEC_SA_STOP ? sender_stop(s, &op->sa) : sender_skip(s, &op->sa);
	return gone(err) ? 0 : err;
}

static bool is_alone(const struct ipsec_op *op)
{
	return op->type == IPSEC_PAUSE || op->type == IPSEC_RESUME || op->type == IPSEC_SA_STOP ||
	       op->type == IPSEC_SA_SKIP;
}

static int run_op(struct batch *b, size_t i)
{
	struct run *run = b->run;
	const struct ipsec_op *op = &run->plan->ops[i];
	int err;

	if (!is_alone(op))
		return put_op(b, i);
	err = flush(b);
	if (err)
		return err;
	err = do_alone(run->sender, op);
	run->done[i].done = !err;
	return err && !op->may_fail ? fail(run, i, err, nlreq_why(run->sender->x)) : 0;
}

/* ---- plans ---- */

/* From here on policies are found by their remote address; kept as it is when somebody has chosen. */
static void hash_policies(struct ipsec_sender *s, const struct ipsec_op *op)
{
	if (s->hashed || op->type != IPSEC_POLICY_SET)
		return;
	s->hashed = true;
	if (sender_hash_is_default(s))
		(void)nlreq_do(s->x, ipsec_build_hash_bits(0, 128));
}

static void run_free(struct run *run)
{
	for (size_t i = 0; i < run->plan->n; i++) {
		struct nlmsghdr *was = run->done[i].was;

		if (was)
			OPENSSL_cleanse(was, was->nlmsg_len);
		free(was);
	}
	free(run->done);
}

int ipsec_sender_do(struct ipsec_sender *s, const struct ipsec_plan *p, struct ipsec_failure *f)
{
	struct run run = {.sender = s, .plan = p, .failure = f};
	struct batch b = {.run = &run};
	int err = p->no_memory ? -ENOMEM : 0;

	*f = (struct ipsec_failure){0};
	if (!p->n || err)
		return err;
	run.done = calloc(p->n, sizeof(*run.done));
	if (!run.done)
		return -ENOMEM;
	for (size_t i = 0; i < p->n && !err; i++) {
		hash_policies(s, &p->ops[i]);
		err = run_op(&b, i);
	}
	if (!err)
		err = flush(&b);
	for (size_t i = 0; i < b.n; i++)
		ipsec_message_free(b.m[i]);
	if (err)
		sender_undo(&run);
	run_free(&run);
	return err;
}

/* ---- reading ---- */

static int read_sa(void *arg, const struct nlmsghdr *h)
{
	return ipsec_sa_read(h, arg) ? 0 : -EBADMSG;
}

int ipsec_sender_sa(struct ipsec_sender *s, const struct in6_addr *dst, uint32_t spi, struct ipsec_sa_info *out)
{
	return nlreq_get(s->x, ipsec_build_get_sa(dst, spi), read_sa, out);
}

struct walk {
	ipsec_walk_fn *fn;
	void *arg;
};

static int walk_sa(void *arg, const struct nlmsghdr *h)
{
	struct walk *w = arg;
	struct ipsec_sa_info info;

	return ipsec_sa_read(h, &info) ? w->fn(w->arg, &info) : 0;
}

int ipsec_sender_walk(struct ipsec_sender *s, ipsec_walk_fn *fn, void *arg)
{
	struct walk w = {fn, arg};

	return nlreq_dump(s->x, ipsec_build_dump_sas(), walk_sa, &w);
}

int ipsec_sender_snapshot(struct ipsec_sender *s, struct ipsec_snapshot *there)
{
	return ipsec_snapshot_take(there, s->x);
}

struct look {
	struct ipsec_snapshot *there;
	int error;
};

static void note_object(void *arg, size_t i, const struct nlmsghdr *h)
{
	struct look *l = arg;
	int err = ipsec_snapshot_add(l->there, h);

	(void)i;
	l->error = l->error ? l->error : err;
}

static int look_at(struct ipsec_sender *s, struct nl_msg *const *m, size_t n, struct ipsec_snapshot *there)
{
	struct nlreq_result results[NLREQ_MANY];
	struct look l = {.there = there};
	int err = n ? nlreq_many(s->x, m, n, results, note_object, &l) : 0;

	for (size_t i = 0; i < n && !err; i++)
		if (results[i].error && !gone(results[i].error))
			err = results[i].error;
	return err ? err : l.error;
}

static struct nl_msg *build_look(const struct ipsec_op *op)
{
	return op->type == IPSEC_SA_ADD ? ipsec_build_get_sa(&op->sa.dst, op->sa.spi) : ipsec_build_look(op);
}

int ipsec_sender_look(struct ipsec_sender *s, const struct ipsec_plan *wanted, struct ipsec_snapshot *there)
{
	struct nl_msg *m[NLREQ_MANY];
	int err = 0;

	*there = (struct ipsec_snapshot){0};
	for (size_t i = 0; i < wanted->n && !err;) {
		size_t n = 0;

		for (; i < wanted->n && n < NLREQ_MANY && !err; i++) {
			m[n] = build_look(&wanted->ops[i]);
			if (m[n])
				n++;
			else
				err = -ENOMEM;
		}
		if (!err)
			err = look_at(s, m, n, there);
		while (n > 0)
			ipsec_message_free(m[--n]);
	}
	return err;
}

/* ---- start and end ---- */

struct ipsec_sender *ipsec_sender_open(int *err)
{
	struct ipsec_sender *s = calloc(1, sizeof(*s));

	*err = -ENOMEM;
	if (!s)
		return NULL;
	s->x = nlreq_open(NETLINK_XFRM, err);
	if (!s->x) {
		free(s);
		return NULL;
	}
	return s;
}

void ipsec_sender_close(struct ipsec_sender *s)
{
	if (!s)
		return;
	sender_forget_stopped(s);
	nlreq_close(s->x);
	free(s);
}

void ipsec_sender_pauses(struct ipsec_sender *s, ipsec_pause_fn *fn, void *ctx)
{
	s->pause = fn;
	s->ctx = ctx;
}

uint32_t ipsec_sender_port(const struct ipsec_sender *s)
{
	return nlreq_port(s->x);
}
