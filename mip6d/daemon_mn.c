/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as mobile node. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/daemon_vcm_node.h"
#include "mip6d/daemon_vpn.h"
#include "mip6d/proto/mn.h"
#include "mip6d/sys/mn_kernel.h"
#include "mip6d/sys/store.h"

#define SETTLED_S 30 /* by then a place was found, or what a predecessor left is of no use */

static void link_changed(
	void *ctx, int ifindex, bool up, const uint8_t *mac, size_t mac_len, bool link_local)
{
	struct daemon *d = ctx;

	mn_link_event(d->mn, ifindex, up, mac_len == 6 ? mac : NULL, link_local);
	daemon_vpn_link(d, ifindex, up, link_local);
}

static void address_changed(
	void *ctx, int ifindex, const struct in6_addr *a, enum watch_address state)
{
	static const enum mn_address_state states[] = {[WATCH_TENTATIVE] = MN_ADDR_TENTATIVE,
		[WATCH_OPTIMISTIC] = MN_ADDR_USABLE_OPTIMISTIC,
		[WATCH_READY] = MN_ADDR_READY,
		[WATCH_DUPLICATE] = MN_ADDR_DUPLICATE,
		[WATCH_REMOVED] = MN_ADDR_REMOVED};
	struct daemon *d = ctx;

	mn_address_event(d->mn, ifindex, a, states[state]);
}

static void neighbour_changed(void *ctx, int ifindex, const struct in6_addr *a, bool reachable)
{
	mn_neighbour_event(((struct daemon *)ctx)->mn, ifindex, a, reachable);
}

static const struct watch_ops watch_ops = {
	.link = link_changed, .address = address_changed, .neighbour = neighbour_changed};

static void settled(struct timer *t, void *arg)
{
	(void)t;
	mn_kernel_reconcile(((struct daemon *)arg)->mn_kernel);
}

static bool find_interfaces(
	const struct config_mobile_node *c, struct mn_config *config, struct mn_kernel_config *k)
{
	for (size_t i = 0; i < c->n_interfaces; i++) {
		int ifindex = daemon_interface("mobile_node.interfaces", c->interfaces[i].name);

		if (!ifindex)
			return false;
		config->interfaces[i].ifindex = ifindex;
		k->interfaces[i].ifindex = ifindex;
		snprintf(k->interfaces[i].name, sizeof(k->interfaces[i].name), "%s",
			c->interfaces[i].name);
	}
	k->n_interfaces = c->n_interfaces;
	return true;
}

/*
 * A binding that may still live, after a crash, at another home agent than the
 * configured one: this node was sent there (RFC 5142), and the configured one
 * would meet the other's defence of the home address.
 */
static void stay_with_home_agent(
	struct daemon *d, struct mn_config *config, struct mn_kernel_config *k)
{
	struct store_mn_record r;

	if (config->foreign_tunnel || !store_mn_get(d->store, &r) || !r.remaining_s || in6_is_any(&r.home_agent) ||
		!in6_equal(&r.home_address, &config->home_address) ||
		in6_equal(&r.home_agent, &config->home_agent))
		return;
	if (!config->discover)
		log_notice("the binding is with home agent %s, not with the configured one",
			in6_str(&r.home_agent));
	config->home_agent = k->home_agent = r.home_agent;
}

static bool find_networks(const struct config_mobile_router *c, struct mn_networks_config *k)
{
	for (size_t i = 0; i < c->n_ingress; i++) {
		if (!daemon_interface("mobile_node.mobile_router.ingress", c->ingress[i]))
			return false;
		snprintf(k->ingress[i], sizeof(k->ingress[i]), "%s", c->ingress[i]);
	}
	k->n_ingress = c->n_ingress;
	k->n_networks = c->n_networks;
	memcpy(k->networks, c->networks, sizeof(k->networks));
	return true;
}

static void say_who_we_are(const struct mn_config *c)
{
	char agent[INET6_ADDRSTRLEN];

	snprintf(agent, sizeof(agent), "%s", in6_str(&c->home_agent));
	if (c->foreign_tunnel)
		log_info("mobile node with a tunnel that strongSwan makes and moves");
	else
		log_info("mobile node %s, home agent %s", in6_str(&c->home_address),
			in6_is_any(&c->home_agent) ? "to be found" : agent);
}

bool daemon_mn_start(struct daemon *d)
{
	const struct config_mobile_node *c = &d->cfg->mobile_node;
	struct mn_kernel_config k = {.home_address = c->home_address,
		.home_agent = c->home_agent,
		.table = c->table,
		.optimistic_dad = c->optimistic_dad,
		.foreign_tunnel = c->foreign_tunnel};
	struct store_mn_record stored;
	struct mn_config config;
	char err[512];
	int rc;

	memset(&config, 0, sizeof(config));
	config_to_mn(d->cfg, &config);
	config.restart_counter = d->restart_counter;
	stay_with_home_agent(d, &config, &k);
	if (!find_interfaces(c, &config, &k))
		return false;
	if (!find_networks(&c->router, &k.networks))
		return false;
	snprintf(k.tunnel, sizeof(k.tunnel), "%s", c->tunnel);
	d->mn_kernel =
		mn_kernel_open(&k, d->loop, d->settings, d->store, &watch_ops, d, err, sizeof(err));
	if (!d->mn_kernel) {
		log_error("%s", err);
		return false;
	}
	if (!daemon_ipsec_start(d))
		return false;
	d->mn = mn_new(&config, &d->env, &mn_kernel_ops, d->mn_kernel);
	if (!d->mn) {
		log_error("out of memory");
		return false;
	}
	if (!c->foreign_tunnel && mn_kernel_stored(d->mn_kernel, &stored))
		mn_restore(d->mn, &stored.care_of, stored.seq, stored.remaining_s);
	daemon_ipsec_settle(d);
	if (!daemon_ro_start(d) || !daemon_moves_start(d) || !daemon_vcm_node_start(d) ||
		!daemon_vpn_start(d))
		return false;
	say_who_we_are(&config);
	rc = mn_kernel_start(d->mn_kernel);
	if (rc) {
		log_error("the interfaces cannot be watched: %s", strerror(-rc));
		return false;
	}
	timer_init(&d->settled, settled, d);
	(void)timer_start(d->env.timers, &d->settled, mono_add_s(d->started, SETTLED_S));
	return true;
}

void daemon_mn_stop(struct daemon *d)
{
	timer_stop(d->env.timers, &d->settled);
	daemon_vcm_node_stop(d);
	daemon_moves_stop(d);
	if (d->mn)
		mn_end(d->mn);
	mn_free(d->mn);
	/* Nothing can be sent any more, then nothing needs protection. */
	if (d->mn_kernel)
		mn_kernel_close(d->mn_kernel, true);
	daemon_ipsec_stop(d);
	d->mn = NULL;
	d->mn_kernel = NULL;
}

void daemon_mn_stats(struct daemon *d, struct json_t *stats)
{
	struct mn_kernel_stats s;

	mn_kernel_stats(d->mn_kernel, &s);
	json_object_set_new(stats, "uplink",
		json_pack("{s:I, s:I, s:I}", "held", (json_int_t)s.held, "released",
			(json_int_t)s.released, "dropped", (json_int_t)s.dropped));
	daemon_moves_stats(d, stats);
}
