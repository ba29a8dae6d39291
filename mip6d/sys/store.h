/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bindings on disk.  An append-only file of records of fixed length, each
 * with a checksum; what a crash cut off, or somebody damaged, is passed over
 * and said once.  When most records are superseded the file is written anew
 * beside the old one and renamed over it.  Requirement: issue "restart loses
 * nothing"; RFC 6275 10.3.1 for why sequence numbers must survive.
 *
 * Ends of lifetimes are kept in wall-clock time, as nothing else survives a
 * restart; a clock that was set back cannot lengthen a lifetime beyond what
 * remained when it was written.
 */
#ifndef SYS_STORE_H
#define SYS_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "mip6/env.h"

struct store; /* opaque */

/*
 * Open or make the file, lock it (PATH.lock) and read it.  NULL, with the
 * reason and the remedy in err, when it cannot be used, is locked by another
 * daemon, or is no regular file.
 */
struct store *store_open(const char *path, char *err, size_t errlen);
void store_close(struct store *s);

/* The same as in struct ha_ops. */
void store_put(struct store *s, const struct ha_binding_record *r);
void store_del(struct store *s, const struct in6_addr *home_address);
/* Calls fn for each binding whose time is not over; fn may put and delete the one it is given. */
void store_foreach(
	struct store *s, void (*fn)(void *arg, const struct ha_binding_record *r), void *arg);
size_t store_count(const struct store *s); /* expired ones included */

/* The one binding of a mobile node, as in struct mn_ops. */
struct store_mn_record {
	struct in6_addr home_address, home_agent, care_of;
	uint16_t seq;
	uint32_t remaining_s;
};
void store_mn_put(struct store *s, const struct store_mn_record *r);
bool store_mn_get(struct store *s, struct store_mn_record *r);

/*
 * Sequence numbers of Binding Updates between two addresses that share a Kbm:
 * the last one seen by the correspondent (RFC 4449 3: MUST be kept), and the
 * last one that was sent by the mobile node.
 */
/* In the same way the place of a node of a gateway: its internal and home address, 1 outside, 0 inside. */
enum store_sequence { STORE_SEEN, STORE_SENT, STORE_PLACE };
void store_sequence_put(struct store *s, enum store_sequence which, const struct in6_addr *local,
	const struct in6_addr *peer, uint16_t seq);
int store_sequence_get(struct store *s, enum store_sequence which, const struct in6_addr *local,
	const struct in6_addr *peer); /* -1: none */

/*
 * Sequence numbers of an SA with a manual key (doc/ipsec.md), by what the key
 * file calls it.  sync: it is on the disk when this returns, and outlives the
 * machine's end too.  False, after it was logged: it is not.
 */
struct store_sa {
	struct in6_addr src, dst;
	uint32_t spi;
	uint8_t fingerprint[8]; /* of the key */
	uint32_t bound, received;
};
bool store_sa_put(struct store *s, const struct store_sa *sa, bool sync);
/* src, dst and spi are given; false: none. */
bool store_sa_get(struct store *s, struct store_sa *sa);

/* Seconds since 1970; tests replace it.  NULL: the clock. */
void store_set_clock(struct store *s, int64_t (*now)(void *arg), void *arg);

#endif
