/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nodes of a gateway in the kernel.  Make before break: a node that leaves
 * first gets its policy, then its route, then others hear where it is; one
 * that comes back loses them the other way round.
 */
#include "mip6d/sys/vpn_gateway.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/compare.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/sender.h"
#include "ipsec-glue/snapshot.h"
#include "lib/netlink.h"
#include "mip6d/sys/policy_watch.h"
#include "mip6d/sys/vpn_gateway_internal.h"

void vpn_gateway_complain(struct vpn_gateway *v, const char *what, int err)
{
	uint64_t held;

	if (log_allowed(&v->log, sys_now(NULL), &held))
		log_error("gateway: %s: %s", what, strerror(-err));
}

const char *vpn_gateway_why(const struct vpn_gateway *v)
{
	return v->why;
}

void vpn_gateway_stats(const struct vpn_gateway *v, struct vpn_gateway_stats *s)
{
	*s = v->stats;
}

/* Carries the plan out, and frees it. */
static int carry_out(struct vpn_gateway *v, struct ipsec_plan *p)
{
	return ipsec_carry_out(v->sender, p, v->why, sizeof(v->why));
}

/* ---- nodes ---- */

int vpn_gateway_add(struct vpn_gateway *v, const struct vpn_gateway_node *from)
{
	struct vpn_node *n;
	struct ipsec_plan p = {0};
	int err;

	HASH_FIND(hh, v->nodes, &from->internal, sizeof(from->internal), n);
	if (n)
		return -EEXIST;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->n = (struct ipsec_vpn_node){from->internal, from->home, from->reqid};
	HASH_ADD(hh, v->nodes, n.internal, sizeof(n->n.internal), n);
	HASH_ADD(hh_home, v->homes, n.home, sizeof(n->n.home), n);
	err = vpn_filter_node(v, &from->internal, &from->home);
	if (err || !v->config.activates)
		return err;
	ipsec_plan_vpn_receive(&v->plan, &n->n, true, &p);
	return carry_out(v, &p);
}

static int send_by_sa(struct vpn_gateway *v, const struct vpn_node *n, bool on)
{
	struct ipsec_plan p = {0};

	ipsec_plan_vpn_send(&v->plan, &n->n, on, &p);
	return carry_out(v, &p);
}

static int turn_on(struct vpn_gateway *v, const struct vpn_node *n)
{
	int err = send_by_sa(v, n, true);

	return err ? err : vpn_links_take(v, &n->n.internal);
}

static int turn_off(struct vpn_gateway *v, const struct vpn_node *n)
{
	int err = vpn_links_give(v, &n->n.internal);

	return err ? err : send_by_sa(v, n, false);
}

int vpn_gateway_activate(struct vpn_gateway *v, const struct in6_addr *internal, bool on)
{
	struct vpn_node *n;
	int err = 0;

	HASH_FIND(hh, v->nodes, internal, sizeof(*internal), n);
	if (!n)
		return -ENOENT;
	n->outside = on;
	if (v->config.activates)
		err = on ? turn_on(v, n) : turn_off(v, n);
	return err ? err : vpn_filter_outside(v, internal, on);
}

/* ---- what a predecessor left ---- */

static bool still_wanted(const struct vpn_gateway *v, const struct ipsec_policy *p)
{
	const struct in6_addr *internal = p->dir == IPSEC_OUT ? &p->sel.dst.addr : &p->sel.src.addr;
	const struct vpn_node *n;

	if (p->priority == GLUE_PRIO_VPN_MANAGER)
		return in6_equal(&p->sel.src.addr, &v->config.manager) ||
		       in6_equal(&p->sel.dst.addr, &v->config.manager);
	HASH_FIND(hh, v->nodes, internal, sizeof(*internal), n);
	return n && (p->dir != IPSEC_OUT || n->outside);
}

static int settle_policies(struct vpn_gateway *v)
{
	struct ipsec_snapshot there = {0};
	struct ipsec_plan p = {0};
	int err = ipsec_sender_snapshot(v->sender, &there);

	for (size_t i = 0; i < there.n_policies && !err; i++) {
		const struct ipsec_policy *policy = &there.policies[i];
		struct ipsec_op *op;

		if ((policy->priority != GLUE_PRIO_VPN &&
			    policy->priority != GLUE_PRIO_VPN_MANAGER) ||
			still_wanted(v, policy))
			continue;
		op = ipsec_plan_add(&p, IPSEC_POLICY_DEL);
		if (op)
			op->policy = *policy;
	}
	ipsec_snapshot_free(&there);
	if (err)
		return err;
	return carry_out(v, &p);
}

int vpn_gateway_start(struct vpn_gateway *v)
{
	int err = v->config.activates ? settle_policies(v) : 0;

	return err || !v->config.activates ? err : vpn_links_settle(v);
}

/* ---- what there should be ---- */

static void plan_manager(const struct vpn_gateway *v, bool on, struct ipsec_plan *p)
{
	if (!in6_is_any(&v->config.own))
		ipsec_plan_vpn_manager(
			&v->config.own, &v->config.manager, v->config.manager_reqid, on, p);
}

/* A manager on this host has policies of the same priority. */
static bool is_ours(void *ctx, const struct ipsec_op *surplus)
{
	const struct vpn_gateway *v = ctx;
	const struct ipsec_policy *p = &surplus->policy;

	if (surplus->type != IPSEC_POLICY_DEL)
		return false;
	if (p->priority == GLUE_PRIO_VPN_MANAGER)
		return !in6_is_any(&v->config.own) &&
		       (in6_equal(&p->sel.src.addr, &v->config.own) ||
			       in6_equal(&p->sel.dst.addr, &v->config.own));
	return p->priority == GLUE_PRIO_VPN && v->config.activates;
}

static int compare(struct vpn_gateway *v, struct ipsec_compare *c)
{
	struct ipsec_plan wanted = {0};
	const struct vpn_node *n, *next;
	int rc;

	v->stats.compared++;
	plan_manager(v, true, &wanted);
	HASH_ITER(hh, v->nodes, n, next) {
		if (!v->config.activates)
			break;
		ipsec_plan_vpn_receive(&v->plan, &n->n, true, &wanted);
		if (n->outside)
			ipsec_plan_vpn_send(&v->plan, &n->n, true, &wanted);
	}
	rc = ipsec_compare(v->sender, &wanted, c);
	if (rc < 0)
		snprintf(v->why, sizeof(v->why), "%s", c->why[0] ? c->why : strerror(-rc));
	ipsec_plan_free(&wanted);
	return rc;
}

int vpn_gateway_check(
	struct vpn_gateway *v, bool mend, void (*fn)(void *arg, const char *text), void *arg)
{
	struct ipsec_compare c = {.owns = is_ours, .ctx = v, .mend = mend, .tell = fn, .arg = arg};

	return compare(v, &c);
}

/* ---- what somebody deletes ---- */

/* By priority as well: a home agent on this host has policies of the same addresses, and deletes them whenever a node is back. */
static bool of_node_or_manager(void *ctx, const struct ipsec_event *e)
{
	const struct in6_addr *other = e->dir == IPSEC_OUT ? &e->sel.dst.addr : &e->sel.src.addr;
	const struct vpn_gateway *v = ctx;
	const struct vpn_node *n;

	if (e->priority && e->priority != GLUE_PRIO_VPN && e->priority != GLUE_PRIO_VPN_MANAGER)
		return false;
	HASH_FIND(hh, v->nodes, other, sizeof(*other), n);
	return n || in6_equal(other, &v->config.manager);
}

static void notice(void *arg, const char *text)
{
	struct vpn_gateway *v = arg;

	if (log_allowed(&v->log, sys_now(NULL), NULL))
		log_notice("gateway: %s; it is put back", text);
}

static void policy_gone(void *ctx)
{
	struct ipsec_compare c = {.mend = true, .tell = notice, .arg = ctx};
	struct vpn_gateway *v = ctx;

	if (compare(v, &c) < 0)
		log_error(
			"gateway: policies that somebody has deleted are not put back: %s", v->why);
}

static const struct policy_watch_ops watch_ops = {of_node_or_manager, policy_gone};

/* ---- start and end ---- */

static int protect_manager(struct vpn_gateway *v, bool on)
{
	struct ipsec_plan p = {0};

	plan_manager(v, on, &p);
	return p.n || p.no_memory ? carry_out(v, &p) : 0;
}

static int open_all(struct vpn_gateway *v, char *err, size_t errlen)
{
	int rc = 0;

	v->nf = nlreq_open(NETLINK_NETFILTER, &rc);
	if (v->nf)
		v->rt = nlreq_open(NETLINK_ROUTE, &rc);
	if (v->rt)
		v->sender = ipsec_sender_open(&rc);
	if (v->sender)
		v->watch = policy_watch_open(v->loop, v->sender, &watch_ops, v, &rc);
	if (!v->watch) {
		snprintf(err, errlen, "gateway: no netlink socket: %s", strerror(-rc));
		return rc;
	}
	rc = vpn_filter_open(v, err, errlen);
	if (!rc && v->config.activates)
		rc = vpn_links_open(v, err, errlen);
	if (rc)
		return rc;
	rc = protect_manager(v, true);
	if (rc)
		snprintf(err, errlen, "gateway: policies of the manager: %s", v->why);
	return rc;
}

struct vpn_gateway *vpn_gateway_open(const struct vpn_gateway_config *c, struct sys_loop *loop,
	struct settings *settings, const struct vpn_gateway_events *events, void *ctx, char *err,
	size_t errlen)
{
	struct vpn_gateway *v = calloc(1, sizeof(*v));

	if (!v || c->n_internal > sizeof(v->internal) / sizeof(v->internal[0]) ||
		c->n_interfaces > VPN_LINKS) {
		snprintf(err, errlen, "gateway: out of memory");
		free(v);
		return NULL;
	}
	v->config = *c;
	memcpy(v->internal, c->internal, c->n_internal * sizeof(v->internal[0]));
	memcpy(v->interfaces, c->interfaces, c->n_interfaces * sizeof(v->interfaces[0]));
	v->config.internal = v->internal;
	v->config.interfaces = v->interfaces;
	v->plan = (struct ipsec_vpn_gateway){c->address, v->internal, c->n_internal};
	v->loop = loop;
	v->settings = settings;
	v->events = *events;
	v->ctx = ctx;
	v->log = (struct log_limit)LOG_LIMIT_INIT(5, 6);
	v->packet_fd = -1;
	if (open_all(v, err, errlen)) {
		vpn_gateway_close(v);
		return NULL;
	}
	return v;
}

static void remove_policies(struct vpn_gateway *v, const struct vpn_node *n)
{
	struct ipsec_plan p = {0};

	ipsec_plan_vpn_send(&v->plan, &n->n, false, &p);
	ipsec_plan_vpn_receive(&v->plan, &n->n, false, &p);
	if (carry_out(v, &p))
		log_warning("gateway: policies of %s are not removed: %s", in6_str(&n->n.internal),
			v->why);
}

void vpn_gateway_close(struct vpn_gateway *v)
{
	struct vpn_node *n, *next;

	if (!v)
		return;
	if (v->sender && protect_manager(v, false))
		log_warning("gateway: policies of the manager are not removed: %s", v->why);
	if (v->config.activates && v->rt)
		vpn_links_close(v);
	HASH_ITER(hh, v->nodes, n, next) {
		if (v->config.activates && v->sender)
			remove_policies(v, n);
		HASH_DELETE(hh_home, v->homes, n);
		HASH_DEL(v->nodes, n);
		free(n);
	}
	if (v->nf)
		vpn_filter_close(v);
	policy_watch_close(v->watch);
	if (v->sender)
		ipsec_sender_close(v->sender);
	if (v->rt)
		nlreq_close(v->rt);
	if (v->nf)
		nlreq_close(v->nf);
	free(v);
}
