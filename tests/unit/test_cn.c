/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The correspondent: bindings are made, moved and deleted by whoever has shown that he may. */
#include "tests/unit/cn_world.h"

/* ---- binding, moving, deleting ---- */

START_TEST(register_and_move)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 7);
	const struct mh_message *ba;

	memset(w.order, 0, sizeof(w.order));
	send_bu(&b);
	ba = expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_uint_eq(ba->u.ba.seq, 7);
	ck_assert_uint_eq(ba->u.ba.lifetime, 105);
	ck_assert_str_eq(w.order, "km"); /* the kernel before the promise */
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_NEW);
	bound_at(&coa);
	/* the same home token, a new care-of token */
	t.care_of = test(MH_COTI, &coa2, &t.care_of_index);
	b = make_bu(&t, &coa2, 8);
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_MOVED);
	bound_at(&coa2);
	ck_assert_uint_eq(cn_stats(cn)->moves, 1);
	/* a refresh leaves the kernel alone */
	b.seq = 9;
	w.peer_sets = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_REFRESHED);
	ck_assert_uint_eq(w.peer_sets, 0);
	ck_assert_uint_eq(cn_count(cn), 1);
}
END_TEST

/* 9.5.4: accepted without the A bit: silence */
START_TEST(no_acknowledgement_asked_for)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 7);
	size_t before = w.n_sent;

	b.flags = 0;
	send_bu(&b);
	bound_at(&coa);
	ck_assert_uint_eq(w.n_sent, before);
	send_bu(&b); /* but a wrong sequence number is always told */
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

/* 5.2.6: tests, indices and MAC are for the address in the option. */
START_TEST(alternate_care_of_address)
{
	struct tokens t = tests(&home, &coa2), wrong = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	b.alt = &coa2;
	b.claimed = &coa;
	expect_silence(&b);
	b.claimed = NULL;
	b.t = &wrong;
	expect_silence(&b);
	b.t = &t;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	bound_at(&coa2);
}
END_TEST

START_TEST(lifetime_is_capped)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);
	struct cn_config c = {.max_lifetime_s = 3};

	b.lifetime = 0xffff;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 420 / 4);
	pass_s(419);
	bound_at(&coa);
	pass_s(1);
	no_binding();
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_GONE);
	ck_assert_uint_eq(cn_stats(cn)->expirations, 1);
	/* never rounded down to a deletion, never more than asked for */
	start(&c, &ro);
	t = tests(&home, &coa);
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 1);
	b.seq = 2;
	b.lifetime = 1;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 1);
}
END_TEST

/* 9.5.3: home token alone, from wherever it is sent; the care-of nonce index is ignored. */
START_TEST(deletion)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &coa, 2);

	b.lifetime = 0;
	t.care_of_index = (uint16_t)(t.care_of_index + 100);
	t.care_of = 0;
	b.claimed = &coa; /* not the home address: not 6.2.7 */
	expect_silence(&b);
	b.claimed = NULL;
	memset(w.order, 0, sizeof(w.order));
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 0);
	ck_assert_str_eq(w.order, "km");
	no_binding();
	/* once more: there is none, and that is fine; but not with the same number */
	b.seq = 3;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

START_TEST(deletion_from_home)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &home, 2);

	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	no_binding();
	/* the care-of address is the home address: says the same */
	bind_at(&coa, 3);
	b.seq = 4;
	b.lifetime = 100;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 0);
	no_binding();
}
END_TEST

START_TEST(deletion_of_nothing)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &home, 2);

	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	no_binding();
	ck_assert_uint_eq(w.peer_sets, 0);
	b = make_bu(&t, &coa, 1); /* no entry was made: any number is good */
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
}
END_TEST

/* ---- who says so ---- */

START_TEST(unauthorized)
{
	struct tokens t = tests(&home, &coa), none = t;
	struct bu b = make_bu(&t, &coa, 1);

	b.bad_auth = true;
	expect_silence(&b);
	ck_assert_uint_eq(cn_stats(cn)->bad_authenticator, 1);
	b.bad_auth = false;
	b.no_auth = true;
	expect_silence(&b);
	b.no_auth = false;
	b.auth_len = 4;
	expect_silence(&b);
	b.auth_len = 20; /* begins with the right one */
	expect_silence(&b);
	b.auth_len = 0;
	b.t = NULL;
	expect_silence(&b);
	none.home ^= 1;
	b.t = &none;
	expect_silence(&b);
	none = t;
	none.care_of ^= 1;
	expect_silence(&b);
	/* tokens of other addresses */
	none = tests(&coa2, &coa2);
	expect_silence(&b);
	ck_assert_uint_eq(cn_stats(cn)->bu_accepted, 0);
}
END_TEST

/* A care-of keygen token is no home keygen token. */
START_TEST(tokens_do_not_stand_for_each_other)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);
	uint16_t index;

	t.home = test(MH_COTI, &home, &index);
	t.home_index = index;
	expect_silence(&b);
}
END_TEST

START_TEST(sequence_numbers)
{
	struct tokens t = bind_at(&coa, 65530);
	struct bu b = make_bu(&t, &coa, 65530);

	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 65530);
	b.seq = 65530 - 32768;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 65530);
	b.seq = 65530 - 32769;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	/* whoever cannot authenticate is not told */
	b.bad_auth = true;
	expect_silence(&b);
}
END_TEST

/* 136, 137, 138: without authenticator (9.5.4) */
START_TEST(expired_nonces)
{
	struct tokens t = tests(&home, &coa), later;
	struct bu b = make_bu(&t, &coa, 1);

	pass_s(RR_MAX_NONCE_LIFETIME_S);
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_NONCES_EXPIRED, false)->u.ba.seq, 1);
	later = tests(&home, &coa);
	t.home = later.home;
	t.home_index = later.home_index;
	send_bu(&b);
	expect_ba(&b, BA_COA_NONCE_EXPIRED, false);
	later.home_index = (uint16_t)(later.home_index + 1);
	b.t = &later;
	send_bu(&b);
	expect_ba(&b, BA_HOME_NONCE_EXPIRED, false);
	b.lifetime = 0;
	later.care_of_index = (uint16_t)(later.care_of_index + 1);
	send_bu(&b);
	expect_ba(&b, BA_HOME_NONCE_EXPIRED, false);
	ck_assert_uint_eq(cn_stats(cn)->nonce_expired, 4);
	no_binding();
}
END_TEST

START_TEST(token_lives_as_long_as_promised)
{
	struct tokens t;
	struct bu b;

	test(MH_HOTI, &home, &(uint16_t){0}); /* the nonce is first used now */
	pass_s(29);
	t = tests(&home, &coa);
	for (int i = 0; i < 7; i++) { /* others ask all the time */
		pass_s(30);
		tests(&coa2, &coa2);
	}
	b = make_bu(&t, &coa, 1);
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	pass_s(1);
	b.seq = 2;
	send_bu(&b);
	expect_ba(&b, BA_NONCES_EXPIRED, false);
}
END_TEST

/* 5.2.8, 9.5.3: a Binding Update of before cannot undo a deletion. */
START_TEST(replay_after_deletion)
{
	struct tokens t = tests(&home, &coa);
	struct bu old = make_bu(&t, &coa, 5), gone = make_bu(&t, &home, 6);

	pass_s(100);
	send_bu(&old);
	gone.lifetime = 0;
	send_bu(&gone);
	no_binding();
	send_bu(&old);
	ck_assert_uint_eq(expect_ba(&old, BA_SEQUENCE, true)->u.ba.seq, 6);
	pass_s(139);
	send_bu(&old);
	expect_ba(&old, BA_SEQUENCE, true);
	no_binding();
	pass_s(1); /* the nonces are too old, so nothing needs to be remembered */
	send_bu(&old);
	expect_ba(&old, BA_NONCES_EXPIRED, false);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	bind_at(&coa2, 1);
	bound_at(&coa2);
}
END_TEST

START_TEST(replay_after_a_short_lifetime)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 5);

	b.lifetime = 1;
	send_bu(&b);
	pass_s(4);
	no_binding();
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	no_binding();
	b.seq = 6;
	send_bu(&b);
	bound_at(&coa);
	ck_assert_uint_eq(cn_remove(cn, &in6addr_any, &home), 1);
	ck_assert_uint_eq(cn_remove(cn, &local, &home), 0);
	no_binding();
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	no_binding();
}
END_TEST

/* The last Binding Update is not always the one that could be replayed longest. */
START_TEST(replay_with_the_younger_nonce)
{
	struct tokens a = tests(&home, &coa), b;
	struct bu first, gone = make_bu(&a, &home, 6);

	pass_s(100);
	b = tests(&home, &coa);
	first = make_bu(&b, &coa, 5);
	send_bu(&first);
	gone.lifetime = 0;
	send_bu(&gone);
	expect_ba(&gone, BA_ACCEPTED, true);
	pass_s(239);
	send_bu(&first);
	expect_ba(&first, BA_SEQUENCE, true);
	no_binding();
}
END_TEST

int main(void)
{
	const TTest *const all[] = {register_and_move, no_acknowledgement_asked_for,
		alternate_care_of_address, lifetime_is_capped, deletion, deletion_from_home,
		deletion_of_nothing, unauthorized, tokens_do_not_stand_for_each_other,
		sequence_numbers, expired_nonces, token_lives_as_long_as_promised,
		replay_after_deletion, replay_after_a_short_lifetime,
		replay_with_the_younger_nonce};

	return RUN("cn", all, setup, teardown);
}
