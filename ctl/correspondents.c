/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl correspondents [bindings], ro on|off|flush PEER */
#include <arpa/inet.h>
#include <string.h>

#include "ctl/ctl.h"

/* "3 s", or "-" where there is no such member */
static void cell_of_seconds(struct ctl_row *row, size_t column, const json_t *o, const char *key)
{
	if (json_object_get(o, key))
		ctl_cell(row, column, PLAIN, "%s", ctl_duration(ctl_int(o, key)));
	else
		ctl_cell(row, column, DIM, "-");
}

static void add_peer(struct ctl_table *t, const json_t *c)
{
	struct ctl_row *row = ctl_table_row(t);
	const char *state = ctl_text(c, "state"), *path = ctl_text(c, "path"),
		   *care_of = ctl_text(c, "care_of"), *by_hand = ctl_text(c, "by_hand");
	bool direct = strcmp(path, "direct") == 0;

	inet_pton(AF_INET6, ctl_text(c, "peer"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(c, "peer"));
	ctl_cell(row, 1, ctl_state_color(state), "%s%s%s", state, by_hand[0] ? ", by hand " : "",
		by_hand);
	ctl_cell(row, 2, direct ? GREEN : PLAIN, "%s", path);
	ctl_cell(row, 3, PLAIN, "%s", care_of[0] ? care_of : "-");
	ctl_cell(row, 4, PLAIN, "%s", ctl_text(c, "key"));
	cell_of_seconds(row, 5, c, "home_token_age_s");
	cell_of_seconds(row, 6, c, "care_of_token_age_s");
	ctl_cell(row, 7, PLAIN, "%s", ctl_duration(ctl_int(c, "remaining_s")));
	ctl_cell(row, 8, PLAIN, "%lld", (long long)ctl_int(c, "seq"));
	ctl_cell(row, 9, PLAIN, "%lld", (long long)ctl_int(c, "updates"));
}

static void add_binding(struct ctl_table *t, const json_t *b)
{
	struct ctl_row *row = ctl_table_row(t);

	inet_pton(AF_INET6, ctl_text(b, "home_address"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(b, "home_address"));
	ctl_cell(row, 1, PLAIN, "%s", ctl_text(b, "care_of"));
	ctl_cell(row, 2, PLAIN, "%s", ctl_text(b, "local"));
	ctl_cell(row, 3, PLAIN, "%s", ctl_text(b, "key"));
	ctl_cell(row, 4, PLAIN, "%s", ctl_duration(ctl_int(b, "remaining_s")));
	ctl_cell(row, 5, PLAIN, "%lld", (long long)ctl_int(b, "seq"));
	ctl_cell(row, 6, PLAIN, "%lld", (long long)ctl_int(b, "moves"));
	ctl_cell(row, 7, PLAIN, "%s", ctl_duration(ctl_int(b, "age_s")));
}

static int peers(struct ctl *ctl, json_t *request)
{
	static const char *const heads[] = {"PEER", "STATE", "PATH", "CARE-OF ADDRESS", "KEY",
		"HOME TOKEN", "CARE-OF TOKEN", "LEFT", "SEQ", "UPDATES", NULL};
	struct ctl_table t = {.heads = heads, .right = "lllllrrrrr"};

	return ctl_list(ctl, request, &t, add_peer);
}

int ctl_correspondents(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"HOME ADDRESS", "CARE-OF ADDRESS", "WITH", "KEY",
		"LEFT", "SEQ", "MOVES", "AGE", NULL};
	struct ctl_table t = {.heads = heads, .right = "llllrrrr"};

	if (argc == 1)
		return peers(ctl, json_pack("{s:s}", "verb", "correspondents"));
	if (argc > 2 || strcmp(argv[1], "bindings") != 0)
		return ctl_misused(argv[0]);
	return ctl_list(ctl, json_pack("{s:s}", "verb", "correspondent-bindings"), &t, add_binding);
}

int ctl_ro(struct ctl *ctl, int argc, char **argv)
{
	struct in6_addr a;

	if (argc != 3)
		return ctl_misused(argv[0]);
	if (inet_pton(AF_INET6, argv[2], &a) != 1)
		return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", argv[2]);
	return peers(ctl, json_pack("{s:s, s:s, s:s}", "verb", "ro", "action", argv[1], "peer", argv[2]));
}
