/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/rr.h.  The expected values come from Python's hmac and hashlib:
 *
 *	h = lambda k, m: hmac.new(k, m, 'sha1').digest()
 *	ht = h(kcn, home + nonce + b'\0')[:8]; ct = h(kcn, coa + nonce + b'\1')[:8]
 *	kbm = hashlib.sha1(ht + ct).digest(); kbm_delete = hashlib.sha1(ht).digest()
 *	auth = h(kbm, coa + cn + mh_with_checksum_0[:-12])[:12]
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rr.h"

static struct in6_addr home, coa, cn;
static uint8_t kcn[RR_KCN_LEN], nonce[RR_NONCE_LEN];

static const uint64_t home_token = 0xb6ecfbbe4710d629, care_of_token = 0x0a3fe63755880e12;
static const uint8_t kbm_both[RR_KBM_LEN] = {0xb6, 0xbd, 0xf2, 0x28, 0x39, 0xb9, 0xbb, 0x0a, 0x60,
	0x21, 0xaf, 0x5e, 0x2d, 0xd0, 0x55, 0x47, 0x02, 0xdb, 0xf4, 0xf7};
static const uint8_t kbm_delete[RR_KBM_LEN] = {0xd4, 0xa0, 0x64, 0x7d, 0x80, 0xfd, 0x1b, 0x48, 0xcb,
	0x03, 0x3c, 0xe8, 0x92, 0x82, 0x01, 0x82, 0x2a, 0xfe, 0x0c, 0xf3};
static const uint8_t bu[] = {0x3b, 0x03, 0x05, 0x00, 0xab, 0xcd, 0x12, 0x34, 0x80, 0x00, 0x00, 0x69,
	0x04, 0x04, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0c, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
	0xee, 0xee, 0xee, 0xee, 0xee};
static const uint8_t bu_auth[RR_AUTH_LEN] = {
	0x40, 0x69, 0x8f, 0x51, 0x2d, 0x13, 0x2a, 0xd7, 0x5b, 0x61, 0xc5, 0xf5};

static void setup(void)
{
	inet_pton(AF_INET6, "2001:db8:1::100", &home);
	inet_pton(AF_INET6, "2001:db8:a::100", &coa);
	inet_pton(AF_INET6, "2001:db8:c::c", &cn);
	for (uint8_t i = 0; i < sizeof(kcn); i++)
		kcn[i] = (uint8_t)(0x10 + i);
	for (uint8_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)(0xa0 + i);
}

START_TEST(tokens)
{
	ck_assert_uint_eq(
		rr_keygen_token(kcn, sizeof(kcn), &home, nonce, sizeof(nonce), 0), home_token);
	ck_assert_uint_eq(
		rr_keygen_token(kcn, sizeof(kcn), &coa, nonce, sizeof(nonce), 1), care_of_token);
	ck_assert_uint_ne(
		rr_keygen_token(kcn, sizeof(kcn), &coa, nonce, sizeof(nonce), 0), care_of_token);
}
END_TEST

START_TEST(binding_management_key)
{
	uint8_t kbm[RR_KBM_LEN];

	rr_kbm(home_token, &care_of_token, kbm);
	ck_assert_mem_eq(kbm, kbm_both, sizeof(kbm));
	rr_kbm(home_token, NULL, kbm);
	ck_assert_mem_eq(kbm, kbm_delete, sizeof(kbm));
}
END_TEST

START_TEST(authenticator)
{
	uint8_t mh[sizeof(bu)], out[RR_AUTH_LEN];
	size_t at = sizeof(bu) - RR_AUTH_LEN;

	memcpy(mh, bu, sizeof(mh));
	ck_assert(rr_authenticator(kbm_both, &coa, &cn, mh, sizeof(mh), at, RR_AUTH_LEN, out));
	ck_assert(rr_same(out, bu_auth, sizeof(out)));
	/* neither checksum nor what the option holds by now count */
	mh[4] ^= 1;
	mh[31] ^= 1;
	ck_assert(rr_authenticator(kbm_both, &coa, &cn, mh, sizeof(mh), at, RR_AUTH_LEN, out));
	ck_assert_mem_eq(out, bu_auth, sizeof(out));
	/* everything else does, the option's length included */
	for (size_t i = 0; i < at; i++) {
		memcpy(mh, bu, sizeof(mh));
		mh[i] ^= 0x40;
		ck_assert(rr_authenticator(
			kbm_both, &coa, &cn, mh, sizeof(mh), at, RR_AUTH_LEN, out));
		ck_assert_int_eq(rr_same(out, bu_auth, sizeof(out)), i == 4 || i == 5);
	}
	ck_assert(rr_authenticator(kbm_both, &cn, &coa, bu, sizeof(bu), at, RR_AUTH_LEN, out));
	ck_assert(!rr_same(out, bu_auth, sizeof(out)));
}
END_TEST

START_TEST(authenticator_elsewhere)
{
	static uint8_t big[2056];
	uint8_t out[RR_AUTH_LEN];

	ck_assert(!rr_authenticator(kbm_both, &coa, &cn, bu, sizeof(bu), 21, 12, out));
	ck_assert(!rr_authenticator(kbm_both, &coa, &cn, bu, sizeof(bu), 33, 0, out));
	ck_assert(!rr_authenticator(kbm_both, &coa, &cn, bu, sizeof(bu), 20, SIZE_MAX, out));
	ck_assert(!rr_authenticator(kbm_both, &coa, &cn, bu, sizeof(bu), 5, 12, out));
	ck_assert(!rr_authenticator(kbm_both, &coa, &cn, big, sizeof(big), 2044, 12, out));
	ck_assert(rr_authenticator(kbm_both, &coa, &cn, big, 2048, 2036, 12, out));
}
END_TEST

/* RFC 4449 3; the same formulas with nonces of other lengths, and two of them */
START_TEST(shared_kbm)
{
	static const uint8_t both[RR_KBM_LEN] = {0xfb, 0xd7, 0xaa, 0xc5, 0xd0, 0x98, 0xb9, 0xe6,
		0x9e, 0xe2, 0x09, 0x78, 0xd7, 0xd9, 0x30, 0x45, 0xc2, 0x1a, 0x3b, 0x81};
	static const uint8_t delete[RR_KBM_LEN] = {0xd6, 0x35, 0xdf, 0x7f, 0x70, 0x3b, 0xdb, 0x3f,
		0x8f, 0x79, 0xba, 0x71, 0xad, 0xb7, 0x10, 0x15, 0xe7, 0xbd, 0x70, 0xde};
	struct rr_shared s = {.kcn_len = 24,
		.home_nonce = "home nonce!",
		.home_nonce_len = 11,
		.care_of_nonce = "care-of nonce, longer",
		.care_of_nonce_len = 21};
	uint8_t kbm[RR_KBM_LEN];

	for (uint8_t i = 0; i < s.kcn_len; i++)
		s.kcn[i] = (uint8_t)(0x40 + i);
	rr_shared_kbm(&s, &home, &coa, kbm);
	ck_assert_mem_eq(kbm, both, sizeof(kbm));
	rr_shared_kbm(&s, &home, NULL, kbm);
	ck_assert_mem_eq(kbm, delete, sizeof(kbm));
	rr_shared_kbm(&s, &home, &home, kbm);
	ck_assert_mem_eq(kbm, delete, sizeof(kbm));
}
END_TEST

/* ---- nonces ---- */

static uint8_t fill;

static void counting(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, ++fill, n);
}

static monotime_t at_s(int64_t s)
{
	return mono_add_s((monotime_t){0}, s);
}

/* 5.2.7: "does not generate new nonces on every return routability request" */
START_TEST(nonce_for_thirty_seconds)
{
	struct rr_nonces n;
	const struct rr_nonce *first, *again;
	uint16_t index;

	fill = 0;
	rr_nonces_init(&n, counting, NULL);
	ck_assert_ptr_null(rr_nonce_find(&n, 0, at_s(1)));
	first = rr_nonce_current(&n, at_s(1));
	index = first->index;
	ck_assert_uint_eq(index, 0x0101);
	again = rr_nonce_current(&n, at_s(30));
	ck_assert_ptr_eq(again, first);
	again = rr_nonce_current(&n, at_s(31));
	ck_assert_uint_ne(again->index, index);
	first = rr_nonce_find(&n, index, at_s(31));
	ck_assert_ptr_nonnull(first);
	ck_assert(memcmp(first->nonce, again->nonce, sizeof(first->nonce)) != 0);
	ck_assert(memcmp(first->kcn, again->kcn, sizeof(first->kcn)) != 0);
}
END_TEST

/* Tokens are good for MAX_TOKEN_LIFETIME at least, and for MAX_NONCE_LIFETIME at most. */
START_TEST(nonce_lifetimes)
{
	struct rr_nonces n;

	fill = 0x7f;
	rr_nonces_init(&n, counting, NULL);
	for (int64_t sent = 0; sent < 1200; sent += 7) {
		struct rr_nonces copy;
		uint16_t index = rr_nonce_current(&n, at_s(sent))->index;
		int64_t since = rr_nonce_find(&n, index, at_s(sent))->since.us;

		copy = n;
		for (int64_t t = sent; t <= sent + RR_MAX_TOKEN_LIFETIME_S; t += 3) {
			rr_nonce_current(&copy, at_s(t));
			ck_assert_ptr_nonnull(rr_nonce_find(&copy, index, at_s(t)));
		}
		ck_assert_ptr_null(rr_nonce_find(
			&n, index, mono_add_s((monotime_t){since}, RR_MAX_NONCE_LIFETIME_S)));
	}
}
END_TEST

START_TEST(nonce_wrap_and_wipe)
{
	static const struct rr_nonce zero[RR_NONCES];
	struct rr_nonces n;

	fill = 0xfe; /* first index 0xffff */
	rr_nonces_init(&n, counting, NULL);
	ck_assert_uint_eq(rr_nonce_current(&n, at_s(0))->index, 0xffff);
	ck_assert_uint_eq(rr_nonce_current(&n, at_s(40))->index, 0);
	ck_assert_ptr_nonnull(rr_nonce_find(&n, 0xffff, at_s(40)));
	/* an empty place is no nonce with index 0 */
	ck_assert_ptr_null(rr_nonce_find(&n, 0, at_s(400)));
	/* what has expired is not kept (5.2.2) */
	rr_nonce_current(&n, at_s(400));
	for (size_t i = 0, used = 0; i < RR_NONCES; i++) {
		used += n.ring[i].used;
		ck_assert_uint_le(used, 1);
		ck_assert(n.ring[i].used || memcmp(&n.ring[i], zero, sizeof(zero[0])) == 0);
	}
	rr_nonces_wipe(&n);
	ck_assert_mem_eq(n.ring, zero, sizeof(zero));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rr");
	TCase *t = tcase_create("arithmetic"), *k = tcase_create("nonces");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, tokens);
	tcase_add_test(t, binding_management_key);
	tcase_add_test(t, authenticator);
	tcase_add_test(t, authenticator_elsewhere);
	tcase_add_test(t, shared_kbm);
	suite_add_tcase(s, t);
	tcase_add_test(k, nonce_for_thirty_seconds);
	tcase_add_test(k, nonce_lifetimes);
	tcase_add_test(k, nonce_wrap_and_wipe);
	suite_add_tcase(s, k);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
