/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any octets as a key file; the first one says whether weak algorithms are
 * allowed.  What is taken is complete, fits its algorithms and is found again.
 * abort() is how a fuzzer is told.
 */
#include <stdlib.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/manual.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static void hear(void *arg, uint32_t line, const char *text)
{
	(void)line;
	REQUIRE(text && text[0]);
	++*(size_t *)arg;
}

static void judge(const struct ipsec_keys *k, bool weak)
{
	const struct ipsec_manual_sa *sa;

	REQUIRE(ipsec_keys_at(k, 3));
	for (size_t i = 0; (sa = ipsec_keys_at(k, i)); i++) {
		REQUIRE(sa->spi >= 256 && (weak || !sa->algorithm->weak));
		REQUIRE(sa->key.len == ipsec_algorithm_key_len(sa->algorithm));
		REQUIRE(ipsec_keys_find(k, &sa->src, &sa->dst, sa->use) == sa);
		for (int use = 0; use < IPSEC_USES; use++) {
			REQUIRE(ipsec_keys_find(k, &sa->src, &sa->dst, (enum ipsec_use)use));
			REQUIRE(ipsec_keys_find(k, &sa->dst, &sa->src, (enum ipsec_use)use));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t faults = 0;
	struct ipsec_keys *k;

	if (!size)
		return 0;
	k = ipsec_keys_parse((const char *)data + 1, size - 1, data[0] & 1, hear, &faults);
	REQUIRE(!k == !!faults);
	if (k)
		judge(k, data[0] & 1);
	ipsec_keys_free(k);
	return 0;
}
