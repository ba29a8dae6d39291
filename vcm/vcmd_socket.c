/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_socket.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vcm/message.h"

#define BURST 32 /* datagrams in one call */
#define TURNS 8 /* calls, then others have their turn */
#define BUFFER (4 << 20) /* of the kernel: a thousand nodes that ask at once */
#define OUTBOX_MAX (64 << 20)

int vcmd_socket_open(const struct in6_addr *address, uint16_t port)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *address};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = BUFFER, one = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)); /* at most net.core.rmem_max */
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0 &&
		bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	one = errno;
	close(fd);
	return -one;
}

struct burst {
	struct mmsghdr m[BURST];
	struct iovec v[BURST];
	struct sockaddr_in6 from[BURST];
	uint8_t data[BURST][VCM_MESSAGE_MAX];
};

static int read_burst(int fd, struct burst *b)
{
	for (size_t i = 0; i < BURST; i++) {
		b->v[i] = (struct iovec){b->data[i], sizeof(b->data[i])};
		b->m[i].msg_hdr = (struct msghdr){.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->v[i],
			.msg_iovlen = 1};
	}
	return recvmmsg(fd, b->m, BURST, MSG_DONTWAIT, NULL);
}

void vcmd_socket_read(int fd, vcmd_datagram_fn *fn, void *arg)
{
	struct burst b;

	for (int turn = 0, n = BURST; turn < TURNS && n == BURST; turn++) {
		n = read_burst(fd, &b);
		for (int i = 0; i < n; i++)
			if (!(b.m[i].msg_hdr.msg_flags & MSG_TRUNC) &&
				b.m[i].msg_hdr.msg_namelen == sizeof(b.from[i]))
				fn(arg, &b.from[i].sin6_addr, ntohs(b.from[i].sin6_port), b.data[i],
					b.m[i].msg_len);
	}
	OPENSSL_cleanse(b.data, sizeof(b.data)); /* public keys at most, but who knows what is sent */
}

void vcmd_socket_drain(int fd)
{
	uint8_t octet;

	while (recv(fd, &octet, sizeof(octet), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		;
}

/* ---- what goes out ---- */

struct row { /* in front of the octets of each datagram */
	int fd;
	struct in6_addr to;
	uint16_t port, len;
};

/* realloc() could leave keys behind. */
static bool grow(struct vcmd_outbox *o, size_t want)
{
	size_t cap = o->cap ? o->cap : 65536;
	uint8_t *more;

	while (cap < want)
		cap *= 2;
	more = malloc(cap);
	if (!more)
		return false;
	if (o->n)
		memcpy(more, o->octets, o->n);
	vcmd_outbox_free(&(struct vcmd_outbox){.n = o->n, .octets = o->octets});
	o->octets = more;
	o->cap = cap;
	return true;
}

int vcmd_outbox_put(struct vcmd_outbox *o, int fd, const struct in6_addr *to, uint16_t port,
	const uint8_t *data, size_t len)
{
	struct row r = {fd, *to, port, (uint16_t)len};

	if (len > VCM_MESSAGE_MAX || o->n + sizeof(r) + len > OUTBOX_MAX)
		return -ENOBUFS;
	if (o->n + sizeof(r) + len > o->cap && !grow(o, o->n + sizeof(r) + len))
		return -ENOMEM;
	memcpy(o->octets + o->n, &r, sizeof(r));
	memcpy(o->octets + o->n + sizeof(r), data, len);
	o->n += sizeof(r) + len;
	return 0;
}

void vcmd_outbox_flush(struct vcmd_outbox *o)
{
	struct row r;

	for (size_t at = 0; at < o->n; at += sizeof(r) + r.len) {
		struct sockaddr_in6 sa = {.sin6_family = AF_INET6};

		memcpy(&r, o->octets + at, sizeof(r));
		sa.sin6_addr = r.to;
		sa.sin6_port = htons(r.port);
		/* What the kernel does not take now is as lost on the way: it is repeated. */
		if (sendto(r.fd, o->octets + at + sizeof(r), r.len, MSG_DONTWAIT | MSG_NOSIGNAL,
			    (struct sockaddr *)&sa, sizeof(sa)) == r.len)
			o->sent++;
		else
			o->failed++;
	}
	if (o->n)
		OPENSSL_cleanse(o->octets, o->n);
	o->n = 0;
}

void vcmd_outbox_free(struct vcmd_outbox *o)
{
	if (o->octets)
		OPENSSL_cleanse(o->octets, o->n);
	free(o->octets);
	o->octets = NULL;
	o->n = o->cap = 0;
}
