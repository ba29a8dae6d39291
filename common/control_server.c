/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of the control socket.
 *
 * A connection is moved on by pump(): while little output waits, the next
 * part of a running answer or else the next request is worked off.  So a
 * client that asks without reading costs no more memory than one that reads,
 * and 100,000 bindings go out in small portions between which the daemon does
 * its work.  Only the lines of a monitor come whether they are read or not;
 * a monitor that falls behind by MIP6_CONTROL_MAX_BACKLOG is dropped.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/control.h"
#include "lib/log.h"
#include "lib/rr.h"
#include "mip6/control.h"

#define OUTPUT_ENOUGH (64 * 1024) /* octets waiting, above which no more work is done */
#define OUTPUT_LITTLE (16 * 1024) /* and below which it goes on */

struct client {
	LIST_ENTRY(client) link;
	struct control *control;
	struct bufferevent *bev;
	struct control_parts parts; /* next is set while an answer is under way */
	bool monitor;
	bool last; /* nothing more is read from it: it ended, or broke the rules */
};

struct control {
	struct event_base *base;
	struct control_config config;
	struct control_place place;
	struct evconnlistener *listener;
	struct event *resume; /* of the listener, when out of descriptors */
	LIST_HEAD(, client) clients;
	size_t n_clients, n_monitors;
	struct log_limit complaints;
};

static void complain(struct control *c, const char *what)
{
	uint64_t held;

	if (log_allowed(&c->complaints, c->config.now(c->config.ctx), &held))
		log_warning("control socket: %s%s", what,
			held ? " (and more such lines held back)" : "");
}

/* ---- output ---- */

static size_t output_waiting(const struct client *cl)
{
	return evbuffer_get_length(bufferevent_get_output(cl->bev));
}

/* Steals line.  False when out of memory. */
static bool send_line(struct client *cl, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	struct evbuffer *out = bufferevent_get_output(cl->bev);
	bool ok = text && evbuffer_add(out, text, strlen(text)) == 0 &&
		  evbuffer_add(out, "\n", 1) == 0;

	free(text);
	json_decref(line);
	return ok;
}

static bool send_error(struct client *cl, const char *error)
{
	return send_line(cl, json_pack("{s:b, s:s}", "ok", 0, "error", error));
}

/* Steals data. */
static bool send_data(struct client *cl, json_t *data, bool more)
{
	json_t *line = json_pack("{s:b, s:o}", "ok", 1, "data", data);

	if (line && more)
		json_object_set_new(line, "more", json_true());
	return send_line(cl, line);
}

/* ---- requests ---- */

static void end_parts(struct client *cl)
{
	if (cl->parts.next)
		cl->parts.free(cl->parts.state);
	cl->parts = (struct control_parts){0};
}

static bool next_part(struct client *cl)
{
	bool more = false, ok;
	json_t *part = cl->parts.next(cl->parts.state, cl->control->config.backend, &more);

	ok = send_data(cl, part, more);
	if (!more)
		end_parts(cl);
	return ok;
}

static void become_monitor(struct client *cl)
{
	static const struct timeval stall = {MIP6_CONTROL_STALL_S, 0};

	cl->monitor = true;
	cl->control->n_monitors++;
	bufferevent_set_timeouts(cl->bev, NULL, &stall);
}

static bool answer(struct client *cl, const char *line, size_t len)
{
	struct control_call call = {.backend = cl->control->config.backend};
	json_t *args, *data = NULL;
	const struct control_verb *verb =
		control_read(cl->control->config.verbs, line, len, &args, call.error,
			sizeof(call.error));

	if (verb)
		data = verb->run(&call, args);
	json_decref(args);
	if (call.parts.next) {
		cl->parts = call.parts;
		return true;
	}
	if (!data)
		return send_error(cl, call.error[0] ? call.error : "out of memory");
	if (call.monitor)
		become_monitor(cl);
	return send_data(cl, data, false);
}

/* One request from what has arrived; *did is whether there was one. */
static bool next_request(struct client *cl, bool *did)
{
	struct evbuffer *in = bufferevent_get_input(cl->bev);
	size_t n;
	char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);
	bool ok;

	*did = line;
	if (line) {
		ok = answer(cl, line, n);
		rr_wipe(line, n); /* it may have had a key in it */
		free(line);
		return ok;
	}
	if (evbuffer_get_length(in) < MIP6_CONTROL_MAX_REQUEST)
		return true;
	evbuffer_drain(in, evbuffer_get_length(in));
	bufferevent_disable(cl->bev, EV_READ);
	cl->last = true;
	return send_error(cl, "the request is too long");
}

/* ---- connections ---- */

static void client_free(struct client *cl)
{
	struct control *c = cl->control;

	LIST_REMOVE(cl, link);
	c->n_clients--;
	c->n_monitors -= cl->monitor;
	end_parts(cl);
	bufferevent_free(cl->bev);
	free(cl);
}

/* May free cl. */
static void pump(struct client *cl)
{
	bool ok = true, did = true;

	while (ok && did && !cl->monitor && output_waiting(cl) < OUTPUT_ENOUGH) {
		if (cl->parts.next)
			ok = next_part(cl);
		else
			ok = next_request(cl, &did);
	}
	if (cl->monitor) /* it has nothing more to say */
		evbuffer_drain(bufferevent_get_input(cl->bev),
			evbuffer_get_length(bufferevent_get_input(cl->bev)));
	if (!ok || (cl->last && !cl->parts.next && output_waiting(cl) == 0))
		client_free(cl);
}

static void on_data(struct bufferevent *bev, void *arg)
{
	(void)bev;
	pump(arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *cl = arg;
	bool busy = cl->parts.next || output_waiting(cl) > 0;

	/*
	 * The end of its requests is not the end of our answers, but for a
	 * monitor.  Nor is a client silent that is still being answered; when
	 * it does not read, the other timeout tells.
	 */
	if ((what & BEV_EVENT_EOF) && !cl->monitor) {
		cl->last = true;
		pump(cl);
	} else if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING) && busy) {
		bufferevent_enable(bev, EV_READ);
	} else {
		client_free(cl);
	}
}

static struct client *client_new(struct control *c, int fd)
{
	static const struct timeval idle = {MIP6_CONTROL_IDLE_S, 0},
				    stall = {MIP6_CONTROL_STALL_S, 0};
	struct client *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return NULL;
	cl->control = c;
	cl->bev = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!cl->bev) {
		free(cl);
		return NULL;
	}
	LIST_INSERT_HEAD(&c->clients, cl, link);
	c->n_clients++;
	bufferevent_setcb(cl->bev, on_data, on_data, on_event, cl);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, MIP6_CONTROL_MAX_REQUEST);
	bufferevent_setwatermark(cl->bev, EV_WRITE, OUTPUT_LITTLE, 0);
	bufferevent_set_timeouts(cl->bev, &idle, &stall);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
	return cl;
}

/* A last word to somebody who cannot stay; a socket just opened has room for it. */
static void turn_away(int fd, const char *error)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"%s\"}\n", error);

	if (send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		/* then it sees the end only */
	}
	close(fd);
}

static void on_accept(
	struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct control *c = arg;

	(void)l, (void)sa, (void)len;
	if (!control_peer_allowed(fd, &c->place)) {
		complain(c, "refused somebody who is neither root nor in the group");
		turn_away(fd, "permission denied");
	} else if (c->n_clients >= MIP6_CONTROL_MAX_CLIENTS) {
		complain(c, "too many connections");
		turn_away(fd, "too many connections; try again later");
	} else if (!client_new(c, fd)) {
		turn_away(fd, "out of memory");
	}
}

/* Out of descriptors: the connection stays in the queue, and without a pause we would run in circles. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	static const struct timeval pause = {1, 0};
	struct control *c = arg;

	complain(c, strerror(errno));
	evconnlistener_disable(l);
	event_add(c->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct control *c = arg;

	(void)fd, (void)what;
	evconnlistener_enable(c->listener);
}

/* ---- for the daemon ---- */

monotime_t control_now(const struct control *c)
{
	return c->config.now(c->config.ctx);
}

bool control_monitored(const struct control *c)
{
	return c && c->n_monitors;
}

void control_tell(struct control *c, json_t *line)
{
	struct client *cl, *next;
	char *text = control_monitored(c) ? json_dumps(line, JSON_COMPACT) : NULL;
	size_t n;

	json_decref(line);
	if (!text)
		return;
	n = strlen(text);
	text[n] = '\n'; /* in place of the closing NUL */
	for (cl = LIST_FIRST(&c->clients); cl; cl = next) {
		next = LIST_NEXT(cl, link);
		if (!cl->monitor)
			continue;
		if (output_waiting(cl) + n + 1 > MIP6_CONTROL_MAX_BACKLOG ||
			evbuffer_add(bufferevent_get_output(cl->bev), text, n + 1) < 0) {
			complain(c, "dropped a monitor that does not read");
			client_free(cl);
		}
	}
	free(text);
}

static bool listen_at(struct control *c)
{
	c->resume = evtimer_new(c->base, on_resume, c);
	if (!c->resume)
		return false;
	c->listener = evconnlistener_new(c->base, on_accept, c,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, MIP6_CONTROL_MAX_CLIENTS,
		c->place.fd);
	if (!c->listener)
		return false;
	evconnlistener_set_error_cb(c->listener, on_accept_error);
	return true;
}

struct control *control_open(
	struct event_base *base, const struct control_config *config, char *err, size_t errlen)
{
	struct control *c = calloc(1, sizeof(*c));
	struct sigaction sa;

	if (!c) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	/* libevent writes with writev(), to which a client that left is a signal */
	if (sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
	c->base = base;
	c->config = *config;
	c->complaints = (struct log_limit)LOG_LIMIT_INIT(5, 10);
	LIST_INIT(&c->clients);
	if (!control_place_open(&c->place, &c->config, err, errlen)) {
		free(c);
		return NULL;
	}
	if (!listen_at(c)) {
		snprintf(err, errlen, "cannot listen on %s", config->socket);
		close(c->place.fd);
		control_stop(c);
		return NULL;
	}
	return c;
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	while (!LIST_EMPTY(&c->clients))
		client_free(LIST_FIRST(&c->clients));
	if (c->listener)
		evconnlistener_free(c->listener);
	if (c->resume)
		event_free(c->resume);
	control_place_close(&c->place, &c->config);
	free(c);
}
