/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent core (mip6d/proto/ha.h) in a world that only writes down
 * what is asked of it.  Each call of the core becomes one line of a trace, so
 * that a test states what happens and in which order:
 *
 *	fwd+ HOME > CARE-OF, fwd- HOME	forwarding
 *	proxy+ ADDR, proxy- ADDR	proxying on the home link
 *	hear+ ADDR, hear- ADDR		listening during DAD
 *	put HOME seq N left N [invalid], del HOME	the store
 *	BA status N seq N life N to WIRE-DESTINATION [for HOME] [if N] [ipsec] [advice N]
 *	BE ..., PP ..., NS target, NA target
 *
 * Addresses are shortened to names, see below.
 */
#ifndef TESTS_UNIT_HA_WORLD_H
#define TESTS_UNIT_HA_WORLD_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha.h"

#define HOME_IF 7
#define OTHER_IF 3

struct in6_addr addr(const char *name);

/* ---- the world ---- */

struct world {
	struct timerq *timers;
	monotime_t now;
	uint64_t random;
	struct mip6_env env;
	struct ha_ops ops;
	struct ha_config config;
	struct in6_addr allowed[1];
	struct ha *ha;
	char trace[16384], events[16384];
	int forward_error, proxy_error;
	bool quiet; /* no trace, no checks: for thousands */
	unsigned n_ba, n_ns, n_na, n_bad;
	uint8_t ba_status;
	uint16_t ba_life;
	uint8_t icmp[2048], ns[128]; /* the last Parameter Problem, Neighbor Solicitation */
	size_t icmp_len, ns_len;
};

extern struct world w;

/* What the kernel would have in it, for the random walk: one row an address. */
struct kernel_row {
	struct in6_addr addr, care_of;
	int forwarding, proxy, hears, stored;
};

extern struct kernel_row kernel[16];

struct kernel_row *kernel_row(const struct in6_addr *a);
void w_random(void *ctx, void *to, size_t n);
void add_prefix(const char *text, uint32_t valid_s, uint32_t preferred_s);
void start(void);
/* A home agent on a virtual home link, so without DAD. */
void setup(void);
void setup_link(void);
void teardown(void);
/* Time goes on; timers run when they are due. */
void pass_ms(int64_t ms);
void pass_s(int64_t s);
void forget(void);

/* The trace since the last time. */
#define EXPECT(text)                             \
	do {                                     \
		ck_assert_str_eq(w.trace, text); \
		w.trace[0] = 0;                  \
	} while (0)
#define EXPECT_EVENTS(text)                       \
	do {                                      \
		ck_assert_str_eq(w.events, text); \
		w.events[0] = 0;                  \
	} while (0)

/* ---- Binding Updates ---- */

struct bu {
	const char *home, *care_of; /* "h1", "c1" */
	const char *alt; /* Alternate Care-of Address option */
	const char *to; /* "ha" */
	unsigned seq, life; /* units of 4 s */
	unsigned flags; /* A|H unless no_flags */
	bool no_flags, no_hao, nonces, is_protected;
	int ifindex;
};

void bu_(struct bu u);
#define bu(...) bu_((struct bu){__VA_ARGS__})

void receive(struct mip6_packet *p, const struct mh_message *m);
/* Binding Updates for n home addresses 2001:db8:1::2:0:0, 2:0:1, ... */
void many(unsigned n, unsigned seq, const char *care_of, unsigned flags);
struct ha_binding_info find(const char *home);
const char *care_of(const char *home);
bool exists(const char *home);

#define REFUSED(status) (ha_stats(w.ha)->refused[(status)-128])

/* ---- Neighbor Discovery ---- */

struct nd {
	uint8_t type;
	const char *target, *from,
		*to; /* NS from :: or NA from the target, unless said otherwise */
	bool solicited, slla;
	int ifindex, hop_limit;
};

void nd_(struct nd n);
#define nd(...) nd_((struct nd){__VA_ARGS__})
/* The last Neighbor Solicitation that was sent comes back. */
void own_echo(void);

/* ---- the suite ---- */

/* Runs one test case and says what main() returns. */
int run_case(const char *suite, TCase *t);

#endif
