/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session from its first offer until both nodes know that it has ended.
 * Only change_state() changes the state.
 */
#include <stdlib.h>
#include <string.h>

#include "vcm/manager_internal.h"

static struct in6_addr id_key(uint64_t id)
{
	struct in6_addr key = {0};

	memcpy(&key, &id, sizeof(id));
	return key;
}

struct session *manager_session_find(const struct vcm_manager *m, uint64_t id)
{
	struct in6_addr key = id_key(id);
	struct addr_node *n = addr_table_find(&m->sessions, &key);

	return n ? ADDR_OBJECT(n, struct session, node) : NULL;
}

/* ---- time ---- */

static void begin_again(struct session *s);
static void over(struct session *s);

static void deadline(struct session *s)
{
	switch (s->state) {
	case VCM_S_INVITED:
	case VCM_S_OFFERED:
		manager_session_end(s, VCM_PEER, true);
		break;
	case VCM_S_DIRECT:
		(void)manager_session_rekey(s);
		break;
	case VCM_S_REKEYING:
		manager_session_end(s, VCM_LIFETIME, true);
		break;
	case VCM_S_ENDING:
		over(s);
		break;
	}
}

static void due(struct timer *t, void *arg)
{
	struct session *s = arg;
	monotime_t now = manager_now(s->pair->m);

	(void)t;
	if (s->resting) {
		begin_again(s);
	} else if (!mono_before(now, s->deadline)) {
		deadline(s);
	} else if (!mono_before(now, s->retry)) {
		s->retry = MONOTIME_NEVER;
		manager_session_arm(s);
		manager_session_commit(s);
	} else {
		manager_session_arm(s);
	}
}

void manager_session_arm(struct session *s)
{
	monotime_t when = mono_before(s->retry, s->deadline) ? s->retry : s->deadline;

	if (s->resting)
		return;
	(void)timer_start(s->pair->m->timers, &s->timer, when);
}

void manager_session_retry_at(struct session *s, monotime_t when)
{
	if (mono_before(when, s->retry))
		s->retry = when;
	manager_session_arm(s);
}

/* ---- the state machine ---- */

static monotime_t rekey_at(const struct session *s)
{
	return mono_add_ms(s->offered, (int64_t)s->lifetime_s * 750);
}

static void enter_direct(struct session *s)
{
	struct vcm_manager *m = s->pair->m;

	manager_session_wipe(s);
	s->tries = s->waits = 0;
	s->direct = manager_now(m);
	s->deadline = rekey_at(s);
	m->stats.direct++;
	manager_audit(m, "session-direct", s, NULL, NULL, s->algorithm);
}

static void enter_ending(struct session *s)
{
	struct vcm_manager *m = s->pair->m;

	manager_session_wipe(s);
	manager_session_unsay(s);
	s->deadline = mono_add_s(s->ends, s->linger_s);
	m->stats.ended++;
	manager_audit(m, "session-ended", s, NULL, NULL, vcm_reason_name(s->reason));
}

static void change_state(struct session *s, enum vcm_session_state to)
{
	monotime_t now = manager_now(s->pair->m);

	s->state = to;
	switch (to) {
	case VCM_S_INVITED:
	case VCM_S_OFFERED:
		s->deadline = mono_add_s(now, SETUP_S);
		break;
	case VCM_S_REKEYING: /* until what they use ends */
		s->deadline = mono_add_ms(now, (int64_t)s->lifetime_s * 250);
		break;
	case VCM_S_DIRECT:
		enter_direct(s);
		break;
	case VCM_S_ENDING:
		enter_ending(s);
		break;
	}
	manager_session_arm(s);
}

/* ---- begin ---- */

struct session *manager_session_new(struct pair *p, uint64_t id)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->node.addr = id_key(id);
	s->id = id;
	s->pair = p;
	s->direct = s->deadline = s->retry = MONOTIME_NEVER;
	timer_init(&s->timer, due, s);
	addr_table_add(&p->m->sessions, &s->node);
	p->session = s;
	return s;
}

void manager_session_free(struct session *s)
{
	struct vcm_manager *m = s->pair->m;

	manager_session_wipe(s);
	manager_session_unsay(s);
	timer_stop(m->timers, &s->timer);
	addr_table_del(&m->sessions, &s->node);
	s->pair->session = NULL;
	free(s);
}

static uint64_t new_id(struct vcm_manager *m)
{
	uint64_t id;

	do {
		m->ops->random(m->ctx, &id, sizeof(id));
		id &= (1ull << ID_BITS) - 1;
	} while (!id || manager_session_find(m, id));
	return id;
}

static struct vcm_policy policy_of(const struct pair *p)
{
	const struct vcm_manager *m = p->m;
	struct vcm_policy policy = {0};

	m->config.policy(m->ctx, &p->nodes[0]->node.addr, &p->nodes[1]->node.addr, &policy);
	if (policy.key_len == 0 || policy.key_len > VCM_KEY_MAX || !policy.algorithm ||
		strlen(policy.algorithm) >= VCM_ALGORITHM_LEN || policy.lifetime_s < 2)
		policy.allowed = false;
	return policy;
}

static enum vcm_status not_allowed(struct pair *p)
{
	struct vcm_manager *m = p->m;

	m->stats.refused++;
	manager_audit(m, "pair-refused", NULL, &p->nodes[0]->node.addr, &p->nodes[1]->node.addr,
		"policy");
	return VCM_REFUSED;
}

static void offered(struct session *s)
{
	struct vcm_manager *m = s->pair->m;

	m->stats.offered++;
	manager_audit(m, s->state == VCM_S_REKEYING ? "session-rekey" : "session-offered", s, NULL,
		NULL, s->variant == VCM_ASYMMETRIC ? "asymmetric" : "symmetric");
}

enum vcm_status manager_session_begin(struct pair *p)
{
	struct vcm_policy policy = policy_of(p);
	struct session *s;

	if (!policy.allowed)
		return not_allowed(p);
	s = manager_session_new(p, new_id(p->m)); /* pairs are counted */
	if (!s)
		return VCM_NO_RESOURCES;
	if (!manager_session_secrets(s, &policy)) {
		manager_session_free(s);
		return VCM_NO_RESOURCES;
	}
	change_state(s, manager_session_inviting(s) ? VCM_S_INVITED : VCM_S_OFFERED);
	offered(s);
	s->unsaved = true;
	manager_session_commit(s);
	return VCM_OK;
}

/* ---- forward ---- */

void manager_session_offer(struct session *s)
{
	if (s->state == VCM_S_INVITED)
		change_state(s, VCM_S_OFFERED);
	manager_session_commit(s);
}

void manager_session_both_ready(struct session *s)
{
	change_state(s, VCM_S_DIRECT);
	manager_session_commit(s);
}

/* Keys and SPIs of the next generation, by the policy of today; state is where they are waited for. */
static enum vcm_status next_generation(struct session *s, enum vcm_session_state state)
{
	struct vcm_policy policy = policy_of(s->pair);

	if (!policy.allowed) {
		manager_session_end(s, VCM_POLICY, false);
		return VCM_REFUSED;
	}
	manager_session_unsay(s);
	if (!manager_session_secrets(s, &policy)) { /* no memory: later */
		s->deadline = mono_add_s(manager_now(s->pair->m), SAVE_AGAIN_S);
		manager_session_arm(s);
		return VCM_NO_RESOURCES;
	}
	change_state(
		s, state == VCM_S_OFFERED && manager_session_inviting(s) ? VCM_S_INVITED : state);
	offered(s);
	s->unsaved = true;
	manager_session_commit(s);
	return VCM_OK;
}

enum vcm_status manager_session_rekey(struct session *s)
{
	struct vcm_manager *m = s->pair->m;

	if (s->state == VCM_S_REKEYING)
		return VCM_OK;
	if (s->state != VCM_S_DIRECT)
		return VCM_UNKNOWN_SESSION;
	m->stats.rekeys++;
	return next_generation(s, VCM_S_REKEYING);
}

void manager_session_other_spis(struct session *s)
{
	struct vcm_manager *m = s->pair->m;
	bool rekeying = s->state == VCM_S_REKEYING;
	monotime_t before = s->deadline;

	m->stats.spi_taken++;
	if (++s->tries > MAX_TRIES) {
		manager_session_end(s, VCM_PEER, true);
		return;
	}
	if (next_generation(s, rekeying ? VCM_S_REKEYING : VCM_S_OFFERED) || !rekeying)
		return;
	s->deadline = before;
	manager_session_arm(s);
}

/* ---- the end ---- */

static bool waits(enum vcm_reason reason)
{
	return reason == VCM_PATH || reason == VCM_PEER || reason == VCM_LIFETIME;
}

void manager_session_end(struct session *s, enum vcm_reason reason, bool again)
{
	struct pair *p = s->pair;

	p->wanted = again;
	if (again && reason == VCM_INSIDE)
		pair_await(p);
	else if (again)
		pair_failed(p, !waits(reason));
	s->reason = reason;
	change_state(s, VCM_S_ENDING);
	s->unsaved = true;
	manager_session_commit(s);
}

/* Nobody is left to be told, or what could still be used has ended by itself. */
static void over(struct session *s)
{
	struct pair *p = s->pair;
	struct vcm_manager *m = p->m;

	if (m->ops->session_del(m->ctx, s->id)) {
		s->deadline = mono_add_s(manager_now(m), SAVE_AGAIN_S);
		manager_session_arm(s);
		return;
	}
	manager_audit(m, "session-gone", s, NULL, NULL, vcm_reason_name(s->reason));
	manager_session_free(s);
	(void)pair_drive(p);
}

/* ---- after a restart of the manager ---- */

static monotime_t resumed_deadline(const struct session *s)
{
	monotime_t now = manager_now(s->pair->m);

	switch (s->state) {
	case VCM_S_DIRECT:
		return rekey_at(s);
	case VCM_S_REKEYING: /* began at 3/4 of the lifetime of the generation before */
		return mono_add_ms(s->offered, (int64_t)s->lifetime_s * 250);
	case VCM_S_ENDING:
		return mono_add_s(s->ends, s->linger_s);
	case VCM_S_INVITED:
	case VCM_S_OFFERED:
		break;
	}
	return mono_add_s(now, SETUP_S);
}
void manager_session_resume(struct session *s)
{
	s->resting = true;
	s->deadline = resumed_deadline(s);
}

/* They shall know us again, and we whether they are still the same. */
static void greet(struct vcm_manager *m, struct context *c)
{
	static const struct vcm_message hello = {.type = VCM_HELLO};

	if (c->greeted)
		return;
	c->greeted = vcm_exchange_send(m->exchange, &c->node.addr, &hello, 0) == 0;
}

static void begin_again(struct session *s)
{
	struct pair *p = s->pair;

	s->resting = false;
	greet(p->m, p->nodes[0]);
	greet(p->m, p->nodes[1]);
	if (s->state != VCM_S_ENDING && !mono_before(manager_now(p->m), s->ends)) {
		manager_session_end(s, VCM_LIFETIME, true);
		return;
	}
	if (s->state != VCM_S_ENDING &&
		(!context_able(p->nodes[0]) || !context_able(p->nodes[1]))) {
		manager_session_end(s, VCM_INSIDE, false);
		return;
	}
	if (s->state != VCM_S_ENDING && !policy_of(p).allowed) { /* any more */
		manager_session_end(s, VCM_POLICY, false);
		return;
	}
	manager_session_arm(s);
	manager_session_commit(s);
}

/* ---- names ---- */

const char *vcm_session_state_name(enum vcm_session_state s)
{
	static const char *const names[] = {[VCM_S_INVITED] = "invited",
		[VCM_S_OFFERED] = "offered",
		[VCM_S_DIRECT] = "direct",
		[VCM_S_REKEYING] = "rekeying",
		[VCM_S_ENDING] = "ending"};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}
