/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Return routability at the mobile node (RFC 6275 5.2, 11.6).
 *
 * The two tests are independent of each other: each has its cookies, its
 * back-off (11.8) and its token.  Retransmissions have new cookies; an answer
 * to an earlier one of the same test is good as well, so that a round trip
 * longer than the first timeout costs nothing.  Care-of keygen tokens are
 * remembered with their address: back at an address within their lifetime
 * there is nothing to be tested (11.6.1).
 */
#include <string.h>

#include "mip6d/proto/mn_ro_internal.h"

/* ---- tokens ---- */

bool mn_rr_usable(const struct ro_peer *p, const struct ro_token *t)
{
	return t->has && mono_before(mn_now(p->mn),
				 mono_add_s(t->at, RR_MAX_TOKEN_LIFETIME_S - RO_TOKEN_MARGIN_S));
}

struct ro_token *mn_rr_care_of_token(struct ro_peer *p, const struct in6_addr *care_of)
{
	for (size_t i = 0; i < RO_CARE_OFS; i++) {
		struct ro_token *t = &p->care_of[i];

		if (mn_rr_usable(p, t) && in6_equal(&t->care_of, care_of))
			return t;
	}
	return NULL;
}

/* Where the token of this care-of address belongs: its own place, a free one, that of the oldest. */
static struct ro_token *place(struct ro_peer *p, const struct in6_addr *care_of)
{
	struct ro_token *best = &p->care_of[0];

	for (size_t i = 0; i < RO_CARE_OFS; i++) {
		struct ro_token *t = &p->care_of[i];

		if (t->has && in6_equal(&t->care_of, care_of))
			return t;
		if (best->has && (!t->has || mono_before(t->at, best->at)))
			best = t;
	}
	return best;
}

static void test_stop(struct ro_peer *p, struct ro_test *t)
{
	t->waiting = false;
	timer_stop(p->mn->env->timers, &t->timer);
	rr_wipe(t->cookies, sizeof(t->cookies));
}

void mn_rr_forget(struct ro_peer *p)
{
	rr_wipe(&p->home, sizeof(p->home));
	rr_wipe(p->care_of, sizeof(p->care_of));
}

void mn_rr_pause(struct ro_peer *p)
{
	test_stop(p, &p->hoti);
	test_stop(p, &p->coti);
}

/* ---- sending ---- */

static uint64_t new_cookie(struct ro_peer *p, struct ro_test *t)
{
	struct mn *mn = p->mn;
	uint64_t *c = &t->cookies[t->tries % RO_COOKIES];

	mn->env->random(mn->env->ctx, c, sizeof(*c));
	return *c;
}

static void transmit(struct ro_peer *p, const struct mip6_packet *packet)
{
	struct mn *mn = p->mn;

	mn_check(mn, mn->env->send_mh(mn->env->ctx, packet), "send a test of return routability");
}

/* By the tunnel (6.1.3); at home there is none. */
static void send_hoti(struct ro_peer *p)
{
	struct mh_message m = {.type = MH_HOTI};
	uint8_t buf[32];
	struct mip6_packet out = {.src = p->mn->config.home_address, .dst = p->addr, .data = buf};

	m.u.init.cookie = new_cookie(p, &p->hoti);
	out.len = mh_build(&m, buf, sizeof(buf));
	p->mn->stats.hoti_sent++;
	transmit(p, &out);
}

/*
 * Directly (6.1.4).  To a peer that is mobile itself the first one goes by its
 * care-of address and by its home address: it may have just moved as well.
 */
static void send_coti(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	struct mh_message m = {.type = MH_COTI};
	uint8_t buf[32];
	struct mip6_packet out = {
		.src = p->testing, .dst = p->addr, .ifindex = mn->path.link->ifindex, .data = buf};
	bool twice = mn->ro->cn &&
		     cn_care_of(mn->ro->cn, &mn->config.home_address, &p->addr, &out.dst_coa);

	m.u.init.cookie = new_cookie(p, &p->coti);
	out.len = mh_build(&m, buf, sizeof(buf));
	if (twice && p->coti.tries == 0 &&
		!mono_before(mn_now(mn), mn_rate_when(&p->coti.rate, mn_now(mn)))) {
		out.flags = MIP6_PKT_RH2;
		mn_rate_take(&p->coti.rate, mn_now(mn));
		mn->stats.coti_sent++;
		transmit(p, &out);
		out.flags = 0;
	}
	out.dst_coa = in6addr_any;
	mn->stats.coti_sent++;
	transmit(p, &out);
}

/* Now, or as soon as MAX_UPDATE_RATE allows (11.8). */
static void test_send(struct ro_peer *p, struct ro_test *t)
{
	monotime_t now = mn_now(p->mn), when = mn_rate_when(&t->rate, now);

	if (mono_before(now, when)) {
		mn_timer(p->mn, &t->timer, when);
		return;
	}
	if (t == &p->hoti)
		send_hoti(p);
	else
		send_coti(p);
	mn_rate_take(&t->rate, now);
	t->tries++;
	t->last_sent = now;
	mn_timer(p->mn, &t->timer, mono_add_ms(now, t->timeout_ms));
	t->timeout_ms *= 2;
	if (t->timeout_ms > MIP6_MAX_BINDACK_TIMEOUT)
		t->timeout_ms = MIP6_MAX_BINDACK_TIMEOUT;
}

static void test_start(struct ro_peer *p, struct ro_test *t)
{
	t->waiting = true;
	t->tries = t->past = 0;
	t->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	rr_wipe(t->cookies, sizeof(t->cookies));
	test_send(p, t);
}

void mn_rr_run(struct ro_peer *p, bool home, const struct in6_addr *care_of)
{
	if (!home)
		test_stop(p, &p->hoti);
	else if (!p->hoti.waiting)
		test_start(p, &p->hoti);
	if (p->coti.waiting && !(care_of && in6_equal(&p->testing, care_of)))
		test_stop(p, &p->coti);
	if (!care_of || p->coti.waiting)
		return;
	p->testing = *care_of;
	test_start(p, &p->coti);
}

void mn_rr_hurry(struct ro_peer *p)
{
	struct ro_test *t = &p->hoti;

	if (!t->waiting ||
		mono_before(mn_now(p->mn), mono_add_ms(t->last_sent, MIP6_INITIAL_BINDACK_TIMEOUT)))
		return;
	t->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	test_send(p, t);
}

/* Behind its first retransmission. */
static bool backs_off(const struct ro_test *t)
{
	return t->waiting && t->tries > 1;
}

bool mn_rr_backs_off(const struct ro_peer *p)
{
	return backs_off(&p->hoti) || backs_off(&p->coti);
}

static void begin_anew(struct ro_peer *p, struct ro_test *t)
{
	monotime_t when = mono_add_ms(t->last_sent, MIP6_INITIAL_BINDACK_TIMEOUT);

	if (!backs_off(t))
		return;
	t->past = t->tries;
	t->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	if (mono_before(mn_now(p->mn), when))
		mn_timer(p->mn, &t->timer, when);
	else
		test_send(p, t);
}

void mn_rr_anew(struct ro_peer *p)
{
	begin_anew(p, &p->hoti);
	begin_anew(p, &p->coti);
}

static void test_timer(struct ro_peer *p, struct ro_test *t)
{
	bool deleting = p->state == MN_RO_DELETING && mn_ro_may_live(p);

	/* There may be something to delete as long as it lives: 11.8 sets the pace. */
	if (t->tries - t->past > RO_MAX_FAILURE && !deleting)
		mn_ro_unanswered(p, "no answer to the test of return routability");
	else
		test_send(p, t);
}

static void hoti_timer(struct timer *t, void *arg)
{
	struct ro_peer *p = arg;

	(void)t;
	test_timer(p, &p->hoti);
}

static void coti_timer(struct timer *t, void *arg)
{
	struct ro_peer *p = arg;

	(void)t;
	test_timer(p, &p->coti);
}

void mn_rr_init(struct ro_peer *p)
{
	timer_init(&p->hoti.timer, hoti_timer, p);
	timer_init(&p->coti.timer, coti_timer, p);
}

/* ---- answers (11.6.2) ---- */

bool mn_rr_cookie(const struct ro_test *t, uint64_t cookie)
{
	unsigned n = t->tries < RO_COOKIES ? t->tries : RO_COOKIES;

	if (!t->waiting)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (rr_same(&t->cookies[i], &cookie, sizeof(cookie)))
			return true;
	return false;
}

static bool good_hot(
	const struct ro_peer *r, const struct mip6_packet *p, const struct mh_message *m)
{
	const struct mn *mn = r->mn;

	/* "has been received in a tunnel from the home agent"; at home there is none */
	if (mn->path.location != MN_AT_HOME && !(p->flags & MIP6_PKT_TUNNELED))
		return false;
	return !(p->flags & (MIP6_PKT_RH2 | MIP6_PKT_HAO)) &&
	       in6_equal(&p->dst, &mn->config.home_address) &&
	       mn_rr_cookie(&r->hoti, m->u.test.cookie);
}

static bool good_cot(
	const struct ro_peer *r, const struct mip6_packet *p, const struct mh_message *m)
{
	const struct mn *mn = r->mn;

	return mn->path.location == MN_AWAY &&
	       !(p->flags & (MIP6_PKT_RH2 | MIP6_PKT_HAO | MIP6_PKT_TUNNELED)) &&
	       in6_equal(&p->dst, &mn->path.care_of) && in6_equal(&p->dst, &r->testing) &&
	       mn_rr_cookie(&r->coti, m->u.test.cookie);
}

static void keep(struct ro_peer *r, struct ro_token *t, const struct mh_message *m)
{
	t->has = true;
	t->token = m->u.test.token;
	t->index = m->u.test.nonce_index;
	t->at = mn_now(r->mn);
}

void mn_rr_received(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	struct ro_peer *r = mn->ro ? mn_ro_find(mn, &p->src) : NULL;
	bool home = m->type == MH_HOT;
	struct ro_token *t;

	if (!r || !(home ? good_hot(r, p, m) : good_cot(r, p, m))) {
		mn->stats.tests_ignored++;
		return;
	}
	if (home) {
		mn->stats.hot_received++;
		keep(r, &r->home, m);
		test_stop(r, &r->hoti);
	} else {
		mn->stats.cot_received++;
		t = place(r, &r->testing);
		t->care_of = r->testing;
		keep(r, t, m);
		test_stop(r, &r->coti);
	}
	mn_ro_pursue(r, NULL);
}
