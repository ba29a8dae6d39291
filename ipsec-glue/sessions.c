/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/sessions_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/compare.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/sender.h"

/*
 * With 64 bit sequence numbers nothing comes to an end soon; a key is not
 * used for more packets than 32 bits count, whatever the cipher.
 */
#define HARD_PACKETS 0xffffffffu
#define SOFT_PACKETS 0xc0000000u

/* ---- algorithms ---- */

static const struct ipsec_algorithm *usable(const char *name)
{
	const struct ipsec_algorithm *a = ipsec_algorithm_find(name);

	return a && !a->weak ? a : NULL;
}

size_t ipsec_sessions_key_len(const char *algorithm)
{
	const struct ipsec_algorithm *a = usable(algorithm);

	return a ? ipsec_algorithm_key_len(a) : 0;
}

bool ipsec_sessions_may_share(const char *algorithm)
{
	const struct ipsec_algorithm *a = usable(algorithm);

	return a && !a->aead;
}

/* ---- what there is ---- */

struct entry *sessions_find(
	const struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool out)
{
	struct entry *e = x->entries;

	while (e && (e->spi != spi || e->out != out || (peer && !in6_equal(&e->peer, peer))))
		e = e->next;
	return e;
}

/* Another SA of this pair of inner addresses, in this direction. */
static struct entry *other(const struct ipsec_sessions *x, const struct entry *than)
{
	struct entry *e = x->entries;

	while (e &&
		(e == than || e->out != than->out || !in6_equal(&e->inner_peer, &than->inner_peer)))
		e = e->next;
	return e;
}

void sessions_forget(struct ipsec_sessions *x, struct entry *e)
{
	struct entry **at = &x->entries;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	free(e);
}

/* ---- plans ---- */

int sessions_carry_out(struct ipsec_sessions *x, struct ipsec_plan *p)
{
	return ipsec_carry_out(x->sender, p, x->why, sizeof(x->why));
}

static struct ipsec_selector between(const struct in6_addr *src, const struct in6_addr *dst)
{
	return (struct ipsec_selector){
		.family = AF_INET6, .type = -1, .src = {*src, 128}, .dst = {*dst, 128}};
}

static struct ipsec_session session_of(const struct ipsec_sessions *x, const struct entry *e)
{
	return (struct ipsec_session){.local = x->local,
		.peer = e->peer,
		.inner = between(&e->inner_local, &e->inner_peer),
		.reqid_out = e->reqid,
		.inside = x->inside};
}

void sessions_plan_policies(
	const struct ipsec_sessions *x, const struct entry *e, struct ipsec_plan *p)
{
	struct ipsec_session s = session_of(x, e);

	if (e->out && !e->unused)
		ipsec_plan_session_out(&s, p);
	else if (!e->out)
		ipsec_plan_session_in(&s, p);
}

static void plan_sa(const struct ipsec_sessions *x, const struct entry *e,
	const struct ipsec_session_sa *s, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_ADD);

	if (!op)
		return;
	op->sa = (struct ipsec_sa){.src = e->out ? x->local : e->peer,
		.dst = e->out ? e->peer : x->local,
		.spi = e->spi,
		.reqid = e->reqid,
		.mode = IPSEC_TUNNEL,
		.algorithm = usable(s->algorithm),
		.replay_window = e->out ? 0 : x->replay_window,
		.esn = true,
		.has_sel = !e->out,
		.sel = between(&e->inner_peer, &e->inner_local),
		.hard_s = s->hard_s,
		.soft_packets = SOFT_PACKETS,
		.hard_packets = HARD_PACKETS};
	op->sa.key.len = s->key_len;
	memcpy(op->sa.key.octets, s->key, s->key_len);
}

static void plan_sa_del(const struct ipsec_sessions *x, const struct entry *e, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_SA_DEL);

	if (!op)
		return;
	op->sa.spi = e->spi;
	op->sa.src = e->out ? x->local : e->peer;
	op->sa.dst = e->out ? e->peer : x->local;
}

/* ---- adding ---- */

static struct entry *new_entry(struct ipsec_sessions *x, const struct ipsec_session_sa *s, bool out)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->out = out;
	e->spi = s->spi;
	e->reqid = out ? REQID_IN + 1 + x->reqids++ % (REQIDS - 1) : REQID_IN;
	e->peer = s->peer;
	e->inner_local = s->inner_local;
	e->inner_peer = s->inner_peer;
	return e;
}

static bool good_key(const struct ipsec_session_sa *s)
{
	size_t len = ipsec_sessions_key_len(s->algorithm);

	return len && len == s->key_len && len <= IPSEC_KEY_MAX;
}

static int add(struct ipsec_sessions *x, const struct ipsec_session_sa *s, bool out)
{
	struct ipsec_plan p = {0};
	struct entry *e, *before = NULL;
	int err;

	if (!good_key(s))
		return -EINVAL;
	e = new_entry(x, s, out);
	if (!e)
		return -ENOMEM;
	plan_sa(x, e, s, &p);
	sessions_plan_policies(x, e, &p);
	if (out && (before = other(x, e)))
		plan_sa_del(x, before, &p);
	err = sessions_carry_out(x, &p);
	if (err) {
		free(e);
		return err;
	}
	if (before)
		sessions_forget(x, before);
	e->next = x->entries;
	x->entries = e;
	return 0;
}

int ipsec_sessions_in(struct ipsec_sessions *x, const struct ipsec_session_sa *s)
{
	return sessions_find(x, NULL, s->spi, false) ? -EEXIST : add(x, s, false);
}

int ipsec_sessions_out(struct ipsec_sessions *x, const struct ipsec_session_sa *s)
{
	return add(x, s, true);
}

int ipsec_sessions_use(
	struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool use)
{
	struct entry *e = sessions_find(x, peer, spi, true);
	struct ipsec_plan p = {0};
	struct ipsec_session s;
	int err;

	if (!e || e->unused == !use)
		return 0;
	s = session_of(x, e);
	if (use)
		ipsec_plan_session_out(&s, &p);
	else
		ipsec_plan_session_end(&s, false, true, &p);
	err = sessions_carry_out(x, &p);
	if (!err)
		e->unused = !use;
	return err;
}

int ipsec_sessions_inside(struct ipsec_sessions *x, bool inside)
{
	struct ipsec_plan p = {0};
	int err;

	x->inside = inside;
	for (const struct entry *e = x->entries; e; e = e->next)
		if (!e->out)
			sessions_plan_policies(x, e, &p);
	err = sessions_carry_out(x, &p);
	if (!err)
		err = sessions_set_left(x);
	if (err)
		x->inside = false; /* and mended so */
	return err;
}

int ipsec_sessions_guard(struct ipsec_sessions *x, const struct ipsec_session_guard *g, bool on)
{
	struct ipsec_plan p = {0};
	int err;

	ipsec_plan_session_guard(g, on, &p);
	err = sessions_carry_out(x, &p);
	if (err)
		return err;
	x->guarded = on;
	if (on)
		x->guard = *g;
	return 0;
}

/* ---- removing: policies first, as without an SA they would make packets wait for one ---- */

static int del(struct ipsec_sessions *x, struct entry *e)
{
	struct ipsec_session s = session_of(x, e);
	struct ipsec_plan p = {0};
	int err;

	if (!other(x, e))
		ipsec_plan_session_end(&s, !e->out, e->out, &p);
	plan_sa_del(x, e, &p);
	err = sessions_carry_out(x, &p);
	if (!err)
		sessions_forget(x, e);
	return err;
}

int ipsec_sessions_in_del(struct ipsec_sessions *x, uint32_t spi)
{
	struct entry *e = sessions_find(x, NULL, spi, false);

	return e ? del(x, e) : 0;
}

int ipsec_sessions_out_del(struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi)
{
	struct entry *e = sessions_find(x, peer, spi, true);

	return e ? del(x, e) : 0;
}

/* ---- looking ---- */

int sessions_look(struct ipsec_sessions *x, const struct entry *e, struct ipsec_sa_info *info)
{
	int err = ipsec_sender_sa(x->sender, e->out ? &e->peer : &x->local, e->spi, info);

	if (!err && info->sa.reqid != e->reqid)
		err = -ESRCH;
	return err;
}

int64_t ipsec_sessions_packets(
	struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool out)
{
	const struct entry *e = sessions_find(x, peer, spi, out);
	struct ipsec_sa_info info;

	return e && !sessions_look(x, e, &info) ? (int64_t)info.packets : -1;
}

const char *ipsec_sessions_why(const struct ipsec_sessions *x)
{
	return x->why[0] ? x->why : "no SA and no policy was touched";
}

/* ---- start and end ---- */

struct ipsec_sessions *ipsec_sessions_open(const struct in6_addr *local, uint32_t replay_window,
	const struct ipsec_sessions_ops *ops, void *ctx, char *err, size_t errlen)
{
	struct ipsec_sessions *x = calloc(1, sizeof(*x));
	int rc = -ENOMEM;

	if (x) {
		x->local = *local;
		x->replay_window = replay_window ? replay_window : IPSEC_REPLAY_WINDOW;
		x->ops = ops;
		x->ctx = ctx;
		x->left = true; /* until it has been looked at */
		x->events = ipsec_kernel_events_open(&rc);
		x->sender = x->events ? ipsec_sender_open(&rc) : NULL;
	}
	if (x && x->sender)
		rc = sessions_remove_left(x, false);
	if (!rc)
		return x;
	snprintf(err, errlen,
		"the kernel's IPsec cannot be reached (CAP_NET_ADMIN, CONFIG_XFRM_USER): %s",
		strerror(-rc));
	if (x) {
		ipsec_kernel_events_close(x->events);
		ipsec_sender_close(x->sender);
	}
	free(x);
	return NULL;
}

void ipsec_sessions_close(struct ipsec_sessions *x)
{
	if (!x)
		return;
	while (x->entries)
		sessions_forget(x, x->entries);
	x->guarded = false;
	(void)sessions_remove_left(x, true);
	ipsec_kernel_events_close(x->events);
	ipsec_sender_close(x->sender);
	free(x);
}
