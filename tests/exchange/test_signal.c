/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Revocation (RFC 5846), Heartbeats (RFC 5847), Home Agent Switch
 * (RFC 5142) and the Mobile Node Identifier (RFC 4283) between both cores.
 */
#include <errno.h>
#include <string.h>

#include "tests/exchange/suite.h"

static unsigned events(const struct net *n, bool from_ha, enum mip6_event_type type)
{
	unsigned count = 0;

	for (size_t i = 0; i < n->n_events; i++)
		count += n->events[i].from_ha == from_ha && n->events[i].e.type == type;
	return count;
}

static const char *last_text(const struct net *n, enum mip6_event_type type)
{
	const char *text = "(none)";

	for (size_t i = 0; i < n->n_events; i++)
		if (n->events[i].e.type == type && n->events[i].e.text)
			text = n->events[i].e.text;
	return text;
}

static struct mh_message parsed(const struct net_seen *s)
{
	struct mh_message m;

	ck_assert_int_eq(mh_parse(s->data, s->len, &m, NULL), MH_OK);
	return m;
}

/* As the home agent would send it to the mobile node on link 1. */
static struct mip6_packet from_ha(const struct net *n)
{
	return (struct mip6_packet){.src = n->ha_config.address,
		.dst = n->home_address,
		.dst_coa = net_care_of(n, IF1, LINK1),
		.flags = MIP6_PKT_RH2};
}

/* ---- revocation ---- */

START_TEST(revocation)
{
	struct net *n = begin_away(NULL);
	struct in6_addr coa = net_care_of(n, IF1, LINK1);
	struct net_seen bri, bra;

	ck_assert_int_eq(ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE), 0);
	ck_assert(binding(n).revoking);
	ck_assert_int_eq(ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE), -EALREADY);
	/* <-- BRI: type 2 routing header with the home address, to the care-of address (7) */
	bri = ARRIVED(n, K_BRI, 100);
	ck_assert_uint_eq(bri.status, BR_T_ADMINISTRATIVE);
	ck_assert_uint_eq(bri.flags & MIP6_PKT_RH2, MIP6_PKT_RH2);
	ck_addr_eq(bri.dst, n->home_address);
	ck_addr_eq(bri.coa, coa);
	ck_assert_uint_eq(parsed(&bri).u.revocation.flags, 0);
	/* in progress: served as before (7) */
	ck_assert(n->hk.forwarding);
	/* BRA --> with Home Address option, same number */
	bra = ARRIVED(n, K_BRA, 100);
	ck_assert_uint_eq(bra.status, BR_SUCCESS);
	ck_assert_uint_eq(bra.seq, bri.seq);
	ck_assert_uint_eq(bra.flags & MIP6_PKT_HAO, MIP6_PKT_HAO);
	ck_addr_eq(bra.src, n->home_address);
	ck_addr_eq(bra.coa, coa);
	net_run(n, 10);
	ck_assert(!n->hk.forwarding);
	ck_assert_int_eq(binding(n).state, HA_BINDING_INVALID);
	ck_assert_uint_eq(ha_stats(n->ha)->revocations_answered, 1);
	ck_assert_uint_eq(events(n, false, EV_REVOKED), 1);
	ck_assert_str_eq(last_text(n, EV_REVOCATION_ANSWERED), "success");
	ck_assert_str_eq(last_text(n, EV_BINDING_GONE), "revoked");
	/* it stays away, wherever it moves, and comes back after ten minutes */
	net_attach(n, IF1, LINK2);
	NONE(n, K_BU, 590000);
	ARRIVED(n, K_BU, 15000);
	settle(n, SOON);
	finish(n);
}
END_TEST

START_TEST(revocation_out_of_sync)
{
	struct net *n = begin_away(NULL);

	ha_revoke(n->ha, &n->home_address, BR_T_OUT_OF_SYNC);
	/* <-- BRI, BRA -->, BU --> at once */
	ARRIVED(n, K_BRI, 100);
	ARRIVED(n, K_BRA, 100);
	ARRIVED(n, K_BU, 100);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* 6.3: once more after a second; the same answer, though there is no binding any more. */
START_TEST(revocation_answer_lost)
{
	struct net *n = begin_away(NULL);
	struct net_seen first, second;

	net_rule(n, K_BRA, T_DROP, 0, 1, 0);
	ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE);
	first = ARRIVED(n, K_BRI, 100);
	LOST(n, K_BRA, 100);
	second = ARRIVED(n, K_BRI, 1100);
	ck_between(ms_between(first.when, second.when), 1000, 1000);
	ck_assert_uint_eq(first.seq, second.seq);
	ck_assert_uint_eq(ARRIVED(n, K_BRA, 100).status, BR_SUCCESS);
	net_run(n, 10);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert_uint_eq(n->mn ? mn_stats(n->mn)->revoked : 0, 1);
	finish_apart(n);
}
END_TEST

/* 6.3: the time doubles up to the limit; after the last one the binding goes without an answer. */
START_TEST(revocation_unanswered)
{
	struct net *n = net_new(NULL);
	monotime_t last;

	n->ha_config.revocation.retries = 3;
	n->ha_config.revocation.timeout_ms = 500;
	n->ha_config.revocation.max_timeout_ms = 1500;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_run(n, 5000);
	net_forget(n);
	net_rule(n, K_BRI, T_DROP, 0, 100, 0);
	ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE);
	last = SENT(n, K_BRI, 0).when;
	for (int i = 0; i < 3; i++) {
		static const int64_t after[] = {500, 1000, 1500};
		struct net_seen s = SENT(n, K_BRI, 2000);

		ck_assert_int_eq(ms_between(last, s.when), after[i]);
		ck_assert(n->hk.forwarding);
		last = s.when;
	}
	NONE(n, K_BRI, 1499);
	ck_assert(n->hk.forwarding);
	net_run(n, 2);
	ck_assert(!n->hk.forwarding);
	ck_assert_str_eq(last_text(n, EV_REVOCATION_ANSWERED), "no answer");
	ck_assert_uint_eq(ha_stats(n->ha)->revocations_unanswered, 1);
	finish_apart(n);
}
END_TEST

/* 7: a Binding Update that crosses it. */
START_TEST(revocation_race)
{
	struct net *n = begin_away(NULL);

	/* administrative: the node that has not heard it yet moves, and is refused */
	net_rule(n, K_BRI, T_DROP, 0, 1, 0);
	ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE);
	net_attach(n, IF1, LINK2);
	ARRIVED(n, K_BU, 300);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_PROHIBITED);
	net_run(n, 5000);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	finish_apart(n);
	/* otherwise it shows that the node is there: the binding stays */
	n = begin_away(NULL);
	net_rule(n, K_BRI, T_DROP, 0, 1, 0);
	ha_revoke(n->ha, &n->home_address, BR_T_UNSPECIFIED);
	net_attach(n, IF1, LINK2);
	ARRIVED(n, K_BU, 300);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
	ck_assert(!binding(n).revoking);
	NONE(n, K_BRI, 5000);
	settle(n, 0);
	finish(n);
}
END_TEST

/* An older update on a slow path does not bring the binding back. */
START_TEST(revocation_old_update)
{
	struct net *n = begin_away(NULL);
	struct net_seen bu;

	net_attach(n, IF1, LINK2);
	bu = ARRIVED(n, K_BU, 300);
	settle(n, SOON);
	ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE);
	ARRIVED(n, K_BRA, 200);
	net_run(n, 100);
	net_replay(n, &bu);
	net_run(n, 100);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert_uint_eq(ha_stats(n->ha)->refused[BA_SEQUENCE - 128], 1);
	finish_apart(n);
}
END_TEST

/* What is no answer to an indication under way: wrong number, wrong node, none asked. */
START_TEST(revocation_wrong_answer)
{
	struct net *n = begin_away(NULL);
	struct mip6_packet p = {.src = n->home_address,
		.dst = n->ha_config.address,
		.src_coa = net_care_of(n, IF1, LINK1),
		.flags = MIP6_PKT_HAO};
	struct mh_message m = {.type = MH_REVOCATION};

	m.u.revocation.br_type = BR_ACKNOWLEDGEMENT;
	net_inject_mh(n, &p, &m);
	net_run(n, 100);
	net_rule(n, K_BRI, T_DROP, 0, 1, 0);
	ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE);
	m.u.revocation.seq = (uint16_t)(SENT(n, K_BRI, 0).seq + 1);
	net_inject_mh(n, &p, &m);
	net_run(n, 100);
	m.u.revocation.seq--;
	p.src.s6_addr[15] ^= 1;
	net_inject_mh(n, &p, &m);
	net_run(n, 100);
	ck_assert_uint_eq(ha_stats(n->ha)->signals_ignored, 3);
	ck_assert(binding(n).revoking);
	/* whatever the status: the home agent's policy decides (6.2.2) */
	p.src.s6_addr[15] ^= 1;
	m.u.revocation.trigger_or_status = BR_TRIGGER_NOT_SUPPORTED;
	net_inject_mh(n, &p, &m);
	net_run(n, 100);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert_str_eq(
		last_text(n, EV_REVOCATION_ANSWERED), br_status_name(BR_TRIGGER_NOT_SUPPORTED));
	finish_apart(n);
}
END_TEST

/* What the mobile node answers to what it cannot do, and its binding lives on (10, 6.2.1). */
START_TEST(revocation_refused)
{
	static const struct {
		uint8_t trigger;
		uint16_t flags;
		uint8_t status;
	} cases[] = {
		{BR_T_ADMINISTRATIVE, BR_F_P, BR_PROXY_NOT_SUPPORTED},
		{BR_T_PER_PEER, BR_F_G, BR_GLOBAL_NOT_AUTHORIZED},
		{BR_T_LOCAL_POLICY, BR_F_G, BR_GLOBAL_NOT_AUTHORIZED},
		{BR_T_ADMINISTRATIVE, BR_F_G, BR_FUNCTION_NOT_SUPPORTED},
		{BR_T_PER_PEER, 0, BR_FUNCTION_NOT_SUPPORTED},
		{BR_T_HANDOVER_SAME, 0, BR_TRIGGER_NOT_SUPPORTED},
		{BR_T_HANDOVER_UNKNOWN, 0, BR_TRIGGER_NOT_SUPPORTED},
		{77, 0, BR_TRIGGER_NOT_SUPPORTED},
		{255, 0, BR_TRIGGER_NOT_SUPPORTED},
		{BR_T_ADMINISTRATIVE, BR_F_V, BR_IPV4_HOA_REQUIRED},
	};
	struct net *n = begin_away(NULL);
	struct mip6_packet p = from_ha(n);
	struct mh_message m = {.type = MH_REVOCATION}, a;
	struct net_seen bra;

	m.u.revocation.br_type = BR_INDICATION;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.u.revocation.trigger_or_status = cases[i].trigger;
		m.u.revocation.flags = cases[i].flags;
		m.u.revocation.seq = (uint16_t)(1000 + i);
		net_inject_mh(n, &p, &m);
		bra = ARRIVED(n, K_BRA, 100);
		ck_assert_msg(bra.status == cases[i].status, "case %zu: %u", i, bra.status);
		a = parsed(&bra);
		ck_assert_uint_eq(a.u.revocation.seq, m.u.revocation.seq);
		ck_assert_uint_eq(a.u.revocation.flags, cases[i].flags);
	}
	/* an identification number of a binding that we do not have (RFC 5648) */
	m.u.revocation.trigger_or_status = BR_T_ADMINISTRATIVE;
	m.u.revocation.flags = 0;
	mh_option_add(&m, MHOPT_BINDING_ID)->u.binding_id.bid = 5;
	net_inject_mh(n, &p, &m);
	ck_assert_uint_eq(ARRIVED(n, K_BRA, 100).status, BR_NO_BINDING);
	settle(n, 0);
	finish(n);
}
END_TEST

/* Silently discarded: from elsewhere, without routing header, without a binding. */
START_TEST(revocation_ignored)
{
	struct net *n = begin_away(NULL);
	struct mip6_packet p = from_ha(n);
	struct mh_message m = {.type = MH_REVOCATION};

	m.u.revocation.br_type = BR_INDICATION;
	m.u.revocation.trigger_or_status = BR_T_ADMINISTRATIVE;
	p.src = n->cn;
	net_inject_mh(n, &p, &m);
	p.src = n->ha_config.address;
	p.flags = 0;
	p.dst = net_care_of(n, IF1, LINK1);
	net_inject_mh(n, &p, &m);
	NONE(n, K_BRA, 1000);
	ck_assert_uint_eq(mn_stats(n->mn)->signals_ignored, 2);
	settle(n, 0);
	/* 10: the binding was revoked before, this is another one */
	ha_revoke(n->ha, &n->home_address, BR_T_ADMINISTRATIVE);
	m.u.revocation.seq = (uint16_t)(ARRIVED(n, K_BRA, 200).seq + 1);
	p = from_ha(n);
	net_inject_mh(n, &p, &m);
	NONE(n, K_BRA, 1000);
	finish_apart(n);
}
END_TEST

START_TEST(revocation_needs_ipsec)
{
	struct net *n = begin_away(NULL);
	struct mip6_packet p = from_ha(n);
	struct mh_message m = {.type = MH_REVOCATION}, h = {.type = MH_HEARTBEAT},
			  s = {.type = MH_HA_SWITCH};
	uint8_t other[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0};

	net_stop_mn(n);
	n->mn_config.require_ipsec = true;
	net_start_mn(n, true);
	net_run(n, 3000);
	net_forget(n);
	m.u.revocation.br_type = BR_INDICATION;
	s.u.ha_switch.count = 1;
	s.u.ha_switch.addrs = other;
	net_inject_mh(n, &p, &m);
	net_inject_mh(n, &p, &h);
	net_inject_mh(n, &p, &s);
	NONE(n, K_BRA, 100);
	ck_assert_uint_ge(mn_stats(n->mn)->unprotected, 3);
	ck_assert_uint_eq(net_count(n, K_HB_RESPONSE), 0);
	ck_assert_uint_eq(events(n, false, EV_SWITCH_RECEIVED), 0);
	net_free(n);
}
END_TEST

/* Without IPsec what proves nothing is not believed, unless somebody wants it so. */
START_TEST(unprotected_signals)
{
	struct net *n = net_new(NULL);
	struct in6_addr other = net_prefix(HOME);

	n->mn_config.unprotected_signals = false;
	n->mn_config.heartbeat = (struct mh_heartbeat_config){30, 3};
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_run(n, 35000);
	ck_assert_uint_eq(mn_stats(n->mn)->heartbeats_answered, 1);
	struct mip6_packet p = from_ha(n);
	struct mh_message r = {.type = MH_REVOCATION}, h = {.type = MH_HEARTBEAT},
			  s = {.type = MH_HA_SWITCH};

	r.u.revocation.br_type = BR_INDICATION;
	h.u.heartbeat.response = h.u.heartbeat.unsolicited = true;
	mh_option_add(&h, MHOPT_RESTART_COUNTER)->u.restart_counter = 9999;
	other.s6_addr[15] = 9;
	s.u.ha_switch.count = 1;
	s.u.ha_switch.addrs = other.s6_addr;
	net_forget(n);
	net_inject_mh(n, &p, &r);
	net_inject_mh(n, &p, &h);
	net_inject_mh(n, &p, &s);
	NONE(n, K_BU, 1000);
	ck_assert_uint_eq(mn_stats(n->mn)->unprotected, 3);
	ck_assert_uint_eq(net_count(n, K_BRA), 0);
	settle(n, 0);
	/* protected ones are */
	p.flags |= MIP6_PKT_PROTECTED;
	net_inject_mh(n, &p, &r);
	ARRIVED(n, K_BRA, 100);
	finish_apart(n);
}
END_TEST

/* ---- heartbeats ---- */

static struct net *begin_with_heartbeats(uint32_t mn_s, uint32_t ha_s)
{
	struct net *n = net_new(NULL);

	n->mn_config.heartbeat = (struct mh_heartbeat_config){mn_s, 3};
	n->ha_config.heartbeat = (struct mh_heartbeat_config){ha_s, 3};
	n->mn_config.restart_counter = 70;
	n->ha_config.restart_counter = 700;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	return n;
}

/* 3, 3.2, 3.3: the numbers match, the answer has the Restart Counter */
START_TEST(heartbeat_of_mobile_node)
{
	struct net *n = begin_with_heartbeats(30, 0);
	struct net_seen ask, answer;
	struct mh_message q, a;
	uint32_t seq = 0;

	for (int i = 0; i < 5; i++) {
		ask = ARRIVED(n, K_HB_REQUEST, 31000);
		answer = ARRIVED(n, K_HB_RESPONSE, 100);
		q = parsed(&ask);
		a = parsed(&answer);
		ck_assert_uint_eq(ask.flags, MIP6_PKT_HAO);
		ck_assert_uint_eq(answer.flags, MIP6_PKT_RH2);
		ck_assert(!mh_option(&q, MHOPT_RESTART_COUNTER));
		ck_assert_uint_eq(mh_option(&a, MHOPT_RESTART_COUNTER)->u.restart_counter, 700);
		ck_assert_uint_eq(a.u.heartbeat.seq, q.u.heartbeat.seq);
		ck_assert(!q.u.heartbeat.unsolicited && !a.u.heartbeat.unsolicited);
		if (i)
			ck_assert_uint_eq(q.u.heartbeat.seq, seq + 1);
		seq = q.u.heartbeat.seq;
	}
	ck_assert_uint_eq(mn_stats(n->mn)->heartbeats_answered, 5);
	ck_assert_uint_eq(events(n, false, EV_PEER_LOST), 0);
	/* at home there is no binding, and nothing to ask (3) */
	net_attach(n, IF1, HOME);
	settle(n, SOON);
	net_forget(n);
	NONE(n, K_HB_REQUEST, 200000);
	finish(n);
}
END_TEST

START_TEST(heartbeat_of_home_agent)
{
	struct net *n = begin_with_heartbeats(0, 30);
	struct net_seen ask = ARRIVED(n, K_HB_REQUEST, 31000),
			answer = ARRIVED(n, K_HB_RESPONSE, 100);
	struct mh_message a = parsed(&answer);

	ck_assert_uint_eq(ask.flags, MIP6_PKT_RH2);
	ck_assert_uint_eq(answer.flags, MIP6_PKT_HAO);
	ck_assert_uint_eq(mh_option(&a, MHOPT_RESTART_COUNTER)->u.restart_counter, 70);
	/* gone for a while: more than three are missing, the binding stays, and it is back */
	net_attach(n, IF1, NOWHERE);
	ck_assert(net_until_event(n, EV_PEER_LOST, 160000));
	ck_assert(binding(n).unreachable);
	ck_assert_int_eq(binding(n).state, HA_BINDING_ACTIVE);
	ck_assert_uint_eq(ha_stats(n->ha)->heartbeats_sent, 1 + 5);
	net_attach(n, IF1, LINK2);
	settle(n, SOON);
	ck_assert(!binding(n).unreachable);
	ck_assert_uint_eq(events(n, true, EV_PEER_BACK), 1);
	/* de-registered: no more */
	net_attach(n, IF1, HOME);
	settle(n, SOON);
	net_forget(n);
	NONE(n, K_HB_REQUEST, 200000);
	finish(n);
}
END_TEST

/* 3.1: with more than MISSING_HEARTBEATS_ALLOWED missing it asks for a binding anew. */
START_TEST(heartbeat_home_agent_lost)
{
	struct net *n = begin_with_heartbeats(30, 0);

	ARRIVED(n, K_HB_RESPONSE, 31000);
	net_rule(n, K_HB_REQUEST, T_DROP, 0, 4, 0);
	net_forget(n);
	NONE(n, K_BU, 140000);
	ARRIVED(n, K_BU, 20000);
	ck_assert_uint_eq(events(n, false, EV_PEER_LOST), 1);
	ck_assert(net_until_event(n, EV_PEER_BACK, 1000));
	finish(n);
}
END_TEST

/* 3.2: it comes back without its bindings: the node learns it at the next heartbeat. */
START_TEST(heartbeat_home_agent_restarted)
{
	struct net *n = begin_with_heartbeats(30, 0);

	ARRIVED(n, K_HB_RESPONSE, 31000);
	net_stop_ha(n);
	n->ha_config.restart_counter++;
	net_start_ha(n, false);
	net_forget(n);
	/* request --> <-- response with another counter, BU --> */
	ARRIVED(n, K_HB_REQUEST, 31000);
	ARRIVED(n, K_HB_RESPONSE, 100);
	ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(events(n, false, EV_PEER_RESTARTED), 1);
	settle(n, SOON);
	/* with its bindings the counter is the same, and nothing happens */
	net_run(n, 40000);
	net_stop_ha(n);
	net_start_ha(n, true);
	net_forget(n);
	NONE(n, K_BU, 100000);
	ck_assert_uint_eq(events(n, false, EV_PEER_RESTARTED), 1);
	finish(n);
}
END_TEST

/* The same in an unsolicited response; its sequence number means nothing (3.2). */
START_TEST(heartbeat_unsolicited)
{
	struct net *n = begin_with_heartbeats(30, 0);
	struct mip6_packet p = from_ha(n);
	struct mh_message m = {.type = MH_HEARTBEAT};

	ARRIVED(n, K_HB_RESPONSE, 31000);
	m.u.heartbeat.response = true;
	mh_option_add(&m, MHOPT_RESTART_COUNTER)->u.restart_counter = 701;
	net_forget(n);
	/* neither asked for nor marked as unsolicited: nothing */
	net_inject_mh(n, &p, &m);
	NONE(n, K_BU, 500);
	ck_assert_uint_eq(mn_stats(n->mn)->heartbeats_ignored, 1);
	m.u.heartbeat.unsolicited = true;
	net_inject_mh(n, &p, &m);
	ARRIVED(n, K_BU, 100);
	settle(n, SOON);
	ck_assert_uint_eq(events(n, false, EV_PEER_RESTARTED), 1);
	finish(n);
}
END_TEST

/* 3: a Binding Error ends them for good, on either side. */
START_TEST(heartbeat_unknown)
{
	struct net *n = begin_with_heartbeats(30, 30);
	struct mip6_packet to_mn = {.src = n->ha_config.address, .dst = net_care_of(n, IF1, LINK1)},
			   to_ha = {.src = net_care_of(n, IF1, LINK1), .dst = n->ha_config.address};
	struct mh_message m = {.type = MH_BE};

	m.u.be.status = BE_UNKNOWN_MH_TYPE;
	net_rule(n, K_HB_RESPONSE, T_DROP, 0, 100, 0);
	net_run(n, 30100);
	net_inject_mh(n, &to_mn, &m);
	net_inject_mh(n, &to_ha, &m);
	net_run(n, 100);
	net_forget(n);
	NONE(n, K_HB_REQUEST, 200000);
	settle(n, 0);
	finish(n);
}
END_TEST

/* A node without a binding is answered, one whose address is none of ours is not. */
START_TEST(heartbeat_strangers)
{
	struct net *n = begin_with_heartbeats(0, 0);
	struct mip6_packet p = {.src = n->home_address,
		.dst = n->ha_config.address,
		.src_coa = net_care_of(n, IF1, LINK1),
		.flags = MIP6_PKT_HAO};
	struct mh_message m = {.type = MH_HEARTBEAT};

	p.src.s6_addr[15] ^= 1;
	net_inject_mh(n, &p, &m);
	SENT(n, K_HB_RESPONSE, 100);
	p.src = n->cn;
	net_inject_mh(n, &p, &m);
	p.src = n->home_address;
	p.flags = 0;
	net_inject_mh(n, &p, &m);
	NONE(n, K_HB_RESPONSE, 100);
	ck_assert_uint_eq(ha_stats(n->ha)->signals_ignored, 2);
	/* and not as many as come */
	p.flags = MIP6_PKT_HAO;
	p.src.s6_addr[15] ^= 1;
	for (int i = 0; i < 500; i++)
		net_inject_mh(n, &p, &m);
	net_run(n, 100);
	ck_between((long long)net_count(n, K_HB_RESPONSE), 50, 150);
	net_free(n);
}
END_TEST

/* ---- switch ---- */

static struct in6_addr other_agent(void)
{
	struct in6_addr a = net_prefix(HOME);

	a.s6_addr[14] = 0x20;
	return a;
}

/* The other home agent answers the last Binding Update. */
static void other_answers(struct net *n, const struct net_seen *bu, uint8_t status)
{
	struct mip6_packet p = from_ha(n);
	struct mh_message m = {.type = MH_BA};

	p.src = n->other_agent;
	m.u.ba.status = status;
	m.u.ba.seq = bu->seq;
	m.u.ba.lifetime = bu->lifetime;
	net_inject_mh(n, &p, &m);
}

static struct net *begin_switch(struct in6_addr *list, size_t count)
{
	struct net *n = begin_away(NULL);

	n->other_agent = other_agent();
	ck_assert_int_eq(ha_switch_node(n->ha, &n->home_address, list, count), 0);
	return n;
}

/* 6.1: the binding is deleted, which is the answer; then the new home agent; the session's data waits. */
START_TEST(switch_to_another)
{
	struct in6_addr list[1] = {other_agent()};
	struct net *n = begin_switch(list, 1);
	struct net_seen s, bu;
	struct mh_message m;

	ck_assert(binding(n).switching);
	s = ARRIVED(n, K_SWITCH, 100);
	m = parsed(&s);
	ck_assert_uint_eq(s.flags, MIP6_PKT_RH2);
	ck_assert_uint_eq(m.u.ha_switch.count, 1);
	ck_assert_mem_eq(m.u.ha_switch.addrs, list, 16);
	/* BU --> lifetime 0, to the first one */
	bu = SENT(n, K_BU, 0);
	ck_assert_uint_eq(bu.lifetime, 0);
	ck_addr_eq(bu.dst, n->ha_config.address);
	net_data_up(n);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 200).status, BA_ACCEPTED);
	/* BU --> to the other, data behind it */
	bu = SENT(n, K_BU, 0);
	ck_assert_uint_gt(bu.lifetime, 0);
	ck_addr_eq(bu.dst, list[0]);
	ck_assert_uint_eq(net_totals(n, true).held, 0);
	other_answers(n, &bu, BA_ACCEPTED);
	net_run(n, 200);
	ck_assert_int_eq(net_mn(n).registration, MN_REG_REGISTERED);
	ck_addr_eq(net_mn(n).home_agent, list[0]);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	NONE(n, K_SWITCH, 60000);
	ck_assert_uint_eq(events(n, false, EV_HOME_AGENT), 1);
	/* what the first one says from now on is a stranger's */
	net_inject_mh(n,
		&(struct mip6_packet){.src = n->ha_config.address,
			.dst = n->home_address,
			.dst_coa = net_care_of(n, IF1, LINK1),
			.flags = MIP6_PKT_RH2},
		&m);
	net_run(n, 100);
	ck_assert_uint_eq(mn_stats(n->mn)->signals_ignored, 1);
	finish_apart(n);
}
END_TEST

/* The node moves while it leaves: the same, from the new place. */
START_TEST(switch_and_move)
{
	struct in6_addr list[1] = {other_agent()};
	struct net *n = begin_switch(list, 1);
	struct net_seen bu;

	net_rule(n, K_BU, T_DROP, 0, 1, 0);
	ARRIVED(n, K_SWITCH, 100);
	LOST(n, K_BU, 100);
	net_attach(n, IF1, LINK2);
	bu = ARRIVED(n, K_BU, 300);
	ck_assert_uint_eq(bu.lifetime, 0);
	ck_addr_eq(bu.coa, net_care_of(n, IF1, LINK2));
	ARRIVED(n, K_BA, 200);
	bu = SENT(n, K_BU, 100);
	ck_addr_eq(bu.dst, list[0]);
	ck_addr_eq(bu.coa, net_care_of(n, IF1, LINK2));
	finish_apart(n);
}
END_TEST

/* The first one does not answer any more: three updates, then the next home agent all the same. */
START_TEST(switch_without_answer)
{
	struct in6_addr list[1] = {other_agent()};
	struct net *n = begin_switch(list, 1);
	monotime_t first;

	ARRIVED(n, K_SWITCH, 100);
	net_stop_ha(n);
	first = SENT(n, K_BU, 100).when;
	for (int i = 0; i < 2; i++)
		ck_assert_uint_eq(SENT(n, K_BU, 2100).lifetime, 0);
	struct net_seen bu = SENT(n, K_BU, 2000);

	ck_assert_uint_gt(bu.lifetime, 0);
	ck_addr_eq(bu.dst, list[0]);
	ck_between(ms_between(first, bu.when), 3000, 4100);
	finish_apart(n);
}
END_TEST

/*
 * 6.2: those with the home prefix first, each in its order.  Who refuses or
 * does not answer is followed by the next, at last by the sender itself.
 */
START_TEST(switch_list)
{
	struct in6_addr far = net_prefix(LINK2), list[3] = {far, other_agent(), other_agent()};
	struct net *n;
	struct net_seen bu;

	far.s6_addr[15] = 7;
	list[0] = far;
	list[2].s6_addr[15] = 1;
	n = begin_switch(list, 3);
	ARRIVED(n, K_BA, 200); /* of the de-registration */
	bu = SENT(n, K_BU, 0);
	ck_addr_eq(bu.dst, list[1]);
	other_answers(n, &bu, BA_NOT_HOME_SUBNET);
	n->other_agent = list[2];
	bu = SENT(n, K_BU, 1200);
	ck_addr_eq(bu.dst, list[2]);
	/* duplicate address: perhaps the first home agent still defends it */
	other_answers(n, &bu, BA_DAD_FAILED);
	n->other_agent = far;
	bu = SENT(n, K_BU, 1200);
	ck_addr_eq(bu.dst, far);
	/* no answer to three */
	for (int i = 0; i < 2; i++)
		ck_addr_eq(SENT(n, K_BU, 4000).dst, far);
	bu = SENT(n, K_BU, 7000);
	ck_addr_eq(bu.dst, n->ha_config.address);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* 5.2: 5, 10, 20, 20 s; 5.3: served, but not for longer, also after a move. */
START_TEST(switch_repeated)
{
	struct net *n = begin_away(NULL);
	struct in6_addr list[1] = {other_agent()};
	static const int64_t after[] = {5000, 10000, 20000, 20000};
	monotime_t last;
	uint32_t left;

	net_rule(n, K_SWITCH, T_DROP, 0, 1000, 0);
	ha_switch_node(n->ha, &n->home_address, list, 1);
	last = SENT(n, K_SWITCH, 0).when;
	for (int i = 0; i < 4; i++) {
		struct net_seen s = SENT(n, K_SWITCH, 21000);

		ck_assert_int_eq(ms_between(last, s.when), after[i]);
		last = s.when;
	}
	left = binding(n).remaining_s;
	net_attach(n, IF1, LINK2);
	ARRIVED(n, K_BU, 300);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
	ck_assert_uint_le(binding(n).remaining_s, left);
	ck_assert_uint_ge(binding(n).remaining_s + 5, left);
	settle(n, SOON);
	/* the refresh is refused, the binding serves on */
	ARRIVED(n, K_BU, (int64_t)left * 1000);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 200).status, BA_PROHIBITED);
	ck_assert(n->hk.forwarding);
	net_run(n, (int64_t)left * 1000);
	finish_apart(n);
}
END_TEST

/* 7: at most so many a second are asked. */
START_TEST(switch_all)
{
	struct net *n = begin_away(NULL);
	struct in6_addr list[1] = {other_agent()};

	n->other_agent = list[0];
	ck_assert_int_eq(ha_switch_all(n->ha, list, 1), 0);
	ARRIVED(n, K_SWITCH, 100);
	ck_assert_int_eq(ha_switch_all(n->ha, list, HA_SWITCH_MAX_ADDRESSES + 1), -E2BIG);
	finish_apart(n);
}
END_TEST

/* ---- all of it, on bad links ---- */

/* Whatever is lost, repeated and reordered: in the end both agree, as if nobody had said anything. */
START_TEST(bad_links)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct net *n = net_new(&(struct net_options){.seed = seed, .rtt_us = 60000});

		n->mn_config.heartbeat = n->ha_config.heartbeat =
			(struct mh_heartbeat_config){30, 1};
		net_start(n);
		net_attach(n, IF1, LINK1);
		settle(n, SOON);
		net_faults(n, 250, 150, 200, 400);
		for (int i = 0; i < 12; i++) {
			net_run(n, (int64_t)net_below(n, 20000));
			switch (net_below(n, 4)) {
			case 0:
				net_attach(n, IF1, net_below(n, 2) ? LINK1 : LINK2);
				break;
			case 1:
				ha_revoke(n->ha, &n->home_address, BR_T_OUT_OF_SYNC);
				break;
			case 2:
				ha_revoke(n->ha, &n->home_address, BR_T_UNSPECIFIED);
				break;
			case 3:
				net_stop_ha(n);
				n->ha_config.restart_counter++;
				net_start_ha(n, false);
				break;
			}
		}
		net_faults(n, 0, 0, 0, 0);
		net_run(n, 5000); /* a revocation that is under way ends */
		/* a minute after a revocation, and what a lost acknowledgement or heartbeat takes */
		settle(n, 600000);
		finish(n);
	}
}
END_TEST

/* ---- identifier ---- */

START_TEST(identifier)
{
	static char anna[] = "anna@example.org", *const list[] = {anna};
	struct net *n = net_new(NULL);
	const struct mh_option *o;
	struct net_seen bu;
	struct mh_message m;

	n->mn_config.identifier = "anna@example.org";
	n->ha_config.identifiers = list;
	n->ha_config.n_identifiers = 1;
	net_start(n);
	net_attach(n, IF1, LINK1);
	bu = ARRIVED(n, K_BU, 1000);
	m = parsed(&bu);
	o = mh_option(&m, MHOPT_MN_ID);
	ck_assert(o && o->u.mn_id.subtype == 1 && o->u.mn_id.len == strlen(anna));
	settle(n, SOON);
	ck_assert_str_eq(binding(n).identifier, anna);
	finish(n);
}
END_TEST

START_TEST(identifier_refused)
{
	static char anna[] = "anna@example.org", *const list[] = {anna};
	static const char *const others[] = {NULL, "anna@example.or", "anna@example.org2", "bob"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct net *n = net_new(NULL);

		n->mn_config.identifier = others[i];
		n->ha_config.identifiers = list;
		n->ha_config.n_identifiers = 1;
		net_start(n);
		net_attach(n, IF1, LINK1);
		ARRIVED(n, K_BU, 1000);
		ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_PROHIBITED);
		ck_assert_uint_eq(ha_count(n->ha), 0);
		finish_apart(n);
	}
}
END_TEST

/* What is not readable is not shown, and not taken for a name. */
START_TEST(identifier_unreadable)
{
	struct net *n = net_new(NULL);

	n->mn_config.identifier = "a\x01\"b@example.org";
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	ck_assert(!binding(n).identifier);
	finish(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		revocation,
		revocation_out_of_sync,
		revocation_answer_lost,
		revocation_unanswered,
		revocation_race,
		revocation_old_update,
		revocation_wrong_answer,
		revocation_refused,
		revocation_ignored,
		revocation_needs_ipsec,
		unprotected_signals,
		heartbeat_of_mobile_node,
		heartbeat_of_home_agent,
		heartbeat_home_agent_lost,
		heartbeat_home_agent_restarted,
		heartbeat_unsolicited,
		heartbeat_unknown,
		heartbeat_strangers,
		switch_to_another,
		switch_and_move,
		switch_without_answer,
		switch_list,
		switch_repeated,
		switch_all,
		bad_links,
		identifier,
		identifier_refused,
		identifier_unreadable,
	};

	return RUN("signal", tests);
}
