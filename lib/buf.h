/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounds-checked reading and writing of packets.
 *
 * A reader is a window on memory it does not own.  Every read says whether
 * the octets were there; a failed read consumes nothing.  A sub-window is
 * carved out with rbuf_sub(), so that the parser of a TLV cannot leave it.
 * A writer has a fixed capacity; a write that does not fit sets `overflow`,
 * writes nothing, and all later writes fail too: check once, at the end.  So
 * does writing n > 0 octets from NULL, or overwriting what was never written.
 * Numbers on the wire are in network order, in the arguments in host order.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rbuf {
	const uint8_t *p;
	const uint8_t *end;
};

static inline struct rbuf rbuf_make(const void *data, size_t len)
{
	const uint8_t *p = data;
	return (struct rbuf){p, p ? p + len : p};
}
static inline size_t rbuf_left(const struct rbuf *r)
{
	return (size_t)(r->end - r->p);
}
bool rbuf_u8(struct rbuf *r, uint8_t *v);
bool rbuf_u16(struct rbuf *r, uint16_t *v);
bool rbuf_u32(struct rbuf *r, uint32_t *v);
bool rbuf_u64(struct rbuf *r, uint64_t *v);
bool rbuf_in6(struct rbuf *r, struct in6_addr *a);
bool rbuf_in4(struct rbuf *r, struct in_addr *a);
bool rbuf_bytes(struct rbuf *r, void *to, size_t n);
bool rbuf_skip(struct rbuf *r, size_t n);
/* Carve the next n octets out of r into sub. */
bool rbuf_sub(struct rbuf *r, struct rbuf *sub, size_t n);

struct wbuf {
	uint8_t *base;
	size_t len, cap;
	bool overflow;
};

static inline struct wbuf wbuf_make(void *base, size_t cap)
{
	return (struct wbuf){base, 0, cap, false};
}
void wbuf_u8(struct wbuf *w, uint8_t v);
void wbuf_u16(struct wbuf *w, uint16_t v);
void wbuf_u32(struct wbuf *w, uint32_t v);
void wbuf_u64(struct wbuf *w, uint64_t v);
void wbuf_in6(struct wbuf *w, const struct in6_addr *a);
void wbuf_in4(struct wbuf *w, const struct in_addr *a);
void wbuf_bytes(struct wbuf *w, const void *from, size_t n);
void wbuf_zero(struct wbuf *w, size_t n);
/* Overwrite an octet or a 16-bit number written before, at offset off. */
void wbuf_put_u8(struct wbuf *w, size_t off, uint8_t v);
void wbuf_put_u16(struct wbuf *w, size_t off, uint16_t v);

#endif
