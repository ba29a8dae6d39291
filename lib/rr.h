/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Return routability: the arithmetic of RFC 6275 5.2 and 6.2.7, and the
 * correspondent's keys and nonces (5.2.1, 5.2.2, 5.2.7).  Pure but for the
 * random numbers, which are the caller's.  Requirements M3, M4, M7 (RFC 4449).
 *
 * Tokens and cookies are 64-bit strings; they are uint64_t as lib/mh.h reads
 * and writes them, first octet on the wire in the most significant place.
 */
#ifndef LIB_RR_H
#define LIB_RR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mip6/monotime.h"

#define RR_KCN_LEN 20 /* 5.2.1 */
#define RR_NONCE_LEN 8 /* octets of a nonce; any length is allowed, "64 bits recommended" (5.2.2) */
#define RR_KBM_LEN 20 /* 5.2.5 */
#define RR_AUTH_LEN 12 /* the first 96 bits of the MAC, 6.2.7 */
#define RR_MAX_SECRET 64 /* longest Kcn or nonce of a shared Kbm (RFC 4449) */

/* home keygen token with last 0, care-of keygen token with last 1 (5.2.5): addr is the address under test */
uint64_t rr_keygen_token(const uint8_t *kcn, size_t kcn_len, const struct in6_addr *addr,
	const uint8_t *nonce, size_t nonce_len, uint8_t last);
/* SHA-1 (home token | care-of token); the care-of token is NULL when a binding is deleted (5.2.5) */
void rr_kbm(uint64_t home_token, const uint64_t *care_of_token, uint8_t kbm[RR_KBM_LEN]);
/*
 * The authenticator (6.2.7) over care-of address, correspondent, and mh, whose
 * checksum counts as zero and whose Binding Authorization Data (auth_len octets
 * from auth_offset on) does not count.  False when the place does not exist.
 */
bool rr_authenticator(const uint8_t kbm[RR_KBM_LEN], const struct in6_addr *care_of,
	const struct in6_addr *correspondent, const uint8_t *mh, size_t mh_len, size_t auth_offset,
	size_t auth_len, uint8_t out[RR_AUTH_LEN]);
/* In constant time. */
bool rr_same(const void *a, const void *b, size_t n);
void rr_wipe(void *secret, size_t n);

/* Kbm of RFC 4449 3 from the data that a pair shares. */
struct rr_shared {
	uint8_t kcn[RR_MAX_SECRET], home_nonce[RR_MAX_SECRET], care_of_nonce[RR_MAX_SECRET];
	size_t kcn_len, home_nonce_len, care_of_nonce_len; /* kcn_len: at least 20 */
};
bool rr_shared_same(const struct rr_shared *a, const struct rr_shared *b);
/* care_of NULL, or equal to home: for deleting a binding (home token alone). */
void rr_shared_kbm(const struct rr_shared *s, const struct in6_addr *home,
	const struct in6_addr *care_of, uint8_t kbm[RR_KBM_LEN]);

/* ---- the correspondent's nonces: the last 8, each with its Kcn ---- */

#define RR_NONCE_INTERVAL_S 30 /* a new one, when the last was used; 5.2.7 */
#define RR_MAX_TOKEN_LIFETIME_S 210
#define RR_MAX_NONCE_LIFETIME_S 240
#define RR_NONCES (RR_MAX_NONCE_LIFETIME_S / RR_NONCE_INTERVAL_S)

struct rr_nonce {
	bool used;
	uint16_t index;
	monotime_t since; /* first use */
	uint8_t kcn[RR_KCN_LEN], nonce[RR_NONCE_LEN];
};

struct rr_nonces {
	uint16_t next_index;
	unsigned current;
	struct rr_nonce ring[RR_NONCES];
	void (*random)(void *ctx, void *to, size_t n);
	void *ctx;
};

void rr_nonces_init(struct rr_nonces *n, void (*random)(void *ctx, void *to, size_t len), void *ctx);
void rr_nonces_wipe(struct rr_nonces *n);
/* For a Home Test or Care-of Test that leaves now.  Makes a new nonce when it is time. */
const struct rr_nonce *rr_nonce_current(struct rr_nonces *n, monotime_t now);
/* That of a Binding Update; NULL: unknown, or older than MAX_NONCE_LIFETIME. */
const struct rr_nonce *rr_nonce_find(const struct rr_nonces *n, uint16_t index, monotime_t now);

#endif
