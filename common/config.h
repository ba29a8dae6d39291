/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the configurations of all daemons have: faults (requirement U4), a few limits. */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_INFINITE UINT32_MAX /* a lifetime without an end */
#define CONFIG_SOCKET_LEN 108 /* sun_path of unix(7), with the closing NUL */

/* One line a fault: "FILE:LINE: KEY: what; what would be right". */
struct config_errors {
	size_t n;
	char **lines;
	size_t left_out; /* faults beyond the first CONFIG_MAX_ERRORS */
};
#define CONFIG_MAX_ERRORS 50

/* Add "FILE:LINE: message", or "FILE: message" when line is 0. */
void config_error(struct config_errors *e, const char *file, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void config_errors_print(const struct config_errors *errors, FILE *to);
void config_errors_release(struct config_errors *errors);

/* How `log_level` is written, in the order of enum log_level; NULL ends. */
extern const char *const config_log_levels[];
/* key = "text"; with the escapes that the reader takes. */
void config_print_text(FILE *to, const char *key, const char *text);

#endif
