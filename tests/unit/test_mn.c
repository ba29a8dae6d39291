/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's core: at home, and whatever comes. */
#include "tests/unit/mn_world.h"

/* ---- home ---- */

START_TEST(start_at_home)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	/* no binding: DAD, and nothing is sent */
	expect(w, "rs 1 ::", "home 1 HR dad go");
	ck_assert_int_eq(info(w).location, MN_AT_HOME);
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	advance(w, 1700000);
	ck_assert_uint_eq(w->bus, 0);
	world_free(w);
}
END_TEST

START_TEST(leave_home_and_return)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	down(w, 1);
	expect(w, "tunnel none hold", "home- 1");
	up(w, 1);
	ra_a(w, 1);
	expect(w, "ll 1 opt", "rs 1 ::", "addr 1 A1 opt", "route 1 RA A1 primary", "bupath A1",
		"tunnel A1 hold", "bu A1 600", "tunnel A1 go");
	ba(w);
	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0", "home 1 HR go");
	ck_assert_int_eq(info(w).registration, MN_REG_DEREGISTERING);
	ba(w);
	expect(w, "route- 1 A1", "addr- 1 A1", "na 1 HOA");
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	ck_assert_uint_eq(w->stored_remaining, 0);
	ck_assert_uint_eq(w->events[EV_DEREGISTERED], 1);
	advance(w, 999);
	expect_nothing(w);
	advance(w, 10000);
	expect(w, "na 1 HOA", "na 1 HOA");
	world_free(w);
}
END_TEST

/* Leaving by another interface: home_del comes after the tunnel and the BU. */
START_TEST(leave_home_make_before_break)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	up(w, 2);
	ra_b(w, 2);
	forget(w);
	down(w, 1);
	expect(w, "route 2 RB B2 primary", "bupath B2", "tunnel B2 hold", "bu B2 600",
		"tunnel B2 go", "home- 1");
	ba(w);
	/* home again, the home link wins over all; the other still receives */
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0", "home 1 HR go",
		"route 2 RB B2");
	ba(w);
	expect(w, "na 1 HOA");
	world_free(w);
}
END_TEST

START_TEST(return_home_cautious)
{
	struct world *w = world_new();

	w->config.uplink = MN_UPLINK_CAUTIOUS;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0");
	advance(w, 300);
	ba(w);
	expect(w, "home 1 HR go", "route- 1 A1", "addr- 1 A1", "na 1 HOA");
	world_free(w);
}
END_TEST

/* The advertisement is another router's: ask for our own address from :: */
START_TEST(return_home_by_solicitation)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home_other(w, 1);
	expect(w, "ns 1 ::>sol(HOA) HOA");
	advance(w, 1000);
	expect(w, "ns 1 ::>sol(HOA) HOA");
	na(w, 1, "HA", "all-nodes", "HOA", true, 0x10); /* malformed: S to a group */
	expect_nothing(w);
	na(w, 1, "HA", "all-nodes", "HOA", false, 0x10);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 RC hold", "bu HOA 0", "home 1 RC go");
	world_free(w);
}
END_TEST

START_TEST(return_home_nobody_defends)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home_other(w, 1);
	advance(w, 3000);
	expect(w, "ns 1 ::>sol(HOA) HOA", "ns 1 ::>sol(HOA) HOA", "tunnel none go",
		"ns 1 ::>sol(HOA) HOA", "bupath-", "home 1 RC hold", "bu HOA 0", "home 1 RC go");
	world_free(w);
}
END_TEST

START_TEST(return_home_other_path_until_known)
{
	struct world *w = away_at_a();

	up(w, 2);
	forget(w);
	ra_home_other(w, 2);
	expect(w, "ns 2 ::>sol(HOA) HOA"); /* A1 is used meanwhile */
	ck_assert_int_eq(info(w).location, MN_AWAY);
	ra_home(w, 2); /* tells it as well */
	ck_assert_str_eq(w->lines[0], "neighbour 2 HA 10");
	ck_assert_uint_eq(count(w, "bu HOA 0"), 1);
	world_free(w);
}
END_TEST

START_TEST(return_home_unanswered)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	advance(w, 1000);
	expect(w, "bu HOA 0"); /* a binding exists: 1 s, not 1.5 */
	advance(w, 2000);
	expect(w, "bu HOA 0");
	/* refused: go on asking */
	ba(w, .status = BA_UNSPECIFIED);
	advance(w, 4000);
	expect(w, "bu HOA 0");
	/* with 133 there is none left to delete */
	ba(w, .status = BA_NOT_HOME_AGENT);
	expect(w, "route- 1 A1", "addr- 1 A1", "na 1 HOA");
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	world_free(w);
}
END_TEST

START_TEST(return_home_until_expiry)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	advance(w, 599000);
	ck_assert_int_eq(info(w).registration, MN_REG_DEREGISTERING);
	advance(w, 2000);
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	forget(w);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	world_free(w);
}
END_TEST

START_TEST(return_home_after_expiry)
{
	struct world *w = away_at_a();

	down(w, 1);
	advance(w, 600000);
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	/* RFC 6275 11.5.5: "it SHOULD perform DAD" */
	expect(w, "bupath-", "home 1 HR dad go", "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(leave_home_before_the_answer)
{
	struct world *w = away_at_a();
	uint16_t seq;

	down(w, 1);
	up(w, 1);
	ra_home(w, 1);
	seq = w->seq;
	advance(w, 100);
	down(w, 1);
	up(w, 1);
	ra_b(w, 1);
	ck_assert_str_eq(name_of(&w->bu_coa), "B1");
	ba(w, .seq = GIVEN(seq), .direct = true); /* too late */
	ck_assert_int_eq(info(w).registration, MN_REG_REFRESHING);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

START_TEST(home_link_event_at_home)
{
	struct world *w = world_new();
	struct in6_addr hr = named("HR");

	start(w);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	up(w, 1);
	expect(w, "ll 1 opt", "rs 1 ::", "home 1 HR hold");
	ra_home(w, 1);
	expect(w, "home 1 HR go");
	/* another router of the home link takes over */
	ra_home_other(w, 1);
	expect_nothing(w);
	mn_neighbour_event(w->mn, 1, &hr, false);
	expect(w, "home 1 RC go");
	world_free(w);
}
END_TEST

START_TEST(home_address_duplicate)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	address(w, 1, "HOA", MN_ADDR_DUPLICATE);
	ck_assert_uint_eq(w->events[EV_ADDRESS_DUPLICATE], 1);
	world_free(w);
}
END_TEST

/*
 * The L bit: the home agent defends the link-local address too, so DAD must
 * not run for it at home (11.5.5), and at a new link only when that is known
 * not to be home.
 */
START_TEST(link_local_compatibility)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	address(w, 1, "fe80::100", MN_ADDR_READY);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1 600 L"), 1);
	ba(w);
	forget(w);
	down(w, 1);
	up(w, 1);
	expect(w, "tunnel none hold", "rs 1 ::");
	ra_b(w, 1);
	ck_assert_str_eq(w->lines[w->n - 1], "ll 1 opt");
	address(w, 1, "fe80::100", MN_ADDR_READY);
	ba(w);
	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	ck_assert_uint_eq(count(w, "bu HOA 0 L"), 1);
	ck_assert_uint_eq(count(w, "ll 1"), 0);
	forget(w);
	ba(w);
	expect(w, "route- 1 B1", "addr- 1 B1", "na 1 HOA", "na 1 fe80::100");
	world_free(w);
}
END_TEST

/* ---- other Mobility Headers ---- */

START_TEST(binding_error)
{
	struct world *w = away_at_a();
	struct mh_message m = {.type = MH_BE};
	uint8_t buf[64];
	size_t len;

	m.u.be.status = BE_UNKNOWN_BINDING;
	m.u.be.home_address = named("HOA");
	len = mh_build(&m, buf, sizeof(buf));
	mh_raw(w, "HA", buf, len); /* too soon after our update */
	advance(w, 2000);
	mh_raw(w, "RB", buf, len); /* no entry for the sender */
	expect_nothing(w);
	mh_raw(w, "HA", buf, len);
	expect(w, "bu A1 600");
	mh_raw(w, "HA", buf, len); /* one is outstanding */
	expect_nothing(w);
	advance(w, 5500); /* between two retransmissions */
	forget(w);
	mh_raw(w, "HA", buf, len);
	expect_nothing(w);
	ba(w);
	advance(w, 2000);
	m.u.be.status = BE_UNKNOWN_MH_TYPE;
	len = mh_build(&m, buf, sizeof(buf));
	mh_raw(w, "HA", buf, len);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(binding_refresh_request)
{
	struct world *w = away_at_a();
	struct mh_message m = {.type = MH_BRR};
	uint8_t buf[64];
	size_t len = mh_build(&m, buf, sizeof(buf));

	advance(w, 5000);
	mh_raw(w, "RB", buf, len);
	expect_nothing(w);
	mh_raw(w, "HA", buf, len);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

START_TEST(unknown_and_malformed)
{
	struct world *w = away_at_a();
	static const uint8_t unknown[] = {59, 0, 99, 0, 0, 0, 0, 0};
	static const uint8_t cut[] = {59, 1, 6, 0, 0, 0, 0, 0};
	static const uint8_t proto[] = {58, 0, 0, 0, 0, 0, 0, 0};
	struct mip6_packet p = {.src = named("HOA"),
		.src_coa = named("B2"),
		.dst = named("A1"),
		.flags = MIP6_PKT_HAO,
		.ifindex = 1,
		.data = unknown,
		.len = sizeof(unknown)};

	mh_raw(w, "B1", unknown, sizeof(unknown));
	expect(w, "be HOA>B1");
	ck_assert(in6_is_any(&w->be_home));
	/* to the address of the wire, naming the home address (RFC 6275 9.3.3) */
	mn_receive_mh(w->mn, &p);
	expect(w, "be A1>B2");
	ck_assert_str_eq(name_of(&w->be_home), "HOA");
	mh_raw(w, "ff02::1", unknown, sizeof(unknown));
	mh_raw(w, "::", unknown, sizeof(unknown));
	expect_nothing(w);
	for (int i = 0; i < 1000; i++)
		mh_raw(w, "B1", unknown, sizeof(unknown));
	ck_assert_uint_le(w->be_sent, 10);
	ck_assert_uint_ge(w->be_sent, 5);
	forget(w);
	mh_raw(w, "B1", cut, sizeof(cut));
	mh_raw(w, "B1", proto, sizeof(proto));
	mh_raw(w, "B1", cut, 0);
	expect_nothing(w);
	ck_assert_uint_eq(mn_stats(w->mn)->malformed, 3);
	ck_assert_uint_eq(mn_stats(w->mn)->unknown_type, 1004);
	world_free(w);
}
END_TEST

/* Whatever comes, in whatever order: the invariants of this file, and no hold for ever. */
static void walk(unsigned seed)
{
	struct world *w = world_new();

	w->config.uplink = seed % 2 ? MN_UPLINK_CAUTIOUS : MN_UPLINK_OPTIMISTIC;
	w->config.optimistic_dad = seed % 3;
	w->config.eager = seed % 5 == 0;
	start(w);
	for (int n = 0; n < 400; n++) {
		int i = rand_r(&seed) % 2 + 1;
		static const char *const coas[] = {"A1", "A2", "B1", "B2", "HOA", "L1", "L2"};

		switch (rand_r(&seed) % 12) {
		case 0:
			up_(w, i, rand_r(&seed) % 2);
			break;
		case 1:
			down(w, i);
			break;
		case 2:
			ra_a(w, i);
			break;
		case 3:
			ra_b(w, i);
			break;
		case 4:
			ra_home(w, i);
			break;
		case 5:
			ra_home_other(w, i);
			break;
		case 6:
			address(w, i, coas[rand_r(&seed) % 7],
				(enum mn_address_state)(rand_r(&seed) % 5));
			break;
		case 7:
		case 8:
			if (w->bus)
				ba(w);
			break;
		case 9:
			if (w->bus)
				ba(w, .status = (uint8_t)(rand_r(&seed) % 256));
			break;
		case 10:
			na(w, i, "HA", "all-nodes", "HOA", false, 0x10);
			break;
		default:
			advance(w, rand_r(&seed) % 5000);
			break;
		}
		forget(w);
	}
	for (int n = 0; n < 60; n++) { /* all wounds heal */
		advance(w, 1000);
		forget(w);
	}
	ck_assert(!w->held);
	down(w, 1);
	down(w, 2);
	up(w, 1);
	ra_b(w, 1);
	{
		struct in6_addr coa = info(w).care_of, b = in6("2001:db8:b::");

		if (info(w).location == MN_NOWHERE) {
			address(w, 1, "B1", MN_ADDR_READY);
			coa = info(w).care_of;
		}
		ck_assert_int_eq(info(w).location, MN_AWAY);
		ck_assert(in6_in_prefix(&coa, &b, 64));
	}
	advance(w, 4000);
	ck_assert(!w->held);
	mn_shutdown(w->mn);
	advance(w, 8000);
	ck_assert(mn_idle(w->mn));
	world_free(w);
}

/* Ten in a process: with the sanitizers, a process that ends costs more than a walk. */
START_TEST(random_walk)
{
	for (unsigned n = 0; n < 10; n++)
		walk((unsigned)_i * 10 + n);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mobile node");
	TCase *tc;

	tc = tcase(s, "home");
	tcase_add_test(tc, start_at_home);
	tcase_add_test(tc, leave_home_and_return);
	tcase_add_test(tc, leave_home_make_before_break);
	tcase_add_test(tc, return_home_cautious);
	tcase_add_test(tc, return_home_by_solicitation);
	tcase_add_test(tc, return_home_nobody_defends);
	tcase_add_test(tc, return_home_other_path_until_known);
	tcase_add_test(tc, return_home_unanswered);
	tcase_add_test(tc, return_home_until_expiry);
	tcase_add_test(tc, return_home_after_expiry);
	tcase_add_test(tc, leave_home_before_the_answer);
	tcase_add_test(tc, home_link_event_at_home);
	tcase_add_test(tc, home_address_duplicate);
	tcase_add_test(tc, link_local_compatibility);
	tc = tcase(s, "other messages");
	tcase_add_test(tc, binding_error);
	tcase_add_test(tc, binding_refresh_request);
	tcase_add_test(tc, unknown_and_malformed);
	tc = tcase(s, "random walk");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_walk, 0, 30);
	return suite_run(s);
}
