/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Return routability: tokens (RFC 6275 5.2.5), Kbm, authenticator (6.2.7),
 * and the nonces of a correspondent (5.2.7).
 *
 * A nonce and its Kcn are made together and forgotten together, so that one
 * index names both (5.2.7: "An update of Kcn SHOULD be done at the same time
 * as an update of a nonce").  The first index is a random number: one from
 * before a restart is then most likely unknown, which is answered, and not
 * known with another Kcn, which would be silence.
 */
#include "lib/rr.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/mh.h"

#define SHA1_LEN 20
#define MH_CHECKSUM_AT 4
#define LAST_HOME 0
#define LAST_CARE_OF 1

/* Without its hash a token would be a number that anybody knows. */
static void require(bool done, const char *what)
{
	if (done)
		return;
	log_error("libcrypto cannot compute %s; a build of it with SHA-1 is needed", what);
	abort();
}

static void hmac_sha1(
	const uint8_t *key, size_t key_len, const uint8_t *data, size_t len, uint8_t out[SHA1_LEN])
{
	unsigned out_len = 0;

	require(HMAC(EVP_sha1(), key, (int)key_len, data, len, out, &out_len) &&
			out_len == SHA1_LEN,
		"HMAC_SHA1");
}

uint64_t rr_keygen_token(const uint8_t *kcn, size_t kcn_len, const struct in6_addr *addr,
	const uint8_t *nonce, size_t nonce_len, uint8_t last)
{
	uint8_t data[sizeof(*addr) + RR_MAX_SECRET + 1], mac[SHA1_LEN];
	struct wbuf w = wbuf_make(data, sizeof(data));
	struct rbuf r = rbuf_make(mac, sizeof(mac));
	uint64_t token = 0;

	wbuf_in6(&w, addr);
	wbuf_bytes(&w, nonce, nonce_len);
	wbuf_u8(&w, last);
	require(!w.overflow, "a token of a nonce that long");
	hmac_sha1(kcn, kcn_len, data, w.len, mac);
	rbuf_u64(&r, &token);
	rr_wipe(data, sizeof(data));
	rr_wipe(mac, sizeof(mac));
	return token;
}

void rr_kbm(uint64_t home_token, const uint64_t *care_of_token, uint8_t kbm[RR_KBM_LEN])
{
	uint8_t data[2 * sizeof(home_token)];
	struct wbuf w = wbuf_make(data, sizeof(data));

	wbuf_u64(&w, home_token);
	if (care_of_token)
		wbuf_u64(&w, *care_of_token);
	require(EVP_Digest(data, w.len, kbm, NULL, EVP_sha1(), NULL) == 1, "SHA-1");
	rr_wipe(data, sizeof(data));
}

bool rr_authenticator(const uint8_t kbm[RR_KBM_LEN], const struct in6_addr *care_of,
	const struct in6_addr *correspondent, const uint8_t *mh, size_t mh_len, size_t auth_offset,
	size_t auth_len, uint8_t out[RR_AUTH_LEN])
{
	uint8_t data[2 * sizeof(*care_of) + MH_MAX_LEN], mac[SHA1_LEN];
	struct wbuf w = wbuf_make(data, sizeof(data));

	if (mh_len > MH_MAX_LEN || auth_offset < MH_MIN_LEN || auth_offset > mh_len ||
		auth_len > mh_len - auth_offset)
		return false;
	wbuf_in6(&w, care_of);
	wbuf_in6(&w, correspondent);
	wbuf_bytes(&w, mh, auth_offset);
	wbuf_bytes(&w, mh + auth_offset + auth_len, mh_len - auth_offset - auth_len);
	wbuf_put_u16(&w, 2 * sizeof(*care_of) + MH_CHECKSUM_AT, 0);
	hmac_sha1(kbm, RR_KBM_LEN, data, w.len, mac);
	memcpy(out, mac, RR_AUTH_LEN);
	rr_wipe(mac, sizeof(mac));
	return true;
}

bool rr_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void rr_wipe(void *secret, size_t n)
{
	OPENSSL_cleanse(secret, n);
}

static bool same_octets(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a_len == b_len && rr_same(a, b, a_len);
}

bool rr_shared_same(const struct rr_shared *a, const struct rr_shared *b)
{
	return same_octets(a->kcn, a->kcn_len, b->kcn, b->kcn_len) &&
	       same_octets(a->home_nonce, a->home_nonce_len, b->home_nonce, b->home_nonce_len) &&
	       same_octets(a->care_of_nonce, a->care_of_nonce_len, b->care_of_nonce,
		       b->care_of_nonce_len);
}

void rr_shared_kbm(const struct rr_shared *s, const struct in6_addr *home,
	const struct in6_addr *care_of, uint8_t kbm[RR_KBM_LEN])
{
	bool deletes = !care_of || memcmp(care_of, home, sizeof(*home)) == 0;
	uint64_t home_token = rr_keygen_token(
		s->kcn, s->kcn_len, home, s->home_nonce, s->home_nonce_len, LAST_HOME);
	uint64_t care_of_token = 0;

	if (!deletes)
		care_of_token = rr_keygen_token(s->kcn, s->kcn_len, care_of, s->care_of_nonce,
			s->care_of_nonce_len, LAST_CARE_OF);
	rr_kbm(home_token, deletes ? NULL : &care_of_token, kbm);
	rr_wipe(&home_token, sizeof(home_token));
	rr_wipe(&care_of_token, sizeof(care_of_token));
}

/* ---- nonces ---- */

void rr_nonces_init(struct rr_nonces *n, void (*random)(void *ctx, void *to, size_t len), void *ctx)
{
	*n = (struct rr_nonces){.random = random, .ctx = ctx};
	random(ctx, &n->next_index, sizeof(n->next_index));
}

void rr_nonces_wipe(struct rr_nonces *n)
{
	rr_wipe(n->ring, sizeof(n->ring));
}

static bool is_valid(const struct rr_nonce *n, monotime_t now, int64_t lifetime_s)
{
	return n->used && mono_before(now, mono_add_s(n->since, lifetime_s));
}

const struct rr_nonce *rr_nonce_current(struct rr_nonces *n, monotime_t now)
{
	struct rr_nonce *c = &n->ring[n->current];

	if (is_valid(c, now, RR_NONCE_INTERVAL_S))
		return c;
	for (size_t i = 0; i < RR_NONCES; i++) { /* 5.2.2: expired values MUST be discarded */
		if (!is_valid(&n->ring[i], now, RR_MAX_NONCE_LIFETIME_S))
			rr_wipe(&n->ring[i], sizeof(n->ring[i]));
	}
	n->current = (n->current + 1) % RR_NONCES;
	c = &n->ring[n->current];
	c->used = true;
	c->index = n->next_index++;
	c->since = now;
	n->random(n->ctx, c->kcn, sizeof(c->kcn));
	n->random(n->ctx, c->nonce, sizeof(c->nonce));
	return c;
}

const struct rr_nonce *rr_nonce_find(const struct rr_nonces *n, uint16_t index, monotime_t now)
{
	for (size_t i = 0; i < RR_NONCES; i++) {
		const struct rr_nonce *c = &n->ring[i];

		if (c->index == index && is_valid(c, now, RR_MAX_NONCE_LIFETIME_S))
			return c;
	}
	return NULL;
}
