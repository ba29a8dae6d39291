/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mobile node on one foreign link that discovers its home agent and its
 * home prefixes (RFC 6275 11.4); the test is whoever answers.
 */
#ifndef TESTS_UNIT_DISCOVERY_WORLD_H
#define TESTS_UNIT_DISCOVERY_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "lib/mh.h"
#include "mip6d/proto/mn.h"
#include "tests/advert.h"
#include "tests/quiet.h"
#include "tests/run.h"

#define HOA "2001:db8:1::100"
#define HA1 "2001:db8:1::1000"
#define HA2 "2001:db8:1::2000"
#define COA "2001:db8:a::ff:fe00:1"

struct world {
	struct mn *mn;
	struct mip6_env env;
	struct mn_config config;
	monotime_t now;
	uint64_t random;
	/* the last one sent of each */
	unsigned requests, solicitations, bus;
	struct mip6_packet request, solicitation, bu;
	uint16_t request_id, solicitation_id, seq, lifetime;
	bool request_router;
	monotime_t request_at[64], solicited_at[64];
	/* what the tunnel was last told */
	bool tunnel, held;
	struct in6_addr tunnel_agent;
	unsigned events[64];
	struct mip6_event last_prefix;
};

struct in6_addr in6(const char *s);
void assert_addr(const struct in6_addr *a, const char *want);

/* ---- the world ---- */

void advance(struct world *w, int64_t ms);
struct world *world_new(void);
void world_free(struct world *w);

/* ---- inputs ---- */

void icmp6(struct world *w, const char *src, const char *dst, unsigned flags,
	const struct icmp6_message *m);
void link_is(struct world *w, const char *prefix);
/* Away, on link A. */
void start(struct world *w);
/* The home agent of the last Binding Update answers it. */
void answer(struct world *w, uint8_t status);
struct mn_info info(const struct world *w);

#endif
