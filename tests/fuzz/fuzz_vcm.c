/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any octets as a datagram of the VCM's protocol: what is taken can be written, and reads back the same. */
#include <stdlib.h>
#include <string.h>

#include "vcm/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vcm_message m, again;
	uint8_t one[VCM_MESSAGE_MAX], two[VCM_MESSAGE_MAX];
	const char *why = "";
	enum vcm_read rc = vcm_message_read(data, size, &m, &why);
	size_t n;

	REQUIRE((rc == VCM_READ_OK) == !why);
	n = vcm_message_write(&m, one, sizeof(one));
	if (rc != VCM_READ_OK)
		return 0;
	REQUIRE(n && n <= size);
	REQUIRE(vcm_message_read(one, n, &again, &why) == VCM_READ_OK);
	REQUIRE(vcm_message_write(&again, two, sizeof(two)) == n && !memcmp(one, two, n));
	REQUIRE(!memcmp(&m, &again, sizeof(m)));
	return 0;
}
