/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/mh.h: the figures of the RFCs, written out by hand, and messages that are damaged. */
#include "tests/unit/mh_world.h"

#define OCTETS(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void assert_builds(const struct mh_message *m, const uint8_t *want, size_t len)
{
	uint8_t out[MH_MAX_LEN];
	size_t got = mh_build(m, out, sizeof(out));

	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(out, want, len);
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

int main(void)
{
	const TTest *const all[] = {figure_brr, figure_hoti, figure_cot, figure_bu,
		figure_ba_with_refresh_advice, figure_be, figure_bu_to_correspondent,
		figure_ha_switch, figure_heartbeat, figure_revocation, figure_network_prefix,
		figure_ipv4_options, figure_ipv4_answers, figure_binding_id,
		figure_vendor_mn_id_cot, round_trip, build_into_too_little,
		every_truncation_is_refused, every_shorter_header_len,
		every_option_length_off_by_one, every_octet_every_value};

	return RUN("mh", all, NULL, NULL);
}
