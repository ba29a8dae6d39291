/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each policy is said once, by signal_policies() and data_policies(), which
 * give it to whoever asks: to be set, moved, removed or compared.
 *
 * Types are selectors only where the kernel can tell them: Neighbor Discovery
 * between home address and home agent, which has no extension headers.
 */
#include "ipsec-glue/plan.h"

#include <netinet/icmp6.h>
#include <string.h>

#include "ipsec-glue/marks.h"

#define IKE_PORT 500

#ifndef IPPROTO_MH
#define IPPROTO_MH 135
#endif

/* How strictly what arrives is judged. */
enum strictness {
	REQUIRED, /* away, bound */
	TOLERANT, /* at home: what is still under way through the tunnel is taken, and what comes without as well */
};

typedef void policy_fn(struct ipsec_plan *p, const struct ipsec_policy *policy, void *arg);

struct walk {
	struct ipsec_plan *plan;
	policy_fn *fn;
	void *arg;
};

static void give(const struct walk *w, const struct ipsec_policy *policy)
{
	w->fn(w->plan, policy, w->arg);
}

/* ---- pieces ---- */

static struct ip6_prefix host(const struct in6_addr *a)
{
	return (struct ip6_prefix){.addr = *a, .plen = 128};
}

static const struct ip6_prefix everywhere;

static struct ipsec_policy between(
	enum ipsec_dir dir, const struct ip6_prefix *src, const struct ip6_prefix *dst, uint8_t proto)
{
	return (struct ipsec_policy){
		.dir = dir, .sel = {.family = AF_INET6, .proto = proto, .type = -1, .src = *src, .dst = *dst}};
}

static void add_template(struct ipsec_policy *p, struct ipsec_template t)
{
	p->templates[p->n_templates++] = t;
}

/* Where a header applies is a matter of states: away there is one, at home there is none. */
static void add_ro(struct ipsec_policy *p, uint8_t proto)
{
	add_template(p, (struct ipsec_template){.proto = proto, .mode = IPSEC_RO, .optional = true});
}

void ipsec_node_ends(const struct ipsec_node *n, enum ipsec_use use, bool out, struct in6_addr *src,
	struct in6_addr *dst)
{
	bool by_care_of = use == IPSEC_DATA && n->arrangement == IPSEC_BY_MIGRATE;
	struct in6_addr mobile = by_care_of ? n->care_of : n->home_address;
	bool from_mobile = out != n->at_home_agent;

	*src = from_mobile ? mobile : n->home_agent;
	*dst = from_mobile ? n->home_agent : mobile;
}

static void add_esp(struct ipsec_policy *p, const struct ipsec_node *n, enum ipsec_use use, bool optional)
{
	struct ipsec_template t = {.proto = IPPROTO_ESP,
		.mode = use == IPSEC_SIGNAL ? IPSEC_TRANSPORT : IPSEC_TUNNEL,
		.optional = optional,
		.reqid = n->reqid[use]};

	ipsec_node_ends(n, use, p->dir == IPSEC_OUT, &t.src, &t.dst);
	add_template(p, t);
}

/* ---- signalling: Mobility Headers and ICMPv6 between home address and home agent ---- */

/* The ends of a policy: from the mobile node's to the other side, or back. */
static struct ipsec_policy towards(const struct ipsec_node *n, enum ipsec_dir dir,
	const struct ip6_prefix *mobile, const struct ip6_prefix *other, uint8_t proto)
{
	bool from_mobile = (dir == IPSEC_OUT) != n->at_home_agent;

	return from_mobile ? between(dir, mobile, other, proto) : between(dir, other, mobile, proto);
}

static void signal_policy(const struct ipsec_node *n, enum ipsec_dir dir, uint8_t proto,
	uint32_t priority, const struct walk *w)
{
	struct ip6_prefix mobile = host(&n->home_address), agent = host(&n->home_agent);
	struct ipsec_policy p = towards(n, dir, &mobile, &agent, proto);

	p.priority = priority;
	add_esp(&p, n, IPSEC_SIGNAL, false);
	if (!n->at_home_agent)
		add_ro(&p, dir == IPSEC_OUT ? IPPROTO_DSTOPTS : IPPROTO_ROUTING);
	else if (dir == IPSEC_IN) /* the home agent's daemon writes the routing header itself */
		add_ro(&p, IPPROTO_DSTOPTS);
	give(w, &p);
}

static void discovery_policy(
	const struct ipsec_node *n, enum ipsec_dir dir, uint8_t type, const struct walk *w)
{
	struct ip6_prefix mobile = host(&n->home_address), agent = host(&n->home_agent);
	struct ipsec_policy p = towards(n, dir, &mobile, &agent, IPPROTO_ICMPV6);

	p.sel.type = type;
	p.priority = GLUE_PRIO_OPEN;
	give(w, &p);
}

/* IKE from the home address sets up what protects all else. */
static void ike_policy(const struct ipsec_node *n, enum ipsec_dir dir, const struct walk *w)
{
	struct ip6_prefix mobile = host(&n->home_address), agent = host(&n->home_agent);
	struct ipsec_policy p = towards(n, dir, &mobile, &agent, IPPROTO_UDP);

	p.sel.type = IKE_PORT; /* the kernel has it where the source port is */
	p.priority = GLUE_PRIO_OPEN;
	give(w, &p);
}

static void signal_policies(const struct ipsec_node *n, const struct walk *w)
{
	static const enum ipsec_dir both[] = {IPSEC_IN, IPSEC_OUT};

	for (int i = 0; i < 2; i++) {
		if (n->ike)
			ike_policy(n, both[i], w);
		discovery_policy(n, both[i], ND_NEIGHBOR_SOLICIT, w);
		discovery_policy(n, both[i], ND_NEIGHBOR_ADVERT, w);
		signal_policy(n, both[i], IPPROTO_MH, GLUE_PRIO_SIGNAL_MH, w);
		signal_policy(n, both[i], IPPROTO_ICMPV6, GLUE_PRIO_SIGNAL_ICMP, w);
	}
}

/* ---- the tunnel ---- */

/*
 * At the mobile node Acknowledgements and Refresh Requests of correspondents
 * come by the direct path, HoT by the tunnel; the kernel cannot tell them
 * apart here, the packet filter does (mip6d/sys/mn_esp.c).
 */
static bool may_come_directly(const struct ipsec_node *n, const struct ipsec_policy *p)
{
	return !n->at_home_agent && p->dir == IPSEC_IN && p->sel.proto == IPPROTO_MH;
}

static void data_policy(const struct ipsec_node *n, enum ipsec_dir dir, const struct ip6_prefix *mobile,
	uint8_t proto, enum strictness s, const struct walk *w)
{
	struct ipsec_policy p = towards(n, dir, mobile, &everywhere, proto);
	bool direct = may_come_directly(n, &p);

	p.priority = proto == IPPROTO_MH ? GLUE_PRIO_DATA_MH : GLUE_PRIO_DATA;
	if (direct) /* another mobile node's Binding Update, through the tunnel */
		add_ro(&p, IPPROTO_DSTOPTS);
	add_esp(&p, n, IPSEC_DATA, s == TOLERANT || direct);
	if (n->arrangement == IPSEC_BY_HOME_ADDRESS || direct) {
		bool from_mobile = (dir == IPSEC_OUT) != n->at_home_agent;

		add_ro(&p, from_mobile || direct ? IPPROTO_DSTOPTS : IPPROTO_ROUTING);
		if (direct)
			add_ro(&p, IPPROTO_ROUTING);
	}
	give(w, &p);
}

/* All directions in which packets of mobile are judged. */
static void data_of(const struct ipsec_node *n, const struct ip6_prefix *mobile, uint8_t proto, bool network,
	enum strictness s, const struct walk *w)
{
	if (s == REQUIRED)
		data_policy(n, IPSEC_OUT, mobile, proto, s, w);
	data_policy(n, IPSEC_IN, mobile, proto, s, w);
	if (n->at_home_agent || network)
		data_policy(n, IPSEC_FWD, mobile, proto, s, w);
}

static void open_policy(enum ipsec_dir dir, const struct ip6_prefix *src, const struct ip6_prefix *dst,
	uint8_t proto, const struct walk *w)
{
	struct ipsec_policy p = between(dir, src, dst, proto);

	p.priority = GLUE_PRIO_OPEN;
	give(w, &p);
}

/* What a node says to its own home address, and its networks to each other, does not leave it. */
static void own_policies(const struct ipsec_node *n, const struct ip6_prefix *a, const struct walk *w)
{
	struct ip6_prefix self = host(&n->home_address);

	for (size_t i = 0; i <= n->n_networks; i++) {
		const struct ip6_prefix *b = i < n->n_networks ? &n->networks[i] : &self;

		open_policy(IPSEC_IN, a, b, 0, w);
		open_policy(IPSEC_OUT, a, b, 0, w);
		if (n->n_networks)
			open_policy(IPSEC_FWD, a, b, 0, w);
	}
}

static void data_policies(const struct ipsec_node *n, enum strictness s, const struct walk *w)
{
	struct ip6_prefix self = host(&n->home_address);

	if (n->payload && !n->at_home_agent) {
		own_policies(n, &self, w);
		for (size_t i = 0; i < n->n_networks; i++)
			own_policies(n, &n->networks[i], w);
	}
	data_of(n, &self, IPPROTO_MH, false, s, w);
	if (!n->payload)
		return;
	data_of(n, &self, 0, false, s, w);
	for (size_t i = 0; i < n->n_networks; i++)
		data_of(n, &n->networks[i], 0, true, s, w);
}

/* ---- on one link ---- */

static void link_policies(const struct walk *w)
{
	static const struct ip6_prefix link_local = {{.s6_addr = {0xfe, 0x80}}, 10},
				       link_group = {{.s6_addr = {0xff, 0x02}}, 16};

	open_policy(IPSEC_OUT, &everywhere, &link_local, IPPROTO_ICMPV6, w);
	open_policy(IPSEC_IN, &everywhere, &link_local, IPPROTO_ICMPV6, w);
	open_policy(IPSEC_IN, &link_local, &everywhere, IPPROTO_ICMPV6, w);
	open_policy(IPSEC_OUT, &everywhere, &link_group, 0, w);
}

/* ---- what is done with a policy ---- */

static void put(struct ipsec_plan *p, const struct ipsec_policy *policy, void *arg)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_POLICY_SET);

	(void)arg;
	if (op)
		op->policy = *policy;
}

static void away_with(struct ipsec_plan *p, const struct ipsec_policy *policy, void *arg)
{
	struct ipsec_op *op = ipsec_plan_add(p, IPSEC_POLICY_DEL);

	(void)arg;
	if (op)
		op->policy = *policy;
}

static void away_if_out(struct ipsec_plan *p, const struct ipsec_policy *policy, void *arg)
{
	if (policy->dir == IPSEC_OUT && policy->n_templates)
		away_with(p, policy, arg);
}

/* arg is the node; what does not end at the care-of address stays. */
static void move(struct ipsec_plan *p, const struct ipsec_policy *policy, void *arg)
{
	const struct ipsec_node *const *ends = arg; /* as it is, as it will be */
	struct ipsec_op *op;

	if (!policy->n_templates)
		return;
	op = ipsec_plan_add(p, IPSEC_MIGRATE);
	if (!op)
		return;
	op->migrate = (struct ipsec_migrate){.sel = policy->sel,
		.dir = policy->dir,
		.reqid = ends[0]->reqid[IPSEC_DATA],
		.mode = IPSEC_TUNNEL};
	ipsec_node_ends(ends[0], IPSEC_DATA, policy->dir == IPSEC_OUT, &op->migrate.old_src,
		&op->migrate.old_dst);
	ipsec_node_ends(ends[1], IPSEC_DATA, policy->dir == IPSEC_OUT, &op->migrate.new_src,
		&op->migrate.new_dst);
}

/* ---- states ---- */

static void ro_state(struct ipsec_plan *p, uint8_t proto, const struct in6_addr *src,
	const struct in6_addr *dst, const struct in6_addr *care_of)
{
	struct ipsec_op *op = ipsec_plan_add(p, care_of ? IPSEC_RO_SET : IPSEC_RO_DEL);

	if (op)
		op->ro = (struct ipsec_ro){
			.proto = proto, .src = *src, .dst = *dst, .care_of = care_of ? *care_of : in6addr_any};
}

/* The home agent's way to the node: what it sends by the tunnel SA has a type 2 routing header. */
static void carry(const struct ipsec_node *n, const struct in6_addr *care_of, struct ipsec_plan *p)
{
	if (n->at_home_agent && n->arrangement == IPSEC_BY_HOME_ADDRESS)
		ro_state(p, IPPROTO_ROUTING, &n->home_agent, &n->home_address, care_of);
}

void ipsec_plan_source(const struct ipsec_node *n, const struct in6_addr *care_of, struct ipsec_plan *p)
{
	if (care_of || n->sourced)
		ro_state(p, IPPROTO_DSTOPTS, &n->home_address, &n->home_agent, care_of);
}

/* ---- plans ---- */

void ipsec_plan_common(bool set, struct ipsec_plan *p)
{
	link_policies(&(struct walk){p, set ? put : away_with, NULL});
}

void ipsec_plan_install(const struct ipsec_node *n, struct ipsec_plan *p)
{
	signal_policies(n, &(struct walk){p, put, NULL});
}

static void pause(const struct ipsec_node *n, enum ipsec_op_type type, struct ipsec_plan *p)
{
	struct ipsec_op *op = ipsec_plan_add(p, type);

	if (op)
		op->pause = n->home_address;
}

/* The clone must not send what the original has sent (doc/ipsec.md, "Sequence numbers at a move"). */
static void sequence(
	const struct ipsec_node *n, enum ipsec_use use, enum ipsec_op_type type, struct ipsec_plan *p)
{
	uint32_t spi = use == IPSEC_DATA ? n->spi_out : n->spi_signal;
	struct ipsec_op *op = spi ? ipsec_plan_add(p, type) : NULL;

	if (!op)
		return;
	ipsec_node_ends(n, use, true, &op->sa.src, &op->sa.dst);
	op->sa.spi = spi;
	op->sa.reqid = n->reqid[use];
}

/*
 * The IKE daemon is told with the signalling's policy, which stays where it
 * is: told with the tunnel's, strongSwan would delete that SA and add it with
 * a sequence number it has read before (doc/ipsec.md, strongSwan).
 */
static void tell(const struct ipsec_node *to, struct ipsec_plan *p)
{
	struct ip6_prefix mobile = host(&to->home_address), agent = host(&to->home_agent);
	struct ipsec_op *op;
	struct ipsec_migrate *m;

	if (!to->ike || !to->spi_signal) /* without SAs IKE begins at the new place anyway */
		return;
	sequence(to, IPSEC_SIGNAL, IPSEC_SA_STOP, p);
	op = ipsec_plan_add(p, IPSEC_MIGRATE);
	if (!op)
		return;
	m = &op->migrate;
	m->sel = towards(to, IPSEC_OUT, &mobile, &agent, IPPROTO_MH).sel;
	m->dir = IPSEC_OUT;
	m->reqid = to->reqid[IPSEC_SIGNAL];
	m->mode = IPSEC_TRANSPORT;
	ipsec_node_ends(to, IPSEC_SIGNAL, true, &m->old_src, &m->old_dst);
	m->new_src = m->old_src;
	m->new_dst = m->old_dst;
	m->tell = true;
	m->local = to->at_home_agent ? to->home_agent : to->care_of;
	m->remote = to->at_home_agent ? to->care_of : to->home_agent;
	sequence(to, IPSEC_SIGNAL, IPSEC_SA_SKIP, p);
}

static void migrate(
	const struct ipsec_node *from, const struct ipsec_node *to, struct ipsec_plan *p)
{
	const struct ipsec_node *ends[2] = {from, to};

	pause(from, IPSEC_PAUSE, p);
	sequence(from, IPSEC_DATA, IPSEC_SA_STOP, p);
	data_policies(from, REQUIRED, &(struct walk){p, move, ends});
	sequence(to, IPSEC_DATA, IPSEC_SA_SKIP, p);
	pause(from, IPSEC_RESUME, p);
}

void ipsec_plan_bind(const struct ipsec_node *n, const struct in6_addr *care_of, struct ipsec_plan *p)
{
	struct ipsec_node to = *n;
	bool new = in6_is_any(&n->care_of);

	to.care_of = *care_of;
	carry(n, care_of, p);
	/* SAs that were left behind are where the policies name them, and move from there. */
	if (!n->bound)
		data_policies(new ? &to : n, REQUIRED, &(struct walk){p, put, NULL});
	if (new || in6_equal(&n->care_of, care_of))
		return;
	if (n->arrangement == IPSEC_BY_MIGRATE)
		migrate(n, &to, p);
	tell(&to, p);
}

/* The SAs wait at the home address: what they have counted goes on when the node leaves again. */
void ipsec_plan_unbind(const struct ipsec_node *n, struct ipsec_plan *p)
{
	struct ipsec_node home = *n;

	if (!n->bound)
		return;
	ipsec_plan_bind(n, &n->home_address, p);
	home.care_of = n->home_address;
	data_policies(&home, TOLERANT, &(struct walk){p, put, NULL});
	data_policies(&home, REQUIRED, &(struct walk){p, away_if_out, NULL});
	carry(n, NULL, p);
}

static bool has_network(const struct ip6_prefix *list, size_t n, const struct ip6_prefix *one)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].plen == one->plen && in6_equal(&list[i].addr, &one->addr))
			return true;
	return false;
}

void ipsec_plan_networks(const struct ipsec_node *n, const struct ip6_prefix *networks, size_t n_networks,
	struct ipsec_plan *p)
{
	enum strictness s = n->bound ? REQUIRED : TOLERANT;

	if (!n->payload || !n->was_bound)
		return;
	for (size_t i = 0; i < n_networks; i++)
		if (!has_network(n->networks, n->n_networks, &networks[i]))
			data_of(n, &networks[i], 0, true, s, &(struct walk){p, put, NULL});
	for (size_t i = 0; i < n->n_networks; i++)
		if (!has_network(networks, n_networks, &n->networks[i]))
			data_of(n, &n->networks[i], 0, true, REQUIRED, &(struct walk){p, away_with, NULL});
}

void ipsec_plan_remove(const struct ipsec_node *n, struct ipsec_plan *p)
{
	if (n->was_bound)
		data_policies(n, REQUIRED, &(struct walk){p, away_with, NULL});
	signal_policies(n, &(struct walk){p, away_with, NULL});
	if (n->bound)
		carry(n, NULL, p);
	if (n->sourced)
		ipsec_plan_source(n, NULL, p);
}

void ipsec_plan_wanted(const struct ipsec_node *n, struct ipsec_plan *p)
{
	ipsec_plan_install(n, p);
	if (n->was_bound)
		data_policies(n, n->bound ? REQUIRED : TOLERANT, &(struct walk){p, put, NULL});
	if (n->bound)
		carry(n, &n->care_of, p);
	if (n->sourced)
		ipsec_plan_source(n, &n->source, p);
}
