/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet Too Big on the direct path.  The quoted packet bears care-of
 * addresses, the kernel's sockets know home addresses, so the kernel drops the
 * message and TCP stands still.  Here the MTU becomes that of a host route
 * for the destination on the wire, in the table and by the router that
 * packets from that source take.
 *
 * Anybody can forge the message; what he gains is bounded: only addresses
 * that we send between now, never below the IPv6 minimum, never upwards, so
 * many routes, ten minutes.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/ro_internal.h"

#define IPV6_MIN_MTU 1280

/* ---- the route that is in force ---- */

static int read_route(void *arg, const struct nlmsghdr *h)
{
	struct rtnl_route *r = arg;
	struct nlattr *tb[RTA_MAX + 1];
	struct rtmsg f;

	if (h->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse((struct nlmsghdr *)h, sizeof(f), tb, RTA_MAX, NULL) < 0)
		return 0;
	memcpy(&f, NLMSG_DATA((struct nlmsghdr *)h), sizeof(f));
	r->type = f.rtm_type;
	r->table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : f.rtm_table;
	r->ifindex = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0;
	if (tb[RTA_GATEWAY] && nla_len(tb[RTA_GATEWAY]) == sizeof(r->gateway))
		memcpy(&r->gateway, nla_data(tb[RTA_GATEWAY]), sizeof(r->gateway));
	return 0;
}

/* The entry of the table, not a copy of it, for packets of src to dst. */
static int find_route(struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst,
	struct rtnl_route *r)
{
	struct rtmsg h = {.rtm_family = AF_INET6,
		.rtm_dst_len = 128,
		.rtm_src_len = 128,
		.rtm_flags = RTM_F_FIB_MATCH};
	struct nl_msg *m = nlreq_msg(RTM_GETROUTE, 0, &h, sizeof(h));
	int err = 0;

	memset(r, 0, sizeof(*r));
	if (!m)
		return -ENOMEM;
	err |= nla_put(m, RTA_DST, sizeof(*dst), dst);
	err |= nla_put(m, RTA_SRC, sizeof(*src), src);
	err = nlreq_get(k->rt, nlreq_whole(m, err), read_route, r);
	if (!err && (!r->ifindex || r->type != RTN_UNICAST))
		err = -ENETUNREACH;
	r->dst = *dst;
	r->plen = 128;
	r->metric = SYS_METRIC_PMTU;
	return err;
}

/* ---- those that we have set ---- */

static void arm(struct ro_kernel *k)
{
	monotime_t next = MONOTIME_NEVER;

	for (size_t i = 0; i < k->n_mtus; i++)
		if (mono_before(k->mtus[i].until, next))
			next = k->mtus[i].until;
	if (k->n_mtus)
		timer_start(sys_loop_timers(k->loop), &k->timer, next);
	else
		timer_stop(sys_loop_timers(k->loop), &k->timer);
}

static void drop_at(struct ro_kernel *k, size_t i)
{
	nlreq_do(k->rt, rtnl_route_del(&k->mtus[i].route));
	k->mtus[i] = k->mtus[--k->n_mtus];
}

static void too_old(struct timer *t, void *arg)
{
	struct ro_kernel *k = arg;
	monotime_t now = sys_now(NULL);

	(void)t;
	for (size_t i = 0; i < k->n_mtus;) {
		if (mono_before(now, k->mtus[i].until))
			i++;
		else
			drop_at(k, i);
	}
	arm(k);
}

void ro_pmtu_forget(struct ro_kernel *k, const struct in6_addr *src)
{
	for (size_t i = 0; i < k->n_mtus;) {
		if (in6_equal(&k->mtus[i].src, src))
			drop_at(k, i);
		else
			i++;
	}
	arm(k);
}

void ro_pmtu_forget_wire(struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst)
{
	for (size_t i = 0; i < k->n_mtus; i++) {
		if (!in6_equal(&k->mtus[i].src, src) || !in6_equal(&k->mtus[i].route.dst, dst))
			continue;
		drop_at(k, i);
		arm(k);
		return;
	}
}

static struct ro_mtu *find(
	struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst)
{
	for (size_t i = 0; i < k->n_mtus; i++)
		if (in6_equal(&k->mtus[i].src, src) && in6_equal(&k->mtus[i].route.dst, dst))
			return &k->mtus[i];
	return NULL;
}

static bool in_force(struct ro_kernel *k, const struct icmp6_error *e)
{
	struct in6_addr key[2] = {e->src, e->dst};
	struct ro_wire *p;

	HASH_FIND(hh, k->wires, key, sizeof(key), p);
	return p;
}

static int set_mtu(struct ro_kernel *k, const struct icmp6_error *e, uint32_t mtu)
{
	struct ro_mtu *m = find(k, &e->src, &e->dst), new = {.src = e->src};
	int err;

	if (m && mtu >= m->route.mtu)
		return -EEXIST;
	if (!m && k->n_mtus == RO_PMTU_MAX)
		return -ENOSPC;
	if (m)
		new.route = m->route;
	else if ((err = find_route(k, &e->src, &e->dst, &new.route)))
		return err;
	new.route.mtu = mtu;
	new.until = mono_add_s(sys_now(NULL), RO_PMTU_S);
	err = nlreq_do(k->rt, rtnl_route_set(&new.route));
	if (err)
		return err;
	if (!m)
		m = &k->mtus[k->n_mtus++];
	*m = new;
	arm(k);
	return 0;
}

void ro_pmtu_error(struct ro_kernel *k, const struct icmp6_error *e)
{
	uint32_t mtu = e->info < IPV6_MIN_MTU ? IPV6_MIN_MTU : e->info;
	uint64_t suppressed;
	int err = in_force(k, e) ? set_mtu(k, e, mtu) : -ENOENT;

	if (!err) {
		k->stats.mtu_set++;
		return;
	}
	k->stats.mtu_ignored++;
	if (err != -EEXIST && err != -ENOENT && log_allowed(&k->log, sys_now(NULL), &suppressed))
		log_warning("cannot set the MTU of %s to %u: %s", in6_str(&e->dst), mtu,
			err == -ENOSPC ? "too many of them" : strerror(-err));
}

/* ---- what a predecessor left ---- */

struct left {
	size_t n;
	struct rtnl_route route[RO_PMTU_MAX];
};

static int note_left(void *arg, const struct nlmsghdr *h)
{
	struct left *l = arg;
	struct rtnl_route r;

	if (rtnl_route_read(h, &r) && r.plen == 128 && r.metric == SYS_METRIC_PMTU && !r.encap &&
		l->n < RO_PMTU_MAX)
		l->route[l->n++] = r;
	return 0;
}

void ro_pmtu_init(struct ro_kernel *k)
{
	timer_init(&k->timer, too_old, k);
}

void ro_pmtu_open(struct ro_kernel *k)
{
	struct left l = {0};

	if (nlreq_dump(k->rt, rtnl_route_dump(), note_left, &l) < 0)
		return;
	for (size_t i = 0; i < l.n; i++)
		nlreq_do(k->rt, rtnl_route_del(&l.route[i]));
}

void ro_pmtu_close(struct ro_kernel *k, bool remove)
{
	timer_stop(sys_loop_timers(k->loop), &k->timer);
	while (remove && k->n_mtus)
		drop_at(k, k->n_mtus - 1);
}
