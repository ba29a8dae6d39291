/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as an ICMPv6 message; the same demands as in fuzz_mh.c. */
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "tests/wire/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t once[4096], twice[4096]; /* more than all options that are kept need */
	static struct icmp6_message m, again;
	size_t len;

	if (!icmp6_parse(data, size, &m))
		return 0;
	len = icmp6_build(&m, once, sizeof(once));
	REQUIRE(len >= 8 && len <= size);
	REQUIRE(icmp6_parse(once, len, &again));
	REQUIRE(icmp6_same(&m, &again));
	REQUIRE(icmp6_build(&again, twice, sizeof(twice)) == len);
	REQUIRE(memcmp(once, twice, len) == 0);
	return 0;
}
