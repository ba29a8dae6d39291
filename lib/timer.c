/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A binary heap of timers, ordered by deadline and, among equal deadlines,
 * by the order in which they were started: a simulation with the same seed
 * then runs the same way twice.
 */
#include "lib/timer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

struct timerq {
	struct timer **heap;
	size_t n, cap;
	uint64_t next_seq;
	uint64_t run; /* number of the timerq_run() under way, or of the last one */
	bool running;
	monotime_t now; /* of that run */
};

struct timerq *timerq_new(void)
{
	return calloc(1, sizeof(struct timerq));
}

void timerq_free(struct timerq *q)
{
	if (!q)
		return;
	free(q->heap);
	free(q);
}

void timer_init(struct timer *t, timer_fn *fn, void *arg)
{
	*t = (struct timer){.fn = fn, .arg = arg};
}

bool timer_running(const struct timer *t)
{
	return t->slot != 0;
}

static bool earlier(const struct timer *a, const struct timer *b)
{
	if (a->when.us != b->when.us)
		return a->when.us < b->when.us;
	return a->seq < b->seq;
}

static void place(struct timerq *q, size_t i, struct timer *t)
{
	q->heap[i] = t;
	t->slot = i + 1;
}

static void sift(struct timerq *q, size_t i, struct timer *t)
{
	while (i > 0 && earlier(t, q->heap[(i - 1) / 2])) {
		place(q, i, q->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= q->n)
			break;
		if (child + 1 < q->n && earlier(q->heap[child + 1], q->heap[child]))
			child++;
		if (!earlier(q->heap[child], t))
			break;
		place(q, i, q->heap[child]);
		i = child;
	}
	place(q, i, t);
}

static int grow(struct timerq *q)
{
	size_t cap = q->cap ? q->cap * 2 : 64;
	struct timer **heap;

	if (q->n < q->cap)
		return 0;
	heap = reallocarray(q->heap, cap, sizeof(struct timer *));
	if (!heap)
		return -ENOMEM;
	q->heap = heap;
	q->cap = cap;
	return 0;
}

int timer_start(struct timerq *q, struct timer *t, monotime_t when)
{
	size_t i;

	/*
	 * A timer that had its turn in this run and wants another at once gets
	 * it in the next run, one microsecond later: the caller's clock moves
	 * on in between, even a simulated one.
	 */
	if (q->running && t->ran == q->run && when.us <= q->now.us && q->now.us < INT64_MAX)
		when.us = q->now.us + 1;
	if (t->slot) {
		i = t->slot - 1;
	} else {
		int err = grow(q);

		if (err)
			return err;
		i = q->n++;
	}
	t->when = when;
	t->seq = q->next_seq++;
	sift(q, i, t);
	return 0;
}

void timer_stop(struct timerq *q, struct timer *t)
{
	size_t i;
	struct timer *last;

	if (!t->slot)
		return;
	i = t->slot - 1;
	t->slot = 0;
	last = q->heap[--q->n];
	if (last != t)
		sift(q, i, last);
}

monotime_t timerq_next(const struct timerq *q)
{
	return q->n ? q->heap[0]->when : MONOTIME_NEVER;
}

size_t timerq_run(struct timerq *q, monotime_t now)
{
	size_t ran = 0;

	if (q->running) /* called by a callback: the run under way does it */
		return 0;
	q->running = true;
	q->run++;
	q->now = now;
	while (q->n && q->heap[0]->when.us <= now.us) {
		struct timer *t = q->heap[0];

		timer_stop(q, t);
		t->ran = q->run;
		ran++;
		t->fn(t, t->arg); /* may free t */
	}
	q->running = false;
	return ran;
}
