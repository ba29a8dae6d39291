/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node's core: restart and stop. */
#include "tests/unit/mn_world.h"

/* ---- restart and stop ---- */

START_TEST(restart_away)
{
	struct world *w = world_new();
	struct in6_addr old = named("A1");

	start(w);
	mn_restore(w->mn, &old, 65535, 300);
	up(w, 1);
	ra_b(w, 1);
	ck_assert_uint_eq(w->seq, 0);
	ck_assert_uint_eq(count(w, "bu B1 600"), 1);
	world_free(w);
}
END_TEST

START_TEST(restart_at_home)
{
	struct world *w = world_new();
	struct in6_addr old = named("A1");

	start(w);
	mn_restore(w->mn, &old, 7, 300);
	up(w, 1);
	ra_home(w, 1);
	/* the home agent may still defend the address: no DAD */
	expect(w, "rs 1 ::", "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0",
		"home 1 HR go");
	ck_assert_uint_eq(w->seq, 8);
	world_free(w);

	w = world_new();
	start(w);
	mn_restore(w->mn, &old, 7, 0);
	up(w, 1);
	ra_home(w, 1);
	expect(w, "rs 1 ::", "home 1 HR dad go");
	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(w->seq, 8); /* the number still counts */
	world_free(w);
}
END_TEST

START_TEST(stop_away)
{
	struct world *w = away_at_a();

	mn_shutdown(w->mn);
	expect(w, "bu A1 0");
	ck_assert(!mn_idle(w->mn));
	ba(w);
	expect(w, "tunnel none go", "bupath-", "route- 1 A1", "addr- 1 A1");
	ck_assert(mn_idle(w->mn));
	ck_assert_uint_eq(w->stored_remaining, 0);
	/* deaf */
	up(w, 1);
	ra_b(w, 1);
	ba(w);
	advance(w, 100000);
	expect_nothing(w);
	world_free(w);
}
END_TEST

/* Others say good-bye from this place before it goes. */
START_TEST(stop_path_stays)
{
	struct world *w = world_new();

	w->config.path_stays = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	forget(w);
	mn_end(w->mn); /* nothing has ended */
	expect_nothing(w);
	mn_shutdown(w->mn);
	expect(w, "bu A1 0");
	ba(w);
	expect_nothing(w);
	ck_assert(mn_idle(w->mn));
	up(w, 1);
	ra_b(w, 1);
	advance(w, 1000);
	expect_nothing(w);
	mn_end(w->mn);
	expect(w, "tunnel none go", "bupath-", "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(stop_unanswered)
{
	struct world *w = away_at_a();

	mn_shutdown(w->mn);
	advance(w, 3999);
	expect(w, "bu A1 0", "bu A1 0", "bu A1 0");
	advance(w, 1);
	expect(w, "tunnel none go", "bupath-", "route- 1 A1", "addr- 1 A1");
	ck_assert(mn_idle(w->mn));
	ck_assert_uint_gt(w->stored_remaining, 0);
	world_free(w);
}
END_TEST

START_TEST(stop_elsewhere)
{
	struct world *w = world_new();

	start(w);
	mn_shutdown(w->mn);
	ck_assert(mn_idle(w->mn));
	expect_nothing(w);
	mn_free(w->mn);
	start(w);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	mn_shutdown(w->mn);
	expect(w, "home- 1");
	ck_assert(mn_idle(w->mn));
	mn_free(w->mn);
	/* on the way home: the de-registration is waited for */
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	advance(w, 5000);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	mn_shutdown(w->mn);
	expect(w, "bu HOA 0");
	ba(w);
	ck_assert(mn_idle(w->mn));
	world_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mobile node, restart and stop");
	TCase *tc = tcase(s, "restart and stop");

	tcase_add_test(tc, restart_away);
	tcase_add_test(tc, restart_at_home);
	tcase_add_test(tc, stop_away);
	tcase_add_test(tc, stop_path_stays);
	tcase_add_test(tc, stop_unanswered);
	tcase_add_test(tc, stop_elsewhere);
	return suite_run(s);
}
