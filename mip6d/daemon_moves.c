/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who moves what: `moves = "charon"` (requirements T15, T16).
 *
 * An IKE daemon has made a tunnel to a gateway and moves it with MOBIKE.  This
 * daemon finds links and makes care-of addresses, with its routes, and keeps
 * back what the inner address sends until the tunnel has followed; of the
 * tunnel's SAs and policies it only reads.  The inner address and the gateway
 * are those of the tunnel when the configuration leaves them open: that is how
 * the node learns its home address from the IKEv2 exchange.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipsec-glue/foreign.h"
#include "lib/log.h"
#include "lib/netlink.h"
#include "mip6d/daemon_moves.h"
#include "mip6d/proto/mn.h"
#include "common/loop.h"
#include "mip6d/sys/mn_kernel.h"

struct moves {
	struct daemon *d;
	struct nlreq *xfrm;
	int fd;
	struct in6_addr inner, gateway; /* that are looked for; :: any */
	bool there; /* `now` is in force */
	struct foreign_tunnel now;
	struct moves_ask *ask;
	uint64_t moved;
};

static bool same(const struct foreign_tunnel *a, const struct foreign_tunnel *b)
{
	return in6_equal(&a->inner, &b->inner) && in6_equal(&a->local, &b->local) &&
	       in6_equal(&a->remote, &b->remote);
}

static void gone(struct moves *m)
{
	if (!m->there)
		return;
	m->there = false;
	mn_tunnel_moved(m->d->mn, NULL);
}

static void is_at(struct moves *m, const struct foreign_tunnel *t)
{
	bool known = !in6_is_any(&m->now.inner),
	     other = known && !in6_equal(&m->now.inner, &t->inner);

	if (!known || other || !in6_equal(&m->now.remote, &t->remote)) {
		int err = mn_kernel_tunnel_is(m->d->mn_kernel, &t->inner, &t->remote);

		if (err)
			log_error("what %s sends cannot be routed by the tunnel: %s",
				in6_str(&t->inner), strerror(-err));
		mn_tunnel_is(m->d->mn, &t->inner, &t->remote);
		log_info("tunnel of %s to %s", in6_str(&t->inner), in6_str(&t->remote));
	}
	if (known && !in6_equal(&m->now.local, &t->local)) {
		/* The inbound SA has moved, and the gateway does not know yet. */
		mn_kernel_moved(m->d->mn_kernel, &m->now.local, &t->local);
		m->moved++;
	}
	m->there = true;
	m->now = *t;
	mn_tunnel_moved(m->d->mn, &t->local);
}

static void look(struct moves *m)
{
	struct foreign_tunnel t;
	int err = foreign_find(m->xfrm, &m->inner, &m->gateway, &t);

	if (err == -ENOENT)
		gone(m);
	else if (err)
		log_warning("policies and SAs cannot be read: %s", strerror(-err));
	else if (!m->there || !same(&t, &m->now))
		is_at(m, &t);
	moves_ask_there(m->ask, mn_tunnel_usable(m->d->mn));
}

static void readable(void *arg)
{
	struct moves *m = arg;

	if (foreign_changed(m->fd))
		look(m);
}

bool daemon_moves_start(struct daemon *d)
{
	const struct config_mobile_node *c = &d->cfg->mobile_node;
	struct moves *m;
	int err = 0;

	if (!c->foreign_tunnel)
		return true;
	m = d->moves = calloc(1, sizeof(*m));
	if (!m) {
		log_error("out of memory");
		return false;
	}
	*m = (struct moves){.d = d, .inner = c->home_address, .gateway = c->home_agent, .fd = -1};
	m->xfrm = nlreq_open(NETLINK_XFRM, &err);
	if (!err)
		m->fd = err = foreign_listen();
	if (err >= 0)
		err = sys_loop_read(d->loop, m->fd, readable, m);
	if (err < 0) {
		log_error("policies and SAs cannot be watched (CONFIG_XFRM_USER): %s",
			strerror(-err));
		return false;
	}
	m->ask = moves_ask_new(d);
	look(m);
	return true;
}

void daemon_moves_place(struct daemon *d)
{
	if (!d->moves)
		return;
	moves_ask_there(d->moves->ask, mn_tunnel_usable(d->mn));
	moves_ask_place(d->moves->ask);
}

void daemon_moves_stop(struct daemon *d)
{
	struct moves *m = d->moves;

	if (!m)
		return;
	if (m->fd >= 0) {
		sys_loop_forget(d->loop, m->fd);
		close(m->fd);
	}
	moves_ask_free(m->ask);
	nlreq_close(m->xfrm);
	free(m);
	d->moves = NULL;
}

void daemon_moves_stats(struct daemon *d, struct json_t *stats)
{
	const struct moves *m = d->moves;

	if (!m)
		return;
	json_object_set_new(stats, "tunnel",
		json_pack("{s:s, s:b, s:s, s:I}", "moves", "charon", "there", m->there, "care_of",
			in6_str(&m->now.local), "moved", (json_int_t)m->moved));
}
