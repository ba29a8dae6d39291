/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbor Discovery messages in and out. */
#ifndef OS_ICMP6_SOCKET_H
#define OS_ICMP6_SOCKET_H

#include "mip6/env.h"

struct icmp6_socket;

/* Receives Router Advertisements, Neighbor Solicitations and Advertisements.  NULL: errno says why. */
struct icmp6_socket *icmp6_socket_open(void);
void icmp6_socket_close(struct icmp6_socket *s);
int icmp6_socket_fd(const struct icmp6_socket *s);
/* Hop limit 255; src :: goes out as it is.  Needs ifindex. */
int icmp6_socket_send(struct icmp6_socket *s, const struct mip6_packet *p);
void icmp6_socket_read(struct icmp6_socket *s, void (*fn)(void *arg, const struct mip6_packet *p), void *arg);
/* Hear what is sent to addr's solicited-node group on ifindex, or no longer. */
int icmp6_socket_listen(struct icmp6_socket *s, int ifindex, const struct in6_addr *addr, bool on);

#endif
