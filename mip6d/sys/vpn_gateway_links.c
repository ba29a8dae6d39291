/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node outside needs of the links: a route that does not lead to the
 * internal one, where what no policy takes is lost; our answer to who asks for
 * it there, and word to those who know it (RFC 4861 7.2.6, 7.2.8).
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/netlink.h"
#include "mip6/env.h"
#include "mip6/wire.h"
#include "mip6d/sys/icmp6_socket.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/rtnl.h"
#include "mip6d/sys/settings.h"
#include "mip6d/sys/vpn_gateway_internal.h"

#define MTU 1280 /* of what no policy takes; the others have that of their SA's path */

/* ---- routes and proxies ---- */

static struct rtnl_route route_to(const struct vpn_gateway *v, const struct in6_addr *internal)
{
	return (struct rtnl_route){.dst = *internal,
		.plen = 128,
		.metric = SYS_METRIC_VPN,
		.ifindex = v->ifindex,
		.prefsrc = v->source};
}

static void advertise(
	struct vpn_gateway *v, const struct vpn_link *l, const struct in6_addr *internal)
{
	struct icmp6_message m = {
		.type = ICMP6T_NA, .u.na = {.target = *internal, .override = true}};
	uint8_t data[128];
	struct mip6_packet p = {.src = l->link_local,
		.dst = in6_all_nodes,
		.ifindex = l->ifindex,
		.hop_limit = 255,
		.data = data};
	int err;

	if (in6_is_any(&l->link_local) || !l->mac_len || l->mac_len > sizeof(m.u.na.tlla.addr))
		return;
	m.u.na.tlla.len = (uint8_t)l->mac_len;
	memcpy(m.u.na.tlla.addr, l->mac, l->mac_len);
	p.len = icmp6_build(&m, data, sizeof(data));
	err = icmp6_socket_send(v->icmp6, &p);
	if (err)
		vpn_gateway_complain(v, "cannot advertise a node that is outside", err);
}

static int failed(struct vpn_gateway *v, const char *what, int err)
{
	snprintf(v->why, sizeof(v->why), "%s: %s", what, nlreq_why(v->rt));
	return err;
}

int vpn_links_take(struct vpn_gateway *v, const struct in6_addr *internal)
{
	struct rtnl_route r = route_to(v, internal);
	int err = nlreq_do(v->rt, rtnl_route_set(&r));

	if (err)
		return failed(v, "route", err);
	for (size_t i = 0; i < v->n_links; i++) {
		err = nlreq_do(v->rt, rtnl_proxy_set(v->links[i].ifindex, internal, false));
		/* Where it was is not where it will come back. */
		(void)nlreq_do(v->rt, rtnl_neighbour_del(v->links[i].ifindex, internal));
		if (err)
			return failed(v, "proxy", err);
		advertise(v, &v->links[i], internal);
	}
	return 0;
}

int vpn_links_give(struct vpn_gateway *v, const struct in6_addr *internal)
{
	struct rtnl_route r = route_to(v, internal);
	int err, rc = 0;

	for (size_t i = 0; i < v->n_links; i++) {
		err = nlreq_do(v->rt, rtnl_proxy_del(v->links[i].ifindex, internal));
		if (err && err != -ENOENT)
			rc = failed(v, "proxy", err);
	}
	err = nlreq_do(v->rt, rtnl_route_del(&r));
	return err && err != -ESRCH ? failed(v, "route", err) : rc;
}

/* ---- what a predecessor left ---- */

#define STALE 256 /* at a time */

struct stale {
	const struct vpn_gateway *v;
	size_t n;
	struct rtnl_neighbour found[STALE];
};

static bool is_outside(const struct vpn_gateway *v, const struct in6_addr *internal)
{
	struct vpn_node *n;

	HASH_FIND(hh, v->nodes, internal, sizeof(*internal), n);
	return n && n->outside;
}

static int stale_route(void *arg, const struct nlmsghdr *h)
{
	struct stale *s = arg;
	struct rtnl_route r;

	if (s->n < STALE && rtnl_route_read(h, &r) && r.ifindex == s->v->ifindex &&
		!is_outside(s->v, &r.dst))
		s->found[s->n++].addr = r.dst;
	return 0;
}

static int stale_proxy(void *arg, const struct nlmsghdr *h)
{
	struct stale *s = arg;
	struct rtnl_neighbour n;

	if (s->n < STALE && rtnl_neighbour_read(h, &n) && n.proxy && n.protocol == SYS_PROTOCOL &&
		!is_outside(s->v, &n.addr))
		s->found[s->n++] = n;
	return 0;
}

static int settle_proxies(struct vpn_gateway *v, const struct vpn_link *l)
{
	struct stale s = {.v = v};
	int err;

	do {
		s.n = 0;
		err = nlreq_dump(v->rt, rtnl_proxy_dump(l->ifindex), stale_proxy, &s);
		for (size_t i = 0; i < s.n && !err; i++)
			if (nlreq_do(v->rt, rtnl_proxy_del(l->ifindex, &s.found[i].addr)))
				s.n = 0; /* what cannot be removed is not asked for again */
	} while (!err && s.n == STALE);
	return err;
}

int vpn_links_settle(struct vpn_gateway *v)
{
	struct stale s = {.v = v};
	int err;

	do {
		s.n = 0;
		err = nlreq_dump(v->rt, rtnl_route_dump(), stale_route, &s);
		for (size_t i = 0; i < s.n && !err; i++) {
			struct rtnl_route r = route_to(v, &s.found[i].addr);

			if (nlreq_do(v->rt, rtnl_route_del(&r)))
				s.n = 0;
		}
	} while (!err && s.n == STALE);
	for (size_t i = 0; i < v->n_links && !err; i++)
		err = settle_proxies(v, &v->links[i]);
	return err;
}

/* ---- start and end ---- */

static int take_link(void *arg, const struct nlmsghdr *h)
{
	return rtnl_link_read(h, arg) ? 0 : -ENODEV;
}

static bool is_internal(const struct vpn_gateway *v, const struct in6_addr *a)
{
	for (size_t i = 0; i < v->config.n_internal; i++)
		if (in6_in_prefix(a, &v->internal[i].addr, v->internal[i].plen))
			return true;
	return false;
}

struct own_addresses {
	struct vpn_gateway *v;
	struct vpn_link *l;
};

static int note_address(void *arg, const struct nlmsghdr *h)
{
	struct own_addresses *o = arg;
	struct rtnl_address a;

	if (!rtnl_address_read(h, &a) || a.ifindex != o->l->ifindex)
		return 0;
	if (IN6_IS_ADDR_LINKLOCAL(&a.addr) && in6_is_any(&o->l->link_local))
		o->l->link_local = a.addr;
	else if (is_internal(o->v, &a.addr) && in6_is_any(&o->v->source))
		o->v->source = a.addr;
	return 0;
}

static int open_link(struct vpn_gateway *v, const char *name, char *err, size_t errlen)
{
	struct vpn_link *l = &v->links[v->n_links];
	struct own_addresses o = {v, l};
	struct rtnl_link info = {0};
	int rc = nlreq_get(v->rt, rtnl_link_get(name), take_link, &info);

	if (rc) {
		snprintf(
			err, errlen, "gateway.internal_interfaces: there is no interface %s", name);
		return rc;
	}
	l->ifindex = info.ifindex;
	l->mac_len = info.mac_len;
	memcpy(l->mac, info.mac, sizeof(l->mac));
	v->n_links++;
	return nlreq_dump(v->rt, rtnl_address_dump(l->ifindex), note_address, &o);
}

static int open_device(struct vpn_gateway *v, char *err, size_t errlen)
{
	struct rtnl_link info = {0};
	int rc = nlreq_get(v->rt, rtnl_link_get(SYS_VPN_DEVICE), take_link, &info);

	if (rc) {
		rc = nlreq_do(v->rt, rtnl_dummy_add(SYS_VPN_DEVICE));
		if (!rc)
			rc = nlreq_get(v->rt, rtnl_link_get(SYS_VPN_DEVICE), take_link, &info);
		if (!rc)
			rc = nlreq_do(v->rt, rtnl_link_no_local(info.ifindex));
	}
	if (!rc) {
		v->ifindex = info.ifindex;
		rc = nlreq_do(v->rt, rtnl_link_up(info.ifindex, MTU));
	}
	if (rc)
		snprintf(err, errlen, "cannot make the device %s (CONFIG_DUMMY): %s",
			SYS_VPN_DEVICE, nlreq_why(v->rt));
	return rc;
}

static int set(struct vpn_gateway *v, const char *kind, const char *device, const char *name,
	const char *value, char *err, size_t errlen)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "net/ipv6/%s/%s/%s", kind, device, name);
	rc = settings_set(v->settings, path, value);
	if (rc)
		snprintf(err, errlen, "cannot set %s to %s: %s", path, value, strerror(-rc));
	return rc;
}

static int open_settings(struct vpn_gateway *v, char *err, size_t errlen)
{
	int rc = set(v, "conf", "all", "forwarding", "1", err, errlen);

	for (size_t i = 0; i < v->config.n_interfaces && !rc; i++) {
		rc = set(v, "conf", v->interfaces[i], "proxy_ndp", "1", err, errlen);
		if (!rc) /* nobody else answers, so there is nothing to wait for */
			rc = set(v, "neigh", v->interfaces[i], "proxy_delay", "0", err, errlen);
	}
	return rc;
}

int vpn_links_open(struct vpn_gateway *v, char *err, size_t errlen)
{
	int rc = 0;

	v->icmp6 = icmp6_socket_open(NULL, 0, &rc);
	if (!v->icmp6) {
		snprintf(err, errlen, "no raw socket for ICMPv6: %s", strerror(-rc));
		return rc;
	}
	for (size_t i = 0; i < v->config.n_interfaces && !rc; i++)
		rc = open_link(v, v->interfaces[i], err, errlen);
	if (!rc)
		rc = open_settings(v, err, errlen);
	return rc ? rc : open_device(v, err, errlen);
}

/* The routes go with their device. */
void vpn_links_close(struct vpn_gateway *v)
{
	for (struct vpn_node *n = v->nodes; n && v->ifindex; n = n->hh.next)
		if (n->outside)
			vpn_links_give(v, &n->n.internal);
	if (v->ifindex)
		nlreq_do(v->rt, rtnl_link_del(v->ifindex));
	icmp6_socket_close(v->icmp6);
}
