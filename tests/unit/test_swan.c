/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipsec-glue/swan.h: in which order things start, what is needed, and how it ends. */
#include "tests/unit/swan_world.h"

/* ---- the paper strongSwan ---- */

static void die(void)
{
	close(paper.peer);
	close(paper.listener);
	paper.peer = paper.listener = -1;
	paper.n_sas = 0;
	paper.ike_state = NULL;
}

/* ---- start order ---- */

START_TEST(test_late_start)
{
	ck_assert_int_eq(watch(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(5000);
	ck_assert_str_eq(told(), "");
	ck_assert_ptr_nonnull(strstr(w.complaints, "is strongSwan running?"));
	listen_now();
	pass(2100);
	ck_assert_str_eq(told(), "connected;");
	ck_assert_str_eq(asked(), "initiate signal;");
}
END_TEST

START_TEST(test_sas_are_there_already)
{
	add_sa(SIGNAL_SA(1));
	pass(0);
	ck_assert_str_eq(told(), "signal 101/201 " HOA " " HA ";connected;");
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(60000);
	ck_assert_str_eq(asked(), "");
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(w.complaints, "");
}
END_TEST

/* What is watched later is listed too, and connected is said once. */
START_TEST(test_watched_later)
{
	add_sa(SIGNAL_SA(1));
	add_sa((struct paper_sa){3, 2, 0x103, 0x203, "home", "data", NULL});
	pass(0);
	told();
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	ck_assert_int_eq(watch(IPSEC_DATA), -EEXIST);
	pass(20);
	ck_assert_str_eq(told(), "data 103/203 " COA " " HA ";");
}
END_TEST

/* kill -9: what it made serves on; a new one makes others; the old ones are named. */
START_TEST(test_killed)
{
	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	told();
	die();
	pass(3000);
	ck_assert_str_eq(told(), "disconnected;");
	listen_now();
	pass(2100);
	ck_assert_str_eq(told(), "connected;");
	ck_assert_str_eq(asked(), "initiate signal;");
	paper.ike_state = "ESTABLISHED";
	event(true, SIGNAL_SA(2));
	pass(10);
	ck_assert_str_eq(told(), "signal 102/202 " HOA " " HA ";stale signal 101/201;");
}
END_TEST

/* ---- what is needed ---- */

START_TEST(test_initiate)
{
	struct swan_stats s;

	pass(0);
	ck_assert_str_eq(asked(), "");
	ck_assert_int_eq(need(IPSEC_DATA), -ENOENT);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	ck_assert_str_eq(asked(), "initiate signal;");
	paper.ike_state = "ESTABLISHED";
	event(true, SIGNAL_SA(1));
	paper.sas[paper.n_sas++] = SIGNAL_SA(1);
	ck_assert_str_eq(told(), "connected;signal 101/201 " HOA " " HA ";");
	pass(100000);
	ck_assert_str_eq(asked(), "");
	swan_stats(w.swan, &s);
	ck_assert(s.connected && s.watched == 1 && s.up == 1 && s.initiated == 1 && s.lost == 0);
}
END_TEST

/* strongSwan gave up: again and again, ever more slowly.  As long as it tries itself it is left alone. */
START_TEST(test_again)
{
	unsigned n = 0;

	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(200);
	ck_assert_str_eq(asked(), "initiate signal;");
	pass(100000);
	ck_assert_str_eq(asked(), "");
	paper.ike_state = NULL;
	paper.gives_up = true;
	pass(30010);
	ck_assert_str_eq(asked(), "initiate signal;");
	pass(300000);
	for (const char *at = asked(); (at = strchr(at, ';')); at++)
		n++;
	ck_assert_uint_eq(n, 10);
}
END_TEST

START_TEST(test_signal_first)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(10000);
	ck_assert_str_eq(asked(), "initiate signal;");
	add_sa(SIGNAL_SA(1));
	event(true, SIGNAL_SA(1));
	pass(200);
	ck_assert_str_eq(asked(), "initiate data;");
}
END_TEST

START_TEST(test_lost)
{
	struct swan_stats s;

	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	told();
	paper.n_sas = 0;
	event(false, SIGNAL_SA(1));
	ck_assert_str_eq(told(), "signal none;");
	pass(200);
	ck_assert_str_eq(told(), "stale signal 101/201;");
	ck_assert_str_eq(asked(), "initiate signal;");
	swan_stats(w.swan, &s);
	ck_assert(s.up == 0 && s.lost == 1);
}
END_TEST

#define DATA_SA(n)                      \
	((struct paper_sa){.id = (n),   \
		.reqid = 2,             \
		.spi_in = 0x100 + (n),  \
		.spi_out = 0x200 + (n), \
		.connection = "home",   \
		.child = "data"})

static int leave(void)
{
	struct swan_ref r = ref_of(IPSEC_SIGNAL);

	return swan_leave(w.swan, &r.home_address, &r.home_agent);
}

/* One IKE_SA for both: it ends once, as strongSwan likes, and nothing is made again. */
START_TEST(test_leave)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	add_sa(SIGNAL_SA(5));
	add_sa(DATA_SA(6));
	ck_assert_int_eq(leave(), -ENOENT); /* not needed: others may have made it */
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	pass(0);
	told();
	ck_assert_int_eq(leave(), 0);
	pass(0);
	ck_assert_str_eq(asked(), "terminate home;ike-id ;timeout -1;force ;");
	paper.n_sas = 0;
	event(false, SIGNAL_SA(5));
	event(false, DATA_SA(6));
	pass(0);
	ck_assert_str_eq(told(), "signal none;stale signal 105/205;data none;stale data 106/206;");
	pass(60000);
	ck_assert_str_eq(asked(), "");
	ck_assert_int_eq(leave(), -ENOENT);
}
END_TEST

/* It is waited for, and what had been replaced goes with it. */
START_TEST(test_end)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	add_sa(SIGNAL_SA(5));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	pass(0);
	event_old = SIGNAL_SA(5);
	event_sa = SIGNAL_SA(6);
	reply(VICI_EVENT, "child-rekey", rekey_message);
	pass(0);
	told();
	asked();
	paper.ends_slowly = true;
	swan_end(w.swan, IPSEC_DATA);
	ck_assert(!swan_ending(w.swan));
	swan_end(w.swan, IPSEC_SIGNAL);
	swan_end(w.swan, IPSEC_SIGNAL); /* once is enough */
	pass(100);
	ck_assert_str_eq(asked(), "terminate home;ike-id ;timeout 2000;force yes;");
	ck_assert(swan_ending(w.swan));
	event(false, SIGNAL_SA(6));
	pass(0);
	ck_assert_str_eq(told(), "signal none;stale signal 106/206;");
	reply(VICI_RESPONSE, NULL, NULL);
	swan_read(w.swan);
	ck_assert(!swan_ending(w.swan));
	ck_assert_str_eq(told(), "stale signal 105/205;");
}
END_TEST

START_TEST(test_end_of_two_connections)
{
	struct swan_ref r = ref_of(IPSEC_DATA);

	strcpy(r.connection, "home-data");
	ck_assert_int_eq(swan_watch(w.swan, &r), 0);
	add_sa(SIGNAL_SA(5));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	pass(200);
	asked();
	swan_end(w.swan, IPSEC_DATA);
	pass(0);
	ck_assert_str_eq(asked(), "terminate home-data;ike-id ;timeout 2000;force yes;");
	ck_assert_int_eq(leave(), 0);
	pass(0);
	ck_assert_str_eq(asked(), "terminate home;ike-id ;timeout -1;force ;terminate "
				  "home-data;ike-id ;timeout -1;force ;");
}
END_TEST

/* What a strongSwan has made that is gone nobody else removes. */
START_TEST(test_end_without_strongswan)
{
	struct swan_stats s;

	add_sa(SIGNAL_SA(5));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	die();
	pass(0);
	told();
	swan_end(w.swan, IPSEC_SIGNAL);
	ck_assert(!swan_ending(w.swan));
	ck_assert_str_eq(told(), "stale signal 105/205;");
	swan_stats(w.swan, &s);
	ck_assert_uint_eq(s.up, 0);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {test_late_start, test_sas_are_there_already, test_watched_later,
		test_killed, test_initiate, test_again, test_signal_first, test_lost, test_leave,
		test_end, test_end_of_two_connections, test_end_without_strongswan};
	Suite *s = suite_create("swan");
	SRunner *r;
	int failed;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		TCase *t = tcase_create(all[i]->name);

		tcase_add_checked_fixture(
			t, all[i] == test_late_start ? setup : setup_up, teardown);
		tcase_add_test(t, all[i]);
		suite_add_tcase(s, t);
	}
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
