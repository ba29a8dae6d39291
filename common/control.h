/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket of a daemon: the server of the protocol described in
 * mip6/control.h.  Its verbs are a table of the daemon's.
 */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mip6/monotime.h"

struct control; /* opaque */
struct control_backend; /* what the verbs ask: each daemon has its own */
struct event_base;

/* ---- requests ---- */

/*
 * An answer that comes in parts, so that a long one neither stops the event
 * loop nor fills the memory.  next() gives an array, or NULL when out of
 * memory, and says whether more follows.
 */
struct control_parts {
	json_t *(*next)(void *state, const struct control_backend *b, bool *more);
	void (*free)(void *state);
	void *state;
};

/* What a verb is given, and what it leaves. */
struct control_call {
	const struct control_backend *backend;
	char error[256]; /* why it returned NULL */
	struct control_parts parts; /* instead of data, when next is set */
	bool monitor; /* from now on, send events */
};

struct control_verb {
	const char *name; /* NULL ends a table */
	const char *const *args; /* names of the members it knows; NULL ends */
	/* A new reference; NULL with error or parts set.  args is borrowed. */
	json_t *(*run)(struct control_call *call, json_t *args);
};

/*
 * Read a line, without its end.  Returns the verb, and in *args a new
 * reference to the object, without "verb"; or NULL with error filled.
 */
const struct control_verb *control_read(const struct control_verb *verbs, const char *line,
	size_t len, json_t **args, char *error, size_t cap);

/* Leave why in call->error; always NULL, for the verb to return. */
json_t *control_fail(struct control_call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- the server ---- */

/* What is pointed to must live as long as the socket is open. */
struct control_config {
	const char *daemon; /* its name, for messages */
	const char *socket;
	const char *group; /* name or number; "": root only */
	const struct control_verb *verbs;
	const struct control_backend *backend; /* may change while the socket is open */
	monotime_t (*now)(void *ctx);
	void *ctx;
};

/*
 * Open the socket with mode 0660 (0600 without a group) and listen.  The
 * socket of a dead daemon is replaced; when a living one answers, or on any
 * other fault, NULL, and err (errlen octets) says why and what to do.
 */
struct control *control_open(
	struct event_base *base, const struct control_config *config, char *err, size_t errlen);
/* Is anybody there for control_tell()?  c may be NULL. */
bool control_monitored(const struct control *c);
/* The time as its owner tells it. */
monotime_t control_now(const struct control *c);
/* Send an event to the monitors.  Steals line, which may be NULL. */
void control_tell(struct control *c, json_t *line);
/* Close all connections and remove the socket.  c may be NULL. */
void control_stop(struct control *c);

/* ---- its place in the file system (control_socket.c) ---- */

struct control_place {
	int fd; /* bound, not listening yet; -1: none */
	int lock_fd;
	char lock_path[128];
	gid_t group; /* (gid_t)-1: root only */
};

/* Returns false with err filled. */
bool control_place_open(
	struct control_place *p, const struct control_config *c, char *err, size_t errlen);
/* Removes socket and lock; fd is the listener's to close. */
void control_place_close(struct control_place *p, const struct control_config *c);
/* May the other end of a connection talk to us? */
bool control_peer_allowed(int fd, const struct control_place *p);

#endif
