/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/daemon.h"

#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/control.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/daemon_vcm_node.h"
#include "mip6d/daemon_vpn.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/icmp6_socket.h"
#include "common/loop.h"
#include "mip6d/sys/mh_socket.h"
#include "mip6d/sys/mn_kernel.h"
#include "common/privileges.h"
#include "mip6d/sys/restarts.h"
#include "mip6d/sys/settings.h"
#include "mip6d/sys/store.h"
#include "mip6d/sys/watch.h"
#include "mip6d/sys/features.h"

#define IDLE_POLL_MS 10

/* ---- the environment of the core ---- */

static int env_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct daemon *d = ctx;

	return daemon_ipsec_may_send(d, p) ? mh_socket_send(d->mh, p) : -ENOKEY;
}

static int env_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct daemon *d = ctx;

	return daemon_ipsec_may_send(d, p) ? icmp6_socket_send(d->icmp6, p) : -ENOKEY;
}

static void env_event(void *ctx, const struct mip6_event *e)
{
	struct daemon *d = ctx;

	control_event(d->control, e);
	daemon_gateway_event(d, e);
	if (e->type == EV_MOVED)
		daemon_moves_place(d);
	daemon_vcm_node_event(d, e);
	daemon_vpn_event(d, e);
	if (e->type == EV_HOME_AGENT && d->mn)
		daemon_ipsec_agent(d, &e->peer);
	log_debug("%s home %s care-of %s status %d seq %u lifetime %u%s%s",
		mip6_event_name(e->type), in6_str(&e->home_address), in6_str(&e->care_of),
		e->status, e->seq, e->lifetime_s, e->text ? " " : "", e->text ? e->text : "");
}

/* ---- what comes in ---- */

static void mh_packet(void *arg, const struct mip6_packet *p)
{
	struct mip6_packet marked = *p;
	struct daemon *d = arg;

	if (d->mn_kernel && mn_kernel_tunneled(d->mn_kernel, p->ifindex))
		marked.flags |= MIP6_PKT_TUNNELED;
	daemon_ipsec_received(d, &marked);
	daemon_mh_received(d, &marked);
}

static void icmp6_packet(void *arg, const struct mip6_packet *p)
{
	struct mip6_packet marked = *p;
	struct daemon *d = arg;

	if (d->mn_kernel && mn_kernel_tunneled(d->mn_kernel, p->ifindex))
		marked.flags |= MIP6_PKT_TUNNELED;
	daemon_ipsec_received(d, &marked);
	if (d->ha)
		ha_receive_icmp6(d->ha, &marked);
	else if (d->mn)
		mn_receive_icmp6(d->mn, &marked);
	daemon_vpn_icmp6(d, &marked);
}

static void read_mh(void *arg)
{
	struct daemon *d = arg;

	mh_socket_read(d->mh, mh_packet, d);
}

static void read_icmp6(void *arg)
{
	struct daemon *d = arg;

	icmp6_socket_read(d->icmp6, icmp6_packet, d);
}

/* A mobile node says good-bye before it goes. */
static bool says_good_bye(struct daemon *d)
{
	switch (d->stopping) {
	case ENDING_TUNNEL:
		if (daemon_swan_ending(d))
			return true;
		d->stopping = DEREGISTERING;
		mn_shutdown(d->mn);
		__attribute__((fallthrough));
	case DEREGISTERING:
		if (!mn_idle(d->mn))
			return true;
		d->stopping = ENDING_SIGNALLING;
		daemon_swan_end(d, IPSEC_SIGNAL);
		__attribute__((fallthrough));
	case ENDING_SIGNALLING:
		return daemon_swan_ending(d);
	case RUNNING:
		break;
	}
	return false;
}

static void look_if_idle(struct timer *t, void *arg)
{
	struct daemon *d = arg;

	if (!d->mn || !says_good_bye(d))
		sys_loop_stop(d->loop);
	else
		(void)timer_start(d->env.timers, t, mono_add_ms(sys_now(NULL), IDLE_POLL_MS));
}

static void terminate(void *arg)
{
	struct daemon *d = arg;

	if (d->stopping) {
		sys_loop_stop(d->loop);
		return;
	}
	d->stopping = ENDING_TUNNEL;
	daemon_vcm_node_stop(d); /* while there is a way to the VCM */
	if (d->mn)
		daemon_swan_end(d, IPSEC_DATA);
	look_if_idle(&d->idle, d);
}

/* ---- start and stop ---- */

static void extra_stats(void *ctx, struct json_t *stats)
{
	struct daemon *d = ctx;

	if (d->ha_kernel)
		daemon_ha_stats(d, stats);
	if (d->mn_kernel)
		daemon_mn_stats(d, stats);
	if (d->gateway)
		daemon_gateway_stats(d, stats);
}

/* The folder of the state file, if only that is missing. */
static bool make_state_folder(const char *file)
{
	char folder[PATH_MAX], *slash;

	snprintf(folder, sizeof(folder), "%s", file);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return true;
	*slash = '\0';
	if (mkdir(folder, 0700) == 0 || errno == EEXIST)
		return true;
	log_error("state_file: cannot make the folder %s: %s", folder, strerror(errno));
	return false;
}

static bool start_files(struct daemon *d)
{
	char path[PATH_MAX + 16], err[512];
	bool lost;

	if (!make_state_folder(d->cfg->state_file))
		return false;
	lost = access(d->cfg->state_file, F_OK) != 0;
	d->store = store_open(d->cfg->state_file, err, sizeof(err));
	if (!d->store) {
		log_error("%s", err);
		return false;
	}
	d->restart_counter = restarts_count(d->cfg->state_file, lost);
	snprintf(path, sizeof(path), "%s.settings", d->cfg->state_file);
	d->settings = settings_open(path, err, sizeof(err));
	if (!d->settings)
		log_error("%s", err);
	return d->settings;
}

static bool start_sockets(struct daemon *d)
{
	static const uint8_t ha_types[] = {ICMP6T_NS, ICMP6T_NA, ICMP6T_RA, ICMP6T_DHAAD_REQUEST,
				     ICMP6T_MPS},
			     mn_types[] = {ICMP6T_RA, ICMP6T_NA, ICMP6T_DHAAD_REPLY, ICMP6T_MPA};
	bool ha = d->cfg->role == ROLE_HOME_AGENT;
	int err;

	d->mh = mh_socket_open(&err);
	if (!d->mh) {
		log_error("no raw socket for Mobility Headers: %s", strerror(-err));
		return false;
	}
	if (d->cfg->role == ROLE_CORRESPONDENT)
		return true;
	d->icmp6 = icmp6_socket_open(ha ? ha_types : mn_types,
		ha ? sizeof(ha_types) : sizeof(mn_types), &err);
	if (!d->icmp6) {
		log_error("no raw socket for ICMPv6: %s", strerror(-err));
		return false;
	}
	return true;
}

/* Reading starts when everything is in place to act on what is read. */
static bool start_reading(struct daemon *d)
{
	int err = sys_loop_read(d->loop, mh_socket_fd(d->mh), read_mh, d);

	if (!err && d->icmp6)
		err = sys_loop_read(d->loop, icmp6_socket_fd(d->icmp6), read_icmp6, d);
	if (!err)
		err = sys_loop_signal(d->loop, SIGTERM, terminate, d);
	if (!err)
		err = sys_loop_signal(d->loop, SIGINT, terminate, d);
	if (!err && d->watch)
		err = watch_start(d->watch);
	if (err)
		log_error("event loop: %s", strerror(-err));
	return !err;
}

int daemon_interface(const char *setting, const char *name)
{
	int ifindex = (int)if_nametoindex(name);

	if (!ifindex)
		log_error("%s: there is no interface %s; `ip link` lists those that exist", setting,
			name);
	return ifindex;
}

static bool start_control(struct daemon *d)
{
	d->backend = (struct control_backend){.ha = d->ha,
		.mn = d->mn,
		.config = d->cfg,
		.version = PACKAGE_VERSION,
		.started = d->started,
		.ctx = d,
		.now = sys_now,
		.share = daemon_share,
		.sessions = daemon_vcm_node_sessions,
		.session_end = daemon_vcm_node_end,
		.vpn_check = daemon_vpn_check,
		.session_sas = daemon_vcm_node_sas,
		.vpn = daemon_vpn_status,
		.extra_stats = extra_stats};
	char err[256];

	d->control = control_start(sys_loop_base(d->loop), &d->backend, err, sizeof(err));
	if (!d->control)
		log_error("%s", err);
	return d->control;
}

static void stop(struct daemon *d)
{
	control_stop(d->control);
	d->control = NULL;
	timer_stop(d->env.timers, &d->idle);
	daemon_gateway_stop(d);
	daemon_vpn_stop(d);
	if (d->cfg->role == ROLE_HOME_AGENT)
		daemon_ha_stop(d);
	else if (d->cfg->role == ROLE_MOBILE_NODE)
		daemon_mn_stop(d);
	daemon_ro_stop(d);
	watch_free(d->watch);
	icmp6_socket_close(d->icmp6);
	mh_socket_close(d->mh);
	if (d->settings) {
		settings_restore(d->settings);
		settings_close(d->settings);
	}
	store_close(d->store);
	sys_loop_free(d->loop);
}

static void missing(void *arg, const char *name, const char *what_for, const char *remedy)
{
	(void)arg;
	log_error("this machine lacks %s, needed for %s; %s", name, what_for, remedy);
}

static bool start_role(struct daemon *d)
{
	switch (d->cfg->role) {
	case ROLE_HOME_AGENT:
		return daemon_ha_start(d) && daemon_ro_start(d) && daemon_gateway_start(d);
	case ROLE_MOBILE_NODE:
		return daemon_mn_start(d);
	case ROLE_CORRESPONDENT:
		return daemon_ro_start(d) && daemon_gateway_start(d);
	}
	return false;
}

int daemon_run(const struct mip6d_config *cfg, bool detach)
{
	struct daemon d = {.cfg = cfg};
	bool ha = cfg->role == ROLE_HOME_AGENT;
	int rc = 1;

	if (features_missing(ha, missing, NULL))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	d.loop = sys_loop_new();
	if (!d.loop) {
		log_error("out of memory");
		return 1;
	}
	d.started = sys_now(NULL);
	d.env = (struct mip6_env){.ctx = &d,
		.timers = sys_loop_timers(d.loop),
		.now = sys_now,
		.random = sys_random,
		.send_mh = env_send_mh,
		.send_icmp6 = env_send_icmp6,
		.event = env_event};
	timer_init(&d.idle, look_if_idle, &d);
	/* Another daemon with this state file or socket ends the start before the kernel is touched. */
	if (start_files(&d) && start_control(&d) && start_sockets(&d) &&
		start_role(&d) && start_reading(&d)) {
		d.backend.ha = d.ha;
		d.backend.mn = d.mn;
		d.backend.cn = d.cn;
		d.backend.ipsec = d.glue;
		int err = privileges_drop(true, true);

		if (err)
			log_warning("privileges could not be dropped: %s", strerror(-err));
		if (detach && daemon(0, 0) < 0)
			log_warning("cannot go to the background: %s", strerror(errno));
		rc = sys_loop_run(d.loop) ? 1 : 0;
	}
	stop(&d);
	return rc;
}
