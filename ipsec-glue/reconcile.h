/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there should be compared with what there is in the kernel.  Pure, and
 * linear in the number of objects.
 */
#ifndef GLUE_RECONCILE_H
#define GLUE_RECONCILE_H

#include "ipsec-glue/snapshot.h"
#include "mip6/ipsec.h"

enum ipsec_difference { IPSEC_IS_MISSING, IPSEC_IS_DIFFERENT, IPSEC_IS_SURPLUS };

/*
 * Is this object, which nobody wants, ours to delete?  It comes as the
 * operation that would delete it, with all that is known of it.
 */
typedef bool ipsec_owns_fn(void *ctx, const struct ipsec_op *surplus);
/* A difference, as the operation that mends it. */
typedef void ipsec_difference_fn(void *ctx, enum ipsec_difference d, const struct ipsec_op *op);

/*
 * wanted has SA_ADD, POLICY_SET and RO_SET (others are skipped; of two for
 * the same object the last one counts).  owns and tell may be NULL.  What
 * has to be done is appended to mend, so that nothing is open meanwhile: SAs
 * are added first, then states, policies that protect, policies that let
 * pass; what is surplus goes last, what lets pass first.  An SA that is made
 * anew sends on behind what it had sent, and takes nothing a second time.
 *
 * How many differences there are, or -ENOMEM.
 */
int ipsec_reconcile(const struct ipsec_plan *wanted, const struct ipsec_snapshot *there,
	ipsec_owns_fn *owns, void *ctx, struct ipsec_plan *mend, ipsec_difference_fn *tell, void *tell_ctx);

/* Policies of protected nodes have these (marks.h). */
bool ipsec_priority_of_nodes(uint32_t priority);

/* One line: "policy out 2001:db8::1/128 -> ::/0 proto 135, priority 900". */
void ipsec_op_text(const struct ipsec_op *op, char *text, size_t len);
/* The same, and "is missing", "differs" or "is left over". */
void ipsec_difference_text(
	enum ipsec_difference d, const struct ipsec_op *op, char *text, size_t len);

#endif
