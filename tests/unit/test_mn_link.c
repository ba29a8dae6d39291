/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's core: attachment to a link. */
#include "tests/unit/mn_world.h"

/* ---- attachment ---- */

START_TEST(first_attachment)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	/* RFC 4861 6.3.7: at once, no random delay */
	expect(w, "rs 1 ::");
	ra_a(w, 1);
	expect(w, "addr 1 A1 opt", "route 1 RA A1 primary", "bupath A1", "tunnel A1 hold",
		"bu A1 600", "tunnel A1 go");
	ck_assert_int_eq(info(w).location, MN_AWAY);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	ck_assert_int_eq(w->events[EV_MOVED], 1);
	ba(w);
	expect_nothing(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_uint_eq(info(w).remaining_s, 600);
	ck_assert_int_eq(w->last.type, EV_REGISTERED);
	/* another advertisement changes nothing */
	ra_a(w, 1);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(cautious_uplink)
{
	struct world *w = world_new();

	w->config.uplink = MN_UPLINK_CAUTIOUS;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "rs 1 ::", "addr 1 A1 opt", "route 1 RA A1 primary", "bupath A1",
		"tunnel A1 hold", "bu A1 600");
	advance(w, 500);
	ba(w);
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(cautious_hold_ends)
{
	struct world *w = world_new();

	w->config.uplink = MN_UPLINK_CAUTIOUS;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 1400);
	expect_nothing(w);
	advance(w, 600);
	expect(w, "bu A1 600", "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(without_optimistic_dad)
{
	struct world *w = world_new();

	w->config.optimistic_dad = false;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "rs 1 ::", "addr 1 A1");
	address(w, 1, "A1", MN_ADDR_TENTATIVE);
	address(w, 1, "A1", MN_ADDR_USABLE_OPTIMISTIC);
	expect_nothing(w);
	advance(w, 1000);
	address(w, 1, "A1", MN_ADDR_READY);
	expect(w, "route 1 RA A1 primary", "bupath A1", "tunnel A1 hold", "bu A1 600",
		"tunnel A1 go");
	world_free(w);
}
END_TEST

/* RFC 4429 3.3: not optimistic when the router hides its link-layer address */
START_TEST(no_slla_no_optimism)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0);

	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	expect(w, "rs 1 ::", "addr 1 A1");
	address(w, 1, "A1", MN_ADDR_READY);
	expect(w, "route 1 RA A1 primary nolladdr", "bupath A1", "tunnel A1 hold", "bu A1 600",
		"tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(solicitation)
{
	struct world *w = world_new();

	start(w);
	up_(w, 1, false);
	expect(w, "rs 1 ::");
	/* the link-local address is no news of a move */
	address(w, 1, "L1", MN_ADDR_USABLE_OPTIMISTIC);
	up_(w, 1, true);
	expect_nothing(w);
	advance(w, 3999);
	expect_nothing(w);
	advance(w, 401);
	expect(w, "rs 1 L1"); /* optimistic: without SLLAO, RFC 4429 3.2 */
	address(w, 1, "L1", MN_ADDR_READY);
	advance(w, 7199);
	expect_nothing(w);
	advance(w, 1800);
	expect(w, "rs 1 L1 slla");
	advance(w, 2 * 3600 * 1000);
	ck_assert_uint_ge(count(w, "rs"), 7);
	ck_assert_uint_le(count(w, "rs"), 12);
	forget(w);
	ra_a(w, 1);
	forget(w);
	advance(w, 1000);
	ck_assert_uint_eq(count(w, "rs"), 0);
	world_free(w);
}
END_TEST

START_TEST(solicitation_falls_back)
{
	struct world *w = world_new();

	start(w);
	address(w, 1, "L1", MN_ADDR_READY);
	w->fail_icmp6 = -EADDRNOTAVAIL;
	up(w, 1);
	expect(w, "rs 1 ::");
	world_free(w);
}
END_TEST

START_TEST(solicitation_storm)
{
	struct world *w = world_new();

	start(w);
	for (int i = 0; i < 100; i++)
		up(w, 1);
	ck_assert_uint_eq(count(w, "rs"), 3);
	forget(w);
	advance(w, 1000);
	ck_assert_uint_eq(count(w, "rs"), 1);
	world_free(w);
}
END_TEST

START_TEST(ra_is_judged)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);
	uint8_t junk[] = {134, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	struct mip6_packet p = {.src = named("RA"),
		.dst = named("all-nodes"),
		.ifindex = 1,
		.hop_limit = 255,
		.data = junk,
		.len = sizeof(junk)};

	start(w);
	ra_a(w, 1); /* the interface is down */
	up(w, 1);
	forget(w);
	icmp6(w, 1, "RA", "all-nodes", 254, &m);
	icmp6(w, 1, "2001:db8:a::1", "all-nodes", 255, &m);
	mn_receive_icmp6(w->mn, &p);
	ra_a(w, 7); /* not ours */
	expect_nothing(w);
	ck_assert_uint_eq(mn_stats(w->mn)->malformed, 3);
	ck_assert_uint_eq(w->events[EV_BAD_PACKET], 3);
	m.u.ra.lifetime_s = 0; /* not a default router */
	ra(w, 1, "RA", &m);
	expect_nothing(w);
	world_free(w);
}
END_TEST

static void no_address_from(struct nd_prefix change)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	start(w);
	up(w, 1);
	forget(w);
	m.u.ra.prefixes[0] = change;
	ra(w, 1, "RA", &m);
	expect_nothing(w);
	ra_a(w, 1); /* and this does */
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}

START_TEST(prefixes_without_address)
{
	struct nd_prefix p = ra_of("2001:db8:a::", 0).u.ra.prefixes[0], q = p;

	q.autonomous = false;
	no_address_from(q);
	q = p;
	q.valid_s = 0;
	q.preferred_s = 0;
	no_address_from(q);
	q = p;
	q.preferred_s = q.valid_s + 1;
	no_address_from(q);
	q = p;
	q.plen = 60;
	q.prefix = in6("2001:db8:f0::");
	no_address_from(q);
	q = p;
	q.prefix = in6("fe80::");
	no_address_from(q);
	q.prefix = in6("ff0e::");
	no_address_from(q);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mobile node, attachment");
	TCase *tc = tcase(s, "attachment");

	tcase_add_test(tc, first_attachment);
	tcase_add_test(tc, cautious_uplink);
	tcase_add_test(tc, cautious_hold_ends);
	tcase_add_test(tc, without_optimistic_dad);
	tcase_add_test(tc, no_slla_no_optimism);
	tcase_add_test(tc, solicitation);
	tcase_add_test(tc, solicitation_falls_back);
	tcase_add_test(tc, solicitation_storm);
	tcase_add_test(tc, ra_is_judged);
	tcase_add_test(tc, prefixes_without_address);
	return suite_run(s);
}
