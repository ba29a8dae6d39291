/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a correspondent sends: Home Test and Care-of Test (RFC 6275 9.4.3,
 * 9.4.4), Binding Acknowledgement (9.5.4), Binding Refresh Request (9.5.5),
 * Binding Error (9.3.3), ICMPv6 Parameter Problem (9.2).
 *
 * Whatever answers somebody who has not proved anything is limited by where
 * it goes (cn_limit.c).
 */
#include <string.h>

#include "lib/addr.h"
#include "mip6d/proto/cn_internal.h"
#include "mip6d/proto/problem.h"

#define LAST_HOME 0 /* 5.2.5 */
#define LAST_CARE_OF 1
#define ANSWER_MAX 64

static int send_mh(struct cn *cn, struct mip6_packet *p, const struct mh_message *m)
{
	uint8_t data[ANSWER_MAX];
	int err;

	p->data = data;
	p->len = mh_build(m, data, sizeof(data));
	err = cn->env->send_mh(cn->env->ctx, p);
	if (err)
		cn_op_failed(cn, "send a Mobility Header to", &p->dst, err);
	return err;
}

/* To the address under test, whatever the Binding Cache says, and never with a routing header (9.4.3). */
void cn_send_test(struct cn *cn, const struct mip6_packet *p, const struct mh_message *init)
{
	bool home = init->type == MH_HOTI;
	struct mip6_packet out = {.src = p->dst, .dst = p->src};
	struct mh_message m = {.type = home ? MH_HOT : MH_COT};
	const struct rr_nonce *n;

	if (!cn_limit_allowed(&cn->tests, &p->src, cn_now(cn))) {
		cn->stats.tests_limited++;
		return;
	}
	n = rr_nonce_current(&cn->nonces, cn_now(cn));
	m.u.test.nonce_index = n->index;
	m.u.test.cookie = init->u.init.cookie;
	m.u.test.token = rr_keygen_token(n->kcn, sizeof(n->kcn), &p->src, n->nonce,
		sizeof(n->nonce), home ? LAST_HOME : LAST_CARE_OF);
	if (send_mh(cn, &out, &m) == 0) {
		cn->stats.hot_sent += home;
		cn->stats.cot_sent += !home;
	}
	rr_wipe(&m.u.test.token, sizeof(m.u.test.token));
}

/* 9.5.4: to the source of the Binding Update, through a type 2 routing header unless that is the home address. */
static struct mip6_packet address_answer(const struct cn_request *r)
{
	struct mip6_packet p = {.src = r->local, .dst = r->source};

	if (!in6_equal(&r->source, &r->home)) {
		p.dst = r->home;
		p.dst_coa = r->source;
		p.flags |= MIP6_PKT_RH2;
	}
	return p;
}

void cn_send_ba(
	struct cn *cn, const struct cn_request *r, uint8_t status, uint16_t seq, uint16_t lifetime)
{
	struct mip6_packet p = address_answer(r);
	struct mh_message m;
	uint8_t data[ANSWER_MAX];
	int err;

	/* A copy of an old Binding Update can be sent by anybody who saw it. */
	if (status >= BA_UNSPECIFIED && !cn_limit_allowed(&cn->errors, &r->source, cn_now(cn)))
		return;
	m.type = MH_BA;
	m.n_options = 0;
	m.u.ba.status = status;
	m.u.ba.flags = 0;
	m.u.ba.seq = seq;
	m.u.ba.lifetime = lifetime;
	if (r->has_kbm) {
		struct mh_option *o = mh_option_add(&m, MHOPT_AUTH_DATA);

		if (o)
			o->u.auth_data.len = RR_AUTH_LEN;
	}
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	if (r->has_kbm && !rr_authenticator(r->kbm, &r->care_of, &r->local, data, p.len,
				  p.len - RR_AUTH_LEN, RR_AUTH_LEN, data + p.len - RR_AUTH_LEN))
		return;
	err = cn->env->send_mh(cn->env->ctx, &p);
	if (err)
		cn_op_failed(cn, "send a Binding Acknowledgement to", &r->source, err);
	else
		cn->stats.ba_sent++;
}

/* To the home address, so by the binding as any other packet to it (9.5.5, 9.3.2). */
int cn_send_refresh_request(struct cn *cn, const struct cn_binding *b)
{
	struct mip6_packet p = {
		.src = b->local, .dst = b->node.addr, .dst_coa = b->care_of, .flags = MIP6_PKT_RH2};
	struct mh_message m = {.type = MH_BRR};
	int err = send_mh(cn, &p, &m);

	if (!err)
		cn->stats.brr_sent++;
	return err;
}

/* Can be answered: neither unspecified nor multicast, and on no link that we do not know. */
static bool can_answer(const struct in6_addr *a)
{
	return !in6_is_any(a) && !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_LINKLOCAL(a) &&
	       !IN6_IS_ADDR_LOOPBACK(a);
}

static bool error_allowed(struct cn *cn, const struct in6_addr *local, const struct in6_addr *to)
{
	if (!can_answer(to) || !can_answer(local))
		return false;
	if (cn_limit_allowed(&cn->errors, to, cn_now(cn)))
		return true;
	cn->stats.be_limited++;
	return false;
}

void cn_send_binding_error(struct cn *cn, const struct in6_addr *local, const struct in6_addr *to,
	const struct in6_addr *home, uint8_t status)
{
	struct mip6_packet p = {.src = *local, .dst = *to};
	struct mh_message m = {.type = MH_BE};

	if (!error_allowed(cn, local, to))
		return;
	m.u.be.status = status;
	m.u.be.home_address = *home;
	if (send_mh(cn, &p, &m) == 0)
		cn->stats.be_sent++;
}

void cn_send_parameter_problem(struct cn *cn, const struct mip6_packet *p, size_t offset)
{
	struct mip6_packet out = {
		.src = p->flags & MIP6_PKT_RH2 ? p->dst_coa : p->dst, .dst = *cn_wire_source(p)};
	uint8_t data[PROBLEM_MAX];
	int err;

	/* What came through IPsec is not quoted in clear. */
	if (p->flags & MIP6_PKT_PROTECTED || !error_allowed(cn, &out.src, &out.dst))
		return;
	out.data = data;
	out.len = problem_build(p, offset, data);
	err = cn->env->send_icmp6(cn->env->ctx, &out);
	if (err)
		cn_op_failed(cn, "send a Parameter Problem to", &out.dst, err);
}
