/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts and sessions out of the store.  A record that cannot be right is
 * refused: nothing here relies on who wrote it.
 */
#include <errno.h>
#include <string.h>

#include "lib/addr.h"
#include "vcm/manager_internal.h"

int vcm_manager_restore_context(struct vcm_manager *m, const struct vcm_context_record *r)
{
	struct context *c;

	if (!in6_is_routable_unicast(&r->internal))
		return -EINVAL;
	if (context_find(m, &r->internal))
		return -EEXIST;
	c = context_new(m, &r->internal);
	if (!c)
		return m->contexts.n >= m->config.max_contexts ? -ENOSPC : -ENOMEM;
	c->home = r->home;
	c->outside = r->outside;
	c->revoked = r->revoked;
	c->epoch = r->epoch;
	for (size_t i = 0; i < r->n_correspondents; i++)
		(void)context_remember(c, &r->correspondents[i]);
	return 0;
}

/* ---- sessions ---- */

static bool has_keys(const struct vcm_session_secrets *x)
{
	const struct rr_shared *k = &x->kcn;

	return x->key_len && x->key_len <= VCM_KEY_MAX && k->kcn_len <= sizeof(k->kcn) &&
	       k->home_nonce_len <= sizeof(k->home_nonce) &&
	       k->care_of_nonce_len <= sizeof(k->care_of_nonce);
}

static bool is_sound(const struct vcm_session_record *r)
{
	if (!r->id || r->id >> ID_BITS || !r->generation || !r->lifetime_s ||
		!memchr(r->algorithm, '\0', sizeof(r->algorithm)))
		return false;
	if (memcmp(&r->a, &r->b, sizeof(r->a)) >= 0)
		return false;
	switch (r->state) {
	case VCM_S_INVITED:
		return r->variant == VCM_ASYMMETRIC && has_keys(&r->secrets);
	case VCM_S_OFFERED:
	case VCM_S_REKEYING:
		return has_keys(&r->secrets);
	case VCM_S_DIRECT:
		return r->ready_a && r->ready_b;
	case VCM_S_ENDING:
		return true;
	}
	return false;
}

/* How long before or after now; a clock that was set makes it no longer than the lifetime. */
static int64_t ms_from_now(uint64_t when, uint64_t now, uint32_t most_s)
{
	uint64_t distance = when > now ? when - now : now - when;
	int64_t ms = (int64_t)(distance < most_s ? distance : most_s) * 1000;

	return when > now ? ms : -ms;
}

static void restore_times(struct session *s, const struct vcm_session_record *r)
{
	struct vcm_manager *m = s->pair->m;
	uint64_t wall = m->ops->wall(m->ctx);
	monotime_t now = manager_now(m);

	s->offered_at = r->offered_at;
	s->ends_at = r->ends_at;
	s->ends = mono_add_ms(now, ms_from_now(r->ends_at, wall, r->lifetime_s));
	s->offered = mono_add_s(s->ends, -(int64_t)r->lifetime_s);
	if (r->state == VCM_S_DIRECT)
		s->direct = s->offered;
}

static int restore_secrets(struct session *s, const struct vcm_session_record *r)
{
	if (r->state == VCM_S_DIRECT || r->state == VCM_S_ENDING)
		return 0;
	s->secrets = manager_session_secrets_new();
	if (!s->secrets)
		return -ENOMEM;
	*s->secrets = r->secrets;
	return 0;
}

static int restore(struct pair *p, const struct vcm_session_record *r)
{
	struct session *s = manager_session_new(p, r->id);

	if (!s)
		return -ENOMEM;
	s->generation = r->generation;
	s->state = r->state;
	s->variant = r->variant;
	s->reason = VCM_PEER; /* of one that was ending: which one it was is in the audit log */
	memcpy(s->algorithm, r->algorithm, sizeof(s->algorithm));
	s->lifetime_s = r->lifetime_s;
	s->linger_s = r->linger_s;
	s->sides[0] = (struct side){.spi = r->spi_a, .ready = r->ready_a, .active = r->active_a};
	s->sides[1] = (struct side){.spi = r->spi_b, .ready = r->ready_b, .active = r->active_b};
	restore_times(s, r);
	if (restore_secrets(s, r)) {
		manager_session_free(s);
		return -ENOMEM;
	}
	manager_session_resume(s);
	return 0;
}

int vcm_manager_restore_session(struct vcm_manager *m, const struct vcm_session_record *r)
{
	struct context *a = context_find(m, &r->a), *b = context_find(m, &r->b);
	struct pair *p;
	int err;

	if (!is_sound(r) || !a || !b)
		return -EINVAL;
	if (manager_session_find(m, r->id))
		return -EEXIST;
	p = pair_get(m, a, b);
	if (!p)
		return -ENOSPC;
	if (p->session)
		return -EEXIST;
	err = restore(p, r);
	if (err)
		pair_free(p);
	return err;
}
