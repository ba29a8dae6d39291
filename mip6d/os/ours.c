/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was found is deleted by sending the kernel's own description of it back. */
#include "mip6d/os/ours.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/os/netlink.h"
#include "mip6d/os/rtnl.h"

struct found {
	struct nlmsghdr *h;
	struct found *next;
};

struct search {
	struct found *list;
	bool (*keep)(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex);
	void *arg;
	const struct in6_addr *except;
};

static int remember(struct search *s, const struct nlmsghdr *h)
{
	struct found *f = malloc(sizeof(*f) + h->nlmsg_len);

	if (!f)
		return -ENOMEM;
	f->h = (struct nlmsghdr *)(void *)(f + 1);
	memcpy(f->h, h, h->nlmsg_len);
	f->next = s->list;
	s->list = f;
	return 0;
}

static int delete_all(struct nlreq *r, struct search *s, int type, size_t header)
{
	int err = 0;

	while (s->list) {
		struct found *f = s->list;
		struct nl_msg *m = nlreq_msg(type, 0, nlmsg_data(f->h), header);
		int e;

		if (m && nlmsg_append(m, (char *)nlmsg_data(f->h) + NLMSG_ALIGN(header),
				 f->h->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(header), NLMSG_ALIGNTO) < 0) {
			nlmsg_free(m);
			m = NULL;
		}
		e = nlreq_do(r, m);
		if (e && e != -ESRCH && e != -ENOENT && e != -EADDRNOTAVAIL)
			err = e;
		s->list = f->next;
		free(f);
	}
	return err;
}

static int rule(struct nlmsghdr *h, void *arg)
{
	struct nlattr *a = nlmsg_find_attr(h, sizeof(struct fib_rule_hdr), FRA_PROTOCOL);

	return a && nla_get_u8(a) == RTNL_PROTO ? remember(arg, h) : 0;
}

int ours_flush_rules(struct nlreq *r)
{
	struct fib_rule_hdr h = {.family = AF_INET6};
	struct search s = {0};
	int err = nlreq_dump(r, nlreq_msg(RTM_GETRULE, NLM_F_DUMP, &h, sizeof(h)), rule, &s);

	return delete_all(r, &s, RTM_DELRULE, sizeof(h)) || err ? -EIO : 0;
}

static int route(struct nlmsghdr *h, void *arg)
{
	struct search *s = arg;
	struct rtmsg *t = nlmsg_data(h);
	struct nlattr *dst = nlmsg_find_attr(h, sizeof(*t), RTA_DST), *oif = nlmsg_find_attr(h, sizeof(*t), RTA_OIF);
	struct in6_addr a = in6addr_any;

	if (t->rtm_protocol != RTNL_PROTO)
		return 0;
	if (dst && nla_len(dst) == 16)
		memcpy(&a, nla_data(dst), 16);
	if (s->keep && s->keep(s->arg, &a, t->rtm_dst_len, oif ? (int)nla_get_u32(oif) : 0))
		return 0;
	return remember(s, h);
}

int ours_flush_routes(struct nlreq *r, bool (*keep)(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex),
	void *arg)
{
	struct rtmsg h = {.rtm_family = AF_INET6};
	struct search s = {.keep = keep, .arg = arg};
	int err = nlreq_dump(r, nlreq_msg(RTM_GETROUTE, NLM_F_DUMP, &h, sizeof(h)), route, &s);

	return delete_all(r, &s, RTM_DELROUTE, sizeof(h)) || err ? -EIO : 0;
}

static int address(struct nlmsghdr *h, void *arg)
{
	struct search *s = arg;
	struct nlattr *proto = nlmsg_find_attr(h, sizeof(struct ifaddrmsg), IFA_PROTO);
	struct nlattr *a = nlmsg_find_attr(h, sizeof(struct ifaddrmsg), IFA_ADDRESS);

	if (!proto || nla_get_u8(proto) != RTNL_PROTO || !a || nla_len(a) != 16)
		return 0;
	if (s->except && memcmp(nla_data(a), s->except, 16) == 0)
		return 0;
	return remember(s, h);
}

int ours_flush_addresses(struct nlreq *r, const struct in6_addr *except)
{
	struct ifaddrmsg h = {.ifa_family = AF_INET6};
	struct search s = {.except = except};
	int err = nlreq_dump(r, nlreq_msg(RTM_GETADDR, NLM_F_DUMP, &h, sizeof(h)), address, &s);

	return delete_all(r, &s, RTM_DELADDR, sizeof(h)) || err ? -EIO : 0;
}

static int proxy(struct nlmsghdr *h, void *arg)
{
	struct search *s = arg;
	struct ndmsg *n = nlmsg_data(h);
	struct nlattr *proto = nlmsg_find_attr(h, sizeof(*n), NDA_PROTOCOL), *dst = nlmsg_find_attr(h, sizeof(*n), NDA_DST);
	struct in6_addr a;

	if (!(n->ndm_flags & NTF_PROXY) || !proto || nla_get_u8(proto) != RTNL_PROTO || !dst || nla_len(dst) != 16)
		return 0;
	memcpy(&a, nla_data(dst), 16);
	return s->keep && s->keep(s->arg, &a, 128, n->ndm_ifindex) ? 0 : remember(s, h);
}

int ours_flush_proxies(struct nlreq *r, bool (*keep)(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex),
	void *arg)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_flags = NTF_PROXY};
	struct search s = {.keep = keep, .arg = arg};
	int err = nlreq_dump(r, nlreq_msg(RTM_GETNEIGH, NLM_F_DUMP, &h, sizeof(h)), proxy, &s);

	return delete_all(r, &s, RTM_DELNEIGH, sizeof(h)) || err ? -EIO : 0;
}
