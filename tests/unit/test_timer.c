/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/timer.h: order, and callbacks that start, stop and free timers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/timer.h"

static struct timerq *q;
static char trace[64]; /* one letter for each callback, in order */

struct named {
	struct timer t;
	char letter;
	struct timer *other;
	int64_t again_us; /* start itself (or other) for this time, unless < 0 */
	int times;
};

static monotime_t at(int64_t us)
{
	return (monotime_t){us};
}

static void note(struct timer *t, void *arg)
{
	struct named *n = arg;
	size_t len = strlen(trace);

	ck_assert_ptr_eq(t, &n->t);
	ck_assert(!timer_running(t));
	ck_assert_uint_lt(len, sizeof(trace) - 1);
	trace[len] = n->letter;
	n->times++;
}

static void note_and_restart(struct timer *t, void *arg)
{
	struct named *n = arg;

	note(t, arg);
	ck_assert_int_eq(timer_start(q, n->other ? n->other : t, at(n->again_us)), 0);
}

static void note_and_stop_other(struct timer *t, void *arg)
{
	struct named *n = arg;

	note(t, arg);
	timer_stop(q, n->other);
}

static void free_self(struct timer *t, void *arg)
{
	(void)t;
	free(arg);
}

static void run_nested(struct timer *t, void *arg)
{
	note(t, arg);
	ck_assert_uint_eq(timerq_run(q, at(1000)), 0);
}

static void setup(void)
{
	q = timerq_new();
	ck_assert_ptr_nonnull(q);
	memset(trace, 0, sizeof(trace));
}

static void teardown(void)
{
	timerq_free(q);
}

static struct named make(char letter, timer_fn *fn)
{
	return (struct named){.t = {.fn = fn}, .letter = letter};
}

static void start(struct named *n, int64_t us)
{
	timer_init(&n->t, n->t.fn, n);
	ck_assert_int_eq(timer_start(q, &n->t, at(us)), 0);
}

START_TEST(runs_in_order_of_deadline)
{
	struct named a = make('a', note), b = make('b', note), c = make('c', note);

	ck_assert(timerq_next(q).us == INT64_MAX);
	start(&c, 30);
	start(&a, 10);
	start(&b, 20);
	ck_assert_int_eq(timerq_next(q).us, 10);
	ck_assert_uint_eq(timerq_run(q, at(9)), 0);
	ck_assert_uint_eq(timerq_run(q, at(20)), 2);
	ck_assert_str_eq(trace, "ab");
	ck_assert(timer_running(&c.t) && !timer_running(&a.t));
	ck_assert_uint_eq(timerq_run(q, at(30)), 1);
	ck_assert_str_eq(trace, "abc");
	ck_assert(timerq_next(q).us == INT64_MAX);
}
END_TEST

START_TEST(equal_deadlines_run_in_order_of_starting)
{
	struct named n[20];

	for (int i = 0; i < 20; i++) {
		n[i] = make((char)('a' + i), note);
		start(&n[i], 5);
	}
	ck_assert_int_eq(timer_start(q, &n[3].t, at(5)), 0); /* again: to the end of the row */
	timerq_run(q, at(5));
	ck_assert_str_eq(trace, "abcefghijklmnopqrstd");
}
END_TEST

START_TEST(moves_and_stops)
{
	struct named a = make('a', note), b = make('b', note), c = make('c', note);

	start(&a, 10);
	start(&b, 20);
	start(&c, 30);
	ck_assert_int_eq(timer_start(q, &a.t, at(40)), 0);
	ck_assert_int_eq(timer_start(q, &c.t, at(5)), 0);
	timer_stop(q, &b.t);
	timer_stop(q, &b.t);
	ck_assert(!timer_running(&b.t));
	timerq_run(q, at(100));
	ck_assert_str_eq(trace, "ca");
}
END_TEST

START_TEST(restart_inside_callback)
{
	struct named a = make('a', note_and_restart);

	a.again_us = 50;
	start(&a, 10);
	timerq_run(q, at(20));
	ck_assert_str_eq(trace, "a");
	ck_assert_int_eq(timerq_next(q).us, 50);
	ck_assert(timer_running(&a.t));
}
END_TEST

/* The mistake the header speaks of: always due at once. */
START_TEST(restart_for_the_past_does_not_spin)
{
	struct named a = make('a', note_and_restart);

	a.again_us = 0;
	start(&a, 10);
	ck_assert_uint_eq(timerq_run(q, at(20)), 1);
	ck_assert_int_eq(timerq_next(q).us, 21);
	ck_assert_uint_eq(timerq_run(q, at(21)), 1);
	ck_assert_str_eq(trace, "aa");
}
END_TEST

START_TEST(two_that_start_each_other_do_not_spin)
{
	struct named a = make('a', note_and_restart), b = make('b', note_and_restart);

	a.other = &b.t;
	b.other = &a.t;
	timer_init(&b.t, b.t.fn, &b);
	start(&a, 10);
	ck_assert_uint_eq(timerq_run(q, at(20)), 2);
	ck_assert_str_eq(trace, "ab");
	ck_assert(timer_running(&a.t) && !timer_running(&b.t));
}
END_TEST

START_TEST(other_started_for_the_past_runs_in_the_same_call)
{
	struct named a = make('a', note_and_restart), b = make('b', note);

	a.other = &b.t;
	a.again_us = 3;
	timer_init(&b.t, b.t.fn, &b);
	start(&a, 10);
	ck_assert_uint_eq(timerq_run(q, at(10)), 2);
	ck_assert_str_eq(trace, "ab");
}
END_TEST

START_TEST(stop_inside_callback)
{
	struct named a = make('a', note_and_stop_other), b = make('b', note), c = make('c', note);

	a.other = &b.t;
	start(&a, 10);
	start(&b, 11);
	start(&c, 12);
	ck_assert_uint_eq(timerq_run(q, at(20)), 2);
	ck_assert_str_eq(trace, "ac");
	a = make('a', note_and_stop_other);
	a.other = &a.t; /* itself: it does not run any more */
	start(&a, 30);
	ck_assert_uint_eq(timerq_run(q, at(30)), 1);
}
END_TEST

START_TEST(callback_may_free_its_timer)
{
	struct timer *t = malloc(sizeof(*t));

	timer_init(t, free_self, t);
	ck_assert_int_eq(timer_start(q, t, at(1)), 0);
	ck_assert_uint_eq(timerq_run(q, at(1)), 1);
}
END_TEST

START_TEST(nested_run_does_nothing)
{
	struct named a = make('a', run_nested), b = make('b', note);

	start(&a, 10);
	start(&b, 500);
	ck_assert_uint_eq(timerq_run(q, at(100)), 1);
	ck_assert_str_eq(trace, "a");
	ck_assert_uint_eq(timerq_run(q, at(1000)), 1);
}
END_TEST

START_TEST(never_is_not_due)
{
	struct named a = make('a', note);

	timer_init(&a.t, note, &a);
	ck_assert_int_eq(timer_start(q, &a.t, MONOTIME_NEVER), 0);
	ck_assert_uint_eq(timerq_run(q, at(INT64_MAX - 1)), 0);
}
END_TEST

static monotime_t last_seen;

static void assert_order(struct timer *t, void *arg)
{
	(void)arg;
	ck_assert_int_ge(t->when.us, last_seen.us);
	last_seen = t->when;
}

/* Many, with random moves and stops, against a plain count. */
START_TEST(heap_under_load)
{
	enum { N = 3000 };
	struct timer *t = calloc(N, sizeof(*t));
	uint64_t x = 88172645463325252u;
	size_t running = 0, ran = 0;

	for (size_t i = 0; i < N; i++)
		timer_init(&t[i], assert_order, NULL);
	for (size_t i = 0; i < 10 * N; i++) {
		struct timer *p;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p = &t[x % N];
		if (x >> 32 & 1)
			timer_stop(q, p);
		else
			ck_assert_int_eq(timer_start(q, p, at((int64_t)(x >> 40 & 0xffff))), 0);
	}
	for (size_t i = 0; i < N; i++)
		running += timer_running(&t[i]);
	ck_assert_uint_gt(running, 0);
	last_seen = at(0);
	for (int64_t now = 0; now <= 0x10000; now += 0x100)
		ran += timerq_run(q, at(now));
	ck_assert_uint_eq(ran, running);
	free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timer");
	TCase *t = tcase_create("timer");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, runs_in_order_of_deadline);
	tcase_add_test(t, equal_deadlines_run_in_order_of_starting);
	tcase_add_test(t, moves_and_stops);
	tcase_add_test(t, restart_inside_callback);
	tcase_add_test(t, restart_for_the_past_does_not_spin);
	tcase_add_test(t, two_that_start_each_other_do_not_spin);
	tcase_add_test(t, other_started_for_the_past_runs_in_the_same_call);
	tcase_add_test(t, stop_inside_callback);
	tcase_add_test(t, callback_may_free_its_timer);
	tcase_add_test(t, nested_run_does_nothing);
	tcase_add_test(t, never_is_not_due);
	tcase_add_test(t, heap_under_load);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
