/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/addr.h"

#define LINE_MAX_LEN 256
#define REWRITE_AT 4096 /* lines in the file, if also more than REWRITE_FACTOR for each binding */
#define REWRITE_FACTOR 4

struct entry {
	struct in6_addr home_address; /* key */
	struct ha_binding_record record;
	int64_t expires; /* seconds, wall clock */
	UT_hash_handle hh;
};

struct store {
	char *path;
	int fd, lock;
	FILE *out;
	struct entry *entries;
	size_t lines, damaged;
};

static uint32_t crc32(const char *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	while (n--) {
		crc ^= (uint8_t)*p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static int64_t wall_clock(void)
{
	return (int64_t)time(NULL);
}

static struct entry *find(struct store *s, const struct in6_addr *a)
{
	struct entry *e;

	HASH_FIND(hh, s->entries, a, sizeof(*a), e);
	return e;
}

static void drop(struct store *s, struct entry *e)
{
	if (!e)
		return;
	HASH_DEL(s->entries, e);
	free(e);
}

static struct entry *put(struct store *s, const struct ha_binding_record *r, int64_t expires)
{
	struct entry *e = find(s, &r->home_address);

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		e->home_address = r->home_address;
		HASH_ADD(hh, s->entries, home_address, sizeof(e->home_address), e);
	}
	e->record = *r;
	e->expires = expires;
	return e;
}

static void write_line(FILE *f, char *text)
{
	fprintf(f, "%s %08x\n", text, crc32(text, strlen(text)));
}

static void write_put(FILE *f, const struct entry *e)
{
	const struct ha_binding_record *r = &e->record;
	char text[LINE_MAX_LEN], hoa[INET6_ADDRSTRLEN], coa[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &r->home_address, hoa, sizeof(hoa));
	inet_ntop(AF_INET6, &r->care_of, coa, sizeof(coa));
	snprintf(text, sizeof(text), "P %s %s %u %u %u %lld %d", hoa, coa, r->seq, r->flags, r->lifetime_s,
		(long long)e->expires, r->invalid);
	write_line(f, text);
}

/* One line without its newline; false: damaged. */
static bool read_line(struct store *s, char *line)
{
	char *crc = strrchr(line, ' '), hoa[64], coa[64], *end;
	struct ha_binding_record r = {0};
	unsigned seq, flags, lifetime, invalid;
	long long expires;

	if (!crc)
		return false;
	*crc++ = '\0';
	if (strlen(crc) != 8 || strtoul(crc, &end, 16) != crc32(line, strlen(line)) || *end)
		return false;
	if (sscanf(line, "D %63s", hoa) == 1 && inet_pton(AF_INET6, hoa, &r.home_address) == 1) {
		drop(s, find(s, &r.home_address));
		return true;
	}
	if (sscanf(line, "P %63s %63s %u %u %u %lld %u", hoa, coa, &seq, &flags, &lifetime, &expires, &invalid) != 7 ||
		seq > 0xffff || flags > 0xffff || lifetime > 0xffffu * 4 || invalid > 1 ||
		inet_pton(AF_INET6, hoa, &r.home_address) != 1 || inet_pton(AF_INET6, coa, &r.care_of) != 1)
		return false;
	r.seq = (uint16_t)seq;
	r.flags = (uint16_t)flags;
	r.lifetime_s = lifetime;
	r.invalid = invalid;
	return put(s, &r, expires) != NULL;
}

static void read_all(struct store *s, FILE *f)
{
	char line[LINE_MAX_LEN];

	while (fgets(line, sizeof(line), f)) {
		char *nl = strchr(line, '\n');

		s->lines++;
		if (!nl) { /* cut off, or too long to be ours: skip to the end of it */
			int c;

			while ((c = fgetc(f)) != EOF && c != '\n')
				;
			s->damaged++;
			continue;
		}
		*nl = '\0';
		if (!read_line(s, line))
			s->damaged++;
	}
}

static int rewrite(struct store *s)
{
	char tmp[4096];
	struct entry *e, *next;
	FILE *f;
	int fd;

	if (snprintf(tmp, sizeof(tmp), "%s.new", s->path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open(tmp, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	s->lines = 0;
	HASH_ITER (hh, s->entries, e, next) {
		if (e->expires <= wall_clock()) {
			drop(s, e);
			continue;
		}
		write_put(f, e);
		s->lines++;
	}
	if (fflush(f) != 0 || fsync(fd) < 0 || rename(tmp, s->path) < 0) {
		int err = -errno;

		fclose(f);
		(void)unlink(tmp);
		return err;
	}
	if (s->out)
		fclose(s->out);
	s->out = f;
	return 0;
}

struct store *store_open(const char *path)
{
	struct store *s = calloc(1, sizeof(*s));
	char lock[4096];
	FILE *f;
	int err;

	if (!s)
		return NULL;
	s->lock = -1;
	s->path = strdup(path);
	if (!s->path || snprintf(lock, sizeof(lock), "%s.lock", path) >= (int)sizeof(lock))
		goto fail;
	s->lock = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (s->lock < 0 || flock(s->lock, LOCK_EX | LOCK_NB) < 0)
		goto fail;
	f = fopen(path, "re");
	if (f) {
		read_all(s, f);
		fclose(f);
	}
	/* A line cut off must not be continued by the next one: start with a clean file. */
	err = rewrite(s);
	if (err) {
		errno = -err;
		goto fail;
	}
	return s;
fail:
	err = errno;
	store_close(s);
	errno = err;
	return NULL;
}

void store_close(struct store *s)
{
	struct entry *e, *next;

	if (!s)
		return;
	if (s->out)
		fclose(s->out);
	if (s->lock >= 0)
		close(s->lock);
	HASH_ITER (hh, s->entries, e, next)
		drop(s, e);
	free(s->path);
	free(s);
}

void store_each(struct store *s, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg)
{
	struct entry *e, *next;
	int64_t now = wall_clock();

	HASH_ITER (hh, s->entries, e, next) {
		struct ha_binding_record r = e->record;

		if (e->expires <= now)
			continue;
		/* A clock that was set back must not make a binding longer than it was granted. */
		r.remaining_s = e->expires - now > r.lifetime_s ? r.lifetime_s : (uint32_t)(e->expires - now);
		fn(arg, &r);
	}
}

void store_put(struct store *s, const struct ha_binding_record *r)
{
	struct entry *e = put(s, r, wall_clock() + r->remaining_s);

	if (!e)
		return;
	write_put(s->out, e);
	s->lines++;
}

void store_del(struct store *s, const struct in6_addr *home_address)
{
	char text[LINE_MAX_LEN], hoa[INET6_ADDRSTRLEN];
	struct entry *e = find(s, home_address);

	if (!e)
		return;
	drop(s, e);
	inet_ntop(AF_INET6, home_address, hoa, sizeof(hoa));
	snprintf(text, sizeof(text), "D %s", hoa);
	write_line(s->out, text);
	s->lines++;
}

int store_flush(struct store *s)
{
	if (fflush(s->out) != 0)
		return -errno;
	if (s->lines > REWRITE_AT && s->lines > REWRITE_FACTOR * (size_t)HASH_COUNT(s->entries))
		return rewrite(s);
	return 0;
}

size_t store_damaged(const struct store *s)
{
	return s->damaged;
}
