/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each message lost, repeated or late once, at each step of a round trip; the
 * pace of retransmissions (RFC 6275 11.8, RFC 4861 6.3.7); answers that are
 * old, repeated or forged (11.7.3).
 */
#include "tests/exchange/suite.h"

/* Home, link 1, link 2, home; one message on the way is treated specially. */
static void round_trip(enum net_kind kind, enum net_treatment t, unsigned skip, int64_t delay_ms)
{
	static const int way[] = {LINK1, LINK2, HOME};
	struct net *n = begin(&(struct net_options){.rtt_us = 60000, .seed = skip});

	net_attach(n, IF1, HOME);
	settle(n, 20000);
	net_rule(n, kind, t, skip, 1, delay_ms);
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		net_run(n, 2000);
		net_stream(n, 100000);
		net_attach(n, IF1, way[i]);
		net_until(n, net_agrees, 20000);
		if (net_disagreement(n))
			ck_abort_msg("%s number %u treatment %d delay %d, to link %d: %s",
				net_kind_name(kind), skip, t, (int)delay_ms, way[i],
				net_disagreement(n));
	}
	if (n->violations)
		ck_abort_msg("%s number %u treatment %d delay %d: %s", net_kind_name(kind), skip, t,
			(int)delay_ms, n->violation);
	finish(n);
}

static const enum net_kind kinds[] = {K_RS, K_RA, K_NS, K_NA, K_BU, K_BA};
#define STEPS 6

START_TEST(each_message_lost)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (unsigned i = 0; i < STEPS; i++)
			round_trip(kinds[k], T_DROP, i, 0);
}
END_TEST

START_TEST(each_message_twice)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (unsigned i = 0; i < STEPS; i++) {
			round_trip(kinds[k], T_DUPLICATE, i, 0);
			round_trip(kinds[k], T_DUPLICATE, i, 700);
			round_trip(kinds[k], T_DUPLICATE, i, 4000);
		}
}
END_TEST

START_TEST(each_message_late)
{
	static const int64_t late[] = {90, 1200, 2500, 6000};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (unsigned i = 0; i < STEPS; i++)
			for (size_t d = 0; d < sizeof(late) / sizeof(late[0]); d++)
				round_trip(kinds[k], T_DELAY, i, late[d]);
}
END_TEST

static void check_backoff(struct net *n, int64_t first)
{
	struct net_seen last = ARRIVED(n, K_BU, 100), bu;
	int64_t wait = first;

	for (int i = 0; i < 9; i++) {
		/* BU --> with a new number */
		bu = ARRIVED(n, K_BU, 33000);
		ck_assert_int_eq(ms_between(last.when, bu.when), wait);
		ck_assert_uint_eq(bu.seq, (uint16_t)(last.seq + 1));
		wait = wait * 2 > 32000 ? 32000 : wait * 2;
		last = bu;
	}
}

START_TEST(backoff_of_first_registration)
{
	struct net *n = begin(NULL);

	net_rule(n, K_BA, T_DROP, 0, 10, 0);
	net_attach(n, IF1, LINK1);
	check_backoff(n, 1500);
	/* BU --> <-- BA */
	settle(n, 33000);
	finish(n);
}
END_TEST

START_TEST(backoff_of_move)
{
	struct net *n = begin_away(NULL);

	net_rule(n, K_BA, T_DROP, 0, 10, 0);
	net_attach(n, IF1, LINK2);
	check_backoff(n, 1000);
	settle(n, 33000);
	finish(n);
}
END_TEST

/* Each request has its own back-off: a move starts it anew. */
START_TEST(backoff_starts_anew_at_a_move)
{
	struct net *n = begin_away(NULL);
	struct net_seen a, b;

	net_rule(n, K_BA, T_DROP, 0, 6, 0);
	net_attach(n, IF1, LINK2);
	for (int i = 0; i < 4; i++)
		ARRIVED(n, K_BU, 10000);
	net_run(n, 100);
	net_attach(n, IF1, LINK1);
	/* BU --> BU --> */
	a = ARRIVED(n, K_BU, 100);
	b = ARRIVED(n, K_BU, 2000);
	ck_assert_int_eq(ms_between(a.when, b.when), 1000);
	settle(n, 10000);
	finish(n);
}
END_TEST

/* Solicitations are not closer than 4 s, but for the first after the link event. */
START_TEST(solicitation_interval)
{
	struct net *n = begin(NULL);
	struct net_seen last, rs;

	n->routers[LINK1].mute = true;
	net_attach(n, IF1, LINK1);
	last = SENT(n, K_RS, 0);
	for (int i = 0; i < 5; i++) {
		/* RS --> */
		rs = SENT(n, K_RS, 200000);
		ck_assert_int_ge(ms_between(last.when, rs.when), 4000);
		last = rs;
	}
	n->routers[LINK1].mute = false;
	net_router_says(n, LINK1);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* An answer that was answered: nothing happens. */
START_TEST(repeated_answer)
{
	struct net *n = begin(NULL);
	struct net_seen first, second;
	uint64_t ignored;

	net_attach(n, IF1, LINK1);
	/* BU --> <-- BA */
	first = ARRIVED(n, K_BA, SOON);
	settle(n, 100);
	net_attach(n, IF1, LINK2);
	second = ARRIVED(n, K_BA, SOON);
	settle(n, 100);
	ignored = mn_stats(n->mn)->ba_ignored;
	for (int i = 0; i < 3; i++) {
		/* <-- BA, <-- BA, old ones; both reach the care-of address of today */
		first.coa = second.coa;
		first.link = second.link;
		net_replay(n, &first);
		net_replay(n, &second);
		net_run(n, 1000);
	}
	ck_assert_uint_eq(mn_stats(n->mn)->ba_ignored - ignored, 6);
	finish(n);
}
END_TEST

/* A Binding Update that was accepted comes again: 135, and the binding stays. */
START_TEST(repeated_update)
{
	struct net *n = begin_away(NULL);
	struct net_seen old, ba;

	net_attach(n, IF1, LINK2);
	old = ARRIVED(n, K_BU, 100);
	settle(n, 100);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_forget(n);
	net_replay(n, &old);
	/* BU --> (old) <-- BA 135 with the last number */
	ba = SENT(n, K_BA, 100);
	ck_assert_uint_eq(ba.status, BA_SEQUENCE);
	ck_assert_uint_eq(ba.seq, binding(n).seq);
	settle(n, 10);
	finish(n);
}
END_TEST

static void forge(struct net *n, struct in6_addr src, struct in6_addr dst, unsigned flags,
	uint16_t seq, uint8_t status, uint16_t lifetime)
{
	struct mh_message m = {.type = MH_BA};
	struct mip6_packet p = {.src = src, .dst = dst, .flags = flags};

	p.dst_coa = n->mk.care_of;
	m.u.ba.status = status;
	m.u.ba.seq = seq;
	m.u.ba.lifetime = lifetime;
	net_inject_mh(n, &p, &m);
	net_run(n, 10);
}

/* From a stranger, for another number, without routing header: ignored (11.7.3). */
START_TEST(forged_answers)
{
	struct net *n = begin_away(NULL);
	struct in6_addr ha = n->ha_config.address;
	struct net_seen bu;
	uint16_t seq;

	net_rule(n, K_BA, T_DROP, 0, 1, 0);
	net_attach(n, IF1, LINK2);
	bu = ARRIVED(n, K_BU, 100);
	seq = bu.seq;
	/* <-- BA that is none */
	forge(n, n->cn, n->home_address, MIP6_PKT_RH2, seq, BA_ACCEPTED, 100);
	forge(n, ha, n->home_address, MIP6_PKT_RH2, (uint16_t)(seq + 1), BA_ACCEPTED, 100);
	forge(n, ha, n->home_address, MIP6_PKT_RH2, (uint16_t)(seq - 1), BA_ACCEPTED, 100);
	forge(n, ha, n->mk.care_of, 0, seq, BA_ACCEPTED, 100);
	ck_assert_uint_eq(net_mn(n).registration, MN_REG_REFRESHING);
	/* BU --> once more <-- BA */
	bu = ARRIVED(n, K_BU, 1100);
	ck_assert_uint_eq(bu.seq, (uint16_t)(seq + 1));
	settle(n, 100);
	finish(n);
}
END_TEST

/* An answer to an earlier transmission of the same request counts (11.7.3). */
START_TEST(answer_to_earlier_transmission)
{
	struct net *n = begin_away(NULL);

	net_rule(n, K_BA, T_DELAY, 0, 1, 1500);
	net_rule(n, K_BU, T_DROP, 1, 1, 0);
	net_attach(n, IF1, LINK2);
	/* BU --> <-- BA, slowly; BU --> lost */
	ARRIVED(n, K_BU, 100);
	LOST(n, K_BU, 1100);
	net_run(n, 600);
	ck_assert_int_eq(net_mn(n).registration, MN_REG_REGISTERED);
	settle(n, 0);
	finish(n);
}
END_TEST

/* Thirty per cent of everything, for long: it goes on working. */
START_TEST(lossy_for_an_hour)
{
	struct net *n = net_new(&(struct net_options){.rtt_us = 50000, .seed = 3});

	n->mn_config.lifetime_s = 60;
	net_start(n);
	net_faults(n, 300, 100, 200, 500);
	net_attach(n, IF1, LINK1);
	for (int i = 0; i < 60; i++) {
		net_run(n, 60000);
		net_attach(n, IF1, i % 3 ? LINK1 + i % 2 : HOME);
	}
	net_faults(n, 0, 0, 0, 0);
	settle(n, 60000);
	finish(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_message_lost,
		each_message_twice,
		each_message_late,
		backoff_of_first_registration,
		backoff_of_move,
		backoff_starts_anew_at_a_move,
		solicitation_interval,
		repeated_answer,
		repeated_update,
		forged_answers,
		answer_to_earlier_transmission,
		lossy_for_an_hour,
	};

	return RUN("loss", tests, NULL, NULL);
}
