/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/ha_networks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "mip6d/sys/marks.h"
#include "lib/netlink.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/rtnl.h"

#define PREFIX_BITS 128
#define NAME_LEN 24
#define PAIR_LEN 32
#define KEY_LEN (offsetof(struct ip6_prefix, plen) + 1)

struct router {
	struct in6_addr home_address;
	struct network *first;
	UT_hash_handle hh;
};

/* A prefix as the kernel has it. */
struct network {
	struct ip6_prefix prefix;
	struct router *router; /* NULL: nobody asked for it since the start */
	struct network *next; /* of the same router */
	struct in6_addr route; /* care-of address of the route; :: when there is none */
	struct in6_addr pair; /* of the element in the set, or on its way there */
	bool keep; /* while the router's list is gone through */
	UT_hash_handle hh;
};

struct ha_networks {
	struct nlreq *rt, *nf;
	ha_networks_change_fn *change;
	void *arg;
	int ifindex;
	struct in6_addr local;
	struct network *all;
	struct router *routers;
	unsigned count[PREFIX_BITS + 1]; /* networks of each length */
	bool known[PREFIX_BITS + 1]; /* set and rule are there */
	char set[PREFIX_BITS + 1][NAME_LEN], left[PREFIX_BITS + 1][NAME_LEN];
};

struct ha_networks *ha_networks_new(
	struct nlreq *rt, struct nlreq *nf, ha_networks_change_fn *change, void *arg)
{
	struct ha_networks *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->rt = rt;
	s->nf = nf;
	s->change = change;
	s->arg = arg;
	for (unsigned i = 0; i <= PREFIX_BITS; i++) {
		snprintf(s->set[i], NAME_LEN, SYS_NFT_NETWORKS "%u", i);
		snprintf(s->left[i], NAME_LEN, SYS_NFT_NETWORKS "%u_left", i);
	}
	return s;
}

void ha_networks_free(struct ha_networks *s)
{
	struct network *w, *next;
	struct router *r, *next_router;

	if (!s)
		return;
	HASH_ITER(hh, s->routers, r, next_router) {
		HASH_DEL(s->routers, r);
		free(r);
	}
	HASH_ITER(hh, s->all, w, next) {
		HASH_DEL(s->all, w);
		free(w);
	}
	free(s);
}

void ha_networks_device(struct ha_networks *s, int ifindex, const struct in6_addr *local)
{
	s->ifindex = ifindex;
	s->local = *local;
}

size_t ha_networks_count(const struct ha_networks *s)
{
	return HASH_COUNT(s->all);
}

uint8_t ha_networks_length(const char *set)
{
	size_t prefix = strlen(SYS_NFT_NETWORKS);
	char *end;
	unsigned long n;

	if (strncmp(set, SYS_NFT_NETWORKS, prefix) != 0)
		return 0;
	n = strtoul(set + prefix, &end, 10);
	return *end || n > PREFIX_BITS ? 0 : (uint8_t)n;
}

/* ---- the packet filter ---- */

#define TABLE "ip6 " SYS_NFT_TABLE
#define PAIR "ip6 saddr . @th,64,128"

static void put_rule(unsigned plen, const char *set, FILE *to)
{
	struct in6_addr ones, mask;

	memset(&ones, 0xff, sizeof(ones));
	mask = in6_mask(&ones, (uint8_t)plen);
	fprintf(to, "add rule " TABLE " networks " PAIR);
	if (plen < PREFIX_BITS) {
		fputs(" & 0x", to);
		for (size_t i = 0; i < sizeof(mask); i++)
			fprintf(to, "%02x", mask.s6_addr[i]);
	}
	fprintf(to, " @%s meta mark set meta mark | 0x%08x accept\n", set, SYS_MARK);
}

static void put_length(const struct ha_networks *s, unsigned plen, FILE *to)
{
	fprintf(to, "add set " TABLE " %s { typeof " PAIR "; }\n", s->set[plen]);
	fprintf(to, "add set " TABLE " %s { typeof " PAIR "; flags timeout; timeout 3s; }\n",
		s->left[plen]);
	put_rule(plen, s->set[plen], to);
	put_rule(plen, s->left[plen], to);
}

static int any_element(void *arg, const uint8_t *key)
{
	(void)arg;
	(void)key;
	return 0;
}

void ha_networks_rules(struct ha_networks *s, FILE *to)
{
	fputs("add chain " TABLE " networks\nflush chain " TABLE " networks\n", to);
	for (unsigned i = 1; i <= PREFIX_BITS; i++) {
		if (nft_dump(s->nf, s->set[i], PAIR_LEN, any_element, NULL) < 0)
			continue; /* there is no such set */
		put_length(s, i, to);
		s->known[i] = true;
	}
}

static int need_length(struct ha_networks *s, uint8_t plen)
{
	char *text = NULL, why[256];
	size_t len = 0;
	FILE *f;
	int err;

	if (s->known[plen])
		return 0;
	f = open_memstream(&text, &len);
	if (!f)
		return -ENOMEM;
	put_length(s, plen, f);
	err = fclose(f) ? -ENOMEM : nft_load(text, false, why, sizeof(why));
	free(text);
	s->known[plen] = !err;
	return err;
}

/* Adding what is there does not start its time anew: see retire_pair() in ha_kernel.c. */
static void set_pair(struct ha_networks *s, struct network *w, const struct in6_addr *care_of)
{
	const char *set = s->set[w->prefix.plen], *left = s->left[w->prefix.plen];

	if (in6_equal(&w->pair, care_of))
		return;
	if (!in6_is_any(&w->pair)) {
		s->change(s->arg, set, false, &w->pair, &w->prefix.addr);
		s->change(s->arg, left, true, &w->pair, &w->prefix.addr);
		s->change(s->arg, left, false, &w->pair, &w->prefix.addr);
		s->change(s->arg, left, true, &w->pair, &w->prefix.addr);
	}
	if (!in6_is_any(care_of))
		s->change(s->arg, set, true, care_of, &w->prefix.addr);
	w->pair = *care_of;
}

/* ---- networks ---- */

static struct network *find(const struct ha_networks *s, const struct ip6_prefix *p)
{
	struct network *w;

	HASH_FIND(hh, s->all, p, KEY_LEN, w);
	return w;
}

static struct network *find_or_add(struct ha_networks *s, const struct ip6_prefix *p)
{
	struct network *w = find(s, p);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->prefix.addr = p->addr;
	w->prefix.plen = p->plen;
	HASH_ADD_KEYPTR(hh, s->all, &w->prefix, KEY_LEN, w);
	s->count[p->plen]++;
	return w;
}

static struct rtnl_route route_of(const struct ha_networks *s, const struct network *w)
{
	return (struct rtnl_route){.dst = w->prefix.addr,
		.plen = w->prefix.plen,
		.metric = SYS_METRIC_NETWORK,
		.ifindex = s->ifindex};
}

static int remove_network(struct ha_networks *s, struct network *w)
{
	struct rtnl_route r = route_of(s, w);
	int err = 0;

	set_pair(s, w, &in6addr_any);
	if (!in6_is_any(&w->route))
		err = nlreq_do(s->rt, rtnl_route_del(&r));
	s->count[w->prefix.plen]--;
	HASH_DEL(s->all, w);
	free(w);
	return err == -ESRCH ? 0 : err;
}

static int forward(struct ha_networks *s, struct network *w, const struct in6_addr *care_of)
{
	struct rtnl_route r = route_of(s, w);
	int err = need_length(s, w->prefix.plen);

	if (!err && !in6_equal(&w->route, care_of)) {
		r.encap = true;
		r.encap_src = s->local;
		r.encap_dst = *care_of;
		err = nlreq_do(s->rt, rtnl_route_set(&r));
	}
	if (err)
		return err;
	w->route = *care_of;
	set_pair(s, w, care_of);
	return 0;
}

static struct router *find_router(const struct ha_networks *s, const struct in6_addr *home_address)
{
	struct router *r;

	HASH_FIND(hh, s->routers, home_address, sizeof(*home_address), r);
	return r;
}

static struct router *need_router(struct ha_networks *s, const struct in6_addr *home_address)
{
	struct router *r = find_router(s, home_address);

	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->home_address = *home_address;
	HASH_ADD(hh, s->routers, home_address, sizeof(r->home_address), r);
	return r;
}

static int claim(struct ha_networks *s, struct router *r, const struct in6_addr *care_of,
	const struct ip6_prefix *p)
{
	struct network *w = find_or_add(s, p);

	if (!w)
		return -ENOMEM;
	if (w->router && w->router != r)
		return -EEXIST;
	if (!w->router) {
		w->router = r;
		w->next = r->first;
		r->first = w;
	}
	w->keep = true;
	return forward(s, w, care_of);
}

/* Those that are not to be kept, or all. */
static int sweep(struct ha_networks *s, struct router *r, bool all)
{
	int err = 0, e;

	for (struct network **at = &r->first; *at;) {
		struct network *w = *at;

		if (w->keep && !all) {
			w->keep = false;
			at = &w->next;
			continue;
		}
		*at = w->next;
		e = remove_network(s, w);
		err = err ? err : e;
	}
	if (!r->first) {
		HASH_DEL(s->routers, r);
		free(r);
	}
	return err;
}

int ha_networks_set(struct ha_networks *s, const struct in6_addr *home_address,
	const struct in6_addr *care_of, const struct ip6_prefix *networks, size_t n)
{
	struct router *r = n ? need_router(s, home_address) : find_router(s, home_address);
	int err = 0, e;

	if (!r)
		return n ? -ENOMEM : 0;
	for (size_t i = 0; i < n && !err; i++)
		err = claim(s, r, care_of, &networks[i]);
	e = sweep(s, r, err);
	return err ? err : e;
}

int ha_networks_move(
	struct ha_networks *s, const struct in6_addr *home_address, const struct in6_addr *care_of)
{
	struct router *r = find_router(s, home_address);
	int err = 0;

	for (struct network *w = r ? r->first : NULL; w && !err; w = w->next)
		err = forward(s, w, care_of);
	return err;
}

/* Hosts' bits away, once for each length. */
bool ha_networks_registered(
	const struct ha_networks *s, const struct in6_addr *care_of, const struct in6_addr *inner)
{
	for (unsigned i = 1; i <= PREFIX_BITS; i++) {
		struct ip6_prefix p = {.plen = (uint8_t)i};
		struct network *w;

		if (!s->count[i])
			continue;
		p.addr = in6_mask(inner, p.plen);
		w = find(s, &p);
		if (w && in6_equal(&w->pair, care_of))
			return true;
	}
	return false;
}

/* ---- what a predecessor left ---- */

bool ha_networks_take_route(struct ha_networks *s, const struct rtnl_route *r)
{
	struct ip6_prefix p = {.addr = r->dst, .plen = r->plen};
	struct network *w;

	if (r->metric != SYS_METRIC_NETWORK || r->ifindex != s->ifindex || !r->encap)
		return false;
	w = find_or_add(s, &p);
	if (w)
		w->route = in6_equal(&r->encap_src, &s->local) ? r->encap_dst : in6addr_any;
	return true;
}

struct taking {
	struct ha_networks *s;
	uint8_t plen;
};

static int take_pair(void *arg, const uint8_t *key)
{
	const struct taking *t = arg;
	struct ip6_prefix p = {.plen = t->plen};
	struct in6_addr care_of;
	struct network *w;

	memcpy(&care_of, key, 16);
	memcpy(&p.addr, key + 16, 16);
	w = find_or_add(t->s, &p);
	if (!w)
		return -ENOMEM;
	if (!in6_is_any(&w->pair) && !in6_equal(&w->pair, &care_of))
		t->s->change(t->s->arg, t->s->set[t->plen], false, &care_of, &p.addr);
	else
		w->pair = care_of;
	return 0;
}

int ha_networks_take_pairs(struct ha_networks *s)
{
	int err = 0;

	for (unsigned i = 1; i <= PREFIX_BITS && !err; i++) {
		struct taking t = {s, (uint8_t)i};

		if (s->known[i])
			err = nft_dump(s->nf, s->set[i], PAIR_LEN, take_pair, &t);
	}
	return err;
}

size_t ha_networks_reconcile(struct ha_networks *s)
{
	struct network *w, *next;
	size_t n = 0;

	HASH_ITER(hh, s->all, w, next) {
		if (w->router)
			continue;
		remove_network(s, w);
		n++;
	}
	return n;
}
