/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/icmp6_error.h: what an ICMPv6 error quotes, whole and cut off at every octet. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/icmp6_error.h"

static uint8_t msg[512];
static struct wbuf w;
static struct in6_addr home, coa, cn;

static void setup(void)
{
	inet_pton(AF_INET6, "2001:db8:1::100", &home);
	inet_pton(AF_INET6, "2001:db8:a::100", &coa);
	inet_pton(AF_INET6, "2001:db8:c::c", &cn);
	w = wbuf_make(msg, sizeof(msg));
}

static void error(uint8_t type, uint8_t code, uint32_t info)
{
	wbuf_u8(&w, type);
	wbuf_u8(&w, code);
	wbuf_u16(&w, 0);
	wbuf_u32(&w, info);
}

static void ip6(const struct in6_addr *src, const struct in6_addr *dst, uint8_t next)
{
	wbuf_u32(&w, 0x60000000);
	wbuf_u16(&w, 100);
	wbuf_u8(&w, next);
	wbuf_u8(&w, 64);
	wbuf_in6(&w, src);
	wbuf_in6(&w, dst);
}

static void rh2(const struct in6_addr *addr, uint8_t next)
{
	wbuf_u8(&w, next);
	wbuf_u8(&w, 2);
	wbuf_u8(&w, 2);
	wbuf_u8(&w, 1);
	wbuf_zero(&w, 4);
	wbuf_in6(&w, addr);
}

static void hao(const struct in6_addr *addr, uint8_t next)
{
	wbuf_u8(&w, next);
	wbuf_u8(&w, 2);
	wbuf_u8(&w, 1);
	wbuf_u8(&w, 2);
	wbuf_zero(&w, 2);
	wbuf_u8(&w, 0xc9);
	wbuf_u8(&w, 16);
	wbuf_in6(&w, addr);
}

static bool parse(struct icmp6_error *e)
{
	ck_assert(!w.overflow);
	return icmp6_error_parse(msg, w.len, e);
}

START_TEST(plain)
{
	struct icmp6_error e;

	error(ICMP6T_TOO_BIG, 0, 1400);
	ip6(&cn, &coa, 17);
	ck_assert(parse(&e));
	ck_assert_uint_eq(e.type, 2);
	ck_assert_uint_eq(e.info, 1400);
	ck_assert(in6_equal(&e.src, &cn) && in6_equal(&e.dst, &coa));
	ck_assert(!e.has_hao && !e.has_rh2);
	ck_assert_uint_eq(e.proto, 17);
	ck_assert_uint_eq(e.proto_offset, 40);
	ck_assert_int_eq(e.mh_type, -1);
}
END_TEST

START_TEST(types)
{
	struct icmp6_error e;

	error(ICMP6T_UNREACHABLE, 3, 0);
	ip6(&cn, &coa, 6);
	for (unsigned t = 0; t < 256; t++) {
		msg[0] = (uint8_t)t;
		ck_assert_int_eq(parse(&e), t == 1 || t == 2 || t == 4);
	}
	msg[0] = ICMP6T_UNREACHABLE;
	ck_assert(parse(&e));
	ck_assert_uint_eq(e.code, 3);
	msg[8] = 0x45;
	ck_assert(!parse(&e));
}
END_TEST

/* Both ends mobile: type 2 routing header, Home Address option, CoTI-like header behind. */
START_TEST(both_headers)
{
	struct icmp6_error e;

	error(4, 1, 40 + 24 + 6);
	ip6(&coa, &cn, 43);
	rh2(&home, 60);
	hao(&cn, 135);
	wbuf_u32(&w, 0x3b010200);
	wbuf_u32(&w, 0);
	wbuf_u64(&w, 0x1122334455667788);
	ck_assert(parse(&e));
	ck_assert(e.has_rh2 && in6_equal(&e.rh2, &home));
	ck_assert(e.has_hao && in6_equal(&e.hao, &cn));
	ck_assert_uint_eq(e.hao_offset, e.info);
	ck_assert_uint_eq(e.proto, 135);
	ck_assert_uint_eq(e.proto_offset, 88);
	ck_assert_int_eq(e.mh_type, 2);
	ck_assert_uint_eq(e.mh_cookie, 0x1122334455667788);
	msg[8 + 88 + 2] = 5; /* a BU has no cookie */
	ck_assert(parse(&e));
	ck_assert_int_eq(e.mh_type, 5);
	ck_assert_uint_eq(e.mh_cookie, 0);
}
END_TEST

/* At whatever octet the quotation ends: what was seen is told, the rest is not. */
START_TEST(cut_off)
{
	struct icmp6_error e;
	size_t full;

	error(1, 3, 0);
	ip6(&coa, &cn, 43);
	rh2(&home, 60);
	hao(&home, 135);
	wbuf_u32(&w, 0x3b010100);
	wbuf_u32(&w, 0);
	wbuf_u64(&w, 7);
	full = w.len - 8;
	for (size_t n = 0; n <= full; n++) {
		uint8_t *exact = malloc(8 + n);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, msg, 8 + n);
		ck_assert_int_eq(icmp6_error_parse(exact, 8 + n, &e), n >= 40);
		free(exact);
		if (n < 40)
			continue;
		ck_assert_int_eq(e.has_rh2, n >= 64);
		ck_assert_int_eq(e.has_hao, n >= 88);
		ck_assert_uint_eq(e.proto, n >= 88 ? 135 : 59);
		ck_assert_uint_le(e.proto_offset, n);
		ck_assert_int_eq(e.mh_type, n >= 91 ? 1 : -1);
		ck_assert_uint_eq(e.mh_cookie, n >= 104 ? 7 : 0);
	}
	for (size_t n = 0; n < 8; n++)
		ck_assert(!icmp6_error_parse(msg, n, &e));
}
END_TEST

/* Hop-by-hop, AH, first fragment, a routing header of another type, options around. */
START_TEST(other_headers)
{
	struct icmp6_error e;

	error(1, 0, 0);
	ip6(&coa, &cn, 0);
	wbuf_u64(&w, 0x2b00010400000000); /* hop-by-hop, routing next */
	wbuf_u32(&w, 0x33020401); /* type 4, AH next */
	wbuf_zero(&w, 20);
	wbuf_u32(&w, 0x2c010000); /* AH of 12 octets, fragment next */
	wbuf_zero(&w, 8);
	wbuf_u64(&w, 0x3c00000100000001); /* the first of them, destination options next */
	wbuf_u32(&w, 0x3a030005); /* Pad1; an unknown option */
	wbuf_u32(&w, 0x02aabbc9);
	wbuf_u8(&w, 16);
	wbuf_in6(&w, &home);
	wbuf_u8(&w, 0xc9); /* a second one does not count */
	wbuf_u8(&w, 5);
	wbuf_zero(&w, 5);
	ck_assert(parse(&e));
	ck_assert(!e.has_rh2);
	ck_assert(e.has_hao && in6_equal(&e.hao, &home));
	ck_assert_uint_eq(e.hao_offset, 40 + 8 + 24 + 12 + 8 + 7);
	ck_assert_uint_eq(e.proto, 58);
	ck_assert_uint_eq(e.proto_offset, 40 + 8 + 24 + 12 + 8 + 32);
	msg[8 + 40 + 8 + 24 + 12 + 3] = 0x11; /* a later fragment: what follows is data */
	ck_assert(parse(&e));
	ck_assert_uint_eq(e.proto, 59);
	ck_assert(!e.has_hao);
}
END_TEST

START_TEST(options_with_wrong_lengths)
{
	struct icmp6_error e;

	error(1, 0, 0);
	ip6(&coa, &cn, 60);
	hao(&home, 6);
	msg[8 + 40 + 7] = 15;
	ck_assert(parse(&e));
	ck_assert(!e.has_hao);
	msg[8 + 40 + 7] = 17; /* beyond the header */
	ck_assert(parse(&e));
	ck_assert(!e.has_hao);
	ck_assert_uint_eq(e.proto, 6);
}
END_TEST

/* Inside the header, but not of 16 octets; and the first of two */
START_TEST(option_too_long)
{
	struct icmp6_error e;

	error(1, 0, 0);
	ip6(&coa, &cn, 60);
	wbuf_u32(&w, 0x0605c911); /* header of 48 octets, option of 17 */
	wbuf_in6(&w, &cn);
	wbuf_u8(&w, 0);
	wbuf_u8(&w, 0xc9);
	wbuf_u8(&w, 16);
	wbuf_in6(&w, &home);
	wbuf_zero(&w, 9);
	ck_assert(parse(&e));
	ck_assert(e.has_hao && in6_equal(&e.hao, &home));
	ck_assert_uint_eq(e.hao_offset, 40 + 21);
	msg[8 + 40 + 3] = 16;
	ck_assert(parse(&e));
	ck_assert(in6_equal(&e.hao, &cn));
	ck_assert_uint_eq(e.hao_offset, 40 + 2);
	ck_assert_uint_eq(e.proto, 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("icmp6_error");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, plain);
	tcase_add_test(t, types);
	tcase_add_test(t, both_headers);
	tcase_add_test(t, cut_off);
	tcase_add_test(t, other_headers);
	tcase_add_test(t, options_with_wrong_lengths);
	tcase_add_test(t, option_too_long);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
