/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is in the kernel: its answers and notifications as objects of
 * include/mip6/ipsec.h.  Reading is pure and takes anything; keys are not
 * read.
 */
#ifndef GLUE_SNAPSHOT_H
#define GLUE_SNAPSHOT_H

#include "mip6/ipsec.h"

struct nlmsghdr;
struct nlreq;

/* false: not such an object, malformed, or one that these types cannot hold. */
bool ipsec_sa_read(const struct nlmsghdr *h, struct ipsec_sa_info *sa); /* ESP */
bool ipsec_ro_read(const struct nlmsghdr *h, struct ipsec_ro *ro);
bool ipsec_policy_read(const struct nlmsghdr *h, struct ipsec_policy *p);
/* A selector in the kernel's form (struct xfrm_selector). */
bool ipsec_selector_read(const void *xfrm_selector, struct ipsec_selector *s);

struct ipsec_snapshot {
	size_t n_sas, n_ros, n_policies;
	size_t cap_sas, cap_ros, cap_policies;
	struct ipsec_sa_info *sas;
	struct ipsec_ro *ros;
	struct ipsec_policy *policies;
};

/* Ask for everything.  0 or a negative errno; free it in any case. */
int ipsec_snapshot_take(struct ipsec_snapshot *s, struct nlreq *xfrm);
/* Add what one message tells, if anything: 0 or -ENOMEM. */
int ipsec_snapshot_add(struct ipsec_snapshot *s, const struct nlmsghdr *h);
void ipsec_snapshot_free(struct ipsec_snapshot *s);

#endif
