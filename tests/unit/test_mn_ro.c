/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Route optimization of the mobile node: two mobile nodes, each a
 * correspondent as well, and any number of plain correspondents
 * (2001:db8:c::/64) that one core plays.  What they send is kept in a queue
 * until run() delivers it, so a test can look, drop, swap and forge.  The home
 * agent is a line that says yes.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/mn.h"
#include "tests/quiet.h"

#define MAX_SENT 512
#define PEERS 16

struct sent {
	int from; /* node, or -1: a plain correspondent */
	bool queued;
	monotime_t when;
	struct mip6_packet p;
	struct mh_message m;
	uint8_t data[128];
};

struct world;
struct node {
	struct world *w;
	int number;
	struct mn *mn;
	struct cn *cn;
	struct mip6_env env;
	struct in6_addr home, care_of;
	struct in6_addr
		path; /* of Binding Updates to the peer: the care-of address in the kernel's state */
	struct { /* what the kernel was told */
		struct in6_addr peer, care_of;
		bool own, receive;
	} peers[PEERS];
	size_t n_peers, watched, unwatched;
	int stored_seq;
	int64_t idle_s;
	unsigned started;
	const char *why; /* of the last EV_RO_STARTED or EV_RO_TUNNEL */
	bool silent; /* its home agent does not answer */
	struct in6_addr bound; /* of a peer, in its correspondent's kernel */
};

struct world {
	monotime_t now;
	struct timerq *timers;
	uint64_t random;
	struct node nodes[2];
	struct cn *far;
	struct mip6_env far_env;
	size_t n_sent;
	struct sent sent[MAX_SENT];
};

static struct world *w;
static struct in6_addr agent, peer;
static const struct ro_ops ro_ops;
static const struct mn_ops mn_ops;

static struct in6_addr in6(const char *s)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, s, &a), 1);
	return a;
}

/* ---- environment ---- */

static monotime_t env_now(void *ctx)
{
	(void)ctx;
	return w->now;
}

static void env_random(void *ctx, void *to, size_t n)
{
	uint8_t *p = to;

	(void)ctx;
	while (n--) {
		w->random = w->random * 6364136223846793005u + 1442695040888963407u;
		*p++ = (uint8_t)(w->random >> 56);
	}
}

static int put(int from, const struct mip6_packet *p)
{
	struct sent *s = &w->sent[w->n_sent++];

	ck_assert_uint_lt(w->n_sent, MAX_SENT);
	ck_assert_uint_le(p->len, sizeof(s->data));
	*s = (struct sent){.from = from, .queued = true, .when = w->now, .p = *p};
	memcpy(s->data, p->data, p->len);
	s->p.data = s->data;
	ck_assert_int_eq(mh_parse(s->data, p->len, &s->m, NULL), MH_OK);
	return 0;
}

static int node_send(void *ctx, const struct mip6_packet *p)
{
	return put(((struct node *)ctx)->number, p);
}

static int far_send(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	return put(-1, p);
}

static int no_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	(void)p;
	return 0;
}

static void node_event(void *ctx, const struct mip6_event *e)
{
	struct node *n = ctx;

	n->started += e->type == EV_RO_STARTED;
	if (e->type == EV_RO_STARTED || e->type == EV_RO_TUNNEL)
		n->why = e->text;
}

static void far_event(void *ctx, const struct mip6_event *e)
{
	(void)ctx;
	(void)e;
}

/* ---- delivery ---- */

static void home_agent_answers(const struct sent *s)
{
	struct node *n = &w->nodes[s->from];
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {.src = agent, .dst = n->home, .dst_coa = s->p.src_coa, .data = buf};

	if (s->m.type != MH_BU || n->silent)
		return;
	if (s->p.flags & MIP6_PKT_HAO)
		p.flags = MIP6_PKT_RH2;
	m.u.ba.seq = s->m.u.bu.seq;
	m.u.ba.lifetime = s->m.u.bu.lifetime;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(n->mn, &p);
}

static void at_node(struct node *n, struct mip6_packet *p)
{
	if (cn_wants(p))
		cn_receive_mh(n->cn, p);
	else
		mn_receive_mh(n->mn, p);
}

static void deliver(struct sent *s)
{
	struct mip6_packet p = s->p;
	struct in6_addr to = p.flags & MIP6_PKT_RH2 ? p.dst_coa : p.dst, far = in6("2001:db8:c::");

	s->queued = false;
	if (in6_equal(&to, &agent))
		home_agent_answers(s);
	else if (in6_in_prefix(&to, &far, 64))
		cn_receive_mh(w->far, &p);
	for (int i = 0; i < 2; i++) {
		struct node *n = &w->nodes[i];

		if (in6_equal(&to, &n->home))
			p.flags |= MIP6_PKT_TUNNELED;
		if (n->mn && (in6_equal(&to, &n->home) || in6_equal(&to, &n->care_of)))
			at_node(n, &p);
	}
}

/* All that is under way, and what follows from it. */
static void run(void)
{
	for (size_t i = 0; i < w->n_sent; i++)
		if (w->sent[i].queued)
			deliver(&w->sent[i]);
}

static void forget(void)
{
	w->n_sent = 0;
}

static void drop_all(void)
{
	for (size_t i = 0; i < w->n_sent; i++)
		w->sent[i].queued = false;
}

/* Time goes by; deliver: what is sent arrives at once. */
static void wait_(int64_t ms, bool deliver_all)
{
	monotime_t end = mono_add_ms(w->now, ms);

	for (;;) {
		monotime_t t = timerq_next(w->timers);

		if (mono_before(end, t))
			break;
		if (mono_before(w->now, t))
			w->now = t;
		timerq_run(w->timers, w->now);
		if (deliver_all)
			run();
		else
			drop_all();
	}
	w->now = end;
}

static bool to_peer(const struct sent *s, int from, uint8_t type)
{
	return s->from == from && s->m.type == type && !in6_equal(&s->p.dst, &agent);
}

static size_t count(int from, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += to_peer(&w->sent[i], from, type);
	return n;
}

/* The nth (from 0) of a type that this one sent to a correspondent. */
static struct sent *nth(int from, uint8_t type, size_t n)
{
	for (size_t i = 0; i < w->n_sent; i++)
		if (to_peer(&w->sent[i], from, type) && n-- == 0)
			return &w->sent[i];
	ck_abort_msg("not sent");
	return NULL;
}

/* ---- life ---- */

static void attach(struct node *n, const char *prefix)
{
	struct icmp6_message m = {.type = ICMP6T_RA};
	uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(n->number + 1)}, buf[256];
	struct mip6_packet p = {.src = in6("fe80::a"),
		.dst = in6_all_nodes,
		.ifindex = 1,
		.hop_limit = 255,
		.data = buf};
	struct mn_info i;

	p.src.s6_addr[15] = in6(prefix).s6_addr[5];
	m.u.ra.lifetime_s = 1800;
	m.u.ra.slla.len = 6;
	m.u.ra.n_prefixes = 1;
	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = in6(prefix),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = 86400,
		.preferred_s = 14400};
	p.len = icmp6_build(&m, buf, sizeof(buf));
	mn_link_event(n->mn, 1, false, NULL, false);
	mn_link_event(n->mn, 1, true, mac, true);
	mn_receive_icmp6(n->mn, &p);
	mn_info(n->mn, &i);
	n->care_of = i.care_of;
}

static void node_start(struct node *n, const struct mn_ro_config *ro)
{
	struct mn_config c = {.home_address = n->home,
		.home_prefix = {in6("2001:db8:1::"), 64},
		.home_agent = agent,
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 2000,
		.n_interfaces = 1,
		.interfaces = {{1, 1}}};

	n->mn = mn_new(&c, &n->env, &mn_ops, n);
	ck_assert_int_eq(mn_ro_enable(n->mn, ro, &ro_ops, n, n->cn), 0);
	attach(n, "2001:db8:a::");
	run();
}

static struct mn_ro_config rules(void)
{
	return (struct mn_ro_config){.n_rules = 2,
		.rules = {{.prefix = {in6("2001:db8:c:0:bad::"), 80}, .when = MN_RO_NEVER},
			{.when = MN_RO_ALWAYS}}};
}

static void setup(void)
{
	struct cn_config cc = {.max_lifetime_s = 420};
	struct mn_ro_config ro = rules();

	log_setup("test", LOGL_ERROR);
	w = calloc(1, sizeof(*w));
	w->now.us = 1000000000;
	w->timers = timerq_new();
	agent = in6("2001:db8:1::1000");
	peer = in6("2001:db8:c::1");
	for (int i = 0; i < 2; i++) {
		struct node *n = &w->nodes[i];

		*n = (struct node){
			.w = w, .number = i, .home = in6("2001:db8:1::100"), .stored_seq = -1};
		n->home.s6_addr[15] = (uint8_t)i;
		n->env = (struct mip6_env){.ctx = n,
			.timers = w->timers,
			.now = env_now,
			.random = env_random,
			.send_mh = node_send,
			.send_icmp6 = no_icmp6,
			.event = node_event};
		n->cn = cn_new(&cc, &n->env, &ro_ops, n, NULL);
	}
	w->far_env = w->nodes[0].env;
	w->far_env.send_mh = far_send;
	w->far_env.event = far_event;
	w->far = cn_new(&cc, &w->far_env, &ro_ops, &w->nodes[1], NULL);
	node_start(&w->nodes[0], &ro);
	wait_(2000, true);
	forget();
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++) {
		mn_free(w->nodes[i].mn);
		cn_free(w->nodes[i].cn);
	}
	cn_free(w->far);
	ck_assert_int_eq(timerq_next(w->timers).us, MONOTIME_NEVER.us);
	timerq_free(w->timers);
	free(w);
}

/* ---- kernel ---- */

static size_t slot(struct node *n, const struct in6_addr *p)
{
	size_t i;

	for (i = 0; i < n->n_peers; i++)
		if (in6_equal(&n->peers[i].peer, p))
			return i;
	ck_assert_uint_lt(n->n_peers, PEERS);
	n->peers[n->n_peers].peer = *p;
	return n->n_peers++;
}

static int op_peer_set(void *ctx, const struct in6_addr *local, const struct in6_addr *p,
	const struct in6_addr *care_of)
{
	(void)local;
	(void)p;
	((struct node *)ctx)->bound = care_of ? *care_of : in6addr_any;
	return 0;
}

static int op_own_set(void *ctx, const struct in6_addr *local, const struct in6_addr *p,
	const struct in6_addr *care_of)
{
	struct node *n = ctx;
	size_t i = slot(n, p);

	ck_assert(in6_equal(local, &n->home));
	n->peers[i].own = care_of;
	if (care_of)
		n->peers[i].care_of = *care_of;
	return 0;
}

static int op_receive_set(
	void *ctx, const struct in6_addr *local, const struct in6_addr *p, bool on)
{
	struct node *n = ctx;

	(void)local;
	n->peers[slot(n, p)].receive = on;
	return 0;
}

static int64_t op_idle_s(void *ctx, const struct in6_addr *local, const struct in6_addr *p)
{
	(void)local;
	(void)p;
	return ((struct node *)ctx)->idle_s;
}

static const struct ro_ops ro_ops = {.peer_set = op_peer_set,
	.own_set = op_own_set,
	.receive_set = op_receive_set,
	.idle_s = op_idle_s};

/* The tunnel moves: what goes directly has been withdrawn. */
static int op_tunnel_set(void *ctx, const struct in6_addr *home, const struct in6_addr *ha,
	const struct in6_addr *coa, bool hold)
{
	const struct node *n = ctx;

	(void)home, (void)ha, (void)hold;
	for (size_t i = 0; i < n->n_peers; i++)
		ck_assert(!n->peers[i].own || (coa && in6_equal(coa, &n->peers[i].care_of)));
	return 0;
}

static int op_watch(void *ctx, const struct in6_addr *p, bool on)
{
	struct node *n = ctx;

	(void)p;
	n->watched += on;
	n->unwatched += !on;
	return 0;
}

static void op_sequence(
	void *ctx, const struct in6_addr *home, const struct in6_addr *p, uint16_t seq)
{
	(void)home, (void)p;
	((struct node *)ctx)->stored_seq = seq;
}

static int op_path_set(void *ctx, const struct in6_addr *home, const struct in6_addr *p,
	const struct in6_addr *care_of)
{
	(void)home;
	if (in6_equal(p, &peer))
		((struct node *)ctx)->path = *care_of;
	return 0;
}

static int op_path_del(void *ctx, const struct in6_addr *home, const struct in6_addr *p)
{
	(void)home;
	if (in6_equal(p, &peer))
		((struct node *)ctx)->path = in6addr_any;
	return 0;
}

static const struct mn_ops mn_ops = {.address_set = quiet_address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.bu_path_set = op_path_set,
	.bu_path_del = op_path_del,
	.tunnel_set = op_tunnel_set,
	.ro_watch = op_watch,
	.store_sequence = op_sequence,
	.store_binding = quiet_store_binding};

/* ---- helpers ---- */

#define A (&w->nodes[0])
#define B (&w->nodes[1])

static const struct in6_addr *wanted_peer;

static bool take(void *arg, const struct mn_ro_info *i)
{
	if (!in6_equal(&i->peer, wanted_peer))
		return true;
	*(struct mn_ro_info *)arg = *i;
	return false;
}

static struct mn_ro_info info(const struct node *n, const struct in6_addr *p)
{
	struct mn_ro_info i = {.last_status = -2};

	wanted_peer = p;
	mn_ro_foreach(n->mn, take, &i);
	ck_assert_int_ne(i.last_status, -2);
	return i;
}

static void bind_peer(void)
{
	mn_traffic(A->mn, &peer);
	run();
	ck_assert(info(A, &peer).direct);
}

/* An answer to the last Binding Update, made with its key by who sees the tokens. */
static void forge_ba(const struct sent *bu, uint8_t status, uint16_t seq, const uint8_t *kbm)
{
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {.src = bu->p.dst,
		.dst = A->home,
		.dst_coa = bu->p.src_coa,
		.flags = MIP6_PKT_RH2,
		.data = buf};

	m.u.ba.status = status;
	m.u.ba.seq = seq;
	m.u.ba.lifetime = 100;
	if (kbm)
		mh_option_add(&m, MHOPT_AUTH_DATA)->u.auth_data.len = RR_AUTH_LEN;
	p.len = mh_build(&m, buf, sizeof(buf));
	if (kbm)
		ck_assert(rr_authenticator(kbm, &bu->p.src_coa, &bu->p.dst, buf, p.len,
			p.len - RR_AUTH_LEN, RR_AUTH_LEN, buf + p.len - RR_AUTH_LEN));
	mn_receive_mh(A->mn, &p);
}

static void kbm_of_last_test(uint8_t kbm[RR_KBM_LEN])
{
	rr_kbm(nth(-1, MH_HOT, 0)->m.u.test.token, &nth(-1, MH_COT, 0)->m.u.test.token, kbm);
}

/* Up to the Binding Update, which is not delivered. */
static struct sent *until_update(uint8_t kbm[RR_KBM_LEN])
{
	mn_traffic(A->mn, &peer);
	deliver(nth(0, MH_HOTI, 0));
	deliver(nth(0, MH_COTI, 0));
	deliver(nth(-1, MH_HOT, 0));
	deliver(nth(-1, MH_COT, 0));
	kbm_of_last_test(kbm);
	return nth(0, MH_BU, 0);
}

/* ---- peers ---- */

START_TEST(who_may_be_a_peer)
{
	static const char *const none[] = {"fe80::1", "ff02::1", "::1", "::", "2001:db8:1::1000",
		"2001:db8:1::100", "2001:db8:c:0:bad::1"};
	struct in6_addr a;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		a = in6(none[i]);
		if (i == 5)
			a = A->home;
		mn_traffic(A->mn, &a);
	}
	mn_traffic(A->mn, &A->care_of);
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	ck_assert_uint_eq(w->n_sent, 0);
	/* By hand the rules do not count, the rest does. */
	a = in6(none[6]);
	ck_assert_int_eq(mn_ro_command(A->mn, &a, MN_RO_ON), 0);
	ck_assert_int_eq(mn_ro_command(A->mn, &agent, MN_RO_ON), -EINVAL);
	ck_assert_int_eq(mn_ro_command(A->mn, &peer, MN_RO_FLUSH), -ENOENT);
	bind_peer();
	ck_assert_uint_eq(A->unwatched, 2);
}
END_TEST

static struct in6_addr numbered(unsigned i)
{
	struct in6_addr a = in6("2001:db8:c::");

	a.s6_addr[14] = (uint8_t)(i >> 8);
	a.s6_addr[15] = (uint8_t)i;
	return a;
}

/* The list is full: the longest idle makes room, and one that is in use does not. */
START_TEST(full)
{
	struct mn_ro_config ro = rules();
	struct in6_addr a, b = numbered(2), c = numbered(3), d = numbered(4);

	ro.max_correspondents = 2;
	node_start(B, &ro);
	a = numbered(1);
	mn_traffic(B->mn, &a);
	run();
	wait_(70000, true);
	mn_traffic(B->mn, &b);
	run();
	ck_assert_uint_eq(mn_ro_count(B->mn), 2);
	/* both in use */
	mn_traffic(B->mn, &c);
	ck_assert_uint_eq(mn_ro_count(B->mn), 2);
	ck_assert_int_eq(mn_ro_command(B->mn, &c, MN_RO_ON), -ENOSPC);
	/* a for longest without traffic */
	B->idle_s = 1000;
	forget();
	mn_traffic(B->mn, &c);
	ck_assert_uint_eq(mn_ro_count(B->mn), 2);
	ck_assert(info(B, &b).direct);
	ck_assert_uint_eq(nth(1, MH_BU, 0)->m.u.bu.lifetime, 0);
	ck_assert(in6_equal(&nth(1, MH_BU, 0)->p.dst, &a));
	ck_assert(!B->peers[slot(B, &a)].own && !B->peers[slot(B, &a)].receive);
	run();
	ck_assert_int_eq(mn_ro_command(B->mn, &b, MN_RO_ON), 0);
	ck_assert_int_eq(mn_ro_command(B->mn, &c, MN_RO_ON), 0);
	ck_assert_int_eq(mn_ro_command(B->mn, &d, MN_RO_ON), -ENOSPC);
}
END_TEST

START_TEST(creation_is_limited)
{
	for (unsigned i = 1; i <= 200; i++) {
		struct in6_addr a = numbered(i);

		mn_traffic(A->mn, &a);
		forget();
	}
	ck_assert_uint_ge(mn_ro_count(A->mn), 32);
	ck_assert_uint_le(mn_ro_count(A->mn), 100);
}
END_TEST

/* ---- tests ---- */

static void hot(const struct sent *hoti, unsigned flags, uint64_t change)
{
	struct mh_message m = {.type = MH_HOT};
	uint8_t buf[64];
	struct mip6_packet p = {.src = peer, .dst = A->home, .flags = flags, .data = buf};

	m.u.test.cookie = hoti->m.u.init.cookie ^ change;
	m.u.test.token = 5;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(A->mn, &p);
}

/* 11.6.2: away only by the tunnel, with our cookie, and once. */
START_TEST(home_test_is_judged)
{
	const struct sent *hoti;

	mn_traffic(A->mn, &peer);
	hoti = nth(0, MH_HOTI, 0);
	hot(hoti, 0, 0);
	hot(hoti, MIP6_PKT_TUNNELED, 1);
	ck_assert_uint_eq(mn_stats(A->mn)->tests_ignored, 2);
	ck_assert_int_eq(info(A, &peer).home_token_age_s, -1);
	hot(hoti, MIP6_PKT_TUNNELED, 0);
	ck_assert_int_eq(info(A, &peer).home_token_age_s, 0);
	hot(hoti, MIP6_PKT_TUNNELED, 0);
	ck_assert_uint_eq(mn_stats(A->mn)->tests_ignored, 3);
}
END_TEST

/* A second transmission has another cookie; the answer to the first is still good. */
START_TEST(late_home_test)
{
	const struct sent *hoti;

	mn_traffic(A->mn, &peer);
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	hoti = nth(0, MH_HOTI, 0);
	ck_assert(hoti->m.u.init.cookie != nth(0, MH_HOTI, 1)->m.u.init.cookie);
	hot(hoti, MIP6_PKT_TUNNELED, 0);
	ck_assert_int_eq(info(A, &peer).home_token_age_s, 0);
}
END_TEST

/*
 * The first registration takes longer than a second: the home agent has
 * dropped the first Home Test Init, so the next does not wait for its time.
 */
START_TEST(registered_late)
{
	struct mn_ro_config ro = rules();

	B->silent = true;
	node_start(B, &ro);
	drop_all();
	ck_assert_int_eq(mn_ro_command(B->mn, &peer, MN_RO_ON), 0);
	wait_(2600, false);
	ck_assert_uint_eq(count(1, MH_HOTI), 2);
	B->silent = false;
	for (size_t i = 0; i < w->n_sent; i++)
		if (w->sent[i].from == 1 && in6_equal(&w->sent[i].p.dst, &agent))
			home_agent_answers(&w->sent[i]);
	ck_assert_uint_eq(count(1, MH_HOTI), 3);
	run();
	wait_(2000, true);
	ck_assert(info(B, &peer).direct);
}
END_TEST

/* ---- answers ---- */

START_TEST(refused)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);

	forge_ba(bu, BA_PROHIBITED, bu->m.u.bu.seq, NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	forge_ba(bu, BA_PROHIBITED, (uint16_t)(bu->m.u.bu.seq + 1), kbm);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	forge_ba(bu, BA_PROHIBITED, bu->m.u.bu.seq, kbm);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_int_eq(info(A, &peer).last_status, BA_PROHIBITED);
	ck_assert_uint_eq(mn_stats(A->mn)->ro_refused, 1);
	ck_assert_int_eq(info(A, &peer).next_ms, 60000);
	drop_all();
	mn_traffic(A->mn, &peer);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	/* By hand at once; then the pause has its first length again. */
	ck_assert_int_eq(mn_ro_command(A->mn, &peer, MN_RO_ON), 0);
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* The pause grows. */
START_TEST(refused_again)
{
	int64_t pause = 60000;

	for (int i = 0; i < 3; i++) {
		mn_traffic(A->mn, &peer);
		wait_(15000, false);
		ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
		ck_assert_int_eq(info(A, &peer).next_ms, pause);
		wait_(pause, false);
		ck_assert_int_eq(info(A, &peer).state, MN_RO_IDLE);
		pause *= 2;
		forget();
	}
}
END_TEST

/* 135: its number is taken when it is authentic; the next is greater. */
START_TEST(sequence_number_is_taken)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);
	uint16_t seq = bu->m.u.bu.seq;

	forge_ba(bu, BA_SEQUENCE, (uint16_t)(seq + 100), NULL);
	ck_assert_uint_eq(info(A, &peer).seq, seq);
	/* of an older one: nothing new */
	forge_ba(bu, BA_SEQUENCE, (uint16_t)(seq - 5), kbm);
	ck_assert_uint_eq(info(A, &peer).seq, seq);
	ck_assert_uint_eq(count(0, MH_BU), 1);
	forge_ba(bu, BA_SEQUENCE, (uint16_t)(seq + 100), kbm);
	ck_assert_uint_eq(count(0, MH_BU), 2);
	ck_assert_uint_eq(nth(0, MH_BU, 1)->m.u.bu.seq, (uint16_t)(seq + 101));
	deliver(nth(0, MH_BU, 1));
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* A deletion that is refused is left to time. */
START_TEST(deletion_refused)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent bu;

	mn_traffic(A->mn, &peer);
	run();
	rr_kbm(nth(-1, MH_HOT, 0)->m.u.test.token, NULL, kbm);
	forget();
	ck_assert_int_eq(mn_ro_command(A->mn, &peer, MN_RO_OFF), 0);
	ck_assert_str_eq(A->why, "by hand");
	ck_assert_int_eq(info(A, &peer).state, MN_RO_DELETING);
	bu = *nth(0, MH_BU, 0);
	/* 6.2.7: in its authenticator the care-of address is the home address */
	bu.p.src_coa = A->home;
	forge_ba(&bu, BA_PROHIBITED, bu.m.u.bu.seq, kbm);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_IDLE);
	ck_assert(!A->peers[slot(A, &peer)].own && !A->peers[slot(A, &peer)].receive);
}
END_TEST

/* 138 needs no authenticator: new tests, but not again and again. */
START_TEST(nonces_expired)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);

	forge_ba(bu, BA_NONCES_EXPIRED, (uint16_t)(bu->m.u.bu.seq + 1), NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	forge_ba(bu, BA_NONCES_EXPIRED, bu->m.u.bu.seq, NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_TESTING);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	ck_assert_uint_eq(count(0, MH_COTI), 2);
	deliver(nth(0, MH_HOTI, 1));
	deliver(nth(0, MH_COTI, 1));
	deliver(nth(-1, MH_HOT, 1));
	deliver(nth(-1, MH_COT, 1));
	bu = nth(0, MH_BU, 1);
	forge_ba(bu, BA_NONCES_EXPIRED, bu->m.u.bu.seq, NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* 136 and 137 cost one test each. */
START_TEST(one_nonce_expired)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);

	forge_ba(bu, BA_HOME_NONCE_EXPIRED, bu->m.u.bu.seq, NULL);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	ck_assert_uint_eq(count(0, MH_COTI), 1);
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* ---- what others say ---- */

static struct icmp6_error problem(const struct sent *s, uint8_t code)
{
	struct icmp6_error e = {.type = 4,
		.code = code,
		.src = s->p.src,
		.dst = s->p.dst,
		.proto = 135,
		.mh_type = s->m.type};

	if (s->m.type == MH_HOTI || s->m.type == MH_COTI)
		e.mh_cookie = s->m.u.init.cookie;
	if (s->p.flags & MIP6_PKT_HAO) {
		e.has_hao = true;
		e.hao = s->p.src;
		e.src = s->p.src_coa;
	}
	return e;
}

START_TEST(parameter_problem)
{
	struct icmp6_error e;

	mn_traffic(A->mn, &peer);
	e = problem(nth(0, MH_COTI, 0), 1);
	e.mh_cookie ^= 1;
	mn_icmp_error(A->mn, &e);
	e.mh_cookie ^= 1;
	e.code = 2;
	mn_icmp_error(A->mn, &e);
	e.code = 1;
	e.type = 1;
	mn_icmp_error(A->mn, &e);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_TESTING);
	e.type = 4;
	mn_icmp_error(A->mn, &e);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	/* 11.3.5: no entries from errors */
	e.dst.s6_addr[15] = 77;
	mn_icmp_error(A->mn, &e);
	ck_assert_uint_eq(mn_ro_count(A->mn), 1);
}
END_TEST

START_TEST(parameter_problem_for_an_update)
{
	uint8_t kbm[RR_KBM_LEN];
	struct icmp6_error e = problem(until_update(kbm), 1);

	mn_icmp_error(A->mn, &e);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
}
END_TEST

/* For the home agent it counts only when it has not answered so far. */
START_TEST(parameter_problem_of_the_home_agent)
{
	struct icmp6_error e = {.type = 4,
		.code = 1,
		.src = A->care_of,
		.dst = agent,
		.has_hao = true,
		.hao = A->home,
		.proto = 135,
		.mh_type = MH_BU};
	struct mn_ro_config ro = rules();
	struct mn_info i;

	mn_icmp_error(A->mn, &e);
	mn_info(A->mn, &i);
	ck_assert_int_eq(i.registration, MN_REG_REGISTERED);
	B->silent = true;
	node_start(B, &ro);
	mn_icmp_error(B->mn, &e);
	mn_info(B->mn, &i);
	ck_assert_int_eq(i.registration, MN_REG_PENDING);
	wait_(2000, true);
	mn_icmp_error(B->mn, &e);
	mn_info(B->mn, &i);
	ck_assert_int_eq(i.registration, MN_REG_REFUSED);
}
END_TEST

static void say(uint8_t type, uint8_t status)
{
	struct mh_message m = {.type = type};
	uint8_t buf[64];
	struct mip6_packet p = {.src = peer, .dst = A->care_of, .data = buf};

	if (type == MH_BE) {
		m.u.be.status = status;
		m.u.be.home_address = A->home;
	} else {
		p.dst = A->home;
		p.dst_coa = A->care_of;
		p.flags = MIP6_PKT_RH2;
	}
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(A->mn, &p);
}

START_TEST(binding_errors)
{
	/* nobody that we know */
	say(MH_BE, BE_UNKNOWN_BINDING);
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	bind_peer();
	/* status 2, and nothing is expected (11.3.6) */
	say(MH_BE, BE_UNKNOWN_MH_TYPE);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_BOUND);
	forget();
	say(MH_BE, BE_UNKNOWN_BINDING);
	ck_assert(!A->peers[slot(A, &peer)].own);
	ck_assert_uint_eq(count(0, MH_HOTI), 1);
	/* while the tests run, status 2 is the answer of one that does not know them */
	say(MH_BE, BE_UNKNOWN_MH_TYPE);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_uint_eq(mn_stats(A->mn)->be_received, 3);
}
END_TEST

START_TEST(refresh_requests)
{
	say(MH_BRR, 0);
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	bind_peer();
	wait_(10000, true);
	forget();
	for (int i = 0; i < 50; i++) {
		say(MH_BRR, 0);
		run();
		wait_(100, true);
	}
	ck_assert_uint_eq(count(0, MH_BU), 1);
	ck_assert_uint_eq(info(A, &peer).lifetime_s, 420);
	ck_assert(info(A, &peer).direct);
	/* not in use: let it expire */
	A->idle_s = 1000;
	wait_(61000, true);
	forget();
	say(MH_BRR, 0);
	ck_assert_uint_eq(count(0, MH_BU), 0);
}
END_TEST

/* ---- a shared Kbm (RFC 4449) ---- */

static struct rr_shared shared(void)
{
	struct rr_shared s = {.kcn_len = 20, .home_nonce_len = 8, .care_of_nonce_len = 8};

	memset(s.kcn, 1, 20);
	memset(s.home_nonce, 2, 8);
	memset(s.care_of_nonce, 3, 8);
	return s;
}

/* Who shares a secret is asked again sooner. */
START_TEST(shared_pause)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_traffic(A->mn, &peer);
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_int_eq(info(A, &peer).next_ms, 5000);
}
END_TEST

START_TEST(shared_kbm)
{
	struct rr_shared s = shared(), bad = s;
	const struct sent *bu;

	bad.kcn_len = 19;
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &bad, -1), -EINVAL);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, 41), 0);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, 41), 0);
	mn_traffic(A->mn, &peer);
	/* at once, without tests; the number goes on from the stored one and is stored */
	ck_assert_uint_eq(count(0, MH_HOTI) + count(0, MH_COTI), 0);
	bu = nth(0, MH_BU, 0);
	ck_assert_uint_eq(bu->m.u.bu.seq, 42);
	ck_assert_int_eq(A->stored_seq, 42);
	ck_assert_ptr_null(mh_option(&bu->m, MHOPT_NONCE_INDICES));
	run();
	ck_assert(info(A, &peer).direct && info(A, &peer).shared);
	/* a move: the same */
	forget();
	attach(A, "2001:db8:b::");
	ck_assert_uint_eq(count(0, MH_BU), 1);
	run();
	ck_assert(info(A, &peer).direct);
	ck_assert_uint_eq(count(0, MH_HOTI) + count(0, MH_COTI), 0);
	ck_assert_int_eq(A->stored_seq, 43);
	/* forgotten and back: numbers are not used again */
	ck_assert_int_eq(mn_ro_because(A->mn, &peer, MN_RO_ON, "a session with it"), 0);
	ck_assert(!info(A, &peer).manual_on);
	ck_assert_int_eq(mn_ro_because(A->mn, &peer, MN_RO_FLUSH, "the session has ended"), 0);
	ck_assert_str_eq(A->why, "the session has ended");
	run();
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	forget();
	mn_traffic(A->mn, &peer);
	ck_assert_uint_eq(nth(0, MH_BU, 0)->m.u.bu.seq, 45);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, NULL, -1), 0);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_TESTING);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, NULL, -1), -ENOENT);
}
END_TEST

/* 11.8: however often the node moves, three of a type in a second; in the end the last place counts. */
static void hectic(void)
{
	for (int i = 0; i < 12; i++) {
		attach(A, i % 2 ? "2001:db8:b::" : "2001:db8:d::");
		wait_(50, true);
	}
	wait_(3000, true);
}

static unsigned most_in_a_second(uint8_t type)
{
	unsigned most = 0;

	for (size_t i = 0; i < w->n_sent; i++) {
		unsigned n = 0;

		for (size_t j = i; j < w->n_sent; j++)
			n += to_peer(&w->sent[i], 0, type) && to_peer(&w->sent[j], 0, type) &&
			     mono_diff_ms(w->sent[j].when, w->sent[i].when) < 1000;
		if (n > most)
			most = n;
	}
	return most;
}

static void direct_from_here(void)
{
	ck_assert(info(A, &peer).direct);
	ck_assert(in6_equal(&A->peers[slot(A, &peer)].care_of, &A->care_of));
}

START_TEST(test_rate)
{
	mn_traffic(A->mn, &peer);
	drop_all();
	for (int i = 0; i < 12; i++) {
		attach(A, i % 2 ? "2001:db8:b::" : "2001:db8:d::");
		wait_(50, false);
	}
	ck_assert_uint_eq(most_in_a_second(MH_COTI), 3);
	ck_assert_uint_le(most_in_a_second(MH_HOTI), 3);
	wait_(10000, true);
	direct_from_here();
}
END_TEST

START_TEST(update_rate)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, -1), 0);
	bind_peer();
	wait_(2000, true);
	forget();
	hectic();
	ck_assert_uint_eq(most_in_a_second(MH_BU), 3);
	direct_from_here();
}
END_TEST

/* ---- both are mobile ---- */

static void both(void)
{
	struct mn_ro_config ro = rules();

	node_start(B, &ro);
	wait_(2000, true);
	forget();
	mn_traffic(A->mn, &B->home);
	mn_traffic(B->mn, &A->home);
	run();
	ck_assert(info(A, &B->home).direct && info(B, &A->home).direct);
	ck_assert(in6_equal(&B->bound, &A->care_of));
	wait_(2000, true);
	forget();
}

START_TEST(two_copies)
{
	const struct sent *one, *other;
	struct in6_addr old;

	both();
	old = B->care_of;
	attach(A, "2001:db8:b::");
	ck_assert_uint_eq(count(0, MH_COTI), 2);
	one = nth(0, MH_COTI, 0);
	other = nth(0, MH_COTI, 1);
	ck_assert(one->p.flags & MIP6_PKT_RH2 && in6_equal(&one->p.dst_coa, &old));
	ck_assert_uint_eq(other->p.flags, 0);
	ck_assert(in6_equal(&other->p.dst, &B->home));
	run();
	ck_assert_uint_eq(count(0, MH_BU), 2);
	one = nth(0, MH_BU, 0);
	other = nth(0, MH_BU, 1);
	ck_assert(one->p.flags == (MIP6_PKT_RH2 | MIP6_PKT_HAO));
	ck_assert(other->p.flags == MIP6_PKT_HAO);
	ck_assert_uint_ne(one->m.u.bu.seq, other->m.u.bu.seq);
	ck_assert(info(A, &B->home).direct);
	ck_assert(in6_equal(&B->bound, &A->care_of));
}
END_TEST

/* The copies come in the other order, and the answers as well: 135 does no harm. */
START_TEST(copies_in_the_other_order)
{
	struct sent *first, *second;

	both();
	attach(A, "2001:db8:b::");
	deliver(nth(0, MH_COTI, 0));
	deliver(nth(1, MH_COT, 0));
	first = nth(0, MH_BU, 0);
	second = nth(0, MH_BU, 1);
	deliver(second);
	deliver(first);
	ck_assert_uint_eq(count(1, MH_BA), 2);
	ck_assert_uint_eq(nth(1, MH_BA, 1)->m.u.ba.status, BA_SEQUENCE);
	deliver(nth(1, MH_BA, 1));
	ck_assert_uint_eq(count(0, MH_BU), 2);
	ck_assert_int_eq(info(A, &B->home).state, MN_RO_UPDATING);
	deliver(nth(1, MH_BA, 0));
	ck_assert(info(A, &B->home).direct);
	run();
	ck_assert_int_eq(info(A, &B->home).state, MN_RO_BOUND);
	ck_assert_uint_eq(count(0, MH_BU), 2);
}
END_TEST

/* Both move in the same moment: the copies to the home addresses find them. */
/* All is ESP: what goes directly leaves from the new place before anybody has answered; else by the tunnel until then. */
START_TEST(sealed)
{
	struct rr_shared s = shared();
	struct mn_ro_info there;

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, 41), 0);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, 41), 0);
	mn_traffic(A->mn, &peer);
	run();
	mn_ro_sealed(A->mn, &peer, true);
	attach(A, "2001:db8:b::");
	direct_from_here();
	run();
	direct_from_here();
	there = info(A, &peer);
	ck_assert(in6_equal(&there.care_of, &A->care_of));
	mn_ro_sealed(A->mn, &peer, false);
	attach(A, "2001:db8:d::");
	ck_assert(!info(A, &peer).direct);
	run();
	direct_from_here();
}
END_TEST

/* Policies with an optional template would use the state of a path that nobody updates any more. */
START_TEST(no_path_of_the_past)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_traffic(A->mn, &peer);
	wait_(500, false);
	ck_assert(in6_equal(&A->path, &A->care_of));
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert(in6_is_any(&A->path));
}
END_TEST

/* One that has SAs with us is there: what it did not answer was lost. */
START_TEST(sealed_pause)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_traffic(A->mn, &peer);
	mn_ro_sealed(A->mn, &peer, true);
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_int_eq(info(A, &peer).next_ms, 1000);
	mn_traffic(A->mn, &peer);
	wait_(1000, false);
	mn_traffic(A->mn, &peer);
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).next_ms, 2000);
}
END_TEST

/* Its Binding Update has come here: the way is there, and what was sent before is said again. */
START_TEST(sealed_and_heard)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_ro_command(A->mn, &peer, MN_RO_ON);
	mn_ro_sealed(A->mn, &peer, true);
	wait_(500, false);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 1); /* its answer may be under way */
	mn_ro_sealed(A->mn, &peer, false);
	wait_(3500, false);
	ck_assert_uint_eq(count(0, MH_BU), 3);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 3); /* without SAs it may be anybody's traffic */
	mn_ro_sealed(A->mn, &peer, true);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 4);
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_BU), 5);
	for (int i = 0; i < 10; i++)
		mn_ro_heard(A->mn, &peer);
	wait_(1900, false);
	ck_assert_uint_eq(count(0, MH_BU), 5);
	wait_(12100, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	mn_ro_heard(A->mn, &peer);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, -1), 0);
	wait_(1500, true);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_BOUND);
	forget();
	wait_(6000, true);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 0);
}
END_TEST

/* Each retransmission, not the first transmission alone, goes both ways. */
START_TEST(copies_again)
{
	both();
	attach(A, "2001:db8:b::");
	deliver(nth(0, MH_COTI, 0));
	deliver(nth(1, MH_COT, 0));
	drop_all();
	forget();
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_BU), 2);
	ck_assert(nth(0, MH_BU, 0)->p.flags & MIP6_PKT_RH2);
	ck_assert(!(nth(0, MH_BU, 1)->p.flags & MIP6_PKT_RH2));
	wait_(2000, false);
	ck_assert_uint_eq(count(0, MH_BU), 4);
	ck_assert_uint_le(most_in_a_second(MH_BU), 3);
}
END_TEST

START_TEST(both_move)
{
	both();
	attach(A, "2001:db8:b::");
	attach(B, "2001:db8:b::");
	run();
	ck_assert(info(A, &B->home).direct && info(B, &A->home).direct);
	ck_assert(in6_equal(&B->bound, &A->care_of) && in6_equal(&A->bound, &B->care_of));
	/* without a timer */
	ck_assert_uint_eq(count(0, MH_COTI), 2);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {who_may_be_a_peer, full, creation_is_limited,
		home_test_is_judged, late_home_test, registered_late, refused, refused_again,
		sequence_number_is_taken, nonces_expired, one_nonce_expired, deletion_refused,
		parameter_problem, parameter_problem_for_an_update,
		parameter_problem_of_the_home_agent, binding_errors, refresh_requests, shared_kbm,
		shared_pause, sealed, no_path_of_the_past, sealed_pause, sealed_and_heard,
		copies_again, test_rate, update_rate, two_copies, copies_in_the_other_order,
		both_move};
	Suite *s = suite_create("mn_ro");
	SRunner *r;
	int failed;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		TCase *t = tcase_create(all[i]->name);

		tcase_add_checked_fixture(t, setup, teardown);
		tcase_add_test(t, all[i]);
		suite_add_tcase(s, t);
	}
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
