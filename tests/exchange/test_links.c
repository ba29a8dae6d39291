/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two interfaces, uplink settings, DAD of care-of addresses: RFC 6275 11.5, RFC 4429. */
#include "tests/exchange/suite.h"

/* IF1 on link 1 is registered, IF2 (not preferred) waits on link 2. */
static struct net *begin_two(const struct net_options *opt)
{
	struct net *n = begin_away(opt);

	net_attach(n, IF2, LINK2);
	net_run(n, 5000);
	net_forget(n);
	return n;
}

/*
 * All that was sent from now on arrived once; but for what was in the tunnel
 * when the de-registration, on a shorter way, closed its other end.
 */
static void nothing_lost(struct net *n, size_t from, const struct net_seen *closed)
{
	for (size_t i = from; i < n->n_data; i++) {
		const struct net_data *d = &n->data[i];

		if (closed && d->up && mono_before(d->left, closed->when) &&
			ms_between(d->left, closed->when) <= n->opt.rtt_us / 2000 + 1)
			continue;
		if (d->fate != D_DELIVERED || d->copies != 1)
			ck_abort_msg("%s packet of %.3f s: %s, %u copies", d->up ? "up" : "down",
				(double)d->sent.us / 1e6,
				d->fate == D_HELD   ? "held"
				: d->fate == D_LOST ? d->why
						    : "",
				d->copies);
	}
}

START_TEST(second_interface_waits)
{
	struct net *n = begin_two(NULL);

	/* A care-of address and a route it has, but no Binding Update was sent for it. */
	struct in6_addr care_of = net_care_of(n, IF2, LINK2);
	bool route = false;

	for (int i = 0; i < NET_ROUTES; i++)
		route |= n->mk.routes[i].used && !n->mk.routes[i].primary &&
			 in6_equal(&n->mk.routes[i].care_of, &care_of);
	ck_assert(route);
	ck_assert_uint_eq(net_count(n, K_BU), 1);
	finish(n);
}
END_TEST

/* The link in use goes down: the other one takes over without a solicitation. */
START_TEST(takes_over_at_once)
{
	struct net *n = begin_two(&(struct net_options){.rtt_us = 100000});
	monotime_t down = n->now;
	struct net_seen bu;

	net_attach(n, IF1, NOWHERE);
	/* BU --> from the other interface, in the same instant <-- BA */
	bu = ARRIVED(n, K_BU, 0);
	ck_assert_int_eq(bu.when.us, down.us);
	ck_assert_int_eq(bu.link, LINK2);
	ARRIVED(n, K_BA, 100);
	net_run(n, 100);
	settle(n, 0);
	finish(n);
}
END_TEST

/* Make before break: the better link comes while the other still works. */
START_TEST(make_before_break)
{
	struct net *n = begin_two(&(struct net_options){.rtt_us = 100000});
	size_t from;

	net_attach(n, IF1, NOWHERE);
	net_run(n, 5000);
	settle(n, 0);
	from = n->n_data;
	net_stream(n, 1000);
	for (int i = 0; i < 5; i++) {
		net_run(n, 2000);
		/* RS --> <-- RA BU --> <-- BA, and what is on the way arrives at the old place */
		net_attach(n, IF1, LINK1);
		net_run(n, 2000);
		settle(n, 0);
		/* Leave the better link for the other, before it breaks: it was never in use. */
		net_attach(n, IF2, NOWHERE);
		net_run(n, 1000);
		net_attach(n, IF2, LINK2);
		net_run(n, 2000);
		settle(n, 0);
		net_stream(n, 0);
		net_run(n, 1000);
		nothing_lost(n, from, NULL);
		net_attach(n, IF1, NOWHERE);
		net_run(n, 3000);
		from = n->n_data;
		net_stream(n, 1000);
	}
	finish(n);
}
END_TEST

/* The home link wins over preference, and data is not lost on the way home. */
START_TEST(home_by_the_other_interface)
{
	struct net *n = begin_away(&(struct net_options){.rtt_us = 100000});
	size_t from = n->n_data;
	struct net_seen bu;

	net_stream(n, 1000);
	net_run(n, 1000);
	net_attach(n, IF2, HOME);
	/* BU --> 0 <-- BA */
	bu = ARRIVED(n, K_BU, 100);
	ck_assert_uint_eq(bu.lifetime, 0);
	ARRIVED(n, K_BA, 100);
	net_run(n, 2000);
	settle(n, 0);
	net_stream(n, 0);
	net_run(n, 1000);
	nothing_lost(n, from, &bu);
	/* And away again by the first, which is there already. */
	net_attach(n, IF2, NOWHERE);
	/* BU --> */
	ck_assert_uint_gt(ARRIVED(n, K_BU, 100).lifetime, 0);
	settle(n, SOON);
	finish(n);
}
END_TEST

static struct net *begin_uplink(enum mn_uplink uplink)
{
	struct net *n = net_new(&(struct net_options){.rtt_us = 200000});

	n->mn_config.uplink = uplink;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	net_run(n, 5000);
	net_forget(n);
	return n;
}

/* Data right behind the Binding Update. */
START_TEST(optimistic_uplink)
{
	struct net *n = begin_uplink(MN_UPLINK_OPTIMISTIC);
	monotime_t up = n->now;
	size_t number;

	net_attach(n, IF1, LINK2);
	number = net_data_up(n);
	ck_assert_int_eq(n->data[number].fate, D_HELD);
	/* BU --> */
	SENT(n, K_BU, 10);
	ck_between(ms_between(up, n->data[number].left), 0, 1);
	net_run(n, 200);
	ck_assert_int_eq(n->data[number].fate, D_DELIVERED);
	finish(n);
}
END_TEST

/* Data after the acknowledgement. */
START_TEST(cautious_uplink)
{
	struct net *n = begin_uplink(MN_UPLINK_CAUTIOUS);
	monotime_t up = n->now;
	size_t number;

	net_attach(n, IF1, LINK2);
	number = net_data_up(n);
	/* BU --> <-- BA */
	SENT(n, K_BU, 10);
	SENT(n, K_BA, 110);
	ck_assert_int_eq(n->data[number].fate, D_HELD);
	net_run(n, 110);
	ck_between(ms_between(up, n->data[number].left), 200, 202);
	net_run(n, 200);
	ck_assert_int_eq(n->data[number].fate, D_DELIVERED);
	finish(n);
}
END_TEST

/* The same at home: cautious waits for the answer, optimistic for the update (11.5.5). */
START_TEST(uplink_at_home)
{
	for (int cautious = 0; cautious < 2; cautious++) {
		struct net *n = begin_uplink(cautious ? MN_UPLINK_CAUTIOUS : MN_UPLINK_OPTIMISTIC);
		struct net_seen bu;
		size_t number;

		net_rule(n, K_BA, T_DELAY, 0, 1, 300);
		net_attach(n, IF1, HOME);
		number = net_data_up(n);
		/* BU --> 0 */
		bu = SENT(n, K_BU, 10);
		net_run(n, 500);
		/* <-- BA */
		ck_assert_int_eq(n->data[number].fate, D_DELIVERED);
		ck_between(ms_between(bu.when, n->data[number].left), cautious ? 300 : 0,
			cautious ? 301 : 0);
		finish(n);
	}
}
END_TEST

/* Without optimistic DAD the Binding Update waits for the address. */
START_TEST(without_optimistic_dad)
{
	struct net *n = net_new(NULL);
	monotime_t up;
	struct net_seen bu;

	n->mn_config.optimistic_dad = false;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, 10000);
	net_run(n, 5000);
	net_forget(n);
	up = n->now;
	net_attach(n, IF1, LINK2);
	/* RS --> <-- RA, DAD, BU --> <-- BA */
	bu = ARRIVED(n, K_BU, SOON);
	ck_between(ms_between(up, bu.when), 1000, 1001);
	settle(n, 100);
	finish(n);
}
END_TEST

/* The router keeps its link-layer address to itself: nothing optimistic then (RFC 4429 3.3). */
START_TEST(no_optimism_without_link_layer_address)
{
	struct net *n = begin_away(NULL);
	monotime_t up = n->now;

	n->routers[LINK2].no_slla = true;
	net_attach(n, IF1, LINK2);
	/* RS --> <-- RA, DAD, BU --> <-- BA */
	ck_between(ms_between(up, ARRIVED(n, K_BU, SOON).when), 1000, 1001);
	settle(n, 100);
	finish(n);
}
END_TEST

/* Somebody has the care-of address: another one is made and registered. */
START_TEST(duplicate_care_of_address)
{
	for (int optimistic = 0; optimistic < 2; optimistic++) {
		struct net *n = net_new(NULL);
		struct in6_addr taken = net_care_of(n, IF1, LINK2), other;

		n->mn_config.optimistic_dad = optimistic;
		net_start(n);
		net_attach(n, IF1, LINK1);
		settle(n, 10000);
		net_run(n, 5000);
		net_take(n, LINK2, &taken);
		net_forget(n);
		net_attach(n, IF1, LINK2);
		/* BU --> <-- BA from what turns out to be a duplicate, then BU --> <-- BA */
		if (optimistic)
			ck_addr_eq(ARRIVED(n, K_BU, 100).coa, taken);
		ck_assert(net_until_event(n, EV_ADDRESS_DUPLICATE, 2000));
		other = ARRIVED(n, K_BU, 2000).coa;
		ck_assert(!in6_equal(&other, &taken));
		settle(n, 2000);
		ck_assert(!in6_equal(&n->hk.care_of, &taken));
		ck_assert(!net_count(n, K_MH_OTHER));
		finish(n);
	}
}
END_TEST

/* Random interface identifiers: another care-of address on each visit, never the MAC's. */
START_TEST(random_interface_identifiers)
{
	struct net *n = net_new(NULL);
	struct in6_addr first;

	n->mn_config.random_iid = true;
	net_start(n);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	first = n->hk.care_of;
	ck_assert(!in6_equal(&first, &(struct in6_addr){0}));
	net_run(n, 2000);
	net_attach(n, IF1, LINK2);
	settle(n, SOON);
	net_run(n, 2000);
	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	ck_assert(!in6_equal(&n->hk.care_of, &first));
	finish(n);
}
END_TEST

/* Two routers' worth of moves do not fill the kernel with addresses or routes. */
START_TEST(nothing_collects)
{
	struct net *n = begin_two(NULL);
	int addrs = 0, routes = 0;

	for (int i = 0; i < 100; i++) {
		net_attach(n, i % 3 ? IF1 : IF2, i % 4 ? LINK1 + i % 2 : HOME);
		net_run(n, (i * 37) % 900);
	}
	net_attach(n, IF1, LINK1);
	net_attach(n, IF2, LINK2);
	settle(n, 20000);
	net_run(n, 60000);
	for (int i = 0; i < NET_ADDRS; i++)
		addrs += n->mk.addrs[i].used;
	for (int i = 0; i < NET_ROUTES; i++)
		routes += n->mk.routes[i].used;
	ck_assert_int_le(addrs, 2);
	ck_assert_int_le(routes, 2);
	finish(n);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		second_interface_waits,
		takes_over_at_once,
		make_before_break,
		home_by_the_other_interface,
		optimistic_uplink,
		cautious_uplink,
		uplink_at_home,
		without_optimistic_dad,
		no_optimism_without_link_layer_address,
		duplicate_care_of_address,
		random_interface_identifiers,
		nothing_collects,
	};

	return RUN("links", tests, NULL, NULL);
}
