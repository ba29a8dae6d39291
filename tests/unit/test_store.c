/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6d/sys/store.h: what is put comes back; time, the file system, and many. */
#include "tests/unit/store_world.h"

#define MANY 100000

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
	struct store_sa a = {home(1), home(2), 0x1001, {1, 2, 3, 4, 5, 6, 7, 8}, 0x200000, 77},
			b = a, c = a, got;
	struct store *s = open_it();

	got = a;
	ck_assert(!store_sa_get(s, &got));
	b.spi = 0x1002;
	b.bound = UINT32_MAX;
	c.src = a.dst, c.dst = a.src;
	c.received = UINT32_MAX;
	ck_assert(store_sa_put(s, &a, true) && store_sa_put(s, &b, false) &&
		  store_sa_put(s, &c, true));
	a.bound = 0x400000;
	ck_assert(store_sa_put(s, &a, true));
	ck_assert_uint_eq(store_count(s), 0); /* they are no bindings */
	store_close(s);
	got = sa_now(&a);
	ck_assert(got.bound == 0x400000 && got.received == 77 &&
		  memcmp(got.fingerprint, a.fingerprint, 8) == 0);
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

int main(void)
{
	const TTest *const all[] = {what_is_put_comes_back, order_of_putting_and_deleting,
		putting_and_deleting_while_listing, wall_clock_ends_lifetimes,
		clock_set_back_lengthens_nothing, second_opener_is_refused, not_a_file,
		nobody_else_may_read_it, file_is_written_anew_and_stays_small, full_disk,
		mobile_node, hundred_thousand, sequence_numbers, sequence_numbers_of_sas,
		restart_counter};

	return RUN("store", all, setup, teardown);
}
