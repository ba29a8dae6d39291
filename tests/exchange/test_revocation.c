/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binding Revocation (RFC 5846) between both cores, and signals that come without protection. */
#include <errno.h>

#include "tests/exchange/suite.h"

static const char *last_text(const struct net *n, enum mip6_event_type type)
{
	const char *text = "(none)";

	for (size_t i = 0; i < n->n_events; i++)
		if (n->events[i].e.type == type && n->events[i].e.text)
			text = n->events[i].e.text;
	return text;
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

int main(void)
{
	const TTest *const all[] = {revocation, revocation_out_of_sync, revocation_answer_lost,
		revocation_unanswered, revocation_race, revocation_old_update,
		revocation_wrong_answer, revocation_refused, revocation_ignored,
		revocation_needs_ipsec, unprotected_signals};

	return RUN("revocation", all, NULL, NULL);
}
