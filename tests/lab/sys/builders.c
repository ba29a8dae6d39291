/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netlink builders without a kernel: what is built reads back, and a few messages octet by octet. */
#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/ha_hold.h"
#include "mip6d/sys/marks.h"
#include "lib/netlink.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/rtnl.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/xfrm.h"

#define CHECK(x)                                               \
	do {                                                   \
		if (!(x)) {                                    \
			printf("line %d: %s\n", __LINE__, #x); \
			exit(1);                               \
		}                                              \
	} while (0)

static struct in6_addr addr(const char *text)
{
	struct in6_addr a;

	CHECK(inet_pton(AF_INET6, text, &a) == 1);
	return a;
}

static void routes(void)
{
	struct rtnl_route r = {.dst = addr("2001:db8:1::100"),
				  .plen = 128,
				  .ifindex = 7,
				  .encap = true,
				  .encap_src = addr("2001:db8:1::1000"),
				  .encap_dst = addr("2001:db8:a::100")},
			  back;
	struct nl_msg *m = rtnl_route_set(&r);

	CHECK(m && rtnl_route_read(nlmsg_hdr(m), &back));
	CHECK(in6_equal(&back.dst, &r.dst) && back.plen == 128 && back.ifindex == 7 && back.encap);
	CHECK(in6_equal(&back.encap_dst, &r.encap_dst) && in6_equal(&back.encap_src, &r.encap_src));
	CHECK(back.table == RT_TABLE_MAIN && back.metric == SYS_METRIC && back.type == RTN_UNICAST);
	CHECK(nlmsg_hdr(m)->nlmsg_flags == (NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE));
	/* somebody else's route is none of ours */
	((struct rtmsg *)nlmsg_data(nlmsg_hdr(m)))->rtm_protocol = RTPROT_STATIC;
	CHECK(!rtnl_route_read(nlmsg_hdr(m), &back));
	/* cut short */
	nlmsg_hdr(m)->nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)) - 1;
	CHECK(!rtnl_route_read(nlmsg_hdr(m), &back));
	nlmsg_free(m);
}

static void rules_and_addresses(void)
{
	struct rtnl_rule r = {.src = addr("2001:db8::1"),
				 .table = 6275,
				 .priority = 17500,
				 .find_source = true},
			 rb;
	struct rtnl_address a = {.ifindex = 3,
				    .addr = addr("fe80::1"),
				    .plen = 64,
				    .protocol = SYS_PROTOCOL,
				    .flags = IFA_F_OPTIMISTIC | IFA_F_NOPREFIXROUTE,
				    .preferred_s = 10,
				    .valid_s = 20},
			    ab;
	struct nl_msg *m = rtnl_rule_add(&r);

	CHECK(m && rtnl_rule_read(nlmsg_hdr(m), &rb) && in6_equal(&rb.src, &r.src));
	CHECK(rb.table == 6275 && rb.priority == 17500 && rb.find_source);
	nlmsg_free(m);
	m = rtnl_address_set(&a, true);
	CHECK(m && rtnl_address_read(nlmsg_hdr(m), &ab) && in6_equal(&ab.addr, &a.addr));
	CHECK(ab.ifindex == 3 && ab.plen == 64 && ab.flags == a.flags &&
		ab.protocol == SYS_PROTOCOL);
	nlmsg_free(m);
}

static void states(void)
{
	struct xfrm_ro_state s = {.src = addr("2001:db8::1"),
		.dst = addr("2001:db8::2"),
		.care_of = addr("2001:db8::3"),
		.proto = IPPROTO_DSTOPTS};
	struct nl_msg *m = xfrm_state_msg(XFRM_MSG_UPDSA, &s);
	struct xfrm_usersa_info *i = nlmsg_data(nlmsg_hdr(m));
	struct nlattr *coa = nlmsg_find_attr(nlmsg_hdr(m), sizeof(*i), XFRMA_COADDR);
	struct nlattr *mask = nlmsg_find_attr(nlmsg_hdr(m), sizeof(*i), XFRMA_SET_MARK_MASK);

	CHECK(i->mode == XFRM_MODE_ROUTEOPTIMIZATION && i->flags == XFRM_STATE_AF_UNSPEC &&
		i->id.spi == 0);
	CHECK(coa && memcmp(nla_data(coa), &s.care_of, 16) == 0);
	CHECK(mask && nla_get_u32(mask) == GLUE_BUMP);
	nlmsg_free(m);
}

static void elements(void)
{
	static const uint8_t end[] = {12, 0, 1, 0x80, 8, 0, 1, 0, 'k', 'e', 'y', '1'};
	struct nft_change c = {.set = "bindings", .add = true, .key = "key1"};
	struct nl_msg *m = nft_elements_msg(4, &c, 1);
	struct nlmsghdr *h = nlmsg_hdr(m);

	/* the innermost octets: NFTA_SET_ELEM_KEY { NFTA_DATA_VALUE } */
	CHECK(h->nlmsg_len > sizeof(end) &&
		memcmp((char *)h + h->nlmsg_len - sizeof(end), end, sizeof(end)) == 0);
	nlmsg_free(m);
}

static void tunnelled(void)
{
	uint8_t p[200] = {0x60};
	struct in6_addr outer = addr("2001:db8::1"), inner = addr("2001:db8::2"), o, i;

	p[6] = 60; /* destination options, then a first fragment, then IPv6 */
	memcpy(p + 8, &outer, 16);
	p[40] = 44;
	p[48] = 41;
	memcpy(p + 56 + 8, &inner, 16);
	CHECK(ha_hold_addresses(p, 96, &o, &i) && in6_equal(&o, &outer) && in6_equal(&i, &inner));
	for (size_t n = 0; n < 80; n++)
		CHECK(!ha_hold_addresses(p, n, &o, &i));
	p[51] = 8; /* a later fragment: what follows is no header */
	CHECK(!ha_hold_addresses(p, 96, &o, &i));
	p[51] = 0;
	p[41] = 255; /* beyond the end */
	CHECK(!ha_hold_addresses(p, 96, &o, &i));
}

int main(void)
{
	routes();
	rules_and_addresses();
	states();
	elements();
	tunnelled();
	return 0;
}
