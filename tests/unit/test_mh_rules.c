/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/mh.h: the checks of RFC 6275 9.2, options, and the checksum. */
#include "tests/unit/mh_world.h"

/* ---- the checks of RFC 6275 9.2 ---- */

START_TEST(header_checks)
{
	uint8_t bu[16] = {59, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0};
	size_t off;

	ck_assert_int_eq(parse_error(NULL, 0, &off), MH_E_SHORT);
	ck_assert_int_eq(parse_error(bu, 16, &off), MH_OK);
	bu[0] = 58;
	ck_assert_int_eq(parse_error(bu, 16, &off), MH_E_PAYLOAD_PROTO);
	ck_assert_uint_eq(off, 0);
	bu[0] = 59;
	bu[1] = 0;
	ck_assert_int_eq(parse_error(bu, 16, &off), MH_E_HEADER_LEN);
	ck_assert_uint_eq(off, 1);
	bu[1] = 1;
	for (unsigned type = 0; type < 256; type++) {
		bu[2] = (uint8_t)type;
		if (mh_type_name(bu[2]))
			continue;
		ck_assert_int_eq(parse_error(bu, 16, &off), MH_E_UNKNOWN_TYPE);
		ck_assert_uint_eq(off, 2);
	}
	/* 9.2 asks for the type before it asks for Payload Proto */
	bu[0] = 58;
	ck_assert_int_eq(parse_error(bu, 16, &off), MH_E_UNKNOWN_TYPE);
}
END_TEST

START_TEST(ha_switch_count_beyond_the_end)
{
	uint8_t d[24] = {59, 2, 12, 0, 0, 0, 2, 0};
	struct mh_message m;
	size_t off;

	ck_assert_int_eq(parse_error(d, sizeof(d), &off), MH_E_HEADER_LEN);
	d[6] = 1;
	ck_assert_int_eq(mh_parse(d, sizeof(d), &m, NULL), MH_OK);
	ck_assert_uint_eq(m.u.ha_switch.count, 1);
	ck_assert_ptr_eq(m.u.ha_switch.addrs, d + 8);
}
END_TEST

START_TEST(reserved_fields_and_what_follows_are_ignored)
{
	static const uint8_t d[] = {59, 2, 13, 0xff, 0x12, 0x34, 0xff, 0xfd, 0, 0, 0, 7, 1, 0, 28,
		4, 0, 0, 0, 9, 1, 2, 0xff, 0xff, /* end */ 77, 77};
	struct mh_message m;

	ck_assert_int_eq(mh_parse(d, sizeof(d), &m, NULL), MH_OK);
	ck_assert_uint_eq(m.checksum, 0x1234);
	ck_assert_uint_eq(m.wire_len, 24);
	ck_assert(!m.u.heartbeat.unsolicited && m.u.heartbeat.response);
	ck_assert_uint_eq(m.u.heartbeat.seq, 7);
	ck_assert_uint_eq(m.n_options, 1);
}
END_TEST

/* ---- options ---- */

/* A BU of 24 octets whose last 12 are options. */
static enum mh_error parse_options(const uint8_t options[12], struct mh_message *m, size_t *off)
{
	static uint8_t d[24];

	memset(d, 0, sizeof(d));
	d[0] = 59;
	d[1] = 2;
	d[2] = MH_BU;
	memcpy(d + 12, options, 12);
	*off = SIZE_MAX;
	return mh_parse(d, sizeof(d), m, off);
}

START_TEST(padding_and_unknown_options)
{
	static const uint8_t pads[12] = {0, 0, 1, 0, 1, 1, 0xff, 0, 2, 2, 0, 9};
	static const uint8_t unknown[12] = {77, 3, 1, 2, 3, 78, 0, 2, 2, 0, 9, 0};
	struct mh_message m;
	size_t off;

	ck_assert_int_eq(parse_options(pads, &m, &off), MH_OK);
	ck_assert_uint_eq(m.n_options, 1);
	ck_assert_uint_eq(m.options[0].u.refresh_interval, 9);
	ck_assert_int_eq(parse_options(unknown, &m, &off), MH_OK);
	ck_assert_uint_eq(m.n_options, 1);
	ck_assert_uint_eq(m.options[0].u.refresh_interval, 9);
}
END_TEST

START_TEST(options_over_the_end)
{
	/* type without length; length over the end; the same in an unknown option and in PadN */
	static const uint8_t lone[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
	static const uint8_t over[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0};
	static const uint8_t unknown[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 2, 0};
	static const uint8_t padn[12] = {1, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	struct mh_message m;
	size_t off;

	ck_assert_int_eq(parse_options(lone, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 23);
	ck_assert_int_eq(parse_options(over, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 21);
	ck_assert_int_eq(parse_options(unknown, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 21);
	ck_assert_int_eq(parse_options(padn, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 12);
}
END_TEST

/* RFC 5648 4.4: whoever answers 164 finds what it needs. */
START_TEST(fault_leaves_what_came_before)
{
	static const uint8_t bad_bid[12] = {2, 2, 0, 9, 35, 5, 0, 1, 0, 0, 0, 0};
	struct mh_message m;
	size_t off;

	ck_assert_int_eq(parse_options(bad_bid, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 16);
	ck_assert_uint_eq(m.type, MH_BU);
	ck_assert_uint_eq(m.n_options, 1);
}
END_TEST

START_TEST(first_of_repeated_options_counts)
{
	static const uint8_t twice[12] = {2, 2, 0, 9, 2, 2, 0, 8, 4, 2, 0, 0};
	static const uint8_t good[12] = {2, 2, 0, 9, 2, 2, 0, 8, 1, 2, 0, 0};
	struct mh_message m;
	size_t off;

	/* the lengths of repetitions count all the same */
	ck_assert_int_eq(parse_options(twice, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 20);
	ck_assert_int_eq(parse_options(good, &m, &off), MH_OK);
	ck_assert_uint_eq(m.n_options, 1);
	ck_assert_uint_eq(mh_option(&m, MHOPT_REFRESH_ADVICE)->u.refresh_interval, 9);
}
END_TEST

/* 6.2, 6.2.7, 9.5.1 */
START_TEST(nothing_follows_authorization_data)
{
	static const uint8_t last[12] = {2, 2, 0, 9, 1, 0, 5, 4, 1, 2, 3, 4};
	static const uint8_t padded[12] = {5, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0};
	static const uint8_t pad1[12] = {5, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0};
	static const uint8_t twice[12] = {5, 4, 1, 2, 3, 4, 5, 4, 1, 2, 3, 4};
	static const uint8_t empty[12] = {1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0};
	struct mh_message m;
	size_t off;

	ck_assert_int_eq(parse_options(last, &m, &off), MH_OK);
	ck_assert_uint_eq(mh_option(&m, MHOPT_AUTH_DATA)->u.auth_data.offset, 20);
	ck_assert_int_eq(parse_options(padded, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 12);
	ck_assert_int_eq(parse_options(pad1, &m, &off), MH_E_OPTION);
	ck_assert_int_eq(parse_options(twice, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 12);
	ck_assert_int_eq(parse_options(empty, &m, &off), MH_E_OPTION);
	ck_assert_uint_eq(off, 22);
}
END_TEST

START_TEST(more_options_than_there_is_room_for)
{
	uint8_t d[12 + 35 * 6 + 2] = {0};
	struct mh_message m;
	size_t len = sizeof(d) / 8 * 8, off;

	ck_assert_uint_eq(len, sizeof(d));
	d[0] = 59;
	d[1] = (uint8_t)(len / 8 - 1);
	d[2] = MH_BU;
	for (size_t i = 0; i < MH_MAX_OPTIONS; i++) {
		d[12 + i * 6] = MHOPT_BINDING_ID;
		d[12 + i * 6 + 1] = 4;
	}
	ck_assert_int_eq(mh_parse(d, len, &m, &off), MH_OK);
	ck_assert_uint_eq(m.n_options, MH_MAX_OPTIONS);
	ck_assert_ptr_null(mh_option_add(&m, MHOPT_BINDING_ID));
	d[12 + MH_MAX_OPTIONS * 6] = MHOPT_BINDING_ID;
	d[12 + MH_MAX_OPTIONS * 6 + 1] = 4;
	ck_assert_int_eq(mh_parse(d, len, &m, &off), MH_E_TOO_MANY);
	ck_assert_uint_eq(off, 12 + MH_MAX_OPTIONS * 6);
}
END_TEST

START_TEST(longest_message)
{
	static uint8_t d[MH_MAX_LEN + 8];
	struct mh_message m = {.type = MH_BU};
	static uint8_t data[255], out[MH_MAX_LEN + 64];

	d[0] = 59;
	d[1] = 255;
	d[2] = MH_BU;
	ck_assert_int_eq(mh_parse(d, MH_MAX_LEN, &m, NULL), MH_OK); /* 2036 Pad1 */
	ck_assert_uint_eq(m.wire_len, MH_MAX_LEN);
	ck_assert_uint_eq(m.n_options, 0);
	/* 12 + 7 * 257 = 1811; 237 are left, type and length included */
	for (int i = 0; i < 8; i++) {
		struct mh_option *o = mh_option_add(&m, MHOPT_CGA_PARAM);

		o->u.opaque.data = data;
		o->u.opaque.len = i < 7 ? 255 : 235;
	}
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), MH_MAX_LEN);
	ck_assert_uint_eq(out[1], 255);
	m.options[7].u.opaque.len++;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
}
END_TEST

START_TEST(what_cannot_be_expressed)
{
	static uint8_t data[300], out[MH_MAX_LEN];
	struct mh_message m = {.type = 200};
	struct mh_option *o;

	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	m = (struct mh_message){.type = MH_EXPERIMENTAL, .u.experimental = {data, 3}};
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	m.u.experimental.len = 2;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 8);
	mh_option_add(&m, MHOPT_REFRESH_ADVICE);
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);

#define ONE_OPTION(t)                           \
	m = (struct mh_message){.type = MH_BU}; \
	o = mh_option_add(&m, (t))

	ONE_OPTION(77);
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_PADN);
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_IPV4_HOA);
	o->u.ipv4_hoa.plen = 64;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_IPV4_ACK);
	o->u.ipv4_ack.plen = 64;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_BINDING_ID);
	o->u.binding_id.coa_len = 5;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_BINDING_ID);
	o->u.binding_id.priority = 128;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_VENDOR);
	o->u.vendor.data = data;
	o->u.vendor.len = 251;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	o->u.vendor.len = 250;
	ck_assert_uint_ne(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_CGA_PARAM);
	o->u.opaque.len = 3; /* of nothing */
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	ONE_OPTION(MHOPT_AUTH_DATA);
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0); /* no authenticator */
	o->u.auth_data.len = 12; /* to be computed: zeros */
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 32);
	o = mh_option_add(&m, MHOPT_AUTH_DATA);
	o->u.auth_data.len = 12;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
	m.n_options = MH_MAX_OPTIONS + 1;
	ck_assert_uint_eq(mh_build(&m, out, sizeof(out)), 0);
}
END_TEST

/* Whatever stands before it, each option starts where its section says, in every order. */
START_TEST(alignment_in_every_neighbourhood)
{
	static const struct {
		uint8_t type;
		size_t align, phase;
	} rule[] = {
		{MHOPT_REFRESH_ADVICE, 2, 0},
		{MHOPT_ALT_COA, 8, 6},
		{MHOPT_NONCE_INDICES, 2, 0},
		{MHOPT_AUTH_DATA, 8, 2},
		{MHOPT_NETWORK_PREFIX, 8, 4},
		{MHOPT_COT, 8, 6},
		{MHOPT_VENDOR, 4, 2},
		{MHOPT_RESTART_COUNTER, 4, 2},
		{MHOPT_IPV4_HOA, 4, 0},
		{MHOPT_IPV4_ACK, 4, 0},
		{MHOPT_NAT_DETECTION, 4, 0},
		{MHOPT_IPV4_COA, 4, 0},
		{MHOPT_BINDING_ID, 8, 2},
	};
	static const uint8_t data[16] = {0};
	uint8_t out[MH_MAX_LEN];
	struct walk w[MH_MAX_LEN];

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++) {
		for (size_t before = 0; before < 16; before++) {
			struct mh_message m = {.type = MH_BU};
			struct mh_option *o = mh_option_add(&m, MHOPT_MN_ID);
			size_t len, n, found = 0;

			o->u.mn_id.id = data;
			o->u.mn_id.len = before;
			o = mh_option_add(&m, rule[i].type);
			if (rule[i].type == MHOPT_AUTH_DATA)
				o->u.auth_data.len = 12;
			if (rule[i].type == MHOPT_BINDING_ID)
				o->u.binding_id.coa_len = before % 2 ? 4 : 16;
			len = mh_build(&m, out, sizeof(out));
			ck_assert_uint_ne(len, 0);
			n = find_options(out, len, 12, w);
			for (size_t k = 0; k < n; k++) {
				if (out[w[k].at] != rule[i].type)
					continue;
				found++;
				ck_assert_msg(w[k].at % rule[i].align == rule[i].phase, "%s at %zu",
					mh_option_name(rule[i].type), w[k].at);
			}
			ck_assert_uint_eq(found, 1);
		}
	}
}
END_TEST

/* ---- checksum ---- */

/* ICMPv6 and UDP samples computed by hand, and the properties that follow from RFC 1071. */
START_TEST(checksum)
{
	struct in6_addr src = {{{0xfe, 0x80, [15] = 1}}}, dst = {{{0xfe, 0x80, [15] = 2}}};
	uint8_t brr[8] = {59, 0, 0, 0, 0, 0, 0, 0};
	uint8_t odd[3] = {0x12, 0x34, 0x56};
	uint8_t shifted[8 + 1];
	uint16_t sum;

	/* fe80 + 1 + fe80 + 2 = 1fd03; + 8 + 135 = 1fd92; + 3b00 = 23892; folded 3894 */
	sum = ip6_checksum(&src, &dst, MIP6_PROTO_MH, brr, sizeof(brr));
	ck_assert_uint_eq(sum, (uint16_t)~0x3894);
	/* 1fd03 + 3 + 135 = 1fd8d; + 1234 + 5600 = 265c1; folded 65c3 */
	ck_assert_uint_eq(ip6_checksum(&src, &dst, 135, odd, sizeof(odd)), (uint16_t)~0x65c3);
	/* filled in, it comes to zero, and at an odd address as well */
	brr[4] = (uint8_t)(sum >> 8);
	brr[5] = (uint8_t)sum;
	memcpy(shifted + 1, brr, sizeof(brr));
	ck_assert_uint_eq(ip6_checksum(&src, &dst, 135, brr, sizeof(brr)), 0);
	ck_assert_uint_eq(ip6_checksum(&src, &dst, 135, shifted + 1, sizeof(brr)), 0);
	ck_assert_uint_eq(ip6_checksum(&dst, &src, 135, brr, sizeof(brr)), 0);
	brr[7] ^= 1;
	ck_assert_uint_ne(ip6_checksum(&src, &dst, 135, brr, sizeof(brr)), 0);
	ck_assert_uint_eq(ip6_checksum(&src, &dst, 0, NULL, 0), (uint16_t)~0xfd04);
}
END_TEST

START_TEST(checksum_of_much)
{
	static uint8_t big[65535 + 65536];
	struct in6_addr any = {{{0}}};
	uint64_t sum = (sizeof(big) >> 16) + (sizeof(big) & 0xffff) + 135;

	memset(big, 0xff, sizeof(big));
	sum += (sizeof(big) / 2) * 0xffffull + 0xff00; /* an odd number of octets */
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ck_assert_uint_eq(ip6_checksum(&any, &any, 135, big, sizeof(big)), (uint16_t)~sum);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(mh_type_name(MH_BU), "BU");
	ck_assert_str_eq(mh_option_name(MHOPT_ALT_COA), "Alternate Care-of Address");
	ck_assert_ptr_null(mh_type_name(8));
	ck_assert_ptr_null(mh_option_name(7));
	for (unsigned i = 0; i < 256; i++)
		ck_assert_ptr_nonnull(ba_status_name((uint8_t)i));
	ck_assert_str_eq(ba_status_name(135), "sequence number out of window");
	for (int e = MH_OK; e <= MH_E_CHECKSUM; e++)
		ck_assert_str_ne(mh_strerror((enum mh_error)e), "unknown error");
}
END_TEST

int main(void)
{
	const TTest *const all[] = {header_checks, ha_switch_count_beyond_the_end,
		reserved_fields_and_what_follows_are_ignored, padding_and_unknown_options,
		options_over_the_end, fault_leaves_what_came_before,
		first_of_repeated_options_counts, nothing_follows_authorization_data,
		more_options_than_there_is_room_for, longest_message, what_cannot_be_expressed,
		alignment_in_every_neighbourhood, checksum, checksum_of_much, names};

	return RUN("mh, rules", all, NULL, NULL);
}
