/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/ro_kernel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/sys/ro_internal.h"

static const struct in6_addr any = IN6ADDR_ANY_INIT;

/* ---- pairs ---- */

static struct ro_pair *find(
	struct ro_kernel *k, const struct in6_addr *local, const struct in6_addr *peer, bool make)
{
	struct xfrm_pair_key key = {*local, *peer};
	struct ro_pair *p;

	HASH_FIND(hh, k->pairs, &key, sizeof(key), p);
	if (p || !make)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->x.key = key;
	p->x.by_sa = k->config.by_sa;
	p->x.away = k->away;
	HASH_ADD(hh, k->pairs, x.key, sizeof(p->x.key), p);
	return p;
}

static bool idle(const struct ro_pair *p)
{
	return in6_is_any(&p->x.peer_care_of) && in6_is_any(&p->x.own_care_of) && !p->x.receive;
}

static void forget_if_idle(struct ro_kernel *k, struct ro_pair *p)
{
	if (!idle(p))
		return;
	HASH_DEL(k->pairs, p);
	free(p);
}

/* ---- source and destination on the wire, for errors that quote them ---- */

static struct ro_wire *find_wire(
	struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst)
{
	struct in6_addr key[2] = {*src, *dst};
	struct ro_wire *w;

	HASH_FIND(hh, k->wires, key, sizeof(key), w);
	return w;
}

static void add_wire(struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst)
{
	struct ro_wire *w = find_wire(k, src, dst);

	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return; /* its errors are ignored */
		w->src = *src;
		w->dst = *dst;
		HASH_ADD(hh, k->wires, src, 2 * sizeof(w->src), w);
	}
	w->users++;
}

static void del_wire(struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst)
{
	struct ro_wire *w = find_wire(k, src, dst);

	if (!w || --w->users)
		return;
	HASH_DEL(k->wires, w);
	free(w);
}

void ro_kernel_wire(
	struct ro_kernel *k, const struct in6_addr *src, const struct in6_addr *dst, bool on)
{
	(on ? add_wire : del_wire)(k, src, dst);
	if (!on && !find_wire(k, src, dst))
		ro_pmtu_forget_wire(k, src, dst);
}

static void unwire(struct ro_kernel *k, struct ro_pair *p)
{
	if (p->wired)
		del_wire(k, &p->src, &p->dst);
	p->wired = false;
}

static void wire(struct ro_kernel *k, struct ro_pair *p)
{
	bool peer = !in6_is_any(&p->x.peer_care_of), own = !in6_is_any(&p->x.own_care_of);

	unwire(k, p);
	if (!peer && !own)
		return;
	p->src = own ? p->x.own_care_of : p->x.key.local;
	p->dst = peer ? p->x.peer_care_of : p->x.key.peer;
	add_wire(k, &p->src, &p->dst);
	p->wired = true;
}

/* ---- struct ro_ops ---- */

static bool same_kind(const struct in6_addr *was, const struct in6_addr *is)
{
	return in6_is_any(was) == in6_is_any(is);
}

static int peer_set(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct ro_kernel *k = ctx;
	struct ro_pair *p = find(k, local, peer, care_of);
	struct in6_addr was;
	bool write;
	int err = 0, e;

	if (!p)
		return care_of ? -ENOMEM : 0;
	was = p->x.peer_care_of;
	p->x.peer_care_of = care_of ? *care_of : any;
	write = !same_kind(&was, &p->x.peer_care_of);
	/* Data of the new place passes before that of the old one stops. */
	if (care_of)
		err = ro_filter_binding(k, care_of, peer, true);
	e = xfrm_pair_peer(k->xfrm, &p->x.key, care_of, &write);
	err = err ? err : e;
	if (write) {
		e = xfrm_pair_policies(k->xfrm, &p->x);
		err = err ? err : e;
	}
	if (!in6_is_any(&was) && !in6_equal(&was, &p->x.peer_care_of)) {
		e = ro_filter_binding(k, &was, peer, false);
		err = err ? err : e;
	}
	wire(k, p);
	forget_if_idle(k, p);
	return err;
}

static int own_set(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
	const struct in6_addr *care_of)
{
	struct ro_kernel *k = ctx;
	struct ro_pair *p = find(k, local, peer, care_of);
	struct in6_addr was;
	bool write;
	int err, e = 0;

	if (!p)
		return care_of ? -ENOMEM : 0;
	was = p->x.own_care_of;
	p->x.own_care_of = care_of ? *care_of : any;
	write = !same_kind(&was, &p->x.own_care_of);
	err = xfrm_pair_own(k->xfrm, &p->x.key, care_of, &write);
	if (write)
		e = xfrm_pair_policies(k->xfrm, &p->x);
	if (!in6_is_any(&was) && !in6_equal(&was, &p->x.own_care_of))
		ro_pmtu_forget(k, &was);
	wire(k, p);
	forget_if_idle(k, p);
	return err ? err : e;
}

static int receive_set(
	void *ctx, const struct in6_addr *local, const struct in6_addr *peer, bool on)
{
	struct ro_kernel *k = ctx;
	struct ro_pair *p = find(k, local, peer, on);
	int err = 0;

	if (!p)
		return on ? -ENOMEM : 0;
	if (p->x.receive != on) {
		p->x.receive = on;
		err = xfrm_pair_policies(k->xfrm, &p->x);
	}
	forget_if_idle(k, p);
	return err;
}

static int64_t idle_s(void *ctx, const struct in6_addr *local, const struct in6_addr *peer)
{
	struct ro_kernel *k = ctx;
	struct xfrm_pair_key key = {*local, *peer};

	return xfrm_pair_idle_s(k->xfrm, &key);
}

const struct ro_ops ro_kernel_ops = {peer_set, own_set, receive_set, idle_s};

/* ---- start and end ---- */

static bool prepare(struct ro_kernel *k, char *err, size_t errlen)
{
	int rc = nlreq_open_three(&k->rt, &k->xfrm, &k->nf);

	if (rc) {
		snprintf(err, errlen, "no netlink socket (CONFIG_XFRM_USER): %s", strerror(-rc));
		return false;
	}
	rc = xfrm_pair_open(k->xfrm);
	if (rc) {
		snprintf(err, errlen,
			"the kernel refuses states and policies of route optimization "
			"(CONFIG_IPV6_MIP6): %s",
			nlreq_why(k->xfrm));
		return false;
	}
	ro_pmtu_open(k);
	rc = ro_watch_open(k);
	if (rc) {
		snprintf(err, errlen, "cannot listen to the packet queue of traffic: %s",
			strerror(-rc));
		return false;
	}
	if (ro_filter_open(k, err, errlen) < 0)
		return false;
	rc = ro_report_open(k);
	if (rc)
		snprintf(
			err, errlen, "no sockets for reports and ICMPv6 errors: %s", strerror(-rc));
	return !rc;
}

struct ro_kernel *ro_kernel_open(const struct ro_kernel_config *c, struct sys_loop *loop,
	struct settings *settings, const struct ro_kernel_events *events, void *ctx, char *err,
	size_t errlen)
{
	struct ro_kernel *k = calloc(1, sizeof(*k));

	(void)settings; /* none of them is in the way */
	if (!k) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	*k = (struct ro_kernel){.config = *c,
		.loop = loop,
		.events = events,
		.ctx = ctx,
		.report_fd = -1,
		.error_fd = -1,
		.log = LOG_LIMIT_INIT(5, 6)};
	ro_pmtu_init(k);
	if (!prepare(k, err, errlen)) {
		ro_kernel_close(k, k->nf);
		return NULL;
	}
	k->config.rules = NULL; /* borrowed until now */
	return k;
}

int ro_kernel_away(struct ro_kernel *k, bool away)
{
	struct ro_pair *p, *next;
	int err = 0;

	if (k->away == away || !k->config.by_sa)
		return 0;
	k->away = away;
	HASH_ITER(hh, k->pairs, p, next) {
		int e;

		p->x.away = away;
		e = xfrm_pair_policies(k->xfrm, &p->x);
		err = err ? err : e;
	}
	return err;
}

static void free_pairs(struct ro_kernel *k)
{
	struct ro_pair *p, *next;

	HASH_ITER(hh, k->pairs, p, next) {
		unwire(k, p);
		HASH_DEL(k->pairs, p);
		free(p);
	}
}

void ro_kernel_close(struct ro_kernel *k, bool remove)
{
	if (!k)
		return;
	ro_pmtu_close(k, remove);
	if (remove) {
		ro_filter_close();
		xfrm_pair_close(k->xfrm);
	}
	ro_watch_close(k);
	ro_report_close(k);
	free_pairs(k);
	nlreq_close(k->xfrm);
	nlreq_close(k->rt);
	nlreq_close(k->nf);
	free(k);
}

void ro_kernel_stats(const struct ro_kernel *k, struct ro_kernel_stats *s)
{
	*s = k->stats;
}
