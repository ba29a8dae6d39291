/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Route optimization of the mobile node: two mobile nodes, each a
 * correspondent as well, and any number of plain correspondents
 * (2001:db8:c::/64) that one core plays.  What they send is kept in a queue
 * until run() delivers it, so a test can look, drop, swap and forge.  The home
 * agent is a line that says yes.
 */
#ifndef TESTS_UNIT_RO_WORLD_H
#define TESTS_UNIT_RO_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/log.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/mn.h"
#include "tests/advert.h"
#include "tests/quiet.h"
#include "tests/run.h"

#define MAX_SENT 512
#define PEERS 16

struct sent {
	int from; /* node, or -1: a plain correspondent */
	bool queued;
	monotime_t when;
	struct mip6_packet p;
	struct mh_message m;
	uint8_t data[128];
};

struct node {
	struct world *w;
	int number;
	struct mn *mn;
	struct cn *cn;
	struct mip6_env env;
	struct in6_addr home, care_of;
	struct in6_addr
		path; /* of Binding Updates to the peer: the care-of address in the kernel's state */
	struct { /* what the kernel was told */
		struct in6_addr peer, care_of;
		bool own, receive;
	} peers[PEERS];
	size_t n_peers, watched, unwatched;
	int stored_seq;
	int64_t idle_s;
	unsigned started;
	const char *why; /* of the last EV_RO_STARTED or EV_RO_TUNNEL */
	bool silent; /* its home agent does not answer */
	struct in6_addr bound; /* of a peer, in its correspondent's kernel */
};

struct world {
	monotime_t now;
	struct timerq *timers;
	uint64_t random;
	struct node nodes[2];
	struct cn *far;
	struct mip6_env far_env;
	size_t n_sent;
	struct sent sent[MAX_SENT];
};

extern struct world *w;
extern struct in6_addr agent, peer; /* the home agent, a plain correspondent */
struct in6_addr in6(const char *s);

/* ---- delivery ---- */

void home_agent_answers(const struct sent *s);
void deliver(struct sent *s);
/* All that is under way, and what follows from it. */
void run(void);
void forget(void);
void drop_all(void);
/* Time goes by; deliver: what is sent arrives at once. */
void wait_(int64_t ms, bool deliver_all);
bool to_peer(const struct sent *s, int from, uint8_t type);
size_t count(int from, uint8_t type);
/* The nth (from 0) of a type that this one sent to a correspondent. */
struct sent *nth(int from, uint8_t type, size_t n);

/* ---- life ---- */

/* The node comes to a link whose router has this prefix. */
void attach(struct node *n, const char *prefix);
void node_start(struct node *n, const struct mn_ro_config *ro);
struct mn_ro_config rules(void);
void setup(void);
void teardown(void);

/* ---- kernel ---- */

/* The place of a peer in the node's `peers`. */
size_t slot(struct node *n, const struct in6_addr *p);

/* ---- helpers ---- */

#define A (&w->nodes[0])
#define B (&w->nodes[1])

struct mn_ro_info info(const struct node *n, const struct in6_addr *p);
void bind_peer(void); /* node A registers with the plain correspondent */

#endif
