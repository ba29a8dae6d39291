/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/mh_world.h"

enum mh_error parse_exact(const uint8_t *data, size_t len, struct mh_message *m, size_t *off)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum mh_error e;

	if (len)
		memcpy(copy, data, len);
	e = mh_parse(copy, len, m, off);
	/* Touch all that the parsed message points to. */
	if (e == MH_OK)
		ck_assert(mh_same(m, m));
	free(copy);
	return e;
}

enum mh_error parse_error(const uint8_t *data, size_t len, size_t *off)
{
	struct mh_message m;

	*off = SIZE_MAX;
	return parse_exact(data, len, &m, off);
}

size_t find_options(const uint8_t *d, size_t len, size_t fixed, struct walk *out)
{
	size_t n = 0;

	for (size_t p = fixed; p < len;) {
		if (d[p] == MHOPT_PAD1) {
			p++;
			continue;
		}
		out[n++].at = p;
		p += 2u + d[p + 1];
	}
	return n;
}
