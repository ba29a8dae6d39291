/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mip6d/sys/store.h: bindings survive, whatever happens to their file.  The
 * file is cut off at each octet, each octet of it is changed, and strangers'
 * files are put in its place: what can still be read is read, nothing else
 * is made up, and the store can be used afterwards.
 */
#include "tests/unit/store_world.h"

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
	const TTest *const all[] = {cut_off_at_each_octet, each_octet_changed, files_of_strangers,
		hostile_records, networks_come_back, networks_cut_off_at_each_octet,
		networks_keep_the_file_small};

	return RUN("store, damage", all, setup, teardown);
}
