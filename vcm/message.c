/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See message.h, and vcm-protocol(7) for the octets.  One row for each type of
 * message says which options it must and may have.
 */
#include "vcm/message_internal.h"

#include <string.h>

/* ---- types ---- */

static const struct type_row {
	const char *name;
	unsigned must, may;
	size_t min_nodes, max_nodes;
	bool report; /* PAIR and CORRESPONDENT, and at least one option */
} types[] = {
	[VCM_HELLO] = {"HELLO", 0, 0, 0, 0, false},
	[VCM_ACK] = {"ACK", VCM_HAS_STATUS, 0, 0, 0, false},
	[VCM_REPORT] = {"REPORT", 0, 0, 0, VCM_MAX_NODES, true},
	[VCM_PLACE] = {"PLACE", 0, 0, 1, 1, false},
	[VCM_INVITE] = {"INVITE", VCM_HAS_SESSION | VCM_HAS_PEER, 0, 0, 0, false},
	[VCM_PUBLIC] = {"PUBLIC", VCM_HAS_SESSION | VCM_HAS_PUBLIC, 0, 0, 0, false},
	[VCM_OFFER] = {"OFFER",
		VCM_HAS_SESSION | VCM_HAS_PEER | VCM_HAS_ALGORITHM | VCM_HAS_SA_IN |
			VCM_HAS_SA_OUT | VCM_HAS_LIFETIME,
		VCM_HAS_KCN | VCM_HAS_PUBLIC | VCM_HAS_SALT, 0, 0, false},
	[VCM_READY] = {"READY", VCM_HAS_SESSION, 0, 0, 0, false},
	[VCM_PEER_READY] = {"PEER-READY", VCM_HAS_SESSION, 0, 0, 0, false},
	[VCM_ACTIVE] = {"ACTIVE", VCM_HAS_SESSION, 0, 0, 0, false},
	[VCM_END] = {"END", VCM_HAS_SESSION | VCM_HAS_REASON, 0, 0, 0, false},
	[VCM_DOWN] = {"DOWN", VCM_HAS_SESSION | VCM_HAS_REASON, VCM_HAS_COUNTERS, 0, 0, false},
	[VCM_PROBE] = {"PROBE", VCM_HAS_NONCE, 0, 0, 0, false},
	[VCM_PROBE_REPLY] = {"PROBE-REPLY", VCM_HAS_NONCE, 0, 0, 0, false},
	[VCM_CLOSE] = {"CLOSE", VCM_HAS_SESSION, 0, 0, 0, false},
};

static const struct type_row *row(unsigned type)
{
	return type < N(types) && types[type].name ? &types[type] : NULL;
}

/* An OFFER has keys, or what they are derived from. */
static bool is_offer_whole(const struct vcm_message *m)
{
	bool derived = m->has & VCM_HAS_PUBLIC;

	if (derived != !!(m->has & VCM_HAS_SALT))
		return false;
	if (m->has & VCM_HAS_KCN && derived != !m->kcn.kcn_len)
		return false;
	return derived ? !m->in.key_len && !m->out.key_len
		       : m->in.key_len && m->in.key_len == m->out.key_len;
}

/* What is wrong with it as a message of its type, or NULL. */
static const char *misses(const struct vcm_message *m, const struct type_row *t)
{
	if ((m->has & t->must) != t->must || m->n_nodes < t->min_nodes)
		return "an option is missing";
	if (m->has & ~(t->must | t->may) || m->n_nodes > t->max_nodes)
		return "an option does not belong there";
	if (!t->report && (m->n_pairs || m->n_correspondents))
		return "an option does not belong there";
	if (t->report && !m->n_nodes && !m->n_pairs && !m->n_correspondents)
		return "it reports nothing";
	if (m->type == VCM_OFFER && !is_offer_whole(m))
		return "keys, or what they are derived from, are not as they should be";
	return NULL;
}

/* ---- reading ---- */

static enum vcm_read read_header(struct rbuf *r, struct vcm_message *m, const char **why)
{
	size_t whole = rbuf_left(r);
	uint8_t version = 0, type = 0;
	uint16_t len = 0;

	*why = "it is shorter than a header";
	if (!rbuf_u8(r, &version))
		return VCM_READ_MALFORMED;
	if (version != VCM_VERSION) {
		*why = "its version is another one";
		return VCM_READ_VERSION;
	}
	if (!rbuf_u8(r, &type) || !rbuf_u16(r, &len) || !rbuf_u32(r, &m->sequence) ||
		!rbuf_u64(r, &m->epoch) || !rbuf_u64(r, &m->peer_epoch))
		return VCM_READ_MALFORMED;
	*why = "its length is not that of the datagram";
	if (len != whole || whole > VCM_MESSAGE_MAX)
		return VCM_READ_MALFORMED;
	*why = "there is no such type";
	if (!type)
		return VCM_READ_MALFORMED;
	m->type = (enum vcm_type)type;
	return row(type) ? VCM_READ_OK : VCM_READ_UNSUPPORTED;
}

enum vcm_read vcm_message_read(
	const uint8_t *data, size_t len, struct vcm_message *m, const char **why)
{
	struct rbuf r = rbuf_make(data, len);
	enum vcm_read rc, unsupported = VCM_READ_OK;
	const char *first = NULL;

	memset(m, 0, sizeof(*m));
	rc = read_header(&r, m, why);
	if (rc != VCM_READ_OK)
		return rc;
	while (rbuf_left(&r)) {
		rc = vcm_option_read(&r, m, why);
		if (rc == VCM_READ_MALFORMED)
			return rc;
		if (rc != VCM_READ_OK) {
			unsupported = rc;
			first = *why;
		}
	}
	*why = first;
	if (unsupported != VCM_READ_OK)
		return unsupported;
	*why = misses(m, row(m->type));
	return *why ? VCM_READ_INCOMPLETE : VCM_READ_OK;
}

/* ---- writing ---- */

size_t vcm_message_write(const struct vcm_message *m, uint8_t *to, size_t cap)
{
	struct wbuf w = wbuf_make(to, cap < VCM_MESSAGE_MAX ? cap : VCM_MESSAGE_MAX);
	const struct type_row *t = row(m->type);

	if (!t || m->n_nodes > VCM_MAX_NODES || m->n_pairs > VCM_MAX_PAIRS ||
		m->n_correspondents > VCM_MAX_CORRESPONDENTS || misses(m, t))
		return 0;
	wbuf_u8(&w, VCM_VERSION);
	wbuf_u8(&w, (uint8_t)m->type);
	wbuf_u16(&w, 0);
	wbuf_u32(&w, m->sequence);
	wbuf_u64(&w, m->epoch);
	wbuf_u64(&w, m->peer_epoch);
	vcm_options_write(&w, m);
	if (w.overflow)
		return 0;
	wbuf_put_u16(&w, 2, (uint16_t)w.len);
	return w.len;
}

void vcm_message_wipe(struct vcm_message *m)
{
	rr_wipe(m, sizeof(*m));
}

/* ---- names ---- */

const char *vcm_type_name(enum vcm_type t)
{
	const struct type_row *r = row((unsigned)t);

	return r ? r->name : "?";
}

static const char *const statuses[] = {[VCM_OK] = "ok",
	[VCM_UNKNOWN_SESSION] = "unknown-session",
	[VCM_REFUSED] = "refused",
	[VCM_SPI_TAKEN] = "spi-taken",
	[VCM_NO_RESOURCES] = "no-resources",
	[VCM_UNSUPPORTED] = "unsupported",
	[VCM_MALFORMED] = "malformed",
	[VCM_NOT_READY] = "not-ready",
	[VCM_NOT_OUTSIDE] = "not-outside"};

const char *vcm_status_name(enum vcm_status s)
{
	return (unsigned)s < N(statuses) ? statuses[s] : "?";
}

static const char *const reasons[] = {[VCM_BY_HAND] = "by-hand",
	[VCM_INSIDE] = "inside",
	[VCM_IDLE] = "idle",
	[VCM_PATH] = "path",
	[VCM_LIFETIME] = "lifetime",
	[VCM_REVOKED] = "revoked",
	[VCM_RESTART] = "restart",
	[VCM_PEER] = "peer",
	[VCM_SEQUENCE] = "sequence",
	[VCM_SHUTDOWN] = "shutdown",
	[VCM_POLICY] = "policy"};

const char *vcm_reason_name(enum vcm_reason r)
{
	return (unsigned)r < N(reasons) ? reasons[r] : "?";
}
