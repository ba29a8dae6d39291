/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mobile node's half of the kernel: struct mn_ops over rtnetlink, XFRM,
 * nftables and a packet queue (RFC 6275 11.3, 11.5).
 *
 *   NAME      ip6tnl care-of address -> home agent: sends; it carries the
 *             home address as well, so that no socket ever loses it
 *   NAMEr     ip6tnl anything -> home agent: receives at every address of
 *             this host, so at the care-of address before as long as that
 *             one is configured
 *   rule      from the home address: table T: the tunnel, or the home link,
 *             or unreachable; never anything else
 *   rules     from each care-of address: table T+1, T+2, ... of its interface
 *   XFRM      the Home Address option of Binding Updates, the right to
 *             receive type 2 routing headers
 *   table ip6 mip6d   see mn_hold.h
 *
 * Care-of addresses have no prefix route: that an address was formed from a
 * prefix does not mean that the prefix is on the link (RFC 5942).
 *
 * With foreign_tunnel NAME only stands in for a route while packets wait, and
 * T leads to the router of the care-of address: XFRM takes them from there.
 *
 * Order of calls: mn_kernel_open(), mn_kernel_stored(), mn_new(),
 * mn_kernel_start(), the loop; mn_kernel_reconcile() once the node has found
 * its place; at a clean stop mn_shutdown(), mn_kernel_close(k, true).
 */
#ifndef SYS_MN_KERNEL_H
#define SYS_MN_KERNEL_H

#include <net/if.h>

#include "mip6/env.h"
#include "mip6d/sys/mn_networks.h"
#include "mip6d/sys/watch.h"

struct mn_kernel; /* opaque */
struct esp_filter_config; /* esp_filter.h: tunnel and pauses are filled in */
struct ipsec_glue;
struct ro_kernel;
struct settings;
struct store;
struct store_mn_record;
struct sys_loop;

#define MN_KERNEL_INTERFACES 16

struct mn_kernel_config {
	struct in6_addr home_address, home_agent;
	char tunnel[IFNAMSIZ]; /* NAME */
	uint32_t table; /* T */
	bool optimistic_dad;
	bool foreign_tunnel; /* see mn_config: the tunnel and the home address in it are another daemon's */
	struct mn_networks_config networks; /* behind this node, if it is a mobile router */
	size_t n_interfaces;
	struct {
		int ifindex;
		char name[IFNAMSIZ];
	} interfaces[MN_KERNEL_INTERFACES];
};

/*
 * Bring everything into place, or take it over.  The others are borrowed and
 * must live longer; store may be NULL.  events: what happens on the managed
 * interfaces, from mn_kernel_start() on.  NULL, with what is missing and the
 * remedy in err.
 */
struct mn_kernel *mn_kernel_open(const struct mn_kernel_config *c, struct sys_loop *loop,
	struct settings *settings, struct store *store, const struct watch_ops *events,
	void *events_ctx, char *err, size_t errlen);
/* An internal address, which leaves by way of the home address while its node is outside; it is inside until told otherwise. */
int mn_kernel_internal(
	struct mn_kernel *k, const struct in6_addr *internal, char *err, size_t errlen);
int mn_kernel_outside(struct mn_kernel *k, bool outside);
/* The operations; their context is the struct mn_kernel. */
extern const struct mn_ops mn_kernel_ops;
/* The binding of before a restart; false when there is none for this home address. */
bool mn_kernel_stored(struct mn_kernel *k, struct store_mn_record *r);
/* foreign_tunnel: the tunnel's inner address, and the gateway to which it leads. */
int mn_kernel_tunnel_is(
	struct mn_kernel *k, const struct in6_addr *inner, const struct in6_addr *gateway);
/* Who watches the traffic of the home address (mn_ops.ro_watch); NULL: nobody. */
void mn_kernel_watches(struct mn_kernel *k, struct ro_kernel *ro);
/*
 * From now on glue protects what is said to home agents that it knows, and
 * the tunnel.  unprotect: no more, and with
 * remove nothing is left of it in the packet filter.
 */
int mn_kernel_protect(struct mn_kernel *k, struct ipsec_glue *glue, const struct esp_filter_config *c,
	char *err, size_t errlen);
void mn_kernel_unprotect(struct mn_kernel *k, bool remove);
/* For struct ipsec_glue_ops. */
int mn_kernel_pause(struct mn_kernel *k, bool on);
void mn_kernel_moved(struct mn_kernel *k, const struct in6_addr *from, const struct in6_addr *care_of);
/* An IKE daemon has made SAs. */
void mn_kernel_keyed(struct mn_kernel *k);
/* A Mobility Header for the home address without a routing header came through the tunnel's SA. */
bool mn_kernel_by_sa(const struct mn_kernel *k);
/* Do packets that arrive on this interface come out of the tunnel (MIP6_PKT_TUNNELED)? */
bool mn_kernel_tunneled(const struct mn_kernel *k, int ifindex);
/* Tell how links and addresses are, and from now on what changes. */
int mn_kernel_start(struct mn_kernel *k);
/* Remove care-of addresses and rules of a predecessor that nothing asked for since the start. */
void mn_kernel_reconcile(struct mn_kernel *k);
/* remove: take everything out of the kernel and put settings back; else leave it to the next one. */
void mn_kernel_close(struct mn_kernel *k, bool remove);

struct mn_kernel_stats {
	uint64_t held, released, dropped; /* packets of the home address, see mn_hold.h */
};
void mn_kernel_stats(const struct mn_kernel *k, struct mn_kernel_stats *s);

#endif
