/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink.  Messages are built into a struct nl_msg by pure functions
 * (mip6d/sys/rtnl.h, ipsec-glue/, mip6d/sys/nft.h) and sent from here; the kernel's answer is
 * waited for, which takes microseconds as it works while we send.
 *
 * Errors are negative errnos.  nlreq_why() has the kernel's own words for
 * the last one, where it gave any.
 */
#ifndef LIB_NETLINK_H
#define LIB_NETLINK_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- requests ---- */

struct nlreq; /* one socket, for requests of one netlink protocol */

struct nlreq *nlreq_open(int protocol, int *err);
/* Of NETLINK_ROUTE, NETLINK_XFRM and NETLINK_NETFILTER.  After an error the caller closes those that are there. */
int nlreq_open_three(struct nlreq **route, struct nlreq **xfrm, struct nlreq **netfilter);
void nlreq_close(struct nlreq *r);

/* A message with its family header (header_len octets); NULL when out of memory. */
struct nl_msg *nlreq_msg(int type, int flags, const void *header, size_t header_len);
/* The same with room for so many octets in all: many of them cost less than with a page each. */
struct nl_msg *nlreq_msg_small(size_t room, int type, int flags, const void *header, size_t header_len);
/* m, or NULL with m freed when one of the nla_put()s, or-ed into err, failed. */
struct nl_msg *nlreq_whole(struct nl_msg *m, int err);

/* Send m, free it, wait for the acknowledgement.  -ENOMEM when m is NULL. */
int nlreq_do(struct nlreq *r, struct nl_msg *m);
/* "File exists (File exists)": strerror of the last error and what the kernel said to it. */
const char *nlreq_why(const struct nlreq *r);

/*
 * Send the dump request m, free it, call fn for each answer.  A dump that
 * was disturbed by a change is taken again, so fn may see an object twice.
 * fn returns 0, or a negative errno that ends the calling.
 */
typedef int nlreq_fn(void *arg, const struct nlmsghdr *h);
int nlreq_dump(struct nlreq *r, struct nl_msg *m, nlreq_fn *fn, void *arg);
/* The same for one object: a plain request with an answer. */
int nlreq_get(struct nlreq *r, struct nl_msg *m, nlreq_fn *fn, void *arg);

/*
 * Send n messages, NLREQ_MANY at most, with one system call and wait for what
 * each of them is answered.  All are carried out, in their order, whatever
 * becomes of the others; results[i] says what became of m[i], which the
 * caller still has to free.  fn may be NULL; it sees the objects that
 * message i asked for.
 */
#define NLREQ_MANY 50
struct nlreq_result {
	int error;
	char words[120]; /* the kernel's, empty if there are none */
};
typedef void nlreq_many_fn(void *arg, size_t i, const struct nlmsghdr *h);
int nlreq_many(struct nlreq *r, struct nl_msg *const *m, size_t n, struct nlreq_result *results,
	nlreq_many_fn *fn, void *arg);
/* Who asks, as it is in the header of the kernel's notifications of XFRM. */
uint32_t nlreq_port(const struct nlreq *r);

/*
 * Send n messages of an nfnetlink batch as one transaction, free them, and
 * return the first error.  NETLINK_NETFILTER only.
 */
int nlreq_batch(struct nlreq *r, struct nl_msg **m, size_t n);

/* ---- events ---- */

/* A socket that listens to n multicast groups of a netlink protocol, or of NETLINK_ROUTE.  The descriptor, or a negative errno. */
int nlevent_open_protocol(int protocol, const unsigned *groups, size_t n);
int nlevent_open(const unsigned *groups, size_t n);
/*
 * Read a burst.  -ENOBUFS: some were lost, so ask for everything again; else 0.
 */
int nlevent_read(int fd, void (*fn)(void *arg, const struct nlmsghdr *h), void *arg);

#endif
