/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the manager and a gateway UDP is protected, and between the manager
 * and a node everything but Neighbor Discovery, which they need where they
 * are on one link.
 */
#include "vcm/vcmd_sas.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_secret.h"
#include "common/loop.h"
#include "ipsec-glue/manual.h"
#include "ipsec-glue/marks.h"
#include "ipsec-glue/pair.h"
#include "ipsec-glue/sender.h"
#include "ipsec-glue/sequence.h"
#include "ipsec-glue/snapshot.h"

#define REPLAY_WINDOW 4096

struct vcmd_sas {
	const struct vcmd_config *config;
	struct vcmd_store *store;
	struct sys_loop *loop;
	struct ipsec_keys *keys;
	struct ipsec_glue *glue;
	struct ipsec_sender *sender; /* of policies */
};

/* ---- what the glue asks ---- */

static void name_of(const struct ipsec_manual_sa *sa, struct vcmd_sequence *q)
{
	q->src = sa->src;
	q->dst = sa->dst;
	q->spi = sa->spi;
}

static bool sequence_get(void *ctx, const struct ipsec_manual_sa *sa, struct ipsec_sequence *to)
{
	const struct vcmd_sas *s = ctx;
	struct vcmd_sequence q;

	name_of(sa, &q);
	if (!vcmd_store_sequence_get(s->store, &q))
		return false;
	*to = (struct ipsec_sequence){.bound = q.bound, .received = q.received};
	memcpy(to->fingerprint, q.fingerprint, sizeof(to->fingerprint));
	return true;
}

static bool sequence_put(
	void *ctx, const struct ipsec_manual_sa *sa, const struct ipsec_sequence *from, bool sync)
{
	const struct vcmd_sas *s = ctx;
	struct vcmd_sequence q = {.bound = from->bound, .received = from->received};

	name_of(sa, &q);
	memcpy(q.fingerprint, from->fingerprint, sizeof(q.fingerprint));
	return vcmd_store_sequence_put(s->store, &q) == 0 &&
	       (!sync || vcmd_store_commit(s->store) == 0);
}

static void notice(void *ctx, const struct in6_addr *address, const char *text)
{
	(void)ctx;
	log_notice("IPsec of %s: %s", in6_str(address), text);
}

/* ---- keys ---- */

struct complaint {
	const char *path;
	char *err;
	size_t errlen;
};

static void first_fault(void *arg, uint32_t line, const char *text)
{
	const struct complaint *c = arg;

	if (!c->err[0])
		snprintf(c->err, c->errlen, "%s:%u: %s", c->path, line, text);
}

static struct ipsec_keys *read_keys(const struct vcmd_config *c, char *err, size_t errlen)
{
	struct complaint complaint = {c->keys_file, err, errlen};
	struct ipsec_keys *keys = NULL;
	size_t len = 0;
	char *text;
	const char *why = config_secret_file(c->keys_file, CONFIG_SECRET_MAX, &text, &len);

	err[0] = '\0';
	if (why)
		snprintf(err, errlen, "%s: %s", c->keys_file, why);
	else
		keys = ipsec_keys_parse(text, len, c->allow_weak, first_fault, &complaint);
	config_secret_release(text, len);
	return keys;
}

/* ---- policies ---- */

static struct ipsec_policy *add_policy(struct ipsec_plan *plan, enum ipsec_dir dir, uint32_t priority,
	const struct in6_addr *us, const struct in6_addr *them)
{
	struct ipsec_op *op = ipsec_plan_add(plan, IPSEC_POLICY_SET);
	bool out = dir == IPSEC_OUT;

	if (!op)
		return NULL;
	op->policy = (struct ipsec_policy){.dir = dir,
		.priority = priority,
		.sel = {.family = AF_INET6,
			.type = -1,
			.src = {.addr = out ? *us : *them, .plen = 128},
			.dst = {.addr = out ? *them : *us, .plen = 128}}};
	return &op->policy;
}

static void plan_discovery(
	struct ipsec_plan *plan, const struct in6_addr *us, const struct in6_addr *them)
{
	static const uint8_t types[] = {ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT};

	for (int i = 0; i < 4; i++) {
		struct ipsec_policy *p = add_policy(
			plan, i / 2 ? IPSEC_OUT : IPSEC_IN, GLUE_PRIO_VPN_OPEN, us, them);

		if (!p)
			return;
		p->sel.proto = IPPROTO_ICMPV6;
		p->sel.type = types[i % 2];
	}
}

static bool is_gateway(const struct vcmd_config *c, const struct in6_addr *a)
{
	for (size_t i = 0; i < c->n_gateways; i++)
		if (in6_equal(&c->gateways[i], a))
			return true;
	return false;
}

static void plan_peer(const struct vcmd_config *c, const struct in6_addr *peer, uint32_t reqid,
	struct ipsec_plan *plan)
{
	bool gateway = is_gateway(c, peer);

	if (!gateway)
		plan_discovery(plan, &c->address, peer);
	for (int out = 0; out < 2; out++) {
		struct ipsec_policy *p = add_policy(plan, out ? IPSEC_OUT : IPSEC_IN,
			GLUE_PRIO_VPN_MANAGER, &c->address, peer);

		if (!p)
			return;
		p->sel.proto = gateway ? IPPROTO_UDP : 0;
		p->templates[p->n_templates++] = (struct ipsec_template){.proto = IPPROTO_ESP,
			.mode = IPSEC_TRANSPORT,
			.reqid = reqid,
			.src = p->sel.src.addr,
			.dst = p->sel.dst.addr};
	}
}

static int carry_out(struct vcmd_sas *s, struct ipsec_plan *plan, char *err, size_t errlen)
{
	struct ipsec_failure f = {.why = ""};
	int rc = plan->no_memory ? -ENOMEM : ipsec_sender_do(s->sender, plan, &f);

	if (rc)
		snprintf(err, errlen, "IPsec of the manager: %s: %s", strerror(-rc), f.why);
	ipsec_plan_free(plan);
	return rc;
}

static bool is_ours(const struct vcmd_config *c, const struct ipsec_policy *p)
{
	const struct in6_addr *us = p->dir == IPSEC_OUT ? &p->sel.src.addr : &p->sel.dst.addr;

	return (p->priority == GLUE_PRIO_VPN_MANAGER || p->priority == GLUE_PRIO_VPN_OPEN) &&
	       in6_equal(us, &c->address) && p->dir != IPSEC_FWD;
}

static bool in_keys(const struct vcmd_sas *s, const struct ipsec_sa *sa)
{
	const struct ipsec_manual_sa *m =
		ipsec_keys_find(s->keys, &sa->src, &sa->dst, IPSEC_MANAGER);

	return m && m->spi == sa->spi;
}

/* A policy of ours demands it, and the keys know nothing of it: it is of somebody who was taken out of them. */
static bool is_left(const struct vcmd_sas *s, const struct ipsec_snapshot *there,
	const struct ipsec_sa *sa)
{
	const struct in6_addr *us = &s->config->address;

	if (sa->mode != IPSEC_TRANSPORT || (!in6_equal(&sa->src, us) && !in6_equal(&sa->dst, us)) ||
		in_keys(s, sa))
		return false;
	for (size_t i = 0; i < there->n_policies; i++) {
		const struct ipsec_policy *p = &there->policies[i];

		if (is_ours(s->config, p) && p->n_templates == 1 &&
			p->templates[0].reqid == sa->reqid &&
			in6_equal(&p->templates[0].src, &sa->src) &&
			in6_equal(&p->templates[0].dst, &sa->dst))
			return true;
	}
	return false;
}

/*
 * Policies: those of a predecessor that was killed; at the end, our own.  SAs
 * that are still in the keys stay, the glue takes them over.
 */
static int clear(struct vcmd_sas *s, char *err, size_t errlen)
{
	struct ipsec_snapshot there = {0};
	struct ipsec_plan plan = {0};
	struct ipsec_op *op;
	int rc = ipsec_sender_snapshot(s->sender, &there);

	for (size_t i = 0; !rc && i < there.n_policies; i++)
		if (is_ours(s->config, &there.policies[i]) &&
			(op = ipsec_plan_add(&plan, IPSEC_POLICY_DEL)))
			op->policy = there.policies[i];
	for (size_t i = 0; !rc && i < there.n_sas; i++)
		if (is_left(s, &there, &there.sas[i].sa) &&
			(op = ipsec_plan_add(&plan, IPSEC_SA_DEL)))
			op->sa = there.sas[i].sa;
	ipsec_snapshot_free(&there);
	if (!rc)
		return carry_out(s, &plan, err, errlen);
	snprintf(err, errlen, "the kernel's policies cannot be read: %s", strerror(-rc));
	return rc;
}

/* ---- peers ---- */

/* Whoever shares keys with us: of each pair the line that is for what it sends. */
static int add_peers(struct vcmd_sas *s, struct ipsec_plan *plan, char *err, size_t errlen)
{
	const struct in6_addr *us = &s->config->address;
	const struct ipsec_manual_sa *sa;
	size_t n = 0;

	for (size_t i = 0; (sa = ipsec_keys_at(s->keys, i)); i++) {
		struct ipsec_pair pair = {.use = IPSEC_MANAGER, .local = *us, .peer = sa->src};
		int rc;

		if (sa->use != IPSEC_MANAGER || !in6_equal(&sa->dst, us))
			continue;
		rc = ipsec_glue_pair_add(s->glue, &pair);
		if (rc) {
			snprintf(err, errlen, "IPsec with %s: %s", in6_str(&sa->src),
				ipsec_glue_why(s->glue));
			return rc;
		}
		plan_peer(s->config, &sa->src,
			ipsec_glue_pair_reqid(s->glue, IPSEC_MANAGER, us, &sa->src), plan);
		n++;
	}
	if (!n)
		snprintf(err, errlen,
			"%s has no key of use manager for %s; `mip6ctl ipsec keys` makes some",
			s->config->keys_file, in6_str(us));
	return n ? 0 : -ENOKEY;
}

static void read_events(void *arg)
{
	struct vcmd_sas *s = arg;

	ipsec_glue_read(s->glue);
}

static bool start(struct vcmd_sas *s, char *err, size_t errlen)
{
	static const struct ipsec_glue_ops ops = {
		.sequence_get = sequence_get, .sequence_put = sequence_put, .notice = notice};
	struct ipsec_glue_config c = {.manager = IPSEC_MANUAL, .replay_window = REPLAY_WINDOW};
	struct ipsec_plan plan = {0};
	int rc;

	s->keys = read_keys(s->config, err, errlen);
	if (!s->keys)
		return false;
	c.keys = s->keys;
	s->glue = ipsec_glue_open(&c, &ops, s, err, errlen);
	if (!s->glue)
		return false;
	s->sender = ipsec_sender_open(&rc);
	if (!s->sender) {
		snprintf(err, errlen, "no netlink socket for IPsec: %s", strerror(-rc));
		return false;
	}
	if (clear(s, err, errlen))
		return false;
	if (add_peers(s, &plan, err, errlen)) {
		ipsec_plan_free(&plan);
		return false;
	}
	rc = carry_out(s, &plan, err, errlen);
	return !rc && ipsec_glue_settle(s->glue) == 0 &&
	       sys_loop_read(s->loop, ipsec_glue_fd(s->glue), read_events, s) == 0;
}

struct vcmd_sas *vcmd_sas_open(const struct vcmd_config *c, struct vcmd_store *store,
	struct sys_loop *loop, char *err, size_t errlen)
{
	struct vcmd_sas *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	*s = (struct vcmd_sas){.config = c, .store = store, .loop = loop};
	if (start(s, err, errlen))
		return s;
	if (!err[0])
		snprintf(err, errlen, "IPsec of the manager: %s",
			s->glue ? ipsec_glue_why(s->glue) : "out of memory");
	vcmd_sas_close(s);
	return NULL;
}

void vcmd_sas_close(struct vcmd_sas *s)
{
	char err[512];

	if (!s)
		return;
	if (s->glue)
		sys_loop_forget(s->loop, ipsec_glue_fd(s->glue));
	if (s->sender && clear(s, err, sizeof(err)))
		log_warning("%s", err);
	ipsec_sender_close(s->sender);
	if (s->glue)
		ipsec_glue_close(s->glue, true);
	ipsec_keys_free(s->keys);
	free(s);
}
