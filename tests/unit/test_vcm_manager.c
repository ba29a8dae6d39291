/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/manager.h: who is told what, in which order, and what nodes cannot take. */
#include <check.h>

#include "lib/addr.h"
#include "tests/run.h"
#include "tests/unit/vcm_world.h"

static bool all_zero(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const uint8_t *)p)[i])
			return false;
	return true;
}

/* Figure 2: report, offers, READY passed on, ACTIVE. */
START_TEST(in_order)
{
	const struct vcm_message *a = &w.ends[0].offer, *b = &w.ends[1].offer;

	talk(0, 1);
	world_run(3);
	ck_assert_uint_eq(w.n_sessions, 0);
	ck_assert(world_until(direct, 2000));
	ck_assert_int_eq(w.ends[GATEWAY].last_status, VCM_OK);
	ck_assert_int_lt(place_in_log(0, VCM_OFFER), place_in_log(0, VCM_PEER_READY));
	ck_assert_int_lt(place_in_log(1, VCM_OFFER), place_in_log(1, VCM_PEER_READY));
	ck_assert_uint_eq(a->in.spi, b->out.spi);
	ck_assert_uint_eq(a->out.spi, b->in.spi);
	ck_assert_uint_ge(a->in.spi, 0x1000);
	ck_assert_mem_eq(a->in.key, b->out.key, 36);
	ck_assert_mem_eq(a->out.key, b->in.key, 36);
	ck_assert_mem_ne(a->in.key, a->out.key, 36);
	ck_assert_uint_eq(a->in.key_len, 36);
	ck_assert_mem_eq(&a->kcn, &b->kcn, sizeof(a->kcn));
	ck_assert_uint_eq(a->kcn.kcn_len, 20);
	ck_assert_str_eq(a->algorithm, "aes-256-gcm");
	ck_assert_uint_ge(a->lifetime_s, 3599); /* HELLO took some ms */
	ck_assert_uint_le(a->lifetime_s, 3600);
	ck_assert_uint_eq(a->linger_s, 60);
	ck_assert(in6_equal(&a->peer_internal, &w.ends[1].internal));
	ck_assert(in6_equal(&a->peer_home, &w.ends[1].home));
	ck_assert(in6_equal(&b->peer_home, &w.ends[0].home));
	ck_assert_uint_eq(w.early, 0);
	ck_assert_uint_eq(manager_stats().direct, 1);
	ck_assert(audited("session-offered symmetric"));
	ck_assert(audited("session-direct aes-256-gcm\n"));
	ck_assert(audited("session-active - by fd00:0:0:1::1\n"));
	ck_assert(audited("session-active - by fd00:0:0:1::2\n"));
}
END_TEST

/* Each READY goes on at once, whatever the other one does. */
START_TEST(ready_at_once)
{
	w.ends[1].deaf = true;
	talk(0, 1);
	world_run(500);
	ck_assert(stored(0, 1)->ready_a);
	ck_assert_int_eq(place_in_log(0, VCM_PEER_READY), -1);
	w.ends[1].deaf = false;
	w.ends[1].asleep = true;
	world_run(5000);
	ck_assert_int_ge(place_in_log(1, VCM_PEER_READY), 0);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	ck_assert_int_eq(place_in_log(0, VCM_PEER_READY), -1);
}
END_TEST

/* It comes late, and says what is left of the lifetime by then: HELLO was lost, or it was lost itself. */
START_TEST(late_offer)
{
	struct vcm_message m = {.type = VCM_HELLO};

	if (_i)
		say(1, &m);
	world_run(500);
	w.ends[1].deaf = true;
	talk(0, 1);
	world_run(10 * 1000);
	w.ends[1].deaf = false;
	ck_assert(world_until(direct, 5000));
	ck_assert_uint_ge(w.ends[0].offer.lifetime_s, 3599);
	ck_assert_uint_le(w.ends[1].offer.lifetime_s, 3590);
	ck_assert_uint_ge(w.ends[1].offer.lifetime_s, 3580);
}
END_TEST

START_TEST(keys_are_wiped)
{
	const struct vcm_session_secrets *x;

	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(500);
	x = &stored(0, 1)->secrets;
	ck_assert_uint_eq(x->key_len, 36);
	ck_assert(!all_zero(x->key_ab, 36));
	say_session(1, VCM_READY, stored(0, 1)->id, 1);
	world_run(500);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_DIRECT);
	ck_assert(all_zero(&stored(0, 1)->secrets, sizeof(*x)));
}
END_TEST

/* What was ended is fresh the next time. */
START_TEST(fresh_secrets)
{
	struct vcm_message first;
	uint64_t id = begin_direct();

	first = w.ends[0].offer;
	ck_assert_int_eq(vcm_manager_end_session(w.m, id, VCM_BY_HAND), 0);
	ck_assert(world_until(none, 2000));
	ck_assert_uint_ne(begin_direct(), id);
	ck_assert_mem_ne(first.in.key, w.ends[0].offer.in.key, 36);
	ck_assert_mem_ne(first.out.key, w.ends[0].offer.out.key, 36);
	ck_assert_mem_ne(first.kcn.kcn, w.ends[0].offer.kcn.kcn, 20);
	ck_assert_uint_ne(first.in.spi, w.ends[0].offer.in.spi);
}
END_TEST

START_TEST(shared_key)
{
	w.policy.shared_key = true;
	w.policy.kcn = false;
	begin_direct();
	ck_assert_mem_eq(w.ends[0].offer.in.key, w.ends[0].offer.out.key, 36);
	ck_assert(!(w.ends[0].offer.has & VCM_HAS_KCN));
}
END_TEST

START_TEST(asymmetric)
{
	struct vcm_message again = {.type = VCM_PUBLIC,
		.has = VCM_HAS_SESSION | VCM_HAS_PUBLIC,
		.generation = 1,
		.public_key = {99}};
	const struct vcm_message *a = &w.ends[0].offer, *b = &w.ends[1].offer;

	w.policy.variant = VCM_ASYMMETRIC;
	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(500);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_INVITED);
	ck_assert_uint_eq(w.ends[0].n_offers, 0);
	again.session = stored(0, 1)->id;
	say(0, &again); /* the first one counts */
	say_session(0, VCM_READY, again.session, 1); /* without keys */
	world_run(100);
	ck_assert_int_eq(w.ends[0].last_status, VCM_UNKNOWN_SESSION);
	ck_assert(!stored(0, 1)->ready_a);
	world_run(100);
	w.ends[1].asleep = false;
	say_session(1, VCM_PUBLIC, stored(0, 1)->id, 1);
	ck_assert(world_until(direct, 2000));
	ck_assert_int_eq(a->public_key[0], 2);
	ck_assert_int_eq(b->public_key[0], 1);
	ck_assert_mem_eq(a->salt, b->salt, sizeof(a->salt));
	ck_assert(!all_zero(a->salt, sizeof(a->salt)));
	ck_assert_uint_eq(a->in.key_len, 0);
	ck_assert_uint_eq(a->kcn.kcn_len, 0);
	ck_assert(a->has & VCM_HAS_KCN);
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

/* ---- what nodes cannot take ---- */

START_TEST(spi_taken)
{
	uint32_t first;

	w.ends[1].refuse = 2;
	w.ends[1].answer = VCM_SPI_TAKEN;
	w.ends[0].asleep = true;
	talk(0, 1);
	ck_assert(world_until(some, 1000));
	first = stored(0, 1)->spi_b;
	w.ends[0].asleep = false;
	ck_assert(world_until(direct, 3000));
	ck_assert_uint_eq(stored(0, 1)->generation, 3);
	ck_assert_uint_ne(stored(0, 1)->spi_b, first);
	ck_assert_uint_eq(manager_stats().spi_taken, 2);
	ck_assert_uint_eq(w.early, 0);
}
END_TEST

START_TEST(spi_always_taken)
{
	w.ends[1].refuse = 1000;
	w.ends[1].answer = VCM_SPI_TAKEN;
	talk(0, 1);
	world_run(4000);
	ck_assert_uint_le(w.ends[1].n_offers, 9);
	ck_assert(none() || stored(0, 1)->state == VCM_S_ENDING);
}
END_TEST

/* Doubling: 5, 10, 20 ... seconds. */
START_TEST(backs_off)
{
	unsigned offers;

	w.ends[1].refuse = 1000;
	w.ends[1].answer = VCM_NOT_READY;
	talk(0, 1);
	world_run(4000);
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	ck_assert(none());
	talk(0, 1); /* no way around it */
	world_run(500);
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	world_run(1000);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(9000);
	ck_assert_uint_eq(w.ends[1].n_offers, 2);
	world_run(1500);
	ck_assert_uint_eq(w.ends[1].n_offers, 3);
	world_run(1000 * 1000);
	offers = w.ends[1].n_offers;
	ck_assert_uint_le(offers, 11);
	world_run(301 * 1000); /* not more than retry_most_s */
	ck_assert_uint_eq(w.ends[1].n_offers, offers + 1);
	w.ends[1].refuse = 0;
	world_run(301 * 1000);
	ck_assert(direct());
}
END_TEST

START_TEST(unsupported)
{
	w.ends[1].refuse = 1;
	w.ends[1].answer = VCM_UNSUPPORTED;
	talk(0, 1);
	world_run(400 * 1000);
	ck_assert_uint_eq(w.ends[1].n_offers, 1);
	ck_assert(none());
	ck_assert(audited("session-not-taken unsupported"));
}
END_TEST

/* Offered, and then it is gone: the other one goes back, and it is tried again. */
START_TEST(no_answer)
{
	w.ends[1].asleep = true;
	talk(0, 1);
	world_run(59 * 1000);
	ck_assert_int_eq(stored(0, 1)->state, VCM_S_OFFERED);
	world_run(2000);
	ck_assert_uint_eq(w.ends[0].n_ends, 1);
	w.ends[1].asleep = false;
	world_run(6000);
	ck_assert(direct());
}
END_TEST

int main(void)
{
	const TTest *const all[] = {in_order, ready_at_once, late_offer, keys_are_wiped,
		fresh_secrets, shared_key, asymmetric, spi_taken, spi_always_taken, backs_off,
		unsupported, no_answer};

	return RUN_LOOPED("vcm_manager", all, world_begin, world_end, late_offer, 2);
}
