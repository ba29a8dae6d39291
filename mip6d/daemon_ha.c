/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as home agent. */
#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <string.h>

#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/ha.h"
#include "mip6d/os/ha_kernel.h"

struct home_link {
	const char *name;
	struct ha_config *config;
	bool found;
};

static void find_home_link(void *arg, int ifindex, const char *name, bool up, const uint8_t *mac)
{
	struct home_link *l = arg;

	(void)up;
	if (strcmp(name, l->name) != 0)
		return;
	l->found = true;
	l->config->home_ifindex = ifindex;
	l->config->home_lladdr_len = 0;
	if (mac) {
		memcpy(l->config->home_lladdr, mac, 6);
		l->config->home_lladdr_len = 6;
	}
}

static void no_address(void *arg, int ifindex, const struct in6_addr *a, enum monitor_address state)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	(void)state;
}

static void no_neighbour(void *arg, int ifindex, const struct in6_addr *a, bool reachable)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	(void)reachable;
}

static bool look_up_home_link(const struct daemon *d, struct ha_config *config)
{
	struct home_link l = {.name = d->cfg->home_agent.home_link, .config = config};
	struct monitor_handlers h = {.arg = &l, .link = find_home_link, .address = no_address, .neighbour = no_neighbour};
	struct monitor *m;

	if (!l.name[0])
		return true;
	m = monitor_open(&h);
	if (!m || monitor_sync(m) < 0)
		log_error("netlink: the links of this machine cannot be listed: %s", strerror(errno));
	else if (!l.found)
		log_error("home_agent.home_link: there is no interface %s; `ip link` lists those that exist", l.name);
	monitor_close(m);
	return l.found;
}

static void restore(void *arg, const struct ha_binding_record *r)
{
	struct daemon *d = arg;
	int err = ha_restore(d->ha, r);

	if (err)
		log_warning("binding of %s is not taken over: %s", in6_str(&r->home_address), strerror(-err));
}

bool daemon_ha_start(struct daemon *d)
{
	const struct config_home_agent *c = &d->cfg->home_agent;
	struct ha_kernel_config k = {.address = c->address, .tunnel = c->tunnel, .state_file = d->cfg->state_file,
		.home_link = c->home_link, .icmp6 = d->icmp6};
	struct ha_config config;

	memset(&config, 0, sizeof(config));
	config_to_ha(d->cfg, &config);
	if (!look_up_home_link(d, &config))
		return false;
	k.home_ifindex = config.home_ifindex;
	d->ha_kernel = ha_kernel_open(&k, d->loop);
	if (!d->ha_kernel)
		return false;
	d->ha = ha_new(&config, &d->env, &ha_kernel_ops, d->ha_kernel);
	if (!d->ha) {
		log_error("out of memory");
		return false;
	}
	ha_kernel_stored(d->ha_kernel, restore, d);
	ha_kernel_reconcile(d->ha_kernel);
	log_info("home agent %s, %zu bindings taken over", in6_str(&c->address), ha_count(d->ha));
	return true;
}

void daemon_ha_stop(struct daemon *d)
{
	if (d->ha)
		ha_withdraw(d->ha);
	ha_kernel_close(d->ha_kernel);
	ha_free(d->ha);
	d->ha = NULL;
	d->ha_kernel = NULL;
}

void daemon_ha_stats(struct daemon *d, struct json_t *stats)
{
	const struct ha_kernel_stats *s = ha_kernel_stats(d->ha_kernel);

	json_object_set_new(stats, "tunnel_held", json_integer((json_int_t)s->held));
	json_object_set_new(stats, "tunnel_released", json_integer((json_int_t)s->released));
	json_object_set_new(stats, "tunnel_dropped", json_integer((json_int_t)s->dropped));
}

static void link_changed(void *arg, int ifindex, const char *name, bool up, const uint8_t *mac)
{
	struct daemon *d = arg;

	if (d->ha && d->cfg->home_agent.home_link[0] && strcmp(name, d->cfg->home_agent.home_link) == 0)
		ha_home_link(d->ha, up ? ifindex : 0, mac, mac ? 6 : 0);
}

const struct monitor_handlers daemon_ha_handlers = {
	.link = link_changed, .address = no_address, .neighbour = no_neighbour};
