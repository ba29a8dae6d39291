/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/daemon.h"

#include <cap-ng.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/control.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "mip6d/os/ha_kernel.h"
#include "mip6d/os/icmp6_socket.h"
#include "mip6d/os/loop.h"
#include "mip6d/os/mh_socket.h"
#include "mip6d/sys/features.h"

#define SHUTDOWN_MS 10000 /* a de-registration that is not answered must not keep us for ever */

/* ---- the environment of the core ---- */

static monotime_t env_now(void *ctx)
{
	(void)ctx;
	return loop_now();
}

static void env_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	if (RAND_bytes(to, (int)n) != 1) {
		log_error("no random numbers");
		abort();
	}
}

static int env_send_mh(void *ctx, const struct mip6_packet *p)
{
	return mh_socket_send(((struct daemon *)ctx)->mh_fd, p);
}

static int env_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	return icmp6_socket_send(((struct daemon *)ctx)->icmp6, p);
}

static void env_event(void *ctx, const struct mip6_event *e)
{
	struct daemon *d = ctx;

	control_event(d->control, e);
	log_debug("%s home %s care-of %s status %d seq %u lifetime %u%s%s", mip6_event_name(e->type),
		in6_str(&e->home_address), in6_str(&e->care_of), e->status, e->seq, e->lifetime_s,
		e->text ? " " : "", e->text ? e->text : "");
}

/* ---- what comes in ---- */

static void mh_packet(void *arg, const struct mip6_packet *p)
{
	struct daemon *d = arg;

	if (d->ha)
		ha_receive_mh(d->ha, p);
	else if (d->mn)
		mn_receive_mh(d->mn, p);
}

static void icmp6_packet(void *arg, const struct mip6_packet *p)
{
	struct daemon *d = arg;

	if (d->ha)
		ha_receive_icmp6(d->ha, p);
	else if (d->mn)
		mn_receive_icmp6(d->mn, p);
}

static void read_mh(void *arg)
{
	struct daemon *d = arg;

	mh_socket_read(d->mh_fd, mh_packet, d);
}

static void read_icmp6(void *arg)
{
	struct daemon *d = arg;

	icmp6_socket_read(d->icmp6, icmp6_packet, d);
}

static void read_monitor(void *arg)
{
	monitor_read(((struct daemon *)arg)->monitor);
}

static void after_turn(void *arg)
{
	struct daemon *d = arg;

	if (d->ha_kernel)
		ha_kernel_flush(d->ha_kernel);
	if (d->stopping && (!d->mn || mn_idle(d->mn)))
		loop_stop(d->loop);
}

static void give_up(struct timer *t, void *arg)
{
	struct daemon *d = arg;

	(void)t;
	log_notice("the home agent does not answer; stopping all the same");
	loop_stop(d->loop);
}

static void terminate(void *arg)
{
	struct daemon *d = arg;

	if (d->stopping) {
		loop_stop(d->loop);
		return;
	}
	d->stopping = true;
	if (d->mn) {
		mn_shutdown(d->mn);
		(void)timer_start(d->env.timers, &d->give_up, mono_add_ms(loop_now(), SHUTDOWN_MS));
	}
}

/* ---- start and stop ---- */

static void extra_stats(void *ctx, struct json_t *stats)
{
	struct daemon *d = ctx;

	if (d->ha_kernel)
		daemon_ha_stats(d, stats);
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

static bool start_sockets(struct daemon *d)
{
	d->mh_fd = mh_socket_open();
	if (d->mh_fd < 0) {
		log_error("no raw socket for Mobility Headers: %s; is this root, or with CAP_NET_RAW?", strerror(-d->mh_fd));
		return false;
	}
	d->icmp6 = icmp6_socket_open();
	if (!d->icmp6) {
		log_error("no raw socket for ICMPv6: %s", strerror(errno));
		return false;
	}
	return true;
}

/* Reading starts when everything is in place to act on what is read. */
static bool start_reading(struct daemon *d)
{
	struct monitor_handlers h = d->cfg->role == ROLE_HOME_AGENT ? daemon_ha_handlers : daemon_mn_handlers;
	int err;

	h.arg = d;
	d->monitor = monitor_open(&h);
	if (!d->monitor) {
		log_error("netlink: the kernel's events cannot be heard");
		return false;
	}
	err = loop_read(d->loop, d->mh_fd, read_mh, d);
	if (!err)
		err = loop_read(d->loop, icmp6_socket_fd(d->icmp6), read_icmp6, d);
	if (!err)
		err = loop_read(d->loop, monitor_fd(d->monitor), read_monitor, d);
	if (!err)
		err = loop_signal(d->loop, SIGTERM, terminate, d);
	if (!err)
		err = loop_signal(d->loop, SIGINT, terminate, d);
	loop_after(d->loop, after_turn, d);
	return !err && monitor_sync(d->monitor) == 0;
}

static bool start_control(struct daemon *d)
{
	d->backend = (struct control_backend){.ha = d->ha, .mn = d->mn, .config = d->cfg, .version = PACKAGE_VERSION,
		.started = d->started, .ctx = d, .now = env_now, .extra_stats = extra_stats};
	char err[256];

	d->control = control_start(loop_base(d->loop), &d->backend, err, sizeof(err));
	if (!d->control)
		log_error("%s", err);
	return d->control;
}

/* From here on nothing but the network needs more than an ordinary user. */
static void drop_privileges(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN, CAP_NET_RAW, -1);
	if (capng_apply(CAPNG_SELECT_BOTH) < 0)
		log_warning("privileges could not be dropped");
}

static void stop(struct daemon *d)
{
	control_stop(d->control);
	d->control = NULL;
	timer_stop(d->env.timers, &d->give_up);
	if (d->cfg->role == ROLE_HOME_AGENT)
		daemon_ha_stop(d);
	else
		daemon_mn_stop(d);
	monitor_close(d->monitor);
	icmp6_socket_close(d->icmp6);
	if (d->mh_fd >= 0)
		close(d->mh_fd);
	loop_free(d->loop);
}

static void missing(void *arg, const char *name, const char *what_for, const char *remedy)
{
	(void)arg;
	log_error("this machine lacks %s, needed for %s; %s", name, what_for, remedy);
}

int daemon_run(const struct mip6d_config *cfg, bool detach)
{
	struct daemon d = {.cfg = cfg, .mh_fd = -1};
	int rc = 1;

	if (features_missing(cfg->role == ROLE_HOME_AGENT, missing, NULL))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	d.loop = loop_new();
	if (!d.loop) {
		log_error("out of memory");
		return 1;
	}
	d.started = loop_now();
	d.env = (struct mip6_env){.ctx = &d, .timers = loop_timers(d.loop), .now = env_now, .random = env_random,
		.send_mh = env_send_mh, .send_icmp6 = env_send_icmp6, .event = env_event};
	timer_init(&d.give_up, give_up, &d);
	if (make_state_folder(cfg->state_file) && start_sockets(&d) && (cfg->role == ROLE_HOME_AGENT ? daemon_ha_start(&d) : daemon_mn_start(&d)) &&
		start_control(&d) && start_reading(&d)) {
		drop_privileges();
		if (detach && daemon(0, 0) < 0)
			log_warning("cannot go to the background: %s", strerror(errno));
		rc = loop_run(d.loop) ? 1 : 0;
	}
	stop(&d);
	return rc;
}
