/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/mn_hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "mip6d/sys/marks.h"
#include "lib/netlink.h"
#include "mip6d/sys/nfqueue.h"
#include "mip6d/sys/nft.h"
#include "vcm/message.h"

#define HELD_LINKS 16
#define KEY_LEN 16 /* an address, or the name of an interface */

struct mn_hold {
	struct mn_hold *internal; /* of the internal address; NULL: there is none */
	struct mn_hold *arriving; /* of what comes for the home address */
	bool outside; /* it follows */
	const char *set; /* of addresses */
	uint32_t mark; /* of what is let go; 0: as it is */
	struct sys_loop *loop;
	struct nlreq *nf;
	struct in6_addr home_address;
	const char (*links)[IFNAMSIZ];
	size_t n_links;
	struct nfqueue *queue;
	bool holding;
	bool dropping; /* how the last hold ended */
	bool waiting; /* some packet has no verdict yet */
	uint32_t last; /* the newest of them */
	struct mn_hold_stats stats;
};

/* Chain, set, chain and priority, chain, chain and set, chain ..., chain and queue.  A probe asks about a link, and needs none else. */
#define RULES                                                                               \
	"add table ip6 " SYS_NFT_TABLE "\n"                                                 \
	"add set ip6 " SYS_NFT_TABLE " %2$s { type ipv6_addr; }\n"                          \
	"flush set ip6 " SYS_NFT_TABLE " %2$s\n"                                            \
	"add chain ip6 " SYS_NFT_TABLE " %1$s { type filter hook output priority %3$d; }\n" \
	"flush chain ip6 " SYS_NFT_TABLE " %1$s\n"                                          \
	"add rule ip6 " SYS_NFT_TABLE " %1$s ip6 saddr != @%2$s return\n"                   \
	"add rule ip6 " SYS_NFT_TABLE " %1$s meta l4proto { 50, 135 } return\n"             \
	"add rule ip6 " SYS_NFT_TABLE " %1$s icmpv6 type 133-137 return\n"                  \
	"%4$s"                                                                              \
	"add rule ip6 " SYS_NFT_TABLE " %1$s oifname \"lo\" return\n"                       \
	"add rule ip6 " SYS_NFT_TABLE " %1$s queue num %5$d\n"
/* What IPsec has protected is judged at once. */
#define ARRIVING_RULES                                                                             \
	"add set ip6 " SYS_NFT_TABLE " " SYS_NFT_HELD_ARRIVING " { type ipv6_addr; }\n"            \
	"flush set ip6 " SYS_NFT_TABLE " " SYS_NFT_HELD_ARRIVING "\n"                              \
	"add chain ip6 " SYS_NFT_TABLE " arriving { type filter hook input priority %d; }\n"       \
	"flush chain ip6 " SYS_NFT_TABLE " arriving\n"                                             \
	"add rule ip6 " SYS_NFT_TABLE " arriving ip6 daddr != @" SYS_NFT_HELD_ARRIVING " return\n" \
	"add rule ip6 " SYS_NFT_TABLE " arriving meta ipsec exists return\n"                       \
	"add rule ip6 " SYS_NFT_TABLE " arriving meta l4proto { 50, 135 } return\n"                \
	"add rule ip6 " SYS_NFT_TABLE " arriving icmpv6 type 133-137 return\n"                     \
	"add rule ip6 " SYS_NFT_TABLE " arriving iifname \"lo\" return\n"                          \
	"add rule ip6 " SYS_NFT_TABLE " arriving queue num %d\n"
#define SHARED_RULES                                                                             \
	"add set ip6 " SYS_NFT_TABLE " " SYS_NFT_HELD_LINKS " { type ifname; }\n"                \
	"flush set ip6 " SYS_NFT_TABLE " " SYS_NFT_HELD_LINKS "\n"                               \
	"add chain ip6 " SYS_NFT_TABLE " post { type filter hook postrouting priority %6$d; }\n" \
	"flush chain ip6 " SYS_NFT_TABLE " post\n"                                               \
	"add rule ip6 " SYS_NFT_TABLE                                                            \
	" post meta mark & 0x%7$08x != 0 meta mark set meta mark & 0x%8$08x\n"

static void let_go(struct mn_hold *h, bool drop)
{
	if (!h->waiting)
		return;
	nfqueue_verdict_upto(h->queue, h->last, !drop, h->mark);
	h->waiting = false;
}

static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct mn_hold *h = arg;

	(void)data;
	(void)len;
	h->last = id;
	h->waiting = true;
	h->stats.held++;
	*(h->dropping ? &h->stats.dropped : &h->stats.released) += !h->holding;
}

static void drain(struct mn_hold *h)
{
	while (nfqueue_read(h->queue, packet, h))
		;
}

static void readable(void *arg)
{
	struct mn_hold *h = arg;

	nfqueue_read(h->queue, packet, h);
	if (!h->holding) /* it was on its way into the queue when the hold ended */
		let_go(h, h->dropping);
}

static int change(struct mn_hold *h, bool add)
{
	struct nft_change c[1 + HELD_LINKS];

	memset(c, 0, sizeof(c));
	c[0] = (struct nft_change){.set = h->set, .add = add};
	memcpy(c[0].key, &h->home_address, KEY_LEN);
	for (size_t i = 0; i < h->n_links; i++) {
		c[1 + i] = (struct nft_change){.set = SYS_NFT_HELD_LINKS, .add = add};
		memcpy(c[1 + i].key, h->links[i], KEY_LEN);
	}
	return nft_elements(h->nf, KEY_LEN, c, 1 + h->n_links);
}

static int start(struct mn_hold *h)
{
	int err;

	if (h->holding)
		return 0;
	err = change(h, true);
	if (!err)
		h->holding = true;
	return err;
}

int mn_hold_start(struct mn_hold *h)
{
	int err = start(h);

	return err || !h->internal || !h->outside ? err : start(h->internal);
}

int mn_hold_pass_ike(struct mn_hold *h, char *err, size_t errlen)
{
	(void)h;
	return nft_load("insert rule ip6 " SYS_NFT_TABLE
			" out udp sport 500 udp dport 500 return\n",
		false, err, errlen);
}

bool mn_hold_holding(const struct mn_hold *h)
{
	return h->holding;
}

static int end(struct mn_hold *h, bool drop)
{
	uint64_t before = h->stats.released + h->stats.dropped;
	int err;

	if (!h->holding)
		return 0;
	/* Twice: first those that waited long, so that new ones do not overtake them. */
	drain(h);
	let_go(h, drop);
	err = change(h, false);
	drain(h);
	let_go(h, drop);
	h->dropping = drop;
	if (err && err != -ENOENT)
		return err; /* still holding */
	h->holding = false;
	*(drop ? &h->stats.dropped : &h->stats.released) += h->stats.held - before;
	return 0;
}

int mn_hold_arriving(struct mn_hold *h, bool on)
{
	if (!on)
		return end(h->arriving, false);
	return h->holding ? start(h->arriving) : 0;
}

/*
 * The home address first: what is said for others may have to come behind it.
 * What has arrived is for the policies to judge, whatever becomes of the rest.
 */
int mn_hold_end(struct mn_hold *h, bool drop)
{
	int err = end(h, drop), other = h->internal ? end(h->internal, drop) : 0,
	    arriving = mn_hold_arriving(h, false);

	return err ? err : other ? other : arriving;
}

int mn_hold_outside(struct mn_hold *h, bool outside)
{
	h->outside = outside;
	if (!h->internal)
		return 0;
	if (!outside)
		return end(h->internal, false);
	return h->holding ? start(h->internal) : 0;
}

int mn_hold_address(struct mn_hold *h, const struct in6_addr *home_address)
{
	int err = h->holding ? change(h, false) : 0;

	if (h->arriving) {
		int arriving = mn_hold_address(h->arriving, home_address);

		err = err ? err : arriving;
	}
	h->home_address = *home_address;
	if (!err && h->holding)
		err = change(h, true);
	return err;
}

static bool load(const char *text, char *err, size_t errlen)
{
	char why[512];

	if (nft_load(text, false, why, sizeof(why)) == 0)
		return true;
	snprintf(err, errlen,
		"the packet filter refuses the rules that hold packets during a move "
		"(CONFIG_NF_TABLES_IPV6, CONFIG_NFT_QUEUE): %s",
		why);
	return false;
}

static struct mn_hold *open_one(struct sys_loop *loop, struct nlreq *nf,
	const struct in6_addr *address, uint16_t queue, char *err, size_t errlen)
{
	struct mn_hold *h = calloc(1, sizeof(*h));
	int rc;

	if (!h) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	h->loop = loop;
	h->nf = nf;
	h->home_address = *address;
	h->mark = SYS_MARK;
	h->queue = nfqueue_open(queue, 0, MN_HOLD_PACKETS, &rc);
	if (h->queue)
		rc = sys_loop_read(loop, nfqueue_fd(h->queue), readable, h);
	if (!rc)
		return h;
	snprintf(err, errlen,
		"cannot listen to packet queue %d (another mip6d, or another program, has it): %s",
		queue, strerror(-rc));
	mn_hold_close(h, false);
	return NULL;
}

struct mn_hold *mn_hold_open(struct sys_loop *loop, struct nlreq *nf,
	const struct in6_addr *home_address, const char (*links)[IFNAMSIZ], size_t n_links,
	char *err, size_t errlen)
{
	struct mn_hold *h = open_one(loop, nf, home_address, SYS_QUEUE_HOLD, err, errlen);
	char text[4096];
	int n;

	if (!h)
		return NULL;
	h->arriving = open_one(loop, nf, home_address, SYS_QUEUE_HOLD_ARRIVING, err, errlen);
	if (!h->arriving) {
		mn_hold_close(h, false);
		return NULL;
	}
	h->arriving->set = SYS_NFT_HELD_ARRIVING;
	h->arriving->mark = 0;
	h->set = SYS_NFT_HELD;
	h->links = links;
	h->n_links = n_links < HELD_LINKS ? n_links : HELD_LINKS;
	n = snprintf(text, sizeof(text), RULES SHARED_RULES, "out", h->set, SYS_NFT_PRIORITY, "",
		SYS_QUEUE_HOLD, -SYS_NFT_PRIORITY, SYS_MARK, ~SYS_MARK);
	snprintf(text + n, sizeof(text) - (size_t)n, ARRIVING_RULES, SYS_NFT_PRIORITY,
		SYS_QUEUE_HOLD_ARRIVING);
	if (load(text, err, errlen))
		return h;
	mn_hold_close(h, false);
	return NULL;
}

int mn_hold_internal(struct mn_hold *h, const struct in6_addr *internal, char *err, size_t errlen)
{
	char text[2048], pass[128];

	h->internal = open_one(h->loop, h->nf, internal, SYS_QUEUE_HOLD_INTERNAL, err, errlen);
	if (!h->internal)
		return -EBUSY;
	h->internal->set = SYS_NFT_HELD_INTERNAL;
	snprintf(pass, sizeof(pass),
		"add rule ip6 " SYS_NFT_TABLE " internal udp sport %d udp dport %d return\n",
		VCM_PROBE_PORT, VCM_PROBE_PORT);
	snprintf(text, sizeof(text), RULES, "internal", h->internal->set, SYS_NFT_PRIORITY, pass,
		SYS_QUEUE_HOLD_INTERNAL);
	return load(text, err, errlen) ? 0 : -EINVAL;
}

void mn_hold_close(struct mn_hold *h, bool remove)
{
	char why[256];

	if (!h)
		return;
	if (remove) {
		mn_hold_end(h, true);
		nft_load("add table ip6 " SYS_NFT_TABLE "\ndelete table ip6 " SYS_NFT_TABLE "\n",
			false, why, sizeof(why));
	}
	mn_hold_close(h->internal, false);
	mn_hold_close(h->arriving, false);
	if (h->queue) {
		sys_loop_forget(h->loop, nfqueue_fd(h->queue));
		nfqueue_close(h->queue);
	}
	free(h);
}

const struct mn_hold_stats *mn_hold_stats(const struct mn_hold *h)
{
	return &h->stats;
}
