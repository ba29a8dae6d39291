/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl sessions [end PEER] */
#include <arpa/inet.h>
#include <string.h>

#include "ctl/ctl.h"

static void cell_of_spi(struct ctl_row *row, size_t column, const json_t *o, const char *key)
{
	if (json_object_get(o, key))
		ctl_cell(row, column, PLAIN, "%08llx", (unsigned long long)ctl_int(o, key));
	else
		ctl_cell(row, column, DIM, "-");
}

static void cell_of_packets(struct ctl_row *row, size_t column, const json_t *o, const char *key)
{
	if (json_object_get(o, key))
		ctl_cell(row, column, PLAIN, "%lld", (long long)ctl_int(o, key));
	else
		ctl_cell(row, column, DIM, "-");
}

static void add_session(struct ctl_table *t, const json_t *s)
{
	struct ctl_row *row = ctl_table_row(t);
	bool direct = strcmp(ctl_text(s, "by"), "direct") == 0;

	inet_pton(AF_INET6, ctl_text(s, "peer"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(s, "peer"));
	ctl_cell(row, 1, direct ? GREEN : PLAIN, "%s", ctl_text(s, "state"));
	ctl_cell(row, 2, direct ? GREEN : PLAIN, "%s%s", ctl_text(s, "by"),
		direct && !json_is_true(json_object_get(s, "path")) ? ", home agents" : "");
	ctl_cell(row, 3, PLAIN, "%lld", (long long)ctl_int(s, "generation"));
	ctl_cell(row, 4, PLAIN, "%s%s", ctl_text(s, "algorithm"),
		json_is_true(json_object_get(s, "asymmetric")) ? ", X25519" : "");
	cell_of_spi(row, 5, s, "spi_in");
	cell_of_spi(row, 6, s, "spi_out");
	cell_of_packets(row, 7, s, "packets_in");
	cell_of_packets(row, 8, s, "packets_out");
	ctl_cell(row, 9, PLAIN, "%s", ctl_duration(ctl_int(s, "age_s")));
	ctl_cell(row, 10, PLAIN, "%s", ctl_duration(ctl_int(s, "remaining_s")));
}

/* Steals the request. */
static int ask_and_print(struct ctl *ctl, json_t *request)
{
	static const char *const heads[] = {"PEER", "STATE", "BY", "GEN", "ALGORITHM", "SPI IN",
		"SPI OUT", "IN", "OUT", "AGE", "LEFT", NULL};
	struct ctl_table t = {.heads = heads, .right = "lllrlllrrrr"};

	return ctl_list(ctl, request, &t, add_session);
}

int ctl_sessions(struct ctl *ctl, int argc, char **argv)
{
	struct in6_addr a;

	if (argc == 1)
		return ask_and_print(ctl, json_pack("{s:s}", "verb", "sessions"));
	if (argc != 3 || strcmp(argv[1], "end") != 0)
		return ctl_misused(argv[0]);
	if (inet_pton(AF_INET6, argv[2], &a) != 1)
		return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", argv[2]);
	return ask_and_print(ctl, json_pack("{s:s, s:s}", "verb", "sessions", "end", argv[2]));
}
