/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/glue_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* ---- nodes ---- */

struct glue_node *glue_find(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent)
{
	struct glue_key key = {*home_address, *home_agent};
	struct glue_node *node;

	HASH_FIND(hh, g->nodes, &key, sizeof(key), node);
	return node;
}

struct glue_node *glue_of_reqid(const struct ipsec_glue *g, uint32_t reqid, enum ipsec_use *use)
{
	struct glue_reqid *r;

	HASH_FIND(hh, g->reqids, &reqid, sizeof(reqid), r);
	if (!r)
		return NULL;
	*use = r->use;
	return r->node;
}

static void forget_reqids(struct ipsec_glue *g, const struct glue_node *node)
{
	struct glue_reqid *r;

	for (int use = 0; use < IPSEC_USES; use++) {
		HASH_FIND(hh, g->reqids, &node->n.reqid[use], sizeof(uint32_t), r);
		if (r && r->node == node) {
			HASH_DEL(g->reqids, r);
			free(r);
		}
	}
}

static int note_reqids(struct ipsec_glue *g, struct glue_node *node)
{
	for (int use = 0; use < IPSEC_USES; use++) {
		struct glue_reqid *r;

		HASH_FIND(hh, g->reqids, &node->n.reqid[use], sizeof(uint32_t), r);
		if (r)
			continue;
		r = calloc(1, sizeof(*r));
		if (!r)
			return -ENOMEM;
		r->reqid = node->n.reqid[use];
		r->use = (enum ipsec_use)use;
		r->node = node;
		HASH_ADD(hh, g->reqids, reqid, sizeof(r->reqid), r);
	}
	return 0;
}

static void forget(struct ipsec_glue *g, struct glue_node *node)
{
	g->stats.bound -= node->n.bound;
	g->stats.nodes--;
	forget_reqids(g, node);
	HASH_DEL(g->nodes, node);
	free(node);
}

/* ---- carrying out ---- */

int glue_do(struct ipsec_glue *g, struct ipsec_plan *p)
{
	struct ipsec_failure f = {0};
	int err = 0;

	if (p->no_memory)
		err = -ENOMEM;
	else if (p->n && (err = glue_sequence_prepare(g, p)))
		snprintf(f.why, sizeof(f.why), "%.199s", err == -EIO ? g->why : strerror(-err));
	else if (p->n)
		err = ipsec_sender_do(g->sender, p, &f);
	if (err)
		snprintf(g->why, sizeof(g->why), "%s: %s",
			p->n > f.op ? ipsec_op_name(p->ops[f.op].type) : "plan",
			f.why[0] ? f.why : strerror(-err));
	ipsec_plan_free(p);
	return err;
}

void glue_notice(struct ipsec_glue *g, const struct in6_addr *home_address, const char *text)
{
	if (g->ops->notice)
		g->ops->notice(g->ctx, home_address, text);
}

static int paused(void *ctx, const struct in6_addr *home_address, bool on)
{
	struct ipsec_glue *g = ctx;

	return g->ops->pause ? g->ops->pause(g->ctx, home_address, on) : 0;
}

/* ---- adding and removing ---- */

static struct glue_node *new_node(const struct ipsec_glue *g, const struct ipsec_glue_node *c)
{
	struct glue_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->key = (struct glue_key){c->home_address, c->home_agent};
	node->left = !g->config.at_home_agent;
	node->n = (struct ipsec_node){.at_home_agent = g->config.at_home_agent,
		.arrangement = g->config.arrangement,
		.payload = g->config.payload,
		.ike = g->config.manager == IPSEC_STRONGSWAN,
		.home_address = c->home_address,
		.home_agent = c->home_agent};
	memcpy(node->n.reqid, c->reqid, sizeof(c->reqid));
	return node;
}

/* Keys first: policies without SAs would make the kernel ask for some. */
static int install(struct ipsec_glue *g, struct glue_node *node)
{
	struct ipsec_plan p = {0};
	int err;

	if (g->config.manager == IPSEC_MANUAL) {
		err = glue_sa_keys(g, node);
		if (err)
			return err;
		glue_sa_adopt(g, node);
		glue_sa_add(g, node, &node->n, IPSEC_SIGNAL, &p);
		if (g->config.arrangement == IPSEC_BY_HOME_ADDRESS || node->keyed[IPSEC_DATA])
			glue_sa_add(g, node, &node->n, IPSEC_DATA, &p);
	}
	if (!g->nodes)
		ipsec_plan_common(true, &p);
	ipsec_plan_install(&node->n, &p);
	err = glue_do(g, &p);
	if (err)
		return err;
	if (g->config.manager == IPSEC_MANUAL) {
		node->keyed[IPSEC_SIGNAL] = true;
		node->keyed[IPSEC_DATA] |= g->config.arrangement == IPSEC_BY_HOME_ADDRESS;
	}
	return 0;
}

int ipsec_glue_add(struct ipsec_glue *g, const struct ipsec_glue_node *c)
{
	struct glue_node *node = glue_find(g, &c->home_address, &c->home_agent);
	int err;

	if (node)
		return 0;
	node = new_node(g, c);
	if (!node)
		return -ENOMEM;
	err = install(g, node);
	if (err) {
		free(node);
		return err;
	}
	HASH_ADD(hh, g->nodes, key, sizeof(node->key), node);
	g->stats.nodes++;
	err = note_reqids(g, node);
	if (err)
		(void)ipsec_glue_del(g, &c->home_address, &c->home_agent);
	return err;
}

static void plan_removal(struct ipsec_glue *g, struct glue_node *node, struct ipsec_plan *p)
{
	ipsec_plan_remove(&node->n, p);
	if (HASH_COUNT(g->nodes) == 1)
		ipsec_plan_common(false, p);
	if (g->config.manager != IPSEC_MANUAL)
		return;
	for (int use = 0; use < IPSEC_USES; use++)
		if (node->keyed[use])
			glue_sa_del(node, (enum ipsec_use)use, p);
}

static int take_away(struct ipsec_glue *g, struct glue_node *node)
{
	struct ipsec_plan p = {0};
	struct glue_last last;
	int err;

	plan_removal(g, node, &p);
	glue_sequence_last(g, node, &last);
	err = glue_do(g, &p);
	if (!err)
		glue_sequence_end(g, node, &last);
	return err;
}

int ipsec_glue_del(
	struct ipsec_glue *g, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	int err;

	if (!node)
		return -ENOENT;
	err = take_away(g, node);
	if (!err)
		forget(g, node);
	return err;
}

bool ipsec_glue_protects(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent)
{
	return glue_find(g, home_address, home_agent);
}

bool ipsec_glue_keyed(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use)
{
	const struct glue_node *node = glue_find(g, home_address, home_agent);

	return node && node->keyed[use];
}

uint32_t ipsec_glue_reqid(const struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent)
{
	const struct glue_node *node = glue_find(g, home_address, home_agent);

	return node ? node->n.reqid[IPSEC_DATA] : 0;
}

/* ---- bindings ---- */

/*
 * A mobile node changes its home agent: policies of the tunnel have the same
 * selectors, the new ones take the place of the old.
 */
static void leave_other_agent(struct ipsec_glue *g, const struct glue_node *to)
{
	struct glue_node *node, *next;

	if (g->config.at_home_agent)
		return;
	HASH_ITER(hh, g->nodes, node, next) {
		if (node == to || !node->n.was_bound ||
			!in6_equal(&node->key.home_address, &to->key.home_address))
			continue;
		g->stats.bound -= node->n.bound;
		node->n.bound = node->n.was_bound = false;
	}
}

/* With manual keys the tunnel's SAs are made where they are needed first. */
static bool plan_keys(
	struct ipsec_glue *g, struct glue_node *node, const struct in6_addr *care_of, struct ipsec_plan *p)
{
	struct ipsec_node to = node->n;

	if (g->config.manager != IPSEC_MANUAL || node->keyed[IPSEC_DATA])
		return false;
	to.care_of = *care_of;
	glue_sa_add(g, node, &to, IPSEC_DATA, p);
	return true;
}

static void ends_at(struct ipsec_glue *g, struct glue_node *node, const struct in6_addr *care_of)
{
	struct in6_addr from = node->n.care_of;

	node->n.care_of = *care_of;
	if (!in6_is_any(&from) && !in6_equal(&from, care_of)) {
		g->stats.moves++;
		if (g->config.arrangement == IPSEC_BY_MIGRATE && g->ops->moved)
			g->ops->moved(g->ctx, &node->key.home_address, &from, care_of);
	}
	if (g->ops->bound)
		g->ops->bound(g->ctx, &node->key.home_address, &node->key.home_agent, care_of);
}

static void remove_stale(const struct glue_node *node, enum ipsec_use use, bool out, uint32_t spi, struct ipsec_plan *p)
{
	struct ipsec_op *op = spi ? ipsec_plan_add(p, IPSEC_SA_DEL) : NULL;

	if (!op)
		return;
	op->sa.spi = spi;
	ipsec_node_ends(&node->n, use, out, &op->sa.src, &op->sa.dst);
}

/*
 * MIGRATE takes one SA of a reqid, whichever it finds first: of two pairs
 * after a rekeying the former must not be there any more.  Right behind the
 * rekeying the peer may still use it.
 */
#define IN_USE_S 3

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void remove_replaced(const struct glue_node *node, struct ipsec_plan *p)
{
	if (seconds() - node->replaced_at < IN_USE_S)
		return;
	for (int out = 0; out < 2; out++)
		remove_stale(node, IPSEC_DATA, out, node->replaced[out], p);
}

/*
 * Without SAs there is nothing to be moved, and the kernel would not: in
 * their place it has what it made when it asked for them.
 */
static void plan_end(const struct glue_node *node, const struct in6_addr *care_of, struct ipsec_plan *p)
{
	struct ipsec_node n = node->n;

	if (n.ike && !node->keyed[IPSEC_DATA]) {
		n.bound = false;
		n.care_of = in6addr_any;
	}
	remove_replaced(node, p);
	ipsec_plan_bind(&n, care_of, p);
}

int ipsec_glue_bind(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	struct ipsec_plan p = {0};
	bool keyed;
	int err;

	if (!node)
		return -ENOENT;
	err = glue_sequence_look(g, node);
	if (err)
		return err;
	if (node->n.bound && in6_equal(&node->n.care_of, care_of))
		return 0;
	leave_other_agent(g, node);
	keyed = plan_keys(g, node, care_of, &p);
	plan_end(node, care_of, &p);
	err = glue_do(g, &p);
	if (err)
		return err;
	node->keyed[IPSEC_DATA] |= keyed;
	g->stats.bound += !node->n.bound;
	node->n.bound = node->n.was_bound = true;
	node->left = false;
	ends_at(g, node, care_of);
	return 0;
}

int ipsec_glue_unbind(
	struct ipsec_glue *g, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	struct ipsec_plan p = {0};
	struct ipsec_node was;
	int err;

	if (!node)
		return -ENOENT;
	err = glue_sequence_look(g, node);
	if (err)
		return err;
	was = node->n;
	if (node->n.ike && !node->keyed[IPSEC_DATA])
		was.care_of = *home_address;
	remove_replaced(node, &p);
	ipsec_plan_unbind(&was, &p);
	err = glue_do(g, &p);
	if (err)
		return err;
	/* At home from the beginning: SAs can be made before they are needed. */
	if (!node->n.bound && !(node->n.ike && in6_is_any(&node->n.care_of)))
		return 0;
	g->stats.bound -= node->n.bound;
	node->n.bound = false;
	ends_at(g, node, home_address);
	return 0;
}

int ipsec_glue_networks(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct ip6_prefix *networks, size_t n)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	struct ipsec_plan p = {0};
	int err;

	if (!node)
		return -ENOENT;
	if (n > IPSEC_MAX_NETWORKS)
		return -E2BIG;
	ipsec_plan_networks(&node->n, networks, n, &p);
	err = glue_do(g, &p);
	if (err)
		return err;
	if (n)
		memcpy(node->n.networks, networks, n * sizeof(*networks));
	node->n.n_networks = n;
	return 0;
}

int ipsec_glue_source(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	struct ipsec_plan p = {0};
	int err;

	if (!node)
		return -ENOENT;
	ipsec_plan_source(&node->n, care_of, &p);
	err = glue_do(g, &p);
	if (err)
		return err;
	node->n.sourced = care_of;
	node->n.source = care_of ? *care_of : in6addr_any;
	return 0;
}

/*
 * Made while the node was on its way, they end where it was: no policy leads
 * there.  They are moved after it, as the others were.
 */
static void catch_up(const struct glue_node *node, const struct ipsec_glue_child *c, struct ipsec_plan *p)
{
	const struct in6_addr *end = node->n.at_home_agent ? &c->remote : &c->local;
	struct ipsec_node was = node->n;

	if (c->use != IPSEC_DATA || !c->spi_out || node->n.arrangement != IPSEC_BY_MIGRATE ||
		!node->n.bound || in6_equal(end, &node->n.care_of))
		return;
	was.care_of = *end;
	was.bound = false; /* policies are written for where the SAs are, and then moved with them */
	ipsec_plan_bind(&was, &node->n.care_of, p);
}

int ipsec_glue_child(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct ipsec_glue_child *c)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	struct ipsec_plan p = {0};

	if (!node)
		return -ENOENT;
	/* What waits for them leaves when its policy is written again, not when the kernel looks the next time (0.1 s, 0.2 s, ...). */
	if (c->use == IPSEC_SIGNAL && c->spi_out && !node->spi[c->use][1])
		ipsec_plan_install(&node->n, &p);
	node->keyed[c->use] = c->spi_out;
	if (c->use == IPSEC_DATA && node->spi[IPSEC_DATA][1] != c->spi_out) {
		memcpy(node->replaced, node->spi[IPSEC_DATA], sizeof(node->replaced));
		node->replaced_at = seconds();
	}
	node->spi[c->use][0] = c->spi_in;
	node->spi[c->use][1] = c->spi_out;
	*(c->use == IPSEC_DATA ? &node->n.spi_out : &node->n.spi_signal) = c->spi_out;
	catch_up(node, c, &p);
	/* Made before they are needed, at home: they are moved from where they are.  Without them policies stay as they are. */
	if (c->use == IPSEC_DATA && !node->n.bound && node->n.arrangement == IPSEC_BY_MIGRATE) {
		if (c->spi_out)
			node->n.care_of = node->n.at_home_agent ? c->remote : c->local;
		else if (!node->n.was_bound)
			node->n.care_of = in6addr_any;
	}
	return glue_do(g, &p);
}

int ipsec_glue_stale(struct ipsec_glue *g, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use, uint32_t spi_in, uint32_t spi_out)
{
	struct glue_node *node = glue_find(g, home_address, home_agent);
	struct ipsec_plan p = {0};

	if (!node)
		return -ENOENT;
	remove_stale(node, use, false, spi_in, &p);
	remove_stale(node, use, true, spi_out, &p);
	return glue_do(g, &p);
}

/* ---- start and end ---- */

struct ipsec_glue *ipsec_glue_open(const struct ipsec_glue_config *c, const struct ipsec_glue_ops *ops,
	void *ctx, char *err, size_t errlen)
{
	struct ipsec_glue *g = calloc(1, sizeof(*g));
	int rc = -ENOMEM;

	if (!g) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	g->config = *c;
	g->ops = ops;
	g->ctx = ctx;
	g->events = ipsec_kernel_events_open(&rc);
	if (g->events)
		g->sender = ipsec_sender_open(&rc);
	if (g->sender) {
		ipsec_sender_pauses(g->sender, paused, g);
		rc = glue_sa_take_over(g);
	}
	if (rc) {
		snprintf(err, errlen, "the kernel's IPsec cannot be reached (CAP_NET_ADMIN, CONFIG_XFRM_USER): %s",
			strerror(-rc));
		ipsec_glue_close(g, false);
		return NULL;
	}
	return g;
}

void ipsec_glue_close(struct ipsec_glue *g, bool remove)
{
	struct glue_node *node, *next;

	if (!g)
		return;
	HASH_ITER(hh, g->nodes, node, next) {
		if (remove && take_away(g, node))
			glue_notice(g, &node->key.home_address, g->why);
		forget(g, node);
	}
	glue_pairs_close(g, remove);
	glue_sa_forget(g);
	ipsec_kernel_events_close(g->events);
	ipsec_sender_close(g->sender);
	free(g);
}

int ipsec_glue_fd(const struct ipsec_glue *g)
{
	return ipsec_kernel_events_fd(g->events);
}

const char *ipsec_glue_why(const struct ipsec_glue *g)
{
	return g->why[0] ? g->why : "no SA and no policy was touched";
}

void ipsec_glue_stats(const struct ipsec_glue *g, struct ipsec_glue_stats *s)
{
	*s = g->stats;
}
