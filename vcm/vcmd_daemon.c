/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon around the manager.  What the manager stores and sends within a
 * turn of the event loop is collected; at the end of the turn it goes to disk
 * at once, and only then to the network: nobody is told what a restart would
 * not know (V7), and many sessions share one write to disk.
 */
#include "vcm/vcmd_daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/detach.h"
#include "common/loop.h"
#include "common/privileges.h"
#include "vcm/vcmd_audit.h"
#include "vcm/vcmd_control.h"
#include "vcm/vcmd_guard.h"
#include "vcm/vcmd_sas.h"
#include "vcm/vcmd_seal.h"
#include "vcm/vcmd_socket.h"
#include "vcm/vcmd_store.h"

#define WAIT_MOST_S 16 /* between attempts to write the store */

struct vcmd {
	struct vcmd_config *cfg;
	const char *path;
	struct sys_loop *loop;
	struct vcmd_seal seal;
	struct vcmd_store *store;
	struct vcmd_audit *audit; /* NULL: none */
	struct control *control;
	struct control_backend backend;
	struct vcm_manager *manager;
	int fd, probe_fd; /* -1: none */
	uint16_t asker; /* while a PROBE is acted on: the port that the answer goes to */
	struct vcmd_outbox outbox;
	struct vcmd_sas *sas; /* NULL: somebody else's */
	struct sys_after end_of_turn;
	uint64_t strange_ports; /* datagrams from another port than ours */
	struct timer again;
	uint32_t wait_s; /* 0: the store can be written */
	bool guarded, failed;
};

/* ---- at the end of a turn ---- */

static void wait_for_room(struct vcmd *d)
{
	d->wait_s = !d->wait_s ? 1 : d->wait_s < WAIT_MOST_S ? 2 * d->wait_s : WAIT_MOST_S;
	if (timer_start(sys_loop_timers(d->loop), &d->again, mono_add_s(sys_now(NULL), d->wait_s)))
		sys_loop_stop(d->loop);
}

/* What was promised in this turn is not told to anybody; we go on from what is stored. */
static void end_of_turn(void *arg)
{
	struct vcmd *d = arg;
	int err;

	if (d->wait_s)
		return;
	err = vcmd_store_commit(d->store);
	if (!err) {
		vcmd_outbox_flush(&d->outbox);
		return;
	}
	log_error("the store %s cannot be written: %s; until there is room (store.size is %u MiB) nobody "
		  "is told anything",
		d->cfg->store, strerror(-err), d->cfg->store_mib);
	vcmd_outbox_free(&d->outbox);
	wait_for_room(d);
}

static int at_end(struct vcmd *d, int err)
{
	sys_loop_after(d->loop, &d->end_of_turn);
	return err;
}

/* ---- what the manager asks for ---- */

static uint64_t wall(void *ctx)
{
	(void)ctx;
	return (uint64_t)time(NULL);
}

static int op_send(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct vcmd *d = ctx;

	if (d->wait_s)
		return -EAGAIN;
	if (d->asker)
		return at_end(d, vcmd_outbox_put(&d->outbox, d->probe_fd, to, d->asker, data, len));
	return at_end(
		d, vcmd_outbox_put(&d->outbox, d->fd, to, (uint16_t)d->cfg->port, data, len));
}

static int op_context_put(void *ctx, const struct vcm_context_record *r)
{
	struct vcmd *d = ctx;

	return at_end(d, vcmd_store_context_put(d->store, r));
}

static int op_context_del(void *ctx, const struct in6_addr *internal)
{
	struct vcmd *d = ctx;

	return at_end(d, vcmd_store_context_del(d->store, internal));
}

static int op_session_put(void *ctx, const struct vcm_session_record *r)
{
	struct vcmd *d = ctx;

	return at_end(d, vcmd_store_session_put(d->store, r));
}

static int op_session_del(void *ctx, uint64_t id)
{
	struct vcmd *d = ctx;

	return at_end(d, vcmd_store_session_del(d->store, id));
}

/* Steals line. */
static void tell(struct vcmd *d, json_t *line)
{
	if (line && d->audit)
		vcmd_audit_write(d->audit, line);
	control_tell(d->control, line);
}

static void op_audit(void *ctx, const struct vcm_audit *a)
{
	struct vcmd *d = ctx;

	if (d->audit || control_monitored(d->control))
		tell(d, vcmd_audit_json(a));
	log_debug("%s %s %s session %016llx/%u %s", a->what, in6_str(&a->a), in6_str(&a->b),
		(unsigned long long)a->session, a->generation, a->text ? a->text : "");
}

static bool op_known(void *ctx, const struct in6_addr *internal)
{
	const struct vcmd *d = ctx;

	return vcmd_node_known(d->cfg, internal);
}

static void op_policy(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, struct vcm_policy *p)
{
	const struct vcmd *d = ctx;

	vcmd_pair_policy(d->cfg, a, b, p);
}

/* ---- what comes in ---- */

/* Our port is mip6d's on the other machine; from another port it is somebody who shares an SA with it. */
static void datagram(void *arg, const struct in6_addr *from, uint16_t port, const uint8_t *data,
	size_t len)
{
	struct vcmd *d = arg;

	if (port == d->cfg->port)
		vcm_manager_receive(d->manager, from, data, len);
	else
		d->strange_ports++;
}

static void probe(void *arg, const struct in6_addr *from, uint16_t port, const uint8_t *data,
	size_t len)
{
	struct vcmd *d = arg;

	d->asker = port;
	vcm_manager_probed(d->manager, from, data, len);
	d->asker = 0;
}

static void read_socket(void *arg)
{
	struct vcmd *d = arg;

	if (d->wait_s)
		vcmd_socket_drain(d->fd);
	else
		vcmd_socket_read(d->fd, datagram, d);
}

static void read_probes(void *arg)
{
	struct vcmd *d = arg;

	if (d->wait_s)
		vcmd_socket_drain(d->probe_fd);
	else
		vcmd_socket_read(d->probe_fd, probe, d);
}

/* ---- reading the configuration again ---- */

static bool reload(void *ctx, char *err, size_t errlen)
{
	struct config_errors errors;
	struct vcmd_config next, old;
	struct vcmd *d = ctx;
	bool ok = vcmd_config_load(d->path, &next, &errors);

	if (!ok)
		snprintf(err, errlen, "%s", errors.n ? errors.lines[0] : "out of memory");
	for (size_t i = 0; i < errors.n; i++)
		log_error("%s", errors.lines[i]);
	config_errors_release(&errors);
	if (!ok)
		return false;
	if (vcmd_config_needs_restart(d->cfg, &next))
		log_warning("%s: more than nodes and pairs has changed; that takes effect when vcmd is "
			    "started again",
			d->path);
	old = *d->cfg;
	d->cfg->nodes = next.nodes;
	d->cfg->n_nodes = next.n_nodes;
	d->cfg->rules = next.rules;
	d->cfg->n_rules = next.n_rules;
	vcmd_config_release(&(struct vcmd_config){.nodes = old.nodes, .rules = old.rules});
	vcm_manager_policy_changed(d->manager);
	at_end(d, 0);
	return true;
}

static void hang_up(void *arg)
{
	struct vcmd *d = arg;
	char err[512];
	int e = d->audit ? vcmd_audit_reopen(d->audit) : 0;

	if (e)
		log_error("the audit log %s cannot be opened again: %s; the old file is used on",
			d->cfg->audit_file, strerror(-e));
	if (reload(d, err, sizeof(err)))
		log_notice("the configuration was read again: %zu rules for pairs", d->cfg->n_rules);
	else
		log_error("the configuration stays as it was");
}

static void acted(void *ctx, const char *what, const char *object)
{
	struct vcmd *d = ctx;

	at_end(d, 0);
	tell(d, vcmd_audit_action(what, object));
}

static void extra_stats(void *ctx, json_t *stats)
{
	const struct vcmd *d = ctx;

	json_object_set_new(stats, "socket",
		json_pack("{s:I, s:I, s:I}", "sent", (json_int_t)d->outbox.sent, "failed",
			(json_int_t)d->outbox.failed, "strange_ports",
			(json_int_t)d->strange_ports));
	if (d->audit)
		json_object_set_new(stats, "audit_lost",
			json_integer((json_int_t)vcmd_audit_lost(d->audit)));
}

/* ---- start and stop ---- */

static bool start_control(struct vcmd *d)
{
	struct control_config c = {.daemon = "vcmd",
		.socket = d->cfg->control_socket,
		.group = d->cfg->control_group,
		.verbs = vcmd_verbs,
		.backend = &d->backend,
		.now = sys_now};
	char err[256];

	d->backend = (struct control_backend){.config = d->cfg,
		.version = PACKAGE_VERSION,
		.started = sys_now(NULL),
		.ctx = d,
		.now = sys_now,
		.reload = reload,
		.acted = acted,
		.extra_stats = extra_stats};
	d->control = control_open(sys_loop_base(d->loop), &c, err, sizeof(err));
	if (!d->control)
		log_error("%s", err);
	return d->control;
}

static bool start_files(struct vcmd *d)
{
	char err[1024];

	if (!vcmd_seal_load(&d->seal, d->cfg, err, sizeof(err)) ||
		!(d->store = vcmd_store_open(
			  d->cfg->store, d->cfg->store_mib, &d->seal, err, sizeof(err))) ||
		(d->cfg->audit_file[0] &&
			!(d->audit = vcmd_audit_open(d->cfg->audit_file, err, sizeof(err))))) {
		log_error("%s", err);
		return false;
	}
	d->backend.store = d->store;
	return true;
}

static bool start_sockets(struct vcmd *d)
{
	const struct vcmd_config *c = d->cfg;

	d->fd = vcmd_socket_open(&c->address, (uint16_t)c->port);
	d->probe_fd = vcmd_socket_open(&c->address, (uint16_t)c->probe_port);
	if (d->fd >= 0 && d->probe_fd >= 0)
		return true;
	log_error("cannot listen on %s, ports %u and %u: %s; is it an address of this machine?",
		in6_str(&c->address), c->port, c->probe_port,
		strerror(d->fd < 0 ? -d->fd : -d->probe_fd));
	return false;
}

/*
 * Once the ports are ours: a second vcmd must not take away the filter of the
 * first.  What came before the filter is not read.
 */
static bool start_guard(struct vcmd *d)
{
	char err[1024];

	if (d->cfg->ipsec == VCMD_IPSEC_NONE)
		return true;
	if (vcmd_guard_on(d->cfg, err, sizeof(err)) < 0) {
		log_error("%s", err);
		return false;
	}
	d->guarded = true;
	vcmd_socket_drain(d->fd);
	vcmd_socket_drain(d->probe_fd);
	return true;
}

static bool start_sas(struct vcmd *d)
{
	char err[1024] = "";

	if (d->cfg->ipsec != VCMD_IPSEC_MANUAL)
		return true;
	d->sas = vcmd_sas_open(d->cfg, d->store, d->loop, err, sizeof(err));
	if (!d->sas)
		log_error("%s", err);
	return d->sas;
}

/* One that cannot be right is left out; the gateway's next report makes another. */
static int restored(int err, const char *what, const struct in6_addr *a)
{
	if (err != -EINVAL)
		return err;
	log_warning("the store has a %s of %s that cannot be right; it is left out", what,
		in6_str(a));
	return 0;
}

static int restore_context(void *arg, const struct vcm_context_record *r)
{
	struct vcmd *d = arg;

	return restored(vcm_manager_restore_context(d->manager, r), "node", &r->internal);
}

static int restore_session(void *arg, const struct vcm_session_record *r)
{
	struct vcmd *d = arg;

	return restored(vcm_manager_restore_session(d->manager, r), "session", &r->a);
}

static bool start_manager(struct vcmd *d)
{
	static const struct vcm_manager_ops ops = {.now = sys_now,
		.wall = wall,
		.random = sys_random,
		.send = op_send,
		.context_put = op_context_put,
		.context_del = op_context_del,
		.session_put = op_session_put,
		.session_del = op_session_del,
		.audit = op_audit};
	struct vcm_manager_config c = {.n_gateways = d->cfg->n_gateways,
		.gateways = d->cfg->gateways,
		.max_contexts = d->cfg->max_contexts,
		.max_sessions = d->cfg->max_sessions,
		.retry_s = d->cfg->retry_s,
		.retry_most_s = d->cfg->retry_most_s,
		.known = op_known,
		.policy = op_policy};
	char err[1024];

	while (!c.epoch)
		sys_random(NULL, &c.epoch, sizeof(c.epoch));
	d->manager = vcm_manager_new(&c, &ops, d, sys_loop_timers(d->loop));
	if (!d->manager) {
		log_error("out of memory");
		return false;
	}
	if (!vcmd_store_load(d->store, restore_context, restore_session, d, err, sizeof(err))) {
		log_error("%s", err);
		return false;
	}
	vcm_manager_start(d->manager);
	d->backend.manager = d->manager;
	return true;
}

/* As after a start: a new epoch, and what is stored. */
static void try_again(struct timer *t, void *arg)
{
	struct vcmd *d = arg;
	char err[1024];

	(void)t;
	if (!vcmd_store_recover(d->store, err, sizeof(err))) {
		log_debug("the store still cannot be written: %s", err);
		wait_for_room(d);
		return;
	}
	log_notice("the store can be written again");
	d->wait_s = 0;
	d->backend.manager = NULL;
	vcm_manager_free(d->manager);
	d->failed = !start_manager(d);
	if (d->failed)
		sys_loop_stop(d->loop);
}

static void terminate(void *arg)
{
	struct vcmd *d = arg;

	sys_loop_stop(d->loop);
}

static bool start_reading(struct vcmd *d)
{
	int err = sys_loop_read(d->loop, d->fd, read_socket, d);

	if (!err)
		err = sys_loop_read(d->loop, d->probe_fd, read_probes, d);
	if (!err)
		err = sys_loop_signal(d->loop, SIGTERM, terminate, d);
	if (!err)
		err = sys_loop_signal(d->loop, SIGINT, terminate, d);
	if (!err)
		err = sys_loop_signal(d->loop, SIGHUP, hang_up, d);
	if (err)
		log_error("event loop: %s", strerror(-err));
	return !err;
}

static void stop(struct vcmd *d)
{
	control_stop(d->control);
	d->control = NULL;
	if (d->manager)
		vcm_manager_free(d->manager);
	if (d->store && !d->failed && vcmd_store_commit(d->store) == 0)
		vcmd_outbox_flush(&d->outbox);
	vcmd_outbox_free(&d->outbox);
	vcmd_sas_close(d->sas);
	if (d->store && !d->failed)
		(void)vcmd_store_commit(d->store); /* the last sequence numbers */
	vcmd_store_close(d->store);
	vcmd_audit_close(d->audit);
	if (d->fd >= 0)
		close(d->fd);
	if (d->probe_fd >= 0)
		close(d->probe_fd);
	if (d->guarded)
		vcmd_guard_off();
	vcmd_seal_wipe(&d->seal);
	sys_loop_after_cancel(d->loop, &d->end_of_turn);
	sys_loop_free(d->loop);
}

int vcmd_run(struct vcmd_config *cfg, const char *path, bool detach)
{
	struct vcmd d = {.cfg = cfg, .path = path, .fd = -1, .probe_fd = -1};
	int err, rc = 1, waiting = detach ? detach_begin() : -1;
	bool ready;

	if (detach && waiting < 0)
		log_warning("cannot go to the background: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	d.end_of_turn = (struct sys_after){.fn = end_of_turn, .arg = &d};
	timer_init(&d.again, try_again, &d);
	d.loop = sys_loop_new();
	if (!d.loop) {
		log_error("out of memory");
		return 1;
	}
	ready = start_control(&d) && start_files(&d) && start_sockets(&d) && start_guard(&d) &&
		start_sas(&d);
	if (ready) {
		/* before anything that came from elsewhere is looked at */
		err = privileges_drop(cfg->ipsec != VCMD_IPSEC_NONE, false);
		if (err)
			log_warning("privileges could not be dropped: %s", strerror(-err));
	}
	if (ready && start_manager(&d) && start_reading(&d)) {
		detach_done(waiting);
		rc = sys_loop_run(d.loop) || d.failed ? 1 : 0;
	}
	stop(&d);
	return rc;
}
