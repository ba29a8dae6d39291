/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a gateway's packet filter costs a forwarded packet, and how many of
 * many new pairs reach the daemon.  Run by bench/vcm-detect in a machine of
 * its own: it makes the name space `source` and the devices `in` and `out`, and
 * prints one line of JSON.
 *
 * Packets come from `source` by `in` and are forwarded to `out`, a dummy that
 * counts them; their destinations are nodes outside.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/loop.h"
#include "lib/addr.h"
#include "mip6d/sys/vpn_gateway.h"

#define NODES 100
#define OTHERS 1000 /* who talks with each of them */
#define PAIRS (NODES * OTHERS)
#define ROUNDS 5
#define PACKETS 50000 /* of a round */
#define PACKET 80 /* IPv6, UDP, 32 octets */
#define LATER_S 5 /* longer than the filter keeps quiet about a pair */

static struct {
	struct vpn_gateway *v;
	bool told[PAIRS];
	size_t n_told;
	bool answers; /* says that the pair is known, as the daemon does */
} bench;

static void die(const char *what)
{
	fprintf(stderr, "vcm_detect: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void shell(const char *command)
{
	if (system(command))
		die(command);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct in6_addr address(uint16_t subnet, unsigned i)
{
	struct in6_addr a = {{{0xfd}}};

	a.s6_addr[6] = (uint8_t)(subnet >> 8);
	a.s6_addr[7] = (uint8_t)subnet;
	a.s6_addr[14] = (uint8_t)(i >> 8);
	a.s6_addr[15] = (uint8_t)i;
	return a;
}

/* ---- packets ---- */

static void set_up(void)
{
	shell("ip netns add source && ip link add in type veth peer name eth0 netns source && "
	      "ip link add out type dummy && ip link set in up && ip link set out up && "
	      "ip -n source link set eth0 up && ip link set lo up && "
	      "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding && "
	      "ip -6 addr add fe80::1/64 dev in nodad && ip -n source -6 addr add fe80::2/64 dev "
	      "eth0 nodad && "
	      "ip -6 route add fd00:0:0:2::/64 dev out && "
	      "ip -n source -6 route add fd00::/16 via fe80::1 dev eth0");
}

static int source_socket(void)
{
	int here = open("/proc/self/ns/net", O_RDONLY), there = open("/run/netns/source", O_RDONLY),
	    fd;

	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		die("name space");
	fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0 || setns(here, CLONE_NEWNET))
		die("raw socket");
	close(here);
	close(there);
	return fd;
}

static void send_one(int fd, unsigned pair)
{
	uint8_t p[PACKET] = {0x60, [5] = PACKET - 40, [6] = IPPROTO_UDP, [7] = 64};
	struct in6_addr from = address(1, pair / NODES), to = address(2, pair % NODES);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = to};

	memcpy(p + 8, &from, 16);
	memcpy(p + 24, &to, 16);
	p[45] = PACKET - 40;
	while (sendto(fd, p, sizeof(p), 0, (struct sockaddr *)&a, sizeof(a)) < 0)
		if (errno != ENOBUFS && errno != EAGAIN)
			die("send");
}

static uint64_t forwarded(void)
{
	FILE *f = fopen("/sys/class/net/out/statistics/tx_packets", "r");
	unsigned long long n = 0;

	if (!f || fscanf(f, "%llu", &n) != 1)
		die("counter");
	fclose(f);
	return n;
}

static double rate(int fd, unsigned first, unsigned n_pairs)
{
	uint64_t before = forwarded();
	double start = seconds();

	for (unsigned i = 0; i < PACKETS; i++)
		send_one(fd, first + i % n_pairs);
	while (forwarded() - before < PACKETS && seconds() - start < 60)
		sched_yield();
	return (double)(forwarded() - before) / (seconds() - start);
}

/* ---- the gateway ---- */

static void traffic(void *ctx, const struct in6_addr *from, const struct in6_addr *to)
{
	unsigned other = (unsigned)from->s6_addr[14] << 8 | from->s6_addr[15];
	unsigned pair = other * NODES + to->s6_addr[15];

	(void)ctx;
	if (pair < PAIRS && !bench.told[pair]) {
		bench.told[pair] = true;
		bench.n_told++;
	}
	if (bench.answers)
		vpn_gateway_known(bench.v, from, to, 3600);
}

static void nobody(void *ctx, const struct in6_addr *internal)
{
	(void)ctx;
	(void)internal;
}

static void gateway_open(struct sys_loop *loop)
{
	static const struct vpn_gateway_events events = {
		.outside = nobody, .inside = nobody, .traffic = traffic};
	static char links[2][16] = {"in", "out"};
	struct ip6_prefix internal = {.plen = 16};
	struct vpn_gateway_config c = {
		.internal = &internal, .n_internal = 1, .interfaces = links, .n_interfaces = 2};
	char err[700];

	internal.addr = (struct in6_addr){{{0xfd}}};
	internal.addr.s6_addr[1] = 0;
	c.address = address(9, 1);
	bench.v = vpn_gateway_open(&c, loop, NULL, &events, NULL, err, sizeof(err));
	if (!bench.v) {
		fprintf(stderr, "vcm_detect: %s\n", err);
		exit(1);
	}
	for (unsigned i = 0; i < NODES; i++) {
		struct vpn_gateway_node n = {.internal = address(2, i), .home = address(3, i)};

		if (vpn_gateway_add(bench.v, &n) ||
			vpn_gateway_activate(bench.v, &n.internal, true))
			die("node");
	}
}

static void turn_for(struct sys_loop *loop, double s)
{
	double until = seconds() + s;

	while (seconds() < until) {
		sys_loop_turn(loop, 0);
		sched_yield();
	}
}

/* ---- what is measured ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static void cost(int fd, struct sys_loop *loop)
{
	double without[ROUNDS], known[ROUNDS], none[ROUNDS], ratio_known[ROUNDS],
		ratio_none[ROUNDS];
	struct in6_addr a, b;

	for (unsigned r = 0; r < ROUNDS; r++) {
		without[r] = rate(fd, 0, NODES);
		gateway_open(loop);
		for (unsigned i = 0; i < NODES; i++) {
			a = address(1, 0);
			b = address(2, i);
			vpn_gateway_known(bench.v, &a, &b, 3600);
		}
		turn_for(loop, 0.1);
		known[r] = rate(fd, 0, NODES);
		for (unsigned i = 0; i < NODES; i++) {
			b = address(2, i);
			vpn_gateway_activate(bench.v, &b, false);
		}
		none[r] = rate(fd, 0, NODES);
		vpn_gateway_close(bench.v);
		ratio_known[r] = known[r] / without[r];
		ratio_none[r] = none[r] / without[r];
	}
	printf("\"without\": %.0f, \"known\": %.0f, \"inside\": %.0f, \"ratio_known\": %.3f, "
	       "\"ratio_inside\": %.3f, ",
		median(without), median(known), median(none), median(ratio_known),
		median(ratio_none));
}

/* All pairs at full speed from another process; who has read how many when they are through. */
static double burst(int fd, struct sys_loop *loop)
{
	double start = seconds();
	pid_t child = fork();
	int status = 0;

	if (child < 0)
		die("fork");
	if (child == 0) {
		for (unsigned i = 0; i < PAIRS; i++)
			send_one(fd, i);
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		sys_loop_turn(loop, 0);
	start = seconds() - start;
	turn_for(loop, 1);
	return start;
}

static void new_pairs(int fd, struct sys_loop *loop)
{
	uint64_t before = forwarded();
	double took;
	size_t first;

	gateway_open(loop);
	bench.answers = true;
	took = burst(fd, loop);
	first = bench.n_told;
	printf("\"pairs\": %d, \"per_s\": %.0f, \"told\": [%zu", PAIRS, PAIRS / took, first);
	for (int again = 0; again < 3 && bench.n_told < PAIRS; again++) {
		turn_for(loop, LATER_S);
		burst(fd, loop);
		printf(", %zu", bench.n_told);
		before += PAIRS;
	}
	printf("], \"lost\": %lld", (long long)(before + PAIRS - forwarded()));
	vpn_gateway_close(bench.v);
}

int main(void)
{
	struct sys_loop *loop = sys_loop_new();
	int fd;

	if (!loop)
		die("event loop");
	set_up();
	fd = source_socket();
	printf("{");
	cost(fd, loop);
	new_pairs(fd, loop);
	printf("}\n");
	sys_loop_free(loop);
	return 0;
}
