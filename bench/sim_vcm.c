/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What contexts and sessions cost a VCM: the manager with its codec and
 * exchange, simulated time, simulated nodes that answer at once.  For each
 * number of contexts: they are reported by a gateway, then 10,000 pairs of
 * them get a session each within a minute.  Each datagram of the manager
 * leaves by UDP over loopback.  Only the manager's CPU time counts.
 *
 * The bare loop does the same cryptography (random octets), the same encoding
 * and decoding and the same sends, once more, from a trace of the former.
 *
 * -s DIR: with a store (LMDB, sealed) there, committed every 10 ms.
 * -n N: one number of contexts only.  Prints a line of JSON for each.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <malloc.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/timer.h"
#include "vcm/manager.h"
#include "vcm/vcmd_store.h"

#define STEP_MS 10
#define SESSIONS 10000
#define MINUTE_MS 60000
#define ROOM \
	((size_t)1 << 30) /* of address space for each buffer; touched only as far as it is used */
#define CHUNK 256
#define NODES_IN_REPORT 16

enum event { EVENT_RECEIVED, EVENT_SENT, EVENT_RANDOM };

struct entry { /* in a buffer, data follow */
	enum event event;
	uint32_t node;
	size_t len;
};

struct buffer { /* not of malloc(), which is measured */
	uint8_t *at;
	size_t len;
};

struct bench {
	size_t n, sessions;
	monotime_t now;
	struct timerq *timers;
	struct vcm_manager *m;
	struct vcmd_store *store;
	struct vcmd_seal seal;
	int fd, sink; /* the other end, which nobody reads */
	struct buffer to_manager, to_nodes, trace;
	uint32_t *sequence; /* of node i; of the gateway at n */
	bool tracing;
	uint64_t sent, received, puts;
	double cpu;
};

struct result {
	size_t contexts, sessions;
	double context_octets, session_octets, report_us, session_us, bare_us, messages, puts,
		seconds;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

/* ---- buffers ---- */

static struct buffer buffer_new(void)
{
	struct buffer b = {mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
		0};

	if (b.at == MAP_FAILED)
		die("mmap");
	return b;
}

static void put(struct buffer *b, enum event event, size_t node, const uint8_t *data, size_t len)
{
	struct entry e = {.event = event, .node = (uint32_t)node, .len = len};

	if (b->len + sizeof(e) + len > ROOM)
		abort();
	memcpy(b->at + b->len, &e, sizeof(e));
	if (data)
		memcpy(b->at + b->len + sizeof(e), data, len);
	b->len += sizeof(e) + (data ? len : 0);
}

/* The entry at *pos, and its data; *pos goes on.  False: that was all. */
static bool next(const struct buffer *b, size_t *pos, struct entry *e, const uint8_t **data)
{
	if (*pos >= b->len)
		return false;
	memcpy(e, b->at + *pos, sizeof(*e));
	*data = b->at + *pos + sizeof(*e);
	*pos += sizeof(*e) + (e->event == EVENT_RANDOM ? 0 : e->len);
	return true;
}

/* ---- addresses ---- */

static struct in6_addr numbered(uint8_t link, size_t number)
{
	struct in6_addr a = {{{link ? 0x20 : 0xfd, link ? 0x01 : 0, 0x0d, 0xb8, 0, 1, 0, 0, 1}}};

	for (int i = 0; i < 4; i++)
		a.s6_addr[15 - i] = (uint8_t)((number + 1) >> 8 * i);
	return a;
}

static size_t number_of(const struct in6_addr *a)
{
	return ((size_t)a->s6_addr[12] << 24 | (size_t)a->s6_addr[13] << 16 |
		       (size_t)a->s6_addr[14] << 8 | a->s6_addr[15]) -
	       1;
}

/* ---- what the manager asks for ---- */

static monotime_t now(void *ctx)
{
	return ((struct bench *)ctx)->now;
}

static uint64_t wall(void *ctx)
{
	return 1700000000u + (uint64_t)(((struct bench *)ctx)->now.us / 1000000);
}

static void random_octets(void *ctx, void *to, size_t n)
{
	struct bench *b = ctx;

	if (b && b->tracing)
		put(&b->trace, EVENT_RANDOM, 0, NULL, n);
	if (RAND_bytes(to, (int)n) != 1)
		abort();
}

static void transmit(int fd, const uint8_t *data, size_t len)
{
	(void)!send(fd, data, len, MSG_DONTWAIT);
}

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	struct bench *b = ctx;

	transmit(b->fd, data, len);
	b->sent++;
	put(&b->to_nodes, EVENT_SENT, number_of(to), data, len);
	if (b->tracing)
		put(&b->trace, EVENT_SENT, 0, data, len);
	return 0;
}

static int context_put(void *ctx, const struct vcm_context_record *r)
{
	struct bench *b = ctx;

	b->puts++;
	return b->store ? vcmd_store_context_put(b->store, r) : 0;
}

static int context_del(void *ctx, const struct in6_addr *internal)
{
	struct bench *b = ctx;

	return b->store ? vcmd_store_context_del(b->store, internal) : 0;
}

static int session_put(void *ctx, const struct vcm_session_record *r)
{
	struct bench *b = ctx;

	b->puts++;
	return b->store ? vcmd_store_session_put(b->store, r) : 0;
}

static int session_del(void *ctx, uint64_t id)
{
	struct bench *b = ctx;

	return b->store ? vcmd_store_session_del(b->store, id) : 0;
}

static void policy(
	void *ctx, const struct in6_addr *a, const struct in6_addr *b, struct vcm_policy *p)
{
	(void)ctx;
	(void)a;
	(void)b;
	*p = (struct vcm_policy){.allowed = true,
		.algorithm = "aes-256-gcm",
		.key_len = 36,
		.kcn = true,
		.lifetime_s = 3600,
		.linger_s = 30};
}

/* ---- nodes and gateway ---- */

#define MANAGER_EPOCH 77

static void say(struct bench *b, size_t node, struct vcm_message *m, uint32_t sequence)
{
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	m->sequence = sequence;
	m->epoch = node + 1;
	m->peer_epoch = MANAGER_EPOCH;
	len = vcm_message_write(m, data, sizeof(data));
	if (!len)
		abort();
	put(&b->to_manager, EVENT_RECEIVED, node, data, len);
}

static void say_session(
	struct bench *b, size_t node, enum vcm_type type, const struct vcm_message *m)
{
	struct vcm_message out = {.type = type,
		.has = VCM_HAS_SESSION,
		.session = m->session,
		.generation = m->generation};

	say(b, node, &out, ++b->sequence[node]);
}

static void answer(struct bench *b, size_t node, const uint8_t *data, size_t len)
{
	struct vcm_message m, ack = {.type = VCM_ACK, .has = VCM_HAS_STATUS};
	const char *why;

	if (vcm_message_read(data, len, &m, &why) != VCM_READ_OK)
		abort();
	if (m.type == VCM_ACK && m.status)
		abort();
	if (m.type == VCM_ACK)
		return;
	say(b, node, &ack, m.sequence);
	if (m.type == VCM_OFFER)
		say_session(b, node, VCM_READY, &m);
	if (m.type == VCM_PEER_READY)
		say_session(b, node, VCM_ACTIVE, &m);
}

static void nodes_answer(struct bench *b)
{
	const uint8_t *data;
	struct entry e;

	for (size_t pos = 0; next(&b->to_nodes, &pos, &e, &data);)
		answer(b, e.node, data, e.len);
	b->to_nodes.len = 0;
}

static void report_nodes(struct bench *b, size_t from, size_t count)
{
	struct vcm_message m = {.type = VCM_REPORT, .n_nodes = count};

	for (size_t i = 0; i < count; i++)
		m.nodes[i] = (struct vcm_node_option){.outside = true,
			.internal = numbered(0, from + i),
			.home = numbered(1, from + i)};
	say(b, b->n, &m, ++b->sequence[b->n]);
}

static void report_pair(struct bench *b, size_t i)
{
	struct vcm_message m = {.type = VCM_REPORT, .n_pairs = 1};

	m.pairs[0] = (struct vcm_pair_option){
		.a = numbered(0, i), .b = numbered(0, i + b->n / 2), .trigger = VCM_NEW_SESSION};
	say(b, b->n, &m, ++b->sequence[b->n]);
}

/* ---- time ---- */

/* What has come is acted on, then the store has it: the only part that is measured. */
static void manager_turn(struct bench *b)
{
	double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
	const uint8_t *data;
	struct entry e;

	for (size_t pos = 0; next(&b->to_manager, &pos, &e, &data);) {
		struct in6_addr from = numbered(0, e.node);

		b->received++;
		if (b->tracing)
			put(&b->trace, EVENT_RECEIVED, 0, data, e.len);
		vcm_manager_receive(b->m, &from, data, e.len);
	}
	timerq_run(b->timers, b->now);
	if (b->store && vcmd_store_commit(b->store))
		abort();
	b->cpu += seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
	b->to_manager.len = 0;
}

static void step(struct bench *b)
{
	manager_turn(b);
	nodes_answer(b);
	b->now = mono_add_ms(b->now, STEP_MS);
}

static void settle(struct bench *b)
{
	for (int i = 0; i < 100; i++)
		step(b);
}

/* ---- the bare loop ---- */

static double bare_chunk(struct bench *b, struct vcm_message *m, const struct entry *e,
	const uint8_t *const *data, size_t n)
{
	uint8_t octets[VCM_MESSAGE_MAX];
	struct vcm_message read;
	const char *why;
	double start;

	for (size_t i = 0; i < n; i++)
		if (e[i].event == EVENT_SENT &&
			vcm_message_read(data[i], e[i].len, &m[i], &why) != VCM_READ_OK)
			abort();
	start = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < n; i++) {
		if (e[i].event == EVENT_RANDOM) {
			random_octets(NULL, octets, e[i].len);
		} else if (e[i].event == EVENT_RECEIVED) {
			(void)vcm_message_read(data[i], e[i].len, &read, &why);
			vcm_message_wipe(&read);
		} else {
			transmit(b->fd, octets, vcm_message_write(&m[i], octets, sizeof(octets)));
		}
	}
	return seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static double bare_loop(struct bench *b)
{
	static struct vcm_message m[CHUNK];
	const uint8_t *data[CHUNK];
	struct entry e[CHUNK];
	double sum = 0;
	size_t pos = 0, n;

	do {
		for (n = 0; n < CHUNK && next(&b->trace, &pos, &e[n], &data[n]);)
			n++;
		sum += bare_chunk(b, m, e, data, n);
	} while (n);
	return sum;
}

/* ---- one number ---- */

static void open_socket(struct bench *b)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(to);

	b->sink = socket(AF_INET6, SOCK_DGRAM, 0);
	b->fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (b->sink < 0 || b->fd < 0 || bind(b->sink, (struct sockaddr *)&to, sizeof(to)) ||
		getsockname(b->sink, (struct sockaddr *)&to, &len) ||
		connect(b->fd, (struct sockaddr *)&to, len))
		die("socket");
}

static void open_store(struct bench *b, const char *folder)
{
	char path[4096], err[1024];

	if (!folder)
		return;
	snprintf(path, sizeof(path), "%s/%zu", folder, b->n);
	b->seal.random = random_octets;
	random_octets(NULL, b->seal.key, sizeof(b->seal.key));
	b->store = vcmd_store_open(path, 4096, &b->seal, err, sizeof(err));
	if (!b->store) {
		fprintf(stderr, "%s\n", err);
		exit(1);
	}
}

static void begin(struct bench *b, size_t n, const char *folder)
{
	static const struct vcm_manager_ops ops = {.now = now,
		.wall = wall,
		.random = random_octets,
		.send = send_datagram,
		.context_put = context_put,
		.context_del = context_del,
		.session_put = session_put,
		.session_del = session_del};
	struct in6_addr gateway = numbered(0, n);
	struct vcm_manager_config c = {.epoch = MANAGER_EPOCH,
		.n_gateways = 1,
		.gateways = &gateway,
		.max_contexts = n,
		.policy = policy};

	*b = (struct bench){.n = n,
		.sessions = n / 2 < SESSIONS ? n / 2 : SESSIONS,
		.now = {1000000},
		.to_manager = buffer_new(),
		.to_nodes = buffer_new(),
		.trace = buffer_new(),
		.sequence = calloc(n + 1, sizeof(uint32_t)),
		.timers = timerq_new()};
	open_socket(b);
	open_store(b, folder);
	b->m = vcm_manager_new(&c, &ops, b, b->timers);
	if (!b->m || !b->sequence)
		abort();
	vcm_manager_start(b->m);
	settle(b);
}

static void end(struct bench *b)
{
	vcm_manager_free(b->m);
	vcmd_store_close(b->store);
	timerq_free(b->timers);
	free(b->sequence);
	munmap(b->to_manager.at, ROOM);
	munmap(b->to_nodes.at, ROOM);
	munmap(b->trace.at, ROOM);
	close(b->fd);
	close(b->sink);
}

static void make_contexts(struct bench *b)
{
	for (size_t i = 0; i < b->n; i += NODES_IN_REPORT) {
		report_nodes(b, i, b->n - i < NODES_IN_REPORT ? b->n - i : NODES_IN_REPORT);
		step(b);
	}
	settle(b);
}

static void make_sessions(struct bench *b)
{
	size_t steps = MINUTE_MS / STEP_MS, made = 0;

	for (size_t i = 1; i <= steps; i++) {
		for (; made < b->sessions * i / steps; made++)
			report_pair(b, made);
		step(b);
	}
	settle(b);
}

static bool all_direct(void *arg, const struct vcm_session_record *r)
{
	*(size_t *)arg += r->state == VCM_S_DIRECT && r->active_a && r->active_b;
	return true;
}

static struct result measure(size_t n, const char *folder)
{
	struct result r = {.contexts = n};
	double before, between, start = seconds(CLOCK_MONOTONIC);
	size_t direct = 0;
	struct bench b;

	begin(&b, n, folder);
	before = allocated();
	b.cpu = 0;
	make_contexts(&b);
	between = allocated();
	r.context_octets = (between - before) / (double)n;
	r.report_us = b.cpu * 1e6 / (double)n;
	r.sessions = b.sessions;
	b.cpu = 0;
	b.sent = b.received = b.puts = 0;
	b.tracing = !folder;
	make_sessions(&b);
	b.tracing = false;
	vcm_manager_foreach_session(b.m, all_direct, &direct);
	if (direct != b.sessions)
		abort();
	r.session_octets = (allocated() - between) / (double)b.sessions;
	r.session_us = b.cpu * 1e6 / (double)b.sessions;
	r.messages = (double)(b.sent + b.received) / (double)b.sessions;
	r.puts = (double)b.puts / (double)b.sessions;
	if (!folder)
		r.bare_us = bare_loop(&b) * 1e6 / (double)b.sessions;
	end(&b);
	r.seconds = seconds(CLOCK_MONOTONIC) - start;
	return r;
}

static void print(const struct result *r, bool store)
{
	printf("{\"contexts\": %zu, \"sessions\": %zu, \"store\": %s, \"context_octets\": %.0f, "
	       "\"session_octets\": %.0f, \"report_us\": %.2f, \"session_us\": %.2f, "
	       "\"bare_us\": %.2f, \"messages\": %.2f, \"puts\": %.2f, \"seconds\": %.1f}\n",
		r->contexts, r->sessions, store ? "true" : "false", r->context_octets,
		r->session_octets, r->report_us, r->session_us, r->bare_us, r->messages, r->puts,
		r->seconds);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {20000, 50000, 100000, 200000};
	const char *folder = NULL;
	size_t only = 0;
	int c;

	while ((c = getopt(argc, argv, "n:s:")) != -1) {
		if (c == 'n') {
			only = strtoul(optarg, NULL, 10);
		} else if (c == 's') {
			folder = optarg;
		} else {
			fprintf(stderr, "usage: %s [-n CONTEXTS] [-s FOLDER]\n", argv[0]);
			return 2;
		}
	}
	for (size_t i = 0; i < (only ? 1 : sizeof(sizes) / sizeof(sizes[0])); i++) {
		struct result r = measure(only ? only : sizes[i], folder);

		print(&r, folder);
	}
	return 0;
}
