/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/monitor.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mip6d/os/netlink.h"

struct monitor {
	struct monitor_handlers h;
	struct nl_sock *events;
	struct nlreq *ask;
};

static void link_message(struct monitor *m, struct nlmsghdr *h)
{
	struct ifinfomsg *i = nlmsg_data(h);
	struct nlattr *name = nlmsg_find_attr(h, sizeof(*i), IFLA_IFNAME);
	struct nlattr *mac = nlmsg_find_attr(h, sizeof(*i), IFLA_ADDRESS);
	bool up = h->nlmsg_type == RTM_NEWLINK && (i->ifi_flags & IFF_UP) && (i->ifi_flags & IFF_LOWER_UP);

	m->h.link(m->h.arg, i->ifi_index, name ? nla_get_string(name) : "", up,
		mac && nla_len(mac) == 6 ? nla_data(mac) : NULL);
}

static void address_message(struct monitor *m, struct nlmsghdr *h)
{
	struct ifaddrmsg *a = nlmsg_data(h);
	struct nlattr *at = nlmsg_find_attr(h, sizeof(*a), IFA_ADDRESS);
	struct nlattr *fl = nlmsg_find_attr(h, sizeof(*a), IFA_FLAGS);
	uint32_t flags = fl ? nla_get_u32(fl) : a->ifa_flags;
	enum monitor_address state = MON_READY;
	struct in6_addr addr;

	if (a->ifa_family != AF_INET6 || !at || nla_len(at) != 16)
		return;
	memcpy(&addr, nla_data(at), 16);
	if (h->nlmsg_type == RTM_DELADDR)
		/* The kernel takes a duplicate away when it had a lifetime. */
		state = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) ? MON_DUPLICATE : MON_REMOVED;
	else if (flags & IFA_F_DADFAILED)
		state = MON_DUPLICATE;
	else if (flags & IFA_F_OPTIMISTIC)
		state = MON_OPTIMISTIC;
	else if (flags & IFA_F_TENTATIVE)
		state = MON_TENTATIVE;
	m->h.address(m->h.arg, (int)a->ifa_index, &addr, state);
}

static void neighbour_message(struct monitor *m, struct nlmsghdr *h)
{
	struct ndmsg *n = nlmsg_data(h);
	struct nlattr *at = nlmsg_find_attr(h, sizeof(*n), NDA_DST);
	struct in6_addr addr;

	if (n->ndm_family != AF_INET6 || !at || nla_len(at) != 16 || h->nlmsg_type != RTM_NEWNEIGH)
		return;
	memcpy(&addr, nla_data(at), 16);
	if (n->ndm_state & NUD_FAILED)
		m->h.neighbour(m->h.arg, n->ndm_ifindex, &addr, false);
	else if (n->ndm_state & NUD_REACHABLE)
		m->h.neighbour(m->h.arg, n->ndm_ifindex, &addr, true);
}

static int message(struct nlmsghdr *h, void *arg)
{
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_message(arg, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		address_message(arg, h);
		break;
	case RTM_NEWNEIGH:
		neighbour_message(arg, h);
		break;
	default:
		break;
	}
	return 0;
}

struct monitor *monitor_open(const struct monitor_handlers *h)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->h = *h;
	m->ask = nlreq_new(NETLINK_ROUTE);
	m->events = nl_socket_alloc();
	if (!m->ask || !m->events || nl_connect(m->events, NETLINK_ROUTE) < 0 ||
		nl_socket_add_memberships(m->events, RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEIGH, 0) < 0 ||
		nl_socket_set_nonblocking(m->events) < 0) {
		monitor_close(m);
		return NULL;
	}
	(void)nl_socket_set_buffer_size(m->events, 1 << 21, 0);
	return m;
}

void monitor_close(struct monitor *m)
{
	if (!m)
		return;
	if (m->events)
		nl_socket_free(m->events);
	nlreq_free(m->ask);
	free(m);
}

int monitor_fd(const struct monitor *m)
{
	return nl_socket_get_fd(m->events);
}

int monitor_sync(struct monitor *m)
{
	struct ifinfomsg l = {.ifi_family = AF_UNSPEC};
	struct ifaddrmsg a = {.ifa_family = AF_INET6};
	int err = nlreq_dump(m->ask, nlreq_msg(RTM_GETADDR, NLM_F_DUMP, &a, sizeof(a)), message, m);

	return err ? err : nlreq_dump(m->ask, nlreq_msg(RTM_GETLINK, NLM_F_DUMP, &l, sizeof(l)), message, m);
}

void monitor_read(struct monitor *m)
{
	_Alignas(struct nlmsghdr) char buf[32768];

	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(monitor_fd(m), buf, sizeof(buf), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)buf;

		if (n < 0 && errno == ENOBUFS) {
			(void)monitor_sync(m);
			continue;
		}
		if (n <= 0)
			return;
		for (int left = (int)n; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			(void)message(h, m);
	}
}
