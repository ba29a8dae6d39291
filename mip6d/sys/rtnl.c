/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/rtnl.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/ip6_tunnel.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/marks.h"
#include "lib/netlink.h"

#define HOP_LIMIT 64
#define ADDR_LEN ((int)sizeof(struct in6_addr))

#ifndef IFA_PROTO
#define IFA_PROTO 11
#endif

/* ---- reading ---- */

/* The attributes behind a family header of that size, by type. */
static bool attributes(const struct nlmsghdr *h, size_t header, struct nlattr **tb, int max)
{
	struct nlmsghdr *hh = (struct nlmsghdr *)h;

	if (h->nlmsg_len < NLMSG_LENGTH(header))
		return false;
	return nla_parse(tb, max, nlmsg_attrdata(hh, (int)header), nlmsg_attrlen(hh, (int)header),
		       NULL) >= 0;
}

static bool get_addr(const struct nlattr *a, struct in6_addr *to)
{
	if (!a || nla_len(a) < ADDR_LEN)
		return false;
	memcpy(to, nla_data(a), sizeof(*to));
	return true;
}

static uint32_t get_u32(const struct nlattr *a, uint32_t otherwise)
{
	uint32_t v;

	if (!a || nla_len(a) < (int)sizeof(v))
		return otherwise;
	memcpy(&v, nla_data(a), sizeof(v));
	return v;
}

static uint8_t get_u8(const struct nlattr *a)
{
	return a && nla_len(a) >= 1 ? *(const uint8_t *)nla_data(a) : 0;
}

/* ---- addresses ---- */

struct nl_msg *rtnl_address_set(const struct rtnl_address *a, bool create)
{
	struct ifaddrmsg h = {.ifa_family = AF_INET6,
		.ifa_prefixlen = a->plen,
		.ifa_index = (uint32_t)a->ifindex};
	struct ifa_cacheinfo life = {.ifa_prefered = a->preferred_s, .ifa_valid = a->valid_s};
	struct nl_msg *m = nlreq_msg(
		RTM_NEWADDR, create ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_REPLACE, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put(m, IFA_LOCAL, ADDR_LEN, &a->addr);
	err |= nla_put(m, IFA_ADDRESS, ADDR_LEN, &a->addr);
	err |= nla_put_u32(m, IFA_FLAGS, a->flags);
	err |= nla_put(m, IFA_CACHEINFO, sizeof(life), &life);
	if (a->protocol)
		err |= nla_put_u8(m, IFA_PROTO, a->protocol);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_address_del(int ifindex, const struct in6_addr *addr, uint8_t plen)
{
	struct ifaddrmsg h = {
		.ifa_family = AF_INET6, .ifa_prefixlen = plen, .ifa_index = (uint32_t)ifindex};
	struct nl_msg *m = nlreq_msg(RTM_DELADDR, 0, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put(m, IFA_LOCAL, ADDR_LEN, addr);
	err |= nla_put(m, IFA_ADDRESS, ADDR_LEN, addr);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_address_dump(int ifindex)
{
	struct ifaddrmsg h = {.ifa_family = AF_INET6, .ifa_index = (uint32_t)ifindex};

	return nlreq_msg(RTM_GETADDR, 0, &h, sizeof(h));
}

bool rtnl_address_read(const struct nlmsghdr *h, struct rtnl_address *a)
{
	struct nlattr *tb[IFA_PROTO + 1];
	struct ifaddrmsg f;

	memset(a, 0, sizeof(*a));
	if ((h->nlmsg_type != RTM_NEWADDR && h->nlmsg_type != RTM_DELADDR) ||
		!attributes(h, sizeof(f), tb, IFA_PROTO))
		return false;
	memcpy(&f, NLMSG_DATA((struct nlmsghdr *)h), sizeof(f));
	if (f.ifa_family != AF_INET6 ||
		!get_addr(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], &a->addr))
		return false;
	a->ifindex = (int)f.ifa_index;
	a->plen = f.ifa_prefixlen;
	a->flags = get_u32(tb[IFA_FLAGS], f.ifa_flags);
	a->protocol = get_u8(tb[IFA_PROTO]);
	return true;
}

/* ---- routes ---- */

static int put_encap(struct nl_msg *m, const struct rtnl_route *r)
{
	struct nlattr *nest = nla_nest_start(m, RTA_ENCAP);
	int err = 0;

	if (!nest)
		return -1;
	err |= nla_put_u64(m, LWTUNNEL_IP6_ID, 0);
	err |= nla_put(m, LWTUNNEL_IP6_DST, ADDR_LEN, &r->encap_dst);
	err |= nla_put(m, LWTUNNEL_IP6_SRC, ADDR_LEN, &r->encap_src);
	err |= nla_put_u8(m, LWTUNNEL_IP6_HOPLIMIT, HOP_LIMIT);
	nla_nest_end(m, nest);
	return err | nla_put_u16(m, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_IP6);
}

static int put_mtu(struct nl_msg *m, uint32_t mtu)
{
	struct nlattr *nest = nla_nest_start(m, RTA_METRICS);
	int err;

	if (!nest)
		return -1;
	err = nla_put_u32(m, RTAX_MTU, mtu);
	nla_nest_end(m, nest);
	return err;
}

static struct nl_msg *route_msg(int type, int flags, const struct rtnl_route *r)
{
	struct rtmsg h = {.rtm_family = AF_INET6,
		.rtm_dst_len = r->plen,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = SYS_PROTOCOL,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = r->type ? r->type : RTN_UNICAST};
	struct nl_msg *m = nlreq_msg(type, flags, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	if (r->plen)
		err |= nla_put(m, RTA_DST, ADDR_LEN, &r->dst);
	err |= nla_put_u32(m, RTA_TABLE, r->table ? r->table : RT_TABLE_MAIN);
	err |= nla_put_u32(m, RTA_PRIORITY, r->metric ? r->metric : SYS_METRIC);
	if (r->ifindex)
		err |= nla_put_u32(m, RTA_OIF, (uint32_t)r->ifindex);
	if (!in6_is_any(&r->gateway))
		err |= nla_put(m, RTA_GATEWAY, ADDR_LEN, &r->gateway);
	if (type == RTM_NEWROUTE && !in6_is_any(&r->prefsrc))
		err |= nla_put(m, RTA_PREFSRC, ADDR_LEN, &r->prefsrc);
	if (type == RTM_NEWROUTE && r->encap)
		err |= put_encap(m, r);
	if (type == RTM_NEWROUTE && r->mtu)
		err |= put_mtu(m, r->mtu);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_route_set(const struct rtnl_route *r)
{
	return route_msg(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r);
}

struct nl_msg *rtnl_route_del(const struct rtnl_route *r)
{
	return route_msg(RTM_DELROUTE, 0, r);
}

struct nl_msg *rtnl_route_dump(void)
{
	struct rtmsg h = {.rtm_family = AF_INET6, .rtm_protocol = SYS_PROTOCOL};

	return nlreq_msg(RTM_GETROUTE, 0, &h, sizeof(h));
}

static void read_encap(struct nlattr *encap, struct rtnl_route *r)
{
	struct nlattr *tb[LWTUNNEL_IP6_MAX + 1];

	if (nla_parse_nested(tb, LWTUNNEL_IP6_MAX, encap, NULL) < 0)
		return;
	r->encap = get_addr(tb[LWTUNNEL_IP6_DST], &r->encap_dst) &&
		   get_addr(tb[LWTUNNEL_IP6_SRC], &r->encap_src);
}

bool rtnl_route_read(const struct nlmsghdr *h, struct rtnl_route *r)
{
	struct nlattr *tb[RTA_MAX + 1];
	struct rtmsg f;

	memset(r, 0, sizeof(*r));
	if (h->nlmsg_type != RTM_NEWROUTE || !attributes(h, sizeof(f), tb, RTA_MAX))
		return false;
	memcpy(&f, NLMSG_DATA((struct nlmsghdr *)h), sizeof(f));
	if (f.rtm_family != AF_INET6 || f.rtm_protocol != SYS_PROTOCOL ||
		(f.rtm_flags & RTM_F_CLONED))
		return false;
	get_addr(tb[RTA_DST], &r->dst);
	get_addr(tb[RTA_GATEWAY], &r->gateway);
	r->plen = f.rtm_dst_len;
	r->type = f.rtm_type;
	r->table = get_u32(tb[RTA_TABLE], f.rtm_table);
	r->metric = get_u32(tb[RTA_PRIORITY], 0);
	r->ifindex = (int)get_u32(tb[RTA_OIF], 0);
	if (tb[RTA_ENCAP] && tb[RTA_ENCAP_TYPE] &&
		nla_get_u16(tb[RTA_ENCAP_TYPE]) == LWTUNNEL_ENCAP_IP6)
		read_encap(tb[RTA_ENCAP], r);
	return true;
}

/* ---- rules ---- */

static uint8_t length(const struct in6_addr *a, uint8_t plen)
{
	return plen || in6_is_any(a) ? plen : 128;
}

static int put_udp_port(struct nl_msg *m, uint16_t port)
{
	const struct fib_rule_port_range range = {port, port};
	int err = nla_put_u8(m, FRA_IP_PROTO, IPPROTO_UDP);

	err |= nla_put(m, FRA_SPORT_RANGE, sizeof(range), &range);
	return err | nla_put(m, FRA_DPORT_RANGE, sizeof(range), &range);
}

static struct nl_msg *rule_msg(int type, int flags, const struct rtnl_rule *r)
{
	struct fib_rule_hdr h = {.family = AF_INET6,
		.src_len = length(&r->src, r->src_len),
		.dst_len = length(&r->dst, r->dst_len),
		.action = FR_ACT_TO_TBL,
		.table = RT_TABLE_UNSPEC,
		.flags = r->find_source ? FIB_RULE_FIND_SADDR : 0};
	struct nl_msg *m = nlreq_msg(type, flags, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	if (h.src_len)
		err |= nla_put(m, FRA_SRC, ADDR_LEN, &r->src);
	if (h.dst_len)
		err |= nla_put(m, FRA_DST, ADDR_LEN, &r->dst);
	err |= nla_put_u32(m, FRA_TABLE, r->table);
	err |= nla_put_u32(m, FRA_PRIORITY, r->priority);
	if (r->udp_port)
		err |= put_udp_port(m, r->udp_port);
	err |= nla_put_u8(m, FRA_PROTOCOL, SYS_PROTOCOL);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_rule_add(const struct rtnl_rule *r)
{
	return rule_msg(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);
}

struct nl_msg *rtnl_rule_del(const struct rtnl_rule *r)
{
	return rule_msg(RTM_DELRULE, 0, r);
}

struct nl_msg *rtnl_rule_dump(void)
{
	struct fib_rule_hdr h = {.family = AF_INET6};

	return nlreq_msg(RTM_GETRULE, 0, &h, sizeof(h));
}

bool rtnl_rule_read(const struct nlmsghdr *h, struct rtnl_rule *r)
{
	struct nlattr *tb[FRA_MAX + 1];
	struct fib_rule_hdr f;

	memset(r, 0, sizeof(*r));
	if (h->nlmsg_type != RTM_NEWRULE || !attributes(h, sizeof(f), tb, FRA_MAX))
		return false;
	memcpy(&f, NLMSG_DATA((struct nlmsghdr *)h), sizeof(f));
	if (f.family != AF_INET6 || get_u8(tb[FRA_PROTOCOL]) != SYS_PROTOCOL)
		return false;
	get_addr(tb[FRA_SRC], &r->src);
	get_addr(tb[FRA_DST], &r->dst);
	r->src_len = f.src_len;
	r->dst_len = f.dst_len;
	r->table = get_u32(tb[FRA_TABLE], f.table);
	r->priority = get_u32(tb[FRA_PRIORITY], 0);
	r->find_source = f.flags & FIB_RULE_FIND_SADDR;
	return true;
}

/* ---- neighbours ---- */

struct nl_msg *rtnl_neighbour_set(
	int ifindex, const struct in6_addr *addr, const uint8_t *lladdr, size_t len, uint16_t state)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_ifindex = ifindex, .ndm_state = state};
	struct nl_msg *m = nlreq_msg(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put(m, NDA_DST, ADDR_LEN, addr);
	err |= nla_put(m, NDA_LLADDR, (int)len, lladdr);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_neighbour_del(int ifindex, const struct in6_addr *addr)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_ifindex = ifindex};
	struct nl_msg *m = nlreq_msg(RTM_DELNEIGH, 0, &h, sizeof(h));

	return m ? nlreq_whole(m, nla_put(m, NDA_DST, ADDR_LEN, addr)) : NULL;
}

static struct nl_msg *proxy_msg(
	int type, int flags, int ifindex, const struct in6_addr *addr, bool router)
{
	struct ndmsg h = {.ndm_family = AF_INET6,
		.ndm_ifindex = ifindex,
		.ndm_flags = NTF_PROXY | (router ? NTF_ROUTER : 0)};
	struct nl_msg *m = nlreq_msg(type, flags, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put(m, NDA_DST, ADDR_LEN, addr);
	if (type == RTM_NEWNEIGH)
		err |= nla_put_u8(m, NDA_PROTOCOL, SYS_PROTOCOL);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_proxy_set(int ifindex, const struct in6_addr *addr, bool router)
{
	return proxy_msg(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, ifindex, addr, router);
}

struct nl_msg *rtnl_proxy_del(int ifindex, const struct in6_addr *addr)
{
	return proxy_msg(RTM_DELNEIGH, 0, ifindex, addr, false);
}

struct nl_msg *rtnl_proxy_dump(int ifindex)
{
	struct ndmsg h = {.ndm_family = AF_INET6, .ndm_flags = NTF_PROXY};
	struct nl_msg *m = nlreq_msg(RTM_GETNEIGH, 0, &h, sizeof(h));

	return m ? nlreq_whole(m, nla_put_u32(m, NDA_IFINDEX, (uint32_t)ifindex)) : NULL;
}

bool rtnl_neighbour_read(const struct nlmsghdr *h, struct rtnl_neighbour *n)
{
	struct nlattr *tb[NDA_MAX + 1];
	struct ndmsg f;

	memset(n, 0, sizeof(*n));
	if ((h->nlmsg_type != RTM_NEWNEIGH && h->nlmsg_type != RTM_DELNEIGH) ||
		!attributes(h, sizeof(f), tb, NDA_MAX))
		return false;
	memcpy(&f, NLMSG_DATA((struct nlmsghdr *)h), sizeof(f));
	if (f.ndm_family != AF_INET6 || !get_addr(tb[NDA_DST], &n->addr))
		return false;
	n->ifindex = f.ndm_ifindex;
	n->state = f.ndm_state;
	n->proxy = f.ndm_flags & NTF_PROXY;
	n->protocol = get_u8(tb[NDA_PROTOCOL]);
	return true;
}

/* ---- links ---- */

static int put_tunnel(struct nl_msg *m, bool external, const struct in6_addr *local,
	const struct in6_addr *remote)
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
		err |= nla_put(m, IFLA_IPTUN_LOCAL, ADDR_LEN, local);
		err |= nla_put(m, IFLA_IPTUN_REMOTE, ADDR_LEN, remote);
		err |= nla_put_u8(m, IFLA_IPTUN_TTL, HOP_LIMIT);
		err |= nla_put_u32(m, IFLA_IPTUN_FLAGS, IP6_TNL_F_IGN_ENCAP_LIMIT);
	}
	err |= nla_put_u8(m, IFLA_IPTUN_PROTO, IPPROTO_IPV6);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	return err;
}

struct nl_msg *rtnl_tunnel_add(const struct rtnl_tunnel *t)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlreq_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &h, sizeof(h));
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put_string(m, IFLA_IFNAME, t->name);
	if (t->mtu)
		err |= nla_put_u32(m, IFLA_MTU, t->mtu);
	err |= put_tunnel(m, t->external, &t->local, &t->remote);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_dummy_add(const char *name)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlreq_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &h, sizeof(h));
	struct nlattr *info;
	int err = 0;

	if (!m)
		return NULL;
	err |= nla_put_string(m, IFLA_IFNAME, name);
	info = nla_nest_start(m, IFLA_LINKINFO);
	if (!info)
		return nlreq_whole(m, -1);
	err |= nla_put_string(m, IFLA_INFO_KIND, "dummy");
	nla_nest_end(m, info);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_tunnel_move(
	int ifindex, const struct in6_addr *local, const struct in6_addr *remote)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct nl_msg *m = nlreq_msg(RTM_NEWLINK, 0, &h, sizeof(h));

	return m ? nlreq_whole(m, put_tunnel(m, false, local, remote)) : NULL;
}

struct nl_msg *rtnl_link_no_local(int ifindex)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct nl_msg *m = nlreq_msg(RTM_SETLINK, 0, &h, sizeof(h));
	struct nlattr *spec, *inet6;
	int err;

	if (!m)
		return NULL;
	spec = nla_nest_start(m, IFLA_AF_SPEC);
	inet6 = spec ? nla_nest_start(m, AF_INET6) : NULL;
	if (!inet6)
		return nlreq_whole(m, -1);
	err = nla_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	nla_nest_end(m, inet6);
	nla_nest_end(m, spec);
	return nlreq_whole(m, err);
}

struct nl_msg *rtnl_link_up(int ifindex, uint32_t mtu)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC,
		.ifi_index = ifindex,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP};
	struct nl_msg *m = nlreq_msg(RTM_NEWLINK, 0, &h, sizeof(h));

	return m ? nlreq_whole(m, mtu ? nla_put_u32(m, IFLA_MTU, mtu) : 0) : NULL;
}

struct nl_msg *rtnl_link_del(int ifindex)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};

	return nlreq_msg(RTM_DELLINK, 0, &h, sizeof(h));
}

struct nl_msg *rtnl_link_get(const char *name)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlreq_msg(RTM_GETLINK, 0, &h, sizeof(h));

	return m ? nlreq_whole(m, nla_put_string(m, IFLA_IFNAME, name)) : NULL;
}

struct nl_msg *rtnl_link_dump(void)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};

	return nlreq_msg(RTM_GETLINK, 0, &h, sizeof(h));
}

static void read_tunnel(struct nlattr *linkinfo, struct rtnl_link *l)
{
	struct nlattr *info[IFLA_INFO_MAX + 1], *data[IFLA_IPTUN_MAX + 1];

	if (nla_parse_nested(info, IFLA_INFO_MAX, linkinfo, NULL) < 0 || !info[IFLA_INFO_KIND] ||
		strcmp(nla_get_string(info[IFLA_INFO_KIND]), "ip6tnl") != 0)
		return;
	l->is_tunnel = true;
	if (!info[IFLA_INFO_DATA] ||
		nla_parse_nested(data, IFLA_IPTUN_MAX, info[IFLA_INFO_DATA], NULL) < 0)
		return;
	l->external = data[IFLA_IPTUN_COLLECT_METADATA];
	get_addr(data[IFLA_IPTUN_LOCAL], &l->local);
	get_addr(data[IFLA_IPTUN_REMOTE], &l->remote);
}

bool rtnl_link_read(const struct nlmsghdr *h, struct rtnl_link *l)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct ifinfomsg f;

	memset(l, 0, sizeof(*l));
	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
		!attributes(h, sizeof(f), tb, IFLA_MAX))
		return false;
	memcpy(&f, NLMSG_DATA((struct nlmsghdr *)h), sizeof(f));
	if (f.ifi_family != AF_UNSPEC) /* of a bridge port */
		return false;
	l->ifindex = f.ifi_index;
	l->flags = f.ifi_flags;
	if (tb[IFLA_IFNAME])
		strncpy(l->name, nla_get_string(tb[IFLA_IFNAME]), sizeof(l->name) - 1);
	l->carrier_ups = get_u32(tb[IFLA_CARRIER_UP_COUNT], 0);
	if (tb[IFLA_ADDRESS] && (size_t)nla_len(tb[IFLA_ADDRESS]) <= sizeof(l->mac)) {
		l->mac_len = (size_t)nla_len(tb[IFLA_ADDRESS]);
		memcpy(l->mac, nla_data(tb[IFLA_ADDRESS]), l->mac_len);
	}
	if (tb[IFLA_LINKINFO])
		read_tunnel(tb[IFLA_LINKINFO], l);
	return true;
}
