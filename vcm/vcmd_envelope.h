/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A value of the store, octet by octet:
 *
 *     version (1), length of the clear part (2), clear part, nonce (24), sealed part, tag (16)
 *
 * in network order.  The sealed part is AES-256-GCM under a key of its own,
 * derived from the sealing key and the first 12 octets of the nonce by
 * HMAC-SHA256, so that random nonces never come to an end; the other 12 are
 * GCM's nonce.  Associated data are kind and key of the record, version and
 * clear part: no record can be changed, or take another one's place, unseen.
 * Makes no system call; random numbers come from the caller.
 */
#ifndef VCMD_ENVELOPE_H
#define VCMD_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#define VCMD_SEAL_LEN 32
#define VCMD_NONCE_LEN 24
#define VCMD_SEALED_MAX 1024 /* octets of a sealed part */
#define VCMD_RECORD_MAX 8192 /* octets of a value */

/* The key is wiped by whoever holds it. */
struct vcmd_seal {
	uint8_t key[VCMD_SEAL_LEN];
	void (*random)(void *ctx, void *to, size_t n);
	void *ctx;
};

struct vcmd_envelope {
	int kind; /* a letter */
	const uint8_t *key; /* of the record */
	size_t key_len;
	const uint8_t *clear;
	size_t clear_len;
};

/* The length, 0: it does not fit, or the cipher failed. */
size_t vcmd_envelope_write(const struct vcmd_seal *s, const struct vcmd_envelope *e,
	const uint8_t *secret, size_t secret_len, uint8_t to[VCMD_RECORD_MAX]);
/* NULL, or what is wrong.  kind and key are given, clear is filled in; the sealed part to room. */
const char *vcmd_envelope_read(const struct vcmd_seal *s, struct vcmd_envelope *e,
	const uint8_t *data, size_t len, uint8_t room[VCMD_SEALED_MAX], size_t *secret_len);

#endif
