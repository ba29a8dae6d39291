/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated network: the kernel of the mobile node, as struct mn_ops promises
 * it.  Nothing calls back into the core from within an operation: progress of
 * addresses is told by timers that run at the same instant or later.
 */
#include <errno.h>
#include <string.h>

#include "tests/exchange/net_internal.h"

struct net_if *net_if(struct net *n, int ifindex)
{
	for (int i = 0; i < NET_IFS; i++)
		if (n->mk.ifs[i].ifindex == ifindex)
			return &n->mk.ifs[i];
	return NULL;
}

/* ---- addresses ---- */

struct net_addr *net_addr_find(const struct net *n, int ifindex, const struct in6_addr *a)
{
	for (int i = 0; i < NET_ADDRS; i++) {
		const struct net_addr *x = &n->mk.addrs[i];

		if (x->used && (!ifindex || x->ifindex == ifindex) && in6_equal(&x->addr, a))
			return (struct net_addr *)x;
	}
	return NULL;
}

bool net_addr_usable(const struct net_addr *a)
{
	return a->state == MN_ADDR_READY || a->state == MN_ADDR_USABLE_OPTIMISTIC;
}

struct net_addr *net_addr_on_link(const struct net *n, int link, const struct in6_addr *a)
{
	for (int i = 0; i < NET_IFS; i++) {
		const struct net_if *f = &n->mk.ifs[i];
		struct net_addr *x = net_addr_find(n, f->ifindex, a);

		if (f->link == link && x && net_addr_usable(x))
			return x;
	}
	return NULL;
}

/* Does somebody else on this link say that it has the address? */
static bool contested(const struct net *n, int link, const struct in6_addr *a)
{
	return link != NOWHERE &&
	       (net_is_taken(n, link, a) || (link == HOME && net_has_proxy(n, a)));
}

static void tell_address(struct timer *t, void *arg)
{
	struct net_addr *a = arg;

	(void)t;
	if (a->net->mn)
		mn_address_event(a->net->mn, a->ifindex, &a->addr, a->state);
}

static void dad_over(struct timer *t, void *arg)
{
	struct net_addr *a = arg;
	struct net_if *i = net_if(a->net, a->ifindex);

	a->state = contested(a->net, i->link, &a->addr) ? MN_ADDR_DUPLICATE : MN_ADDR_READY;
	net_say(a->net, "  MN address %s is %s", in6_str(&a->addr),
		a->state == MN_ADDR_READY ? "ready" : "a duplicate");
	tell_address(t, a);
}

static void address_gone(struct net *n, struct net_addr *a)
{
	timer_stop(n->timers, &a->tell);
	timer_stop(n->timers, &a->dad);
	a->used = false;
}

static struct net_addr *address_new(struct net *n, int ifindex, const struct in6_addr *addr)
{
	for (int i = 0; i < NET_ADDRS; i++) {
		struct net_addr *a = &n->mk.addrs[i];

		if (a->used)
			continue;
		memset(a, 0, sizeof(*a));
		a->net = n;
		a->used = true;
		a->ifindex = ifindex;
		a->addr = *addr;
		timer_init(&a->tell, tell_address, a);
		timer_init(&a->dad, dad_over, a);
		return a;
	}
	net_violation(n, "mobile node collects addresses");
	return NULL;
}

/* DAD starts, or does not. */
static void address_state(struct net *n, struct net_addr *a, unsigned flags)
{
	timer_stop(n->timers, &a->dad);
	if (flags & MN_ADDR_NODAD) {
		a->state = MN_ADDR_READY;
	} else {
		a->state =
			flags & MN_ADDR_OPTIMISTIC ? MN_ADDR_USABLE_OPTIMISTIC : MN_ADDR_TENTATIVE;
		net_timer(n, &a->dad, n->opt.dad_ms * 1000);
	}
	net_timer(n, &a->tell, 0);
}

static int address_set(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen,
	unsigned flags, uint32_t preferred_s, uint32_t valid_s)
{
	struct net *n = ctx;
	struct net_addr *a = net_addr_find(n, ifindex, addr);

	net_say(n, "  MN address %s on %d flags %x", in6_str(addr), ifindex, flags);
	if (!net_if(n, ifindex))
		return -ENODEV;
	if (plen != 64 || preferred_s > valid_s || !valid_s)
		net_violation(n, "address_set(): /%u, preferred %u, valid %u", plen, preferred_s,
			valid_s);
	if (!a) {
		a = address_new(n, ifindex, addr);
		flags |= MN_ADDR_RENEW;
	}
	if (!a)
		return -ENOMEM;
	a->valid_s = valid_s;
	a->preferred_s = preferred_s;
	if (flags & MN_ADDR_RENEW)
		address_state(n, a, flags);
	a->flags = flags;
	return 0;
}

static int address_del(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen)
{
	struct net *n = ctx;
	struct net_addr *a = net_addr_find(n, ifindex, addr);

	(void)plen;
	net_say(n, "  MN address %s on %d no more", in6_str(addr), ifindex);
	if (!a)
		return -EADDRNOTAVAIL;
	address_gone(n, a);
	return 0;
}

/* ---- link-local addresses ---- */

static void link_local_is(struct net_if *i, enum mn_address_state s)
{
	i->link_local_state = s;
	i->link_local = s == MN_ADDR_READY || s == MN_ADDR_USABLE_OPTIMISTIC;
}

static void link_local_dad_over(struct timer *t, void *arg)
{
	struct net_if *i = arg;
	struct in6_addr a = in6_eui64_link_local(i->mac);

	(void)t;
	link_local_is(i, contested(i->net, i->link, &a) ? MN_ADDR_DUPLICATE : MN_ADDR_READY);
	if (!i->net->mn)
		return;
	mn_address_event(i->net->mn, i->ifindex, &a, i->link_local_state);
	/* For the link, only that there is one now is news (mn.h). */
	if (i->told && i->link != NOWHERE && i->link_local && !i->told_link_local) {
		i->told_link_local = true;
		mn_link_event(i->net->mn, i->ifindex, true, i->mac, true);
	}
}

static void start_link_local_dad(struct net_if *i, bool optimistic)
{
	link_local_is(i, optimistic ? MN_ADDR_USABLE_OPTIMISTIC : MN_ADDR_TENTATIVE);
	net_timer(i->net, &i->link_local_timer, i->net->opt.dad_ms * 1000);
}

static void tell_timer(struct timer *t, void *arg)
{
	struct net_if *i = arg;
	struct in6_addr a = in6_eui64_link_local(i->mac);

	(void)t;
	if (i->net->mn)
		mn_address_event(i->net->mn, i->ifindex, &a, i->link_local_state);
}

static int link_local_renew(void *ctx, int ifindex, bool optimistic)
{
	struct net *n = ctx;
	struct net_if *i = net_if(n, ifindex);

	net_say(n, "  MN link-local address of %d renewed%s", ifindex,
		optimistic ? ", optimistic" : "");
	if (!i)
		return -ENODEV;
	/* 11.5.5: no DAD for it either, if the L bit was set. */
	if (i->link == HOME && mono_before(n->now, n->bound_until)) {
		struct in6_addr a = in6_eui64_link_local(i->mac);

		if (net_has_proxy(n, &a))
			net_violation(n, "DAD for a link-local address that is defended (11.5.5)");
	}
	start_link_local_dad(i, optimistic);
	net_timer(n, &i->tell_timer, 0);
	return 0;
}

/* ---- routes and paths ---- */

const struct net_route *net_route(const struct net *n, const struct in6_addr *care_of)
{
	for (int i = 0; i < NET_ROUTES; i++)
		if (n->mk.routes[i].used && in6_equal(&n->mk.routes[i].care_of, care_of))
			return &n->mk.routes[i];
	return NULL;
}

static int router_set(void *ctx, int ifindex, const struct in6_addr *router, const uint8_t *lladdr,
	size_t lladdr_len, const struct in6_addr *care_of, uint32_t mtu, bool primary)
{
	struct net *n = ctx;
	struct net_route *r = (struct net_route *)net_route(n, care_of);

	(void)lladdr;
	(void)lladdr_len;
	(void)mtu;
	net_say(n, "  MN route of %s by %s on %d%s", in6_str(care_of), in6_str(router), ifindex,
		primary ? ", primary" : "");
	for (int i = 0; i < NET_ROUTES && !r; i++)
		if (!n->mk.routes[i].used)
			r = &n->mk.routes[i];
	if (!r) {
		net_violation(n, "mobile node collects routes");
		return -ENOMEM;
	}
	for (int i = 0; i < NET_ROUTES && primary; i++)
		n->mk.routes[i].primary = false;
	*r = (struct net_route){true, primary, ifindex, *router, *care_of};
	return 0;
}

static int router_del(void *ctx, int ifindex, const struct in6_addr *care_of)
{
	struct net *n = ctx;
	struct net_route *r = (struct net_route *)net_route(n, care_of);

	(void)ifindex;
	if (!r)
		return -ENOENT;
	r->used = false;
	return 0;
}

static int neighbour_set(void *ctx, int ifindex, const struct in6_addr *addr, const uint8_t *lladdr,
	size_t lladdr_len)
{
	struct net *n = ctx;
	struct net_if *i = net_if(n, ifindex);

	if (i && i->link == HOME && in6_equal(addr, &n->ha_config.address) &&
		(lladdr_len != 6 || memcmp(lladdr, n->ha_mac, 6) != 0))
		net_violation(n, "wrong link-layer address of the home agent");
	return 0;
}

static int bu_path_set(void *ctx, const struct in6_addr *home_address, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct net *n = ctx;

	(void)home_address;
	if (in6_equal(peer, &n->cn)) {
		n->mk.has_cn_path = true;
		n->mk.cn_care_of = *care_of;
		return 0;
	}
	n->mk.has_bu_path = true;
	n->mk.bu_care_of = *care_of;
	return 0;
}

static int bu_path_del(void *ctx, const struct in6_addr *home_address, const struct in6_addr *peer)
{
	struct net *n = ctx;
	bool to_cn = in6_equal(peer, &n->cn);
	bool had = to_cn ? n->mk.has_cn_path : n->mk.has_bu_path;

	(void)home_address;
	if (to_cn) {
		n->mk.has_cn_path = false;
		return had ? 0 : -ENOENT;
	}
	n->mk.has_bu_path = false;
	return had ? 0 : -ENOENT;
}

/* ---- tunnel and home ---- */

static void set_mode(struct net *n, enum net_mode mode, bool hold)
{
	if (hold && !n->mk.hold)
		n->mk.hold_since = n->now;
	if (hold && (!n->mk.hold || mode != n->mk.mode))
		n->mk.hold_since_mode = n->now;
	if (!hold && n->mk.hold)
		n->mk.hold_expired =
			mono_diff_ms(n->now, n->mk.hold_since) >= (int64_t)n->mn_config.hold_ms;
	n->mk.mode = mode;
	n->mk.hold = hold;
	if (!hold)
		net_data_release(n);
}

static int tunnel_set(void *ctx, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of, bool hold)
{
	struct net *n = ctx;
	struct mn_kernel *k = &n->mk;

	net_say(n, "  MN tunnel from %s%s", care_of ? in6_str(care_of) : "nowhere",
		hold ? ", held" : "");
	if (!in6_equal(home_address, &n->home_address) ||
		(!in6_equal(home_agent, &n->ha_config.address) &&
			!in6_equal(home_agent, &n->other_agent)))
		net_violation(n, "tunnel_set() for somebody else");
	if (k->own && !(care_of && in6_equal(care_of, &k->own_care_of)))
		net_violation(n, "the direct path outlives the place where it begins");
	k->has_tunnel = care_of || k->has_tunnel;
	if (care_of && !in6_equal(care_of, &k->care_of)) {
		if (!in6_is_any(&k->care_of))
			k->previous = k->care_of;
		k->care_of = *care_of;
	}
	if (!care_of && !hold)
		net_data_drop(n);
	set_mode(n, care_of || hold ? MODE_TUNNEL : MODE_NONE, hold);
	if (!care_of) {
		k->previous = k->care_of;
		k->care_of = in6addr_any;
	}
	return 0;
}

static int home_set(void *ctx, const struct in6_addr *home_address, uint8_t prefix_len, int ifindex,
	const struct in6_addr *router, bool dad, bool hold)
{
	struct net *n = ctx;
	struct net_if *i = net_if(n, ifindex);
	struct net_addr *a = net_addr_find(n, ifindex, home_address);

	net_say(n, "  MN home address on %d%s%s", ifindex, dad ? ", with DAD" : "",
		hold ? ", held" : "");
	if (!i)
		return -ENODEV;
	if (prefix_len != HOME_PLEN || !in6_equal(home_address, &n->home_address))
		net_violation(n, "home_set() with a wrong address or prefix");
	if (n->mk.own)
		net_violation(n, "the direct path outlives the return home");
	/* 11.5.5: MUST NOT perform DAD when returning before the binding expired. */
	if (dad && mono_before(n->now, n->bound_until) && !n->dereg_sent)
		net_violation(n, "DAD for the home address while a binding lives (11.5.5)");
	if (n->mk.home_ifindex && n->mk.home_ifindex != ifindex) {
		struct net_addr *old = net_addr_find(n, n->mk.home_ifindex, home_address);

		if (old)
			address_gone(n, old);
	}
	if (!a) {
		a = address_new(n, ifindex, home_address);
		if (a)
			address_state(n, a, dad ? 0 : MN_ADDR_NODAD);
	} else if (dad) {
		address_state(n, a, 0);
	}
	n->mk.home_ifindex = ifindex;
	n->mk.home_router = *router;
	set_mode(n, MODE_HOME, hold);
	return a ? 0 : -ENOMEM;
}

static int home_del(void *ctx, const struct in6_addr *home_address, int ifindex)
{
	struct net *n = ctx;
	struct net_addr *a = net_addr_find(n, ifindex, home_address);

	net_say(n, "  MN home address not on %d any more", ifindex);
	if (a)
		address_gone(n, a);
	if (n->mk.home_ifindex == ifindex) {
		n->mk.home_ifindex = 0;
		if (n->mk.mode == MODE_HOME)
			n->mk.mode = MODE_NONE;
	}
	return a ? 0 : -EADDRNOTAVAIL;
}

static void store_binding(void *ctx, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of, uint16_t seq,
	uint32_t remaining_s)
{
	struct net *n = ctx;

	(void)home_address;
	(void)home_agent;
	n->mk.store.used = true;
	n->mk.store.care_of = care_of ? *care_of : in6addr_any;
	n->mk.store.seq = seq;
	n->mk.store.remaining_s = remaining_s;
	n->mk.store.at = n->now;
}

/* ---- what arrives ---- */

/* The kernel's own part of Neighbor Discovery, then the core's. */
void net_mn_nd(
	struct net *n, struct net_if *i, const struct mip6_packet *p, const struct icmp6_message *m)
{
	struct mip6_packet q = *p;

	q.ifindex = i->ifindex;
	if (m->type == ICMP6T_NS && in6_is_any(&p->src)) {
		struct net_addr *a = net_addr_find(n, i->ifindex, &m->u.ns.target);

		/* RFC 4862 5.4.3, RFC 4429 3.3: defended, but not by a tentative address. */
		if (a && a->state == MN_ADDR_READY) {
			struct icmp6_message na = {.type = ICMP6T_NA,
				.u.na = {.target = a->addr, .override = true, .tlla = {.len = 6}}};
			struct net_flight model = {.arrive = net_nd_arrived,
				.kind = K_NA,
				.from = SIDE_OTHER,
				.link = i->link};
			uint8_t out[64];
			struct mip6_packet answer = {.src = a->addr,
				.dst = in6_all_nodes,
				.hop_limit = ND_HOP_LIMIT,
				.data = out};

			memcpy(na.u.na.tlla.addr, i->mac, 6);
			answer.len = icmp6_build(&na, out, sizeof(out));
			net_transmit(n, &model, &answer, false);
		}
		return;
	}
	if (!n->mn || !i->told || (m->type != ICMP6T_RA && m->type != ICMP6T_NA))
		return;
	mn_receive_icmp6(n->mn, &q);
	i->knows |= m->type == ICMP6T_RA;
}

/* ---- plugging ---- */

void net_mn_tell_link(struct net *n, struct net_if *i, bool up)
{
	struct in6_addr ll = in6_eui64_link_local(i->mac);

	i->told = true;
	if (!n->mn)
		return;
	i->told_link_local = up && i->link_local;
	mn_link_event(n->mn, i->ifindex, up, i->mac, i->told_link_local);
	if (up)
		mn_address_event(n->mn, i->ifindex, &ll, i->link_local_state);
	net_check(n);
}

static void plug(struct net *n, struct net_if *i, int link)
{
	net_say(n, "-- interface %d to link %d", i->ifindex, link);
	i->link = link;
	i->told = i->knows = false;
	if (link != NOWHERE && i->link_local_state == MN_ADDR_REMOVED)
		start_link_local_dad(i, n->mn_config.optimistic_dad);
}

void net_attach(struct net *n, int ifindex, int link)
{
	struct net_if *i = net_if(n, ifindex);
	bool was_up = i->link != NOWHERE;

	plug(n, i, link);
	if (was_up)
		net_mn_tell_link(n, i, false);
	if (link != NOWHERE)
		net_mn_tell_link(n, i, true);
}

void net_roam(struct net *n, int ifindex, int link)
{
	struct net_if *i = net_if(n, ifindex);

	plug(n, i, link);
	net_mn_tell_link(n, i, link != NOWHERE);
}

struct in6_addr net_care_of(const struct net *n, int ifindex, int link)
{
	struct in6_addr prefix = net_prefix(link);
	struct in6_addr iid = in6_eui64_link_local(net_if((struct net *)n, ifindex)->mac);

	return in6_join(&prefix, &iid);
}

/* ---- life ---- */

void net_mn_init(struct net *n)
{
	n->mn_ops = (struct mn_ops){
		.address_set = address_set,
		.address_del = address_del,
		.link_local_renew = link_local_renew,
		.router_set = router_set,
		.router_del = router_del,
		.neighbour_set = neighbour_set,
		.bu_path_set = bu_path_set,
		.bu_path_del = bu_path_del,
		.tunnel_set = tunnel_set,
		.home_set = home_set,
		.home_del = home_del,
		.store_binding = store_binding,
	};
	for (int i = 0; i < NET_IFS; i++) {
		struct net_if *f = &n->mk.ifs[i];

		f->net = n;
		f->ifindex = i + 1;
		f->link = NOWHERE;
		f->link_local_state = MN_ADDR_REMOVED;
		memcpy(f->mac, (uint8_t[]){0x02, 0xcc, 0, 0, 0, (uint8_t)(i + 1)}, 6);
		timer_init(&f->link_local_timer, link_local_dad_over, f);
		timer_init(&f->tell_timer, tell_timer, f);
	}
}

void net_mn_reset(struct net *n)
{
	struct mn_kernel *k = &n->mk;

	for (int i = 0; i < NET_ADDRS; i++)
		if (k->addrs[i].used)
			address_gone(n, &k->addrs[i]);
	memset(k->routes, 0, sizeof(k->routes));
	k->has_tunnel = k->has_bu_path = k->hold = false;
	k->has_cn_path = k->own = k->receive = k->unwatched = false;
	k->mode = MODE_NONE;
	k->home_ifindex = 0;
	k->care_of = k->previous = in6addr_any;
	net_data_drop(n);
}

static void restore(struct net *n)
{
	int64_t gone = mono_diff_s(n->now, n->mk.store.at);
	uint32_t left = n->mk.store.remaining_s;

	left = gone >= left ? 0 : left - (uint32_t)gone;
	mn_restore(n->mn, &n->mk.store.care_of, n->mk.store.seq, left);
}

void net_start_mn(struct net *n, bool with_store)
{
	net_say(n, "-- mobile node starts%s", with_store ? ", with its store" : "");
	net_mn_reset(n);
	n->dereg_sent = n->dereg_acked = false;
	n->n_bu_times = 0;
	n->mn_started = n->n_seen;
	if (!with_store || !n->mk.store.used) {
		n->mn_has_seq = false;
		n->bound_until = (monotime_t){0};
	}
	n->mn = mn_new(&n->mn_config, &n->mn_env, &n->mn_ops, n);
	if (n->opt.ro && mn_ro_enable(n->mn, &n->ro_config, &n->mn_ro_ops, n, NULL) < 0)
		net_violation(n, "mn_ro_enable() fails");
	n->cn_has_seq = false;
	if (with_store && n->mk.store.used)
		restore(n);
	else
		n->mk.store.used = false;
	for (int i = 0; i < NET_IFS; i++)
		if (n->mk.ifs[i].link != NOWHERE)
			net_mn_tell_link(n, &n->mk.ifs[i], true);
}

void net_stop_mn(struct net *n)
{
	if (n->mn)
		net_say(n, "-- mobile node dies");
	mn_free(n->mn);
	n->mn = NULL;
}

struct mn_info net_mn(const struct net *n)
{
	struct mn_info i = {0};

	if (n->mn)
		mn_info(n->mn, &i);
	return i;
}
