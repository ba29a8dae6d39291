/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent core (mip6d/proto/ha.h) in a world that only writes down
 * what is asked of it.  Each call of the core becomes one line of a trace, so
 * that a test states what happens and in which order:
 *
 *	fwd+ HOME > CARE-OF, fwd- HOME	forwarding
 *	proxy+ ADDR, proxy- ADDR	proxying on the home link
 *	hear+ ADDR, hear- ADDR		listening during DAD
 *	put HOME seq N left N [invalid], del HOME	the store
 *	BA status N seq N life N to WIRE-DESTINATION [for HOME] [if N] [ipsec] [advice N]
 *	BE ..., PP ..., NS target, NA target
 *
 * Addresses are shortened to names, see below.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha.h"

#define HOME_IF 7
#define OTHER_IF 3

static const struct {
	const char *name, *text;
} names[] = {
	{"ha", "2001:db8:1::1000"},
	{"h1", "2001:db8:1::101"},
	{"h2", "2001:db8:1::102"},
	{"h1b", "2001:db8:2::101"}, /* the same interface identifier in another home prefix */
	{"ll1", "fe80::101"},
	{"c1", "2001:db8:a::1"},
	{"c2", "2001:db8:b::2"},
	{"foreign", "2001:db8:9::9"},
	{"anycast", "2001:db8:1::"},
	{"other", "2001:db8:1::2000"},
	{"all-nodes", "ff02::1"},
	{"group", "ff02::1:ff00:101"}, /* solicited-node group of h1, h1b, ll1 */
	{"sitelocal", "fec0::1"},
	{"llsrc", "fe80::99"},
	{"any", "::"},
	{"multicast", "ff0e::1"},
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

static struct in6_addr addr(const char *name)
{
	struct in6_addr a;

	for (size_t i = 0; i < N_NAMES; i++) {
		if (!strcmp(names[i].name, name)) {
			ck_assert_int_eq(inet_pton(AF_INET6, names[i].text, &a), 1);
			return a;
		}
	}
	ck_assert_int_eq(inet_pton(AF_INET6, name, &a), 1);
	return a;
}

static const char *name_of(const struct in6_addr *a)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		struct in6_addr b = addr(names[i].name);

		if (in6_equal(a, &b))
			return names[i].name;
	}
	return in6_str(a);
}

/* ---- the world ---- */

struct world {
	struct timerq *timers;
	monotime_t now;
	uint64_t random;
	struct mip6_env env;
	struct ha_ops ops;
	struct ha_config config;
	struct in6_addr allowed[1];
	struct ha *ha;
	char trace[16384], events[16384];
	int forward_error, proxy_error;
	bool quiet; /* no trace, no checks: for thousands */
	unsigned n_ba, n_ns, n_na, n_bad;
	uint8_t ba_status;
	uint16_t ba_life;
	uint8_t icmp[2048], ns[128]; /* the last Parameter Problem, Neighbor Solicitation */
	size_t icmp_len, ns_len;
};

static struct world w;

/* What the kernel would have in it, for the random walk: one row an address. */
static struct kernel_row {
	struct in6_addr addr, care_of;
	int forwarding, proxy, hears, stored;
} kernel[16];

static struct kernel_row *kernel_row(const struct in6_addr *a)
{
	size_t i = 0;

	while (i < 15 && !in6_is_any(&kernel[i].addr) && !in6_equal(&kernel[i].addr, a))
		i++;
	kernel[i].addr = *a;
	return &kernel[i];
}

static void __attribute__((format(printf, 2, 3))) note_(char *to, const char *fmt, ...)
{
	size_t used = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + used, sizeof(w.trace) - used, fmt, ap);
	va_end(ap);
}

/* Does not even look at its arguments when nobody wants to know. */
#define note(...)                           \
	do {                                \
		if (!w.quiet)               \
			note_(__VA_ARGS__); \
	} while (0)

static monotime_t w_now(void *ctx)
{
	(void)ctx;
	return w.now;
}

static void w_random(void *ctx, void *to, size_t n)
{
	uint8_t *p = to;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		w.random = w.random * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(w.random >> 56);
	}
}

static void note_ba(const struct mip6_packet *p, const struct mh_message *m)
{
	const struct mh_option *advice = mh_option(m, MHOPT_REFRESH_ADVICE);

	w.n_ba++;
	w.ba_status = m->u.ba.status;
	w.ba_life = m->u.ba.lifetime;
	note(w.trace, "BA status %u seq %u life %u", m->u.ba.status, m->u.ba.seq, m->u.ba.lifetime);
	ck_assert_uint_eq(m->u.ba.flags, 0);
	if (p->flags & MIP6_PKT_RH2)
		note(w.trace, " to %s for %s", name_of(&p->dst_coa), name_of(&p->dst));
	else
		note(w.trace, " to %s", name_of(&p->dst));
	if (p->ifindex)
		note(w.trace, " if %d", p->ifindex);
	if (p->flags & MIP6_PKT_PROTECTED)
		note(w.trace, " ipsec");
	if (advice)
		note(w.trace, " advice %u", advice->u.refresh_interval);
	note(w.trace, "\n");
}

static int w_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct in6_addr ha;
	struct mh_message m;

	(void)ctx;
	if (w.quiet) {
		w.n_ba++;
		return 0;
	}
	ck_assert_int_eq(mh_parse(p->data, p->len, &m, NULL), MH_OK);
	ha = addr("ha");
	ck_assert_mem_eq(&p->src, &ha, sizeof(ha));
	if (m.type == MH_BA) {
		note_ba(p, &m);
		return 0;
	}
	ck_assert_int_eq(m.type, MH_BE);
	ck_assert_uint_eq(p->flags, 0);
	note(w.trace, "BE status %u home %s to %s\n", m.u.be.status, name_of(&m.u.be.home_address),
		name_of(&p->dst));
	return 0;
}

static void check_ns(const struct mip6_packet *p, const struct icmp6_message *m)
{
	struct in6_addr group = in6_solicited_node(&m->u.ns.target);

	w.n_ns++;
	ck_assert(in6_is_any(&p->src));
	ck_assert(in6_equal(&p->dst, &group));
	ck_assert_uint_eq(m->u.ns.slla.len, 0);
	memcpy(w.ns, p->data, p->len);
	w.ns_len = p->len;
	note(w.trace, "NS %s\n", name_of(&m->u.ns.target));
}

static void check_na(const struct mip6_packet *p, const struct icmp6_message *m)
{
	w.n_na++;
	ck_assert_str_eq(name_of(&p->dst), "all-nodes");
	ck_assert_str_eq(name_of(&p->src), "ha");
	ck_assert(!m->u.na.router && !m->u.na.solicited && m->u.na.override);
	ck_assert_uint_eq(m->u.na.tlla.len, 6);
	ck_assert_mem_eq(m->u.na.tlla.addr, w.config.home_lladdr, 6);
	note(w.trace, "NA %s\n", name_of(&m->u.na.target));
}

static int w_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct icmp6_message m;

	(void)ctx;
	if (w.quiet) {
		w.n_ns += p->data[0] == ICMP6T_NS;
		w.n_na += p->data[0] == ICMP6T_NA;
		return 0;
	}
	if (p->data[0] == ICMP6T_PARAM_PROBLEM) {
		memcpy(w.icmp, p->data, p->len);
		w.icmp_len = p->len;
		note(w.trace, "PP to %s\n", name_of(&p->dst));
		return 0;
	}
	ck_assert(icmp6_parse(p->data, p->len, &m));
	ck_assert_int_eq(p->hop_limit, 255);
	ck_assert_int_eq(p->ifindex, HOME_IF);
	if (m.type == ICMP6T_NS)
		check_ns(p, &m);
	else
		check_na(p, &m);
	return 0;
}

static void w_event(void *ctx, const struct mip6_event *e)
{
	(void)ctx;
	w.n_bad += e->type == EV_BAD_PACKET;
	note(w.events, "%s", mip6_event_name(e->type));
	if (!in6_is_any(&e->home_address))
		note(w.events, " %s", name_of(&e->home_address));
	if (e->status >= 0)
		note(w.events, " status %d", e->status);
	if (e->text)
		note(w.events, " (%s)", e->text);
	note(w.events, "\n");
}

static int w_forward_set(void *ctx, const struct in6_addr *home, const struct in6_addr *coa)
{
	(void)ctx;
	note(w.trace, "fwd+ %s > %s\n", name_of(home), name_of(coa));
	if (!w.forward_error) {
		kernel_row(home)->forwarding = 1;
		kernel_row(home)->care_of = *coa;
	}
	return w.forward_error;
}

static int w_forward_del(void *ctx, const struct in6_addr *home)
{
	(void)ctx;
	note(w.trace, "fwd- %s\n", name_of(home));
	kernel_row(home)->forwarding--;
	return 0;
}

static int w_proxy_add(void *ctx, int ifindex, const struct in6_addr *a, bool router)
{
	(void)ctx;
	(void)router;
	if (ifindex != HOME_IF)
		return -ENODEV;
	note(w.trace, "proxy+ %s\n", name_of(a));
	kernel_row(a)->proxy |= !w.proxy_error;
	return w.proxy_error;
}

static int w_proxy_del(void *ctx, int ifindex, const struct in6_addr *a)
{
	(void)ctx;
	if (ifindex != HOME_IF)
		return -ENODEV;
	note(w.trace, "proxy- %s\n", name_of(a));
	kernel_row(a)->proxy--;
	return 0;
}

static int w_dad_listen(void *ctx, int ifindex, const struct in6_addr *a, bool on)
{
	(void)ctx;
	if (ifindex != HOME_IF)
		return -ENODEV;
	note(w.trace, "hear%c %s\n", on ? '+' : '-', name_of(a));
	kernel_row(a)->hears += on ? 1 : -1;
	return 0;
}

static void w_store_put(void *ctx, const struct ha_binding_record *r)
{
	(void)ctx;
	kernel_row(&r->home_address)->stored = r->invalid ? 2 : 1;
	note(w.trace, "put %s seq %u left %u%s\n", name_of(&r->home_address), r->seq,
		r->remaining_s, r->invalid ? " invalid" : "");
}

static void w_store_del(void *ctx, const struct in6_addr *home)
{
	(void)ctx;
	note(w.trace, "del %s\n", name_of(home));
	kernel_row(home)->stored = 0;
}

static void add_prefix(const char *text, uint32_t valid_s, uint32_t preferred_s)
{
	struct ha_prefix *p = &w.config.prefixes[w.config.n_prefixes++];

	ck_assert(ip6_prefix_parse(text, &p->prefix));
	p->valid_s = valid_s;
	p->preferred_s = preferred_s;
}

static void start(void)
{
	ha_free(w.ha);
	w.ha = ha_new(&w.config, &w.env, &w.ops, &w);
	ck_assert_ptr_nonnull(w.ha);
}

/* A home agent on a virtual home link, so without DAD. */
static void setup(void)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

	memset(&w, 0, sizeof(w));
	memset(kernel, 0, sizeof(kernel));
	w.timers = timerq_new();
	w.now = (monotime_t){1000000000};
	w.env = (struct mip6_env){&w, w.timers, w_now, w_random, w_send_mh, w_send_icmp6, w_event};
	w.ops = (struct ha_ops){w_forward_set, w_forward_del, w_proxy_add, w_proxy_del,
		w_dad_listen, w_store_put, w_store_del, NULL};
	w.config.address = addr("ha");
	memcpy(w.config.home_lladdr, mac, sizeof(mac));
	w.config.home_lladdr_len = sizeof(mac);
	w.config.max_lifetime_s = 3600;
	w.config.max_bindings = 1000;
	add_prefix("2001:db8:1::/64", UINT32_MAX, UINT32_MAX);
	start();
}

static void setup_link(void)
{
	setup();
	w.config.home_ifindex = HOME_IF;
	start();
}

static void teardown(void)
{
	ha_free(w.ha);
	timerq_free(w.timers);
}

/* Time goes on; timers run when they are due. */
static void pass_ms(int64_t ms)
{
	monotime_t end = mono_add_ms(w.now, ms);

	while (!mono_before(end, timerq_next(w.timers))) {
		monotime_t next = timerq_next(w.timers);

		if (mono_before(w.now, next))
			w.now = next;
		timerq_run(w.timers, w.now);
	}
	w.now = end;
}

static void pass_s(int64_t s)
{
	pass_ms(s * 1000);
}

/* The trace since the last time. */
#define EXPECT(text)                             \
	do {                                     \
		ck_assert_str_eq(w.trace, text); \
		w.trace[0] = 0;                  \
	} while (0)
#define EXPECT_EVENTS(text)                       \
	do {                                      \
		ck_assert_str_eq(w.events, text); \
		w.events[0] = 0;                  \
	} while (0)

static void forget(void)
{
	w.trace[0] = w.events[0] = 0;
}

/* ---- Binding Updates ---- */

struct bu {
	const char *home, *care_of; /* "h1", "c1" */
	const char *alt; /* Alternate Care-of Address option */
	const char *to; /* "ha" */
	unsigned seq, life; /* units of 4 s */
	unsigned flags; /* A|H unless no_flags */
	bool no_flags, no_hao, nonces, is_protected;
	int ifindex;
};

static void receive(struct mip6_packet *p, const struct mh_message *m)
{
	uint8_t data[256];

	p->data = data;
	p->len = mh_build(m, data, sizeof(data));
	ck_assert_uint_gt(p->len, 0);
	ha_receive_mh(w.ha, p);
}

static void bu_(struct bu u)
{
	struct mip6_packet p = {.src = addr(u.home ? u.home : "h1"),
		.dst = addr(u.to ? u.to : "ha"),
		.ifindex = u.ifindex ? u.ifindex : OTHER_IF,
		.hop_limit = 64};
	struct mh_message m = {.type = MH_BU};

	if (!u.no_hao) {
		p.flags |= MIP6_PKT_HAO;
		p.src_coa = addr(u.care_of ? u.care_of : "c1");
	}
	if (u.is_protected)
		p.flags |= MIP6_PKT_PROTECTED;
	m.u.bu.seq = (uint16_t)u.seq;
	m.u.bu.lifetime = (uint16_t)u.life;
	m.u.bu.flags = (uint16_t)(u.flags | (u.no_flags ? 0 : BU_F_A | BU_F_H));
	if (u.alt)
		mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = addr(u.alt);
	if (u.nonces)
		mh_option_add(&m, MHOPT_NONCE_INDICES);
	receive(&p, &m);
}
#define bu(...) bu_((struct bu){__VA_ARGS__})

/* Binding Updates for n home addresses 2001:db8:1::2:0:0, 2:0:1, ... */
static void many(unsigned n, unsigned seq, const char *care_of, unsigned flags)
{
	struct mip6_packet p = {.src = addr("2001:db8:1::2:0:0"),
		.src_coa = addr(care_of),
		.dst = addr("ha"),
		.flags = MIP6_PKT_HAO,
		.ifindex = OTHER_IF};
	struct mh_message m = {.type = MH_BU,
		.u.bu = {.seq = (uint16_t)seq,
			.lifetime = 100,
			.flags = (uint16_t)(BU_F_A | BU_F_H | flags)}};
	uint8_t data[64];

	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	for (unsigned i = 0; i < n; i++) {
		p.src.s6_addr[13] = (uint8_t)(i >> 16);
		p.src.s6_addr[14] = (uint8_t)(i >> 8);
		p.src.s6_addr[15] = (uint8_t)i;
		ha_receive_mh(w.ha, &p);
	}
}

static struct ha_binding_info find(const char *home)
{
	struct in6_addr a = addr(home);
	struct ha_binding_info i;

	ck_assert(ha_find(w.ha, &a, &i));
	return i;
}

static const char *care_of(const char *home)
{
	struct ha_binding_info i = find(home);

	return name_of(&i.care_of);
}

static bool exists(const char *home)
{
	struct in6_addr a = addr(home);
	struct ha_binding_info i;

	return ha_find(w.ha, &a, &i);
}

#define REFUSED(status) (ha_stats(w.ha)->refused[(status)-128])

/* ---- registration on a virtual home link ---- */

START_TEST(registers)
{
	struct ha_binding_info i;

	bu(.seq = 5, .life = 10); /* BU --> */
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\n" /* a promise kept before it is made */
	       "BA status 0 seq 5 life 10 to c1 for h1\n"); /* <-- BA */
	EXPECT_EVENTS("binding-new h1 status 0\n");
	i = find("h1");
	ck_assert_int_eq(i.state, HA_BINDING_ACTIVE);
	ck_assert_uint_eq(i.lifetime_s, 40);
	ck_assert_uint_eq(i.remaining_s, 40);
	ck_assert_uint_eq(i.seq, 5);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	ck_assert_uint_eq(ha_stats(w.ha)->registrations, 1);
	ck_assert_uint_eq(ha_stats(w.ha)->bu_accepted, 1);
}
END_TEST

START_TEST(refreshes)
{
	bu(.seq = 5, .life = 10);
	pass_s(30);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("put h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c1 for h1\n");
	EXPECT_EVENTS("binding-refreshed h1 status 0\n");
	pass_s(30); /* the first lifetime is over, the second is not */
	ck_assert(exists("h1"));
	ck_assert_uint_eq(find("h1").age_s, 60);
	ck_assert_uint_eq(ha_stats(w.ha)->refreshes, 1);
	pass_s(10);
	ck_assert(!exists("h1"));
}
END_TEST

START_TEST(moves)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 10, .care_of = "c2");
	/* One call moves it: nothing is taken away first. */
	EXPECT("fwd+ h1 > c2\nput h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c2 for h1\n");
	EXPECT_EVENTS("binding-moved h1 status 0\n");
	ck_assert_uint_eq(find("h1").moves, 1);
	ck_assert_uint_eq(ha_stats(w.ha)->moves, 1);
}
END_TEST

START_TEST(expires)
{
	bu(.seq = 5, .life = 10);
	forget();
	pass_ms(39999);
	EXPECT("");
	pass_ms(1);
	EXPECT("fwd- h1\ndel h1\n");
	EXPECT_EVENTS("binding-gone h1 (expired)\n");
	ck_assert_uint_eq(ha_count(w.ha), 0);
	ck_assert_uint_eq(ha_stats(w.ha)->expirations, 1);
}
END_TEST

/* The option wins over the source; the answer goes to the source all the same (9.5.4). */
START_TEST(alternate_care_of_address)
{
	bu(.seq = 5, .life = 10, .alt = "c2");
	EXPECT("fwd+ h1 > c2\nput h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
}
END_TEST

/* 10.3.1: "Regardless of the setting of the Acknowledge (A) bit" */
START_TEST(answers_without_a_bit)
{
	bu(.seq = 5, .life = 10, .no_flags = true, .flags = BU_F_H);
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
}
END_TEST

/* Flags of other RFCs, of no one, and those that we cannot honour, change nothing but what is clear in the BA. */
START_TEST(ignores_other_flags)
{
	bu(.seq = 5, .life = 10, .flags = 0xffff & ~(BU_F_L | BU_F_R));
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
	ck_assert_uint_eq(find("h1").flags, 0xffff & ~(BU_F_L | BU_F_R));
}
END_TEST

/* A source that is link-local is answered on the link it came from. */
START_TEST(answers_link_local_source)
{
	bu(.seq = 5, .life = 10, .care_of = "llsrc", .alt = "c1");
	EXPECT("fwd+ h1 > c1\nput h1 seq 5 left 40\n"
	       "BA status 0 seq 5 life 10 to llsrc for h1 if 3\n");
}
END_TEST

/* ---- lifetime, status 1, refresh advice ---- */

START_TEST(lifetime_is_the_least)
{
	w.config.prefixes[0].valid_s = 8003;
	w.config.prefixes[0].preferred_s = 8003;
	w.config.max_lifetime_s = 8000;
	start();
	bu(.seq = 1, .life = 10);
	ck_assert_uint_eq(w.ba_life, 10); /* asked for */
	ck_assert_uint_eq(w.ba_status, 0);
	bu(.seq = 2, .life = 65535);
	ck_assert_uint_eq(w.ba_life, 2000); /* allowed, and as long as the prefix */
	ck_assert_uint_eq(w.ba_status, 1);
	pass_s(4001);
	bu(.seq = 3, .life = 65535); /* 4002 s left */
	ck_assert_uint_eq(w.ba_life, 1000);
	ck_assert_uint_eq(w.ba_status, 1);
	pass_s(3999); /* 3 s left, less than one unit: there is no such prefix any more */
	bu(.seq = 4, .life = 65535);
	ck_assert_uint_eq(w.ba_status, BA_NOT_HOME_SUBNET);
	ck_assert(exists("h1"));
	pass_s(1);
	ck_assert(!exists("h1"));
}
END_TEST

START_TEST(lifetime_is_never_zero)
{
	w.config.max_lifetime_s = 3;
	start();
	bu(.seq = 1, .life = 1);
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(w.ba_life, 1);
	bu(.seq = 2, .life = 100);
	ck_assert_uint_eq(w.ba_life, 1);
	bu(.seq = 3, .life = 1, .home = "h2");
	ck_assert_uint_eq(w.ba_life, 1);
	w.config.max_lifetime_s = 0;
	start();
	bu(.seq = 1, .life = 65535);
	ck_assert_uint_eq(w.ba_life, 65535);
}
END_TEST

static uint8_t status_with_prefix(uint32_t valid_s, uint32_t preferred_s, unsigned life)
{
	w.config.prefixes[0].valid_s = valid_s;
	w.config.prefixes[0].preferred_s = preferred_s;
	start();
	bu(.seq = 1, .life = life);
	return w.ba_status;
}

/* 10.3.1: deprecated, deprecated meanwhile, invalid at the end; in units of 4 s */
START_TEST(prefix_discovery_necessary)
{
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, UINT32_MAX, 10), 0);
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, 0, 10), 1);
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, 39, 10), 1);
	ck_assert_uint_eq(status_with_prefix(UINT32_MAX, 40, 10), 0);
	ck_assert_uint_eq(status_with_prefix(44, 44, 10), 0);
	ck_assert_uint_eq(status_with_prefix(43, 43, 10), 1);
	ck_assert_uint_eq(status_with_prefix(40, 40, 10), 1);
	ck_assert_uint_eq(w.ba_life, 10);
	ck_assert_uint_eq(status_with_prefix(20, 20, 10), 1);
	ck_assert_uint_eq(w.ba_life, 5);
}
END_TEST

/* The preferred lifetime counts down as well. */
START_TEST(prefix_gets_deprecated)
{
	w.config.prefixes[0].preferred_s = 100;
	start();
	bu(.seq = 1, .life = 10);
	ck_assert_uint_eq(w.ba_status, 0);
	pass_s(61);
	bu(.seq = 2, .life = 10);
	ck_assert_uint_eq(w.ba_status, 1);
	ck_assert_uint_eq(w.ba_life, 10); /* no impact on the lifetime */
}
END_TEST

START_TEST(longest_prefix_counts)
{
	add_prefix("2001:db8:1::/112", 40, 40);
	add_prefix("2001:db8::/32", 20, 20);
	start();
	bu(.seq = 1, .life = 100);
	ck_assert_uint_eq(w.ba_life, 10);
	pass_s(37); /* not valid any more: the one around it is */
	bu(.seq = 2, .life = 100);
	ck_assert_uint_eq(w.ba_status, BA_NOT_HOME_SUBNET); /* 3 s are left */
	pass_s(3);
	bu(.seq = 3, .life = 100);
	ck_assert_uint_eq(w.ba_life, 100);
}
END_TEST

START_TEST(refresh_advice)
{
	w.config.refresh_advice_s = 20;
	start();
	bu(.seq = 1, .life = 10); /* with a store: never */
	EXPECT("fwd+ h1 > c1\nput h1 seq 1 left 40\nBA status 0 seq 1 life 10 to c1 for h1\n");
	w.ops.store_put = NULL;
	w.ops.store_del = NULL;
	bu(.seq = 2, .life = 10);
	EXPECT("BA status 0 seq 2 life 10 to c1 for h1 advice 5\n");
	bu(.seq = 3, .life = 5); /* not less than the lifetime */
	EXPECT("BA status 0 seq 3 life 5 to c1 for h1\n");
	bu(.seq = 3, .life = 10);
	EXPECT("BA status 135 seq 3 life 0 to c1 for h1\n");
	bu(.seq = 4, .life = 0);
	EXPECT("fwd- h1\nBA status 0 seq 4 life 0 to c1 for h1\n");
	pass_s(10);
	ck_assert(!exists("h1"));
}
END_TEST

/* ---- sequence numbers ---- */

/* The example of 9.5.1: 15 was the last; 0 to 15 and 32783 to 65535 are not greater. */
START_TEST(sequence_numbers_of_the_rfc)
{
	static const struct {
		unsigned seq;
		bool accepted;
	} cases[] = {{0, false}, {1, false}, {14, false}, {15, false}, {16, true}, {17, true},
		{32782, true}, {32783, false}, {40000, false}, {65535, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start();
		bu(.seq = 15, .life = 10);
		forget();
		bu(.seq = cases[i].seq, .life = 10, .care_of = "c2");
		if (cases[i].accepted) {
			ck_assert_uint_eq(w.ba_status, 0);
			ck_assert_uint_eq(find("h1").seq, cases[i].seq);
		} else {
			/* the last accepted number; sent to where the Binding Update came from */
			EXPECT("BA status 135 seq 15 life 0 to c2 for h1\n");
			EXPECT_EVENTS("bu-refused h1 status 135 (sequence number out of window)\n");
			ck_assert_uint_eq(find("h1").seq, 15);
			ck_assert_uint_eq(REFUSED(BA_SEQUENCE), 1);
		}
	}
}
END_TEST

START_TEST(sequence_wraps)
{
	bu(.seq = 65534, .life = 10);
	for (unsigned i = 65535; i < 65536 + 5; i++) {
		bu(.seq = i, .life = 10);
		ck_assert_uint_eq(w.ba_status, 0);
	}
	ck_assert_uint_eq(find("h1").seq, 4);
	bu(.seq = 65535, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

/* "If the receiving node has no Binding Cache entry ... MUST accept any" */
START_TEST(any_first_sequence_number)
{
	bu(.seq = 40000, .life = 1);
	pass_s(4);
	bu(.seq = 40000, .life = 1);
	ck_assert_uint_eq(w.ba_status, 0);
}
END_TEST

/* 9.5.1 stores the number of a valid Binding Update, though 10.3.1 refuses it. */
START_TEST(refused_number_counts)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 10, .alt = "h1");
	EXPECT("put h1 seq 6 left 40\nBA status 174 seq 6 life 0 to c1 for h1\n");
	ck_assert_str_eq(care_of("h1"), "c1");
	bu(.seq = 6, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

/* ---- every status that refuses ---- */

START_TEST(prohibited)
{
	w.allowed[0] = addr("h2");
	w.config.allowed = w.allowed;
	w.config.n_allowed = 1;
	start();
	bu(.seq = 1, .life = 10);
	EXPECT("BA status 129 seq 1 life 0 to c1 for h1\n");
	bu(.seq = 1, .life = 10, .home = "h2");
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(REFUSED(BA_PROHIBITED), 1);
}
END_TEST

START_TEST(router_anycast_is_prohibited)
{
	bu(.seq = 1, .life = 10, .home = "anycast");
	EXPECT("BA status 129 seq 1 life 0 to c1 for anycast\n");
}
END_TEST

START_TEST(insufficient_resources)
{
	w.config.max_bindings = 1;
	start();
	bu(.seq = 1, .life = 10);
	forget();
	bu(.seq = 1, .life = 10, .home = "h2");
	EXPECT("BA status 130 seq 1 life 0 to c1 for h2\n");
	bu(.seq = 2, .life = 10); /* the one that is in stays in */
	ck_assert_uint_eq(w.ba_status, 0);
	bu(.seq = 3, .life = 0);
	bu(.seq = 2, .life = 10, .home = "h2"); /* and makes room when it leaves */
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	bu(.seq = 4, .life = 10); /* an invalid entry is none */
	ck_assert_uint_eq(w.ba_status, BA_RESOURCES);
	ck_assert_uint_eq(REFUSED(BA_RESOURCES), 2);
}
END_TEST

START_TEST(no_home_registration)
{
	w.config.n_prefixes = 0;
	start();
	bu(.seq = 1, .life = 10);
	EXPECT("BA status 131 seq 1 life 0 to c1 for h1\n");
	bu(.seq = 2, .life = 0);
	EXPECT("BA status 131 seq 2 life 0 to c1 for h1\n");
	ck_assert_uint_eq(REFUSED(BA_NO_HOME_REGISTRATION), 2);
}
END_TEST

START_TEST(not_home_subnet)
{
	bu(.seq = 1, .life = 10, .home = "foreign");
	EXPECT("BA status 132 seq 1 life 0 to c1 for foreign\n");
	ck_assert_uint_eq(REFUSED(BA_NOT_HOME_SUBNET), 1);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

START_TEST(not_home_agent)
{
	bu(.seq = 1, .life = 0);
	EXPECT("BA status 133 seq 1 life 0 to c1 for h1\n");
	EXPECT_EVENTS("bu-refused h1 status 133 (not home agent for this mobile node)\n");
	ck_assert_uint_eq(REFUSED(BA_NOT_HOME_AGENT), 1);
}
END_TEST

START_TEST(home_address_of_the_home_agent)
{
	bu(.seq = 1, .life = 10, .home = "ha");
	EXPECT("BA status 134 seq 1 life 0 to c1 for ha\n");
}
END_TEST

START_TEST(type_change)
{
	bu(.seq = 1, .life = 10);
	forget();
	bu(.seq = 2, .life = 10, .no_flags = true, .flags = BU_F_A, .nonces = true);
	EXPECT("BA status 139 seq 2 life 0 to c1 for h1\n");
	ck_assert_uint_eq(find("h1").flags & BU_F_H, BU_F_H);
	ck_assert_uint_eq(REFUSED(BA_TYPE_CHANGE), 1);
	bu(.seq = 1, .life = 10, .no_flags = true, .flags = BU_F_A); /* sequence first */
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

START_TEST(invalid_care_of_address)
{
	static const char *const unusable[] = {"h1", "ha", "h2"};

	bu(.seq = 1, .life = 10, .home = "h2");
	for (unsigned i = 0; i < 3; i++) {
		forget();
		bu(.seq = i, .life = 10, .alt = unusable[i]);
		EXPECT_EVENTS("bu-refused h1 status 174 (invalid care-of address)\n");
		ck_assert(!exists("h1"));
	}
	ck_assert_uint_eq(REFUSED(BA_INVALID_COA), 3);
	bu(.seq = 2, .life = 0, .home = "h2"); /* an invalid entry makes no loop */
	bu(.seq = 9, .life = 10, .alt = "h2");
	ck_assert_uint_eq(w.ba_status, 0);
}
END_TEST

START_TEST(forwarding_fails)
{
	w.forward_error = -ENOSPC;
	bu(.seq = 1, .life = 10);
	EXPECT("fwd+ h1 > c1\nBA status 130 seq 1 life 0 to c1 for h1\n");
	ck_assert(!exists("h1"));
	w.forward_error = 0;
	bu(.seq = 2, .life = 10);
	forget();
	w.forward_error = -ENOSPC;
	bu(.seq = 3, .life = 10, .care_of = "c2"); /* a move that fails leaves what was */
	EXPECT("fwd+ h1 > c2\nput h1 seq 3 left 40\nBA status 130 seq 3 life 0 to c2 for h1\n");
	ck_assert_str_eq(care_of("h1"), "c1");
	w.forward_error = 0;
	bu(.seq = 4, .life = 10, .care_of = "c2");
	EXPECT("fwd+ h1 > c2\nput h1 seq 4 left 40\nBA status 0 seq 4 life 10 to c2 for h1\n");
}
END_TEST

/* ---- silence ---- */

START_TEST(silently_discarded)
{
	bu(.seq = 1, .life = 10, .home = "sitelocal");
	bu(.seq = 1, .life = 10, .home = "multicast");
	bu(.seq = 1, .life = 10, .home = "llsrc", .no_hao = true);
	bu(.seq = 1, .life = 10, .home = "llsrc", .no_hao = true, .alt = "c1");
	bu(.seq = 1, .life = 10, .alt = "llsrc"); /* 6.1.7 MUST */
	bu(.seq = 1, .life = 10, .alt = "multicast");
	bu(.seq = 1, .life = 10, .alt = "any");
	bu(.seq = 1, .life = 10, .care_of = "llsrc");
	bu(.seq = 1, .life = 10, .care_of = "multicast", .alt = "c1"); /* 9.5.4 */
	bu(.seq = 1, .life = 10, .care_of = "any", .alt = "c1");
	bu(.seq = 1, .life = 10, .to = "multicast");
	bu(.seq = 1, .life = 10, .nonces = true); /* H with nonces, 9.5.1 */
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 12);
	bu(.seq = 1, .life = 10, .no_flags = true, .flags = BU_F_A); /* no correspondent node */
	EXPECT("");
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

/* 10.3.1: a registration has a Home Address option. */
START_TEST(registration_without_home_address_option)
{
	bu(.seq = 1, .life = 10, .no_hao = true);
	bu(.seq = 1, .life = 10, .no_hao = true, .alt = "c1");
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->no_hao, 2);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

START_TEST(ipsec_required)
{
	w.config.require_ipsec = true;
	start();
	bu(.seq = 1, .life = 10);
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->unprotected, 1);
	bu(.seq = 1, .life = 10, .is_protected = true);
	EXPECT("fwd+ h1 > c1\nput h1 seq 1 left 40\nBA status 0 seq 1 life 10 to c1 for h1 "
	       "ipsec\n");
	bu(.seq = 2, .life = 0);
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

START_TEST(ipsec_if_it_was_there)
{
	bu(.seq = 1, .life = 10, .is_protected = true);
	EXPECT("fwd+ h1 > c1\nput h1 seq 1 left 40\nBA status 0 seq 1 life 10 to c1 for h1 "
	       "ipsec\n");
}
END_TEST

START_TEST(reports_are_few)
{
	for (unsigned i = 0; i < 1000; i++)
		bu(.seq = 1, .life = 10, .alt = "multicast");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 1000);
	ck_assert_uint_le(w.n_bad, 10);
	pass_s(60);
	w.n_bad = 0;
	bu(.seq = 1, .life = 10, .alt = "multicast");
	ck_assert_uint_eq(w.n_bad, 1);
}
END_TEST

/* ---- malformed Mobility Headers ---- */

static void raw(const uint8_t *data, size_t len, unsigned flags, const char *source)
{
	struct mip6_packet p = {.src = addr("h1"),
		.dst = addr("ha"),
		.ifindex = OTHER_IF,
		.hop_limit = 61,
		.flags = flags};

	if (flags & MIP6_PKT_HAO)
		p.src_coa = addr(source);
	else
		p.src = addr(source);
	p.data = malloc(len); /* exactly as long, so that reading on is noticed */
	memcpy((void *)p.data, data, len);
	p.len = len;
	ha_receive_mh(w.ha, &p);
	free((void *)p.data);
}

static size_t good_bu(uint8_t data[64])
{
	struct mh_message m = {
		.type = MH_BU, .u.bu = {.seq = 9, .flags = BU_F_A | BU_F_H, .lifetime = 10}};

	mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = addr("c1");
	return mh_build(&m, data, 64);
}

START_TEST(parameter_problem)
{
	uint8_t data[64];
	size_t len = good_bu(data);
	struct in6_addr c1 = addr("c1"), h1 = addr("h1"), ha = addr("ha");

	data[0] = 58; /* Payload Proto */
	raw(data, len, 0, "c1");
	EXPECT("PP to c1\n");
	ck_assert_uint_eq(w.icmp_len, 8 + 40 + len);
	ck_assert_mem_eq(w.icmp, ((uint8_t[]){4, 0, 0, 0, 0, 0, 0, 40}), 8);
	ck_assert_mem_eq(w.icmp + 8, ((uint8_t[]){0x60, 0, 0, 0, 0, 32, 135, 61}), 8);
	ck_assert_mem_eq(w.icmp + 16, &c1, 16);
	ck_assert_mem_eq(w.icmp + 32, &ha, 16);
	ck_assert_mem_eq(w.icmp + 48, data, len);

	/* Header Len, behind a Home Address option: all of it is quoted */
	len = good_bu(data);
	data[1] = 0;
	raw(data, len, MIP6_PKT_HAO, "c1");
	EXPECT("PP to c1\n");
	ck_assert_uint_eq(w.icmp_len, 8 + 40 + 24 + len);
	ck_assert_uint_eq(w.icmp[7], 40 + 24 + 1);
	ck_assert_mem_eq(w.icmp + 12, ((uint8_t[]){0, 56, 60, 61}), 4);
	ck_assert_mem_eq(w.icmp + 16, &c1, 16);
	ck_assert_mem_eq(w.icmp + 48, ((uint8_t[]){135, 2, 1, 2, 0, 0, 0xc9, 16}), 8);
	ck_assert_mem_eq(w.icmp + 56, &h1, 16);
	ck_assert_mem_eq(w.icmp + 72, data, len);

	raw(data, len, MIP6_PKT_HAO, "multicast"); /* nobody to tell */
	raw(data, len, MIP6_PKT_HAO, "any");
	raw(data, len, MIP6_PKT_HAO | MIP6_PKT_PROTECTED, "c1"); /* not quoted in clear */
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 5);
}
END_TEST

START_TEST(parameter_problem_fits_the_least_mtu)
{
	uint8_t data[MH_MAX_LEN] = {58, 255, MH_BU};

	raw(data, sizeof(data), MIP6_PKT_HAO, "c1");
	ck_assert_uint_eq(w.icmp_len, 1280 - 40);
	ck_assert_mem_eq(
		w.icmp + 12, ((uint8_t[]){(MH_MAX_LEN + 24) >> 8, (MH_MAX_LEN + 24) & 255}), 2);
}
END_TEST

START_TEST(unknown_type)
{
	uint8_t data[64];
	size_t len = good_bu(data);

	data[2] = 99;
	raw(data, len, 0, "c1");
	EXPECT("BE status 2 home any to c1\n");
	raw(data, len, MIP6_PKT_HAO, "c1");
	EXPECT("BE status 2 home h1 to c1\n");
	raw(data, len, MIP6_PKT_HAO, "multicast");
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->unknown_type, 3);
}
END_TEST

/* 9.3.1 comes before 9.2: such a packet is dropped whatever is in it. */
START_TEST(home_address_option_must_be_routable)
{
	struct mip6_packet p = {.src = addr("multicast"),
		.src_coa = addr("c1"),
		.dst = addr("ha"),
		.flags = MIP6_PKT_HAO,
		.data = (const uint8_t[]){59, 0, 99, 0, 0, 0, 0, 0},
		.len = 8};

	ha_receive_mh(w.ha, &p);
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 1);
}
END_TEST

START_TEST(errors_are_few)
{
	uint8_t data[64];
	size_t len = good_bu(data), lines = 0;

	data[2] = 99;
	for (int i = 0; i < 200; i++)
		raw(data, len, 0, "c1");
	for (const char *s = w.trace; (s = strchr(s, '\n')); s++)
		lines++;
	ck_assert_uint_eq(lines, 10);
	forget();
	pass_s(1);
	data[2] = MH_BU;
	data[0] = 1;
	for (int i = 0; i < 200; i++)
		raw(data, len, 0, "c1");
	lines = 0;
	for (const char *s = w.trace; (s = strchr(s, '\n')); s++)
		lines++;
	ck_assert_uint_eq(lines, 10);
}
END_TEST

/* Truncations, wrong lengths, noise: no binding changes and none is made. */
START_TEST(malformed_changes_nothing)
{
	struct ha_binding_info before, after;
	uint8_t data[64], bad[64];
	size_t len, n = 0;

	bu(.seq = 5, .life = 100, .care_of = "c2");
	before = find("h1");
	len = good_bu(data); /* a good one would move it to c1 */
	for (size_t cut = 0; cut < len; cut++, n++)
		raw(data, cut, MIP6_PKT_HAO, "c1");
	for (unsigned v = 0; v < 256; v++) {
		if (v * 8 + 8 == len)
			continue;
		memcpy(bad, data, len);
		bad[1] =
			(uint8_t)v; /* Header Len; those that leave out the option whole are good */
		if (v == 1)
			continue;
		raw(bad, len, MIP6_PKT_HAO, "c1");
		n++;
	}
	for (unsigned v = 0; v < 256; v++, n++) {
		memcpy(bad, data, len);
		bad[15] = v == 16 ? 17 : (uint8_t)v; /* length of the option */
		ck_assert_uint_eq(data[15], 16);
		raw(bad, len, MIP6_PKT_HAO, "c1");
	}
	for (unsigned v = 0; v < 256; v++, n++) {
		memcpy(bad, data, len);
		bad[0] = v == 59 ? 0 : (uint8_t)v;
		raw(bad, len, MIP6_PKT_HAO, "c1");
	}
	ck_assert_uint_gt(n, 100);
	after = find("h1");
	ck_assert_mem_eq(&before.care_of, &after.care_of, 16);
	ck_assert_uint_eq(before.seq, after.seq);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	ck_assert_uint_eq(w.n_ba, 1);
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, n);
	raw(data, len, MIP6_PKT_HAO, "c1");
	ck_assert_uint_eq(w.n_ba, 2);
	ck_assert_str_eq(care_of("h1"), "c1");
}
END_TEST

/* Other messages are for other parts of the suite. */
START_TEST(other_messages_are_left_alone)
{
	static const uint8_t types[] = {MH_BRR, MH_HOTI, MH_COTI, MH_HOT, MH_COT, MH_BA, MH_BE};

	for (size_t i = 0; i < sizeof(types); i++) {
		struct mip6_packet p = {.src = addr("c1"), .dst = addr("ha")};
		struct mh_message m = {.type = types[i]};

		receive(&p, &m);
	}
	EXPECT("");
	EXPECT_EVENTS("");
}
END_TEST

/* ---- de-registration ---- */

START_TEST(deregisters_from_a_visited_link)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 0);
	EXPECT("fwd- h1\nput h1 seq 6 left 10 invalid\nBA status 0 seq 6 life 0 to c1 for h1\n");
	EXPECT_EVENTS("binding-gone h1 (de-registered)\n");
	ck_assert_int_eq(find("h1").state, HA_BINDING_INVALID);
	ck_assert_uint_eq(ha_count(w.ha), 0);
	ck_assert_uint_eq(ha_stats(w.ha)->deregistrations, 1);
	pass_ms(9999);
	EXPECT("");
	pass_ms(1);
	EXPECT("del h1\n");
	EXPECT_EVENTS("");
	ck_assert(!exists("h1"));
	ck_assert_uint_eq(ha_stats(w.ha)->expirations, 0);
}
END_TEST

/* A delayed older Binding Update, 10.3.2. */
START_TEST(deregistration_race)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 7, .life = 0, .no_hao = true); /* from home */
	EXPECT("fwd- h1\nput h1 seq 7 left 10 invalid\nBA status 0 seq 7 life 0 to h1\n");
	pass_s(9);
	bu(.seq = 6, .life = 10, .care_of = "c2"); /* sent before, arrives after */
	EXPECT("BA status 135 seq 7 life 0 to c2 for h1\n");
	ck_assert_int_eq(find("h1").state, HA_BINDING_INVALID);
	pass_s(1);
	ck_assert(!exists("h1"));
}
END_TEST

/* The acknowledgement was lost: the repetition succeeds, and 10 s count anew. */
START_TEST(deregistration_repeated)
{
	bu(.seq = 5, .life = 10);
	bu(.seq = 6, .life = 0);
	forget();
	pass_s(8);
	bu(.seq = 7, .life = 0);
	EXPECT("put h1 seq 7 left 10 invalid\nBA status 0 seq 7 life 0 to c1 for h1\n");
	EXPECT_EVENTS("");
	pass_s(9);
	ck_assert(exists("h1"));
	bu(.seq = 7, .life = 0); /* the network's repetition */
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
	pass_s(1);
	ck_assert(!exists("h1"));
	ck_assert_uint_eq(ha_stats(w.ha)->deregistrations, 1);
}
END_TEST

START_TEST(registers_again_while_invalid)
{
	bu(.seq = 5, .life = 10);
	bu(.seq = 6, .life = 0);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("BA status 135 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 7, .life = 10);
	EXPECT("fwd+ h1 > c1\nput h1 seq 7 left 40\nBA status 0 seq 7 life 10 to c1 for h1\n");
	ck_assert_uint_eq(ha_count(w.ha), 1);
	pass_s(11);
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

/* ---- DAD and proxying ---- */

START_TEST(dad_then_answer)
{
	bu(.seq = 5, .life = 10); /* BU --> */
	EXPECT("hear+ h1\nNS h1\n");
	EXPECT_EVENTS("binding-new h1 (duplicate address detection)\n");
	ck_assert_int_eq(find("h1").state, HA_BINDING_DAD);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	pass_ms(999);
	EXPECT("");
	pass_ms(1);
	EXPECT("hear- h1\nfwd+ h1 > c1\nproxy+ h1\nNA h1\nput h1 seq 5 left 40\n"
	       "BA status 0 seq 5 life 10 to c1 for h1\n"); /* <-- BA */
	EXPECT_EVENTS("binding-new h1 status 0\n");
	pass_ms(999);
	EXPECT("");
	pass_ms(1001);
	EXPECT("NA h1\nNA h1\n");
	pass_s(5);
	EXPECT("");
	bu(.seq = 6, .life = 10, .care_of = "c2"); /* no DAD again */
	EXPECT("fwd+ h1 > c2\nput h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c2 for h1\n");
}
END_TEST

START_TEST(link_local_as_well)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	EXPECT("hear+ h1\nNS h1\nhear+ ll1\nNS ll1\n");
	pass_s(1);
	EXPECT("hear- h1\nhear- ll1\nfwd+ h1 > c1\nproxy+ h1\nproxy+ ll1\nNA h1\nNA ll1\n"
	       "put h1 seq 5 left 40\nBA status 0 seq 5 life 10 to c1 for h1\n");
	pass_s(2);
	EXPECT("NA h1\nNA ll1\nNA h1\nNA ll1\n");
	bu(.seq = 6, .life = 0);
	EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to c1 for h1\n");
}
END_TEST

/* The L bit comes or goes with a refresh. */
START_TEST(link_local_later)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 10, .flags = BU_F_L);
	EXPECT("hear+ ll1\nNS ll1\nput h1 seq 6 left 40\nBA status 0 seq 6 life 10 to c1 for h1\n");
	pass_s(1);
	EXPECT("hear- ll1\nproxy+ ll1\nNA h1\nNA ll1\n");
	pass_s(5);
	forget();
	bu(.seq = 7, .life = 10);
	EXPECT("proxy- ll1\nput h1 seq 7 left 40\nBA status 0 seq 7 life 10 to c1 for h1\n");
	bu(.seq = 8, .life = 10, .flags = BU_F_L);
	EXPECT("hear+ ll1\nNS ll1\nput h1 seq 8 left 40\nBA status 0 seq 8 life 10 to c1 for h1\n");
	bu(.seq = 9, .life = 10);
	EXPECT("hear- ll1\nput h1 seq 9 left 40\nBA status 0 seq 9 life 10 to c1 for h1\n");
	pass_s(2);
	EXPECT("");
}
END_TEST

/* One link-local address for two home addresses: defended until the last is gone. */
START_TEST(link_local_shared)
{
	add_prefix("2001:db8:2::/64", UINT32_MAX, UINT32_MAX);
	start();
	bu(.seq = 5, .life = 100, .flags = BU_F_L);
	pass_s(5);
	forget();
	bu(.seq = 5, .life = 100, .flags = BU_F_L, .home = "h1b");
	EXPECT("hear+ h1b\nNS h1b\n"); /* the link-local address is ours already */
	pass_s(1);
	EXPECT("hear- h1b\nfwd+ h1b > c1\nproxy+ h1b\nNA h1b\nNA ll1\nput h1b seq 5 left 400\n"
	       "BA status 0 seq 5 life 100 to c1 for h1b\n");
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 0);
	EXPECT("proxy- h1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 6, .life = 0, .home = "h1b");
	EXPECT("proxy- h1b\nproxy- ll1\nfwd- h1b\nput h1b seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to c1 for h1b\n");
}
END_TEST

struct nd {
	uint8_t type;
	const char *target, *from,
		*to; /* NS from :: or NA from the target, unless said otherwise */
	bool solicited, slla;
	int ifindex, hop_limit;
};

static void nd_(struct nd n)
{
	bool ns = n.type == ICMP6T_NS;
	struct in6_addr target = addr(n.target);
	struct mip6_packet p = {.src = n.from ? addr(n.from) : (ns ? in6addr_any : target),
		.dst = n.to ? addr(n.to) : (ns ? in6_solicited_node(&target) : in6_all_nodes),
		.ifindex = n.ifindex ? n.ifindex : HOME_IF,
		.hop_limit = (uint8_t)(n.hop_limit ? n.hop_limit : 255)};
	struct icmp6_message m = {.type = n.type};
	uint8_t data[64];

	if (ns) {
		m.u.ns.target = target;
		m.u.ns.slla.len = n.slla ? 6 : 0;
	} else {
		m.u.na.target = target;
		m.u.na.solicited = n.solicited;
	}
	p.data = data;
	p.len = icmp6_build(&m, data, sizeof(data));
	ck_assert_uint_gt(p.len, 0);
	ha_receive_icmp6(w.ha, &p);
}
#define nd(...) nd_((struct nd){__VA_ARGS__})

START_TEST(dad_fails_by_advertisement)
{
	bu(.seq = 5, .life = 10);
	forget();
	nd(.type = ICMP6T_NA, .target = "h1");
	EXPECT("hear- h1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
	EXPECT_EVENTS("address-duplicate h1 (in use on the home link)\n"
		      "binding-gone h1 (home address in use on the home link)\n"
		      "bu-refused h1 status 134 (duplicate address detection failed)\n");
	ck_assert_uint_eq(ha_stats(w.ha)->dad_failures, 1);
	ck_assert_uint_eq(REFUSED(BA_DAD_FAILED), 1);
	ck_assert(!exists("h1"));
	pass_s(10);
	EXPECT("");
}
END_TEST

START_TEST(dad_fails_by_solicitation)
{
	bu(.seq = 5, .life = 10);
	forget();
	nd(.type = ICMP6T_NS, .target = "h1");
	EXPECT("hear- h1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
}
END_TEST

START_TEST(dad_fails_for_the_link_local_address)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	forget();
	nd(.type = ICMP6T_NA, .target = "ll1");
	EXPECT("hear- h1\nhear- ll1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
}
END_TEST

/* The home address is ours; only what was asked for later is not to be had. */
START_TEST(late_link_local_address_is_taken)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	bu(.seq = 6, .life = 10, .flags = BU_F_L);
	forget();
	nd(.type = ICMP6T_NA, .target = "ll1");
	EXPECT("hear- ll1\n");
	EXPECT_EVENTS("address-duplicate h1 (in use on the home link)\n");
	pass_s(5);
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

static void own_echo(void)
{
	struct icmp6_message m;
	struct mip6_packet p = {
		.ifindex = HOME_IF, .hop_limit = 255, .data = w.ns, .len = w.ns_len};

	ck_assert(icmp6_parse(w.ns, w.ns_len, &m));
	p.dst = in6_solicited_node(&m.u.ns.target);
	ha_receive_icmp6(w.ha, &p);
}

START_TEST(dad_is_not_misled)
{
	bu(.seq = 5, .life = 10);
	forget();
	own_echo();
	nd(.type = ICMP6T_NA, .target = "h2"); /* another address */
	nd(.type = ICMP6T_NS, .target = "h1", .from = "llsrc"); /* resolution, not DAD */
	nd(.type = ICMP6T_NS, .target = "h1", .to = "h1"); /* not valid, RFC 4861 7.1.1 */
	nd(.type = ICMP6T_NS, .target = "h1", .slla = true);
	nd(.type = ICMP6T_NA, .target = "h1",
		.solicited = true); /* 7.1.2: multicast and solicited */
	nd(.type = ICMP6T_NA, .target = "h1", .hop_limit = 254);
	nd(.type = ICMP6T_NS, .target = "h1", .hop_limit = 64);
	nd(.type = ICMP6T_NA, .target = "h1", .ifindex = OTHER_IF);
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_DAD);
	pass_s(1);
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
	forget();
	nd(.type = ICMP6T_NA, .target = "h1"); /* too late, and possibly ourselves */
	nd(.type = ICMP6T_NS, .target = "h1");
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

/* An echo of one test is not an objection to another test of the same link-local address. */
START_TEST(echo_of_a_shared_link_local_address)
{
	add_prefix("2001:db8:2::/64", UINT32_MAX, UINT32_MAX);
	start();
	bu(.seq = 5, .life = 100, .flags = BU_F_L);
	bu(.seq = 5, .life = 100, .flags = BU_F_L, .home = "h1b");
	forget();
	own_echo();
	EXPECT("");
	nd(.type = ICMP6T_NA, .target = "ll1"); /* but somebody else's objection is one to both */
	ck_assert_uint_eq(REFUSED(BA_DAD_FAILED), 2);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

/* 11.8: the mobile node repeats itself, and it may move meanwhile. */
START_TEST(dad_goes_on_for_the_latest)
{
	bu(.seq = 5, .life = 10);
	pass_ms(600);
	forget();
	bu(.seq = 6, .life = 20);
	bu(.seq = 5, .life = 10); /* the network's repetition */
	EXPECT("BA status 135 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 7, .life = 30, .care_of = "c2");
	EXPECT("");
	pass_ms(400); /* the second counts from the first solicitation */
	EXPECT("hear- h1\nfwd+ h1 > c2\nproxy+ h1\nNA h1\nput h1 seq 7 left 120\n"
	       "BA status 0 seq 7 life 30 to c2 for h1\n");
	ck_assert_uint_eq(w.n_ba, 2);
}
END_TEST

/* Nor is an address tested that is not asked for any more. */
START_TEST(link_local_given_up_during_dad)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("hear- ll1\n");
	nd(.type = ICMP6T_NA, .target = "ll1");
	pass_ms(500);
	bu(.seq = 7, .life = 10, .flags = BU_F_L); /* and again: it gets its second */
	EXPECT("hear+ ll1\nNS ll1\n");
	pass_ms(999);
	EXPECT("");
	pass_ms(1);
	EXPECT("hear- h1\nhear- ll1\nfwd+ h1 > c1\nproxy+ h1\nproxy+ ll1\nNA h1\nNA ll1\n"
	       "put h1 seq 7 left 40\nBA status 0 seq 7 life 10 to c1 for h1\n");
}
END_TEST

/* One that was refused during DAD: its number counts, the older request stands. */
START_TEST(refused_during_dad)
{
	bu(.seq = 5, .life = 10);
	bu(.seq = 6, .life = 10, .alt = "ha");
	ck_assert_uint_eq(w.ba_status, BA_INVALID_COA);
	forget();
	pass_s(1);
	EXPECT("hear- h1\nfwd+ h1 > c1\nproxy+ h1\nNA h1\nput h1 seq 6 left 40\n"
	       "BA status 0 seq 5 life 10 to c1 for h1\n");
	bu(.seq = 6, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

START_TEST(deregistered_during_dad)
{
	bu(.seq = 5, .life = 10);
	forget();
	bu(.seq = 6, .life = 0);
	EXPECT("hear- h1\nput h1 seq 6 left 10 invalid\nBA status 0 seq 6 life 0 to c1 for h1\n");
	pass_s(2);
	EXPECT("");
}
END_TEST

START_TEST(optimistic)
{
	w.config.optimistic = true;
	start();
	bu(.seq = 5, .life = 10);
	EXPECT("hear+ h1\nNS h1\nfwd+ h1 > c1\n");
	bu(.seq = 6, .life = 10, .care_of = "c2");
	EXPECT("fwd+ h1 > c2\n");
	pass_s(1);
	EXPECT("hear- h1\nproxy+ h1\nNA h1\nput h1 seq 6 left 40\n"
	       "BA status 0 seq 6 life 10 to c2 for h1\n");
}
END_TEST

START_TEST(optimistic_undone)
{
	w.config.optimistic = true;
	start();
	bu(.seq = 5, .life = 10);
	forget();
	nd(.type = ICMP6T_NA, .target = "h1");
	EXPECT("hear- h1\nfwd- h1\ndel h1\nBA status 134 seq 5 life 0 to c1 for h1\n");
}
END_TEST

START_TEST(optimistic_forwarding_fails)
{
	w.config.optimistic = true;
	start();
	w.forward_error = -ENOSPC;
	bu(.seq = 5, .life = 10);
	EXPECT("hear+ h1\nNS h1\nfwd+ h1 > c1\n");
	w.forward_error = 0;
	bu(.seq = 6, .life = 10);
	EXPECT("fwd+ h1 > c1\n");
	w.forward_error = -ENOSPC;
	bu(.seq = 7, .life = 10, .care_of = "c2");
	EXPECT("fwd+ h1 > c2\nfwd- h1\n"); /* rather nowhere than to the wrong place */
	pass_s(1);
	EXPECT("hear- h1\nfwd+ h1 > c2\ndel h1\nBA status 130 seq 7 life 0 to c2 for h1\n");
	ck_assert(!exists("h1"));
}
END_TEST

/* 10.3.2 and DAD: within the 10 s the number counts, and nobody defended the address. */
START_TEST(dad_again_while_invalid)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	bu(.seq = 6, .life = 0);
	forget();
	bu(.seq = 6, .life = 10);
	EXPECT("BA status 135 seq 6 life 0 to c1 for h1\n");
	bu(.seq = 7, .life = 10);
	EXPECT("hear+ h1\nNS h1\n");
	pass_s(1);
	EXPECT("hear- h1\nfwd+ h1 > c1\nproxy+ h1\nNA h1\nput h1 seq 7 left 40\n"
	       "BA status 0 seq 7 life 10 to c1 for h1\n");
}
END_TEST

/* The answer must not be forwarded to where the node is no more: all is undone before it. */
START_TEST(returns_home)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	EXPECT("proxy- h1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to h1 if 7\n");
	bu(.seq = 6, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	EXPECT("BA status 135 seq 6 life 0 to h1 if 7\n");
	pass_s(10);
	forget();
	bu(.seq = 7, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	EXPECT("BA status 133 seq 7 life 0 to h1 if 7\n");
}
END_TEST

/* A Home Address option that says the same as the source needs no routing header (9.5.4). */
START_TEST(returns_home_with_home_address_option)
{
	bu(.seq = 5, .life = 10);
	pass_s(5);
	forget();
	bu(.seq = 6, .life = 0, .care_of = "h1", .ifindex = HOME_IF);
	EXPECT("proxy- h1\nfwd- h1\nput h1 seq 6 left 10 invalid\n"
	       "BA status 0 seq 6 life 0 to h1 if 7\n");
}
END_TEST

/* Advertisements stop with the binding. */
START_TEST(returns_home_at_once)
{
	bu(.seq = 5, .life = 10);
	pass_ms(1500);
	bu(.seq = 6, .life = 0, .no_hao = true, .ifindex = HOME_IF);
	forget();
	pass_s(9);
	EXPECT("");
}
END_TEST

START_TEST(expires_on_the_link)
{
	bu(.seq = 5, .life = 1, .flags = BU_F_L);
	pass_s(4);
	forget();
	pass_s(1);
	EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\ndel h1\n");
}
END_TEST

/* The shortest lifetime counts from the answer: DAD does not eat it up. */
START_TEST(dad_and_the_shortest_lifetime)
{
	bu(.seq = 5, .life = 1);
	pass_s(1);
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(w.ba_life, 1);
	ck_assert_uint_eq(find("h1").remaining_s, 4);
}
END_TEST

/* The prefix ends while DAD runs. */
START_TEST(prefix_ends_during_dad)
{
	w.config.prefixes[0].valid_s = w.config.prefixes[0].preferred_s = 4;
	start();
	bu(.seq = 5, .life = 1);
	forget();
	pass_s(1);
	EXPECT("hear- h1\ndel h1\nBA status 132 seq 5 life 0 to c1 for h1\n");
}
END_TEST

START_TEST(proxying_fails)
{
	w.proxy_error = -ENOMEM;
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	pass_s(1);
	ck_assert_uint_eq(w.ba_status, 0);
	forget();
	w.proxy_error = 0;
	bu(.seq = 6, .life = 10, .flags = BU_F_L); /* repaired by the next refresh */
	EXPECT("proxy+ h1\nhear+ ll1\nNS ll1\nput h1 seq 6 left 40\n"
	       "BA status 0 seq 6 life 10 to c1 for h1\n");
	pass_s(1);
	EXPECT("hear- ll1\nproxy+ ll1\nNA h1\nNA ll1\n");
}
END_TEST

START_TEST(home_link_lost_and_back)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

	bu(.seq = 5, .life = 100, .flags = BU_F_L);
	pass_s(5);
	bu(.seq = 5, .life = 100, .home = "h2");
	forget();
	ha_home_link(w.ha, 0, NULL, 0);
	EXPECT("hear- h2\ndel h2\nBA status 128 seq 5 life 0 to c1 for h2\n");
	bu(.seq = 6, .life = 100, .home = "h2"); /* no DAD possible */
	EXPECT("BA status 128 seq 6 life 0 to c1 for h2\n");
	bu(.seq = 6, .life = 100, .flags = BU_F_L); /* a binding that is there lives on */
	EXPECT("put h1 seq 6 left 400\nBA status 0 seq 6 life 100 to c1 for h1\n");
	memcpy(w.config.home_lladdr, mac, 6);
	ha_home_link(w.ha, HOME_IF, mac, 6);
	EXPECT("proxy+ ll1\nproxy+ h1\n");
	pass_s(3);
	EXPECT("NA h1\nNA ll1\nNA h1\nNA ll1\nNA h1\nNA ll1\n");
	bu(.seq = 7, .life = 100, .home = "h2");
	EXPECT("hear+ h2\nNS h2\n");
}
END_TEST

/* A test of the link-local address that the link interrupted is made again. */
START_TEST(home_link_lost_during_late_test)
{
	bu(.seq = 5, .life = 100);
	pass_s(5);
	bu(.seq = 6, .life = 100, .flags = BU_F_L);
	forget();
	ha_home_link(w.ha, 0, NULL, 0);
	EXPECT("hear- ll1\n");
	ha_home_link(w.ha, HOME_IF, w.config.home_lladdr, 6);
	EXPECT("proxy+ h1\nhear+ ll1\nNS ll1\n");
	pass_s(1);
	EXPECT("hear- ll1\nproxy+ ll1\nNA h1\nNA ll1\n");
}
END_TEST

/* ---- restart, clean stop, removal ---- */

static struct ha_binding_record record(const char *home, uint32_t remaining_s)
{
	return (struct ha_binding_record){.home_address = addr(home),
		.care_of = addr("c1"),
		.seq = 500,
		.flags = BU_F_A | BU_F_H,
		.lifetime_s = 400,
		.remaining_s = remaining_s};
}

START_TEST(restores)
{
	struct ha_binding_record r = record("h1", 300);

	r.flags |= BU_F_L;
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	EXPECT("fwd+ h1 > c1\nproxy+ h1\nproxy+ ll1\n"); /* no DAD, and the store has it */
	EXPECT_EVENTS("binding-new h1 (restored)\n");
	pass_s(3);
	EXPECT("NA h1\nNA ll1\nNA h1\nNA ll1\nNA h1\nNA ll1\n");
	ck_assert_uint_eq(find("h1").remaining_s, 297);
	ck_assert_uint_eq(find("h1").age_s, 103);
	ck_assert_uint_eq(ha_stats(w.ha)->registrations, 0);
	ck_assert_int_eq(ha_restore(w.ha, &r), -EEXIST);
	bu(.seq = 500, .life = 10);
	EXPECT("BA status 135 seq 500 life 0 to c1 for h1\n");
	bu(.seq = 501, .life = 10, .flags = BU_F_L);
	EXPECT("put h1 seq 501 left 40\nBA status 0 seq 501 life 10 to c1 for h1\n");
	pass_s(40);
	EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\ndel h1\n");
}
END_TEST

START_TEST(restores_invalid)
{
	struct ha_binding_record r = record("h1", 7);

	r.invalid = true;
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	EXPECT("");
	ck_assert_uint_eq(ha_count(w.ha), 0);
	bu(.seq = 500, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
	forget();
	pass_s(7);
	EXPECT("del h1\n");
	ck_assert(!exists("h1"));
	r.remaining_s = 1000; /* never more than MAX_DELETE_BCE_TIMEOUT */
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	pass_s(10);
	ck_assert(!exists("h1"));
}
END_TEST

START_TEST(restore_refuses)
{
	struct ha_binding_record r = record("h1", 0);

	ck_assert_int_eq(ha_restore(w.ha, &r), -ETIMEDOUT);
	r = record("foreign", 100);
	ck_assert_int_eq(ha_restore(w.ha, &r), -EACCES);
	r = record("multicast", 100);
	ck_assert_int_eq(ha_restore(w.ha, &r), -EINVAL);
	r = record("h1", 100);
	r.care_of = addr("h1");
	ck_assert_int_eq(ha_restore(w.ha, &r), -EINVAL);
	w.forward_error = -ENOSPC;
	r = record("h1", 100);
	EXPECT("");
	ck_assert_int_eq(ha_restore(w.ha, &r), -ENOSPC);
	ck_assert(!exists("h1"));
	w.forward_error = 0;
	w.config.prefixes[0].valid_s = 50;
	start();
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	ck_assert_uint_eq(find("h1").remaining_s, 50);
}
END_TEST

static bool restore_one(void *arg, const struct ha_binding_info *i)
{
	struct ha_binding_record r = {i->home_address, i->care_of, i->seq, i->flags, i->lifetime_s,
		i->remaining_s, i->state == HA_BINDING_INVALID, i->n_networks, i->networks};

	ck_assert_int_eq(ha_restore(arg, &r), 0);
	return true;
}

/* All advertised again after a restart, but not all at once. */
START_TEST(restores_many)
{
	struct ha *old = w.ha;

	w.quiet = true;
	many(1000, 1, "c1", 0);
	pass_s(5);
	ck_assert_uint_eq(ha_count(w.ha), 1000);
	w.ha = NULL;
	start();
	w.n_na = 0;
	ha_foreach(old, restore_one, w.ha);
	ck_assert_uint_eq(w.n_na, 0);
	pass_ms(100);
	ck_assert_uint_ge(w.n_na, 500);
	ck_assert_uint_le(w.n_na, 501);
	pass_s(5);
	ck_assert_uint_eq(w.n_na, 3000);
	ck_assert_uint_eq(ha_count(w.ha), 1000);
	ha_free(old);
}
END_TEST

START_TEST(withdraws)
{
	struct mip6_packet p = {.dst = addr("ha")};

	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	pass_s(1);
	bu(.seq = 5, .life = 10, .home = "h2");
	forget();
	ha_withdraw(w.ha);
	if (strncmp(w.trace, "hear", 4) == 0)
		EXPECT("hear- h2\nproxy- h1\nproxy- ll1\nfwd- h1\n");
	else
		EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\nhear- h2\n");
	pass_s(1000);
	bu(.seq = 6, .life = 10);
	ha_receive_icmp6(w.ha, &p);
	EXPECT("");
}
END_TEST

START_TEST(frees_in_any_state)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	pass_s(1);
	bu(.seq = 5, .life = 10, .home = "h2", .flags = BU_F_L);
	forget();
	ha_free(w.ha);
	w.ha = NULL;
	EXPECT(""); /* the kernel's state stays for whoever comes next */
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
}
END_TEST

START_TEST(removes_by_hand)
{
	struct in6_addr h1 = addr("h1");

	ck_assert(!ha_remove(w.ha, &h1));
	bu(.seq = 5, .life = 10);
	pass_s(1);
	forget();
	ck_assert(ha_remove(w.ha, &h1));
	EXPECT("proxy- h1\nfwd- h1\ndel h1\n");
	EXPECT_EVENTS("binding-gone h1 (removed by hand)\n");
	ck_assert(!ha_remove(w.ha, &h1));
	pass_s(100);
	EXPECT("");
}
END_TEST

/* ---- many ---- */

/* All of them in the same second: DAD costs a timer each and none fails. */
START_TEST(thousands_of_dads_at_once)
{
	enum { N = 5000 };

	w.config.max_bindings = 0;
	start();
	w.quiet = true;
	many(N, 1, "c1", BU_F_L);
	ck_assert_uint_eq(w.n_ns, 2 * N);
	ck_assert_uint_eq(w.n_ba, 0);
	nd(.type = ICMP6T_NA, .target = "2001:db8:1::2:0:7");
	nd(.type = ICMP6T_NS, .target = "fe80::2:0:8"); /* of ...::2:0:8 */
	ck_assert_uint_eq(w.n_ba, 2);
	pass_s(1);
	ck_assert_uint_eq(w.n_ba, N);
	ck_assert_uint_eq(ha_count(w.ha), N - 2);
	ck_assert_uint_eq(ha_stats(w.ha)->dad_failures, 2);
	pass_s(400);
	ck_assert_uint_eq(ha_count(w.ha), 0);
	ck_assert_uint_eq(w.n_na, (N - 2) * 2 * 3);
}
END_TEST

static size_t memory(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* With BENCH set in the environment the cost of a binding is printed. */
START_TEST(hundred_thousand)
{
	enum { N = 100000 };
	size_t before;
	clock_t t0, t1, t2;

	w.config.max_bindings = 0;
	w.config.home_ifindex = getenv("BENCH_DAD") ? HOME_IF : 0;
	start();
	w.quiet = true;
	before = memory();
	t0 = clock();
	many(N, 1, "c1", 0);
	pass_s(5);
	t1 = clock();
	ck_assert_uint_eq(ha_count(w.ha), N);
	if (getenv("BENCH"))
		printf("%.1f octets a binding\n", (double)(memory() - before) / N);
	many(N, 2, "c2", 0);
	t2 = clock();
	ck_assert_uint_eq(ha_stats(w.ha)->moves, N);
	if (getenv("BENCH"))
		printf("%.2f us a registration, %.2f us a move\n", (double)(t1 - t0) / N,
			(double)(t2 - t1) / N);
	pass_s(400);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

/* ---- a random walk: whatever happens, kernel and cache agree ---- */

static unsigned pick(unsigned n)
{
	uint32_t r;

	w_random(NULL, &r, sizeof(r));
	return r % n;
}
#define PICK(...)                                   \
	(((const char *const[]){__VA_ARGS__})[pick( \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))])

static void random_bu(unsigned *seq)
{
	static const unsigned flags[] = {0, BU_F_L, BU_F_L, BU_F_R};

	*seq += pick(8) ? 1 : (unsigned)-2;
	bu(.home = PICK("h1", "h2", "h1b", "h1"), .care_of = PICK("c1", "c2", "h1", "ha"),
		.seq = *seq, .life = pick(4) ? 1 + pick(4) : 0, .flags = flags[pick(4)],
		.no_hao = pick(10) == 0, .ifindex = pick(2) ? HOME_IF : OTHER_IF);
}

static void random_step(unsigned *seq)
{
	struct in6_addr gone;

	switch (pick(20)) {
	case 0:
		pass_ms(pick(12000));
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		pass_ms(pick(700));
		break;
	case 1:
		nd(.type = pick(2) ? ICMP6T_NA : ICMP6T_NS,
			.target = PICK("h1", "h2", "ll1", "h1b"));
		break;
	case 2:
		ha_home_link(w.ha, pick(4) ? HOME_IF : 0, w.config.home_lladdr, 6);
		break;
	case 3:
		gone = addr(PICK("h1", "h2", "h1b"));
		ha_remove(w.ha, &gone);
		break;
	case 4:
		w.forward_error = pick(5) ? 0 : -ENOSPC;
		break;
	case 5:
		if (w.ns_len)
			own_echo();
		break;
	default:
		random_bu(seq);
	}
}

static bool agrees(void *arg, const struct ha_binding_info *i)
{
	struct kernel_row *k = kernel_row(&i->home_address);

	switch (i->state) {
	case HA_BINDING_ACTIVE:
		ck_assert_int_eq(k->forwarding, 1);
		ck_assert_mem_eq(&k->care_of, &i->care_of, 16);
		ck_assert_int_eq(k->hears, 0);
		ck_assert_int_eq(k->stored, 1);
		*(bool *)arg |= i->flags & BU_F_L;
		break;
	case HA_BINDING_DAD:
		if (k->forwarding)
			ck_assert_mem_eq(&k->care_of, &i->care_of, 16);
		ck_assert_int_eq(k->proxy, 0);
		ck_assert_int_eq(k->hears, 1);
		ck_assert_int_ne(k->stored, 1);
		break;
	case HA_BINDING_INVALID:
		ck_assert_int_eq(k->forwarding, 0);
		ck_assert_int_eq(k->proxy, 0);
		ck_assert_int_eq(k->hears, 0);
		ck_assert_int_eq(k->stored, 2);
		break;
	}
	return true;
}

static void check_kernel(void)
{
	static const char *const homes[] = {"h1", "h2", "h1b"};

	bool any_l = false; /* an active binding asks for its link-local address */
	struct in6_addr ll1 = addr("ll1");

	ha_foreach(w.ha, agrees, &any_l);
	if (!any_l)
		ck_assert_int_eq(kernel_row(&ll1)->proxy, 0);
	for (size_t i = 0; i < 3; i++) {
		struct in6_addr a = addr(homes[i]);
		struct kernel_row *k = kernel_row(&a);

		if (!exists(homes[i]))
			ck_assert_int_eq(k->forwarding | k->proxy | k->hears | k->stored, 0);
	}
}

START_TEST(random_walk)
{
	unsigned seq = 0;

	w.random = (uint64_t)_i;
	w.config.optimistic = _i & 1;
	add_prefix("2001:db8:2::/64", UINT32_MAX, UINT32_MAX);
	start();
	for (int i = 0; i < 3000; i++) {
		random_step(&seq);
		check_kernel();
		forget();
	}
	pass_s(100);
	for (size_t i = 0; i < 16; i++)
		ck_assert_int_eq(kernel[i].forwarding | kernel[i].proxy | kernel[i].hears, 0);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	/* It was not for nothing. */
	ck_assert_uint_gt(ha_stats(w.ha)->registrations, 30);
	ck_assert_uint_gt(ha_stats(w.ha)->dad_failures, 10);
}
END_TEST

START_TEST(event_names)
{
	for (int t = EV_BINDING_NEW; t <= EV_BAD_PACKET; t++) {
		const char *name = mip6_event_name((enum mip6_event_type)t);

		ck_assert_str_ne(name, "unknown");
		for (int u = EV_BINDING_NEW; u < t; u++)
			ck_assert_str_ne(name, mip6_event_name((enum mip6_event_type)u));
	}
	ck_assert_str_eq(mip6_event_name((enum mip6_event_type)9999), "unknown");
}
END_TEST

static TCase *registration_tests(void)
{
	TCase *t = tcase_create("registration");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, registers);
	tcase_add_test(t, refreshes);
	tcase_add_test(t, moves);
	tcase_add_test(t, expires);
	tcase_add_test(t, alternate_care_of_address);
	tcase_add_test(t, answers_without_a_bit);
	tcase_add_test(t, ignores_other_flags);
	tcase_add_test(t, answers_link_local_source);
	tcase_add_test(t, lifetime_is_the_least);
	tcase_add_test(t, lifetime_is_never_zero);
	tcase_add_test(t, prefix_discovery_necessary);
	tcase_add_test(t, prefix_gets_deprecated);
	tcase_add_test(t, longest_prefix_counts);
	tcase_add_test(t, refresh_advice);
	tcase_add_test(t, sequence_numbers_of_the_rfc);
	tcase_add_test(t, sequence_wraps);
	tcase_add_test(t, any_first_sequence_number);
	tcase_add_test(t, refused_number_counts);
	tcase_add_test(t, deregisters_from_a_visited_link);
	tcase_add_test(t, deregistration_race);
	tcase_add_test(t, deregistration_repeated);
	tcase_add_test(t, registers_again_while_invalid);
	tcase_add_test(t, event_names);
	return t;
}

static TCase *refusal_tests(void)
{
	TCase *t = tcase_create("refusal");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, prohibited);
	tcase_add_test(t, router_anycast_is_prohibited);
	tcase_add_test(t, insufficient_resources);
	tcase_add_test(t, no_home_registration);
	tcase_add_test(t, not_home_subnet);
	tcase_add_test(t, not_home_agent);
	tcase_add_test(t, home_address_of_the_home_agent);
	tcase_add_test(t, type_change);
	tcase_add_test(t, invalid_care_of_address);
	tcase_add_test(t, forwarding_fails);
	tcase_add_test(t, silently_discarded);
	tcase_add_test(t, registration_without_home_address_option);
	tcase_add_test(t, ipsec_required);
	tcase_add_test(t, ipsec_if_it_was_there);
	tcase_add_test(t, reports_are_few);
	tcase_add_test(t, parameter_problem);
	tcase_add_test(t, parameter_problem_fits_the_least_mtu);
	tcase_add_test(t, unknown_type);
	tcase_add_test(t, home_address_option_must_be_routable);
	tcase_add_test(t, errors_are_few);
	tcase_add_test(t, malformed_changes_nothing);
	tcase_add_test(t, other_messages_are_left_alone);
	return t;
}

static TCase *link_tests(void)
{
	TCase *t = tcase_create("home link");

	tcase_add_checked_fixture(t, setup_link, teardown);
	tcase_add_test(t, dad_then_answer);
	tcase_add_test(t, link_local_as_well);
	tcase_add_test(t, link_local_later);
	tcase_add_test(t, link_local_shared);
	tcase_add_test(t, dad_fails_by_advertisement);
	tcase_add_test(t, dad_fails_by_solicitation);
	tcase_add_test(t, dad_fails_for_the_link_local_address);
	tcase_add_test(t, late_link_local_address_is_taken);
	tcase_add_test(t, dad_is_not_misled);
	tcase_add_test(t, echo_of_a_shared_link_local_address);
	tcase_add_test(t, dad_goes_on_for_the_latest);
	tcase_add_test(t, link_local_given_up_during_dad);
	tcase_add_test(t, refused_during_dad);
	tcase_add_test(t, deregistered_during_dad);
	tcase_add_test(t, optimistic);
	tcase_add_test(t, optimistic_undone);
	tcase_add_test(t, optimistic_forwarding_fails);
	tcase_add_test(t, dad_again_while_invalid);
	tcase_add_test(t, returns_home);
	tcase_add_test(t, returns_home_with_home_address_option);
	tcase_add_test(t, returns_home_at_once);
	tcase_add_test(t, expires_on_the_link);
	tcase_add_test(t, dad_and_the_shortest_lifetime);
	tcase_add_test(t, prefix_ends_during_dad);
	tcase_add_test(t, proxying_fails);
	tcase_add_test(t, home_link_lost_and_back);
	tcase_add_test(t, home_link_lost_during_late_test);
	return t;
}

static TCase *life_tests(void)
{
	TCase *t = tcase_create("restart and numbers");

	tcase_add_checked_fixture(t, setup_link, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, restores);
	tcase_add_test(t, restores_invalid);
	tcase_add_test(t, restore_refuses);
	tcase_add_test(t, restores_many);
	tcase_add_test(t, withdraws);
	tcase_add_test(t, frees_in_any_state);
	tcase_add_test(t, removes_by_hand);
	tcase_add_loop_test(t, random_walk, 0, 20);
	tcase_add_test(t, thousands_of_dads_at_once);
	tcase_add_test(t, hundred_thousand);
	return t;
}

int main(void)
{
	Suite *s = suite_create("home agent");
	SRunner *r;
	int failed;

	suite_add_tcase(s, registration_tests());
	suite_add_tcase(s, refusal_tests());
	suite_add_tcase(s, link_tests());
	suite_add_tcase(s, life_tests());
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
