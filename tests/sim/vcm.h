/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_SIM_VCM_H
#define TESTS_SIM_VCM_H

#include "tests/sim/vcm_world.h"

/* vcm_crash.c: NULL, or what is wrong; *most_ms: the most by which a bound was missed, negative if it never was. */
const char *crash_seed(uint64_t seed, int kind, bool trace, int64_t *most_ms);
const char *crash_name(int kind); /* NULL: there is none */

#endif
