/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Restart of either side, with what was stored and without. */
#include "tests/exchange/suite.h"

START_TEST(mobile_node_with_store)
{
	struct net *n = begin_away(NULL);
	uint16_t seq = binding(n).seq;
	struct net_seen bu;

	net_stop_mn(n);
	net_run(n, 3000);
	net_forget(n);
	net_start_mn(n, true);
	/* RS --> <-- RA BU --> with the next number <-- BA */
	bu = ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(bu.seq, (uint16_t)(seq + 1));
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
	settle(n, 100);
	ck_assert_uint_eq(ha_stats(n->ha)->refused[BA_SEQUENCE - 128], 0);
	finish(n);
}
END_TEST

/* A random number is half of the time not in the window: 135, and the next one is. */
START_TEST(mobile_node_without_store)
{
	unsigned refused = 0, accepted = 0;

	for (uint64_t seed = 0; seed < 24; seed++) {
		struct net *n = begin_away(&(struct net_options){.seed = seed});
		uint16_t seq = binding(n).seq;
		struct net_seen ba;

		net_stop_mn(n);
		net_run(n, 3000);
		net_forget(n);
		net_start_mn(n, false);
		/* BU --> <-- BA */
		ARRIVED(n, K_BU, 100);
		ba = ARRIVED(n, K_BA, 100);
		accepted += ba.status == BA_ACCEPTED;
		if (ba.status == BA_SEQUENCE) {
			refused++;
			ck_assert_uint_eq(ba.seq, seq);
			/* BU --> at once, with the number after it <-- BA */
			ck_assert_uint_eq(ARRIVED(n, K_BU, 400).seq, (uint16_t)(seq + 1));
			ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
		}
		settle(n, 100);
		finish(n);
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_gt(accepted, 0);
}
END_TEST

/* It was away, and wakes up at home: it knows of the binding, and deletes it first. */
START_TEST(mobile_node_wakes_up_at_home)
{
	struct net *n = begin_away(NULL);

	net_stop_mn(n);
	n->mk.ifs[0].link = HOME;
	net_start_mn(n, true);
	/* BU --> 0 <-- BA */
	ck_assert_uint_eq(ARRIVED(n, K_BU, 100).lifetime, 0);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_ACCEPTED);
	settle(n, 100);
	finish(n);
}
END_TEST

/*
 * The same without a store: it cannot know of the binding, but DAD for the
 * home address meets the home agent's defence.  When the binding has expired
 * both agree at the latest.
 */
START_TEST(mobile_node_wakes_up_at_home_without_store)
{
	struct net *n = begin_away(NULL);

	net_stop_mn(n);
	n->mk.ifs[0].link = HOME;
	net_start_mn(n, false);
	net_run(n, 420000);
	net_attach(n, IF1, HOME);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* A binding that was stored, but long ago: only its number counts. */
START_TEST(mobile_node_after_expiry)
{
	struct net *n = begin_away(NULL);
	uint16_t seq = binding(n).seq;
	struct net_seen bu;

	net_stop_mn(n);
	net_run(n, 1000000);
	net_forget(n);
	n->mk.ifs[0].link = HOME;
	net_start_mn(n, true);
	settle(n, SOON);
	ck_assert_uint_eq(net_count(n, K_BU), 1);
	net_attach(n, IF1, LINK1);
	bu = ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(bu.seq, (uint16_t)(seq + 1));
	settle(n, SOON);
	finish(n);
}
END_TEST

START_TEST(mobile_node_dies_at_any_time)
{
	for (int64_t ms = 0; ms < 1300; ms += 97) {
		struct net *n = begin_home(&(struct net_options){.rtt_us = 30000});

		net_attach(n, IF1, LINK1);
		net_run(n, ms);
		net_stop_mn(n);
		net_run(n, 200);
		net_start_mn(n, ms % 2);
		settle(n, 10000);
		finish(n);
	}
}
END_TEST

/* Forwarding and proxy are back at once, nobody is asked, no DAD. */
START_TEST(home_agent_with_store)
{
	struct net *n = begin_away(NULL);
	struct ha_binding_info before = binding(n), after;
	size_t n_bu = net_count(n, K_BU), n_ns = net_count(n, K_NS);

	net_run(n, 10000);
	net_stop_ha(n);
	net_run(n, 5000);
	net_start_ha(n, true);
	settle(n, 0);
	after = binding(n);
	ck_assert_uint_eq(after.seq, before.seq);
	ck_assert_uint_eq(after.lifetime_s, before.lifetime_s);
	ck_between(before.remaining_s - after.remaining_s, 14, 16);
	net_data_down(n);
	net_run(n, 100);
	ck_assert_uint_eq(net_totals(n, false).delivered, 1);
	ck_assert_uint_eq(net_count(n, K_BU), n_bu);
	ck_assert_uint_eq(net_count(n, K_NS), n_ns);
	/* BU --> <-- BA as ever */
	net_run(n, 360000);
	ck_assert_uint_gt(net_count(n, K_BU), n_bu);
	finish(n);
}
END_TEST

/* Without a store the next refresh is a new registration. */
START_TEST(home_agent_without_store)
{
	struct net *n = begin_away(NULL);

	net_stop_ha(n);
	net_start_ha(n, false);
	net_forget(n);
	ck_assert_str_eq(net_disagreement(n), "home agent has no binding");
	/* BU --> NS on the home link <-- BA */
	ARRIVED(n, K_BU, 400000);
	ARRIVED(n, K_NS, 100);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 1100).status, BA_ACCEPTED);
	settle(n, 100);
	finish(n);
}
END_TEST

/* It restarts while DAD runs: nothing was promised, the retransmission starts anew. */
START_TEST(home_agent_during_dad)
{
	struct net *n = begin(NULL);

	net_attach(n, IF1, LINK1);
	ARRIVED(n, K_BU, 100);
	net_run(n, 500);
	net_stop_ha(n);
	net_start_ha(n, true);
	ck_assert(!ha_find(n->ha, &n->home_address, &(struct ha_binding_info){0}));
	/* BU --> <-- BA */
	ARRIVED(n, K_BU, 2000);
	ARRIVED(n, K_BA, 2000);
	settle(n, 100);
	finish(n);
}
END_TEST

/* The store has a binding that expired while nobody ran. */
START_TEST(home_agent_after_expiry)
{
	struct net *n = begin_away(NULL);

	net_attach(n, IF1, NOWHERE);
	net_stop_ha(n);
	net_run(n, 500000);
	net_start_ha(n, true);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert(!n->hk.forwarding);
	net_attach(n, IF1, LINK2);
	settle(n, SOON);
	finish(n);
}
END_TEST

START_TEST(both_at_once)
{
	for (int stores = 0; stores < 4; stores++) {
		struct net *n = begin_away(&(struct net_options){.seed = (uint64_t)stores});

		net_stop_ha(n);
		net_stop_mn(n);
		net_run(n, 1000);
		net_start_ha(n, stores & 1);
		net_start_mn(n, stores & 2);
		settle(n, 10000);
		finish(n);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		mobile_node_with_store,
		mobile_node_without_store,
		mobile_node_wakes_up_at_home,
		mobile_node_wakes_up_at_home_without_store,
		mobile_node_after_expiry,
		mobile_node_dies_at_any_time,
		home_agent_with_store,
		home_agent_without_store,
		home_agent_during_dad,
		home_agent_after_expiry,
		both_at_once,
	};

	return RUN("restart", tests, NULL, NULL);
}
