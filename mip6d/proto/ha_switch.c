/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Home Agent Switch messages (RFC 5142 5): a mobile node is asked to leave
 * for another home agent, again and again until it deletes its binding (5.2).
 * Meanwhile it is served, but its binding is not made longer (5.3); after a
 * move it is served at the new care-of address for what is left.
 *
 * Many nodes are asked one after the other, at a bounded rate (7).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/ha_internal.h"

/* 8 */
#define INITIAL_HA_SWITCH_TIMEOUT_MS 5000
#define MAX_HA_SWITCH_TIMEOUT_MS 20000

struct ha_switch {
	struct ha_binding *binding;
	struct timer timer;
	int64_t timeout_ms;
	bool unsupported;
	uint8_t n;
	struct in6_addr addresses[]; /* n of them */
};

/* All the bindings there were when it began; each is looked up when it is its turn. */
struct ha_switch_all {
	struct ha *ha;
	struct timer timer;
	size_t n, at;
	struct in6_addr *home_addresses;
	uint8_t n_addresses;
	struct in6_addr addresses[HA_SWITCH_MAX_ADDRESSES];
};

static void transmit(struct ha *ha, struct ha_switch *s, const char *text)
{
	struct ha_binding *b = s->binding;
	struct mh_message m = {.type = MH_HA_SWITCH};

	m.u.ha_switch.count = s->n;
	m.u.ha_switch.addrs = (const uint8_t *)s->addresses;
	ha->stats.switches_sent++;
	ha_send_signal(ha, &b->node.addr, &b->care_of, &m);
	ha_signal_event(ha, b, EV_SWITCH_SENT, 0, text);
	timer_start(ha->env->timers, &s->timer, mono_add_ms(ha_now(ha), s->timeout_ms));
}

/* 5.2: the time doubles up to MAX-HA-SWITCH-TIMEOUT, and goes on at that rate. */
static void timeout(struct timer *t, void *arg)
{
	struct ha_switch *s = arg;

	(void)t;
	s->timeout_ms *= 2;
	if (s->timeout_ms > MAX_HA_SWITCH_TIMEOUT_MS)
		s->timeout_ms = MAX_HA_SWITCH_TIMEOUT_MS;
	transmit(s->binding->ha, s, "repeated");
}

int ha_switch_node(struct ha *ha, const struct in6_addr *home_address,
	const struct in6_addr *addresses, size_t n)
{
	struct ha_binding *b = ha_binding_find(ha, home_address);
	struct ha_switch *s;

	if (n > HA_SWITCH_MAX_ADDRESSES)
		return -E2BIG;
	if (!b || b->state != BINDING_ACTIVE || ha->withdrawn)
		return -ENOENT;
	s = calloc(1, sizeof(*s) + n * sizeof(*addresses));
	if (!s)
		return -ENOMEM;
	ha_switch_end(ha, b); /* another list takes the place of the first */
	s->binding = b;
	s->timeout_ms = INITIAL_HA_SWITCH_TIMEOUT_MS;
	s->n = (uint8_t)n;
	if (n)
		memcpy(s->addresses, addresses, n * sizeof(*addresses));
	timer_init(&s->timer, timeout, s);
	b->switching = s;
	transmit(ha, s, NULL);
	return 0;
}

void ha_switch_end(struct ha *ha, struct ha_binding *b)
{
	if (!b->switching)
		return;
	timer_stop(ha->env->timers, &b->switching->timer);
	free(b->switching);
	b->switching = NULL;
}

/* 5.3: it is served until its lifetime ends. */
void ha_switch_unknown(struct ha *ha, struct ha_binding *b)
{
	if (!b->switching || b->switching->unsupported)
		return;
	b->switching->unsupported = true;
	timer_stop(ha->env->timers, &b->switching->timer);
	ha_signal_event(ha, b, EV_SWITCH_SENT, 0, "not understood, given up");
}

/* ---- all of them ---- */

static void next_node(struct timer *t, void *arg)
{
	struct ha_switch_all *all = arg;
	struct ha *ha = all->ha;

	while (all->at < all->n && ha_switch_node(ha, &all->home_addresses[all->at++],
					   all->addresses, all->n_addresses) == -ENOENT)
		;
	if (all->at < all->n)
		timer_start(
			ha->env->timers, t, mono_add_ms(ha_now(ha), 1000 / ha->config.switch_rate));
	else
		ha_switch_all_end(ha);
}

static size_t note_all(struct ha *ha, struct in6_addr *to)
{
	struct addr_node *n = NULL;
	size_t count = 0;

	while ((n = addr_table_walk(&ha->cache, n))) {
		if (ADDR_OBJECT(n, struct ha_binding, node)->state == BINDING_ACTIVE)
			to[count++] = n->addr;
	}
	return count;
}

int ha_switch_all(struct ha *ha, const struct in6_addr *addresses, size_t n)
{
	struct ha_switch_all *all;

	if (n > HA_SWITCH_MAX_ADDRESSES)
		return -E2BIG;
	ha_switch_all_end(ha);
	all = calloc(1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	all->home_addresses = calloc(ha->cache.n + 1, sizeof(*all->home_addresses));
	if (!all->home_addresses) {
		free(all);
		return -ENOMEM;
	}
	all->ha = ha;
	all->n = note_all(ha, all->home_addresses);
	all->n_addresses = (uint8_t)n;
	if (n)
		memcpy(all->addresses, addresses, n * sizeof(*addresses));
	timer_init(&all->timer, next_node, all);
	ha->switch_all = all;
	next_node(&all->timer, all);
	return 0;
}

void ha_switch_all_end(struct ha *ha)
{
	if (!ha->switch_all)
		return;
	timer_stop(ha->env->timers, &ha->switch_all->timer);
	free(ha->switch_all->home_addresses);
	free(ha->switch_all);
	ha->switch_all = NULL;
}
