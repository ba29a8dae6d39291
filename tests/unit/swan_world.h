/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipsec-glue/swan.h with a strongSwan made of paper: the other end of the
 * socket answers from two tables, of connections and of SAs, and writes down
 * what it was asked to do.  Time is the test's.
 */
#ifndef TESTS_UNIT_SWAN_WORLD_H
#define TESTS_UNIT_SWAN_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipsec-glue/swan.h"
#include "ipsec-glue/vici.h"
#include "tests/run.h"

#define HOA "2001:db8:1::100"
#define HA "2001:db8:1::1000"
#define COA "2001:db8:a::1"

struct paper_sa {
	unsigned id, reqid, spi_in, spi_out;
	const char *connection, *child, *state;
};

extern struct paper {
	int listener, peer;
	char folder[64], path[96];
	/* connections */
	bool has_signal, has_data;
	const char *mode, *node_ts[2], *agent_ts[2], *data_ts;
	/* IKE and SAs */
	const char *ike_state, *ike_local, *ike_remote; /* ike_state NULL: there is none */
	unsigned ike_id;
	bool gives_up; /* what is initiated is gone at once */
	bool ends_slowly; /* what is terminated is not yet */
	struct paper_sa sas[8];
	size_t n_sas;
	char asked[2048];
} paper;

extern struct swan_world {
	monotime_t now;
	struct timerq *timers;
	struct swan *swan;
	int fd;
	char told[2048], complaints[4096];
} w;

/* ---- the paper strongSwan ---- */

void reply(enum vici_packet_type type, const char *name, void (*message)(struct wbuf *b));
extern struct paper_sa event_sa, event_old;
void rekey_message(struct wbuf *b);
void listen_now(void); /* strongSwan starts */

/* ---- the owner ---- */

struct in6_addr in6(const char *text);
struct swan_ref ref_of(enum ipsec_use use);
int watch(enum ipsec_use use);
int need(enum ipsec_use use);
/* Let time pass: every 10 ms both sides do what there is to do. */
void pass(unsigned ms);

#define SIGNAL_SA(n)                    \
	((struct paper_sa){.id = (n),   \
		.reqid = 1,             \
		.spi_in = 0x100 + (n),  \
		.spi_out = 0x200 + (n), \
		.connection = "home",   \
		.child = "signal"})

void add_sa(struct paper_sa sa);
/* strongSwan says that an SA pair came or went. */
void event(bool up, struct paper_sa sa);
/* What was told since the last time. */
const char *told(void);
/* What strongSwan was asked to do since the last time. */
const char *asked(void);
void setup(void);
void setup_up(void);
void teardown(void);

#endif
