/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The correspondent: what it does not accept, what it does not answer, and errors. */
#include "tests/unit/cn_world.h"

/* ---- addresses ---- */

START_TEST(addresses_that_cannot_be)
{
	static const char *const bad[] = {
		"::", "::1", "ff0e::1", "fe80::1", "::ffff:192.0.2.1", "fec0::1"};
	struct tokens t = tests(&home, &coa);
	struct in6_addr a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bu b = make_bu(&t, &coa, 1);

		inet_pton(AF_INET6, bad[i], &a);
		b.home = &a;
		expect_silence(&b);
		b.home = &home;
		b.source = &a;
		expect_silence(&b);
		b.alt = &coa;
		expect_silence(&b);
		b.source = &coa;
		b.alt = &a;
		expect_silence(&b);
		b.alt = NULL;
		local = a;
		expect_silence(&b);
		inet_pton(AF_INET6, "2001:db8:c::c", &local);
		ck_assert_uint_eq(cn_stats(cn)->bad_authenticator, 0);
	}
}
END_TEST

START_TEST(home_address_of_ours)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	b.home = &other;
	expect_silence(&b);
	b.home = &local;
	expect_silence(&b);
	ck_assert_uint_eq(cn_stats(cn)->bad_authenticator, 0);
}
END_TEST

/* A circle, or a care-of address that is ours: authentic, and refused all the same. */
START_TEST(care_of_address_that_cannot_serve)
{
	struct in6_addr home2;
	struct tokens t;
	struct bu b;

	inet_pton(AF_INET6, "2001:db8:1::200", &home2);
	bind_at(&coa, 1);
	t = tests(&home2, &home);
	b = make_bu(&t, &home, 1);
	b.home = &home2;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	ck_assert_uint_eq(cn_count(cn), 1);
	/* a number that was refused is used up as well, where there is an entry */
	t = tests(&home2, &coa2);
	b = make_bu(&t, &coa2, 1);
	b.home = &home2;
	send_bu(&b);
	expect_ba(&b, BA_ACCEPTED, true);
	t = tests(&home2, &home);
	b = make_bu(&t, &home, 2);
	b.home = &home2;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
	ck_assert_uint_eq(cn_remove(cn, &local, &home2), 1);
	/* an address of ours cannot be tested; somebody with a shared Kbm can name it */
	ck_assert_int_eq(cn_shared_set(cn, &local, &home, &shared_data, -1), 0);
	b = make_bu(NULL, &coa, 2);
	b.s = &shared_data;
	b.alt = &other;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	b.seq = 3;
	b.alt = &local;
	send_bu(&b);
	expect_ba(&b, BA_INVALID_COA, true);
	no_binding();
}
END_TEST

/* 9.1: each of our addresses has its own binding for a home address. */
START_TEST(two_addresses_of_ours)
{
	struct in6_addr a, first = local;

	bind_at(&coa, 5);
	local = other;
	ck_assert(!cn_care_of(cn, &local, &home, &a));
	bind_at(&coa2, 1);
	bound_at(&coa2);
	ck_assert_uint_eq(cn_count(cn), 2);
	ck_assert(cn_care_of(cn, &first, &home, &a) && in6_equal(&a, &coa));
	ck_assert_uint_eq(cn_remove(cn, &local, &home), 1);
	bind_at(&coa2, 2);
	w.any_local = true;
	ck_assert_uint_eq(cn_remove(cn, &in6addr_any, &home), 2);
}
END_TEST

static bool nobody(void *ctx, const struct in6_addr *l, const struct in6_addr *h)
{
	(void)ctx;
	(void)l;
	(void)h;
	return false;
}

START_TEST(not_allowed)
{
	struct cn_config c = {.allowed = nobody};
	struct tokens t;
	struct bu b;

	start(&c, &ro);
	t = tests(&home, &coa);
	b = make_bu(&t, &coa, 1);
	send_bu(&b);
	expect_ba(&b, BA_PROHIBITED, true);
	no_binding();
}
END_TEST

/* 10.3.1: no home agent here; 9.5.1: and no change of the type of a binding */
START_TEST(home_registration)
{
	struct bu b = make_bu(NULL, &coa, 1);

	b.no_auth = true;
	b.flags = BU_F_A | BU_F_H;
	send_bu(&b);
	expect_ba(&b, BA_NO_HOME_REGISTRATION, false);
	bind_at(&coa, 1);
	b.seq = 2;
	send_bu(&b);
	expect_ba(&b, BA_TYPE_CHANGE, false);
	bound_at(&coa);
}
END_TEST

START_TEST(kernel_refuses)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	w.peer_set_err = -ENOBUFS;
	send_bu(&b);
	expect_ba(&b, BA_RESOURCES, true);
	no_binding();
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	w.peer_set_err = 0;
	send_bu(&b); /* nothing was kept */
	expect_ba(&b, BA_ACCEPTED, true);
	/* a move that fails: better none than the old place */
	w.peer_set_err = -ENOBUFS;
	t.care_of = test(MH_COTI, &coa2, &t.care_of_index);
	b = make_bu(&t, &coa2, 2);
	send_bu(&b);
	expect_ba(&b, BA_RESOURCES, true);
	no_binding();
	ck_assert_str_eq(w.gone.text, "the direct path cannot be set");
	send_bu(&b);
	expect_ba(&b, BA_SEQUENCE, true);
}
END_TEST

/* ---- tests ---- */

START_TEST(tests_that_are_ignored)
{
	static const char *const bad[] = {"::", "::1", "ff0e::1", "fe80::1", "::ffff:192.0.2.1"};
	struct in6_addr a;

	send_init(&home, &local, MIP6_PKT_HAO, MH_HOTI); /* 9.4.1 */
	send_init(&home, &local, MIP6_PKT_HAO, MH_COTI);
	send_init(&local, &local, 0, MH_COTI);
	send_init(&other, &local, 0, MH_COTI);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		inet_pton(AF_INET6, bad[i], &a);
		send_init(&a, &local, 0, MH_HOTI);
		send_init(&home, &a, 0, MH_HOTI);
	}
	ck_assert_uint_eq(w.n_sent, 0);
	send_init(&home, &local, MIP6_PKT_TUNNELED, MH_HOTI);
	ck_assert_uint_eq(w.n_sent, 1);
}
END_TEST

/* 5.2.5: nothing is kept, so the answer to the same question is the same */
START_TEST(tests_without_state)
{
	struct tokens t = tests(&home, &coa), again;

	again = tests(&home, &coa);
	ck_assert_uint_eq(t.home, again.home);
	ck_assert_uint_eq(t.care_of, again.care_of);
	ck_assert_uint_ne(t.home, t.care_of);
	pass_s(31);
	again = tests(&home, &coa);
	ck_assert_uint_ne(t.home_index, again.home_index);
	ck_assert_uint_ne(t.home, again.home);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
}
END_TEST

/* A flood from (or for) one prefix does not shut out others, and ends. */
START_TEST(tests_are_limited)
{
	struct in6_addr a = coa;
	uint64_t limited;

	for (unsigned i = 0; i < 100000; i++) {
		a.s6_addr[15] = (uint8_t)i;
		a.s6_addr[14] = (uint8_t)(i >> 8);
		send_init(&a, &local, 0, MH_COTI);
	}
	ck_assert_uint_le(cn_stats(cn)->cot_sent, 400);
	ck_assert_uint_ge(cn_stats(cn)->cot_sent, 100);
	limited = cn_stats(cn)->tests_limited;
	ck_assert_uint_ge(limited, 99600);
	tests(&home, &coa2);
	ck_assert_uint_eq(cn_stats(cn)->tests_limited, limited);
	pass_s(1);
	tests(&home, &coa);
}
END_TEST

START_TEST(refusals_are_limited)
{
	struct tokens t = tests(&home, &coa);
	struct bu b = make_bu(&t, &coa, 1);

	t.home_index = (uint16_t)(t.home_index + 50);
	for (int i = 0; i < 1000; i++)
		send_bu(&b);
	ck_assert_uint_le(cn_stats(cn)->ba_sent, 100);
	ck_assert_uint_ge(cn_stats(cn)->ba_sent, 20);
	ck_assert_uint_eq(cn_stats(cn)->refused, 1000);
}
END_TEST

/* ---- errors ---- */

START_TEST(unknown_type)
{
	uint8_t data[8] = {59, 0, 99};
	struct mip6_packet p = {.src = home,
		.src_coa = coa,
		.dst = local,
		.flags = MIP6_PKT_HAO,
		.data = data,
		.len = sizeof(data)};
	const struct sent *s;

	cn_receive_mh(cn, &p);
	s = last_sent();
	ck_assert_uint_eq(s->m.type, MH_BE);
	ck_assert_uint_eq(s->m.u.be.status, BE_UNKNOWN_MH_TYPE);
	ck_assert(in6_equal(&s->m.u.be.home_address, &home));
	ck_assert(in6_equal(&s->p.dst, &coa)); /* from the wire, 9.3.3 */
	ck_assert_uint_eq(s->p.flags, 0);
	p.flags = 0;
	cn_receive_mh(cn, &p);
	ck_assert(in6_is_any(&last_sent()->m.u.be.home_address));
	ck_assert(in6_equal(&last_sent()->p.dst, &home));
	ck_assert_uint_eq(w.n_sent, 2);
	p.src = (struct in6_addr){{{0xff, 0x0e}}};
	cn_receive_mh(cn, &p);
	p.src = home;
	p.dst = (struct in6_addr){{{0xff, 0x0e}}};
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(w.n_sent, 2);
	ck_assert_uint_eq(cn_stats(cn)->unknown_type, 4);
}
END_TEST

START_TEST(parameter_problem)
{
	uint8_t data[16] = {58, 1, MH_HOTI};
	struct mip6_packet p = {.src = coa, .dst = local, .data = data, .len = sizeof(data)};
	struct icmp6_error e;

	cn_receive_mh(cn, &p);
	ck_assert(last_sent()->icmp6);
	ck_assert_uint_eq(last_sent()->data[0], ICMP6T_PARAM_PROBLEM);
	ck_assert_uint_eq(last_sent()->data[7], 40); /* Payload Proto */
	data[0] = 59;
	data[1] = 0;
	p.len = 8;
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(last_sent()->data[7], 41); /* Header Len */
	ck_assert_uint_eq(w.n_sent, 2);
	p.flags = MIP6_PKT_PROTECTED;
	cn_receive_mh(cn, &p);
	ck_assert_uint_eq(w.n_sent, 2);
	ck_assert_uint_eq(cn_stats(cn)->malformed, 3);
	/* from and to what stood in the IPv6 header, and that is what is quoted */
	p.flags = MIP6_PKT_HAO | MIP6_PKT_RH2;
	p.src = home;
	p.src_coa = coa;
	p.dst_coa = coa2;
	cn_receive_mh(cn, &p);
	ck_assert(in6_equal(&last_sent()->p.src, &coa2) && in6_equal(&last_sent()->p.dst, &coa));
	ck_assert(icmp6_error_parse(last_sent()->data, last_sent()->p.len, &e));
	ck_assert(in6_equal(&e.src, &coa) && in6_equal(&e.dst, &coa2));
	ck_assert(e.has_hao && in6_equal(&e.hao, &home));
	ck_assert(e.has_rh2 && in6_equal(&e.rh2, &local));
	ck_assert_uint_eq(e.info, e.proto_offset + 1);
}
END_TEST

/* 9.3.1 */
START_TEST(unverified_home_address)
{
	const struct sent *s;

	cn_unverified_home_address(cn, &local, &home, &coa);
	s = last_sent();
	ck_assert_uint_eq(s->m.type, MH_BE);
	ck_assert_uint_eq(s->m.u.be.status, BE_UNKNOWN_BINDING);
	ck_assert(in6_equal(&s->m.u.be.home_address, &home));
	ck_assert(in6_equal(&s->p.dst, &coa) && in6_equal(&s->p.src, &local));
	bind_at(&coa, 1);
	w.n_sent = 0;
	cn_unverified_home_address(cn, &local, &home, &coa); /* bound meanwhile */
	ck_assert_uint_eq(w.n_sent, 0);
	for (int i = 0; i < 1000; i++)
		cn_unverified_home_address(cn, &local, &home, &coa2);
	ck_assert_uint_le(w.n_sent, 100);
	ck_assert_uint_gt(cn_stats(cn)->be_limited, 0);
}
END_TEST

static void unreachable(uint8_t code, const struct in6_addr *to, const struct in6_addr *rh2)
{
	struct icmp6_error e = {.type = ICMP6T_UNREACHABLE,
		.code = code,
		.src = local,
		.dst = *to,
		.has_rh2 = rh2 != NULL,
		.rh2 = rh2 ? *rh2 : home};

	cn_icmp_error(cn, &e);
}

/* 9.3.4: "only persistent ICMP messages lead to the deletion" */
START_TEST(unreachable_care_of_address)
{
	bind_at(&coa, 1);
	for (int i = 0; i < 1000; i++)
		unreachable(3, &coa, &home); /* many, but all at once */
	bound_at(&coa);
	for (int i = 0; i < 10; i++) {
		pass_s(31);
		unreachable(3, &coa, &home); /* now and then */
	}
	bound_at(&coa);
	for (int i = 0; i < 10; i++) {
		pass_s(2);
		unreachable(4, &coa, &home); /* not the address */
		unreachable(0, &coa2, &home);
		unreachable(0, &coa, &coa2);
		unreachable(0, &coa, NULL);
	}
	bound_at(&coa);
	pass_s(31);
	unreachable(0, &coa, &home);
	pass_s(6);
	unreachable(0, &coa, &home); /* two */
	bound_at(&coa);
	pass_s(31);
	for (int i = 0; i < 4; i++) {
		pass_s(2);
		unreachable(0, &coa, &home);
	}
	bind_at(&coa, 2); /* it is there, says a Binding Update */
	unreachable(0, &coa, &home);
	bound_at(&coa);
	pass_s(31);
	for (int i = 0; i < 5; i++) {
		pass_s(2);
		unreachable(0, &coa, &home);
	}
	no_binding();
	ck_assert_int_eq(w.last.type, EV_CN_BINDING_GONE);
}
END_TEST

/* Of a mobile node that is a correspondent: its own care-of address is the source on the wire. */
START_TEST(unreachable_from_a_care_of_address)
{
	struct icmp6_error e = {.type = ICMP6T_UNREACHABLE,
		.src = coa2,
		.dst = coa,
		.has_rh2 = true,
		.rh2 = home,
		.has_hao = true,
		.hao = local};

	bind_at(&coa, 1);
	for (int i = 0; i < 5; i++) {
		pass_s(2);
		cn_icmp_error(cn, &e);
	}
	no_binding();
}
END_TEST

int main(void)
{
	const TTest *const all[] = {addresses_that_cannot_be, home_address_of_ours,
		care_of_address_that_cannot_serve, two_addresses_of_ours, not_allowed,
		home_registration, kernel_refuses, tests_that_are_ignored, tests_without_state,
		tests_are_limited, refusals_are_limited, unknown_type, parameter_problem,
		unverified_home_address, unreachable_care_of_address,
		unreachable_from_a_care_of_address};

	return RUN("cn, refused", all, setup, teardown);
}
