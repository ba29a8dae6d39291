/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/node_world.h"

#define FLYING 64

static struct timerq *timers;
static monotime_t clock_now;
static uint64_t dice;
struct vcm_node *node;
static struct vcm_exchange *vcm;
struct vcm_node_config config;
struct in6_addr node_addr, vcm_addr, peer_addr, peer_home;
char said[4096];
int kernel_error;
int64_t packets_in, packets_out;
uint64_t told_in, told_out;
static bool out_is_gone;
bool deaf;
enum vcm_status answer, last_status;
uint8_t last_nonce[VCM_NONCE_LEN], last_public[VCM_PUBLIC_LEN];
struct vcm_node_session installed;
uint8_t key_in[VCM_KEY_MAX], key_out[VCM_KEY_MAX];

static struct {
	bool used, to_vcm;
	monotime_t at;
	size_t len;
	uint8_t data[VCM_MESSAGE_MAX];
} flying[FLYING];

struct in6_addr addr(const char *text)
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

void pass_ms(int64_t ms)
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

void expect(const char *wanted)
{
	ck_assert_str_eq(said, wanted);
	said[0] = '\0';
}

/* ---- what the VCM says ---- */

struct vcm_message about(enum vcm_type type, uint64_t id, uint32_t generation)
{
	return (struct vcm_message){
		.type = type, .has = VCM_HAS_SESSION, .session = id, .generation = generation};
}

enum vcm_status tell(struct vcm_message m)
{
	last_status = (enum vcm_status)99;
	ck_assert_int_eq(vcm_exchange_send(vcm, &node_addr, &m, 1), 0);
	pass_ms(20);
	return last_status;
}

struct vcm_message offer(uint64_t id, uint32_t generation, uint32_t spi)
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

struct vcm_message end(uint64_t id, uint32_t generation, enum vcm_reason reason)
{
	struct vcm_message m = about(VCM_END, id, generation);

	m.has |= VCM_HAS_REASON;
	m.reason = reason;
	return m;
}

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

enum vcm_node_state state_of(uint32_t generation)
{
	struct wanted w = {generation, GONE};

	vcm_node_foreach(node, look, &w);
	return w.state;
}

/* ---- start and end of each test ---- */

void start_vcm(uint64_t epoch)
{
	struct vcm_exchange_config c = {.epoch = epoch, .strangers = true};

	vcm_exchange_free(vcm);
	vcm = vcm_exchange_new(&c, &vcm_ops, NULL, timers);
	ck_assert_ptr_nonnull(vcm);
	ck_assert_int_eq(vcm_exchange_peer(vcm, &node_addr), 0);
}

void start(void)
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

void stop(void)
{
	vcm_node_free(node, false);
	node = NULL;
	vcm_exchange_free(vcm);
	vcm = NULL;
	timerq_free(timers);
}

void again_with(struct vcm_node_config c)
{
	vcm_node_free(node, false);
	c.epoch++;
	node = vcm_node_new(&c, &ops, NULL, timers);
	vcm_node_place(node, true);
	pass_ms(50);
	expect("PLACE-out ");
}

void make_direct(void)
{
	ck_assert_int_eq(tell(offer(7, 1, 0x1001)), VCM_OK);
	vcm_node_path(node, &peer_home, true);
	ck_assert_int_eq(tell(about(VCM_PEER_READY, 7, 1)), VCM_OK);
	expect("in+1001 path READY-1 out+2001 ACTIVE-1 ");
}
