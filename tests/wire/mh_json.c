/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/wire/mh_json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/addr.h"

json_t *hex_to_json(const uint8_t *data, size_t len)
{
	char *s = malloc(2 * len + 1);
	json_t *j;

	for (size_t i = 0; i < len; i++)
		sprintf(s + 2 * i, "%02x", data[i]);
	s[2 * len] = '\0';
	j = json_string(s);
	free(s);
	return j;
}

static json_t *addr6(const struct in6_addr *a)
{
	return json_string(in6_str(a));
}

static json_t *addr4(const struct in_addr *a)
{
	char s[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, a, s, sizeof(s)));
}

/* Numbers of 64 bits are strings: jansson's integers have a sign. */
static json_t *u64(uint64_t v)
{
	char s[17];

	snprintf(s, sizeof(s), "%016llx", (unsigned long long)v);
	return json_string(s);
}

static json_t *binding_id(const struct mh_option *o)
{
	json_t *coa = json_null();

	if (o->u.binding_id.coa_len == 4)
		coa = addr4(&o->u.binding_id.coa.v4);
	else if (o->u.binding_id.coa_len == 16)
		coa = addr6(&o->u.binding_id.coa.v6);
	return json_pack("{si si sb si so}", "bid", o->u.binding_id.bid, "status",
		o->u.binding_id.status, "simultaneous", o->u.binding_id.simultaneous, "priority",
		o->u.binding_id.priority, "coa", coa);
}

static json_t *option_fields(const struct mh_option *o)
{
	switch ((enum mh_option_type)o->type) {
	case MHOPT_PAD1:
	case MHOPT_PADN:
	case MHOPT_CGA_PARAM_REQ:
	case MHOPT_COT_INIT:
		return json_object();
	case MHOPT_REFRESH_ADVICE:
		return json_pack("{si}", "interval", o->u.refresh_interval);
	case MHOPT_ALT_COA:
		return json_pack("{so}", "coa", addr6(&o->u.alt_coa));
	case MHOPT_NONCE_INDICES:
		return json_pack("{si si}", "home", o->u.nonce_indices.home, "care_of",
			o->u.nonce_indices.care_of);
	case MHOPT_AUTH_DATA:
		return json_pack(
			"{so}", "data", hex_to_json(o->u.auth_data.data, o->u.auth_data.len));
	case MHOPT_NETWORK_PREFIX:
		return json_pack("{si so}", "plen", o->u.network_prefix.plen, "prefix",
			addr6(&o->u.network_prefix.prefix));
	case MHOPT_MN_ID:
		return json_pack("{si so}", "subtype", o->u.mn_id.subtype, "id",
			hex_to_json(o->u.mn_id.id, o->u.mn_id.len));
	case MHOPT_CGA_PARAM:
	case MHOPT_SIGNATURE:
	case MHOPT_PERM_HOME_TOKEN:
		return json_pack("{so}", "data", hex_to_json(o->u.opaque.data, o->u.opaque.len));
	case MHOPT_COT:
		return json_pack("{so}", "token", u64(o->u.care_of_keygen_token));
	case MHOPT_VENDOR:
		return json_pack("{sI si so}", "vendor", (json_int_t)o->u.vendor.vendor, "subtype",
			o->u.vendor.subtype, "data",
			hex_to_json(o->u.vendor.data, o->u.vendor.len));
	case MHOPT_RESTART_COUNTER:
		return json_pack("{sI}", "counter", (json_int_t)o->u.restart_counter);
	case MHOPT_IPV4_HOA:
		return json_pack("{si sb so}", "plen", o->u.ipv4_hoa.plen, "prefix_request",
			o->u.ipv4_hoa.prefix_request, "addr", addr4(&o->u.ipv4_hoa.addr));
	case MHOPT_IPV4_ACK:
		return json_pack("{si si so}", "status", o->u.ipv4_ack.status, "plen",
			o->u.ipv4_ack.plen, "addr", addr4(&o->u.ipv4_ack.addr));
	case MHOPT_NAT_DETECTION:
		return json_pack("{sb sI}", "force", o->u.nat_detection.force, "refresh_time",
			(json_int_t)o->u.nat_detection.refresh_time);
	case MHOPT_IPV4_COA:
		return json_pack("{so}", "addr", addr4(&o->u.ipv4_coa));
	case MHOPT_BINDING_ID:
		return binding_id(o);
	}
	return json_null();
}

static json_t *ha_switch(const struct mh_message *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->u.ha_switch.count; i++) {
		char s[INET6_ADDRSTRLEN];

		inet_ntop(AF_INET6, m->u.ha_switch.addrs + 16 * i, s, sizeof(s));
		json_array_append_new(list, json_string(s));
	}
	return json_pack("{so}", "addrs", list);
}

static json_t *fixed_fields(const struct mh_message *m)
{
	switch ((enum mh_type)m->type) {
	case MH_BRR:
		return json_object();
	case MH_HOTI:
	case MH_COTI:
		return json_pack("{so}", "cookie", u64(m->u.init.cookie));
	case MH_HOT:
	case MH_COT:
		return json_pack("{si so so}", "nonce_index", m->u.test.nonce_index, "cookie",
			u64(m->u.test.cookie), "token", u64(m->u.test.token));
	case MH_BU:
		return json_pack("{si si si}", "seq", m->u.bu.seq, "flags", m->u.bu.flags,
			"lifetime", m->u.bu.lifetime);
	case MH_BA:
		return json_pack("{si si si si}", "status", m->u.ba.status, "flags", m->u.ba.flags,
			"seq", m->u.ba.seq, "lifetime", m->u.ba.lifetime);
	case MH_BE:
		return json_pack("{si so}", "status", m->u.be.status, "home_address",
			addr6(&m->u.be.home_address));
	case MH_EXPERIMENTAL:
		return json_pack(
			"{so}", "data", hex_to_json(m->u.experimental.data, m->u.experimental.len));
	case MH_HA_SWITCH:
		return ha_switch(m);
	case MH_HEARTBEAT:
		return json_pack("{sb sb sI}", "unsolicited", m->u.heartbeat.unsolicited,
			"response", m->u.heartbeat.response, "seq", (json_int_t)m->u.heartbeat.seq);
	case MH_REVOCATION:
		return json_pack("{si si si si}", "br_type", m->u.revocation.br_type,
			"trigger_or_status", m->u.revocation.trigger_or_status, "seq",
			m->u.revocation.seq, "flags", m->u.revocation.flags);
	}
	return json_null();
}

json_t *mh_to_json(const struct mh_message *m)
{
	json_t *options = json_array();

	for (size_t i = 0; i < m->n_options; i++) {
		json_t *o = option_fields(&m->options[i]);

		json_object_set_new(o, "type", json_integer(m->options[i].type));
		json_array_append_new(options, o);
	}
	return json_pack(
		"{si so so}", "type", m->type, "fields", fixed_fields(m), "options", options);
}

/* ---- ICMPv6 ---- */

static json_t *lladdr(const struct nd_lladdr *a)
{
	return a->len ? hex_to_json(a->addr, a->len) : json_null();
}

static json_t *prefixes(const struct nd_prefix *p, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list, json_pack("{so si sb sb sb sI sI}", "prefix", addr6(&p[i].prefix),
				      "plen", p[i].plen, "on_link", p[i].on_link, "autonomous",
				      p[i].autonomous, "router_address", p[i].router_address,
				      "valid", (json_int_t)p[i].valid_s, "preferred",
				      (json_int_t)p[i].preferred_s));
	return list;
}

static json_t *ra(const struct icmp6_ra *r)
{
	json_t *j = json_pack("{si sb sb sb si si sI sI so sI sI so}", "cur_hop_limit",
		r->cur_hop_limit, "managed", r->managed, "other", r->other, "home_agent",
		r->home_agent, "preference", r->preference, "lifetime", r->lifetime_s, "reachable",
		(json_int_t)r->reachable_ms, "retrans", (json_int_t)r->retrans_ms, "slla",
		lladdr(&r->slla), "mtu", (json_int_t)r->mtu, "adv_interval",
		(json_int_t)r->adv_interval_ms, "prefixes", prefixes(r->prefixes, r->n_prefixes));

	if (r->has_ha_info)
		json_object_set_new(j, "ha_info",
			json_pack("{si si sb}", "preference", r->ha_preference, "lifetime",
				r->ha_lifetime_s, "mobile_router", r->ha_mobile_router));
	else
		json_object_set_new(j, "ha_info", json_null());
	return j;
}

static json_t *dhaad(const struct icmp6_dhaad *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_addrs; i++)
		json_array_append_new(list, addr6(&d->addrs[i]));
	return json_pack(
		"{si sb so}", "id", d->id, "mobile_router", d->mobile_router, "addrs", list);
}

static json_t *icmp6_fields(const struct icmp6_message *m)
{
	switch ((enum icmp6_type)m->type) {
	case ICMP6T_RS:
		return json_pack("{so}", "slla", lladdr(&m->u.rs.slla));
	case ICMP6T_RA:
		return ra(&m->u.ra);
	case ICMP6T_NS:
		return json_pack(
			"{so so}", "target", addr6(&m->u.ns.target), "slla", lladdr(&m->u.ns.slla));
	case ICMP6T_NA:
		return json_pack("{so sb sb sb so}", "target", addr6(&m->u.na.target), "router",
			m->u.na.router, "solicited", m->u.na.solicited, "override",
			m->u.na.override, "tlla", lladdr(&m->u.na.tlla));
	case ICMP6T_DHAAD_REQUEST:
	case ICMP6T_DHAAD_REPLY:
		return dhaad(&m->u.dhaad);
	case ICMP6T_MPS:
		return json_pack("{si}", "id", m->u.mps.id);
	case ICMP6T_MPA:
		return json_pack("{si sb sb so}", "id", m->u.mpa.id, "managed", m->u.mpa.managed,
			"other", m->u.mpa.other, "prefixes",
			prefixes(m->u.mpa.prefixes, m->u.mpa.n_prefixes));
	case ICMP6T_PARAM_PROBLEM:
		break;
	}
	return json_null();
}

json_t *icmp6_to_json(const struct icmp6_message *m)
{
	return json_pack("{si so}", "type", m->type, "fields", icmp6_fields(m));
}
