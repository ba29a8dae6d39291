/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/ha_world.h"

#include "tests/pass.h"

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

struct in6_addr addr(const char *name)
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

struct world w;
struct kernel_row kernel[16];

struct kernel_row *kernel_row(const struct in6_addr *a)
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

void w_random(void *ctx, void *to, size_t n)
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

void add_prefix(const char *text, uint32_t valid_s, uint32_t preferred_s)
{
	struct ha_prefix *p = &w.config.prefixes[w.config.n_prefixes++];

	ck_assert(ip6_prefix_parse(text, &p->prefix));
	p->valid_s = valid_s;
	p->preferred_s = preferred_s;
}

void start(void)
{
	ha_free(w.ha);
	w.ha = ha_new(&w.config, &w.env, &w.ops, &w);
	ck_assert_ptr_nonnull(w.ha);
}

void setup(void)
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

void setup_link(void)
{
	setup();
	w.config.home_ifindex = HOME_IF;
	start();
}

void teardown(void)
{
	ha_free(w.ha);
	timerq_free(w.timers);
}

void pass_ms(int64_t ms)
{
	pass_time(w.timers, &w.now, ms);
}

void pass_s(int64_t s)
{
	pass_ms(s * 1000);
}

void forget(void)
{
	w.trace[0] = w.events[0] = 0;
}

/* ---- Binding Updates ---- */

void receive(struct mip6_packet *p, const struct mh_message *m)
{
	uint8_t data[256];

	p->data = data;
	p->len = mh_build(m, data, sizeof(data));
	ck_assert_uint_gt(p->len, 0);
	ha_receive_mh(w.ha, p);
}

void bu_(struct bu u)
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

void many(unsigned n, unsigned seq, const char *care_of, unsigned flags)
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

struct ha_binding_info find(const char *home)
{
	struct in6_addr a = addr(home);
	struct ha_binding_info i;

	ck_assert(ha_find(w.ha, &a, &i));
	return i;
}

const char *care_of(const char *home)
{
	struct ha_binding_info i = find(home);

	return name_of(&i.care_of);
}

bool exists(const char *home)
{
	struct in6_addr a = addr(home);
	struct ha_binding_info i;

	return ha_find(w.ha, &a, &i);
}

/* ---- Neighbor Discovery ---- */

void nd_(struct nd n)
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

void own_echo(void)
{
	struct icmp6_message m;
	struct mip6_packet p = {
		.ifindex = HOME_IF, .hop_limit = 255, .data = w.ns, .len = w.ns_len};

	ck_assert(icmp6_parse(w.ns, w.ns_len, &m));
	p.dst = in6_solicited_node(&m.u.ns.target);
	ha_receive_icmp6(w.ha, &p);
}

/* ---- the suite ---- */

int run_case(const char *suite, TCase *t)
{
	Suite *s = suite_create(suite);
	SRunner *r;
	int failed;

	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
