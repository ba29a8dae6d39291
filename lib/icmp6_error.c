/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMPv6 errors and what they quote (RFC 4443 2.4 c, 3): as much of the packet
 * as fits, so it may end anywhere.  The walk over its extension headers (RFC
 * 8200 4) stops where the quotation does and says what it has seen until then.
 */
#include "lib/icmp6_error.h"

#include <string.h>

#include "lib/buf.h"
#include "mip6/wire.h"

#define NH_HOP_BY_HOP 0
#define NH_ROUTING 43
#define NH_FRAGMENT 44
#define NH_AH 51
#define NH_NONE 59
#define NH_DSTOPTS 60
#define EXT_UNIT 8
#define FRAGMENT_OFFSET 0xfff8
#define OPT_PAD1 0
#define MH_TYPE_AT 2
#define MH_COOKIE_AT 8

static size_t offset_in(const struct rbuf *r, const uint8_t *start)
{
	return (size_t)(r->p - start);
}

/* 6.3: one in a packet at most, so the first. */
static void read_options(struct rbuf *body, const uint8_t *start, struct icmp6_error *e)
{
	while (rbuf_left(body)) {
		size_t at = offset_in(body, start);
		struct rbuf option;
		uint8_t type, len;

		if (!rbuf_u8(body, &type))
			return;
		if (type == OPT_PAD1)
			continue;
		if (!rbuf_u8(body, &len) || !rbuf_sub(body, &option, len))
			return;
		if (type != MIP6_DSTOPT_HAO || len != sizeof(e->hao) || e->has_hao)
			continue;
		e->has_hao = rbuf_in6(&option, &e->hao);
		e->hao_offset = at;
	}
}

/* Length, type, Segments Left, 4 reserved octets, one address (6.4) */
static void read_routing(struct rbuf *body, uint8_t ext_len, struct icmp6_error *e)
{
	uint8_t type, segments_left;

	if (e->has_rh2 || ext_len != 2 || !rbuf_u8(body, &type) || type != MIP6_RTHDR_TYPE2)
		return;
	e->has_rh2 = rbuf_u8(body, &segments_left) && rbuf_skip(body, 4) && rbuf_in6(body, &e->rh2);
}

/* One header of type *next, and what follows it; false where there is no going on. */
static bool read_extension(
	struct rbuf *r, const uint8_t *start, uint8_t *next, struct icmp6_error *e)
{
	uint8_t type = *next, ext_len;
	uint16_t fragment;
	struct rbuf body;
	size_t want;

	if (type == NH_FRAGMENT)
		return rbuf_u8(r, next) && rbuf_skip(r, 1) && rbuf_u16(r, &fragment) &&
		       rbuf_skip(r, 4) && !(fragment & FRAGMENT_OFFSET);
	if (!rbuf_u8(r, next) || !rbuf_u8(r, &ext_len))
		return false;
	want = type == NH_AH ? (ext_len + 2u) * 4 - 2 : (ext_len + 1u) * EXT_UNIT - 2;
	body = rbuf_left(r) < want ? *r : rbuf_make(r->p, want);
	if (type == NH_DSTOPTS)
		read_options(&body, start, e);
	else if (type == NH_ROUTING)
		read_routing(&body, ext_len, e);
	return rbuf_skip(r, want);
}

static bool is_extension(uint8_t type)
{
	return type == NH_HOP_BY_HOP || type == NH_ROUTING || type == NH_FRAGMENT ||
	       type == NH_AH || type == NH_DSTOPTS;
}

static void read_mobility_header(struct rbuf r, struct icmp6_error *e)
{
	struct rbuf whole = r;
	uint8_t type;

	if (!rbuf_skip(&r, MH_TYPE_AT) || !rbuf_u8(&r, &type))
		return;
	e->mh_type = type;
	if (type == MH_HOTI || type == MH_COTI) {
		if (rbuf_skip(&whole, MH_COOKIE_AT))
			rbuf_u64(&whole, &e->mh_cookie);
	}
}

static bool read_quoted(struct rbuf *r, struct icmp6_error *e)
{
	const uint8_t *start = r->p;
	uint32_t version;
	uint8_t next;

	if (!rbuf_u32(r, &version) || version >> 28 != 6 || !rbuf_skip(r, 2) ||
		!rbuf_u8(r, &next) || !rbuf_skip(r, 1) || !rbuf_in6(r, &e->src) ||
		!rbuf_in6(r, &e->dst))
		return false;
	while (is_extension(next)) {
		if (!read_extension(r, start, &next, e)) {
			next = NH_NONE;
			break;
		}
	}
	e->proto = next;
	e->proto_offset = offset_in(r, start);
	if (next == MIP6_PROTO_MH)
		read_mobility_header(*r, e);
	return true;
}

bool icmp6_error_parse(const void *data, size_t len, struct icmp6_error *e)
{
	struct rbuf r = rbuf_make(data, len);

	memset(e, 0, sizeof(*e));
	e->mh_type = -1;
	if (!rbuf_u8(&r, &e->type) || !rbuf_u8(&r, &e->code) || !rbuf_skip(&r, 2) ||
		!rbuf_u32(&r, &e->info))
		return false;
	if (e->type != ICMP6T_UNREACHABLE && e->type != ICMP6T_TOO_BIG &&
		e->type != ICMP6T_PARAM_PROBLEM)
		return false;
	return read_quoted(&r, e);
}
