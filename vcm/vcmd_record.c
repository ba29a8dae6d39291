/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_record.h"

#include <openssl/crypto.h>
#include <string.h>

#include "lib/buf.h"
#include "vcm/vcmd_envelope.h"

enum { CHECK = 'k', CONTEXT = 'c', SESSION = 's', SEQUENCE = 'q' }; /* kinds */

enum { C_OUTSIDE = 1, C_REVOKED = 2 };
enum { S_READY_A = 1, S_READY_B = 2, S_ACTIVE_A = 4, S_ACTIVE_B = 8 };
enum { X_KCN = 1, X_PUBLIC_A = 2, X_PUBLIC_B = 4 };

/* ---- contexts ---- */

size_t vcmd_context_write(
	const struct vcmd_seal *s, const struct vcm_context_record *r, uint8_t to[VCMD_RECORD_MAX])
{
	uint8_t clear[64 + VCMD_MAX_CORRESPONDENTS * 16];
	struct wbuf w = wbuf_make(clear, sizeof(clear));
	size_t n = r->n_correspondents < VCMD_MAX_CORRESPONDENTS ? r->n_correspondents
								  : VCMD_MAX_CORRESPONDENTS;
	struct vcmd_envelope e = {CONTEXT, r->internal.s6_addr, VCMD_CONTEXT_KEY_LEN, clear, 0};

	wbuf_u8(&w, (uint8_t)((r->outside ? C_OUTSIDE : 0) | (r->revoked ? C_REVOKED : 0)));
	wbuf_in6(&w, &r->home);
	wbuf_u64(&w, r->epoch);
	wbuf_u16(&w, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		wbuf_in6(&w, &r->correspondents[i]);
	e.clear_len = w.len;
	return w.overflow ? 0 : vcmd_envelope_write(s, &e, NULL, 0, to);
}

const char *vcmd_context_read(const struct vcmd_seal *s, const uint8_t *key, size_t key_len,
	const uint8_t *data, size_t len, struct vcm_context_record *r, struct in6_addr *room)
{
	struct vcmd_envelope e = {CONTEXT, key, key_len, NULL, 0};
	uint8_t none[VCMD_SEALED_MAX], flags;
	size_t none_len;
	const char *why;
	struct rbuf b;
	uint16_t n;

	if (key_len != VCMD_CONTEXT_KEY_LEN)
		return "has a key of a wrong length";
	why = vcmd_envelope_read(s, &e, data, len, none, &none_len);
	if (why)
		return why;
	*r = (struct vcm_context_record){.correspondents = room};
	memcpy(&r->internal, key, sizeof(r->internal));
	b = rbuf_make(e.clear, e.clear_len);
	if (!rbuf_u8(&b, &flags) || !rbuf_in6(&b, &r->home) || !rbuf_u64(&b, &r->epoch) ||
		!rbuf_u16(&b, &n) || n > VCMD_MAX_CORRESPONDENTS || rbuf_left(&b) != n * 16u)
		return "has a wrong length";
	r->outside = flags & C_OUTSIDE;
	r->revoked = flags & C_REVOKED;
	r->n_correspondents = n;
	for (size_t i = 0; i < n; i++)
		(void)rbuf_in6(&b, &room[i]);
	return NULL;
}

/* ---- sessions ---- */

void vcmd_session_key(uint64_t id, uint8_t key[VCMD_SESSION_KEY_LEN])
{
	struct wbuf w = wbuf_make(key, VCMD_SESSION_KEY_LEN);

	wbuf_u64(&w, id);
}

static void put_blob(struct wbuf *w, const uint8_t *p, size_t n)
{
	wbuf_u16(w, (uint16_t)n);
	if (n)
		wbuf_bytes(w, p, n);
}

static bool get_blob(struct rbuf *r, uint8_t *to, size_t cap, size_t *n)
{
	uint16_t len;

	if (!rbuf_u16(r, &len) || len > cap || !rbuf_bytes(r, to, len))
		return false;
	*n = len;
	return true;
}

static void put_secrets(struct wbuf *w, const struct vcm_session_secrets *x)
{
	wbuf_u8(w, (uint8_t)((x->has_kcn ? X_KCN : 0) | (x->has_public_a ? X_PUBLIC_A : 0) |
			     (x->has_public_b ? X_PUBLIC_B : 0)));
	put_blob(w, x->key_ab, x->key_len);
	put_blob(w, x->key_ba, x->key_len);
	if (x->has_kcn) {
		put_blob(w, x->kcn.kcn, x->kcn.kcn_len);
		put_blob(w, x->kcn.home_nonce, x->kcn.home_nonce_len);
		put_blob(w, x->kcn.care_of_nonce, x->kcn.care_of_nonce_len);
	}
	if (x->has_public_a)
		wbuf_bytes(w, x->public_a, VCM_PUBLIC_LEN);
	if (x->has_public_b)
		wbuf_bytes(w, x->public_b, VCM_PUBLIC_LEN);
	wbuf_bytes(w, x->salt, VCM_SALT_LEN);
}

static bool get_kcn(struct rbuf *r, struct rr_shared *k)
{
	return get_blob(r, k->kcn, sizeof(k->kcn), &k->kcn_len) &&
	       get_blob(r, k->home_nonce, sizeof(k->home_nonce), &k->home_nonce_len) &&
	       get_blob(r, k->care_of_nonce, sizeof(k->care_of_nonce), &k->care_of_nonce_len);
}

static bool get_secrets(struct rbuf *r, struct vcm_session_secrets *x)
{
	size_t other_len;
	uint8_t flags;

	if (!rbuf_u8(r, &flags) || !get_blob(r, x->key_ab, VCM_KEY_MAX, &x->key_len) ||
		!get_blob(r, x->key_ba, VCM_KEY_MAX, &other_len) || other_len != x->key_len)
		return false;
	x->has_kcn = flags & X_KCN;
	x->has_public_a = flags & X_PUBLIC_A;
	x->has_public_b = flags & X_PUBLIC_B;
	return (!x->has_kcn || get_kcn(r, &x->kcn)) &&
	       (!x->has_public_a || rbuf_bytes(r, x->public_a, VCM_PUBLIC_LEN)) &&
	       (!x->has_public_b || rbuf_bytes(r, x->public_b, VCM_PUBLIC_LEN)) &&
	       rbuf_bytes(r, x->salt, VCM_SALT_LEN) && rbuf_left(r) == 0;
}

static void put_clear(struct wbuf *w, const struct vcm_session_record *r)
{
	wbuf_u32(w, r->generation);
	wbuf_in6(w, &r->a);
	wbuf_in6(w, &r->b);
	wbuf_u8(w, (uint8_t)r->state);
	wbuf_u8(w, (uint8_t)((r->ready_a ? S_READY_A : 0) | (r->ready_b ? S_READY_B : 0) |
			     (r->active_a ? S_ACTIVE_A : 0) | (r->active_b ? S_ACTIVE_B : 0)));
	wbuf_u8(w, (uint8_t)r->variant);
	put_blob(w, (const uint8_t *)r->algorithm, strnlen(r->algorithm, VCM_ALGORITHM_LEN - 1));
	wbuf_u32(w, r->lifetime_s);
	wbuf_u32(w, r->linger_s);
	wbuf_u64(w, r->offered_at);
	wbuf_u64(w, r->ends_at);
	wbuf_u32(w, r->spi_a);
	wbuf_u32(w, r->spi_b);
}

static bool get_clear(struct rbuf *b, struct vcm_session_record *r)
{
	uint8_t state, flags, variant;
	size_t n;

	if (!rbuf_u32(b, &r->generation) || !rbuf_in6(b, &r->a) || !rbuf_in6(b, &r->b) ||
		!rbuf_u8(b, &state) || state > VCM_S_ENDING || !rbuf_u8(b, &flags) ||
		!rbuf_u8(b, &variant) || variant > VCM_ASYMMETRIC ||
		!get_blob(b, (uint8_t *)r->algorithm, VCM_ALGORITHM_LEN - 1, &n) ||
		memchr(r->algorithm, 0, n))
		return false;
	r->state = (enum vcm_session_state)state;
	r->variant = (enum vcm_variant)variant;
	r->ready_a = flags & S_READY_A;
	r->ready_b = flags & S_READY_B;
	r->active_a = flags & S_ACTIVE_A;
	r->active_b = flags & S_ACTIVE_B;
	return rbuf_u32(b, &r->lifetime_s) && rbuf_u32(b, &r->linger_s) &&
	       rbuf_u64(b, &r->offered_at) && rbuf_u64(b, &r->ends_at) && rbuf_u32(b, &r->spi_a) &&
	       rbuf_u32(b, &r->spi_b) && rbuf_left(b) == 0;
}

size_t vcmd_session_write(
	const struct vcmd_seal *s, const struct vcm_session_record *r, uint8_t to[VCMD_RECORD_MAX])
{
	uint8_t key[VCMD_SESSION_KEY_LEN], clear[256], secret[VCMD_SEALED_MAX];
	struct wbuf w = wbuf_make(clear, sizeof(clear)), x = wbuf_make(secret, sizeof(secret));
	struct vcmd_envelope e = {SESSION, key, sizeof(key), clear, 0};
	size_t n = 0;

	vcmd_session_key(r->id, key);
	put_clear(&w, r);
	put_secrets(&x, &r->secrets);
	e.clear_len = w.len;
	if (!w.overflow && !x.overflow)
		n = vcmd_envelope_write(s, &e, secret, x.len, to);
	OPENSSL_cleanse(secret, sizeof(secret));
	return n;
}

const char *vcmd_session_read(const struct vcmd_seal *s, const uint8_t *key, size_t key_len,
	const uint8_t *data, size_t len, struct vcm_session_record *r)
{
	struct rbuf id = rbuf_make(key, key_len), clear, secret;
	struct vcmd_envelope e = {SESSION, key, key_len, NULL, 0};
	uint8_t room[VCMD_SEALED_MAX];
	size_t secret_len;
	const char *why;

	*r = (struct vcm_session_record){0};
	if (key_len != VCMD_SESSION_KEY_LEN || !rbuf_u64(&id, &r->id))
		return "has a key of a wrong length";
	why = vcmd_envelope_read(s, &e, data, len, room, &secret_len);
	if (why)
		return why;
	clear = rbuf_make(e.clear, e.clear_len);
	secret = rbuf_make(room, secret_len);
	if (!get_clear(&clear, r) || !get_secrets(&secret, &r->secrets)) {
		OPENSSL_cleanse(&r->secrets, sizeof(r->secrets));
		why = "has a wrong length or value";
	}
	OPENSSL_cleanse(room, sizeof(room));
	return why;
}

/* ---- sequence numbers ---- */

void vcmd_sequence_key(const struct vcmd_sequence *q, uint8_t key[VCMD_SEQUENCE_KEY_LEN])
{
	struct wbuf w = wbuf_make(key, VCMD_SEQUENCE_KEY_LEN);

	wbuf_in6(&w, &q->src);
	wbuf_in6(&w, &q->dst);
	wbuf_u32(&w, q->spi);
}

size_t vcmd_sequence_write(
	const struct vcmd_seal *s, const struct vcmd_sequence *q, uint8_t to[VCMD_RECORD_MAX])
{
	uint8_t key[VCMD_SEQUENCE_KEY_LEN], clear[sizeof(q->fingerprint) + 8];
	struct wbuf w = wbuf_make(clear, sizeof(clear));
	struct vcmd_envelope e = {SEQUENCE, key, sizeof(key), clear, sizeof(clear)};

	vcmd_sequence_key(q, key);
	wbuf_bytes(&w, q->fingerprint, sizeof(q->fingerprint));
	wbuf_u32(&w, q->bound);
	wbuf_u32(&w, q->received);
	return vcmd_envelope_write(s, &e, NULL, 0, to);
}

const char *vcmd_sequence_read(
	const struct vcmd_seal *s, const uint8_t *data, size_t len, struct vcmd_sequence *q)
{
	uint8_t key[VCMD_SEQUENCE_KEY_LEN], none[VCMD_SEALED_MAX];
	struct vcmd_envelope e = {SEQUENCE, key, sizeof(key), NULL, 0};
	const char *why;
	struct rbuf r;
	size_t n;

	vcmd_sequence_key(q, key);
	why = vcmd_envelope_read(s, &e, data, len, none, &n);
	if (why)
		return why;
	r = rbuf_make(e.clear, e.clear_len);
	if (!rbuf_bytes(&r, q->fingerprint, sizeof(q->fingerprint)) || !rbuf_u32(&r, &q->bound) ||
		!rbuf_u32(&r, &q->received) || rbuf_left(&r))
		return "has a wrong length";
	return NULL;
}

/* ---- is this the key? ---- */

static const uint8_t check_text[] = "homebound vcmd";

size_t vcmd_check_write(const struct vcmd_seal *s, uint8_t to[VCMD_RECORD_MAX])
{
	struct vcmd_envelope e = {CHECK, NULL, 0, check_text, sizeof(check_text)};

	return vcmd_envelope_write(s, &e, NULL, 0, to);
}

const char *vcmd_check_read(const struct vcmd_seal *s, const uint8_t *data, size_t len)
{
	struct vcmd_envelope e = {CHECK, NULL, 0, NULL, 0};
	uint8_t none[VCMD_SEALED_MAX];
	size_t n;
	const char *why = vcmd_envelope_read(s, &e, data, len, none, &n);

	if (!why && (e.clear_len != sizeof(check_text) ||
			    memcmp(e.clear, check_text, sizeof(check_text)) != 0))
		why = "is not of this program";
	return why;
}
