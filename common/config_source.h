/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a configuration: a file and what it includes, put together,
 * with the origin of each line.  Used by config.c only.
 */
#ifndef COMMON_CONFIG_SOURCE_H
#define COMMON_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct config_origin {
	uint32_t file; /* index into files */
	uint32_t line; /* from 1 */
};

struct config_source {
	char *text; /* ends with a NUL; has none inside */
	size_t len, cap;
	struct config_origin *lines; /* of each line of text */
	size_t n_lines, cap_lines;
	char **files; /* names as the user would write them */
	size_t n_files;
};

/* Both return false after having added to *errors; *s is to be released either way. */
bool config_source_file(struct config_source *s, const char *path, struct config_errors *errors);
bool config_source_text(struct config_source *s, const char *name, const char *text, size_t len,
	struct config_errors *errors);
void config_source_release(struct config_source *s);

/* Where line `line` (from 1) of the text came from. */
const char *config_source_origin(const struct config_source *s, size_t line, uint32_t *origin_line);
/* That line, without blanks at its ends, shortened and printable, in buf. */
const char *config_source_quote(const struct config_source *s, size_t line, char *buf, size_t cap);

#endif
