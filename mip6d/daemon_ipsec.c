/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPsec in the daemon: the glue is started with the kernel side of the role,
 * before the core asks for anything, and ends behind it.
 */
#include <errno.h>
#include <string.h>

#include "ipsec-glue/glue.h"
#include "ipsec-glue/manual.h"
#include "ipsec-glue/sequence.h"
#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/sys/esp_filter.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/mn_kernel.h"
#include "mip6d/sys/store.h"
#include "common/loop.h"

/* ---- what the glue asks ---- */

static int pause_sending(void *ctx, const struct in6_addr *home_address, bool on)
{
	struct daemon *d = ctx;

	return d->mn_kernel ? mn_kernel_pause(d->mn_kernel, on)
			    : ha_kernel_pause(d->ha_kernel, home_address, on);
}

static void moved(void *ctx, const struct in6_addr *home_address, const struct in6_addr *from,
	const struct in6_addr *care_of)
{
	struct daemon *d = ctx;

	(void)home_address;
	if (d->mn_kernel)
		mn_kernel_moved(d->mn_kernel, from, care_of);
}

static void notice(void *ctx, const struct in6_addr *home_address, const char *text)
{
	(void)ctx;
	log_notice("IPsec of %s: %s", in6_str(home_address), text);
}

static void bound(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
	const struct in6_addr *care_of)
{
	daemon_swan_bound(ctx, home_address, home_agent, care_of);
}

static bool sequence_get(void *ctx, const struct ipsec_manual_sa *sa, struct ipsec_sequence *s)
{
	const struct daemon *d = ctx;
	struct store_sa record = {.src = sa->src, .dst = sa->dst, .spi = sa->spi};

	if (!store_sa_get(d->store, &record))
		return false;
	*s = (struct ipsec_sequence){.bound = record.bound, .received = record.received};
	memcpy(s->fingerprint, record.fingerprint, sizeof(s->fingerprint));
	return true;
}

static bool sequence_put(
	void *ctx, const struct ipsec_manual_sa *sa, const struct ipsec_sequence *s, bool sync)
{
	const struct daemon *d = ctx;
	struct store_sa record = {.src = sa->src,
		.dst = sa->dst,
		.spi = sa->spi,
		.bound = s->bound,
		.received = s->received};

	memcpy(record.fingerprint, s->fingerprint, sizeof(record.fingerprint));
	return store_sa_put(d->store, &record, sync);
}

static const struct ipsec_glue_ops glue_ops = {
	.pause = pause_sending,
	.sequence_get = sequence_get,
	.sequence_put = sequence_put,
	.moved = moved, .bound = bound, .notice = notice};

/* ---- start and end ---- */

static bool complain(const struct daemon *d, const struct in6_addr *home_address, int err)
{
	log_error("IPsec of %s: %s", in6_str(home_address),
		err == -ENOKEY ? "there are no keys; `mip6ctl ipsec keys` makes some" : ipsec_glue_why(d->glue));
	return false;
}

bool daemon_ipsec_add(struct daemon *d, const struct ipsec_glue_node *n)
{
	const struct config_mobile_router *r = &d->cfg->mobile_node.router;
	int err = ipsec_glue_add(d->glue, n);

	if (!err && d->mn_kernel)
		err = ipsec_glue_networks(
			d->glue, &n->home_address, &n->home_agent, r->networks, r->n_networks);
	return err ? complain(d, &n->home_address, err) : true;
}

static bool add_node(struct daemon *d, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	const struct ipsec_glue_node n = {.home_address = *home_address, .home_agent = *home_agent};

	return daemon_ipsec_add(d, &n);
}

/* Whom there are keys for: on a mobile node its home agents, on a home agent its nodes. */
static bool add_manual(struct daemon *d)
{
	const struct ipsec_manual_sa *sa;

	for (size_t i = 0; (sa = ipsec_keys_at(d->cfg->ipsec.keys, i)); i++) {
		const struct in6_addr *home_agent = &d->cfg->home_agent.address,
				      *home = &d->cfg->mobile_node.home_address;

		if (sa->use != IPSEC_SIGNAL && sa->use != IPSEC_DATA)
			continue; /* pairs of a virtual private network */
		if (d->ha_kernel && in6_equal(&sa->dst, home_agent) && !add_node(d, &sa->src, home_agent))
			return false;
		if (d->mn_kernel && in6_equal(&sa->src, home) && !add_node(d, home, &sa->dst))
			return false;
	}
	return true;
}

static bool protect(struct daemon *d)
{
	const struct esp_filter_config c = {
		.payload = d->cfg->ipsec.payload, .ike = d->cfg->ipsec.manager == IPSEC_STRONGSWAN,
		.by_home_address = d->cfg->ipsec.arrangement == IPSEC_BY_HOME_ADDRESS};
	char err[512];

	if (!(d->mn_kernel ? mn_kernel_protect(d->mn_kernel, d->glue, &c, err, sizeof(err))
			   : ha_kernel_protect(d->ha_kernel, d->glue, &c, err, sizeof(err))))
		return true;
	log_error("%s", err);
	return false;
}

static void read_events(void *glue)
{
	ipsec_glue_read(glue);
}

bool daemon_ipsec_start(struct daemon *d)
{
	const struct config_ipsec *from = &d->cfg->ipsec;
	const struct ipsec_glue_config c = {.at_home_agent = d->cfg->role == ROLE_HOME_AGENT,
		.manager = from->manager,
		.arrangement = from->arrangement,
		.payload = from->payload,
		.replay_window = from->replay_window,
		.keys = from->keys};
	char err[512];

	if (from->manager == IPSEC_NONE || from->moves == CONFIG_MOVES_CHARON)
		return true;
	d->glue = ipsec_glue_open(&c, &glue_ops, d, err, sizeof(err));
	if (!d->glue) {
		log_error("%s", err);
		return false;
	}
	if (!(from->manager == IPSEC_MANUAL ? add_manual(d) : daemon_swan_start(d)))
		return false;
	if (!protect(d))
		return false;
	sys_loop_read(d->loop, ipsec_glue_fd(d->glue), read_events, d->glue);
	return true;
}

bool daemon_ipsec_pairs(struct daemon *d)
{
	const struct ipsec_glue_config c = {.manager = IPSEC_MANUAL,
		.replay_window = d->cfg->ipsec.replay_window,
		.keys = d->cfg->ipsec.keys};
	char err[512];

	if (d->glue)
		return true;
	d->glue = ipsec_glue_open(&c, &glue_ops, d, err, sizeof(err));
	if (!d->glue) {
		log_error("%s", err);
		return false;
	}
	sys_loop_read(d->loop, ipsec_glue_fd(d->glue), read_events, d->glue);
	return true;
}

void daemon_ipsec_settle(struct daemon *d)
{
	if (d->glue && ipsec_glue_settle(d->glue))
		log_warning("IPsec: what a predecessor left was not removed: %s", ipsec_glue_why(d->glue));
}

void daemon_ipsec_stop(struct daemon *d)
{
	daemon_swan_stop(d);
	if (d->glue)
		sys_loop_forget(d->loop, ipsec_glue_fd(d->glue));
	ipsec_glue_close(d->glue, true);
	d->glue = NULL;
}

/* Found by discovery, or told by another home agent; without keys nothing leaves for it, and the core goes on to the next. */
void daemon_ipsec_agent(const struct daemon *d, const struct in6_addr *home_agent)
{
	const struct config_ipsec *c = &d->cfg->ipsec;

	if (!d->glue || ipsec_glue_protects(d->glue, &d->cfg->mobile_node.home_address, home_agent))
		return;
	if (c->manager == IPSEC_STRONGSWAN)
		log_warning("home agent %s has no entry in ipsec.nodes, so there is no registration with it; add  "
			"{ home_agent = \"%s\"; connection = \"...\"; }  and the connection to swanctl.conf",
			in6_str(home_agent), in6_str(home_agent));
	else
		log_warning("for home agent %s there are no keys, so there is no registration with it; "
			"`mip6ctl ipsec keys %s %s` makes some", in6_str(home_agent),
			in6_str(&d->cfg->mobile_node.home_address), in6_str(home_agent));
}

/* What is between a home address and its home agent came through an SA, or the kernel has dropped it. */
void daemon_ipsec_received(struct daemon *d, struct mip6_packet *p)
{
	if (!d->glue)
		return;
	if (ipsec_glue_protects(d->glue, d->ha_kernel ? &p->src : &p->dst, d->ha_kernel ? &p->dst : &p->src))
		p->flags |= MIP6_PKT_PROTECTED;
	else if (d->mn_kernel && !(p->flags & MIP6_PKT_RH2) && mn_kernel_by_sa(d->mn_kernel) &&
		in6_equal(&p->dst, &d->cfg->mobile_node.home_address))
		p->flags |= MIP6_PKT_PROTECTED | MIP6_PKT_TUNNELED;
}

/* Never in clear what has to be protected. */
bool daemon_ipsec_may_send(const struct daemon *d, const struct mip6_packet *p)
{
	if (!(p->flags & MIP6_PKT_PROTECTED))
		return true;
	return d->glue && ipsec_glue_protects(d->glue, d->ha_kernel ? &p->dst : &p->src,
				 d->ha_kernel ? &p->src : &p->dst);
}
