/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/ancillary.h"

#include <errno.h>
#include <netinet/ip6.h>
#include <string.h>

#include "lib/buf.h"
#include "mip6/wire.h"

#define BURST 64
#define CONTROL_MAX 4096 /* two extension headers of full length */

struct cmsghdr *ancillary_put(
	struct msghdr *m, struct cmsghdr *after, int type, const void *data, size_t len)
{
	struct cmsghdr *c = after ? CMSG_NXTHDR(m, after) : CMSG_FIRSTHDR(m);

	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return c;
}

void ancillary_rthdr2(uint8_t out[ANCILLARY_RTHDR2_LEN], const struct in6_addr *care_of)
{
	memset(out, 0, ANCILLARY_RTHDR2_LEN);
	out[1] = 2; /* Hdr Ext Len */
	out[2] = MIP6_RTHDR_TYPE2;
	out[3] = 1; /* Segments Left */
	memcpy(out + 8, care_of, sizeof(*care_of));
}

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

static void take(const struct cmsghdr *c, struct mip6_packet *p)
{
	size_t len = c->cmsg_len - CMSG_LEN(0);
	const uint8_t *data = CMSG_DATA(c);
	struct in6_pktinfo info;
	int hops;

	if (c->cmsg_level != IPPROTO_IPV6)
		return;
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
	} else if (c->cmsg_type == IPV6_RTHDR && len >= ANCILLARY_RTHDR2_LEN &&
		   data[2] == MIP6_RTHDR_TYPE2) {
		memcpy(&p->dst_coa, data + 8, sizeof(p->dst_coa));
		p->flags |= MIP6_PKT_RH2;
	}
}

static bool set(int fd, int option)
{
	int on = 1;

	return setsockopt(fd, IPPROTO_IPV6, option, &on, sizeof(on)) == 0;
}

int ancillary_wanted(int fd, int buffer)
{
	if (!set(fd, IPV6_RECVPKTINFO) || !set(fd, IPV6_RECVDSTOPTS) || !set(fd, IPV6_RECVRTHDR) ||
		!set(fd, IPV6_RECVHOPLIMIT))
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	return 0;
}

/* False: nothing more to read now. */
static bool read_one(int fd, uint8_t *data, size_t len, ancillary_fn *fn, void *arg)
{
	_Alignas(struct cmsghdr) char control[CONTROL_MAX];
	struct sockaddr_in6 from = {0};
	struct iovec iov = {data, len};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct mip6_packet p = {0};
	ssize_t n = recvmsg(fd, &m, 0);

	if (n < 0)
		return errno == EINTR;
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		take(c, &p);
	p.src = from.sin6_addr;
	p.data = data;
	p.len = (size_t)n;
	fn(arg, &p);
	return true;
}

void ancillary_read(int fd, uint8_t *data, size_t len, ancillary_fn *fn, void *arg)
{
	for (int i = 0; i < BURST; i++)
		if (!read_one(fd, data, len, fn, arg))
			return;
}
