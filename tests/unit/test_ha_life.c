/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent's core: restart, large numbers, a random walk. */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "tests/unit/ha_world.h"

/* ---- restart, clean stop, removal ---- */

static struct ha_binding_record record(const char *home, uint32_t remaining_s)
{
	return (struct ha_binding_record){.home_address = addr(home),
		.care_of = addr("c1"),
		.seq = 500,
		.flags = BU_F_A | BU_F_H,
		.lifetime_s = 400,
		.remaining_s = remaining_s};
}

START_TEST(restores)
{
	struct ha_binding_record r = record("h1", 300);

	r.flags |= BU_F_L;
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	EXPECT("fwd+ h1 > c1\nproxy+ h1\nproxy+ ll1\n"); /* no DAD, and the store has it */
	EXPECT_EVENTS("binding-new h1 (restored)\n");
	pass_s(3);
	EXPECT("NA h1\nNA ll1\nNA h1\nNA ll1\nNA h1\nNA ll1\n");
	ck_assert_uint_eq(find("h1").remaining_s, 297);
	ck_assert_uint_eq(find("h1").age_s, 103);
	ck_assert_uint_eq(ha_stats(w.ha)->registrations, 0);
	ck_assert_int_eq(ha_restore(w.ha, &r), -EEXIST);
	bu(.seq = 500, .life = 10);
	EXPECT("BA status 135 seq 500 life 0 to c1 for h1\n");
	bu(.seq = 501, .life = 10, .flags = BU_F_L);
	EXPECT("put h1 seq 501 left 40\nBA status 0 seq 501 life 10 to c1 for h1\n");
	pass_s(40);
	EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\ndel h1\n");
}
END_TEST

START_TEST(restores_invalid)
{
	struct ha_binding_record r = record("h1", 7);

	r.invalid = true;
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	EXPECT("");
	ck_assert_uint_eq(ha_count(w.ha), 0);
	bu(.seq = 500, .life = 10);
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
	forget();
	pass_s(7);
	EXPECT("del h1\n");
	ck_assert(!exists("h1"));
	r.remaining_s = 1000; /* never more than MAX_DELETE_BCE_TIMEOUT */
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	pass_s(10);
	ck_assert(!exists("h1"));
}
END_TEST

START_TEST(restore_refuses)
{
	struct ha_binding_record r = record("h1", 0);

	ck_assert_int_eq(ha_restore(w.ha, &r), -ETIMEDOUT);
	r = record("foreign", 100);
	ck_assert_int_eq(ha_restore(w.ha, &r), -EACCES);
	r = record("multicast", 100);
	ck_assert_int_eq(ha_restore(w.ha, &r), -EINVAL);
	r = record("h1", 100);
	r.care_of = addr("h1");
	ck_assert_int_eq(ha_restore(w.ha, &r), -EINVAL);
	w.forward_error = -ENOSPC;
	r = record("h1", 100);
	EXPECT("");
	ck_assert_int_eq(ha_restore(w.ha, &r), -ENOSPC);
	ck_assert(!exists("h1"));
	w.forward_error = 0;
	w.config.prefixes[0].valid_s = 50;
	start();
	ck_assert_int_eq(ha_restore(w.ha, &r), 0);
	ck_assert_uint_eq(find("h1").remaining_s, 50);
}
END_TEST

static bool restore_one(void *arg, const struct ha_binding_info *i)
{
	struct ha_binding_record r = {i->home_address, i->care_of, i->seq, i->flags, i->lifetime_s,
		i->remaining_s, i->state == HA_BINDING_INVALID, i->n_networks, i->networks};

	ck_assert_int_eq(ha_restore(arg, &r), 0);
	return true;
}

/* All advertised again after a restart, but not all at once. */
START_TEST(restores_many)
{
	struct ha *old = w.ha;

	w.quiet = true;
	many(1000, 1, "c1", 0);
	pass_s(5);
	ck_assert_uint_eq(ha_count(w.ha), 1000);
	w.ha = NULL;
	start();
	w.n_na = 0;
	ha_foreach(old, restore_one, w.ha);
	ck_assert_uint_eq(w.n_na, 0);
	pass_ms(100);
	ck_assert_uint_ge(w.n_na, 500);
	ck_assert_uint_le(w.n_na, 501);
	pass_s(5);
	ck_assert_uint_eq(w.n_na, 3000);
	ck_assert_uint_eq(ha_count(w.ha), 1000);
	ha_free(old);
}
END_TEST

START_TEST(withdraws)
{
	struct mip6_packet p = {.dst = addr("ha")};

	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	pass_s(1);
	bu(.seq = 5, .life = 10, .home = "h2");
	forget();
	ha_withdraw(w.ha);
	if (strncmp(w.trace, "hear", 4) == 0)
		EXPECT("hear- h2\nproxy- h1\nproxy- ll1\nfwd- h1\n");
	else
		EXPECT("proxy- h1\nproxy- ll1\nfwd- h1\nhear- h2\n");
	pass_s(1000);
	bu(.seq = 6, .life = 10);
	ha_receive_icmp6(w.ha, &p);
	EXPECT("");
}
END_TEST

START_TEST(frees_in_any_state)
{
	bu(.seq = 5, .life = 10, .flags = BU_F_L);
	pass_s(1);
	bu(.seq = 5, .life = 10, .home = "h2", .flags = BU_F_L);
	forget();
	ha_free(w.ha);
	w.ha = NULL;
	EXPECT(""); /* the kernel's state stays for whoever comes next */
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
}
END_TEST

START_TEST(removes_by_hand)
{
	struct in6_addr h1 = addr("h1");

	ck_assert(!ha_remove(w.ha, &h1));
	bu(.seq = 5, .life = 10);
	pass_s(1);
	forget();
	ck_assert(ha_remove(w.ha, &h1));
	EXPECT("proxy- h1\nfwd- h1\ndel h1\n");
	EXPECT_EVENTS("binding-gone h1 (removed by hand)\n");
	ck_assert(!ha_remove(w.ha, &h1));
	pass_s(100);
	EXPECT("");
}
END_TEST

/* ---- many ---- */

/* All of them in the same second: DAD costs a timer each and none fails. */
START_TEST(thousands_of_dads_at_once)
{
	enum { N = 5000 };

	w.config.max_bindings = 0;
	start();
	w.quiet = true;
	many(N, 1, "c1", BU_F_L);
	ck_assert_uint_eq(w.n_ns, 2 * N);
	ck_assert_uint_eq(w.n_ba, 0);
	nd(.type = ICMP6T_NA, .target = "2001:db8:1::2:0:7");
	nd(.type = ICMP6T_NS, .target = "fe80::2:0:8"); /* of ...::2:0:8 */
	ck_assert_uint_eq(w.n_ba, 2);
	pass_s(1);
	ck_assert_uint_eq(w.n_ba, N);
	ck_assert_uint_eq(ha_count(w.ha), N - 2);
	ck_assert_uint_eq(ha_stats(w.ha)->dad_failures, 2);
	pass_s(400);
	ck_assert_uint_eq(ha_count(w.ha), 0);
	ck_assert_uint_eq(w.n_na, (N - 2) * 2 * 3);
}
END_TEST

static size_t memory(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* With BENCH set in the environment the cost of a binding is printed. */
START_TEST(hundred_thousand)
{
	enum { N = 100000 };
	size_t before;
	clock_t t0, t1, t2;

	w.config.max_bindings = 0;
	w.config.home_ifindex = getenv("BENCH_DAD") ? HOME_IF : 0;
	start();
	w.quiet = true;
	before = memory();
	t0 = clock();
	many(N, 1, "c1", 0);
	pass_s(5);
	t1 = clock();
	ck_assert_uint_eq(ha_count(w.ha), N);
	if (getenv("BENCH"))
		printf("%.1f octets a binding\n", (double)(memory() - before) / N);
	many(N, 2, "c2", 0);
	t2 = clock();
	ck_assert_uint_eq(ha_stats(w.ha)->moves, N);
	if (getenv("BENCH"))
		printf("%.2f us a registration, %.2f us a move\n", (double)(t1 - t0) / N,
			(double)(t2 - t1) / N);
	pass_s(400);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

/* ---- a random walk: whatever happens, kernel and cache agree ---- */

static unsigned pick(unsigned n)
{
	uint32_t r;

	w_random(NULL, &r, sizeof(r));
	return r % n;
}
#define PICK(...)                                   \
	(((const char *const[]){__VA_ARGS__})[pick( \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))])

static void random_bu(unsigned *seq)
{
	static const unsigned flags[] = {0, BU_F_L, BU_F_L, BU_F_R};

	*seq += pick(8) ? 1 : (unsigned)-2;
	bu(.home = PICK("h1", "h2", "h1b", "h1"), .care_of = PICK("c1", "c2", "h1", "ha"),
		.seq = *seq, .life = pick(4) ? 1 + pick(4) : 0, .flags = flags[pick(4)],
		.no_hao = pick(10) == 0, .ifindex = pick(2) ? HOME_IF : OTHER_IF);
}

static void random_step(unsigned *seq)
{
	struct in6_addr gone;

	switch (pick(20)) {
	case 0:
		pass_ms(pick(12000));
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		pass_ms(pick(700));
		break;
	case 1:
		nd(.type = pick(2) ? ICMP6T_NA : ICMP6T_NS,
			.target = PICK("h1", "h2", "ll1", "h1b"));
		break;
	case 2:
		ha_home_link(w.ha, pick(4) ? HOME_IF : 0, w.config.home_lladdr, 6);
		break;
	case 3:
		gone = addr(PICK("h1", "h2", "h1b"));
		ha_remove(w.ha, &gone);
		break;
	case 4:
		w.forward_error = pick(5) ? 0 : -ENOSPC;
		break;
	case 5:
		if (w.ns_len)
			own_echo();
		break;
	default:
		random_bu(seq);
	}
}

static bool agrees(void *arg, const struct ha_binding_info *i)
{
	struct kernel_row *k = kernel_row(&i->home_address);

	switch (i->state) {
	case HA_BINDING_ACTIVE:
		ck_assert_int_eq(k->forwarding, 1);
		ck_assert_mem_eq(&k->care_of, &i->care_of, 16);
		ck_assert_int_eq(k->hears, 0);
		ck_assert_int_eq(k->stored, 1);
		*(bool *)arg |= i->flags & BU_F_L;
		break;
	case HA_BINDING_DAD:
		if (k->forwarding)
			ck_assert_mem_eq(&k->care_of, &i->care_of, 16);
		ck_assert_int_eq(k->proxy, 0);
		ck_assert_int_eq(k->hears, 1);
		ck_assert_int_ne(k->stored, 1);
		break;
	case HA_BINDING_INVALID:
		ck_assert_int_eq(k->forwarding, 0);
		ck_assert_int_eq(k->proxy, 0);
		ck_assert_int_eq(k->hears, 0);
		ck_assert_int_eq(k->stored, 2);
		break;
	}
	return true;
}

static void check_kernel(void)
{
	static const char *const homes[] = {"h1", "h2", "h1b"};

	bool any_l = false; /* an active binding asks for its link-local address */
	struct in6_addr ll1 = addr("ll1");

	ha_foreach(w.ha, agrees, &any_l);
	if (!any_l)
		ck_assert_int_eq(kernel_row(&ll1)->proxy, 0);
	for (size_t i = 0; i < 3; i++) {
		struct in6_addr a = addr(homes[i]);
		struct kernel_row *k = kernel_row(&a);

		if (!exists(homes[i]))
			ck_assert_int_eq(k->forwarding | k->proxy | k->hears | k->stored, 0);
	}
}

START_TEST(random_walk)
{
	unsigned seq = 0;

	w.random = (uint64_t)_i;
	w.config.optimistic = _i & 1;
	add_prefix("2001:db8:2::/64", UINT32_MAX, UINT32_MAX);
	start();
	for (int i = 0; i < 3000; i++) {
		random_step(&seq);
		check_kernel();
		forget();
	}
	pass_s(100);
	for (size_t i = 0; i < 16; i++)
		ck_assert_int_eq(kernel[i].forwarding | kernel[i].proxy | kernel[i].hears, 0);
	ck_assert_int_eq(timerq_next(w.timers).us, MONOTIME_NEVER.us);
	/* It was not for nothing. */
	ck_assert_uint_gt(ha_stats(w.ha)->registrations, 30);
	ck_assert_uint_gt(ha_stats(w.ha)->dad_failures, 10);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("restart and numbers");

	tcase_add_checked_fixture(t, setup_link, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, restores);
	tcase_add_test(t, restores_invalid);
	tcase_add_test(t, restore_refuses);
	tcase_add_test(t, restores_many);
	tcase_add_test(t, withdraws);
	tcase_add_test(t, frees_in_any_state);
	tcase_add_test(t, removes_by_hand);
	tcase_add_loop_test(t, random_walk, 0, 20);
	tcase_add_test(t, thousands_of_dads_at_once);
	tcase_add_test(t, hundred_thousand);
	return run_case("home agent, restart and numbers", t);
}
