/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts of mobile nodes (V7), and what changes them: the gateways' reports
 * (V6, V11) and the nodes' own word about where they are.
 *
 * A gateway knows which home address belongs to an internal address.  A node
 * may say it only as long as no gateway has: else one could have its peers
 * send to somebody else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/manager_internal.h"

struct context *context_find(const struct vcm_manager *m, const struct in6_addr *internal)
{
	struct addr_node *n = addr_table_find(&m->contexts, internal);

	return n ? ADDR_OBJECT(n, struct context, node) : NULL;
}

struct context *context_new(struct vcm_manager *m, const struct in6_addr *internal)
{
	struct context *c;

	if (m->contexts.n >= m->config.max_contexts)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->node.addr = *internal;
	LIST_INIT(&c->pairs);
	if (vcm_exchange_peer(m->exchange, internal)) {
		free(c);
		return NULL;
	}
	addr_table_add(&m->contexts, &c->node);
	return c;
}

void context_free(struct vcm_manager *m, struct context *c)
{
	vcm_exchange_forget(m->exchange, &c->node.addr);
	addr_table_del(&m->contexts, &c->node);
	free(c->correspondents);
	free(c);
}

struct vcm_context_record context_record(const struct context *c)
{
	return (struct vcm_context_record){.internal = c->node.addr,
		.home = c->home,
		.outside = c->outside,
		.revoked = c->revoked,
		.epoch = c->epoch,
		.n_correspondents = c->n_correspondents,
		.correspondents = c->correspondents};
}

int context_save(struct vcm_manager *m, const struct context *c)
{
	struct vcm_context_record r = context_record(c);

	return m->ops->context_put(m->ctx, &r);
}

bool node_known(const struct vcm_manager *m, const struct in6_addr *internal)
{
	return m->config.known ? m->config.known(m->ctx, internal) : !!context_find(m, internal);
}

bool context_able(const struct context *c)
{
	return c->outside && !c->revoked && !in6_is_any(&c->home);
}

/* ---- what becomes of its sessions ---- */

void node_end_all(struct vcm_manager *m, struct context *c, enum vcm_reason reason)
{
	struct pair_link *l, *next;

	(void)m;
	for (l = LIST_FIRST(&c->pairs); l; l = next) {
		struct pair *p = l->pair;
		bool has = p->session && p->session->state != VCM_S_ENDING;
		bool again = reason == VCM_INSIDE && c->left && (p->wanted || has);

		next = LIST_NEXT(l, entry);
		p->wanted = false;
		p->failures = 0;
		p->not_before = manager_now(m);
		if (again)
			pair_await(p);
		if (has)
			manager_session_end(p->session, reason, again);
		else
			(void)pair_drive(p);
	}
}

void node_restarted(struct vcm_manager *m, struct context *c, bool told)
{
	struct pair_link *l, *next;

	manager_audit(m, "node-restarted", NULL, &c->node.addr, NULL, NULL);
	for (l = LIST_FIRST(&c->pairs); l; l = next) {
		struct session *s = l->pair->session;
		struct side *own;

		next = LIST_NEXT(l, entry);
		if (!s)
			continue;
		own = &s->sides[l->pair->nodes[1] == c];
		own->told |= told;
		own->lost |= told;
		if (s->state == VCM_S_ENDING)
			manager_session_commit(s);
		else
			manager_session_end(s, VCM_RESTART, true);
	}
}

/* ---- where a node is ---- */

/* Another home address: what leads to the old one has to go. */
static void change_home(struct vcm_manager *m, struct context *c, const struct in6_addr *home)
{
	struct pair_link *l, *next;

	c->home = *home;
	manager_audit(m, "node-home", NULL, &c->node.addr, home, NULL);
	for (l = LIST_FIRST(&c->pairs); l; l = next) {
		next = LIST_NEXT(l, entry);
		if (l->pair->session && l->pair->session->state != VCM_S_ENDING)
			manager_session_end(l->pair->session, VCM_RESTART, true);
	}
}

static enum vcm_status placed(
	struct vcm_manager *m, struct context *c, const struct vcm_node_option *o, const char *by)
{
	bool moves = c->outside != o->outside;
	bool new_home = !in6_is_any(&o->home) && !in6_equal(&o->home, &c->home);
	struct context before = *c;

	if (!moves && !new_home)
		return VCM_OK;
	c->outside = o->outside;
	if (new_home)
		c->home = o->home;
	if (context_save(m, c)) {
		c->outside = before.outside;
		c->home = before.home;
		return VCM_NOT_READY;
	}
	if (moves)
		manager_audit(m, c->outside ? "node-outside" : "node-inside", NULL, &c->node.addr,
			&c->home, by);
	if (!c->outside)
		node_end_all(m, c, VCM_INSIDE);
	else if (new_home && !in6_is_any(&before.home))
		change_home(m, c, &o->home);
	return VCM_OK;
}

static bool good_node(const struct vcm_manager *m, const struct vcm_node_option *o)
{
	if (!in6_is_routable_unicast(&o->internal))
		return false;
	if (!in6_is_any(&o->home) && !in6_is_routable_unicast(&o->home))
		return false;
	for (size_t i = 0; i < m->config.n_gateways; i++)
		if (in6_equal(&m->gateways[i], &o->internal))
			return false;
	return true;
}

static enum vcm_status refused(struct vcm_manager *m, const struct in6_addr *node,
	const struct in6_addr *from, const char *why)
{
	uint64_t held;

	m->stats.refused++;
	if (log_allowed(&m->complaints, manager_now(m), &held))
		manager_audit(m, "refused", NULL, node, from, why);
	return VCM_REFUSED;
}

/* ---- REPORT ---- */

static enum vcm_status report_node(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_node_option *o)
{
	struct context *c = context_find(m, &o->internal);

	if (!good_node(m, o))
		return refused(m, &o->internal, from, "no address of a node");
	if (m->config.known && !m->config.known(m->ctx, &o->internal))
		return refused(m, &o->internal, from, "unknown node");
	if (!c)
		c = context_new(m, &o->internal);
	if (!c)
		return VCM_NO_RESOURCES;
	c->left = o->outside;
	return placed(m, c, o, "gateway");
}

static enum vcm_status report_pair(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_pair_option *o)
{
	struct context *a = context_find(m, &o->a), *b = context_find(m, &o->b);
	struct pair *p;

	if (!a || !b || a == b)
		return refused(m, &o->a, from, "a pair of unknown nodes");
	p = pair_get(m, a, b);
	return p ? pair_want(p) : VCM_NO_RESOURCES;
}

/* The latest ones, in a ring. */
bool context_remember(struct context *c, const struct in6_addr *correspondent)
{
	for (size_t i = 0; i < c->n_correspondents; i++)
		if (in6_equal(&c->correspondents[i], correspondent))
			return false;
	if (c->n_correspondents < MAX_CORRESPONDENTS) {
		struct in6_addr *more = realloc(
			c->correspondents, (c->n_correspondents + 1u) * sizeof(*c->correspondents));

		if (!more)
			return false;
		c->correspondents = more;
		c->correspondents[c->n_correspondents++] = *correspondent;
		return true;
	}
	c->correspondents[c->next_correspondent] = *correspondent;
	c->next_correspondent = (uint16_t)((c->next_correspondent + 1) % MAX_CORRESPONDENTS);
	return true;
}

static enum vcm_status report_correspondent(
	struct vcm_manager *m, const struct vcm_correspondent_option *o)
{
	struct context *c = context_find(m, &o->node);

	if (!c || !in6_is_routable_unicast(&o->correspondent))
		return VCM_REFUSED;
	if (context_remember(c, &o->correspondent) && context_save(m, c))
		return VCM_NOT_READY;
	return VCM_OK;
}

/* What has to be tried again outweighs what was refused. */
static void combine(enum vcm_status *all, enum vcm_status one)
{
	if (one == VCM_NO_RESOURCES || one == VCM_NOT_READY || !*all)
		*all = one;
}

enum vcm_status take_report(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r)
{
	enum vcm_status status = VCM_OK;

	m->stats.reports++;
	for (size_t i = 0; i < r->n_nodes; i++)
		combine(&status, report_node(m, from, &r->nodes[i]));
	for (size_t i = 0; i < r->n_correspondents; i++)
		combine(&status, report_correspondent(m, &r->correspondents[i]));
	for (size_t i = 0; i < r->n_pairs; i++)
		combine(&status, report_pair(m, from, &r->pairs[i]));
	return status;
}

/* ---- PLACE ---- */

/* Sessions were offered before it knew that it is outside, and refused. */
static void place_known(struct context *c)
{
	struct pair_link *l, *next;

	for (l = LIST_FIRST(&c->pairs); l; l = next) {
		next = LIST_NEXT(l, entry);
		if (l->pair->session)
			manager_session_say_again(l->pair->session);
		pair_hurry(l->pair);
	}
}

enum vcm_status take_place(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r)
{
	const struct vcm_node_option *o = &r->nodes[0];
	struct context *c = context_find(m, from);
	enum vcm_status status;

	if (!in6_equal(&o->internal, from) || !good_node(m, o))
		return refused(m, &o->internal, from, "not its own address");
	if (!node_known(m, from))
		return refused(m, &o->internal, from, "unknown node");
	if (!c)
		c = context_new(m, from);
	if (!c)
		return VCM_NO_RESOURCES;
	if (!in6_is_any(&c->home) && !in6_is_any(&o->home) && !in6_equal(&c->home, &o->home))
		return refused(
			m, &o->internal, &o->home, "another home address than the gateway's");
	status = placed(m, c, o, "node");
	if (!status && c->outside)
		place_known(c);
	return status;
}
