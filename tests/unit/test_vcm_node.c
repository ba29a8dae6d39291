/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcm/node.h: how a session is made. */
#include "tests/unit/node_world.h"

/* ---- what the VCM says ---- */

static struct vcm_message with_kcn(struct vcm_message m, uint8_t octet)
{
	m.has |= VCM_HAS_KCN;
	m.kcn.kcn_len = 20;
	m.kcn.home_nonce_len = m.kcn.care_of_nonce_len = 8;
	memset(m.kcn.kcn, octet, 20);
	return m;
}

/* ---- making ---- */

START_TEST(make_before_break)
{
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	expect("in+1001 path READY-1 ");
	vcm_node_path(node, &peer_home, true);
	pass_ms(5000);
	expect(""); /* the peer may not take it yet */
	ck_assert_int_eq(state_of(1), VCM_NODE_INBOUND);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_OK);
	expect("out+2001 ACTIVE-1 ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
	ck_assert_mem_eq(key_in, "\x11\x11\x11\x11", 4);
	ck_assert_mem_eq(key_out, "\x22\x22\x22\x22", 4);
	ck_assert_uint_eq(installed.lifetime_s, 600);
}
END_TEST

START_TEST(path_is_waited_for)
{
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	expect("in+1001 path READY-1 ");
	pass_ms(900);
	expect("");
	vcm_node_path(node, &peer_home, true);
	expect("out+2001 ");
}
END_TEST

START_TEST(path_takes_too_long)
{
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	expect("in+1001 path READY-1 out+2001 ACTIVE-1 ");
}
END_TEST

START_TEST(path_is_required)
{
	config.path_required = true;
	again_with(config);
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(60000);
	expect("in+1001 path READY-1 ");
	vcm_node_path(node, &peer_home, true);
	pass_ms(20);
	expect("out+2001 ACTIVE-1 ");
	vcm_node_path(node, &peer_home, false);
	pass_ms(20);
	expect("unused "); /* as at each move */
	vcm_node_path(node, &peer_home, true);
	pass_ms(20);
	expect("used ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(peer_is_ready_before_the_offer)
{
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_OK);
	expect("");
	tell(offer(7, 1, 0x1001));
	pass_ms(1100);
	expect("in+1001 path READY-1 out+2001 ACTIVE-1 ");
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 8, 1)), VCM_OK);
	tell(offer(8, 2, 0x1002)); /* not for this generation */
	pass_ms(1100);
	expect("in+1002 path READY-2 ");
}
END_TEST

START_TEST(offer_again)
{
	tell(offer(7, 1, 0x1001));
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	expect("in+1001 path READY-1 READY-1 ");
	tell(about(VCM_PEER_READY, 7, 1));
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	expect("out+2001 ACTIVE-1 ");
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	expect("ACTIVE-1 ");
}
END_TEST

START_TEST(secret_first_path_later)
{
	tell(with_kcn(offer(7, 1, 0x1001), 9));
	expect("in+1001 kcn9 READY-1 ");
	tell(about(VCM_PEER_READY, 7, 1));
	expect("path ");
	vcm_node_path(node, &peer_home, true);
	pass_ms(20);
	expect("out+2001 ACTIVE-1 ");
	tell(with_kcn(offer(7, 2, 0x1002), 10)); /* the binding stays as it is */
	expect("in+1002 path READY-2 ");
	tell(end(7, 2, VCM_BY_HAND));
	expect("out-2001 path- ");
}
END_TEST

/* The peer takes its binding back later than we hear of the end. */
static void outlive(const char *next, const char *end_of_it)
{
	pass_ms(100);
	expect(next);
	pass_ms(11 * 1000);
	expect(end_of_it);
}

static void end_with_secret(void)
{
	tell(with_kcn(offer(7, 1, 0x1001), 9));
	tell(end(7, 1, VCM_BY_HAND));
	tell(about(VCM_CLOSE, 7, 1));
	expect("in+1001 kcn9 READY-1 path- ");
}

START_TEST(secret_outlives_path)
{
	end_with_secret();
	outlive("", "in-1001 kcn- ");
}
END_TEST

START_TEST(next_session_has_another_secret)
{
	end_with_secret();
	tell(with_kcn(offer(8, 1, 0x1003), 10));
	outlive("in+1003 kcn10 READY-1 ", "in-1001 ");
}
END_TEST

START_TEST(next_session_has_no_secret)
{
	end_with_secret();
	tell(offer(8, 1, 0x1003));
	outlive("in+1003 kcn- path READY-1 ", "in-1001 ");
}
END_TEST

/* A rekey brings none, also while one before has not drained. */
START_TEST(rekey_keeps_the_secret)
{
	end_with_secret();
	tell(with_kcn(offer(8, 1, 0x1003), 10));
	expect("in+1003 kcn10 READY-1 ");
	tell(offer(8, 2, 0x1004));
	ck_assert_ptr_null(strstr(said, "kcn"));
}
END_TEST

START_TEST(refused)
{
	struct vcm_message m = offer(7, 1, 0x1001);

	kernel_error = -EEXIST;
	ck_assert_int_eq(tell(m), VCM_SPI_TAKEN);
	kernel_error = -EIO;
	ck_assert_int_eq(tell(m), VCM_NOT_READY);
	kernel_error = -EINVAL;
	ck_assert_int_eq(tell(m), VCM_UNSUPPORTED);
	expect("in! in! in! ");
	kernel_error = 0;
	strcpy(m.algorithm, "rot13");
	ck_assert_int_eq(tell(m), VCM_UNSUPPORTED);
	m = offer(7, 1, 0x1001);
	m.in.key_len = m.out.key_len = 36;
	ck_assert_int_eq(tell(m), VCM_UNSUPPORTED);
	m = offer(7, 1, 0x1001);
	m.peer_internal = node_addr;
	ck_assert_int_eq(tell(m), VCM_REFUSED);
	m.peer_internal = vcm_addr;
	ck_assert_int_eq(tell(m), VCM_REFUSED);
	m.peer_internal = addr("ff02::1");
	ck_assert_int_eq(tell(m), VCM_REFUSED);
	ck_assert_int_eq(state_of(1), GONE);
	expect("");
}
END_TEST

START_TEST(too_many)
{
	config.max_sessions = 1;
	again_with(config);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	ck_assert_int_eq(tell(offer(8, 1, 0x1002)), VCM_NO_RESOURCES);
	expect("in+1001 path READY-1 ");
}
END_TEST

static bool not_this_one(void *ctx, const struct in6_addr *peer)
{
	(void)ctx;
	return !in6_equal(peer, &peer_addr);
}

START_TEST(not_allowed)
{
	config.allowed = not_this_one;
	again_with(config);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_REFUSED);
	expect("");
}
END_TEST

START_TEST(outbound_fails)
{
	tell(offer(7, 1, 0x1001));
	kernel_error = -EIO;
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	expect("in+1001 path READY-1 out! path- DOWN-1-path ");
}
END_TEST

/* ---- asymmetric ---- */

START_TEST(asymmetric)
{
	struct vcm_message m = about(VCM_INVITE, 7, 1), theirs;
	struct vcm_keypair peer = {.private_key = {1, 2, 3}};

	ck_assert(vcm_keypair_make(&peer));
	m.has |= VCM_HAS_PEER;
	m.peer_internal = peer_addr;
	m.peer_home = peer_home;
	ck_assert_int_eq(tell(m), VCM_OK);
	expect("PUBLIC-1 ");
	m = offer(7, 1, 0x1001);
	m.in.key_len = m.out.key_len = 0;
	memset(m.in.key, 0, sizeof(m.in.key));
	memset(m.out.key, 0, sizeof(m.out.key));
	m.has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
	memcpy(m.public_key, peer.public_key, sizeof(m.public_key));
	memset(m.salt, 0x5a, sizeof(m.salt));
	theirs = m;
	theirs.in = m.out;
	theirs.out = m.in;
	ck_assert(vcm_derive(&peer, last_public, 20, &theirs));
	ck_assert_int_eq(tell(m), VCM_OK);
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	ck_assert_mem_eq(key_in, theirs.out.key, 20);
	ck_assert_mem_eq(key_out, theirs.in.key, 20);
	ck_assert_mem_ne(key_in, key_out, 20);
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(asymmetric_out_of_order)
{
	struct vcm_message m = offer(7, 1, 0x1001), invite = about(VCM_INVITE, 8, 1);

	m.in.key_len = m.out.key_len = 0;
	m.has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
	m.public_key[0] = 9;
	ck_assert_int_eq(tell(m), VCM_UNKNOWN_SESSION); /* not invited, or not in this life */
	invite.has |= VCM_HAS_PEER;
	invite.peer_internal = peer_addr;
	invite.peer_home = peer_home;
	ck_assert_int_eq(tell(invite), VCM_OK);
	ck_assert_int_eq(tell(offer(8, 1, 0x1001)), VCM_REFUSED); /* keys that the VCM knows */
	m.session = 8;
	memset(m.public_key, 0, sizeof(m.public_key));
	ck_assert_int_eq(tell(m), VCM_REFUSED); /* RFC 7748 6.1 */
	pass_ms(61 * 1000);
	ck_assert_int_eq(state_of(1), GONE);
	expect("PUBLIC-1 ");
}
END_TEST

/* ---- the VCM comes and goes ---- */

START_TEST(vcm_starts_again)
{
	make_direct();
	start_vcm(78);
	pass_ms(100);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	pass_ms(1000);
	ck_assert_ptr_nonnull(strstr(said, "PLACE-out "));
	ck_assert_ptr_nonnull(strstr(said, "ACTIVE-1 "));
	ck_assert_ptr_null(strstr(said, "out-"));
}
END_TEST

START_TEST(vcm_is_away)
{
	make_direct();
	deaf = true;
	vcm_node_end(node, &peer_addr);
	pass_ms(40 * 1000);
	expect("out-2001 path- ");
	deaf = false;
	pass_ms(20 * 1000);
	expect("DOWN-1-by-hand ");
}
END_TEST

/* ---- others' messages ---- */

START_TEST(only_the_vcm)
{
	struct vcm_message m = offer(7, 1, 0x1001);
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	m.epoch = 9;
	m.peer_epoch = config.epoch;
	m.sequence = 1;
	len = vcm_message_write(&m, data, sizeof(data));
	ck_assert(len);
	vcm_node_receive(node, &peer_addr, data, len);
	pass_ms(20);
	expect("");
	ck_assert_int_eq(tell(about(VCM_READY, 7, 1)), VCM_REFUSED);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {make_before_break, path_is_waited_for, path_takes_too_long,
		path_is_required, peer_is_ready_before_the_offer, offer_again,
		secret_first_path_later, secret_outlives_path, next_session_has_another_secret,
		next_session_has_no_secret, rekey_keeps_the_secret, refused, too_many, not_allowed,
		outbound_fails, asymmetric, asymmetric_out_of_order, vcm_starts_again, vcm_is_away,
		only_the_vcm};

	return RUN("vcm_node", all, start, stop);
}
