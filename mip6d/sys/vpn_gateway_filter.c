/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet filter of a security gateway.
 *
 * Guard: what is internal neither comes nor goes by an interface that is not
 * internal, but through IPsec.  It needs no daemon.
 *
 * Evidence, told through queues: a packet of a node that is not outside came
 * through IPsec; one of a node outside came in clear by an internal interface
 * (or it answers Neighbor Discovery there).  One every second is enough.
 *
 * Pairs: the first packet between a node outside and anybody is told, and
 * again some seconds later unless vpn_gateway_known() says that it arrived:
 * a queue may overflow, its packets pass untold then.  None waits: the verdict
 * comes before anything is done with what was read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/loop.h"
#include "lib/addr.h"
#include "lib/buf.h"
#include "lib/netlink.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/nfqueue.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/vpn_gateway_internal.h"
#include "vcm/message.h"

#define T SYS_NFT_TABLE_VPN
#define COPY 64
#define QUEUE_MAX 65536
#define KNOWN_MAX 262144
#define SEEN_MAX 262144
#define SEEN_S 3
#define PAIRS_A_BATCH 600 /* four changes and more each, in messages of 60 */

static void put_sets(struct nft_text *t, const struct vpn_gateway_config *c)
{
	nft_put(t, "add table ip6 " T "\ndelete table ip6 " T "\ntable ip6 " T " {\n");
	nft_put(t, "set nodes { type ipv6_addr; }\nset outside { type ipv6_addr; }\n"
		   "set homes { type ipv6_addr; }\n");
	nft_put(t, "set outside_na { typeof ip6 hoplimit . @th,64,128; }\n");
	nft_put(t, "set known { type ipv6_addr . ipv6_addr; flags timeout; size %d; }\n",
		KNOWN_MAX);
	nft_put(t,
		"set seen { type ipv6_addr . ipv6_addr; flags dynamic,timeout; timeout %ds; size "
		"%d; }\n",
		SEEN_S, SEEN_MAX);
	for (size_t i = 0; i < 2; i++)
		nft_put(t,
			"set told_%s { type ipv6_addr; flags dynamic,timeout; timeout 1s; size "
			"65536; }\n",
			i ? "inside" : "outside");
	nft_put(t,
		"set asked { type ipv6_addr; flags dynamic,timeout; timeout %ds; size 65536; }\n",
		VPN_ASKED_S);
	nft_put(t, "set ike { type ipv6_addr; flags dynamic,timeout; timeout %ds; size 65536; }\n",
		VPN_IKE_S);
	nft_put(t, "set internal { type ipv6_addr; flags interval; elements = {");
	for (size_t i = 0; i < c->n_internal; i++)
		nft_put(t, "%s %s/%u", i ? "," : "", in6_str(&c->internal[i].addr),
			c->internal[i].plen);
	nft_put(t, " }; }\nset links { type ifname; elements = { \"lo\"");
	for (size_t i = 0; i < c->n_interfaces; i++)
		nft_put(t, ", \"%s\"", c->interfaces[i]);
	nft_put(t, " }; }\n");
}

/*
 * On a home agent its own address is one of the internal ones, and so are
 * those of nodes outside, by which they make and use the direct path between
 * them: Mobility Headers, which protect themselves, and ESP.  IKE about the
 * SAs of a node's tunnel comes by that tunnel, and protects itself too.
 */
static void put_guard(struct nft_text *t, const struct vpn_gateway_config *c)
{
	const char *address = in6_str(&c->address),
		   *to_node = c->activates ? ""
					   : "ip6 daddr @outside meta l4proto { 50, 135 } return\n",
		   *of_node = c->activates ? ""
					   : "ip6 saddr @outside meta l4proto { 50, 135 } return\n";

	nft_put(t, "chain guard_in { type filter hook prerouting priority -200;\n"
		   "iifname @links return\nmeta ipsec exists return\n");
	if (c->ike && !c->activates)
		nft_put(t, "ip6 saddr @nodes ip6 daddr %s udp dport { 500, 4500 } return\n",
			address);
	nft_put(t,
		"ip6 saddr @internal counter drop\nip6 daddr %s return\n%s"
		"ip6 daddr @internal counter drop\n}\n",
		address, to_node);
	nft_put(t, "chain guard_out { type filter hook postrouting priority 0;\n"
		   "oifname @links return\nrt ipsec exists return\n");
	if (c->ike && !c->activates)
		nft_put(t, "ip6 saddr %s ip6 daddr @nodes udp sport { 500, 4500 } return\n",
			address);
	nft_put(t,
		"%sip6 daddr @internal counter drop\nip6 saddr %s return\n%s"
		"ip6 saddr @internal counter drop\n}\n",
		to_node, address, of_node);
}

/*
 * Who asks the manager whether he is inside (ESP, or a PROBE in clear) does not
 * know it yet: he gets the answer by the tunnel and by the link where he asked
 * (vpn_gateway_answer.c).  What he says to the manager next shows that he has
 * it, or that it did not come by the tunnel.
 */
static void put_evidence(struct nft_text *t)
{
	static const char inside[] =
		"meta ipsec missing iifname @links iifname != \"lo\" ip6 saddr @outside";
	char tell[128];

	snprintf(tell, sizeof(tell),
		"ip6 saddr != @told_inside add @told_inside { ip6 saddr } queue num %d bypass",
		SYS_QUEUE_INSIDE);
	nft_put(t,
		"chain asking {\n%s ip6 saddr @asked %s\n%s add @asked { ip6 saddr } queue num %d "
		"bypass\n}\n",
		inside, tell, inside, SYS_QUEUE_ASKING);
	nft_put(t,
		"chain evidence {\n"
		"meta ipsec exists ip6 saddr @nodes ip6 saddr != @outside ip6 saddr != "
		"@told_outside "
		"add @told_outside { ip6 saddr } queue num %d bypass\n"
		"meta l4proto 50 goto asking\nudp dport %d goto asking\n%s %s\n}\n",
		SYS_QUEUE_OUTSIDE, VCM_PROBE_PORT, inside, tell);
}

static void put_pairs(struct nft_text *t, const struct vpn_gateway_config *c)
{
	const char *seen = c->every_packet ? "" : "add @seen { ip6 saddr . ip6 daddr } ";

	nft_put(t, "chain talk {\nip6 saddr . ip6 daddr @known return\n");
	if (!c->every_packet)
		nft_put(t, "ip6 saddr . ip6 daddr @seen return\n");
	nft_put(t,
		"meta l4proto { 50, 135 } return\nip6 daddr { fe80::/10, ff00::/8 } return\n"
		"%squeue num %d bypass\n}\n",
		seen, SYS_QUEUE_PAIRS);
}

/*
 * IKE of a node inside, between its home address, by which it is not reached
 * there, and our external one: what is said to it goes where it came from as
 * well (vpn_gateway_answer.c).  Whoever is inside can make us look: not
 * without limit.
 */
static void put_ike(struct nft_text *t, const struct vpn_gateway_config *c)
{
	const char *address = in6_str(&c->address);

	if (!c->ike || !c->activates)
		return;
	nft_put(t,
		"chain ike_in { type filter hook input priority 0;\n"
		"iifname @links iifname != \"lo\" ip6 saddr @homes ip6 daddr %s udp dport 500 "
		"meta ipsec missing limit rate 1000/second burst 1024 packets "
		"update @ike { ip6 saddr } queue num %d bypass\n}\n",
		address, SYS_QUEUE_ASKING);
	nft_put(t,
		"chain ike_out { type filter hook output priority 0;\n"
		"ip6 saddr %s ip6 daddr @ike udp sport 500 queue num %d bypass\n}\n",
		address, SYS_QUEUE_ASKING);
}

static void put_hooks(struct nft_text *t, const struct vpn_gateway_config *c)
{
	nft_put(t,
		"chain forwarded { type filter hook forward priority 0;\n"
		"ip6 saddr %s meta l4proto 50 ip6 daddr @asked ip6 daddr @outside queue num %d "
		"bypass\n"
		"jump evidence\nip6 saddr @outside jump talk\nip6 daddr @outside jump talk\n}\n",
		in6_str(&c->manager), SYS_QUEUE_ASKING);
	nft_put(t,
		"chain received { type filter hook input priority 0;\n"
		"icmpv6 type 136 iifname @links ip6 hoplimit . @th,64,128 @outside_na queue num %d "
		"bypass\n"
		"jump evidence\n}\n}\n",
		SYS_QUEUE_INSIDE);
}

static int load(const struct vpn_gateway_config *c, char *err, size_t errlen)
{
	char rules[8192], why[512];
	struct nft_text t = {rules, sizeof(rules), true};

	put_sets(&t, c);
	put_guard(&t, c);
	put_evidence(&t);
	put_pairs(&t, c);
	put_ike(&t, c);
	put_hooks(&t, c);
	if (!t.whole)
		return -ENOSPC;
	if (nft_load(rules, false, why, sizeof(why)) == 0)
		return 0;
	snprintf(err, errlen,
		"the packet filter refuses what a gateway needs of it (CONFIG_NF_TABLES_IPV6, "
		"CONFIG_NFT_XFRM, CONFIG_NFT_QUEUE): %s",
		why);
	return -EINVAL;
}

/* ---- sets ---- */

static int change(struct vpn_gateway *v, struct nft_change *c, size_t key_len)
{
	int err;

	c->table = T;
	err = nft_elements(v->nf, key_len, c, 1);
	return err == -ENOENT && !c->add ? 0 : err;
}

static int change_address(
	struct vpn_gateway *v, const char *set, const struct in6_addr *a, bool add)
{
	struct nft_change c = {.set = set, .add = add};

	memcpy(c.key, a, sizeof(*a));
	return change(v, &c, sizeof(*a));
}

int vpn_filter_node(
	struct vpn_gateway *v, const struct in6_addr *internal, const struct in6_addr *home)
{
	int err = change_address(v, "nodes", internal, true);

	return err ? err : change_address(v, "homes", home, true);
}

/* Neighbor Discovery has a hop limit of 255 (RFC 4861 7.1.2); each part of a key takes whole words. */
int vpn_filter_outside(struct vpn_gateway *v, const struct in6_addr *internal, bool on)
{
	struct nft_change c = {.set = "outside_na", .add = on, .key = {255}};
	int err = change_address(v, "outside", internal, on);

	memcpy(c.key + 4, internal, sizeof(*internal));
	return err ? err : change(v, &c, 20);
}

static void put_key(struct nft_change *c, const struct vpn_pair *p, bool back)
{
	memcpy(c->key, back ? &p->b : &p->a, 16);
	memcpy(c->key + 16, back ? &p->a : &p->b, 16);
}

/*
 * An element that is there keeps its time: it goes first, and so that it may
 * go it is added before.
 */
static void flush_known(void *arg)
{
	struct vpn_gateway *v = arg;
	struct nft_change *c = calloc(6 * v->n_pending + 1, sizeof(*c));
	size_t n = 0;
	int err;

	for (size_t step = 0; c && step < 3; step++)
		for (size_t i = 0; i < 2 * v->n_pending; i++) {
			const struct vpn_pair *p = &v->pending[i / 2];

			if (step == 2 && !p->seconds)
				continue;
			c[n] = (struct nft_change){.table = T,
				.set = "known",
				.add = step != 1,
				.timeout_s = step == 2 ? p->seconds : 1};
			put_key(&c[n++], p, i % 2);
		}
	v->n_pending = 0;
	err = !c ? -ENOMEM : nft_elements(v->nf, 32, c, n);
	free(c);
	if (err)
		vpn_gateway_complain(
			v, "the packet filter does not take pairs that are known", err);
}

void vpn_gateway_known(
	struct vpn_gateway *v, const struct in6_addr *a, const struct in6_addr *b, uint32_t seconds)
{
	for (size_t i = 0; i < v->n_pending; i++) /* the last word counts */
		if (in6_equal(&v->pending[i].a, a) && in6_equal(&v->pending[i].b, b)) {
			v->pending[i].seconds = seconds;
			return;
		}
	if (v->n_pending == VPN_PENDING)
		flush_known(v);
	v->pending[v->n_pending++] = (struct vpn_pair){*a, *b, seconds};
	sys_loop_after(v->loop, &v->after);
}

/* ---- queues ---- */

static bool addresses(const uint8_t *data, size_t len, struct in6_addr *src, struct in6_addr *dst)
{
	struct rbuf r = rbuf_make(data, len);

	return rbuf_skip(&r, 8) && rbuf_in6(&r, src) && rbuf_in6(&r, dst);
}

/* The target of a Neighbor Advertisement, which is sent by its owner (RFC 4861 4.4). */
static bool advertised(const uint8_t *data, size_t len, struct in6_addr *target)
{
	struct rbuf r = rbuf_make(data, len);

	if (len < 64 || data[6] != IPPROTO_ICMPV6 || data[40] != 136)
		return false;
	return rbuf_skip(&r, 48) && rbuf_in6(&r, target);
}

static void tell_outside(struct vpn_gateway *v, const uint8_t *data, size_t len)
{
	struct in6_addr src, dst;

	if (!addresses(data, len, &src, &dst))
		return;
	v->stats.told_outside++;
	v->events.outside(v->ctx, &src);
	v->events.traffic(v->ctx, &src, &dst);
}

static void tell_inside(struct vpn_gateway *v, const uint8_t *data, size_t len)
{
	struct in6_addr src, dst;

	if (!addresses(data, len, &src, &dst))
		return;
	if (advertised(data, len, &dst)) {
		if (vpn_answers_wanted(v, &dst))
			return; /* Neighbor Discovery is open while it asks */
		src = dst;
	}
	v->stats.told_inside++;
	v->events.inside(v->ctx, &src);
}

static void tell_pair(struct vpn_gateway *v, const uint8_t *data, size_t len)
{
	struct in6_addr src, dst;

	if (!addresses(data, len, &src, &dst))
		return;
	v->stats.told_traffic++;
	v->events.traffic(v->ctx, &src, &dst);
}

/* Let go at once; what it says is looked at behind that. */
static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct vpn_queue *q = arg;

	nfqueue_verdict(q->queue, id, true, 0);
	q->tell(q->gateway, data, len);
}

static void readable(void *arg)
{
	struct vpn_queue *q = arg;

	nfqueue_read(q->queue, packet, q);
}

static int open_queue(struct vpn_gateway *v, struct vpn_queue *q, uint16_t number,
	void (*tell)(struct vpn_gateway *, const uint8_t *, size_t))
{
	int err;

	q->gateway = v;
	q->tell = tell;
	q->queue = nfqueue_open(number, COPY, QUEUE_MAX, &err);
	if (!q->queue)
		return err;
	err = nfqueue_fail_open(q->queue);
	return err ? err : sys_loop_read(v->loop, nfqueue_fd(q->queue), readable, q);
}

int vpn_filter_open(struct vpn_gateway *v, char *err, size_t errlen)
{
	int rc = open_queue(v, &v->queues[0], SYS_QUEUE_OUTSIDE, tell_outside);

	v->after = (struct sys_after){.fn = flush_known, .arg = v};
	if (!rc)
		rc = open_queue(v, &v->queues[1], SYS_QUEUE_INSIDE, tell_inside);
	if (!rc)
		rc = open_queue(v, &v->queues[2], SYS_QUEUE_PAIRS, tell_pair);
	if (!rc)
		rc = vpn_answers_open(v);
	if (rc) {
		snprintf(err, errlen, "cannot listen to packet queues %d to %d: %s",
			SYS_QUEUE_OUTSIDE, SYS_QUEUE_ASKING, strerror(-rc));
		return rc;
	}
	return load(&v->config, err, errlen);
}

void vpn_filter_close(struct vpn_gateway *v)
{
	char why[256];

	sys_loop_after_cancel(v->loop, &v->after);
	nft_load("add table ip6 " T "\ndelete table ip6 " T "\n", false, why, sizeof(why));
	vpn_answers_close(v);
	for (size_t i = 0; i < VPN_QUEUES; i++) {
		if (!v->queues[i].queue)
			continue;
		sys_loop_forget(v->loop, nfqueue_fd(v->queues[i].queue));
		nfqueue_close(v->queues[i].queue);
	}
}
