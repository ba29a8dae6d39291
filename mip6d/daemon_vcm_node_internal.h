/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between daemon_vcm_node.c (what stands between vcm/node.h and the rest) and daemon_vcm_path.c (direct paths, secrets). */
#ifndef MIP6D_DAEMON_VCM_NODE_INTERNAL_H
#define MIP6D_DAEMON_VCM_NODE_INTERNAL_H

#include "mip6d/daemon_internal.h"
#include "mip6d/daemon_vcm_node.h"
#include "vcm/node.h"

struct wanted { /* a peer to which the direct path is wanted, or with which a secret is shared */
	struct wanted *next;
	struct in6_addr home;
	bool path, kcn;
};

struct daemon_vcm_node {
	struct daemon *d;
	const struct config_vpn *config;
	struct in6_addr internal, home; /* the same in embodiment 2 */
	int fd;
	struct ipsec_sessions *kernel;
	struct vcm_node *node;
	struct wanted *wanted;
	bool outside;
	struct timer left;
};

/* vcm_node_ops */
void daemon_vcm_path(void *ctx, const struct in6_addr *peer_home, bool on);
void daemon_vcm_share(void *ctx, const struct in6_addr *peer_home, const struct rr_shared *kcn);
/* Ours is bound there and in use, the peer's is bound here: the node hears whether. */
void daemon_vcm_look_at_path(struct daemon_vcm_node *v, const struct in6_addr *peer);
void daemon_vcm_forget_wanted(struct daemon_vcm_node *v);

#endif
