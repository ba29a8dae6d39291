/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct mn_ops.  Routes are written even when they should be there already:
 * the kernel removes those of an interface that goes down without a word.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/loop.h"
#include "lib/addr.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/mn_kernel_internal.h"
#include "mip6d/sys/ro_kernel.h"
#include "mip6d/sys/store.h"
#include "ipsec-glue/glue.h"
#include "ipsec-glue/xfrm.h"

int mn_gone_is_fine(int err)
{
	return err == -ESRCH || err == -ENOENT || err == -ENODEV || err == -EADDRNOTAVAIL ? 0 : err;
}

uint32_t mn_table_of(const struct mn_kernel *k, int ifindex)
{
	for (size_t i = 0; i < k->config.n_interfaces; i++)
		if (k->config.interfaces[i].ifindex == ifindex)
			return k->config.table + 1 + (uint32_t)i;
	return 0;
}

/* ---- addresses ---- */

static struct mn_configured *find_address(
	struct mn_kernel *k, int ifindex, const struct in6_addr *addr)
{
	for (size_t i = 0; i < k->n_addresses; i++)
		if (k->addresses[i].ifindex == ifindex && in6_equal(&k->addresses[i].addr, addr))
			return &k->addresses[i];
	return NULL;
}

static void note_address(
	struct mn_kernel *k, int ifindex, const struct in6_addr *addr, uint8_t plen)
{
	if (!find_address(k, ifindex, addr) && k->n_addresses < MN_MAX_ADDRESSES)
		k->addresses[k->n_addresses++] = (struct mn_configured){ifindex, *addr, plen};
}

/*
 * IFA_F_OPTIMISTIC starts DAD in a particular way; given to an address whose
 * DAD is over it would only say what is not true.
 */
static int create_or_change(struct mn_kernel *k, struct rtnl_address *a)
{
	int err = nlreq_do(k->rt, rtnl_address_set(a, true));

	if (err != -EEXIST)
		return err;
	a->flags &= ~(uint32_t)(IFA_F_OPTIMISTIC | IFA_F_NODAD);
	return nlreq_do(k->rt, rtnl_address_set(a, false));
}

static int take_away(struct mn_kernel *k, int ifindex, const struct in6_addr *addr, uint8_t plen)
{
	int err = nlreq_do(k->rt, rtnl_address_del(ifindex, addr, plen));

	if (!err)
		watch_will_return(k->watch, ifindex, addr);
	return mn_gone_is_fine(err);
}

static int address_set(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen,
	unsigned flags, uint32_t preferred_s, uint32_t valid_s)
{
	struct rtnl_address a = {.ifindex = ifindex,
		.addr = *addr,
		.plen = plen,
		.protocol = SYS_PROTOCOL,
		.flags = IFA_F_NOPREFIXROUTE,
		.preferred_s = preferred_s,
		.valid_s = valid_s};
	struct mn_kernel *k = ctx;
	int err = 0;

	/* RFC 4429 3.1 and the kernel: without DAD there is nothing to be optimistic about. */
	if (flags & MN_ADDR_NODAD)
		a.flags |= IFA_F_NODAD;
	else if (flags & MN_ADDR_OPTIMISTIC)
		a.flags |= IFA_F_OPTIMISTIC;
	if (flags & MN_ADDR_HOME)
		a.flags |= IFA_F_HOMEADDRESS;
	if (flags & MN_ADDR_RENEW)
		err = take_away(k, ifindex, addr, plen);
	if (!err)
		err = create_or_change(k, &a);
	if (!err)
		note_address(k, ifindex, addr, plen);
	return err;
}

static int address_del(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen)
{
	struct mn_kernel *k = ctx;
	struct mn_configured *a = find_address(k, ifindex, addr);

	if (a)
		*a = k->addresses[--k->n_addresses];
	return mn_gone_is_fine(nlreq_do(k->rt, rtnl_address_del(ifindex, addr, plen)));
}

static int link_local_renew(void *ctx, int ifindex, bool optimistic)
{
	struct rtnl_address a = {.ifindex = ifindex,
		.plen = 64,
		.protocol = SYS_IFAPROT_KERNEL_LL,
		.flags = optimistic ? IFA_F_OPTIMISTIC : 0,
		.preferred_s = UINT32_MAX,
		.valid_s = UINT32_MAX};
	struct mn_kernel *k = ctx;
	uint8_t mac[32];
	size_t len;
	int err;

	if (watch_link_local(k->watch, ifindex, &a.addr)) {
		err = take_away(k, ifindex, &a.addr, a.plen);
		if (err)
			return err;
	} else {
		if (!watch_mac(k->watch, ifindex, mac, &len) || len != 6)
			return -EADDRNOTAVAIL;
		a.addr = in6_eui64_link_local(mac);
	}
	err = nlreq_do(k->rt, rtnl_address_set(&a, true));
	return err == -EEXIST ? 0 : err; /* the kernel was quicker */
}

/* ---- routers ---- */

static struct mn_source *find_source(
	struct mn_kernel *k, int ifindex, const struct in6_addr *care_of)
{
	for (size_t i = 0; i < k->n_sources; i++)
		if (k->sources[i].ifindex == ifindex && in6_equal(&k->sources[i].care_of, care_of))
			return &k->sources[i];
	return NULL;
}

static int set_rule(struct mn_kernel *k, const struct in6_addr *src, uint32_t table)
{
	struct rtnl_rule r = {.src = *src, .table = table, .priority = SYS_RULE_CARE_OF};
	int err = nlreq_do(k->rt, rtnl_rule_add(&r));

	return err == -EEXIST ? 0 : err;
}

int mn_default_route(struct mn_kernel *k, uint32_t table, int ifindex,
	const struct in6_addr *router, uint32_t mtu)
{
	struct rtnl_route r = {.table = table,
		.metric = table ? SYS_METRIC : SYS_METRIC_MAIN,
		.ifindex = ifindex,
		.gateway = *router,
		.mtu = mtu};
	int err = nlreq_do(k->rt, rtnl_route_set(&r));

	if (!err && !table)
		k->main_ifindex = ifindex;
	return err;
}

static int no_default_route(struct mn_kernel *k, uint32_t table)
{
	struct rtnl_route r = {.table = table, .metric = table ? SYS_METRIC : SYS_METRIC_MAIN};

	if (!table)
		k->main_ifindex = 0;
	return mn_gone_is_fine(nlreq_do(k->rt, rtnl_route_del(&r)));
}

static int neighbour_set(
	void *ctx, int ifindex, const struct in6_addr *addr, const uint8_t *lladdr, size_t len)
{
	struct mn_kernel *k = ctx;

	/* STALE: usable at once, and confirmed by use (RFC 4861 6.3.4, 7.3.3) */
	return nlreq_do(k->rt, rtnl_neighbour_set(ifindex, addr, lladdr, len, NUD_STALE));
}

static int router_set(void *ctx, int ifindex, const struct in6_addr *router, const uint8_t *lladdr,
	size_t lladdr_len, const struct in6_addr *care_of, uint32_t mtu, bool primary)
{
	struct mn_kernel *k = ctx;
	uint32_t table = mn_table_of(k, ifindex);
	int err = 0;

	if (!table)
		return -ENODEV;
	if (lladdr && lladdr_len)
		err = neighbour_set(k, ifindex, router, lladdr, lladdr_len);
	if (!err)
		err = mn_default_route(k, table, ifindex, router, mtu);
	if (!err)
		err = set_rule(k, care_of, table);
	if (!err && !find_source(k, ifindex, care_of) && k->n_sources < MN_MAX_ADDRESSES)
		k->sources[k->n_sources++] = (struct mn_source){ifindex, *care_of};
	if (!err && primary) {
		k->main_router = *router;
		err = mn_default_route(k, 0, ifindex, router, mtu);
	}
	return err;
}

static int router_del(void *ctx, int ifindex, const struct in6_addr *care_of)
{
	struct mn_kernel *k = ctx;
	uint32_t table = mn_table_of(k, ifindex);
	struct rtnl_rule r = {.src = *care_of, .table = table, .priority = SYS_RULE_CARE_OF};
	struct mn_source *s = find_source(k, ifindex, care_of);
	int err = mn_gone_is_fine(nlreq_do(k->rt, rtnl_rule_del(&r)));

	if (s)
		*s = k->sources[--k->n_sources];
	for (size_t i = 0; i < k->n_sources; i++)
		if (k->sources[i].ifindex == ifindex)
			return err; /* the router serves another address */
	if (!err)
		err = no_default_route(k, table);
	if (!err && k->main_ifindex == ifindex && k->home_ifindex != ifindex)
		err = no_default_route(k, 0);
	return err;
}

/* ---- Binding Updates ---- */

static int bu_path_set(void *ctx, const struct in6_addr *home_address, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct mn_kernel *k = ctx;

	if (mn_esp_protects(k, peer))
		return ipsec_glue_source(k->glue, home_address, peer, care_of);
	return xfrm_bu_path_set(k->xfrm, home_address, peer, care_of);
}

static int bu_path_del(void *ctx, const struct in6_addr *home_address, const struct in6_addr *peer)
{
	struct mn_kernel *k = ctx;

	if (mn_esp_protects(k, peer))
		return ipsec_glue_source(k->glue, home_address, peer, NULL);
	return xfrm_bu_path_del(k->xfrm, home_address, peer);
}

static int signal_path(void *ctx, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, bool on)
{
	struct mn_kernel *k = ctx;

	if (mn_esp_protects(k, home_agent))
		return 0; /* all of it takes the path of Binding Updates */
	return on ? xfrm_signal_path_set(k->xfrm, home_address, home_agent)
		  : xfrm_signal_path_del(k->xfrm, home_address, home_agent);
}

/* ---- the home address ---- */

/* Move the end of the tunnel; both devices when it is another home agent. */
static int move_tunnel(
	struct mn_kernel *k, const struct in6_addr *care_of, const struct in6_addr *home_agent)
{
	int err = 0;

	if (!in6_equal(home_agent, &k->remote))
		err = nlreq_do(
			k->rt, rtnl_tunnel_move(k->receive_ifindex, &in6addr_any, home_agent));
	else if (in6_equal(care_of, &k->local))
		return 0;
	if (!err)
		err = nlreq_do(k->rt, rtnl_tunnel_move(k->send_ifindex, care_of, home_agent));
	if (!err) {
		k->local = *care_of;
		k->remote = *home_agent;
	}
	return err;
}

static int route_by_tunnel(struct mn_kernel *k)
{
	struct rtnl_route r = {
		.table = k->config.table, .metric = SYS_METRIC, .ifindex = k->send_ifindex};
	int err;

	if (k->way == MN_WAY_TUNNEL)
		return 0;
	err = nlreq_do(k->rt, rtnl_route_set(&r));
	if (!err)
		k->way = MN_WAY_TUNNEL;
	return err;
}

static int route_nowhere(struct mn_kernel *k)
{
	k->way = MN_WAY_NONE;
	return no_default_route(k, k->config.table); /* the unreachable one is behind it */
}

static int tunnel_set(void *ctx, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of, bool hold)
{
	struct mn_kernel *k = ctx;
	int err = hold ? mn_hold_start(k->hold) : 0, e;

	timer_stop(sys_loop_timers(k->loop), &k->sa_wait);
	(void)home_address; /* one, told at the start */
	if (!err)
		err = mn_hold_arriving(k->hold, false);
	if (err)
		return err;
	if (!care_of) {
		/* What is to be held needs a route, or the sender is refused: the hold comes before the device. */
		if (hold)
			return route_by_tunnel(k);
		err = route_nowhere(k);
		e = mn_hold_end(k->hold, true);
		return err ? err : e;
	}
	if (k->config.foreign_tunnel)
		err = mn_foreign_source(k, care_of);
	else
		err = mn_esp_away(k, home_agent, care_of);
	if (!err && !k->config.foreign_tunnel)
		err = move_tunnel(k, care_of, home_agent);
	if (!err && k->config.foreign_tunnel && !hold)
		err = mn_foreign_route(k);
	else if (!err)
		err = route_by_tunnel(k);
	return err || hold ? err : mn_esp_let_go(k, home_agent);
}

static struct rtnl_route home_prefix_route(const struct mn_kernel *k, int ifindex, uint8_t plen)
{
	return (struct rtnl_route){.dst = in6_mask(&k->config.home_address, plen),
		.plen = plen,
		.table = k->config.table,
		.metric = SYS_METRIC,
		.ifindex = ifindex};
}

static int home_address_on(struct mn_kernel *k, int ifindex, uint8_t plen, bool dad)
{
	struct rtnl_address a = {.ifindex = ifindex,
		.addr = k->config.home_address,
		.plen = plen,
		.protocol = SYS_PROTOCOL,
		.flags = IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE,
		.preferred_s = UINT32_MAX,
		.valid_s = UINT32_MAX};
	int err;

	if (!dad)
		a.flags |= IFA_F_NODAD;
	else if (k->config.optimistic_dad)
		a.flags |= IFA_F_OPTIMISTIC;
	err = nlreq_do(k->rt, rtnl_address_set(&a, true));
	return err == -EEXIST ? 0 : err;
}

static int home_set(void *ctx, const struct in6_addr *home_address, uint8_t prefix_len, int ifindex,
	const struct in6_addr *router, bool dad, bool hold)
{
	struct mn_kernel *k = ctx;
	struct rtnl_route on_link = home_prefix_route(k, ifindex, prefix_len);
	int err = hold ? mn_hold_start(k->hold) : 0;

	timer_stop(sys_loop_timers(k->loop), &k->sa_wait);
	(void)home_address;
	if (!err && hold)
		err = mn_hold_arriving(k->hold, true);
	if (!err)
		err = mn_esp_home(k);
	if (!err)
		err = home_address_on(k, ifindex, prefix_len, dad);
	if (err)
		return err;
	if (k->home_ifindex != ifindex)
		err = mn_networks_home(k, ifindex);
	if (err)
		return err;
	k->home_ifindex = ifindex;
	k->home_plen = prefix_len;
	err = nlreq_do(k->rt, rtnl_route_set(&on_link));
	if (!err && router && !in6_is_any(router)) {
		err = mn_default_route(k, k->config.table, ifindex, router, 0);
		if (!err)
			err = mn_default_route(k, 0, ifindex, router, 0);
	} else if (!err) {
		err = route_nowhere(k);
	}
	if (err)
		return err;
	k->way = MN_WAY_HOME;
	return hold ? 0 : mn_hold_end(k->hold, false);
}

static int home_del(void *ctx, const struct in6_addr *home_address, int ifindex)
{
	struct mn_kernel *k = ctx;
	struct rtnl_route on_link = home_prefix_route(k, ifindex, k->home_plen);
	int err, e;

	if (k->home_ifindex != ifindex)
		return 0;
	k->home_ifindex = 0;
	err = k->way == MN_WAY_HOME ? route_nowhere(k) : 0;
	e = mn_networks_home(k, 0);
	err = err ? err : e;
	if (k->main_ifindex == ifindex) {
		bool needed = false;

		for (size_t i = 0; i < k->n_sources; i++)
			needed |= k->sources[i].ifindex == ifindex;
		if (!needed)
			no_default_route(k, 0);
	}
	e = mn_gone_is_fine(nlreq_do(k->rt, rtnl_route_del(&on_link)));
	err = err ? err : e;
	e = mn_gone_is_fine(nlreq_do(k->rt, rtnl_address_del(ifindex, home_address, k->home_plen)));
	return err ? err : e;
}

static void store_binding(void *ctx, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of, uint16_t seq,
	uint32_t remaining_s)
{
	struct mn_kernel *k = ctx;
	struct store_mn_record r = {.home_address = *home_address,
		.home_agent = *home_agent,
		.care_of = care_of ? *care_of : in6addr_any,
		.seq = seq,
		.remaining_s = remaining_s};

	if (k->store)
		store_mn_put(k->store, &r);
}

static void store_sequence(void *ctx, const struct in6_addr *home_address,
	const struct in6_addr *peer, uint16_t seq)
{
	struct mn_kernel *k = ctx;

	if (k->store)
		store_sequence_put(k->store, STORE_SENT, home_address, peer, seq);
}

static int ro_watch(void *ctx, const struct in6_addr *peer, bool on)
{
	struct mn_kernel *k = ctx;

	return k->ro ? ro_kernel_watch(k->ro, peer, on) : 0;
}

const struct mn_ops mn_kernel_ops = {
	.address_set = address_set,
	.address_del = address_del,
	.link_local_renew = link_local_renew,
	.router_set = router_set,
	.router_del = router_del,
	.neighbour_set = neighbour_set,
	.bu_path_set = bu_path_set,
	.bu_path_del = bu_path_del,
	.signal_path = signal_path,
	.tunnel_set = tunnel_set,
	.home_set = home_set,
	.home_del = home_del,
	.store_binding = store_binding,
	.store_sequence = store_sequence,
	.ro_watch = ro_watch,
};
