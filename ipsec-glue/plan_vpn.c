/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inbound there is no name of an SA in the template of the tunnel: whatever
 * came out of an SA was judged by the SA's own selector, and several peers
 * are behind one prefix.
 */
#include "ipsec-glue/plan_vpn.h"

#include <netinet/icmp6.h>

#include "ipsec-glue/marks.h"

static struct ip6_prefix host(const struct in6_addr *a)
{
	return (struct ip6_prefix){.addr = *a, .plen = 128};
}

/* From IA outbound, to it else. */
static struct ipsec_policy *set(const struct ipsec_vpn *v, enum ipsec_dir dir,
	const struct ip6_prefix *other, uint8_t proto, uint32_t priority, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_POLICY_SET);
	struct ip6_prefix self = host(&v->internal);

	if (!op)
		return NULL;
	op->policy = (struct ipsec_policy){.dir = dir,
		.sel = {.family = AF_INET6,
			.proto = proto,
			.type = -1,
			.src = dir == IPSEC_OUT ? self : *other,
			.dst = dir == IPSEC_OUT ? *other : self},
		.priority = priority};
	return &op->policy;
}

static void add(struct ipsec_policy *p, struct ipsec_template t)
{
	p->templates[p->n_templates++] = t;
}

/* The direct path where there is one: states of the Home Address option and the routing header (KERNEL facts: E). */
static void add_carriers(struct ipsec_policy *p)
{
	bool out = p->dir == IPSEC_OUT;

	add(p, (struct ipsec_template){.proto = out ? IPPROTO_ROUTING : IPPROTO_DSTOPTS,
		       .mode = IPSEC_RO,
		       .optional = true});
	add(p, (struct ipsec_template){.proto = out ? IPPROTO_DSTOPTS : IPPROTO_ROUTING,
		       .mode = IPSEC_RO,
		       .optional = true});
}

static void add_tunnel(const struct ipsec_vpn *v, struct ipsec_policy *p, bool optional)
{
	struct ipsec_template t = {
		.proto = IPPROTO_ESP, .mode = IPSEC_TUNNEL, .optional = optional};

	if (p->dir == IPSEC_OUT) {
		t.reqid = v->reqid;
		t.src = v->home;
		t.dst = v->gateway;
	}
	add(p, t);
	add_carriers(p);
}

static void add_transport(const struct ipsec_vpn *v, struct ipsec_policy *p)
{
	bool out = p->dir == IPSEC_OUT;

	add(p, (struct ipsec_template){.proto = IPPROTO_ESP,
		       .mode = IPSEC_TRANSPORT,
		       .reqid = v->manager_reqid,
		       .src = out ? v->internal : v->manager,
		       .dst = out ? v->manager : v->internal});
}

/* ---- the internal portion ---- */

/* A node that may be inside has to find its neighbours; types are good in both directions here (no extension headers). */
static void discovery(const struct ipsec_vpn *v, const struct ip6_prefix *to, struct ipsec_plan *p)
{
	static const uint8_t types[] = {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};

	for (int i = 0; i < 4; i++) {
		struct ipsec_policy *q = set(
			v, i / 2 ? IPSEC_OUT : IPSEC_IN, to, IPPROTO_ICMPV6, GLUE_PRIO_VPN_OPEN, p);

		if (q)
			q->sel.type = types[i % 2];
	}
}

static void receive(const struct ipsec_vpn *v, enum ipsec_dir dir, const struct ip6_prefix *from,
	bool outside, struct ipsec_plan *p)
{
	struct ipsec_policy *q = set(v, dir, from, 0, GLUE_PRIO_VPN, p);

	if (q)
		add_tunnel(v, q, !outside);
}

/* Inside nothing is demanded of what leaves, and what other policy asks for it decides: none. */
static void out(
	const struct ipsec_vpn *v, const struct ip6_prefix *to, bool outside, struct ipsec_plan *p)
{
	struct ipsec_policy *q = set(v, IPSEC_OUT, to, 0, GLUE_PRIO_VPN, p);

	if (q && outside)
		add_tunnel(v, q, false);
}

/* ---- the manager ---- */

static void manager_in(const struct ipsec_vpn *v, struct ipsec_plan *p)
{
	struct ip6_prefix manager = host(&v->manager);
	struct ipsec_policy *q = set(v, IPSEC_IN, &manager, 0, GLUE_PRIO_VPN_MANAGER, p);

	if (!q)
		return;
	add_transport(v, q);
	add_tunnel(v, q, true);
}

static void manager_out(const struct ipsec_vpn *v, bool outside, struct ipsec_plan *p)
{
	struct ip6_prefix manager = host(&v->manager);
	struct ipsec_policy *q = set(v, IPSEC_OUT, &manager, 0, GLUE_PRIO_VPN_MANAGER, p);

	if (!q)
		return;
	add_transport(v, q);
	if (outside)
		add_tunnel(v, q, false);
}

/* Through the link that is asked about, so never through the gateway's tunnel. */
static void probe_out(const struct ipsec_vpn *v, struct ipsec_plan *p)
{
	struct ip6_prefix manager = host(&v->manager);
	struct ipsec_policy *q = set(v, IPSEC_OUT, &manager, IPPROTO_UDP, GLUE_PRIO_VPN_PROBE, p);

	if (!q)
		return;
	q->sel.type = (int16_t)v->probe_port; /* the source port */
	add_transport(v, q);
}

static bool own_sas(const struct ipsec_vpn *v)
{
	return v->has_manager && v->manager_reqid;
}

/* ---- places ---- */

void ipsec_plan_vpn(const struct ipsec_vpn *v, bool outside, struct ipsec_plan *p)
{
	/* what is narrower first: else the manager's would be sent without its own SA for a moment */
	if (own_sas(v)) {
		const struct ip6_prefix manager = host(&v->manager);

		manager_in(v, p);
		if (v->n_prefixes == 0) /* else it is in one of them */
			discovery(v, &manager, p);
		if (v->probe_port)
			probe_out(v, p);
		manager_out(v, outside, p);
	}
	for (size_t i = 0; i < v->n_prefixes; i++) {
		discovery(v, &v->prefixes[i], p);
		receive(v, IPSEC_IN, &v->prefixes[i], outside, p);
		receive(v, IPSEC_FWD, &v->prefixes[i], outside, p);
		out(v, &v->prefixes[i], outside, p);
	}
}

void ipsec_plan_vpn_end(const struct ipsec_vpn *v, struct ipsec_plan *p)
{
	size_t from = p->n;

	ipsec_plan_vpn(v, true, p);
	for (size_t i = from; i < p->n; i++)
		p->ops[i].type = IPSEC_POLICY_DEL;
}
