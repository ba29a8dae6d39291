/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes and sessions as the store holds them, in envelopes (vcmd_envelope.h):
 * what anybody may know in the clear part, secrets in the sealed one.  Makes
 * no system call.  Requirement V7.
 */
#ifndef VCMD_RECORD_H
#define VCMD_RECORD_H

#include "vcm/manager.h"
#include "vcm/vcmd_envelope.h"

#define VCMD_MAX_CORRESPONDENTS 256 /* in a record; more are left out */
#define VCMD_CONTEXT_KEY_LEN 16 /* internal address */
#define VCMD_SESSION_KEY_LEN 8 /* identifier */

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

/* Sequence numbers of an SA with a manual key (ipsec-glue/sequence.h), by src, dst and spi. */
#define VCMD_SEQUENCE_KEY_LEN 36
struct vcmd_sequence {
	struct in6_addr src, dst;
	uint32_t spi;
	uint8_t fingerprint[8];
	uint32_t bound, received;
};
size_t vcmd_sequence_write(
	const struct vcmd_seal *s, const struct vcmd_sequence *q, uint8_t to[VCMD_RECORD_MAX]);
const char *vcmd_sequence_read(
	const struct vcmd_seal *s, const uint8_t *data, size_t len, struct vcmd_sequence *q);
void vcmd_sequence_key(const struct vcmd_sequence *q, uint8_t key[VCMD_SEQUENCE_KEY_LEN]);

void vcmd_session_key(uint64_t id, uint8_t key[VCMD_SESSION_KEY_LEN]);

#endif
