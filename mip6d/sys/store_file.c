/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record is RECORD_LEN octets in network order:
 *
 *    0  magic    4  kind    5  state    6  sequence number
 *    8  home address   24  care-of address   40  home agent
 *   56  flags of the Binding Update   58  number of networks   60  lifetime
 *   64  end, seconds since 1970   72  what remained at the time of writing
 *   76  CRC-32 of the octets before
 *
 * An SA's sequence numbers have its ends in the place of home address and
 * care-of address, SPI and fingerprint of its key in that of the home agent,
 * the bound in that of the lifetime, the received one in that of what remained.
 *
 * Right behind a binding of a mobile router, and written with it in one go,
 * there is a record for each of its networks: the prefix in the place of the
 * care-of address, its length in that of the number.  With one of them
 * missing the binding is not served again.
 *
 * The page cache outlives the process, so an append survives a kill without
 * any waiting for the disk.  After a crash of the whole machine the kernel's
 * half of the bindings is gone as well, and the nodes register again.  Only
 * sequence numbers of SAs have to outlive that, and wait for the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mip6d/sys/store_internal.h"

void store_complain(struct store *s, const char *what, int err)
{
	struct timespec t;
	uint64_t suppressed;

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (log_allowed(&s->log, (monotime_t){t.tv_sec * INT64_C(1000000)}, &suppressed))
		log_error("%s: cannot %s: %s; bindings will not survive a restart until that is "
			  "put right",
			s->path, what, strerror(err));
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

struct out {
	int fd;
	size_t used, records;
	bool failed;
	uint8_t block[BLOCK];
};

static void out_flush(struct out *o)
{
	if (!o->failed && !write_all(o->fd, o->block, o->used))
		o->failed = true;
	o->used = 0;
}

static void out_add(struct out *o, enum kind kind, const struct entry *e)
{
	if (o->used == sizeof(o->block))
		out_flush(o);
	store_record_build(o->block + o->used, kind, e);
	o->used += RECORD_LEN;
	o->records++;
}

static struct entry network_of(const struct entry *e, size_t i)
{
	return (struct entry){.home_address = e->home_address,
		.care_of = e->networks[i].addr,
		.n_networks = e->networks[i].plen};
}

static int write_new(struct store *s, struct out *o)
{
	struct sequence *q, *next_q;
	struct entry *e, *next;

	HASH_ITER(hh, s->entries, e, next) {
		out_add(o, KIND_PUT, e);
		for (size_t i = 0; i < e->n_networks; i++) {
			struct entry as = network_of(e, i);

			out_add(o, KIND_NETWORK, &as);
		}
	}
	HASH_ITER(hh, s->sequences, q, next_q) {
		struct entry as = {
			.home_address = q->key.local, .care_of = q->key.peer, .seq = q->seq};

		out_add(o, (enum kind)q->key.kind, &as);
	}
	for (const struct sa *a = s->sas; a; a = a->hh.next) {
		struct entry as = store_entry_of_sa(a);

		out_add(o, KIND_SA, &as);
	}
	if (s->has_mn)
		out_add(o, KIND_MN, &s->mn);
	out_flush(o);
	return o->failed || fdatasync(o->fd) < 0 ? (errno ? errno : EIO) : 0;
}

/* Without it the former file could be back after the machine's end, and be without what is appended now. */
static int folder_sync(const char *path)
{
	char folder[PATH_MAX], *slash;
	int fd, err;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = fsync(fd) < 0 ? errno : 0;
	close(fd);
	return err;
}

void store_compact(struct store *s)
{
	char path[PATH_MAX + 8];
	struct out *o = malloc(sizeof(*o));
	int err;

	if (!o)
		return;
	snprintf(path, sizeof(path), "%s.new", s->path);
	o->used = o->records = 0;
	o->failed = false;
	o->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_APPEND, 0600);
	err = o->fd < 0 ? errno : write_new(s, o);
	if (!err && rename(path, s->path) < 0)
		err = errno;
	if (err) {
		store_complain(s, "write it anew", err);
		if (o->fd >= 0)
			close(o->fd);
		unlink(path);
		s->broken = true; /* the next change tries again */
	} else {
		close(s->fd);
		s->fd = o->fd;
		s->n_records = o->records;
		err = folder_sync(s->path);
		if (err)
			store_complain(s, "wait for the disk", err);
		s->broken = err;
	}
	free(o);
}

static size_t live(const struct store *s)
{
	return HASH_COUNT(s->entries) + HASH_COUNT(s->sequences) + HASH_COUNT(s->sas) +
	       s->n_networks + s->has_mn;
}

void store_append(struct store *s, enum kind kind, const struct entry *e)
{
	size_t n = 1 + (kind == KIND_PUT ? e->n_networks : 0);
	uint8_t record[(1 + MIP6_MAX_NETWORKS) * RECORD_LEN];
	off_t end;

	if (s->broken || s->n_records > 2 * live(s) + SLACK) {
		store_compact(s); /* with e, or without it, as memory says */
		return;
	}
	store_record_build(record, kind, e);
	for (size_t i = 1; i < n; i++) {
		struct entry as = network_of(e, i - 1);

		store_record_build(record + i * RECORD_LEN, KIND_NETWORK, &as);
	}
	end = lseek(s->fd, 0, SEEK_END);
	if (write_all(s->fd, record, n * RECORD_LEN)) {
		s->n_records += n;
		return;
	}
	store_complain(s, "append to it", errno);
	if (end >= 0 && ftruncate(s->fd, end) < 0)
		store_complain(s, "shorten it", errno);
	s->broken = true;
}

static bool apply_put(struct store *s, struct entry *e)
{
	if (e->n_networks > MIP6_MAX_NETWORKS)
		e->n_networks = 0; /* not ours */
	if (e->n_networks) {
		e->networks = calloc(e->n_networks, sizeof(*e->networks));
		if (!e->networks)
			return false;
	}
	return store_remember(s, e);
}

static bool apply(struct store *s, uint8_t kind, struct entry *e)
{
	if (kind == KIND_NETWORK) {
		store_network_add(s, e);
		return true;
	}
	if (kind == KIND_MN) {
		s->mn = *e;
		s->has_mn = true;
		return true;
	}
	if (kind == KIND_SEEN || kind == KIND_SENT || kind == KIND_PLACE)
		return store_sequence_remember(s, kind, e);
	if (kind == KIND_SA)
		return store_sa_remember(s, e);
	if (kind == KIND_DEL) {
		store_forget(s, &e->home_address);
		return true;
	}
	return apply_put(s, e);
}

/* How many octets could be read, short only at the end. */
static size_t read_block(int fd, uint8_t *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = read(fd, to + have, n - have);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		have += (size_t)r;
	}
	return have;
}

bool store_load(struct store *s)
{
	uint8_t *block = malloc(BLOCK);
	size_t bad = 0, n;
	struct entry e;
	bool ok = block;
	uint8_t kind;

	if (!ok)
		return false;
	do {
		n = read_block(s->fd, block, BLOCK);
		for (size_t at = 0; at < n && ok; at += RECORD_LEN) {
			s->n_records++;
			if (n - at < RECORD_LEN || !store_record_parse(block + at, &kind, &e))
				bad++;
			else
				ok = apply(s, kind, &e);
		}
	} while (ok && n == BLOCK);
	free(block);
	if (bad) {
		log_warning("%s: %zu of %zu records are damaged and were passed over", s->path, bad,
			s->n_records);
		s->broken = true; /* what follows must not be appended to half a record */
	}
	return ok;
}
