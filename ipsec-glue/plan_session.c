/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session between two nodes: ESP in tunnel mode between their home
 * addresses, carried over the direct path by the Home Address option and the
 * type 2 routing header where there are states for them.  One policy has it
 * all: the kernel does not look a tunnelled packet up a second time.
 *
 * What receives takes any tunnel's SA: the selector of an SA says for whom it
 * is good, and what the peer still sends by the gateway has to arrive.
 *
 * Requirements V9, V10.
 */
#include <string.h>

#include "ipsec-glue/marks.h"
#include "ipsec-glue/plan.h"

static struct ipsec_selector reverse(const struct ipsec_selector *s)
{
	struct ipsec_selector r = *s;

	r.src = s->dst;
	r.dst = s->src;
	return r;
}

static struct ipsec_policy session_policy(const struct ipsec_session *s, enum ipsec_dir dir)
{
	bool out = dir == IPSEC_OUT;
	struct ipsec_policy p = {.dir = dir,
		.sel = out ? s->inner : reverse(&s->inner),
		.priority = GLUE_PRIO_SESSION,
		.marked = true,
		.n_templates = 3};

	p.templates[0] = (struct ipsec_template){.proto = IPPROTO_ESP, .mode = IPSEC_TUNNEL};
	p.templates[0].optional = !out && s->inside;
	if (out) {
		p.templates[0].reqid = s->reqid_out;
		p.templates[0].src = s->local;
		p.templates[0].dst = s->peer;
	}
	/* On the wire the routing header comes first: applied last, and taken off first. */
	p.templates[1] = (struct ipsec_template){
		.proto = out ? IPPROTO_ROUTING : IPPROTO_DSTOPTS, .mode = IPSEC_RO, .optional = true};
	p.templates[2] = (struct ipsec_template){
		.proto = out ? IPPROTO_DSTOPTS : IPPROTO_ROUTING, .mode = IPSEC_RO, .optional = true};
	return p;
}

static void add(const struct ipsec_session *s, enum ipsec_op_type type, enum ipsec_dir dir, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, type);

	if (op)
		op->policy = session_policy(s, dir);
}

void ipsec_plan_session_in(const struct ipsec_session *s, struct ipsec_plan *p)
{
	add(s, IPSEC_POLICY_SET, IPSEC_IN, p);
	add(s, IPSEC_POLICY_SET, IPSEC_FWD, p);
}

void ipsec_plan_session_out(const struct ipsec_session *s, struct ipsec_plan *p)
{
	add(s, IPSEC_POLICY_SET, IPSEC_OUT, p);
}

void ipsec_plan_session_end(const struct ipsec_session *s, bool in, bool out, struct ipsec_plan *p)
{
	if (out)
		add(s, IPSEC_POLICY_DEL, IPSEC_OUT, p);
	if (in) {
		add(s, IPSEC_POLICY_DEL, IPSEC_IN, p);
		add(s, IPSEC_POLICY_DEL, IPSEC_FWD, p);
	}
}

static struct ipsec_policy guard_policy(
	const struct ipsec_session_guard *g, const struct ip6_prefix *intranet, bool out)
{
	struct ipsec_selector sel = {.family = AF_INET6,
		.type = -1,
		.src = {g->home_address, 128},
		.dst = *intranet};
	struct ipsec_policy p = {.dir = out ? IPSEC_OUT : IPSEC_IN,
		.sel = out ? sel : reverse(&sel),
		.priority = GLUE_PRIO_SESSION_GUARD,
		.n_templates = 3};

	p.templates[0] = (struct ipsec_template){.proto = IPPROTO_ESP, .mode = IPSEC_TUNNEL};
	if (out) {
		p.templates[0].reqid = g->reqid;
		p.templates[0].src = g->home_address;
		p.templates[0].dst = g->home_agent;
	}
	p.templates[1] = (struct ipsec_template){
		.proto = out ? IPPROTO_ROUTING : IPPROTO_DSTOPTS, .mode = IPSEC_RO, .optional = true};
	p.templates[2] = (struct ipsec_template){
		.proto = out ? IPPROTO_DSTOPTS : IPPROTO_ROUTING, .mode = IPSEC_RO, .optional = true};
	return p;
}

void ipsec_plan_session_guard(const struct ipsec_session_guard *g, bool on, struct ipsec_plan *p)
{
	for (size_t i = 0; i < 2 * g->n_prefixes; i++) {
		struct ipsec_op *op = ipsec_plan_add(p, on ? IPSEC_POLICY_SET : IPSEC_POLICY_DEL);

		if (op)
			op->policy = guard_policy(g, &g->prefixes[i / 2], i % 2);
	}
}
