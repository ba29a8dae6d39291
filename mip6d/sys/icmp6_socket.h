/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMPv6: the raw socket that receives the few types somebody wants, sending
 * with any hop limit and source, and membership in solicited-node groups.
 */
#ifndef SYS_ICMP6_SOCKET_H
#define SYS_ICMP6_SOCKET_H

#include "mip6/env.h"

struct icmp6_socket; /* opaque */

/* types: n ICMPv6 types to receive.  NULL, with *err a negative errno. */
struct icmp6_socket *icmp6_socket_open(const uint8_t *types, size_t n, int *err);
void icmp6_socket_close(struct icmp6_socket *s);
int icmp6_socket_fd(const struct icmp6_socket *s);

typedef void icmp6_socket_fn(void *arg, const struct mip6_packet *p);
/* Read a burst; the kernel has verified the checksum.  p lives only during the call. */
void icmp6_socket_read(struct icmp6_socket *s, icmp6_socket_fn *fn, void *arg);

/*
 * Send.  A source of :: (Duplicate Address Detection, early Router
 * Solicitations) needs an ifindex and a multicast destination: such a packet
 * is made by hand, checksum included, and given to the device.
 */
int icmp6_socket_send(struct icmp6_socket *s, const struct mip6_packet *p);

/*
 * Be a member of addr's solicited-node group on an interface (RFC 4862
 * 5.4.2).  Counted: addresses may share a group.  -ENOENT when it leaves a
 * group it is not in.
 */
int icmp6_socket_group(struct icmp6_socket *s, int ifindex, const struct in6_addr *addr, bool on);

/* Be reached at an anycast address; it ends with the socket. */
int icmp6_socket_anycast(struct icmp6_socket *s, int ifindex, const struct in6_addr *addr, bool on);

#endif
