/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What home agent and mobile node say beside registrations, where one binding
 * and a whole network are not enough or too much: many bindings, messages
 * from the wrong place, the order of what the kernel is asked.  The exchange
 * of both ends is in tests/exchange: test_revocation.c, test_heartbeat.c,
 * test_switch.c.
 */
#ifndef TESTS_UNIT_SIGNAL_WORLD_H
#define TESTS_UNIT_SIGNAL_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"
#include "tests/advert.h"
#include "tests/quiet.h"
#include "tests/run.h"

#define HA "2001:db8:1::1000"
#define HA2 "2001:db8:1::2000"
#define HOME "2001:db8:1::100"
#define MAX_SENT 20100

struct world {
	monotime_t now;
	struct mip6_env env;
	struct ha_config hc;
	struct mn_config mc;
	struct ha *ha;
	struct mn *mn;
	uint8_t random;
	size_t n_sent;
	struct sent {
		uint8_t type; /* of the Mobility Header */
		uint16_t seq, lifetime; /* BU; seq of a revocation too */
		uint32_t hb_seq;
		bool response;
		struct in6_addr src, dst, coa;
		unsigned flags;
		monotime_t when;
	} sent[MAX_SENT];
	unsigned events[64];
	struct in6_addr bu_path; /* to whom; :: none */
	struct in6_addr tunnel;
	bool hold;
	char calls[512]; /* of what the kernel is asked, in order */
};

struct in6_addr in6(const char *text);
/* Writes down what the kernel is asked. */
void call(struct world *w, const char *what);

/* ---- the world ---- */

struct world *world_new(void);
void world_free(struct world *w);
/* Time goes by, timers run. */
void advance(struct world *w, int64_t ms);
/* What was sent of this type: how many, and the last one. */
size_t count(const struct world *w, uint8_t type);
const struct sent *last(const struct world *w, uint8_t type);

/* ---- messages ---- */

struct mh_message revocation(uint8_t br_type, uint8_t number, uint16_t seq);
struct mh_message heartbeat(bool response, bool unsolicited, uint32_t seq, int64_t counter);
struct mh_message binding_error(uint8_t status);

struct mn_info mn(const struct world *w);

#endif
