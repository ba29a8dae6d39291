/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to strangers are limited by where they go: one token bucket for
 * each /64, since whoever has one address of a /64 has all of them.  The
 * buckets are a fixed number, found by a keyed hash.  So a flood costs no
 * memory, and shuts out the few prefixes that share a bucket with its
 * (possibly forged) source; to shut out all, it has to be as fast as all
 * buckets together.  One bucket for everybody would be closed by a single
 * sender.
 */
#include <string.h>

#include "lib/addr.h"
#include "mip6d/proto/cn_internal.h"

#define US_PER_S 1000000

void cn_limit_init(struct cn_limit *l, uint32_t per_second, uint32_t burst, const uint64_t key[2])
{
	memset(l, 0, sizeof(*l));
	l->per_second = per_second;
	l->burst = burst;
	memcpy(l->key, key, sizeof(l->key));
}

bool cn_limit_allowed(struct cn_limit *l, const struct in6_addr *to, monotime_t now)
{
	struct in6_addr prefix = in6_mask(to, 64);
	size_t i = (size_t)in6_hash(&prefix, l->key) % CN_LIMIT_BUCKETS;
	int64_t one = US_PER_S / l->per_second;
	int64_t left = l->buckets[i].used_us - (now.us - l->buckets[i].last.us);

	if (left < 0)
		left = 0;
	l->buckets[i].last = now;
	l->buckets[i].used_us = left;
	if (left + one > one * l->burst)
		return false;
	l->buckets[i].used_us += one;
	return true;
}
