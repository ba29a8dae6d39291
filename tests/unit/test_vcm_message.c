/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/message.h: every type with all that it may have, there and back; cut off, damaged, and by hand. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "vcm/message.h"

static struct in6_addr addr(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static void fill(uint8_t *to, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(from + i);
}

static void lists(struct vcm_message *m)
{
	m->n_nodes = 2;
	m->nodes[0] = (struct vcm_node_option){true, addr("fd00::101"), addr("2001:db8:1::101")};
	m->nodes[1] = (struct vcm_node_option){false, addr("fd00::102"), addr("::")};
	m->n_pairs = 2;
	m->pairs[0] =
		(struct vcm_pair_option){addr("fd00::101"), addr("fd00::102"), VCM_SECOND_LEFT};
	m->pairs[1] =
		(struct vcm_pair_option){addr("fd00::101"), addr("fd00::103"), VCM_NEW_SESSION};
	m->n_correspondents = 1;
	m->correspondents[0] =
		(struct vcm_correspondent_option){addr("fd00::101"), addr("fd00:0:0:2::80")};
}

static void offer(struct vcm_message *m, bool asymmetric)
{
	m->has = VCM_HAS_SESSION | VCM_HAS_PEER | VCM_HAS_ALGORITHM | VCM_HAS_SA_IN |
		 VCM_HAS_SA_OUT | VCM_HAS_LIFETIME | VCM_HAS_KCN;
	m->peer_internal = addr("fd00::102");
	m->peer_home = addr("2001:db8:1::102");
	strcpy(m->algorithm, "aes-gcm-256");
	m->in.spi = 0x1001;
	m->out.spi = 0xfffffffe;
	m->lifetime_s = 3600;
	m->linger_s = 30;
	if (asymmetric) {
		m->has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
		fill(m->public_key, sizeof(m->public_key), 7);
		fill(m->salt, sizeof(m->salt), 90);
		return;
	}
	m->in.key_len = m->out.key_len = 36;
	fill(m->in.key, 36, 1);
	fill(m->out.key, 36, 101);
	m->kcn.kcn_len = 20;
	m->kcn.home_nonce_len = m->kcn.care_of_nonce_len = 8;
	fill(m->kcn.kcn, 20, 0x40);
	fill(m->kcn.home_nonce, 8, 0x60);
	fill(m->kcn.care_of_nonce, 8, 0x70);
}

#define SAMPLES (VCM_CLOSE + 2) /* the OFFER of the asymmetric variant is the last one */

/* Number i, from 1 on. */
static struct vcm_message sample(int i)
{
	struct vcm_message m = {.type = (enum vcm_type)i,
		.sequence = 0x01020304,
		.epoch = 0x1112131415161718,
		.peer_epoch = 0x2122232425262728,
		.session = 0x3132333435363738,
		.generation = 3,
		.status = VCM_SPI_TAKEN,
		.reason = VCM_PATH,
		.packets_in = 5,
		.packets_out = UINT64_MAX};

	if (i == SAMPLES - 1)
		m.type = VCM_OFFER;
	fill(m.nonce, sizeof(m.nonce), 200);
	switch (m.type) {
	case VCM_ACK:
		m.has = VCM_HAS_STATUS;
		break;
	case VCM_REPORT:
		lists(&m);
		break;
	case VCM_HELLO:
		break;
	case VCM_PLACE:
		lists(&m);
		m.n_nodes = 1;
		m.n_pairs = m.n_correspondents = 0;
		break;
	case VCM_INVITE:
		offer(&m, false);
		m.has = VCM_HAS_SESSION | VCM_HAS_PEER;
		break;
	case VCM_PUBLIC:
		m.has = VCM_HAS_SESSION | VCM_HAS_PUBLIC;
		break;
	case VCM_OFFER:
		offer(&m, i != VCM_OFFER);
		break;
	case VCM_READY:
	case VCM_PEER_READY:
	case VCM_ACTIVE:
	case VCM_CLOSE:
		m.has = VCM_HAS_SESSION;
		break;
	case VCM_END:
		m.has = VCM_HAS_SESSION | VCM_HAS_REASON;
		break;
	case VCM_DOWN:
		m.has = VCM_HAS_SESSION | VCM_HAS_REASON | VCM_HAS_COUNTERS;
		break;
	case VCM_PROBE:
	case VCM_PROBE_REPLY:
		m.has = VCM_HAS_NONCE;
		break;
	}
	return m;
}

static size_t wire(int i, uint8_t *to)
{
	struct vcm_message m = sample(i);

	return vcm_message_write(&m, to, VCM_MESSAGE_MAX);
}

/* What is read is what was written: the same octets again, and the values that tell. */
START_TEST(there_and_back)
{
	uint8_t one[VCM_MESSAGE_MAX], two[VCM_MESSAGE_MAX];
	struct vcm_message m, want = sample(_i);
	const char *why = "";
	size_t n = wire(_i, one);

	ck_assert_uint_gt(n, VCM_HEADER_LEN - 1);
	ck_assert_int_eq(vcm_message_read(one, n, &m, &why), VCM_READ_OK);
	ck_assert_ptr_null(why);
	ck_assert_uint_eq(vcm_message_write(&m, two, sizeof(two)), n);
	ck_assert_mem_eq(one, two, n);
	ck_assert_int_eq(m.type, want.type);
	ck_assert_uint_eq(m.has, want.has);
	ck_assert_uint_eq(m.sequence, want.sequence);
	ck_assert_uint_eq(m.epoch, want.epoch);
	ck_assert_uint_eq(m.peer_epoch, want.peer_epoch);
	ck_assert_uint_eq(m.n_nodes, want.n_nodes);
	ck_assert_uint_eq(m.n_pairs, want.n_pairs);
	ck_assert_uint_eq(m.n_correspondents, want.n_correspondents);
	ck_assert_mem_eq(m.nodes, want.nodes, m.n_nodes * sizeof(m.nodes[0]));
	ck_assert_mem_eq(m.pairs, want.pairs, m.n_pairs * sizeof(m.pairs[0]));
	if (m.type == VCM_OFFER) {
		ck_assert_uint_eq(m.in.spi, want.in.spi);
		ck_assert_uint_eq(m.out.spi, want.out.spi);
		ck_assert_mem_eq(m.in.key, want.in.key, sizeof(m.in.key));
		ck_assert_mem_eq(m.out.key, want.out.key, sizeof(m.out.key));
		ck_assert_mem_eq(&m.kcn, &want.kcn, sizeof(m.kcn));
		ck_assert_str_eq(m.algorithm, want.algorithm);
		ck_assert_uint_eq(m.lifetime_s, 3600);
		ck_assert_uint_eq(m.linger_s, 30);
	}
	if (m.has & VCM_HAS_SESSION)
		ck_assert_uint_eq(m.session, want.session);
	if (m.has & VCM_HAS_COUNTERS)
		ck_assert_uint_eq(m.packets_out, UINT64_MAX);
}
END_TEST

/* Cut off anywhere, or with an octet more, it is nothing, with and without a length that says so. */
START_TEST(cut_off)
{
	uint8_t whole[VCM_MESSAGE_MAX + 1];
	struct vcm_message m;
	const char *why;
	size_t n = wire(_i, whole);

	for (size_t k = 0; k < n; k++) {
		uint8_t *exact = malloc(k ? k : 1);

		memcpy(exact, whole, k);
		ck_assert_int_eq(vcm_message_read(exact, k, &m, &why), VCM_READ_MALFORMED);
		ck_assert_ptr_nonnull(why);
		if (k >= VCM_HEADER_LEN) {
			exact[2] = (uint8_t)(k >> 8);
			exact[3] = (uint8_t)k;
			/* At the end of an option nothing is cut, but then something is missing, or was optional. */
			if (vcm_message_read(exact, k, &m, &why) == VCM_READ_OK)
				ck_assert_uint_gt(vcm_message_write(&m, exact, k), 0);
		}
		free(exact);
	}
	whole[n] = 2;
	whole[2] = (uint8_t)((n + 1) >> 8);
	whole[3] = (uint8_t)(n + 1);
	ck_assert_int_eq(vcm_message_read(whole, n + 1, &m, &why), VCM_READ_MALFORMED);
}
END_TEST

/* Each option with each other length. */
START_TEST(other_lengths)
{
	static const struct {
		uint8_t type, min, max;
	} options[] = {{2, 1, 1}, {3, 34, 34}, {4, 34, 34}, {5, 32, 32}, {6, 12, 12}, {7, 32, 32},
		{8, 1, 31}, {9, 5, 137}, {10, 8, 8}, {12, 32, 32}, {13, 32, 32}, {14, 1, 1},
		{15, 16, 16}, {16, 16, 16}};
	uint8_t b[VCM_HEADER_LEN + 2 + 255];
	struct vcm_message m;
	const char *why;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		for (unsigned len = 0; len <= 255; len++) {
			size_t n = VCM_HEADER_LEN + 2 + len;
			bool good = len >= options[i].min && len <= options[i].max;

			memset(b, options[i].type == 8 ? 'a' : 1, sizeof(b));
			b[0] = VCM_VERSION;
			b[1] = VCM_READY;
			b[2] = (uint8_t)(n >> 8);
			b[3] = (uint8_t)n;
			b[VCM_HEADER_LEN] = options[i].type;
			b[VCM_HEADER_LEN + 1] = (uint8_t)len;
			ck_assert_msg(
				(vcm_message_read(b, n, &m, &why) != VCM_READ_MALFORMED) == good,
				"option %u of %u octets", options[i].type, len);
		}
	}
}
END_TEST

static enum vcm_read with(const uint8_t *option, size_t len)
{
	uint8_t b[VCM_MESSAGE_MAX];
	struct vcm_message m;
	const char *why;
	size_t n = wire(VCM_READY, b);

	memcpy(b + n, option, len);
	n += len;
	b[2] = (uint8_t)(n >> 8);
	b[3] = (uint8_t)n;
	return vcm_message_read(b, n, &m, &why);
}

START_TEST(unknown_options)
{
	ck_assert_int_eq(with((const uint8_t[]){127, 2, 1, 2}, 4), VCM_READ_OK);
	ck_assert_int_eq(with((const uint8_t[]){0, 0, 1, 3, 9, 9, 9}, 7), VCM_READ_OK);
	ck_assert_int_eq(with((const uint8_t[]){128, 0}, 2), VCM_READ_UNSUPPORTED);
	ck_assert_int_eq(with((const uint8_t[]){255, 1, 0}, 3), VCM_READ_UNSUPPORTED);
	/* What follows is looked at all the same. */
	ck_assert_int_eq(with((const uint8_t[]){128, 0, 2, 9}, 4), VCM_READ_MALFORMED);
	/* It has a session already. */
	ck_assert_int_eq(with((const uint8_t[14]){6, 12}, 14), VCM_READ_MALFORMED);
	/* It has no business there. */
	ck_assert_int_eq(with((const uint8_t[]){14, 1, 0}, 3), VCM_READ_INCOMPLETE);
}
END_TEST

START_TEST(headers)
{
	uint8_t b[VCM_MESSAGE_MAX];
	struct vcm_message m;
	const char *why;
	size_t n = wire(VCM_READY, b);

	b[0] = 2;
	ck_assert_int_eq(vcm_message_read(b, n, &m, &why), VCM_READ_VERSION);
	b[0] = VCM_VERSION;
	b[1] = 0;
	ck_assert_int_eq(vcm_message_read(b, n, &m, &why), VCM_READ_MALFORMED);
	b[1] = 200;
	ck_assert_int_eq(vcm_message_read(b, n, &m, &why), VCM_READ_UNSUPPORTED);
	ck_assert_uint_eq(m.sequence, 0x01020304); /* so that it can be answered */
	b[1] = VCM_OFFER;
	ck_assert_int_eq(vcm_message_read(b, n, &m, &why), VCM_READ_INCOMPLETE);
	b[1] = VCM_HELLO;
	ck_assert_int_eq(vcm_message_read(b, n, &m, &why), VCM_READ_INCOMPLETE);
}
END_TEST

/* What must not be sent is not written. */
START_TEST(not_written)
{
	uint8_t b[VCM_MESSAGE_MAX];
	struct vcm_message m = sample(VCM_OFFER);

	m.has &= ~(unsigned)VCM_HAS_LIFETIME;
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_OFFER);
	m.in.key_len = 0;
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_OFFER);
	m.has |= VCM_HAS_PUBLIC;
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_OFFER);
	m.has |= VCM_HAS_PUBLIC | VCM_HAS_SALT; /* keys and what they would be derived from */
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_OFFER);
	m.kcn.kcn_len = 19;
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_OFFER);
	ck_assert_uint_eq(vcm_message_write(&m, b, 100), 0);
	m = sample(VCM_REPORT);
	m.n_nodes = m.n_pairs = m.n_correspondents = 0;
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_REPORT);
	m.n_nodes = m.n_pairs = VCM_MAX_NODES;
	m.n_correspondents = VCM_MAX_CORRESPONDENTS; /* more than fits */
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
	m = sample(VCM_READY);
	m.type = (enum vcm_type)16;
	ck_assert_uint_eq(vcm_message_write(&m, b, sizeof(b)), 0);
}
END_TEST

/* The octets of vcm-protocol(7). */
START_TEST(octets)
{
	static const uint8_t down[] = {1, 12, 0, 59, 1, 2, 3, 4, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
		0x17, 0x18, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 6, 12, 0x31, 0x32, 0x33,
		0x34, 0x35, 0x36, 0x37, 0x38, 0, 0, 0, 3, 14, 1, 3, 16, 16, 0, 0, 0, 0, 0, 0, 0, 5,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t node[] = {3, 34, 0x80, 0, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 1, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
	static const uint8_t sa_in[] = {9, 41, 1, 0, 0, 0x10, 1, 1, 2, 3};
	uint8_t b[VCM_MESSAGE_MAX];

	ck_assert_uint_eq(wire(VCM_DOWN, b), sizeof(down));
	ck_assert_mem_eq(b, down, sizeof(down));
	ck_assert_uint_eq(wire(VCM_PLACE, b), VCM_HEADER_LEN + sizeof(node));
	ck_assert_mem_eq(b + VCM_HEADER_LEN, node, sizeof(node));
	ck_assert_uint_eq(wire(VCM_OFFER, b), 24 + 14 + 34 + 13 + 43 + 43 + 10 + 2 + 39);
	ck_assert_mem_eq(b + 24 + 14 + 34 + 13, sa_in, sizeof(sa_in));
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(vcm_type_name(VCM_PEER_READY), "PEER-READY");
	ck_assert_str_eq(vcm_type_name((enum vcm_type)0), "?");
	ck_assert_str_eq(vcm_type_name((enum vcm_type)16), "?");
	ck_assert_str_eq(vcm_status_name(VCM_NOT_READY), "not-ready");
	ck_assert_str_eq(vcm_status_name(VCM_NOT_OUTSIDE), "not-outside");
	ck_assert_str_eq(vcm_status_name((enum vcm_status)99), "?");
	ck_assert_str_eq(vcm_reason_name(VCM_POLICY), "policy");
	ck_assert_str_eq(vcm_reason_name((enum vcm_reason)99), "?");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vcm message");
	TCase *c = tcase_create("codec");
	SRunner *r;
	int failed;

	tcase_add_loop_test(c, there_and_back, 1, SAMPLES);
	tcase_add_loop_test(c, cut_off, 1, SAMPLES);
	tcase_add_test(c, other_lengths);
	tcase_add_test(c, unknown_options);
	tcase_add_test(c, headers);
	tcase_add_test(c, not_written);
	tcase_add_test(c, octets);
	tcase_add_test(c, names);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
