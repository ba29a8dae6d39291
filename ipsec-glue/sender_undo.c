/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ipsec-glue/sender_internal.h"
#include "ipsec-glue/snapshot.h"
#include "lib/netlink.h"

/* ---- SAs that are stopped ---- */

struct stopped_key {
	uint32_t spi, reqid;
};

struct sender_stopped {
	struct stopped_key key;
	struct ipsec_replay before;
	UT_hash_handle hh;
};

static struct sender_stopped *find_stopped(const struct ipsec_sender *s, const struct ipsec_sa *sa)
{
	struct stopped_key key = {sa->spi, sa->reqid};
	struct sender_stopped *found;

	HASH_FIND(hh, s->stopped, &key, sizeof(key), found);
	return found;
}

static void forget(struct ipsec_sender *s, struct sender_stopped *stopped)
{
	HASH_DEL(s->stopped, stopped);
	free(stopped);
}

void sender_forget_stopped(struct ipsec_sender *s)
{
	struct sender_stopped *stopped, *next;

	HASH_ITER(hh, s->stopped, stopped, next)
		forget(s, stopped);
}

static int read_replay(void *arg, const struct nlmsghdr *h)
{
	return ipsec_replay_read(h, arg) ? 0 : -EBADMSG;
}

static int get_replay(struct ipsec_sender *s, const struct ipsec_sa *sa, struct ipsec_replay *r)
{
	return nlreq_get(s->x, ipsec_build_get_sa(&sa->dst, sa->spi), read_replay, r);
}

/* Stopped already: the number of the first time is the right one. */
int sender_stop(struct ipsec_sender *s, const struct ipsec_sa *sa)
{
	struct sender_stopped *stopped = find_stopped(s, sa);
	struct ipsec_replay r;
	int err = get_replay(s, sa, &r);

	if (err)
		return err;
	if (!stopped) {
		stopped = calloc(1, sizeof(*stopped));
		if (!stopped)
			return -ENOMEM;
		stopped->key = (struct stopped_key){sa->spi, sa->reqid};
		stopped->before = r;
		HASH_ADD(hh, s->stopped, key, sizeof(stopped->key), stopped);
	}
	ipsec_replay_stop(&r);
	err = nlreq_do(s->x, ipsec_build_replay(sa, &r));
	if (err)
		forget(s, stopped);
	return err;
}

int sender_skip(struct ipsec_sender *s, const struct ipsec_sa *sa)
{
	struct sender_stopped *stopped = find_stopped(s, sa);
	struct ipsec_replay r;
	int err;

	if (!stopped)
		return -ESRCH;
	r = stopped->before;
	ipsec_replay_skip(&r);
	err = nlreq_do(s->x, ipsec_build_replay(sa, &r));
	if (!err || err == -ESRCH)
		forget(s, stopped);
	return err;
}

/* ---- undoing ---- */

/* The IKE daemon's ends follow those of the tunnel. */
static struct in6_addr end_before(const struct ipsec_migrate *g, const struct in6_addr *end)
{
	if (in6_equal(end, &g->new_src))
		return g->old_src;
	return in6_equal(end, &g->new_dst) ? g->old_dst : *end;
}

static int move_back(struct ipsec_sender *s, const struct ipsec_migrate *g)
{
	struct ipsec_op back = {.type = IPSEC_MIGRATE, .migrate = *g};

	back.migrate.old_src = g->new_src;
	back.migrate.old_dst = g->new_dst;
	back.migrate.new_src = g->old_src;
	back.migrate.new_dst = g->old_dst;
	back.migrate.local = end_before(g, &g->local);
	back.migrate.remote = end_before(g, &g->remote);
	return nlreq_do(s->x, ipsec_build(&back));
}

/* What was made where there was nothing is deleted. */
static int unmake(struct ipsec_sender *s, const struct ipsec_op *op)
{
	struct ipsec_op del = *op;
	struct nl_msg *m;

	del.type = op->type == IPSEC_POLICY_SET ? IPSEC_POLICY_DEL
		   : op->type == IPSEC_RO_SET   ? IPSEC_RO_DEL
						: IPSEC_SA_DEL;
	m = ipsec_build(&del);
	ipsec_key_wipe(&del.sa.key);
	return nlreq_do(s->x, m);
}

static int put_back(struct ipsec_sender *s, const struct nlmsghdr *was, bool update)
{
	struct nl_msg *m = ipsec_build_again(was, update);
	int err;

	if (!m)
		return -ENOMEM;
	nlmsg_get(m);
	err = nlreq_do(s->x, m);
	ipsec_message_free(m);
	return err;
}

static int undo(struct ipsec_sender *s, const struct ipsec_op *op, const struct done *d)
{
	struct ipsec_ro ro;

	switch (op->type) {
	case IPSEC_SA_ADD:
		return unmake(s, op);
	case IPSEC_POLICY_SET:
		return d->was ? put_back(s, d->was, true) : unmake(s, op);
	case IPSEC_RO_SET: /* a larval state has no care-of address: nobody had made it */
		return d->was && ipsec_ro_read(d->was, &ro) ? put_back(s, d->was, true) : unmake(s, op);
	case IPSEC_SA_LIMITS:
		return d->was ? put_back(s, d->was, true) : -ENOENT;
	case IPSEC_SA_DEL:
	case IPSEC_POLICY_DEL:
	case IPSEC_RO_DEL:
		return d->was ? put_back(s, d->was, false) : -ENOENT;
	case IPSEC_MIGRATE:
		return move_back(s, &op->migrate);
	case IPSEC_SA_STOP:
		return sender_skip(s, &op->sa);
	case IPSEC_SA_SKIP:
		return sender_stop(s, &op->sa);
	case IPSEC_PAUSE:
	case IPSEC_RESUME:
		return s->pause ? s->pause(s->ctx, &op->pause, op->type == IPSEC_RESUME) : 0;
	}
	return 0;
}

/* That an SA to be stopped or to be sent on is gone was no error then and is none now. */
static bool missing_is_fine(const struct ipsec_op *op)
{
	return op->type == IPSEC_SA_STOP || op->type == IPSEC_SA_SKIP;
}

void sender_undo(struct run *run)
{
	struct ipsec_failure *f = run->failure;

	for (size_t i = run->plan->n; i-- > 0;) {
		const struct ipsec_op *op = &run->plan->ops[i];
		size_t len = strlen(f->why);
		int err;

		if (!run->done[i].done)
			continue;
		err = undo(run->sender, op, &run->done[i]);
		if (err && !(err == -ESRCH && missing_is_fine(op)))
			snprintf(f->why + len, sizeof(f->why) - len, "; %s was not undone: %s",
				ipsec_op_name(op->type), strerror(-err));
	}
}

/* ---- how policies are looked up ---- */

static int read_hash_bits(void *arg, const struct nlmsghdr *h)
{
	struct xfrmu_spdhthresh *bits = arg;
	const struct nlattr *a = nla_find(nlmsg_attrdata(h, sizeof(uint32_t)),
		nlmsg_attrlen(h, sizeof(uint32_t)), XFRMA_SPD_IPV6_HTHRESH);

	if (h->nlmsg_type != XFRM_MSG_NEWSPDINFO || !a || nla_len(a) < (int)sizeof(*bits))
		return -EBADMSG;
	memcpy(bits, nla_data(a), sizeof(*bits));
	return 0;
}

bool sender_hash_is_default(struct ipsec_sender *s)
{
	struct xfrmu_spdhthresh bits = {0};

	return nlreq_get(s->x, ipsec_build_get_hash_bits(), read_hash_bits, &bits) == 0 &&
	       bits.lbits == 128 && bits.rbits == 128;
}
