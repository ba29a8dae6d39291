/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl gateway [nodes|pairs] */
#include <arpa/inet.h>
#include <string.h>

#include "ctl/ctl.h"

static void add_node(struct ctl_table *t, const json_t *n)
{
	struct ctl_row *row = ctl_table_row(t);
	const char *place = ctl_text(n, "place");
	bool outside = strcmp(place, "outside") == 0,
	     reported = json_is_true(json_object_get(n, "reported"));

	inet_pton(AF_INET6, ctl_text(n, "internal_address"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(n, "internal_address"));
	ctl_cell(row, 1, PLAIN, "%s", ctl_text(n, "home_address"));
	ctl_cell(row, 2, outside ? GREEN : PLAIN, "%s", place);
	ctl_cell(row, 3, reported ? PLAIN : RED, "%s", reported ? "yes" : "not yet");
	ctl_cell(row, 4, PLAIN, "%s", ctl_duration(ctl_int(n, "since_s")));
	ctl_cell(row, 5, PLAIN, "%zu", json_array_size(json_object_get(n, "correspondents")));
}

static void add_pair(struct ctl_table *t, const json_t *p)
{
	struct ctl_row *row = ctl_table_row(t);
	bool reported = json_is_true(json_object_get(p, "reported"));

	inet_pton(AF_INET6, ctl_text(p, "a"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(p, "a"));
	ctl_cell(row, 1, PLAIN, "%s", ctl_text(p, "b"));
	ctl_cell(row, 2, PLAIN, "%s", ctl_text(p, "trigger"));
	ctl_cell(row, 3, reported ? GREEN : PLAIN, "%s", reported ? "yes" : "not yet");
	ctl_cell(row, 4, PLAIN, "%s", ctl_duration(ctl_int(p, "age_s")));
	ctl_cell(row, 5, PLAIN, "%lld", (long long)ctl_int(p, "packets"));
}

static int show(struct ctl *ctl, const char *what, struct ctl_table *t, ctl_row_fn *add)
{
	return ctl_list(ctl, json_pack("{s:s, s:s}", "verb", "gateway", "what", what), t, add);
}

int ctl_gateway(struct ctl *ctl, int argc, char **argv)
{
	static const char *const node_heads[] = {"INTERNAL ADDRESS", "HOME ADDRESS", "PLACE",
		"REPORTED", "SINCE", "CORRESPONDENTS", NULL};
	static const char *const pair_heads[] = {
		"NODE", "NODE", "TRIGGER", "REPORTED", "AGE", "PACKETS", NULL};
	struct ctl_table nodes = {.heads = node_heads, .right = "llllrr"},
			 pairs = {.heads = pair_heads, .right = "llllrr"};

	if (argc == 1 || (argc == 2 && strcmp(argv[1], "nodes") == 0))
		return show(ctl, "nodes", &nodes, add_node);
	if (argc == 2 && strcmp(argv[1], "pairs") == 0)
		return show(ctl, "pairs", &pairs, add_pair);
	return ctl_misused(argv[0]);
}
