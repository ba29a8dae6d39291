/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Home Agent Switch message at the mobile node (RFC 5142 6).
 *
 * It is believed when it comes from the home agent in use, as a Binding
 * Acknowledgement would (mn_mh.c).  The others in its list are tried in their
 * order, those with the home prefix first (6.2), and the one that sent the
 * message last, so that a list that serves nobody does not end the service.
 * 6.1 lets a node with a Binding Refresh Advice stay for a while; this one
 * goes at once.
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

static bool listed(const struct mn_switch *s, const struct in6_addr *a)
{
	for (size_t i = 0; i < s->n; i++)
		if (in6_equal(&s->candidates[i], a))
			return true;
	return false;
}

static bool usable(const struct mn *mn, const struct in6_addr *a)
{
	return in6_is_routable_unicast(a) && !in6_equal(a, &mn->config.home_address) &&
	       !in6_equal(a, &mn->config.home_agent);
}

/* Those that have the home prefix, or those that do not. */
static void take(struct mn *mn, const struct mh_message *m, bool home)
{
	const struct ip6_prefix *p = &mn->config.home_prefix;
	struct mn_switch *s = &mn->switching;
	struct in6_addr a;

	for (size_t i = 0; i < m->u.ha_switch.count && s->n < MN_SWITCH_CANDIDATES; i++) {
		memcpy(&a, m->u.ha_switch.addrs + i * sizeof(a), sizeof(a));
		if (in6_in_prefix(&a, &p->addr, p->plen) == home && usable(mn, &a) &&
			!listed(s, &a))
			s->candidates[s->n++] = a;
	}
}

void mn_switch_received(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	struct mn_switch *s = &mn->switching;

	mn->stats.switch_received++;
	if (mn->stopping || mn->agent.leaving || mn->path.location != MN_AWAY ||
		mn->reg.state == MN_REG_NONE)
		return;
	*s = (struct mn_switch){0};
	take(mn, m, true);
	take(mn, m, false);
	mn_emit(mn, (struct mip6_event){.type = EV_SWITCH_RECEIVED, .peer = p->src, .status = -1});
	if (!s->n) {
		if (!mn_discovery_leave(mn) && mn_may_log(mn))
			log_warning(
				"home agent %s wants to be left and names no other; it stays in "
				"use as long as it answers",
				in6_str(&p->src));
		return;
	}
	log_notice("home agent %s wants to be left for %s", in6_str(&p->src),
		in6_str(&s->candidates[0]));
	if (s->n < MN_SWITCH_CANDIDATES)
		s->candidates[s->n++] = mn->config.home_agent;
	s->at = 1;
	mn_change_home_agent(mn, &s->candidates[0], true);
}

bool mn_switch_next(struct mn *mn)
{
	struct mn_switch *s = &mn->switching;

	if (mn->agent.leaving || s->at >= s->n)
		return false;
	mn_change_home_agent(mn, &s->candidates[s->at++], false);
	return true;
}

void mn_switch_done(struct mn *mn)
{
	mn->switching.n = mn->switching.at = 0;
}
