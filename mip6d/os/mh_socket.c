/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel takes the Home Address option and the type 2 routing header off
 * and swaps the addresses; what it took comes as ancillary data, where the
 * care-of address now is.  On the way out it computes the checksum, puts a
 * type 2 routing header in from ancillary data, and the Home Address option
 * in by an XFRM policy.
 */
#include "mip6d/os/mh_socket.h"

#include <errno.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mh.h"

#define BURST 64

static bool set(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_IPV6, option, &value, sizeof(value)) == 0;
}

int mh_socket_open(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, MIP6_PROTO_MH), big = 1 << 22;

	if (fd < 0)
		return -errno;
	if (!set(fd, IPV6_RECVPKTINFO, 1) || !set(fd, IPV6_RECVDSTOPTS, 1) || !set(fd, IPV6_RECVRTHDR, 1) ||
		!set(fd, IPV6_RECVHOPLIMIT, 1)) {
		int err = -errno;

		close(fd);
		return err;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	return fd;
}

struct rthdr2 {
	uint8_t next, len, type, left;
	uint32_t reserved;
	struct in6_addr home_address;
};

int mh_socket_send(int fd, const struct mip6_packet *p)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = p->dst};
	struct iovec iov = {(void *)p->data, p->len};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct rthdr2))];
	struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control)};
	struct in6_pktinfo info = {.ipi6_addr = p->src, .ipi6_ifindex = (unsigned)p->ifindex};
	struct cmsghdr *c;
	size_t used = CMSG_SPACE(sizeof(info));

	memset(control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	if (p->flags & MIP6_PKT_RH2) {
		struct rthdr2 rh = {.len = 2, .type = MIP6_RTHDR_TYPE2, .left = 1, .home_address = p->dst_coa};

		c = CMSG_NXTHDR(&m, c);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_RTHDR;
		c->cmsg_len = CMSG_LEN(sizeof(rh));
		memcpy(CMSG_DATA(c), &rh, sizeof(rh));
		used += CMSG_SPACE(sizeof(rh));
	}
	m.msg_controllen = used;
	return sendmsg(fd, &m, 0) < 0 ? -errno : 0;
}

/* The Home Address option's field: the care-of address, after the kernel's swap. */
static bool find_hao(const uint8_t *data, size_t len, struct in6_addr *coa)
{
	struct rbuf r = rbuf_make(data, len), body;
	uint8_t type, n;

	if (!rbuf_skip(&r, 2)) /* Next Header, Hdr Ext Len */
		return false;
	while (rbuf_u8(&r, &type)) {
		if (type == 0) /* Pad1 */
			continue;
		if (!rbuf_u8(&r, &n) || !rbuf_sub(&r, &body, n))
			return false;
		if (type == MIP6_DSTOPT_HAO && n == 16)
			return rbuf_in6(&body, coa);
	}
	return false;
}

static void take_control(struct msghdr *m, struct mip6_packet *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t len = c->cmsg_len - CMSG_LEN(0);
		const uint8_t *data = CMSG_DATA(c);

		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO && len >= sizeof(struct in6_pktinfo)) {
			struct in6_pktinfo info;

			memcpy(&info, data, sizeof(info));
			p->dst = info.ipi6_addr;
			p->ifindex = (int)info.ipi6_ifindex;
		} else if (c->cmsg_type == IPV6_HOPLIMIT && len >= sizeof(int)) {
			int hops;

			memcpy(&hops, data, sizeof(hops));
			p->hop_limit = (uint8_t)hops;
		} else if (c->cmsg_type == IPV6_DSTOPTS) {
			if (find_hao(data, len, &p->src_coa))
				p->flags |= MIP6_PKT_HAO;
		} else if (c->cmsg_type == IPV6_RTHDR && len >= sizeof(struct rthdr2) && data[2] == MIP6_RTHDR_TYPE2) {
			memcpy(&p->dst_coa, data + 8, 16);
			p->flags |= MIP6_PKT_RH2;
		}
	}
}

void mh_socket_read(int fd, void (*fn)(void *arg, const struct mip6_packet *p), void *arg)
{
	uint8_t data[MH_MAX_LEN + 64];
	_Alignas(struct cmsghdr) char control[4096];

	for (int i = 0; i < BURST; i++) {
		struct sockaddr_in6 from;
		struct iovec iov = {data, sizeof(data)};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control)};
		struct mip6_packet p = {0};
		ssize_t n = recvmsg(fd, &m, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
			continue;
		p.src = from.sin6_addr;
		p.data = data;
		p.len = (size_t)n;
		take_control(&m, &p);
		fn(arg, &p);
	}
}
