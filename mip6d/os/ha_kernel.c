/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/ha_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "mip6d/os/icmp6_socket.h"
#include "mip6d/os/loop.h"
#include "mip6d/os/netlink.h"
#include "mip6d/os/nft.h"
#include "mip6d/os/ours.h"
#include "mip6d/os/queue.h"
#include "mip6d/os/rtnl.h"
#include "mip6d/os/store.h"
#include "mip6d/os/sysctl.h"
#include "mip6d/os/xfrm.h"

#define HELD_QUEUE 6276
#define HELD_MAX 64
#define HELD_MS 200
#define HELD_PER_SOURCE 16
#define GRACE " timeout 3s" /* how long what comes from the care-of address before is let in */
#define HELD_COPY 80 /* outer and inner header */

/* A pair of addresses that may come back through the tunnel. */
struct pair {
	struct in6_addr care_of, home_address;
};

struct held {
	uint32_t id;
	struct pair pair;
	monotime_t since;
};

/* The kernel's view of one binding, so that a move can take the old pair away. */
struct forward {
	struct in6_addr home_address; /* key */
	struct in6_addr care_of;
	UT_hash_handle hh;
};

struct proxied {
	UT_hash_handle hh;
	struct in6_addr addr;
};

struct ha_kernel {
	struct ha_kernel_config c;
	struct sys_loop *loop;
	struct nlreq *rt, *xfrm;
	struct nft *nft;
	struct queue *queue;
	struct store *store;
	struct sysctls sysctls;
	int tunnel;
	struct forward *forwards;
	struct proxied *proxied;
	struct held held[HELD_MAX];
	size_t n_held;
	struct timer held_timer;
	struct ha_kernel_stats stats;
	bool restoring; /* pairs are collected and set at once in reconcile() */
	char *batch; /* nft commands of this turn */
	size_t batch_len, batch_cap;
	char *sysctl_file;
};

/* ---- pairs: collected, and set before anything that depends on them ---- */

static void add_command(struct ha_kernel *k, const char *verb, const char *set, const char *timeout,
	const struct pair *p)
{
	char line[256], coa_text[INET6_ADDRSTRLEN], hex[33];
	size_t n;

	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", p->home_address.s6_addr[i]);
	inet_ntop(AF_INET6, &p->care_of, coa_text, sizeof(coa_text));
	n = (size_t)snprintf(line, sizeof(line), "%s element ip6 mip6d_ha %s { %s . 0x%s%s }\n", verb, set, coa_text, hex,
		timeout);
	if (k->batch_len + n + 1 > k->batch_cap) {
		size_t cap = (k->batch_cap + n + 1) * 2;
		char *more = realloc(k->batch, cap);

		if (!more)
			return;
		k->batch = more;
		k->batch_cap = cap;
	}
	memcpy(k->batch + k->batch_len, line, n + 1);
	k->batch_len += n;
}

static void pair_add(struct ha_kernel *k, const struct pair *p)
{
	add_command(k, "add", "bind", "", p);
}

/*
 * What left the old place before the move is still under way: its pair stays
 * good for a moment.  First out of the set, in case it is there, so that the
 * time starts anew; the three are one transaction.
 */
static void pair_retire(struct ha_kernel *k, const struct pair *p)
{
	add_command(k, "delete", "bind", "", p);
	add_command(k, "add", "was", GRACE, p);
	add_command(k, "delete", "was", "", p);
	add_command(k, "add", "was", GRACE, p);
}

static void flush_pairs(struct ha_kernel *k)
{
	if (!k->batch_len)
		return;
	if (nft_run(k->nft, "%s", k->batch))
		log_error("nftables: %s", nft_error(k->nft));
	k->batch_len = 0;
}

/* ---- packets that are ahead of their Binding Update ---- */

static struct forward *find(struct ha_kernel *k, const struct in6_addr *hoa)
{
	struct forward *f;

	HASH_FIND(hh, k->forwards, hoa, sizeof(*hoa), f);
	return f;
}

static bool registered(struct ha_kernel *k, const struct pair *p)
{
	struct forward *f = find(k, &p->home_address);

	return f && in6_equal(&f->care_of, &p->care_of);
}

static void held_review(struct ha_kernel *k)
{
	monotime_t now = loop_now();
	size_t kept = 0;

	for (size_t i = 0; i < k->n_held; i++) {
		struct held *h = &k->held[i];

		if (registered(k, &h->pair)) {
			queue_verdict(k->queue, h->id, true, 0);
			k->stats.released++;
		} else if (mono_diff_ms(now, h->since) >= HELD_MS) {
			queue_verdict(k->queue, h->id, false, 0);
			k->stats.dropped++;
		} else {
			k->held[kept++] = *h;
		}
	}
	k->n_held = kept;
	if (kept)
		(void)timer_start(loop_timers(k->loop), &k->held_timer, mono_add_ms(k->held[0].since, HELD_MS));
	else
		timer_stop(loop_timers(k->loop), &k->held_timer);
}

static void held_expired(struct timer *t, void *arg)
{
	(void)t;
	held_review(arg);
}

static bool crowded(const struct ha_kernel *k, const struct in6_addr *source)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_held; i++)
		n += in6_equal(&k->held[i].pair.care_of, source);
	return n >= HELD_PER_SOURCE || k->n_held == HELD_MAX;
}

static void early_packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct ha_kernel *k = arg;
	struct rbuf r = rbuf_make(data, len);
	struct held h = {.id = id, .since = loop_now()};

	/* outer: source at 8; inner behind 40 octets, source at 8 */
	if (!rbuf_skip(&r, 8) || !rbuf_in6(&r, &h.pair.care_of) || !rbuf_skip(&r, 24) ||
		!rbuf_in6(&r, &h.pair.home_address)) {
		queue_verdict(k->queue, id, false, 0);
		k->stats.dropped++;
	} else if (registered(k, &h.pair)) {
		queue_verdict(k->queue, id, true, 0);
		k->stats.released++;
	} else if (crowded(k, &h.pair.care_of)) {
		queue_verdict(k->queue, id, false, 0);
		k->stats.dropped++;
	} else {
		k->held[k->n_held++] = h;
		k->stats.held++;
		if (!timer_running(&k->held_timer))
			(void)timer_start(loop_timers(k->loop), &k->held_timer, mono_add_ms(h.since, HELD_MS));
	}
}

static void read_queue(void *arg)
{
	queue_read(((struct ha_kernel *)arg)->queue);
}

/* ---- struct ha_ops ---- */

static struct rtnl_route route_of(const struct ha_kernel *k, const struct in6_addr *hoa, const struct in6_addr *coa)
{
	return (struct rtnl_route){.dst = *hoa, .plen = 128, .ifindex = k->tunnel, .encap_src = &k->c.address,
		.encap_dst = coa, .metric = 64};
}

static int op_forward_set(void *ctx, const struct in6_addr *hoa, const struct in6_addr *coa)
{
	struct ha_kernel *k = ctx;
	struct rtnl_route r = route_of(k, hoa, coa);
	struct forward *f = find(k, hoa);
	int err;

	if (f && in6_equal(&f->care_of, coa))
		return 0;
	err = rtnl_route_set(k->rt, &r);
	if (err)
		return err;
	if (f) {
		pair_retire(k, &(struct pair){f->care_of, *hoa});
	} else {
		f = calloc(1, sizeof(*f));
		if (!f)
			return -ENOMEM;
		f->home_address = *hoa;
		HASH_ADD(hh, k->forwards, home_address, sizeof(f->home_address), f);
	}
	f->care_of = *coa;
	pair_add(k, &(struct pair){*coa, *hoa});
	return 0;
}

static int op_forward_del(void *ctx, const struct in6_addr *hoa)
{
	struct ha_kernel *k = ctx;
	struct forward *f = find(k, hoa);
	struct rtnl_route r = route_of(k, hoa, NULL);

	if (!f)
		return 0;
	pair_retire(k, &(struct pair){f->care_of, *hoa});
	HASH_DEL(k->forwards, f);
	free(f);
	/*
	 * A node that comes home may do so by another interface than it left by:
	 * the home agent asks for its link-layer address, and the node answers
	 * even before the acknowledgement (RFC 6275 11.5.5).
	 */
	if (k->c.home_ifindex)
		(void)rtnl_neighbour_forget(k->rt, k->c.home_ifindex, hoa);
	return rtnl_route_del(k->rt, &r);
}

static struct proxied *find_proxied(struct ha_kernel *k, const struct in6_addr *addr)
{
	struct proxied *p;

	HASH_FIND(hh, k->proxied, addr, sizeof(*addr), p);
	return p;
}

static int op_proxy_add(void *ctx, int ifindex, const struct in6_addr *addr)
{
	struct ha_kernel *k = ctx;
	struct proxied *p = find_proxied(k, addr);

	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->addr = *addr;
		HASH_ADD(hh, k->proxied, addr, sizeof(p->addr), p);
	}
	return rtnl_proxy(k->rt, true, ifindex, addr);
}

static int op_proxy_del(void *ctx, int ifindex, const struct in6_addr *addr)
{
	struct ha_kernel *k = ctx;
	struct proxied *p = find_proxied(k, addr);

	if (p) {
		HASH_DEL(k->proxied, p);
		free(p);
	}
	return rtnl_proxy(k->rt, false, ifindex, addr);
}

static int op_dad_listen(void *ctx, int ifindex, const struct in6_addr *addr, bool on)
{
	return icmp6_socket_listen(((struct ha_kernel *)ctx)->c.icmp6, ifindex, addr, on);
}

static void store_now(struct ha_kernel *k)
{
	int err = store_flush(k->store);

	if (err)
		log_error("%s: %s; bindings may be lost at a restart", k->c.state_file, strerror(-err));
}

static void op_store_put(void *ctx, const struct ha_binding_record *r)
{
	struct ha_kernel *k = ctx;

	store_put(k->store, r);
	if (!k->restoring)
		store_now(k); /* before the acknowledgement that promises it */
}

static void op_store_del(void *ctx, const struct in6_addr *hoa)
{
	struct ha_kernel *k = ctx;

	store_del(k->store, hoa);
	store_now(k);
}

const struct ha_ops ha_kernel_ops = {
	.forward_set = op_forward_set,
	.forward_del = op_forward_del,
	.proxy_add = op_proxy_add,
	.proxy_del = op_proxy_del,
	.dad_listen = op_dad_listen,
	.store_put = op_store_put,
	.store_del = op_store_del,
};

void ha_kernel_flush(struct ha_kernel *k)
{
	if (k->restoring)
		return;
	flush_pairs(k);
	if (k->n_held)
		held_review(k);
}

const struct ha_kernel_stats *ha_kernel_stats(const struct ha_kernel *k)
{
	return &k->stats;
}

/* ---- start and stop ---- */

void ha_kernel_stored(struct ha_kernel *k, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg)
{
	k->restoring = true;
	store_each(k->store, fn, arg);
}

static bool needed(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex)
{
	struct ha_kernel *k = arg;

	return plen == 128 && ifindex == k->tunnel && find(k, dst);
}

static bool defended(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex)
{
	struct ha_kernel *k = arg;

	(void)plen;
	return ifindex == k->c.home_ifindex && find_proxied(k, dst);
}

#define NFT_TABLE \
	"table ip6 mip6d_ha {\n" \
	" set bind { typeof ip6 saddr . @nh,384,128; size 1000000; }\n" \
	" set was { typeof ip6 saddr . @nh,384,128; size 1000000; flags timeout; }\n" \
	" chain pre { type filter hook prerouting priority -250; policy accept;\n" \
	"  ip6 nexthdr 41 ip6 daddr %s goto tunnel\n }\n" \
	" chain tunnel {\n  ip6 saddr . @nh,384,128 @bind accept\n  ip6 saddr . @nh,384,128 @was accept\n  queue num %d\n }\n}\n"

void ha_kernel_reconcile(struct ha_kernel *k)
{
	k->restoring = false;
	(void)ours_flush_routes(k->rt, needed, k);
	(void)ours_flush_proxies(k->rt, defended, k);
	/* In one transaction: the set as it should be takes the place of what there was. */
	if (nft_run(k->nft, "add table ip6 mip6d_ha\ndelete table ip6 mip6d_ha\n" NFT_TABLE "%s", in6_str(&k->c.address),
		    HELD_QUEUE, k->batch_len ? k->batch : ""))
		log_error("nftables: %s", nft_error(k->nft));
	k->batch_len = 0;
}

static int settings(struct ha_kernel *k)
{
	int err = sysctls_set(&k->sysctls, "1", "net/ipv6/conf/all/forwarding");

	if (err)
		log_error("cannot set net.ipv6.conf.all.forwarding: %s", strerror(-err));
	if (!err && k->c.home_ifindex) {
		err = sysctls_set(&k->sysctls, "1", "net/ipv6/conf/%s/proxy_ndp", k->c.home_link);
		if (!err)
			err = sysctls_set(&k->sysctls, "0", "net/ipv6/neigh/%s/proxy_delay", k->c.home_link);
		if (err)
			log_error("%s: cannot prepare proxying: %s", k->c.home_link, strerror(-err));
	}
	return err;
}

struct ha_kernel *ha_kernel_open(const struct ha_kernel_config *c, struct sys_loop *loop)
{
	struct ha_kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->c = *c;
	k->loop = loop;
	timer_init(&k->held_timer, held_expired, k);
	k->store = store_open(c->state_file);
	if (!k->store) {
		log_error("%s: %s", c->state_file,
			errno == EWOULDBLOCK ? "another mip6d uses this state_file" : strerror(errno));
		goto fail;
	}
	if (store_damaged(k->store))
		log_warning("%s: %zu damaged lines were skipped", c->state_file, store_damaged(k->store));
	k->rt = nlreq_new(NETLINK_ROUTE);
	k->xfrm = nlreq_new(NETLINK_XFRM);
	k->nft = nft_open();
	if (!k->rt || !k->xfrm || !k->nft || asprintf(&k->sysctl_file, "%s.settings", c->state_file) < 0 ||
		sysctls_open(&k->sysctls, k->sysctl_file) < 0) {
		log_error("netlink: %s", strerror(errno));
		goto fail;
	}
	if (settings(k))
		goto fail;
	k->tunnel = (int)if_nametoindex(c->tunnel);
	if (!k->tunnel && rtnl_tunnel(k->rt, c->tunnel, true, NULL, NULL)) {
		log_error("tunnel %s: %s", c->tunnel, nlreq_error(k->rt));
		goto fail;
	}
	k->tunnel = (int)if_nametoindex(c->tunnel);
	if (rtnl_link_up(k->rt, k->tunnel) || xfrm_accept_hao(k->xfrm)) {
		log_error("tunnel or XFRM: %s%s", nlreq_error(k->rt), nlreq_error(k->xfrm));
		goto fail;
	}
	k->queue = queue_open(HELD_QUEUE, HELD_COPY, 256, early_packet, k);
	if (!k->queue || loop_read(loop, queue_fd(k->queue), read_queue, k)) {
		log_error("no packet queue %d: %s", HELD_QUEUE, strerror(errno));
		goto fail;
	}
	return k;
fail:
	ha_kernel_close(k);
	return NULL;
}

void ha_kernel_close(struct ha_kernel *k)
{
	struct forward *f, *next;
	struct proxied *p, *next_proxied;

	if (!k)
		return;
	timer_stop(loop_timers(k->loop), &k->held_timer);
	if (k->xfrm)
		(void)xfrm_refuse_hao(k->xfrm);
	if (k->rt) {
		(void)ours_flush_routes(k->rt, NULL, NULL);
		(void)ours_flush_proxies(k->rt, NULL, NULL);
		(void)rtnl_link_del(k->rt, k->c.tunnel);
	}
	if (k->nft)
		(void)nft_run(k->nft, "add table ip6 mip6d_ha\ndelete table ip6 mip6d_ha");
	queue_close(k->queue);
	sysctls_restore(&k->sysctls);
	sysctls_close(&k->sysctls);
	HASH_ITER (hh, k->forwards, f, next) {
		HASH_DEL(k->forwards, f);
		free(f);
	}
	HASH_ITER (hh, k->proxied, p, next_proxied) {
		HASH_DEL(k->proxied, p);
		free(p);
	}
	if (k->store)
		(void)store_flush(k->store);
	store_close(k->store);
	nft_close(k->nft);
	nlreq_free(k->rt);
	nlreq_free(k->xfrm);
	free(k->batch);
	free(k->sysctl_file);
	free(k);
}
