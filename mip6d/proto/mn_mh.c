/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobility Headers that reach the mobile node (RFC 6275 9.2, 11.2): Binding
 * Acknowledgement (11.7.3), Binding Error (11.3.6), Binding Refresh Request
 * (11.7.4), Home Test and Care-of Test (11.6.2).
 *
 * The checksum was verified by whoever handed the packet in.  So was, on
 * Linux, what 9.2 answers with an ICMPv6 Parameter Problem: the kernel sends
 * it itself and does not deliver such a header; here it is only counted.
 */
#include "mip6d/proto/mn_internal.h"

/*
 * RFC 6275 9.2, 9.3.3: to and from the addresses of the wire, with the home
 * address of a Home Address option if there was one.
 */
static void unknown_type(struct mn *mn, const struct mip6_packet *p)
{
	struct mh_message m = {.type = MH_BE};
	uint8_t buf[64];
	uint64_t suppressed;
	bool hao = p->flags & MIP6_PKT_HAO;
	struct mip6_packet out = {
		.src = p->flags & MIP6_PKT_RH2 ? p->dst_coa : p->dst,
		.dst = hao ? p->src_coa : p->src,
		.ifindex = IN6_IS_ADDR_LINKLOCAL(hao ? &p->src_coa : &p->src) ? p->ifindex : 0,
	};

	mn->stats.unknown_type++;
	if (in6_is_any(&out.dst) || IN6_IS_ADDR_MULTICAST(&out.dst) ||
		IN6_IS_ADDR_MULTICAST(&out.src) ||
		!log_allowed(&mn->be_rate, mn_now(mn), &suppressed))
		return;
	m.u.be.status = BE_UNKNOWN_MH_TYPE;
	if (hao)
		m.u.be.home_address = p->src;
	out.data = buf;
	out.len = mh_build(&m, buf, sizeof(buf));
	mn_check(mn, mn->env->send_mh(mn->env->ctx, &out), "send a Binding Error");
}

static bool from_home_agent(const struct mn *mn, const struct mip6_packet *p)
{
	return in6_equal(&p->src, &mn->config.home_agent) && !(p->flags & MIP6_PKT_HAO) &&
	       in6_equal(&p->dst, &mn->config.home_address);
}

/*
 * The answer to an update with a Home Address option has a type 2 routing
 * header, that to one from the home address has none (9.5.4).
 */
static bool right_way(const struct mn *mn, const struct mip6_packet *p)
{
	bool home = in6_equal(&mn->reg.care_of, &mn->config.home_address);

	return home != !!(p->flags & MIP6_PKT_RH2);
}

static void receive_ba(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	if (!in6_equal(&p->src, &mn->config.home_agent)) {
		mn_cbu_acknowledged(mn, p, m);
		return;
	}
	if (!from_home_agent(mn, p) || !right_way(mn, p)) {
		mn->stats.ba_received++;
		mn->stats.ba_ignored++;
		return;
	}
	if (mn->config.require_ipsec && !(p->flags & MIP6_PKT_PROTECTED)) {
		mn->stats.unprotected++;
		return;
	}
	mn_reg_acknowledged(mn, m);
}

/*
 * The home agent does not know us, or wants to hear from us.  Neither message
 * is authentic, so they provoke one Binding Update, and the next only when
 * that was answered and a while is over.
 */
bool mn_update_again(struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;

	if (mn->stopping || mn->path.location != MN_AWAY || reg->state != MN_REG_REGISTERED)
		return false;
	if (mono_before(mn_now(mn), mono_add_s(reg->last_sent, 2)))
		return false;
	mn_reg_register(mn, &mn->path.care_of);
	return true;
}

static void receive_be(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	if (mn_ro_binding_error(mn, p, m))
		return;
	/* 11.3.6: no entry for the sender, no reaction */
	if (!in6_equal(&p->src, &mn->config.home_agent) || mn->reg.state == MN_REG_NONE)
		return;
	if (mn_may_log(mn))
		log_notice("Binding Error %u from home agent %s", m->u.be.status, in6_str(&p->src));
	if (m->u.be.status == BE_UNKNOWN_BINDING &&
		in6_equal(&m->u.be.home_address, &mn->config.home_address))
		mn_update_again(mn);
	/*
	 * Unknown type: of heartbeats then.  A home agent that does not know
	 * Binding Updates is no home agent; they are as rare as 11.8 makes them.
	 */
	if (m->u.be.status == BE_UNKNOWN_MH_TYPE)
		mn_heartbeat_unknown(mn);
}

/*
 * Does it need more to be believed than to come from the home agent's address?
 * An acknowledgement proves by its sequence number that its sender has seen
 * the update, and so does the response to a heartbeat; a request for one is
 * harmless.  What the home agent says of its own accord proves nothing:
 * RFC 5142 6.1 and RFC 5846 6.2 want it protected.
 */
static bool proves_nothing(const struct mh_message *m)
{
	return m->type != MH_HEARTBEAT || m->u.heartbeat.unsolicited;
}

static void receive_signal(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	bool needs = mn->config.require_ipsec ||
		     (proves_nothing(m) && !mn->config.unprotected_signals);

	if (!from_home_agent(mn, p) || !(p->flags & MIP6_PKT_RH2)) {
		mn->stats.signals_ignored++;
		return;
	}
	if (needs && !(p->flags & MIP6_PKT_PROTECTED)) {
		mn->stats.unprotected++;
		return;
	}
	if (m->type == MH_HA_SWITCH)
		mn_switch_received(mn, p, m);
	else if (m->type == MH_REVOCATION)
		mn_revocation_received(mn, m);
	else
		mn_heartbeat_received(mn, m);
}

void mn_mh_received(struct mn *mn, const struct mip6_packet *p)
{
	struct mh_message m;
	enum mh_error e = mh_parse(p->data, p->len, &m, NULL);

	if (e == MH_E_UNKNOWN_TYPE) {
		unknown_type(mn, p);
		return;
	}
	if (e != MH_OK) {
		if (mn_bad_packet(mn, p, mh_strerror(e)))
			log_info("ignored a Mobility Header from %s: %s", in6_str(&p->src),
				mh_strerror(e));
		return;
	}
	switch (m.type) {
	case MH_BA:
		receive_ba(mn, p, &m);
		break;
	case MH_BE:
		receive_be(mn, p, &m);
		break;
	case MH_BRR:
		/* 11.7.4: only for those in the Binding Update List */
		if (from_home_agent(mn, p))
			mn_update_again(mn);
		else
			mn_ro_refresh_request(mn, p);
		break;
	case MH_HOT:
	case MH_COT:
		mn_rr_received(mn, p, &m);
		break;
	case MH_HA_SWITCH:
	case MH_REVOCATION:
	case MH_HEARTBEAT:
		receive_signal(mn, p, &m);
		break;
	default:
		break; /* not for a mobile node */
	}
}
