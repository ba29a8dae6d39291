/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/sequence.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define LABEL "Homebound: which key of a manual SA"

void ipsec_sequence_fingerprint(
	const struct ipsec_key *key, uint8_t fingerprint[IPSEC_FINGERPRINT_LEN])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	unsigned len = 0;

	HMAC(EVP_sha256(), key->octets, (int)key->len, (const uint8_t *)LABEL, sizeof(LABEL) - 1,
		digest, &len);
	memcpy(fingerprint, digest, IPSEC_FINGERPRINT_LEN);
	OPENSSL_cleanse(digest, sizeof(digest));
}

static uint32_t ahead(uint64_t n, uint64_t by)
{
	return n + by > IPSEC_SEQUENCE_LAST ? IPSEC_SEQUENCE_LAST : (uint32_t)(n + by);
}

static uint32_t to32(uint64_t n)
{
	return ahead(n, 0);
}

/* From sent on, which the SA has counted packets until: what it may do, and how that is remembered. */
static void grant(struct ipsec_sequence_step *s, uint64_t sent, uint64_t packets)
{
	uint64_t block;

	s->left = IPSEC_SEQUENCE_LAST - to32(sent);
	s->soon = s->left < IPSEC_SEQUENCE_SOON;
	s->exhausted = !s->left;
	block = s->left < IPSEC_SEQUENCE_BLOCK ? s->left : IPSEC_SEQUENCE_BLOCK;
	s->put.bound = ahead(sent, 2 * IPSEC_SEQUENCE_BLOCK);
	if (s->exhausted)
		return; /* the kernel sends nothing behind the last number, and 0 would be no limit */
	s->soft_packets = packets + block * 3 / 4;
	s->hard_packets = packets + block;
}

static bool stopped(const struct ipsec_sequence *stored, const struct ipsec_sequence_now *now)
{
	return now->sent >= IPSEC_SEQUENCE_LAST && stored->bound < IPSEC_SEQUENCE_LAST;
}

void ipsec_sequence_begin(const struct ipsec_sequence *stored, const struct ipsec_sequence_now *now,
	const uint8_t fingerprint[IPSEC_FINGERPRINT_LEN], bool sends, struct ipsec_sequence_step *s)
{
	bool same = stored && memcmp(stored->fingerprint, fingerprint, IPSEC_FINGERPRINT_LEN) == 0;

	memset(s, 0, sizeof(*s));
	memcpy(s->put.fingerprint, fingerprint, IPSEC_FINGERPRINT_LEN);
	/*
	 * Without a record nobody knows which key the kernel has: taking it for
	 * ours repeats no number.  One at the last number, which the record
	 * denies, was stopped for a move that did not end (IPSEC_SA_STOP).
	 */
	s->replace = now && stored && (!same || (sends && stopped(stored, now)));
	s->add = !now || s->replace;
	if (!s->add) {
		s->sent = now->sent;
		s->received = now->received;
	} else if (same) {
		s->sent = stored->bound;
		s->received = stored->received;
	}
	s->put.received = to32(s->received);
	s->put.bound = same ? stored->bound : 0;
	if (sends)
		grant(s, s->sent, s->add ? 0 : now->packets);
	/* Numbers that a record denies were never sent by us; it must not shrink for them. */
	if (same && s->put.bound < stored->bound)
		s->put.bound = stored->bound;
	s->store = !same || memcmp(&s->put, stored, sizeof(s->put)) != 0;
}

void ipsec_sequence_continue(const struct ipsec_sequence *stored,
	const struct ipsec_sequence_now *now, bool sends, struct ipsec_sequence_step *s)
{
	memset(s, 0, sizeof(*s));
	s->put = *stored;
	s->sent = now->sent;
	s->received = now->received;
	if (now->received > stored->received)
		s->put.received = to32(now->received);
	/* what the limits of the kernel allow is less than a block, the rest is for moves */
	if (sends && !stopped(stored, now) &&
		now->sent + IPSEC_SEQUENCE_BLOCK * 3 / 2 > stored->bound)
		grant(s, now->sent, now->packets);
	s->store = memcmp(&s->put, stored, sizeof(s->put)) != 0;
}

void ipsec_sequence_end(const struct ipsec_sequence *stored, const struct ipsec_sequence_now *now,
	bool sends, struct ipsec_sequence_step *s)
{
	memset(s, 0, sizeof(*s));
	s->put = *stored;
	if (now->received > stored->received)
		s->put.received = to32(now->received);
	/* what may have been sent since */
	if (sends && ahead(now->sent, IPSEC_SEQUENCE_GAP) < stored->bound)
		s->put.bound = ahead(now->sent, IPSEC_SEQUENCE_GAP);
	s->store = memcmp(&s->put, stored, sizeof(s->put)) != 0;
}
