/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network: messages suffer, data packets only take time; a dead path swallows what goes by sessions. */
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/sim/vcm_world.h"

#define TRAFFIC_US 100000 /* each node sends to each other one so often */

struct in6_addr world_address(const struct world *w, int host)
{
	struct in6_addr a = {.s6_addr = {0xfd, [7] = 2, [15] = host == AT_GATEWAY ? 1 : 9}};

	return host < N_NODES ? w->hosts[host].internal : a;
}

int world_host_of(const struct world *w, const struct in6_addr *addr)
{
	for (int i = 0; i < N_HOSTS; i++) {
		struct in6_addr a = world_address(w, i);

		if (in6_equal(&a, addr))
			return i;
	}
	return -1;
}

/* ---- arriving ---- */

static void message_arrives(struct flight *f)
{
	struct world *w = f->w;
	struct in6_addr from = world_address(w, f->from);

	if (f->to == AT_GATEWAY && w->gateway)
		vcm_gateway_receive(w->gateway, &from, f->octets, f->len);
	else if (f->to == AT_MANAGER && w->manager)
		vcm_manager_receive(w->manager, &from, f->octets, f->len);
	else if (f->to < N_NODES && w->hosts[f->to].node)
		vcm_node_receive(w->hosts[f->to].node, &from, f->octets, f->len);
}

static void seen_by_gateway(struct world *w, int from, int to)
{
	const struct host *a = &w->hosts[from], *b = &w->hosts[to];

	if (!w->gateway)
		return;
	if (a->outside)
		vcm_gateway_outside(w->gateway, &a->internal, VCM_BY_TRAFFIC);
	else
		vcm_gateway_inside(w->gateway, &a->internal, VCM_BY_TRAFFIC);
	if (!mono_before(w->now, w->pair_quiet[from][to]))
		vcm_gateway_traffic(w->gateway, &a->internal, &b->internal);
}

static void session_packet_arrives(struct flight *f)
{
	struct world *w = f->w;

	if (w->dead[f->from][f->to]) {
		w->on_dead_path++;
		return;
	}
	if (!world_reads(&w->hosts[f->to], f->spi, f->key, sizeof(f->key), true)) {
		w->unreadable++;
		world_note(w, "unreadable packet from", f->from, NULL);
		return;
	}
	w->direct++;
	if (f->len)
		message_arrives(f);
}

static void arrives(struct timer *t, void *arg)
{
	struct flight *f = arg;

	(void)t;
	LIST_REMOVE(f, entry);
	if (f->spi) {
		session_packet_arrives(f);
	} else if (f->data) {
		f->w->by_gateway++;
		seen_by_gateway(f->w, f->from, f->to);
	} else {
		message_arrives(f);
	}
	free(f);
}

/* ---- leaving ---- */

static void fly(struct world *w, const struct flight *like, const uint8_t *data, int64_t us)
{
	struct flight *f = malloc(sizeof(*f) + like->len);

	if (!f)
		abort();
	*f = *like;
	if (like->len)
		memcpy(f->octets, data, like->len);
	timer_init(&f->timer, arrives, f);
	LIST_INSERT_HEAD(&w->flights, f, entry);
	if (timer_start(w->timers, &f->timer, (monotime_t){w->now.us + us}))
		abort();
}

static int64_t travel(struct world *w)
{
	int64_t us = w->delay_us / 2 + (int64_t)world_below(w, (uint64_t)w->delay_us);

	return us + (world_chance(w, w->late) ? (int64_t)world_below(w, (uint64_t)w->late_us) : 0);
}

/* Between two nodes what the kernel of the first does decides; true: by the session. */
static bool by_session(struct world *w, struct flight *f)
{
	struct kernel_out *o = &w->hosts[f->from].out[f->to];

	if (!o->on || !o->use || !mono_before(w->now, o->gone_at))
		return false;
	o->packets++;
	w->from_inside += w->hosts[f->from].node && !w->hosts[f->from].outside;
	f->spi = o->spi;
	memcpy(f->key, o->key, sizeof(f->key));
	return true;
}

void world_send(
	struct world *w, int from, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct flight f = {.w = w, .from = from, .to = world_host_of(w, to), .len = len};

	if (f.to < 0)
		abort();
	if (from < N_NODES && f.to < N_NODES)
		(void)by_session(w, &f);
	if (!world_chance(w, w->loss))
		fly(w, &f, data, travel(w));
	if (!f.spi && world_chance(w, w->twice))
		fly(w, &f, data, travel(w));
}

void world_traffic(struct timer *t, void *arg)
{
	struct world *w = arg;

	for (int a = 0; a < N_NODES; a++) {
		for (int b = 0; b < N_NODES; b++) {
			struct flight f = {.w = w, .from = a, .to = b, .data = true};

			if (a == b)
				continue;
			(void)by_session(w, &f);
			fly(w, &f, NULL, travel(w));
		}
	}
	(void)timer_start(w->timers, t,
		(monotime_t){w->now.us + TRAFFIC_US / 2 + (int64_t)world_below(w, TRAFFIC_US)});
}

void world_drop_flights(struct world *w)
{
	struct flight *f;

	while ((f = LIST_FIRST(&w->flights))) {
		LIST_REMOVE(f, entry);
		timer_stop(w->timers, &f->timer);
		free(f);
	}
}
