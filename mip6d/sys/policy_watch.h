/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells when somebody else has deleted a policy that should be there (doc/vcm.md). */
#ifndef SYS_POLICY_WATCH_H
#define SYS_POLICY_WATCH_H

#include "mip6/ipsec.h"

struct ipsec_sender;
struct policy_watch; /* opaque */
struct sys_loop;

struct policy_watch_ops {
	/*
	 * One that the owner looks after, by selector and priority (0: not known).
	 * Others of the same addresses come and go with each move.
	 */
	bool (*ours)(void *ctx, const struct ipsec_event *policy_gone);
	void (*gone)(void *ctx); /* one or more of ours, or all, or news was lost */
};

/* What own does itself is no news.  Both are used until the close.  NULL with a negative errno. */
struct policy_watch *policy_watch_open(struct sys_loop *loop, const struct ipsec_sender *own,
	const struct policy_watch_ops *ops, void *ctx, int *err);
void policy_watch_close(struct policy_watch *w); /* w may be NULL */

#endif
