/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carries plans out, each as a whole or not at all.
 *
 * Requests go in batches, each is acknowledged.  When one fails, all that
 * were done are undone in reverse order, with those that were in the same
 * batch behind it.  What makes things and what deletes or moves them is never
 * in one batch, so nothing was deleted when something could not be made.
 *
 * What an operation replaces or deletes is asked for in the same batch, right
 * before, so undoing puts it back: templates, keys, limits, counters and
 * replay windows.  Not put back are the kernel's count of failed packets, the
 * index of a policy, and what an SA has received in the moment between; its
 * next sequence number is IPSEC_SEQUENCE_GAP further, as in that moment it
 * may have sent.
 */
#ifndef GLUE_SENDER_H
#define GLUE_SENDER_H

#include "mip6/ipsec.h"

struct ipsec_sender; /* opaque */
struct ipsec_snapshot;

/* NULL with a negative errno. */
struct ipsec_sender *ipsec_sender_open(int *err);
void ipsec_sender_close(struct ipsec_sender *s);

/* Carries IPSEC_PAUSE and IPSEC_RESUME out: 0 or a negative errno. */
typedef int ipsec_pause_fn(void *ctx, const struct in6_addr *home_address, bool on);
void ipsec_sender_pauses(struct ipsec_sender *s, ipsec_pause_fn *fn, void *ctx);

struct ipsec_failure {
	size_t op; /* of the plan */
	int error;
	char why[200];
};
/* 0 or a negative errno, with f filled in.  Policies are looked up by hash from the first one on. */
int ipsec_sender_do(struct ipsec_sender *s, const struct ipsec_plan *p, struct ipsec_failure *f);

/* One SA, -ESRCH: there is none. */
int ipsec_sender_sa(struct ipsec_sender *s, const struct in6_addr *dst, uint32_t spi, struct ipsec_sa_info *out);
/* Every SA of ESP; one may come twice.  fn returns 0, or a negative errno that ends it. */
typedef int ipsec_walk_fn(void *arg, const struct ipsec_sa_info *info);
int ipsec_sender_walk(struct ipsec_sender *s, ipsec_walk_fn *fn, void *arg);
/* Everything there is; free it in any case. */
int ipsec_sender_snapshot(struct ipsec_sender *s, struct ipsec_snapshot *there);

/* What there is of the objects that wanted (SA_ADD, POLICY_SET, RO_SET) names; free it in any case. */
int ipsec_sender_look(struct ipsec_sender *s, const struct ipsec_plan *wanted, struct ipsec_snapshot *there);

/* By this the kernel's notifications name what this sender did. */
uint32_t ipsec_sender_port(const struct ipsec_sender *s);

#endif
