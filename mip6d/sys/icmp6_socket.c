/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups.  A membership costs a few dozen octets of the socket's option
 * memory, which net.core.optmem_max limits to some hundreds a socket.  So
 * memberships live on a few plain sockets besides, each filled up before the
 * next is opened; what the kernel receives because of them is delivered to
 * the raw socket as well.  A real membership, unlike a promiscuous device,
 * is announced by MLD, and switches that snoop then let the solicitations
 * through.
 */
#include "mip6d/sys/icmp6_socket.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/mh.h"
#include "mip6d/sys/ancillary.h"

#define BUFFER (2 << 20)
#define MAX_MESSAGE 1280 /* longer ones are not for us */
#define IP6_HEADER 40

struct group_key {
	int ifindex;
	struct in6_addr group;
};

struct group {
	struct group_key key;
	int fd; /* the socket that is the member */
	unsigned users;
	UT_hash_handle hh;
};

struct icmp6_socket {
	int fd;
	int packet_fd;
	struct group *groups;
	size_t n_members; /* sockets that hold memberships */
	int *members;
};

static int open_all(struct icmp6_socket *s, const uint8_t *types, size_t n)
{
	struct icmp6_filter filter;
	int off = 0, err;

	s->fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (s->fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	for (size_t i = 0; i < n; i++)
		ICMP6_FILTER_SETPASS(types[i], &filter);
	/* IPV6_MULTICAST_LOOP off: our own solicitations are no news. */
	if (setsockopt(s->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ||
		setsockopt(s->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off)) < 0)
		return -errno;
	err = ancillary_wanted(s->fd, BUFFER);
	if (err)
		return err;
	/* Protocol 0: it sends and receives nothing. */
	s->packet_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return s->packet_fd < 0 ? -errno : 0;
}

struct icmp6_socket *icmp6_socket_open(const uint8_t *types, size_t n, int *err)
{
	struct icmp6_socket *s = calloc(1, sizeof(*s));

	if (!s) {
		*err = -ENOMEM;
		return NULL;
	}
	s->fd = s->packet_fd = -1;
	*err = open_all(s, types, n);
	if (*err) {
		icmp6_socket_close(s);
		return NULL;
	}
	return s;
}

void icmp6_socket_close(struct icmp6_socket *s)
{
	struct group *g, *next;

	if (!s)
		return;
	HASH_ITER(hh, s->groups, g, next) {
		HASH_DEL(s->groups, g);
		free(g);
	}
	for (size_t i = 0; i < s->n_members; i++)
		close(s->members[i]);
	free(s->members);
	if (s->fd >= 0)
		close(s->fd);
	if (s->packet_fd >= 0)
		close(s->packet_fd);
	free(s);
}

int icmp6_socket_fd(const struct icmp6_socket *s)
{
	return s->fd;
}

/* ---- sending ---- */

static int send_unspecified(struct icmp6_socket *s, const struct mip6_packet *p)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = p->ifindex,
		.sll_halen = 6,
		.sll_addr = {0x33, 0x33}}; /* RFC 2464 7 */
	uint8_t packet[IP6_HEADER + MAX_MESSAGE];
	struct wbuf w = wbuf_make(packet, sizeof(packet));

	if (!p->ifindex || !IN6_IS_ADDR_MULTICAST(&p->dst) || p->len < 8)
		return -EINVAL;
	memcpy(to.sll_addr + 2, p->dst.s6_addr + 12, 4);
	wbuf_u32(&w, 0x60000000);
	wbuf_u16(&w, (uint16_t)p->len);
	wbuf_u8(&w, IPPROTO_ICMPV6);
	wbuf_u8(&w, p->hop_limit ? p->hop_limit : 255);
	wbuf_in6(&w, &p->src);
	wbuf_in6(&w, &p->dst);
	wbuf_bytes(&w, p->data, p->len);
	if (w.overflow)
		return -EMSGSIZE;
	wbuf_put_u16(&w, IP6_HEADER + 2, 0);
	wbuf_put_u16(&w, IP6_HEADER + 2,
		ip6_checksum(&p->src, &p->dst, IPPROTO_ICMPV6, packet + IP6_HEADER, p->len));
	return sendto(s->packet_fd, packet, w.len, 0, (struct sockaddr *)&to, sizeof(to)) < 0
		       ? -errno
		       : 0;
}

int icmp6_socket_send(struct icmp6_socket *s, const struct mip6_packet *p)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = p->dst};
	struct iovec iov = {(void *)p->data, p->len};
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
			CMSG_SPACE(ANCILLARY_RTHDR2_LEN)] = {0};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct in6_pktinfo info = {.ipi6_addr = p->src, .ipi6_ifindex = (unsigned)p->ifindex};
	int hops = p->hop_limit ? p->hop_limit : -1; /* -1: the default */
	uint8_t rthdr[ANCILLARY_RTHDR2_LEN];
	struct cmsghdr *c;

	if (in6_is_any(&p->src))
		return send_unspecified(s, p);
	if (IN6_IS_ADDR_LINKLOCAL(&p->dst) || IN6_IS_ADDR_MULTICAST(&p->dst))
		to.sin6_scope_id = (uint32_t)p->ifindex;
	c = ancillary_put(&m, NULL, IPV6_PKTINFO, &info, sizeof(info));
	c = ancillary_put(&m, c, IPV6_HOPLIMIT, &hops, sizeof(hops));
	m.msg_controllen = sizeof(control) - CMSG_SPACE(sizeof(rthdr));
	if (p->flags & MIP6_PKT_RH2) {
		m.msg_controllen = sizeof(control);
		ancillary_rthdr2(rthdr, &p->dst_coa);
		ancillary_put(&m, c, IPV6_RTHDR, rthdr, sizeof(rthdr));
	}
	return sendmsg(s->fd, &m, 0) < 0 ? -errno : 0;
}

/* ---- receiving ---- */

void icmp6_socket_read(struct icmp6_socket *s, icmp6_socket_fn *fn, void *arg)
{
	uint8_t data[MAX_MESSAGE];

	ancillary_read(s->fd, data, sizeof(data), fn, arg);
}

int icmp6_socket_anycast(struct icmp6_socket *s, int ifindex, const struct in6_addr *addr, bool on)
{
	struct ipv6_mreq mreq = {*addr, (unsigned)ifindex};
	int option = on ? IPV6_JOIN_ANYCAST : IPV6_LEAVE_ANYCAST;

	return setsockopt(s->fd, IPPROTO_IPV6, option, &mreq, sizeof(mreq)) < 0 ? -errno : 0;
}

/* ---- groups ---- */

static int membership(int fd, int option, const struct group_key *key)
{
	struct ipv6_mreq mreq = {key->group, (unsigned)key->ifindex};

	return setsockopt(fd, IPPROTO_IPV6, option, &mreq, sizeof(mreq)) < 0 ? -errno : 0;
}

static int new_member(struct icmp6_socket *s)
{
	int *more = realloc(s->members, (s->n_members + 1) * sizeof(*more)), fd;

	if (!more)
		return -ENOMEM;
	s->members = more;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	s->members[s->n_members++] = fd;
	return fd;
}

/* The newest socket has room most of the time; those before it when groups were left. */
static int join(struct icmp6_socket *s, const struct group_key *key)
{
	int err, fd;

	for (size_t i = s->n_members; i > 0; i--) {
		err = membership(s->members[i - 1], IPV6_JOIN_GROUP, key);
		if (!err)
			return s->members[i - 1];
		if (err != -ENOMEM && err != -ENOBUFS)
			return err;
	}
	fd = new_member(s);
	if (fd < 0)
		return fd;
	err = membership(fd, IPV6_JOIN_GROUP, key);
	return err ? err : fd;
}

int icmp6_socket_group(struct icmp6_socket *s, int ifindex, const struct in6_addr *addr, bool on)
{
	struct group_key key;
	struct group *g;
	int err;

	memset(&key, 0, sizeof(key));
	key.ifindex = ifindex;
	key.group = in6_solicited_node(addr);
	HASH_FIND(hh, s->groups, &key, sizeof(key), g);
	if (!on) {
		if (!g)
			return -ENOENT;
		if (--g->users)
			return 0;
		/* When the interface is gone, so is the membership. */
		err = membership(g->fd, IPV6_LEAVE_GROUP, &key);
		HASH_DEL(s->groups, g);
		free(g);
		return err == -EADDRNOTAVAIL || err == -ENODEV ? 0 : err;
	}
	if (g) {
		g->users++;
		return 0;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->key = key;
	g->users = 1;
	err = join(s, &key);
	if (err < 0) {
		free(g);
		return err;
	}
	g->fd = err;
	HASH_ADD(hh, s->groups, key, sizeof(g->key), g);
	return 0;
}
