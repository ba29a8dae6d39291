/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dynamic Home Agent Address Discovery (RFC 6275 10.5, RFC 3963 7.2): a
 * mobile node asks at the anycast address of its home prefix which home
 * agents there are.  Nothing is known of who asks, so nothing is kept, and no
 * more than a hundred a second are answered: a reply may be ten times as long
 * as the request.
 */
#include <stdlib.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha_internal.h"

#define IP6_MIN_MTU 1280
#define IP6_HEADER 40
#define REPLY_HEADER 8
#define REPLY_MAX_ADDRS ((IP6_MIN_MTU - IP6_HEADER - REPLY_HEADER) / 16)
#define MAX_LISTED (REPLY_MAX_ADDRS < DHAAD_MAX_ADDRS ? REPLY_MAX_ADDRS : DHAAD_MAX_ADDRS)

struct listed {
	uint16_t preference;
	uint32_t order; /* among equals: of the home agent, then of the address */
	uint32_t suborder;
	struct in6_addr addr;
};

struct collection {
	struct ha *ha;
	bool mobile_routers; /* those only */
	size_t n;
	struct listed all[1 + HA_MAX_AGENTS * HA_AGENT_MAX_ADDRS];
};

static uint32_t random_u32(struct ha *ha)
{
	uint32_t r;

	ha->env->random(ha->env->ctx, &r, sizeof(r));
	return r;
}

static bool collect(void *arg, const struct ha_agent_info *i)
{
	struct collection *c = arg;
	uint32_t order = random_u32(c->ha);

	if (c->mobile_routers && !i->mobile_routers)
		return true;
	for (size_t k = 0; k < i->n_addrs; k++)
		c->all[c->n++] = (struct listed){
			i->preference, order, random_u32(c->ha), i->addrs[k]};
	return true;
}

static int by_preference(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference > y->preference ? -1 : 1;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->suborder > y->suborder) - (x->suborder < y->suborder);
}

static bool is_for_us(const struct ha *ha, const struct in6_addr *dst)
{
	if (in6_equal(dst, &ha->config.address))
		return true;
	for (size_t i = 0; i < ha->config.n_prefixes; i++) {
		struct in6_addr anycast = in6_home_agents_anycast(&ha->config.prefixes[i].prefix);

		if (in6_equal(dst, &anycast))
			return true;
	}
	return false;
}

static void reply(struct ha *ha, const struct mip6_packet *p, const struct icmp6_dhaad *request)
{
	struct icmp6_message m = {.type = ICMP6T_DHAAD_REPLY,
		.u.dhaad = {.reply = true,
			.id = request->id,
			.mobile_router = request->mobile_router}};
	struct collection *c = calloc(1, sizeof(*c));
	uint8_t data[IP6_MIN_MTU - IP6_HEADER];
	struct mip6_packet out = {.src = ha->config.address, .dst = p->src, .data = data};
	int err;

	if (!c)
		return;
	c->ha = ha;
	c->mobile_routers = request->mobile_router;
	ha_foreach_agent(ha, collect, c);
	qsort(c->all, c->n, sizeof(c->all[0]), by_preference);
	for (size_t i = 0; i < c->n && i < MAX_LISTED; i++)
		m.u.dhaad.addrs[m.u.dhaad.n_addrs++] = c->all[i].addr;
	free(c);
	out.len = icmp6_build(&m, data, sizeof(data));
	if (!out.len)
		return;
	err = ha->env->send_icmp6(ha->env->ctx, &out);
	if (err)
		ha_op_failed(ha, "send the list of home agents to", &out.dst, err);
	else
		ha->stats.discovery_replies++;
}

void ha_discovery_request(struct ha *ha, const struct mip6_packet *p)
{
	struct icmp6_message m;

	if (!is_for_us(ha, &p->dst))
		return;
	ha->stats.discovery_requests++;
	/* A reply to something else would be for the next link, or for all of one. */
	if (!in6_is_routable_unicast(&p->src) || !icmp6_parse(p->data, p->len, &m)) {
		ha_bad_packet(ha, p, "Home Agent Address Discovery Request is malformed");
		return;
	}
	if (!log_allowed(&ha->discovery_limit, ha_now(ha), NULL)) {
		ha->stats.discovery_ignored++;
		return;
	}
	reply(ha, p, &m.u.dhaad);
}
