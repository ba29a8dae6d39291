/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What home agent and mobile node say to each other beside registrations:
 * Binding Revocation (RFC 5846, ha_revoke.c), Heartbeats (RFC 5847,
 * ha_heartbeat.c), Home Agent Switch (RFC 5142, ha_switch.c).  In here is
 * what they have in common: the way to the node, and who may say something.
 */
#include "mip6d/proto/ha_internal.h"

int ha_send_signal(struct ha *ha, const struct in6_addr *home_address,
	const struct in6_addr *care_of, const struct mh_message *m)
{
	uint8_t data[32 + HA_SWITCH_MAX_ADDRESSES * 16];
	struct mip6_packet p = {
		.src = ha->config.address,
		.dst = *home_address,
		.dst_coa = *care_of,
		.flags = MIP6_PKT_RH2 | (ha->config.require_ipsec ? MIP6_PKT_PROTECTED : 0u),
		.data = data,
		.len = mh_build(m, data, sizeof(data)),
	};
	int err = ha->env->send_mh(ha->env->ctx, &p);

	if (err)
		ha_op_failed(ha, "send a Mobility Header to", home_address, err);
	return err;
}

void ha_signal_event(struct ha *ha, const struct ha_binding *b, enum mip6_event_type type,
	uint16_t seq, const char *text)
{
	struct mip6_event e = {
		.type = type,
		.when = ha_now(ha),
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.status = -1,
		.seq = seq,
		.text = text,
	};

	ha_emit(ha, &e);
}

bool ha_binding_is_alive(const struct ha_binding *b)
{
	return b->state == BINDING_DAD || b->state == BINDING_ACTIVE;
}

/*
 * A Binding Error comes from the care-of address and names no home address,
 * since what it answers had no Home Address option (9.3.3).  It cannot be
 * protected, and the search is long: few of them are looked at.
 */
static void binding_error(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m)
{
	struct addr_node *n = NULL;

	if (m->u.be.status != BE_UNKNOWN_MH_TYPE || !log_allowed(&ha->be_limit, ha_now(ha), NULL))
		return;
	while ((n = addr_table_walk(&ha->cache, n))) {
		struct ha_binding *b = ADDR_OBJECT(n, struct ha_binding, node);

		if (!ha_binding_is_alive(b) || !in6_equal(&b->care_of, &p->src))
			continue;
		ha_heartbeat_unknown(ha, b);
		ha_switch_unknown(ha, b);
		ha_revocation_unknown(ha, b); /* frees b */
		return;
	}
}

void ha_signal(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m)
{
	if (m->type == MH_BE) {
		binding_error(ha, p, m);
		return;
	}
	if (m->type != MH_REVOCATION && m->type != MH_HEARTBEAT)
		return;
	if (!in6_equal(&p->dst, &ha->config.address))
		return;
	if (ha->config.require_ipsec && !(p->flags & MIP6_PKT_PROTECTED)) {
		ha->stats.unprotected++; /* RFC 5846 6.2, RFC 5847 6 */
		ha_bad_packet(ha, p, "signal without IPsec");
		return;
	}
	if (m->type == MH_REVOCATION)
		ha_revocation_answer(ha, p, m);
	else
		ha_heartbeat_message(ha, p, m);
}

void ha_signals_end(struct ha *ha, struct ha_binding *b)
{
	ha_revocation_end(ha, b);
	ha_switch_end(ha, b);
	ha_heartbeat_end(ha, b);
	ha_prefix_end(ha, b);
}
