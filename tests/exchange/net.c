/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated network: life, clock, randomness, log of packets and events. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "tests/exchange/net_internal.h"

#define MAX_STEPS_PER_SECOND 20000

static const char *const kind_names[N_KINDS] = {
	"any", "RS", "RA", "NS", "NA", "BU", "BA", "BE", "BRI", "BRA", "heartbeat request",
	"heartbeat response", "HA switch", "HoTI", "CoTI", "HoT", "CoT", "CBU", "CBA", "BRR", "MH", "ICMPv6"};

const char *net_kind_name(enum net_kind k)
{
	return kind_names[k];
}

/* ---- randomness: splitmix64, so that a seed means the same everywhere ---- */

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t net_random(struct net *n)
{
	return next_random(&n->rng);
}

uint64_t net_below(struct net *n, uint64_t limit)
{
	return limit ? net_random(n) % limit : 0;
}

bool net_random_below(struct net *n, unsigned per_mille)
{
	return per_mille && net_below(n, 1000) < per_mille;
}

static void env_random(void *ctx, void *to, size_t len)
{
	struct net *n = ctx;
	uint8_t *p = to;

	while (len--)
		*p++ = (uint8_t)(next_random(&n->env_rng) >> 32);
}

/* ---- trace and violations ---- */

static void say_v(struct net *n, const char *fmt, va_list ap)
{
	fprintf(n->trace, "%9.3f ", (double)n->now.us / 1e6);
	vfprintf(n->trace, fmt, ap);
	fputc('\n', n->trace);
}

void net_say(struct net *n, const char *fmt, ...)
{
	va_list ap;

	if (!n->trace)
		return;
	va_start(ap, fmt);
	say_v(n, fmt, ap);
	va_end(ap);
}

void net_violation(struct net *n, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	net_say(n, "VIOLATION: %s", text);
	if (!n->violations++)
		snprintf(n->violation, sizeof(n->violation), "at %.3f s: %s",
			(double)n->now.us / 1e6, text);
}

/* ---- environment of both cores ---- */

static monotime_t env_now(void *ctx)
{
	return ((struct net *)ctx)->now;
}

static void note_event(struct net *n, enum net_side from, const struct mip6_event *e)
{
	if (n->n_events == n->cap_events) {
		n->cap_events = n->cap_events ? 2 * n->cap_events : 64;
		n->events = realloc(n->events, n->cap_events * sizeof(*n->events));
		if (!n->events)
			abort();
	}
	n->events[n->n_events].from_ha = from == SIDE_HA;
	n->events[n->n_events].from_cn = from == SIDE_CN;
	n->events[n->n_events++].e = *e;
	net_say(n, "  %s: %s care-of %s status %d seq %u%s%s",
		from == SIDE_HA ? "HA" : from == SIDE_CN ? "CN" : "MN",
		mip6_event_name(e->type), in6_str(&e->care_of), e->status, e->seq,
		e->text ? ": " : "", e->text ? e->text : "");
}

static void ha_event(void *ctx, const struct mip6_event *e)
{
	note_event(ctx, SIDE_HA, e);
}

static void mn_event(void *ctx, const struct mip6_event *e)
{
	note_event(ctx, SIDE_MN, e);
}

static void cn_event(void *ctx, const struct mip6_event *e)
{
	note_event(ctx, SIDE_CN, e);
}

/* ---- flights ---- */

static void land(struct timer *t, void *arg)
{
	struct net_flight *f = arg;
	struct net *n = f->net;

	(void)t;
	if (f->prev)
		f->prev->next = f->next;
	else
		n->flights = f->next;
	if (f->next)
		f->next->prev = f->prev;
	n->n_flights--;
	f->arrive(n, f);
	free(f);
}

struct net_flight *net_flight_new(struct net *n, size_t len)
{
	struct net_flight *f = calloc(1, sizeof(*f) + len);

	if (!f)
		abort();
	f->net = n;
	timer_init(&f->timer, land, f);
	return f;
}

void net_flight_go(struct net *n, struct net_flight *f, int64_t after_us)
{
	f->prev = NULL;
	f->next = n->flights;
	if (n->flights)
		n->flights->prev = f;
	n->flights = f;
	n->n_flights++;
	net_timer(n, &f->timer, after_us);
}

void net_timer(struct net *n, struct timer *t, int64_t after_us)
{
	if (timer_start(n->timers, t, (monotime_t){n->now.us + after_us}) < 0)
		abort();
}

/* ---- life ---- */

static struct in6_addr address(uint16_t link, uint16_t host)
{
	struct in6_addr a = {{{0x20, 0x01, 0x0d, 0xb8}}};

	a.s6_addr[5] = (uint8_t)link;
	a.s6_addr[14] = (uint8_t)(host >> 8);
	a.s6_addr[15] = (uint8_t)host;
	return a;
}

struct in6_addr net_prefix(int link)
{
	return address((uint16_t)(link == HOME ? 1 : 9 + link), 0);
}

struct in6_addr net_router_address(int link)
{
	struct in6_addr p = net_prefix(link);

	p.s6_addr[14] = link == HOME ? 0x10 : 0;
	p.s6_addr[15] = link == HOME ? 0 : 1;
	return p;
}

struct in6_addr net_router_link_local(int link)
{
	struct in6_addr a = {{{0xfe, 0x80}}};

	a.s6_addr[14] = 0x10;
	a.s6_addr[15] = (uint8_t)link;
	return a;
}

static void default_configurations(struct net *n)
{
	struct ip6_prefix home = {.addr = net_prefix(HOME), .plen = HOME_PLEN};

	n->home_address = address(1, 0x100);
	n->cn = address(0xc, 0xc);
	n->ha_config = (struct ha_config){
		.address = net_router_address(HOME),
		.home_ifindex = HA_IF,
		.home_lladdr_len = 6,
		.n_prefixes = 1,
		.prefixes = {{.prefix = home, .valid_s = UINT32_MAX, .preferred_s = UINT32_MAX}},
		.max_lifetime_s = 600,
		.revocation = {.retries = 1},
	};
	memcpy(n->ha_config.home_lladdr, n->ha_mac, 6);
	n->mn_config = (struct mn_config){
		.home_address = n->home_address,
		.home_prefix = home,
		.home_agent = n->ha_config.address,
		.lifetime_s = 400,
		.uplink = MN_UPLINK_OPTIMISTIC,
		.optimistic_dad = true,
		.eager = true,
		.hold_ms = 3000,
		.unprotected_signals = true,
		.n_interfaces = NET_IFS,
		.interfaces = {{.ifindex = IF1, .preference = 2},
			{.ifindex = IF2, .preference = 1}},
	};
}

static void stream_tick(struct timer *t, void *arg)
{
	struct net *n = arg;

	(void)t;
	if (!n->stream_us)
		return;
	net_data_down(n);
	net_data_up(n);
	net_timer(n, &n->stream, n->stream_us);
}

struct net *net_new(const struct net_options *opt)
{
	static const uint8_t ha_mac[6] = {0x02, 0xaa, 0, 0, 0, 1};
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	log_setup("exchange", LOGL_ERROR);
	if (getenv("TRACE"))
		n->trace = stderr;
	if (opt)
		n->opt = *opt;
	if (!n->opt.dad_ms)
		n->opt.dad_ms = 1000;
	n->now = (monotime_t){1000000};
	n->rng = n->opt.seed * 2 + 1;
	n->env_rng = n->opt.seed * 2 + 0x123456789;
	n->timers = timerq_new();
	memcpy(n->ha_mac, ha_mac, 6);
	for (int i = 0; i < N_PATHS; i++)
		n->paths[i] = (struct net_path){.delay_us = 100};
	n->paths[CORE].delay_us = n->opt.rtt_us / 2;
	n->ha_env = n->mn_env = n->cn_env = (struct mip6_env){
		.ctx = n, .timers = n->timers, .now = env_now, .random = env_random};
	n->ha_env.send_mh = net_ha_send_mh;
	n->ha_env.send_icmp6 = net_ha_send_icmp6;
	n->ha_env.event = ha_event;
	n->mn_env.send_mh = net_mn_send_mh;
	n->mn_env.send_icmp6 = net_mn_send_icmp6;
	n->mn_env.event = mn_event;
	n->cn_env.send_mh = net_cn_send_mh;
	n->cn_env.event = cn_event;
	timer_init(&n->stream, stream_tick, n);
	default_configurations(n);
	net_routers_init(n);
	net_ha_init(n);
	net_mn_init(n);
	net_cn_init(n);
	return n;
}

void net_free(struct net *n)
{
	struct net_flight *next;

	net_stop_ha(n);
	net_stop_mn(n);
	cn_free(n->cn_core);
	for (struct net_flight *f = n->flights; f; f = next) {
		next = f->next;
		free(f);
	}
	timerq_free(n->timers);
	free(n->seen);
	free(n->data);
	free(n->events);
	free(n);
}

void net_start(struct net *n)
{
	net_start_ha(n, false);
	if (n->opt.ro)
		net_restart_cn(n, true);
	net_start_mn(n, false);
}

/* ---- time ---- */

/* Timers that wake each other without end would show as steps without number. */
static void count_step(struct net *n)
{
	n->steps++;
	if (n->now.us / 1000000 != n->window) {
		n->window = n->now.us / 1000000;
		n->window_steps = 0;
	}
	if (++n->window_steps == MAX_STEPS_PER_SECOND)
		net_violation(n, "timers run more than %d times in a second", MAX_STEPS_PER_SECOND);
}

/* One step: all that is due at the next deadline not after `end`.  False: nothing is. */
static bool step(struct net *n, monotime_t end)
{
	monotime_t next = timerq_next(n->timers);

	if (mono_before(end, next))
		return false;
	if (mono_before(n->now, next))
		n->now = next;
	timerq_run(n->timers, n->now);
	count_step(n);
	net_check(n);
	return true;
}

void net_run(struct net *n, int64_t ms)
{
	monotime_t end = mono_add_ms(n->now, ms);

	net_check(n);
	while (step(n, end))
		;
	n->now = end;
}

bool net_until(struct net *n, bool (*fn)(const struct net *n), int64_t ms)
{
	monotime_t end = mono_add_ms(n->now, ms);

	while (!fn(n)) {
		if (!step(n, end)) {
			n->now = end;
			return fn(n);
		}
	}
	return true;
}

bool net_until_event(struct net *n, enum mip6_event_type type, int64_t ms)
{
	monotime_t end = mono_add_ms(n->now, ms);
	size_t at = n->n_events;

	for (;;) {
		for (; at < n->n_events; at++) {
			if (n->events[at].e.type == type)
				return true;
		}
		if (!step(n, end)) {
			n->now = end;
			return false;
		}
	}
}

const struct net_seen *net_sent(struct net *n, enum net_kind kind, int64_t ms)
{
	monotime_t end = mono_add_ms(n->now, ms);

	for (;;) {
		while (n->cursor < n->n_seen) {
			const struct net_seen *s = &n->seen[n->cursor++];

			if (s->kind == kind)
				return s;
		}
		if (!step(n, end)) {
			n->now = end;
			return NULL;
		}
	}
}

const struct net_seen *net_arrived(struct net *n, enum net_kind kind, int64_t ms)
{
	monotime_t end = mono_add_ms(n->now, ms + 60000);
	const struct net_seen *s = net_sent(n, kind, ms);
	size_t at = n->cursor - 1;

	if (!s)
		return NULL;
	while (n->seen[at].fate == F_UNDERWAY && step(n, end))
		;
	return &n->seen[at];
}

void net_forget(struct net *n)
{
	n->cursor = n->n_seen;
}

size_t net_count(const struct net *n, enum net_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < n->n_seen; i++)
		count += n->seen[i].kind == kind;
	return count;
}

/* ---- the log ---- */

static enum net_kind kind_of_icmp6(uint8_t type)
{
	switch (type) {
	case ICMP6T_RS:
		return K_RS;
	case ICMP6T_RA:
		return K_RA;
	case ICMP6T_NS:
		return K_NS;
	case ICMP6T_NA:
		return K_NA;
	default:
		return K_ICMP_OTHER;
	}
}

static void read_mh(struct net *n, struct net_seen *s, const struct mip6_packet *p)
{
	struct mh_message m;
	const struct mh_option *alt;

	s->kind = K_MH_OTHER;
	if (mh_parse(p->data, p->len, &m, NULL) != MH_OK) {
		net_violation(n, "malformed Mobility Header sent");
		return;
	}
	if (m.type == MH_BU) {
		s->kind = m.u.bu.flags & BU_F_H ? K_BU : K_CBU;
		s->seq = m.u.bu.seq;
		s->bu_flags = m.u.bu.flags;
		s->lifetime = m.u.bu.lifetime;
		alt = mh_option(&m, MHOPT_ALT_COA);
		s->has_alt_coa = alt;
		if (alt)
			s->alt_coa = alt->u.alt_coa;
	} else if (m.type == MH_BA) {
		s->kind = n->opt.ro && in6_equal(&p->src, &n->cn) ? K_CBA : K_BA;
		s->seq = m.u.ba.seq;
		s->status = m.u.ba.status;
		s->lifetime = m.u.ba.lifetime;
	} else if (m.type <= MH_COT) {
		s->kind = m.type == MH_BRR    ? K_BRR
			  : m.type == MH_HOTI ? K_HOTI
			  : m.type == MH_COTI ? K_COTI
			  : m.type == MH_HOT  ? K_HOT
					      : K_COT;
	} else if (m.type == MH_BE) {
		s->kind = K_BE;
	} else if (m.type == MH_REVOCATION) {
		s->kind = m.u.revocation.br_type == BR_INDICATION ? K_BRI : K_BRA;
		s->seq = m.u.revocation.seq;
		s->status = m.u.revocation.trigger_or_status;
	} else if (m.type == MH_HEARTBEAT) {
		s->kind = m.u.heartbeat.response ? K_HB_RESPONSE : K_HB_REQUEST;
	} else if (m.type == MH_HA_SWITCH) {
		s->kind = K_SWITCH;
	}
}

static void read_icmp6(struct net *n, struct net_seen *s, const struct mip6_packet *p)
{
	struct icmp6_message m;

	s->kind = p->len ? kind_of_icmp6(p->data[0]) : K_ICMP_OTHER;
	if (s->kind == K_ICMP_OTHER)
		return;
	if (!icmp6_parse(p->data, p->len, &m)) {
		net_violation(n, "malformed %s sent", net_kind_name(s->kind));
		return;
	}
	if (s->kind == K_NS) {
		s->target = m.u.ns.target;
		s->lladdr = m.u.ns.slla;
	} else if (s->kind == K_NA) {
		s->target = m.u.na.target;
		s->lladdr = m.u.na.tlla;
		s->solicited = m.u.na.solicited;
		s->override = m.u.na.override;
	} else if (s->kind == K_RS) {
		s->lladdr = m.u.rs.slla;
	}
}

static void say_packet(struct net *n, enum net_side from, const struct net_seen *s)
{
	const char *who = from == SIDE_HA   ? "HA"
			  : from == SIDE_MN ? "MN"
			  : from == SIDE_CN ? "CN"
					    : "--";

	if (!n->trace)
		return;
	if (s->kind == K_BU || s->kind == K_CBU)
		net_say(n, "%s %s --> seq %u lifetime %u flags %04x %s coa %s", who,
			net_kind_name(s->kind), s->seq, s->lifetime * 4, s->bu_flags,
			in6_str(&s->src), in6_str(&s->coa));
	else if (s->kind == K_BA || s->kind == K_CBA)
		net_say(n, "%s <-- %s seq %u status %u lifetime %u to %s coa %s", who,
			net_kind_name(s->kind), s->seq, s->status, s->lifetime * 4,
			in6_str(&s->dst), in6_str(&s->coa));
	else if (s->kind == K_NS || s->kind == K_NA)
		net_say(n, "%s %s %s > %s target %s%s%s (link %d)", who, net_kind_name(s->kind),
			in6_str(&s->src), in6_str(&s->dst), in6_str(&s->target),
			s->solicited ? " solicited" : "", s->override ? " override" : "", s->link);
	else
		net_say(n, "%s %s %s > %s (link %d)", who, net_kind_name(s->kind), in6_str(&s->src),
			in6_str(&s->dst), s->link);
}

/* Returns the index + 1. */
size_t net_log(struct net *n, enum net_side from, int link, const struct mip6_packet *p, bool is_mh)
{
	struct net_seen *s;

	if (n->n_seen == n->cap_seen) {
		n->cap_seen = n->cap_seen ? 2 * n->cap_seen : 256;
		n->seen = realloc(n->seen, n->cap_seen * sizeof(*n->seen));
		if (!n->seen)
			abort();
	}
	s = &n->seen[n->n_seen++];
	*s = (struct net_seen){.when = n->now,
		.src = p->src,
		.dst = p->dst,
		.flags = p->flags,
		.ifindex = p->ifindex,
		.link = link,
		.len = p->len < sizeof(s->data) ? p->len : sizeof(s->data)};
	memcpy(s->data, p->data, s->len);
	if (p->flags & MIP6_PKT_HAO)
		s->coa = p->src_coa;
	else if (p->flags & MIP6_PKT_RH2)
		s->coa = p->dst_coa;
	if (is_mh)
		read_mh(n, s, p);
	else
		read_icmp6(n, s, p);
	say_packet(n, from, s);
	return n->n_seen;
}

/* ---- rules ---- */

void net_rule(struct net *n, enum net_kind kind, enum net_treatment t, unsigned skip,
	unsigned count, int64_t delay_ms)
{
	for (size_t i = 0; i < NET_RULES; i++) {
		if (!n->rules[i].count) {
			n->rules[i] = (struct net_rule){kind, t, skip, count, delay_ms * 1000};
			return;
		}
	}
	abort();
}

void net_faults(
	struct net *n, unsigned loss, unsigned duplicate, unsigned reorder, int64_t reorder_ms)
{
	for (int i = 0; i < N_PATHS; i++) {
		n->paths[i].loss = loss;
		n->paths[i].duplicate = duplicate;
		n->paths[i].reorder = reorder;
		n->paths[i].reorder_us = reorder_ms * 1000;
	}
}

void net_stream(struct net *n, int64_t every_us)
{
	bool was = n->stream_us;

	n->stream_us = every_us;
	if (every_us && !was)
		net_timer(n, &n->stream, every_us);
	else if (!every_us)
		timer_stop(n->timers, &n->stream);
}
