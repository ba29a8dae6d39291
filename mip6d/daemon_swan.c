/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAs that strongSwan makes: what the glue and strongSwan have to hear of
 * each other.  Who initiates is the mobile node, as it knows where its home
 * agent is; signalling first, since the tunnel is of no use without a binding.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/glue.h"
#include "ipsec-glue/swan.h"
#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "common/loop.h"
#include "mip6d/sys/mn_kernel.h"
#include "mip6d/sys/settings.h"

static void readable(void *arg)
{
	swan_read(((struct daemon *)arg)->swan);
}

static void watch_fd(void *ctx, int fd, bool watch)
{
	struct daemon *d = ctx;

	if (!watch)
		sys_loop_forget(d->loop, fd);
	else if (sys_loop_read(d->loop, fd, readable, d))
		log_error("strongSwan's socket cannot be watched");
}

static void child(void *ctx, const struct swan_child *c)
{
	const struct swan_ref *ref = c->ref;
	struct daemon *d = ctx;
	struct ipsec_glue_child change = {.use = ref->use,
		.spi_in = c->spi_in,
		.spi_out = c->spi_out,
		.local = c->local,
		.remote = c->remote};

	if (ipsec_glue_child(d->glue, &ref->home_address, &ref->home_agent, &change))
		log_warning("SAs of %s: %s", in6_str(&ref->home_address), ipsec_glue_why(d->glue));
	else if (d->mn_kernel && c->spi_out)
		mn_kernel_keyed(d->mn_kernel);
	log_debug("%s/%s of %s: SPIs 0x%x in, 0x%x out", ref->connection, ref->child,
		in6_str(&ref->home_address), c->spi_in, c->spi_out);
}

static void stale(void *ctx, const struct swan_ref *ref, uint32_t spi_in, uint32_t spi_out)
{
	struct daemon *d = ctx;

	if (ipsec_glue_stale(d->glue, &ref->home_address, &ref->home_agent, ref->use, spi_in, spi_out))
		log_warning("old SAs of %s: %s", in6_str(&ref->home_address), ipsec_glue_why(d->glue));
}

static void complaint(void *ctx, const struct swan_ref *ref, const char *text)
{
	(void)ctx;
	if (ref)
		log_warning("strongSwan, %s/%s: %s", ref->connection, ref->child, text);
	else
		log_warning("strongSwan: %s", text);
}

static void connected(void *ctx, bool up)
{
	(void)ctx;
	log_info("strongSwan %s", up ? "is there" : "is gone; SAs stay until it comes back");
}

static const struct swan_ops ops = {
	.fd = watch_fd, .child = child, .stale = stale, .complaint = complaint, .connected = connected};

/* ---- nodes ---- */

static bool watch_child(struct daemon *d, const struct config_ipsec_node *c, const struct ipsec_glue_node *n,
	enum ipsec_use use)
{
	struct swan_ref ref = {.home_address = n->home_address,
		.home_agent = n->home_agent,
		.use = use,
		.at_home_agent = d->ha_kernel,
		.arrangement = d->cfg->ipsec.arrangement,
		.reqid = n->reqid[use]};
	int err;

	snprintf(ref.connection, sizeof(ref.connection), "%s",
		use == IPSEC_DATA && c->data_connection[0] ? c->data_connection : c->connection);
	snprintf(ref.child, sizeof(ref.child), "%s", use == IPSEC_SIGNAL ? c->signal : c->data);
	err = swan_watch(d->swan, &ref);
	if (err)
		log_error("ipsec.nodes: %s/%s: %s", ref.connection, ref.child,
			err == -EEXIST ? "stands there twice" : strerror(-err));
	return !err;
}

static bool add_node(struct daemon *d, const struct config_ipsec_node *c)
{
	bool mobile = d->mn_kernel;
	struct ipsec_glue_node n = {
		.home_address = mobile ? d->cfg->mobile_node.home_address : c->home_address,
		.home_agent = mobile ? c->home_agent : d->cfg->home_agent.address,
		.reqid = {c->reqid, c->reqid + 1}};

	return daemon_ipsec_add(d, &n) && watch_child(d, c, &n, IPSEC_SIGNAL) &&
	       watch_child(d, c, &n, IPSEC_DATA);
}

/* A packet that needs an SA waits for it, instead of being lost. */
static void packets_wait(struct daemon *d)
{
	if (settings_set(d->settings, "net/core/xfrm_larval_drop", "0"))
		log_warning("net.core.xfrm_larval_drop stays as it is: what needs an SA that is being made is lost");
}

bool daemon_swan_start(struct daemon *d)
{
	const struct config_ipsec *c = &d->cfg->ipsec;

	packets_wait(d);
	d->swan = swan_open(c->vici_socket, d->env.timers, sys_now, NULL, &ops, d);
	if (!d->swan) {
		log_error("out of memory");
		return false;
	}
	for (size_t i = 0; i < c->n_nodes; i++)
		if (!add_node(d, &c->nodes[i]))
			return false;
	return true;
}

void daemon_swan_stop(struct daemon *d)
{
	if (d->swan)
		swan_close(d->swan);
	d->swan = NULL;
}

/* What we asked for ends with us: the home agent has been told of the binding, now it hears of the SAs. */
void daemon_swan_end(struct daemon *d, enum ipsec_use use)
{
	if (!d->swan || !d->mn_kernel)
		return;
	swan_end(d->swan, use);
	d->swan_until = mono_add_ms(sys_now(NULL), SWAN_END_MS + 500);
}

bool daemon_swan_ending(const struct daemon *d)
{
	return d->swan && swan_ending(d->swan) && mono_before(sys_now(NULL), d->swan_until);
}

void daemon_swan_bound(struct daemon *d, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of)
{
	if (!d->swan || !d->mn_kernel)
		return;
	for (size_t i = 0; i < d->cfg->ipsec.n_nodes; i++)
		if (!in6_equal(&d->cfg->ipsec.nodes[i].home_agent, home_agent))
			(void)swan_leave(d->swan, home_address, &d->cfg->ipsec.nodes[i].home_agent);
	(void)swan_source(d->swan, home_address, home_agent, care_of);
	(void)swan_need(d->swan, home_address, home_agent, IPSEC_SIGNAL, true);
	(void)swan_need(d->swan, home_address, home_agent, IPSEC_DATA, true);
}
