/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/manager.h: who is told what, in which order; who may say what. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm_world.h"

static bool all_zero(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const uint8_t *)p)[i])
			return false;
	return true;
}

/* Figure 2: report, offers, READY passed on, ACTIVE. */
START_TEST(in_order)
{
	const struct vcm_message *a = &w.ends[0].offer, *b = &w.ends[1].offer;

	talk(0, 1);
	world_run(3);
	ck_assert_uint_eq(w.n_sessions, 0);
	ck_assert(world_until(direct, 2000));
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_OK);
	ck_assert_int_lt(place_in_log(0, VCM_OFFER), place_in_log(0, VCM_PEER_READY));
	ck_assert_int_lt(place_in_log(1, VCM_OFFER), place_in_log(1, VCM_PEER_READY));
	ck_assert_uint_eq(a->in.spi, b->out.spi);
	ck_assert_uint_eq(a->out.spi, b->in.spi);
	ck_assert_uint_ge(a->in.spi, 0x1000);
	ck_assert_mem_eq(a->in.key, b->out.key, 36);
	ck_assert_mem_eq(a->out.key, b->in.key, 36);
	ck_assert_mem_ne(a->in.key, a->out.key, 36);
	ck_assert_uint_eq(a->in.key_len, 36);
	ck_assert_mem_eq(&a->kcn, &b->kcn, sizeof(a->kcn));
	ck_assert_uint_eq(a->kcn.kcn_len, 20);
	ck_assert_str_eq(a->algorithm, "aes-256-gcm");
	ck_assert_uint_ge(a->lifetime_s, 3599); /* HELLO took some ms */
	ck_assert_uint_le(a->lifetime_s, 3600);
	ck_assert_uint_eq(a->linger_s, 60);
	ck_assert(in6_equal(&a->peer_internal, &w.ends[1].internal));
	ck_assert(in6_equal(&a->peer_home, &w.ends[1].home));
	ck_assert(in6_equal(&b->peer_home, &w.ends[0].home));
	ck_assert_uint_eq(w.early, 0);
	ck_assert_uint_eq(manager_stats().direct, 1);
	ck_assert(audited("session-offered symmetric"));
	ck_assert(audited("session-direct aes-256-gcm\n"));
	ck_assert(audited("session-active - by fd00:0:0:1::1\n"));
	ck_assert(audited("session-active - by fd00:0:0:1::2\n"));
}
END_TEST

/* Each READY goes on at once, whatever the other one does. */
START_TEST(ready_at_once)
{
	w.ends[1].deaf = true;
	talk(0, 1);
	world_run(500);
	ck_assert(stored(0, 1)->ready_a);
	ck_assert_int_eq(place_in_log(0, VCM_PEER_READY), -1);
	w.ends[1].deaf = false;
	w.ends[1].asleep = true;
	world_run(5000);
	ck_assert_int_ge(place_in_log(1, VCM_PEER_READY), 0);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	ck_assert_int_eq(place_in_log(0, VCM_PEER_READY), -1);
}
END_TEST

/* It comes late, and says what is left of the lifetime by then: HELLO was lost, or it was lost itself. */
START_TEST(late_offer)
{
	struct vcm_message m = {.type = VCM_HELLO};

	if (_i)
		say(1, &m);
	world_run(500);
	w.ends[1].deaf = true;
	talk(0, 1);
	world_run(10 * 1000);
	w.ends[1].deaf = false;
	ck_assert(world_until(direct, 5000));
	ck_assert_uint_ge(w.ends[0].offer.lifetime_s, 3599);
	ck_assert_uint_le(w.ends[1].offer.lifetime_s, 3590);
	ck_assert_uint_ge(w.ends[1].offer.lifetime_s, 3580);
}
END_TEST

START_TEST(keys_are_wiped)
{
	const struct vcm_session_secrets *x;

	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(500);
	x = &stored(0, 1)->secrets;
	ck_assert_uint_eq(x->key_len, 36);
	ck_assert(!all_zero(x->key_ab, 36));
	say_session(1, VCM_READY, stored(0, 1)->id, 1);
	world_run(500);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_DIRECT);
	ck_assert(all_zero(&stored(0, 1)->secrets, sizeof(*x)));
}
END_TEST

/* What was ended is fresh the next time. */
START_TEST(fresh_secrets)
{
	struct vcm_message first;
	uint64_t id = begin_direct();

	first = w.ends[0].offer;
	ck_assert_int_eq(vcm_manager_end_session(w.m, id, VCM_BY_HAND), 0);
	ck_assert(world_until(none, 2000));
	ck_assert_uint_ne(begin_direct(), id);
	ck_assert_mem_ne(first.in.key, w.ends[0].offer.in.key, 36);
	ck_assert_mem_ne(first.out.key, w.ends[0].offer.out.key, 36);
	ck_assert_mem_ne(first.kcn.kcn, w.ends[0].offer.kcn.kcn, 20);
	ck_assert_uint_ne(first.in.spi, w.ends[0].offer.in.spi);
}
END_TEST

START_TEST(shared_key)
{
	w.policy.shared_key = true;
	w.policy.kcn = false;
	begin_direct();
	ck_assert_mem_eq(w.ends[0].offer.in.key, w.ends[0].offer.out.key, 36);
	ck_assert(!(w.ends[0].offer.has & VCM_HAS_KCN));
}
END_TEST

START_TEST(asymmetric)
{
	struct vcm_message again = {.type = VCM_PUBLIC,
		.has = VCM_HAS_SESSION | VCM_HAS_PUBLIC,
		.generation = 1,
		.public_key = {99}};
	const struct vcm_message *a = &w.ends[0].offer, *b = &w.ends[1].offer;

	w.policy.variant = VCM_ASYMMETRIC;
	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(500);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_INVITED);
	ck_assert_uint_eq(w.ends[0].n_offers, 0);
	again.session = stored(0, 1)->id;
	say(0, &again); /* the first one counts */
	say_session(0, VCM_READY, again.session, 1); /* without keys */
	world_run(100);
	ck_assert_int_eq(w.ends[0].last_status, VCM_UNKNOWN_SESSION);
	ck_assert(!stored(0, 1)->ready_a);
	world_run(100);
	w.ends[1].asleep = false;
	say_session(1, VCM_PUBLIC, stored(0, 1)->id, 1);
	ck_assert(world_until(direct, 2000));
	ck_assert_int_eq(a->public_key[0], 2);
	ck_assert_int_eq(b->public_key[0], 1);
	ck_assert_mem_eq(a->salt, b->salt, sizeof(a->salt));
	ck_assert(!all_zero(a->salt, sizeof(a->salt)));
	ck_assert_uint_eq(a->in.key_len, 0);
	ck_assert_uint_eq(a->kcn.kcn_len, 0);
	ck_assert(a->has & VCM_HAS_KCN);
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

/* ---- who may say what ---- */

START_TEST(refused_reports)
{
	struct vcm_message m = report_nodes(3, 0);

	add_pair(&m, 0, 1);
	say(2, &m); /* a node is no gateway */
	world_run(500);
	ck_assert_int_eq(w.ends[2].last_status, VCM_REFUSED);
	ck_assert_uint_eq(manager_stats().contexts, 0);
	ck_assert(audited("no-gateway"));
	w.unknown[1] = true;
	say(GATEWAY, &m);
	world_run(500);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_REFUSED);
	ck_assert_uint_eq(manager_stats().contexts, 1);
	ck_assert_uint_eq(w.n_sessions, 0);
}
END_TEST

/* What cannot be a node, or a pair. */
START_TEST(bad_reports)
{
	struct vcm_message m = report_nodes(1, 0);

	m.nodes[0].home = (struct in6_addr){{{0xff, 2}}};
	say(GATEWAY, &m);
	world_run(300);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_REFUSED);
	m.nodes[0].home = w.ends[0].home;
	m.nodes[0].internal = w.ends[GATEWAY].internal;
	w.ends[GATEWAY].last_status = VCM_OK;
	say(GATEWAY, &m);
	world_run(300);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_REFUSED);
	ck_assert_uint_eq(w.n_contexts, 0);
	w.ends[GATEWAY].last_status = VCM_OK;
	talk(0, 0);
	world_run(300);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_REFUSED);
	ck_assert_uint_eq(w.n_sessions, 0);
	w.policy.lifetime_s = 1;
	talk(0, 1);
	world_run(300);
	ck_assert_uint_eq(w.n_sessions, 0);
}
END_TEST

START_TEST(limits)
{
	w.max_contexts = 3;
	w.max_sessions = 2;
	world_start_manager(false);
	world_run(500);
	talk(2, 3);
	world_run(500);
	talk(0, 1);
	world_run(500);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_NO_RESOURCES);
	ck_assert_uint_eq(manager_stats().contexts, 3);
	talk(0, 2);
	world_run(500);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_OK);
	ck_assert_uint_eq(manager_stats().sessions, 2);
	w.max_contexts = 4;
	w.max_sessions = 1;
	world_start_manager(false);
	world_run(500);
	talk(0, 1);
	world_run(500);
	talk(2, 3);
	world_run(500);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_NO_RESOURCES);
	ck_assert_uint_eq(manager_stats().sessions, 1);
}
END_TEST

START_TEST(policy_refuses)
{
	w.policy.allowed = false;
	talk(0, 1);
	world_run(1000);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_REFUSED);
	ck_assert_uint_eq(w.n_sessions, 0);
	ck_assert_uint_eq(manager_stats().refused, 1);
	ck_assert(audited("pair-refused policy"));
	ck_assert_uint_eq(w.ends[0].n_offers, 0);
}
END_TEST

START_TEST(pair_inside)
{
	struct vcm_message m = report_nodes(1, 2);

	add_pair(&m, 0, 1);
	say(GATEWAY, &m);
	world_run(500);
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_REFUSED);
	ck_assert_uint_eq(w.n_sessions, 0);
}
END_TEST

/* Somebody else's session: all messages, and nothing changes. */
START_TEST(no_party)
{
	static const enum vcm_type types[] = {VCM_READY, VCM_ACTIVE, VCM_PUBLIC};
	uint64_t id;

	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(500);
	id = stored(0, 1)->id;
	for (size_t i = 0; i < 3; i++) {
		w.ends[2].last_status = VCM_OK;
		say_session(2, types[i], id, 1);
		world_run(300);
		ck_assert_int_eq(w.ends[2].last_status, VCM_UNKNOWN_SESSION);
	}
	w.ends[2].last_status = VCM_OK;
	say_down(2, id, 1, VCM_PATH);
	world_run(300);
	ck_assert_int_eq(w.ends[2].last_status, VCM_UNKNOWN_SESSION);
	ck_assert(!stored(0, 1)->ready_b);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	ck_assert(audited("no-party READY"));
}
END_TEST

static struct vcm_message anything(uint64_t theirs)
{
	static const enum vcm_type types[] = {VCM_READY, VCM_ACTIVE, VCM_DOWN, VCM_PUBLIC,
		VCM_PLACE, VCM_REPORT, VCM_INVITE, VCM_PEER_READY, VCM_END, VCM_CLOSE};
	struct vcm_message m = report_nodes(1u << world_roll(NODES), 1u << world_roll(NODES));
	const struct vcm_session_record *own = stored(2, 3);

	m.type = types[world_roll(sizeof(types) / sizeof(types[0]))];
	m.generation = world_roll(4);
	m.session = world_roll(2) || !own ? theirs : own->id;
	m.reason = (enum vcm_reason)world_roll(12);
	if (m.type == VCM_REPORT) {
		add_pair(&m, (int)world_roll(NODES), (int)world_roll(NODES));
		return m;
	}
	m.n_nodes = m.type == VCM_PLACE;
	m.has = m.type == VCM_PLACE ? 0 : VCM_HAS_SESSION;
	if (m.type == VCM_DOWN || m.type == VCM_END)
		m.has |= VCM_HAS_REASON;
	if (m.type == VCM_PUBLIC)
		m.has |= VCM_HAS_PUBLIC;
	if (m.type == VCM_INVITE)
		m.has |= VCM_HAS_PEER;
	return m;
}

/* Two nodes that say whatever comes to their mind: it is their own session at most that suffers. */
START_TEST(hostile)
{
	uint64_t id;

	w.dice = (uint64_t)_i * 104729 + 5;
	id = begin_direct();
	talk(2, 3);
	world_run(500);
	for (int i = 0; i < 1000; i++) {
		struct vcm_message m = anything(id);

		say(2 + (int)world_roll(2), &m);
		world_run(world_roll(100));
		if (i % 100 == 0)
			talk(2, 3);
		ck_assert(direct());
	}
	ck_assert_uint_eq(stored(0, 1)->id, id);
	ck_assert_uint_eq(stored(0, 1)->generation, 1);
	ck_assert_uint_eq(w.ends[0].n_offers, 1);
	ck_assert_uint_eq(w.ends[1].n_ends, 0);
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

START_TEST(old_generation)
{
	uint64_t id = begin_direct();

	ck_assert_int_eq(vcm_manager_rekey(w.m, id), 0);
	world_run(1000);
	ck_assert_uint_eq(stored(0, 1)->generation, 2);
	say_down(0, id, 1, VCM_PATH);
	world_run(300);
	ck_assert_int_eq(w.ends[0].last_status, VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_DIRECT);
	say_session(0, VCM_READY, id + 1, 1);
	world_run(300);
	ck_assert_int_eq(w.ends[0].last_status, VCM_UNKNOWN_SESSION);
}
END_TEST

START_TEST(places)
{
	struct vcm_message m = place(0, true);

	say(1, &m); /* somebody else's */
	world_run(300);
	ck_assert_int_eq(w.ends[1].last_status, VCM_REFUSED);
	ck_assert_uint_eq(w.n_contexts, 0);
	say(0, &m);
	world_run(300);
	ck_assert_int_eq(w.ends[0].last_status, VCM_OK);
	ck_assert_uint_eq(w.n_contexts, 1);
	ck_assert(w.contexts[0].outside);
	m.nodes[0].home = w.ends[2].home; /* now the home address is known */
	say(0, &m);
	world_run(300);
	ck_assert_int_eq(w.ends[0].last_status, VCM_REFUSED);
	ck_assert(in6_equal(&w.contexts[0].home, &w.ends[0].home));
}
END_TEST

/* Its gateway knew earlier than the node itself: no 5 s are lost by that, once. */
START_TEST(place_is_late)
{
	struct vcm_message m = place(1, true);

	w.ends[1].refuse = 2;
	w.ends[1].answer = VCM_REFUSED;
	talk(0, 1);
	world_run(500);
	ck_assert(none());
	say(1, &m);
	world_run(500);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	say(1, &m);
	world_run(500);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(10 * 1000);
	ck_assert(direct());
}
END_TEST

/* The same session goes on when it has said so; until then it is offered again now and then, and not for ever. */
START_TEST(inside_for_itself)
{
	struct vcm_message m = place(1, true);
	uint64_t id;

	w.ends[1].refuse = 3;
	w.ends[1].answer = VCM_NOT_OUTSIDE;
	talk(0, 1);
	world_run(500);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	id = stored(0, 1)->id;
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	world_run(600);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(1500);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(500);
	ck_assert_uint_eq(w.ends[1].n_offers, 3);
	say(1, &m);
	world_run(200);
	ck_assert_uint_eq(w.ends[1].n_offers, 4);
	ck_assert(direct());
	ck_assert_uint_eq(stored(0, 1)->id, id);
	say(1, &m);
	world_run(200);
	ck_assert_uint_eq(w.ends[1].n_offers, 4);
}
END_TEST

START_TEST(inside_for_itself_for_ever)
{
	w.ends[1].refuse = 1000;
	w.ends[1].answer = VCM_NOT_OUTSIDE;
	talk(0, 1);
	world_run(59 * 1000);
	ck_assert_uint_le(w.ends[1].n_offers, 11);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	world_run(2000);
	ck_assert(none());
}
END_TEST

/* With two links for a while it says inside, then outside; the gateway, which knows better, reports the pair once. */
START_TEST(inside_for_a_moment)
{
	struct vcm_message in = place(1, false), out = place(1, true);

	w.ends[1].refuse = 2;
	w.ends[1].answer = VCM_REFUSED;
	talk(0, 1);
	world_run(500);
	ck_assert(none());
	say(1, &in);
	world_run(500);
	ck_assert(none());
	say(1, &out);
	w.ends[1].refuse = 0;
	world_run(2000);
	ck_assert(direct());
}
END_TEST

static void probe(int from, bool whole)
{
	struct vcm_message m = {.type = VCM_PROBE, .has = VCM_HAS_NONCE, .epoch = 5};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len = vcm_message_write(&m, data, sizeof(data));

	vcm_manager_probed(w.m, &w.ends[from].internal, data, whole ? len : len - 1);
	world_run(100);
}

START_TEST(probes)
{
	w.unknown[1] = true;
	probe(0, true);
	ck_assert_uint_eq(w.ends[0].probes, 1);
	probe(0, false);
	ck_assert_uint_eq(w.ends[0].probes, 1);
	probe(1, true);
	ck_assert_uint_eq(w.ends[1].probes, 0);
}
END_TEST

/* ---- what nodes cannot take ---- */

START_TEST(spi_taken)
{
	uint32_t first;

	w.ends[1].refuse = 2;
	w.ends[1].answer = VCM_SPI_TAKEN;
	w.ends[0].asleep = true;
	talk(0, 1);
	ck_assert(world_until(some, 1000));
	first = stored(0, 1)->spi_b;
	w.ends[0].asleep = false;
	ck_assert(world_until(direct, 3000));
	ck_assert_uint_eq(stored(0, 1)->generation, 3);
	ck_assert_uint_ne(stored(0, 1)->spi_b, first);
	ck_assert_uint_eq(manager_stats().spi_taken, 2);
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

START_TEST(spi_always_taken)
{
	w.ends[1].refuse = 1000;
	w.ends[1].answer = VCM_SPI_TAKEN;
	talk(0, 1);
	world_run(4000);
	ck_assert_uint_le(w.ends[1].n_offers, 9);
	ck_assert(none() || stored(0, 1)->state == VCM_S_ENDING);
}
END_TEST

/* Doubling: 5, 10, 20 ... seconds. */
START_TEST(backs_off)
{
	unsigned offers;

	w.ends[1].refuse = 1000;
	w.ends[1].answer = VCM_NOT_READY;
	talk(0, 1);
	world_run(4000);
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	ck_assert(none());
	talk(0, 1); /* no way around it */
	world_run(500);
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	world_run(1000);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(9000);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(1500);
	ck_assert_uint_eq(w.ends[1].n_offers, 3);
	world_run(1000 * 1000);
	offers = w.ends[1].n_offers;
	ck_assert_uint_le(offers, 11);
	world_run(301 * 1000); /* not more than retry_most_s */
	ck_assert_uint_eq(w.ends[1].n_offers, offers + 1);
	w.ends[1].refuse = 0;
	world_run(301 * 1000);
	ck_assert(direct());
}
END_TEST

START_TEST(unsupported)
{
	w.ends[1].refuse = 1;
	w.ends[1].answer = VCM_UNSUPPORTED;
	talk(0, 1);
	world_run(400 * 1000);
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	ck_assert(none());
	ck_assert(audited("session-not-taken unsupported"));
}
END_TEST

/* Offered, and then it is gone: the other one goes back, and it is tried again. */
START_TEST(no_answer)
{
	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(59 * 1000);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	world_run(2000);
	ck_assert_uint_eq(w.ends[0].n_ends, 1);
	w.ends[1].asleep = false;
	world_run(6000);
	ck_assert(direct());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vcm_manager");
	TCase *t = tcase_create("manager");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, world_begin, world_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, in_order);
	tcase_add_test(t, ready_at_once);
	tcase_add_loop_test(t, late_offer, 0, 2);
	tcase_add_test(t, keys_are_wiped);
	tcase_add_test(t, fresh_secrets);
	tcase_add_test(t, shared_key);
	tcase_add_test(t, asymmetric);
	tcase_add_test(t, refused_reports);
	tcase_add_test(t, bad_reports);
	tcase_add_test(t, limits);
	tcase_add_test(t, policy_refuses);
	tcase_add_test(t, pair_inside);
	tcase_add_test(t, no_party);
	tcase_add_loop_test(t, hostile, 0, 10);
	tcase_add_test(t, old_generation);
	tcase_add_test(t, places);
	tcase_add_test(t, place_is_late);
	tcase_add_test(t, inside_for_itself);
	tcase_add_test(t, inside_for_itself_for_ever);
	tcase_add_test(t, inside_for_a_moment);
	tcase_add_test(t, probes);
	tcase_add_test(t, spi_taken);
	tcase_add_test(t, spi_always_taken);
	tcase_add_test(t, backs_off);
	tcase_add_test(t, unsupported);
	tcase_add_test(t, no_answer);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
