/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the files of a configuration into one text, with a table that leads
 * from its lines back to files and lines.
 */
#include "common/config_source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config_scan.h"

#define MAX_DEPTH 8 /* of files including files */
#define MAX_FILES 256
#define MAX_OCTETS (16u << 20) /* 100,000 home addresses are 3 MB */

static bool grow(void **p, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap ? *cap : 256;
	void *q;

	if (want <= *cap)
		return true;
	while (n < want)
		n *= 2;
	q = reallocarray(*p, n, size);
	if (!q)
		return false;
	*p = q;
	*cap = n;
	return true;
}

bool config_source_put(struct config_source *s, char c, uint32_t file, uint32_t line)
{
	if (!grow((void **)&s->text, &s->cap, s->len + 2, 1))
		return false;
	if (s->len == 0 || s->text[s->len - 1] == '\n') {
		if (!grow((void **)&s->lines, &s->cap_lines, s->n_lines + 1, sizeof(*s->lines)))
			return false;
		s->lines[s->n_lines++] = (struct config_origin){file, line};
	}
	s->text[s->len++] = c;
	s->text[s->len] = '\0';
	return true;
}

static char *read_all(int fd, size_t room, size_t *len, const char **why)
{
	size_t cap = 0, n = 0;
	void *buf = NULL;
	ssize_t got;

	for (;;) {
		if (!grow(&buf, &cap, n + 4096, 1)) {
			*why = "out of memory";
			break;
		}
		got = read(fd, (char *)buf + n, cap - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = strerror(errno);
			break;
		}
		if (got == 0) {
			*len = n;
			return buf;
		}
		n += (size_t)got;
		if (n > room) {
			*why = "the configuration is longer than 16 MiB";
			break;
		}
	}
	free(buf);
	return NULL;
}

static char *read_path(const char *path, size_t room, size_t *len, const char **why)
{
	struct stat st;
	char *text;
	int fd;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, room, len, why);
	/* O_NONBLOCK: a FIFO without a writer must not hold up a daemon */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		*why = strerror(errno);
		text = NULL;
	} else if (S_ISDIR(st.st_mode)) {
		*why = "it is a directory";
		text = NULL;
	} else {
		text = read_all(fd, room, len, why);
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static bool add_file(struct config_source *s, const char *name)
{
	char **files = reallocarray(s->files, s->n_files + 1, sizeof(*files));

	if (!files)
		return false;
	s->files = files;
	files[s->n_files] = strdup(name);
	if (!files[s->n_files])
		return false;
	s->n_files++;
	return true;
}

/* NULL, or why not */
static const char *scan_file(struct config_scan *sc, const char *path, unsigned depth, bool *ok)
{
	struct config_source *s = sc->source;
	const char *why = NULL;
	size_t len = 0;
	char *text = read_path(path, MAX_OCTETS - s->len, &len, &why);

	*ok = false;
	if (!text)
		return why;
	if (!add_file(s, path))
		why = "out of memory";
	else
		*ok = config_scan_text(sc, text, len, (uint32_t)s->n_files - 1, depth);
	free(text);
	return why;
}

bool config_scan_include(
	struct config_scan *sc, const char *path, unsigned depth, uint32_t from, uint32_t line)
{
	struct config_source *s = sc->source;
	const char *why, *remedy = "a relative name is looked up beside this file";
	bool ok = false;

	if (depth > MAX_DEPTH || s->n_files >= MAX_FILES) {
		why = "too many files include each other";
		remedy = "see whether one includes itself";
	} else {
		why = scan_file(sc, path, depth, &ok);
	}
	if (why) {
		sc->faults++;
		config_error(sc->errors, s->files[from], line, "cannot include %s: %s; %s", path,
			why, remedy);
	}
	return ok;
}

/* Close the text; libconfig gets it only if the scanner had nothing to say. */
static bool finish(struct config_scan *sc, bool ok, const char *name)
{
	if (ok)
		config_scan_end(sc);
	if (sc->faults)
		return false;
	/* line 0: this newline belongs to no line of a file */
	if (ok && config_source_put(sc->source, '\n', 0, sc->source->n_lines ? 0 : 1))
		return true;
	config_error(sc->errors, name, 0, "out of memory");
	return false;
}

bool config_source_file(struct config_source *s, const char *path, struct config_errors *errors)
{
	struct config_scan sc = {.source = s, .errors = errors};
	const char *why;
	bool ok;

	*s = (struct config_source){0};
	why = scan_file(&sc, path, 0, &ok);
	if (why) {
		config_error(errors, path, 0, "cannot read the configuration: %s", why);
		return false;
	}
	return finish(&sc, ok, path);
}

bool config_source_text(struct config_source *s, const char *name, const char *text, size_t len,
	struct config_errors *errors)
{
	struct config_scan sc = {.source = s, .errors = errors};

	*s = (struct config_source){0};
	return finish(&sc, add_file(s, name) && config_scan_text(&sc, text, len, 0, 0), name);
}

void config_source_release(struct config_source *s)
{
	for (size_t i = 0; i < s->n_files; i++)
		free(s->files[i]);
	free(s->files);
	free(s->lines);
	free(s->text);
	*s = (struct config_source){0};
}

const char *config_source_origin(const struct config_source *s, size_t line, uint32_t *origin_line)
{
	const struct config_origin *o;

	if (line < 1)
		line = 1;
	if (line > s->n_lines)
		line = s->n_lines;
	o = &s->lines[line - 1];
	/* the newline that closes the text belongs to no line of the file */
	if (o->line == 0 && line > 1)
		o--;
	*origin_line = o->line;
	return s->files[o->file];
}

const char *config_source_quote(const struct config_source *s, size_t line, char *buf, size_t cap)
{
	const char *p = s->text, *q;
	size_t n;

	for (size_t i = 1; i < line && p; i++) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		p = "";
	while (*p == ' ' || *p == '\t')
		p++;
	q = strchrnul(p, '\n');
	while (q > p && isspace((unsigned char)q[-1]))
		q--;
	n = (size_t)(q - p);
	snprintf(buf, cap, "%.*s%s", (int)(n < cap - 4 ? n : cap - 4), p, n < cap - 4 ? "" : "...");
	return buf;
}
