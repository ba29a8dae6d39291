/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libevent waits with microseconds (EVENT_BASE_FLAG_PRECISE_TIMER, a timerfd
 * beside epoll); plain epoll would round deadlines up to milliseconds.
 */
#include "common/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <time.h>

#include "lib/log.h"

struct watched {
	struct watched *next;
	struct event *event;
	int fd; /* or the signal */
	sys_loop_fn *fn;
	void *arg;
};

struct sys_loop {
	struct event_base *base;
	struct event *timer;
	struct timerq *timers;
	struct watched *watched;
	struct sys_after *after, **after_end;
	bool stop;
};

monotime_t sys_now(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (monotime_t){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

void sys_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	if (RAND_bytes(to, (int)n) == 1)
		return;
	log_error("no random numbers to be had from OpenSSL; see openssl.cnf and /dev/urandom");
	abort();
}

static void timer_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg; /* the turn runs the queue */
}

struct sys_loop *sys_loop_new(void)
{
	struct sys_loop *l = calloc(1, sizeof(*l));
	struct event_config *config = event_config_new();

	if (!l || !config)
		goto fail;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	l->base = event_base_new_with_config(config);
	l->timers = timerq_new();
	if (!l->base || !l->timers)
		goto fail;
	l->timer = event_new(l->base, -1, 0, timer_due, l);
	if (!l->timer)
		goto fail;
	l->after_end = &l->after;
	event_config_free(config);
	return l;
fail:
	if (config)
		event_config_free(config);
	sys_loop_free(l);
	return NULL;
}

static void watched_free(struct watched *w)
{
	event_free(w->event);
	free(w);
}

void sys_loop_free(struct sys_loop *l)
{
	if (!l)
		return;
	while (l->watched) {
		struct watched *w = l->watched;

		l->watched = w->next;
		watched_free(w);
	}
	if (l->timer)
		event_free(l->timer);
	if (l->base)
		event_base_free(l->base);
	timerq_free(l->timers);
	free(l);
}

struct event_base *sys_loop_base(struct sys_loop *l)
{
	return l->base;
}

struct timerq *sys_loop_timers(struct sys_loop *l)
{
	return l->timers;
}

static void happened(evutil_socket_t fd, short what, void *arg)
{
	struct watched *w = arg;

	(void)fd;
	(void)what;
	w->fn(w->arg);
}

static int watch(struct sys_loop *l, int fd, short what, sys_loop_fn *fn, void *arg)
{
	struct watched *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->fn = fn;
	w->arg = arg;
	w->event = event_new(l->base, fd, (short)(what | EV_PERSIST), happened, w);
	if (!w->event) {
		free(w);
		return -ENOMEM;
	}
	if (event_add(w->event, NULL) < 0) {
		watched_free(w);
		return -EINVAL;
	}
	w->next = l->watched;
	l->watched = w;
	return 0;
}

int sys_loop_read(struct sys_loop *l, int fd, sys_loop_fn *fn, void *arg)
{
	return watch(l, fd, EV_READ, fn, arg);
}

int sys_loop_signal(struct sys_loop *l, int signum, sys_loop_fn *fn, void *arg)
{
	return watch(l, signum, EV_SIGNAL, fn, arg);
}

void sys_loop_forget(struct sys_loop *l, int fd)
{
	for (struct watched **at = &l->watched; *at; at = &(*at)->next) {
		struct watched *w = *at;

		if (w->fd != fd || !(event_get_events(w->event) & EV_READ))
			continue;
		*at = w->next;
		watched_free(w);
		return;
	}
}

void sys_loop_after(struct sys_loop *l, struct sys_after *a)
{
	if (a->queued)
		return;
	a->queued = 1;
	a->next = NULL;
	*l->after_end = a;
	l->after_end = &a->next;
}

void sys_loop_after_cancel(struct sys_loop *l, struct sys_after *a)
{
	if (!a->queued)
		return;
	for (struct sys_after **at = &l->after; *at; at = &(*at)->next) {
		if (*at != a)
			continue;
		*at = a->next;
		if (l->after_end == &a->next)
			l->after_end = at;
		break;
	}
	a->queued = 0;
}

static void run_after(struct sys_loop *l)
{
	while (l->after) {
		struct sys_after *a = l->after;

		sys_loop_after_cancel(l, a);
		a->fn(a->arg);
	}
}

/* Arm the one timer for the earliest deadline of the queue. */
static void arm(struct sys_loop *l)
{
	monotime_t next = timerq_next(l->timers);
	int64_t us = next.us - sys_now(NULL).us;
	struct timeval tv;

	if (next.us == MONOTIME_NEVER.us) {
		event_del(l->timer);
		return;
	}
	if (us < 0)
		us = 0;
	tv = (struct timeval){us / 1000000, us % 1000000};
	event_add(l->timer, &tv);
}

int sys_loop_turn(struct sys_loop *l, int wait)
{
	if (wait)
		arm(l);
	if (event_base_loop(l->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK) < 0)
		return -EIO;
	timerq_run(l->timers, sys_now(NULL));
	run_after(l);
	return 0;
}

int sys_loop_run(struct sys_loop *l)
{
	int err = 0;

	l->stop = false;
	run_after(l);
	while (!l->stop && !err)
		err = sys_loop_turn(l, 1);
	return err;
}

void sys_loop_stop(struct sys_loop *l)
{
	l->stop = true;
}
