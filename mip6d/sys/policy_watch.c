/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/policy_watch.h"

#include <errno.h>
#include <stdlib.h>

#include "common/loop.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/sender.h"

struct policy_watch {
	struct sys_loop *loop;
	const struct ipsec_sender *own;
	const struct policy_watch_ops *ops;
	void *ctx;
	struct ipsec_kernel_events *events;
	bool gone;
};

static void take(void *arg, const struct ipsec_event *e)
{
	struct policy_watch *w = arg;

	if (e->type == IPSEC_EV_FLUSHED || e->type == IPSEC_EV_LOST ||
		(e->type == IPSEC_EV_POLICY_GONE && w->ops->ours(w->ctx, e)))
		w->gone = true;
}

/* A burst is looked at once. */
static void readable(void *arg)
{
	struct policy_watch *w = arg;

	w->gone = false;
	ipsec_kernel_events_read(w->events, ipsec_sender_port(w->own), take, w);
	if (w->gone)
		w->ops->gone(w->ctx);
}

struct policy_watch *policy_watch_open(struct sys_loop *loop, const struct ipsec_sender *own,
	const struct policy_watch_ops *ops, void *ctx, int *err)
{
	struct policy_watch *w = calloc(1, sizeof(*w));

	*err = -ENOMEM;
	if (!w)
		return NULL;
	*w = (struct policy_watch){.loop = loop, .own = own, .ops = ops, .ctx = ctx};
	w->events = ipsec_kernel_events_open(err);
	if (w->events)
		*err = sys_loop_read(loop, ipsec_kernel_events_fd(w->events), readable, w);
	if (!*err)
		return w;
	ipsec_kernel_events_close(w->events);
	free(w);
	return NULL;
}

void policy_watch_close(struct policy_watch *w)
{
	if (!w)
		return;
	sys_loop_forget(w->loop, ipsec_kernel_events_fd(w->events));
	ipsec_kernel_events_close(w->events);
	free(w);
}
