/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the store. */
#ifndef MIP6D_SYS_STORE_INTERNAL_H
#define MIP6D_SYS_STORE_INTERNAL_H

#include <limits.h>
#include <uthash.h>

#include "lib/log.h"
#include "mip6d/sys/store.h"

#define RECORD_LEN 80
#define CRC_AT 76
#define MAGIC 0x4d364231u /* "M6B1" */
#define BLOCK (RECORD_LEN * 1024)
#define SLACK 4096 /* superseded records that are never worth a new file */
#define FOR_EVER UINT32_MAX

/* A sequence number has the local address in the place of the home address, the peer in that of the care-of address. */
enum kind {
	KIND_PUT = 1,
	KIND_DEL = 2,
	KIND_MN = 3,
	KIND_SEEN = 4,
	KIND_SENT = 5,
	KIND_NETWORK = 6,
	KIND_SA = 7,
	KIND_PLACE = 8
};

struct entry {
	struct in6_addr home_address;
	struct in6_addr care_of, home_agent;
	uint16_t seq, flags;
	uint32_t lifetime_s, remaining_s;
	uint64_t end;
	bool invalid;
	uint16_t n_networks; /* in a record of a network: the length of its prefix */
	size_t n_read; /* of the networks, when loading */
	struct ip6_prefix *networks; /* n_networks, or NULL */
	UT_hash_handle hh;
};

struct sequence_key {
	struct in6_addr local, peer;
	uint32_t kind;
};

struct sequence {
	struct sequence_key key;
	uint16_t seq;
	UT_hash_handle hh;
};

struct sa_key {
	struct in6_addr src, dst;
	uint32_t spi;
};

struct sa {
	struct sa_key key;
	uint8_t fingerprint[8];
	uint32_t bound, received;
	UT_hash_handle hh;
};

struct store {
	char path[PATH_MAX];
	int fd, lock_fd;
	size_t n_records; /* in the file */
	size_t n_networks; /* of all bindings */
	bool broken; /* the last append failed: write the file anew */
	struct entry *entries;
	struct sequence *sequences;
	struct sa *sas;
	struct entry mn;
	bool has_mn;
	struct log_limit log;
	int64_t (*now)(void *arg);
	void *now_arg;
};

/* ---- store_table.c: what is remembered ---- */

void store_record_build(uint8_t out[RECORD_LEN], enum kind kind, const struct entry *e);
bool store_record_parse(const uint8_t in[RECORD_LEN], uint8_t *kind, struct entry *e);
void store_set_end(struct store *s, struct entry *e, uint32_t remaining_s);
/* What is left, 0 when it is over. */
uint32_t store_remaining(const struct store *s, const struct entry *e);
struct entry *store_find(struct store *s, const struct in6_addr *home_address);
/* Takes over from's networks, also when it fails. */
bool store_remember(struct store *s, const struct entry *from);
void store_forget(struct store *s, const struct in6_addr *home_address);
/* A network belongs to the binding before it. */
void store_network_add(struct store *s, const struct entry *from);
struct sequence *store_sequence_find(
	struct store *s, uint8_t kind, const struct in6_addr *local, const struct in6_addr *peer);
bool store_sequence_remember(struct store *s, uint8_t kind, const struct entry *e);
struct sa *store_sa_find(
	struct store *s, const struct in6_addr *src, const struct in6_addr *dst, uint32_t spi);
struct entry store_entry_of_sa(const struct sa *q);
struct sa *store_sa_remember(struct store *s, const struct entry *e);

/* ---- store_file.c: the file ---- */

void store_complain(struct store *s, const char *what, int err);
/* Write the file anew and put it in place of the old one; the old one stays if that fails. */
void store_compact(struct store *s);
void store_append(struct store *s, enum kind kind, const struct entry *e);
bool store_load(struct store *s);

#endif
