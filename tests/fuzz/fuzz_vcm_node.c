/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node whose VCM and peers say anything, in any order, while time passes
 * and SAs end.  Datagrams are built from the input, so that most of them are
 * of this life and reach the state machine; whatever comes, outbound is never
 * set without an inbound of that generation, nothing is taken away that is
 * not there, and at the end nothing is left.
 */
#include <stdlib.h>
#include <string.h>

#include "vcm/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

#define EPOCH 5
#define VCM_EPOCH 7
#define SPIS 8
#define FIRST_SPI 256

struct world {
	monotime_t now;
	struct vcm_node *node;
	uint32_t hello; /* sequence of the node's last message: to be acknowledged */
	uint32_t sequence;
	bool inbound[SPIS], outbound;
	uint32_t spi_out;
	bool paths[4];
	const uint8_t *data;
	size_t size;
};

static uint8_t next(struct world *w)
{
	if (!w->size)
		return 0;
	w->size--;
	return *w->data++;
}

static struct in6_addr address(uint8_t net, uint8_t host)
{
	return (struct in6_addr){.s6_addr = {0x20, 1, 0xd, 0xb8, net, [15] = host}};
}

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void random_octets(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, 0x5a, n);
}

static int send_datagram(void *ctx, const struct in6_addr *to, const uint8_t *octets, size_t len)
{
	struct world *w = ctx;
	static struct vcm_message m;
	const char *why;

	(void)to;
	REQUIRE(vcm_message_read(octets, len, &m, &why) == VCM_READ_OK);
	w->hello = m.sequence;
	return 0;
}

static size_t key_len(void *ctx, const char *algorithm)
{
	(void)ctx;
	return strcmp(algorithm, "null") == 0 ? 4 : 0;
}

static int inbound_add(void *ctx, const struct vcm_node_session *s)
{
	struct world *w = ctx;

	REQUIRE(s->spi_in - FIRST_SPI < SPIS && s->key_len == 4);
	if (w->inbound[s->spi_in - FIRST_SPI])
		return -17; /* EEXIST */
	w->inbound[s->spi_in - FIRST_SPI] = true;
	return 0;
}

static void inbound_del(
	void *ctx, const struct in6_addr *peer, const struct in6_addr *home, uint32_t spi_in)
{
	struct world *w = ctx;

	(void)peer, (void)home;
	REQUIRE(w->inbound[spi_in - FIRST_SPI]);
	w->inbound[spi_in - FIRST_SPI] = false;
}

static int outbound_set(void *ctx, const struct vcm_node_session *s)
{
	struct world *w = ctx;

	REQUIRE(w->inbound[s->spi_in - FIRST_SPI]);
	return next(w) & 7 ? 0 : -5; /* EIO */
}

static void outbound_del(
	void *ctx, const struct in6_addr *peer, const struct in6_addr *home, uint32_t spi_out)
{
	(void)ctx, (void)peer, (void)home;
	REQUIRE(spi_out - FIRST_SPI < SPIS);
}

static void share(void *ctx, const struct in6_addr *home, const struct rr_shared *kcn)
{
	(void)ctx, (void)home;
	REQUIRE(!kcn || kcn->kcn_len >= 20);
}

static void path(void *ctx, const struct in6_addr *home, bool wanted)
{
	struct world *w = ctx;

	w->paths[home->s6_addr[15] & 3] = wanted;
}

static void counters(void *ctx, const struct vcm_node_session *s, int64_t *in, int64_t *out)
{
	struct world *w = ctx;

	(void)s;
	*in = w->now.us / 3000000;
	*out = w->now.us / 1000000;
}

static void event(void *ctx, const char *what, const struct in6_addr *peer, const char *text)
{
	(void)ctx, (void)what, (void)peer, (void)text;
}

static const struct vcm_node_ops ops = {.now = now,
	.random = random_octets,
	.send = send_datagram,
	.key_len = key_len,
	.inbound_add = inbound_add,
	.inbound_del = inbound_del,
	.outbound_set = outbound_set,
	.outbound_del = outbound_del,
	.share = share,
	.path = path,
	.counters = counters,
	.event = event};

static void fill_offer(struct world *w, struct vcm_message *m)
{
	uint8_t how = next(w);

	m->has |= VCM_HAS_PEER | VCM_HAS_ALGORITHM | VCM_HAS_SA_IN | VCM_HAS_SA_OUT |
		  VCM_HAS_LIFETIME;
	memcpy(m->algorithm, how & 0x40 ? "zero" : "null", 5);
	m->in.spi = FIRST_SPI + (how & 7);
	m->out.spi = FIRST_SPI + (how >> 3 & 7);
	m->in.key_len = m->out.key_len = 4;
	m->lifetime_s = next(w);
	m->linger_s = next(w) & 15;
	if (how & 0x80) {
		m->has |= VCM_HAS_KCN;
		m->kcn.kcn_len = 20;
		m->kcn.home_nonce_len = m->kcn.care_of_nonce_len = 8;
	}
	if (m->lifetime_s & 1) {
		m->has |= VCM_HAS_PUBLIC | VCM_HAS_SALT;
		m->in.key_len = m->out.key_len = 0;
		m->public_key[0] = 9;
	}
}

static void fill(struct world *w, struct vcm_message *m)
{
	uint8_t which = next(w);

	m->has = VCM_HAS_SESSION;
	m->session = which & 3;
	m->generation = which >> 2 & 3;
	m->peer_internal = address(1, which >> 4 & 3);
	m->peer_home = address(2, which >> 4 & 3);
	if (m->type == VCM_INVITE)
		m->has |= VCM_HAS_PEER;
	if (m->type == VCM_OFFER)
		fill_offer(w, m);
	if (m->type == VCM_END)
		m->has |= VCM_HAS_REASON;
	if (m->type == VCM_ACK) {
		m->has = VCM_HAS_STATUS;
		m->status = (enum vcm_status)(which & 7);
	}
	if (m->type == VCM_PROBE || m->type == VCM_PROBE_REPLY)
		m->has = VCM_HAS_NONCE;
	if (m->type == VCM_HELLO)
		m->has = 0;
}

static void datagram(struct world *w)
{
	static struct vcm_message m;
	uint8_t octets[VCM_MESSAGE_MAX];
	struct in6_addr from = address(0, 9);
	size_t len;

	memset(&m, 0, sizeof(m));
	m.type = (enum vcm_type)(next(w) % 16);
	m.epoch = VCM_EPOCH;
	m.peer_epoch = EPOCH;
	m.sequence = m.type == VCM_ACK ? w->hello : ++w->sequence;
	fill(w, &m);
	len = vcm_message_write(&m, octets, sizeof(octets));
	if (m.type == VCM_PROBE || m.type == VCM_PROBE_REPLY)
		from = m.peer_internal;
	if (len)
		vcm_node_receive(w->node, &from, octets, len);
}

static void raw(struct world *w)
{
	struct in6_addr from = address(0, 9);
	size_t len = next(w);

	if (len > w->size)
		len = w->size;
	vcm_node_receive(w->node, &from, w->data, len);
	w->data += len;
	w->size -= len;
}

static void happen(struct world *w, struct timerq *timers)
{
	struct in6_addr a;
	uint8_t what = next(w);

	switch (what & 7) {
	case 0:
		w->now = mono_add_ms(w->now, (int64_t)(next(w) + 1) * next(w));
		timerq_run(timers, w->now);
		break;
	case 1:
		vcm_node_place(w->node, what & 0x18);
		break;
	case 2:
		a = address(2, what >> 4 & 3);
		vcm_node_path(w->node, &a, what & 8);
		break;
	case 3:
		vcm_node_sa_expires(w->node, FIRST_SPI + (what >> 5), what & 8, what & 0x10);
		break;
	case 4:
		a = address(1, what >> 4 & 3);
		if (what & 8)
			(void)vcm_node_end(w->node, &a);
		else
			raw(w);
		break;
	default:
		datagram(w);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.now = {1000000}, .data = data, .size = size};
	struct vcm_node_config c = {.internal = address(1, 0),
		.home = address(2, 0),
		.manager = address(0, 9),
		.epoch = EPOCH,
		.max_sessions = 6};
	struct timerq *timers = timerq_new();

	w.node = vcm_node_new(&c, &ops, &w, timers);
	vcm_node_place(w.node, true);
	while (w.size)
		happen(&w, timers);
	vcm_node_free(w.node, true);
	for (int i = 0; i < SPIS; i++)
		REQUIRE(!w.inbound[i]);
	for (int i = 0; i < 4; i++)
		REQUIRE(!w.paths[i]);
	REQUIRE(timerq_next(timers).us == MONOTIME_NEVER.us);
	timerq_free(timers);
	return 0;
}
