/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A correspondent among hostile packets.  The input is a list of steps, each
 * an octet that says what happens and one that says how long the rest of it
 * is: packets as they are, packets that the harness gives the authenticator
 * of the tokens it was sent (or of a shared Kbm), time, ICMPv6 errors, reports.
 *
 * What must hold: the kernel has just the bindings that the cache has, there
 * are no more than allowed, nothing without an authenticator makes, moves or
 * deletes one, what is sent can be parsed, and at the end nothing is left.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/proto/cn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

#define MAX_BINDINGS 3
#define MAX_STEPS 200
#define N_ADDRS 8 /* a step names addresses by three bits */
#define LOCAL 7

enum step {
	STEP_RAW,
	STEP_SIGNED,
	STEP_INIT,
	STEP_UPDATE,
	STEP_TIME,
	STEP_ICMP,
	STEP_REPORT,
	STEP_SHARED,
	STEP_KERNEL,
	STEP_REMOVE,
	STEPS
};

struct world {
	monotime_t now;
	struct timerq *timers;
	struct cn *cn;
	struct in6_addr addrs[N_ADDRS];
	struct {
		uint64_t token;
		uint16_t index;
	} tokens[2][N_ADDRS]; /* home, care-of */
	struct in6_addr kernel[N_ADDRS]; /* care-of address of each peer, :: for none */
	bool kernel_fails;
	bool shared[N_ADDRS];
	int64_t idle_s;
	uint8_t random;
};

static const struct rr_shared shared_data = {.kcn = "0123456789abcdefghij",
	.kcn_len = 20,
	.home_nonce = "h",
	.home_nonce_len = 1,
	.care_of_nonce = "c",
	.care_of_nonce_len = 1};

static int which(const struct world *w, const struct in6_addr *a)
{
	for (int i = 0; i < N_ADDRS; i++) {
		if (in6_equal(&w->addrs[i], a))
			return i;
	}
	return -1;
}

/* ---- the world ---- */

static monotime_t world_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void world_random(void *ctx, void *to, size_t n)
{
	struct world *w = ctx;

	for (uint8_t *p = to; n--; p++)
		*p = w->random++;
}

static int world_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct mh_message m;
	int to = which(w, &p->dst);

	REQUIRE(mh_parse(p->data, p->len, &m, NULL) == MH_OK && m.wire_len == p->len);
	REQUIRE(!IN6_IS_ADDR_MULTICAST(&p->dst) && !in6_is_any(&p->dst));
	REQUIRE(!IN6_IS_ADDR_MULTICAST(&p->src) && !in6_is_any(&p->src));
	if (m.type == MH_HOT || m.type == MH_COT) {
		REQUIRE(p->flags == 0 && in6_is_routable_unicast(&p->dst));
		if (to >= 0) {
			w->tokens[m.type == MH_COT][to].token = m.u.test.token;
			w->tokens[m.type == MH_COT][to].index = m.u.test.nonce_index;
		}
	}
	if (m.type == MH_BA && m.u.ba.status < BA_UNSPECIFIED)
		REQUIRE(mh_option(&m, MHOPT_AUTH_DATA));
	return 0;
}

static int world_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	REQUIRE(p->len >= 48 && p->len <= 1240 && p->data[0] == ICMP6T_PARAM_PROBLEM);
	return 0;
}

static int peer_set(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct world *w = ctx;
	int i = which(w, peer);

	REQUIRE(i >= 0 && in6_equal(local, &w->addrs[LOCAL]));
	if (care_of && w->kernel_fails)
		return -ENOBUFS;
	if (care_of)
		REQUIRE(in6_is_routable_unicast(care_of) && !in6_equal(care_of, peer));
	w->kernel[i] = care_of ? *care_of : in6addr_any;
	return 0;
}

static int64_t idle_s(void *ctx, const struct in6_addr *local, const struct in6_addr *peer)
{
	(void)local;
	(void)peer;
	return ((struct world *)ctx)->idle_s;
}

static bool check_one(void *arg, const struct cn_binding_info *i)
{
	struct world *w = arg;
	int at = which(w, &i->home_address);

	REQUIRE(at >= 0 && at != LOCAL && in6_equal(&w->kernel[at], &i->care_of));
	REQUIRE(i->remaining_s <= i->lifetime_s && (i->shared || i->lifetime_s <= 420));
	REQUIRE(i->shared == w->shared[at]);
	return true;
}

static void check(struct world *w)
{
	size_t in_kernel = 0, shared = 0;

	cn_foreach(w->cn, check_one, w);
	for (size_t i = 0; i < N_ADDRS; i++) {
		in_kernel += !in6_is_any(&w->kernel[i]);
		shared += w->shared[i];
	}
	REQUIRE(cn_count(w->cn) == in_kernel && in_kernel <= MAX_BINDINGS + shared);
}

/* ---- steps ---- */

static struct mip6_packet packet(const struct world *w, uint8_t who, uint8_t how)
{
	struct mip6_packet p = {.src = w->addrs[who & 7],
		.src_coa = w->addrs[who >> 3 & 7],
		.dst = w->addrs[LOCAL]};

	p.flags = how & (MIP6_PKT_HAO | MIP6_PKT_RH2 | MIP6_PKT_PROTECTED | MIP6_PKT_TUNNELED);
	if (how & 0x40)
		p.dst = w->addrs[who >> 5];
	if (p.flags & MIP6_PKT_RH2)
		p.dst_coa = w->addrs[who >> 4 & 7];
	return p;
}

static void raw(struct world *w, const uint8_t *in, size_t n)
{
	struct in6_addr before[N_ADDRS];
	struct mip6_packet p;
	uint8_t *exact;

	if (n < 2)
		return;
	p = packet(w, in[0], in[1]);
	exact = malloc(n - 2 ? n - 2 : 1);
	REQUIRE(exact);
	memcpy(exact, in + 2, n - 2);
	p.data = exact;
	p.len = n - 2;
	memcpy(before, w->kernel, sizeof(before));
	cn_wants(&p);
	cn_receive_mh(w->cn, &p);
	REQUIRE(memcmp(before, w->kernel, sizeof(before)) == 0);
	free(exact);
}

static void kbm_for(struct world *w, int home, int care_of, bool deletes, uint8_t *kbm)
{
	uint64_t c = w->tokens[1][care_of].token;

	if (w->shared[home])
		rr_shared_kbm(
			&shared_data, &w->addrs[home], deletes ? NULL : &w->addrs[care_of], kbm);
	else
		rr_kbm(w->tokens[0][home].token, deletes ? NULL : &c, kbm);
}

/* Give a Mobility Header with Binding Authorization Data the right one, and the right indices, and send it. */
static void sign_and_send(struct world *w, struct mip6_packet *p, uint8_t *mh)
{
	uint8_t kbm[RR_KBM_LEN], mac[RR_AUTH_LEN];
	const struct in6_addr *source = p->flags & MIP6_PKT_HAO ? &p->src_coa : &p->src;
	const struct mh_option *auth, *alt;
	struct mh_message m;
	int home = which(w, &p->src), care_of;
	bool deletes;

	if (mh_parse(mh, p->len, &m, NULL) != MH_OK || m.type != MH_BU)
		return;
	auth = mh_option(&m, MHOPT_AUTH_DATA);
	alt = mh_option(&m, MHOPT_ALT_COA);
	care_of = which(w, alt ? &alt->u.alt_coa : source);
	if (!auth || auth->u.auth_data.len != RR_AUTH_LEN || care_of < 0)
		return;
	deletes = !m.u.bu.lifetime || care_of == home;
	kbm_for(w, home, care_of, deletes, kbm);
	if (!rr_authenticator(kbm, &w->addrs[deletes ? home : care_of], &p->dst, mh, m.wire_len,
		    auth->u.auth_data.offset, RR_AUTH_LEN, mac))
		return;
	memcpy(mh + auth->u.auth_data.offset, mac, sizeof(mac));
	p->data = mh;
	cn_receive_mh(w->cn, p);
}

static void signed_raw(struct world *w, const uint8_t *in, size_t n)
{
	struct mip6_packet p;
	uint8_t *exact;

	if (n < 3)
		return;
	p = packet(w, in[0], in[1] & ~0x40);
	p.len = n - 2;
	exact = malloc(p.len);
	REQUIRE(exact);
	memcpy(exact, in + 2, p.len);
	sign_and_send(w, &p, exact);
	free(exact);
}

static void init(struct world *w, const uint8_t *in, size_t n)
{
	struct mh_message m = {.type = n && in[0] & 0x80 ? MH_COTI : MH_HOTI};
	struct mip6_packet p;
	uint8_t data[64];

	if (!n)
		return;
	p = packet(w, in[0] & 7, n > 1 ? in[1] : 0);
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	cn_receive_mh(w->cn, &p);
}

/* who, flags of the packet, sequence number, lifetime, Alternate Care-of Address if bit 7, flags of the BU */
static void update(struct world *w, const uint8_t *in, size_t n)
{
	struct mh_message m = {.type = MH_BU};
	struct mip6_packet p;
	struct mh_option *o;
	uint8_t data[128];
	int care_of;

	if (n < 6)
		return;
	p = packet(w, in[0], in[1] & ~0x40);
	m.u.bu.seq = (uint16_t)(in[2] << 8);
	m.u.bu.lifetime = in[3];
	m.u.bu.flags = (uint16_t)(in[5] << 8);
	care_of = p.flags & MIP6_PKT_HAO ? in[0] >> 3 & 7 : in[0] & 7;
	if (in[4] & 0x80) {
		care_of = in[4] & 7;
		mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = w->addrs[care_of];
	}
	o = mh_option_add(&m, MHOPT_NONCE_INDICES);
	o->u.nonce_indices.home = w->tokens[0][in[0] & 7].index;
	o->u.nonce_indices.care_of = w->tokens[1][care_of].index;
	mh_option_add(&m, MHOPT_AUTH_DATA)->u.auth_data.len = RR_AUTH_LEN;
	p.len = mh_build(&m, data, sizeof(data));
	sign_and_send(w, &p, data);
}

static void let_time_pass(struct world *w, int64_t s)
{
	monotime_t end = mono_add_s(w->now, s);

	while (!mono_before(end, timerq_next(w->timers))) {
		if (mono_before(w->now, timerq_next(w->timers)))
			w->now = timerq_next(w->timers);
		timerq_run(w->timers, w->now);
		check(w);
	}
	w->now = end;
}

static void icmp(struct world *w, const uint8_t *in, size_t n)
{
	struct icmp6_error e = {.type = ICMP6T_UNREACHABLE, .mh_type = -1};

	if (n == 2) {
		e.code = in[1] & 7;
		e.src = w->addrs[LOCAL];
		e.dst = w->addrs[in[0] >> 3 & 7];
		e.rh2 = w->addrs[in[0] & 7];
		e.has_rh2 = in[0] & 0x80;
	} else if (!icmp6_error_parse(in, n, &e)) {
		return;
	}
	cn_icmp_error(w->cn, &e);
}

static void one(struct world *w, uint8_t step, const uint8_t *in, size_t n)
{
	uint8_t first = n ? in[0] : 0;
	const struct in6_addr *who = &w->addrs[first & 7], *local = &w->addrs[LOCAL];

	switch ((enum step)(step % STEPS)) {
	case STEP_RAW:
		raw(w, in, n);
		break;
	case STEP_SIGNED:
		signed_raw(w, in, n);
		break;
	case STEP_INIT:
		init(w, in, n);
		break;
	case STEP_UPDATE:
		update(w, in, n);
		break;
	case STEP_TIME:
		let_time_pass(w, first);
		break;
	case STEP_ICMP:
		icmp(w, in, n);
		break;
	case STEP_REPORT:
		cn_unverified_home_address(w->cn, local, who, &w->addrs[first >> 3 & 7]);
		break;
	case STEP_SHARED:
		if (!cn_shared_set(w->cn, local, who, first & 0x80 ? &shared_data : NULL, -1))
			w->shared[first & 7] = first & 0x80;
		break;
	case STEP_KERNEL:
		w->kernel_fails = first & 1;
		w->idle_s = (first >> 1) - 1;
		break;
	case STEP_REMOVE:
		cn_remove(w->cn, first & 0x80 ? local : &in6addr_any, who);
		break;
	case STEPS:
		break;
	}
	check(w);
}

static void world_start(struct world *w, struct mip6_env *env)
{
	static const char *const addrs[N_ADDRS] = {"2001:db8:1::1", "2001:db8:1::2",
		"2001:db8:2::3", "2001:db8:a::1", "2001:db8:b::1", "fe80::1", "ff0e::1",
		"2001:db8:c::c"};
	static const struct ro_ops ro = {.peer_set = peer_set, .idle_s = idle_s};
	struct cn_config c = {.max_bindings = MAX_BINDINGS, .refresh = true};

	log_setup("fuzz", LOGL_ERROR);
	memset(w, 0, sizeof(*w));
	w->now = (monotime_t){1000000};
	for (size_t i = 0; i < N_ADDRS; i++)
		inet_pton(AF_INET6, addrs[i], &w->addrs[i]);
	w->timers = timerq_new();
	REQUIRE(w->timers);
	*env = (struct mip6_env){.ctx = w,
		.timers = w->timers,
		.now = world_now,
		.random = world_random,
		.send_mh = world_send_mh,
		.send_icmp6 = world_send_icmp6};
	w->cn = cn_new(&c, env, &ro, w, NULL);
	REQUIRE(w->cn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct mip6_env env;

	world_start(&w, &env);
	for (size_t i = 0; size >= 2 && i < MAX_STEPS; i++) {
		size_t n = data[1] < size - 2 ? data[1] : size - 2;

		one(&w, data[0], data + 2, n);
		data += 2 + n;
		size -= 2 + n;
	}
	cn_withdraw(w.cn);
	check(&w);
	REQUIRE(cn_count(w.cn) == 0 && timerq_next(w.timers).us == MONOTIME_NEVER.us);
	cn_free(w.cn);
	timerq_free(w.timers);
	return 0;
}
