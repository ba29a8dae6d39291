/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gateway and manager with what their daemons have: a state file, a store; and the clock. */
#include "tests/sim/vcm_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

#define WALL 1700000000u

/* splitmix64 */
static uint64_t next(struct world *w)
{
	uint64_t z = (w->dice += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t world_below(struct world *w, uint64_t n)
{
	return n ? next(w) % n : 0;
}

bool world_chance(struct world *w, unsigned per_mille)
{
	return world_below(w, 1000) < per_mille;
}

void world_note(struct world *w, const char *what, int who, const char *text)
{
	if (w->trace)
		printf("%9.3f  %-24s %d %s\n", (double)w->now.us / 1e6, what, who,
			text ? text : "");
}

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)next(ctx);
}

/* ---- gateway ---- */

static int gateway_send(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	world_send(ctx, AT_GATEWAY, to, data, len);
	return 0;
}

static int activate(
	void *ctx, const struct in6_addr *internal, const struct in6_addr *home, bool on)
{
	(void)ctx;
	(void)internal;
	(void)home;
	(void)on;
	return 0;
}

static void pair_known(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, uint32_t ttl_s)
{
	struct world *w = ctx;
	int i = world_host_of(w, a), j = world_host_of(w, b);

	if (i >= 0 && j >= 0 && i < N_NODES && j < N_NODES)
		w->pair_quiet[i][j] = w->pair_quiet[j][i] = mono_add_s(w->now, ttl_s);
}

static void gateway_store(
	void *ctx, const struct in6_addr *internal, const struct in6_addr *home, bool outside)
{
	struct world *w = ctx;

	(void)home;
	w->gateway_stored[world_host_of(w, internal)] = outside;
}

static const struct vcm_gateway_ops gateway_ops = {.now = now,
	.random = random_octets,
	.send = gateway_send,
	.activate = activate,
	.pair_known = pair_known,
	.store = gateway_store};

static bool gateway_allowed(void *ctx, const struct in6_addr *a, const struct in6_addr *b)
{
	(void)ctx; /* the manager's policy decides here */
	(void)a;
	(void)b;
	return true;
}

static void start_gateway(struct world *w)
{
	const struct vcm_gateway_config c = {.manager = world_address(w, AT_MANAGER),
		.epoch = next(w) | 1,
		.hold_s = 5,
		.allowed = gateway_allowed};

	memset(w->pair_quiet, 0, sizeof(w->pair_quiet));
	w->gateway = vcm_gateway_new(&c, &gateway_ops, w, w->timers);
	if (!w->gateway)
		abort();
	for (int i = 0; i < N_NODES; i++) {
		if (vcm_gateway_add(w->gateway, &w->hosts[i].internal, &w->hosts[i].home))
			abort();
		if (w->gateway_stored[i])
			vcm_gateway_restore(w->gateway, &w->hosts[i].internal);
	}
}

/* ---- manager and its store ---- */

static uint64_t wall(void *ctx)
{
	return WALL + (uint64_t)((struct world *)ctx)->now.us / 1000000;
}

static int manager_send(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	world_send(ctx, AT_MANAGER, to, data, len);
	return 0;
}

static int context_put(void *ctx, const struct vcm_context_record *r)
{
	struct world *w = ctx;
	int i = world_host_of(w, &r->internal);

	if (i < 0 || i >= N_NODES)
		abort();
	if (world_chance(w, w->disk_full))
		return -ENOSPC;
	w->has_context[i] = true;
	w->contexts[i] = *r;
	w->contexts[i].n_correspondents = 0;
	w->contexts[i].correspondents = NULL;
	return 0;
}

static int context_del(void *ctx, const struct in6_addr *internal)
{
	struct world *w = ctx;

	w->has_context[world_host_of(w, internal)] = false;
	return 0;
}

static int session_put(void *ctx, const struct vcm_session_record *r)
{
	struct world *w = ctx;
	int at = -1;

	if (world_chance(w, w->disk_full))
		return -ENOSPC;
	for (int i = 0; i < MAX_SESSIONS; i++)
		if (w->has_session[i] ? w->sessions[i].id == r->id : at < 0)
			at = i;
	for (int i = 0; i < MAX_SESSIONS; i++)
		if (w->has_session[i] && w->sessions[i].id == r->id)
			at = i;
	if (at < 0)
		abort();
	w->has_session[at] = true;
	w->sessions[at] = *r;
	return 0;
}

static int session_del(void *ctx, uint64_t id)
{
	struct world *w = ctx;

	if (world_chance(w, w->disk_full))
		return -ENOSPC;
	for (int i = 0; i < MAX_SESSIONS; i++)
		if (w->has_session[i] && w->sessions[i].id == id)
			w->has_session[i] = false;
	return 0;
}

static void audit(void *ctx, const struct vcm_audit *a)
{
	world_note(ctx, a->what, AT_MANAGER, a->text);
}

static const struct vcm_manager_ops manager_ops = {.now = now,
	.wall = wall,
	.random = random_octets,
	.send = manager_send,
	.context_put = context_put,
	.context_del = context_del,
	.session_put = session_put,
	.session_del = session_del,
	.audit = audit};

static bool known(void *ctx, const struct in6_addr *internal)
{
	int i = world_host_of(ctx, internal);

	return i >= 0 && i < N_NODES;
}

static void policy(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, struct vcm_policy *p)
{
	struct world *w = ctx;

	*p = w->policy;
	p->allowed = !w->denied[world_host_of(w, a)][world_host_of(w, b)];
}

static void start_manager(struct world *w)
{
	const struct in6_addr gateway = world_address(w, AT_GATEWAY);
	const struct vcm_manager_config c = {.epoch = next(w) | 1,
		.n_gateways = 1,
		.gateways = &gateway,
		.retry_s = 1,
		.retry_most_s = 16,
		.known = known,
		.policy = policy};

	w->manager = vcm_manager_new(&c, &manager_ops, w, w->timers);
	if (!w->manager)
		abort();
	for (int i = 0; i < N_NODES; i++)
		if (w->has_context[i] && vcm_manager_restore_context(w->manager, &w->contexts[i]))
			abort();
	for (int i = 0; i < MAX_SESSIONS; i++)
		if (w->has_session[i] && vcm_manager_restore_session(w->manager, &w->sessions[i]))
			abort();
	vcm_manager_start(w->manager);
}

static bool first_id(void *arg, const struct vcm_session_record *r)
{
	*(uint64_t *)arg = r->id;
	return false;
}

uint64_t world_a_session(struct world *w)
{
	uint64_t id = 0;

	if (w->manager)
		vcm_manager_foreach_session(w->manager, first_id, &id);
	return id;
}

/* ---- crashes ---- */

static void gateway_back(struct timer *t, void *arg)
{
	(void)t;
	world_note(arg, "gateway starts again", AT_GATEWAY, NULL);
	start_gateway(arg);
}

void world_crash_gateway(struct world *w, int64_t down_ms)
{
	if (!w->gateway)
		return;
	world_note(w, "gateway crashes", AT_GATEWAY, NULL);
	w->restarts++;
	vcm_gateway_free(w->gateway);
	w->gateway = NULL;
	(void)timer_start(w->timers, &w->gateway_restart, mono_add_ms(w->now, down_ms));
}

static void manager_back(struct timer *t, void *arg)
{
	(void)t;
	world_note(arg, "manager starts again", AT_MANAGER, NULL);
	start_manager(arg);
}

void world_crash_manager(struct world *w, int64_t down_ms)
{
	if (!w->manager)
		return;
	world_note(w, "manager crashes", AT_MANAGER, NULL);
	w->restarts++;
	vcm_manager_free(w->manager);
	w->manager = NULL;
	(void)timer_start(w->timers, &w->manager_restart, mono_add_ms(w->now, down_ms));
}

/* The node knows at once, the gateway by what passes there. */
void world_move(struct world *w, int i, bool outside)
{
	struct host *h = &w->hosts[i];

	if (h->outside == outside)
		return;
	h->outside = outside;
	world_note(w, outside ? "goes outside" : "comes inside", i, NULL);
	if (h->node)
		vcm_node_place(h->node, outside);
}

/* ---- how things stand ---- */

static bool goes_to(const struct world *w, int a, int b)
{
	const struct kernel_out *o = &w->hosts[a].out[b];

	return o->on && o->use && mono_before(w->now, o->gone_at) &&
	       world_reads((struct host *)(uintptr_t)&w->hosts[b], o->spi, o->key, sizeof(o->key),
		       false);
}

bool world_direct(const struct world *w, int a, int b)
{
	return goes_to(w, a, b) && goes_to(w, b, a);
}

static bool has_inbound(const struct host *h, int peer)
{
	for (int i = 0; i < MAX_IN; i++)
		if (h->in[i].used && h->in[i].peer == peer)
			return true;
	return false;
}

static bool secret_is_over(const struct host *h, int peer)
{
	static const struct rr_shared none;

	return has_inbound(h, peer) || memcmp(&h->shared[peer], &none, sizeof(none)) == 0;
}

bool world_secrets_right(const struct world *w, int a, int b)
{
	const struct host *one = &w->hosts[a], *other = &w->hosts[b];

	if (world_direct(w, a, b))
		return memcmp(&one->shared[b], &other->shared[a], sizeof(struct rr_shared)) == 0;
	return secret_is_over(one, b) && secret_is_over(other, a);
}

bool world_none(const struct world *w, int a, int b)
{
	return !w->hosts[a].out[b].on && !w->hosts[b].out[a].on;
}

/* ---- begin and end ---- */

static void choose(struct world *w)
{
	w->loss = (unsigned)world_below(w, 301);
	w->twice = (unsigned)world_below(w, 201);
	w->late = (unsigned)world_below(w, 301);
	w->delay_us = 1000 + (int64_t)world_below(w, 150000);
	w->late_us = (int64_t)world_below(w, 1500000);
	w->spi_taken = world_chance(w, 300) ? (unsigned)world_below(w, 200) : 0;
	w->path_required = world_chance(w, 300);
	w->disk_full = world_chance(w, 200) ? (unsigned)world_below(w, 100) : 0;
	w->policy = (struct vcm_policy){
		.variant = world_chance(w, 500) ? VCM_ASYMMETRIC : VCM_SYMMETRIC,
		.algorithm = "aes-gcm-256",
		.key_len = 36,
		.kcn = world_chance(w, 500),
		.lifetime_s = world_chance(w, 500) ? 40 + (uint32_t)world_below(w, 40) : 3600,
		.linger_s = 35 + (uint32_t)world_below(w, 5)};
}

void world_begin(struct world *w, uint64_t seed, bool trace)
{
	memset(w, 0, sizeof(*w));
	w->dice = seed * 0x2545f4914f6cdd1du + 1;
	w->now = (monotime_t){1000000};
	w->trace = trace;
	w->timers = timerq_new();
	LIST_INIT(&w->flights);
	choose(w);
	timer_init(&w->gateway_restart, gateway_back, w);
	timer_init(&w->manager_restart, manager_back, w);
	timer_init(&w->traffic, world_traffic, w);
	for (int i = 0; i < N_NODES; i++) {
		struct host *h = &w->hosts[i];

		h->w = w;
		h->index = i;
		h->internal = (struct in6_addr){
			.s6_addr = {0xfd, [7] = 1, [14] = 1, [15] = (uint8_t)(i + 1)}};
		h->home = (struct in6_addr){
			.s6_addr = {0x20, 0x01, 0x0d,
				0xb8, [7] = 1, [14] = 1, [15] = (uint8_t)(i + 1)}};
		h->outside = world_chance(w, 700);
	}
	start_manager(w);
	start_gateway(w);
	for (int i = 0; i < N_NODES; i++)
		world_start_node(w, i);
	(void)timer_start(w->timers, &w->traffic, w->now);
}

void world_end(struct world *w)
{
	world_drop_flights(w);
	for (int i = 0; i < N_NODES; i++) {
		vcm_node_free(w->hosts[i].node, false);
		timer_stop(w->timers, &w->hosts[i].restart);
		for (int peer = 0; peer < N_NODES; peer++)
			timer_stop(w->timers, &w->hosts[i].paths[peer].timer);
	}
	vcm_gateway_free(w->gateway);
	vcm_manager_free(w->manager);
	timerq_free(w->timers);
}

void world_run(struct world *w, monotime_t until)
{
	while (!mono_before(until, timerq_next(w->timers))) {
		monotime_t at = timerq_next(w->timers);

		if (mono_before(w->now, at))
			w->now = at;
		(void)timerq_run(w->timers, w->now);
	}
	w->now = until;
}
