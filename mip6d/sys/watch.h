/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens on the interfaces that somebody manages: carrier, addresses,
 * neighbours.  When the kernel had to drop events, everything is asked for
 * again and the differences are told.
 */
#ifndef SYS_WATCH_H
#define SYS_WATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sys_loop;
struct watch; /* opaque */

enum watch_address {
	WATCH_TENTATIVE,
	WATCH_OPTIMISTIC, /* usable, Duplicate Address Detection still runs */
	WATCH_READY,
	WATCH_DUPLICATE,
	WATCH_REMOVED,
};

struct watch_ops {
	/*
	 * The interface is up and has carrier, or not.  Told again without a
	 * "down" between when the carrier was away for so short a time that
	 * the kernel says "up" only, when the link-layer address changed, or
	 * when there is a usable link-local address at last.
	 */
	void (*link)(void *ctx, int ifindex, bool up, const uint8_t *mac, size_t mac_len,
		bool link_local);
	void (*address)(
		void *ctx, int ifindex, const struct in6_addr *addr, enum watch_address state);
	/* Neighbor Unreachability Detection gave up, or got an answer. */
	void (*neighbour)(void *ctx, int ifindex, const struct in6_addr *addr, bool reachable);
};

/*
 * Watch n interfaces.  Nothing is told before watch_start(), which tells how
 * everything is.  ops is copied; its members may be NULL.
 */
struct watch *watch_new(struct sys_loop *loop, const int *ifindex, size_t n,
	const struct watch_ops *ops, void *ctx, int *err);
int watch_start(struct watch *w);
void watch_free(struct watch *w);

/*
 * addr was taken away and given back by ourselves: its removal, which is yet
 * to be read, is no news.
 */
void watch_will_return(struct watch *w, int ifindex, const struct in6_addr *addr);

/*
 * The usable or only link-local address of a watched interface; false when
 * there is none.
 */
bool watch_link_local(const struct watch *w, int ifindex, struct in6_addr *addr);
/* The link-layer address, false when unknown. */
bool watch_mac(const struct watch *w, int ifindex, uint8_t *mac, size_t *len);

#endif
