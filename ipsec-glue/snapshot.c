/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/snapshot.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/build.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/xfrm_read.h"
#include "lib/netlink.h"

/* ---- SAs ---- */

bool ipsec_selector_read(const void *xfrm_selector, struct ipsec_selector *s)
{
	struct xfrm_selector x;
	unsigned longest;

	memcpy(&x, xfrm_selector, sizeof(x));
	longest = x.family == AF_INET6 ? 128 : 32;
	if ((x.family != AF_INET6 && x.family != AF_INET) || x.prefixlen_s > longest ||
		x.prefixlen_d > longest || x.ifindex || x.user || x.dport_mask)
		return false;
	if (x.sport_mask && (x.sport_mask != htons(0xffff) || ntohs(x.sport) > INT16_MAX))
		return false;
	*s = (struct ipsec_selector){.family = (uint8_t)x.family,
		.proto = x.proto,
		.type = x.sport_mask ? (int16_t)ntohs(x.sport) : -1,
		.src = {.addr = xfrm_read_address(&x.saddr), .plen = x.prefixlen_s},
		.dst = {.addr = xfrm_read_address(&x.daddr), .plen = x.prefixlen_d}};
	return true;
}

static const struct xfrm_usersa_info *state(const struct nlmsghdr *h)
{
	if (h->nlmsg_type != XFRM_MSG_NEWSA && h->nlmsg_type != XFRM_MSG_UPDSA)
		return NULL;
	return xfrm_read_body(h, sizeof(struct xfrm_usersa_info));
}

/* A name that ends where its array does; NULL when the attribute is not there. */
static const char *algorithm_name(const char *name)
{
	return name && memchr(name, 0, 64) ? name : NULL;
}

static const struct ipsec_algorithm *read_algorithm(const struct nlmsghdr *h)
{
	const size_t header = sizeof(struct xfrm_usersa_info);
	const struct xfrm_algo_aead *aead =
		xfrm_read_attribute(h, header, XFRMA_ALG_AEAD, sizeof(struct xfrm_algo_aead));
	const struct xfrm_algo *crypt =
		xfrm_read_attribute(h, header, XFRMA_ALG_CRYPT, sizeof(struct xfrm_algo));
	const struct xfrm_algo_auth *auth =
		xfrm_read_attribute(h, header, XFRMA_ALG_AUTH_TRUNC, sizeof(struct xfrm_algo_auth));

	if (aead)
		return ipsec_algorithm_of_kernel(
			algorithm_name(aead->alg_name), NULL, aead->alg_key_len / 8, NULL);
	if (!crypt || !auth)
		return NULL;
	return ipsec_algorithm_of_kernel(NULL, algorithm_name(crypt->alg_name),
		crypt->alg_key_len / 8, algorithm_name(auth->alg_name));
}

static void read_replay(const struct nlmsghdr *h, const struct xfrm_usersa_info *i, struct ipsec_sa *sa)
{
	struct ipsec_replay r;
	struct xfrm_replay_state_esn e;
	struct xfrm_replay_state v;

	sa->replay_window = i->replay_window;
	if (!ipsec_replay_read(h, &r))
		return;
	if (r.type == XFRMA_REPLAY_VAL) {
		memcpy(&v, r.octets, sizeof(v));
		sa->sent = v.oseq;
		sa->received = v.seq;
		return;
	}
	memcpy(&e, r.octets, sizeof(e));
	sa->replay_window = e.replay_window;
	sa->sent = (r.esn ? (uint64_t)e.oseq_hi << 32 : 0) | e.oseq;
	sa->received = (r.esn ? (uint64_t)e.seq_hi << 32 : 0) | e.seq;
}

static uint64_t limit(uint64_t n)
{
	return n == XFRM_INF ? 0 : n;
}

static void read_limits(const struct xfrm_lifetime_cfg *l, struct ipsec_sa *sa)
{
	sa->soft_bytes = limit(l->soft_byte_limit);
	sa->hard_bytes = limit(l->hard_byte_limit);
	sa->soft_packets = limit(l->soft_packet_limit);
	sa->hard_packets = limit(l->hard_packet_limit);
	sa->soft_s = l->soft_add_expires_seconds;
	sa->hard_s = l->hard_add_expires_seconds;
}

bool ipsec_sa_read(const struct nlmsghdr *h, struct ipsec_sa_info *out)
{
	const struct xfrm_usersa_info *i = state(h);
	const uint64_t *used;

	if (!i || i->family != AF_INET6 || i->id.proto != IPPROTO_ESP || i->mode > IPSEC_TUNNEL)
		return false;
	*out = (struct ipsec_sa_info){.sa = {.src = xfrm_read_address(&i->saddr),
					      .dst = xfrm_read_address(&i->id.daddr),
					      .spi = ntohl(i->id.spi),
					      .reqid = i->reqid,
					      .mode = (enum ipsec_mode)i->mode,
					      .esn = i->flags & XFRM_STATE_ESN,
					      .algorithm = read_algorithm(h)},
		.packets = i->curlft.packets,
		.bytes = i->curlft.bytes,
		.added = i->curlft.add_time,
		.used = i->curlft.use_time,
		.replay_failed = i->stats.replay + i->stats.replay_window,
		.integrity_failed = i->stats.integrity_failed};
	/* One that is not understood is another than any of ours. */
	out->sa.has_sel = i->sel.family != AF_UNSPEC;
	if (out->sa.has_sel && !ipsec_selector_read(&i->sel, &out->sa.sel))
		out->sa.sel = (struct ipsec_selector){0};
	read_replay(h, i, &out->sa);
	read_limits(&i->lft, &out->sa);
	used = xfrm_read_attribute(h, sizeof(*i), XFRMA_LASTUSED, sizeof(*used));
	if (used)
		memcpy(&out->used, used, sizeof(out->used));
	return true;
}

bool ipsec_ro_read(const struct nlmsghdr *h, struct ipsec_ro *ro)
{
	const struct xfrm_usersa_info *i = state(h);
	const xfrm_address_t *care_of;

	if (!i || i->family != AF_INET6 || i->mode != XFRM_MODE_ROUTEOPTIMIZATION ||
		(i->id.proto != IPPROTO_DSTOPTS && i->id.proto != IPPROTO_ROUTING))
		return false;
	care_of = xfrm_read_attribute(h, sizeof(*i), XFRMA_COADDR, sizeof(*care_of));
	if (!care_of)
		return false; /* larval: nobody has made it */
	*ro = (struct ipsec_ro){.proto = i->id.proto,
		.wildcard = i->flags & XFRM_STATE_WILDRECV,
		.src = xfrm_read_address(&i->saddr),
		.dst = xfrm_read_address(&i->id.daddr),
		.care_of = xfrm_read_address(care_of)};
	return true;
}

/* ---- policies ---- */

static bool read_template(const struct xfrm_user_tmpl *u, struct ipsec_template *t)
{
	if (u->family != AF_INET6 || u->mode > IPSEC_RO)
		return false;
	*t = (struct ipsec_template){.proto = u->id.proto,
		.mode = (enum ipsec_mode)u->mode,
		.optional = u->optional,
		.reqid = u->reqid,
		.src = xfrm_read_address(&u->saddr),
		.dst = xfrm_read_address(&u->id.daddr)};
	return true;
}

static bool read_templates(const struct nlmsghdr *h, struct ipsec_policy *p)
{
	const size_t header = sizeof(struct xfrm_userpolicy_info);
	const struct nlattr *a =
		nla_find(nlmsg_attrdata(h, (int)header), nlmsg_attrlen(h, (int)header), XFRMA_TMPL);
	struct xfrm_user_tmpl u;

	p->n_templates = a ? (size_t)nla_len(a) / sizeof(u) : 0;
	if (p->n_templates > IPSEC_MAX_TEMPLATES)
		return false;
	for (size_t i = 0; i < p->n_templates; i++) {
		memcpy(&u, (const char *)nla_data(a) + i * sizeof(u), sizeof(u));
		if (!read_template(&u, &p->templates[i]))
			return false;
	}
	return true;
}

/* Sockets' own policies have directions of their own; any other mark is another policy's (xfrm.h). */
bool ipsec_policy_read(const struct nlmsghdr *h, struct ipsec_policy *p)
{
	const struct xfrm_userpolicy_info *i = xfrm_read_body(h, sizeof(*i));
	const struct xfrm_userpolicy_type *type;
	const struct xfrm_mark *mark;

	if ((h->nlmsg_type != XFRM_MSG_NEWPOLICY && h->nlmsg_type != XFRM_MSG_UPDPOLICY) || !i ||
		i->dir > IPSEC_FWD)
		return false;
	type = xfrm_read_attribute(h, sizeof(*i), XFRMA_POLICY_TYPE, sizeof(*type));
	mark = xfrm_read_attribute(h, sizeof(*i), XFRMA_MARK, sizeof(*mark));
	if ((type && type->type != XFRM_POLICY_TYPE_MAIN) ||
		(mark && (mark->v || mark->m != GLUE_BUMP)) ||
		xfrm_read_attribute(h, sizeof(*i), XFRMA_IF_ID, sizeof(uint32_t)))
		return false;
	*p = (struct ipsec_policy){.dir = (enum ipsec_dir)i->dir,
		.priority = i->priority,
		.block = i->action == XFRM_POLICY_BLOCK,
		.marked = mark};
	return ipsec_selector_read(&i->sel, &p->sel) && read_templates(h, p);
}

/* ---- everything ---- */

/* Room for one more; the new array, or NULL. */
static void *room(void *array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : 64;

	if (n < *cap)
		return array;
	array = reallocarray(array, more, size);
	if (array)
		*cap = more;
	return array;
}

#define ADD(s, what, object) \
	do { \
		void *at = room((s)->what, (s)->n_##what, &(s)->cap_##what, sizeof(*(s)->what)); \
		if (!at) \
			return -ENOMEM; \
		(s)->what = at; \
		(s)->what[(s)->n_##what++] = (object); \
	} while (0)

int ipsec_snapshot_add(struct ipsec_snapshot *s, const struct nlmsghdr *h)
{
	struct ipsec_sa_info sa;
	struct ipsec_policy p;
	struct ipsec_ro ro;

	if (ipsec_sa_read(h, &sa))
		ADD(s, sas, sa);
	else if (ipsec_ro_read(h, &ro))
		ADD(s, ros, ro);
	else if (ipsec_policy_read(h, &p))
		ADD(s, policies, p);
	return 0;
}

static int take(void *arg, const struct nlmsghdr *h)
{
	return ipsec_snapshot_add(arg, h);
}

int ipsec_snapshot_take(struct ipsec_snapshot *s, struct nlreq *xfrm)
{
	int err;

	*s = (struct ipsec_snapshot){0};
	err = nlreq_dump(xfrm, ipsec_build_dump_sas(), take, s);
	return err ? err : nlreq_dump(xfrm, ipsec_build_dump_policies(), take, s);
}

void ipsec_snapshot_free(struct ipsec_snapshot *s)
{
	free(s->sas);
	free(s->ros);
	free(s->policies);
	*s = (struct ipsec_snapshot){0};
}
