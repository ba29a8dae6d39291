/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the tests of a program, each in a case of its own, so that CK_RUN_CASE=its_name runs it alone. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include <check.h>

/*
 * Before and after each test: `setup` and `teardown`, or NULL.  `looped`, if
 * not NULL, is run so many times, with _i from 0 on.  Returns what main()
 * returns.
 */
int run_tests(const char *name, const TTest *const tests[], size_t count, SFun setup, SFun teardown,
	const TTest *looped, int times);
#define RUN(name, tests, setup, teardown) RUN_LOOPED(name, tests, setup, teardown, NULL, 1)
#define RUN_LOOPED(name, tests, setup, teardown, looped, times) \
	run_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown, looped, times)

#endif
