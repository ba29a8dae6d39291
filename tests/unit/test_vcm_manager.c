/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/manager.h: who is told what, when, and what the store has by then. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm_world.h"

static bool direct(void)
{
	const struct vcm_session_record *r = stored(0, 1);

	return r && r->state == VCM_S_DIRECT && r->active_a && r->active_b;
}

static bool none(void)
{
	return !w.n_sessions;
}

static bool some(void)
{
	return w.n_sessions;
}

static uint64_t begin_direct(void)
{
	talk(0, 1);
	ck_assert(world_until(direct, 2000));
	return stored(0, 1)->id;
}

static int place_in_log(int end, enum vcm_type type)
{
	for (size_t i = 0; i < w.n_log; i++)
		if (w.log[i].end == end && w.log[i].type == type)
			return (int)i;
	return -1;
}

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
	ck_assert(audited("session-direct aes-256-gcm"));
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

static struct vcm_message place(int i, bool outside)
{
	struct vcm_message m = report_nodes(outside ? 1u << i : 0, outside ? 0 : 1u << i);

	m.type = VCM_PLACE;
	return m;
}

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
	tcase_add_test(t, policy_refuses);
	tcase_add_test(t, pair_inside);
	tcase_add_test(t, no_party);
	tcase_add_test(t, old_generation);
	tcase_add_test(t, places);
	tcase_add_test(t, place_is_late);
	tcase_add_test(t, probes);
	tcase_add_test(t, spi_taken);
	tcase_add_test(t, spi_always_taken);
	tcase_add_test(t, backs_off);
	tcase_add_test(t, unsupported);
	tcase_add_test(t, no_answer);
	tcase_add_test(t, node_comes_back);
	tcase_add_test(t, node_says_inside);
	tcase_add_test(t, deaf_at_the_end);
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
