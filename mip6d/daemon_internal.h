/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the daemon share. */
#ifndef MIP6D_DAEMON_INTERNAL_H
#define MIP6D_DAEMON_INTERNAL_H

#include "mip6/env.h"
#include "mip6d/config.h"
#include "mip6d/control.h"
#include "mip6d/os/monitor.h"

struct ha;
struct ha_kernel;
struct icmp6_socket;
struct json_t;
struct mn;
struct mn_kernel;
struct sys_loop;

/* A managed interface of a mobile node, as the kernel last told. */
struct daemon_link {
	int ifindex;
	bool up, link_local; /* link_local: it has a usable link-local address */
};

struct daemon {
	const struct mip6d_config *cfg;
	struct sys_loop *loop;
	struct mip6_env env;
	int mh_fd;
	struct icmp6_socket *icmp6;
	struct monitor *monitor;
	struct control *control;
	struct control_backend backend;
	monotime_t started;
	bool stopping;
	struct timer give_up;
	/* one of the two */
	struct ha *ha;
	struct ha_kernel *ha_kernel;
	struct mn *mn;
	struct mn_kernel *mn_kernel;
	struct daemon_link links[CONFIG_MAX_INTERFACES];
};

/* daemon_ha.c, daemon_mn.c: false when something is missing, which the log says. */
bool daemon_ha_start(struct daemon *d);
void daemon_ha_stop(struct daemon *d);
void daemon_ha_stats(struct daemon *d, struct json_t *stats);
extern const struct monitor_handlers daemon_ha_handlers;
bool daemon_mn_start(struct daemon *d);
void daemon_mn_stop(struct daemon *d); /* what the kernel holds of us */
extern const struct monitor_handlers daemon_mn_handlers;

#endif
