/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the exchange tests have in common.  CK_RUN_CASE picks one test, and
 * with TRACE set in the environment each packet is printed.
 */
#include "tests/exchange/suite.h"

struct net *begin(const struct net_options *opt)
{
	struct net *n = net_new(opt);

	net_start(n);
	return n;
}

struct net *begin_home(const struct net_options *opt)
{
	struct net *n = begin(opt);

	net_attach(n, IF1, HOME);
	settle(n, SOON);
	net_forget(n);
	return n;
}

struct net *begin_away(const struct net_options *opt)
{
	struct net *n = begin(opt);

	net_attach(n, IF1, LINK1);
	settle(n, SOON);
	/* What DAD and the advertisements of the home agent still have to do. */
	net_run(n, 5000);
	net_forget(n);
	return n;
}

void settle(struct net *n, int64_t ms)
{
	net_until(n, net_agrees, ms);
	if (net_disagreement(n))
		ck_abort_msg("after %lld ms at %.3f s: %s (%s)", (long long)ms,
			(double)n->now.us / 1e6, net_disagreement(n), n->violation);
}

static void no_violation(struct net *n)
{
	if (n->violations)
		ck_abort_msg("%u violations, %s", n->violations, n->violation);
}

void finish(struct net *n)
{
	net_stream(n, 0);
	net_run(n, 60000);
	settle(n, 0);
	finish_apart(n);
}

void finish_apart(struct net *n)
{
	net_stream(n, 0);
	net_run(n, 1000);
	no_violation(n);
	ck_assert_uint_eq(net_totals(n, true).held, 0);
	net_free(n);
}

struct net_seen suite_sent(struct net *n, enum net_kind kind, int64_t ms, int line)
{
	const struct net_seen *s = net_sent(n, kind, ms);

	if (!s)
		ck_abort_msg(
			"line %d: no %s within %lld ms", line, net_kind_name(kind), (long long)ms);
	return *s;
}

struct net_seen suite_arrived(struct net *n, enum net_kind kind, int64_t ms, int line)
{
	const struct net_seen *s = net_arrived(n, kind, ms);

	if (!s)
		ck_abort_msg(
			"line %d: no %s within %lld ms", line, net_kind_name(kind), (long long)ms);
	if (s->fate != F_ARRIVED)
		ck_abort_msg("line %d: %s was lost", line, net_kind_name(kind));
	return *s;
}

struct net_seen suite_lost(struct net *n, enum net_kind kind, int64_t ms, int line)
{
	const struct net_seen *s = net_arrived(n, kind, ms);

	if (!s)
		ck_abort_msg(
			"line %d: no %s within %lld ms", line, net_kind_name(kind), (long long)ms);
	if (s->fate != F_LOST)
		ck_abort_msg("line %d: %s was not lost", line, net_kind_name(kind));
	return *s;
}

void suite_none(struct net *n, enum net_kind kind, int64_t ms, int line)
{
	if (net_sent(n, kind, ms))
		ck_abort_msg("line %d: %s sent at %.3f s, but it should not be", line,
			net_kind_name(kind), (double)n->now.us / 1e6);
}

struct ha_binding_info binding(struct net *n)
{
	struct ha_binding_info i;

	if (!net_ha_binding(n, &i))
		ck_abort_msg("home agent has no binding");
	return i;
}

int64_t ms_between(monotime_t from, monotime_t to)
{
	return mono_diff_ms(to, from);
}

unsigned events(const struct net *n, bool from_ha, enum mip6_event_type type)
{
	unsigned count = 0;

	for (size_t i = 0; i < n->n_events; i++)
		count += n->events[i].from_ha == from_ha && n->events[i].e.type == type;
	return count;
}

struct mh_message parsed(const struct net_seen *s)
{
	struct mh_message m;

	ck_assert_int_eq(mh_parse(s->data, s->len, &m, NULL), MH_OK);
	return m;
}

struct mip6_packet from_ha(const struct net *n)
{
	return (struct mip6_packet){.src = n->ha_config.address,
		.dst = n->home_address,
		.dst_coa = net_care_of(n, IF1, LINK1),
		.flags = MIP6_PKT_RH2};
}
