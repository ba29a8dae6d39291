/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store_world.h"

char folder[64], path[96];
char err[256];
int64_t wall;

static int64_t clock_of_test(void *arg)
{
	(void)arg;
	return wall;
}

struct store *open_it(void)
{
	struct store *s;

	err[0] = '\0';
	s = store_open(path, err, sizeof(err));
	if (s)
		store_set_clock(s, clock_of_test, NULL);
	return s;
}

void setup(void)
{
	log_setup("test_store", LOGL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/test_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bindings", folder);
	wall = 1800000000;
}

void teardown(void)
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

struct in6_addr home(uint32_t n)
{
	struct in6_addr a = {{{0x20, 0x01, 0x0d, 0xb8, 0, 1}}};

	a.s6_addr[12] = (uint8_t)(n >> 24);
	a.s6_addr[13] = (uint8_t)(n >> 16);
	a.s6_addr[14] = (uint8_t)(n >> 8);
	a.s6_addr[15] = (uint8_t)n;
	return a;
}

struct ha_binding_record binding(uint32_t n, uint16_t seq)
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

bool same(const struct ha_binding_record *a, const struct ha_binding_record *b)
{
	return memcmp(&a->home_address, &b->home_address, 16) == 0 &&
	       memcmp(&a->care_of, &b->care_of, 16) == 0 && a->seq == b->seq &&
	       a->flags == b->flags && a->lifetime_s == b->lifetime_s &&
	       a->remaining_s == b->remaining_s && a->invalid == b->invalid;
}

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

const struct ha_binding_record *get(const struct list *l, uint32_t n)
{
	struct in6_addr a = home(n);

	for (size_t i = 0; i < l->n; i++) {
		if (memcmp(&l->r[i].home_address, &a, 16) == 0)
			return &l->r[i];
	}
	return NULL;
}

struct list reopened(void)
{
	struct store *s = open_it();
	struct list l;

	ck_assert_msg(s != NULL, "%s", err);
	l = all(s);
	store_close(s);
	return l;
}

/* ---- the file as octets ---- */

size_t file_size(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (size_t)st.st_size;
}
