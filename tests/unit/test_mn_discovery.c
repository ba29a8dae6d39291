/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node finds its home agent (RFC 6275 11.4.1), and is sent to others. */
#include "tests/unit/discovery_world.h"

#define HA3 "2001:db8:1::3000"

#define COB "2001:db8:b::ff:fe00:1"

/* ---- inputs ---- */

static struct icmp6_message reply_of(const struct world *w, const char *const *agents)
{
	struct icmp6_message m = {.type = ICMP6T_DHAAD_REPLY};

	m.u.dhaad.reply = true;
	m.u.dhaad.id = w->request_id;
	for (; *agents; agents++)
		m.u.dhaad.addrs[m.u.dhaad.n_addrs++] = in6(*agents);
	return m;
}

#define agents(...) ((const char *const[]){__VA_ARGS__, NULL})

static void reply(struct world *w, const char *const *list)
{
	struct icmp6_message m = reply_of(w, list);

	icmp6(w, list[0], COA, 0, &m);
}

/* ---- home agents ---- */

START_TEST(asks_the_anycast_address)
{
	struct world *w = world_new();

	start(w);
	ck_assert_uint_eq(w->requests, 1);
	assert_addr(&w->request.src, COA);
	assert_addr(&w->request.dst, "2001:db8:1:0:fdff:ffff:ffff:fffe");
	ck_assert(!w->request_router);
	/* nobody to register with yet: what the home address sends waits, then is refused */
	ck_assert_uint_eq(w->bus, 0);
	ck_assert(!w->tunnel && w->held);
	advance(w, 2500);
	ck_assert(!w->tunnel && !w->held);
	reply(w, agents(HA2, HA1));
	ck_assert_uint_eq(w->bus, 1);
	assert_addr(&w->bu.dst, HA2);
	assert_addr(&w->bu.src_coa, COA);
	ck_assert(w->tunnel);
	assert_addr(&w->tunnel_agent, HA2);
	advance(w, 100);
	answer(w, BA_ACCEPTED);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	advance(w, 300000);
	ck_assert_uint_eq(w->requests, 1);
	world_free(w);
}
END_TEST

START_TEST(backs_off)
{
	static const int64_t gaps[] = {3000, 6000, 12000, 24000, 48000 + 120000, 3000};
	struct world *w = world_new();

	start(w);
	advance(w, 220000);
	ck_assert_uint_ge(w->requests, 7);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		ck_assert_int_eq(mono_diff_ms(w->request_at[i + 1], w->request_at[i]), gaps[i]);
	ck_assert_uint_eq(w->bus, 0);
	world_free(w);
}
END_TEST

START_TEST(ignores_other_replies)
{
	struct world *w = world_new();
	struct icmp6_message m;
	struct mn_info i;

	start(w);
	m = reply_of(w, agents(HA1));
	m.u.dhaad.id ^= 1;
	icmp6(w, HA1, COA, 0, &m);
	ck_assert_uint_eq(w->bus, 0);
	m.u.dhaad.id ^= 1;
	icmp6(w, HA1, HOA, MIP6_PKT_TUNNELED, &m);
	ck_assert_uint_eq(w->bus, 0);
	/* nothing in it that could be a home agent */
	reply(w, agents("ff02::1", "::1", HOA, "fe80::1"));
	ck_assert_uint_eq(w->bus, 0);
	ck_assert_uint_eq(mn_stats(w->mn)->discovery_ignored, 2);
	/* and once answered, no more */
	advance(w, 200000);
	reply(w, agents(HA1));
	ck_assert_uint_eq(w->bus, 1);
	m = reply_of(w, agents(HA3));
	icmp6(w, HA3, COA, 0, &m);
	i = info(w);
	assert_addr(&i.home_agent, HA1);
	world_free(w);
}
END_TEST

START_TEST(tries_the_next)
{
	struct world *w = world_new();

	start(w);
	reply(w, agents(HA1, HA2, HA3));
	assert_addr(&w->bu.dst, HA1);
	advance(w, 1400); /* RFC 6275 11.4.1: MUST wait InitialBindackTimeoutFirstReg */
	assert_addr(&w->bu.dst, HA1);
	advance(w, 9200);
	assert_addr(&w->bu.dst, HA2); /* silence */
	answer(w, BA_RESOURCES);
	assert_addr(&w->bu.dst, HA3); /* refused */
	answer(w, BA_ACCEPTED);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_uint_eq(w->requests, 1);
	world_free(w);
}
END_TEST

static void switch_without_list(struct world *w, const char *from)
{
	struct mh_message m = {.type = MH_HA_SWITCH};
	uint8_t buf[64];
	struct mip6_packet p = {.src = in6(from),
		.dst = in6(HOA),
		.dst_coa = in6(COA),
		.flags = MIP6_PKT_RH2,
		.ifindex = 1,
		.data = buf};

	p.len = mh_build(&m, buf, sizeof(buf));
	ck_assert_uint_gt(p.len, 0);
	mn_receive_mh(w->mn, &p);
}

/* RFC 5142 5.2: without a list the next one is discovered; the old one is told good-bye. */
START_TEST(asked_to_leave)
{
	struct world *w = world_new();

	w->config.unprotected_signals = true;
	start(w);
	reply(w, agents(HA1, HA2));
	answer(w, BA_ACCEPTED);
	switch_without_list(w, HA1);
	assert_addr(&w->bu.dst, HA1);
	ck_assert_uint_eq(w->lifetime, 0);
	answer(w, BA_ACCEPTED);
	assert_addr(&w->bu.dst, HA2);
	ck_assert_uint_gt(w->lifetime, 0);
	answer(w, BA_ACCEPTED);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* Nobody else is known: it asks, and stays as long as nobody answers. */
START_TEST(asked_to_leave_for_nobody)
{
	struct world *w = world_new();

	w->config.unprotected_signals = true;
	start(w);
	reply(w, agents(HA1));
	answer(w, BA_ACCEPTED);
	advance(w, 2000);
	switch_without_list(w, HA1);
	ck_assert_uint_eq(w->requests, 2);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	reply(w, agents(HA2, HA1));
	assert_addr(&w->bu.dst, HA1);
	ck_assert_uint_eq(w->lifetime, 0);
	answer(w, BA_ACCEPTED);
	assert_addr(&w->bu.dst, HA2);
	world_free(w);
}
END_TEST

START_TEST(asks_again_when_all_fail)
{
	struct world *w = world_new();

	start(w);
	reply(w, agents(HA1, HA2));
	answer(w, BA_RESOURCES);
	answer(w, BA_RESOURCES);
	advance(w, 1000);
	ck_assert_uint_eq(w->requests, 2);
	reply(w, agents(HA2, HA3)); /* the one that has just refused comes last */
	assert_addr(&w->bu.dst, HA3);
	answer(w, BA_RESOURCES);
	advance(w, 1000);
	ck_assert_uint_eq(w->requests, 3);
	/* on a new link at once */
	advance(w, 5000);
	link_is(w, "2001:db8:b::");
	ck_assert_uint_ge(w->requests, 4);
	assert_addr(&w->request.src, COB);
	world_free(w);
}
END_TEST

START_TEST(known_one_stays)
{
	struct world *w = world_new();
	unsigned bus;

	w->config.home_agent = in6(HA2);
	start(w);
	ck_assert_uint_eq(w->requests, 0);
	assert_addr(&w->bu.dst, HA2);
	answer(w, BA_ACCEPTED);
	advance(w, 10000);
	link_is(w, "2001:db8:b::");
	assert_addr(&w->bu.dst, HA2);
	bus = w->bus;
	/* the binding lives, and yet it is silent: all of the back-off, then others are asked for */
	advance(w, 20000);
	ck_assert_uint_eq(w->requests, 0);
	advance(w, 50000);
	ck_assert_uint_gt(w->bus, bus);
	ck_assert_uint_ge(w->requests, 1);
	reply(w, agents(HA2, HA1));
	assert_addr(&w->bu.dst, HA1);
	answer(w, BA_ACCEPTED);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

START_TEST(configured_one_is_not_left)
{
	struct world *w = world_new();

	w->config.discover = false;
	w->config.home_agent = in6(HA1);
	start(w);
	answer(w, BA_RESOURCES);
	advance(w, 300000);
	ck_assert_uint_eq(w->requests, 0);
	assert_addr(&w->bu.dst, HA1);
	world_free(w);
}
END_TEST

START_TEST(moves_while_asking)
{
	struct world *w = world_new();

	start(w);
	advance(w, 4000);
	ck_assert_uint_eq(w->requests, 2);
	link_is(w, "2001:db8:b::");
	advance(w, 1000);
	ck_assert_uint_eq(w->requests, 3);
	assert_addr(&w->request.src, COB);
	reply(w, agents(HA1));
	assert_addr(&w->bu.src_coa, COB);
	world_free(w);
}
END_TEST

START_TEST(router_wants_those_that_serve_it)
{
	struct world *w = world_new();
	struct icmp6_message m;

	w->config.router.n_networks = 1;
	w->config.router.networks[0] = (struct ip6_prefix){in6("2001:db8:100::"), 56};
	start(w);
	ck_assert(w->request_router);
	m = reply_of(w, agents(HA1));
	icmp6(w, HA1, COA, 0, &m); /* R clear: hosts alone (RFC 3963 7.2) */
	ck_assert_uint_eq(w->bus, 0);
	advance(w, 120000);
	ck_assert_uint_eq(w->requests, 2);
	m = reply_of(w, agents(HA2));
	m.u.dhaad.mobile_router = true;
	icmp6(w, HA2, COA, 0, &m);
	assert_addr(&w->bu.dst, HA2);
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {asks_the_anycast_address, backs_off, ignores_other_replies,
		tries_the_next, asked_to_leave, asked_to_leave_for_nobody, asks_again_when_all_fail,
		known_one_stays, configured_one_is_not_left, moves_while_asking,
		router_wants_those_that_serve_it};

	return RUN("mn_discovery", all, NULL, NULL);
}
