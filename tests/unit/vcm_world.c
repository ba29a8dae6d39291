/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm_world.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

#define FLYING 1024

struct world w;

static struct {
	bool used, probe;
	monotime_t at;
	struct in6_addr from, to;
	size_t len;
	uint8_t data[VCM_MESSAGE_MAX];
} flying[FLYING];

static uint64_t next_epoch;

/* ---- chance and time ---- */

uint32_t world_roll(uint32_t below)
{
	w.dice = w.dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w.dice >> 33) % below;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)world_roll(256);
}

static monotime_t now(void *ctx)
{
	(void)ctx;
	return w.now;
}

static uint64_t wall(void *ctx)
{
	(void)ctx;
	return 1700000000u + (uint64_t)(w.now.us / 1000000);
}

/* ---- the network ---- */

static void fly(
	const struct in6_addr *from, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	for (int i = 0; i < FLYING; i++) {
		if (flying[i].used)
			continue;
		flying[i].used = true;
		flying[i].at = mono_add_ms(w.now, 5 + (w.loss || w.twice ? world_roll(60) : 0));
		flying[i].from = *from;
		flying[i].to = *to;
		flying[i].len = len;
		memcpy(flying[i].data, data, len);
		return;
	}
	ck_abort_msg("too much under way");
}

static void post(
	const struct in6_addr *from, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	if (world_roll(100) >= w.loss)
		fly(from, to, data, len);
	if (world_roll(100) < w.twice)
		fly(from, to, data, len);
}

static int send_end(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	const struct end *e = ctx;

	post(&e->internal, to, data, len);
	return 0;
}

static const struct vcm_session_record *by_id(uint64_t id)
{
	for (size_t i = 0; i < w.n_sessions; i++)
		if (w.sessions[i].id == id)
			return &w.sessions[i];
	return NULL;
}

/* What is said about a session is in the store before. */
static void check_stored(const uint8_t *data, size_t len)
{
	struct vcm_message m;
	const char *why;
	const struct vcm_session_record *r;

	if (vcm_message_read(data, len, &m, &why) != VCM_READ_OK || !(m.has & VCM_HAS_SESSION))
		return;
	r = by_id(m.session);
	if (!r || r->generation < m.generation)
		w.early++;
	else if (m.type == VCM_OFFER && r->generation == m.generation && r->spi_a != m.in.spi &&
		 r->spi_b != m.in.spi)
		w.early++;
	else if (m.type == VCM_END && r->state != VCM_S_ENDING)
		w.early++;
}

static int send_manager(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx;
	if (w.dead)
		return 0;
	check_stored(data, len);
	post(&w.manager, to, data, len);
	return 0;
}

static struct end *end_of(const struct in6_addr *addr)
{
	for (int i = 0; i < ENDS; i++)
		if (in6_equal(&w.ends[i].internal, addr))
			return &w.ends[i];
	return NULL;
}

static void deliver(int i)
{
	struct end *e = end_of(&flying[i].to);

	flying[i].used = false;
	if (e && !e->deaf)
		vcm_exchange_receive(e->x, &flying[i].from, flying[i].data, flying[i].len);
	else if (!e && w.m && !w.dead)
		vcm_manager_receive(w.m, &flying[i].from, flying[i].data, flying[i].len);
}

void world_run(int64_t ms)
{
	monotime_t until = mono_add_ms(w.now, ms);

	while (mono_before(w.now, until)) {
		monotime_t next = timerq_next(w.timers);

		for (int i = 0; i < FLYING; i++)
			if (flying[i].used && mono_before(flying[i].at, next))
				next = flying[i].at;
		if (mono_before(until, next))
			next = until;
		if (mono_before(w.now, next))
			w.now = next;
		else
			w.now.us++;
		for (int i = 0; i < FLYING; i++)
			if (flying[i].used && !mono_before(w.now, flying[i].at))
				deliver(i);
		timerq_run(w.timers, w.now);
	}
}

bool world_until(bool (*so)(void), int64_t ms)
{
	for (; ms > 0 && !so(); ms -= 10)
		world_run(10);
	return so();
}

/* ---- ends ---- */

void say(int from, const struct vcm_message *m)
{
	ck_assert_int_eq(vcm_exchange_send(w.ends[from].x, &w.manager, m, 1), 0);
}

void say_session(int from, enum vcm_type type, uint64_t id, uint32_t generation)
{
	struct vcm_message m = {
		.type = type, .has = VCM_HAS_SESSION, .session = id, .generation = generation};

	if (type == VCM_PUBLIC) {
		m.has |= VCM_HAS_PUBLIC;
		memset(m.public_key, from + 1, sizeof(m.public_key));
	}
	say(from, &m);
}

void say_down(int from, uint64_t id, uint32_t generation, enum vcm_reason reason)
{
	struct vcm_message m = {.type = VCM_DOWN,
		.has = VCM_HAS_SESSION | VCM_HAS_REASON | VCM_HAS_COUNTERS,
		.session = id,
		.generation = generation,
		.reason = reason,
		.packets_in = 7,
		.packets_out = 11};

	say(from, &m);
}

static void note(int end, bool to_manager, const struct vcm_message *m)
{
	if (w.n_log < LOG)
		w.log[w.n_log++] = (struct said){
			.end = end, .to_manager = to_manager, .type = m->type, .m = *m};
}

/* An end that has the keys, and knows that its peer has them, sends. */
static void go_direct(int i, const struct vcm_message *m)
{
	const struct vcm_message *o = &w.ends[i].offer, *r = &w.ends[i].peer_ready;

	if (o->session == m->session && r->session == m->session &&
		o->generation == m->generation && r->generation == m->generation)
		say_session(i, VCM_ACTIVE, m->session, m->generation);
}

static void answer(int i, const struct vcm_message *m)
{
	if (w.ends[i].asleep)
		return;
	if (m->type == VCM_INVITE)
		say_session(i, VCM_PUBLIC, m->session, m->generation);
	if (m->type == VCM_OFFER)
		say_session(i, VCM_READY, m->session, m->generation);
	if (m->type == VCM_OFFER || m->type == VCM_PEER_READY)
		go_direct(i, m);
}

static enum vcm_status received(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	struct end *e = ctx;

	ck_assert_mem_eq(from, &w.manager, sizeof(*from));
	note((int)(e - w.ends), false, m);
	e->n_ends += m->type == VCM_END;
	e->n_closes += m->type == VCM_CLOSE;
	if (m->type == VCM_OFFER) {
		e->offer = *m;
		e->n_offers++;
	}
	if (m->type == VCM_PEER_READY)
		e->peer_ready = *m;
	if ((m->type == VCM_OFFER || m->type == VCM_INVITE) && e->refuse) {
		e->refuse--;
		e->offer.session = 0; /* it has no keys */
		return e->answer;
	}
	answer((int)(e - w.ends), m);
	return VCM_OK;
}

static void acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status)
{
	struct end *e = ctx;

	(void)to;
	(void)token;
	e->acknowledged++;
	e->last_status = status;
}

static void probe(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)from;
	ck_assert_int_eq(m->type, VCM_PROBE_REPLY);
	((struct end *)ctx)->probes++;
}

static void restarted(void *ctx, const struct in6_addr *peer)
{
	(void)peer;
	((struct end *)ctx)->restarts++;
}

static const struct vcm_exchange_ops end_ops = {.now = now,
	.random = random_octets,
	.send = send_end,
	.received = received,
	.probe = probe,
	.acknowledged = acknowledged,
	.restarted = restarted};

void world_restart_end(int i)
{
	struct vcm_exchange_config c = {.epoch = ++next_epoch};

	vcm_exchange_free(w.ends[i].x);
	w.ends[i].x = vcm_exchange_new(&c, &end_ops, &w.ends[i], w.timers);
	ck_assert_ptr_nonnull(w.ends[i].x);
	ck_assert_int_eq(vcm_exchange_peer(w.ends[i].x, &w.manager), 0);
}

struct vcm_message report_nodes(unsigned outside_mask, unsigned inside_mask)
{
	struct vcm_message m = {.type = VCM_REPORT};

	for (int i = 0; i < NODES; i++)
		if ((outside_mask | inside_mask) >> i & 1)
			m.nodes[m.n_nodes++] =
				(struct vcm_node_option){.outside = outside_mask >> i & 1,
					.internal = w.ends[i].internal,
					.home = w.ends[i].home};
	return m;
}

void add_pair(struct vcm_message *m, int a, int b)
{
	m->pairs[m->n_pairs++] = (struct vcm_pair_option){
		.a = w.ends[a].internal, .b = w.ends[b].internal, .trigger = VCM_NEW_SESSION};
}

void talk(int a, int b)
{
	struct vcm_message m = report_nodes(1u << a | 1u << b, 0);

	add_pair(&m, a, b);
	say(GATEWAY, &m);
}

/* ---- the store ---- */

static bool written(void)
{
	w.puts++;
	if (w.die_at_put && w.puts >= w.die_at_put)
		w.dead = true;
	return !w.dead && !w.store_broken;
}

static int context_put(void *ctx, const struct vcm_context_record *r)
{
	size_t i = 0;

	(void)ctx;
	if (!written())
		return -EIO;
	while (i < w.n_contexts && !in6_equal(&w.contexts[i].internal, &r->internal))
		i++;
	ck_assert_uint_lt(i, RECORDS);
	ck_assert_uint_le(r->n_correspondents, 64);
	if (i == w.n_contexts)
		w.n_contexts++;
	w.contexts[i] = *r;
	if (r->n_correspondents)
		memcpy(w.correspondents[i], r->correspondents,
			r->n_correspondents * sizeof(struct in6_addr));
	w.contexts[i].correspondents = w.correspondents[i];
	return 0;
}

static int context_del(void *ctx, const struct in6_addr *internal)
{
	(void)ctx;
	if (!written())
		return -EIO;
	for (size_t i = 0; i < w.n_contexts; i++) {
		if (!in6_equal(&w.contexts[i].internal, internal))
			continue;
		w.n_contexts--;
		w.contexts[i] = w.contexts[w.n_contexts];
		memcpy(w.correspondents[i], w.correspondents[w.n_contexts],
			sizeof(w.correspondents[i]));
		w.contexts[i].correspondents = w.correspondents[i];
	}
	return 0;
}

static int session_put(void *ctx, const struct vcm_session_record *r)
{
	size_t i = 0;

	(void)ctx;
	if (!written())
		return -EIO;
	while (i < w.n_sessions && w.sessions[i].id != r->id)
		i++;
	ck_assert_uint_lt(i, RECORDS);
	if (i == w.n_sessions)
		w.n_sessions++;
	w.sessions[i] = *r;
	return 0;
}

static int session_del(void *ctx, uint64_t id)
{
	(void)ctx;
	if (!written())
		return -EIO;
	for (size_t i = 0; i < w.n_sessions; i++)
		if (w.sessions[i].id == id)
			w.sessions[i] = w.sessions[--w.n_sessions];
	return 0;
}

struct vcm_session_record *stored(int a, int b)
{
	for (size_t i = 0; i < w.n_sessions; i++) {
		struct vcm_session_record *r = &w.sessions[i];

		if (in6_equal(&r->a, &w.ends[a < b ? a : b].internal) &&
			in6_equal(&r->b, &w.ends[a < b ? b : a].internal))
			return r;
	}
	return NULL;
}

/* ---- the manager ---- */

static void audit(void *ctx, const struct vcm_audit *a)
{
	size_t n = strlen(w.audit);

	(void)ctx;
	if (a->packets_ab || a->packets_ba) {
		w.packets_ab = a->packets_ab;
		w.packets_ba = a->packets_ba;
	}
	ck_assert(!a->session || !in6_equal(&a->a, &a->b));
	n += (size_t)snprintf(w.audit + n, sizeof(w.audit) - n, "%s %s", a->what,
		a->text ? a->text : "-");
	n += (size_t)snprintf(w.audit + n, sizeof(w.audit) - n, "%s%s\n",
		in6_is_any(&a->node) ? "" : " by ",
		in6_is_any(&a->node) ? "" : in6_str(&a->node));
}

bool audited(const char *what)
{
	return strstr(w.audit, what);
}

static bool known(void *ctx, const struct in6_addr *internal)
{
	const struct end *e = end_of(internal);

	(void)ctx;
	return e && (e - w.ends == GATEWAY || !w.unknown[e - w.ends]);
}

static void policy(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, struct vcm_policy *p)
{
	(void)ctx;
	(void)a;
	(void)b;
	*p = w.policy;
}

static const struct vcm_manager_ops manager_ops = {.now = now,
	.wall = wall,
	.random = random_octets,
	.send = send_manager,
	.context_put = context_put,
	.context_del = context_del,
	.session_put = session_put,
	.session_del = session_del,
	.audit = audit};

static void restore(void)
{
	for (size_t i = 0; i < w.n_contexts; i++)
		ck_assert_int_eq(vcm_manager_restore_context(w.m, &w.contexts[i]), 0);
	for (size_t i = 0; i < w.n_sessions; i++)
		ck_assert_int_eq(vcm_manager_restore_session(w.m, &w.sessions[i]), 0);
}

void world_start_manager(bool restart)
{
	struct vcm_manager_config c = {.epoch = ++next_epoch,
		.n_gateways = 1,
		.gateways = &w.ends[GATEWAY].internal,
		.max_contexts = w.max_contexts,
		.max_sessions = w.max_sessions,
		.known = known,
		.policy = policy};

	w.dead = false;
	w.die_at_put = 0;
	vcm_manager_free(w.m);
	w.m = vcm_manager_new(&c, &manager_ops, NULL, w.timers);
	ck_assert_ptr_nonnull(w.m);
	if (restart)
		restore();
	vcm_manager_start(w.m);
}

struct vcm_manager_stats manager_stats(void)
{
	struct vcm_manager_stats s;

	vcm_manager_stats(w.m, &s);
	return s;
}

static struct in6_addr address(const char *text, int last)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	a.s6_addr[15] = (uint8_t)last;
	return a;
}

void world_begin(void)
{
	memset(&w, 0, sizeof(w));
	memset(flying, 0, sizeof(flying));
	w.now = (monotime_t){5000000};
	w.dice = 1;
	next_epoch = 1000;
	w.timers = timerq_new();
	w.manager = address("fd00:0:0:2::", 9);
	w.policy = (struct vcm_policy){.allowed = true,
		.algorithm = "aes-256-gcm",
		.key_len = 36,
		.kcn = true,
		.lifetime_s = 3600,
		.linger_s = 60};
	for (int i = 0; i < ENDS; i++) {
		w.ends[i].internal = address("fd00:0:0:1::", i + 1);
		w.ends[i].home = address("2001:db8:7::", i + 1);
		world_restart_end(i);
	}
	world_start_manager(false);
}

void world_end(void)
{
	vcm_manager_free(w.m);
	for (int i = 0; i < ENDS; i++)
		vcm_exchange_free(w.ends[i].x);
	timerq_free(w.timers);
}

/* ---- what tests wait for ---- */

bool direct(void)
{
	const struct vcm_session_record *r = stored(0, 1);

	return r && r->state == VCM_S_DIRECT && r->active_a && r->active_b;
}

bool some(void)
{
	return w.n_sessions;
}

bool none(void)
{
	return !w.n_sessions;
}

uint64_t begin_direct(void)
{
	talk(0, 1);
	ck_assert(world_until(direct, 2000));
	return stored(0, 1)->id;
}

int place_in_log(int end, enum vcm_type type)
{
	for (size_t i = 0; i < w.n_log; i++)
		if (w.log[i].end == end && w.log[i].type == type)
			return (int)i;
	return -1;
}

struct vcm_message place(int i, bool outside)
{
	struct vcm_message m = report_nodes(outside ? 1u << i : 0, outside ? 0 : 1u << i);

	m.type = VCM_PLACE;
	return m;
}
