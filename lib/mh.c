/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobility Header messages (RFC 6275 6.1, 9.2; RFC 5142 4, RFC 5846 5,
 * RFC 5847 3.3, RFC 5096).
 *
 * Every message starts with the same six octets (Payload Proto, Header Len,
 * MH Type, Reserved, Checksum); a fixed part follows, then options.  A row of
 * the table below says how long the fixed part is and how it is read and
 * written; mh_parse() and mh_build() are all there is around it.  Fields
 * called Reserved are ignored on reading and zero on writing.
 */
#include "lib/mh.h"

#include <string.h>

#include "lib/mh_options.h"

#define HDR_LEN 6u /* up to and including the checksum */
#define OFF_PAYLOAD_PROTO 0
#define OFF_HEADER_LEN 1
#define OFF_TYPE 2
#define NO_NEXT_HEADER 59

struct message_row {
	uint8_t type;
	const char *name;
	uint8_t fixed; /* octets of the fixed part, with the common six */
	/* r is the fixed part behind the common six octets, all of which must be read */
	bool (*read)(struct rbuf *r, struct mh_message *m);
	/* everything before the options, from behind the common six octets */
	bool (*write)(struct wbuf *w, const struct mh_message *m);
	/* what stands between the fixed part and the options; NULL: nothing */
	bool (*read_more)(struct rbuf *r, struct mh_message *m);
};

static bool read_brr(struct rbuf *r, struct mh_message *m)
{
	(void)m;
	return rbuf_skip(r, 2);
}

static bool write_brr(struct wbuf *w, const struct mh_message *m)
{
	(void)m;
	wbuf_zero(w, 2);
	return true;
}

static bool read_init(struct rbuf *r, struct mh_message *m)
{
	return rbuf_skip(r, 2) && rbuf_u64(r, &m->u.init.cookie);
}

static bool write_init(struct wbuf *w, const struct mh_message *m)
{
	wbuf_zero(w, 2);
	wbuf_u64(w, m->u.init.cookie);
	return true;
}

static bool read_test(struct rbuf *r, struct mh_message *m)
{
	return rbuf_u16(r, &m->u.test.nonce_index) && rbuf_u64(r, &m->u.test.cookie) &&
	       rbuf_u64(r, &m->u.test.token);
}

static bool write_test(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u16(w, m->u.test.nonce_index);
	wbuf_u64(w, m->u.test.cookie);
	wbuf_u64(w, m->u.test.token);
	return true;
}

static bool read_bu(struct rbuf *r, struct mh_message *m)
{
	return rbuf_u16(r, &m->u.bu.seq) && rbuf_u16(r, &m->u.bu.flags) &&
	       rbuf_u16(r, &m->u.bu.lifetime);
}

static bool write_bu(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u16(w, m->u.bu.seq);
	wbuf_u16(w, m->u.bu.flags);
	wbuf_u16(w, m->u.bu.lifetime);
	return true;
}

static bool read_ba(struct rbuf *r, struct mh_message *m)
{
	return rbuf_u8(r, &m->u.ba.status) && rbuf_u8(r, &m->u.ba.flags) &&
	       rbuf_u16(r, &m->u.ba.seq) && rbuf_u16(r, &m->u.ba.lifetime);
}

static bool write_ba(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u8(w, m->u.ba.status);
	wbuf_u8(w, m->u.ba.flags);
	wbuf_u16(w, m->u.ba.seq);
	wbuf_u16(w, m->u.ba.lifetime);
	return true;
}

static bool read_be(struct rbuf *r, struct mh_message *m)
{
	return rbuf_u8(r, &m->u.be.status) && rbuf_skip(r, 1) && rbuf_in6(r, &m->u.be.home_address);
}

static bool write_be(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u8(w, m->u.be.status);
	wbuf_zero(w, 1);
	wbuf_in6(w, &m->u.be.home_address);
	return true;
}

/* RFC 5096: everything behind the checksum is the experiment's. */
static bool read_nothing(struct rbuf *r, struct mh_message *m)
{
	(void)r;
	(void)m;
	return true;
}

static bool read_experimental(struct rbuf *r, struct mh_message *m)
{
	m->u.experimental.data = r->p;
	m->u.experimental.len = rbuf_left(r);
	return rbuf_skip(r, rbuf_left(r));
}

static bool write_experimental(struct wbuf *w, const struct mh_message *m)
{
	size_t len = m->u.experimental.len;

	/* Options would be read back as data, and so would padding. */
	if (m->n_options || len > MH_MAX_LEN || (HDR_LEN + len) % 8 != 0)
		return false;
	wbuf_bytes(w, m->u.experimental.data, len);
	return true;
}

static bool read_ha_switch(struct rbuf *r, struct mh_message *m)
{
	return rbuf_u8(r, &m->u.ha_switch.count) && rbuf_skip(r, 1);
}

static bool read_ha_switch_addrs(struct rbuf *r, struct mh_message *m)
{
	m->u.ha_switch.addrs = r->p;
	return rbuf_skip(r, (size_t)m->u.ha_switch.count * sizeof(struct in6_addr));
}

static bool write_ha_switch(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u8(w, m->u.ha_switch.count);
	wbuf_zero(w, 1);
	wbuf_bytes(w, m->u.ha_switch.addrs, (size_t)m->u.ha_switch.count * sizeof(struct in6_addr));
	return true;
}

#define HEARTBEAT_U 0x0002
#define HEARTBEAT_R 0x0001

static bool read_heartbeat(struct rbuf *r, struct mh_message *m)
{
	uint16_t flags;

	if (!rbuf_u16(r, &flags) || !rbuf_u32(r, &m->u.heartbeat.seq))
		return false;
	m->u.heartbeat.unsolicited = flags & HEARTBEAT_U;
	m->u.heartbeat.response = flags & HEARTBEAT_R;
	return true;
}

static bool write_heartbeat(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u16(w, (uint16_t)((m->u.heartbeat.unsolicited ? HEARTBEAT_U : 0) |
			       (m->u.heartbeat.response ? HEARTBEAT_R : 0)));
	wbuf_u32(w, m->u.heartbeat.seq);
	return true;
}

static bool read_revocation(struct rbuf *r, struct mh_message *m)
{
	return rbuf_u8(r, &m->u.revocation.br_type) &&
	       rbuf_u8(r, &m->u.revocation.trigger_or_status) &&
	       rbuf_u16(r, &m->u.revocation.seq) && rbuf_u16(r, &m->u.revocation.flags);
}

static bool write_revocation(struct wbuf *w, const struct mh_message *m)
{
	wbuf_u8(w, m->u.revocation.br_type);
	wbuf_u8(w, m->u.revocation.trigger_or_status);
	wbuf_u16(w, m->u.revocation.seq);
	wbuf_u16(w, m->u.revocation.flags);
	return true;
}

static const struct message_row messages[] = {
	{MH_BRR, "BRR", 8, read_brr, write_brr, NULL},
	{MH_HOTI, "HoTI", 16, read_init, write_init, NULL},
	{MH_COTI, "CoTI", 16, read_init, write_init, NULL},
	{MH_HOT, "HoT", 24, read_test, write_test, NULL},
	{MH_COT, "CoT", 24, read_test, write_test, NULL},
	{MH_BU, "BU", 12, read_bu, write_bu, NULL},
	{MH_BA, "BA", 12, read_ba, write_ba, NULL},
	{MH_BE, "BE", 24, read_be, write_be, NULL},
	{MH_EXPERIMENTAL, "experimental", 6, read_nothing, write_experimental, read_experimental},
	{MH_HA_SWITCH, "HA switch", 8, read_ha_switch, write_ha_switch, read_ha_switch_addrs},
	{MH_HEARTBEAT, "heartbeat", 12, read_heartbeat, write_heartbeat, NULL},
	{MH_REVOCATION, "binding revocation", 12, read_revocation, write_revocation, NULL},
};

static const struct message_row *find_message(uint8_t type)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (messages[i].type == type)
			return &messages[i];
	}
	return NULL;
}

static bool read_message(struct rbuf *r, const struct message_row *row, struct mh_message *m)
{
	struct rbuf fixed;

	return rbuf_sub(r, &fixed, row->fixed - HDR_LEN) && row->read(&fixed, m) &&
	       rbuf_left(&fixed) == 0 && (!row->read_more || row->read_more(r, m));
}

static enum mh_error fail(enum mh_error e, size_t offset, size_t *err_offset)
{
	if (err_offset)
		*err_offset = offset;
	return e;
}

/*
 * The order of the checks is that of RFC 6275 9.2, but for one that comes
 * before: what arrived cut off is not answered at all.
 */
enum mh_error mh_parse(const void *data, size_t len, struct mh_message *m, size_t *err_offset)
{
	const uint8_t *start = data;
	struct rbuf in = rbuf_make(data, len), r;
	const struct message_row *row;
	uint8_t proto, header_len, reserved;
	uint16_t checksum;

	/* The array of options is left as it is: only n_options of it count. */
	memset(m, 0, offsetof(struct mh_message, options));
	if (len < MH_MIN_LEN)
		return fail(MH_E_SHORT, len, err_offset);
	m->wire_len = ((size_t)start[OFF_HEADER_LEN] + 1) * 8;
	if (!rbuf_sub(&in, &r, m->wire_len))
		return fail(MH_E_SHORT, len, err_offset);
	if (!rbuf_u8(&r, &proto) || !rbuf_u8(&r, &header_len) || !rbuf_u8(&r, &m->type) ||
		!rbuf_u8(&r, &reserved) || !rbuf_u16(&r, &checksum))
		return fail(MH_E_SHORT, len, err_offset);
	row = find_message(m->type);
	if (!row)
		return fail(MH_E_UNKNOWN_TYPE, OFF_TYPE, err_offset);
	if (proto != NO_NEXT_HEADER)
		return fail(MH_E_PAYLOAD_PROTO, OFF_PAYLOAD_PROTO, err_offset);
	if (!read_message(&r, row, m)) {
		memset(&m->u, 0, sizeof(m->u));
		return fail(MH_E_HEADER_LEN, OFF_HEADER_LEN, err_offset);
	}
	m->checksum = checksum;
	return mh_options_read(&r, start, m, err_offset);
}

size_t mh_build(const struct mh_message *m, void *out, size_t cap)
{
	struct wbuf w = wbuf_make(out, cap < MH_MAX_LEN ? cap : MH_MAX_LEN);
	const struct message_row *row = find_message(m->type);

	if (!row)
		return 0;
	wbuf_u8(&w, NO_NEXT_HEADER);
	wbuf_u8(&w, 0); /* Header Len, below */
	wbuf_u8(&w, m->type);
	wbuf_u8(&w, 0);
	wbuf_u16(&w, 0);
	if (!row->write(&w, m) || !mh_options_write(&w, m) || w.overflow)
		return 0;
	wbuf_put_u8(&w, OFF_HEADER_LEN, (uint8_t)(w.len / 8 - 1));
	return w.overflow ? 0 : w.len;
}

const struct mh_option *mh_option(const struct mh_message *m, uint8_t type)
{
	for (size_t i = 0; i < m->n_options; i++) {
		if (m->options[i].type == type)
			return &m->options[i];
	}
	return NULL;
}

struct mh_option *mh_option_add(struct mh_message *m, uint8_t type)
{
	struct mh_option *o;

	if (m->n_options >= MH_MAX_OPTIONS)
		return NULL;
	o = &m->options[m->n_options++];
	memset(o, 0, sizeof(*o));
	o->type = type;
	return o;
}

/*
 * Octet by octet, whatever the alignment of data and the host's order.  64
 * bits cannot overflow: len would have to exceed 2^48.
 */
static uint64_t sum16(uint64_t sum, const uint8_t *p, size_t n)
{
	for (; n >= 2; n -= 2, p += 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	if (n)
		sum += (uint32_t)(p[0] << 8);
	return sum;
}

uint16_t ip6_checksum(const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto,
	const void *data, size_t len)
{
	uint64_t sum = sum16(sum16(0, src->s6_addr, 16), dst->s6_addr, 16);

	sum += (uint32_t)(len >> 16 & 0xffff) + (uint32_t)(len & 0xffff) + proto;
	sum = sum16(sum, data, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

const char *mh_type_name(uint8_t type)
{
	const struct message_row *row = find_message(type);

	return row ? row->name : NULL;
}
