/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMPv6 messages of Neighbor Discovery (RFC 4861 4, 6.1, 7.1; RFC 4191 2.2;
 * RFC 6275 7), home agent address discovery (RFC 6275 6.5, 6.6; RFC 3963 7)
 * and mobile prefix discovery (6.7, 6.8).
 *
 * As with Mobility Headers, one row of a table describes each message.  The
 * option loop is the same for all that have options; a row says which of them
 * belong to its message, and the others are ignored (RFC 4861 6.1, 7.1).
 */
#include "lib/icmp6.h"

#include <string.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "mip6/wire.h"

#define HDR_LEN 4u /* Type, Code, Checksum */
#define UNIT 8 /* of the Length field of options */

#define RA_MANAGED 0x80
#define RA_OTHER 0x40
#define RA_HOME_AGENT 0x20
#define NA_ROUTER 0x80000000u
#define NA_SOLICITED 0x40000000u
#define NA_OVERRIDE 0x20000000u
#define PREFIX_ON_LINK 0x80
#define PREFIX_AUTONOMOUS 0x40
#define PREFIX_ROUTER 0x20
#define MOBILE_ROUTER 0x8000 /* R of RFC 3963 7.1, 7.2, 7.3: always the first of 16 bits */
#define MPA_MANAGED 0x8000
#define MPA_OTHER 0x4000

struct row {
	uint8_t type;
	uint8_t fixed; /* octets of the fixed part, with the common four */
	/* r is the fixed part behind the checksum, all of which must be read */
	bool (*read)(struct rbuf *r, struct icmp6_message *m);
	/* one option: body is what follows Type and Length; false when it is malformed */
	bool (*read_option)(uint8_t type, struct rbuf *body, struct icmp6_message *m);
	/* the rest of a message that has no options; NULL with NULL: there must be none */
	bool (*read_rest)(struct rbuf *r, struct icmp6_message *m);
	/* everything from behind the checksum */
	bool (*write)(struct wbuf *w, const struct icmp6_message *m);
};

/* ---- options ---- */

static bool read_lladdr(struct rbuf *body, struct nd_lladdr *a)
{
	size_t len = rbuf_left(body);

	if (a->len || len > LLADDR_MAX)
		return true;
	a->len = (uint8_t)len;
	return rbuf_bytes(body, a->addr, len);
}

static bool write_lladdr(struct wbuf *w, uint8_t type, const struct nd_lladdr *a)
{
	size_t units = (a->len + 2u + UNIT - 1) / UNIT;

	if (a->len > LLADDR_MAX)
		return false;
	if (!a->len)
		return true;
	wbuf_u8(w, type);
	wbuf_u8(w, (uint8_t)units);
	wbuf_bytes(w, a->addr, a->len);
	wbuf_zero(w, units * UNIT - 2 - a->len);
	return true;
}

static bool read_prefix(struct rbuf *body, struct nd_prefix *prefixes, size_t *n)
{
	struct nd_prefix p = {.plen = 0};
	uint8_t flags;

	if (rbuf_left(body) != 4 * UNIT - 2)
		return false;
	if (!rbuf_u8(body, &p.plen) || !rbuf_u8(body, &flags) || !rbuf_u32(body, &p.valid_s) ||
		!rbuf_u32(body, &p.preferred_s) || !rbuf_skip(body, 4) ||
		!rbuf_in6(body, &p.prefix) || p.plen > 128)
		return false;
	p.on_link = flags & PREFIX_ON_LINK;
	p.autonomous = flags & PREFIX_AUTONOMOUS;
	p.router_address = flags & PREFIX_ROUTER;
	if (!p.router_address)
		p.prefix = in6_mask(&p.prefix, p.plen);
	if (*n < ND_MAX_PREFIXES)
		prefixes[(*n)++] = p;
	return true;
}

static bool write_prefixes(struct wbuf *w, const struct nd_prefix *prefixes, size_t n)
{
	if (n > ND_MAX_PREFIXES)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct nd_prefix *p = &prefixes[i];
		struct in6_addr addr =
			p->router_address ? p->prefix : in6_mask(&p->prefix, p->plen);

		if (p->plen > 128)
			return false;
		wbuf_u8(w, NDOPT_PREFIX);
		wbuf_u8(w, 4);
		wbuf_u8(w, p->plen);
		wbuf_u8(w, (uint8_t)((p->on_link ? PREFIX_ON_LINK : 0) |
				     (p->autonomous ? PREFIX_AUTONOMOUS : 0) |
				     (p->router_address ? PREFIX_ROUTER : 0)));
		wbuf_u32(w, p->valid_s);
		wbuf_u32(w, p->preferred_s);
		wbuf_zero(w, 4);
		wbuf_in6(w, &addr);
	}
	return true;
}

/* MTU and Advertisement Interval: a reserved 16-bit field, then the number. */
static bool read_number(struct rbuf *body, uint32_t *v)
{
	uint32_t got;

	if (rbuf_left(body) != UNIT - 2 || !rbuf_skip(body, 2) || !rbuf_u32(body, &got))
		return false;
	if (!*v)
		*v = got;
	return true;
}

static void write_number(struct wbuf *w, uint8_t type, uint32_t v)
{
	if (!v)
		return;
	wbuf_u8(w, type);
	wbuf_u8(w, 1);
	wbuf_zero(w, 2);
	wbuf_u32(w, v);
}

static bool read_home_agent(struct rbuf *body, struct icmp6_ra *ra)
{
	uint16_t flags, preference, lifetime;

	if (rbuf_left(body) != UNIT - 2 || !rbuf_u16(body, &flags) ||
		!rbuf_u16(body, &preference) || !rbuf_u16(body, &lifetime))
		return false;
	if (ra->has_ha_info)
		return true;
	ra->has_ha_info = true;
	ra->ha_mobile_router = flags & MOBILE_ROUTER;
	ra->ha_preference = preference;
	ra->ha_lifetime_s = lifetime;
	return true;
}

static void write_home_agent(struct wbuf *w, const struct icmp6_ra *ra)
{
	if (!ra->has_ha_info)
		return;
	wbuf_u8(w, NDOPT_HOME_AGENT);
	wbuf_u8(w, 1);
	wbuf_u16(w, ra->ha_mobile_router ? MOBILE_ROUTER : 0);
	wbuf_u16(w, ra->ha_preference);
	wbuf_u16(w, ra->ha_lifetime_s);
}

/* ---- messages ---- */

static bool read_rs(struct rbuf *r, struct icmp6_message *m)
{
	(void)m;
	return rbuf_skip(r, 4);
}

static bool read_rs_option(uint8_t type, struct rbuf *body, struct icmp6_message *m)
{
	return type != NDOPT_SLLA || read_lladdr(body, &m->u.rs.slla);
}

static bool write_rs(struct wbuf *w, const struct icmp6_message *m)
{
	wbuf_zero(w, 4);
	return write_lladdr(w, NDOPT_SLLA, &m->u.rs.slla);
}

/* A two-bit signed number of which -2 is reserved and means 0 (RFC 4191 2.1, 2.2). */
static int8_t preference_from_flags(uint8_t flags)
{
	switch (flags >> 3 & 3) {
	case 1:
		return 1;
	case 3:
		return -1;
	default:
		return 0;
	}
}

static bool read_ra(struct rbuf *r, struct icmp6_message *m)
{
	struct icmp6_ra *ra = &m->u.ra;
	uint8_t flags;

	if (!rbuf_u8(r, &ra->cur_hop_limit) || !rbuf_u8(r, &flags) ||
		!rbuf_u16(r, &ra->lifetime_s) || !rbuf_u32(r, &ra->reachable_ms) ||
		!rbuf_u32(r, &ra->retrans_ms))
		return false;
	ra->managed = flags & RA_MANAGED;
	ra->other = flags & RA_OTHER;
	ra->home_agent = flags & RA_HOME_AGENT;
	if (ra->lifetime_s) /* else no default router, and its preference is ignored */
		ra->preference = preference_from_flags(flags);
	return true;
}

static bool read_ra_option(uint8_t type, struct rbuf *body, struct icmp6_message *m)
{
	struct icmp6_ra *ra = &m->u.ra;

	switch (type) {
	case NDOPT_SLLA:
		return read_lladdr(body, &ra->slla);
	case NDOPT_PREFIX:
		return read_prefix(body, ra->prefixes, &ra->n_prefixes);
	case NDOPT_MTU:
		return read_number(body, &ra->mtu);
	case NDOPT_ADV_INTERVAL:
		return read_number(body, &ra->adv_interval_ms);
	case NDOPT_HOME_AGENT:
		return read_home_agent(body, ra);
	default:
		return true;
	}
}

static bool write_ra(struct wbuf *w, const struct icmp6_message *m)
{
	const struct icmp6_ra *ra = &m->u.ra;
	unsigned flags = (ra->managed ? RA_MANAGED : 0u) | (ra->other ? RA_OTHER : 0u) |
			 (ra->home_agent ? RA_HOME_AGENT : 0u);

	if (ra->preference < -1 || ra->preference > 1)
		return false;
	if (ra->lifetime_s)
		flags |= ((unsigned)ra->preference & 3) << 3;
	wbuf_u8(w, ra->cur_hop_limit);
	wbuf_u8(w, (uint8_t)flags);
	wbuf_u16(w, ra->lifetime_s);
	wbuf_u32(w, ra->reachable_ms);
	wbuf_u32(w, ra->retrans_ms);
	if (!write_lladdr(w, NDOPT_SLLA, &ra->slla))
		return false;
	write_number(w, NDOPT_MTU, ra->mtu);
	if (!write_prefixes(w, ra->prefixes, ra->n_prefixes))
		return false;
	write_number(w, NDOPT_ADV_INTERVAL, ra->adv_interval_ms);
	write_home_agent(w, ra);
	return true;
}

static bool read_ns(struct rbuf *r, struct icmp6_message *m)
{
	return rbuf_skip(r, 4) && rbuf_in6(r, &m->u.ns.target) &&
	       !IN6_IS_ADDR_MULTICAST(&m->u.ns.target);
}

static bool read_ns_option(uint8_t type, struct rbuf *body, struct icmp6_message *m)
{
	return type != NDOPT_SLLA || read_lladdr(body, &m->u.ns.slla);
}

static bool write_ns(struct wbuf *w, const struct icmp6_message *m)
{
	if (IN6_IS_ADDR_MULTICAST(&m->u.ns.target))
		return false;
	wbuf_zero(w, 4);
	wbuf_in6(w, &m->u.ns.target);
	return write_lladdr(w, NDOPT_SLLA, &m->u.ns.slla);
}

static bool read_na(struct rbuf *r, struct icmp6_message *m)
{
	struct icmp6_na *na = &m->u.na;
	uint32_t flags;

	if (!rbuf_u32(r, &flags) || !rbuf_in6(r, &na->target))
		return false;
	na->router = flags & NA_ROUTER;
	na->solicited = flags & NA_SOLICITED;
	na->override = flags & NA_OVERRIDE;
	return !IN6_IS_ADDR_MULTICAST(&na->target);
}

static bool read_na_option(uint8_t type, struct rbuf *body, struct icmp6_message *m)
{
	return type != NDOPT_TLLA || read_lladdr(body, &m->u.na.tlla);
}

static bool write_na(struct wbuf *w, const struct icmp6_message *m)
{
	const struct icmp6_na *na = &m->u.na;

	if (IN6_IS_ADDR_MULTICAST(&na->target))
		return false;
	wbuf_u32(w, (na->router ? NA_ROUTER : 0) | (na->solicited ? NA_SOLICITED : 0) |
			    (na->override ? NA_OVERRIDE : 0));
	wbuf_in6(w, &na->target);
	return write_lladdr(w, NDOPT_TLLA, &na->tlla);
}

static bool read_dhaad_head(struct rbuf *r, struct icmp6_dhaad *d)
{
	uint16_t flags;

	if (!rbuf_u16(r, &d->id) || !rbuf_u16(r, &flags))
		return false;
	d->mobile_router = flags & MOBILE_ROUTER;
	return true;
}

static void write_dhaad_head(struct wbuf *w, const struct icmp6_dhaad *d)
{
	wbuf_u16(w, d->id);
	wbuf_u16(w, d->mobile_router ? MOBILE_ROUTER : 0);
}

static bool read_dhaad_request(struct rbuf *r, struct icmp6_message *m)
{
	m->u.dhaad.reply = false;
	return read_dhaad_head(r, &m->u.dhaad);
}

static bool write_dhaad_request(struct wbuf *w, const struct icmp6_message *m)
{
	write_dhaad_head(w, &m->u.dhaad);
	return m->u.dhaad.n_addrs == 0;
}

static bool read_dhaad_reply(struct rbuf *r, struct icmp6_message *m)
{
	m->u.dhaad.reply = true;
	return read_dhaad_head(r, &m->u.dhaad);
}

/* The addresses fill the rest of the message, best first: the last ones are those to forget. */
static bool read_dhaad_addrs(struct rbuf *r, struct icmp6_message *m)
{
	struct icmp6_dhaad *d = &m->u.dhaad;
	struct in6_addr addr;

	while (rbuf_left(r)) {
		if (!rbuf_in6(r, &addr))
			return false;
		if (d->n_addrs < DHAAD_MAX_ADDRS)
			d->addrs[d->n_addrs++] = addr;
	}
	return true;
}

static bool write_dhaad_reply(struct wbuf *w, const struct icmp6_message *m)
{
	const struct icmp6_dhaad *d = &m->u.dhaad;

	if (d->n_addrs > DHAAD_MAX_ADDRS)
		return false;
	write_dhaad_head(w, d);
	for (size_t i = 0; i < d->n_addrs; i++)
		wbuf_in6(w, &d->addrs[i]);
	return true;
}

static bool read_mps(struct rbuf *r, struct icmp6_message *m)
{
	return rbuf_u16(r, &m->u.mps.id) && rbuf_skip(r, 2);
}

static bool read_mps_option(uint8_t type, struct rbuf *body, struct icmp6_message *m)
{
	(void)type;
	(void)body;
	(void)m;
	return true; /* none is defined */
}

static bool write_mps(struct wbuf *w, const struct icmp6_message *m)
{
	wbuf_u16(w, m->u.mps.id);
	wbuf_zero(w, 2);
	return true;
}

static bool read_mpa(struct rbuf *r, struct icmp6_message *m)
{
	struct icmp6_mpa *mpa = &m->u.mpa;
	uint16_t flags;

	if (!rbuf_u16(r, &mpa->id) || !rbuf_u16(r, &flags))
		return false;
	mpa->managed = flags & MPA_MANAGED;
	mpa->other = flags & MPA_OTHER;
	return true;
}

static bool read_mpa_option(uint8_t type, struct rbuf *body, struct icmp6_message *m)
{
	return type != NDOPT_PREFIX || read_prefix(body, m->u.mpa.prefixes, &m->u.mpa.n_prefixes);
}

static bool write_mpa(struct wbuf *w, const struct icmp6_message *m)
{
	const struct icmp6_mpa *mpa = &m->u.mpa;

	wbuf_u16(w, mpa->id);
	wbuf_u16(w, (uint16_t)((mpa->managed ? MPA_MANAGED : 0) | (mpa->other ? MPA_OTHER : 0)));
	return write_prefixes(w, mpa->prefixes, mpa->n_prefixes);
}

static const struct row rows[] = {
	{ICMP6T_RS, 8, read_rs, read_rs_option, NULL, write_rs},
	{ICMP6T_RA, 16, read_ra, read_ra_option, NULL, write_ra},
	{ICMP6T_NS, 24, read_ns, read_ns_option, NULL, write_ns},
	{ICMP6T_NA, 24, read_na, read_na_option, NULL, write_na},
	{ICMP6T_DHAAD_REQUEST, 8, read_dhaad_request, NULL, NULL, write_dhaad_request},
	{ICMP6T_DHAAD_REPLY, 8, read_dhaad_reply, NULL, read_dhaad_addrs, write_dhaad_reply},
	{ICMP6T_MPS, 8, read_mps, read_mps_option, NULL, write_mps},
	{ICMP6T_MPA, 8, read_mpa, read_mpa_option, NULL, write_mpa},
};

static const struct row *find_row(uint8_t type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type == type)
			return &rows[i];
	}
	return NULL;
}

static bool read_options(struct rbuf *r, const struct row *row, struct icmp6_message *m)
{
	while (rbuf_left(r)) {
		struct rbuf body;
		uint8_t type, units;

		if (!rbuf_u8(r, &type) || !rbuf_u8(r, &units) || units == 0 ||
			!rbuf_sub(r, &body, (size_t)units * UNIT - 2) ||
			!row->read_option(type, &body, m))
			return false;
	}
	return true;
}

bool icmp6_parse(const void *data, size_t len, struct icmp6_message *m)
{
	struct rbuf r = rbuf_make(data, len), fixed;
	const struct row *row;

	memset(m, 0, sizeof(*m));
	if (!rbuf_u8(&r, &m->type) || !rbuf_u8(&r, &m->code) || m->code != 0 || !rbuf_skip(&r, 2))
		return false;
	row = find_row(m->type);
	if (!row || !rbuf_sub(&r, &fixed, row->fixed - HDR_LEN) || !row->read(&fixed, m) ||
		rbuf_left(&fixed) != 0)
		return false;
	if (row->read_option)
		return read_options(&r, row, m);
	return row->read_rest ? row->read_rest(&r, m) : rbuf_left(&r) == 0;
}

size_t icmp6_build(const struct icmp6_message *m, void *out, size_t cap)
{
	struct wbuf w = wbuf_make(out, cap);
	const struct row *row = find_row(m->type);

	if (!row || m->code != 0)
		return 0;
	wbuf_u8(&w, m->type);
	wbuf_u8(&w, m->code);
	wbuf_u16(&w, 0);
	if (!row->write(&w, m) || w.overflow)
		return 0;
	return w.len;
}
