/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/compare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipsec-glue/sender.h"

int ipsec_carry_out(struct ipsec_sender *s, struct ipsec_plan *p, char *why, size_t len)
{
	struct ipsec_failure f = {0};
	int err = p->no_memory ? -ENOMEM : ipsec_sender_do(s, p, &f);

	if (err)
		snprintf(why, len, "%s: %s",
			p->n > f.op ? ipsec_op_name(p->ops[f.op].type) : "plan",
			f.why[0] ? f.why : strerror(-err));
	ipsec_plan_free(p);
	return err;
}

static void tell(void *ctx, enum ipsec_difference d, const struct ipsec_op *op)
{
	const struct ipsec_compare *c = ctx;
	char text[200];

	ipsec_difference_text(d, op, text, sizeof(text));
	if (c->tell)
		c->tell(c->arg, text);
}

int ipsec_compare(struct ipsec_sender *s, const struct ipsec_plan *wanted, struct ipsec_compare *c)
{
	struct ipsec_snapshot there = {0};
	struct ipsec_plan mend = {0};
	int n = wanted->no_memory ? -ENOMEM
		: c->owns         ? ipsec_sender_snapshot(s, &there)
				  : ipsec_sender_look(s, wanted, &there),
	    err = 0;

	if (!n)
		n = ipsec_reconcile(wanted, &there, c->owns, c->ctx, &mend, tell, c);
	ipsec_snapshot_free(&there);
	if (n > 0 && c->mend)
		err = ipsec_carry_out(s, &mend, c->why, sizeof(c->why));
	ipsec_plan_free(&mend);
	return err ? err : n;
}
