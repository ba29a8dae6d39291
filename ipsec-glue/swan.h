/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAs that strongSwan makes, over its control socket (vici).
 *
 * Who we are, our keys and what is proposed stand in strongSwan's own
 * configuration (swanctl.conf, examples/swanctl-*.conf); ours only refers to
 * connections and children by name.  Here it is seen that these exist and fit,
 * that there are SAs when they are needed, and which ones are in use.  Other
 * connections of the same strongSwan are not looked at.
 *
 * strongSwan may start first or last, end and come back: each time the socket
 * is there again everything is compared.  What it tells cannot do harm beyond
 * the children we named: sizes and numbers are bounded (ipsec-glue/vici.h).
 *
 * doc/ipsec.md, strongSwan.  RFC 4877 3, 7; requirements M6, T1.
 */
#ifndef GLUE_SWAN_H
#define GLUE_SWAN_H

#include "lib/timer.h"
#include "mip6/ipsec.h"

#define SWAN_NAME_MAX 64 /* octets of a name, with the final zero */

struct swan; /* opaque */

/* One child: what we refer to, and what it has to be. */
struct swan_ref {
	struct in6_addr home_address, home_agent;
	enum ipsec_use use;
	bool at_home_agent;
	enum ipsec_arrangement arrangement;
	uint32_t reqid; /* of the policies: the child's reqid has to be the same */
	char connection[SWAN_NAME_MAX], child[SWAN_NAME_MAX];
};

/* The SAs of a child that are in use from now on; spi_out 0: there are none. */
struct swan_child {
	const struct swan_ref *ref;
	uint32_t spi_in, spi_out;
	struct in6_addr local,
		remote; /* where they end; of a transport mode child home address and home agent */
};

/* fd and child must be there; NULL: nobody asks.  They may call all but swan_forget(), swan_read() and swan_close(). */
struct swan_ops {
	/* Call swan_read() whenever fd can be read (watch), or no longer do: it is about to be closed. */
	void (*fd)(void *ctx, int fd, bool watch);
	void (*child)(void *ctx, const struct swan_child *c);
	/*
	 * strongSwan has forgotten these SAs, or deleted them where it had
	 * made them, which after a move is not where they are; or it died,
	 * and a new one has made others.  Whatever of them is still in the
	 * kernel may go.
	 */
	void (*stale)(void *ctx, const struct swan_ref *ref, uint32_t spi_in, uint32_t spi_out);
	/* What an operator has to know, with what is wrong and what would be right; ref may be NULL. */
	void (*complaint)(void *ctx, const struct swan_ref *ref, const char *text);
	/* The socket came, and all SAs have been told; or it went. */
	void (*connected)(void *ctx, bool up);
};

/* NULL when out of memory.  Connects from the timer queue; path is copied. */
struct swan *swan_open(const char *path, struct timerq *timers, monotime_t (*now)(void *now_ctx),
	void *now_ctx, const struct swan_ops *ops, void *ctx);
/* SAs stay. */
void swan_close(struct swan *s);
void swan_read(struct swan *s);

/*
 * Watch a child from now on.  -EEXIST: this use of this node, or this child,
 * is watched already.
 */
int swan_watch(struct swan *s, const struct swan_ref *ref);
/* SAs stay; see swan_leave(). */
void swan_forget(struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use);

/*
 * There shall be SAs: initiated now if there are none, and again whenever
 * they are lost; or not any more.  The side that knows its peer's address
 * calls it, that is the mobile node.  -ENOENT: not watched.
 */
int swan_need(struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, enum ipsec_use use, bool needed);
/*
 * Mobile node: it needs nothing of this home agent any more.  The IKE_SAs of
 * its connections end, at the peer too, and all their SAs with them.
 * -ENOENT: there was nothing needed.
 */
int swan_leave(struct swan *s, const struct in6_addr *home_address, const struct in6_addr *home_agent);
/*
 * The same for one use of all home agents, as far as the other does not have
 * the same connection (IPSEC_DATA), or of all that is left (IPSEC_SIGNAL).  A
 * peer that does not answer is given SWAN_END_MS, then the SAs go without it.
 * It takes until swan_ending() is false; if strongSwan does not answer, for ever.
 */
#define SWAN_END_MS 2000
void swan_end(struct swan *s, enum ipsec_use use);
bool swan_ending(const struct swan *s);

/*
 * Mobile node: IKE about signalling has this address from now on.  Call it
 * when the kernel has been told (IPSEC_MIGRATE with tell, route to the home
 * agent): what was being set up from another address begins anew, and an
 * IKE_SA that did not follow within a few seconds is made again.
 */
int swan_source(struct swan *s, const struct in6_addr *home_address,
	const struct in6_addr *home_agent, const struct in6_addr *care_of);

struct swan_stats {
	bool connected;
	size_t watched, up;
	uint64_t initiated, rekeyed, lost, complaints;
};
void swan_stats(const struct swan *s, struct swan_stats *stats);

#endif
