/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes and their SAs, for those who look. */
#include <errno.h>
#include <string.h>

#include "ipsec-glue/glue_internal.h"

void ipsec_glue_nodes(const struct ipsec_glue *g, ipsec_glue_node_fn *fn, void *arg)
{
	struct glue_node *node, *next;

	HASH_ITER(hh, g->nodes, node, next)
		if (!fn(arg, &node->key.home_address, &node->key.home_agent))
			return;
	for (const struct glue_pair *p = g->pairs; p; p = p->hh.next)
		if (!glue_find(g, &p->key.local, &p->key.peer) &&
			!fn(arg, &p->key.local, &p->key.peer))
			return;
}

/*
 * Is there an SA of this use, or should there be?  Manual ones of the tunnel
 * are made when they are needed first, an IKE daemon's as well.
 */
static bool expected(const struct glue_node *node, enum ipsec_use use)
{
	return node->keyed[use] || use == IPSEC_SIGNAL || node->n.bound;
}

static uint32_t spi_of(const struct glue_node *node, enum ipsec_use use, bool out)
{
	const struct ipsec_manual_sa *m = node->manual[use][out];

	return m ? m->spi : node->spi[use][out];
}

/* What the kernel has of it; or the ends that it should have. */
static int look(struct ipsec_glue *g, const struct glue_node *node, struct ipsec_glue_sa *sa)
{
	const struct ipsec_manual_sa *m = node->manual[sa->use][sa->out];
	struct in6_addr src, dst;
	uint32_t spi = spi_of(node, sa->use, sa->out);
	int err = -ESRCH;

	ipsec_node_ends(&node->n, sa->use, sa->out, &src, &dst);
	if (spi)
		err = ipsec_sender_sa(g->sender, &dst, spi, &sa->info);
	if (!err && in6_equal(&sa->info.sa.src, &src))
		return 0;
	if (err && err != -ESRCH)
		return err;
	sa->missing = true;
	sa->info = (struct ipsec_sa_info){
		.sa = {.src = src,
			.dst = dst,
			.spi = spi,
			.reqid = node->n.reqid[sa->use],
			.mode = sa->use == IPSEC_SIGNAL ? IPSEC_TRANSPORT : IPSEC_TUNNEL,
			.algorithm = m ? m->algorithm : NULL}};
	return 0;
}

int ipsec_glue_sas(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, ipsec_glue_sa_fn *fn, void *arg)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);

	if (!node)
		return glue_pair_sas(g, home_address, home_agent, fn, arg);
	for (int i = 0; i < 2 * IPSEC_USES; i++) {
		struct ipsec_glue_sa sa = {.home_address = *home_address,
			.home_agent = *home_agent,
			.manager = g->config.manager,
			.use = (enum ipsec_use)(i / 2),
			.out = i % 2};
		int err = expected(node, sa.use) ? look(g, node, &sa) : 0;

		if (err)
			return err;
		if (expected(node, sa.use) && !fn(arg, &sa))
			break;
	}
	return 0;
}
