/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobility options (RFC 6275 6.2; RFC 3963 4.3, RFC 4283 3, RFC 4866 5,
 * RFC 5094 3, RFC 5555 3, RFC 5648 4.3, RFC 5847 3.4): one row of a table for
 * each, one walker for reading and one for writing.
 *
 * Decisions the RFCs leave open:
 *
 * - A known option with a length its section does not allow refuses the whole
 *   message.  Skipping it would act on a message its sender did not mean.
 * - RFC 6275 does not say what an option means that comes twice.  Of one that
 *   has a meaning only once, the first counts and the others are dropped
 *   (their lengths are still checked), so that no two places in the code can
 *   come to different answers.
 * - Binding Authorization Data that is followed by anything, padding
 *   included, refuses the message (6.2, 6.2.7, 9.5.1): its authenticator
 *   would cover octets behind itself.
 */
#include "lib/mh_options.h"

#include <string.h>

struct option_row {
	uint8_t type;
	const char *name;
	uint8_t min, max; /* Option Length; exact where they are equal */
	uint8_t align, phase; /* the option starts at align * n + phase */
	bool repeats; /* may come several times in one message */
	/* r holds Option Length octets, between min and max of them */
	bool (*read)(struct rbuf *r, struct mh_option *o);
	bool (*write)(struct wbuf *w, const struct mh_option *o);
};

static bool read_refresh_advice(struct rbuf *r, struct mh_option *o)
{
	return rbuf_u16(r, &o->u.refresh_interval);
}

static bool write_refresh_advice(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u16(w, o->u.refresh_interval);
	return true;
}

static bool read_alt_coa(struct rbuf *r, struct mh_option *o)
{
	return rbuf_in6(r, &o->u.alt_coa);
}

static bool write_alt_coa(struct wbuf *w, const struct mh_option *o)
{
	wbuf_in6(w, &o->u.alt_coa);
	return true;
}

static bool read_nonce_indices(struct rbuf *r, struct mh_option *o)
{
	return rbuf_u16(r, &o->u.nonce_indices.home) && rbuf_u16(r, &o->u.nonce_indices.care_of);
}

static bool write_nonce_indices(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u16(w, o->u.nonce_indices.home);
	wbuf_u16(w, o->u.nonce_indices.care_of);
	return true;
}

/* The rest of an option, left where it is. */
static bool read_rest(struct rbuf *r, const uint8_t **data, size_t *len)
{
	*data = r->p;
	*len = rbuf_left(r);
	return rbuf_skip(r, *len);
}

static bool read_auth_data(struct rbuf *r, struct mh_option *o)
{
	return read_rest(r, &o->u.auth_data.data, &o->u.auth_data.len);
}

static bool write_auth_data(struct wbuf *w, const struct mh_option *o)
{
	if (o->u.auth_data.data)
		wbuf_bytes(w, o->u.auth_data.data, o->u.auth_data.len);
	else
		wbuf_zero(w, o->u.auth_data.len);
	return true;
}

static bool read_network_prefix(struct rbuf *r, struct mh_option *o)
{
	return rbuf_skip(r, 1) && rbuf_u8(r, &o->u.network_prefix.plen) &&
	       rbuf_in6(r, &o->u.network_prefix.prefix);
}

static bool write_network_prefix(struct wbuf *w, const struct mh_option *o)
{
	wbuf_zero(w, 1);
	wbuf_u8(w, o->u.network_prefix.plen);
	wbuf_in6(w, &o->u.network_prefix.prefix);
	return true;
}

static bool read_mn_id(struct rbuf *r, struct mh_option *o)
{
	return rbuf_u8(r, &o->u.mn_id.subtype) && read_rest(r, &o->u.mn_id.id, &o->u.mn_id.len);
}

static bool write_mn_id(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u8(w, o->u.mn_id.subtype);
	wbuf_bytes(w, o->u.mn_id.id, o->u.mn_id.len);
	return true;
}

/* Options that say all by being there. */
static bool read_nothing(struct rbuf *r, struct mh_option *o)
{
	(void)r;
	(void)o;
	return true;
}

static bool write_nothing(struct wbuf *w, const struct mh_option *o)
{
	(void)w;
	(void)o;
	return true;
}

static bool read_opaque(struct rbuf *r, struct mh_option *o)
{
	return read_rest(r, &o->u.opaque.data, &o->u.opaque.len);
}

static bool write_opaque(struct wbuf *w, const struct mh_option *o)
{
	wbuf_bytes(w, o->u.opaque.data, o->u.opaque.len);
	return true;
}

static bool read_cot(struct rbuf *r, struct mh_option *o)
{
	return rbuf_u64(r, &o->u.care_of_keygen_token);
}

static bool write_cot(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u64(w, o->u.care_of_keygen_token);
	return true;
}

static bool read_vendor(struct rbuf *r, struct mh_option *o)
{
	return rbuf_u32(r, &o->u.vendor.vendor) && rbuf_u8(r, &o->u.vendor.subtype) &&
	       read_rest(r, &o->u.vendor.data, &o->u.vendor.len);
}

static bool write_vendor(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u32(w, o->u.vendor.vendor);
	wbuf_u8(w, o->u.vendor.subtype);
	wbuf_bytes(w, o->u.vendor.data, o->u.vendor.len);
	return true;
}

static bool read_restart_counter(struct rbuf *r, struct mh_option *o)
{
	return rbuf_u32(r, &o->u.restart_counter);
}

static bool write_restart_counter(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u32(w, o->u.restart_counter);
	return true;
}

/* Prefix-len in 6 bits, P, 9 reserved bits, the address (RFC 5555 3.1.1) */
static bool read_ipv4_hoa(struct rbuf *r, struct mh_option *o)
{
	uint16_t head;

	if (!rbuf_u16(r, &head))
		return false;
	o->u.ipv4_hoa.plen = (uint8_t)(head >> 10);
	o->u.ipv4_hoa.prefix_request = head & 0x0200;
	return rbuf_in4(r, &o->u.ipv4_hoa.addr);
}

static bool write_ipv4_hoa(struct wbuf *w, const struct mh_option *o)
{
	if (o->u.ipv4_hoa.plen > 0x3f)
		return false;
	wbuf_u16(w,
		(uint16_t)(o->u.ipv4_hoa.plen << 10 | (o->u.ipv4_hoa.prefix_request ? 0x0200 : 0)));
	wbuf_in4(w, &o->u.ipv4_hoa.addr);
	return true;
}

/* Status, Pref-len in 6 bits, 2 reserved bits, the address (3.2.1) */
static bool read_ipv4_ack(struct rbuf *r, struct mh_option *o)
{
	uint8_t plen;

	if (!rbuf_u8(r, &o->u.ipv4_ack.status) || !rbuf_u8(r, &plen))
		return false;
	o->u.ipv4_ack.plen = plen >> 2;
	return rbuf_in4(r, &o->u.ipv4_ack.addr);
}

static bool write_ipv4_ack(struct wbuf *w, const struct mh_option *o)
{
	if (o->u.ipv4_ack.plen > 0x3f)
		return false;
	wbuf_u8(w, o->u.ipv4_ack.status);
	wbuf_u8(w, (uint8_t)(o->u.ipv4_ack.plen << 2));
	wbuf_in4(w, &o->u.ipv4_ack.addr);
	return true;
}

static bool read_nat_detection(struct rbuf *r, struct mh_option *o)
{
	uint16_t flags;

	if (!rbuf_u16(r, &flags))
		return false;
	o->u.nat_detection.force = flags & 0x8000;
	return rbuf_u32(r, &o->u.nat_detection.refresh_time);
}

static bool write_nat_detection(struct wbuf *w, const struct mh_option *o)
{
	wbuf_u16(w, o->u.nat_detection.force ? 0x8000 : 0);
	wbuf_u32(w, o->u.nat_detection.refresh_time);
	return true;
}

static bool read_ipv4_coa(struct rbuf *r, struct mh_option *o)
{
	return rbuf_skip(r, 2) && rbuf_in4(r, &o->u.ipv4_coa);
}

static bool write_ipv4_coa(struct wbuf *w, const struct mh_option *o)
{
	wbuf_zero(w, 2);
	wbuf_in4(w, &o->u.ipv4_coa);
	return true;
}

/*
 * H and a field that RFC 5648 4.3 reserves and RFC 6089 4.1 made the BID's
 * priority; a sender of the former leaves it zero.
 */
static bool read_binding_id(struct rbuf *r, struct mh_option *o)
{
	uint8_t bits;

	if (!rbuf_u16(r, &o->u.binding_id.bid) || !rbuf_u8(r, &o->u.binding_id.status) ||
		!rbuf_u8(r, &bits))
		return false;
	o->u.binding_id.simultaneous = bits & 0x80;
	o->u.binding_id.priority = bits & 0x7f;
	o->u.binding_id.coa_len = (uint8_t)rbuf_left(r);
	switch (rbuf_left(r)) {
	case 0:
		return true;
	case sizeof(struct in_addr):
		return rbuf_in4(r, &o->u.binding_id.coa.v4);
	case sizeof(struct in6_addr):
		return rbuf_in6(r, &o->u.binding_id.coa.v6);
	default:
		return false;
	}
}

static bool write_binding_id(struct wbuf *w, const struct mh_option *o)
{
	if (o->u.binding_id.priority > 0x7f)
		return false;
	wbuf_u16(w, o->u.binding_id.bid);
	wbuf_u8(w, o->u.binding_id.status);
	wbuf_u8(w, (uint8_t)((o->u.binding_id.simultaneous ? 0x80 : 0) | o->u.binding_id.priority));
	switch (o->u.binding_id.coa_len) {
	case 0:
		return true;
	case sizeof(struct in_addr):
		wbuf_in4(w, &o->u.binding_id.coa.v4);
		return true;
	case sizeof(struct in6_addr):
		wbuf_in6(w, &o->u.binding_id.coa.v6);
		return true;
	default:
		return false;
	}
}

/*
 * Lengths and alignment are those of each option's section.  Where the
 * section has no word on alignment (RFC 4866), 6.2.1 asks for natural
 * boundaries: that matters for the Care-of Test option alone.  The least
 * length of the open-ended ones is that of the fields that must be there.
 */
static const struct option_row options[] = {
	/* type, name, length, alignment, may repeat */
	{MHOPT_REFRESH_ADVICE, "Binding Refresh Advice", 2, 2, 2, 0, false, read_refresh_advice,
		write_refresh_advice},
	{MHOPT_ALT_COA, "Alternate Care-of Address", 16, 16, 8, 6, false, read_alt_coa,
		write_alt_coa},
	{MHOPT_NONCE_INDICES, "Nonce Indices", 4, 4, 2, 0, false, read_nonce_indices,
		write_nonce_indices},
	{MHOPT_AUTH_DATA, "Binding Authorization Data", 1, 255, 1, 0, false, read_auth_data,
		write_auth_data},
	{MHOPT_NETWORK_PREFIX, "Mobile Network Prefix", 18, 18, 8, 4, true, read_network_prefix,
		write_network_prefix},
	{MHOPT_MN_ID, "Mobile Node Identifier", 1, 255, 1, 0, true, read_mn_id, write_mn_id},
	{MHOPT_CGA_PARAM_REQ, "CGA Parameters Request", 0, 0, 1, 0, false, read_nothing,
		write_nothing},
	{MHOPT_CGA_PARAM, "CGA Parameters", 0, 255, 1, 0, true, read_opaque, write_opaque},
	{MHOPT_SIGNATURE, "Signature", 0, 255, 1, 0, false, read_opaque, write_opaque},
	{MHOPT_PERM_HOME_TOKEN, "Permanent Home Keygen Token", 8, 255, 1, 0, false, read_opaque,
		write_opaque},
	{MHOPT_COT_INIT, "Care-of Test Init", 0, 0, 1, 0, false, read_nothing, write_nothing},
	{MHOPT_COT, "Care-of Test", 8, 8, 8, 6, false, read_cot, write_cot},
	{MHOPT_VENDOR, "Vendor Specific", 5, 255, 4, 2, true, read_vendor, write_vendor},
	{MHOPT_RESTART_COUNTER, "Restart Counter", 4, 4, 4, 2, false, read_restart_counter,
		write_restart_counter},
	/* one for an address and one for a prefix, RFC 5555 3.1.1 */
	{MHOPT_IPV4_HOA, "IPv4 Home Address", 6, 6, 4, 0, true, read_ipv4_hoa, write_ipv4_hoa},
	{MHOPT_IPV4_ACK, "IPv4 Address Acknowledgement", 6, 6, 4, 0, true, read_ipv4_ack,
		write_ipv4_ack},
	{MHOPT_NAT_DETECTION, "NAT Detection", 6, 6, 4, 0, false, read_nat_detection,
		write_nat_detection},
	{MHOPT_IPV4_COA, "IPv4 Care-of Address", 6, 6, 4, 0, false, read_ipv4_coa, write_ipv4_coa},
	/* 8n + 2 with an address, see alignment() */
	{MHOPT_BINDING_ID, "Binding Identifier", 4, 20, 2, 0, true, read_binding_id,
		write_binding_id},
};

static const struct option_row *find_option(uint8_t type)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i].type == type)
			return &options[i];
	}
	return NULL;
}

static enum mh_error read_known(struct rbuf *body, const uint8_t *start,
	const struct option_row *row, bool last, struct mh_message *m)
{
	size_t len = rbuf_left(body);
	struct mh_option one;

	if (len < row->min || len > row->max)
		return MH_E_OPTION;
	memset(&one, 0, sizeof(one));
	one.type = row->type;
	if (row->type == MHOPT_AUTH_DATA) {
		if (!last)
			return MH_E_OPTION;
		one.u.auth_data.offset = (size_t)(body->p - start);
	}
	if (!row->read(body, &one))
		return MH_E_OPTION;
	if (!row->repeats && mh_option(m, row->type))
		return MH_OK;
	if (m->n_options >= MH_MAX_OPTIONS)
		return MH_E_TOO_MANY;
	m->options[m->n_options++] = one;
	return MH_OK;
}

enum mh_error mh_options_read(
	struct rbuf *r, const uint8_t *start, struct mh_message *m, size_t *err_offset)
{
	while (rbuf_left(r)) {
		size_t offset = (size_t)(r->p - start);
		const struct option_row *row;
		enum mh_error e = MH_OK;
		struct rbuf body;
		uint8_t type, len;

		if (rbuf_u8(r, &type) && type == MHOPT_PAD1)
			continue;
		if (!rbuf_u8(r, &len) || !rbuf_sub(r, &body, len)) {
			e = MH_E_OPTION;
		} else {
			row = find_option(type); /* none for PadN, whose contents are ignored */
			if (row)
				e = read_known(&body, start, row, rbuf_left(r) == 0, m);
		}
		if (e != MH_OK) {
			if (err_offset)
				*err_offset = offset;
			return e;
		}
	}
	return MH_OK;
}

static void write_padding(struct wbuf *w, size_t n)
{
	if (n == 1) {
		wbuf_u8(w, MHOPT_PAD1);
	} else if (n > 1) {
		wbuf_u8(w, MHOPT_PADN);
		wbuf_u8(w, (uint8_t)(n - 2));
		wbuf_zero(w, n - 2);
	}
}

static void pad_to(struct wbuf *w, size_t align, size_t phase)
{
	write_padding(w, (align + phase - w->len % align) % align);
}

static void align_for(struct wbuf *w, const struct option_row *row, const struct mh_option *o)
{
	if (row->type == MHOPT_BINDING_ID && o->u.binding_id.coa_len)
		pad_to(w, 8, 2);
	else if (row->type == MHOPT_AUTH_DATA)
		/* Nothing may follow it: it ends where the header ends; 8n + 2 for 12 octets. */
		pad_to(w, 8, (8 - (2 + o->u.auth_data.len) % 8) % 8);
	else
		pad_to(w, row->align, row->phase);
}

static bool write_one(struct wbuf *w, const struct mh_option *o)
{
	const struct option_row *row = find_option(o->type);
	size_t start, len;

	if (!row)
		return false;
	align_for(w, row, o);
	wbuf_u8(w, o->type);
	wbuf_u8(w, 0); /* Option Length, below */
	start = w->len;
	if (!row->write(w, o) || w->overflow)
		return false;
	len = w->len - start;
	if (len < row->min || len > row->max)
		return false;
	wbuf_put_u8(w, start - 1, (uint8_t)len);
	return true;
}

bool mh_options_write(struct wbuf *w, const struct mh_message *m)
{
	const struct mh_option *auth = NULL;

	if (m->n_options > MH_MAX_OPTIONS)
		return false;
	for (size_t i = 0; i < m->n_options; i++) {
		const struct mh_option *o = &m->options[i];

		if (o->type == MHOPT_AUTH_DATA) {
			if (auth)
				return false;
			auth = o;
		} else if (!write_one(w, o)) {
			return false;
		}
	}
	if (auth)
		return write_one(w, auth);
	pad_to(w, 8, 0);
	return true;
}

const char *mh_option_name(uint8_t type)
{
	const struct option_row *row = find_option(type);

	if (type == MHOPT_PAD1)
		return "Pad1";
	if (type == MHOPT_PADN)
		return "PadN";
	return row ? row->name : NULL;
}
