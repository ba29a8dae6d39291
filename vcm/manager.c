/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See manager.h, manager_internal.h and doc/vcm.md: life of the manager,
 * what is received and from whom, what is done by hand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/manager_internal.h"

#define MAX_CONTEXTS 200000
#define MAX_SESSIONS 100000
#define MAX_QUEUED 256 /* for one peer: a node with many sessions */
#define RESUMED_A_SECOND 2000 /* sessions taken up after a restart */

monotime_t manager_now(const struct vcm_manager *m)
{
	return m->ops->now(m->ctx);
}

static void put_session(struct vcm_audit *line, const struct session *s)
{
	line->session = s->id;
	line->generation = s->generation;
	line->a = s->pair->nodes[0]->node.addr;
	line->b = s->pair->nodes[1]->node.addr;
	line->spi_a = s->sides[0].spi;
	line->spi_b = s->sides[1].spi;
}

void manager_audit_said(const struct session *s, int side, struct vcm_audit *line)
{
	const struct vcm_manager *m = s->pair->m;

	put_session(line, s);
	line->node = s->pair->nodes[side]->node.addr;
	if (m->ops->audit)
		m->ops->audit(m->ctx, line);
}

void manager_audit(struct vcm_manager *m, const char *what, const struct session *s,
	const struct in6_addr *a, const struct in6_addr *b, const char *text)
{
	struct vcm_audit line = {.what = what, .text = text};

	if (!m->ops->audit)
		return;
	if (s)
		put_session(&line, s);
	if (a)
		line.a = *a;
	if (b)
		line.b = *b;
	m->ops->audit(m->ctx, &line);
}

/* ---- receiving ---- */

static bool is_gateway(const struct vcm_manager *m, const struct in6_addr *addr)
{
	for (size_t i = 0; i < m->config.n_gateways; i++)
		if (in6_equal(&m->gateways[i], addr))
			return true;
	return false;
}

/* Another life than that of which we know from before we started. */
static void notice_epoch(struct vcm_manager *m, const struct in6_addr *from, uint64_t epoch)
{
	struct context *c = context_find(m, from);

	if (!c)
		return;
	c->greeted = true;
	if (c->epoch == epoch)
		return;
	if (c->epoch)
		node_restarted(m, c, false);
	c->epoch = epoch;
	(void)context_save(m, c); /* if it is lost, nothing but a needless end comes of it */
}

static enum vcm_status dispatch(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r)
{
	if (r->type == VCM_REPORT)
		return is_gateway(m, from) ? take_report(m, from, r) : VCM_REFUSED;
	if (r->type == VCM_PLACE)
		return take_place(m, from, r);
	if (r->type == VCM_PUBLIC || r->type == VCM_READY || r->type == VCM_ACTIVE ||
		r->type == VCM_DOWN)
		return take_session_message(m, from, r);
	return VCM_REFUSED;
}

static enum vcm_status received(void *ctx, const struct in6_addr *from, const struct vcm_message *r)
{
	struct vcm_manager *m = ctx;
	enum vcm_status status;
	uint64_t held;

	notice_epoch(m, from, r->epoch);
	status = dispatch(m, from, r);
	if (r->type == VCM_PLACE) /* it may have become a context by it */
		notice_epoch(m, from, r->epoch);
	if (r->type == VCM_REPORT && !is_gateway(m, from) &&
		log_allowed(&m->complaints, manager_now(m), &held))
		manager_audit(m, "no-gateway", NULL, from, NULL, NULL);
	return status;
}

/* Of the last life of this node nothing is left there. */
static void restarted(void *ctx, const struct in6_addr *peer)
{
	struct vcm_manager *m = ctx;
	struct context *c = context_find(m, peer);

	if (is_gateway(m, peer))
		manager_audit(m, "gateway-restarted", NULL, peer, NULL, NULL);
	if (!c)
		return;
	c->epoch = 0;
	node_restarted(m, c, true);
}

static void no_probe(void *ctx, const struct in6_addr *from, const struct vcm_message *r)
{
	(void)ctx; /* they have a port of their own */
	(void)from;
	(void)r;
}

void vcm_manager_receive(
	struct vcm_manager *m, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	/* A node may be here before its gateway has reported it. */
	if (m->config.known && !context_find(m, from) && m->config.known(m->ctx, from))
		(void)vcm_exchange_peer(m->exchange, from);
	vcm_exchange_receive(m->exchange, from, data, len);
}

void vcm_manager_probed(
	struct vcm_manager *m, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	struct vcm_message probe;
	const char *why;

	if (!node_known(m, from))
		return;
	if (vcm_message_read(data, len, &probe, &why) == VCM_READ_OK && probe.type == VCM_PROBE) {
		struct vcm_message reply = {.type = VCM_PROBE_REPLY, .has = VCM_HAS_NONCE};

		memcpy(reply.nonce, probe.nonce, sizeof(reply.nonce));
		(void)vcm_exchange_probe(m->exchange, from, &reply);
	}
	vcm_message_wipe(&probe);
}

/* ---- what the exchange needs ---- */

static monotime_t now(void *ctx)
{
	return manager_now(ctx);
}

static void random_octets(void *ctx, void *to, size_t n)
{
	struct vcm_manager *m = ctx;

	m->ops->random(m->ctx, to, n);
}

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct vcm_manager *m = ctx;

	return m->ops->send(m->ctx, to, data, len);
}

static const struct vcm_exchange_ops exchange_ops = {.now = now,
	.random = random_octets,
	.send = send_datagram,
	.received = received,
	.probe = no_probe,
	.acknowledged = manager_acknowledged,
	.failed = manager_failed,
	.restarted = restarted,
	.sending = manager_sending};

/* ---- life ---- */

static int make_tables(struct vcm_manager *m)
{
	uint64_t key[2];
	struct addr_table *tables[] = {&m->contexts, &m->pairs, &m->sessions};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		m->ops->random(m->ctx, key, sizeof(key));
		if (addr_table_init(tables[i], key))
			return -ENOMEM;
	}
	m->ops->random(m->ctx, m->pair_keys, sizeof(m->pair_keys));
	return 0;
}

static int make_exchange(struct vcm_manager *m)
{
	struct vcm_exchange_config c = {.epoch = m->config.epoch,
		.max_peers = m->config.max_contexts + m->config.n_gateways,
		.max_queued = MAX_QUEUED};

	m->exchange = vcm_exchange_new(&c, &exchange_ops, m, m->timers);
	if (!m->exchange)
		return -ENOMEM;
	for (size_t i = 0; i < m->config.n_gateways; i++)
		if (vcm_exchange_peer(m->exchange, &m->gateways[i]))
			return -ENOMEM;
	return 0;
}

static int take_config(struct vcm_manager *m, const struct vcm_manager_config *c)
{
	m->config = *c;
	m->config.max_contexts = c->max_contexts ? c->max_contexts : MAX_CONTEXTS;
	m->config.max_sessions = c->max_sessions ? c->max_sessions : MAX_SESSIONS;
	m->gateways = calloc(c->n_gateways + 1, sizeof(*m->gateways));
	if (!m->gateways)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_gateways; i++)
		m->gateways[i] = c->gateways[i];
	return 0;
}

struct vcm_manager *vcm_manager_new(const struct vcm_manager_config *c,
	const struct vcm_manager_ops *ops, void *ctx, struct timerq *timers)
{
	struct vcm_manager *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->ops = ops;
	m->ctx = ctx;
	m->timers = timers;
	m->complaints = (struct log_limit)LOG_LIMIT_INIT(20, 60);
	if (take_config(m, c) || make_tables(m) || make_exchange(m)) {
		vcm_manager_free(m);
		return NULL;
	}
	return m;
}

void vcm_manager_free(struct vcm_manager *m)
{
	struct addr_node *n;

	if (!m)
		return;
	while (m->sessions.n && (n = addr_table_walk(&m->sessions, NULL)))
		manager_session_free(ADDR_OBJECT(n, struct session, node));
	while (m->pairs.n && (n = addr_table_walk(&m->pairs, NULL)))
		pair_free(ADDR_OBJECT(n, struct pair, node));
	while (m->contexts.n && (n = addr_table_walk(&m->contexts, NULL)))
		context_free(m, ADDR_OBJECT(n, struct context, node));
	vcm_exchange_free(m->exchange);
	addr_table_free(&m->contexts);
	addr_table_free(&m->pairs);
	addr_table_free(&m->sessions);
	free(m->gateways);
	free(m);
}

/* Sessions are taken up one after the other, so that the first answers come before the last questions. */
void vcm_manager_start(struct vcm_manager *m)
{
	static const struct vcm_message hello = {.type = VCM_HELLO};
	struct addr_node *n = NULL;
	monotime_t at = manager_now(m);

	for (size_t i = 0; i < m->config.n_gateways; i++) /* they tell everything again */
		(void)vcm_exchange_send(m->exchange, &m->gateways[i], &hello, 0);

	while ((n = addr_table_walk(&m->sessions, n))) {
		struct session *s = ADDR_OBJECT(n, struct session, node);

		if (!s->resting)
			continue;
		at.us += 1000000 / RESUMED_A_SECOND;
		(void)timer_start(m->timers, &s->timer, at);
	}
}

/* ---- by hand ---- */

int vcm_manager_revoke_node(struct vcm_manager *m, const struct in6_addr *internal, bool revoked)
{
	struct context *c = context_find(m, internal);
	bool before = c && c->revoked;
	int err;

	if (!c)
		return -ENOENT;
	c->revoked = revoked;
	err = context_save(m, c);
	if (err && !revoked) {
		c->revoked = before;
		return err;
	}
	manager_audit(m, revoked ? "node-revoked" : "node-unrevoked", NULL, internal, NULL, NULL);
	if (revoked)
		node_end_all(m, c, VCM_REVOKED);
	return err;
}

int vcm_manager_end_session(struct vcm_manager *m, uint64_t id, enum vcm_reason reason)
{
	struct session *s = manager_session_find(m, id);

	if (!s || s->state == VCM_S_ENDING)
		return -ENOENT;
	manager_session_end(s, reason, false);
	return 0;
}

int vcm_manager_rekey(struct vcm_manager *m, uint64_t id)
{
	struct session *s = manager_session_find(m, id);
	enum vcm_status status;

	if (!s)
		return -ENOENT;
	status = manager_session_rekey(s);
	if (status == VCM_REFUSED)
		return -EPERM;
	if (status == VCM_UNKNOWN_SESSION)
		return -EBUSY; /* it begins or ends */
	return status ? -ENOMEM : 0;
}

/* Nodes that are not ours any more are forgotten as soon as nothing is left of their sessions. */
static void drop_strangers(struct vcm_manager *m)
{
	struct addr_node *n = addr_table_walk(&m->contexts, NULL), *next;

	for (; n; n = next) {
		struct context *c = ADDR_OBJECT(n, struct context, node);

		next = addr_table_walk(&m->contexts, n);
		if (m->config.known(m->ctx, &c->node.addr))
			continue;
		node_end_all(m, c, VCM_REVOKED);
		if (!LIST_EMPTY(&c->pairs) || m->ops->context_del(m->ctx, &c->node.addr))
			continue;
		manager_audit(m, "node-forgotten", NULL, &c->node.addr, NULL, NULL);
		context_free(m, c);
	}
}

void vcm_manager_policy_changed(struct vcm_manager *m)
{
	struct addr_node *n = NULL;

	while ((n = addr_table_walk(&m->sessions, n))) { /* none is freed within */
		struct session *s = ADDR_OBJECT(n, struct session, node);
		struct vcm_policy p = {0};

		m->config.policy(
			m->ctx, &s->pair->nodes[0]->node.addr, &s->pair->nodes[1]->node.addr, &p);
		if (!p.allowed && s->state != VCM_S_ENDING)
			manager_session_end(s, VCM_POLICY, false);
	}
	if (m->config.known)
		drop_strangers(m);
}

/* ---- to be shown ---- */

void vcm_manager_foreach_context(
	struct vcm_manager *m, bool (*fn)(void *arg, const struct vcm_context_record *r), void *arg)
{
	struct addr_node *n = NULL;

	while ((n = addr_table_walk(&m->contexts, n))) {
		struct vcm_context_record r = context_record(ADDR_OBJECT(n, struct context, node));

		if (!fn(arg, &r))
			return;
	}
}

/* What is shown has no secrets. */
void vcm_manager_foreach_session(
	struct vcm_manager *m, bool (*fn)(void *arg, const struct vcm_session_record *r), void *arg)
{
	struct addr_node *n = NULL;

	while ((n = addr_table_walk(&m->sessions, n))) {
		struct vcm_session_record r;
		bool more;

		manager_session_record(ADDR_OBJECT(n, struct session, node), &r);
		rr_wipe(&r.secrets, sizeof(r.secrets));
		more = fn(arg, &r);
		if (!more)
			return;
	}
}

void vcm_manager_stats(const struct vcm_manager *m, struct vcm_manager_stats *s)
{
	*s = m->stats;
	s->contexts = m->contexts.n;
	s->sessions = m->sessions.n;
	vcm_exchange_stats(m->exchange, &s->exchange);
}
