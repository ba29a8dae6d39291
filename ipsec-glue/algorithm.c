/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/algorithm.h"

#include <string.h>

#define GCM "rfc4106(gcm(aes))"
#define CHACHA "rfc7539esp(chacha20,poly1305)"

/* RFC 8221 5, 6: what is MUST NOT or MAY and broken is weak. */
static const struct ipsec_algorithm algorithms[] = {
	{"aes-gcm-128", GCM, NULL, NULL, 20, 0, 128, false, "aes128gcm16"},
	{"aes-gcm-256", GCM, NULL, NULL, 36, 0, 128, false, "aes256gcm16"},
	{"chacha20-poly1305", CHACHA, NULL, NULL, 36, 0, 128, false, "chacha20poly1305"},
	{"aes-cbc-128-hmac-sha256", NULL, "cbc(aes)", "hmac(sha256)", 16, 32, 128, false,
		"aes128-sha256"},
	{"aes-cbc-256-hmac-sha256", NULL, "cbc(aes)", "hmac(sha256)", 32, 32, 128, false,
		"aes256-sha256"},
	{"aes-cbc-256-hmac-sha512", NULL, "cbc(aes)", "hmac(sha512)", 32, 64, 256, false,
		"aes256-sha512"},
	{"aes-cbc-128-hmac-sha1", NULL, "cbc(aes)", "hmac(sha1)", 16, 20, 96, true, "aes128-sha1"},
	{"3des-cbc-hmac-sha1", NULL, "cbc(des3_ede)", "hmac(sha1)", 24, 20, 96, true, "3des-sha1"},
	{"null-hmac-sha256", NULL, "ecb(cipher_null)", "hmac(sha256)", 0, 32, 128, true,
		"null-sha256"},
};

#define N (sizeof(algorithms) / sizeof(algorithms[0]))

const struct ipsec_algorithm *ipsec_algorithm_at(size_t i)
{
	return i < N ? &algorithms[i] : NULL;
}

const struct ipsec_algorithm *ipsec_algorithm_find(const char *name)
{
	for (size_t i = 0; i < N; i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

const struct ipsec_algorithm *ipsec_algorithm_of_kernel(
	const char *aead, const char *crypt, size_t key_len, const char *auth)
{
	for (size_t i = 0; i < N; i++) {
		const struct ipsec_algorithm *a = &algorithms[i];

		if (same(a->aead, aead) && same(a->crypt, crypt) && same(a->auth, auth) &&
			a->key_len == key_len)
			return a;
	}
	return NULL;
}

size_t ipsec_algorithm_key_len(const struct ipsec_algorithm *a)
{
	return (size_t)a->key_len + a->auth_key_len;
}
