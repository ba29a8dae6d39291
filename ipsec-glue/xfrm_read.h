/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says about XFRM: parts of its messages, with their lengths checked.  Pure. */
#ifndef GLUE_XFRM_READ_H
#define GLUE_XFRM_READ_H

#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stddef.h>

struct nlmsghdr;

struct in6_addr xfrm_read_address(const xfrm_address_t *a);
/* The payload, if it has at least so many octets; else NULL. */
const void *xfrm_read_body(const struct nlmsghdr *h, size_t len);
/* An attribute behind a header of this length, with at least so many octets; else NULL. */
const void *xfrm_read_attribute(const struct nlmsghdr *h, size_t header, int type, size_t least);

#endif
