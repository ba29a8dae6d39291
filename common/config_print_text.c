/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/config.h"

const char *const config_log_levels[] = {"error", "warning", "notice", "info", "debug", NULL};

void config_print_text(FILE *to, const char *key, const char *text)
{
	fprintf(to, "%s = \"", key);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			putc(c, to);
	}
	fputs("\";\n", to);
}
