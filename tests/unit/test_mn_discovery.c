/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Discovery at the mobile node (RFC 6275 11.4): home agents by the anycast
 * address, home prefixes by Mobile Prefix Solicitations.  The world is one
 * foreign link; the test is whoever answers.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "lib/mh.h"
#include "mip6d/proto/mn.h"
#include "tests/quiet.h"

#define HOA "2001:db8:1::100"
#define HA1 "2001:db8:1::1000"
#define HA2 "2001:db8:1::2000"
#define HA3 "2001:db8:1::3000"
#define COA "2001:db8:a::ff:fe00:1"
#define COB "2001:db8:b::ff:fe00:1"

struct world {
	struct mn *mn;
	struct mip6_env env;
	struct mn_config config;
	monotime_t now;
	uint64_t random;
	/* the last one sent of each */
	unsigned requests, solicitations, bus;
	struct mip6_packet request, solicitation, bu;
	uint16_t request_id, solicitation_id, seq, lifetime;
	bool request_router;
	monotime_t request_at[64], solicited_at[64];
	/* what the tunnel was last told */
	bool tunnel, held;
	struct in6_addr tunnel_agent;
	unsigned events[64];
	struct mip6_event last_prefix;
};

static struct in6_addr in6(const char *s)
{
	struct in6_addr a;

	ck_assert_msg(inet_pton(AF_INET6, s, &a) == 1, "%s", s);
	return a;
}

static void assert_addr(const struct in6_addr *a, const char *want)
{
	ck_assert_str_eq(in6_str(a), want);
}

/* ---- the world ---- */

static monotime_t fake_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void fake_random(void *ctx, void *to, size_t n)
{
	struct world *w = ctx;

	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)(w->random >> (16 + 8 * (i % 6)));
}

static int fake_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct mh_message m;

	ck_assert_int_eq(mh_parse(p->data, p->len, &m, NULL), MH_OK);
	if (m.type != MH_BU)
		return 0;
	ck_assert(!in6_is_any(&p->dst));
	w->bus++;
	w->bu = *p;
	w->seq = m.u.bu.seq;
	w->lifetime = m.u.bu.lifetime;
	return 0;
}

static int fake_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct icmp6_message m;

	ck_assert(icmp6_parse(p->data, p->len, &m));
	if (m.type == ICMP6T_DHAAD_REQUEST) {
		w->request_at[w->requests++ % 64] = w->now;
		w->request = *p;
		w->request_id = m.u.dhaad.id;
		w->request_router = m.u.dhaad.mobile_router;
	} else if (m.type == ICMP6T_MPS) {
		w->solicited_at[w->solicitations++ % 64] = w->now;
		w->solicitation = *p;
		w->solicitation_id = m.u.mps.id;
	}
	return 0;
}

static void fake_event(void *ctx, const struct mip6_event *e)
{
	struct world *w = ctx;

	w->events[e->type]++;
	if (e->type == EV_HOME_PREFIX)
		w->last_prefix = *e;
}

static int op_path_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *peer,
	const struct in6_addr *coa)
{
	(void)ctx, (void)hoa, (void)coa;
	ck_assert(!in6_is_any(peer));
	return 0;
}

static int op_tunnel_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *ha,
	const struct in6_addr *coa, bool hold)
{
	struct world *w = ctx;

	(void)hoa;
	ck_assert(!coa || !in6_is_any(ha));
	w->tunnel = coa;
	w->tunnel_agent = *ha;
	w->held = hold;
	return 0;
}

static const struct mn_ops ops = {.address_set = quiet_address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.bu_path_set = op_path_set,
	.bu_path_del = quiet_pair,
	.tunnel_set = op_tunnel_set,
	.home_set = quiet_home_set,
	.home_del = quiet_home_del,
	.store_binding = quiet_store_binding};

static void advance(struct world *w, int64_t ms)
{
	monotime_t end = mono_add_ms(w->now, ms);

	for (;;) {
		monotime_t t = timerq_next(w->env.timers);

		if (mono_before(end, t))
			break;
		if (mono_before(w->now, t))
			w->now = t;
		timerq_run(w->env.timers, w->now);
	}
	w->now = end;
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	log_setup("test", LOGL_ERROR + 1);
	w->now.us = 1000000;
	w->random = 42;
	w->env = (struct mip6_env){.ctx = w,
		.timers = timerq_new(),
		.now = fake_now,
		.random = fake_random,
		.send_mh = fake_send_mh,
		.send_icmp6 = fake_send_icmp6,
		.event = fake_event};
	w->config = (struct mn_config){.home_address = in6(HOA),
		.home_prefix = {in6("2001:db8:1::"), 64},
		.discover = true,
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 2000,
		.n_interfaces = 1,
		.interfaces = {{1, 10}}};
	return w;
}

static void world_free(struct world *w)
{
	mn_free(w->mn);
	ck_assert(timerq_next(w->env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w->env.timers);
	free(w);
}

/* ---- inputs ---- */

static void icmp6(struct world *w, const char *src, const char *dst, unsigned flags,
	const struct icmp6_message *m)
{
	uint8_t buf[1280];
	struct mip6_packet p = {.src = in6(src),
		.dst = in6(dst),
		.flags = flags,
		.ifindex = 1,
		.hop_limit = 255,
		.data = buf,
		.len = icmp6_build(m, buf, sizeof(buf))};

	ck_assert_uint_gt(p.len, 0);
	mn_receive_icmp6(w->mn, &p);
}

static void link_is(struct world *w, const char *prefix)
{
	struct icmp6_message m = {.type = ICMP6T_RA};
	uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct in6_addr router = in6("fe80::a");

	router.s6_addr[15] = in6(prefix).s6_addr[5];
	m.u.ra.lifetime_s = 1800;
	m.u.ra.slla.len = 6;
	m.u.ra.n_prefixes = 1;
	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = in6(prefix),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = 864000,
		.preferred_s = 864000};
	mn_link_event(w->mn, 1, true, mac, true);
	icmp6(w, in6_str(&router), "ff02::1", 0, &m);
}

/* Away, on link A. */
static void start(struct world *w)
{
	w->mn = mn_new(&w->config, &w->env, &ops, w);
	ck_assert(w->mn != NULL);
	link_is(w, "2001:db8:a::");
}

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

/* The home agent of the last Binding Update answers it. */
static void answer(struct world *w, uint8_t status)
{
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {.src = w->bu.dst,
		.dst = in6(HOA),
		.dst_coa = w->bu.src_coa,
		.flags = MIP6_PKT_RH2,
		.ifindex = 1,
		.data = buf};

	m.u.ba.status = status;
	m.u.ba.seq = w->seq;
	m.u.ba.lifetime = w->lifetime;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(w->mn, &p);
}

static struct mn_info info(const struct world *w)
{
	struct mn_info i;

	mn_info(w->mn, &i);
	return i;
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

/* ---- home prefixes ---- */

#define PREFIX "2001:db8:1::"
#define OTHER "2001:db8:2::"
#define HOUR 3600

static struct icmp6_message advert_of(const struct world *w, uint32_t preferred_s, uint32_t valid_s)
{
	struct icmp6_message m = {.type = ICMP6T_MPA};

	m.u.mpa.id = w->solicitation_id;
	m.u.mpa.n_prefixes = 1;
	m.u.mpa.prefixes[0] = (struct nd_prefix){.prefix = in6(PREFIX),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = valid_s,
		.preferred_s = preferred_s};
	return m;
}

static void advertise(struct world *w, uint32_t preferred_s, uint32_t valid_s, bool authentic)
{
	struct icmp6_message m = advert_of(w, preferred_s, valid_s);

	icmp6(w, HA1, HOA, MIP6_PKT_RH2 | (authentic ? MIP6_PKT_PROTECTED : 0u), &m);
}

static bool take_first(void *arg, const struct mn_home_prefix_info *i)
{
	*(struct mn_home_prefix_info *)arg = *i;
	return false;
}

static struct mn_home_prefix_info own_prefix(const struct world *w)
{
	struct mn_home_prefix_info i;

	mn_foreach_home_prefix(w->mn, take_first, &i);
	return i;
}

/* Registered with HA1, which has news. */
static struct world *world_with_news(void)
{
	struct world *w = world_new();

	w->config.home_agent = in6(HA1);
	w->config.discover = false;
	w->config.lifetime_s = 20000;
	start(w);
	ck_assert_uint_eq(w->solicitations, 0);
	answer(w, BA_ACCEPTED_PREFIX);
	return w;
}

START_TEST(solicits_on_news)
{
	static const int64_t gaps[] = {3000, 6000, 12000, 24000, 32000, 32000};
	struct world *w = world_with_news();

	ck_assert_uint_eq(w->solicitations, 1);
	assert_addr(&w->solicitation.src, HOA);
	assert_addr(&w->solicitation.dst, HA1);
	assert_addr(&w->solicitation.src_coa, COA);
	ck_assert_uint_eq(w->solicitation.flags, MIP6_PKT_HAO);
	advance(w, 110000);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		ck_assert_int_eq(mono_diff_ms(w->solicited_at[i + 1], w->solicited_at[i]), gaps[i]);
	advertise(w, 10 * HOUR, 20 * HOUR, false);
	ck_assert_uint_eq(mn_stats(w->mn)->prefix_advertisements, 1);
	ck_assert(own_prefix(w).known && own_prefix(w).in_use);
	ck_assert_uint_eq(own_prefix(w).valid_s, 20 * HOUR);
	ck_assert_uint_eq(own_prefix(w).preferred_s, 10 * HOUR);
	advance(w, 100000);
	ck_assert_uint_eq(w->solicitations, 7);
	world_free(w);
}
END_TEST

START_TEST(believes_the_home_agent_alone)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, HOUR, 2 * HOUR);

	icmp6(w, HA2, HOA, MIP6_PKT_RH2, &m);
	icmp6(w, HA1, HOA, 0, &m);
	icmp6(w, HA1, COA, MIP6_PKT_RH2, &m);
	m.u.mpa.id ^= 1;
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert_uint_eq(mn_stats(w->mn)->prefix_ignored, 4);
	ck_assert(!own_prefix(w).known);
	m.u.mpa.id ^= 1;
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert(own_prefix(w).known);
	world_free(w);
}
END_TEST

/* 11.4.3: MUST be discarded, and a solicitation SHOULD be sent; an attacker gets no flood of them. */
START_TEST(unsolicited_makes_it_ask)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, 1, 8 * HOUR);

	advertise(w, 10 * HOUR, 20 * HOUR, false);
	advance(w, 60000);
	for (int i = 0; i < 100; i++)
		icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert_uint_eq(w->solicitations, 2);
	ck_assert_uint_gt(own_prefix(w).valid_s, 19 * HOUR);
	advertise(w, 10 * HOUR, 20 * HOUR, false);
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	advance(w, 2900);
	ck_assert_uint_eq(w->solicitations, 2);
	advance(w, 100);
	ck_assert_uint_eq(w->solicitations, 3);
	world_free(w);
}
END_TEST

START_TEST(protected_alone_with_ipsec)
{
	struct world *w = world_new();
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {
		.flags = MIP6_PKT_RH2 | MIP6_PKT_PROTECTED, .ifindex = 1, .data = buf};

	w->config.home_agent = in6(HA1);
	w->config.require_ipsec = true;
	start(w);
	p.src = in6(HA1);
	p.dst = in6(HOA);
	p.dst_coa = in6(COA);
	m.u.ba.status = BA_ACCEPTED_PREFIX;
	m.u.ba.seq = w->seq;
	m.u.ba.lifetime = w->lifetime;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(w->mn, &p);
	ck_assert_uint_eq(w->solicitation.flags, MIP6_PKT_HAO | MIP6_PKT_PROTECTED);
	advertise(w, HOUR, 2 * HOUR, false);
	ck_assert(!own_prefix(w).known);
	advertise(w, HOUR, 2 * HOUR, true);
	ck_assert(own_prefix(w).known);
	world_free(w);
}
END_TEST

/* RFC 4862 5.5.3 e */
START_TEST(two_hours)
{
	struct world *w = world_with_news();

	advertise(w, 10 * HOUR, 20 * HOUR, false);
	for (int i = 0; i < 2; i++) {
		advance(w, 4000);
		advertise(w, 60, 60, false); /* asks */
		advertise(w, 60, 60, false);
		ck_assert_uint_le(own_prefix(w).valid_s, 2 * HOUR);
		ck_assert_uint_ge(own_prefix(w).valid_s, 2 * HOUR - 10);
	}
	advance(w, 4000);
	advertise(w, 60, 60, true);
	advertise(w, 60, 60, true);
	ck_assert_uint_eq(own_prefix(w).valid_s, 60);
	world_free(w);
}
END_TEST

START_TEST(binding_ends_with_the_prefix)
{
	struct world *w = world_with_news();
	unsigned bus = w->bus;

	advertise(w, 1000, 4000, false);
	ck_assert_uint_eq(w->bus, bus + 1);
	ck_assert_uint_eq(w->lifetime * 4, 4000);
	answer(w, BA_ACCEPTED);
	/* a quarter of it left */
	advance(w, 2999000);
	ck_assert_uint_eq(w->solicitations, 1);
	advance(w, 2000);
	ck_assert_uint_eq(w->solicitations, 2);
	ck_assert(w->tunnel);
	for (int i = 0; i < 998; i++) {
		if (info(w).registration == MN_REG_REFRESHING)
			answer(w, BA_ACCEPTED);
		advance(w, 1000);
	}
	ck_assert(w->tunnel);
	advance(w, 2000);
	ck_assert(!w->tunnel);
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	ck_assert_str_eq(w->last_prefix.text, "no longer valid");
	bus = w->bus;
	link_is(w, "2001:db8:b::");
	advance(w, 100000);
	ck_assert_uint_eq(w->bus, bus);
	ck_assert(!w->tunnel);
	world_free(w);
}
END_TEST

START_TEST(tells_of_a_new_prefix)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, 0, 20 * HOUR);

	m.u.mpa.n_prefixes = 2;
	m.u.mpa.prefixes[1] = m.u.mpa.prefixes[0];
	m.u.mpa.prefixes[1].prefix = in6(OTHER);
	m.u.mpa.prefixes[1].preferred_s = HOUR;
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert_uint_eq(w->events[EV_HOME_PREFIX], 2); /* deprecated, new */
	assert_addr(&w->last_prefix.peer, OTHER);
	assert_addr(&w->last_prefix.care_of, "2001:db8:2::100");
	ck_assert_uint_eq(w->last_prefix.lifetime_s, 20 * HOUR);
	/* sessions go on as long as the old one is valid */
	ck_assert(w->tunnel);
	ck_assert_uint_eq(own_prefix(w).preferred_s, 0);
	world_free(w);
}
END_TEST

static bool count_one(void *arg, const struct mn_home_prefix_info *i)
{
	(void)i;
	++*(unsigned *)arg;
	return true;
}

START_TEST(remembers_few)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, HOUR, 20 * HOUR);
	unsigned n = 0;

	m.u.mpa.n_prefixes = ND_MAX_PREFIXES;
	for (size_t i = 0; i < ND_MAX_PREFIXES; i++) {
		m.u.mpa.prefixes[i] = m.u.mpa.prefixes[0];
		m.u.mpa.prefixes[i].prefix.s6_addr[6] = (uint8_t)i;
	}
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	mn_foreach_home_prefix(w->mn, count_one, &n);
	ck_assert_uint_eq(n, 8);
	world_free(w);
}
END_TEST

static TCase *home_prefixes(void)
{
	TCase *t = tcase_create("home prefixes");

	tcase_add_test(t, solicits_on_news);
	tcase_add_test(t, believes_the_home_agent_alone);
	tcase_add_test(t, unsolicited_makes_it_ask);
	tcase_add_test(t, protected_alone_with_ipsec);
	tcase_add_test(t, two_hours);
	tcase_add_test(t, binding_ends_with_the_prefix);
	tcase_add_test(t, tells_of_a_new_prefix);
	tcase_add_test(t, remembers_few);
	return t;
}

/* ---- all ---- */

static TCase *home_agents(void)
{
	TCase *t = tcase_create("home agents");

	tcase_add_test(t, asks_the_anycast_address);
	tcase_add_test(t, backs_off);
	tcase_add_test(t, ignores_other_replies);
	tcase_add_test(t, tries_the_next);
	tcase_add_test(t, asked_to_leave);
	tcase_add_test(t, asked_to_leave_for_nobody);
	tcase_add_test(t, asks_again_when_all_fail);
	tcase_add_test(t, known_one_stays);
	tcase_add_test(t, configured_one_is_not_left);
	tcase_add_test(t, moves_while_asking);
	tcase_add_test(t, router_wants_those_that_serve_it);
	return t;
}

int main(void)
{
	Suite *s = suite_create("mn_discovery");
	SRunner *r;
	int failed;

	suite_add_tcase(s, home_agents());
	suite_add_tcase(s, home_prefixes());
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
