/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated network: control packets from sender over links to receiver. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/exchange/net_internal.h"

/* ---- links with faults ---- */

/* Time over one path; false: lost. */
static bool cross(struct net *n, int path, int64_t *us)
{
	const struct net_path *p = &n->paths[path];

	*us += p->delay_us;
	if (net_random_below(n, p->loss))
		return false;
	if (net_random_below(n, p->reorder))
		*us += (int64_t)net_below(n, (uint64_t)p->reorder_us + 1);
	return true;
}

static bool send_copy(struct net *n, const struct net_flight *model, const struct mip6_packet *p,
	bool via_core, size_t seen, int64_t us)
{
	int link = model->link;
	struct net_flight *f;

	us += model->extra_us;
	if (link != CORE && !cross(n, link, &us))
		return false;
	if ((via_core || link == CORE) && !cross(n, CORE, &us))
		return false;
	f = net_flight_new(n, p->len);
	f->arrive = model->arrive;
	f->kind = model->kind;
	f->from = model->from;
	f->link = link;
	f->ifindex = model->ifindex;
	f->tunnelled = model->tunnelled;
	f->outer = model->outer;
	f->extra_us = model->extra_us;
	f->seen = seen;
	f->p = *p;
	f->p.data = f->data;
	memcpy(f->data, p->data, p->len);
	net_flight_go(n, f, us);
	return true;
}

/* What a test asked for this packet. */
static struct net_rule rule_for(struct net *n, enum net_kind kind)
{
	for (size_t i = 0; i < NET_RULES; i++) {
		struct net_rule *r = &n->rules[i];

		if (!r->count || (r->kind != kind && r->kind != K_ANY))
			continue;
		if (r->skip) {
			r->skip--;
			continue;
		}
		r->count--;
		return *r;
	}
	return (struct net_rule){0};
}

static bool duplicated(struct net *n, int link, bool via_core)
{
	return (link != CORE && net_random_below(n, n->paths[link].duplicate)) ||
	       (via_core && net_random_below(n, n->paths[CORE].duplicate));
}

void net_transmit(
	struct net *n, const struct net_flight *model, const struct mip6_packet *p, bool via_core)
{
	struct net_rule r = rule_for(n, model->kind);
	bool sent = false;

	if (r.treatment == T_DROP)
		net_say(n, "  dropped by rule");
	else
		sent = send_copy(n, model, p, via_core, model->seen,
			r.treatment == T_DELAY ? r.delay_us : 0);
	if (!sent && model->seen)
		n->seen[model->seen - 1].fate = F_LOST;
	if (!sent && r.treatment != T_DROP)
		net_say(n, "  lost");
	if (r.treatment == T_DUPLICATE)
		send_copy(n, model, p, via_core, 0, r.delay_us);
	if (duplicated(n, model->link, via_core || model->link == CORE))
		send_copy(n, model, p, via_core, 0, 0);
}

void net_arrived_well(struct net *n, const struct net_flight *f, bool well)
{
	if (f->seen)
		n->seen[f->seen - 1].fate = well ? F_ARRIVED : F_LOST;
}

int net_link_of(const struct in6_addr *a)
{
	for (int i = 0; i < N_LINKS; i++) {
		struct in6_addr p = net_prefix(i);

		if (in6_in_prefix(a, &p, HOME_PLEN))
			return i;
	}
	return NOWHERE;
}

/* ---- at the home agent ---- */

static void mh_at_ha(struct net *n, struct net_flight *f)
{
	if (!in6_equal(&f->p.dst, &n->ha_config.address)) {
		net_arrived_well(n, f, !in6_is_any(&n->other_agent) && in6_equal(&f->p.dst, &n->other_agent));
		return;
	}
	net_arrived_well(n, f, n->ha);
	f->p.ifindex = f->link == HOME ? HA_IF : HA_IF + 1;
	f->p.hop_limit = 64;
	if (n->ha)
		ha_receive_mh(n->ha, &f->p);
}

/* ---- at the mobile node ---- */

static void mn_receives(struct net *n, struct net_flight *f, const struct in6_addr *wire_dst)
{
	struct net_addr *a;

	if (f->p.flags & MIP6_PKT_RH2) {
		/* RFC 6275 6.4: the one address in it must be a home address of this node. */
		if (!in6_equal(&f->p.dst, &n->home_address)) {
			net_arrived_well(n, f, false);
			return;
		}
	}
	a = net_addr_on_link(n, f->link, wire_dst);
	net_arrived_well(n, f, a && n->mn);
	if (!a || !n->mn) {
		net_say(n, "  %s for %s: nobody there", net_kind_name(f->kind), in6_str(wire_dst));
		return;
	}
	f->p.ifindex = a->ifindex;
	f->p.hop_limit = 64;
	net_ba_reached(n, &f->p);
	mn_receive_mh(n->mn, &f->p);
}

void net_mh_at_mn(struct net *n, struct net_flight *f)
{
	if (f->tunnelled) {
		const struct mn_kernel *k = &n->mk;
		bool end = k->has_tunnel && (in6_equal(&f->outer, &k->care_of) ||
						    in6_equal(&f->outer, &k->previous));

		f->p.flags |= MIP6_PKT_TUNNELED;
		if (!end) {
			net_arrived_well(n, f, false);
			return;
		}
		mn_receives(n, f, &f->outer);
	} else {
		mn_receives(n, f, f->p.flags & MIP6_PKT_RH2 ? &f->p.dst_coa : &f->p.dst);
	}
}

/* ---- sent by the home agent ---- */

static enum net_kind kind_of(const struct net *n, size_t seen)
{
	return n->seen[seen - 1].kind;
}

int net_ha_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct net *n = ctx;
	const struct in6_addr *to = p->flags & MIP6_PKT_RH2 ? &p->dst_coa : &p->dst;
	bool tunnelled = false;
	struct net_flight model;
	int link;

	if (p->ifindex == HA_IF) {
		link = HOME;
	} else if (!(p->flags & MIP6_PKT_RH2) && n->hk.forwarding &&
		   in6_equal(to, &n->home_address)) {
		tunnelled = true;
		link = net_link_of(&n->hk.care_of);
	} else {
		link = net_link_of(to);
	}
	if (link == NOWHERE)
		return 0;
	model = (struct net_flight){.arrive = net_mh_at_mn,
		.from = SIDE_HA,
		.link = link,
		.tunnelled = tunnelled,
		.outer = n->hk.care_of};
	model.seen = net_log(n, SIDE_HA, link, p, true);
	model.kind = kind_of(n, model.seen);
	if (model.kind == K_BA)
		net_check_ba(n, &n->seen[model.seen - 1]);
	net_transmit(n, &model, p, link != HOME);
	return 0;
}

int net_ha_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct net *n = ctx;
	struct net_flight model = {.arrive = net_nd_arrived, .from = SIDE_HA, .link = HOME};
	enum net_kind kind;

	model.seen = net_log(n, SIDE_HA, HOME, p, false);
	kind = model.kind = kind_of(n, model.seen);
	if (kind != K_NS && kind != K_NA)
		return 0; /* a Parameter Problem: nobody here acts on it */
	if (p->hop_limit != ND_HOP_LIMIT || p->ifindex != HA_IF)
		net_violation(n, "home agent: %s with hop limit %u on interface %d",
			net_kind_name(kind), p->hop_limit, p->ifindex);
	net_transmit(n, &model, p, false);
	return 0;
}

/* ---- sent by the mobile node ---- */

/* The interface by which a Mobility Header leaves, or a negative errno as the kernel would give. */
static struct net_if *egress(struct net *n, const struct mip6_packet *p, const char **why)
{
	const struct in6_addr *wire = p->flags & MIP6_PKT_HAO ? &p->src_coa : &p->src;
	const struct net_route *r;
	struct net_addr *a;

	if (in6_equal(wire, &n->home_address)) {
		struct net_if *i = n->mk.home_ifindex ? net_if(n, n->mk.home_ifindex) : NULL;

		*why = i ? NULL : "home address is not at home";
		return i;
	}
	a = net_addr_find(n, 0, wire);
	r = net_route(n, wire);
	*why = !a                    ? "no such source address"
	       : !net_addr_usable(a) ? "source address is tentative"
	       : !r                  ? "no route for the source address"
				     : NULL;
	if (!*why && p->flags & MIP6_PKT_HAO &&
		!(in6_equal(&p->dst, &n->cn)
				? n->mk.has_cn_path && in6_equal(&n->mk.cn_care_of, wire)
				: n->mk.has_bu_path && in6_equal(&n->mk.bu_care_of, wire)))
		*why = "no path for a Home Address option";
	return *why ? NULL : net_if(n, r->ifindex);
}

/* Does what leaves through this router get anywhere? */
bool net_router_forwards(
	const struct net *n, const struct net_if *i, const struct in6_addr *wire)
{
	const struct net_route *r = net_route(n, wire);

	if (i->link == HOME)
		return true;
	if (i->link == NOWHERE || !r)
		return false;
	struct in6_addr router = net_router_link_local(i->link);

	/* Ingress filtering: only addresses of this link. */
	return in6_equal(&r->router, &router) && !n->routers[i->link].dead &&
	       net_link_of(wire) == i->link;
}

int net_mn_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct net *n = ctx;
	const struct in6_addr *wire = p->flags & MIP6_PKT_HAO ? &p->src_coa : &p->src;
	struct net_flight model = {.arrive = mh_at_ha, .from = SIDE_MN};
	const char *why;
	struct net_if *i;

	if (in6_equal(&p->dst, &n->cn) && in6_equal(wire, &n->home_address) &&
		n->mk.mode != MODE_HOME) {
		net_mn_tunnels(n, p);
		return 0;
	}
	i = egress(n, p, &why);
	if (!i) {
		struct net_addr *a = net_addr_find(n, 0, wire);

		/* While DAD runs anew for an address in use the kernel refuses; else it is a mistake. */
		if (!a || net_addr_usable(a))
			net_violation(n, "mobile node sends from %s: %s", in6_str(wire), why);
		return -EADDRNOTAVAIL;
	}
	model.seen = net_log(n, SIDE_MN, i->link, p, true);
	model.kind = kind_of(n, model.seen);
	if (model.kind == K_BU)
		net_check_bu(n, &n->seen[model.seen - 1]);
	if (in6_equal(&p->dst, &n->cn)) {
		net_check_ro(n, &n->seen[model.seen - 1]);
		model.arrive = net_mh_at_cn;
		model.extra_us = net_direct_us(n);
	}
	model.link = i->link;
	if (i->link == NOWHERE || !net_router_forwards(n, i, wire)) {
		n->seen[model.seen - 1].fate = F_LOST;
		net_say(n, "  goes nowhere");
		return 0;
	}
	net_transmit(n, &model, p, i->link != HOME && model.arrive != net_mh_at_cn);
	return 0;
}

int net_mn_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct net *n = ctx;
	struct net_if *i = net_if(n, p->ifindex);
	struct net_flight model = {.arrive = net_nd_arrived, .from = SIDE_MN};

	if (!i) {
		net_violation(n, "mobile node sends ICMPv6 on interface %d", p->ifindex);
		return -1;
	}
	if (!in6_is_any(&p->src)) {
		struct net_addr *a = net_addr_find(n, i->ifindex, &p->src);
		struct in6_addr own = in6_eui64_link_local(i->mac);
		bool usable = in6_equal(&own, &p->src) ? i->link_local : a && net_addr_usable(a);

		if (!usable)
			return -EADDRNOTAVAIL;
	}
	model.seen = net_log(n, SIDE_MN, i->link, p, false);
	model.kind = kind_of(n, model.seen);
	model.link = i->link;
	model.ifindex = i->ifindex;
	net_check_nd(n, &n->seen[model.seen - 1], p);
	if (i->link == NOWHERE) {
		n->seen[model.seen - 1].fate = F_LOST;
		return 0;
	}
	net_transmit(n, &model, p, false);
	return 0;
}

/* ---- from elsewhere ---- */

static bool for_ha(const struct net *n, const struct in6_addr *dst)
{
	return in6_equal(dst, &n->ha_config.address);
}

void net_replay(struct net *n, const struct net_seen *s)
{
	struct net_seen copy = *s;
	struct mip6_packet p = {.src = copy.src,
		.dst = copy.dst,
		.flags = copy.flags,
		.data = copy.data,
		.len = copy.len};
	struct net_flight model = {.from = SIDE_OTHER, .kind = copy.kind, .link = CORE};

	if (p.flags & MIP6_PKT_HAO)
		p.src_coa = copy.coa;
	if (p.flags & MIP6_PKT_RH2)
		p.dst_coa = copy.coa;
	model.arrive = for_ha(n, &p.dst) ? mh_at_ha : net_mh_at_mn;
	if (model.arrive == net_mh_at_mn || copy.link == HOME)
		model.link = copy.link;
	net_say(n, "-- replay of %s seq %u", net_kind_name(copy.kind), copy.seq);
	net_transmit(n, &model, &p, model.link != HOME);
}

void net_inject_mh(struct net *n, const struct mip6_packet *p, const struct mh_message *m)
{
	uint8_t out[MH_MAX_LEN];
	struct mip6_packet q = *p;
	struct net_flight model = {.from = SIDE_OTHER, .kind = K_MH_OTHER, .link = CORE};

	if (m) {
		q.data = out;
		q.len = mh_build(m, out, sizeof(out));
	}
	if (!q.len)
		abort();
	model.arrive = for_ha(n, &q.dst) ? mh_at_ha : net_mh_at_mn;
	if (model.arrive == net_mh_at_mn)
		model.link = net_link_of(q.flags & MIP6_PKT_RH2 ? &q.dst_coa : &q.dst);
	net_transmit(n, &model, &q, model.link != CORE && model.link != HOME);
}
