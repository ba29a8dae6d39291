/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spoofing.  The one device takes IPv6 in IPv6 from anybody, so the pair of
 * addresses is checked before (RFC 6275 10.4.5: MUST): the outer packet is
 * looked up in the set and gets a bit of the packet mark, and what comes out
 * of the device without that bit is dropped.  So nothing slips past by other
 * addresses of this host or by fragments: the bit of a reassembled packet is
 * that of its first fragment, which holds the inner header.
 *
 * Packets under way.  What a node sent from its former care-of address while
 * that was the right one may arrive after the Binding Update from the new
 * one.  That pair stays good for three seconds; it was verified once, and
 * nobody but the node could use it before.
 *
 * Loops.  A care-of address that is itself a home address would send packets
 * into the tunnel again; the binding is refused.  Should one become a home
 * address later, the kernel drops what would enter the device twice.
 *
 * Mobile Prefix Solicitations come with a Home Address option (9.3.1).  Those
 * of a pair in the set get the bit, too, and a policy lets in ICMPv6 behind
 * the option with the bit alone: an echo request with a false home address
 * must not be answered.  The option is where 6.3 puts it when it is alone.
 *
 * Sets change in batches, at the end of the turn of the loop: what comes
 * through the tunnel meanwhile is held (ha_hold.c) and let go right after.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/glue.h"
#include "lib/addr.h"
#include "mip6d/sys/esp_filter.h"
#include "mip6d/sys/ha_kernel_internal.h"
#include "mip6d/sys/ha_networks.h"
#include "mip6d/sys/icmp6_socket.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/ro_kernel.h"
#include "mip6d/sys/rtnl.h"
#include "mip6d/sys/store.h"

/* ---- forwarding ---- */

static struct forward *find(struct ha_kernel *k, const struct in6_addr *home_address)
{
	struct forward *f;

	HASH_FIND(hh, k->forwards, home_address, sizeof(*home_address), f);
	return f;
}

struct forward *ha_kernel_forward_of(struct ha_kernel *k, const struct in6_addr *home_address)
{
	struct forward *f = find(k, home_address);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->home_address = *home_address;
	HASH_ADD(hh, k->forwards, home_address, sizeof(f->home_address), f);
	return f;
}

static struct rtnl_route route_of(const struct ha_kernel *k, const struct in6_addr *home_address)
{
	return (struct rtnl_route){.dst = *home_address, .plen = 128, .ifindex = k->ifindex};
}

static int set_route(struct ha_kernel *k, struct forward *f, const struct in6_addr *care_of)
{
	struct rtnl_route r = route_of(k, &f->home_address);
	int err;

	if (in6_equal(&f->route, care_of))
		return 0; /* a predecessor's, or a refresh */
	r.encap = true;
	r.encap_src = k->config.address;
	r.encap_dst = *care_of;
	err = nlreq_do(k->rt, rtnl_route_set(&r));
	if (!err)
		f->route = *care_of;
	return err;
}

static void set_pair_of(struct ha_kernel *k, struct forward *f, const struct in6_addr *care_of)
{
	if (in6_equal(&f->pair, care_of))
		return;
	if (!in6_is_any(&f->pair))
		ha_kernel_retire_pair(k, &f->pair, &f->home_address);
	if (!in6_is_any(care_of))
		ha_kernel_change_pair(k, SYS_NFT_BINDINGS, true, care_of, &f->home_address);
	f->pair = *care_of;
}

static void carried(struct ha_kernel *k, struct forward *f, const struct in6_addr *care_of)
{
	if (!k->ro || !k->by_home_address || in6_equal(&f->wire, care_of))
		return;
	if (!in6_is_any(&f->wire))
		ro_kernel_wire(k->ro, &k->config.address, &f->wire, false);
	f->wire = *care_of;
	if (!in6_is_any(care_of))
		ro_kernel_wire(k->ro, &k->config.address, care_of, true);
}

static int forward_set(
	void *ctx, const struct in6_addr *home_address, const struct in6_addr *care_of)
{
	struct ha_kernel *k = ctx;
	struct forward *f, *loop = find(k, care_of);
	int err;

	if (in6_equal(home_address, care_of) || (loop && !in6_is_any(&loop->route)))
		return -ELOOP;
	f = ha_kernel_forward_of(k, home_address);
	if (!f)
		return -ENOMEM;
	f->claimed = true;
	err = k->glue ? ipsec_glue_bind(k->glue, home_address, &k->config.address, care_of) : 0;
	if (err)
		ha_kernel_complain(k, "protect the tunnel to", home_address, ipsec_glue_why(k->glue));
	if (!err)
		err = set_route(k, f, care_of);
	if (!err)
		set_pair_of(k, f, care_of);
	if (!err)
		carried(k, f, care_of);
	return err ? err : ha_networks_move(k->networks, home_address, care_of);
}

static int forward_networks(void *ctx, const struct in6_addr *home_address,
	const struct ip6_prefix *networks, size_t n)
{
	struct ha_kernel *k = ctx;
	struct forward *f = find(k, home_address);

	int err;

	if (!f || k->stopping)
		return n ? -ENOENT : 0;
	err = k->glue ? ipsec_glue_networks(k->glue, home_address, &k->config.address, networks, n) : 0;
	return err ? err : ha_networks_set(k->networks, home_address, &f->route, networks, n);
}

int ha_kernel_forward_remove(struct ha_kernel *k, struct forward *f)
{
	struct rtnl_route r = route_of(k, &f->home_address);
	int err = ha_networks_set(k->networks, &f->home_address, &in6addr_any, NULL, 0), e;

	set_pair_of(k, f, &in6addr_any);
	carried(k, f, &in6addr_any);
	if (!in6_is_any(&f->route)) {
		e = nlreq_do(k->rt, rtnl_route_del(&r));
		err = err ? err : e;
	}
	/* Behind the route: what it sent is protected to the last packet. */
	if (k->glue && !k->stopping) {
		e = ipsec_glue_unbind(k->glue, &f->home_address, &k->config.address);
		err = err ? err : e;
	}
	/*
	 * A node that comes home may do so by another interface than it left by:
	 * the home agent asks for its link-layer address, and the node answers
	 * even before the acknowledgement (RFC 6275 11.5.5).
	 */
	if (k->config.home_ifindex)
		(void)nlreq_do(k->rt, rtnl_neighbour_del(k->config.home_ifindex, &f->home_address));
	HASH_DEL(k->forwards, f);
	free(f);
	return err == -ESRCH ? 0 : err;
}

static int forward_del(void *ctx, const struct in6_addr *home_address)
{
	struct ha_kernel *k = ctx;
	struct forward *f = find(k, home_address);

	return f && !k->stopping ? ha_kernel_forward_remove(k, f) : 0;
}

bool ha_kernel_registered(void *arg, const struct in6_addr *care_of, const struct in6_addr *inner)
{
	struct ha_kernel *k = arg;
	struct forward *f = find(k, inner);

	return (f && in6_equal(&f->pair, care_of)) ||
	       ha_networks_registered(k->networks, care_of, inner);
}

/* ---- IPsec ---- */

int ha_kernel_protect(struct ha_kernel *k, struct ipsec_glue *glue, const struct esp_filter_config *c,
	char *err, size_t errlen)
{
	struct esp_filter_config mine = *c;

	mine.tunnel = k->config.tunnel;
	mine.pauses = true;
	k->esp = esp_filter_open(&mine, k->loop, k->nf, err, errlen);
	if (!k->esp)
		return -EINVAL;
	k->glue = glue;
	k->by_home_address = c->by_home_address;
	return 0;
}

void ha_kernel_unprotect(struct ha_kernel *k, bool remove)
{
	esp_filter_close(k->esp, remove);
	k->esp = NULL;
	k->glue = NULL;
}

void ha_kernel_watches(struct ha_kernel *k, struct ro_kernel *ro)
{
	struct forward *f, *next;

	k->ro = ro;
	HASH_ITER(hh, k->forwards, f, next)
		carried(k, f, &f->route);
}

int ha_kernel_pause(struct ha_kernel *k, const struct in6_addr *home_address, bool on)
{
	return esp_filter_pause(k->esp, home_address, on);
}

/* ---- the home link ---- */

static int proxy_add(void *ctx, int ifindex, const struct in6_addr *addr, bool router)
{
	struct ha_kernel *k = ctx;

	for (size_t i = 0; i < k->n_proxies; i++) {
		if (!in6_equal(&k->proxies[i], addr))
			continue;
		k->proxies[i] = k->proxies[--k->n_proxies];
		break;
	}
	return nlreq_do(k->rt, rtnl_proxy_set(ifindex, addr, router));
}

int ha_kernel_proxy_del(void *ctx, int ifindex, const struct in6_addr *addr)
{
	struct ha_kernel *k = ctx;
	int err = nlreq_do(k->rt, rtnl_proxy_del(ifindex, addr));

	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

static int dad_listen(void *ctx, int ifindex, const struct in6_addr *addr, bool on)
{
	struct ha_kernel *k = ctx;

	return icmp6_socket_group(k->icmp6, ifindex, addr, on);
}

static void put(void *ctx, const struct ha_binding_record *r)
{
	struct ha_kernel *k = ctx;

	if (k->store)
		store_put(k->store, r);
}

static void del(void *ctx, const struct in6_addr *home_address)
{
	struct ha_kernel *k = ctx;

	if (k->store)
		store_del(k->store, home_address);
}

const struct ha_ops ha_kernel_ops = {
	.forward_set = forward_set,
	.forward_del = forward_del,
	.proxy_add = proxy_add,
	.proxy_del = ha_kernel_proxy_del,
	.dad_listen = dad_listen,
	.store_put = put,
	.store_del = del,
	.forward_networks = forward_networks,
};

void ha_kernel_stored(
	struct ha_kernel *k, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg)
{
	if (k->store)
		store_foreach(k->store, fn, arg);
}
