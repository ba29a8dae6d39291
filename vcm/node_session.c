/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One generation of a session, from its keys to its last packet.  Make before
 * break: inbound is there before the peer may send by it, and stays after the
 * peer was told not to; outbound is switched when the peer takes it.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/rr.h"
#include "vcm/node_internal.h"

/* ---- finding ---- */

struct session *session_find(const struct vcm_node *n, uint64_t id, uint32_t generation)
{
	struct session *s = n->sessions;

	while (s && (s->id != id || s->generation != generation))
		s = s->next;
	return s;
}

bool session_active(const struct session *s)
{
	return s->state == VCM_NODE_INBOUND || s->state == VCM_NODE_DIRECT;
}

struct session *session_of_peer(const struct vcm_node *n, const struct in6_addr *peer_internal)
{
	struct session *s = n->sessions;

	while (s && (!session_active(s) || !in6_equal(&s->peer_internal, peer_internal)))
		s = s->next;
	return s;
}

struct vcm_node_session session_view(const struct session *s)
{
	return (struct vcm_node_session){.id = s->id,
		.generation = s->generation,
		.peer_internal = s->peer_internal,
		.peer_home = s->peer_home,
		.algorithm = s->algorithm,
		.spi_in = s->in.spi,
		.spi_out = s->out.spi,
		.key_in = s->in.key,
		.key_out = s->out.key,
		.key_len = s->out.key_len,
		.lifetime_s = s->lifetime_s,
		.linger_s = s->linger_s};
}

/* ---- the list ---- */

static void expired(struct timer *t, void *arg);

struct session *session_new(struct vcm_node *n, const struct vcm_message *m)
{
	struct session *s;

	if (n->n_sessions >= n->config.max_sessions)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->node = n;
	s->number = ++n->last_number;
	s->id = m->session;
	s->generation = m->generation;
	s->peer_internal = m->peer_internal;
	s->peer_home = m->peer_home;
	s->began = n->ops->now(n->ctx);
	s->unanswered = MONOTIME_NEVER;
	timer_init(&s->timer, expired, s);
	timer_init(&s->doubt, watch_doubt, s);
	s->next = n->sessions;
	n->sessions = s;
	n->n_sessions++;
	return s;
}

static void wipe_keys(struct session *s)
{
	OPENSSL_cleanse(s->in.key, sizeof(s->in.key));
	OPENSSL_cleanse(s->out.key, sizeof(s->out.key));
}

void session_free(struct session *s)
{
	struct vcm_node *n = s->node;
	struct session **at = &n->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	n->n_sessions--;
	for (int kind = SAY_PUBLIC; kind <= SAY_DOWN; kind++)
		node_unsay(s, (enum kind)kind);
	timer_stop(n->timers, &s->timer);
	watch_end(s);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* ---- the direct path ---- */

static bool path_wanted(const struct vcm_node *n, const struct in6_addr *peer_home)
{
	const struct session *s = n->sessions;

	while (s && (!session_active(s) || !in6_equal(&s->peer_home, peer_home)))
		s = s->next;
	return s;
}

void session_path_over(struct vcm_node *n, const struct in6_addr *peer_home)
{
	if (path_wanted(n, peer_home))
		return;
	n->ops->path(n->ctx, peer_home, false);
}

/* A session that may have left a secret there, beside s (NULL: beside none). */
static const struct session *with_secret(
	const struct vcm_node *n, const struct in6_addr *peer_home, const struct session *beside)
{
	const struct session *s = n->sessions;

	while (s && (s == beside || s->state == VCM_NODE_INVITED ||
			    !in6_equal(&s->peer_home, peer_home)))
		s = s->next;
	return s;
}

/* As long as inbound: the peer takes its binding back, and that has to be verified. */
void session_secret_over(struct vcm_node *n, const struct in6_addr *peer_home)
{
	if (!with_secret(n, peer_home, NULL))
		n->ops->share(n->ctx, peer_home, NULL);
}

/* Another generation knows already whether there is one. */
static void inherit_path(struct session *s)
{
	const struct session *o;

	for (o = s->node->sessions; o; o = o->next)
		if (o != s && session_active(o) && in6_equal(&o->peer_home, &s->peer_home))
			s->path |= o->path;
}

/* Traffic goes by another generation, or another session, now. */
static bool renews(const struct session *s)
{
	const struct session *o;

	for (o = s->node->sessions; o; o = o->next)
		if (o->state == VCM_NODE_DIRECT && in6_equal(&o->peer_internal, &s->peer_internal))
			return true;
	return false;
}

/* ---- states ---- */

static void wait_until(struct session *s, monotime_t when)
{
	(void)timer_start(s->node->timers, &s->timer, when);
}

/* A generation that was not direct when the next one came will not be: the VCM waits for the next one only. */
static void retire(const struct session *s)
{
	struct session *o, *next;

	for (o = s->node->sessions; o; o = next) {
		next = o->next;
		if (o->id == s->id && o->generation < s->generation && o->state == VCM_NODE_INBOUND)
			session_drain(o, false, false, VCM_PEER);
	}
}

/* A rekey has none, that of the first generation stays; that of another session is not good for this one. */
static void take_secret(struct session *s, const struct rr_shared *kcn)
{
	struct vcm_node *n = s->node;
	const struct session *o = with_secret(n, &s->peer_home, s);

	if (renews(s) || (!kcn && (!o || o->id == s->id)))
		return;
	s->kcn = kcn;
	n->ops->share(n->ctx, &s->peer_home, kcn);
}

int session_install(struct session *s, const struct rr_shared *kcn)
{
	struct vcm_node *n = s->node;
	struct vcm_node_session view = session_view(s);
	int err = n->ops->inbound_add(n->ctx, &view);

	OPENSSL_cleanse(s->in.key, sizeof(s->in.key));
	vcm_keypair_wipe(&s->keypair);
	node_unsay(s, SAY_PUBLIC);
	if (err) {
		session_free(s);
		return err;
	}
	s->began = n->ops->now(n->ctx);
	s->ends = mono_add_s(s->began, s->lifetime_s);
	s->state = VCM_NODE_INBOUND;
	wait_until(s, s->ends);
	inherit_path(s);
	retire(s);
	take_secret(s, kcn);
	node_event(n, "session-offered", &s->peer_internal, s->algorithm);
	node_say(s, SAY_READY);
	if (!s->kcn)
		n->ops->path(n->ctx, &s->peer_home, true);
	return 0;
}

/* What went by others goes by this one now. */
static void supersede(struct session *s)
{
	struct session *o, *next;

	for (o = s->node->sessions; o; o = next) {
		next = o->next;
		if (o != s && session_active(o) && in6_equal(&o->peer_internal, &s->peer_internal))
			session_drain(o, o->id != s->id, false, VCM_BY_HAND);
	}
}

static void go_direct(struct session *s)
{
	struct vcm_node *n = s->node;
	struct vcm_node_session view = session_view(s);
	int err = n->ops->outbound_set(n->ctx, &view);

	wipe_keys(s);
	if (err) {
		node_event(n, "session-refused", &s->peer_internal, strerror(-err));
		session_drain(s, true, true, VCM_PATH);
		return;
	}
	s->state = VCM_NODE_DIRECT;
	wait_until(s, s->ends);
	supersede(s);
	watch_begin(s);
	node_event(
		n, "session-direct", &s->peer_internal, s->path ? "direct path" : "by home agents");
	node_say(s, SAY_ACTIVE);
}

void session_peer_ready(struct session *s)
{
	s->peer_ready = true;
	session_try_direct(s);
	if (s->kcn && session_active(s))
		s->node->ops->path(s->node->ctx, &s->peer_home, true);
}

/* The path may take longer than path_wait_ms: first packets go by the peer's home agent then. */
void session_try_direct(struct session *s)
{
	struct vcm_node *n = s->node;
	monotime_t until;

	if (s->state != VCM_NODE_INBOUND || !s->peer_ready)
		return;
	if (s->path || (renews(s) && !n->config.path_required)) {
		go_direct(s);
		return;
	}
	if (n->config.path_required)
		return;
	until = mono_add_ms(n->ops->now(n->ctx), n->config.path_wait_ms);
	if (mono_before(until, s->ends))
		wait_until(s, until);
}

void session_drain(struct session *s, bool over, bool tell, enum vcm_reason reason)
{
	struct vcm_node *n = s->node;
	bool was_direct = s->state == VCM_NODE_DIRECT, renewed;

	s->state = VCM_NODE_DRAINING;
	s->over = over;
	s->reason = reason;
	watch_end(s);
	renewed = renews(s); /* then its outbound has taken the place of ours already */
	if (tell)
		node_count(s);
	if (was_direct && !renewed)
		n->ops->outbound_del(n->ctx, &s->peer_internal, &s->peer_home, s->out.spi);
	wipe_keys(s);
	wait_until(s, mono_add_s(s->ends, s->linger_s));
	node_unsay(s, SAY_READY);
	node_unsay(s, SAY_ACTIVE);
	if (tell)
		node_say(s, SAY_DOWN);
	if (over)
		node_event(n, "session-ended", &s->peer_internal, vcm_reason_name(reason));
	session_path_over(n, &s->peer_home);
}

void session_close(struct session *s)
{
	struct vcm_node *n = s->node;
	monotime_t until = mono_add_s(n->ops->now(n->ctx), s->linger_s);

	if (mono_before(until, s->timer.when))
		wait_until(s, until);
}

static void drained(struct session *s)
{
	struct vcm_node *n = s->node;
	struct in6_addr home = s->peer_home;

	n->ops->inbound_del(n->ctx, &s->peer_internal, &s->peer_home, s->in.spi);
	if (s->over)
		node_note_ended(s);
	session_free(s);
	session_secret_over(n, &home);
}

/* The timer of the state. */
static void expired(struct timer *t, void *arg)
{
	struct session *s = arg;
	monotime_t now = s->node->ops->now(s->node->ctx);

	(void)t;
	switch (s->state) {
	case VCM_NODE_INVITED:
		session_free(s);
		break;
	case VCM_NODE_INBOUND:
		if (mono_before(now, s->ends))
			go_direct(s);
		else
			session_drain(s, true, true, VCM_LIFETIME);
		break;
	case VCM_NODE_DIRECT:
		session_drain(s, true, true, VCM_LIFETIME);
		break;
	case VCM_NODE_DRAINING:
		drained(s);
		break;
	}
}
