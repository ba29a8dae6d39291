/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there should be compared with the kernel by whoever has a plan of it, told, and mended if wanted. */
#ifndef GLUE_COMPARE_H
#define GLUE_COMPARE_H

#include "ipsec-glue/reconcile.h"

struct ipsec_sender;

struct ipsec_compare {
	/* Whether what nobody wants is ours; NULL: it is not looked for, and only what is wanted is asked for. */
	ipsec_owns_fn *owns;
	void *ctx;
	bool mend;
	void (*tell)(void *arg, const char *text); /* a line for each difference; may be NULL */
	void *arg;
	char why[256]; /* what could not be mended */
};

/* How many differences there are, or were; or a negative errno. */
int ipsec_compare(struct ipsec_sender *s, const struct ipsec_plan *wanted, struct ipsec_compare *c);

/* Carries p out and frees it: 0, or a negative errno with the operation and the reason in why. */
int ipsec_carry_out(struct ipsec_sender *s, struct ipsec_plan *p, char *why, size_t len);

#endif
