/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mobile node's core with a world that writes down what it is asked to
 * do.  Each call becomes one line; a step of a test is an input and the exact
 * lines that must follow, in their order.  Addresses have short names:
 *
 *   HOA, HA   home address and home agent;   HR  the home agent's link-local address
 *   RA, RB    routers of links A and B;       A1  care-of address of interface 1 on link A
 *
 * Some things are checked in every test: a sequence number is stored before
 * it is sent and never sent twice; no four Binding Updates within a second;
 * nothing is sent from the home address at home before the de-registration.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "lib/mh.h"
#include "mip6d/proto/mn.h"

#define MAX_LINES 256
#define LINE 96

struct world {
	struct mn *mn;
	struct mip6_env env;
	struct mn_config config;
	monotime_t now;
	char lines[MAX_LINES][LINE];
	size_t n, seen;
	uint64_t random;
	bool fixed_random;
	uint16_t random_seq;
	/* the last Binding Update */
	uint16_t seq, lifetime, flags;
	struct in6_addr bu_coa;
	unsigned bus;
	monotime_t bu_times[1024];
	bool used[65536];
	/* the last stored binding */
	bool stored;
	uint16_t stored_seq;
	uint32_t stored_remaining;
	unsigned be_sent;
	struct in6_addr be_home;
	unsigned events[64];
	struct mip6_event last;
	int fail_address, fail_mh, fail_icmp6;
	bool held, home_open, deregistered_here;
};

/* ---- names ---- */

static struct in6_addr in6(const char *s)
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

static struct in6_addr named(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return in6(names[i].addr);
	return in6(name);
}

static const char *name_of(const struct in6_addr *a)
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

/* All that happened since the last expect(), up to NULL. */
static void expect_(struct world *w, int line, ...)
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
#define expect(w, ...) expect_(w, __LINE__, __VA_ARGS__, (const char *)NULL)
#define expect_nothing(w) expect_(w, __LINE__, (const char *)NULL)

static void forget(struct world *w)
{
	w->seen = w->n = 0;
}

static unsigned count(const struct world *w, const char *prefix)
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

static struct world *world_new(void)
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

static void start(struct world *w)
{
	w->mn = mn_new(&w->config, &w->env, &ops, w);
	ck_assert(w->mn != NULL);
}

static void world_free(struct world *w)
{
	mn_free(w->mn);
	ck_assert(timerq_next(w->env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w->env.timers);
	free(w);
}

static void advance(struct world *w, int64_t ms)
{
	monotime_t end = mono_add_ms(w->now, ms);

	for (;;) {
		monotime_t t = timerq_next(w->env.timers);

		if (mono_before(end, t))
			break;
		if (mono_before(w->now, t))
			w->now = t;
		timerq_run(w->env.timers, w->now);
	}
	w->now = end;
}

/* ---- inputs ---- */

static void up_(struct world *w, int ifindex, bool link_local)
{
	uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)ifindex};

	mn_link_event(w->mn, ifindex, true, mac, link_local);
}

static void up(struct world *w, int ifindex)
{
	up_(w, ifindex, true);
}

static void down(struct world *w, int ifindex)
{
	mn_link_event(w->mn, ifindex, false, NULL, false);
}

static void address(struct world *w, int ifindex, const char *name, enum mn_address_state s)
{
	struct in6_addr a = named(name);

	mn_address_event(w->mn, ifindex, &a, s);
}

/* by value: the address may be that of a Binding Update about to be replaced */
static void coa_event(struct world *w, struct in6_addr a, enum mn_address_state s)
{
	mn_address_event(w->mn, 1, &a, s);
}

static void icmp6(struct world *w, int ifindex, const char *src, const char *dst, int hops,
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

static struct icmp6_message ra_of(const char *prefix, uint8_t mac)
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

static void ra(struct world *w, int ifindex, const char *src, const struct icmp6_message *m)
{
	icmp6(w, ifindex, src, "all-nodes", 255, m);
}

static void ra_a(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	ra(w, ifindex, "RA", &m);
}

static void ra_b(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:b::", 0xb);

	ra(w, ifindex, "RB", &m);
}

/* By the home agent, with its global address. */
static void ra_home(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:1::1000", 0x10);

	m.u.ra.home_agent = true;
	m.u.ra.prefixes[0].router_address = true;
	ra(w, ifindex, "HR", &m);
}

/* By another router of the home link. */
static void ra_home_other(struct world *w, int ifindex)
{
	struct icmp6_message m = ra_of("2001:db8:1::1", 0x11);

	m.u.ra.prefixes[0].router_address = true;
	ra(w, ifindex, "RC", &m);
}

static void na(struct world *w, int ifindex, const char *src, const char *dst, const char *target,
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

struct ba {
	uint8_t status;
	uint64_t seq, lifetime_s; /* GIVEN(), or 0: those of the last Binding Update */
	uint32_t advice_s;
	bool protected, direct; /* direct: without type 2 routing header */
	const char *src, *dst;
};

#define GIVEN(x) ((uint64_t)(x) | 1ull << 32)

static void ba_(struct world *w, struct ba b)
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
/* the answer to the last Binding Update, changed by the arguments */
#define ba(...) ba_args(__VA_ARGS__, )
#define ba_args(w, ...) ba_(w, (struct ba){__VA_ARGS__})

static void mh_raw(struct world *w, const char *src, const uint8_t *data, size_t len)
{
	struct mip6_packet p = {
		.src = named(src), .dst = named("HOA"), .data = data, .len = len, .ifindex = 1};

	mn_receive_mh(w->mn, &p);
}

static struct mn_info info(const struct world *w)
{
	struct mn_info i;

	mn_info(w->mn, &i);
	return i;
}

/* Attached to link A on interface 1 and registered. */
static struct world *away_at_a(void)
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

static void move_to_b(struct world *w)
{
	down(w, 1);
	up(w, 1);
	ra_b(w, 1);
}

/* ---- attachment ---- */

START_TEST(first_attachment)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	/* RFC 4861 6.3.7: at once, no random delay */
	expect(w, "rs 1 ::");
	ra_a(w, 1);
	expect(w, "addr 1 A1 opt", "route 1 RA A1 primary", "bupath A1", "tunnel A1 hold",
		"bu A1 600", "tunnel A1 go");
	ck_assert_int_eq(info(w).location, MN_AWAY);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	ck_assert_int_eq(w->events[EV_MOVED], 1);
	ba(w);
	expect_nothing(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_uint_eq(info(w).remaining_s, 600);
	ck_assert_int_eq(w->last.type, EV_REGISTERED);
	/* another advertisement changes nothing */
	ra_a(w, 1);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(cautious_uplink)
{
	struct world *w = world_new();

	w->config.uplink = MN_UPLINK_CAUTIOUS;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "rs 1 ::", "addr 1 A1 opt", "route 1 RA A1 primary", "bupath A1",
		"tunnel A1 hold", "bu A1 600");
	advance(w, 500);
	ba(w);
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(cautious_hold_ends)
{
	struct world *w = world_new();

	w->config.uplink = MN_UPLINK_CAUTIOUS;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 1400);
	expect_nothing(w);
	advance(w, 600);
	expect(w, "bu A1 600", "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(without_optimistic_dad)
{
	struct world *w = world_new();

	w->config.optimistic_dad = false;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "rs 1 ::", "addr 1 A1");
	address(w, 1, "A1", MN_ADDR_TENTATIVE);
	address(w, 1, "A1", MN_ADDR_USABLE_OPTIMISTIC);
	expect_nothing(w);
	advance(w, 1000);
	address(w, 1, "A1", MN_ADDR_READY);
	expect(w, "route 1 RA A1 primary", "bupath A1", "tunnel A1 hold", "bu A1 600",
		"tunnel A1 go");
	world_free(w);
}
END_TEST

/* RFC 4429 3.3: not optimistic when the router hides its link-layer address */
START_TEST(no_slla_no_optimism)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0);

	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	expect(w, "rs 1 ::", "addr 1 A1");
	address(w, 1, "A1", MN_ADDR_READY);
	expect(w, "route 1 RA A1 primary nolladdr", "bupath A1", "tunnel A1 hold", "bu A1 600",
		"tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(solicitation)
{
	struct world *w = world_new();

	start(w);
	up_(w, 1, false);
	expect(w, "rs 1 ::");
	/* the link-local address is no news of a move */
	address(w, 1, "L1", MN_ADDR_USABLE_OPTIMISTIC);
	up_(w, 1, true);
	expect_nothing(w);
	advance(w, 3999);
	expect_nothing(w);
	advance(w, 401);
	expect(w, "rs 1 L1"); /* optimistic: without SLLAO, RFC 4429 3.2 */
	address(w, 1, "L1", MN_ADDR_READY);
	advance(w, 7199);
	expect_nothing(w);
	advance(w, 1800);
	expect(w, "rs 1 L1 slla");
	advance(w, 2 * 3600 * 1000);
	ck_assert_uint_ge(count(w, "rs"), 7);
	ck_assert_uint_le(count(w, "rs"), 12);
	forget(w);
	ra_a(w, 1);
	forget(w);
	advance(w, 1000);
	ck_assert_uint_eq(count(w, "rs"), 0);
	world_free(w);
}
END_TEST

START_TEST(solicitation_falls_back)
{
	struct world *w = world_new();

	start(w);
	address(w, 1, "L1", MN_ADDR_READY);
	w->fail_icmp6 = -EADDRNOTAVAIL;
	up(w, 1);
	expect(w, "rs 1 ::");
	world_free(w);
}
END_TEST

START_TEST(solicitation_storm)
{
	struct world *w = world_new();

	start(w);
	for (int i = 0; i < 100; i++)
		up(w, 1);
	ck_assert_uint_eq(count(w, "rs"), 3);
	forget(w);
	advance(w, 1000);
	ck_assert_uint_eq(count(w, "rs"), 1);
	world_free(w);
}
END_TEST

START_TEST(ra_is_judged)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);
	uint8_t junk[] = {134, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
	struct mip6_packet p = {.src = named("RA"),
		.dst = named("all-nodes"),
		.ifindex = 1,
		.hop_limit = 255,
		.data = junk,
		.len = sizeof(junk)};

	start(w);
	ra_a(w, 1); /* the interface is down */
	up(w, 1);
	forget(w);
	icmp6(w, 1, "RA", "all-nodes", 254, &m);
	icmp6(w, 1, "2001:db8:a::1", "all-nodes", 255, &m);
	mn_receive_icmp6(w->mn, &p);
	ra_a(w, 7); /* not ours */
	expect_nothing(w);
	ck_assert_uint_eq(mn_stats(w->mn)->malformed, 3);
	ck_assert_uint_eq(w->events[EV_BAD_PACKET], 3);
	m.u.ra.lifetime_s = 0; /* not a default router */
	ra(w, 1, "RA", &m);
	expect_nothing(w);
	world_free(w);
}
END_TEST

static void no_address_from(struct nd_prefix change)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	start(w);
	up(w, 1);
	forget(w);
	m.u.ra.prefixes[0] = change;
	ra(w, 1, "RA", &m);
	expect_nothing(w);
	ra_a(w, 1); /* and this does */
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}

START_TEST(prefixes_without_address)
{
	struct nd_prefix p = ra_of("2001:db8:a::", 0).u.ra.prefixes[0], q = p;

	q.autonomous = false;
	no_address_from(q);
	q = p;
	q.valid_s = 0;
	q.preferred_s = 0;
	no_address_from(q);
	q = p;
	q.preferred_s = q.valid_s + 1;
	no_address_from(q);
	q = p;
	q.plen = 60;
	q.prefix = in6("2001:db8:f0::");
	no_address_from(q);
	q = p;
	q.prefix = in6("fe80::");
	no_address_from(q);
	q.prefix = in6("ff0e::");
	no_address_from(q);
}
END_TEST

/* ---- moves ---- */

START_TEST(move_down_up)
{
	struct world *w = away_at_a();
	uint16_t seq = w->seq;

	down(w, 1);
	expect(w, "tunnel none hold");
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	advance(w, 100);
	up(w, 1);
	expect(w, "ll 1 opt", "rs 1 L1");
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
	ck_assert_int_eq(info(w).registration, MN_REG_REFRESHING);
	ba(w);
	/* the old address goes when the new path works */
	expect(w, "route- 1 A1", "addr- 1 A1");
	ck_assert_uint_eq(info(w).moves, 2);
	world_free(w);
}
END_TEST

START_TEST(old_address_goes_without_answer_too)
{
	struct world *w = away_at_a();

	move_to_b(w);
	forget(w);
	advance(w, 29000);
	ck_assert_uint_eq(count(w, "addr- 1 A1"), 0);
	advance(w, 2000);
	ck_assert_uint_eq(count(w, "addr- 1 A1"), 1);
	world_free(w);
}
END_TEST

/* A second "up": where we are is not known until the first advertisement. */
START_TEST(move_up_up)
{
	struct world *w = away_at_a();

	up(w, 1);
	expect(w, "ll 1 opt", "rs 1 L1", "tunnel A1 hold");
	ck_assert_int_eq(info(w).location, MN_AWAY);
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	world_free(w);
}
END_TEST

START_TEST(same_link_again)
{
	struct world *w = away_at_a();

	up(w, 1);
	ra_a(w, 1);
	/* the address stays, DAD runs again, no Binding Update */
	expect(w, "ll 1 opt", "rs 1 L1", "tunnel A1 hold", "addr 1 A1 opt again", "bupath A1",
		"tunnel A1 go");
	ck_assert_uint_eq(info(w).moves, 1);
	/* and after a real loss of carrier the route is set again */
	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "tunnel none hold", "ll 1 opt", "rs 1 L1", "addr 1 A1 opt again",
		"route 1 RA A1 primary", "bupath A1", "tunnel A1 go");
	world_free(w);
}
END_TEST

/* An advertisement of the old link that was read after the link event. */
START_TEST(late_ra_of_the_old_link)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 20);
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	world_free(w);
}
END_TEST

START_TEST(hold_ends_when_nowhere)
{
	struct world *w = away_at_a();

	down(w, 1);
	expect(w, "tunnel none hold");
	advance(w, 1999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "tunnel none go");
	up(w, 1);
	ra_b(w, 1);
	forget(w);
	ba(w);
	ck_assert(!w->held);
	/* no holding at all when so configured */
	mn_free(w->mn);
	w->config.hold_ms = 0;
	start(w);
	mn_restore(w->mn, &w->bu_coa, w->seq, 100);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	down(w, 1);
	expect(w, "tunnel none go");
	world_free(w);
}
END_TEST

START_TEST(no_answer_after_link_event)
{
	struct world *w = away_at_a();

	up(w, 1);
	forget(w);
	advance(w, 2000);
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(new_router_lazy)
{
	struct world *w = away_at_a();

	advance(w, 5000);
	ra_b(w, 1);
	expect(w, "ns 1 L1>RA RA", "rs 1 L1 slla");
	na(w, 1, "RA", "L1", "RA", false, 0); /* proves one direction only */
	advance(w, 1000);
	expect(w, "ns 1 L1>RA RA");
	na(w, 1, "RA", "L1", "RA", true, 0);
	advance(w, 10000);
	expect_nothing(w);
	/* now it does not answer: three probes a second apart */
	ra_b(w, 1);
	advance(w, 2999);
	expect(w, "ns 1 L1>RA RA", "rs 1 L1 slla", "ns 1 L1>RA RA", "ns 1 L1>RA RA");
	advance(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go", "ll 1 opt");
	ba(w);
	expect(w, "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(new_router_eager)
{
	struct world *w = world_new();

	w->config.eager = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	advance(w, 10000);
	forget(w);
	ra_b(w, 1);
	expect(w, "addr 1 B1 opt", "route 1 RB B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go", "ll 1 opt");
	world_free(w);
}
END_TEST

/* Probing must not use an optimistic address (RFC 4429 3.2). */
/* The home link is not left to chance: no probing of the other router first. */
START_TEST(home_router_appears)
{
	struct world *w = away_at_a();

	advance(w, 5000);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0", "home 1 HR go",
		"ll 1 opt");
	world_free(w);
}
END_TEST

START_TEST(probe_source)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	address(w, 1, "L1", MN_ADDR_USABLE_OPTIMISTIC);
	advance(w, 5000);
	forget(w);
	ra_b(w, 1);
	expect(w, "rs 1 L1");
	address(w, 1, "A1", MN_ADDR_READY);
	advance(w, 1000);
	expect(w, "ns 1 A1>RA RA");
	world_free(w);
}
END_TEST

START_TEST(router_with_another_name_is_spare)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xc);

	advance(w, 5000);
	ra(w, 1, "RC", &m);
	expect_nothing(w);
	/* the first goes: the spare takes over, same address, no Binding Update */
	m = ra_of("2001:db8:a::", 0xa);
	m.u.ra.lifetime_s = 0;
	ra(w, 1, "RA", &m);
	expect(w, "route 1 RC A1 primary");
	world_free(w);
}
END_TEST

/* Two routers with the same link-local address (RFC 6275 11.5.1). */
START_TEST(router_with_the_same_name)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:b::", 0xb);

	ra(w, 1, "RA", &m);
	expect(w, "addr 1 B1 opt", "route 1 RA B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go", "ll 1 opt");
	/* the same router with one more prefix is no move */
	m = ra_of("2001:db8:a::", 0xb);
	ra(w, 1, "RA", &m);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(missed_advertisements)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.adv_interval_ms = 100;
	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	address(w, 1, "L1", MN_ADDR_READY);
	ba(w);
	forget(w);
	for (int i = 0; i < 100; i++) {
		advance(w, 100);
		ra(w, 1, "RA", &m);
	}
	expect_nothing(w);
	advance(w, 299);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "ns 1 L1>RA RA", "rs 1 L1 slla");
	na(w, 1, "RA", "L1", "RA", true, 0xa);
	advance(w, 299);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "ns 1 L1>RA RA");
	ra(w, 1, "RA", &m);
	advance(w, 300 + 2999);
	expect(w, "ns 1 L1>RA RA", "ns 1 L1>RA RA", "ns 1 L1>RA RA");
	advance(w, 1);
	/* lost: hold, and look for others (not within 4 s of the last solicitation) */
	expect(w, "tunnel A1 hold");
	advance(w, 1000);
	ck_assert_uint_eq(count(w, "rs 1 L1"), 1);
	world_free(w);
}
END_TEST

START_TEST(retrans_timer_of_the_router)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.adv_interval_ms = 50;
	m.u.ra.retrans_ms = 20;
	start(w);
	up(w, 1);
	address(w, 1, "L1", MN_ADDR_READY);
	ra(w, 1, "RA", &m);
	ba(w);
	forget(w);
	advance(w, 150 + 60);
	expect(w, "ns 1 L1>RA RA", "ns 1 L1>RA RA", "ns 1 L1>RA RA", "tunnel A1 hold");
	world_free(w);
}
END_TEST

START_TEST(unreachable_router)
{
	struct world *w = away_at_a();
	struct in6_addr r = named("RA"), other = named("RB");

	advance(w, 10000);
	mn_neighbour_event(w->mn, 1, &other, false);
	expect_nothing(w);
	mn_neighbour_event(w->mn, 1, &r, false);
	expect(w, "rs 1 L1 slla", "tunnel A1 hold");
	/* it was a moment's weakness */
	ra_a(w, 1);
	expect(w, "addr 1 A1 opt again", "bupath A1", "tunnel A1 go");
	/* while it is probed only an answer counts: what the kernel concludes may be older than the doubt */
	advance(w, 10000);
	ra_b(w, 1);
	forget(w);
	mn_neighbour_event(w->mn, 1, &r, true);
	advance(w, 1000);
	expect(w, "ns 1 L1>RA RA");
	na(w, 1, "RA", "L1", "RA", true, 0);
	forget(w);
	advance(w, 5000);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(router_lifetime)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.lifetime_s = 60;
	ra(w, 1, "RA", &m);
	advance(w, 59999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "rs 1 L1 slla", "tunnel A1 hold");
	world_free(w);
}
END_TEST

/* ---- a tunnel of another daemon (requirement T15) ---- */

static void tunnel_moved(struct world *w, const char *care_of)
{
	struct in6_addr a = named(care_of ? care_of : "::");

	mn_tunnel_moved(w->mn, care_of ? &a : NULL);
}

/* On link A, with the tunnel there; no home agent, and no link is home. */
static struct world *foreign_at_a(void)
{
	struct world *w = world_new();

	w->config.foreign_tunnel = true;
	w->config.home_prefix.plen = 128;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	address(w, 1, "A1", MN_ADDR_READY);
	address(w, 1, "L1", MN_ADDR_READY);
	tunnel_moved(w, "A1");
	forget(w);
	return w;
}

START_TEST(foreign_tunnel_begins)
{
	struct world *w = world_new();

	w->config.foreign_tunnel = true;
	w->config.home_address = w->config.home_agent = in6addr_any;
	start(w);
	up(w, 1);
	forget(w);
	ra_a(w, 1);
	/* no path of Binding Updates, none is sent; what is sent waits for the tunnel */
	expect(w, "addr 1 A1 opt", "route 1 RA A1 primary", "tunnel A1 hold");
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	tunnel_moved(w, "A1");
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_moves)
{
	struct world *w = foreign_at_a();

	move_to_b(w);
	/* the old address goes at once: it is what the other daemon waits for */
	expect(w, "tunnel none hold", "ll 1 opt", "rs 1 L1", "addr 1 B1 opt", "route 1 RB B1 primary",
		"tunnel B1 hold", "route- 1 A1", "addr- 1 A1");
	ck_assert_int_eq(info(w).location, MN_AWAY);
	/* while it moves there is none */
	tunnel_moved(w, NULL);
	expect_nothing(w);
	tunnel_moved(w, "B1");
	expect(w, "tunnel B1 go");
	advance(w, 3000);
	ck_assert_uint_eq(count(w, "tunnel"), 0);
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_does_not_follow)
{
	struct world *w = foreign_at_a();

	move_to_b(w);
	forget(w);
	advance(w, 2000);
	/* what waited too long is dropped; nothing leaves by a tunnel from elsewhere */
	expect(w, "tunnel none go");
	tunnel_moved(w, "A1");
	ck_assert_uint_eq(count(w, "tunnel B1 go"), 0);
	tunnel_moved(w, "B1");
	ck_assert_uint_eq(count(w, "tunnel B1 go"), 1);
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_same_link_again)
{
	struct world *w = foreign_at_a();

	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	expect(w, "tunnel none hold", "ll 1 opt", "rs 1 L1", "addr 1 A1 opt again",
		"route 1 RA A1 primary", "tunnel A1 go");
	world_free(w);
}
END_TEST

/* Another interface is better, but where the tunnel is it works. */
START_TEST(foreign_tunnel_make_before_break)
{
	struct world *w = foreign_at_a();

	up(w, 2);
	forget(w);
	ra_b(w, 2);
	expect(w, "addr 2 B2 opt", "route 2 RB B2");
	mn_prefer(w->mn, 2, 20);
	expect(w, "route 2 RB B2 primary", "tunnel B2 go", "route 1 RA A1");
	tunnel_moved(w, "B2");
	expect(w, "tunnel B2 go");
	down(w, 1);
	ck_assert_uint_eq(count(w, "tunnel none"), 0);
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_lost)
{
	struct world *w = foreign_at_a();

	tunnel_moved(w, NULL);
	expect(w, "tunnel A1 hold");
	advance(w, 2000);
	expect(w, "tunnel none go");
	tunnel_moved(w, "A1");
	expect(w, "tunnel A1 go");
	world_free(w);
}
END_TEST

START_TEST(foreign_tunnel_end)
{
	struct world *w = foreign_at_a();

	mn_shutdown(w->mn);
	ck_assert(mn_idle(w->mn));
	expect(w, "tunnel none go", "route- 1 A1", "addr- 1 A1");
	tunnel_moved(w, "A1");
	expect_nothing(w);
	world_free(w);
}
END_TEST

/* ---- two interfaces ---- */

START_TEST(second_interface_stands_by)
{
	struct world *w = away_at_a();

	up(w, 2);
	ra_b(w, 2);
	expect(w, "rs 2 ::", "addr 2 B2 opt", "route 2 RB B2");
	/* the first goes: over in the same instant */
	down(w, 1);
	expect(w, "route 2 RB B2 primary", "bupath B2", "tunnel B2 hold", "bu B2 600",
		"tunnel B2 go");
	ba(w);
	/* the better one is back: move while the other still receives */
	up(w, 1);
	ra_a(w, 1);
	expect(w, "ll 1 opt", "rs 1 L1", "addr 1 A1 opt again", "route 1 RA A1 primary",
		"bupath A1", "tunnel A1 hold", "bu A1 600", "tunnel A1 go", "route 2 RB B2");
	ba(w);
	expect_nothing(w); /* B2 is kept (11.5.4) */
	world_free(w);
}
END_TEST

START_TEST(equal_preference_stays)
{
	struct world *w = world_new();

	w->config.interfaces[0].preference = 5;
	start(w);
	up(w, 2);
	ra_b(w, 2);
	up(w, 1);
	forget(w);
	ra_a(w, 1);
	expect(w, "addr 1 A1 opt", "route 1 RA A1");
	world_free(w);
}
END_TEST

START_TEST(preference_by_hand)
{
	struct world *w = away_at_a();

	up(w, 2);
	ra_b(w, 2);
	forget(w);
	/* what is not better is no reason to move */
	ck_assert(mn_prefer(w->mn, 2, 0));
	expect_nothing(w);
	ck_assert(!mn_prefer(w->mn, 3, 1000));
	ck_assert(mn_prefer(w->mn, 2, 1000));
	expect(w, "route 2 RB B2 primary", "bupath B2", "tunnel B2 hold", "bu B2 600",
		"tunnel B2 go", "route 1 RA A1");
	world_free(w);
}
END_TEST

static bool collect(void *arg, const struct mn_link_info *i)
{
	char *text = arg;

	sprintf(text + strlen(text), "%d %s%s%s %s;", i->ifindex, i->state,
		i->current ? " current" : "", i->home ? " home" : "", name_of(&i->care_of));
	return true;
}

START_TEST(link_information)
{
	struct world *w = away_at_a();
	char text[256] = "";

	up(w, 2);
	ra_home(w, 2);
	mn_foreach_link(w->mn, collect, text);
	ck_assert_str_eq(text, "1 attached A1;2 attached current home ::;");
	world_free(w);
}
END_TEST

/* ---- duplicates and lifetimes ---- */

START_TEST(duplicate_address)
{
	struct world *w = away_at_a();
	struct in6_addr tried[4];

	address(w, 1, "A1", MN_ADDR_DUPLICATE);
	ck_assert_str_eq(w->lines[0], "route- 1 A1");
	ck_assert_str_eq(w->lines[1], "addr- 1 A1");
	ck_assert_uint_eq(count(w, "addr 1"), 1);
	ck_assert_uint_eq(count(w, "bu "), 1);
	ck_assert_uint_eq(count(w, "tunnel none"), 0);
	for (int i = 0; i < 3; i++) {
		tried[i] = w->bu_coa;
		for (int j = 0; j < i; j++)
			ck_assert_mem_ne(&tried[i], &tried[j], 16);
		ck_assert(!(tried[i].s6_addr[8] & 2));
		advance(w, 1000);
		forget(w);
		mn_address_event(w->mn, 1, &tried[i], MN_ADDR_DUPLICATE);
	}
	/* given up: until the next link event */
	ck_assert_uint_eq(count(w, "addr 1"), 0);
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	ck_assert_uint_eq(mn_stats(w->mn)->dad_failures, 4);
	forget(w);
	ra_a(w, 1);
	expect_nothing(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}
END_TEST

START_TEST(duplicate_takes_other_prefix)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.prefixes[1] = ra_of("2001:db8:b::", 0).u.ra.prefixes[0];
	m.u.ra.n_prefixes = 2;
	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	for (int i = 0; i < 4; i++) {
		advance(w, 1000);
		forget(w);
		coa_event(w, w->bu_coa, MN_ADDR_DUPLICATE);
	}
	ck_assert_uint_eq(count(w, "bu B1"), 1);
	world_free(w);
}
END_TEST

START_TEST(random_identifiers)
{
	struct world *w = world_new();

	w->config.random_iid = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu 2001:db8:a:0:"), 1);
	ck_assert_uint_eq(count(w, "bu A1"), 0);
	world_free(w);
}
END_TEST

START_TEST(address_taken_away)
{
	struct world *w = away_at_a();

	advance(w, 2000);
	address(w, 1, "A1", MN_ADDR_REMOVED);
	ck_assert_uint_eq(count(w, "addr 1 A1 opt again"), 1);
	ck_assert(!w->held);
	forget(w);
	/* no quarrel */
	for (int i = 0; i < 10; i++)
		address(w, 1, "A1", MN_ADDR_REMOVED);
	ck_assert_uint_eq(count(w, "addr 1"), 0);
	world_free(w);
}
END_TEST

START_TEST(address_not_configured)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	w->fail_address = -ENOBUFS;
	ra_a(w, 1);
	expect(w, "rs 1 ::", "addr 1 A1 opt");
	w->fail_address = 0;
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}
END_TEST

START_TEST(deprecated_address)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	/* alone it stays in use */
	m.u.ra.prefixes[0].preferred_s = 0;
	ra(w, 1, "RA", &m);
	expect(w, "addr 1 A1 opt");
	/* with another prefix it is replaced (RFC 6275 11.5.3) and kept */
	m.u.ra.prefixes[1] = ra_of("2001:db8:b::", 0).u.ra.prefixes[0];
	m.u.ra.n_prefixes = 2;
	ra(w, 1, "RA", &m);
	expect(w, "addr 1 B1 opt", "route 1 RA B1 primary", "bupath B1", "tunnel B1 hold",
		"bu B1 600", "tunnel B1 go");
	ba(w);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(address_expires)
{
	struct world *w = world_new();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.prefixes[0].valid_s = m.u.ra.prefixes[0].preferred_s = 100;
	start(w);
	up(w, 1);
	ra(w, 1, "RA", &m);
	/* RFC 6275 11.7.1: the binding does not outlive the care-of address */
	ck_assert_uint_eq(w->lifetime * 4, 100);
	ba(w);
	forget(w);
	advance(w, 100000);
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	ck_assert(count(w, "tunnel none hold") == 1 || count(w, "tunnel A1 hold") == 1);
	world_free(w);
}
END_TEST

/* RFC 4862 5.5.3 e */
START_TEST(two_hours)
{
	struct world *w = away_at_a();
	struct icmp6_message m = ra_of("2001:db8:a::", 0xa);

	m.u.ra.prefixes[0].valid_s = m.u.ra.prefixes[0].preferred_s = 1;
	m.u.ra.lifetime_s = 9000;
	ra(w, 1, "RA", &m);
	forget(w);
	for (int i = 0; i < 60; i++) {
		advance(w, 60000);
		ba(w);
	}
	ck_assert_int_eq(info(w).location, MN_AWAY);
	for (int i = 0; i < 61; i++) {
		advance(w, 60000);
		ba(w);
		forget(w);
	}
	ck_assert_int_eq(info(w).location, MN_NOWHERE);
	world_free(w);
}
END_TEST

START_TEST(kernel_is_told_of_lifetimes_rarely)
{
	struct world *w = away_at_a();

	for (int i = 0; i < 1000; i++) {
		advance(w, 50);
		ra_a(w, 1);
	}
	ck_assert_uint_eq(count(w, "addr 1"), 0);
	for (int i = 0; i < 8; i++) {
		advance(w, 1000000);
		ra_a(w, 1);
		ba(w);
	}
	ck_assert_uint_ge(count(w, "addr 1"), 1);
	world_free(w);
}
END_TEST

/* ---- home ---- */

START_TEST(start_at_home)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	/* no binding: DAD, and nothing is sent */
	expect(w, "rs 1 ::", "home 1 HR dad go");
	ck_assert_int_eq(info(w).location, MN_AT_HOME);
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	advance(w, 1700000);
	ck_assert_uint_eq(w->bus, 0);
	world_free(w);
}
END_TEST

START_TEST(leave_home_and_return)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	down(w, 1);
	expect(w, "tunnel none hold", "home- 1");
	up(w, 1);
	ra_a(w, 1);
	expect(w, "ll 1 opt", "rs 1 ::", "addr 1 A1 opt", "route 1 RA A1 primary", "bupath A1",
		"tunnel A1 hold", "bu A1 600", "tunnel A1 go");
	ba(w);
	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0", "home 1 HR go");
	ck_assert_int_eq(info(w).registration, MN_REG_DEREGISTERING);
	ba(w);
	expect(w, "route- 1 A1", "addr- 1 A1", "na 1 HOA");
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	ck_assert_uint_eq(w->stored_remaining, 0);
	ck_assert_uint_eq(w->events[EV_DEREGISTERED], 1);
	advance(w, 999);
	expect_nothing(w);
	advance(w, 10000);
	expect(w, "na 1 HOA", "na 1 HOA");
	world_free(w);
}
END_TEST

/* Leaving by another interface: home_del comes after the tunnel and the BU. */
START_TEST(leave_home_make_before_break)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	up(w, 2);
	ra_b(w, 2);
	forget(w);
	down(w, 1);
	expect(w, "route 2 RB B2 primary", "bupath B2", "tunnel B2 hold", "bu B2 600",
		"tunnel B2 go", "home- 1");
	ba(w);
	/* home again, the home link wins over all; the other still receives */
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0", "home 1 HR go",
		"route 2 RB B2");
	ba(w);
	expect(w, "na 1 HOA");
	world_free(w);
}
END_TEST

START_TEST(return_home_cautious)
{
	struct world *w = world_new();

	w->config.uplink = MN_UPLINK_CAUTIOUS;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0");
	advance(w, 300);
	ba(w);
	expect(w, "home 1 HR go", "route- 1 A1", "addr- 1 A1", "na 1 HOA");
	world_free(w);
}
END_TEST

/* The advertisement is another router's: ask for our own address from :: */
START_TEST(return_home_by_solicitation)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home_other(w, 1);
	expect(w, "ns 1 ::>sol(HOA) HOA");
	advance(w, 1000);
	expect(w, "ns 1 ::>sol(HOA) HOA");
	na(w, 1, "HA", "all-nodes", "HOA", true, 0x10); /* malformed: S to a group */
	expect_nothing(w);
	na(w, 1, "HA", "all-nodes", "HOA", false, 0x10);
	expect(w, "neighbour 1 HA 10", "bupath-", "home 1 RC hold", "bu HOA 0", "home 1 RC go");
	world_free(w);
}
END_TEST

START_TEST(return_home_nobody_defends)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home_other(w, 1);
	advance(w, 3000);
	expect(w, "ns 1 ::>sol(HOA) HOA", "ns 1 ::>sol(HOA) HOA", "tunnel none go",
		"ns 1 ::>sol(HOA) HOA", "bupath-", "home 1 RC hold", "bu HOA 0", "home 1 RC go");
	world_free(w);
}
END_TEST

START_TEST(return_home_other_path_until_known)
{
	struct world *w = away_at_a();

	up(w, 2);
	forget(w);
	ra_home_other(w, 2);
	expect(w, "ns 2 ::>sol(HOA) HOA"); /* A1 is used meanwhile */
	ck_assert_int_eq(info(w).location, MN_AWAY);
	ra_home(w, 2); /* tells it as well */
	ck_assert_str_eq(w->lines[0], "neighbour 2 HA 10");
	ck_assert_uint_eq(count(w, "bu HOA 0"), 1);
	world_free(w);
}
END_TEST

START_TEST(return_home_unanswered)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	advance(w, 1000);
	expect(w, "bu HOA 0"); /* a binding exists: 1 s, not 1.5 */
	advance(w, 2000);
	expect(w, "bu HOA 0");
	/* refused: go on asking */
	ba(w, .status = BA_UNSPECIFIED);
	advance(w, 4000);
	expect(w, "bu HOA 0");
	/* with 133 there is none left to delete */
	ba(w, .status = BA_NOT_HOME_AGENT);
	expect(w, "route- 1 A1", "addr- 1 A1", "na 1 HOA");
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	world_free(w);
}
END_TEST

START_TEST(return_home_until_expiry)
{
	struct world *w = away_at_a();

	down(w, 1);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	advance(w, 599000);
	ck_assert_int_eq(info(w).registration, MN_REG_DEREGISTERING);
	advance(w, 2000);
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	forget(w);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	world_free(w);
}
END_TEST

START_TEST(return_home_after_expiry)
{
	struct world *w = away_at_a();

	down(w, 1);
	advance(w, 600000);
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	/* RFC 6275 11.5.5: "it SHOULD perform DAD" */
	expect(w, "bupath-", "home 1 HR dad go", "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(leave_home_before_the_answer)
{
	struct world *w = away_at_a();
	uint16_t seq;

	down(w, 1);
	up(w, 1);
	ra_home(w, 1);
	seq = w->seq;
	advance(w, 100);
	down(w, 1);
	up(w, 1);
	ra_b(w, 1);
	ck_assert_str_eq(name_of(&w->bu_coa), "B1");
	ba(w, .seq = GIVEN(seq), .direct = true); /* too late */
	ck_assert_int_eq(info(w).registration, MN_REG_REFRESHING);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

START_TEST(home_link_event_at_home)
{
	struct world *w = world_new();
	struct in6_addr hr = named("HR");

	start(w);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	up(w, 1);
	expect(w, "ll 1 opt", "rs 1 ::", "home 1 HR hold");
	ra_home(w, 1);
	expect(w, "home 1 HR go");
	/* another router of the home link takes over */
	ra_home_other(w, 1);
	expect_nothing(w);
	mn_neighbour_event(w->mn, 1, &hr, false);
	expect(w, "home 1 RC go");
	world_free(w);
}
END_TEST

START_TEST(home_address_duplicate)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_home(w, 1);
	address(w, 1, "HOA", MN_ADDR_DUPLICATE);
	ck_assert_uint_eq(w->events[EV_ADDRESS_DUPLICATE], 1);
	world_free(w);
}
END_TEST

/*
 * The L bit: the home agent defends the link-local address too, so DAD must
 * not run for it at home (11.5.5), and at a new link only when that is known
 * not to be home.
 */
START_TEST(link_local_compatibility)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	address(w, 1, "fe80::100", MN_ADDR_READY);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1 600 L"), 1);
	ba(w);
	forget(w);
	down(w, 1);
	up(w, 1);
	expect(w, "tunnel none hold", "rs 1 ::");
	ra_b(w, 1);
	ck_assert_str_eq(w->lines[w->n - 1], "ll 1 opt");
	address(w, 1, "fe80::100", MN_ADDR_READY);
	ba(w);
	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	ck_assert_uint_eq(count(w, "bu HOA 0 L"), 1);
	ck_assert_uint_eq(count(w, "ll 1"), 0);
	forget(w);
	ba(w);
	expect(w, "route- 1 B1", "addr- 1 B1", "na 1 HOA", "na 1 fe80::100");
	world_free(w);
}
END_TEST

/* ---- registration ---- */

START_TEST(retransmission)
{
	struct world *w = world_new();
	static const int64_t waits[] = {1500, 3000, 6000, 12000, 24000, 32000, 32000, 32000};

	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		uint16_t seq = w->seq;

		advance(w, waits[i] - 1);
		expect_nothing(w);
		advance(w, 1);
		expect(w, "bu A1 600");
		ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
		ck_assert_int_eq(mono_diff_ms(w->now, w->bu_times[(w->bus - 1) % 1024]), 0);
	}
	ck_assert_uint_eq(info(w).retransmissions, 8);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* What has come by the home agent shows that the answer was lost, not the Binding Update. */
START_TEST(home_agent_heard)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 999);
	mn_home_agent_heard(w->mn);
	expect_nothing(w); /* as fast as 11.8 lets a back-off begin */
	advance(w, 1500 + 3000 + 2000 - 999);
	expect(w, "bu A1 600", "bu A1 600");
	mn_home_agent_heard(w->mn);
	expect(w, "bu A1 600");
	mn_home_agent_heard(w->mn);
	advance(w, 999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "bu A1 600");
	advance(w, 1999);
	expect_nothing(w);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	forget(w);
	advance(w, 2000);
	mn_home_agent_heard(w->mn);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(first_timeout_is_configurable)
{
	struct world *w = world_new();

	w->config.first_registration_timeout_ms = 700;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	advance(w, 700);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

/* The answer to an earlier transmission comes after the next one left. */
START_TEST(late_answer)
{
	struct world *w = world_new();
	uint16_t seq;

	start(w);
	up(w, 1);
	ra_a(w, 1);
	seq = w->seq;
	advance(w, 2000);
	ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
	ba(w, .seq = GIVEN(seq));
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_uint_eq(info(w).remaining_s, 598);
	forget(w);
	ba(w);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	world_free(w);
}
END_TEST

START_TEST(remaining_lifetime)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	advance(w, 1000);
	ba(w, .lifetime_s = GIVEN(400));
	/* counted from when the update was sent */
	ck_assert_uint_eq(info(w).remaining_s, 399);
	ck_assert_uint_eq(info(w).lifetime_s, 400);
	world_free(w);

	w = world_new();
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .lifetime_s = GIVEN(10000)); /* more than was asked for */
	ck_assert_uint_eq(info(w).remaining_s, 600);
	world_free(w);
}
END_TEST

START_TEST(refresh)
{
	struct world *w = away_at_a();
	uint16_t seq = w->seq;

	advance(w, 539000);
	expect_nothing(w);
	advance(w, 1000);
	expect(w, "bu A1 600");
	ck_assert_uint_eq(w->seq, (uint16_t)(seq + 1));
	ck_assert_int_eq(info(w).registration, MN_REG_REFRESHING);
	/* four retransmissions fit in before the end */
	advance(w, 59000);
	ck_assert_uint_ge(count(w, "bu A1"), 4);
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 0);
	advance(w, 1000);
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 1);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	forget(w);
	advance(w, 32000);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

START_TEST(short_lifetime)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .lifetime_s = GIVEN(4));
	forget(w);
	for (int i = 0; i < 50; i++) {
		advance(w, 2000);
		expect(w, "bu A1 600");
		ba(w, .lifetime_s = GIVEN(4));
	}
	ck_assert_uint_eq(w->events[EV_BINDING_LOST], 0);
	world_free(w);
}
END_TEST

START_TEST(refresh_advice)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .advice_s = 100);
	forget(w);
	advance(w, 99999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "bu A1 600");
	ba(w, .advice_s = 600); /* not smaller than the lifetime: ignored */
	advance(w, 540000);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

START_TEST(accepted_for_no_time)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .lifetime_s = GIVEN(0));
	ck_assert_int_eq(info(w).registration, MN_REG_REFUSED);
	forget(w);
	advance(w, 59000);
	expect_nothing(w);
	advance(w, 1000);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

START_TEST(refusals)
{
	static const uint8_t statuses[] = {BA_UNSPECIFIED, BA_PROHIBITED, BA_RESOURCES,
		BA_NO_HOME_REGISTRATION, BA_NOT_HOME_SUBNET, BA_NOT_HOME_AGENT, BA_TYPE_CHANGE,
		BA_INVALID_COA, 200};

	for (size_t i = 0; i < sizeof(statuses); i++) {
		struct world *w = world_new();

		start(w);
		up(w, 1);
		ra_a(w, 1);
		ba(w, .status = statuses[i]);
		ck_assert_int_eq(info(w).registration, MN_REG_REFUSED);
		ck_assert_int_eq(info(w).last_status, statuses[i]);
		ck_assert_int_eq(w->last.type, EV_BA_REFUSED);
		ck_assert_int_eq(w->last.status, statuses[i]);
		forget(w);
		ra_a(w, 1);
		advance(w, 59000);
		expect_nothing(w); /* no hammering */
		advance(w, 1000);
		expect(w, "bu A1 600");
		ba(w, .status = statuses[i]);
		advance(w, 119000);
		expect_nothing(w);
		/* a move is a reason to try at once */
		up(w, 1);
		ra_b(w, 1);
		ck_assert_uint_eq(count(w, "bu B1"), 1);
		ba(w);
		ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
		world_free(w);
	}
}
END_TEST

/* RFC 6275 11.7.1: "MUST NOT attempt to re-use the same home address" */
START_TEST(home_address_lost)
{
	struct world *w = away_at_a();

	advance(w, 540000);
	ba(w, .status = BA_DAD_FAILED);
	forget(w);
	advance(w, 1000000);
	move_to_b(w);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	ck_assert(!w->held);
	/* at home, DAD may show that it is free again */
	down(w, 1);
	up(w, 1);
	forget(w);
	ra_home(w, 1);
	ck_assert_uint_eq(count(w, "home 1 HR dad go"), 1);
	address(w, 1, "HOA", MN_ADDR_READY);
	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1 600"), 1);
	world_free(w);
}
END_TEST

START_TEST(sequence_out_of_window)
{
	struct world *w = away_at_a();
	uint16_t theirs;

	move_to_b(w);
	forget(w);
	theirs = (uint16_t)(w->seq + 1000);
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN(theirs));
	expect(w, "bu B1 600"); /* at once */
	ck_assert_uint_eq(w->seq, (uint16_t)(theirs + 1));
	/* the same answer again, late: no new update */
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN(theirs));
	expect_nothing(w);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	/* and when nothing is outstanding */
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN((uint16_t)(w->seq + 5)));
	expect(w, "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(sequence_loop)
{
	struct world *w = away_at_a();

	move_to_b(w);
	forget(w);
	for (int i = 0; i < 200; i++) {
		advance(w, 50);
		ba(w, .status = BA_SEQUENCE, .seq = GIVEN((uint16_t)(w->seq + 100)));
	}
	/* 10 s: three at once, then the pace of retransmissions */
	ck_assert_uint_le(count(w, "bu B1"), 7);
	world_free(w);
}
END_TEST

START_TEST(sequence_wrap)
{
	struct world *w = world_new();

	w->fixed_random = true;
	w->random_seq = 65534;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(w->seq, 65534);
	advance(w, 1500);
	ck_assert_uint_eq(w->seq, 65535);
	advance(w, 3000);
	ck_assert_uint_eq(w->seq, 0);
	ba(w, .seq = GIVEN(65535));
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	up(w, 1);
	ra_b(w, 1);
	ck_assert_uint_eq(w->seq, 1);
	/* what the home agent knows lies before the wrap: overtaken */
	forget(w);
	ba(w, .status = BA_SEQUENCE, .seq = GIVEN(65535));
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(answers_that_are_not_ours)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	forget(w);
	ba(w, .seq = GIVEN((uint16_t)(w->seq - 1)));
	ba(w, .seq = GIVEN((uint16_t)(w->seq + 1)));
	ba(w, .src = "RB");
	ba(w, .dst = "A1");
	ba(w, .direct = true); /* without type 2 routing header */
	expect_nothing(w);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	ck_assert_uint_eq(mn_stats(w->mn)->ba_ignored, 5);
	ba(w);
	ba(w); /* repeated */
	ck_assert_uint_eq(mn_stats(w->mn)->ba_ignored, 6);
	ck_assert_uint_eq(w->events[EV_REGISTERED], 1);
	world_free(w);
}
END_TEST

START_TEST(ipsec_required)
{
	struct world *w = world_new();

	w->config.require_ipsec = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	ck_assert_int_eq(info(w).registration, MN_REG_PENDING);
	ck_assert_uint_eq(mn_stats(w->mn)->unprotected, 1);
	ba(w, .protected = true);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* MAX_UPDATE_RATE: three a second (also checked in each test); the latest wins. */
START_TEST(update_rate)
{
	struct world *w = away_at_a();

	advance(w, 5000);
	for (int i = 0; i < 10; i++) {
		up(w, 1);
		if (i % 2)
			ra_a(w, 1);
		else
			ra_b(w, 1);
	}
	up(w, 1);
	ra_b(w, 1);
	ck_assert_uint_eq(count(w, "bu "), 3);
	/* data does not overtake the Binding Update */
	ck_assert(w->held);
	forget(w);
	advance(w, 999);
	expect_nothing(w);
	advance(w, 1);
	expect(w, "bu B1 600", "tunnel B1 go");
	ba(w);
	ck_assert_str_eq(name_of(&w->last.care_of), "B1");
	world_free(w);
}
END_TEST

START_TEST(send_fails)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	w->fail_mh = -ENETUNREACH;
	ra_a(w, 1);
	ck_assert(w->held); /* nothing to follow */
	w->fail_mh = 0;
	forget(w);
	advance(w, 1500);
	expect(w, "bu A1 600", "tunnel A1 go");
	world_free(w);
}
END_TEST

/* No path: nothing is sent; the path's return sends what is due. */
START_TEST(nothing_is_sent_from_nowhere)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	down(w, 1);
	forget(w);
	ck_assert_int_eq(info(w).retransmit_in_ms, -1);
	advance(w, 100000);
	ck_assert_uint_eq(count(w, "bu "), 0);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	ba(w);
	down(w, 1);
	advance(w, 550000); /* a refresh became due */
	forget(w);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(count(w, "bu A1"), 1);
	world_free(w);
}
END_TEST

START_TEST(status_1)
{
	struct world *w = world_new();

	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w, .status = BA_ACCEPTED_PREFIX);
	ck_assert_int_eq(info(w).registration, MN_REG_REGISTERED);
	ck_assert_int_eq(info(w).last_status, BA_ACCEPTED_PREFIX);
	ck_assert_uint_eq(count(w, "mps A1"), 1);
	world_free(w);
}
END_TEST

/* ---- restart and stop ---- */

START_TEST(restart_away)
{
	struct world *w = world_new();
	struct in6_addr old = named("A1");

	start(w);
	mn_restore(w->mn, &old, 65535, 300);
	up(w, 1);
	ra_b(w, 1);
	ck_assert_uint_eq(w->seq, 0);
	ck_assert_uint_eq(count(w, "bu B1 600"), 1);
	world_free(w);
}
END_TEST

START_TEST(restart_at_home)
{
	struct world *w = world_new();
	struct in6_addr old = named("A1");

	start(w);
	mn_restore(w->mn, &old, 7, 300);
	up(w, 1);
	ra_home(w, 1);
	/* the home agent may still defend the address: no DAD */
	expect(w, "rs 1 ::", "neighbour 1 HA 10", "bupath-", "home 1 HR hold", "bu HOA 0",
		"home 1 HR go");
	ck_assert_uint_eq(w->seq, 8);
	world_free(w);

	w = world_new();
	start(w);
	mn_restore(w->mn, &old, 7, 0);
	up(w, 1);
	ra_home(w, 1);
	expect(w, "rs 1 ::", "home 1 HR dad go");
	down(w, 1);
	up(w, 1);
	ra_a(w, 1);
	ck_assert_uint_eq(w->seq, 8); /* the number still counts */
	world_free(w);
}
END_TEST

START_TEST(stop_away)
{
	struct world *w = away_at_a();

	mn_shutdown(w->mn);
	expect(w, "bu A1 0");
	ck_assert(!mn_idle(w->mn));
	ba(w);
	expect(w, "tunnel none go", "bupath-", "route- 1 A1", "addr- 1 A1");
	ck_assert(mn_idle(w->mn));
	ck_assert_uint_eq(w->stored_remaining, 0);
	/* deaf */
	up(w, 1);
	ra_b(w, 1);
	ba(w);
	advance(w, 100000);
	expect_nothing(w);
	world_free(w);
}
END_TEST

/* Others say good-bye from this place before it goes. */
START_TEST(stop_path_stays)
{
	struct world *w = world_new();

	w->config.path_stays = true;
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	forget(w);
	mn_end(w->mn); /* nothing has ended */
	expect_nothing(w);
	mn_shutdown(w->mn);
	expect(w, "bu A1 0");
	ba(w);
	expect_nothing(w);
	ck_assert(mn_idle(w->mn));
	up(w, 1);
	ra_b(w, 1);
	advance(w, 1000);
	expect_nothing(w);
	mn_end(w->mn);
	expect(w, "tunnel none go", "bupath-", "route- 1 A1", "addr- 1 A1");
	world_free(w);
}
END_TEST

START_TEST(stop_unanswered)
{
	struct world *w = away_at_a();

	mn_shutdown(w->mn);
	advance(w, 3999);
	expect(w, "bu A1 0", "bu A1 0", "bu A1 0");
	advance(w, 1);
	expect(w, "tunnel none go", "bupath-", "route- 1 A1", "addr- 1 A1");
	ck_assert(mn_idle(w->mn));
	ck_assert_uint_gt(w->stored_remaining, 0);
	world_free(w);
}
END_TEST

START_TEST(stop_elsewhere)
{
	struct world *w = world_new();

	start(w);
	mn_shutdown(w->mn);
	ck_assert(mn_idle(w->mn));
	expect_nothing(w);
	mn_free(w->mn);
	start(w);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	mn_shutdown(w->mn);
	expect(w, "home- 1");
	ck_assert(mn_idle(w->mn));
	mn_free(w->mn);
	/* on the way home: the de-registration is waited for */
	start(w);
	up(w, 1);
	ra_a(w, 1);
	ba(w);
	advance(w, 5000);
	up(w, 1);
	ra_home(w, 1);
	forget(w);
	mn_shutdown(w->mn);
	expect(w, "bu HOA 0");
	ba(w);
	ck_assert(mn_idle(w->mn));
	world_free(w);
}
END_TEST

/* ---- other Mobility Headers ---- */

START_TEST(binding_error)
{
	struct world *w = away_at_a();
	struct mh_message m = {.type = MH_BE};
	uint8_t buf[64];
	size_t len;

	m.u.be.status = BE_UNKNOWN_BINDING;
	m.u.be.home_address = named("HOA");
	len = mh_build(&m, buf, sizeof(buf));
	mh_raw(w, "HA", buf, len); /* too soon after our update */
	advance(w, 2000);
	mh_raw(w, "RB", buf, len); /* no entry for the sender */
	expect_nothing(w);
	mh_raw(w, "HA", buf, len);
	expect(w, "bu A1 600");
	mh_raw(w, "HA", buf, len); /* one is outstanding */
	expect_nothing(w);
	advance(w, 5500); /* between two retransmissions */
	forget(w);
	mh_raw(w, "HA", buf, len);
	expect_nothing(w);
	ba(w);
	advance(w, 2000);
	m.u.be.status = BE_UNKNOWN_MH_TYPE;
	len = mh_build(&m, buf, sizeof(buf));
	mh_raw(w, "HA", buf, len);
	expect_nothing(w);
	world_free(w);
}
END_TEST

START_TEST(binding_refresh_request)
{
	struct world *w = away_at_a();
	struct mh_message m = {.type = MH_BRR};
	uint8_t buf[64];
	size_t len = mh_build(&m, buf, sizeof(buf));

	advance(w, 5000);
	mh_raw(w, "RB", buf, len);
	expect_nothing(w);
	mh_raw(w, "HA", buf, len);
	expect(w, "bu A1 600");
	world_free(w);
}
END_TEST

START_TEST(unknown_and_malformed)
{
	struct world *w = away_at_a();
	static const uint8_t unknown[] = {59, 0, 99, 0, 0, 0, 0, 0};
	static const uint8_t cut[] = {59, 1, 6, 0, 0, 0, 0, 0};
	static const uint8_t proto[] = {58, 0, 0, 0, 0, 0, 0, 0};
	struct mip6_packet p = {.src = named("HOA"),
		.src_coa = named("B2"),
		.dst = named("A1"),
		.flags = MIP6_PKT_HAO,
		.ifindex = 1,
		.data = unknown,
		.len = sizeof(unknown)};

	mh_raw(w, "B1", unknown, sizeof(unknown));
	expect(w, "be HOA>B1");
	ck_assert(in6_is_any(&w->be_home));
	/* to the address of the wire, naming the home address (RFC 6275 9.3.3) */
	mn_receive_mh(w->mn, &p);
	expect(w, "be A1>B2");
	ck_assert_str_eq(name_of(&w->be_home), "HOA");
	mh_raw(w, "ff02::1", unknown, sizeof(unknown));
	mh_raw(w, "::", unknown, sizeof(unknown));
	expect_nothing(w);
	for (int i = 0; i < 1000; i++)
		mh_raw(w, "B1", unknown, sizeof(unknown));
	ck_assert_uint_le(w->be_sent, 10);
	ck_assert_uint_ge(w->be_sent, 5);
	forget(w);
	mh_raw(w, "B1", cut, sizeof(cut));
	mh_raw(w, "B1", proto, sizeof(proto));
	mh_raw(w, "B1", cut, 0);
	expect_nothing(w);
	ck_assert_uint_eq(mn_stats(w->mn)->malformed, 3);
	ck_assert_uint_eq(mn_stats(w->mn)->unknown_type, 1004);
	world_free(w);
}
END_TEST

/* Whatever comes, in whatever order: the invariants of this file, and no hold for ever. */
START_TEST(random_walk)
{
	struct world *w = world_new();
	unsigned seed = (unsigned)_i;

	w->config.uplink = _i % 2 ? MN_UPLINK_CAUTIOUS : MN_UPLINK_OPTIMISTIC;
	w->config.optimistic_dad = _i % 3;
	w->config.eager = _i % 5 == 0;
	start(w);
	for (int n = 0; n < 400; n++) {
		int i = rand_r(&seed) % 2 + 1;
		static const char *const coas[] = {"A1", "A2", "B1", "B2", "HOA", "L1", "L2"};

		switch (rand_r(&seed) % 12) {
		case 0:
			up_(w, i, rand_r(&seed) % 2);
			break;
		case 1:
			down(w, i);
			break;
		case 2:
			ra_a(w, i);
			break;
		case 3:
			ra_b(w, i);
			break;
		case 4:
			ra_home(w, i);
			break;
		case 5:
			ra_home_other(w, i);
			break;
		case 6:
			address(w, i, coas[rand_r(&seed) % 7],
				(enum mn_address_state)(rand_r(&seed) % 5));
			break;
		case 7:
		case 8:
			if (w->bus)
				ba(w);
			break;
		case 9:
			if (w->bus)
				ba(w, .status = (uint8_t)(rand_r(&seed) % 256));
			break;
		case 10:
			na(w, i, "HA", "all-nodes", "HOA", false, 0x10);
			break;
		default:
			advance(w, rand_r(&seed) % 5000);
			break;
		}
		forget(w);
	}
	for (int n = 0; n < 60; n++) { /* all wounds heal */
		advance(w, 1000);
		forget(w);
	}
	ck_assert(!w->held);
	down(w, 1);
	down(w, 2);
	up(w, 1);
	ra_b(w, 1);
	{
		struct in6_addr coa = info(w).care_of, b = in6("2001:db8:b::");

		if (info(w).location == MN_NOWHERE) {
			address(w, 1, "B1", MN_ADDR_READY);
			coa = info(w).care_of;
		}
		ck_assert_int_eq(info(w).location, MN_AWAY);
		ck_assert(in6_in_prefix(&coa, &b, 64));
	}
	advance(w, 4000);
	ck_assert(!w->held);
	mn_shutdown(w->mn);
	advance(w, 8000);
	ck_assert(mn_idle(w->mn));
	world_free(w);
}
END_TEST

static TCase *tcase(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	suite_add_tcase(s, tc);
	return tc;
}

static void registration_tests(Suite *s)
{
	TCase *tc = tcase(s, "registration");

	tcase_add_test(tc, retransmission);
	tcase_add_test(tc, home_agent_heard);
	tcase_add_test(tc, first_timeout_is_configurable);
	tcase_add_test(tc, late_answer);
	tcase_add_test(tc, remaining_lifetime);
	tcase_add_test(tc, refresh);
	tcase_add_test(tc, short_lifetime);
	tcase_add_test(tc, refresh_advice);
	tcase_add_test(tc, accepted_for_no_time);
	tcase_add_test(tc, refusals);
	tcase_add_test(tc, home_address_lost);
	tcase_add_test(tc, sequence_out_of_window);
	tcase_add_test(tc, sequence_loop);
	tcase_add_test(tc, sequence_wrap);
	tcase_add_test(tc, answers_that_are_not_ours);
	tcase_add_test(tc, ipsec_required);
	tcase_add_test(tc, update_rate);
	tcase_add_test(tc, send_fails);
	tcase_add_test(tc, nothing_is_sent_from_nowhere);
	tcase_add_test(tc, status_1);
	tc = tcase(s, "restart and stop");
	tcase_add_test(tc, restart_away);
	tcase_add_test(tc, restart_at_home);
	tcase_add_test(tc, stop_away);
	tcase_add_test(tc, stop_path_stays);
	tcase_add_test(tc, stop_unanswered);
	tcase_add_test(tc, stop_elsewhere);
	tc = tcase(s, "other messages");
	tcase_add_test(tc, binding_error);
	tcase_add_test(tc, binding_refresh_request);
	tcase_add_test(tc, unknown_and_malformed);
	tc = tcase(s, "random walk");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, random_walk, 0, 300);
}

static void home_tests(Suite *s)
{
	TCase *tc = tcase(s, "home");

	tcase_add_test(tc, start_at_home);
	tcase_add_test(tc, leave_home_and_return);
	tcase_add_test(tc, leave_home_make_before_break);
	tcase_add_test(tc, return_home_cautious);
	tcase_add_test(tc, return_home_by_solicitation);
	tcase_add_test(tc, return_home_nobody_defends);
	tcase_add_test(tc, return_home_other_path_until_known);
	tcase_add_test(tc, return_home_unanswered);
	tcase_add_test(tc, return_home_until_expiry);
	tcase_add_test(tc, return_home_after_expiry);
	tcase_add_test(tc, leave_home_before_the_answer);
	tcase_add_test(tc, home_link_event_at_home);
	tcase_add_test(tc, home_address_duplicate);
	tcase_add_test(tc, link_local_compatibility);
}

static void link_tests(Suite *s)
{
	TCase *tc = tcase(s, "attachment");

	tcase_add_test(tc, first_attachment);
	tcase_add_test(tc, cautious_uplink);
	tcase_add_test(tc, cautious_hold_ends);
	tcase_add_test(tc, without_optimistic_dad);
	tcase_add_test(tc, no_slla_no_optimism);
	tcase_add_test(tc, solicitation);
	tcase_add_test(tc, solicitation_falls_back);
	tcase_add_test(tc, solicitation_storm);
	tcase_add_test(tc, ra_is_judged);
	tcase_add_test(tc, prefixes_without_address);
	tc = tcase(s, "moves");
	tcase_add_test(tc, move_down_up);
	tcase_add_test(tc, old_address_goes_without_answer_too);
	tcase_add_test(tc, move_up_up);
	tcase_add_test(tc, same_link_again);
	tcase_add_test(tc, late_ra_of_the_old_link);
	tcase_add_test(tc, hold_ends_when_nowhere);
	tcase_add_test(tc, no_answer_after_link_event);
	tcase_add_test(tc, new_router_lazy);
	tcase_add_test(tc, new_router_eager);
	tcase_add_test(tc, home_router_appears);
	tcase_add_test(tc, probe_source);
	tcase_add_test(tc, router_with_another_name_is_spare);
	tcase_add_test(tc, router_with_the_same_name);
	tcase_add_test(tc, missed_advertisements);
	tcase_add_test(tc, retrans_timer_of_the_router);
	tcase_add_test(tc, unreachable_router);
	tcase_add_test(tc, router_lifetime);
	tc = tcase(s, "a tunnel of another daemon");
	tcase_add_test(tc, foreign_tunnel_begins);
	tcase_add_test(tc, foreign_tunnel_moves);
	tcase_add_test(tc, foreign_tunnel_does_not_follow);
	tcase_add_test(tc, foreign_tunnel_same_link_again);
	tcase_add_test(tc, foreign_tunnel_make_before_break);
	tcase_add_test(tc, foreign_tunnel_lost);
	tcase_add_test(tc, foreign_tunnel_end);
	tc = tcase(s, "two interfaces");
	tcase_add_test(tc, second_interface_stands_by);
	tcase_add_test(tc, equal_preference_stays);
	tcase_add_test(tc, preference_by_hand);
	tcase_add_test(tc, link_information);
	tc = tcase(s, "addresses");
	tcase_add_test(tc, duplicate_address);
	tcase_add_test(tc, duplicate_takes_other_prefix);
	tcase_add_test(tc, random_identifiers);
	tcase_add_test(tc, address_taken_away);
	tcase_add_test(tc, address_not_configured);
	tcase_add_test(tc, deprecated_address);
	tcase_add_test(tc, address_expires);
	tcase_add_test(tc, two_hours);
	tcase_add_test(tc, kernel_is_told_of_lifetimes_rarely);
}

int main(void)
{
	Suite *s = suite_create("mobile node");
	SRunner *sr = srunner_create(s);
	int failed;

	link_tests(s);
	home_tests(s);
	registration_tests(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
