/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sessions want of the Binding Updates of both nodes: a direct path
 * between the home addresses, and the VCM's secret for it (V15).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "mip6d/daemon_vcm_node_internal.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/mn.h"

/* ---- which peers ---- */

static struct wanted *wanted_find(const struct daemon_vcm_node *v, const struct in6_addr *home)
{
	struct wanted *w = v->wanted;

	while (w && !in6_equal(&w->home, home))
		w = w->next;
	return w;
}

static struct wanted *wanted_get(struct daemon_vcm_node *v, const struct in6_addr *home)
{
	struct wanted *w = wanted_find(v, home);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->home = *home;
	w->next = v->wanted;
	v->wanted = w;
	return w;
}

static void wanted_forget(struct daemon_vcm_node *v, struct wanted *w)
{
	struct wanted **at = &v->wanted;

	if (w->path || w->kcn)
		return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}

/* ---- the direct path ---- */

struct bound {
	const struct in6_addr *peer;
	bool direct;
};

static bool note_bound(void *arg, const struct mn_ro_info *i)
{
	struct bound *b = arg;

	b->direct |= i->direct && in6_equal(&i->peer, b->peer);
	return true;
}

void daemon_vcm_look_at_path(struct daemon_vcm_node *v, const struct in6_addr *peer)
{
	struct bound b = {.peer = peer};
	struct in6_addr care_of;

	if (!v->node || !wanted_find(v, peer))
		return;
	mn_ro_foreach(v->d->mn, note_bound, &b);
	vcm_node_path(v->node, peer,
		b.direct && v->d->cn && cn_care_of(v->d->cn, &v->home, peer, &care_of));
}

/*
 * The session was what the peer's binding was for.  A node that is back inside
 * would send to the care-of address in clear, which the gateway drops.
 */
static void unbind(struct daemon_vcm_node *v, const struct wanted *w)
{
	if (w->kcn)
		cn_shared_close(v->d->cn, &v->home, &w->home);
	else if (w->path)
		(void)cn_remove(v->d->cn, &v->home, &w->home);
}

void daemon_vcm_path(void *ctx, const struct in6_addr *peer_home, bool on)
{
	struct daemon_vcm_node *v = ctx;
	struct wanted *w = on ? wanted_get(v, peer_home) : wanted_find(v, peer_home);
	int err;

	if (!on && w && v->d->cn)
		unbind(v, w);
	if (!w || (!on && !w->path))
		return;
	if (!w->path || !on) {
		err = mn_ro_because(v->d->mn, peer_home, on ? MN_RO_ON : MN_RO_FLUSH,
			on ? "a session with it" : "the session has ended");
		if (err && on)
			log_warning("the direct path to %s is not tried: %s", in6_str(peer_home),
				strerror(-err));
	}
	mn_ro_sealed(v->d->mn, peer_home, on);
	w->path = on;
	if (on)
		daemon_vcm_look_at_path(v, peer_home);
	else
		wanted_forget(v, w);
}

/* The operator's own secret stays. */
static bool configured(const struct daemon_vcm_node *v, const struct in6_addr *peer)
{
	const struct mip6d_config *c = v->d->cfg;

	for (size_t i = 0; i < c->n_shared_keys; i++)
		if (in6_equal(&c->shared_keys[i].peer, peer) &&
			in6_equal(&c->shared_keys[i].local, &v->home))
			return true;
	return false;
}

void daemon_vcm_share(void *ctx, const struct in6_addr *peer_home, const struct rr_shared *kcn)
{
	struct daemon_vcm_node *v = ctx;
	struct wanted *w = kcn ? wanted_get(v, peer_home) : wanted_find(v, peer_home);
	int err;

	if (!w || (!kcn && !w->kcn) || configured(v, peer_home))
		return;
	err = daemon_share(v->d, &v->home, peer_home, kcn);
	if (err && kcn)
		log_warning("the VCM's secret for Binding Updates with %s is not used: %s",
			in6_str(peer_home), strerror(-err));
	w->kcn = kcn && !err;
	wanted_forget(v, w);
}

void daemon_vcm_forget_wanted(struct daemon_vcm_node *v)
{
	while (v->wanted) {
		v->wanted->path = v->wanted->kcn = false;
		wanted_forget(v, v->wanted);
	}
}
