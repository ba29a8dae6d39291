/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/plan_vpn_gateway.h"

#include "ipsec-glue/marks.h"

static struct ip6_prefix host(const struct in6_addr *a)
{
	return (struct ip6_prefix){.addr = *a, .plen = 128};
}

static struct ipsec_policy *add(struct ipsec_plan *p, bool on, enum ipsec_dir dir,
	const struct ip6_prefix *src, const struct ip6_prefix *dst, uint8_t proto,
	uint32_t priority)
{
	struct ipsec_op *op = ipsec_plan_add(p, on ? IPSEC_POLICY_SET : IPSEC_POLICY_DEL);

	if (!op)
		return NULL;
	op->policy = (struct ipsec_policy){.dir = dir,
		.sel = {.family = AF_INET6, .proto = proto, .type = -1, .src = *src, .dst = *dst},
		.priority = priority};
	return &op->policy;
}

static void add_esp(struct ipsec_policy *p, enum ipsec_mode mode, bool optional, uint32_t reqid,
	const struct in6_addr *src, const struct in6_addr *dst)
{
	p->templates[p->n_templates++] = (struct ipsec_template){.proto = IPPROTO_ESP,
		.mode = mode,
		.optional = optional,
		.reqid = reqid,
		.src = *src,
		.dst = *dst};
}

/* Applies where there is a state: the node has a binding here, or its packets come by its home agent. */
static void add_ro(struct ipsec_policy *p, uint8_t proto)
{
	p->templates[p->n_templates++] =
		(struct ipsec_template){.proto = proto, .mode = IPSEC_RO, .optional = true};
}

/* Inner to outer, as they are applied and checked: the tunnel, then what carries it. */
static void receive(const struct ipsec_vpn_gateway *g, const struct ipsec_vpn_node *n,
	enum ipsec_dir dir, const struct ip6_prefix *internal, bool on, struct ipsec_plan *plan)
{
	struct ip6_prefix node = host(&n->internal);
	struct ipsec_policy *p = add(plan, on, dir, &node, internal, 0, GLUE_PRIO_VPN);

	if (!p)
		return;
	add_esp(p, IPSEC_TUNNEL, true, n->reqid, &n->home, &g->address);
	add_ro(p, IPPROTO_DSTOPTS);
	add_ro(p, IPPROTO_ROUTING);
}

void ipsec_plan_vpn_receive(const struct ipsec_vpn_gateway *g, const struct ipsec_vpn_node *n,
	bool on, struct ipsec_plan *p)
{
	for (size_t i = 0; i < g->n_internal; i++) {
		receive(g, n, IPSEC_IN, &g->internal[i], on, p);
		receive(g, n, IPSEC_FWD, &g->internal[i], on, p);
	}
}

void ipsec_plan_vpn_send(const struct ipsec_vpn_gateway *g, const struct ipsec_vpn_node *n, bool on,
	struct ipsec_plan *plan)
{
	struct ip6_prefix node = host(&n->internal);

	for (size_t i = 0; i < g->n_internal; i++) {
		struct ipsec_policy *p =
			add(plan, on, IPSEC_OUT, &g->internal[i], &node, 0, GLUE_PRIO_VPN);

		if (!p)
			return;
		add_esp(p, IPSEC_TUNNEL, false, n->reqid, &g->address, &n->home);
		add_ro(p, IPPROTO_ROUTING);
		add_ro(p, IPPROTO_DSTOPTS);
	}
}

void ipsec_plan_vpn_manager(const struct in6_addr *own, const struct in6_addr *manager,
	uint32_t reqid, bool on, struct ipsec_plan *plan)
{
	struct ip6_prefix us = host(own), them = host(manager);
	struct ipsec_policy *p;

	p = add(plan, on, IPSEC_IN, &them, &us, IPPROTO_UDP, GLUE_PRIO_VPN_MANAGER);
	if (p)
		add_esp(p, IPSEC_TRANSPORT, false, reqid, manager, own);
	p = add(plan, on, IPSEC_OUT, &us, &them, IPPROTO_UDP, GLUE_PRIO_VPN_MANAGER);
	if (p)
		add_esp(p, IPSEC_TRANSPORT, false, reqid, own, manager);
}
