/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Route optimization with a correspondent: RFC 6275 5.2, 11.6, 11.7.2 to 11.7.4, 11.8. */
#include <errno.h>
#include <string.h>

#include "tests/exchange/suite.h"

/* Round trips: to the home agent 100 ms, from there to the correspondent 60 ms, directly 40 ms. */
static const struct net_options far = {
	.ro = true, .rtt_us = 100000, .cn_us = 30000, .direct_us = 20000};

static bool take_info(void *arg, const struct mn_ro_info *i)
{
	*(struct mn_ro_info *)arg = *i;
	return false;
}

static struct mn_ro_info info(const struct net *n)
{
	struct mn_ro_info i = {.last_status = -2};

	mn_ro_foreach(n->mn, take_info, &i);
	ck_assert_int_ne(i.last_status, -2);
	return i;
}

static bool is_direct(const struct net *n)
{
	return mn_ro_count(n->mn) == 1 && info(n).direct;
}

static bool is_unbound(const struct net *n)
{
	return !n->ck.bound;
}

/* Away on link 1, with a binding at the correspondent. */
static struct net *begin_bound(const struct net_options *opt)
{
	struct net *n = begin_away(opt ? opt : &far);

	mn_traffic(n->mn, &n->cn);
	ck_assert(net_until(n, is_direct, SOON));
	net_run(n, 2000);
	net_forget(n);
	return n;
}

START_TEST(first_registration)
{
	struct net *n = begin_away(&far);
	struct in6_addr coa = net_care_of(n, IF1, LINK1);
	monotime_t start = n->now;
	struct net_seen hoti, coti, cbu, cba;

	mn_traffic(n->mn, &n->cn);
	ck_assert(n->mk.unwatched);
	/* HoTI -->, in parallel CoTI --> */
	hoti = SENT(n, K_HOTI, 0);
	ck_addr_eq(hoti.src, n->home_address);
	coti = SENT(n, K_COTI, 0);
	ck_addr_eq(coti.src, coa);
	ck_assert_int_ne(coti.ifindex, 0);
	/* <-- CoT, <-- HoT */
	ARRIVED(n, K_COT, 100);
	ck_assert_uint_eq(info(n).state, MN_RO_TESTING);
	ck_assert_uint_eq(net_count(n, K_CBU), 0);
	/* Binding Update --> with the second of them */
	cbu = SENT(n, K_CBU, 200);
	ck_between(ms_between(start, cbu.when), 160, 165);
	ck_addr_eq(cbu.coa, coa);
	ck_assert(cbu.flags & MIP6_PKT_HAO);
	ck_assert(!is_direct(n));
	/* <-- Binding Acknowledgement */
	cba = ARRIVED(n, K_CBA, 100);
	ck_assert_uint_eq(cba.status, BA_ACCEPTED);
	ck_assert(is_direct(n));
	ck_assert(n->mk.own && n->ck.bound);
	ck_addr_eq(n->mk.own_care_of, coa);
	ck_assert_uint_eq(info(n).state, MN_RO_BOUND);
	net_data_up(n);
	net_data_down(n);
	net_run(n, 100);
	ck_assert_uint_eq(net_direct(n, true), 1);
	ck_assert_uint_eq(net_direct(n, false), 1);
	finish(n);
}
END_TEST

/* The first home registration: the tests run beside it, the Binding Update waits for its answer. */
START_TEST(waits_for_the_home_agent)
{
	struct net *n = begin_away(&far);
	struct net_seen ba, cbu;

	ck_assert_int_eq(mn_ro_command(n->mn, &n->cn, MN_RO_ON), 0);
	ck_assert(net_until(n, is_direct, SOON));
	/* The home agent forgets all; the registration is refused for a while, so to say. */
	net_stop_mn(n);
	net_start_mn(n, false);
	ck_assert_int_eq(mn_ro_command(n->mn, &n->cn, MN_RO_ON), 0);
	net_rule(n, K_BA, T_DELAY, 0, 1, 400);
	net_forget(n);
	ba = ARRIVED(n, K_BA, SOON);
	cbu = SENT(n, K_CBU, 10);
	ck_between(ms_between(ba.when, cbu.when), 400, 600);
	finish(n);
}
END_TEST

/* A move: the binding is there after RTT(MN,CN) * 3/2 with a good home token. */
START_TEST(move_with_home_token)
{
	struct net *n = begin_bound(NULL);
	struct in6_addr coa = net_care_of(n, IF1, LINK2);
	struct net_seen bu, coti, cbu;

	net_attach(n, IF1, LINK2);
	bu = SENT(n, K_BU, 10);
	ck_assert(!n->mk.own);
	coti = SENT(n, K_COTI, 0);
	ck_addr_eq(coti.src, coa);
	ck_between(ms_between(bu.when, coti.when), 0, 0);
	cbu = ARRIVED(n, K_CBU, 100);
	ck_between(ms_between(bu.when, cbu.when), 40, 42);
	ck_addr_eq(n->ck.care_of, coa);
	ck_between(ms_between(bu.when, n->now), 60, 62);
	ck_assert(!n->mk.own);
	ARRIVED(n, K_CBA, 100);
	ck_assert(n->mk.own);
	ck_assert_uint_eq(net_count(n, K_HOTI), 1);
	finish(n);
}
END_TEST

/* The home token is too old: both tests. */
START_TEST(move_with_old_home_token)
{
	struct net *n = begin_bound(NULL);
	struct net_seen hoti, cbu;

	net_run(n, 206000);
	net_forget(n);
	net_attach(n, IF1, LINK2);
	hoti = SENT(n, K_HOTI, 10);
	cbu = SENT(n, K_CBU, SOON);
	ck_between(ms_between(hoti.when, cbu.when), 160, 165);
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

/* Back at an address whose token is still good: no test at all (11.6.1). */
START_TEST(move_back)
{
	struct net *n = begin_bound(NULL);
	size_t hoti, coti;
	struct net_seen bu, cbu;

	net_attach(n, IF1, LINK2);
	net_run(n, 2000);
	ck_assert(is_direct(n));
	hoti = net_count(n, K_HOTI);
	coti = net_count(n, K_COTI);
	net_forget(n);
	net_attach(n, IF1, LINK1);
	bu = SENT(n, K_BU, 10);
	cbu = SENT(n, K_CBU, 10);
	ck_between(ms_between(bu.when, cbu.when), 0, 0);
	ck_assert(net_until(n, is_direct, SOON));
	ck_assert_uint_eq(net_count(n, K_HOTI), hoti);
	ck_assert_uint_eq(net_count(n, K_COTI), coti);
	finish(n);
}
END_TEST

/* Both links are there: a move without a link event. */
START_TEST(between_interfaces)
{
	struct net *n = begin_bound(NULL);

	net_attach(n, IF2, LINK2);
	net_run(n, 3000);
	ck_addr_eq(n->ck.care_of, net_care_of(n, IF1, LINK1));
	ck_assert(mn_prefer(n->mn, IF2, 9));
	ck_assert(!n->mk.own);
	net_run(n, 1000);
	ck_assert(is_direct(n));
	ck_addr_eq(n->ck.care_of, net_care_of(n, IF2, LINK2));
	ck_addr_eq(n->mk.own_care_of, net_care_of(n, IF2, LINK2));
	/* The other one comes home. */
	net_attach(n, IF1, HOME);
	ck_assert(net_until(n, is_unbound, SOON));
	net_run(n, 2000);
	ck_assert(!n->mk.own);
	net_attach(n, IF2, NOWHERE);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* The test of a place that was left ends; that of the new one begins. */
START_TEST(other_interface_during_the_test)
{
	struct net *n = begin_away(&far);
	struct net_seen coti;

	net_attach(n, IF2, LINK2);
	net_run(n, 3000);
	net_forget(n);
	mn_traffic(n->mn, &n->cn);
	coti = SENT(n, K_COTI, 0);
	ck_addr_eq(coti.src, net_care_of(n, IF1, LINK1));
	net_run(n, 10);
	ck_assert(mn_prefer(n->mn, IF2, 9));
	coti = SENT(n, K_COTI, 0);
	ck_addr_eq(coti.src, net_care_of(n, IF2, LINK2));
	ck_assert(net_until(n, is_direct, SOON));
	ck_addr_eq(n->ck.care_of, net_care_of(n, IF2, LINK2));
	finish_apart(n);
}
END_TEST

/* The token grows too old while the Binding Update is repeated: a new test. */
START_TEST(token_ends_during_the_update)
{
	struct net *n = begin_bound(NULL);

	net_run(n, 200500);
	net_rule(n, K_CBU, T_DROP, 0, 3, 0);
	net_forget(n);
	net_attach(n, IF1, LINK2);
	SENT(n, K_CBU, 500);
	ck_assert_uint_eq(net_count(n, K_HOTI), 1);
	SENT(n, K_HOTI, 8000);
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

/* What is sent during moves takes a path that the other end knows: nothing sent up is lost. */
START_TEST(stream_over_moves)
{
	struct net *n = begin_bound(NULL);
	struct net_totals t;

	net_stream(n, 5000);
	for (int i = 0; i < 6; i++) {
		net_attach(n, IF1, i % 2 ? LINK1 : LINK2);
		net_run(n, 2500);
		ck_assert(is_direct(n));
	}
	net_stream(n, 0);
	net_run(n, 1000);
	t = net_totals(n, true);
	ck_assert_uint_eq(t.lost, 0);
	ck_assert_uint_eq(t.duplicated, 0);
	/* Down, what was under way to the link that was left: less than 110 ms of it each time. */
	ck_between((int64_t)net_totals(n, false).lost, 1, 6 * 22);
	finish(n);
}
END_TEST

/* 11.7.2: at home the binding is deleted, with the home token alone; leaving again it comes back. */
START_TEST(home_and_away_again)
{
	struct net *n = begin_bound(NULL);
	struct net_seen cbu;

	net_attach(n, IF1, HOME);
	SENT(n, K_BU, 10);
	cbu = ARRIVED(n, K_CBU, 10);
	ck_assert(!n->mk.own);
	ck_assert_uint_eq(cbu.lifetime, 0);
	ck_assert(!(cbu.flags & MIP6_PKT_HAO));
	ck_addr_eq(cbu.src, n->home_address);
	ck_assert_int_eq(cbu.ifindex, IF1);
	ck_assert(net_until(n, is_unbound, SOON));
	ARRIVED(n, K_CBA, SOON);
	ck_assert_uint_eq(info(n).state, MN_RO_IDLE);
	ck_assert(!n->mk.receive && !n->mk.has_cn_path);
	settle(n, SOON);
	net_run(n, 15000);
	net_forget(n);
	net_attach(n, IF1, LINK2);
	SENT(n, K_BU, 10);
	SENT(n, K_COTI, 10);
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

START_TEST(home_with_old_token)
{
	struct net *n = begin_bound(NULL);
	struct net_seen cbu;

	net_run(n, 206000);
	net_forget(n);
	net_attach(n, IF1, HOME);
	SENT(n, K_HOTI, 10);
	cbu = SENT(n, K_CBU, SOON);
	ck_assert_uint_eq(cbu.lifetime, 0);
	ck_assert(net_until(n, is_unbound, SOON));
	finish(n);
}
END_TEST

START_TEST(refresh_only_in_use)
{
	struct net *n = begin_bound(NULL);
	size_t cbu = net_count(n, K_CBU);

	/* In use: for an hour there is always a binding. */
	n->mk.idle_s = 1;
	for (int i = 0; i < 3600; i++) {
		net_run(n, 1000);
		ck_assert(n->ck.bound && n->mk.own);
	}
	ck_assert_uint_ge(net_count(n, K_CBU), cbu + 8);
	/* Not in use: it expires, and traffic brings it back. */
	n->mk.idle_s = 1000;
	cbu = net_count(n, K_CBU);
	net_run(n, 500000);
	ck_assert_uint_eq(net_count(n, K_CBU), cbu);
	ck_assert(!n->mk.own && !n->mk.receive && !n->mk.unwatched);
	ck_assert_uint_eq(info(n).state, MN_RO_IDLE);
	mn_traffic(n->mn, &n->cn);
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

/* 11.8: back-off and MAX_RO_FAILURE, then a pause that grows. */
START_TEST(no_answer)
{
	struct net *n = begin_away(&far);
	monotime_t at[4];

	net_restart_cn(n, false);
	mn_traffic(n->mn, &n->cn);
	for (int i = 0; i < 4; i++)
		at[i] = SENT(n, K_COTI, 10000).when;
	ck_between(ms_between(at[0], at[1]), 1000, 1000);
	ck_between(ms_between(at[1], at[2]), 2000, 2000);
	ck_between(ms_between(at[2], at[3]), 4000, 4000);
	NONE(n, K_COTI, 50000);
	ck_assert_uint_eq(info(n).state, MN_RO_REFUSED);
	mn_traffic(n->mn, &n->cn);
	NONE(n, K_COTI, 5000);
	net_run(n, 60000);
	ck_assert(!n->mk.unwatched);
	net_restart_cn(n, true);
	mn_traffic(n->mn, &n->cn);
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

/* The correspondent restarts: its Binding Error ends the direct path at once, tests follow. */
START_TEST(correspondent_restarts)
{
	struct net *n = begin_bound(NULL);
	struct net_seen cbu;

	net_restart_cn(n, true);
	net_data_up(n);
	ARRIVED(n, K_BE, SOON);
	ck_assert(!n->mk.own);
	SENT(n, K_HOTI, 0);
	SENT(n, K_COTI, 0);
	cbu = ARRIVED(n, K_CBU, SOON);
	ck_addr_eq(cbu.coa, net_care_of(n, IF1, LINK1));
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

/* Nonces that the correspondent has forgotten: 138, new tests, and it works. */
START_TEST(nonces_forgotten)
{
	struct net *n = begin_bound(NULL);
	struct net_seen cba;

	net_attach(n, IF1, LINK2);
	net_run(n, 2000);
	net_restart_cn(n, true);
	n->ck.forgot = true;
	net_forget(n);
	net_attach(n, IF1, LINK1);
	cba = ARRIVED(n, K_CBA, SOON);
	ck_between(cba.status, BA_HOME_NONCE_EXPIRED, BA_NONCES_EXPIRED);
	SENT(n, K_HOTI, 10);
	SENT(n, K_COTI, 10);
	ck_assert(net_until(n, is_direct, SOON));
	finish(n);
}
END_TEST

/* Losses of each kind: retransmission after a second. */
static void one_lost(enum net_kind kind)
{
	struct net *n = begin_away(&far);
	monotime_t start = n->now;

	net_rule(n, kind, T_DROP, 0, 1, 0);
	mn_traffic(n->mn, &n->cn);
	ck_assert(net_until(n, is_direct, 4000));
	ck_between(ms_between(start, n->now), 1000, 1300);
	finish(n);
}

START_TEST(lost_messages)
{
	one_lost(K_HOTI);
	one_lost(K_COTI);
	one_lost(K_HOT);
	one_lost(K_COT);
	one_lost(K_CBU);
	one_lost(K_CBA);
}
END_TEST

/* Forged answers: wrong cookie, not by the tunnel, without authenticator. */
START_TEST(forgeries)
{
	struct net *n = begin_away(&far);
	struct in6_addr coa = net_care_of(n, IF1, LINK1);
	struct mip6_packet p = {.src = n->cn, .dst = coa};
	struct mh_message m = {.type = MH_COT};
	struct net_seen seen;

	mn_traffic(n->mn, &n->cn);
	seen = SENT(n, K_HOTI, 0);
	/* <-- CoT with another cookie */
	m.u.test.cookie = 1;
	net_inject_mh(n, &p, &m);
	/* <-- HoT with the right cookie, but directly */
	m.type = MH_HOT;
	m.u.test.cookie = 0;
	for (int i = 0; i < 8; i++)
		m.u.test.cookie = m.u.test.cookie << 8 | seen.data[8 + i];
	p.dst = n->home_address;
	p.flags = MIP6_PKT_RH2;
	p.dst_coa = coa;
	net_inject_mh(n, &p, &m);
	net_run(n, 60);
	ck_assert_uint_eq(mn_stats(n->mn)->tests_ignored, 2);
	net_rule(n, K_CBA, T_DELAY, 0, 1, 200);
	seen = SENT(n, K_CBU, SOON);
	/* <-- BA without authenticator, accepting and refusing */
	memset(&m, 0, sizeof(m));
	m.type = MH_BA;
	m.u.ba.seq = seen.seq;
	m.u.ba.lifetime = 100;
	net_inject_mh(n, &p, &m);
	m.u.ba.status = BA_PROHIBITED;
	net_inject_mh(n, &p, &m);
	m.u.ba.status = BA_SEQUENCE;
	m.u.ba.seq = (uint16_t)(seen.seq + 1000);
	net_inject_mh(n, &p, &m);
	net_run(n, 100);
	ck_assert(!is_direct(n));
	ck_assert_uint_eq(info(n).seq, seen.seq);
	ck_assert_uint_eq(info(n).state, MN_RO_UPDATING);
	ck_assert(net_until(n, is_direct, 200));
	finish(n);
}
END_TEST

/* Forged Binding Errors: no more than one exchange in some seconds. */
START_TEST(forged_binding_errors)
{
	struct net *n = begin_bound(NULL);
	struct mip6_packet p = {.src = n->cn, .dst = net_care_of(n, IF1, LINK1)};
	struct mh_message m = {.type = MH_BE};
	size_t hoti = net_count(n, K_HOTI);

	m.u.be.status = BE_UNKNOWN_BINDING;
	m.u.be.home_address = n->home_address;
	for (int i = 0; i < 100; i++) {
		net_inject_mh(n, &p, &m);
		net_run(n, 100);
	}
	ck_between((int64_t)(net_count(n, K_HOTI) - hoti), 1, 3);
	/* From somebody whom we do not know it is nothing. */
	p.src.s6_addr[15] = 99;
	net_inject_mh(n, &p, &m);
	net_run(n, 1000);
	ck_assert_uint_eq(mn_ro_count(n->mn), 1);
	ck_assert(is_direct(n));
	finish(n);
}
END_TEST

START_TEST(by_hand)
{
	struct net *n = begin_bound(NULL);
	struct net_seen cbu;
	struct in6_addr bad = n->home_address;

	/* off: deleted there, from the care-of address, and no traffic brings it back */
	ck_assert_int_eq(mn_ro_command(n->mn, &n->cn, MN_RO_OFF), 0);
	ck_assert(!n->mk.own);
	cbu = ARRIVED(n, K_CBU, SOON);
	ck_assert_uint_eq(cbu.lifetime, 0);
	ck_assert(cbu.flags & MIP6_PKT_HAO);
	ck_assert(net_until(n, is_unbound, SOON));
	net_run(n, 1000);
	mn_traffic(n->mn, &n->cn);
	NONE(n, K_COTI, 1000);
	ck_assert_uint_eq(info(n).state, MN_RO_IDLE);
	ck_assert(info(n).manual_off);
	/* on */
	ck_assert_int_eq(mn_ro_command(n->mn, &n->cn, MN_RO_ON), 0);
	ck_assert(net_until(n, is_direct, SOON));
	/* flush: gone, here and there */
	ck_assert_int_eq(mn_ro_command(n->mn, &n->cn, MN_RO_FLUSH), 0);
	ck_assert(net_until(n, is_unbound, SOON));
	net_run(n, 1000);
	ck_assert_uint_eq(mn_ro_count(n->mn), 0);
	ck_assert(!n->mk.receive && !n->mk.has_cn_path && !n->mk.unwatched);
	ck_assert_int_eq(mn_ro_command(n->mn, &n->cn, MN_RO_FLUSH), -ENOENT);
	ck_assert_int_eq(mn_ro_command(n->mn, &bad, MN_RO_ON), -EINVAL);
	finish(n);
}
END_TEST

/* A link event without a router: nothing is sent directly, and tests wait. */
START_TEST(pause_without_link)
{
	struct net *n = begin_bound(NULL);

	net_attach(n, IF1, NOWHERE);
	ck_assert(!n->mk.own);
	net_forget(n);
	NONE(n, K_COTI, 20000);
	net_attach(n, IF1, LINK1);
	/* The binding there is still right: no message at all. */
	net_run(n, 100);
	ck_assert(is_direct(n));
	NONE(n, K_CBU, 1000);
	finish(n);
}
END_TEST

START_TEST(shutdown_deletes)
{
	struct net *n = begin_bound(NULL);

	mn_shutdown(n->mn);
	ck_assert(net_until(n, is_unbound, SOON));
	net_run(n, 1000);
	ck_assert(mn_idle(n->mn));
	ck_assert(!n->mk.own && !n->mk.receive && !n->mk.has_cn_path);
	ck_assert_uint_eq(n->violations, 0);
	net_free(n);
}
END_TEST

/* Everything is lost, doubled or late now and then, and the node keeps moving. */
static void faulty(uint64_t seed)
{
	struct net_options opt = far;
	struct net *n;

	opt.seed = seed;
	n = begin_bound(&opt);
	net_faults(n, 150, 100, 200, 300);
	for (int i = 0; i < 20; i++) {
		net_attach(n, IF1, (int)net_below(n, N_LINKS));
		mn_traffic(n->mn, &n->cn);
		net_run(n, (int64_t)net_below(n, 8000));
	}
	net_faults(n, 0, 0, 0, 0);
	net_attach(n, IF1, LINK1);
	settle(n, 100000);
	mn_ro_command(n->mn, &n->cn, MN_RO_ON);
	ck_assert(net_until(n, is_direct, 200000));
	finish(n);
}

START_TEST(faults)
{
	for (uint64_t seed = 0; seed < 20; seed++)
		faulty(seed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		first_registration,
		waits_for_the_home_agent,
		move_with_home_token,
		move_with_old_home_token,
		move_back,
		between_interfaces,
		other_interface_during_the_test,
		token_ends_during_the_update,
		stream_over_moves,
		home_and_away_again,
		home_with_old_token,
		refresh_only_in_use,
		no_answer,
		correspondent_restarts,
		nonces_forgotten,
		lost_messages,
		forgeries,
		forged_binding_errors,
		by_hand,
		pause_without_link,
		shutdown_deletes,
		faults,
	};

	return RUN("route", tests, NULL, NULL);
}
