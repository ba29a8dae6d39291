/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/kernel_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/xfrm.h>

#include "ipsec-glue/marks.h"
#include "ipsec-glue/snapshot.h"
#include "ipsec-glue/xfrm_read.h"
#include "lib/netlink.h"

struct ipsec_kernel_events {
	int fd;
};

/* ---- one notification ---- */

/* The reqid is that of the policy's template: the larval SA has none of an SA's. */
static bool read_acquire(const struct nlmsghdr *h, struct ipsec_event *e)
{
	const struct xfrm_user_acquire *a = xfrm_read_body(h, sizeof(*a));
	const struct xfrm_user_tmpl *t;
	size_t n = 0;

	if (!a || a->policy.sel.family != AF_INET6)
		return false;
	*e = (struct ipsec_event){.type = IPSEC_EV_ACQUIRE,
		.src = xfrm_read_address(&a->saddr),
		.dst = xfrm_read_address(&a->id.daddr),
		.proto = a->id.proto};
	if (!ipsec_selector_read(&a->policy.sel, &e->sel))
		e->sel = (struct ipsec_selector){0};
	t = xfrm_read_attribute(h, sizeof(*a), XFRMA_TMPL, sizeof(*t));
	if (t)
		n = (size_t)nla_len((const struct nlattr *)((const char *)t - NLA_HDRLEN)) / sizeof(*t);
	for (size_t i = 0; i < n; i++) {
		struct xfrm_user_tmpl u;

		memcpy(&u, (const char *)t + i * sizeof(u), sizeof(u));
		if (u.id.proto == e->proto) {
			e->reqid = u.reqid;
			break;
		}
	}
	return true;
}

/* Larval SAs expire as well, without an SPI. */
static bool read_expire(const struct nlmsghdr *h, struct ipsec_event *e)
{
	const void *at = xfrm_read_body(h, sizeof(struct xfrm_user_expire));
	struct xfrm_user_expire copy, *x = &copy;

	if (!at)
		return false;
	memcpy(x, at, sizeof(*x));
	if (x->state.family != AF_INET6 || x->state.id.proto != IPPROTO_ESP || !x->state.id.spi)
		return false;
	*e = (struct ipsec_event){.type = IPSEC_EV_EXPIRE,
		.src = xfrm_read_address(&x->state.saddr),
		.dst = xfrm_read_address(&x->state.id.daddr),
		.spi = ntohl(x->state.id.spi),
		.reqid = x->state.reqid,
		.proto = x->state.id.proto,
		.hard = x->hard};
	return true;
}

static bool read_mapping(const struct nlmsghdr *h, struct ipsec_event *e)
{
	const struct xfrm_user_mapping *m = xfrm_read_body(h, sizeof(*m));

	if (!m || m->id.family != AF_INET6 || m->id.proto != IPPROTO_ESP)
		return false;
	*e = (struct ipsec_event){.type = IPSEC_EV_MAPPING,
		.src = xfrm_read_address(&m->new_saddr),
		.dst = xfrm_read_address(&m->id.daddr),
		.spi = ntohl(m->id.spi),
		.reqid = m->reqid,
		.proto = m->id.proto};
	return true;
}

static bool read_migrate(const struct nlmsghdr *h, struct ipsec_event *e)
{
	const struct xfrm_userpolicy_id *id = xfrm_read_body(h, sizeof(*id));
	const struct xfrm_user_migrate *m;

	if (!id || id->dir > IPSEC_FWD)
		return false;
	m = xfrm_read_attribute(h, sizeof(*id), XFRMA_MIGRATE, sizeof(*m));
	if (!m || m->new_family != AF_INET6 || m->proto != IPPROTO_ESP)
		return false;
	*e = (struct ipsec_event){.type = IPSEC_EV_MIGRATE,
		.src = xfrm_read_address(&m->new_saddr),
		.dst = xfrm_read_address(&m->new_daddr),
		.reqid = m->reqid,
		.proto = m->proto,
		.dir = (enum ipsec_dir)id->dir};
	return ipsec_selector_read(&id->sel, &e->sel);
}

static bool read_sa_gone(const struct nlmsghdr *h, struct ipsec_event *e)
{
	const struct xfrm_usersa_id *id = xfrm_read_body(h, sizeof(*id));
	struct xfrm_usersa_info i;
	const void *at;

	if (!id || id->family != AF_INET6)
		return false;
	*e = (struct ipsec_event){.type = IPSEC_EV_SA_GONE,
		.dst = xfrm_read_address(&id->daddr),
		.spi = ntohl(id->spi),
		.proto = id->proto};
	at = xfrm_read_attribute(h, sizeof(*id), XFRMA_SA, sizeof(i));
	if (at) {
		memcpy(&i, at, sizeof(i)); /* attributes are aligned to 4 octets */
		e->src = xfrm_read_address(&i.saddr);
		e->reqid = i.reqid;
	}
	return true;
}

/* Deleted by its index, it is named by the copy of the policy alone. */
static bool read_policy_gone(const struct nlmsghdr *h, struct ipsec_event *e)
{
	const struct xfrm_userpolicy_id *id = xfrm_read_body(h, sizeof(*id));
	struct xfrm_userpolicy_info i;
	const struct xfrm_mark *mark;
	const void *at;

	if (!id || id->dir > IPSEC_FWD)
		return false;
	mark = xfrm_read_attribute(h, sizeof(*id), XFRMA_MARK, sizeof(*mark));
	if (mark && (mark->v || mark->m != GLUE_BUMP))
		return false;
	*e = (struct ipsec_event){.type = IPSEC_EV_POLICY_GONE, .dir = (enum ipsec_dir)id->dir};
	at = xfrm_read_attribute(h, sizeof(*id), XFRMA_POLICY, sizeof(i));
	if (at) {
		memcpy(&i, at, sizeof(i));
		e->priority = i.priority;
	}
	return ipsec_selector_read(at ? &i.sel : &id->sel, &e->sel);
}

static bool read_any(const struct nlmsghdr *h, struct ipsec_event *e)
{
	switch (h->nlmsg_type) {
	case XFRM_MSG_ACQUIRE:
		return read_acquire(h, e);
	case XFRM_MSG_EXPIRE:
		return read_expire(h, e);
	case XFRM_MSG_MAPPING:
		return read_mapping(h, e);
	case XFRM_MSG_MIGRATE:
		return read_migrate(h, e);
	case XFRM_MSG_DELSA:
		return read_sa_gone(h, e);
	case XFRM_MSG_DELPOLICY:
		return read_policy_gone(h, e);
	case XFRM_MSG_FLUSHSA:
	case XFRM_MSG_FLUSHPOLICY:
		*e = (struct ipsec_event){.type = IPSEC_EV_FLUSHED};
		return true;
	default:
		return false;
	}
}

bool ipsec_event_read(const struct nlmsghdr *h, uint32_t own_port, struct ipsec_event *e)
{
	return (!own_port || h->nlmsg_pid != own_port) && read_any(h, e);
}

/* ---- the socket ---- */

struct ipsec_kernel_events *ipsec_kernel_events_open(int *err)
{
	static const unsigned groups[] = {XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_SA,
		XFRMNLGRP_POLICY, XFRMNLGRP_MAPPING, XFRMNLGRP_MIGRATE};
	struct ipsec_kernel_events *e = calloc(1, sizeof(*e));

	*err = -ENOMEM;
	if (!e)
		return NULL;
	e->fd = nlevent_open_protocol(NETLINK_XFRM, groups, sizeof(groups) / sizeof(groups[0]));
	if (e->fd < 0) {
		*err = e->fd;
		free(e);
		return NULL;
	}
	*err = 0;
	return e;
}

void ipsec_kernel_events_close(struct ipsec_kernel_events *e)
{
	if (!e)
		return;
	close(e->fd);
	free(e);
}

int ipsec_kernel_events_fd(const struct ipsec_kernel_events *e)
{
	return e->fd;
}

struct reading {
	uint32_t own_port;
	ipsec_event_fn *fn;
	void *arg;
};

static void take(void *arg, const struct nlmsghdr *h)
{
	struct reading *r = arg;
	struct ipsec_event e;

	if (ipsec_event_read(h, r->own_port, &e))
		r->fn(r->arg, &e);
}

void ipsec_kernel_events_read(
	struct ipsec_kernel_events *e, uint32_t own_port, ipsec_event_fn *fn, void *arg)
{
	const struct ipsec_event lost = {.type = IPSEC_EV_LOST};
	struct reading r = {own_port, fn, arg};

	if (nlevent_read(e->fd, take, &r) == -ENOBUFS)
		fn(arg, &lost);
}
