/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mip6d/sys/store.h: bindings survive, whatever happens to their file.  The
 * file is cut off at each octet, each octet of it is changed, and strangers'
 * files are put in its place: what can still be read is read, nothing else
 * is made up, and the store can be used afterwards.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "mip6d/sys/restarts.h"
#include "mip6d/sys/store.h"

#define MANY 100000
#define RECORD 80

static char folder[64], path[96];
static char err[256];
static int64_t wall;

static int64_t clock_of_test(void *arg)
{
	(void)arg;
	return wall;
}

static struct store *open_it(void)
{
	struct store *s;

	err[0] = '\0';
	s = store_open(path, err, sizeof(err));
	if (s)
		store_set_clock(s, clock_of_test, NULL);
	return s;
}

static void setup(void)
{
	log_setup("test_store", LOGL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bindings", folder);
	wall = 1800000000;
}

static void teardown(void)
{
	static const char *const ends[] = {
		"", ".lock", ".new", ".target", ".restarts", ".restarts.new"};
	char name[112];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (unlink(name) < 0)
			(void)rmdir(name);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

/* ---- bindings with contents that follow from a number ---- */

static struct in6_addr home(uint32_t n)
{
	struct in6_addr a = {{{0x20, 0x01, 0x0d, 0xb8, 0, 1}}};

	a.s6_addr[12] = (uint8_t)(n >> 24);
	a.s6_addr[13] = (uint8_t)(n >> 16);
	a.s6_addr[14] = (uint8_t)(n >> 8);
	a.s6_addr[15] = (uint8_t)n;
	return a;
}

static struct ha_binding_record binding(uint32_t n, uint16_t seq)
{
	struct ha_binding_record r = {.home_address = home(n),
		.care_of = home(n),
		.seq = seq,
		.flags = (uint16_t)(0xc000 + n % 7),
		.lifetime_s = 600,
		.remaining_s = 600};

	r.care_of.s6_addr[5] = 0xa;
	r.care_of.s6_addr[6] = (uint8_t)seq;
	return r;
}

static bool same(const struct ha_binding_record *a, const struct ha_binding_record *b)
{
	return memcmp(&a->home_address, &b->home_address, 16) == 0 &&
	       memcmp(&a->care_of, &b->care_of, 16) == 0 && a->seq == b->seq &&
	       a->flags == b->flags && a->lifetime_s == b->lifetime_s &&
	       a->remaining_s == b->remaining_s && a->invalid == b->invalid;
}

struct list {
	size_t n;
	struct ha_binding_record r[64];
};

static void collect(void *arg, const struct ha_binding_record *r)
{
	struct list *l = arg;

	if (l->n < 64)
		l->r[l->n] = *r;
	l->n++;
}

static struct list all(struct store *s)
{
	struct list l = {0};

	store_foreach(s, collect, &l);
	return l;
}

static const struct ha_binding_record *get(const struct list *l, uint32_t n)
{
	struct in6_addr a = home(n);

	for (size_t i = 0; i < l->n; i++) {
		if (memcmp(&l->r[i].home_address, &a, 16) == 0)
			return &l->r[i];
	}
	return NULL;
}

static struct list reopened(void)
{
	struct store *s = open_it();
	struct list l;

	ck_assert_msg(s != NULL, "%s", err);
	l = all(s);
	store_close(s);
	return l;
}

/* ---- the file as octets ---- */

static size_t slurp(uint8_t *to, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(to, 1, cap, f);
	fclose(f);
	return n;
}

static void spill(const uint8_t *from, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(from, 1, n, f), n);
	fclose(f);
}

static size_t file_size(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (size_t)st.st_size;
}

/* ---- what it is for ---- */

START_TEST(what_is_put_comes_back)
{
	struct store *s = open_it();
	struct ha_binding_record a = binding(1, 65535), b = binding(2, 0), c = binding(3, 7);
	struct list l;

	b.invalid = true;
	c.lifetime_s = c.remaining_s = 0xffffu * 4;
	store_put(s, &a);
	store_put(s, &b);
	store_put(s, &c);
	ck_assert_uint_eq(store_count(s), 3);
	store_close(s);
	l = reopened();
	ck_assert_uint_eq(l.n, 3);
	ck_assert(same(get(&l, 1), &a) && same(get(&l, 2), &b) && same(get(&l, 3), &c));
}
END_TEST

START_TEST(order_of_putting_and_deleting)
{
	struct store *s = open_it();
	struct ha_binding_record a = binding(1, 1), a2 = binding(1, 2), b = binding(2, 1),
				 c = binding(3, 1);
	struct in6_addr nobody = home(99);
	struct list l;

	store_put(s, &a);
	store_put(s, &b);
	store_put(s, &c);
	store_del(s, &b.home_address);
	store_del(s, &nobody);
	store_put(s, &a2);
	store_del(s, &c.home_address);
	store_put(s, &c);
	store_close(s);
	l = reopened();
	ck_assert_uint_eq(l.n, 2);
	ck_assert(same(get(&l, 1), &a2) && same(get(&l, 3), &c) && !get(&l, 2));
}
END_TEST

static void unsafe_delete(void *arg, const struct ha_binding_record *r)
{
	struct ha_binding_record again = *r;

	if (r->seq % 2) {
		store_del(arg, &again.home_address);
	} else {
		again.seq = 100;
		store_put(arg, &again);
	}
}

START_TEST(putting_and_deleting_while_listing)
{
	struct store *s = open_it();
	struct list l;

	for (uint32_t n = 0; n < 40; n++) {
		struct ha_binding_record r = binding(n, (uint16_t)n);

		store_put(s, &r);
	}
	store_foreach(s, unsafe_delete, s);
	store_close(s);
	l = reopened();
	ck_assert_uint_eq(l.n, 20);
	for (uint32_t n = 0; n < 40; n += 2)
		ck_assert(get(&l, n)->seq == 100);
}
END_TEST

/* ---- time ---- */

START_TEST(wall_clock_ends_lifetimes)
{
	struct store *s = open_it();
	struct ha_binding_record a = binding(1, 1), b = binding(2, 1);
	struct list l;

	b.remaining_s = 100;
	store_put(s, &a);
	store_put(s, &b);
	store_close(s);
	wall += 99;
	l = reopened();
	ck_assert_uint_eq(l.n, 2);
	ck_assert_uint_eq(get(&l, 1)->remaining_s, 501);
	ck_assert_uint_eq(get(&l, 2)->remaining_s, 1);
	wall++;
	l = reopened();
	ck_assert(l.n == 1 && get(&l, 1));
	wall += 500;
	l = reopened();
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(clock_set_back_lengthens_nothing)
{
	struct store *s = open_it();
	struct ha_binding_record a = binding(1, 1);
	struct list l;

	a.remaining_s = 200;
	store_put(s, &a);
	store_close(s);
	wall -= 100000000;
	l = reopened();
	ck_assert(l.n == 1 && l.r[0].remaining_s == 200 && l.r[0].lifetime_s == 600);
	wall = -5;
	l = reopened();
	ck_assert_uint_le(l.n, 1);
}
END_TEST

/* ---- damage ---- */

static size_t six_changes(uint8_t *to, size_t cap)
{
	struct store *s = open_it();

	for (uint32_t n = 0; n < 6; n++) {
		struct ha_binding_record r = binding(n % 4, (uint16_t)(n + 1));

		store_put(s, &r);
	}
	store_close(s);
	return slurp(to, cap);
}

START_TEST(cut_off_at_each_octet)
{
	uint8_t file[4096];
	size_t len = six_changes(file, sizeof(file)), seen = 0;

	for (size_t cut = 0; cut <= len; cut++) {
		struct store *s;
		struct ha_binding_record later = binding(50, 9);
		struct list l;
		size_t whole = cut * 6 / len;

		spill(file, cut);
		l = reopened();
		ck_assert_uint_le(l.n, 4);
		/* Bindings 0 to 3, then 0 and 1 again: what comes back is how it was at some moment. */
		for (uint32_t n = 0; n < 4; n++) {
			const struct ha_binding_record *r = get(&l, n);
			uint16_t seq = whole >= n + 5   ? (uint16_t)(n + 5)
				       : whole >= n + 1 ? (uint16_t)(n + 1)
							: 0;
			struct ha_binding_record expected = binding(n, seq);

			ck_assert_msg(seq ? r && same(r, &expected) : !r, "cut at %zu, binding %u",
				cut, n);
		}
		seen += l.n;
		/* And it goes on from there. */
		s = open_it();
		store_put(s, &later);
		store_close(s);
		ck_assert_uint_eq(reopened().n, l.n + 1);
	}
	ck_assert_uint_gt(seen, len);
}
END_TEST

START_TEST(each_octet_changed)
{
	static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x20};
	uint8_t file[4096], damaged[4096];
	size_t len = six_changes(file, sizeof(file));

	for (size_t at = 0; at < len; at++) {
		for (size_t c = 0; c < sizeof(changes); c++) {
			struct list l;

			memcpy(damaged, file, len);
			damaged[at] ^= changes[c];
			spill(damaged, len);
			l = reopened();
			/* One change is lost, so at most one binding is, or is as it was before. */
			ck_assert_uint_ge(l.n, 3);
			ck_assert_uint_le(l.n, 4);
			for (size_t i = 0; i < l.n; i++) {
				struct ha_binding_record r =
					binding((uint32_t)(l.r[i].seq - 1) % 4, l.r[i].seq);

				ck_assert_msg(
					l.r[i].seq >= 1 && l.r[i].seq <= 6 && same(&l.r[i], &r),
					"octet %zu changed by %02x makes up a binding", at,
					changes[c]);
			}
		}
	}
}
END_TEST

START_TEST(files_of_strangers)
{
	static const char *const texts[] = {
		"", "\n", "\n\n\n\n", "P ::1 ::1 1 1 1 1 1 00000000\n", "M6B1", "{}"};
	uint8_t noise[8192];
	uint32_t x = 12345;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		spill((const uint8_t *)texts[i], strlen(texts[i]));
		ck_assert_uint_eq(reopened().n, 0);
	}
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)((x = x * 1103515245 + 12345) >> 16);
		spill(noise, sizeof(noise) - (size_t)round);
		ck_assert_uint_eq(reopened().n, 0);
	}
	memset(noise, 0, sizeof(noise));
	spill(noise, sizeof(noise));
	ck_assert_uint_eq(reopened().n, 0);
}
END_TEST

static uint32_t crc_of(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void seal(uint8_t *r)
{
	uint32_t crc = crc_of(r, RECORD - 4);

	for (int i = 0; i < 4; i++)
		r[RECORD - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* Right checksums over contents that mip6d never writes. */
START_TEST(hostile_records)
{
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {{0, 0}, {4, 0}, {4, 4}, {4, 255}, {5, 2}, {5, 255}};
	uint8_t file[RECORD], bad[RECORD];
	struct store *s = open_it();
	struct ha_binding_record r = binding(1, 1);
	struct store_mn_record mn;
	struct list l;

	store_put(s, &r);
	store_close(s);
	ck_assert_uint_eq(slurp(file, sizeof(file)), RECORD);
	memcpy(bad, file, RECORD);
	seal(bad);
	ck_assert_int_eq(memcmp(bad, file, RECORD), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(bad, file, RECORD);
		bad[wrong[i].at] = wrong[i].value;
		seal(bad);
		spill(bad, RECORD);
		ck_assert_uint_eq(reopened().n, 0);
	}
	/* Times at their ends: accepted or not, never more than was granted. */
	memcpy(bad, file, RECORD);
	memset(bad + 64, 0xff, 8);
	seal(bad);
	spill(bad, RECORD);
	l = reopened();
	ck_assert(l.n == 0 || l.r[0].remaining_s <= 600);
	/* Put before it was ever deleted, deleted without having been put. */
	memcpy(bad, file, RECORD);
	bad[4] = 2;
	seal(bad);
	spill(bad, RECORD);
	s = open_it();
	ck_assert(store_count(s) == 0 && !store_mn_get(s, &mn));
	store_close(s);
}
END_TEST

/* ---- the file system ---- */

START_TEST(second_opener_is_refused)
{
	struct store *a = open_it(), *b;
	struct ha_binding_record r = binding(1, 1);

	store_put(a, &r);
	b = open_it();
	ck_assert_ptr_null(b);
	ck_assert_ptr_nonnull(strstr(err, "another mip6d"));
	ck_assert_ptr_nonnull(strstr(err, path));
	store_close(a);
	ck_assert_uint_eq(reopened().n, 1);
}
END_TEST

START_TEST(not_a_file)
{
	char target[112];

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_ptr_null(open_it());
	ck_assert_ptr_nonnull(strstr(err, path));
	ck_assert_int_eq(rmdir(path), 0);

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(open_it());
	ck_assert_ptr_nonnull(strstr(err, "regular file"));
	ck_assert_int_eq(unlink(path), 0);

	/* A link that somebody put there must not lead the daemon, which is root, elsewhere. */
	snprintf(target, sizeof(target), "%s.target", path);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_ptr_null(open_it());
	ck_assert_int_eq(access(target, F_OK), -1);
	ck_assert_int_eq(unlink(path), 0);

	snprintf(path, sizeof(path), "%s/no/such/folder", folder);
	ck_assert_ptr_null(open_it());
	ck_assert_ptr_nonnull(strstr(err, "folder"));
	snprintf(path, sizeof(path), "%s/bindings", folder);
}
END_TEST

START_TEST(nobody_else_may_read_it)
{
	struct stat st;

	umask(0);
	store_close(open_it());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 077, 0);
}
END_TEST

START_TEST(file_is_written_anew_and_stays_small)
{
	struct store *s = open_it();
	size_t largest = 0;
	struct list l;

	for (uint32_t i = 0; i < 50000; i++) {
		struct ha_binding_record r = binding(i % 10, (uint16_t)i);

		store_put(s, &r);
		if (i % 100 == 0 && file_size() > largest)
			largest = file_size();
	}
	ck_assert_uint_lt(largest, 5000 * RECORD);
	store_close(s);
	l = reopened();
	ck_assert_uint_eq(l.n, 10);
	for (uint32_t n = 0; n < 10; n++)
		ck_assert_uint_eq(get(&l, n)->seq, (uint16_t)(49990 + n));
}
END_TEST

/* A full disk: nothing is promised, but what was there stays, and later changes arrive again. */
START_TEST(full_disk)
{
	struct store *s = open_it();
	struct rlimit limit = {.rlim_cur = 10 * RECORD + 30, .rlim_max = RLIM_INFINITY};
	struct list l;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint32_t n = 0; n < 20; n++) {
		struct ha_binding_record r = binding(n, 1);

		store_put(s, &r);
	}
	ck_assert_uint_eq(store_count(s), 20);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint32_t n = 20; n < 22; n++) {
		struct ha_binding_record r = binding(n, 1);

		store_put(s, &r);
	}
	store_close(s);
	l = reopened();
	ck_assert_uint_eq(l.n, 22);
}
END_TEST

/* ---- the mobile node's one binding ---- */

START_TEST(mobile_node)
{
	struct store_mn_record a = {.home_address = home(1),
				       .home_agent = home(2),
				       .care_of = home(3),
				       .seq = 77,
				       .remaining_s = 300},
			       b;
	struct store *s = open_it();

	ck_assert(!store_mn_get(s, &b));
	store_mn_put(s, &a);
	a.seq = 78;
	store_mn_put(s, &a);
	store_close(s);
	wall += 100;
	s = open_it();
	ck_assert(store_mn_get(s, &b));
	ck_assert(b.seq == 78 && b.remaining_s == 200 && memcmp(&b.care_of, &a.care_of, 16) == 0);
	ck_assert(memcmp(&b.home_address, &a.home_address, 16) == 0 &&
		  memcmp(&b.home_agent, &a.home_agent, 16) == 0);
	wall += 1000;
	/* The sequence number counts longer than the binding (RFC 6275 11.7.1). */
	ck_assert(store_mn_get(s, &b) && b.seq == 78 && b.remaining_s == 0);
	store_close(s);
}
END_TEST

/* ---- many ---- */

static void count(void *arg, const struct ha_binding_record *r)
{
	(void)r;
	++*(size_t *)arg;
}

static double ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

START_TEST(hundred_thousand)
{
	struct store *s = open_it();
	double start = ms(), put, load;
	size_t n = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		struct ha_binding_record r = binding(i, 1);

		store_put(s, &r);
	}
	store_close(s);
	put = ms() - start;
	start = ms();
	s = open_it();
	store_foreach(s, count, &n);
	load = ms() - start;
	store_close(s);
	ck_assert_uint_eq(n, MANY);
	printf("test_store: %d bindings: %.1f us to put one, %.0f ms to load all, %.0f octets "
	       "each\n",
		MANY, put * 1e3 / MANY, load, (double)file_size() / MANY);
}
END_TEST

START_TEST(sequence_numbers)
{
	struct in6_addr a = {.s6_addr = {0x20, 1, [15] = 1}}, b = {.s6_addr = {0x20, 1, [15] = 2}};
	struct store *s = open_it();

	ck_assert_int_eq(store_sequence_get(s, STORE_SEEN, &a, &b), -1);
	store_sequence_put(s, STORE_SEEN, &a, &b, 7);
	store_sequence_put(s, STORE_SENT, &a, &b, 65535);
	store_sequence_put(s, STORE_SEEN, &b, &a, 9);
	store_sequence_put(s, STORE_SEEN, &a, &b, 8);
	store_sequence_put(s, STORE_PLACE, &a, &b, 1);
	store_close(s);
	s = open_it();
	ck_assert_int_eq(store_sequence_get(s, STORE_SEEN, &a, &b), 8);
	ck_assert_int_eq(store_sequence_get(s, STORE_SENT, &a, &b), 65535);
	ck_assert_int_eq(store_sequence_get(s, STORE_SEEN, &b, &a), 9);
	ck_assert_int_eq(store_sequence_get(s, STORE_SENT, &b, &a), -1);
	ck_assert_int_eq(store_sequence_get(s, STORE_PLACE, &a, &b), 1);
	ck_assert_uint_eq(store_count(s), 0); /* they are no bindings */
	/* also when the file was written anew */
	for (int i = 0; i < 3 * 4096; i++)
		store_sequence_put(s, STORE_SEEN, &a, &b, (uint16_t)i);
	store_close(s);
	s = open_it();
	ck_assert_int_eq(store_sequence_get(s, STORE_SEEN, &a, &b), 3 * 4096 - 1);
	ck_assert_int_eq(store_sequence_get(s, STORE_SENT, &a, &b), 65535);
	store_close(s);
}
END_TEST

static struct store_sa sa_now(const struct store_sa *like)
{
	struct store_sa sa = {.src = like->src, .dst = like->dst, .spi = like->spi};
	struct store *s = open_it();

	ck_assert(store_sa_get(s, &sa));
	store_close(s);
	return sa;
}

START_TEST(sequence_numbers_of_sas)
{
	struct store_sa a = {home(1), home(2), 0x1001, {1, 2, 3, 4, 5, 6, 7, 8}, 0x200000, 77}, b = a, c = a, got;
	struct store *s = open_it();

	got = a;
	ck_assert(!store_sa_get(s, &got));
	b.spi = 0x1002;
	b.bound = UINT32_MAX;
	c.src = a.dst, c.dst = a.src;
	c.received = UINT32_MAX;
	ck_assert(store_sa_put(s, &a, true) && store_sa_put(s, &b, false) && store_sa_put(s, &c, true));
	a.bound = 0x400000;
	ck_assert(store_sa_put(s, &a, true));
	ck_assert_uint_eq(store_count(s), 0); /* they are no bindings */
	store_close(s);
	got = sa_now(&a);
	ck_assert(got.bound == 0x400000 && got.received == 77 && memcmp(got.fingerprint, a.fingerprint, 8) == 0);
	ck_assert_uint_eq(sa_now(&b).bound, UINT32_MAX);
	ck_assert_uint_eq(sa_now(&c).received, UINT32_MAX);
	/* also when the file was written anew; another key takes the place of the first */
	s = open_it();
	a.fingerprint[7] = 9;
	for (uint32_t i = 0; i < 3 * 4096; i++) {
		a.received = i;
		ck_assert(store_sa_put(s, &a, false));
	}
	store_close(s);
	ck_assert_uint_lt(file_size(), 3 * 4096 * RECORD);
	got = sa_now(&a);
	ck_assert(got.received == 3 * 4096 - 1 && got.fingerprint[7] == 9);
	ck_assert_uint_eq(sa_now(&b).bound, UINT32_MAX);
}
END_TEST

/* RFC 5847 3.2: it grows when the state was lost, and only then; it never becomes smaller. */
START_TEST(restart_counter)
{
	char name[112], text[32];
	uint32_t first = restarts_count(path, true);
	FILE *file;

	ck_assert_uint_gt(first, 1700000000); /* there was none: seconds since 1970 */
	ck_assert_uint_eq(restarts_count(path, false), first);
	ck_assert_uint_eq(restarts_count(path, true), first + 1);
	ck_assert_uint_eq(restarts_count(path, true), first + 2);
	ck_assert_uint_eq(restarts_count(path, false), first + 2);
	/* a file that says nothing sensible is none */
	snprintf(name, sizeof(name), "%s.restarts", path);
	for (size_t i = 0; i < 4; i++) {
		static const char *const bad[] = {"", "many\n", "99999999999\n", "12"};

		file = fopen(name, "w");
		fputs(bad[i], file);
		fclose(file);
		ck_assert_uint_ge(restarts_count(path, false), first);
	}
	file = fopen(name, "w");
	fputs("4294967295\n", file);
	fclose(file);
	ck_assert_uint_eq(restarts_count(path, true),
		0); /* 32 bits; another number than before is what counts */
	file = fopen(name, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	fclose(file);
	ck_assert_str_eq(text, "0\n");
}
END_TEST

/* ---- networks of mobile routers ---- */

struct networks {
	size_t n, bindings;
	uint16_t seq;
	struct ip6_prefix list[MIP6_MAX_NETWORKS];
};

static struct networks made_networks(size_t n)
{
	struct networks w = {.n = n};

	for (size_t i = 0; i < n; i++) {
		w.list[i].addr = home(0);
		w.list[i].addr.s6_addr[5] = (uint8_t)(100 + i);
		w.list[i].plen = (uint8_t)(48 + i);
	}
	return w;
}

static void put_router(struct store *s, uint32_t n, uint16_t seq, const struct networks *w)
{
	struct ha_binding_record r = binding(n, seq);

	r.n_networks = w->n;
	r.networks = w->list;
	store_put(s, &r);
}

/* Those of binding 0. */
static void collect_networks(void *arg, const struct ha_binding_record *r)
{
	struct in6_addr first = home(0);
	struct networks *w = arg;

	w->bindings++;
	if (memcmp(&r->home_address, &first, 16) != 0)
		return;
	w->n = r->n_networks;
	w->seq = r->seq;
	for (size_t i = 0; i < r->n_networks; i++)
		w->list[i] = r->networks[i];
}

static struct networks networks_now(void)
{
	struct store *s = open_it();
	struct networks w = {0};

	ck_assert_msg(s != NULL, "%s", err);
	store_foreach(s, collect_networks, &w);
	store_close(s);
	return w;
}

static void same_networks(const struct networks *a, const struct networks *b)
{
	ck_assert_uint_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		ck_assert_mem_eq(&a->list[i].addr, &b->list[i].addr, 16);
		ck_assert_uint_eq(a->list[i].plen, b->list[i].plen);
	}
}

START_TEST(networks_come_back)
{
	struct networks three = made_networks(3), most = made_networks(MIP6_MAX_NETWORKS),
			none = made_networks(0), now;
	struct store *s = open_it();

	put_router(s, 0, 1, &most);
	put_router(s, 1, 1, &most);
	put_router(s, 0, 2, &three);
	store_close(s);
	now = networks_now();
	ck_assert_uint_eq(now.seq, 2);
	same_networks(&now, &three);
	s = open_it();
	put_router(s, 0, 3, &none);
	store_close(s);
	now = networks_now();
	same_networks(&now, &none);
	ck_assert_uint_eq(now.bindings, 2);
}
END_TEST

/* All of its networks, or none: then the binding is not served again. */
START_TEST(networks_cut_off_at_each_octet)
{
	struct networks three = made_networks(3), now;
	uint8_t file[8 * RECORD];
	struct store *s = open_it();
	size_t len;

	put_router(s, 0, 7, &three);
	store_close(s);
	len = slurp(file, sizeof(file));
	ck_assert_uint_eq(len, 4 * RECORD);
	for (size_t cut = 0; cut <= len; cut++) {
		spill(file, cut);
		now = networks_now();
		ck_assert_uint_eq(now.bindings, cut >= RECORD);
		if (cut == len)
			same_networks(&now, &three);
		else
			ck_assert_uint_eq(now.n, 0);
	}
}
END_TEST

START_TEST(networks_keep_the_file_small)
{
	struct networks most = made_networks(MIP6_MAX_NETWORKS), now;
	struct store *s = open_it();
	size_t largest = 0, smaller = 0, before = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		put_router(s, i % 500, (uint16_t)i, &most);
		if (file_size() > largest)
			largest = file_size();
		smaller += file_size() < before;
		before = file_size();
	}
	/* Not more often than it grows to twice what is live: 500 bindings of 17 records. */
	ck_assert_uint_lt(largest, (2 * 500 * 17 + 4096 + 17 + 1) * RECORD);
	ck_assert_uint_le(smaller, 20000 * 17 / (500 * 17 + 4096) + 1);
	store_close(s);
	now = networks_now();
	ck_assert_uint_eq(now.bindings, 500);
	same_networks(&now, &most);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_is_put_comes_back);
	tcase_add_test(t, order_of_putting_and_deleting);
	tcase_add_test(t, putting_and_deleting_while_listing);
	tcase_add_test(t, wall_clock_ends_lifetimes);
	tcase_add_test(t, clock_set_back_lengthens_nothing);
	tcase_add_test(t, cut_off_at_each_octet);
	tcase_add_test(t, each_octet_changed);
	tcase_add_test(t, files_of_strangers);
	tcase_add_test(t, hostile_records);
	tcase_add_test(t, second_opener_is_refused);
	tcase_add_test(t, not_a_file);
	tcase_add_test(t, nobody_else_may_read_it);
	tcase_add_test(t, file_is_written_anew_and_stays_small);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, mobile_node);
	tcase_add_test(t, sequence_numbers);
	tcase_add_test(t, sequence_numbers_of_sas);
	tcase_add_test(t, restart_counter);
	tcase_add_test(t, networks_come_back);
	tcase_add_test(t, networks_cut_off_at_each_octet);
	tcase_add_test(t, networks_keep_the_file_small);
	tcase_add_test(t, hundred_thousand);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
