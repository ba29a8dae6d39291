/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/proto/problem.h"

#include "lib/buf.h"
#include "mip6/wire.h"

#define NH_ROUTING 43
#define NH_DSTOPTS 60
#define OPT_PADN 1

/* Type 2 routing header as it was on the wire (6.4). */
static void quote_routing_header(struct wbuf *w, const struct mip6_packet *p, uint8_t next)
{
	wbuf_u8(w, next);
	wbuf_u8(w, 2);
	wbuf_u8(w, MIP6_RTHDR_TYPE2);
	wbuf_u8(w, 1); /* Segments Left */
	wbuf_zero(w, 4);
	wbuf_in6(w, &p->dst);
}

/* Destination options with the Home Address option alone, which is 8n + 6 (6.3). */
static void quote_home_address_option(struct wbuf *w, const struct mip6_packet *p)
{
	wbuf_u8(w, MIP6_PROTO_MH);
	wbuf_u8(w, 2);
	wbuf_u8(w, OPT_PADN);
	wbuf_u8(w, 2);
	wbuf_zero(w, 2);
	wbuf_u8(w, MIP6_DSTOPT_HAO);
	wbuf_u8(w, 16);
	wbuf_in6(w, &p->src);
}

/*
 * The packet as it came, as far as it is known here: IPv6 header, the two
 * headers of Mobile IPv6 in the order that RFC 8200 4.1 recommends, Mobility
 * Header.  Not known and thus not the original's: traffic class and flow
 * label (0), other extension headers, the length of padding in the
 * destination options.  Returns where the Mobility Header begins.
 */
static size_t quote(struct wbuf *w, const struct mip6_packet *p)
{
	size_t start = w->len, len_at = w->len + 4, head;
	bool hao = p->flags & MIP6_PKT_HAO, rh2 = p->flags & MIP6_PKT_RH2;
	uint8_t behind_rh2 = hao ? NH_DSTOPTS : MIP6_PROTO_MH;

	wbuf_u32(w, 0x60000000);
	wbuf_u16(w, 0); /* Payload Length, below */
	wbuf_u8(w, rh2 ? NH_ROUTING : behind_rh2);
	wbuf_u8(w, p->hop_limit);
	wbuf_in6(w, p->flags & MIP6_PKT_HAO ? &p->src_coa : &p->src);
	wbuf_in6(w, rh2 ? &p->dst_coa : &p->dst);
	if (rh2)
		quote_routing_header(w, p, behind_rh2);
	if (hao)
		quote_home_address_option(w, p);
	head = w->len - start;
	wbuf_put_u16(w, len_at, (uint16_t)(head - 40 + p->len));
	return head;
}

size_t problem_build(const struct mip6_packet *p, size_t offset, uint8_t data[PROBLEM_MAX])
{
	struct wbuf w = wbuf_make(data, PROBLEM_MAX);
	size_t head, room;

	wbuf_u8(&w, ICMP6T_PARAM_PROBLEM);
	wbuf_u8(&w, 0); /* code 0: erroneous header field */
	wbuf_u16(&w, 0);
	wbuf_u32(&w, 0); /* Pointer, below */
	head = quote(&w, p);
	wbuf_put_u16(&w, 6, (uint16_t)(head + offset));
	room = PROBLEM_MAX - w.len;
	wbuf_bytes(&w, p->data, p->len < room ? p->len : room);
	return w.len;
}
