/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/xfrm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/xfrm.h>
#include <string.h>

#include "mip6/wire.h"
#include "mip6d/os/netlink.h"

#define PRIO_ESP_BEHIND_RO 1
#define PRIO_MH 4000
#define PRIO_BU 10
#define PROTO_ROUTING 43
#define PROTO_DSTOPTS 60
#define PROTO_ESP 50
#define MARK_BIT 0x80000000u /* cleared on output; its change makes cached bundles look again */

static void any_limits(struct xfrm_lifetime_cfg *l)
{
	l->soft_byte_limit = l->hard_byte_limit = XFRM_INF;
	l->soft_packet_limit = l->hard_packet_limit = XFRM_INF;
}

static struct nl_msg *state_msg(int type, uint8_t proto, const struct in6_addr *src,
	const struct in6_addr *dst, const struct in6_addr *coa, uint8_t flags)
{
	struct xfrm_usersa_info sa;
	struct nl_msg *m;

	memset(&sa, 0, sizeof(sa));
	memcpy(&sa.id.daddr, dst, 16);
	memcpy(&sa.saddr, src, 16);
	sa.id.proto = proto;
	sa.family = AF_INET6;
	sa.mode = XFRM_MODE_ROUTEOPTIMIZATION;
	sa.flags = flags;
	any_limits(&sa.lft);
	m = nlreq_msg(type, type == XFRM_MSG_NEWSA ? NLM_F_CREATE | NLM_F_EXCL : 0, &sa, sizeof(sa));
	if (!m)
		return NULL;
	if (nla_put(m, XFRMA_COADDR, 16, coa) < 0)
		goto fail;
	if (type == XFRM_MSG_UPDSA && (nla_put_u32(m, XFRMA_SET_MARK, 0) < 0 ||
					      nla_put_u32(m, XFRMA_SET_MARK_MASK, MARK_BIT) < 0))
		goto fail;
	return m;
fail:
	nlmsg_free(m);
	return NULL;
}

static int state_set(struct nlreq *x, uint8_t proto, const struct in6_addr *src, const struct in6_addr *dst,
	const struct in6_addr *coa, uint8_t flags)
{
	int err = nlreq_do(x, state_msg(XFRM_MSG_UPDSA, proto, src, dst, coa, flags));

	if (err == -ESRCH)
		err = nlreq_do(x, state_msg(XFRM_MSG_NEWSA, proto, src, dst, coa, flags));
	if (err == -EEXIST)
		err = nlreq_do(x, state_msg(XFRM_MSG_UPDSA, proto, src, dst, coa, flags));
	return err;
}

static int state_del(struct nlreq *x, uint8_t proto, const struct in6_addr *src, const struct in6_addr *dst)
{
	struct xfrm_usersa_id id;
	struct nl_msg *m;

	memset(&id, 0, sizeof(id));
	memcpy(&id.daddr, dst, 16);
	id.family = AF_INET6;
	id.proto = proto;
	m = nlreq_msg(XFRM_MSG_DELSA, 0, &id, sizeof(id));
	if (m && nla_put(m, XFRMA_SRCADDR, 16, src) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return nlreq_do(x, m);
}

static void selector(struct xfrm_selector *s, const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto,
	int mh_type)
{
	memset(s, 0, sizeof(*s));
	s->family = AF_INET6;
	if (src) {
		memcpy(&s->saddr, src, 16);
		s->prefixlen_s = 128;
	}
	if (dst) {
		memcpy(&s->daddr, dst, 16);
		s->prefixlen_d = 128;
	}
	s->proto = proto;
	if (mh_type >= 0) {
		s->sport = htons((uint16_t)mh_type);
		s->sport_mask = 0xffff;
	}
}

struct policy {
	uint8_t dir;
	uint32_t priority;
	const struct in6_addr *src, *dst;
	uint8_t proto;
	int mh_type; /* -1: any */
	size_t n;
	struct xfrm_user_tmpl tmpl[2];
};

static void add_tmpl(struct policy *p, uint8_t proto, const struct in6_addr *src, const struct in6_addr *dst,
	bool optional)
{
	struct xfrm_user_tmpl *t = &p->tmpl[p->n++];

	memset(t, 0, sizeof(*t));
	if (dst)
		memcpy(&t->id.daddr, dst, 16);
	if (src)
		memcpy(&t->saddr, src, 16);
	t->id.proto = proto;
	t->family = AF_INET6;
	t->mode = XFRM_MODE_ROUTEOPTIMIZATION;
	t->optional = optional;
	t->aalgos = t->ealgos = t->calgos = ~0u;
}

static int policy_set(struct nlreq *x, const struct policy *p)
{
	struct xfrm_userpolicy_info info;
	struct nl_msg *m;

	memset(&info, 0, sizeof(info));
	selector(&info.sel, p->src, p->dst, p->proto, p->mh_type);
	any_limits(&info.lft);
	info.priority = p->priority;
	info.dir = p->dir;
	info.action = XFRM_POLICY_ALLOW;
	m = nlreq_msg(XFRM_MSG_UPDPOLICY, 0, &info, sizeof(info));
	if (m && nla_put(m, XFRMA_TMPL, (int)(p->n * sizeof(p->tmpl[0])), p->tmpl) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return nlreq_do(x, m);
}

static int policy_del(struct nlreq *x, const struct policy *p)
{
	struct xfrm_userpolicy_id id;

	memset(&id, 0, sizeof(id));
	selector(&id.sel, p->src, p->dst, p->proto, p->mh_type);
	id.dir = p->dir;
	return nlreq_do(x, nlreq_msg(XFRM_MSG_DELPOLICY, 0, &id, sizeof(id)));
}

static struct policy esp_policy(void)
{
	struct policy p = {.dir = XFRM_POLICY_IN, .priority = PRIO_ESP_BEHIND_RO, .proto = PROTO_ESP, .mh_type = -1};

	add_tmpl(&p, PROTO_DSTOPTS, NULL, NULL, true);
	add_tmpl(&p, PROTO_ROUTING, NULL, NULL, true);
	return p;
}

static struct policy mh_policy(const struct in6_addr *dst, uint8_t ro)
{
	struct policy p = {.dir = XFRM_POLICY_IN, .priority = PRIO_MH, .proto = MIP6_PROTO_MH, .mh_type = -1, .dst = dst};

	add_tmpl(&p, ro, NULL, NULL, true);
	return p;
}

static struct policy bu_policy(const struct in6_addr *hoa, const struct in6_addr *peer)
{
	struct policy p = {.dir = XFRM_POLICY_OUT, .priority = PRIO_BU, .proto = MIP6_PROTO_MH, .mh_type = MH_BU,
		.src = hoa, .dst = peer};

	add_tmpl(&p, PROTO_DSTOPTS, hoa, peer, false);
	return p;
}

static int accept_ro(struct nlreq *x, uint8_t ro, const struct in6_addr *dst)
{
	struct policy esp = esp_policy(), mh = mh_policy(dst, ro);
	int err = state_set(x, ro, &in6addr_any, &in6addr_any, &in6addr_any,
		XFRM_STATE_WILDRECV | XFRM_STATE_AF_UNSPEC);

	if (!err)
		err = policy_set(x, &esp);
	return err ? err : policy_set(x, &mh);
}

static int refuse_ro(struct nlreq *x, uint8_t ro, const struct in6_addr *dst)
{
	struct policy esp = esp_policy(), mh = mh_policy(dst, ro);
	int a = policy_del(x, &mh), b = policy_del(x, &esp);
	int c = state_del(x, ro, &in6addr_any, &in6addr_any);

	return a ? a : b ? b : c;
}

int xfrm_accept_hao(struct nlreq *x)
{
	return accept_ro(x, PROTO_DSTOPTS, NULL);
}

int xfrm_refuse_hao(struct nlreq *x)
{
	return refuse_ro(x, PROTO_DSTOPTS, NULL);
}

int xfrm_accept_rh2(struct nlreq *x, const struct in6_addr *hoa)
{
	return accept_ro(x, PROTO_ROUTING, hoa);
}

int xfrm_refuse_rh2(struct nlreq *x, const struct in6_addr *hoa)
{
	return refuse_ro(x, PROTO_ROUTING, hoa);
}

int xfrm_bu_path_set(struct nlreq *x, const struct in6_addr *hoa, const struct in6_addr *peer,
	const struct in6_addr *coa)
{
	struct policy p = bu_policy(hoa, peer);
	int err = state_set(x, PROTO_DSTOPTS, hoa, peer, coa, XFRM_STATE_AF_UNSPEC);

	return err ? err : policy_set(x, &p);
}

int xfrm_bu_path_del(struct nlreq *x, const struct in6_addr *hoa, const struct in6_addr *peer)
{
	struct policy p = bu_policy(hoa, peer);
	int a = policy_del(x, &p), b = state_del(x, PROTO_DSTOPTS, hoa, peer);

	return a ? a : b;
}
