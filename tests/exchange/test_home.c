/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Returning home and leaving again: RFC 6275 10.3.2, 11.5.5. */
#include <string.h>

#include "tests/exchange/suite.h"

/* A node that starts at home has nothing to say to its home agent. */
START_TEST(starts_at_home)
{
	struct net *n = begin(NULL);

	net_attach(n, IF1, HOME);
	settle(n, SOON);
	ck_assert_uint_eq(net_count(n, K_BU), 0);
	/* 11.5.5: without a binding it SHOULD perform DAD. */
	ck_assert_int_eq(net_mn(n).location, MN_AT_HOME);
	finish(n);
}
END_TEST

/* Advertisements of the home address by the mobile node. */
static unsigned announcements(const struct net *n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n->n_seen; i++)
		count += n->seen[i].kind == K_NA && n->seen[i].ifindex == IF1 &&
			 in6_equal(&n->seen[i].target, &n->home_address);
	return count;
}

START_TEST(returning_home)
{
	struct net *n = begin_away(&(struct net_options){.rtt_us = 100000});
	monotime_t up = n->now;
	struct net_seen bu, ba, na;
	uint16_t seq = binding(n).seq;

	net_attach(n, IF1, HOME);
	/* RS --> <-- RA */
	ARRIVED(n, K_RA, 1);
	/* BU --> lifetime 0, from the home address, on the home link */
	bu = ARRIVED(n, K_BU, 1);
	ck_between(ms_between(up, bu.when), 0, 1);
	ck_assert_uint_eq(bu.lifetime, 0);
	ck_assert_uint_eq(bu.seq, (uint16_t)(seq + 1));
	ck_assert_int_eq(bu.link, HOME);
	ck_addr_eq(bu.src, n->home_address);
	ck_assert(!(bu.flags & MIP6_PKT_HAO));
	ck_assert_uint_eq(binding(n).state, HA_BINDING_INVALID);
	ck_assert_uint_eq(n->hk.n_proxies, 0);
	/* <-- BA on the home link, no routing header */
	ba = ARRIVED(n, K_BA, 1);
	ck_assert_uint_eq(ba.status, BA_ACCEPTED);
	ck_assert_uint_eq(ba.lifetime, 0);
	ck_assert_int_eq(ba.ifindex, HA_IF);
	ck_assert(!(ba.flags & MIP6_PKT_RH2));
	/* NA --> all nodes: the home address is here */
	na = ARRIVED(n, K_NA, 1);
	ck_addr_eq(na.target, n->home_address);
	ck_assert(na.override && !na.solicited);
	ck_assert_mem_eq(na.lladdr.addr, n->mk.ifs[0].mac, 6);
	ck_assert_mem_eq(n->host_cache.addr, n->mk.ifs[0].mac, 6);
	settle(n, 0);
	/* The entry goes after MAX_DELETE_BCE_TIMEOUT. */
	net_run(n, 9900);
	/* MAX_NEIGHBOR_ADVERTISEMENT of them (11.5.5) */
	ck_assert_uint_eq(announcements(n), 3);
	ck_assert_uint_eq(binding(n).state, HA_BINDING_INVALID);
	net_run(n, 200);
	ck_assert(!ha_find(n->ha, &n->home_address, &(struct ha_binding_info){0}));
	finish(n);
}
END_TEST

/* The router does not tell its link-layer address: it is asked for (11.5.5). */
START_TEST(returning_home_asks_for_link_layer_address)
{
	struct net *n = begin_away(NULL);
	struct net_seen ns, na;

	n->routers[HOME].no_slla = true;
	net_attach(n, IF1, HOME);
	/* NS --> from ::, for the own home address, multicast */
	ns = ARRIVED(n, K_NS, 100);
	ck_assert(in6_is_any(&ns.src));
	ck_addr_eq(ns.target, n->home_address);
	ck_assert(IN6_IS_ADDR_MULTICAST(&ns.dst));
	/* <-- NA of the home agent's defence, to all nodes, S clear */
	na = ARRIVED(n, K_NA, 100);
	ck_addr_eq(na.dst, in6_all_nodes);
	ck_assert(!na.solicited);
	/* BU --> <-- BA */
	ck_assert_uint_eq(ARRIVED(n, K_BU, 100).lifetime, 0);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
	finish(n);
}
END_TEST

/* Home, and away again while the entry is still kept: DAD, then accepted. */
START_TEST(leaving_again_within_ten_seconds)
{
	struct net *n = begin_away(NULL);

	for (int i = 0; i < 4; i++) {
		net_attach(n, IF1, HOME);
		/* BU --> 0 <-- BA */
		ck_assert_uint_eq(ARRIVED(n, K_BU, 100).lifetime, 0);
		ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
		net_run(n, 500 * i);
		net_forget(n);
		net_attach(n, IF1, i % 2 ? LINK1 : LINK2);
		/* BU --> <-- BA when DAD is over */
		ck_assert_uint_gt(ARRIVED(n, K_BU, 1100).lifetime, 0);
		ck_assert_uint_eq(ARRIVED(n, K_BA, 1100).status, BA_ACCEPTED);
		net_run(n, 100);
		settle(n, 0);
		net_forget(n);
	}
	finish(n);
}
END_TEST

/* 10.3.2: a Binding Update from the visited link comes after the de-registration. */
START_TEST(delayed_update_after_deregistration)
{
	struct net *n = begin_away(NULL);
	struct net_seen late, ba;

	net_rule(n, K_BU, T_DELAY, 0, 1, 3000);
	net_attach(n, IF1, LINK2);
	/* BU --> ...slowly */
	late = SENT(n, K_BU, 100);
	net_run(n, 100);
	net_attach(n, IF1, HOME);
	/* BU --> 0 <-- BA */
	ck_assert_uint_eq(ARRIVED(n, K_BU, 1000).lifetime, 0);
	ba = ARRIVED(n, K_BA, 100);
	ck_assert_uint_eq(ba.status, BA_ACCEPTED);
	settle(n, 10);
	/* ...the late one arrives; <-- BA 135 to the visited link, where nobody is */
	ba = SENT(n, K_BA, 4000);
	ck_assert_uint_eq(ba.status, BA_SEQUENCE);
	ck_assert_uint_ne(ba.seq, late.seq);
	ck_assert_int_eq(ba.link, LINK2);
	ck_assert_uint_eq(binding(n).state, HA_BINDING_INVALID);
	settle(n, 0);
	finish(n);
}
END_TEST

/* The same with a restart of the home agent between: the store knows the number. */
START_TEST(delayed_update_after_restart)
{
	struct net *n = begin_away(NULL);

	net_rule(n, K_BU, T_DELAY, 0, 1, 3000);
	net_attach(n, IF1, LINK2);
	SENT(n, K_BU, 100);
	net_run(n, 100);
	net_attach(n, IF1, HOME);
	/* BU --> 0 <-- BA */
	ARRIVED(n, K_BU, 1000);
	ARRIVED(n, K_BA, 100);
	net_stop_ha(n);
	net_run(n, 100);
	net_start_ha(n, true);
	/* <-- BA 135 */
	ck_assert_uint_eq(SENT(n, K_BA, 4000).status, BA_SEQUENCE);
	finish(n);
}
END_TEST

/* Without an answer it is sent again, 1, 2, 4 s apart, and then says success again. */
START_TEST(deregistration_is_repeated)
{
	struct net *n = begin_away(NULL);
	struct net_seen bu[4];

	net_rule(n, K_BA, T_DROP, 0, 3, 0);
	net_attach(n, IF1, HOME);
	for (int i = 0; i < 4; i++) {
		/* BU --> 0, <-- BA lost */
		bu[i] = ARRIVED(n, K_BU, 5000);
		ck_assert_uint_eq(bu[i].lifetime, 0);
		if (i)
			ck_assert_int_eq(ms_between(bu[i - 1].when, bu[i].when), 500 << i);
	}
	/* <-- BA */
	settle(n, 10);
	ck_assert_int_eq(net_mn(n).last_status, BA_ACCEPTED);
	finish(n);
}
END_TEST

/* The home agent has forgotten: 133 is what was wanted. */
START_TEST(home_agent_holds_no_binding)
{
	struct net *n = begin_away(NULL);

	net_stop_ha(n);
	net_start_ha(n, false);
	net_attach(n, IF1, HOME);
	/* BU --> 0 <-- BA 133 */
	ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_NOT_HOME_AGENT);
	settle(n, 10);
	finish(n);
}
END_TEST

/* The binding expired on the way: nothing to delete, but DAD again (11.5.5). */
START_TEST(home_after_expiry)
{
	struct net *n = begin_away(NULL);
	size_t before;

	net_attach(n, IF1, NOWHERE);
	net_run(n, 500000);
	before = net_count(n, K_BU);
	ck_assert(!ha_find(n->ha, &n->home_address, &(struct ha_binding_info){0}));
	net_attach(n, IF1, HOME);
	settle(n, SOON);
	ck_assert_uint_eq(net_count(n, K_BU), before);
	finish(n);
}
END_TEST

/* The home agent is dead: nothing leaves before the de-registration, and it goes on by itself. */
START_TEST(home_without_home_agent)
{
	struct net *n = begin_away(NULL);

	net_stop_ha(n);
	net_attach(n, IF1, HOME);
	net_data_up(n);
	/* BU --> again and again; its data flows, as the update was sent */
	for (int i = 0; i < 5; i++)
		LOST(n, K_BU, 20000);
	ck_assert_uint_eq(net_totals(n, true).delivered, 1);
	net_start_ha(n, true);
	/* BU --> 0 <-- BA */
	ARRIVED(n, K_BU, 33000);
	ARRIVED(n, K_BA, 10);
	finish(n);
}
END_TEST

/* The L bit: the link-local address is defended too, and comes back as well. */
START_TEST(link_local_address_too)
{
	struct net *n = net_new(NULL);
	struct in6_addr ll = in6_eui64_link_local(n->mk.ifs[0].mac);
	struct net_seen bu;

	n->home_address = net_care_of(n, IF1, HOME);
	n->mn_config.home_address = n->home_address;
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> with L */
	bu = ARRIVED(n, K_BU, 100);
	ck_assert(bu.bu_flags & BU_F_L);
	settle(n, SOON);
	ck_assert_uint_eq(n->hk.n_proxies, 2);
	net_attach(n, IF1, HOME);
	/* BU --> 0 <-- BA; no DAD for either address meanwhile */
	ARRIVED(n, K_BU, 100);
	ARRIVED(n, K_BA, 100);
	ck_assert_uint_eq(n->hk.n_proxies, 0);
	net_run(n, 3000);
	ck_assert_int_eq(n->mk.ifs[0].link_local_state, MN_ADDR_READY);
	ck_assert(!in6_equal(&ll, &n->home_address));
	finish(n);
}
END_TEST

/* A clean stop while away deletes the binding (11.7.1) and leaves nothing behind. */
START_TEST(shutdown_while_away)
{
	struct net *n = begin_away(NULL);
	struct net_seen bu;

	mn_shutdown(n->mn);
	/* BU --> 0 from the care-of address <-- BA */
	bu = ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(bu.lifetime, 0);
	ck_assert(bu.flags & MIP6_PKT_HAO);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
	net_run(n, 10);
	ck_assert(mn_idle(n->mn));
	ck_assert_uint_eq(binding(n).state, HA_BINDING_INVALID);
	for (int i = 0; i < NET_ADDRS; i++)
		ck_assert(!n->mk.addrs[i].used);
	for (int i = 0; i < NET_ROUTES; i++)
		ck_assert(!n->mk.routes[i].used);
	ck_assert(!n->mk.has_bu_path);
	ck_assert_int_eq(n->mk.mode, MODE_NONE);
	finish_apart(n);
}
END_TEST

/* The same without anybody who answers: it ends all the same. */
START_TEST(shutdown_without_answer)
{
	struct net *n = begin_away(NULL);

	net_stop_ha(n);
	mn_shutdown(n->mn);
	net_run(n, 10000);
	ck_assert(mn_idle(n->mn));
	finish_apart(n);
}
END_TEST

/* Away and back with data both ways: what left the mobile node arrived, once. */
START_TEST(round_trip_with_data)
{
	struct net *n = begin_home(&(struct net_options){.rtt_us = 40000});
	static const int way[] = {LINK1, LINK2, HOME, LINK2, HOME};

	net_stream(n, 10000);
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		net_run(n, 5000);
		net_attach(n, IF1, way[i]);
		settle(n, SOON);
	}
	net_run(n, 5000);
	net_stream(n, 0);
	net_run(n, 1000);
	struct net_totals up = net_totals(n, true), down = net_totals(n, false);

	ck_assert_uint_eq(up.duplicated + down.duplicated, 0);
	ck_assert_uint_eq(up.held + up.underway + down.underway, 0);
	/*
	 * Up: behind the first Binding Update from a place comes DAD at the home
	 * agent (1 s, 10.3.1), and until then there is no tunnel.
	 */
	ck_assert_uint_le(up.lost, 2 * 106);
	/* Down: that, and what is on the way to where the node is no more. */
	ck_assert_uint_le(down.lost, 2 * 106 + 5 * 6);
	for (size_t i = 0; i < n->n_data; i++)
		if (n->data[i].up && n->data[i].fate == D_LOST)
			ck_assert_str_eq(
				n->data[i].why, "home agent does not know the outer source");
	finish(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		starts_at_home,
		returning_home,
		returning_home_asks_for_link_layer_address,
		leaving_again_within_ten_seconds,
		delayed_update_after_deregistration,
		delayed_update_after_restart,
		deregistration_is_repeated,
		home_agent_holds_no_binding,
		home_after_expiry,
		home_without_home_agent,
		link_local_address_too,
		shutdown_while_away,
		shutdown_without_answer,
		round_trip_with_data,
	};

	return RUN("home", tests, NULL, NULL);
}
