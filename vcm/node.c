/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/node.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/node_internal.h"

#define AGAIN_MS 500 /* until what was given up is said again */

/* ---- what is said to the VCM ---- */

static uint64_t token_of(const struct session *s, enum kind kind)
{
	return (uint64_t)(s ? s->number : 0) << KIND_BITS | kind;
}

static struct session *session_of_token(const struct vcm_node *n, uint64_t token)
{
	struct session *s = n->sessions;

	while (s && s->number != token >> KIND_BITS)
		s = s->next;
	return s;
}

void node_event(
	const struct vcm_node *n, const char *what, const struct in6_addr *peer, const char *text)
{
	n->ops->event(n->ctx, what, peer, text);
}

static void say_again_later(struct vcm_node *n)
{
	if (!timer_running(&n->resend))
		(void)timer_start(
			n->timers, &n->resend, mono_add_ms(n->ops->now(n->ctx), AGAIN_MS));
}

void node_count(struct session *s)
{
	struct vcm_node_session view = session_view(s);
	int64_t in = -1, out = -1;

	s->node->ops->counters(s->node->ctx, &view, &in, &out);
	if (in > s->packets_in)
		s->packets_in = in;
	if (out > s->packets_out)
		s->packets_out = out;
}

static void add_counters(struct session *s, struct vcm_message *m)
{
	node_count(s);
	m->has |= VCM_HAS_REASON | VCM_HAS_COUNTERS;
	m->reason = s->reason;
	m->packets_in = (uint64_t)s->packets_in;
	m->packets_out = (uint64_t)s->packets_out;
}

static void write_session_message(struct session *s, enum kind kind, struct vcm_message *m)
{
	static const enum vcm_type types[] = {[SAY_PUBLIC] = VCM_PUBLIC,
		[SAY_READY] = VCM_READY,
		[SAY_ACTIVE] = VCM_ACTIVE,
		[SAY_DOWN] = VCM_DOWN};

	*m = (struct vcm_message){.type = types[kind],
		.has = VCM_HAS_SESSION,
		.session = s->id,
		.generation = s->generation};
	if (kind == SAY_DOWN)
		add_counters(s, m);
	if (kind == SAY_PUBLIC) {
		m->has |= VCM_HAS_PUBLIC;
		memcpy(m->public_key, s->keypair.public_key, sizeof(m->public_key));
	}
}

void node_unsay(struct session *s, enum kind kind)
{
	struct vcm_node *n = s->node;

	s->unsent &= ~(1u << kind);
	vcm_exchange_cancel(n->exchange, &n->config.manager, token_of(s, kind));
}

void node_say(struct session *s, enum kind kind)
{
	struct vcm_node *n = s->node;
	struct vcm_message m;

	node_unsay(s, kind);
	write_session_message(s, kind, &m);
	if (vcm_exchange_send(n->exchange, &n->config.manager, &m, token_of(s, kind))) {
		s->unsent |= 1u << kind;
		say_again_later(n);
	}
}

static void say_place(struct vcm_node *n)
{
	struct vcm_message m = {.type = VCM_PLACE, .n_nodes = 1};
	uint64_t token = token_of(NULL, SAY_PLACE);

	m.nodes[0] = (struct vcm_node_option){
		.outside = n->outside, .internal = n->config.internal, .home = n->config.home};
	vcm_exchange_cancel(n->exchange, &n->config.manager, token);
	n->place_unsent = vcm_exchange_send(n->exchange, &n->config.manager, &m, token) != 0;
	if (n->place_unsent)
		say_again_later(n);
}

static void say_again(struct timer *t, void *arg)
{
	struct vcm_node *n = arg;

	(void)t;
	if (n->place_unsent)
		say_place(n);
	for (struct session *s = n->sessions; s; s = s->next)
		for (int kind = SAY_PUBLIC; kind <= SAY_DOWN; kind++)
			if (s->unsent & 1u << kind)
				node_say(s, (enum kind)kind);
}

/* ---- what the exchange asks and tells ---- */

static monotime_t exchange_now(void *ctx)
{
	const struct vcm_node *n = ctx;

	return n->ops->now(n->ctx);
}

static void exchange_random(void *ctx, void *to, size_t len)
{
	const struct vcm_node *n = ctx;

	n->ops->random(n->ctx, to, len);
}

static int exchange_send(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	const struct vcm_node *n = ctx;

	return n->ops->send(n->ctx, to, data, len);
}

static enum vcm_status received(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	struct vcm_node *n = ctx;

	if (!in6_equal(from, &n->config.manager))
		return VCM_REFUSED;
	if (m->type == VCM_INVITE)
		return node_invited(n, m);
	if (m->type == VCM_OFFER)
		return node_offered(n, m);
	if (m->type == VCM_PEER_READY)
		return node_peer_ready(n, m);
	if (m->type == VCM_END)
		return node_ended(n, m);
	return m->type == VCM_CLOSE ? node_closed(n, m) : VCM_REFUSED;
}

static void probed(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	watch_probe(ctx, from, m);
}

static bool has_next(const struct session *s)
{
	const struct session *o = s->node->sessions;

	while (o && (o->id != s->id || o->generation <= s->generation))
		o = o->next;
	return o;
}

/* The VCM does not know (any more) what we speak of; of a generation that is followed by another it need not. */
static void refused(struct session *s, enum kind kind, enum vcm_status status)
{
	if (kind == SAY_DOWN || status != VCM_UNKNOWN_SESSION || has_next(s))
		return;
	if (s->state == VCM_NODE_INVITED)
		session_free(s);
	else if (session_active(s))
		session_drain(s, true, false, VCM_RESTART);
}

static void failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	enum kind kind = (enum kind)(token & ((1u << KIND_BITS) - 1));
	struct vcm_node *n = ctx;
	struct session *s = session_of_token(n, token);

	(void)to;
	if (kind == SAY_PLACE)
		n->place_unsent = true;
	else if (s)
		s->unsent |= 1u << kind;
	say_again_later(n);
}

static void acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status)
{
	enum kind kind = (enum kind)(token & ((1u << KIND_BITS) - 1));
	struct vcm_node *n = ctx;
	struct session *s = session_of_token(n, token);

	if (status == VCM_NOT_READY && (kind == SAY_PLACE || kind == SAY_DOWN)) {
		failed(ctx, to, token); /* its store could not take it */
		return;
	}
	if (kind == SAY_PLACE && status)
		node_event(n, "place-refused", &n->config.manager, vcm_status_name(status));
	else if (s)
		refused(s, kind, status);
}

/* Its store has our sessions; where we are it asks nobody. */
static void restarted(void *ctx, const struct in6_addr *peer)
{
	struct vcm_node *n = ctx;

	node_event(n, "manager-restarted", peer, NULL);
	if (n->placed) {
		n->place_unsent = true;
		say_again_later(n);
	}
}

static const struct vcm_exchange_ops exchange_ops = {.now = exchange_now,
	.random = exchange_random,
	.send = exchange_send,
	.received = received,
	.probe = probed,
	.acknowledged = acknowledged,
	.failed = failed,
	.restarted = restarted};

/* ---- start and end ---- */

static void fill_in(struct vcm_node_config *c)
{
	if (!c->path_wait_ms)
		c->path_wait_ms = 1000;
	if (!c->probe_s)
		c->probe_s = 5;
	if (!c->idle_s)
		c->idle_s = 120;
	if (!c->max_sessions)
		c->max_sessions = 256;
}

struct vcm_node *vcm_node_new(const struct vcm_node_config *c, const struct vcm_node_ops *ops,
	void *ctx, struct timerq *timers)
{
	const struct vcm_exchange_config x = {
		.epoch = c->epoch, .max_queued = 2 * (c->max_sessions ? c->max_sessions : 256)};
	struct vcm_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->config = *c;
	fill_in(&n->config);
	n->ops = ops;
	n->ctx = ctx;
	n->timers = timers;
	timer_init(&n->tick, watch_tick, n);
	timer_init(&n->resend, say_again, n);
	n->exchange = vcm_exchange_new(&x, &exchange_ops, n, timers);
	if (n->exchange && !vcm_exchange_peer(n->exchange, &n->config.manager))
		return n;
	vcm_node_free(n, false);
	return NULL;
}

void vcm_node_free(struct vcm_node *n, bool clean)
{
	struct in6_addr home;
	struct session *s;

	if (!n)
		return;
	while ((s = n->sessions)) {
		home = s->peer_home;
		if (clean && session_active(s))
			session_drain(s, true, true, VCM_SHUTDOWN);
		if (clean && s->state != VCM_NODE_INVITED)
			n->ops->inbound_del(n->ctx, &s->peer_internal, &s->peer_home, s->in.spi);
		session_free(s);
		if (clean)
			session_secret_over(n, &home);
	}
	timer_stop(n->timers, &n->tick);
	timer_stop(n->timers, &n->resend);
	vcm_exchange_free(n->exchange);
	free(n);
}

/* ---- what happens ---- */

static void go_inside(struct vcm_node *n)
{
	struct session *s, *next;

	for (s = n->sessions; s; s = next) {
		next = s->next;
		if (session_active(s))
			session_drain(s, true, true, VCM_INSIDE);
		else if (s->state == VCM_NODE_INVITED)
			session_free(s);
	}
}

void vcm_node_place(struct vcm_node *n, bool outside)
{
	if (n->placed && n->outside == outside)
		return;
	n->placed = true;
	n->outside = outside;
	if (!outside)
		go_inside(n);
	say_place(n);
}

void vcm_node_path(struct vcm_node *n, const struct in6_addr *peer_home, bool direct)
{
	struct session *s, *next;

	for (s = n->sessions; s; s = next) {
		next = s->next;
		if (!session_active(s) || !in6_equal(&s->peer_home, peer_home) || s->path == direct)
			continue;
		s->path = direct;
		if (n->config.path_required && s->state == VCM_NODE_DIRECT)
			n->ops->outbound_use(
				n->ctx, &s->peer_internal, &s->peer_home, s->out.spi, direct);
		node_event(n, direct ? "path-direct" : "path-lost", &s->peer_internal, NULL);
		if (direct)
			session_try_direct(s);
	}
}

static struct session *session_of_spi(const struct vcm_node *n, uint32_t spi, bool out)
{
	struct session *s = n->sessions;

	while (s && (s->state == VCM_NODE_INVITED || (out ? s->out.spi : s->in.spi) != spi))
		s = s->next;
	return s;
}

/* The kernel would let what a policy demands without its SA wait, and drop it. */
static void lost(struct session *s)
{
	bool over = !mono_before(s->node->ops->now(s->node->ctx), s->ends);

	if (session_active(s))
		session_drain(s, true, true, over ? VCM_LIFETIME : VCM_RESTART);
}

void vcm_node_sa_expires(struct vcm_node *n, uint32_t spi, bool out, bool hard)
{
	struct session *s = session_of_spi(n, spi, out);

	if (!s)
		return;
	if (hard) {
		lost(s);
	} else if (session_active(s) && !s->renewing) {
		s->renewing = true;
		s->reason = VCM_SEQUENCE;
		node_event(n, "session-renewing", &s->peer_internal, vcm_reason_name(s->reason));
		node_say(s, SAY_DOWN);
	}
}

void vcm_node_receive(
	struct vcm_node *n, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	vcm_exchange_receive(n->exchange, from, data, len);
}

bool vcm_node_end(struct vcm_node *n, const struct in6_addr *peer_internal)
{
	struct session *s;
	bool found = false;

	while ((s = session_of_peer(n, peer_internal))) {
		session_drain(s, true, true, VCM_BY_HAND);
		found = true;
	}
	return found;
}

/* ---- for those who look ---- */

const char *vcm_node_state_name(enum vcm_node_state s)
{
	static const char *const names[] = {[VCM_NODE_INVITED] = "invited",
		[VCM_NODE_INBOUND] = "inbound",
		[VCM_NODE_DIRECT] = "direct",
		[VCM_NODE_DRAINING] = "draining"};

	return (size_t)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}

static struct vcm_node_info info_of(const struct session *s)
{
	struct vcm_node *n = s->node;
	struct vcm_node_session view = session_view(s);
	monotime_t now = n->ops->now(n->ctx);
	struct vcm_node_info i = {.session = s->id,
		.generation = s->generation,
		.peer_internal = s->peer_internal,
		.peer_home = s->peer_home,
		.state = s->state,
		.asymmetric = s->asymmetric,
		.shared_key = s->shared_key,
		.path = s->path,
		.algorithm = s->algorithm,
		.spi_in = s->in.spi,
		.spi_out = s->out.spi,
		.age_s = (uint32_t)mono_diff_s(now, s->began),
		.packets_in = -1,
		.packets_out = -1};

	if (session_active(s) && mono_before(now, s->ends))
		i.remaining_s = (uint32_t)mono_diff_s(s->ends, now);
	if (s->state != VCM_NODE_INVITED)
		n->ops->counters(n->ctx, &view, &i.packets_in, &i.packets_out);
	return i;
}

void vcm_node_foreach(
	struct vcm_node *n, bool (*fn)(void *arg, const struct vcm_node_info *i), void *arg)
{
	for (const struct session *s = n->sessions; s; s = s->next) {
		struct vcm_node_info i = info_of(s);

		if (!fn(arg, &i))
			return;
	}
}

void vcm_node_exchange_stats(const struct vcm_node *n, struct vcm_exchange_stats *s)
{
	vcm_exchange_stats(n->exchange, s);
}
