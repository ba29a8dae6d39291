/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/manager.h: who may say what. */
#include <check.h>

#include "lib/addr.h"
#include "tests/run.h"
#include "tests/unit/vcm_world.h"

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

int main(void)
{
	const TTest *const all[] = {refused_reports, bad_reports, limits, policy_refuses,
		pair_inside, no_party, hostile, old_generation, places, place_is_late,
		inside_for_itself, inside_for_itself_for_ever, inside_for_a_moment, probes};

	return RUN_LOOPED(
		"vcm_manager, who may say what", all, world_begin, world_end, hostile, 10);
}
