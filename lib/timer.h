/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of the protocol core: a binary heap of callbacks.  The owner of the
 * queue (the daemon's event loop, a test, a simulator) asks for the next
 * deadline and runs what is due; the core itself never looks at a clock.
 *
 * struct timer is embedded in the object it belongs to and must be stopped
 * before that object is freed.  All operations are O(log n).
 */
#ifndef LIB_TIMER_H
#define LIB_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mip6/monotime.h"

struct timer;
typedef void timer_fn(struct timer *t, void *arg);

struct timer {
	monotime_t when;
	timer_fn *fn;
	void *arg;
	size_t slot; /* place in the heap + 1; 0: not running */
	/* private */
	uint64_t seq; /* order of starting, for equal deadlines */
	uint64_t ran; /* the last timerq_run() that ran it */
};

struct timerq; /* opaque */

struct timerq *timerq_new(void);
void timerq_free(struct timerq *q); /* timers still running are forgotten */

/* Bind a timer to its callback; it does not run yet. */
void timer_init(struct timer *t, timer_fn *fn, void *arg);
/* Start, or move to another time.  Returns -ENOMEM or 0. */
int timer_start(struct timerq *q, struct timer *t, monotime_t when);
/* Stop; harmless when it does not run. */
void timer_stop(struct timerq *q, struct timer *t);
bool timer_running(const struct timer *t);

/* The earliest deadline, or MONOTIME_NEVER. */
monotime_t timerq_next(const struct timerq *q);
/*
 * Run, in order of deadline and then of starting, all timers due at `now`.
 * A callback may start, move, stop and free any timer, its own included.  No
 * timer runs twice in one call: one that ran and is started again for a time
 * not after `now` is put off to a microsecond after it, so that a mistake
 * cannot spin for ever.  Returns how many ran; a nested call runs none.
 */
size_t timerq_run(struct timerq *q, monotime_t now);

#endif
