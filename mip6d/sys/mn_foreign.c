/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes for a tunnel that an IKE daemon makes.
 *
 * What the inner address sends leaves by the default route of its table, and
 * XFRM takes it from there.  As the inner address is a home address for the
 * kernel, which prefers it as source for everything, the gateway has a route
 * of its own with the care-of address as source: that is where IKE is sent
 * from.  The table of the inner address steps aside for it.
 *
 * While the IKE daemon has no policy in place, as during a re-authentication,
 * nothing of the inner address leaves: the packet filter drops what XFRM has
 * not picked up.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/esp_filter.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/mn_kernel_internal.h"
#include "mip6d/sys/nft.h"

static int guard(struct mn_kernel *k, const struct in6_addr *inner, bool on)
{
	struct nft_change c = {.set = "inner", .add = on};

	if (in6_is_any(inner))
		return 0;
	memcpy(c.key, inner, sizeof(*inner));
	return nft_elements(k->nf, sizeof(*inner), &c, 1);
}

#define T "ip6 " SYS_NFT_TABLE

/* In the table of mn_hold.c, which goes with it. */
#define RULES                                                                  \
	"add set " T " inner { type ipv6_addr; }\n"                            \
	"flush set " T " inner\n"                                              \
	"add chain " T " clear { type filter hook postrouting priority 0; }\n" \
	"flush chain " T " clear\n"                                            \
	"add rule " T " clear ip6 saddr @inner oifname != \"lo\" rt ipsec missing counter drop\n"

int mn_foreign_open(struct mn_kernel *k, char *err, size_t errlen)
{
	const struct esp_filter_config c = {.tunnel = k->config.tunnel};
	char why[512];
	int rc = 0;

	if (!k->config.foreign_tunnel)
		return 0;
	k->esp = esp_filter_open(&c, k->loop, k->nf, err, errlen);
	if (!k->esp)
		return -EINVAL;
	if (nft_load(RULES, false, why, sizeof(why)) < 0) {
		snprintf(err, errlen,
			"the packet filter refuses the rules that keep what is for the tunnel in "
			"it "
			"(CONFIG_NFT_XFRM): %s",
			why);
		rc = -EINVAL;
	}
	return rc ? rc : guard(k, &k->config.home_address, true);
}

static struct rtnl_route gateway_route(const struct mn_kernel *k)
{
	return (struct rtnl_route){.dst = k->gateway,
		.plen = 128,
		.metric = SYS_METRIC_MAIN,
		.ifindex = k->main_ifindex,
		.gateway = k->main_router,
		.prefsrc = k->source};
}

static struct rtnl_route aside(const struct mn_kernel *k)
{
	return (struct rtnl_route){.type = RTN_THROW,
		.dst = k->gateway,
		.plen = 128,
		.table = k->config.table,
		.metric = SYS_METRIC};
}

static void remove_gateway(struct mn_kernel *k)
{
	struct rtnl_route main = gateway_route(k), throw = aside(k);

	if (in6_is_any(&k->gateway))
		return;
	nlreq_do(k->rt, rtnl_route_del(&throw));
	nlreq_do(k->rt, rtnl_route_del(&main));
	k->gateway = in6addr_any;
}

static int set_gateway(struct mn_kernel *k)
{
	struct rtnl_route main = gateway_route(k), throw = aside(k);
	int err;

	if (in6_is_any(&k->gateway) || in6_is_any(&k->source))
		return 0;
	err = nlreq_do(k->rt, rtnl_route_set(&main));
	return err ? err : nlreq_do(k->rt, rtnl_route_set(&throw));
}

int mn_foreign_source(struct mn_kernel *k, const struct in6_addr *care_of)
{
	k->source = *care_of;
	if (in6_is_any(&k->gateway))
		k->gateway = k->config.home_agent;
	return set_gateway(k);
}

int mn_foreign_route(struct mn_kernel *k)
{
	k->way = MN_WAY_FOREIGN;
	return mn_default_route(k, k->config.table, k->main_ifindex, &k->main_router, 0);
}

static int change_inner(struct mn_kernel *k, const struct in6_addr *inner)
{
	struct rtnl_rule rule = {.src = k->config.home_address,
		.table = k->config.table,
		.priority = SYS_RULE_HOME,
		.find_source = true};
	int err = guard(k, inner, true);

	if (!err)
		err = mn_hold_address(k->hold, inner);
	if (!err && !in6_is_any(&rule.src)) {
		nlreq_do(k->rt, rtnl_rule_del(&rule));
		nlreq_do(k->rt, rtnl_address_del(k->send_ifindex, &rule.src, 128));
		guard(k, &rule.src, false);
	}
	k->config.home_address = *inner;
	if (!err)
		err = mn_home_rule_set(k);
	return err ? err : mn_home_address_set(k);
}

int mn_kernel_tunnel_is(
	struct mn_kernel *k, const struct in6_addr *inner, const struct in6_addr *gateway)
{
	int err;

	if (!in6_equal(gateway, &k->gateway)) {
		remove_gateway(k);
		k->gateway = *gateway;
	}
	err = set_gateway(k);
	if (!err && !in6_equal(inner, &k->config.home_address))
		err = change_inner(k, inner);
	return err;
}
