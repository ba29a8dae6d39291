/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three things about the kernel that are not obvious:
 *
 *   UPDSA of a route-optimization state changes its care-of address in place
 *   and tells nobody.  Clearing a bit of the output mark, a bit that is never
 *   set, makes the kernel look at the whole output path again.
 *
 *   NEWSA fails with EEXIST on a larval state, UPDSA with ESRCH when there is
 *   none.  So: UPDSA, on ESRCH NEWSA, on EEXIST UPDSA.
 *
 *   A Mobility Header type can be a selector only for what a raw socket of
 *   this host sends; in a received packet it is read from the wrong place.
 */
#include "ipsec-glue/xfrm.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>

#include "ipsec-glue/marks.h"
#include "lib/addr.h"
#include "lib/netlink.h"
#include "mip6/wire.h"

#define ADDR_LEN ((int)sizeof(struct in6_addr))
#ifndef IPPROTO_MH
#define IPPROTO_MH 135
#endif

static const struct in6_addr any = IN6ADDR_ANY_INIT;

static void put_addr(xfrm_address_t *to, const struct in6_addr *a)
{
	memcpy(to, a, sizeof(*a));
}

static struct xfrm_lifetime_cfg no_limits(void)
{
	return (struct xfrm_lifetime_cfg){.soft_byte_limit = XFRM_INF,
		.hard_byte_limit = XFRM_INF,
		.soft_packet_limit = XFRM_INF,
		.hard_packet_limit = XFRM_INF};
}

/* ---- builders ---- */

struct nl_msg *xfrm_state_msg(int type, const struct xfrm_ro_state *s)
{
	struct xfrm_usersa_info h = {.family = AF_INET6,
		.mode = XFRM_MODE_ROUTEOPTIMIZATION,
		.flags = XFRM_STATE_AF_UNSPEC,
		.lft = no_limits()};
	struct nl_msg *m;
	int err = 0;

	put_addr(&h.saddr, &s->src);
	put_addr(&h.id.daddr, &s->dst);
	h.id.proto = s->proto;
	if (s->wildcard)
		h.flags |= XFRM_STATE_WILDRECV;
	m = nlreq_msg(type, type == XFRM_MSG_NEWSA ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_REPLACE, &h,
		sizeof(h));
	if (!m)
		return NULL;
	err |= nla_put(m, XFRMA_COADDR, ADDR_LEN, &s->care_of);
	if (!s->wildcard) {
		err |= nla_put_u32(m, XFRMA_SET_MARK, 0);
		err |= nla_put_u32(m, XFRMA_SET_MARK_MASK, GLUE_BUMP);
	}
	return nlreq_whole(m, err);
}

struct nl_msg *xfrm_state_del_msg(const struct xfrm_ro_state *s)
{
	struct xfrm_usersa_id h = {.family = AF_INET6, .proto = s->proto};
	struct nl_msg *m;

	put_addr(&h.daddr, &s->dst);
	m = nlreq_msg(XFRM_MSG_DELSA, 0, &h, sizeof(h));
	return m ? nlreq_whole(m, nla_put(m, XFRMA_SRCADDR, ADDR_LEN, &s->src)) : NULL;
}

static struct xfrm_selector selector(const struct xfrm_ro_policy *p)
{
	struct xfrm_selector sel = {.family = AF_INET6, .proto = p->proto};

	put_addr(&sel.saddr, &p->src);
	put_addr(&sel.daddr, &p->dst);
	sel.prefixlen_s = in6_is_any(&p->src) ? 0 : 128;
	sel.prefixlen_d = in6_is_any(&p->dst) ? 0 : 128;
	if (p->mh_type >= 0) {
		sel.sport = htons((uint16_t)p->mh_type);
		sel.sport_mask = htons(0xffff);
	}
	return sel;
}

static struct nl_msg *put_mark(struct nl_msg *m, const struct xfrm_ro_policy *p)
{
	struct xfrm_mark mark = {.v = p->mark, .m = p->mark};

	return m && p->mark ? nlreq_whole(m, nla_put(m, XFRMA_MARK, sizeof(mark), &mark)) : m;
}

struct nl_msg *xfrm_policy_msg(const struct xfrm_ro_policy *p)
{
	struct xfrm_userpolicy_info h = {.sel = selector(p),
		.lft = no_limits(),
		.priority = p->priority,
		.dir = p->dir,
		.action = XFRM_POLICY_ALLOW,
		.share = XFRM_SHARE_ANY};
	struct xfrm_user_tmpl tmpl[2];
	struct nl_msg *m = nlreq_msg(XFRM_MSG_UPDPOLICY, NLM_F_REPLACE, &h, sizeof(h));

	if (!m)
		return NULL;
	memset(tmpl, 0, sizeof(tmpl));
	for (int i = 0; i < p->n_templates; i++) {
		tmpl[i].id.proto = p->templates[i];
		tmpl[i].family = AF_INET6;
		tmpl[i].mode = XFRM_MODE_ROUTEOPTIMIZATION;
		tmpl[i].optional = p->dir == XFRM_POLICY_IN;
		tmpl[i].aalgos = tmpl[i].ealgos = tmpl[i].calgos = ~0u;
		if (p->dir == XFRM_POLICY_OUT) {
			put_addr(&tmpl[i].id.daddr, &p->dst);
			put_addr(&tmpl[i].saddr, &p->src);
		}
	}
	m = put_mark(m, p);
	if (!m || !p->n_templates)
		return m;
	return nlreq_whole(m, nla_put(m, XFRMA_TMPL, p->n_templates * (int)sizeof(tmpl[0]), tmpl));
}

struct nl_msg *xfrm_policy_del_msg(const struct xfrm_ro_policy *p)
{
	struct xfrm_userpolicy_id h = {.sel = selector(p), .dir = p->dir};

	return put_mark(nlreq_msg(XFRM_MSG_DELPOLICY, 0, &h, sizeof(h)), p);
}

/* ---- setting and removing ---- */

static int gone_is_fine(int err)
{
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

int xfrm_state_set(struct nlreq *x, const struct xfrm_ro_state *s)
{
	int err = nlreq_do(x, xfrm_state_msg(XFRM_MSG_UPDSA, s));

	if (err == -ESRCH)
		err = nlreq_do(x, xfrm_state_msg(XFRM_MSG_NEWSA, s));
	if (err == -EEXIST)
		err = nlreq_do(x, xfrm_state_msg(XFRM_MSG_UPDSA, s));
	return err;
}

/* A wildcard state never changes: it is there or it is not. */
static int wildcard_set(struct nlreq *x, uint8_t proto)
{
	struct xfrm_ro_state s = {.proto = proto, .wildcard = 1};
	int err = nlreq_do(x, xfrm_state_msg(XFRM_MSG_NEWSA, &s));

	return err == -EEXIST ? 0 : err;
}

static int wildcard_del(struct nlreq *x, uint8_t proto)
{
	struct xfrm_ro_state s = {.proto = proto, .wildcard = 1};

	return gone_is_fine(nlreq_do(x, xfrm_state_del_msg(&s)));
}

/* ESP behind either header passes on to where ESP is judged. */
static const struct xfrm_ro_policy esp_policy = {.dir = XFRM_POLICY_IN,
	.proto = IPPROTO_ESP,
	.mh_type = -1,
	.priority = GLUE_PRIO_ESP,
	.n_templates = 2,
	.templates = {IPPROTO_DSTOPTS, IPPROTO_ROUTING}};

/* Between two mobile nodes there are both; a header without its wildcard state was dropped before. */
static struct xfrm_ro_policy mh_policy(const struct in6_addr *dst)
{
	return (struct xfrm_ro_policy){.dst = *dst,
		.dir = XFRM_POLICY_IN,
		.proto = IPPROTO_MH,
		.mh_type = -1,
		.priority = GLUE_PRIO_MH,
		.n_templates = 2,
		.templates = {IPPROTO_DSTOPTS, IPPROTO_ROUTING}};
}

static int accept_header(struct nlreq *x, const struct in6_addr *dst, uint8_t proto)
{
	struct xfrm_ro_policy p = mh_policy(dst);
	int err = wildcard_set(x, proto);

	if (!err)
		err = nlreq_do(x, xfrm_policy_msg(&esp_policy));
	if (!err)
		err = nlreq_do(x, xfrm_policy_msg(&p));
	return err;
}

static int refuse_header(struct nlreq *x, const struct in6_addr *dst, uint8_t proto)
{
	struct xfrm_ro_policy p = mh_policy(dst);
	int err = gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&p))), e;

	e = gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&esp_policy)));
	err = err ? err : e;
	e = wildcard_del(x, proto);
	return err ? err : e;
}

int xfrm_accept_hao(struct nlreq *x)
{
	return accept_header(x, &any, IPPROTO_DSTOPTS);
}

int xfrm_refuse_hao(struct nlreq *x)
{
	return refuse_header(x, &any, IPPROTO_DSTOPTS);
}

static struct xfrm_ro_policy icmp6_policy(const struct in6_addr *dst, uint32_t mark)
{
	return (struct xfrm_ro_policy){.dst = *dst,
		.dir = XFRM_POLICY_IN,
		.proto = IPPROTO_ICMPV6,
		.mh_type = -1,
		.mark = mark,
		.priority = GLUE_PRIO_MH,
		.n_templates = 1,
		.templates = {IPPROTO_DSTOPTS}};
}

int xfrm_accept_icmp6(struct nlreq *x, const struct in6_addr *dst, uint32_t mark)
{
	struct xfrm_ro_policy p = icmp6_policy(dst, mark);

	return nlreq_do(x, xfrm_policy_msg(&p));
}

int xfrm_refuse_icmp6(struct nlreq *x, const struct in6_addr *dst, uint32_t mark)
{
	struct xfrm_ro_policy p = icmp6_policy(dst, mark);

	return gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&p)));
}

int xfrm_accept_rh2(struct nlreq *x, const struct in6_addr *home_address)
{
	return accept_header(x, home_address, IPPROTO_ROUTING);
}

int xfrm_refuse_rh2(struct nlreq *x, const struct in6_addr *home_address)
{
	return refuse_header(x, home_address, IPPROTO_ROUTING);
}

static struct xfrm_ro_policy bu_policy(
	const struct in6_addr *home_address, const struct in6_addr *peer)
{
	return (struct xfrm_ro_policy){.src = *home_address,
		.dst = *peer,
		.dir = XFRM_POLICY_OUT,
		.proto = IPPROTO_MH,
		.mh_type = MH_BU,
		.priority = GLUE_PRIO_BU,
		.n_templates = 1,
		.templates = {IPPROTO_DSTOPTS}};
}

static bool there(struct nlreq *x, const struct xfrm_ro_policy *p)
{
	struct xfrm_userpolicy_id id;
	struct nl_msg *m = xfrm_policy_del_msg(p); /* names it as a question for it does */

	if (!m)
		return false;
	memcpy(&id, NLMSG_DATA(nlmsg_hdr(m)), sizeof(id));
	nlmsg_free(m);
	return nlreq_get(x, nlreq_msg(XFRM_MSG_GETPOLICY, 0, &id, sizeof(id)), NULL, NULL) == 0;
}

int xfrm_bu_path_set(struct nlreq *x, const struct in6_addr *home_address,
	const struct in6_addr *peer, const struct in6_addr *care_of)
{
	struct xfrm_ro_state s = {
		.src = *home_address, .dst = *peer, .care_of = *care_of, .proto = IPPROTO_DSTOPTS};
	struct xfrm_ro_policy p = bu_policy(home_address, peer);
	int err = nlreq_do(x, xfrm_state_msg(XFRM_MSG_UPDSA, &s));

	/*
	 * Moved: the policy is there already, and writing it again is dear.
	 * But what was updated may be what the kernel made when another policy
	 * (of a VPN or a session) asked for such a state.
	 */
	if (!err && there(x, &p))
		return 0;
	if (err)
		err = xfrm_state_set(x, &s);
	return err ? err : nlreq_do(x, xfrm_policy_msg(&p));
}

int xfrm_bu_path_del(
	struct nlreq *x, const struct in6_addr *home_address, const struct in6_addr *peer)
{
	struct xfrm_ro_state s = {.src = *home_address, .dst = *peer, .proto = IPPROTO_DSTOPTS};
	struct xfrm_ro_policy p = bu_policy(home_address, peer);
	int err = gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&p)));
	int e = gone_is_fine(nlreq_do(x, xfrm_state_del_msg(&s)));

	return err ? err : e;
}

static const int signal_types[] = {MH_REVOCATION, MH_HEARTBEAT};
#define N_SIGNAL_TYPES (sizeof(signal_types) / sizeof(signal_types[0]))

/* Mobile Prefix Solicitations; the ICMPv6 type is where a Mobility Header's is. */
static struct xfrm_ro_policy solicit_policy(
	const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct xfrm_ro_policy p = bu_policy(home_address, home_agent);

	p.proto = IPPROTO_ICMPV6;
	p.mh_type = ICMP6T_MPS;
	return p;
}

/* Mobile Prefix Advertisements: behind the header the kernel does not see the type of what comes in. */
static struct xfrm_ro_policy advert_policy(
	const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	return (struct xfrm_ro_policy){.src = *home_agent,
		.dst = *home_address,
		.dir = XFRM_POLICY_IN,
		.proto = IPPROTO_ICMPV6,
		.mh_type = -1,
		.priority = GLUE_PRIO_MH,
		.n_templates = 1,
		.templates = {IPPROTO_ROUTING}};
}

int xfrm_signal_path_set(
	struct nlreq *x, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct xfrm_ro_policy p = bu_policy(home_address, home_agent);
	struct xfrm_ro_policy solicit = solicit_policy(home_address, home_agent),
			      advert = advert_policy(home_address, home_agent);
	int err = 0;

	for (size_t i = 0; i < N_SIGNAL_TYPES && !err; i++) {
		p.mh_type = signal_types[i];
		err = nlreq_do(x, xfrm_policy_msg(&p));
	}
	if (!err)
		err = nlreq_do(x, xfrm_policy_msg(&advert));
	return err ? err : nlreq_do(x, xfrm_policy_msg(&solicit));
}

int xfrm_signal_path_del(
	struct nlreq *x, const struct in6_addr *home_address, const struct in6_addr *home_agent)
{
	struct xfrm_ro_policy p = bu_policy(home_address, home_agent),
			      solicit = solicit_policy(home_address, home_agent),
			      advert = advert_policy(home_address, home_agent);
	int err = gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&solicit))), e;

	e = gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&advert)));
	err = err ? err : e;
	for (size_t i = 0; i < N_SIGNAL_TYPES; i++) {

		p.mh_type = signal_types[i];
		e = gone_is_fine(nlreq_do(x, xfrm_policy_del_msg(&p)));
		err = err ? err : e;
	}
	return err;
}

/* ---- what a predecessor left ---- */

#define MAX_PEERS 64

struct peers {
	struct in6_addr home_address, peer[MAX_PEERS];
	size_t n;
};

static int note_peer(void *arg, const struct nlmsghdr *h)
{
	struct peers *p = arg;
	struct xfrm_usersa_info s;

	if (h->nlmsg_type != XFRM_MSG_NEWSA || h->nlmsg_len < NLMSG_LENGTH(sizeof(s)))
		return 0;
	memcpy(&s, NLMSG_DATA((struct nlmsghdr *)h), sizeof(s));
	if (s.mode == XFRM_MODE_ROUTEOPTIMIZATION && s.id.proto == IPPROTO_DSTOPTS &&
		memcmp(&s.saddr, &p->home_address, sizeof(p->home_address)) == 0 &&
		p->n < MAX_PEERS)
		memcpy(&p->peer[p->n++], &s.id.daddr, sizeof(p->peer[0]));
	return 0;
}

int xfrm_bu_path_flush(struct nlreq *x, const struct in6_addr *home_address)
{
	struct peers p = {.home_address = *home_address};
	int err = nlreq_dump(x, nlreq_msg(XFRM_MSG_GETSA, 0, NULL, 0), note_peer, &p);

	for (size_t i = 0; i < p.n; i++) {
		int e = xfrm_signal_path_del(x, home_address, &p.peer[i]);

		err = err ? err : e;
		e = xfrm_bu_path_del(x, home_address, &p.peer[i]);

		err = err ? err : e;
	}
	return err;
}
