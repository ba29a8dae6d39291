/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where data goes: the choice among the links, and the ordered list of what
 * is done at a move (RFC 6275 11.5.4, 11.5.5, 11.7.1; requirement M2).
 *
 * The home link wins, then preference, then the link in use.  A move away
 * from home or between links is, in one instant and in this order: the
 * address (done when the advertisement came), the route of the new care-of
 * address, the path of the Binding Update, the tunnel, the Binding Update,
 * and right behind it the data.  What belongs to the old place goes last, and
 * its addresses only when the home agent has answered.
 *
 * Data is held while there is no place to send it from, and between the
 * tunnel and the Binding Update, so that it never overtakes it; with the
 * cautious setting until the acknowledgement.  Every hold ends: with that, or
 * with hold_timer.
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

/* ---- hold ---- */

static void hold_is(struct mn *mn, bool hold)
{
	if (!hold)
		timer_stop(mn->env->timers, &mn->hold_timer);
	else if (!mn->hold || !timer_running(&mn->hold_timer))
		mn_timer(mn, &mn->hold_timer, mono_add_ms(mn_now(mn), mn->config.hold_ms));
	mn->hold = hold;
}

static void tunnel(struct mn *mn, const struct in6_addr *care_of, bool hold)
{
	const struct mn_config *c = &mn->config;

	if ((!mn_has_home_agent(mn) && !c->foreign_tunnel) || mn->prefixes.invalid)
		care_of = NULL; /* a place, but nobody to tunnel to, or nothing to send from */
	mn->tunnel_used = true;
	hold_is(mn, hold);
	mn_check(mn,
		mn->ops->tunnel_set(mn->ops_ctx, &c->home_address, &c->home_agent, care_of, hold),
		"set up the tunnel");
}

/* At home, by the router of the path. */
static void home(struct mn *mn, bool dad, bool hold)
{
	const struct mn_config *c = &mn->config;

	mn->home_link = mn->path.link;
	hold_is(mn, hold);
	mn_check(mn,
		mn->ops->home_set(mn->ops_ctx, &c->home_address, c->home_prefix.plen,
			mn->path.link->ifindex, &mn->path.router, dad, hold),
		"use the home address on the home link");
}

/* Ours always is; one of another daemon if it ends where packets can leave from. */
bool mn_tunnel_usable(struct mn *mn)
{
	if (!mn->config.foreign_tunnel)
		return true;
	for (size_t i = 0; i < mn->n_links; i++) {
		struct mn_link *l = &mn->links[i];
		const struct mn_coa *c = mn_coa_find(l, &mn->tunnel_at);

		if (c && !c->stale && l->state != MN_LINK_DOWN && mn_coa_valid(l, &c->addr))
			return true;
	}
	return false;
}

static void hold_end(struct mn *mn)
{
	if (!mn->hold)
		return;
	switch (mn->path.location) {
	case MN_NOWHERE:
		tunnel(mn, NULL, false);
		break;
	case MN_AWAY:
		tunnel(mn, mn_tunnel_usable(mn) ? &mn->path.care_of : NULL, false);
		break;
	case MN_AT_HOME:
		home(mn, false, false);
		break;
	}
}

/* At home nothing may be sent before the de-registration was (11.5.5). */
static void hold_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	const struct mn_reg *reg = &mn->reg;

	(void)t;
	if (mn->path.location == MN_AT_HOME && reg->state == MN_REG_DEREGISTERING &&
		!reg->delivered)
		mn_timer(mn, &mn->hold_timer, mono_add_ms(mn_now(mn), 1000));
	else
		hold_end(mn);
}

static void sweep_timer(struct timer *t, void *arg)
{
	(void)t;
	mn_coa_sweep(arg);
	mn_path_check(arg);
}

void mn_path_init(struct mn *mn)
{
	timer_init(&mn->hold_timer, hold_timer, mn);
	timer_init(&mn->sweep_timer, sweep_timer, mn);
}

/* ---- routes ---- */

static void route_set(struct mn_link *l, bool primary)
{
	struct mn *mn = l->mn;
	const struct mn_router *r = l->router;
	struct mn_route want = {.set = true,
		.primary = primary,
		.router = r->addr,
		.care_of = l->coa->addr,
		.lladdr = r->lladdr,
		.mtu = r->mtu};
	const struct mn_route *have = &l->route;
	int rc;

	if (have->set && have->primary == primary && have->mtu == want.mtu &&
		in6_equal(&have->router, &want.router) &&
		in6_equal(&have->care_of, &want.care_of) && have->lladdr.len == want.lladdr.len &&
		memcmp(have->lladdr.addr, want.lladdr.addr, want.lladdr.len) == 0)
		return;
	rc = mn->ops->router_set(mn->ops_ctx, l->ifindex, &want.router,
		want.lladdr.len ? want.lladdr.addr : NULL, want.lladdr.len, &want.care_of, want.mtu,
		primary);
	want.set = mn_check(mn, rc, "set the route of a care-of address") >= 0;
	l->route = want;
	/* There is one primary: another that was, though its router is unknown now, is no more. */
	for (size_t i = 0; i < mn->n_links && primary; i++)
		if (&mn->links[i] != l && mn->links[i].route.primary)
			mn->links[i].route.set = false;
}

void mn_route_remove(struct mn_link *l, const struct in6_addr *care_of)
{
	struct mn *mn = l->mn;

	/* Also when another took its place: the kernel has one for each care-of address. */
	mn->ops->router_del(mn->ops_ctx, l->ifindex, care_of);
	if (in6_equal(&l->route.care_of, care_of))
		l->route.set = false;
}

/* The other links stand by. */
static void stand_by(struct mn *mn)
{
	for (size_t i = 0; i < mn->n_links; i++) {
		struct mn_link *l = &mn->links[i];
		bool current = mn->path.location == MN_AWAY && mn->path.link == l;

		if (!current && mn_link_has_router(l) && mn_coa_usable(l))
			route_set(l, false);
	}
}

/* ---- the choice ---- */

static bool candidate(const struct mn_link *l)
{
	if (!mn_link_has_router(l))
		return false;
	return l->home ? mn_home_ready(l) : mn_coa_usable(l);
}

static bool better(const struct mn *mn, const struct mn_link *a, const struct mn_link *b)
{
	if (a->home != b->home)
		return a->home;
	if (a->preference != b->preference)
		return a->preference > b->preference;
	return mn->path.location != MN_NOWHERE && mn->path.link == a;
}

static struct mn_link *best_link(struct mn *mn)
{
	struct mn_link *best = NULL;

	for (size_t i = 0; i < mn->n_links; i++) {
		struct mn_link *l = &mn->links[i];

		if (candidate(l) && (!best || better(mn, l, best)))
			best = l;
	}
	return best;
}

/* ---- moves ---- */

static void announce(struct mn *mn)
{
	if (in6_equal(&mn->announced, &mn->path.care_of))
		return;
	mn->announced = mn->path.care_of;
	mn->moves++;
	mn->stats.moves++;
	mn_emit(mn, (struct mip6_event){.type = EV_MOVED,
			    .care_of = mn->path.care_of,
			    .peer = mn->path.router,
			    .ifindex = mn->path.link->ifindex,
			    .status = -1,
			    .text = mn->path.location == MN_AT_HOME ? "home" : NULL});
}

static void leave_home(struct mn *mn)
{
	struct mn_link *l = mn->home_link;

	if (!l)
		return;
	mn->home_link = NULL;
	mn_home_stop(l);
	mn_check(mn, mn->ops->home_del(mn->ops_ctx, &mn->config.home_address, l->ifindex),
		"take the home address off the home link");
}

static void path_is(
	struct mn *mn, enum mn_location where, struct mn_link *l, const struct in6_addr *care_of)
{
	mn->path.location = where;
	mn->path.link = l;
	mn->path.suspended = false;
	mn->path.care_of = care_of ? *care_of : in6addr_any;
	mn->path.router = l ? l->router->addr : in6addr_any;
}

static void bu_path_set(struct mn *mn)
{
	const struct mn_config *c = &mn->config;

	if (!mn_has_home_agent(mn) || c->foreign_tunnel)
		return;
	mn->bu_path = true;
	mn_check(mn,
		mn->ops->bu_path_set(
			mn->ops_ctx, &c->home_address, &c->home_agent, &mn->path.care_of),
		"set the path of Binding Updates");
}

/* Later than the Binding Update, and once for a home agent: it is for what that one says later. */
static void signal_path(struct mn *mn, bool on)
{
	const struct mn_config *c = &mn->config;

	if (!mn->ops->signal_path || mn->signal_path == on)
		return;
	mn->signal_path = on;
	mn_check(mn, mn->ops->signal_path(mn->ops_ctx, &c->home_address, &c->home_agent, on),
		"change the path of answers to the home agent");
}

/*
 * The other daemon sees the new address and route and moves the tunnel; until
 * it has, the tunnel's packets have a source that is not of this link.  It
 * looks for another path only when the old address is gone.
 */
static void move_foreign(struct mn *mn, struct mn_link *l)
{
	path_is(mn, MN_AWAY, l, &l->coa->addr);
	route_set(l, true);
	tunnel(mn, &mn->path.care_of, mn->config.hold_ms > 0 && !mn_tunnel_usable(mn));
	announce(mn);
	mn_coa_sweep(mn);
}

static void move_away(struct mn *mn, struct mn_link *l)
{
	bool update = mn_reg_needed(mn, &l->coa->addr);

	path_is(mn, MN_AWAY, l, &l->coa->addr);
	route_set(l, true);
	bu_path_set(mn);
	mn_ro_follow(mn);
	tunnel(mn, &mn->path.care_of,
		update || (!mn_has_home_agent(mn) && mn->config.hold_ms > 0));
	announce(mn);
	if (mn->agent.leaving)
		mn_reg_deregister(mn, &mn->path.care_of);
	else if (update)
		mn_reg_register(mn, &mn->path.care_of);
	/* The home agent may look for the home address on its link: it is not here any more. */
	leave_home(mn);
	mn_ro_path_changed(mn);
	mn_discovery_moved(mn);
}

static void bu_path_remove(struct mn *mn)
{
	const struct mn_config *c = &mn->config;

	signal_path(mn, false);
	mn->bu_path = false;
	mn_check(mn, mn->ops->bu_path_del(mn->ops_ctx, &c->home_address, &c->home_agent),
		"remove the path of Binding Updates");
}

static void move_home(struct mn *mn, struct mn_link *l)
{
	const struct mn_config *c = &mn->config;
	bool was_here = mn->home_link == l;

	path_is(mn, MN_AT_HOME, l, &c->home_address);
	mn_discovery_moved(mn);
	mn_ro_withdraw(mn);
	if (!mn_binding_may_live(mn)) {
		/* Nobody defends it, so DAD can run, and should (11.5.5). */
		if (mn->bu_path)
			bu_path_remove(mn);
		home(mn, !was_here, false);
		mn_reg_none(mn);
		announce(mn);
		mn_coa_sweep(mn);
		mn_ro_path_changed(mn);
		return;
	}
	if (l->ha_lladdr.len)
		mn_check(mn,
			mn->ops->neighbour_set(mn->ops_ctx, l->ifindex, &c->home_agent,
				l->ha_lladdr.addr, l->ha_lladdr.len),
			"enter the home agent's link-layer address");
	/* From here on without Home Address option; of a life before a restart, too. */
	bu_path_remove(mn);
	home(mn, false, true);
	announce(mn);
	mn_reg_deregister(mn, &c->home_address);
	mn_ro_path_changed(mn);
}

static void go_nowhere(struct mn *mn)
{
	path_is(mn, MN_NOWHERE, NULL, NULL);
	mn_discovery_moved(mn);
	mn_ro_path_changed(mn);
	tunnel(mn, NULL, mn->config.hold_ms > 0);
	mn_reg_pause(mn);
	leave_home(mn);
}

/*
 * The interface may be on another link.  What still comes in is welcome; what
 * goes out waits for the first Router Advertisement.
 */
static void suspend(struct mn *mn)
{
	if (mn->path.suspended)
		return;
	mn->path.suspended = true;
	mn_ro_path_changed(mn);
	if (mn->config.hold_ms == 0)
		return;
	if (mn->path.location == MN_AWAY)
		tunnel(mn, &mn->path.care_of, true);
	else
		home(mn, false, true);
}

static void no_place(struct mn *mn)
{
	const struct mn_path *p = &mn->path;

	if (p->location == MN_NOWHERE)
		return;
	if (p->link->state == MN_LINK_DOWN ||
		(p->location == MN_AWAY && !mn_coa_valid(p->link, &p->care_of)) ||
		/* Known to be elsewhere, while the new address is not ready yet (11.3.1, 11.5.5). */
		(p->location == MN_AT_HOME && mn_link_has_router(p->link) && !p->link->home))
		go_nowhere(mn);
	else
		suspend(mn);
}

/* Still on the link in use: perhaps by another router. */
static void same_place(struct mn *mn, struct mn_link *l)
{
	bool other = !in6_equal(&mn->path.router, &l->router->addr);

	mn->path.router = l->router->addr;
	if (mn->path.location == MN_AWAY)
		route_set(l, true);
	else if (other)
		home(mn, false, mn->hold);
}

void mn_path_check(struct mn *mn)
{
	struct mn_link *l;
	struct mn_path *p = &mn->path;

	if (mn->stopping)
		return;
	l = best_link(mn);
	if (!l)
		no_place(mn);
	else if (!p->suspended && p->link == l && p->location == (l->home ? MN_AT_HOME : MN_AWAY) &&
		 (l->home || in6_equal(&p->care_of, &l->coa->addr)))
		same_place(mn, l);
	else if (l->home)
		move_home(mn, l);
	else if (mn->config.foreign_tunnel)
		move_foreign(mn, l);
	else
		move_away(mn, l);
	stand_by(mn);
}

void mn_wait(struct mn *mn)
{
	if (mn->path.location == MN_NOWHERE && !mn->stopping && !mn->hold && mn->config.hold_ms > 0)
		tunnel(mn, NULL, true);
}

void mn_path_home_invalid(struct mn *mn)
{
	mn_ro_withdraw(mn);
	if (mn->path.location == MN_AWAY) {
		tunnel(mn, NULL, false);
		mn_reg_none(mn);
	}
}

/* ---- a tunnel that another daemon moves ---- */

void mn_tunnel_moved(struct mn *mn, const struct in6_addr *care_of)
{
	mn->tunnel_at = care_of ? *care_of : in6addr_any;
	if (mn->stopping || mn->path.suspended || mn->path.location != MN_AWAY)
		return;
	if (mn_tunnel_usable(mn))
		tunnel(mn, &mn->path.care_of, false);
	else if (!mn->hold && mn->config.hold_ms > 0)
		tunnel(mn, &mn->path.care_of, true);
}

void mn_tunnel_is(struct mn *mn, const struct in6_addr *inner, const struct in6_addr *gateway)
{
	mn->config.home_address = *inner;
	mn->config.home_agent = *gateway;
}

/* ---- another home agent ---- */

void mn_path_leave(struct mn *mn)
{
	tunnel(mn, &mn->path.care_of, true);
	mn_reg_deregister(mn, &mn->path.care_of);
}

void mn_path_forget_agent(struct mn *mn)
{
	if (mn->bu_path)
		bu_path_remove(mn);
}

void mn_path_new_agent(struct mn *mn)
{
	if (mn->path.location == MN_NOWHERE)
		return; /* the next path is a move */
	if (mn->path.location == MN_AT_HOME) {
		home(mn, false, false);
		return;
	}
	bu_path_set(mn);
	tunnel(mn, &mn->path.care_of, true);
	mn_reg_register(mn, &mn->path.care_of);
}

/* ---- what the registration tells ---- */

void mn_path_bu_sent(struct mn *mn)
{
	bool waits = mn->config.uplink != MN_UPLINK_OPTIMISTIC ||
		     (mn->config.clear_waits && mn->path.location == MN_AT_HOME);

	if (!waits && !mn->path.suspended && !mn->agent.leaving)
		hold_end(mn);
}

void mn_path_answered(struct mn *mn, bool accepted)
{
	if (!mn->path.suspended)
		hold_end(mn);
	if (accepted)
		mn_coa_sweep(mn);
	if (accepted && mn->path.location == MN_AWAY && mn->bu_path)
		signal_path(mn, true);
	mn_ro_registered(mn);
}

/* Everything that was set up, in reverse. */
void mn_path_teardown(struct mn *mn)
{
	const struct mn_config *c = &mn->config;

	mn->hold = false;
	if (mn->tunnel_used)
		mn->ops->tunnel_set(mn->ops_ctx, &c->home_address, &c->home_agent, NULL, false);
	leave_home(mn);
	if (mn->bu_path)
		bu_path_remove(mn);
	for (size_t i = 0; i < mn->n_links; i++)
		for (size_t j = 0; j < MN_MAX_COAS; j++)
			if (mn->links[i].coas[j].used)
				mn_coa_remove(&mn->links[i], &mn->links[i].coas[j]);
	path_is(mn, MN_NOWHERE, NULL, NULL);
}
