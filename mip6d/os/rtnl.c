/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/rtnl.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "mip6d/os/netlink.h"

#define HOP_LIMIT 64

static struct nl_msg *finish(struct nl_msg *m, int err)
{
	if (m && err < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static struct nl_msg *address_msg(int type, int flags, int ifindex, const struct in6_addr *a, uint8_t plen,
	uint32_t ifa_flags, uint32_t preferred_s, uint32_t valid_s)
{
	struct ifaddrmsg h = {.ifa_family = AF_INET6, .ifa_prefixlen = plen, .ifa_index = (uint32_t)ifindex};
	struct ifa_cacheinfo life = {.ifa_prefered = preferred_s, .ifa_valid = valid_s};
	struct nl_msg *m = nlreq_msg(type, flags, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put(m, IFA_LOCAL, 16, a);
	err |= nla_put(m, IFA_ADDRESS, 16, a);
	if (type == RTM_NEWADDR) {
		err |= nla_put_u32(m, IFA_FLAGS, ifa_flags);
		err |= nla_put_u8(m, IFA_PROTO, RTNL_PROTO);
		err |= nla_put(m, IFA_CACHEINFO, sizeof(life), &life);
	}
	return finish(m, err);
}

int rtnl_address_set(struct nlreq *r, int ifindex, const struct in6_addr *a, uint8_t plen, uint32_t ifa_flags,
	uint32_t preferred_s, uint32_t valid_s)
{
	return nlreq_do(r, address_msg(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, a, plen, ifa_flags,
			   preferred_s, valid_s));
}

int rtnl_address_del(struct nlreq *r, int ifindex, const struct in6_addr *a, uint8_t plen)
{
	return nlreq_do(r, address_msg(RTM_DELADDR, 0, ifindex, a, plen, 0, 0, 0));
}

static int put_encap(struct nl_msg *m, const struct rtnl_route *t)
{
	struct nlattr *nest = nla_nest_start(m, RTA_ENCAP);
	int err = 0;

	if (!nest)
		return -1;
	err |= nla_put(m, LWTUNNEL_IP6_DST, 16, t->encap_dst);
	err |= nla_put(m, LWTUNNEL_IP6_SRC, 16, t->encap_src);
	err |= nla_put_u8(m, LWTUNNEL_IP6_HOPLIMIT, HOP_LIMIT);
	nla_nest_end(m, nest);
	return err | nla_put_u16(m, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_IP6);
}

static struct nl_msg *route_msg(int type, int flags, const struct rtnl_route *t)
{
	struct rtmsg h = {.rtm_family = AF_INET6, .rtm_dst_len = t->plen, .rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = RTNL_PROTO, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
	struct nl_msg *m = nlreq_msg(type, flags, &h, sizeof(h));
	struct nlattr *nest;
	int err = 0;

	if (!m)
		return NULL;
	if (t->plen)
		err |= nla_put(m, RTA_DST, 16, &t->dst);
	err |= nla_put_u32(m, RTA_TABLE, t->table ? t->table : RT_TABLE_MAIN);
	if (t->ifindex)
		err |= nla_put_u32(m, RTA_OIF, (uint32_t)t->ifindex);
	if (t->gateway)
		err |= nla_put(m, RTA_GATEWAY, 16, t->gateway);
	if (t->metric)
		err |= nla_put_u32(m, RTA_PRIORITY, t->metric);
	if (t->encap_dst && type == RTM_NEWROUTE)
		err |= put_encap(m, t);
	if (t->mtu) {
		nest = nla_nest_start(m, RTA_METRICS);
		err |= nest ? nla_put_u32(m, RTAX_MTU, t->mtu) : -1;
		if (nest)
			nla_nest_end(m, nest);
	}
	return finish(m, err);
}

int rtnl_route_set(struct nlreq *r, const struct rtnl_route *t)
{
	return nlreq_do(r, route_msg(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, t));
}

int rtnl_route_del(struct nlreq *r, const struct rtnl_route *t)
{
	return nlreq_do(r, route_msg(RTM_DELROUTE, 0, t));
}

int rtnl_rule(struct nlreq *r, bool add, const struct in6_addr *src, uint32_t table, uint32_t priority)
{
	struct fib_rule_hdr h = {.family = AF_INET6, .src_len = 128, .action = FR_ACT_TO_TBL, .table = RT_TABLE_UNSPEC};
	struct nl_msg *m = nlreq_msg(add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &h, sizeof(h));
	int err = 0;

	if (!m)
		return -ENOMEM;
	err |= nla_put(m, FRA_SRC, 16, src);
	err |= nla_put_u32(m, FRA_TABLE, table);
	err |= nla_put_u32(m, FRA_PRIORITY, priority);
	err |= nla_put_u8(m, FRA_PROTOCOL, RTNL_PROTO);
	err = nlreq_do(r, finish(m, err));
	return err == -EEXIST ? 0 : err;
}

int rtnl_neighbour(struct nlreq *r, int ifindex, const struct in6_addr *a, const uint8_t *lladdr, size_t len)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_ifindex = ifindex, .ndm_state = NUD_REACHABLE};
	struct nl_msg *m = nlreq_msg(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &h, sizeof(h));

	if (m && (nla_put(m, NDA_DST, 16, a) < 0 || nla_put(m, NDA_LLADDR, (int)len, lladdr) < 0))
		m = finish(m, -1);
	return nlreq_do(r, m);
}

int rtnl_neighbour_forget(struct nlreq *r, int ifindex, const struct in6_addr *a)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_ifindex = ifindex};
	struct nl_msg *m = nlreq_msg(RTM_DELNEIGH, 0, &h, sizeof(h));
	int err;

	if (m && nla_put(m, NDA_DST, 16, a) < 0)
		m = finish(m, -1);
	err = nlreq_do(r, m);
	return err == -ENOENT ? 0 : err;
}

int rtnl_proxy(struct nlreq *r, bool add, int ifindex, const struct in6_addr *a)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_ifindex = ifindex, .ndm_flags = NTF_PROXY};
	struct nl_msg *m = nlreq_msg(add ? RTM_NEWNEIGH : RTM_DELNEIGH, add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &h,
		sizeof(h));

	/* The protocol says whose it is, to those who come after a kill. */
	if (m && (nla_put(m, NDA_DST, 16, a) < 0 || (add && nla_put_u8(m, NDA_PROTOCOL, RTNL_PROTO) < 0)))
		m = finish(m, -1);
	return nlreq_do(r, m);
}

static int put_tunnel(struct nl_msg *m, bool external, const struct in6_addr *local, const struct in6_addr *remote)
{
	struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO), *data;
	int err = 0;

	if (!info)
		return -1;
	err |= nla_put_string(m, IFLA_INFO_KIND, "ip6tnl");
	data = nla_nest_start(m, IFLA_INFO_DATA);
	if (!data)
		return -1;
	if (external) {
		err |= nla_put_flag(m, IFLA_IPTUN_COLLECT_METADATA);
	} else {
		err |= nla_put(m, IFLA_IPTUN_LOCAL, 16, local);
		err |= nla_put(m, IFLA_IPTUN_REMOTE, 16, remote);
		err |= nla_put_u8(m, IFLA_IPTUN_TTL, HOP_LIMIT);
		err |= nla_put_u32(m, IFLA_IPTUN_FLAGS, IP6_TNL_F_IGN_ENCAP_LIMIT);
		err |= nla_put_u8(m, IFLA_IPTUN_PROTO, 0);
	}
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	return err;
}

int rtnl_tunnel(struct nlreq *r, const char *name, bool external, const struct in6_addr *local,
	const struct in6_addr *remote)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlreq_msg(RTM_NEWLINK, NLM_F_CREATE, &h, sizeof(h));
	int err = 0;

	if (!m)
		return -ENOMEM;
	err |= nla_put_string(m, IFLA_IFNAME, name);
	err |= put_tunnel(m, external, local, remote);
	err = nlreq_do(r, finish(m, err));
	return external && err == -EEXIST ? 0 : err;
}

int rtnl_link_up(struct nlreq *r, int ifindex)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	return nlreq_do(r, nlreq_msg(RTM_NEWLINK, 0, &h, sizeof(h)));
}

int rtnl_link_del(struct nlreq *r, const char *name)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlreq_msg(RTM_DELLINK, 0, &h, sizeof(h));

	if (m && nla_put_string(m, IFLA_IFNAME, name) < 0)
		m = finish(m, -1);
	return nlreq_do(r, m);
}

int rtnl_plug(struct nlreq *r, int ifindex, bool hold, uint32_t limit)
{
	struct tcmsg h = {.tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_handle = 0x10000, .tcm_parent = TC_H_ROOT};
	struct tc_plug_qopt opt = {.action = hold ? TCQ_PLUG_BUFFER : TCQ_PLUG_RELEASE_INDEFINITE, .limit = (int)limit};
	struct nl_msg *m = nlreq_msg(RTM_NEWQDISC, NLM_F_CREATE, &h, sizeof(h));

	if (m && (nla_put_string(m, TCA_KIND, "plug") < 0 || nla_put(m, TCA_OPTIONS, sizeof(opt), &opt) < 0))
		m = finish(m, -1);
	return nlreq_do(r, m);
}
