/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gateway, manager and three nodes through crashes, moves, dead paths and a
 * bad network (V5, V8 to V15).  Each seed makes a network, a policy and a
 * schedule of events.  All the time: what a node sends by a session can be
 * read where it arrives, and a node that is inside sends nothing by one.
 * After the last event faults end, and within QUIET_S each pair of nodes
 * that may talk directly does, and no other; and it stays so.
 *
 * usage: vcm [-n SEEDS] [-s FIRST] [-t] [-v]
 *	-t prints each event; with -s and -n 1 it replays one seed
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/vcm.h"

#define EVENTS 30
#define QUIET_S 30
#define STABLE_S 30

static bool revoked[N_NODES];

/* ---- what happens ---- */

static void random_policy(struct world *w)
{
	int a = (int)world_below(w, N_NODES), b = (a + 1) % N_NODES;

	w->denied[a][b] = w->denied[b][a] = !w->denied[a][b];
	world_note(w, w->denied[a][b] ? "denied with the next" : "allowed with the next", a, NULL);
	if (w->manager)
		vcm_manager_policy_changed(w->manager);
}

static void random_revocation(struct world *w)
{
	int i = (int)world_below(w, N_NODES);

	if (w->manager && !vcm_manager_revoke_node(w->manager, &w->hosts[i].internal, !revoked[i]))
		revoked[i] = !revoked[i];
}

static void random_by_hand(struct world *w)
{
	uint64_t id = world_a_session(w);
	int i = (int)world_below(w, N_NODES), peer = (i + 1) % N_NODES;

	switch (world_below(w, 3)) {
	case 0:
		if (id)
			(void)vcm_manager_end_session(w->manager, id, VCM_BY_HAND);
		break;
	case 1:
		if (id)
			(void)vcm_manager_rekey(w->manager, id);
		break;
	default:
		if (w->hosts[i].node)
			(void)vcm_node_end(w->hosts[i].node, &w->hosts[peer].internal);
	}
}

static void random_path(struct world *w)
{
	int a = (int)world_below(w, N_NODES), b = (a + 1) % N_NODES;

	w->dead[a][b] = w->dead[b][a] = !w->dead[a][b];
	world_note(w, w->dead[a][b] ? "path dies to the next" : "path lives to the next", a, NULL);
}

static void random_event(struct world *w)
{
	uint64_t what = world_below(w, 100);
	int i = (int)world_below(w, N_NODES);

	if (what < 15)
		world_crash_node(w, i, (int64_t)world_below(w, 3000));
	else if (what < 30)
		world_crash_manager(w, (int64_t)world_below(w, 6000));
	else if (what < 40)
		world_crash_gateway(w, (int64_t)world_below(w, 6000));
	else if (what < 65)
		world_move(w, i, world_chance(w, 700));
	else if (what < 75)
		random_path(w);
	else if (what < 80)
		random_policy(w);
	else if (what < 85)
		random_revocation(w);
	else if (what < 90)
		world_roam(w, i);
	else
		random_by_hand(w);
}

static void faults_end(struct world *w)
{
	w->loss = w->twice = w->late = w->spi_taken = w->disk_full = 0;
	memset(w->dead, 0, sizeof(w->dead));
}

/* ---- how it should be ---- */

static bool wanted(const struct world *w, int a, int b)
{
	return w->hosts[a].outside && w->hosts[b].outside && !w->denied[a][b] && !revoked[a] &&
	       !revoked[b];
}

static bool all_there(const struct world *w)
{
	for (int i = 0; i < N_NODES; i++)
		if (!w->hosts[i].node)
			return false;
	return w->gateway && w->manager;
}

static bool settled(const struct world *w)
{
	if (!all_there(w))
		return false;
	for (int a = 0; a < N_NODES; a++)
		for (int b = a + 1; b < N_NODES; b++)
			if (!(wanted(w, a, b) ? world_direct(w, a, b) : world_none(w, a, b)) ||
				!world_secrets_right(w, a, b))
				return false;
	return true;
}

static bool healthy(const struct world *w)
{
	return !w->unreadable && !w->from_inside;
}

/* The store could not take it, or the manager was not there: what was meant is said again. */
static void revoke_again(struct world *w)
{
	while (!all_there(w))
		world_run(w, mono_add_ms(w->now, 100));
	for (int i = 0; i < N_NODES; i++)
		(void)vcm_manager_revoke_node(w->manager, &w->hosts[i].internal, revoked[i]);
}

static const char *unsettled(struct world *w, double *took_s)
{
	monotime_t since, last;

	revoke_again(w);
	since = last = w->now;
	for (int i = 0; i < (QUIET_S + STABLE_S) * 10; i++) {
		if (!settled(w))
			last = w->now;
		world_run(w, mono_add_ms(w->now, 100));
	}
	*took_s = (double)(last.us - since.us) / 1e6;
	return *took_s < QUIET_S ? NULL : "pairs do not come to what they may";
}

struct totals {
	uint64_t direct, by_gateway, rekeys, collisions, restarts, unreadable;
	double longest_s;
};

static const char *one_seed(uint64_t seed, bool trace, struct totals *sum)
{
	struct world w;
	const char *why;
	double took_s = 0;

	memset(revoked, 0, sizeof(revoked));
	world_begin(&w, seed, trace);
	world_run(&w, mono_add_s(w.now, 5));
	for (int i = 0; i < EVENTS; i++) {
		random_event(&w);
		world_run(&w, mono_add_ms(w.now, (int64_t)world_below(&w, 8000)));
	}
	faults_end(&w);
	world_note(&w, "faults end", -1, NULL);
	why = unsettled(&w, &took_s);
	if (!why && !healthy(&w))
		why = w.unreadable ? "a packet could not be read" : "sent by a session from inside";
	sum->direct += w.direct;
	sum->by_gateway += w.by_gateway;
	sum->rekeys += w.rekeys;
	sum->collisions += w.collisions;
	sum->restarts += w.restarts;
	sum->unreadable += w.unreadable;
	sum->longest_s = took_s > sum->longest_s ? took_s : sum->longest_s;
	world_end(&w);
	return why;
}

/* Each kind of crash with each seed. */
static uint64_t crashes(uint64_t first, uint64_t n, bool trace, bool verbose)
{
	uint64_t bad = 0;

	for (int kind = 0; crash_name(kind); kind++) {
		int64_t most_ms = INT64_MIN;

		for (uint64_t seed = first; seed < first + n; seed++) {
			const char *why = crash_seed(seed, kind, trace, &most_ms);

			if (!why)
				continue;
			bad++;
			printf("crash of %s, seed %llu: %s\n", crash_name(kind),
				(unsigned long long)seed, why);
		}
		if (verbose)
			printf("crash of %s: at most %+lld ms against the bound\n",
				crash_name(kind), (long long)most_ms);
	}
	return bad;
}

int main(int argc, char **argv)
{
	uint64_t first = 1, n = 500, bad = 0;
	struct totals sum = {0};
	bool trace = false, verbose = false;
	int c;

	while ((c = getopt(argc, argv, "n:s:tv")) != -1) {
		if (c == 'n')
			n = strtoull(optarg, NULL, 10);
		else if (c == 's')
			first = strtoull(optarg, NULL, 10);
		else if (c == 't')
			trace = true;
		else if (c == 'v')
			verbose = true;
		else
			return 2;
	}
	for (uint64_t seed = first; seed < first + n; seed++) {
		const char *why = one_seed(seed, trace, &sum);

		if (!why)
			continue;
		bad++;
		printf("seed %llu: %s\n", (unsigned long long)seed, why);
	}
	bad += crashes(first, (n + 9) / 10, trace, verbose);
	if (verbose || bad)
		printf("%llu seeds, %llu bad; packets: %llu by sessions, %llu by the gateway, "
		       "%llu unreadable; %llu rekeys, %llu SPIs taken, %llu restarts; "
		       "settled after at most %.1f s\n",
			(unsigned long long)n, (unsigned long long)bad,
			(unsigned long long)sum.direct, (unsigned long long)sum.by_gateway,
			(unsigned long long)sum.unreadable, (unsigned long long)sum.rekeys,
			(unsigned long long)sum.collisions, (unsigned long long)sum.restarts,
			sum.longest_s);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
