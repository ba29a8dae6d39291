/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl: what its verbs share. */
#ifndef CTL_H
#define CTL_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses, documented in mip6ctl(8). */
enum {
	CTL_OK = 0,
	CTL_REFUSED = 1, /* the daemon said no, or a file is wrong */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3, /* no daemon, no permission, or it went away */
};

struct ctl {
	const char *socket; /* NULL: that of the daemon that the verb is for */
	const char *peer; /* its name */
	bool json; /* -j */
	bool color;
	FILE *daemon; /* the connection, NULL before the first request */
};

/* One file a verb.  argv[0] is the verb; returns an exit status. */
typedef int ctl_verb_fn(struct ctl *ctl, int argc, char **argv);
ctl_verb_fn ctl_status, ctl_bindings, ctl_links, ctl_prefer, ctl_correspondents, ctl_ro, ctl_kbm, ctl_stats, ctl_monitor, ctl_remove, ctl_config,
	ctl_revoke, ctl_switch, ctl_home_agents, ctl_prefixes, ctl_sas, ctl_ipsec, ctl_sessions, ctl_gateway, ctl_vcm;

/* Write "mip6ctl: ..." to stderr; returns status. */
int ctl_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Too many or too few arguments: writes how the verb is used. */
int ctl_misused(const char *verb);

/* ---- the daemon (client.c) ---- */

/*
 * Send a request (stolen) and read its answer.  fn, when given, gets each
 * element of a list as it comes; otherwise *data is a new reference to the
 * answer.  Returns an exit status; failures have been written.
 */
int ctl_ask(struct ctl *ctl, json_t *request, void (*fn)(void *arg, json_t *element), void *arg,
	json_t **data);
/* Ask for events, and print each until interrupted; -j prints them as they are. */
int ctl_watch(struct ctl *ctl, void (*print)(const struct ctl *ctl, const json_t *event));
void ctl_print_time(const char *text, bool color); /* of an event: the local time of day */
/* The next line of a monitor; NULL at the end. */
json_t *ctl_next(struct ctl *ctl);
void ctl_close(struct ctl *ctl);

/* ---- paper (output.c) ---- */

enum ctl_color { PLAIN, BOLD, GREEN, YELLOW, RED, DIM };
enum ctl_color ctl_state_color(const char *word); /* of states and locations */

/* Columns are made as wide as what is in them; the last is not padded. */
#define CTL_COLUMNS 12
struct ctl_cell {
	char *text; /* owned by the table */
	enum ctl_color color;
};
struct ctl_row {
	struct in6_addr key; /* to sort by */
	size_t turn; /* and, among the same, in the order of their making */
	struct ctl_cell cell[CTL_COLUMNS];
};
struct ctl_table {
	const char *const *heads; /* NULL ends; NULL: no line of heads */
	const char *right; /* for each column 'r' or 'l' */
	struct ctl_row *rows;
	size_t n, cap;
};
struct ctl_row *ctl_table_row(
	struct ctl_table *t); /* a new one; ends the program when out of memory */
void ctl_cell(struct ctl_row *row, size_t column, enum ctl_color color, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void ctl_table_sort(struct ctl_table *t);
void ctl_table_print(const struct ctl_table *t, bool color, FILE *to);
void ctl_table_free(struct ctl_table *t);

void ctl_print_json(json_t *data);
/* "2 d 03:04:05", "03:04:05", "4 min 05 s", "5 s" in one of two static buffers */
const char *ctl_duration(int64_t seconds);
void ctl_colored(FILE *to, bool color, enum ctl_color c, const char *text, int width);

/* Members of an object; "" and 0 when they are not there. */
const char *ctl_text(const json_t *o, const char *key);
int64_t ctl_int(const json_t *o, const char *key);

/* ---- lists (list.c) ---- */

typedef void ctl_row_fn(struct ctl_table *t, const json_t *element);
/*
 * A list as a table, sorted by the keys of its rows; with -j as it is.  Steals
 * the request, frees the table, returns an exit status.
 */
int ctl_list(struct ctl *ctl, json_t *request, struct ctl_table *t, ctl_row_fn *add);
/* {"verb": verb}, and an address (NULL: none) as `key`.  NULL: it is none, which has been written. */
json_t *ctl_request_of(const char *verb, const char *key, const char *address);

#endif
