/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding and removing what carries our protocol number, a killed predecessor's included. */
#ifndef OS_OURS_H
#define OS_OURS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct nlreq;

/* Rules, routes, addresses and proxied neighbours of RTNL_PROTO; keep(arg, ...) true: leave it. */
int ours_flush_rules(struct nlreq *r);
int ours_flush_routes(struct nlreq *r, bool (*keep)(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex),
	void *arg);
int ours_flush_addresses(struct nlreq *r, const struct in6_addr *except);
int ours_flush_proxies(struct nlreq *r, bool (*keep)(void *arg, const struct in6_addr *dst, uint8_t plen, int ifindex),
	void *arg);

#endif
