/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any octets as a Mobility Header.  What parses must be writable, and what is
 * written must parse to the same meaning; writing that again must give the
 * same octets.  abort() is how a fuzzer is told.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mh.h"
#include "tests/wire/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

/*
 * Alignment that the sender did not care for can make our writing longer than
 * the longest header; only then may mh_build() give up.
 */
static bool may_be_too_long(const struct mh_message *m)
{
	return m->wire_len + m->n_options * 7 > MH_MAX_LEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t once[MH_MAX_LEN], twice[MH_MAX_LEN];
	struct mh_message m, again;
	size_t off = SIZE_MAX, len;
	enum mh_error e = mh_parse(data, size, &m, &off);

	REQUIRE(m.n_options <= MH_MAX_OPTIONS);
	if (e != MH_OK) {
		REQUIRE(off <= size);
		return 0;
	}
	REQUIRE(m.wire_len <= size && m.wire_len % 8 == 0);
	for (size_t i = 0; i < m.n_options; i++) {
		const struct mh_option *o = &m.options[i];

		REQUIRE(mh_option_name(o->type));
		if (o->type == MHOPT_AUTH_DATA)
			REQUIRE(o->u.auth_data.offset + o->u.auth_data.len == m.wire_len);
	}
	len = mh_build(&m, once, sizeof(once));
	if (!len) {
		REQUIRE(may_be_too_long(&m));
		return 0;
	}
	REQUIRE(mh_parse(once, len, &again, NULL) == MH_OK);
	REQUIRE(again.wire_len == len);
	REQUIRE(mh_same(&m, &again));
	REQUIRE(mh_build(&again, twice, sizeof(twice)) == len);
	REQUIRE(memcmp(once, twice, len) == 0);
	return 0;
}
