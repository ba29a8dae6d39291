/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time.  Protocol code knows monotonic time only, as a struct so that it
 * cannot be mixed with seconds, milliseconds or the wall clock by accident.
 */
#ifndef MIP6_MONOTIME_H
#define MIP6_MONOTIME_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	int64_t us; /* microseconds since an arbitrary start; never goes back */
} monotime_t;

#define MONOTIME_NEVER ((monotime_t){INT64_MAX})

static inline monotime_t mono_add_ms(monotime_t t, int64_t ms)
{
	return t.us == INT64_MAX ? t : (monotime_t){t.us + ms * 1000};
}

static inline monotime_t mono_add_s(monotime_t t, int64_t s)
{
	return mono_add_ms(t, s * 1000);
}

static inline bool mono_before(monotime_t a, monotime_t b)
{
	return a.us < b.us;
}

/* a - b in milliseconds, rounded down */
static inline int64_t mono_diff_ms(monotime_t a, monotime_t b)
{
	return (a.us - b.us) / 1000;
}

/* a - b in whole seconds, rounded down */
static inline int64_t mono_diff_s(monotime_t a, monotime_t b)
{
	return (a.us - b.us) / 1000000;
}

#endif
