/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl bindings [HOME_ADDRESS] */
#include <arpa/inet.h>
#include <stdlib.h>

#include "ctl/ctl.h"

/* Sorted by home address, whatever the order they come in; in JSON as well. */
static void add_json(void *arg, json_t *b)
{
	struct ctl_row *row = ctl_table_row(arg);
	char *text = json_dumps(b, JSON_COMPACT);

	inet_pton(AF_INET6, ctl_text(b, "home_address"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", text ? text : "");
	free(text);
}

/* What is under way says more than that the binding is active. */
static const char *state_of(const json_t *b)
{
	static const char *const more[] = {"revoking", "switching", "unreachable"};

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (json_is_true(json_object_get(b, more[i])))
			return more[i];
	return ctl_text(b, "state");
}

/* All of them in one cell. */
static void networks(struct ctl_row *row, const json_t *list)
{
	char text[1024] = "";
	const json_t *p;
	size_t i, len = 0;

	json_array_foreach(list, i, p)
		if (len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
				i ? " " : "", json_string_value(p));
	ctl_cell(row, 10, PLAIN, "%s", text);
}

static void add_row(void *arg, json_t *b)
{
	static const char *const with_identifier[] = {"HOME ADDRESS", "CARE-OF ADDRESS", "STATE",
		"LEFT", "LIFETIME", "SEQ", "FLAGS", "MOVES", "AGE", "IDENTIFIER", NULL};
	static const char *const with_networks[] = {"HOME ADDRESS", "CARE-OF ADDRESS", "STATE",
		"LEFT", "LIFETIME", "SEQ", "FLAGS", "MOVES", "AGE", "IDENTIFIER", "NETWORKS", NULL};
	struct ctl_table *t = arg;
	struct ctl_row *row = ctl_table_row(t);
	const char *state = state_of(b), *care_of = ctl_text(b, "care_of"),
		   *identifier = ctl_text(b, "identifier");

	inet_pton(AF_INET6, ctl_text(b, "home_address"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(b, "home_address"));
	if (care_of[0])
		ctl_cell(row, 1, PLAIN, "%s", care_of);
	ctl_cell(row, 2, ctl_state_color(state), "%s", state);
	ctl_cell(row, 3, PLAIN, "%s", ctl_duration(ctl_int(b, "remaining_s")));
	ctl_cell(row, 4, PLAIN, "%s", ctl_duration(ctl_int(b, "lifetime_s")));
	ctl_cell(row, 5, PLAIN, "%lld", (long long)ctl_int(b, "seq"));
	ctl_cell(row, 6, PLAIN, "%s", ctl_text(b, "flags"));
	ctl_cell(row, 7, PLAIN, "%lld", (long long)ctl_int(b, "moves"));
	ctl_cell(row, 8, PLAIN, "%s", ctl_duration(ctl_int(b, "age_s")));
	if (identifier[0])
		ctl_cell(row, 9, PLAIN, "%s", identifier);
	if (identifier[0] && t->heads != with_networks) {
		t->heads = with_identifier;
		t->right = "lllrrrlrrl";
	}
	if (json_object_get(b, "networks")) {
		t->heads = with_networks;
		t->right = "lllrrrlrrll";
		networks(row, json_object_get(b, "networks"));
	}
}

static void print_json(const struct ctl_table *t)
{
	puts("[");
	for (size_t i = 0; i < t->n; i++)
		printf("  %s%s\n", t->rows[i].cell[0].text, i + 1 < t->n ? "," : "");
	puts("]");
}

int ctl_bindings(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"HOME ADDRESS", "CARE-OF ADDRESS", "STATE", "LEFT",
		"LIFETIME", "SEQ", "FLAGS", "MOVES", "AGE", NULL};
	struct ctl_table t = {.heads = heads, .right = "lllrrrlrr"};
	json_t *request;
	int rc;

	if (argc > 2)
		return ctl_misused(argv[0]);
	request = ctl_request_of("bindings", "home_address", argc == 2 ? argv[1] : NULL);
	if (!request)
		return CTL_USAGE;
	rc = ctl_ask(ctl, request, ctl->json ? add_json : add_row, &t, NULL);
	if (rc == CTL_OK) {
		ctl_table_sort(&t);
		if (ctl->json)
			print_json(&t);
		else if (t.n)
			ctl_table_print(&t, ctl->color, stdout);
		else
			puts("no bindings");
	}
	ctl_table_free(&t);
	return rc;
}
