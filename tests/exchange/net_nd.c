/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated network: the links.  Routers that advertise, a host on the home
 * link that believes advertisements, intruders that have an address already.
 */
#include <string.h>

#include "tests/exchange/net_internal.h"

/* ---- routers ---- */

static void fill_ra(const struct net *n, const struct net_router *r, struct icmp6_ra *ra)
{
	struct nd_prefix *p = &ra->prefixes[0];

	*ra = (struct icmp6_ra){.cur_hop_limit = 64,
		.lifetime_s = r->lifetime_s,
		.home_agent = r->link == HOME,
		.adv_interval_ms = r->adv_interval_ms,
		.slla = {.len = r->no_slla ? 0 : 6},
		.n_prefixes = 1};
	memcpy(ra->slla.addr, r->mac, 6);
	*p = (struct nd_prefix){.prefix = net_prefix(r->link),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = r->prefix_valid_s,
		.preferred_s = r->prefix_valid_s};
	if (r->link == HOME) { /* RFC 6275 7.2: a home agent gives its address */
		p->router_address = true;
		p->prefix = n->ha_config.address;
	}
}

void net_advertise(struct net *n, int link, const struct in6_addr *to, int ifindex)
{
	const struct net_router *r = &n->routers[link];
	struct net_flight model = {.arrive = net_nd_arrived,
		.kind = K_RA,
		.from = link == HOME ? SIDE_HA : SIDE_OTHER,
		.link = link,
		.ifindex = ifindex};
	struct icmp6_message m = {.type = ICMP6T_RA};
	uint8_t out[256];
	struct mip6_packet p = {.src = net_router_link_local(link),
		.dst = to ? *to : in6_all_nodes,
		.hop_limit = ND_HOP_LIMIT,
		.data = out};

	if (r->dead || r->mute)
		return;
	fill_ra(n, r, &m.u.ra);
	p.len = icmp6_build(&m, out, sizeof(out));
	model.seen = net_log(n, SIDE_OTHER, link, &p, false);
	net_transmit(n, &model, &p, false);
}

static void periodic(struct timer *t, void *arg)
{
	struct net_router *r = arg;
	struct net *n = r->net;

	(void)t;
	net_advertise(n, r->link, NULL, 0);
	net_timer(n, &r->timer,
		r->ra_interval_ms * 750 + (int64_t)net_below(n, (uint64_t)r->ra_interval_ms * 250));
}

void net_router_says(struct net *n, int link)
{
	net_advertise(n, link, NULL, 0);
}

void net_routers_init(struct net *n)
{
	for (int i = 0; i < N_LINKS; i++) {
		struct net_router *r = &n->routers[i];

		*r = (struct net_router){.net = n,
			.link = i,
			.ra_interval_ms = 10000,
			.lifetime_s = 1800,
			.prefix_valid_s = 86400,
			.mac = {0x02, 0xbb, 0, 0, 0, (uint8_t)i}};
		if (i == HOME)
			memcpy(r->mac, n->ha_mac, 6);
		timer_init(&r->timer, periodic, r);
		net_timer(n, &r->timer, (int64_t)net_below(n, 10000000));
	}
}

/* ---- who has an address ---- */

void net_take(struct net *n, int link, const struct in6_addr *addr)
{
	if (n->n_taken < NET_TAKEN) {
		n->taken[n->n_taken].link = link;
		n->taken[n->n_taken++].addr = *addr;
	}
}

void net_untake(struct net *n)
{
	n->n_taken = 0;
}

bool net_is_taken(const struct net *n, int link, const struct in6_addr *a)
{
	for (size_t i = 0; i < n->n_taken; i++)
		if (n->taken[i].link == link && in6_equal(&n->taken[i].addr, a))
			return true;
	return false;
}

/* ---- answers ---- */

static void answer_ns(struct net *n, int link, const struct mip6_packet *p,
	const struct icmp6_ns *ns, int ifindex, const uint8_t mac[6], bool router)
{
	bool dad = in6_is_any(&p->src);
	struct icmp6_message m = {.type = ICMP6T_NA,
		.u.na = {.target = ns->target,
			.router = router,
			.solicited = !dad,
			.override = !router,
			.tlla = {.len = 6}}};
	struct net_flight model = {.arrive = net_nd_arrived,
		.kind = K_NA,
		.from = SIDE_OTHER,
		.link = link,
		.ifindex = dad ? 0 : ifindex};
	uint8_t out[64];
	struct mip6_packet q = {.src = router ? net_router_link_local(link) : ns->target,
		.dst = dad ? in6_all_nodes : p->src,
		.hop_limit = ND_HOP_LIMIT,
		.data = out};

	memcpy(m.u.na.tlla.addr, mac, 6);
	q.len = icmp6_build(&m, out, sizeof(out));
	model.seen = net_log(n, SIDE_OTHER, link, &q, false);
	net_transmit(n, &model, &q, false);
}

static bool is_router(const struct net *n, int link, const struct in6_addr *a)
{
	struct in6_addr ll = net_router_link_local(link), global = net_router_address(link);

	return !n->routers[link].dead && (in6_equal(a, &ll) || in6_equal(a, &global));
}

static void ns_on_link(struct net *n, struct net_flight *f, const struct icmp6_ns *ns)
{
	static const uint8_t intruder[6] = {0x02, 0xee, 0, 0, 0, 1};

	if (is_router(n, f->link, &ns->target))
		answer_ns(n, f->link, &f->p, ns, f->ifindex, n->routers[f->link].mac, true);
	else if (f->link == HOME && net_has_proxy(n, &ns->target) && f->from != SIDE_HA)
		answer_ns(n, f->link, &f->p, ns, f->ifindex, n->ha_mac, true);
	if (net_is_taken(n, f->link, &ns->target))
		answer_ns(n, f->link, &f->p, ns, f->ifindex, intruder, false);
}

/* The host on the home link: RFC 4861 7.2.5, with an entry for the home address. */
static void host_hears(struct net *n, const struct icmp6_na *na)
{
	if (in6_equal(&na->target, &n->home_address) && na->override && na->tlla.len)
		n->host_cache = na->tlla;
}

/* ---- arrival ---- */

static void to_mobile_node(struct net *n, struct net_flight *f, const struct icmp6_message *m)
{
	for (int i = 0; i < NET_IFS; i++) {
		struct net_if *ifc = &n->mk.ifs[i];

		if (ifc->link != f->link || (f->from == SIDE_MN && f->ifindex == ifc->ifindex))
			continue;
		if (f->from != SIDE_MN && f->ifindex && f->ifindex != ifc->ifindex)
			continue;
		net_mn_nd(n, ifc, &f->p, m);
	}
}

void net_nd_arrived(struct net *n, struct net_flight *f)
{
	struct icmp6_message m;

	if (f->seen)
		n->seen[f->seen - 1].fate = F_ARRIVED;
	if (!icmp6_parse(f->p.data, f->p.len, &m))
		return;
	if (m.type == ICMP6T_RS && f->from == SIDE_MN) {
		const struct in6_addr *to = in6_is_any(&f->p.src) ? NULL : &f->p.src;

		if (n->routers[f->link].ra_delay_us)
			net_timer(n, &n->routers[f->link].timer, n->routers[f->link].ra_delay_us);
		else
			net_advertise(n, f->link, to, to ? f->ifindex : 0);
		return;
	}
	if (m.type == ICMP6T_NS)
		ns_on_link(n, f, &m.u.ns);
	if (m.type == ICMP6T_NA && f->link == HOME)
		host_hears(n, &m.u.na);
	to_mobile_node(n, f, &m);
	if (f->link == HOME && (f->from != SIDE_HA || n->opt.echo))
		net_ha_nd(n, &f->p, &m);
}
