/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/vpn_node.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/nft_load.h"
#include "lib/netlink.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/rtnl.h"
#include "vcm/message.h"

#define T "ip6 " SYS_NFT_TABLE_VPN
#define METRIC_INSIDE 256 /* before those of the device */
#define IKE_PORT 500

struct vpn_node {
	struct vpn_node_config config;
	struct nlreq *rt;
	int fd, ifindex;
	struct vpn_link inside; /* ifindex 0: outside */
};

/*
 * Neighbor Discovery and ESP are all that says the address on a link that is
 * not known to be internal.  ESP of a transport SA passes here twice.
 */
#define RULES                                                                                   \
	"add table " T "\n"                                                                     \
	"delete table " T "\n"                                                                  \
	"add table " T "\n"                                                                     \
	"add set " T " links { type ifname; flags timeout; }\n"                                 \
	"add chain " T " post { type filter hook postrouting priority 0; }\n"                   \
	"add rule " T " post ip6 saddr != %s accept\n"                                          \
	"add rule " T " post oifname { \"lo\", \"" VPN_NODE_DEVICE "\" } accept\n"              \
	"add rule " T " post oifname @links accept\n"                                           \
	"add rule " T " post ip6 nexthdr 50 accept\n"                                           \
	"add rule " T " post icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n" \
	"add rule " T " post rt ipsec missing counter drop\n"

static int gone_is_fine(int err)
{
	return err == -ESRCH || err == -ENOENT || err == -EADDRNOTAVAIL || err == -ENODEV ? 0 : err;
}

static int there_is_fine(int err)
{
	return err == -EEXIST ? 0 : err;
}

/* ---- device, rule, filter ---- */

static int make_device(struct vpn_node *v)
{
	struct ifinfomsg h = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlreq_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &h, sizeof(h));
	struct nlattr *info;
	int err;

	if (m && nla_put_string(m, IFLA_IFNAME, VPN_NODE_DEVICE) == 0 &&
		(info = nla_nest_start(m, IFLA_LINKINFO))) {
		err = nla_put_string(m, IFLA_INFO_KIND, "dummy");
		nla_nest_end(m, info);
		m = nlreq_whole(m, err);
	}
	err = there_is_fine(nlreq_do(v->rt, m));
	v->ifindex = (int)if_nametoindex(VPN_NODE_DEVICE);
	if (!err && !v->ifindex)
		err = -ENODEV;
	if (!err)
		err = nlreq_do(v->rt, rtnl_link_no_local(v->ifindex));
	return err ? err : nlreq_do(v->rt, rtnl_link_up(v->ifindex, 0));
}

static int address_on(struct vpn_node *v, int ifindex)
{
	struct rtnl_address a = {.ifindex = ifindex,
		.addr = v->config.internal,
		.plen = 128, /* without IFA_PROTO: mn_kernel.h does not take it for a care-of address */
		.flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE,
		.preferred_s = UINT32_MAX,
		.valid_s = UINT32_MAX};

	return there_is_fine(nlreq_do(v->rt, rtnl_address_set(&a, true)));
}

static struct rtnl_rule rule_of(const struct vpn_node *v)
{
	return (struct rtnl_rule){
		.src = v->config.internal, .table = v->config.table, .priority = SYS_RULE_VPN};
}

static struct rtnl_route prefix_route(const struct vpn_node *v, size_t i)
{
	return (struct rtnl_route){.dst = v->config.prefixes[i].addr,
		.plen = v->config.prefixes[i].plen,
		.metric = SYS_METRIC,
		.ifindex = v->ifindex,
		.prefsrc = v->config.internal};
}

static struct rtnl_route default_route(const struct vpn_node *v)
{
	return (struct rtnl_route){
		.table = v->config.table, .metric = SYS_METRIC, .ifindex = v->ifindex};
}

static int set_routes(struct vpn_node *v)
{
	struct rtnl_route r = default_route(v);
	struct rtnl_rule rule = rule_of(v);
	int err = nlreq_do(v->rt, rtnl_route_set(&r));

	if (!err)
		err = there_is_fine(nlreq_do(v->rt, rtnl_rule_add(&rule)));
	for (size_t i = 0; !err && i < v->config.n_prefixes; i++) {
		r = prefix_route(v, i);
		err = nlreq_do(v->rt, rtnl_route_set(&r));
	}
	return err;
}

static int filter(const struct vpn_node *v, char *err, size_t errlen)
{
	char text[2048], why[256];

	snprintf(text, sizeof(text), RULES, in6_str(&v->config.internal));
	if (nft_load(text, false, why, sizeof(why)) == 0)
		return 0;
	snprintf(err, errlen,
		"the packet filter refuses what the internal address needs of it "
		"(CONFIG_NF_TABLES_IPV6, CONFIG_NFT_XFRM): %s",
		why);
	return -EINVAL;
}

/* ---- links ---- */

/* A way to the manager for what is bound to that link; all else of IA that goes there is taken by policies. */
static struct rtnl_route probe_route(const struct vpn_node *v, const struct vpn_link *l)
{
	return (struct rtnl_route){.dst = v->config.manager,
		.plen = 128,
		.table = v->config.table,
		.metric = SYS_METRIC + (uint32_t)l->ifindex,
		.ifindex = l->ifindex,
		.gateway = l->router};
}

int vpn_node_candidate(struct vpn_node *v, const struct vpn_link *l, bool on)
{
	struct rtnl_route r = probe_route(v, l);
	int err;

	if (on) {
		err = address_on(v, l->ifindex);
		return err ? err : nlreq_do(v->rt, rtnl_route_set(&r));
	}
	err = gone_is_fine(nlreq_do(v->rt, rtnl_route_del(&r)));
	if (!err)
		err = gone_is_fine(
			nlreq_do(v->rt, rtnl_address_del(l->ifindex, &v->config.internal, 128)));
	return err;
}

static struct rtnl_route on_link(const struct vpn_node *v, const struct vpn_link *l)
{
	return (struct rtnl_route){.dst = in6_mask(&l->prefix.addr, l->prefix.plen),
		.plen = l->prefix.plen,
		.table = v->config.table,
		.metric = METRIC_INSIDE,
		.ifindex = l->ifindex};
}

static struct rtnl_route by_router(
	const struct vpn_node *v, const struct vpn_link *l, const struct ip6_prefix *to)
{
	return (struct rtnl_route){.dst = to->addr,
		.plen = to->plen,
		.table = v->config.table,
		.metric = METRIC_INSIDE,
		.ifindex = l->ifindex,
		.gateway = l->router};
}

/* By its first router: that one leads to where the gateway is. */
static int ike_route(const struct vpn_node *v, const struct vpn_link *l, bool on)
{
	const struct ip6_prefix gateway = {v->config.gateway, 128};
	struct rtnl_route r = by_router(v, l, &gateway);

	if (in6_is_any(&v->config.gateway))
		return 0;
	return on ? nlreq_do(v->rt, rtnl_route_set(&r))
		  : gone_is_fine(nlreq_do(v->rt, rtnl_route_del(&r)));
}

/* Without it IKE takes the tunnel of the home agent, which reaches nobody from inside. */
static int ike_rule(const struct vpn_node *v, bool on)
{
	struct rtnl_rule r = {.table = v->config.table, .priority = SYS_RULE_VPN_IKE};

	if (!on) /* a predecessor's with other addresses as well */
		return gone_is_fine(nlreq_do(v->rt, rtnl_rule_del(&r)));
	if (in6_is_any(&v->config.gateway))
		return 0;
	r.src = v->config.home;
	r.dst = v->config.gateway;
	r.udp_port = IKE_PORT;
	return there_is_fine(nlreq_do(v->rt, rtnl_rule_add(&r)));
}

static int inside_routes(struct vpn_node *v, const struct vpn_link *l, bool on)
{
	struct rtnl_route r = on_link(v, l);
	int err = on ? nlreq_do(v->rt, rtnl_route_set(&r)) : nlreq_do(v->rt, rtnl_route_del(&r));

	for (size_t i = 0; i < v->config.n_prefixes; i++) {
		r = by_router(v, l, &v->config.prefixes[i]);
		if (on && !err)
			err = nlreq_do(v->rt, rtnl_route_set(&r));
		else if (!on)
			err = gone_is_fine(nlreq_do(v->rt, rtnl_route_del(&r)));
	}
	if (!err || !on)
		err = ike_route(v, l, on);
	return on ? err : gone_is_fine(err);
}

/* The new way before the old one goes. */
int vpn_node_routes(struct vpn_node *v, const struct vpn_link *inside)
{
	struct vpn_link former = v->inside;
	int err = inside ? inside_routes(v, inside, true) : 0, rule;

	if (err)
		return err;
	rule = ike_rule(v, inside);
	if (rule && inside)
		return rule;
	v->inside = inside ? *inside : (struct vpn_link){0};
	if (former.ifindex && (!inside || former.ifindex != inside->ifindex))
		err = inside_routes(v, &former, false);
	return err ? err : rule;
}

static int load(const char *text)
{
	char why[256];

	return nft_load(text, false, why, sizeof(why));
}

int vpn_node_clear(struct vpn_node *v, const struct vpn_link *inside)
{
	(void)v;
	if (!inside)
		return load("flush set " T " links\n");
	return vpn_node_still_inside(v, inside);
}

/* One transaction: an element that is there does not get another time. */
int vpn_node_still_inside(struct vpn_node *v, const struct vpn_link *inside)
{
	char name[IFNAMSIZ], text[256];

	(void)v;
	if (!if_indextoname((unsigned)inside->ifindex, name))
		return -errno;
	snprintf(text, sizeof(text),
		"flush set " T " links\nadd element " T " links { \"%s\" timeout %ds }\n", name,
		VPN_NODE_INSIDE_S);
	return load(text);
}

bool vpn_node_mac(int ifindex, uint8_t mac[6])
{
	struct ifreq r = {0};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && if_indextoname((unsigned)ifindex, r.ifr_name) &&
		  ioctl(fd, SIOCGIFHWADDR, &r) == 0;

	if (ok)
		memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- probes ---- */

static struct sockaddr_in6 at(const struct in6_addr *a)
{
	return (struct sockaddr_in6){
		.sin6_family = AF_INET6, .sin6_port = htons(VCM_PROBE_PORT), .sin6_addr = *a};
}

/* From the port of probes: policies know them by that. */
static int open_socket(const struct vpn_node *v, const char *device)
{
	struct sockaddr_in6 own = at(&v->config.internal);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
		(!device || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				    (socklen_t)strlen(device)) == 0) &&
		bind(fd, (const struct sockaddr *)&own, sizeof(own)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int vpn_node_probe(struct vpn_node *v, int ifindex, const uint8_t *data, size_t len)
{
	struct sockaddr_in6 manager = at(&v->config.manager);
	char device[IFNAMSIZ];
	int fd, err = 0;

	if (!if_indextoname((unsigned)ifindex, device))
		return -errno;
	fd = open_socket(v, device);
	if (fd < 0)
		return fd;
	if (sendto(fd, data, len, 0, (const struct sockaddr *)&manager, sizeof(manager)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int vpn_node_fd(const struct vpn_node *v)
{
	return v->fd;
}

int vpn_node_read(struct vpn_node *v, uint8_t *to, size_t cap)
{
	struct sockaddr_in6 from = {0};
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(v->fd, to, cap, 0, (struct sockaddr *)&from, &from_len);

	if (n < 0)
		return -errno;
	return in6_equal(&from.sin6_addr, &v->config.manager) && from.sin6_port == htons(VCM_PROBE_PORT)
		       ? (int)n
		       : 0;
}

/* ---- what a predecessor left ---- */

#define LEFT 64

struct left {
	const struct vpn_node *v;
	size_t n;
	struct rtnl_route routes[LEFT];
};

static int note_left(void *arg, const struct nlmsghdr *h)
{
	struct left *l = arg;
	struct rtnl_route r;

	if (rtnl_route_read(h, &r) && r.table == l->v->config.table && r.ifindex &&
		r.ifindex != l->v->ifindex && l->n < LEFT)
		l->routes[l->n++] = r;
	return 0;
}

/* It was inside, or asked: this node does not know, so it is outside. */
static int remove_left(struct vpn_node *v)
{
	struct left l = {.v = v};
	int err = nlreq_dump(v->rt, rtnl_route_dump(), note_left, &l);

	for (size_t i = 0; i < l.n; i++) {
		(void)nlreq_do(v->rt, rtnl_route_del(&l.routes[i]));
		(void)nlreq_do(v->rt,
			rtnl_address_del(l.routes[i].ifindex, &v->config.internal, 128));
	}
	return err;
}

/* ---- start and end ---- */

struct vpn_node *vpn_node_open(const struct vpn_node_config *c, char *err, size_t errlen)
{
	struct vpn_node *v = calloc(1, sizeof(*v));
	int rc = -ENOMEM;

	if (!v) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	v->config = *c;
	v->fd = -1;
	v->rt = nlreq_open(NETLINK_ROUTE, &rc);
	if (v->rt && filter(v, err, errlen)) {
		vpn_node_close(v, false);
		return NULL;
	}
	if (v->rt)
		rc = make_device(v);
	if (!rc)
		rc = remove_left(v);
	if (!rc)
		rc = ike_rule(v, false);
	v->inside = (struct vpn_link){0};
	if (!rc)
		rc = address_on(v, v->ifindex);
	if (!rc)
		rc = set_routes(v);
	if (!rc) {
		v->fd = open_socket(v, NULL);
		rc = v->fd < 0 ? v->fd : 0;
	}
	if (!rc)
		return v;
	snprintf(err, errlen, "the internal address %s cannot be set up (CONFIG_DUMMY): %s",
		in6_str(&c->internal), strerror(-rc));
	vpn_node_close(v, false);
	return NULL;
}

static void take_away(struct vpn_node *v)
{
	struct rtnl_rule rule = rule_of(v);
	struct rtnl_route r = default_route(v);

	(void)vpn_node_routes(v, NULL);
	(void)nlreq_do(v->rt, rtnl_route_del(&r));
	(void)nlreq_do(v->rt, rtnl_link_del(v->ifindex));
	(void)nlreq_do(v->rt, rtnl_rule_del(&rule));
	(void)load("add table " T "\ndelete table " T "\n");
}

void vpn_node_close(struct vpn_node *v, bool remove)
{
	if (!v)
		return;
	if (remove && v->rt)
		take_away(v);
	if (v->fd >= 0)
		close(v->fd);
	if (v->rt)
		nlreq_close(v->rt);
	free(v);
}
