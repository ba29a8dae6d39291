/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding Updates at the home agent: the tests of RFC 6275 9.5.1, then
 * registration (10.3.1) or de-registration (10.3.2).
 *
 * Where the text leaves a choice:
 *
 * - A care-of address that is not routable unicast is silently discarded
 *   (6.1.7 MUST).  Status 174 is for one that is, but cannot serve: the home
 *   address itself with a lifetime (a deletion MUST have lifetime 0, 6.1.7),
 *   the home agent's address, the home address of another binding, or one in a
 *   mobile network of the Prefix Table, which would allow loops (15.1).
 * - A de-registration for an entry that is invalid already succeeds again: the
 *   entry is still in the cache and marked as a home registration (10.3.2),
 *   and its sender only lost the first acknowledgement.  133 would make it
 *   believe that something is wrong.
 * - This node is no correspondent node.  A Binding Update without the H bit
 *   is refused with 139 where a home registration exists, and else fails the
 *   test of its authenticator and is silently discarded (9.5.1).
 * - A home address that nobody may have gets 134 when it is the home agent's
 *   own, so that it is not tried again (11.7.1), and 129 when it is the
 *   subnet's router anycast address.
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/ha_internal.h"

static void read_request(
	struct ha_request *r, const struct mip6_packet *p, const struct mh_message *m)
{
	const struct mh_option *alt = mh_option(m, MHOPT_ALT_COA);
	const struct in6_addr *source = ha_wire_source(p);

	*r = (struct ha_request){
		.answer = {.home_address = p->src,
			.source = *source,
			.local = p->dst,
			.ifindex = p->ifindex,
			.seq = m->u.bu.seq,
			.routing_header = !in6_equal(source, &p->src),
			.is_protected = p->flags & MIP6_PKT_PROTECTED,
			.router = m->u.bu.flags & BU_F_R},
		.care_of = alt ? alt->u.alt_coa : *source,
		.flags = m->u.bu.flags,
		.lifetime = m->u.bu.lifetime,
		.has_hao = p->flags & MIP6_PKT_HAO,
	};
}

/* The tests that end in silence; NULL: passed. */
static const char *discard_reason(const struct ha_request *r, const struct mh_message *m)
{
	if (!in6_is_routable_unicast(&r->answer.home_address))
		return "home address is not routable unicast";
	if (!in6_is_routable_unicast(&r->care_of))
		return "care-of address is not routable unicast"; /* 6.1.7 */
	if (!ha_can_answer(&r->answer.source) || !ha_can_answer(&r->answer.local))
		return "source or destination is not unicast"; /* 9.5.4 */
	if (r->flags & BU_F_H && mh_option(m, MHOPT_NONCE_INDICES))
		return "home registration with nonce indices";
	return NULL;
}

void ha_refuse(struct ha *ha, const struct ha_request *r, uint8_t status, uint16_t seq)
{
	struct mip6_event e = {
		.type = EV_BU_REFUSED,
		.when = ha_now(ha),
		.home_address = r->answer.home_address,
		.care_of = r->care_of,
		.peer = r->answer.source,
		.status = status,
		.seq = r->answer.seq,
		.text = ba_status_name(status),
	};

	ha_send_ba(ha, &r->answer, status, seq, 0);
	if (log_allowed(&ha->refused_limit, ha_now(ha), NULL))
		ha_emit(ha, &e);
}

/* 10.3.1 speaks of a node that "has not been configured to act as a home agent". */
static bool serves(const struct ha *ha, const struct ha_request *r)
{
	return ha->config.n_prefixes && (in6_is_any(&ha->config.address) ||
						in6_equal(&ha->config.address, &r->answer.local));
}

static bool is_router_anycast(const struct ha *ha, const struct in6_addr *home_address)
{
	for (size_t i = 0; i < ha->config.n_prefixes; i++) {
		const struct ip6_prefix *p = &ha->config.prefixes[i].prefix;

		if (p->plen < 127 && in6_equal(&p->addr, home_address)) /* RFC 6164 */
			return true;
	}
	return false;
}

static bool care_of_is_usable(const struct ha *ha, const struct ha_request *r)
{
	struct ha_binding *other = ha_binding_find(ha, &r->care_of);

	return !in6_equal(&r->care_of, &r->answer.home_address) &&
	       !in6_equal(&r->care_of, &ha->config.address) &&
	       !in6_equal(&r->care_of, &r->answer.local) &&
	       !ha_nemo_inside(ha, &r->care_of) &&
	       (!other || other->state == BINDING_INVALID);
}

/* Invalid entries need memory as well: at most as many as bindings. */
static bool is_full(const struct ha *ha)
{
	size_t max = ha->config.max_bindings;

	return max && (ha_count(ha) >= max || ha->cache.n >= 2 * max);
}

/* Any other reason to refuse (10.3.1, third test); BA_ACCEPTED if there is none. */
static uint8_t refuse_reason(const struct ha *ha, const struct ha_request *r)
{
	struct ha_binding *b = ha_binding_find(ha, &r->answer.home_address);
	bool known = b && b->state != BINDING_INVALID;

	if (in6_equal(&r->answer.home_address, &ha->config.address))
		return BA_DAD_FAILED;
	if (is_router_anycast(ha, &r->answer.home_address) ||
		!ha_may_register(ha, &r->answer.home_address))
		return BA_PROHIBITED;
	if (!care_of_is_usable(ha, r))
		return BA_INVALID_COA;
	/* RFC 5846 7, RFC 5142 5.3: who is to go is not given more time. */
	if (known && (ha_revocation_bars(b) ||
			     (b->switching && in6_equal(&b->care_of, &r->care_of))))
		return BA_PROHIBITED;
	if (!known && ha->config.home_ifindex && !ha->link_up)
		return BA_UNSPECIFIED; /* no DAD without the link */
	if (!known && is_full(ha))
		return BA_RESOURCES;
	return BA_ACCEPTED;
}

/*
 * 10.3.1: no longer than asked for, than allowed, and than the prefix is
 * valid; all in whole units, so that what is left is never rounded up.  One
 * unit is the least that can be granted: 0 would mean a deletion.
 */
static uint16_t grant(const struct ha *ha, uint16_t asked, uint32_t valid_s)
{
	uint32_t units = asked, most = ha->config.max_lifetime_s / MIP6_LIFETIME_UNIT;

	if (ha->config.max_lifetime_s && units > most)
		units = most ? most : 1;
	if (units > valid_s / MIP6_LIFETIME_UNIT)
		units = valid_s / MIP6_LIFETIME_UNIT;
	return (uint16_t)units;
}

/* RFC 5142 5.3: a node that was asked to leave is served where it moves, but for no longer. */
static uint32_t most_left(const struct ha *ha, const struct ha_request *r, uint32_t valid_s)
{
	const struct ha_binding *b = ha_binding_find(ha, &r->answer.home_address);
	int64_t left;

	if (!b || !b->switching)
		return valid_s;
	left = mono_diff_s(b->expiry.when, ha_now(ha));
	if (left < MIP6_LIFETIME_UNIT)
		left = MIP6_LIFETIME_UNIT;
	return left < valid_s ? (uint32_t)left : valid_s;
}

/*
 * May this registration be accepted?  A status, with r->granted set where it
 * does not refuse, or -1: discard.
 */
static int judge(const struct ha *ha, struct ha_request *r)
{
	uint32_t valid_s, preferred_s, units;
	uint8_t status;

	/* A prefix with less than one unit left cannot have a binding any more. */
	if (!ha_prefix_remaining(ha, &r->answer.home_address, &valid_s, &preferred_s) ||
		valid_s < MIP6_LIFETIME_UNIT)
		return BA_NOT_HOME_SUBNET;
	if (!r->has_hao)
		return -1;
	status = refuse_reason(ha, r);
	if (status != BA_ACCEPTED)
		return status;
	r->granted = grant(ha, r->lifetime, most_left(ha, r, valid_s));
	units = r->granted;
	/* Deprecated, or soon, or invalid at the end: compared in units of 4 s. */
	r->status =
		preferred_s / MIP6_LIFETIME_UNIT < units || valid_s / MIP6_LIFETIME_UNIT == units
			? BA_ACCEPTED_PREFIX
			: BA_ACCEPTED;
	return r->status;
}

/* What the acknowledgement promises is in place before it leaves. */
static void accept_now(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	int err = ha_change_state(ha, b, BINDING_ACTIVE, r, NULL);

	if (!err) {
		ha_send_ba(ha, &r->answer, r->status, r->answer.seq, r->granted);
		return;
	}
	/* RFC 3963 6.2: with one of its networks missing nothing is registered. */
	if (r->n_networks && b->forwarding && !b->networks_forwarded) {
		ha_change_state(ha, b, BINDING_NONE, NULL, "networks cannot be forwarded");
		ha_refuse(ha, r, ha_nemo_failed_status(r), r->answer.seq);
		return;
	}
	if (b->state == BINDING_ACTIVE || b->state == BINDING_INVALID)
		ha_binding_note_seq(ha, b, r->answer.seq);
	else
		ha_change_state(ha, b, BINDING_NONE, NULL, "forwarding cannot be set");
	ha_refuse(ha, r, BA_RESOURCES, r->answer.seq);
}

/* 10.3.1: DAD unless there is a binding already, and a link to do it on. */
static void registration(struct ha *ha, struct ha_binding *b, struct ha_request *r)
{
	bool dad;

	if (!b)
		b = ha_binding_new(ha, &r->answer.home_address);
	if (!b) {
		ha_refuse(ha, r, BA_RESOURCES, r->answer.seq);
		return;
	}
	dad = ha->config.home_ifindex && b->state != BINDING_ACTIVE;
	if (!dad) {
		accept_now(ha, b, r);
		return;
	}
	if (ha_change_state(ha, b, BINDING_DAD, r, "duplicate address detection") < 0) {
		ha_refuse(ha, r, BA_RESOURCES, r->answer.seq);
		if (b->state == BINDING_NONE)
			ha_change_state(ha, b, BINDING_NONE, NULL, NULL);
	}
}

void ha_dad_succeeded(struct ha *ha, struct ha_binding *b, struct ha_request *r)
{
	int status = judge(ha, r); /* a second has gone by */

	if (status >= 0 && status < BA_UNSPECIFIED) {
		accept_now(ha, b, r);
		return;
	}
	ha_change_state(ha, b, BINDING_NONE, NULL, "refused after duplicate address detection");
	if (status >= 0)
		ha_refuse(ha, r, (uint8_t)status, r->answer.seq);
}

/* 10.3.2 */
static void deregistration(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	if (!b) {
		ha_refuse(ha, r, BA_NOT_HOME_AGENT, r->answer.seq);
		return;
	}
	ha_change_state(ha, b, BINDING_INVALID, r, "de-registered");
	ha_send_ba(ha, &r->answer, BA_ACCEPTED, r->answer.seq, 0);
}

static void home_registration(struct ha *ha, const struct mip6_packet *p, struct ha_request *r,
	const struct mh_message *m)
{
	struct ha_binding *b = ha_binding_find(ha, &r->answer.home_address);
	int status;

	if (!serves(ha, r)) {
		ha_refuse(ha, r, BA_NO_HOME_REGISTRATION, r->answer.seq);
		return;
	}
	if (!r->lifetime) {
		deregistration(ha, b, r);
		return;
	}
	status = judge(ha, r);
	if (status >= 0 && status < BA_UNSPECIFIED && !ha_identifier_allowed(ha, b, m))
		status = BA_PROHIBITED;
	if (status >= 0 && status < BA_UNSPECIFIED) {
		uint8_t router = ha_nemo_judge(ha, r, m);

		status = router == BA_ACCEPTED ? status : router;
	}
	if (status >= 0 && status < BA_UNSPECIFIED) {
		registration(ha, b, r);
		b = ha_binding_find(ha, &r->answer.home_address);
		if (b)
			ha_identifier_take(b, m);
		return;
	}
	if (b)
		ha_binding_note_seq(ha, b, r->answer.seq);
	if (status >= 0) {
		ha_refuse(ha, r, (uint8_t)status, r->answer.seq);
		return;
	}
	ha->stats.no_hao++;
	ha_bad_packet(ha, p, "registration without Home Address option");
}

void ha_binding_update(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m)
{
	struct ha_request r;
	struct ha_binding *b;
	const char *why;

	ha->stats.bu_received++;
	if (ha->config.require_ipsec && !(p->flags & MIP6_PKT_PROTECTED)) {
		ha->stats.unprotected++; /* 5.1, 10.3.1 */
		ha_bad_packet(ha, p, "Binding Update without IPsec");
		return;
	}
	read_request(&r, p, m);
	why = discard_reason(&r, m);
	if (why) {
		ha->stats.malformed++;
		ha_bad_packet(ha, p, why);
		return;
	}
	b = ha_binding_find(ha, &r.answer.home_address);
	if (b && !ha_seq_is_greater(r.answer.seq, b->seq)) {
		ha_refuse(ha, &r, BA_SEQUENCE, b->seq);
	} else if (r.flags & BU_F_H) {
		home_registration(ha, p, &r, m);
	} else if (r.flags & BU_F_R) {
		ha_refuse(ha, &r, BA_MR_NOT_PERMITTED, r.answer.seq); /* RFC 3963 6.2 */
	} else if (b && b->state != BINDING_INVALID) {
		ha_refuse(ha, &r, BA_TYPE_CHANGE, r.answer.seq);
	} else {
		ha_bad_packet(ha, p, "Binding Update for a correspondent node");
	}
}
