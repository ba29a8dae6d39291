/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcm/node.h: one node, and a VCM that says what a test wants.  What the node
 * does in the kernel and what it tells the VCM is one text, in its order.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/node.h"
#include "vcm/secret.h"

#define FLYING 64

static struct timerq *timers;
static monotime_t clock_now;
static uint64_t dice;
static struct vcm_node *node;
static struct vcm_exchange *vcm;
static struct vcm_node_config config;
static struct in6_addr node_addr, vcm_addr, peer_addr, peer_home;
static char said[4096];
static int kernel_error; /* of inbound_add and outbound_set */
static int64_t packets_in, packets_out;
static bool out_is_gone; /* then the kernel does not know what went by it */
static uint64_t told_in, told_out; /* by the last DOWN */
static bool deaf; /* nothing of the node arrives */
static enum vcm_status answer, last_status;
static uint8_t last_nonce[VCM_NONCE_LEN], last_public[VCM_PUBLIC_LEN];
static struct vcm_node_session installed;
static uint8_t key_in[VCM_KEY_MAX], key_out[VCM_KEY_MAX];

static struct {
	bool used, to_vcm;
	monotime_t at;
	size_t len;
	uint8_t data[VCM_MESSAGE_MAX];
} flying[FLYING];

static struct in6_addr addr(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

/* ---- both ends ---- */

static monotime_t now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		dice = dice * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)to)[i] = (uint8_t)(dice >> 33);
	}
}

static void fly(bool to_vcm, const uint8_t *data, size_t len)
{
	for (int i = 0; i < FLYING; i++) {
		if (flying[i].used)
			continue;
		flying[i].used = true;
		flying[i].to_vcm = to_vcm;
		flying[i].at = mono_add_ms(clock_now, 5);
		flying[i].len = len;
		memcpy(flying[i].data, data, len);
		return;
	}
	ck_abort_msg("too many datagrams");
}

static void probe_sent(const uint8_t *data, size_t len)
{
	struct vcm_message m;
	const char *why;

	ck_assert_int_eq(vcm_message_read(data, len, &m, &why), VCM_READ_OK);
	memcpy(last_nonce, m.nonce, sizeof(last_nonce));
	say("%s ", vcm_type_name(m.type));
}

static int node_sends(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx;
	if (in6_equal(to, &peer_addr))
		probe_sent(data, len);
	else if (!deaf)
		fly(true, data, len);
	return 0;
}

static int vcm_sends(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx, (void)to;
	fly(false, data, len);
	return 0;
}

static enum vcm_status vcm_received(
	void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)ctx, (void)from;
	if (m->type == VCM_PLACE)
		say("PLACE-%s ", m->nodes[0].outside ? "out" : "in");
	else if (m->type == VCM_DOWN)
		say("DOWN-%u-%s ", m->generation, vcm_reason_name(m->reason));
	else
		say("%s-%u ", vcm_type_name(m->type), m->generation);
	if (m->has & VCM_HAS_COUNTERS) {
		told_in = m->packets_in;
		told_out = m->packets_out;
	}
	if (m->type == VCM_PUBLIC)
		memcpy(last_public, m->public_key, sizeof(last_public));
	return m->type == VCM_PLACE ? VCM_OK : answer;
}

static void vcm_acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status status)
{
	(void)ctx, (void)to, (void)token;
	last_status = status;
}

static void vcm_failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	(void)ctx, (void)to, (void)token;
}

static void vcm_restarted(void *ctx, const struct in6_addr *peer)
{
	(void)ctx, (void)peer;
}

static const struct vcm_exchange_ops vcm_ops = {.now = now,
	.random = random_octets,
	.send = vcm_sends,
	.received = vcm_received,
	.acknowledged = vcm_acknowledged,
	.failed = vcm_failed,
	.restarted = vcm_restarted};

/* ---- the node's kernel ---- */

static size_t key_len(void *ctx, const char *algorithm)
{
	(void)ctx;
	return strcmp(algorithm, "aes-gcm-128") == 0 ? 20 : 0;
}

static void keep_keys(const struct vcm_node_session *s, bool out)
{
	installed = *s;
	if (out)
		memcpy(key_out, s->key_out, s->key_len);
	else
		memcpy(key_in, s->key_in, s->key_len);
}

static int inbound_add(void *ctx, const struct vcm_node_session *s)
{
	(void)ctx;
	keep_keys(s, false);
	say(kernel_error ? "in! " : "in+%x ", s->spi_in);
	return kernel_error;
}

static void inbound_del(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *home, uint32_t spi_in)
{
	(void)ctx, (void)peer_internal, (void)home;
	say("in-%x ", spi_in);
}

static int outbound_set(void *ctx, const struct vcm_node_session *s)
{
	(void)ctx;
	out_is_gone = false;
	keep_keys(s, true);
	say(kernel_error ? "out! " : "out+%x ", s->spi_out);
	return kernel_error;
}

static void outbound_use(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *home, uint32_t spi_out, bool use)
{
	(void)ctx, (void)peer_internal, (void)home;
	ck_assert_uint_eq(spi_out, 0x2001);
	say(use ? "used " : "unused ");
}

static void outbound_del(void *ctx, const struct in6_addr *peer_internal,
	const struct in6_addr *home, uint32_t spi_out)
{
	(void)ctx, (void)peer_internal, (void)home;
	out_is_gone = true;
	say("out-%x ", spi_out);
}

static void share(void *ctx, const struct in6_addr *home, const struct rr_shared *kcn)
{
	(void)ctx, (void)home;
	if (kcn)
		say("kcn%u ", kcn->kcn[0]);
	else
		say("kcn- ");
}

static void path(void *ctx, const struct in6_addr *home, bool wanted)
{
	(void)ctx;
	ck_assert(in6_equal(home, &peer_home));
	say(wanted ? "path " : "path- ");
}

static void counters(void *ctx, const struct vcm_node_session *s, int64_t *in, int64_t *out)
{
	(void)ctx, (void)s;
	*in = packets_in;
	*out = out_is_gone ? -1 : packets_out;
}

static void event(void *ctx, const char *what, const struct in6_addr *peer, const char *text)
{
	(void)ctx, (void)what, (void)peer, (void)text;
}

static const struct vcm_node_ops ops = {.now = now,
	.random = random_octets,
	.send = node_sends,
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

/* ---- time ---- */

static int next_flying(void)
{
	int first = -1;

	for (int i = 0; i < FLYING; i++)
		if (flying[i].used && (first < 0 || mono_before(flying[i].at, flying[first].at)))
			first = i;
	return first;
}

static void land(int i)
{
	flying[i].used = false;
	if (flying[i].to_vcm)
		vcm_exchange_receive(vcm, &node_addr, flying[i].data, flying[i].len);
	else if (node)
		vcm_node_receive(node, &vcm_addr, flying[i].data, flying[i].len);
}

static void pass_ms(int64_t ms)
{
	monotime_t end = mono_add_ms(clock_now, ms);

	for (;;) {
		int i = next_flying();
		monotime_t t = timerq_next(timers);
		bool datagram = i >= 0 && !mono_before(t, flying[i].at);

		if (datagram)
			t = flying[i].at;
		if (mono_before(end, t))
			break;
		if (mono_before(clock_now, t))
			clock_now = t;
		if (datagram)
			land(i);
		else
			timerq_run(timers, clock_now);
	}
	clock_now = end;
}

/* What was done and said since the last time. */
static void expect(const char *wanted)
{
	ck_assert_str_eq(said, wanted);
	said[0] = '\0';
}

/* ---- what the VCM says ---- */

static struct vcm_message about(enum vcm_type type, uint64_t id, uint32_t generation)
{
	return (struct vcm_message){
		.type = type, .has = VCM_HAS_SESSION, .session = id, .generation = generation};
}

static enum vcm_status tell(struct vcm_message m)
{
	last_status = (enum vcm_status)99;
	ck_assert_int_eq(vcm_exchange_send(vcm, &node_addr, &m, 1), 0);
	pass_ms(20);
	return last_status;
}

static struct vcm_message offer(uint64_t id, uint32_t generation, uint32_t spi)
{
	struct vcm_message m = about(VCM_OFFER, id, generation);

	m.has |= VCM_HAS_PEER | VCM_HAS_ALGORITHM | VCM_HAS_SA_IN | VCM_HAS_SA_OUT |
		 VCM_HAS_LIFETIME;
	m.peer_internal = peer_addr;
	m.peer_home = peer_home;
	strcpy(m.algorithm, "aes-gcm-128");
	m.in.spi = spi;
	m.out.spi = spi + 0x1000;
	m.in.key_len = m.out.key_len = 20;
	memset(m.in.key, 0x11, 20);
	memset(m.out.key, 0x22, 20);
	m.lifetime_s = 600;
	m.linger_s = 10;
	return m;
}

static struct vcm_message with_kcn(struct vcm_message m, uint8_t octet)
{
	m.has |= VCM_HAS_KCN;
	m.kcn.kcn_len = 20;
	m.kcn.home_nonce_len = m.kcn.care_of_nonce_len = 8;
	memset(m.kcn.kcn, octet, 20);
	return m;
}

static struct vcm_message end(uint64_t id, uint32_t generation, enum vcm_reason reason)
{
	struct vcm_message m = about(VCM_END, id, generation);

	m.has |= VCM_HAS_REASON;
	m.reason = reason;
	return m;
}

static void probe_from_peer(enum vcm_type type, const uint8_t *nonce)
{
	struct vcm_message m = {.type = type, .has = VCM_HAS_NONCE, .epoch = 1};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	memcpy(m.nonce, nonce, sizeof(m.nonce));
	len = vcm_message_write(&m, data, sizeof(data));
	ck_assert(len);
	vcm_node_receive(node, &peer_addr, data, len);
}

#define GONE ((enum vcm_node_state)99)

struct wanted {
	uint32_t generation;
	enum vcm_node_state state;
};

static bool look(void *arg, const struct vcm_node_info *i)
{
	struct wanted *w = arg;

	if (i->generation == w->generation)
		w->state = i->state;
	return true;
}

static enum vcm_node_state state_of(uint32_t generation)
{
	struct wanted w = {generation, GONE};

	vcm_node_foreach(node, look, &w);
	return w.state;
}

/* ---- start and end of each test ---- */

static void start_vcm(uint64_t epoch)
{
	struct vcm_exchange_config c = {.epoch = epoch, .strangers = true};

	vcm_exchange_free(vcm);
	vcm = vcm_exchange_new(&c, &vcm_ops, NULL, timers);
	ck_assert_ptr_nonnull(vcm);
	ck_assert_int_eq(vcm_exchange_peer(vcm, &node_addr), 0);
}

static void start(void)
{
	clock_now = (monotime_t){1000000};
	dice = 1;
	said[0] = '\0';
	kernel_error = 0;
	packets_in = packets_out = 0;
	deaf = false;
	answer = VCM_OK;
	memset(flying, 0, sizeof(flying));
	timers = timerq_new();
	node_addr = addr("fd00:0:0:1::101");
	vcm_addr = addr("fd00:0:0:2::9");
	peer_addr = addr("fd00:0:0:1::102");
	peer_home = addr("2001:db8:2::102");
	start_vcm(77);
	config = (struct vcm_node_config){.internal = node_addr,
		.home = addr("2001:db8:1::101"),
		.manager = vcm_addr,
		.epoch = 5};
	node = vcm_node_new(&config, &ops, NULL, timers);
	ck_assert_ptr_nonnull(node);
	vcm_node_place(node, true);
	pass_ms(50);
	expect("PLACE-out ");
}

static void stop(void)
{
	vcm_node_free(node, false);
	node = NULL;
	vcm_exchange_free(vcm);
	vcm = NULL;
	timerq_free(timers);
}

static void again_with(struct vcm_node_config c)
{
	vcm_node_free(node, false);
	c.epoch++;
	node = vcm_node_new(&c, &ops, NULL, timers);
	vcm_node_place(node, true);
	pass_ms(50);
	expect("PLACE-out ");
}

static void make_direct(void)
{
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	vcm_node_path(node, &peer_home, true);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_OK);
	expect("in+1001 path READY-1 out+2001 ACTIVE-1 ");
}

/* ---- making ---- */

START_TEST(make_before_break)
{
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	expect("in+1001 path READY-1 ");
	vcm_node_path(node, &peer_home, true);
	pass_ms(5000);
	expect(""); /* the peer may not take it yet */
	ck_assert_int_eq(state_of(1), VCM_NODE_INBOUND);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_OK);
	expect("out+2001 ACTIVE-1 ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
	ck_assert_mem_eq(key_in, "\x11\x11\x11\x11", 4);
	ck_assert_mem_eq(key_out, "\x22\x22\x22\x22", 4);
	ck_assert_uint_eq(installed.lifetime_s, 600);
}
END_TEST

START_TEST(path_is_waited_for)
{
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	expect("in+1001 path READY-1 ");
	pass_ms(900);
	expect("");
	vcm_node_path(node, &peer_home, true);
	expect("out+2001 ");
}
END_TEST

START_TEST(path_takes_too_long)
{
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	expect("in+1001 path READY-1 out+2001 ACTIVE-1 ");
}
END_TEST

START_TEST(path_is_required)
{
	config.path_required = true;
	again_with(config);
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(60000);
	expect("in+1001 path READY-1 ");
	vcm_node_path(node, &peer_home, true);
	pass_ms(20);
	expect("out+2001 ACTIVE-1 ");
	vcm_node_path(node, &peer_home, false);
	pass_ms(20);
	expect("unused "); /* as at each move */
	vcm_node_path(node, &peer_home, true);
	pass_ms(20);
	expect("used ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(peer_is_ready_before_the_offer)
{
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_OK);
	expect("");
	tell(offer(7, 1, 0x1001));
	pass_ms(1100);
	expect("in+1001 path READY-1 out+2001 ACTIVE-1 ");
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 8, 1)), VCM_OK);
	tell(offer(8, 2, 0x1002)); /* not for this generation */
	pass_ms(1100);
	expect("in+1002 path READY-2 ");
}
END_TEST

START_TEST(offer_again)
{
	tell(offer(7, 1, 0x1001));
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	expect("in+1001 path READY-1 READY-1 ");
	tell(about(VCM_PEER_READY, 7, 1));
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	expect("out+2001 ACTIVE-1 ");
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	expect("ACTIVE-1 ");
}
END_TEST

START_TEST(secret_first_path_later)
{
	tell(with_kcn(offer(7, 1, 0x1001), 9));
	expect("in+1001 kcn9 READY-1 ");
	tell(about(VCM_PEER_READY, 7, 1));
	expect("path ");
	vcm_node_path(node, &peer_home, true);
	pass_ms(20);
	expect("out+2001 ACTIVE-1 ");
	tell(with_kcn(offer(7, 2, 0x1002), 10)); /* the binding stays as it is */
	expect("in+1002 path READY-2 ");
	tell(end(7, 2, VCM_BY_HAND));
	expect("out-2001 path- ");
}
END_TEST

/* The peer takes its binding back later than we hear of the end. */
START_TEST(secret_outlives_path)
{
	tell(with_kcn(offer(7, 1, 0x1001), 9));
	tell(end(7, 1, VCM_BY_HAND));
	tell(about(VCM_CLOSE, 7, 1));
	expect("in+1001 kcn9 READY-1 path- ");
	if (_i == 0) { /* the next one has another */
		tell(with_kcn(offer(8, 1, 0x1003), 10));
		expect("in+1003 kcn10 READY-1 ");
	} else if (_i == 1) { /* or none */
		tell(offer(8, 1, 0x1003));
		expect("in+1003 kcn- path READY-1 ");
	}
	pass_ms(11 * 1000);
	expect(_i == 2 ? "in-1001 kcn- " : "in-1001 ");
}
END_TEST

/* A rekey brings none, and the end of a session before changes nothing. */
START_TEST(secret_of_the_session)
{
	tell(with_kcn(offer(7, 1, 0x1001), 9));
	tell(end(7, 1, VCM_BY_HAND));
	tell(with_kcn(offer(8, 1, 0x1003), 10));
	expect("in+1001 kcn9 READY-1 path- in+1003 kcn10 READY-1 ");
	tell(offer(8, 2, 0x1004));
	ck_assert_ptr_null(strstr(said, "kcn"));
}
END_TEST

START_TEST(refused)
{
	struct vcm_message m = offer(7, 1, 0x1001);

	kernel_error = -EEXIST;
	ck_assert_int_eq(tell(m), VCM_SPI_TAKEN);
	kernel_error = -EIO;
	ck_assert_int_eq(tell(m), VCM_NOT_READY);
	kernel_error = -EINVAL;
	ck_assert_int_eq(tell(m), VCM_UNSUPPORTED);
	expect("in! in! in! ");
	kernel_error = 0;
	strcpy(m.algorithm, "rot13");
	ck_assert_int_eq(tell(m), VCM_UNSUPPORTED);
	m = offer(7, 1, 0x1001);
	m.in.key_len = m.out.key_len = 36;
	ck_assert_int_eq(tell(m), VCM_UNSUPPORTED);
	m = offer(7, 1, 0x1001);
	m.peer_internal = node_addr;
	ck_assert_int_eq(tell(m), VCM_REFUSED);
	m.peer_internal = vcm_addr;
	ck_assert_int_eq(tell(m), VCM_REFUSED);
	m.peer_internal = addr("ff02::1");
	ck_assert_int_eq(tell(m), VCM_REFUSED);
	ck_assert_int_eq(state_of(1), GONE);
	expect("");
}
END_TEST

START_TEST(too_many)
{
	config.max_sessions = 1;
	again_with(config);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	ck_assert_int_eq(tell(offer(8, 1, 0x1002)), VCM_NO_RESOURCES);
	expect("in+1001 path READY-1 ");
}
END_TEST

static bool not_this_one(void *ctx, const struct in6_addr *peer)
{
	(void)ctx;
	return !in6_equal(peer, &peer_addr);
}

START_TEST(not_allowed)
{
	config.allowed = not_this_one;
	again_with(config);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_REFUSED);
	expect("");
}
END_TEST

START_TEST(outbound_fails)
{
	tell(offer(7, 1, 0x1001));
	kernel_error = -EIO;
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	expect("in+1001 path READY-1 out! path- DOWN-1-path ");
}
END_TEST

/* ---- the end ---- */

START_TEST(ended_by_the_vcm)
{
	make_direct();
	ck_assert_int_eq(tell(end(7, 1, VCM_INSIDE)), VCM_OK);
	expect("out-2001 path- ");
	ck_assert_int_eq(tell(end(7, 1, VCM_INSIDE)), VCM_OK);
	pass_ms(60000);
	expect(""); /* the peer may still send */
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_OK);
	pass_ms(9000);
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_OK);
	expect("");
	pass_ms(2000);
	expect("in-1001 kcn- ");
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_UNKNOWN_SESSION);
}
END_TEST

START_TEST(ended_and_never_closed)
{
	make_direct();
	tell(end(7, 1, VCM_INSIDE));
	expect("out-2001 path- ");
	pass_ms(600 * 1000);
	expect("");
	pass_ms(11 * 1000);
	expect("in-1001 kcn- ");
}
END_TEST

START_TEST(ended_before_the_offer)
{
	ck_assert_int_eq(tell(end(7, 1, VCM_BY_HAND)), VCM_OK);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	expect("");
	ck_assert_int_eq(tell(offer(8, 1, 0x1001)), VCM_OK);
}
END_TEST

START_TEST(goes_inside)
{
	make_direct();
	vcm_node_place(node, false);
	pass_ms(20);
	expect("out-2001 path- DOWN-1-inside PLACE-in ");
	ck_assert_int_eq(tell(offer(8, 1, 0x1001)), VCM_NOT_OUTSIDE);
	vcm_node_place(node, false);
	pass_ms(20);
	expect("");
}
END_TEST

START_TEST(lifetime_ends)
{
	packets_out = -1; /* nobody looks */
	packets_in = -1;
	config.idle_s = 100000;
	again_with(config);
	make_direct();
	pass_ms(599 * 1000);
	expect("");
	pass_ms(1000);
	expect("out-2001 path- DOWN-1-lifetime ");
	pass_ms(11 * 1000);
	expect("in-1001 kcn- ");
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	tell(offer(8, 1, 0x1001)); /* and one that never is used */
	pass_ms(600 * 1000);
	expect("in+1001 path READY-1 path- DOWN-1-lifetime ");
}
END_TEST

/* Also what went out, though that SA is gone first. */
START_TEST(counters_at_the_end)
{
	make_direct();
	packets_in = 5;
	packets_out = 7;
	ck_assert(vcm_node_end(node, &peer_addr));
	pass_ms(20);
	ck_assert_uint_eq(told_in, 5);
	ck_assert_uint_eq(told_out, 7);
}
END_TEST

START_TEST(by_hand)
{
	struct in6_addr other = addr("fd00::99");

	make_direct();
	ck_assert(!vcm_node_end(node, &other));
	ck_assert(vcm_node_end(node, &peer_addr));
	pass_ms(20);
	expect("out-2001 path- DOWN-1-by-hand ");
	ck_assert(!vcm_node_end(node, &peer_addr));
	ck_assert_int_eq(tell(offer(7, 2, 0x1002)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_UNKNOWN_SESSION);
}
END_TEST

/* The VCM has heard, and could not note it: it would not know after a crash. */
START_TEST(said_until_it_is_noted)
{
	make_direct();
	answer = VCM_NOT_READY;
	vcm_node_end(node, &peer_addr);
	pass_ms(20);
	expect("out-2001 path- DOWN-1-by-hand ");
	pass_ms(500);
	expect("DOWN-1-by-hand ");
	answer = VCM_OK;
	pass_ms(600);
	expect("DOWN-1-by-hand ");
	pass_ms(5000);
	expect("");
}
END_TEST

START_TEST(good_bye)
{
	make_direct();
	vcm_node_free(node, true);
	node = NULL;
	pass_ms(20);
	expect("out-2001 path- in-1001 kcn- DOWN-1-shutdown ");
}
END_TEST

START_TEST(vcm_knows_no_such_session)
{
	answer = VCM_UNKNOWN_SESSION;
	tell(offer(7, 1, 0x1001));
	expect("in+1001 path READY-1 path- ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DRAINING);
}
END_TEST

/* ---- new keys ---- */

START_TEST(rekeyed)
{
	make_direct();
	tell(offer(7, 2, 0x1002));
	expect("in+1002 path READY-2 ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 2)), VCM_OK);
	expect("out+2002 ACTIVE-2 "); /* the former outbound was replaced, not taken off */
	ck_assert_int_eq(state_of(1), VCM_NODE_DRAINING);
	ck_assert_int_eq(tell(about(VCM_CLOSE, 7, 1)), VCM_OK);
	pass_ms(11 * 1000);
	expect("in-1001 ");
	ck_assert_int_eq(state_of(2), VCM_NODE_DIRECT);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_UNKNOWN_SESSION);
	ck_assert_int_eq(tell(end(7, 1, VCM_BY_HAND)), VCM_UNKNOWN_SESSION);
	expect("");
}
END_TEST

/* The first generation was still waiting for its path when the next one came: only the next one goes direct. */
START_TEST(rekeyed_before_it_was_direct)
{
	tell(offer(7, 1, 0x1001));
	tell(about(VCM_PEER_READY, 7, 1));
	tell(offer(7, 2, 0x1002));
	said[0] = '\0';
	vcm_node_path(node, &peer_home, true);
	pass_ms(2000);
	expect("");
	ck_assert_int_eq(state_of(1), VCM_NODE_DRAINING);
	ck_assert_int_eq(state_of(2), VCM_NODE_INBOUND);
	tell(about(VCM_PEER_READY, 7, 2));
	expect("out+2002 ACTIVE-2 ");
	ck_assert_int_eq(state_of(2), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(another_session_with_the_same_peer)
{
	make_direct();
	tell(offer(8, 1, 0x1002));
	tell(about(VCM_PEER_READY, 8, 1));
	expect("in+1002 path READY-1 out+2002 ACTIVE-1 ");
	tell(end(7, 1, VCM_RESTART));
	expect("");
}
END_TEST

START_TEST(other_spis)
{
	tell(offer(7, 1, 0x1001));
	tell(offer(7, 1, 0x1005));
	expect("in+1001 path READY-1 in-1001 in+1005 path READY-1 ");
}
END_TEST

START_TEST(sa_comes_to_an_end)
{
	make_direct();
	vcm_node_sa_expires(node, 0x2001, true, false);
	vcm_node_sa_expires(node, 0x1001, false, false);
	vcm_node_sa_expires(node, 0x3001, true, true);
	pass_ms(20);
	expect("DOWN-1-sequence ");
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
	vcm_node_sa_expires(node, 0x2001, true, true);
	pass_ms(20);
	expect("out-2001 path- DOWN-1-restart ");
}
END_TEST

/* ---- asymmetric ---- */

START_TEST(asymmetric)
{
	struct vcm_message m = about(VCM_INVITE, 7, 1), theirs;
	struct vcm_keypair peer = {.private_key = {1, 2, 3}};

	ck_assert(vcm_keypair_make(&peer));
	m.has |= VCM_HAS_PEER;
	m.peer_internal = peer_addr;
	m.peer_home = peer_home;
	ck_assert_int_eq(tell(m), VCM_OK);
	expect("PUBLIC-1 ");
	m = offer(7, 1, 0x1001);
	m.in.key_len = m.out.key_len = 0;
	memset(m.in.key, 0, sizeof(m.in.key));
	memset(m.out.key, 0, sizeof(m.out.key));
	m.has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
	memcpy(m.public_key, peer.public_key, sizeof(m.public_key));
	memset(m.salt, 0x5a, sizeof(m.salt));
	theirs = m;
	theirs.in = m.out;
	theirs.out = m.in;
	ck_assert(vcm_derive(&peer, last_public, 20, &theirs));
	ck_assert_int_eq(tell(m), VCM_OK);
	tell(about(VCM_PEER_READY, 7, 1));
	pass_ms(1100);
	ck_assert_mem_eq(key_in, theirs.out.key, 20);
	ck_assert_mem_eq(key_out, theirs.in.key, 20);
	ck_assert_mem_ne(key_in, key_out, 20);
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(asymmetric_out_of_order)
{
	struct vcm_message m = offer(7, 1, 0x1001), invite = about(VCM_INVITE, 8, 1);

	m.in.key_len = m.out.key_len = 0;
	m.has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
	m.public_key[0] = 9;
	ck_assert_int_eq(tell(m), VCM_UNKNOWN_SESSION); /* not invited, or not in this life */
	invite.has |= VCM_HAS_PEER;
	invite.peer_internal = peer_addr;
	invite.peer_home = peer_home;
	ck_assert_int_eq(tell(invite), VCM_OK);
	ck_assert_int_eq(tell(offer(8, 1, 0x1001)), VCM_REFUSED); /* keys that the VCM knows */
	m.session = 8;
	memset(m.public_key, 0, sizeof(m.public_key));
	ck_assert_int_eq(tell(m), VCM_REFUSED); /* RFC 7748 6.1 */
	pass_ms(61 * 1000);
	ck_assert_int_eq(state_of(1), GONE);
	expect("PUBLIC-1 ");
}
END_TEST

/* ---- alive ---- */

static void traffic(int64_t in, int64_t out, int s)
{
	for (int i = 0; i < s; i++) {
		packets_in += in;
		packets_out += out;
		pass_ms(1000);
	}
}

static int said_often(const char *word)
{
	int n = 0;

	for (const char *at = said; (at = strstr(at, word)); at += strlen(word))
		n++;
	return n;
}

/* By the gateway within `probe` + 5 s (doc/vcm.md), and not before it was asked often enough. */
START_TEST(path_is_dead)
{
	make_direct();
	traffic(10, 10, 60);
	expect("");
	traffic(0, 10, 4);
	expect("");
	traffic(0, 10, 4);
	ck_assert_int_eq(said_often("PROBE "), 16);
	ck_assert_uint_eq(strlen(said), 16 * strlen("PROBE "));
	traffic(0, 10, 2);
	ck_assert_int_eq(said_often("PROBE "), 18);
	ck_assert_str_eq(said + 18 * strlen("PROBE "), "out-2001 path- DOWN-1-path ");
}
END_TEST

/* Sending begins anywhere between two looks. */
START_TEST(path_is_dead_at_any_time)
{
	for (int ms = 0; ms < 1000; ms += 90) {
		make_direct();
		traffic(10, 10, 3);
		packets_in++;
		pass_ms(ms);
		traffic(0, 10, 10);
		ck_assert_ptr_nonnull(strstr(said, "DOWN-1-path "));
		stop();
		start();
	}
}
END_TEST

START_TEST(last_probe_is_answered)
{
	uint8_t first[VCM_NONCE_LEN];

	make_direct();
	for (int i = 0; i < 3; i++) {
		while (said_often("PROBE ") < 18) {
			packets_out++;
			pass_ms(10);
		}
		ck_assert(i == 0 || memcmp(first, last_nonce, sizeof(first)) != 0);
		memcpy(first, last_nonce, sizeof(first));
		pass_ms(550); /* a long way */
		said[0] = '\0';
		probe_from_peer(VCM_PROBE_REPLY, last_nonce);
		traffic(0, 10, 4);
		expect("");
	}
}
END_TEST

/* The peer asks as well, or sends something else. */
START_TEST(doubt_ends_with_news)
{
	make_direct();
	traffic(0, 10, 6);
	ck_assert_int_ge(said_often("PROBE "), 5);
	packets_in++;
	pass_ms(200);
	said[0] = '\0';
	traffic(0, 10, 4);
	expect("");
}
END_TEST

/* What ends in doubt asks nobody any more. */
START_TEST(end_in_doubt)
{
	make_direct();
	traffic(0, 10, 6);
	vcm_node_end(node, &peer_addr);
	said[0] = '\0';
	traffic(0, 10, 10);
	expect("DOWN-1-by-hand ");
}
END_TEST

START_TEST(one_way)
{
	make_direct();
	for (int i = 0; i < 10; i++) {
		uint8_t wrong[VCM_NONCE_LEN] = {1};

		traffic(0, 10, 7);
		ck_assert(strncmp(said, "PROBE ", 6) == 0);
		said[0] = '\0';
		probe_from_peer(VCM_PROBE_REPLY, wrong);
		probe_from_peer(VCM_PROBE_REPLY, last_nonce);
	}
	ck_assert_int_eq(state_of(1), VCM_NODE_DIRECT);
}
END_TEST

START_TEST(wrong_reply)
{
	uint8_t wrong[VCM_NONCE_LEN] = {1};

	make_direct();
	for (int i = 0; i < 12; i++) {
		traffic(0, 10, 1);
		probe_from_peer(VCM_PROBE_REPLY, wrong);
	}
	ck_assert_int_eq(said_often("PROBE "), 18);
	ck_assert_ptr_nonnull(strstr(said, "DOWN-1-path "));
}
END_TEST

START_TEST(anything_heard_is_news)
{
	make_direct();
	for (int i = 0; i < 20; i++)
		traffic(i % 4 == 0, 10, 1);
	expect("");
}
END_TEST

START_TEST(idle)
{
	make_direct();
	traffic(1, 0, 30);
	traffic(0, 0, 118);
	expect("");
	traffic(0, 0, 4);
	expect("out-2001 path- DOWN-1-idle ");
}
END_TEST

/* Nor does asking whether somebody is there keep a session alive. */
START_TEST(probes_are_no_traffic)
{
	uint8_t nonce[VCM_NONCE_LEN] = {3};

	make_direct();
	for (int i = 0; i < 125 && state_of(1) == VCM_NODE_DIRECT; i++) {
		packets_in++, packets_out++;
		probe_from_peer(VCM_PROBE, nonce);
		ck_assert_str_eq(said, "PROBE-REPLY ");
		said[0] = '\0';
		pass_ms(1000);
	}
	expect("out-2001 path- DOWN-1-idle ");
}
END_TEST

START_TEST(probe_of_a_stranger)
{
	uint8_t nonce[VCM_NONCE_LEN] = {3};

	probe_from_peer(VCM_PROBE, nonce);
	expect("");
	tell(offer(7, 1, 0x1001));
	said[0] = '\0';
	probe_from_peer(VCM_PROBE, nonce);
	probe_from_peer(VCM_PROBE, nonce); /* at once again */
	expect("PROBE-REPLY ");
	ck_assert_mem_eq(last_nonce, nonce, sizeof(nonce));
}
END_TEST

/* ---- the VCM comes and goes ---- */

START_TEST(vcm_starts_again)
{
	make_direct();
	start_vcm(78);
	pass_ms(100);
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	pass_ms(1000);
	ck_assert_ptr_nonnull(strstr(said, "PLACE-out "));
	ck_assert_ptr_nonnull(strstr(said, "ACTIVE-1 "));
	ck_assert_ptr_null(strstr(said, "out-"));
}
END_TEST

START_TEST(vcm_is_away)
{
	make_direct();
	deaf = true;
	vcm_node_end(node, &peer_addr);
	pass_ms(40 * 1000);
	expect("out-2001 path- ");
	deaf = false;
	pass_ms(20 * 1000);
	expect("DOWN-1-by-hand ");
}
END_TEST

/* ---- others' messages ---- */

START_TEST(only_the_vcm)
{
	struct vcm_message m = offer(7, 1, 0x1001);
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	m.epoch = 9;
	m.peer_epoch = config.epoch;
	m.sequence = 1;
	len = vcm_message_write(&m, data, sizeof(data));
	ck_assert(len);
	vcm_node_receive(node, &peer_addr, data, len);
	pass_ms(20);
	expect("");
	ck_assert_int_eq(tell(about(VCM_READY, 7, 1)), VCM_REFUSED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vcm_node");
	TCase *t = tcase_create("node");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, start, stop);
	tcase_add_test(t, make_before_break);
	tcase_add_test(t, path_is_waited_for);
	tcase_add_test(t, path_takes_too_long);
	tcase_add_test(t, path_is_required);
	tcase_add_test(t, peer_is_ready_before_the_offer);
	tcase_add_test(t, offer_again);
	tcase_add_test(t, secret_first_path_later);
	tcase_add_loop_test(t, secret_outlives_path, 0, 3);
	tcase_add_test(t, secret_of_the_session);
	tcase_add_test(t, refused);
	tcase_add_test(t, too_many);
	tcase_add_test(t, not_allowed);
	tcase_add_test(t, outbound_fails);
	tcase_add_test(t, ended_by_the_vcm);
	tcase_add_test(t, ended_and_never_closed);
	tcase_add_test(t, ended_before_the_offer);
	tcase_add_test(t, goes_inside);
	tcase_add_test(t, lifetime_ends);
	tcase_add_test(t, counters_at_the_end);
	tcase_add_test(t, by_hand);
	tcase_add_test(t, said_until_it_is_noted);
	tcase_add_test(t, good_bye);
	tcase_add_test(t, vcm_knows_no_such_session);
	tcase_add_test(t, rekeyed);
	tcase_add_test(t, rekeyed_before_it_was_direct);
	tcase_add_test(t, another_session_with_the_same_peer);
	tcase_add_test(t, other_spis);
	tcase_add_test(t, sa_comes_to_an_end);
	tcase_add_test(t, asymmetric);
	tcase_add_test(t, asymmetric_out_of_order);
	tcase_add_test(t, path_is_dead);
	tcase_add_test(t, path_is_dead_at_any_time);
	tcase_add_test(t, last_probe_is_answered);
	tcase_add_test(t, doubt_ends_with_news);
	tcase_add_test(t, end_in_doubt);
	tcase_add_test(t, one_way);
	tcase_add_test(t, wrong_reply);
	tcase_add_test(t, anything_heard_is_news);
	tcase_add_test(t, idle);
	tcase_add_test(t, probes_are_no_traffic);
	tcase_add_test(t, probe_of_a_stranger);
	tcase_add_test(t, vcm_starts_again);
	tcase_add_test(t, vcm_is_away);
	tcase_add_test(t, only_the_vcm);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
