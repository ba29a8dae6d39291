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

/* What has not been advertised, or never ends, is left empty. */
static void put_lifetime(struct ctl_row *row, size_t column, const json_t *p, const char *key)
{
	if (json_object_get(p, key))
		ctl_cell(row, column, PLAIN, "%s", ctl_duration(ctl_int(p, key)));
}

static void add_row(struct ctl_table *t, const json_t *p)
{
	struct ctl_row *row = ctl_table_row(t);
	bool in_use = json_is_true(json_object_get(p, "in_use"));

	ctl_cell(row, 0, BOLD, "%s", in_use ? "*" : " ");
	ctl_cell(row, 1, in_use ? BOLD : PLAIN, "%s", ctl_text(p, "prefix"));
	put_lifetime(row, 2, p, "preferred_s");
	put_lifetime(row, 3, p, "valid_s");
	ctl_cell(row, 4, PLAIN, "%s", ctl_text(p, "home_address"));
}

int ctl_prefixes(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {
		"", "PREFIX", "PREFERRED", "VALID", "HOME ADDRESS", NULL};
	struct ctl_table t = {.heads = heads, .right = "llrrl"};
	json_t *request = request_of(argc, argv);

	if (!request)
		return ctl_misused(argv[0]);
	return ctl_list(ctl, request, &t, add_row);
}
