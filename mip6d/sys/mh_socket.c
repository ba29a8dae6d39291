/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sockets.  The first receives, and sends what the routes may carry
 * anywhere.  The second only sends, bound to an interface: an address given
 * in IPV6_PKTINFO together with an interface makes the kernel prefer that
 * interface but not insist on it, and a host route into the tunnel would win
 * over the on-link prefix; a bound socket insists.
 */
#include "mip6d/sys/mh_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mh.h"

#define BURST 64
#define BUFFER (4 << 20) /* octets waiting: some 10,000 Binding Updates */
#define RTHDR2_LEN 24

struct mh_socket {
	int fd;
	int bound_fd; /* sends only */
	int bound_to; /* interface index, 0: none yet */
};

static bool set(int fd, int option, int value)
{
	return setsockopt(fd, IPPROTO_IPV6, option, &value, sizeof(value)) == 0;
}

static int raw_socket(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, MIP6_PROTO_MH);

	return fd < 0 ? -errno : fd;
}

/* A socket that sends only must not collect copies of what arrives. */
static int receive_nothing(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {1, &drop};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

static int open_both(struct mh_socket *s)
{
	int big = BUFFER;

	s->fd = raw_socket();
	if (s->fd < 0)
		return s->fd;
	s->bound_fd = raw_socket();
	if (s->bound_fd < 0)
		return s->bound_fd;
	if (!set(s->fd, IPV6_RECVPKTINFO, 1) || !set(s->fd, IPV6_RECVDSTOPTS, 1) ||
		!set(s->fd, IPV6_RECVRTHDR, 1) || !set(s->fd, IPV6_RECVHOPLIMIT, 1))
		return -errno;
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big)) < 0)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	return receive_nothing(s->bound_fd);
}

struct mh_socket *mh_socket_open(int *err)
{
	struct mh_socket *s = calloc(1, sizeof(*s));

	if (!s) {
		*err = -ENOMEM;
		return NULL;
	}
	s->fd = s->bound_fd = -1;
	*err = open_both(s);
	if (*err) {
		mh_socket_close(s);
		return NULL;
	}
	return s;
}

void mh_socket_close(struct mh_socket *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	if (s->bound_fd >= 0)
		close(s->bound_fd);
	free(s);
}

int mh_socket_fd(const struct mh_socket *s)
{
	return s->fd;
}

/* ---- sending ---- */

static int bind_to(struct mh_socket *s, int ifindex)
{
	if (s->bound_to == ifindex)
		return 0;
	if (setsockopt(s->bound_fd, SOL_SOCKET, SO_BINDTOIFINDEX, &ifindex, sizeof(ifindex)) < 0)
		return -errno;
	s->bound_to = ifindex;
	return 0;
}

static struct cmsghdr *put_control(
	struct msghdr *m, struct cmsghdr *after, int type, const void *data, size_t len)
{
	struct cmsghdr *c = after ? CMSG_NXTHDR(m, after) : CMSG_FIRSTHDR(m);

	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return c;
}

/* RFC 6275 6.4.1: the header that the kernel is given names the first hop, the care-of address. */
static void build_rthdr2(uint8_t out[RTHDR2_LEN], const struct in6_addr *coa)
{
	memset(out, 0, RTHDR2_LEN);
	out[1] = 2; /* Hdr Ext Len */
	out[2] = MIP6_RTHDR_TYPE2;
	out[3] = 1; /* Segments Left */
	memcpy(out + 8, coa, sizeof(*coa));
}

int mh_socket_send(struct mh_socket *s, const struct mip6_packet *p)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = p->dst};
	struct iovec iov = {(void *)p->data, p->len};
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(RTHDR2_LEN)] = {0};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct in6_pktinfo info = {.ipi6_addr = p->src, .ipi6_ifindex = (unsigned)p->ifindex};
	uint8_t rthdr[RTHDR2_LEN];
	size_t used = CMSG_SPACE(sizeof(info));
	struct cmsghdr *c;
	int fd = s->fd, err;

	if (p->ifindex) {
		err = bind_to(s, p->ifindex);
		if (err)
			return err;
		fd = s->bound_fd;
		if (IN6_IS_ADDR_LINKLOCAL(&p->dst))
			to.sin6_scope_id = (uint32_t)p->ifindex;
	}
	c = put_control(&m, NULL, IPV6_PKTINFO, &info, sizeof(info));
	if (p->flags & MIP6_PKT_RH2) {
		build_rthdr2(rthdr, &p->dst_coa);
		put_control(&m, c, IPV6_RTHDR, rthdr, sizeof(rthdr));
		used += CMSG_SPACE(sizeof(rthdr));
	}
	m.msg_controllen = used;
	return sendmsg(fd, &m, 0) < 0 ? -errno : 0;
}

/* ---- receiving ---- */

/* The field of the Home Address option: after the kernel's swap, the care-of address. */
static bool find_hao(const uint8_t *data, size_t len, struct in6_addr *coa)
{
	struct rbuf r = rbuf_make(data, len), body;
	uint8_t type, n;

	if (!rbuf_skip(&r, 2)) /* Next Header, Hdr Ext Len */
		return false;
	while (rbuf_u8(&r, &type)) {
		if (type == IP6OPT_PAD1)
			continue;
		if (!rbuf_u8(&r, &n) || !rbuf_sub(&r, &body, n))
			return false;
		if (type == MIP6_DSTOPT_HAO && n == sizeof(*coa))
			return rbuf_in6(&body, coa);
	}
	return false;
}

static void take_one(const struct cmsghdr *c, struct mip6_packet *p)
{
	size_t len = c->cmsg_len - CMSG_LEN(0);
	const uint8_t *data = CMSG_DATA(c);
	struct in6_pktinfo info;
	int hops;

	if (c->cmsg_type == IPV6_PKTINFO && len >= sizeof(info)) {
		memcpy(&info, data, sizeof(info));
		p->dst = info.ipi6_addr;
		p->ifindex = (int)info.ipi6_ifindex;
	} else if (c->cmsg_type == IPV6_HOPLIMIT && len >= sizeof(hops)) {
		memcpy(&hops, data, sizeof(hops));
		p->hop_limit = (uint8_t)hops;
	} else if (c->cmsg_type == IPV6_DSTOPTS) {
		if (find_hao(data, len, &p->src_coa))
			p->flags |= MIP6_PKT_HAO;
	} else if (c->cmsg_type == IPV6_RTHDR && len >= RTHDR2_LEN && data[2] == MIP6_RTHDR_TYPE2) {
		memcpy(&p->dst_coa, data + 8, sizeof(p->dst_coa));
		p->flags |= MIP6_PKT_RH2;
	}
}

/* False: nothing more to read now. */
static bool read_one(struct mh_socket *s, mh_socket_fn *fn, void *arg)
{
	uint8_t data[MH_MAX_LEN + 64];
	_Alignas(struct cmsghdr) char control[4096]; /* two extension headers of full length */
	struct sockaddr_in6 from = {0};
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct mip6_packet p = {0};
	ssize_t n = recvmsg(s->fd, &m, 0);

	if (n < 0)
		return errno == EINTR;
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return true; /* longer than any Mobility Header */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IPV6)
			take_one(c, &p);
	p.src = from.sin6_addr;
	p.data = data;
	p.len = (size_t)n;
	fn(arg, &p);
	return true;
}

void mh_socket_read(struct mh_socket *s, mh_socket_fn *fn, void *arg)
{
	for (int i = 0; i < BURST; i++)
		if (!read_one(s, fn, arg))
			return;
}
