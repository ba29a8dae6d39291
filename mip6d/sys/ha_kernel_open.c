/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent's side of the kernel: what a predecessor left there, start and end. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/xfrm.h"
#include "lib/addr.h"
#include "mip6d/sys/ha_hold.h"
#include "mip6d/sys/ha_kernel_internal.h"
#include "mip6d/sys/ha_networks.h"
#include "mip6d/sys/ha_unreachable.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/rtnl.h"
#include "mip6d/sys/settings.h"

/* ---- what a predecessor left ---- */

static int take_route(void *arg, const struct nlmsghdr *h)
{
	struct ha_kernel *k = arg;
	struct rtnl_route r;
	struct forward *f;

	if (!rtnl_route_read(h, &r) || r.ifindex != k->ifindex || !r.encap ||
		ha_networks_take_route(k->networks, &r) || r.plen != 128)
		return 0;
	f = ha_kernel_forward_of(k, &r.dst);
	if (!f)
		return -ENOMEM;
	if (in6_equal(&r.encap_src, &k->config.address))
		f->route = r.encap_dst; /* else written anew when it is claimed */
	return 0;
}

static int take_pair(void *arg, const uint8_t *key)
{
	struct ha_kernel *k = arg;
	struct in6_addr care_of, inner;
	struct forward *f;

	memcpy(&care_of, key, 16);
	memcpy(&inner, key + 16, 16);
	f = ha_kernel_forward_of(k, &inner);
	if (!f)
		return -ENOMEM;
	if (!in6_is_any(&f->pair) && !in6_equal(&f->pair, &care_of))
		ha_kernel_change_pair(k, SYS_NFT_BINDINGS, false, &care_of,
			&inner); /* killed between adding and deleting */
	else
		f->pair = care_of;
	return 0;
}

static int take_proxy(void *arg, const struct nlmsghdr *h)
{
	struct ha_kernel *k = arg;
	struct rtnl_neighbour n;
	struct in6_addr *more;

	if (!rtnl_neighbour_read(h, &n) || !n.proxy || n.protocol != SYS_PROTOCOL ||
		n.ifindex != k->config.home_ifindex)
		return 0;
	for (size_t i = 0; i < k->n_proxies; i++)
		if (in6_equal(&k->proxies[i], &n.addr))
			return 0;
	more = realloc(k->proxies, (k->n_proxies + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	k->proxies = more;
	k->proxies[k->n_proxies++] = n.addr;
	return 0;
}

static int take_over(struct ha_kernel *k)
{
	int err = nlreq_dump(k->rt, rtnl_route_dump(), take_route, k);

	if (!err)
		err = nft_dump(k->nf, SYS_NFT_BINDINGS, PAIR_LEN, take_pair, k);
	if (!err)
		err = ha_networks_take_pairs(k->networks);
	if (!err)
		err = ha_unreachable_set(k->rt, k->config.networks, k->config.n_networks);
	if (!err && k->config.home_ifindex)
		err = nlreq_dump(k->rt, rtnl_proxy_dump(k->config.home_ifindex), take_proxy, k);
	return err;
}

void ha_kernel_reconcile(struct ha_kernel *k)
{
	struct forward *f, *next;
	size_t n = 0;

	HASH_ITER(hh, k->forwards, f, next) {
		if (f->claimed)
			continue;
		ha_kernel_forward_remove(k, f);
		n++;
	}
	n += ha_networks_reconcile(k->networks);
	for (size_t i = 0; i < k->n_proxies; i++)
		ha_kernel_proxy_del(k, k->config.home_ifindex, &k->proxies[i]);
	if (n || k->n_proxies)
		log_info("removed what a former mip6d left: %zu routes, %zu proxies", n,
			k->n_proxies);
	k->n_proxies = 0;
	ha_kernel_flush(k);
}

/* ---- start and end ---- */

struct wanted {
	const char *kind, *device, *name, *value; /* net/ipv6/KIND/DEVICE/NAME */
};

static int sysctl_of(struct ha_kernel *k, struct wanted w, char *err, size_t errlen)
{
	const char *value = w.value;
	char name[128];
	int rc;

	snprintf(name, sizeof(name), "net/ipv6/%s/%s/%s", w.kind, w.device, w.name);
	rc = settings_set(k->settings, name, value);
	if (rc)
		snprintf(err, errlen, "cannot set %s to %s: %s", name, value, strerror(-rc));
	return rc;
}

static int keep_forwarding(void *arg, const struct nlmsghdr *h)
{
	struct ha_kernel *k = arg;
	char name[128];
	struct rtnl_link l;

	if (!rtnl_link_read(h, &l) || l.ifindex == k->ifindex)
		return 0;
	snprintf(name, sizeof(name), "net/ipv6/conf/%s/forwarding", l.name);
	settings_keep(k->settings, name);
	return 0;
}

/* Forwarding is asked of all and of the home link; setting the first sets every device. */
static int set_sysctls(struct ha_kernel *k, char *err, size_t errlen)
{
	const char *link = k->config.home_link;
	const struct wanted home[] = {{"conf", link, "forwarding", "1"},
		{"conf", "all", "proxy_ndp", "1"}, {"conf", link, "proxy_ndp", "1"},
		{"neigh", link, "proxy_delay", "0"}};
	char now[8] = "";
	int rc = 0;

	sysctl_read("net/ipv6/conf/all/forwarding", now, sizeof(now));
	if (strcmp(now, "1") != 0) {
		rc = nlreq_dump(k->rt, rtnl_link_dump(), keep_forwarding, k);
		settings_keep(k->settings, "net/ipv6/conf/default/forwarding");
	}
	if (!rc)
		rc = sysctl_of(k, (struct wanted){"conf", "all", "forwarding", "1"}, err, errlen);
	if (!k->config.home_ifindex)
		return rc;
	/* "all" as well: only then are solicitations to the address itself answered (RFC 4861 7.3.3) */
	for (size_t i = 0; i < sizeof(home) / sizeof(home[0]) && !rc; i++)
		rc = sysctl_of(k, home[i], err, errlen);
	return rc;
}

static int take_link(void *arg, const struct nlmsghdr *h)
{
	return rtnl_link_read(h, arg) ? 0 : -ENODEV;
}

static int set_device(struct ha_kernel *k, char *err, size_t errlen)
{
	struct rtnl_tunnel t = {.name = k->config.tunnel, .external = true, .mtu = TUNNEL_MTU};
	struct rtnl_link l = {0};
	int rc = nlreq_get(k->rt, rtnl_link_get(t.name), take_link, &l);

	if (!rc && !(l.is_tunnel && l.external)) {
		snprintf(err, errlen,
			"there is an interface %s that is no tunnel of mip6d; remove it, or give "
			"another name as `tunnel`",
			t.name);
		return -EEXIST;
	}
	if (rc) {
		rc = nlreq_do(k->rt, rtnl_tunnel_add(&t));
		if (!rc)
			rc = nlreq_get(k->rt, rtnl_link_get(t.name), take_link, &l);
		if (!rc)
			rc = nlreq_do(k->rt, rtnl_link_no_local(l.ifindex));
	}
	if (!rc) {
		k->ifindex = l.ifindex;
		rc = nlreq_do(k->rt, rtnl_link_up(l.ifindex, TUNNEL_MTU));
	}
	if (rc == -EEXIST)
		snprintf(err, errlen,
			"cannot make %s: there is another `ip6tnl external` device, and the kernel "
			"allows one only; remove it",
			t.name);
	else if (rc)
		snprintf(err, errlen, "cannot make the tunnel %s (CONFIG_IPV6_TUNNEL): %s", t.name,
			nlreq_why(k->rt));
	return rc;
}

static int open_all(struct ha_kernel *k, char *err, size_t errlen)
{
	int rc;

	snprintf(err, errlen,
		"no netlink (CAP_NET_ADMIN, CONFIG_XFRM_USER, CONFIG_NETFILTER_NETLINK)");
	rc = nlreq_open_three(&k->rt, &k->xfrm, &k->nf);
	if (!rc)
		k->networks = ha_networks_new(k->rt, k->nf, ha_kernel_change_network, k);
	if (!rc && !k->networks)
		rc = -ENOMEM;
	if (rc)
		return rc;
	/* The queue first: it can have one listener, so it tells whether another daemon runs. */
	k->hold = ha_hold_open(k->loop, ha_kernel_registered, k, &rc);
	if (rc) {
		snprintf(err, errlen,
			"cannot listen to packet queue %d (another mip6d, or another "
			"program, has it): %s",
			SYS_QUEUE_UNKNOWN, strerror(-rc));
		return rc;
	}
	/* The check before the device: nothing must come out of it unchecked. */
	rc = ha_kernel_load_rules(k, err, errlen);
	if (!rc)
		rc = set_device(k, err, errlen);
	if (!rc)
		rc = set_sysctls(k, err, errlen);
	if (rc)
		return rc;
	rc = xfrm_accept_hao(k->xfrm);
	if (!rc)
		rc = xfrm_accept_icmp6(k->xfrm, &k->config.address, SYS_MARK);
	if (rc) {
		snprintf(err, errlen,
			"the kernel cannot take Home Address options (CONFIG_IPV6_MIP6): %s",
			nlreq_why(k->xfrm));
		return rc;
	}
	ha_networks_device(k->networks, k->ifindex, &k->config.address);
	rc = take_over(k);
	if (rc) {
		snprintf(err, errlen, "cannot read what is in the kernel already: %s",
			strerror(-rc));
		return rc;
	}
	return 0;
}

struct ha_kernel *ha_kernel_open(const struct ha_kernel_config *c, struct sys_loop *loop,
	struct icmp6_socket *icmp6, struct settings *settings, struct store *store, char *err,
	size_t errlen)
{
	struct ha_kernel *k = calloc(1, sizeof(*k));

	if (!k) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	k->config = *c;
	k->loop = loop;
	k->icmp6 = icmp6;
	k->settings = settings;
	k->store = store;
	k->flush = (struct sys_after){.fn = ha_kernel_flush, .arg = k};
	k->log = (struct log_limit)LOG_LIMIT_INIT(10, 6);
	if (open_all(k, err, errlen)) {
		/* What a predecessor left may still serve: remove only if there was none. */
		ha_kernel_close(k, k->hold && !k->forwards);
		return NULL;
	}
	return k;
}

void ha_kernel_stopping(struct ha_kernel *k)
{
	k->stopping = true;
}

static void remove_all(struct ha_kernel *k)
{
	char why[256];

	if (k->ifindex)
		nlreq_do(k->rt, rtnl_link_del(k->ifindex)); /* and with it all routes */
	if (k->rt)
		ha_unreachable_set(k->rt, NULL, 0);
	if (k->xfrm) {
		xfrm_refuse_icmp6(k->xfrm, &k->config.address, SYS_MARK);
		xfrm_refuse_hao(k->xfrm);
	}
	k->n_proxies = 0;
	if (k->rt && k->config.home_ifindex)
		nlreq_dump(k->rt, rtnl_proxy_dump(k->config.home_ifindex), take_proxy, k);
	for (size_t i = 0; i < k->n_proxies; i++)
		ha_kernel_proxy_del(k, k->config.home_ifindex, &k->proxies[i]);
	if (k->nf)
		nft_load("add table ip6 " SYS_NFT_TABLE "\ndelete table ip6 " SYS_NFT_TABLE "\n",
			false, why, sizeof(why));
	settings_restore(k->settings);
}

void ha_kernel_close(struct ha_kernel *k, bool remove)
{
	struct forward *f, *next;

	if (!k)
		return;
	if (!remove && k->nf)
		ha_kernel_flush(k);
	sys_loop_after_cancel(k->loop, &k->flush);
	ha_hold_close(k->hold);
	if (remove)
		remove_all(k);
	ha_kernel_unprotect(k, remove);
	HASH_ITER(hh, k->forwards, f, next) {
		HASH_DEL(k->forwards, f);
		free(f);
	}
	ha_networks_free(k->networks);
	nlreq_close(k->rt);
	nlreq_close(k->xfrm);
	nlreq_close(k->nf);
	free(k->proxies);
	free(k);
}

void ha_kernel_stats(const struct ha_kernel *k, struct ha_kernel_stats *s)
{
	const struct ha_hold_stats *h = ha_hold_stats(k->hold);

	*s = (struct ha_kernel_stats){.held = h->held,
		.released = h->released,
		.dropped = h->dropped,
		.bindings = HASH_COUNT(k->forwards),
		.networks = ha_networks_count(k->networks)};
}
