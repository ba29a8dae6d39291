/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the other end still there, and is it still needed?  Counters of the SAs
 * are looked at once a second; who sends and hears nothing for `probe` seconds
 * asks by PROBE through the session, often within a short time, so that
 * nobody is taken for dead who is only unlucky (doc/vcm.md has the
 * arithmetic).  Our own PROBEs and answers are no traffic.
 */
#include <string.h>

#include "lib/addr.h"
#include "vcm/node_internal.h"

#define ANSWER_MS 100 /* no more than one answer in so long */

static void look_again(struct vcm_node *n)
{
	(void)timer_start(n->timers, &n->tick, mono_add_s(n->ops->now(n->ctx), TICK_S));
}

static void count(const struct session *s, int64_t *in, int64_t *out)
{
	struct vcm_node *n = s->node;
	struct vcm_node_session view = session_view(s);

	*in = *out = -1;
	n->ops->counters(n->ctx, &view, in, out);
}

/* From here on silence counts. */
static void heard(struct session *s)
{
	s->looked = s->node->ops->now(s->node->ctx);
	s->unanswered = MONOTIME_NEVER;
	s->probes = 0;
	timer_stop(s->node->timers, &s->doubt);
}

void watch_begin(struct session *s)
{
	int64_t out;

	count(s, &s->seen_in, &out);
	s->data_in = s->seen_in;
	s->data_out = out;
	heard(s);
	s->active = s->looked;
	if (!timer_running(&s->node->tick))
		look_again(s->node);
}

void watch_end(struct session *s)
{
	timer_stop(s->node->timers, &s->doubt);
}

/* At any time since we last looked, or after the last news. */
static void sent_without_news(struct session *s)
{
	struct vcm_node *n = s->node;

	s->unanswered = s->looked;
	(void)timer_start(n->timers, &s->doubt, mono_add_s(s->unanswered, n->config.probe_s));
}

/* What has come and gone since we last looked. */
static void read_counters(struct session *s, monotime_t now)
{
	int64_t in, out;

	count(s, &in, &out);
	if (in >= 0 && in != s->seen_in)
		heard(s);
	if (in >= 0) {
		s->seen_in = in;
		if (in - s->own_in > s->data_in) {
			s->data_in = in - s->own_in;
			s->active = now;
		}
	}
	if (out >= 0 && out - s->own_out > s->data_out) {
		s->data_out = out - s->own_out;
		s->active = now;
		if (s->unanswered.us == MONOTIME_NEVER.us && in >= 0)
			sent_without_news(s);
	}
	s->looked = now;
}

static void ask(struct session *s)
{
	struct vcm_node *n = s->node;
	struct vcm_message m = {.type = VCM_PROBE, .has = VCM_HAS_NONCE};

	if (!s->probes)
		n->ops->random(n->ctx, s->nonce, sizeof(s->nonce));
	s->probes++;
	s->own_out++;
	memcpy(m.nonce, s->nonce, sizeof(m.nonce));
	(void)vcm_exchange_probe(n->exchange, &s->peer_internal, &m);
}

/* Silence has lasted for `probe` seconds, and since then. */
void watch_doubt(struct timer *t, void *arg)
{
	struct session *s = arg;
	struct vcm_node *n = s->node;
	monotime_t now = n->ops->now(n->ctx);

	(void)t;
	read_counters(s, now);
	if (s->unanswered.us == MONOTIME_NEVER.us)
		return;
	if (s->probes == PROBES) {
		session_drain(s, true, true, VCM_PATH);
		return;
	}
	ask(s);
	(void)timer_start(n->timers, &s->doubt,
		mono_add_ms(now, s->probes < PROBES ? ASK_MS : LAST_ANSWER_MS));
}

static void look(struct session *s, monotime_t now)
{
	read_counters(s, now);
	if (mono_diff_ms(now, s->active) >= (int64_t)s->node->config.idle_s * 1000)
		session_drain(s, true, true, VCM_IDLE);
}

void watch_tick(struct timer *t, void *arg)
{
	struct vcm_node *n = arg;
	struct session *s, *next;
	bool more = false;

	(void)t;
	for (s = n->sessions; s; s = next) {
		next = s->next;
		if (s->state != VCM_NODE_DIRECT)
			continue;
		look(s, n->ops->now(n->ctx));
		more |= s->state == VCM_NODE_DIRECT;
	}
	if (more)
		look_again(n);
}

static struct session *from_whom(const struct vcm_node *n, const struct in6_addr *from)
{
	struct session *s = n->sessions, *any = NULL;

	for (; s; s = s->next) {
		if (s->state == VCM_NODE_INVITED || !in6_equal(&s->peer_internal, from))
			continue;
		if (s->state == VCM_NODE_DIRECT)
			return s;
		any = any ? any : s;
	}
	return any;
}

static void answer(struct session *s, const struct vcm_message *m)
{
	struct vcm_node *n = s->node;
	struct vcm_message reply = {.type = VCM_PROBE_REPLY, .has = VCM_HAS_NONCE};
	monotime_t now = n->ops->now(n->ctx);

	if (s->replied.us && mono_diff_ms(now, s->replied) < ANSWER_MS)
		return;
	s->replied = now;
	s->own_out += s->state == VCM_NODE_DIRECT;
	memcpy(reply.nonce, m->nonce, sizeof(reply.nonce));
	(void)vcm_exchange_probe(n->exchange, &s->peer_internal, &reply);
}

void watch_probe(struct vcm_node *n, const struct in6_addr *from, const struct vcm_message *m)
{
	struct session *s = from_whom(n, from);

	if (!s)
		return;
	s->own_in++;
	if (m->type == VCM_PROBE)
		answer(s, m);
	else if (s->probes && memcmp(s->nonce, m->nonce, sizeof(s->nonce)) == 0)
		heard(s);
}
