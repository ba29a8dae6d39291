/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the kernel over rtnetlink and XFRM netlink: build into a
 * struct nl_msg, send, wait for the acknowledgement.  Errors are negative
 * errnos; nlreq_error() has the kernel's own words for the last one.
 */
#ifndef OS_NETLINK_H
#define OS_NETLINK_H

#include <netlink/msg.h>
#include <netlink/attr.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct nlreq; /* one netlink socket of one protocol */

struct nlreq *nlreq_new(int protocol);
void nlreq_free(struct nlreq *r);
/* A message of that type with its family header; NULL when out of memory. */
struct nl_msg *nlreq_msg(int type, int flags, const void *header, size_t len);
/* Send and free m, wait for the acknowledgement. */
int nlreq_do(struct nlreq *r, struct nl_msg *m);
const char *nlreq_error(const struct nlreq *r);
/* Send and free a dump request; fn for each answer until it returns non-zero. */
int nlreq_dump(struct nlreq *r, struct nl_msg *m, int (*fn)(struct nlmsghdr *h, void *arg), void *arg);

#endif
