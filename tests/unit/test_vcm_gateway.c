/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/gateway.h: who is outside, and which pairs talk. */
#include "tests/unit/gateway_world.h"

/* ---- tests ---- */

START_TEST(a_node_leaves_and_returns)
{
	leave(1);
	ck_assert(did.active[1]);
	ck_assert(did.stored[1]);
	pass(50);
	ck_assert_uint_eq(told.n_nodes, 1);
	ck_assert(told.nodes[0].outside);
	leave(1);
	pass(50);
	ck_assert_uint_eq(told.n_nodes, 1);
	ck_assert_uint_eq(did.activations, 1);
	come_back(1);
	ck_assert(!did.active[1]);
	ck_assert(!did.stored[1]);
	pass(50);
	ck_assert_uint_eq(told.n_nodes, 2);
	ck_assert(!told.nodes[1].outside);
}
END_TEST

START_TEST(strangers_are_nobody)
{
	struct in6_addr a = {{{0xfd, 9}}};

	vcm_gateway_outside(g, &a, VCM_BY_TRAFFIC);
	vcm_gateway_inside(g, &a, VCM_BY_TRAFFIC);
	vcm_gateway_binding(g, &a, true);
	vcm_gateway_traffic(g, &a, &a);
	vcm_gateway_restore(g, &a);
	vcm_gateway_receive(g, &a, a.s6_addr, sizeof(a));
	pass(50);
	ck_assert_uint_eq(told.n_messages, 0);
	a = internal(1);
	ck_assert_int_eq(vcm_gateway_add(g, &a, &a), -EEXIST);
}
END_TEST

START_TEST(second_leaves)
{
	leave(1);
	talk(2, 1);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 0);
	ck_assert_uint_eq(told.n_correspondents, 1);
	ck_assert_uint_eq(number(&told.correspondents[0].node), 1);
	ck_assert_uint_eq(number(&told.correspondents[0].correspondent), 2);
	leave(2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 1);
	assert_pair(0, 1, 2, VCM_SECOND_LEFT);
	ck_assert(!told.pair_of_insiders);
	ck_assert_uint_eq(did.known_ttl, 60);
}
END_TEST

START_TEST(what_was_long_ago_is_no_session)
{
	leave(1);
	talk(2, 1);
	pass(301000);
	leave(2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 0);
}
END_TEST

START_TEST(two_outside_begin)
{
	leave(1);
	leave(2);
	talk(2, 1);
	pass(50);
	ck_assert_uint_eq(told.n_messages, 1); /* node, pair and correspondents share it */
	ck_assert_uint_eq(told.n_pairs, 1);
	assert_pair(0, 1, 2, VCM_NEW_SESSION);
	ck_assert_uint_eq(told.n_correspondents, 2);
	talk(1, 2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 1);
	pass(61000); /* they still talk by us: there is no session */
	talk(1, 2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 2);
}
END_TEST

START_TEST(insiders_are_their_own_matter)
{
	talk(1, 2);
	pass(50);
	ck_assert_uint_eq(told.n_messages, 0);
	ck_assert_uint_eq(did.n_known, 0);
}
END_TEST

START_TEST(another_stay_is_another_pair)
{
	leave(1);
	leave(2);
	talk(1, 2);
	pass(50);
	come_back(2);
	pass(50);
	ck_assert_uint_gt(did.n_forgotten, 0);
	leave(2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 2);
	assert_pair(1, 1, 2, VCM_SECOND_LEFT);
}
END_TEST

START_TEST(comes_back_before_its_pair_is_reported)
{
	config.settle_ms = 1000;
	again();
	leave(1);
	leave(2);
	talk(1, 2);
	pass(500);
	come_back(2);
	pass(5000);
	ck_assert_uint_eq(told.n_pairs, 0);
	ck_assert_uint_eq(told.n_nodes, 3);
}
END_TEST

START_TEST(settles_first)
{
	config.settle_ms = 1000;
	again();
	leave(1);
	leave(2);
	talk(1, 2);
	pass(900);
	ck_assert_uint_eq(told.n_nodes, 2);
	ck_assert_uint_eq(told.n_pairs, 0);
	leave(3); /* is not put off by those that wait */
	pass(50);
	ck_assert_uint_eq(told.n_nodes, 3);
	pass(100);
	ck_assert_uint_eq(told.n_pairs, 1);
}
END_TEST

START_TEST(there_and_back_again_is_no_news)
{
	vcm_dead = true;
	leave(1);
	come_back(1);
	pass(50);
	vcm_dead = false;
	pass(5000);
	ck_assert_uint_eq(told.n_nodes, 0);
	ck_assert(!did.active[1]);
}
END_TEST

START_TEST(place_changes_while_it_is_reported)
{
	leave(1);
	pass(1); /* HELLO is on its way, the report waits for its answer */
	come_back(1);
	pass(1);
	leave(1);
	come_back(1);
	pass(1000);
	ck_assert(!did.outside_at_vcm[1]);
	ck_assert(!told.nodes[told.n_nodes - 1].outside);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {a_node_leaves_and_returns, strangers_are_nobody, second_leaves,
		what_was_long_ago_is_no_session, two_outside_begin, insiders_are_their_own_matter,
		another_stay_is_another_pair, comes_back_before_its_pair_is_reported, settles_first,
		there_and_back_again_is_no_news, place_changes_while_it_is_reported};

	return RUN("vcm_gateway", all, set_up, tear_down);
}
