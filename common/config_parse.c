/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as a whole: libconfig's part of it, then the tables. */
#include <string.h>

#include "common/config_read.h"

/* What libconfig says, in words that say what to do. */
static void syntax_error(
	const struct config_source *src, const config_t *lc, struct config_errors *errors)
{
	const char *text = config_error_text(lc), *what = "this is not understood",
		   *remedy = "a setting is written  name = value;";
	size_t at = (size_t)config_error_line(lc);
	char quote[80];
	const char *file;
	uint32_t line;

	if (text && strstr(text, "duplicate")) {
		what = "this setting is already there";
		remedy = "keep one of the two";
	} else if (text && strstr(text, "mismatched")) {
		what = "an array in [ ] cannot mix types";
		remedy = "write a list in ( )";
	} else if (text && !strstr(text, "syntax")) {
		what = text;
		remedy = "make the file simpler here";
	}
	file = config_source_origin(src, at, &line);
	config_error(errors, file, line, "%s, near  %s ; %s", what,
		config_source_quote(src, at, quote, sizeof(quote)), remedy);
}

bool config_parse(const struct config_source *src, const struct config_key *table, void *to,
	void (*check)(struct config_reader *r, const config_setting_t *root, void *to),
	struct config_errors *errors)
{
	struct config_reader r = {.source = src, .errors = errors};
	config_t lc;

	config_init(&lc);
	if (config_read_string(&lc, src->text) != CONFIG_TRUE) {
		syntax_error(src, &lc, errors);
		r.faults++;
	} else {
		const config_setting_t *root = config_root_setting(&lc);

		config_read_group(&r, table, root, to);
		if (check)
			check(&r, root, to);
	}
	config_destroy(&lc);
	return r.faults == 0;
}
