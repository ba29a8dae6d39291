/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Home registration, refresh and moves: RFC 6275 10.3.1, 11.5, 11.7.1, 11.8. */
#include "tests/exchange/suite.h"

/* The first registration, message by message. */
START_TEST(home_registration)
{
	struct net *n = begin(&(struct net_options){.rtt_us = 100000});
	struct in6_addr care_of = net_care_of(n, IF1, LINK1);
	monotime_t up = n->now;
	struct net_seen s, bu;
	struct mn_info m;

	net_attach(n, IF1, LINK1);
	/* RS --> */
	s = ARRIVED(n, K_RS, 0);
	ck_assert_int_eq(s.when.us, up.us);
	/* <-- RA */
	ARRIVED(n, K_RA, 1);
	/* BU --> */
	bu = ARRIVED(n, K_BU, 1);
	ck_between(ms_between(up, bu.when), 0, 1);
	ck_addr_eq(bu.coa, care_of);
	ck_addr_eq(bu.alt_coa, care_of);
	ck_assert_uint_eq(bu.lifetime, 100);
	ck_assert_uint_eq(net_mn(n).registration, MN_REG_PENDING);
	/* HA: DAD for the home address, NS --> home link */
	s = ARRIVED(n, K_NS, 100);
	ck_addr_eq(s.target, n->home_address);
	ck_assert(in6_is_any(&s.src));
	ck_assert_uint_eq(binding(n).state, HA_BINDING_DAD);
	/* <-- BA, when DAD is over and with what it promises in place */
	s = SENT(n, K_BA, 1001);
	ck_between(ms_between(bu.when, s.when), 1050, 1052);
	ck_assert_uint_eq(s.status, BA_ACCEPTED);
	ck_assert_uint_eq(s.seq, bu.seq);
	ck_assert(s.flags & MIP6_PKT_RH2);
	ck_addr_eq(s.coa, care_of);
	ck_assert(n->hk.forwarding);
	net_run(n, 60);
	m = net_mn(n);
	ck_assert_uint_eq(m.registration, MN_REG_REGISTERED);
	ck_assert_uint_eq(m.lifetime_s, 400);
	/* The lifetime counts from the Binding Update (11.7.3). */
	ck_between(m.remaining_s, 398, 399);
	ck_assert_uint_eq(m.last_status, 0);
	/* HA: NA --> home link, three times (10.4.1) */
	ck_assert_uint_eq(net_count(n, K_NA), 1);
	net_run(n, 5000);
	ck_assert_uint_eq(net_count(n, K_NA), 3);
	ck_assert_mem_eq(n->host_cache.addr, n->ha_mac, 6);
	finish(n);
}
END_TEST

/* The home agent may forward while DAD still runs. */
START_TEST(optimistic_home_agent)
{
	struct net *n = net_new(NULL);

	n->ha_config.optimistic = true;
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* RS --> <-- RA BU --> */
	ARRIVED(n, K_BU, 10);
	ck_assert(n->hk.forwarding);
	ck_assert_uint_eq(n->hk.n_proxies, 0);
	net_data_down(n);
	net_run(n, 10);
	ck_assert_uint_eq(net_totals(n, false).delivered, 1);
	/* <-- BA */
	ARRIVED(n, K_BA, 1100);
	finish(n);
}
END_TEST

/* No home link, no DAD: the answer comes at once. */
START_TEST(virtual_home_link)
{
	struct net *n = net_new(NULL);
	struct net_seen bu, ba;

	n->ha_config.home_ifindex = 0;
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> */
	bu = ARRIVED(n, K_BU, 10);
	/* <-- BA */
	ba = ARRIVED(n, K_BA, 10);
	ck_between(ms_between(bu.when, ba.when), 0, 1);
	finish(n);
}
END_TEST

START_TEST(refresh_before_expiry)
{
	struct net *n = begin_away(NULL);
	uint16_t seq = binding(n).seq;
	struct net_seen bu, ba;

	for (int i = 0; i < 10; i++) {
		/* BU --> well before the lifetime of 400 s ends */
		bu = ARRIVED(n, K_BU, 400000);
		ck_assert_uint_eq(bu.seq, ++seq);
		ck_assert_uint_gt(binding(n).remaining_s, 396);
		/* <-- BA at once: no DAD for a binding that is there */
		ba = ARRIVED(n, K_BA, 10);
		ck_assert_uint_eq(ba.status, BA_ACCEPTED);
		ck_between(ms_between(bu.when, ba.when), 0, 1);
	}
	ck_assert_uint_eq(binding(n).moves, 0);
	ck_assert_uint_eq(ha_stats(n->ha)->refreshes, 10);
	finish(n);
}
END_TEST

START_TEST(granted_shorter_than_asked)
{
	struct net *n = net_new(NULL);
	struct net_seen bu, ba;

	n->ha_config.max_lifetime_s = 40;
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> */
	bu = SENT(n, K_BU, 10);
	ck_assert_uint_eq(bu.lifetime, 100);
	/* <-- BA with less */
	ba = ARRIVED(n, K_BA, SOON);
	ck_assert_uint_eq(ba.lifetime, 10);
	/* max(L_remain - (L_update - L_ack), 0), 11.7.3 */
	ck_assert_uint_eq(net_mn(n).lifetime_s, 40);
	ck_between(net_mn(n).remaining_s, 38, 39);
	for (int i = 0; i < 5; i++) {
		/* BU --> in time, <-- BA */
		bu = ARRIVED(n, K_BU, 40000);
		ck_assert_uint_ge(binding(n).remaining_s, 39);
		ARRIVED(n, K_BA, 10);
	}
	finish(n);
}
END_TEST

/* A home agent without a store may ask for earlier refreshes (10.3.1). */
START_TEST(refresh_advice)
{
	struct net *n = net_new(&(struct net_options){.no_store = true});
	struct net_seen first, second;

	n->ha_config.refresh_advice_s = 60;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_forget(n);
	/* BU --> <-- BA, each minute */
	first = ARRIVED(n, K_BU, 62000);
	ARRIVED(n, K_BA, 10);
	second = ARRIVED(n, K_BU, 62000);
	ck_between(ms_between(first.when, second.when), 40000, 61000);
	finish(n);
}
END_TEST

/* Home to link 1 to link 2 to link 1: one Binding Update each, at once. */
START_TEST(move_and_move_back)
{
	struct net *n = begin_home(&(struct net_options){.rtt_us = 100000});
	static const int links[] = {LINK1, LINK2, LINK1, LINK2};
	struct net_seen bu, ba;
	struct in6_addr care_of;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		monotime_t up = n->now;

		net_forget(n);
		care_of = net_care_of(n, IF1, links[i]);
		net_attach(n, IF1, links[i]);
		/* RS --> <-- RA BU --> */
		ARRIVED(n, K_RS, 0);
		ARRIVED(n, K_RA, 1);
		bu = ARRIVED(n, K_BU, 1);
		ck_between(ms_between(up, bu.when), 0, 1);
		ck_addr_eq(bu.coa, care_of);
		/* <-- BA */
		ba = ARRIVED(n, K_BA, 1200);
		ck_assert_uint_eq(ba.status, BA_ACCEPTED);
		ck_addr_eq(ba.coa, care_of);
		if (i) /* no DAD when there is a binding */
			ck_between(ms_between(bu.when, ba.when), 50, 51);
		net_run(n, 100);
		settle(n, 0);
		net_run(n, 5000);
	}
	ck_assert_uint_eq(binding(n).moves, 3);
	finish(n);
}
END_TEST

/* The driver says "up" without "down" between: still the same move. */
START_TEST(roaming_without_down)
{
	struct net *n = begin_away(NULL);
	monotime_t up = n->now;
	struct net_seen bu;

	net_roam(n, IF1, LINK2);
	/* RS --> <-- RA BU --> <-- BA */
	bu = ARRIVED(n, K_BU, 10);
	ck_between(ms_between(up, bu.when), 0, 1);
	ARRIVED(n, K_BA, 10);
	finish(n);
}
END_TEST

/* The same link again: a refresh at the most, nothing is torn down. */
START_TEST(same_link_again)
{
	struct net *n = begin_away(NULL);

	net_attach(n, IF1, LINK1);
	/* RS --> <-- RA */
	ARRIVED(n, K_RA, 10);
	net_run(n, 3000);
	ck_assert_uint_eq(binding(n).moves, 0);
	finish(n);
}
END_TEST

/* Nobody says anything: the new router's advertisement is enough when eager. */
START_TEST(movement_from_advertisement_alone)
{
	struct net *n = begin_away(NULL);
	monotime_t start = n->now;

	n->mk.ifs[0].link = LINK2;
	net_router_says(n, LINK2);
	/* <-- RA BU --> <-- BA */
	ck_between(ms_between(start, ARRIVED(n, K_BU, 100).when), 0, 1);
	ARRIVED(n, K_BA, 10);
	finish(n);
}
END_TEST

/*
 * The router is gone without a link event: probes, then solicitations (11.5.1),
 * and when another router is there, it is taken.
 */
START_TEST(lost_router)
{
	struct net *n = net_new(NULL);
	struct in6_addr router = net_router_link_local(LINK1);
	struct net_seen s;

	for (int i = 0; i < N_LINKS; i++)
		n->routers[i].adv_interval_ms = 1000, n->routers[i].ra_interval_ms = 1000;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_run(n, 20000);
	net_forget(n);
	n->mk.ifs[0].link = LINK2;
	n->routers[LINK2].mute = true;
	/* NS --> to the router that is not there any more, three times */
	for (int i = 0; i < 3; i++) {
		s = SENT(n, K_NS, 5000);
		ck_addr_eq(s.dst, router);
	}
	/* ...and not a fourth */
	NONE(n, K_NS, 5000);
	net_forget(n);
	n->routers[LINK2].mute = false;
	/* RS --> <-- RA BU --> <-- BA */
	ARRIVED(n, K_BU, 5000);
	ARRIVED(n, K_BA, 10);
	finish(n);
}
END_TEST

static bool routers(void *arg, const struct mn_link_info *i)
{
	if (i->ifindex == IF1)
		*(struct in6_addr *)arg = i->router;
	return true;
}

/* A router that is silent but answers probes is kept. */
START_TEST(silent_router_is_kept)
{
	struct net *n = net_new(NULL);
	struct in6_addr router;

	n->routers[LINK1].adv_interval_ms = 1000;
	n->routers[LINK1].ra_interval_ms = 1000;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_run(n, 20000);
	net_forget(n);
	n->routers[LINK1].mute = true;
	/* NS --> <-- NA, and no Binding Update */
	ARRIVED(n, K_NS, 10000);
	ARRIVED(n, K_NA, 100);
	net_run(n, 20000);
	mn_foreach_link(n->mn, routers, &router);
	ck_addr_eq(router, net_router_link_local(LINK1));
	ck_assert(!n->mk.hold);
	ck_assert_uint_eq(binding(n).moves, 0);
	ck_assert_uint_eq(net_mn(n).location, MN_AWAY);
	n->routers[LINK1].mute = false;
	finish(n);
}
END_TEST

static void advertise(struct net *n, struct in6_addr src, uint8_t hop_limit)
{
	struct icmp6_message m = {.type = ICMP6T_RA,
		.u.ra = {.lifetime_s = 1800, .slla = {.len = 6, .addr = {2}}, .n_prefixes = 1}};
	uint8_t out[128];
	struct mip6_packet p = {.src = src,
		.dst = in6_all_nodes,
		.ifindex = IF1,
		.hop_limit = hop_limit,
		.data = out};

	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = net_prefix(LINK2),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = 3600,
		.preferred_s = 3600};
	p.len = icmp6_build(&m, out, sizeof(out));
	mn_receive_icmp6(n->mn, &p);
}

/* Advertisements from another link: hop limit, source (RFC 4861 6.1.2). */
START_TEST(forged_advertisements)
{
	struct net *n = begin_away(NULL);

	/* <-- RA that is none */
	advertise(n, net_router_link_local(LINK2), 254);
	advertise(n, net_router_address(LINK2), 255);
	NONE(n, K_BU, 5000);
	ck_assert_uint_eq(mn_stats(n->mn)->malformed, 2);
	finish(n);
}
END_TEST

/* 16 bit numbers wrap, and the window is half of them (9.5.1). */
START_TEST(sequence_number_wraps)
{
	struct net *n = net_new(NULL);
	struct net_seen bu, old;
	bool wrapped = false;

	n->mn_config.lifetime_s = 8;
	net_start(n);
	n->mk.store.used = true;
	n->mk.store.seq = 65530;
	n->mk.store.at = n->now;
	net_stop_mn(n);
	net_start_mn(n, true);
	net_attach(n, IF1, LINK1);
	old = ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(old.seq, 65531);
	settle(n, SOON);
	for (int i = 0; i < 12; i++) {
		/* BU --> <-- BA over the wrap */
		bu = ARRIVED(n, K_BU, 8000);
		wrapped |= bu.seq == 0;
		ck_assert_uint_eq(ARRIVED(n, K_BA, SOON).status, BA_ACCEPTED);
	}
	ck_assert(wrapped);
	ck_assert_uint_lt(binding(n).seq, 100);
	/* An old one, from before the wrap --> <-- BA 135 */
	net_forget(n);
	net_replay(n, &old);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_SEQUENCE);
	finish(n);
}
END_TEST

/* A mobile node that moves all the time sends at most three a second (11.8). */
START_TEST(update_rate)
{
	struct net *n = begin_away(NULL);
	size_t before = net_count(n, K_BU);
	struct in6_addr last = net_care_of(n, IF1, LINK1);

	for (int i = 0; i < 40; i++) {
		net_attach(n, IF1, i % 2 ? LINK1 : LINK2);
		net_run(n, 50); /* 20 moves a second, for two */
	}
	ck_between((int)(net_count(n, K_BU) - before), 3, 8);
	settle(n, 5000);
	ck_addr_eq(n->hk.care_of, last);
	finish(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		home_registration,
		optimistic_home_agent,
		virtual_home_link,
		refresh_before_expiry,
		granted_shorter_than_asked,
		refresh_advice,
		move_and_move_back,
		roaming_without_down,
		same_link_again,
		movement_from_advertisement_alone,
		lost_router,
		silent_router_is_kept,
		forged_advertisements,
		sequence_number_wraps,
		update_rate,
	};

	return RUN("register", tests, NULL, NULL);
}
