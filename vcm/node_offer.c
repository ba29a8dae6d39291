/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the VCM says about a session.  Messages come in any order, and again:
 * what was acted on is not acted on twice, what comes before its OFFER is
 * noted, what is of another life of the session changes nothing.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/node_internal.h"

/* ---- notes ---- */

static struct note *note_of(struct vcm_node *n, uint64_t id, uint32_t generation)
{
	for (size_t i = 0; i < NOTES; i++)
		if (n->notes[i].used && n->notes[i].id == id &&
			n->notes[i].generation == generation)
			return &n->notes[i];
	return NULL;
}

static void note(struct vcm_node *n, uint64_t id, uint32_t generation, bool ended)
{
	struct note *to = note_of(n, id, generation);

	if (!to) {
		to = &n->notes[n->next_note];
		n->next_note = (n->next_note + 1) % NOTES;
		*to = (struct note){.used = true, .id = id, .generation = generation};
	}
	to->ended |= ended;
}

void node_note_ended(const struct session *s)
{
	note(s->node, s->id, s->generation, true);
}

static bool noted_end(const struct vcm_node *n, const struct vcm_message *m)
{
	for (size_t i = 0; i < NOTES; i++)
		if (n->notes[i].used && n->notes[i].ended && n->notes[i].id == m->session &&
			n->notes[i].generation >= m->generation)
			return true;
	return false;
}

/* ---- which session ---- */

/* Over, or a later generation is there. */
static bool is_old(const struct vcm_node *n, const struct vcm_message *m)
{
	const struct session *s;

	for (s = n->sessions; s; s = s->next)
		if (s->id == m->session && (s->over || s->generation > m->generation))
			return true;
	return false;
}

static bool good_peer(const struct vcm_node *n, const struct vcm_message *m)
{
	const struct in6_addr *own[] = {&n->config.internal, &n->config.home, &n->config.manager};

	if (!in6_is_routable_unicast(&m->peer_internal) || !in6_is_routable_unicast(&m->peer_home))
		return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (in6_equal(own[i], &m->peer_internal) || in6_equal(own[i], &m->peer_home))
			return false;
	return !n->config.allowed || n->config.allowed(n->ctx, &m->peer_internal);
}

/* Also of those that are there already. */
static enum vcm_status acceptable(const struct vcm_node *n, const struct vcm_message *m)
{
	if (is_old(n, m) || noted_end(n, m))
		return VCM_UNKNOWN_SESSION;
	if (!good_peer(n, m))
		return VCM_REFUSED;
	return n->outside ? VCM_OK : VCM_NOT_OUTSIDE;
}

/* ---- INVITE ---- */

enum vcm_status node_invited(struct vcm_node *n, const struct vcm_message *m)
{
	struct session *s = session_find(n, m->session, m->generation);
	enum vcm_status status = acceptable(n, m);

	if (status)
		return status;
	if (s) {
		if (s->state == VCM_NODE_INVITED)
			node_say(s, SAY_PUBLIC);
		return VCM_OK;
	}
	s = session_new(n, m);
	if (!s)
		return VCM_NO_RESOURCES;
	s->state = VCM_NODE_INVITED;
	s->asymmetric = true;
	n->ops->random(n->ctx, s->keypair.private_key, sizeof(s->keypair.private_key));
	if (!vcm_keypair_make(&s->keypair)) {
		session_free(s);
		return VCM_NO_RESOURCES;
	}
	(void)timer_start(n->timers, &s->timer, mono_add_s(s->began, INVITATION_S));
	node_say(s, SAY_PUBLIC);
	return VCM_OK;
}

/* ---- OFFER ---- */

static bool same_sas(const struct session *s, const struct vcm_message *m)
{
	return s->in.spi == m->in.spi && s->out.spi == m->out.spi;
}

static bool is_derived(const struct vcm_message *m)
{
	return m->has & VCM_HAS_PUBLIC;
}

static bool good_keys(const struct vcm_node *n, const struct vcm_message *m)
{
	size_t len = n->ops->key_len(n->ctx, m->algorithm);

	if (!len || len > VCM_KEY_MAX)
		return false;
	if (is_derived(m))
		return m->has & VCM_HAS_SALT && !m->in.key_len && !m->out.key_len;
	return m->in.key_len == len && m->out.key_len == len;
}

/* The VCM has started again, or repeats what it cannot know to have arrived: what is left can only be less. */
static enum vcm_status offered_again(struct session *s, const struct vcm_message *m)
{
	struct vcm_node *n = s->node;
	monotime_t ends = mono_add_s(n->ops->now(n->ctx), m->lifetime_s);

	if (mono_before(ends, s->ends)) {
		s->ends = ends;
		if (s->state == VCM_NODE_DIRECT || !s->peer_ready)
			(void)timer_start(n->timers, &s->timer, ends);
	}
	node_say(s, s->state == VCM_NODE_DIRECT ? SAY_ACTIVE : SAY_READY);
	return VCM_OK;
}

static enum vcm_status status_of(int err)
{
	switch (err) {
	case 0:
		return VCM_OK;
	case -EEXIST:
		return VCM_SPI_TAKEN;
	case -EINVAL:
	case -EOPNOTSUPP:
		return VCM_UNSUPPORTED;
	case -ENOSPC:
	case -ENOMEM:
		return VCM_NO_RESOURCES;
	default:
		return VCM_NOT_READY;
	}
}

static void take(struct session *s, const struct vcm_message *m)
{
	s->asymmetric = is_derived(m);
	memcpy(s->algorithm, m->algorithm, sizeof(s->algorithm));
	s->algorithm[sizeof(s->algorithm) - 1] = '\0';
	s->in = m->in;
	s->out = m->out;
	s->shared_key = m->in.key_len == m->out.key_len &&
			!CRYPTO_memcmp(m->in.key, m->out.key, m->in.key_len);
	s->lifetime_s = m->lifetime_s;
	s->linger_s = m->linger_s;
}

static enum vcm_status install(struct session *s, const struct vcm_message *m)
{
	struct vcm_node *n = s->node;
	uint64_t id = m->session;
	const struct note *early = note_of(n, id, m->generation);
	int err;

	take(s, m);
	err = session_install(s, m->has & VCM_HAS_KCN ? &m->kcn : NULL);
	if (err)
		return status_of(err);
	if (early)
		session_peer_ready(s);
	return VCM_OK;
}

/* A copy, as the keys have to be put into it. */
static enum vcm_status derive(struct session *s, const struct vcm_message *m)
{
	size_t len = s->node->ops->key_len(s->node->ctx, m->algorithm);
	struct vcm_message with = *m;
	enum vcm_status status = VCM_REFUSED;

	if (vcm_derive(&s->keypair, m->public_key, len, &with))
		status = install(s, &with);
	vcm_message_wipe(&with);
	return status;
}

static bool invited_with(const struct session *s, const struct vcm_message *m)
{
	return s && s->state == VCM_NODE_INVITED &&
	       in6_equal(&s->peer_internal, &m->peer_internal) &&
	       in6_equal(&s->peer_home, &m->peer_home);
}

static enum vcm_status begin(struct vcm_node *n, struct session *s, const struct vcm_message *m)
{
	if (is_derived(m))
		return invited_with(s, m) ? derive(s, m) : VCM_UNKNOWN_SESSION;
	if (s)
		return VCM_REFUSED; /* invited, but these keys are not ours alone */
	s = session_new(n, m);
	return s ? install(s, m) : VCM_NO_RESOURCES;
}

/* Other SPIs: the peer could not take the former ones, so nobody sends by them. */
static enum vcm_status replace(struct session *s, const struct vcm_message *m)
{
	struct vcm_node *n = s->node;
	struct in6_addr home = s->peer_home;
	enum vcm_status status;

	if (s->state == VCM_NODE_DIRECT || is_derived(m))
		return VCM_UNKNOWN_SESSION;
	n->ops->inbound_del(n->ctx, &s->peer_internal, &s->peer_home, s->in.spi);
	session_free(s);
	status = begin(n, NULL, m);
	session_path_over(n, &home);
	session_secret_over(n, &home);
	return status;
}

enum vcm_status node_offered(struct vcm_node *n, const struct vcm_message *m)
{
	struct session *s = session_find(n, m->session, m->generation);
	enum vcm_status status = acceptable(n, m);

	if (status)
		return status;
	if (!good_keys(n, m))
		return VCM_UNSUPPORTED;
	if (s && session_active(s))
		return same_sas(s, m) ? offered_again(s, m) : replace(s, m);
	return begin(n, s, m);
}

/* ---- PEER-READY, END, CLOSE ---- */

enum vcm_status node_peer_ready(struct vcm_node *n, const struct vcm_message *m)
{
	struct session *s = session_find(n, m->session, m->generation);

	if (is_old(n, m) || noted_end(n, m))
		return VCM_UNKNOWN_SESSION;
	if (!s || s->state == VCM_NODE_INVITED) {
		note(n, m->session, m->generation, false);
		return VCM_OK;
	}
	if (s->state == VCM_NODE_INBOUND && !s->peer_ready)
		session_peer_ready(s);
	return VCM_OK;
}

enum vcm_status node_ended(struct vcm_node *n, const struct vcm_message *m)
{
	struct session *s, *next;

	for (s = n->sessions; s; s = s->next)
		if (s->id == m->session && s->generation > m->generation)
			return VCM_UNKNOWN_SESSION;
	note(n, m->session, m->generation, true);
	for (s = n->sessions; s; s = next) {
		next = s->next;
		if (s->id != m->session)
			continue;
		if (s->state == VCM_NODE_INVITED)
			session_free(s);
		else if (session_active(s))
			session_drain(s, true, false, m->reason);
		else
			s->over = true;
	}
	return VCM_OK;
}

enum vcm_status node_closed(struct vcm_node *n, const struct vcm_message *m)
{
	enum vcm_status status = VCM_UNKNOWN_SESSION;
	struct session *s, *next;

	for (s = n->sessions; s; s = next) {
		next = s->next;
		if (s->id != m->session || s->generation > m->generation ||
			s->state == VCM_NODE_INVITED)
			continue;
		if (session_active(s))
			session_drain(s, false, false, VCM_PEER);
		session_close(s);
		status = VCM_OK;
	}
	return status;
}
