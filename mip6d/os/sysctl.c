/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

static int read_value(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, value, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

static int write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static bool keep(struct sysctls *s, const char *path, const char *value)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (strcmp(s->saved[i].path, path) == 0)
			return true;
	}
	if (s->n == SYSCTL_MAX)
		return false;
	s->saved[s->n].path = strdup(path);
	s->saved[s->n].value = strdup(value);
	if (!s->saved[s->n].path || !s->saved[s->n].value)
		return false;
	s->n++;
	return true;
}

static void save_file(const struct sysctls *s)
{
	char tmp[4096];
	FILE *f;

	if (!s->file || snprintf(tmp, sizeof(tmp), "%s.new", s->file) >= (int)sizeof(tmp))
		return;
	f = fopen(tmp, "we");
	if (!f) {
		log_warning("%s: %s; settings changed now are not restored after a crash", tmp, strerror(errno));
		return;
	}
	(void)fchmod(fileno(f), 0600);
	for (unsigned i = 0; i < s->n; i++)
		fprintf(f, "%s %s\n", s->saved[i].path, s->saved[i].value);
	if (fclose(f) == 0)
		(void)rename(tmp, s->file);
}

int sysctls_open(struct sysctls *s, const char *file)
{
	char line[512];
	FILE *f;

	memset(s, 0, sizeof(*s));
	if (!file)
		return 0;
	s->file = strdup(file);
	if (!s->file)
		return -ENOMEM;
	f = fopen(file, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		char *value = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		/* Only what we could have written: a file in the wrong hands must not write elsewhere. */
		if (!value || strncmp(line, "/proc/sys/net/ipv6/", 19) != 0 || strstr(line, ".."))
			continue;
		*value++ = '\0';
		(void)keep(s, line, value);
	}
	fclose(f);
	return 0;
}

int sysctls_set(struct sysctls *s, const char *value, const char *fmt, ...)
{
	char path[256], old[64];
	va_list ap;
	int n = snprintf(path, sizeof(path), "/proc/sys/"), err;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	va_end(ap);
	err = read_value(path, old, sizeof(old));
	if (err)
		return err;
	if (strcmp(old, value) == 0)
		return 0;
	if (!keep(s, path, old))
		return -ENOMEM;
	save_file(s);
	return write_value(path, value);
}

void sysctls_restore(struct sysctls *s)
{
	for (unsigned i = s->n; i > 0; i--)
		(void)write_value(s->saved[i - 1].path, s->saved[i - 1].value); /* the interface may be gone */
	if (s->file)
		(void)unlink(s->file);
}

void sysctls_close(struct sysctls *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		free(s->saved[i].path);
		free(s->saved[i].value);
	}
	free(s->file);
	memset(s, 0, sizeof(*s));
}
