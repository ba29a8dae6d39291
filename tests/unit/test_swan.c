/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipsec-glue/swan.h with a strongSwan made of paper: the other end of the
 * socket answers from two tables, of connections and of SAs, and writes down
 * what it was asked to do.  Time is the test's.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipsec-glue/swan.h"
#include "ipsec-glue/vici.h"

#define HOA "2001:db8:1::100"
#define HA "2001:db8:1::1000"
#define COA "2001:db8:a::1"
#define COA2 "2001:db8:b::1"
#define NO_TS ""

struct paper_sa {
	unsigned id, reqid, spi_in, spi_out;
	const char *connection, *child, *state;
};

static struct {
	int listener, peer;
	char folder[64], path[96];
	/* connections */
	bool has_signal, has_data;
	const char *mode, *node_ts[2], *agent_ts[2], *data_ts;
	/* IKE and SAs */
	const char *ike_state, *ike_local, *ike_remote; /* ike_state NULL: there is none */
	unsigned ike_id;
	bool gives_up; /* what is initiated is gone at once */
	bool ends_slowly; /* what is terminated is not yet */
	struct paper_sa sas[8];
	size_t n_sas;
	char asked[2048];
} paper;

static struct {
	monotime_t now;
	struct timerq *timers;
	struct swan *swan;
	int fd;
	char told[2048], complaints[4096];
} w;

/* ---- the paper strongSwan ---- */

static void list_of(struct wbuf *b, const char *name, const char *const *items, size_t n)
{
	vici_write_list(b, name);
	for (size_t i = 0; i < n; i++)
		vici_write_item(b, items[i]);
	vici_write_list_end(b);
}

static void reply(enum vici_packet_type type, const char *name, void (*message)(struct wbuf *b))
{
	static uint8_t octets[8192];
	struct wbuf b = wbuf_make(octets, sizeof(octets));

	vici_write_packet(&b, type, name);
	if (message)
		message(&b);
	ck_assert(vici_write_done(&b));
	ck_assert_int_eq(send(paper.peer, octets, b.len, MSG_NOSIGNAL), (ssize_t)b.len);
}

static void conn_message(struct wbuf *b)
{
	const char *const all[] = {"::/0"};

	vici_write_section(b, "home");
	vici_write_section(b, "children");
	if (paper.has_signal) {
		vici_write_section(b, "signal");
		vici_write_value(b, "mode", paper.mode);
		list_of(b, "local-ts", paper.node_ts, 2);
		list_of(b, "remote-ts", paper.agent_ts, 2);
		vici_write_section_end(b);
	}
	if (paper.has_data) {
		vici_write_section(b, "data");
		vici_write_value(b, "mode", "TUNNEL");
		list_of(b, "local-ts", &paper.data_ts, 1);
		list_of(b, "remote-ts", all, 1);
		vici_write_section_end(b);
	}
	vici_write_section_end(b);
	vici_write_section_end(b);
}

static void number(struct wbuf *b, const char *name, const char *form, unsigned v)
{
	char text[16];

	snprintf(text, sizeof(text), form, v);
	vici_write_value(b, name, text);
}

static void write_sa(struct wbuf *b, const struct paper_sa *sa)
{
	vici_write_value(b, "name", sa->child);
	number(b, "uniqueid", "%u", sa->id);
	number(b, "reqid", "%u", sa->reqid);
	vici_write_value(b, "state", sa->state ? sa->state : "INSTALLED");
	number(b, "spi-in", "%08x", sa->spi_in);
	number(b, "spi-out", "%08x", sa->spi_out);
}

static void write_ike(struct wbuf *b, const char *name)
{
	vici_write_section(b, name);
	number(b, "uniqueid", "%u", paper.ike_id);
	vici_write_value(b, "state", paper.ike_state);
	vici_write_value(b, "local-host", paper.ike_local);
	vici_write_value(b, "remote-host", paper.ike_remote);
}

static void sas_message(struct wbuf *b)
{
	write_ike(b, "home");
	vici_write_section(b, "child-sas");
	for (size_t i = 0; i < paper.n_sas; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s-%u", paper.sas[i].child, paper.sas[i].id);
		vici_write_section(b, name);
		write_sa(b, &paper.sas[i]);
		vici_write_section_end(b);
	}
	vici_write_section_end(b);
	vici_write_section_end(b);
}

static struct paper_sa event_sa, event_old;
static bool event_up;

static void updown_message(struct wbuf *b)
{
	if (event_up)
		vici_write_value(b, "up", "yes");
	write_ike(b, event_sa.connection);
	vici_write_section(b, "child-sas");
	vici_write_section(b, "any");
	write_sa(b, &event_sa);
	vici_write_section_end(b);
	vici_write_section_end(b);
	vici_write_section_end(b);
}

static void rekey_message(struct wbuf *b)
{
	write_ike(b, event_sa.connection);
	vici_write_section(b, "child-sas");
	vici_write_section(b, event_sa.child);
	vici_write_section(b, "old");
	write_sa(b, &event_old);
	vici_write_section_end(b);
	vici_write_section(b, "new");
	write_sa(b, &event_sa);
	vici_write_section_end(b);
	vici_write_section_end(b);
	vici_write_section_end(b);
	vici_write_section_end(b);
}

static void note(const char *word, struct vici_text value)
{
	snprintf(paper.asked + strlen(paper.asked), sizeof(paper.asked) - strlen(paper.asked),
		"%s %.*s;", word, (int)value.len, value.at);
}

static void serve(const struct vici_packet *p)
{
	if (p->type == VICI_REGISTER) {
		reply(VICI_CONFIRM, NULL, NULL);
		return;
	}
	ck_assert_int_eq(p->type, VICI_REQUEST);
	if (vici_is(p->name, "list-conns")) {
		reply(VICI_EVENT, "list-conn", conn_message);
	} else if (vici_is(p->name, "list-sas")) {
		if (paper.ike_state)
			reply(VICI_EVENT, "list-sa", sas_message);
	} else if (vici_is(p->name, "initiate")) {
		note("initiate", vici_value(p->message, "child"));
		if (!paper.ike_state && !paper.gives_up)
			paper.ike_state = "CONNECTING";
	} else if (vici_is(p->name, "terminate")) {
		note("terminate", vici_value(p->message, "ike"));
		note("ike-id", vici_value(p->message, "ike-id"));
		note("timeout", vici_value(p->message, "timeout"));
		note("force", vici_value(p->message, "force"));
		if (paper.ends_slowly)
			return;
	}
	reply(VICI_RESPONSE, NULL, NULL);
}

static void serve_all(void)
{
	static uint8_t in[65536];
	ssize_t n = recv(paper.peer, in, sizeof(in), MSG_DONTWAIT);
	struct rbuf r = rbuf_make(in, n > 0 ? (size_t)n : 0), frame;
	struct vici_packet p;
	uint32_t len;

	while (rbuf_u32(&r, &len)) {
		ck_assert(rbuf_sub(&r, &frame, len));
		ck_assert(vici_packet_parse(frame.p, len, &p));
		serve(&p);
	}
}

static void listen_now(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	unlink(paper.path);
	strcpy(addr.sun_path, paper.path);
	paper.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(paper.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(paper.listener, 1), 0);
}

static void die(void)
{
	close(paper.peer);
	close(paper.listener);
	paper.peer = paper.listener = -1;
	paper.n_sas = 0;
	paper.ike_state = NULL;
}

/* ---- the owner ---- */

static monotime_t now(void *ctx)
{
	(void)ctx;
	return w.now;
}

static void on_fd(void *ctx, int fd, bool watch)
{
	(void)ctx;
	w.fd = watch ? fd : -1;
}

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w.told + strlen(w.told), sizeof(w.told) - strlen(w.told), fmt, ap);
	va_end(ap);
}

static void on_child(void *ctx, const struct swan_child *c)
{
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

	(void)ctx;
	inet_ntop(AF_INET6, &c->local, local, sizeof(local));
	inet_ntop(AF_INET6, &c->remote, remote, sizeof(remote));
	if (c->spi_out)
		tell("%s %x/%x %s %s;", c->ref->child, c->spi_in, c->spi_out, local, remote);
	else
		tell("%s none;", c->ref->child);
}

static void on_stale(void *ctx, const struct swan_ref *ref, uint32_t spi_in, uint32_t spi_out)
{
	(void)ctx;
	tell("stale %s %x/%x;", ref->child, spi_in, spi_out);
}

static void on_complaint(void *ctx, const struct swan_ref *ref, const char *text)
{
	(void)ctx, (void)ref;
	snprintf(w.complaints + strlen(w.complaints), sizeof(w.complaints) - strlen(w.complaints),
		"%s\n", text);
}

static void on_connected(void *ctx, bool up)
{
	(void)ctx;
	tell("%s;", up ? "connected" : "disconnected");
}

static const struct swan_ops ops = {on_fd, on_child, on_stale, on_complaint, on_connected};

static struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static struct swan_ref ref_of(enum ipsec_use use)
{
	struct swan_ref r = {.home_address = in6(HOA),
		.home_agent = in6(HA),
		.use = use,
		.arrangement = IPSEC_BY_MIGRATE,
		.reqid = use == IPSEC_SIGNAL ? 1 : 2,
		.connection = "home"};

	strcpy(r.child, use == IPSEC_SIGNAL ? "signal" : "data");
	return r;
}

static int watch(enum ipsec_use use)
{
	struct swan_ref r = ref_of(use);

	return swan_watch(w.swan, &r);
}

static int need(enum ipsec_use use)
{
	struct swan_ref r = ref_of(use);

	return swan_need(w.swan, &r.home_address, &r.home_agent, use, true);
}

static int source(const char *care_of)
{
	struct swan_ref r = ref_of(IPSEC_SIGNAL);
	struct in6_addr a = in6(care_of);

	return swan_source(w.swan, &r.home_address, &r.home_agent, &a);
}

/* Let time pass: every 10 ms both sides do what there is to do. */
static void pass(unsigned ms)
{
	for (unsigned t = 0; t <= ms; t += 10) {
		timerq_run(w.timers, w.now);
		if (paper.listener >= 0 && paper.peer < 0)
			paper.peer = accept(paper.listener, NULL, NULL);
		for (int i = 0; i < 12; i++) { /* one command at a time, each way */
			if (paper.peer >= 0)
				serve_all();
			if (w.fd >= 0)
				swan_read(w.swan);
		}
		if (t < ms)
			w.now = mono_add_ms(w.now, 10);
	}
}

#define SIGNAL_SA(n)                    \
	((struct paper_sa){.id = (n),   \
		.reqid = 1,             \
		.spi_in = 0x100 + (n),  \
		.spi_out = 0x200 + (n), \
		.connection = "home",   \
		.child = "signal"})

static void add_sa(struct paper_sa sa)
{
	paper.sas[paper.n_sas++] = sa;
	paper.ike_state = "ESTABLISHED";
}

static void event(bool up, struct paper_sa sa)
{
	event_up = up;
	event_sa = sa;
	reply(VICI_EVENT, "child-updown", updown_message);
	pass(0);
}

/* What was told since the last time. */
static const char *told(void)
{
	static char text[sizeof(w.told)];

	strcpy(text, w.told);
	w.told[0] = '\0';
	return text;
}

static const char *asked(void)
{
	static char text[sizeof(paper.asked)];

	strcpy(text, paper.asked);
	paper.asked[0] = '\0';
	return text;
}

static void setup(void)
{
	memset(&paper, 0, sizeof(paper));
	memset(&w, 0, sizeof(w));
	snprintf(paper.folder, sizeof(paper.folder), "/tmp/test_swan.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(paper.folder));
	snprintf(paper.path, sizeof(paper.path), "%s/vici", paper.folder);
	paper.peer = paper.listener = -1;
	paper.has_signal = paper.has_data = true;
	paper.mode = "TRANSPORT_PROXY";
	paper.node_ts[0] = HOA "/128[mobility-header]";
	paper.node_ts[1] = HOA "/128[ipv6-icmp]";
	paper.agent_ts[0] = HA "/128[mobility-header]";
	paper.agent_ts[1] = HA "/128[ipv6-icmp]";
	paper.data_ts = HOA "/128";
	paper.ike_local = COA;
	paper.ike_remote = HA;
	paper.ike_id = 7;
	w.fd = -1;
	w.now = (monotime_t){1000000};
	w.timers = timerq_new();
	w.swan = swan_open(paper.path, w.timers, now, NULL, &ops, NULL);
	ck_assert_ptr_nonnull(w.swan);
}

static void setup_up(void)
{
	setup();
	listen_now();
	ck_assert_int_eq(watch(IPSEC_SIGNAL), 0);
}

static void teardown(void)
{
	swan_close(w.swan);
	ck_assert_int_eq(w.fd, -1);
	ck_assert(timerq_next(w.timers).us == MONOTIME_NEVER.us);
	timerq_free(w.timers);
	if (paper.peer >= 0)
		close(paper.peer);
	if (paper.listener >= 0)
		close(paper.listener);
	unlink(paper.path);
	rmdir(paper.folder);
}

/* ---- start order ---- */

START_TEST(test_late_start)
{
	ck_assert_int_eq(watch(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(5000);
	ck_assert_str_eq(told(), "");
	ck_assert_ptr_nonnull(strstr(w.complaints, "is strongSwan running?"));
	listen_now();
	pass(2100);
	ck_assert_str_eq(told(), "connected;");
	ck_assert_str_eq(asked(), "initiate signal;");
}
END_TEST

START_TEST(test_sas_are_there_already)
{
	add_sa(SIGNAL_SA(1));
	pass(0);
	ck_assert_str_eq(told(), "signal 101/201 " HOA " " HA ";connected;");
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(60000);
	ck_assert_str_eq(asked(), "");
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(w.complaints, "");
}
END_TEST

/* What is watched later is listed too, and connected is said once. */
START_TEST(test_watched_later)
{
	add_sa(SIGNAL_SA(1));
	add_sa((struct paper_sa){3, 2, 0x103, 0x203, "home", "data", NULL});
	pass(0);
	told();
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	ck_assert_int_eq(watch(IPSEC_DATA), -EEXIST);
	pass(20);
	ck_assert_str_eq(told(), "data 103/203 " COA " " HA ";");
}
END_TEST

/* kill -9: what it made serves on; a new one makes others; the old ones are named. */
START_TEST(test_killed)
{
	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	told();
	die();
	pass(3000);
	ck_assert_str_eq(told(), "disconnected;");
	listen_now();
	pass(2100);
	ck_assert_str_eq(told(), "connected;");
	ck_assert_str_eq(asked(), "initiate signal;");
	paper.ike_state = "ESTABLISHED";
	event(true, SIGNAL_SA(2));
	pass(10);
	ck_assert_str_eq(told(), "signal 102/202 " HOA " " HA ";stale signal 101/201;");
}
END_TEST

/* ---- what is needed ---- */

START_TEST(test_initiate)
{
	struct swan_stats s;

	pass(0);
	ck_assert_str_eq(asked(), "");
	ck_assert_int_eq(need(IPSEC_DATA), -ENOENT);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	ck_assert_str_eq(asked(), "initiate signal;");
	paper.ike_state = "ESTABLISHED";
	event(true, SIGNAL_SA(1));
	paper.sas[paper.n_sas++] = SIGNAL_SA(1);
	ck_assert_str_eq(told(), "connected;signal 101/201 " HOA " " HA ";");
	pass(100000);
	ck_assert_str_eq(asked(), "");
	swan_stats(w.swan, &s);
	ck_assert(s.connected && s.watched == 1 && s.up == 1 && s.initiated == 1 && s.lost == 0);
}
END_TEST

/* strongSwan gave up: again and again, ever more slowly.  As long as it tries itself it is left alone. */
START_TEST(test_again)
{
	unsigned n = 0;

	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(200);
	ck_assert_str_eq(asked(), "initiate signal;");
	pass(100000);
	ck_assert_str_eq(asked(), "");
	paper.ike_state = NULL;
	paper.gives_up = true;
	pass(30010);
	ck_assert_str_eq(asked(), "initiate signal;");
	pass(300000);
	for (const char *at = asked(); (at = strchr(at, ';')); at++)
		n++;
	ck_assert_uint_eq(n, 10);
}
END_TEST

START_TEST(test_signal_first)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(10000);
	ck_assert_str_eq(asked(), "initiate signal;");
	add_sa(SIGNAL_SA(1));
	event(true, SIGNAL_SA(1));
	pass(200);
	ck_assert_str_eq(asked(), "initiate data;");
}
END_TEST

START_TEST(test_lost)
{
	struct swan_stats s;

	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	told();
	paper.n_sas = 0;
	event(false, SIGNAL_SA(1));
	ck_assert_str_eq(told(), "signal none;");
	pass(200);
	ck_assert_str_eq(told(), "stale signal 101/201;");
	ck_assert_str_eq(asked(), "initiate signal;");
	swan_stats(w.swan, &s);
	ck_assert(s.up == 0 && s.lost == 1);
}
END_TEST

#define DATA_SA(n)                      \
	((struct paper_sa){.id = (n),   \
		.reqid = 2,             \
		.spi_in = 0x100 + (n),  \
		.spi_out = 0x200 + (n), \
		.connection = "home",   \
		.child = "data"})

static int leave(void)
{
	struct swan_ref r = ref_of(IPSEC_SIGNAL);

	return swan_leave(w.swan, &r.home_address, &r.home_agent);
}

/* One IKE_SA for both: it ends once, as strongSwan likes, and nothing is made again. */
START_TEST(test_leave)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	add_sa(SIGNAL_SA(5));
	add_sa(DATA_SA(6));
	ck_assert_int_eq(leave(), -ENOENT); /* not needed: others may have made it */
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	pass(0);
	told();
	ck_assert_int_eq(leave(), 0);
	pass(0);
	ck_assert_str_eq(asked(), "terminate home;ike-id ;timeout -1;force ;");
	paper.n_sas = 0;
	event(false, SIGNAL_SA(5));
	event(false, DATA_SA(6));
	pass(0);
	ck_assert_str_eq(told(), "signal none;stale signal 105/205;data none;stale data 106/206;");
	pass(60000);
	ck_assert_str_eq(asked(), "");
	ck_assert_int_eq(leave(), -ENOENT);
}
END_TEST

/* It is waited for, and what had been replaced goes with it. */
START_TEST(test_end)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	add_sa(SIGNAL_SA(5));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	pass(0);
	event_old = SIGNAL_SA(5);
	event_sa = SIGNAL_SA(6);
	reply(VICI_EVENT, "child-rekey", rekey_message);
	pass(0);
	told();
	asked();
	paper.ends_slowly = true;
	swan_end(w.swan, IPSEC_DATA);
	ck_assert(!swan_ending(w.swan));
	swan_end(w.swan, IPSEC_SIGNAL);
	swan_end(w.swan, IPSEC_SIGNAL); /* once is enough */
	pass(100);
	ck_assert_str_eq(asked(), "terminate home;ike-id ;timeout 2000;force yes;");
	ck_assert(swan_ending(w.swan));
	event(false, SIGNAL_SA(6));
	pass(0);
	ck_assert_str_eq(told(), "signal none;stale signal 106/206;");
	reply(VICI_RESPONSE, NULL, NULL);
	swan_read(w.swan);
	ck_assert(!swan_ending(w.swan));
	ck_assert_str_eq(told(), "stale signal 105/205;");
}
END_TEST

START_TEST(test_end_of_two_connections)
{
	struct swan_ref r = ref_of(IPSEC_DATA);

	strcpy(r.connection, "home-data");
	ck_assert_int_eq(swan_watch(w.swan, &r), 0);
	add_sa(SIGNAL_SA(5));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(need(IPSEC_DATA), 0);
	pass(200);
	asked();
	swan_end(w.swan, IPSEC_DATA);
	pass(0);
	ck_assert_str_eq(asked(), "terminate home-data;ike-id ;timeout 2000;force yes;");
	ck_assert_int_eq(leave(), 0);
	pass(0);
	ck_assert_str_eq(asked(),
		"terminate home;ike-id ;timeout -1;force ;terminate home-data;ike-id ;timeout -1;force ;");
}
END_TEST

/* What a strongSwan has made that is gone nobody else removes. */
START_TEST(test_end_without_strongswan)
{
	struct swan_stats s;

	add_sa(SIGNAL_SA(5));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	die();
	pass(0);
	told();
	swan_end(w.swan, IPSEC_SIGNAL);
	ck_assert(!swan_ending(w.swan));
	ck_assert_str_eq(told(), "stale signal 105/205;");
	swan_stats(w.swan, &s);
	ck_assert_uint_eq(s.up, 0);
}
END_TEST

/* ---- SAs change ---- */

START_TEST(test_rekey)
{
	add_sa(SIGNAL_SA(1));
	pass(0);
	told();
	event_old = SIGNAL_SA(1);
	event_sa = SIGNAL_SA(4);
	reply(VICI_EVENT, "child-rekey", rekey_message);
	pass(9900);
	ck_assert_str_eq(told(), "signal 104/204 " HOA " " HA ";");
	pass(200);
	ck_assert_str_eq(told(), "stale signal 101/201;");
}
END_TEST

/* Two pairs at once: the newest counts, and the other when it goes. */
START_TEST(test_two)
{
	add_sa(SIGNAL_SA(9));
	add_sa(SIGNAL_SA(4));
	pass(0);
	ck_assert_str_eq(told(), "signal 109/209 " HOA " " HA ";connected;");
	event(false, SIGNAL_SA(9));
	ck_assert_str_eq(told(), "signal 104/204 " HOA " " HA ";");
	for (unsigned n = 20; n < 40; n++)
		event(true, SIGNAL_SA(n));
	told();
	for (unsigned n = 39; n >= 20; n--)
		event(false, SIGNAL_SA(n));
	ck_assert_ptr_nonnull(strstr(told(), "signal none;"));
}
END_TEST

/* Other people's connections, and SAs that are none. */
START_TEST(test_not_ours)
{
	struct paper_sa other = SIGNAL_SA(1), gone = SIGNAL_SA(2), no_spi = SIGNAL_SA(3);

	gone.state = "DELETED";
	add_sa(gone);
	pass(0);
	other.connection = "other";
	event(true, other);
	other = SIGNAL_SA(1);
	other.child = "other";
	event(true, other);
	no_spi.spi_out = 0;
	event(true, no_spi);
	ck_assert_str_eq(told(), "connected;");
	ck_assert_str_eq(w.complaints, "");
}
END_TEST

START_TEST(test_wrong_reqid)
{
	struct paper_sa sa = SIGNAL_SA(1);

	pass(0);
	told();
	sa.reqid = 12;
	paper.ike_state = "ESTABLISHED";
	event(true, sa);
	event(true, sa);
	ck_assert_str_eq(told(), "");
	ck_assert_str_eq(w.complaints, "child \"signal\" of connection \"home\" has the reqid 12; "
				       "set reqid = 1 in swanctl.conf\n");
}
END_TEST

START_TEST(test_wrong_ends)
{
	struct swan_ref r = ref_of(IPSEC_DATA);
	struct paper_sa sa = {1, 2, 0x11, 0x22, "home", "data", NULL};

	r.arrangement = IPSEC_BY_HOME_ADDRESS;
	ck_assert_int_eq(swan_watch(w.swan, &r), 0);
	pass(0);
	told();
	paper.ike_state = "ESTABLISHED";
	event(true, sa);
	ck_assert_str_eq(told(), "");
	ck_assert_ptr_nonnull(strstr(
		w.complaints, "is between " COA " and " HA "; its IKE_SA has to be between home"));
	paper.ike_local = HOA;
	event(true, sa);
	ck_assert_str_eq(told(), "data 11/22 " HOA " " HA ";");
}
END_TEST

/* ---- the configuration ---- */

static void check_complaint(const char *text)
{
	pass(0);
	ck_assert_msg(strstr(w.complaints, text), "not \"%s\" but \"%s\"", text, w.complaints);
	ck_assert_ptr_null(strchr(strchr(w.complaints, '\n') + 1, '\n'));
}

START_TEST(test_good_conf)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	paper.node_ts[1] = HOA "/128"; /* all protocols */
	paper.data_ts = "2001:db8:1::/64";
	pass(60000);
	ck_assert_str_eq(w.complaints, "");
}
END_TEST

START_TEST(test_no_child)
{
	paper.has_signal = false;
	check_complaint("strongSwan has no connection \"home\" with a child \"signal\"");
	pass(60000);
	paper.has_signal = true;
	paper.mode = "TUNNEL";
	pass(30000); /* it is looked at again */
	ck_assert_ptr_nonnull(strstr(w.complaints, "mode = transport_proxy"));
}
END_TEST

START_TEST(test_wrong_mode)
{
	paper.mode = "TRANSPORT";
	check_complaint("has the mode TRANSPORT; set mode = transport_proxy in swanctl.conf");
}
END_TEST

START_TEST(test_wrong_ts)
{
	static const struct {
		int side, which;
		const char *ts, *complaint;
	} bad[] = {{0, 0, "dynamic",
			   "the local-ts of child \"signal\" of connection \"home\" does not cover "
			   "Mobility"},
		{0, 1, HA "/128[ipv6-icmp]",
			"set local_ts = " HOA "/128[135]," HOA "/128[ipv6-icmp]"},
		{1, 0, HA "/128[udp]",
			"remote-ts of child \"signal\" of connection \"home\" does not cover "
			"Mobility"},
		{1, 1, HOA "/128[ipv6-icmp]",
			"set remote_ts = " HA "/128[135]," HA "/128[ipv6-icmp]"}};

	(bad[_i].side ? paper.agent_ts : paper.node_ts)[bad[_i].which] = bad[_i].ts;
	check_complaint(bad[_i].complaint);
}
END_TEST
#define N_BAD_TS 4

START_TEST(test_wrong_data_ts)
{
	ck_assert_int_eq(watch(IPSEC_DATA), 0);
	paper.data_ts = "2001:db8:1::101/128";
	check_complaint("set local_ts = " HOA "/128 and remote_ts = ::/0");
}
END_TEST

/* ---- moves ---- */

START_TEST(test_follows)
{
	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(0);
	ck_assert_int_eq(source(COA2), 0);
	pass(1900);
	ck_assert_str_eq(asked(), "");
	paper.ike_local = COA2;
	pass(60000);
	ck_assert_str_eq(asked(), "");
}
END_TEST

START_TEST(test_does_not_follow)
{
	add_sa(SIGNAL_SA(1));
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	ck_assert_int_eq(source(COA), 0);
	pass(10000);
	ck_assert_str_eq(asked(), "");
	ck_assert_int_eq(source(COA2), 0);
	pass(1900);
	ck_assert_str_eq(asked(), "");
	pass(200);
	ck_assert_str_eq(asked(), "terminate ;ike-id 7;timeout -1;force yes;initiate signal;");
}
END_TEST

/* Begun from an address that is gone: anew at once. */
START_TEST(test_moved_while_connecting)
{
	ck_assert_int_eq(source(COA), 0);
	ck_assert_int_eq(need(IPSEC_SIGNAL), 0);
	pass(500);
	ck_assert_str_eq(asked(), "initiate signal;");
	ck_assert_int_eq(source(COA2), 0);
	pass(0);
	ck_assert_str_eq(asked(), "terminate ;ike-id 7;timeout -1;force yes;initiate signal;");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("swan");
	TCase *late = tcase_create("late"), *up = tcase_create("up");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(late, setup, teardown);
	tcase_add_test(late, test_late_start);
	suite_add_tcase(s, late);
	tcase_add_checked_fixture(up, setup_up, teardown);
	tcase_add_test(up, test_sas_are_there_already);
	tcase_add_test(up, test_watched_later);
	tcase_add_test(up, test_killed);
	tcase_add_test(up, test_initiate);
	tcase_add_test(up, test_again);
	tcase_add_test(up, test_signal_first);
	tcase_add_test(up, test_lost);
	tcase_add_test(up, test_leave);
	tcase_add_test(up, test_end);
	tcase_add_test(up, test_end_of_two_connections);
	tcase_add_test(up, test_end_without_strongswan);
	tcase_add_test(up, test_rekey);
	tcase_add_test(up, test_two);
	tcase_add_test(up, test_not_ours);
	tcase_add_test(up, test_wrong_reqid);
	tcase_add_test(up, test_wrong_ends);
	tcase_add_test(up, test_good_conf);
	tcase_add_test(up, test_no_child);
	tcase_add_test(up, test_wrong_mode);
	tcase_add_loop_test(up, test_wrong_ts, 0, N_BAD_TS);
	tcase_add_test(up, test_wrong_data_ts);
	tcase_add_test(up, test_follows);
	tcase_add_test(up, test_does_not_follow);
	tcase_add_test(up, test_moved_while_connecting);
	suite_add_tcase(s, up);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
