/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spoofing.  The one device takes IPv6 in IPv6 from anybody, so the pair of
 * addresses is checked before (RFC 6275 10.4.5: MUST): the outer packet is
 * looked up in the set and gets a bit of the packet mark, and what comes out
 * of the device without that bit is dropped.  So nothing slips past by other
 * addresses of this host or by fragments: the bit of a reassembled packet is
 * that of its first fragment, which holds the inner header.
 *
 * Packets under way.  What a node sent from its former care-of address while
 * that was the right one may arrive after the Binding Update from the new
 * one.  That pair stays good for three seconds; it was verified once, and
 * nobody but the node could use it before.
 *
 * Loops.  A care-of address that is itself a home address would send packets
 * into the tunnel again; the binding is refused.  Should one become a home
 * address later, the kernel drops what would enter the device twice.
 *
 * Mobile Prefix Solicitations come with a Home Address option (9.3.1).  Those
 * of a pair in the set get the bit, too, and a policy lets in ICMPv6 behind
 * the option with the bit alone: an echo request with a false home address
 * must not be answered.  The option is where 6.3 puts it when it is alone.
 *
 * Sets change in batches, at the end of the turn of the loop: what comes
 * through the tunnel meanwhile is held (ha_hold.c) and let go right after.
 */
#include "mip6d/sys/ha_kernel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "ipsec-glue/glue.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "mip6d/sys/esp_filter.h"
#include "mip6d/sys/ha_hold.h"
#include "mip6d/sys/ha_networks.h"
#include "mip6d/sys/ha_unreachable.h"
#include "mip6d/sys/icmp6_socket.h"
#include "common/loop.h"
#include "mip6d/sys/marks.h"
#include "lib/netlink.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/ro_kernel.h"
#include "mip6d/sys/rtnl.h"
#include "mip6d/sys/settings.h"
#include "mip6d/sys/store.h"
#include "ipsec-glue/xfrm.h"

#define PAIR_LEN 32 /* care-of address, inner source */
#define BATCH 1000
#define TUNNEL_MTU 1460 /* Ethernet less the outer header; the path's own comes from the route */

/* A home address as the kernel has it. */
struct forward {
	struct in6_addr home_address;
	struct in6_addr route; /* care-of address of the route; :: when there is none */
	struct in6_addr pair; /* of the pair in the set, or on its way there */
	struct in6_addr wire; /* told to ro; :: when not */
	bool claimed; /* asked for since the start */
	UT_hash_handle hh;
};

struct ha_kernel {
	struct ha_kernel_config config;
	struct sys_loop *loop;
	struct nlreq *rt, *xfrm, *nf;
	struct icmp6_socket *icmp6;
	struct settings *settings;
	struct store *store;
	struct ha_hold *hold;
	struct ipsec_glue *glue; /* borrowed; NULL: no IPsec */
	struct esp_filter *esp; /* with glue */
	struct ro_kernel *ro; /* borrowed; with SAs between home addresses */
	bool by_home_address;
	int ifindex; /* of the tunnel */
	struct forward *forwards;
	struct ha_networks *networks;
	size_t n_changes;
	struct nft_change changes[BATCH];
	struct sys_after flush;
	size_t n_proxies;
	struct in6_addr *proxies; /* of a predecessor, not asked for again yet */
	bool stopping;
	struct log_limit log;
};

/* ---- the packet filter ---- */

/* One transaction: elements that are there stay, rules are replaced as a whole. */
#define RULES                                                                                     \
	"add table ip6 " SYS_NFT_TABLE "\n"                                                       \
	"add set ip6 " SYS_NFT_TABLE " " SYS_NFT_BINDINGS " { typeof ip6 saddr . @th,64,128; }\n" \
	"add set ip6 " SYS_NFT_TABLE " " SYS_NFT_LEFT                                             \
	" { typeof ip6 saddr . @th,64,128; flags timeout; timeout 3s; }\n"                        \
	"add chain ip6 " SYS_NFT_TABLE " tunnel { type filter hook prerouting priority %d; }\n"   \
	"flush chain ip6 " SYS_NFT_TABLE " tunnel\n"                                              \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel iifname \"%s\" meta mark & 0x%08x == 0 counter drop\n"                           \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel meta mark & 0x%08x != 0 meta mark set meta mark & 0x%08x\n"                      \
	"add rule ip6 " SYS_NFT_TABLE " tunnel ip6 daddr != %s return\n"                          \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel ip6 nexthdr 60 @nh,320,16 0x3a02 @nh,368,16 0xc910 @th,0,8 146 "                 \
	"ip6 saddr . @nh,384,128 @" SYS_NFT_BINDINGS " meta mark set meta mark | 0x%08x accept\n" \
	"add rule ip6 " SYS_NFT_TABLE " tunnel meta l4proto != 41 return\n"                       \
	"add rule ip6 " SYS_NFT_TABLE " tunnel frag frag-off > 0 return\n"                        \
	"add rule ip6 " SYS_NFT_TABLE " tunnel ip6 saddr . @th,64,128 @" SYS_NFT_BINDINGS         \
	" meta mark set meta mark | 0x%08x accept\n"                                              \
	"add rule ip6 " SYS_NFT_TABLE " tunnel ip6 saddr . @th,64,128 @" SYS_NFT_LEFT             \
	" meta mark set meta mark | 0x%08x accept\n"                                              \
	"add rule ip6 " SYS_NFT_TABLE " tunnel jump " SYS_NFT_NETWORKS "\n"                        \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel limit rate over 1000/second burst 1024 packets counter drop\n"                    \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel meta mark set meta mark | 0x%08x counter queue num %d\n"

static int load_rules(struct ha_kernel *k, char *err, size_t errlen)
{
	char *text = NULL, why[512] = "out of memory";
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int rc;

	if (!f)
		return -ENOMEM;
	fputs("add table ip6 " SYS_NFT_TABLE "\n", f);
	ha_networks_rules(k->networks, f);
	fprintf(f, RULES, SYS_NFT_PRIORITY, k->config.tunnel, SYS_MARK, SYS_MARK, ~SYS_MARK,
		in6_str(&k->config.address), SYS_MARK, SYS_MARK, SYS_MARK, SYS_MARK, SYS_QUEUE_UNKNOWN);
	rc = fclose(f) ? -ENOMEM : nft_load(text, false, why, sizeof(why));
	free(text);
	if (rc == 0)
		return 0;
	snprintf(err, errlen,
		"the packet filter refuses the check of tunnelled packets (CONFIG_NF_TABLES_IPV6, "
		"CONFIG_NFT_QUEUE): %s",
		why);
	return -EINVAL;
}

static void set_pair(
	uint8_t key[NFT_KEY_MAX], const struct in6_addr *care_of, const struct in6_addr *inner)
{
	memcpy(key, care_of, 16);
	memcpy(key + 16, inner, 16);
}

static void complain(
	struct ha_kernel *k, const char *what, const struct in6_addr *addr, const char *why)
{
	uint64_t suppressed;

	if (log_allowed(&k->log, sys_now(NULL), &suppressed))
		log_error("cannot %s %s: %s", what, in6_str(addr), why);
}

/* When the batch fails because of one change, the others must not suffer. */
static void apply_one_by_one(struct ha_kernel *k)
{
	for (size_t i = 0; i < k->n_changes; i++) {
		const struct nft_change *c = &k->changes[i];
		int err = nft_elements(k->nf, PAIR_LEN, c, 1);
		struct in6_addr inner;

		memcpy(&inner, c->key + 16, sizeof(inner));
		if (err && !(err == -ENOENT && !c->add))
			complain(k,
				c->add ? "let pass what is tunnelled from"
				       : "stop what is tunnelled from",
				&inner, nlreq_why(k->nf));
	}
}

static void flush(void *arg)
{
	struct ha_kernel *k = arg;

	if (!k->n_changes)
		return;
	if (nft_elements(k->nf, PAIR_LEN, k->changes, k->n_changes) < 0)
		apply_one_by_one(k);
	for (size_t i = 0; i < k->n_changes && k->hold; i++) {
		const char *set = k->changes[i].set;
		uint8_t plen = strcmp(set, SYS_NFT_BINDINGS) == 0 ? 128 : ha_networks_length(set);
		struct in6_addr care_of, inner;

		memcpy(&care_of, k->changes[i].key, 16);
		memcpy(&inner, k->changes[i].key + 16, 16);
		if (k->changes[i].add && plen)
			ha_hold_release(k->hold, &care_of, &inner, plen);
	}
	k->n_changes = 0;
}

static void change_pair(struct ha_kernel *k, const char *set, bool add,
	const struct in6_addr *care_of, const struct in6_addr *inner)
{
	struct nft_change *c;

	if (k->n_changes == BATCH)
		flush(k);
	c = &k->changes[k->n_changes++];
	c->set = set;
	c->add = add;
	set_pair(c->key, care_of, inner);
	sys_loop_after(k->loop, &k->flush);
}

static void change_network(void *arg, const char *set, bool add, const struct in6_addr *care_of,
	const struct in6_addr *network)
{
	change_pair(arg, set, add, care_of, network);
}

/*
 * Adding what is there does not start its time anew, and deleting what is not
 * there fails: so it is added, deleted and added.
 */
static void retire_pair(
	struct ha_kernel *k, const struct in6_addr *care_of, const struct in6_addr *inner)
{
	if (k->n_changes + 4 > BATCH)
		flush(k); /* the four belong together */
	change_pair(k, SYS_NFT_BINDINGS, false, care_of, inner);
	change_pair(k, SYS_NFT_LEFT, true, care_of, inner);
	change_pair(k, SYS_NFT_LEFT, false, care_of, inner);
	change_pair(k, SYS_NFT_LEFT, true, care_of, inner);
}

/* ---- forwarding ---- */

static struct forward *find(struct ha_kernel *k, const struct in6_addr *home_address)
{
	struct forward *f;

	HASH_FIND(hh, k->forwards, home_address, sizeof(*home_address), f);
	return f;
}

static struct forward *find_or_add(struct ha_kernel *k, const struct in6_addr *home_address)
{
	struct forward *f = find(k, home_address);

	if (f)
		return f;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->home_address = *home_address;
	HASH_ADD(hh, k->forwards, home_address, sizeof(f->home_address), f);
	return f;
}

static struct rtnl_route route_of(const struct ha_kernel *k, const struct in6_addr *home_address)
{
	return (struct rtnl_route){.dst = *home_address, .plen = 128, .ifindex = k->ifindex};
}

static int set_route(struct ha_kernel *k, struct forward *f, const struct in6_addr *care_of)
{
	struct rtnl_route r = route_of(k, &f->home_address);
	int err;

	if (in6_equal(&f->route, care_of))
		return 0; /* a predecessor's, or a refresh */
	r.encap = true;
	r.encap_src = k->config.address;
	r.encap_dst = *care_of;
	err = nlreq_do(k->rt, rtnl_route_set(&r));
	if (!err)
		f->route = *care_of;
	return err;
}

static void set_pair_of(struct ha_kernel *k, struct forward *f, const struct in6_addr *care_of)
{
	if (in6_equal(&f->pair, care_of))
		return;
	if (!in6_is_any(&f->pair))
		retire_pair(k, &f->pair, &f->home_address);
	if (!in6_is_any(care_of))
		change_pair(k, SYS_NFT_BINDINGS, true, care_of, &f->home_address);
	f->pair = *care_of;
}

static void carried(struct ha_kernel *k, struct forward *f, const struct in6_addr *care_of)
{
	if (!k->ro || !k->by_home_address || in6_equal(&f->wire, care_of))
		return;
	if (!in6_is_any(&f->wire))
		ro_kernel_wire(k->ro, &k->config.address, &f->wire, false);
	f->wire = *care_of;
	if (!in6_is_any(care_of))
		ro_kernel_wire(k->ro, &k->config.address, care_of, true);
}

static int forward_set(
	void *ctx, const struct in6_addr *home_address, const struct in6_addr *care_of)
{
	struct ha_kernel *k = ctx;
	struct forward *f, *loop = find(k, care_of);
	int err;

	if (in6_equal(home_address, care_of) || (loop && !in6_is_any(&loop->route)))
		return -ELOOP;
	f = find_or_add(k, home_address);
	if (!f)
		return -ENOMEM;
	f->claimed = true;
	err = k->glue ? ipsec_glue_bind(k->glue, home_address, &k->config.address, care_of) : 0;
	if (err)
		complain(k, "protect the tunnel to", home_address, ipsec_glue_why(k->glue));
	if (!err)
		err = set_route(k, f, care_of);
	if (!err)
		set_pair_of(k, f, care_of);
	if (!err)
		carried(k, f, care_of);
	return err ? err : ha_networks_move(k->networks, home_address, care_of);
}

static int forward_networks(void *ctx, const struct in6_addr *home_address,
	const struct ip6_prefix *networks, size_t n)
{
	struct ha_kernel *k = ctx;
	struct forward *f = find(k, home_address);

	int err;

	if (!f || k->stopping)
		return n ? -ENOENT : 0;
	err = k->glue ? ipsec_glue_networks(k->glue, home_address, &k->config.address, networks, n) : 0;
	return err ? err : ha_networks_set(k->networks, home_address, &f->route, networks, n);
}

static int remove_forward(struct ha_kernel *k, struct forward *f)
{
	struct rtnl_route r = route_of(k, &f->home_address);
	int err = ha_networks_set(k->networks, &f->home_address, &in6addr_any, NULL, 0), e;

	set_pair_of(k, f, &in6addr_any);
	carried(k, f, &in6addr_any);
	if (!in6_is_any(&f->route)) {
		e = nlreq_do(k->rt, rtnl_route_del(&r));
		err = err ? err : e;
	}
	/* Behind the route: what it sent is protected to the last packet. */
	if (k->glue && !k->stopping) {
		e = ipsec_glue_unbind(k->glue, &f->home_address, &k->config.address);
		err = err ? err : e;
	}
	/*
	 * A node that comes home may do so by another interface than it left by:
	 * the home agent asks for its link-layer address, and the node answers
	 * even before the acknowledgement (RFC 6275 11.5.5).
	 */
	if (k->config.home_ifindex)
		(void)nlreq_do(k->rt, rtnl_neighbour_del(k->config.home_ifindex, &f->home_address));
	HASH_DEL(k->forwards, f);
	free(f);
	return err == -ESRCH ? 0 : err;
}

static int forward_del(void *ctx, const struct in6_addr *home_address)
{
	struct ha_kernel *k = ctx;
	struct forward *f = find(k, home_address);

	return f && !k->stopping ? remove_forward(k, f) : 0;
}

static bool registered(void *arg, const struct in6_addr *care_of, const struct in6_addr *inner)
{
	struct ha_kernel *k = arg;
	struct forward *f = find(k, inner);

	return (f && in6_equal(&f->pair, care_of)) ||
	       ha_networks_registered(k->networks, care_of, inner);
}

/* ---- IPsec ---- */

int ha_kernel_protect(struct ha_kernel *k, struct ipsec_glue *glue, const struct esp_filter_config *c,
	char *err, size_t errlen)
{
	struct esp_filter_config mine = *c;

	mine.tunnel = k->config.tunnel;
	mine.pauses = true;
	k->esp = esp_filter_open(&mine, k->loop, k->nf, err, errlen);
	if (!k->esp)
		return -EINVAL;
	k->glue = glue;
	k->by_home_address = c->by_home_address;
	return 0;
}

void ha_kernel_unprotect(struct ha_kernel *k, bool remove)
{
	esp_filter_close(k->esp, remove);
	k->esp = NULL;
	k->glue = NULL;
}

void ha_kernel_watches(struct ha_kernel *k, struct ro_kernel *ro)
{
	struct forward *f, *next;

	k->ro = ro;
	HASH_ITER(hh, k->forwards, f, next)
		carried(k, f, &f->route);
}

int ha_kernel_pause(struct ha_kernel *k, const struct in6_addr *home_address, bool on)
{
	return esp_filter_pause(k->esp, home_address, on);
}

/* ---- the home link ---- */

static int proxy_add(void *ctx, int ifindex, const struct in6_addr *addr, bool router)
{
	struct ha_kernel *k = ctx;

	for (size_t i = 0; i < k->n_proxies; i++) {
		if (!in6_equal(&k->proxies[i], addr))
			continue;
		k->proxies[i] = k->proxies[--k->n_proxies];
		break;
	}
	return nlreq_do(k->rt, rtnl_proxy_set(ifindex, addr, router));
}

static int proxy_del(void *ctx, int ifindex, const struct in6_addr *addr)
{
	struct ha_kernel *k = ctx;
	int err = nlreq_do(k->rt, rtnl_proxy_del(ifindex, addr));

	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

static int dad_listen(void *ctx, int ifindex, const struct in6_addr *addr, bool on)
{
	struct ha_kernel *k = ctx;

	return icmp6_socket_group(k->icmp6, ifindex, addr, on);
}

static void put(void *ctx, const struct ha_binding_record *r)
{
	struct ha_kernel *k = ctx;

	if (k->store)
		store_put(k->store, r);
}

static void del(void *ctx, const struct in6_addr *home_address)
{
	struct ha_kernel *k = ctx;

	if (k->store)
		store_del(k->store, home_address);
}

const struct ha_ops ha_kernel_ops = {
	.forward_set = forward_set,
	.forward_del = forward_del,
	.proxy_add = proxy_add,
	.proxy_del = proxy_del,
	.dad_listen = dad_listen,
	.store_put = put,
	.store_del = del,
	.forward_networks = forward_networks,
};

void ha_kernel_stored(
	struct ha_kernel *k, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg)
{
	if (k->store)
		store_foreach(k->store, fn, arg);
}

/* ---- what a predecessor left ---- */

static int take_route(void *arg, const struct nlmsghdr *h)
{
	struct ha_kernel *k = arg;
	struct rtnl_route r;
	struct forward *f;

	if (!rtnl_route_read(h, &r) || r.ifindex != k->ifindex || !r.encap ||
		ha_networks_take_route(k->networks, &r) || r.plen != 128)
		return 0;
	f = find_or_add(k, &r.dst);
	if (!f)
		return -ENOMEM;
	if (in6_equal(&r.encap_src, &k->config.address))
		f->route = r.encap_dst; /* else written anew when it is claimed */
	return 0;
}

static int take_pair(void *arg, const uint8_t *key)
{
	struct ha_kernel *k = arg;
	struct in6_addr care_of, inner;
	struct forward *f;

	memcpy(&care_of, key, 16);
	memcpy(&inner, key + 16, 16);
	f = find_or_add(k, &inner);
	if (!f)
		return -ENOMEM;
	if (!in6_is_any(&f->pair) && !in6_equal(&f->pair, &care_of))
		change_pair(k, SYS_NFT_BINDINGS, false, &care_of,
			&inner); /* killed between adding and deleting */
	else
		f->pair = care_of;
	return 0;
}

static int take_proxy(void *arg, const struct nlmsghdr *h)
{
	struct ha_kernel *k = arg;
	struct rtnl_neighbour n;
	struct in6_addr *more;

	if (!rtnl_neighbour_read(h, &n) || !n.proxy || n.protocol != SYS_PROTOCOL ||
		n.ifindex != k->config.home_ifindex)
		return 0;
	for (size_t i = 0; i < k->n_proxies; i++)
		if (in6_equal(&k->proxies[i], &n.addr))
			return 0;
	more = realloc(k->proxies, (k->n_proxies + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	k->proxies = more;
	k->proxies[k->n_proxies++] = n.addr;
	return 0;
}

static int take_over(struct ha_kernel *k)
{
	int err = nlreq_dump(k->rt, rtnl_route_dump(), take_route, k);

	if (!err)
		err = nft_dump(k->nf, SYS_NFT_BINDINGS, PAIR_LEN, take_pair, k);
	if (!err)
		err = ha_networks_take_pairs(k->networks);
	if (!err)
		err = ha_unreachable_set(k->rt, k->config.networks, k->config.n_networks);
	if (!err && k->config.home_ifindex)
		err = nlreq_dump(k->rt, rtnl_proxy_dump(k->config.home_ifindex), take_proxy, k);
	return err;
}

void ha_kernel_reconcile(struct ha_kernel *k)
{
	struct forward *f, *next;
	size_t n = 0;

	HASH_ITER(hh, k->forwards, f, next) {
		if (f->claimed)
			continue;
		remove_forward(k, f);
		n++;
	}
	n += ha_networks_reconcile(k->networks);
	for (size_t i = 0; i < k->n_proxies; i++)
		proxy_del(k, k->config.home_ifindex, &k->proxies[i]);
	if (n || k->n_proxies)
		log_info("removed what a former mip6d left: %zu routes, %zu proxies", n,
			k->n_proxies);
	k->n_proxies = 0;
	flush(k);
}

/* ---- start and end ---- */

struct wanted {
	const char *kind, *device, *name, *value; /* net/ipv6/KIND/DEVICE/NAME */
};

static int sysctl_of(struct ha_kernel *k, struct wanted w, char *err, size_t errlen)
{
	const char *value = w.value;
	char name[128];
	int rc;

	snprintf(name, sizeof(name), "net/ipv6/%s/%s/%s", w.kind, w.device, w.name);
	rc = settings_set(k->settings, name, value);
	if (rc)
		snprintf(err, errlen, "cannot set %s to %s: %s", name, value, strerror(-rc));
	return rc;
}

static int keep_forwarding(void *arg, const struct nlmsghdr *h)
{
	struct ha_kernel *k = arg;
	char name[128];
	struct rtnl_link l;

	if (!rtnl_link_read(h, &l) || l.ifindex == k->ifindex)
		return 0;
	snprintf(name, sizeof(name), "net/ipv6/conf/%s/forwarding", l.name);
	settings_keep(k->settings, name);
	return 0;
}

/* Forwarding is asked of all and of the home link; setting the first sets every device. */
static int set_sysctls(struct ha_kernel *k, char *err, size_t errlen)
{
	const char *link = k->config.home_link;
	const struct wanted home[] = {{"conf", link, "forwarding", "1"},
		{"conf", "all", "proxy_ndp", "1"}, {"conf", link, "proxy_ndp", "1"},
		{"neigh", link, "proxy_delay", "0"}};
	char now[8] = "";
	int rc = 0;

	sysctl_read("net/ipv6/conf/all/forwarding", now, sizeof(now));
	if (strcmp(now, "1") != 0) {
		rc = nlreq_dump(k->rt, rtnl_link_dump(), keep_forwarding, k);
		settings_keep(k->settings, "net/ipv6/conf/default/forwarding");
	}
	if (!rc)
		rc = sysctl_of(k, (struct wanted){"conf", "all", "forwarding", "1"}, err, errlen);
	if (!k->config.home_ifindex)
		return rc;
	/* "all" as well: only then are solicitations to the address itself answered (RFC 4861 7.3.3) */
	for (size_t i = 0; i < sizeof(home) / sizeof(home[0]) && !rc; i++)
		rc = sysctl_of(k, home[i], err, errlen);
	return rc;
}

static int take_link(void *arg, const struct nlmsghdr *h)
{
	return rtnl_link_read(h, arg) ? 0 : -ENODEV;
}

static int set_device(struct ha_kernel *k, char *err, size_t errlen)
{
	struct rtnl_tunnel t = {.name = k->config.tunnel, .external = true, .mtu = TUNNEL_MTU};
	struct rtnl_link l = {0};
	int rc = nlreq_get(k->rt, rtnl_link_get(t.name), take_link, &l);

	if (!rc && !(l.is_tunnel && l.external)) {
		snprintf(err, errlen,
			"there is an interface %s that is no tunnel of mip6d; remove it, or give "
			"another name as `tunnel`",
			t.name);
		return -EEXIST;
	}
	if (rc) {
		rc = nlreq_do(k->rt, rtnl_tunnel_add(&t));
		if (!rc)
			rc = nlreq_get(k->rt, rtnl_link_get(t.name), take_link, &l);
		if (!rc)
			rc = nlreq_do(k->rt, rtnl_link_no_local(l.ifindex));
	}
	if (!rc) {
		k->ifindex = l.ifindex;
		rc = nlreq_do(k->rt, rtnl_link_up(l.ifindex, TUNNEL_MTU));
	}
	if (rc == -EEXIST)
		snprintf(err, errlen,
			"cannot make %s: there is another `ip6tnl external` device, and the kernel "
			"allows one only; remove it",
			t.name);
	else if (rc)
		snprintf(err, errlen, "cannot make the tunnel %s (CONFIG_IPV6_TUNNEL): %s", t.name,
			nlreq_why(k->rt));
	return rc;
}

static int open_all(struct ha_kernel *k, char *err, size_t errlen)
{
	int rc;

	snprintf(err, errlen,
		"no netlink (CAP_NET_ADMIN, CONFIG_XFRM_USER, CONFIG_NETFILTER_NETLINK)");
	k->rt = nlreq_open(NETLINK_ROUTE, &rc);
	if (!rc)
		k->xfrm = nlreq_open(NETLINK_XFRM, &rc);
	if (!rc)
		k->nf = nlreq_open(NETLINK_NETFILTER, &rc);
	if (!rc)
		k->networks = ha_networks_new(k->rt, k->nf, change_network, k);
	if (!rc && !k->networks)
		rc = -ENOMEM;
	if (rc)
		return rc;
	/* The queue first: it can have one listener, so it tells whether another daemon runs. */
	k->hold = ha_hold_open(k->loop, registered, k, &rc);
	if (rc) {
		snprintf(err, errlen,
			"cannot listen to packet queue %d (another mip6d, or another "
			"program, has it): %s",
			SYS_QUEUE_UNKNOWN, strerror(-rc));
		return rc;
	}
	/* The check before the device: nothing must come out of it unchecked. */
	rc = load_rules(k, err, errlen);
	if (!rc)
		rc = set_device(k, err, errlen);
	if (!rc)
		rc = set_sysctls(k, err, errlen);
	if (rc)
		return rc;
	rc = xfrm_accept_hao(k->xfrm);
	if (!rc)
		rc = xfrm_accept_icmp6(k->xfrm, &k->config.address, SYS_MARK);
	if (rc) {
		snprintf(err, errlen,
			"the kernel cannot take Home Address options (CONFIG_IPV6_MIP6): %s",
			nlreq_why(k->xfrm));
		return rc;
	}
	ha_networks_device(k->networks, k->ifindex, &k->config.address);
	rc = take_over(k);
	if (rc) {
		snprintf(err, errlen, "cannot read what is in the kernel already: %s",
			strerror(-rc));
		return rc;
	}
	return 0;
}

struct ha_kernel *ha_kernel_open(const struct ha_kernel_config *c, struct sys_loop *loop,
	struct icmp6_socket *icmp6, struct settings *settings, struct store *store, char *err,
	size_t errlen)
{
	struct ha_kernel *k = calloc(1, sizeof(*k));

	if (!k) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	k->config = *c;
	k->loop = loop;
	k->icmp6 = icmp6;
	k->settings = settings;
	k->store = store;
	k->flush = (struct sys_after){.fn = flush, .arg = k};
	k->log = (struct log_limit)LOG_LIMIT_INIT(10, 6);
	if (open_all(k, err, errlen)) {
		/* What a predecessor left may still serve: remove only if there was none. */
		ha_kernel_close(k, k->hold && !k->forwards);
		return NULL;
	}
	return k;
}

void ha_kernel_stopping(struct ha_kernel *k)
{
	k->stopping = true;
}

static void remove_all(struct ha_kernel *k)
{
	char why[256];

	if (k->ifindex)
		nlreq_do(k->rt, rtnl_link_del(k->ifindex)); /* and with it all routes */
	if (k->rt)
		ha_unreachable_set(k->rt, NULL, 0);
	if (k->xfrm) {
		xfrm_refuse_icmp6(k->xfrm, &k->config.address, SYS_MARK);
		xfrm_refuse_hao(k->xfrm);
	}
	k->n_proxies = 0;
	if (k->rt && k->config.home_ifindex)
		nlreq_dump(k->rt, rtnl_proxy_dump(k->config.home_ifindex), take_proxy, k);
	for (size_t i = 0; i < k->n_proxies; i++)
		proxy_del(k, k->config.home_ifindex, &k->proxies[i]);
	if (k->nf)
		nft_load("add table ip6 " SYS_NFT_TABLE "\ndelete table ip6 " SYS_NFT_TABLE "\n",
			false, why, sizeof(why));
	settings_restore(k->settings);
}

void ha_kernel_close(struct ha_kernel *k, bool remove)
{
	struct forward *f, *next;

	if (!k)
		return;
	if (!remove && k->nf)
		flush(k);
	sys_loop_after_cancel(k->loop, &k->flush);
	ha_hold_close(k->hold);
	if (remove)
		remove_all(k);
	ha_kernel_unprotect(k, remove);
	HASH_ITER(hh, k->forwards, f, next) {
		HASH_DEL(k->forwards, f);
		free(f);
	}
	ha_networks_free(k->networks);
	nlreq_close(k->rt);
	nlreq_close(k->xfrm);
	nlreq_close(k->nf);
	free(k->proxies);
	free(k);
}

void ha_kernel_stats(const struct ha_kernel *k, struct ha_kernel_stats *s)
{
	const struct ha_hold_stats *h = ha_hold_stats(k->hold);

	*s = (struct ha_kernel_stats){.held = h->held,
		.released = h->released,
		.dropped = h->dropped,
		.bindings = HASH_COUNT(k->forwards),
		.networks = ha_networks_count(k->networks)};
}
