/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl stats: whatever counters the daemon has, by their names. */
#include <string.h>

#include "ctl/ctl.h"

/* "bu_received" -> "bu received" */
static void label(struct ctl_row *row, const char *key)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", key);
	for (char *p = text; *p; p++)
		if (*p == '_')
			*p = ' ';
	ctl_cell(row, 0, PLAIN, "  %s", text);
}

static void refusals(struct ctl_table *t, const json_t *list)
{
	const json_t *r;
	size_t i;

	json_array_foreach(list, i, r)
	{
		struct ctl_row *row = ctl_table_row(t);

		ctl_cell(row, 0, PLAIN, "  refused: %s (%lld)", ctl_text(r, "text"),
			(long long)ctl_int(r, "code"));
		ctl_cell(row, 1, YELLOW, "%lld", (long long)ctl_int(r, "count"));
	}
}

static void group(struct ctl_table *t, const char *name, json_t *counters)
{
	struct ctl_row *row = ctl_table_row(t);
	const char *key;
	json_t *v;

	ctl_cell(row, 0, BOLD, "%s", name);
	ctl_cell(row, 1, PLAIN, "%s", "");
	for (char *p = row->cell[0].text; *p; p++)
		if (*p == '_')
			*p = ' ';
	json_object_foreach(counters, key, v)
	{
		if (strcmp(key, "refused") == 0 && json_is_array(v)) {
			refusals(t, v);
		} else if (json_is_integer(v)) {
			row = ctl_table_row(t);
			label(row, key);
			ctl_cell(row, 1, json_integer_value(v) ? PLAIN : DIM, "%lld",
				(long long)json_integer_value(v));
		}
	}
}

int ctl_stats(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_table t = {.right = "lr"};
	json_t *data = NULL, *v;
	const char *key;
	int rc;

	if (argc > 1)
		return ctl_misused(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "verb", "stats"), NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json) {
		ctl_print_json(data);
	} else if (rc == CTL_OK) {
		json_object_foreach(data, key, v) group(&t, key, v);
		ctl_table_print(&t, ctl->color, stdout);
		ctl_table_free(&t);
	}
	json_decref(data);
	return rc;
}
