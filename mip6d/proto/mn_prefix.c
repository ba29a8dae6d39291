/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefixes of the home link while the node is away: Mobile Prefix
 * Solicitations and Advertisements (RFC 6275 11.4.2, 11.4.3, 11.8).
 *
 * It solicits when the home agent says that there is news (status 1 of a
 * Binding Acknowledgement, or an advertisement that nobody asked for) and when
 * a quarter of the home prefix's lifetime is left.  Lifetimes are followed as
 * those of a Router Advertisement are (RFC 4862 5.5.3): without IPsec nobody
 * can bring the end nearer than two hours.
 *
 * Bindings do not outlive the home prefix.  When it is no longer valid, the
 * home address is not used any more.  A new prefix is told, with the address
 * that this node would have there; taking it into use is left to the operator,
 * who has to configure it, its policies and its keys anyway.
 */
#include "mip6d/proto/mn_internal.h"

#define TWO_HOURS_S 7200
#define SOLICIT_PACE_MS \
	MIP6_INITIAL_SOLICIT_TIMER /* a new solicitation, whatever the reason, not before */

static struct mn_home_prefix *find(struct mn *mn, const struct ip6_prefix *p)
{
	struct mn_prefixes *s = &mn->prefixes;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].prefix.plen == p->plen &&
			in6_equal(&s->list[i].prefix.addr, &p->addr))
			return &s->list[i];
	return NULL;
}

/* Always there: the first one. */
static struct mn_home_prefix *own(struct mn *mn)
{
	return &mn->prefixes.list[0];
}

monotime_t mn_home_valid_until(const struct mn *mn)
{
	return mn->prefixes.list[0].valid_until;
}

static uint32_t seconds_until(monotime_t t, monotime_t now)
{
	int64_t s;

	if (t.us == MONOTIME_NEVER.us)
		return UINT32_MAX;
	s = mono_before(now, t) ? mono_diff_s(t, now) : 0;
	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX - 1;
}

static monotime_t end_of(monotime_t now, uint32_t s)
{
	return s == UINT32_MAX ? MONOTIME_NEVER : mono_add_s(now, s);
}

/* ---- soliciting ---- */

static bool bound(const struct mn *mn)
{
	return mn->path.location == MN_AWAY && mn->bu_path && !mn->stopping && !mn->agent.leaving &&
	       mono_before(mn_now(mn), mn->reg.acked_until);
}

static void send_solicitation(struct mn *mn)
{
	struct mn_prefixes *s = &mn->prefixes;
	struct icmp6_message m = {.type = ICMP6T_MPS};
	uint8_t buf[16];
	struct mip6_packet p = {.src = mn->config.home_address,
		.dst = mn->config.home_agent,
		.src_coa = mn->path.care_of,
		.flags = MIP6_PKT_HAO | (mn->config.require_ipsec ? MIP6_PKT_PROTECTED : 0u),
		.data = buf};

	m.u.mps.id = s->id;
	p.len = icmp6_build(&m, buf, sizeof(buf));
	s->sent = true;
	s->sent_at = mn_now(mn);
	mn->stats.prefix_solicitations++;
	mn_check(mn, mn->env->send_icmp6(mn->env->ctx, &p), "solicit home prefixes");
	mn_emit(mn, (struct mip6_event){.type = EV_PREFIX_SOLICITED,
			    .care_of = p.src_coa,
			    .peer = p.dst,
			    .status = -1});
	mn_timer(mn, &s->timer, mono_add_ms(s->sent_at, s->timeout_ms));
}

static void start(struct mn *mn)
{
	struct mn_prefixes *s = &mn->prefixes;

	s->wanted = false;
	s->asking = true;
	s->timeout_ms = MIP6_INITIAL_SOLICIT_TIMER;
	mn->env->random(mn->env->ctx, &s->id, sizeof(s->id)); /* 11.4.2: MUST be random */
	send_solicitation(mn);
}

void mn_prefix_solicit(struct mn *mn)
{
	struct mn_prefixes *s = &mn->prefixes;
	monotime_t next = mono_add_ms(s->sent_at, SOLICIT_PACE_MS);

	if (s->asking)
		return;
	s->wanted = true;
	if (!bound(mn))
		return; /* the next registration */
	if (s->sent && mono_before(mn_now(mn), next))
		mn_timer(mn, &s->timer, next);
	else
		start(mn);
}

static void solicit_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_prefixes *s = &mn->prefixes;

	(void)t;
	if (!bound(mn)) {
		s->wanted = true;
		s->asking = false;
	} else if (!s->asking) {
		start(mn);
	} else {
		s->timeout_ms *= 2;
		if (s->timeout_ms > MIP6_MAX_BINDACK_TIMEOUT)
			s->timeout_ms = MIP6_MAX_BINDACK_TIMEOUT;
		send_solicitation(mn);
	}
}

void mn_prefix_registered(struct mn *mn, bool news)
{
	if (news || mn->prefixes.wanted)
		mn_prefix_solicit(mn);
}

/* ---- the end of the home prefix ---- */

static void tell(struct mn *mn, const struct mn_home_prefix *h, const char *text)
{
	bool is_own = h == own(mn);
	struct in6_addr formed = in6_join(&h->prefix.addr, &mn->config.home_address);
	uint32_t valid_s = seconds_until(h->valid_until, mn_now(mn));

	log_notice("home prefix %s/%u: %s", in6_str(&h->prefix.addr), h->prefix.plen, text);
	if (!is_own)
		log_notice("the home address there would be %s", in6_str(&formed));
	mn_emit(mn, (struct mip6_event){.type = EV_HOME_PREFIX,
			    .care_of = is_own ? in6addr_any : formed,
			    .peer = h->prefix.addr,
			    .status = -1,
			    .lifetime_s = valid_s,
			    .text = text});
}

static void watch_end(struct mn *mn)
{
	struct mn_prefixes *s = &mn->prefixes;
	monotime_t now = mn_now(mn), end = own(mn)->valid_until;
	int64_t left;

	if (end.us == MONOTIME_NEVER.us) {
		timer_stop(mn->env->timers, &s->end_timer);
		return;
	}
	left = mono_before(now, end) ? mono_diff_ms(end, now) : 0;
	s->last_quarter = left <= SOLICIT_PACE_MS;
	mn_timer(mn, &s->end_timer, mono_add_ms(now, s->last_quarter ? left : left / 4 * 3));
}

static void end_timer(struct timer *t, void *arg)
{
	struct mn *mn = arg;
	struct mn_prefixes *s = &mn->prefixes;

	(void)t;
	if (mn->stopping)
		return;
	if (mono_before(mn_now(mn), own(mn)->valid_until)) {
		watch_end(mn); /* the next is the last quarter of the rest */
		mn_prefix_solicit(mn);
		return;
	}
	s->invalid = true;
	s->asking = s->wanted = false;
	timer_stop(mn->env->timers, &s->timer);
	log_error("home address %s is no longer valid; configure one of a prefix that the home "
		  "link has (mip6ctl prefixes)",
		in6_str(&mn->config.home_address));
	tell(mn, own(mn), "no longer valid");
	mn_path_home_invalid(mn);
}

void mn_prefix_init(struct mn *mn)
{
	struct mn_prefixes *s = &mn->prefixes;

	s->n = 1;
	own(mn)->prefix = mn->config.home_prefix;
	own(mn)->valid_until = own(mn)->preferred_until = MONOTIME_NEVER;
	timer_init(&s->timer, solicit_timer, mn);
	timer_init(&s->end_timer, end_timer, mn);
}

void mn_prefix_stop(struct mn *mn)
{
	timer_stop(mn->env->timers, &mn->prefixes.timer);
	timer_stop(mn->env->timers, &mn->prefixes.end_timer);
}

void mn_prefix_at_home(struct mn *mn)
{
	if (!mn->prefixes.invalid)
		return;
	mn->prefixes.invalid = false;
	own(mn)->known = false;
	own(mn)->valid_until = own(mn)->preferred_until = MONOTIME_NEVER;
}

/* ---- advertisements ---- */

/* RFC 4862 5.5.3 e */
static uint32_t believed(
	const struct mn_home_prefix *h, uint32_t valid_s, bool authentic, monotime_t now)
{
	uint32_t left = seconds_until(h->valid_until, now);

	if (authentic || !h->known || valid_s > TWO_HOURS_S || valid_s > left)
		return valid_s;
	return left <= TWO_HOURS_S ? left : TWO_HOURS_S;
}

static struct mn_home_prefix *take_new(struct mn *mn, const struct ip6_prefix *p, uint32_t valid_s)
{
	struct mn_prefixes *s = &mn->prefixes;
	monotime_t now = mn_now(mn);
	struct mn_home_prefix *h = NULL;

	if (!valid_s)
		return NULL;
	for (size_t i = 1; i < s->n && !h; i++)
		if (!mono_before(now, s->list[i].valid_until))
			h = &s->list[i];
	if (!h && s->n < MN_MAX_HOME_PREFIXES)
		h = &s->list[s->n++];
	if (h)
		*h = (struct mn_home_prefix){
			.prefix = *p, .valid_until = now, .preferred_until = now};
	return h;
}

static const char *what_changed(const struct mn_home_prefix *before,
	const struct mn_home_prefix *after, bool is_new, monotime_t now)
{
	bool was = before->known ? mono_before(now, before->preferred_until) : true;

	if (is_new)
		return "new";
	if (was && !mono_before(now, after->preferred_until))
		return "deprecated";
	/* An answer to the same question a moment later is no news. */
	if (mono_before(mono_add_s(after->valid_until, 2), before->valid_until))
		return "valid for less time";
	return NULL;
}

static void take(struct mn *mn, const struct nd_prefix *p, bool authentic)
{
	struct ip6_prefix prefix = {in6_mask(&p->prefix, p->plen), p->plen};
	struct mn_home_prefix *h = find(mn, &prefix), before;
	monotime_t now = mn_now(mn);
	bool is_new = !h;
	const char *text;

	/* 5.5.3 a to d: for addresses, not link-local, and the two lifetimes in order */
	if (!p->autonomous || p->preferred_s > p->valid_s ||
		(p->plen != 64 && p->plen != own(mn)->prefix.plen) ||
		!in6_is_routable_unicast(&prefix.addr))
		return;
	if (!h)
		h = take_new(mn, &prefix, p->valid_s);
	if (!h)
		return;
	before = *h;
	h->valid_until = end_of(now, believed(h, p->valid_s, authentic, now));
	h->preferred_until = end_of(now, p->preferred_s);
	h->known = true;
	text = what_changed(&before, h, is_new, now);
	if (text)
		tell(mn, h, text);
}

/* 11.4.3 */
static bool valid(const struct mn *mn, const struct mip6_packet *p)
{
	if (!mn_has_home_agent(mn) || !in6_equal(&p->src, &mn->config.home_agent) ||
		!in6_equal(&p->dst, &mn->config.home_address) || !(p->flags & MIP6_PKT_RH2))
		return false;
	return !mn->config.require_ipsec || (p->flags & MIP6_PKT_PROTECTED);
}

void mn_prefix_received(struct mn *mn, const struct mip6_packet *p, const struct icmp6_mpa *a)
{
	bool authentic = (p->flags & MIP6_PKT_PROTECTED) || mn->config.unprotected_signals;
	struct mn_prefixes *s = &mn->prefixes;

	if (!valid(mn, p)) {
		mn->stats.prefix_ignored++;
		return;
	}
	if (!s->asking || a->id != s->id) {
		mn->stats.prefix_ignored++;
		mn_prefix_solicit(mn);
		return;
	}
	s->asking = false;
	timer_stop(mn->env->timers, &s->timer);
	mn->stats.prefix_advertisements++;
	for (size_t i = 0; i < a->n_prefixes; i++)
		take(mn, &a->prefixes[i], authentic);
	watch_end(mn);
	/* 11.4.2: no binding beyond the end of the prefix, here and at correspondents */
	if (bound(mn) && mono_before(mn_now(mn), own(mn)->valid_until) &&
		mono_before(own(mn)->valid_until, mn->reg.acked_until))
		mn_reg_register(mn, &mn->path.care_of);
}

void mn_foreach_home_prefix(
	const struct mn *mn, bool (*fn)(void *arg, const struct mn_home_prefix_info *i), void *arg)
{
	const struct mn_prefixes *s = &mn->prefixes;
	monotime_t now = mn_now(mn);

	for (size_t i = 0; i < s->n; i++) {
		const struct mn_home_prefix *h = &s->list[i];
		struct mn_home_prefix_info info = {.prefix = h->prefix,
			.home_address = in6_join(&h->prefix.addr, &mn->config.home_address),
			.in_use = i == 0,
			.known = h->known,
			.valid_s = seconds_until(h->valid_until, now),
			.preferred_s = seconds_until(h->preferred_until, now)};

		if (!fn(arg, &info))
			return;
	}
}
