/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which home agents there are: Dynamic Home Agent Address Discovery (RFC 6275
 * 11.4.1) of a mobile node that is told none.
 *
 *          needed                   reply
 *   idle ----------> asking -------------------> idle
 *     ^               |  ^ time, or another link
 *     |      no reply v  |
 *     +------------- waiting
 *       registered
 *
 * It asks when it is away and has no home agent, and when all it knows have
 * failed.  They are tried in the order of the reply; one that answers stays in
 * use, and the others are kept for the day when it does not.
 *
 * Anybody may claim to be a home agent in a reply; that it is one shows the
 * security association that protects the registration (5.4).
 */
#include "mip6d/proto/mn_internal.h"

#define ASK_AGAIN_MS 120000 /* nobody replied, or nobody of the list serves us */
#define ASK_PACE_MS 1000 /* the next request, whatever the reason, not before */

const char *mn_candidate_state_name(enum mn_candidate_state s)
{
	static const char *const names[] = {
		[MN_CANDIDATE_UNTRIED] = "untried",
		[MN_CANDIDATE_TRIED] = "tried",
		[MN_CANDIDATE_FAILED] = "failed",
		[MN_CANDIDATE_REGISTERED] = "registered",
	};

	return names[s];
}

bool mn_has_home_agent(const struct mn *mn)
{
	return !in6_is_any(&mn->config.home_agent);
}

/* RFC 2526: the Mobile IPv6 Home-Agents anycast address, for interface identifiers of 64 bits. */
static struct in6_addr home_agents_anycast(const struct mn *mn)
{
	static const uint8_t identifier[8] = {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
	struct in6_addr a = mn->config.home_prefix.addr;

	for (size_t i = 0; i < sizeof(identifier); i++)
		a.s6_addr[8 + i] = identifier[i];
	return a;
}

/* ---- asking ---- */

static void change_state(struct mn *mn, enum mn_discovery_state to, int64_t timer_ms)
{
	struct mn_discovery *d = &mn->discovery;

	d->state = to;
	if (to == MN_DISCOVERY_IDLE)
		timer_stop(mn->env->timers, &d->timer);
	else
		mn_timer(mn, &d->timer, mono_add_ms(mn_now(mn), timer_ms));
}

static void send_request(struct mn *mn)
{
	struct mn_discovery *d = &mn->discovery;
	struct icmp6_message m = {.type = ICMP6T_DHAAD_REQUEST};
	uint8_t buf[16];
	struct mip6_packet p = {
		.src = mn->path.care_of, .dst = home_agents_anycast(mn), .data = buf};

	m.u.dhaad.id = d->id;
	m.u.dhaad.mobile_router = mn->config.router.n_networks > 0; /* RFC 3963 7.1 */
	p.len = icmp6_build(&m, buf, sizeof(buf));
	d->tries++;
	d->sent_at = mn_now(mn);
	mn->stats.discovery_sent++;
	mn_check(mn, mn->env->send_icmp6(mn->env->ctx, &p), "ask for home agents");
	mn_emit(mn,
		(struct mip6_event){
			.type = EV_DISCOVERY_SENT, .care_of = p.src, .peer = p.dst, .status = -1});
	change_state(mn, MN_DISCOVERY_ASKING, d->timeout_ms);
}

/* A new request, as soon as the pace allows. */
static void ask(struct mn *mn)
{
	struct mn_discovery *d = &mn->discovery;
	monotime_t next = mono_add_ms(d->sent_at, ASK_PACE_MS);

	if (mn->path.location != MN_AWAY || mn->stopping) {
		change_state(mn, MN_DISCOVERY_IDLE, 0);
		return;
	}
	if (d->asked && mono_before(mn_now(mn), next)) {
		change_state(mn, MN_DISCOVERY_WAITING, mono_diff_ms(next, mn_now(mn)));
		return;
	}
	d->asked = true;
	d->tries = 0;
	d->timeout_ms = MIP6_INITIAL_DHAAD_TIMEOUT;
	mn->env->random(mn->env->ctx, &d->id, sizeof(d->id));
	send_request(mn);
}

static void discovery_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_discovery *d = &mn->discovery;

	(void)t;
	if (d->state == MN_DISCOVERY_WAITING || mn->path.location != MN_AWAY) {
		ask(mn);
		return;
	}
	if (d->tries <= MIP6_DHAAD_RETRIES) {
		d->timeout_ms *= 2;
		send_request(mn);
		return;
	}
	if (mn_may_log(mn))
		log_warning("no home agent of %s/%u answers discovery",
			in6_str(&mn->config.home_prefix.addr), mn->config.home_prefix.plen);
	change_state(mn, MN_DISCOVERY_WAITING, ASK_AGAIN_MS);
}

void mn_discovery_init(struct mn *mn)
{
	timer_init(&mn->discovery.timer, discovery_timer, mn);
}

void mn_discovery_stop(struct mn *mn)
{
	change_state(mn, MN_DISCOVERY_IDLE, 0);
}

void mn_discovery_moved(struct mn *mn)
{
	struct mn_discovery *d = &mn->discovery;

	if (!mn->config.discover)
		return;
	if (mn->path.location != MN_AWAY)
		mn_discovery_stop(mn);
	else if (!mn_has_home_agent(mn) || d->exhausted)
		ask(mn);
}

/* ---- candidates ---- */

static struct mn_candidate *find(struct mn_discovery *d, const struct in6_addr *a)
{
	for (size_t i = 0; i < d->n; i++)
		if (in6_equal(&d->candidates[i].addr, a))
			return &d->candidates[i];
	return NULL;
}

static bool usable(const struct mn *mn, const struct in6_addr *a)
{
	return in6_is_routable_unicast(a) && !in6_equal(a, &mn->config.home_address);
}

/* The first one that was not tried yet becomes the home agent. */
static bool try_next(struct mn *mn)
{
	struct mn_discovery *d = &mn->discovery;

	for (size_t i = 0; i < d->n; i++) {
		struct mn_candidate *c = &d->candidates[i];

		if (c->state != MN_CANDIDATE_UNTRIED)
			continue;
		if (in6_equal(&c->addr, &mn->config.home_agent))
			continue;
		c->state = MN_CANDIDATE_TRIED;
		mn_change_home_agent(mn, &c->addr, d->leaving);
		return true;
	}
	return false;
}

static void take(struct mn *mn, const struct icmp6_dhaad *r)
{
	struct mn_discovery *d = &mn->discovery;
	struct mn_candidate *c;

	d->n = 0;
	for (size_t i = 0; i < r->n_addrs && d->n < MN_MAX_CANDIDATES; i++)
		if (usable(mn, &r->addrs[i]) && !find(d, &r->addrs[i]))
			d->candidates[d->n++] = (struct mn_candidate){.addr = r->addrs[i]};
	/* It has just failed, or is being asked: the others come first. */
	c = mn_has_home_agent(mn) ? find(d, &mn->config.home_agent) : NULL;
	if (c)
		c->state = mn_binding_may_live(mn) ? MN_CANDIDATE_TRIED : MN_CANDIDATE_FAILED;
}

/* A mobile router does not register where nobody serves its networks (RFC 3963 7.2, 5.4). */
static bool reply_serves(const struct mn *mn, const struct icmp6_dhaad *r)
{
	return !mn->config.router.n_networks || r->mobile_router;
}

void mn_discovery_received(struct mn *mn, const struct mip6_packet *p, const struct icmp6_dhaad *r)
{
	struct mn_discovery *d = &mn->discovery;

	if (d->state != MN_DISCOVERY_ASKING || r->id != d->id ||
		(p->flags & (MIP6_PKT_RH2 | MIP6_PKT_TUNNELED))) {
		mn->stats.discovery_ignored++;
		return;
	}
	mn->stats.discovery_received++;
	take(mn, r);
	if (!d->n || !reply_serves(mn, r)) {
		if (mn_may_log(mn))
			log_warning("%s knows no home agent %s", in6_str(&p->src),
				d->n ? "that serves mobile routers" : "for this node");
		d->n = 0;
		change_state(mn, MN_DISCOVERY_WAITING, ASK_AGAIN_MS);
		return;
	}
	mn_emit(mn, (struct mip6_event){.type = EV_HOME_AGENTS,
			    .care_of = mn->path.care_of,
			    .peer = p->src,
			    .status = -1});
	change_state(mn, MN_DISCOVERY_IDLE, 0);
	if (d->exhausted || !mn_has_home_agent(mn)) {
		d->exhausted = !try_next(mn);
		if (d->exhausted)
			change_state(mn, MN_DISCOVERY_WAITING, ASK_AGAIN_MS);
	}
}

bool mn_discovery_next(struct mn *mn)
{
	struct mn_discovery *d = &mn->discovery;
	struct mn_candidate *c;

	if (!mn->config.discover || mn->agent.leaving)
		return false;
	c = find(d, &mn->config.home_agent);
	if (c)
		c->state = MN_CANDIDATE_FAILED;
	if (try_next(mn))
		return true;
	if (!d->exhausted) {
		d->exhausted = true;
		ask(mn);
	}
	return false;
}

bool mn_discovery_leave(struct mn *mn)
{
	if (!mn->config.discover)
		return false;
	mn->discovery.leaving = true;
	/* With nobody else to go to it asks, and stays until there is an answer. */
	(void)mn_discovery_next(mn);
	return true;
}

void mn_discovery_done(struct mn *mn)
{
	struct mn_discovery *d = &mn->discovery;

	d->exhausted = d->leaving = false;
	mn_discovery_stop(mn);
	/* What was of no use then may be later. */
	for (size_t i = 0; i < d->n; i++)
		d->candidates[i].state = in6_equal(&d->candidates[i].addr, &mn->config.home_agent)
						 ? MN_CANDIDATE_REGISTERED
						 : MN_CANDIDATE_UNTRIED;
}

void mn_foreach_candidate(
	const struct mn *mn, bool (*fn)(void *arg, const struct mn_candidate *c), void *arg)
{
	for (size_t i = 0; i < mn->discovery.n; i++)
		if (!fn(arg, &mn->discovery.candidates[i]))
			return;
}
