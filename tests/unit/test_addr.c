/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/addr.h */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>

#include "lib/addr.h"

static struct in6_addr a6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static void assert_addr(struct in6_addr got, const char *want)
{
	struct in6_addr w = a6(want);

	ck_assert_msg(in6_equal(&got, &w), "%s, not %s", in6_str(&got), want);
}

START_TEST(routable_unicast)
{
	static const char *const yes[] = {"2001:db8::1", "fd00::1", "3fff::", "64:ff9b::1"};
	static const char *const no[] = {"::", "::1", "ff02::1", "ff0e::1", "fe80::1", "febf::1",
		"fec0::1", "::ffff:192.0.2.1"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		struct in6_addr a = a6(yes[i]);

		ck_assert_msg(in6_is_routable_unicast(&a), "%s", yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct in6_addr a = a6(no[i]);

		ck_assert_msg(!in6_is_routable_unicast(&a), "%s", no[i]);
	}
}
END_TEST

START_TEST(masks)
{
	struct in6_addr a = a6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	assert_addr(in6_mask(&a, 0), "::");
	assert_addr(in6_mask(&a, 1), "8000::");
	assert_addr(in6_mask(&a, 8), "ff00::");
	assert_addr(in6_mask(&a, 63), "ffff:ffff:ffff:fffe::");
	assert_addr(in6_mask(&a, 64), "ffff:ffff:ffff:ffff::");
	assert_addr(in6_mask(&a, 127), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	assert_addr(in6_mask(&a, 128), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_addr(in6_mask(&a, 255), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}
END_TEST

START_TEST(prefix_membership)
{
	struct in6_addr p = a6("2001:db8:8000::"), in = a6("2001:db8:ffff::1"),
			out = a6("2001:db8:7fff::1");

	ck_assert(in6_in_prefix(&in, &p, 33));
	ck_assert(!in6_in_prefix(&out, &p, 33));
	ck_assert(in6_in_prefix(&out, &p, 32));
	ck_assert(in6_in_prefix(&out, &p, 0));
	ck_assert(!in6_in_prefix(&in, &p, 128));
}
END_TEST

START_TEST(derived_addresses)
{
	/* RFC 2464 5: 34-56-78-9A-BC-DE becomes 36-56-78-FF-FE-9A-BC-DE */
	static const uint8_t mac[6] = {0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde};
	struct in6_addr ll = in6_eui64_link_local(mac), p = a6("2001:db8:1:2::");
	/* RFC 4291 2.7.1 */
	struct in6_addr a = a6("4037::01:800:200e:8c6c");

	assert_addr(ll, "fe80::3656:78ff:fe9a:bcde");
	assert_addr(in6_join(&p, &ll), "2001:db8:1:2:3656:78ff:fe9a:bcde");
	assert_addr(in6_solicited_node(&a), "ff02::1:ff0e:8c6c");
	assert_addr(in6_all_nodes, "ff02::1");
	assert_addr(in6_all_routers, "ff02::2");
}
END_TEST

START_TEST(text)
{
	struct in6_addr a = a6("2001:db8::1"), b = a6("2001:db8::2"), c = a6("::"),
			d = a6("ff02::1");
	const char *sa = in6_str(&a), *sb = in6_str(&b), *sc = in6_str(&c), *sd = in6_str(&d);

	ck_assert_str_eq(sa, "2001:db8::1");
	ck_assert_str_eq(sb, "2001:db8::2");
	ck_assert_str_eq(sc, "::");
	ck_assert_str_eq(sd, "ff02::1");
}
END_TEST

START_TEST(prefix_text)
{
	static const char *const bad[] = {"", "/", "2001:db8::", "2001:db8::/", "/32",
		"2001:db8::/129", "2001:db8::/32 ", "2001:db8::/ 32", "2001:db8::/+32",
		"2001:db8::/-1", "2001:db8::/0x20", "2001:db8::1/64", "2001:db8:8000::/32",
		"192.0.2.0/24", "2001:db8::/32/32", "2001:db8:::/32", "2001:db8::/4294967328",
		"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/32"};
	struct ip6_prefix p = {.plen = 77};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!ip6_prefix_parse(bad[i], &p), "%s", bad[i]);
	ck_assert_uint_eq(p.plen, 77);
	ck_assert(ip6_prefix_parse("2001:db8::/32", &p));
	ck_assert_uint_eq(p.plen, 32);
	assert_addr(p.addr, "2001:db8::");
	ck_assert(ip6_prefix_parse("::/0", &p) && p.plen == 0);
	ck_assert(ip6_prefix_parse("2001:db8::1/128", &p) && p.plen == 128);
}
END_TEST

/* The published SipHash-2-4 vector: key 00..0f, input 00..0f. */
START_TEST(hash_is_siphash)
{
	const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908}, other[2] = {1, 2};
	struct in6_addr a;

	for (uint8_t i = 0; i < 16; i++)
		a.s6_addr[i] = i;
	ck_assert(in6_hash(&a, key) == 0x3f2acc7f57c29bdb);
	ck_assert(in6_hash(&a, other) != in6_hash(&a, key));
	a.s6_addr[15] ^= 1;
	ck_assert(in6_hash(&a, key) != 0x3f2acc7f57c29bdb);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("addr");
	SRunner *r;
	int failed;

	tcase_add_test(t, routable_unicast);
	tcase_add_test(t, masks);
	tcase_add_test(t, prefix_membership);
	tcase_add_test(t, derived_addresses);
	tcase_add_test(t, text);
	tcase_add_test(t, prefix_text);
	tcase_add_test(t, hash_is_siphash);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
