/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/gateway_world.h"

#define FLYING 128

static struct timerq *timers;
static monotime_t clock_now;
struct vcm_gateway_config config;
struct vcm_gateway *g;
struct vcm_exchange *vcm;
static uint64_t epochs;
bool vcm_dead;
enum vcm_status vcm_answer;
unsigned loss;
static uint64_t dice;
static const struct in6_addr gateway_addr = {{{0xfd, [15] = 1}}}, vcm_addr = {{{0xfd, [15] = 9}}};
struct told told;
struct did did;

static struct {
	bool used, to_vcm;
	monotime_t at;
	size_t len;
	uint8_t data[VCM_MESSAGE_MAX];
} flying[FLYING];

struct in6_addr internal(unsigned i)
{
	struct in6_addr a = {{{0xfd, 0, 0, 1}}};

	a.s6_addr[14] = (uint8_t)(i >> 8);
	a.s6_addr[15] = (uint8_t)i;
	return a;
}

static struct in6_addr home(unsigned i)
{
	struct in6_addr a = internal(i);

	a.s6_addr[0] = 0x20;
	return a;
}

unsigned number(const struct in6_addr *a)
{
	unsigned i = (unsigned)a->s6_addr[14] << 8 | a->s6_addr[15];

	ck_assert_uint_lt(i, NODES);
	return i;
}

/* ---- the world ---- */

static monotime_t now(void *ctx)
{
	(void)ctx;
	return clock_now;
}

static uint32_t roll(uint32_t below)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % below;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)roll(256);
}

static int fly(bool to_vcm, const uint8_t *data, size_t len)
{
	if (roll(100) < loss)
		return 0;
	for (size_t i = 0; i < FLYING; i++) {
		if (flying[i].used)
			continue;
		flying[i].used = true;
		flying[i].to_vcm = to_vcm;
		flying[i].at = mono_add_ms(clock_now, 1 + roll(10));
		flying[i].len = len;
		memcpy(flying[i].data, data, len);
		return 0;
	}
	return 0;
}

static int gateway_sends(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx;
	ck_assert(in6_equal(to, &vcm_addr));
	return fly(true, data, len);
}

static int vcm_sends(void *ctx, const struct in6_addr *to, const uint8_t *data, size_t len)
{
	(void)ctx;
	ck_assert(in6_equal(to, &gateway_addr));
	return fly(false, data, len);
}

static int activate(void *ctx, const struct in6_addr *a, const struct in6_addr *h, bool on)
{
	struct in6_addr expected = home(number(a));

	(void)ctx;
	ck_assert(in6_equal(h, &expected));
	did.activations++;
	if (did.activate_error)
		return did.activate_error;
	did.active[number(a)] = on;
	return 0;
}

static void pair_known(void *ctx, const struct in6_addr *a, const struct in6_addr *b, uint32_t ttl)
{
	(void)ctx;
	if (ttl) {
		did.known_a = *a;
		did.known_b = *b;
		did.known_ttl = ttl;
		did.n_known++;
	} else {
		did.n_forgotten++;
	}
}

static void store(void *ctx, const struct in6_addr *a, const struct in6_addr *h, bool outside)
{
	(void)ctx;
	(void)h;
	did.stores++;
	did.stored[number(a)] = outside;
}

static const struct vcm_gateway_ops ops = {.now = now,
	.random = random_octets,
	.send = gateway_sends,
	.activate = activate,
	.pair_known = pair_known,
	.store = store};

/* ---- the VCM ---- */

static enum vcm_status vcm_received(
	void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	unsigned n = (unsigned)(m->n_nodes + m->n_pairs + m->n_correspondents);

	(void)ctx;
	(void)from;
	ck_assert_int_eq(m->type, VCM_REPORT);
	told.n_messages++;
	if (vcm_answer != VCM_OK)
		return vcm_answer;
	if (n > told.most_options)
		told.most_options = n;
	for (size_t i = 0; i < m->n_nodes; i++) {
		did.outside_at_vcm[number(&m->nodes[i].internal)] = m->nodes[i].outside;
		told.nodes[told.n_nodes++] = m->nodes[i];
	}
	for (size_t i = 0; i < m->n_pairs; i++) {
		if (!did.outside_at_vcm[number(&m->pairs[i].a)] ||
			!did.outside_at_vcm[number(&m->pairs[i].b)])
			told.pair_of_insiders = true;
		told.pairs[told.n_pairs++] = m->pairs[i];
	}
	for (size_t i = 0; i < m->n_correspondents; i++)
		told.correspondents[told.n_correspondents++] = m->correspondents[i];
	return VCM_OK;
}

static void vcm_probe(void *ctx, const struct in6_addr *from, const struct vcm_message *m)
{
	(void)ctx;
	(void)from;
	(void)m;
	ck_abort();
}

static void vcm_acknowledged(
	void *ctx, const struct in6_addr *to, uint64_t token, enum vcm_status s)
{
	(void)ctx;
	(void)to;
	(void)token;
	(void)s;
}

static void vcm_failed(void *ctx, const struct in6_addr *to, uint64_t token)
{
	(void)ctx;
	(void)to;
	(void)token;
}

static void vcm_restarted(void *ctx, const struct in6_addr *peer)
{
	(void)ctx;
	(void)peer;
}

static const struct vcm_exchange_ops vcm_ops = {.now = now,
	.random = random_octets,
	.send = vcm_sends,
	.received = vcm_received,
	.probe = vcm_probe,
	.acknowledged = vcm_acknowledged,
	.failed = vcm_failed,
	.restarted = vcm_restarted};

void vcm_start(void)
{
	const struct vcm_exchange_config x = {.epoch = ++epochs};

	vcm = vcm_exchange_new(&x, &vcm_ops, NULL, timers);
	ck_assert_ptr_nonnull(vcm);
	ck_assert_int_eq(vcm_exchange_peer(vcm, &gateway_addr), 0);
}

/* ---- time ---- */

static void deliver(void)
{
	for (size_t i = 0; i < FLYING; i++) {
		if (!flying[i].used || mono_before(clock_now, flying[i].at))
			continue;
		flying[i].used = false;
		if (!flying[i].to_vcm)
			vcm_gateway_receive(g, &vcm_addr, flying[i].data, flying[i].len);
		else if (!vcm_dead)
			vcm_exchange_receive(vcm, &gateway_addr, flying[i].data, flying[i].len);
	}
}

void pass(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		timerq_run(timers, clock_now);
		clock_now = mono_add_ms(clock_now, 1);
		deliver();
	}
	timerq_run(timers, clock_now);
}

/* ---- set up ---- */

static void gateway_start(void)
{
	config.epoch = ++epochs;
	g = vcm_gateway_new(&config, &ops, NULL, timers);
	ck_assert_ptr_nonnull(g);
	for (unsigned i = 0; i < NODES; i++) {
		struct in6_addr a = internal(i), h = home(i);

		ck_assert_int_eq(vcm_gateway_add(g, &a, &h), 0);
	}
}

void set_up(void)
{
	memset(&told, 0, sizeof(told));
	memset(&did, 0, sizeof(did));
	memset(&flying, 0, sizeof(flying));
	loss = 0;
	dice = 42;
	epochs = 1000;
	vcm_dead = false;
	vcm_answer = VCM_OK;
	clock_now = (monotime_t){1000000};
	timers = timerq_new();
	config = (struct vcm_gateway_config){.manager = vcm_addr};
	vcm_start();
	gateway_start();
}

void tear_down(void)
{
	vcm_gateway_free(g);
	vcm_exchange_free(vcm);
	timerq_free(timers);
}

void again(void)
{
	vcm_gateway_free(g);
	gateway_start();
}

void leave(unsigned i)
{
	struct in6_addr h = home(i);

	vcm_gateway_binding(g, &h, true);
}

void come_back(unsigned i)
{
	struct in6_addr a = internal(i);

	vcm_gateway_inside(g, &a, VCM_BY_MESSAGE);
}

void talk(unsigned i, unsigned j)
{
	struct in6_addr a = internal(i), b = internal(j);

	vcm_gateway_traffic(g, &a, &b);
}

void assert_pair(size_t at, unsigned i, unsigned j, enum vcm_trigger trigger)
{
	struct in6_addr a = internal(i), b = internal(j);

	ck_assert_uint_lt(at, told.n_pairs);
	ck_assert(in6_equal(&told.pairs[at].a, &a));
	ck_assert(in6_equal(&told.pairs[at].b, &b));
	ck_assert_int_eq(told.pairs[at].trigger, trigger);
}
