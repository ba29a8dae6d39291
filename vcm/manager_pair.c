/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs of nodes that want a session, have one, or wait because the last one
 * failed: each failure doubles the wait, a session that lasted forgets them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/manager_internal.h"

#define RETRY_S 5
#define RETRY_MOST_S 300
#define AWAIT_S 30

static struct in6_addr pair_key(
	const struct vcm_manager *m, const struct context *a, const struct context *b)
{
	uint64_t h[2] = {
		in6_hash(&a->node.addr, m->pair_keys[0]), in6_hash(&b->node.addr, m->pair_keys[1])};
	struct in6_addr key;

	memcpy(&key, h, sizeof(key));
	return key;
}

static struct pair *find(struct vcm_manager *m, const struct in6_addr *key, const struct context *a,
	const struct context *b)
{
	struct addr_node *n = addr_table_find(&m->pairs, key);

	for (; n; n = addr_table_find_next(n)) {
		struct pair *p = ADDR_OBJECT(n, struct pair, node);

		if (p->nodes[0] == a && p->nodes[1] == b)
			return p;
	}
	return NULL;
}

static void due(struct timer *t, void *arg)
{
	(void)t;
	(void)pair_drive(arg);
}

static struct pair *add(struct vcm_manager *m, const struct in6_addr *key, struct context *nodes[2])
{
	struct pair *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->node.addr = *key;
	p->m = m;
	p->not_before = manager_now(m);
	timer_init(&p->timer, due, p);
	for (int i = 0; i < 2; i++) {
		p->nodes[i] = nodes[i];
		p->links[i].pair = p;
		LIST_INSERT_HEAD(&nodes[i]->pairs, &p->links[i], entry);
	}
	addr_table_add(&m->pairs, &p->node);
	return p;
}

struct pair *pair_get(struct vcm_manager *m, struct context *a, struct context *b)
{
	bool in_order = memcmp(&a->node.addr, &b->node.addr, sizeof(a->node.addr)) < 0;
	struct context *nodes[2] = {in_order ? a : b, in_order ? b : a};
	struct in6_addr key = pair_key(m, nodes[0], nodes[1]);
	struct pair *p = find(m, &key, nodes[0], nodes[1]);

	if (p)
		return p;
	return m->pairs.n < m->config.max_sessions ? add(m, &key, nodes) : NULL;
}

void pair_free(struct pair *p)
{
	timer_stop(p->m->timers, &p->timer);
	for (int i = 0; i < 2; i++)
		LIST_REMOVE(&p->links[i], entry);
	addr_table_del(&p->m->pairs, &p->node);
	free(p);
}

static bool able(const struct pair *p)
{
	return context_able(p->nodes[0]) && context_able(p->nodes[1]);
}

enum vcm_status pair_drive(struct pair *p)
{
	enum vcm_status status;

	if (p->session)
		return VCM_OK;
	if (mono_before(manager_now(p->m), p->not_before)) {
		if (timer_start(p->m->timers, &p->timer, p->not_before) == 0)
			return VCM_OK;
	} else if (p->wanted && able(p)) {
		p->wanted = false;
		status = manager_session_begin(p);
		if (!status)
			return VCM_OK; /* p may be gone */
		pair_free(p);
		return status;
	}
	pair_free(p);
	return VCM_OK;
}

static enum vcm_status refused(struct pair *p, const char *why)
{
	struct vcm_manager *m = p->m;

	m->stats.refused++;
	manager_audit(
		m, "pair-refused", NULL, &p->nodes[0]->node.addr, &p->nodes[1]->node.addr, why);
	if (!p->session && !timer_running(&p->timer))
		pair_free(p);
	return VCM_REFUSED;
}

enum vcm_status pair_want(struct pair *p)
{
	if (p->nodes[0]->revoked || p->nodes[1]->revoked)
		return refused(p, "revoked");
	if (!able(p))
		return refused(p, "not outside");
	if (p->session && p->session->state != VCM_S_ENDING)
		return VCM_OK;
	p->wanted = true;
	return pair_drive(p);
}

void pair_hurry(struct pair *p)
{
	if (!p->wanted || p->failures > 1 || !able(p))
		return;
	p->not_before = manager_now(p->m);
	(void)pair_drive(p);
}

/*
 * With two links for a while a node is inside for itself, and outside for the
 * gateway, which has its binding already and does not report the pair again.
 */
void pair_await(struct pair *p)
{
	p->wanted = true;
	p->failures = 0;
	p->not_before = mono_add_s(manager_now(p->m), AWAIT_S);
}

void pair_failed(struct pair *p, bool free_first)
{
	const struct vcm_manager_config *c = &p->m->config;
	uint32_t first = c->retry_s ? c->retry_s : RETRY_S, wait;
	uint32_t most = c->retry_most_s ? c->retry_most_s : RETRY_MOST_S;
	const struct session *s = p->session;
	monotime_t now = manager_now(p->m);

	if (s && s->direct.us != INT64_MAX && mono_diff_s(now, s->direct) >= most)
		p->failures = 0;
	wait = first;
	for (unsigned i = free_first ? 1 : 0; i < p->failures && wait < most; i++)
		wait *= 2;
	if (free_first && !p->failures)
		wait = 0;
	p->failures++;
	p->not_before = mono_add_s(now, wait < most ? wait : most);
}
