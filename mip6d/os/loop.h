/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: libevent, with the core's timer queue behind one timer of it. */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>

#include "lib/timer.h"

struct event_base;
struct sys_loop;

struct sys_loop *loop_new(void);
void loop_free(struct sys_loop *l);
struct event_base *loop_base(struct sys_loop *l);
struct timerq *loop_timers(struct sys_loop *l);
monotime_t loop_now(void);
/* Call fn(arg) when fd can be read, for ever.  0 or -ENOMEM. */
int loop_read(struct sys_loop *l, int fd, void (*fn)(void *arg), void *arg);
int loop_signal(struct sys_loop *l, int signum, void (*fn)(void *arg), void *arg);
/* Called after every turn of the loop, timers included. */
void loop_after(struct sys_loop *l, void (*fn)(void *arg), void *arg);
int loop_run(struct sys_loop *l);
void loop_stop(struct sys_loop *l);

#endif
