/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The asymmetric variant's arithmetic: X25519 (RFC 7748) and HKDF-SHA256
 * (RFC 5869), from OpenSSL.  Requirement V12.
 */
#ifndef VCM_SECRET_H
#define VCM_SECRET_H

#include "vcm/message.h"

#define VCM_PRIVATE_LEN 32

struct vcm_keypair {
	uint8_t private_key[VCM_PRIVATE_LEN], public_key[VCM_PUBLIC_LEN];
};
/* private_key is given (32 random octets); fills in the public key. */
bool vcm_keypair_make(struct vcm_keypair *k);
void vcm_keypair_wipe(struct vcm_keypair *k);

/*
 * Fills in what an OFFER of the asymmetric variant leaves out: the keys of
 * m->in and m->out (key_len octets each, which differ by direction, also if
 * both SPIs are the same number) and m->kcn.  Both ends get the same from the
 * session, generation, salt and SPIs.  False: the peer's public key is no good
 * (RFC 7748 6.1: the all-zero result; or it is our own), or key_len is 0 or
 * more than VCM_KEY_MAX; then m holds no key.
 */
bool vcm_derive(const struct vcm_keypair *own, const uint8_t peer[VCM_PUBLIC_LEN], size_t key_len,
	struct vcm_message *m);

/* What that is made of; here for its test vectors. */
bool vcm_x25519(
	const uint8_t own[VCM_PRIVATE_LEN], const uint8_t peer[VCM_PUBLIC_LEN], uint8_t shared[32]);
bool vcm_hkdf(const uint8_t *secret, size_t secret_len, const uint8_t *salt, size_t salt_len,
	const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len);

#endif
