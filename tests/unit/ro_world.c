/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/ro_world.h"

struct world;
struct world *w;
struct in6_addr agent, peer;
static const struct ro_ops ro_ops;
static const struct mn_ops mn_ops;

struct in6_addr in6(const char *s)
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

void home_agent_answers(const struct sent *s)
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

void deliver(struct sent *s)
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

void run(void)
{
	for (size_t i = 0; i < w->n_sent; i++)
		if (w->sent[i].queued)
			deliver(&w->sent[i]);
}

void forget(void)
{
	w->n_sent = 0;
}

void drop_all(void)
{
	for (size_t i = 0; i < w->n_sent; i++)
		w->sent[i].queued = false;
}

void wait_(int64_t ms, bool deliver_all)
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

bool to_peer(const struct sent *s, int from, uint8_t type)
{
	return s->from == from && s->m.type == type && !in6_equal(&s->p.dst, &agent);
}

size_t count(int from, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += to_peer(&w->sent[i], from, type);
	return n;
}

struct sent *nth(int from, uint8_t type, size_t n)
{
	for (size_t i = 0; i < w->n_sent; i++)
		if (to_peer(&w->sent[i], from, type) && n-- == 0)
			return &w->sent[i];
	ck_abort_msg("not sent");
	return NULL;
}

/* ---- life ---- */

void attach(struct node *n, const char *prefix)
{
	struct icmp6_message m = advert(in6(prefix));
	uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(n->number + 1)}, buf[256];
	struct mip6_packet p = {.src = in6("fe80::a"),
		.dst = in6_all_nodes,
		.ifindex = 1,
		.hop_limit = 255,
		.data = buf};
	struct mn_info i;

	p.src.s6_addr[15] = in6(prefix).s6_addr[5];
	p.len = icmp6_build(&m, buf, sizeof(buf));
	mn_link_event(n->mn, 1, false, NULL, false);
	mn_link_event(n->mn, 1, true, mac, true);
	mn_receive_icmp6(n->mn, &p);
	mn_info(n->mn, &i);
	n->care_of = i.care_of;
}

void node_start(struct node *n, const struct mn_ro_config *ro)
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

struct mn_ro_config rules(void)
{
	return (struct mn_ro_config){.n_rules = 2,
		.rules = {{.prefix = {in6("2001:db8:c:0:bad::"), 80}, .when = MN_RO_NEVER},
			{.when = MN_RO_ALWAYS}}};
}

void setup(void)
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

void teardown(void)
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

size_t slot(struct node *n, const struct in6_addr *p)
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

static const struct in6_addr *wanted_peer;

static bool take(void *arg, const struct mn_ro_info *i)
{
	if (!in6_equal(&i->peer, wanted_peer))
		return true;
	*(struct mn_ro_info *)arg = *i;
	return false;
}

struct mn_ro_info info(const struct node *n, const struct in6_addr *p)
{
	struct mn_ro_info i = {.last_status = -2};

	wanted_peer = p;
	mn_ro_foreach(n->mn, take, &i);
	ck_assert_int_ne(i.last_status, -2);
	return i;
}

void bind_peer(void)
{
	mn_traffic(A->mn, &peer);
	run();
	ck_assert(info(A, &peer).direct);
}
