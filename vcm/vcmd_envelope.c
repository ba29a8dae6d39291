/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_envelope.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "lib/buf.h"

#define RECORD_VERSION 1
#define GCM_NONCE_LEN 12
#define GCM_TAG_LEN 16

static bool derive(
	const struct vcmd_seal *s, const uint8_t nonce[VCMD_NONCE_LEN], uint8_t out[VCMD_SEAL_LEN])
{
	static const char label[] = "vcmd record";
	uint8_t in[sizeof(label) + VCMD_NONCE_LEN - GCM_NONCE_LEN];
	unsigned n = VCMD_SEAL_LEN;

	memcpy(in, label, sizeof(label));
	memcpy(in + sizeof(label), nonce, VCMD_NONCE_LEN - GCM_NONCE_LEN);
	return HMAC(EVP_sha256(), s->key, VCMD_SEAL_LEN, in, sizeof(in), out, &n) != NULL;
}

/* Kind, key and version, then the clear part. */
static bool associate(EVP_CIPHER_CTX *ctx, const struct vcmd_envelope *e)
{
	uint8_t head[4] = {(uint8_t)e->kind, RECORD_VERSION, (uint8_t)e->key_len, 0};
	int n;

	return EVP_CipherUpdate(ctx, NULL, &n, head, sizeof(head)) == 1 &&
	       (!e->key_len || EVP_CipherUpdate(ctx, NULL, &n, e->key, (int)e->key_len) == 1) &&
	       (!e->clear_len || EVP_CipherUpdate(ctx, NULL, &n, e->clear, (int)e->clear_len) == 1);
}

static EVP_CIPHER_CTX *begin(const struct vcmd_seal *s, const struct vcmd_envelope *e,
	const uint8_t nonce[VCMD_NONCE_LEN], int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[VCMD_SEAL_LEN];
	bool ok = ctx && derive(s, nonce, key) &&
		  EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
			  nonce + VCMD_NONCE_LEN - GCM_NONCE_LEN, encrypt) == 1 &&
		  associate(ctx, e);

	OPENSSL_cleanse(key, sizeof(key));
	if (ok)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

size_t vcmd_envelope_write(const struct vcmd_seal *s, const struct vcmd_envelope *e,
	const uint8_t *secret, size_t secret_len, uint8_t to[VCMD_RECORD_MAX])
{
	uint8_t nonce[VCMD_NONCE_LEN], sealed[VCMD_SEALED_MAX], tag[GCM_TAG_LEN];
	struct wbuf w = wbuf_make(to, VCMD_RECORD_MAX);
	EVP_CIPHER_CTX *ctx;
	int n = 0, rest;
	bool ok;

	s->random(s->ctx, nonce, sizeof(nonce));
	ctx = begin(s, e, nonce, 1);
	if (!ctx)
		return 0;
	ok = (!secret_len || EVP_CipherUpdate(ctx, sealed, &n, secret, (int)secret_len) == 1) &&
	     EVP_CipherFinal_ex(ctx, sealed + n, &rest) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG_LEN, tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	wbuf_u8(&w, RECORD_VERSION);
	wbuf_u16(&w, (uint16_t)e->clear_len);
	wbuf_bytes(&w, e->clear, e->clear_len);
	wbuf_bytes(&w, nonce, sizeof(nonce));
	wbuf_bytes(&w, sealed, secret_len);
	wbuf_bytes(&w, tag, sizeof(tag));
	return ok && !w.overflow ? w.len : 0;
}

const char *vcmd_envelope_read(const struct vcmd_seal *s, struct vcmd_envelope *e, const uint8_t *data,
	size_t len, uint8_t room[VCMD_SEALED_MAX], size_t *secret_len)
{
	uint8_t version, nonce[VCMD_NONCE_LEN], tag[GCM_TAG_LEN];
	struct rbuf r = rbuf_make(data, len), clear, sealed;
	EVP_CIPHER_CTX *ctx;
	uint16_t clear_len;
	int n = 0, rest;
	bool ok;

	if (!rbuf_u8(&r, &version) || version != RECORD_VERSION)
		return "is of another version";
	if (!rbuf_u16(&r, &clear_len) || !rbuf_sub(&r, &clear, clear_len) ||
		!rbuf_bytes(&r, nonce, sizeof(nonce)) || rbuf_left(&r) < GCM_TAG_LEN ||
		!rbuf_sub(&r, &sealed, rbuf_left(&r) - GCM_TAG_LEN) ||
		!rbuf_bytes(&r, tag, sizeof(tag)) || rbuf_left(&sealed) > VCMD_SEALED_MAX)
		return "has a wrong length";
	e->clear = clear.p;
	e->clear_len = clear_len;
	*secret_len = rbuf_left(&sealed);
	ctx = begin(s, e, nonce, 0);
	if (!ctx)
		return "cannot be opened: OpenSSL failed";
	ok = (!*secret_len || EVP_CipherUpdate(ctx, room, &n, sealed.p, (int)*secret_len) == 1) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG_LEN, tag) == 1 &&
	     EVP_CipherFinal_ex(ctx, room + n, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (ok)
		return NULL;
	OPENSSL_cleanse(room, VCMD_SEALED_MAX);
	return "was changed, or sealed with another key";
}
