/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wanted against what there is: which differences are seen, and in which order they are mended. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/reconcile.h"

static struct ipsec_plan wanted, mend;
static struct ipsec_snapshot there;
static struct ipsec_sa_info sas[8];
static struct ipsec_policy policies[8];
static struct ipsec_ro ros[8];
static char told[4096];

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, s, &a), 1);
	return a;
}

static struct ip6_prefix host(const char *s)
{
	return (struct ip6_prefix){.addr = addr(s), .plen = 128};
}

static void setup(void)
{
	there = (struct ipsec_snapshot){.sas = sas, .policies = policies, .ros = ros};
	told[0] = 0;
}

static void teardown(void)
{
	ipsec_plan_free(&wanted);
	ipsec_plan_free(&mend);
}

static struct ipsec_sa sa(uint32_t spi)
{
	struct ipsec_sa s = {.src = addr("2001:db8:1::100"),
		.dst = addr("2001:db8:1::1000"),
		.spi = spi,
		.reqid = 7,
		.mode = IPSEC_TRANSPORT,
		.algorithm = ipsec_algorithm_find("aes-gcm-128"),
		.replay_window = 4096};

	return s;
}

static struct ipsec_policy policy(const char *dst, uint32_t priority, bool protects)
{
	struct ipsec_policy p = {.dir = IPSEC_OUT,
		.priority = priority,
		.sel = {.family = AF_INET6, .proto = 135, .type = -1, .src = host("2001:db8:1::100")}};

	p.sel.dst = host(dst);
	if (protects) {
		p.n_templates = 1;
		p.templates[0] = (struct ipsec_template){.proto = IPPROTO_ESP,
			.reqid = 7,
			.src = addr("2001:db8:1::100"),
			.dst = addr("2001:db8:1::1000")};
	}
	return p;
}

static struct ipsec_ro ro(const char *care_of)
{
	return (struct ipsec_ro){.proto = IPPROTO_DSTOPTS,
		.src = addr("2001:db8:1::100"),
		.dst = addr("2001:db8:1::1000"),
		.care_of = addr(care_of)};
}

static void want_sa(struct ipsec_sa s)
{
	ipsec_plan_add(&wanted, IPSEC_SA_ADD)->sa = s;
}

static void want_policy(struct ipsec_policy p)
{
	ipsec_plan_add(&wanted, IPSEC_POLICY_SET)->policy = p;
}

static bool all(void *ctx, const struct ipsec_op *surplus)
{
	return ctx == NULL && (surplus->type != IPSEC_POLICY_DEL ||
				      ipsec_priority_of_nodes(surplus->policy.priority));
}

static void tell(void *ctx, enum ipsec_difference d, const struct ipsec_op *op)
{
	static const char *const names[] = {"missing", "different", "surplus"};
	size_t n = strlen(told);

	(void)ctx;
	snprintf(told + n, sizeof(told) - n, "%s %s\n", names[d], ipsec_op_name(op->type));
}

static int compare(void)
{
	return ipsec_reconcile(&wanted, &there, all, NULL, &mend, tell, NULL);
}

/* The operations of mend, by their names. */
static const char *order(void)
{
	static char text[512];

	text[0] = 0;
	for (size_t i = 0; i < mend.n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, ipsec_op_name(mend.ops[i].type));
	}
	return text;
}

START_TEST(nothing_differs)
{
	want_sa(sa(1));
	want_policy(policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_MH, true));
	ipsec_plan_add(&wanted, IPSEC_RO_SET)->ro = ro("2001:db8:a::100");
	sas[0].sa = sa(1);
	sas[0].sa.sent = 77; /* counters are no difference */
	policies[0] = policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_MH, true);
	ros[0] = ro("2001:db8:a::100");
	there.n_sas = there.n_policies = there.n_ros = 1;
	ck_assert_int_eq(compare(), 0);
	ck_assert_uint_eq(mend.n, 0);
	there.n_sas = there.n_policies = there.n_ros = 0;
	ipsec_plan_free(&wanted);
	ck_assert_int_eq(compare(), 0);
}
END_TEST

/* Every field that matters. */
START_TEST(each_difference_is_seen)
{
	for (int i = 0; i < 13; i++) {
		struct ipsec_policy *p = &policies[0];
		struct ipsec_sa *s = &sas[0].sa;

		teardown();
		want_sa(sa(1));
		want_policy(policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_MH, true));
		*s = sa(1);
		*p = policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_MH, true);
		there.n_sas = there.n_policies = 1;
		if (i == 0)
			p->priority++;
		else if (i == 1)
			p->block = true;
		else if (i == 2)
			p->n_templates = 0;
		else if (i == 3)
			p->templates[0].reqid++;
		else if (i == 4)
			p->templates[0].src = addr("2001:db8:a::1");
		else if (i == 5)
			p->templates[0].dst = addr("2001:db8:a::1");
		else if (i == 6)
			p->templates[0].optional = true;
		else if (i == 7)
			p->templates[0].mode = IPSEC_TUNNEL;
		else if (i == 8)
			s->src = addr("2001:db8:a::1");
		else if (i == 9)
			s->reqid++;
		else if (i == 10)
			s->algorithm = ipsec_algorithm_find("aes-gcm-256");
		else if (i == 11)
			s->replay_window = 64;
		else
			s->esn = true;
		ck_assert_msg(compare() == 1, "difference %d is not seen", i);
		ck_assert_str_eq(order(), i < 8 ? "policy-set" : "sa-del sa-add");
	}
}
END_TEST

START_TEST(order_opens_nothing)
{
	want_policy(policy("2001:db8:1::7", GLUE_PRIO_OPEN, false));
	want_policy(policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_MH, true));
	ipsec_plan_add(&wanted, IPSEC_RO_SET)->ro = ro("2001:db8:a::100");
	want_sa(sa(1));
	sas[0].sa = sa(2);
	policies[0] = policy("2001:db8:1::2000", GLUE_PRIO_DATA, true);
	policies[1] = policy("2001:db8:1::2001", GLUE_PRIO_OPEN, false);
	ros[0] = ro("2001:db8:a::100");
	ros[0].dst = addr("2001:db8:1::2000");
	there.n_sas = there.n_ros = 1;
	there.n_policies = 2;
	ck_assert_int_eq(compare(), 8);
	ck_assert_str_eq(order(), "sa-add ro-set policy-set policy-set policy-del policy-del ro-del sa-del");
	ck_assert_uint_eq(mend.ops[2].policy.n_templates, 1);
	ck_assert_uint_eq(mend.ops[3].policy.n_templates, 0);
	ck_assert_uint_eq(mend.ops[4].policy.n_templates, 0);
	ck_assert_uint_eq(mend.ops[5].policy.n_templates, 1);
	ck_assert_uint_eq(mend.ops[7].sa.spi, 2);
	ck_assert_str_eq(told, "missing sa-add\nmissing ro-set\nmissing policy-set\nmissing policy-set\n"
			       "surplus policy-del\nsurplus policy-del\nsurplus ro-del\nsurplus sa-del\n");
}
END_TEST

/* Others' policies, and what nobody owns. */
START_TEST(only_ours_is_surplus)
{
	static const uint32_t others[] = {0, 1, 10, 100, 1000, 4000, 5000, 371327};

	for (size_t i = 0; i < 8; i++)
		policies[i] = policy("2001:db8:1::2000", others[i], true);
	for (size_t i = 0; i < 8; i++)
		policies[i].sel.type = (int16_t)i;
	there.n_policies = 8;
	ck_assert_int_eq(compare(), 0);
	policies[0].priority = GLUE_PRIO_DATA;
	ck_assert_int_eq(ipsec_reconcile(&wanted, &there, all, &there, &mend, NULL, NULL), 0);
	ck_assert_int_eq(ipsec_reconcile(&wanted, &there, NULL, NULL, &mend, NULL, NULL), 0);
	ck_assert_int_eq(compare(), 1);
}
END_TEST

/* Same key, same numbers would be fatal: the new SA sends on behind the old one. */
START_TEST(numbers_go_on)
{
	struct ipsec_sa s = sa(1);

	s.sent = 100;
	want_sa(s);
	sas[0].sa = sa(1);
	sas[0].sa.sent = 5000;
	sas[0].sa.received = 70;
	sas[0].sa.reqid = 8;
	there.n_sas = 1;
	ck_assert_int_eq(compare(), 1);
	ck_assert_str_eq(order(), "sa-del sa-add");
	ck_assert_uint_eq(mend.ops[1].sa.sent, 5000 + IPSEC_SEQUENCE_GAP);
	ck_assert_uint_eq(mend.ops[1].sa.received, 70);
	sas[0].sa.sent = 3;
	ipsec_plan_free(&mend);
	wanted.ops[0].sa.sent = 1 << 20;
	ck_assert_int_eq(compare(), 1);
	ck_assert_uint_eq(mend.ops[1].sa.sent, 1 << 20);
}
END_TEST

/* Two nodes may want the same policy. */
START_TEST(the_last_one_counts)
{
	want_policy(policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_MH, true));
	want_policy(policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_ICMP, true));
	policies[0] = policy("2001:db8:1::1000", GLUE_PRIO_SIGNAL_ICMP, true);
	policies[1] = policies[0];
	there.n_policies = 2;
	ck_assert_int_eq(compare(), 0);
	there.n_policies = 0;
	ck_assert_int_eq(compare(), 1);
	ck_assert_uint_eq(mend.ops[0].policy.priority, GLUE_PRIO_SIGNAL_ICMP);
}
END_TEST

/* Many objects, each of them different, in no more than linear time: a test that is quadratic here takes minutes. */
START_TEST(many)
{
	const size_t n = 200000;
	struct ipsec_policy *list = calloc(n, sizeof(*list));

	ck_assert_ptr_nonnull(list);
	there.policies = list;
	there.n_policies = n;
	for (size_t i = 0; i < n; i++) {
		list[i] = policy("2001:db8:1::1000", GLUE_PRIO_DATA, true);
		memcpy(&list[i].sel.dst.addr.s6_addr[8], &i, sizeof(i));
		if (i % 2)
			want_policy(list[i]);
	}
	ck_assert_int_eq(compare(), (int)(n / 2));
	ck_assert_uint_eq(mend.n, n / 2);
	free(list);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipsec_reconcile");
	TCase *c = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, nothing_differs);
	tcase_add_test(c, each_difference_is_seen);
	tcase_add_test(c, order_opens_nothing);
	tcase_add_test(c, only_ours_is_surplus);
	tcase_add_test(c, numbers_go_on);
	tcase_add_test(c, the_last_one_counts);
	tcase_add_test(c, many);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
