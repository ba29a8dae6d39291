/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a binding costs in the core of the home agent alone: no sockets, no
 * kernel, simulated time.  For each number of bindings N
 *
 *	registrations	N new bindings, DAD included, as a storm at one moment
 *	refreshes	N Binding Updates for bindings that exist, in random order
 *	moves		the same with another care-of address
 *	memory		what malloc gave for them, per binding
 *
 * A column that does not grow with N shows that nothing walks all bindings
 * (requirement U5).  -j prints JSON, -n N measures one number.
 */
#include <getopt.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/addr.h"
#include "lib/mh.h"
#include "lib/timer.h"
#include "mip6d/proto/ha.h"

#define HOME_IF 1
#define LIFETIME_UNITS 100

struct world {
	monotime_t now;
	struct timerq *timers;
	struct mip6_env env;
	struct ha_ops ops;
	struct ha *ha;
	uint64_t random, accepted, forwards;
};

struct result {
	size_t n;
	double register_per_s, refresh_per_s, move_per_s, octets;
};

/* ---- the world around the core: it counts ---- */

static monotime_t world_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static uint64_t next_random(struct world *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void world_random(void *ctx, void *to, size_t n)
{
	uint8_t *p = to;

	while (n--)
		*p++ = (uint8_t)next_random(ctx);
}

static int world_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;

	w->accepted += p->len > 6 && p->data[0] == 59 && p->data[6] < BA_UNSPECIFIED;
	return 0;
}

static int world_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx;
	(void)p;
	return 0;
}

static void world_event(void *ctx, const struct mip6_event *e)
{
	(void)ctx;
	(void)e;
}

static int forward_set(
	void *ctx, const struct in6_addr *home_address, const struct in6_addr *care_of)
{
	struct world *w = ctx;

	(void)home_address;
	(void)care_of;
	w->forwards++;
	return 0;
}

static int forward_del(void *ctx, const struct in6_addr *home_address)
{
	(void)ctx;
	(void)home_address;
	return 0;
}

static int proxy(void *ctx, int ifindex, const struct in6_addr *addr)
{
	(void)ctx;
	(void)ifindex;
	(void)addr;
	return 0;
}

static int proxy_add(void *ctx, int ifindex, const struct in6_addr *addr, bool router)
{
	(void)router;
	return proxy(ctx, ifindex, addr);
}

static int dad_listen(void *ctx, int ifindex, const struct in6_addr *addr, bool on)
{
	(void)ctx;
	(void)ifindex;
	(void)addr;
	(void)on;
	return 0;
}

static const struct in6_addr home_agent = {
	{{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0}}};

static struct ha_config configuration(void)
{
	struct ha_config c = {.address = home_agent,
		.home_ifindex = HOME_IF,
		.home_lladdr = {2, 0, 0, 0, 0, 1},
		.home_lladdr_len = 6,
		.n_prefixes = 1};

	c.prefixes[0].prefix = (struct ip6_prefix){.addr = in6_mask(&home_agent, 64), .plen = 64};
	c.prefixes[0].valid_s = c.prefixes[0].preferred_s = UINT32_MAX;
	return c;
}

static void world_init(struct world *w)
{
	struct ha_config c = configuration();

	*w = (struct world){.now = {1000000}, .timers = timerq_new(), .random = 1};
	w->env = (struct mip6_env){.ctx = w,
		.timers = w->timers,
		.now = world_now,
		.random = world_random,
		.send_mh = world_send_mh,
		.send_icmp6 = world_send_icmp6,
		.event = world_event};
	w->ops = (struct ha_ops){.forward_set = forward_set,
		.forward_del = forward_del,
		.proxy_add = proxy_add,
		.proxy_del = proxy,
		.dad_listen = dad_listen};
	w->ha = ha_new(&c, &w->env, &w->ops, w);
	if (!w->timers || !w->ha)
		abort();
}

/* ---- Binding Updates ---- */

static struct in6_addr numbered(uint8_t link, size_t number)
{
	struct in6_addr a = home_agent;

	a.s6_addr[5] = link;
	a.s6_addr[8] = 1;
	for (int i = 0; i < 4; i++)
		a.s6_addr[15 - i] = (uint8_t)(number >> 8 * i);
	return a;
}

static void update(struct world *w, size_t number, uint8_t link, uint16_t seq)
{
	struct mh_message m = {.type = MH_BU};
	uint8_t data[64];
	struct mip6_packet p = {.src = numbered(1, number),
		.src_coa = numbered(link, number),
		.dst = home_agent,
		.flags = MIP6_PKT_HAO,
		.hop_limit = 64,
		.ifindex = HOME_IF + 1,
		.data = data};

	m.u.bu.seq = seq;
	m.u.bu.flags = BU_F_A | BU_F_H;
	m.u.bu.lifetime = LIFETIME_UNITS;
	mh_option_add(&m, MHOPT_ALT_COA)->u.alt_coa = p.src_coa;
	p.len = mh_build(&m, data, sizeof(data));
	ha_receive_mh(w->ha, &p);
}

/* Timers one after the other, as the daemon's loop would run them. */
static void let_pass(struct world *w, int64_t ms)
{
	monotime_t end = mono_add_ms(w->now, ms), next;

	while (next = timerq_next(w->timers), !mono_before(end, next)) {
		w->now = next;
		timerq_run(w->timers, w->now);
	}
	w->now = end;
}

/* ---- measuring ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

static size_t gcd(size_t a, size_t b)
{
	return b ? gcd(b, a % b) : a;
}

/* Every binding once, far from the order in which they were made. */
static double all_once(struct world *w, size_t n, uint8_t link, uint16_t seq)
{
	double start = seconds();
	size_t step = n / 2 + 7;

	while (gcd(n, step) != 1)
		step++;
	for (size_t i = 0, at = 0; i < n; i++, at = (at + step) % n)
		update(w, at, link, seq);
	return (double)n / (seconds() - start);
}

static struct result measure(size_t n)
{
	struct result r = {.n = n};
	double before, start;
	struct world w;

	world_init(&w);
	before = allocated();
	start = seconds();
	for (size_t i = 0; i < n; i++)
		update(&w, i, 10, 1);
	let_pass(&w, 1000);
	r.register_per_s = (double)n / (seconds() - start);
	let_pass(&w, 60000); /* the advertisements are over */
	if (ha_count(w.ha) != n || w.accepted != n)
		abort();
	r.octets = (allocated() - before) / (double)n;
	r.refresh_per_s = all_once(&w, n, 10, 2);
	r.move_per_s = all_once(&w, n, 11, 3);
	if (w.accepted != 3 * n || w.forwards < 2 * n || ha_stats(w.ha)->moves != n)
		abort();
	ha_free(w.ha);
	timerq_free(w.timers);
	return r;
}

/* ---- output ---- */

static void print_table(const struct result *r, size_t count)
{
	printf("%10s %16s %14s %14s %16s\n", "bindings", "registrations/s", "refreshes/s",
		"moves/s", "octets/binding");
	for (size_t i = 0; i < count; i++)
		printf("%10zu %16.0f %14.0f %14.0f %16.0f\n", r[i].n, r[i].register_per_s,
			r[i].refresh_per_s, r[i].move_per_s, r[i].octets);
}

static void print_json(const struct result *r, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			list, json_pack("{s:I, s:f, s:f, s:f, s:f}", "bindings", (json_int_t)r[i].n,
				      "registrations_per_s", r[i].register_per_s, "refreshes_per_s",
				      r[i].refresh_per_s, "moves_per_s", r[i].move_per_s,
				      "octets_per_binding", r[i].octets));
	json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(list);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {1000, 10000, 100000};
	struct result r[sizeof(sizes) / sizeof(sizes[0])];
	size_t count = 0, only = 0;
	bool json = false;
	int c;

	while ((c = getopt(argc, argv, "jn:")) != -1) {
		if (c == 'j') {
			json = true;
		} else if (c == 'n') {
			only = strtoul(optarg, NULL, 10);
		} else {
			fprintf(stderr, "usage: %s [-j] [-n BINDINGS]\n", argv[0]);
			return 2;
		}
	}
	if (only)
		r[count++] = measure(only);
	for (size_t i = 0; !only && i < sizeof(sizes) / sizeof(sizes[0]); i++)
		r[count++] = measure(sizes[i]);
	if (json)
		print_json(r, count);
	else
		print_table(r, count);
	return 0;
}
