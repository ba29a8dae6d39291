/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/mn_kernel.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/mn_kernel_internal.h"
#include "mip6d/sys/settings.h"
#include "mip6d/sys/store.h"
#include "ipsec-glue/xfrm.h"

/* ---- devices ---- */

static int take_link(void *arg, const struct nlmsghdr *h)
{
	return rtnl_link_read(h, arg) ? 0 : -ENODEV;
}

/*
 * The other end of the tunnels.  As long as no home agent is known that is
 * RFC 6666's first address, which nobody has: two tunnels to :: would be taken
 * for one, the kernel's own.
 */
static struct in6_addr first_remote(const struct mn_kernel *k)
{
	const struct in6_addr nobody = {.s6_addr = {0x01}};

	return in6_is_any(&k->config.home_agent) ? nobody : k->config.home_agent;
}

/* Make the tunnel, or take it over; *l is what it was before. */
static int set_device(struct mn_kernel *k, const char *name, const struct in6_addr *local,
	struct rtnl_link *l, char *err, size_t errlen)
{
	struct rtnl_tunnel t = {.name = name, .local = *local, .remote = first_remote(k)};
	int rc = nlreq_get(k->rt, rtnl_link_get(name), take_link, l);
	bool new = rc;

	if (!rc && (!l->is_tunnel || l->external)) {
		snprintf(err, errlen,
			"there is an interface %s that is no tunnel of mip6d; remove it, or give "
			"another name as `tunnel`",
			name);
		return -EEXIST;
	}
	if (new) {
		rc = nlreq_do(k->rt, rtnl_tunnel_add(&t));
		if (!rc)
			rc = nlreq_get(k->rt, rtnl_link_get(name), take_link, l);
		if (!rc)
			rc = nlreq_do(k->rt, rtnl_link_no_local(l->ifindex));
	}
	if (!rc)
		rc = nlreq_do(k->rt, rtnl_link_up(l->ifindex, 0));
	if (rc)
		snprintf(err, errlen, "cannot make the tunnel %s (CONFIG_IPV6_TUNNEL): %s", name,
			nlreq_why(k->rt));
	return rc;
}

static int set_devices(struct mn_kernel *k, char *err, size_t errlen)
{
	const struct in6_addr remote = first_remote(k);
	struct rtnl_link l = {0};
	char receiver[IFNAMSIZ];
	int rc;

	if (k->config.foreign_tunnel) {
		rc = set_device(k, k->config.tunnel, &in6addr_any, &l, err, errlen);
		k->send_ifindex = rc ? 0 : l.ifindex;
		return rc;
	}
	/* From the home address to the home agent: nothing can be sent like that, it would be its own route. */
	rc = set_device(k, k->config.tunnel, &k->config.home_address, &l, err, errlen);
	if (rc)
		return rc;
	k->send_ifindex = l.ifindex;
	k->local = l.local;
	k->remote = l.remote;
	snprintf(receiver, sizeof(receiver), "%.14sr", k->config.tunnel);
	rc = set_device(k, receiver, &in6addr_any, &l, err, errlen);
	if (rc)
		return rc;
	k->receive_ifindex = l.ifindex;
	if (!in6_equal(&l.remote, &remote))
		rc = nlreq_do(k->rt, rtnl_tunnel_move(l.ifindex, &in6addr_any, &remote));
	return rc;
}

/* ---- the home address ---- */

int mn_home_address_set(struct mn_kernel *k)
{
	struct rtnl_address a = {.ifindex = k->send_ifindex,
		.addr = k->config.home_address,
		.plen = 128,
		.protocol = SYS_PROTOCOL,
		.flags = IFA_F_HOMEADDRESS | IFA_F_NODAD | IFA_F_NOPREFIXROUTE,
		.preferred_s = UINT32_MAX,
		.valid_s = UINT32_MAX};
	int err = in6_is_any(&a.addr) ? 0 : nlreq_do(k->rt, rtnl_address_set(&a, true));

	return err == -EEXIST ? 0 : err;
}

int mn_home_rule_set(struct mn_kernel *k)
{
	struct rtnl_rule rule = {.src = k->config.home_address,
		.table = k->config.table,
		.priority = SYS_RULE_HOME,
		.find_source = true};
	int err = in6_is_any(&k->config.home_address) ? 0 : nlreq_do(k->rt, rtnl_rule_add(&rule));

	return err == -EEXIST ? 0 : err;
}

/* Whatever happens to the routes before it, what the home address sends goes no other way. */
static int set_home_table(struct mn_kernel *k)
{
	struct rtnl_route last = {
		.type = RTN_UNREACHABLE, .table = k->config.table, .metric = SYS_METRIC_LAST};
	int err = nlreq_do(k->rt, rtnl_route_set(&last));

	return err ? err : mn_home_rule_set(k);
}

/* ---- system settings ---- */

static int set_of(struct mn_kernel *k, const char *device, const char *name, const char *value,
	char *err, size_t errlen)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", device, name);
	rc = settings_set(k->settings, path, value);
	if (rc)
		snprintf(err, errlen, "cannot set %s to %s: %s", path, value, strerror(-rc));
	return rc;
}

/* A negative value makes the kernel drop all routing headers, type 2 ones too. */
static int allow_rh2(struct mn_kernel *k, const char *device, char *err, size_t errlen)
{
	char path[128], value[16] = "";

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_source_route", device);
	sysctl_read(path, value, sizeof(value));
	return value[0] == '-' ? set_of(k, device, "accept_source_route", "0", err, errlen) : 0;
}

static int set_interface(struct mn_kernel *k, const char *name, char *err, size_t errlen)
{
	const char *optimistic = k->config.optimistic_dad ? "1" : "0";
	int rc = set_of(k, name, "accept_ra", "0", err, errlen);

	if (!rc)
		rc = set_of(k, name, "autoconf", "0", err, errlen);
	if (!rc)
		rc = set_of(k, name, "optimistic_dad", optimistic, err, errlen);
	if (rc == -ENOENT) {
		snprintf(err, errlen,
			"%s: the kernel has no optimistic DAD (CONFIG_IPV6_OPTIMISTIC_DAD) or the "
			"interface is "
			"gone; with optimistic_dad = false it is not needed",
			name);
		rc = k->config.optimistic_dad ? rc : 0;
	}
	if (!rc && k->config.optimistic_dad)
		rc = set_of(k, name, "use_optimistic", "1", err, errlen);
	return rc ? rc : allow_rh2(k, name, err, errlen);
}

static int set_interfaces(struct mn_kernel *k, char *err, size_t errlen)
{
	int rc = allow_rh2(k, "all", err, errlen);

	for (size_t i = 0; i < k->config.n_interfaces && !rc; i++)
		rc = set_interface(k, k->config.interfaces[i].name, err, errlen);
	return rc;
}

/* ---- start ---- */

static int open_all(
	struct mn_kernel *k, const struct watch_ops *events, void *ctx, char *err, size_t errlen)
{
	int ifindex[MN_KERNEL_INTERFACES], rc;

	snprintf(err, errlen,
		"no netlink (CAP_NET_ADMIN, CONFIG_XFRM_USER, CONFIG_NETFILTER_NETLINK)");
	rc = nlreq_open_three(&k->rt, &k->xfrm, &k->nf);
	if (rc)
		return rc;
	/* First, as the queue can have one listener: it tells whether another daemon runs. */
	k->hold = mn_hold_open(k->loop, k->nf, &k->config.home_address, k->config.networks.ingress,
		k->config.networks.n_ingress, err, errlen);
	if (!k->hold)
		return -EBUSY;
	rc = mn_foreign_open(k, err, errlen);
	if (!rc)
		rc = set_devices(k, err, errlen);
	if (!rc)
		rc = set_interfaces(k, err, errlen);
	if (rc)
		return rc;
	rc = set_home_table(k);
	if (!rc)
		rc = mn_home_address_set(k);
	if (rc) {
		snprintf(err, errlen,
			"cannot set the home address and its rule (CONFIG_IPV6_MULTIPLE_TABLES): "
			"%s",
			nlreq_why(k->rt));
		return rc;
	}
	rc = mn_networks_open(k, err, errlen);
	if (rc)
		return rc;
	if (!k->config.foreign_tunnel)
		rc = xfrm_accept_rh2(k->xfrm, &k->config.home_address);
	if (rc) {
		snprintf(err, errlen,
			"the kernel cannot take type 2 routing headers (CONFIG_IPV6_MIP6): %s",
			nlreq_why(k->xfrm));
		return rc;
	}
	for (size_t i = 0; i < k->config.n_interfaces; i++)
		ifindex[i] = k->config.interfaces[i].ifindex;
	k->watch = watch_new(k->loop, ifindex, k->config.n_interfaces, events, ctx, &rc);
	if (rc)
		snprintf(err, errlen, "cannot watch interfaces: %s", strerror(-rc));
	return rc;
}

struct mn_kernel *mn_kernel_open(const struct mn_kernel_config *c, struct sys_loop *loop,
	struct settings *settings, struct store *store, const struct watch_ops *events,
	void *events_ctx, char *err, size_t errlen)
{
	struct mn_kernel *k = calloc(1, sizeof(*k));

	if (!k || c->n_interfaces > MN_KERNEL_INTERFACES) {
		snprintf(err, errlen, "%s", k ? "too many interfaces" : "out of memory");
		free(k);
		return NULL;
	}
	k->config = *c;
	k->loop = loop;
	k->settings = settings;
	k->store = store;
	if (open_all(k, events, events_ctx, err, errlen)) {
		mn_kernel_close(k, k->hold);
		return NULL;
	}
	return k;
}

bool mn_kernel_stored(struct mn_kernel *k, struct store_mn_record *r)
{
	return k->store && store_mn_get(k->store, r) &&
	       in6_equal(&r->home_address, &k->config.home_address);
}

int mn_kernel_start(struct mn_kernel *k)
{
	return watch_start(k->watch);
}

/* ---- what is in the kernel ---- */

#define MAX_FOUND 256

struct found {
	const struct mn_kernel *k;
	bool all; /* of the whole, else what nothing asked for */
	size_t n_rules, n_routes, n_addresses;
	struct rtnl_rule rules[MAX_FOUND];
	struct rtnl_route routes[MAX_FOUND];
	struct rtnl_address addresses[MAX_FOUND];
};

static bool our_table(const struct mn_kernel *k, uint32_t table)
{
	return table >= k->config.table && table <= k->config.table + MN_KERNEL_INTERFACES;
}

static bool is_source(const struct mn_kernel *k, const struct in6_addr *addr)
{
	for (size_t i = 0; i < k->n_sources; i++)
		if (in6_equal(&k->sources[i].care_of, addr))
			return true;
	return false;
}

static bool rule_is_used(const struct mn_kernel *k, const struct rtnl_rule *r)
{
	if (r->priority == SYS_RULE_CARE_OF)
		return is_source(k, &r->src);
	if (r->priority == SYS_RULE_TO_AGENT || r->priority == SYS_RULE_HOME_TO_AGENT)
		return k->ike && in6_equal(&r->dst, &k->agent);
	if (r->priority == SYS_RULE_VPN) /* of vpn_node.h, which knows its own */
		return true;
	return in6_equal(&r->src, &k->config.home_address) || mn_networks_has_rule(k, r);
}

static int found_rule(void *arg, const struct nlmsghdr *h)
{
	struct found *f = arg;
	struct rtnl_rule r;

	if (!rtnl_rule_read(h, &r) || (!f->all && rule_is_used(f->k, &r)))
		return 0;
	if (f->n_rules < MAX_FOUND)
		f->rules[f->n_rules++] = r;
	return 0;
}

static int found_route(void *arg, const struct nlmsghdr *h)
{
	struct found *f = arg;
	struct rtnl_route r;

	if (!rtnl_route_read(h, &r))
		return 0;
	if (!f->all) {
		bool used = r.table == f->k->config.table || !our_table(f->k, r.table);

		for (size_t i = 0; i < f->k->n_sources; i++)
			used |= mn_table_of(f->k, f->k->sources[i].ifindex) == r.table;
		if (used && mn_networks_has_route(f->k, &r))
			return 0;
	}
	if (f->n_routes < MAX_FOUND)
		f->routes[f->n_routes++] = r;
	return 0;
}

static int found_address(void *arg, const struct nlmsghdr *h)
{
	struct found *f = arg;
	struct rtnl_address a;

	if (!rtnl_address_read(h, &a) || a.protocol != SYS_PROTOCOL ||
		!mn_table_of(f->k, a.ifindex))
		return 0;
	if (!f->all) {
		if (f->k->home_ifindex == a.ifindex &&
			in6_equal(&a.addr, &f->k->config.home_address))
			return 0;
		for (size_t i = 0; i < f->k->n_addresses; i++)
			if (f->k->addresses[i].ifindex == a.ifindex &&
				in6_equal(&f->k->addresses[i].addr, &a.addr))
				return 0;
	}
	if (f->n_addresses < MAX_FOUND)
		f->addresses[f->n_addresses++] = a;
	return 0;
}

static void remove_found(struct mn_kernel *k, bool all)
{
	struct found *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	f->k = k;
	f->all = all;
	nlreq_dump(k->rt, rtnl_rule_dump(), found_rule, f);
	nlreq_dump(k->rt, rtnl_route_dump(), found_route, f);
	nlreq_dump(k->rt, rtnl_address_dump(0), found_address, f);
	for (size_t i = 0; i < f->n_rules; i++)
		nlreq_do(k->rt, rtnl_rule_del(&f->rules[i]));
	for (size_t i = 0; i < f->n_routes; i++)
		nlreq_do(k->rt, rtnl_route_del(&f->routes[i]));
	for (size_t i = 0; i < f->n_addresses; i++)
		nlreq_do(k->rt, rtnl_address_del(f->addresses[i].ifindex, &f->addresses[i].addr,
					f->addresses[i].plen));
	if (!all && f->n_rules + f->n_routes + f->n_addresses)
		log_info("removed what a former mip6d left: %zu rules, %zu routes, %zu addresses",
			f->n_rules, f->n_routes, f->n_addresses);
	free(f);
}

void mn_kernel_reconcile(struct mn_kernel *k)
{
	remove_found(k, false);
}

/* ---- end ---- */

static void remove_all(struct mn_kernel *k)
{
	mn_hold_end(k->hold, true);
	remove_found(k, true);
	if (k->receive_ifindex)
		nlreq_do(k->rt, rtnl_link_del(k->receive_ifindex));
	if (k->send_ifindex)
		nlreq_do(k->rt, rtnl_link_del(k->send_ifindex));
	if (!k->config.foreign_tunnel) {
		xfrm_bu_path_flush(k->xfrm, &k->config.home_address);
		xfrm_refuse_rh2(k->xfrm, &k->config.home_address);
	}
	settings_restore(k->settings);
}

void mn_kernel_close(struct mn_kernel *k, bool remove)
{
	if (!k)
		return;
	watch_free(k->watch);
	if (remove)
		remove_all(k);
	mn_kernel_unprotect(k, remove);
	mn_hold_close(k->hold, remove);
	nlreq_close(k->rt);
	nlreq_close(k->xfrm);
	nlreq_close(k->nf);
	free(k);
}

void mn_kernel_watches(struct mn_kernel *k, struct ro_kernel *ro)
{
	k->ro = ro;
}

/* At the care-of address in use the sending device receives, since it fits better. */
bool mn_kernel_tunneled(const struct mn_kernel *k, int ifindex)
{
	return ifindex && (ifindex == k->receive_ifindex || ifindex == k->send_ifindex);
}

int mn_kernel_internal(
	struct mn_kernel *k, const struct in6_addr *internal, char *err, size_t errlen)
{
	return mn_hold_internal(k->hold, internal, err, errlen);
}

int mn_kernel_outside(struct mn_kernel *k, bool outside)
{
	return mn_hold_outside(k->hold, outside);
}

void mn_kernel_stats(const struct mn_kernel *k, struct mn_kernel_stats *s)
{
	const struct mn_hold_stats *h = mn_hold_stats(k->hold);

	*s = (struct mn_kernel_stats){
		.held = h->held, .released = h->released, .dropped = h->dropped};
}
