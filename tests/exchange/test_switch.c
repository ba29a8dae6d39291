/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Home Agent Switch (RFC 5142) and the Mobile Node Identifier (RFC 4283) between both cores. */
#include <errno.h>
#include <string.h>

#include "tests/exchange/suite.h"

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
	const TTest *const all[] = {switch_to_another, switch_and_move, switch_without_answer,
		switch_list, switch_repeated, switch_all, identifier, identifier_refused,
		identifier_unreadable};

	return RUN("switch", all, NULL, NULL);
}
