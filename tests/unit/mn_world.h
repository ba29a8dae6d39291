/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mobile node's core with a world that writes down what it is asked to
 * do.  Each call becomes one line; a step of a test is an input and the exact
 * lines that must follow, in their order.  Addresses have short names:
 *
 *   HOA, HA   home address and home agent;   HR  the home agent's link-local address
 *   RA, RB    routers of links A and B;       A1  care-of address of interface 1 on link A
 *
 * Some things are checked in every test: a sequence number is stored before
 * it is sent and never sent twice; no four Binding Updates within a second;
 * nothing is sent from the home address at home before the de-registration.
 */
#ifndef TESTS_UNIT_MN_WORLD_H
#define TESTS_UNIT_MN_WORLD_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/mh.h"
#include "mip6d/proto/mn.h"

#define MAX_LINES 256
#define LINE 96

struct world {
	struct mn *mn;
	struct mip6_env env;
	struct mn_config config;
	monotime_t now;
	char lines[MAX_LINES][LINE];
	size_t n, seen;
	uint64_t random;
	bool fixed_random;
	uint16_t random_seq;
	/* the last Binding Update */
	uint16_t seq, lifetime, flags;
	struct in6_addr bu_coa;
	unsigned bus;
	monotime_t bu_times[1024];
	bool used[65536];
	/* the last stored binding */
	bool stored;
	uint16_t stored_seq;
	uint32_t stored_remaining;
	unsigned be_sent;
	struct in6_addr be_home;
	unsigned events[64];
	struct mip6_event last;
	int fail_address, fail_mh, fail_icmp6;
	bool held, home_open, deregistered_here;
};

/* ---- names ---- */

struct in6_addr in6(const char *s);
struct in6_addr named(const char *name);
const char *name_of(const struct in6_addr *a);

/* ---- what is written down ---- */

/* All that happened since the last expect(), up to NULL. */
void expect_(struct world *w, int line, ...);
#define expect(w, ...) expect_(w, __LINE__, __VA_ARGS__, (const char *)NULL)
#define expect_nothing(w) expect_(w, __LINE__, (const char *)NULL)
void forget(struct world *w);
unsigned count(const struct world *w, const char *prefix);

/* ---- the world ---- */

struct world *world_new(void);
void start(struct world *w);
void world_free(struct world *w);
void advance(struct world *w, int64_t ms);

/* ---- inputs ---- */

void up_(struct world *w, int ifindex, bool link_local);
void up(struct world *w, int ifindex);
void down(struct world *w, int ifindex);
void address(struct world *w, int ifindex, const char *name, enum mn_address_state s);
/* by value: the address may be that of a Binding Update about to be replaced */
void coa_event(struct world *w, struct in6_addr a, enum mn_address_state s);
void icmp6(struct world *w, int ifindex, const char *src, const char *dst, int hops,
	const struct icmp6_message *m);
struct icmp6_message ra_of(const char *prefix, uint8_t mac);
void ra(struct world *w, int ifindex, const char *src, const struct icmp6_message *m);
void ra_a(struct world *w, int ifindex);
void ra_b(struct world *w, int ifindex);
/* By the home agent, with its global address. */
void ra_home(struct world *w, int ifindex);
/* By another router of the home link. */
void ra_home_other(struct world *w, int ifindex);
void na(struct world *w, int ifindex, const char *src, const char *dst, const char *target,
	bool solicited, uint8_t mac);

struct ba {
	uint8_t status;
	uint64_t seq, lifetime_s; /* GIVEN(), or 0: those of the last Binding Update */
	uint32_t advice_s;
	bool protected, direct; /* direct: without type 2 routing header */
	const char *src, *dst;
};

#define GIVEN(x) ((uint64_t)(x) | 1ull << 32)

void ba_(struct world *w, struct ba b);
/* the answer to the last Binding Update, changed by the arguments */
#define ba(...) ba_args(__VA_ARGS__, )
#define ba_args(w, ...) ba_(w, (struct ba){__VA_ARGS__})

void mh_raw(struct world *w, const char *src, const uint8_t *data, size_t len);
struct mn_info info(const struct world *w);
/* Attached to link A on interface 1 and registered. */
struct world *away_at_a(void);
void move_to_b(struct world *w);

/* ---- the suite ---- */

TCase *tcase(Suite *s, const char *name);
/* Runs it and says what main() returns. */
int suite_run(Suite *s);

#endif
