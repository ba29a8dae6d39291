/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcm/gateway.h against a VCM that is only an end of an exchange and notes
 * what it is told.
 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/gateway.h"

#define NODES 300
#define NOTED 2048
#define FLYING 128

static struct timerq *timers;
static monotime_t clock_now;
static struct vcm_gateway_config config;
static struct vcm_gateway *g;
static struct vcm_exchange *vcm;
static uint64_t epochs;
static bool vcm_dead;
static enum vcm_status vcm_answer;
static unsigned loss; /* percent */
static uint64_t dice;
static const struct in6_addr gateway_addr = {{{0xfd, [15] = 1}}}, vcm_addr = {{{0xfd, [15] = 9}}};

/* What the VCM was told, in order. */
static struct {
	unsigned n_messages, most_options;
	size_t n_nodes, n_pairs, n_correspondents;
	struct vcm_node_option nodes[NOTED];
	struct vcm_pair_option pairs[NOTED];
	struct vcm_correspondent_option correspondents[NOTED];
	bool pair_of_insiders;
} told;

/* What the gateway did. */
static struct {
	int activate_error;
	unsigned activations, stores;
	bool active[NODES], stored[NODES];
	struct in6_addr known_a, known_b;
	uint32_t known_ttl;
	unsigned n_known, n_forgotten;
	bool outside_at_vcm[NODES];
} did;

static struct {
	bool used, to_vcm;
	monotime_t at;
	size_t len;
	uint8_t data[VCM_MESSAGE_MAX];
} flying[FLYING];

static struct in6_addr internal(unsigned i)
{
	struct in6_addr a = {{{0xfd, 0, 0, 1}}};

	a.s6_addr[14] = (uint8_t)(i >> 8);
	a.s6_addr[15] = (uint8_t)i;
	return a;
}

static struct in6_addr home(unsigned i)
{
	struct in6_addr a = internal(i);

	a.s6_addr[0] = 0x20;
	return a;
}

static unsigned number(const struct in6_addr *a)
{
	unsigned i = (unsigned)a->s6_addr[14] << 8 | a->s6_addr[15];

	ck_assert_uint_lt(i, NODES);
	return i;
}

/* ---- the world ---- */

static monotime_t now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static uint32_t roll(uint32_t below)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % below;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)roll(256);
}

static int fly(bool to_vcm, const uint8_t *data, size_t len)
{
	if (roll(100) < loss)
		return 0;
	for (size_t i = 0; i < FLYING; i++) {
		if (flying[i].used)
			continue;
		flying[i].used = true;
		flying[i].to_vcm = to_vcm;
		flying[i].at = mono_add_ms(clock_now, 1 + roll(10));
		flying[i].len = len;
		memcpy(flying[i].data, data, len);
		return 0;
	}
	return 0;
}

static int gateway_sends(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx;
	ck_assert(in6_equal(to, &vcm_addr));
	return fly(true, data, len);
}

static int vcm_sends(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx;
	ck_assert(in6_equal(to, &gateway_addr));
	return fly(false, data, len);
}

static int activate(void *ctx, const struct in6_addr *a, const struct in6_addr *h, bool on)
{
	struct in6_addr expected = home(number(a));

	(void)ctx;
	ck_assert(in6_equal(h, &expected));
	did.activations++;
	if (did.activate_error)
		return did.activate_error;
	did.active[number(a)] = on;
	return 0;
}

static void pair_known(void *ctx, const struct in6_addr *a, const struct in6_addr *b, uint32_t ttl)
{
	(void)ctx;
	if (ttl) {
		did.known_a = *a;
		did.known_b = *b;
		did.known_ttl = ttl;
		did.n_known++;
	} else {
		did.n_forgotten++;
	}
}

static void store(void *ctx, const struct in6_addr *a, const struct in6_addr *h, bool outside)
{
	(void)ctx;
	(void)h;
	did.stores++;
	did.stored[number(a)] = outside;
}

static const struct vcm_gateway_ops ops = {.now = now,
	.random = random_octets,
	.send = gateway_sends,
	.activate = activate,
	.pair_known = pair_known,
	.store = store};

/* ---- the VCM ---- */

static enum vcm_status vcm_received(
	void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	unsigned n = (unsigned)(m->n_nodes + m->n_pairs + m->n_correspondents);

	(void)ctx;
	(void)from;
	ck_assert_int_eq(m->type, VCM_REPORT);
	told.n_messages++;
	if (vcm_answer != VCM_OK)
		return vcm_answer;
	if (n > told.most_options)
		told.most_options = n;
	for (size_t i = 0; i < m->n_nodes; i++) {
		did.outside_at_vcm[number(&m->nodes[i].internal)] = m->nodes[i].outside;
		told.nodes[told.n_nodes++] = m->nodes[i];
	}
	for (size_t i = 0; i < m->n_pairs; i++) {
		if (!did.outside_at_vcm[number(&m->pairs[i].a)] ||
			!did.outside_at_vcm[number(&m->pairs[i].b)])
			told.pair_of_insiders = true;
		told.pairs[told.n_pairs++] = m->pairs[i];
	}
	for (size_t i = 0; i < m->n_correspondents; i++)
		told.correspondents[told.n_correspondents++] = m->correspondents[i];
	return VCM_OK;
}

static void vcm_probe(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)ctx;
	(void)from;
	(void)m;
	ck_abort();
}

static void vcm_acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status s)
{
	(void)ctx;
	(void)to;
	(void)token;
	(void)s;
}

static void vcm_failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	(void)ctx;
	(void)to;
	(void)token;
}

static void vcm_restarted(void *ctx, const struct in6_addr *peer)
{
	(void)ctx;
	(void)peer;
}

static const struct vcm_exchange_ops vcm_ops = {.now = now,
	.random = random_octets,
	.send = vcm_sends,
	.received = vcm_received,
	.probe = vcm_probe,
	.acknowledged = vcm_acknowledged,
	.failed = vcm_failed,
	.restarted = vcm_restarted};

static void vcm_start(void)
{
	const struct vcm_exchange_config x = {.epoch = ++epochs};

	vcm = vcm_exchange_new(&x, &vcm_ops, NULL, timers);
	ck_assert_ptr_nonnull(vcm);
	ck_assert_int_eq(vcm_exchange_peer(vcm, &gateway_addr), 0);
}

/* ---- time ---- */

static void deliver(void)
{
	for (size_t i = 0; i < FLYING; i++) {
		if (!flying[i].used || mono_before(clock_now, flying[i].at))
			continue;
		flying[i].used = false;
		if (!flying[i].to_vcm)
			vcm_gateway_receive(g, &vcm_addr, flying[i].data, flying[i].len);
		else if (!vcm_dead)
			vcm_exchange_receive(vcm, &gateway_addr, flying[i].data, flying[i].len);
	}
}

static void pass(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		timerq_run(timers, clock_now);
		clock_now = mono_add_ms(clock_now, 1);
		deliver();
	}
	timerq_run(timers, clock_now);
}

/* ---- set up ---- */

static void gateway_start(void)
{
	config.epoch = ++epochs;
	g = vcm_gateway_new(&config, &ops, NULL, timers);
	ck_assert_ptr_nonnull(g);
	for (unsigned i = 0; i < NODES; i++) {
		struct in6_addr a = internal(i), h = home(i);

		ck_assert_int_eq(vcm_gateway_add(g, &a, &h), 0);
	}
}

static void set_up(void)
{
	memset(&told, 0, sizeof(told));
	memset(&did, 0, sizeof(did));
	memset(&flying, 0, sizeof(flying));
	loss = 0;
	dice = 42;
	epochs = 1000;
	vcm_dead = false;
	vcm_answer = VCM_OK;
	clock_now = (monotime_t){1000000};
	timers = timerq_new();
	config = (struct vcm_gateway_config){.manager = vcm_addr};
	vcm_start();
	gateway_start();
}

static void tear_down(void)
{
	vcm_gateway_free(g);
	vcm_exchange_free(vcm);
	timerq_free(timers);
}

static void again(void)
{
	vcm_gateway_free(g);
	gateway_start();
}

static void leave(unsigned i)
{
	struct in6_addr h = home(i);

	vcm_gateway_binding(g, &h, true);
}

static void come_back(unsigned i)
{
	struct in6_addr a = internal(i);

	vcm_gateway_inside(g, &a, VCM_BY_MESSAGE);
}

static void talk(unsigned i, unsigned j)
{
	struct in6_addr a = internal(i), b = internal(j);

	vcm_gateway_traffic(g, &a, &b);
}

static void assert_pair(size_t at, unsigned i, unsigned j, enum vcm_trigger trigger)
{
	struct in6_addr a = internal(i), b = internal(j);

	ck_assert_uint_lt(at, told.n_pairs);
	ck_assert(in6_equal(&told.pairs[at].a, &a));
	ck_assert(in6_equal(&told.pairs[at].b, &b));
	ck_assert_int_eq(told.pairs[at].trigger, trigger);
}

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
	Suite *s = suite_create("vcm_gateway");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_node_leaves_and_returns);
	tcase_add_test(c, strangers_are_nobody);
	tcase_add_test(c, second_leaves);
	tcase_add_test(c, what_was_long_ago_is_no_session);
	tcase_add_test(c, two_outside_begin);
	tcase_add_test(c, insiders_are_their_own_matter);
	tcase_add_test(c, another_stay_is_another_pair);
	tcase_add_test(c, comes_back_before_its_pair_is_reported);
	tcase_add_test(c, settles_first);
	tcase_add_test(c, there_and_back_again_is_no_news);
	tcase_add_test(c, place_changes_while_it_is_reported);
	tcase_add_test(c, denied_pairs_are_not_reported);
	tcase_add_test(c, threshold);
	tcase_add_test(c, correspondents_are_bounded);
	tcase_add_test(c, pairs_are_bounded);
	tcase_add_loop_test(c, many, 0, 2);
	tcase_add_test(c, vcm_is_lost_for_a_while);
	tcase_add_test(c, vcm_starts_again);
	tcase_add_test(c, vcm_has_no_room);
	tcase_add_test(c, vcm_refuses);
	tcase_add_test(c, kernel_refuses);
	tcase_add_test(c, restored);
	tcase_add_test(c, late_packets_do_not_bring_it_out_again);
	tcase_add_test(c, last_packets_inside_do_not_bring_it_back);
	tcase_add_test(c, shown);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
