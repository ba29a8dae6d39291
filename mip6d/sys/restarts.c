/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/restarts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

#define TEXT_LEN 16

static bool read_number(const char *path, uint32_t *n)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[TEXT_LEN + 1] = "", *end;
	unsigned long long v;
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, text, TEXT_LEN);
	close(fd);
	if (got <= 0 || text[0] < '0' || text[0] > '9')
		return false;
	v = strtoull(text, &end, 10);
	*n = (uint32_t)v;
	return *end == '\n' && v <= UINT32_MAX;
}

/* Beside it and renamed over it: after a crash it is the old one or the new one. */
static bool write_number(const char *path, uint32_t n)
{
	char next[PATH_MAX + 32], text[TEXT_LEN];
	int fd, len = snprintf(text, sizeof(text), "%" PRIu32 "\n", n);
	bool ok;

	snprintf(next, sizeof(next), "%s.new", path);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
	close(fd);
	return ok && rename(next, path) == 0;
}

uint32_t restarts_count(const char *state_file, bool lost)
{
	char path[PATH_MAX + 16];
	uint32_t n;
	bool known;

	snprintf(path, sizeof(path), "%s.restarts", state_file);
	known = read_number(path, &n);
	if (known && !lost)
		return n;
	n = known ? n + 1 : (uint32_t)time(NULL);
	if (!write_number(path, n))
		log_warning(
			"%s: cannot be written: %s; peers may not notice that bindings are lost",
			path, strerror(errno));
	return n;
}
