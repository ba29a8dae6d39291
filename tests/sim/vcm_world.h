/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gateway, manager and three nodes in one process, on a network that delays,
 * loses, repeats and reorders, with kernels that know SAs.  Whatever a node
 * sends by a session must be readable where it arrives: world_check() is the
 * count of what was not.
 */
#ifndef TESTS_SIM_VCM_WORLD_H
#define TESTS_SIM_VCM_WORLD_H

#include <sys/queue.h>

#include "lib/timer.h"
#include "vcm/gateway.h"
#include "vcm/manager.h"
#include "vcm/node.h"

#define N_NODES 3
#define MAX_IN 64 /* inbound SAs of one kernel */
#define MAX_SESSIONS 16

enum { AT_GATEWAY = N_NODES, AT_MANAGER, N_HOSTS };

struct kernel_in {
	bool used;
	uint32_t spi;
	uint8_t key[VCM_KEY_MAX];
	size_t key_len;
	int peer;
	int64_t packets;
	monotime_t gone_at; /* its lifetime ends, or the daemon that started again takes it off */
};

struct kernel_out {
	bool on, use; /* use: not by the gateway for now */
	uint32_t spi;
	uint8_t key[VCM_KEY_MAX];
	size_t key_len;
	int64_t packets;
	monotime_t gone_at; /* its lifetime ends */
};

struct host_path { /* one node's to a peer */
	struct world *w;
	int node, peer;
	bool wanted;
	struct timer timer;
};

struct host {
	struct world *w;
	int index;
	struct in6_addr internal, home;
	bool outside;
	struct vcm_node *node; /* NULL: crashed */
	struct timer restart;
	struct kernel_in in[MAX_IN];
	struct kernel_out out[N_NODES];
	struct host_path paths[N_NODES];
	struct rr_shared shared[N_NODES]; /* zeroes: none */
};

struct flight {
	LIST_ENTRY(flight) entry;
	struct timer timer;
	struct world *w;
	int from, to;
	bool data;
	uint32_t spi; /* of data by a session; 0: by the gateway */
	uint8_t key[VCM_KEY_MAX];
	size_t len;
	uint8_t octets[];
};

struct world {
	uint64_t dice;
	monotime_t now;
	struct timerq *timers;
	LIST_HEAD(, flight) flights;
	/* the network, for messages; per mille */
	unsigned loss, twice, late;
	int64_t delay_us, late_us;
	bool dead[N_NODES][N_NODES]; /* nothing goes directly between these two */
	/* what the seed has chosen */
	struct vcm_policy policy;
	bool denied[N_NODES][N_NODES];
	bool path_required;
	unsigned spi_taken; /* per mille of SAs that a kernel refuses */
	unsigned disk_full; /* per mille of records that are not written */
	/* who is there */
	struct host hosts[N_NODES];
	struct vcm_gateway *gateway; /* NULL: crashed */
	struct vcm_manager *manager;
	struct timer gateway_restart, manager_restart, traffic;
	bool gateway_stored[N_NODES];
	monotime_t pair_quiet[N_NODES][N_NODES];
	/* the manager's store */
	bool has_context[N_NODES], has_session[MAX_SESSIONS];
	struct vcm_context_record contexts[N_NODES];
	struct vcm_session_record sessions[MAX_SESSIONS];
	/* what was seen */
	uint64_t direct, by_gateway, on_dead_path, unreadable, from_inside;
	uint64_t collisions, rekeys, restarts;
	bool trace;
};

void world_begin(struct world *w, uint64_t seed, bool trace);
void world_end(struct world *w);
uint64_t world_below(struct world *w, uint64_t n);
bool world_chance(struct world *w, unsigned per_mille);
void world_run(struct world *w, monotime_t until);
void world_note(struct world *w, const char *what, int who, const char *text);

/* It is gone now and comes back after so long; harmless when it is gone already. */
void world_crash_node(struct world *w, int i, int64_t down_ms);
void world_crash_gateway(struct world *w, int64_t down_ms);
void world_crash_manager(struct world *w, int64_t down_ms);
void world_move(struct world *w, int i, bool outside);
/* One of the manager's sessions, 0: it has none. */
uint64_t world_a_session(struct world *w);
/* By sessions both ways, with the same keys; or not at all. */
bool world_direct(const struct world *w, int a, int b);
/*
 * For Binding Updates between the two (V15): who talks directly has the same
 * one as the peer, or neither has any; else a node has one only as long as it
 * keeps inbound, since the peer may still take its binding back.
 */
bool world_secrets_right(const struct world *w, int a, int b);
bool world_none(const struct world *w, int a, int b);

/* vcm_world_net.c */
void world_send(
	struct world *w, int from, const struct in6_addr *to, const uint8_t *data, size_t len);
void world_traffic(struct timer *t, void *arg);
int world_host_of(const struct world *w, const struct in6_addr *addr);
struct in6_addr world_address(const struct world *w, int host);
void world_drop_flights(struct world *w);

/* vcm_world_node.c */
void world_start_node(struct world *w, int i);
void world_roam(struct world *w, int i); /* to another link: its paths are gone for a while */
bool world_reads(struct host *h, uint32_t spi, const uint8_t *key, size_t len, bool count);

#endif
