/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others do to our SAs and policies.  An event makes the node it is
 * about a suspect; when all that was to be read is read, each suspect is
 * compared with the kernel, object by object, and mended.  Everything is
 * compared only if everything was flushed or events were lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/glue_internal.h"
#include "ipsec-glue/reconcile.h"

/* ---- what there should be ---- */

static void want_sas(const struct ipsec_glue *g, const struct glue_node *node, struct ipsec_plan *p)
{
	if (g->config.manager != IPSEC_MANUAL)
		return;
	for (int use = 0; use < IPSEC_USES; use++)
		for (int out = 0; out < 2 && node->keyed[use]; out++) {
			struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_ADD);

			if (op)
				glue_sa_wanted(g, node, &node->n, (enum ipsec_use)use, out, &op->sa);
		}
}

static void want_node(const struct ipsec_glue *g, const struct glue_node *node, struct ipsec_plan *p)
{
	want_sas(g, node, p);
	if (node->left)
		ipsec_plan_install(&node->n, p);
	else
		ipsec_plan_wanted(&node->n, p);
}

static void want_all(const struct ipsec_glue *g, struct ipsec_plan *p)
{
	const struct glue_node *node;

	if (g->nodes)
		ipsec_plan_common(true, p);
	for (node = g->nodes; node; node = node->hh.next)
		want_node(g, node, p);
	glue_pairs_want(g, p);
}

/* ---- what is ours of what nobody wants ---- */

struct address {
	struct in6_addr a;
	UT_hash_handle hh;
};

struct reqid {
	uint32_t reqid;
	UT_hash_handle hh;
};

struct ours {
	const struct ipsec_glue *g;
	struct address *ends; /* home agents; on a mobile node home addresses too */
	struct address *left; /* home addresses whose tunnel is a predecessor's */
	struct reqid *reqids; /* of templates in policies of ours */
};

static bool has(struct address *set, const struct in6_addr *a)
{
	struct address *found;

	HASH_FIND(hh, set, a, sizeof(*a), found);
	return found;
}

static bool add_address(struct address **set, const struct in6_addr *a)
{
	struct address *new;

	if (has(*set, a))
		return true;
	new = calloc(1, sizeof(*new));
	if (!new)
		return false;
	new->a = *a;
	HASH_ADD(hh, *set, a, sizeof(new->a), new);
	return true;
}

static void free_addresses(struct address **set)
{
	struct address *a, *next;

	HASH_ITER(hh, *set, a, next) {
		HASH_DEL(*set, a);
		free(a);
	}
}

static void ours_free(struct ours *o)
{
	struct reqid *r, *next;

	free_addresses(&o->ends);
	free_addresses(&o->left);
	HASH_ITER(hh, o->reqids, r, next) {
		HASH_DEL(o->reqids, r);
		free(r);
	}
}

static bool add_reqid(struct ours *o, uint32_t reqid)
{
	struct reqid *r;

	HASH_FIND(hh, o->reqids, &reqid, sizeof(reqid), r);
	if (r)
		return true;
	r = calloc(1, sizeof(*r));
	if (!r)
		return false;
	r->reqid = reqid;
	HASH_ADD(hh, o->reqids, reqid, sizeof(r->reqid), r);
	return true;
}

static bool between_ours(const struct ours *o, const struct ipsec_policy *p)
{
	if (has(o->ends, &p->sel.src.addr) || has(o->ends, &p->sel.dst.addr))
		return true;
	for (size_t i = 0; i < p->n_templates; i++)
		if (has(o->ends, &p->templates[i].src) || has(o->ends, &p->templates[i].dst))
			return true;
	return false;
}

static bool is_data(const struct ipsec_policy *p)
{
	return p->sel.src.plen != 128 || p->sel.dst.plen != 128;
}

static bool owns_policy(const struct ours *o, const struct ipsec_policy *p)
{
	if (is_data(p) && (has(o->left, &p->sel.src.addr) || has(o->left, &p->sel.dst.addr)))
		return false; /* will be decided by a binding */
	return between_ours(o, p);
}

/* Manual SAs are known by the policies that name them: others' may end at the same addresses. */
static bool owns_sa(const struct ours *o, const struct ipsec_sa *sa)
{
	struct reqid *r;

	HASH_FIND(hh, o->reqids, &sa->reqid, sizeof(sa->reqid), r);
	return r && o->g->config.manager == IPSEC_MANUAL && (has(o->ends, &sa->src) || has(o->ends, &sa->dst));
}

/* Only between a node and its home agent; what goes to correspondents is not ours. */
static bool owns_ro(const struct ours *o, const struct ipsec_ro *ro)
{
	const struct glue_node *node = glue_find(o->g, &ro->src, &ro->dst);

	if (!node)
		node = glue_find(o->g, &ro->dst, &ro->src);
	return node && !node->left;
}

static bool owns(void *ctx, const struct ipsec_op *surplus)
{
	const struct ours *o = ctx;

	if (surplus->type == IPSEC_POLICY_DEL)
		return ipsec_priority_of_nodes(surplus->policy.priority) &&
		       owns_policy(o, &surplus->policy);
	if (surplus->type == IPSEC_SA_DEL)
		return owns_sa(o, &surplus->sa);
	return owns_ro(o, &surplus->ro);
}

static bool note_reqids_of(struct ours *o, const struct ipsec_snapshot *there)
{
	bool ok = true;

	for (size_t i = 0; i < there->n_policies; i++) {
		const struct ipsec_policy *p = &there->policies[i];

		if (!ipsec_priority_of_nodes(p->priority) || !between_ours(o, p))
			continue;
		for (size_t t = 0; t < p->n_templates; t++)
			if (p->templates[t].proto == IPPROTO_ESP)
				ok &= add_reqid(o, p->templates[t].reqid);
	}
	return ok;
}

static bool ours_of(const struct ipsec_glue *g, const struct ipsec_snapshot *there, struct ours *o)
{
	const struct glue_node *node;
	bool ok = true;

	*o = (struct ours){.g = g};
	for (node = g->nodes; node; node = node->hh.next) {
		ok &= add_address(&o->ends, &node->key.home_agent);
		if (!g->config.at_home_agent)
			ok &= add_address(&o->ends, &node->key.home_address);
		if (node->left)
			ok &= add_address(&o->left, &node->key.home_address);
	}
	return ok && note_reqids_of(o, there);
}

/* ---- comparing ---- */

struct report {
	struct ipsec_glue *g;
	const struct in6_addr *home_address; /* NULL: of all of them */
	ipsec_glue_text_fn *fn;
	void *arg;
};

static void tell(void *ctx, enum ipsec_difference d, const struct ipsec_op *op)
{
	const struct report *r = ctx;
	char text[200];

	ipsec_difference_text(d, op, text, sizeof(text));
	if (r->fn)
		r->fn(r->arg, text);
	else if (r->home_address)
		glue_notice(r->g, r->home_address, text);
}

static int carry_out(struct ipsec_glue *g, struct ipsec_plan *mend, int differences)
{
	int err = differences > 0 ? glue_do(g, mend) : 0;

	if (!err && differences > 0)
		g->stats.mended += (uint64_t)differences;
	return err ? err : differences;
}

static int compare_all(struct ipsec_glue *g, bool mend_too, ipsec_glue_text_fn *fn, void *arg)
{
	struct report r = {.g = g, .fn = fn, .arg = arg};
	struct ipsec_plan wanted = {0}, mend = {0};
	struct ipsec_snapshot there;
	struct ours o = {0};
	int n = ipsec_sender_snapshot(g->sender, &there);

	want_all(g, &wanted);
	if (!n && !ours_of(g, &there, &o))
		n = -ENOMEM;
	if (!n)
		n = ipsec_reconcile(&wanted, &there, owns, &o, &mend, tell, &r);
	if (n > 0 && mend_too)
		n = carry_out(g, &mend, n);
	ours_free(&o);
	ipsec_snapshot_free(&there);
	ipsec_plan_free(&wanted);
	ipsec_plan_free(&mend);
	return n;
}

int ipsec_glue_check(struct ipsec_glue *g, ipsec_glue_text_fn *fn, void *arg)
{
	return compare_all(g, false, fn, arg);
}

int ipsec_glue_mend(struct ipsec_glue *g, ipsec_glue_text_fn *fn, void *arg)
{
	return compare_all(g, true, fn, arg);
}

int ipsec_glue_settle(struct ipsec_glue *g)
{
	int n = compare_all(g, true, NULL, NULL);

	glue_sa_forget(g);
	return n < 0 ? n : 0;
}

/* What is wanted of a node is asked for one by one: other nodes cost nothing. */
static int mend_node(struct ipsec_glue *g, const struct glue_node *node)
{
	struct report r = {.g = g, .home_address = &node->key.home_address};
	struct ipsec_plan wanted = {0}, mend = {0};
	struct ipsec_snapshot there;
	int n;

	want_node(g, node, &wanted);
	n = ipsec_sender_look(g->sender, &wanted, &there);
	if (!n)
		n = ipsec_reconcile(&wanted, &there, NULL, NULL, &mend, tell, &r);
	n = n > 0 ? carry_out(g, &mend, n) : n;
	ipsec_snapshot_free(&there);
	ipsec_plan_free(&wanted);
	ipsec_plan_free(&mend);
	return n;
}

/* ---- events ---- */

static void suspect(struct ipsec_glue *g, struct glue_node *node)
{
	if (!node || node->suspected)
		return;
	node->suspected = true;
	node->suspect = g->suspects;
	g->suspects = node;
}

static bool in_networks(const struct ipsec_node *n, const struct ip6_prefix *p)
{
	for (size_t i = 0; i < n->n_networks; i++)
		if (n->networks[i].plen == p->plen && in6_equal(&n->networks[i].addr, &p->addr))
			return true;
	return false;
}

/* At the home agent a home address is enough to find its node; networks are looked for one by one. */
static struct glue_node *of_host(const struct ipsec_glue *g, const struct ip6_prefix *p)
{
	return g->nodes && p->plen == 128 ? glue_find(g, &p->addr, &g->nodes->key.home_agent) : NULL;
}

static void suspect_policy(struct ipsec_glue *g, const struct ipsec_selector *s)
{
	struct glue_node *node, *next;

	if (s->family != AF_INET6)
		return;
	node = of_host(g, &s->src);
	if (!node)
		node = of_host(g, &s->dst);
	suspect(g, node);
	if (node && g->config.at_home_agent)
		return;
	HASH_ITER(hh, g->nodes, node, next) {
		const struct in6_addr *home = &node->key.home_address;

		if (in6_equal(home, &s->src.addr) || in6_equal(home, &s->dst.addr) ||
			in_networks(&node->n, &s->src) || in_networks(&node->n, &s->dst))
			suspect(g, node);
	}
}

static void needed(struct ipsec_glue *g, const struct ipsec_event *e)
{
	enum ipsec_use use;
	const struct glue_node *node = glue_of_reqid(g, e->reqid, &use);

	if (!node || e->proto != IPPROTO_ESP)
		return;
	g->stats.acquires++;
	if (g->ops->needed)
		g->ops->needed(g->ctx, &node->key.home_address, &node->key.home_agent, use);
}

static void suspect_pair(struct ipsec_glue *g, const struct ipsec_event *e)
{
	struct glue_pair *p = glue_pair_of_reqid(g, e->reqid);

	if (!p || p->suspected)
		return;
	p->suspected = true;
	g->suspected_pairs++;
}

static void pair_expired(struct ipsec_glue *g, const struct ipsec_event *e)
{
	struct glue_pair *p = glue_pair_of_reqid(g, e->reqid);

	if (!p)
		return;
	g->stats.expired++;
	if (e->hard)
		suspect_pair(g, e);
	else if (glue_pair_look(g, p))
		glue_notice(g, &p->key.local, g->why);
}

static void mend_pairs(struct ipsec_glue *g)
{
	struct glue_pair *p;

	for (p = g->pairs; p && g->suspected_pairs; p = p->hh.next) {
		if (!p->suspected)
			continue;
		p->suspected = false;
		g->suspected_pairs--;
		if (!g->compare && glue_pair_mend(g, p) < 0)
			glue_notice(g, &p->key.local, g->why);
	}
}

static void expired(struct ipsec_glue *g, const struct ipsec_event *e)
{
	enum ipsec_use use;
	struct glue_node *node = glue_of_reqid(g, e->reqid, &use);

	if (!node) {
		pair_expired(g, e);
		return;
	}
	g->stats.expired++;
	if (g->ops->expired)
		g->ops->expired(g->ctx, &node->key.home_address, &node->key.home_agent, use, e->spi, e->hard);
	if (e->hard)
		suspect(g, node);
	else if (glue_sequence_look(g, node))
		glue_notice(g, &node->key.home_address, g->why);
}

static void take(void *arg, const struct ipsec_event *e)
{
	struct ipsec_glue *g = arg;
	enum ipsec_use use;

	switch (e->type) {
	case IPSEC_EV_ACQUIRE:
		needed(g, e);
		break;
	case IPSEC_EV_EXPIRE:
		expired(g, e);
		break;
	case IPSEC_EV_SA_GONE:
		suspect(g, glue_of_reqid(g, e->reqid, &use));
		suspect_pair(g, e);
		break;
	case IPSEC_EV_POLICY_GONE:
		suspect_policy(g, &e->sel);
		break;
	case IPSEC_EV_FLUSHED:
	case IPSEC_EV_LOST:
		g->compare = true;
		break;
	case IPSEC_EV_MIGRATE: /* ours come back as well: whoever moved it, it is looked at no further */
	case IPSEC_EV_MAPPING:
		break;
	}
}

static void mend_suspects(struct ipsec_glue *g)
{
	while (g->suspects) {
		struct glue_node *node = g->suspects;

		g->suspects = node->suspect;
		node->suspected = false;
		if (!g->compare && mend_node(g, node) < 0)
			glue_notice(g, &node->key.home_address, g->why);
	}
}

void ipsec_glue_read(struct ipsec_glue *g)
{
	static const struct in6_addr all;
	int n;

	ipsec_kernel_events_read(g->events, ipsec_sender_port(g->sender), take, g);
	mend_suspects(g);
	mend_pairs(g);
	if (!g->compare)
		return;
	g->compare = false;
	n = compare_all(g, true, NULL, NULL);
	if (n)
		glue_notice(g, &all, n < 0 ? g->why : "SAs and policies were deleted by somebody: made again");
}
