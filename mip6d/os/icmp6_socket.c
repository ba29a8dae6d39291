/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A raw ICMPv6 socket for everything that has a source address, and a packet
 * socket for what has none: the kernel does not let a raw socket send from ::.
 */
#include "mip6d/os/icmp6_socket.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/mh.h"

#define BURST 64
#define MAX_LEN 1500

struct icmp6_socket {
	int raw, packet;
};

struct icmp6_socket *icmp6_socket_open(void)
{
	struct icmp6_socket *s = calloc(1, sizeof(*s));
	struct icmp6_filter filter;
	int one = 1, hops = 255, zero = 0, big = 1 << 20;

	if (!s)
		return NULL;
	s->raw = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	s->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->raw < 0 || s->packet < 0)
		goto fail;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6T_RA, &filter);
	ICMP6_FILTER_SETPASS(ICMP6T_NS, &filter);
	ICMP6_FILTER_SETPASS(ICMP6T_NA, &filter);
	if (setsockopt(s->raw, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ||
		setsockopt(s->raw, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)) < 0 ||
		setsockopt(s->raw, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one)) < 0 ||
		setsockopt(s->raw, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)) < 0 ||
		setsockopt(s->raw, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) < 0 ||
		setsockopt(s->raw, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &zero, sizeof(zero)) < 0)
		goto fail;
	(void)setsockopt(s->raw, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	return s;
fail:
	icmp6_socket_close(s);
	return NULL;
}

void icmp6_socket_close(struct icmp6_socket *s)
{
	if (!s)
		return;
	if (s->raw >= 0)
		close(s->raw);
	if (s->packet >= 0)
		close(s->packet);
	free(s);
}

int icmp6_socket_fd(const struct icmp6_socket *s)
{
	return s->raw;
}

static int send_unspecified(struct icmp6_socket *s, const struct mip6_packet *p)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = p->ifindex, .sll_halen = ETH_ALEN};
	uint8_t out[sizeof(struct ip6_hdr) + MAX_LEN];
	struct wbuf w = wbuf_make(out, sizeof(out));
	size_t at;

	if (!IN6_IS_ADDR_MULTICAST(&p->dst))
		return -EDESTADDRREQ;
	/* RFC 2464 7: 33:33 and the last four octets of the group */
	to.sll_addr[0] = to.sll_addr[1] = 0x33;
	memcpy(to.sll_addr + 2, p->dst.s6_addr + 12, 4);
	wbuf_u32(&w, 6u << 28);
	wbuf_u16(&w, (uint16_t)p->len);
	wbuf_u8(&w, IPPROTO_ICMPV6);
	wbuf_u8(&w, 255);
	wbuf_in6(&w, &p->src);
	wbuf_in6(&w, &p->dst);
	at = w.len;
	wbuf_bytes(&w, p->data, p->len);
	if (w.overflow || p->len < 4)
		return -EMSGSIZE;
	wbuf_put_u16(&w, at + 2, ip6_checksum(&p->src, &p->dst, IPPROTO_ICMPV6, out + at, p->len));
	return sendto(s->packet, out, w.len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

int icmp6_socket_send(struct icmp6_socket *s, const struct mip6_packet *p)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = p->dst};
	struct iovec iov = {(void *)p->data, p->len};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control)};
	struct in6_pktinfo info = {.ipi6_addr = p->src, .ipi6_ifindex = (unsigned)p->ifindex};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (in6_is_any(&p->src) && p->ifindex)
		return send_unspecified(s, p);
	if (p->ifindex)
		to.sin6_scope_id = (uint32_t)p->ifindex;
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return sendmsg(s->raw, &m, 0) < 0 ? -errno : 0;
}

static void take_control(struct msghdr *m, struct mip6_packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			p->dst = info.ipi6_addr;
			p->ifindex = (int)info.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
			int hops;

			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			p->hop_limit = (uint8_t)hops;
		}
	}
}

void icmp6_socket_read(struct icmp6_socket *s, void (*fn)(void *arg, const struct mip6_packet *p), void *arg)
{
	uint8_t data[65536];
	_Alignas(struct cmsghdr) char control[512];

	for (int i = 0; i < BURST; i++) {
		struct sockaddr_in6 from;
		struct iovec iov = {data, sizeof(data)};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control)};
		struct mip6_packet p = {0};
		ssize_t n = recvmsg(s->raw, &m, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		p.src = from.sin6_addr;
		p.data = data;
		p.len = (size_t)n;
		take_control(&m, &p);
		fn(arg, &p);
	}
}

int icmp6_socket_listen(struct icmp6_socket *s, int ifindex, const struct in6_addr *addr, bool on)
{
	struct packet_mreq m = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_ALLMULTI};

	(void)addr; /* one membership for all: the group of each would cost a join and a report */
	return setsockopt(s->packet, SOL_PACKET, on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &m, sizeof(m)) < 0
		       ? -errno
		       : 0;
}
