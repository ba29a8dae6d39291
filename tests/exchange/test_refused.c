/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals (RFC 6275 6.1.8, 10.3.1), no answer at all, and holding meanwhile. */
#include "tests/exchange/suite.h"

/* Status 129: asked again, ever more rarely; granted when the configuration allows it. */
START_TEST(prohibited)
{
	struct net *n = net_new(NULL);
	struct in6_addr other = net_router_address(HOME);
	struct net_seen bu, last;
	int64_t wait = 60000;

	n->ha_config.n_allowed = 1;
	n->ha_config.allowed = &other;
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> <-- BA 129 */
	last = ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_PROHIBITED);
	net_run(n, 1);
	ck_assert_int_eq(net_mn(n).registration, MN_REG_REFUSED);
	ck_assert(!n->mk.hold);
	for (int i = 0; i < 5; i++) {
		/* BU --> after 1, 2, 4, 8, 16 minutes <-- BA 129 */
		bu = ARRIVED(n, K_BU, 1000000);
		ck_between(ms_between(last.when, bu.when), wait, wait + 1);
		ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_PROHIBITED);
		wait *= 2;
		last = bu;
	}
	net_stop_ha(n);
	n->ha_config.n_allowed = 0;
	net_start_ha(n, true);
	settle(n, 1000000);
	finish(n);
}
END_TEST

/* Status 130: no room. */
START_TEST(no_resources)
{
	struct net *n = begin(NULL);

	n->hk.fail_forward = true;
	net_attach(n, IF1, LINK1);
	/* BU --> NS on the home link <-- BA 130 */
	ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 1100).status, BA_RESOURCES);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	n->hk.fail_forward = false;
	/* BU --> a minute later <-- BA */
	ARRIVED(n, K_BU, 61000);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 1100).status, BA_ACCEPTED);
	settle(n, 100);
	finish(n);
}
END_TEST

/* A move that is refused leaves the old binding as it is. */
START_TEST(move_without_resources)
{
	struct net *n = begin_away(NULL);
	struct in6_addr before = n->hk.care_of;

	n->hk.fail_forward = true;
	net_attach(n, IF1, LINK2);
	/* BU --> <-- BA 130 */
	ck_assert_uint_eq(ARRIVED(n, K_BA, 1100).status, BA_RESOURCES);
	ck_addr_eq(binding(n).care_of, before);
	ck_addr_eq(n->hk.care_of, before);
	n->hk.fail_forward = false;
	settle(n, 100000);
	finish(n);
}
END_TEST

/* Status 132: not one of the home prefixes. */
START_TEST(not_home_subnet)
{
	struct net *n = net_new(NULL);

	n->ha_config.prefixes[0].prefix.addr = net_prefix(LINK2);
	net_start(n);
	net_attach(n, IF1, LINK1);
	/* BU --> <-- BA 132 */
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_NOT_HOME_SUBNET);
	net_run(n, 1000);
	ck_assert(!n->mk.hold);
	finish_apart(n);
}
END_TEST

/* Status 134: another node has the home address.  It MUST NOT be tried again (11.7.1). */
START_TEST(home_address_is_taken)
{
	struct net *n = begin(NULL);
	size_t sent;

	net_take(n, HOME, &n->home_address);
	net_attach(n, IF1, LINK1);
	/* BU --> NS on the home link, <-- NA of the other, <-- BA 134 */
	ARRIVED(n, K_BU, 100);
	ARRIVED(n, K_NS, 100);
	ck_assert_uint_eq(ARRIVED(n, K_BA, 100).status, BA_DAD_FAILED);
	net_run(n, 1);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	ck_assert_uint_eq(ha_stats(n->ha)->dad_failures, 1);
	sent = net_count(n, K_BU);
	net_data_up(n);
	net_attach(n, IF1, LINK2);
	net_run(n, 100000);
	net_attach(n, IF1, LINK1);
	net_data_up(n);
	net_run(n, 7200000);
	ck_assert_uint_eq(net_count(n, K_BU), sent);
	ck_assert(!n->mk.hold);
	finish_apart(n);
}
END_TEST

/* Our own solicitation comes back: that is no duplicate (RFC 7527). */
START_TEST(echo_of_the_home_link)
{
	struct net *n = begin(&(struct net_options){.echo = true});

	net_attach(n, IF1, LINK1);
	/* BU --> NS and its echo <-- BA */
	ck_assert_uint_eq(ARRIVED(n, K_BA, SOON).status, BA_ACCEPTED);
	finish(n);
}
END_TEST

/* Nobody answers the refresh: until the end it is away and working, then it starts anew. */
START_TEST(expiry_without_answer)
{
	struct net *n = begin_away(NULL);

	net_stop_ha(n);
	/* BU --> BU --> ... */
	ARRIVED(n, K_RA, 20000);
	ck_assert(net_until_event(n, EV_BINDING_LOST, 401000));
	ck_assert_int_eq(net_mn(n).registration, MN_REG_PENDING);
	ck_assert(!n->mk.hold);
	net_run(n, 600000);
	net_forget(n);
	net_start_ha(n, true);
	ck_assert_uint_eq(ha_count(n->ha), 0);
	/* BU --> at least every 32 s <-- BA */
	ARRIVED(n, K_BU, 32000);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* The home agent's clock runs the binding out as well: forwarding and proxy go. */
START_TEST(expiry_at_the_home_agent)
{
	struct net *n = begin_away(NULL);

	net_attach(n, IF1, NOWHERE);
	net_run(n, 399000 - 8000);
	ck_assert(n->hk.forwarding);
	net_run(n, 9000);
	ck_assert(!n->hk.forwarding);
	ck_assert_uint_eq(n->hk.n_proxies, 0);
	ck_assert(!n->hk.stored);
	net_attach(n, IF1, LINK2);
	settle(n, SOON);
	finish(n);
}
END_TEST

/* With no place to go data is held for hold_ms, not longer; what comes later is dropped at once. */
START_TEST(hold_ends_without_a_place)
{
	struct net *n = begin_away(NULL);
	size_t a, b;

	net_attach(n, IF1, NOWHERE);
	a = net_data_up(n);
	ck_assert_int_eq(n->data[a].fate, D_HELD);
	net_run(n, 2900);
	ck_assert_int_eq(n->data[a].fate, D_HELD);
	net_run(n, 200);
	ck_assert_int_eq(n->data[a].fate, D_LOST);
	b = net_data_up(n);
	ck_assert_int_eq(n->data[b].fate, D_LOST);
	net_attach(n, IF1, LINK2);
	settle(n, SOON);
	b = net_data_up(n);
	net_run(n, 100);
	ck_assert_int_eq(n->data[b].fate, D_DELIVERED);
	finish(n);
}
END_TEST

/* A link event, but no router: the hold ends all the same. */
START_TEST(hold_ends_without_a_router)
{
	struct net *n = begin_away(NULL);
	size_t a;

	n->routers[LINK2].dead = true;
	net_roam(n, IF1, LINK2);
	a = net_data_up(n);
	ck_assert_int_eq(n->data[a].fate, D_HELD);
	net_run(n, 3100);
	ck_assert_int_ne(n->data[a].fate, D_HELD);
	ck_assert(!n->mk.hold);
	n->routers[LINK2].dead = false;
	settle(n, 100000);
	finish(n);
}
END_TEST

/* With the cautious uplink and a home agent that is dead the hold ends with hold_ms. */
START_TEST(hold_ends_without_an_answer)
{
	struct net *n = net_new(NULL);
	size_t a;

	n->mn_config.uplink = MN_UPLINK_CAUTIOUS;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_stop_ha(n);
	net_attach(n, IF1, LINK2);
	net_run(n, 10);
	a = net_data_up(n);
	ck_assert_int_eq(n->data[a].fate, D_HELD);
	net_run(n, 3100);
	ck_assert_int_ne(n->data[a].fate, D_HELD);
	net_start_ha(n, true);
	settle(n, 60000);
	finish(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		prohibited,
		no_resources,
		move_without_resources,
		not_home_subnet,
		home_address_is_taken,
		echo_of_the_home_link,
		expiry_without_answer,
		expiry_at_the_home_agent,
		hold_ends_without_a_place,
		hold_ends_without_a_router,
		hold_ends_without_an_answer,
	};

	return RUN("refused", tests, NULL, NULL);
}
