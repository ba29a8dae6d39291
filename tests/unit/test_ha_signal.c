/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The home agent with many bindings: revocations, heartbeats, switch, identifiers. */
#include "tests/unit/signal_world.h"

/* ---- what the cores ask for ---- */

static const struct ha_ops ha_ops = {.forward_set = quiet_pair, .forward_del = quiet_address};

/* ---- the world ---- */

static struct in6_addr numbered(const char *base, unsigned n)
{
	struct in6_addr a = in6(base);

	a.s6_addr[13] = (uint8_t)(n >> 16);
	a.s6_addr[14] = (uint8_t)(n >> 8);
	a.s6_addr[15] = (uint8_t)n;
	return a;
}

static struct in6_addr home_of(unsigned n)
{
	return numbered("2001:db8:1:0:1::", n);
}

static struct in6_addr coa_of(unsigned n)
{
	return numbered("2001:db8:a:0:1::", n);
}

/* ---- home agent with bindings 1 to n ---- */

static struct world *with_bindings(struct world *w, unsigned n)
{
	w->ha = ha_new(&w->hc, &w->env, &ha_ops, w);
	ck_assert_ptr_nonnull(w->ha);
	for (unsigned i = 1; i <= n; i++) {
		struct ha_binding_record r = {.home_address = home_of(i),
			.care_of = coa_of(i),
			.seq = 7,
			.flags = BU_F_A | BU_F_H,
			.lifetime_s = 6000,
			.remaining_s = 6000};

		ck_assert_int_eq(ha_restore(w->ha, &r), 0);
	}
	return w;
}

static struct ha_binding_info info(struct world *w, unsigned n)
{
	struct in6_addr a = home_of(n);
	struct ha_binding_info i;

	ck_assert(ha_find(w->ha, &a, &i));
	return i;
}

static int revoke(struct world *w, unsigned n)
{
	struct in6_addr a = home_of(n);

	return ha_revoke(w->ha, &a, BR_T_UNSPECIFIED);
}

/* From node n, with Home Address option; a Binding Error without. */
static void from_node(struct world *w, unsigned n, const struct mh_message *m, unsigned flags)
{
	uint8_t data[512];
	struct mip6_packet p = {.src = home_of(n),
		.dst = in6(HA),
		.src_coa = coa_of(n),
		.flags = MIP6_PKT_HAO | flags,
		.data = data,
		.len = mh_build(m, data, sizeof(data))};

	if (m->type == MH_BE) {
		p.src = p.src_coa;
		p.flags &= ~(unsigned)MIP6_PKT_HAO;
	}
	ha_receive_mh(w->ha, &p);
}

/* RFC 5846 5.1: no two indications under way have the same number; there is a limit. */
START_TEST(many_revocations)
{
	struct world *w = with_bindings(world_new(), 10002);
	static bool used[65536];

	memset(used, 0, sizeof(used));
	for (unsigned i = 1; i <= 10000; i++) {
		ck_assert_int_eq(revoke(w, i), 0);
		ck_assert(!used[last(w, MH_REVOCATION)->seq]);
		used[last(w, MH_REVOCATION)->seq] = true;
	}
	ck_assert_int_eq(revoke(w, 10001), -EBUSY);
	advance(w, 10000);
	ck_assert_uint_eq(ha_count(w->ha), 2);
	ck_assert_int_eq(revoke(w, 10001), 0);
	world_free(w);
}
END_TEST

START_TEST(revocation_answers)
{
	struct world *w = with_bindings(world_new(), 2);
	struct mh_message m;

	revoke(w, 1);
	revoke(w, 2);
	/* not an acknowledgement */
	m = revocation(BR_INDICATION, 0, w->sent[0].seq);
	from_node(w, 1, &m, 0);
	ck_assert(info(w, 1).revoking);
	/* the number of the other */
	m = revocation(BR_ACKNOWLEDGEMENT, 0, w->sent[1].seq);
	from_node(w, 1, &m, 0);
	ck_assert(info(w, 1).revoking);
	from_node(w, 2, &m, 0);
	ck_assert_int_eq(info(w, 2).state, HA_BINDING_INVALID);
	ck_assert_int_eq(info(w, 1).state, HA_BINDING_ACTIVE);
	world_free(w);
}
END_TEST

/* RFC 6275 9.3.3: a node that does not know the message says so, from its care-of address. */
START_TEST(binding_errors)
{
	struct world *w = world_new();
	struct in6_addr other = in6(HA2), home = home_of(2);
	struct mh_message unknown = binding_error(BE_UNKNOWN_MH_TYPE),
			  no_binding = binding_error(BE_UNKNOWN_BINDING);
	size_t n;

	w->hc.heartbeat = (struct mh_heartbeat_config){60, 3};
	with_bindings(w, 3);
	revoke(w, 1);
	from_node(w, 1, &no_binding, 0);
	from_node(w, 2, &unknown, 0);
	ck_assert(info(w, 1).revoking);
	from_node(w, 1, &unknown, 0);
	ck_assert_int_eq(info(w, 1).state, HA_BINDING_INVALID);
	/* served, but not asked again */
	ck_assert_int_eq(ha_switch_node(w->ha, &home, &other, 1), 0);
	from_node(w, 2, &unknown, 0);
	advance(w, 30000);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 1);
	ck_assert_int_eq(info(w, 2).state, HA_BINDING_ACTIVE);
	ck_assert(info(w, 2).switching);
	/* no heartbeats, but for the node that did not complain; after a refresh neither */
	advance(w, 61000);
	from_node(w, 2, &unknown, 0);
	n = count(w, MH_HEARTBEAT);
	advance(w, 600000);
	ck_assert_uint_eq(count(w, MH_HEARTBEAT) - n, 10);
	world_free(w);
}
END_TEST

/* It has one address for its bindings, and with IPsec nothing counts without. */
START_TEST(who_is_heard)
{
	struct world *w = with_bindings(world_new(), 1);
	struct mh_message ask = heartbeat(false, false, 5, -1);
	uint8_t data[64];
	struct mip6_packet p = {.src = home_of(1),
		.dst = in6(HA2),
		.src_coa = coa_of(1),
		.flags = MIP6_PKT_HAO,
		.data = data,
		.len = mh_build(&ask, data, sizeof(data))};

	ha_receive_mh(w->ha, &p);
	ck_assert_uint_eq(w->n_sent, 0);
	p.dst = in6(HA);
	ha_receive_mh(w->ha, &p);
	ck_assert_uint_eq(w->n_sent, 1);
	world_free(w);
	w = world_new();
	w->hc.require_ipsec = true;
	with_bindings(w, 1);
	from_node(w, 1, &ask, 0);
	ck_assert_uint_eq(w->n_sent, 0);
	ck_assert_uint_eq(ha_stats(w->ha)->unprotected, 1);
	from_node(w, 1, &ask, MIP6_PKT_PROTECTED);
	ck_assert_uint_eq(w->n_sent, 1);
	ck_assert(w->sent[0].flags & MIP6_PKT_PROTECTED);
	world_free(w);
}
END_TEST

/* Home addresses that may not register are not answered; the others are, for a while. */
START_TEST(strangers_heartbeats)
{
	struct world *w = world_new();
	struct in6_addr allowed[] = {home_of(5)};
	struct mh_message ask = heartbeat(false, false, 5, -1);

	w->hc.allowed = allowed;
	w->hc.n_allowed = 1;
	with_bindings(w, 0);
	from_node(w, 4, &ask, 0);
	ck_assert_uint_eq(w->n_sent, 0);
	for (int i = 0; i < 1000; i++)
		from_node(w, 5, &ask, 0);
	ck_assert_uint_ge(w->n_sent, 50);
	ck_assert_uint_le(w->n_sent, 150);
	world_free(w);
}
END_TEST

/* Requests of the home agent and what comes back (RFC 5847 3.1, 3.2). */
START_TEST(heartbeat_answers)
{
	struct world *w = world_new();
	struct mh_message m;

	w->hc.heartbeat = (struct mh_heartbeat_config){60, 2};
	with_bindings(w, 1);
	advance(w, 61000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq + 1, 1);
	from_node(w, 1, &m, 0); /* a wrong number */
	ck_assert_uint_eq(ha_stats(w->ha)->heartbeats_answered, 0);
	m.u.heartbeat.seq--;
	from_node(w, 1, &m, 0);
	from_node(w, 1, &m, 0); /* only once */
	ck_assert_uint_eq(ha_stats(w->ha)->heartbeats_answered, 1);
	ck_assert_uint_eq(ha_stats(w->ha)->signals_ignored, 2);
	/* two are missing, which is allowed; the next answer begins anew */
	advance(w, 180000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 1);
	from_node(w, 1, &m, 0);
	advance(w, 180000);
	ck_assert_uint_eq(w->events[EV_PEER_LOST], 0);
	advance(w, 600000);
	ck_assert_uint_eq(w->events[EV_PEER_LOST], 1);
	ck_assert(info(w, 1).unreachable);
	/* it has restarted meanwhile: told once */
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 2);
	from_node(w, 1, &m, 0);
	ck_assert_uint_eq(w->events[EV_PEER_BACK], 1);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 1);
	advance(w, 60000);
	m = heartbeat(true, false, last(w, MH_HEARTBEAT)->hb_seq, 2);
	from_node(w, 1, &m, 0);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 1);
	/* unsolicited: only when it is protected */
	m = heartbeat(true, true, 0, 3);
	from_node(w, 1, &m, 0);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 1);
	from_node(w, 1, &m, MIP6_PKT_PROTECTED);
	ck_assert_uint_eq(w->events[EV_PEER_RESTARTED], 2);
	world_free(w);
}
END_TEST

/* RFC 5142 7: one after the other, at the rate that was set; gone ones are passed over. */
START_TEST(switch_rate)
{
	struct world *w = world_new();
	struct in6_addr other = in6(HA2), gone[10];

	w->hc.switch_rate = 4;
	with_bindings(w, 100);
	ck_assert_int_eq(ha_switch_all(w->ha, &other, 1), 0);
	for (unsigned i = 0; i < 10; i++) {
		gone[i] = home_of(91 + i);
		ha_remove(w->ha, &gone[i]);
	}
	advance(w, 4000);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 17);
	/* a second order takes the place of the first: of list and of what is under way */
	ck_assert_int_eq(ha_switch_all(w->ha, NULL, 0), 0);
	advance(w, 60000);
	for (unsigned i = 1; i <= 90; i++)
		ck_assert(info(w, i).switching);
	world_free(w);
}
END_TEST

/* A second message to one node takes the place of the first, its repetitions too. */
START_TEST(switch_again)
{
	struct world *w = with_bindings(world_new(), 1);
	struct in6_addr home = home_of(1), other = in6(HA2);
	struct mh_message bu = {.type = MH_BU};

	ha_switch_node(w->ha, &home, &other, 1);
	advance(w, 1000);
	ha_switch_node(w->ha, &home, NULL, 0);
	advance(w, 4900);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 2);
	advance(w, 200);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 3);
	/* it goes: no binding to leave any more */
	bu.u.bu.seq = 8;
	bu.u.bu.flags = BU_F_A | BU_F_H;
	from_node(w, 1, &bu, 0);
	ck_assert_int_eq(info(w, 1).state, HA_BINDING_INVALID);
	ck_assert(!info(w, 1).switching);
	ck_assert_int_eq(ha_switch_node(w->ha, &home, &other, 1), -ENOENT);
	ck_assert_int_eq(revoke(w, 1), -ENOENT);
	advance(w, 60000);
	ck_assert_uint_eq(count(w, MH_HA_SWITCH), 3);
	world_free(w);
}
END_TEST

static uint8_t register_as(
	struct world *w, unsigned n, uint16_t seq, uint8_t subtype, const char *identifier)
{
	struct mh_message bu = {.type = MH_BU};
	uint64_t refused = ha_stats(w->ha)->refused[BA_PROHIBITED - 128];

	bu.u.bu.seq = seq;
	bu.u.bu.lifetime = 150;
	bu.u.bu.flags = BU_F_A | BU_F_H;
	if (identifier) {
		struct mh_option *o = mh_option_add(&bu, MHOPT_MN_ID);

		o->u.mn_id.subtype = subtype;
		o->u.mn_id.id = (const uint8_t *)identifier;
		o->u.mn_id.len = strlen(identifier);
	}
	from_node(w, n, &bu, 0);
	return ha_stats(w->ha)->refused[BA_PROHIBITED - 128] > refused;
}

/* RFC 4283 3.1: subtype 1 is a name; 4.2: it is needed once. */
START_TEST(identifiers)
{
	static char anna[] = "anna@example.org", ann[] = "ann@example.org", bert[] = "bert",
		    zoe[] = "zoe@example.org", *const list[] = {ann, anna, bert, zoe};
	struct world *w = with_bindings(world_new(), 0);

	ck_assert(!register_as(w, 1, 1, 2, "anna@example.org"));
	ck_assert_ptr_null(info(w, 1).identifier);
	ck_assert(!register_as(w, 1, 2, 1, "anna@example.org"));
	ck_assert_str_eq(info(w, 1).identifier, anna);
	ck_assert(!register_as(w, 1, 3, 1, "otto@example.org"));
	ck_assert_str_eq(info(w, 1).identifier, "otto@example.org");
	world_free(w);
	w = world_new();
	w->hc.identifiers = list;
	w->hc.n_identifiers = 4;
	with_bindings(w, 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert(!register_as(w, 10 + i, 1, 1, list[i]));
	ck_assert(register_as(w, 1, 1, 1, NULL));
	ck_assert(register_as(w, 1, 1, 2, anna));
	ck_assert(!register_as(w, 1, 1, 1, anna));
	ck_assert(!register_as(w, 1, 2, 1, NULL));
	ck_assert_str_eq(info(w, 1).identifier, anna);
	ck_assert(register_as(w, 1, 3, 1, "otto@example.org"));
	ck_assert(register_as(w, 1, 4, 1, "an na"));
	world_free(w);
}
END_TEST

int main(void)
{
	const TTest *const all[] = {many_revocations, revocation_answers, binding_errors,
		who_is_heard, strangers_heartbeats, heartbeat_answers, switch_rate, switch_again,
		identifiers};

	return RUN("ha, signal", all, NULL, NULL);
}
