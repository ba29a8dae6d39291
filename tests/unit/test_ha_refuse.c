/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent's core: what it refuses or discards. */
#include "tests/unit/ha_world.h"

/* ---- every status that refuses ---- */

START_TEST(prohibited)
{
	w.allowed[0] = addr("h2");
	w.config.allowed = w.allowed;
	w.config.n_allowed = 1;
	start();
	bu(.seq = 1, .life = 10);
	EXPECT("BA status 129 seq 1 life 0 to c1 for h1\n");
	bu(.seq = 1, .life = 10, .home = "h2");
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(REFUSED(BA_PROHIBITED), 1);
}
END_TEST

START_TEST(router_anycast_is_prohibited)
{
	bu(.seq = 1, .life = 10, .home = "anycast");
	EXPECT("BA status 129 seq 1 life 0 to c1 for anycast\n");
}
END_TEST

START_TEST(insufficient_resources)
{
	w.config.max_bindings = 1;
	start();
	bu(.seq = 1, .life = 10);
	forget();
	bu(.seq = 1, .life = 10, .home = "h2");
	EXPECT("BA status 130 seq 1 life 0 to c1 for h2\n");
	bu(.seq = 2, .life = 10); /* the one that is in stays in */
	ck_assert_uint_eq(w.ba_status, 0);
	bu(.seq = 3, .life = 0);
	bu(.seq = 2, .life = 10, .home = "h2"); /* and makes room when it leaves */
	ck_assert_uint_eq(w.ba_status, 0);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	bu(.seq = 4, .life = 10); /* an invalid entry is none */
	ck_assert_uint_eq(w.ba_status, BA_RESOURCES);
	ck_assert_uint_eq(REFUSED(BA_RESOURCES), 2);
}
END_TEST

START_TEST(no_home_registration)
{
	w.config.n_prefixes = 0;
	start();
	bu(.seq = 1, .life = 10);
	EXPECT("BA status 131 seq 1 life 0 to c1 for h1\n");
	bu(.seq = 2, .life = 0);
	EXPECT("BA status 131 seq 2 life 0 to c1 for h1\n");
	ck_assert_uint_eq(REFUSED(BA_NO_HOME_REGISTRATION), 2);
}
END_TEST

START_TEST(not_home_subnet)
{
	bu(.seq = 1, .life = 10, .home = "foreign");
	EXPECT("BA status 132 seq 1 life 0 to c1 for foreign\n");
	ck_assert_uint_eq(REFUSED(BA_NOT_HOME_SUBNET), 1);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

START_TEST(not_home_agent)
{
	bu(.seq = 1, .life = 0);
	EXPECT("BA status 133 seq 1 life 0 to c1 for h1\n");
	EXPECT_EVENTS("bu-refused h1 status 133 (not home agent for this mobile node)\n");
	ck_assert_uint_eq(REFUSED(BA_NOT_HOME_AGENT), 1);
}
END_TEST

START_TEST(home_address_of_the_home_agent)
{
	bu(.seq = 1, .life = 10, .home = "ha");
	EXPECT("BA status 134 seq 1 life 0 to c1 for ha\n");
}
END_TEST

START_TEST(type_change)
{
	bu(.seq = 1, .life = 10);
	forget();
	bu(.seq = 2, .life = 10, .no_flags = true, .flags = BU_F_A, .nonces = true);
	EXPECT("BA status 139 seq 2 life 0 to c1 for h1\n");
	ck_assert_uint_eq(find("h1").flags & BU_F_H, BU_F_H);
	ck_assert_uint_eq(REFUSED(BA_TYPE_CHANGE), 1);
	bu(.seq = 1, .life = 10, .no_flags = true, .flags = BU_F_A); /* sequence first */
	ck_assert_uint_eq(w.ba_status, BA_SEQUENCE);
}
END_TEST

START_TEST(invalid_care_of_address)
{
	static const char *const unusable[] = {"h1", "ha", "h2"};

	bu(.seq = 1, .life = 10, .home = "h2");
	for (unsigned i = 0; i < 3; i++) {
		forget();
		bu(.seq = i, .life = 10, .alt = unusable[i]);
		EXPECT_EVENTS("bu-refused h1 status 174 (invalid care-of address)\n");
		ck_assert(!exists("h1"));
	}
	ck_assert_uint_eq(REFUSED(BA_INVALID_COA), 3);
	bu(.seq = 2, .life = 0, .home = "h2"); /* an invalid entry makes no loop */
	bu(.seq = 9, .life = 10, .alt = "h2");
	ck_assert_uint_eq(w.ba_status, 0);
}
END_TEST

START_TEST(forwarding_fails)
{
	w.forward_error = -ENOSPC;
	bu(.seq = 1, .life = 10);
	EXPECT("fwd+ h1 > c1\nBA status 130 seq 1 life 0 to c1 for h1\n");
	ck_assert(!exists("h1"));
	w.forward_error = 0;
	bu(.seq = 2, .life = 10);
	forget();
	w.forward_error = -ENOSPC;
	bu(.seq = 3, .life = 10, .care_of = "c2"); /* a move that fails leaves what was */
	EXPECT("fwd+ h1 > c2\nput h1 seq 3 left 40\nBA status 130 seq 3 life 0 to c2 for h1\n");
	ck_assert_str_eq(care_of("h1"), "c1");
	w.forward_error = 0;
	bu(.seq = 4, .life = 10, .care_of = "c2");
	EXPECT("fwd+ h1 > c2\nput h1 seq 4 left 40\nBA status 0 seq 4 life 10 to c2 for h1\n");
}
END_TEST

/* ---- silence ---- */

START_TEST(silently_discarded)
{
	bu(.seq = 1, .life = 10, .home = "sitelocal");
	bu(.seq = 1, .life = 10, .home = "multicast");
	bu(.seq = 1, .life = 10, .home = "llsrc", .no_hao = true);
	bu(.seq = 1, .life = 10, .home = "llsrc", .no_hao = true, .alt = "c1");
	bu(.seq = 1, .life = 10, .alt = "llsrc"); /* 6.1.7 MUST */
	bu(.seq = 1, .life = 10, .alt = "multicast");
	bu(.seq = 1, .life = 10, .alt = "any");
	bu(.seq = 1, .life = 10, .care_of = "llsrc");
	bu(.seq = 1, .life = 10, .care_of = "multicast", .alt = "c1"); /* 9.5.4 */
	bu(.seq = 1, .life = 10, .care_of = "any", .alt = "c1");
	bu(.seq = 1, .life = 10, .to = "multicast");
	bu(.seq = 1, .life = 10, .nonces = true); /* H with nonces, 9.5.1 */
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 12);
	bu(.seq = 1, .life = 10, .no_flags = true, .flags = BU_F_A); /* no correspondent node */
	EXPECT("");
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

/* 10.3.1: a registration has a Home Address option. */
START_TEST(registration_without_home_address_option)
{
	bu(.seq = 1, .life = 10, .no_hao = true);
	bu(.seq = 1, .life = 10, .no_hao = true, .alt = "c1");
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->no_hao, 2);
	ck_assert_uint_eq(ha_count(w.ha), 0);
}
END_TEST

START_TEST(ipsec_required)
{
	w.config.require_ipsec = true;
	start();
	bu(.seq = 1, .life = 10);
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->unprotected, 1);
	bu(.seq = 1, .life = 10, .is_protected = true);
	EXPECT("fwd+ h1 > c1\nput h1 seq 1 left 40\nBA status 0 seq 1 life 10 to c1 for h1 "
	       "ipsec\n");
	bu(.seq = 2, .life = 0);
	EXPECT("");
	ck_assert_int_eq(find("h1").state, HA_BINDING_ACTIVE);
}
END_TEST

START_TEST(ipsec_if_it_was_there)
{
	bu(.seq = 1, .life = 10, .is_protected = true);
	EXPECT("fwd+ h1 > c1\nput h1 seq 1 left 40\nBA status 0 seq 1 life 10 to c1 for h1 "
	       "ipsec\n");
}
END_TEST

START_TEST(reports_are_few)
{
	for (unsigned i = 0; i < 1000; i++)
		bu(.seq = 1, .life = 10, .alt = "multicast");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 1000);
	ck_assert_uint_le(w.n_bad, 10);
	pass_s(60);
	w.n_bad = 0;
	bu(.seq = 1, .life = 10, .alt = "multicast");
	ck_assert_uint_eq(w.n_bad, 1);
}
END_TEST

/* ---- malformed Mobility Headers ---- */

static void raw(const uint8_t *data, size_t len, unsigned flags, const char *source)
{
	struct mip6_packet p = {.src = addr("h1"),
		.dst = addr("ha"),
		.ifindex = OTHER_IF,
		.hop_limit = 61,
		.flags = flags};

	if (flags & MIP6_PKT_HAO)
		p.src_coa = addr(source);
	else
		p.src = addr(source);
	p.data = malloc(len); /* exactly as long, so that reading on is noticed */
	memcpy((void *)p.data, data, len);
	p.len = len;
	ha_receive_mh(w.ha, &p);
	free((void *)p.data);
}

static size_t good_bu(uint8_t data[64])
{
	struct mh_message m = {
		.type = MH_BU, .u.bu = {.seq = 9, .flags = BU_F_A | BU_F_H, .lifetime = 10}};

	mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = addr("c1");
	return mh_build(&m, data, 64);
}

START_TEST(parameter_problem)
{
	uint8_t data[64];
	size_t len = good_bu(data);
	struct in6_addr c1 = addr("c1"), h1 = addr("h1"), ha = addr("ha");

	data[0] = 58; /* Payload Proto */
	raw(data, len, 0, "c1");
	EXPECT("PP to c1\n");
	ck_assert_uint_eq(w.icmp_len, 8 + 40 + len);
	ck_assert_mem_eq(w.icmp, ((uint8_t[]){4, 0, 0, 0, 0, 0, 0, 40}), 8);
	ck_assert_mem_eq(w.icmp + 8, ((uint8_t[]){0x60, 0, 0, 0, 0, 32, 135, 61}), 8);
	ck_assert_mem_eq(w.icmp + 16, &c1, 16);
	ck_assert_mem_eq(w.icmp + 32, &ha, 16);
	ck_assert_mem_eq(w.icmp + 48, data, len);

	/* Header Len, behind a Home Address option: all of it is quoted */
	len = good_bu(data);
	data[1] = 0;
	raw(data, len, MIP6_PKT_HAO, "c1");
	EXPECT("PP to c1\n");
	ck_assert_uint_eq(w.icmp_len, 8 + 40 + 24 + len);
	ck_assert_uint_eq(w.icmp[7], 40 + 24 + 1);
	ck_assert_mem_eq(w.icmp + 12, ((uint8_t[]){0, 56, 60, 61}), 4);
	ck_assert_mem_eq(w.icmp + 16, &c1, 16);
	ck_assert_mem_eq(w.icmp + 48, ((uint8_t[]){135, 2, 1, 2, 0, 0, 0xc9, 16}), 8);
	ck_assert_mem_eq(w.icmp + 56, &h1, 16);
	ck_assert_mem_eq(w.icmp + 72, data, len);

	raw(data, len, MIP6_PKT_HAO, "multicast"); /* nobody to tell */
	raw(data, len, MIP6_PKT_HAO, "any");
	raw(data, len, MIP6_PKT_HAO | MIP6_PKT_PROTECTED, "c1"); /* not quoted in clear */
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 5);
}
END_TEST

START_TEST(parameter_problem_fits_the_least_mtu)
{
	uint8_t data[MH_MAX_LEN] = {58, 255, MH_BU};

	raw(data, sizeof(data), MIP6_PKT_HAO, "c1");
	ck_assert_uint_eq(w.icmp_len, 1280 - 40);
	ck_assert_mem_eq(
		w.icmp + 12, ((uint8_t[]){(MH_MAX_LEN + 24) >> 8, (MH_MAX_LEN + 24) & 255}), 2);
}
END_TEST

START_TEST(unknown_type)
{
	uint8_t data[64];
	size_t len = good_bu(data);

	data[2] = 99;
	raw(data, len, 0, "c1");
	EXPECT("BE status 2 home any to c1\n");
	raw(data, len, MIP6_PKT_HAO, "c1");
	EXPECT("BE status 2 home h1 to c1\n");
	raw(data, len, MIP6_PKT_HAO, "multicast");
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->unknown_type, 3);
}
END_TEST

/* 9.3.1 comes before 9.2: such a packet is dropped whatever is in it. */
START_TEST(home_address_option_must_be_routable)
{
	struct mip6_packet p = {.src = addr("multicast"),
		.src_coa = addr("c1"),
		.dst = addr("ha"),
		.flags = MIP6_PKT_HAO,
		.data = (const uint8_t[]){59, 0, 99, 0, 0, 0, 0, 0},
		.len = 8};

	ha_receive_mh(w.ha, &p);
	EXPECT("");
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, 1);
}
END_TEST

START_TEST(errors_are_few)
{
	uint8_t data[64];
	size_t len = good_bu(data), lines = 0;

	data[2] = 99;
	for (int i = 0; i < 200; i++)
		raw(data, len, 0, "c1");
	for (const char *s = w.trace; (s = strchr(s, '\n')); s++)
		lines++;
	ck_assert_uint_eq(lines, 10);
	forget();
	pass_s(1);
	data[2] = MH_BU;
	data[0] = 1;
	for (int i = 0; i < 200; i++)
		raw(data, len, 0, "c1");
	lines = 0;
	for (const char *s = w.trace; (s = strchr(s, '\n')); s++)
		lines++;
	ck_assert_uint_eq(lines, 10);
}
END_TEST

/* Truncations, wrong lengths, noise: no binding changes and none is made. */
START_TEST(malformed_changes_nothing)
{
	struct ha_binding_info before, after;
	uint8_t data[64], bad[64];
	size_t len, n = 0;

	bu(.seq = 5, .life = 100, .care_of = "c2");
	before = find("h1");
	len = good_bu(data); /* a good one would move it to c1 */
	for (size_t cut = 0; cut < len; cut++, n++)
		raw(data, cut, MIP6_PKT_HAO, "c1");
	for (unsigned v = 0; v < 256; v++) {
		if (v * 8 + 8 == len)
			continue;
		memcpy(bad, data, len);
		bad[1] =
			(uint8_t)v; /* Header Len; those that leave out the option whole are good */
		if (v == 1)
			continue;
		raw(bad, len, MIP6_PKT_HAO, "c1");
		n++;
	}
	for (unsigned v = 0; v < 256; v++, n++) {
		memcpy(bad, data, len);
		bad[15] = v == 16 ? 17 : (uint8_t)v; /* length of the option */
		ck_assert_uint_eq(data[15], 16);
		raw(bad, len, MIP6_PKT_HAO, "c1");
	}
	for (unsigned v = 0; v < 256; v++, n++) {
		memcpy(bad, data, len);
		bad[0] = v == 59 ? 0 : (uint8_t)v;
		raw(bad, len, MIP6_PKT_HAO, "c1");
	}
	ck_assert_uint_gt(n, 100);
	after = find("h1");
	ck_assert_mem_eq(&before.care_of, &after.care_of, 16);
	ck_assert_uint_eq(before.seq, after.seq);
	ck_assert_uint_eq(ha_count(w.ha), 1);
	ck_assert_uint_eq(w.n_ba, 1);
	ck_assert_uint_eq(ha_stats(w.ha)->malformed, n);
	raw(data, len, MIP6_PKT_HAO, "c1");
	ck_assert_uint_eq(w.n_ba, 2);
	ck_assert_str_eq(care_of("h1"), "c1");
}
END_TEST

/* Other messages are for other parts of the suite. */
START_TEST(other_messages_are_left_alone)
{
	static const uint8_t types[] = {MH_BRR, MH_HOTI, MH_COTI, MH_HOT, MH_COT, MH_BA, MH_BE};

	for (size_t i = 0; i < sizeof(types); i++) {
		struct mip6_packet p = {.src = addr("c1"), .dst = addr("ha")};
		struct mh_message m = {.type = types[i]};

		receive(&p, &m);
	}
	EXPECT("");
	EXPECT_EVENTS("");
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("refusal");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, prohibited);
	tcase_add_test(t, router_anycast_is_prohibited);
	tcase_add_test(t, insufficient_resources);
	tcase_add_test(t, no_home_registration);
	tcase_add_test(t, not_home_subnet);
	tcase_add_test(t, not_home_agent);
	tcase_add_test(t, home_address_of_the_home_agent);
	tcase_add_test(t, type_change);
	tcase_add_test(t, invalid_care_of_address);
	tcase_add_test(t, forwarding_fails);
	tcase_add_test(t, silently_discarded);
	tcase_add_test(t, registration_without_home_address_option);
	tcase_add_test(t, ipsec_required);
	tcase_add_test(t, ipsec_if_it_was_there);
	tcase_add_test(t, reports_are_few);
	tcase_add_test(t, parameter_problem);
	tcase_add_test(t, parameter_problem_fits_the_least_mtu);
	tcase_add_test(t, unknown_type);
	tcase_add_test(t, home_address_option_must_be_routable);
	tcase_add_test(t, errors_are_few);
	tcase_add_test(t, malformed_changes_nothing);
	tcase_add_test(t, other_messages_are_left_alone);
	return run_case("home agent, refusal", t);
}
