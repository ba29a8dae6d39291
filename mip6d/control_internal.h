/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of the control socket: connections (control.c), the
 * place in the file system (control_socket.c), requests and verbs
 * (control_verbs.c), and things as JSON (control_json.c).
 */
#ifndef MIP6D_CONTROL_INTERNAL_H
#define MIP6D_CONTROL_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "mip6d/control.h"

struct cn_binding_info;
struct cn_stats;
struct ha_binding_info;
struct mn_link_info;
struct mn_ro_info;

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
	const char *name;
	const char *const *args; /* names of the members it knows; NULL ends */
	/* A new reference; NULL with error or parts set.  args is borrowed. */
	json_t *(*run)(struct control_call *call, json_t *args);
};

/*
 * Read a line, without its end.  Returns the verb, and in *args a new
 * reference to the object, without "verb"; or NULL with error filled.
 */
const struct control_verb *control_request(
	const char *line, size_t len, json_t **args, char *error, size_t cap);

/* Leave why in call->error; always NULL, for the verb to return. */
json_t *control_fail(struct control_call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* control_ro.c: route optimization */
json_t *control_verb_correspondents(struct control_call *call, json_t *args);
json_t *control_verb_correspondent_bindings(struct control_call *call, json_t *args);
json_t *control_verb_ro(struct control_call *call, json_t *args);
json_t *control_verb_kbm(struct control_call *call, json_t *args);
/* control_discovery.c: home agents of the home link, its prefixes */
json_t *control_verb_home_agents(struct control_call *call, json_t *args);
json_t *control_verb_prefixes(struct control_call *call, json_t *args);
/* control_ipsec.c: SAs and policies */
json_t *control_verb_sas(struct control_call *call, json_t *args);
json_t *control_verb_ipsec(struct control_call *call, json_t *args);

/* ---- things as JSON; NULL when out of memory ---- */

json_t *control_json_binding(const struct ha_binding_info *i);
json_t *control_json_event(const struct mip6_event *e, monotime_t now);
json_t *control_json_status(const struct control_backend *b);
json_t *control_json_link(const struct mn_link_info *i);
json_t *control_json_correspondent(const struct mn_ro_info *i);
json_t *control_json_cn_binding(const struct cn_binding_info *i);
json_t *control_json_stats(const struct control_backend *b);
json_t *control_json_ipsec(const struct control_backend *b); /* how IPsec stands */
json_t *control_json_ipsec_stats(const struct control_backend *b);

/* ---- the place in the file system ---- */

struct control_place {
	int fd; /* bound, not listening yet; -1: none */
	int lock_fd;
	char lock_path[128];
	gid_t group; /* (gid_t)-1: root only */
};

/* Returns false with err filled. */
bool control_place_open(
	struct control_place *p, const struct mip6d_config *cfg, char *err, size_t errlen);
/* Removes socket and lock; fd is the listener's to close. */
void control_place_close(struct control_place *p, const struct mip6d_config *cfg);
/* May the other end of a connection talk to us? */
bool control_peer_allowed(int fd, const struct control_place *p);

#endif
