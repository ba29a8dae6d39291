/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Revocation at the home agent (RFC 5846 6.1.1, 6.2.2, 6.3, 7).
 *
 *            ha_revoke()                acknowledged, or no answer
 *   active -------------> in progress ----------------------------> invalid
 *     ^                        |
 *     +--- Binding Update -----+   unless the reason is administrative: refused with 129
 *
 * While it is in progress the binding serves the node as before (7).  Then it
 * is kept invalid for a while, as after a de-registration, so that an older
 * Binding Update that was delayed cannot bring it back.  Whatever status the
 * acknowledgement has, the home agent's will is done (6.2.2: local policy).
 */
#include <errno.h>
#include <stdlib.h>

#include "mip6d/proto/ha_internal.h"

#define MAX_REVOCATIONS 10000 /* in progress at once: far from 65536 sequence numbers */

struct ha_revocation {
	struct ha_binding *binding;
	struct timer timer;
	uint8_t trigger;
	uint16_t seq;
	unsigned retries;
	int64_t timeout_ms;
};

static void finish(struct ha *ha, struct ha_binding *b, const char *how)
{
	struct ha_request r = {.care_of = b->care_of, .answer = {.seq = b->seq}};

	ha_signal_event(ha, b, EV_REVOCATION_ANSWERED, b->revocation->seq, how);
	ha_change_state(ha, b, BINDING_INVALID, &r, "revoked");
}

static void transmit(struct ha *ha, struct ha_revocation *v)
{
	struct ha_binding *b = v->binding;
	struct mh_message m = {.type = MH_REVOCATION};

	m.u.revocation.br_type = BR_INDICATION;
	m.u.revocation.trigger_or_status = v->trigger;
	m.u.revocation.seq = v->seq;
	ha->stats.revocations_sent++;
	ha_send_signal(ha, &b->node.addr, &b->care_of, &m);
	ha_signal_event(ha, b, EV_REVOCATION_SENT, v->seq, br_trigger_name(v->trigger));
	timer_start(ha->env->timers, &v->timer, mono_add_ms(ha_now(ha), v->timeout_ms));
}

/* 6.3: the same message again, after a time that doubles up to MAX_BRACK_TIMEOUT. */
static void timeout(struct timer *t, void *arg)
{
	struct ha_revocation *v = arg;
	struct ha *ha = v->binding->ha;

	(void)t;
	if (v->retries >= ha->config.revocation.retries) {
		ha->stats.revocations_unanswered++;
		finish(ha, v->binding, "no answer");
		return;
	}
	v->retries++;
	v->timeout_ms *= 2;
	if (v->timeout_ms > ha->config.revocation.max_timeout_ms)
		v->timeout_ms = ha->config.revocation.max_timeout_ms;
	transmit(ha, v);
}

/* No two in progress have the same number, as there are always fewer than numbers. */
static uint16_t next_sequence(struct ha *ha)
{
	if (!ha->revocation_numbered)
		ha->env->random(ha->env->ctx, &ha->revocation_seq, sizeof(ha->revocation_seq));
	ha->revocation_numbered = true;
	return ++ha->revocation_seq;
}

int ha_revoke(struct ha *ha, const struct in6_addr *home_address, uint8_t trigger)
{
	struct ha_binding *b = ha_binding_find(ha, home_address);
	struct ha_revocation *v;

	if (!b || !ha_binding_is_alive(b) || ha->withdrawn)
		return -ENOENT;
	if (b->revocation)
		return -EALREADY;
	if (ha->n_revocations >= MAX_REVOCATIONS)
		return -EBUSY;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->binding = b;
	v->trigger = trigger;
	v->seq = next_sequence(ha);
	v->timeout_ms = ha->config.revocation.timeout_ms;
	timer_init(&v->timer, timeout, v);
	b->revocation = v;
	ha->n_revocations++;
	transmit(ha, v);
	if (!timer_running(&v->timer)) { /* out of memory: it would never end */
		ha_revocation_end(ha, b);
		return -ENOMEM;
	}
	return 0;
}

void ha_revocation_end(struct ha *ha, struct ha_binding *b)
{
	if (!b->revocation)
		return;
	timer_stop(ha->env->timers, &b->revocation->timer);
	free(b->revocation);
	b->revocation = NULL;
	ha->n_revocations--;
}

bool ha_revocation_bars(const struct ha_binding *b)
{
	return b->revocation && b->revocation->trigger == BR_T_ADMINISTRATIVE;
}

void ha_revocation_answer(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m)
{
	struct ha_binding *b = ha_binding_find(ha, &p->src);

	if (m->u.revocation.br_type != BR_ACKNOWLEDGEMENT || !b || !b->revocation ||
		b->revocation->seq != m->u.revocation.seq) {
		ha->stats.signals_ignored++; /* 6.2.2: silently */
		return;
	}
	ha->stats.revocations_answered++;
	finish(ha, b, br_status_name(m->u.revocation.trigger_or_status));
}

void ha_revocation_unknown(struct ha *ha, struct ha_binding *b)
{
	if (b->revocation)
		finish(ha, b, "not understood");
}
