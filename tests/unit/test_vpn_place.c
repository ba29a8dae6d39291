/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside or outside: what counts as inside, what ends it, and how often is asked. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/timer.h"
#include "mip6d/proto/vpn_place.h"
#include "tests/pass.h"

static monotime_t clock_now;
static struct timerq *timers;
static struct vpn_place *place;
static char said[4096];
static uint8_t probe[VCM_MESSAGE_MAX], counter;
static size_t probe_len, probes;
static int probe_ifindex;

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, s, &a), 1);
	return a;
}

static void say(const char *what, int ifindex)
{
	size_t n = strlen(said);

	snprintf(said + n, sizeof(said) - n, "%s %d;", what, ifindex);
}

static monotime_t now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, ++counter, n);
}

static void candidate(void *ctx, const struct vpn_link *l, bool on)
{
	(void)ctx;
	say(on ? "candidate" : "gone", l->ifindex);
}

static void send_probe(void *ctx, int ifindex, const uint8_t *data, size_t len)
{
	(void)ctx;
	memcpy(probe, data, len);
	probe_len = len;
	probe_ifindex = ifindex;
	probes++;
}

static void placed(void *ctx, const struct vpn_link *l, const char *why)
{
	(void)ctx;
	ck_assert(why[0]);
	say(l ? "inside" : "outside", l ? l->ifindex : 0);
}

static const struct vpn_place_ops ops = {now, random_octets, candidate, send_probe, placed};

static void make(bool authenticate)
{
	struct vpn_place_config c = {.authenticate = authenticate,
		.epoch = 5,
		.n_internal = 1,
		.internal = {{.addr = addr("fd00::"), .plen = 32}}};

	vpn_place_free(place);
	place = vpn_place_new(&c, &ops, NULL, timers);
	said[0] = '\0';
	probes = probe_len = 0;
}

static void setup(void)
{
	clock_now = (monotime_t){1000000};
	timers = timerq_new();
	make(true);
}

static void teardown(void)
{
	vpn_place_free(place);
	place = NULL;
	timerq_free(timers);
}

static void expect(const char *want)
{
	ck_assert_str_eq(said, want);
	said[0] = '\0';
}

static void pass(int64_t ms)
{
	pass_time(timers, &clock_now, ms);
}

static void advertise(int ifindex, const char *router, const char *prefix, uint16_t lifetime_s, uint32_t valid_s)
{
	struct icmp6_ra ra = {.lifetime_s = lifetime_s, .n_prefixes = prefix ? 1 : 0};
	struct in6_addr r = addr(router);

	if (prefix)
		ra.prefixes[0] = (struct nd_prefix){.prefix = addr(prefix),
			.plen = 64,
			.on_link = true,
			.valid_s = valid_s,
			.preferred_s = valid_s};
	vpn_place_advertised(place, ifindex, &r, &ra);
}

#define OFFICE(ifindex) advertise(ifindex, "fe80::1", "fd00:0:0:1::", 1800, 86400)

/* What the VCM would say to the last probe. */
static void answer(enum vcm_type type)
{
	uint8_t data[VCM_MESSAGE_MAX];
	struct vcm_message m;
	const char *why;
	size_t len;

	ck_assert_int_eq(vcm_message_read(probe, probe_len, &m, &why), VCM_READ_OK);
	ck_assert_int_eq(m.type, VCM_PROBE);
	m.type = type;
	m.epoch = 77;
	len = vcm_message_write(&m, data, sizeof(data));
	ck_assert_uint_gt(len, 0);
	vpn_place_answer(place, data, len);
}

START_TEST(inside_when_the_manager_answers)
{
	advertise(3, "fe80::1", "2001:db8:a::", 1800, 86400);
	expect("");
	OFFICE(3);
	expect("candidate 3;");
	ck_assert_int_eq(probe_ifindex, 3);
	ck_assert(!vpn_place_inside(place));
	answer(VCM_PROBE); /* our own, sent back to us */
	expect("");
	answer(VCM_PROBE_REPLY);
	expect("inside 3;");
	ck_assert(vpn_place_inside(place));
	vpn_place_link(place, 3, false);
	expect("outside 0;gone 3;");
	answer(VCM_PROBE_REPLY); /* late */
	expect("");
	OFFICE(3);
	expect("candidate 3;");
}
END_TEST

START_TEST(a_fake_link_is_asked_ever_more_rarely)
{
	size_t early;

	OFFICE(3);
	pass(10000);
	early = probes;
	ck_assert_uint_ge(early, 5);
	ck_assert_uint_le(early, 8);
	for (int i = 0; i < 360; i++) { /* an hour, and the router goes on saying so */
		pass(10000);
		OFFICE(3);
	}
	ck_assert_uint_le(probes - early, 3600 / 30 + 3);
	ck_assert_uint_ge(probes - early, 3600 / 30 - 3);
	expect("candidate 3;");
	ck_assert(!vpn_place_inside(place));
}
END_TEST

START_TEST(inside_ends_without_answers)
{
	OFFICE(3);
	answer(VCM_PROBE_REPLY);
	for (int i = 0; i < 100; i++) {
		size_t before = probes;

		pass(5000);
		ck_assert_uint_eq(probes, before + 1);
		answer(VCM_PROBE_REPLY);
	}
	expect("candidate 3;inside 3;");
	pass(5000 + 3 * 500 - 1);
	expect("");
	pass(501);
	expect("outside 0;");
	answer(VCM_PROBE_REPLY);
	expect("inside 3;");
}
END_TEST

START_TEST(one_of_two_links)
{
	OFFICE(3);
	answer(VCM_PROBE_REPLY);
	OFFICE(4);
	answer(VCM_PROBE_REPLY);
	expect("candidate 3;inside 3;candidate 4;");
	vpn_place_link(place, 3, false);
	expect("inside 4;gone 3;");
	advertise(5, "fe80::5", "2001:db8:a::", 1800, 86400);
	vpn_place_link(place, 5, false);
	expect("");
	vpn_place_link(place, 4, true); /* carrier again */
	expect("outside 0;gone 4;");
}
END_TEST

START_TEST(the_prefix_goes)
{
	OFFICE(3);
	answer(VCM_PROBE_REPLY);
	advertise(3, "fe80::2", NULL, 1800, 0); /* another router, which knows nothing of it */
	advertise(3, "fe80::2", "fd00:0:0:1::", 0, 0); /* and one that wants it away */
	expect("candidate 3;inside 3;");
	advertise(3, "fe80::1", "fd00:0:0:1::", 1800, 0);
	expect("outside 0;gone 3;");
	advertise(3, "fe80::1", "fd00:0:0:1::", 1800, 3);
	answer(VCM_PROBE_REPLY);
	expect("candidate 3;inside 3;");
	pass(3001);
	expect("outside 0;gone 3;");
	OFFICE(3);
	answer(VCM_PROBE_REPLY);
	advertise(3, "fe80::1", NULL, 0, 0); /* it is no router any more */
	expect("candidate 3;inside 3;outside 0;gone 3;");
}
END_TEST

START_TEST(another_router_makes_the_node_ask)
{
	size_t before;

	OFFICE(3);
	answer(VCM_PROBE_REPLY);
	before = probes;
	advertise(3, "fe80::bad", "fd00:0:0:1::", 1800, 86400);
	pass(1);
	ck_assert_uint_eq(probes, before + 1);
	expect("candidate 3;inside 3;");
}
END_TEST

START_TEST(without_authentication)
{
	make(false);
	OFFICE(3);
	expect("candidate 3;inside 3;");
	ck_assert_uint_eq(probes, 0);
	vpn_place_link(place, 3, false);
	expect("outside 0;gone 3;");
}
END_TEST

START_TEST(forged_answers)
{
	struct vcm_message m = {.type = VCM_PROBE_REPLY, .epoch = 1, .has = VCM_HAS_NONCE};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len = vcm_message_write(&m, data, sizeof(data));

	vpn_place_answer(place, data, len); /* nobody asked, the nonce is 0 */
	OFFICE(3);
	vpn_place_answer(place, data, len);
	memset(m.nonce, 0x77, sizeof(m.nonce));
	len = vcm_message_write(&m, data, sizeof(data));
	vpn_place_answer(place, data, len);
	for (size_t cut = 0; cut < len; cut++)
		vpn_place_answer(place, data, cut);
	expect("candidate 3;");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vpn-place");
	TCase *t = tcase_create("place");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, inside_when_the_manager_answers);
	tcase_add_test(t, a_fake_link_is_asked_ever_more_rarely);
	tcase_add_test(t, inside_ends_without_answers);
	tcase_add_test(t, one_of_two_links);
	tcase_add_test(t, the_prefix_goes);
	tcase_add_test(t, another_router_makes_the_node_ask);
	tcase_add_test(t, without_authentication);
	tcase_add_test(t, forged_answers);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
