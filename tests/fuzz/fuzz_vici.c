/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What strongSwan's socket may say.  The input is a row of packets, each two
 * octets of length and as many octets; they go through the parser, and what
 * is well-formed is walked through as a whole; then they go, as frames, to
 * the manager of SAs, whose socket's other end is this target.
 *
 * Whatever comes: an SA is told only of children that are watched, and has
 * both SPIs or none.  abort() is how a fuzzer is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipsec-glue/swan.h"
#include "ipsec-glue/vici.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static void walk(struct rbuf r, unsigned depth)
{
	struct vici_item item;
	char text[64];
	uint32_t v;

	REQUIRE(depth <= VICI_DEPTH_MAX + 1);
	while (vici_next(&r, &item)) {
		vici_copy(item.name, text, sizeof(text));
		vici_copy(item.value, text, sizeof(text));
		vici_number(item.value, 16, &v);
		if (item.type == VICI_SECTION_START || item.type == VICI_LIST_START)
			walk(item.inside, depth + 1);
	}
	REQUIRE(rbuf_left(&r) == 0);
}

static void parse(const uint8_t *data, size_t len)
{
	struct vici_packet p;

	if (vici_packet_parse(data, len, &p))
		walk(p.message, 0);
}

/* ---- the manager ---- */

struct world {
	monotime_t now;
	struct timerq *timers;
	int listener, peer;
	char path[64];
};

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void watch_fd(void *ctx, int fd, bool watch)
{
	(void)ctx, (void)watch;
	REQUIRE(fd >= 0);
}

static void told(void *ctx, const struct swan_child *c)
{
	(void)ctx;
	REQUIRE(c->ref->reqid == (c->ref->use == IPSEC_SIGNAL ? 1 : 2));
	REQUIRE(!c->spi_in == !c->spi_out);
}

static void complained(void *ctx, const struct swan_ref *ref, const char *text)
{
	(void)ctx, (void)ref;
	for (; *text; text++)
		REQUIRE(*text >= ' ' && *text <= '~');
}

static const struct swan_ops ops = {.fd = watch_fd, .child = told, .complaint = complained};

static void start(struct world *w)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	w->now = (monotime_t){1000000};
	w->timers = timerq_new();
	snprintf(w->path, sizeof(w->path), "/tmp/fuzz_vici.%d", (int)getpid());
	strcpy(addr.sun_path, w->path);
	unlink(w->path);
	w->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	REQUIRE(bind(w->listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		listen(w->listener, 1) == 0);
	w->peer = -1;
}

static void advance(struct world *w)
{
	w->now = mono_add_ms(w->now, 200);
	timerq_run(w->timers, w->now);
}

static void watch(struct swan *s, enum ipsec_use use, const char *child)
{
	struct swan_ref ref = {
		.home_address = {{{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}},
		.home_agent = {{{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}}},
		.use = use,
		.arrangement = IPSEC_BY_HOME_ADDRESS,
		.reqid = use == IPSEC_SIGNAL ? 1 : 2,
		.connection = "home"};

	strcpy(ref.child, child);
	REQUIRE(swan_watch(s, &ref) == 0);
	REQUIRE(swan_need(s, &ref.home_address, &ref.home_agent, use, true) == 0);
}

/* One frame to the manager; it may hang up, and comes again. */
static void feed(struct world *w, struct swan *s, const uint8_t *data, size_t len)
{
	uint8_t head[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len}, sink[4096];

	if (w->peer < 0)
		w->peer = accept(w->listener, NULL, NULL);
	REQUIRE(w->peer >= 0);
	while (recv(w->peer, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		;
	if (send(w->peer, head, 4, MSG_NOSIGNAL) != 4 ||
		send(w->peer, data, len, MSG_NOSIGNAL) != (ssize_t)len) {
		close(w->peer);
		w->peer = -1;
		return;
	}
	swan_read(s);
	advance(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data, *end = data + size;
	struct world w;
	struct swan *s;

	start(&w);
	s = swan_open(w.path, w.timers, now, &w, &ops, &w);
	REQUIRE(s);
	watch(s, IPSEC_SIGNAL, "signal");
	watch(s, IPSEC_DATA, "data");
	advance(&w);
	while (end - at >= 2) {
		size_t len = (size_t)at[0] << 8 | at[1];

		at += 2;
		if (len > (size_t)(end - at))
			len = (size_t)(end - at);
		parse(at, len);
		feed(&w, s, at, len);
		if (w.peer < 0) {
			advance(&w); /* it connects again */
			advance(&w);
		}
		at += len;
	}
	swan_close(s);
	REQUIRE(timerq_next(w.timers).us == MONOTIME_NEVER.us);
	timerq_free(w.timers);
	if (w.peer >= 0)
		close(w.peer);
	close(w.listener);
	unlink(w.path);
	return 0;
}
