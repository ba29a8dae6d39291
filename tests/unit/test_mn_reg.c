/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's core: registration. */
#include "tests/unit/mn_world.h"

/* ---- registration ---- */

START_TEST(retransmission)
{
	struct world *w = world_new();
	static const int64_t waits[] = {1500, 3000, 6000, 12000, 24000, 32000, 32000, 32000};

	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		uint16_t seq = w->seq;

		advance(w, waits[i] - 1);
		expect_nothing(w);
		advance(w, 1);
		expect(w, "bu A1 600");
		ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
		ck_assert_int_eq(mono_diff_ms(w->now, w->bu_times[(w->bus - 1) % 1024]), 0);
	}
	ck_assert_uint_eq(info(w).retransmissions, 8);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* What has come by the home agent shows that the answer was lost, not the Binding Update. */
START_TEST(home_agent_heard)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 999);
	mn_home_agent_heard(w->mn);
	expect_nothing(w); /* as fast as 11.8 lets a back-off begin */
	advance(w, 1500 + 3000 + 2000 - 999);
	expect(w, "bu A1 600", "bu A1 600");
	mn_home_agent_heard(w->mn);
	expect(w, "bu A1 600");
	mn_home_agent_heard(w->mn);
	advance(w, 999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "bu A1 600");
	advance(w, 1999);
	expect_nothing(w);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	forget(w);
	advance(w, 2000);
	mn_home_agent_heard(w->mn);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(first_timeout_is_configurable)
{
	struct world *w = world_new();

	w->config.first_registration_timeout_ms = 700;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 700);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

/* The answer to an earlier transmission comes after the next one left. */
START_TEST(late_answer)
{
	struct world *w = world_new();
	uint16_t seq;

	start(w);
	up(w, 1);
	ra_a(w, 1);
	seq = w->seq;
	advance(w, 2000);
	ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
	ba(w, .seq = GIVEN(seq));
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_uint_eq(info(w).remaining_s, 598);
	forget(w);
	ba(w);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	world_free(w);
}
END_TEST

START_TEST(remaining_lifetime)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	advance(w, 1000);
	ba(w, .lifetime_s = GIVEN(400));
	/* counted from when the update was sent */
	ck_assert_uint_eq(info(w).remaining_s, 399);
	ck_assert_uint_eq(info(w).lifetime_s, 400);
	world_free(w);

	w = world_new();
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .lifetime_s = GIVEN(10000)); /* more than was asked for */
	ck_assert_uint_eq(info(w).remaining_s, 600);
	world_free(w);
}
END_TEST

START_TEST(refresh)
{
	struct world *w = away_at_a();
	uint16_t seq = w->seq;

	advance(w, 539000);
	expect_nothing(w);
	advance(w, 1000);
	expect(w, "bu A1 600");
	ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
	ck_assert_int_eq(info(w).registration, MN_REG_REFRESHING);
	/* four retransmissions fit in before the end */
	advance(w, 59000);
	ck_assert_uint_ge(count(w, "bu A1"), 4);
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 0);
	advance(w, 1000);
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 1);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	forget(w);
	advance(w, 32000);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

START_TEST(short_lifetime)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .lifetime_s = GIVEN(4));
	forget(w);
	for (int i = 0; i < 50; i++) {
		advance(w, 2000);
		expect(w, "bu A1 600");
		ba(w, .lifetime_s = GIVEN(4));
	}
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 0);
	world_free(w);
}
END_TEST

START_TEST(refresh_advice)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .advice_s = 100);
	forget(w);
	advance(w, 99999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "bu A1 600");
	ba(w, .advice_s = 600); /* not smaller than the lifetime: ignored */
	advance(w, 540000);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

START_TEST(accepted_for_no_time)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .lifetime_s = GIVEN(0));
	ck_assert_int_eq(info(w).registration, MN_REG_REFUSED);
	forget(w);
	advance(w, 59000);
	expect_nothing(w);
	advance(w, 1000);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

START_TEST(refusals)
{
	static const uint8_t statuses[] = {BA_UNSPECIFIED, BA_PROHIBITED, BA_RESOURCES,
		BA_NO_HOME_REGISTRATION, BA_NOT_HOME_SUBNET, BA_NOT_HOME_AGENT, BA_TYPE_CHANGE,
		BA_INVALID_COA, 200};

	for (size_t i = 0; i < sizeof(statuses); i++) {
		struct world *w = world_new();

		start(w);
		up(w, 1);
		ra_a(w, 1);
		ba(w, .status = statuses[i]);
		ck_assert_int_eq(info(w).registration, MN_REG_REFUSED);
		ck_assert_int_eq(info(w).last_status, statuses[i]);
		ck_assert_int_eq(w->last.type, EV_BA_REFUSED);
		ck_assert_int_eq(w->last.status, statuses[i]);
		forget(w);
		ra_a(w, 1);
		advance(w, 59000);
		expect_nothing(w); /* no hammering */
		advance(w, 1000);
		expect(w, "bu A1 600");
		ba(w, .status = statuses[i]);
		advance(w, 119000);
		expect_nothing(w);
		/* a move is a reason to try at once */
		up(w, 1);
		ra_b(w, 1);
		ck_assert_uint_eq(count(w, "bu B1"), 1);
		ba(w);
		ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
		world_free(w);
	}
}
END_TEST

/* RFC 6275 11.7.1: "MUST NOT attempt to re-use the same home address" */
START_TEST(home_address_lost)
{
	struct world *w = away_at_a();

	advance(w, 540000);
	ba(w, .status = BA_DAD_FAILED);
	forget(w);
	advance(w, 1000000);
	move_to_b(w);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	ck_assert(!w->held);
	/* at home, DAD may show that it is free again */
	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	ck_assert_uint_eq(count(w, "home 1 HR dad go"), 1);
	address(w, 1, "HOA", MN_ADDR_READY);
	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1 600"), 1);
	world_free(w);
}
END_TEST

START_TEST(sequence_out_of_window)
{
	struct world *w = away_at_a();
	uint16_t theirs;

	move_to_b(w);
	forget(w);
	theirs = (uint16_t)(w->seq + 1000);
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN(theirs));
	expect(w, "bu B1 600"); /* at once */
	ck_assert_uint_eq(w->seq, (uint16_t)(theirs + 1));
	/* the same answer again, late: no new update */
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN(theirs));
	expect_nothing(w);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	/* and when nothing is outstanding */
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN((uint16_t)(w->seq + 5)));
	expect(w, "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(sequence_loop)
{
	struct world *w = away_at_a();

	move_to_b(w);
	forget(w);
	for (int i = 0; i < 200; i++) {
		advance(w, 50);
		ba(w, .status = BA_SEQUENCE, .seq = GIVEN((uint16_t)(w->seq + 100)));
	}
	/* 10 s: three at once, then the pace of retransmissions */
	ck_assert_uint_le(count(w, "bu B1"), 7);
	world_free(w);
}
END_TEST

START_TEST(sequence_wrap)
{
	struct world *w = world_new();

	w->fixed_random = true;
	w->random_seq = 65534;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(w->seq, 65534);
	advance(w, 1500);
	ck_assert_uint_eq(w->seq, 65535);
	advance(w, 3000);
	ck_assert_uint_eq(w->seq, 0);
	ba(w, .seq = GIVEN(65535));
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	up(w, 1);
	ra_b(w, 1);
	ck_assert_uint_eq(w->seq, 1);
	/* what the home agent knows lies before the wrap: overtaken */
	forget(w);
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN(65535));
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(answers_that_are_not_ours)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	ba(w, .seq = GIVEN((uint16_t)(w->seq - 1)));
	ba(w, .seq = GIVEN((uint16_t)(w->seq + 1)));
	ba(w, .src = "RB");
	ba(w, .dst = "A1");
	ba(w, .direct = true); /* without type 2 routing header */
	expect_nothing(w);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	ck_assert_uint_eq(mn_stats(w->mn)->ba_ignored, 5);
	ba(w);
	ba(w); /* repeated */
	ck_assert_uint_eq(mn_stats(w->mn)->ba_ignored, 6);
	ck_assert_uint_eq(w->events[EV_REGISTERED], 1);
	world_free(w);
}
END_TEST

START_TEST(ipsec_required)
{
	struct world *w = world_new();

	w->config.require_ipsec = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	ck_assert_uint_eq(mn_stats(w->mn)->unprotected, 1);
	ba(w, .protected = true);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* MAX_UPDATE_RATE: three a second (also checked in each test); the latest wins. */
START_TEST(update_rate)
{
	struct world *w = away_at_a();

	advance(w, 5000);
	for (int i = 0; i < 10; i++) {
		up(w, 1);
		if (i % 2)
			ra_a(w, 1);
		else
			ra_b(w, 1);
	}
	up(w, 1);
	ra_b(w, 1);
	ck_assert_uint_eq(count(w, "bu "), 3);
	/* data does not overtake the Binding Update */
	ck_assert(w->held);
	forget(w);
	advance(w, 999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "bu B1 600", "tunnel B1 go");
	ba(w);
	ck_assert_str_eq(name_of(&w->last.care_of), "B1");
	world_free(w);
}
END_TEST

START_TEST(send_fails)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	w->fail_mh = -ENETUNREACH;
	ra_a(w, 1);
	ck_assert(w->held); /* nothing to follow */
	w->fail_mh = 0;
	forget(w);
	advance(w, 1500);
	expect(w, "bu A1 600", "tunnel A1 go");
	world_free(w);
}
END_TEST

/* No path: nothing is sent; the path's return sends what is due. */
START_TEST(nothing_is_sent_from_nowhere)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	down(w, 1);
	forget(w);
	ck_assert_int_eq(info(w).retransmit_in_ms, -1);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	ba(w);
	down(w, 1);
	advance(w, 550000); /* a refresh became due */
	forget(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}
END_TEST

START_TEST(status_1)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .status = BA_ACCEPTED_PREFIX);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_int_eq(info(w).last_status, BA_ACCEPTED_PREFIX);
	ck_assert_uint_eq(count(w, "mps A1"), 1);
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mobile node, registration");
	TCase *tc = tcase(s, "registration");

	tcase_add_test(tc, retransmission);
	tcase_add_test(tc, home_agent_heard);
	tcase_add_test(tc, first_timeout_is_configurable);
	tcase_add_test(tc, late_answer);
	tcase_add_test(tc, remaining_lifetime);
	tcase_add_test(tc, refresh);
	tcase_add_test(tc, short_lifetime);
	tcase_add_test(tc, refresh_advice);
	tcase_add_test(tc, accepted_for_no_time);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, home_address_lost);
	tcase_add_test(tc, sequence_out_of_window);
	tcase_add_test(tc, sequence_loop);
	tcase_add_test(tc, sequence_wrap);
	tcase_add_test(tc, answers_that_are_not_ours);
	tcase_add_test(tc, ipsec_required);
	tcase_add_test(tc, update_rate);
	tcase_add_test(tc, send_fails);
	tcase_add_test(tc, nothing_is_sent_from_nowhere);
	tcase_add_test(tc, status_1);
	return suite_run(s);
}
