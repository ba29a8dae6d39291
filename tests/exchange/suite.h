/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the exchange tests have in common.  A test builds a network, does
 * something to it, and names each message as it comes, with an arrow as in
 * the figures of the RFC: BU --> from the mobile node, <-- BA to it.
 */
#ifndef TESTS_EXCHANGE_SUITE_H
#define TESTS_EXCHANGE_SUITE_H

#include <check.h>

#include "lib/addr.h"
#include "tests/exchange/net.h"
#include "tests/run.h"

/* Nothing that is tested here takes longer without a fault. */
#define SOON 3000

/* Both are running, the mobile node is plugged in nowhere. */
struct net *begin(const struct net_options *opt);
/* The same, and at home, registered nowhere. */
struct net *begin_home(const struct net_options *opt);
/* The same, registered from link 1. */
struct net *begin_away(const struct net_options *opt);

/* Until both sides agree, at most so long; fails with what they do not agree about. */
void settle(struct net *n, int64_t ms);
/* They agree now and stay so for a minute; nothing was violated, nothing is held.  Frees n. */
void finish(struct net *n);
/* The same without agreement, where a test ends in a refusal. */
void finish_apart(struct net *n);

#define SENT(n, kind, ms) suite_sent(n, kind, ms, __LINE__)
#define ARRIVED(n, kind, ms) suite_arrived(n, kind, ms, __LINE__)
#define LOST(n, kind, ms) suite_lost(n, kind, ms, __LINE__)
#define NONE(n, kind, ms) suite_none(n, kind, ms, __LINE__)
struct net_seen suite_sent(struct net *n, enum net_kind kind, int64_t ms, int line);
struct net_seen suite_arrived(struct net *n, enum net_kind kind, int64_t ms, int line);
struct net_seen suite_lost(struct net *n, enum net_kind kind, int64_t ms, int line);
void suite_none(struct net *n, enum net_kind kind, int64_t ms, int line);

struct ha_binding_info binding(struct net *n); /* there must be one */
/* So many events of this type, of the home agent or of the mobile node. */
unsigned events(const struct net *n, bool from_ha, enum mip6_event_type type);
struct mh_message parsed(const struct net_seen *s);
/* As the home agent would send it to the mobile node on link 1. */
struct mip6_packet from_ha(const struct net *n);
int64_t ms_between(monotime_t from, monotime_t to);
#define ck_addr_eq(a, b)                                                                          \
	do {                                                                                      \
		struct in6_addr a_ = (a), b_ = (b);                                               \
		ck_assert_msg(                                                                    \
			in6_equal(&a_, &b_), "%s is %s, not %s", #a, in6_str(&a_), in6_str(&b_)); \
	} while (0)
#define ck_between(x, low, high)                                                               \
	do {                                                                                   \
		long long x_ = (x), low_ = (low), high_ = (high);                              \
		ck_assert_msg(x_ >= low_ && x_ <= high_, "%s is %lld, not %lld..%lld", #x, x_, \
			low_, high_);                                                          \
	} while (0)

#endif
