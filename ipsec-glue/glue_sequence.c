/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sequence numbers of manual SAs (sequence.h) between kernel and store.
 * Whatever makes such an SA, the start, a binding or mending, goes through
 * glue_do() and so through glue_sequence_prepare(): no SA is made with
 * numbers that were not reserved.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipsec-glue/glue_internal.h"
#include "ipsec-glue/sequence.h"

static bool lasting(const struct ipsec_glue *g)
{
	return g->config.keys && g->ops->sequence_get && g->ops->sequence_put;
}

static const struct ipsec_sequence *stored(
	struct ipsec_glue *g, const struct ipsec_manual_sa *m, struct ipsec_sequence *s)
{
	return g->ops->sequence_get(g->ctx, m, s) ? s : NULL;
}

static struct ipsec_sequence_now now_of(const struct ipsec_sa_info *info)
{
	return (struct ipsec_sequence_now){
		.sent = info->sa.sent, .received = info->sa.received, .packets = info->packets};
}

static void warn(struct ipsec_glue *g, const struct ipsec_manual_sa *m, bool sends,
	const struct ipsec_sequence_step *s)
{
	const char *use = ipsec_use_name(m->use);
	char text[200];

	if (s->exhausted)
		snprintf(text, sizeof(text),
			"the key of %s SA 0x%x has no sequence numbers left, nothing is sent any "
			"more; "
			"both ends need new keys",
			use, m->spi);
	else if (s->soon)
		snprintf(text, sizeof(text),
			"the key of %s SA 0x%x is good for %u more packets; both ends need new "
			"keys "
			"soon",
			use, m->spi, s->left);
	else
		return;
	glue_notice(g, sends != g->config.at_home_agent ? &m->src : &m->dst, text);
}

static int put(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sequence_step *s, bool sync)
{
	if (!s->store || g->ops->sequence_put(g->ctx, m, &s->put, sync))
		return 0;
	snprintf(g->why, sizeof(g->why),
		"sequence numbers could not be stored, and without that none may be used; see that "
		"state_file can be written");
	return -EIO;
}

/* ---- SAs that are made ---- */

static bool sends(const struct ipsec_op *op)
{
	return op->type == IPSEC_SA_ADD && !op->sa.replay_window;
}

static int prepare(struct ipsec_glue *g, struct ipsec_op *op, bool sync)
{
	const struct ipsec_manual_sa *m = ipsec_keys_of(g->config.keys, &op->sa.key);
	uint8_t fingerprint[IPSEC_FINGERPRINT_LEN];
	struct ipsec_sequence record;
	struct ipsec_sequence_step s;

	if (!m)
		return -ENOKEY;
	ipsec_sequence_fingerprint(&m->key, fingerprint);
	ipsec_sequence_begin(stored(g, m, &record), NULL, fingerprint, sends(op), &s);
	op->sa.sent = s.sent;
	op->sa.received = s.received;
	op->sa.soft_packets = s.soft_packets;
	op->sa.hard_packets = s.hard_packets;
	warn(g, m, sends(op), &s);
	return put(g, m, &s, sync);
}

int glue_sequence_prepare(struct ipsec_glue *g, struct ipsec_plan *p)
{
	size_t last = 0;
	int err = 0;

	if (!lasting(g))
		return 0;
	/* the disk is waited for once */
	for (size_t i = 0; i < p->n; i++)
		if (sends(&p->ops[i]))
			last = i;
	for (size_t i = 0; i < p->n && !err; i++)
		if (p->ops[i].type == IPSEC_SA_ADD)
			err = prepare(g, &p->ops[i], i == last);
	return err;
}

/* ---- SAs that a predecessor left ---- */

/* Before anything else, so that what is stored never speaks of another key than the kernel's. */
static int away_with(struct ipsec_glue *g, const struct ipsec_sa *sa)
{
	struct ipsec_plan p = {0};
	struct ipsec_op *op = ipsec_plan_add(&p, IPSEC_SA_DEL);

	if (op) {
		op->sa.spi = sa->spi;
		op->sa.src = sa->src;
		op->sa.dst = sa->dst;
	}
	return glue_do(g, &p);
}

static void limit(
	struct ipsec_plan *p, const struct ipsec_sa *sa, const struct ipsec_sequence_step *s)
{
	struct ipsec_op *op = s->hard_packets ? ipsec_plan_add(p, IPSEC_SA_LIMITS) : NULL;

	if (!op)
		return;
	op->sa = *sa;
	op->sa.soft_packets = s->soft_packets;
	op->sa.hard_packets = s->hard_packets;
}

static bool replaced(struct ipsec_glue *g, const struct ipsec_sa *sa, struct ipsec_plan *p)
{
	struct ipsec_op *op = away_with(g, sa) ? NULL : ipsec_plan_add(p, IPSEC_SA_ADD);

	if (!op)
		p->no_memory = true;
	else
		op->sa = *sa;
	return op;
}

void glue_sequence_resume(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sa_info *info, const struct ipsec_sa *sa, struct ipsec_plan *p)
{
	struct ipsec_sequence_now now = now_of(info);
	uint8_t fingerprint[IPSEC_FINGERPRINT_LEN];
	struct ipsec_sequence record;
	const struct ipsec_sequence *r;
	struct ipsec_sequence_step s;

	if (!lasting(g))
		return;
	r = stored(g, m, &record);
	ipsec_sequence_fingerprint(&m->key, fingerprint);
	ipsec_sequence_begin(r, &now, fingerprint, !sa->replay_window, &s);
	if (s.replace) {
		replaced(g, sa, p);
		return;
	}
	warn(g, m, !sa->replay_window, &s);
	if (put(g, m, &s, true))
		p->no_memory = true;
	limit(p, sa, &s);
}

/* ---- SAs that live ---- */

/* What could not be stored does no harm as long as the kernel's limit and a move or two end below the bound. */
static int unless_enough(
	const struct ipsec_sequence *record, const struct ipsec_sa_info *info, int err)
{
	uint64_t hard = info->sa.hard_packets,
		 allowed = hard > info->packets ? hard - info->packets : 0;

	return hard && info->sa.sent + allowed + 2 * IPSEC_SEQUENCE_GAP <= record->bound ? 0 : err;
}

int glue_sequence_look_at(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sa *sa, struct ipsec_plan *p)
{
	bool out = !sa->replay_window;
	struct ipsec_sequence record;
	struct ipsec_sequence_step s;
	struct ipsec_sequence_now now;
	struct ipsec_sa_info info;
	int err;

	/* what is not there will be made, or is being mended */
	if (!lasting(g) || !stored(g, m, &record) || ipsec_sender_sa(g->sender, &sa->dst, sa->spi, &info))
		return 0;
	now = now_of(&info);
	ipsec_sequence_continue(&record, &now, out, &s);
	warn(g, m, out, &s);
	err = put(g, m, &s, s.hard_packets != 0);
	if (err)
		return out ? unless_enough(&record, &info, err) : 0;
	limit(p, sa, &s);
	return 0;
}

static int look_at(struct ipsec_glue *g, const struct glue_node *node, enum ipsec_use use, bool out,
	struct ipsec_plan *p)
{
	struct ipsec_sa sa;
	int err;

	glue_sa_wanted(g, node, &node->n, use, out, &sa);
	err = glue_sequence_look_at(g, node->manual[use][out], &sa, p);
	ipsec_key_wipe(&sa.key);
	return err;
}

/* With an IKE daemon's SAs for nodes, only pairs have manual keys. */
static bool nodes_last(const struct ipsec_glue *g)
{
	return g->config.manager == IPSEC_MANUAL && lasting(g);
}

int glue_sequence_look(struct ipsec_glue *g, const struct glue_node *node)
{
	struct ipsec_plan p = {0};
	int err = 0;

	if (!nodes_last(g))
		return 0;
	for (int use = 0; use < IPSEC_USES; use++)
		for (int out = 0; out < 2 && node->keyed[use] && !err; out++)
			err = look_at(g, node, (enum ipsec_use)use, out, &p);
	if (err)
		ipsec_plan_free(&p);
	return err ? err : glue_do(g, &p);
}

/* ---- and that end ---- */

void glue_sequence_last(struct ipsec_glue *g, const struct glue_node *node, struct glue_last *last)
{
	memset(last, 0, sizeof(*last));
	if (!nodes_last(g))
		return;
	for (int use = 0; use < IPSEC_USES; use++)
		for (int out = 0; out < 2 && node->keyed[use]; out++) {
			struct in6_addr src, dst;
			struct ipsec_sa_info info;

			ipsec_node_ends(&node->n, (enum ipsec_use)use, out, &src, &dst);
			last->seen[use][out] = ipsec_sender_sa(g->sender, &dst,
						       node->manual[use][out]->spi, &info) == 0;
			if (last->seen[use][out])
				last->now[use][out] = now_of(&info);
		}
}

/* The disk need not be waited for: what it has otherwise only skips numbers. */
static void remember(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sequence_now *now, bool out)
{
	struct ipsec_sequence record;
	struct ipsec_sequence_step s;

	if (!stored(g, m, &record))
		return;
	ipsec_sequence_end(&record, now, out, &s);
	(void)put(g, m, &s, false); /* was logged by whoever keeps it */
}

void glue_sequence_end(
	struct ipsec_glue *g, const struct glue_node *node, const struct glue_last *last)
{
	for (int use = 0; use < IPSEC_USES; use++)
		for (int out = 0; out < 2; out++)
			if (last->seen[use][out])
				remember(g, node->manual[use][out], &last->now[use][out], out);
}

void glue_sequence_remember(struct ipsec_glue *g, const struct ipsec_manual_sa *m,
	const struct ipsec_sa_info *info, bool out)
{
	struct ipsec_sequence_now now = now_of(info);

	if (lasting(g))
		remember(g, m, &now, out);
}
