/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/mn_networks.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/mn_kernel_internal.h"
#include "mip6d/sys/nft.h"
#include "mip6d/sys/settings.h"

#define TABLE "ip6 " SYS_NFT_TABLE
#define MAIN_TABLE RT_TABLE_MAIN

/* ---- rules and routes ---- */

static struct rtnl_route unreachable(const struct ip6_prefix *p)
{
	return (struct rtnl_route){.dst = p->addr,
		.plen = p->plen,
		.type = RTN_UNREACHABLE,
		.metric = SYS_METRIC_LAST};
}

static int set_network(struct mn_kernel *k, const struct ip6_prefix *p)
{
	struct rtnl_rule inside = {.dst = p->addr,
		.dst_len = p->plen,
		.table = MAIN_TABLE,
		.priority = SYS_RULE_INSIDE};
	struct rtnl_rule from = {.src = p->addr,
		.src_len = p->plen,
		.table = k->config.table,
		.priority = SYS_RULE_HOME};
	struct rtnl_route last = unreachable(p);
	int err = nlreq_do(k->rt, rtnl_route_set(&last));

	if (!err)
		err = nlreq_do(k->rt, rtnl_rule_add(&inside));
	if (!err || err == -EEXIST)
		err = nlreq_do(k->rt, rtnl_rule_add(&from));
	return err == -EEXIST ? 0 : err;
}

static bool is_network(const struct mn_kernel *k, const struct in6_addr *a, uint8_t plen)
{
	const struct mn_networks_config *c = &k->config.networks;

	for (size_t i = 0; i < c->n_networks; i++)
		if (in6_equal(&c->networks[i].addr, a) && c->networks[i].plen == plen)
			return true;
	return false;
}

bool mn_networks_has_rule(const struct mn_kernel *k, const struct rtnl_rule *r)
{
	if (r->priority == SYS_RULE_INSIDE)
		return is_network(k, &r->dst, r->dst_len);
	return is_network(k, &r->src, r->src_len);
}

bool mn_networks_has_route(const struct mn_kernel *k, const struct rtnl_route *r)
{
	return r->type != RTN_UNREACHABLE || r->table != MAIN_TABLE ||
	       is_network(k, &r->dst, r->plen);
}

/* ---- settings ---- */

static int keep_forwarding(void *arg, const struct nlmsghdr *h)
{
	struct mn_kernel *k = arg;
	char name[128];
	struct rtnl_link l;

	if (!rtnl_link_read(h, &l) || l.ifindex == k->send_ifindex ||
		l.ifindex == k->receive_ifindex)
		return 0;
	snprintf(name, sizeof(name), "net/ipv6/conf/%s/forwarding", l.name);
	settings_keep(k->settings, name);
	return 0;
}

/* The first sets every device; what leads out is a host again right after. */
static int set_forwarding(struct mn_kernel *k)
{
	char now[8] = "", name[128];
	int err = 0;

	sysctl_read("net/ipv6/conf/all/forwarding", now, sizeof(now));
	if (strcmp(now, "1") != 0) {
		err = nlreq_dump(k->rt, rtnl_link_dump(), keep_forwarding, k);
		settings_keep(k->settings, "net/ipv6/conf/default/forwarding");
	}
	if (!err)
		err = settings_set(k->settings, "net/ipv6/conf/all/forwarding", "1");
	for (size_t i = 0; i < k->config.n_interfaces && !err; i++) {
		snprintf(name, sizeof(name), "net/ipv6/conf/%s/forwarding",
			k->config.interfaces[i].name);
		err = settings_set(k->settings, name, "0");
	}
	return err;
}

/* ---- the packet filter ---- */

static void put_names(FILE *to, const char *set, const struct mn_kernel *k, bool ingress)
{
	size_t n = ingress ? k->config.networks.n_ingress : k->config.n_interfaces;

	fprintf(to, "add set " TABLE " %s { type ifname; }\nflush set " TABLE " %s\n", set, set);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "add element " TABLE " %s { \"%s\" }\n", set,
			ingress ? k->config.networks.ingress[i] : k->config.interfaces[i].name);
}

static void put_networks(FILE *to, const struct mn_networks_config *c)
{
	fputs("add set " TABLE " " SYS_NFT_NETWORKS " { type ipv6_addr; flags interval; }\n", to);
	fputs("flush set " TABLE " " SYS_NFT_NETWORKS "\n", to);
	for (size_t i = 0; i < c->n_networks; i++)
		fprintf(to, "add element " TABLE " " SYS_NFT_NETWORKS " { %s/%u }\n",
			in6_str(&c->networks[i].addr), c->networks[i].plen);
}

#define RULE(chain, text) "add rule " TABLE " " chain " " text "\n"

/*
 * Out of the networks only what is theirs (RFC 3963 9); into them from the
 * tunnel, or at home; and never from one interface that leads out to another.
 */
static void put_forward(FILE *to, const char *tunnel, const char *receiver)
{
	fprintf(to, RULE("forward",
			    "iifname @ingress ip6 saddr != @" SYS_NFT_NETWORKS " counter drop"));
	fprintf(to, RULE("forward", "iifname { \"%s\", \"%s\" } oifname != @ingress counter drop"),
		tunnel, receiver);
	fprintf(to,
		RULE("forward", "iifname { \"%s\", \"%s\" } ip6 daddr != @" SYS_NFT_NETWORKS
				" counter drop"),
		tunnel, receiver);
	fputs(RULE("forward", "iifname @egress oifname @egress counter drop"), to);
	fprintf(to, RULE("forward", "iifname @egress oifname { \"%s\", \"%s\" } counter drop"),
		tunnel, receiver);
	/* Out of the tunnel's SA, which policies demand then. */
	fputs(RULE("forward", "iifname @egress oifname @ingress meta ipsec exists ip6 daddr @" SYS_NFT_NETWORKS
			      " accept"),
		to);
	fputs(RULE("forward", "iifname @egress iifname != @home oifname @ingress counter drop"),
		to);
}

/* Before the route is chosen, so that what was held is routed as things are when it is let go. */
static void put_before(FILE *to, const struct in6_addr *home_address)
{
	fputs(RULE("before", "iifname != @" SYS_NFT_HELD_LINKS " return"), to);
	fputs(RULE("before", "ip6 saddr != @" SYS_NFT_NETWORKS " return"), to);
	fputs(RULE("before", "ip6 daddr @" SYS_NFT_NETWORKS " return"), to);
	fputs(RULE("before", "ip6 daddr { fe80::/10, ff00::/8 } return"), to);
	fprintf(to, RULE("before", "ip6 daddr %s return"), in6_str(home_address));
	fprintf(to, RULE("before", "queue num %d"), SYS_QUEUE_HOLD);
}

static int load_rules(struct mn_kernel *k, char *err, size_t errlen)
{
	char *text = NULL, receiver[IFNAMSIZ], why[512] = "out of memory";
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int rc;

	if (!f)
		return -ENOMEM;
	snprintf(receiver, sizeof(receiver), "%.14sr", k->config.tunnel);
	put_networks(f, &k->config.networks);
	put_names(f, "ingress", k, true);
	put_names(f, "egress", k, false);
	fputs("add set " TABLE " home { type ifname; }\nflush set " TABLE " home\n", f);
	fprintf(f,
		"add chain " TABLE " forward { type filter hook forward priority %d; }\n"
		"flush chain " TABLE " forward\n"
		"add chain " TABLE " before { type filter hook prerouting priority %d; }\n"
		"flush chain " TABLE " before\n",
		SYS_NFT_PRIORITY, SYS_NFT_PRIORITY);
	put_forward(f, k->config.tunnel, receiver);
	put_before(f, &k->config.home_address);
	rc = fclose(f) ? -ENOMEM : nft_load(text, false, why, sizeof(why));
	free(text);
	if (rc)
		snprintf(err, errlen,
			"the packet filter refuses the rules of a mobile router "
			"(CONFIG_NF_TABLES_IPV6, CONFIG_NFT_QUEUE): %s",
			why);
	return rc;
}

int mn_networks_home(struct mn_kernel *k, int ifindex)
{
	struct nft_change c = {.set = "home"};
	int err = 0;

	if (!k->config.networks.n_networks)
		return 0;
	for (size_t i = 0; i < k->config.n_interfaces && !err; i++) {
		memset(c.key, 0, sizeof(c.key));
		memcpy(c.key, k->config.interfaces[i].name, IFNAMSIZ);
		c.add = k->config.interfaces[i].ifindex == ifindex;
		err = nft_elements(k->nf, IFNAMSIZ, &c, 1);
		err = err == -ENOENT && !c.add ? 0 : err;
	}
	return err;
}

/* ---- start ---- */

int mn_networks_open(struct mn_kernel *k, char *err, size_t errlen)
{
	const struct mn_networks_config *c = &k->config.networks;
	int rc;

	if (!c->n_networks)
		return 0;
	/* The filter before forwarding: nothing must pass unchecked. */
	rc = load_rules(k, err, errlen);
	if (rc)
		return rc;
	for (size_t i = 0; i < c->n_networks && !rc; i++)
		rc = set_network(k, &c->networks[i]);
	if (rc) {
		snprintf(err, errlen, "cannot set the rules of the networks: %s", nlreq_why(k->rt));
		return rc;
	}
	rc = set_forwarding(k);
	if (rc)
		snprintf(err, errlen, "cannot set forwarding: %s", strerror(-rc));
	return rc;
}
