/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of the store as octets, and what they say in memory. */
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "mip6d/sys/store_internal.h"

/* ---- records ---- */

/* CRC-32 of IEEE 802.3, four bits at a time */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	static const uint32_t t[16] = {0, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190,
		0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
	uint32_t c = ~0u;

	while (n--) {
		c ^= *p++;
		c = t[c & 15] ^ (c >> 4);
		c = t[c & 15] ^ (c >> 4);
	}
	return ~c;
}

void store_record_build(uint8_t out[RECORD_LEN], enum kind kind, const struct entry *e)
{
	struct wbuf w = wbuf_make(out, RECORD_LEN);

	wbuf_u32(&w, MAGIC);
	wbuf_u8(&w, (uint8_t)kind);
	wbuf_u8(&w, e->invalid);
	wbuf_u16(&w, e->seq);
	wbuf_in6(&w, &e->home_address);
	wbuf_in6(&w, &e->care_of);
	wbuf_in6(&w, &e->home_agent);
	wbuf_u16(&w, e->flags);
	wbuf_u16(&w, e->n_networks);
	wbuf_u32(&w, e->lifetime_s);
	wbuf_u64(&w, e->end);
	wbuf_u32(&w, e->remaining_s);
	wbuf_u32(&w, crc32(out, CRC_AT));
}

bool store_record_parse(const uint8_t in[RECORD_LEN], uint8_t *kind, struct entry *e)
{
	struct rbuf r = rbuf_make(in, RECORD_LEN);
	uint32_t magic = 0, crc = 0;
	uint8_t invalid = 0;
	bool ok = true;

	memset(e, 0, sizeof(*e));
	ok &= rbuf_u32(&r, &magic) && rbuf_u8(&r, kind) && rbuf_u8(&r, &invalid) &&
	      rbuf_u16(&r, &e->seq);
	ok &= rbuf_in6(&r, &e->home_address) && rbuf_in6(&r, &e->care_of) &&
	      rbuf_in6(&r, &e->home_agent);
	ok &= rbuf_u16(&r, &e->flags) && rbuf_u16(&r, &e->n_networks) &&
	      rbuf_u32(&r, &e->lifetime_s);
	ok &= rbuf_u64(&r, &e->end) && rbuf_u32(&r, &e->remaining_s) && rbuf_u32(&r, &crc);
	e->invalid = invalid;
	return ok && magic == MAGIC && invalid <= 1 && *kind >= KIND_PUT && *kind <= KIND_PLACE &&
	       crc == crc32(in, CRC_AT);
}

void store_set_end(struct store *s, struct entry *e, uint32_t remaining_s)
{
	e->remaining_s = remaining_s;
	e->end = remaining_s == FOR_EVER ? UINT64_MAX : (uint64_t)s->now(s->now_arg) + remaining_s;
}

uint32_t store_remaining(const struct store *s, const struct entry *e)
{
	int64_t now = s->now(s->now_arg);
	uint64_t left;

	if (e->remaining_s == FOR_EVER)
		return FOR_EVER;
	if (now < 0 || e->end <= (uint64_t)now)
		return 0;
	left = e->end - (uint64_t)now;
	return left > e->remaining_s ? e->remaining_s : (uint32_t)left;
}

/* ---- in memory ---- */

struct entry *store_find(struct store *s, const struct in6_addr *home_address)
{
	struct entry *e;

	HASH_FIND(hh, s->entries, home_address, sizeof(*home_address), e);
	return e;
}

bool store_remember(struct store *s, const struct entry *from)
{
	struct entry *e = store_find(s, &from->home_address);
	UT_hash_handle hh;

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e) {
			free(from->networks);
			return false;
		}
		e->home_address = from->home_address;
		HASH_ADD(hh, s->entries, home_address, sizeof(e->home_address), e);
	}
	s->n_networks += from->n_networks - (size_t)e->n_networks;
	free(e->networks);
	hh = e->hh;
	*e = *from;
	e->hh = hh;
	return true;
}

void store_forget(struct store *s, const struct in6_addr *home_address)
{
	struct entry *e = store_find(s, home_address);

	if (!e)
		return;
	HASH_DEL(s->entries, e);
	s->n_networks -= e->n_networks;
	free(e->networks);
	free(e);
}

void store_network_add(struct store *s, const struct entry *from)
{
	struct entry *e = store_find(s, &from->home_address);

	if (!e || !e->networks || e->n_read >= e->n_networks || from->n_networks > 128)
		return;
	e->networks[e->n_read].addr = from->care_of;
	e->networks[e->n_read++].plen = (uint8_t)from->n_networks;
}

struct sequence *store_sequence_find(
	struct store *s, uint8_t kind, const struct in6_addr *local, const struct in6_addr *peer)
{
	struct sequence_key key;
	struct sequence *q;

	memset(&key, 0, sizeof(key));
	key.local = *local;
	key.peer = *peer;
	key.kind = kind;
	HASH_FIND(hh, s->sequences, &key, sizeof(key), q);
	return q;
}

bool store_sequence_remember(struct store *s, uint8_t kind, const struct entry *e)
{
	struct sequence *q = store_sequence_find(s, kind, &e->home_address, &e->care_of);

	if (!q) {
		q = calloc(1, sizeof(*q));
		if (!q)
			return false;
		q->key.local = e->home_address;
		q->key.peer = e->care_of;
		q->key.kind = kind;
		HASH_ADD(hh, s->sequences, key, sizeof(q->key), q);
	}
	q->seq = e->seq;
	return true;
}

struct sa *store_sa_find(
	struct store *s, const struct in6_addr *src, const struct in6_addr *dst, uint32_t spi)
{
	struct sa_key key;
	struct sa *q;

	memset(&key, 0, sizeof(key));
	key.src = *src;
	key.dst = *dst;
	key.spi = spi;
	HASH_FIND(hh, s->sas, &key, sizeof(key), q);
	return q;
}

struct entry store_entry_of_sa(const struct sa *q)
{
	struct entry e = {.home_address = q->key.src,
		.care_of = q->key.dst,
		.lifetime_s = q->bound,
		.remaining_s = q->received};

	memcpy(e.home_agent.s6_addr, &q->key.spi, 4);
	memcpy(e.home_agent.s6_addr + 4, q->fingerprint, sizeof(q->fingerprint));
	return e;
}

struct sa *store_sa_remember(struct store *s, const struct entry *e)
{
	uint32_t spi;
	struct sa *q;

	memcpy(&spi, e->home_agent.s6_addr, 4);
	q = store_sa_find(s, &e->home_address, &e->care_of, spi);
	if (!q) {
		q = calloc(1, sizeof(*q));
		if (!q)
			return NULL;
		q->key.src = e->home_address;
		q->key.dst = e->care_of;
		q->key.spi = spi;
		HASH_ADD(hh, s->sas, key, sizeof(q->key), q);
	}
	memcpy(q->fingerprint, e->home_agent.s6_addr + 4, sizeof(q->fingerprint));
	q->bound = e->lifetime_s;
	q->received = e->remaining_s;
	return q;
}
