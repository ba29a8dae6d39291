/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/esp_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/netlink.h"
#include "common/loop.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/nfqueue.h"
#include "mip6d/sys/nft.h"

#define FORMER 8 /* places that were left within ESP_FILTER_FORMER_S */
#define PAUSED_PACKETS 4096
#define T "ip6 " SYS_NFT_TABLE_ESP

struct former {
	struct in6_addr addr;
	monotime_t until;
};

struct esp_filter {
	struct sys_loop *loop;
	struct nlreq *nf;
	struct nfqueue *queue;
	size_t paused; /* home addresses */
	bool waiting;
	uint32_t last; /* packet that waits */
	size_t n_former;
	struct former former[FORMER];
};

/*
 * What is going to be ESP passes here twice, before and behind that: the home
 * agent's own ICMPv6 takes the device as ESP in transport mode.
 */
#define RULES                                                                             \
	"add table " T "\n"                                                               \
	"add set " T " guarded { type ipv6_addr; }\n"                                     \
	"add set " T " " SYS_NFT_PAUSED " { type ipv6_addr; }\n"                          \
	"flush set " T " " SYS_NFT_PAUSED "\n"                                            \
	"add map " T " former { type ipv6_addr : ipv6_addr; flags timeout; }\n"           \
	"add chain " T " pre { type filter hook prerouting priority -300; }\n"            \
	"flush chain " T " pre\n"                                                         \
	"add rule " T " pre ip6 nexthdr 50 ip6 daddr set ip6 daddr map @former\n"         \
	"add rule " T " pre ip6 daddr @guarded meta l4proto 135 meta ipsec missing "       \
	"counter drop\n"                                                                  \
	"add chain " T " post { type filter hook postrouting priority 0; }\n"             \
	"flush chain " T " post\n"                                                        \
	"%s"                                                                              \
	"add rule " T " post oifname \"%s\" rt ipsec missing meta l4proto %s counter drop\n"

/*
 * Before a packet is routed: what was routed has the SA already.  What this
 * host itself sends to the home address in that moment is lost.
 */
#define PAUSE_RULES "add rule " T " pre ip6 daddr @" SYS_NFT_PAUSED " queue num %d\n"

#define IKE_RULE "add rule " T " post udp sport 500 udp dport 500 accept\n"

static int load_rules(const struct esp_filter_config *c, char *err, size_t errlen)
{
	char text[4096], why[512];
	int n = snprintf(text, sizeof(text), RULES, c->ike ? IKE_RULE : "", c->tunnel, c->payload ? "!= 50" : "135");

	if (c->pauses && n > 0 && (size_t)n < sizeof(text))
		n += snprintf(text + n, sizeof(text) - (size_t)n, PAUSE_RULES, SYS_QUEUE_PAUSED);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -ENOSPC;
	if (nft_load(text, false, why, sizeof(why)) == 0)
		return 0;
	snprintf(err, errlen,
		"the packet filter refuses what IPsec needs of it (CONFIG_NF_TABLES_IPV6, "
		"CONFIG_NFT_XFRM): %s",
		why);
	return -EINVAL;
}

/* ---- a pause ---- */

static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct esp_filter *f = arg;

	(void)data;
	(void)len;
	f->last = id;
	f->waiting = true;
}

static void let_go(struct esp_filter *f)
{
	while (nfqueue_read(f->queue, packet, f))
		;
	if (f->waiting)
		nfqueue_verdict_upto(f->queue, f->last, true, 0);
	f->waiting = false;
}

static void readable(void *arg)
{
	struct esp_filter *f = arg;

	nfqueue_read(f->queue, packet, f);
	if (!f->paused)
		let_go(f);
}

static int change(struct esp_filter *f, const char *set, const struct in6_addr *a, bool add)
{
	struct nft_change c = {.table = SYS_NFT_TABLE_ESP, .set = set, .add = add};
	int err;

	memcpy(c.key, a, sizeof(*a));
	err = nft_elements(f->nf, sizeof(*a), &c, 1);
	return err == -ENOENT && !add ? 0 : err;
}

int esp_filter_pause(struct esp_filter *f, const struct in6_addr *home_address, bool on)
{
	int err = change(f, SYS_NFT_PAUSED, home_address, on);

	if (err)
		return err;
	if (on)
		f->paused++;
	else if (f->paused)
		f->paused--;
	if (!f->paused)
		let_go(f);
	return 0;
}

/* ---- the mobile node ---- */

int esp_filter_guard(struct esp_filter *f, const struct in6_addr *home_address, bool on)
{
	return change(f, "guarded", home_address, on);
}

static void note_former(struct esp_filter *f, const struct in6_addr *from, const struct in6_addr *care_of)
{
	monotime_t now = sys_now(NULL);
	size_t n = 0;

	for (size_t i = 0; i < f->n_former; i++)
		if (mono_before(now, f->former[i].until) && !in6_equal(&f->former[i].addr, care_of) &&
			!in6_equal(&f->former[i].addr, from))
			f->former[n++] = f->former[i];
	if (n == FORMER)
		memmove(&f->former[0], &f->former[1], --n * sizeof(f->former[0]));
	if (!in6_is_any(from))
		f->former[n++] = (struct former){*from, mono_add_s(now, ESP_FILTER_FORMER_S)};
	f->n_former = n;
}

int esp_filter_moved(struct esp_filter *f, const struct in6_addr *from, const struct in6_addr *care_of)
{
	char text[2048], why[256];
	size_t n;

	if (in6_equal(from, care_of))
		return 0;
	note_former(f, from, care_of);
	n = (size_t)snprintf(text, sizeof(text), "flush map " T " former\n");
	for (size_t i = 0; i < f->n_former && n < sizeof(text) - 200; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"add element " T " former { %s timeout %ds : %s }\n",
			in6_str(&f->former[i].addr), ESP_FILTER_FORMER_S, in6_str(care_of));
	return nft_load(text, false, why, sizeof(why));
}

/* ---- start and end ---- */

static int open_queue(struct esp_filter *f, char *err, size_t errlen)
{
	int rc;

	f->queue = nfqueue_open(SYS_QUEUE_PAUSED, 0, PAUSED_PACKETS, &rc);
	if (f->queue)
		rc = sys_loop_read(f->loop, nfqueue_fd(f->queue), readable, f);
	if (rc)
		snprintf(err, errlen, "cannot listen to packet queue %d: %s", SYS_QUEUE_PAUSED, strerror(-rc));
	return rc;
}

struct esp_filter *esp_filter_open(const struct esp_filter_config *c, struct sys_loop *loop, struct nlreq *nf,
	char *err, size_t errlen)
{
	struct esp_filter *f = calloc(1, sizeof(*f));

	if (!f) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	f->loop = loop;
	f->nf = nf;
	if ((c->pauses && open_queue(f, err, errlen)) || load_rules(c, err, errlen)) {
		esp_filter_close(f, false);
		return NULL;
	}
	return f;
}

void esp_filter_close(struct esp_filter *f, bool remove)
{
	char why[256];

	if (!f)
		return;
	if (remove)
		nft_load("add table " T "\ndelete table " T "\n", false, why, sizeof(why));
	if (f->queue) {
		sys_loop_forget(f->loop, nfqueue_fd(f->queue));
		nfqueue_close(f->queue);
	}
	free(f);
}
