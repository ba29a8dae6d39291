/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel side of a security gateway (doc/vcm.md): the packet filter that
 * lets nothing pass in clear and tells who is where and who talks with whom
 * (`ip6 mip6d_vpn`), and what a node outside needs: policy, route, proxy.
 *
 * Requirements V3, V5, V11.  Errors are negative errnos.
 */
#ifndef SYS_VPN_GATEWAY_H
#define SYS_VPN_GATEWAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct settings;
struct sys_loop;
struct vpn_gateway; /* opaque */

struct vpn_gateway_node {
	struct in6_addr internal, home;
	uint32_t reqid;
};

struct vpn_gateway_config {
	struct in6_addr address; /* external */
	const struct ip6_prefix *internal;
	size_t n_internal;
	char (*interfaces)[16]; /* internal ones, by name */
	size_t n_interfaces;
	bool activates; /* we do what a node outside needs; else the home agent does (embodiment 2) */
	bool ike; /* with nodes about the SAs of their tunnel: outside by the binding's, where it activates inside as well */
	bool every_packet; /* of a pair that is not known yet is told, for thresholds; else one every few seconds */
	struct in6_addr own, manager; /* own ::: no SA with the manager: it is on this host */
	uint32_t manager_reqid;
};

/* What is told.  Each packet of a pair between an outside node and another until vpn_gateway_known(). */
struct vpn_gateway_events {
	void (*outside)(
		void *ctx, const struct in6_addr *internal); /* a packet came through its SA */
	void (*inside)(void *ctx, const struct in6_addr *internal); /* one came in clear, inside */
	void (*traffic)(void *ctx, const struct in6_addr *from, const struct in6_addr *to);
};

/* What a killed predecessor left is taken over.  NULL with the reason in err. */
struct vpn_gateway *vpn_gateway_open(const struct vpn_gateway_config *c, struct sys_loop *loop,
	struct settings *settings, const struct vpn_gateway_events *events, void *ctx, char *err,
	size_t errlen);
/* Everything is removed. */
void vpn_gateway_close(struct vpn_gateway *v);

/* A node; it is inside.  To be called before vpn_gateway_start(). */
int vpn_gateway_add(struct vpn_gateway *v, const struct vpn_gateway_node *n);
/* Behind vpn_gateway_activate() of those that were outside: from now on it tells; what is left of others goes. */
int vpn_gateway_start(struct vpn_gateway *v);

/* What is for it goes through its SA and is ours to take on the internal links, or not any more.  -ENOENT. */
int vpn_gateway_activate(struct vpn_gateway *v, const struct in6_addr *internal, bool on);
/* The pair needs not be told for so long, in neither direction; 0: it does again.  At the end of the turn. */
void vpn_gateway_known(struct vpn_gateway *v, const struct in6_addr *a, const struct in6_addr *b,
	uint32_t seconds);

struct vpn_gateway_stats {
	uint64_t told_outside, told_inside, told_traffic;
	uint64_t compared; /* all policies with the kernel's: grows with the nodes, so no move may cause it */
};
void vpn_gateway_stats(const struct vpn_gateway *v, struct vpn_gateway_stats *s);
/*
 * Policies of nodes and manager compared with the kernel: a line for each difference; how many, or a
 * negative errno.  mend: put right as well.
 */
int vpn_gateway_check(
	struct vpn_gateway *v, bool mend, void (*fn)(void *arg, const char *text), void *arg);
/* What the last error was about. */
const char *vpn_gateway_why(const struct vpn_gateway *v);

#endif
