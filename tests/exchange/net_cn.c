/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated network: the correspondent, a core of its own, and the direct path
 * (struct ro_ops) in its kernel and in that of the mobile node.
 */
#include <errno.h>

#include "tests/exchange/net_internal.h"

int64_t net_cn_us(const struct net *n)
{
	return n->opt.cn_us ? n->opt.cn_us : 1000;
}

int64_t net_direct_us(const struct net *n)
{
	return n->opt.direct_us ? n->opt.direct_us : 1000;
}

/* ---- kernel of the correspondent ---- */

static int cn_peer_set(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct net *n = ctx;

	if (!in6_equal(local, &n->cn) || !in6_equal(peer, &n->home_address))
		net_violation(n, "peer_set() for somebody else");
	n->ck.bound = care_of;
	if (care_of)
		n->ck.care_of = *care_of;
	return 0;
}

/* ---- kernel of the mobile node ---- */

static int mn_own_set(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct net *n = ctx;

	net_say(n, "  MN sends to %s %s", in6_str(peer), care_of ? "directly" : "by the tunnel");
	if (!in6_equal(local, &n->home_address) || !in6_equal(peer, &n->cn))
		net_violation(n, "own_set() for somebody else");
	if (n->mk.own == !care_of)
		net_say(n, "  (changed)");
	n->mk.own = care_of;
	if (care_of)
		n->mk.own_care_of = *care_of;
	/* The correspondent would drop what comes from there (9.3.1). */
	if (care_of && !n->ck.forgot && !(n->ck.bound && in6_equal(&n->ck.care_of, care_of)))
		net_violation(n, "direct path from a care-of address that is not bound");
	return 0;
}

static int mn_receive_set(
	void *ctx, const struct in6_addr *local, const struct in6_addr *peer, bool on)
{
	struct net *n = ctx;

	(void)local;
	(void)peer;
	n->mk.receive = on;
	return 0;
}

static int64_t mn_idle_s(void *ctx, const struct in6_addr *local, const struct in6_addr *peer)
{
	(void)local;
	(void)peer;
	return ((struct net *)ctx)->mk.idle_s;
}

static int mn_ro_watch(void *ctx, const struct in6_addr *peer, bool on)
{
	struct net *n = ctx;

	(void)peer;
	n->mk.unwatched = !on;
	return 0;
}

/* ---- what the mobile node sends ---- */

static void at_ha_for_cn(struct net *n, struct net_flight *f)
{
	struct net_flight model = {.arrive = net_mh_at_cn,
		.kind = f->kind,
		.from = SIDE_HA,
		.link = CORE,
		.seen = f->seen,
		.extra_us = net_cn_us(n) - n->paths[CORE].delay_us};

	/* 10.4.5 */
	if (!n->hk.forwarding || !in6_equal(&n->hk.care_of, &f->outer)) {
		net_arrived_well(n, f, false);
		return;
	}
	net_transmit(n, &model, &f->p, false);
}

void net_mn_tunnels(struct net *n, const struct mip6_packet *p)
{
	const struct net_route *r = net_route(n, &n->mk.care_of);
	struct net_if *i = r ? net_if(n, r->ifindex) : NULL;
	struct net_flight model = {
		.arrive = at_ha_for_cn, .from = SIDE_MN, .outer = n->mk.care_of, .link = NOWHERE};

	if (i)
		model.link = i->link;
	model.seen = net_log(n, SIDE_MN, model.link, p, true);
	model.kind = n->seen[model.seen - 1].kind;
	net_check_ro(n, &n->seen[model.seen - 1]);
	if (!i || i->link == NOWHERE || !net_router_forwards(n, i, &n->mk.care_of)) {
		n->seen[model.seen - 1].fate = F_LOST;
		net_say(n, "  goes nowhere");
		return;
	}
	net_transmit(n, &model, p, i->link != HOME);
}

void net_mh_at_cn(struct net *n, struct net_flight *f)
{
	net_arrived_well(n, f, n->cn_core);
	f->p.ifindex = 1;
	f->p.hop_limit = 64;
	if (n->cn_core)
		cn_receive_mh(n->cn_core, &f->p);
}

/* ---- what the correspondent sends ---- */

static void at_ha_for_mn(struct net *n, struct net_flight *f)
{
	struct net_flight model = {.arrive = net_mh_at_mn,
		.kind = f->kind,
		.from = SIDE_CN,
		.link = HOME,
		.seen = f->seen};

	if (n->hk.forwarding) {
		model.tunnelled = true;
		model.outer = n->hk.care_of;
		model.link = net_link_of(&n->hk.care_of);
	}
	if (model.link == NOWHERE)
		net_arrived_well(n, f, false);
	else
		net_transmit(n, &model, &f->p, model.tunnelled && model.link != HOME);
}

int net_cn_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct net *n = ctx;
	const struct in6_addr *to = p->flags & MIP6_PKT_RH2 ? &p->dst_coa : &p->dst;
	bool home = in6_equal(to, &n->home_address);
	struct net_flight model = {.arrive = home ? at_ha_for_mn : net_mh_at_mn,
		.from = SIDE_CN,
		.link = home ? CORE : net_link_of(to)};

	if (model.link == NOWHERE)
		return 0;
	model.seen = net_log(n, SIDE_CN, model.link, p, true);
	model.kind = n->seen[model.seen - 1].kind;
	model.extra_us = home ? net_cn_us(n) - n->paths[CORE].delay_us : net_direct_us(n);
	net_transmit(n, &model, p, false);
	return 0;
}

static int cn_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	(void)p;
	return 0;
}

/* ---- life ---- */

void net_restart_cn(struct net *n, bool up)
{
	n->ck.forgot = n->ck.bound;
	n->ck.bound = false;
	cn_free(n->cn_core);
	n->cn_core = up ? cn_new(&n->cn_config, &n->cn_env, &n->cn_ro_ops, n, NULL) : NULL;
	if (up && !n->cn_core)
		net_violation(n, "cn_new() fails");
}

void net_cn_init(struct net *n)
{
	n->cn_ro_ops = (struct ro_ops){.peer_set = cn_peer_set};
	n->mn_ro_ops = (struct ro_ops){
		.own_set = mn_own_set, .receive_set = mn_receive_set, .idle_s = mn_idle_s};
	n->mn_ops.ro_watch = mn_ro_watch;
	n->cn_env.send_icmp6 = cn_send_icmp6;
	n->cn_config = (struct cn_config){.max_lifetime_s = 420};
	n->ro_config = (struct mn_ro_config){.n_rules = 1, .rules = {{.when = MN_RO_ALWAYS}}};
}
