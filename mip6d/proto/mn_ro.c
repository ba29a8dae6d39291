/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Route optimization at the mobile node (RFC 6275 11.6, 11.7.2; requirement
 * M4): with whom.  The kernel tells of peers with traffic, the rules decide,
 * and a command overrides both.  The list is bounded: a new peer takes the
 * place of the one that has been idle for longest, and new ones come no
 * faster than create_rate, as strangers make traffic too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/mn_ro_internal.h"

#define DEFAULT_IDLE_S 60
#define CREATE_BURST 64
#define CREATE_PER_MINUTE 600

const char *mn_ro_state_name(enum mn_ro_state s)
{
	static const char *const names[] = {
		[MN_RO_IDLE] = "idle",
		[MN_RO_TESTING] = "testing",
		[MN_RO_UPDATING] = "updating",
		[MN_RO_BOUND] = "bound",
		[MN_RO_DELETING] = "deleting",
		[MN_RO_REFUSED] = "refused",
	};

	return names[s];
}

void mn_ro_emit(struct ro_peer *p, struct mip6_event e)
{
	e.peer = p->addr;
	mn_emit(p->mn, e);
}

void mn_ro_watch(struct ro_peer *p, bool on)
{
	struct mn *mn = p->mn;

	if (p->unwatched != on)
		return;
	p->unwatched = !on;
	if (mn->ops->ro_watch)
		mn_check(mn, mn->ops->ro_watch(mn->ops_ctx, &p->addr, on),
			"watch the traffic with a correspondent");
}

/* ---- the list ---- */

struct ro_peer *mn_ro_find(const struct mn *mn, const struct in6_addr *addr)
{
	for (struct ro_peer *p = mn->ro ? mn->ro->peers : NULL; p; p = p->next)
		if (in6_equal(&p->addr, addr))
			return p;
	return NULL;
}

static struct ro_shared *shared_find(const struct mn_ro *ro, const struct in6_addr *peer)
{
	for (struct ro_shared *s = ro->shared; s; s = s->next)
		if (in6_equal(&s->peer, peer))
			return s;
	return NULL;
}

struct ro_shared *mn_ro_shared(const struct ro_peer *p)
{
	return shared_find(p->mn->ro, &p->addr);
}

static void peer_free(struct ro_peer *p)
{
	mn_ro_peer_stop(p);
	rr_wipe(p, sizeof(*p));
	free(p);
}

void mn_ro_drop(struct ro_peer *p)
{
	struct mn_ro *ro = p->mn->ro;
	struct ro_peer **at = &ro->peers;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	ro->n_peers--;
	mn_ro_kernel_clear(p);
	mn_ro_watch(p, true);
	peer_free(p);
}

/* Nothing is lost with it: no binding, or none that is in use. */
static bool replaceable(const struct ro_peer *p)
{
	if (p->manual_on || p->manual_off)
		return false;
	return p->state == MN_RO_IDLE || p->state == MN_RO_REFUSED ||
	       (p->state == MN_RO_BOUND && !mn_ro_in_use(p));
}

static bool make_room(struct mn *mn)
{
	struct mn_ro *ro = mn->ro;
	struct ro_peer *oldest = NULL;

	if (ro->n_peers < ro->config.max_correspondents)
		return true;
	for (struct ro_peer *p = ro->peers; p; p = p->next)
		if (replaceable(p) && (!oldest || mono_before(p->used, oldest->used)))
			oldest = p;
	if (!oldest)
		return false;
	mn_cbu_last_words(oldest);
	mn_ro_drop(oldest);
	return true;
}

static struct ro_peer *peer_new(struct mn *mn, const struct in6_addr *addr)
{
	const struct ro_shared *s = shared_find(mn->ro, addr);
	struct ro_peer *p = make_room(mn) ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	p->mn = mn;
	p->addr = *addr;
	p->used = mn_now(mn);
	mn_ro_peer_init(p);
	if (s && s->seq >= 0) {
		p->has_seq = true;
		p->seq = (uint16_t)s->seq;
	}
	p->next = mn->ro->peers;
	mn->ro->peers = p;
	mn->ro->n_peers++;
	return p;
}

/* ---- who may be a peer ---- */

static bool possible(struct mn *mn, const struct in6_addr *peer)
{
	if (!in6_is_routable_unicast(peer) || in6_equal(peer, &mn->config.home_address) ||
		in6_equal(peer, &mn->config.home_agent))
		return false;
	for (size_t i = 0; i < mn->n_links; i++)
		if (mn_coa_find(&mn->links[i], peer))
			return false;
	return true;
}

static bool by_rule(const struct mn_ro_config *c, const struct in6_addr *peer)
{
	for (size_t i = 0; i < c->n_rules; i++)
		if (in6_in_prefix(peer, &c->rules[i].prefix.addr, c->rules[i].prefix.plen))
			return c->rules[i].when != MN_RO_NEVER;
	return false;
}

void mn_traffic(struct mn *mn, const struct in6_addr *peer)
{
	struct ro_peer *p = mn_ro_find(mn, peer);
	uint64_t suppressed;

	if (!mn->ro || mn->stopping)
		return;
	if (!p) {
		if (mn->path.location != MN_AWAY || !possible(mn, peer) ||
			!by_rule(&mn->ro->config, peer) ||
			!log_allowed(&mn->ro->create_rate, mn_now(mn), &suppressed))
			return;
		p = peer_new(mn, peer);
		if (!p)
			return;
	}
	p->used = mn_now(mn);
	if (p->state == MN_RO_REFUSED || p->forget || !by_rule(&mn->ro->config, peer))
		return;
	p->wanted = true;
	if (p->state == MN_RO_IDLE || p->state == MN_RO_DELETING)
		mn_ro_pursue(p, "traffic");
}

/* ---- by hand ---- */

static int command_on(struct ro_peer *p)
{
	p->manual_on = true;
	p->manual_off = p->forget = false;
	p->used = mn_now(p->mn);
	if (p->state == MN_RO_REFUSED) {
		p->refused_wait_ms = RO_REFUSED_MS;
		mn_ro_again(p);
	}
	mn_ro_watch(p, false);
	mn_ro_pursue(p, mn_ro_by(p));
	return 0;
}

static int command_off(struct ro_peer *p)
{
	p->manual_off = true;
	p->manual_on = p->wanted = p->forget = false;
	mn_ro_watch(p, false);
	mn_ro_pursue(p, mn_ro_by(p));
	return 0;
}

static int command_flush(struct ro_peer *p)
{
	p->forget = true;
	p->manual_on = p->manual_off = p->wanted = false;
	if (p->mn->path.location == MN_NOWHERE)
		mn_ro_drop(p);
	else
		mn_ro_pursue(p, mn_ro_by(p));
	return 0;
}

void mn_ro_sealed(struct mn *mn, const struct in6_addr *peer, bool on)
{
	struct ro_peer *p = mn->ro ? mn_ro_find(mn, peer) : NULL;

	if (p)
		p->sealed = on;
}

/*
 * The back-off begins with the shortest time again (11.8); not as often as
 * copies of theirs arrive.  A first transmission has no other time anyway.
 */
void mn_ro_heard(struct mn *mn, const struct in6_addr *peer)
{
	struct ro_peer *p = mn->ro ? mn_ro_find(mn, peer) : NULL;
	monotime_t now = mn_now(mn);
	bool updating, testing;

	if (!p || !p->sealed || mono_before(now, mono_add_s(p->heard, RO_PROVOKED_S)))
		return;
	updating = p->state == MN_RO_UPDATING && p->bu.waiting && !p->bu.deletes && p->bu.tries > 1;
	testing = p->state == MN_RO_TESTING && mn_rr_backs_off(p);
	if (!updating && !testing && !(p->state == MN_RO_REFUSED && p->silent))
		return;
	p->heard = now;
	if (testing) {
		mn_rr_anew(p);
		return;
	}
	if (updating) {
		mn_cbu_hurry(p);
		return;
	}
	mn_ro_again(p);
	mn_ro_pursue(p, "the peer is there");
}

int mn_ro_command(struct mn *mn, const struct in6_addr *peer, enum mn_ro_command c)
{
	return mn_ro_because(mn, peer, c, NULL);
}

int mn_ro_because(struct mn *mn, const struct in6_addr *peer, enum mn_ro_command c, const char *why)
{
	struct ro_peer *p;

	if (!mn->ro || mn->stopping || !possible(mn, peer))
		return -EINVAL;
	p = mn_ro_find(mn, peer);
	if (!p && c == MN_RO_FLUSH)
		return -ENOENT;
	if (!p)
		p = peer_new(mn, peer);
	if (!p)
		return -ENOSPC;
	p->by = why;
	switch (c) {
	case MN_RO_ON:
		return command_on(p);
	case MN_RO_OFF:
		return command_off(p);
	case MN_RO_FLUSH:
		return command_flush(p);
	}
	return -EINVAL;
}

/* ---- keys that are shared (RFC 4449) ---- */

static void shared_drop(struct mn_ro *ro, struct ro_shared *s)
{
	struct ro_shared **at = &ro->shared;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	rr_wipe(s, sizeof(*s));
	free(s);
}

int mn_shared_set(struct mn *mn, const struct in6_addr *peer, const struct rr_shared *data, int seq)
{
	struct ro_shared *s = mn->ro ? shared_find(mn->ro, peer) : NULL;
	struct ro_peer *p = mn_ro_find(mn, peer);
	bool same = data && s && rr_shared_same(&s->data, data);

	if (!mn->ro ||
		(data && (data->kcn_len < RR_KCN_LEN || data->kcn_len > RR_MAX_SECRET ||
				 !data->home_nonce_len || data->home_nonce_len > RR_MAX_SECRET ||
				 !data->care_of_nonce_len ||
				 data->care_of_nonce_len > RR_MAX_SECRET)))
		return -EINVAL;
	if (!data && !s)
		return -ENOENT;
	if (data && !s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->peer = *peer;
		s->next = mn->ro->shared;
		mn->ro->shared = s;
		s->seq = p && p->has_seq ? p->seq : seq;
	}
	if (data)
		s->data = *data;
	else
		shared_drop(mn->ro, s);
	if (!p)
		return 0;
	/* What is under way had another key. */
	if (s && data && s->seq >= 0) {
		p->has_seq = true;
		p->seq = (uint16_t)s->seq;
	}
	mn_cbu_pause(p);
	if (!same)
		mn_ro_unauthorized(p, "another key");
	mn_ro_pursue(p, "another key");
	return 0;
}

/* ---- life ---- */

int mn_ro_enable(struct mn *mn, const struct mn_ro_config *config, const struct ro_ops *ops,
	void *ctx, struct cn *cn)
{
	struct mn_ro *ro;

	if (mn->ro || config->n_rules > MN_RO_MAX_RULES)
		return -EINVAL;
	ro = calloc(1, sizeof(*ro));
	if (!ro)
		return -ENOMEM;
	ro->config = *config;
	if (!ro->config.max_correspondents)
		ro->config.max_correspondents = MN_RO_DEFAULT_CORRESPONDENTS;
	if (!ro->config.lifetime_s)
		ro->config.lifetime_s = MIP6_MAX_RR_BINDING_LIFETIME / 1000;
	if (!ro->config.idle_s)
		ro->config.idle_s = DEFAULT_IDLE_S;
	ro->ops = ops;
	ro->ops_ctx = ctx;
	ro->cn = cn;
	ro->create_rate = (struct log_limit)LOG_LIMIT_INIT(CREATE_BURST, CREATE_PER_MINUTE);
	mn->ro = ro;
	return 0;
}

/* The end: deletions once, for whoever hears them; nobody waits for the answers. */
void mn_ro_shutdown(struct mn *mn)
{
	if (!mn->ro)
		return;
	for (struct ro_peer *p = mn->ro->peers; p; p = p->next) {
		mn_ro_tunnel(p, "the end");
		mn_cbu_last_words(p);
		mn_ro_peer_stop(p);
	}
}

void mn_ro_teardown(struct mn *mn)
{
	while (mn->ro && mn->ro->peers)
		mn_ro_drop(mn->ro->peers);
}

void mn_ro_free(struct mn *mn)
{
	struct mn_ro *ro = mn->ro;
	struct ro_peer *next;

	if (!ro)
		return;
	for (struct ro_peer *p = ro->peers; p; p = next) {
		next = p->next;
		peer_free(p);
	}
	while (ro->shared)
		shared_drop(ro, ro->shared);
	free(ro);
	mn->ro = NULL;
}

/* ---- what is told ---- */

static int64_t token_age_s(const struct ro_peer *p, const struct ro_token *t)
{
	return t && t->has ? mono_diff_s(mn_now(p->mn), t->at) : -1;
}

static int64_t next_ms(const struct ro_peer *p)
{
	const struct timer *const timers[] = {
		&p->timer, &p->hoti.timer, &p->coti.timer, &p->bu.timer};
	int64_t best = -1;

	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		int64_t ms;

		if (!timer_running(timers[i]))
			continue;
		ms = mono_diff_ms(timers[i]->when, mn_now(p->mn));
		if (best < 0 || ms < best)
			best = ms < 0 ? 0 : ms;
	}
	return best;
}

static void fill(struct ro_peer *p, struct mn_ro_info *i)
{
	monotime_t now = mn_now(p->mn);

	*i = (struct mn_ro_info){
		.peer = p->addr,
		.care_of = p->bound,
		.state = p->state,
		.direct = p->direct,
		.shared = mn_ro_shared(p),
		.manual_on = p->manual_on && !p->by,
		.manual_off = p->manual_off && !p->by,
		.home_token_age_s = token_age_s(p, &p->home),
		.care_of_token_age_s = token_age_s(p, mn_rr_care_of_token(p, &p->mn->path.care_of)),
		.seq = p->seq,
		.last_status = p->last_status,
		.updates = p->updates,
		.next_ms = next_ms(p),
	};
	if (mono_before(now, p->bound_until)) {
		i->lifetime_s = p->granted_s;
		i->remaining_s = (uint32_t)mono_diff_s(p->bound_until, now);
	}
}

void mn_ro_foreach(
	const struct mn *mn, bool (*fn)(void *arg, const struct mn_ro_info *i), void *arg)
{
	struct mn_ro_info i;

	for (struct ro_peer *p = mn->ro ? mn->ro->peers : NULL; p; p = p->next) {
		fill(p, &i);
		if (!fn(arg, &i))
			return;
	}
}

size_t mn_ro_count(const struct mn *mn)
{
	return mn->ro ? mn->ro->n_peers : 0;
}
