/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node says about one of its sessions.  Somebody who is no party to a
 * session is told that there is none, and changes nothing.
 */
#include <string.h>

#include "lib/addr.h"
#include "vcm/manager_internal.h"

static enum vcm_status denied(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r)
{
	uint64_t held;

	if (log_allowed(&m->complaints, manager_now(m), &held))
		manager_audit(m, "no-party", NULL, from, NULL, vcm_type_name(r->type));
	return VCM_UNKNOWN_SESSION;
}

/* ---- PUBLIC ---- */

static enum vcm_status take_public(struct session *s, int side, const struct vcm_message *r)
{
	struct vcm_session_secrets *x = s->secrets;
	bool *has = !x ? NULL : side ? &x->has_public_b : &x->has_public_a;

	if (s->variant != VCM_ASYMMETRIC)
		return VCM_UNKNOWN_SESSION;
	if (!x || *has) /* again, or late: the first one counts */
		return VCM_OK;
	memcpy(side ? x->public_b : x->public_a, r->public_key, sizeof(x->public_a));
	*has = true;
	s->unsaved = true;
	if (manager_session_inviting(s))
		manager_session_commit(s);
	else
		manager_session_offer(s);
	return VCM_OK;
}

/* ---- READY, ACTIVE ---- */

static enum vcm_status take_ready(struct session *s, int side, bool active)
{
	struct side *own = &s->sides[side];
	bool was_ready = own->ready, was_active = own->active;

	if (manager_session_inviting(s)) /* it has no keys yet */
		return VCM_UNKNOWN_SESSION;
	own->ready = true; /* one that sends, receives as well: READY may come later */
	if (active && s->sides[!side].ready)
		own->active = true;
	if (own->ready == was_ready && own->active == was_active)
		return VCM_OK;
	s->unsaved = true;
	if (own->active && !was_active)
		manager_audit_said(s, side, &(struct vcm_audit){.what = "session-active"});
	if (s->state != VCM_S_DIRECT && s->sides[!side].ready)
		manager_session_both_ready(s);
	else
		manager_session_commit(s);
	return VCM_OK;
}

/* ---- DOWN ---- */

static void count(const struct session *s, int side, const struct vcm_message *r)
{
	struct vcm_audit a = {.what = "session-down", .text = vcm_reason_name(r->reason)};

	if (r->has & VCM_HAS_COUNTERS) {
		a.packets_ab = side ? r->packets_in : r->packets_out;
		a.packets_ba = side ? r->packets_out : r->packets_in;
	}
	manager_audit_said(s, side, &a);
}

/* A node that asks again and again gets it now and then. */
static enum vcm_status new_keys(struct session *s)
{
	monotime_t now = manager_now(s->pair->m);

	if (s->state != VCM_S_DIRECT)
		return VCM_OK;
	if (mono_diff_s(now, s->direct) >= LEAST_REKEY_S)
		return manager_session_rekey(s);
	if (s->deadline.us > mono_add_s(s->direct, LEAST_REKEY_S).us) {
		s->deadline = mono_add_s(s->direct, LEAST_REKEY_S);
		manager_session_arm(s);
	}
	return VCM_OK;
}

/* Without the other's END, if that one was the reason, a session makes sense again by itself. */
static bool begins_again(enum vcm_reason reason)
{
	return reason == VCM_PATH || reason == VCM_LIFETIME || reason == VCM_RESTART ||
	       reason == VCM_PEER;
}

/* What is not in the store is said again: after a crash of ours the session would go on for us alone. */
static enum vcm_status noted(struct vcm_manager *m, const struct vcm_message *r)
{
	const struct session *s = manager_session_find(m, r->session);

	return s && s->unsaved ? VCM_NOT_READY : VCM_OK;
}

static enum vcm_status take_down(struct session *s, int side, const struct vcm_message *r)
{
	struct vcm_manager *m = s->pair->m;

	if (r->reason == VCM_SEQUENCE)
		return r->generation == s->generation ? new_keys(s) : VCM_OK;
	count(s, side, r);
	if (r->generation ==
		s->generation) /* else it may have the next one, and has to let it go */
		s->sides[side].told = true;
	if (s->state == VCM_S_ENDING)
		manager_session_commit(s);
	else
		manager_session_end(s, r->reason, begins_again(r->reason));
	return noted(m, r);
}

/* ---- */

/* With DOWN also one before, which is in use until the next one is. */
static bool is_current(const struct session *s, const struct vcm_message *r)
{
	if (r->generation == s->generation)
		return true;
	return r->type == VCM_DOWN && r->generation < s->generation && s->state != VCM_S_DIRECT;
}

enum vcm_status take_session_message(
	struct vcm_manager *m, const struct in6_addr *from, const struct vcm_message *r)
{
	struct session *s = manager_session_find(m, r->session);
	int side;

	if (!s)
		return VCM_UNKNOWN_SESSION;
	side = in6_equal(&s->pair->nodes[1]->node.addr, from);
	if (!in6_equal(&s->pair->nodes[side]->node.addr, from))
		return denied(m, from, r);
	if (!is_current(s, r))
		return VCM_UNKNOWN_SESSION;
	if (r->type == VCM_DOWN)
		return take_down(s, side, r);
	if (s->state == VCM_S_ENDING)
		return VCM_UNKNOWN_SESSION;
	if (r->type == VCM_PUBLIC)
		return take_public(s, side, r);
	return take_ready(s, side, r->type == VCM_ACTIVE);
}
