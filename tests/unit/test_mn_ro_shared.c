/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Route optimization of the mobile node: with a shared Kbm, and with a peer that is mobile as well. */
#include "tests/unit/ro_world.h"

/* ---- a shared Kbm (RFC 4449) ---- */

static struct rr_shared shared(void)
{
	struct rr_shared s = {.kcn_len = 20, .home_nonce_len = 8, .care_of_nonce_len = 8};

	memset(s.kcn, 1, 20);
	memset(s.home_nonce, 2, 8);
	memset(s.care_of_nonce, 3, 8);
	return s;
}

/* Who shares a secret is asked again sooner. */
START_TEST(shared_pause)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_traffic(A->mn, &peer);
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_int_eq(info(A, &peer).next_ms, 5000);
}
END_TEST

START_TEST(shared_kbm)
{
	struct rr_shared s = shared(), bad = s;
	const struct sent *bu;

	bad.kcn_len = 19;
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &bad, -1), -EINVAL);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, 41), 0);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, 41), 0);
	mn_traffic(A->mn, &peer);
	/* at once, without tests; the number goes on from the stored one and is stored */
	ck_assert_uint_eq(count(0, MH_HOTI) + count(0, MH_COTI), 0);
	bu = nth(0, MH_BU, 0);
	ck_assert_uint_eq(bu->m.u.bu.seq, 42);
	ck_assert_int_eq(A->stored_seq, 42);
	ck_assert_ptr_null(mh_option(&bu->m, MHOPT_NONCE_INDICES));
	run();
	ck_assert(info(A, &peer).direct && info(A, &peer).shared);
	/* a move: the same */
	forget();
	attach(A, "2001:db8:b::");
	ck_assert_uint_eq(count(0, MH_BU), 1);
	run();
	ck_assert(info(A, &peer).direct);
	ck_assert_uint_eq(count(0, MH_HOTI) + count(0, MH_COTI), 0);
	ck_assert_int_eq(A->stored_seq, 43);
	/* forgotten and back: numbers are not used again */
	ck_assert_int_eq(mn_ro_because(A->mn, &peer, MN_RO_ON, "a session with it"), 0);
	ck_assert(!info(A, &peer).manual_on);
	ck_assert_int_eq(mn_ro_because(A->mn, &peer, MN_RO_FLUSH, "the session has ended"), 0);
	ck_assert_str_eq(A->why, "the session has ended");
	run();
	ck_assert_uint_eq(mn_ro_count(A->mn), 0);
	forget();
	mn_traffic(A->mn, &peer);
	ck_assert_uint_eq(nth(0, MH_BU, 0)->m.u.bu.seq, 45);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, NULL, -1), 0);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_TESTING);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, NULL, -1), -ENOENT);
}
END_TEST

/* A binding of return routability counts no more when a secret is shared, at either end: another Binding Update says it anew. */
START_TEST(shared_later)
{
	struct rr_shared s = shared();

	mn_traffic(A->mn, &peer);
	run();
	ck_assert(info(A, &peer).direct);
	forget();
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, -1), 0);
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	ck_assert(!info(A, &peer).direct);
	ck_assert_uint_eq(count(0, MH_BU), 1);
	run();
	ck_assert(info(A, &peer).direct);
	/* the same once more is no news */
	forget();
	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	ck_assert(info(A, &peer).direct);
	ck_assert_uint_eq(count(0, MH_BU), 0);
}
END_TEST

/* 11.8: however often the node moves, three of a type in a second; in the end the last place counts. */
static void hectic(void)
{
	for (int i = 0; i < 12; i++) {
		attach(A, i % 2 ? "2001:db8:b::" : "2001:db8:d::");
		wait_(50, true);
	}
	wait_(3000, true);
}

static unsigned most_in_a_second(uint8_t type)
{
	unsigned most = 0;

	for (size_t i = 0; i < w->n_sent; i++) {
		unsigned n = 0;

		for (size_t j = i; j < w->n_sent; j++)
			n += to_peer(&w->sent[i], 0, type) && to_peer(&w->sent[j], 0, type) &&
			     mono_diff_ms(w->sent[j].when, w->sent[i].when) < 1000;
		if (n > most)
			most = n;
	}
	return most;
}

static void direct_from_here(void)
{
	ck_assert(info(A, &peer).direct);
	ck_assert(in6_equal(&A->peers[slot(A, &peer)].care_of, &A->care_of));
}

START_TEST(test_rate)
{
	mn_traffic(A->mn, &peer);
	drop_all();
	for (int i = 0; i < 12; i++) {
		attach(A, i % 2 ? "2001:db8:b::" : "2001:db8:d::");
		wait_(50, false);
	}
	ck_assert_uint_eq(most_in_a_second(MH_COTI), 3);
	ck_assert_uint_le(most_in_a_second(MH_HOTI), 3);
	wait_(10000, true);
	direct_from_here();
}
END_TEST

START_TEST(update_rate)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, -1), 0);
	bind_peer();
	wait_(2000, true);
	forget();
	hectic();
	ck_assert_uint_eq(most_in_a_second(MH_BU), 3);
	direct_from_here();
}
END_TEST

/* ---- both are mobile ---- */

static void both(void)
{
	struct mn_ro_config ro = rules();

	node_start(B, &ro);
	wait_(2000, true);
	forget();
	mn_traffic(A->mn, &B->home);
	mn_traffic(B->mn, &A->home);
	run();
	ck_assert(info(A, &B->home).direct && info(B, &A->home).direct);
	ck_assert(in6_equal(&B->bound, &A->care_of));
	wait_(2000, true);
	forget();
}

START_TEST(two_copies)
{
	const struct sent *one, *other;
	struct in6_addr old;

	both();
	old = B->care_of;
	attach(A, "2001:db8:b::");
	ck_assert_uint_eq(count(0, MH_COTI), 2);
	one = nth(0, MH_COTI, 0);
	other = nth(0, MH_COTI, 1);
	ck_assert(one->p.flags & MIP6_PKT_RH2 && in6_equal(&one->p.dst_coa, &old));
	ck_assert_uint_eq(other->p.flags, 0);
	ck_assert(in6_equal(&other->p.dst, &B->home));
	run();
	ck_assert_uint_eq(count(0, MH_BU), 2);
	one = nth(0, MH_BU, 0);
	other = nth(0, MH_BU, 1);
	ck_assert(one->p.flags == (MIP6_PKT_RH2 | MIP6_PKT_HAO));
	ck_assert(other->p.flags == MIP6_PKT_HAO);
	ck_assert_uint_ne(one->m.u.bu.seq, other->m.u.bu.seq);
	ck_assert(info(A, &B->home).direct);
	ck_assert(in6_equal(&B->bound, &A->care_of));
}
END_TEST

/* The copies come in the other order, and the answers as well: 135 does no harm. */
START_TEST(copies_in_the_other_order)
{
	struct sent *first, *second;

	both();
	attach(A, "2001:db8:b::");
	deliver(nth(0, MH_COTI, 0));
	deliver(nth(1, MH_COT, 0));
	first = nth(0, MH_BU, 0);
	second = nth(0, MH_BU, 1);
	deliver(second);
	deliver(first);
	ck_assert_uint_eq(count(1, MH_BA), 2);
	ck_assert_uint_eq(nth(1, MH_BA, 1)->m.u.ba.status, BA_SEQUENCE);
	deliver(nth(1, MH_BA, 1));
	ck_assert_uint_eq(count(0, MH_BU), 2);
	ck_assert_int_eq(info(A, &B->home).state, MN_RO_UPDATING);
	deliver(nth(1, MH_BA, 0));
	ck_assert(info(A, &B->home).direct);
	run();
	ck_assert_int_eq(info(A, &B->home).state, MN_RO_BOUND);
	ck_assert_uint_eq(count(0, MH_BU), 2);
}
END_TEST

/* Both move in the same moment: the copies to the home addresses find them. */
/* All is ESP: what goes directly leaves from the new place before anybody has answered; else by the tunnel until then. */
START_TEST(sealed)
{
	struct rr_shared s = shared();
	struct mn_ro_info there;

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, 41), 0);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, 41), 0);
	mn_traffic(A->mn, &peer);
	run();
	mn_ro_sealed(A->mn, &peer, true);
	attach(A, "2001:db8:b::");
	direct_from_here();
	run();
	direct_from_here();
	there = info(A, &peer);
	ck_assert(in6_equal(&there.care_of, &A->care_of));
	mn_ro_sealed(A->mn, &peer, false);
	attach(A, "2001:db8:d::");
	ck_assert(!info(A, &peer).direct);
	run();
	direct_from_here();
}
END_TEST

/* Policies with an optional template would use the state of a path that nobody updates any more. */
START_TEST(no_path_of_the_past)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_traffic(A->mn, &peer);
	wait_(500, false);
	ck_assert(in6_equal(&A->path, &A->care_of));
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert(in6_is_any(&A->path));
}
END_TEST

/* One that has SAs with us is there: what it did not answer was lost. */
START_TEST(sealed_pause)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_traffic(A->mn, &peer);
	mn_ro_sealed(A->mn, &peer, true);
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	ck_assert_int_eq(info(A, &peer).next_ms, 1000);
	mn_traffic(A->mn, &peer);
	wait_(1000, false);
	mn_traffic(A->mn, &peer);
	wait_(15000, false);
	ck_assert_int_eq(info(A, &peer).next_ms, 2000);
}
END_TEST

/* Its Binding Update has come here: the way is there, and what was sent before is said again. */
START_TEST(sealed_and_heard)
{
	struct rr_shared s = shared();

	ck_assert_int_eq(mn_shared_set(A->mn, &peer, &s, -1), 0);
	mn_ro_command(A->mn, &peer, MN_RO_ON);
	mn_ro_sealed(A->mn, &peer, true);
	wait_(500, false);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 1); /* its answer may be under way */
	mn_ro_sealed(A->mn, &peer, false);
	wait_(3500, false);
	ck_assert_uint_eq(count(0, MH_BU), 3);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 3); /* without SAs it may be anybody's traffic */
	mn_ro_sealed(A->mn, &peer, true);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 4);
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_BU), 5);
	for (int i = 0; i < 10; i++)
		mn_ro_heard(A->mn, &peer);
	wait_(1900, false);
	ck_assert_uint_eq(count(0, MH_BU), 5);
	wait_(12100, false);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_REFUSED);
	mn_ro_heard(A->mn, &peer);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_UPDATING);
	ck_assert_int_eq(cn_shared_set(w->far, &peer, &A->home, &s, -1), 0);
	wait_(1500, true);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_BOUND);
	forget();
	wait_(6000, true);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_BU), 0);
}
END_TEST

/* The same of tests, where there is no key: both of them, and answers to what was sent before are still good. */
START_TEST(tested_and_heard)
{
	mn_ro_command(A->mn, &peer, MN_RO_ON);
	mn_ro_sealed(A->mn, &peer, true);
	wait_(500, false);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_HOTI), 1);
	wait_(3500, false);
	ck_assert_uint_eq(count(0, MH_HOTI), 3);
	mn_ro_heard(A->mn, &peer);
	ck_assert_uint_eq(count(0, MH_HOTI), 4);
	ck_assert_uint_eq(count(0, MH_COTI), 4);
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_HOTI), 5);
	for (int i = 0; i < 10; i++)
		mn_ro_heard(A->mn, &peer);
	wait_(1900, false);
	ck_assert_uint_eq(count(0, MH_HOTI), 5);
	wait_(500, true);
	ck_assert_int_eq(info(A, &peer).state, MN_RO_BOUND);
}
END_TEST

/* Each retransmission, not the first transmission alone, goes both ways. */
START_TEST(copies_again)
{
	both();
	attach(A, "2001:db8:b::");
	deliver(nth(0, MH_COTI, 0));
	deliver(nth(1, MH_COT, 0));
	drop_all();
	forget();
	wait_(1000, false);
	ck_assert_uint_eq(count(0, MH_BU), 2);
	ck_assert(nth(0, MH_BU, 0)->p.flags & MIP6_PKT_RH2);
	ck_assert(!(nth(0, MH_BU, 1)->p.flags & MIP6_PKT_RH2));
	wait_(2000, false);
	ck_assert_uint_eq(count(0, MH_BU), 4);
	ck_assert_uint_le(most_in_a_second(MH_BU), 3);
}
END_TEST

START_TEST(both_move)
{
	both();
	attach(A, "2001:db8:b::");
	attach(B, "2001:db8:b::");
	run();
	ck_assert(info(A, &B->home).direct && info(B, &A->home).direct);
	ck_assert(in6_equal(&B->bound, &A->care_of) && in6_equal(&A->bound, &B->care_of));
	/* without a timer */
	ck_assert_uint_eq(count(0, MH_COTI), 2);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {shared_pause, shared_kbm, shared_later, test_rate, update_rate,
		two_copies, copies_in_the_other_order, sealed, no_path_of_the_past, sealed_pause,
		sealed_and_heard, tested_and_heard, copies_again, both_move};

	return RUN("mn_ro, shared", all, setup, teardown);
}
