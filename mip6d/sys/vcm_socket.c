/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/vcm_socket.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vcm/message.h"

#define BURST 64

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78 /* linux/in6.h, which does not go with netinet/in.h */
#endif

int vcm_socket_open(const struct in6_addr *address, uint16_t port)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *address};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, err;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof(one)) == 0 &&
		bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	err = errno;
	close(fd);
	return -err;
}

int vcm_socket_send(
	int fd, const struct in6_addr *to, uint16_t port, const uint8_t *data, size_t len)
{
	struct sockaddr_in6 sa = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *to};

	if (sendto(fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -errno;
	return 0;
}

void vcm_socket_read(int fd, uint16_t port, vcm_socket_fn *fn, void *arg)
{
	uint8_t data[VCM_MESSAGE_MAX + 1];

	for (int i = 0; i < BURST; i++) {
		struct sockaddr_in6 sa;
		socklen_t len = sizeof(sa);
		ssize_t n = recvfrom(
			fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&sa, &len);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n > 0 && (size_t)n <= VCM_MESSAGE_MAX && len == sizeof(sa) &&
			ntohs(sa.sin6_port) == port)
			fn(arg, &sa.sin6_addr, data, (size_t)n);
	}
	OPENSSL_cleanse(data, sizeof(data));
}
