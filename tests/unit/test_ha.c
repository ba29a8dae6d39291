/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent's core: registration. */
#include "tests/unit/ha_world.h"

/* ---- registration on a virtual home link ---- */

START_TEST(registers)
{
	struct ha_binding_info i;

	bu(.seq = 5, .life = 10); /* BU --> */
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\n" /* a promise kept before it is made */
	       "BA status 0 seq 5 life 10 to c1 for h1\n"); /* <-- BA */
	EXPECT_EVENTS("binding-new h1 status 0\n");
	i = find("h1");
	ck_assert_int_eq(i.state, HA_BINDING_ACTIVE);
	ck_assert_uint_eq(i.lifetime_s, 40);
	ck_assert_uint_eq(i.remaining_s, 40);
	ck_assert_uint_eq(i.seq, 5);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	ck_assert_uint_eq(ha_stats(w.ha)->registrations, 1);
	ck_assert_uint_eq(ha_stats(w.ha)->bu_accepted, 1);
}
END_TEST

START_TEST(refreshes)
{
	bu(.seq = 5, .life = 10);
	pass_s(30);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("put h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c1 for h1\n");
	EXPECT_EVENTS("binding-refreshed h1 status 0\n");
	pass_s(30); /* the first lifetime is over, the second is not */
	ck_assert(exists("h1"));
	ck_assert_uint_eq(find("h1").age_s, 60);
	ck_assert_uint_eq(ha_stats(w.ha)->refreshes, 1);
	pass_s(10);
	ck_assert(!exists("h1"));
}
END_TEST

START_TEST(moves)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 10, .care_of = "c2");
	/* One call moves it: nothing is taken away first. */
	EXPECT("fwd+ h1 > c2\nput h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c2 for h1\n");
	EXPECT_EVENTS("binding-moved h1 status 0\n");
	ck_assert_uint_eq(find("h1").moves, 1);
	ck_assert_uint_eq(ha_stats(w.ha)->moves, 1);
}
END_TEST

START_TEST(expires)
{
	bu(.seq = 5, .life = 10);
	forget();
	pass_ms(39999);
	EXPECT("");
	pass_ms(1);
	EXPECT("fwd- h1\ndel h1\n");
	EXPECT_EVENTS("binding-gone h1 (expired)\n");
	ck_assert_uint_eq(ha_count(w.ha), 0);
	ck_assert_uint_eq(ha_stats(w.ha)->expirations, 1);
}
END_TEST

/* The option wins over the source; the answer goes to the source all the same (9.5.4). */
START_TEST(alternate_care_of_address)
{
	bu(.seq = 5, .life = 10, .alt = "c2");
	EXPECT("fwd+ h1 > c2\nput h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
}
END_TEST

/* 10.3.1: "Regardless of the setting of the Acknowledge (A) bit" */
START_TEST(answers_without_a_bit)
{
	bu(.seq = 5, .life = 10, .no_flags = true, .flags = BU_F_H);
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
}
END_TEST

/* Flags of other RFCs, of no one, and those that we cannot honour, change nothing but what is clear in the BA. */
START_TEST(ignores_other_flags)
{
	bu(.seq = 5, .life = 10, .flags = 0xffff & ~(BU_F_L | BU_F_R));
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
	ck_assert_uint_eq(find("h1").flags, 0xffff & ~(BU_F_L | BU_F_R));
}
END_TEST

/* A source that is link-local is answered on the link it came from. */
START_TEST(answers_link_local_source)
{
	bu(.seq = 5, .life = 10, .care_of = "llsrc", .alt = "c1");
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\n"
	       "BA status 0 seq 5 life 10 to llsrc for h1 if 3\n");
}
END_TEST

/* ---- lifetime, status 1, refresh advice ---- */

START_TEST(lifetime_is_the_least)
{
	w.config.prefixes[0].valid_s = 8003;
	w.config.prefixes[0].preferred_s = 8003;
	w.config.max_lifetime_s = 8000;
	start();
	bu(.seq = 1, .life = 10);
	ck_assert_uint_eq(w.ba_life, 10); /* asked for */
	ck_assert_uint_eq(w.ba_status, 0);
	bu(.seq = 2, .life = 65535);
	ck_assert_uint_eq(w.ba_life, 2000); /* allowed, and as long as the prefix */
	ck_assert_uint_eq(w.ba_status, 1);
	pass_s(4001);
	bu(.seq = 3, .life = 65535); /* 4002 s left */
	ck_assert_uint_eq(w.ba_life, 1000);
	ck_assert_uint_eq(w.ba_status, 1);
	pass_s(3999); /* 3 s left, less than one unit: there is no such prefix any more */
	bu(.seq = 4, .life = 65535);
	ck_assert_uint_eq(w.ba_status, BA_NOT_HOME_SUBNET);
	ck_assert(exists("h1"));
	pass_s(1);
	ck_assert(!exists("h1"));
}
END_TEST

START_TEST(lifetime_is_never_zero)
{
	w.config.max_lifetime_s = 3;
	start();
	bu(.seq = 1, .life = 1);
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(w.ba_life, 1);
	bu(.seq = 2, .life = 100);
	ck_assert_uint_eq(w.ba_life, 1);
	bu(.seq = 3, .life = 1, .home = "h2");
	ck_assert_uint_eq(w.ba_life, 1);
	w.config.max_lifetime_s = 0;
	start();
	bu(.seq = 1, .life = 65535);
	ck_assert_uint_eq(w.ba_life, 65535);
}
END_TEST

static uint8_t status_with_prefix(uint32_t valid_s, uint32_t preferred_s, unsigned life)
{
	w.config.prefixes[0].valid_s = valid_s;
	w.config.prefixes[0].preferred_s = preferred_s;
	start();
	bu(.seq = 1, .life = life);
	return w.ba_status;
}

/* 10.3.1: deprecated, deprecated meanwhile, invalid at the end; in units of 4 s */
START_TEST(prefix_discovery_necessary)
{
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, UINT32_MAX, 10), 0);
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, 0, 10), 1);
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, 39, 10), 1);
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, 40, 10), 0);
	ck_assert_uint_eq(status_with_prefix(44, 44, 10), 0);
	ck_assert_uint_eq(status_with_prefix(43, 43, 10), 1);
	ck_assert_uint_eq(status_with_prefix(40, 40, 10), 1);
	ck_assert_uint_eq(w.ba_life, 10);
	ck_assert_uint_eq(status_with_prefix(20, 20, 10), 1);
	ck_assert_uint_eq(w.ba_life, 5);
}
END_TEST

/* The preferred lifetime counts down as well. */
START_TEST(prefix_gets_deprecated)
{
	w.config.prefixes[0].preferred_s = 100;
	start();
	bu(.seq = 1, .life = 10);
	ck_assert_uint_eq(w.ba_status, 0);
	pass_s(61);
	bu(.seq = 2, .life = 10);
	ck_assert_uint_eq(w.ba_status, 1);
	ck_assert_uint_eq(w.ba_life, 10); /* no impact on the lifetime */
}
END_TEST

START_TEST(longest_prefix_counts)
{
	add_prefix("2001:db8:1::/112", 40, 40);
	add_prefix("2001:db8::/32", 20, 20);
	start();
	bu(.seq = 1, .life = 100);
	ck_assert_uint_eq(w.ba_life, 10);
	pass_s(37); /* not valid any more: the one around it is */
	bu(.seq = 2, .life = 100);
	ck_assert_uint_eq(w.ba_status, BA_NOT_HOME_SUBNET); /* 3 s are left */
	pass_s(3);
	bu(.seq = 3, .life = 100);
	ck_assert_uint_eq(w.ba_life, 100);
}
END_TEST

START_TEST(refresh_advice)
{
	w.config.refresh_advice_s = 20;
	start();
	bu(.seq = 1, .life = 10); /* with a store: never */
	EXPECT("fwd+ h1 > c1\nput h1 seq 1 left 40\nBA status 0 seq 1 life 10 to c1 for h1\n");
	w.ops.store_put = NULL;
	w.ops.store_del = NULL;
	bu(.seq = 2, .life = 10);
	EXPECT("BA status 0 seq 2 life 10 to c1 for h1 advice 5\n");
	bu(.seq = 3, .life = 5); /* not less than the lifetime */
	EXPECT("BA status 0 seq 3 life 5 to c1 for h1\n");
	bu(.seq = 3, .life = 10);
	EXPECT("BA status 135 seq 3 life 0 to c1 for h1\n");
	bu(.seq = 4, .life = 0);
	EXPECT("fwd- h1\nBA status 0 seq 4 life 0 to c1 for h1\n");
	pass_s(10);
	ck_assert(!exists("h1"));
}
END_TEST

/* ---- sequence numbers ---- */

/* The example of 9.5.1: 15 was the last; 0 to 15 and 32783 to 65535 are not greater. */
START_TEST(sequence_numbers_of_the_rfc)
{
	static const struct {
		unsigned seq;
		bool accepted;
	} cases[] = {{0, false}, {1, false}, {14, false}, {15, false}, {16, true}, {17, true},
		{32782, true}, {32783, false}, {40000, false}, {65535, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start();
		bu(.seq = 15, .life = 10);
		forget();
		bu(.seq = cases[i].seq, .life = 10, .care_of = "c2");
		if (cases[i].accepted) {
			ck_assert_uint_eq(w.ba_status, 0);
			ck_assert_uint_eq(find("h1").seq, cases[i].seq);
		} else {
			/* the last accepted number; sent to where the Binding Update came from */
			EXPECT("BA status 135 seq 15 life 0 to c2 for h1\n");
			EXPECT_EVENTS("bu-refused h1 status 135 (sequence number out of window)\n");
			ck_assert_uint_eq(find("h1").seq, 15);
			ck_assert_uint_eq(REFUSED(BA_SEQUENCE), 1);
		}
	}
}
END_TEST

START_TEST(sequence_wraps)
{
	bu(.seq = 65534, .life = 10);
	for (unsigned i = 65535; i < 65536 + 5; i++) {
		bu(.seq = i, .life = 10);
		ck_assert_uint_eq(w.ba_status, 0);
	}
	ck_assert_uint_eq(find("h1").seq, 4);
	bu(.seq = 65535, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

/* "If the receiving node has no Binding Cache entry ... MUST accept any" */
START_TEST(any_first_sequence_number)
{
	bu(.seq = 40000, .life = 1);
	pass_s(4);
	bu(.seq = 40000, .life = 1);
	ck_assert_uint_eq(w.ba_status, 0);
}
END_TEST

/* 9.5.1 stores the number of a valid Binding Update, though 10.3.1 refuses it. */
START_TEST(refused_number_counts)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 10, .alt = "h1");
	EXPECT("put h1 seq 6 left 40\nBA status 174 seq 6 life 0 to c1 for h1\n");
	ck_assert_str_eq(care_of("h1"), "c1");
	bu(.seq = 6, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

/* ---- de-registration ---- */

START_TEST(deregisters_from_a_visited_link)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 0);
	EXPECT("fwd- h1\nput h1 seq 6 left 10 invalid\nBA status 0 seq 6 life 0 to c1 for h1\n");
	EXPECT_EVENTS("binding-gone h1 (de-registered)\n");
	ck_assert_int_eq(find("h1").state, HA_BINDING_INVALID);
	ck_assert_uint_eq(ha_count(w.ha), 0);
	ck_assert_uint_eq(ha_stats(w.ha)->deregistrations, 1);
	pass_ms(9999);
	EXPECT("");
	pass_ms(1);
	EXPECT("del h1\n");
	EXPECT_EVENTS("");
	ck_assert(!exists("h1"));
	ck_assert_uint_eq(ha_stats(w.ha)->expirations, 0);
}
END_TEST

/* A delayed older Binding Update, 10.3.2. */
START_TEST(deregistration_race)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 7, .life = 0, .no_hao = true); /* from home */
	EXPECT("fwd- h1\nput h1 seq 7 left 10 invalid\nBA status 0 seq 7 life 0 to h1\n");
	pass_s(9);
	bu(.seq = 6, .life = 10, .care_of = "c2"); /* sent before, arrives after */
	EXPECT("BA status 135 seq 7 life 0 to c2 for h1\n");
	ck_assert_int_eq(find("h1").state, HA_BINDING_INVALID);
	pass_s(1);
	ck_assert(!exists("h1"));
}
END_TEST

/* The acknowledgement was lost: the repetition succeeds, and 10 s count anew. */
START_TEST(deregistration_repeated)
{
	bu(.seq = 5, .life = 10);
	bu(.seq = 6, .life = 0);
	forget();
	pass_s(8);
	bu(.seq = 7, .life = 0);
	EXPECT("put h1 seq 7 left 10 invalid\nBA status 0 seq 7 life 0 to c1 for h1\n");
	EXPECT_EVENTS("");
	pass_s(9);
	ck_assert(exists("h1"));
	bu(.seq = 7, .life = 0); /* the network's repetition */
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
	pass_s(1);
	ck_assert(!exists("h1"));
	ck_assert_uint_eq(ha_stats(w.ha)->deregistrations, 1);
}
END_TEST

START_TEST(registers_again_while_invalid)
{
	bu(.seq = 5, .life = 10);
	bu(.seq = 6, .life = 0);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("BA status 135 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 7, .life = 10);
	EXPECT("fwd+ h1 > c1\nput h1 seq 7 left 40\nBA status 0 seq 7 life 10 to c1 for h1\n");
	ck_assert_uint_eq(ha_count(w.ha), 1);
	pass_s(11);
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

/* ---- events ---- */

START_TEST(event_names)
{
	for (int t = EV_BINDING_NEW; t <= EV_BAD_PACKET; t++) {
		const char *name = mip6_event_name((enum mip6_event_type)t);

		ck_assert_str_ne(name, "unknown");
		for (int u = EV_BINDING_NEW; u < t; u++)
			ck_assert_str_ne(name, mip6_event_name((enum mip6_event_type)u));
	}
	ck_assert_str_eq(mip6_event_name((enum mip6_event_type)9999), "unknown");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("registration");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, registers);
	tcase_add_test(t, refreshes);
	tcase_add_test(t, moves);
	tcase_add_test(t, expires);
	tcase_add_test(t, alternate_care_of_address);
	tcase_add_test(t, answers_without_a_bit);
	tcase_add_test(t, ignores_other_flags);
	tcase_add_test(t, answers_link_local_source);
	tcase_add_test(t, lifetime_is_the_least);
	tcase_add_test(t, lifetime_is_never_zero);
	tcase_add_test(t, prefix_discovery_necessary);
	tcase_add_test(t, prefix_gets_deprecated);
	tcase_add_test(t, longest_prefix_counts);
	tcase_add_test(t, refresh_advice);
	tcase_add_test(t, sequence_numbers_of_the_rfc);
	tcase_add_test(t, sequence_wraps);
	tcase_add_test(t, any_first_sequence_number);
	tcase_add_test(t, refused_number_counts);
	tcase_add_test(t, deregisters_from_a_visited_link);
	tcase_add_test(t, deregistration_race);
	tcase_add_test(t, deregistration_repeated);
	tcase_add_test(t, registers_again_while_invalid);
	tcase_add_test(t, event_names);
	return run_case("home agent", t);
}
