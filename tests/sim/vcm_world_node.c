/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node's daemon and kernel: SAs that outlive the daemon, paths that need some time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "tests/sim/vcm_world.h"

#define KEY_LEN 36

static int peer_of(const struct host *h, const struct in6_addr *internal)
{
	int i = world_host_of(h->w, internal);

	if (i < 0 || i >= N_NODES)
		abort();
	return i;
}

static bool is_there(const struct host *h, const struct kernel_in *in)
{
	return in->used && mono_before(h->w->now, in->gone_at);
}

bool world_reads(struct host *h, uint32_t spi, const uint8_t *key, size_t len, bool count)
{
	for (int i = 0; i < MAX_IN; i++) {
		struct kernel_in *in = &h->in[i];

		if (!is_there(h, in) || in->spi != spi || memcmp(in->key, key, len) != 0)
			continue;
		in->packets += count;
		return true;
	}
	return false;
}

/* ---- what the node asks of it ---- */

static monotime_t now(void *ctx)
{
	return ((struct host *)ctx)->w->now;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	struct host *h = ctx;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)world_below(h->w, 256);
}

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct host *h = ctx;

	world_send(h->w, h->index, to, data, len);
	return 0;
}

static size_t key_len(void *ctx, const char *algorithm)
{
	(void)ctx;
	return strcmp(algorithm, "aes-gcm-256") == 0 ? KEY_LEN : 0;
}

static int inbound_add(void *ctx, const struct vcm_node_session *s)
{
	struct host *h = ctx;
	struct kernel_in *at = NULL;

	for (int i = 0; i < MAX_IN; i++) {
		if (is_there(h, &h->in[i]) && h->in[i].spi == s->spi_in)
			return -EEXIST;
		if (!is_there(h, &h->in[i]))
			at = &h->in[i];
	}
	if (world_chance(h->w, h->w->spi_taken)) {
		h->w->collisions++;
		return -EEXIST;
	}
	if (!at)
		return -ENOSPC;
	*at = (struct kernel_in){.used = true,
		.spi = s->spi_in,
		.key_len = s->key_len,
		.peer = peer_of(h, &s->peer_internal),
		.gone_at = mono_add_s(h->w->now, s->lifetime_s + s->linger_s)};
	memcpy(at->key, s->key_in, s->key_len);
	if (s->key_len != KEY_LEN)
		abort();
	return 0;
}

static void inbound_del(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *peer_home, uint32_t spi_in)
{
	struct host *h = ctx;
	int peer = peer_of(h, peer_internal);

	(void)peer_home;
	for (int i = 0; i < MAX_IN; i++)
		if (h->in[i].used && h->in[i].peer == peer && h->in[i].spi == spi_in)
			h->in[i].used = false;
}

static int outbound_set(void *ctx, const struct vcm_node_session *s)
{
	struct host *h = ctx;
	struct kernel_out *o = &h->out[peer_of(h, &s->peer_internal)];

	h->w->rekeys += o->on;
	*o = (struct kernel_out){.on = true,
		.use = true,
		.spi = s->spi_out,
		.key_len = s->key_len,
		.gone_at = mono_add_s(h->w->now, s->lifetime_s)};
	memcpy(o->key, s->key_out, s->key_len);
	world_note(h->w, "outbound on", h->index, NULL);
	return 0;
}

static void outbound_use(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *peer_home, uint32_t spi_out, bool use)
{
	struct host *h = ctx;
	struct kernel_out *o = &h->out[peer_of(h, peer_internal)];

	(void)peer_home;
	if (o->on && o->spi == spi_out)
		o->use = use;
	world_note(h->w, use ? "outbound in use" : "outbound not in use", h->index, NULL);
}

static void outbound_del(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *peer_home, uint32_t spi_out)
{
	struct host *h = ctx;
	struct kernel_out *o = &h->out[peer_of(h, peer_internal)];

	(void)peer_home;
	if (o->on && o->spi == spi_out)
		o->on = false;
	world_note(h->w, "outbound off", h->index, NULL);
}

static void path_is_there(struct timer *t, void *arg)
{
	struct host_path *p = arg;
	struct world *w = p->w;

	(void)t;
	if (!p->wanted || !w->hosts[p->node].node)
		return;
	if (w->dead[p->node][p->peer]) /* tried again */
		(void)timer_start(w->timers, t, mono_add_ms(w->now, 1000));
	else
		vcm_node_path(w->hosts[p->node].node, &w->hosts[p->peer].home, true);
}

static void path(void *ctx, const struct in6_addr *peer_home, bool wanted)
{
	struct host *h = ctx;

	for (int i = 0; i < N_NODES; i++) {
		struct host_path *p = &h->paths[i];

		if (!in6_equal(&h->w->hosts[i].home, peer_home))
			continue;
		p->wanted = wanted;
		if (wanted)
			(void)timer_start(h->w->timers, &p->timer,
				mono_add_ms(h->w->now, 20 + (int64_t)world_below(h->w, 1600)));
		else
			timer_stop(h->w->timers, &p->timer);
	}
}

void world_roam(struct world *w, int i)
{
	for (int peer = 0; peer < N_NODES; peer++) {
		struct host *a = &w->hosts[i], *b = &w->hosts[peer];

		if (peer == i || !a->node || !a->paths[peer].wanted)
			continue;
		vcm_node_path(a->node, &b->home, false);
		if (a->paths[peer].wanted)
			path(a, &b->home, true);
	}
}

static void share(void *ctx, const struct in6_addr *peer_home, const struct rr_shared *kcn)
{
	struct host *h = ctx;

	for (int i = 0; i < N_NODES; i++) {
		if (!in6_equal(&h->w->hosts[i].home, peer_home))
			continue;
		memset(&h->shared[i], 0, sizeof(h->shared[i]));
		if (kcn)
			h->shared[i] = *kcn;
	}
}

static void counters(void *ctx, const struct vcm_node_session *s, int64_t *in, int64_t *out)
{
	struct host *h = ctx;
	const struct kernel_out *o = &h->out[peer_of(h, &s->peer_internal)];

	for (int i = 0; i < MAX_IN; i++)
		if (h->in[i].used && h->in[i].spi == s->spi_in)
			*in = h->in[i].packets;
	if (o->on && o->spi == s->spi_out)
		*out = o->packets;
}

static void event(
	void *ctx, const char *what, const struct in6_addr *peer_internal, const char *text)
{
	struct host *h = ctx;

	(void)peer_internal;
	world_note(h->w, what, h->index, text);
}

static const struct vcm_node_ops ops = {.now = now,
	.random = random_octets,
	.send = send_datagram,
	.key_len = key_len,
	.inbound_add = inbound_add,
	.inbound_del = inbound_del,
	.outbound_set = outbound_set,
	.outbound_use = outbound_use,
	.outbound_del = outbound_del,
	.share = share,
	.path = path,
	.counters = counters,
	.event = event};

/* ---- life ---- */

/* Outbound of the life before is taken off at once, inbound stays for linger. */
static void clean_up(struct host *h)
{
	for (int i = 0; i < N_NODES; i++)
		h->out[i].on = false;
	for (int i = 0; i < MAX_IN; i++) {
		monotime_t until = mono_add_s(h->w->now, h->w->policy.linger_s);

		if (h->in[i].used && mono_before(until, h->in[i].gone_at))
			h->in[i].gone_at = until;
	}
}

static uint64_t new_epoch(struct world *w)
{
	return world_below(w, UINT64_MAX - 1) + 1;
}

void world_start_node(struct world *w, int i)
{
	struct host *h = &w->hosts[i];
	const struct vcm_node_config c = {.internal = h->internal,
		.home = h->home,
		.manager = world_address(w, AT_MANAGER),
		.path_required = w->path_required,
		.epoch = new_epoch(w)};

	clean_up(h);
	memset(h->shared, 0, sizeof(h->shared));
	for (int peer = 0; peer < N_NODES; peer++) {
		h->paths[peer] = (struct host_path){.w = w, .node = i, .peer = peer};
		timer_init(&h->paths[peer].timer, path_is_there, &h->paths[peer]);
	}
	h->node = vcm_node_new(&c, &ops, h, w->timers);
	if (!h->node)
		abort();
	vcm_node_place(h->node, h->outside);
}

static void back_again(struct timer *t, void *arg)
{
	struct host *h = arg;

	(void)t;
	world_note(h->w, "node starts again", h->index, NULL);
	world_start_node(h->w, h->index);
}

void world_crash_node(struct world *w, int i, int64_t down_ms)
{
	struct host *h = &w->hosts[i];

	if (!h->node)
		return;
	world_note(w, "node crashes", i, NULL);
	vcm_node_free(h->node, false);
	h->node = NULL;
	w->restarts++;
	for (int peer = 0; peer < N_NODES; peer++)
		timer_stop(w->timers, &h->paths[peer].timer);
	timer_init(&h->restart, back_again, h);
	(void)timer_start(w->timers, &h->restart, mono_add_ms(w->now, down_ms));
}
