/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/mn_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/os/loop.h"
#include "mip6d/os/netlink.h"
#include "mip6d/os/nft.h"
#include "mip6d/os/ours.h"
#include "mip6d/os/queue.h"
#include "mip6d/os/rtnl.h"
#include "mip6d/os/sysctl.h"
#include "mip6d/os/xfrm.h"

#define PRIO_HOME_RULE 1275 /* ip rule priorities; both before main (32766) */
#define PRIO_COA_RULE 1276
#define MAIN_METRIC 512
#define OLD_TUNNEL_S 10 /* the care-of address before still receives that long */
#define HOLD_QUEUE 6275
#define HOLD_MAX 4096
#define HOLD_COPY 40
#define RELEASE_MARK 0x6275

struct device {
	char name[IFNAMSIZ];
	int ifindex;
	struct in6_addr local; /* :: free */
};

struct mn_kernel {
	struct mn_kernel_config c;
	struct sys_loop *loop;
	struct nlreq *rt, *xfrm;
	struct nft *nft;
	struct queue *queue;
	struct sysctls sysctls;
	struct device dev[2];
	int current; /* of dev */
	struct timer old;
	bool holding;
	size_t n_held;
	uint32_t held[HOLD_MAX];
	char *state_file, *sysctl_file;
};

/* ---- holding ---- */

static void held_packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct mn_kernel *k = arg;

	(void)data;
	(void)len;
	if (!k->holding)
		queue_verdict(k->queue, id, true, RELEASE_MARK);
	else if (k->n_held < HOLD_MAX)
		k->held[k->n_held++] = id;
	else
		queue_verdict(k->queue, id, false, 0);
}

static void read_queue(void *arg)
{
	queue_read(((struct mn_kernel *)arg)->queue);
}

static int hold(struct mn_kernel *k, bool on)
{
	char addr[INET6_ADDRSTRLEN];
	int err = 0;

	if (on == k->holding)
		return 0;
	k->holding = on;
	snprintf(addr, sizeof(addr), "%s", in6_str(&k->c.home_address));
	if (on)
		return nft_run(k->nft, "add element ip6 mip6d_mn hold { %s }", addr);
	/* First what waited, then what comes now: the order stays. */
	for (int i = 0; i < 2; i++) {
		queue_read(k->queue);
		for (size_t n = 0; n < k->n_held; n++)
			queue_verdict(k->queue, k->held[n], true, RELEASE_MARK);
		k->n_held = 0;
		if (i == 0)
			err = nft_run(k->nft, "delete element ip6 mip6d_mn hold { %s }", addr);
	}
	return err;
}

static int hold_setup(struct mn_kernel *k)
{
	int err = nft_run(k->nft,
		"add table ip6 mip6d_mn\ndelete table ip6 mip6d_mn\n"
		"table ip6 mip6d_mn {\n"
		" set hold { type ipv6_addr; }\n"
		" chain out { type filter hook output priority -290; policy accept;\n"
		"  ip6 saddr != @hold accept\n"
		"  meta l4proto 135 accept\n"
		"  icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } accept\n"
		"  queue num %d\n"
		" }\n}\n",
		HOLD_QUEUE);

	if (err)
		log_error("nftables: %s", nft_error(k->nft));
	return err;
}

/* ---- addresses and routes ---- */

static int op_address_set(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen, unsigned flags,
	uint32_t preferred_s, uint32_t valid_s)
{
	struct mn_kernel *k = ctx;
	uint32_t f = IFA_F_NOPREFIXROUTE;

	if (flags & MN_ADDR_OPTIMISTIC)
		f |= IFA_F_OPTIMISTIC;
	if (flags & MN_ADDR_NODAD)
		f |= IFA_F_NODAD;
	if (flags & MN_ADDR_HOME)
		f |= IFA_F_HOMEADDRESS;
	return rtnl_address_set(k->rt, ifindex, addr, plen, f, preferred_s, valid_s);
}

static int op_address_del(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen)
{
	struct mn_kernel *k = ctx;

	return rtnl_address_del(k->rt, ifindex, addr, plen);
}

static int interface_number(const struct mn_kernel *k, int ifindex)
{
	for (size_t i = 0; i < k->c.n_interfaces; i++) {
		if (k->c.ifindexes[i] == ifindex)
			return (int)i;
	}
	return -1;
}

static uint32_t table_of(const struct mn_kernel *k, int ifindex)
{
	return k->c.table + 1 + (uint32_t)interface_number(k, ifindex);
}

static int op_router_set(void *ctx, int ifindex, const struct in6_addr *router, const uint8_t *lladdr, size_t lladdr_len,
	const struct in6_addr *care_of, uint32_t mtu, bool primary)
{
	struct mn_kernel *k = ctx;
	struct rtnl_route r = {.table = table_of(k, ifindex), .ifindex = ifindex, .gateway = router, .mtu = mtu,
		.metric = MAIN_METRIC};
	int err;

	if (lladdr && lladdr_len)
		(void)rtnl_neighbour(k->rt, ifindex, router, lladdr, lladdr_len);
	err = rtnl_route_set(k->rt, &r);
	if (!err)
		err = rtnl_rule(k->rt, true, care_of, r.table, PRIO_COA_RULE);
	if (!err && primary) {
		r.table = 0;
		err = rtnl_route_set(k->rt, &r);
	}
	return err;
}

static int op_router_del(void *ctx, int ifindex, const struct in6_addr *care_of)
{
	struct mn_kernel *k = ctx;

	return rtnl_rule(k->rt, false, care_of, table_of(k, ifindex), PRIO_COA_RULE);
}

static int op_neighbour_set(void *ctx, int ifindex, const struct in6_addr *addr, const uint8_t *lladdr, size_t len)
{
	struct mn_kernel *k = ctx;

	return rtnl_neighbour(k->rt, ifindex, addr, lladdr, len);
}

struct find_ll {
	int ifindex;
	struct in6_addr addr;
	bool found;
};

static int take_ll(struct nlmsghdr *h, void *arg)
{
	struct find_ll *f = arg;
	struct ifaddrmsg *a = nlmsg_data(h);
	struct nlattr *at = nlmsg_find_attr(h, sizeof(*a), IFA_ADDRESS);
	struct in6_addr addr;

	if ((int)a->ifa_index != f->ifindex || !at || nla_len(at) != 16)
		return 0;
	memcpy(&addr, nla_data(at), 16);
	if (!IN6_IS_ADDR_LINKLOCAL(&addr))
		return 0;
	f->addr = addr;
	f->found = true;
	return 0;
}

static int op_link_local_renew(void *ctx, int ifindex, bool optimistic)
{
	struct mn_kernel *k = ctx;
	struct ifaddrmsg h = {.ifa_family = AF_INET6};
	struct find_ll f = {.ifindex = ifindex};
	int err = nlreq_dump(k->rt, nlreq_msg(RTM_GETADDR, NLM_F_DUMP, &h, sizeof(h)), take_ll, &f);

	if (err || !f.found)
		return err;
	err = rtnl_address_del(k->rt, ifindex, &f.addr, 64);
	if (err)
		return err;
	return rtnl_address_set(k->rt, ifindex, &f.addr, 64, optimistic ? IFA_F_OPTIMISTIC : 0, UINT32_MAX, UINT32_MAX);
}

static int op_bu_path_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *peer, const struct in6_addr *coa)
{
	return xfrm_bu_path_set(((struct mn_kernel *)ctx)->xfrm, hoa, peer, coa);
}

static int op_bu_path_del(void *ctx, const struct in6_addr *hoa, const struct in6_addr *peer)
{
	return xfrm_bu_path_del(((struct mn_kernel *)ctx)->xfrm, hoa, peer);
}

/* ---- tunnel and home ---- */

static int device_set(struct mn_kernel *k, struct device *d, const struct in6_addr *local)
{
	int err = rtnl_tunnel(k->rt, d->name, false, local, &k->c.home_agent);

	if (err)
		return err;
	d->local = *local;
	d->ifindex = (int)if_nametoindex(d->name);
	if (!d->ifindex)
		return -ENODEV;
	(void)sysctls_set(&k->sysctls, "0", "net/ipv6/conf/%s/accept_ra", d->name);
	return rtnl_link_up(k->rt, d->ifindex);
}

static void forget_old(struct timer *t, void *arg)
{
	struct mn_kernel *k = arg;
	struct device *d = &k->dev[!k->current];

	(void)t;
	d->local = in6addr_any;
	if (d == &k->dev[1])
		(void)rtnl_link_del(k->rt, d->name);
	else
		(void)rtnl_tunnel(k->rt, d->name, false, &in6addr_any, &k->c.home_agent);
}

static int default_route(struct mn_kernel *k, int ifindex, const struct in6_addr *gateway)
{
	struct rtnl_route r = {.table = k->c.table, .ifindex = ifindex, .gateway = gateway, .metric = MAIN_METRIC};

	return rtnl_route_set(k->rt, &r);
}

static int home_prefix_route(struct mn_kernel *k, bool add, uint8_t plen, int ifindex)
{
	struct rtnl_route r = {.dst = in6_mask(&k->c.home_address, plen), .plen = plen, .table = k->c.table,
		.ifindex = ifindex, .metric = MAIN_METRIC};

	return add ? rtnl_route_set(k->rt, &r) : rtnl_route_del(k->rt, &r);
}

static int op_tunnel_set(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
	const struct in6_addr *care_of, bool hold_on)
{
	struct mn_kernel *k = ctx;
	int err, next;

	(void)home_address;
	(void)home_agent;
	if (hold_on && (err = hold(k, true)))
		return err;
	if (care_of && !in6_equal(&k->dev[k->current].local, care_of)) {
		next = in6_is_any(&k->dev[k->current].local) ? k->current : !k->current;
		if (in6_equal(&k->dev[!k->current].local, care_of))
			next = !k->current;
		err = device_set(k, &k->dev[next], care_of);
		if (err)
			return err;
		k->current = next;
		(void)timer_start(loop_timers(k->loop), &k->old, mono_add_s(loop_now(), OLD_TUNNEL_S));
	}
	err = default_route(k, k->dev[k->current].ifindex, NULL);
	if (!err && !hold_on)
		err = hold(k, false);
	return err;
}

static int op_home_set(void *ctx, const struct in6_addr *home_address, uint8_t plen, int ifindex,
	const struct in6_addr *router, bool dad, bool hold_on)
{
	struct mn_kernel *k = ctx;
	int err;

	if (hold_on && (err = hold(k, true)))
		return err;
	err = rtnl_address_set(k->rt, ifindex, home_address, 128,
		IFA_F_HOMEADDRESS | (dad ? IFA_F_OPTIMISTIC : IFA_F_NODAD), UINT32_MAX, UINT32_MAX);
	if (!err)
		err = home_prefix_route(k, true, plen, ifindex);
	if (!err)
		err = default_route(k, ifindex, router);
	if (!err && !hold_on)
		err = hold(k, false);
	return err;
}

static int op_home_del(void *ctx, const struct in6_addr *home_address, int ifindex)
{
	struct mn_kernel *k = ctx;

	(void)home_prefix_route(k, false, 64, ifindex);
	return rtnl_address_del(k->rt, ifindex, home_address, 128);
}

/* ---- the stored binding ---- */

static void op_store(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
	const struct in6_addr *care_of, uint16_t seq, uint32_t remaining_s)
{
	struct mn_kernel *k = ctx;
	char tmp[4096], coa[INET6_ADDRSTRLEN], ha[INET6_ADDRSTRLEN];
	FILE *f;

	if (!k->state_file || snprintf(tmp, sizeof(tmp), "%s.new", k->state_file) >= (int)sizeof(tmp))
		return;
	f = fopen(tmp, "we");
	if (!f) {
		log_warning("%s: %s; the sequence number is not stored", tmp, strerror(errno));
		return;
	}
	snprintf(coa, sizeof(coa), "%s", in6_str(care_of));
	snprintf(ha, sizeof(ha), "%s", in6_str(home_agent));
	fprintf(f, "mip6d-mn 1 %s %s %s %u %lld\n", in6_str(home_address), ha, coa, seq,
		(long long)time(NULL) + remaining_s);
	if (fclose(f) == 0)
		(void)rename(tmp, k->state_file);
}

bool mn_kernel_stored(struct mn_kernel *k, struct in6_addr *care_of, uint16_t *seq, uint32_t *remaining_s)
{
	char hoa[64], ha[64], coa[64];
	struct in6_addr h, a;
	unsigned s;
	long long until, left;
	FILE *f = k->state_file ? fopen(k->state_file, "re") : NULL;
	int n;

	if (!f)
		return false;
	n = fscanf(f, "mip6d-mn 1 %63s %63s %63s %u %lld", hoa, ha, coa, &s, &until);
	fclose(f);
	if (n != 5 || s > 0xffff || inet_pton(AF_INET6, hoa, &h) != 1 || inet_pton(AF_INET6, ha, &a) != 1 ||
		inet_pton(AF_INET6, coa, care_of) != 1 || !in6_equal(&h, &k->c.home_address) ||
		!in6_equal(&a, &k->c.home_agent))
		return false;
	left = until - (long long)time(NULL);
	*seq = (uint16_t)s;
	*remaining_s = left <= 0 ? 0 : left > 0xffff * 4 ? 0xffff * 4 : (uint32_t)left;
	return true;
}

const struct mn_ops mn_kernel_ops = {
	.address_set = op_address_set,
	.address_del = op_address_del,
	.link_local_renew = op_link_local_renew,
	.router_set = op_router_set,
	.router_del = op_router_del,
	.neighbour_set = op_neighbour_set,
	.bu_path_set = op_bu_path_set,
	.bu_path_del = op_bu_path_del,
	.tunnel_set = op_tunnel_set,
	.home_set = op_home_set,
	.home_del = op_home_del,
	.store_binding = op_store,
};

/* ---- start and stop ---- */

static int interface_settings(struct mn_kernel *k)
{
	static const char *const settings[][2] = {
		{"accept_ra", "0"}, {"autoconf", "0"}, {"optimistic_dad", "1"}, {"use_optimistic", "1"}};
	int err;

	for (size_t i = 0; i < k->c.n_interfaces; i++) {
		for (size_t s = 0; s < sizeof(settings) / sizeof(settings[0]); s++) {
			err = sysctls_set(&k->sysctls, settings[s][1], "net/ipv6/conf/%s/%s", k->c.names[i], settings[s][0]);
			if (err) {
				log_error("%s: cannot set net.ipv6.conf.%s.%s: %s", k->c.names[i], k->c.names[i],
					settings[s][0], strerror(-err));
				return err;
			}
		}
	}
	return 0;
}

static int home_address_setup(struct mn_kernel *k)
{
	struct in6_addr coa = in6addr_any;
	uint16_t seq;
	uint32_t left;
	int err;

	/* A live binding of before: the tunnel stays as it is, and what it carries goes on. */
	if (mn_kernel_stored(k, &coa, &seq, &left) && !left)
		coa = in6addr_any;
	(void)ours_flush_addresses(k->rt, &coa);
	err = device_set(k, &k->dev[0], &coa);
	if (!err)
		err = rtnl_address_set(k->rt, k->dev[0].ifindex, &k->c.home_address, 128,
			IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE, UINT32_MAX, UINT32_MAX);
	if (!err)
		err = rtnl_rule(k->rt, true, &k->c.home_address, k->c.table, PRIO_HOME_RULE);
	if (!err)
		err = default_route(k, k->dev[0].ifindex, NULL);
	return err;
}

struct mn_kernel *mn_kernel_open(const struct mn_kernel_config *c, struct sys_loop *loop)
{
	struct mn_kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return NULL;
	k->c = *c;
	k->loop = loop;
	timer_init(&k->old, forget_old, k);
	snprintf(k->dev[0].name, IFNAMSIZ, "%s", c->tunnel);
	snprintf(k->dev[1].name, IFNAMSIZ, "%.14sb", c->tunnel);
	if (c->state_file && c->state_file[0] && (asprintf(&k->state_file, "%s", c->state_file) < 0 ||
						     asprintf(&k->sysctl_file, "%s.settings", c->state_file) < 0))
		goto fail;
	k->rt = nlreq_new(NETLINK_ROUTE);
	k->xfrm = nlreq_new(NETLINK_XFRM);
	k->nft = nft_open();
	if (!k->rt || !k->xfrm || !k->nft || sysctls_open(&k->sysctls, k->sysctl_file) < 0)
		goto fail;
	if (hold_setup(k))
		goto fail;
	k->queue = queue_open(HOLD_QUEUE, HOLD_COPY, HOLD_MAX, held_packet, k);
	if (!k->queue) {
		log_error("no packet queue %d: %s", HOLD_QUEUE, strerror(errno));
		goto fail;
	}
	if (loop_read(loop, queue_fd(k->queue), read_queue, k))
		goto fail;
	if (interface_settings(k))
		goto fail;
	err = home_address_setup(k);
	if (err) {
		log_error("tunnel %s: %s", k->dev[0].name, nlreq_error(k->rt));
		goto fail;
	}
	err = xfrm_accept_rh2(k->xfrm, &c->home_address);
	if (err) {
		log_error("XFRM: %s", nlreq_error(k->xfrm));
		goto fail;
	}
	return k;
fail:
	mn_kernel_close(k);
	return NULL;
}

void mn_kernel_close(struct mn_kernel *k)
{
	if (!k)
		return;
	timer_stop(loop_timers(k->loop), &k->old);
	if (k->xfrm) {
		(void)xfrm_bu_path_del(k->xfrm, &k->c.home_address, &k->c.home_agent);
		(void)xfrm_refuse_rh2(k->xfrm, &k->c.home_address);
	}
	if (k->rt) {
		(void)ours_flush_rules(k->rt);
		(void)ours_flush_routes(k->rt, NULL, NULL);
		(void)ours_flush_addresses(k->rt, NULL);
		(void)rtnl_link_del(k->rt, k->dev[0].name);
		(void)rtnl_link_del(k->rt, k->dev[1].name);
	}
	if (k->nft)
		(void)nft_run(k->nft, "add table ip6 mip6d_mn\ndelete table ip6 mip6d_mn");
	queue_close(k->queue);
	sysctls_restore(&k->sysctls);
	sysctls_close(&k->sysctls);
	nft_close(k->nft);
	nlreq_free(k->rt);
	nlreq_free(k->xfrm);
	free(k->state_file);
	free(k->sysctl_file);
	free(k);
}
