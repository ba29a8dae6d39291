/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Revocation at the mobile node (RFC 5846 6.1.2, 6.2, 10).
 *
 * It is believed when it comes from the home agent in use, as a Binding
 * Acknowledgement would (mn_mh.c).  What it asks for is judged first; a
 * revocation of what this node does not have is refused with the status that
 * the RFC gives.  An accepted one ends the binding at once, and its trigger
 * says when to register again:
 *
 *   out of sync                     now: the home agent has lost track
 *   administrative, by the user     after REVOKED_WAIT_MS
 *   unspecified, access network     after a minute
 */
#include "mip6d/proto/mn_internal.h"

#define REVOKED_WAIT_MS 600000
#define ENDED_WAIT_MS 60000

static bool trigger_is_known(uint8_t trigger)
{
	switch (trigger) {
	case BR_T_UNSPECIFIED:
	case BR_T_ADMINISTRATIVE:
	case BR_T_USER:
	case BR_T_ACCESS_NETWORK:
	case BR_T_OUT_OF_SYNC:
		return true;
	default:
		return false; /* the others are of Proxy Mobile IPv6, for tests, or unassigned */
	}
}

static int64_t wait_ms(uint8_t trigger)
{
	if (trigger == BR_T_OUT_OF_SYNC)
		return 0;
	return trigger == BR_T_ADMINISTRATIVE || trigger == BR_T_USER ? REVOKED_WAIT_MS
								      : ENDED_WAIT_MS;
}

static bool is_global(uint8_t trigger)
{
	return trigger == BR_T_PER_PEER || trigger == BR_T_LOCAL_POLICY;
}

/* BR_SUCCESS, or why not; in the order of 10 and 6.2.1. */
static uint8_t judge(const struct mh_message *m)
{
	uint8_t trigger = m->u.revocation.trigger_or_status;
	bool global = m->u.revocation.flags & BR_F_G;

	if (m->u.revocation.flags & BR_F_P)
		return BR_PROXY_NOT_SUPPORTED;
	if (global != is_global(trigger))
		return BR_FUNCTION_NOT_SUPPORTED;
	if (global)
		return BR_GLOBAL_NOT_AUTHORIZED; /* of many nodes; this is one */
	if (!trigger_is_known(trigger))
		return BR_TRIGGER_NOT_SUPPORTED;
	if (m->u.revocation.flags & BR_F_V)
		return mh_option(m, MHOPT_IPV4_HOA) ? BR_NO_BINDING : BR_IPV4_HOA_REQUIRED;
	if (mh_option(m, MHOPT_BINDING_ID))
		return BR_NO_BINDING; /* no binding of ours has an identification number */
	return BR_SUCCESS;
}

static void answer(struct mn *mn, const struct mh_message *m, uint8_t status)
{
	struct mh_message a = {.type = MH_REVOCATION};

	a.u.revocation.br_type = BR_ACKNOWLEDGEMENT;
	a.u.revocation.trigger_or_status = status;
	a.u.revocation.seq = m->u.revocation.seq;
	a.u.revocation.flags = m->u.revocation.flags & (BR_F_P | BR_F_V | BR_F_G);
	mn_send_to_agent(mn, &a, "send a Binding Revocation Acknowledgement");
}

/* The answer was lost: the same question has the same answer, though there is no binding any more. */
static bool is_repetition(const struct mn *mn, const struct mh_message *m)
{
	const struct mn_revocation *r = &mn->revocation;

	return r->answered && r->seq == m->u.revocation.seq &&
	       mono_before(mn_now(mn), mono_add_ms(r->when, ENDED_WAIT_MS));
}

static void revoked(struct mn *mn, const struct mh_message *m)
{
	uint8_t trigger = m->u.revocation.trigger_or_status;

	mn->revocation = (struct mn_revocation){
		.answered = true, .seq = m->u.revocation.seq, .when = mn_now(mn)};
	mn->stats.revoked++;
	log_warning("home agent %s has revoked the binding: %s", in6_str(&mn->config.home_agent),
		br_trigger_name(trigger));
	mn_emit(mn, (struct mip6_event){.type = EV_REVOKED,
			    .care_of = mn->reg.care_of,
			    .peer = mn->config.home_agent,
			    .status = -1,
			    .text = br_trigger_name(trigger)});
	mn_reg_revoked(mn, wait_ms(trigger));
}

void mn_revocation_received(struct mn *mn, const struct mh_message *m)
{
	uint8_t status;

	/* An acknowledgement is for who asked; other types are not assigned (5). */
	if (m->u.revocation.br_type != BR_INDICATION || mn->path.location != MN_AWAY)
		return;
	mn->stats.revocation_received++;
	if (is_repetition(mn, m)) {
		answer(mn, m, BR_SUCCESS);
		return;
	}
	if (!mn_binding_may_live(mn))
		return; /* 10: silently, when there is no entry */
	status = judge(m);
	answer(mn, m, status);
	/* A binding that is being deleted anyway goes on to be. */
	if (status == BR_SUCCESS && mn->reg.state != MN_REG_DEREGISTERING && !mn->stopping)
		revoked(mn, m);
}
