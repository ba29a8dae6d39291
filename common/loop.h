/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: libevent, with the protocol core's timer queue behind one
 * timer of it.  A turn of the loop is: wait, run what became readable, run
 * the timers that are due, run the hooks that somebody asked for meanwhile.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stddef.h>

#include "lib/timer.h"
#include "mip6/monotime.h"

struct event_base;
struct sys_loop; /* opaque */

typedef void sys_loop_fn(void *arg);

/* NULL when out of memory or without epoll. */
struct sys_loop *sys_loop_new(void);
void sys_loop_free(struct sys_loop *l);
/* For others who bring their own libevent events (the control socket). */
struct event_base *sys_loop_base(struct sys_loop *l);
/* The queue to put into struct mip6_env. */
struct timerq *sys_loop_timers(struct sys_loop *l);

/*
 * Call fn(arg) whenever fd can be read, until sys_loop_forget().  fn must
 * bound its work (a burst of packets), so that timers are not starved.
 */
int sys_loop_read(struct sys_loop *l, int fd, sys_loop_fn *fn, void *arg);
void sys_loop_forget(struct sys_loop *l, int fd);
int sys_loop_signal(struct sys_loop *l, int signum, sys_loop_fn *fn, void *arg);

/*
 * Something to do once at the end of this turn, however often it is asked
 * for: batches collected by many small requests.  Embedded in its owner,
 * zeroed before first use but for fn and arg; runs in the order of asking.
 */
struct sys_after {
	sys_loop_fn *fn;
	void *arg;
	struct sys_after *next;
	int queued;
};
void sys_loop_after(struct sys_loop *l, struct sys_after *a);
void sys_loop_after_cancel(struct sys_loop *l, struct sys_after *a);

/* Run until sys_loop_stop().  0 or a negative errno. */
int sys_loop_run(struct sys_loop *l);
/* One turn, at most; with wait false it does not wait for anything. */
int sys_loop_turn(struct sys_loop *l, int wait);
void sys_loop_stop(struct sys_loop *l);

/* CLOCK_MONOTONIC.  The argument is not used: it fits struct mip6_env. */
monotime_t sys_now(void *ctx);
/* Random octets of OpenSSL's generator; ends the process rather than give bad ones. */
void sys_random(void *ctx, void *to, size_t n);

#endif
