/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl home-agents */
#include "ctl/ctl.h"

int ctl_home_agents(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"HOME AGENT", "STATE", NULL};
	struct ctl_table t = {.heads = heads, .right = "ll"};
	json_t *data = NULL, *a;
	size_t i;
	int rc;

	if (argc > 1)
		return ctl_misused(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "verb", "home-agents"), NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json) {
		ctl_print_json(data);
	} else if (rc == CTL_OK) {
		json_array_foreach(data, i, a)
		{
			struct ctl_row *row = ctl_table_row(&t);
			const char *state = ctl_text(a, "state");

			ctl_cell(row, 0, PLAIN, "%s", ctl_text(a, "address"));
			ctl_cell(row, 1, ctl_state_color(state), "%s", state);
		}
		ctl_table_print(&t, ctl->color, stdout);
		ctl_table_free(&t);
	}
	json_decref(data);
	return rc;
}
