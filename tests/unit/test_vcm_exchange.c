/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcm/exchange.h: two ends over a network that loses, repeats and reorders,
 * and in which either may start again.
 */
#include <check.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "vcm/exchange.h"

#define TOKENS 512
#define FLYING 256

struct end {
	struct vcm_exchange *x;
	struct in6_addr addr;
	unsigned handed_up[TOKENS], acked[TOKENS], failed[TOKENS];
	unsigned restarts, probes;
	enum vcm_status answer, last_status;
};

static struct timerq *timers;
static monotime_t clock_now;
static uint64_t dice;
static unsigned loss, twice; /* percent */
static struct end ends[2];
static uint64_t next_epoch;

static struct {
	bool used;
	monotime_t at;
	int to;
	size_t len;
	uint8_t data[VCM_MESSAGE_MAX];
} flying[FLYING];

static uint32_t roll(uint32_t below)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % below;
}

static monotime_t now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)roll(256);
}

static void fly(int to, const uint8_t *data, size_t len)
{
	for (int i = 0; i < FLYING; i++) {
		if (flying[i].used)
			continue;
		flying[i].used = true;
		flying[i].at = mono_add_ms(clock_now, 5 + roll(60));
		flying[i].to = to;
		flying[i].len = len;
		memcpy(flying[i].data, data, len);
		return;
	}
}

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct end *e = ctx;
	int peer = e == &ends[0];

	ck_assert_mem_eq(to, &ends[peer].addr, sizeof(*to));
	if (roll(100) >= loss)
		fly(peer, data, len);
	if (roll(100) < twice)
		fly(peer, data, len);
	return 0;
}

/* The session's number is the token, the generation the life in which it was sent. */
static enum vcm_status received(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	struct end *e = ctx;

	ck_assert_mem_eq(from, &ends[e == &ends[0]].addr, sizeof(*from));
	ck_assert_int_eq(m->type, VCM_READY);
	e->handed_up[m->session]++;
	return e->answer;
}

static void probe(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)from;
	ck_assert_int_eq(m->type, VCM_PROBE);
	((struct end *)ctx)->probes++;
}

static void acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status)
{
	struct end *e = ctx;

	(void)to;
	e->acked[token]++;
	e->last_status = status;
}

static void failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	(void)to;
	((struct end *)ctx)->failed[token]++;
}

static void restarted(void *ctx, const struct in6_addr *peer)
{
	(void)peer;
	((struct end *)ctx)->restarts++;
}

static const struct vcm_exchange_ops ops = {.now = now,
	.random = random_octets,
	.send = send_datagram,
	.received = received,
	.probe = probe,
	.acknowledged = acknowledged,
	.failed = failed,
	.restarted = restarted};

static void begin_with(int i, size_t max_queued)
{
	struct vcm_exchange_config c = {
		.epoch = ++next_epoch, .strangers = i == 1, .max_queued = max_queued};

	vcm_exchange_free(ends[i].x);
	ends[i].x = vcm_exchange_new(&c, &ops, &ends[i], timers);
	ck_assert_ptr_nonnull(ends[i].x);
	if (!c.strangers)
		ck_assert_int_eq(vcm_exchange_peer(ends[i].x, &ends[!i].addr), 0);
}

static void begin(int i)
{
	begin_with(i, 0);
}

static void setup(void)
{
	memset(ends, 0, sizeof(ends));
	memset(flying, 0, sizeof(flying));
	timers = timerq_new();
	clock_now = (monotime_t){1000000};
	dice = 1;
	loss = twice = 0;
	next_epoch = 100;
	for (int i = 0; i < 2; i++) {
		ends[i].addr.s6_addr[0] = 0xfd;
		ends[i].addr.s6_addr[15] = (uint8_t)(i + 1);
	}
	begin(0);
	begin(1);
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++)
		vcm_exchange_free(ends[i].x);
	timerq_free(timers);
}

static void run_ms(int64_t ms)
{
	monotime_t end = mono_add_ms(clock_now, ms);

	while (mono_before(clock_now, end)) {
		clock_now = mono_add_ms(clock_now, 1);
		for (int i = 0; i < FLYING; i++) {
			if (!flying[i].used || mono_before(clock_now, flying[i].at))
				continue;
			flying[i].used = false;
			vcm_exchange_receive(ends[flying[i].to].x, &ends[!flying[i].to].addr,
				flying[i].data, flying[i].len);
		}
		timerq_run(timers, clock_now);
	}
}

static int say(int from, uint64_t token)
{
	struct vcm_message m = {
		.type = VCM_READY, .has = VCM_HAS_SESSION, .session = token, .generation = 1};

	return vcm_exchange_send(ends[from].x, &ends[!from].addr, &m, token);
}

/* HELLO --> <-- ACK, READY --> <-- ACK; then the other side speaks without a HELLO of its own. */
START_TEST(in_order)
{
	struct vcm_exchange_stats s;

	ck_assert_int_eq(say(1, 9), -ENOENT);
	ck_assert_int_eq(say(0, 1), 0);
	run_ms(400);
	ck_assert_uint_eq(ends[1].handed_up[1], 1);
	ck_assert_uint_eq(ends[0].acked[1], 1);
	vcm_exchange_stats(ends[0].x, &s);
	ck_assert_uint_eq(s.sent, 2);
	ends[0].answer = VCM_SPI_TAKEN;
	ck_assert_int_eq(say(1, 2), 0);
	run_ms(400);
	ck_assert_uint_eq(ends[0].handed_up[2], 1);
	ck_assert_uint_eq(ends[1].acked[2], 1);
	ck_assert_int_eq(ends[1].last_status, VCM_SPI_TAKEN);
	vcm_exchange_stats(ends[1].x, &s);
	ck_assert_uint_eq(s.sent, 3); /* ACK, ACK, READY */
	vcm_exchange_stats(ends[0].x, &s);
	ck_assert_uint_eq(s.queued, 0);
}
END_TEST

/* Each is handed up once and acknowledged once, whatever the network does. */
START_TEST(bad_network)
{
	dice = (uint64_t)_i * 7919 + 3;
	loss = 30;
	twice = 30;
	ck_assert_int_eq(say(0, 0), 0); /* so that the other one knows us */
	run_ms(20000);
	for (uint64_t t = 1; t < 200; t++) {
		ck_assert_int_eq(say((int)(t & 1), t), 0);
		run_ms(roll(800));
	}
	loss = 0;
	run_ms(40000);
	for (int from = 0; from < 2; from++) {
		for (uint64_t t = 0; t < 200; t++) {
			bool mine = (int)(t & 1) == from;

			ck_assert_uint_eq(ends[from].acked[t] + ends[from].failed[t], mine);
			ck_assert_uint_le(ends[!from].handed_up[t], mine);
			if (ends[from].acked[t])
				ck_assert_uint_eq(ends[!from].handed_up[t], 1);
		}
	}
}
END_TEST

/* Either one starts again at any time: nothing is handed up twice in one life, each token ends, and they talk again. */
START_TEST(restarts)
{
	uint64_t t;
	unsigned lives = 0;
	bool taken[150]; /* else the queue was full */

	dice = (uint64_t)_i * 104729 + 11;
	loss = 20;
	twice = 20;
	for (t = 0; t < 150; t++) {
		taken[t] = say(0, t) == 0;
		run_ms(roll(500));
		if (roll(100) < 4) {
			begin(1);
			lives++;
			/* A new life may see again what the former one has seen, after the sender was told. */
			memset(ends[1].handed_up, 0, sizeof(ends[1].handed_up));
		}
	}
	loss = 0;
	run_ms(70000);
	for (t = 0; t < 150; t++) {
		ck_assert_uint_eq(ends[0].acked[t] + ends[0].failed[t], taken[t]);
		ck_assert_uint_le(ends[1].handed_up[t], 1);
	}
	ck_assert_uint_le(ends[0].restarts, lives);
	ck_assert_int_eq(say(0, 299), 0);
	run_ms(2000);
	begin(0);
	ck_assert_int_eq(say(0, 300), 0);
	run_ms(2000);
	ck_assert_uint_eq(ends[0].acked[300], 1);
	ck_assert_uint_eq(ends[1].restarts, 1);
	ck_assert_uint_eq(ends[1].handed_up[300], 1);
}
END_TEST

/* All that was said in a former life comes again: nothing happens. */
START_TEST(old_messages)
{
	uint8_t data[20][VCM_MESSAGE_MAX];
	size_t len[20], n = 0;

	for (uint64_t t = 1; t <= 10; t++) {
		ck_assert_int_eq(say(0, t), 0);
		for (int i = 0; i < FLYING; i++) {
			if (flying[i].used && flying[i].to == 1 && n < 20) {
				memcpy(data[n], flying[i].data, flying[i].len);
				len[n++] = flying[i].len;
			}
		}
		run_ms(300);
	}
	begin(0);
	ck_assert_int_eq(say(0, 20), 0);
	run_ms(2000);
	ck_assert_uint_eq(ends[0].acked[20], 1);
	ck_assert_uint_eq(ends[1].restarts, 1);
	memset(ends[1].handed_up, 0, sizeof(ends[1].handed_up));
	ck_assert_uint_gt(n, 5);
	for (size_t i = 0; i < n; i++) {
		vcm_exchange_receive(ends[1].x, &ends[0].addr, data[i], len[i]);
		run_ms(300);
	}
	for (uint64_t t = 0; t < TOKENS; t++)
		ck_assert_uint_eq(ends[1].handed_up[t], 0);
	ck_assert_uint_eq(ends[1].restarts, 1);
	ck_assert_int_eq(say(0, 21), 0);
	run_ms(2000);
	ck_assert_uint_eq(ends[0].acked[21], 1);
	ck_assert_uint_eq(ends[0].restarts, 0);
}
END_TEST

START_TEST(gives_up)
{
	loss = 100;
	ck_assert_int_eq(say(0, 1), 0);
	ck_assert_int_eq(say(0, 2), 0);
	run_ms(29000);
	ck_assert_uint_eq(ends[0].failed[1], 0);
	run_ms(2000);
	ck_assert_uint_eq(ends[0].failed[1], 1);
	ck_assert_uint_eq(ends[0].failed[2], 1);
	loss = 0;
	ck_assert_int_eq(say(0, 3), 0);
	run_ms(1000);
	ck_assert_uint_eq(ends[0].acked[3], 1);
}
END_TEST

START_TEST(taken_back)
{
	loss = 100;
	ck_assert_int_eq(say(0, 1), 0);
	ck_assert_int_eq(say(0, 2), 0);
	vcm_exchange_cancel(ends[0].x, &ends[1].addr, 1);
	loss = 0;
	run_ms(2000);
	ck_assert_uint_eq(ends[0].acked[1] + ends[0].failed[1] + ends[1].handed_up[1], 0);
	ck_assert_uint_eq(ends[0].acked[2], 1);
}
END_TEST

START_TEST(limits)
{
	struct in6_addr stranger = ends[0].addr;
	struct vcm_exchange_stats s;
	struct vcm_message m = {
		.type = VCM_READY, .has = VCM_HAS_SESSION, .epoch = 5, .sequence = 1};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len = vcm_message_write(&m, data, sizeof(data));

	loss = 100;
	for (uint64_t t = 0; t < 31; t++)
		ck_assert_int_eq(say(0, t), 0);
	ck_assert_int_eq(say(0, 40), -ENOBUFS);
	/* Whoever is no peer, and does not begin as one does. */
	stranger.s6_addr[15] = 77;
	vcm_exchange_receive(ends[1].x, &stranger, data, len);
	vcm_exchange_receive(ends[0].x, &stranger, data, len);
	vcm_exchange_receive(ends[0].x, &stranger, data, len - 1);
	vcm_exchange_stats(ends[0].x, &s);
	ck_assert_uint_eq(s.strangers, 1);
	ck_assert_uint_eq(s.malformed, 1);
	ck_assert_uint_eq(s.peers, 1);
	vcm_exchange_stats(ends[1].x, &s);
	ck_assert_uint_eq(s.strangers, 1);
	ck_assert_uint_eq(s.sent, 0);
}
END_TEST

/* The first of many is lost while the others are not: it is taken all the same, and once. */
START_TEST(many_at_once)
{
	begin_with(0, 128);
	ck_assert_int_eq(say(0, 100), 0);
	run_ms(1000);
	loss = 100;
	ck_assert_int_eq(say(0, 0), 0);
	loss = 0;
	for (uint64_t t = 1; t < 90; t++)
		ck_assert_int_eq(say(0, t), 0);
	run_ms(10000);
	for (uint64_t t = 0; t < 90; t++) {
		ck_assert_uint_eq(ends[1].handed_up[t], 1);
		ck_assert_uint_eq(ends[0].acked[t], 1);
		ck_assert_uint_eq(ends[0].failed[t], 0);
	}
}
END_TEST

/* A peer that was forgotten and is one again: what it is told now is not taken for what it was told then. */
START_TEST(forgotten)
{
	for (uint64_t t = 1; t <= 5; t++)
		ck_assert_int_eq(say(0, t), 0);
	run_ms(1000);
	vcm_exchange_forget(ends[0].x, &ends[1].addr);
	ck_assert_int_eq(say(0, 6), -ENOENT);
	ck_assert_int_eq(vcm_exchange_peer(ends[0].x, &ends[1].addr), 0);
	ck_assert_int_eq(say(0, 7), 0);
	run_ms(1000);
	ck_assert_uint_eq(ends[1].handed_up[7], 1);
	ck_assert_uint_eq(ends[0].acked[7], 1);
}
END_TEST

/* Whatever comes with a wrong epoch, so many HELLOs answer it and no more. */
START_TEST(old_epochs_cost_little)
{
	struct vcm_message m = {.type = VCM_READY,
		.has = VCM_HAS_SESSION,
		.epoch = 77,
		.peer_epoch = 1234,
		.sequence = 1};
	uint8_t data[VCM_MESSAGE_MAX];
	struct vcm_exchange_stats before, after;
	size_t len = vcm_message_write(&m, data, sizeof(data));

	ck_assert_int_eq(say(0, 1), 0);
	run_ms(1000);
	vcm_exchange_stats(ends[1].x, &before);
	for (int i = 0; i < 1000; i++) {
		vcm_exchange_receive(ends[1].x, &ends[0].addr, data, len);
		run_ms(1);
	}
	vcm_exchange_stats(ends[1].x, &after);
	ck_assert_uint_gt(after.sent, before.sent);
	ck_assert_uint_le(after.sent - before.sent, 8);
	ck_assert_uint_eq(after.old_epoch - before.old_epoch, 1000);
	ck_assert_uint_eq(ends[1].restarts, 0);
}
END_TEST

/* Peers that are quiet take less than 200 octets each (U5). */
START_TEST(quiet_peers)
{
	struct vcm_exchange_config c = {.epoch = 5, .max_peers = 20000};
	struct vcm_exchange *x = vcm_exchange_new(&c, &ops, &ends[0], timers);
	struct in6_addr a = {.s6_addr = {0xfd}};
	size_t before = mallinfo2().uordblks;

	for (uint32_t i = 0; i < c.max_peers; i++) {
		memcpy(&a.s6_addr[12], &i, sizeof(i));
		ck_assert_int_eq(vcm_exchange_peer(x, &a), 0);
	}
	if (mallinfo2().uordblks > before) /* not with a sanitizer's allocator */
		ck_assert_uint_lt(mallinfo2().uordblks - before, c.max_peers * 200u);
	a.s6_addr[0] = 0xfc;
	ck_assert_int_eq(vcm_exchange_peer(x, &a), -ENOSPC);
	vcm_exchange_free(x);
}
END_TEST

START_TEST(probes)
{
	struct vcm_message m = {.type = VCM_PROBE, .has = VCM_HAS_NONCE};

	ck_assert_int_eq(vcm_exchange_probe(ends[0].x, &ends[1].addr, &m), 0);
	run_ms(100);
	ck_assert_uint_eq(ends[1].probes, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vcm exchange");
	TCase *c = tcase_create("exchange");
	SRunner *r;
	int bad;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, in_order);
	tcase_add_loop_test(c, bad_network, 0, 20);
	tcase_add_loop_test(c, restarts, 0, 20);
	tcase_add_test(c, old_messages);
	tcase_add_test(c, gives_up);
	tcase_add_test(c, taken_back);
	tcase_add_test(c, limits);
	tcase_add_test(c, many_at_once);
	tcase_add_test(c, forgotten);
	tcase_add_test(c, old_epochs_cost_little);
	tcase_add_test(c, quiet_peers);
	tcase_add_test(c, probes);
	suite_add_tcase(s, c);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
