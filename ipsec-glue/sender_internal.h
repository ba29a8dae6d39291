/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between sender.c (batches) and sender_undo.c (undoing, sequence numbers). */
#ifndef GLUE_SENDER_INTERNAL_H
#define GLUE_SENDER_INTERNAL_H

#include "ipsec-glue/build.h"
#include "ipsec-glue/sender.h"

struct nlreq;
struct nlmsghdr;

struct sender_stopped; /* an SA between STOP and SKIP */

struct ipsec_sender {
	struct nlreq *x;
	ipsec_pause_fn *pause;
	void *ctx;
	bool hashed; /* how policies are looked up has been settled */
	struct sender_stopped *stopped;
};

/* What became of an operation. */
struct done {
	bool done;
	struct nlmsghdr *was; /* what it replaced; NULL: nothing */
};

struct run {
	struct ipsec_sender *sender;
	const struct ipsec_plan *plan;
	struct ipsec_failure *failure;
	struct done *done; /* one for each operation */
	int error;
};

/* In reverse order; what cannot be undone is told in run->failure->why. */
void sender_undo(struct run *run);

/* -ESRCH: there is no such SA. */
int sender_stop(struct ipsec_sender *s, const struct ipsec_sa *sa);
int sender_skip(struct ipsec_sender *s, const struct ipsec_sa *sa);
void sender_forget_stopped(struct ipsec_sender *s);

/* Nobody has said yet how policies are looked up. */
bool sender_hash_is_default(struct ipsec_sender *s);

#endif
