/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM of the direct path (RFC 6275 6.3, 6.4, 9.3, 11.3.1).
 *
 * A pair of addresses has one policy in each direction, whose templates are
 * those in force.  A policy that is written makes all sockets look for their
 * path again, so it is written when a template comes or goes and not at a
 * move, which is an update of the states.
 *
 *   out local > peer	route2 (the peer's binding), hao (ours)
 *   in  peer > local	hao with addresses, so that the wildcard state, which
 *			lets Mobility Headers in from anywhere, does not do for
 *			data; route2 from the wildcard state
 *
 * The state of our Home Address option belongs to the path of Binding Updates
 * to that peer as well (xfrm_bu_path_set()): it stays while that is there.
 */
#include "ipsec-glue/xfrm_pair.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/addr.h"
#include "mip6/wire.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/xfrm.h"
#include "lib/netlink.h"

#define ADDR_LEN ((int)sizeof(struct in6_addr))
#define LEFT_A_PASS 512

static int gone_is_fine(int err)
{
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

static int first(int a, int b)
{
	return a ? a : b;
}

/* ---- states ---- */

static struct xfrm_ro_state state(
	const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto)
{
	return (struct xfrm_ro_state){.src = *src, .dst = *dst, .proto = proto};
}

static int put(
	struct nlreq *x, struct xfrm_ro_state s, const struct in6_addr *care_of, bool *created)
{
	int err;

	if (!care_of)
		return gone_is_fine(nlreq_do(x, xfrm_state_del_msg(&s)));
	s.care_of = *care_of;
	err = nlreq_do(x, xfrm_state_msg(XFRM_MSG_UPDSA, &s));
	if (!err)
		return 0;
	*created = true;
	return xfrm_state_set(x, &s);
}

int xfrm_pair_peer(
	struct nlreq *x, const struct xfrm_pair_key *p, const struct in6_addr *care_of, bool *created)
{
	int err = put(x, state(&p->peer, &p->local, IPPROTO_DSTOPTS), care_of, created);

	return first(err, put(x, state(&p->local, &p->peer, IPPROTO_ROUTING), care_of, created));
}

static struct xfrm_ro_policy out_policy(const struct xfrm_pair_key *p)
{
	return (struct xfrm_ro_policy){
		.src = p->local, .dst = p->peer, .dir = XFRM_POLICY_OUT, .mh_type = -1};
}

/* Binding Updates to this peer use the state, too. */
static bool has_bu_path(struct nlreq *x, const struct xfrm_pair_key *p)
{
	struct xfrm_ro_policy bu = out_policy(p);
	struct xfrm_userpolicy_id id;
	struct nl_msg *m;

	bu.proto = IPPROTO_MH;
	bu.mh_type = MH_BU;
	m = xfrm_policy_del_msg(&bu); /* names the policy as a question for it does */
	if (!m)
		return true;
	memcpy(&id, NLMSG_DATA(nlmsg_hdr(m)), sizeof(id));
	nlmsg_free(m);
	return nlreq_get(x, nlreq_msg(XFRM_MSG_GETPOLICY, 0, &id, sizeof(id)), NULL, NULL) == 0;
}

int xfrm_pair_own(
	struct nlreq *x, const struct xfrm_pair_key *p, const struct in6_addr *care_of, bool *created)
{
	if (!care_of && has_bu_path(x, p))
		return 0;
	return put(x, state(&p->local, &p->peer, IPPROTO_DSTOPTS), care_of, created);
}

static int note_used(void *arg, const struct nlmsghdr *h)
{
	struct nlattr *a = nlmsg_find_attr(
		(struct nlmsghdr *)h, sizeof(struct xfrm_usersa_info), XFRMA_LASTUSED);

	if (h->nlmsg_type == XFRM_MSG_NEWSA && a && nla_len(a) >= (int)sizeof(uint64_t))
		*(uint64_t *)arg = nla_get_u64(a);
	return 0;
}

static uint64_t last_used(struct nlreq *x, const struct xfrm_pair_key *p, uint8_t proto)
{
	struct xfrm_usersa_id id = {.family = AF_INET6, .proto = proto};
	struct nl_msg *m;
	uint64_t used = 0;

	memcpy(&id.daddr, &p->peer, sizeof(p->peer));
	m = nlreq_msg(XFRM_MSG_GETSA, 0, &id, sizeof(id));
	if (m)
		m = nlreq_whole(m, nla_put(m, XFRMA_SRCADDR, ADDR_LEN, &p->local));
	if (nlreq_get(x, m, note_used, &used) < 0)
		return 0;
	return used;
}

/* The kernel notes the wall clock. */
int64_t xfrm_pair_idle_s(struct nlreq *x, const struct xfrm_pair_key *p)
{
	uint64_t a = last_used(x, p, IPPROTO_ROUTING), b = last_used(x, p, IPPROTO_DSTOPTS);
	uint64_t used = a > b ? a : b;
	int64_t idle = (int64_t)time(NULL) - (int64_t)used;

	if (!used)
		return -1;
	return idle < 0 ? 0 : idle;
}

/* ---- policies ---- */

static struct xfrm_user_tmpl template(uint8_t proto)
{
	return (struct xfrm_user_tmpl){.id = {.proto = proto},
		.family = AF_INET6,
		.mode = XFRM_MODE_ROUTEOPTIMIZATION,
		.optional = 1,
		.aalgos = ~0u,
		.ealgos = ~0u,
		.calgos = ~0u};
}

static struct nl_msg *policy_msg(
	const struct xfrm_userpolicy_id *id, const struct xfrm_user_tmpl *templates, size_t n)
{
	struct xfrm_userpolicy_info h = {.sel = id->sel,
		.priority = GLUE_PRIO_RO,
		.dir = id->dir,
		.action = XFRM_POLICY_ALLOW,
		.lft = {.soft_byte_limit = XFRM_INF,
			.hard_byte_limit = XFRM_INF,
			.soft_packet_limit = XFRM_INF,
			.hard_packet_limit = XFRM_INF}};
	struct nl_msg *m = nlreq_msg(XFRM_MSG_UPDPOLICY, NLM_F_REPLACE, &h, sizeof(h));

	return m ? nlreq_whole(m, nla_put(m, XFRMA_TMPL, (int)(n * sizeof(*templates)), templates))
		 : NULL;
}

static struct xfrm_userpolicy_id policy_id(
	const struct in6_addr *src, const struct in6_addr *dst, uint8_t dir)
{
	struct xfrm_userpolicy_id id = {
		.sel = {.family = AF_INET6, .prefixlen_s = 128, .prefixlen_d = 128}, .dir = dir};

	memcpy(&id.sel.saddr, src, sizeof(*src));
	memcpy(&id.sel.daddr, dst, sizeof(*dst));
	return id;
}

static int policy_put(struct nlreq *x, const struct xfrm_userpolicy_id *id,
	const struct xfrm_user_tmpl *templates, size_t n)
{
	if (n)
		return nlreq_do(x, policy_msg(id, templates, n));
	return gone_is_fine(nlreq_do(x, nlreq_msg(XFRM_MSG_DELPOLICY, 0, id, sizeof(*id))));
}

static struct xfrm_user_tmpl peer_template(const struct xfrm_pair *p)
{
	struct xfrm_user_tmpl t = template(IPPROTO_DSTOPTS);

	memcpy(&t.saddr, &p->key.peer, sizeof(p->key.peer));
	memcpy(&t.id.daddr, &p->key.local, sizeof(p->key.local));
	return t;
}

/* Until the peer has our binding, and again without one, it comes by the tunnel, with its own Home Address option. */
static int policy_in(struct nlreq *x, const struct xfrm_pair *p)
{
	struct xfrm_userpolicy_id id = policy_id(&p->key.peer, &p->key.local, XFRM_POLICY_IN);
	bool bound = !in6_is_any(&p->peer_care_of);
	struct xfrm_user_tmpl t[4];
	size_t n = 0;

	if (p->by_sa && (p->receive || bound)) {
		if (bound)
			t[n++] = peer_template(p);
		t[n] = template(IPPROTO_ESP);
		t[n++].mode = XFRM_MODE_TUNNEL;
	}
	if (bound)
		t[n++] = peer_template(p);
	if (p->receive)
		t[n++] = template(IPPROTO_ROUTING);
	return policy_put(x, &id, t, n);
}

static int policy_out(struct nlreq *x, const struct xfrm_pair *p)
{
	struct xfrm_userpolicy_id id = policy_id(&p->key.local, &p->key.peer, XFRM_POLICY_OUT);
	struct xfrm_user_tmpl t[2];
	size_t n = 0;

	/* Half of the direct path would lead through the tunnel without protection: all of it or nothing. */
	if (p->by_sa && p->away && in6_is_any(&p->own_care_of))
		return policy_put(x, &id, t, 0);
	if (!in6_is_any(&p->peer_care_of))
		t[n++] = template(IPPROTO_ROUTING);
	if (!in6_is_any(&p->own_care_of))
		t[n++] = template(IPPROTO_DSTOPTS);
	return policy_put(x, &id, t, n);
}

int xfrm_pair_policies(struct nlreq *x, const struct xfrm_pair *p)
{
	return first(policy_in(x, p), policy_out(x, p));
}

/* ---- what all pairs share ---- */

/* What never takes the direct path by itself (RFC 6275 9.3.2, 11.3.1, 6.1.3). */
static const struct {
	uint8_t proto;
	int type;
} not_direct[] = {{IPPROTO_MH, -1}, {IPPROTO_ICMPV6, 135}, {IPPROTO_ICMPV6, 136}};

static struct xfrm_ro_policy not_direct_policy(size_t i)
{
	return (struct xfrm_ro_policy){.dir = XFRM_POLICY_OUT,
		.proto = not_direct[i].proto,
		.mh_type = not_direct[i].type,
		.priority = GLUE_PRIO_RO_NOT};
}

struct left {
	size_t n;
	struct xfrm_userpolicy_id id[LEFT_A_PASS];
};

static int note_left(void *arg, const struct nlmsghdr *h)
{
	struct left *l = arg;
	struct xfrm_userpolicy_info p;

	if (h->nlmsg_type != XFRM_MSG_NEWPOLICY || h->nlmsg_len < NLMSG_LENGTH(sizeof(p)))
		return 0;
	memcpy(&p, NLMSG_DATA((struct nlmsghdr *)h), sizeof(p));
	if (p.priority == GLUE_PRIO_RO && p.sel.family == AF_INET6 &&
		p.sel.prefixlen_s == 128 && p.sel.prefixlen_d == 128 && l->n < LEFT_A_PASS)
		l->id[l->n++] = (struct xfrm_userpolicy_id){.sel = p.sel, .dir = p.dir};
	return 0;
}

static int remove_left(struct nlreq *x, const struct xfrm_userpolicy_id *id)
{
	struct xfrm_pair_key k;
	bool created = false;
	int err;

	memcpy(&k.local, id->dir == XFRM_POLICY_OUT ? &id->sel.saddr : &id->sel.daddr, 16);
	memcpy(&k.peer, id->dir == XFRM_POLICY_OUT ? &id->sel.daddr : &id->sel.saddr, 16);
	err = nlreq_do(x, nlreq_msg(XFRM_MSG_DELPOLICY, 0, id, sizeof(*id)));
	err = first(gone_is_fine(err), xfrm_pair_peer(x, &k, NULL, &created));
	return first(err, xfrm_pair_own(x, &k, NULL, &created));
}

/* Each pass removes what it has found, so there is an end to them. */
static int remove_all_left(struct nlreq *x)
{
	struct left *l = malloc(sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	while (!err) {
		l->n = 0;
		err = nlreq_dump(x, nlreq_msg(XFRM_MSG_GETPOLICY, 0, NULL, 0), note_left, l);
		if (err || !l->n)
			break;
		for (size_t i = 0; i < l->n && !err; i++)
			err = remove_left(x, &l->id[i]);
	}
	free(l);
	return err;
}

int xfrm_pair_open(struct nlreq *x)
{
	int err = first(remove_all_left(x), xfrm_accept_hao(x));

	for (size_t i = 0; i < sizeof(not_direct) / sizeof(not_direct[0]) && !err; i++) {
		struct xfrm_ro_policy p = not_direct_policy(i);

		err = nlreq_do(x, xfrm_policy_msg(&p));
	}
	return err;
}

int xfrm_pair_close(struct nlreq *x)
{
	int err = remove_all_left(x);

	for (size_t i = 0; i < sizeof(not_direct) / sizeof(not_direct[0]); i++) {
		struct xfrm_ro_policy p = not_direct_policy(i);

		err = first(err, gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&p))));
	}
	return first(err, xfrm_refuse_hao(x));
}
