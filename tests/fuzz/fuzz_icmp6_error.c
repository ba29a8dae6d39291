/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any octets as an ICMPv6 error.  Places that it tells of must be inside, and
 * what it read from a shorter quotation must be what it reads from the whole.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 8u /* of the ICMPv6 message, before the quoted packet */

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct icmp6_error e, half;

	if (!icmp6_error_parse(data, size, &e))
		return 0;
	REQUIRE(size >= HEAD + 40 && e.proto_offset >= 40 && e.proto_offset <= size - HEAD);
	REQUIRE(e.type == 1 || e.type == 2 || e.type == 4);
	if (e.has_hao) {
		REQUIRE(e.hao_offset >= 42 && e.hao_offset + 18 <= size - HEAD);
		REQUIRE(data[HEAD + e.hao_offset] == 0xc9);
		REQUIRE(memcmp(data + HEAD + e.hao_offset + 2, &e.hao, sizeof(e.hao)) == 0);
	}
	REQUIRE(e.mh_type == -1 || (e.proto == 135 && e.proto_offset + 3 <= size - HEAD));
	REQUIRE(!e.mh_cookie || e.mh_type == 1 || e.mh_type == 2);
	if (icmp6_error_parse(data, size / 2, &half)) {
		REQUIRE(memcmp(&half.src, &e.src, sizeof(e.src)) == 0);
		REQUIRE(!half.has_hao || (e.has_hao && half.hao_offset == e.hao_offset));
		REQUIRE(!half.has_rh2 || memcmp(&half.rh2, &e.rh2, sizeof(e.rh2)) == 0);
		REQUIRE(half.proto_offset <= e.proto_offset);
	}
	return 0;
}
