/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's core: moves. */
#include "tests/unit/mn_world.h"

/* ---- moves ---- */

START_TEST(move_down_up)
{
	struct world *w = away_at_a();
	uint16_t seq = w->seq;

	down(w, 1);
	expect(w, "tunnel none hold");
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	advance(w, 100);
	up(w, 1);
	expect(w, "ll 1 opt", "rs 1 L1");
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
	ck_assert_int_eq(info(w).registration, MN_REG_REFRESHING);
	ba(w);
	/* the old address goes when the new path works */
	expect(w, "route- 1 A1", "addr- 1 A1");
	ck_assert_uint_eq(info(w).moves, 2);
	world_free(w);
}
END_TEST

START_TEST(old_address_goes_without_answer_too)
{
	struct world *w = away_at_a();

	move_to_b(w);
	forget(w);
	advance(w, 29000);
	ck_assert_uint_eq(count(w, "addr- 1 A1"), 0);
	advance(w, 2000);
	ck_assert_uint_eq(count(w, "addr- 1 A1"), 1);
	world_free(w);
}
END_TEST

/* A second "up": where we are is not known until the first advertisement. */
START_TEST(move_up_up)
{
	struct world *w = away_at_a();

	up(w, 1);
	expect(w, "ll 1 opt", "rs 1 L1", "tunnel A1 hold");
	ck_assert_int_eq(info(w).location, MN_AWAY);
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	world_free(w);
}
END_TEST

START_TEST(same_link_again)
{
	struct world *w = away_at_a();

	up(w, 1);
	ra_a(w, 1);
	/* the address stays, DAD runs again, no Binding Update */
	expect(w, "ll 1 opt", "rs 1 L1", "tunnel A1 hold", "addr 1 A1 opt again", "bupath A1",
		"tunnel A1 go");
	ck_assert_uint_eq(info(w).moves, 1);
	/* and after a real loss of carrier the route is set again */
	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "tunnel none hold", "ll 1 opt", "rs 1 L1", "addr 1 A1 opt again",
		"route 1 RA A1 primary", "bupath A1", "tunnel A1 go");
	world_free(w);
}
END_TEST

/* An advertisement of the old link that was read after the link event. */
START_TEST(late_ra_of_the_old_link)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 20);
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	world_free(w);
}
END_TEST

START_TEST(hold_ends_when_nowhere)
{
	struct world *w = away_at_a();

	down(w, 1);
	expect(w, "tunnel none hold");
	advance(w, 1999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "tunnel none go");
	up(w, 1);
	ra_b(w, 1);
	forget(w);
	ba(w);
	ck_assert(!w->held);
	/* no holding at all when so configured */
	mn_free(w->mn);
	w->config.hold_ms = 0;
	start(w);
	mn_restore(w->mn, &w->bu_coa, w->seq, 100);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	down(w, 1);
	expect(w, "tunnel none go");
	world_free(w);
}
END_TEST

START_TEST(no_answer_after_link_event)
{
	struct world *w = away_at_a();

	up(w, 1);
	forget(w);
	advance(w, 2000);
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(new_router_lazy)
{
	struct world *w = away_at_a();

	advance(w, 5000);
	ra_b(w, 1);
	expect(w, "ns 1 L1>RA RA", "rs 1 L1 slla");
	na(w, 1, "RA", "L1", "RA", false, 0); /* proves one direction only */
	advance(w, 1000);
	expect(w, "ns 1 L1>RA RA");
	na(w, 1, "RA", "L1", "RA", true, 0);
	advance(w, 10000);
	expect_nothing(w);
	/* now it does not answer: three probes a second apart */
	ra_b(w, 1);
	advance(w, 2999);
	expect(w, "ns 1 L1>RA RA", "rs 1 L1 slla", "ns 1 L1>RA RA", "ns 1 L1>RA RA");
	advance(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go", "ll 1 opt");
	ba(w);
	expect(w, "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(new_router_eager)
{
	struct world *w = world_new();

	w->config.eager = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	advance(w, 10000);
	forget(w);
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go", "ll 1 opt");
	world_free(w);
}
END_TEST

/* Probing must not use an optimistic address (RFC 4429 3.2). */
/* The home link is not left to chance: no probing of the other router first. */
START_TEST(home_router_appears)
{
	struct world *w = away_at_a();

	advance(w, 5000);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0", "home 1 HR go",
		"ll 1 opt");
	world_free(w);
}
END_TEST

START_TEST(probe_source)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	address(w, 1, "L1", MN_ADDR_USABLE_OPTIMISTIC);
	advance(w, 5000);
	forget(w);
	ra_b(w, 1);
	expect(w, "rs 1 L1");
	address(w, 1, "A1", MN_ADDR_READY);
	advance(w, 1000);
	expect(w, "ns 1 A1>RA RA");
	world_free(w);
}
END_TEST

START_TEST(router_with_another_name_is_spare)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xc);

	advance(w, 5000);
	ra(w, 1, "RC", &m);
	expect_nothing(w);
	/* the first goes: the spare takes over, same address, no Binding Update */
	m = ra_of("2001:db8:a::", 0xa);
	m.u.ra.lifetime_s = 0;
	ra(w, 1, "RA", &m);
	expect(w, "route 1 RC A1 primary");
	world_free(w);
}
END_TEST

/* Two routers with the same link-local address (RFC 6275 11.5.1). */
START_TEST(router_with_the_same_name)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:b::", 0xb);

	ra(w, 1, "RA", &m);
	expect(w, "addr 1 B1 opt", "route 1 RA B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go", "ll 1 opt");
	/* the same router with one more prefix is no move */
	m = ra_of("2001:db8:a::", 0xb);
	ra(w, 1, "RA", &m);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(missed_advertisements)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.adv_interval_ms = 100;
	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	address(w, 1, "L1", MN_ADDR_READY);
	ba(w);
	forget(w);
	for (int i = 0; i < 100; i++) {
		advance(w, 100);
		ra(w, 1, "RA", &m);
	}
	expect_nothing(w);
	advance(w, 299);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "ns 1 L1>RA RA", "rs 1 L1 slla");
	na(w, 1, "RA", "L1", "RA", true, 0xa);
	advance(w, 299);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "ns 1 L1>RA RA");
	ra(w, 1, "RA", &m);
	advance(w, 300 + 2999);
	expect(w, "ns 1 L1>RA RA", "ns 1 L1>RA RA", "ns 1 L1>RA RA");
	advance(w, 1);
	/* lost: hold, and look for others (not within 4 s of the last solicitation) */
	expect(w, "tunnel A1 hold");
	advance(w, 1000);
	ck_assert_uint_eq(count(w, "rs 1 L1"), 1);
	world_free(w);
}
END_TEST

START_TEST(retrans_timer_of_the_router)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.adv_interval_ms = 50;
	m.u.ra.retrans_ms = 20;
	start(w);
	up(w, 1);
	address(w, 1, "L1", MN_ADDR_READY);
	ra(w, 1, "RA", &m);
	ba(w);
	forget(w);
	advance(w, 150 + 60);
	expect(w, "ns 1 L1>RA RA", "ns 1 L1>RA RA", "ns 1 L1>RA RA", "tunnel A1 hold");
	world_free(w);
}
END_TEST

START_TEST(unreachable_router)
{
	struct world *w = away_at_a();
	struct in6_addr r = named("RA"), other = named("RB");

	advance(w, 10000);
	mn_neighbour_event(w->mn, 1, &other, false);
	expect_nothing(w);
	mn_neighbour_event(w->mn, 1, &r, false);
	expect(w, "rs 1 L1 slla", "tunnel A1 hold");
	/* it was a moment's weakness */
	ra_a(w, 1);
	expect(w, "addr 1 A1 opt again", "bupath A1", "tunnel A1 go");
	/* while it is probed only an answer counts: what the kernel concludes may be older than the doubt */
	advance(w, 10000);
	ra_b(w, 1);
	forget(w);
	mn_neighbour_event(w->mn, 1, &r, true);
	advance(w, 1000);
	expect(w, "ns 1 L1>RA RA");
	na(w, 1, "RA", "L1", "RA", true, 0);
	forget(w);
	advance(w, 5000);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(router_lifetime)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.lifetime_s = 60;
	ra(w, 1, "RA", &m);
	advance(w, 59999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "rs 1 L1 slla", "tunnel A1 hold");
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mobile node, moves");
	TCase *tc = tcase(s, "moves");

	tcase_add_test(tc, move_down_up);
	tcase_add_test(tc, old_address_goes_without_answer_too);
	tcase_add_test(tc, move_up_up);
	tcase_add_test(tc, same_link_again);
	tcase_add_test(tc, late_ra_of_the_old_link);
	tcase_add_test(tc, hold_ends_when_nowhere);
	tcase_add_test(tc, no_answer_after_link_event);
	tcase_add_test(tc, new_router_lazy);
	tcase_add_test(tc, new_router_eager);
	tcase_add_test(tc, home_router_appears);
	tcase_add_test(tc, probe_source);
	tcase_add_test(tc, router_with_another_name_is_spare);
	tcase_add_test(tc, router_with_the_same_name);
	tcase_add_test(tc, missed_advertisements);
	tcase_add_test(tc, retrans_timer_of_the_router);
	tcase_add_test(tc, unreachable_router);
	tcase_add_test(tc, router_lifetime);
	return suite_run(s);
}
