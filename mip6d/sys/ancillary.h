/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extension headers of raw sockets as ancillary data (RFC 3542): Home Address option, type 2 routing header. */
#ifndef SYS_ANCILLARY_H
#define SYS_ANCILLARY_H

#include <sys/socket.h>

#include "mip6/env.h"

#define ANCILLARY_RTHDR2_LEN 24
#define ANCILLARY_MAX 4096 /* to receive two extension headers of full length */

/* The element after `after`, or the first. */
struct cmsghdr *ancillary_put(
	struct msghdr *m, struct cmsghdr *after, int type, const void *data, size_t len);
/* RFC 6275 6.4.1: the header that the kernel is given names the first hop, the care-of address. */
void ancillary_rthdr2(uint8_t out[ANCILLARY_RTHDR2_LEN], const struct in6_addr *care_of);
/* Take what a received element says of the packet: addresses, interface, hop limit, headers. */
void ancillary_take(const struct cmsghdr *c, struct mip6_packet *p);

#endif
