/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One interface of the mobile node: is there a link, and a router on it?
 *
 *            UP                      ROUTER                  DOUBT
 *   down ---------> soliciting ------------------> attached ------> probing
 *     ^                 ^                           |    ^             |
 *     |    DOWN         |          UP, LOST         |    |  REACHABLE  |
 *     +----(any)        +---------------------------+    +---ROUTER----+
 *                       +----------------------------------UP, LOST----+
 *
 * RFC 4861 6.3.7 (solicitation), RFC 7559 (its back-off), RFC 6275 11.5.1
 * (movement detection), RFC 4429 3.2 (what may leave from an optimistic
 * address).
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define MAX_RS_INTERVAL_MS 3600000 /* MRT of RFC 7559 */
#define MAX_UNICAST_SOLICIT 3 /* RFC 4861 10 */
#define RETRANS_TIMER_MS 1000 /* the same, when the router does not say */

const char *mn_link_state_name(enum mn_link_state s)
{
	static const char *const names[] = {
		[MN_LINK_DOWN] = "down",
		[MN_LINK_SOLICITING] = "soliciting",
		[MN_LINK_ATTACHED] = "attached",
		[MN_LINK_PROBING] = "probing",
	};

	return names[s];
}

bool mn_link_has_router(const struct mn_link *l)
{
	return l->state == MN_LINK_ATTACHED || l->state == MN_LINK_PROBING;
}

static bool usable_source(enum mn_address_state s)
{
	return s == MN_ADDR_READY || s == MN_ADDR_USABLE_OPTIMISTIC;
}

/* ---- solicitation ---- */

/*
 * From the link-local address, optimistic or not, rather than from the
 * unspecified address that RFC 4429 3.2 prefers (it allows both): only then
 * can the router answer to this node alone, and what it sends to all nodes is
 * limited to one in MIN_DELAY_BETWEEN_RAS, 3 s (RFC 4861 6.2.6).  The Source
 * Link-Layer Address option goes with an address that passed DAD only.
 */
static void send_rs(struct mn_link *l)
{
	struct mn *mn = l->mn;
	struct icmp6_message m = {.type = ICMP6T_RS};
	int rc = -1;

	if (!in6_is_any(&l->link_local) && usable_source(l->link_local_state)) {
		if (l->link_local_state == MN_ADDR_READY)
			m.u.rs.slla = mn_lladdr(l);
		rc = mn_send_icmp6(mn, l, &l->link_local, &in6_all_routers, &m);
		memset(&m.u, 0, sizeof(m.u));
	}
	if (rc < 0)
		rc = mn_send_icmp6(mn, l, &in6addr_any, &in6_all_routers, &m);
	mn_check(mn, rc, "send a Router Solicitation");
	mn->stats.rs_sent++;
	l->rs_sent = true;
	l->rs_last = mn_now(mn);
	mn_rate_take(&l->rs_rate, l->rs_last);
}

/* RFC 7559: intervals of 4 s, doubled each time, made uneven by a tenth. */
static int64_t jitter(struct mn *mn, int64_t ms)
{
	uint32_t r;

	mn->env->random(mn->env->ctx, &r, sizeof(r));
	return ms + ms * ((int64_t)(r % 2001) - 1000) / 10000;
}

static void rs_timer(struct timer *t, void *arg)
{
	struct mn_link *l = arg;
	int64_t wait;

	(void)t;
	send_rs(l);
	/* Never less than RTR_SOLICITATION_INTERVAL apart: the first jitter only adds. */
	wait = jitter(l->mn, l->rs_interval_ms);
	if (wait < l->mn->config.solicit_interval_ms)
		wait = l->mn->config.solicit_interval_ms;
	l->rs_interval_ms *= 2;
	if (l->rs_interval_ms > MAX_RS_INTERVAL_MS)
		l->rs_interval_ms = MAX_RS_INTERVAL_MS;
	mn_timer(l->mn, &l->rs_timer, mono_add_ms(l->rs_last, wait));
}

/*
 * Start to solicit.  After a link event at once, in the same instant; events
 * in quick succession are limited as such indications may be wrong (RFC 4861
 * 6.3.7 warns of solicitation storms).  On other indications not within
 * RTR_SOLICITATION_INTERVAL of the last.
 */
static void solicit(struct mn_link *l, bool link_event)
{
	monotime_t now = mn_now(l->mn), when = now;

	l->rs_interval_ms = l->mn->config.solicit_interval_ms;
	if (link_event) {
		when = mn_rate_when(&l->rs_rate, now);
	} else if (l->rs_sent) {
		monotime_t next = mono_add_ms(l->rs_last, l->mn->config.solicit_interval_ms);

		if (mono_before(now, next))
			when = next;
	}
	if (mono_before(now, when))
		mn_timer(l->mn, &l->rs_timer, when);
	else
		rs_timer(&l->rs_timer, l);
}

/* ---- probing ---- */

/*
 * A unicast Neighbor Solicitation to the router (RFC 6275 11.5.1), never from
 * an optimistic address (RFC 4429 3.2).  Until there is another, the RS that
 * went out with the doubt has to do.
 */
static void send_probe(struct mn_link *l)
{
	struct icmp6_message m = {.type = ICMP6T_NS};
	const struct in6_addr *src = NULL;

	if (!in6_is_any(&l->link_local) && l->link_local_state == MN_ADDR_READY)
		src = &l->link_local;
	else if (l->coa && l->coa->state == MN_ADDR_READY)
		src = &l->coa->addr;
	if (!src)
		return;
	m.u.ns.target = l->router->addr;
	m.u.ns.slla = mn_lladdr(l);
	mn_check(l->mn, mn_send_icmp6(l->mn, l, src, &l->router->addr, &m), "probe the router");
}

static void probe_timer(struct timer *t, void *arg)
{
	struct mn_link *l = arg;
	uint32_t wait = l->router->retrans_ms ? l->router->retrans_ms : RETRANS_TIMER_MS;

	(void)t;
	if (l->probes == MAX_UNICAST_SOLICIT) {
		mn_router_lost(l);
		mn_path_check(l->mn);
		return;
	}
	l->probes++;
	send_probe(l);
	mn_timer(l->mn, &l->probe_timer, mono_add_ms(mn_now(l->mn), wait));
}

static void ra_timer(struct timer *t, void *arg)
{
	(void)t;
	mn_link_fsm(arg, LINK_E_DOUBT);
}

/* ---- link-local address ---- */

/*
 * On a new link the link-local address needs DAD (RFC 6275 11.5.1).  But if
 * the home agent defends it together with the home address, DAD must not run
 * on the home link (11.5.5), and where this is only the router can tell.
 */
static bool defended(const struct mn_link *l)
{
	return mn_binding_may_live(l->mn) && mn_link_local_compatible(l->mn);
}

static void renew(struct mn_link *l)
{
	struct mn *mn = l->mn;
	bool optimistic = mn->config.optimistic_dad;
	int rc;

	l->renew_link_local = false;
	if (!l->link_local_usable)
		return; /* the kernel is about to make one */
	rc = mn->ops->link_local_renew(mn->ops_ctx, l->ifindex, optimistic);
	mn_check(mn, rc, "renew the link-local address");
	l->link_local_state = rc == 0 && optimistic ? MN_ADDR_USABLE_OPTIMISTIC : MN_ADDR_TENTATIVE;
}

static void renew_now_or_later(struct mn_link *l)
{
	if (!defended(l)) {
		renew(l);
		return;
	}
	l->renew_link_local = true;
	l->link_local_state = MN_ADDR_TENTATIVE;
}

void mn_link_local_verdict(struct mn_link *l)
{
	if (!l->renew_link_local || !mn_link_has_router(l))
		return;
	if (!l->home || !defended(l)) {
		renew(l);
		return;
	}
	l->renew_link_local = false;
	l->link_local_state = MN_ADDR_READY;
}

void mn_link_local_event(struct mn_link *l, const struct in6_addr *addr, enum mn_address_state s)
{
	if (s == MN_ADDR_REMOVED || s == MN_ADDR_DUPLICATE) {
		if (!in6_equal(addr, &l->link_local))
			return;
		if (s == MN_ADDR_DUPLICATE) {
			l->mn->stats.dad_failures++;
			mn_emit(l->mn, (struct mip6_event){.type = EV_ADDRESS_DUPLICATE,
					       .care_of = *addr,
					       .ifindex = l->ifindex,
					       .status = -1,
					       .text = "link-local address"});
		}
		l->link_local_state = s;
		return;
	}
	l->link_local = *addr;
	l->link_local_state = s;
}

/* ---- the machine ---- */

/* The only place where the state changes. */
static void change_state(struct mn_link *l, enum mn_link_state to)
{
	struct timerq *q = l->mn->env->timers;
	enum mn_link_state from = l->state;

	timer_stop(q, &l->rs_timer);
	timer_stop(q, &l->probe_timer);
	timer_stop(q, &l->ra_timer);
	l->state = to;
	if (from != to)
		log_debug("interface %d: %s -> %s", l->ifindex, mn_link_state_name(from),
			mn_link_state_name(to));
	switch (to) {
	case MN_LINK_DOWN:
		mn_link_stop(l);
		break;
	case MN_LINK_SOLICITING:
		break; /* how soon depends on the reason: see mn_link_fsm() */
	case MN_LINK_ATTACHED:
		mn_timer(l->mn, &l->ra_timer, mn_ra_deadline(l));
		break;
	case MN_LINK_PROBING:
		l->probes = 0;
		probe_timer(&l->probe_timer, l);
		/* Such an indication asks for Router Discovery (RFC 6275 11.5.1). */
		solicit(l, false);
		break;
	}
}

/* What was known of the link is in doubt; care-of addresses wait for the verdict. */
static void link_is_new(struct mn_link *l)
{
	mn_routers_forget(l);
	mn_home_stop(l);
	l->fresh = true;
	l->n_failed = 0;
	l->dad_tries = 0;
	l->ha_lladdr.len = 0;
	l->asked = false;
}

static void came_up(struct mn_link *l)
{
	link_is_new(l);
	change_state(l, MN_LINK_SOLICITING);
	/* The first time we hear of an interface the kernel has run DAD itself. */
	if (l->seen)
		renew_now_or_later(l);
	l->dad_started = true;
	l->seen = true;
	mn_emit(l->mn,
		(struct mip6_event){.type = EV_LINK_UP, .ifindex = l->ifindex, .status = -1});
	solicit(l, true);
}

static void went_down(struct mn_link *l)
{
	if (l->state == MN_LINK_DOWN)
		return;
	link_is_new(l);
	/* The route went with the link; the kernel's memory of it may have, too. */
	l->route.set = false;
	change_state(l, MN_LINK_DOWN);
	mn_emit(l->mn,
		(struct mip6_event){.type = EV_LINK_DOWN, .ifindex = l->ifindex, .status = -1});
}

void mn_link_fsm(struct mn_link *l, enum mn_link_event_type e)
{
	switch (e) {
	case LINK_E_UP:
		came_up(l);
		break;
	case LINK_E_DOWN:
		went_down(l);
		break;
	case LINK_E_ROUTER:
		if (l->state != MN_LINK_DOWN)
			change_state(l, MN_LINK_ATTACHED);
		break;
	case LINK_E_DOUBT:
		if (l->state == MN_LINK_ATTACHED)
			change_state(l, MN_LINK_PROBING);
		break;
	case LINK_E_REACHABLE:
		if (l->state == MN_LINK_PROBING)
			change_state(l, MN_LINK_ATTACHED);
		break;
	case LINK_E_LOST:
		if (mn_link_has_router(l)) {
			link_is_new(l);
			change_state(l, MN_LINK_SOLICITING);
			solicit(l, false);
		}
		break;
	}
}

void mn_link_init(struct mn_link *l, struct mn *mn, const struct mn_interface_config *c)
{
	l->mn = mn;
	l->ifindex = c->ifindex;
	l->preference = c->preference;
	l->doubtful_until = MN_PAST;
	timer_init(&l->rs_timer, rs_timer, l);
	timer_init(&l->probe_timer, probe_timer, l);
	timer_init(&l->ra_timer, ra_timer, l);
	mn_routers_forget(l);
	mn_life_init(l);
	mn_home_init(l);
}

void mn_link_stop(struct mn_link *l)
{
	struct timerq *q = l->mn->env->timers;

	timer_stop(q, &l->rs_timer);
	timer_stop(q, &l->probe_timer);
	timer_stop(q, &l->ra_timer);
	timer_stop(q, &l->life_timer);
	timer_stop(q, &l->home_timer);
}
