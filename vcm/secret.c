/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See secret.h.  A key is
 *
 *	HKDF-SHA256(secret: X25519, salt: SALT, info:
 *		label | session | generation | public key 1 | public key 2 | SPI)
 *
 * with the label "homebound vcm sa", the public keys of receiver and sender
 * and the SPI of that direction for an SA; "homebound vcm kcn", the lower
 * public key first and SPI 0 for what Binding Updates share.  The public keys
 * are in it as RFC 7748 6.1 wants; their order keeps the directions apart
 * even when the VCM gives both the same SPI, since two directions with one key
 * and a counter mode would give the traffic away.
 */
#include "vcm/secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "lib/buf.h"

#define SHARED_LEN 32
#define KCN_LEN RR_KCN_LEN
#define INFO_MAX (32 + 8 + 4 + 2 * VCM_PUBLIC_LEN + 4)

bool vcm_keypair_make(struct vcm_keypair *k)
{
	size_t len = sizeof(k->public_key);
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
		EVP_PKEY_X25519, NULL, k->private_key, sizeof(k->private_key));
	bool made = key && EVP_PKEY_get_raw_public_key(key, k->public_key, &len) == 1 &&
		    len == sizeof(k->public_key);

	EVP_PKEY_free(key);
	return made;
}

void vcm_keypair_wipe(struct vcm_keypair *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}

/* OpenSSL itself refuses the all-zero result. */
bool vcm_x25519(
	const uint8_t own[VCM_PRIVATE_LEN], const uint8_t peer[VCM_PUBLIC_LEN], uint8_t shared[32])
{
	EVP_PKEY *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, own, VCM_PRIVATE_LEN);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, VCM_PUBLIC_LEN);
	EVP_PKEY_CTX *ctx = mine ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
	size_t len = SHARED_LEN;
	bool good = ctx && theirs && EVP_PKEY_derive_init(ctx) == 1 &&
		    EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
		    EVP_PKEY_derive(ctx, shared, &len) == 1 && len == SHARED_LEN;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(mine);
	EVP_PKEY_free(theirs);
	if (!good)
		OPENSSL_cleanse(shared, SHARED_LEN);
	return good;
}

static OSSL_PARAM octets(const char *name, const uint8_t *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, len);
}

bool vcm_hkdf(const uint8_t *secret, size_t secret_len, const uint8_t *salt, size_t salt_len,
	const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		octets(OSSL_KDF_PARAM_KEY, secret, secret_len),
		octets(OSSL_KDF_PARAM_SALT, salt, salt_len),
		octets(OSSL_KDF_PARAM_INFO, info, info_len),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool good = ctx && EVP_KDF_derive(ctx, out, out_len, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

struct material {
	const struct vcm_message *m;
	uint8_t secret[SHARED_LEN];
};

static bool expand(const struct material *from, const char *label, const uint8_t *first,
	const uint8_t *second, uint32_t spi, uint8_t *out, size_t len)
{
	uint8_t info[INFO_MAX];
	struct wbuf w = wbuf_make(info, sizeof(info));

	wbuf_bytes(&w, label, strlen(label));
	wbuf_u64(&w, from->m->session);
	wbuf_u32(&w, from->m->generation);
	wbuf_bytes(&w, first, VCM_PUBLIC_LEN);
	wbuf_bytes(&w, second, VCM_PUBLIC_LEN);
	wbuf_u32(&w, spi);
	return !w.overflow && vcm_hkdf(from->secret, sizeof(from->secret), from->m->salt,
				      sizeof(from->m->salt), info, w.len, out, len);
}

static bool expand_sa(const struct material *from, const uint8_t *receiver, const uint8_t *sender,
	size_t key_len, struct vcm_sa_option *sa)
{
	sa->key_len = key_len;
	return expand(from, "homebound vcm sa", receiver, sender, sa->spi, sa->key, key_len);
}

static bool expand_kcn(const struct material *from, const uint8_t *one, const uint8_t *other,
	struct rr_shared *kcn)
{
	uint8_t out[KCN_LEN + 2 * RR_NONCE_LEN];
	bool swap = memcmp(one, other, VCM_PUBLIC_LEN) > 0;
	bool good = expand(from, "homebound vcm kcn", swap ? other : one, swap ? one : other, 0,
		out, sizeof(out));

	kcn->kcn_len = KCN_LEN;
	kcn->home_nonce_len = kcn->care_of_nonce_len = RR_NONCE_LEN;
	memcpy(kcn->kcn, out, KCN_LEN);
	memcpy(kcn->home_nonce, out + KCN_LEN, RR_NONCE_LEN);
	memcpy(kcn->care_of_nonce, out + KCN_LEN + RR_NONCE_LEN, RR_NONCE_LEN);
	OPENSSL_cleanse(out, sizeof(out));
	return good;
}

static void clear_sa(struct vcm_sa_option *sa)
{
	OPENSSL_cleanse(sa->key, sizeof(sa->key));
	sa->key_len = 0;
}

bool vcm_derive(const struct vcm_keypair *own, const uint8_t peer[VCM_PUBLIC_LEN], size_t key_len,
	struct vcm_message *m)
{
	struct material from = {.m = m};
	const uint8_t *ours = own->public_key;
	bool good = key_len && key_len <= VCM_KEY_MAX && memcmp(ours, peer, VCM_PUBLIC_LEN) != 0 &&
		    vcm_x25519(own->private_key, peer, from.secret) &&
		    expand_sa(&from, ours, peer, key_len, &m->in) &&
		    expand_sa(&from, peer, ours, key_len, &m->out) &&
		    expand_kcn(&from, ours, peer, &m->kcn);

	OPENSSL_cleanse(&from, sizeof(from));
	if (!good) {
		clear_sa(&m->in);
		clear_sa(&m->out);
		OPENSSL_cleanse(&m->kcn, sizeof(m->kcn));
	}
	return good;
}
