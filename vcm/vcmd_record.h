/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store holds, octet by octet.  A value is
 *
 *     version (1), length of the clear part (2), clear part, nonce (24), sealed part, tag (16)
 *
 * in network order.  The sealed part is AES-256-GCM under a key of its own,
 * derived from the sealing key and the first 12 octets of the nonce by
 * HMAC-SHA256, so that random nonces never come to an end; the other 12 are
 * GCM's nonce.  Associated data are kind and key of the record, version and
 * clear part: no record can be changed, or take another one's place, unseen.
 * Makes no system call; random numbers come from the caller.  Requirement V7.
 */
#ifndef VCMD_RECORD_H
#define VCMD_RECORD_H

#include "vcm/manager.h"

#define VCMD_SEAL_LEN 32
#define VCMD_NONCE_LEN 24
#define VCMD_MAX_CORRESPONDENTS 256 /* in a record; more are left out */
#define VCMD_RECORD_MAX 8192 /* octets of a value */
#define VCMD_CONTEXT_KEY_LEN 16 /* internal address */
#define VCMD_SESSION_KEY_LEN 8 /* identifier */

/* The key is wiped by whoever holds it. */
struct vcmd_seal {
	uint8_t key[VCMD_SEAL_LEN];
	void (*random)(void *ctx, void *to, size_t n);
	void *ctx;
};

/* All return the length, 0: it does not fit, or the cipher failed. */
size_t vcmd_context_write(
	const struct vcmd_seal *s, const struct vcm_context_record *r, uint8_t to[VCMD_RECORD_MAX]);
size_t vcmd_session_write(
	const struct vcmd_seal *s, const struct vcm_session_record *r, uint8_t to[VCMD_RECORD_MAX]);
/* A value that shows whether a sealing key is the one. */
size_t vcmd_check_write(const struct vcmd_seal *s, uint8_t to[VCMD_RECORD_MAX]);

/*
 * NULL, or what is wrong.  Correspondents are written to room for
 * VCMD_MAX_CORRESPONDENTS, to which r then points.
 */
const char *vcmd_context_read(const struct vcmd_seal *s, const uint8_t *key, size_t key_len,
	const uint8_t *data, size_t len, struct vcm_context_record *r, struct in6_addr *room);
/* r holds secrets: to be wiped. */
const char *vcmd_session_read(const struct vcmd_seal *s, const uint8_t *key, size_t key_len,
	const uint8_t *data, size_t len, struct vcm_session_record *r);
const char *vcmd_check_read(const struct vcmd_seal *s, const uint8_t *data, size_t len);

void vcmd_session_key(uint64_t id, uint8_t key[VCMD_SESSION_KEY_LEN]);

#endif
