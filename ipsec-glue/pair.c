/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/glue_internal.h"
#include "ipsec-glue/reconcile.h"
#include "ipsec-glue/snapshot.h"

/* ---- finding ---- */

static struct glue_pair *find(const struct ipsec_glue *g, enum ipsec_use use,
	const struct in6_addr *local, const struct in6_addr *peer)
{
	struct glue_pair_key key;
	struct glue_pair *p;

	memset(&key, 0, sizeof(key));
	key.use = use;
	key.local = *local;
	key.peer = *peer;
	HASH_FIND(hh, g->pairs, &key, sizeof(key), p);
	return p;
}

struct glue_pair *glue_pair_of_reqid(const struct ipsec_glue *g, uint32_t reqid)
{
	struct glue_pair *p;

	HASH_FIND(by_reqid, g->pairs_by_reqid, &reqid, sizeof(reqid), p);
	return p;
}

uint32_t ipsec_glue_pair_reqid(const struct ipsec_glue *g, enum ipsec_use use,
	const struct in6_addr *local, const struct in6_addr *peer)
{
	const struct glue_pair *p = find(g, use, local, peer);

	return p ? p->reqid : 0;
}

/* ---- what there should be ---- */

static void wanted_sa(
	const struct ipsec_glue *g, const struct glue_pair *p, bool out, struct ipsec_sa *sa)
{
	const struct ipsec_manual_sa *m = p->manual[out];

	*sa = (struct ipsec_sa){.src = out ? p->key.local : p->key.peer,
		.dst = out ? p->key.peer : p->key.local,
		.spi = m->spi,
		.reqid = p->reqid,
		.mode = p->key.use == IPSEC_GATEWAY ? IPSEC_TUNNEL : IPSEC_TRANSPORT,
		.algorithm = m->algorithm,
		.key = m->key,
		.replay_window = out ? 0 : g->config.replay_window,
		.has_sel = !out && p->has_sel,
		.sel = p->sel};
}

static void want(const struct ipsec_glue *g, const struct glue_pair *p, struct ipsec_plan *plan)
{
	for (int out = 0; out < 2; out++) {
		struct ipsec_op *op = ipsec_plan_add(plan, IPSEC_SA_ADD);

		if (op)
			wanted_sa(g, p, out, &op->sa);
	}
}

void glue_pairs_want(const struct ipsec_glue *g, struct ipsec_plan *plan)
{
	for (const struct glue_pair *p = g->pairs; p; p = p->hh.next)
		want(g, p, plan);
}

/* ---- making ---- */

static int find_keys(struct ipsec_glue *g, struct glue_pair *p)
{
	p->manual[1] = ipsec_keys_find(g->config.keys, &p->key.local, &p->key.peer, p->key.use);
	p->manual[0] = ipsec_keys_find(g->config.keys, &p->key.peer, &p->key.local, p->key.use);
	if (p->manual[0] && p->manual[1])
		return 0;
	snprintf(g->why, sizeof(g->why), "the key file has no lines of  %s  for the pair",
		ipsec_use_name(p->key.use));
	return -ENOKEY;
}

/* Who makes both SAs chose these numbers; what arrives is unique here, and other SAs have their own. */
static int choose_reqid(struct ipsec_glue *g, struct glue_pair *p, uint32_t given)
{
	enum ipsec_use use;

	p->reqid = given ? given : p->manual[0]->spi;
	if (!glue_pair_of_reqid(g, p->reqid) && !glue_of_reqid(g, p->reqid, &use))
		return 0;
	snprintf(g->why, sizeof(g->why),
		"another SA has the number %u already; give the pair another SPI or reqid", p->reqid);
	return -EEXIST;
}

static void add_sa(
	struct ipsec_glue *g, const struct glue_pair *p, bool out, struct ipsec_plan *plan)
{
	struct ipsec_sa_info info;
	struct ipsec_op *op = NULL;
	struct ipsec_sa sa;

	wanted_sa(g, p, out, &sa);
	if (ipsec_sender_sa(g->sender, &sa.dst, sa.spi, &info) == 0 &&
		in6_equal(&info.sa.src, &sa.src) && info.sa.reqid == sa.reqid &&
		info.sa.mode == sa.mode)
		glue_sequence_resume(g, p->manual[out], &info, &sa, plan);
	else
		op = ipsec_plan_add(plan, IPSEC_SA_ADD);
	if (op)
		op->sa = sa;
	ipsec_key_wipe(&sa.key);
}

static int make(struct ipsec_glue *g, const struct glue_pair *p)
{
	struct ipsec_plan plan = {0};

	add_sa(g, p, false, &plan); /* first what receives */
	add_sa(g, p, true, &plan);
	return glue_do(g, &plan);
}

int ipsec_glue_pair_add(struct ipsec_glue *g, const struct ipsec_pair *pair)
{
	struct glue_pair *p = find(g, pair->use, &pair->local, &pair->peer);
	int err;

	if (p)
		return 0;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->key.use = pair->use;
	p->key.local = pair->local;
	p->key.peer = pair->peer;
	p->has_sel = pair->has_sel;
	p->sel = pair->sel;
	err = g->config.keys ? find_keys(g, p) : -ENOKEY;
	if (!err)
		err = choose_reqid(g, p, pair->reqid);
	if (!err)
		err = make(g, p);
	if (err) {
		free(p);
		return err;
	}
	HASH_ADD(hh, g->pairs, key, sizeof(p->key), p);
	HASH_ADD(by_reqid, g->pairs_by_reqid, reqid, sizeof(p->reqid), p);
	return 0;
}

/* ---- ends ---- */

static void forget(struct ipsec_glue *g, struct glue_pair *p)
{
	HASH_DELETE(by_reqid, g->pairs_by_reqid, p);
	HASH_DEL(g->pairs, p);
	free(p);
}

static int take_away(struct ipsec_glue *g, const struct glue_pair *p)
{
	struct ipsec_sa_info last[2];
	struct ipsec_plan plan = {0};
	bool seen[2];
	int err;

	for (int out = 0; out < 2; out++) {
		struct ipsec_op *op = ipsec_plan_add(&plan, IPSEC_SA_DEL);
		struct ipsec_sa sa;

		wanted_sa(g, p, out, &sa);
		ipsec_key_wipe(&sa.key);
		seen[out] = ipsec_sender_sa(g->sender, &sa.dst, sa.spi, &last[out]) == 0;
		if (op) {
			op->sa.spi = sa.spi;
			op->sa.src = sa.src;
			op->sa.dst = sa.dst;
		}
	}
	err = glue_do(g, &plan);
	for (int out = 0; out < 2 && !err; out++)
		if (seen[out])
			glue_sequence_remember(g, p->manual[out], &last[out], out);
	return err;
}

int ipsec_glue_pair_del(struct ipsec_glue *g, enum ipsec_use use, const struct in6_addr *local,
	const struct in6_addr *peer)
{
	struct glue_pair *p = find(g, use, local, peer);
	int err;

	if (!p)
		return -ENOENT;
	err = take_away(g, p);
	if (!err)
		forget(g, p);
	return err;
}

void glue_pairs_close(struct ipsec_glue *g, bool remove)
{
	struct glue_pair *p, *next;

	HASH_ITER(hh, g->pairs, p, next) {
		if (remove && take_away(g, p))
			glue_notice(g, &p->key.local, g->why);
		forget(g, p);
	}
}

/* ---- while they live ---- */

int glue_pair_look(struct ipsec_glue *g, const struct glue_pair *p)
{
	struct ipsec_plan plan = {0};
	int err = 0;

	for (int out = 0; out < 2 && !err; out++) {
		struct ipsec_sa sa;

		wanted_sa(g, p, out, &sa);
		err = glue_sequence_look_at(g, p->manual[out], &sa, &plan);
		ipsec_key_wipe(&sa.key);
	}
	if (err)
		ipsec_plan_free(&plan);
	return err ? err : glue_do(g, &plan);
}

static void tell(void *ctx, enum ipsec_difference d, const struct ipsec_op *op)
{
	char text[200];

	ipsec_difference_text(d, op, text, sizeof(text));
	glue_notice(ctx, &op->sa.dst, text);
}

int glue_pair_mend(struct ipsec_glue *g, const struct glue_pair *p)
{
	struct ipsec_plan wanted = {0}, mend = {0};
	struct ipsec_snapshot there;
	int n;

	want(g, p, &wanted);
	n = ipsec_sender_look(g->sender, &wanted, &there);
	if (!n)
		n = ipsec_reconcile(&wanted, &there, NULL, NULL, &mend, tell, g);
	if (n > 0) {
		int err = glue_do(g, &mend);

		g->stats.mended += err ? 0 : (uint64_t)n;
		n = err ? err : n;
	}
	ipsec_snapshot_free(&there);
	ipsec_plan_free(&wanted);
	ipsec_plan_free(&mend);
	return n;
}

/* ---- for those who look ---- */

bool ipsec_glue_pair_counters(struct ipsec_glue *g, enum ipsec_use use, const struct in6_addr *local,
	const struct in6_addr *peer, uint64_t *in, uint64_t *out)
{
	const struct glue_pair *p = find(g, use, local, peer);
	struct ipsec_sa_info i, o;

	if (!p || ipsec_sender_sa(g->sender, local, p->manual[0]->spi, &i) ||
		ipsec_sender_sa(g->sender, peer, p->manual[1]->spi, &o))
		return false;
	*in = i.packets;
	*out = o.packets;
	return true;
}

static int show(struct ipsec_glue *g, const struct glue_pair *p, struct ipsec_glue_sa *show)
{
	struct ipsec_sa sa;
	int err;

	wanted_sa(g, p, show->out, &sa);
	ipsec_key_wipe(&sa.key);
	err = ipsec_sender_sa(g->sender, &sa.dst, sa.spi, &show->info);
	if (!err && in6_equal(&show->info.sa.src, &sa.src))
		return 0;
	if (err && err != -ESRCH)
		return err;
	show->missing = true;
	show->info = (struct ipsec_sa_info){.sa = sa};
	return 0;
}

int glue_pair_sas(struct ipsec_glue *g, const struct in6_addr *local, const struct in6_addr *peer,
	ipsec_glue_sa_fn *fn, void *arg)
{
	static const enum ipsec_use uses[] = {IPSEC_GATEWAY, IPSEC_MANAGER};
	int found = -ENOENT;

	for (int i = 0; i < 4; i++) {
		const struct glue_pair *p = find(g, uses[i / 2], local, peer);
		struct ipsec_glue_sa sa = {.home_address = *local,
			.home_agent = *peer,
			.manager = IPSEC_MANUAL,
			.use = uses[i / 2],
			.out = i % 2};

		if (!p)
			continue;
		found = show(g, p, &sa);
		if (found || !fn(arg, &sa))
			return found;
	}
	return found;
}
