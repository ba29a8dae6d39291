/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Route optimization: what others say of their own accord, none of it
 * authentic.  Binding Error (RFC 6275 11.3.6), Binding Refresh Request
 * (11.7.4), ICMPv6 errors that quote us (11.3.5, 11.6.2).  They are believed
 * as far as they cost little: about peers that are known, one exchange in
 * RO_PROVOKED_S, and a refusal only while an answer is expected.
 */
#include "mip6d/proto/mn_ro_internal.h"

#define CODE_NEXT_HEADER 1 /* RFC 4443 3.4 */
#define CODE_OPTION 2

static bool provoked(struct ro_peer *p)
{
	monotime_t now = mn_now(p->mn);

	if (mono_before(now, mono_add_s(p->provoked, RO_PROVOKED_S)))
		return false;
	p->provoked = now;
	return true;
}

/* It does not know us: our packets to it are lost until it does (9.3.1). */
static void unknown_binding(struct ro_peer *p)
{
	if (p->mn->path.location != MN_AWAY || !mn_ro_may_live(p) || !provoked(p))
		return;
	mn_ro_tunnel(p, "the correspondent has no binding");
	p->bound = in6addr_any;
	p->bound_until = MN_PAST;
	p->refresh = false;
	/* It may have lost its nonces with it. */
	mn_cbu_pause(p);
	mn_rr_forget(p);
	p->wanted = p->wanted && mn_ro_in_use(p);
	mn_ro_pursue(p, "the correspondent has no binding");
}

bool mn_ro_binding_error(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	struct ro_peer *r = mn_ro_find(mn, &p->src);

	if (!r)
		return false;
	mn->stats.be_received++;
	if (m->u.be.status == BE_UNKNOWN_BINDING &&
		in6_equal(&m->u.be.home_address, &mn->config.home_address))
		unknown_binding(r);
	else if (m->u.be.status == BE_UNKNOWN_MH_TYPE &&
		 (r->hoti.waiting || r->coti.waiting || r->bu.waiting))
		mn_ro_refused(r, "the correspondent does not know Mobile IPv6");
	return true;
}

void mn_ro_refresh_request(struct mn *mn, const struct mip6_packet *p)
{
	struct ro_peer *r = mn_ro_find(mn, &p->src);

	if (!r || r->state != MN_RO_BOUND || !in6_equal(&p->dst, &mn->config.home_address))
		return;
	mn->stats.brr_received++;
	if (!mn_ro_in_use(r) || !provoked(r))
		return;
	r->refresh = true;
	mn_ro_pursue(r, "the correspondent asks for a refresh");
}

/* ---- ICMPv6 ---- */

static bool quotes_us(const struct ro_peer *r, const struct icmp6_error *e)
{
	switch (e->mh_type) {
	case MH_HOTI:
		return mn_rr_cookie(&r->hoti, e->mh_cookie);
	case MH_COTI:
		return mn_rr_cookie(&r->coti, e->mh_cookie);
	case MH_BU:
		return r->bu.waiting && (in6_equal(&e->src, &r->bu.from) ||
						in6_equal(&e->src, &r->mn->config.home_address));
	default:
		return false;
	}
}

static void no_mobility_header(struct mn *mn, const struct icmp6_error *e)
{
	const struct in6_addr *dst = e->has_rh2 ? &e->rh2 : &e->dst;
	struct ro_peer *r = mn_ro_find(mn, dst);

	if (!r && e->has_rh2)
		r = mn_ro_find(mn, &e->dst);
	if (r && quotes_us(r, e))
		mn_ro_refused(r, "the correspondent does not know the Mobility Header");
	else if (!r && e->mh_type == MH_BU && in6_equal(dst, &mn->config.home_agent))
		mn_reg_unsupported(mn);
}

void mn_icmp_error(struct mn *mn, const struct icmp6_error *e)
{
	if (e->type != ICMP6T_PARAM_PROBLEM || mn->stopping)
		return;
	if (e->code == CODE_NEXT_HEADER)
		no_mobility_header(mn, e);
	/* 11.3.5: "SHOULD log the error and then discard the ICMP message" */
	else if (e->code == CODE_OPTION && e->has_hao &&
		 in6_equal(&e->hao, &mn->config.home_address) && mn_may_log(mn))
		log_notice("%s does not support the Home Address option, or somebody says so",
			in6_str(&e->dst));
}
