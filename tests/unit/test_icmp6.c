/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/icmp6.h against the figures of RFC 4861, 6275, 3963 and 4191, and against damage. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "mip6/wire.h"
#include "tests/wire/samples.h"

#define OCTETS(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static struct icmp6_message m, back;
static uint8_t out[4096];

/* Not inlined: gcc 12 then sees lengths that no test asks for, and warns of them. */
__attribute__((noinline)) static bool parse_exact(const uint8_t *data, size_t len, struct icmp6_message *to)
{
	uint8_t *copy = malloc(len ? len : 1);
	bool ok;

	if (len)
		memcpy(copy, data, len);
	ok = icmp6_parse(copy, len, to);
	free(copy);
	return ok;
}

static void assert_builds(const uint8_t *want, size_t len)
{
	size_t got = icmp6_build(&m, out, sizeof(out));

	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(out, want, len);
}

static void setup(void)
{
	memset(&m, 0, sizeof(m));
}

static struct in6_addr addr(uint8_t last)
{
	struct in6_addr a = {{{0x20, 0x01, [15] = last}}};

	return a;
}

START_TEST(figure_ra)
{
	struct nd_prefix *p = &m.u.ra.prefixes[0];

	m.type = ICMP6T_RA;
	m.u.ra.cur_hop_limit = 64;
	m.u.ra.other = true;
	m.u.ra.home_agent = true;
	m.u.ra.preference = -1;
	m.u.ra.lifetime_s = 0x0708;
	m.u.ra.reachable_ms = 1;
	m.u.ra.retrans_ms = 2;
	m.u.ra.slla = (struct nd_lladdr){6, {2, 3, 4, 5, 6, 7}};
	m.u.ra.mtu = 1500;
	m.u.ra.adv_interval_ms = 3000;
	m.u.ra.has_ha_info = true;
	m.u.ra.ha_preference = 0x0102;
	m.u.ra.ha_lifetime_s = 0x0304;
	m.u.ra.ha_mobile_router = true;
	m.u.ra.n_prefixes = 1;
	p->prefix = addr(9);
	p->plen = 64;
	p->autonomous = p->router_address = true;
	p->valid_s = 0x01020304;
	p->preferred_s = 0x05060708;
	assert_builds(
		OCTETS(134, 0, 0, 0, 64, 0x78, 7, 8, 0, 0, 0, 1, 0, 0, 0, 2, /* RFC 4191 2.2 */
			1, 1, 2, 3, 4, 5, 6, 7, /* source link-layer address */
			5, 1, 0, 0, 0, 0, 5, 0xdc, /* MTU */
			3, 4, 64, 0x60, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, /* RFC 6275 7.2 */
			0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, /* whole, because of R */
			7, 1, 0, 0, 0, 0, 0x0b, 0xb8, /* 7.3 */
			8, 1, 0x80, 0, 1, 2, 3, 4)); /* 7.4, RFC 3963 7.3 */
}
END_TEST

START_TEST(figure_na)
{
	m.type = ICMP6T_NA;
	m.u.na.target = addr(1);
	m.u.na.router = m.u.na.override = true;
	m.u.na.tlla = (struct nd_lladdr){6, {2, 3, 4, 5, 6, 7}};
	assert_builds(OCTETS(136, 0, 0, 0, 0xa0, 0, 0, 0, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 1, 2, 1, 2, 3, 4, 5, 6, 7));
}
END_TEST

START_TEST(figure_ns_and_na_flags)
{
	m.type = ICMP6T_NA;
	m.u.na.solicited = true;
	icmp6_build(&m, out, sizeof(out));
	ck_assert_uint_eq(out[4], 0x40);
	m.u.na = (struct icmp6_na){.router = true};
	icmp6_build(&m, out, sizeof(out));
	ck_assert_uint_eq(out[4], 0x80);
	memset(&m, 0, sizeof(m));
	m.type = ICMP6T_NS;
	m.u.ns.target = addr(1);
	assert_builds(OCTETS(
		135, 0, 0, 0, 0, 0, 0, 0, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
}
END_TEST

START_TEST(figure_dhaad)
{
	m.type = ICMP6T_DHAAD_REQUEST;
	m.u.dhaad.id = 0x0102;
	m.u.dhaad.mobile_router = true;
	assert_builds(OCTETS(144, 0, 0, 0, 1, 2, 0x80, 0));
	m.type = ICMP6T_DHAAD_REPLY;
	m.u.dhaad.mobile_router = false;
	m.u.dhaad.n_addrs = 1;
	m.u.dhaad.addrs[0] = addr(7);
	assert_builds(OCTETS(
		145, 0, 0, 0, 1, 2, 0, 0, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7));
}
END_TEST

START_TEST(figure_mobile_prefix)
{
	m.type = ICMP6T_MPS;
	m.u.mps.id = 0x0102;
	assert_builds(OCTETS(146, 0, 0, 0, 1, 2, 0, 0));
	memset(&m, 0, sizeof(m));
	m.type = ICMP6T_MPA;
	m.u.mpa.id = 0x0102;
	m.u.mpa.managed = true;
	assert_builds(OCTETS(147, 0, 0, 0, 1, 2, 0x80, 0));
	m.u.mpa.other = true;
	assert_builds(OCTETS(147, 0, 0, 0, 1, 2, 0xc0, 0));
}
END_TEST

START_TEST(round_trip)
{
	const char *name;
	size_t i;

	for (i = 0; icmp6_sample(i, &name, &m); i++) {
		size_t len = icmp6_build(&m, out, sizeof(out));

		ck_assert_msg(len >= 8, "%s", name);
		ck_assert_msg(parse_exact(out, len, &back), "%s", name);
		ck_assert_msg(icmp6_same(&m, &back), "%s: something got lost", name);
		for (size_t cap = 0; cap < len; cap++) {
			uint8_t *small = malloc(cap ? cap : 1);

			ck_assert_uint_eq(icmp6_build(&m, small, cap), 0);
			free(small);
		}
	}
	ck_assert_uint_gt(i, 10);
}
END_TEST

/* A message cut at an option's end, or a list at an address's, is whole; anywhere else not. */
START_TEST(every_truncation)
{
	const char *name;

	for (size_t i = 0; icmp6_sample(i, &name, &m); i++) {
		size_t len = icmp6_build(&m, out, sizeof(out));

		for (size_t cut = 0; cut < len; cut++) {
			bool ok = parse_exact(out, cut, &back);

			if (cut % 8 || cut < 8)
				ck_assert_msg(!ok, "%s cut to %zu", name, cut);
			if (ok)
				ck_assert_uint_eq(icmp6_build(&back, out, sizeof(out)), cut);
			icmp6_build(&m, out, sizeof(out));
		}
	}
}
END_TEST

/* RFC 4861 6.1, 7.1: least lengths 8, 16, 24, 24 */
START_TEST(least_lengths)
{
	static const struct {
		uint8_t type;
		size_t least;
	} of[] = {{ICMP6T_RS, 8}, {ICMP6T_RA, 16}, {ICMP6T_NS, 24}, {ICMP6T_NA, 24},
		{ICMP6T_DHAAD_REQUEST, 8}, {ICMP6T_DHAAD_REPLY, 8}, {ICMP6T_MPS, 8},
		{ICMP6T_MPA, 8}};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		uint8_t d[32] = {of[i].type};

		ck_assert(parse_exact(d, of[i].least, &back));
		ck_assert(!parse_exact(d, of[i].least - 1, &back));
		ck_assert(!parse_exact(d, of[i].least - 8, &back));
		d[1] = 1; /* code */
		ck_assert(!parse_exact(d, of[i].least, &back));
	}
	for (unsigned type = 0; type < 256; type++) {
		uint8_t d[24] = {(uint8_t)type};

		if ((type < 133 || type > 136) && (type < 144 || type > 147))
			ck_assert(!parse_exact(d, sizeof(d), &back));
	}
}
END_TEST

START_TEST(every_length_octet_off_by_one)
{
	static const uint8_t fixed[256] = {[ICMP6T_RS] = 8,
		[ICMP6T_RA] = 16,
		[ICMP6T_NS] = 24,
		[ICMP6T_NA] = 24,
		[ICMP6T_MPA] = 8};
	const char *name;
	size_t tried = 0;

	for (size_t i = 0; icmp6_sample(i, &name, &m); i++) {
		size_t len = icmp6_build(&m, out, sizeof(out)), next;

		if (!fixed[m.type])
			continue;
		for (size_t at = fixed[m.type]; at < len; at = next) {
			uint8_t was = out[at + 1];

			next = at + was * 8u;
			out[at + 1] = (uint8_t)(was - 1);
			/* a shorter one leaves octets that are no option */
			ck_assert_msg(was == 1 || out[at] != NDOPT_PREFIX ||
					      !parse_exact(out, len, &back),
				"%s", name);
			if (was == 1) /* became zero */
				ck_assert_msg(!parse_exact(out, len, &back), "%s", name);
			out[at + 1] = (uint8_t)(was + 1);
			if (out[at] != NDOPT_SLLA && out[at] != NDOPT_TLLA)
				ck_assert_msg(!parse_exact(out, len, &back), "%s", name);
			else
				parse_exact(out, len, &back);
			out[at + 1] = was;
			tried++;
		}
	}
	ck_assert_uint_gt(tried, 8);
}
END_TEST

START_TEST(every_octet_every_value)
{
	const char *name;

	for (size_t i = 0; icmp6_sample(i, &name, &m); i++) {
		size_t len = icmp6_build(&m, out, sizeof(out));

		for (size_t k = 0; k < len; k++) {
			uint8_t was = out[k];

			for (unsigned v = 0; v < 256; v++) {
				out[k] = (uint8_t)v;
				parse_exact(out, len, &back);
			}
			out[k] = was;
		}
	}
}
END_TEST

START_TEST(multicast_targets)
{
	uint8_t d[24] = {ICMP6T_NS, [8] = 0xff, 0x02};

	ck_assert(!parse_exact(d, sizeof(d), &back));
	d[0] = ICMP6T_NA;
	ck_assert(!parse_exact(d, sizeof(d), &back));
	m.type = ICMP6T_NS;
	m.u.ns.target.s6_addr[0] = 0xff;
	ck_assert_uint_eq(icmp6_build(&m, out, sizeof(out)), 0);
}
END_TEST

START_TEST(options_that_do_not_belong_are_ignored)
{
	/* RS with a prefix option of a wrong length, an unknown one, and its own twice */
	static const uint8_t d[] = {133, 0, 0, 0, 9, 9, 9, 9, /* reserved */
		3, 1, 0, 0, 0, 0, 0, 0, 200, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 1, 1, 9,
		9, 9, 9, 9, 9};

	ck_assert(parse_exact(d, sizeof(d), &back));
	ck_assert_uint_eq(back.u.rs.slla.len, 6);
	ck_assert_uint_eq(back.u.rs.slla.addr[0], 2);
}
END_TEST

START_TEST(link_layer_addresses_of_other_lengths)
{
	uint8_t d[8 + 40] = {ICMP6T_RS, [8] = NDOPT_SLLA, 5, 0xaa};

	ck_assert(parse_exact(d, sizeof(d), &back)); /* 38 octets: too long for us */
	ck_assert_uint_eq(back.u.rs.slla.len, 0);
	d[9] = 4;
	ck_assert(parse_exact(d, 8 + 32, &back));
	ck_assert_uint_eq(back.u.rs.slla.len, LLADDR_MAX);
	m.type = ICMP6T_RS;
	m.u.rs.slla = (struct nd_lladdr){8, {1, 2, 3, 4, 5, 6, 7, 8}};
	assert_builds(
		OCTETS(133, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0));
	m.u.rs.slla.len = LLADDR_MAX + 1;
	ck_assert_uint_eq(icmp6_build(&m, out, sizeof(out)), 0);
}
END_TEST

START_TEST(prefixes)
{
	uint8_t d[16 + 32] = {ICMP6T_RA, [16] = NDOPT_PREFIX, 4, 64};

	memset(d + 32, 0xff, 16);
	ck_assert(parse_exact(d, sizeof(d), &back));
	ck_assert_uint_eq(back.u.ra.prefixes[0].prefix.s6_addr[7], 0xff);
	ck_assert_uint_eq(back.u.ra.prefixes[0].prefix.s6_addr[8], 0); /* ignored, RFC 4861 4.6.2 */
	d[19] = 0x20;
	ck_assert(parse_exact(d, sizeof(d), &back));
	ck_assert_uint_eq(back.u.ra.prefixes[0].prefix.s6_addr[15], 0xff);
	d[18] = 129;
	ck_assert(!parse_exact(d, sizeof(d), &back));
}
END_TEST

START_TEST(more_than_there_is_room_for)
{
	size_t len = 8 + (ND_MAX_PREFIXES + 3) * 32;

	memset(out, 0, sizeof(out));
	out[0] = ICMP6T_MPA;
	for (size_t i = 0; i < ND_MAX_PREFIXES + 3; i++) {
		out[8 + i * 32] = NDOPT_PREFIX;
		out[8 + i * 32 + 1] = 4;
		out[8 + i * 32 + 2] = (uint8_t)i;
	}
	ck_assert(parse_exact(out, len, &back));
	ck_assert_uint_eq(back.u.mpa.n_prefixes, ND_MAX_PREFIXES);
	ck_assert_uint_eq(back.u.mpa.prefixes[ND_MAX_PREFIXES - 1].plen, ND_MAX_PREFIXES - 1);
	out[8 + (ND_MAX_PREFIXES + 2) * 32 + 2] = 129; /* but it is still checked */
	ck_assert(!parse_exact(out, len, &back));

	len = 8 + (DHAAD_MAX_ADDRS + 3) * 16;
	memset(out, 0, sizeof(out));
	out[0] = ICMP6T_DHAAD_REPLY;
	ck_assert(parse_exact(out, len, &back));
	ck_assert_uint_eq(back.u.dhaad.n_addrs, DHAAD_MAX_ADDRS);
	ck_assert(!parse_exact(out, len - 8, &back)); /* half an address */
	m.type = ICMP6T_DHAAD_REPLY;
	m.u.dhaad.n_addrs = DHAAD_MAX_ADDRS + 1;
	ck_assert_uint_eq(icmp6_build(&m, out, sizeof(out)), 0);
}
END_TEST

/* RFC 4191 2.2 */
START_TEST(router_preference)
{
	static const int8_t meaning[4] = {0, 1, 0, -1};

	for (unsigned bits = 0; bits < 4; bits++) {
		uint8_t d[16] = {ICMP6T_RA, [5] = (uint8_t)(bits << 3), 0, 1};

		ck_assert(parse_exact(d, sizeof(d), &back));
		ck_assert_int_eq(back.u.ra.preference, meaning[bits]);
		d[7] = 0; /* lifetime 0: ignored */
		ck_assert(parse_exact(d, sizeof(d), &back));
		ck_assert_int_eq(back.u.ra.preference, 0);
	}
	m.type = ICMP6T_RA;
	m.u.ra.preference = 1;
	ck_assert_uint_eq(icmp6_build(&m, out, sizeof(out)), 16);
	ck_assert_uint_eq(out[5], 0); /* MUST be 00 with lifetime 0 */
	m.u.ra.preference = 2;
	ck_assert_uint_eq(icmp6_build(&m, out, sizeof(out)), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("icmp6");
	TCase *t = tcase_create("icmp6");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, figure_ra);
	tcase_add_test(t, figure_na);
	tcase_add_test(t, figure_ns_and_na_flags);
	tcase_add_test(t, figure_dhaad);
	tcase_add_test(t, figure_mobile_prefix);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, every_truncation);
	tcase_add_test(t, least_lengths);
	tcase_add_test(t, every_length_octet_off_by_one);
	tcase_add_test(t, every_octet_every_value);
	tcase_add_test(t, multicast_targets);
	tcase_add_test(t, options_that_do_not_belong_are_ignored);
	tcase_add_test(t, link_layer_addresses_of_other_lengths);
	tcase_add_test(t, prefixes);
	tcase_add_test(t, more_than_there_is_room_for);
	tcase_add_test(t, router_preference);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
