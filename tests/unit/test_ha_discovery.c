/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Home agent: Home Agents List, address discovery, prefixes and their delivery (RFC 6275 10.5, 10.6). */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/ha.h"
#include "tests/pass.h"

#define HA "2001:db8:1::1000"
#define HOME "2001:db8:1::100"
#define COA "2001:db8:a::1"
#define ANYCAST "2001:db8:1:0:fdff:ffff:ffff:fffe"
#define LINK 3

struct world {
	monotime_t now;
	struct mip6_env env;
	struct ha *ha;
	uint32_t random;
	unsigned sent;
	struct icmp6_message last;
	struct mip6_packet packet; /* data is gone */
};

static struct world w;

static struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static monotime_t now(void *ctx)
{
	(void)ctx;
	return w.now;
}

static void noise(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		w.random = w.random * 1664525 + 1013904223;
		((uint8_t *)to)[i] = (uint8_t)(w.random >> 24);
	}
}

static int send_mh(void *ctx, const struct mip6_packet *p)
{
	(void)ctx, (void)p;
	return 0;
}

static int send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	if (p->data[0] != ICMP6T_DHAAD_REPLY && p->data[0] != ICMP6T_MPA)
		return 0;
	ck_assert(icmp6_parse(p->data, p->len, &w.last));
	ck_assert_uint_le(p->len, 1240);
	w.packet = *p;
	w.sent++;
	return 0;
}

static int two(void *ctx, const struct in6_addr *a, const struct in6_addr *b)
{
	(void)ctx, (void)a, (void)b;
	return 0;
}

static int one(void *ctx, const struct in6_addr *a)
{
	(void)ctx, (void)a;
	return 0;
}

static int proxy_add(void *ctx, int ifindex, const struct in6_addr *a, bool router)
{
	(void)ctx, (void)ifindex, (void)a, (void)router;
	return 0;
}

static int proxy_del(void *ctx, int ifindex, const struct in6_addr *a)
{
	(void)ctx, (void)ifindex, (void)a;
	return 0;
}

static const struct ha_ops ops = {.forward_set = two,
	.forward_del = one,
	.proxy_add = proxy_add,
	.proxy_del = proxy_del,
	.dad_listen = proxy_add};

static void setup(void)
{
	struct ha_config c = {.address = in6(HA),
		.home_ifindex = LINK,
		.n_prefixes = 1,
		.prefixes = {{{in6("2001:db8:1::"), 64}, UINT32_MAX, UINT32_MAX, {0}}},
		.preference = 10,
		.min_prefix_interval_s = 600,
		.max_prefix_interval_s = 86400};

	memset(&w, 0, sizeof(w));
	w.now = mono_add_s(w.now, 1000);
	w.env = (struct mip6_env){.timers = timerq_new(),
		.now = now,
		.random = noise,
		.send_mh = send_mh,
		.send_icmp6 = send_icmp6};
	w.ha = ha_new(&c, &w.env, &ops, NULL);
	ck_assert_ptr_nonnull(w.ha);
}

static void teardown(void)
{
	ha_free(w.ha);
	ck_assert(timerq_next(w.env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w.env.timers);
}

static void later(int64_t s)
{
	pass_time(w.env.timers, &w.now, s * 1000);
}

static void receive(const struct icmp6_message *m, struct mip6_packet p)
{
	uint8_t data[1280];

	p.len = icmp6_build(m, data, sizeof(data));
	p.data = data;
	ck_assert_uint_gt(p.len, 0);
	ha_receive_icmp6(w.ha, &p);
}

static struct icmp6_message router(const char *addr, uint16_t preference, uint16_t lifetime_s)
{
	struct icmp6_message m = {.type = ICMP6T_RA,
		.u.ra = {.home_agent = true,
			.lifetime_s = 1800,
			.has_ha_info = true,
			.ha_preference = preference,
			.ha_lifetime_s = lifetime_s,
			.n_prefixes = 1}};

	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = in6(addr),
		.plen = 64,
		.router_address = true,
		.valid_s = 1800,
		.preferred_s = 1800};
	return m;
}

static void heard(const struct icmp6_message *m, const char *link_local)
{
	receive(m, (struct mip6_packet){
			   .src = in6(link_local), .dst = in6_all_nodes, .ifindex = LINK, .hop_limit = 255});
}

static bool count(void *arg, const struct ha_agent_info *i)
{
	(void)i;
	++*(unsigned *)arg;
	return true;
}

static unsigned agents(void)
{
	unsigned n = 0;

	ha_foreach_agent(w.ha, count, &n);
	return n;
}

static void ask(const char *from, const char *to)
{
	struct icmp6_message m = {.type = ICMP6T_DHAAD_REQUEST, .u.dhaad.id = 4711};

	receive(&m, (struct mip6_packet){.src = in6(from), .dst = in6(to), .ifindex = 7, .hop_limit = 60});
}

static bool listed(size_t i, const char *addr)
{
	struct in6_addr a = in6(addr);

	return i < w.last.u.dhaad.n_addrs && in6_equal(&w.last.u.dhaad.addrs[i], &a);
}

START_TEST(anycast)
{
	struct ip6_prefix p = {in6("2001:db8:1::"), 64}, q = {in6("2001:db8:1::"), 80};
	struct in6_addr a = in6_home_agents_anycast(&p), b = in6_home_agents_anycast(&q),
			want = in6(ANYCAST), other = in6("2001:db8:1:0:0:ffff:ffff:fffe");

	ck_assert(in6_equal(&a, &want));
	ck_assert(in6_equal(&b, &other));
}
END_TEST

START_TEST(list)
{
	struct icmp6_message m = router("2001:db8:1::2000", 20, 100);

	ck_assert_uint_eq(agents(), 1);
	receive(&m, (struct mip6_packet){.src = in6("fe80::2"), .ifindex = LINK, .hop_limit = 254});
	receive(&m, (struct mip6_packet){.src = in6("2001:db8::2"), .ifindex = LINK, .hop_limit = 255});
	receive(&m, (struct mip6_packet){.src = in6("fe80::2"), .ifindex = 9, .hop_limit = 255});
	ck_assert_uint_eq(agents(), 1);
	heard(&m, "fe80::2");
	heard(&m, "fe80::2");
	ck_assert_uint_eq(agents(), 2);
	later(99);
	ck_assert_uint_eq(agents(), 2);
	later(2);
	ck_assert_uint_eq(agents(), 1);
	heard(&m, "fe80::2");
	m.u.ra.home_agent = false;
	m.u.ra.has_ha_info = false;
	heard(&m, "fe80::2");
	ck_assert_uint_eq(agents(), 1);
	m = router(HA, 1, 100);
	heard(&m, "fe80::1");
	ck_assert_uint_eq(agents(), 1); /* that is ourselves */
}
END_TEST

START_TEST(list_is_bounded)
{
	struct icmp6_message m = router("2001:db8:1::2000", 0, 100);
	char text[32];

	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "fe80::%x", i + 1);
		heard(&m, text);
	}
	ck_assert_uint_eq(agents(), 65);
	ask(COA, ANYCAST);
	ck_assert_uint_eq(w.last.u.dhaad.n_addrs, DHAAD_MAX_ADDRS);
}
END_TEST

START_TEST(discovery)
{
	struct icmp6_message best = router("2001:db8:1::2000", 20, 100),
			     equal = router("2001:db8:1::3000", 10, 100);
	struct in6_addr ha = in6(HA);
	unsigned first = 0;

	heard(&best, "fe80::2");
	heard(&equal, "fe80::3");
	for (int i = 0; i < 60; i++) {
		ask(COA, ANYCAST);
		ck_assert_uint_eq(w.last.u.dhaad.id, 4711);
		ck_assert_uint_eq(w.last.u.dhaad.n_addrs, 3);
		ck_assert(listed(0, "2001:db8:1::2000"));
		ck_assert(listed(1, HA) != listed(2, HA));
		first += listed(1, HA);
	}
	ck_assert(first > 10 && first < 50);
	ck_assert(in6_equal(&w.packet.src, &ha));
	ck_assert_uint_eq(w.sent, 60);
	ask("::", ANYCAST);
	ask("fe80::9", ANYCAST);
	ask("ff02::1", ANYCAST);
	ask(COA, "2001:db8:2:0:fdff:ffff:ffff:fffe");
	ck_assert_uint_eq(w.sent, 60);
	ask(COA, HA);
	ck_assert_uint_eq(w.sent, 61);
	for (int i = 0; i < 1000; i++)
		ask(COA, ANYCAST);
	ck_assert_uint_le(w.sent, 101);
	ck_assert_uint_gt(ha_stats(w.ha)->discovery_ignored, 900);
}
END_TEST

/* ---- prefixes ---- */

static void bind_node(void)
{
	struct ha_binding_record r = {.home_address = in6(HOME),
		.care_of = in6(COA),
		.seq = 1,
		.flags = BU_F_H | BU_F_A,
		.lifetime_s = 200000,
		.remaining_s = 200000};

	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
}

static void solicit(const char *coa, bool hao)
{
	struct icmp6_message m = {.type = ICMP6T_MPS, .u.mps.id = 77};

	receive(&m, (struct mip6_packet){.src = in6(HOME),
			    .dst = in6(HA),
			    .src_coa = in6(coa),
			    .flags = hao ? MIP6_PKT_HAO : 0,
			    .hop_limit = 60});
}

START_TEST(solicited)
{
	struct in6_addr ha = in6(HA), home = in6(HOME), coa = in6(COA);
	const struct nd_prefix *p = &w.last.u.mpa.prefixes[0];

	solicit(COA, true);
	ck_assert_uint_eq(w.sent, 0); /* no binding */
	bind_node();
	solicit("2001:db8:b::1", true);
	solicit(COA, false);
	ck_assert_uint_eq(w.sent, 0);
	solicit(COA, true);
	ck_assert_uint_eq(w.sent, 1);
	ck_assert_uint_eq(w.last.u.mpa.id, 77);
	ck_assert_uint_eq(w.packet.flags, MIP6_PKT_RH2);
	ck_assert(in6_equal(&w.packet.src, &ha) && in6_equal(&w.packet.dst, &home) &&
		  in6_equal(&w.packet.dst_coa, &coa));
	ck_assert_uint_eq(w.last.u.mpa.n_prefixes, 1);
	ck_assert(p->router_address && in6_equal(&p->prefix, &ha));
	ck_assert(p->valid_s == UINT32_MAX && p->on_link && p->autonomous);
}
END_TEST

START_TEST(unsolicited)
{
	struct ip6_prefix other = {in6("2001:db8:11::"), 64};

	bind_node();
	ck_assert_int_eq(ha_set_prefix(w.ha, &other, 7200, 3600), 0);
	later(599);
	ck_assert_uint_eq(w.sent, 0);
	later(85802);
	ck_assert_uint_eq(w.sent, 4); /* and three times more */
	ck_assert_uint_eq(w.last.u.mpa.id, 0);
	ck_assert_uint_eq(w.last.u.mpa.n_prefixes, 2);
	later(600);
	ck_assert_uint_eq(w.sent, 4);
}
END_TEST

START_TEST(acknowledged)
{
	struct ip6_prefix home = {in6("2001:db8:1::"), 64};
	struct in6_addr addr = in6(HOME);
	struct ha_binding_info i;

	bind_node();
	ck_assert_int_eq(ha_set_prefix(w.ha, &home, 900, 0), 0);
	ck_assert(ha_find(w.ha, &addr, &i));
	ck_assert_uint_eq(i.remaining_s, 900);
	while (!w.sent && w.now.us < mono_add_s((monotime_t){0}, 1450).us)
		later(1);
	ck_assert_uint_eq(w.sent, 1); /* before half of it is over */
	later(2);
	ck_assert_uint_eq(w.sent, 1);
	solicit(COA, true);
	ck_assert_uint_eq(w.sent, 2);
	ck_assert_uint_eq(w.last.u.mpa.prefixes[0].preferred_s, 0);
	ck_assert_uint_lt(w.last.u.mpa.prefixes[0].valid_s, 900);
	later(60);
	ck_assert_uint_eq(w.sent, 2);
}
END_TEST

START_TEST(removed)
{
	struct ip6_prefix home = {in6("2001:db8:1::"), 64}, other = {in6("2001:db8:11::"), 64};

	bind_node();
	ck_assert_int_eq(ha_set_prefix(w.ha, &other, 0, 0), -ENOENT);
	ck_assert_int_eq(ha_set_prefix(w.ha, &other, 1, 2), -EINVAL);
	ck_assert_int_eq(ha_set_prefix(w.ha, &home, 0, 0), 0);
	ck_assert_uint_eq(w.sent, 1);
	ck_assert_uint_eq(w.last.u.mpa.prefixes[0].valid_s, 0);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ha_discovery");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	log_setup("test_ha_discovery", LOGL_ERROR);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, anycast);
	tcase_add_test(t, list);
	tcase_add_test(t, list_is_bounded);
	tcase_add_test(t, discovery);
	tcase_add_test(t, solicited);
	tcase_add_test(t, unsolicited);
	tcase_add_test(t, acknowledged);
	tcase_add_test(t, removed);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
