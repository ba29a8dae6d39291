/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl prefixes [set PREFIX VALID PREFERRED | remove PREFIX] */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

/* Seconds, or the word, which the daemon judges. */
static json_t *lifetime(const char *text)
{
	char *end;
	long long s = strtoll(text, &end, 10);

	return *text && !*end ? json_integer(s) : json_string(text);
}

static json_t *request_of(int argc, char **argv)
{
	if (argc == 1)
		return json_pack("{s:s}", "verb", "prefixes");
	if (argc == 5 && strcmp(argv[1], "set") == 0)
		return json_pack("{s:s, s:s, s:s, s:o, s:o}", "verb", "prefixes", "action", "set",
			"prefix", argv[2], "valid", lifetime(argv[3]), "preferred",
			lifetime(argv[4]));
	if (argc == 3 && strcmp(argv[1], "remove") == 0)
		return json_pack("{s:s, s:s, s:s}", "verb", "prefixes", "action", "remove",
			"prefix", argv[2]);
	return NULL;
}

static void lifetime_cell(struct ctl_row *row, size_t column, json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	ctl_cell(row, column, PLAIN, "%s",
		json_is_string(v) ? json_string_value(v) : ctl_duration(json_integer_value(v)));
}

int ctl_prefixes(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"PREFIX", "VALID", "PREFERRED", NULL};
	struct ctl_table t = {.heads = heads, .right = "lrr"};
	json_t *request = request_of(argc, argv), *data = NULL, *p;
	size_t i;
	int rc;

	if (!request)
		return ctl_misused(argv[0]);
	rc = ctl_ask(ctl, request, NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json) {
		ctl_print_json(data);
	} else if (rc == CTL_OK) {
		json_array_foreach(data, i, p)
		{
			struct ctl_row *row = ctl_table_row(&t);

			ctl_cell(row, 0, PLAIN, "%s", ctl_text(p, "prefix"));
			lifetime_cell(row, 1, p, "valid");
			lifetime_cell(row, 2, p, "preferred");
		}
		ctl_table_print(&t, ctl->color, stdout);
		ctl_table_free(&t);
	}
	json_decref(data);
	return rc;
}
