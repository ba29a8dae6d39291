/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The correspondent: the life of a binding, how many there may be, and those with a shared Kbm. */
#include "tests/unit/cn_world.h"

/* ---- refresh ---- */

START_TEST(refresh_request)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &coa, 2);

	w.n_sent = 0;
	w.idle_s = 1;
	pass_s(389);
	ck_assert_uint_eq(w.n_sent, 0);
	pass_s(1);
	ck_assert_uint_eq(w.n_sent, 1);
	ck_assert_uint_eq(last_sent()->m.type, MH_BRR);
	ck_assert(in6_equal(&last_sent()->p.dst, &home));
	ck_assert(in6_equal(&last_sent()->p.dst_coa, &coa));
	ck_assert_uint_eq(last_sent()->p.flags, MIP6_PKT_RH2);
	pass_s(29);
	ck_assert_uint_eq(w.n_sent, 3); /* and no more */
	t = tests(&home, &coa);
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	w.n_sent = 0;
	pass_s(380); /* 9.5.5: the Binding Update ends it */
	ck_assert_uint_eq(w.n_sent, 0);
	w.idle_s = 100;
	pass_s(39);
	ck_assert_uint_eq(w.n_sent, 0);
	bound_at(&coa);
	pass_s(1);
	no_binding();
	w.idle_s = 1;
	bind_at(&coa, 3);
	w.n_sent = 0;
	pass_s(400);
	ck_assert_uint_eq(w.n_sent, 2);
	bind_at(&coa, 4);
	w.n_sent = 0;
	pass_s(419);
	ck_assert_uint_eq(w.n_sent, 3);
}
END_TEST

START_TEST(no_refresh_request_for_what_is_gone)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 2);

	b.lifetime = 25;
	send_bu(&b);
	w.n_sent = 0;
	w.idle_s = 1;
	pass_s(1);
	ck_assert_uint_eq(cn_remove(cn, &local, &home), 1);
	pass_s(300);
	ck_assert_uint_eq(w.n_sent, 0);
}
END_TEST

/* ---- room ---- */

static uint8_t bind_nth(unsigned i, uint16_t lifetime, uint16_t seq)
{
	struct in6_addr h, c = coa;
	struct tokens t;
	struct bu b;

	inet_pton(AF_INET6, "2001:db8:1::", &h);
	h.s6_addr[14] = (uint8_t)(i >> 8);
	h.s6_addr[15] = (uint8_t)i;
	t = tests(&h, &c);
	b = make_bu(&t, &coa, seq);
	b.home = &h;
	b.lifetime = lifetime;
	send_bu(&b);
	return last_sent()->m.u.ba.status;
}

START_TEST(full_of_bindings_in_use)
{
	struct cn_config c = {.max_bindings = 20};

	start(&c, &ro);
	w.idle_s = 2;
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
	pass_s(100);
	for (unsigned i = 21; i <= 40; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_RESOURCES);
	ck_assert_uint_eq(cn_count(cn), 20);
	ck_assert_uint_eq(bind_nth(5, 105, 2), BA_ACCEPTED); /* a refresh needs no room */
	ck_assert_uint_eq(cn_stats(cn)->evicted, 0);
	/* those that are unused give way, but not as soon as they are made */
	w.idle_s = -1;
	ck_assert_uint_eq(bind_nth(41, 105, 1), BA_ACCEPTED);
	ck_assert_uint_eq(cn_stats(cn)->evicted, 1);
	ck_assert_uint_eq(cn_count(cn), 20);
}
END_TEST

START_TEST(full_of_new_bindings)
{
	struct cn_config c = {.max_bindings = 20};

	start(&c, &ro);
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
	ck_assert_uint_eq(bind_nth(21, 105, 1), BA_RESOURCES);
	w.idle_s = 1000; /* from before the binding */
	ck_assert_uint_eq(bind_nth(21, 105, 1), BA_RESOURCES);
	start(&c, &ro_blind);
	for (unsigned i = 1; i <= 20; i++)
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
	pass_s(100); /* nobody knows which of them are in use: all stay */
	ck_assert_uint_eq(bind_nth(21, 105, 1), BA_RESOURCES);
}
END_TEST

/* Entries that are kept for their sequence number are limited as well, and leave. */
START_TEST(full_of_forgotten_bindings)
{
	struct cn_config c = {.max_bindings = 20};
	struct bu shared = make_bu(NULL, &coa, 1);

	start(&c, &ro);
	for (unsigned i = 1; i <= 40; i++) {
		ck_assert_uint_eq(bind_nth(i, 1, 1), BA_ACCEPTED);
		pass_s(4);
	}
	ck_assert_uint_eq(cn_count(cn), 0);
	ck_assert_uint_eq(bind_nth(41, 1, 1), BA_RESOURCES);
	ck_assert_uint_eq(bind_nth(7, 1, 2), BA_ACCEPTED);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	shared.s = &shared_data;
	send_bu(&shared);
	expect_ba(&shared, BA_ACCEPTED, true);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, NULL, -1), 0);
	pass_s(240);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	ck_assert_uint_eq(bind_nth(41, 1, 1), BA_ACCEPTED);
}
END_TEST

/* ---- RFC 4449 ---- */

/* The peer takes its binding back when it hears that what the secret was for is over. */
START_TEST(shared_closed)
{
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	cn_shared_close(cn, &local, &home);
	ck_assert_uint_eq(cn_count(cn), 0);
	ck_assert_str_eq(w.gone.text, "what it was for has ended");
	b.seq = 11; /* it has not heard */
	send_bu(&b);
	expect_ba(&b, BA_PROHIBITED, true);
	ck_assert_uint_eq(cn_count(cn), 0);
	b.seq = 12;
	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.seq = 13;
	b.lifetime = 10;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
}
END_TEST

START_TEST(shared_kbm)
{
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	b.lifetime = 1000;
	memset(w.order, 0, sizeof(w.order));
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 1000);
	ck_assert_str_eq(w.order, "skm"); /* stored, in the kernel, promised */
	ck_assert_int_eq(w.stored_seq, 10);
	bound_at(&coa);
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 10);
	b.seq = 11;
	b.lifetime = 0;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	ck_assert_int_eq(w.stored_seq, 11);
	no_binding();
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

/* Section 3: "SHOULD be ignored", and not answered with 136 to 138 */
START_TEST(shared_with_nonce_indices)
{
	struct tokens any = {.home_index = 1, .care_of_index = 2};
	struct bu b = make_bu(&any, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	b.bad_auth = true;
	b.seq = 11;
	expect_silence(&b);
}
END_TEST

START_TEST(shared_after_restart)
{
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, 10), 0);
	b.s = &shared_data;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_SEQUENCE, true)->u.ba.seq, 10);
	no_binding();
	b.seq = 11;
	send_bu(&b);
	bound_at(&coa);
}
END_TEST

/* Configured once more: a number that was used is used; with other data it is not. */
START_TEST(shared_set_again)
{
	struct rr_shared changed = shared_data;
	struct bu b = make_bu(NULL, &coa, 10);

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	send_bu(&b);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	bound_at(&coa);
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, 20), 0);
	b.seq = 20;
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	changed.care_of_nonce[0] ^= 1;
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &changed, -1), 0);
	no_binding();
	b.s = &changed;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
}
END_TEST

/* Section 4: no bidding down */
START_TEST(shared_pair_without_its_key)
{
	struct tokens t = bind_at(&coa, 1);
	struct bu b = make_bu(&t, &coa, 2);
	size_t before;

	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	no_binding(); /* it was authorized by less */
	expect_silence(&b);
	before = w.n_sent;
	send_init(&home, &local, 0, MH_HOTI);
	ck_assert_uint_eq(w.n_sent, before);
	/* and back */
	b.t = NULL;
	b.s = &shared_data;
	send_bu(&b);
	bound_at(&coa);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, NULL, 0), 0);
	no_binding();
	b.seq = 3;
	expect_silence(&b);
	bind_at(&coa, 3);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, NULL, 0), 0);
	bound_at(&coa);
}
END_TEST

START_TEST(shared_data_that_is_refused)
{
	struct rr_shared s = shared_data;

	s.kcn_len = 19;
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &s, -1), -EINVAL);
	s = shared_data;
	s.home_nonce_len = RR_MAX_SECRET + 1;
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &s, -1), -EINVAL);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	ck_assert_int_eq(cn_shared_set(cn, &other, &home, &shared_data, -1), 0);
	ck_assert_int_eq(cn_shared_set(cn, &local, &coa, &shared_data, -1), -EEXIST);
}
END_TEST

START_TEST(shared_has_room)
{
	struct cn_config c = {.max_bindings = 1, .max_shared_lifetime_s = 40};
	struct bu b = make_bu(NULL, &coa, 10);

	start(&c, &ro);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	ck_assert_uint_eq(bind_nth(1, 105, 1), BA_ACCEPTED);
	b.s = &shared_data;
	send_bu(&b);
	ck_assert_uint_eq(expect_ba(&b, BA_ACCEPTED, true)->u.ba.lifetime, 10);
	ck_assert_uint_eq(cn_count(cn), 2);
}
END_TEST

/* And is never the one that gives way */
START_TEST(shared_stays)
{
	struct cn_config c = {.max_bindings = 2};
	struct bu b = make_bu(NULL, &coa, 10);

	start(&c, &ro);
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b.s = &shared_data;
	b.lifetime = 1000;
	send_bu(&b);
	pass_s(1000);
	for (unsigned i = 1; i < 3; i++) {
		ck_assert_uint_eq(bind_nth(i, 105, 1), BA_ACCEPTED);
		pass_s(200);
	}
	ck_assert_uint_eq(cn_stats(cn)->evicted, 1);
	w.peer_coa = coa;
	bound_at(&coa);
}
END_TEST

/* ---- the rest ---- */

static bool count_info(void *arg, const struct cn_binding_info *i)
{
	size_t *n = arg;

	ck_assert(in6_equal(&i->home_address, &home) && in6_equal(&i->local, &local));
	ck_assert(in6_equal(&i->care_of, &coa));
	ck_assert_uint_eq(i->lifetime_s, 420);
	ck_assert_uint_eq(i->remaining_s, 400);
	ck_assert_uint_eq(i->age_s, 20);
	ck_assert_uint_eq(i->seq, 3);
	ck_assert(!i->shared);
	++*n;
	return true;
}

START_TEST(asked_and_withdrawn)
{
	size_t n = 0;

	bind_at(&coa, 3);
	pass_s(20);
	cn_foreach(cn, count_info, &n);
	ck_assert_uint_eq(n, 1);
	cn_withdraw(cn);
	no_binding();
	w.n_sent = 0;
	send_init(&home, &local, 0, MH_HOTI);
	cn_unverified_home_address(cn, &local, &home, &coa);
	ck_assert_uint_eq(w.n_sent, 0);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
}
END_TEST

START_TEST(wanted)
{
	uint8_t data[16] = {59, 1, MH_BU};
	struct mip6_packet p = {.data = data, .len = sizeof(data)};

	ck_assert(cn_wants(&p));
	data[8] = BU_F_H >> 8;
	ck_assert(!cn_wants(&p));
	data[2] = MH_COTI;
	ck_assert(cn_wants(&p));
	data[2] = MH_HOTI;
	ck_assert(cn_wants(&p));
	data[2] = MH_HOT;
	ck_assert(!cn_wants(&p));
	data[2] = MH_BU;
	p.len = 8;
	ck_assert(!cn_wants(&p));
	p.len = 2;
	ck_assert(!cn_wants(&p));
}
END_TEST

int main(void)
{
	const TTest *const all[] = {refresh_request, no_refresh_request_for_what_is_gone,
		full_of_bindings_in_use, full_of_new_bindings, full_of_forgotten_bindings,
		shared_closed, shared_kbm, shared_with_nonce_indices, shared_after_restart,
		shared_set_again, shared_pair_without_its_key, shared_data_that_is_refused,
		shared_has_room, shared_stays, asked_and_withdrawn, wanted};

	return RUN("cn, life", all, setup, teardown);
}
