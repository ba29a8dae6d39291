/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the daemon share. */
#ifndef MIP6D_DAEMON_INTERNAL_H
#define MIP6D_DAEMON_INTERNAL_H

#include "mip6/env.h"
#include "mip6d/config.h"
#include "mip6d/control.h"
#include "mip6d/sys/watch.h"

struct cn;
struct ha;
struct ipsec_glue;
struct ipsec_glue_node;
struct swan;
struct ha_kernel;
struct icmp6_socket;
struct json_t;
struct mh_socket;
struct mn;
struct mn_kernel;
struct moves;
struct ro_kernel;
struct rr_shared;
struct settings;
struct store;
struct sys_loop;

struct daemon_gateway;
struct daemon_vcm_node;
struct daemon_vpn;

struct daemon {
	const struct mip6d_config *cfg;
	struct sys_loop *loop;
	struct mip6_env env;
	struct settings *settings;
	struct store *store;
	struct mh_socket *mh;
	struct icmp6_socket *icmp6;
	struct watch *watch;
	struct control *control;
	struct control_backend backend;
	monotime_t started;
	uint32_t restart_counter; /* RFC 5847 3.2 */
	enum { RUNNING, ENDING_TUNNEL, DEREGISTERING, ENDING_SIGNALLING } stopping;
	struct timer idle, settled;
	/* the correspondent part of every role */
	struct cn *cn;
	struct ro_kernel *ro_kernel;
	struct ipsec_glue *glue; /* NULL: no IPsec */
	struct swan *swan; /* with glue; NULL: manual keys */
	monotime_t swan_until; /* so long an end of its SAs is waited for */
	struct daemon_gateway *gateway; /* NULL: no security gateway */
	/* at most one of the two */
	struct ha *ha;
	struct ha_kernel *ha_kernel;
	struct mn *mn;
	struct mn_kernel *mn_kernel;
	struct moves *moves; /* NULL: the tunnel is ours */
	struct daemon_vpn *vpn; /* NULL: no VPN; daemon_vpn.h */
	struct daemon_vcm_node *vcm_node; /* NULL: no VPN with a manager; daemon_vcm_node.h */
};

/* daemon_ha.c, daemon_mn.c: false when something is missing, which the log says. */
bool daemon_ha_start(struct daemon *d);
void daemon_ha_stop(struct daemon *d);
void daemon_ha_stats(struct daemon *d, struct json_t *stats);
bool daemon_mn_start(struct daemon *d);
void daemon_mn_stop(struct daemon *d);
void daemon_mn_stats(struct daemon *d, struct json_t *stats);

/* daemon_moves.c: nothing happens where the tunnel is ours */
bool daemon_moves_start(struct daemon *d);
void daemon_moves_stop(struct daemon *d);
void daemon_moves_place(struct daemon *d); /* there is a care-of address */
void daemon_moves_stats(struct daemon *d, struct json_t *stats);

/* daemon_ro.c: after the role itself was started, and stopped */
bool daemon_ro_start(struct daemon *d);
void daemon_ro_stop(struct daemon *d);
/* control_backend.share */
int daemon_share(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct rr_shared *key);
/* To whichever part it belongs. */
void daemon_mh_received(struct daemon *d, const struct mip6_packet *p);

/* daemon_vcm_gateway.c: after daemon_ro_start(), and stopped before all others */
bool daemon_gateway_start(struct daemon *d);
void daemon_gateway_stop(struct daemon *d);
void daemon_gateway_event(struct daemon *d, const struct mip6_event *e);
/* vpn_gateway_check(); 0 where there is no gateway */
int daemon_gateway_check(
	struct daemon *d, bool mend, void (*fn)(void *arg, const char *text), void *arg);
void daemon_gateway_stats(struct daemon *d, struct json_t *stats);

/* daemon_ipsec.c: after the kernel side of the role, before its core; stopped behind both */
bool daemon_ipsec_start(struct daemon *d);
/* For SA pairs with manual keys beside those of home registrations (ipsec-glue/pair.h): d->glue, opened when it is not yet. */
bool daemon_ipsec_pairs(struct daemon *d);
void daemon_ipsec_stop(struct daemon *d);
/* Bindings are taken over: what a predecessor left of others is removed. */
void daemon_ipsec_settle(struct daemon *d);
/* A node, with its networks if it is us; false after a line in the log. */
bool daemon_ipsec_add(struct daemon *d, const struct ipsec_glue_node *n);
/* daemon_swan.c */
bool daemon_swan_start(struct daemon *d);
void daemon_swan_stop(struct daemon *d);
void daemon_swan_bound(struct daemon *d, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of);
/*
 * Mobile node, at a stop: IPSEC_DATA before the de-registration, as IKE about
 * the tunnel may go through it, and the rest behind it.
 */
void daemon_swan_end(struct daemon *d, enum ipsec_use use);
bool daemon_swan_ending(const struct daemon *d);
/* The core has another home agent: can anything be said to it? */
void daemon_ipsec_agent(const struct daemon *d, const struct in6_addr *home_agent);
/* Notes what came through IPsec. */
void daemon_ipsec_received(struct daemon *d, struct mip6_packet *p);
/* False: it has to be protected, and cannot be. */
bool daemon_ipsec_may_send(const struct daemon *d, const struct mip6_packet *p);

/* Interface of that name, or 0 after a line in the log that names the setting. */
int daemon_interface(const char *setting, const char *name);

#endif
