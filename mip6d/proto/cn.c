/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Correspondent: life cycle, arriving Mobility Headers (RFC 6275 9.2, 9.4.1,
 * 9.4.2), ICMPv6 errors (9.3.4), and what others may ask.
 *
 * Nothing is kept for anybody who has not shown a valid authenticator: a test
 * is answered from the nonces, which are the same for all (5.2.5).
 */
#include "mip6d/proto/cn.h"

#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/proto/cn_internal.h"

/*
 * To one /64, a second.  A home link has one /64 for all its mobile nodes, and
 * each asks twice at a move.  A forged source gets little more than was sent.
 */
#define CN_TESTS_PER_S 100
#define CN_TESTS_BURST 400
#define CN_ERRORS_PER_S 50
#define CN_ERRORS_BURST 100

#define MH_TYPE_AT 2
#define BU_FLAGS_AT 8

static uint32_t at_most(uint32_t v, uint32_t limit)
{
	return v && v < limit ? v : limit;
}

static int tables_init(struct cn *cn)
{
	uint64_t key[2];
	int err;

	cn->env->random(cn->env->ctx, key, sizeof(key));
	err = addr_table_init(&cn->cache, key);
	if (!err)
		err = addr_table_init(&cn->shared, key);
	cn_limit_init(&cn->tests, CN_TESTS_PER_S, CN_TESTS_BURST, key);
	cn_limit_init(&cn->errors, CN_ERRORS_PER_S, CN_ERRORS_BURST, key);
	return err;
}

struct cn *cn_new(const struct cn_config *config, const struct mip6_env *env,
	const struct ro_ops *ro, void *ro_ctx, const struct cn_store_ops *store)
{
	struct cn *cn = calloc(1, sizeof(*cn));

	if (!cn)
		return NULL;
	cn->config = *config;
	if (!config->max_bindings)
		cn->config.max_bindings = CN_DEFAULT_BINDINGS;
	cn->config.max_lifetime_s =
		at_most(config->max_lifetime_s, MIP6_MAX_RR_BINDING_LIFETIME / 1000);
	cn->env = env;
	cn->ro = ro;
	cn->ro_ctx = ro_ctx;
	if (store)
		cn->store = *store;
	rr_nonces_init(&cn->nonces, env->random, env->ctx);
	cn->bad_limit = (struct log_limit)LOG_LIMIT_INIT(10, 60);
	cn->refused_limit = (struct log_limit)LOG_LIMIT_INIT(100, 600);
	cn->op_limit = (struct log_limit)LOG_LIMIT_INIT(10, 60);
	if (tables_init(cn) < 0) {
		cn_free(cn);
		return NULL;
	}
	return cn;
}

static void forget_bindings(struct cn *cn)
{
	struct addr_node *n, *next;

	for (n = cn->cache.n ? addr_table_walk(&cn->cache, NULL) : NULL; n; n = next) {
		struct cn_binding *b = ADDR_OBJECT(n, struct cn_binding, node);

		next = addr_table_walk(&cn->cache, n);
		timer_stop(cn->env->timers, &b->expiry);
		timer_stop(cn->env->timers, &b->refresh);
		free(b);
	}
}

void cn_free(struct cn *cn)
{
	if (!cn)
		return;
	forget_bindings(cn);
	cn_shared_free_all(cn);
	addr_table_free(&cn->cache);
	addr_table_free(&cn->shared);
	rr_nonces_wipe(&cn->nonces);
	free(cn);
}

void cn_withdraw(struct cn *cn)
{
	struct addr_node *n, *next;

	cn->withdrawn = true;
	for (n = addr_table_walk(&cn->cache, NULL); n; n = next) {
		next = addr_table_walk(&cn->cache, n);
		cn_change_state(
			cn, ADDR_OBJECT(n, struct cn_binding, node), CN_NONE, NULL, 0, "withdrawn");
	}
}

/* ---- arriving packets ---- */

bool cn_wants(const struct mip6_packet *p)
{
	if (p->len <= MH_TYPE_AT)
		return false;
	if (p->data[MH_TYPE_AT] == MH_BU)
		return p->len > BU_FLAGS_AT && !(p->data[BU_FLAGS_AT] & BU_F_H >> 8);
	return p->data[MH_TYPE_AT] == MH_HOTI || p->data[MH_TYPE_AT] == MH_COTI;
}

bool cn_is_ours(const struct cn *cn, const struct in6_addr *local, const struct in6_addr *addr)
{
	return in6_equal(local, addr) ||
	       (cn->config.is_ours && cn->config.is_ours(cn->config.is_ours_ctx, addr));
}

/* 9.4.1, 9.4.2, and what could not become a binding anyhow. */
static void test_init(struct cn *cn, const struct mip6_packet *p, const struct mh_message *m)
{
	bool home = m->type == MH_HOTI;

	cn->stats.hoti_received += home;
	cn->stats.coti_received += !home;
	if (p->flags & MIP6_PKT_HAO)
		cn_bad_packet(cn, p, "test init with a Home Address option");
	else if (!in6_is_routable_unicast(&p->src) || !in6_is_routable_unicast(&p->dst) ||
		 cn_is_ours(cn, &p->dst, &p->src))
		cn_bad_packet(cn, p, "test init from or to an address that cannot be tested");
	else if (!home || !cn_shared_find(cn, &p->dst, &p->src)) /* RFC 4449 4 */
		cn_send_test(cn, p, m);
}

static void malformed(struct cn *cn, const struct mip6_packet *p, enum mh_error err, size_t offset)
{
	const struct in6_addr *home = p->flags & MIP6_PKT_HAO ? &p->src : &in6addr_any;

	cn_bad_packet(cn, p, mh_strerror(err));
	if (err == MH_E_UNKNOWN_TYPE)
		cn_send_binding_error(cn, &p->dst, cn_wire_source(p), home, BE_UNKNOWN_MH_TYPE);
	else if (err == MH_E_PAYLOAD_PROTO || err == MH_E_HEADER_LEN)
		cn_send_parameter_problem(cn, p, offset);
}

void cn_receive_mh(struct cn *cn, const struct mip6_packet *p)
{
	struct mh_message m;
	size_t offset = 0;
	enum mh_error err;

	if (cn->withdrawn)
		return;
	if (p->flags & MIP6_PKT_HAO && !in6_is_routable_unicast(&p->src)) { /* 9.3.1 */
		cn_bad_packet(cn, p, "Home Address option is not routable unicast");
		return;
	}
	err = mh_parse(p->data, p->len, &m, &offset);
	if (err != MH_OK) {
		cn->stats.malformed += err != MH_E_UNKNOWN_TYPE;
		cn->stats.unknown_type += err == MH_E_UNKNOWN_TYPE;
		malformed(cn, p, err, offset);
	} else if (m.type == MH_HOTI || m.type == MH_COTI) {
		test_init(cn, p, &m);
	} else if (m.type == MH_BU) {
		cn_binding_update(cn, p, &m);
	}
}

void cn_unverified_home_address(struct cn *cn, const struct in6_addr *local,
	const struct in6_addr *home, const struct in6_addr *care_of)
{
	struct in6_addr bound;

	/* The Binding Update may have come while the report of its first packet was under way. */
	if (cn->withdrawn || (cn_care_of(cn, local, home, &bound) && in6_equal(&bound, care_of)))
		return;
	cn_send_binding_error(cn, local, care_of, home, BE_UNKNOWN_BINDING);
}

/* No route, and address unreachable: the other codes say nothing of the address, or come from the node itself. */
void cn_icmp_error(struct cn *cn, const struct icmp6_error *e)
{
	const struct in6_addr *local = e->has_hao ? &e->hao : &e->src;
	struct cn_binding *b;

	if (e->type != ICMP6T_UNREACHABLE || (e->code != 0 && e->code != 3) || !e->has_rh2)
		return;
	b = cn_binding_find(cn, local, &e->rh2);
	if (b && in6_equal(&b->care_of, &e->dst))
		cn_binding_unreachable(cn, b);
}

/* ---- what others ask ---- */

bool cn_care_of(const struct cn *cn, const struct in6_addr *local, const struct in6_addr *home,
	struct in6_addr *care_of)
{
	const struct cn_binding *b = cn_binding_find(cn, local, home);

	if (!b || b->state != CN_ACTIVE)
		return false;
	*care_of = b->care_of;
	return true;
}

size_t cn_count(const struct cn *cn)
{
	return cn->n_active;
}

static struct cn_binding_info info_of(const struct cn *cn, const struct cn_binding *b)
{
	monotime_t now = cn_now(cn);
	int64_t left_ms = mono_diff_ms(b->expires, now);

	return (struct cn_binding_info){
		.local = b->local,
		.home_address = b->node.addr,
		.care_of = b->care_of,
		.seq = b->seq,
		.lifetime_s = b->lifetime_s,
		.remaining_s = left_ms > 0 ? (uint32_t)(left_ms / 1000) : 0,
		.age_s = (uint32_t)mono_diff_s(now, b->created),
		.moves = b->moves,
		.shared = b->shared,
	};
}

void cn_foreach(
	const struct cn *cn, bool (*fn)(void *arg, const struct cn_binding_info *i), void *arg)
{
	struct addr_node *n = NULL;

	while ((n = addr_table_walk(&cn->cache, n))) {
		const struct cn_binding *b = ADDR_OBJECT(n, struct cn_binding, node);
		struct cn_binding_info i = info_of(cn, b);

		if (b->state == CN_ACTIVE && !fn(arg, &i))
			return;
	}
}

size_t cn_remove(struct cn *cn, const struct in6_addr *local, const struct in6_addr *home)
{
	struct addr_node *n = addr_table_find(&cn->cache, home), *next;
	size_t removed = 0;

	for (; n; n = next) {
		struct cn_binding *b = ADDR_OBJECT(n, struct cn_binding, node);

		next = addr_table_find_next(n);
		if (b->state != CN_ACTIVE || (!in6_is_any(local) && !in6_equal(local, &b->local)))
			continue;
		cn_change_state(cn, b, CN_FORGOTTEN, NULL, 0, "removed here");
		removed++;
	}
	return removed;
}

const struct cn_stats *cn_stats(const struct cn *cn)
{
	return &cn->stats;
}

/* ---- what is told ---- */

void cn_emit(struct cn *cn, const struct mip6_event *e)
{
	if (cn->env->event)
		cn->env->event(cn->env->ctx, e);
}

void cn_bad_packet(struct cn *cn, const struct mip6_packet *p, const char *why)
{
	uint64_t held;
	struct mip6_event e = {
		.type = EV_BAD_PACKET,
		.when = cn_now(cn),
		.home_address = p->flags & MIP6_PKT_HAO ? p->src : in6addr_any,
		.peer = *cn_wire_source(p),
		.ifindex = p->ifindex,
		.status = -1,
		.text = why,
	};

	if (!log_allowed(&cn->bad_limit, e.when, &held))
		return;
	if (held)
		log_notice("correspondent: %llu more bad packets were not reported",
			(unsigned long long)held);
	cn_emit(cn, &e);
}

void cn_op_failed(struct cn *cn, const char *what, const struct in6_addr *addr, int err)
{
	uint64_t held;

	if (!log_allowed(&cn->op_limit, cn_now(cn), &held))
		return;
	if (held)
		log_notice("correspondent: %llu more failures were not reported",
			(unsigned long long)held);
	log_warning("correspondent: cannot %s %s: %s", what, in6_str(addr),
		strerror(err < 0 ? -err : err));
}
