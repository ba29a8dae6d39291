/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cn_world.h"

#include "tests/pass.h"

struct cn_world w;
struct cn *cn;
struct in6_addr home, coa, coa2, local, other;

/* ---- the world ---- */

static void mark(char c)
{
	size_t n = strlen(w.order);

	if (n + 1 < sizeof(w.order))
		w.order[n] = c;
}

static monotime_t world_now(void *ctx)
{
	(void)ctx;
	return w.now;
}

static void world_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (uint8_t *p = to; n--; p++)
		*p = w.random++;
}

static int keep(const struct mip6_packet *p, bool icmp6)
{
	struct sent *s = &w.sent[w.n_sent++ % MAX_SENT];

	mark('m');
	ck_assert_uint_le(p->len, sizeof(s->data));
	ck_assert_uint_gt(p->len, 0);
	s->p = *p;
	s->icmp6 = icmp6;
	memcpy(s->data, p->data, p->len);
	s->p.data = s->data;
	if (!icmp6)
		ck_assert_int_eq(mh_parse(s->data, p->len, &s->m, NULL), MH_OK);
	return 0;
}

static int world_send_mh(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	return keep(p, false);
}

static int world_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	return keep(p, true);
}

static void world_event(void *ctx, const struct mip6_event *e)
{
	(void)ctx;
	w.last = *e;
	if (e->type == EV_CN_BINDING_GONE)
		w.gone = *e;
}

static int peer_set(void *ctx, const struct in6_addr *l, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	(void)ctx;
	(void)peer;
	mark('k');
	ck_assert(w.any_local || in6_equal(l, &local));
	w.peer_sets++;
	if (care_of && w.peer_set_err)
		return w.peer_set_err;
	w.peer_is_set = care_of != NULL;
	if (care_of)
		w.peer_coa = *care_of;
	return 0;
}

static int64_t idle_s(void *ctx, const struct in6_addr *l, const struct in6_addr *peer)
{
	(void)ctx;
	(void)l;
	(void)peer;
	return w.idle_s;
}

static void sequence_put(
	void *ctx, const struct in6_addr *l, const struct in6_addr *h, uint16_t seq)
{
	(void)ctx;
	ck_assert(in6_equal(l, &local) && in6_equal(h, &home));
	mark('s');
	w.stored_seq = seq;
}

static bool is_ours(void *ctx, const struct in6_addr *a)
{
	(void)ctx;
	return in6_equal(a, &local) || in6_equal(a, &other);
}

static const struct mip6_env env = {
	.now = world_now,
	.random = world_random,
	.send_mh = world_send_mh,
	.send_icmp6 = world_send_icmp6,
	.event = world_event,
};

static struct mip6_env env_now;
const struct ro_ops ro = {.peer_set = peer_set, .idle_s = idle_s};
const struct ro_ops ro_blind = {.peer_set = peer_set};
static const struct cn_store_ops store = {.sequence_put = sequence_put};

void start(const struct cn_config *c, const struct ro_ops *ops)
{
	cn_free(cn);
	cn = cn_new(c, &env_now, ops, NULL, &store);
	ck_assert_ptr_nonnull(cn);
}

void setup(void)
{
	struct cn_config c = {.refresh = true, .is_ours = is_ours};

	memset(&w, 0, sizeof(w));
	w.now = (monotime_t){1000000000};
	w.idle_s = -1;
	w.stored_seq = -1;
	w.timers = timerq_new();
	env_now = env;
	env_now.timers = w.timers;
	inet_pton(AF_INET6, "2001:db8:1::100", &home);
	inet_pton(AF_INET6, "2001:db8:a::100", &coa);
	inet_pton(AF_INET6, "2001:db8:b::100", &coa2);
	inet_pton(AF_INET6, "2001:db8:c::c", &local);
	inet_pton(AF_INET6, "2001:db8:c::d", &other);
	cn = NULL;
	start(&c, &ro);
}

void teardown(void)
{
	cn_free(cn);
	cn = NULL;
	timerq_free(w.timers);
}

void pass_s(int64_t s)
{
	pass_time(w.timers, &w.now, s * 1000);
}

const struct sent *last_sent(void)
{
	ck_assert_uint_gt(w.n_sent, 0);
	return &w.sent[(w.n_sent - 1) % MAX_SENT];
}

/* ---- the mobile node ---- */

uint64_t test(uint8_t type, const struct in6_addr *from, uint16_t *index)
{
	struct mh_message m = {.type = type};
	uint8_t data[64];
	struct mip6_packet p = {.src = *from, .dst = local, .data = data};
	size_t before = w.n_sent;
	const struct sent *s;

	m.u.init.cookie = 0x1122334455667788 + type;
	p.len = mh_build(&m, data, sizeof(data));
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(w.n_sent, before + 1);
	s = last_sent();
	ck_assert_uint_eq(s->m.type, type == MH_HOTI ? MH_HOT : MH_COT);
	ck_assert_uint_eq(s->m.u.test.cookie, m.u.init.cookie);
	ck_assert_uint_eq(s->p.flags, 0);
	ck_assert(in6_equal(&s->p.src, &local) && in6_equal(&s->p.dst, from));
	*index = s->m.u.test.nonce_index;
	return s->m.u.test.token;
}

struct tokens tests(const struct in6_addr *h, const struct in6_addr *c)
{
	struct tokens t;

	t.home = test(MH_HOTI, h, &t.home_index);
	t.care_of = test(MH_COTI, c, &t.care_of_index);
	return t;
}

static void bu_kbm(const struct bu *b, const struct in6_addr *care_of, bool deletes, uint8_t *kbm)
{
	if (b->s)
		rr_shared_kbm(b->s, b->home, deletes ? NULL : care_of, kbm);
	else if (b->t)
		rr_kbm(b->t->home, deletes ? NULL : &b->t->care_of, kbm);
	else
		memset(kbm, 0, RR_KBM_LEN);
}

static struct mh_message bu_message(const struct bu *b)
{
	struct mh_message m = {.type = MH_BU};

	m.u.bu.seq = b->seq;
	m.u.bu.flags = b->flags;
	m.u.bu.lifetime = b->lifetime;
	if (b->alt)
		mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = *b->alt;
	if (b->t) {
		struct mh_option *o = mh_option_add(&m, MHOPT_NONCE_INDICES);

		o->u.nonce_indices.home = b->t->home_index;
		o->u.nonce_indices.care_of = b->t->care_of_index;
	}
	if (!b->no_auth)
		mh_option_add(&m, MHOPT_AUTH_DATA)->u.auth_data.len =
			b->auth_len ? b->auth_len : RR_AUTH_LEN;
	return m;
}

/* The address that goes into the authenticator, 6.2.7 */
static const struct in6_addr *bu_care_of(const struct bu *b)
{
	const struct in6_addr *c = b->alt ? b->alt : b->source;

	if (b->claimed)
		return b->claimed;
	return b->lifetime ? c : b->home;
}

void send_bu(const struct bu *b)
{
	struct mh_message m = bu_message(b);
	const struct in6_addr *care_of = bu_care_of(b);
	uint8_t data[128], kbm[RR_KBM_LEN];
	struct mip6_packet p = {.src = *b->home, .dst = local, .data = data};
	size_t n = b->no_auth ? 0 : b->auth_len ? b->auth_len : RR_AUTH_LEN;
	uint8_t mac[RR_AUTH_LEN];

	p.len = mh_build(&m, data, sizeof(data));
	ck_assert_uint_gt(p.len, 0);
	bu_kbm(b, care_of, in6_equal(care_of, b->home), kbm);
	ck_assert(rr_authenticator(kbm, care_of, &local, data, p.len, p.len - n, n, mac));
	memcpy(data + p.len - n, mac, n < sizeof(mac) ? n : sizeof(mac));
	if (b->bad_auth)
		data[p.len - 1] ^= 1;
	data[4] = 0xab; /* a checksum does not matter */
	if (!in6_equal(b->source, b->home)) {
		p.flags = MIP6_PKT_HAO;
		p.src_coa = *b->source;
	}
	cn_receive_mh(cn, &p);
}

const struct mh_message *expect_ba(const struct bu *b, uint8_t status, bool authenticated)
{
	const struct sent *s = last_sent();
	const struct mh_option *o = mh_option(&s->m, MHOPT_AUTH_DATA);
	uint8_t kbm[RR_KBM_LEN], mac[RR_AUTH_LEN];
	const struct in6_addr *care_of = bu_care_of(b);

	ck_assert_uint_eq(s->m.type, MH_BA);
	ck_assert_uint_eq(s->m.u.ba.status, status);
	ck_assert(in6_equal(&s->p.src, &local));
	ck_assert(in6_equal(&s->p.dst, b->home));
	if (in6_equal(b->source, b->home)) {
		ck_assert_uint_eq(s->p.flags, 0);
	} else {
		ck_assert_uint_eq(s->p.flags, MIP6_PKT_RH2);
		ck_assert(in6_equal(&s->p.dst_coa, b->source));
	}
	ck_assert_ptr_null(mh_option(&s->m, MHOPT_REFRESH_ADVICE));
	ck_assert_int_eq(o != NULL, authenticated);
	if (!o)
		return &s->m;
	bu_kbm(b, care_of, in6_equal(care_of, b->home), kbm);
	ck_assert(rr_authenticator(kbm, care_of, &local, s->data, s->p.len, o->u.auth_data.offset,
		o->u.auth_data.len, mac));
	ck_assert_mem_eq(mac, o->u.auth_data.data, RR_AUTH_LEN);
	return &s->m;
}

void expect_silence(const struct bu *b)
{
	size_t before = w.n_sent, sets = w.peer_sets, count = cn_count(cn);

	send_bu(b);
	ck_assert_uint_eq(w.n_sent, before);
	ck_assert_uint_eq(w.peer_sets, sets);
	ck_assert_uint_eq(cn_count(cn), count);
}

struct bu make_bu(const struct tokens *t, const struct in6_addr *source, uint16_t seq)
{
	return (struct bu){.home = &home,
		.source = source,
		.seq = seq,
		.flags = BU_F_A,
		.lifetime = 105,
		.t = t};
}

struct tokens bind_at(const struct in6_addr *c, uint16_t seq)
{
	struct tokens t = tests(&home, c);
	struct bu b = make_bu(&t, c, seq);

	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	return t;
}

void no_binding(void)
{
	struct in6_addr a;

	ck_assert(!cn_care_of(cn, &local, &home, &a));
	ck_assert_uint_eq(cn_count(cn), 0);
	ck_assert(!w.peer_is_set);
}

void bound_at(const struct in6_addr *c)
{
	struct in6_addr a;

	ck_assert(cn_care_of(cn, &local, &home, &a));
	ck_assert(in6_equal(&a, c));
	ck_assert(w.peer_is_set && in6_equal(&w.peer_coa, c));
}

const struct rr_shared shared_data = {.kcn = "0123456789abcdefghij",
	.kcn_len = 20,
	.home_nonce = "h",
	.home_nonce_len = 1,
	.care_of_nonce = "cc",
	.care_of_nonce_len = 2};

void send_init(const struct in6_addr *src, const struct in6_addr *dst, unsigned flags, uint8_t type)
{
	struct mh_message m = {.type = type};
	uint8_t data[64];
	struct mip6_packet p = {
		.src = *src, .dst = *dst, .src_coa = coa, .flags = flags, .data = data};

	p.len = mh_build(&m, data, sizeof(data));
	cn_receive_mh(cn, &p);
}
