/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which peers the home address has traffic with, so that it may pay to talk
 * to them directly.  The packet filter counts, packets in both directions;
 * the first that makes a rule true goes through a queue, is let go at once and
 * told.  The filter itself notes the peer for a while, so what follows does
 * not come this way, and strangers can fill but a bounded set.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/buf.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/ro_internal.h"

#define COPY 40
#define QUEUE_MAX 1024
#define SEEN_MAX 4096

static void put_after(struct nft_text *t, size_t i, const struct ro_watch_rule *r, const char *peer)
{
	/* At any speed: so slow that it never counts within the life of an element. */
	if (r->per_s)
		nft_put(t,
			"update @meter%zu { ip6 %s limit rate over %u/second burst %u packets } ",
			i, peer, r->per_s, r->packets ? r->packets : 1);
	else
		nft_put(t, "update @meter%zu { ip6 %s limit rate over 1/day burst %u packets } ", i,
			peer, r->packets ? r->packets : 1);
}

static void put_rule(struct nft_text *t, size_t i, const struct ro_watch_rule *r, const char *peer)
{
	nft_put(t, "ip6 %s %s/%u ", peer, in6_str(&r->peers.addr), r->peers.plen);
	if (r->when == RO_WATCH_NEVER) {
		nft_put(t, "return\n");
		return;
	}
	if (r->when == RO_WATCH_AFTER)
		put_after(t, i, r, peer);
	nft_put(t, "add @" SYS_NFT_RO_SEEN " { ip6 %s timeout %ds } queue num %d bypass\n", peer,
		RO_SEEN_S, SYS_QUEUE_TRAFFIC);
	/* First match: what is below the threshold of this rule is not for the next. */
	nft_put(t, "ip6 %s %s/%u return\n", peer, in6_str(&r->peers.addr), r->peers.plen);
}

static void put_chain(struct nft_text *t, const struct ro_kernel_config *c, bool out)
{
	const char *peer = out ? "daddr" : "saddr";

	nft_put(t, "chain watch_%s { type filter hook %s priority %d;\n", out ? "out" : "in",
		out ? "output" : "input", SYS_NFT_PRIORITY - 5);
	nft_put(t, "ip6 %s != %s return\n", out ? "saddr" : "daddr", in6_str(&c->home_address));
	nft_put(t, "ip6 %s { fe80::/10, ff00::/8, ::1 } return\n", peer);
	nft_put(t, "ip6 %s @%s return\n", peer, SYS_NFT_RO_KNOWN);
	nft_put(t, "ip6 %s @%s return\n", peer, SYS_NFT_RO_SEEN);
	nft_put(t, "meta l4proto { 50, 135 } return\nicmpv6 type 133-137 return\n");
	/*
	 * The address of a packet with a Home Address option is not the peer's yet, and that of
	 * one with a type 2 routing header, which passes the output hook once more when it has
	 * got it, is not the peer's any more.
	 */
	nft_put(t, "exthdr dst exists return\nexthdr rt exists return\n");
	for (size_t i = 0; i < c->n_rules; i++)
		put_rule(t, i, &c->rules[i], peer);
	nft_put(t, "}\n");
}

bool ro_watch_rules(const struct ro_kernel_config *c, char *text, size_t len)
{
	struct nft_text t = {text, len, true};

	text[0] = 0;
	if (!c->n_rules)
		return true;
	nft_put(&t, "set " SYS_NFT_RO_KNOWN " { type ipv6_addr; size 65536; }\n");
	nft_put(&t, "set " SYS_NFT_RO_SEEN " { type ipv6_addr; size %d; flags dynamic,timeout; }\n",
		SEEN_MAX);
	for (size_t i = 0; i < c->n_rules; i++)
		if (c->rules[i].when == RO_WATCH_AFTER)
			nft_put(&t,
				"set meter%zu { type ipv6_addr; size %d; flags dynamic,timeout; "
				"timeout 10m; }\n",
				i, SEEN_MAX);
	put_chain(&t, c, true);
	put_chain(&t, c, false);
	return t.whole;
}

static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct ro_kernel *k = arg;
	struct rbuf r = rbuf_make(data, len);
	struct in6_addr src, dst;

	nfqueue_verdict(k->queue, id, true, 0);
	if (!rbuf_skip(&r, 8) || !rbuf_in6(&r, &src) || !rbuf_in6(&r, &dst))
		return;
	k->stats.traffic++;
	if (k->events->traffic)
		k->events->traffic(k->ctx, in6_equal(&src, &k->config.home_address) ? &dst : &src);
}

static void readable(void *arg)
{
	struct ro_kernel *k = arg;

	nfqueue_read(k->queue, packet, k);
}

int ro_watch_open(struct ro_kernel *k)
{
	int err = 0;

	if (!k->config.n_rules)
		return 0;
	k->queue = nfqueue_open(SYS_QUEUE_TRAFFIC, COPY, QUEUE_MAX, &err);
	return err ? err : sys_loop_read(k->loop, nfqueue_fd(k->queue), readable, k);
}

void ro_watch_close(struct ro_kernel *k)
{
	if (!k->queue)
		return;
	sys_loop_forget(k->loop, nfqueue_fd(k->queue));
	nfqueue_close(k->queue);
	k->queue = NULL;
}

static int change(struct ro_kernel *k, const char *set, const struct in6_addr *peer, bool add)
{
	struct nft_change c = {.table = SYS_NFT_TABLE_RO, .set = set, .add = add};
	int err;

	memcpy(c.key, peer, sizeof(*peer));
	err = nft_elements(k->nf, sizeof(*peer), &c, 1);
	return err == -ENOENT && !add ? 0 : err;
}

int ro_kernel_watch(struct ro_kernel *k, const struct in6_addr *peer, bool on)
{
	int err;

	if (!k->config.n_rules)
		return 0;
	err = change(k, SYS_NFT_RO_KNOWN, peer, !on);
	if (on && !err)
		err = change(k, SYS_NFT_RO_SEEN, peer, false);
	return err;
}
