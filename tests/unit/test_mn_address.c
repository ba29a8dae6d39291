/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's core: its addresses, its interfaces, a tunnel of another daemon. */
#include "tests/unit/mn_world.h"

/* ---- a tunnel of another daemon (requirement T15) ---- */

static void tunnel_moved(struct world *w, const char *care_of)
{
	struct in6_addr a = named(care_of ? care_of : "::");

	mn_tunnel_moved(w->mn, care_of ? &a : NULL);
}

/* On link A, with the tunnel there; no home agent, and no link is home. */
static struct world *foreign_at_a(void)
{
	struct world *w = world_new();

	w->config.foreign_tunnel = true;
	w->config.home_prefix.plen = 128;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	address(w, 1, "A1", MN_ADDR_READY);
	address(w, 1, "L1", MN_ADDR_READY);
	tunnel_moved(w, "A1");
	forget(w);
	return w;
}

START_TEST(foreign_tunnel_begins)
{
	struct world *w = world_new();

	w->config.foreign_tunnel = true;
	w->config.home_address = w->config.home_agent = in6addr_any;
	start(w);
	up(w, 1);
	forget(w);
	ra_a(w, 1);
	/* no path of Binding Updates, none is sent; what is sent waits for the tunnel */
	expect(w, "addr 1 A1 opt", "route 1 RA A1 primary", "tunnel A1 hold");
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	tunnel_moved(w, "A1");
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_moves)
{
	struct world *w = foreign_at_a();

	move_to_b(w);
	/* the old address goes at once: it is what the other daemon waits for */
	expect(w, "tunnel none hold", "ll 1 opt", "rs 1 L1", "addr 1 B1 opt",
		"route 1 RB B1 primary", "tunnel B1 hold", "route- 1 A1", "addr- 1 A1");
	ck_assert_int_eq(info(w).location, MN_AWAY);
	/* while it moves there is none */
	tunnel_moved(w, NULL);
	expect_nothing(w);
	tunnel_moved(w, "B1");
	expect(w, "tunnel B1 go");
	advance(w, 3000);
	ck_assert_uint_eq(count(w, "tunnel"), 0);
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_does_not_follow)
{
	struct world *w = foreign_at_a();

	move_to_b(w);
	forget(w);
	advance(w, 2000);
	/* what waited too long is dropped; nothing leaves by a tunnel from elsewhere */
	expect(w, "tunnel none go");
	tunnel_moved(w, "A1");
	ck_assert_uint_eq(count(w, "tunnel B1 go"), 0);
	tunnel_moved(w, "B1");
	ck_assert_uint_eq(count(w, "tunnel B1 go"), 1);
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_same_link_again)
{
	struct world *w = foreign_at_a();

	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "tunnel none hold", "ll 1 opt", "rs 1 L1", "addr 1 A1 opt again",
		"route 1 RA A1 primary", "tunnel A1 go");
	world_free(w);
}
END_TEST

/* Another interface is better, but where the tunnel is it works. */
START_TEST(foreign_tunnel_make_before_break)
{
	struct world *w = foreign_at_a();

	up(w, 2);
	forget(w);
	ra_b(w, 2);
	expect(w, "addr 2 B2 opt", "route 2 RB B2");
	mn_prefer(w->mn, 2, 20);
	expect(w, "route 2 RB B2 primary", "tunnel B2 go", "route 1 RA A1");
	tunnel_moved(w, "B2");
	expect(w, "tunnel B2 go");
	down(w, 1);
	ck_assert_uint_eq(count(w, "tunnel none"), 0);
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_lost)
{
	struct world *w = foreign_at_a();

	tunnel_moved(w, NULL);
	expect(w, "tunnel A1 hold");
	advance(w, 2000);
	expect(w, "tunnel none go");
	tunnel_moved(w, "A1");
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_end)
{
	struct world *w = foreign_at_a();

	mn_shutdown(w->mn);
	ck_assert(mn_idle(w->mn));
	expect(w, "tunnel none go", "route- 1 A1", "addr- 1 A1");
	tunnel_moved(w, "A1");
	expect_nothing(w);
	world_free(w);
}
END_TEST

/* ---- two interfaces ---- */

START_TEST(second_interface_stands_by)
{
	struct world *w = away_at_a();

	up(w, 2);
	ra_b(w, 2);
	expect(w, "rs 2 ::", "addr 2 B2 opt", "route 2 RB B2");
	/* the first goes: over in the same instant */
	down(w, 1);
	expect(w, "route 2 RB B2 primary", "bupath B2", "tunnel B2 hold", "bu B2 600",
		"tunnel B2 go");
	ba(w);
	/* the better one is back: move while the other still receives */
	up(w, 1);
	ra_a(w, 1);
	expect(w, "ll 1 opt", "rs 1 L1", "addr 1 A1 opt again", "route 1 RA A1 primary",
		"bupath A1", "tunnel A1 hold", "bu A1 600", "tunnel A1 go", "route 2 RB B2");
	ba(w);
	expect_nothing(w); /* B2 is kept (11.5.4) */
	world_free(w);
}
END_TEST

START_TEST(equal_preference_stays)
{
	struct world *w = world_new();

	w->config.interfaces[0].preference = 5;
	start(w);
	up(w, 2);
	ra_b(w, 2);
	up(w, 1);
	forget(w);
	ra_a(w, 1);
	expect(w, "addr 1 A1 opt", "route 1 RA A1");
	world_free(w);
}
END_TEST

START_TEST(preference_by_hand)
{
	struct world *w = away_at_a();

	up(w, 2);
	ra_b(w, 2);
	forget(w);
	/* what is not better is no reason to move */
	ck_assert(mn_prefer(w->mn, 2, 0));
	expect_nothing(w);
	ck_assert(!mn_prefer(w->mn, 3, 1000));
	ck_assert(mn_prefer(w->mn, 2, 1000));
	expect(w, "route 2 RB B2 primary", "bupath B2", "tunnel B2 hold", "bu B2 600",
		"tunnel B2 go", "route 1 RA A1");
	world_free(w);
}
END_TEST

static bool collect(void *arg, const struct mn_link_info *i)
{
	char *text = arg;

	sprintf(text + strlen(text), "%d %s%s%s %s;", i->ifindex, i->state,
		i->current ? " current" : "", i->home ? " home" : "", name_of(&i->care_of));
	return true;
}

START_TEST(link_information)
{
	struct world *w = away_at_a();
	char text[256] = "";

	up(w, 2);
	ra_home(w, 2);
	mn_foreach_link(w->mn, collect, text);
	ck_assert_str_eq(text, "1 attached A1;2 attached current home ::;");
	world_free(w);
}
END_TEST

/* ---- duplicates and lifetimes ---- */

START_TEST(duplicate_address)
{
	struct world *w = away_at_a();
	struct in6_addr tried[4];

	address(w, 1, "A1", MN_ADDR_DUPLICATE);
	ck_assert_str_eq(w->lines[0], "route- 1 A1");
	ck_assert_str_eq(w->lines[1], "addr- 1 A1");
	ck_assert_uint_eq(count(w, "addr 1"), 1);
	ck_assert_uint_eq(count(w, "bu "), 1);
	ck_assert_uint_eq(count(w, "tunnel none"), 0);
	for (int i = 0; i < 3; i++) {
		tried[i] = w->bu_coa;
		for (int j = 0; j < i; j++)
			ck_assert_mem_ne(&tried[i], &tried[j], 16);
		ck_assert(!(tried[i].s6_addr[8] & 2));
		advance(w, 1000);
		forget(w);
		mn_address_event(w->mn, 1, &tried[i], MN_ADDR_DUPLICATE);
	}
	/* given up: until the next link event */
	ck_assert_uint_eq(count(w, "addr 1"), 0);
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	ck_assert_uint_eq(mn_stats(w->mn)->dad_failures, 4);
	forget(w);
	ra_a(w, 1);
	expect_nothing(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}
END_TEST

START_TEST(duplicate_takes_other_prefix)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.prefixes[1] = ra_of("2001:db8:b::", 0).u.ra.prefixes[0];
	m.u.ra.n_prefixes = 2;
	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	for (int i = 0; i < 4; i++) {
		advance(w, 1000);
		forget(w);
		coa_event(w, w->bu_coa, MN_ADDR_DUPLICATE);
	}
	ck_assert_uint_eq(count(w, "bu B1"), 1);
	world_free(w);
}
END_TEST

START_TEST(random_identifiers)
{
	struct world *w = world_new();

	w->config.random_iid = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu 2001:db8:a:0:"), 1);
	ck_assert_uint_eq(count(w, "bu A1"), 0);
	world_free(w);
}
END_TEST

START_TEST(address_taken_away)
{
	struct world *w = away_at_a();

	advance(w, 2000);
	address(w, 1, "A1", MN_ADDR_REMOVED);
	ck_assert_uint_eq(count(w, "addr 1 A1 opt again"), 1);
	ck_assert(!w->held);
	forget(w);
	/* no quarrel */
	for (int i = 0; i < 10; i++)
		address(w, 1, "A1", MN_ADDR_REMOVED);
	ck_assert_uint_eq(count(w, "addr 1"), 0);
	world_free(w);
}
END_TEST

START_TEST(address_not_configured)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	w->fail_address = -ENOBUFS;
	ra_a(w, 1);
	expect(w, "rs 1 ::", "addr 1 A1 opt");
	w->fail_address = 0;
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}
END_TEST

START_TEST(deprecated_address)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	/* alone it stays in use */
	m.u.ra.prefixes[0].preferred_s = 0;
	ra(w, 1, "RA", &m);
	expect(w, "addr 1 A1 opt");
	/* with another prefix it is replaced (RFC 6275 11.5.3) and kept */
	m.u.ra.prefixes[1] = ra_of("2001:db8:b::", 0).u.ra.prefixes[0];
	m.u.ra.n_prefixes = 2;
	ra(w, 1, "RA", &m);
	expect(w, "addr 1 B1 opt", "route 1 RA B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	ba(w);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(address_expires)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.prefixes[0].valid_s = m.u.ra.prefixes[0].preferred_s = 100;
	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	/* RFC 6275 11.7.1: the binding does not outlive the care-of address */
	ck_assert_uint_eq(w->lifetime * 4, 100);
	ba(w);
	forget(w);
	advance(w, 100000);
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	ck_assert(count(w, "tunnel none hold") == 1 || count(w, "tunnel A1 hold") == 1);
	world_free(w);
}
END_TEST

/* RFC 4862 5.5.3 e */
START_TEST(two_hours)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.prefixes[0].valid_s = m.u.ra.prefixes[0].preferred_s = 1;
	m.u.ra.lifetime_s = 9000;
	ra(w, 1, "RA", &m);
	forget(w);
	for (int i = 0; i < 60; i++) {
		advance(w, 60000);
		ba(w);
	}
	ck_assert_int_eq(info(w).location, MN_AWAY);
	for (int i = 0; i < 61; i++) {
		advance(w, 60000);
		ba(w);
		forget(w);
	}
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	world_free(w);
}
END_TEST

START_TEST(kernel_is_told_of_lifetimes_rarely)
{
	struct world *w = away_at_a();

	for (int i = 0; i < 1000; i++) {
		advance(w, 50);
		ra_a(w, 1);
	}
	ck_assert_uint_eq(count(w, "addr 1"), 0);
	for (int i = 0; i < 8; i++) {
		advance(w, 1000000);
		ra_a(w, 1);
		ba(w);
	}
	ck_assert_uint_ge(count(w, "addr 1"), 1);
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mobile node, addresses");
	TCase *tc;

	tc = tcase(s, "a tunnel of another daemon");
	tcase_add_test(tc, foreign_tunnel_begins);
	tcase_add_test(tc, foreign_tunnel_moves);
	tcase_add_test(tc, foreign_tunnel_does_not_follow);
	tcase_add_test(tc, foreign_tunnel_same_link_again);
	tcase_add_test(tc, foreign_tunnel_make_before_break);
	tcase_add_test(tc, foreign_tunnel_lost);
	tcase_add_test(tc, foreign_tunnel_end);
	tc = tcase(s, "two interfaces");
	tcase_add_test(tc, second_interface_stands_by);
	tcase_add_test(tc, equal_preference_stays);
	tcase_add_test(tc, preference_by_hand);
	tcase_add_test(tc, link_information);
	tc = tcase(s, "addresses");
	tcase_add_test(tc, duplicate_address);
	tcase_add_test(tc, duplicate_takes_other_prefix);
	tcase_add_test(tc, random_identifiers);
	tcase_add_test(tc, address_taken_away);
	tcase_add_test(tc, address_not_configured);
	tcase_add_test(tc, deprecated_address);
	tcase_add_test(tc, address_expires);
	tcase_add_test(tc, two_hours);
	tcase_add_test(tc, kernel_is_told_of_lifetimes_rarely);
	return suite_run(s);
}
