/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/node.h: how long a session lives: its end, new keys, a path that is dead. */
#include "tests/unit/node_world.h"

/* ---- what the VCM says ---- */

static void probe_from_peer(enum vcm_type type, const uint8_t *nonce)
{
	struct vcm_message m = {.type = type, .has = VCM_HAS_NONCE, .epoch = 1};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	memcpy(m.nonce, nonce, sizeof(m.nonce));
	len = vcm_message_write(&m, data, sizeof(data));
	ck_assert(len);
	vcm_node_receive(node, &peer_addr, data, len);
}

/* ---- the end ---- */

START_TEST(ended_by_the_vcm)
{
	make_direct();
	ck_assert_int_eq(tell(end(7, 1, VCM_INSIDE)), VCM_OK);
	expect("out-2001 path- ");
	ck_assert_int_eq(tell(end(7, 1, VCM_INSIDE)), VCM_OK);
	pass_ms(60000);
	expect(""); /* the peer may still send */
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_OK);
	pass_ms(9000);
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_OK);
	expect("");
	pass_ms(2000);
	expect("in-1001 kcn- ");
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_UNKNOWN_SESSION);
}
END_TEST

START_TEST(ended_and_never_closed)
{
	make_direct();
	tell(end(7, 1, VCM_INSIDE));
	expect("out-2001 path- ");
	pass_ms(600 * 1000);
	expect("");
	pass_ms(11 * 1000);
	expect("in-1001 kcn- ");
}
END_TEST

START_TEST(ended_before_the_offer)
{
	ck_assert_int_eq(tell(end(7, 1, VCM_BY_HAND)), VCM_OK);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	expect("");
	ck_assert_int_eq(tell(offer(8, 1, 0x1001)), VCM_OK);
}
END_TEST

START_TEST(goes_inside)
{
	make_direct();
	vcm_node_place(node, false);
	pass_ms(20);
	expect("out-2001 path- DOWN-1-inside PLACE-in ");
	ck_assert_int_eq(tell(offer(8, 1, 0x1001)), VCM_NOT_OUTSIDE);
	vcm_node_place(node, false);
	pass_ms(20);
	expect("");
}
END_TEST

START_TEST(lifetime_ends)
{
	packets_out = -1; /* nobody looks */
	packets_in = -1;
	config.idle_s = 100000;
	again_with(config);
	make_direct();
	pass_ms(599 * 1000);
	expect("");
	pass_ms(1000);
	expect("out-2001 path- DOWN-1-lifetime ");
	pass_ms(11 * 1000);
	expect("in-1001 kcn- ");
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	tell(offer(8, 1, 0x1001)); /* and one that never is used */
	pass_ms(600 * 1000);
	expect("in+1001 path READY-1 path- DOWN-1-lifetime ");
}
END_TEST

/* Also what went out, though that SA is gone first. */
START_TEST(counters_at_the_end)
{
	make_direct();
	packets_in = 5;
	packets_out = 7;
	ck_assert(vcm_node_end(node, &peer_addr));
	pass_ms(20);
	ck_assert_uint_eq(told_in, 5);
	ck_assert_uint_eq(told_out, 7);
}
END_TEST

START_TEST(by_hand)
{
	struct in6_addr other = addr("fd00::99");

	make_direct();
	ck_assert(!vcm_node_end(node, &other));
	ck_assert(vcm_node_end(node, &peer_addr));
	pass_ms(20);
	expect("out-2001 path- DOWN-1-by-hand ");
	ck_assert(!vcm_node_end(node, &peer_addr));
	ck_assert_int_eq(tell(offer(7, 2, 0x1002)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_UNKNOWN_SESSION);
}
END_TEST

/* The VCM has heard, and could not note it: it would not know after a crash. */
START_TEST(said_until_it_is_noted)
{
	make_direct();
	answer = VCM_NOT_READY;
	vcm_node_end(node, &peer_addr);
	pass_ms(20);
	expect("out-2001 path- DOWN-1-by-hand ");
	pass_ms(500);
	expect("DOWN-1-by-hand ");
	answer = VCM_OK;
	pass_ms(600);
	expect("DOWN-1-by-hand ");
	pass_ms(5000);
	expect("");
}
END_TEST

START_TEST(good_bye)
{
	make_direct();
	vcm_node_free(node, true);
	node = NULL;
	pass_ms(20);
	expect("out-2001 path- in-1001 kcn- DOWN-1-shutdown ");
}
END_TEST

START_TEST(vcm_knows_no_such_session)
{
	answer = VCM_UNKNOWN_SESSION;
	tell(offer(7, 1, 0x1001));
	expect("in+1001 path READY-1 path- ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DRAINING);
}
END_TEST

/* ---- new keys ---- */

START_TEST(rekeyed)
{
	make_direct();
	tell(offer(7, 2, 0x1002));
	expect("in+1002 path READY-2 ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 2)), VCM_OK);
	expect("out+2002 ACTIVE-2 "); /* the former outbound was replaced, not taken off */
	ck_assert_int_eq(state_of(1), VCM_NODE_DRAINING);
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_OK);
	pass_ms(11 * 1000);
	expect("in-1001 ");
	ck_assert_int_eq(state_of(2), VCM_NODE_DIRECT);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(end(7, 1, VCM_BY_HAND)), VCM_UNKNOWN_SESSION);
	expect("");
}
END_TEST

/* The first generation was still waiting for its path when the next one came: only the next one goes direct. */
START_TEST(rekeyed_before_it_was_direct)
{
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	tell(offer(7, 2, 0x1002));
	said[0] = '\0';
	vcm_node_path(node, &peer_home, true);
	pass_ms(2000);
	expect("");
	ck_assert_int_eq(state_of(1), VCM_NODE_DRAINING);
	ck_assert_int_eq(state_of(2), VCM_NODE_INBOUND);
	tell(about(VCM_PEER_READY, 7, 2));
	expect("out+2002 ACTIVE-2 ");
	ck_assert_int_eq(state_of(2), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(another_session_with_the_same_peer)
{
	make_direct();
	tell(offer(8, 1, 0x1002));
	tell(about(VCM_PEER_READY, 8, 1));
	expect("in+1002 path READY-1 out+2002 ACTIVE-1 ");
	tell(end(7, 1, VCM_RESTART));
	expect("");
}
END_TEST

START_TEST(other_spis)
{
	tell(offer(7, 1, 0x1001));
	tell(offer(7, 1, 0x1005));
	expect("in+1001 path READY-1 in-1001 in+1005 path READY-1 ");
}
END_TEST

START_TEST(sa_comes_to_an_end)
{
	make_direct();
	vcm_node_sa_expires(node, 0x2001, true, false);
	vcm_node_sa_expires(node, 0x1001, false, false);
	vcm_node_sa_expires(node, 0x3001, true, true);
	pass_ms(20);
	expect("DOWN-1-sequence ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
	vcm_node_sa_expires(node, 0x2001, true, true);
	pass_ms(20);
	expect("out-2001 path- DOWN-1-restart ");
}
END_TEST

/* ---- alive ---- */

static void traffic(int64_t in, int64_t out, int s)
{
	for (int i = 0; i < s; i++) {
		packets_in += in;
		packets_out += out;
		pass_ms(1000);
	}
}

static int said_often(const char *word)
{
	int n = 0;

	for (const char *at = said; (at = strstr(at, word)); at += strlen(word))
		n++;
	return n;
}

/* By the gateway within `probe` + 5 s (doc/vcm.md), and not before it was asked often enough. */
START_TEST(path_is_dead)
{
	make_direct();
	traffic(10, 10, 60);
	expect("");
	traffic(0, 10, 4);
	expect("");
	traffic(0, 10, 4);
	ck_assert_int_eq(said_often("PROBE "), 16);
	ck_assert_uint_eq(strlen(said), 16 * strlen("PROBE "));
	traffic(0, 10, 2);
	ck_assert_int_eq(said_often("PROBE "), 18);
	ck_assert_str_eq(said + 18 * strlen("PROBE "), "out-2001 path- DOWN-1-path ");
}
END_TEST

/* Sending begins anywhere between two looks. */
START_TEST(path_is_dead_at_any_time)
{
	for (int ms = 0; ms < 1000; ms += 90) {
		make_direct();
		traffic(10, 10, 3);
		packets_in++;
		pass_ms(ms);
		traffic(0, 10, 10);
		ck_assert_ptr_nonnull(strstr(said, "DOWN-1-path "));
		stop();
		start();
	}
}
END_TEST

START_TEST(last_probe_is_answered)
{
	uint8_t first[VCM_NONCE_LEN];

	make_direct();
	for (int i = 0; i < 3; i++) {
		while (said_often("PROBE ") < 18) {
			packets_out++;
			pass_ms(10);
		}
		ck_assert(i == 0 || memcmp(first, last_nonce, sizeof(first)) != 0);
		memcpy(first, last_nonce, sizeof(first));
		pass_ms(550); /* a long way */
		said[0] = '\0';
		probe_from_peer(VCM_PROBE_REPLY, last_nonce);
		traffic(0, 10, 4);
		expect("");
	}
}
END_TEST

/* The peer asks as well, or sends something else. */
START_TEST(doubt_ends_with_news)
{
	make_direct();
	traffic(0, 10, 6);
	ck_assert_int_ge(said_often("PROBE "), 5);
	packets_in++;
	pass_ms(200);
	said[0] = '\0';
	traffic(0, 10, 4);
	expect("");
}
END_TEST

/* What ends in doubt asks nobody any more. */
START_TEST(end_in_doubt)
{
	make_direct();
	traffic(0, 10, 6);
	vcm_node_end(node, &peer_addr);
	said[0] = '\0';
	traffic(0, 10, 10);
	expect("DOWN-1-by-hand ");
}
END_TEST

START_TEST(one_way)
{
	make_direct();
	for (int i = 0; i < 10; i++) {
		uint8_t wrong[VCM_NONCE_LEN] = {1};

		traffic(0, 10, 7);
		ck_assert(strncmp(said, "PROBE ", 6) == 0);
		said[0] = '\0';
		probe_from_peer(VCM_PROBE_REPLY, wrong);
		probe_from_peer(VCM_PROBE_REPLY, last_nonce);
	}
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(wrong_reply)
{
	uint8_t wrong[VCM_NONCE_LEN] = {1};

	make_direct();
	for (int i = 0; i < 12; i++) {
		traffic(0, 10, 1);
		probe_from_peer(VCM_PROBE_REPLY, wrong);
	}
	ck_assert_int_eq(said_often("PROBE "), 18);
	ck_assert_ptr_nonnull(strstr(said, "DOWN-1-path "));
}
END_TEST

START_TEST(anything_heard_is_news)
{
	make_direct();
	for (int i = 0; i < 20; i++)
		traffic(i % 4 == 0, 10, 1);
	expect("");
}
END_TEST

START_TEST(idle)
{
	make_direct();
	traffic(1, 0, 30);
	traffic(0, 0, 118);
	expect("");
	traffic(0, 0, 4);
	expect("out-2001 path- DOWN-1-idle ");
}
END_TEST

/* Nor does asking whether somebody is there keep a session alive. */
START_TEST(probes_are_no_traffic)
{
	uint8_t nonce[VCM_NONCE_LEN] = {3};

	make_direct();
	for (int i = 0; i < 125 && state_of(1) == VCM_NODE_DIRECT; i++) {
		packets_in++, packets_out++;
		probe_from_peer(VCM_PROBE, nonce);
		ck_assert_str_eq(said, "PROBE-REPLY ");
		said[0] = '\0';
		pass_ms(1000);
	}
	expect("out-2001 path- DOWN-1-idle ");
}
END_TEST

START_TEST(probe_of_a_stranger)
{
	uint8_t nonce[VCM_NONCE_LEN] = {3};

	probe_from_peer(VCM_PROBE, nonce);
	expect("");
	tell(offer(7, 1, 0x1001));
	said[0] = '\0';
	probe_from_peer(VCM_PROBE, nonce);
	probe_from_peer(VCM_PROBE, nonce); /* at once again */
	expect("PROBE-REPLY ");
	ck_assert_mem_eq(last_nonce, nonce, sizeof(nonce));
}
END_TEST

int main(void)
{
	const TTest *const all[] = {ended_by_the_vcm, ended_and_never_closed,
		ended_before_the_offer, goes_inside, lifetime_ends, counters_at_the_end, by_hand,
		said_until_it_is_noted, good_bye, vcm_knows_no_such_session, rekeyed,
		rekeyed_before_it_was_direct, another_session_with_the_same_peer, other_spis,
		sa_comes_to_an_end, path_is_dead, path_is_dead_at_any_time, last_probe_is_answered,
		doubt_ends_with_news, end_in_doubt, one_way, wrong_reply, anything_heard_is_news,
		idle, probes_are_no_traffic, probe_of_a_stranger};

	return RUN("vcm_node, life", all, start, stop);
}
