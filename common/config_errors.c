/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of faults of a configuration.  Faults are collected, so that a
 * user sees them all at once; after CONFIG_MAX_ERRORS they are only counted.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"

/* Texts from the file may hold anything; a terminal should not have to obey it. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void config_error(struct config_errors *e, const char *file, uint32_t line, const char *fmt, ...)
{
	char message[1024], *whole;
	va_list ap;
	int n;

	if (!e->lines)
		e->lines = calloc(CONFIG_MAX_ERRORS, sizeof(*e->lines));
	if (!e->lines || e->n == CONFIG_MAX_ERRORS) {
		e->left_out++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (line)
		n = asprintf(&whole, "%s:%u: %s", file, line, message);
	else
		n = asprintf(&whole, "%s: %s", file, message);
	if (n < 0) {
		e->left_out++;
		return;
	}
	make_printable(whole);
	e->lines[e->n++] = whole;
}

void config_errors_print(const struct config_errors *errors, FILE *to)
{
	for (size_t i = 0; i < errors->n; i++)
		fprintf(to, "%s\n", errors->lines[i]);
	if (errors->left_out)
		fprintf(to, "... and %zu more\n", errors->left_out);
}

void config_errors_release(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		free(errors->lines[i]);
	free(errors->lines);
	*errors = (struct config_errors){0};
}
