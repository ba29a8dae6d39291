/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/manager.h: how sessions end, get new keys, and outlive those who take part; what the store has by then. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm_world.h"

/* ---- the end ---- */

START_TEST(node_comes_back)
{
	struct vcm_message m = report_nodes(0, 1);

	begin_direct();
	say(GATEWAY, &m);
	ck_assert(world_until(none, 2000));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(w.ends[i].n_ends, 1);
		ck_assert_uint_eq(w.ends[i].n_closes, 1);
		ck_assert_int_lt(place_in_log(i, VCM_END), place_in_log(i, VCM_CLOSE));
	}
	ck_assert_int_eq(w.log[place_in_log(1, VCM_END)].m.reason, VCM_INSIDE);
	ck_assert_uint_eq(w.early, 0);
	world_run(400 * 1000);
	ck_assert(none());
	ck_assert(audited("node-inside gateway"));
	ck_assert(audited("session-ended inside"));
}
END_TEST

START_TEST(node_says_inside)
{
	struct vcm_message m = place(1, false);

	begin_direct();
	say(1, &m);
	ck_assert(world_until(none, 2000));
	ck_assert_uint_eq(w.ends[0].n_ends, 1);
	ck_assert(audited("node-inside node"));
}
END_TEST

/* CLOSE only when both have no outbound any more. */
START_TEST(deaf_at_the_end)
{
	uint64_t id = begin_direct();

	w.ends[1].deaf = true;
	vcm_manager_end_session(w.m, id, VCM_BY_HAND);
	world_run(10 * 60 * 1000);
	ck_assert_uint_eq(w.ends[0].n_ends, 1);
	ck_assert_uint_eq(w.ends[0].n_closes, 0);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_ENDING);
	w.ends[1].deaf = false;
	world_run(95 * 1000);
	ck_assert_uint_eq(w.ends[1].n_ends, 1);
	ck_assert_uint_eq(w.ends[0].n_closes, 1);
	ck_assert(none());
}
END_TEST

/* After a crash the manager would believe in a session that nobody has any more. */
START_TEST(down_that_is_not_stored)
{
	uint64_t id = begin_direct();

	w.store_broken = true;
	say_down(0, id, 1, VCM_PATH);
	world_run(100);
	ck_assert_int_eq(w.ends[0].last_status, VCM_NOT_READY);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_DIRECT);
	w.store_broken = false;
	say_down(0, id, 1, VCM_PATH);
	world_run(100);
	ck_assert_int_eq(w.ends[0].last_status, VCM_OK);
	ck_assert(none() || stored(0, 1)->state == VCM_S_ENDING);
}
END_TEST

START_TEST(deaf_for_ever)
{
	uint64_t id = begin_direct();

	w.ends[1].deaf = true;
	vcm_manager_end_session(w.m, id, VCM_BY_HAND);
	world_run(3600 * 1000);
	ck_assert_uint_eq(w.n_sessions, 1);
	world_run(61 * 1000);
	ck_assert(none());
}
END_TEST

static void goes_down(enum vcm_reason reason, bool again)
{
	uint64_t id = begin_direct();

	say_down(0, id, 1, reason);
	ck_assert(world_until(none, 1000));
	ck_assert_uint_eq(w.ends[0].n_ends, 0);
	ck_assert_uint_eq(w.ends[1].n_ends, 1);
	ck_assert_int_eq(w.log[place_in_log(1, VCM_END)].m.reason, reason);
	ck_assert_uint_eq(w.ends[0].n_closes, 1);
	world_run(3500);
	ck_assert(none());
	world_run(2000);
	ck_assert_int_eq(direct(), again);
}

START_TEST(down)
{
	static const enum vcm_reason once[] = {VCM_IDLE, VCM_INSIDE, VCM_BY_HAND, VCM_SHUTDOWN};

	if (_i < 4)
		goes_down(once[_i], false);
	else
		goes_down(VCM_PATH, true);
	ck_assert(audited("session-down"));
	ck_assert(audited(" by fd00:0:0:1::1\nsession-ended"));
	ck_assert_uint_eq(w.packets_ab, 11);
	ck_assert_uint_eq(w.packets_ba, 7);
}
END_TEST

START_TEST(revoked)
{
	ck_assert_int_eq(vcm_manager_revoke_node(w.m, &w.ends[0].internal, true), -ENOENT);
	begin_direct();
	ck_assert_int_eq(vcm_manager_revoke_node(w.m, &w.ends[0].internal, true), 0);
	ck_assert(world_until(none, 1000));
	ck_assert_int_eq(w.log[place_in_log(1, VCM_END)].m.reason, VCM_REVOKED);
	talk(0, 1);
	world_run(1000);
	ck_assert(none());
	ck_assert(audited("pair-refused revoked"));
	world_start_manager(true); /* is remembered */
	world_run(500);
	talk(0, 1);
	world_run(1000);
	ck_assert(none());
	ck_assert_int_eq(vcm_manager_revoke_node(w.m, &w.ends[0].internal, false), 0);
	begin_direct();
}
END_TEST

START_TEST(policy_changes)
{
	begin_direct();
	vcm_manager_policy_changed(w.m);
	world_run(500);
	ck_assert(direct());
	w.policy.allowed = false;
	vcm_manager_policy_changed(w.m);
	ck_assert(world_until(none, 1000));
	ck_assert_int_eq(w.log[place_in_log(1, VCM_END)].m.reason, VCM_POLICY);
}
END_TEST

START_TEST(not_ours_any_more)
{
	begin_direct();
	w.unknown[1] = true;
	vcm_manager_policy_changed(w.m);
	ck_assert(world_until(none, 1000));
	vcm_manager_policy_changed(w.m);
	ck_assert_uint_eq(w.n_contexts, 1);
	ck_assert_uint_eq(manager_stats().contexts, 1);
}
END_TEST

/* ---- new keys ---- */

static bool second_generation(void)
{
	return direct() && stored(0, 1)->generation == 2;
}

START_TEST(rekeys)
{
	struct vcm_message first;
	uint64_t id = begin_direct();

	first = w.ends[0].offer;
	world_run(2699 * 1000);
	ck_assert_uint_eq(stored(0, 1)->generation, 1);
	ck_assert(world_until(second_generation, 3000));
	world_run(200);
	ck_assert_uint_eq(stored(0, 1)->id, id);
	ck_assert_uint_eq(w.ends[0].n_ends, 0);
	ck_assert_uint_eq(w.ends[0].n_closes, 1);
	ck_assert_uint_eq(w.ends[1].n_closes, 1);
	ck_assert_uint_eq(w.log[place_in_log(0, VCM_CLOSE)].m.generation, 1);
	ck_assert_mem_ne(first.in.key, w.ends[0].offer.in.key, 36);
	ck_assert_uint_ne(first.in.spi, w.ends[0].offer.in.spi);
	ck_assert_uint_eq(w.ends[0].offer.lifetime_s, 3600);
	ck_assert_uint_eq(manager_stats().rekeys, 1);
}
END_TEST

/* The former keys are in use until both send by the next. */
START_TEST(rekey_closes_late)
{
	uint64_t id = begin_direct();

	w.ends[1].asleep = true;
	ck_assert_int_eq(vcm_manager_rekey(w.m, id), 0);
	world_run(500);
	say_session(1, VCM_READY, id, 2);
	world_run(500);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_DIRECT);
	ck_assert(stored(0, 1)->active_a && !stored(0, 1)->active_b);
	ck_assert_uint_eq(w.ends[0].n_closes, 0);
	say_session(1, VCM_ACTIVE, id, 2);
	world_run(500);
	ck_assert_uint_eq(w.ends[0].n_closes, 1);
	ck_assert_uint_eq(w.ends[1].n_closes, 1);
}
END_TEST

START_TEST(rekey_without_answer)
{
	begin_direct();
	world_run(2600 * 1000);
	w.ends[1].deaf = true;
	world_run(800 * 1000);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_REKEYING);
	ck_assert_uint_eq(w.ends[0].n_ends, 0);
	world_run(210 * 1000);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_ENDING);
	ck_assert_uint_eq(w.ends[0].n_ends, 1);
}
END_TEST

START_TEST(rekey_is_late)
{
	begin_direct();
	world_run(2600 * 1000);
	w.ends[1].deaf = true;
	world_run(300 * 1000);
	w.ends[1].deaf = false;
	world_run(40 * 1000);
	ck_assert(second_generation());
	ck_assert_uint_lt(w.ends[1].offer.lifetime_s, 3500); /* what is left */
	ck_assert_uint_gt(w.ends[1].offer.lifetime_s, 3300);
}
END_TEST

START_TEST(sequence_ends)
{
	uint64_t id = begin_direct();

	world_run(10 * 1000);
	say_down(0, id, 1, VCM_SEQUENCE);
	ck_assert(world_until(second_generation, 1000));
	say_down(0, id, 2, VCM_SEQUENCE); /* too soon: put off */
	world_run(1000);
	ck_assert_uint_eq(stored(0, 1)->generation, 2);
	world_run(5000);
	ck_assert_uint_eq(stored(0, 1)->generation, 3);
	ck_assert_uint_eq(w.ends[1].n_ends, 0);
}
END_TEST

/* It may have the next generation already: it has to be told. */
START_TEST(down_while_rekeying)
{
	uint64_t id = begin_direct();

	w.ends[1].asleep = true;
	ck_assert_int_eq(vcm_manager_rekey(w.m, id), 0);
	world_run(200);
	say_down(0, id, 1, VCM_IDLE);
	ck_assert(world_until(none, 1000));
	ck_assert_uint_eq(w.ends[0].n_ends, 1);
	ck_assert_uint_eq(w.ends[1].n_ends, 1);
}
END_TEST

START_TEST(rekey_by_another_policy)
{
	uint64_t id = begin_direct();

	w.policy.variant = VCM_ASYMMETRIC;
	ck_assert_int_eq(vcm_manager_rekey(w.m, id), 0);
	ck_assert(world_until(second_generation, 1000));
	ck_assert_int_ge(place_in_log(0, VCM_INVITE), 0);
	w.policy.allowed = false;
	ck_assert_int_eq(vcm_manager_rekey(w.m, id), -EPERM);
	ck_assert(world_until(none, 1000));
}
END_TEST

/* ---- somebody starts again ---- */

static void node_starts_again(bool managers_too)
{
	struct vcm_message m = place(0, true);
	uint64_t id = begin_direct();

	world_restart_end(0);
	if (managers_too)
		world_start_manager(true);
	say(0, &m);
	world_run(1500);
	ck_assert_uint_ge(w.ends[1].n_ends, 1);
	ck_assert(direct());
	ck_assert_uint_ne(stored(0, 1)->id, id);
	ck_assert(audited("node-restarted"));
	ck_assert_uint_eq(w.early, 0);
}

START_TEST(node_restarts)
{
	node_starts_again(false);
	ck_assert_uint_eq(w.ends[0].n_ends, 0);
	ck_assert_uint_eq(w.ends[0].n_closes, 0);
	ck_assert_uint_eq(w.ends[1].n_closes, 1);
}
END_TEST

START_TEST(node_and_manager_restart)
{
	node_starts_again(true);
}
END_TEST

START_TEST(manager_restarts)
{
	uint64_t id = begin_direct();
	size_t said = w.n_log;

	world_run(1000 * 1000);
	world_start_manager(true);
	world_run(2000);
	ck_assert(direct());
	ck_assert_uint_eq(stored(0, 1)->id, id);
	ck_assert_uint_eq(w.n_log, said); /* but HELLO */
	ck_assert_uint_eq(w.ends[0].restarts, 1);
	ck_assert_uint_eq(w.ends[1].restarts, 1);
	world_run(1690 * 1000); /* the lifetime goes on */
	ck_assert_uint_eq(stored(0, 1)->generation, 1);
	world_run(20 * 1000);
	ck_assert(second_generation());
}
END_TEST

START_TEST(policy_changed_meanwhile)
{
	begin_direct();
	w.policy.allowed = false;
	world_start_manager(true);
	ck_assert(world_until(none, 2000));
	ck_assert_int_eq(w.log[place_in_log(0, VCM_END)].m.reason, VCM_POLICY);
}
END_TEST

/* What leads to the former one is of no use. */
START_TEST(home_changes)
{
	uint64_t id = begin_direct();

	w.ends[0].home.s6_addr[15] = 77;
	talk(0, 1);
	world_run(2000);
	ck_assert(direct());
	ck_assert_uint_ne(stored(0, 1)->id, id);
	ck_assert(in6_equal(&w.ends[1].offer.peer_home, &w.ends[0].home));
}
END_TEST

START_TEST(manager_away_too_long)
{
	uint64_t id = begin_direct();

	w.dead = true;
	world_run(3700 * 1000);
	world_start_manager(true);
	world_run(10 * 1000);
	ck_assert(direct());
	ck_assert_uint_ne(stored(0, 1)->id, id);
}
END_TEST

START_TEST(gateway_restarts)
{
	begin_direct();
	world_restart_end(GATEWAY);
	talk(0, 1);
	world_run(2000);
	ck_assert(direct());
	ck_assert_uint_eq(w.ends[0].n_offers, 1);
	ck_assert(audited("gateway-restarted"));
}
END_TEST

/* The manager dies before any of its puts, and comes back: the session comes to be, once, and ends. */
START_TEST(crash)
{
	struct vcm_message in = report_nodes(0, 2);

	w.policy.variant = _i & 1 ? VCM_ASYMMETRIC : VCM_SYMMETRIC;
	w.die_at_put = 1 + (unsigned)_i / 2;
	talk(0, 1);
	world_run(2000);
	world_start_manager(true);
	world_run(15 * 1000);
	talk(0, 1);
	ck_assert(world_until(direct, 20 * 1000));
	ck_assert_uint_eq(w.n_sessions, 1);
	ck_assert_uint_eq(w.ends[0].offer.session, stored(0, 1)->id);
	ck_assert_uint_eq(w.ends[0].offer.in.spi, w.ends[1].offer.out.spi);
	ck_assert_mem_eq(w.ends[0].offer.in.key, w.ends[1].offer.out.key, 36);
	ck_assert_uint_eq(w.early, 0);
	w.puts = 0;
	w.die_at_put = 1 + (unsigned)_i / 2;
	say(GATEWAY, &in);
	world_run(2000);
	world_start_manager(true);
	world_run(5000);
	say(GATEWAY, &in);
	ck_assert(world_until(none, 100 * 1000));
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

/* Nothing leaves that the store does not have. */
START_TEST(store_is_broken)
{
	world_run(100);
	w.store_broken = true;
	talk(0, 1);
	world_run(1000);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_NOT_READY);
	ck_assert_uint_eq(w.ends[0].n_offers, 0);
	w.store_broken = false;
	begin_direct();
	w.store_broken = true;
	ck_assert_int_eq(vcm_manager_end_session(w.m, stored(0, 1)->id, VCM_BY_HAND), 0);
	world_run(5000);
	ck_assert_uint_eq(w.ends[0].n_ends, 0);
	w.store_broken = false;
	ck_assert(world_until(none, 3000));
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

START_TEST(bad_records)
{
	struct vcm_session_record good, r;
	struct vcm_context_record c = {.home = w.ends[0].home};

	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(500);
	good = *stored(0, 1);
	w.n_sessions = 0;
	world_start_manager(true);
	ck_assert_int_eq(vcm_manager_restore_context(w.m, &c), -EINVAL);
	for (int i = 0; i < 9; i++) {
		r = good;
		if (i == 0)
			r.id = 0;
		else if (i == 1)
			r.id |= 1ull << 63;
		else if (i == 2)
			r.state = VCM_S_DIRECT;
		else if (i == 3)
			r.secrets.key_len = VCM_KEY_MAX + 1;
		else if (i == 4)
			r.secrets.key_len = 0;
		else if (i == 5)
			memset(r.algorithm, 'a', sizeof(r.algorithm));
		else if (i == 6)
			r.a = r.b;
		else if (i == 7)
			r.b = w.manager;
		else
			r.state = 99;
		ck_assert_int_eq(vcm_manager_restore_session(w.m, &r), -EINVAL);
	}
	ck_assert_int_eq(vcm_manager_restore_session(w.m, &good), 0);
	ck_assert_int_eq(vcm_manager_restore_session(w.m, &good), -EEXIST);
	ck_assert_uint_eq(manager_stats().sessions, 1);
}
END_TEST

START_TEST(correspondents)
{
	struct vcm_message m = report_nodes(1, 0);

	for (int k = 0; k < 10; k++) {
		m.n_correspondents = 0;
		for (int i = 0; i < 8; i++) {
			struct in6_addr c = w.manager;

			c.s6_addr[15] = (uint8_t)(k * 8 + i);
			c.s6_addr[14] = 1;
			m.correspondents[m.n_correspondents++] = (struct vcm_correspondent_option){
				.node = w.ends[0].internal, .correspondent = c};
		}
		say(GATEWAY, &m);
		world_run(100);
		m.n_nodes = 0;
	}
	ck_assert_uint_eq(w.contexts[0].n_correspondents, 64);
	ck_assert_int_eq(w.contexts[0].correspondents[0].s6_addr[15], 64);
	world_start_manager(true);
	ck_assert_uint_eq(manager_stats().contexts, 1);
}
END_TEST

/* Whatever is lost or comes twice, the manager is left with a session that both use, or none. */
START_TEST(bad_network)
{
	struct vcm_message in = report_nodes(0, 1);

	w.dice = (uint64_t)_i * 7919 + 17;
	w.loss = w.twice = 30;
	w.policy.variant = _i & 1 ? VCM_ASYMMETRIC : VCM_SYMMETRIC;
	talk(0, 1);
	ck_assert(world_until(direct, 120 * 1000));
	ck_assert_uint_eq(w.ends[0].offer.in.spi, w.ends[1].offer.out.spi);
	say(GATEWAY, &in);
	ck_assert(world_until(none, 200 * 1000));
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vcm_manager_life");
	TCase *t = tcase_create("manager");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, world_begin, world_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, node_comes_back);
	tcase_add_test(t, node_says_inside);
	tcase_add_test(t, deaf_at_the_end);
	tcase_add_test(t, down_that_is_not_stored);
	tcase_add_test(t, deaf_for_ever);
	tcase_add_loop_test(t, down, 0, 5);
	tcase_add_test(t, revoked);
	tcase_add_test(t, policy_changes);
	tcase_add_test(t, not_ours_any_more);
	tcase_add_test(t, rekeys);
	tcase_add_test(t, rekey_closes_late);
	tcase_add_test(t, rekey_without_answer);
	tcase_add_test(t, rekey_is_late);
	tcase_add_test(t, sequence_ends);
	tcase_add_test(t, down_while_rekeying);
	tcase_add_test(t, rekey_by_another_policy);
	tcase_add_test(t, node_restarts);
	tcase_add_test(t, node_and_manager_restart);
	tcase_add_test(t, manager_restarts);
	tcase_add_test(t, policy_changed_meanwhile);
	tcase_add_test(t, home_changes);
	tcase_add_test(t, manager_away_too_long);
	tcase_add_test(t, gateway_restarts);
	tcase_add_loop_test(t, crash, 0, 24);
	tcase_add_test(t, store_is_broken);
	tcase_add_test(t, bad_records);
	tcase_add_test(t, correspondents);
	tcase_add_loop_test(t, bad_network, 0, 30);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
