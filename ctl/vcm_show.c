/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vcmd knows, as tables. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "ctl/vcm.h"

static bool flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* ---- lists ---- */

/* Under the node itself: with whom it talked. */
static void add_others(struct ctl_table *t, const json_t *others)
{
	const json_t *other;
	size_t i;

	json_array_foreach(others, i, other)
	{
		struct ctl_row *row = ctl_table_row(t);

		memset(&row->key, 0xff, sizeof(row->key)); /* behind it */
		ctl_cell(row, 0, DIM, "  %s", json_string_value(other));
		for (size_t k = 1; k < 5; k++)
			ctl_cell(row, k, PLAIN, "%s", "");
	}
}

static void add_context(struct ctl_table *t, const json_t *o)
{
	struct ctl_row *row = ctl_table_row(t);
	const json_t *others = json_object_get(o, "correspondents");
	bool outside = strcmp(ctl_text(o, "place"), "outside") == 0;

	inet_pton(AF_INET6, ctl_text(o, "node"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(o, "node"));
	if (json_object_get(o, "home_address"))
		ctl_cell(row, 1, PLAIN, "%s", ctl_text(o, "home_address"));
	ctl_cell(row, 2, outside ? GREEN : PLAIN, "%s", ctl_text(o, "place"));
	ctl_cell(row, 3, PLAIN, "%lld",
		json_is_array(others) ? (long long)json_array_size(others)
				      : (long long)json_integer_value(others));
	ctl_cell(row, 4, RED, "%s", flag(o, "revoked") ? "revoked" : "");
	if (json_is_array(others) && json_array_size(others))
		add_others(t, others);
}

int ctl_vcm_contexts(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {
		"NODE", "HOME ADDRESS", "PLACE", "CORRESPONDENTS", "NOTE", NULL};
	struct ctl_table t = {.heads = heads, .right = "lllrl"};
	json_t *request;

	if (argc > 2)
		return ctl_vcm_misused(argv[0]);
	request = ctl_request_of("contexts", "node", argc == 2 ? argv[1] : NULL);
	return request ? ctl_list(ctl, request, &t, add_context) : CTL_USAGE;
}

static enum ctl_color state_color(const char *state)
{
	if (strcmp(state, "direct") == 0)
		return GREEN;
	return strcmp(state, "ending") == 0 ? DIM : YELLOW;
}

/* "both", "first", "second", "none" of the two nodes */
static const char *which(const json_t *o, const char *a, const char *b)
{
	if (flag(o, a))
		return flag(o, b) ? "both" : "first";
	return flag(o, b) ? "second" : "none";
}

static void add_session(struct ctl_table *t, const json_t *o)
{
	struct ctl_row *row = ctl_table_row(t);
	const char *state = ctl_text(o, "state");
	int64_t left = ctl_int(o, "ends_at") - (int64_t)time(NULL);

	inet_pton(AF_INET6, ctl_text(o, "a"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(o, "a"));
	ctl_cell(row, 1, PLAIN, "%s", ctl_text(o, "b"));
	ctl_cell(row, 2, state_color(state), "%s", state);
	ctl_cell(row, 3, PLAIN, "%s", which(o, "ready_a", "ready_b"));
	ctl_cell(row, 4, PLAIN, "%s", which(o, "active_a", "active_b"));
	ctl_cell(row, 5, PLAIN, "%s", ctl_duration(left > 0 ? left : 0));
	ctl_cell(row, 6, PLAIN, "%lld", (long long)ctl_int(o, "generation"));
	ctl_cell(row, 7, PLAIN, "%s", ctl_text(o, "variant"));
	ctl_cell(row, 8, PLAIN, "%s", ctl_text(o, "algorithm"));
	ctl_cell(row, 9, PLAIN, "%s", ctl_text(o, "session"));
}

int ctl_vcm_sessions(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"FIRST", "SECOND", "STATE", "READY", "ACTIVE", "LEFT",
		"GENERATION", "VARIANT", "ALGORITHM", "SESSION", NULL};
	struct ctl_table t = {.heads = heads, .right = "lllllrrlll"};
	json_t *request;

	if (argc > 2)
		return ctl_vcm_misused(argv[0]);
	request = ctl_request_of("sessions", "node", argc == 2 ? argv[1] : NULL);
	return request ? ctl_list(ctl, request, &t, add_session) : CTL_USAGE;
}

/* ---- as a whole ---- */

static void line(struct ctl_table *t, const char *label, enum ctl_color color, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void line(struct ctl_table *t, const char *label, enum ctl_color color, const char *fmt, ...)
{
	struct ctl_row *row = ctl_table_row(t);
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctl_cell(row, 0, DIM, "%s", label);
	ctl_cell(row, 1, color, "%s", text);
}

static void print_status(struct ctl_table *t, const json_t *o)
{
	const json_t *g;
	size_t i;

	line(t, "role", BOLD, "%s", ctl_text(o, "role"));
	line(t, "vcmd", PLAIN, "%s, running for %s, process %lld", ctl_text(o, "version"),
		ctl_duration(ctl_int(o, "uptime_s")), (long long)ctl_int(o, "pid"));
	line(t, "address", PLAIN, "%s, port %lld", ctl_text(o, "address"),
		(long long)ctl_int(o, "port"));
	line(t, "ipsec", PLAIN, "%s",
		strcmp(ctl_text(o, "ipsec"), "none") == 0
			? "not ours: the gateway on this host has it"
			: ctl_text(o, "ipsec"));
	json_array_foreach(json_object_get(o, "gateways"), i, g)
		line(t, i ? "" : "gateways", PLAIN, "%s", json_string_value(g));
	if (!json_object_get(o, "nodes")) {
		line(t, "state", YELLOW, "not ready yet");
		return;
	}
	line(t, "nodes", PLAIN, "%lld of at most %lld", (long long)ctl_int(o, "nodes"),
		(long long)ctl_int(o, "max_nodes"));
	line(t, "sessions", PLAIN, "%lld of at most %lld", (long long)ctl_int(o, "sessions"),
		(long long)ctl_int(o, "max_sessions"));
}

static void print_stats(struct ctl_table *t, const json_t *o)
{
	const char *group, *key;
	json_t *members, *v;

	json_object_foreach((json_t *)(uintptr_t)o, group, members)
	{
		bool first = true;

		if (json_is_integer(members))
			line(t, group, PLAIN, "%lld", (long long)json_integer_value(members));
		json_object_foreach(members, key, v)
		{
			line(t, first ? group : "", PLAIN, "%-14s %12lld", key,
				(long long)json_integer_value(v));
			first = false;
		}
	}
}

static int show_object(
	struct ctl *ctl, int argc, char **argv, void (*print)(struct ctl_table *t, const json_t *o))
{
	struct ctl_table t = {.right = "ll"};
	json_t *data = NULL;
	int rc;

	if (argc > 1)
		return ctl_vcm_misused(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "verb", argv[0]), NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json) {
		ctl_print_json(data);
	} else if (rc == CTL_OK) {
		print(&t, data);
		ctl_table_print(&t, ctl->color, stdout);
		ctl_table_free(&t);
	}
	json_decref(data);
	return rc;
}

int ctl_vcm_status(struct ctl *ctl, int argc, char **argv)
{
	return show_object(ctl, argc, argv, print_status);
}

int ctl_vcm_stats(struct ctl *ctl, int argc, char **argv)
{
	return show_object(ctl, argc, argv, print_stats);
}

/* ---- events ---- */

static void detail(const json_t *e, const char *key, const char *name)
{
	if (ctl_text(e, key)[0])
		printf("  %s%s%s", name, name[0] ? " " : "", ctl_text(e, key));
}

static enum ctl_color event_color(const char *event)
{
	if (strcmp(event, "session-direct") == 0)
		return GREEN;
	return strcmp(event, "by-hand") == 0 ? BOLD : PLAIN;
}

static void print_event(const struct ctl *ctl, const json_t *e)
{
	const char *event = ctl_text(e, "event");

	ctl_print_time(ctl_text(e, "time"), ctl->color);
	fputs("  ", stdout);
	ctl_colored(stdout, ctl->color, event_color(event), event, -17);
	detail(e, "a", "");
	detail(e, "b", "");
	detail(e, "session", "session");
	if (ctl_int(e, "generation") > 1)
		printf("  generation %lld", (long long)ctl_int(e, "generation"));
	if (json_object_get(e, "packets_ab") || json_object_get(e, "packets_ba"))
		printf("  packets %lld, %lld", (long long)ctl_int(e, "packets_ab"),
			(long long)ctl_int(e, "packets_ba"));
	detail(e, "node", "by");
	detail(e, "text", "-");
	putchar('\n');
}

int ctl_vcm_monitor(struct ctl *ctl, int argc, char **argv)
{
	return argc > 1 ? ctl_vcm_misused(argv[0]) : ctl_watch(ctl, print_event);
}
