/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: opening it, and what goes in and out; store_file.c has its format. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mip6d/sys/store_internal.h"

static int64_t wall_clock(void *arg)
{
	(void)arg;
	return time(NULL);
}

void store_set_clock(struct store *s, int64_t (*now)(void *arg), void *arg)
{
	s->now = now ? now : wall_clock;
	s->now_arg = arg;
}

/* ---- opening ---- */

static int lock_file(const char *path)
{
	char name[PATH_MAX + 8];
	int fd;

	snprintf(name, sizeof(name), "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void make_folder(const char *path)
{
	char folder[PATH_MAX], *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = 0;
		(void)mkdir(folder, 0700); /* opening the file tells what is wrong */
	}
}

static bool open_files(struct store *s, char *err, size_t errlen)
{
	struct stat st;

	make_folder(s->path);
	s->lock_fd = lock_file(s->path);
	if (s->lock_fd == -EWOULDBLOCK) {
		snprintf(err, errlen,
			"%s: another mip6d uses this file; stop it, or give this one another "
			"state_file",
			s->path);
		return false;
	}
	if (s->lock_fd >= 0)
		s->fd = open(s->path,
			O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (s->lock_fd < 0 || s->fd < 0 || fstat(s->fd, &st) < 0) {
		snprintf(err, errlen,
			"%s: %s; state_file must be in a folder that mip6d may write to", s->path,
			strerror(s->lock_fd < 0 ? -s->lock_fd : errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		snprintf(err, errlen, "%s: is no regular file; give another state_file", s->path);
		return false;
	}
	return true;
}

struct store *store_open(const char *path, char *err, size_t errlen)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s || strlen(path) >= sizeof(s->path)) {
		snprintf(err, errlen, "%s: %s", path, s ? "the path is too long" : "out of memory");
		free(s);
		return NULL;
	}
	snprintf(s->path, sizeof(s->path), "%s", path);
	s->fd = s->lock_fd = -1;
	s->log = (struct log_limit)LOG_LIMIT_INIT(1, 1);
	store_set_clock(s, NULL, NULL);
	if (!open_files(s, err, errlen)) {
		store_close(s);
		return NULL;
	}
	if (!store_load(s)) {
		snprintf(err, errlen, "%s: out of memory", path);
		store_close(s);
		return NULL;
	}
	if (s->broken)
		store_compact(s);
	return s;
}

void store_close(struct store *s)
{
	struct sequence *q, *next_q;
	struct entry *e, *next;
	struct sa *a, *next_a;

	if (!s)
		return;
	HASH_ITER(hh, s->entries, e, next) {
		HASH_DEL(s->entries, e);
		free(e->networks);
		free(e);
	}
	HASH_ITER(hh, s->sequences, q, next_q)
	{
		HASH_DEL(s->sequences, q);
		free(q);
	}
	HASH_ITER(hh, s->sas, a, next_a)
	{
		HASH_DEL(s->sas, a);
		free(a);
	}
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

/* ---- the home agent's bindings ---- */

static bool copy_networks(struct entry *e, const struct ha_binding_record *r)
{
	size_t n = r->n_networks < MIP6_MAX_NETWORKS ? r->n_networks : MIP6_MAX_NETWORKS;

	if (!n)
		return true;
	e->networks = malloc(n * sizeof(*e->networks));
	if (!e->networks)
		return false;
	memcpy(e->networks, r->networks, n * sizeof(*e->networks));
	e->n_networks = (uint16_t)n;
	e->n_read = n;
	return true;
}

void store_put(struct store *s, const struct ha_binding_record *r)
{
	struct entry e = {.home_address = r->home_address,
		.care_of = r->care_of,
		.seq = r->seq,
		.flags = r->flags,
		.lifetime_s = r->lifetime_s,
		.invalid = r->invalid};

	store_set_end(s, &e, r->remaining_s);
	if (copy_networks(&e, r) && store_remember(s, &e))
		store_append(s, KIND_PUT, &e);
	else
		store_complain(s, "remember a binding", ENOMEM);
}

void store_del(struct store *s, const struct in6_addr *home_address)
{
	struct entry e = {.home_address = *home_address};

	if (!store_find(s, home_address))
		return;
	store_forget(s, home_address);
	store_append(s, KIND_DEL, &e);
}

void store_foreach(
	struct store *s, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg)
{
	struct entry *e, *next;

	HASH_ITER(hh, s->entries, e, next) {
		struct ha_binding_record r = {.home_address = e->home_address,
			.care_of = e->care_of,
			.seq = e->seq,
			.flags = e->flags,
			.lifetime_s = e->lifetime_s,
			.remaining_s = store_remaining(s, e),
			.invalid = e->invalid,
			.n_networks = e->n_read == e->n_networks ? e->n_networks : 0,
			.networks = e->networks};

		if (r.remaining_s)
			fn(arg, &r);
		else
			store_del(s, &r.home_address);
	}
}

size_t store_count(const struct store *s)
{
	return HASH_COUNT(s->entries);
}

/* ---- the mobile node's binding ---- */

void store_mn_put(struct store *s, const struct store_mn_record *r)
{
	struct entry e = {.home_address = r->home_address,
		.home_agent = r->home_agent,
		.care_of = r->care_of,
		.seq = r->seq};

	store_set_end(s, &e, r->remaining_s);
	s->mn = e;
	s->has_mn = true;
	store_append(s, KIND_MN, &e);
}

bool store_mn_get(struct store *s, struct store_mn_record *r)
{
	if (!s->has_mn)
		return false;
	*r = (struct store_mn_record){.home_address = s->mn.home_address,
		.home_agent = s->mn.home_agent,
		.care_of = s->mn.care_of,
		.seq = s->mn.seq,
		.remaining_s = store_remaining(s, &s->mn)};
	return true;
}

/* ---- sequence numbers of pairs that share a Kbm ---- */

static uint8_t sequence_kind(enum store_sequence which)
{
	static const enum kind kinds[] = {
		[STORE_SEEN] = KIND_SEEN, [STORE_SENT] = KIND_SENT, [STORE_PLACE] = KIND_PLACE};

	return (uint8_t)kinds[which];
}

void store_sequence_put(struct store *s, enum store_sequence which, const struct in6_addr *local,
	const struct in6_addr *peer, uint16_t seq)
{
	struct entry e = {.home_address = *local, .care_of = *peer, .seq = seq};

	if (store_sequence_remember(s, sequence_kind(which), &e))
		store_append(s, (enum kind)sequence_kind(which), &e);
	else
		store_complain(s, "remember a sequence number", ENOMEM);
}

int store_sequence_get(struct store *s, enum store_sequence which, const struct in6_addr *local,
	const struct in6_addr *peer)
{
	struct sequence *q = store_sequence_find(s, sequence_kind(which), local, peer);

	return q ? q->seq : -1;
}

/* ---- sequence numbers of SAs ---- */

bool store_sa_put(struct store *s, const struct store_sa *sa, bool sync)
{
	struct sa like = {.bound = sa->bound, .received = sa->received};
	struct entry e;

	like.key = (struct sa_key){sa->src, sa->dst, sa->spi};
	memcpy(like.fingerprint, sa->fingerprint, sizeof(like.fingerprint));
	e = store_entry_of_sa(&like);
	if (!store_sa_remember(s, &e)) {
		store_complain(s, "remember sequence numbers", ENOMEM);
		return false;
	}
	store_append(s, KIND_SA, &e);
	if (!s->broken && (!sync || fdatasync(s->fd) == 0))
		return true;
	if (!s->broken)
		store_complain(s, "wait for the disk", errno);
	return false;
}

bool store_sa_get(struct store *s, struct store_sa *sa)
{
	const struct sa *q = store_sa_find(s, &sa->src, &sa->dst, sa->spi);

	if (!q)
		return false;
	memcpy(sa->fingerprint, q->fingerprint, sizeof(q->fingerprint));
	sa->bound = q->bound;
	sa->received = q->received;
	return true;
}
