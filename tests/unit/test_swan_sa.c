/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipsec-glue/swan.h: SAs that change, connections that are not as they should be, moves. */
#include "tests/unit/swan_world.h"

#define COA2 "2001:db8:b::1"

/* ---- the owner ---- */

static int source(const char *care_of)
{
	struct swan_ref r = ref_of(IPSEC_SIGNAL);
	struct in6_addr a = in6(care_of);

	return swan_source(w.swan, &r.home_address, &r.home_agent, &a);
}

/* ---- SAs change ---- */

START_TEST(test_rekey)
{
	add_sa(SIGNAL_SA(1));
	pass(0);
	told();
	event_old = SIGNAL_SA(1);
	event_sa = SIGNAL_SA(4);
	reply(VICI_EVENT, "child-rekey", rekey_message);
	pass(9900);
	ck_assert_str_eq(told(), "signal 104/204 " HOA " " HA ";");
	pass(200);
	ck_assert_str_eq(told(), "stale signal 101/201;");
}
END_TEST

/* Two pairs at once: the newest counts, and the other when it goes. */
START_TEST(test_two)
{
	add_sa(SIGNAL_SA(9));
	add_sa(SIGNAL_SA(4));
	pass(0);
	ck_assert_str_eq(told(), "signal 109/209 " HOA " " HA ";connected;");
	event(false, SIGNAL_SA(9));
	ck_assert_str_eq(told(), "signal 104/204 " HOA " " HA ";");
	for (unsigned n = 20; n < 40; n++)
		event(true, SIGNAL_SA(n));
	told();
	for (unsigned n = 39; n >= 20; n--)
		event(false, SIGNAL_SA(n));
	ck_assert_ptr_nonnull(strstr(told(), "signal none;"));
}
END_TEST

/* Other people's connections, and SAs that are none. */
START_TEST(test_not_ours)
{
	struct paper_sa other = SIGNAL_SA(1), gone = SIGNAL_SA(2), no_spi = SIGNAL_SA(3);

	gone.state = "DELETED";
	add_sa(gone);
	pass(0);
	other.connection = "other";
	event(true, other);
	other = SIGNAL_SA(1);
	other.child = "other";
	event(true, other);
	no_spi.spi_out = 0;
	event(true, no_spi);
	ck_assert_str_eq(told(), "connected;");
	ck_assert_str_eq(w.complaints, "");
}
END_TEST

START_TEST(test_wrong_reqid)
{
	struct paper_sa sa = SIGNAL_SA(1);

	pass(0);
	told();
	sa.reqid = 12;
	paper.ike_state = "ESTABLISHED";
	event(true, sa);
	event(true, sa);
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(w.complaints, "child \"signal\" of connection \"home\" has the reqid 12; "
				       "set reqid = 1 in swanctl.conf\n");
}
END_TEST

START_TEST(test_wrong_ends)
{
	struct swan_ref r = ref_of(IPSEC_DATA);
	struct paper_sa sa = {1, 2, 0x11, 0x22, "home", "data", NULL};

	r.arrangement = IPSEC_BY_HOME_ADDRESS;
	ck_assert_int_eq(swan_watch(w.swan, &r), 0);
	pass(0);
	told();
	paper.ike_state = "ESTABLISHED";
	event(true, sa);
	ck_assert_str_eq(told(), "");
	ck_assert_ptr_nonnull(strstr(
		w.complaints, "is between " COA " and " HA "; its IKE_SA has to be between home"));
	paper.ike_local = HOA;
	event(true, sa);
	ck_assert_str_eq(told(), "data 11/22 " HOA " " HA ";");
}
END_TEST

/* ---- the configuration ---- */

static void check_complaint(const char *text)
{
	pass(0);
	ck_assert_msg(strstr(w.complaints, text), "not \"%s\" but \"%s\"", text, w.complaints);
	ck_assert_ptr_null(strchr(strchr(w.complaints, '\n') + 1, '\n'));
}

START_TEST(test_good_conf)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	paper.node_ts[1] = HOA "/128"; /* all protocols */
	paper.data_ts = "2001:db8:1::/64";
	pass(60000);
	ck_assert_str_eq(w.complaints, "");
}
END_TEST

START_TEST(test_no_child)
{
	paper.has_signal = false;
	check_complaint("strongSwan has no connection \"home\" with a child \"signal\"");
	pass(60000);
	paper.has_signal = true;
	paper.mode = "TUNNEL";
	pass(30000); /* it is looked at again */
	ck_assert_ptr_nonnull(strstr(w.complaints, "mode = transport_proxy"));
}
END_TEST

START_TEST(test_wrong_mode)
{
	paper.mode = "TRANSPORT";
	check_complaint("has the mode TRANSPORT; set mode = transport_proxy in swanctl.conf");
}
END_TEST

START_TEST(test_wrong_ts)
{
	static const struct {
		int side, which;
		const char *ts, *complaint;
	} bad[] = {{0, 0, "dynamic",
			   "the local-ts of child \"signal\" of connection \"home\" does not cover "
			   "Mobility"},
		{0, 1, HA "/128[ipv6-icmp]",
			"set local_ts = " HOA "/128[135]," HOA "/128[ipv6-icmp]"},
		{1, 0, HA "/128[udp]",
			"remote-ts of child \"signal\" of connection \"home\" does not cover "
			"Mobility"},
		{1, 1, HOA "/128[ipv6-icmp]",
			"set remote_ts = " HA "/128[135]," HA "/128[ipv6-icmp]"}};

	(bad[_i].side ? paper.agent_ts : paper.node_ts)[bad[_i].which] = bad[_i].ts;
	check_complaint(bad[_i].complaint);
}
END_TEST

#define N_BAD_TS 4

START_TEST(test_wrong_data_ts)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	paper.data_ts = "2001:db8:1::101/128";
	check_complaint("set local_ts = " HOA "/128 and remote_ts = ::/0");
}
END_TEST

/* ---- moves ---- */

START_TEST(test_follows)
{
	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	ck_assert_int_eq(source(COA2), 0);
	pass(1900);
	ck_assert_str_eq(asked(), "");
	paper.ike_local = COA2;
	pass(60000);
	ck_assert_str_eq(asked(), "");
}
END_TEST

START_TEST(test_does_not_follow)
{
	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(source(COA), 0);
	pass(10000);
	ck_assert_str_eq(asked(), "");
	ck_assert_int_eq(source(COA2), 0);
	pass(1900);
	ck_assert_str_eq(asked(), "");
	pass(200);
	ck_assert_str_eq(asked(), "terminate ;ike-id 7;timeout -1;force yes;initiate signal;");
}
END_TEST

/* Begun from an address that is gone: anew at once. */
START_TEST(test_moved_while_connecting)
{
	ck_assert_int_eq(source(COA), 0);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(500);
	ck_assert_str_eq(asked(), "initiate signal;");
	ck_assert_int_eq(source(COA2), 0);
	pass(0);
	ck_assert_str_eq(asked(), "terminate ;ike-id 7;timeout -1;force yes;initiate signal;");
}
END_TEST

int main(void)
{
	const TTest *const all[] = {test_rekey, test_two, test_not_ours, test_wrong_reqid,
		test_wrong_ends, test_good_conf, test_no_child, test_wrong_mode, test_wrong_ts,
		test_wrong_data_ts, test_follows, test_does_not_follow,
		test_moved_while_connecting};

	return RUN_LOOPED("swan, SAs", all, setup_up, teardown, test_wrong_ts, N_BAD_TS);
}
