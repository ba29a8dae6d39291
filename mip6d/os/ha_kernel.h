/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent's kernel state: struct ha_ops over rtnetlink, XFRM,
 * nftables, a queue and the file of bindings.
 *
 *   NAME                 one ip6tnl device for all bindings
 *   HOME/128 encap       a route a binding
 *   table ip6 mip6d_ha   the pairs (care-of address, home address) that may
 *                        come back through the tunnel
 *
 * Routes and pairs stay when the daemon dies, and serve until the next start
 * takes them over.
 */
#ifndef OS_HA_KERNEL_H
#define OS_HA_KERNEL_H

#include "mip6/env.h"

struct ha_kernel;
struct sys_loop;
struct icmp6_socket;

struct ha_kernel_config {
	struct in6_addr address; /* the home agent's */
	const char *tunnel; /* NAME */
	const char *state_file;
	int home_ifindex; /* 0: virtual home link */
	const char *home_link;
	struct icmp6_socket *icmp6;
};

/* NULL: said in the log. */
struct ha_kernel *ha_kernel_open(const struct ha_kernel_config *c, struct sys_loop *loop);
extern const struct ha_ops ha_kernel_ops;
/* Bindings of before the restart; fn for each.  Call once, before anything else. */
void ha_kernel_stored(struct ha_kernel *k, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg);
/* After the bindings were restored: remove what a predecessor left and no binding needs. */
void ha_kernel_reconcile(struct ha_kernel *k);
/* At the end of a turn of the event loop: what was collected goes to the kernel and the disk. */
void ha_kernel_flush(struct ha_kernel *k);
struct ha_kernel_stats {
	uint64_t held, released, dropped; /* tunnelled packets from pairs that were not registered */
};
const struct ha_kernel_stats *ha_kernel_stats(const struct ha_kernel *k);
/* Remove all kernel state; the file of bindings stays. */
void ha_kernel_close(struct ha_kernel *k);

#endif
