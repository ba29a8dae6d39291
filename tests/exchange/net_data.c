/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulated network: data between correspondent and mobile node.  A packet
 * takes the way that the state of both kernels gives it; nothing but that
 * state loses it, so every loss has a reason that can be named.
 */
#include <stdlib.h>

#include "tests/exchange/net_internal.h"

static void lost(struct net *n, size_t number, const char *why)
{
	n->data[number].fate = D_LOST;
	n->data[number].why = why;
	n->data[number].done = n->now;
}

static void delivered(struct net *n, size_t number)
{
	n->data[number].fate = D_DELIVERED;
	n->data[number].done = n->now;
	n->data[number].copies++;
}

static struct net_flight *data_flight(
	struct net *n, size_t number, void (*arrive)(struct net *n, struct net_flight *f))
{
	struct net_flight *f = net_flight_new(n, 0);

	f->number = number;
	f->arrive = arrive;
	return f;
}

static size_t data_new(struct net *n, bool up)
{
	if (n->n_data == n->cap_data) {
		n->cap_data = n->cap_data ? 2 * n->cap_data : 256;
		n->data = realloc(n->data, n->cap_data * sizeof(*n->data));
		if (!n->data)
			abort();
	}
	n->data[n->n_data] = (struct net_data){.up = up, .sent = n->now};
	return n->n_data++;
}

/* ---- directly ---- */

static void direct_at_mn(struct net *n, struct net_flight *f)
{
	if (!net_addr_on_link(n, f->link, &f->outer))
		lost(n, f->number, "nobody has the care-of address that the correspondent knows");
	else if (!n->mk.receive)
		lost(n, f->number, "type 2 routing header from a stranger");
	else
		delivered(n, f->number);
}

static void direct_at_cn(struct net *n, struct net_flight *f)
{
	if (n->ck.bound && in6_equal(&n->ck.care_of, &f->outer)) {
		delivered(n, f->number);
		return;
	}
	lost(n, f->number, "the correspondent does not know the care-of address");
	if (n->cn_core)
		cn_unverified_home_address(n->cn_core, &n->cn, &n->home_address, &f->outer);
}

static void direct(struct net *n, size_t number, const struct in6_addr *care_of, bool up)
{
	struct net_flight *f = data_flight(n, number, up ? direct_at_cn : direct_at_mn);

	f->outer = *care_of;
	f->link = net_link_of(care_of);
	n->data[number].direct = true;
	net_flight_go(n, f, n->paths[f->link].delay_us + net_direct_us(n));
}

size_t net_direct(const struct net *n, bool up)
{
	size_t count = 0;

	for (size_t i = 0; i < n->n_data; i++)
		count += n->data[i].up == up && n->data[i].direct &&
			 n->data[i].fate == D_DELIVERED;
	return count;
}

/* ---- to the mobile node ---- */

static void down_at_care_of(struct net *n, struct net_flight *f)
{
	const struct mn_kernel *k = &n->mk;

	if (!net_addr_on_link(n, f->link, &f->outer))
		lost(n, f->number, "nobody has the care-of address");
	else if (!n->mn || !k->has_tunnel ||
		 !(in6_equal(&f->outer, &k->care_of) || in6_equal(&f->outer, &k->previous)))
		lost(n, f->number, "the care-of address is no tunnel end");
	else
		delivered(n, f->number);
}

static void down_at_home(struct net *n, struct net_flight *f)
{
	if (net_addr_on_link(n, HOME, &n->home_address))
		delivered(n, f->number);
	else
		lost(n, f->number, "nobody has the home address on the home link");
}

static void down_at_ha(struct net *n, struct net_flight *f)
{
	struct net_flight *next = data_flight(n, f->number, down_at_home);

	next->link = HOME;
	if (n->hk.forwarding) {
		next->arrive = down_at_care_of;
		next->outer = n->hk.care_of;
		next->link = net_link_of(&n->hk.care_of);
	}
	if (next->link == NOWHERE) {
		lost(n, f->number, "no way to the care-of address");
		free(next);
		return;
	}
	net_flight_go(n, next,
		n->paths[next->link].delay_us + (n->hk.forwarding ? n->paths[CORE].delay_us : 0));
}

size_t net_data_down(struct net *n)
{
	size_t number = data_new(n, false);

	if (n->ck.bound)
		direct(n, number, &n->ck.care_of, false);
	else
		net_flight_go(n, data_flight(n, number, down_at_ha), net_cn_us(n));
	return number;
}

/* ---- from the mobile node ---- */

static void up_at_cn(struct net *n, struct net_flight *f)
{
	delivered(n, f->number);
}

static void up_at_ha(struct net *n, struct net_flight *f)
{
	/* RFC 6275 10.4.5: only from the care-of address that is registered. */
	if (!n->hk.forwarding || !in6_equal(&n->hk.care_of, &f->outer))
		lost(n, f->number, "home agent does not know the outer source");
	else
		net_flight_go(n, data_flight(n, f->number, up_at_cn), net_cn_us(n));
}

static void up_by_tunnel(struct net *n, size_t number)
{
	const struct in6_addr *care_of = &n->mk.care_of;
	const struct net_route *r = net_route(n, care_of);
	struct net_addr *a = net_addr_find(n, 0, care_of);
	struct in6_addr router;
	struct net_flight *f;
	int link;

	if (in6_is_any(care_of) || !a || !net_addr_usable(a) || !r) {
		lost(n, number, "tunnel without a source or route");
		return;
	}
	link = net_if(n, r->ifindex)->link;
	if (link == NOWHERE) {
		lost(n, number, "the link is gone");
		return;
	}
	router = net_router_link_local(link);
	if (!in6_equal(&r->router, &router) || n->routers[link].dead ||
		net_link_of(care_of) != link) {
		lost(n, number, "the router is not there");
		return;
	}
	/*
	 * Sent, this would be thrown away: it must not overtake the Binding
	 * Update.  That waits for MAX_UPDATE_RATE at most a second; a hold may
	 * end before.
	 */
	if (!n->mk.hold_expired && !in6_equal(care_of, &n->told_care_of))
		net_violation(n, "data leaves from a care-of address before the Binding Update");
	f = data_flight(n, number, up_at_ha);
	f->outer = *care_of;
	net_flight_go(n, f, n->paths[link].delay_us + n->paths[CORE].delay_us);
}

static void up_at_home(struct net *n, size_t number)
{
	const struct net_if *i = net_if(n, n->mk.home_ifindex);
	const struct net_addr *a = net_addr_find(n, n->mk.home_ifindex, &n->home_address);

	if (!a || !net_addr_usable(a)) {
		lost(n, number, "the home address is tentative");
		return;
	}
	if (i->link == NOWHERE) {
		lost(n, number, "the link is gone");
		return;
	}
	if (i->link != HOME) {
		/* A link event alone is no news of a move (11.5.1); with a router's word it is. */
		if (i->knows)
			net_violation(n, "home address without tunnel on a foreign link");
		lost(n, number, "home address on a foreign link");
		return;
	}
	/* 11.5.5: MUST NOT before the de-registration was sent. */
	if (mono_before(n->now, n->bound_until) && !n->dereg_sent)
		net_violation(n, "home address used at home before the de-registration (11.5.5)");
	net_flight_go(n, data_flight(n, number, up_at_cn), n->paths[HOME].delay_us + net_cn_us(n));
}

static void leave(struct net *n, size_t number)
{
	n->data[number].fate = D_UNDERWAY;
	n->data[number].left = n->now;
	if (n->mk.own) {
		const struct net_route *r = net_route(n, &n->mk.own_care_of);

		if (!r || net_if(n, r->ifindex)->link != net_link_of(&n->mk.own_care_of))
			lost(n, number, "directly from a link that was left");
		else
			direct(n, number, &n->mk.own_care_of, true);
		return;
	}
	switch (n->mk.mode) {
	case MODE_NONE:
		lost(n, number, "no place to send from");
		break;
	case MODE_TUNNEL:
		up_by_tunnel(n, number);
		break;
	case MODE_HOME:
		up_at_home(n, number);
		break;
	}
}

size_t net_data_up(struct net *n)
{
	size_t number = data_new(n, true);

	if (n->mk.hold && !n->mk.own)
		n->data[number].fate = D_HELD;
	else
		leave(n, number);
	return number;
}

void net_data_release(struct net *n)
{
	for (; n->first_held < n->n_data; n->first_held++)
		if (n->data[n->first_held].fate == D_HELD)
			leave(n, n->first_held);
}

void net_data_drop(struct net *n)
{
	for (; n->first_held < n->n_data; n->first_held++)
		if (n->data[n->first_held].fate == D_HELD)
			lost(n, n->first_held, "held until there was no hope");
}

struct net_totals net_totals(const struct net *n, bool up)
{
	struct net_totals t = {0};

	for (size_t i = 0; i < n->n_data; i++) {
		const struct net_data *d = &n->data[i];

		if (d->up != up)
			continue;
		t.sent++;
		t.delivered += d->fate == D_DELIVERED;
		t.held += d->fate == D_HELD;
		t.lost += d->fate == D_LOST;
		t.underway += d->fate == D_UNDERWAY;
		t.duplicated += d->copies > 1;
	}
	return t;
}
