/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile node: life cycle, dispatch of what comes in, and what is told about
 * it.  See mn_internal.h for the parts.
 *
 * Nothing in here waits, but where an RFC demands it:
 *   RS           at once, without the random delay (RFC 4861 6.3.7 lets a
 *                mobile node omit it); repeated after 4 s (the same section),
 *                then ever more rarely (RFC 7559)
 *   DAD          runs while the address is used (RFC 4429), also without the
 *                random delay (RFC 6275 11.5.3); a router that does not give
 *                its link-layer address costs the whole of DAD (RFC 4429 3.3)
 *   BU           at most three a second (RFC 6275 11.5.3, 11.8), and repeated
 *                after 1 or 1.5 s (11.8)
 *   lost router  three probes a RetransTimer apart (RFC 4861 7.3.3)
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/mn_internal.h"

void mn_emit(struct mn *mn, struct mip6_event e)
{
	e.when = mn_now(mn);
	e.home_address = mn->config.home_address;
	mn->env->event(mn->env->ctx, &e);
}

void mn_timer(struct mn *mn, struct timer *t, monotime_t when)
{
	if (when.us == MONOTIME_NEVER.us)
		timer_stop(mn->env->timers, t);
	else
		mn_check(mn, timer_start(mn->env->timers, t, when), "start a timer");
}

int mn_check(struct mn *mn, int rc, const char *what)
{
	uint64_t suppressed;

	if (rc < 0 && log_allowed(&mn->op_log, mn_now(mn), &suppressed))
		log_warning("mobile node %s: cannot %s: %s", in6_str(&mn->config.home_address),
			what, strerror(-rc));
	return rc;
}

bool mn_may_log(struct mn *mn)
{
	uint64_t suppressed = 0;

	if (!log_allowed(&mn->bad_log, mn_now(mn), &suppressed))
		return false;
	if (suppressed)
		log_notice(
			"%llu lines like the next were left out", (unsigned long long)suppressed);
	return true;
}

bool mn_bad_packet(struct mn *mn, const struct mip6_packet *p, const char *why)
{
	mn->stats.malformed++;
	if (!mn_may_log(mn))
		return false;
	mn_emit(mn, (struct mip6_event){.type = EV_BAD_PACKET,
			    .peer = p->src,
			    .ifindex = p->ifindex,
			    .status = -1,
			    .text = why});
	return true;
}

monotime_t mn_rate_when(const struct mn_rate *r, monotime_t now)
{
	monotime_t t;

	if (r->n < MIP6_MAX_UPDATE_RATE)
		return now;
	t = mono_add_s(r->last[r->next], 1);
	return mono_before(now, t) ? t : now;
}

void mn_rate_take(struct mn_rate *r, monotime_t now)
{
	r->last[r->next] = now;
	r->next = (r->next + 1) % MIP6_MAX_UPDATE_RATE;
	if (r->n < MIP6_MAX_UPDATE_RATE)
		r->n++;
}

struct nd_lladdr mn_lladdr(const struct mn_link *l)
{
	struct nd_lladdr a = {.len = sizeof(l->mac)};

	memcpy(a.addr, l->mac, sizeof(l->mac));
	return a;
}

int mn_send_icmp6(struct mn *mn, const struct mn_link *l, const struct in6_addr *src,
	const struct in6_addr *dst, const struct icmp6_message *m)
{
	uint8_t buf[256];
	struct mip6_packet p = {
		.src = *src,
		.dst = *dst,
		.ifindex = l->ifindex,
		.hop_limit = 255, /* RFC 4861 4.1, 4.3, 4.4 */
		.data = buf,
		.len = icmp6_build(m, buf, sizeof(buf)),
	};

	return mn->env->send_icmp6(mn->env->ctx, &p);
}

struct mn_link *mn_link_find(struct mn *mn, int ifindex)
{
	for (size_t i = 0; i < mn->n_links; i++)
		if (mn->links[i].ifindex == ifindex)
			return &mn->links[i];
	return NULL;
}

struct mn *mn_new(const struct mn_config *config, const struct mip6_env *env,
	const struct mn_ops *ops, void *ops_ctx)
{
	struct mn *mn;

	if (config->n_interfaces > MN_MAX_INTERFACES)
		return NULL;
	mn = calloc(1, sizeof(*mn));
	if (!mn)
		return NULL;
	mn->config = *config;
	if (!mn->config.first_registration_timeout_ms)
		mn->config.first_registration_timeout_ms = MIP6_INITIAL_BINDACK_TIMEOUT_FIRST_REG;
	if (!mn->config.solicit_interval_ms)
		mn->config.solicit_interval_ms = 4000;
	mn->env = env;
	mn->ops = ops;
	mn->ops_ctx = ops_ctx;
	mn->last_status = -1;
	/* Binding Errors are limited like ICMPv6 errors (RFC 6275 9.3.3, RFC 4443 2.4 f). */
	mn->be_rate = (struct log_limit)LOG_LIMIT_INIT(10, 60);
	mn->bad_log = (struct log_limit)LOG_LIMIT_INIT(5, 6);
	mn->op_log = (struct log_limit)LOG_LIMIT_INIT(10, 12);
	mn->n_links = config->n_interfaces;
	for (size_t i = 0; i < mn->n_links; i++)
		mn_link_init(&mn->links[i], mn, &config->interfaces[i]);
	mn_path_init(mn);
	mn_heartbeat_init(mn);
	mn_discovery_init(mn);
	mn_prefix_init(mn);
	mn_reg_init(mn);
	return mn;
}

static void stop_timers(struct mn *mn)
{
	for (size_t i = 0; i < mn->n_links; i++)
		mn_link_stop(&mn->links[i]);
	timer_stop(mn->env->timers, &mn->hold_timer);
	timer_stop(mn->env->timers, &mn->sweep_timer);
	timer_stop(mn->env->timers, &mn->heartbeat.timer);
	mn_discovery_stop(mn);
	mn_prefix_stop(mn);
	mn_reg_stop(mn);
}

void mn_free(struct mn *mn)
{
	if (!mn)
		return;
	stop_timers(mn);
	mn_ro_free(mn);
	free(mn);
}

void mn_restore(struct mn *mn, const struct in6_addr *care_of, uint16_t seq, uint32_t remaining_s)
{
	mn_reg_restore(mn, care_of, seq, remaining_s);
}

/* ---- what comes in ---- */

void mn_link_event(struct mn *mn, int ifindex, bool up, const uint8_t *mac, bool link_local)
{
	struct mn_link *l = mn_link_find(mn, ifindex);
	bool only_link_local;

	if (!l || mn->stopping)
		return;
	if (!up) {
		l->link_local_usable = false;
		mn_link_fsm(l, LINK_E_DOWN);
		mn_path_check(mn);
		return;
	}
	only_link_local = l->state != MN_LINK_DOWN && link_local && !l->link_local_usable;
	l->link_local_usable = link_local;
	if (mac && memcmp(l->mac, mac, sizeof(l->mac)) != 0) {
		memcpy(l->mac, mac, sizeof(l->mac));
		mn_coa_new_identity(l);
	}
	if (only_link_local)
		return;
	mn_link_fsm(l, LINK_E_UP);
	mn_path_check(mn);
}

void mn_address_event(
	struct mn *mn, int ifindex, const struct in6_addr *addr, enum mn_address_state s)
{
	struct mn_link *l = mn_link_find(mn, ifindex);
	struct mn_coa *c;

	if (mn->stopping)
		return;
	if (in6_equal(addr, &mn->config.home_address)) {
		if (s == MN_ADDR_DUPLICATE) {
			mn->stats.dad_failures++;
			mn_emit(mn, (struct mip6_event){.type = EV_ADDRESS_DUPLICATE,
					    .care_of = *addr,
					    .ifindex = ifindex,
					    .status = -1,
					    .text = "the home address is in use by another node"});
		} else if (s == MN_ADDR_READY && mn->path.location == MN_AT_HOME) {
			/* It passed DAD on its own link: what status 134 said is over. */
			mn->reg.home_address_lost = false;
		}
		return;
	}
	if (!l)
		return;
	if (IN6_IS_ADDR_LINKLOCAL(addr)) {
		mn_link_local_event(l, addr, s);
		return;
	}
	c = mn_coa_find(l, addr);
	if (c) {
		mn_coa_event(l, c, s);
		mn_path_check(mn);
	}
}

void mn_neighbour_event(struct mn *mn, int ifindex, const struct in6_addr *addr, bool reachable)
{
	struct mn_link *l = mn_link_find(mn, ifindex);
	struct mn_router *r = l ? mn_router_find(l, addr) : NULL;

	/*
	 * That it is reachable the kernel may conclude from what came up to
	 * DELAY_PROBE_TIME (5 s) earlier, perhaps before a move; an answer to a
	 * probe, of the kernel's or ours, is seen by receive_na().
	 */
	if (!r || mn->stopping || l->state == MN_LINK_DOWN || reachable)
		return;
	if (r != l->router) {
		r->used = false;
		return;
	}
	/*
	 * The kernel has sent its probes already; NUD's verdict is one of the
	 * indications after which routers are to be discovered (RFC 6275 11.5.1).
	 */
	mn_router_lost(l);
	mn_path_check(mn);
}

static void bad_icmp6(struct mn *mn, const struct mip6_packet *p, const char *why)
{
	if (mn_bad_packet(mn, p, why))
		log_info("ignored from %s: %s", in6_str(&p->src), why);
}

static void receive_na(
	struct mn *mn, struct mn_link *l, const struct mip6_packet *p, const struct icmp6_na *na)
{
	struct mn_router *r;

	/* RFC 4861 7.1.2 */
	if (IN6_IS_ADDR_MULTICAST(&p->dst) && na->solicited) {
		bad_icmp6(mn, p, "solicited Neighbor Advertisement to a group");
		return;
	}
	if (in6_equal(&na->target, &mn->config.home_address)) {
		mn_home_na(l, na);
		return;
	}
	r = mn_router_find(l, &na->target);
	/* Only an answer to a solicitation proves both directions (RFC 6275 11.5.1). */
	if (!r || !na->solicited)
		return;
	r->heard = mn_now(mn);
	if (r == l->router)
		mn_link_fsm(l, LINK_E_REACHABLE);
}

/* By way of routers, so whatever the interface and the hop limit. */
static void receive_discovery(struct mn *mn, const struct mip6_packet *p)
{
	struct icmp6_message m;

	if (!icmp6_parse(p->data, p->len, &m))
		bad_icmp6(mn, p, "malformed discovery message");
	else if (m.type == ICMP6T_MPA)
		mn_prefix_received(mn, p, &m.u.mpa);
	else
		mn_discovery_received(mn, p, &m.u.dhaad);
}

void mn_receive_icmp6(struct mn *mn, const struct mip6_packet *p)
{
	struct mn_link *l = mn_link_find(mn, p->ifindex);
	struct icmp6_message m;

	if (p->len < 1 || mn->stopping)
		return;
	if (p->data[0] == ICMP6T_DHAAD_REPLY || p->data[0] == ICMP6T_MPA) {
		receive_discovery(mn, p);
		return;
	}
	if (!l || l->state == MN_LINK_DOWN ||
		(p->data[0] != ICMP6T_RA && p->data[0] != ICMP6T_NA))
		return;
	if (p->hop_limit != 255) {
		bad_icmp6(mn, p, "Neighbor Discovery from another link (hop limit)");
		return;
	}
	if (!icmp6_parse(p->data, p->len, &m)) {
		bad_icmp6(mn, p, "malformed Neighbor Discovery message");
		return;
	}
	if (m.type == ICMP6T_NA) {
		receive_na(mn, l, p, &m.u.na);
		return;
	}
	if (!IN6_IS_ADDR_LINKLOCAL(&p->src)) { /* RFC 4861 6.1.2 */
		bad_icmp6(mn, p, "Router Advertisement from an address that is not link-local");
		return;
	}
	mn->stats.ra_received++;
	mn_router_advertised(l, &p->src, &m.u.ra);
}

void mn_receive_mh(struct mn *mn, const struct mip6_packet *p)
{
	if (!mn->stopped)
		mn_mh_received(mn, p);
}

/* ---- the end ---- */

void mn_finish(struct mn *mn)
{
	if (mn->stopped)
		return;
	mn->stopped = true;
	mn_ro_teardown(mn);
	if (!mn->config.path_stays)
		mn_path_teardown(mn);
	stop_timers(mn);
}

void mn_end(struct mn *mn)
{
	if (!mn->stopped || !mn->config.path_stays)
		return;
	mn_path_teardown(mn);
	stop_timers(mn);
}

void mn_shutdown(struct mn *mn)
{
	if (mn->stopping)
		return;
	mn->stopping = true;
	for (size_t i = 0; i < mn->n_links; i++)
		mn_link_stop(&mn->links[i]);
	mn_ro_shutdown(mn);
	if (mn->path.location == MN_AWAY && mn_binding_may_live(mn))
		mn_reg_deregister(mn, &mn->path.care_of);
	else if (!(mn->path.location == MN_AT_HOME && mn->reg.state == MN_REG_DEREGISTERING))
		mn_finish(mn);
	else
		mn_reg_deregister(mn, &mn->config.home_address);
}

bool mn_idle(const struct mn *mn)
{
	return mn->stopped;
}

/* ---- what is told ---- */

static int64_t until_ms(const struct timer *t, monotime_t now)
{
	int64_t ms;

	if (!timer_running(t))
		return -1;
	ms = mono_diff_ms(t->when, now);
	return ms < 0 ? 0 : ms;
}

void mn_info(const struct mn *mn, struct mn_info *i)
{
	const struct mn_reg *reg = &mn->reg;
	monotime_t now = mn_now(mn);

	memset(i, 0, sizeof(*i));
	i->location = mn->path.location;
	i->registration = reg->state;
	i->home_address = mn->config.home_address;
	i->home_agent = mn->config.home_agent;
	if (mn->path.location != MN_NOWHERE) {
		i->care_of = mn->path.care_of;
		i->ifindex = mn->path.link->ifindex;
		i->router = mn->path.router;
	}
	i->seq = reg->seq;
	if (mono_before(now, reg->acked_until)) {
		i->lifetime_s = reg->granted_s;
		i->remaining_s = (uint32_t)mono_diff_s(reg->acked_until, now);
	}
	i->refresh_in_ms = until_ms(&reg->refresh_timer, now);
	i->retransmit_in_ms = until_ms(&reg->send_timer, now);
	i->moves = mn->moves;
	i->retransmissions = mn->retransmissions;
	i->last_status = mn->last_status;
	i->mobile_router = mn->config.router.n_networks ? &mn->config.router : NULL;
	i->router_refused = mn->reg.router_refused;
	if (mono_before(now, reg->barred_until))
		i->barred_for_s = (uint32_t)((mono_diff_ms(reg->barred_until, now) + 999) / 1000);
	i->leaving = mn->agent.leaving;
	i->agent_lost = mn->heartbeat.lost;
}

void mn_foreach_link(
	const struct mn *mn, bool (*fn)(void *arg, const struct mn_link_info *i), void *arg)
{
	for (size_t n = 0; n < mn->n_links; n++) {
		const struct mn_link *l = &mn->links[n];
		struct mn_link_info i = {
			.ifindex = l->ifindex,
			.preference = l->preference,
			.up = l->state != MN_LINK_DOWN,
			.current = mn->path.location != MN_NOWHERE && mn->path.link == l,
			.home = l->home,
			.address_state = MN_ADDR_REMOVED,
			.state = mn_link_state_name(l->state),
		};

		if (l->router)
			i.router = l->router->addr;
		if (l->coa) {
			i.care_of = l->coa->addr;
			i.address_state = l->coa->state;
		}
		if (!fn(arg, &i))
			return;
	}
}

bool mn_prefer(struct mn *mn, int ifindex, int preference)
{
	struct mn_link *l = mn_link_find(mn, ifindex);

	if (!l)
		return false;
	l->preference = preference;
	mn_path_check(mn);
	return true;
}

const struct mn_stats *mn_stats(const struct mn *mn)
{
	return &mn->stats;
}
