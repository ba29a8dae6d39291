/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/buf.h: nothing is read or written outside, whatever is asked for. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

static const uint8_t octets[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

START_TEST(reads_network_order)
{
	struct rbuf r = rbuf_make(octets, sizeof(octets));
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	ck_assert(rbuf_u8(&r, &v8) && v8 == 1);
	ck_assert(rbuf_u16(&r, &v16) && v16 == 0x0203);
	ck_assert(rbuf_u32(&r, &v32) && v32 == 0x04050607);
	ck_assert(rbuf_u64(&r, &v64) && v64 == 0x08090a0b0c0d0e0f);
	ck_assert_uint_eq(rbuf_left(&r), 1);
}
END_TEST

START_TEST(failed_read_consumes_nothing)
{
	struct rbuf r = rbuf_make(octets, 1), sub = {NULL, NULL};
	struct in6_addr a6;
	struct in_addr a4;
	uint16_t v16 = 7;
	uint32_t v32 = 7;
	uint64_t v64 = 7;
	uint8_t v8 = 7;

	ck_assert(!rbuf_u16(&r, &v16) && v16 == 7);
	ck_assert(!rbuf_u32(&r, &v32) && v32 == 7);
	ck_assert(!rbuf_u64(&r, &v64) && v64 == 7);
	ck_assert(!rbuf_in6(&r, &a6));
	ck_assert(!rbuf_in4(&r, &a4));
	ck_assert(!rbuf_skip(&r, 2));
	ck_assert(!rbuf_sub(&r, &sub, 2) && sub.p == NULL);
	ck_assert(!rbuf_skip(&r, SIZE_MAX));
	ck_assert_uint_eq(rbuf_left(&r), 1);
	ck_assert(rbuf_u8(&r, &v8) && v8 == 1);
	ck_assert(!rbuf_u8(&r, &v8));
}
END_TEST

START_TEST(addresses_keep_network_order)
{
	struct rbuf r = rbuf_make(octets, sizeof(octets));
	struct in6_addr a6;
	struct in_addr a4;

	ck_assert(rbuf_in6(&r, &a6) && memcmp(&a6, octets, 16) == 0);
	r = rbuf_make(octets + 1, 4);
	ck_assert(rbuf_in4(&r, &a4) && memcmp(&a4, octets + 1, 4) == 0);
}
END_TEST

START_TEST(sub_window_ends_where_told)
{
	struct rbuf r = rbuf_make(octets, sizeof(octets)), sub;
	uint32_t v32;
	uint16_t v16;

	ck_assert(rbuf_sub(&r, &sub, 3));
	ck_assert(!rbuf_u32(&sub, &v32));
	ck_assert(rbuf_u16(&sub, &v16) && v16 == 0x0102);
	ck_assert_uint_eq(rbuf_left(&r), 13);
	ck_assert(rbuf_u16(&r, &v16) && v16 == 0x0405);
}
END_TEST

START_TEST(empty_and_null)
{
	struct rbuf r = rbuf_make(NULL, 0);
	struct rbuf s = rbuf_make(NULL, 99);
	uint8_t v;

	ck_assert_uint_eq(rbuf_left(&r), 0);
	ck_assert_uint_eq(rbuf_left(&s), 0);
	ck_assert(!rbuf_u8(&r, &v));
	ck_assert(rbuf_skip(&r, 0));
	ck_assert(rbuf_bytes(&r, NULL, 0));
}
END_TEST

START_TEST(writes_what_reads_back)
{
	uint8_t out[16] = {0};
	struct wbuf w = wbuf_make(out, sizeof(out));

	wbuf_u8(&w, 1);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	wbuf_u64(&w, 0x08090a0b0c0d0e0f);
	wbuf_bytes(&w, octets + 15, 1);
	ck_assert(!w.overflow);
	ck_assert_mem_eq(out, octets, 16);
}
END_TEST

START_TEST(overflow_sticks_and_writes_nothing)
{
	uint8_t out[4] = {9, 9, 9, 9};
	struct wbuf w = wbuf_make(out, 3);

	wbuf_u16(&w, 0x0102);
	wbuf_u32(&w, 0xffffffff);
	ck_assert(w.overflow);
	ck_assert_uint_eq(w.len, 2);
	wbuf_u8(&w, 3); /* would fit, but comes after the failure */
	ck_assert_uint_eq(w.len, 2);
	ck_assert_uint_eq(out[2], 9);
	ck_assert_uint_eq(out[3], 9);
}
END_TEST

START_TEST(refuses_impossible_lengths)
{
	uint8_t out[4];
	struct wbuf w = wbuf_make(out, sizeof(out));

	wbuf_zero(&w, SIZE_MAX);
	ck_assert(w.overflow && w.len == 0);
	w = wbuf_make(out, sizeof(out));
	wbuf_bytes(&w, NULL, 2);
	ck_assert(w.overflow);
	w = wbuf_make(out, sizeof(out));
	wbuf_bytes(&w, NULL, 0);
	ck_assert(!w.overflow);
}
END_TEST

START_TEST(overwrites_only_what_is_there)
{
	uint8_t out[4];
	struct wbuf w = wbuf_make(out, sizeof(out));

	wbuf_zero(&w, 3);
	wbuf_put_u8(&w, 2, 0x33);
	wbuf_put_u16(&w, 0, 0x1122);
	ck_assert(!w.overflow);
	ck_assert_mem_eq(out, ((const uint8_t[]){0x11, 0x22, 0x33}), 3);
	wbuf_put_u16(&w, 2, 0xffff);
	ck_assert(w.overflow);
	w.overflow = false;
	wbuf_put_u8(&w, 3, 0xff);
	ck_assert(w.overflow);
	w.overflow = false;
	wbuf_put_u16(&w, SIZE_MAX, 0xffff);
	ck_assert(w.overflow);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");
	SRunner *r;
	int failed;

	tcase_add_test(t, reads_network_order);
	tcase_add_test(t, failed_read_consumes_nothing);
	tcase_add_test(t, addresses_keep_network_order);
	tcase_add_test(t, sub_window_ends_where_told);
	tcase_add_test(t, empty_and_null);
	tcase_add_test(t, writes_what_reads_back);
	tcase_add_test(t, overflow_sticks_and_writes_nothing);
	tcase_add_test(t, refuses_impossible_lengths);
	tcase_add_test(t, overwrites_only_what_is_there);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
