/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/ha_unreachable.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <uthash.h>

#include "mip6d/sys/marks.h"
#include "lib/netlink.h"
#include "mip6d/sys/rtnl.h"

#define KEY_LEN (offsetof(struct ip6_prefix, plen) + 1)

struct found {
	struct ip6_prefix prefix;
	UT_hash_handle hh;
};

static int take(void *arg, const struct nlmsghdr *h)
{
	struct found **all = arg, *f;
	struct rtnl_route r;

	if (!rtnl_route_read(h, &r) || r.type != RTN_UNREACHABLE || r.metric != SYS_METRIC_LAST ||
		r.table != RT_TABLE_MAIN)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->prefix.addr = r.dst;
	f->prefix.plen = r.plen;
	HASH_ADD_KEYPTR(hh, *all, &f->prefix, KEY_LEN, f);
	return 0;
}

static struct rtnl_route last_route(const struct ip6_prefix *p)
{
	return (struct rtnl_route){.dst = p->addr,
		.plen = p->plen,
		.type = RTN_UNREACHABLE,
		.metric = SYS_METRIC_LAST};
}

/* Those that are wanted are there or are added; what stays in the list is not wanted. */
static int add_missing(
	struct nlreq *rt, struct found **all, const struct prefix_row *rows, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct rtnl_route r = last_route(&rows[i].prefix);
		struct found *f;

		HASH_FIND(hh, *all, &rows[i].prefix, KEY_LEN, f);
		if (f) {
			HASH_DEL(*all, f);
			free(f);
		} else {
			err = nlreq_do(rt, rtnl_route_set(&r));
		}
	}
	return err;
}

int ha_unreachable_set(struct nlreq *rt, const struct prefix_row *rows, size_t n)
{
	struct found *all = NULL, *f, *next;
	int err = nlreq_dump(rt, rtnl_route_dump(), take, &all);

	if (!err)
		err = add_missing(rt, &all, rows, n);
	HASH_ITER(hh, all, f, next) {
		struct rtnl_route r = last_route(&f->prefix);

		if (!err)
			nlreq_do(rt, rtnl_route_del(&r));
		HASH_DEL(all, f);
		free(f);
	}
	return err;
}
