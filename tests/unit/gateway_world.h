/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcm/gateway.h against a VCM that is only an end of an exchange and notes
 * what it is told.
 */
#ifndef TESTS_UNIT_GATEWAY_WORLD_H
#define TESTS_UNIT_GATEWAY_WORLD_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/run.h"
#include "vcm/gateway.h"

#define NODES 300
#define NOTED 2048

extern struct vcm_gateway_config config;
extern struct vcm_gateway *g;
extern struct vcm_exchange *vcm;
extern bool vcm_dead;
extern enum vcm_status vcm_answer;
extern unsigned loss; /* percent */

/* What the VCM was told, in order. */
extern struct told {
	unsigned n_messages, most_options;
	size_t n_nodes, n_pairs, n_correspondents;
	struct vcm_node_option nodes[NOTED];
	struct vcm_pair_option pairs[NOTED];
	struct vcm_correspondent_option correspondents[NOTED];
	bool pair_of_insiders;
} told;

/* What the gateway did. */
extern struct did {
	int activate_error;
	unsigned activations, stores;
	bool active[NODES], stored[NODES];
	struct in6_addr known_a, known_b;
	uint32_t known_ttl;
	unsigned n_known, n_forgotten;
	bool outside_at_vcm[NODES];
} did;

struct in6_addr internal(unsigned i);
unsigned number(const struct in6_addr *a);

/* ---- the VCM ---- */

void vcm_start(void);

/* ---- time ---- */

void pass(unsigned ms); /* time goes by, messages arrive */

/* ---- set up ---- */

void set_up(void);
void tear_down(void);
void again(void); /* the gateway starts again */
/* A node goes outside, and inside; two of them talk. */
void leave(unsigned i);
void come_back(unsigned i);
void talk(unsigned i, unsigned j);
void assert_pair(size_t at, unsigned i, unsigned j, enum vcm_trigger trigger);

#endif
