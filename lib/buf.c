/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds-checked reading and writing of packets; see buf.h.
 *
 * Octets are put together with shifts and copied with memcpy: no pointer of
 * another type ever points into a packet.  Casting packets to structures is
 * how an earlier ICMPv6 checksum came to be miscompiled by gcc 12 at -O2.
 */
#include "lib/buf.h"

#include <string.h>

static bool take(struct rbuf *r, size_t n, const uint8_t **at)
{
	if (rbuf_left(r) < n)
		return false;
	*at = r->p;
	if (n)
		r->p += n;
	return true;
}

bool rbuf_u8(struct rbuf *r, uint8_t *v)
{
	const uint8_t *p;

	if (!take(r, 1, &p))
		return false;
	*v = p[0];
	return true;
}

bool rbuf_u16(struct rbuf *r, uint16_t *v)
{
	const uint8_t *p;

	if (!take(r, 2, &p))
		return false;
	*v = (uint16_t)(p[0] << 8 | p[1]);
	return true;
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool rbuf_u32(struct rbuf *r, uint32_t *v)
{
	const uint8_t *p;

	if (!take(r, 4, &p))
		return false;
	*v = get_u32(p);
	return true;
}

bool rbuf_u64(struct rbuf *r, uint64_t *v)
{
	const uint8_t *p;

	if (!take(r, 8, &p))
		return false;
	*v = (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
	return true;
}

bool rbuf_in6(struct rbuf *r, struct in6_addr *a)
{
	return rbuf_bytes(r, a, sizeof(*a));
}

bool rbuf_in4(struct rbuf *r, struct in_addr *a)
{
	return rbuf_bytes(r, a, sizeof(*a));
}

bool rbuf_bytes(struct rbuf *r, void *to, size_t n)
{
	const uint8_t *p;

	if (!take(r, n, &p))
		return false;
	if (n)
		memcpy(to, p, n);
	return true;
}

bool rbuf_skip(struct rbuf *r, size_t n)
{
	const uint8_t *p;

	return take(r, n, &p);
}

bool rbuf_sub(struct rbuf *r, struct rbuf *sub, size_t n)
{
	const uint8_t *p;

	if (!take(r, n, &p))
		return false;
	*sub = rbuf_make(p, n);
	return true;
}

/* Room for n more octets, or NULL; afterwards nothing fits any more. */
static uint8_t *room(struct wbuf *w, size_t n)
{
	uint8_t *p;

	if (w->overflow || w->cap - w->len < n) {
		w->overflow = true;
		return NULL;
	}
	if (!n)
		return NULL;
	p = w->base + w->len;
	w->len += n;
	return p;
}

void wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_bytes(w, &v, 1);
}

void wbuf_u16(struct wbuf *w, uint16_t v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	wbuf_bytes(w, b, sizeof(b));
}

static void put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void wbuf_u32(struct wbuf *w, uint32_t v)
{
	uint8_t b[4];

	put_u32(b, v);
	wbuf_bytes(w, b, sizeof(b));
}

void wbuf_u64(struct wbuf *w, uint64_t v)
{
	uint8_t b[8];

	put_u32(b, (uint32_t)(v >> 32));
	put_u32(b + 4, (uint32_t)v);
	wbuf_bytes(w, b, sizeof(b));
}

void wbuf_in6(struct wbuf *w, const struct in6_addr *a)
{
	wbuf_bytes(w, a, sizeof(*a));
}

void wbuf_in4(struct wbuf *w, const struct in_addr *a)
{
	wbuf_bytes(w, a, sizeof(*a));
}

void wbuf_bytes(struct wbuf *w, const void *from, size_t n)
{
	uint8_t *p = room(w, n);

	if (p && from)
		memcpy(p, from, n);
	else if (p)
		w->overflow = true; /* a length without data */
}

void wbuf_zero(struct wbuf *w, size_t n)
{
	uint8_t *p = room(w, n);

	if (p)
		memset(p, 0, n);
}

void wbuf_put_u8(struct wbuf *w, size_t off, uint8_t v)
{
	if (off >= w->len)
		w->overflow = true;
	else
		w->base[off] = v;
}

void wbuf_put_u16(struct wbuf *w, size_t off, uint16_t v)
{
	if (w->len < 2 || off > w->len - 2) {
		w->overflow = true;
		return;
	}
	w->base[off] = (uint8_t)(v >> 8);
	w->base[off + 1] = (uint8_t)v;
}
