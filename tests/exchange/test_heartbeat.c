/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heartbeats (RFC 5847) between both cores, and all signals at once on bad links. */
#include "tests/exchange/suite.h"

/* ---- heartbeats ---- */

static struct net *begin_with_heartbeats(uint32_t mn_s, uint32_t ha_s)
{
	struct net *n = net_new(NULL);

	n->mn_config.heartbeat = (struct mh_heartbeat_config){mn_s, 3};
	n->ha_config.heartbeat = (struct mh_heartbeat_config){ha_s, 3};
	n->mn_config.restart_counter = 70;
	n->ha_config.restart_counter = 700;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	return n;
}

/* 3, 3.2, 3.3: the numbers match, the answer has the Restart Counter */
START_TEST(heartbeat_of_mobile_node)
{
	struct net *n = begin_with_heartbeats(30, 0);
	struct net_seen ask, answer;
	struct mh_message q, a;
	uint32_t seq = 0;

	for (int i = 0; i < 5; i++) {
		ask = ARRIVED(n, K_HB_REQUEST, 31000);
		answer = ARRIVED(n, K_HB_RESPONSE, 100);
		q = parsed(&ask);
		a = parsed(&answer);
		ck_assert_uint_eq(ask.flags, MIP6_PKT_HAO);
		ck_assert_uint_eq(answer.flags, MIP6_PKT_RH2);
		ck_assert(!mh_option(&q, MHOPT_RESTART_COUNTER));
		ck_assert_uint_eq(mh_option(&a, MHOPT_RESTART_COUNTER)->u.restart_counter, 700);
		ck_assert_uint_eq(a.u.heartbeat.seq, q.u.heartbeat.seq);
		ck_assert(!q.u.heartbeat.unsolicited && !a.u.heartbeat.unsolicited);
		if (i)
			ck_assert_uint_eq(q.u.heartbeat.seq, seq + 1);
		seq = q.u.heartbeat.seq;
	}
	ck_assert_uint_eq(mn_stats(n->mn)->heartbeats_answered, 5);
	ck_assert_uint_eq(events(n, false, EV_PEER_LOST), 0);
	/* at home there is no binding, and nothing to ask (3) */
	net_attach(n, IF1, HOME);
	settle(n, SOON);
	net_forget(n);
	NONE(n, K_HB_REQUEST, 200000);
	finish(n);
}
END_TEST

START_TEST(heartbeat_of_home_agent)
{
	struct net *n = begin_with_heartbeats(0, 30);
	struct net_seen ask = ARRIVED(n, K_HB_REQUEST, 31000),
			answer = ARRIVED(n, K_HB_RESPONSE, 100);
	struct mh_message a = parsed(&answer);

	ck_assert_uint_eq(ask.flags, MIP6_PKT_RH2);
	ck_assert_uint_eq(answer.flags, MIP6_PKT_HAO);
	ck_assert_uint_eq(mh_option(&a, MHOPT_RESTART_COUNTER)->u.restart_counter, 70);
	/* gone for a while: more than three are missing, the binding stays, and it is back */
	net_attach(n, IF1, NOWHERE);
	ck_assert(net_until_event(n, EV_PEER_LOST, 160000));
	ck_assert(binding(n).unreachable);
	ck_assert_int_eq(binding(n).state, HA_BINDING_ACTIVE);
	ck_assert_uint_eq(ha_stats(n->ha)->heartbeats_sent, 1 + 5);
	net_attach(n, IF1, LINK2);
	settle(n, SOON);
	ck_assert(!binding(n).unreachable);
	ck_assert_uint_eq(events(n, true, EV_PEER_BACK), 1);
	/* de-registered: no more */
	net_attach(n, IF1, HOME);
	settle(n, SOON);
	net_forget(n);
	NONE(n, K_HB_REQUEST, 200000);
	finish(n);
}
END_TEST

/* 3.1: with more than MISSING_HEARTBEATS_ALLOWED missing it asks for a binding anew. */
START_TEST(heartbeat_home_agent_lost)
{
	struct net *n = begin_with_heartbeats(30, 0);

	ARRIVED(n, K_HB_RESPONSE, 31000);
	net_rule(n, K_HB_REQUEST, T_DROP, 0, 4, 0);
	net_forget(n);
	NONE(n, K_BU, 140000);
	ARRIVED(n, K_BU, 20000);
	ck_assert_uint_eq(events(n, false, EV_PEER_LOST), 1);
	ck_assert(net_until_event(n, EV_PEER_BACK, 1000));
	finish(n);
}
END_TEST

/* 3.2: it comes back without its bindings: the node learns it at the next heartbeat. */
START_TEST(heartbeat_home_agent_restarted)
{
	struct net *n = begin_with_heartbeats(30, 0);

	ARRIVED(n, K_HB_RESPONSE, 31000);
	net_stop_ha(n);
	n->ha_config.restart_counter++;
	net_start_ha(n, false);
	net_forget(n);
	/* request --> <-- response with another counter, BU --> */
	ARRIVED(n, K_HB_REQUEST, 31000);
	ARRIVED(n, K_HB_RESPONSE, 100);
	ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(events(n, false, EV_PEER_RESTARTED), 1);
	settle(n, SOON);
	/* with its bindings the counter is the same, and nothing happens */
	net_run(n, 40000);
	net_stop_ha(n);
	net_start_ha(n, true);
	net_forget(n);
	NONE(n, K_BU, 100000);
	ck_assert_uint_eq(events(n, false, EV_PEER_RESTARTED), 1);
	finish(n);
}
END_TEST

/* The same in an unsolicited response; its sequence number means nothing (3.2). */
START_TEST(heartbeat_unsolicited)
{
	struct net *n = begin_with_heartbeats(30, 0);
	struct mip6_packet p = from_ha(n);
	struct mh_message m = {.type = MH_HEARTBEAT};

	ARRIVED(n, K_HB_RESPONSE, 31000);
	m.u.heartbeat.response = true;
	mh_option_add(&m, MHOPT_RESTART_COUNTER)->u.restart_counter = 701;
	net_forget(n);
	/* neither asked for nor marked as unsolicited: nothing */
	net_inject_mh(n, &p, &m);
	NONE(n, K_BU, 500);
	ck_assert_uint_eq(mn_stats(n->mn)->heartbeats_ignored, 1);
	m.u.heartbeat.unsolicited = true;
	net_inject_mh(n, &p, &m);
	ARRIVED(n, K_BU, 100);
	settle(n, SOON);
	ck_assert_uint_eq(events(n, false, EV_PEER_RESTARTED), 1);
	finish(n);
}
END_TEST

/* 3: a Binding Error ends them for good, on either side. */
START_TEST(heartbeat_unknown)
{
	struct net *n = begin_with_heartbeats(30, 30);
	struct mip6_packet to_mn = {.src = n->ha_config.address, .dst = net_care_of(n, IF1, LINK1)},
			   to_ha = {.src = net_care_of(n, IF1, LINK1), .dst = n->ha_config.address};
	struct mh_message m = {.type = MH_BE};

	m.u.be.status = BE_UNKNOWN_MH_TYPE;
	net_rule(n, K_HB_RESPONSE, T_DROP, 0, 100, 0);
	net_run(n, 30100);
	net_inject_mh(n, &to_mn, &m);
	net_inject_mh(n, &to_ha, &m);
	net_run(n, 100);
	net_forget(n);
	NONE(n, K_HB_REQUEST, 200000);
	settle(n, 0);
	finish(n);
}
END_TEST

/* A node without a binding is answered, one whose address is none of ours is not. */
START_TEST(heartbeat_strangers)
{
	struct net *n = begin_with_heartbeats(0, 0);
	struct mip6_packet p = {.src = n->home_address,
		.dst = n->ha_config.address,
		.src_coa = net_care_of(n, IF1, LINK1),
		.flags = MIP6_PKT_HAO};
	struct mh_message m = {.type = MH_HEARTBEAT};

	p.src.s6_addr[15] ^= 1;
	net_inject_mh(n, &p, &m);
	SENT(n, K_HB_RESPONSE, 100);
	p.src = n->cn;
	net_inject_mh(n, &p, &m);
	p.src = n->home_address;
	p.flags = 0;
	net_inject_mh(n, &p, &m);
	NONE(n, K_HB_RESPONSE, 100);
	ck_assert_uint_eq(ha_stats(n->ha)->signals_ignored, 2);
	/* and not as many as come */
	p.flags = MIP6_PKT_HAO;
	p.src.s6_addr[15] ^= 1;
	for (int i = 0; i < 500; i++)
		net_inject_mh(n, &p, &m);
	net_run(n, 100);
	ck_between((long long)net_count(n, K_HB_RESPONSE), 50, 150);
	net_free(n);
}
END_TEST

/* ---- all of it, on bad links ---- */

/* Whatever is lost, repeated and reordered: in the end both agree, as if nobody had said anything. */
START_TEST(bad_links)
{
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct net *n = net_new(&(struct net_options){.seed = seed, .rtt_us = 60000});

		n->mn_config.heartbeat = n->ha_config.heartbeat =
			(struct mh_heartbeat_config){30, 1};
		net_start(n);
		net_attach(n, IF1, LINK1);
		settle(n, SOON);
		net_faults(n, 250, 150, 200, 400);
		for (int i = 0; i < 12; i++) {
			net_run(n, (int64_t)net_below(n, 20000));
			switch (net_below(n, 4)) {
			case 0:
				net_attach(n, IF1, net_below(n, 2) ? LINK1 : LINK2);
				break;
			case 1:
				ha_revoke(n->ha, &n->home_address, BR_T_OUT_OF_SYNC);
				break;
			case 2:
				ha_revoke(n->ha, &n->home_address, BR_T_UNSPECIFIED);
				break;
			case 3:
				net_stop_ha(n);
				n->ha_config.restart_counter++;
				net_start_ha(n, false);
				break;
			}
		}
		net_faults(n, 0, 0, 0, 0);
		net_run(n, 5000); /* a revocation that is under way ends */
		/* a minute after a revocation, and what a lost acknowledgement or heartbeat takes */
		settle(n, 600000);
		finish(n);
	}
}
END_TEST

int main(void)
{
	const TTest *const all[] = {heartbeat_of_mobile_node, heartbeat_of_home_agent,
		heartbeat_home_agent_lost, heartbeat_home_agent_restarted, heartbeat_unsolicited,
		heartbeat_unknown, heartbeat_strangers, bad_links};

	return RUN("heartbeat", all, NULL, NULL);
}
