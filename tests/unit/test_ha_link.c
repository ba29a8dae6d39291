/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent's core: on a home link. */
#include "tests/unit/ha_world.h"

/* ---- DAD and proxying ---- */

START_TEST(dad_then_answer)
{
	bu(.seq = 5, .life = 10); /* BU --> */
	EXPECT("hear+ h1\nNS h1\n");
	EXPECT_EVENTS("binding-new h1 (duplicate address detection)\n");
	ck_assert_int_eq(find("h1").state, HA_BINDING_DAD);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	pass_ms(999);
	EXPECT("");
	pass_ms(1);
	EXPECT("hear- h1\nfwd+ h1 > c1\nproxy+ h1\nNA h1\nput h1 seq 5 left 40\n"
	       "BA status 0 seq 5 life 10 to c1 for h1\n"); /* <-- BA */
	EXPECT_EVENTS("binding-new h1 status 0\n");
	pass_ms(999);
	EXPECT("");
	pass_ms(1001);
	EXPECT("NA h1\nNA h1\n");
	pass_s(5);
	EXPECT("");
	bu(.seq = 6, .life = 10, .care_of = "c2"); /* no DAD again */
	EXPECT("fwd+ h1 > c2\nput h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c2 for h1\n");
}
END_TEST

START_TEST(link_local_as_well)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	EXPECT("hear+ h1\nNS h1\nhear+ ll1\nNS ll1\n");
	pass_s(1);
	EXPECT("hear- h1\nhear- ll1\nfwd+ h1 > c1\nproxy+ h1\nproxy+ ll1\nNA h1\nNA ll1\n"
	       "put h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
	pass_s(2);
	EXPECT("NA h1\nNA ll1\nNA h1\nNA ll1\n");
	bu(.seq = 6, .life = 0);
	EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to c1 for h1\n");
}
END_TEST

/* The L bit comes or goes with a refresh. */
START_TEST(link_local_later)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 10, .flags = BU_F_L);
	EXPECT("hear+ ll1\nNS ll1\nput h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c1 for h1\n");
	pass_s(1);
	EXPECT("hear- ll1\nproxy+ ll1\nNA h1\nNA ll1\n");
	pass_s(5);
	forget();
	bu(.seq = 7, .life = 10);
	EXPECT("proxy- ll1\nput h1 seq 7 left 40\nBA status 0 seq 7 life 10 to c1 for h1\n");
	bu(.seq = 8, .life = 10, .flags = BU_F_L);
	EXPECT("hear+ ll1\nNS ll1\nput h1 seq 8 left 40\nBA status 0 seq 8 life 10 to c1 for h1\n");
	bu(.seq = 9, .life = 10);
	EXPECT("hear- ll1\nput h1 seq 9 left 40\nBA status 0 seq 9 life 10 to c1 for h1\n");
	pass_s(2);
	EXPECT("");
}
END_TEST

/* One link-local address for two home addresses: defended until the last is gone. */
START_TEST(link_local_shared)
{
	add_prefix("2001:db8:2::/64", UINT32_MAX, UINT32_MAX);
	start();
	bu(.seq = 5, .life = 100, .flags = BU_F_L);
	pass_s(5);
	forget();
	bu(.seq = 5, .life = 100, .flags = BU_F_L, .home = "h1b");
	EXPECT("hear+ h1b\nNS h1b\n"); /* the link-local address is ours already */
	pass_s(1);
	EXPECT("hear- h1b\nfwd+ h1b > c1\nproxy+ h1b\nNA h1b\nNA ll1\nput h1b seq 5 left 400\n"
	       "BA status 0 seq 5 life 100 to c1 for h1b\n");
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 0);
	EXPECT("proxy- h1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 6, .life = 0, .home = "h1b");
	EXPECT("proxy- h1b\nproxy- ll1\nfwd- h1b\nput h1b seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to c1 for h1b\n");
}
END_TEST

START_TEST(dad_fails_by_advertisement)
{
	bu(.seq = 5, .life = 10);
	forget();
	nd(.type = ICMP6T_NA, .target = "h1");
	EXPECT("hear- h1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
	EXPECT_EVENTS("address-duplicate h1 (in use on the home link)\n"
		      "binding-gone h1 (home address in use on the home link)\n"
		      "bu-refused h1 status 134 (duplicate address detection failed)\n");
	ck_assert_uint_eq(ha_stats(w.ha)->dad_failures, 1);
	ck_assert_uint_eq(REFUSED(BA_DAD_FAILED), 1);
	ck_assert(!exists("h1"));
	pass_s(10);
	EXPECT("");
}
END_TEST

START_TEST(dad_fails_by_solicitation)
{
	bu(.seq = 5, .life = 10);
	forget();
	nd(.type = ICMP6T_NS, .target = "h1");
	EXPECT("hear- h1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
}
END_TEST

START_TEST(dad_fails_for_the_link_local_address)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	forget();
	nd(.type = ICMP6T_NA, .target = "ll1");
	EXPECT("hear- h1\nhear- ll1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
}
END_TEST

/* The home address is ours; only what was asked for later is not to be had. */
START_TEST(late_link_local_address_is_taken)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	bu(.seq = 6, .life = 10, .flags = BU_F_L);
	forget();
	nd(.type = ICMP6T_NA, .target = "ll1");
	EXPECT("hear- ll1\n");
	EXPECT_EVENTS("address-duplicate h1 (in use on the home link)\n");
	pass_s(5);
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

START_TEST(dad_is_not_misled)
{
	bu(.seq = 5, .life = 10);
	forget();
	own_echo();
	nd(.type = ICMP6T_NA, .target = "h2"); /* another address */
	nd(.type = ICMP6T_NS, .target = "h1", .from = "llsrc"); /* resolution, not DAD */
	nd(.type = ICMP6T_NS, .target = "h1", .to = "h1"); /* not valid, RFC 4861 7.1.1 */
	nd(.type = ICMP6T_NS, .target = "h1", .slla = true);
	nd(.type = ICMP6T_NA, .target = "h1",
		.solicited = true); /* 7.1.2: multicast and solicited */
	nd(.type = ICMP6T_NA, .target = "h1", .hop_limit = 254);
	nd(.type = ICMP6T_NS, .target = "h1", .hop_limit = 64);
	nd(.type = ICMP6T_NA, .target = "h1", .ifindex = OTHER_IF);
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_DAD);
	pass_s(1);
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
	forget();
	nd(.type = ICMP6T_NA, .target = "h1"); /* too late, and possibly ourselves */
	nd(.type = ICMP6T_NS, .target = "h1");
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

/* An echo of one test is not an objection to another test of the same link-local address. */
START_TEST(echo_of_a_shared_link_local_address)
{
	add_prefix("2001:db8:2::/64", UINT32_MAX, UINT32_MAX);
	start();
	bu(.seq = 5, .life = 100, .flags = BU_F_L);
	bu(.seq = 5, .life = 100, .flags = BU_F_L, .home = "h1b");
	forget();
	own_echo();
	EXPECT("");
	nd(.type = ICMP6T_NA, .target = "ll1"); /* but somebody else's objection is one to both */
	ck_assert_uint_eq(REFUSED(BA_DAD_FAILED), 2);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

/* 11.8: the mobile node repeats itself, and it may move meanwhile. */
START_TEST(dad_goes_on_for_the_latest)
{
	bu(.seq = 5, .life = 10);
	pass_ms(600);
	forget();
	bu(.seq = 6, .life = 20);
	bu(.seq = 5, .life = 10); /* the network's repetition */
	EXPECT("BA status 135 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 7, .life = 30, .care_of = "c2");
	EXPECT("");
	pass_ms(400); /* the second counts from the first solicitation */
	EXPECT("hear- h1\nfwd+ h1 > c2\nproxy+ h1\nNA h1\nput h1 seq 7 left 120\n"
	       "BA status 0 seq 7 life 30 to c2 for h1\n");
	ck_assert_uint_eq(w.n_ba, 2);
}
END_TEST

/* Nor is an address tested that is not asked for any more. */
START_TEST(link_local_given_up_during_dad)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("hear- ll1\n");
	nd(.type = ICMP6T_NA, .target = "ll1");
	pass_ms(500);
	bu(.seq = 7, .life = 10, .flags = BU_F_L); /* and again: it gets its second */
	EXPECT("hear+ ll1\nNS ll1\n");
	pass_ms(999);
	EXPECT("");
	pass_ms(1);
	EXPECT("hear- h1\nhear- ll1\nfwd+ h1 > c1\nproxy+ h1\nproxy+ ll1\nNA h1\nNA ll1\n"
	       "put h1 seq 7 left 40\nBA status 0 seq 7 life 10 to c1 for h1\n");
}
END_TEST

/* One that was refused during DAD: its number counts, the older request stands. */
START_TEST(refused_during_dad)
{
	bu(.seq = 5, .life = 10);
	bu(.seq = 6, .life = 10, .alt = "ha");
	ck_assert_uint_eq(w.ba_status, BA_INVALID_COA);
	forget();
	pass_s(1);
	EXPECT("hear- h1\nfwd+ h1 > c1\nproxy+ h1\nNA h1\nput h1 seq 6 left 40\n"
	       "BA status 0 seq 5 life 10 to c1 for h1\n");
	bu(.seq = 6, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

START_TEST(deregistered_during_dad)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 0);
	EXPECT("hear- h1\nput h1 seq 6 left 10 invalid\nBA status 0 seq 6 life 0 to c1 for h1\n");
	pass_s(2);
	EXPECT("");
}
END_TEST

START_TEST(optimistic)
{
	w.config.optimistic = true;
	start();
	bu(.seq = 5, .life = 10);
	EXPECT("hear+ h1\nNS h1\nfwd+ h1 > c1\n");
	bu(.seq = 6, .life = 10, .care_of = "c2");
	EXPECT("fwd+ h1 > c2\n");
	pass_s(1);
	EXPECT("hear- h1\nproxy+ h1\nNA h1\nput h1 seq 6 left 40\n"
	       "BA status 0 seq 6 life 10 to c2 for h1\n");
}
END_TEST

START_TEST(optimistic_undone)
{
	w.config.optimistic = true;
	start();
	bu(.seq = 5, .life = 10);
	forget();
	nd(.type = ICMP6T_NA, .target = "h1");
	EXPECT("hear- h1\nfwd- h1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
}
END_TEST

START_TEST(optimistic_forwarding_fails)
{
	w.config.optimistic = true;
	start();
	w.forward_error = -ENOSPC;
	bu(.seq = 5, .life = 10);
	EXPECT("hear+ h1\nNS h1\nfwd+ h1 > c1\n");
	w.forward_error = 0;
	bu(.seq = 6, .life = 10);
	EXPECT("fwd+ h1 > c1\n");
	w.forward_error = -ENOSPC;
	bu(.seq = 7, .life = 10, .care_of = "c2");
	EXPECT("fwd+ h1 > c2\nfwd- h1\n"); /* rather nowhere than to the wrong place */
	pass_s(1);
	EXPECT("hear- h1\nfwd+ h1 > c2\ndel h1\nBA status 130 seq 7 life 0 to c2 for h1\n");
	ck_assert(!exists("h1"));
}
END_TEST

/* 10.3.2 and DAD: within the 10 s the number counts, and nobody defended the address. */
START_TEST(dad_again_while_invalid)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	bu(.seq = 6, .life = 0);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("BA status 135 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 7, .life = 10);
	EXPECT("hear+ h1\nNS h1\n");
	pass_s(1);
	EXPECT("hear- h1\nfwd+ h1 > c1\nproxy+ h1\nNA h1\nput h1 seq 7 left 40\n"
	       "BA status 0 seq 7 life 10 to c1 for h1\n");
}
END_TEST

/* The answer must not be forwarded to where the node is no more: all is undone before it. */
START_TEST(returns_home)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	EXPECT("proxy- h1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to h1 if 7\n");
	bu(.seq = 6, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	EXPECT("BA status 135 seq 6 life 0 to h1 if 7\n");
	pass_s(10);
	forget();
	bu(.seq = 7, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	EXPECT("BA status 133 seq 7 life 0 to h1 if 7\n");
}
END_TEST

/* A Home Address option that says the same as the source needs no routing header (9.5.4). */
START_TEST(returns_home_with_home_address_option)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 0, .care_of = "h1", .ifindex = HOME_IF);
	EXPECT("proxy- h1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to h1 if 7\n");
}
END_TEST

/* Advertisements stop with the binding. */
START_TEST(returns_home_at_once)
{
	bu(.seq = 5, .life = 10);
	pass_ms(1500);
	bu(.seq = 6, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	forget();
	pass_s(9);
	EXPECT("");
}
END_TEST

START_TEST(expires_on_the_link)
{
	bu(.seq = 5, .life = 1, .flags = BU_F_L);
	pass_s(4);
	forget();
	pass_s(1);
	EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\ndel h1\n");
}
END_TEST

/* The shortest lifetime counts from the answer: DAD does not eat it up. */
START_TEST(dad_and_the_shortest_lifetime)
{
	bu(.seq = 5, .life = 1);
	pass_s(1);
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(w.ba_life, 1);
	ck_assert_uint_eq(find("h1").remaining_s, 4);
}
END_TEST

/* The prefix ends while DAD runs. */
START_TEST(prefix_ends_during_dad)
{
	w.config.prefixes[0].valid_s = w.config.prefixes[0].preferred_s = 4;
	start();
	bu(.seq = 5, .life = 1);
	forget();
	pass_s(1);
	EXPECT("hear- h1\ndel h1\nBA status 132 seq 5 life 0 to c1 for h1\n");
}
END_TEST

START_TEST(proxying_fails)
{
	w.proxy_error = -ENOMEM;
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	pass_s(1);
	ck_assert_uint_eq(w.ba_status, 0);
	forget();
	w.proxy_error = 0;
	bu(.seq = 6, .life = 10, .flags = BU_F_L); /* repaired by the next refresh */
	EXPECT("proxy+ h1\nhear+ ll1\nNS ll1\nput h1 seq 6 left 40\n"
	       "BA status 0 seq 6 life 10 to c1 for h1\n");
	pass_s(1);
	EXPECT("hear- ll1\nproxy+ ll1\nNA h1\nNA ll1\n");
}
END_TEST

START_TEST(home_link_lost_and_back)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	bu(.seq = 5, .life = 100, .flags = BU_F_L);
	pass_s(5);
	bu(.seq = 5, .life = 100, .home = "h2");
	forget();
	ha_home_link(w.ha, 0, NULL, 0);
	EXPECT("hear- h2\ndel h2\nBA status 128 seq 5 life 0 to c1 for h2\n");
	bu(.seq = 6, .life = 100, .home = "h2"); /* no DAD possible */
	EXPECT("BA status 128 seq 6 life 0 to c1 for h2\n");
	bu(.seq = 6, .life = 100, .flags = BU_F_L); /* a binding that is there lives on */
	EXPECT("put h1 seq 6 left 400\nBA status 0 seq 6 life 100 to c1 for h1\n");
	memcpy(w.config.home_lladdr, mac, 6);
	ha_home_link(w.ha, HOME_IF, mac, 6);
	EXPECT("proxy+ ll1\nproxy+ h1\n");
	pass_s(3);
	EXPECT("NA h1\nNA ll1\nNA h1\nNA ll1\nNA h1\nNA ll1\n");
	bu(.seq = 7, .life = 100, .home = "h2");
	EXPECT("hear+ h2\nNS h2\n");
}
END_TEST

/* A test of the link-local address that the link interrupted is made again. */
START_TEST(home_link_lost_during_late_test)
{
	bu(.seq = 5, .life = 100);
	pass_s(5);
	bu(.seq = 6, .life = 100, .flags = BU_F_L);
	forget();
	ha_home_link(w.ha, 0, NULL, 0);
	EXPECT("hear- ll1\n");
	ha_home_link(w.ha, HOME_IF, w.config.home_lladdr, 6);
	EXPECT("proxy+ h1\nhear+ ll1\nNS ll1\n");
	pass_s(1);
	EXPECT("hear- ll1\nproxy+ ll1\nNA h1\nNA ll1\n");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("home link");

	tcase_add_checked_fixture(t, setup_link, teardown);
	tcase_add_test(t, dad_then_answer);
	tcase_add_test(t, link_local_as_well);
	tcase_add_test(t, link_local_later);
	tcase_add_test(t, link_local_shared);
	tcase_add_test(t, dad_fails_by_advertisement);
	tcase_add_test(t, dad_fails_by_solicitation);
	tcase_add_test(t, dad_fails_for_the_link_local_address);
	tcase_add_test(t, late_link_local_address_is_taken);
	tcase_add_test(t, dad_is_not_misled);
	tcase_add_test(t, echo_of_a_shared_link_local_address);
	tcase_add_test(t, dad_goes_on_for_the_latest);
	tcase_add_test(t, link_local_given_up_during_dad);
	tcase_add_test(t, refused_during_dad);
	tcase_add_test(t, deregistered_during_dad);
	tcase_add_test(t, optimistic);
	tcase_add_test(t, optimistic_undone);
	tcase_add_test(t, optimistic_forwarding_fails);
	tcase_add_test(t, dad_again_while_invalid);
	tcase_add_test(t, returns_home);
	tcase_add_test(t, returns_home_with_home_address_option);
	tcase_add_test(t, returns_home_at_once);
	tcase_add_test(t, expires_on_the_link);
	tcase_add_test(t, dad_and_the_shortest_lifetime);
	tcase_add_test(t, prefix_ends_during_dad);
	tcase_add_test(t, proxying_fails);
	tcase_add_test(t, home_link_lost_and_back);
	tcase_add_test(t, home_link_lost_during_late_test);
	return run_case("home agent, home link", t);
}
