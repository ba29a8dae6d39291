/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/watch.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "common/loop.h"
#include "lib/netlink.h"
#include "mip6d/sys/rtnl.h"

#define MAX_WATCHED 32
/* IFF_LOWER_UP of the kernel; net/if.h and linux/if.h cannot both be included. */
#define LOWER_UP 0x10000

struct address {
	struct address *next;
	struct in6_addr addr;
	enum watch_address state;
	unsigned returning; /* removals to come that are our own doing */
	bool seen; /* in the resynchronization under way */
};

struct watched_link {
	int ifindex;
	bool known, up, link_local; /* as last told */
	uint32_t carrier_ups;
	uint8_t mac[32];
	size_t mac_len;
	struct address *addresses;
};

struct watch {
	struct sys_loop *loop;
	struct nlreq *rt;
	int fd;
	struct watch_ops ops;
	void *ctx;
	size_t n;
	struct watched_link links[MAX_WATCHED];
};

static struct watched_link *find_link(struct watch *w, int ifindex)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->links[i].ifindex == ifindex)
			return &w->links[i];
	return NULL;
}

static bool usable(enum watch_address state)
{
	return state == WATCH_OPTIMISTIC || state == WATCH_READY;
}

static bool has_link_local(const struct watched_link *l)
{
	for (const struct address *a = l->addresses; a; a = a->next)
		if (IN6_IS_ADDR_LINKLOCAL(&a->addr) && usable(a->state))
			return true;
	return false;
}

static void tell_link(struct watch *w, struct watched_link *l)
{
	l->link_local = has_link_local(l);
	if (w->ops.link)
		w->ops.link(w->ctx, l->ifindex, l->up, l->mac_len ? l->mac : NULL, l->mac_len,
			l->link_local);
}

/* ---- links ---- */

static void take_link(struct watch *w, const struct nlmsghdr *h)
{
	const unsigned wanted = IFF_UP | IFF_RUNNING | LOWER_UP;
	struct rtnl_link now;
	struct watched_link *l;
	bool up, news;

	if (!rtnl_link_read(h, &now))
		return;
	l = find_link(w, now.ifindex);
	if (!l)
		return;
	up = h->nlmsg_type == RTM_NEWLINK && (now.flags & wanted) == wanted;
	news = !l->known || up != l->up || (up && now.carrier_ups != l->carrier_ups);
	if (now.mac_len &&
		(now.mac_len != l->mac_len || memcmp(now.mac, l->mac, now.mac_len) != 0)) {
		memcpy(l->mac, now.mac, now.mac_len);
		l->mac_len = now.mac_len;
		news = news || up;
	}
	l->known = true;
	l->up = up;
	l->carrier_ups = now.carrier_ups;
	if (news)
		tell_link(w, l);
}

/* ---- addresses ---- */

static struct address **find_address(struct watched_link *l, const struct in6_addr *addr)
{
	struct address **at = &l->addresses;

	while (*at && !in6_equal(&(*at)->addr, addr))
		at = &(*at)->next;
	return at;
}

static enum watch_address state_of(uint16_t type, uint32_t flags)
{
	if (flags & IFA_F_DADFAILED)
		return WATCH_DUPLICATE; /* also in the last message of one that is removed for it */
	if (type == RTM_DELADDR)
		return WATCH_REMOVED;
	if (flags & IFA_F_OPTIMISTIC)
		return WATCH_OPTIMISTIC;
	return flags & IFA_F_TENTATIVE ? WATCH_TENTATIVE : WATCH_READY;
}

static void tell_address(struct watch *w, struct watched_link *l, const struct in6_addr *addr,
	enum watch_address state)
{
	if (w->ops.address)
		w->ops.address(w->ctx, l->ifindex, addr, state);
	/* Its loss is told above; as news of the link it would mean another link. */
	if (IN6_IS_ADDR_LINKLOCAL(addr) && l->known && l->up && !l->link_local && has_link_local(l))
		tell_link(w, l);
}

static void take_address(struct watch *w, const struct nlmsghdr *h)
{
	struct rtnl_address now;
	struct watched_link *l;
	struct address **at, *a;
	enum watch_address state;

	if (!rtnl_address_read(h, &now))
		return;
	l = find_link(w, now.ifindex);
	if (!l)
		return;
	state = state_of(h->nlmsg_type, now.flags);
	at = find_address(l, &now.addr);
	a = *at;
	if (h->nlmsg_type == RTM_DELADDR) {
		if (!a)
			return;
		if (a->returning) {
			a->returning--;
			return;
		}
		*at = a->next;
		free(a);
		tell_address(w, l, &now.addr, state);
		return;
	}
	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a) {
			log_error("out of memory: an address of interface %d is not watched",
				now.ifindex);
			return;
		}
		a->addr = now.addr;
		*at = a;
	} else if (a->state == state) {
		a->seen = true;
		return;
	}
	a->seen = true;
	a->state = state;
	tell_address(w, l, &now.addr, state);
}

/* ---- neighbours ---- */

static void take_neighbour(struct watch *w, const struct nlmsghdr *h)
{
	struct rtnl_neighbour n;

	if (h->nlmsg_type != RTM_NEWNEIGH || !w->ops.neighbour || !rtnl_neighbour_read(h, &n))
		return;
	if (n.proxy || !find_link(w, n.ifindex) || !(n.state & (NUD_FAILED | NUD_REACHABLE)))
		return;
	w->ops.neighbour(w->ctx, n.ifindex, &n.addr, n.state & NUD_REACHABLE);
}

/* ---- all together ---- */

static void take(void *arg, const struct nlmsghdr *h)
{
	take_link(arg, h);
	take_address(arg, h);
	take_neighbour(arg, h);
}

static int take_answer(void *arg, const struct nlmsghdr *h)
{
	take(arg, h);
	return 0;
}

static int resync_addresses(struct watch *w, struct watched_link *l)
{
	struct address **at, *a;
	int err;

	for (a = l->addresses; a; a = a->next) {
		a->seen = false;
		a->returning = 0;
	}
	err = nlreq_dump(w->rt, rtnl_address_dump(l->ifindex), take_answer, w);
	if (err == -ENODEV)
		err = 0;
	for (at = &l->addresses; !err && (a = *at);) {
		struct in6_addr addr = a->addr;

		if (a->seen) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		free(a);
		tell_address(w, l, &addr, WATCH_REMOVED);
	}
	return err;
}

int watch_start(struct watch *w)
{
	int err = 0;

	for (size_t i = 0; i < w->n && !err; i++)
		err = resync_addresses(w, &w->links[i]);
	return err ? err : nlreq_dump(w->rt, rtnl_link_dump(), take_answer, w);
}

static void readable(void *arg)
{
	struct watch *w = arg;
	int err;

	if (nlevent_read(w->fd, take, w) != -ENOBUFS)
		return;
	log_info("the kernel dropped link events; asking for the present state");
	err = watch_start(w);
	if (err)
		log_error("cannot read links and addresses: %s", nlreq_why(w->rt));
}

struct watch *watch_new(struct sys_loop *loop, const int *ifindex, size_t n,
	const struct watch_ops *ops, void *ctx, int *err)
{
	static const unsigned groups[] = {RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEIGH};
	struct watch *w = n <= MAX_WATCHED ? calloc(1, sizeof(*w)) : NULL;

	*err = n <= MAX_WATCHED ? -ENOMEM : -E2BIG;
	if (!w)
		return NULL;
	w->loop = loop;
	w->fd = -1;
	w->ops = *ops;
	w->ctx = ctx;
	w->n = n;
	for (size_t i = 0; i < n; i++)
		w->links[i].ifindex = ifindex[i];
	w->rt = nlreq_open(NETLINK_ROUTE, err);
	if (!*err)
		w->fd = nlevent_open(groups, sizeof(groups) / sizeof(groups[0]));
	if (!*err)
		*err = w->fd < 0 ? w->fd : sys_loop_read(loop, w->fd, readable, w);
	if (*err) {
		watch_free(w);
		return NULL;
	}
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++) {
		while (w->links[i].addresses) {
			struct address *a = w->links[i].addresses;

			w->links[i].addresses = a->next;
			free(a);
		}
	}
	if (w->fd >= 0) {
		sys_loop_forget(w->loop, w->fd);
		close(w->fd);
	}
	nlreq_close(w->rt);
	free(w);
}

void watch_will_return(struct watch *w, int ifindex, const struct in6_addr *addr)
{
	struct watched_link *l = find_link(w, ifindex);
	struct address *a = l ? *find_address(l, addr) : NULL;

	if (a)
		a->returning++;
}

bool watch_link_local(const struct watch *w, int ifindex, struct in6_addr *addr)
{
	const struct watched_link *l = find_link((struct watch *)w, ifindex);
	const struct address *found = NULL;

	if (!l)
		return false;
	for (const struct address *a = l->addresses; a; a = a->next)
		if (IN6_IS_ADDR_LINKLOCAL(&a->addr) && (!found || usable(a->state)))
			found = a;
	if (found)
		*addr = found->addr;
	return found;
}

bool watch_mac(const struct watch *w, int ifindex, uint8_t *mac, size_t *len)
{
	const struct watched_link *l = find_link((struct watch *)w, ifindex);

	if (!l || !l->mac_len)
		return false;
	memcpy(mac, l->mac, l->mac_len);
	*len = l->mac_len;
	return true;
}
