/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAs with manual keys.  They live as long as the node does: a node that is
 * at home keeps those of the tunnel, which then end at its last care-of
 * address, with their sequence numbers and replay windows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/glue_internal.h"

/* ---- what a predecessor left ---- */

static int note(void *arg, const struct ipsec_sa_info *info)
{
	struct ipsec_glue *g = arg;
	struct glue_found *f = calloc(1, sizeof(*f)), *first;

	if (!f)
		return -ENOMEM;
	f->spi = info->sa.spi;
	f->info = *info;
	HASH_FIND(hh, g->found, &f->spi, sizeof(f->spi), first);
	if (first) {
		f->next = first->next;
		first->next = f;
	} else {
		HASH_ADD(hh, g->found, spi, sizeof(f->spi), f);
	}
	return 0;
}

int glue_sa_take_over(struct ipsec_glue *g)
{
	return g->config.manager == IPSEC_MANUAL ? ipsec_sender_walk(g->sender, note, g) : 0;
}

void glue_sa_forget(struct ipsec_glue *g)
{
	struct glue_found *f, *next, *more;

	HASH_ITER(hh, g->found, f, next) {
		HASH_DEL(g->found, f);
		for (; f; f = more) {
			more = f->next;
			free(f);
		}
	}
}

/* Of these ends, but for the mobile one when that is a care-of address. */
static bool fits(const struct ipsec_sa *sa, const struct ipsec_node *n, enum ipsec_use use, bool out)
{
	struct in6_addr src, dst;
	bool by_care_of = use == IPSEC_DATA && n->arrangement == IPSEC_BY_MIGRATE;
	bool from_mobile = out != n->at_home_agent;

	ipsec_node_ends(n, use, out, &src, &dst);
	if (sa->mode != (use == IPSEC_SIGNAL ? IPSEC_TRANSPORT : IPSEC_TUNNEL) ||
		sa->reqid != n->reqid[use])
		return false;
	return (in6_equal(&sa->src, &src) || (by_care_of && from_mobile)) &&
	       (in6_equal(&sa->dst, &dst) || (by_care_of && !from_mobile));
}

static const struct ipsec_sa_info *left(
	const struct ipsec_glue *g, const struct glue_node *node, enum ipsec_use use, bool out)
{
	struct glue_found *f;

	HASH_FIND(hh, g->found, &node->manual[use][out]->spi, sizeof(uint32_t), f);
	for (; f; f = f->next)
		if (fits(&f->info.sa, &node->n, use, out))
			return &f->info;
	return NULL;
}

/* Killed in the middle of a move, the two may end at different addresses: the one that sends tells. */
void glue_sa_adopt(struct ipsec_glue *g, struct glue_node *node)
{
	const struct ipsec_sa_info *sends = left(g, node, IPSEC_DATA, true), *other;

	if (!sends)
		return;
	node->n.care_of = node->n.at_home_agent ? sends->sa.dst : sends->sa.src;
	node->n.was_bound = true;
	other = left(g, node, IPSEC_DATA, false);
	node->keyed[IPSEC_DATA] =
		other && in6_equal(&node->n.care_of, node->n.at_home_agent ? &other->sa.src : &other->sa.dst);
}

/* ---- what there should be ---- */

int glue_sa_keys(struct ipsec_glue *g, struct glue_node *node)
{
	for (int use = 0; use < IPSEC_USES; use++) {
		for (int out = 0; out < 2; out++) {
			bool from_mobile = out != node->n.at_home_agent;
			const struct in6_addr *a = &node->key.home_address, *b = &node->key.home_agent;

			node->manual[use][out] = ipsec_keys_find(g->config.keys, from_mobile ? a : b,
				from_mobile ? b : a, (enum ipsec_use)use);
			if (!node->manual[use][out])
				return -ENOKEY;
			if (from_mobile) /* the same number on both sides, and unique at the home agent */
				node->n.reqid[use] = node->manual[use][out]->spi;
		}
	}
	node->n.spi_out = node->manual[IPSEC_DATA][1]->spi;
	return 0;
}

void glue_sa_wanted(const struct ipsec_glue *g, const struct glue_node *node,
	const struct ipsec_node *n, enum ipsec_use use, bool out, struct ipsec_sa *sa)
{
	const struct ipsec_manual_sa *m = node->manual[use][out];

	*sa = (struct ipsec_sa){.spi = m->spi,
		.reqid = n->reqid[use],
		.mode = use == IPSEC_SIGNAL ? IPSEC_TRANSPORT : IPSEC_TUNNEL,
		.algorithm = m->algorithm,
		.key = m->key,
		.replay_window = out ? 0 : g->config.replay_window};
	ipsec_node_ends(n, use, out, &sa->src, &sa->dst);
}

static bool there(const struct ipsec_glue *g, const struct glue_node *node, const struct ipsec_sa *sa,
	enum ipsec_use use, bool out, struct ipsec_sa_info *info)
{
	/* what was found at the start is old by now: only that there is none saves a question */
	if (g->found && !left(g, node, use, out))
		return false;
	return ipsec_sender_sa(g->sender, &sa->dst, sa->spi, info) == 0 &&
	       in6_equal(&info->sa.src, &sa->src) && info->sa.reqid == sa->reqid;
}

void glue_sa_add(struct ipsec_glue *g, struct glue_node *node, const struct ipsec_node *n,
	enum ipsec_use use, struct ipsec_plan *p)
{
	for (int out = 0; out < 2; out++) {
		struct ipsec_sa_info info;
		struct ipsec_sa sa;
		struct ipsec_op *op = NULL;

		glue_sa_wanted(g, node, n, use, out, &sa);
		if (there(g, node, &sa, use, out, &info))
			glue_sequence_resume(g, node->manual[use][out], &info, &sa, p);
		else
			op = ipsec_plan_add(p, IPSEC_SA_ADD);
		if (op)
			op->sa = sa;
		ipsec_key_wipe(&sa.key);
	}
}

void glue_sa_del(const struct glue_node *node, enum ipsec_use use, struct ipsec_plan *p)
{
	for (int out = 0; out < 2; out++) {
		struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_DEL);

		if (!op)
			return;
		op->sa.spi = node->manual[use][out]->spi;
		ipsec_node_ends(&node->n, use, out, &op->sa.src, &op->sa.dst);
	}
}
