/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scanner between the files of a configuration and libconfig.  Used by config_source.c only. */
#ifndef COMMON_CONFIG_SCAN_H
#define COMMON_CONFIG_SCAN_H

#include "common/config_source.h"

#define CONFIG_SCAN_DEPTH 16 /* of brackets */

struct config_bracket {
	char open;
	uint32_t file, line;
};

/* What the grammar wants next. */
enum config_due { DUE_NAME, DUE_EQUALS, DUE_VALUE, DUE_END };

/* Of one load, all files together. */
struct config_scan {
	struct config_source *source;
	struct config_errors *errors;
	struct config_bracket brackets[CONFIG_SCAN_DEPTH];
	size_t n_brackets;
	size_t faults;
	enum config_due due;
	char last; /* the last token: a mark, 'a' a word, '0' a number, '"' a string; 0 none yet */
};

/*
 * Scan the text of a file and append it to the source.  False at the first
 * fault, after which there is no sense in going on.
 */
bool config_scan_text(
	struct config_scan *sc, const char *text, size_t len, uint32_t file, unsigned depth);
/* After the last file: is all closed? */
void config_scan_end(struct config_scan *sc);

/* config_source.c: scan the file of an @include that stands at from:line; path as from sees it */
bool config_scan_include(
	struct config_scan *sc, const char *path, unsigned depth, uint32_t from, uint32_t line);
/* config_source.c: append an octet that came from file:line */
bool config_source_put(struct config_source *s, char c, uint32_t file, uint32_t line);

#endif
