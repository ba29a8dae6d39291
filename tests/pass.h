/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time of a test: it passes from one timer to the next. */
#ifndef TESTS_PASS_H
#define TESTS_PASS_H

#include "lib/timer.h"

/* All timers until then run, each at its time; now is the time that the code under test is told. */
static inline void pass_time(struct timerq *timers, monotime_t *now, int64_t ms)
{
	monotime_t end = mono_add_ms(*now, ms), next;

	while (next = timerq_next(timers), !mono_before(end, next)) {
		if (mono_before(*now, next))
			*now = next;
		timerq_run(timers, *now);
	}
	*now = end;
}

#endif
