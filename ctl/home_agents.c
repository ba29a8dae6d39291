/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl home-agents */
#include "ctl/ctl.h"

static void lifetime_cell(struct ctl_row *row, size_t column, json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	ctl_cell(row, column, PLAIN, "%s",
		json_is_string(v) ? json_string_value(v) : ctl_duration(json_integer_value(v)));
}

/* The first line has what belongs to the home agent; each further one an address. */
static void add_rows(struct ctl_table *t, json_t *agent)
{
	json_t *addresses = json_object_get(agent, "addresses");
	bool own = json_is_true(json_object_get(agent, "own"));
	struct ctl_row *row = ctl_table_row(t);

	ctl_cell(row, 0, BOLD, "%s", own ? "*" : " ");
	ctl_cell(row, 1, PLAIN, "%lld", (long long)ctl_int(agent, "preference"));
	lifetime_cell(row, 2, agent, "lifetime");
	if (!own)
		ctl_cell(row, 3, PLAIN, "%s", ctl_text(agent, "link_local"));
	for (size_t i = 0; i < json_array_size(addresses); i++) {
		if (i)
			row = ctl_table_row(t);
		ctl_cell(row, 4, PLAIN, "%s", json_string_value(json_array_get(addresses, i)));
	}
}

int ctl_home_agents(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {
		"", "PREF", "LIFETIME", "LINK-LOCAL ADDRESS", "ADDRESS", NULL};
	struct ctl_table t = {.heads = heads, .right = "lrrll"};
	json_t *data = NULL, *agent;
	size_t i;
	int rc;

	if (argc > 1)
		return ctl_misused(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "verb", "home-agents"), NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json) {
		ctl_print_json(data);
	} else if (rc == CTL_OK) {
		json_array_foreach(data, i, agent) add_rows(&t, agent);
		ctl_table_print(&t, ctl->color, stdout);
		ctl_table_free(&t);
	}
	json_decref(data);
	return rc;
}
