/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/signal_world.h"

#include "tests/pass.h"

struct in6_addr in6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static monotime_t now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void count_up(void *ctx, void *to, size_t n)
{
	memset(to, ++((struct world *)ctx)->random, n);
}

void call(struct world *w, const char *what)
{
	size_t n = strlen(w->calls);

	snprintf(w->calls + n, sizeof(w->calls) - n, "%s%s", n ? " " : "", what);
}

static int send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct sent *s = &w->sent[w->n_sent++];
	struct mh_message m;

	ck_assert_uint_lt(w->n_sent, MAX_SENT);
	ck_assert_int_eq(mh_parse(p->data, p->len, &m, NULL), MH_OK);
	*s = (struct sent){.type = m.type,
		.src = p->src,
		.dst = p->dst,
		.coa = p->flags & MIP6_PKT_HAO ? p->src_coa : p->dst_coa,
		.flags = p->flags,
		.when = w->now};
	if (m.type == MH_BU) {
		s->seq = m.u.bu.seq;
		s->lifetime = m.u.bu.lifetime;
		call(w, s->lifetime ? "bu" : "bu0");
	} else if (m.type == MH_REVOCATION) {
		s->seq = m.u.revocation.seq;
	} else if (m.type == MH_HEARTBEAT) {
		s->hb_seq = m.u.heartbeat.seq;
		s->response = m.u.heartbeat.response;
	}
	return 0;
}

static int send_icmp6(void *ctx, const struct mip6_packet *p)
{
	(void)ctx, (void)p;
	return 0;
}

static void event(void *ctx, const struct mip6_event *e)
{
	((struct world *)ctx)->events[e->type]++;
}

/* ---- the world ---- */

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	log_setup("test_signal", LOGL_ERROR);
	w->now.us = 1000000;
	w->env = (struct mip6_env){.ctx = w,
		.timers = timerq_new(),
		.now = now,
		.random = count_up,
		.send_mh = send_mh,
		.send_icmp6 = send_icmp6,
		.event = event};
	w->hc = (struct ha_config){
		.address = in6(HA), .n_prefixes = 1, .revocation = {1, 1000, 2000}};
	ck_assert(ip6_prefix_parse("2001:db8:1::/64", &w->hc.prefixes[0].prefix));
	w->hc.prefixes[0].valid_s = w->hc.prefixes[0].preferred_s = UINT32_MAX;
	w->mc = (struct mn_config){.home_address = in6(HOME),
		.home_agent = in6(HA),
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 5000,
		.unprotected_signals = true,
		.n_interfaces = 1,
		.interfaces = {{1, 1}}};
	ck_assert(ip6_prefix_parse("2001:db8:1::/64", &w->mc.home_prefix));
	return w;
}

void world_free(struct world *w)
{
	mn_free(w->mn);
	ha_free(w->ha);
	ck_assert(timerq_next(w->env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w->env.timers);
	free(w);
}

void advance(struct world *w, int64_t ms)
{
	pass_time(w->env.timers, &w->now, ms);
}

size_t count(const struct world *w, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += w->sent[i].type == type;
	return n;
}

const struct sent *last(const struct world *w, uint8_t type)
{
	for (size_t i = w->n_sent; i-- > 0;)
		if (w->sent[i].type == type)
			return &w->sent[i];
	ck_abort_msg("no message of type %u", type);
}

/* ---- messages ---- */

struct mh_message revocation(uint8_t br_type, uint8_t number, uint16_t seq)
{
	struct mh_message m = {.type = MH_REVOCATION};

	m.u.revocation.br_type = br_type;
	m.u.revocation.trigger_or_status = number;
	m.u.revocation.seq = seq;
	return m;
}

struct mh_message heartbeat(bool response, bool unsolicited, uint32_t seq, int64_t counter)
{
	struct mh_message m = {.type = MH_HEARTBEAT};

	m.u.heartbeat.response = response;
	m.u.heartbeat.unsolicited = unsolicited;
	m.u.heartbeat.seq = seq;
	if (counter >= 0)
		mh_option_add(&m, MHOPT_RESTART_COUNTER)->u.restart_counter = (uint32_t)counter;
	return m;
}

struct mh_message binding_error(uint8_t status)
{
	struct mh_message m = {.type = MH_BE};

	m.u.be.status = status;
	return m;
}

struct mn_info mn(const struct world *w)
{
	struct mn_info i;

	mn_info(w->mn, &i);
	return i;
}
