/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do two parsed messages mean the same?  Written out field by field, apart
 * from the codec's own tables, so that a field the codec forgets is missed.
 */
#include "tests/wire/samples.h"

#include <string.h>

static bool same_octets(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

#define SAME(member) (memcmp(&(a->member), &(b->member), sizeof(a->member)) == 0)

static bool binding_id_same(const struct mh_option *a, const struct mh_option *b)
{
	return SAME(u.binding_id.bid) && SAME(u.binding_id.status) &&
	       SAME(u.binding_id.simultaneous) && SAME(u.binding_id.priority) &&
	       SAME(u.binding_id.coa_len) &&
	       memcmp(&a->u.binding_id.coa, &b->u.binding_id.coa, a->u.binding_id.coa_len) == 0;
}

bool mh_option_same(const struct mh_option *a, const struct mh_option *b)
{
	if (a->type != b->type)
		return false;
	switch ((enum mh_option_type)a->type) {
	case MHOPT_PAD1:
	case MHOPT_PADN:
		return false; /* never in a parsed message */
	case MHOPT_REFRESH_ADVICE:
		return SAME(u.refresh_interval);
	case MHOPT_ALT_COA:
		return SAME(u.alt_coa);
	case MHOPT_NONCE_INDICES:
		return SAME(u.nonce_indices.home) && SAME(u.nonce_indices.care_of);
	case MHOPT_AUTH_DATA:
		return same_octets(a->u.auth_data.data, a->u.auth_data.len, b->u.auth_data.data,
			b->u.auth_data.len);
	case MHOPT_NETWORK_PREFIX:
		return SAME(u.network_prefix.plen) && SAME(u.network_prefix.prefix);
	case MHOPT_MN_ID:
		return SAME(u.mn_id.subtype) &&
		       same_octets(a->u.mn_id.id, a->u.mn_id.len, b->u.mn_id.id, b->u.mn_id.len);
	case MHOPT_CGA_PARAM_REQ:
	case MHOPT_COT_INIT:
		return true;
	case MHOPT_CGA_PARAM:
	case MHOPT_SIGNATURE:
	case MHOPT_PERM_HOME_TOKEN:
		return same_octets(
			a->u.opaque.data, a->u.opaque.len, b->u.opaque.data, b->u.opaque.len);
	case MHOPT_COT:
		return SAME(u.care_of_keygen_token);
	case MHOPT_VENDOR:
		return SAME(u.vendor.vendor) && SAME(u.vendor.subtype) &&
		       same_octets(a->u.vendor.data, a->u.vendor.len, b->u.vendor.data,
			       b->u.vendor.len);
	case MHOPT_RESTART_COUNTER:
		return SAME(u.restart_counter);
	case MHOPT_IPV4_HOA:
		return SAME(u.ipv4_hoa.plen) && SAME(u.ipv4_hoa.prefix_request) &&
		       SAME(u.ipv4_hoa.addr);
	case MHOPT_IPV4_ACK:
		return SAME(u.ipv4_ack.status) && SAME(u.ipv4_ack.plen) && SAME(u.ipv4_ack.addr);
	case MHOPT_NAT_DETECTION:
		return SAME(u.nat_detection.force) && SAME(u.nat_detection.refresh_time);
	case MHOPT_IPV4_COA:
		return SAME(u.ipv4_coa);
	case MHOPT_BINDING_ID:
		return binding_id_same(a, b);
	}
	return false;
}

static bool fixed_same(const struct mh_message *a, const struct mh_message *b)
{
	switch ((enum mh_type)a->type) {
	case MH_BRR:
		return true;
	case MH_HOTI:
	case MH_COTI:
		return SAME(u.init.cookie);
	case MH_HOT:
	case MH_COT:
		return SAME(u.test.nonce_index) && SAME(u.test.cookie) && SAME(u.test.token);
	case MH_BU:
		return SAME(u.bu.seq) && SAME(u.bu.flags) && SAME(u.bu.lifetime);
	case MH_BA:
		return SAME(u.ba.status) && SAME(u.ba.flags) && SAME(u.ba.seq) &&
		       SAME(u.ba.lifetime);
	case MH_BE:
		return SAME(u.be.status) && SAME(u.be.home_address);
	case MH_EXPERIMENTAL:
		return same_octets(a->u.experimental.data, a->u.experimental.len,
			b->u.experimental.data, b->u.experimental.len);
	case MH_HA_SWITCH:
		return same_octets(a->u.ha_switch.addrs, a->u.ha_switch.count * 16u,
			b->u.ha_switch.addrs, b->u.ha_switch.count * 16u);
	case MH_HEARTBEAT:
		return SAME(u.heartbeat.unsolicited) && SAME(u.heartbeat.response) &&
		       SAME(u.heartbeat.seq);
	case MH_REVOCATION:
		return SAME(u.revocation.br_type) && SAME(u.revocation.trigger_or_status) &&
		       SAME(u.revocation.seq) && SAME(u.revocation.flags);
	}
	return false;
}

bool mh_same(const struct mh_message *a, const struct mh_message *b)
{
	if (a->type != b->type || a->n_options != b->n_options || !fixed_same(a, b))
		return false;
	for (size_t i = 0; i < a->n_options; i++) {
		if (!mh_option_same(&a->options[i], &b->options[i]))
			return false;
	}
	return true;
}

static bool lladdr_same(const struct nd_lladdr *a, const struct nd_lladdr *b)
{
	return same_octets(a->addr, a->len, b->addr, b->len);
}

static bool prefixes_same(
	const struct nd_prefix *pa, size_t na, const struct nd_prefix *pb, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++) {
		const struct nd_prefix *a = &pa[i], *b = &pb[i];

		if (!SAME(prefix) || !SAME(plen) || !SAME(on_link) || !SAME(autonomous) ||
			!SAME(router_address) || !SAME(valid_s) || !SAME(preferred_s))
			return false;
	}
	return true;
}

static bool ra_same(const struct icmp6_ra *a, const struct icmp6_ra *b)
{
	return SAME(cur_hop_limit) && SAME(managed) && SAME(other) && SAME(home_agent) &&
	       SAME(preference) && SAME(lifetime_s) && SAME(reachable_ms) && SAME(retrans_ms) &&
	       lladdr_same(&a->slla, &b->slla) && SAME(mtu) && SAME(adv_interval_ms) &&
	       SAME(has_ha_info) && SAME(ha_preference) && SAME(ha_lifetime_s) &&
	       SAME(ha_mobile_router) &&
	       prefixes_same(a->prefixes, a->n_prefixes, b->prefixes, b->n_prefixes);
}

bool icmp6_same(const struct icmp6_message *a, const struct icmp6_message *b)
{
	if (a->type != b->type || a->code != b->code)
		return false;
	switch ((enum icmp6_type)a->type) {
	case ICMP6T_RS:
		return lladdr_same(&a->u.rs.slla, &b->u.rs.slla);
	case ICMP6T_RA:
		return ra_same(&a->u.ra, &b->u.ra);
	case ICMP6T_NS:
		return SAME(u.ns.target) && lladdr_same(&a->u.ns.slla, &b->u.ns.slla);
	case ICMP6T_NA:
		return SAME(u.na.target) && SAME(u.na.router) && SAME(u.na.solicited) &&
		       SAME(u.na.override) && lladdr_same(&a->u.na.tlla, &b->u.na.tlla);
	case ICMP6T_DHAAD_REQUEST:
	case ICMP6T_DHAAD_REPLY:
		return SAME(u.dhaad.reply) && SAME(u.dhaad.id) && SAME(u.dhaad.mobile_router) &&
		       same_octets((const uint8_t *)a->u.dhaad.addrs, a->u.dhaad.n_addrs * 16,
			       (const uint8_t *)b->u.dhaad.addrs, b->u.dhaad.n_addrs * 16);
	case ICMP6T_MPS:
		return SAME(u.mps.id);
	case ICMP6T_MPA:
		return SAME(u.mpa.id) && SAME(u.mpa.managed) && SAME(u.mpa.other) &&
		       prefixes_same(a->u.mpa.prefixes, a->u.mpa.n_prefixes, b->u.mpa.prefixes,
			       b->u.mpa.n_prefixes);
	case ICMP6T_PARAM_PROBLEM:
		break;
	}
	return false;
}
