/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as home agent. */
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/ha.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/icmp6_socket.h"
#include "mip6d/sys/store.h"

static void link_changed(
	void *ctx, int ifindex, bool up, const uint8_t *mac, size_t mac_len, bool link_local)
{
	struct daemon *d = ctx;

	(void)link_local;
	if (d->ha)
		ha_home_link(d->ha, up ? ifindex : 0, mac, mac_len);
}

static const struct watch_ops watch_ops = {.link = link_changed};

/* The home link's number and link-layer address, and from now on what happens to it. */
static bool watch_home_link(struct daemon *d, struct ha_config *config)
{
	const char *name = d->cfg->home_agent.home_link;
	size_t len = 0;
	int err;

	if (!name[0])
		return true;
	config->home_ifindex = daemon_interface("home_agent.home_link", name);
	if (!config->home_ifindex)
		return false;
	d->watch = watch_new(d->loop, &config->home_ifindex, 1, &watch_ops, d, &err);
	if (!d->watch) {
		log_error("%s cannot be watched: %s", name, strerror(-err));
		return false;
	}
	if (watch_mac(d->watch, config->home_ifindex, config->home_lladdr, &len))
		config->home_lladdr_len = len;
	return true;
}

static void restore(void *arg, const struct ha_binding_record *r)
{
	struct daemon *d = arg;
	int err = ha_restore(d->ha, r);

	if (err)
		log_warning("binding of %s is not taken over: %s", in6_str(&r->home_address),
			strerror(-err));
	if (err)
		store_del(d->store, &r->home_address);
}

/* RFC 6275 10.5: requests come to this address of each home prefix, on a virtual home link by way of lo. */
static void join_anycast(struct daemon *d, int ifindex)
{
	const struct config_home_agent *c = &d->cfg->home_agent;

	if (!ifindex)
		ifindex = (int)if_nametoindex("lo");
	for (size_t i = 0; i < c->n_prefixes; i++) {
		struct in6_addr a = in6_home_agents_anycast(&c->prefixes[i].prefix);
		int err = icmp6_socket_anycast(d->icmp6, ifindex, &a, true);

		if (err)
			log_warning("mobile nodes cannot find this home agent at %s: %s", in6_str(&a),
				strerror(-err));
	}
}

bool daemon_ha_start(struct daemon *d)
{
	const struct config_home_agent *c = &d->cfg->home_agent;
	struct ha_kernel_config k = {
		.address = c->address, .networks = c->networks, .n_networks = c->n_networks};
	struct ha_config config;
	char err[512];

	memset(&config, 0, sizeof(config));
	config_to_ha(d->cfg, &config);
	config.restart_counter = d->restart_counter;
	if (!watch_home_link(d, &config))
		return false;
	snprintf(k.tunnel, sizeof(k.tunnel), "%s", c->tunnel);
	snprintf(k.home_link, sizeof(k.home_link), "%s", c->home_link);
	k.home_ifindex = config.home_ifindex;
	d->ha_kernel =
		ha_kernel_open(&k, d->loop, d->icmp6, d->settings, d->store, err, sizeof(err));
	if (!d->ha_kernel) {
		log_error("%s", err);
		return false;
	}
	if (!daemon_ipsec_start(d))
		return false;
	d->ha = ha_new(&config, &d->env, &ha_kernel_ops, d->ha_kernel);
	if (!d->ha) {
		log_error("out of memory");
		return false;
	}
	join_anycast(d, config.home_ifindex);
	ha_kernel_stored(d->ha_kernel, restore, d);
	daemon_ipsec_settle(d);
	ha_kernel_reconcile(d->ha_kernel);
	log_info("home agent %s, %zu bindings taken over", in6_str(&c->address), ha_count(d->ha));
	return true;
}

void daemon_ha_stop(struct daemon *d)
{
	if (d->ha_kernel)
		ha_kernel_stopping(d->ha_kernel);
	if (d->ha)
		ha_withdraw(d->ha);
	if (d->ha_kernel)
		ha_kernel_close(d->ha_kernel, true);
	daemon_ipsec_stop(d);
	ha_free(d->ha);
	d->ha = NULL;
	d->ha_kernel = NULL;
}

void daemon_ha_stats(struct daemon *d, struct json_t *stats)
{
	struct ha_kernel_stats s;

	ha_kernel_stats(d->ha_kernel, &s);
	json_object_set_new(stats, "tunnel",
		json_pack("{s:I, s:I, s:I, s:I}", "held", (json_int_t)s.held, "released",
			(json_int_t)s.released, "dropped", (json_int_t)s.dropped, "networks",
			(json_int_t)s.networks));
}
