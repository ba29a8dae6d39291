/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions with other mobile nodes in the daemon: what stands between
 * vcm/node.h and socket, kernel, direct path.  Requirements V8 to V10, V14, V15.
 */
#ifndef MIP6D_DAEMON_VCM_NODE_H
#define MIP6D_DAEMON_VCM_NODE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "mip6d/control.h"

struct daemon;
struct json_t;
struct mip6_event;
struct vcm_node;

/* After the mobile node and the direct path; nothing without a VPN and its manager.  False after a line in the log. */
bool daemon_vcm_node_start(struct daemon *d);
/* Says good-bye; while the direct path is still there.  Nothing where it was not started. */
void daemon_vcm_node_stop(struct daemon *d);
/* Outside, or (authenticated where that is asked for) inside. */
void daemon_vcm_node_place(struct daemon *d, bool outside);
/* For mip6ctl: control_backend. */
struct json_t *daemon_vcm_node_sessions(void *daemon);
bool daemon_vcm_node_end(void *daemon, const struct in6_addr *peer);
/* ipsec-glue/sessions.h; without sessions there are no differences, and no SAs. */
int daemon_vcm_node_check(
	void *daemon, bool mend, void (*fn)(void *arg, const char *text), void *arg);
void daemon_vcm_node_sas(void *daemon, control_session_sa_fn *fn, void *arg);
/* daemon_vcm_node_show.c */
struct json_t *daemon_vcm_node_list(struct vcm_node *node);
/* What the core tells: the direct path comes and goes. */
void daemon_vcm_node_event(struct daemon *d, const struct mip6_event *e);

#endif
