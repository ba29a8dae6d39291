/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/mh.h against the figures of the RFCs, written out by hand, and against
 * everything that can be wrong with a message.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mh.h"
#include "tests/wire/samples.h"

#define OCTETS(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

/*
 * A copy of exactly len octets on the heap, so that the address sanitizer sees
 * a read of the octet behind it.
 */
static enum mh_error parse_exact(const uint8_t *data, size_t len, struct mh_message *m, size_t *off)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum mh_error e;

	if (len)
		memcpy(copy, data, len);
	e = mh_parse(copy, len, m, off);
	/* Touch all that the parsed message points to. */
	if (e == MH_OK)
		ck_assert(mh_same(m, m));
	free(copy);
	return e;
}

static void assert_builds(const struct mh_message *m, const uint8_t *want, size_t len)
{
	uint8_t out[MH_MAX_LEN];
	size_t got = mh_build(m, out, sizeof(out));

	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(out, want, len);
}

static enum mh_error parse_error(const uint8_t *data, size_t len, size_t *off)
{
	struct mh_message m;

	*off = SIZE_MAX;
	return parse_exact(data, len, &m, off);
}

/* ---- figures ---- */

/* RFC 6275 6.1.2: "no padding is necessary and the Header Len field will be set to 0" */
START_TEST(figure_brr)
{
	struct mh_message m = {.type = MH_BRR};

	assert_builds(&m, OCTETS(59, 0, 0, 0, 0, 0, 0, 0));
}
END_TEST

START_TEST(figure_hoti)
{
	struct mh_message m = {.type = MH_HOTI, .u.init.cookie = 0x0102030405060708};

	assert_builds(&m, OCTETS(59, 1, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8));
}
END_TEST

START_TEST(figure_cot)
{
	struct mh_message m = {
		.type = MH_COT, .u.test = {0x2122, 0x0102030405060708, 0x1112131415161718}};

	assert_builds(&m, OCTETS(59, 2, 4, 0, 0, 0, 0x21, 0x22, 1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12,
				  0x13, 0x14, 0x15, 0x16, 0x17, 0x18));
}
END_TEST

/* 6.1.7: "4 octets of padding are necessary and the Header Len field will be set to 1" */
START_TEST(figure_bu)
{
	struct mh_message m = {.type = MH_BU, .u.bu = {0x0a0b, BU_F_A | BU_F_K, 0x0c0d}};

	assert_builds(&m, OCTETS(59, 1, 5, 0, 0, 0, 0x0a, 0x0b, 0x90, 0, 0x0c, 0x0d, 1, 2, 0, 0));
}
END_TEST

START_TEST(figure_ba_with_refresh_advice)
{
	struct mh_message m = {.type = MH_BA, .u.ba = {1, BA_F_K, 0x0a0b, 0x0c0d}};

	mh_option_add(&m, MHOPT_REFRESH_ADVICE)->u.refresh_interval = 0x0102;
	assert_builds(&m, OCTETS(59, 1, 6, 0, 0, 0, 1, 0x80, 0x0a, 0x0b, 0x0c, 0x0d, 2, 2, 1, 2));
}
END_TEST

START_TEST(figure_be)
{
	struct mh_message m = {.type = MH_BE, .u.be.status = 2};

	m.u.be.home_address.s6_addr[0] = 0x20;
	m.u.be.home_address.s6_addr[15] = 0x99;
	assert_builds(&m, OCTETS(59, 2, 7, 0, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				  0, 0, 0x99));
}
END_TEST

/* 6.2.5: 8n + 6; 6.2.6: 2n; 6.2.7: last, 8n + 2, nothing behind it */
START_TEST(figure_bu_to_correspondent)
{
	struct mh_message m = {.type = MH_BU, .u.bu = {1, BU_F_A, 2}};
	static const uint8_t auth[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct mh_option *o;
	static const uint8_t want[] = {59, 6, 5, 0, 0, 0, 0, 1, 0x80, 0, 0, 2, /* fixed part */
		1, 0, /* PadN: 12 to 14 */
		3, 16, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, /* 14 to 32 */
		4, 4, 0, 5, 0, 6, /* 32 to 38 */
		1, 2, 0, 0, /* PadN: 38 to 42 = 8 * 5 + 2 */
		5, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

	o = mh_option_add(&m, MHOPT_AUTH_DATA);
	o->u.auth_data.data = auth;
	o->u.auth_data.len = 12;
	o = mh_option_add(&m, MHOPT_ALT_COA);
	o->u.alt_coa.s6_addr[0] = 0x20;
	o->u.alt_coa.s6_addr[1] = 1;
	o->u.alt_coa.s6_addr[15] = 7;
	o = mh_option_add(&m, MHOPT_NONCE_INDICES);
	o->u.nonce_indices.home = 5;
	o->u.nonce_indices.care_of = 6;
	assert_builds(&m, want, sizeof(want));
	ck_assert_int_eq(mh_parse(want, sizeof(want), &m, NULL), MH_OK);
	ck_assert_uint_eq(mh_option(&m, MHOPT_AUTH_DATA)->u.auth_data.offset, 44);
	ck_assert_ptr_eq(mh_option(&m, MHOPT_AUTH_DATA)->u.auth_data.data, want + 44);
}
END_TEST

START_TEST(figure_ha_switch)
{
	static const uint8_t addrs[32] = {0x20, [15] = 1, [16] = 0x20, [31] = 2};
	struct mh_message m = {.type = MH_HA_SWITCH, .u.ha_switch = {2, addrs}};
	uint8_t want[40] = {59, 4, 12, 0, 0, 0, 2, 0};

	memcpy(want + 8, addrs, sizeof(addrs));
	assert_builds(&m, want, sizeof(want));
}
END_TEST

/* RFC 5847 3.3: U and R are the last bits; 3.4: 4n + 2 */
START_TEST(figure_heartbeat)
{
	struct mh_message m = {.type = MH_HEARTBEAT, .u.heartbeat = {true, true, 0x01020304}};

	mh_option_add(&m, MHOPT_RESTART_COUNTER)->u.restart_counter = 0x05060708;
	assert_builds(&m,
		OCTETS(59, 2, 13, 0, 0, 0, 0, 3, 1, 2, 3, 4, 1, 0, 28, 4, 5, 6, 7, 8, 1, 2, 0, 0));
}
END_TEST

/* RFC 5846 5.1 */
START_TEST(figure_revocation)
{
	struct mh_message m = {.type = MH_REVOCATION,
		.u.revocation = {BR_INDICATION, 128, 0x0102, BR_F_P | BR_F_G}};

	assert_builds(&m, OCTETS(59, 1, 16, 0, 0, 0, 1, 128, 1, 2, 0xa0, 0, 1, 2, 0, 0));
}
END_TEST

/* RFC 3963 4.3: 8n + 4, where the fixed part of a BU ends */
START_TEST(figure_network_prefix)
{
	struct mh_message m = {.type = MH_BU};
	struct mh_option *o = mh_option_add(&m, MHOPT_NETWORK_PREFIX);

	o->u.network_prefix.plen = 64;
	o->u.network_prefix.prefix.s6_addr[0] = 0x20;
	assert_builds(&m, OCTETS(59, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 18, 0, 64, 0x20, 0, 0, 0,
				  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}
END_TEST

/* RFC 5555 3.1.1, 3.1.2: 4n, six bits of prefix length, P */
START_TEST(figure_ipv4_options)
{
	struct mh_message m = {.type = MH_BU};
	struct mh_option *o = mh_option_add(&m, MHOPT_IPV4_HOA);

	o->u.ipv4_hoa.plen = 32;
	o->u.ipv4_hoa.prefix_request = true;
	o->u.ipv4_hoa.addr.s_addr = htonl(0xc0000201);
	mh_option_add(&m, MHOPT_IPV4_COA)->u.ipv4_coa.s_addr = htonl(0xc6336407);
	assert_builds(&m, OCTETS(59, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 29, 6, 0x82, 0, 192, 0, 2, 1,
				  32, 6, 0, 0, 198, 51, 100, 7, 1, 2, 0, 0));
}
END_TEST

/* 3.2.1, 3.2.2 */
START_TEST(figure_ipv4_answers)
{
	struct mh_message m = {.type = MH_BA};
	struct mh_option *o = mh_option_add(&m, MHOPT_IPV4_ACK);

	o->u.ipv4_ack.status = 131;
	o->u.ipv4_ack.plen = 24;
	o->u.ipv4_ack.addr.s_addr = htonl(0xc0000201);
	o = mh_option_add(&m, MHOPT_NAT_DETECTION);
	o->u.nat_detection.force = true;
	o->u.nat_detection.refresh_time = 110;
	assert_builds(&m, OCTETS(59, 3, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 6, 131, 24 << 2, 192, 0,
				  2, 1, 31, 6, 0x80, 0, 0, 0, 0, 110, 1, 2, 0, 0));
}
END_TEST

/* RFC 5648 4.3: 2n without and 8n + 2 with a care-of address; RFC 6089 4.1: BID-PRI */
START_TEST(figure_binding_id)
{
	struct mh_message m = {.type = MH_BU};
	struct mh_option *o = mh_option_add(&m, MHOPT_BINDING_ID);

	o->u.binding_id.bid = 0x0102;
	o->u.binding_id.status = 3;
	o->u.binding_id.simultaneous = true;
	o->u.binding_id.priority = 4;
	o = mh_option_add(&m, MHOPT_BINDING_ID);
	o->u.binding_id.bid = 0x0506;
	o->u.binding_id.coa_len = 4;
	o->u.binding_id.coa.v4.s_addr = htonl(0xc6336407);
	assert_builds(
		&m, OCTETS(59, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 35, 4, 1, 2, 3, 0x84, /* 12 to 18 */
			    35, 8, 5, 6, 0, 0, 198, 51, 100, 7, 1, 2, 0, 0));
}
END_TEST

/* RFC 5094 3: 4n + 2; RFC 4283 3: no alignment; RFC 4866 5.5: a token on its natural boundary */
START_TEST(figure_vendor_mn_id_cot)
{
	struct mh_message m = {.type = MH_BU};
	struct mh_option *o = mh_option_add(&m, MHOPT_MN_ID);

	o->u.mn_id.subtype = 1;
	o->u.mn_id.id = (const uint8_t *)"a@b";
	o->u.mn_id.len = 3;
	o = mh_option_add(&m, MHOPT_VENDOR);
	o->u.vendor.vendor = 0x00010203;
	o->u.vendor.subtype = 9;
	mh_option_add(&m, MHOPT_COT)->u.care_of_keygen_token = 0x0102030405060708;
	assert_builds(&m,
		OCTETS(59, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 4, 1, 'a', '@', 'b', /* 12 to 18 */
			19, 5, 0, 1, 2, 3, 9, /* 18 to 25 */
			1, 3, 0, 0, 0, 16, 8, 1, 2, 3, 4, 5, 6, 7, 8));
}
END_TEST

/* ---- round trip ---- */

static void auth_to_end(struct mh_message *m)
{
	for (size_t i = 0; i + 1 < m->n_options; i++) {
		if (m->options[i].type == MHOPT_AUTH_DATA) {
			struct mh_option auth = m->options[i];

			memmove(&m->options[i], &m->options[i + 1],
				(m->n_options - i - 1) * sizeof(auth));
			m->options[m->n_options - 1] = auth;
			return;
		}
	}
}

START_TEST(round_trip)
{
	uint8_t out[MH_MAX_LEN], again[MH_MAX_LEN];
	struct mh_message m, back;
	const char *name;
	bool seen_type[256] = {false}, seen_option[256] = {false};
	size_t i, len;

	for (i = 0; mh_sample(i, &name, &m); i++) {
		memset(out, 0xee, sizeof(out));
		len = mh_build(&m, out, sizeof(out));
		ck_assert_msg(len >= 8 && len % 8 == 0, "%s: %zu octets", name, len);
		ck_assert_uint_eq(out[0], 59);
		ck_assert_uint_eq((out[1] + 1u) * 8, len);
		ck_assert_msg(parse_exact(out, len, &back, NULL) == MH_OK, "%s", name);
		ck_assert_int_eq(mh_parse(out, len, &back, NULL), MH_OK);
		ck_assert_uint_eq(back.wire_len, len);
		auth_to_end(&m);
		ck_assert_msg(mh_same(&m, &back), "%s: something got lost", name);
		ck_assert_uint_eq(mh_build(&back, again, sizeof(again)), len);
		ck_assert_mem_eq(out, again, len);
		seen_type[m.type] = true;
		for (size_t k = 0; k < m.n_options; k++)
			seen_option[m.options[k].type] = true;
	}
	for (i = 0; i < 256; i++) {
		bool has_name = mh_type_name((uint8_t)i) != NULL;
		bool has_option_name = mh_option_name((uint8_t)i) != NULL;

		ck_assert_msg(seen_type[i] == has_name, "message type %zu has no sample", i);
		ck_assert_msg(i < 2 || seen_option[i] == has_option_name,
			"option type %zu has no sample", i);
	}
}
END_TEST

/* Every capacity short of the length: 0, and nothing written behind the end. */
START_TEST(build_into_too_little)
{
	uint8_t out[MH_MAX_LEN];
	struct mh_message m;
	const char *name;

	for (size_t i = 0; mh_sample(i, &name, &m); i++) {
		size_t len = mh_build(&m, out, sizeof(out));

		for (size_t cap = 0; cap < len; cap++) {
			uint8_t *small = malloc(cap ? cap : 1);

			ck_assert_msg(mh_build(&m, small, cap) == 0, "%s in %zu", name, cap);
			free(small);
		}
	}
}
END_TEST

/* ---- damage ---- */

START_TEST(every_truncation_is_refused)
{
	uint8_t out[MH_MAX_LEN];
	struct mh_message m;
	const char *name;
	size_t off;

	for (size_t i = 0; mh_sample(i, &name, &m); i++) {
		size_t len = mh_build(&m, out, sizeof(out));

		for (size_t cut = 0; cut < len; cut++) {
			ck_assert_msg(
				parse_error(out, cut, &off) == MH_E_SHORT, "%s %zu", name, cut);
			ck_assert_uint_eq(off, cut);
		}
	}
}
END_TEST

/* Cut, and Header Len made to agree: what is left is legal or refused, never overread. */
START_TEST(every_shorter_header_len)
{
	uint8_t out[MH_MAX_LEN];
	struct mh_message m, back;
	const char *name;

	for (size_t i = 0; mh_sample(i, &name, &m); i++) {
		size_t len = mh_build(&m, out, sizeof(out));

		for (size_t units = len / 8; units-- > 1;) {
			out[1] = (uint8_t)(units - 1);
			if (parse_exact(out, units * 8, &back, NULL) == MH_OK)
				ck_assert_uint_eq(back.wire_len, units * 8);
		}
		out[1] = (uint8_t)(len / 8); /* one too many */
		ck_assert_int_eq(parse_exact(out, len, &back, NULL), MH_E_SHORT);
	}
}
END_TEST

struct walk {
	size_t at; /* of an option's type octet */
};

/* The place of each option, found without the codec. */
static size_t find_options(const uint8_t *d, size_t len, size_t fixed, struct walk *out)
{
	size_t n = 0;

	for (size_t p = fixed; p < len;) {
		if (d[p] == MHOPT_PAD1) {
			p++;
			continue;
		}
		out[n++].at = p;
		p += 2u + d[p + 1];
	}
	return n;
}

static size_t fixed_len(const struct mh_message *m)
{
	static const size_t fixed[] = {
		[MH_BRR] = 8,
		[MH_HOTI] = 16,
		[MH_COTI] = 16,
		[MH_HOT] = 24,
		[MH_COT] = 24,
		[MH_BU] = 12,
		[MH_BA] = 12,
		[MH_BE] = 24,
		[MH_HA_SWITCH] = 8,
		[MH_HEARTBEAT] = 12,
		[MH_REVOCATION] = 12,
	};

	if (m->type == MH_EXPERIMENTAL)
		return SIZE_MAX;
	return fixed[m->type] + (m->type == MH_HA_SWITCH ? m->u.ha_switch.count * 16u : 0);
}

static bool exact_length(uint8_t type)
{
	switch (type) {
	case MHOPT_PADN:
	case MHOPT_AUTH_DATA:
	case MHOPT_MN_ID:
	case MHOPT_CGA_PARAM:
	case MHOPT_SIGNATURE:
	case MHOPT_PERM_HOME_TOKEN:
	case MHOPT_VENDOR:
		return false;
	default:
		return true;
	}
}

/*
 * Each Option Length off by one.  Where the section gives an exact length the
 * message is refused and the offset is that of the option, or of one before
 * it (none here); elsewhere it may turn into another legal message.
 */
START_TEST(every_option_length_off_by_one)
{
	uint8_t out[MH_MAX_LEN];
	struct walk w[MH_MAX_LEN];
	struct mh_message m, back;
	const char *name;
	size_t tried = 0;

	for (size_t i = 0; mh_sample(i, &name, &m); i++) {
		size_t len = mh_build(&m, out, sizeof(out));
		size_t n = find_options(out, len, fixed_len(&m), w);

		for (size_t k = 0; k < n; k++) {
			for (int by = -1; by <= 1; by += 2) {
				uint8_t *octet = &out[w[k].at + 1], was = *octet;
				size_t off = SIZE_MAX;
				enum mh_error e;

				*octet = (uint8_t)(was + by);
				e = parse_exact(out, len, &back, &off);
				if (exact_length(out[w[k].at])) {
					ck_assert_msg(e == MH_E_OPTION, "%s: %s %+d: %s", name,
						mh_option_name(out[w[k].at]), by, mh_strerror(e));
					ck_assert_uint_eq(off, w[k].at);
				} else if (e != MH_OK) {
					ck_assert_int_eq(e, MH_E_OPTION);
					ck_assert_uint_ge(off, w[k].at);
				}
				*octet = was;
				tried++;
			}
		}
	}
	ck_assert_uint_gt(tried, 100);
}
END_TEST

/* Every octet of every sample to every value: nothing is read outside. */
START_TEST(every_octet_every_value)
{
	uint8_t out[MH_MAX_LEN];
	struct mh_message m, back;
	const char *name;

	for (size_t i = 0; mh_sample(i, &name, &m); i++) {
		size_t len = mh_build(&m, out, sizeof(out));

		for (size_t k = 0; k < len && k < 128; k++) {
			uint8_t was = out[k];

			for (unsigned v = 0; v < 256; v++) {
				out[k] = (uint8_t)v;
				parse_exact(out, len, &back, NULL);
			}
			out[k] = was;
		}
	}
}
END_TEST

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
	Suite *s = suite_create("mh");
	TCase *figures = tcase_create("figures"), *damage = tcase_create("damage"),
	      *rules = tcase_create("rules");
	SRunner *r;
	int failed;

	tcase_add_test(figures, figure_brr);
	tcase_add_test(figures, figure_hoti);
	tcase_add_test(figures, figure_cot);
	tcase_add_test(figures, figure_bu);
	tcase_add_test(figures, figure_ba_with_refresh_advice);
	tcase_add_test(figures, figure_be);
	tcase_add_test(figures, figure_bu_to_correspondent);
	tcase_add_test(figures, figure_ha_switch);
	tcase_add_test(figures, figure_heartbeat);
	tcase_add_test(figures, figure_revocation);
	tcase_add_test(figures, figure_network_prefix);
	tcase_add_test(figures, figure_ipv4_options);
	tcase_add_test(figures, figure_ipv4_answers);
	tcase_add_test(figures, figure_binding_id);
	tcase_add_test(figures, figure_vendor_mn_id_cot);
	tcase_add_test(figures, round_trip);
	tcase_add_test(damage, build_into_too_little);
	tcase_add_test(damage, every_truncation_is_refused);
	tcase_add_test(damage, every_shorter_header_len);
	tcase_add_test(damage, every_option_length_off_by_one);
	tcase_add_test(damage, every_octet_every_value);
	tcase_set_timeout(damage, 60);
	tcase_add_test(rules, header_checks);
	tcase_add_test(rules, ha_switch_count_beyond_the_end);
	tcase_add_test(rules, reserved_fields_and_what_follows_are_ignored);
	tcase_add_test(rules, padding_and_unknown_options);
	tcase_add_test(rules, options_over_the_end);
	tcase_add_test(rules, fault_leaves_what_came_before);
	tcase_add_test(rules, first_of_repeated_options_counts);
	tcase_add_test(rules, nothing_follows_authorization_data);
	tcase_add_test(rules, more_options_than_there_is_room_for);
	tcase_add_test(rules, longest_message);
	tcase_add_test(rules, what_cannot_be_expressed);
	tcase_add_test(rules, alignment_in_every_neighbourhood);
	tcase_add_test(rules, checksum);
	tcase_add_test(rules, checksum_of_much);
	tcase_add_test(rules, names);
	suite_add_tcase(s, figures);
	suite_add_tcase(s, damage);
	suite_add_tcase(s, rules);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
