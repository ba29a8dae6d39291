/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading settings: types, ranges, names.  Every complaint ends with what
 * would be right.  A setting that was read without one is marked by its
 * hook, so that checks across settings can pass over those already blamed.
 */
#include "common/config_read.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- where things are ---- */

/* "home_agent.home_prefixes[1].prefix" */
static void path_of(const config_setting_t *s, char *buf, size_t cap)
{
	const config_setting_t *up = config_setting_parent(s);
	const char *name = config_setting_name(s);
	size_t n;

	buf[0] = '\0';
	if (!up)
		return;
	path_of(up, buf, cap);
	n = strlen(buf);
	if (name)
		snprintf(buf + n, cap - n, "%s%.60s", n ? "." : "", name);
	else
		snprintf(buf + n, cap - n, "[%d]", config_setting_index(s) + 1);
}

void config_complain(struct config_reader *r, const config_setting_t *s, const char *fmt, ...)
{
	char path[256], message[768];
	const char *file;
	uint32_t line;
	va_list ap;

	path_of(s, path, sizeof(path));
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	file = config_source_origin(r->source, config_setting_source_line(s), &line);
	config_error(r->errors, file, line, "%s%s%s", path, path[0] ? ": " : "", message);
	r->faults++;
}

/* ---- names ---- */

/* Edits (insert, delete, replace, swap of neighbours) between two short names. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), d[33][33];

	if (la > 32 || lb > 32)
		return 99;
	for (size_t i = 0; i <= la; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= la; i++)
		for (size_t j = 1; j <= lb; j++) {
			bool same = tolower((unsigned char)a[i - 1]) == b[j - 1];
			size_t best = d[i - 1][j - 1] + !same;

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[la][lb];
}

static const struct config_key *key_of(const struct config_key *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static void unknown_key(
	struct config_reader *r, const struct config_key *table, const config_setting_t *s)
{
	const char *name = config_setting_name(s), *nearest = NULL;
	size_t least = strlen(name) / 3 < 2 ? 3 : strlen(name) / 3 + 1, n = 0;
	char known[512] = "";

	for (const struct config_key *k = table; k->name; k++) {
		size_t d = distance(name, k->name);

		if (d < least) {
			least = d;
			nearest = k->name;
		}
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "", k->name);
		if (n >= sizeof(known))
			n = sizeof(known) - 1;
	}
	if (nearest)
		config_complain(r, s, "there is no such setting; did you mean %s?", nearest);
	else
		config_complain(r, s, "there is no such setting here; known are %s", known);
}

/* The hook only says "read without a complaint"; its value has no other meaning. */
static void mark_good(const config_setting_t *s)
{
	/* the setting is ours, const only to keep the readers honest */
	config_setting_set_hook((config_setting_t *)(uintptr_t)s, (void *)(uintptr_t)s);
}

const config_setting_t *config_good(const config_setting_t *group, const char *name)
{
	const config_setting_t *s = config_setting_get_member(group, name);

	return s && config_setting_get_hook(s) ? s : NULL;
}

void config_read_group(struct config_reader *r, const struct config_key *table,
	const config_setting_t *group, void *to)
{
	int n = config_setting_length(group);

	for (int i = 0; i < n; i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const struct config_key *k = key_of(table, config_setting_name(s));

		if (!k)
			unknown_key(r, table, s);
		else if (k->read(r, k, s, (char *)to + k->offset))
			mark_good(s);
	}
	for (const struct config_key *k = table; k->name; k++)
		if (k->required && !config_setting_get_member(group, k->name))
			config_complain(r, group, "%s is missing; add  %s = %s;", k->name, k->name,
				k->example);
}

/* ---- types ---- */

static const char *type_name(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	case CONFIG_TYPE_LIST:
		return "a list ( )";
	default:
		return "nothing";
	}
}

static bool wrong_type(
	struct config_reader *r, const config_setting_t *s, const char *want, const char *example)
{
	config_complain(r, s, "is %s, not %s; write %s", type_name(s), want, example);
	return false;
}

const char *config_text(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s)
{
	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		wrong_type(r, s, "text in quotes", k->example);
		return NULL;
	}
	return config_setting_get_string(s);
}

bool config_is_group(struct config_reader *r, const config_setting_t *s)
{
	if (config_setting_type(s) == CONFIG_TYPE_GROUP)
		return true;
	config_complain(r, s, "is not a group; write  %s = { ... };", config_setting_name(s));
	return false;
}

bool config_is_list(struct config_reader *r, const struct config_key *k, const config_setting_t *s)
{
	int type = config_setting_type(s);

	if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY)
		return wrong_type(r, s, "a list in ( )", k->example);
	if (config_setting_length(s) == 0) {
		config_complain(r, s, "is empty; write %s%s", k->example,
			k->required ? "" : ", or leave the setting out");
		return false;
	}
	return true;
}

int config_list_length(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, int most, const char *what)
{
	int n = config_setting_length(s);

	if (!config_is_list(r, k, s))
		return -1;
	if (n > most) {
		config_complain(r, s, "has %d %s; write %d at most", n, what, most);
		return -1;
	}
	return n;
}

bool config_read_subgroup(struct config_reader *r, const struct config_key *table,
	const config_setting_t *s, void *to)
{
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, table, s, to);
	return true;
}

bool config_read_bool(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return wrong_type(r, s, "true or false", "true or false, without quotes");
	*(bool *)field = config_setting_get_bool(s) != 0;
	return true;
}

static bool within(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, long long v)
{
	const char *space = k->unit ? " " : "", *unit = k->unit ? k->unit : "";
	long long m = k->multiple ? k->multiple : 1, down = v - v % m;

	if (v < k->min || v > k->max) {
		config_complain(r, s, "%lld%s%s is out of range; write a number from %u to %u", v,
			space, unit, k->min, k->max);
		return false;
	}
	if (down == v)
		return true;
	if (down < k->min)
		config_complain(r, s, "%lld%s%s is not a multiple of %lld; write %lld", v, space,
			unit, m, down + m);
	else if (down + m > k->max)
		config_complain(r, s, "%lld%s%s is not a multiple of %lld; write %lld", v, space,
			unit, m, down);
	else
		config_complain(r, s, "%lld%s%s is not a multiple of %lld; write %lld or %lld", v,
			space, unit, m, down, down + m);
	return false;
}

static bool read_number(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, long long *v)
{
	int type = config_setting_type(s);
	char example[64];

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		snprintf(example, sizeof(example), "a number from %u to %u, without quotes", k->min,
			k->max);
		return wrong_type(r, s, "a whole number", example);
	}
	*v = config_setting_get_int64(s);
	return within(r, k, s, *v);
}

bool config_read_u32(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	long long v;

	if (!read_number(r, k, s, &v))
		return false;
	*(uint32_t *)field = (uint32_t)v;
	return true;
}

bool config_read_int(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	long long v;

	if (!read_number(r, k, s, &v))
		return false;
	*(int *)field = (int)v;
	return true;
}

bool config_read_lifetime(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		return config_read_u32(r, k, s, field);
	if (strcmp(config_setting_get_string(s), "infinite") != 0) {
		config_complain(r, s,
			"\"%.40s\" is not a lifetime; write a number of seconds without quotes, or "
			"\"infinite\"",
			config_setting_get_string(s));
		return false;
	}
	*(uint32_t *)field = CONFIG_INFINITE;
	return true;
}
