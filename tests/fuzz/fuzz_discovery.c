/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Discovery of home agents by a mobile node that is told none.  The input is a
 * row of steps, each
 *
 *	kind (1)  from whom (1)  quarters of a second before it (1)  length (1)  octets
 *
 * where the octets are an ICMPv6 message; or one octet for each home agent of
 * a reply to the request under way; or status and lifetime of an
 * acknowledgement by the home agent that was asked last; or nothing, and the
 * link goes or comes.
 *
 * Whatever replies say: no request before its time, no Binding Update to what
 * cannot be a home agent, no more candidates than there is room for.  abort()
 * is how a fuzzer is told.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/mn.h"
#include "tests/advert.h"
#include "tests/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

enum kind { ANY_ICMP6, REPLY, ACKNOWLEDGEMENT, LINK };

#define KIND 0x03 /* enum kind */
#define SHAPE 0x38 /* MIP6_PKT_HAO, RH2, PROTECTED as bits 3 to 5 */
#define TUNNELED 0x40
#define MOST_CANDIDATES 16 /* that a mobile node remembers */
#define HOME "2001:db8:1::100"
#define COA "2001:db8:a::ff:fe00:1"
#define ANYCAST "2001:db8:1:0:fdff:ffff:ffff:fffe"

struct world {
	monotime_t now, request_at;
	struct mip6_env env;
	struct mn *mn;
	struct in6_addr home_agent; /* the last Binding Update went there */
	uint16_t seq, id;
	bool up, requested;
};

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

static struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	REQUIRE(inet_pton(AF_INET6, text, &a) == 1);
	return a;
}

static bool is(const struct in6_addr *a, const char *text)
{
	struct in6_addr b = in6(text);

	return in6_equal(a, &b);
}

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void not_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, 1, n);
}

static int send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct mh_message m;

	REQUIRE(mh_parse(p->data, p->len, &m, NULL) == MH_OK);
	if (m.type != MH_BU)
		return 0;
	REQUIRE(in6_is_routable_unicast(&p->dst) && !is(&p->dst, HOME));
	w->seq = m.u.bu.seq;
	w->home_agent = p->dst;
	return 0;
}

static int send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct icmp6_message m;

	REQUIRE(icmp6_parse(p->data, p->len, &m));
	if (m.type != ICMP6T_DHAAD_REQUEST)
		return 0;
	REQUIRE(is(&p->src, COA) && is(&p->dst, ANYCAST));
	REQUIRE(!w->requested || mono_diff_ms(w->now, w->request_at) >= 1000);
	w->requested = true;
	w->request_at = w->now;
	w->id = m.u.dhaad.id;
	return 0;
}

static void event(void *ctx, const struct mip6_event *e)
{
	(void)ctx;
	REQUIRE(strcmp(mip6_event_name(e->type), "unknown") != 0);
}

/* ---- what the core asks for ---- */

static const struct mn_ops mn_ops = {.address_set = quiet_address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.bu_path_set = quiet_path_set,
	.bu_path_del = quiet_pair,
	.tunnel_set = quiet_tunnel_set,
	.store_binding = quiet_store_binding};

static void advertise(struct world *w)
{
	struct icmp6_message m = advert(in6("2001:db8:a::"));
	struct mip6_packet p = {
		.src = in6("fe80::a"), .dst = in6_all_nodes, .ifindex = 1, .hop_limit = 255};
	uint8_t data[256];

	m.u.ra.lifetime_s = 9000;
	p.data = data;
	p.len = icmp6_build(&m, data, sizeof(data));
	mn_receive_icmp6(w->mn, &p);
}

static void start(struct world *w)
{
	struct mn_config c = {.home_address = in6(HOME),
		.discover = true,
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 2000,
		.n_interfaces = 1,
		.interfaces = {{1, 1}}};

	REQUIRE(ip6_prefix_parse("2001:db8:1::/64", &c.home_prefix));
	w->mn = mn_new(&c, &w->env, &mn_ops, w);
	REQUIRE(w->mn);
	w->up = true;
	mn_link_event(w->mn, 1, true, mac, true);
	advertise(w);
	REQUIRE(w->requested);
}

/* ---- steps ---- */

/* A reply that nobody asked for, or that came by a way no reply comes by, changes nothing. */
static void any_icmp6(struct world *w, const struct mip6_packet *p)
{
	uint64_t before = mn_stats(w->mn)->discovery_received;
	struct icmp6_message m;

	mn_receive_icmp6(w->mn, p);
	if (!icmp6_parse(p->data, p->len, &m) || m.type != ICMP6T_DHAAD_REPLY)
		return;
	if (m.u.dhaad.id != w->id || p->flags & (MIP6_PKT_RH2 | MIP6_PKT_TUNNELED))
		REQUIRE(mn_stats(w->mn)->discovery_received == before);
}

static void list_home_agents(struct world *w, struct mip6_packet *p)
{
	struct icmp6_message m = {.type = ICMP6T_DHAAD_REPLY};
	uint8_t data[8 + 16 * (DHAAD_MAX_ADDRS + 1)];

	m.u.dhaad.reply = true;
	m.u.dhaad.id = w->id;
	for (size_t i = 0; i < p->len && i < DHAAD_MAX_ADDRS; i++) {
		m.u.dhaad.addrs[i] = in6("2001:db8:1::");
		m.u.dhaad.addrs[i].s6_addr[14] = p->data[i];
		m.u.dhaad.n_addrs++;
	}
	p->data = data;
	p->len = icmp6_build(&m, data, sizeof(data));
	REQUIRE(p->len);
	mn_receive_icmp6(w->mn, p);
}

static void acknowledge(struct world *w, struct mip6_packet *p)
{
	struct mh_message m = {.type = MH_BA};
	uint8_t data[64];

	m.u.ba.seq = w->seq;
	m.u.ba.status = p->len > 0 ? p->data[0] : 0;
	m.u.ba.lifetime = p->len > 1 ? p->data[1] : 0;
	p->src = w->home_agent;
	p->dst = in6(HOME);
	p->dst_coa = in6(COA);
	p->flags |= MIP6_PKT_RH2;
	p->data = data;
	p->len = mh_build(&m, data, sizeof(data));
	REQUIRE(p->len);
	mn_receive_mh(w->mn, p);
}

static void change_link(struct world *w)
{
	w->up = !w->up;
	mn_link_event(w->mn, 1, w->up, mac, true);
	if (w->up)
		advertise(w);
}

static bool check_candidate(void *arg, const struct mn_candidate *c)
{
	size_t *n = arg;

	REQUIRE(++*n <= MOST_CANDIDATES);
	REQUIRE(in6_is_routable_unicast(&c->addr) && !is(&c->addr, HOME));
	REQUIRE(mn_candidate_state_name(c->state));
	return true;
}

static void step(struct world *w, uint8_t how, uint8_t who, const uint8_t *data, size_t len)
{
	const char *const sources[] = {"2001:db8:1::1000", "2001:db8:1::2000", HOME, COA, ANYCAST,
		"2001:db8:c::c", "fe80::a", "::"};
	struct mip6_packet p = {.src = in6(sources[who % 8]),
		.dst = in6(who & 8 ? HOME : COA),
		.dst_coa = in6(COA),
		.flags = (how & SHAPE) >> 3 | (how & TUNNELED ? MIP6_PKT_TUNNELED : 0),
		.ifindex = 1,
		.hop_limit = 255,
		.data = data,
		.len = len};
	size_t n = 0;

	switch ((enum kind)(how & KIND)) {
	case REPLY:
		list_home_agents(w, &p);
		break;
	case ACKNOWLEDGEMENT:
		acknowledge(w, &p);
		break;
	case LINK:
		change_link(w);
		break;
	case ANY_ICMP6:
		any_icmp6(w, &p);
		break;
	}
	mn_foreach_candidate(w->mn, check_candidate, &n);
}

static void advance(struct world *w, int64_t ms)
{
	monotime_t end = mono_add_ms(w->now, ms), next;

	while (next = timerq_next(w->env.timers), !mono_before(end, next)) {
		if (mono_before(w->now, next))
			w->now = next;
		timerq_run(w->env.timers, w->now);
	}
	w->now = end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.now = {1000000}};
	const uint8_t *at = data, *end = data + size;

	log_setup("fuzz", LOGL_ERROR);
	w.env = (struct mip6_env){.ctx = &w,
		.timers = timerq_new(),
		.now = now,
		.random = not_random,
		.send_mh = send_mh,
		.send_icmp6 = send_icmp6,
		.event = event};
	start(&w);
	while (end - at >= 4) {
		size_t len = at[3] < end - at - 4 ? at[3] : (size_t)(end - at - 4);

		advance(&w, at[2] * 250);
		step(&w, at[0], at[1], at + 4, len);
		at += 4 + len;
	}
	advance(&w, 300000);
	mn_free(w.mn);
	REQUIRE(timerq_next(w.env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w.env.timers);
	return 0;
}
