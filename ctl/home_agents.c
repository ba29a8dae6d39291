/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl home-agents */
#include "ctl/ctl.h"

/* A mobile node knows what became of them, a home agent what they advertise. */
static void add_row(struct ctl_table *t, const json_t *a)
{
	struct ctl_row *row = ctl_table_row(t);
	const char *state = ctl_text(a, "state");

	ctl_cell(row, 0, PLAIN, "%s", ctl_text(a, "address"));
	if (state[0])
		ctl_cell(row, 1, ctl_state_color(state), "%s", state);
	else
		ctl_cell(row, 1, PLAIN, "%s",
			json_is_true(json_object_get(a, "own")) ? "this" : "heard");
	if (json_object_get(a, "preference"))
		ctl_cell(row, 2, PLAIN, "%lld", (long long)ctl_int(a, "preference"));
	if (json_object_get(a, "lifetime_s"))
		ctl_cell(row, 3, PLAIN, "%s", ctl_duration(ctl_int(a, "lifetime_s")));
}

int ctl_home_agents(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"HOME AGENT", "STATE", "PREF", "LIFETIME", NULL};
	struct ctl_table t = {.heads = heads, .right = "llrr"};

	if (argc > 1)
		return ctl_misused(argv[0]);
	return ctl_list(ctl, json_pack("{s:s}", "verb", "home-agents"), &t, add_row);
}
