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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mh.h"
#include "mip6d/sys/ancillary.h"

#define BUFFER (4 << 20) /* octets waiting: some 10,000 Binding Updates */

struct mh_socket {
	int fd;
	int bound_fd; /* sends only */
	int bound_to; /* interface index, 0: none yet */
};

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
	int err;

	s->fd = raw_socket();
	if (s->fd < 0)
		return s->fd;
	s->bound_fd = raw_socket();
	if (s->bound_fd < 0)
		return s->bound_fd;
	err = ancillary_wanted(s->fd, BUFFER);
	return err ? err : receive_nothing(s->bound_fd);
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

int mh_socket_send(struct mh_socket *s, const struct mip6_packet *p)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = p->dst};
	struct iovec iov = {(void *)p->data, p->len};
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(ANCILLARY_RTHDR2_LEN)] = {0};
	struct msghdr m = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct in6_pktinfo info = {.ipi6_addr = p->src, .ipi6_ifindex = (unsigned)p->ifindex};
	uint8_t rthdr[ANCILLARY_RTHDR2_LEN];
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
	c = ancillary_put(&m, NULL, IPV6_PKTINFO, &info, sizeof(info));
	if (p->flags & MIP6_PKT_RH2) {
		ancillary_rthdr2(rthdr, &p->dst_coa);
		ancillary_put(&m, c, IPV6_RTHDR, rthdr, sizeof(rthdr));
		used += CMSG_SPACE(sizeof(rthdr));
	}
	m.msg_controllen = used;
	return sendmsg(fd, &m, 0) < 0 ? -errno : 0;
}

/* ---- receiving ---- */

void mh_socket_read(struct mh_socket *s, mh_socket_fn *fn, void *arg)
{
	uint8_t data[MH_MAX_LEN + 64];

	ancillary_read(s->fd, data, sizeof(data), fn, arg);
}
