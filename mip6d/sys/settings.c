/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file: "boot ID" in the first line, then a line "NAME VALUE" for each
 * setting, appended before the setting is changed.  A last line that was cut
 * off by a kill belongs to a change that was not made yet.
 */
#include "mip6d/sys/settings.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#define NAME_MAX_LEN 128
#define VALUE_MAX_LEN 64
#define MAX_SETTINGS 1024

struct setting {
	char name[NAME_MAX_LEN];
	char value[VALUE_MAX_LEN]; /* before we came */
};

struct settings {
	char path[PATH_MAX];
	char boot_id[VALUE_MAX_LEN];
	size_t n;
	struct setting *old;
};

/* ---- /proc/sys ---- */

/* Names come from a file as well: they must not lead anywhere else. */
static int name_path(const char *name, char *path, size_t len)
{
	if (strncmp(name, "net/ipv6/", 9) != 0 && strcmp(name, "net/core/xfrm_larval_drop") != 0 &&
		 strcmp(name, "kernel/random/boot_id") != 0)
		return -EINVAL;
	if (strstr(name, "..") || strlen(name) >= NAME_MAX_LEN)
		return -EINVAL;
	return snprintf(path, len, "/proc/sys/%s", name) < (int)len ? 0 : -ENAMETOOLONG;
}

int sysctl_read(const char *name, char *value, size_t len)
{
	char path[NAME_MAX_LEN + 16];
	int err = name_path(name, path, sizeof(path)), fd;
	ssize_t n;

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, len - 1);
	err = n < 0 ? -errno : 0;
	close(fd);
	value[n > 0 ? n : 0] = 0;
	value[strcspn(value, "\n")] = 0;
	return err;
}

int sysctl_write(const char *name, const char *value)
{
	char path[NAME_MAX_LEN + 16];
	int err = name_path(name, path, sizeof(path)), fd;

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* ---- the file ---- */

static struct setting *find(struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->old[i].name, name) == 0)
			return &s->old[i];
	return NULL;
}

static int note(struct settings *s, const char *name, const char *value)
{
	struct setting *more;

	if (s->n >= MAX_SETTINGS || strlen(name) >= NAME_MAX_LEN || strlen(value) >= VALUE_MAX_LEN)
		return -E2BIG;
	more = realloc(s->old, (s->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->old = more;
	snprintf(s->old[s->n].name, NAME_MAX_LEN, "%s", name);
	snprintf(s->old[s->n].value, VALUE_MAX_LEN, "%s", value);
	s->n++;
	return 0;
}

static bool plain(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._-/:+", *text))
			return false;
	return true;
}

static void take_line(struct settings *s, char *line)
{
	char *space = strchr(line, ' '), path[NAME_MAX_LEN + 16];

	if (!space)
		return;
	*space = 0;
	if (!plain(line) || !plain(space + 1) || name_path(line, path, sizeof(path)) ||
		find(s, line)) {
		log_warning("%s: a line was ignored: this file is mip6d's own, do not edit it",
			s->path);
		return;
	}
	note(s, line, space + 1);
}

static void read_file(struct settings *s, FILE *f)
{
	char line[NAME_MAX_LEN + VALUE_MAX_LEN + 8], *end;
	bool first = true;

	while (fgets(line, sizeof(line), f)) {
		end = strchr(line, '\n');
		if (!end)
			return; /* cut off */
		*end = 0;
		if (!first)
			take_line(s, line);
		else if (strncmp(line, "boot ", 5) != 0 || strcmp(line + 5, s->boot_id) != 0)
			return; /* of an earlier life of this machine */
		first = false;
	}
}

static int append(struct settings *s, const char *a, const char *b)
{
	char line[NAME_MAX_LEN + VALUE_MAX_LEN + 8];
	int n = snprintf(line, sizeof(line), "%s %s\n", a, b), err = 0;
	int fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (write(fd, line, (size_t)n) != n)
		err = -EIO;
	close(fd);
	return err;
}

struct settings *settings_open(const char *path, char *err, size_t errlen)
{
	struct settings *s = calloc(1, sizeof(*s));
	FILE *f;

	if (!s || strlen(path) >= sizeof(s->path)) {
		snprintf(err, errlen, "%s", s ? "the path is too long" : "out of memory");
		free(s);
		return NULL;
	}
	snprintf(s->path, sizeof(s->path), "%s", path);
	sysctl_read("kernel/random/boot_id", s->boot_id, sizeof(s->boot_id));
	f = fopen(path, "re");
	if (f) {
		read_file(s, f);
		fclose(f);
	}
	if (!s->n)
		unlink(path); /* none, or of an earlier life */
	return s;
}

void settings_close(struct settings *s)
{
	if (!s)
		return;
	free(s->old);
	free(s);
}

int settings_keep(struct settings *s, const char *name)
{
	char value[VALUE_MAX_LEN];
	int err;

	if (find(s, name))
		return 0;
	err = sysctl_read(name, value, sizeof(value));
	if (!err && !s->n)
		err = append(s, "boot", s->boot_id);
	if (!err)
		err = append(s, name, value);
	return err ? err : note(s, name, value);
}

int settings_set(struct settings *s, const char *name, const char *value)
{
	char now[VALUE_MAX_LEN];
	int err = sysctl_read(name, now, sizeof(now));

	if (err || strcmp(now, value) == 0)
		return err;
	err = settings_keep(s, name);
	return err ? err : sysctl_write(name, value);
}

void settings_restore(struct settings *s)
{
	while (s->n > 0) {
		struct setting *old = &s->old[--s->n];
		int err = sysctl_write(old->name, old->value);

		if (err && err != -ENOENT)
			log_warning("cannot set %s back to %s: %s", old->name, old->value,
				strerror(-err));
	}
	unlink(s->path);
}
