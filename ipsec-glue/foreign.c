/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/foreign.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>

#include "ipsec-glue/xfrm_read.h"
#include "lib/addr.h"
#include "lib/netlink.h"

#define MAX_FOUND 16

/* ---- messages ---- */

/* The one template; NULL when there are others beside it. */
static const struct xfrm_user_tmpl *only_template(const struct nlmsghdr *h)
{
	const int header = sizeof(struct xfrm_userpolicy_info);
	const struct nlattr *a =
		nla_find(nlmsg_attrdata(h, header), nlmsg_attrlen(h, header), XFRMA_TMPL);

	if (!a || nla_len(a) != (int)sizeof(struct xfrm_user_tmpl))
		return NULL;
	return nla_data(a);
}

bool foreign_policy_read(const struct nlmsghdr *h, struct foreign_tunnel *t)
{
	const struct xfrm_userpolicy_info *p = xfrm_read_body(h, sizeof(*p));
	const struct xfrm_user_tmpl *tmpl;

	if (h->nlmsg_type != XFRM_MSG_NEWPOLICY || !p || p->dir != XFRM_POLICY_OUT ||
		p->action != XFRM_POLICY_ALLOW || p->sel.family != AF_INET6 ||
		p->sel.prefixlen_s != 128 || p->sel.prefixlen_d > 128 || p->sel.proto)
		return false;
	tmpl = only_template(h);
	if (!tmpl || tmpl->id.proto != IPPROTO_ESP || tmpl->mode != XFRM_MODE_TUNNEL ||
		tmpl->family != AF_INET6 || tmpl->optional)
		return false;
	*t = (struct foreign_tunnel){.inner = xfrm_read_address(&p->sel.saddr),
		.local = xfrm_read_address(&tmpl->saddr),
		.remote = xfrm_read_address(&tmpl->id.daddr),
		.reqid = tmpl->reqid,
		.scope = p->sel.prefixlen_d};
	return !in6_is_any(&t->inner) && !in6_is_any(&t->local) && !in6_is_any(&t->remote);
}

bool foreign_sa_fits(const struct nlmsghdr *h, const struct foreign_tunnel *t)
{
	const struct xfrm_usersa_info *s = xfrm_read_body(h, sizeof(*s));
	struct in6_addr src, dst;

	if (h->nlmsg_type != XFRM_MSG_NEWSA || !s || s->family != AF_INET6 ||
		s->id.proto != IPPROTO_ESP || s->mode != XFRM_MODE_TUNNEL || s->reqid != t->reqid)
		return false;
	src = xfrm_read_address(&s->saddr);
	dst = xfrm_read_address(&s->id.daddr);
	return in6_equal(&src, &t->local) && in6_equal(&dst, &t->remote);
}

bool foreign_concerns(const struct nlmsghdr *h)
{
	switch (h->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
	case XFRM_MSG_FLUSHSA:
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
	case XFRM_MSG_DELPOLICY:
	case XFRM_MSG_FLUSHPOLICY:
	case XFRM_MSG_MIGRATE:
		return true;
	default:
		return false;
	}
}

/* ---- looking ---- */

struct search {
	struct in6_addr inner, remote;
	size_t n;
	struct foreign_tunnel found[MAX_FOUND];
	const struct foreign_tunnel *best;
};

static bool wanted(const struct in6_addr *want, const struct in6_addr *have)
{
	return in6_is_any(want) || in6_equal(want, have);
}

static int take_policy(void *arg, const struct nlmsghdr *h)
{
	struct search *s = arg;
	struct foreign_tunnel t;

	if (s->n < MAX_FOUND && foreign_policy_read(h, &t) && wanted(&s->inner, &t.inner) &&
		wanted(&s->remote, &t.remote))
		s->found[s->n++] = t;
	return 0;
}

static int take_sa(void *arg, const struct nlmsghdr *h)
{
	struct search *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (foreign_sa_fits(h, &s->found[i]) &&
			(!s->best || s->found[i].scope < s->best->scope))
			s->best = &s->found[i];
	return 0;
}

static struct nl_msg *dump(int type)
{
	return nlreq_msg(type, NLM_F_DUMP, NULL, 0);
}

int foreign_find(struct nlreq *xfrm, const struct in6_addr *inner, const struct in6_addr *remote,
	struct foreign_tunnel *t)
{
	struct search s = {.inner = *inner, .remote = *remote};
	int err = nlreq_dump(xfrm, dump(XFRM_MSG_GETPOLICY), take_policy, &s);

	if (!err && s.n)
		err = nlreq_dump(xfrm, dump(XFRM_MSG_GETSA), take_sa, &s);
	if (err)
		return err;
	if (!s.best)
		return -ENOENT;
	*t = *s.best;
	return 0;
}

int foreign_listen(void)
{
	static const unsigned groups[] = {XFRMNLGRP_SA, XFRMNLGRP_POLICY, XFRMNLGRP_MIGRATE};

	return nlevent_open_protocol(NETLINK_XFRM, groups, sizeof(groups) / sizeof(groups[0]));
}

static void look(void *arg, const struct nlmsghdr *h)
{
	bool *changed = arg;

	*changed |= foreign_concerns(h);
}

bool foreign_changed(int fd)
{
	bool changed = false;

	return nlevent_read(fd, look, &changed) != 0 || changed;
}
