/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mobile routers: RFC 3963 5 and 6. */
#include <stdlib.h>

#include "tests/exchange/suite.h"

static struct prefix_row table[4];

static struct ip6_prefix prefix(const char *text)
{
	struct ip6_prefix p;

	ck_assert(ip6_prefix_parse(text, &p));
	return p;
}

static void row(struct net *n, const struct in6_addr *home_address, const char *text)
{
	table[n->ha_config.n_networks++] =
		(struct prefix_row){.home_address = *home_address, .prefix = prefix(text)};
	n->ha_config.networks = table;
	qsort(table, n->ha_config.n_networks, sizeof(table[0]), prefix_row_cmp);
}

/* The Prefix Table: one network of ours, one of somebody else. */
static struct net *new_net(bool explicit_mode, const char *network)
{
	struct net *n = net_new(&(struct net_options){.rtt_us = 100000});
	struct in6_addr other = n->home_address;

	other.s6_addr[15] ^= 0x80;
	row(n, &n->home_address, "2001:db8:100::/56");
	row(n, &other, "2001:db8:200::/56");
	n->mn_config.router.explicit_mode = explicit_mode;
	n->mn_config.router.networks[n->mn_config.router.n_networks++] = prefix(network);
	return n;
}

static struct mh_message message(const struct net_seen *s)
{
	struct mh_message m;

	ck_assert_int_eq(mh_parse(s->data, s->len, &m, NULL), MH_OK);
	return m;
}

static size_t prefixes_in(const struct net_seen *s)
{
	struct mh_message m = message(s);
	size_t n = 0;

	for (size_t i = 0; i < m.n_options; i++)
		n += m.options[i].type == MHOPT_NETWORK_PREFIX;
	return n;
}

static void forwarded(const struct net *n, const char *network)
{
	struct ip6_prefix p = prefix(network);

	ck_assert_uint_eq(n->hk.n_networks, 1);
	ck_addr_eq(n->hk.networks[0].addr, p.addr);
	ck_assert_uint_eq(n->hk.networks[0].plen, p.plen);
}

/* ---- both ends ---- */

static void walk(bool explicit_mode)
{
	struct net *n = new_net(explicit_mode, "2001:db8:100::/56");
	struct net_seen bu, ba;

	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> R, in explicit mode with the prefix */
	bu = ARRIVED(n, K_BU, SOON);
	ck_assert(bu.bu_flags & BU_F_R && bu.bu_flags & BU_F_H);
	ck_assert_uint_eq(prefixes_in(&bu), explicit_mode);
	/* <-- BA R */
	ba = ARRIVED(n, K_BA, SOON);
	ck_assert_uint_eq(ba.status, BA_ACCEPTED);
	ck_assert_uint_eq(message(&ba).u.ba.flags, BA_F_R);
	settle(n, SOON);
	forwarded(n, "2001:db8:100::/56");
	ck_assert(n->hk.router_proxy);
	ck_assert_uint_eq(binding(n).n_networks, 1);
	ck_assert(net_mn(n).mobile_router && !net_mn(n).router_refused);
	net_attach(n, IF1, LINK2);
	/* BU --> <-- BA */
	bu = ARRIVED(n, K_BU, SOON);
	ck_assert_uint_eq(prefixes_in(&bu), explicit_mode);
	settle(n, SOON);
	forwarded(n, "2001:db8:100::/56");
	net_attach(n, IF1, HOME);
	/* BU --> lifetime 0, without prefixes (5.8) <-- BA */
	bu = ARRIVED(n, K_BU, SOON);
	ck_assert_uint_eq(bu.lifetime, 0);
	ck_assert_uint_eq(prefixes_in(&bu), 0);
	settle(n, SOON);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	ck_assert_uint_eq(binding(n).n_networks, 0);
	finish(n);
}

START_TEST(implicit_mode)
{
	walk(false);
}
END_TEST

START_TEST(explicit_mode)
{
	walk(true);
}
END_TEST

START_TEST(survives_a_restart_of_the_home_agent)
{
	struct net *n = new_net(true, "2001:db8:100:20::/60");

	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	forwarded(n, "2001:db8:100:20::/60");
	net_stop_ha(n);
	net_start_ha(n, true);
	forwarded(n, "2001:db8:100:20::/60");
	settle(n, 0);
	/* The table has lost it meanwhile: so has the binding. */
	net_stop_ha(n);
	n->ha_config.n_networks = 0;
	net_start_ha(n, true);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	finish_apart(n);
}
END_TEST

/* ---- refusals: 5.4 ---- */

static void refused_for_ever(struct net *n, uint8_t status)
{
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> <-- BA */
	ARRIVED(n, K_BU, SOON);
	ck_assert_uint_eq(ARRIVED(n, K_BA, SOON).status, status);
	net_run(n, 1);
	ck_assert_int_eq(net_mn(n).registration, MN_REG_REFUSED);
	ck_assert(net_mn(n).router_refused);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	/* Neither time nor a move changes that. */
	NONE(n, K_BU, 3600000);
	net_attach(n, IF1, LINK2);
	NONE(n, K_BU, 10000);
	finish_apart(n);
}

START_TEST(not_permitted)
{
	struct net *n = new_net(false, "2001:db8:100::/56");

	n->ha_config.n_networks = 0;
	refused_for_ever(n, BA_MR_NOT_PERMITTED);
}
END_TEST

START_TEST(not_authorized)
{
	refused_for_ever(new_net(true, "2001:db8:200::/64"), BA_PREFIX_NOT_AUTHORIZED);
}
END_TEST

/* Ours is a part of it, but not all of it. */
START_TEST(not_authorized_for_the_whole)
{
	refused_for_ever(new_net(true, "2001:db8:100::/48"), BA_PREFIX_NOT_AUTHORIZED);
}
END_TEST

START_TEST(prefixes_missing)
{
	struct net *n = new_net(false, "2001:db8:100::/56");

	table[0].home_address = table[1].home_address;
	refused_for_ever(n, BA_FORWARDING_FAILED);
}
END_TEST

START_TEST(kernel_refuses_implicit)
{
	struct net *n = new_net(false, "2001:db8:100::/56");

	n->hk.fail_networks = true;
	refused_for_ever(n, BA_FORWARDING_FAILED);
}
END_TEST

START_TEST(kernel_refuses_explicit)
{
	struct net *n = new_net(true, "2001:db8:100::/56");

	n->hk.fail_networks = true;
	refused_for_ever(n, BA_INVALID_PREFIX);
}
END_TEST

/* 5.3: a home agent of RFC 6275 accepts, without the R flag; it is left. */
START_TEST(home_agent_without_mobile_routers)
{
	struct net *n = new_net(false, "2001:db8:100::/56");
	struct mh_message m;
	struct net_seen ba, bu;
	struct mip6_packet p = {.flags = MIP6_PKT_RH2, .hop_limit = 64};
	uint8_t data[64];

	net_rule(n, K_BA, T_DROP, 0, 1, 0);
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> <-- BA without R */
	ARRIVED(n, K_BU, SOON);
	ba = LOST(n, K_BA, SOON);
	m = message(&ba);
	m.u.ba.flags = 0;
	p.src = ba.src;
	p.dst = ba.dst;
	p.dst_coa = ba.coa;
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	mn_receive_mh(n->mn, &p);
	/* BU --> lifetime 0 <-- BA */
	bu = ARRIVED(n, K_BU, SOON);
	ck_assert_uint_eq(bu.lifetime, 0);
	ARRIVED(n, K_BA, SOON);
	net_run(n, 1);
	ck_assert(net_mn(n).router_refused);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	NONE(n, K_BU, 3600000);
	finish_apart(n);
}
END_TEST

/* ---- the home agent, by messages made here ---- */

struct update {
	uint16_t flags, seq, lifetime;
	const char *prefixes[3];
	uint8_t plen; /* of the first, instead of its own */
	const char *care_of;
};

static struct net_seen send_update(struct net *n, struct update u)
{
	struct mip6_packet p = {.src = n->home_address,
		.dst = n->ha_config.address,
		.flags = MIP6_PKT_HAO,
		.hop_limit = 64};
	struct mh_message m = {.type = MH_BU};
	uint8_t data[256];
	size_t before = n->n_seen;

	p.src_coa = prefix("2001:db8:a::77/128").addr;
	if (u.care_of)
		mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = prefix(u.care_of).addr;
	m.u.bu.flags = u.flags ? u.flags : BU_F_A | BU_F_H | BU_F_R;
	m.u.bu.seq = u.seq;
	m.u.bu.lifetime = u.lifetime;
	for (size_t i = 0; i < 3 && u.prefixes[i]; i++) {
		struct mh_option *o = mh_option_add(&m, MHOPT_NETWORK_PREFIX);
		struct ip6_prefix x = prefix(u.prefixes[i]);

		o->u.network_prefix.prefix = x.addr;
		o->u.network_prefix.plen = u.plen && !i ? u.plen : x.plen;
	}
	p.data = data;
	p.len = mh_build(&m, data, sizeof(data));
	ha_receive_mh(n->ha, &p);
	for (size_t i = before; i < n->n_seen; i++)
		if (n->seen[i].kind == K_BA)
			return n->seen[i];
	ck_abort_msg("no acknowledgement");
}

#define UPDATE(n, ...) send_update(n, (struct update){.lifetime = 100, __VA_ARGS__})

/* A virtual home link, so that answers come at once; the mobile node is elsewhere. */
static struct net *agent_alone(void)
{
	struct net *n = new_net(false, "2001:db8:100::/56");

	n->ha_config.home_ifindex = 0;
	net_start(n);
	net_forget(n);
	return n;
}

START_TEST(flag_cannot_change)
{
	struct net *n = agent_alone();

	ck_assert_uint_eq(UPDATE(n, .seq = 1).status, BA_ACCEPTED);
	ck_assert_uint_eq(UPDATE(n, .seq = 2, .flags = BU_F_A | BU_F_H).status, BA_TYPE_CHANGE);
	forwarded(n, "2001:db8:100::/56");
	/* 6.2: a de-registration may have any flag. */
	ck_assert_uint_eq(
		send_update(n, (struct update){.seq = 3, .flags = BU_F_A | BU_F_H}).status,
		BA_ACCEPTED);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	/* As a host, and then not as a router. */
	ck_assert_uint_eq(UPDATE(n, .seq = 4, .flags = BU_F_A | BU_F_H).status, BA_ACCEPTED);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	ck_assert_uint_eq(UPDATE(n, .seq = 5).status, BA_TYPE_CHANGE);
	net_free(n);
}
END_TEST

START_TEST(home_flag_is_needed)
{
	struct net *n = agent_alone();

	ck_assert_uint_eq(
		UPDATE(n, .seq = 1, .flags = BU_F_A | BU_F_R).status, BA_MR_NOT_PERMITTED);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	net_free(n);
}
END_TEST

START_TEST(prefixes_that_are_none)
{
	struct net *n = agent_alone();

	ck_assert_uint_eq(
		UPDATE(n, .seq = 1, .prefixes = {"2001:db8:100::/56"}, .plen = 200).status,
		BA_INVALID_PREFIX);
	ck_assert_uint_eq(UPDATE(n, .seq = 2, .prefixes = {"fe80::/64"}).status, BA_INVALID_PREFIX);
	ck_assert_uint_eq(UPDATE(n, .seq = 3, .prefixes = {"ff02::/64"}).status, BA_INVALID_PREFIX);
	/* All or none */
	ck_assert_uint_eq(
		UPDATE(n, .seq = 4, .prefixes = {"2001:db8:100::/56", "2001:db8:200::/56"}).status,
		BA_PREFIX_NOT_AUTHORIZED);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	net_free(n);
}
END_TEST

START_TEST(refused_refresh_changes_nothing)
{
	struct net *n = agent_alone();

	ck_assert_uint_eq(
		UPDATE(n, .seq = 1, .prefixes = {"2001:db8:100:1::/64"}).status, BA_ACCEPTED);
	ck_assert_uint_eq(UPDATE(n, .seq = 2, .prefixes = {"2001:db8:200::/56"}).status,
		BA_PREFIX_NOT_AUTHORIZED);
	forwarded(n, "2001:db8:100:1::/64");
	net_free(n);
}
END_TEST

/* 6.2: what the next Binding Update leaves out is not forwarded any more. */
START_TEST(later_prefixes_replace_earlier_ones)
{
	struct net *n = agent_alone();

	ck_assert_uint_eq(
		UPDATE(n, .seq = 1, .prefixes = {"2001:db8:100:1::/64", "2001:db8:100:2::/64"})
			.status,
		BA_ACCEPTED);
	ck_assert_uint_eq(n->hk.n_networks, 2);
	UPDATE(n, .seq = 2, .prefixes = {"2001:db8:100:2::/64"});
	forwarded(n, "2001:db8:100:2::/64");
	/* One that covers the others, before and behind them */
	UPDATE(n, .seq = 3,
		.prefixes = {"2001:db8:100:2::/64", "2001:db8:100::/56", "2001:db8:100:3::/64"});
	forwarded(n, "2001:db8:100::/56");
	/* One that covers the first alone */
	UPDATE(n, .seq = 4,
		.prefixes = {
			"2001:db8:100:11::/64", "2001:db8:100:1::/64", "2001:db8:100:10::/60"});
	ck_assert_uint_eq(n->hk.n_networks, 2);
	ck_addr_eq(n->hk.networks[0].addr, prefix("2001:db8:100:1::/64").addr);
	ck_addr_eq(n->hk.networks[1].addr, prefix("2001:db8:100:10::/60").addr);
	net_free(n);
}
END_TEST

START_TEST(networks_end_with_the_binding)
{
	struct net *n = agent_alone();

	UPDATE(n, .seq = 1);
	forwarded(n, "2001:db8:100::/56");
	net_run(n, 399000);
	ck_assert_uint_eq(n->hk.n_networks, 1);
	net_run(n, 2000);
	ck_assert_uint_eq(n->hk.n_networks, 0);
	UPDATE(n, .seq = 2);
	ck_assert_uint_eq(n->hk.n_networks, 1);
	ck_assert(ha_remove(n->ha, &n->home_address));
	ck_assert_uint_eq(n->hk.n_networks, 0);
	net_free(n);
}
END_TEST

/* Its packets would be tunnelled to a place that is reached through the tunnel. */
START_TEST(care_of_address_in_a_network)
{
	struct net *n = agent_alone();

	ck_assert_uint_eq(
		UPDATE(n, .seq = 1, .care_of = "2001:db8:100::5/128").status, BA_INVALID_COA);
	ck_assert_uint_eq(
		UPDATE(n, .seq = 2, .care_of = "2001:db8:200:ff::5/128").status, BA_INVALID_COA);
	ck_assert_uint_eq(
		UPDATE(n, .seq = 3, .care_of = "2001:db8:201::5/128").status, BA_ACCEPTED);
	net_free(n);
}
END_TEST

START_TEST(later_failure_ends_the_binding)
{
	struct net *n = agent_alone();

	UPDATE(n, .seq = 1, .prefixes = {"2001:db8:100:1::/64"});
	n->hk.fail_networks = true;
	ck_assert_uint_eq(
		UPDATE(n, .seq = 2, .prefixes = {"2001:db8:100:2::/64"}).status, BA_INVALID_PREFIX);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert(!n->hk.forwarding);
	net_free(n);
}
END_TEST

/* No two rows may claim the same packet. */
START_TEST(table_with_an_overlap)
{
	struct net *n = new_net(false, "2001:db8:100::/56");
	struct in6_addr third = n->home_address;

	third.s6_addr[15] ^= 0x40;
	row(n, &third, "2001:db8:100:77::/64");
	ck_assert_ptr_null(ha_new(&n->ha_config, &n->ha_env, &n->ha_ops, n));
	net_free(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {implicit_mode, explicit_mode,
		survives_a_restart_of_the_home_agent, not_permitted, not_authorized,
		not_authorized_for_the_whole, prefixes_missing, kernel_refuses_implicit,
		kernel_refuses_explicit, home_agent_without_mobile_routers, flag_cannot_change,
		home_flag_is_needed, prefixes_that_are_none, refused_refresh_changes_nothing,
		later_prefixes_replace_earlier_ones, networks_end_with_the_binding,
		care_of_address_in_a_network, later_failure_ends_the_binding,
		table_with_an_overlap};

	return RUN("nemo", tests, NULL, NULL);
}
