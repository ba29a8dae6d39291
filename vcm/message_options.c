/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of messages: one row for each says how long it is and how it is
 * read and written; one walker for all.
 */
#include "vcm/message_internal.h"

#include <string.h>

enum option {
	OPT_PAD1 = 0,
	OPT_PADN = 1,
	OPT_STATUS = 2,
	OPT_NODE = 3,
	OPT_PAIR = 4,
	OPT_CORRESPONDENT = 5,
	OPT_SESSION = 6,
	OPT_PEER = 7,
	OPT_ALGORITHM = 8,
	OPT_SA = 9,
	OPT_LIFETIME = 10,
	OPT_KCN = 11,
	OPT_PUBLIC = 12,
	OPT_SALT = 13,
	OPT_REASON = 14,
	OPT_NONCE = 15,
	OPT_COUNTERS = 16,
	OPT_CRITICAL = 128, /* from here on: who does not know it must not act */
};

#define FLAG_OUTSIDE 0x80
#define SA_IN 1
#define SA_OUT 2
#define LEAST_SPI 256 /* RFC 4303 2.1 */
#define LEAST_KCN 20 /* RFC 4449 3 */

/* ---- options: read leaves nothing, or is false ---- */

static bool once(struct vcm_message *m, unsigned bit)
{
	bool first = !(m->has & bit);

	m->has |= bit;
	return first;
}

static bool read_status(struct rbuf *r, struct vcm_message *m)
{
	uint8_t v = 0;

	if (!once(m, VCM_HAS_STATUS) || !rbuf_u8(r, &v))
		return false;
	m->status = (enum vcm_status)v;
	return true;
}

static void write_status(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_u8(w, (uint8_t)m->status);
}

static bool read_node(struct rbuf *r, struct vcm_message *m)
{
	struct vcm_node_option n = {0};
	uint8_t flags = 0;

	if (m->n_nodes == VCM_MAX_NODES || !rbuf_u8(r, &flags) || !rbuf_skip(r, 1) ||
		!rbuf_in6(r, &n.internal) || !rbuf_in6(r, &n.home))
		return false;
	n.outside = flags & FLAG_OUTSIDE;
	m->nodes[m->n_nodes++] = n;
	return true;
}

static void write_node(struct wbuf *w, const struct vcm_node_option *n)
{
	wbuf_u8(w, n->outside ? FLAG_OUTSIDE : 0);
	wbuf_u8(w, 0);
	wbuf_in6(w, &n->internal);
	wbuf_in6(w, &n->home);
}

static bool read_pair(struct rbuf *r, struct vcm_message *m)
{
	struct vcm_pair_option p = {0};
	uint8_t trigger = 0;

	if (m->n_pairs == VCM_MAX_PAIRS || !rbuf_u8(r, &trigger) || !rbuf_skip(r, 1) ||
		!rbuf_in6(r, &p.a) || !rbuf_in6(r, &p.b))
		return false;
	if (trigger != VCM_SECOND_LEFT && trigger != VCM_NEW_SESSION)
		return false;
	p.trigger = (enum vcm_trigger)trigger;
	m->pairs[m->n_pairs++] = p;
	return true;
}

static void write_pair(struct wbuf *w, const struct vcm_pair_option *p)
{
	wbuf_u8(w, (uint8_t)p->trigger);
	wbuf_u8(w, 0);
	wbuf_in6(w, &p->a);
	wbuf_in6(w, &p->b);
}

static bool read_correspondent(struct rbuf *r, struct vcm_message *m)
{
	struct vcm_correspondent_option c = {0};

	if (m->n_correspondents == VCM_MAX_CORRESPONDENTS || !rbuf_in6(r, &c.node) ||
		!rbuf_in6(r, &c.correspondent))
		return false;
	m->correspondents[m->n_correspondents++] = c;
	return true;
}

static void write_correspondent(struct wbuf *w, const struct vcm_correspondent_option *c)
{
	wbuf_in6(w, &c->node);
	wbuf_in6(w, &c->correspondent);
}

static bool read_session(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_SESSION) && rbuf_u64(r, &m->session) && rbuf_u32(r, &m->generation);
}

static void write_session(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_u64(w, m->session);
	wbuf_u32(w, m->generation);
}

static bool read_peer(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_PEER) && rbuf_in6(r, &m->peer_internal) &&
	       rbuf_in6(r, &m->peer_home);
}

static void write_peer(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_in6(w, &m->peer_internal);
	wbuf_in6(w, &m->peer_home);
}

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-'))
			return false;
	return n > 0;
}

static bool read_algorithm(struct rbuf *r, struct vcm_message *m)
{
	size_t n = rbuf_left(r);

	if (!once(m, VCM_HAS_ALGORITHM) || n >= sizeof(m->algorithm) ||
		!rbuf_bytes(r, m->algorithm, n))
		return false;
	m->algorithm[n] = '\0';
	return is_name(m->algorithm, n);
}

static void write_algorithm(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_bytes(w, m->algorithm, strnlen(m->algorithm, sizeof(m->algorithm) - 1));
}

static bool read_sa(struct rbuf *r, struct vcm_message *m)
{
	struct vcm_sa_option *sa = &m->in;
	unsigned bit = VCM_HAS_SA_IN;
	uint8_t direction = 0;

	if (!rbuf_u8(r, &direction) || (direction != SA_IN && direction != SA_OUT))
		return false;
	if (direction == SA_OUT) {
		sa = &m->out;
		bit = VCM_HAS_SA_OUT;
	}
	if (!once(m, bit) || !rbuf_u32(r, &sa->spi) || sa->spi < LEAST_SPI)
		return false;
	sa->key_len = rbuf_left(r);
	return sa->key_len <= sizeof(sa->key) && rbuf_bytes(r, sa->key, sa->key_len);
}

static void write_sa(struct wbuf *w, const struct vcm_sa_option *sa, uint8_t direction)
{
	wbuf_u8(w, direction);
	wbuf_u32(w, sa->spi);
	if (sa->key_len > sizeof(sa->key))
		w->overflow = true;
	else if (sa->key_len)
		wbuf_bytes(w, sa->key, sa->key_len);
}

static void write_sa_in(struct wbuf *w, const struct vcm_message *m)
{
	write_sa(w, &m->in, SA_IN);
}

static void write_sa_out(struct wbuf *w, const struct vcm_message *m)
{
	write_sa(w, &m->out, SA_OUT);
}

static bool read_lifetime(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_LIFETIME) && rbuf_u32(r, &m->lifetime_s) &&
	       rbuf_u32(r, &m->linger_s);
}

static void write_lifetime(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_u32(w, m->lifetime_s);
	wbuf_u32(w, m->linger_s);
}

/* Empty: one is to be derived (asymmetric variant). */
static bool read_kcn(struct rbuf *r, struct vcm_message *m)
{
	struct rr_shared *k = &m->kcn;
	uint8_t n[3] = {0};

	if (!once(m, VCM_HAS_KCN))
		return false;
	k->kcn_len = k->home_nonce_len = k->care_of_nonce_len = 0;
	if (!rbuf_left(r))
		return true;
	if (!rbuf_bytes(r, n, sizeof(n)) || n[0] < LEAST_KCN || n[0] > RR_MAX_SECRET || !n[1] ||
		n[1] > RR_MAX_SECRET || !n[2] || n[2] > RR_MAX_SECRET)
		return false;
	k->kcn_len = n[0];
	k->home_nonce_len = n[1];
	k->care_of_nonce_len = n[2];
	return rbuf_bytes(r, k->kcn, n[0]) && rbuf_bytes(r, k->home_nonce, n[1]) &&
	       rbuf_bytes(r, k->care_of_nonce, n[2]);
}

static void write_kcn(struct wbuf *w, const struct vcm_message *m)
{
	const struct rr_shared *k = &m->kcn;

	if (!k->kcn_len)
		return;
	if (k->kcn_len < LEAST_KCN || k->kcn_len > RR_MAX_SECRET || !k->home_nonce_len ||
		k->home_nonce_len > RR_MAX_SECRET || !k->care_of_nonce_len ||
		k->care_of_nonce_len > RR_MAX_SECRET) {
		w->overflow = true;
		return;
	}
	wbuf_u8(w, (uint8_t)k->kcn_len);
	wbuf_u8(w, (uint8_t)k->home_nonce_len);
	wbuf_u8(w, (uint8_t)k->care_of_nonce_len);
	wbuf_bytes(w, k->kcn, k->kcn_len);
	wbuf_bytes(w, k->home_nonce, k->home_nonce_len);
	wbuf_bytes(w, k->care_of_nonce, k->care_of_nonce_len);
}

static bool read_public(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_PUBLIC) && rbuf_bytes(r, m->public_key, sizeof(m->public_key));
}

static void write_public(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_bytes(w, m->public_key, sizeof(m->public_key));
}

static bool read_salt(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_SALT) && rbuf_bytes(r, m->salt, sizeof(m->salt));
}

static void write_salt(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_bytes(w, m->salt, sizeof(m->salt));
}

static bool read_reason(struct rbuf *r, struct vcm_message *m)
{
	uint8_t v = 0;

	if (!once(m, VCM_HAS_REASON) || !rbuf_u8(r, &v))
		return false;
	m->reason = (enum vcm_reason)v;
	return true;
}

static void write_reason(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_u8(w, (uint8_t)m->reason);
}

static bool read_nonce(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_NONCE) && rbuf_bytes(r, m->nonce, sizeof(m->nonce));
}

static void write_nonce(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_bytes(w, m->nonce, sizeof(m->nonce));
}

static bool read_counters(struct rbuf *r, struct vcm_message *m)
{
	return once(m, VCM_HAS_COUNTERS) && rbuf_u64(r, &m->packets_in) &&
	       rbuf_u64(r, &m->packets_out);
}

static void write_counters(struct wbuf *w, const struct vcm_message *m)
{
	wbuf_u64(w, m->packets_in);
	wbuf_u64(w, m->packets_out);
}

static const struct option_read {
	uint8_t min, max; /* of the data; exact where they are equal */
	bool (*read)(struct rbuf *r, struct vcm_message *m);
} option_reads[] = {
	[OPT_STATUS] = {1, 1, read_status},
	[OPT_NODE] = {34, 34, read_node},
	[OPT_PAIR] = {34, 34, read_pair},
	[OPT_CORRESPONDENT] = {32, 32, read_correspondent},
	[OPT_SESSION] = {12, 12, read_session},
	[OPT_PEER] = {32, 32, read_peer},
	[OPT_ALGORITHM] = {1, VCM_ALGORITHM_LEN - 1, read_algorithm},
	[OPT_SA] = {5, 5 + VCM_KEY_MAX, read_sa},
	[OPT_LIFETIME] = {8, 8, read_lifetime},
	[OPT_KCN] = {0, 3 + 3 * RR_MAX_SECRET, read_kcn},
	[OPT_PUBLIC] = {VCM_PUBLIC_LEN, VCM_PUBLIC_LEN, read_public},
	[OPT_SALT] = {VCM_SALT_LEN, VCM_SALT_LEN, read_salt},
	[OPT_REASON] = {1, 1, read_reason},
	[OPT_NONCE] = {VCM_NONCE_LEN, VCM_NONCE_LEN, read_nonce},
	[OPT_COUNTERS] = {16, 16, read_counters},
};

/* In the order in which they are written. */
static const struct option_write {
	unsigned bit;
	enum option type;
	void (*write)(struct wbuf *w, const struct vcm_message *m);
} option_writes[] = {
	{VCM_HAS_STATUS, OPT_STATUS, write_status},
	{VCM_HAS_SESSION, OPT_SESSION, write_session},
	{VCM_HAS_PEER, OPT_PEER, write_peer},
	{VCM_HAS_ALGORITHM, OPT_ALGORITHM, write_algorithm},
	{VCM_HAS_SA_IN, OPT_SA, write_sa_in},
	{VCM_HAS_SA_OUT, OPT_SA, write_sa_out},
	{VCM_HAS_LIFETIME, OPT_LIFETIME, write_lifetime},
	{VCM_HAS_KCN, OPT_KCN, write_kcn},
	{VCM_HAS_PUBLIC, OPT_PUBLIC, write_public},
	{VCM_HAS_SALT, OPT_SALT, write_salt},
	{VCM_HAS_REASON, OPT_REASON, write_reason},
	{VCM_HAS_NONCE, OPT_NONCE, write_nonce},
	{VCM_HAS_COUNTERS, OPT_COUNTERS, write_counters},
};

/* ---- reading ---- */

enum vcm_read vcm_option_read(struct rbuf *r, struct vcm_message *m, const char **why)
{
	uint8_t type = 0, len = 0;
	struct rbuf data;

	*why = "an option is cut off";
	if (!rbuf_u8(r, &type))
		return VCM_READ_MALFORMED;
	if (type == OPT_PAD1)
		return VCM_READ_OK;
	if (!rbuf_u8(r, &len) || !rbuf_sub(r, &data, len))
		return VCM_READ_MALFORMED;
	*why = "an option that must be known is not";
	if (type >= OPT_CRITICAL)
		return VCM_READ_UNSUPPORTED;
	if (type >= N(option_reads) || !option_reads[type].read) /* PadN as well */
		return VCM_READ_OK;
	*why = "an option is not as it should be";
	if (len < option_reads[type].min || len > option_reads[type].max)
		return VCM_READ_MALFORMED;
	if (!option_reads[type].read(&data, m) || rbuf_left(&data))
		return VCM_READ_MALFORMED;
	return VCM_READ_OK;
}

/* ---- writing ---- */

/* Type and a length to be filled in; where that is. */
static size_t begin(struct wbuf *w, enum option type)
{
	wbuf_u8(w, (uint8_t)type);
	wbuf_u8(w, 0);
	return w->len;
}

static void end(struct wbuf *w, size_t from)
{
	if (w->overflow)
		return;
	if (w->len - from > UINT8_MAX)
		w->overflow = true;
	else
		wbuf_put_u8(w, from - 1, (uint8_t)(w->len - from));
}

static void write_lists(struct wbuf *w, const struct vcm_message *m)
{
	size_t at;

	for (size_t i = 0; i < m->n_nodes; i++) {
		at = begin(w, OPT_NODE);
		write_node(w, &m->nodes[i]);
		end(w, at);
	}
	for (size_t i = 0; i < m->n_pairs; i++) {
		at = begin(w, OPT_PAIR);
		write_pair(w, &m->pairs[i]);
		end(w, at);
	}
	for (size_t i = 0; i < m->n_correspondents; i++) {
		at = begin(w, OPT_CORRESPONDENT);
		write_correspondent(w, &m->correspondents[i]);
		end(w, at);
	}
}

void vcm_options_write(struct wbuf *w, const struct vcm_message *m)
{
	for (size_t i = 0; i < N(option_writes); i++) {
		size_t at;

		if (!(m->has & option_writes[i].bit))
			continue;
		at = begin(w, option_writes[i].type);
		option_writes[i].write(w, m);
		end(w, at);
	}
	write_lists(w, m);
}
