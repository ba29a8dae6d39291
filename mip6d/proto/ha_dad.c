/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The home agent on the home link: Duplicate Address Detection for home
 * addresses and the link-local addresses that go with them (RFC 6275 10.3.1,
 * RFC 4862 5.4), and when they are defended (ha_proxy.c).
 *
 * DAD is one timer: a solicitation leaves, and if nobody has objected when
 * RetransTimer is over the address is free (DupAddrDetectTransmits is 1).
 * Our own solicitation, should the link give it back, is known by its Nonce
 * option (RFC 7527).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha_internal.h"

#define NDOPT_NONCE 14 /* RFC 3971 5.3.2 */
#define NS_FIXED_LEN 24 /* RFC 4861 4.3 */
#define ND_BUFFER 96
#define ADVERTISEMENT_GAP_US 200 /* between bindings, when all are advertised */

static uint8_t wanted(uint16_t bu_flags)
{
	return bu_flags & BU_F_L ? HA_DEFEND_HOME | HA_DEFEND_LINK_LOCAL : HA_DEFEND_HOME;
}

static bool link_usable(const struct ha *ha)
{
	return ha->config.home_ifindex && ha->link_up;
}

/* ---- messages ---- */

/* RFC 4862 5.4.2, with the nonce of RFC 7527 4.1 */
static void solicit(struct ha *ha, const struct ha_job *job, const struct in6_addr *target)
{
	struct icmp6_message m = {.type = ICMP6T_NS, .u.ns = {.target = *target}};
	struct mip6_packet p = {.src = in6addr_any, .dst = in6_solicited_node(target)};
	uint8_t data[ND_BUFFER];
	struct wbuf w;

	w = wbuf_make(data, sizeof(data));
	w.len = icmp6_build(&m, data, sizeof(data));
	wbuf_u8(&w, NDOPT_NONCE);
	wbuf_u8(&w, 1);
	wbuf_bytes(&w, job->nonce, sizeof(job->nonce));
	p.data = data;
	p.len = w.len;
	ha_send_nd(ha, &p, "solicit", target);
}

/* ---- jobs ---- */

static void listen_for(struct ha *ha, const struct in6_addr *addr, bool on)
{
	int err = ha->ops->dad_listen(ha->ops_ctx, ha->config.home_ifindex, addr, on);

	if (err)
		ha_op_failed(ha, on ? "listen for" : "stop listening for", addr, err);
}

static void stop_tests(struct ha *ha, struct ha_job *job, uint8_t which)
{
	for (size_t i = 0; i < HA_DEFENCES; i++) {
		uint8_t bit = ha_defences[i];
		struct in6_addr addr = ha_defended_address(job->binding, bit);

		if (!(job->testing & which & bit))
			continue;
		job->testing &= (uint8_t)~bit;
		listen_for(ha, &addr, false);
		if (bit == HA_DEFEND_LINK_LOCAL)
			addr_table_del(&ha->tests, &job->link_local);
	}
}

static void end_job(struct ha *ha, struct ha_binding *b)
{
	struct ha_job *job = b->job;

	if (!job)
		return;
	stop_tests(ha, job, job->testing);
	timer_stop(ha->env->timers, &job->timer);
	b->job = NULL;
	free(job);
}

static void run_job(struct timer *t, void *arg);

static struct ha_job *need_job(struct ha *ha, struct ha_binding *b)
{
	struct ha_job *job = b->job;

	if (job)
		return job;
	job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->binding = b;
	timer_init(&job->timer, run_job, job);
	/* Running from now on, and so only moved. */
	if (timer_start(ha->env->timers, &job->timer, MONOTIME_NEVER) < 0) {
		free(job);
		return NULL;
	}
	ha->env->random(ha->env->ctx, job->nonce, sizeof(job->nonce));
	b->job = job;
	return job;
}

/* -ENOMEM: the timer could not be started. */
static int next_step(struct ha *ha, struct ha_job *job, monotime_t when)
{
	return timer_start(ha->env->timers, &job->timer, when);
}

static int start_tests(struct ha *ha, struct ha_job *job, uint8_t which)
{
	int err = next_step(ha, job, mono_add_ms(ha_now(ha), HA_RETRANS_TIMER_MS));

	if (err)
		return err;
	for (size_t i = 0; i < HA_DEFENCES; i++) {
		uint8_t bit = ha_defences[i];
		struct in6_addr addr = ha_defended_address(job->binding, bit);

		if (!(which & bit))
			continue;
		job->testing |= bit;
		if (bit == HA_DEFEND_LINK_LOCAL) {
			job->link_local.addr = addr;
			addr_table_add(&ha->tests, &job->link_local);
		}
		listen_for(ha, &addr, true);
		solicit(ha, job, &addr);
	}
	return 0;
}

/* What has still to be tested: not what we know to be ours for another home address. */
static uint8_t untested(const struct ha *ha, const struct ha_binding *b, uint8_t which)
{
	struct in6_addr link_local = ha_defended_address(b, HA_DEFEND_LINK_LOCAL);

	if (b->job)
		which &= (uint8_t) ~(b->job->testing | b->job->tested);
	if (ha_find_link_local(ha, &link_local))
		which &= (uint8_t)~HA_DEFEND_LINK_LOCAL;
	return which;
}

int ha_dad_start(struct ha *ha, struct ha_binding *b, const struct ha_request *r)
{
	struct ha_job *job = need_job(ha, b);
	uint8_t which = wanted(r->flags), add;
	int err = 0;

	if (!job)
		return -ENOMEM;
	job->request = *r;
	stop_tests(ha, job, (uint8_t)~which);
	add = untested(ha, b, which);
	if (add)
		err = start_tests(ha, job, add);
	if (err)
		end_job(ha, b);
	return err;
}

/* Advertise all that b defends, and see to the rest later. */
static void advertise_now(struct ha *ha, struct ha_job *job)
{
	struct ha_binding *b = job->binding;

	for (size_t i = 0; i < HA_DEFENCES; i++) {
		struct in6_addr addr = ha_defended_address(b, ha_defences[i]);

		if (b->defended & ha_defences[i])
			ha_advertise(ha, &addr, b->flags & BU_F_R);
	}
	job->advertisements--;
	if (!job->advertisements ||
		next_step(ha, job, mono_add_ms(ha_now(ha), HA_RETRANS_TIMER_MS)) < 0)
		end_job(ha, b);
}

/* One of many: the link and the socket are spared a burst. */
static void advertise_in_turn(struct ha *ha, struct ha_job *job)
{
	monotime_t when = ha_now(ha);

	if (mono_before(when, ha->next_advertisement))
		when = ha->next_advertisement;
	ha->next_advertisement = (monotime_t){when.us + ADVERTISEMENT_GAP_US};
	if (next_step(ha, job, when) < 0)
		end_job(ha, job->binding);
}

void ha_defend(struct ha *ha, struct ha_binding *b, enum ha_defend_how how)
{
	uint8_t which = wanted(b->flags), gained, test;
	struct ha_job *job;

	ha_proxy_undefend(ha, b, (uint8_t)~which);
	if (b->job)
		stop_tests(ha, b->job, (uint8_t)~which);
	if (!link_usable(ha))
		return;
	which &= (uint8_t)~b->defended;
	test = how == HA_DEFEND_RESTORED ? 0 : untested(ha, b, which & HA_DEFEND_LINK_LOCAL);
	if (b->job)
		which &= (uint8_t)~b->job->testing;
	gained = ha_proxy_defend(ha, b, which & (uint8_t)~test);
	job = gained || test ? need_job(ha, b) : b->job;
	if (!job)
		return; /* nothing to do, or no memory: the proxy answers all the same */
	if (gained)
		job->advertisements = HA_MAX_NEIGHBOR_ADVERTISEMENT;
	if (test && start_tests(ha, job, test) < 0) {
		end_job(ha, b);
		return;
	}
	if (job->testing)
		return; /* advertised when that is over */
	if (gained && how != HA_DEFEND_ONE)
		advertise_in_turn(ha, job);
	else if (gained)
		advertise_now(ha, job);
	else if (!job->advertisements)
		end_job(ha, b);
}

void ha_undefend(struct ha *ha, struct ha_binding *b)
{
	end_job(ha, b);
	ha_proxy_undefend(ha, b, b->defended);
}

static void tests_done(struct ha *ha, struct ha_job *job)
{
	struct ha_binding *b = job->binding;
	struct ha_request r = job->request;

	job->tested |= job->testing;
	stop_tests(ha, job, job->testing);
	if (b->state == BINDING_DAD)
		ha_dad_succeeded(ha, b, &r);
	else
		ha_defend(ha, b, HA_DEFEND_ONE);
}

static void run_job(struct timer *t, void *arg)
{
	struct ha_job *job = arg;
	struct ha *ha = job->binding->ha;

	(void)t;
	if (job->testing || job->binding->state == BINDING_DAD)
		tests_done(ha, job);
	else if (job->advertisements)
		advertise_now(ha, job);
	else
		end_job(ha, job->binding);
}

/* ---- somebody else has it ---- */

static void duplicate(struct ha *ha, struct ha_job *job, const struct in6_addr *target)
{
	struct ha_binding *b = job->binding;
	struct mip6_event e = {
		.type = EV_ADDRESS_DUPLICATE,
		.when = ha_now(ha),
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.peer = *target,
		.ifindex = ha->config.home_ifindex,
		.status = -1,
		.seq = b->seq,
		.text = "in use on the home link",
	};

	ha->stats.dad_failures++;
	ha_emit(ha, &e);
	if (b->state == BINDING_DAD) {
		struct ha_request r = job->request;

		/* 10.3.1: the complete Binding Update.  Forwarding ends before the answer leaves. */
		ha_change_state(ha, b, BINDING_NONE, NULL, "home address in use on the home link");
		ha_refuse(ha, &r, BA_DAD_FAILED, r.answer.seq);
		return;
	}
	stop_tests(ha, job, HA_DEFEND_LINK_LOCAL);
	if (job->advertisements)
		advertise_now(ha, job);
	else
		end_job(ha, b);
}

static bool has_nonce(const struct mip6_packet *p, const uint8_t nonce[HA_NONCE_LEN])
{
	struct rbuf r = rbuf_make(p->data, p->len), body;
	uint8_t type, units, theirs[HA_NONCE_LEN];

	if (!rbuf_skip(&r, NS_FIXED_LEN))
		return false;
	while (rbuf_u8(&r, &type) && rbuf_u8(&r, &units) && units &&
		rbuf_sub(&r, &body, (size_t)units * 8 - 2)) {
		if (type == NDOPT_NONCE && units == 1 &&
			rbuf_bytes(&body, theirs, sizeof(theirs)) &&
			memcmp(theirs, nonce, sizeof(theirs)) == 0)
			return true;
	}
	return false;
}

/* The test of target that runs, or the next one of the same target. */
static struct ha_job *find_test(
	const struct ha *ha, const struct in6_addr *target, const struct ha_job *after)
{
	if (IN6_IS_ADDR_LINKLOCAL(target)) {
		struct addr_node *n = after ? addr_table_find_next(&after->link_local)
					    : addr_table_find(&ha->tests, target);

		return n ? ADDR_OBJECT(n, struct ha_job, link_local) : NULL;
	}
	struct ha_binding *b = after ? NULL : ha_binding_find(ha, target);

	return b && b->job && b->job->testing & HA_DEFEND_HOME ? b->job : NULL;
}

static bool is_own_echo(
	const struct ha *ha, const struct mip6_packet *p, const struct in6_addr *target)
{
	for (struct ha_job *j = NULL; (j = find_test(ha, target, j));) {
		if (has_nonce(p, j->nonce))
			return true;
	}
	return false;
}

/*
 * RFC 4862 5.4.3, 5.4.4 with the validity rules of RFC 4861 7.1.  A
 * solicitation from an address asks for the owner of the target and tells
 * nothing; one from :: is DAD of somebody else.
 */
static bool tells_duplicate(const struct ha *ha, const struct mip6_packet *p,
	const struct icmp6_message *m, struct in6_addr *target)
{
	if (m->type == ICMP6T_NA) {
		*target = m->u.na.target;
		return !(IN6_IS_ADDR_MULTICAST(&p->dst) && m->u.na.solicited);
	}
	if (m->type != ICMP6T_NS || !in6_is_any(&p->src) || m->u.ns.slla.len)
		return false;
	*target = m->u.ns.target;
	struct in6_addr group = in6_solicited_node(target);

	return in6_equal(&p->dst, &group) && !is_own_echo(ha, p, target);
}

void ha_neighbor_message(struct ha *ha, const struct mip6_packet *p)
{
	struct icmp6_message m;
	struct in6_addr target;
	struct ha_job *job;

	if (!link_usable(ha) || p->ifindex != ha->config.home_ifindex ||
		p->hop_limit != HA_ND_HOP_LIMIT || !p->len ||
		(p->data[0] != ICMP6T_NS && p->data[0] != ICMP6T_NA))
		return;
	if (!icmp6_parse(p->data, p->len, &m) || !tells_duplicate(ha, p, &m, &target))
		return;
	while ((job = find_test(ha, &target, NULL)))
		duplicate(ha, job, &target);
}

/* ---- the link itself ---- */

/* Without the link there is no DAD: what waits for it is refused and may be asked for again. */
static void link_lost(struct ha *ha)
{
	struct addr_node *n, *next;

	for (n = addr_table_walk(&ha->cache, NULL); n; n = next) {
		struct ha_binding *b = ADDR_OBJECT(n, struct ha_binding, node);

		next = addr_table_walk(&ha->cache, n);
		if (b->state == BINDING_DAD && b->job) {
			struct ha_request r = b->job->request;

			ha_change_state(ha, b, BINDING_NONE, NULL, "home link lost");
			ha_refuse(ha, &r, BA_UNSPECIFIED, r.answer.seq);
		} else {
			end_job(ha, b);
		}
	}
}

static void link_back(struct ha *ha)
{
	for (struct addr_node *n = NULL; (n = addr_table_walk(&ha->link_locals, n));)
		ha_proxy(ha, &n->addr, true, ADDR_OBJECT(n, struct ha_link_local, node)->router);
	for (struct addr_node *n = NULL; (n = addr_table_walk(&ha->cache, n));) {
		struct ha_binding *b = ADDR_OBJECT(n, struct ha_binding, node);

		if (b->state != BINDING_ACTIVE)
			continue;
		/* The proxy entries may have gone with the link; that of the home address is gained again. */
		b->defended &= (uint8_t)~HA_DEFEND_HOME;
		ha_defend(ha, b, HA_DEFEND_MANY);
	}
}

void ha_home_link(struct ha *ha, int ifindex, const uint8_t *lladdr, size_t lladdr_len)
{
	if (!ha->config.home_ifindex || ha->withdrawn)
		return; /* a virtual home link stays one */
	if (ha->link_up && ifindex != ha->config.home_ifindex) {
		link_lost(ha);
		ha->link_up = false;
	}
	if (!ifindex)
		return;
	if (lladdr_len > sizeof(ha->config.home_lladdr))
		lladdr_len = 0;
	ha->config.home_ifindex = ifindex;
	ha->config.home_lladdr_len = lladdr_len;
	if (lladdr_len)
		memcpy(ha->config.home_lladdr, lladdr, lladdr_len);
	ha->link_up = true;
	link_back(ha);
}
