/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Updates at a correspondent: the tests of RFC 6275 9.5.1, then
 * caching (9.5.2) or deleting (9.5.3).
 *
 * The order: what can be seen without a key; nonces, whose loss is told to
 * anybody (136 to 138 go without authenticator, 9.5.4); the authenticator;
 * only then the sequence number, since an acknowledgement with status 135 has
 * to be authenticated, and whoever could not authenticate is not told what the
 * last number was.
 *
 * Where the text leaves a choice:
 *
 * - The deletion of a binding is a lifetime of 0, or a care-of address that is
 *   the home address: a binding of that kind would say nothing.
 * - A deletion without a binding succeeds: there is none afterwards.
 * - 174 is for a care-of address that is authentic and cannot serve: ours, or
 *   the home address of a binding, which could make a circle.
 * - A refusal is sent whether or not the A bit asked for it.
 * - A home registration is refused with 131 (10.3.1: a node that is no home
 *   agent), or with 139 where there is a binding.
 */
#include "lib/addr.h"
#include "mip6d/proto/cn_internal.h"

static void read_request(
	struct cn_request *r, const struct mip6_packet *p, const struct mh_message *m)
{
	const struct mh_option *alt = mh_option(m, MHOPT_ALT_COA);

	*r = (struct cn_request){
		.home = p->src,
		.local = p->dst,
		.source = *cn_wire_source(p),
		.care_of = alt ? alt->u.alt_coa : *cn_wire_source(p),
		.seq = m->u.bu.seq,
		.flags = m->u.bu.flags,
		.lifetime = m->u.bu.lifetime,
	};
	r->deletes = !r->lifetime || in6_equal(&r->care_of, &r->home);
	if (r->deletes)
		r->care_of = r->home; /* in the authenticator as well, 6.2.7 */
}

/*
 * The tests that end in silence and need no key; NULL: passed.  A home address
 * in an option was judged on arrival (9.3.1), otherwise it is the source.
 */
static const char *discard_reason(const struct cn *cn, const struct cn_request *r)
{
	if (!in6_is_routable_unicast(&r->care_of))
		return "care-of address is not routable unicast"; /* 6.1.7 */
	if (!in6_is_routable_unicast(&r->source) || !in6_is_routable_unicast(&r->local))
		return "source or destination is not routable unicast"; /* 9.5.4 */
	if (cn_is_ours(cn, &r->local, &r->home))
		return "home address is one of this node";
	return NULL;
}

static bool same_authenticator(const struct cn_request *r, const struct mip6_packet *p,
	const struct mh_message *m, const struct mh_option *auth)
{
	uint8_t mac[RR_AUTH_LEN];

	return auth->u.auth_data.len == RR_AUTH_LEN &&
	       rr_authenticator(r->kbm, &r->care_of, &r->local, p->data, m->wire_len,
		       auth->u.auth_data.offset, auth->u.auth_data.len, mac) &&
	       rr_same(mac, auth->u.auth_data.data, RR_AUTH_LEN);
}

static uint64_t token(const struct rr_nonce *n, const struct in6_addr *addr, uint8_t last)
{
	return rr_keygen_token(n->kcn, sizeof(n->kcn), addr, n->nonce, sizeof(n->nonce), last);
}

/* Kbm from the nonces that m names; BA_ACCEPTED, or the status of those that are not known (any more). */
static uint8_t find_kbm(const struct cn *cn, struct cn_request *r, const struct mh_option *indices)
{
	monotime_t now = cn_now(cn), until;
	const struct rr_nonce *home =
		rr_nonce_find(&cn->nonces, indices->u.nonce_indices.home, now);
	const struct rr_nonce *care_of =
		r->deletes ? home
			   : rr_nonce_find(&cn->nonces, indices->u.nonce_indices.care_of, now);
	uint64_t home_token, care_of_token;

	if (!home)
		return r->deletes || care_of ? BA_HOME_NONCE_EXPIRED : BA_NONCES_EXPIRED;
	if (!care_of)
		return BA_COA_NONCE_EXPIRED;
	home_token = token(home, &r->home, 0);
	care_of_token = token(care_of, &r->care_of, 1);
	rr_kbm(home_token, r->deletes ? NULL : &care_of_token, r->kbm);
	rr_wipe(&home_token, sizeof(home_token));
	rr_wipe(&care_of_token, sizeof(care_of_token));
	until = mono_before(home->since, care_of->since) ? home->since : care_of->since;
	r->nonces_until = mono_add_s(until, RR_MAX_NONCE_LIFETIME_S);
	return BA_ACCEPTED;
}

/* Who says so?  A status, with *why set when there is no answer at all. */
static uint8_t authorize(struct cn *cn, struct cn_request *r, const struct mip6_packet *p,
	const struct mh_message *m, const char **why)
{
	const struct mh_option *auth = mh_option(m, MHOPT_AUTH_DATA);
	const struct mh_option *indices = mh_option(m, MHOPT_NONCE_INDICES);
	uint8_t status = BA_ACCEPTED;

	r->shared = cn_shared_find(cn, &r->local, &r->home);
	if (!auth) {
		*why = "Binding Update without authenticator";
	} else if (r->shared) { /* RFC 4449 3: nonce indices are ignored */
		rr_shared_kbm(&r->shared->data, &r->home, r->deletes ? NULL : &r->care_of, r->kbm);
	} else if (!indices) {
		*why = "Binding Update without nonce indices";
	} else {
		status = find_kbm(cn, r, indices);
	}
	if (*why || status != BA_ACCEPTED)
		return status;
	r->has_kbm = same_authenticator(r, p, m, auth);
	if (!r->has_kbm) {
		cn->stats.bad_authenticator++;
		*why = "wrong authenticator";
	}
	return status;
}

static void refuse(struct cn *cn, const struct cn_request *r, uint8_t status, uint16_t seq)
{
	struct mip6_event e = {
		.type = EV_CN_REFUSED,
		.when = cn_now(cn),
		.home_address = r->home,
		.care_of = r->care_of,
		.peer = r->home,
		.status = status,
		.seq = r->seq,
		.text = ba_status_name(status),
	};

	cn->stats.refused++;
	cn_send_ba(cn, r, status, seq, 0);
	if (log_allowed(&cn->refused_limit, e.when, NULL))
		cn_emit(cn, &e);
}

/* In units of 4 s: no longer than asked for, and at least one, since 0 would be a deletion. */
static uint16_t grant(const struct cn *cn, const struct cn_request *r)
{
	uint32_t most_s = r->shared ? cn->config.max_shared_lifetime_s : cn->config.max_lifetime_s;
	uint32_t most = most_s / MIP6_LIFETIME_UNIT;

	if (!most_s || r->lifetime <= most)
		return r->lifetime;
	return most ? (uint16_t)most : 1;
}

static uint8_t refuse_reason(const struct cn *cn, const struct cn_request *r)
{
	if (r->shared && r->shared->closed)
		return BA_PROHIBITED;
	if (cn->config.allowed && !cn->config.allowed(cn->config.allowed_ctx, &r->local, &r->home))
		return BA_PROHIBITED;
	if (cn_is_ours(cn, &r->local, &r->care_of) || cn_is_bound_home(cn, &r->care_of))
		return BA_INVALID_COA;
	return BA_ACCEPTED;
}

/* The kernel first: what the acknowledgement promises is in place. */
static void cache_binding(struct cn *cn, struct cn_binding *b, const struct cn_request *r)
{
	uint16_t lifetime = grant(cn, r);

	if (!b)
		b = cn_binding_new(cn, r);
	if (!b || cn_change_state(
			  cn, b, CN_ACTIVE, r, (uint32_t)lifetime * MIP6_LIFETIME_UNIT, NULL) < 0) {
		refuse(cn, r, BA_RESOURCES, r->seq);
		return;
	}
	cn->stats.bu_accepted++;
	if (r->flags & BU_F_A)
		cn_send_ba(cn, r, BA_ACCEPTED, r->seq, lifetime);
}

static void delete_binding(struct cn *cn, struct cn_binding *b, const struct cn_request *r)
{
	if (b && b->state == CN_ACTIVE)
		cn->stats.deregistrations++;
	if (b)
		cn_change_state(cn, b, CN_FORGOTTEN, r, 0, "de-registered");
	cn->stats.bu_accepted++;
	if (r->flags & BU_F_A)
		cn_send_ba(cn, r, BA_ACCEPTED, r->seq, 0);
}

/* 9.5.1: modulo 2^16; the last number and the 32768 before it are not greater. */
static bool seq_is_greater(uint16_t seq, int last)
{
	return last < 0 || (uint16_t)(last - seq) > 32768;
}

static void authentic(struct cn *cn, const struct cn_request *r)
{
	struct cn_binding *b = cn_binding_find(cn, &r->local, &r->home);
	int last = r->shared ? r->shared->seq : b ? b->seq : -1;
	uint8_t status;

	if (!seq_is_greater(r->seq, last)) {
		refuse(cn, r, BA_SEQUENCE, (uint16_t)last);
		return;
	}
	if (r->shared)
		cn_shared_note(cn, r->shared, r->seq);
	if (r->deletes) {
		delete_binding(cn, b, r);
		return;
	}
	status = refuse_reason(cn, r);
	if (status == BA_ACCEPTED) {
		cache_binding(cn, b, r);
		return;
	}
	if (b)
		b->seq = r->seq;
	refuse(cn, r, status, r->seq);
}

void cn_binding_update(struct cn *cn, const struct mip6_packet *p, const struct mh_message *m)
{
	struct cn_request r;
	uint8_t status = BA_ACCEPTED;
	const char *why;

	cn->stats.bu_received++;
	read_request(&r, p, m);
	why = discard_reason(cn, &r);
	if (!why && r.flags & BU_F_H)
		status = cn_is_bound_home(cn, &r.home) ? BA_TYPE_CHANGE : BA_NO_HOME_REGISTRATION;
	else if (!why)
		status = authorize(cn, &r, p, m, &why);
	if (why) {
		cn_bad_packet(cn, p, why);
	} else if (status != BA_ACCEPTED) {
		cn->stats.nonce_expired +=
			status >= BA_HOME_NONCE_EXPIRED && status <= BA_NONCES_EXPIRED;
		refuse(cn, &r, status, r.seq);
	} else {
		authentic(cn, &r);
	}
	rr_wipe(&r.kbm, sizeof(r.kbm));
}
