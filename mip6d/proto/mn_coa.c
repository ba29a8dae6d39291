/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Care-of addresses of one interface (RFC 6275 11.5.3, 11.5.4; RFC 4862
 * 5.5.3; RFC 4429).  Each interface has one that is current; it always has a
 * prefix that the current router advertises.  Those of a link that was left
 * are "stale": they stay until the new path works and are then removed.
 *
 * With optimistic DAD an address is used from the moment it is configured,
 * provided the router told its link-layer address: an optimistic node could
 * not ask for it (RFC 4429 3.2, 3.3).
 */
#include <string.h>

#include "mip6d/proto/mn_internal.h"

#define TWO_HOURS_S 7200
#define IDGEN_RETRIES 3 /* as RFC 7217 has it */
#define SET_AGAIN_MS 1000
#define ROUNDING_MS 2000 /* lifetimes that end at a fixed time come in whole seconds */

static uint32_t seconds_left(monotime_t until, monotime_t now)
{
	if (until.us == MONOTIME_NEVER.us)
		return UINT32_MAX;
	return mono_before(now, until) ? (uint32_t)mono_diff_s(until, now) : 0;
}

static bool valid(const struct mn_coa *c, monotime_t now)
{
	return c->used && mono_before(now, c->valid_until);
}

static bool preferred(const struct mn_coa *c, monotime_t now)
{
	return c->used && mono_before(now, c->preferred_until);
}

struct mn_coa *mn_coa_find(struct mn_link *l, const struct in6_addr *addr)
{
	for (size_t i = 0; i < MN_MAX_COAS; i++)
		if (l->coas[i].used && in6_equal(&l->coas[i].addr, addr))
			return &l->coas[i];
	return NULL;
}

static struct mn_coa *coa_in_prefix(struct mn_link *l, const struct in6_addr *prefix)
{
	for (size_t i = 0; i < MN_MAX_COAS; i++)
		if (l->coas[i].used && !l->coas[i].former &&
			in6_in_prefix(&l->coas[i].addr, prefix, 64))
			return &l->coas[i];
	return NULL;
}

bool mn_coa_valid(struct mn_link *l, const struct in6_addr *addr)
{
	const struct mn_coa *c = mn_coa_find(l, addr);

	return c && valid(c, mn_now(l->mn));
}

bool mn_coa_usable(const struct mn_link *l)
{
	const struct mn_coa *c = l->coa;

	return c && valid(c, mn_now(l->mn)) &&
	       (c->state == MN_ADDR_READY || c->state == MN_ADDR_USABLE_OPTIMISTIC);
}

void mn_coa_remove(struct mn_link *l, struct mn_coa *c)
{
	struct mn *mn = l->mn;

	mn_route_remove(l, &c->addr);
	if (c->state != MN_ADDR_REMOVED && l->state != MN_LINK_DOWN)
		mn_check(mn, mn->ops->address_del(mn->ops_ctx, l->ifindex, &c->addr, 64),
			"remove a care-of address");
	else if (c->state != MN_ADDR_REMOVED)
		mn->ops->address_del(mn->ops_ctx, l->ifindex, &c->addr, 64); /* may be gone */
	c->used = false;
	if (l->coa == c)
		l->coa = NULL;
}

void mn_coa_sweep(struct mn *mn)
{
	for (size_t i = 0; i < mn->n_links; i++)
		for (size_t j = 0; j < MN_MAX_COAS; j++)
			if (mn->links[i].coas[j].used && mn->links[i].coas[j].stale)
				mn_coa_remove(&mn->links[i], &mn->links[i].coas[j]);
	timer_stop(mn->env->timers, &mn->sweep_timer);
}

/* ---- forming ---- */

/* Not one of the reserved identifiers (RFC 5453). */
static bool reserved_iid(const struct in6_addr *a)
{
	static const uint8_t anycast[7] = {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t zero[8];

	return memcmp(&a->s6_addr[8], zero, 8) == 0 ||
	       (memcmp(&a->s6_addr[8], anycast, 7) == 0 && a->s6_addr[15] >= 0x80);
}

static struct in6_addr make_address(struct mn_link *l, const struct in6_addr *prefix)
{
	struct mn *mn = l->mn;
	struct in6_addr iid;

	if (!mn->config.random_iid && !(l->dad_tries && in6_equal(prefix, &l->dad_prefix))) {
		iid = in6_eui64_link_local(l->mac);
		return in6_join(prefix, &iid);
	}
	do {
		mn->env->random(mn->env->ctx, &iid.s6_addr[8], 8);
		iid.s6_addr[8] &= (uint8_t)~0x02; /* not globally unique (RFC 4291 2.5.1) */
	} while (reserved_iid(&iid));
	return in6_join(prefix, &iid);
}

/* A free place; else that of an address that waits for its removal. */
static struct mn_coa *coa_new(struct mn_link *l)
{
	struct mn_coa *oldest = NULL;

	for (size_t i = 0; i < MN_MAX_COAS; i++) {
		struct mn_coa *c = &l->coas[i];

		if (!c->used) {
			oldest = c;
			break;
		}
		if (c != l->coa && (!oldest || mono_before(c->set_at, oldest->set_at)))
			oldest = c;
	}
	if (oldest->used)
		mn_coa_remove(l, oldest);
	memset(oldest, 0, sizeof(*oldest));
	oldest->used = true;
	return oldest;
}

/* Tell the kernel.  again: the link may be another, so DAD has to run as for a new one. */
static bool coa_set(struct mn_link *l, struct mn_coa *c, bool again)
{
	struct mn *mn = l->mn;
	monotime_t now = mn_now(mn);
	bool optimistic = mn->config.optimistic_dad && l->router->lladdr.len;
	unsigned flags = (optimistic ? MN_ADDR_OPTIMISTIC : 0) | (again ? MN_ADDR_RENEW : 0);
	bool dad = again || c->state == MN_ADDR_REMOVED;
	int rc = mn->ops->address_set(mn->ops_ctx, l->ifindex, &c->addr, 64, flags,
		seconds_left(c->preferred_until, now), seconds_left(c->valid_until, now));

	c->set_at = now;
	c->told_preferred = c->preferred_until;
	c->told_valid = c->valid_until;
	if (mn_check(mn, rc, "configure a care-of address") < 0)
		return false;
	if (dad)
		c->state = optimistic ? MN_ADDR_USABLE_OPTIMISTIC : MN_ADDR_TENTATIVE;
	return true;
}

static struct mn_coa *coa_form(struct mn_link *l, const struct mn_prefix *p)
{
	struct mn_coa *c = coa_new(l);

	c->addr = make_address(l, &p->prefix.addr);
	c->state = MN_ADDR_REMOVED;
	c->preferred_until = p->preferred_until;
	c->valid_until = p->valid_until;
	if (!coa_set(l, c, false)) {
		c->used = false; /* the next advertisement tries again */
		return NULL;
	}
	mn_emit(l->mn, (struct mip6_event){.type = EV_CARE_OF_ADDRESS,
			       .care_of = c->addr,
			       .peer = l->router->addr,
			       .ifindex = l->ifindex,
			       .status = -1});
	return c;
}

/* ---- lifetimes ---- */

/* RFC 4862 5.5.3 e: nobody may cut the valid lifetime to less than two hours. */
static void coa_lifetimes(struct mn_coa *c, const struct mn_prefix *p, monotime_t now)
{
	monotime_t limit = mono_add_s(now, TWO_HOURS_S);

	c->preferred_until = p->preferred_until;
	if (mono_before(limit, p->valid_until) || mono_before(c->valid_until, p->valid_until))
		c->valid_until = p->valid_until;
	else if (mono_before(limit, c->valid_until))
		c->valid_until = limit;
}

/*
 * Is the kernel's idea of an end still good?  It is not told of every
 * advertisement: they may come twenty times a second (RFC 6275 7.5).
 */
static bool near_enough(monotime_t told, monotime_t want, monotime_t now)
{
	if (told.us == want.us)
		return true;
	if (told.us == MONOTIME_NEVER.us || want.us == MONOTIME_NEVER.us)
		return false;
	if (mono_before(want, told))
		return mono_diff_ms(told, want) < ROUNDING_MS;
	return mono_diff_ms(told, now) > mono_diff_ms(want, now) / 4 * 3;
}

static void coa_refresh(struct mn_link *l, struct mn_coa *c)
{
	monotime_t now = mn_now(l->mn);

	if (!near_enough(c->told_preferred, c->preferred_until, now) ||
		!near_enough(c->told_valid, c->valid_until, now))
		coa_set(l, c, false);
}

static void earlier(monotime_t *t, monotime_t other, monotime_t now)
{
	if (mono_before(now, other) && mono_before(other, *t))
		*t = other;
}

void mn_life_start(struct mn_link *l)
{
	monotime_t now = mn_now(l->mn), t = MONOTIME_NEVER;

	if (l->router) {
		earlier(&t, l->router->expires, now);
		for (size_t i = 0; i < l->router->n_prefixes; i++)
			earlier(&t, l->router->prefixes[i].valid_until, now);
	}
	if (l->coa) {
		earlier(&t, l->coa->preferred_until, now);
		earlier(&t, l->coa->valid_until, now);
	}
	mn_timer(l->mn, &l->life_timer, t);
}

static void prefixes_expire(struct mn_router *r, monotime_t now)
{
	for (size_t i = r->n_prefixes; i-- > 0;)
		if (!mono_before(now, r->prefixes[i].valid_until))
			r->prefixes[i] = r->prefixes[--r->n_prefixes];
}

static void life_timer(struct timer *t, void *arg)
{
	struct mn_link *l = arg;
	monotime_t now = mn_now(l->mn);

	(void)t;
	if (l->router && !mono_before(now, l->router->expires)) {
		mn_router_lost(l);
	} else if (l->router) {
		prefixes_expire(l->router, now);
		mn_coa_select(l);
	}
	mn_life_start(l);
	mn_path_check(l->mn);
}

void mn_life_init(struct mn_link *l)
{
	timer_init(&l->life_timer, life_timer, l);
}

/* ---- choice ---- */

static bool given_up(const struct mn_link *l, const struct in6_addr *prefix)
{
	for (size_t i = 0; i < l->n_failed; i++)
		if (in6_equal(&l->failed[i], prefix))
			return true;
	return false;
}

/* Nobody outside can reach it. */
static bool internal(const struct mn *mn, const struct ip6_prefix *p)
{
	for (size_t i = 0; i < mn->config.n_internal; i++) {
		const struct ip6_prefix *in = &mn->config.internal[i];

		if (p->plen >= in->plen && in6_in_prefix(&p->addr, &in->addr, in->plen))
			return true;
	}
	return false;
}

/* Keep or form an address in p; NULL when it gives none. */
static struct mn_coa *coa_for(struct mn_link *l, const struct mn_prefix *p)
{
	monotime_t now = mn_now(l->mn);
	struct mn_coa *c = coa_in_prefix(l, &p->prefix.addr);

	if (!p->autonomous || internal(l->mn, &p->prefix) || given_up(l, &p->prefix.addr) || !mono_before(now, p->valid_until))
		return NULL;
	if (!c)
		return coa_form(l, p);
	coa_lifetimes(c, p, now);
	if (l->fresh || c->stale || c->state == MN_ADDR_REMOVED) {
		c->stale = false;
		return coa_set(l, c, true) ? c : NULL;
	}
	coa_refresh(l, c);
	return c;
}

/* The current one stays as long as it is preferred; then the first that is; then any. */
static struct mn_coa *choose(struct mn_link *l)
{
	monotime_t now = mn_now(l->mn);
	struct mn_router *r = l->router;
	const struct mn_prefix *p = l->coa ? mn_router_prefix(r, &l->coa->addr) : NULL;
	struct mn_coa *c = p ? coa_for(l, p) : NULL;

	if (c && preferred(c, now))
		return c;
	for (size_t i = 0; i < r->n_prefixes; i++) {
		struct mn_coa *other = NULL;

		/* RFC 6275 11.5.3: a new one when the current becomes deprecated */
		if (&r->prefixes[i] != p && mono_before(now, r->prefixes[i].preferred_until))
			other = coa_for(l, &r->prefixes[i]);
		if (other)
			return other;
	}
	if (c && valid(c, now))
		return c;
	/* Its prefix was withdrawn, but by RFC 4862 5.5.3 it is good for a while. */
	if (!l->fresh && l->coa && valid(l->coa, now))
		return l->coa;
	for (size_t i = 0; i < r->n_prefixes; i++) {
		struct mn_coa *other = NULL;

		if (&r->prefixes[i] != p && !mono_before(now, r->prefixes[i].preferred_until))
			other = coa_for(l, &r->prefixes[i]);
		if (other)
			return other;
	}
	return NULL;
}

void mn_coa_new_identity(struct mn_link *l)
{
	struct in6_addr own = in6_eui64_link_local(l->mac);

	for (size_t i = 0; i < MN_MAX_COAS; i++)
		l->coas[i].former = memcmp(&l->coas[i].addr.s6_addr[8], &own.s6_addr[8], 8) != 0;
}

/*
 * RFC 6275 11.5.4: addresses of a link that is not reachable any more are
 * invalidated, unless the current router has their prefix.
 */
static void mark_stale(struct mn_link *l)
{
	struct mn *mn = l->mn;
	bool any = false;

	for (size_t i = 0; i < MN_MAX_COAS; i++) {
		struct mn_coa *c = &l->coas[i];

		if (!c->used || c == l->coa)
			continue;
		if (!valid(c, mn_now(mn)) || !mn_router_prefix(l->router, &c->addr) || l->home ||
			c->former)
			c->stale = true;
		any |= c->stale;
	}
	/* If the new path never works they go all the same. */
	if (any && !timer_running(&mn->sweep_timer))
		mn_timer(mn, &mn->sweep_timer, mono_add_ms(mn_now(mn), 30000));
}

void mn_coa_select(struct mn_link *l)
{
	l->coa = l->home ? NULL : choose(l);
	mark_stale(l);
}

/* ---- progress ---- */

static void duplicate(struct mn_link *l, struct mn_coa *c)
{
	struct in6_addr prefix = in6_mask(&c->addr, 64);
	bool current = l->coa == c;

	l->mn->stats.dad_failures++;
	mn_emit(l->mn, (struct mip6_event){.type = EV_ADDRESS_DUPLICATE,
			       .care_of = c->addr,
			       .ifindex = l->ifindex,
			       .status = -1});
	mn_coa_remove(l, c);
	if (!current || !l->router || !mn_link_has_router(l))
		return;
	if (!in6_equal(&prefix, &l->dad_prefix)) {
		l->dad_prefix = prefix;
		l->dad_tries = 0;
	}
	if (++l->dad_tries > IDGEN_RETRIES) {
		log_warning("interface %d: no address in %s that is not in use already", l->ifindex,
			in6_str(&prefix));
		if (l->n_failed < MN_MAX_FAILED)
			l->failed[l->n_failed++] = prefix;
		l->dad_tries = 0;
	}
	mn_coa_select(l);
	mn_life_start(l);
}

void mn_coa_event(struct mn_link *l, struct mn_coa *c, enum mn_address_state s)
{
	switch (s) {
	case MN_ADDR_TENTATIVE:
		break; /* known since it was configured */
	case MN_ADDR_USABLE_OPTIMISTIC:
		if (c->state == MN_ADDR_TENTATIVE && l->mn->config.optimistic_dad)
			c->state = s;
		break;
	case MN_ADDR_READY:
		c->state = s;
		break;
	case MN_ADDR_DUPLICATE:
		duplicate(l, c);
		break;
	case MN_ADDR_REMOVED:
		c->state = s;
		if (c != l->coa || !mn_link_has_router(l))
			break;
		/* Somebody took it away: give it back, but do not quarrel. */
		if (mono_diff_ms(mn_now(l->mn), c->set_at) >= SET_AGAIN_MS)
			coa_set(l, c, true);
		break;
	}
}
