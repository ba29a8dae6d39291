/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes back from the direct path: the kernel's reports of packets that
 * it dropped because of their Home Address option (RFC 6275 9.3.1), and
 * ICMPv6 errors.  The kernel reports each packet, so the packet filter drops
 * a flood of them before it gets that far.
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <linux/xfrm.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/addr.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/ro_internal.h"

#define BURST 64
#define PACKET 1500 /* of an ICMPv6 error counts what fits the IPv6 minimum MTU */

/* ---- reports ---- */

static void report(void *arg, const struct nlmsghdr *h)
{
	struct ro_kernel *k = arg;
	struct in6_addr local, home, care_of;
	struct xfrm_user_report r;
	struct nlattr *a;

	if (h->nlmsg_type != XFRM_MSG_REPORT || h->nlmsg_len < NLMSG_LENGTH(sizeof(r)))
		return;
	memcpy(&r, NLMSG_DATA((struct nlmsghdr *)h), sizeof(r));
	a = nlmsg_find_attr((struct nlmsghdr *)h, sizeof(r), XFRMA_COADDR);
	if (r.proto != IPPROTO_DSTOPTS || !a || nla_len(a) != sizeof(care_of))
		return;
	memcpy(&home, &r.sel.saddr, sizeof(home));
	memcpy(&local, &r.sel.daddr, sizeof(local));
	memcpy(&care_of, nla_data(a), sizeof(care_of));
	k->stats.reports++;
	if (k->events->unverified)
		k->events->unverified(k->ctx, &local, &home, &care_of);
}

static void read_reports(void *arg)
{
	struct ro_kernel *k = arg;

	nlevent_read(k->report_fd, report, k); /* one that is lost costs a Binding Error */
}

static int open_reports(void)
{
	struct sockaddr_nl me = {
		.nl_family = AF_NETLINK, .nl_groups = 1u << (XFRMNLGRP_REPORT - 1)};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_XFRM);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&me, sizeof(me)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd < 0 ? -errno : fd;
}

/* ---- ICMPv6 errors ---- */

static void read_errors(void *arg)
{
	struct ro_kernel *k = arg;
	struct icmp6_error e;
	uint8_t data[PACKET];

	for (int i = 0; i < BURST; i++) {
		ssize_t n = recv(k->error_fd, data, sizeof(data), 0);

		if (n < 0)
			return;
		if (!icmp6_error_parse(data, (size_t)n, &e))
			continue;
		k->stats.errors++;
		if (e.type == ICMP6T_TOO_BIG)
			ro_pmtu_error(k, &e);
		if (k->events->icmp_error)
			k->events->icmp_error(k->ctx, &e);
	}
}

static int open_errors(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	struct icmp6_filter f;

	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&f);
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &f);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &f);
	ICMP6_FILTER_SETPASS(ICMP6_PARAM_PROB, &f);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &f, sizeof(f)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int ro_report_open(struct ro_kernel *k)
{
	int err;

	k->report_fd = open_reports();
	if (k->report_fd < 0)
		return k->report_fd;
	k->error_fd = open_errors();
	if (k->error_fd < 0)
		return k->error_fd;
	err = sys_loop_read(k->loop, k->report_fd, read_reports, k);
	return err ? err : sys_loop_read(k->loop, k->error_fd, read_errors, k);
}

void ro_report_close(struct ro_kernel *k)
{
	int fds[] = {k->report_fd, k->error_fd};

	for (size_t i = 0; i < 2; i++) {
		if (fds[i] < 0)
			continue;
		sys_loop_forget(k->loop, fds[i]);
		close(fds[i]);
	}
	k->report_fd = k->error_fd = -1;
}

/* ---- the packet filter ---- */

#define ADD_AGAIN                              \
	"add table ip6 " SYS_NFT_TABLE_RO "\n" \
	"delete table ip6 " SYS_NFT_TABLE_RO "\n"

/*
 * The option is the first of the first header after the IPv6 header, or of
 * the one behind a type 2 routing header: as RFC 6275 6.3 has nodes put it.
 * Mobility Headers (135) and ESP (50) behind it need no binding.
 */
#define RULES                                                                                \
	"set " SYS_NFT_RO_BOUND " { typeof ip6 saddr . @nh,384,128; }\n"                     \
	"chain unbound { type filter hook input priority %d;\n"                              \
	"ip6 nexthdr 60 ip6 saddr . @nh,384,128 @" SYS_NFT_RO_BOUND " accept\n"              \
	"ip6 nexthdr 60 @nh,320,8 { 50, 135 } accept\n"                                      \
	"ip6 nexthdr 60 limit rate over 10/second burst 5 packets drop\n"                    \
	"ip6 nexthdr 43 @nh,320,8 60 ip6 saddr . @nh,576,128 @" SYS_NFT_RO_BOUND " accept\n" \
	"ip6 nexthdr 43 @nh,320,8 60 @nh,512,8 { 50, 135 } accept\n"                         \
	"ip6 nexthdr 43 @nh,320,8 60 limit rate over 10/second burst 5 packets drop\n"       \
	"}\n"

#define TEXT 32768

int ro_filter_open(struct ro_kernel *k, char *err, size_t errlen)
{
	char *text = malloc(TEXT), why[512] = "too many rules";
	int n, rc = -EINVAL;

	if (!text) {
		snprintf(err, errlen, "out of memory");
		return -ENOMEM;
	}
	n = snprintf(text, TEXT, ADD_AGAIN "table ip6 " SYS_NFT_TABLE_RO " {\n" RULES,
		SYS_NFT_PRIORITY - 10);
	if (ro_watch_rules(&k->config, text + n, TEXT - (size_t)n - 3)) {
		strcat(text, "}\n");
		rc = nft_load(text, false, why, sizeof(why));
	}
	free(text);
	if (rc < 0)
		snprintf(err, errlen,
			"the packet filter refuses the rules for route optimization "
			"(CONFIG_NF_TABLES_IPV6, CONFIG_NFT_LIMIT, CONFIG_NFT_QUEUE): %s",
			why);
	return rc;
}

void ro_filter_close(void)
{
	char why[256];

	nft_load(ADD_AGAIN, false, why, sizeof(why));
}

int ro_filter_binding(
	struct ro_kernel *k, const struct in6_addr *care_of, const struct in6_addr *home, bool add)
{
	struct nft_change c = {.table = SYS_NFT_TABLE_RO, .set = SYS_NFT_RO_BOUND, .add = add};
	int err;

	memcpy(c.key, care_of, sizeof(*care_of));
	memcpy(c.key + sizeof(*care_of), home, sizeof(*home));
	err = nft_elements(k->nf, 2 * sizeof(*home), &c, 1);
	return err == -ENOENT && !add ? 0 : err;
}
