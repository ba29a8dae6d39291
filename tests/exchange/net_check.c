/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated network: what RFC 6275 asks to hold at every moment, and what
 * must hold when everything is quiet.
 */
#include <string.h>

#include "tests/exchange/net_internal.h"

#define MAX_FLIGHTS 2000

/* 9.5.1: is a later than b, modulo 2^16? */
static bool later(uint16_t a, uint16_t b)
{
	return (uint16_t)(b - a) > 32768;
}

/* ---- Binding Updates ---- */

/* 11.8: at most MAX_UPDATE_RATE within a second. */
static void check_rate(struct net *n)
{
	unsigned slot = n->n_bu_times % MIP6_MAX_UPDATE_RATE;

	if (n->n_bu_times >= MIP6_MAX_UPDATE_RATE && n->now.us - n->bu_times[slot].us < 1000000)
		net_violation(
			n, "more than %d Binding Updates in a second (11.8)", MIP6_MAX_UPDATE_RATE);
	n->bu_times[slot] = n->now;
	n->n_bu_times++;
}

static void check_registration(struct net *n, const struct net_seen *s)
{
	if (!(s->flags & MIP6_PKT_HAO) || in6_equal(&s->coa, &n->home_address))
		net_violation(n, "registration without Home Address option (11.7.1)");
	if (!s->has_alt_coa || !in6_equal(&s->alt_coa, &s->coa))
		net_violation(n, "registration without Alternate Care-of Address (11.7.1)");
	if (s->lifetime * 4u > n->mn_config.lifetime_s)
		net_violation(n, "lifetime %u is more than configured", s->lifetime * 4u);
}

static void check_deregistration(struct net *n, const struct net_seen *s)
{
	const struct in6_addr *wire = s->flags & MIP6_PKT_HAO ? &s->coa : &s->src;

	if (in6_equal(wire, &n->home_address)) { /* 11.5.5 */
		struct net_addr *a = net_addr_find(n, n->mk.home_ifindex, &n->home_address);

		if (s->has_alt_coa && !in6_equal(&s->alt_coa, &n->home_address))
			net_violation(n, "de-registration for another care-of address");
		if (!a || !net_addr_usable(a))
			net_violation(n, "cannot answer solicitations for the home address");
		if (!n->mk.hold && mono_before(n->now, n->bound_until) && !n->dereg_sent)
			net_violation(n, "no hold before the de-registration (11.5.5)");
	}
}

void net_check_bu(struct net *n, const struct net_seen *s)
{
	check_rate(n);
	if (!in6_equal(&s->src, &n->home_address) ||
		(!in6_equal(&s->dst, &n->ha_config.address) && !in6_equal(&s->dst, &n->other_agent)))
		net_violation(n, "Binding Update between wrong addresses");
	if (!(s->bu_flags & BU_F_A) || !(s->bu_flags & BU_F_H))
		net_violation(n, "home registration with flags %04x (11.7.1)", s->bu_flags);
	if (s->lifetime)
		check_registration(n, s);
	else
		check_deregistration(n, s);
	if (n->mn_has_seq && !later(s->seq, n->mn_seq))
		net_violation(n, "sequence number %u after %u (11.8)", s->seq, n->mn_seq);
	n->mn_has_seq = true;
	n->mn_seq = s->seq;
	n->mk.hold_expired = false;
	n->dereg_sent = !s->lifetime;
	if (s->lifetime)
		n->dereg_acked = false;
	n->told_care_of = s->flags & MIP6_PKT_HAO ? s->coa : s->src;
}

/* ---- to the correspondent ---- */

static const struct net_seen *test_before(const struct net *n, const struct net_seen *s)
{
	for (const struct net_seen *x = s; x-- > n->seen;)
		if (x->kind == s->kind)
			return x;
	return NULL;
}

static void check_cbu(struct net *n, const struct net_seen *s)
{
	struct mh_message m;
	bool home = in6_equal(&s->src, &n->home_address) && !(s->flags & MIP6_PKT_HAO);

	if (mh_parse(s->data, s->len, &m, NULL) != MH_OK ||
		!mh_option(&m, MHOPT_NONCE_INDICES) || !mh_option(&m, MHOPT_AUTH_DATA))
		net_violation(n, "Binding Update to a correspondent without its options (11.7.2)");
	if (s->bu_flags != BU_F_A)
		net_violation(n, "Binding Update to a correspondent with flags %04x", s->bu_flags);
	if (s->lifetime && !n->mk.receive)
		net_violation(n, "Binding Update before its routing header is accepted");
	if (s->lifetime && home)
		net_violation(n, "binding for the home address");
	if (s->lifetime && mono_before(n->bound_until, mono_add_s(n->now, s->lifetime * 4)))
		net_violation(n, "a correspondent's lifetime beyond the home registration");
	if (s->lifetime * 4 > 420)
		net_violation(n, "more than MAX_RR_BINDING_LIFETIME");
	if (n->cn_has_seq && !later(s->seq, n->cn_seq))
		net_violation(n, "sequence number %u after %u (11.7.2)", s->seq, n->cn_seq);
	n->cn_has_seq = true;
	n->cn_seq = s->seq;
}

/* 11.8: at most MAX_UPDATE_RATE of a type within a second. */
static void check_ro_rate(struct net *n, const struct net_seen *s)
{
	unsigned count = 0;

	for (const struct net_seen *x = s; x >= n->seen; x--)
		if (x->kind == s->kind && x->link == s->link)
			count += n->now.us - x->when.us < 1000000;
	if (count > MIP6_MAX_UPDATE_RATE)
		net_violation(n, "%u %s in a second (11.8)", count, net_kind_name(s->kind));
}

void net_check_ro(struct net *n, const struct net_seen *s)
{
	const struct net_seen *before = test_before(n, s);

	check_ro_rate(n, s);
	if (s->kind == K_CBU) {
		check_cbu(n, s);
		return;
	}
	if (s->kind == K_HOTI && (!in6_equal(&s->src, &n->home_address) || s->flags))
		net_violation(n, "HoTI is not as in 6.1.3");
	if (s->kind == K_COTI && (in6_equal(&s->src, &n->home_address) || s->flags))
		net_violation(n, "CoTI is not as in 6.1.4");
	if (before && s->len == before->len && memcmp(s->data, before->data, s->len) == 0)
		net_violation(n, "the cookie of a test is used again (11.8)");
}

/* ---- Binding Acknowledgements ---- */

/* The last one with that number; of a life before a restart nothing is known any more. */
static const struct net_seen *update_of(const struct net *n, uint16_t seq, size_t since)
{
	for (size_t i = n->n_seen; i-- > since;)
		if (n->seen[i].kind == K_BU && n->seen[i].seq == seq)
			return &n->seen[i];
	return NULL;
}

static const struct net_seen *last_update(const struct net *n)
{
	for (size_t i = n->n_seen; i-- > 0;)
		if (n->seen[i].kind == K_BU)
			return &n->seen[i];
	return NULL;
}

/* As it leaves the home agent (9.5.4, 10.3.1). */
void net_check_ba(struct net *n, const struct net_seen *s)
{
	const struct net_seen *bu = update_of(n, s->seq, 0);
	bool away = s->flags & MIP6_PKT_RH2;

	if (!in6_equal(&s->src, &n->ha_config.address))
		net_violation(n, "acknowledgement from a wrong address");
	if (away && in6_equal(&s->coa, &s->dst))
		net_violation(n, "routing header to where the packet goes anyway (9.5.4)");
	if (s->status >= 128)
		return;
	/* Numbers of two lives of a mobile node without store may happen to be the same. */
	if (bu && s->lifetime > bu->lifetime && in6_equal(&bu->coa, &s->coa))
		net_violation(n, "more lifetime granted than asked for (10.3.1)");
	if (n->ha_config.max_lifetime_s && s->lifetime * 4u > n->ha_config.max_lifetime_s)
		net_violation(n, "more lifetime granted than allowed");
	if (n->ha_has_seq && !later(s->seq, n->ha_seq))
		net_violation(n, "home agent accepted %u after %u (9.5.1)", s->seq, n->ha_seq);
	n->ha_has_seq = true;
	n->ha_seq = s->seq;
}

static bool same_request(const struct net_seen *a, const struct net_seen *b)
{
	return !a->lifetime == !b->lifetime && in6_equal(&a->coa, &b->coa) &&
	       (a->flags & MIP6_PKT_HAO) == (b->flags & MIP6_PKT_HAO);
}

/* It reached the mobile node: what does that node know from now on? */
void net_ba_reached(struct net *n, const struct mip6_packet *p)
{
	const struct net_seen *bu, *last;
	struct mh_message m;

	if (mh_parse(p->data, p->len, &m, NULL) != MH_OK || m.type != MH_BA)
		return;
	if (m.u.ba.status == BA_SEQUENCE) {
		n->mn_has_seq = false; /* 11.7.3: the home agent's number is the right one */
		return;
	}
	bu = update_of(n, m.u.ba.seq, n->mn_started);
	last = last_update(n);
	if (!bu || !same_request(bu, last))
		return;
	if (m.u.ba.status == BA_DAD_FAILED)
		n->bound_until = (monotime_t){0};
	if (m.u.ba.status >= 128 && (bu->lifetime || m.u.ba.status != BA_NOT_HOME_AGENT))
		return;
	if (bu->lifetime) {
		n->bound_until = mono_add_s(bu->when, m.u.ba.lifetime * 4);
	} else {
		n->bound_until = (monotime_t){0};
		/* 133 promises nothing: a home agent that forgot may accept an old update. */
		n->dereg_acked = m.u.ba.status == BA_ACCEPTED;
	}
}

/* ---- Neighbor Discovery of the mobile node ---- */

void net_check_nd(struct net *n, const struct net_seen *s, const struct mip6_packet *p)
{
	const struct net_if *i = net_if(n, s->ifindex);
	bool optimistic = i->link_local_state != MN_ADDR_READY;

	if (p->hop_limit != ND_HOP_LIMIT)
		net_violation(n, "%s with hop limit %u", net_kind_name(s->kind), p->hop_limit);
	if ((s->kind == K_RS || s->kind == K_NS) && s->lladdr.len &&
		(in6_is_any(&s->src) || (IN6_IS_ADDR_LINKLOCAL(&s->src) && optimistic)))
		net_violation(n, "%s tells the link-layer address too early (RFC 4429 3.2)",
			net_kind_name(s->kind));
	if (s->kind == K_NS && in6_equal(&s->src, &n->home_address) && n->hk.forwarding)
		net_violation(n, "solicitation from the home address (11.5.5)");
	if (s->kind != K_NA)
		return;
	/* 11.5.5 */
	if (!in6_equal(&s->dst, &in6_all_nodes) || s->solicited || !s->override || !s->lladdr.len)
		net_violation(n, "unsolicited advertisement is not as 11.5.5 wants it");
	if (in6_equal(&s->target, &n->home_address) && mono_before(n->now, n->bound_until))
		net_violation(n, "home address advertised before the acknowledgement (11.5.5)");
}

/* ---- at every moment ---- */

static void check_ha(struct net *n)
{
	const struct ha_kernel *k = &n->hk;
	bool proxy = net_has_proxy(n, &n->home_address), expected;
	struct ha_binding_info b;

	if (!net_ha_binding(n, &b)) {
		n->ha_has_seq = false;
		if (n->ha && (k->forwarding || k->n_proxies || k->n_listening))
			net_violation(n, "no binding, but forwarding, proxy or DAD");
		return;
	}
	switch (b.state) {
	case HA_BINDING_DAD:
		if (proxy || (k->forwarding && !n->ha_config.optimistic) || !k->n_listening)
			net_violation(n, "home agent acts before DAD is over (10.3.1)");
		break;
	case HA_BINDING_ACTIVE:
		expected = n->ha_config.home_ifindex;
		if (!k->forwarding || !in6_equal(&k->care_of, &b.care_of) || proxy != expected)
			net_violation(n, "binding, forwarding and proxy do not agree (10.4)");
		break;
	case HA_BINDING_INVALID:
		if (k->forwarding || k->n_proxies || k->n_listening)
			net_violation(n, "still intercepting after de-registration (10.3.2)");
		break;
	}
}

static void check_mn(struct net *n)
{
	const struct mn_kernel *k = &n->mk;
	int64_t held_ms = k->hold ? mono_diff_ms(n->now, k->hold_since_mode) : 0;

	if (!n->mn)
		return;
	/*
	 * At home it lasts until the de-registration could be sent, which is
	 * looked at each second; a node that leaves home meanwhile takes the
	 * rest of that second along.
	 */
	if (k->mode != MODE_HOME && held_ms > (int64_t)n->mn_config.hold_ms + 1001)
		net_violation(n, "held for longer than configured");
	if (n->dereg_acked && net_has_proxy(n, &n->home_address) && n->ha)
		net_violation(n, "home agent is proxy after it acknowledged the de-registration");
}

void net_check(struct net *n)
{
	check_ha(n);
	check_mn(n);
	if (n->n_flights > MAX_FLIGHTS)
		net_violation(n, "more than %d packets under way", MAX_FLIGHTS);
}

/* ---- in the end ---- */

static bool reachable(const struct net *n, const struct net_if *i)
{
	return i->link != NOWHERE && !n->routers[i->link].dead;
}

int net_best_interface(const struct net *n)
{
	int best = 0, best_rank = -1;

	for (size_t k = 0; k < n->mn_config.n_interfaces; k++) {
		const struct mn_interface_config *c = &n->mn_config.interfaces[k];
		const struct net_if *i = net_if((struct net *)n, c->ifindex);
		int rank = c->preference + (i->link == HOME ? 1000 : 0);

		if (reachable(n, i) && rank > best_rank) {
			best = c->ifindex;
			best_rank = rank;
		}
	}
	return best;
}

static const char *disagreement_home(const struct net *n, int ifindex)
{
	struct mn_info m = net_mn(n);
	struct ha_binding_info b;

	if (m.location != MN_AT_HOME)
		return "mobile node is at home and does not know it";
	if (n->mk.mode != MODE_HOME || n->mk.home_ifindex != ifindex || m.ifindex != ifindex)
		return "home address is not on the home link";
	if (m.registration != MN_REG_NONE)
		return "mobile node still registers at home";
	if (net_ha_binding(n, &b) && b.state != HA_BINDING_INVALID)
		return "home agent has a binding of a node that is at home";
	if (!net_addr_on_link(n, HOME, &n->home_address))
		return "home address is not usable";
	if (n->hk.forwarding || n->hk.n_proxies)
		return "home agent intercepts for a node that is at home";
	return NULL;
}

static const char *disagreement_away(const struct net *n, int ifindex)
{
	const struct net_if *i = net_if((struct net *)n, ifindex);
	struct mn_info m = net_mn(n);
	const struct net_route *r = net_route(n, &m.care_of);
	struct in6_addr router = net_router_link_local(i->link);
	struct ha_binding_info b;

	if (m.location != MN_AWAY || m.ifindex != ifindex || net_link_of(&m.care_of) != i->link)
		return "mobile node does not use its best link";
	if (!net_addr_on_link(n, i->link, &m.care_of))
		return "care-of address is not usable";
	if (m.registration != MN_REG_REGISTERED && m.registration != MN_REG_REFRESHING)
		return "mobile node is not registered";
	if (!net_ha_binding(n, &b) || b.state != HA_BINDING_ACTIVE)
		return "home agent has no binding";
	if (!in6_equal(&b.care_of, &m.care_of) || !in6_equal(&n->hk.care_of, &m.care_of))
		return "home agent has another care-of address";
	if (n->mk.mode != MODE_TUNNEL || !in6_equal(&n->mk.care_of, &m.care_of))
		return "tunnel has another care-of address";
	if (!r || !r->primary || !in6_equal(&r->router, &router) || r->ifindex != ifindex)
		return "route does not lead to the router of the link";
	if (!n->mk.has_bu_path || !in6_equal(&n->mk.bu_care_of, &m.care_of))
		return "Binding Updates have another path";
	if (n->mk.home_ifindex)
		return "home address is on an interface while away";
	if (n->ha_config.home_ifindex && !net_has_proxy(n, &n->home_address))
		return "home agent is no proxy";
	return NULL;
}

const char *net_disagreement(const struct net *n)
{
	int ifindex = net_best_interface(n);

	if (!ifindex)
		return "mobile node has no link";
	if (!n->ha || !n->mn)
		return "one of them is down";
	if (n->mk.hold)
		return "something is held";
	return net_if((struct net *)n, ifindex)->link == HOME ? disagreement_home(n, ifindex)
							      : disagreement_away(n, ifindex);
}
