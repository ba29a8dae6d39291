/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl sas [HOME_ADDRESS] */
#include <arpa/inet.h>

#include "ctl/ctl.h"

/* The nearest end: time before packets before octets. */
static void put_left(struct ctl_row *row, size_t column, const json_t *sa)
{
	if (json_object_get(sa, "left_s"))
		ctl_cell(row, column, PLAIN, "%s", ctl_duration(ctl_int(sa, "left_s")));
	else if (json_object_get(sa, "left_packets"))
		ctl_cell(
			row, column, PLAIN, "%lld packets", (long long)ctl_int(sa, "left_packets"));
	else if (json_object_get(sa, "left_octets"))
		ctl_cell(row, column, PLAIN, "%lld octets", (long long)ctl_int(sa, "left_octets"));
}

static void put_number(struct ctl_row *row, size_t column, const json_t *sa, const char *key)
{
	if (json_object_get(sa, key))
		ctl_cell(row, column, PLAIN, "%lld", (long long)ctl_int(sa, key));
}

/* What is not as it should be; nothing in most lines. */
static void put_note(struct ctl_row *row, size_t column, const json_t *sa)
{
	int64_t replay = ctl_int(sa, "replay_failed"), integrity = ctl_int(sa, "integrity_failed");
	char text[96] = "";
	size_t len = 0;

	if (json_is_true(json_object_get(sa, "missing"))) {
		bool known = json_object_get(sa, "spi");

		ctl_cell(row, column, known ? RED : YELLOW, known ? "missing" : "none yet");
		return;
	}
	if (integrity)
		len = (size_t)snprintf(text, sizeof(text), "%lld forged", (long long)integrity);
	if (replay)
		snprintf(text + len, sizeof(text) - len, "%s%lld replayed or late", len ? ", " : "",
			(long long)replay);
	ctl_cell(row, column, integrity ? RED : YELLOW, "%s", text);
}

static void add_row(struct ctl_table *t, const json_t *sa)
{
	struct ctl_row *row = ctl_table_row(t);

	inet_pton(AF_INET6, ctl_text(sa, "home_address"), &row->key);
	ctl_cell(row, 0, PLAIN, "%s", ctl_text(sa, "home_address"));
	ctl_cell(row, 1, PLAIN, "%s", ctl_text(sa, "use"));
	ctl_cell(row, 2, PLAIN, "%s", ctl_text(sa, "direction"));
	if (json_object_get(sa, "spi"))
		ctl_cell(row, 3, PLAIN, "%s", ctl_text(sa, "spi"));
	if (json_object_get(sa, "algorithm"))
		ctl_cell(row, 4, PLAIN, "%s", ctl_text(sa, "algorithm"));
	put_number(row, 5, sa, "packets");
	put_number(row, 6, sa, "octets");
	put_number(row, 7, sa, "sequence");
	put_number(row, 8, sa, "replay_window");
	put_left(row, 9, sa);
	ctl_cell(row, 10, PLAIN, "%s", ctl_text(sa, "manager"));
	put_note(row, 11, sa);
}

int ctl_sas(struct ctl *ctl, int argc, char **argv)
{
	static const char *const heads[] = {"HOME ADDRESS", "USE", "DIR", "SPI", "ALGORITHM",
		"PACKETS", "OCTETS", "SEQUENCE", "WINDOW", "LEFT", "KEYS", "NOTE", NULL};
	struct ctl_table t = {.heads = heads, .right = "lllllrrrrrll"};
	json_t *request;

	if (argc > 2)
		return ctl_misused(argv[0]);
	request = ctl_request_of("sas", "home_address", argc == 2 ? argv[1] : NULL);
	return request ? ctl_list(ctl, request, &t, add_row) : CTL_USAGE;
}
