/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pairs that share data for a Kbm (RFC 4449).  Return routability is not good
 * enough for them any more (section 4: no bidding down), and the last sequence
 * number outlives the binding and the process (section 3).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/proto/cn_internal.h"

#define LEAST_KCN 20 /* section 3 */

struct cn_shared *cn_shared_find(
	const struct cn *cn, const struct in6_addr *local, const struct in6_addr *home)
{
	struct addr_node *n = addr_table_find(&cn->shared, home);

	for (; n; n = addr_table_find_next(n)) {
		struct cn_shared *s = ADDR_OBJECT(n, struct cn_shared, node);

		if (in6_equal(&s->local, local))
			return s;
	}
	return NULL;
}

/* Section 4: "MUST ensure that every mobile node uses a different value of Kcn" */
static bool is_taken(const struct cn *cn, const struct in6_addr *home, const struct rr_shared *data)
{
	struct addr_node *n = NULL;

	while ((n = addr_table_walk(&cn->shared, n))) {
		const struct cn_shared *s = ADDR_OBJECT(n, struct cn_shared, node);

		if (!in6_equal(&n->addr, home) && s->data.kcn_len == data->kcn_len &&
			rr_same(s->data.kcn, data->kcn, data->kcn_len))
			return true;
	}
	return false;
}

static void drop(struct cn *cn, struct cn_shared *s)
{
	addr_table_del(&cn->shared, &s->node);
	rr_wipe(s, sizeof(*s));
	free(s);
}

static bool is_valid(const struct rr_shared *s)
{
	return s->kcn_len >= LEAST_KCN && s->kcn_len <= RR_MAX_SECRET && s->home_nonce_len &&
	       s->home_nonce_len <= RR_MAX_SECRET && s->care_of_nonce_len &&
	       s->care_of_nonce_len <= RR_MAX_SECRET;
}

static bool still_authorized(
	const struct cn_binding *b, const struct cn_shared *s, const struct rr_shared *data)
{
	/* Return routability is refused while there is an s; a new s has no data yet. */
	return data ? rr_shared_same(&s->data, data) : !b->shared;
}

int cn_shared_set(struct cn *cn, const struct in6_addr *local, const struct in6_addr *home,
	const struct rr_shared *data, int seq)
{
	struct cn_shared *s = cn_shared_find(cn, local, home);
	struct cn_binding *b = cn_binding_find(cn, local, home);

	if (data && (!is_valid(data) || seq > UINT16_MAX))
		return -EINVAL;
	if (data && is_taken(cn, home, data))
		return -EEXIST;
	if (data && !s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->node.addr = *home;
		s->local = *local;
		addr_table_add(&cn->shared, &s->node);
	}
	/* What authorized the binding counts no more. */
	if (b && b->state == CN_ACTIVE && !still_authorized(b, s, data))
		cn_change_state(cn, b, CN_FORGOTTEN, NULL, 0, "authorized in another way now");
	if (!data) {
		if (s)
			drop(cn, s);
		return 0;
	}
	/* The same data again: what was seen with them stays seen. */
	if (seq >= 0 || !rr_shared_same(&s->data, data))
		s->seq = seq < 0 ? -1 : seq;
	s->data = *data;
	s->closed = false;
	return 0;
}

void cn_shared_close(struct cn *cn, const struct in6_addr *local, const struct in6_addr *home)
{
	struct cn_shared *s = cn_shared_find(cn, local, home);
	struct cn_binding *b = cn_binding_find(cn, local, home);

	if (!s)
		return;
	s->closed = true;
	if (b && b->state == CN_ACTIVE && b->shared)
		cn_change_state(cn, b, CN_FORGOTTEN, NULL, 0, "what it was for has ended");
}

void cn_shared_note(struct cn *cn, struct cn_shared *s, uint16_t seq)
{
	if (s->seq > seq) /* section 4 */
		log_warning("correspondent: the sequence numbers of %s have rolled over; a new Kcn "
			    "should be configured",
			in6_str(&s->node.addr));
	s->seq = seq;
	if (cn->store.sequence_put)
		cn->store.sequence_put(cn->store.ctx, &s->local, &s->node.addr, seq);
}

void cn_shared_free_all(struct cn *cn)
{
	struct addr_node *n, *next;

	for (n = addr_table_walk(&cn->shared, NULL); n; n = next) {
		next = addr_table_walk(&cn->shared, n);
		drop(cn, ADDR_OBJECT(n, struct cn_shared, node));
	}
}
