/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Home Agents List (RFC 6275 10.1, 10.5.1): the other home agents of the
 * home link, from their Router Advertisements, by link-local address.  Our
 * own entry is not in the list; it comes from the configuration and never
 * expires.
 *
 * Who stands on the home link can fill the list, so it is bounded; a stranger
 * elsewhere cannot get past the hop limit of 255.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha_internal.h"

static void forget(struct ha *ha, struct ha_agent *a)
{
	for (size_t i = 0; i < ha->n_agents; i++)
		if (ha->agents[i] == a)
			ha->agents[i--] = ha->agents[--ha->n_agents];
	timer_stop(ha->env->timers, &a->expiry);
	free(a);
}

static void expire(struct timer *t, void *arg)
{
	struct ha_agent *a = arg;

	(void)t;
	forget(a->ha, a);
}

static struct ha_agent *find(struct ha *ha, const struct in6_addr *link_local)
{
	for (size_t i = 0; i < ha->n_agents; i++)
		if (in6_equal(&ha->agents[i]->link_local, link_local))
			return ha->agents[i];
	return NULL;
}

static struct ha_agent *add(struct ha *ha, const struct in6_addr *link_local)
{
	struct ha_agent *a;

	if (ha->n_agents == HA_MAX_AGENTS)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->ha = ha;
	a->link_local = *link_local;
	timer_init(&a->expiry, expire, a);
	if (timer_start(ha->env->timers, &a->expiry, MONOTIME_NEVER) < 0) {
		free(a);
		return NULL;
	}
	ha->agents[ha->n_agents++] = a;
	return a;
}

static bool names_us(const struct ha *ha, const struct icmp6_ra *ra)
{
	for (size_t i = 0; i < ra->n_prefixes; i++)
		if (ra->prefixes[i].router_address &&
			in6_equal(&ra->prefixes[i].prefix, &ha->config.address))
			return true;
	return false;
}

static void note_address(struct ha_agent *a, const struct nd_prefix *p)
{
	size_t i = 0;

	while (i < a->n_addrs && !in6_equal(&a->addrs[i], &p->prefix))
		i++;
	if (i < a->n_addrs && !p->valid_s)
		a->addrs[i] = a->addrs[--a->n_addrs];
	else if (i == a->n_addrs && p->valid_s && i < HA_AGENT_MAX_ADDRS)
		a->addrs[a->n_addrs++] = p->prefix;
}

static void update(struct ha *ha, struct ha_agent *a, const struct icmp6_ra *ra, uint16_t lifetime_s)
{
	a->preference = ra->has_ha_info ? ra->ha_preference : 0;
	a->mobile_routers = ra->has_ha_info && ra->ha_mobile_router;
	timer_start(ha->env->timers, &a->expiry, mono_add_s(ha_now(ha), lifetime_s));
	for (size_t i = 0; i < ra->n_prefixes; i++)
		if (ra->prefixes[i].router_address &&
			in6_is_routable_unicast(&ra->prefixes[i].prefix))
			note_address(a, &ra->prefixes[i]);
}

void ha_router_advertisement(struct ha *ha, const struct mip6_packet *p)
{
	struct icmp6_message m;
	struct ha_agent *a;
	uint16_t lifetime_s;

	if (!ha->config.home_ifindex || p->ifindex != ha->config.home_ifindex ||
		p->hop_limit != HA_ND_HOP_LIMIT || !IN6_IS_ADDR_LINKLOCAL(&p->src) ||
		!icmp6_parse(p->data, p->len, &m))
		return;
	/* A router daemon on this host: we know ourselves better. */
	if (names_us(ha, &m.u.ra))
		return;
	a = find(ha, &p->src);
	lifetime_s = m.u.ra.has_ha_info ? m.u.ra.ha_lifetime_s : m.u.ra.lifetime_s;
	if (!m.u.ra.home_agent || !lifetime_s) {
		if (a)
			forget(ha, a);
		return;
	}
	if (!a)
		a = add(ha, &p->src);
	if (a)
		update(ha, a, &m.u.ra, lifetime_s);
}

void ha_list_end(struct ha *ha)
{
	while (ha->n_agents)
		forget(ha, ha->agents[0]);
}

void ha_foreach_agent(struct ha *ha, bool (*fn)(void *arg, const struct ha_agent_info *i), void *arg)
{
	struct ha_agent_info i = {.own = true,
		.preference = ha->config.preference,
		.lifetime_s = UINT32_MAX,
		.mobile_routers = ha->config.n_networks != 0,
		.n_addrs = 1,
		.addrs = &ha->config.address};

	if (!fn(arg, &i))
		return;
	for (size_t k = 0; k < ha->n_agents; k++) {
		const struct ha_agent *a = ha->agents[k];
		int64_t left = mono_diff_s(a->expiry.when, ha_now(ha));

		i = (struct ha_agent_info){.link_local = a->link_local,
			.preference = a->preference,
			.lifetime_s = left > 0 ? (uint32_t)left : 0,
			.mobile_routers = a->mobile_routers,
			.n_addrs = a->n_addrs,
			.addrs = a->addrs};
		if (!fn(arg, &i))
			return;
	}
}
