/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/run.h"

#include <stdlib.h>

int run_tests(const char *name, const TTest *const tests[], size_t count, SFun setup, SFun teardown,
	const TTest *looped, int times)
{
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	for (size_t i = 0; i < count; i++) {
		TCase *t = tcase_create(tests[i]->name);

		tcase_set_timeout(t, 120);
		tcase_add_checked_fixture(t, setup, teardown);
		tcase_add_loop_test(t, tests[i], 0, tests[i] == looped ? times : 1);
		suite_add_tcase(s, t);
	}
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
