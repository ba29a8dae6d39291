/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/proto/vpn_place.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "lib/timer.h"

#define ASK_FIRST_MS \
	500 /* the gateway takes a second PROBE for a sign that the first answer did not come by the tunnel */
#define ASK_MAX_MS 30000 /* a link that does not answer is asked no more often than that */
#define CHECK_MS 5000 /* inside: still? */
#define CHECK_AGAIN_MS 500
#define CHECKS_LOST 4 /* so many without an answer, and the node is outside */

enum state { FOREIGN, ASKING, INSIDE };

struct link {
	struct vpn_place *place;
	struct vpn_link at; /* ifindex 0: not in use */
	enum state state;
	bool up, asked;
	uint8_t nonce[VCM_NONCE_LEN]; /* of what was asked last, and before that */
	uint8_t former[VCM_NONCE_LEN];
	uint32_t wait_ms, unanswered;
	monotime_t expires; /* of the prefix */
	struct timer ask, life;
};

struct vpn_place {
	struct vpn_place_config config;
	struct vpn_place_ops ops;
	void *ctx;
	struct timerq *timers;
	int inside; /* interface; 0: outside */
	char why[128];
	struct link links[VPN_PLACE_LINKS];
};

/* ---- which link counts ---- */

static struct link *find(struct vpn_place *p, int ifindex)
{
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++)
		if (p->links[i].at.ifindex == ifindex)
			return &p->links[i];
	return NULL;
}

static struct link *find_or_new(struct vpn_place *p, int ifindex)
{
	struct link *l = find(p, ifindex);

	if (!l && (l = find(p, 0)))
		l->at.ifindex = ifindex;
	return l;
}

static const struct link *any_inside(const struct vpn_place *p)
{
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++)
		if (p->links[i].at.ifindex && p->links[i].state == INSIDE)
			return &p->links[i];
	return NULL;
}

static void settle(struct vpn_place *p, const char *why)
{
	struct link *l = p->inside ? find(p, p->inside) : NULL;
	const struct link *now = l && l->state == INSIDE ? l : any_inside(p);
	int ifindex = now ? now->at.ifindex : 0;

	if (ifindex == p->inside)
		return;
	p->inside = ifindex;
	snprintf(p->why, sizeof(p->why), "%s", why);
	p->ops.place(p->ctx, now ? &now->at : NULL, p->why);
}

/* ---- asking ---- */

static void start(struct link *l, struct timer *t, int64_t ms)
{
	(void)timer_start(l->place->timers, t, mono_add_ms(l->place->ops.now(l->place->ctx), ms));
}

static void send_probe(struct link *l)
{
	struct vpn_place *p = l->place;
	struct vcm_message m = {.type = VCM_PROBE, .epoch = p->config.epoch, .has = VCM_HAS_NONCE};
	uint8_t data[VCM_MESSAGE_MAX];
	size_t len;

	memcpy(l->former, l->nonce, sizeof(l->former));
	p->ops.random(p->ctx, l->nonce, sizeof(l->nonce));
	memcpy(m.nonce, l->nonce, sizeof(m.nonce));
	l->asked = true;
	l->unanswered++;
	len = vcm_message_write(&m, data, sizeof(data));
	if (len)
		p->ops.probe(p->ctx, l->at.ifindex, data, len);
}

static void ask(struct timer *t, void *arg)
{
	struct link *l = arg;

	(void)t;
	if (l->state == INSIDE && l->unanswered >= CHECKS_LOST) {
		l->state = ASKING;
		l->wait_ms = ASK_FIRST_MS;
		settle(l->place, "the manager does not answer on that link any more");
	}
	send_probe(l);
	if (l->state == INSIDE) {
		start(l, &l->ask, CHECK_AGAIN_MS);
		return;
	}
	start(l, &l->ask, l->wait_ms);
	l->wait_ms = l->wait_ms * 2 > ASK_MAX_MS ? ASK_MAX_MS : l->wait_ms * 2;
}

static void ask_from_now(struct link *l)
{
	l->wait_ms = ASK_FIRST_MS;
	l->unanswered = 0;
	ask(&l->ask, l);
}

static void leave(struct link *l, const char *why)
{
	struct vpn_place *p = l->place;

	timer_stop(p->timers, &l->ask);
	timer_stop(p->timers, &l->life);
	if (l->state == FOREIGN)
		return;
	l->state = FOREIGN;
	l->asked = false;
	OPENSSL_cleanse(l->nonce, sizeof(l->nonce));
	OPENSSL_cleanse(l->former, sizeof(l->former));
	settle(p, why); /* nothing leaves by the link any more, then it is given up */
	p->ops.candidate(p->ctx, &l->at, false);
}

static void expired(struct timer *t, void *arg)
{
	(void)t;
	leave(arg, "the internal prefix is not advertised any more");
}

/* It may be one: what proves it is asked for, where that is demanded. */
static void enter(struct link *l, const struct in6_addr *router, const struct ip6_prefix *prefix)
{
	struct vpn_place *p = l->place;

	l->at.router = *router;
	l->at.prefix = *prefix;
	l->state = ASKING;
	p->ops.candidate(p->ctx, &l->at, true);
	if (p->config.authenticate) {
		ask_from_now(l);
		return;
	}
	l->state = INSIDE;
	settle(p, "a router advertises an internal prefix, and nothing else was asked for");
}

/* ---- what happens ---- */

void vpn_place_link(struct vpn_place *p, int ifindex, bool up)
{
	struct link *l = find_or_new(p, ifindex);

	if (!l)
		return;
	l->up = up;
	leave(l, up ? "the link may be another one" : "the link of the internal portion is gone");
}

static bool is_internal(
	const struct vpn_place *p, const struct nd_prefix *n, struct ip6_prefix *found)
{
	for (size_t i = 0; i < p->config.n_internal; i++) {
		const struct ip6_prefix *in = &p->config.internal[i];

		if (n->plen < in->plen || !in6_in_prefix(&n->prefix, &in->addr, in->plen))
			continue;
		*found = (struct ip6_prefix){.addr = n->prefix, .plen = n->plen};
		return true;
	}
	return false;
}

/* The first internal prefix; valid_s 0: none, or withdrawn. */
static uint32_t internal_of(
	const struct vpn_place *p, const struct icmp6_ra *ra, struct ip6_prefix *found)
{
	for (size_t i = 0; i < ra->n_prefixes; i++)
		if (ra->prefixes[i].on_link && is_internal(p, &ra->prefixes[i], found))
			return ra->lifetime_s ? ra->prefixes[i].valid_s : 0;
	return 0;
}

static bool names_internal(const struct vpn_place *p, const struct icmp6_ra *ra)
{
	struct ip6_prefix found;

	for (size_t i = 0; i < ra->n_prefixes; i++)
		if (is_internal(p, &ra->prefixes[i], &found))
			return true;
	return false;
}

void vpn_place_advertised(
	struct vpn_place *p, int ifindex, const struct in6_addr *router, const struct icmp6_ra *ra)
{
	struct link *l = find_or_new(p, ifindex);
	struct ip6_prefix prefix = {0};
	uint32_t valid_s;
	bool same;

	if (!l)
		return;
	l->up = true;
	valid_s = internal_of(p, ra, &prefix);
	same = l->state != FOREIGN && in6_equal(&l->at.router, router);
	if (!valid_s) {
		/* another router may say nothing of it; the one that did takes it back */
		if (same && (names_internal(p, ra) || !ra->lifetime_s))
			leave(l, "the router has withdrawn the internal prefix");
		return;
	}
	if (l->state == INSIDE && !same && p->config.authenticate) {
		/* somebody who says the same is no reason to believe him, nor to leave: the one in use is asked at once */
		l->unanswered = 0;
		start(l, &l->ask, 0);
		return;
	}
	if (!same)
		leave(l, "another router advertises the internal prefix");
	if (valid_s != UINT32_MAX && !(ra->lifetime_s > valid_s))
		valid_s = ra->lifetime_s;
	start(l, &l->life, (int64_t)(valid_s == UINT32_MAX ? ra->lifetime_s : valid_s) * 1000);
	if (l->state == FOREIGN)
		enter(l, router, &prefix);
}

static bool mine(const struct link *l, const uint8_t nonce[VCM_NONCE_LEN])
{
	return l->at.ifindex && l->asked && l->state != FOREIGN &&
	       (CRYPTO_memcmp(l->nonce, nonce, VCM_NONCE_LEN) == 0 ||
		       CRYPTO_memcmp(l->former, nonce, VCM_NONCE_LEN) == 0);
}

static void answered(struct link *l)
{
	l->unanswered = 0;
	start(l, &l->ask, CHECK_MS);
	if (l->state == INSIDE)
		return;
	l->state = INSIDE;
	settle(l->place, "the manager has answered on this link");
}

void vpn_place_answer(struct vpn_place *p, const uint8_t *data, size_t len)
{
	static const uint8_t none[VCM_NONCE_LEN];
	struct vcm_message m;
	const char *why;

	if (vcm_message_read(data, len, &m, &why) != VCM_READ_OK || m.type != VCM_PROBE_REPLY ||
		CRYPTO_memcmp(m.nonce, none, sizeof(none)) == 0)
		return;
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++)
		if (mine(&p->links[i], m.nonce))
			answered(&p->links[i]);
}

/* ---- start and end ---- */

struct vpn_place *vpn_place_new(const struct vpn_place_config *c, const struct vpn_place_ops *ops,
	void *ctx, struct timerq *timers)
{
	struct vpn_place *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->config = *c;
	p->ops = *ops;
	p->ctx = ctx;
	p->timers = timers;
	snprintf(p->why, sizeof(p->why), "no link is known to be internal");
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++) {
		p->links[i].place = p;
		timer_init(&p->links[i].ask, ask, &p->links[i]);
		timer_init(&p->links[i].life, expired, &p->links[i]);
	}
	return p;
}

void vpn_place_free(struct vpn_place *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < VPN_PLACE_LINKS; i++) {
		timer_stop(p->timers, &p->links[i].ask);
		timer_stop(p->timers, &p->links[i].life);
	}
	OPENSSL_cleanse(p, sizeof(*p));
	free(p);
}

bool vpn_place_inside(const struct vpn_place *p)
{
	return p->inside;
}

const char *vpn_place_why(const struct vpn_place *p)
{
	return p->why;
}
