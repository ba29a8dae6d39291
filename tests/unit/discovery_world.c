/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/discovery_world.h"

#include "tests/pass.h"

struct in6_addr in6(const char *s)
{
	struct in6_addr a;

	ck_assert_msg(inet_pton(AF_INET6, s, &a) == 1, "%s", s);
	return a;
}

void assert_addr(const struct in6_addr *a, const char *want)
{
	ck_assert_str_eq(in6_str(a), want);
}

/* ---- the world ---- */

static monotime_t fake_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void fake_random(void *ctx, void *to, size_t n)
{
	struct world *w = ctx;

	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)(w->random >> (16 + 8 * (i % 6)));
}

static int fake_send_mh(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct mh_message m;

	ck_assert_int_eq(mh_parse(p->data, p->len, &m, NULL), MH_OK);
	if (m.type != MH_BU)
		return 0;
	ck_assert(!in6_is_any(&p->dst));
	w->bus++;
	w->bu = *p;
	w->seq = m.u.bu.seq;
	w->lifetime = m.u.bu.lifetime;
	return 0;
}

static int fake_send_icmp6(void *ctx, const struct mip6_packet *p)
{
	struct world *w = ctx;
	struct icmp6_message m;

	ck_assert(icmp6_parse(p->data, p->len, &m));
	if (m.type == ICMP6T_DHAAD_REQUEST) {
		w->request_at[w->requests++ % 64] = w->now;
		w->request = *p;
		w->request_id = m.u.dhaad.id;
		w->request_router = m.u.dhaad.mobile_router;
	} else if (m.type == ICMP6T_MPS) {
		w->solicited_at[w->solicitations++ % 64] = w->now;
		w->solicitation = *p;
		w->solicitation_id = m.u.mps.id;
	}
	return 0;
}

static void fake_event(void *ctx, const struct mip6_event *e)
{
	struct world *w = ctx;

	w->events[e->type]++;
	if (e->type == EV_HOME_PREFIX)
		w->last_prefix = *e;
}

static int op_path_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *peer,
	const struct in6_addr *coa)
{
	(void)ctx, (void)hoa, (void)coa;
	ck_assert(!in6_is_any(peer));
	return 0;
}

static int op_tunnel_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *ha,
	const struct in6_addr *coa, bool hold)
{
	struct world *w = ctx;

	(void)hoa;
	ck_assert(!coa || !in6_is_any(ha));
	w->tunnel = coa;
	w->tunnel_agent = *ha;
	w->held = hold;
	return 0;
}

static const struct mn_ops ops = {.address_set = quiet_address_set,
	.address_del = quiet_address_del,
	.link_local_renew = quiet_link_local_renew,
	.router_set = quiet_router_set,
	.router_del = quiet_router_del,
	.bu_path_set = op_path_set,
	.bu_path_del = quiet_pair,
	.tunnel_set = op_tunnel_set,
	.home_set = quiet_home_set,
	.home_del = quiet_home_del,
	.store_binding = quiet_store_binding};

void advance(struct world *w, int64_t ms)
{
	pass_time(w->env.timers, &w->now, ms);
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	log_setup("test", LOGL_ERROR + 1);
	w->now.us = 1000000;
	w->random = 42;
	w->env = (struct mip6_env){.ctx = w,
		.timers = timerq_new(),
		.now = fake_now,
		.random = fake_random,
		.send_mh = fake_send_mh,
		.send_icmp6 = fake_send_icmp6,
		.event = fake_event};
	w->config = (struct mn_config){.home_address = in6(HOA),
		.home_prefix = {in6("2001:db8:1::"), 64},
		.discover = true,
		.lifetime_s = 600,
		.optimistic_dad = true,
		.hold_ms = 2000,
		.n_interfaces = 1,
		.interfaces = {{1, 10}}};
	return w;
}

void world_free(struct world *w)
{
	mn_free(w->mn);
	ck_assert(timerq_next(w->env.timers).us == MONOTIME_NEVER.us);
	timerq_free(w->env.timers);
	free(w);
}

/* ---- inputs ---- */

void icmp6(struct world *w, const char *src, const char *dst, unsigned flags,
	const struct icmp6_message *m)
{
	uint8_t buf[1280];
	struct mip6_packet p = {.src = in6(src),
		.dst = in6(dst),
		.flags = flags,
		.ifindex = 1,
		.hop_limit = 255,
		.data = buf,
		.len = icmp6_build(m, buf, sizeof(buf))};

	ck_assert_uint_gt(p.len, 0);
	mn_receive_icmp6(w->mn, &p);
}

void link_is(struct world *w, const char *prefix)
{
	struct icmp6_message m = advert(in6(prefix));
	uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct in6_addr router = in6("fe80::a");

	router.s6_addr[15] = in6(prefix).s6_addr[5];
	m.u.ra.prefixes[0].valid_s = m.u.ra.prefixes[0].preferred_s = 864000;
	mn_link_event(w->mn, 1, true, mac, true);
	icmp6(w, in6_str(&router), "ff02::1", 0, &m);
}

void start(struct world *w)
{
	w->mn = mn_new(&w->config, &w->env, &ops, w);
	ck_assert(w->mn != NULL);
	link_is(w, "2001:db8:a::");
}

void answer(struct world *w, uint8_t status)
{
	struct mh_message m = {.type = MH_BA};
	uint8_t buf[64];
	struct mip6_packet p = {.src = w->bu.dst,
		.dst = in6(HOA),
		.dst_coa = w->bu.src_coa,
		.flags = MIP6_PKT_RH2,
		.ifindex = 1,
		.data = buf};

	m.u.ba.status = status;
	m.u.ba.seq = w->seq;
	m.u.ba.lifetime = w->lifetime;
	p.len = mh_build(&m, buf, sizeof(buf));
	mn_receive_mh(w->mn, &p);
}

struct mn_info info(const struct world *w)
{
	struct mn_info i;

	mn_info(w->mn, &i);
	return i;
}
