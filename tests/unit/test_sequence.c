/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sequence numbers of manual SAs: never one twice with a key, wherever daemon or machine stop. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/sequence.h"

#define BLOCK IPSEC_SEQUENCE_BLOCK

static const uint8_t one[8] = {1}, two[8] = {2};

static struct ipsec_sequence stored(uint32_t bound, uint32_t received)
{
	return (struct ipsec_sequence){.fingerprint = {1}, .bound = bound, .received = received};
}

START_TEST(new_keys_begin_at_one)
{
	struct ipsec_sequence old = stored(5000, 77);
	struct ipsec_sequence_now now = {.sent = 4000, .received = 70, .packets = 9};
	struct ipsec_sequence_step s;

	ipsec_sequence_begin(NULL, NULL, one, true, &s);
	ck_assert(s.store && s.add && !s.replace && s.sent == 0 && s.received == 0);
	ck_assert(s.put.bound == 2 * BLOCK && s.hard_packets == BLOCK &&
		  s.soft_packets == BLOCK * 3 / 4);
	ck_assert_mem_eq(s.put.fingerprint, one, 8);
	ipsec_sequence_begin(&old, NULL, two, true, &s);
	ck_assert(s.store && s.add && s.sent == 0 && s.received == 0 && s.put.received == 0);
	ck_assert(s.put.bound == 2 * BLOCK && memcmp(s.put.fingerprint, two, 8) == 0);
	/* what the kernel has is of the former key */
	ipsec_sequence_begin(&old, &now, two, true, &s);
	ck_assert(s.replace && s.add && s.sent == 0 && s.received == 0);
	ipsec_sequence_begin(&old, &now, two, false, &s);
	ck_assert(s.replace && s.add && s.received == 0 && s.put.bound == 0 && s.hard_packets == 0);
}
END_TEST

START_TEST(same_key_goes_on_behind_the_bound)
{
	struct ipsec_sequence r = stored(5000, 77);
	struct ipsec_sequence_step s;

	ipsec_sequence_begin(&r, NULL, one, true, &s);
	ck_assert(s.store && s.add && s.sent == 5000 && s.received == 77);
	ck_assert_uint_eq(s.put.bound, 5000 + 2 * BLOCK);
	ipsec_sequence_begin(&r, NULL, one, false, &s);
	ck_assert(!s.store && s.add && s.received == 77 && s.hard_packets == 0 &&
		  s.soft_packets == 0);
}
END_TEST

START_TEST(what_the_kernel_has_is_kept)
{
	struct ipsec_sequence r = stored(3 * BLOCK, 77);
	struct ipsec_sequence_now now = {.sent = 2 * BLOCK, .received = 99, .packets = 12345};
	struct ipsec_sequence_step s;

	ipsec_sequence_begin(&r, &now, one, true, &s);
	ck_assert(s.store && !s.add && !s.replace && s.put.bound == 4 * BLOCK &&
		  s.put.received == 99);
	ck_assert(s.hard_packets == 12345 + BLOCK && s.soft_packets == 12345 + BLOCK * 3 / 4);
	/* no record: it is taken for ours, which repeats nothing */
	ipsec_sequence_begin(NULL, &now, one, true, &s);
	ck_assert(s.store && !s.add && s.put.bound == 4 * BLOCK && s.put.received == 99);
	/* the record is never lowered while the SA lives */
	r.bound = 9 * BLOCK;
	ipsec_sequence_begin(&r, &now, one, true, &s);
	ck_assert_uint_eq(s.put.bound, 9 * BLOCK);
}
END_TEST

START_TEST(next_numbers_in_time)
{
	struct ipsec_sequence r = stored(2 * BLOCK, 0);
	struct ipsec_sequence_now now = {.sent = BLOCK / 4, .packets = BLOCK / 4};
	struct ipsec_sequence_step s;

	ipsec_sequence_continue(&r, &now, true, &s);
	ck_assert(!s.store && s.hard_packets == 0);
	now.sent = now.packets = BLOCK * 3 / 4; /* the soft limit */
	ipsec_sequence_continue(&r, &now, true, &s);
	ck_assert(s.store && s.put.bound == now.sent + 2 * BLOCK);
	ck_assert(s.hard_packets == now.packets + BLOCK && !s.soon && !s.exhausted);
	now.received = 5;
	ipsec_sequence_continue(&r, &now, false, &s);
	ck_assert(s.store && s.put.received == 5 && s.put.bound == r.bound && !s.hard_packets);
	r.received = 6; /* only ever higher */
	ipsec_sequence_continue(&r, &now, false, &s);
	ck_assert(!s.store);
}
END_TEST

START_TEST(clean_end_wastes_little)
{
	struct ipsec_sequence r = stored(2 * BLOCK, 3);
	struct ipsec_sequence_now now = {.sent = 17, .received = 21};
	struct ipsec_sequence_step s;

	ipsec_sequence_end(&r, &now, true, &s);
	ck_assert(s.store && s.put.bound == 17 + IPSEC_SEQUENCE_GAP && s.put.received == 21);
	now.sent = 2 * BLOCK - 5;
	ipsec_sequence_end(&r, &now, true, &s);
	ck_assert_uint_eq(s.put.bound, 2 * BLOCK);
	r = stored(0, 21);
	ipsec_sequence_end(&r, &now, false, &s);
	ck_assert(!s.store);
}
END_TEST

START_TEST(the_last_numbers)
{
	struct ipsec_sequence r = stored(UINT32_MAX - IPSEC_SEQUENCE_SOON, 0);
	struct ipsec_sequence_now now = {
		.sent = UINT32_MAX - 10, .packets = 100, .received = UINT64_MAX};
	struct ipsec_sequence_step s;

	ipsec_sequence_begin(&r, NULL, one, true, &s);
	ck_assert(!s.soon && s.left == IPSEC_SEQUENCE_SOON);
	r.bound++;
	ipsec_sequence_begin(&r, NULL, one, true, &s);
	ck_assert(s.soon && !s.exhausted && s.left == IPSEC_SEQUENCE_SOON - 1);
	r.bound = UINT32_MAX;
	ipsec_sequence_continue(&r, &now, true, &s);
	ck_assert(s.soon && !s.exhausted && s.left == 10 && s.hard_packets == 110);
	ck_assert(s.put.bound == UINT32_MAX && s.put.received == UINT32_MAX);
	ipsec_sequence_begin(&r, NULL, one, true, &s);
	ck_assert(s.exhausted && s.add && s.sent == UINT32_MAX && s.put.bound == UINT32_MAX);
	ipsec_sequence_end(&r, &now, true, &s);
	ck_assert_uint_eq(s.put.bound, UINT32_MAX);
}
END_TEST

/* Killed between IPSEC_SA_STOP and IPSEC_SA_SKIP: the numbers are not used up. */
START_TEST(stopped_in_a_move)
{
	struct ipsec_sequence r = stored(3 * BLOCK, 7);
	struct ipsec_sequence_now now = {.sent = UINT32_MAX, .received = 9, .packets = 5};
	struct ipsec_sequence_step s;

	ipsec_sequence_begin(&r, &now, one, true, &s);
	ck_assert(s.replace && s.add && !s.exhausted && s.sent == 3 * BLOCK &&
		  s.put.bound == 5 * BLOCK);
	ipsec_sequence_continue(&r, &now, true, &s);
	ck_assert(!s.exhausted && !s.hard_packets && s.put.bound == 3 * BLOCK);
	r.bound = UINT32_MAX;
	ipsec_sequence_begin(&r, &now, one, true, &s);
	ck_assert(!s.replace && s.exhausted && s.sent == UINT32_MAX);
}
END_TEST

START_TEST(fingerprints)
{
	struct ipsec_key a = {.len = 20, .octets = {1, 2, 3}}, b = a, longer = a;
	uint8_t fa[8], fb[8], fl[8];

	b.octets[19] = 1;
	longer.len = 36;
	longer.octets[35] = 1;
	ipsec_sequence_fingerprint(&a, fa);
	ipsec_sequence_fingerprint(&b, fb);
	ipsec_sequence_fingerprint(&longer, fl);
	ck_assert(memcmp(fa, fb, 8) != 0 && memcmp(fa, fl, 8) != 0);
	ck_assert_mem_ne(fa, a.octets, 8);
	ipsec_sequence_fingerprint(&a, fb);
	ck_assert_mem_eq(fa, fb, 8);
}
END_TEST

/* ---- a daemon that dies anywhere, over a kernel that goes on ---- */

struct world {
	bool there, on_disk, running;
	struct ipsec_sequence disk;
	struct ipsec_sequence_now k;
	uint64_t hard; /* 0: none */
	uint8_t key_there, key; /* of the SA, of the key file */
	uint64_t highest[256]; /* by key: what was ever sent */
	uint64_t packets, ends;
	uint32_t x;
};

static uint32_t draw(struct world *w, uint32_t below)
{
	w->x = w->x * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)w->x * below) >> 32);
}

/* The kernel sends up to n packets, as many as the limit allows. */
static void send_packets(struct world *w, uint64_t n)
{
	uint64_t allowed = w->hard ? w->hard - w->k.packets : UINT64_MAX;

	if (!w->there)
		return;
	n = n < allowed ? n : allowed;
	n = n < UINT32_MAX - w->k.sent ? n : UINT32_MAX - w->k.sent;
	if (!n)
		return;
	ck_assert_msg(w->k.sent >= w->highest[w->key_there], "key %u: %llu was sent already",
		w->key_there, (unsigned long long)w->k.sent + 1);
	w->k.sent += n;
	w->k.packets += n;
	w->highest[w->key_there] = w->k.sent;
	w->packets += n;
	if (w->hard && w->k.packets >= w->hard)
		w->there = false; /* expired */
}

/* One step after the other; false: it died before the next one. */
static bool lives(struct world *w)
{
	send_packets(w, draw(w, 3000));
	if (draw(w, 6))
		return true;
	w->running = false;
	return false;
}

static bool carry_out(struct world *w, const struct ipsec_sequence_step *s)
{
	if (s->replace) {
		w->there = false;
		if (!lives(w))
			return false;
	}
	if (s->store) {
		w->disk = s->put;
		w->on_disk = true;
	}
	if (!lives(w))
		return false;
	if (s->add) {
		w->there = true;
		w->k = (struct ipsec_sequence_now){.sent = s->sent, .received = s->received};
		w->hard = 0;
		w->key_there = w->key;
	}
	if (w->there && s->hard_packets)
		w->hard = s->hard_packets;
	return lives(w);
}

static void start(struct world *w)
{
	uint8_t print[8] = {w->key};
	struct ipsec_sequence_step s;

	ipsec_sequence_begin(
		w->on_disk ? &w->disk : NULL, w->there ? &w->k : NULL, print, true, &s);
	w->running = true;
	carry_out(w, &s);
}

/* Stopped, moved, and on behind a gap; killed in between it stays stopped. */
static void move_it(struct world *w)
{
	uint64_t sent = w->k.sent;

	w->k.sent = UINT32_MAX;
	if (lives(w))
		w->k.sent = sent < UINT32_MAX - IPSEC_SEQUENCE_GAP ? sent + IPSEC_SEQUENCE_GAP
								   : UINT32_MAX;
}

static void look(struct world *w, bool move)
{
	struct ipsec_sequence_step s;

	if (!w->there)
		start(w);
	if (!w->there || !w->running)
		return;
	ck_assert_uint_eq(w->key_there, w->key);
	ipsec_sequence_continue(&w->disk, &w->k, true, &s);
	if (carry_out(w, &s) && move && w->there)
		move_it(w);
}

static void stop(struct world *w)
{
	struct ipsec_sequence_now last = w->k;
	struct ipsec_sequence_step s;

	w->running = false;
	w->ends++;
	if (!w->there)
		return;
	send_packets(w, draw(w, IPSEC_SEQUENCE_GAP)); /* between the look and the deletion */
	w->there = false;
	ipsec_sequence_end(&w->disk, &last, true, &s);
	if (s.store && draw(w, 4))
		w->disk = s.put;
}

static void act(struct world *w)
{
	send_packets(w, draw(w, 4) ? draw(w, 5000) : draw(w, 2 * (uint32_t)BLOCK));
	if (!draw(w, 20))
		w->there = false; /* the machine restarts, or somebody flushes */
	if (!w->running) {
		if (!draw(w, 10) && w->key < 255)
			w->key++;
		start(w);
	} else if (!draw(w, 8)) {
		stop(w);
	} else {
		look(w, draw(w, 2));
	}
}

START_TEST(never_twice)
{
	uint64_t packets = 0, ends = 0;

	for (uint32_t seed = 1; seed <= 300; seed++) {
		struct world w = {.x = seed * 77777, .key = 1};

		for (int i = 0; i < 2000; i++)
			act(&w);
		packets += w.packets;
		ends += w.ends;
	}
	/* it was a life, not a standstill */
	ck_assert_uint_gt(packets, 10 * BLOCK * 300);
	ck_assert_uint_gt(ends, 1000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sequence");
	TCase *t = tcase_create("sequence");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, new_keys_begin_at_one);
	tcase_add_test(t, same_key_goes_on_behind_the_bound);
	tcase_add_test(t, what_the_kernel_has_is_kept);
	tcase_add_test(t, next_numbers_in_time);
	tcase_add_test(t, clean_end_wastes_little);
	tcase_add_test(t, the_last_numbers);
	tcase_add_test(t, stopped_in_a_move);
	tcase_add_test(t, fingerprints);
	tcase_add_test(t, never_twice);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
