/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/daemon_vcm_node_internal.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/loop.h"
#include "ipsec-glue/glue.h"
#include "ipsec-glue/sessions.h"
#include "lib/log.h"
#include "mip6d/proto/mn.h"
#include "mip6d/sys/vcm_socket.h"

#define LEFT_S 60 /* so often it is looked for what a predecessor left */

/* ---- SAs and policies ---- */

static struct ipsec_session_sa sa_of(
	const struct daemon_vcm_node *v, const struct vcm_node_session *s, bool out)
{
	return (struct ipsec_session_sa){.peer = s->peer_home,
		.inner_local = v->internal,
		.inner_peer = s->peer_internal,
		.algorithm = s->algorithm,
		.spi = out ? s->spi_out : s->spi_in,
		.key = out ? s->key_out : s->key_in,
		.key_len = s->key_len,
		.hard_s = out ? s->lifetime_s : s->lifetime_s + s->linger_s};
}

static int failed(const struct daemon_vcm_node *v, const struct vcm_node_session *s, int err)
{
	if (err && err != -EEXIST)
		log_warning("session with %s: %s", in6_str(&s->peer_internal),
			err == -EINVAL ? "its algorithm or keys cannot be used"
				       : ipsec_sessions_why(v->kernel));
	return err;
}

static int inbound_add(void *ctx, const struct vcm_node_session *s)
{
	struct daemon_vcm_node *v = ctx;
	struct ipsec_session_sa sa = sa_of(v, s, false);

	if (!ipsec_sessions_may_share(s->algorithm) &&
		CRYPTO_memcmp(s->key_in, s->key_out, s->key_len) == 0)
		return failed(v, s, -EINVAL);
	return failed(v, s, ipsec_sessions_in(v->kernel, &sa));
}

static int outbound_set(void *ctx, const struct vcm_node_session *s)
{
	struct daemon_vcm_node *v = ctx;
	struct ipsec_session_sa sa = sa_of(v, s, true);

	return failed(v, s, ipsec_sessions_out(v->kernel, &sa));
}

static void complain(const struct daemon_vcm_node *v, const struct in6_addr *peer, int err)
{
	if (err)
		log_error("session with %s: not taken out of the kernel: %s", in6_str(peer),
			ipsec_sessions_why(v->kernel));
}

static void inbound_del(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *peer_home, uint32_t spi_in)
{
	struct daemon_vcm_node *v = ctx;

	(void)peer_home;
	complain(v, peer_internal, ipsec_sessions_in_del(v->kernel, spi_in));
}

static void outbound_use(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *peer_home, uint32_t spi_out, bool use)
{
	struct daemon_vcm_node *v = ctx;
	int err = ipsec_sessions_use(v->kernel, peer_home, spi_out, use);

	if (err)
		log_error("session with %s: %s", in6_str(peer_internal),
			ipsec_sessions_why(v->kernel));
}

static void outbound_del(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *peer_home, uint32_t spi_out)
{
	struct daemon_vcm_node *v = ctx;

	complain(v, peer_internal, ipsec_sessions_out_del(v->kernel, peer_home, spi_out));
}

static void counters(void *ctx, const struct vcm_node_session *s, int64_t *in, int64_t *out)
{
	struct daemon_vcm_node *v = ctx;

	*in = ipsec_sessions_packets(v->kernel, &s->peer_home, s->spi_in, false);
	*out = ipsec_sessions_packets(v->kernel, &s->peer_home, s->spi_out, true);
}

/* ---- the other ops ---- */

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	const struct daemon_vcm_node *v = ctx;

	return vcm_socket_send(v->fd, to, VCM_PORT, data, len);
}

static size_t key_len(void *ctx, const char *algorithm)
{
	(void)ctx;
	return ipsec_sessions_key_len(algorithm);
}

static void event(void *ctx, const char *what, const struct in6_addr *peer, const char *text)
{
	const struct daemon_vcm_node *v = ctx;
	struct mip6_event e = {.type = EV_SESSION,
		.when = sys_now(NULL),
		.home_address = v->home,
		.peer = *peer,
		.status = -1};
	char words[128];

	snprintf(words, sizeof(words), "%s%s%s", what, text ? ": " : "", text ? text : "");
	e.text = words;
	log_info("%s of %s", words, in6_str(peer));
	v->d->env.event(v->d->env.ctx, &e);
}

static const struct vcm_node_ops node_ops = {.now = sys_now,
	.random = sys_random,
	.send = send_datagram,
	.key_len = key_len,
	.inbound_add = inbound_add,
	.inbound_del = inbound_del,
	.outbound_set = outbound_set,
	.outbound_use = outbound_use,
	.outbound_del = outbound_del,
	.share = daemon_vcm_share,
	.path = daemon_vcm_path,
	.counters = counters,
	.event = event};

/* ---- what comes in ---- */

static void datagram(void *arg, const struct in6_addr *from, const uint8_t *data, size_t len)
{
	const struct daemon_vcm_node *v = arg;

	/* Without a binding at the gateway its tunnel's packets come by the home agent. */
	if (v->outside && in6_equal(from, &v->config->manager))
		mn_home_agent_heard(v->d->mn);
	vcm_node_receive(v->node, from, data, len);
}

static void read_socket(void *arg)
{
	struct daemon_vcm_node *v = arg;

	vcm_socket_read(v->fd, VCM_PORT, datagram, v);
}

static void read_kernel(void *arg)
{
	const struct daemon_vcm_node *v = arg;

	ipsec_sessions_read(v->kernel);
}

static void expires(void *ctx, uint32_t spi, bool out, bool hard)
{
	const struct daemon_vcm_node *v = ctx;

	if (v->node)
		vcm_node_sa_expires(v->node, spi, out, hard);
}

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	log_notice("sessions: %s", text);
}

static const struct ipsec_sessions_ops kernel_ops = {.expires = expires, .notice = notice};

void daemon_vcm_node_event(struct daemon *d, const struct mip6_event *e)
{
	if (!d->vcm_node)
		return;
	switch ((int)e->type) {
	case EV_RO_DIRECT:
	case EV_RO_TUNNEL:
		daemon_vcm_look_at_path(d->vcm_node, &e->peer);
		break;
	case EV_CN_BINDING_GONE:
		daemon_vcm_look_at_path(d->vcm_node, &e->home_address);
		break;
	case EV_CN_BINDING_NEW:
	case EV_CN_BINDING_MOVED:
	case EV_CN_BINDING_REFRESHED:
		daemon_vcm_look_at_path(d->vcm_node, &e->home_address);
		mn_home_agent_heard(d->mn); /* it had to come by it, before we could bind ours */
		mn_ro_heard(d->mn, &e->home_address);
		break;
	default:
		break;
	}
}

/* Embodiment 2: what is for the intranet never takes a direct path without a session's SA. */
static void guard(struct daemon_vcm_node *v, bool on)
{
	struct ipsec_session_guard g = {.home_address = v->home,
		.n_prefixes = v->config->n_internal,
		.prefixes = v->config->internal};
	struct mn_info i;

	if (!in6_equal(&v->internal, &v->home))
		return;
	mn_info(v->d->mn, &i);
	g.home_agent = i.home_agent;
	g.reqid = v->d->glue ? ipsec_glue_reqid(v->d->glue, &v->home, &i.home_agent) : 0;
	if (on && !g.reqid)
		log_warning("vpn: there is no protected tunnel to %s: what is for the intranet "
			    "may leave in clear",
			in6_str(&i.home_agent));
	else if (ipsec_sessions_guard(v->kernel, &g, on))
		log_error("vpn: what is for the intranet is not kept off direct paths: %s",
			ipsec_sessions_why(v->kernel));
}

void daemon_vcm_node_place(struct daemon *d, bool outside)
{
	if (!d->vcm_node)
		return;
	if (outside)
		guard(d->vcm_node, true);
	if (ipsec_sessions_inside(d->vcm_node->kernel, !outside))
		log_error("vpn: what comes from peers inside: %s",
			ipsec_sessions_why(d->vcm_node->kernel));
	d->vcm_node->outside = outside;
	vcm_node_place(d->vcm_node->node, outside);
	if (!outside)
		guard(d->vcm_node, false);
}

/* ---- for mip6ctl ---- */

struct json_t *daemon_vcm_node_sessions(void *daemon)
{
	const struct daemon *d = daemon;

	return d->vcm_node ? daemon_vcm_node_list(d->vcm_node->node) : NULL;
}

bool daemon_vcm_node_end(void *daemon, const struct in6_addr *peer)
{
	const struct daemon *d = daemon;

	return d->vcm_node && vcm_node_end(d->vcm_node->node, peer);
}

int daemon_vcm_node_check(
	void *daemon, bool mend, void (*fn)(void *arg, const char *text), void *arg)
{
	const struct daemon *d = daemon;

	return d->vcm_node && d->vcm_node->node
		       ? ipsec_sessions_check(d->vcm_node->kernel, mend, fn, arg)
		       : 0;
}

void daemon_vcm_node_sas(void *daemon, control_session_sa_fn *fn, void *arg)
{
	const struct daemon *d = daemon;

	if (d->vcm_node)
		ipsec_sessions_sas(d->vcm_node->kernel, fn, arg);
}

/* ---- start and end ---- */

static void forget_left(struct timer *t, void *arg)
{
	const struct daemon_vcm_node *v = arg;

	if (ipsec_sessions_forget_left(v->kernel))
		(void)timer_start(v->d->env.timers, t, mono_add_s(sys_now(NULL), LEFT_S));
}

static bool start_node(struct daemon_vcm_node *v)
{
	struct vcm_node_config c = {.internal = v->internal,
		.home = v->home,
		.manager = v->config->manager,
		.probe_s = v->config->probe_s,
		.idle_s = v->config->idle_s,
		.path_required = in6_equal(&v->internal, &v->home)};

	while (!c.epoch)
		sys_random(NULL, &c.epoch, sizeof(c.epoch));
	v->node = vcm_node_new(&c, &node_ops, v, v->d->env.timers);
	if (!v->node)
		log_error("out of memory");
	return v->node;
}

static bool start_kernel(struct daemon_vcm_node *v)
{
	char err[256];

	v->kernel = ipsec_sessions_open(
		&v->home, v->d->cfg->ipsec.replay_window, &kernel_ops, v, err, sizeof(err));
	if (!v->kernel)
		log_error("%s", err);
	return v->kernel;
}

static bool start_socket(struct daemon_vcm_node *v)
{
	v->fd = vcm_socket_open(&v->internal, VCM_PORT);
	if (v->fd < 0)
		log_error("vpn.manager: no UDP socket at %s, port %u: %s", in6_str(&v->internal),
			VCM_PORT, strerror(-v->fd));
	return v->fd >= 0;
}

bool daemon_vcm_node_start(struct daemon *d)
{
	const struct config_vpn *c = &d->cfg->vpn;
	struct daemon_vcm_node *v;
	int err;

	if (!c->enabled || in6_is_any(&c->manager))
		return true;
	v = calloc(1, sizeof(*v));
	if (!v)
		return false;
	d->vcm_node = v;
	v->d = d;
	v->config = c;
	v->home = d->cfg->mobile_node.home_address;
	v->internal = in6_is_any(&c->internal_address) ? v->home : c->internal_address;
	v->fd = -1;
	timer_init(&v->left, forget_left, v);
	if (!start_kernel(v) || !start_socket(v) || !start_node(v))
		return false;
	err = sys_loop_read(d->loop, v->fd, read_socket, v);
	if (!err)
		err = sys_loop_read(d->loop, ipsec_sessions_fd(v->kernel), read_kernel, v);
	if (err)
		log_error("event loop: %s", strerror(-err));
	(void)timer_start(d->env.timers, &v->left, mono_add_s(sys_now(NULL), LEFT_S));
	return !err;
}

void daemon_vcm_node_stop(struct daemon *d)
{
	struct daemon_vcm_node *v = d->vcm_node;

	if (!v)
		return;
	vcm_node_free(v->node, true);
	v->node = NULL;
	timer_stop(d->env.timers, &v->left);
	if (v->fd >= 0) {
		sys_loop_forget(d->loop, v->fd);
		close(v->fd);
	}
	if (v->kernel)
		sys_loop_forget(d->loop, ipsec_sessions_fd(v->kernel));
	ipsec_sessions_close(v->kernel);
	daemon_vcm_forget_wanted(v);
	d->vcm_node = NULL;
	free(v);
}
