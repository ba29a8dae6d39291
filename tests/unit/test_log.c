/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/log.h: what a line looks like, and how many of them a remote can cause. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

static char captured[4096];
static int saved_stderr = -1, pipe_fds[2];

static void capture(void)
{
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	ck_assert_int_ge(dup2(pipe_fds[1], STDERR_FILENO), 0);
	close(pipe_fds[1]);
}

static const char *captured_lines(void)
{
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO); /* closes the last writer of the pipe */
	close(saved_stderr);
	n = read(pipe_fds[0], captured, sizeof(captured) - 1);
	captured[n > 0 ? n : 0] = '\0';
	close(pipe_fds[0]);
	return captured;
}

START_TEST(plain_lines)
{
	unsetenv("JOURNAL_STREAM");
	capture();
	log_setup("mip6d", LOGL_INFO);
	log_error("no %s", "way");
	log_debug("not this one");
	log_info("%d", 7);
	ck_assert_str_eq(captured_lines(), "mip6d: error: no way\nmip6d: info: 7\n");
}
END_TEST

START_TEST(journal_prefix)
{
	char stream[64];
	struct stat st;

	capture();
	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_setup("mip6d", LOGL_DEBUG);
	log_error("a");
	log_warning("b");
	log_notice("c");
	log_info("d");
	log_debug("e");
	ck_assert_str_eq(captured_lines(), "<3>a\n<4>b\n<5>c\n<6>d\n<7>e\n");
}
END_TEST

/* The variable is inherited, but stderr went elsewhere since. */
START_TEST(journal_of_another_stream)
{
	setenv("JOURNAL_STREAM", "1:1", 1);
	capture();
	log_setup("mip6d", LOGL_INFO);
	log_notice("x");
	ck_assert_str_eq(captured_lines(), "mip6d: notice: x\n");
}
END_TEST

START_TEST(control_characters_cannot_forge_lines)
{
	unsetenv("JOURNAL_STREAM");
	capture();
	log_setup("m", LOGL_INFO);
	log_info("id %s", "x\nm: error: forged\033[2J\177");
	ck_assert_str_eq(captured_lines(), "m: info: id x?m: error: forged?[2J?\n");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char longer[3000];
	const char *got;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	unsetenv("JOURNAL_STREAM");
	capture();
	log_setup("m", LOGL_INFO);
	log_info("%s", longer);
	got = captured_lines();
	ck_assert_uint_le(strlen(got), 1024);
	ck_assert_str_eq(got + strlen(got) - 5, "x...\n");
}
END_TEST

START_TEST(errno_survives)
{
	capture();
	log_setup("m", LOGL_INFO);
	errno = ENOENT;
	log_info("%m");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_nonnull(strstr(captured_lines(), strerror(ENOENT)));
}
END_TEST

static unsigned allowed(struct log_limit *l, int64_t us, unsigned tries, uint64_t *suppressed)
{
	unsigned n = 0;
	uint64_t s;

	*suppressed = 0;
	for (unsigned i = 0; i < tries; i++) {
		n += log_allowed(l, (monotime_t){us}, &s);
		*suppressed += s;
	}
	return n;
}

START_TEST(burst_then_rate)
{
	struct log_limit l = LOG_LIMIT_INIT(5, 60);
	const int64_t s = 1000000, start = 1000 * s;
	uint64_t held;

	ck_assert_uint_eq(allowed(&l, start, 100, &held), 5);
	ck_assert_uint_eq(held, 0);
	ck_assert_uint_eq(allowed(&l, start + s / 2, 10, &held), 0);
	ck_assert_uint_eq(allowed(&l, start + s, 1, &held), 1);
	ck_assert_uint_eq(held, 95 + 10);
	ck_assert_uint_eq(allowed(&l, start + s, 1, &held), 0);
	/* a long silence fills the bucket and no more */
	ck_assert_uint_eq(allowed(&l, start + 100000 * s, 100, &held), 5);
	ck_assert_uint_eq(held, 1);
}
END_TEST

/*
 * Calls that come too often to earn anything one by one must not starve it,
 * nor lose what is left over when they earn: six a minute are a thousandth of
 * a token in 10 ms, which two calls 9.999 ms apart only earn together.
 */
START_TEST(flood_does_not_stop_the_refill)
{
	static const int64_t step_us[] = {7, 9999, 10001, 19999};

	for (size_t i = 0; i < sizeof(step_us) / sizeof(step_us[0]); i++) {
		struct log_limit l = LOG_LIMIT_INIT(2, 6);
		unsigned n = 0;

		for (int64_t us = 0; us <= 60020000; us += step_us[i])
			n += log_allowed(&l, (monotime_t){us}, NULL);
		ck_assert_uint_eq(n, 8); /* the burst, and six a minute */
	}
}
END_TEST

START_TEST(no_refill_and_clock_at_its_ends)
{
	struct log_limit never = LOG_LIMIT_INIT(2, 0),
			 fast = LOG_LIMIT_INIT(UINT32_MAX, UINT32_MAX);
	uint64_t held;

	ck_assert_uint_eq(allowed(&never, 0, 10, &held), 2);
	ck_assert_uint_eq(allowed(&never, INT64_MAX, 10, &held), 0);
	ck_assert_uint_eq(allowed(&fast, 0, 10, &held), 10);
	ck_assert_uint_eq(allowed(&fast, INT64_MAX, 10, &held), 10);
	ck_assert_uint_eq(allowed(&fast, 0, 10, &held), 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("log");
	SRunner *r;
	int failed;

	tcase_add_test(t, plain_lines);
	tcase_add_test(t, journal_prefix);
	tcase_add_test(t, journal_of_another_stream);
	tcase_add_test(t, control_characters_cannot_forge_lines);
	tcase_add_test(t, long_lines_are_cut);
	tcase_add_test(t, errno_survives);
	tcase_add_test(t, burst_then_rate);
	tcase_add_test(t, flood_does_not_stop_the_refill);
	tcase_add_test(t, no_refill_and_clock_at_its_ends);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
