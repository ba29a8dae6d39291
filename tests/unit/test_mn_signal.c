/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node, registered from a foreign link: switch, heartbeats, revocation. */
#include "tests/unit/signal_world.h"

#define COA "2001:db8:a::ff:fe00:1"

/* ---- what the cores ask for ---- */

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
	struct icmp6_message m = advert(in6(prefix));
	struct mip6_packet p = {
		.src = in6("fe80::a"), .dst = in6_all_nodes, .ifindex = 1, .hop_limit = 255};
	uint8_t data[256];

	m.u.ra.lifetime_s = 9000;
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
	const TTest *const all[] = {mn_how_it_came, mn_switch_order, mn_switch_to_nobody,
		mn_switch_unanswered, mn_switch_and_nowhere, mn_switch_forgets,
		mn_heartbeat_unknown_for_good, mn_heartbeat_without_link, mn_restarts_in_a_row,
		mn_revoked_while_leaving};

	return RUN("mn, signal", all, NULL, NULL);
}
