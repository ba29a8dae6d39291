/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/swan_world.h"

struct paper paper;
struct swan_world w;

/* ---- the paper strongSwan ---- */

static void list_of(struct wbuf *b, const char *name, const char *const *items, size_t n)
{
	vici_write_list(b, name);
	for (size_t i = 0; i < n; i++)
		vici_write_item(b, items[i]);
	vici_write_list_end(b);
}

void reply(enum vici_packet_type type, const char *name, void (*message)(struct wbuf *b))
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

struct paper_sa event_sa, event_old;
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

void rekey_message(struct wbuf *b)
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

void listen_now(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	unlink(paper.path);
	strcpy(addr.sun_path, paper.path);
	paper.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(paper.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(paper.listener, 1), 0);
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

struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

struct swan_ref ref_of(enum ipsec_use use)
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

int watch(enum ipsec_use use)
{
	struct swan_ref r = ref_of(use);

	return swan_watch(w.swan, &r);
}

int need(enum ipsec_use use)
{
	struct swan_ref r = ref_of(use);

	return swan_need(w.swan, &r.home_address, &r.home_agent, use, true);
}

void pass(unsigned ms)
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

void add_sa(struct paper_sa sa)
{
	paper.sas[paper.n_sas++] = sa;
	paper.ike_state = "ESTABLISHED";
}

void event(bool up, struct paper_sa sa)
{
	event_up = up;
	event_sa = sa;
	reply(VICI_EVENT, "child-updown", updown_message);
	pass(0);
}

const char *told(void)
{
	static char text[sizeof(w.told)];

	strcpy(text, w.told);
	w.told[0] = '\0';
	return text;
}

const char *asked(void)
{
	static char text[sizeof(paper.asked)];

	strcpy(text, paper.asked);
	paper.asked[0] = '\0';
	return text;
}

void setup(void)
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

void setup_up(void)
{
	setup();
	listen_now();
	ck_assert_int_eq(watch(IPSEC_SIGNAL), 0);
}

void teardown(void)
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
