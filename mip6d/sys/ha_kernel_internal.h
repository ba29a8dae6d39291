/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the home agent's side of the kernel. */
#ifndef MIP6D_SYS_HA_KERNEL_INTERNAL_H
#define MIP6D_SYS_HA_KERNEL_INTERNAL_H

#include <uthash.h>

#include "common/loop.h"
#include "lib/log.h"
#include "lib/netlink.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/nft.h"

#define PAIR_LEN 32 /* care-of address, inner source */
#define BATCH 1000
#define TUNNEL_MTU 1460 /* Ethernet less the outer header; the path's own comes from the route */

/* A home address as the kernel has it. */
struct forward {
	struct in6_addr home_address;
	struct in6_addr route; /* care-of address of the route; :: when there is none */
	struct in6_addr pair; /* of the pair in the set, or on its way there */
	struct in6_addr wire; /* told to ro; :: when not */
	bool claimed; /* asked for since the start */
	UT_hash_handle hh;
};

struct ha_kernel {
	struct ha_kernel_config config;
	struct sys_loop *loop;
	struct nlreq *rt, *xfrm, *nf;
	struct icmp6_socket *icmp6;
	struct settings *settings;
	struct store *store;
	struct ha_hold *hold;
	struct ipsec_glue *glue; /* borrowed; NULL: no IPsec */
	struct esp_filter *esp; /* with glue */
	struct ro_kernel *ro; /* borrowed; with SAs between home addresses */
	bool by_home_address;
	int ifindex; /* of the tunnel */
	struct forward *forwards;
	struct ha_networks *networks;
	size_t n_changes;
	struct nft_change changes[BATCH];
	struct sys_after flush;
	size_t n_proxies;
	struct in6_addr *proxies; /* of a predecessor, not asked for again yet */
	bool stopping;
	struct log_limit log;
};

/* ---- ha_kernel.c ---- */

struct forward *ha_kernel_forward_of(struct ha_kernel *k, const struct in6_addr *home_address);
int ha_kernel_forward_remove(struct ha_kernel *k, struct forward *f);
bool ha_kernel_registered(void *arg, const struct in6_addr *care_of, const struct in6_addr *inner);
int ha_kernel_proxy_del(void *ctx, int ifindex, const struct in6_addr *addr);

/* ---- ha_kernel_filter.c ---- */

int ha_kernel_load_rules(struct ha_kernel *k, char *err, size_t errlen);
void ha_kernel_complain(
	struct ha_kernel *k, const char *what, const struct in6_addr *addr, const char *why);
void ha_kernel_flush(void *arg);
void ha_kernel_change_pair(struct ha_kernel *k, const char *set, bool add,
	const struct in6_addr *care_of, const struct in6_addr *inner);
void ha_kernel_change_network(void *arg, const char *set, bool add, const struct in6_addr *care_of,
	const struct in6_addr *network);
/*
 * Adding what is there does not start its time anew, and deleting what is not
 * there fails: so it is added, deleted and added.
 */
void ha_kernel_retire_pair(
	struct ha_kernel *k, const struct in6_addr *care_of, const struct in6_addr *inner);

#endif
