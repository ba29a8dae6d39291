/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any octets as Mobility Headers to a home agent with a binding and to the
 * mobile node that has it, both with something under way; the mobile node also
 * tests the return routability of a correspondent.  The input is a row
 * of packets, each
 *
 *	who and how (1)  from whom (1)  seconds before it (1)  length (1)  Mobility Header
 *
 * Nothing may crash, no timer may be left, strangers may not make state grow.
 * abort() is how a fuzzer is told.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "tests/advert.h"
#include "tests/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

#define TO_MN 0x01
#define SHAPE 0x0e /* MIP6_PKT_HAO, RH2, PROTECTED as bits 1 to 3 */
#define TUNNELED 0x10
#define TO_COA 0x20 /* of the mobile node, else to its home address */

struct world {
	monotime_t now;
	struct mip6_env env;
	struct ha *ha;
	struct mn *mn;
	uint16_t seq;
	uint64_t sent;
};

static struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	REQUIRE(inet_pton(AF_INET6, text, &a) == 1);
	return a;
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
	if (m.type == MH_BU)
		w->seq = m.u.bu.seq;
	w->sent++;
	return 0;
}

static int send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx, (void)p;
	return 0;
}

static void event(void *ctx, const struct mip6_event *e)
{
	(void)ctx;
	REQUIRE(strcmp(mip6_event_name(e->type), "unknown") != 0);
}

/* ---- what the cores ask for ---- */

static const struct ha_ops ha_ops = {.forward_set = quiet_pair, .forward_del = quiet_address};

static const struct mn_ops mn_ops = {.address_set = quiet_address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.bu_path_set = quiet_path_set,
	.bu_path_del = quiet_pair,
	.tunnel_set = quiet_tunnel_set,
	.store_binding = quiet_store_binding};

/* Route optimization of the mobile node with a correspondent: the fuzzer plays it. */
static const struct ro_ops ro_ops = {
	.peer_set = quiet_path_set, .own_set = quiet_path_set, .receive_set = quiet_receive_set};

/* ---- the two, bound to each other ---- */

#define HA_ADDRESS "2001:db8:1::1000"
#define HOME "2001:db8:1::100"
#define COA "2001:db8:a::ff:fe00:1"
#define CN "2001:db8:c::c"

static void start_ha(struct world *w)
{
	static char anna[] = "anna@example.org", *const identifiers[] = {anna};
	struct ha_binding_record r = {.home_address = in6(HOME),
		.care_of = in6(COA),
		.seq = 0x101,
		.flags = BU_F_A | BU_F_H,
		.lifetime_s = 600,
		.remaining_s = 600};
	struct ha_config c = {.address = in6(HA_ADDRESS),
		.n_prefixes = 1,
		.heartbeat = {60, 3},
		.revocation = {1, 1000, 2000},
		.max_bindings = 100,
		.n_identifiers = 1,
		.identifiers = identifiers};

	REQUIRE(ip6_prefix_parse("2001:db8:1::/64", &c.prefixes[0].prefix));
	c.prefixes[0].valid_s = c.prefixes[0].preferred_s = UINT32_MAX;
	w->ha = ha_new(&c, &w->env, &ha_ops, w);
	REQUIRE(w->ha && ha_restore(w->ha, &r) == 0);
}

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

static struct mip6_packet to_mn(void)
{
	return (struct mip6_packet){.src = in6(HA_ADDRESS),
		.dst = in6(HOME),
		.dst_coa = in6(COA),
		.flags = MIP6_PKT_RH2,
		.ifindex = 1};
}

static void start_mn(struct world *w)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct mn_config c = {.home_address = in6(HOME),
		.home_agent = in6(HA_ADDRESS),
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 2000,
		.heartbeat = {60, 3},
		.unprotected_signals = true,
		.identifier = "anna@example.org",
		.n_interfaces = 1,
		.interfaces = {{1, 1}}};
	struct mn_ro_config ro = {.n_rules = 1, .rules = {{.when = MN_RO_ALWAYS}}};
	struct in6_addr cn = in6(CN);
	struct mip6_packet p = to_mn();
	struct mh_message m = {.type = MH_BA};
	uint8_t data[64];

	REQUIRE(ip6_prefix_parse("2001:db8:1::/64", &c.home_prefix));
	w->mn = mn_new(&c, &w->env, &mn_ops, w);
	REQUIRE(w->mn && mn_ro_enable(w->mn, &ro, &ro_ops, w, NULL) == 0);
	mn_link_event(w->mn, 1, true, mac, true);
	advertise(w);
	m.u.ba.seq = w->seq;
	m.u.ba.lifetime = 150;
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	mn_receive_mh(w->mn, &p);
	mn_traffic(w->mn, &cn);
}

/* ---- packets ---- */

static void deliver(struct world *w, uint8_t how, uint8_t who, const uint8_t *data, size_t len)
{
	const char *const sources[] = {
		HOME, HA_ADDRESS, COA, CN, "2001:db8:1::2000", "2001:db8:1::101", "fe80::1", "::"};
	struct mip6_packet p = {.src = in6(sources[who % 8]),
		.dst = in6(!(how & TO_MN) ? HA_ADDRESS
			   : how & TO_COA ? COA
					  : HOME),
		.src_coa = in6(sources[who / 8 % 8]),
		.dst_coa = in6(COA),
		.flags = (how & SHAPE) >> 1 | (how & TUNNELED ? MIP6_PKT_TUNNELED : 0),
		.ifindex = 1,
		.data = data,
		.len = len};

	if (how & TO_MN)
		mn_receive_mh(w->mn, &p);
	else
		ha_receive_mh(w->ha, &p);
	REQUIRE(ha_count(w->ha) <= 100);
	REQUIRE(mn_ro_count(w->mn) <= 1);
}

static void advance(struct world *w, unsigned seconds)
{
	monotime_t end = mono_add_s(w->now, seconds), next;

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
	struct in6_addr home = in6(HOME), other = in6("2001:db8:1::2000");
	const uint8_t *at = data, *end = data + size;

	if (!size)
		return 0;
	log_setup("fuzz", LOGL_ERROR);
	w.env = (struct mip6_env){.ctx = &w,
		.timers = timerq_new(),
		.now = now,
		.random = not_random,
		.send_mh = send_mh,
		.send_icmp6 = send_icmp6,
		.event = event};
	start_ha(&w);
	start_mn(&w);
	/* the first octet: what the home agent has under way; with these random numbers its sequence number is 0x0102 */
	if (*at & 1)
		REQUIRE(ha_revoke(w.ha, &home, *at >> 4) == 0);
	if (*at & 2)
		REQUIRE(ha_switch_node(w.ha, &home, &other, 1) == 0);
	at++;
	while (end - at >= 4) {
		size_t len = at[3] < end - at - 4 ? at[3] : (size_t)(end - at - 4);

		advance(&w, at[2]);
		deliver(&w, at[0], at[1], at + 4, len);
		at += 4 + len;
	}
	advance(&w, 100);
	mn_free(w.mn);
	ha_free(w.ha);
	REQUIRE(timerq_next(w.env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w.env.timers);
	return 0;
}
