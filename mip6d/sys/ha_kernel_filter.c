/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent's packet filter: which pairs of addresses may use the tunnel; ha_kernel.c says why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/ha_hold.h"
#include "mip6d/sys/ha_kernel_internal.h"
#include "mip6d/sys/ha_networks.h"
#include "mip6d/sys/marks.h"

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
	"add rule ip6 " SYS_NFT_TABLE " tunnel jump " SYS_NFT_NETWORKS "\n"                       \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel limit rate over 1000/second burst 1024 packets counter drop\n"                   \
	"add rule ip6 " SYS_NFT_TABLE                                                             \
	" tunnel meta mark set meta mark | 0x%08x counter queue num %d\n"

int ha_kernel_load_rules(struct ha_kernel *k, char *err, size_t errlen)
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
		in6_str(&k->config.address), SYS_MARK, SYS_MARK, SYS_MARK, SYS_MARK,
		SYS_QUEUE_UNKNOWN);
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

void ha_kernel_complain(
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
			ha_kernel_complain(k,
				c->add ? "let pass what is tunnelled from"
				       : "stop what is tunnelled from",
				&inner, nlreq_why(k->nf));
	}
}

void ha_kernel_flush(void *arg)
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

void ha_kernel_change_pair(struct ha_kernel *k, const char *set, bool add,
	const struct in6_addr *care_of, const struct in6_addr *inner)
{
	struct nft_change *c;

	if (k->n_changes == BATCH)
		ha_kernel_flush(k);
	c = &k->changes[k->n_changes++];
	c->set = set;
	c->add = add;
	set_pair(c->key, care_of, inner);
	sys_loop_after(k->loop, &k->flush);
}

void ha_kernel_change_network(void *arg, const char *set, bool add, const struct in6_addr *care_of,
	const struct in6_addr *network)
{
	ha_kernel_change_pair(arg, set, add, care_of, network);
}

void ha_kernel_retire_pair(
	struct ha_kernel *k, const struct in6_addr *care_of, const struct in6_addr *inner)
{
	if (k->n_changes + 4 > BATCH)
		ha_kernel_flush(k); /* the four belong together */
	ha_kernel_change_pair(k, SYS_NFT_BINDINGS, false, care_of, inner);
	ha_kernel_change_pair(k, SYS_NFT_LEFT, true, care_of, inner);
	ha_kernel_change_pair(k, SYS_NFT_LEFT, false, care_of, inner);
	ha_kernel_change_pair(k, SYS_NFT_LEFT, true, care_of, inner);
}
