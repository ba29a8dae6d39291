/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent's half of the kernel: struct ha_ops over rtnetlink, XFRM,
 * nftables, a packet queue and the file of bindings (RFC 6275 10.4).
 *
 *   NAME                 one ip6tnl device, `external`, for all bindings
 *   HOME/128 encap ...   one route a binding, protocol SYS_PROTOCOL
 *   table ip6 mip6d      the pairs (care-of address, home address) that may
 *                        come back through the tunnel, and what checks them
 *   networks             of mobile routers, see ha_networks.h
 *   XFRM                 the right to receive Home Address options with
 *                        Mobility Headers
 *   proxies              on the home link, protocol SYS_PROTOCOL
 *
 * All of it serves on when the daemon is killed; the next one finds it, and
 * ha_kernel_reconcile() removes what no restored binding claimed.
 *
 * Order of calls: ha_kernel_open(), ha_kernel_stored() with ha_restore() for
 * each, ha_kernel_reconcile(), the loop; at a clean stop
 * ha_kernel_stopping(), ha_withdraw(), ha_kernel_close(k, true).
 */
#ifndef SYS_HA_KERNEL_H
#define SYS_HA_KERNEL_H

#include <net/if.h>

#include "lib/prefix_table.h"
#include "mip6/env.h"

struct ha_kernel; /* opaque */
struct esp_filter_config; /* esp_filter.h: tunnel and pauses are filled in */
struct ipsec_glue;
struct ro_kernel;
struct icmp6_socket;
struct settings;
struct store;
struct sys_loop;

struct ha_kernel_config {
	struct in6_addr address; /* the home agent's: the tunnels' end */
	char tunnel[IFNAMSIZ]; /* name of the device */
	int home_ifindex; /* 0: virtual home link */
	char home_link[IFNAMSIZ];
	const struct prefix_row *networks; /* of mobile routers (ha_unreachable.h) */
	size_t n_networks;
};

/*
 * Bring everything into place, or take it over.  The others are borrowed and
 * must live longer; store may be NULL.  NULL, with what is missing and the
 * remedy in err; nothing new is left in the kernel then.
 */
struct ha_kernel *ha_kernel_open(const struct ha_kernel_config *c, struct sys_loop *loop,
	struct icmp6_socket *icmp6, struct settings *settings, struct store *store, char *err,
	size_t errlen);
/* The operations; their context is the struct ha_kernel. */
extern const struct ha_ops ha_kernel_ops;
/* As mn_kernel_protect() and its like. */
int ha_kernel_protect(struct ha_kernel *k, struct ipsec_glue *glue, const struct esp_filter_config *c,
	char *err, size_t errlen);
void ha_kernel_unprotect(struct ha_kernel *k, bool remove);
/* Who hears of errors on the way of SAs between home addresses; NULL: nobody. */
void ha_kernel_watches(struct ha_kernel *k, struct ro_kernel *ro);
int ha_kernel_pause(struct ha_kernel *k, const struct in6_addr *home_address, bool on);
/* Calls fn for each stored binding that has time left. */
void ha_kernel_stored(
	struct ha_kernel *k, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg);
/* Remove routes, pairs and proxies of a predecessor that nothing asked for since the start. */
void ha_kernel_reconcile(struct ha_kernel *k);
/* From now on withdrawing is left to ha_kernel_close(), which does all at once. */
void ha_kernel_stopping(struct ha_kernel *k);
/* remove: take everything out of the kernel; else leave it to the next one. */
void ha_kernel_close(struct ha_kernel *k, bool remove);

struct ha_kernel_stats {
	uint64_t held, released, dropped; /* see ha_hold.h */
	uint64_t bindings, networks; /* in the kernel */
};
void ha_kernel_stats(const struct ha_kernel *k, struct ha_kernel_stats *s);

#endif
