/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between sessions.c (what is done) and sessions_look.c (what there is: comparison, events, what was left). */
#ifndef GLUE_SESSIONS_INTERNAL_H
#define GLUE_SESSIONS_INTERNAL_H

#include "ipsec-glue/plan.h"
#include "ipsec-glue/sessions.h"

struct ipsec_sa_info;

/* By their reqids whoever comes after a killed daemon finds the SAs. */
#define REQID_IN 0x73650000u
#define REQIDS 0x10000u

struct entry { /* one SA */
	struct entry *next;
	bool out, unused; /* unused: without its policy */
	uint32_t spi, reqid;
	struct in6_addr peer, inner_local, inner_peer;
};

struct ipsec_sessions {
	struct in6_addr local;
	uint32_t replay_window;
	const struct ipsec_sessions_ops *ops;
	void *ctx;
	struct ipsec_sender *sender;
	struct ipsec_kernel_events *events;
	struct entry *entries;
	uint32_t reqids; /* handed out */
	bool compare, left; /* left: what receives of a predecessor may be there */
	bool guarded, inside;
	struct ipsec_session_guard guard;
	char why[256];
};

/* peer NULL: any */
struct entry *sessions_find(
	const struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool out);
void sessions_forget(struct ipsec_sessions *x, struct entry *e);
int sessions_carry_out(struct ipsec_sessions *x, struct ipsec_plan *p);
void sessions_plan_policies(
	const struct ipsec_sessions *x, const struct entry *e, struct ipsec_plan *p);
/* -ESRCH: somebody has deleted it. */
int sessions_look(struct ipsec_sessions *x, const struct entry *e, struct ipsec_sa_info *info);
/* What sends; all: also what receives. */
int sessions_remove_left(struct ipsec_sessions *x, bool all);
/* What receives of a predecessor, as x->inside says. */
int sessions_set_left(struct ipsec_sessions *x);

#endif
