/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans of the glue, written out: what is done, in which order. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/plan.h"

static struct ipsec_plan plan;
static char text[16384];

static struct in6_addr addr(const char *s)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, s, &a), 1);
	return a;
}

/* Short names for the addresses of these tests. */
static const char *name(const struct in6_addr *a)
{
	static const char *const names[][2] = {{"::", "any"}, {"2001:db8:1::100", "HoA"},
		{"2001:db8:1::1000", "HA"}, {"2001:db8:a::100", "CoA1"}, {"2001:db8:b::100", "CoA2"},
		{"2001:db8:5::", "net5"}, {"2001:db8:6::", "net6"}, {"fd00::1", "in1"}, {"fd00::2", "in2"},
		{"2001:db8:1::101", "HoA2"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct in6_addr b = addr(names[i][0]);

		if (in6_equal(a, &b))
			return names[i][1];
	}
	return in6_str(a);
}

static size_t add(size_t n, const char *what)
{
	ck_assert_uint_lt(n + strlen(what), sizeof(text));
	strcpy(text + n, what);
	return n + strlen(what);
}

static const char *proto(uint8_t p)
{
	return p == 135 ? "mh" : p == 58 ? "icmp" : p == 50 ? "esp" : p == 60 ? "hao" : p == 43 ? "rt2" : "all";
}

static size_t add_selector(size_t n, enum ipsec_dir dir, const struct ipsec_selector *s)
{
	static const char *const dirs[] = {"in", "out", "fwd"};
	char line[200];

	snprintf(line, sizeof(line), " %s %s>%s %s", dirs[dir], name(&s->src.addr), name(&s->dst.addr),
		proto(s->proto));
	n = add(n, line);
	if (s->type >= 0) {
		snprintf(line, sizeof(line), "/%d", s->type);
		n = add(n, line);
	}
	return n;
}

static size_t add_policy(size_t n, const struct ipsec_policy *p, bool templates)
{
	char line[200];

	n = add_selector(n, p->dir, &p->sel);
	for (size_t i = 0; templates && i < p->n_templates; i++) {
		const struct ipsec_template *t = &p->templates[i];

		if (t->proto == 50)
			snprintf(line, sizeof(line), " [%u %s %s>%s]%s", t->reqid,
				t->mode == IPSEC_TUNNEL ? "tunnel" : "transport", name(&t->src),
				name(&t->dst), t->optional ? "?" : "");
		else
			snprintf(line, sizeof(line), " %s%s", proto(t->proto), t->optional ? "?" : "");
		n = add(n, line);
	}
	return n;
}

static size_t add_op(size_t n, const struct ipsec_op *op)
{
	char line[200] = "";

	n = add(n, ipsec_op_name(op->type));
	switch (op->type) {
	case IPSEC_POLICY_SET:
	case IPSEC_POLICY_DEL:
		return add(add_policy(n, &op->policy, op->type == IPSEC_POLICY_SET), "\n");
	case IPSEC_RO_SET:
	case IPSEC_RO_DEL:
		snprintf(line, sizeof(line), " %s %s>%s", proto(op->ro.proto), name(&op->ro.src),
			name(&op->ro.dst));
		n = add(n, line);
		snprintf(line, sizeof(line), " %s\n", name(&op->ro.care_of));
		return add(n, line);
	case IPSEC_MIGRATE:
		n = add_selector(n, op->migrate.dir, &op->migrate.sel);
		snprintf(line, sizeof(line), " %u %s>%s", op->migrate.reqid, name(&op->migrate.old_src),
			name(&op->migrate.old_dst));
		n = add(n, line);
		snprintf(line, sizeof(line), " -> %s>%s%s\n", name(&op->migrate.new_src),
			name(&op->migrate.new_dst), op->migrate.tell ? " tell" : "");
		return add(n, line);
	case IPSEC_SA_STOP:
	case IPSEC_SA_SKIP:
		snprintf(line, sizeof(line), " %u %s\n", op->sa.spi, name(&op->sa.dst));
		return add(n, line);
	case IPSEC_PAUSE:
	case IPSEC_RESUME:
		snprintf(line, sizeof(line), " %s\n", name(&op->pause));
		return add(n, line);
	case IPSEC_SA_ADD:
	case IPSEC_SA_DEL:
	case IPSEC_SA_LIMITS:
		break;
	}
	return add(n, "\n");
}

static void expect(const char *wanted)
{
	size_t n = 0;

	text[0] = '\0';
	ck_assert(!plan.no_memory);
	for (size_t i = 0; i < plan.n; i++)
		n = add_op(n, &plan.ops[i]);
	ck_assert_str_eq(text, wanted);
	ipsec_plan_free(&plan);
}

static struct ipsec_node mobile_node(void)
{
	return (struct ipsec_node){.home_address = addr("2001:db8:1::100"),
		.home_agent = addr("2001:db8:1::1000"),
		.reqid = {1, 2},
		.spi_out = 4711};
}

static struct ipsec_node home_agent(void)
{
	struct ipsec_node n = mobile_node();

	n.at_home_agent = true;
	return n;
}

static struct in6_addr coa1, coa2;

static void now_at(struct ipsec_node *n, const struct in6_addr *care_of)
{
	n->bound = n->was_bound = true;
	n->care_of = *care_of;
}

/* RFC 4877 4.2: signalling in transport mode, between home address and home agent */
START_TEST(signalling)
{
	struct ipsec_node n = mobile_node();

	ipsec_plan_install(&n, &plan);
	expect("policy-set in HA>HoA icmp/135\n"
	       "policy-set in HA>HoA icmp/136\n"
	       "policy-set in HA>HoA mh [1 transport HA>HoA] rt2?\n"
	       "policy-set in HA>HoA icmp [1 transport HA>HoA] rt2?\n"
	       "policy-set out HoA>HA icmp/135\n"
	       "policy-set out HoA>HA icmp/136\n"
	       "policy-set out HoA>HA mh [1 transport HoA>HA] hao?\n"
	       "policy-set out HoA>HA icmp [1 transport HoA>HA] hao?\n");
	n = home_agent();
	ipsec_plan_install(&n, &plan);
	expect("policy-set in HoA>HA icmp/135\n"
	       "policy-set in HoA>HA icmp/136\n"
	       "policy-set in HoA>HA mh [1 transport HoA>HA] hao?\n"
	       "policy-set in HoA>HA icmp [1 transport HoA>HA] hao?\n"
	       "policy-set out HA>HoA icmp/135\n"
	       "policy-set out HA>HoA icmp/136\n"
	       "policy-set out HA>HoA mh [1 transport HA>HoA]\n"
	       "policy-set out HA>HoA icmp [1 transport HA>HoA]\n");
}
END_TEST

/* RFC 4877 4.3: HoTI and HoT in tunnel mode, whose end is the care-of address */
START_TEST(first_binding)
{
	struct ipsec_node n = mobile_node();

	ipsec_plan_bind(&n, &coa1, &plan);
	expect("policy-set out HoA>any mh [2 tunnel CoA1>HA]\n"
	       "policy-set in any>HoA mh hao? [2 tunnel HA>CoA1]? hao? rt2?\n");
	n = home_agent();
	ipsec_plan_bind(&n, &coa1, &plan);
	expect("policy-set out any>HoA mh [2 tunnel HA>CoA1]\n"
	       "policy-set in HoA>any mh [2 tunnel CoA1>HA]\n"
	       "policy-set fwd HoA>any mh [2 tunnel CoA1>HA]\n");
}
END_TEST

START_TEST(first_binding_with_payload)
{
	struct ipsec_node n = mobile_node();

	n.payload = true;
	ipsec_plan_bind(&n, &coa1, &plan);
	expect("policy-set in HoA>HoA all\n"
	       "policy-set out HoA>HoA all\n"
	       "policy-set out HoA>any mh [2 tunnel CoA1>HA]\n"
	       "policy-set in any>HoA mh hao? [2 tunnel HA>CoA1]? hao? rt2?\n"
	       "policy-set out HoA>any all [2 tunnel CoA1>HA]\n"
	       "policy-set in any>HoA all [2 tunnel HA>CoA1]\n");
}
END_TEST

/* What would use the SA waits, the SA is stopped, moved and goes on behind a gap. */
START_TEST(move_by_migrate)
{
	struct ipsec_node n = home_agent();

	now_at(&n, &coa1);
	n.payload = n.ike = true;
	n.spi_signal = 815;
	ipsec_plan_bind(&n, &coa2, &plan);
	expect("pause HoA\n"
	       "sa-stop 4711 CoA1\n"
	       "migrate out any>HoA mh 2 HA>CoA1 -> HA>CoA2\n"
	       "migrate in HoA>any mh 2 CoA1>HA -> CoA2>HA\n"
	       "migrate fwd HoA>any mh 2 CoA1>HA -> CoA2>HA\n"
	       "migrate out any>HoA all 2 HA>CoA1 -> HA>CoA2\n"
	       "migrate in HoA>any all 2 CoA1>HA -> CoA2>HA\n"
	       "migrate fwd HoA>any all 2 CoA1>HA -> CoA2>HA\n"
	       "sa-skip 4711 CoA2\n"
	       "resume HoA\n"
	       "sa-stop 815 HoA\n"
	       "migrate out HA>HoA mh 1 HA>HoA -> HA>HoA tell\n"
	       "sa-skip 815 HoA\n");
}
END_TEST

/* KERNEL.md, E-hub: no SA, no policy. */
START_TEST(move_by_home_address)
{
	struct ipsec_node n = home_agent();

	n.arrangement = IPSEC_BY_HOME_ADDRESS;
	n.payload = true;
	ipsec_plan_bind(&n, &coa1, &plan);
	expect("ro-set rt2 HA>HoA CoA1\n"
	       "policy-set out any>HoA mh [2 tunnel HA>HoA] rt2?\n"
	       "policy-set in HoA>any mh [2 tunnel HoA>HA] hao?\n"
	       "policy-set fwd HoA>any mh [2 tunnel HoA>HA] hao?\n"
	       "policy-set out any>HoA all [2 tunnel HA>HoA] rt2?\n"
	       "policy-set in HoA>any all [2 tunnel HoA>HA] hao?\n"
	       "policy-set fwd HoA>any all [2 tunnel HoA>HA] hao?\n");
	now_at(&n, &coa1);
	ipsec_plan_bind(&n, &coa2, &plan);
	expect("ro-set rt2 HA>HoA CoA2\n");
	n = mobile_node();
	n.arrangement = IPSEC_BY_HOME_ADDRESS;
	now_at(&n, &coa1);
	ipsec_plan_bind(&n, &coa2, &plan);
	ipsec_plan_source(&n, &coa2, &plan);
	expect("ro-set hao HoA>HA CoA2\n");
}
END_TEST

/* What is under way through the tunnel still arrives; nothing is sent by it. */
START_TEST(home_and_away_again)
{
	struct ipsec_node n = mobile_node();

	now_at(&n, &coa1);
	ipsec_plan_unbind(&n, &plan);
	expect("pause HoA\n"
	       "sa-stop 4711 HA\n"
	       "migrate out HoA>any mh 2 CoA1>HA -> HoA>HA\n"
	       "migrate in any>HoA mh 2 HA>CoA1 -> HA>HoA\n"
	       "sa-skip 4711 HA\n"
	       "resume HoA\n"
	       "policy-set in any>HoA mh hao? [2 tunnel HA>HoA]? hao? rt2?\n"
	       "policy-del out HoA>any mh\n");
	n.bound = false;
	n.care_of = n.home_address;
	ipsec_plan_bind(&n, &coa2, &plan);
	expect("policy-set out HoA>any mh [2 tunnel HoA>HA]\n"
	       "policy-set in any>HoA mh hao? [2 tunnel HA>HoA]? hao? rt2?\n"
	       "pause HoA\n"
	       "sa-stop 4711 HA\n"
	       "migrate out HoA>any mh 2 HoA>HA -> CoA2>HA\n"
	       "migrate in any>HoA mh 2 HA>HoA -> HA>CoA2\n"
	       "sa-skip 4711 HA\n"
	       "resume HoA\n");
}
END_TEST

/* Hosts of a mobile router's network talk to it, and to each other, in clear. */
START_TEST(mobile_router)
{
	struct ipsec_node n = mobile_node();

	n.payload = true;
	n.networks[0] = (struct ip6_prefix){addr("2001:db8:5::"), 48};
	n.n_networks = 1;
	ipsec_plan_bind(&n, &coa1, &plan);
	expect("policy-set in HoA>net5 all\n"
	       "policy-set out HoA>net5 all\n"
	       "policy-set fwd HoA>net5 all\n"
	       "policy-set in HoA>HoA all\n"
	       "policy-set out HoA>HoA all\n"
	       "policy-set fwd HoA>HoA all\n"
	       "policy-set in net5>net5 all\n"
	       "policy-set out net5>net5 all\n"
	       "policy-set fwd net5>net5 all\n"
	       "policy-set in net5>HoA all\n"
	       "policy-set out net5>HoA all\n"
	       "policy-set fwd net5>HoA all\n"
	       "policy-set out HoA>any mh [2 tunnel CoA1>HA]\n"
	       "policy-set in any>HoA mh hao? [2 tunnel HA>CoA1]? hao? rt2?\n"
	       "policy-set out HoA>any all [2 tunnel CoA1>HA]\n"
	       "policy-set in any>HoA all [2 tunnel HA>CoA1]\n"
	       "policy-set out net5>any all [2 tunnel CoA1>HA]\n"
	       "policy-set in any>net5 all [2 tunnel HA>CoA1]\n"
	       "policy-set fwd any>net5 all [2 tunnel HA>CoA1]\n");
	ipsec_plan_common(true, &plan);
	ck_assert_uint_eq(plan.n, 4);
	ipsec_plan_free(&plan);
}
END_TEST

START_TEST(networks)
{
	struct ipsec_node n = home_agent();
	struct ip6_prefix five = {addr("2001:db8:5::"), 48}, six = {addr("2001:db8:6::"), 48};

	now_at(&n, &coa1);
	n.payload = true;
	n.networks[0] = five;
	n.n_networks = 1;
	ipsec_plan_networks(&n, &six, 1, &plan);
	expect("policy-set out any>net6 all [2 tunnel HA>CoA1]\n"
	       "policy-set in net6>any all [2 tunnel CoA1>HA]\n"
	       "policy-set fwd net6>any all [2 tunnel CoA1>HA]\n"
	       "policy-del out any>net5 all\n"
	       "policy-del in net5>any all\n"
	       "policy-del fwd net5>any all\n");
	n.payload = false;
	ipsec_plan_networks(&n, &six, 1, &plan);
	expect("");
}
END_TEST

static bool same_prefix(const struct ip6_prefix *a, const struct ip6_prefix *b)
{
	return a->plen == b->plen && in6_equal(&a->addr, &b->addr);
}

static bool same_selector(const struct ipsec_selector *a, const struct ipsec_selector *b)
{
	return a->proto == b->proto && a->type == b->type && same_prefix(&a->src, &b->src) &&
	       same_prefix(&a->dst, &b->dst);
}

/* What is set is what is wanted and what is removed. */
START_TEST(nothing_is_left)
{
	struct ipsec_node n = home_agent();
	struct ipsec_plan wanted = {0};
	size_t policies = 0;

	n.payload = true;
	n.arrangement = IPSEC_BY_HOME_ADDRESS;
	n.networks[0] = (struct ip6_prefix){addr("2001:db8:5::"), 48};
	n.n_networks = 1;
	now_at(&n, &coa1);
	ipsec_plan_wanted(&n, &wanted);
	ipsec_plan_remove(&n, &plan);
	ck_assert_uint_eq(wanted.n, plan.n);
	for (size_t i = 0; i < wanted.n; i++) {
		const struct ipsec_op *w = &wanted.ops[i];
		bool found = false;

		for (size_t j = 0; j < plan.n; j++) {
			const struct ipsec_op *r = &plan.ops[j];

			if (w->type == IPSEC_POLICY_SET && r->type == IPSEC_POLICY_DEL)
				found |= w->policy.dir == r->policy.dir &&
					 same_selector(&w->policy.sel, &r->policy.sel);
			else if (w->type == IPSEC_RO_SET && r->type == IPSEC_RO_DEL)
				found |= w->ro.proto == r->ro.proto && in6_equal(&w->ro.src, &r->ro.src) &&
					 in6_equal(&w->ro.dst, &r->ro.dst);
		}
		ck_assert(found);
		policies += w->type == IPSEC_POLICY_SET;
	}
	ck_assert_uint_eq(policies, 8 + 9);
	ipsec_plan_free(&wanted);
	ipsec_plan_free(&plan);
}
END_TEST

START_TEST(session)
{
	struct ipsec_session s = {.local = addr("2001:db8:1::100"),
		.peer = addr("2001:db8:1::101"),
		.inner = {.family = AF_INET6,
			.type = -1,
			.src = {addr("fd00::1"), 128},
			.dst = {addr("fd00::2"), 128}},
		.reqid_out = 8};

	ipsec_plan_session_in(&s, &plan);
	ipsec_plan_session_out(&s, &plan);
	expect("policy-set in in2>in1 all [0 tunnel any>any] hao? rt2?\n"
	       "policy-set fwd in2>in1 all [0 tunnel any>any] hao? rt2?\n"
	       "policy-set out in1>in2 all [8 tunnel HoA>HoA2] rt2? hao?\n");
	s.inside = true;
	ipsec_plan_session_in(&s, &plan);
	expect("policy-set in in2>in1 all [0 tunnel any>any]? hao? rt2?\n"
	       "policy-set fwd in2>in1 all [0 tunnel any>any]? hao? rt2?\n");
	ipsec_plan_session_end(&s, true, true, &plan);
	expect("policy-del out in1>in2 all\n"
	       "policy-del in in2>in1 all\n"
	       "policy-del fwd in2>in1 all\n");
}
END_TEST

START_TEST(session_guard)
{
	struct ip6_prefix intranet = {addr("fd00::1"), 128};
	struct ipsec_session_guard g = {.home_address = addr("2001:db8:1::100"),
		.home_agent = addr("2001:db8:1::101"),
		.reqid = 7,
		.n_prefixes = 1,
		.prefixes = &intranet};

	ipsec_plan_session_guard(&g, true, &plan);
	expect("policy-set in in1>HoA all [0 tunnel any>any] hao? rt2?\n"
	       "policy-set out HoA>in1 all [7 tunnel HoA>HoA2] rt2? hao?\n");
	ipsec_plan_session_guard(&g, false, &plan);
	expect("policy-del in in1>HoA all\n"
	       "policy-del out HoA>in1 all\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipsec_plan");
	TCase *t = tcase_create("plan");
	SRunner *r = srunner_create(s);
	int failed;

	inet_pton(AF_INET6, "2001:db8:a::100", &coa1);
	inet_pton(AF_INET6, "2001:db8:b::100", &coa2);
	tcase_add_test(t, signalling);
	tcase_add_test(t, first_binding);
	tcase_add_test(t, first_binding_with_payload);
	tcase_add_test(t, move_by_migrate);
	tcase_add_test(t, move_by_home_address);
	tcase_add_test(t, home_and_away_again);
	tcase_add_test(t, mobile_router);
	tcase_add_test(t, networks);
	tcase_add_test(t, nothing_is_left);
	tcase_add_test(t, session);
	tcase_add_test(t, session_guard);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
