/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values are chosen so that no two octets of a field are alike: a swapped
 * byte order, or a field read one octet off, cannot go unseen.
 */
#include "tests/wire/samples.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t authenticator[20] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8,
	0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3};
static const char nai[] = "mn17@home.example";
static uint8_t blob[255];

static struct in6_addr a6(const char *text)
{
	struct in6_addr a;

	inet_pton(AF_INET6, text, &a);
	return a;
}

static struct in_addr a4(const char *text)
{
	struct in_addr a;

	inet_pton(AF_INET, text, &a);
	return a;
}

static const uint8_t *some_octets(void)
{
	for (size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (uint8_t)(i * 7 + 3);
	return blob;
}

/* ---- options, each into a message that is already there ---- */

static void add_refresh_advice(struct mh_message *m)
{
	mh_option_add(m, MHOPT_REFRESH_ADVICE)->u.refresh_interval = 0x0102;
}

static void add_alt_coa(struct mh_message *m)
{
	mh_option_add(m, MHOPT_ALT_COA)->u.alt_coa = a6("2001:db8:1:2:3:4:5:6");
}

static void add_nonce_indices(struct mh_message *m)
{
	struct mh_option *o = mh_option_add(m, MHOPT_NONCE_INDICES);

	o->u.nonce_indices.home = 0x1234;
	o->u.nonce_indices.care_of = 0x5678;
}

static void add_auth(struct mh_message *m, size_t len)
{
	struct mh_option *o = mh_option_add(m, MHOPT_AUTH_DATA);

	o->u.auth_data.data = authenticator;
	o->u.auth_data.len = len;
}

static void add_prefix(struct mh_message *m, const char *prefix, uint8_t plen)
{
	struct mh_option *o = mh_option_add(m, MHOPT_NETWORK_PREFIX);

	o->u.network_prefix.prefix = a6(prefix);
	o->u.network_prefix.plen = plen;
}

static void add_mn_id(struct mh_message *m)
{
	struct mh_option *o = mh_option_add(m, MHOPT_MN_ID);

	o->u.mn_id.subtype = 1;
	o->u.mn_id.id = (const uint8_t *)nai;
	o->u.mn_id.len = strlen(nai);
}

static void add_opaque(struct mh_message *m, uint8_t type, size_t len)
{
	struct mh_option *o = mh_option_add(m, type);

	o->u.opaque.data = some_octets();
	o->u.opaque.len = len;
}

static void add_vendor(struct mh_message *m, size_t len)
{
	struct mh_option *o = mh_option_add(m, MHOPT_VENDOR);

	o->u.vendor.vendor = 0x00010203;
	o->u.vendor.subtype = 0x42;
	o->u.vendor.data = some_octets();
	o->u.vendor.len = len;
}

static void add_ipv4_hoa(struct mh_message *m)
{
	struct mh_option *o = mh_option_add(m, MHOPT_IPV4_HOA);

	o->u.ipv4_hoa.plen = 27;
	o->u.ipv4_hoa.prefix_request = true;
	o->u.ipv4_hoa.addr = a4("192.0.2.65");
}

static void add_ipv4_ack(struct mh_message *m)
{
	struct mh_option *o = mh_option_add(m, MHOPT_IPV4_ACK);

	o->u.ipv4_ack.status = 130;
	o->u.ipv4_ack.plen = 27;
	o->u.ipv4_ack.addr = a4("192.0.2.65");
}

static void add_nat_detection(struct mh_message *m)
{
	struct mh_option *o = mh_option_add(m, MHOPT_NAT_DETECTION);

	o->u.nat_detection.force = true;
	o->u.nat_detection.refresh_time = 0x01020304;
}

static void add_ipv4_coa(struct mh_message *m)
{
	mh_option_add(m, MHOPT_IPV4_COA)->u.ipv4_coa = a4("198.51.100.7");
}

static void add_binding_id(struct mh_message *m, uint8_t coa_len)
{
	struct mh_option *o = mh_option_add(m, MHOPT_BINDING_ID);

	o->u.binding_id.bid = 0x0201;
	o->u.binding_id.status = 3;
	o->u.binding_id.simultaneous = coa_len != 4;
	o->u.binding_id.priority = 5;
	o->u.binding_id.coa_len = coa_len;
	if (coa_len == 4)
		o->u.binding_id.coa.v4 = a4("198.51.100.8");
	if (coa_len == 16)
		o->u.binding_id.coa.v6 = a6("2001:db8:8::9");
}

/* ---- messages ---- */

static void bu(struct mh_message *m)
{
	m->type = MH_BU;
	m->u.bu.seq = 0x0a0b;
	m->u.bu.flags = BU_F_A | BU_F_H | BU_F_L;
	m->u.bu.lifetime = 0x0c0d;
}

static void ba(struct mh_message *m)
{
	m->type = MH_BA;
	m->u.ba.status = 135;
	m->u.ba.flags = BA_F_K;
	m->u.ba.seq = 0x0a0b;
	m->u.ba.lifetime = 0x0c0d;
}

static void brr(struct mh_message *m)
{
	m->type = MH_BRR;
}

static void hoti(struct mh_message *m)
{
	m->type = MH_HOTI;
	m->u.init.cookie = 0x0102030405060708;
}

static void coti(struct mh_message *m)
{
	m->type = MH_COTI;
	m->u.init.cookie = 0x1112131415161718;
}

static void hot(struct mh_message *m)
{
	m->type = MH_HOT;
	m->u.test.nonce_index = 0x2122;
	m->u.test.cookie = 0x0102030405060708;
	m->u.test.token = 0x3132333435363738;
}

static void cot(struct mh_message *m)
{
	hot(m);
	m->type = MH_COT;
}

static void be(struct mh_message *m)
{
	m->type = MH_BE;
	m->u.be.status = BE_UNKNOWN_BINDING;
	m->u.be.home_address = a6("2001:db8:aa::17");
}

static void bu_all_flags(struct mh_message *m)
{
	bu(m);
	m->u.bu.flags = BU_F_A | BU_F_H | BU_F_L | BU_F_K | BU_F_M | BU_F_R | BU_F_P | BU_F_F |
			BU_F_T | BU_F_B;
}

static void bu_alt_coa(struct mh_message *m)
{
	bu(m);
	add_alt_coa(m);
}

static void bu_correspondent(struct mh_message *m)
{
	bu(m);
	m->u.bu.flags = BU_F_A;
	add_alt_coa(m);
	add_nonce_indices(m);
	add_auth(m, 12);
}

static void bu_auth_first(struct mh_message *m)
{
	bu(m);
	add_auth(m, 12); /* the builder puts it last */
	add_nonce_indices(m);
}

static void bu_auth_20(struct mh_message *m)
{
	bu(m);
	add_auth(m, 20);
}

static void bu_auth_1(struct mh_message *m)
{
	bu(m);
	add_auth(m, 1);
}

static void bu_mobile_router(struct mh_message *m)
{
	bu(m);
	m->u.bu.flags |= BU_F_R;
	add_prefix(m, "2001:db8:f00::", 48);
	add_prefix(m, "2001:db8:f01:8000::", 49);
}

static void bu_mn_id(struct mh_message *m)
{
	bu(m);
	add_mn_id(m);
}

static void bu_cga(struct mh_message *m)
{
	bu(m);
	add_nonce_indices(m);
	mh_option_add(m, MHOPT_CGA_PARAM_REQ);
	add_opaque(m, MHOPT_CGA_PARAM, 255);
	add_opaque(m, MHOPT_CGA_PARAM, 33);
	add_opaque(m, MHOPT_SIGNATURE, 128);
	mh_option_add(m, MHOPT_COT_INIT);
	add_auth(m, 12);
}

static void bu_vendor(struct mh_message *m)
{
	bu(m);
	add_vendor(m, 9);
	add_vendor(m, 0);
}

static void bu_dual_stack(struct mh_message *m)
{
	bu(m);
	m->u.bu.flags |= BU_F_F;
	add_ipv4_hoa(m);
	add_ipv4_coa(m);
}

static void bu_binding_ids(struct mh_message *m)
{
	bu(m);
	add_binding_id(m, 0);
	add_binding_id(m, 4);
	add_binding_id(m, 16);
}

static void ba_refresh_advice(struct mh_message *m)
{
	ba(m);
	m->u.ba.status = BA_ACCEPTED;
	add_refresh_advice(m);
}

static void ba_correspondent(struct mh_message *m)
{
	ba(m);
	add_auth(m, 12);
}

static void ba_all_flags(struct mh_message *m)
{
	ba(m);
	m->u.ba.flags = BA_F_K | BA_F_R | BA_F_P | BA_F_T | BA_F_B;
}

static void ba_dual_stack(struct mh_message *m)
{
	ba(m);
	m->u.ba.status = BA_ACCEPTED;
	add_ipv4_ack(m);
	add_nat_detection(m);
}

static void ba_cga(struct mh_message *m)
{
	ba(m);
	add_opaque(m, MHOPT_PERM_HOME_TOKEN, 128);
	mh_option_add(m, MHOPT_COT)->u.care_of_keygen_token = 0x4142434445464748;
	add_opaque(m, MHOPT_CGA_PARAM, 100);
	add_opaque(m, MHOPT_SIGNATURE, 64);
	add_auth(m, 12);
}

static void be_unknown_type(struct mh_message *m)
{
	be(m);
	m->u.be.status = BE_UNKNOWN_MH_TYPE;
	m->u.be.home_address = a6("::");
}

static void brr_binding_id(struct mh_message *m)
{
	brr(m);
	add_binding_id(m, 0);
}

static void cot_binding_id(struct mh_message *m)
{
	cot(m);
	add_binding_id(m, 0);
}

static void experimental(struct mh_message *m)
{
	m->type = MH_EXPERIMENTAL;
	m->u.experimental.data = some_octets();
	m->u.experimental.len = 10;
}

static void ha_switch_none(struct mh_message *m)
{
	m->type = MH_HA_SWITCH;
}

static void ha_switch(struct mh_message *m)
{
	static struct in6_addr addrs[3];

	addrs[0] = a6("2001:db8:aa::1");
	addrs[1] = a6("2001:db8:aa::2");
	addrs[2] = a6("2001:db8:bb::3");
	m->type = MH_HA_SWITCH;
	m->u.ha_switch.count = 3;
	m->u.ha_switch.addrs = addrs[0].s6_addr;
	add_refresh_advice(m);
}

static void heartbeat_request(struct mh_message *m)
{
	m->type = MH_HEARTBEAT;
	m->u.heartbeat.seq = 0x51525354;
}

static void heartbeat_response(struct mh_message *m)
{
	heartbeat_request(m);
	m->u.heartbeat.response = true;
	mh_option_add(m, MHOPT_RESTART_COUNTER)->u.restart_counter = 0x61626364;
}

static void heartbeat_unsolicited(struct mh_message *m)
{
	heartbeat_response(m);
	m->u.heartbeat.unsolicited = true;
}

static void revocation(struct mh_message *m)
{
	m->type = MH_REVOCATION;
	m->u.revocation.br_type = BR_INDICATION;
	m->u.revocation.trigger_or_status = 1;
	m->u.revocation.seq = 0x7172;
}

static void revocation_global(struct mh_message *m)
{
	revocation(m);
	m->u.revocation.trigger_or_status = 128;
	m->u.revocation.flags = BR_F_P | BR_F_G;
	add_mn_id(m);
	add_alt_coa(m);
}

static void revocation_ack(struct mh_message *m)
{
	revocation(m);
	m->u.revocation.br_type = BR_ACKNOWLEDGEMENT;
	m->u.revocation.trigger_or_status = 128;
	m->u.revocation.flags = BR_F_V;
	add_binding_id(m, 0);
}

/* Alignments one behind the other that ask for much padding. */
static void bu_everything(struct mh_message *m)
{
	bu_all_flags(m);
	add_refresh_advice(m);
	add_alt_coa(m);
	add_nonce_indices(m);
	add_prefix(m, "2001:db8:f00::", 56);
	add_mn_id(m);
	mh_option_add(m, MHOPT_CGA_PARAM_REQ);
	add_opaque(m, MHOPT_CGA_PARAM, 1);
	add_opaque(m, MHOPT_SIGNATURE, 2);
	add_opaque(m, MHOPT_PERM_HOME_TOKEN, 8);
	mh_option_add(m, MHOPT_COT_INIT);
	mh_option_add(m, MHOPT_COT)->u.care_of_keygen_token = 0x8182838485868788;
	add_vendor(m, 4);
	mh_option_add(m, MHOPT_RESTART_COUNTER)->u.restart_counter = 0x91929394;
	add_ipv4_hoa(m);
	add_ipv4_ack(m);
	add_nat_detection(m);
	add_ipv4_coa(m);
	add_binding_id(m, 16);
	add_auth(m, 12);
}

static const struct {
	const char *name;
	void (*make)(struct mh_message *m);
} mh_samples[] = {
	{"brr", brr},
	{"brr-binding-id", brr_binding_id},
	{"hoti", hoti},
	{"coti", coti},
	{"hot", hot},
	{"cot", cot},
	{"cot-binding-id", cot_binding_id},
	{"bu", bu},
	{"bu-all-flags", bu_all_flags},
	{"bu-alt-coa", bu_alt_coa},
	{"bu-correspondent", bu_correspondent},
	{"bu-auth-first", bu_auth_first},
	{"bu-auth-20", bu_auth_20},
	{"bu-auth-1", bu_auth_1},
	{"bu-mobile-router", bu_mobile_router},
	{"bu-mn-id", bu_mn_id},
	{"bu-cga", bu_cga},
	{"bu-vendor", bu_vendor},
	{"bu-dual-stack", bu_dual_stack},
	{"bu-binding-ids", bu_binding_ids},
	{"bu-everything", bu_everything},
	{"ba", ba},
	{"ba-all-flags", ba_all_flags},
	{"ba-refresh-advice", ba_refresh_advice},
	{"ba-correspondent", ba_correspondent},
	{"ba-dual-stack", ba_dual_stack},
	{"ba-cga", ba_cga},
	{"be", be},
	{"be-unknown-type", be_unknown_type},
	{"experimental", experimental},
	{"ha-switch-none", ha_switch_none},
	{"ha-switch", ha_switch},
	{"heartbeat-request", heartbeat_request},
	{"heartbeat-response", heartbeat_response},
	{"heartbeat-unsolicited", heartbeat_unsolicited},
	{"revocation", revocation},
	{"revocation-global", revocation_global},
	{"revocation-ack", revocation_ack},
};

bool mh_sample(size_t i, const char **name, struct mh_message *m)
{
	if (i >= sizeof(mh_samples) / sizeof(mh_samples[0]))
		return false;
	memset(m, 0, sizeof(*m));
	*name = mh_samples[i].name;
	mh_samples[i].make(m);
	return true;
}

/* ---- ICMPv6 ---- */

static void lladdr(struct nd_lladdr *a)
{
	static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

	a->len = sizeof(mac);
	memcpy(a->addr, mac, sizeof(mac));
}

static void rs(struct icmp6_message *m)
{
	m->type = ICMP6T_RS;
}

static void rs_slla(struct icmp6_message *m)
{
	m->type = ICMP6T_RS;
	lladdr(&m->u.rs.slla);
}

static void ra(struct icmp6_message *m)
{
	m->type = ICMP6T_RA;
	m->u.ra.cur_hop_limit = 64;
	m->u.ra.lifetime_s = 0x0708;
	m->u.ra.reachable_ms = 0x00010203;
	m->u.ra.retrans_ms = 0x00040506;
}

static void some_prefixes(struct nd_prefix *p, size_t *n)
{
	p[0] = (struct nd_prefix){
		.prefix = a6("2001:db8:aa::1"),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.router_address = true,
		.valid_s = 0x00015180,
		.preferred_s = 0x00003840,
	};
	p[1] = (struct nd_prefix){
		.prefix = a6("2001:db8:bb:c000::"),
		.plen = 50,
		.on_link = true,
		.valid_s = UINT32_MAX,
		.preferred_s = UINT32_MAX,
	};
	*n = 2;
}

static void ra_home_agent(struct icmp6_message *m)
{
	ra(m);
	m->u.ra.managed = true;
	m->u.ra.home_agent = true;
	m->u.ra.preference = 1;
	lladdr(&m->u.ra.slla);
	m->u.ra.mtu = 1480;
	m->u.ra.adv_interval_ms = 0x00000bb8;
	m->u.ra.has_ha_info = true;
	m->u.ra.ha_preference = 0x0a0b;
	m->u.ra.ha_lifetime_s = 0x0c0d;
	m->u.ra.ha_mobile_router = true;
	some_prefixes(m->u.ra.prefixes, &m->u.ra.n_prefixes);
}

static void ra_low(struct icmp6_message *m)
{
	ra(m);
	m->u.ra.other = true;
	m->u.ra.preference = -1;
}

static void ns(struct icmp6_message *m)
{
	m->type = ICMP6T_NS;
	m->u.ns.target = a6("2001:db8:aa::17");
}

static void ns_slla(struct icmp6_message *m)
{
	ns(m);
	lladdr(&m->u.ns.slla);
}

static void na(struct icmp6_message *m)
{
	m->type = ICMP6T_NA;
	m->u.na.target = a6("2001:db8:aa::17");
	m->u.na.override = true;
	lladdr(&m->u.na.tlla);
}

static void na_solicited(struct icmp6_message *m)
{
	na(m);
	m->u.na.router = true;
	m->u.na.solicited = true;
	m->u.na.override = false;
}

static void dhaad_request(struct icmp6_message *m)
{
	m->type = ICMP6T_DHAAD_REQUEST;
	m->u.dhaad.id = 0x1718;
}

static void dhaad_request_nemo(struct icmp6_message *m)
{
	dhaad_request(m);
	m->u.dhaad.mobile_router = true;
}

static void dhaad_reply(struct icmp6_message *m)
{
	m->type = ICMP6T_DHAAD_REPLY;
	m->u.dhaad.reply = true;
	m->u.dhaad.id = 0x1718;
	m->u.dhaad.n_addrs = 2;
	m->u.dhaad.addrs[0] = a6("2001:db8:aa::1");
	m->u.dhaad.addrs[1] = a6("2001:db8:aa::2");
}

static void dhaad_reply_empty(struct icmp6_message *m)
{
	dhaad_reply(m);
	m->u.dhaad.mobile_router = true;
	m->u.dhaad.n_addrs = 0;
	memset(m->u.dhaad.addrs, 0, sizeof(m->u.dhaad.addrs));
}

static void mps(struct icmp6_message *m)
{
	m->type = ICMP6T_MPS;
	m->u.mps.id = 0x1920;
}

static void mpa(struct icmp6_message *m)
{
	m->type = ICMP6T_MPA;
	m->u.mpa.id = 0x1920;
	m->u.mpa.other = true;
	some_prefixes(m->u.mpa.prefixes, &m->u.mpa.n_prefixes);
}

static const struct {
	const char *name;
	void (*make)(struct icmp6_message *m);
} icmp6_samples[] = {
	{"rs", rs},
	{"rs-slla", rs_slla},
	{"ra", ra},
	{"ra-home-agent", ra_home_agent},
	{"ra-low", ra_low},
	{"ns", ns},
	{"ns-slla", ns_slla},
	{"na", na},
	{"na-solicited", na_solicited},
	{"dhaad-request", dhaad_request},
	{"dhaad-request-nemo", dhaad_request_nemo},
	{"dhaad-reply", dhaad_reply},
	{"dhaad-reply-empty", dhaad_reply_empty},
	{"mps", mps},
	{"mpa", mpa},
};

bool icmp6_sample(size_t i, const char **name, struct icmp6_message *m)
{
	if (i >= sizeof(icmp6_samples) / sizeof(icmp6_samples[0]))
		return false;
	memset(m, 0, sizeof(*m));
	*name = icmp6_samples[i].name;
	icmp6_samples[i].make(m);
	return true;
}
