/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VCM's memory: an LMDB environment with the databases contexts, sessions
 * and meta (vcmd_record.h).  Puts are collected in one transaction until
 * vcmd_store_commit(); a process that is killed leaves what was committed
 * last.  Requirement V7.
 */
#ifndef VCMD_STORE_H
#define VCMD_STORE_H

#include "vcm/vcmd_record.h"

struct vcmd_store; /* opaque */

/*
 * Open the folder path, make it if only it is missing.  A process of its own
 * reads all of it first: what a damaged file does to LMDB, it does there.
 * seal must live as long.  NULL with err filled: what is wrong and the remedy.
 */
struct vcmd_store *vcmd_store_open(
	const char *path, uint32_t mib, const struct vcmd_seal *seal, char *err, size_t errlen);
void vcmd_store_close(struct vcmd_store *s); /* what was not committed is gone */

/* Everything, contexts first; records are valid during the call only.  False with err filled. */
bool vcmd_store_load(struct vcmd_store *s,
	int (*context)(void *arg, const struct vcm_context_record *r),
	int (*session)(void *arg, const struct vcm_session_record *r), void *arg, char *err,
	size_t errlen);

/* 0 or a negative errno: -ENOSPC when the store is full. */
int vcmd_store_context_put(struct vcmd_store *s, const struct vcm_context_record *r);
int vcmd_store_context_del(struct vcmd_store *s, const struct in6_addr *internal);
int vcmd_store_session_put(struct vcmd_store *s, const struct vcm_session_record *r);
int vcmd_store_session_del(struct vcmd_store *s, uint64_t id);
/* By src, dst and spi.  False: there is none, or it cannot be read. */
bool vcmd_store_sequence_get(struct vcmd_store *s, struct vcmd_sequence *q);
int vcmd_store_sequence_put(struct vcmd_store *s, const struct vcmd_sequence *q);
/* On disk when it returns 0; nothing to do is fine. */
int vcmd_store_commit(struct vcmd_store *s);
/* After an error, when nothing more is taken: what was committed is there.  False with err filled: it still cannot be written. */
bool vcmd_store_recover(struct vcmd_store *s, char *err, size_t errlen);

struct vcmd_store_stats {
	uint64_t puts, deletions, commits;
	uint64_t octets, octets_most; /* of the file, and what it may grow to */
};
void vcmd_store_stats(const struct vcmd_store *s, struct vcmd_store_stats *st);

#endif
