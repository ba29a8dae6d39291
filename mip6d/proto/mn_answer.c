/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of the home agent to Binding Updates (RFC 6275 11.7.3). */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define MAX_SEQUENCE_ERRORS 3

static void refused(struct mn *mn, const struct mh_message *m, const char *text)
{
	struct mn_reg *reg = &mn->reg;
	uint8_t status = m->u.ba.status;

	mn->stats.ba_refused++;
	mn_emit(mn, (struct mip6_event){.type = EV_BA_REFUSED,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .status = status,
			    .seq = m->u.ba.seq,
			    .text = text});
	if (reg->deregister) {
		/* It still holds the binding: keep asking, at the pace of retransmissions. */
		if (mn_may_log(mn))
			log_warning("home agent %s refuses to delete the binding: %s",
				in6_str(&mn->config.home_agent), text);
		return;
	}
	/* During a switch it is perhaps the defence of the home agent that was left. */
	if (mn_agent_failed(mn))
		return;
	if (status == BA_DAD_FAILED) {
		log_error("home address %s is in use by another node on the home link; it is not "
			  "used "
			  "again until it is free and mip6d is restarted",
			in6_str(&mn->config.home_address));
		reg->home_address_lost = true;
		reg->may_live_until = reg->acked_until = MN_PAST;
	} else if (mn_nemo_final(mn, status)) {
		log_error("home agent %s refuses to serve the networks of this mobile router: %s; "
			  "set that right there and restart mip6d",
			in6_str(&mn->config.home_agent), text);
		reg->router_refused = true;
		reg->may_live_until =
			reg->acked_until; /* nothing came of this request (RFC 3963 5.4) */
	} else {
		log_warning("home agent %s refuses the registration: %s",
			in6_str(&mn->config.home_agent), text);
	}
	mn_reg_change_state(mn, MN_REG_REFUSED);
	mn_path_answered(mn, false);
}

/* Well before the end: there is time for four retransmissions (1 + 2 + 4 + 8 s). */
static uint32_t refresh_margin(uint32_t granted_s)
{
	if (granted_s <= 32)
		return granted_s / 2;
	return granted_s / 10 > 16 ? granted_s / 10 : 16;
}

/* RFC 3963 5.3: it has bound us as a host; we MUST de-register before another one is asked. */
static void unserved(struct mn *mn, const struct mh_message *m)
{
	struct mn_reg *reg = &mn->reg;

	mn->stats.ba_refused++;
	log_error("home agent %s does not support mobile routers: the binding there is deleted",
		in6_str(&mn->config.home_agent));
	mn_emit(mn, (struct mip6_event){.type = EV_BA_REFUSED,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .status = m->u.ba.status,
			    .seq = m->u.ba.seq,
			    .text = "accepted, but not as a mobile router"});
	reg->router_refused = true;
	mn_reg_deregister(mn, &reg->care_of);
}

static void accepted(struct mn *mn, const struct mh_message *m, monotime_t sent, uint16_t asked)
{
	struct mn_reg *reg = &mn->reg;
	const struct mh_option *advice = mh_option(m, MHOPT_REFRESH_ADVICE);
	uint16_t units = m->u.ba.lifetime < asked ? m->u.ba.lifetime : asked;
	uint32_t s = (uint32_t)units * MIP6_LIFETIME_UNIT;

	if (s == 0) {
		refused(mn, m, "accepted, but for no time");
		return;
	}
	mn->stats.ba_accepted++;
	/* max(L_remain - (L_update - L_ack), 0): L_ack, counted from when the BU was sent */
	reg->granted_s = s;
	reg->acked_until = mono_add_s(sent, s);
	reg->may_live_until = mono_add_s(reg->last_sent, s);
	reg->acked_care_of = reg->care_of;
	reg->refresh_at = mono_add_s(sent, s - refresh_margin(s));
	/* "at the indicated shorter interval": a longer one changes nothing */
	if (advice && advice->u.refresh_interval) {
		monotime_t t = mono_add_s(
			mn_now(mn), (int64_t)advice->u.refresh_interval * MIP6_LIFETIME_UNIT);

		if (mono_before(t, reg->refresh_at))
			reg->refresh_at = t;
	}
	mn_reg_change_state(mn, MN_REG_REGISTERED);
	mn->ops->store_binding(mn->ops_ctx, &mn->config.home_address, &mn->config.home_agent,
		&reg->care_of, reg->seq,
		mono_before(mn_now(mn), reg->may_live_until)
			? (uint32_t)(mono_diff_s(reg->may_live_until, mn_now(mn)) + 1)
			: 0);
	mn_emit(mn, (struct mip6_event){.type = EV_REGISTERED,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .status = m->u.ba.status,
			    .seq = m->u.ba.seq,
			    .lifetime_s = s});
	mn_switch_done(mn);
	mn_discovery_done(mn);
	mn_heartbeat_registered(mn);
	mn_path_answered(mn, true);
	mn_prefix_registered(mn, m->u.ba.status == BA_ACCEPTED_PREFIX);
}

/*
 * Status 135: go on from the number the home agent knows (11.7.1, 11.7.3).  A
 * home agent that rejects what we sent last knows one that is not before it;
 * an older one answers an update that has been overtaken.
 */
static void sequence_error(struct mn *mn, const struct mh_message *m)
{
	struct mn_reg *reg = &mn->reg;

	if (!reg->outstanding || (int16_t)(uint16_t)(reg->seq - m->u.ba.seq) > 0) {
		mn->stats.ba_ignored++;
		return;
	}
	mn->last_status = BA_SEQUENCE;
	mn->stats.ba_refused++;
	mn_emit(mn, (struct mip6_event){.type = EV_BA_REFUSED,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .status = BA_SEQUENCE,
			    .seq = m->u.ba.seq,
			    .text = ba_status_name(BA_SEQUENCE)});
	reg->seq = m->u.ba.seq;
	/* Should that never end, the pace of retransmissions is fast enough. */
	if (++reg->sequence_errors <= MAX_SEQUENCE_ERRORS)
		mn_reg_send_bu(mn);
}

void mn_reg_acknowledged(struct mn *mn, const struct mh_message *m)
{
	struct mn_reg *reg = &mn->reg;
	unsigned i, n = reg->tries < MN_REG_SENT ? reg->tries : MN_REG_SENT;
	uint8_t status = m->u.ba.status;

	mn->stats.ba_received++;
	if (status == BA_SEQUENCE) {
		sequence_error(mn, m);
		return;
	}
	for (i = 0; i < n; i++)
		if (reg->sent[i].seq == m->u.ba.seq)
			break;
	if (!reg->outstanding || i == n) {
		mn->stats.ba_ignored++;
		return;
	}
	mn->last_status = status;
	if (reg->deregister && (status < BA_UNSPECIFIED || status == BA_NOT_HOME_AGENT)) {
		/* 133: it holds no binding for us (10.3.2), which is what was wanted. */
		mn->stats.ba_accepted++;
		mn_reg_deregistered(mn, ba_status_name(status));
	} else if (status < BA_UNSPECIFIED && mn_nemo_unserved(mn, m)) {
		unserved(mn, m);
	} else if (status < BA_UNSPECIFIED) {
		accepted(mn, m, reg->sent[i].at, reg->sent[i].lifetime);
	} else {
		refused(mn, m, ba_status_name(status));
	}
}
