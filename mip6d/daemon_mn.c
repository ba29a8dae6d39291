/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as mobile node. */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/mn.h"
#include "mip6d/os/mn_kernel.h"

bool daemon_mn_start(struct daemon *d)
{
	const struct config_mobile_node *c = &d->cfg->mobile_node;
	struct mn_kernel_config k = {.home_address = c->home_address, .home_agent = c->home_agent, .tunnel = c->tunnel,
		.table = c->table, .state_file = d->cfg->state_file, .n_interfaces = c->n_interfaces};
	struct mn_config config;
	struct in6_addr care_of;
	uint32_t remaining;
	uint16_t seq;

	memset(&config, 0, sizeof(config));
	config_to_mn(d->cfg, &config);
	for (size_t i = 0; i < c->n_interfaces; i++) {
		k.ifindexes[i] = config.interfaces[i].ifindex = (int)if_nametoindex(c->interfaces[i].name);
		d->links[i].ifindex = k.ifindexes[i];
		snprintf(k.names[i], sizeof(k.names[i]), "%s", c->interfaces[i].name);
		if (!k.ifindexes[i]) {
			log_error("mobile_node.interfaces: there is no interface %s; `ip link` lists those that exist",
				c->interfaces[i].name);
			return false;
		}
	}
	d->mn_kernel = mn_kernel_open(&k, d->loop);
	if (!d->mn_kernel)
		return false;
	d->mn = mn_new(&config, &d->env, &mn_kernel_ops, d->mn_kernel);
	if (!d->mn) {
		log_error("out of memory");
		return false;
	}
	if (mn_kernel_stored(d->mn_kernel, &care_of, &seq, &remaining))
		mn_restore(d->mn, &care_of, seq, remaining);
	log_info("mobile node %s, home agent %s", in6_str(&c->home_address), in6_str(&c->home_agent));
	return true;
}

void daemon_mn_stop(struct daemon *d)
{
	mn_free(d->mn);
	mn_kernel_close(d->mn_kernel);
	d->mn = NULL;
	d->mn_kernel = NULL;
}

static struct daemon_link *managed(struct daemon *d, int ifindex)
{
	for (size_t i = 0; i < d->cfg->mobile_node.n_interfaces; i++) {
		if (d->links[i].ifindex == ifindex)
			return &d->links[i];
	}
	return NULL;
}

static void link_changed(void *arg, int ifindex, const char *name, bool up, const uint8_t *mac)
{
	struct daemon *d = arg;

	struct daemon_link *l = managed(d, ifindex);

	(void)name;
	/* The kernel tells much about a link; only that it came or went is news to the core. */
	if (!d->mn || !l || l->up == up)
		return;
	l->up = up;
	mn_link_event(d->mn, ifindex, up, mac, l->link_local);
}

static void address_changed(void *arg, int ifindex, const struct in6_addr *a, enum monitor_address state)
{
	static const enum mn_address_state states[] = {[MON_TENTATIVE] = MN_ADDR_TENTATIVE,
		[MON_OPTIMISTIC] = MN_ADDR_USABLE_OPTIMISTIC, [MON_READY] = MN_ADDR_READY,
		[MON_DUPLICATE] = MN_ADDR_DUPLICATE, [MON_REMOVED] = MN_ADDR_REMOVED};
	struct daemon *d = arg;

	struct daemon_link *l = managed(d, ifindex);

	if (!d->mn || !l)
		return;
	if (IN6_IS_ADDR_LINKLOCAL(a))
		l->link_local = state == MON_OPTIMISTIC || state == MON_READY;
	mn_address_event(d->mn, ifindex, a, states[state]);
}

static void neighbour_changed(void *arg, int ifindex, const struct in6_addr *a, bool reachable)
{
	struct daemon *d = arg;

	if (d->mn)
		mn_neighbour_event(d->mn, ifindex, a, reachable);
}

const struct monitor_handlers daemon_mn_handlers = {
	.link = link_changed, .address = address_changed, .neighbour = neighbour_changed};
