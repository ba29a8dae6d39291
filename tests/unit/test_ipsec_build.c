/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is built is what is read: requests have the form of the kernel's answers. */
#include <arpa/inet.h>
#include <check.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/build.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/snapshot.h"
#include "lib/netlink.h"

static struct nl_msg *m;
static struct ipsec_op op;

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, s, &a), 1);
	return a;
}

static void setup(void)
{
	m = NULL;
	op = (struct ipsec_op){0};
}

static void teardown(void)
{
	ipsec_message_free(m);
}

static struct nlmsghdr *built(void)
{
	ipsec_message_free(m);
	m = ipsec_build(&op);
	ck_assert_ptr_nonnull(m);
	return nlmsg_hdr(m);
}

static void fill_sa(const char *algorithm)
{
	op.type = IPSEC_SA_ADD;
	op.sa = (struct ipsec_sa){.src = addr("2001:db8:a::100"),
		.dst = addr("2001:db8:1::1000"),
		.spi = 0x12345678,
		.reqid = 9,
		.mode = IPSEC_TUNNEL,
		.algorithm = ipsec_algorithm_find(algorithm),
		.replay_window = 4096};
	op.sa.key.len = ipsec_algorithm_key_len(op.sa.algorithm);
	memset(op.sa.key.octets, 0xa5, op.sa.key.len);
}

START_TEST(sas)
{
	const struct ipsec_algorithm *a;
	struct ipsec_sa_info info;

	for (size_t i = 0; (a = ipsec_algorithm_at(i)); i++) {
		fill_sa(a->name);
		op.sa.esn = i % 2;
		op.sa.sent = op.sa.esn ? 0x300000005 : 5;
		op.sa.received = 9;
		op.sa.hard_packets = 1000;
		op.sa.soft_s = 60;
		ck_assert(ipsec_sa_read(built(), &info));
		ck_assert(in6_equal(&info.sa.src, &op.sa.src) && in6_equal(&info.sa.dst, &op.sa.dst));
		ck_assert_uint_eq(info.sa.spi, 0x12345678);
		ck_assert_uint_eq(info.sa.reqid, 9);
		ck_assert_int_eq(info.sa.mode, IPSEC_TUNNEL);
		ck_assert_ptr_eq(info.sa.algorithm, a);
		ck_assert_uint_eq(info.sa.sent, op.sa.sent);
		ck_assert_uint_eq(info.sa.received, 9);
		ck_assert_uint_eq(info.sa.replay_window, 4096);
		ck_assert_uint_eq(info.sa.hard_packets, 1000);
		ck_assert_uint_eq(info.sa.soft_packets, 0);
		ck_assert_uint_eq(info.sa.soft_s, 60);
		ck_assert_int_eq(info.sa.esn, op.sa.esn);
		ck_assert_uint_eq(info.sa.key.len, 0);
	}
}
END_TEST

START_TEST(bad_keys)
{
	fill_sa("aes-gcm-128");
	op.sa.key.len--;
	ck_assert_ptr_null(ipsec_build(&op));
	op.sa.key.len++;
	op.sa.algorithm = NULL;
	ck_assert_ptr_null(ipsec_build(&op));
	fill_sa("aes-gcm-128");
	op.sa.replay_window = 4097;
	ck_assert_ptr_null(ipsec_build(&op));
}
END_TEST

START_TEST(policies)
{
	struct ipsec_policy p;

	op.type = IPSEC_POLICY_SET;
	op.policy = (struct ipsec_policy){.dir = IPSEC_FWD,
		.priority = 900,
		.block = true,
		.sel = {.family = AF_INET6,
			.proto = 58,
			.type = 135,
			.src = {addr("2001:db8:1::100"), 128},
			.dst = {addr("2001:db8:2::"), 48}},
		.n_templates = 2,
		.templates = {{.proto = 50,
				      .mode = IPSEC_TUNNEL,
				      .reqid = 9,
				      .src = addr("2001:db8:a::1"),
				      .dst = addr("2001:db8:1::1")},
			{.proto = 60, .mode = IPSEC_RO, .optional = true}}};
	ck_assert(ipsec_policy_read(built(), &p));
	ck_assert_int_eq(memcmp(&p, &op.policy, sizeof(p)), 0);
	op.policy.sel.type = -1;
	op.policy.n_templates = 0;
	op.policy.block = false;
	memset(op.policy.templates, 0, sizeof(op.policy.templates));
	ck_assert(ipsec_policy_read(built(), &p));
	ck_assert_int_eq(memcmp(&p, &op.policy, sizeof(p)), 0);
	op.policy.n_templates = IPSEC_MAX_TEMPLATES + 1;
	ck_assert_ptr_null(ipsec_build(&op));
}
END_TEST

START_TEST(states_of_headers)
{
	struct ipsec_ro ro;

	op.type = IPSEC_RO_SET;
	op.ro = (struct ipsec_ro){.proto = IPPROTO_ROUTING,
		.src = addr("2001:db8:1::1000"),
		.dst = addr("2001:db8:1::100"),
		.care_of = addr("2001:db8:a::100")};
	ck_assert(ipsec_ro_read(built(), &ro));
	ck_assert_int_eq(memcmp(&ro, &op.ro, sizeof(ro)), 0);
	ck_assert_int_eq(nlmsg_hdr(m)->nlmsg_type, XFRM_MSG_UPDSA);
	ipsec_message_free(m);
	op.ro.wildcard = true;
	m = ipsec_build_ro_add(&op.ro);
	ck_assert_int_eq(nlmsg_hdr(m)->nlmsg_type, XFRM_MSG_NEWSA);
	ck_assert(ipsec_ro_read(nlmsg_hdr(m), &ro) && ro.wildcard);
}
END_TEST

static uint64_t sent(void)
{
	struct ipsec_sa_info info;

	ck_assert(ipsec_sa_read(nlmsg_hdr(m), &info));
	return info.sa.sent;
}

/* The numbers of an SA that is stopped and goes on, 32 and 64 bits long. */
START_TEST(sequence_numbers)
{
	static const struct {
		bool esn;
		uint64_t before, behind;
	} cases[] = {{false, 0, 1024}, {false, 0xffffffff - 1024, 0xffffffff}, {false, 0xffffffff - 1023, 0xffffffff},
		{false, 0xffffffff, 0xffffffff}, {true, 0xffffffff, 0x1000003ff}, {true, 0x2fffffc00, 0x300000000},
		{true, UINT64_MAX - 5, UINT64_MAX}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct xfrm_replay_state_esn *used_up;
		struct ipsec_replay r, before;
		struct nl_msg *again;

		fill_sa("aes-gcm-128");
		op.sa.esn = cases[i].esn;
		op.sa.sent = cases[i].before;
		op.sa.received = 3;
		built();
		ck_assert_uint_eq(sent(), cases[i].before);
		ck_assert(ipsec_replay_read(nlmsg_hdr(m), &before));
		r = before;
		ipsec_replay_stop(&r);
		used_up = (const struct xfrm_replay_state_esn *)r.octets;
		ck_assert_uint_eq(used_up->oseq, UINT32_MAX);
		ck_assert_uint_eq(used_up->oseq_hi, cases[i].esn ? UINT32_MAX : 0);
		ck_assert_uint_eq(used_up->seq, 3);
		ipsec_replay_skip(&before);
		again = ipsec_build_replay(&op.sa, &before);
		ck_assert_int_eq(nlmsg_hdr(again)->nlmsg_type, XFRM_MSG_NEWAE);
		ipsec_message_free(again);
		again = ipsec_build_again(nlmsg_hdr(m), false);
		ipsec_message_free(m);
		m = again;
		ck_assert_uint_eq(sent(), cases[i].behind);
	}
}
END_TEST

/* Whoever moves learns nothing of its own deletions. */
START_TEST(events)
{
	struct xfrm_userpolicy_info copy;
	struct ipsec_event e;
	struct nlmsghdr *h;

	fill_sa("aes-gcm-128");
	op.type = IPSEC_SA_DEL;
	h = built();
	h->nlmsg_pid = 4711;
	ck_assert(!ipsec_event_read(h, 4711, &e));
	ck_assert(ipsec_event_read(h, 4712, &e));
	ck_assert_int_eq(e.type, IPSEC_EV_SA_GONE);
	ck_assert_uint_eq(e.spi, 0x12345678);
	op.type = IPSEC_SA_ADD;
	ck_assert(!ipsec_event_read(built(), 1, &e));
	op = (struct ipsec_op){.type = IPSEC_POLICY_DEL,
		.policy = {.dir = IPSEC_OUT, .sel = {.family = AF_INET6, .type = -1}}};
	h = built();
	ck_assert(ipsec_event_read(h, 1, &e));
	ck_assert_int_eq(e.type, IPSEC_EV_POLICY_GONE);
	ck_assert_uint_eq(e.priority, 0); /* the kernel's notification has a copy of the policy behind it */
	copy = (struct xfrm_userpolicy_info){.priority = 5800, .sel = {.family = AF_INET6}};
	ck_assert_int_eq(nla_put(m, XFRMA_POLICY, sizeof(copy), &copy), 0);
	ck_assert(ipsec_event_read(nlmsg_hdr(m), 1, &e));
	ck_assert_uint_eq(e.priority, 5800);
	op = (struct ipsec_op){.type = IPSEC_MIGRATE,
		.migrate = {.sel = {.family = AF_INET6, .type = -1, .src = {addr("2001:db8:1::100"), 128}},
			.dir = IPSEC_OUT,
			.reqid = 9,
			.mode = IPSEC_TUNNEL,
			.new_src = addr("2001:db8:b::100"),
			.new_dst = addr("2001:db8:1::1000")}};
	ck_assert(ipsec_event_read(built(), 1, &e));
	ck_assert_int_eq(e.type, IPSEC_EV_MIGRATE);
	ck_assert(in6_equal(&e.src, &op.migrate.new_src) && in6_equal(&e.dst, &op.migrate.new_dst));
	ck_assert_uint_eq(e.reqid, 9);
}
END_TEST

/* Cut anywhere, an answer is refused or read, never read beyond its end (with the sanitizers). */
START_TEST(cut_short)
{
	struct ipsec_snapshot s = {0};
	struct ipsec_event e;

	for (int type = 0; type < 2; type++) {
		fill_sa("aes-cbc-128-hmac-sha256");
		if (type)
			op = (struct ipsec_op){.type = IPSEC_POLICY_SET, .policy = {.n_templates = 2}};
		built();
		for (uint32_t len = NLMSG_HDRLEN; len < nlmsg_hdr(m)->nlmsg_len; len++) {
			struct nlmsghdr *h = malloc(len);

			memcpy(h, nlmsg_hdr(m), len);
			h->nlmsg_len = len;
			ck_assert_int_eq(ipsec_snapshot_add(&s, h), 0);
			(void)ipsec_event_read(h, 1, &e);
			free(h);
		}
	}
	ipsec_snapshot_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipsec_build");
	TCase *c = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, sas);
	tcase_add_test(c, bad_keys);
	tcase_add_test(c, policies);
	tcase_add_test(c, states_of_headers);
	tcase_add_test(c, sequence_numbers);
	tcase_add_test(c, events);
	tcase_add_test(c, cut_short);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
