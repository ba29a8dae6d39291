/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Updates to correspondents (RFC 6275 11.7.2) and their answers
 * (11.7.3); with a shared Kbm RFC 4449.
 *
 * A request is one wish with one key: transmissions of it have numbers of
 * their own, and an answer to any of them is good.  An answer is believed when
 * its authenticator is that of the request's key.  The exception are 136 to
 * 138, which a correspondent that has forgotten its nonces cannot
 * authenticate (6.1.8): they cost new tests, once in RO_PROVOKED_S.
 */
#include <string.h>

#include "mip6d/proto/mn_ro_internal.h"

#define MAX_BU 64

/* ---- keys ---- */

/* A new request; false: there is no key for it. */
static bool request(struct ro_peer *p, bool deletes)
{
	const struct mn *mn = p->mn;
	const struct in6_addr *home = &mn->config.home_address;
	struct ro_update *bu = &p->bu;
	const struct ro_shared *s = mn_ro_shared(p);
	struct ro_token *coa = deletes ? NULL : mn_rr_care_of_token(p, &mn->path.care_of);

	if (!s && (!mn_rr_usable(p, &p->home) || (!deletes && !coa)))
		return false;
	bu->deletes = deletes;
	bu->from = mn->path.care_of;
	bu->care_of = deletes ? *home : mn->path.care_of;
	bu->tries = bu->n_sent = 0;
	bu->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	if (s) {
		rr_shared_kbm(&s->data, home, deletes ? NULL : &bu->care_of, bu->kbm);
		bu->key_until = MONOTIME_NEVER;
		return true;
	}
	rr_kbm(p->home.token, coa ? &coa->token : NULL, bu->kbm);
	bu->home_index = p->home.index;
	bu->care_of_index = coa ? coa->index : 0; /* 11.7.2: SHOULD be zero */
	bu->key_until = coa && mono_before(coa->at, p->home.at) ? coa->at : p->home.at;
	bu->key_until = mono_add_s(bu->key_until, RR_MAX_TOKEN_LIFETIME_S - RO_TOKEN_MARGIN_S);
	return true;
}

/* ---- sending ---- */

/* Not beyond the home registration and the care-of address (11.7.2), in units, never 0. */
static uint16_t ask_for(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	monotime_t now = mn_now(mn);
	int64_t s = mn->ro->config.lifetime_s, left = mono_diff_s(mn->reg.acked_until, now);
	const struct mn_coa *c = mn_coa_find(mn->path.link, &p->bu.care_of);

	if (!mn_ro_shared(p) && s > MIP6_MAX_RR_BINDING_LIFETIME / 1000)
		s = MIP6_MAX_RR_BINDING_LIFETIME / 1000;
	if (left < s)
		s = left;
	if (c && mono_before(now, c->valid_until) && mono_diff_s(c->valid_until, now) < s)
		s = mono_diff_s(c->valid_until, now);
	s /= MIP6_LIFETIME_UNIT;
	return s < 1 ? 1 : s > UINT16_MAX ? UINT16_MAX : (uint16_t)s;
}

/* A new number for every transmission; that of a pair with a shared Kbm is stored before it is used. */
static void number(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	struct ro_update *bu = &p->bu;
	struct ro_shared *s = mn_ro_shared(p);
	uint16_t lifetime = bu->deletes ? 0 : ask_for(p);

	if (p->has_seq)
		p->seq++;
	else
		mn->env->random(mn->env->ctx, &p->seq, sizeof(p->seq));
	p->has_seq = true;
	if (s) {
		s->seq = p->seq;
		if (mn->ops->store_sequence)
			mn->ops->store_sequence(
				mn->ops_ctx, &mn->config.home_address, &p->addr, p->seq);
	}
	bu->sent[bu->n_sent % RO_SENT].seq = p->seq;
	bu->sent[bu->n_sent % RO_SENT].lifetime = lifetime;
	bu->sent[bu->n_sent % RO_SENT].at = mn_now(mn);
	bu->n_sent++;
	if (lifetime) {
		monotime_t end = mono_add_s(mn_now(mn), (int64_t)lifetime * MIP6_LIFETIME_UNIT);

		if (mono_before(p->may_live_until, end))
			p->may_live_until = end;
	}
}

static size_t build(const struct ro_peer *p, uint16_t lifetime, uint8_t *buf, size_t cap)
{
	const struct ro_update *bu = &p->bu;
	struct mh_message m = {.type = MH_BU};
	struct mh_option *o;
	size_t len;

	m.u.bu.seq = p->seq;
	m.u.bu.lifetime = lifetime;
	m.u.bu.flags = BU_F_A;
	if (!mn_ro_shared(p)) { /* RFC 4449 3: SHOULD NOT be present */
		o = mh_option_add(&m, MHOPT_NONCE_INDICES);
		o->u.nonce_indices.home = bu->home_index;
		o->u.nonce_indices.care_of = bu->care_of_index;
	}
	o = mh_option_add(&m, MHOPT_AUTH_DATA);
	o->u.auth_data.len = RR_AUTH_LEN;
	len = mh_build(&m, buf, cap);
	if (len < RR_AUTH_LEN || !rr_authenticator(bu->kbm, &bu->care_of, &p->addr, buf, len,
					 len - RR_AUTH_LEN, RR_AUTH_LEN, buf + len - RR_AUTH_LEN))
		return 0;
	return len;
}

/* The kernel adds the Home Address option where this says so. */
static void path_set(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	const struct in6_addr *home = &mn->config.home_address;
	bool away = mn->path.location == MN_AWAY;

	if (away && !(p->path_set && in6_equal(&p->path, &mn->path.care_of))) {
		mn_check(mn, mn->ops->bu_path_set(mn->ops_ctx, home, &p->addr, &mn->path.care_of),
			"set the path of Binding Updates to a correspondent");
		p->path = mn->path.care_of;
	} else if (!away && p->path_set) {
		mn_check(mn, mn->ops->bu_path_del(mn->ops_ctx, home, &p->addr),
			"remove the path of Binding Updates to a correspondent");
	}
	p->path_set = away;
}

static void transmit(struct ro_peer *p, const struct in6_addr *peer_care_of)
{
	struct mn *mn = p->mn;
	struct ro_update *bu = &p->bu;
	uint8_t buf[MAX_BU];
	struct mip6_packet out = {.src = mn->config.home_address, .dst = p->addr, .data = buf};
	uint16_t lifetime;

	number(p);
	/* From now on the peer may have another binding than it has confirmed. */
	if (!in6_equal(&p->bound, &bu->care_of)) {
		p->bound = in6addr_any;
		p->bound_until = MN_PAST;
	}
	lifetime = bu->sent[(bu->n_sent - 1) % RO_SENT].lifetime;
	out.len = build(p, lifetime, buf, sizeof(buf));
	if (mn->path.location == MN_AWAY) {
		out.flags |= MIP6_PKT_HAO;
		out.src_coa = mn->path.care_of;
	} else {
		out.ifindex = mn->path.link->ifindex;
	}
	if (peer_care_of) {
		out.flags |= MIP6_PKT_RH2;
		out.dst_coa = *peer_care_of;
	}
	mn_check(mn, mn->env->send_mh(mn->env->ctx, &out),
		"send a Binding Update to a correspondent");
	mn_rate_take(&bu->rate, mn_now(mn));
	mn->stats.cbu_sent++;
	p->updates++;
	mn_ro_emit(p, (struct mip6_event){.type = EV_RO_BU_SENT,
			      .care_of = bu->care_of,
			      .status = -1,
			      .seq = p->seq,
			      .lifetime_s = (uint32_t)lifetime * MIP6_LIFETIME_UNIT,
			      .text = !lifetime      ? "de-registers"
				      : peer_care_of ? "to its care-of address"
						     : NULL});
}

/*
 * Until the home agent has answered the de-registration it sends what is for
 * the home address to the place that was left (RFC 6275 10.3.2), also the
 * answer for a neighbour for which it stands in (10.4.1).  Whoever asks then
 * gets none for a second, and what is behind him waits as long.
 */
static bool has_neighbours(const struct mn *mn, const struct in6_addr *peer)
{
	const struct ip6_prefix *home = &mn->config.home_prefix;

	return mn->path.location != MN_AT_HOME || mn->reg.state != MN_REG_DEREGISTERING ||
	       !in6_in_prefix(peer, &home->addr, home->plen);
}

/* Now, or as soon as MAX_UPDATE_RATE allows (11.8). */
static void send_bu(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	struct ro_update *bu = &p->bu;
	monotime_t now = mn_now(mn), when = mn_rate_when(&bu->rate, now);
	struct in6_addr peer_care_of;

	if (mono_before(now, when)) {
		mn_timer(mn, &bu->timer, when);
		return;
	}
	path_set(p);
	/* A peer that is mobile may have moved as well: by its care-of address, and by its home address. */
	if (mn->ro->cn && cn_care_of(mn->ro->cn, &mn->config.home_address, &p->addr, &peer_care_of))
		transmit(p, &peer_care_of);
	bu->held_back = !has_neighbours(mn, &p->addr);
	if (!bu->held_back && !mono_before(now, mn_rate_when(&bu->rate, now)))
		transmit(p, NULL);
	bu->tries++;
	mn_timer(mn, &bu->timer, mono_add_ms(now, bu->timeout_ms));
	bu->timeout_ms *= 2;
	if (bu->timeout_ms > MIP6_MAX_BINDACK_TIMEOUT)
		bu->timeout_ms = MIP6_MAX_BINDACK_TIMEOUT;
}

/* The same request: answers to what was sent before are still good. */
void mn_cbu_hurry(struct ro_peer *p)
{
	struct ro_update *bu = &p->bu;
	monotime_t last = bu->sent[(bu->n_sent - 1) % RO_SENT].at,
		   when = mono_add_ms(last, MIP6_INITIAL_BINDACK_TIMEOUT);

	bu->tries = 0;
	bu->timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT;
	if (mono_before(mn_now(p->mn), when))
		mn_timer(p->mn, &bu->timer, when);
	else
		send_bu(p);
}

static void start(struct ro_peer *p, bool deletes)
{
	if (!request(p, deletes))
		return;
	p->bu.waiting = true;
	send_bu(p);
}

/* What the peer sends by its binding is accepted before the Binding Update leaves. */
void mn_cbu_register(struct ro_peer *p)
{
	struct mn *mn = p->mn;

	if (!p->receiving)
		mn_check(mn,
			mn->ro->ops->receive_set(
				mn->ro->ops_ctx, &mn->config.home_address, &p->addr, true),
			"accept packets with a type 2 routing header");
	p->receiving = true;
	start(p, false);
}

void mn_cbu_delete(struct ro_peer *p)
{
	start(p, true);
}

void mn_cbu_pause(struct ro_peer *p)
{
	p->bu.waiting = p->bu.held_back = false;
	timer_stop(p->mn->env->timers, &p->bu.timer);
	rr_wipe(p->bu.kbm, sizeof(p->bu.kbm));
}

void mn_cbu_go_on(struct ro_peer *p)
{
	if (p->bu.waiting && p->bu.held_back)
		send_bu(p);
}

void mn_cbu_last_words(struct ro_peer *p)
{
	mn_cbu_pause(p);
	if (p->mn->path.location != MN_NOWHERE && mn_ro_may_live(p))
		start(p, true);
	mn_cbu_pause(p);
}

static void bu_timer(struct timer *t, void *arg)
{
	struct ro_peer *p = arg;
	struct ro_update *bu = &p->bu;

	(void)t;
	if (!mono_before(mn_now(p->mn), bu->key_until)) {
		mn_cbu_pause(p);
		mn_ro_pursue(p, "the tokens are too old");
	} else if (bu->tries > RO_MAX_FAILURE && !bu->deletes) {
		mn_ro_unanswered(p, "no answer to Binding Updates");
	} else if (bu->deletes && !mn_ro_may_live(p)) {
		mn_ro_deleted(p);
	} else {
		send_bu(p);
	}
}

void mn_cbu_init(struct ro_peer *p)
{
	timer_init(&p->bu.timer, bu_timer, p);
}

/* ---- answers ---- */

static bool authentic(
	const struct ro_peer *r, const struct mip6_packet *p, const struct mh_message *m)
{
	const struct mh_option *auth = mh_option(m, MHOPT_AUTH_DATA);
	uint8_t mac[RR_AUTH_LEN];

	return auth && auth->u.auth_data.len == RR_AUTH_LEN &&
	       rr_authenticator(r->bu.kbm, &r->bu.care_of, &r->addr, p->data, m->wire_len,
		       auth->u.auth_data.offset, auth->u.auth_data.len, mac) &&
	       rr_same(mac, auth->u.auth_data.data, RR_AUTH_LEN);
}

/* The transmission with this number, or -1. */
static int sent_index(const struct ro_update *bu, uint16_t seq)
{
	unsigned n = bu->n_sent < RO_SENT ? bu->n_sent : RO_SENT;

	for (unsigned i = 0; i < n; i++)
		if (bu->sent[i].seq == seq)
			return (int)i;
	return -1;
}

/*
 * Status 135, authenticated: go on from the number the correspondent knows.
 * When that is one of this request, it has accepted that one: two copies came
 * in the other order, and the acknowledgement that counts is under way.
 */
static void sequence_error(struct ro_peer *r, uint16_t seq)
{
	if (sent_index(&r->bu, seq) >= 0 || (int16_t)(uint16_t)(r->seq - seq) > 0)
		return;
	r->last_status = BA_SEQUENCE;
	r->seq = seq;
	if (r->bu.tries > RO_MAX_FAILURE)
		mn_ro_refused(r, ba_status_name(BA_SEQUENCE));
	else
		send_bu(r);
}

static void nonce_error(struct ro_peer *r, uint8_t status)
{
	monotime_t now = mn_now(r->mn);
	struct ro_token *t = mn_rr_care_of_token(r, &r->bu.from);

	if (mono_before(now, mono_add_s(r->provoked, RO_PROVOKED_S)))
		return;
	r->provoked = now;
	r->last_status = status;
	if (++r->nonce_errors > RO_MAX_FAILURE) {
		mn_ro_refused(r, ba_status_name(status));
		return;
	}
	if (status != BA_COA_NONCE_EXPIRED)
		rr_wipe(&r->home, sizeof(r->home));
	if (status != BA_HOME_NONCE_EXPIRED && t)
		rr_wipe(t, sizeof(*t));
	mn_cbu_pause(r);
	mn_ro_pursue(r, ba_status_name(status));
}

static void answered(struct ro_peer *r, const struct mh_message *m, int sent)
{
	uint8_t status = m->u.ba.status;
	uint16_t asked = r->bu.sent[sent].lifetime, units = m->u.ba.lifetime;
	bool deletes = r->bu.deletes;

	r->last_status = status;
	if (status >= BA_UNSPECIFIED) {
		r->mn->stats.ro_refused++;
		mn_ro_refused(r, ba_status_name(status));
	} else if (deletes) {
		mn_cbu_pause(r);
		mn_ro_deleted(r);
	} else if (!units) {
		mn_ro_refused(r, "accepted, but for no time");
	} else {
		mn_cbu_pause(r);
		mn_ro_confirmed(r, (uint32_t)(units < asked ? units : asked) * MIP6_LIFETIME_UNIT,
			r->bu.sent[sent].at);
	}
}

void mn_cbu_acknowledged(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m)
{
	struct ro_peer *r = mn->ro ? mn_ro_find(mn, &p->src) : NULL;
	uint8_t status = m->u.ba.status;
	bool nonces = status >= BA_HOME_NONCE_EXPIRED && status <= BA_NONCES_EXPIRED;
	int sent;

	mn->stats.ba_received++;
	if (!r || !r->bu.waiting || !in6_equal(&p->dst, &mn->config.home_address)) {
		mn->stats.ba_ignored++;
		return;
	}
	sent = sent_index(&r->bu, m->u.ba.seq);
	if ((!nonces && !authentic(r, p, m)) || (sent < 0 && status != BA_SEQUENCE)) {
		mn->stats.ba_ignored++;
		return;
	}
	mn->stats.cba_received++;
	if (status == BA_SEQUENCE)
		sequence_error(r, m->u.ba.seq);
	else if (nonces)
		nonce_error(r, status);
	else
		answered(r, m, sent);
}
