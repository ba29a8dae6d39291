/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/build.h"

#include <linux/xfrm.h>
#include <openssl/crypto.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/xfrm.h"
#include "lib/netlink.h"

#define ADDR_LEN ((int)sizeof(struct in6_addr))

static void put_addr(xfrm_address_t *to, const struct in6_addr *a)
{
	memcpy(to, a, sizeof(*a));
}

/* An SA with the largest window and keys is the largest. */
#define ROOM 1400

static struct nl_msg *message(int type, int flags, const void *header, size_t len)
{
	return nlreq_msg_small(ROOM, type, flags, header, len);
}

void ipsec_message_free(struct nl_msg *m)
{
	if (!m)
		return;
	OPENSSL_cleanse(nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
	nlmsg_free(m);
}

/* m, or NULL with m wiped and freed when something did not go into it. */
static struct nl_msg *whole(struct nl_msg *m, int err)
{
	if (err >= 0)
		return m;
	ipsec_message_free(m);
	return NULL;
}

/* ---- SAs ---- */

static struct xfrm_selector selector(const struct ipsec_selector *s)
{
	struct xfrm_selector x = {.family = s->family,
		.proto = s->proto,
		.prefixlen_s = s->src.plen,
		.prefixlen_d = s->dst.plen};

	put_addr(&x.saddr, &s->src.addr);
	put_addr(&x.daddr, &s->dst.addr);
	if (s->type >= 0) {
		x.sport = htons((uint16_t)s->type);
		x.sport_mask = htons(0xffff);
	}
	return x;
}

static uint64_t limit(uint64_t n)
{
	return n ? n : XFRM_INF;
}

static struct xfrm_lifetime_cfg limits(const struct ipsec_sa *sa)
{
	return (struct xfrm_lifetime_cfg){.soft_byte_limit = limit(sa->soft_bytes),
		.hard_byte_limit = limit(sa->hard_bytes),
		.soft_packet_limit = limit(sa->soft_packets),
		.hard_packet_limit = limit(sa->hard_packets),
		.soft_add_expires_seconds = sa->soft_s,
		.hard_add_expires_seconds = sa->hard_s};
}

static int put_aead(struct nl_msg *m, const struct ipsec_sa *sa)
{
	const struct ipsec_algorithm *a = sa->algorithm;
	int len = (int)(sizeof(struct xfrm_algo_aead) + a->key_len);
	struct nlattr *at = nla_reserve(m, XFRMA_ALG_AEAD, len);
	struct xfrm_algo_aead *k;

	if (!at)
		return -1;
	k = nla_data(at);
	memset(k, 0, (size_t)len);
	strncpy(k->alg_name, a->aead, sizeof(k->alg_name) - 1);
	k->alg_key_len = a->key_len * 8u;
	k->alg_icv_len = a->icv_bits;
	memcpy(k->alg_key, sa->key.octets, a->key_len);
	return 0;
}

static int put_crypt(struct nl_msg *m, const struct ipsec_sa *sa)
{
	const struct ipsec_algorithm *a = sa->algorithm;
	int len = (int)(sizeof(struct xfrm_algo) + a->key_len);
	struct nlattr *at = nla_reserve(m, XFRMA_ALG_CRYPT, len);
	struct xfrm_algo *k;

	if (!at)
		return -1;
	k = nla_data(at);
	memset(k, 0, (size_t)len);
	strncpy(k->alg_name, a->crypt, sizeof(k->alg_name) - 1);
	k->alg_key_len = a->key_len * 8u;
	memcpy(k->alg_key, sa->key.octets, a->key_len);
	return 0;
}

static int put_auth(struct nl_msg *m, const struct ipsec_sa *sa)
{
	const struct ipsec_algorithm *a = sa->algorithm;
	int len = (int)(sizeof(struct xfrm_algo_auth) + a->auth_key_len);
	struct nlattr *at = nla_reserve(m, XFRMA_ALG_AUTH_TRUNC, len);
	struct xfrm_algo_auth *k;

	if (!at)
		return -1;
	k = nla_data(at);
	memset(k, 0, (size_t)len);
	strncpy(k->alg_name, a->auth, sizeof(k->alg_name) - 1);
	k->alg_key_len = a->auth_key_len * 8u;
	k->alg_trunc_len = a->icv_bits;
	memcpy(k->alg_key, sa->key.octets + a->key_len, a->auth_key_len);
	return 0;
}

static int put_algorithm(struct nl_msg *m, const struct ipsec_sa *sa)
{
	if (!sa->algorithm || sa->key.len != ipsec_algorithm_key_len(sa->algorithm))
		return -1;
	if (sa->algorithm->aead)
		return put_aead(m, sa);
	return put_crypt(m, sa) | put_auth(m, sa);
}

#define ESN_SMALLEST_WINDOW 32 /* the kernel wants one, even of an SA that only sends */

/* A window of any size, and 64 bit numbers, go by this attribute whether or not they are extended (RFC 4303 2.2.1). */
static int put_replay(struct nl_msg *m, const struct ipsec_sa *sa)
{
	uint32_t window = sa->esn && !sa->replay_window ? ESN_SMALLEST_WINDOW : sa->replay_window;
	uint32_t words = (window + 31) / 32;
	int len = (int)(sizeof(struct xfrm_replay_state_esn) + 4 * words);
	struct xfrm_replay_state_esn *e;
	struct nlattr *at;

	if (len > IPSEC_REPLAY_MAX)
		return -1;
	at = nla_reserve(m, XFRMA_REPLAY_ESN_VAL, len);
	if (!at)
		return -1;
	e = nla_data(at);
	memset(e, 0, (size_t)len);
	e->bmp_len = words;
	e->replay_window = window;
	e->oseq = (uint32_t)sa->sent;
	e->oseq_hi = sa->esn ? (uint32_t)(sa->sent >> 32) : 0;
	e->seq = (uint32_t)sa->received;
	e->seq_hi = sa->esn ? (uint32_t)(sa->received >> 32) : 0;
	if (sa->received) /* older ones are refused: as if all of them had come */
		memset(e->bmp, 0xff, 4 * words);
	return 0;
}

/* AF_UNSPEC: without a selector packets of either family may be inside. */
static struct nl_msg *build_sa(const struct ipsec_sa *sa, int type)
{
	struct xfrm_usersa_info h = {.family = AF_INET6,
		.mode = (uint8_t)sa->mode,
		.reqid = sa->reqid,
		.flags = (uint8_t)(XFRM_STATE_AF_UNSPEC | (sa->esn ? XFRM_STATE_ESN : 0)),
		.lft = limits(sa)};
	struct nl_msg *m;

	if (sa->has_sel)
		h.sel = selector(&sa->sel);
	put_addr(&h.saddr, &sa->src);
	put_addr(&h.id.daddr, &sa->dst);
	h.id.spi = htonl(sa->spi);
	h.id.proto = IPPROTO_ESP;
	m = message(type, type == XFRM_MSG_NEWSA ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_REPLACE, &h,
		sizeof(h));
	if (!m)
		return NULL;
	return whole(m, put_algorithm(m, sa) | put_replay(m, sa));
}

static struct nl_msg *build_sa_id(const struct in6_addr *dst, uint32_t spi, int type)
{
	struct xfrm_usersa_id h = {.family = AF_INET6, .proto = IPPROTO_ESP, .spi = htonl(spi)};

	put_addr(&h.daddr, dst);
	return message(type, 0, &h, sizeof(h));
}

struct nl_msg *ipsec_build_get_sa(const struct in6_addr *dst, uint32_t spi)
{
	return build_sa_id(dst, spi, XFRM_MSG_GETSA);
}

struct nl_msg *ipsec_build_dump_sas(void)
{
	return message(XFRM_MSG_GETSA, NLM_F_DUMP, NULL, 0);
}

struct nl_msg *ipsec_build_dump_policies(void)
{
	return message(XFRM_MSG_GETPOLICY, NLM_F_DUMP, NULL, 0);
}

/* ---- policies ---- */

static int put_templates(struct nl_msg *m, const struct ipsec_policy *p)
{
	struct xfrm_user_tmpl t[IPSEC_MAX_TEMPLATES];

	if (!p->n_templates)
		return 0;
	if (p->n_templates > IPSEC_MAX_TEMPLATES)
		return -1;
	memset(t, 0, sizeof(t));
	for (size_t i = 0; i < p->n_templates; i++) {
		const struct ipsec_template *q = &p->templates[i];

		t[i].id.proto = q->proto;
		put_addr(&t[i].id.daddr, &q->dst);
		put_addr(&t[i].saddr, &q->src);
		t[i].family = AF_INET6;
		t[i].mode = (uint8_t)q->mode;
		t[i].reqid = q->reqid;
		t[i].optional = q->optional;
		t[i].aalgos = t[i].ealgos = t[i].calgos = ~0u;
	}
	return nla_put(m, XFRMA_TMPL, (int)(p->n_templates * sizeof(t[0])), t);
}

/* A bit that no packet has (marks.h): for the kernel it is another policy than that without. */
static int put_mark(struct nl_msg *m, const struct ipsec_policy *p)
{
	struct xfrm_mark mark = {.v = 0, .m = GLUE_BUMP};

	return p->marked ? nla_put(m, XFRMA_MARK, sizeof(mark), &mark) : 0;
}

static struct nl_msg *build_policy(const struct ipsec_policy *p)
{
	static const struct ipsec_sa no_limits;
	struct xfrm_userpolicy_info h = {.sel = selector(&p->sel),
		.lft = limits(&no_limits),
		.priority = p->priority,
		.dir = (uint8_t)p->dir,
		.action = p->block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW,
		.share = XFRM_SHARE_ANY};
	struct nl_msg *m = message(XFRM_MSG_UPDPOLICY, NLM_F_REPLACE, &h, sizeof(h));

	return m ? whole(m, put_templates(m, p) | put_mark(m, p)) : NULL;
}

static struct nl_msg *build_policy_id(const struct ipsec_policy *p, int type)
{
	struct xfrm_userpolicy_id h = {.sel = selector(&p->sel), .dir = (uint8_t)p->dir};
	struct nl_msg *m = message(type, 0, &h, sizeof(h));

	return m ? whole(m, put_mark(m, p)) : NULL;
}

/* ---- states of the Home Address option and the routing header ---- */

static struct xfrm_ro_state ro_state(const struct ipsec_ro *ro)
{
	return (struct xfrm_ro_state){.src = ro->src,
		.dst = ro->dst,
		.care_of = ro->care_of,
		.proto = ro->proto,
		.wildcard = ro->wildcard};
}

static struct nl_msg *build_ro(const struct ipsec_ro *ro, int type)
{
	struct xfrm_ro_state s = ro_state(ro);

	return xfrm_state_msg(type, &s);
}

struct nl_msg *ipsec_build_ro_add(const struct ipsec_ro *ro)
{
	return build_ro(ro, XFRM_MSG_NEWSA);
}

static struct nl_msg *build_ro_id(const struct ipsec_ro *ro, int type)
{
	struct xfrm_usersa_id h = {.family = AF_INET6, .proto = ro->proto};
	struct nl_msg *m;

	put_addr(&h.daddr, &ro->dst);
	m = message(type, 0, &h, sizeof(h));
	return m ? whole(m, nla_put(m, XFRMA_SRCADDR, ADDR_LEN, &ro->src)) : NULL;
}

/* ---- moving ---- */

static int put_kmaddress(struct nl_msg *m, const struct ipsec_migrate *g)
{
	struct xfrm_user_kmaddress k = {.family = AF_INET6};

	if (!g->tell)
		return 0;
	put_addr(&k.local, &g->local);
	put_addr(&k.remote, &g->remote);
	return nla_put(m, XFRMA_KMADDRESS, sizeof(k), &k);
}

static struct nl_msg *build_migrate(const struct ipsec_migrate *g)
{
	struct xfrm_userpolicy_id h = {.sel = selector(&g->sel), .dir = (uint8_t)g->dir};
	struct xfrm_userpolicy_type main_type = {.type = XFRM_POLICY_TYPE_MAIN};
	struct xfrm_user_migrate u = {.proto = IPPROTO_ESP,
		.mode = (uint8_t)g->mode,
		.reqid = g->reqid,
		.old_family = AF_INET6,
		.new_family = AF_INET6};
	struct nl_msg *m = message(XFRM_MSG_MIGRATE, 0, &h, sizeof(h));

	if (!m)
		return NULL;
	put_addr(&u.old_saddr, &g->old_src);
	put_addr(&u.old_daddr, &g->old_dst);
	put_addr(&u.new_saddr, &g->new_src);
	put_addr(&u.new_daddr, &g->new_dst);
	return whole(m, nla_put(m, XFRMA_POLICY_TYPE, sizeof(main_type), &main_type) |
				nla_put(m, XFRMA_MIGRATE, sizeof(u), &u) | put_kmaddress(m, g));
}

/* ---- operations ---- */

struct nl_msg *ipsec_build(const struct ipsec_op *op)
{
	switch (op->type) {
	case IPSEC_SA_ADD:
		return build_sa(&op->sa, XFRM_MSG_NEWSA);
	case IPSEC_SA_DEL:
		return build_sa_id(&op->sa.dst, op->sa.spi, XFRM_MSG_DELSA);
	case IPSEC_SA_LIMITS:
		return build_sa(&op->sa, XFRM_MSG_UPDSA);
	case IPSEC_POLICY_SET:
		return build_policy(&op->policy);
	case IPSEC_POLICY_DEL:
		return build_policy_id(&op->policy, XFRM_MSG_DELPOLICY);
	case IPSEC_RO_SET:
		return build_ro(&op->ro, XFRM_MSG_UPDSA);
	case IPSEC_RO_DEL:
		return build_ro_id(&op->ro, XFRM_MSG_DELSA);
	case IPSEC_MIGRATE:
		return build_migrate(&op->migrate);
	case IPSEC_SA_STOP:
	case IPSEC_SA_SKIP:
	case IPSEC_PAUSE:
	case IPSEC_RESUME:
		break;
	}
	return NULL;
}

struct nl_msg *ipsec_build_look(const struct ipsec_op *op)
{
	if (op->type == IPSEC_SA_DEL || op->type == IPSEC_SA_LIMITS)
		return ipsec_build_get_sa(&op->sa.dst, op->sa.spi);
	if (op->type == IPSEC_POLICY_SET || op->type == IPSEC_POLICY_DEL)
		return build_policy_id(&op->policy, XFRM_MSG_GETPOLICY);
	if (op->type == IPSEC_RO_SET || op->type == IPSEC_RO_DEL)
		return build_ro_id(&op->ro, XFRM_MSG_GETSA);
	return NULL;
}

/* ---- sequence numbers ---- */

static const struct nlattr *attribute(const struct nlmsghdr *h, size_t header, int type)
{
	return nla_find(nlmsg_attrdata(h, (int)header), nlmsg_attrlen(h, (int)header), type);
}

static bool holds_sa(const struct nlmsghdr *h)
{
	return (h->nlmsg_type == XFRM_MSG_NEWSA || h->nlmsg_type == XFRM_MSG_UPDSA) &&
	       h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct xfrm_usersa_info));
}

bool ipsec_replay_read(const struct nlmsghdr *sa, struct ipsec_replay *r)
{
	const struct xfrm_usersa_info *i = nlmsg_data(sa);
	size_t least = sizeof(struct xfrm_replay_state_esn);
	const struct nlattr *a;

	if (!holds_sa(sa))
		return false;
	r->esn = i->flags & XFRM_STATE_ESN;
	r->type = XFRMA_REPLAY_ESN_VAL;
	a = attribute(sa, sizeof(*i), r->type);
	if (!a) {
		r->type = XFRMA_REPLAY_VAL;
		least = sizeof(struct xfrm_replay_state);
		a = attribute(sa, sizeof(*i), r->type);
	}
	if (!a || nla_len(a) < (int)least || nla_len(a) > IPSEC_REPLAY_MAX)
		return false;
	r->len = (uint16_t)nla_len(a);
	memcpy(r->octets, nla_data(a), r->len);
	return true;
}

static void set_sent(struct ipsec_replay *r, uint32_t hi, uint32_t lo)
{
	if (r->type == XFRMA_REPLAY_ESN_VAL) {
		struct xfrm_replay_state_esn *e = (void *)r->octets;

		e->oseq = lo;
		e->oseq_hi = hi;
	} else {
		struct xfrm_replay_state *v = (void *)r->octets;

		v->oseq = lo;
	}
}

/* The kernel refuses to send what would come after the highest number (RFC 4303 3.3.3). */
void ipsec_replay_stop(struct ipsec_replay *r)
{
	set_sent(r, r->esn ? UINT32_MAX : 0, UINT32_MAX);
}

void ipsec_replay_skip(struct ipsec_replay *r)
{
	const struct xfrm_replay_state_esn *e = (const void *)r->octets;
	const struct xfrm_replay_state *v = (const void *)r->octets;
	uint64_t last = r->esn ? UINT64_MAX : UINT32_MAX, sent = v->oseq;

	if (r->type == XFRMA_REPLAY_ESN_VAL)
		sent = (r->esn ? (uint64_t)e->oseq_hi << 32 : 0) | e->oseq;
	sent = last - sent < IPSEC_SEQUENCE_GAP ? last : sent + IPSEC_SEQUENCE_GAP;
	set_sent(r, (uint32_t)(sent >> 32), (uint32_t)sent);
}

struct nl_msg *ipsec_build_replay(const struct ipsec_sa *sa, const struct ipsec_replay *r)
{
	struct xfrm_aevent_id h = {.reqid = sa->reqid};
	struct nl_msg *m;

	put_addr(&h.sa_id.daddr, &sa->dst);
	put_addr(&h.saddr, &sa->src);
	h.sa_id.spi = htonl(sa->spi);
	h.sa_id.family = AF_INET6;
	h.sa_id.proto = IPPROTO_ESP;
	m = message(XFRM_MSG_NEWAE, NLM_F_REPLACE, &h, sizeof(h));
	return m ? whole(m, nla_put(m, r->type, r->len, r->octets)) : NULL;
}

/* ---- undoing ---- */

/* What the kernel tells of an object is what it takes for making one, but for an SA's counters. */
static struct nl_msg *sa_again(const struct nlmsghdr *was, bool update)
{
	const struct xfrm_usersa_info *i = nlmsg_data(was);
	struct nl_msg *m = nlreq_msg(update ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA,
		update ? NLM_F_REPLACE : NLM_F_CREATE | NLM_F_EXCL, i, sizeof(*i));
	struct ipsec_replay r;
	const struct nlattr *a;
	int left, err = 0;

	if (!m)
		return NULL;
	nla_for_each_attr(a, nlmsg_attrdata(was, sizeof(*i)), nlmsg_attrlen(was, sizeof(*i)), left)
	{
		int t = nla_type(a);

		if (t != XFRMA_REPLAY_ESN_VAL && t != XFRMA_REPLAY_VAL && t != XFRMA_LASTUSED &&
			t != XFRMA_PAD)
			err |= nla_put(m, t, nla_len(a), nla_data(a));
	}
	err |= nla_put(m, XFRMA_LTIME_VAL, sizeof(i->curlft), &i->curlft);
	if (i->id.proto == IPPROTO_ESP && ipsec_replay_read(was, &r)) {
		ipsec_replay_skip(&r);
		err |= nla_put(m, r.type, r.len, r.octets);
	}
	return whole(m, err);
}

struct nl_msg *ipsec_build_again(const struct nlmsghdr *was, bool update)
{
	int len = nlmsg_datalen(was);

	if (holds_sa(was))
		return sa_again(was, update);
	if (was->nlmsg_type != XFRM_MSG_NEWPOLICY ||
		len < (int)sizeof(struct xfrm_userpolicy_info))
		return NULL;
	return nlreq_msg(XFRM_MSG_UPDPOLICY, NLM_F_REPLACE, nlmsg_data(was), (size_t)len);
}

/* ---- the policy database ---- */

struct nl_msg *ipsec_build_hash_bits(uint8_t local, uint8_t remote)
{
	struct xfrmu_spdhthresh bits = {.lbits = local, .rbits = remote};
	uint32_t flags = 0;
	struct nl_msg *m = message(XFRM_MSG_NEWSPDINFO, 0, &flags, sizeof(flags));

	return m ? whole(m, nla_put(m, XFRMA_SPD_IPV6_HTHRESH, sizeof(bits), &bits)) : NULL;
}

struct nl_msg *ipsec_build_get_hash_bits(void)
{
	uint32_t flags = 0;

	return message(XFRM_MSG_GETSPDINFO, 0, &flags, sizeof(flags));
}
