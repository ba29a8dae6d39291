/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nftables.  Tables, chains and rules are text for libnftables, loaded once.
 * Set elements change with every move of a node, and libnftables reads the
 * whole set before each change; they go to the kernel as netlink messages of
 * our own, whose cost does not depend on the size of the set.
 */
#ifndef SYS_NFT_H
#define SYS_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/nft_load.h"

struct nlreq; /* of NETLINK_NETFILTER */
struct nl_msg;

/* A table as text for common/nft_load.h, put together in a buffer of its user's. */
struct nft_text {
	char *at;
	size_t left;
	bool whole; /* true at the beginning; false: something did not fit, and is missing */
};
__attribute__((format(printf, 2, 3))) void nft_put(struct nft_text *t, const char *fmt, ...);

#define NFT_KEY_MAX 32

struct nft_change {
	const char *table; /* NULL: mip6d */
	const char *set;
	bool add; /* else delete */
	uint32_t timeout_s; /* of what is added, in a set with timeouts; 0: that of the set */
	uint8_t key[NFT_KEY_MAX];
};
/*
 * Apply n changes to sets in their order, as one transaction:
 * all or none.  Adding what is there is no error, deleting what is not is
 * -ENOENT.
 */
int nft_elements(struct nlreq *r, size_t key_len, const struct nft_change *c, size_t n);
/* One message of such a transaction: c[0..n) all add or all delete, in the same set. */
struct nl_msg *nft_elements_msg(size_t key_len, const struct nft_change *c, size_t n);

/* Call fn for each key of a set; -ENOENT when there is no such set. */
int nft_dump(struct nlreq *r, const char *set, size_t key_len,
	int (*fn)(void *arg, const uint8_t *key), void *arg);

#endif
