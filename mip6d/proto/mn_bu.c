/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Updates to the home agent: what is in one, its sequence number, and
 * when it is sent again (RFC 6275 11.7.1, 11.8).  What is asked for, and what
 * becomes of it, is in mn_reg.c.
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define MAX_LIFETIME 65535 /* units */
#define NETWORK_OPTION_LEN 24 /* RFC 3963 4.3, with padding */
#define AGENT_TRIES 3 /* without an answer: another home agent is tried, if one is known */
#define LAST_TRIES 3 /* of a de-registration after which something else waits to be done */

static bool at_home(const struct mn *mn)
{
	return in6_equal(&mn->reg.care_of, &mn->config.home_address);
}

static monotime_t later(monotime_t a, monotime_t b)
{
	return mono_before(a, b) ? b : a;
}

/* Not beyond the end of the care-of address or the home address (RFC 6275 11.7.1, 11.4.2), and never 0. */
static uint16_t ask_for(const struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;
	uint32_t s = mn->config.lifetime_s, units;
	const struct mn_coa *c = NULL;
	monotime_t now = mn_now(mn), home_end = mn_home_valid_until(mn);

	if (reg->deregister)
		return 0;
	if (mn->path.location == MN_AWAY)
		c = mn_coa_find(mn->path.link, &reg->care_of);
	if (c && mono_before(now, c->valid_until) && mono_diff_s(c->valid_until, now) < s)
		s = (uint32_t)mono_diff_s(c->valid_until, now);
	if (mono_before(now, home_end) && mono_diff_s(home_end, now) < s)
		s = (uint32_t)mono_diff_s(home_end, now);
	units = s / MIP6_LIFETIME_UNIT;
	if (units == 0)
		units = 1;
	return units > MAX_LIFETIME ? MAX_LIFETIME : (uint16_t)units;
}

/* A new number for every transmission (11.7.2, 11.8), on disk before it is on the wire. */
static void number_and_store(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;
	monotime_t now = mn_now(mn);

	if (reg->has_seq)
		reg->seq++;
	else
		mn->env->random(mn->env->ctx, &reg->seq, sizeof(reg->seq));
	reg->has_seq = true;
	reg->lifetime = ask_for(mn);
	if (reg->lifetime)
		reg->may_live_until = later(reg->may_live_until,
			mono_add_s(now, (int64_t)reg->lifetime * MIP6_LIFETIME_UNIT));
	reg->sent[reg->tries % MN_REG_SENT].seq = reg->seq;
	reg->sent[reg->tries % MN_REG_SENT].lifetime = reg->lifetime;
	reg->sent[reg->tries % MN_REG_SENT].at = now;
	reg->tries++;
	reg->last_sent = now;
	mn->ops->store_binding(mn->ops_ctx, &mn->config.home_address, &mn->config.home_agent,
		&reg->care_of, reg->seq,
		mono_before(now, reg->may_live_until)
			? (uint32_t)(mono_diff_s(reg->may_live_until, now) + 1)
			: 0);
}

static size_t build(const struct mn *mn, uint8_t *buf, size_t cap)
{
	const struct mn_reg *reg = &mn->reg;
	struct mh_message m = {.type = MH_BU};

	m.u.bu.seq = reg->seq;
	m.u.bu.lifetime = reg->lifetime;
	/* K stays clear: the keys of this home agent are not moved by us. */
	m.u.bu.flags = BU_F_A | BU_F_H;
	if (mn_link_local_compatible(mn))
		m.u.bu.flags |= BU_F_L;
	mn_nemo_request(mn, &m, reg->deregister);
	if (!at_home(mn))
		mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = reg->care_of;
	if (mn->config.identifier) {
		struct mh_option *o = mh_option_add(&m, MHOPT_MN_ID);

		o->u.mn_id.subtype = MN_ID_NAI;
		o->u.mn_id.id = (const uint8_t *)mn->config.identifier;
		o->u.mn_id.len = strlen(mn->config.identifier);
	}
	return mh_build(&m, buf, cap);
}

static int transmit(struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;
	uint8_t buf[64 + MN_ID_NAI_MAX + 8 + MIP6_MAX_NETWORKS * NETWORK_OPTION_LEN];
	struct mip6_packet p = {
		.src = mn->config.home_address,
		.dst = mn->config.home_agent,
		.data = buf,
		.len = build(mn, buf, sizeof(buf)),
		.flags = mn->config.require_ipsec ? MIP6_PKT_PROTECTED : 0,
	};

	if (at_home(mn)) {
		p.ifindex = mn->path.link->ifindex;
	} else {
		p.flags |= MIP6_PKT_HAO;
		p.src_coa = reg->care_of;
	}
	return mn->env->send_mh(mn->env->ctx, &p);
}

void mn_reg_send_bu(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;
	monotime_t now = mn_now(mn), when = mn_rate_when(&reg->rate, now);

	if (mn->path.location == MN_NOWHERE)
		return;
	reg->delayed = mono_before(now, when);
	if (reg->delayed) {
		mn_timer(mn, &reg->send_timer, when);
		return;
	}
	mn_rate_take(&reg->rate, now);
	number_and_store(mn);
	if (mn_check(mn, transmit(mn), "send a Binding Update") >= 0)
		reg->delivered = true;
	mn->stats.bu_sent++;
	mn_reg_expiry_start(mn);
	mn_timer(mn, &reg->send_timer, mono_add_ms(now, reg->timeout_ms));
	mn_emit(mn, (struct mip6_event){.type = EV_BU_SENT,
			    .care_of = reg->care_of,
			    .peer = mn->config.home_agent,
			    .ifindex = mn->path.link->ifindex,
			    .status = -1,
			    .seq = reg->seq,
			    .lifetime_s = (uint32_t)reg->lifetime * MIP6_LIFETIME_UNIT,
			    .text = reg->lifetime ? NULL : "de-registers"});
	if (reg->delivered)
		mn_path_bu_sent(mn);
}

/* At home nobody is in a hurry: another node may not have the home address before the binding is gone. */
static bool last_words(const struct mn *mn)
{
	return mn->stopping || (mn->agent.leaving && mn->path.location == MN_AWAY);
}

/*
 * No answer for so long that another home agent is worth a try.  The one that
 * holds a binding of ours comes first (11.4.1), so it has all of the back-off.
 */
static bool given_up(const struct mn *mn)
{
	const struct mn_reg *reg = &mn->reg;

	return mn_binding_lives(mn) ? reg->timeout_ms >= MIP6_MAX_BINDACK_TIMEOUT
				    : reg->tries >= AGENT_TRIES;
}

/* RFC 6275 11.8: the time doubles up to MAX_BINDACK_TIMEOUT, and goes on at that rate. */
void mn_reg_send_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_reg *reg = &mn->reg;

	(void)t;
	if (!reg->delayed) {
		if (last_words(mn) && reg->tries >= LAST_TRIES) {
			if (mn->stopping)
				mn_finish(mn);
			else
				mn_agent_left(mn);
			return;
		}
		reg->timeout_ms *= 2;
		if (reg->timeout_ms > MIP6_MAX_BINDACK_TIMEOUT)
			reg->timeout_ms = MIP6_MAX_BINDACK_TIMEOUT;
		if (last_words(mn) && reg->tries + 1 >= LAST_TRIES)
			reg->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
		if (!reg->deregister && given_up(mn) && mn_agent_failed(mn))
			return;
		mn->stats.bu_retransmitted++;
		mn->retransmissions++;
	}
	mn_reg_send_bu(mn);
}

/*
 * The answer has been lost, as the binding is there: a new back-off (11.8),
 * which begins when the shortest time since the last transmission has passed.
 */
void mn_home_agent_heard(struct mn *mn)
{
	struct mn_reg *reg = &mn->reg;

	if (!reg->outstanding || reg->deregister || reg->delayed || last_words(mn) ||
		mono_before(mn_now(mn), mono_add_ms(reg->last_sent, MIP6_INITIAL_BINDACK_TIMEOUT)))
		return;
	reg->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	mn->stats.bu_retransmitted++;
	mn->retransmissions++;
	mn_reg_send_bu(mn);
}
