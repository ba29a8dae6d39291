/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated network: the kernel and the store behind the home agent. */
#include <errno.h>

#include "tests/exchange/net_internal.h"

static bool list_has(const struct in6_addr *list, size_t len, const struct in6_addr *a)
{
	for (size_t i = 0; i < len; i++)
		if (in6_equal(&list[i], a))
			return true;
	return false;
}

static int list_add(struct in6_addr *list, size_t *len, const struct in6_addr *a)
{
	if (*len == NET_PROXIES)
		return -ENOMEM;
	list[(*len)++] = *a;
	return 0;
}

static int list_del(struct in6_addr *list, size_t *len, const struct in6_addr *a)
{
	for (size_t i = 0; i < *len; i++) {
		if (in6_equal(&list[i], a)) {
			list[i] = list[--*len];
			return 0;
		}
	}
	return -ENOENT;
}

bool net_has_proxy(const struct net *n, const struct in6_addr *a)
{
	return list_has(n->hk.proxies, n->hk.n_proxies, a);
}

static int forward_set(
	void *ctx, const struct in6_addr *home_address, const struct in6_addr *care_of)
{
	struct net *n = ctx;

	net_say(n, "  HA forward %s to %s", in6_str(home_address), in6_str(care_of));
	if (n->hk.fail_forward)
		return -ENOMEM;
	if (!in6_equal(home_address, &n->home_address))
		net_violation(n, "home agent forwards a stranger");
	n->hk.forwarding = true;
	n->hk.care_of = *care_of;
	return 0;
}

static int forward_del(void *ctx, const struct in6_addr *home_address)
{
	struct net *n = ctx;

	net_say(n, "  HA forward %s no more", in6_str(home_address));
	if (!n->hk.forwarding)
		net_violation(n, "forward_del() without forwarding");
	n->hk.forwarding = false;
	n->hk.n_networks = 0;
	return 0;
}

static int forward_networks(void *ctx, const struct in6_addr *home_address,
	const struct ip6_prefix *networks, size_t count)
{
	struct net *n = ctx;

	net_say(n, "  HA %zu networks of %s", count, in6_str(home_address));
	if (!n->hk.forwarding || count > MIP6_MAX_NETWORKS)
		net_violation(n, "forward_networks() without forward_set(), or too many");
	n->hk.n_networks = 0;
	if (count && n->hk.fail_networks)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		n->hk.networks[n->hk.n_networks++] = networks[i];
	return 0;
}

static int proxy_add(void *ctx, int ifindex, const struct in6_addr *a, bool router)
{
	struct net *n = ctx;

	net_say(n, "  HA proxy for %s%s", in6_str(a), router ? ", a router" : "");
	n->hk.router_proxy = router;
	if (ifindex != HA_IF || net_has_proxy(n, a))
		net_violation(n, "proxy_add() on interface %d, or twice", ifindex);
	return list_add(n->hk.proxies, &n->hk.n_proxies, a);
}

static int proxy_del(void *ctx, int ifindex, const struct in6_addr *a)
{
	struct net *n = ctx;

	net_say(n, "  HA proxy for %s no more", in6_str(a));
	if (ifindex != HA_IF || !net_has_proxy(n, a))
		net_violation(n, "proxy_del() on interface %d, or of what is not there", ifindex);
	return list_del(n->hk.proxies, &n->hk.n_proxies, a);
}

static int dad_listen(void *ctx, int ifindex, const struct in6_addr *a, bool on)
{
	struct net *n = ctx;
	int err;

	if (ifindex != HA_IF || on == list_has(n->hk.listening, n->hk.n_listening, a))
		net_violation(n, "dad_listen(%d) twice, or on interface %d", on, ifindex);
	err = on ? list_add(n->hk.listening, &n->hk.n_listening, a)
		 : list_del(n->hk.listening, &n->hk.n_listening, a);
	return err;
}

static void store_put(void *ctx, const struct ha_binding_record *r)
{
	struct net *n = ctx;

	n->hk.stored = true;
	n->hk.record = *r;
	for (size_t i = 0; i < r->n_networks; i++)
		n->hk.stored_networks[i] = r->networks[i];
	n->hk.record.networks = n->hk.stored_networks;
	n->hk.stored_at = n->now;
}

static void store_del(void *ctx, const struct in6_addr *home_address)
{
	struct net *n = ctx;

	if (in6_equal(home_address, &n->home_address))
		n->hk.stored = false;
}

/* Neighbor Discovery that reaches the home agent; DAD and proxying are the core's. */
void net_ha_nd(struct net *n, const struct mip6_packet *p, const struct icmp6_message *m)
{
	struct mip6_packet q = *p;

	if (!n->ha || (m->type != ICMP6T_NS && m->type != ICMP6T_NA))
		return;
	q.ifindex = HA_IF;
	ha_receive_icmp6(n->ha, &q);
}

void net_ha_init(struct net *n)
{
	n->ha_ops = (struct ha_ops){
		.forward_set = forward_set,
		.forward_del = forward_del,
		.proxy_add = proxy_add,
		.proxy_del = proxy_del,
		.dad_listen = dad_listen,
		.forward_networks = forward_networks,
	};
	if (!n->opt.no_store) {
		n->ha_ops.store_put = store_put;
		n->ha_ops.store_del = store_del;
	}
}

static void restore(struct net *n)
{
	struct ha_binding_record r = n->hk.record;
	int64_t gone = mono_diff_s(n->now, n->hk.stored_at);

	if (gone >= r.remaining_s) {
		n->hk.stored = false;
		return;
	}
	r.remaining_s -= (uint32_t)gone;
	if (ha_restore(n->ha, &r))
		n->hk.stored = false;
}

void net_start_ha(struct net *n, bool with_store)
{
	bool had = n->hk.stored;

	net_say(n, "-- home agent starts%s", with_store ? ", with its store" : "");
	n->hk.forwarding = false;
	n->hk.n_networks = 0;
	n->hk.n_proxies = n->hk.n_listening = 0;
	n->hk.stored = with_store && had;
	if (!n->hk.stored)
		n->ha_has_seq = n->dereg_acked = false; /* it has forgotten what it said */
	n->ha = ha_new(&n->ha_config, &n->ha_env, &n->ha_ops, n);
	if (n->hk.stored)
		restore(n);
}

void net_stop_ha(struct net *n)
{
	if (n->ha)
		net_say(n, "-- home agent dies");
	ha_free(n->ha);
	n->ha = NULL;
}

bool net_ha_binding(const struct net *n, struct ha_binding_info *i)
{
	return n->ha && ha_find(n->ha, &n->home_address, i);
}
