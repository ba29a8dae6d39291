/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key files of manual SAs: what is read, and what each fault is called. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/manual.h"

#define N "2001:db8:1::100"
#define A "2001:db8:1::1000"
#define GCM "000102030405060708090a0b0c0d0e0f1011"
#define L1 N " " A " signal 0x1001 aes-gcm-128 " GCM "1201\n"
#define L2 A " " N " signal 0x1002 aes-gcm-128 " GCM "1202\n"
#define L3 N " " A " data 4099 aes-gcm-128 " GCM "1203\n"
#define L4 A " " N " data 0x1004 aes-gcm-128 " GCM "1204\n"

struct said {
	size_t n;
	char all[8192];
};

static void hear(void *arg, uint32_t line, const char *text)
{
	struct said *s = arg;
	size_t used = strlen(s->all);

	s->n++;
	snprintf(s->all + used, sizeof(s->all) - used, "%u: %s\n", line, text);
}

static struct ipsec_keys *parse(const char *text, bool weak, struct said *s)
{
	memset(s, 0, sizeof(*s));
	return ipsec_keys_parse(text, strlen(text), weak, hear, s);
}

static void refused(const char *text, size_t n, const char *words)
{
	struct said s;

	ck_assert_ptr_null(parse(text, false, &s));
	ck_assert_msg(s.n == n && strstr(s.all, words), "%s\nis refused with\n%s", text, s.all);
	ck_assert_msg(!strstr(s.all, "0708090a0b"), "a key is in:\n%s", s.all);
}

static struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

#define G1 N " " A " gateway 0x2001 aes-gcm-128 " GCM "1301\n"
#define G2 A " " N " gateway 0x2002 aes-gcm-128 " GCM "1302\n"
#define M1 N " " A " manager 0x2003 aes-gcm-128 " GCM "1303\n"
#define M2 A " " N " manager 0x2004 aes-gcm-128 " GCM "1304\n"

START_TEST(two_of_gateway_and_manager)
{
	struct said s;
	struct ipsec_keys *k = parse(G1 M1 G2 M2, false, &s);
	struct in6_addr n = in6(N), a = in6(A);

	ck_assert_msg(k != NULL, "%s", s.all);
	ck_assert_uint_eq(ipsec_keys_find(k, &n, &a, IPSEC_GATEWAY)->spi, 0x2001);
	ck_assert_uint_eq(ipsec_keys_find(k, &a, &n, IPSEC_MANAGER)->spi, 0x2004);
	ck_assert_ptr_null(ipsec_keys_find(k, &n, &a, IPSEC_DATA));
	ipsec_keys_free(k);
	refused(G1, 1, "of the two SAs of this pair one is missing; add  " A " " N " gateway");
	refused(M2 G1 G2, 1, "add  " N " " A " manager");
	refused(L1 L2 L4 G1 G2, 1, "of the four SAs of this pair one is missing; add  " N " " A " data");
}
END_TEST

START_TEST(four_of_a_node)
{
	struct said s;
	struct ipsec_keys *k = parse("# keys\n\n" L1 " \t" L2 L3 "\r\n" L4 "#end", false, &s);
	struct in6_addr n = in6(N), a = in6(A), other = in6("2001:db8:1::101");
	const struct ipsec_manual_sa *sa;

	ck_assert_msg(k != NULL, "%s", s.all);
	sa = ipsec_keys_find(k, &n, &a, IPSEC_DATA);
	ck_assert(sa && sa->spi == 4099 && sa->use == IPSEC_DATA && in6_equal(&sa->dst, &a));
	ck_assert_str_eq(sa->algorithm->name, "aes-gcm-128");
	ck_assert_uint_eq(sa->key.len, 20);
	for (uint8_t i = 0; i < 18; i++)
		ck_assert_uint_eq(sa->key.octets[i], i);
	ck_assert(sa->key.octets[18] == 0x12 && sa->key.octets[19] == 3);
	sa = ipsec_keys_find(k, &a, &n, IPSEC_SIGNAL);
	ck_assert(sa && sa->spi == 0x1002);
	ck_assert_ptr_null(ipsec_keys_find(k, &a, &other, IPSEC_SIGNAL));
	ck_assert(ipsec_keys_at(k, 3)->spi == 0x1004 && !ipsec_keys_at(k, 4));
	ipsec_keys_free(k);
	ipsec_keys_free(NULL);
}
END_TEST

START_TEST(faults)
{
	static const struct {
		const char *line, *words;
	} bad[] = {
		{N " " A " signal 0x1001 aes-gcm-128\n", "1: a line has six words"},
		{N " " A " signal 0x1001 aes-gcm-128 " GCM "1213 more\n", "six words"},
		{"fe80::1 " A " signal 0x1001 aes-gcm-128 " GCM "1213\n", "routable"},
		{N " home signal 0x1001 aes-gcm-128 " GCM "1213\n", "first two words"},
		{N " " N " signal 0x1001 aes-gcm-128 " GCM "1213\n", "the same"},
		{N " " A " signals 0x1001 aes-gcm-128 " GCM "1213\n", "third word"},
		{N " " A " signal 255 aes-gcm-128 " GCM "1213\n", "SPI from 256"},
		{N " " A " signal 4294967296 aes-gcm-128 " GCM "1213\n", "SPI"},
		{N " " A " signal 0x aes-gcm-128 " GCM "1213\n", "SPI"},
		{N " " A " signal -4097 aes-gcm-128 " GCM "1213\n", "SPI"},
		{N " " A " signal 99999999999999999999 aes-gcm-128 " GCM "1213\n", "SPI"},
		{N " " A " signal 0x1001 rot13 " GCM "1213\n", "aes-gcm-128 aes-gcm-256"},
		{N " " A " signal 0x1001 " GCM "1213 aes-gcm-128\n", "no such algorithm"},
		{N " " A " signal 0x1001 3des-cbc-hmac-sha1 " GCM "1213\n", "weak"},
		{N " " A " signal 0x1001 aes-gcm-128 " GCM "121\n", "40 hexadecimal digits"},
		{N " " A " signal 0x1001 aes-gcm-128 " GCM "121314\n", "openssl rand -hex 20"},
		{N " " A " signal 0x1001 aes-gcm-128 " GCM "121g\n", "40 hexadecimal"},
		{N " " A " signal 0x1001 aes-gcm-128 0000000000000000000000000000000000000000\n",
			"zeros"},
		/* the integrity key alone */
		{N " " A " signal 0x1001 aes-cbc-128-hmac-sha256 000102030405060708090a0b0c0d0e0f"
		   "0000000000000000000000000000000000000000000000000000000000000000\n",
			"zeros"},
		{"# nothing\n", "0: has no keys"},
		{"", "0: has no keys"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i].line, 1, bad[i].words);
}
END_TEST

START_TEST(twins)
{
	refused(L1 L1, 1, "2: this SA was there already, in line 1");
	refused(L1 L2 N " " A " data 0x1001 aes-gcm-128 " GCM "1299\n", 1,
		"3: this receiver has an SA with this SPI");
	refused(L1 A " " N " signal 0x1001 aes-gcm-128 " GCM "1201\n", 1,
		"2: this key is another SA's");
}
END_TEST

/* The same SPI towards another receiver is another SA (RFC 4301 4.1). */
START_TEST(spi_of_each_receiver)
{
	struct said s;
	struct ipsec_keys *k =
		parse(L1 A " " N " signal 0x1001 aes-gcm-128 " GCM "1299\n" L3 L4, false, &s);

	ck_assert_msg(k != NULL, "%s", s.all);
	ipsec_keys_free(k);
}
END_TEST

START_TEST(one_of_four_is_missing)
{
	refused(L2 L3 L4, 1,
		"1: of the four SAs of this pair one is missing; add  " N " " A " signal");
	refused(L1 L3 L4, 1, "add  " A " " N " signal");
	refused(L1 L2 L4, 1, "add  " N " " A " data");
	refused(L1 L2 L3, 1, "add  " A " " N " data");
	refused(L3, 3, "add  " A " " N " signal");
	/* not beside another fault, which may be the reason */
	refused(L1 L2 L3 "x\n", 1, "4: a line has six words");
}
END_TEST

START_TEST(weak_when_asked_for)
{
	static const char *const text =
		N " " A " signal 0x1001 null-hmac-sha256 "
		  "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01\n" L2 L3 L4;
	struct said s;
	struct ipsec_keys *k = parse(text, true, &s);

	ck_assert_msg(k != NULL, "%s", s.all);
	ipsec_keys_free(k);
	refused(text, 1, "allow_weak = true;");
}
END_TEST

START_TEST(octets_that_are_no_text)
{
	struct said s = {0};

	ck_assert_ptr_null(ipsec_keys_parse(L1 "\0", sizeof(L1), false, hear, &s));
	ck_assert_ptr_nonnull(strstr(s.all, "NUL"));
	refused("\xff\xfe\x01 \x80\n", 1, "six words");
	refused("\n\n\r\n \n", 1, "no keys");
}
END_TEST

START_TEST(too_many_lines)
{
	size_t len = IPSEC_KEYS_MAX + 1;
	char *text = malloc(len);
	struct said s = {0};

	memset(text, '\n', len);
	ck_assert_ptr_null(ipsec_keys_parse(text, len, false, hear, &s));
	ck_assert_ptr_nonnull(strstr(s.all, "400000 lines"));
	free(text);
}
END_TEST

#define NODES 10000

START_TEST(ten_thousand_nodes)
{
	char *text, *at;
	struct said s = {0};
	struct ipsec_keys *k;
	struct in6_addr a = in6(A), n = in6("2001:db8:1:1::270f");
	clock_t start;
	double took;

	text = at = malloc(NODES * 4 * 160);
	for (unsigned i = 0; i < NODES; i++)
		for (unsigned j = 0; j < 4; j++)
			at += sprintf(at,
				j & 1 ? A " 2001:db8:1:1::%x %s 0x%x aes-gcm-256 %064x%08x\n"
				      : "2001:db8:1:1::%x " A " %s 0x%x aes-gcm-256 %064x%08x\n",
				i, j & 2 ? "data" : "signal", 0x1000 + 4 * i + j, 77,
				1 + 4 * i + j);
	start = clock();
	k = ipsec_keys_parse(text, (size_t)(at - text), false, hear, &s);
	took = (double)(clock() - start) / CLOCKS_PER_SEC;
	ck_assert_msg(k != NULL, "%s", s.all);
	ck_assert_ptr_nonnull(ipsec_keys_find(k, &n, &a, IPSEC_DATA));
	ck_assert_ptr_nonnull(ipsec_keys_at(k, 4 * NODES - 1));
	printf("test_manual: keys of %d nodes: %.0f ms\n", NODES, took * 1e3);
	ck_assert(took < 0.8);
	ipsec_keys_free(k);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("manual");
	TCase *t = tcase_create("manual");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, four_of_a_node);
	tcase_add_test(t, two_of_gateway_and_manager);
	tcase_add_test(t, two_of_gateway_and_manager);
	tcase_add_test(t, faults);
	tcase_add_test(t, twins);
	tcase_add_test(t, spi_of_each_receiver);
	tcase_add_test(t, one_of_four_is_missing);
	tcase_add_test(t, weak_when_asked_for);
	tcase_add_test(t, octets_that_are_no_text);
	tcase_add_test(t, too_many_lines);
	tcase_add_test(t, ten_thousand_nodes);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
