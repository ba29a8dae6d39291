/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/secret.h: the vectors of RFC 7748 and RFC 5869, and what two ends make of one OFFER. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vcm/secret.h"

static size_t hex(const char *text, uint8_t *to)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned v;

		ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &v), 1);
		to[i] = (uint8_t)v;
	}
	return n;
}

static void is_hex(const uint8_t *got, const char *text)
{
	uint8_t want[128];
	size_t n = hex(text, want);

	ck_assert_mem_eq(got, want, n);
}

/* RFC 7748 6.1 */
START_TEST(curve)
{
	struct vcm_keypair a, b;
	uint8_t k[32];

	hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", a.private_key);
	hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", b.private_key);
	ck_assert(vcm_keypair_make(&a));
	ck_assert(vcm_keypair_make(&b));
	is_hex(a.public_key, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
	is_hex(b.public_key, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
	ck_assert(vcm_x25519(a.private_key, b.public_key, k));
	is_hex(k, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	ck_assert(vcm_x25519(b.private_key, a.public_key, k));
	is_hex(k, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	vcm_keypair_wipe(&a);
	memset(k, 0, sizeof(k));
	ck_assert_mem_eq(a.private_key, k, sizeof(k));
}
END_TEST

static void run_octets(uint8_t *to, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(from + i);
}

/* RFC 5869 A.1 to A.3 */
START_TEST(expansion)
{
	uint8_t secret[80], salt[80], info[80], out[82];

	memset(secret, 0x0b, 22);
	run_octets(salt, 13, 0);
	run_octets(info, 10, 0xf0);
	ck_assert(vcm_hkdf(secret, 22, salt, 13, info, 10, out, 42));
	is_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		    "34007208d5b887185865");
	ck_assert(vcm_hkdf(secret, 22, salt, 0, info, 0, out, 42));
	is_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		    "9d201395faa4b61a96c8");
	run_octets(secret, 80, 0);
	run_octets(salt, 80, 0x60);
	run_octets(info, 80, 0xb0);
	ck_assert(vcm_hkdf(secret, 80, salt, 80, info, 80, out, 82));
	is_hex(out, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		    "cc30c58179ec3e87c14c01d5c1f3434f1d87");
}
END_TEST

static struct vcm_keypair ends[2];
static struct vcm_message offers[2];

static void offer(uint32_t spi_0, uint32_t spi_1)
{
	memset(offers, 0, sizeof(offers));
	for (int i = 0; i < 2; i++) {
		run_octets(ends[i].private_key, VCM_PRIVATE_LEN, (uint8_t)(17 + 50 * i));
		ck_assert(vcm_keypair_make(&ends[i]));
		offers[i].session = 0x1122334455667788;
		offers[i].generation = 3;
		run_octets(offers[i].salt, VCM_SALT_LEN, 200);
		offers[i].in.spi = i ? spi_1 : spi_0;
		offers[i].out.spi = i ? spi_0 : spi_1;
	}
}

static bool derive(int i)
{
	return vcm_derive(&ends[i], ends[!i].public_key, 36, &offers[i]);
}

START_TEST(both_ends)
{
	uint8_t zero[36] = {0};

	offer(0x1001, 0x2002);
	ck_assert(derive(0) && derive(1));
	ck_assert_uint_eq(offers[0].in.key_len, 36);
	ck_assert_uint_eq(offers[0].out.key_len, 36);
	ck_assert_mem_eq(offers[0].in.key, offers[1].out.key, 36);
	ck_assert_mem_eq(offers[0].out.key, offers[1].in.key, 36);
	ck_assert_mem_ne(offers[0].in.key, offers[0].out.key, 36);
	ck_assert_mem_ne(offers[0].in.key, zero, 36);
	ck_assert_mem_eq(&offers[0].kcn, &offers[1].kcn, sizeof(struct rr_shared));
	ck_assert_uint_eq(offers[0].kcn.kcn_len, 20);
	ck_assert_mem_ne(offers[0].kcn.kcn, zero, 20);
}
END_TEST

/* The same number for both SPIs gives two keys all the same. */
START_TEST(equal_spis)
{
	offer(0x1001, 0x1001);
	ck_assert(derive(0) && derive(1));
	ck_assert_mem_ne(offers[0].in.key, offers[0].out.key, 36);
	ck_assert_mem_eq(offers[0].in.key, offers[1].out.key, 36);
	ck_assert_mem_eq(offers[0].out.key, offers[1].in.key, 36);
}
END_TEST

/* Whatever is different makes all keys different. */
START_TEST(depends_on_all)
{
	struct vcm_message before;

	offer(0x1001, 0x2002);
	ck_assert(derive(0));
	before = offers[0];
	offers[0].session ^= (uint64_t)(_i == 0) << 60;
	offers[0].generation += _i == 1;
	offers[0].salt[31] ^= _i == 2;
	if (_i == 3)
		run_octets(ends[1].private_key, VCM_PRIVATE_LEN, 99);
	if (_i == 4)
		offers[0].in.spi = offers[0].out.spi = 0x3003;
	ck_assert(vcm_keypair_make(&ends[1]));
	ck_assert(derive(0));
	ck_assert_mem_ne(offers[0].in.key, before.in.key, 36);
	ck_assert_mem_ne(offers[0].out.key, before.out.key, 36);
	if (_i < 4)
		ck_assert_mem_ne(offers[0].kcn.kcn, before.kcn.kcn, 20);
}
END_TEST

static void refused(const uint8_t *peer, size_t key_len)
{
	uint8_t zero[VCM_KEY_MAX] = {0};

	offer(0x1001, 0x2002);
	memset(offers[0].in.key, 7, sizeof(offers[0].in.key));
	ck_assert(!vcm_derive(&ends[0], peer, key_len, &offers[0]));
	ck_assert_uint_eq(offers[0].in.key_len, 0);
	ck_assert_mem_eq(offers[0].in.key, zero, sizeof(zero));
	ck_assert_mem_eq(offers[0].out.key, zero, sizeof(zero));
}

/* Points of small order (RFC 7748 6.1), our own public key, lengths. */
START_TEST(refuses)
{
	uint8_t point[32] = {0};

	refused(point, 36);
	point[0] = 1;
	refused(point, 36);
	hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", point);
	refused(point, 36);
	offer(1, 2);
	refused(ends[0].public_key, 36);
	refused(ends[1].public_key, 0);
	refused(ends[1].public_key, VCM_KEY_MAX + 1);
	ck_assert(vcm_derive(&ends[0], ends[1].public_key, VCM_KEY_MAX, &offers[0]));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vcm secret");
	TCase *c = tcase_create("secret");
	SRunner *r;
	int bad;

	tcase_add_test(c, curve);
	tcase_add_test(c, expansion);
	tcase_add_test(c, both_ends);
	tcase_add_test(c, equal_spis);
	tcase_add_loop_test(c, depends_on_all, 0, 5);
	tcase_add_test(c, refuses);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
