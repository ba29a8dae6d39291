/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Route optimization of the mobile node: peers, tests, answers, and what others say. */
#include "tests/unit/ro_world.h"

/* ---- helpers ---- */

/* An answer to the last Binding Update, made with its key by who sees the tokens. */
static void forge_ba(const struct sent *bu, uint8_t status, uint16_t seq, const uint8_t *kbm)
{
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {.src = bu->p.dst,
		.dst = A->home,
		.dst_coa = bu->p.src_coa,
		.flags = MIP6_PKT_RH2,
		.data = buf};

	m.u.ba.status = status;
	m.u.ba.seq = seq;
	m.u.ba.lifetime = 100;
	if (kbm)
		mh_option_add(&m, MHOPT_AUTH_DATA)->u.auth_data.len = RR_AUTH_LEN;
	p.len = mh_build(&m, buf, sizeof(buf));
	if (kbm)
		ck_assert(rr_authenticator(kbm, &bu->p.src_coa, &bu->p.dst, buf, p.len,
			p.len - RR_AUTH_LEN, RR_AUTH_LEN, buf + p.len - RR_AUTH_LEN));
	mn_receive_mh(A->mn, &p);
}

static void kbm_of_last_test(uint8_t kbm[RR_KBM_LEN])
{
	rr_kbm(nth(-1, MH_HOT, 0)->m.u.test.token, &nth(-1, MH_COT, 0)->m.u.test.token, kbm);
}

/* Up to the Binding Update, which is not delivered. */
static struct sent *until_update(uint8_t kbm[RR_KBM_LEN])
{
	mn_traffic(A->mn, &peer);
	deliver(nth(0, MH_HOTI, 0));
	deliver(nth(0, MH_COTI, 0));
	deliver(nth(-1, MH_HOT, 0));
	deliver(nth(-1, MH_COT, 0));
	kbm_of_last_test(kbm);
	return nth(0, MH_BU, 0);
}

/* ---- peers ---- */

START_TEST(who_may_be_a_peer)
{
	static const char *const none[] = {"fe80::1", "ff02::1", "::1", "::", "2001:db8:1::1000",
		"2001:db8:1::100", "2001:db8:c:0:bad::1"};
	struct in6_addr a;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		a = in6(none[i]);
		if (i == 5)
			a = A->home;
		mn_traffic(A->mn, &a);
	}
	mn_traffic(A->mn, &A->care_of);
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	ck_assert_uint_eq(w->n_sent, 0);
	/* By hand the rules do not count, the rest does. */
	a = in6(none[6]);
	ck_assert_int_eq(mn_ro_command(A->mn, &a, MN_RO_ON), 0);
	ck_assert_int_eq(mn_ro_command(A->mn, &agent, MN_RO_ON), -EINVAL);
	ck_assert_int_eq(mn_ro_command(A->mn, &peer, MN_RO_FLUSH), -ENOENT);
	bind_peer();
	ck_assert_uint_eq(A->unwatched, 2);
}
END_TEST

static struct in6_addr numbered(unsigned i)
{
	struct in6_addr a = in6("2001:db8:c::");

	a.s6_addr[14] = (uint8_t)(i >> 8);
	a.s6_addr[15] = (uint8_t)i;
	return a;
}

/* The list is full: the longest idle makes room, and one that is in use does not. */
START_TEST(full)
{
	struct mn_ro_config ro = rules();
	struct in6_addr a, b = numbered(2), c = numbered(3), d = numbered(4);

	ro.max_correspondents = 2;
	node_start(B, &ro);
	a = numbered(1);
	mn_traffic(B->mn, &a);
	run();
	wait_(70000, true);
	mn_traffic(B->mn, &b);
	run();
	ck_assert_uint_eq(mn_ro_count(B->mn), 2);
	/* both in use */
	mn_traffic(B->mn, &c);
	ck_assert_uint_eq(mn_ro_count(B->mn), 2);
	ck_assert_int_eq(mn_ro_command(B->mn, &c, MN_RO_ON), -ENOSPC);
	/* a for longest without traffic */
	B->idle_s = 1000;
	forget();
	mn_traffic(B->mn, &c);
	ck_assert_uint_eq(mn_ro_count(B->mn), 2);
	ck_assert(info(B, &b).direct);
	ck_assert_uint_eq(nth(1, MH_BU, 0)->m.u.bu.lifetime, 0);
	ck_assert(in6_equal(&nth(1, MH_BU, 0)->p.dst, &a));
	ck_assert(!B->peers[slot(B, &a)].own && !B->peers[slot(B, &a)].receive);
	run();
	ck_assert_int_eq(mn_ro_command(B->mn, &b, MN_RO_ON), 0);
	ck_assert_int_eq(mn_ro_command(B->mn, &c, MN_RO_ON), 0);
	ck_assert_int_eq(mn_ro_command(B->mn, &d, MN_RO_ON), -ENOSPC);
}
END_TEST

START_TEST(creation_is_limited)
{
	for (unsigned i = 1; i <= 200; i++) {
		struct in6_addr a = numbered(i);

		mn_traffic(A->mn, &a);
		forget();
	}
	ck_assert_uint_ge(mn_ro_count(A->mn), 32);
	ck_assert_uint_le(mn_ro_count(A->mn), 100);
}
END_TEST

/* ---- tests ---- */

static void hot(const struct sent *hoti, unsigned flags, uint64_t change)
{
	struct mh_message m = {.type = MH_HOT};
	uint8_t buf[64];
	struct mip6_packet p = {.src = peer, .dst = A->home, .flags = flags, .data = buf};

	m.u.test.cookie = hoti->m.u.init.cookie ^ change;
	m.u.test.token = 5;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(A->mn, &p);
}

/* 11.6.2: away only by the tunnel, with our cookie, and once. */
START_TEST(home_test_is_judged)
{
	const struct sent *hoti;

	mn_traffic(A->mn, &peer);
	hoti = nth(0, MH_HOTI, 0);
	hot(hoti, 0, 0);
	hot(hoti, MIP6_PKT_TUNNELED, 1);
	ck_assert_uint_eq(mn_stats(A->mn)->tests_ignored, 2);
	ck_assert_int_eq(info(A, &peer).home_token_age_s, -1);
	hot(hoti, MIP6_PKT_TUNNELED, 0);
	ck_assert_int_eq(info(A, &peer).home_token_age_s, 0);
	hot(hoti, MIP6_PKT_TUNNELED, 0);
	ck_assert_uint_eq(mn_stats(A->mn)->tests_ignored, 3);
}
END_TEST

/* A second transmission has another cookie; the answer to the first is still good. */
START_TEST(late_home_test)
{
	const struct sent *hoti;

	mn_traffic(A->mn, &peer);
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	hoti = nth(0, MH_HOTI, 0);
	ck_assert(hoti->m.u.init.cookie != nth(0, MH_HOTI, 1)->m.u.init.cookie);
	hot(hoti, MIP6_PKT_TUNNELED, 0);
	ck_assert_int_eq(info(A, &peer).home_token_age_s, 0);
}
END_TEST

/*
 * The first registration takes longer than a second: the home agent has
 * dropped the first Home Test Init, so the next does not wait for its time.
 */
START_TEST(registered_late)
{
	struct mn_ro_config ro = rules();

	B->silent = true;
	node_start(B, &ro);
	drop_all();
	ck_assert_int_eq(mn_ro_command(B->mn, &peer, MN_RO_ON), 0);
	wait_(2600, false);
	ck_assert_uint_eq(count(1, MH_HOTI), 2);
	B->silent = false;
	for (size_t i = 0; i < w->n_sent; i++)
		if (w->sent[i].from == 1 && in6_equal(&w->sent[i].p.dst, &agent))
			home_agent_answers(&w->sent[i]);
	ck_assert_uint_eq(count(1, MH_HOTI), 3);
	run();
	wait_(2000, true);
	ck_assert(info(B, &peer).direct);
}
END_TEST

/* ---- answers ---- */

START_TEST(refused)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);

	forge_ba(bu, BA_PROHIBITED, bu->m.u.bu.seq, NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	forge_ba(bu, BA_PROHIBITED, (uint16_t)(bu->m.u.bu.seq + 1), kbm);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	forge_ba(bu, BA_PROHIBITED, bu->m.u.bu.seq, kbm);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_int_eq(info(A, &peer).last_status, BA_PROHIBITED);
	ck_assert_uint_eq(mn_stats(A->mn)->ro_refused, 1);
	ck_assert_int_eq(info(A, &peer).next_ms, 60000);
	drop_all();
	mn_traffic(A->mn, &peer);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	/* By hand at once; then the pause has its first length again. */
	ck_assert_int_eq(mn_ro_command(A->mn, &peer, MN_RO_ON), 0);
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* The pause grows. */
START_TEST(refused_again)
{
	int64_t pause = 60000;

	for (int i = 0; i < 3; i++) {
		mn_traffic(A->mn, &peer);
		wait_(15000, false);
		ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
		ck_assert_int_eq(info(A, &peer).next_ms, pause);
		wait_(pause, false);
		ck_assert_int_eq(info(A, &peer).state, MN_RO_IDLE);
		pause *= 2;
		forget();
	}
}
END_TEST

/* 135: its number is taken when it is authentic; the next is greater. */
START_TEST(sequence_number_is_taken)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);
	uint16_t seq = bu->m.u.bu.seq;

	forge_ba(bu, BA_SEQUENCE, (uint16_t)(seq + 100), NULL);
	ck_assert_uint_eq(info(A, &peer).seq, seq);
	/* of an older one: nothing new */
	forge_ba(bu, BA_SEQUENCE, (uint16_t)(seq - 5), kbm);
	ck_assert_uint_eq(info(A, &peer).seq, seq);
	ck_assert_uint_eq(count(0, MH_BU), 1);
	forge_ba(bu, BA_SEQUENCE, (uint16_t)(seq + 100), kbm);
	ck_assert_uint_eq(count(0, MH_BU), 2);
	ck_assert_uint_eq(nth(0, MH_BU, 1)->m.u.bu.seq, (uint16_t)(seq + 101));
	deliver(nth(0, MH_BU, 1));
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* A deletion that is refused is left to time. */
START_TEST(deletion_refused)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent bu;

	mn_traffic(A->mn, &peer);
	run();
	rr_kbm(nth(-1, MH_HOT, 0)->m.u.test.token, NULL, kbm);
	forget();
	ck_assert_int_eq(mn_ro_command(A->mn, &peer, MN_RO_OFF), 0);
	ck_assert_str_eq(A->why, "by hand");
	ck_assert_int_eq(info(A, &peer).state, MN_RO_DELETING);
	bu = *nth(0, MH_BU, 0);
	/* 6.2.7: in its authenticator the care-of address is the home address */
	bu.p.src_coa = A->home;
	forge_ba(&bu, BA_PROHIBITED, bu.m.u.bu.seq, kbm);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_IDLE);
	ck_assert(!A->peers[slot(A, &peer)].own && !A->peers[slot(A, &peer)].receive);
}
END_TEST

/* 138 needs no authenticator: new tests, but not again and again. */
START_TEST(nonces_expired)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);

	forge_ba(bu, BA_NONCES_EXPIRED, (uint16_t)(bu->m.u.bu.seq + 1), NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	forge_ba(bu, BA_NONCES_EXPIRED, bu->m.u.bu.seq, NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_TESTING);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	ck_assert_uint_eq(count(0, MH_COTI), 2);
	deliver(nth(0, MH_HOTI, 1));
	deliver(nth(0, MH_COTI, 1));
	deliver(nth(-1, MH_HOT, 1));
	deliver(nth(-1, MH_COT, 1));
	bu = nth(0, MH_BU, 1);
	forge_ba(bu, BA_NONCES_EXPIRED, bu->m.u.bu.seq, NULL);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* 136 and 137 cost one test each. */
START_TEST(one_nonce_expired)
{
	uint8_t kbm[RR_KBM_LEN];
	struct sent *bu = until_update(kbm);

	forge_ba(bu, BA_HOME_NONCE_EXPIRED, bu->m.u.bu.seq, NULL);
	ck_assert_uint_eq(count(0, MH_HOTI), 2);
	ck_assert_uint_eq(count(0, MH_COTI), 1);
	run();
	ck_assert(info(A, &peer).direct);
}
END_TEST

/* ---- what others say ---- */

static struct icmp6_error problem(const struct sent *s, uint8_t code)
{
	struct icmp6_error e = {.type = 4,
		.code = code,
		.src = s->p.src,
		.dst = s->p.dst,
		.proto = 135,
		.mh_type = s->m.type};

	if (s->m.type == MH_HOTI || s->m.type == MH_COTI)
		e.mh_cookie = s->m.u.init.cookie;
	if (s->p.flags & MIP6_PKT_HAO) {
		e.has_hao = true;
		e.hao = s->p.src;
		e.src = s->p.src_coa;
	}
	return e;
}

START_TEST(parameter_problem)
{
	struct icmp6_error e;

	mn_traffic(A->mn, &peer);
	e = problem(nth(0, MH_COTI, 0), 1);
	e.mh_cookie ^= 1;
	mn_icmp_error(A->mn, &e);
	e.mh_cookie ^= 1;
	e.code = 2;
	mn_icmp_error(A->mn, &e);
	e.code = 1;
	e.type = 1;
	mn_icmp_error(A->mn, &e);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_TESTING);
	e.type = 4;
	mn_icmp_error(A->mn, &e);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	/* 11.3.5: no entries from errors */
	e.dst.s6_addr[15] = 77;
	mn_icmp_error(A->mn, &e);
	ck_assert_uint_eq(mn_ro_count(A->mn), 1);
}
END_TEST

START_TEST(parameter_problem_for_an_update)
{
	uint8_t kbm[RR_KBM_LEN];
	struct icmp6_error e = problem(until_update(kbm), 1);

	mn_icmp_error(A->mn, &e);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
}
END_TEST

/* For the home agent it counts only when it has not answered so far. */
START_TEST(parameter_problem_of_the_home_agent)
{
	struct icmp6_error e = {.type = 4,
		.code = 1,
		.src = A->care_of,
		.dst = agent,
		.has_hao = true,
		.hao = A->home,
		.proto = 135,
		.mh_type = MH_BU};
	struct mn_ro_config ro = rules();
	struct mn_info i;

	mn_icmp_error(A->mn, &e);
	mn_info(A->mn, &i);
	ck_assert_int_eq(i.registration, MN_REG_REGISTERED);
	B->silent = true;
	node_start(B, &ro);
	mn_icmp_error(B->mn, &e);
	mn_info(B->mn, &i);
	ck_assert_int_eq(i.registration, MN_REG_PENDING);
	wait_(2000, true);
	mn_icmp_error(B->mn, &e);
	mn_info(B->mn, &i);
	ck_assert_int_eq(i.registration, MN_REG_REFUSED);
}
END_TEST

static void say(uint8_t type, uint8_t status)
{
	struct mh_message m = {.type = type};
	uint8_t buf[64];
	struct mip6_packet p = {.src = peer, .dst = A->care_of, .data = buf};

	if (type == MH_BE) {
		m.u.be.status = status;
		m.u.be.home_address = A->home;
	} else {
		p.dst = A->home;
		p.dst_coa = A->care_of;
		p.flags = MIP6_PKT_RH2;
	}
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(A->mn, &p);
}

START_TEST(binding_errors)
{
	/* nobody that we know */
	say(MH_BE, BE_UNKNOWN_BINDING);
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	bind_peer();
	/* status 2, and nothing is expected (11.3.6) */
	say(MH_BE, BE_UNKNOWN_MH_TYPE);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_BOUND);
	forget();
	say(MH_BE, BE_UNKNOWN_BINDING);
	ck_assert(!A->peers[slot(A, &peer)].own);
	ck_assert_uint_eq(count(0, MH_HOTI), 1);
	/* while the tests run, status 2 is the answer of one that does not know them */
	say(MH_BE, BE_UNKNOWN_MH_TYPE);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_uint_eq(mn_stats(A->mn)->be_received, 3);
}
END_TEST

START_TEST(refresh_requests)
{
	say(MH_BRR, 0);
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	bind_peer();
	wait_(10000, true);
	forget();
	for (int i = 0; i < 50; i++) {
		say(MH_BRR, 0);
		run();
		wait_(100, true);
	}
	ck_assert_uint_eq(count(0, MH_BU), 1);
	ck_assert_uint_eq(info(A, &peer).lifetime_s, 420);
	ck_assert(info(A, &peer).direct);
	/* not in use: let it expire */
	A->idle_s = 1000;
	wait_(61000, true);
	forget();
	say(MH_BRR, 0);
	ck_assert_uint_eq(count(0, MH_BU), 0);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {who_may_be_a_peer, full, creation_is_limited,
		home_test_is_judged, late_home_test, registered_late, refused, refused_again,
		sequence_number_is_taken, deletion_refused, nonces_expired, one_nonce_expired,
		parameter_problem, parameter_problem_for_an_update,
		parameter_problem_of_the_home_agent, binding_errors, refresh_requests};

	return RUN("mn_ro", all, setup, teardown);
}
