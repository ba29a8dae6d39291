/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/features.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/lwtunnel.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REBUILD "use a kernel that has it (the default kernels of Debian do), or load its module"

enum answer { HAVE, LACK, FORBIDDEN };

/* ---- one request and the kernel's answer to it ---- */

struct request {
	struct nlmsghdr h;
	_Alignas(NLMSG_ALIGNTO) char body[480];
};

static void begin(struct request *q, int type, int flags, const void *header, size_t len)
{
	memset(q, 0, sizeof(*q));
	q->h.nlmsg_type = (uint16_t)type;
	q->h.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	memcpy(q->body, header, len);
	q->h.nlmsg_len = NLMSG_LENGTH(NLMSG_ALIGN((uint32_t)len));
}

/* The place of the attribute; its length grows when others are put inside it. */
static struct nlattr *add(struct request *q, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(void *)((char *)q + q->h.nlmsg_len);

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	q->h.nlmsg_len += NLA_HDRLEN + NLA_ALIGN((uint32_t)len);
	return a;
}

static void end(struct request *q, struct nlattr *nest)
{
	nest->nla_len = (uint16_t)((char *)q + q->h.nlmsg_len - (char *)nest);
}

/* 0, or the negative errno of the kernel or of the socket. */
static int ask(int protocol, const struct request *q)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct timeval limit = {.tv_sec = 5};
	_Alignas(NLMSG_ALIGNTO) char buf[16384];
	const struct nlmsghdr *h = (const struct nlmsghdr *)(void *)buf;
	const struct nlmsgerr *e = (const struct nlmsgerr *)(const void *)(buf + NLMSG_HDRLEN);
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
		sendto(fd, q, q->h.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) <
			0 ||
		(n = recv(fd, buf, sizeof(buf), 0)) < 0)
		err = -errno;
	else if ((size_t)n >= NLMSG_HDRLEN + sizeof(*e) && h->nlmsg_type == NLMSG_ERROR)
		err = e->error;
	close(fd);
	return err;
}

static enum answer judge(int err, int lacking)
{
	if (err == -EPERM || err == -EACCES)
		return FORBIDDEN;
	/* The whole of netlink or one of its protocols may be absent as well. */
	return err == -lacking || err == -EPROTONOSUPPORT || err == -EAFNOSUPPORT ? LACK : HAVE;
}

/* ---- the questions ---- */

static enum answer ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return LACK;
	close(fd);
	return HAVE;
}

/* Opened and not written to: a container often has them read-only. */
static enum answer settings(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/all/forwarding", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return LACK;
	close(fd);
	return HAVE;
}

static enum answer xfrm(void)
{
	struct request q;
	uint32_t nothing = 0;

	begin(&q, XFRM_MSG_GETSADINFO, 0, &nothing, sizeof(nothing));
	return judge(ask(NETLINK_XFRM, &q), EPROTONOSUPPORT);
}

/*
 * A state with an SPI: refused with EINVAL by the type for the Home Address
 * option (60) or the type 2 routing header (43), which knows no SPI, and with
 * EPROTONOSUPPORT where there is no such type.
 */
static enum answer mip6_type(uint8_t proto)
{
	struct xfrm_usersa_info sa;
	struct in6_addr documentation = {{{0x20, 0x01, 0x0d, 0xb8}}};
	struct request q;

	memset(&sa, 0, sizeof(sa));
	memcpy(&sa.id.daddr, &documentation, sizeof(documentation));
	memcpy(&sa.saddr, &documentation, sizeof(documentation));
	sa.id.proto = proto;
	sa.id.spi = 1;
	sa.family = AF_INET6;
	sa.mode = XFRM_MODE_ROUTEOPTIMIZATION;
	sa.flags = XFRM_STATE_AF_UNSPEC;
	begin(&q, XFRM_MSG_NEWSA, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &sa, sizeof(sa));
	add(&q, XFRMA_COADDR, &documentation, sizeof(documentation));
	return judge(ask(NETLINK_XFRM, &q), EPROTONOSUPPORT);
}

static enum answer mip6(void)
{
	enum answer a = mip6_type(IPPROTO_DSTOPTS);

	return a == HAVE ? mip6_type(IPPROTO_ROUTING) : a;
}

/* An ip6tnl for protocol 255: EINVAL by the driver, EOPNOTSUPP without it. */
static enum answer tunnel(void)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	struct nlattr *info, *data;
	uint8_t proto = 255;
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	info = add(&q, IFLA_LINKINFO, NULL, 0);
	add(&q, IFLA_INFO_KIND, "ip6tnl", sizeof("ip6tnl"));
	data = add(&q, IFLA_INFO_DATA, NULL, 0);
	add(&q, IFLA_IPTUN_PROTO, &proto, sizeof(proto));
	end(&q, data);
	end(&q, info);
	return judge(ask(NETLINK_ROUTE, &q), EOPNOTSUPP);
}

/* A route through an interface that cannot be: ENODEV, or EOPNOTSUPP where routes do not encapsulate. */
static enum answer encapsulation(void)
{
	struct rtmsg header = {.rtm_family = AF_INET6,
		.rtm_dst_len = 128,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST};
	struct in6_addr documentation = {{{0x20, 0x01, 0x0d, 0xb8}}};
	uint32_t nowhere = INT_MAX;
	uint16_t type = LWTUNNEL_ENCAP_IP6;
	struct request q;

	begin(&q, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	add(&q, RTA_DST, &documentation, sizeof(documentation));
	add(&q, RTA_OIF, &nowhere, sizeof(nowhere));
	add(&q, RTA_ENCAP_TYPE, &type, sizeof(type));
	return judge(ask(NETLINK_ROUTE, &q), EOPNOTSUPP);
}

static enum answer tables(void)
{
	struct fib_rule_hdr header = {.family = AF_INET6};
	struct request q;

	begin(&q, RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header));
	return judge(ask(NETLINK_ROUTE, &q), EOPNOTSUPP);
}

/* A dry run: the kernel judges the whole and throws it away. */
static enum answer nftables(const char *commands)
{
	struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	int rc;

	if (!ctx)
		return LACK;
	nft_ctx_set_dry_run(ctx, true);
	nft_ctx_buffer_output(ctx);
	nft_ctx_buffer_error(ctx);
	rc = nft_run_cmd_from_buffer(ctx, commands);
	nft_ctx_free(ctx);
	return rc ? LACK : HAVE;
}

#define IN_CHAIN(rule)                                                                          \
	"table ip6 mip6d_asks {\n chain c {\n  type filter hook prerouting priority 0;\n " rule \
	"\n }\n}\n"

static enum answer nf_tables(void)
{
	return nftables(IN_CHAIN(""));
}

/* An expression of rules; where there are no tables at all, that is said already. */
static enum answer expression(const char *commands)
{
	return nftables(commands) == HAVE || nf_tables() == LACK ? HAVE : LACK;
}

static enum answer nft_queue(void)
{
	return expression(IN_CHAIN("queue num 1"));
}

static enum answer nft_limit(void)
{
	return expression(IN_CHAIN("limit rate over 10/second drop"));
}

static enum answer nft_meter(void)
{
	return expression("table ip6 mip6d_asks {\n set s { type ipv6_addr; size 16; flags "
			  "dynamic,timeout; }\n chain c {\n  type filter hook output priority 0;\n "
			  "update @s { ip6 daddr limit rate over 10/second } drop\n }\n}\n");
}

/* A command that has done nothing for many years, and is still answered. */
static enum answer netlink_queue(void)
{
	struct nfgenmsg header = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	struct nfqnl_msg_config_cmd command = {.command = NFQNL_CFG_CMD_PF_BIND};
	struct request q;

	begin(&q, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, NLM_F_ACK, &header, sizeof(header));
	add(&q, NFQA_CFG_CMD, &command, sizeof(command));
	return judge(ask(NETLINK_NETFILTER, &q), EINVAL);
}

static enum answer optimistic(void)
{
	return access("/proc/sys/net/ipv6/conf/all/optimistic_dad", F_OK) == 0 ? HAVE : LACK;
}

/* ---- all of them ---- */

enum { HA = 1, MN = 2 };

static const struct feature {
	int roles;
	enum answer (*ask)(void);
	const char *name, *what_for, *remedy;
} features[] = {
	{HA | MN, ipv6, "CONFIG_IPV6", "everything", REBUILD},
	{HA | MN, settings, "a writable /proc/sys/net/ipv6", "settings of the interfaces",
		"mount /proc/sys for writing, or let the container do so"},
	{HA | MN, xfrm, "CONFIG_XFRM_USER", "Home Address options and type 2 routing headers",
		REBUILD},
	{HA | MN, mip6, "CONFIG_IPV6_MIP6", "Home Address options and type 2 routing headers",
		REBUILD},
	{HA | MN, tunnel, "CONFIG_IPV6_TUNNEL", "the tunnel between home agent and mobile node",
		REBUILD},
	{HA, encapsulation, "CONFIG_LWTUNNEL", "routes into the tunnel, one a binding", REBUILD},
	{MN, tables, "CONFIG_IPV6_MULTIPLE_TABLES", "routes by source address", REBUILD},
	{HA | MN, nf_tables, "CONFIG_NF_TABLES with CONFIG_NF_TABLES_IPV6",
		"filtering what comes and goes by the tunnel", REBUILD},
	{HA | MN, nft_queue, "CONFIG_NFT_QUEUE", "holding packets during a move", REBUILD},
	{HA | MN, nft_limit, "CONFIG_NFT_LIMIT", "a bound on unknown packets that are looked at",
		REBUILD},
	{MN, nft_meter, "limits in nftables sets", "watching traffic that may go directly", REBUILD},
	{HA | MN, netlink_queue, "CONFIG_NETFILTER_NETLINK_QUEUE", "holding packets during a move",
		REBUILD},
	{MN, optimistic, "CONFIG_IPV6_OPTIMISTIC_DAD", "care-of addresses that can be used at once",
		REBUILD},
};

static int capabilities_missing(features_fn *tell, void *arg)
{
	static const struct {
		unsigned capability;
		const char *name, *what_for;
	} wanted[] = {
		{CAP_NET_ADMIN, "CAP_NET_ADMIN", "routes, addresses, tunnels and XFRM"},
		{CAP_NET_RAW, "CAP_NET_RAW", "sockets for Mobility Headers and ICMPv6"},
	};
	int missing = 0;

	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (capng_have_capability(CAPNG_EFFECTIVE, wanted[i].capability))
			continue;
		tell(arg, wanted[i].name, wanted[i].what_for,
			"start it as root or by its systemd unit");
		missing++;
	}
	return missing;
}

int features_missing(bool home_agent, features_fn *tell, void *arg)
{
	int missing = capabilities_missing(tell, arg);

	if (missing)
		return missing;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *f = &features[i];

		if (!(f->roles & (home_agent ? HA : MN)))
			continue;
		switch (f->ask()) {
		case HAVE:
			break;
		case LACK:
			tell(arg, f->name, f->what_for, f->remedy);
			missing++;
			break;
		case FORBIDDEN:
			/* Root of a user name space that does not own the network. */
			tell(arg, "CAP_NET_ADMIN in the name space of this network", f->what_for,
				"start it as root of the name space that owns the network");
			return missing + 1;
		}
	}
	return missing;
}
