/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long until sessions work again after a crash: the times of doc/vcm.md.
 * Nothing is lost here, one way takes 1.5 * delay_us at most, and one part
 * crashes once.
 */
#include <string.h>

#include "tests/sim/vcm.h"

#define PATH_WAIT_MS 1000 /* then without the direct path */
#define PATH_MS 1620 /* until the direct path is there */
#define FIRST_MS 300 /* until a message is sent again */
#define TRAFFIC_MS 150 /* the pair's next packet */
#define PROBE_S 5
#define RETRY_S 16 /* most, of the simulation's manager */
#define SETTLE_S 30
#define WATCH_S 45

enum kind { NODE, MANAGER, GATEWAY, MANAGER_AND_NEW, GATEWAY_AND_NEW, PATH, KINDS };

static int64_t round_trip_ms(const struct world *w)
{
	return (3 * w->delay_us + 999) / 1000;
}

/*
 * From its coming back until every pair is direct: HELLO both ways, the report
 * or what ends the former session, INVITE, OFFER, PEER-READY, and what was
 * said to the former life and is said again.
 */
static int64_t bound_ms(const struct world *w, enum kind kind)
{
	int64_t r = round_trip_ms(w), path_ms = w->path_required ? PATH_MS : PATH_WAIT_MS;

	switch (kind) {
	case NODE:
		return 6 * r + path_ms;
	case MANAGER_AND_NEW:
		return 6 * r + 3 * FIRST_MS + path_ms;
	case GATEWAY_AND_NEW:
		return 6 * r + TRAFFIC_MS + FIRST_MS + path_ms;
	case PATH:
		return RETRY_S * 1000 + 6 * r + path_ms;
	case MANAGER:
	case GATEWAY:
	case KINDS:
		break;
	}
	return 0;
}

static void calm(struct world *w)
{
	w->loss = w->twice = w->late = w->spi_taken = w->disk_full = 0;
	w->policy.lifetime_s = 3600;
	for (int i = 0; i < N_NODES; i++)
		world_move(w, i, true);
}

static bool all_direct(const struct world *w)
{
	for (int a = 0; a < N_NODES; a++)
		for (int b = a + 1; b < N_NODES; b++)
			if (!world_direct(w, a, b))
				return false;
	return true;
}

/* Both notice within PROBE_S, a look (1 s) and PROBEs for 4 s, and go by the gateway meanwhile. */
static const char *path_dies(struct world *w)
{
	w->dead[0][1] = w->dead[1][0] = true;
	for (int i = 0; i < 10 * (PROBE_S + 5); i++) {
		world_run(w, mono_add_ms(w->now, 100));
		if (world_none(w, 0, 1))
			break;
	}
	if (!world_none(w, 0, 1))
		return "a dead path is not noticed";
	world_run(w, mono_add_ms(w->now, (int64_t)world_below(w, 40000)));
	w->dead[0][1] = w->dead[1][0] = false;
	return NULL;
}

/* Returns how long it is down; the other kinds have a node leave meanwhile. */
static int64_t crash(struct world *w, enum kind kind)
{
	int64_t down_ms = 500 + (int64_t)world_below(w, 5000);

	if (kind == NODE)
		world_crash_node(w, (int)world_below(w, N_NODES), down_ms);
	else if (kind == MANAGER || kind == MANAGER_AND_NEW)
		world_crash_manager(w, down_ms);
	else
		world_crash_gateway(w, down_ms);
	return down_ms;
}

const char *crash_seed(uint64_t seed, int which, bool trace, int64_t *most_ms)
{
	enum kind kind = (enum kind)which;
	bool with_new = kind == MANAGER_AND_NEW || kind == GATEWAY_AND_NEW;
	struct world w;
	monotime_t back, last;
	const char *why = NULL;
	int64_t took, bound;

	world_begin(&w, seed, trace);
	calm(&w);
	if (with_new) {
		world_run(&w, mono_add_s(w.now, 1));
		world_move(&w, 0, false);
	}
	world_run(&w, mono_add_s(w.now, SETTLE_S));
	if (!with_new && !all_direct(&w))
		why = "no sessions before the crash";
	if (kind == PATH) {
		why = why ? why : path_dies(&w);
		last = back = w.now;
	} else {
		last = back = mono_add_ms(w.now, crash(&w, kind));
	}
	if (with_new)
		world_move(&w, 0, true);
	for (int i = 0; i < WATCH_S * 100; i++) {
		world_run(&w, mono_add_ms(w.now, 10));
		if (!all_direct(&w))
			last = w.now;
	}
	took = mono_diff_ms(last, back);
	bound = bound_ms(&w, kind);
	if (!why && (w.unreadable || w.from_inside))
		why = "a packet could not be read";
	if (!why && took > bound)
		why = "it took too long";
	*most_ms = took - bound > *most_ms ? took - bound : *most_ms;
	world_end(&w);
	return why;
}

const char *crash_name(int kind)
{
	static const char *const names[] = {[NODE] = "node",
		[MANAGER] = "manager",
		[GATEWAY] = "gateway",
		[MANAGER_AND_NEW] = "manager, and a node leaves",
		[PATH] = "path",
		[GATEWAY_AND_NEW] = "gateway, and a node leaves"};

	return kind < KINDS ? names[kind] : NULL;
}
