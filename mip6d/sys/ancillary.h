/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw sockets and their ancillary data (RFC 3542): addresses, hop limit, Home
 * Address option, type 2 routing header.
 */
#ifndef SYS_ANCILLARY_H
#define SYS_ANCILLARY_H

#include <sys/socket.h>

#include "mip6/env.h"

#define ANCILLARY_RTHDR2_LEN 24

/* The element after `after`, or the first. */
struct cmsghdr *ancillary_put(
	struct msghdr *m, struct cmsghdr *after, int type, const void *data, size_t len);
/* RFC 6275 6.4.1: the header that the kernel is given names the first hop, the care-of address. */
void ancillary_rthdr2(uint8_t out[ANCILLARY_RTHDR2_LEN], const struct in6_addr *care_of);

/* A socket is to tell all of that of each packet, and so many octets may wait in it.  0, or a negative errno. */
int ancillary_wanted(int fd, int buffer);
/*
 * Hands over the packets that have come, a burst at most; data has room for
 * one, and what is longer than len is left out.
 */
typedef void ancillary_fn(void *arg, const struct mip6_packet *p);
void ancillary_read(int fd, uint8_t *data, size_t len, ancillary_fn *fn, void *arg);

#endif
