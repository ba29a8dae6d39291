/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPsec in the daemon: the glue is started with the kernel side of the role,
 * before the core asks for anything, and ends behind it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>

#include "ipsec-glue/glue.h"
#include "ipsec-glue/manual.h"
#include "lib/log.h"
#include "mip6d/daemon_internal.h"
#include "mip6d/sys/ha_kernel.h"
#include "mip6d/sys/mn_kernel.h"

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

static const struct ipsec_glue_ops glue_ops = {.pause = pause_sending, .moved = moved, .notice = notice};

/* ---- start and end ---- */

bool daemon_ipsec_start(struct daemon *d)
{
	const char *file = access("/work/wt/lead/build/HB_KEYS", F_OK) ? NULL : "/work/wt/lead/build/HB_KEYS";
	bool payload = access("/work/wt/lead/build/HB_PAYLOAD", F_OK) == 0;
	struct ipsec_glue_config c = {.at_home_agent = d->cfg->role == ROLE_HOME_AGENT,
		.manager = IPSEC_MANUAL, .arrangement = access("/work/wt/lead/build/HB_HOME", F_OK) == 0 ? IPSEC_BY_HOME_ADDRESS : IPSEC_BY_MIGRATE,
		.payload = payload, .replay_window = 4096};
	char err[512];
	const struct ipsec_manual_sa *sa;

	if (!file) return true;
	c.keys = ipsec_keys_quick(file);
	d->glue = ipsec_glue_open(&c, &glue_ops, d, err, sizeof(err));
	if (!d->glue) { log_error("%s", err); return false; }
	for (size_t i = 0; (sa = ipsec_keys_at(c.keys, i)); i++) {
		const struct in6_addr *ha = c.at_home_agent ? &d->cfg->home_agent.address : &d->cfg->mobile_node.home_agent;
		struct ipsec_glue_node n = {.home_address = in6_equal(&sa->dst, ha) ? sa->src : sa->dst, .home_agent = *ha};
		int rc = ipsec_glue_add(d->glue, &n);
		if (!rc && !c.at_home_agent) rc = ipsec_glue_networks(d->glue, &n.home_address, ha, d->cfg->mobile_node.router.networks, d->cfg->mobile_node.router.n_networks);
		if (rc) { log_error("%s %s", strerror(-rc), ipsec_glue_why(d->glue)); return false; }
	}
	if ((d->mn_kernel ? mn_kernel_protect(d->mn_kernel, d->glue, payload, err, sizeof(err)) : ha_kernel_protect(d->ha_kernel, d->glue, payload, err, sizeof(err)))) { log_error("%s", err); return false; }
	ipsec_glue_settle(d->glue);
	return true;
}

void daemon_ipsec_stop(struct daemon *d)
{
	ipsec_glue_close(d->glue, true);
	d->glue = NULL;
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
