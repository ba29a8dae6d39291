/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mobile node's kernel state: struct mn_ops over rtnetlink, XFRM and a
 * queue.
 *
 *   NAME, NAMEb      two ip6tnl devices; one sends, the other still receives
 *                    at the care-of address before
 *   NAME             carries the home address, so that no socket loses it
 *   rule, table T    what the home address sends: to a tunnel, or home's router
 *   rules, T+1...    what each care-of address sends: to its own router
 *   table ip6 mip6d_mn   while nothing may leave, what the home address sends
 *                    waits in a queue and is routed anew when it is let go
 */
#ifndef OS_MN_KERNEL_H
#define OS_MN_KERNEL_H

#include "mip6/env.h"

struct mn_kernel;
struct sys_loop;

struct mn_kernel_config {
	struct in6_addr home_address, home_agent;
	const char *tunnel; /* NAME */
	uint32_t table; /* T */
	const char *state_file; /* of the binding; others are named after it */
	size_t n_interfaces;
	int ifindexes[16];
	char names[16][16];
};

/* Also takes over, or cleans up after, a predecessor that was killed.  NULL: said in the log. */
struct mn_kernel *mn_kernel_open(const struct mn_kernel_config *c, struct sys_loop *loop);
extern const struct mn_ops mn_kernel_ops; /* its context is the struct mn_kernel */
/* The binding stored by a predecessor; false: none. */
bool mn_kernel_stored(struct mn_kernel *k, struct in6_addr *care_of, uint16_t *seq, uint32_t *remaining_s);
/* Remove everything and put the settings back. */
void mn_kernel_close(struct mn_kernel *k);

#endif
