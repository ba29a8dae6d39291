/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcm/node.h: one node, and a VCM that says what a test wants.  What the node
 * does in the kernel and what it tells the VCM is one text, in its order.
 */
#ifndef TESTS_UNIT_NODE_WORLD_H
#define TESTS_UNIT_NODE_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/run.h"
#include "vcm/node.h"
#include "vcm/secret.h"

extern struct vcm_node *node;
extern struct vcm_node_config config;
extern struct in6_addr node_addr, vcm_addr, peer_addr, peer_home;
extern char said[4096]; /* what was done and said */
extern int kernel_error; /* of inbound_add and outbound_set */
extern int64_t packets_in, packets_out; /* out: unknown when outbound is gone, as for the kernel */
extern uint64_t told_in, told_out; /* by the last DOWN */
extern bool deaf; /* nothing of the node arrives */
extern enum vcm_status answer, last_status;
extern uint8_t last_nonce[VCM_NONCE_LEN], last_public[VCM_PUBLIC_LEN];
extern struct vcm_node_session installed;
extern uint8_t key_in[VCM_KEY_MAX], key_out[VCM_KEY_MAX];
struct in6_addr addr(const char *text);

/* ---- time ---- */

void pass_ms(int64_t ms);
/* What was done and said since the last time. */
void expect(const char *wanted);

/* ---- what the VCM says ---- */

struct vcm_message about(enum vcm_type type, uint64_t id, uint32_t generation);
/* Sent, delivered; what the node answered. */
enum vcm_status tell(struct vcm_message m);
struct vcm_message offer(uint64_t id, uint32_t generation, uint32_t spi);
struct vcm_message end(uint64_t id, uint32_t generation, enum vcm_reason reason);

#define GONE ((enum vcm_node_state)99) /* there is no such session */
enum vcm_node_state state_of(uint32_t generation);

/* ---- start and end of each test ---- */

void start_vcm(uint64_t epoch);
void start(void);
void stop(void);
/* The node starts again. */
void again_with(struct vcm_node_config c);
void make_direct(void);

#endif
