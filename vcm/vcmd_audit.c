/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"

struct vcmd_audit {
	char path[PATH_MAX];
	int fd;
	uint64_t lost;
};

/* ---- the file ---- */

static int open_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

struct vcmd_audit *vcmd_audit_open(const char *path, char *err, size_t errlen)
{
	struct vcmd_audit *a = calloc(1, sizeof(*a));

	if (!a) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	snprintf(a->path, sizeof(a->path), "%s", path);
	a->fd = open_file(path);
	if (a->fd >= 0)
		return a;
	snprintf(err, errlen, "cannot open the audit log %s: %s; make its folder, or set another audit.file",
		path, a->fd == -EINVAL ? "it is no regular file" : strerror(-a->fd));
	free(a);
	return NULL;
}

void vcmd_audit_close(struct vcmd_audit *a)
{
	if (!a)
		return;
	close(a->fd);
	free(a);
}

int vcmd_audit_reopen(struct vcmd_audit *a)
{
	int fd = open_file(a->path);

	if (fd < 0)
		return fd;
	close(a->fd);
	a->fd = fd;
	return 0;
}

void vcmd_audit_write(struct vcmd_audit *a, const json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	char end[] = "\n";
	struct iovec v[2] = {{text, text ? strlen(text) : 0}, {end, 1}};

	/* one write: lines of two processes do not mix */
	if (!text || writev(a->fd, v, 2) != (ssize_t)(v[0].iov_len + 1)) {
		if (!a->lost++)
			log_error("the audit log %s cannot be written: %s; make room, then  systemctl "
				  "reload vcmd",
				a->path, strerror(errno));
	}
	free(text);
}

uint64_t vcmd_audit_lost(const struct vcmd_audit *a)
{
	return a->lost;
}

/* ---- lines ---- */

static json_t *event(const char *what)
{
	char text[40], whole[64];
	struct timespec t;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%06ldZ", text, t.tv_nsec / 1000);
	return json_pack("{s:s, s:s}", "event", what, "time", whole);
}

static void put_address(json_t *o, const char *key, const struct in6_addr *a)
{
	if (!in6_is_any(a))
		json_object_set_new(o, key, json_string(in6_str(a)));
}

static void put_spi(json_t *o, const char *key, uint32_t spi)
{
	if (spi)
		json_object_set_new(o, key, json_sprintf("0x%08x", spi));
}

static void put_count(json_t *o, const char *key, uint64_t n)
{
	if (n)
		json_object_set_new(o, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

json_t *vcmd_audit_json(const struct vcm_audit *a)
{
	json_t *o = event(a->what);

	if (!o)
		return NULL;
	put_address(o, "a", &a->a);
	put_address(o, "b", &a->b);
	if (a->session) {
		json_object_set_new(
			o, "session", json_sprintf("%016llx", (unsigned long long)a->session));
		put_count(o, "generation", a->generation);
	}
	put_address(o, "node", &a->node);
	if (a->text)
		json_object_set_new(o, "text", json_string(a->text));
	put_spi(o, "spi_a", a->spi_a);
	put_spi(o, "spi_b", a->spi_b);
	put_count(o, "packets_ab", a->packets_ab);
	put_count(o, "packets_ba", a->packets_ba);
	return o;
}

json_t *vcmd_audit_action(const char *what, const char *object)
{
	json_t *o = event("by-hand");

	if (o)
		json_object_set_new(o, "text", json_sprintf("%s%s%s", what, object ? " " : "", object ? object : ""));
	return o;
}
