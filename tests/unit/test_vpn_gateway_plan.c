/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipsec-glue/plan_vpn_gateway.h */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>

#include "ipsec-glue/marks.h"
#include "ipsec-glue/plan_vpn_gateway.h"

static struct in6_addr a6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static struct ip6_prefix internal[2];
static struct ipsec_vpn_gateway gateway;
static struct ipsec_vpn_node node;
static struct ipsec_plan plan;

static void set_up(void)
{
	ck_assert(ip6_prefix_parse("fd00::/32", &internal[0]));
	ck_assert(ip6_prefix_parse("fd01::/32", &internal[1]));
	gateway = (struct ipsec_vpn_gateway){a6("2001:db8:5::1"), internal, 2};
	node = (struct ipsec_vpn_node){a6("fd00::101"), a6("2001:db8:1::101"), 7};
	plan = (struct ipsec_plan){0};
}

static void tear_down(void)
{
	ipsec_plan_free(&plan);
}

static void assert_policy(size_t i, enum ipsec_op_type type, enum ipsec_dir dir,
	const struct ip6_prefix *src, const struct ip6_prefix *dst)
{
	const struct ipsec_op *op = &plan.ops[i];

	ck_assert_uint_lt(i, plan.n);
	ck_assert_int_eq(op->type, type);
	ck_assert_int_eq(op->policy.dir, dir);
	ck_assert_uint_eq(op->policy.priority, GLUE_PRIO_VPN);
	ck_assert(in6_equal(&op->policy.sel.src.addr, &src->addr));
	ck_assert_uint_eq(op->policy.sel.src.plen, src->plen);
	ck_assert(in6_equal(&op->policy.sel.dst.addr, &dst->addr));
	ck_assert_uint_eq(op->policy.sel.dst.plen, dst->plen);
	ck_assert_int_eq(op->policy.sel.type, -1);
	ck_assert(!op->policy.block);
}

static void assert_templates(const struct ipsec_policy *p, bool optional,
	const struct in6_addr *src, const struct in6_addr *dst, uint8_t second, uint8_t third)
{
	ck_assert_uint_eq(p->n_templates, 3);
	ck_assert_uint_eq(p->templates[0].proto, IPPROTO_ESP);
	ck_assert_int_eq(p->templates[0].mode, IPSEC_TUNNEL);
	ck_assert(p->templates[0].optional == optional);
	ck_assert_uint_eq(p->templates[0].reqid, 7);
	ck_assert(in6_equal(&p->templates[0].src, src));
	ck_assert(in6_equal(&p->templates[0].dst, dst));
	ck_assert_uint_eq(p->templates[1].proto, second);
	ck_assert_uint_eq(p->templates[2].proto, third);
	ck_assert(p->templates[1].optional && p->templates[2].optional);
}

START_TEST(receives_always)
{
	const struct ip6_prefix host = {node.internal, 128};

	ipsec_plan_vpn_receive(&gateway, &node, true, &plan);
	ck_assert_uint_eq(plan.n, 4);
	assert_policy(0, IPSEC_POLICY_SET, IPSEC_IN, &host, &internal[0]);
	assert_policy(1, IPSEC_POLICY_SET, IPSEC_FWD, &host, &internal[0]);
	assert_policy(2, IPSEC_POLICY_SET, IPSEC_IN, &host, &internal[1]);
	assert_policy(3, IPSEC_POLICY_SET, IPSEC_FWD, &host, &internal[1]);
	for (size_t i = 0; i < 4; i++)
		assert_templates(&plan.ops[i].policy, true, &node.home, &gateway.address,
			IPPROTO_DSTOPTS, IPPROTO_ROUTING);
}
END_TEST

/* Never in clear: what is sent has no optional ESP. */
START_TEST(sends_outside)
{
	const struct ip6_prefix host = {node.internal, 128};

	ipsec_plan_vpn_send(&gateway, &node, true, &plan);
	ck_assert_uint_eq(plan.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_policy(i, IPSEC_POLICY_SET, IPSEC_OUT, &internal[i], &host);
		assert_templates(&plan.ops[i].policy, false, &gateway.address, &node.home,
			IPPROTO_ROUTING, IPPROTO_DSTOPTS);
	}
	ipsec_plan_free(&plan);
	ipsec_plan_vpn_send(&gateway, &node, false, &plan);
	ck_assert_uint_eq(plan.n, 2);
	assert_policy(1, IPSEC_POLICY_DEL, IPSEC_OUT, &internal[1], &host);
}
END_TEST

START_TEST(manager)
{
	struct in6_addr own = a6("fd00::1"), them = a6("fd00::9");
	const struct ipsec_policy *p;

	ipsec_plan_vpn_manager(&own, &them, 9, true, &plan);
	ck_assert_uint_eq(plan.n, 2);
	for (size_t i = 0; i < 2; i++) {
		bool out = plan.ops[i].policy.dir == IPSEC_OUT;

		p = &plan.ops[i].policy;
		ck_assert_uint_eq(p->sel.proto, IPPROTO_UDP);
		ck_assert(in6_equal(&p->sel.src.addr, out ? &own : &them));
		ck_assert(in6_equal(&p->sel.dst.addr, out ? &them : &own));
		ck_assert_uint_eq(p->n_templates, 1);
		ck_assert_int_eq(p->templates[0].mode, IPSEC_TRANSPORT);
		ck_assert(!p->templates[0].optional);
		ck_assert_uint_eq(p->templates[0].reqid, 9);
		ck_assert(in6_equal(&p->templates[0].src, out ? &own : &them));
	}
	ck_assert_int_ne(plan.ops[0].policy.dir, plan.ops[1].policy.dir);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vpn_gateway_plan");
	TCase *c = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, receives_always);
	tcase_add_test(c, sends_outside);
	tcase_add_test(c, manager);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
