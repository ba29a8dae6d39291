/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mobile node follows the prefixes of its home link (RFC 6275 11.4.2, 11.4.3). */
#include "tests/unit/discovery_world.h"

/* ---- home prefixes ---- */

#define PREFIX "2001:db8:1::"

#define OTHER "2001:db8:2::"

#define HOUR 3600

static struct icmp6_message advert_of(const struct world *w, uint32_t preferred_s, uint32_t valid_s)
{
	struct icmp6_message m = {.type = ICMP6T_MPA};

	m.u.mpa.id = w->solicitation_id;
	m.u.mpa.n_prefixes = 1;
	m.u.mpa.prefixes[0] = (struct nd_prefix){.prefix = in6(PREFIX),
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = valid_s,
		.preferred_s = preferred_s};
	return m;
}

static void advertise(struct world *w, uint32_t preferred_s, uint32_t valid_s, bool authentic)
{
	struct icmp6_message m = advert_of(w, preferred_s, valid_s);

	icmp6(w, HA1, HOA, MIP6_PKT_RH2 | (authentic ? MIP6_PKT_PROTECTED : 0u), &m);
}

static bool take_first(void *arg, const struct mn_home_prefix_info *i)
{
	*(struct mn_home_prefix_info *)arg = *i;
	return false;
}

static struct mn_home_prefix_info own_prefix(const struct world *w)
{
	struct mn_home_prefix_info i;

	mn_foreach_home_prefix(w->mn, take_first, &i);
	return i;
}

/* Registered with HA1, which has news. */
static struct world *world_with_news(void)
{
	struct world *w = world_new();

	w->config.home_agent = in6(HA1);
	w->config.discover = false;
	w->config.lifetime_s = 20000;
	start(w);
	ck_assert_uint_eq(w->solicitations, 0);
	answer(w, BA_ACCEPTED_PREFIX);
	return w;
}

START_TEST(solicits_on_news)
{
	static const int64_t gaps[] = {3000, 6000, 12000, 24000, 32000, 32000};
	struct world *w = world_with_news();

	ck_assert_uint_eq(w->solicitations, 1);
	assert_addr(&w->solicitation.src, HOA);
	assert_addr(&w->solicitation.dst, HA1);
	assert_addr(&w->solicitation.src_coa, COA);
	ck_assert_uint_eq(w->solicitation.flags, MIP6_PKT_HAO);
	advance(w, 110000);
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		ck_assert_int_eq(mono_diff_ms(w->solicited_at[i + 1], w->solicited_at[i]), gaps[i]);
	advertise(w, 10 * HOUR, 20 * HOUR, false);
	ck_assert_uint_eq(mn_stats(w->mn)->prefix_advertisements, 1);
	ck_assert(own_prefix(w).known && own_prefix(w).in_use);
	ck_assert_uint_eq(own_prefix(w).valid_s, 20 * HOUR);
	ck_assert_uint_eq(own_prefix(w).preferred_s, 10 * HOUR);
	advance(w, 100000);
	ck_assert_uint_eq(w->solicitations, 7);
	world_free(w);
}
END_TEST

START_TEST(believes_the_home_agent_alone)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, HOUR, 2 * HOUR);

	icmp6(w, HA2, HOA, MIP6_PKT_RH2, &m);
	icmp6(w, HA1, HOA, 0, &m);
	icmp6(w, HA1, COA, MIP6_PKT_RH2, &m);
	m.u.mpa.id ^= 1;
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert_uint_eq(mn_stats(w->mn)->prefix_ignored, 4);
	ck_assert(!own_prefix(w).known);
	m.u.mpa.id ^= 1;
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert(own_prefix(w).known);
	world_free(w);
}
END_TEST

/* 11.4.3: MUST be discarded, and a solicitation SHOULD be sent; an attacker gets no flood of them. */
START_TEST(unsolicited_makes_it_ask)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, 1, 8 * HOUR);

	advertise(w, 10 * HOUR, 20 * HOUR, false);
	advance(w, 60000);
	for (int i = 0; i < 100; i++)
		icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert_uint_eq(w->solicitations, 2);
	ck_assert_uint_gt(own_prefix(w).valid_s, 19 * HOUR);
	advertise(w, 10 * HOUR, 20 * HOUR, false);
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	advance(w, 2900);
	ck_assert_uint_eq(w->solicitations, 2);
	advance(w, 100);
	ck_assert_uint_eq(w->solicitations, 3);
	world_free(w);
}
END_TEST

START_TEST(protected_alone_with_ipsec)
{
	struct world *w = world_new();
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {
		.flags = MIP6_PKT_RH2 | MIP6_PKT_PROTECTED, .ifindex = 1, .data = buf};

	w->config.home_agent = in6(HA1);
	w->config.require_ipsec = true;
	start(w);
	p.src = in6(HA1);
	p.dst = in6(HOA);
	p.dst_coa = in6(COA);
	m.u.ba.status = BA_ACCEPTED_PREFIX;
	m.u.ba.seq = w->seq;
	m.u.ba.lifetime = w->lifetime;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(w->mn, &p);
	ck_assert_uint_eq(w->solicitation.flags, MIP6_PKT_HAO | MIP6_PKT_PROTECTED);
	advertise(w, HOUR, 2 * HOUR, false);
	ck_assert(!own_prefix(w).known);
	advertise(w, HOUR, 2 * HOUR, true);
	ck_assert(own_prefix(w).known);
	world_free(w);
}
END_TEST

/* RFC 4862 5.5.3 e */
START_TEST(two_hours)
{
	struct world *w = world_with_news();

	advertise(w, 10 * HOUR, 20 * HOUR, false);
	for (int i = 0; i < 2; i++) {
		advance(w, 4000);
		advertise(w, 60, 60, false); /* asks */
		advertise(w, 60, 60, false);
		ck_assert_uint_le(own_prefix(w).valid_s, 2 * HOUR);
		ck_assert_uint_ge(own_prefix(w).valid_s, 2 * HOUR - 10);
	}
	advance(w, 4000);
	advertise(w, 60, 60, true);
	advertise(w, 60, 60, true);
	ck_assert_uint_eq(own_prefix(w).valid_s, 60);
	world_free(w);
}
END_TEST

START_TEST(binding_ends_with_the_prefix)
{
	struct world *w = world_with_news();
	unsigned bus = w->bus;

	advertise(w, 1000, 4000, false);
	ck_assert_uint_eq(w->bus, bus + 1);
	ck_assert_uint_eq(w->lifetime * 4, 4000);
	answer(w, BA_ACCEPTED);
	/* a quarter of it left */
	advance(w, 2999000);
	ck_assert_uint_eq(w->solicitations, 1);
	advance(w, 2000);
	ck_assert_uint_eq(w->solicitations, 2);
	ck_assert(w->tunnel);
	for (int i = 0; i < 998; i++) {
		if (info(w).registration == MN_REG_REFRESHING)
			answer(w, BA_ACCEPTED);
		advance(w, 1000);
	}
	ck_assert(w->tunnel);
	advance(w, 2000);
	ck_assert(!w->tunnel);
	ck_assert_int_eq(info(w).registration, MN_REG_NONE);
	ck_assert_str_eq(w->last_prefix.text, "no longer valid");
	bus = w->bus;
	link_is(w, "2001:db8:b::");
	advance(w, 100000);
	ck_assert_uint_eq(w->bus, bus);
	ck_assert(!w->tunnel);
	world_free(w);
}
END_TEST

START_TEST(tells_of_a_new_prefix)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, 0, 20 * HOUR);

	m.u.mpa.n_prefixes = 2;
	m.u.mpa.prefixes[1] = m.u.mpa.prefixes[0];
	m.u.mpa.prefixes[1].prefix = in6(OTHER);
	m.u.mpa.prefixes[1].preferred_s = HOUR;
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	ck_assert_uint_eq(w->events[EV_HOME_PREFIX], 2); /* deprecated, new */
	assert_addr(&w->last_prefix.peer, OTHER);
	assert_addr(&w->last_prefix.care_of, "2001:db8:2::100");
	ck_assert_uint_eq(w->last_prefix.lifetime_s, 20 * HOUR);
	/* sessions go on as long as the old one is valid */
	ck_assert(w->tunnel);
	ck_assert_uint_eq(own_prefix(w).preferred_s, 0);
	world_free(w);
}
END_TEST

static bool count_one(void *arg, const struct mn_home_prefix_info *i)
{
	(void)i;
	++*(unsigned *)arg;
	return true;
}

START_TEST(remembers_few)
{
	struct world *w = world_with_news();
	struct icmp6_message m = advert_of(w, HOUR, 20 * HOUR);
	unsigned n = 0;

	m.u.mpa.n_prefixes = ND_MAX_PREFIXES;
	for (size_t i = 0; i < ND_MAX_PREFIXES; i++) {
		m.u.mpa.prefixes[i] = m.u.mpa.prefixes[0];
		m.u.mpa.prefixes[i].prefix.s6_addr[6] = (uint8_t)i;
	}
	icmp6(w, HA1, HOA, MIP6_PKT_RH2, &m);
	mn_foreach_home_prefix(w->mn, count_one, &n);
	ck_assert_uint_eq(n, 8);
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {solicits_on_news, believes_the_home_agent_alone,
		unsolicited_makes_it_ask, protected_alone_with_ipsec, two_hours,
		binding_ends_with_the_prefix, tells_of_a_new_prefix, remembers_few};

	return RUN("mn_prefixes", all, NULL, NULL);
}
