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
#include "mip6d/sys/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/buf.h"
#include "lib/log.h"

#define RECORD_LEN 80
#define CRC_AT 76
#define MAGIC 0x4d364231u /* "M6B1" */
#define BLOCK (RECORD_LEN * 1024)
#define SLACK 4096 /* superseded records that are never worth a new file */
#define FOR_EVER UINT32_MAX

/* A sequence number has the local address in the place of the home address, the peer in that of the care-of address. */
enum kind { KIND_PUT = 1, KIND_DEL = 2, KIND_MN = 3, KIND_SEEN = 4, KIND_SENT = 5, KIND_NETWORK = 6, KIND_SA = 7,
	KIND_PLACE = 8 };

struct entry {
	struct in6_addr home_address;
	struct in6_addr care_of, home_agent;
	uint16_t seq, flags;
	uint32_t lifetime_s, remaining_s;
	uint64_t end;
	bool invalid;
	uint16_t n_networks; /* in a record of a network: the length of its prefix */
	size_t n_read; /* of the networks, when loading */
	struct ip6_prefix *networks; /* n_networks, or NULL */
	UT_hash_handle hh;
};

struct sequence_key {
	struct in6_addr local, peer;
	uint32_t kind;
};

struct sequence {
	struct sequence_key key;
	uint16_t seq;
	UT_hash_handle hh;
};

struct sa_key {
	struct in6_addr src, dst;
	uint32_t spi;
};

struct sa {
	struct sa_key key;
	uint8_t fingerprint[8];
	uint32_t bound, received;
	UT_hash_handle hh;
};

struct store {
	char path[PATH_MAX];
	int fd, lock_fd;
	size_t n_records; /* in the file */
	size_t n_networks; /* of all bindings */
	bool broken; /* the last append failed: write the file anew */
	struct entry *entries;
	struct sequence *sequences;
	struct sa *sas;
	struct entry mn;
	bool has_mn;
	struct log_limit log;
	int64_t (*now)(void *arg);
	void *now_arg;
};

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

/* CRC-32 of IEEE 802.3, four bits at a time */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	static const uint32_t t[16] = {0, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190,
		0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
	uint32_t c = ~0u;

	while (n--) {
		c ^= *p++;
		c = t[c & 15] ^ (c >> 4);
		c = t[c & 15] ^ (c >> 4);
	}
	return ~c;
}

/* ---- records ---- */

static void build(uint8_t out[RECORD_LEN], enum kind kind, const struct entry *e)
{
	struct wbuf w = wbuf_make(out, RECORD_LEN);

	wbuf_u32(&w, MAGIC);
	wbuf_u8(&w, (uint8_t)kind);
	wbuf_u8(&w, e->invalid);
	wbuf_u16(&w, e->seq);
	wbuf_in6(&w, &e->home_address);
	wbuf_in6(&w, &e->care_of);
	wbuf_in6(&w, &e->home_agent);
	wbuf_u16(&w, e->flags);
	wbuf_u16(&w, e->n_networks);
	wbuf_u32(&w, e->lifetime_s);
	wbuf_u64(&w, e->end);
	wbuf_u32(&w, e->remaining_s);
	wbuf_u32(&w, crc32(out, CRC_AT));
}

static bool parse(const uint8_t in[RECORD_LEN], uint8_t *kind, struct entry *e)
{
	struct rbuf r = rbuf_make(in, RECORD_LEN);
	uint32_t magic = 0, crc = 0;
	uint8_t invalid = 0;
	bool ok = true;

	memset(e, 0, sizeof(*e));
	ok &= rbuf_u32(&r, &magic) && rbuf_u8(&r, kind) && rbuf_u8(&r, &invalid) &&
	      rbuf_u16(&r, &e->seq);
	ok &= rbuf_in6(&r, &e->home_address) && rbuf_in6(&r, &e->care_of) &&
	      rbuf_in6(&r, &e->home_agent);
	ok &= rbuf_u16(&r, &e->flags) && rbuf_u16(&r, &e->n_networks) && rbuf_u32(&r, &e->lifetime_s);
	ok &= rbuf_u64(&r, &e->end) && rbuf_u32(&r, &e->remaining_s) && rbuf_u32(&r, &crc);
	e->invalid = invalid;
	return ok && magic == MAGIC && invalid <= 1 && *kind >= KIND_PUT && *kind <= KIND_PLACE &&
	       crc == crc32(in, CRC_AT);
}

static void set_end(struct store *s, struct entry *e, uint32_t remaining_s)
{
	e->remaining_s = remaining_s;
	e->end = remaining_s == FOR_EVER ? UINT64_MAX : (uint64_t)s->now(s->now_arg) + remaining_s;
}

/* What is left, 0 when it is over. */
static uint32_t remaining(const struct store *s, const struct entry *e)
{
	int64_t now = s->now(s->now_arg);
	uint64_t left;

	if (e->remaining_s == FOR_EVER)
		return FOR_EVER;
	if (now < 0 || e->end <= (uint64_t)now)
		return 0;
	left = e->end - (uint64_t)now;
	return left > e->remaining_s ? e->remaining_s : (uint32_t)left;
}

/* ---- in memory ---- */

static struct entry *find(struct store *s, const struct in6_addr *home_address)
{
	struct entry *e;

	HASH_FIND(hh, s->entries, home_address, sizeof(*home_address), e);
	return e;
}

/* Takes over from's networks, also when it fails. */
static bool remember(struct store *s, const struct entry *from)
{
	struct entry *e = find(s, &from->home_address);
	UT_hash_handle hh;

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e) {
			free(from->networks);
			return false;
		}
		e->home_address = from->home_address;
		HASH_ADD(hh, s->entries, home_address, sizeof(e->home_address), e);
	}
	s->n_networks += from->n_networks - (size_t)e->n_networks;
	free(e->networks);
	hh = e->hh;
	*e = *from;
	e->hh = hh;
	return true;
}

static void forget(struct store *s, const struct in6_addr *home_address)
{
	struct entry *e = find(s, home_address);

	if (!e)
		return;
	HASH_DEL(s->entries, e);
	s->n_networks -= e->n_networks;
	free(e->networks);
	free(e);
}

/* A network belongs to the binding before it. */
static void network(struct store *s, const struct entry *from)
{
	struct entry *e = find(s, &from->home_address);

	if (!e || !e->networks || e->n_read >= e->n_networks || from->n_networks > 128)
		return;
	e->networks[e->n_read].addr = from->care_of;
	e->networks[e->n_read++].plen = (uint8_t)from->n_networks;
}

static struct sequence *sequence_find(struct store *s, uint8_t kind, const struct in6_addr *local,
	const struct in6_addr *peer)
{
	struct sequence_key key;
	struct sequence *q;

	memset(&key, 0, sizeof(key));
	key.local = *local;
	key.peer = *peer;
	key.kind = kind;
	HASH_FIND(hh, s->sequences, &key, sizeof(key), q);
	return q;
}

static bool sequence_remember(struct store *s, uint8_t kind, const struct entry *e)
{
	struct sequence *q = sequence_find(s, kind, &e->home_address, &e->care_of);

	if (!q) {
		q = calloc(1, sizeof(*q));
		if (!q)
			return false;
		q->key.local = e->home_address;
		q->key.peer = e->care_of;
		q->key.kind = kind;
		HASH_ADD(hh, s->sequences, key, sizeof(q->key), q);
	}
	q->seq = e->seq;
	return true;
}

static struct sa *sa_find(struct store *s, const struct in6_addr *src, const struct in6_addr *dst, uint32_t spi)
{
	struct sa_key key;
	struct sa *q;

	memset(&key, 0, sizeof(key));
	key.src = *src;
	key.dst = *dst;
	key.spi = spi;
	HASH_FIND(hh, s->sas, &key, sizeof(key), q);
	return q;
}

static struct entry entry_of_sa(const struct sa *q)
{
	struct entry e = {.home_address = q->key.src,
		.care_of = q->key.dst,
		.lifetime_s = q->bound,
		.remaining_s = q->received};

	memcpy(e.home_agent.s6_addr, &q->key.spi, 4);
	memcpy(e.home_agent.s6_addr + 4, q->fingerprint, sizeof(q->fingerprint));
	return e;
}

static struct sa *sa_remember(struct store *s, const struct entry *e)
{
	uint32_t spi;
	struct sa *q;

	memcpy(&spi, e->home_agent.s6_addr, 4);
	q = sa_find(s, &e->home_address, &e->care_of, spi);
	if (!q) {
		q = calloc(1, sizeof(*q));
		if (!q)
			return NULL;
		q->key.src = e->home_address;
		q->key.dst = e->care_of;
		q->key.spi = spi;
		HASH_ADD(hh, s->sas, key, sizeof(q->key), q);
	}
	memcpy(q->fingerprint, e->home_agent.s6_addr + 4, sizeof(q->fingerprint));
	q->bound = e->lifetime_s;
	q->received = e->remaining_s;
	return q;
}

/* ---- the file ---- */

static void complain(struct store *s, const char *what, int err)
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
	build(o->block + o->used, kind, e);
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

	HASH_ITER(hh, s->entries, e, next)
	{
		out_add(o, KIND_PUT, e);
		for (size_t i = 0; i < e->n_networks; i++) {
			struct entry as = network_of(e, i);

			out_add(o, KIND_NETWORK, &as);
		}
	}
	HASH_ITER(hh, s->sequences, q, next_q)
	{
		struct entry as = {
			.home_address = q->key.local, .care_of = q->key.peer, .seq = q->seq};

		out_add(o, (enum kind)q->key.kind, &as);
	}
	for (const struct sa *a = s->sas; a; a = a->hh.next) {
		struct entry as = entry_of_sa(a);

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

/* Write the file anew and put it in place of the old one; the old one stays if that fails. */
static void compact(struct store *s)
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
		complain(s, "write it anew", err);
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
			complain(s, "wait for the disk", err);
		s->broken = err;
	}
	free(o);
}

static size_t live(const struct store *s)
{
	return HASH_COUNT(s->entries) + HASH_COUNT(s->sequences) + HASH_COUNT(s->sas) + s->n_networks + s->has_mn;
}

static void append(struct store *s, enum kind kind, const struct entry *e)
{
	size_t n = 1 + (kind == KIND_PUT ? e->n_networks : 0);
	uint8_t record[(1 + MIP6_MAX_NETWORKS) * RECORD_LEN];
	off_t end;

	if (s->broken || s->n_records > 2 * live(s) + SLACK) {
		compact(s); /* with e, or without it, as memory says */
		return;
	}
	build(record, kind, e);
	for (size_t i = 1; i < n; i++) {
		struct entry as = network_of(e, i - 1);

		build(record + i * RECORD_LEN, KIND_NETWORK, &as);
	}
	end = lseek(s->fd, 0, SEEK_END);
	if (write_all(s->fd, record, n * RECORD_LEN)) {
		s->n_records += n;
		return;
	}
	complain(s, "append to it", errno);
	if (end >= 0 && ftruncate(s->fd, end) < 0)
		complain(s, "shorten it", errno);
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
	return remember(s, e);
}

static bool apply(struct store *s, uint8_t kind, struct entry *e)
{
	if (kind == KIND_NETWORK) {
		network(s, e);
		return true;
	}
	if (kind == KIND_MN) {
		s->mn = *e;
		s->has_mn = true;
		return true;
	}
	if (kind == KIND_SEEN || kind == KIND_SENT || kind == KIND_PLACE)
		return sequence_remember(s, kind, e);
	if (kind == KIND_SA)
		return sa_remember(s, e);
	if (kind == KIND_DEL) {
		forget(s, &e->home_address);
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

static bool load(struct store *s)
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
			if (n - at < RECORD_LEN || !parse(block + at, &kind, &e))
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
	if (!load(s)) {
		snprintf(err, errlen, "%s: out of memory", path);
		store_close(s);
		return NULL;
	}
	if (s->broken)
		compact(s);
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

	set_end(s, &e, r->remaining_s);
	if (copy_networks(&e, r) && remember(s, &e))
		append(s, KIND_PUT, &e);
	else
		complain(s, "remember a binding", ENOMEM);
}

void store_del(struct store *s, const struct in6_addr *home_address)
{
	struct entry e = {.home_address = *home_address};

	if (!find(s, home_address))
		return;
	forget(s, home_address);
	append(s, KIND_DEL, &e);
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
			.remaining_s = remaining(s, e),
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

	set_end(s, &e, r->remaining_s);
	s->mn = e;
	s->has_mn = true;
	append(s, KIND_MN, &e);
}

bool store_mn_get(struct store *s, struct store_mn_record *r)
{
	if (!s->has_mn)
		return false;
	*r = (struct store_mn_record){.home_address = s->mn.home_address,
		.home_agent = s->mn.home_agent,
		.care_of = s->mn.care_of,
		.seq = s->mn.seq,
		.remaining_s = remaining(s, &s->mn)};
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

	if (sequence_remember(s, sequence_kind(which), &e))
		append(s, (enum kind)sequence_kind(which), &e);
	else
		complain(s, "remember a sequence number", ENOMEM);
}

int store_sequence_get(struct store *s, enum store_sequence which, const struct in6_addr *local,
	const struct in6_addr *peer)
{
	struct sequence *q = sequence_find(s, sequence_kind(which), local, peer);

	return q ? q->seq : -1;
}

/* ---- sequence numbers of SAs ---- */

bool store_sa_put(struct store *s, const struct store_sa *sa, bool sync)
{
	struct sa like = {.bound = sa->bound, .received = sa->received};
	struct entry e;

	like.key = (struct sa_key){sa->src, sa->dst, sa->spi};
	memcpy(like.fingerprint, sa->fingerprint, sizeof(like.fingerprint));
	e = entry_of_sa(&like);
	if (!sa_remember(s, &e)) {
		complain(s, "remember sequence numbers", ENOMEM);
		return false;
	}
	append(s, KIND_SA, &e);
	if (!s->broken && (!sync || fdatasync(s->fd) == 0))
		return true;
	if (!s->broken)
		complain(s, "wait for the disk", errno);
	return false;
}

bool store_sa_get(struct store *s, struct store_sa *sa)
{
	const struct sa *q = sa_find(s, &sa->src, &sa->dst, sa->spi);

	if (!q)
		return false;
	memcpy(sa->fingerprint, q->fingerprint, sizeof(q->fingerprint));
	sa->bound = q->bound;
	sa->received = q->received;
	return true;
}
