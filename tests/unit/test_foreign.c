/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which policies and SAs are a tunnel of another daemon; messages as the kernel writes them. */
#include <arpa/inet.h>
#include <check.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/foreign.h"
#include "lib/netlink.h"

#define INNER "2001:db8:1::100"
#define CARE_OF "2001:db8:a::1"
#define GATEWAY "2001:db8:1::1000"

static xfrm_address_t xaddr(const char *text)
{
	xfrm_address_t a;

	memset(&a, 0, sizeof(a));
	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static void ck_is(const struct in6_addr *a, const char *text)
{
	char have[INET6_ADDRSTRLEN];

	ck_assert_str_eq(inet_ntop(AF_INET6, a, have, sizeof(have)), text);
}

static struct xfrm_userpolicy_info info_of_charon(void)
{
	return (struct xfrm_userpolicy_info){
		.sel = {.saddr = xaddr(INNER), .family = AF_INET6, .prefixlen_s = 128},
		.priority = 334463,
		.dir = XFRM_POLICY_OUT};
}

static struct xfrm_user_tmpl template_of_charon(void)
{
	return (struct xfrm_user_tmpl){.id = {.daddr = xaddr(GATEWAY), .proto = IPPROTO_ESP},
		.family = AF_INET6,
		.saddr = xaddr(CARE_OF),
		.reqid = 1,
		.mode = XFRM_MODE_TUNNEL};
}

static struct nl_msg *policy(
	const struct xfrm_userpolicy_info *p, const struct xfrm_user_tmpl *t, size_t n)
{
	struct nl_msg *m = nlreq_msg(XFRM_MSG_NEWPOLICY, 0, p, sizeof(*p));

	ck_assert(m != NULL);
	if (n)
		ck_assert_int_eq(nla_put(m, XFRMA_TMPL, (int)(n * sizeof(*t)), t), 0);
	return m;
}

static bool reads(struct nl_msg *m, struct foreign_tunnel *t)
{
	bool is = foreign_policy_read(nlmsg_hdr(m), t);

	nlmsg_free(m);
	return is;
}

START_TEST(policy_of_charon)
{
	struct xfrm_userpolicy_info p = info_of_charon();
	struct xfrm_user_tmpl t = template_of_charon();
	struct foreign_tunnel f;

	ck_assert(reads(policy(&p, &t, 1), &f));
	ck_is(&f.inner, INNER);
	ck_is(&f.local, CARE_OF);
	ck_is(&f.remote, GATEWAY);
	ck_assert_uint_eq(f.reqid, 1);
	ck_assert_uint_eq(f.scope, 0);
	p.sel.prefixlen_d = 64;
	ck_assert(reads(policy(&p, &t, 1), &f));
	ck_assert_uint_eq(f.scope, 64);
}
END_TEST

/* Each differs in one thing from what is one. */
START_TEST(policies_that_are_none)
{
	struct xfrm_userpolicy_info p[8];
	struct xfrm_user_tmpl t[8], two[2] = {template_of_charon(), template_of_charon()};
	struct foreign_tunnel f;

	for (int i = 0; i < 8; i++) {
		p[i] = info_of_charon();
		t[i] = template_of_charon();
	}
	p[0].dir = XFRM_POLICY_IN;
	p[1].dir = XFRM_POLICY_FWD;
	p[2].action = XFRM_POLICY_BLOCK;
	p[3].sel.prefixlen_s = 64;
	p[4].sel.proto = 135;
	p[5].sel.family = AF_INET;
	p[6].sel.saddr = xaddr("::");
	p[7].sel.prefixlen_d = 200;
	for (int i = 0; i < 8; i++)
		ck_assert_msg(!reads(policy(&p[i], &t[i], 1), &f), "policy %d", i);
	t[0].mode = XFRM_MODE_TRANSPORT;
	t[1].id.proto = IPPROTO_DSTOPTS;
	t[2].family = AF_INET;
	t[3].optional = 1;
	t[4].saddr = xaddr("::");
	t[5].id.daddr = xaddr("::");
	p[0] = info_of_charon();
	for (int i = 0; i < 6; i++)
		ck_assert_msg(!reads(policy(&p[0], &t[i], 1), &f), "template %d", i);
	ck_assert(!reads(policy(&p[0], two, 2), &f));
	ck_assert(!reads(policy(&p[0], NULL, 0), &f));
}
END_TEST

START_TEST(cut_short)
{
	struct xfrm_userpolicy_info p = info_of_charon();
	struct xfrm_user_tmpl t = template_of_charon();
	struct nl_msg *m = policy(&p, &t, 1);
	uint32_t whole = nlmsg_hdr(m)->nlmsg_len;
	struct foreign_tunnel f;

	for (uint32_t n = NLMSG_HDRLEN; n < whole; n++) {
		struct nlmsghdr *h = malloc(n); /* the sanitizer sees what is read behind it */

		memcpy(h, nlmsg_hdr(m), n);
		h->nlmsg_len = n;
		ck_assert_msg(!foreign_policy_read(h, &f), "%u octets", n);
		free(h);
	}
	nlmsg_free(m);
}
END_TEST

static bool fits(const struct xfrm_usersa_info *s, const struct foreign_tunnel *t)
{
	struct nl_msg *m = nlreq_msg(XFRM_MSG_NEWSA, 0, s, sizeof(*s));
	bool is = foreign_sa_fits(nlmsg_hdr(m), t);

	nlmsg_hdr(m)->nlmsg_len--;
	ck_assert(!foreign_sa_fits(nlmsg_hdr(m), t));
	nlmsg_free(m);
	return is;
}

START_TEST(sa_of_the_policy)
{
	struct xfrm_userpolicy_info p = info_of_charon();
	struct xfrm_user_tmpl tmpl = template_of_charon();
	struct xfrm_usersa_info s = {
		.id = {.daddr = xaddr(GATEWAY), .proto = IPPROTO_ESP, .spi = 7},
		.saddr = xaddr(CARE_OF),
		.reqid = 1,
		.family = AF_INET6,
		.mode = XFRM_MODE_TUNNEL};
	struct xfrm_usersa_info other[6] = {s, s, s, s, s, s};
	struct foreign_tunnel t;

	ck_assert(reads(policy(&p, &tmpl, 1), &t));
	ck_assert(fits(&s, &t));
	other[0].saddr = xaddr("2001:db8:b::1"); /* on its way to another place */
	other[1].id.daddr = xaddr("2001:db8:1::1001");
	other[2].reqid = 2;
	other[3].mode = XFRM_MODE_TRANSPORT;
	other[4].id.proto = IPPROTO_AH;
	other[5].family = AF_INET;
	for (int i = 0; i < 6; i++)
		ck_assert_msg(!fits(&other[i], &t), "SA %d", i);
}
END_TEST

START_TEST(events_that_matter)
{
	static const uint16_t yes[] = {XFRM_MSG_NEWSA, XFRM_MSG_UPDSA, XFRM_MSG_DELSA,
		XFRM_MSG_NEWPOLICY, XFRM_MSG_UPDPOLICY, XFRM_MSG_DELPOLICY, XFRM_MSG_FLUSHSA,
		XFRM_MSG_FLUSHPOLICY, XFRM_MSG_MIGRATE};
	static const uint16_t no[] = {XFRM_MSG_ACQUIRE, XFRM_MSG_EXPIRE, XFRM_MSG_NEWAE};
	struct nlmsghdr h = {.nlmsg_len = sizeof(h)};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		h.nlmsg_type = yes[i];
		ck_assert(foreign_concerns(&h));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		h.nlmsg_type = no[i];
		ck_assert(!foreign_concerns(&h));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("a tunnel of another daemon");
	TCase *tc = tcase_create("messages");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, policy_of_charon);
	tcase_add_test(tc, policies_that_are_none);
	tcase_add_test(tc, cut_short);
	tcase_add_test(tc, sa_of_the_policy);
	tcase_add_test(tc, events_that_matter);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
