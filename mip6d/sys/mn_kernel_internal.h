/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between mn_kernel.c (start, take-over, end) and mn_ops.c (the operations). */
#ifndef SYS_MN_KERNEL_INTERNAL_H
#define SYS_MN_KERNEL_INTERNAL_H

#include "mip6d/sys/mn_hold.h"
#include "mip6d/sys/mn_kernel.h"
#include "lib/netlink.h"
#include "mip6d/sys/rtnl.h"

#define MN_MAX_ADDRESSES 64

/* A care-of address that packets are routed by, and the interface they leave from. */
struct mn_source {
	int ifindex;
	struct in6_addr care_of;
};

struct mn_configured {
	int ifindex;
	struct in6_addr addr;
	uint8_t plen;
};

enum mn_way { MN_WAY_NONE, MN_WAY_TUNNEL, MN_WAY_HOME, MN_WAY_FOREIGN };

struct mn_kernel {
	struct mn_kernel_config config;
	struct sys_loop *loop;
	struct nlreq *rt, *xfrm, *nf;
	struct settings *settings;
	struct store *store;
	struct watch *watch;
	struct mn_hold *hold;
	struct ro_kernel *ro; /* borrowed */
	struct ipsec_glue *glue; /* borrowed; NULL: no IPsec */
	struct esp_filter *esp; /* with glue */
	bool by_home_address; /* its SAs end there */
	struct in6_addr wire[2]; /* care-of address and home agent that carry them; ::: none */
	struct in6_addr agent; /* of the tunnel that the glue knows */
	bool ike; /* an IKE daemon makes its SAs */
	bool paused; /* by the glue, not by the core */
	bool all_by_sa; /* payload protection */
	struct timer sa_wait; /* runs: the core has ended a hold, which goes on until there are SAs */
	int send_ifindex, receive_ifindex;
	struct in6_addr local, remote; /* of the sending tunnel */
	enum mn_way way; /* of what the home address sends */
	int home_ifindex; /* the home address is on it; 0: none */
	uint8_t home_plen;
	struct in6_addr main_router; /* where that leads */
	struct in6_addr gateway; /* foreign_tunnel: routed by mn_foreign_source(); :: none */
	struct in6_addr source; /* from which it is reached; :: none yet */
	int main_ifindex; /* of our default route in the main table; 0: none */
	size_t n_sources, n_addresses;
	struct mn_source sources[MN_MAX_ADDRESSES];
	struct mn_configured addresses[MN_MAX_ADDRESSES];
};

/* ---- mn_esp.c: all do nothing without IPsec ---- */

/* Signalling for peer is the glue's business. */
bool mn_esp_protects(const struct mn_kernel *k, const struct in6_addr *peer);
/* The tunnel ends at care_of, at this home agent. */
int mn_esp_away(struct mn_kernel *k, const struct in6_addr *home_agent, const struct in6_addr *care_of);
/* No tunnel. */
int mn_esp_home(struct mn_kernel *k);
/* What was held may leave by the tunnel, now or as soon as it has SAs. */
int mn_esp_let_go(struct mn_kernel *k, const struct in6_addr *home_agent);

/* mn_kernel.c: nothing happens as long as there is no home address */
int mn_home_address_set(struct mn_kernel *k);
int mn_home_rule_set(struct mn_kernel *k);

/* mn_ops.c */
int mn_default_route(struct mn_kernel *k, uint32_t table, int ifindex,
	const struct in6_addr *router, uint32_t mtu);

/* mn_foreign.c: nothing leaves in clear; the inner address sends through the tunnel; the IKE daemon sends from care_of */
int mn_foreign_open(struct mn_kernel *k, char *err, size_t errlen);
int mn_foreign_route(struct mn_kernel *k);
int mn_foreign_source(struct mn_kernel *k, const struct in6_addr *care_of);

/* err, or 0 when it says that what was to be removed is not there. */
int mn_gone_is_fine(int err);
/* The routing table of an interface; 0 when it is not managed. */
uint32_t mn_table_of(const struct mn_kernel *k, int ifindex);

#endif
