/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies of a mobile node inside and outside, as the table of doc/vcm.md has them. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/marks.h"
#include "ipsec-glue/plan_vpn.h"

static struct ipsec_vpn vpn;
static struct ipsec_plan plan;
static char text[8192];

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, s, &a), 1);
	return a;
}

static void setup(void)
{
	vpn = (struct ipsec_vpn){.internal = addr("fd00:0:0:1::101"),
		.home = addr("2001:db8:1::101"),
		.gateway = addr("2001:db8:5::1"),
		.has_manager = true,
		.manager = addr("fd00:0:0:2::9"),
		.reqid = 7,
		.manager_reqid = 8,
		.probe_port = 27961,
		.n_prefixes = 1,
		.prefixes = {{.addr = addr("fd00::"), .plen = 32}}};
}

static const char *name(const struct in6_addr *a)
{
	return in6_is_any(a)                         ? "any"
	       : in6_equal(a, &vpn.internal)         ? "IA"
	       : in6_equal(a, &vpn.home)             ? "HoA"
	       : in6_equal(a, &vpn.gateway)          ? "SG"
	       : in6_equal(a, &vpn.manager)          ? "VCM"
	       : in6_equal(a, &vpn.prefixes[0].addr) ? "net"
						     : "?";
}

static void put(const char *what)
{
	ck_assert_uint_lt(strlen(text) + strlen(what), sizeof(text));
	strcat(text, what);
}

static void write_template(const struct ipsec_template *t)
{
	char line[200];

	if (t->mode == IPSEC_RO)
		snprintf(line, sizeof(line), " %s", t->proto == IPPROTO_DSTOPTS ? "hao" : "rt2");
	else
		snprintf(line, sizeof(line), " [%u %s %s>%s]", t->reqid,
			t->mode == IPSEC_TUNNEL ? "tunnel" : "transport", name(&t->src),
			name(&t->dst));
	put(line);
	put(t->optional ? "?" : "");
}

static void expect(const char *want)
{
	static const char *const dirs[] = {"in", "out", "fwd"};

	text[0] = '\0';
	ck_assert(!plan.no_memory);
	for (size_t i = 0; i < plan.n; i++) {
		const struct ipsec_policy *p = &plan.ops[i].policy;
		char line[200];

		snprintf(line, sizeof(line), "%s%s %s/%u>%s/%u %u/%d %u:",
			plan.ops[i].type == IPSEC_POLICY_SET ? "" : "del ", dirs[p->dir],
			name(&p->sel.src.addr), p->sel.src.plen, name(&p->sel.dst.addr),
			p->sel.dst.plen, p->sel.proto, p->sel.type, p->priority);
		put(line);
		ck_assert(!p->block);
		for (size_t t = 0; t < p->n_templates; t++)
			write_template(&p->templates[t]);
		put("\n");
	}
	ck_assert_str_eq(text, want);
	ipsec_plan_free(&plan);
}

#define MANAGER_IN \
	"in VCM/128>IA/128 0/-1 4540: [8 transport VCM>IA] [0 tunnel any>any]? hao? rt2?\n"
#define PROBE "out IA/128>VCM/128 17/27961 4530: [8 transport IA>VCM]\n"
#define DISCOVERY                          \
	"in net/32>IA/128 58/135 4520:\n"  \
	"in net/32>IA/128 58/136 4520:\n"  \
	"out IA/128>net/32 58/135 4520:\n" \
	"out IA/128>net/32 58/136 4520:\n"

START_TEST(outside)
{
	ipsec_plan_vpn(&vpn, true, &plan);
	expect(MANAGER_IN PROBE "out IA/128>VCM/128 0/-1 4540: [8 transport IA>VCM] [7 tunnel "
				"HoA>SG] rt2? hao?\n" DISCOVERY
				"in net/32>IA/128 0/-1 5800: [0 tunnel any>any] hao? rt2?\n"
				"fwd net/32>IA/128 0/-1 5800: [0 tunnel any>any] hao? rt2?\n"
				"out IA/128>net/32 0/-1 5800: [7 tunnel HoA>SG] rt2? hao?\n");
}
END_TEST

START_TEST(inside)
{
	ipsec_plan_vpn(&vpn, false, &plan);
	expect(MANAGER_IN PROBE "out IA/128>VCM/128 0/-1 4540: [8 transport IA>VCM]\n" DISCOVERY
				"in net/32>IA/128 0/-1 5800: [0 tunnel any>any]? hao? rt2?\n"
				"fwd net/32>IA/128 0/-1 5800: [0 tunnel any>any]? hao? rt2?\n"
				"out IA/128>net/32 0/-1 5800:\n");
}
END_TEST

/* The VCM on the gateway: its tunnel carries what is said to it. */
START_TEST(manager_on_the_gateway)
{
	vpn.manager_reqid = 0;
	ipsec_plan_vpn(&vpn, true, &plan);
	expect(DISCOVERY "in net/32>IA/128 0/-1 5800: [0 tunnel any>any] hao? rt2?\n"
			 "fwd net/32>IA/128 0/-1 5800: [0 tunnel any>any] hao? rt2?\n"
			 "out IA/128>net/32 0/-1 5800: [7 tunnel HoA>SG] rt2? hao?\n");
}
END_TEST

/* Embodiment 2: the intranet's policies are the session guard's. */
START_TEST(manager_alone)
{
	vpn.n_prefixes = 0;
	vpn.probe_port = 0;
	ipsec_plan_vpn(&vpn, true, &plan);
	expect(MANAGER_IN
		"in VCM/128>IA/128 58/135 4520:\n"
		"in VCM/128>IA/128 58/136 4520:\n"
		"out IA/128>VCM/128 58/135 4520:\n"
		"out IA/128>VCM/128 58/136 4520:\n"
		"out IA/128>VCM/128 0/-1 4540: [8 transport IA>VCM] [7 tunnel HoA>SG] rt2? hao?\n");
}
END_TEST

/* A direct path's policy, and the guard's, of the same addresses would let it out without its own SA. */
START_TEST(manager_comes_first)
{
	ck_assert_uint_lt(GLUE_PRIO_VPN_MANAGER, GLUE_PRIO_SESSION_GUARD);
	ck_assert_uint_lt(GLUE_PRIO_VPN_MANAGER, GLUE_PRIO_RO);
}
END_TEST

static bool same(const struct ipsec_selector *a, const struct ipsec_selector *b)
{
	return a->proto == b->proto && a->type == b->type && a->src.plen == b->src.plen &&
	       a->dst.plen == b->dst.plen && in6_equal(&a->src.addr, &b->src.addr) &&
	       in6_equal(&a->dst.addr, &b->dst.addr);
}

/* Selectors are the same in both places, so one replaces the other, and the end removes either. */
START_TEST(places_replace_each_other)
{
	struct ipsec_plan other = {0};

	ipsec_plan_vpn(&vpn, false, &plan);
	ipsec_plan_vpn_end(&vpn, &other);
	ck_assert_uint_eq(plan.n, other.n);
	for (size_t i = 0; i < plan.n; i++) {
		ck_assert_int_eq(other.ops[i].type, IPSEC_POLICY_DEL);
		ck_assert_int_eq(plan.ops[i].policy.dir, other.ops[i].policy.dir);
		ck_assert(same(&plan.ops[i].policy.sel, &other.ops[i].policy.sel));
	}
	ipsec_plan_free(&plan);
	ipsec_plan_free(&other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vpn-plan");
	TCase *t = tcase_create("policies");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, outside);
	tcase_add_test(t, inside);
	tcase_add_test(t, manager_on_the_gateway);
	tcase_add_test(t, manager_alone);
	tcase_add_test(t, manager_comes_first);
	tcase_add_test(t, places_replace_each_other);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
