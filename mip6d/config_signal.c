/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of what home agent and mobile node say to each other beside
 * registrations.  Bounds from RFC 5847 5 (heartbeat), RFC 5846 11
 * (revocation), RFC 4282 2.1 and 2.2 (identifiers).
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/config_read.h"

#define MAX_IDENTIFIERS 100000

static const struct config_key heartbeat_keys[] = {
	CONFIG_KEY("interval", config_read_u32, offsetof(struct config_heartbeat, interval_s), "60",
		.min = 30, .max = 3600, .unit = "s"),
	CONFIG_KEY("missed", config_read_u32, offsetof(struct config_heartbeat, missed), "3",
		.min = 1, .max = 1000),
	{.name = NULL},
};

bool config_read_heartbeat(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_heartbeat *h = field;

	(void)k;
	if (!config_is_group(r, s))
		return false;
	*h = (struct config_heartbeat){.interval_s = 60, .missed = 3};
	config_read_group(r, heartbeat_keys, s, h);
	return true;
}

static const struct config_key revocation_keys[] = {
	CONFIG_KEY("retries", config_read_u32, offsetof(struct config_revocation, retries), "1",
		.min = 0, .max = 100),
	CONFIG_KEY("timeout", config_read_u32, offsetof(struct config_revocation, timeout_ms),
		"1000", .min = 500, .max = 60000, .unit = "ms"),
	CONFIG_KEY("max_timeout", config_read_u32,
		offsetof(struct config_revocation, max_timeout_ms), "2000", .min = 500,
		.max = 60000, .unit = "ms"),
	{.name = NULL},
};

bool config_read_revocation(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_revocation *v = field;
	const config_setting_t *max;

	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, revocation_keys, s, v);
	max = config_good(s, "max_timeout");
	if (v->max_timeout_ms < v->timeout_ms)
		config_complain(r, max ? max : s,
			"the longest timeout is shorter than the first; write max_timeout = %u or "
			"more",
			v->timeout_ms);
	return true;
}

/* user@realm, or a realm or user alone (RFC 4282 2.1), of characters that can be shown. */
static bool is_identifier(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > CONFIG_IDENTIFIER_LEN - 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

bool config_read_identifier(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);

	if (!text)
		return false;
	if (!is_identifier(text)) {
		config_complain(r, s,
			"\"%.60s\" is not a network access identifier; write 1 to %d visible "
			"characters, like %s",
			text, CONFIG_IDENTIFIER_LEN - 1, k->example);
		return false;
	}
	memcpy(field, text, strlen(text) + 1);
	return true;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_identifiers(
	struct config_reader *r, const config_setting_t *s, struct config_home_agent *ha)
{
	qsort(ha->identifiers, ha->n_identifiers, sizeof(*ha->identifiers), compare_text);
	for (size_t i = 1; i < ha->n_identifiers; i++)
		if (strcmp(ha->identifiers[i], ha->identifiers[i - 1]) == 0)
			config_complain(r, s, "\"%.60s\" is listed twice; remove one of the two",
				ha->identifiers[i]);
}

bool config_read_identifiers(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_home_agent *ha = field;
	struct config_key plain = *k;
	size_t before = r->faults;
	char text[CONFIG_IDENTIFIER_LEN];
	int n = config_setting_length(s);

	if (!config_is_list(r, k, s))
		return false;
	ha->identifiers = n <= MAX_IDENTIFIERS ? calloc((size_t)n, sizeof(*ha->identifiers)) : NULL;
	if (!ha->identifiers) {
		config_complain(
			r, s, "%d identifiers are too many; write %d at most", n, MAX_IDENTIFIERS);
		return false;
	}
	plain.example = CONFIG_EXAMPLE_IDENTIFIER;
	for (int i = 0; i < n; i++) {
		if (!config_read_identifier(
			    r, &plain, config_setting_get_elem(s, (unsigned)i), text))
			continue;
		ha->identifiers[ha->n_identifiers] = strdup(text);
		ha->n_identifiers += ha->identifiers[ha->n_identifiers] != NULL;
	}
	sort_identifiers(r, s, ha);
	return r->faults == before;
}
