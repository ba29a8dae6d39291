/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routers of a link, as their advertisements show them (RFC 4861 6.3.4), and
 * the choice of the one to use (RFC 6275 11.5.1).
 *
 * After a link event the first advertisement decides: with the prefix of the
 * care-of address it is the same link, otherwise a move.  Without such an event a router
 * with other prefixes is no proof of anything: the current one is asked
 * whether it is still there and stays in use as long as it answers, unless
 * the configuration says `eager`.  The home link wins in any case.
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define MISSED_RAS 3 /* Advertisement Intervals without a sign of life before the router is asked */
#define RECENTLY_MS 1000

static monotime_t until(monotime_t now, uint32_t s)
{
	return s == UINT32_MAX ? MONOTIME_NEVER : mono_add_s(now, s);
}

struct mn_router *mn_router_find(struct mn_link *l, const struct in6_addr *addr)
{
	for (size_t i = 0; i < MN_MAX_ROUTERS; i++)
		if (l->routers[i].used && in6_equal(&l->routers[i].addr, addr))
			return &l->routers[i];
	return NULL;
}

void mn_routers_forget(struct mn_link *l)
{
	memset(l->routers, 0, sizeof(l->routers));
	l->router = NULL;
	l->home = false;
}

/* A free place, or that of the one not heard for the longest time. */
static struct mn_router *router_new(struct mn_link *l, const struct in6_addr *addr)
{
	struct mn_router *r = NULL;

	for (size_t i = 0; i < MN_MAX_ROUTERS; i++) {
		struct mn_router *o = &l->routers[i];

		if (o == l->router)
			continue;
		if (!o->used) {
			r = o;
			break;
		}
		if (!r || mono_before(o->heard, r->heard))
			r = o;
	}
	memset(r, 0, sizeof(*r));
	r->used = true;
	r->addr = *addr;
	return r;
}

/* The advertised prefix that addr belongs to. */
const struct mn_prefix *mn_router_prefix(const struct mn_router *r, const struct in6_addr *addr)
{
	for (size_t i = 0; i < r->n_prefixes; i++) {
		const struct mn_prefix *p = &r->prefixes[i];

		if (p->autonomous && in6_in_prefix(addr, &p->prefix.addr, p->prefix.plen))
			return p;
	}
	return NULL;
}

static bool router_is_home(const struct mn_link *l, const struct mn_router *r)
{
	const struct ip6_prefix *home = &l->mn->config.home_prefix;

	for (size_t i = 0; i < r->n_prefixes; i++) {
		const struct mn_prefix *p = &r->prefixes[i];

		/* RFC 6275 11.5.2; "again on-link", 11.5.5 */
		if (p->on_link && p->prefix.plen == home->plen &&
			in6_equal(&p->prefix.addr, &home->addr))
			return true;
	}
	return false;
}

static bool same_router_address(const struct mn_router *r, const struct icmp6_ra *ra)
{
	for (size_t i = 0; i < ra->n_prefixes; i++)
		for (size_t j = 0; ra->prefixes[i].router_address && j < r->n_prefixes; j++)
			if (r->prefixes[j].has_router_address &&
				in6_equal(&r->prefixes[j].router_address, &ra->prefixes[i].prefix))
				return true;
	return false;
}

static bool has_router_address(const struct mn_router *r, const struct icmp6_ra *ra)
{
	bool there = false, here = false;

	for (size_t i = 0; i < r->n_prefixes; i++)
		there |= r->prefixes[i].has_router_address;
	for (size_t i = 0; i < ra->n_prefixes; i++)
		here |= ra->prefixes[i].router_address;
	return there && here;
}

/*
 * Link-local addresses of routers are not unique beyond a link (RFC 6275
 * 11.5.1): is this another router that happens to have the same?  Yes when it
 * has none of the prefixes that we know of, and another global address or
 * link-layer address.  On one link two could not share the link-local address, so this is
 * proof of a move.
 */
static bool is_namesake(const struct mn_router *r, const struct icmp6_ra *ra)
{
	if (ra->n_prefixes == 0)
		return false;
	for (size_t i = 0; i < ra->n_prefixes; i++) {
		const struct nd_prefix *n = &ra->prefixes[i];
		struct in6_addr prefix = in6_mask(&n->prefix, n->plen);

		for (size_t j = 0; j < r->n_prefixes; j++)
			if (r->prefixes[j].prefix.plen == n->plen &&
				in6_equal(&r->prefixes[j].prefix.addr, &prefix))
				return false;
	}
	if (has_router_address(r, ra))
		return !same_router_address(r, ra);
	return r->lladdr.len && ra->slla.len &&
	       (r->lladdr.len != ra->slla.len ||
		       memcmp(r->lladdr.addr, ra->slla.addr, ra->slla.len) != 0);
}

static void prefix_remove(struct mn_router *r, struct mn_prefix *p)
{
	*p = r->prefixes[--r->n_prefixes];
}

static void prefix_update(struct mn_router *r, const struct nd_prefix *n, monotime_t now)
{
	struct in6_addr prefix = in6_mask(&n->prefix, n->plen);
	struct mn_prefix *p = NULL;

	/* RFC 4862 5.5.3 b, c; RFC 4861 6.3.4 */
	if (IN6_IS_ADDR_LINKLOCAL(&prefix) || n->preferred_s > n->valid_s)
		return;
	for (size_t i = 0; i < r->n_prefixes && !p; i++)
		if (r->prefixes[i].prefix.plen == n->plen &&
			in6_equal(&r->prefixes[i].prefix.addr, &prefix))
			p = &r->prefixes[i];
	if (n->valid_s == 0) {
		if (p)
			prefix_remove(r, p);
		return;
	}
	if (!p) {
		if (r->n_prefixes == ND_MAX_PREFIXES)
			return;
		p = &r->prefixes[r->n_prefixes++];
		memset(p, 0, sizeof(*p));
		p->prefix.addr = prefix;
		p->prefix.plen = n->plen;
	}
	p->on_link = n->on_link;
	/* Interface identifiers have 64 bits: only /64 gives an address (RFC 4862 5.5.3 d). */
	p->autonomous = n->autonomous && n->plen == 64 && in6_is_routable_unicast(&prefix);
	p->has_router_address = n->router_address;
	if (n->router_address)
		p->router_address = n->prefix;
	p->preferred_until = until(now, n->preferred_s);
	p->valid_until = until(now, n->valid_s);
}

static void router_update(struct mn_router *r, const struct icmp6_ra *ra, monotime_t now)
{
	r->expires = mono_add_s(now, ra->lifetime_s);
	r->heard = now;
	r->preference = ra->preference;
	if (ra->slla.len)
		r->lladdr = ra->slla;
	if (ra->mtu >= 1280) /* RFC 8200 5: nothing smaller makes sense */
		r->mtu = ra->mtu;
	if (ra->retrans_ms)
		r->retrans_ms = ra->retrans_ms;
	r->adv_interval_ms = ra->adv_interval_ms;
	for (size_t i = r->n_prefixes; i-- > 0;)
		if (!mono_before(now, r->prefixes[i].valid_until))
			prefix_remove(r, &r->prefixes[i]);
	for (size_t i = 0; i < ra->n_prefixes; i++)
		prefix_update(r, &ra->prefixes[i], now);
}

monotime_t mn_ra_deadline(const struct mn_link *l)
{
	if (!l->router || !l->router->adv_interval_ms)
		return MONOTIME_NEVER;
	return mono_add_ms(l->router->heard, (int64_t)l->router->adv_interval_ms * MISSED_RAS);
}

/* Use r from now on.  It may be the current one with news. */
static void adopt(struct mn_link *l, struct mn_router *r)
{
	struct mn *mn = l->mn;
	bool was_fresh = l->fresh, other = l->router != r;
	bool was_home = l->home;
	struct mn_coa *before = l->coa;

	l->router = r;
	l->home = router_is_home(l, r);
	mn_coa_select(l);
	/* A move without a link event: the link-local address is new there, too (11.5.1). */
	if (!l->dad_started && other && before != l->coa && (before || was_home))
		l->renew_link_local = true;
	l->dad_started = false;
	if (was_fresh && before && before == l->coa)
		l->doubtful_until = mono_add_ms(mn_now(mn), mn->config.solicit_interval_ms);
	l->fresh = false;
	mn_link_fsm(l, LINK_E_ROUTER);
	if (other)
		mn_emit(mn, (struct mip6_event){.type = EV_ROUTER,
				    .peer = r->addr,
				    .ifindex = l->ifindex,
				    .status = -1,
				    .text = l->home ? "home link" : NULL});
	mn_life_start(l);
}

static bool expired(const struct mn_router *r, monotime_t now)
{
	return !mono_before(now, r->expires);
}

/* Has r what the current care-of address (or the home address) needs? */
static bool serves(const struct mn_link *l, const struct mn_router *r)
{
	if (l->home)
		return router_is_home(l, r);
	return l->coa && mn_router_prefix(r, &l->coa->addr);
}

static bool better(const struct mn_link *l, const struct mn_router *a, const struct mn_router *b)
{
	if (serves(l, a) != serves(l, b))
		return serves(l, a);
	if (a->preference != b->preference)
		return a->preference > b->preference;
	return mono_before(b->heard, a->heard);
}

/* The best of the others: one that keeps the care-of address, then the preferred, then the last heard. */
static struct mn_router *alternative(struct mn_link *l, const struct mn_router * not )
{
	struct mn_router *best = NULL;
	monotime_t now = mn_now(l->mn);

	for (size_t i = 0; i < MN_MAX_ROUTERS; i++) {
		struct mn_router *r = &l->routers[i];

		if (!r->used || r == not || expired(r, now))
			continue;
		if (!best || better(l, r, best))
			best = r;
	}
	return best;
}

void mn_router_lost(struct mn_link *l)
{
	struct mn_router *next;

	if (!l->router)
		return;
	if (mn_may_log(l->mn))
		log_info("interface %d: router %s is gone", l->ifindex, in6_str(&l->router->addr));
	next = alternative(l, l->router);
	l->router->used = false;
	if (!next) {
		mn_link_fsm(l, LINK_E_LOST);
		return;
	}
	adopt(l, next);
	mn_path_check(l->mn);
	mn_link_local_verdict(l);
	/* It was only heard: is it there as well? */
	if (mono_diff_ms(mn_now(l->mn), next->heard) > RECENTLY_MS)
		mn_link_fsm(l, LINK_E_DOUBT);
}

/*
 * An advertisement that came before the link event may be read after it, and
 * then confirms the link that was just left.  So when the first one after an
 * event says "same link" and, within the time of a solicitation, another
 * says something else, the other is believed at once.
 */
static void consider(struct mn_link *l, struct mn_router *r, bool is_new)
{
	struct mn *mn = l->mn;
	monotime_t now = mn_now(mn);

	if (!l->router || r == l->router) {
		adopt(l, r);
	} else if (!l->home && router_is_home(l, r)) {
		adopt(l, r);
	} else if (serves(l, r)) {
		return; /* same link, a spare router */
	} else if (mono_before(now, l->doubtful_until) || (mn->config.eager && !l->home)) {
		l->dad_started |= mono_before(now, l->doubtful_until);
		l->doubtful_until = MN_PAST;
		l->fresh = true; /* care-of addresses of the other link go */
		adopt(l, r);
	} else if (is_new || mono_diff_ms(now, l->router->heard) > RECENTLY_MS) {
		mn_link_fsm(l, LINK_E_DOUBT);
	}
}

static void no_default_router(struct mn_link *l, struct mn_router *r)
{
	if (!r)
		return;
	if (r == l->router)
		mn_router_lost(l);
	else
		r->used = false;
}

void mn_router_advertised(struct mn_link *l, const struct in6_addr *src, const struct icmp6_ra *ra)
{
	struct mn_router *r = mn_router_find(l, src);
	bool is_new;

	if (ra->lifetime_s == 0) {
		mn_home_advertised(l, src, ra);
		no_default_router(l, r);
		mn_path_check(l->mn);
		return;
	}
	if (r && is_namesake(r, ra)) {
		if (r == l->router) {
			mn_routers_forget(l);
			mn_home_stop(l);
			l->ha_lladdr.len = 0;
			l->asked = false;
			l->fresh = true;
			l->renew_link_local = true;
		}
		r->used = false;
		r = NULL;
	}
	is_new = !r;
	if (!r)
		r = router_new(l, src);
	router_update(r, ra, mn_now(l->mn));
	consider(l, r, is_new);
	mn_home_advertised(l, src, ra);
	mn_path_check(l->mn);
	mn_link_local_verdict(l);
}
