/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl links, prefer */
#include <stdlib.h>

#include "ctl/ctl.h"

static void add_row(struct ctl_table *t, const json_t *l)
{
	struct ctl_row *row = ctl_table_row(t);
	const char *state = ctl_text(l, "state"), *care_of = ctl_text(l, "care_of"),
		   *address = ctl_text(l, "address_state"), *router = ctl_text(l, "router");
	bool current = json_is_true(json_object_get(l, "current"));

	ctl_cell(row, 0, BOLD, "%s", current ? "*" : " ");
	ctl_cell(row, 1, current ? BOLD : PLAIN, "%s", ctl_text(l, "interface"));
	ctl_cell(row, 2, PLAIN, "%lld", (long long)ctl_int(l, "preference"));
	ctl_cell(row, 3, ctl_state_color(state), "%s", state);
	ctl_cell(row, 4, PLAIN, "%s", json_is_true(json_object_get(l, "home")) ? "home" : "-");
	if (router[0])
		ctl_cell(row, 5, PLAIN, "%s", router);
	if (care_of[0])
		ctl_cell(row, 6, PLAIN, "%s", care_of);
	if (address[0])
		ctl_cell(row, 7, ctl_state_color(address), "%s", address);
}

/* Steals the request; its answer is a list of interfaces. */
static int ask_and_print(struct ctl *ctl, json_t *request)
{
	static const char *const heads[] = {"", "INTERFACE", "PREF", "STATE", "LINK", "ROUTER",
		"CARE-OF ADDRESS", "ADDRESS IS", NULL};
	struct ctl_table t = {.heads = heads, .right = "llrlllll"};

	return ctl_list(ctl, request, &t, add_row);
}

int ctl_links(struct ctl *ctl, int argc, char **argv)
{
	if (argc > 1)
		return ctl_misused(argv[0]);
	return ask_and_print(ctl, json_pack("{s:s}", "verb", "links"));
}

int ctl_prefer(struct ctl *ctl, int argc, char **argv)
{
	char *end;
	long preference;

	if (argc != 3)
		return ctl_misused(argv[0]);
	preference = strtol(argv[2], &end, 10);
	if (!*argv[2] || *end)
		return ctl_fail(CTL_USAGE, "%s is not a number", argv[2]);
	return ask_and_print(ctl, json_pack("{s:s, s:s, s:I}", "verb", "prefer", "interface", argv[1],
					  "preference", (json_int_t)preference));
}
