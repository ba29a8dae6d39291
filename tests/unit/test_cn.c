/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6d/proto/cn.h: a correspondent, the mobile node's part played by hand. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "mip6d/proto/cn.h"

#define MAX_SENT 1024

struct sent {
	struct mip6_packet p;
	uint8_t data[1400];
	struct mh_message m; /* of a Mobility Header */
	bool icmp6;
};

static struct {
	monotime_t now;
	struct timerq *timers;
	struct sent sent[MAX_SENT];
	size_t n_sent;
	char order[64]; /* k: kernel, s: store, m: message, in the order of the calls */
	int peer_set_err;
	struct in6_addr peer_coa; /* last peer_set() */
	bool peer_is_set, any_local;
	size_t peer_sets;
	int64_t idle_s;
	int stored_seq;
	struct mip6_event last, gone; /* the last of all, the last EV_CN_BINDING_GONE */
	uint8_t random;
} w;
static struct cn *cn;
static struct in6_addr home, coa, coa2, local, other;

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
static const struct ro_ops ro = {.peer_set = peer_set, .idle_s = idle_s};
static const struct ro_ops ro_blind = {.peer_set = peer_set};
static const struct cn_store_ops store = {.sequence_put = sequence_put};

static void start(const struct cn_config *c, const struct ro_ops *ops)
{
	cn_free(cn);
	cn = cn_new(c, &env_now, ops, NULL, &store);
	ck_assert_ptr_nonnull(cn);
}

static void setup(void)
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

static void teardown(void)
{
	cn_free(cn);
	cn = NULL;
	timerq_free(w.timers);
}

static void pass_s(int64_t s)
{
	monotime_t end = mono_add_s(w.now, s);

	while (!mono_before(end, timerq_next(w.timers))) {
		w.now = timerq_next(w.timers);
		timerq_run(w.timers, w.now);
	}
	w.now = end;
}

static const struct sent *last_sent(void)
{
	ck_assert_uint_gt(w.n_sent, 0);
	return &w.sent[(w.n_sent - 1) % MAX_SENT];
}

/* ---- the mobile node ---- */

struct tokens {
	uint64_t home, care_of;
	uint16_t home_index, care_of_index;
};

/* HoTI or CoTI -->, HoT or CoT <-- */
static uint64_t test(uint8_t type, const struct in6_addr *from, uint16_t *index)
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

static struct tokens tests(const struct in6_addr *h, const struct in6_addr *c)
{
	struct tokens t;

	t.home = test(MH_HOTI, h, &t.home_index);
	t.care_of = test(MH_COTI, c, &t.care_of_index);
	return t;
}

struct bu {
	const struct in6_addr *home, *source, *alt,
		*claimed; /* claimed: the one in the MAC, if another */
	uint16_t seq, flags, lifetime;
	const struct tokens *t; /* NULL: no nonce indices */
	const struct rr_shared *s;
	bool no_auth, bad_auth;
	size_t auth_len; /* 0: 12 */
};

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

/* BU --> */
static void send_bu(const struct bu *b)
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

/* <-- BA, whose authenticator must be right if there is to be one */
static const struct mh_message *expect_ba(const struct bu *b, uint8_t status, bool authenticated)
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

/* A BU that is to be dropped without a word and without any effect. */
static void expect_silence(const struct bu *b)
{
	size_t before = w.n_sent, sets = w.peer_sets, count = cn_count(cn);

	send_bu(b);
	ck_assert_uint_eq(w.n_sent, before);
	ck_assert_uint_eq(w.peer_sets, sets);
	ck_assert_uint_eq(cn_count(cn), count);
}

static struct bu make_bu(const struct tokens *t, const struct in6_addr *source, uint16_t seq)
{
	return (struct bu){.home = &home,
		.source = source,
		.seq = seq,
		.flags = BU_F_A,
		.lifetime = 105,
		.t = t};
}

/* RR and a binding for home at c */
static struct tokens bind_at(const struct in6_addr *c, uint16_t seq)
{
	struct tokens t = tests(&home, c);
	struct bu b = make_bu(&t, c, seq);

	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	return t;
}

static void no_binding(void)
{
	struct in6_addr a;

	ck_assert(!cn_care_of(cn, &local, &home, &a));
	ck_assert_uint_eq(cn_count(cn), 0);
	ck_assert(!w.peer_is_set);
}

static void bound_at(const struct in6_addr *c)
{
	struct in6_addr a;

	ck_assert(cn_care_of(cn, &local, &home, &a));
	ck_assert(in6_equal(&a, c));
	ck_assert(w.peer_is_set && in6_equal(&w.peer_coa, c));
}

static const struct rr_shared shared_data = {.kcn = "0123456789abcdefghij",
	.kcn_len = 20,
	.home_nonce = "h",
	.home_nonce_len = 1,
	.care_of_nonce = "cc",
	.care_of_nonce_len = 2};

/* ---- binding, moving, deleting ---- */

START_TEST(register_and_move)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 7);
	const struct mh_message *ba;

	memset(w.order, 0, sizeof(w.order));
	send_bu(&b);
	ba = expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_uint_eq(ba->u.ba.seq, 7);
	ck_assert_uint_eq(ba->u.ba.lifetime, 105);
	ck_assert_str_eq(w.order, "km"); /* the kernel before the promise */
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_NEW);
	bound_at(&coa);
	/* the same home token, a new care-of token */
	t.care_of = test(MH_COTI, &coa2, &t.care_of_index);
	b = make_bu(&t, &coa2, 8);
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_MOVED);
	bound_at(&coa2);
	ck_assert_uint_eq(cn_stats(cn)->moves, 1);
	/* a refresh leaves the kernel alone */
	b.seq = 9;
	w.peer_sets = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_REFRESHED);
	ck_assert_uint_eq(w.peer_sets, 0);
	ck_assert_uint_eq(cn_count(cn), 1);
}
END_TEST

/* 9.5.4: accepted without the A bit: silence */
START_TEST(no_acknowledgement_asked_for)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 7);
	size_t before = w.n_sent;

	b.flags = 0;
	send_bu(&b);
	bound_at(&coa);
	ck_assert_uint_eq(w.n_sent, before);
	send_bu(&b); /* but a wrong sequence number is always told */
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

/* 5.2.6: tests, indices and MAC are for the address in the option. */
START_TEST(alternate_care_of_address)
{
	struct tokens t = tests(&home, &coa2), wrong = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	b.alt = &coa2;
	b.claimed = &coa;
	expect_silence(&b);
	b.claimed = NULL;
	b.t = &wrong;
	expect_silence(&b);
	b.t = &t;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	bound_at(&coa2);
}
END_TEST

START_TEST(lifetime_is_capped)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);
	struct cn_config c = {.max_lifetime_s = 3};

	b.lifetime = 0xffff;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 420 / 4);
	pass_s(419);
	bound_at(&coa);
	pass_s(1);
	no_binding();
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_GONE);
	ck_assert_uint_eq(cn_stats(cn)->expirations, 1);
	/* never rounded down to a deletion, never more than asked for */
	start(&c, &ro);
	t = tests(&home, &coa);
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 1);
	b.seq = 2;
	b.lifetime = 1;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 1);
}
END_TEST

/* 9.5.3: home token alone, from wherever it is sent; the care-of nonce index is ignored. */
START_TEST(deletion)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &coa, 2);

	b.lifetime = 0;
	t.care_of_index = (uint16_t)(t.care_of_index + 100);
	t.care_of = 0;
	b.claimed = &coa; /* not the home address: not 6.2.7 */
	expect_silence(&b);
	b.claimed = NULL;
	memset(w.order, 0, sizeof(w.order));
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 0);
	ck_assert_str_eq(w.order, "km");
	no_binding();
	/* once more: there is none, and that is fine; but not with the same number */
	b.seq = 3;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

START_TEST(deletion_from_home)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &home, 2);

	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	no_binding();
	/* the care-of address is the home address: says the same */
	bind_at(&coa, 3);
	b.seq = 4;
	b.lifetime = 100;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 0);
	no_binding();
}
END_TEST

START_TEST(deletion_of_nothing)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &home, 2);

	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	no_binding();
	ck_assert_uint_eq(w.peer_sets, 0);
	b = make_bu(&t, &coa, 1); /* no entry was made: any number is good */
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
}
END_TEST

/* ---- who says so ---- */

START_TEST(unauthorized)
{
	struct tokens t = tests(&home, &coa), none = t;
	struct bu b = make_bu(&t, &coa, 1);

	b.bad_auth = true;
	expect_silence(&b);
	ck_assert_uint_eq(cn_stats(cn)->bad_authenticator, 1);
	b.bad_auth = false;
	b.no_auth = true;
	expect_silence(&b);
	b.no_auth = false;
	b.auth_len = 4;
	expect_silence(&b);
	b.auth_len = 20; /* begins with the right one */
	expect_silence(&b);
	b.auth_len = 0;
	b.t = NULL;
	expect_silence(&b);
	none.home ^= 1;
	b.t = &none;
	expect_silence(&b);
	none = t;
	none.care_of ^= 1;
	expect_silence(&b);
	/* tokens of other addresses */
	none = tests(&coa2, &coa2);
	expect_silence(&b);
	ck_assert_uint_eq(cn_stats(cn)->bu_accepted, 0);
}
END_TEST

/* A care-of keygen token is no home keygen token. */
START_TEST(tokens_do_not_stand_for_each_other)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);
	uint16_t index;

	t.home = test(MH_COTI, &home, &index);
	t.home_index = index;
	expect_silence(&b);
}
END_TEST

START_TEST(sequence_numbers)
{
	struct tokens t = bind_at(&coa, 65530);
	struct bu b = make_bu(&t, &coa, 65530);

	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 65530);
	b.seq = 65530 - 32768;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 65530);
	b.seq = 65530 - 32769;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	/* whoever cannot authenticate is not told */
	b.bad_auth = true;
	expect_silence(&b);
}
END_TEST

/* 136, 137, 138: without authenticator (9.5.4) */
START_TEST(expired_nonces)
{
	struct tokens t = tests(&home, &coa), later;
	struct bu b = make_bu(&t, &coa, 1);

	pass_s(RR_MAX_NONCE_LIFETIME_S);
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_NONCES_EXPIRED, false)->u.ba.seq, 1);
	later = tests(&home, &coa);
	t.home = later.home;
	t.home_index = later.home_index;
	send_bu(&b);
	expect_ba(&b, BA_COA_NONCE_EXPIRED, false);
	later.home_index = (uint16_t)(later.home_index + 1);
	b.t = &later;
	send_bu(&b);
	expect_ba(&b, BA_HOME_NONCE_EXPIRED, false);
	b.lifetime = 0;
	later.care_of_index = (uint16_t)(later.care_of_index + 1);
	send_bu(&b);
	expect_ba(&b, BA_HOME_NONCE_EXPIRED, false);
	ck_assert_uint_eq(cn_stats(cn)->nonce_expired, 4);
	no_binding();
}
END_TEST

START_TEST(token_lives_as_long_as_promised)
{
	struct tokens t;
	struct bu b;

	test(MH_HOTI, &home, &(uint16_t){0}); /* the nonce is first used now */
	pass_s(29);
	t = tests(&home, &coa);
	for (int i = 0; i < 7; i++) { /* others ask all the time */
		pass_s(30);
		tests(&coa2, &coa2);
	}
	b = make_bu(&t, &coa, 1);
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	pass_s(1);
	b.seq = 2;
	send_bu(&b);
	expect_ba(&b, BA_NONCES_EXPIRED, false);
}
END_TEST

/* 5.2.8, 9.5.3: a Binding Update of before cannot undo a deletion. */
START_TEST(replay_after_deletion)
{
	struct tokens t = tests(&home, &coa);
	struct bu old = make_bu(&t, &coa, 5), gone = make_bu(&t, &home, 6);

	pass_s(100);
	send_bu(&old);
	gone.lifetime = 0;
	send_bu(&gone);
	no_binding();
	send_bu(&old);
	ck_assert_uint_eq(expect_ba(&old, BA_SEQUENCE, true)->u.ba.seq, 6);
	pass_s(139);
	send_bu(&old);
	expect_ba(&old, BA_SEQUENCE, true);
	no_binding();
	pass_s(1); /* the nonces are too old, so nothing needs to be remembered */
	send_bu(&old);
	expect_ba(&old, BA_NONCES_EXPIRED, false);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	bind_at(&coa2, 1);
	bound_at(&coa2);
}
END_TEST

START_TEST(replay_after_a_short_lifetime)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 5);

	b.lifetime = 1;
	send_bu(&b);
	pass_s(4);
	no_binding();
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	no_binding();
	b.seq = 6;
	send_bu(&b);
	bound_at(&coa);
	ck_assert_uint_eq(cn_remove(cn, &in6addr_any, &home), 1);
	ck_assert_uint_eq(cn_remove(cn, &local, &home), 0);
	no_binding();
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	no_binding();
}
END_TEST

/* The last Binding Update is not always the one that could be replayed longest. */
START_TEST(replay_with_the_younger_nonce)
{
	struct tokens a = tests(&home, &coa), b;
	struct bu first, gone = make_bu(&a, &home, 6);

	pass_s(100);
	b = tests(&home, &coa);
	first = make_bu(&b, &coa, 5);
	send_bu(&first);
	gone.lifetime = 0;
	send_bu(&gone);
	expect_ba(&gone, BA_ACCEPTED, true);
	pass_s(239);
	send_bu(&first);
	expect_ba(&first, BA_SEQUENCE, true);
	no_binding();
}
END_TEST

/* ---- addresses ---- */

START_TEST(addresses_that_cannot_be)
{
	static const char *const bad[] = {
		"::", "::1", "ff0e::1", "fe80::1", "::ffff:192.0.2.1", "fec0::1"};
	struct tokens t = tests(&home, &coa);
	struct in6_addr a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bu b = make_bu(&t, &coa, 1);

		inet_pton(AF_INET6, bad[i], &a);
		b.home = &a;
		expect_silence(&b);
		b.home = &home;
		b.source = &a;
		expect_silence(&b);
		b.alt = &coa;
		expect_silence(&b);
		b.source = &coa;
		b.alt = &a;
		expect_silence(&b);
		b.alt = NULL;
		local = a;
		expect_silence(&b);
		inet_pton(AF_INET6, "2001:db8:c::c", &local);
		ck_assert_uint_eq(cn_stats(cn)->bad_authenticator, 0);
	}
}
END_TEST

START_TEST(home_address_of_ours)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	b.home = &other;
	expect_silence(&b);
	b.home = &local;
	expect_silence(&b);
	ck_assert_uint_eq(cn_stats(cn)->bad_authenticator, 0);
}
END_TEST

/* A circle, or a care-of address that is ours: authentic, and refused all the same. */
START_TEST(care_of_address_that_cannot_serve)
{
	struct in6_addr home2;
	struct tokens t;
	struct bu b;

	inet_pton(AF_INET6, "2001:db8:1::200", &home2);
	bind_at(&coa, 1);
	t = tests(&home2, &home);
	b = make_bu(&t, &home, 1);
	b.home = &home2;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	ck_assert_uint_eq(cn_count(cn), 1);
	/* a number that was refused is used up as well, where there is an entry */
	t = tests(&home2, &coa2);
	b = make_bu(&t, &coa2, 1);
	b.home = &home2;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	t = tests(&home2, &home);
	b = make_bu(&t, &home, 2);
	b.home = &home2;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	ck_assert_uint_eq(cn_remove(cn, &local, &home2), 1);
	/* an address of ours cannot be tested; somebody with a shared Kbm can name it */
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b = make_bu(NULL, &coa, 2);
	b.s = &shared_data;
	b.alt = &other;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	b.seq = 3;
	b.alt = &local;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	no_binding();
}
END_TEST

/* 9.1: each of our addresses has its own binding for a home address. */
START_TEST(two_addresses_of_ours)
{
	struct in6_addr a, first = local;

	bind_at(&coa, 5);
	local = other;
	ck_assert(!cn_care_of(cn, &local, &home, &a));
	bind_at(&coa2, 1);
	bound_at(&coa2);
	ck_assert_uint_eq(cn_count(cn), 2);
	ck_assert(cn_care_of(cn, &first, &home, &a) && in6_equal(&a, &coa));
	ck_assert_uint_eq(cn_remove(cn, &local, &home), 1);
	bind_at(&coa2, 2);
	w.any_local = true;
	ck_assert_uint_eq(cn_remove(cn, &in6addr_any, &home), 2);
}
END_TEST

static bool nobody(void *ctx, const struct in6_addr *l, const struct in6_addr *h)
{
	(void)ctx;
	(void)l;
	(void)h;
	return false;
}

START_TEST(not_allowed)
{
	struct cn_config c = {.allowed = nobody};
	struct tokens t;
	struct bu b;

	start(&c, &ro);
	t = tests(&home, &coa);
	b = make_bu(&t, &coa, 1);
	send_bu(&b);
	expect_ba(&b, BA_PROHIBITED, true);
	no_binding();
}
END_TEST

/* 10.3.1: no home agent here; 9.5.1: and no change of the type of a binding */
START_TEST(home_registration)
{
	struct bu b = make_bu(NULL, &coa, 1);

	b.no_auth = true;
	b.flags = BU_F_A | BU_F_H;
	send_bu(&b);
	expect_ba(&b, BA_NO_HOME_REGISTRATION, false);
	bind_at(&coa, 1);
	b.seq = 2;
	send_bu(&b);
	expect_ba(&b, BA_TYPE_CHANGE, false);
	bound_at(&coa);
}
END_TEST

START_TEST(kernel_refuses)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	w.peer_set_err = -ENOBUFS;
	send_bu(&b);
	expect_ba(&b, BA_RESOURCES, true);
	no_binding();
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	w.peer_set_err = 0;
	send_bu(&b); /* nothing was kept */
	expect_ba(&b, BA_ACCEPTED, true);
	/* a move that fails: better none than the old place */
	w.peer_set_err = -ENOBUFS;
	t.care_of = test(MH_COTI, &coa2, &t.care_of_index);
	b = make_bu(&t, &coa2, 2);
	send_bu(&b);
	expect_ba(&b, BA_RESOURCES, true);
	no_binding();
	ck_assert_str_eq(w.gone.text, "the direct path cannot be set");
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

/* ---- tests ---- */

static void send_init(
	const struct in6_addr *src, const struct in6_addr *dst, unsigned flags, uint8_t type)
{
	struct mh_message m = {.type = type};
	uint8_t data[64];
	struct mip6_packet p = {
		.src = *src, .dst = *dst, .src_coa = coa, .flags = flags, .data = data};

	p.len = mh_build(&m, data, sizeof(data));
	cn_receive_mh(cn, &p);
}

START_TEST(tests_that_are_ignored)
{
	static const char *const bad[] = {"::", "::1", "ff0e::1", "fe80::1", "::ffff:192.0.2.1"};
	struct in6_addr a;

	send_init(&home, &local, MIP6_PKT_HAO, MH_HOTI); /* 9.4.1 */
	send_init(&home, &local, MIP6_PKT_HAO, MH_COTI);
	send_init(&local, &local, 0, MH_COTI);
	send_init(&other, &local, 0, MH_COTI);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		inet_pton(AF_INET6, bad[i], &a);
		send_init(&a, &local, 0, MH_HOTI);
		send_init(&home, &a, 0, MH_HOTI);
	}
	ck_assert_uint_eq(w.n_sent, 0);
	send_init(&home, &local, MIP6_PKT_TUNNELED, MH_HOTI);
	ck_assert_uint_eq(w.n_sent, 1);
}
END_TEST

/* 5.2.5: nothing is kept, so the answer to the same question is the same */
START_TEST(tests_without_state)
{
	struct tokens t = tests(&home, &coa), again;

	again = tests(&home, &coa);
	ck_assert_uint_eq(t.home, again.home);
	ck_assert_uint_eq(t.care_of, again.care_of);
	ck_assert_uint_ne(t.home, t.care_of);
	pass_s(31);
	again = tests(&home, &coa);
	ck_assert_uint_ne(t.home_index, again.home_index);
	ck_assert_uint_ne(t.home, again.home);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
}
END_TEST

/* A flood from (or for) one prefix does not shut out others, and ends. */
START_TEST(tests_are_limited)
{
	struct in6_addr a = coa;
	uint64_t limited;

	for (unsigned i = 0; i < 100000; i++) {
		a.s6_addr[15] = (uint8_t)i;
		a.s6_addr[14] = (uint8_t)(i >> 8);
		send_init(&a, &local, 0, MH_COTI);
	}
	ck_assert_uint_le(cn_stats(cn)->cot_sent, 400);
	ck_assert_uint_ge(cn_stats(cn)->cot_sent, 100);
	limited = cn_stats(cn)->tests_limited;
	ck_assert_uint_ge(limited, 99600);
	tests(&home, &coa2);
	ck_assert_uint_eq(cn_stats(cn)->tests_limited, limited);
	pass_s(1);
	tests(&home, &coa);
}
END_TEST

START_TEST(refusals_are_limited)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	t.home_index = (uint16_t)(t.home_index + 50);
	for (int i = 0; i < 1000; i++)
		send_bu(&b);
	ck_assert_uint_le(cn_stats(cn)->ba_sent, 100);
	ck_assert_uint_ge(cn_stats(cn)->ba_sent, 20);
	ck_assert_uint_eq(cn_stats(cn)->refused, 1000);
}
END_TEST

/* ---- errors ---- */

START_TEST(unknown_type)
{
	uint8_t data[8] = {59, 0, 99};
	struct mip6_packet p = {.src = home,
		.src_coa = coa,
		.dst = local,
		.flags = MIP6_PKT_HAO,
		.data = data,
		.len = sizeof(data)};
	const struct sent *s;

	cn_receive_mh(cn, &p);
	s = last_sent();
	ck_assert_uint_eq(s->m.type, MH_BE);
	ck_assert_uint_eq(s->m.u.be.status, BE_UNKNOWN_MH_TYPE);
	ck_assert(in6_equal(&s->m.u.be.home_address, &home));
	ck_assert(in6_equal(&s->p.dst, &coa)); /* from the wire, 9.3.3 */
	ck_assert_uint_eq(s->p.flags, 0);
	p.flags = 0;
	cn_receive_mh(cn, &p);
	ck_assert(in6_is_any(&last_sent()->m.u.be.home_address));
	ck_assert(in6_equal(&last_sent()->p.dst, &home));
	ck_assert_uint_eq(w.n_sent, 2);
	p.src = (struct in6_addr){{{0xff, 0x0e}}};
	cn_receive_mh(cn, &p);
	p.src = home;
	p.dst = (struct in6_addr){{{0xff, 0x0e}}};
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(w.n_sent, 2);
	ck_assert_uint_eq(cn_stats(cn)->unknown_type, 4);
}
END_TEST

START_TEST(parameter_problem)
{
	uint8_t data[16] = {58, 1, MH_HOTI};
	struct mip6_packet p = {.src = coa, .dst = local, .data = data, .len = sizeof(data)};
	struct icmp6_error e;

	cn_receive_mh(cn, &p);
	ck_assert(last_sent()->icmp6);
	ck_assert_uint_eq(last_sent()->data[0], ICMP6T_PARAM_PROBLEM);
	ck_assert_uint_eq(last_sent()->data[7], 40); /* Payload Proto */
	data[0] = 59;
	data[1] = 0;
	p.len = 8;
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(last_sent()->data[7], 41); /* Header Len */
	ck_assert_uint_eq(w.n_sent, 2);
	p.flags = MIP6_PKT_PROTECTED;
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(w.n_sent, 2);
	ck_assert_uint_eq(cn_stats(cn)->malformed, 3);
	/* from and to what stood in the IPv6 header, and that is what is quoted */
	p.flags = MIP6_PKT_HAO | MIP6_PKT_RH2;
	p.src = home;
	p.src_coa = coa;
	p.dst_coa = coa2;
	cn_receive_mh(cn, &p);
	ck_assert(in6_equal(&last_sent()->p.src, &coa2) && in6_equal(&last_sent()->p.dst, &coa));
	ck_assert(icmp6_error_parse(last_sent()->data, last_sent()->p.len, &e));
	ck_assert(in6_equal(&e.src, &coa) && in6_equal(&e.dst, &coa2));
	ck_assert(e.has_hao && in6_equal(&e.hao, &home));
	ck_assert(e.has_rh2 && in6_equal(&e.rh2, &local));
	ck_assert_uint_eq(e.info, e.proto_offset + 1);
}
END_TEST

/* 9.3.1 */
START_TEST(unverified_home_address)
{
	const struct sent *s;

	cn_unverified_home_address(cn, &local, &home, &coa);
	s = last_sent();
	ck_assert_uint_eq(s->m.type, MH_BE);
	ck_assert_uint_eq(s->m.u.be.status, BE_UNKNOWN_BINDING);
	ck_assert(in6_equal(&s->m.u.be.home_address, &home));
	ck_assert(in6_equal(&s->p.dst, &coa) && in6_equal(&s->p.src, &local));
	bind_at(&coa, 1);
	w.n_sent = 0;
	cn_unverified_home_address(cn, &local, &home, &coa); /* bound meanwhile */
	ck_assert_uint_eq(w.n_sent, 0);
	for (int i = 0; i < 1000; i++)
		cn_unverified_home_address(cn, &local, &home, &coa2);
	ck_assert_uint_le(w.n_sent, 100);
	ck_assert_uint_gt(cn_stats(cn)->be_limited, 0);
}
END_TEST

static void unreachable(uint8_t code, const struct in6_addr *to, const struct in6_addr *rh2)
{
	struct icmp6_error e = {.type = ICMP6T_UNREACHABLE,
		.code = code,
		.src = local,
		.dst = *to,
		.has_rh2 = rh2 != NULL,
		.rh2 = rh2 ? *rh2 : home};

	cn_icmp_error(cn, &e);
}

/* 9.3.4: "only persistent ICMP messages lead to the deletion" */
START_TEST(unreachable_care_of_address)
{
	bind_at(&coa, 1);
	for (int i = 0; i < 1000; i++)
		unreachable(3, &coa, &home); /* many, but all at once */
	bound_at(&coa);
	for (int i = 0; i < 10; i++) {
		pass_s(31);
		unreachable(3, &coa, &home); /* now and then */
	}
	bound_at(&coa);
	for (int i = 0; i < 10; i++) {
		pass_s(2);
		unreachable(4, &coa, &home); /* not the address */
		unreachable(0, &coa2, &home);
		unreachable(0, &coa, &coa2);
		unreachable(0, &coa, NULL);
	}
	bound_at(&coa);
	pass_s(31);
	unreachable(0, &coa, &home);
	pass_s(6);
	unreachable(0, &coa, &home); /* two */
	bound_at(&coa);
	pass_s(31);
	for (int i = 0; i < 4; i++) {
		pass_s(2);
		unreachable(0, &coa, &home);
	}
	bind_at(&coa, 2); /* it is there, says a Binding Update */
	unreachable(0, &coa, &home);
	bound_at(&coa);
	pass_s(31);
	for (int i = 0; i < 5; i++) {
		pass_s(2);
		unreachable(0, &coa, &home);
	}
	no_binding();
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_GONE);
}
END_TEST

/* Of a mobile node that is a correspondent: its own care-of address is the source on the wire. */
START_TEST(unreachable_from_a_care_of_address)
{
	struct icmp6_error e = {.type = ICMP6T_UNREACHABLE,
		.src = coa2,
		.dst = coa,
		.has_rh2 = true,
		.rh2 = home,
		.has_hao = true,
		.hao = local};

	bind_at(&coa, 1);
	for (int i = 0; i < 5; i++) {
		pass_s(2);
		cn_icmp_error(cn, &e);
	}
	no_binding();
}
END_TEST

/* ---- refresh ---- */

START_TEST(refresh_request)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &coa, 2);

	w.n_sent = 0;
	w.idle_s = 1;
	pass_s(389);
	ck_assert_uint_eq(w.n_sent, 0);
	pass_s(1);
	ck_assert_uint_eq(w.n_sent, 1);
	ck_assert_uint_eq(last_sent()->m.type, MH_BRR);
	ck_assert(in6_equal(&last_sent()->p.dst, &home));
	ck_assert(in6_equal(&last_sent()->p.dst_coa, &coa));
	ck_assert_uint_eq(last_sent()->p.flags, MIP6_PKT_RH2);
	pass_s(29);
	ck_assert_uint_eq(w.n_sent, 3); /* and no more */
	t = tests(&home, &coa);
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	w.n_sent = 0;
	pass_s(380); /* 9.5.5: the Binding Update ends it */
	ck_assert_uint_eq(w.n_sent, 0);
	w.idle_s = 100;
	pass_s(39);
	ck_assert_uint_eq(w.n_sent, 0);
	bound_at(&coa);
	pass_s(1);
	no_binding();
	w.idle_s = 1;
	bind_at(&coa, 3);
	w.n_sent = 0;
	pass_s(400);
	ck_assert_uint_eq(w.n_sent, 2);
	bind_at(&coa, 4);
	w.n_sent = 0;
	pass_s(419);
	ck_assert_uint_eq(w.n_sent, 3);
}
END_TEST

START_TEST(no_refresh_request_for_what_is_gone)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 2);

	b.lifetime = 25;
	send_bu(&b);
	w.n_sent = 0;
	w.idle_s = 1;
	pass_s(1);
	ck_assert_uint_eq(cn_remove(cn, &local, &home), 1);
	pass_s(300);
	ck_assert_uint_eq(w.n_sent, 0);
}
END_TEST

/* ---- room ---- */

static uint8_t bind_nth(unsigned i, uint16_t lifetime, uint16_t seq)
{
	struct in6_addr h, c = coa;
	struct tokens t;
	struct bu b;

	inet_pton(AF_INET6, "2001:db8:1::", &h);
	h.s6_addr[14] = (uint8_t)(i >> 8);
	h.s6_addr[15] = (uint8_t)i;
	t = tests(&h, &c);
	b = make_bu(&t, &coa, seq);
	b.home = &h;
	b.lifetime = lifetime;
	send_bu(&b);
	return last_sent()->m.u.ba.status;
}

START_TEST(full_of_bindings_in_use)
{
	struct cn_config c = {.max_bindings = 20};

	start(&c, &ro);
	w.idle_s = 2;
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
	pass_s(100);
	for (unsigned i = 21; i <= 40; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_RESOURCES);
	ck_assert_uint_eq(cn_count(cn), 20);
	ck_assert_uint_eq(bind_nth(5, 105, 2), BA_ACCEPTED); /* a refresh needs no room */
	ck_assert_uint_eq(cn_stats(cn)->evicted, 0);
	/* those that are unused give way, but not as soon as they are made */
	w.idle_s = -1;
	ck_assert_uint_eq(bind_nth(41, 105, 1), BA_ACCEPTED);
	ck_assert_uint_eq(cn_stats(cn)->evicted, 1);
	ck_assert_uint_eq(cn_count(cn), 20);
}
END_TEST

START_TEST(full_of_new_bindings)
{
	struct cn_config c = {.max_bindings = 20};

	start(&c, &ro);
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
	ck_assert_uint_eq(bind_nth(21, 105, 1), BA_RESOURCES);
	w.idle_s = 1000; /* from before the binding */
	ck_assert_uint_eq(bind_nth(21, 105, 1), BA_RESOURCES);
	start(&c, &ro_blind);
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
	pass_s(100); /* nobody knows which of them are in use: all stay */
	ck_assert_uint_eq(bind_nth(21, 105, 1), BA_RESOURCES);
}
END_TEST

/* Entries that are kept for their sequence number are limited as well, and leave. */
START_TEST(full_of_forgotten_bindings)
{
	struct cn_config c = {.max_bindings = 20};
	struct bu shared = make_bu(NULL, &coa, 1);

	start(&c, &ro);
	for (unsigned i = 1; i <= 40; i++) {
		ck_assert_uint_eq(bind_nth(i, 1, 1), BA_ACCEPTED);
		pass_s(4);
	}
	ck_assert_uint_eq(cn_count(cn), 0);
	ck_assert_uint_eq(bind_nth(41, 1, 1), BA_RESOURCES);
	ck_assert_uint_eq(bind_nth(7, 1, 2), BA_ACCEPTED);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	shared.s = &shared_data;
	send_bu(&shared);
	expect_ba(&shared, BA_ACCEPTED, true);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, NULL, -1), 0);
	pass_s(240);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	ck_assert_uint_eq(bind_nth(41, 1, 1), BA_ACCEPTED);
}
END_TEST

/* ---- RFC 4449 ---- */

/* The peer takes its binding back when it hears that what the secret was for is over. */
START_TEST(shared_closed)
{
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	cn_shared_close(cn, &local, &home);
	ck_assert_uint_eq(cn_count(cn), 0);
	ck_assert_str_eq(w.gone.text, "what it was for has ended");
	b.seq = 11; /* it has not heard */
	send_bu(&b);
	expect_ba(&b, BA_PROHIBITED, true);
	ck_assert_uint_eq(cn_count(cn), 0);
	b.seq = 12;
	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.seq = 13;
	b.lifetime = 10;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
}
END_TEST

START_TEST(shared_kbm)
{
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	b.lifetime = 1000;
	memset(w.order, 0, sizeof(w.order));
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 1000);
	ck_assert_str_eq(w.order, "skm"); /* stored, in the kernel, promised */
	ck_assert_int_eq(w.stored_seq, 10);
	bound_at(&coa);
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 10);
	b.seq = 11;
	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(w.stored_seq, 11);
	no_binding();
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

/* Section 3: "SHOULD be ignored", and not answered with 136 to 138 */
START_TEST(shared_with_nonce_indices)
{
	struct tokens any = {.home_index = 1, .care_of_index = 2};
	struct bu b = make_bu(&any, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	b.bad_auth = true;
	b.seq = 11;
	expect_silence(&b);
}
END_TEST

START_TEST(shared_after_restart)
{
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, 10), 0);
	b.s = &shared_data;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 10);
	no_binding();
	b.seq = 11;
	send_bu(&b);
	bound_at(&coa);
}
END_TEST

/* Configured once more: a number that was used is used; with other data it is not. */
START_TEST(shared_set_again)
{
	struct rr_shared changed = shared_data;
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	send_bu(&b);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	bound_at(&coa);
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, 20), 0);
	b.seq = 20;
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	changed.care_of_nonce[0] ^= 1;
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &changed, -1), 0);
	no_binding();
	b.s = &changed;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
}
END_TEST

/* Section 4: no bidding down */
START_TEST(shared_pair_without_its_key)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &coa, 2);
	size_t before;

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	no_binding(); /* it was authorized by less */
	expect_silence(&b);
	before = w.n_sent;
	send_init(&home, &local, 0, MH_HOTI);
	ck_assert_uint_eq(w.n_sent, before);
	/* and back */
	b.t = NULL;
	b.s = &shared_data;
	send_bu(&b);
	bound_at(&coa);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, NULL, 0), 0);
	no_binding();
	b.seq = 3;
	expect_silence(&b);
	bind_at(&coa, 3);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, NULL, 0), 0);
	bound_at(&coa);
}
END_TEST

START_TEST(shared_data_that_is_refused)
{
	struct rr_shared s = shared_data;

	s.kcn_len = 19;
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &s, -1), -EINVAL);
	s = shared_data;
	s.home_nonce_len = RR_MAX_SECRET + 1;
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &s, -1), -EINVAL);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	ck_assert_int_eq(cn_shared_set(cn, &other, &home, &shared_data, -1), 0);
	ck_assert_int_eq(cn_shared_set(cn, &local, &coa, &shared_data, -1), -EEXIST);
}
END_TEST

START_TEST(shared_has_room)
{
	struct cn_config c = {.max_bindings = 1, .max_shared_lifetime_s = 40};
	struct bu b = make_bu(NULL, &coa, 10);

	start(&c, &ro);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	ck_assert_uint_eq(bind_nth(1, 105, 1), BA_ACCEPTED);
	b.s = &shared_data;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 10);
	ck_assert_uint_eq(cn_count(cn), 2);
}
END_TEST

/* And is never the one that gives way */
START_TEST(shared_stays)
{
	struct cn_config c = {.max_bindings = 2};
	struct bu b = make_bu(NULL, &coa, 10);

	start(&c, &ro);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	b.lifetime = 1000;
	send_bu(&b);
	pass_s(1000);
	for (unsigned i = 1; i < 3; i++) {
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
		pass_s(200);
	}
	ck_assert_uint_eq(cn_stats(cn)->evicted, 1);
	w.peer_coa = coa;
	bound_at(&coa);
}
END_TEST

/* ---- the rest ---- */

static bool count_info(void *arg, const struct cn_binding_info *i)
{
	size_t *n = arg;

	ck_assert(in6_equal(&i->home_address, &home) && in6_equal(&i->local, &local));
	ck_assert(in6_equal(&i->care_of, &coa));
	ck_assert_uint_eq(i->lifetime_s, 420);
	ck_assert_uint_eq(i->remaining_s, 400);
	ck_assert_uint_eq(i->age_s, 20);
	ck_assert_uint_eq(i->seq, 3);
	ck_assert(!i->shared);
	++*n;
	return true;
}

START_TEST(asked_and_withdrawn)
{
	size_t n = 0;

	bind_at(&coa, 3);
	pass_s(20);
	cn_foreach(cn, count_info, &n);
	ck_assert_uint_eq(n, 1);
	cn_withdraw(cn);
	no_binding();
	w.n_sent = 0;
	send_init(&home, &local, 0, MH_HOTI);
	cn_unverified_home_address(cn, &local, &home, &coa);
	ck_assert_uint_eq(w.n_sent, 0);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
}
END_TEST

START_TEST(wanted)
{
	uint8_t data[16] = {59, 1, MH_BU};
	struct mip6_packet p = {.data = data, .len = sizeof(data)};

	ck_assert(cn_wants(&p));
	data[8] = BU_F_H >> 8;
	ck_assert(!cn_wants(&p));
	data[2] = MH_COTI;
	ck_assert(cn_wants(&p));
	data[2] = MH_HOTI;
	ck_assert(cn_wants(&p));
	data[2] = MH_HOT;
	ck_assert(!cn_wants(&p));
	data[2] = MH_BU;
	p.len = 8;
	ck_assert(!cn_wants(&p));
	p.len = 2;
	ck_assert(!cn_wants(&p));
}
END_TEST

int main(void)
{
	const TTest *const all[] = {register_and_move, no_acknowledgement_asked_for,
		alternate_care_of_address, lifetime_is_capped, deletion, deletion_from_home,
		deletion_of_nothing, unauthorized, tokens_do_not_stand_for_each_other,
		sequence_numbers, expired_nonces, token_lives_as_long_as_promised,
		replay_after_deletion, replay_after_a_short_lifetime, replay_with_the_younger_nonce,
		addresses_that_cannot_be, home_address_of_ours, care_of_address_that_cannot_serve,
		not_allowed, two_addresses_of_ours, home_registration, kernel_refuses,
		tests_that_are_ignored, tests_without_state, tests_are_limited,
		refusals_are_limited, unknown_type, parameter_problem, unverified_home_address,
		unreachable_care_of_address, unreachable_from_a_care_of_address, refresh_request,
		no_refresh_request_for_what_is_gone, full_of_bindings_in_use, full_of_new_bindings,
		full_of_forgotten_bindings, shared_closed, shared_kbm, shared_with_nonce_indices, shared_set_again,
		shared_after_restart, shared_pair_without_its_key, shared_data_that_is_refused,
		shared_has_room, shared_stays, asked_and_withdrawn, wanted};
	Suite *s = suite_create("cn");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		tcase_add_test(t, all[i]);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
