/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the direct path: ro_kernel.c (start, end, pairs), ro_report.c, ro_pmtu.c, ro_watch.c. */
#ifndef SYS_RO_INTERNAL_H
#define SYS_RO_INTERNAL_H

#include <uthash.h>

#include "ipsec-glue/xfrm_pair.h"
#include "lib/log.h"
#include "lib/netlink.h"
#include "common/loop.h"
#include "mip6d/sys/nfqueue.h"
#include "mip6d/sys/ro_kernel.h"
#include "mip6d/sys/rtnl.h"

#define RO_PMTU_MAX 128 /* host routes because of Packet Too Big */
#define RO_PMTU_S 600 /* the kernel's ip6_rt_mtu_expires */
#define RO_SEEN_S \
	30 /* a peer that was told is told again after this, unless the daemon took it up */

struct ro_pair {
	struct xfrm_pair x;
	bool wired; /* counted in wires, as src and dst */
	struct in6_addr src, dst;
	UT_hash_handle hh;
};

/* Source and destination on the wire, and how many pairs send by them. */
struct ro_wire {
	struct in6_addr src, dst;
	size_t users;
	UT_hash_handle hh;
};

struct ro_mtu {
	struct in6_addr src;
	struct rtnl_route route;
	monotime_t until;
};

struct ro_kernel {
	struct ro_kernel_config config;
	bool away;
	struct sys_loop *loop;
	const struct ro_kernel_events *events;
	void *ctx;
	struct nlreq *xfrm, *rt, *nf;
	struct ro_pair *pairs;
	struct ro_wire *wires;
	int report_fd, error_fd;
	struct nfqueue *queue;
	struct timer timer; /* of mtus */
	size_t n_mtus;
	struct ro_mtu mtus[RO_PMTU_MAX];
	struct log_limit log;
	struct ro_kernel_stats stats;
};

/* ---- ro_report.c ---- */

int ro_report_open(struct ro_kernel *k);
void ro_report_close(struct ro_kernel *k);
/* The packet filter of reports and of the watch. */
int ro_filter_open(struct ro_kernel *k, char *err, size_t errlen);
void ro_filter_close(void);
/* Packets with the Home Address option home from care_of have a binding, or not. */
int ro_filter_binding(
	struct ro_kernel *k, const struct in6_addr *care_of, const struct in6_addr *home, bool add);

/* ---- ro_pmtu.c ---- */

void ro_pmtu_error(struct ro_kernel *k, const struct icmp6_error *e);
/* Packets from src leave by another router, or not at all. */
void ro_pmtu_forget(struct ro_kernel *k, const struct in6_addr *src);
void ro_pmtu_forget_wire(struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst);
void ro_pmtu_init(struct ro_kernel *k);
/* Away with what was left. */
void ro_pmtu_open(struct ro_kernel *k);
void ro_pmtu_close(struct ro_kernel *k, bool remove);

/* ---- ro_watch.c ---- */

/* Chains and sets, to be put into the table; false when they do not fit. */
bool ro_watch_rules(const struct ro_kernel_config *c, char *text, size_t len);
int ro_watch_open(struct ro_kernel *k);
void ro_watch_close(struct ro_kernel *k);

#endif
