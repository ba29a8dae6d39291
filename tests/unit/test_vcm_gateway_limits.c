/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/gateway.h: thresholds and limits, faults of the VCM and of the kernel, a restart, late packets. */
#include "tests/unit/gateway_world.h"

/* ---- tests ---- */

static bool refuse_odd(void *ctx, const struct in6_addr *a, const struct in6_addr *b)
{
	(void)ctx;
	return !(number(a) % 2 || number(b) % 2);
}

START_TEST(denied_pairs_are_not_reported)
{
	config.allowed = refuse_odd;
	again();
	leave(1);
	leave(2);
	leave(4);
	talk(1, 2);
	talk(2, 4);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 1);
	assert_pair(0, 2, 4, VCM_NEW_SESSION);
	ck_assert_uint_eq(did.n_known, 2);
}
END_TEST

START_TEST(threshold)
{
	config.threshold_packets = 3;
	config.threshold_s = 2;
	again();
	leave(1);
	leave(2);
	talk(1, 2);
	talk(2, 1);
	pass(2500);
	talk(1, 2);
	talk(1, 2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 0);
	talk(1, 2);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 1);
}
END_TEST

START_TEST(correspondents_are_bounded)
{
	config.max_correspondents = 4;
	again();
	leave(1);
	for (unsigned i = 2; i < 10; i++) {
		talk(1, i);
		pass(10);
	}
	ck_assert_uint_eq(did.n_forgotten, 4); /* the oldest ones, which will be told again */
	ck_assert_uint_eq(told.n_correspondents, 8);
	leave(9);
	pass(50);
	ck_assert_uint_eq(told.n_pairs, 1);
	assert_pair(0, 1, 9, VCM_SECOND_LEFT);
}
END_TEST

static bool count_pair(void *arg, const struct vcm_gateway_pair_info *i)
{
	(void)i;
	++*(unsigned *)arg;
	return true;
}

START_TEST(pairs_are_bounded)
{
	unsigned n = 0;

	config.max_pairs = 10;
	again();
	for (unsigned i = 0; i < 30; i++)
		leave(i);
	for (unsigned i = 1; i < 30; i++) {
		talk(0, i);
		pass(50);
	}
	vcm_gateway_foreach_pair(g, count_pair, &n);
	ck_assert_uint_eq(n, 10);
	ck_assert_uint_eq(told.n_pairs, 29);
}
END_TEST

/* All places and pairs at once, over a network that loses. */
START_TEST(many)
{
	loss = (unsigned)_i * 30;
	for (unsigned i = 0; i < NODES; i++)
		leave(i);
	for (unsigned i = 0; i + 1 < NODES; i += 2)
		talk(i, i + 1);
	pass(loss ? 25000 : 500);
	ck_assert_uint_eq(told.n_nodes, NODES);
	ck_assert_uint_eq(told.n_pairs, NODES / 2);
	ck_assert_uint_eq(told.n_correspondents, NODES);
	ck_assert(!told.pair_of_insiders);
	ck_assert_uint_gt(told.most_options, 20);
	for (unsigned i = 0; i < NODES; i++)
		ck_assert(did.outside_at_vcm[i]);
}
END_TEST

START_TEST(vcm_is_lost_for_a_while)
{
	struct vcm_gateway_stats s;

	vcm_dead = true;
	leave(1);
	leave(2);
	talk(1, 2);
	pass(70000);
	vcm_gateway_stats(g, &s);
	ck_assert_uint_gt(s.exchange.failed, 0);
	ck_assert(did.active[1]); /* its matter alone */
	vcm_dead = false;
	pass(40000);
	ck_assert_uint_eq(told.n_nodes, 2);
	ck_assert_uint_eq(told.n_pairs, 1);
}
END_TEST

START_TEST(vcm_starts_again)
{
	leave(1);
	leave(2);
	leave(3);
	talk(1, 2);
	pass(50);
	come_back(3);
	pass(50);
	ck_assert_uint_eq(told.n_nodes, 4);
	vcm_exchange_free(vcm);
	vcm_start();
	memset(did.outside_at_vcm, 0, sizeof(did.outside_at_vcm));
	leave(4);
	pass(2000);
	ck_assert_uint_eq(
		told.n_nodes, 4 + 3); /* 1, 2 and 4: nobody has ever to be told of 3 again */
	ck_assert_uint_eq(told.n_pairs, 2);
	ck_assert_uint_eq(told.n_correspondents, 4);
	ck_assert(did.outside_at_vcm[1] && did.outside_at_vcm[2] && did.outside_at_vcm[4]);
}
END_TEST

START_TEST(vcm_has_no_room)
{
	vcm_answer = VCM_NO_RESOURCES;
	leave(1);
	pass(4000);
	ck_assert_uint_eq(told.n_messages, 1);
	vcm_answer = VCM_OK;
	pass(2000);
	ck_assert_uint_eq(told.n_nodes, 1);
}
END_TEST

START_TEST(vcm_refuses)
{
	vcm_answer = VCM_REFUSED;
	leave(1);
	pass(60000);
	ck_assert_uint_eq(told.n_messages, 1);
}
END_TEST

START_TEST(kernel_refuses)
{
	did.activate_error = -ENOBUFS;
	leave(1);
	pass(50);
	ck_assert(!did.active[1]);
	ck_assert_uint_eq(told.n_nodes, 1);
	did.activate_error = 0;
	pass(5000);
	ck_assert(did.active[1]);
	ck_assert_uint_eq(did.activations, 2);
	pass(20000);
	ck_assert_uint_eq(did.activations, 2);
}
END_TEST

/* Behind a restart of the gateway: what was outside is so, and the VCM hears of it. */
START_TEST(restored)
{
	struct in6_addr a = internal(1);

	again();
	vcm_gateway_restore(g, &a);
	ck_assert(did.active[1]);
	ck_assert_uint_eq(did.stores, 0);
	pass(50);
	ck_assert_uint_eq(told.n_nodes, 1);
	ck_assert(told.nodes[0].outside);
}
END_TEST

START_TEST(late_packets_do_not_bring_it_out_again)
{
	struct in6_addr a = internal(1);

	vcm_gateway_outside(g, &a, VCM_BY_TRAFFIC);
	ck_assert(did.active[1]);
	come_back(1);
	pass(500);
	vcm_gateway_outside(g, &a, VCM_BY_TRAFFIC);
	ck_assert(!did.active[1]);
	pass(600);
	vcm_gateway_outside(g, &a, VCM_BY_TRAFFIC);
	ck_assert(did.active[1]);
	come_back(1);
	leave(1); /* a binding is no packet under way */
	ck_assert(did.active[1]);
}
END_TEST

/* Attached to the next link before it leaves this one: the binding comes first. */
START_TEST(last_packets_inside_do_not_bring_it_back)
{
	struct in6_addr a = internal(1);

	leave(1);
	pass(900);
	vcm_gateway_inside(g, &a, VCM_BY_TRAFFIC);
	ck_assert(did.active[1]);
	pass(200);
	vcm_gateway_inside(g, &a, VCM_BY_TRAFFIC);
	ck_assert(!did.active[1]);
}
END_TEST

static bool note_node(void *arg, const struct vcm_gateway_node_info *i)
{
	if (number(&i->internal) == 1)
		*(struct vcm_gateway_node_info *)arg = *i;
	return true;
}

static bool note_correspondent(void *arg, const struct in6_addr *a)
{
	*(unsigned *)arg = number(a);
	return true;
}

START_TEST(shown)
{
	struct in6_addr a = internal(1), stranger = {{{1}}};
	struct vcm_gateway_node_info i = {.outside = false};
	unsigned correspondent = 0;

	leave(1);
	talk(1, 7);
	vcm_gateway_foreach_node(g, note_node, &i);
	ck_assert(i.outside);
	ck_assert(!i.reported);
	pass(2000);
	vcm_gateway_foreach_node(g, note_node, &i);
	ck_assert(i.reported);
	ck_assert_uint_eq(i.since_s, 2);
	ck_assert_uint_eq(i.n_correspondents, 1);
	ck_assert(vcm_gateway_foreach_correspondent(g, &a, note_correspondent, &correspondent));
	ck_assert_uint_eq(correspondent, 7);
	ck_assert(!vcm_gateway_foreach_correspondent(
		g, &stranger, note_correspondent, &correspondent));
}
END_TEST

int main(void)
{
	const TTest *const all[] = {denied_pairs_are_not_reported, threshold,
		correspondents_are_bounded, pairs_are_bounded, many, vcm_is_lost_for_a_while,
		vcm_starts_again, vcm_has_no_room, vcm_refuses, kernel_refuses, restored,
		late_packets_do_not_bring_it_out_again, last_packets_inside_do_not_bring_it_back,
		shown};

	return RUN_LOOPED("vcm_gateway, limits", all, set_up, tear_down, many, 2);
}
