/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrival on the home link (RFC 6275 11.5.5).
 *
 * As long as the home agent holds a binding it answers for the home address.
 * The mobile node therefore cannot use that address to ask for the home
 * agent's link-layer address, which it needs for the de-registration.  As a
 * rule the Router Advertisement has told it.  Otherwise the node asks, from
 * the unspecified address, for its own home address; the home agent's defence
 * of it tells the same.  If nobody defends it, it can be used like any other.
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define RETRANS_TIMER_MS 1000 /* RFC 4861 10 */
#define MAX_MULTICAST_SOLICIT 3
#define MAX_NEIGHBOR_ADVERTISEMENT 3

bool mn_home_ready(const struct mn_link *l)
{
	return !mn_binding_may_live(l->mn) || l->ha_lladdr.len || l->asked;
}

static void send_ns(struct mn_link *l)
{
	struct mn *mn = l->mn;
	const struct in6_addr *home = &mn->config.home_address;
	struct in6_addr group = in6_solicited_node(home);
	struct icmp6_message m = {.type = ICMP6T_NS};

	m.u.ns.target = *home;
	mn_check(mn, mn_send_icmp6(mn, l, &in6addr_any, &group, &m),
		"ask for the home agent's link-layer address");
	l->home_ns_sent++;
}

static void send_na(struct mn_link *l, const struct in6_addr *addr)
{
	struct icmp6_message m = {.type = ICMP6T_NA};

	m.u.na.target = *addr;
	m.u.na.override = true;
	m.u.na.tlla = mn_lladdr(l);
	mn_check(l->mn, mn_send_icmp6(l->mn, l, addr, &in6_all_nodes, &m),
		"send an unsolicited Neighbor Advertisement");
}

/*
 * For the home address, and for the link-local address that the home agent
 * may have defended with it; not while that is optimistic, as this would
 * override somebody else's (RFC 4429 3.3).
 */
static void announce_once(struct mn_link *l)
{
	send_na(l, &l->mn->config.home_address);
	if (!in6_is_any(&l->link_local) && l->link_local_state == MN_ADDR_READY)
		send_na(l, &l->link_local);
}

static void home_timer(struct timer *t, void *arg)
{
	struct mn_link *l = arg;
	monotime_t next = mono_add_ms(mn_now(l->mn), RETRANS_TIMER_MS);

	(void)t;
	if (l->asking) {
		if (l->home_ns_sent < MAX_MULTICAST_SOLICIT) {
			send_ns(l);
			mn_timer(l->mn, &l->home_timer, next);
			return;
		}
		log_info(
			"nobody defends %s on the home link", in6_str(&l->mn->config.home_address));
		l->asking = false;
		l->asked = true;
		mn_path_check(l->mn);
		return;
	}
	if (l->home_na_left == 0)
		return;
	announce_once(l);
	if (--l->home_na_left)
		mn_timer(l->mn, &l->home_timer, next);
}

void mn_home_init(struct mn_link *l)
{
	timer_init(&l->home_timer, home_timer, l);
}

void mn_home_stop(struct mn_link *l)
{
	l->asking = false;
	l->home_na_left = 0;
	timer_stop(l->mn->env->timers, &l->home_timer);
}

void mn_home_announce(struct mn_link *l)
{
	l->asking = false;
	l->home_na_left = MAX_NEIGHBOR_ADVERTISEMENT;
	home_timer(&l->home_timer, l);
}

/*
 * Is the sender our home agent?  With the R flag its global address is there
 * to compare; a home agent that does not set it is believed by its H bit.
 */
static bool from_home_agent(const struct mn *mn, const struct icmp6_ra *ra)
{
	bool any = false;

	for (size_t i = 0; i < ra->n_prefixes; i++) {
		if (!ra->prefixes[i].router_address)
			continue;
		any = true;
		if (in6_equal(&ra->prefixes[i].prefix, &mn->config.home_agent))
			return true;
	}
	return !any && ra->home_agent;
}

void mn_home_advertised(struct mn_link *l, const struct in6_addr *src, const struct icmp6_ra *ra)
{
	(void)src;
	if (!l->home)
		return;
	mn_prefix_at_home(l->mn);
	if (ra->slla.len && from_home_agent(l->mn, ra)) {
		l->ha_lladdr = ra->slla;
		if (l->asking)
			mn_home_stop(l);
	}
	if (!mn_home_ready(l) && !l->asking) {
		l->asking = true;
		l->home_ns_sent = 0;
		home_timer(&l->home_timer, l);
	}
}

void mn_home_na(struct mn_link *l, const struct icmp6_na *na)
{
	if (!l->asking || !na->tlla.len)
		return;
	l->ha_lladdr = na->tlla;
	mn_home_stop(l);
	mn_path_check(l->mn);
}

void mn_home_forget(struct mn *mn)
{
	for (size_t i = 0; i < mn->n_links; i++) {
		mn->links[i].ha_lladdr.len = 0;
		mn->links[i].asked = false;
	}
}
