/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the tests of a program, each in a case of its own, so that CK_RUN_CASE=its_name runs it alone. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include <check.h>

/* Before and after each test: `setup` and `teardown`, or NULL.  Returns what main() returns. */
int run_tests(
	const char *name, const TTest *const tests[], size_t count, SFun setup, SFun teardown);
#define RUN(name, tests, setup, teardown) \
	run_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#endif
