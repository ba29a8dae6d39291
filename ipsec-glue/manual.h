/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manual keys: the text of a key file, one SA a line,
 *
 *	SRC DST signal|data|gateway|manager SPI ALGORITHM KEY
 *
 * SRC and DST are the two ends in either order, SPI is at least 256 (RFC
 * 4303 2.1), KEY in hexadecimal digits is the encryption key with its salt
 * and then the integrity key; # begins a comment.  Each home address has four
 * SAs with its home agent, two each for signal and data.  A pair of gateway
 * or manager (doc/vcm.md) has two.
 *
 * Pure: who reads the file or runs the command is mip6d/config_secret.c.
 */
#ifndef GLUE_MANUAL_H
#define GLUE_MANUAL_H

#include "mip6/ipsec.h"

#define IPSEC_KEYS_MAX 400000 /* SAs in one file */

struct ipsec_manual_sa {
	enum ipsec_use use;
	struct in6_addr src, dst;
	uint32_t spi;
	const struct ipsec_algorithm *algorithm;
	struct ipsec_key key;
};

struct ipsec_keys; /* opaque */

/* What is wrong and what would be right, never with a word of the line; line 0: the text as a whole. */
typedef void ipsec_keys_complain_fn(void *arg, uint32_t line, const char *text);

/* The whole text, which need not end with a NUL; NULL after at least one complaint. */
struct ipsec_keys *ipsec_keys_parse(
	const char *text, size_t len, bool allow_weak, ipsec_keys_complain_fn *complain, void *arg);
void ipsec_keys_free(struct ipsec_keys *k); /* wiped; NULL is fine */

/* NULL: none. */
const struct ipsec_manual_sa *ipsec_keys_find(const struct ipsec_keys *k,
	const struct in6_addr *src, const struct in6_addr *dst, enum ipsec_use use);
/* Whose key this is; NULL: no SA's. */
const struct ipsec_manual_sa *ipsec_keys_of(
	const struct ipsec_keys *k, const struct ipsec_key *key);
/* One after the other from 0 on, in the order of the lines; NULL: no more. */
const struct ipsec_manual_sa *ipsec_keys_at(const struct ipsec_keys *k, size_t i);

#endif
