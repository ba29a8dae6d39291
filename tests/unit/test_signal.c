/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What home agent and mobile node say beside registrations, where one binding
 * and a whole network are not enough or too much: many bindings, messages
 * from the wrong place, the order of what the kernel is asked.  The exchange
 * of both ends is in tests/exchange/test_signal.c.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "tests/quiet.h"

#define HA "2001:db8:1::1000"
#define HA2 "2001:db8:1::2000"
#define HOME "2001:db8:1::100"
#define COA "2001:db8:a::ff:fe00:1"
#define MAX_SENT 20100

struct world {
	monotime_t now;
	struct mip6_env env;
	struct ha_config hc;
	struct mn_config mc;
	struct ha *ha;
	struct mn *mn;
	uint8_t random;
	size_t n_sent;
	struct sent {
		uint8_t type; /* of the Mobility Header */
		uint16_t seq, lifetime; /* BU; seq of a revocation too */
		uint32_t hb_seq;
		bool response;
		struct in6_addr src, dst, coa;
		unsigned flags;
		monotime_t when;
	} sent[MAX_SENT];
	unsigned events[64];
	struct in6_addr bu_path; /* to whom; :: none */
	struct in6_addr tunnel;
	bool hold;
	char calls[512]; /* of what the kernel is asked, in order */
};

static struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void count_up(void *ctx, void *to, size_t n)
{
	memset(to, ++((struct world *)ctx)->random, n);
}

static void call(struct world *w, const char *what)
{
	size_t n = strlen(w->calls);

	snprintf(w->calls + n, sizeof(w->calls) - n, "%s%s", n ? " " : "", what);
}

static int send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct sent *s = &w->sent[w->n_sent++];
	struct mh_message m;

	ck_assert_uint_lt(w->n_sent, MAX_SENT);
	ck_assert_int_eq(mh_parse(p->data, p->len, &m, NULL), MH_OK);
	*s = (struct sent){.type = m.type,
		.src = p->src,
		.dst = p->dst,
		.coa = p->flags & MIP6_PKT_HAO ? p->src_coa : p->dst_coa,
		.flags = p->flags,
		.when = w->now};
	if (m.type == MH_BU) {
		s->seq = m.u.bu.seq;
		s->lifetime = m.u.bu.lifetime;
		call(w, s->lifetime ? "bu" : "bu0");
	} else if (m.type == MH_REVOCATION) {
		s->seq = m.u.revocation.seq;
	} else if (m.type == MH_HEARTBEAT) {
		s->hb_seq = m.u.heartbeat.seq;
		s->response = m.u.heartbeat.response;
	}
	return 0;
}

static int send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx, (void)p;
	return 0;
}

static void event(void *ctx, const struct mip6_event *e)
{
	((struct world *)ctx)->events[e->type]++;
}

/* ---- what the cores ask for ---- */

static const struct ha_ops ha_ops = {.forward_set = quiet_pair, .forward_del = quiet_address};

static int bu_path_set(void *ctx, const struct in6_addr *home, const struct in6_addr *peer,
	const struct in6_addr *coa)
{
	struct world *w = ctx;

	(void)home, (void)coa;
	w->bu_path = *peer;
	call(w, "path");
	return 0;
}

static int bu_path_del(void *ctx, const struct in6_addr *home, const struct in6_addr *peer)
{
	struct world *w = ctx;

	(void)home;
	ck_assert_mem_eq(&w->bu_path, peer, 16);
	w->bu_path = in6addr_any;
	call(w, "path-");
	return 0;
}

static int signal_path(void *ctx, const struct in6_addr *home, const struct in6_addr *peer, bool on)
{
	struct world *w = ctx;

	(void)home;
	ck_assert_mem_eq(&w->bu_path, peer, 16);
	call(w, on ? "signals" : "signals-");
	return 0;
}

static int tunnel_set(void *ctx, const struct in6_addr *home, const struct in6_addr *agent,
	const struct in6_addr *coa, bool hold)
{
	struct world *w = ctx;

	(void)home, (void)coa;
	w->tunnel = *agent;
	w->hold = hold;
	call(w, hold ? "hold" : "go");
	return 0;
}

static const struct mn_ops mn_ops = {.address_set = quiet_address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.bu_path_set = bu_path_set,
	.bu_path_del = bu_path_del,
	.signal_path = signal_path,
	.tunnel_set = tunnel_set,
	.store_binding = quiet_store_binding};

/* ---- the world ---- */

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	log_setup("test_signal", LOGL_ERROR);
	w->now.us = 1000000;
	w->env = (struct mip6_env){.ctx = w,
		.timers = timerq_new(),
		.now = now,
		.random = count_up,
		.send_mh = send_mh,
		.send_icmp6 = send_icmp6,
		.event = event};
	w->hc = (struct ha_config){
		.address = in6(HA), .n_prefixes = 1, .revocation = {1, 1000, 2000}};
	ck_assert(ip6_prefix_parse("2001:db8:1::/64", &w->hc.prefixes[0].prefix));
	w->hc.prefixes[0].valid_s = w->hc.prefixes[0].preferred_s = UINT32_MAX;
	w->mc = (struct mn_config){.home_address = in6(HOME),
		.home_agent = in6(HA),
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 5000,
		.unprotected_signals = true,
		.n_interfaces = 1,
		.interfaces = {{1, 1}}};
	ck_assert(ip6_prefix_parse("2001:db8:1::/64", &w->mc.home_prefix));
	return w;
}

static void world_free(struct world *w)
{
	mn_free(w->mn);
	ha_free(w->ha);
	ck_assert(timerq_next(w->env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w->env.timers);
	free(w);
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

static size_t count(const struct world *w, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += w->sent[i].type == type;
	return n;
}

static const struct sent *last(const struct world *w, uint8_t type)
{
	for (size_t i = w->n_sent; i-- > 0;)
		if (w->sent[i].type == type)
			return &w->sent[i];
	ck_abort_msg("no message of type %u", type);
}

static struct in6_addr numbered(const char *base, unsigned n)
{
	struct in6_addr a = in6(base);

	a.s6_addr[13] = (uint8_t)(n >> 16);
	a.s6_addr[14] = (uint8_t)(n >> 8);
	a.s6_addr[15] = (uint8_t)n;
	return a;
}

static struct in6_addr home_of(unsigned n)
{
	return numbered("2001:db8:1:0:1::", n);
}

static struct in6_addr coa_of(unsigned n)
{
	return numbered("2001:db8:a:0:1::", n);
}

/* ---- home agent with bindings 1 to n ---- */

static struct world *with_bindings(struct world *w, unsigned n)
{
	w->ha = ha_new(&w->hc, &w->env, &ha_ops, w);
	ck_assert_ptr_nonnull(w->ha);
	for (unsigned i = 1; i <= n; i++) {
		struct ha_binding_record r = {.home_address = home_of(i),
			.care_of = coa_of(i),
			.seq = 7,
			.flags = BU_F_A | BU_F_H,
			.lifetime_s = 6000,
			.remaining_s = 6000};

		ck_assert_int_eq(ha_restore(w->ha, &r), 0);
	}
	return w;
}

static struct ha_binding_info info(struct world *w, unsigned n)
{
	struct in6_addr a = home_of(n);
	struct ha_binding_info i;

	ck_assert(ha_find(w->ha, &a, &i));
	return i;
}

static int revoke(struct world *w, unsigned n)
{
	struct in6_addr a = home_of(n);

	return ha_revoke(w->ha, &a, BR_T_UNSPECIFIED);
}

/* From node n, with Home Address option; a Binding Error without. */
static void from_node(struct world *w, unsigned n, const struct mh_message *m, unsigned flags)
{
	uint8_t data[512];
	struct mip6_packet p = {.src = home_of(n),
		.dst = in6(HA),
		.src_coa = coa_of(n),
		.flags = MIP6_PKT_HAO | flags,
		.data = data,
		.len = mh_build(m, data, sizeof(data))};

	if (m->type == MH_BE) {
		p.src = p.src_coa;
		p.flags &= ~(unsigned)MIP6_PKT_HAO;
	}
	ha_receive_mh(w->ha, &p);
}

static struct mh_message revocation(uint8_t br_type, uint8_t number, uint16_t seq)
{
	struct mh_message m = {.type = MH_REVOCATION};

	m.u.revocation.br_type = br_type;
	m.u.revocation.trigger_or_status = number;
	m.u.revocation.seq = seq;
	return m;
}

static struct mh_message heartbeat(bool response, bool unsolicited, uint32_t seq, int64_t counter)
{
	struct mh_message m = {.type = MH_HEARTBEAT};

	m.u.heartbeat.response = response;
	m.u.heartbeat.unsolicited = unsolicited;
	m.u.heartbeat.seq = seq;
	if (counter >= 0)
		mh_option_add(&m, MHOPT_RESTART_COUNTER)->u.restart_counter = (uint32_t)counter;
	return m;
}

static struct mh_message binding_error(uint8_t status)
{
	struct mh_message m = {.type = MH_BE};

	m.u.be.status = status;
	return m;
}

/* RFC 5846 5.1: no two indications under way have the same number; there is a limit. */
START_TEST(many_revocations)
{
	struct world *w = with_bindings(world_new(), 10002);
	static bool used[65536];

	memset(used, 0, sizeof(used));
	for (unsigned i = 1; i <= 10000; i++) {
		ck_assert_int_eq(revoke(w, i), 0);
		ck_assert(!used[last(w, MH_REVOCATION)->seq]);
		used[last(w, MH_REVOCATION)->seq] = true;
	}
	ck_assert_int_eq(revoke(w, 10001), -EBUSY);
	advance(w, 10000);
	ck_assert_uint_eq(ha_count(w->ha), 2);
	ck_assert_int_eq(revoke(w, 10001), 0);
	world_free(w);
}
END_TEST

START_TEST(revocation_answers)
{
	struct world *w = with_bindings(world_new(), 2);
	struct mh_message m;

	revoke(w, 1);
	revoke(w, 2);
	/* not an acknowledgement */
	m = revocation(BR_INDICATION, 0, w->sent[0].seq);
	from_node(w, 1, &m, 0);
	ck_assert(info(w, 1).revoking);
	/* the number of the other */
	m = revocation(BR_ACKNOWLEDGEMENT, 0, w->sent[1].seq);
	from_node(w, 1, &m, 0);
	ck_assert(info(w, 1).revoking);
	from_node(w, 2, &m, 0);
	ck_assert_int_eq(info(w, 2).state, HA_BINDING_INVALID);
	ck_assert_int_eq(info(w, 1).state, HA_BINDING_ACTIVE);
	world_free(w);
}
END_TEST

/* RFC 6275 9.3.3: a node that does not know the message says so, from its care-of address. */
START_TEST(binding_errors)
{
	struct world *w = world_new();
	struct in6_addr other = in6(HA2), home = home_of(2);
	struct mh_message unknown = binding_error(BE_UNKNOWN_MH_TYPE),
			  no_binding = binding_error(BE_UNKNOWN_BINDING);
	size_t n;

	w->hc.heartbeat = (struct mh_heartbeat_config){60, 3};
	with_bindings(w, 3);
	revoke(w, 1);
	from_node(w, 1, &no_binding, 0);
	from_node(w, 2, &unknown, 0);
	ck_assert(info(w, 1).revoking);
	from_node(w, 1, &unknown, 0);
	ck_assert_int_eq(info(w, 1).state, HA_BINDING_INVALID);
	/* served, but not asked again */
	ck_assert_int_eq(ha_switch_node(w->ha, &home, &other, 1), 0);
	from_node(w, 2, &unknown, 0);
	advance(w, 30000);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 1);
	ck_assert_int_eq(info(w, 2).state, HA_BINDING_ACTIVE);
	ck_assert(info(w, 2).switching);
	/* no heartbeats, but for the node that did not complain; after a refresh neither */
	advance(w, 61000);
	from_node(w, 2, &unknown, 0);
	n = count(w, MH_HEARTBEAT);
	advance(w, 600000);
	ck_assert_uint_eq(count(w, MH_HEARTBEAT) - n, 10);
	world_free(w);
}
END_TEST

/* It has one address for its bindings, and with IPsec nothing counts without. */
START_TEST(who_is_heard)
{
	struct world *w = with_bindings(world_new(), 1);
	struct mh_message ask = heartbeat(false, false, 5, -1);
	uint8_t data[64];
	struct mip6_packet p = {.src = home_of(1),
		.dst = in6(HA2),
		.src_coa = coa_of(1),
		.flags = MIP6_PKT_HAO,
		.data = data,
		.len = mh_build(&ask, data, sizeof(data))};

	ha_receive_mh(w->ha, &p);
	ck_assert_uint_eq(w->n_sent, 0);
	p.dst = in6(HA);
	ha_receive_mh(w->ha, &p);
	ck_assert_uint_eq(w->n_sent, 1);
	world_free(w);
	w = world_new();
	w->hc.require_ipsec = true;
	with_bindings(w, 1);
	from_node(w, 1, &ask, 0);
	ck_assert_uint_eq(w->n_sent, 0);
	ck_assert_uint_eq(ha_stats(w->ha)->unprotected, 1);
	from_node(w, 1, &ask, MIP6_PKT_PROTECTED);
	ck_assert_uint_eq(w->n_sent, 1);
	ck_assert(w->sent[0].flags & MIP6_PKT_PROTECTED);
	world_free(w);
}
END_TEST

/* Home addresses that may not register are not answered; the others are, for a while. */
START_TEST(strangers_heartbeats)
{
	struct world *w = world_new();
	struct in6_addr allowed[] = {home_of(5)};
	struct mh_message ask = heartbeat(false, false, 5, -1);

	w->hc.allowed = allowed;
	w->hc.n_allowed = 1;
	with_bindings(w, 0);
	from_node(w, 4, &ask, 0);
	ck_assert_uint_eq(w->n_sent, 0);
	for (int i = 0; i < 1000; i++)
		from_node(w, 5, &ask, 0);
	ck_assert_uint_ge(w->n_sent, 50);
	ck_assert_uint_le(w->n_sent, 150);
	world_free(w);
}
END_TEST

/* Requests of the home agent and what comes back (RFC 5847 3.1, 3.2). */
START_TEST(heartbeat_answers)
{
	struct world *w = world_new();
	struct mh_message m;

	w->hc.heartbeat = (struct mh_heartbeat_config){60, 2};
	with_bindings(w, 1);
	advance(w, 61000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq + 1, 1);
	from_node(w, 1, &m, 0); /* a wrong number */
	ck_assert_uint_eq(ha_stats(w->ha)->heartbeats_answered, 0);
	m.u.heartbeat.seq--;
	from_node(w, 1, &m, 0);
	from_node(w, 1, &m, 0); /* only once */
	ck_assert_uint_eq(ha_stats(w->ha)->heartbeats_answered, 1);
	ck_assert_uint_eq(ha_stats(w->ha)->signals_ignored, 2);
	/* two are missing, which is allowed; the next answer begins anew */
	advance(w, 180000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 1);
	from_node(w, 1, &m, 0);
	advance(w, 180000);
	ck_assert_uint_eq(w->events[EV_PEER_LOST], 0);
	advance(w, 600000);
	ck_assert_uint_eq(w->events[EV_PEER_LOST], 1);
	ck_assert(info(w, 1).unreachable);
	/* it has restarted meanwhile: told once */
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 2);
	from_node(w, 1, &m, 0);
	ck_assert_uint_eq(w->events[EV_PEER_BACK], 1);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 1);
	advance(w, 60000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 2);
	from_node(w, 1, &m, 0);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 1);
	/* unsolicited: only when it is protected */
	m = heartbeat(true, true, 0, 3);
	from_node(w, 1, &m, 0);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 1);
	from_node(w, 1, &m, MIP6_PKT_PROTECTED);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 2);
	world_free(w);
}
END_TEST

/* RFC 5142 7: one after the other, at the rate that was set; gone ones are passed over. */
START_TEST(switch_rate)
{
	struct world *w = world_new();
	struct in6_addr other = in6(HA2), gone[10];

	w->hc.switch_rate = 4;
	with_bindings(w, 100);
	ck_assert_int_eq(ha_switch_all(w->ha, &other, 1), 0);
	for (unsigned i = 0; i < 10; i++) {
		gone[i] = home_of(91 + i);
		ha_remove(w->ha, &gone[i]);
	}
	advance(w, 4000);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 17);
	/* a second order takes the place of the first: of list and of what is under way */
	ck_assert_int_eq(ha_switch_all(w->ha, NULL, 0), 0);
	advance(w, 60000);
	for (unsigned i = 1; i <= 90; i++)
		ck_assert(info(w, i).switching);
	world_free(w);
}
END_TEST

/* A second message to one node takes the place of the first, its repetitions too. */
START_TEST(switch_again)
{
	struct world *w = with_bindings(world_new(), 1);
	struct in6_addr home = home_of(1), other = in6(HA2);
	struct mh_message bu = {.type = MH_BU};

	ha_switch_node(w->ha, &home, &other, 1);
	advance(w, 1000);
	ha_switch_node(w->ha, &home, NULL, 0);
	advance(w, 4900);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 2);
	advance(w, 200);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 3);
	/* it goes: no binding to leave any more */
	bu.u.bu.seq = 8;
	bu.u.bu.flags = BU_F_A | BU_F_H;
	from_node(w, 1, &bu, 0);
	ck_assert_int_eq(info(w, 1).state, HA_BINDING_INVALID);
	ck_assert(!info(w, 1).switching);
	ck_assert_int_eq(ha_switch_node(w->ha, &home, &other, 1), -ENOENT);
	ck_assert_int_eq(revoke(w, 1), -ENOENT);
	advance(w, 60000);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 3);
	world_free(w);
}
END_TEST

static uint8_t register_as(
	struct world *w, unsigned n, uint16_t seq, uint8_t subtype, const char *identifier)
{
	struct mh_message bu = {.type = MH_BU};
	uint64_t refused = ha_stats(w->ha)->refused[BA_PROHIBITED - 128];

	bu.u.bu.seq = seq;
	bu.u.bu.lifetime = 150;
	bu.u.bu.flags = BU_F_A | BU_F_H;
	if (identifier) {
		struct mh_option *o = mh_option_add(&bu, MHOPT_MN_ID);

		o->u.mn_id.subtype = subtype;
		o->u.mn_id.id = (const uint8_t *)identifier;
		o->u.mn_id.len = strlen(identifier);
	}
	from_node(w, n, &bu, 0);
	return ha_stats(w->ha)->refused[BA_PROHIBITED - 128] > refused;
}

/* RFC 4283 3.1: subtype 1 is a name; 4.2: it is needed once. */
START_TEST(identifiers)
{
	static char anna[] = "anna@example.org", ann[] = "ann@example.org", bert[] = "bert",
		    zoe[] = "zoe@example.org", *const list[] = {ann, anna, bert, zoe};
	struct world *w = with_bindings(world_new(), 0);

	ck_assert(!register_as(w, 1, 1, 2, "anna@example.org"));
	ck_assert_ptr_null(info(w, 1).identifier);
	ck_assert(!register_as(w, 1, 2, 1, "anna@example.org"));
	ck_assert_str_eq(info(w, 1).identifier, anna);
	ck_assert(!register_as(w, 1, 3, 1, "otto@example.org"));
	ck_assert_str_eq(info(w, 1).identifier, "otto@example.org");
	world_free(w);
	w = world_new();
	w->hc.identifiers = list;
	w->hc.n_identifiers = 4;
	with_bindings(w, 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert(!register_as(w, 10 + i, 1, 1, list[i]));
	ck_assert(register_as(w, 1, 1, 1, NULL));
	ck_assert(register_as(w, 1, 1, 2, anna));
	ck_assert(!register_as(w, 1, 1, 1, anna));
	ck_assert(!register_as(w, 1, 2, 1, NULL));
	ck_assert_str_eq(info(w, 1).identifier, anna);
	ck_assert(register_as(w, 1, 3, 1, "otto@example.org"));
	ck_assert(register_as(w, 1, 4, 1, "an na"));
	world_free(w);
}
END_TEST

/* ---- mobile node, registered from a foreign link ---- */

static void from_ha(struct world *w, const char *who, const struct mh_message *m, unsigned flags)
{
	uint8_t data[512];
	struct mip6_packet p = {.src = in6(who),
		.dst = in6(HOME),
		.dst_coa = in6(COA),
		.flags = flags,
		.ifindex = 1,
		.data = data,
		.len = mh_build(m, data, sizeof(data))};

	mn_receive_mh(w->mn, &p);
}

static void acknowledge(struct world *w, const char *who, uint8_t status)
{
	struct mh_message m = {.type = MH_BA};

	m.u.ba.status = status;
	m.u.ba.seq = last(w, MH_BU)->seq;
	m.u.ba.lifetime = last(w, MH_BU)->lifetime;
	from_ha(w, who, &m, MIP6_PKT_RH2);
}

static void advertise(struct world *w, const char *prefix)
{
	struct icmp6_message m = {.type = ICMP6T_RA};
	struct mip6_packet p = {
		.src = in6("fe80::a"), .dst = in6_all_nodes, .ifindex = 1, .hop_limit = 255};
	uint8_t data[256];

	m.u.ra.lifetime_s = 9000;
	m.u.ra.slla.len = 6;
	m.u.ra.n_prefixes = 1;
	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = in6(prefix),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = 86400,
		.preferred_s = 14400};
	p.data = data;
	p.len = icmp6_build(&m, data, sizeof(data));
	mn_receive_icmp6(w->mn, &p);
}

static void up(struct world *w, bool yes)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

	mn_link_event(w->mn, 1, yes, mac, yes);
}

static struct world *registered(struct world *w)
{
	w->mn = mn_new(&w->mc, &w->env, &mn_ops, w);
	ck_assert_ptr_nonnull(w->mn);
	up(w, true);
	advertise(w, "2001:db8:a::");
	acknowledge(w, HA, BA_ACCEPTED);
	advance(w, 5000);
	w->calls[0] = '\0';
	return w;
}

static struct mn_info mn(const struct world *w)
{
	struct mn_info i;

	mn_info(w->mn, &i);
	return i;
}

static struct mh_message switch_to(const struct in6_addr *list, size_t n)
{
	struct mh_message m = {.type = MH_HA_SWITCH};

	m.u.ha_switch.count = (uint8_t)n;
	m.u.ha_switch.addrs = (const uint8_t *)list;
	return m;
}

/* Without the routing header it has not come by the way on which home agents say such things. */
START_TEST(mn_how_it_came)
{
	struct world *w = registered(world_new());
	struct mh_message m = revocation(BR_INDICATION, BR_T_ADMINISTRATIVE, 1);
	size_t n = w->n_sent;

	from_ha(w, HA, &m, 0);
	from_ha(w, HA, &m, MIP6_PKT_TUNNELED);
	from_ha(w, HA2, &m, MIP6_PKT_RH2);
	ck_assert_uint_eq(mn_stats(w->mn)->signals_ignored, 3);
	/* an acknowledgement is none of ours */
	m = revocation(BR_ACKNOWLEDGEMENT, 0, 1);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	ck_assert_uint_eq(w->n_sent, n);
	ck_assert_int_eq(mn(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* The order at the kernel: hold, delete, other paths, register, let go. */
START_TEST(mn_switch_order)
{
	struct world *w = registered(world_new());
	struct in6_addr list[] = {in6(HOME), in6("::"), in6("ff02::1"), in6(HA), in6(HA2),
		in6(HA2)},
			ha2 = in6(HA2);
	struct mh_message m = switch_to(list, 6);
	struct mn_info i;

	from_ha(w, HA, &m, MIP6_PKT_RH2);
	ck_assert_str_eq(w->calls, "hold bu0");
	ck_assert(mn(w).leaving);
	/* again, while it is leaving: nothing new */
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	ck_assert_str_eq(w->calls, "hold bu0");
	ck_assert(w->hold);
	acknowledge(w, HA, BA_ACCEPTED);
	ck_assert_str_eq(w->calls, "hold bu0 signals- path- path hold bu go");
	ck_assert_mem_eq(&w->bu_path, &ha2, 16);
	ck_assert_mem_eq(&w->tunnel, &ha2, 16);
	ck_assert_mem_eq(&last(w, MH_BU)->dst, &ha2, 16);
	acknowledge(w, HA2, BA_ACCEPTED);
	ck_assert_str_eq(w->calls, "hold bu0 signals- path- path hold bu go signals");
	/* what is refused later is not a matter of the switch any more */
	advance(w, 590000);
	acknowledge(w, HA2, BA_PROHIBITED);
	ck_assert_int_eq(mn(w).registration, MN_REG_REFUSED);
	i = mn(w);
	ck_assert_mem_eq(&i.home_agent, &ha2, 16);
	world_free(w);
}
END_TEST

/* A list of addresses that are none, or no list: it stays. */
START_TEST(mn_switch_to_nobody)
{
	struct world *w = registered(world_new());
	struct in6_addr list[] = {in6("::1"), in6("ff02::1"), in6(HA), in6(HOME), in6("fe80::1")};
	struct mh_message m = switch_to(list, 5);
	size_t n = w->n_sent;

	from_ha(w, HA, &m, MIP6_PKT_RH2);
	m = switch_to(NULL, 0);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	ck_assert_uint_eq(w->n_sent, n);
	ck_assert(!mn(w).leaving);
	ck_assert_uint_eq(w->events[EV_SWITCH_RECEIVED], 2);
	world_free(w);
}
END_TEST

/* It does not answer: what may live there does not make the next one's registration a refresh. */
START_TEST(mn_switch_unanswered)
{
	struct world *w = registered(world_new());
	struct in6_addr ha2 = in6(HA2);
	struct mh_message m = switch_to(&ha2, 1);

	from_ha(w, HA, &m, MIP6_PKT_RH2);
	advance(w, 4001);
	ck_assert_mem_eq(&last(w, MH_BU)->dst, &ha2, 16);
	ck_assert_int_eq(mn(w).registration, MN_REG_PENDING);
	world_free(w);
}
END_TEST

/* The link goes while it leaves: the binding is deleted from the next place. */
START_TEST(mn_switch_and_nowhere)
{
	struct world *w = registered(world_new());
	struct in6_addr ha = in6(HA), ha2 = in6(HA2);
	struct mh_message m = switch_to(&ha2, 1);
	size_t n;

	from_ha(w, HA, &m, MIP6_PKT_RH2);
	up(w, false);
	n = w->n_sent;
	advance(w, 20000);
	ck_assert_uint_eq(w->n_sent, n);
	up(w, true);
	advertise(w, "2001:db8:b::");
	ck_assert_uint_eq(last(w, MH_BU)->lifetime, 0);
	ck_assert_mem_eq(&last(w, MH_BU)->dst, &ha, 16);
	ck_assert(w->hold);
	acknowledge(w, HA, BA_NOT_HOME_AGENT);
	ck_assert_mem_eq(&last(w, MH_BU)->dst, &ha2, 16);
	ck_assert_uint_gt(last(w, MH_BU)->lifetime, 0);
	world_free(w);
}
END_TEST

/* What was known of the first home agent is not applied to the second. */
START_TEST(mn_switch_forgets)
{
	struct world *w = world_new();
	struct in6_addr ha2 = in6(HA2);
	struct mh_message s = switch_to(&ha2, 1), m, be = binding_error(BE_UNKNOWN_MH_TYPE);

	w->mc.heartbeat = (struct mh_heartbeat_config){30, 3};
	registered(w);
	advance(w, 30000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 1);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	advance(w, 30000);
	from_ha(w, HA, &be, 0); /* it does not know them any more */
	advance(w, 100000);
	ck_assert_uint_eq(count(w, MH_HEARTBEAT), 2);
	from_ha(w, HA, &s, MIP6_PKT_RH2);
	acknowledge(w, HA, BA_ACCEPTED);
	acknowledge(w, HA2, BA_ACCEPTED);
	advance(w, 30000);
	ck_assert_uint_eq(count(w, MH_HEARTBEAT), 3);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 99);
	from_ha(w, HA2, &m, MIP6_PKT_RH2);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 0);
	ck_assert_int_eq(mn(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

/* No more heartbeats to one that does not know them, also after a refresh (RFC 5847 3: MUST NOT). */
START_TEST(mn_heartbeat_unknown_for_good)
{
	struct world *w = world_new();
	struct mh_message be = binding_error(BE_UNKNOWN_MH_TYPE);

	w->mc.heartbeat = (struct mh_heartbeat_config){30, 3};
	registered(w);
	from_ha(w, HA, &be, 0); /* before one was sent: of something else */
	advance(w, 30000);
	ck_assert_uint_eq(count(w, MH_HEARTBEAT), 1);
	from_ha(w, HA, &be, 0);
	for (int i = 0; i < 3; i++) {
		advance(w, 560000);
		acknowledge(w, HA, BA_ACCEPTED);
	}
	ck_assert_uint_eq(count(w, MH_HEARTBEAT), 1);
	world_free(w);
}
END_TEST

/* Without a link it waits, and nothing is missing; back at the same place it goes on. */
START_TEST(mn_heartbeat_without_link)
{
	struct world *w = world_new();
	size_t n;

	w->mc.heartbeat = (struct mh_heartbeat_config){30, 1};
	registered(w);
	advance(w, 30000);
	up(w, false);
	n = w->n_sent;
	advance(w, 200000);
	ck_assert_uint_eq(w->n_sent, n);
	up(w, true);
	advertise(w, "2001:db8:a::");
	ck_assert_uint_eq(count(w, MH_BU), 1);
	n = count(w, MH_HEARTBEAT);
	advance(w, 60000);
	ck_assert_uint_eq(count(w, MH_HEARTBEAT), n + 2);
	ck_assert_uint_eq(w->events[EV_PEER_LOST], 0);
	world_free(w);
}
END_TEST

/* Told twice within the two seconds in which no second update is sent: the later news is not lost. */
START_TEST(mn_restarts_in_a_row)
{
	struct world *w = world_new();
	struct mh_message m = heartbeat(true, true, 0, 1);
	size_t n;

	w->mc.heartbeat = (struct mh_heartbeat_config){30, 3};
	registered(w);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	m = heartbeat(true, true, 0, 2);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	acknowledge(w, HA, BA_ACCEPTED);
	n = count(w, MH_BU);
	m = heartbeat(true, true, 0, 3);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	ck_assert_uint_eq(count(w, MH_BU), n);
	advance(w, 3000);
	from_ha(w, HA, &m, MIP6_PKT_RH2);
	ck_assert_uint_eq(count(w, MH_BU), n + 1);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 2);
	world_free(w);
}
END_TEST

/* Revoked while it says good-bye: that goes on. */
START_TEST(mn_revoked_while_leaving)
{
	struct world *w = registered(world_new());
	struct in6_addr ha2 = in6(HA2);
	struct mh_message s = switch_to(&ha2, 1),
			  r = revocation(BR_INDICATION, BR_T_ADMINISTRATIVE, 1);

	from_ha(w, HA, &s, MIP6_PKT_RH2);
	from_ha(w, HA, &r, MIP6_PKT_RH2);
	ck_assert_uint_eq(count(w, MH_REVOCATION), 1);
	ck_assert_int_eq(mn(w).registration, MN_REG_DEREGISTERING);
	acknowledge(w, HA, BA_ACCEPTED);
	acknowledge(w, HA2, BA_ACCEPTED);
	ck_assert_int_eq(mn(w).registration, MN_REG_REGISTERED);
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		many_revocations,
		revocation_answers,
		binding_errors,
		who_is_heard,
		strangers_heartbeats,
		heartbeat_answers,
		switch_rate,
		switch_again,
		identifiers,
		mn_how_it_came,
		mn_switch_order,
		mn_switch_to_nobody,
		mn_switch_unanswered,
		mn_switch_and_nowhere,
		mn_switch_forgets,
		mn_heartbeat_unknown_for_good,
		mn_heartbeat_without_link,
		mn_restarts_in_a_row,
		mn_revoked_while_leaving,
	};
	Suite *s = suite_create("signal");
	SRunner *r;
	int failed;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		TCase *t = tcase_create(tests[i]->name);

		tcase_add_test(t, tests[i]);
		suite_add_tcase(s, t);
	}
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
