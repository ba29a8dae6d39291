/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the home agent answers: Binding Acknowledgements (RFC 6275 9.5.4,
 * 10.3.1, 10.3.2), Binding Errors (9.3.3) and ICMPv6 Parameter Problems (9.2).
 */
#include <string.h>

#include "mip6d/proto/ha_internal.h"
#include "mip6d/proto/problem.h"

/* 10.3.1: a home agent with stable storage MUST leave the advice out. */
static uint16_t refresh_advice(const struct ha *ha, uint8_t status, uint16_t lifetime)
{
	uint32_t interval = ha->config.refresh_advice_s / MIP6_LIFETIME_UNIT;

	if (status >= BA_UNSPECIFIED || ha->ops->store_put || !interval || interval >= lifetime)
		return 0;
	return (uint16_t)interval;
}

/*
 * To the source of the Binding Update, whatever the cache says, through a
 * type 2 routing header if that source was not the home address (9.5.4).  To
 * a node that is at home it leaves on the link that the Binding Update came
 * from (10.3.2), even when a binding would send it elsewhere.
 */
static struct mip6_packet address_answer(const struct ha *ha, const struct ha_answer *a)
{
	struct mip6_packet p = {.src = a->local, .dst = a->source};

	if (a->routing_header) {
		p.dst = a->home_address;
		p.dst_coa = a->source;
		p.flags |= MIP6_PKT_RH2;
	}
	if (a->is_protected || ha->config.require_ipsec)
		p.flags |= MIP6_PKT_PROTECTED;
	if (IN6_IS_ADDR_LINKLOCAL(&a->source))
		p.ifindex = a->ifindex;
	if (!a->routing_header && ha->config.home_ifindex && a->ifindex == ha->config.home_ifindex)
		p.ifindex = a->ifindex;
	return p;
}

void ha_send_ba(
	struct ha *ha, const struct ha_answer *a, uint8_t status, uint16_t seq, uint16_t lifetime)
{
	uint16_t advice = refresh_advice(ha, status, lifetime);
	struct mip6_packet p = address_answer(ha, a);
	struct mh_message m;
	uint8_t out[64];

	m.type = MH_BA;
	m.n_options = 0;
	m.u.ba.status = status;
	/*
	 * K clear: no keys are negotiated that could move.  R: a mobile router
	 * asked, and is served as one (RFC 3963 4.2, 6.6).
	 */
	m.u.ba.flags =
		a->router && ha->config.n_networks && status < BA_UNSPECIFIED ? BA_F_R : 0;
	m.u.ba.seq = seq;
	m.u.ba.lifetime = lifetime;
	if (advice) {
		struct mh_option *o = mh_option_add(&m, MHOPT_REFRESH_ADVICE);

		if (o)
			o->u.refresh_interval = advice;
	}
	p.data = out;
	p.len = mh_build(&m, out, sizeof(out));
	ha->stats.ba_sent++;
	if (status < BA_UNSPECIFIED)
		ha->stats.bu_accepted++;
	else
		ha->stats.refused[status - 128]++;
	int err = ha->env->send_mh(ha->env->ctx, &p);
	if (err)
		ha_op_failed(ha, "send a Binding Acknowledgement to", &a->source, err);
}

/* Errors are answers to strangers: few, and never to or about a multicast address. */
static bool error_allowed(struct ha *ha, const struct mip6_packet *p)
{
	return ha_can_answer(ha_wire_source(p)) && ha_can_answer(&p->dst) &&
	       log_allowed(&ha->error_limit, ha_now(ha), NULL);
}

void ha_send_binding_error(struct ha *ha, const struct mip6_packet *p, uint8_t status)
{
	struct mip6_packet out = {.src = p->dst, .dst = *ha_wire_source(p)};
	struct mh_message m;
	uint8_t data[64];
	int err;

	if (!error_allowed(ha, p))
		return;
	m.type = MH_BE;
	m.n_options = 0;
	m.u.be.status = status;
	m.u.be.home_address = p->flags & MIP6_PKT_HAO ? p->src : in6addr_any;
	if (IN6_IS_ADDR_LINKLOCAL(&out.dst))
		out.ifindex = p->ifindex;
	out.data = data;
	out.len = mh_build(&m, data, sizeof(data));
	err = ha->env->send_mh(ha->env->ctx, &out);
	if (err)
		ha_op_failed(ha, "send a Binding Error to", &out.dst, err);
}

/*
 * Directly to the source, without the Binding Cache (9.2).  What came through
 * IPsec is not quoted in clear, so it gets no answer of this kind.
 */
void ha_send_parameter_problem(struct ha *ha, const struct mip6_packet *p, size_t offset)
{
	struct mip6_packet out = {
		.src = p->flags & MIP6_PKT_RH2 ? p->dst_coa : p->dst, .dst = *ha_wire_source(p)};
	uint8_t data[PROBLEM_MAX];
	int err;

	if (p->flags & MIP6_PKT_PROTECTED || !error_allowed(ha, p))
		return;
	if (IN6_IS_ADDR_LINKLOCAL(&out.dst))
		out.ifindex = p->ifindex;
	out.data = data;
	out.len = problem_build(p, offset, data);
	err = ha->env->send_icmp6(ha->env->ctx, &out);
	if (err)
		ha_op_failed(ha, "send a Parameter Problem to", &out.dst, err);
}
