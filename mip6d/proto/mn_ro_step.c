/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Route optimization with one peer: what is wanted, what has been reached, the
 * next step (doc/route-optimization.md).
 *
 *             traffic        tokens            BA
 *      idle ----------> testing -----> updating -----> bound
 *       ^                  ^  \           /  \           |
 *       |                  |   no answer, or no          | home, or by hand
 *       | BA               |        v                    v
 *       +-- deleting <-----+--- refused               deleting
 *
 * A refresh and a move go through testing and updating again; while the
 * binding that the peer has names the place where we are, what we send takes
 * the direct path (`direct`), whatever the state.
 */
#include <string.h>

#include "mip6d/proto/mn_ro_internal.h"

enum goal {
	GOAL_WAIT, /* nothing can be sent from here */
	GOAL_NOTHING,
	GOAL_BIND,
	GOAL_DELETE,
};

bool mn_ro_may_live(const struct ro_peer *p)
{
	return mono_before(mn_now(p->mn), p->may_live_until);
}

static bool bound_here(const struct ro_peer *p)
{
	return mono_before(mn_now(p->mn), p->bound_until) &&
	       in6_equal(&p->bound, &p->mn->path.care_of);
}

static bool wanted(const struct ro_peer *p)
{
	return !p->manual_off && !p->forget && (p->wanted || p->manual_on) &&
	       !p->mn->reg.home_address_lost;
}

static enum goal goal(const struct ro_peer *p)
{
	const struct mn_path *path = &p->mn->path;

	if (p->mn->stopping || path->location == MN_NOWHERE || path->suspended)
		return GOAL_WAIT;
	if (path->location == MN_AWAY && wanted(p))
		return p->state == MN_RO_REFUSED ? GOAL_NOTHING : GOAL_BIND;
	return mn_ro_may_live(p) ? GOAL_DELETE : GOAL_NOTHING;
}

/*
 * 11.7.2: a correspondent is told after the home agent has accepted.  A home
 * registration that lives is that; see "A move" in doc/route-optimization.md.
 */
static bool may_update(const struct mn *mn)
{
	return (mn->reg.state == MN_REG_REGISTERED || mn->reg.state == MN_REG_REFRESHING) &&
	       mono_diff_s(mn->reg.acked_until, mn_now(mn)) >= MIP6_LIFETIME_UNIT;
}

/* Traffic lately, or wanted by hand. */
bool mn_ro_in_use(const struct ro_peer *p)
{
	const struct mn_ro *ro = p->mn->ro;
	int64_t idle;

	if (p->manual_on || !ro->ops->idle_s)
		return true;
	idle = ro->ops->idle_s(ro->ops_ctx, &p->mn->config.home_address, &p->addr);
	if (idle >= 0 && idle < ro->config.idle_s)
		return true;
	return mono_before(mn_now(p->mn), mono_add_s(p->used, ro->config.idle_s));
}

/* ---- the direct path ---- */

static void direct_on(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	const struct in6_addr *home = &mn->config.home_address;

	if (p->direct)
		return;
	if (mn_check(mn, mn->ro->ops->own_set(mn->ro->ops_ctx, home, &p->addr, &p->bound),
		    "send directly to a correspondent") < 0)
		return;
	p->direct = true;
	mn_ro_emit(p, (struct mip6_event){.type = EV_RO_DIRECT, .care_of = p->bound, .status = -1});
}

/* From the new place at once: the peer takes it, whatever care-of address it knows. */
static void follow(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	const struct in6_addr *care_of = &mn->path.care_of;

	if (mn_check(mn,
		    mn->ro->ops->own_set(
			    mn->ro->ops_ctx, &mn->config.home_address, &p->addr, care_of),
		    "send directly from the new place") < 0) {
		mn_ro_tunnel(p, "the node moves");
		return;
	}
	if (p->direct)
		return;
	p->direct = true;
	mn_ro_emit(p, (struct mip6_event){.type = EV_RO_DIRECT, .care_of = *care_of, .status = -1});
}

static void path_clear(struct ro_peer *p)
{
	struct mn *mn = p->mn;

	if (p->path_set)
		mn_check(mn, mn->ops->bu_path_del(mn->ops_ctx, &mn->config.home_address, &p->addr),
			"remove the path of Binding Updates to a correspondent");
	p->path_set = false;
}

/*
 * The path of Binding Updates goes as well, the next of them sets it again: policies with an optional
 * template of the Home Address option would find its state, with a care-of address of the past.
 */
void mn_ro_tunnel(struct ro_peer *p, const char *why)
{
	struct mn *mn = p->mn;

	path_clear(p);
	if (!p->direct)
		return;
	p->direct = false;
	mn_check(mn,
		mn->ro->ops->own_set(mn->ro->ops_ctx, &mn->config.home_address, &p->addr, NULL),
		"send to a correspondent by the home agent");
	mn_ro_emit(p, (struct mip6_event){.type = EV_RO_TUNNEL, .status = -1, .text = why});
}

void mn_ro_kernel_clear(struct ro_peer *p)
{
	struct mn *mn = p->mn;
	const struct in6_addr *home = &mn->config.home_address;

	mn_ro_tunnel(p, "no binding");
	if (p->receiving)
		mn_check(mn, mn->ro->ops->receive_set(mn->ro->ops_ctx, home, &p->addr, false),
			"refuse packets with a type 2 routing header");
	p->receiving = false;
}

/* ---- states ---- */

static void timer_of_state(struct ro_peer *p)
{
	monotime_t when = MONOTIME_NEVER, now = mn_now(p->mn);

	if (p->state == MN_RO_REFUSED)
		return; /* started on entry */
	if (mono_before(now, p->bound_until))
		when = p->state == MN_RO_BOUND && mono_before(now, p->refresh_at) ? p->refresh_at
										  : p->bound_until;
	mn_timer(p->mn, &p->timer, when);
}

/*
 * With whom a secret is shared (RFC 4449), he knows route optimization: what he did not answer was lost.
 * One that has SAs with us is even known to be there.
 */
static int64_t refused_wait_ms(const struct ro_peer *p)
{
	if (p->sealed && p->silent)
		return p->refused_wait_ms / RO_SEALED_SOONER;
	return mn_ro_shared(p) ? p->refused_wait_ms / RO_SHARED_SOONER : p->refused_wait_ms;
}

/* The only place where the state changes. */
static void change_state(struct ro_peer *p, enum mn_ro_state to, const char *why)
{
	enum mn_ro_state from = p->state;

	p->state = to;
	if (from != to)
		log_debug("route optimization with %s: %s -> %s", in6_str(&p->addr),
			mn_ro_state_name(from), mn_ro_state_name(to));
	switch (to) {
	case MN_RO_IDLE:
		mn_ro_kernel_clear(p);
		break;
	case MN_RO_TESTING:
		mn_ro_watch(p, false);
		if (from != to)
			mn_ro_emit(p, (struct mip6_event){
					      .type = EV_RO_STARTED, .status = -1, .text = why});
		break;
	case MN_RO_REFUSED:
		mn_ro_kernel_clear(
			p); /* or what is sent later has the care-of address of this attempt */
		mn_timer(p->mn, &p->timer, mono_add_ms(mn_now(p->mn), refused_wait_ms(p)));
		p->refused_wait_ms *= 2;
		if (p->refused_wait_ms > RO_REFUSED_MAX_MS)
			p->refused_wait_ms = RO_REFUSED_MAX_MS;
		break;
	case MN_RO_UPDATING:
	case MN_RO_BOUND:
	case MN_RO_DELETING:
		break;
	}
	timer_of_state(p);
}

static void nothing_under_way(struct ro_peer *p)
{
	mn_rr_pause(p);
	mn_cbu_pause(p);
}

/* ---- steps ---- */

static void do_nothing(struct ro_peer *p)
{
	bool away = p->mn->path.location == MN_AWAY;

	nothing_under_way(p);
	if (p->state != MN_RO_REFUSED)
		change_state(p, MN_RO_IDLE, NULL);
	if (p->forget)
		mn_ro_drop(p);
	else
		mn_ro_watch(p, away && !p->manual_off && !p->manual_on && p->state == MN_RO_IDLE);
}

static void update(struct ro_peer *p, const char *why)
{
	if (p->state != MN_RO_TESTING && p->state != MN_RO_UPDATING)
		change_state(p, MN_RO_TESTING, why);
	if (!may_update(p->mn))
		return;
	if (!mn_ro_shared(p))
		mn_ro_emit(p, (struct mip6_event){.type = EV_RO_TESTED,
				      .care_of = p->mn->path.care_of,
				      .status = -1});
	change_state(p, MN_RO_UPDATING, NULL);
	mn_cbu_register(p);
}

static void bind_here(struct ro_peer *p, const char *why)
{
	const struct in6_addr *care_of = &p->mn->path.care_of;
	bool home, here;

	if (bound_here(p)) {
		direct_on(p);
		if (!p->refresh) {
			nothing_under_way(p);
			change_state(p, MN_RO_BOUND, NULL);
			return;
		}
	}
	if (p->bu.waiting && !p->bu.deletes && in6_equal(&p->bu.from, care_of))
		return;
	mn_cbu_pause(p);
	if (mn_ro_shared(p)) {
		update(p, why);
		return;
	}
	home = mn_rr_usable(p, &p->home);
	here = mn_rr_care_of_token(p, care_of);
	if (home && here) {
		update(p, why);
		return;
	}
	change_state(p, MN_RO_TESTING, why);
	mn_rr_run(p, !home, here ? NULL : care_of);
}

static void delete_there(struct ro_peer *p)
{
	mn_ro_tunnel(p, p->mn->path.location == MN_AT_HOME ? "at home" : mn_ro_by(p));
	if (p->bu.waiting && p->bu.deletes && in6_equal(&p->bu.from, &p->mn->path.care_of))
		return;
	mn_cbu_pause(p);
	change_state(p, MN_RO_DELETING, NULL);
	if (mn_ro_shared(p) || mn_rr_usable(p, &p->home)) {
		mn_rr_pause(p);
		mn_cbu_delete(p);
	} else {
		mn_rr_run(p, true, NULL);
	}
}

void mn_ro_pursue(struct ro_peer *p, const char *why)
{
	switch (goal(p)) {
	case GOAL_WAIT:
		mn_ro_tunnel(p, "no place to send from");
		nothing_under_way(p);
		break;
	case GOAL_NOTHING:
		do_nothing(p);
		break;
	case GOAL_BIND:
		bind_here(p, why ? why : "the test goes on");
		break;
	case GOAL_DELETE:
		delete_there(p);
		break;
	}
}

/* ---- outcomes ---- */

/* Well before the end: time for tests and retransmissions. */
static uint32_t refresh_margin(uint32_t granted_s)
{
	if (granted_s <= 32)
		return granted_s / 2;
	return granted_s / 10 > 16 ? granted_s / 10 : 16;
}

void mn_ro_confirmed(struct ro_peer *p, uint32_t lifetime_s, monotime_t sent)
{
	p->bound = p->bu.care_of;
	p->granted_s = lifetime_s;
	/* 11.7.3: counted from when the Binding Update was sent */
	p->bound_until = p->may_live_until = mono_add_s(sent, lifetime_s);
	p->refresh_at = mono_add_s(sent, lifetime_s - refresh_margin(lifetime_s));
	p->refresh = false;
	p->refused_wait_ms = RO_REFUSED_MS;
	p->nonce_errors = 0;
	mn_ro_pursue(p, NULL);
}

void mn_ro_deleted(struct ro_peer *p)
{
	p->bound = in6addr_any;
	p->bound_until = p->may_live_until = MN_PAST;
	p->refresh = false;
	mn_ro_pursue(p, NULL);
}

static void refuse(struct ro_peer *p, const char *why)
{
	/* A deletion that is refused is left to time. */
	if (p->state == MN_RO_DELETING) {
		mn_ro_deleted(p);
		return;
	}
	if (mn_may_log(p->mn))
		log_info("no route optimization with %s: %s", in6_str(&p->addr), why);
	mn_ro_tunnel(p, why);
	nothing_under_way(p);
	mn_rr_forget(p);
	p->bound = in6addr_any;
	p->bound_until = MN_PAST;
	p->refresh = false;
	p->nonce_errors = 0;
	change_state(p, MN_RO_REFUSED, why);
}

void mn_ro_refused(struct ro_peer *p, const char *why)
{
	p->silent = false;
	refuse(p, why);
}

void mn_ro_unanswered(struct ro_peer *p, const char *why)
{
	p->silent = true;
	refuse(p, why);
}

void mn_ro_again(struct ro_peer *p)
{
	change_state(p, MN_RO_IDLE, NULL);
}

/* Nor has the correspondent a binding whose key counts no more (cn_shared_set()), though we could not know when it ended. */
void mn_ro_unauthorized(struct ro_peer *p, const char *why)
{
	mn_ro_tunnel(p, why);
	p->bound = in6addr_any;
	p->bound_until = MN_PAST;
	p->refresh = false;
}

static void expired(struct ro_peer *p)
{
	bool in_use = p->refresh || mn_ro_in_use(p);

	mn_ro_unauthorized(p, "the binding has expired");
	p->wanted = p->wanted && in_use;
	mn_ro_pursue(p, "the binding has expired");
}

static void peer_timer(struct timer *t, void *arg)
{
	struct ro_peer *p = arg;
	monotime_t now = mn_now(p->mn);

	(void)t;
	if (p->state == MN_RO_REFUSED) {
		/* Traffic, or the wish by hand, tries it again. */
		p->wanted = false;
		change_state(p, MN_RO_IDLE, NULL);
		mn_ro_pursue(p, "after a while");
	} else if (!mono_before(now, p->bound_until)) {
		expired(p);
	} else if (mn_ro_in_use(p)) {
		p->refresh = true;
		mn_ro_pursue(p, "refresh");
		timer_of_state(p);
	} else {
		/* Without traffic it may expire; there may be some until then. */
		p->refresh_at = mono_add_s(now, RO_PROVOKED_S);
		if (mono_before(p->bound_until, p->refresh_at))
			p->refresh_at = p->bound_until;
		mn_timer(p->mn, &p->timer, p->refresh_at);
	}
}

void mn_ro_peer_init(struct ro_peer *p)
{
	p->last_status = -1;
	p->refused_wait_ms = RO_REFUSED_MS;
	p->bound_until = p->may_live_until = p->refresh_at = p->provoked = p->heard = MN_PAST;
	timer_init(&p->timer, peer_timer, p);
	mn_rr_init(p);
	mn_cbu_init(p);
}

void mn_ro_peer_stop(struct ro_peer *p)
{
	nothing_under_way(p);
	timer_stop(p->mn->env->timers, &p->timer);
}

/* ---- what the path tells ---- */

void mn_ro_withdraw(struct mn *mn)
{
	if (!mn->ro)
		return;
	for (struct ro_peer *p = mn->ro->peers; p; p = p->next)
		mn_ro_tunnel(p, "the node moves");
}

void mn_ro_follow(struct mn *mn)
{
	for (struct ro_peer *p = mn->ro ? mn->ro->peers : NULL; p; p = p->next) {
		if (p->sealed && !in6_is_any(&p->bound) && mono_before(mn_now(mn), p->bound_until))
			follow(p);
		else
			mn_ro_tunnel(p, "the node moves");
	}
}

void mn_ro_path_changed(struct mn *mn)
{
	struct ro_peer *next;

	for (struct ro_peer *p = mn->ro ? mn->ro->peers : NULL; p; p = next) {
		next = p->next;
		mn_ro_pursue(p, "the node has moved");
	}
}

void mn_ro_registered(struct mn *mn)
{
	struct ro_peer *next;

	for (struct ro_peer *p = mn->ro ? mn->ro->peers : NULL; p; p = next) {
		next = p->next;
		if (p->state == MN_RO_TESTING)
			mn_rr_hurry(p);
		mn_cbu_go_on(p);
		mn_ro_pursue(p, "registered with the home agent");
	}
}
