/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mobile node with an intranet: its SAs and policies with gateway and manager (doc/vcm.md). */
#include <errno.h>
#include <string.h>

#include "ipsec-glue/compare.h"
#include "ipsec-glue/glue.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/pair.h"
#include "ipsec-glue/sender.h"
#include "lib/log.h"
#include "mip6/wire.h"
#include "mip6d/daemon_vcm_node.h"
#include "mip6d/daemon_vpn.h"
#include "mip6d/daemon_vpn_internal.h"
#include "mip6d/sys/policy_watch.h"
#include "vcm/message.h"

#define REQID 0x560000 /* with manual keys: out of the way of IKE daemons, which count from 1 */

/* ---- policies of a place ---- */

int daemon_vpn_policies(struct daemon_vpn *v, bool outside)
{
	struct ipsec_plan p = {0};
	char why[256] = "";
	int err;

	v->policies_outside = outside;
	ipsec_plan_vpn(&v->policies, outside, &p);
	err = ipsec_carry_out(v->sender, &p, why, sizeof(why));
	if (err)
		log_error("policies of %s: %s", in6_str(&v->policies.internal), why);
	return err;
}

void daemon_vpn_place_manager(struct daemon_vpn *v, const struct mn_info *i, bool outside)
{
	if (!v->sender || outside == v->outside)
		return;
	v->policies.gateway = i->home_agent;
	v->policies.reqid =
		v->d->glue ? ipsec_glue_reqid(v->d->glue, &v->policies.home, &i->home_agent) : 0;
	(void)daemon_vpn_policies(v, outside);
}

/* ---- compared with the kernel ---- */

/* Of our internal address, with a priority that nobody else has. */
static bool of_intranet(const struct daemon_vpn *v, const struct ipsec_selector *sel,
	enum ipsec_dir dir, uint32_t priority)
{
	return in6_equal(
		       dir == IPSEC_OUT ? &sel->src.addr : &sel->dst.addr, &v->policies.internal) &&
	       (priority == GLUE_PRIO_VPN || priority == GLUE_PRIO_VPN_OPEN ||
		       priority == GLUE_PRIO_VPN_PROBE || priority == GLUE_PRIO_VPN_MANAGER);
}

static bool is_ours(void *ctx, const struct ipsec_op *surplus)
{
	const struct ipsec_policy *p = &surplus->policy;

	return surplus->type == IPSEC_POLICY_DEL && of_intranet(ctx, &p->sel, p->dir, p->priority);
}

static int check_place(struct daemon_vpn *v, struct ipsec_compare *c)
{
	struct ipsec_plan wanted = {0};
	int n;

	ipsec_plan_vpn(&v->policies, v->policies_outside, &wanted);
	n = ipsec_compare(v->sender, &wanted, c);
	ipsec_plan_free(&wanted);
	if (n < 0)
		log_error("policies of %s: %s", in6_str(&v->policies.internal),
			c->why[0] ? c->why : strerror(-n));
	return n;
}

int daemon_vpn_check(void *daemon, bool mend, void (*fn)(void *arg, const char *text), void *arg)
{
	struct daemon *d = daemon;
	struct ipsec_compare c = {
		.owns = is_ours, .ctx = d->vpn, .mend = mend, .tell = fn, .arg = arg};
	int of_place = d->vpn && d->vpn->sender ? check_place(d->vpn, &c) : 0,
	    of_sessions = daemon_vcm_node_check(d, mend, fn, arg),
	    of_gateway = daemon_gateway_check(d, mend, fn, arg);

	if (of_place < 0 || of_sessions < 0)
		return of_place < 0 ? of_place : of_sessions;
	return of_gateway < 0 ? of_gateway : of_place + of_sessions + of_gateway;
}

/* ---- what somebody deletes ---- */

static bool was_ours(void *ctx, const struct ipsec_event *e)
{
	return of_intranet(ctx, &e->sel, e->dir, e->priority ? e->priority : GLUE_PRIO_VPN);
}

static void notice(void *arg, const char *text)
{
	(void)arg;
	log_notice("vpn: %s; it is put back", text);
}

static void gone(void *ctx)
{
	struct ipsec_compare c = {.mend = true, .tell = notice};

	(void)check_place(ctx, &c);
}

static const struct policy_watch_ops watch_ops = {was_ours, gone};

/* ---- start and end ---- */

static bool open_sender(struct daemon_vpn *v)
{
	int rc;

	v->sender = ipsec_sender_open(&rc);
	if (v->sender)
		v->watch = policy_watch_open(v->d->loop, v->sender, &watch_ops, v, &rc);
	return v->watch || daemon_vpn_refuse("the kernel's IPsec cannot be reached", strerror(-rc));
}

static struct ipsec_vpn policies_of(const struct config_vpn *c, const struct in6_addr *home)
{
	struct ipsec_vpn p = {.internal = c->internal_address,
		.home = *home,
		.gateway = c->gateway,
		.has_manager = true,
		.manager = c->manager,
		.reqid = c->reqid ? c->reqid : REQID,
		.probe_port = VCM_PROBE_PORT,
		.n_prefixes = c->n_internal};

	if (!c->manager_by_gateway)
		p.manager_reqid = p.reqid + 1;
	memcpy(p.prefixes, c->internal, c->n_internal * sizeof(c->internal[0]));
	return p;
}

static bool add_pair(struct daemon *d, const struct ipsec_pair *pair)
{
	int err = ipsec_glue_pair_add(d->glue, pair);

	if (!err)
		return true;
	log_error("vpn: SAs (%s) with %s: %s", ipsec_use_name(pair->use), in6_str(&pair->peer),
		err == -ENOKEY ? "there are no keys; each direction needs a line in the key file"
			       : ipsec_glue_why(d->glue));
	return false;
}

static bool add_manager_pair(struct daemon_vpn *v)
{
	const struct ipsec_pair manager = {.use = IPSEC_MANAGER,
		.local = v->policies.internal,
		.peer = v->policies.manager,
		.reqid = v->policies.manager_reqid};

	return add_pair(v->d, &manager);
}

/* What comes from the gateway is for IA and from the intranet, whatever policy is asked. */
static bool add_pairs(struct daemon_vpn *v)
{
	const struct ipsec_vpn *c = &v->policies;
	struct ipsec_pair gateway = {.use = IPSEC_GATEWAY,
		.local = c->home,
		.peer = c->gateway,
		.reqid = c->reqid,
		.has_sel = true,
		.sel = {.family = AF_INET6, .type = -1, .dst = {c->internal, 128}}};

	if (c->n_prefixes == 1) /* of several, policies say which */
		gateway.sel.src = c->prefixes[0];
	if (!daemon_ipsec_pairs(v->d))
		return false;
	if (v->d->cfg->vpn.ipsec == IPSEC_MANUAL && !add_pair(v->d, &gateway))
		return false;
	return !c->manager_reqid || add_manager_pair(v);
}

bool daemon_vpn_protect(struct daemon_vpn *v)
{
	const struct mip6d_config *cfg = v->d->cfg;

	v->policies = policies_of(&cfg->vpn, &cfg->mobile_node.home_address);
	/* what receives and protects before there is anything to send */
	return open_sender(v) && (!cfg->ipsec.pairs || add_pairs(v)) &&
	       daemon_vpn_policies(v, true) == 0;
}

bool daemon_vpn_protect_manager(struct daemon_vpn *v)
{
	const struct config_vpn *c = &v->d->cfg->vpn;

	if (in6_is_any(&c->manager) || c->manager_by_gateway)
		return true;
	v->policies = policies_of(c, &v->d->cfg->mobile_node.home_address);
	v->policies.internal = v->policies.home;
	v->policies.probe_port = 0;
	v->policies.n_prefixes = 0;
	if (!daemon_ipsec_pairs(v->d) || !add_manager_pair(v) || !open_sender(v))
		return false;
	/* Never without the manager's SA; by the tunnel as soon as there is one. */
	return daemon_vpn_policies(v, false) == 0;
}

void daemon_vpn_unprotect(struct daemon_vpn *v)
{
	struct ipsec_plan p = {0};
	char why[256] = "";

	if (!v->sender)
		return;
	ipsec_plan_vpn_end(&v->policies, &p);
	if (ipsec_carry_out(v->sender, &p, why, sizeof(why)))
		log_warning("vpn: policies are left over: %s", why);
	policy_watch_close(v->watch);
	v->watch = NULL;
	ipsec_sender_close(v->sender);
	v->sender = NULL;
}
