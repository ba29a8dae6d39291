/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Convergence: whatever happened before, when the mobile node stays where it
 * is both sides come to agree (requirements M1, M2).
 *
 * Each seed makes a network (delays, loss up to 30 %, repetition, reordering,
 * lifetimes, settings of both sides) and a schedule of moves, restarts and
 * router failures.  After the last of them:
 *
 * 1. Faults go on.  Both sides must agree within LOSSY_S.  An exchange BU, BA
 *    crosses a link and the core twice, so at 30 % it fails with 1 - 0.7^4 =
 *    0.76; 75 tries in a row fail once in 10^9, and tries are at most
 *    MAX_BINDACK_TIMEOUT = 32 s apart: 2,400 s.  To that comes a lifetime (at
 *    most 600 s) where a home agent forgot a binding or a mobile node does not
 *    know of one, and a minute in which a refusal is not asked again.
 * 2. Faults end.  Within QUIET_S both agree: 32 s until the next
 *    retransmission, 10 s until the next Router Advertisement, 1 s for DAD on
 *    either side, 3 s until a hold ends, and some for travelling.
 * 3. They still do STABLE_S later, and nothing is held.
 *
 * After every event net_check() looks for what must never happen; see
 * tests/exchange/net_check.c and net_data.c.
 *
 * usage: converge [-n SEEDS] [-s FIRST] [-t] [-v]
 *	-t prints each packet; with -s and -n 1 it replays one seed
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/exchange/net.h"

#define LOSSY_S 3600
#define QUIET_S 60
#define STABLE_S 30
#define MAX_LIFETIME_S 600

/* ---- one network ---- */

static bool chance(struct net *n, unsigned percent)
{
	return net_below(n, 100) < percent;
}

static void random_links(struct net *n)
{
	for (int i = 0; i < N_PATHS; i++) {
		struct net_path *p = &n->paths[i];

		p->delay_us = 50 + (int64_t)net_below(n, i == CORE ? 250000 : 5000);
		p->loss = (unsigned)net_below(n, 301);
		p->duplicate = (unsigned)net_below(n, 201);
		p->reorder = (unsigned)net_below(n, 301);
		p->reorder_us = (int64_t)net_below(n, 1500000);
	}
	/*
	 * No time on the home link: a Neighbor Advertisement of the mobile node
	 * that arrives after the Binding Update from its next link makes DAD
	 * fail (10.3.1), and status 134 is for ever.  No real link is that slow.
	 */
	n->paths[HOME].delay_us = 50;
	n->paths[HOME].reorder = 0;
	for (int i = 0; i < N_LINKS; i++) {
		struct net_router *r = &n->routers[i];

		r->ra_interval_ms = 1000 + (int64_t)net_below(n, 9000);
		r->adv_interval_ms = chance(n, 30) ? (uint32_t)r->ra_interval_ms : 0;
		r->no_slla = i != HOME && chance(n, 10); /* see test_home.c for that one */
	}
}

static void random_home_agent(struct net *n)
{
	struct ha_config *c = &n->ha_config;

	c->optimistic = chance(n, 50);
	c->max_lifetime_s = chance(n, 30) ? 8 + 4 * (uint32_t)net_below(n, 100) : MAX_LIFETIME_S;
	if (chance(n, 10))
		c->home_ifindex = 0;
}

static void random_mobile_node(struct net *n)
{
	static const uint32_t hold[] = {500, 1000, 3000};
	struct mn_config *c = &n->mn_config;

	c->lifetime_s = 16 + 4 * (uint32_t)net_below(n, (MAX_LIFETIME_S - 16) / 4);
	c->uplink = chance(n, 50) ? MN_UPLINK_OPTIMISTIC : MN_UPLINK_CAUTIOUS;
	c->optimistic_dad = chance(n, 70);
	c->eager = chance(n, 50);
	c->random_iid = chance(n, 20);
	c->hold_ms = hold[net_below(n, 3)];
	if (chance(n, 20)) { /* so that the L bit is set */
		n->home_address = net_care_of(n, IF1, HOME);
		c->home_address = n->home_address;
	}
	if (chance(n, 10)) {
		struct in6_addr taken = net_care_of(n, IF1, LINK1);

		net_take(n, LINK1, &taken);
	}
}

/* ---- what happens to it ---- */

static void random_move(struct net *n)
{
	int ifindex = chance(n, 70) ? IF1 : IF2;
	int link = (int)net_below(n, N_LINKS);

	if (chance(n, 10))
		link = NOWHERE;
	if (chance(n, 20))
		net_roam(n, ifindex, link);
	else
		net_attach(n, ifindex, link);
}

static void random_restart(struct net *n)
{
	bool store = chance(n, 60);
	int64_t down_ms = (int64_t)net_below(n, 3000);

	if (chance(n, 50)) {
		net_stop_mn(n);
		net_run(n, down_ms);
		net_start_mn(n, store);
	} else {
		net_stop_ha(n);
		net_run(n, down_ms);
		net_start_ha(n, store);
	}
}

static void random_failure(struct net *n)
{
	struct net_router *r = &n->routers[net_below(n, N_LINKS)];

	r->dead = true;
	net_run(n, (int64_t)net_below(n, 10000));
	r->dead = false;
}

static void random_pause(struct net *n)
{
	static const uint64_t most[] = {50, 1000, 5000, 5000, 30000};

	net_run(n, (int64_t)net_below(n, most[net_below(n, 5)]));
}

static void schedule(struct net *n)
{
	unsigned steps = 3 + (unsigned)net_below(n, 25);

	for (unsigned i = 0; i < steps; i++) {
		uint64_t what = net_below(n, 100);

		if (what < 80)
			random_move(n);
		else if (what < 92)
			random_restart(n);
		else
			random_failure(n);
		random_pause(n);
	}
	if (!net_best_interface(n))
		net_attach(n, IF1, (int)net_below(n, N_LINKS));
}

/* ---- the verdict ---- */

/*
 * A mobile node that lost its memory and wakes up at home does not know of its
 * binding; DAD finds its home address defended.  That is over with the
 * binding, and found out at the next link event.
 */
static bool home_address_defended(const struct net *n)
{
	return n->mk.mode == MODE_HOME && net_mn(n).registration == MN_REG_NONE &&
	       net_mn(n).location == MN_AT_HOME;
}

static void wait_for_binding_to_end(struct net *n)
{
	net_run(n, MAX_LIFETIME_S * 1000);
	if (net_disagreement(n) && home_address_defended(n))
		net_attach(n, net_best_interface(n), HOME);
}

/*
 * A hole in RFC 6275 10.3.2: the home agent has no entry yet when the
 * de-registration comes, answers 133 and forgets it; the update that was sent
 * before it from the visited link comes later and makes a binding for a node
 * that is at home.  DAD prevents that, unless its solicitation is lost or the
 * home link is virtual.  It is over with the binding.
 */
static bool overtaken(const struct net *n)
{
	return n->mk.mode == MODE_HOME && !n->dereg_acked &&
	       net_mn(n).registration == MN_REG_NONE && n->hk.forwarding;
}

struct outcome {
	bool overtaken;
	char text[400]; /* empty: it went well */
	int64_t ms; /* until both agreed, under faults */
	uint64_t steps;
};

static void judge(struct net *n, struct outcome *o, const char *phase)
{
	const char *why = net_disagreement(n);

	if (!o->text[0] && n->violations)
		snprintf(o->text, sizeof(o->text), "violation %s", n->violation);
	else if (!o->text[0] && why)
		snprintf(o->text, sizeof(o->text), "%s: %s", phase, why);
}

static struct outcome run_seed(uint64_t seed, bool trace)
{
	struct net *n = net_new(&(struct net_options){.seed = seed, .no_store = seed % 5 == 4});
	struct outcome o = {.text = ""};
	monotime_t last;

	if (trace)
		n->trace = stdout;
	random_links(n);
	random_home_agent(n);
	random_mobile_node(n);
	net_start(n);
	net_stream(n, 200000);
	schedule(n);
	last = n->now;
	if (!net_until(n, net_agrees, 60000) && home_address_defended(n))
		wait_for_binding_to_end(n);
	net_until(n, net_agrees, LOSSY_S * 1000);
	o.ms = mono_diff_ms(n->now, last);
	judge(n, &o, "under faults");
	net_faults(n, 0, 0, 0, 0);
	net_run(n, QUIET_S * 1000);
	o.overtaken = net_disagreement(n) && overtaken(n);
	if (o.overtaken)
		net_run(n, MAX_LIFETIME_S * 1000);
	judge(n, &o, "when it is quiet");
	net_stream(n, 0);
	net_run(n, STABLE_S * 1000);
	judge(n, &o, "in the end");
	if (!o.text[0] && net_totals(n, true).held)
		snprintf(o.text, sizeof(o.text), "something is held in the end");
	o.steps = n->steps;
	net_free(n);
	return o;
}

/* ---- all of them ---- */

static int compare_ms(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void print_times(int64_t *ms, size_t count)
{
	qsort(ms, count, sizeof(*ms), compare_ms);
	printf("agreed after the last event, under faults: median %.1f s, 90 %% %.1f s, 99 %% %.1f "
	       "s, "
	       "most %.1f s\n",
		(double)ms[count / 2] / 1e3, (double)ms[count * 9 / 10] / 1e3,
		(double)ms[count * 99 / 100] / 1e3, (double)ms[count - 1] / 1e3);
}

static int usage(const char *name)
{
	fprintf(stderr, "usage: %s [-n SEEDS] [-s FIRST] [-t] [-v]\n", name);
	return 2;
}

static size_t run_seeds(uint64_t first, size_t count, bool trace, bool verbose)
{
	int64_t *ms = calloc(count, sizeof(*ms));
	size_t failed = 0, late = 0;
	uint64_t steps = 0;

	if (!ms)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct outcome o = run_seed(first + i, trace);

		ms[i] = o.ms;
		steps += o.steps;
		late += o.overtaken;
		if (o.text[0] && ++failed <= 20)
			printf("seed %llu: %s\n", (unsigned long long)(first + i), o.text);
		else if (verbose)
			printf("seed %llu: %.1f s, %llu steps\n", (unsigned long long)(first + i),
				(double)o.ms / 1e3, (unsigned long long)o.steps);
	}
	printf("%zu seeds, %zu failed, %zu agreed only at the end of a binding (10.3.2), %llu "
	       "steps\n",
		count, failed, late, (unsigned long long)steps);
	print_times(ms, count);
	if (failed)
		printf("replay one with: converge -n 1 -t -s SEED\n");
	free(ms);
	return failed;
}

int main(int argc, char **argv)
{
	uint64_t first = 1;
	size_t count = 2000;
	bool trace = false, verbose = false;
	int c;

	while ((c = getopt(argc, argv, "n:s:tv")) != -1) {
		switch (c) {
		case 'n':
			count = strtoul(optarg, NULL, 10);
			break;
		case 's':
			first = strtoull(optarg, NULL, 10);
			break;
		case 't':
			trace = true;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return usage(argv[0]);
		}
	}
	if (!count)
		return usage(argv[0]);
	return run_seeds(first, count, trace, verbose) ? EXIT_FAILURE : EXIT_SUCCESS;
}
