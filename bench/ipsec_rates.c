/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast SAs and policies of a home agent's nodes are installed and moved:
 * by the sender, and by a bare loop of the very same messages, built before.
 * Both take turns on chunks of nodes, so each finds the kernel as the other
 * does.  One line of JSON for each number of nodes.
 *
 *   ipsec_rates NODES ...     (ascending, from 50 on)
 */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/build.h"
#include "ipsec-glue/plan.h"
#include "ipsec-glue/sender.h"
#include "lib/netlink.h"

#define CHUNK 10 /* nodes */
#define WARM_UP 40 /* nodes before the clock starts: the kernel makes its caches */
#define MOVES 2000 /* nodes moved at each size, at most */
#define ALONE 200 /* nodes moved one by one, with all that belongs to a move */

struct rate {
	double s;
	size_t n;
};

struct bench {
	struct ipsec_sender *sender;
	struct nlreq *bare;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct in6_addr address(uint16_t net, uint32_t i)
{
	struct in6_addr a = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8}};

	a.s6_addr[4] = (uint8_t)(net >> 8);
	a.s6_addr[5] = (uint8_t)net;
	for (int k = 0; k < 4; k++)
		a.s6_addr[12 + k] = (uint8_t)(i >> (24 - 8 * k));
	return a;
}

static struct ipsec_node node(uint32_t i)
{
	return (struct ipsec_node){.at_home_agent = true,
		.home_address = address(1, i + 0x10000),
		.home_agent = address(1, 1),
		.reqid = {4 * i + 1, 4 * i + 2},
		.spi_out = 0x10000 + 4 * i + 3};
}

static struct in6_addr care_of(uint32_t i, unsigned place)
{
	return address((uint16_t)(0x100 + place), i + 1);
}

static void add_sas(const struct ipsec_node *n, uint32_t i, struct ipsec_plan *p)
{
	for (int k = 0; k < 4; k++) {
		struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_ADD);

		op->sa = (struct ipsec_sa){.spi = 0x10000 + 4 * i + (uint32_t)k,
			.reqid = n->reqid[k / 2],
			.mode = k / 2 ? IPSEC_TUNNEL : IPSEC_TRANSPORT,
			.algorithm = ipsec_algorithm_find("aes-gcm-128"),
			.replay_window = k % 2 ? 0 : IPSEC_REPLAY_WINDOW,
			.key = {.len = 20}};
		memcpy(op->sa.key.octets, &op->sa.spi, sizeof(op->sa.spi));
		ipsec_node_ends(n, (enum ipsec_use)(k / 2), k % 2, &op->sa.src, &op->sa.dst);
	}
}

static void plan_install(uint32_t i, struct ipsec_plan *p)
{
	struct ipsec_node n = node(i), at;
	struct in6_addr c = care_of(i, 0);

	at = n;
	at.care_of = c;
	add_sas(&at, i, p);
	ipsec_plan_install(&n, p);
	ipsec_plan_bind(&n, &c, p);
}

/* All that belongs to a move, or its MIGRATE alone. */
static void plan_move(uint32_t i, unsigned from, bool alone, struct ipsec_plan *p)
{
	struct ipsec_node n = node(i);
	struct in6_addr to = care_of(i, from + 1);
	struct ipsec_plan whole = {0};

	n.care_of = care_of(i, from);
	n.bound = n.was_bound = true;
	ipsec_plan_bind(&n, &to, &whole);
	for (size_t k = 0; k < whole.n; k++)
		if (!alone || whole.ops[k].type == IPSEC_MIGRATE) {
			struct ipsec_op *op = ipsec_plan_add(p, whole.ops[k].type);

			*op = whole.ops[k];
		}
	ipsec_plan_free(&whole);
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "ipsec_rates: %s: %s\n", what, why);
	exit(1);
}

static void by_sender(struct bench *b, const struct ipsec_plan *p, struct rate *r)
{
	struct ipsec_failure f;
	double begin = now();

	if (ipsec_sender_do(b->sender, p, &f))
		die(ipsec_op_name(p->ops[f.op].type), f.why);
	r->s += now() - begin;
	r->n += p->n;
}

static void by_hand(struct bench *b, const struct ipsec_plan *p, struct rate *r)
{
	struct nl_msg **m = calloc(p->n, sizeof(*m));
	struct nlreq_result results[NLREQ_MANY];
	double begin;

	for (size_t i = 0; i < p->n; i++)
		m[i] = ipsec_build(&p->ops[i]);
	begin = now();
	for (size_t i = 0; i < p->n; i += NLREQ_MANY) {
		size_t n = p->n - i < NLREQ_MANY ? p->n - i : NLREQ_MANY;

		if (nlreq_many(b->bare, m + i, n, results, NULL, NULL))
			die("bare loop", nlreq_why(b->bare));
		for (size_t k = 0; k < n; k++)
			if (results[k].error)
				die(ipsec_op_name(p->ops[i + k].type), strerror(-results[k].error));
	}
	r->s += now() - begin;
	r->n += p->n;
	for (size_t i = 0; i < p->n; i++)
		ipsec_message_free(m[i]);
	free(m);
}

static void install(struct bench *b, uint32_t from, uint32_t to, struct rate r[2])
{
	for (uint32_t i = from; i < to; i += CHUNK) {
		struct ipsec_plan p = {0};

		for (uint32_t k = i; k < to && k < i + CHUNK; k++)
			plan_install(k, &p);
		if (i / CHUNK % 2)
			by_hand(b, &p, &r[1]);
		else
			by_sender(b, &p, &r[0]);
		ipsec_plan_free(&p);
	}
}

/* Few nodes move often. */
static unsigned rounds(uint32_t nodes)
{
	return nodes < MOVES / 2 ? 20 : 2;
}

/* Nodes spread over all there are, from place to place. */
static void move(struct bench *b, uint32_t nodes, struct rate r[2])
{
	uint32_t n = nodes < MOVES ? nodes : MOVES, step = nodes / n;

	for (unsigned from = 0; from < rounds(nodes); from++)
		for (uint32_t i = 0; i < n; i += CHUNK) {
			struct ipsec_plan p = {0};

			for (uint32_t k = i; k < n && k < i + CHUNK; k++)
				plan_move(k * step, from, true, &p);
			if ((i / CHUNK + from) % 2)
				by_hand(b, &p, &r[1]);
			else
				by_sender(b, &p, &r[0]);
			ipsec_plan_free(&p);
		}
}

/* From where move() has left them, and all of them back to the first place. */
static double move_alone(struct bench *b, uint32_t nodes)
{
	uint32_t n = nodes < MOVES ? nodes : MOVES, step = nodes / n, count = n < ALONE ? n : ALONE;
	struct rate r = {0}, back = {0};

	for (uint32_t i = 0; i < count; i++) {
		struct ipsec_plan p = {0};

		plan_move(i * step, rounds(nodes), false, &p);
		by_sender(b, &p, &r);
		ipsec_plan_free(&p);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct ipsec_plan p = {0};

		plan_move(i * step, rounds(nodes) + (i < count), true, &p);
		for (size_t k = 0; k < p.n; k++) {
			struct in6_addr first = care_of(i * step, 0);

			*(p.ops[k].migrate.dir == IPSEC_OUT ? &p.ops[k].migrate.new_dst
							    : &p.ops[k].migrate.new_src) = first;
		}
		by_sender(b, &p, &back);
		ipsec_plan_free(&p);
	}
	return r.s / count;
}

static long available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

int main(int argc, char **argv)
{
	long at_start = available_kb();
	uint32_t have = 0;
	struct bench b = {0};
	int err;

	b.sender = ipsec_sender_open(&err);
	b.bare = b.sender ? nlreq_open(NETLINK_XFRM, &err) : NULL;
	if (!b.bare)
		die("netlink", strerror(-err));
	install(&b, 0, WARM_UP, (struct rate[2]){{0}});
	have = WARM_UP;
	for (int i = 1; i < argc; i++) {
		uint32_t nodes = (uint32_t)atol(argv[i]);
		struct rate in[2] = {{0}}, mv[2] = {{0}};
		double alone;
		long kb;

		install(&b, have, nodes, in);
		kb = (at_start - available_kb());
		move(&b, nodes, mv);
		alone = move_alone(&b, nodes);
		printf("{\"nodes\": %u, \"install_sender\": %.0f, \"install_bare\": %.0f, \"migrate_sender\": %.0f, "
		       "\"migrate_bare\": %.0f, \"move_us\": %.0f, \"kb_per_node\": %.1f, \"ops_per_node\": %.1f}\n",
			nodes, (double)in[0].n / in[0].s, (double)in[1].n / in[1].s, (double)mv[0].n / mv[0].s,
			(double)mv[1].n / mv[1].s, alone * 1e6, (double)kb / nodes,
			(double)(in[0].n + in[1].n) / (nodes - have));
		fflush(stdout);
		have = nodes;
	}
	ipsec_sender_close(b.sender);
	nlreq_close(b.bare);
	return 0;
}
