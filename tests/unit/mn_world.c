/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdarg.h>

#include "lib/log.h"
#include "tests/pass.h"
#include "tests/unit/mn_world.h"

/* ---- names ---- */

struct in6_addr in6(const char *s)
{
	struct in6_addr a;

	ck_assert_msg(inet_pton(AF_INET6, s, &a) == 1, "%s", s);
	return a;
}

static const struct {
	const char *name, *addr;
} names[] = {
	{"::", "::"},
	{"HOA", "2001:db8:1::100"},
	{"HA", "2001:db8:1::1000"},
	{"HR", "fe80::1000"},
	{"RA", "fe80::a"},
	{"RB", "fe80::b"},
	{"RC", "fe80::c"},
	{"A1", "2001:db8:a::ff:fe00:1"},
	{"A2", "2001:db8:a::ff:fe00:2"},
	{"B1", "2001:db8:b::ff:fe00:1"},
	{"B2", "2001:db8:b::ff:fe00:2"},
	{"L1", "fe80::ff:fe00:1"},
	{"L2", "fe80::ff:fe00:2"},
	{"all-nodes", "ff02::1"},
	{"all-routers", "ff02::2"},
	{"sol(HOA)", "ff02::1:ff00:100"},
};

struct in6_addr named(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return in6(names[i].addr);
	return in6(name);
}

const char *name_of(const struct in6_addr *a)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct in6_addr b = in6(names[i].addr);

		if (memcmp(&b, a, sizeof(b)) == 0)
			return names[i].name;
	}
	return in6_str(a);
}

/* ---- what is written down ---- */

__attribute__((format(printf, 2, 3))) static void note(struct world *w, const char *fmt, ...)
{
	va_list ap;

	ck_assert_uint_lt(w->n, MAX_LINES);
	va_start(ap, fmt);
	vsnprintf(w->lines[w->n++], LINE, fmt, ap);
	va_end(ap);
}

static void show(const struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		fprintf(stderr, "%s %2zu  %s\n", i < w->seen ? " " : ">", i, w->lines[i]);
}

void expect_(struct world *w, int line, ...)
{
	va_list ap;
	const char *want;

	va_start(ap, line);
	while ((want = va_arg(ap, const char *)) != NULL) {
		if (w->seen == w->n || strcmp(w->lines[w->seen], want) != 0) {
			show(w);
			ck_abort_msg("line %d: want \"%s\", have \"%s\"", line, want,
				w->seen == w->n ? "(nothing)" : w->lines[w->seen]);
		}
		w->seen++;
	}
	va_end(ap);
	if (w->seen != w->n) {
		show(w);
		ck_abort_msg("line %d: also \"%s\"", line, w->lines[w->seen]);
	}
	w->seen = w->n = 0;
}

void forget(struct world *w)
{
	w->seen = w->n = 0;
}

unsigned count(const struct world *w, const char *prefix)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += strncmp(w->lines[i], prefix, strlen(prefix)) == 0;
	return n;
}

/* ---- the world ---- */

static monotime_t fake_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void fake_random(void *ctx, void *to, size_t n)
{
	struct world *w = ctx;

	if (n == 2 && w->fixed_random) {
		memcpy(to, &w->random_seq, 2);
		return;
	}
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)(w->random >> (8 * (i % 8)));
}

static void check_bu(struct world *w, const struct mh_message *m, const struct mip6_packet *p)
{
	const struct mh_option *alt = mh_option(m, MHOPT_ALT_COA);
	struct in6_addr hoa = named("HOA"), ha = named("HA");

	ck_assert_mem_eq(&p->src, &hoa, 16);
	ck_assert_mem_eq(&p->dst, &ha, 16);
	ck_assert(w->stored);
	ck_assert_uint_eq(w->stored_seq, m->u.bu.seq);
	ck_assert(!w->used[m->u.bu.seq]);
	w->used[m->u.bu.seq] = true;
	if (w->bus >= 3)
		ck_assert_int_ge(mono_diff_ms(w->now, w->bu_times[(w->bus - 3) % 1024]), 1000);
	w->bu_times[w->bus++ % 1024] = w->now;
	ck_assert((m->u.bu.flags & (BU_F_A | BU_F_H | BU_F_K)) == (BU_F_A | BU_F_H));
	if (p->flags & MIP6_PKT_HAO) {
		ck_assert(alt != NULL);
		ck_assert_mem_eq(&alt->u.alt_coa, &p->src_coa, 16);
		ck_assert_int_eq(p->ifindex, 0);
		w->bu_coa = p->src_coa;
	} else {
		ck_assert(alt == NULL);
		ck_assert_int_ne(p->ifindex, 0);
		ck_assert_uint_eq(m->u.bu.lifetime, 0);
		w->bu_coa = hoa;
		w->deregistered_here = true;
	}
	w->seq = m->u.bu.seq;
	w->lifetime = m->u.bu.lifetime;
	w->flags = m->u.bu.flags;
	note(w, "bu %s %u%s", name_of(&w->bu_coa), w->lifetime * 4, w->flags & BU_F_L ? " L" : "");
}

static int fake_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct mh_message m;

	ck_assert_int_eq(mh_parse(p->data, p->len, &m, NULL), MH_OK);
	if (w->fail_mh)
		return w->fail_mh;
	if (m.type == MH_BU) {
		check_bu(w, &m, p);
	} else {
		ck_assert_int_eq(m.type, MH_BE);
		ck_assert_int_eq(m.u.be.status, BE_UNKNOWN_MH_TYPE);
		w->be_sent++;
		w->be_home = m.u.be.home_address;
		note(w, "be %s>%s", name_of(&p->src), name_of(&p->dst));
	}
	return 0;
}

static int fake_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct icmp6_message m;

	ck_assert(icmp6_parse(p->data, p->len, &m));
	if (m.type == ICMP6T_MPS) {
		ck_assert(p->flags & MIP6_PKT_HAO);
		note(w, "mps %s", name_of(&p->src_coa));
		return 0;
	}
	ck_assert_int_eq(p->hop_limit, 255);
	if (w->fail_icmp6 && !in6_is_any(&p->src))
		return w->fail_icmp6;
	if (m.type == ICMP6T_RS) {
		ck_assert_str_eq(name_of(&p->dst), "all-routers");
		note(w, "rs %d %s%s", p->ifindex, name_of(&p->src), m.u.rs.slla.len ? " slla" : "");
	} else if (m.type == ICMP6T_NS) {
		note(w, "ns %d %s>%s %s", p->ifindex, name_of(&p->src), name_of(&p->dst),
			name_of(&m.u.ns.target));
	} else {
		ck_assert_int_eq(m.type, ICMP6T_NA);
		ck_assert(m.u.na.override && !m.u.na.solicited && !m.u.na.router);
		ck_assert_int_eq(m.u.na.tlla.len, 6);
		ck_assert_str_eq(name_of(&p->dst), "all-nodes");
		ck_assert_mem_eq(&p->src, &m.u.na.target, 16);
		note(w, "na %d %s", p->ifindex, name_of(&m.u.na.target));
	}
	return 0;
}

static void fake_event(void *ctx, const struct mip6_event *e)
{
	struct world *w = ctx;

	w->events[e->type]++;
	w->last = *e;
}

static int op_address_set(void *ctx, int ifindex, const struct in6_addr *a, uint8_t plen,
	unsigned flags, uint32_t preferred, uint32_t valid)
{
	struct world *w = ctx;

	ck_assert_int_eq(plen, 64);
	ck_assert_uint_le(preferred, valid);
	note(w, "addr %d %s%s%s", ifindex, name_of(a), flags & MN_ADDR_OPTIMISTIC ? " opt" : "",
		flags & MN_ADDR_RENEW ? " again" : "");
	return w->fail_address;
}

static int op_address_del(void *ctx, int ifindex, const struct in6_addr *a, uint8_t plen)
{
	(void)plen;
	note(ctx, "addr- %d %s", ifindex, name_of(a));
	return 0;
}

static int op_link_local_renew(void *ctx, int ifindex, bool optimistic)
{
	note(ctx, "ll %d%s", ifindex, optimistic ? " opt" : "");
	return 0;
}

static int op_router_set(void *ctx, int ifindex, const struct in6_addr *router,
	const uint8_t *lladdr, size_t lladdr_len, const struct in6_addr *coa, uint32_t mtu,
	bool primary)
{
	(void)lladdr;
	(void)mtu;
	note(ctx, "route %d %s %s%s%s", ifindex, name_of(router), name_of(coa),
		primary ? " primary" : "", lladdr_len ? "" : " nolladdr");
	return 0;
}

static int op_router_del(void *ctx, int ifindex, const struct in6_addr *coa)
{
	note(ctx, "route- %d %s", ifindex, name_of(coa));
	return 0;
}

static int op_neighbour_set(
	void *ctx, int ifindex, const struct in6_addr *a, const uint8_t *lladdr, size_t len)
{
	ck_assert_uint_eq(len, 6);
	note(ctx, "neighbour %d %s %02x", ifindex, name_of(a), lladdr[5]);
	return 0;
}

static int op_bu_path_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *peer,
	const struct in6_addr *coa)
{
	(void)hoa;
	(void)peer;
	note(ctx, "bupath %s", name_of(coa));
	return 0;
}

static int op_bu_path_del(void *ctx, const struct in6_addr *hoa, const struct in6_addr *peer)
{
	(void)hoa;
	(void)peer;
	note(ctx, "bupath-");
	return 0;
}

static int op_tunnel_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *ha,
	const struct in6_addr *coa, bool hold)
{
	struct world *w = ctx;

	(void)hoa;
	(void)ha;
	w->held = hold;
	note(w, "tunnel %s %s", coa ? name_of(coa) : "none", hold ? "hold" : "go");
	return 0;
}

static int op_home_set(void *ctx, const struct in6_addr *hoa, uint8_t plen, int ifindex,
	const struct in6_addr *router, bool dad, bool hold)
{
	struct world *w = ctx;

	ck_assert_str_eq(name_of(hoa), "HOA");
	ck_assert_int_eq(plen, 64);
	w->held = hold;
	/* RFC 6275 11.5.5: MUST NOT before the de-registration; unless there was no binding */
	if (!hold && !dad && w->stored_remaining)
		ck_assert(w->deregistered_here);
	note(w, "home %d %s%s %s", ifindex, name_of(router), dad ? " dad" : "",
		hold ? "hold" : "go");
	return 0;
}

static int op_home_del(void *ctx, const struct in6_addr *hoa, int ifindex)
{
	struct world *w = ctx;

	(void)hoa;
	w->deregistered_here = false;
	note(w, "home- %d", ifindex);
	return 0;
}

static void op_store(void *ctx, const struct in6_addr *hoa, const struct in6_addr *ha,
	const struct in6_addr *coa, uint16_t seq, uint32_t remaining)
{
	struct world *w = ctx;

	(void)hoa;
	(void)ha;
	(void)coa;
	w->stored = true;
	w->stored_seq = seq;
	w->stored_remaining = remaining;
}

static const struct mn_ops ops = {
	.address_set = op_address_set,
	.address_del = op_address_del,
	.link_local_renew = op_link_local_renew,
	.router_set = op_router_set,
	.router_del = op_router_del,
	.neighbour_set = op_neighbour_set,
	.bu_path_set = op_bu_path_set,
	.bu_path_del = op_bu_path_del,
	.tunnel_set = op_tunnel_set,
	.home_set = op_home_set,
	.home_del = op_home_del,
	.store_binding = op_store,
};

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	log_setup("test", LOGL_ERROR);
	w->now.us = 1000000;
	w->random = 42;
	w->env = (struct mip6_env){
		.ctx = w,
		.timers = timerq_new(),
		.now = fake_now,
		.random = fake_random,
		.send_mh = fake_send_mh,
		.send_icmp6 = fake_send_icmp6,
		.event = fake_event,
	};
	w->config = (struct mn_config){
		.home_address = named("HOA"),
		.home_prefix = {in6("2001:db8:1::"), 64},
		.home_agent = named("HA"),
		.lifetime_s = 600,
		.uplink = MN_UPLINK_OPTIMISTIC,
		.optimistic_dad = true,
		.hold_ms = 2000,
		.n_interfaces = 2,
		.interfaces = {{1, 10}, {2, 5}},
	};
	return w;
}

void start(struct world *w)
{
	w->mn = mn_new(&w->config, &w->env, &ops, w);
	ck_assert(w->mn != NULL);
}

void world_free(struct world *w)
{
	mn_free(w->mn);
	ck_assert(timerq_next(w->env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w->env.timers);
	free(w);
}

void advance(struct world *w, int64_t ms)
{
	pass_time(w->env.timers, &w->now, ms);
}

/* ---- inputs ---- */

void up_(struct world *w, int ifindex, bool link_local)
{
	uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)ifindex};

	mn_link_event(w->mn, ifindex, true, mac, link_local);
}

void up(struct world *w, int ifindex)
{
	up_(w, ifindex, true);
}

void down(struct world *w, int ifindex)
{
	mn_link_event(w->mn, ifindex, false, NULL, false);
}

void address(struct world *w, int ifindex, const char *name, enum mn_address_state s)
{
	struct in6_addr a = named(name);

	mn_address_event(w->mn, ifindex, &a, s);
}

void coa_event(struct world *w, struct in6_addr a, enum mn_address_state s)
{
	mn_address_event(w->mn, 1, &a, s);
}

void icmp6(struct world *w, int ifindex, const char *src, const char *dst, int hops,
	const struct icmp6_message *m)
{
	uint8_t buf[1024];
	struct mip6_packet p = {
		.src = named(src),
		.dst = named(dst),
		.ifindex = ifindex,
		.hop_limit = (uint8_t)hops,
		.data = buf,
		.len = icmp6_build(m, buf, sizeof(buf)),
	};

	ck_assert_uint_gt(p.len, 0);
	mn_receive_icmp6(w->mn, &p);
}

struct icmp6_message ra_of(const char *prefix, uint8_t mac)
{
	struct icmp6_message m = {.type = ICMP6T_RA};

	m.u.ra.lifetime_s = 1800;
	if (mac) {
		m.u.ra.slla.len = 6;
		m.u.ra.slla.addr[5] = mac;
	}
	if (prefix) {
		m.u.ra.n_prefixes = 1;
		m.u.ra.prefixes[0] = (struct nd_prefix){
			.prefix = in6(prefix),
			.plen = 64,
			.on_link = true,
			.autonomous = true,
			.valid_s = 86400,
			.preferred_s = 14400,
		};
	}
	return m;
}

void ra(struct world *w, int ifindex, const char *src, const struct icmp6_message *m)
{
	icmp6(w, ifindex, src, "all-nodes", 255, m);
}

void ra_a(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	ra(w, ifindex, "RA", &m);
}

void ra_b(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:b::", 0xb);

	ra(w, ifindex, "RB", &m);
}

void ra_home(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:1::1000", 0x10);

	m.u.ra.home_agent = true;
	m.u.ra.prefixes[0].router_address = true;
	ra(w, ifindex, "HR", &m);
}

void ra_home_other(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:1::1", 0x11);

	m.u.ra.prefixes[0].router_address = true;
	ra(w, ifindex, "RC", &m);
}

void na(struct world *w, int ifindex, const char *src, const char *dst, const char *target,
	bool solicited, uint8_t mac)
{
	struct icmp6_message m = {.type = ICMP6T_NA};

	m.u.na.target = named(target);
	m.u.na.solicited = solicited;
	if (mac) {
		m.u.na.tlla.len = 6;
		m.u.na.tlla.addr[5] = mac;
	}
	icmp6(w, ifindex, src, dst, 255, &m);
}

void ba_(struct world *w, struct ba b)
{
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[128];
	struct mip6_packet p = {
		.src = named(b.src ? b.src : "HA"),
		.dst = named(b.dst ? b.dst : "HOA"),
		.dst_coa = w->bu_coa,
		.flags = (b.direct || name_of(&w->bu_coa)[0] == 'H' ? 0 : MIP6_PKT_RH2) |
			 (b.protected ? MIP6_PKT_PROTECTED : 0),
		.ifindex = 1,
		.data = buf,
	};

	m.u.ba.status = b.status;
	m.u.ba.seq = b.seq ? (uint16_t)b.seq : w->seq;
	m.u.ba.lifetime = b.lifetime_s ? (uint16_t)((uint32_t)b.lifetime_s / 4) : w->lifetime;
	if (b.advice_s)
		mh_option_add(&m, MHOPT_REFRESH_ADVICE)->u.refresh_interval =
			(uint16_t)(b.advice_s / 4);
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(w->mn, &p);
}

void mh_raw(struct world *w, const char *src, const uint8_t *data, size_t len)
{
	struct mip6_packet p = {
		.src = named(src), .dst = named("HOA"), .data = data, .len = len, .ifindex = 1};

	mn_receive_mh(w->mn, &p);
}

struct mn_info info(const struct world *w)
{
	struct mn_info i;

	mn_info(w->mn, &i);
	return i;
}

struct world *away_at_a(void)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	address(w, 1, "A1", MN_ADDR_READY);
	address(w, 1, "L1", MN_ADDR_READY);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	forget(w);
	return w;
}

void move_to_b(struct world *w)
{
	down(w, 1);
	up(w, 1);
	ra_b(w, 1);
}

/* ---- the suite ---- */

TCase *tcase(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	suite_add_tcase(s, tc);
	return tc;
}

int suite_run(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
