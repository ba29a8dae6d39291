/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any octets as a configuration.  What is refused must be refused with a
 * line; what is accepted must print as something that is accepted and prints
 * the same.  abort() is how a fuzzer is told.
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static char *print(const struct mip6d_config *c, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);

	REQUIRE(f);
	config_print(c, f);
	REQUIRE(fclose(f) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mip6d_config c, again;
	struct config_errors e;
	char *once, *twice;
	size_t n, m;
	bool ok;

	/* the files of this machine are no part of the input */
	if (memmem(data, size, "@include", 8))
		return 0;
	ok = config_load_text("fuzz", (const char *)data, size, &c, &e);
	REQUIRE(ok == (e.n == 0));
	for (size_t i = 0; i < e.n; i++)
		REQUIRE(strncmp(e.lines[i], "fuzz:", 5) == 0);
	config_errors_release(&e);
	if (!ok)
		return 0;
	once = print(&c, &n);
	REQUIRE(config_load_text("print", once, n, &again, &e));
	config_errors_release(&e);
	twice = print(&again, &m);
	REQUIRE(n == m && memcmp(once, twice, n) == 0);
	config_release(&c);
	config_release(&again);
	free(once);
	free(twice);
	return 0;
}
