/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP of the VCM's protocol, vcm-protocol(7).  What protects it is IPsec's business. */
#ifndef SYS_VCM_SOCKET_H
#define SYS_VCM_SOCKET_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* Bound to address, which need not be there yet, and port; the descriptor, or a negative errno. */
int vcm_socket_open(const struct in6_addr *address, uint16_t port);
/* 0 or a negative errno. */
int vcm_socket_send(
	int fd, const struct in6_addr *to, uint16_t port, const uint8_t *data, size_t len);

typedef void vcm_socket_fn(void *arg, const struct in6_addr *from, const uint8_t *data, size_t len);
/* A burst of what came from that port; longer datagrams than VCM's largest message are dropped.  Data is wiped. */
void vcm_socket_read(int fd, uint16_t port, vcm_socket_fn *fn, void *arg);

#endif
