/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

struct watch {
	struct event *ev;
	void (*fn)(void *arg);
	void *arg;
	struct watch *next;
};

struct sys_loop {
	struct event_base *base;
	struct timerq *timers;
	struct event *tick;
	struct watch *watches;
	void (*after)(void *arg);
	void *after_arg;
	bool stop;
};

monotime_t loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (monotime_t){(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000};
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg; /* only wakes the loop up */
}

struct sys_loop *loop_new(void)
{
	struct sys_loop *l = calloc(1, sizeof(*l));
	struct event_config *c = event_config_new();

	if (!l || !c)
		goto fail;
	/* Timers to the microsecond: the default rounds up to milliseconds. */
	event_config_set_flag(c, EVENT_BASE_FLAG_PRECISE_TIMER);
	l->base = event_base_new_with_config(c);
	l->timers = timerq_new();
	if (!l->base || !l->timers)
		goto fail;
	l->tick = evtimer_new(l->base, tick, l);
	if (!l->tick)
		goto fail;
	event_config_free(c);
	return l;
fail:
	if (c)
		event_config_free(c);
	loop_free(l);
	return NULL;
}

void loop_free(struct sys_loop *l)
{
	if (!l)
		return;
	while (l->watches) {
		struct watch *w = l->watches;

		l->watches = w->next;
		event_free(w->ev);
		free(w);
	}
	if (l->tick)
		event_free(l->tick);
	if (l->base)
		event_base_free(l->base);
	timerq_free(l->timers);
	free(l);
}

struct event_base *loop_base(struct sys_loop *l)
{
	return l->base;
}

struct timerq *loop_timers(struct sys_loop *l)
{
	return l->timers;
}

static void fired(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	w->fn(w->arg);
}

static int watch(struct sys_loop *l, int fd, short what, void (*fn)(void *arg), void *arg)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->arg = arg;
	w->ev = event_new(l->base, fd, what | EV_PERSIST, fired, w);
	if (!w->ev || event_add(w->ev, NULL) < 0) {
		if (w->ev)
			event_free(w->ev);
		free(w);
		return -ENOMEM;
	}
	w->next = l->watches;
	l->watches = w;
	return 0;
}

int loop_read(struct sys_loop *l, int fd, void (*fn)(void *arg), void *arg)
{
	return watch(l, fd, EV_READ, fn, arg);
}

int loop_signal(struct sys_loop *l, int signum, void (*fn)(void *arg), void *arg)
{
	return watch(l, signum, EV_SIGNAL, fn, arg);
}

void loop_after(struct sys_loop *l, void (*fn)(void *arg), void *arg)
{
	l->after = fn;
	l->after_arg = arg;
}

static void arm(struct sys_loop *l)
{
	monotime_t next = timerq_next(l->timers), now = loop_now();
	struct timeval tv;
	int64_t us;

	if (next.us == INT64_MAX) {
		evtimer_del(l->tick);
		return;
	}
	us = next.us > now.us ? next.us - now.us : 0;
	tv.tv_sec = us / 1000000;
	tv.tv_usec = us % 1000000;
	evtimer_add(l->tick, &tv);
}

int loop_run(struct sys_loop *l)
{
	while (!l->stop) {
		timerq_run(l->timers, loop_now());
		if (l->after)
			l->after(l->after_arg);
		if (l->stop)
			break;
		arm(l);
		if (event_base_loop(l->base, EVLOOP_ONCE) < 0)
			return -EIO;
	}
	return 0;
}

void loop_stop(struct sys_loop *l)
{
	l->stop = true;
}
