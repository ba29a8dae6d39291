/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target over files, and all files of directories, named on the
 * command line: what `make check` does with the corpus where there is no
 * libFuzzer.  Fails when there was nothing to run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LONGEST 65536

static size_t ran;

static void fail(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(EXIT_FAILURE);
}

static void run_file(const char *path)
{
	uint8_t *all = malloc(LONGEST), *exact;
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!all || !f)
		fail(path);
	n = fread(all, 1, LONGEST, f);
	if (ferror(f))
		fail(path);
	fclose(f);
	/* a block of the very size, for the sake of the address sanitizer */
	exact = malloc(n ? n : 1);
	if (!exact)
		fail(path);
	memcpy(exact, all, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	free(all);
	ran++;
}

static void run(const char *path)
{
	struct dirent *e;
	struct stat st;
	DIR *d;

	if (stat(path, &st) < 0)
		fail(path);
	if (!S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	d = opendir(path);
	if (!d)
		fail(path);
	while ((e = readdir(d))) {
		char sub[4096];

		if (e->d_name[0] == '.')
			continue;
		if (snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name) >= (int)sizeof(sub)) {
			errno = ENAMETOOLONG;
			fail(path);
		}
		run(sub);
	}
	closedir(d);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	printf("%zu inputs\n", ran);
	return ran ? EXIT_SUCCESS : EXIT_FAILURE;
}
