/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where secrets come from: files that must be nobody else's, commands that must end. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mip6d/config.h"
#include "common/config_secret.h"

static char folder[64], path[96], *text, said[100];
static size_t len;

static void setup(void)
{
	snprintf(folder, sizeof(folder), "/tmp/test_secret.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/keys", folder);
}

static void teardown(void)
{
	unlink(path);
	rmdir(folder);
}

static void put(const char *what, mode_t mode)
{
	FILE *f = fopen(path, "w");

	fputs(what, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static void refused_file(const char *words)
{
	const char *why = config_secret_file(path, 1000, &text, &len);

	ck_assert_msg(why && strstr(why, words) && !text, "%s", why ? why : "taken");
}

START_TEST(files)
{
	char link[112];

	refused_file("no such file");
	put("secret\n", 0600);
	ck_assert_ptr_null(config_secret_file(path, 1000, &text, &len));
	ck_assert(len == 7 && strcmp(text, "secret\n") == 0);
	config_secret_release(text, len);
	put("secret\n", 0640);
	refused_file("chmod 600");
	put("secret\n", 0604);
	refused_file("chmod 600");
	put("", 0600);
	ck_assert_int_eq(truncate(path, 1001), 0);
	refused_file("longer");
	snprintf(link, sizeof(link), "%s.real", path);
	rename(path, link);
	ck_assert_int_eq(symlink(link, path), 0);
	refused_file("symbolic link");
	unlink(link);
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused_file("regular file");
}
END_TEST

START_TEST(files_of_others)
{
	put("secret\n", 0600);
	if (chown(path, 12345, 0) < 0)
		return; /* only root can give it away */
	refused_file("another user");
}
END_TEST

static void refused_command(const char *command, int ms, const char *words, const char *err_words)
{
	const char *why = config_secret_command(command, ms, &text, &len, said, sizeof(said));

	ck_assert_msg(why && strstr(why, words) && !text, "%s: %s", command, why ? why : "taken");
	ck_assert_msg(strstr(said, err_words), "%s said: %s", command, said);
}

START_TEST(commands)
{
	ck_assert_ptr_null(config_secret_command(
		"/bin/echo  $HOME\t;ls `id`", 5000, &text, &len, said, sizeof(said)));
	ck_assert_str_eq(text, "$HOME ;ls `id`\n");
	ck_assert_uint_eq(len, strlen(text));
	config_secret_release(text, len);
	refused_command("/bin/false", 5000, "failed", "");
	refused_command("/bin/true", 5000, "printed nothing", "");
	refused_command("/bin/cat /nonexistent", 5000, "failed", "No such file");
	refused_command("/nonexistent/program", 5000, "could not be started", "");
	refused_command("   ", 5000, "too long", "");
}
END_TEST

START_TEST(commands_get_nothing_of_ours)
{
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */

	ck_assert_int_eq(setenv("SECRET", "ours", 1), 0);
	ck_assert_ptr_null(
		config_secret_command("/usr/bin/env", 5000, &text, &len, said, sizeof(said)));
	ck_assert(strncmp(text, "PATH=", 5) == 0 && !strstr(text, "SECRET"));
	config_secret_release(text, len);
	ck_assert_ptr_null(config_secret_command(
		"/bin/ls /proc/self/fd", 5000, &text, &len, said, sizeof(said)));
	ck_assert_str_eq(text, "0\n1\n2\n3\n"); /* the last one is the folder itself */
	config_secret_release(text, len);
	close(fd);
}
END_TEST

/* With its children, and whoever holds its output open. */
START_TEST(commands_that_do_not_end)
{
	time_t start = time(NULL);

	refused_command("/bin/sleep 60", 200, "in time", "");
	put("#!/bin/sh\necho half\nsleep 60 &\necho slow >&2\nsleep 60\n", 0700);
	refused_command(path, 300, "in time", "slow");
	put("#!/bin/sh\nexec >&- 2>&-\nsleep 60\n", 0700);
	refused_command(path, 300, "in time", "");
	ck_assert(time(NULL) - start < 20);
}
END_TEST

START_TEST(commands_that_print_much)
{
	put("#!/bin/sh\nexec head -c 3000000 /dev/zero\n", 0700);
	ck_assert_ptr_null(config_secret_command(path, 20000, &text, &len, said, sizeof(said)));
	ck_assert_uint_eq(len, 3000000);
	config_secret_release(text, len);
	refused_command("/bin/cat /dev/zero", 20000, "more than 32 MB", "");
	put("#!/bin/sh\nyes no >&2 &\nsleep 0.2\nkill $!\nexit 3\n", 0700);
	refused_command(path, 20000, "failed", "no no no");
}
END_TEST

#define CONF                                                                                  \
	"role = \"home-agent\";\n"                                                            \
	"home_agent = { address = \"2001:db8:1::1000\"; ipsec = \"manual\"; home_prefixes = " \
	"( \"2001:db8:1::/64\" ); };\n"                                                       \
	"ipsec = { allow_weak = true; keys_command = \"/bin/echo two words\"; };\n"

static char *printed(const struct mip6d_config *cfg)
{
	char *to = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&to, &n);

	config_print(cfg, f);
	fclose(f);
	return to;
}

START_TEST(configuration)
{
	struct config_errors errors;
	struct mip6d_config cfg;
	char *once, *twice;

	/* A text runs nothing. */
	ck_assert(config_load_text("text", CONF, strlen(CONF), &cfg, &errors));
	ck_assert_ptr_null(cfg.ipsec.keys);
	once = printed(&cfg);
	config_release(&cfg);
	config_errors_release(&errors);
	ck_assert_ptr_nonnull(
		strstr(once, "\tkeys_command = \"/bin/echo two words\";\n\tallow_weak = true;\n"));
	ck_assert(config_load_text("print", once, strlen(once), &cfg, &errors));
	twice = printed(&cfg);
	ck_assert_str_eq(once, twice);
	config_release(&cfg);
	config_errors_release(&errors);
	free(once);
	free(twice);
	/* A file does. */
	put(CONF, 0600);
	ck_assert(!config_load(path, &cfg, &errors));
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_ptr_nonnull(
		strstr(errors.lines[0], "output of /bin/echo two words:1: a line has six words"));
	config_errors_release(&errors);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("secret");
	TCase *t = tcase_create("secret");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, files);
	tcase_add_test(t, files_of_others);
	tcase_add_test(t, commands);
	tcase_add_test(t, commands_get_nothing_of_ours);
	tcase_add_test(t, commands_that_do_not_end);
	tcase_add_test(t, commands_that_print_much);
	tcase_add_test(t, configuration);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
