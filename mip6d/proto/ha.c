/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Home agent: life cycle, arriving Mobility Headers (RFC 6275 9.2, 9.3.1),
 * prefixes, and everything that is told to the world outside.
 *
 * The core makes no system call.  A packet is parsed as a whole, judged,
 * and only then acted upon; see ha_internal.h for who does what.  Checksums
 * are verified by whoever receives.
 */
#include "mip6d/proto/ha.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/ha_internal.h"

static int tables_init(struct ha *ha)
{
	struct addr_table *tables[] = {&ha->cache, &ha->tests, &ha->link_locals};
	uint64_t key[2];
	int err = 0;

	ha->env->random(ha->env->ctx, key, sizeof(key));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !err; i++)
		err = addr_table_init(tables[i], key);
	return err;
}

static void tables_free(struct ha *ha)
{
	addr_table_free(&ha->cache);
	addr_table_free(&ha->tests);
	addr_table_free(&ha->link_locals);
}

struct ha *ha_new(const struct ha_config *config, const struct mip6_env *env,
	const struct ha_ops *ops, void *ops_ctx)
{
	struct ha *ha = calloc(1, sizeof(*ha));

	if (!ha)
		return NULL;
	ha->config = *config;
	if (ha->config.n_prefixes > HA_MAX_PREFIXES)
		ha->config.n_prefixes = HA_MAX_PREFIXES;
	ha->env = env;
	ha->ops = ops;
	ha->ops_ctx = ops_ctx;
	ha->next_advertisement = env->now(env->ctx);
	for (size_t i = 0; i < ha->config.n_prefixes; i++)
		ha->config.prefixes[i].since = env->now(env->ctx);
	ha->link_up = config->home_ifindex != 0;
	ha->bad_limit = (struct log_limit)LOG_LIMIT_INIT(10, 60);
	ha->refused_limit = (struct log_limit)LOG_LIMIT_INIT(100, 600);
	ha->error_limit = (struct log_limit)LOG_LIMIT_INIT(10, 600); /* 10 a second */
	ha->op_limit = (struct log_limit)LOG_LIMIT_INIT(10, 60);
	ha->be_limit = (struct log_limit)LOG_LIMIT_INIT(10, 60);
	ha->stranger_limit = (struct log_limit)LOG_LIMIT_INIT(100, 6000); /* 100 a second */
	ha->discovery_limit = (struct log_limit)LOG_LIMIT_INIT(100, 6000);
	ha->solicitation_limit = (struct log_limit)LOG_LIMIT_INIT(1000, 60000);
	if (!ha->config.max_prefix_interval_s) {
		ha->config.min_prefix_interval_s = 600;
		ha->config.max_prefix_interval_s = 86400;
	}
	if (!ha->config.switch_rate)
		ha->config.switch_rate = 1;
	if (!ha->config.revocation.timeout_ms)
		ha->config.revocation.timeout_ms = 1000;
	if (ha->config.revocation.max_timeout_ms < ha->config.revocation.timeout_ms)
		ha->config.revocation.max_timeout_ms = ha->config.revocation.timeout_ms;
	if (tables_init(ha) < 0 || ha_nemo_init(ha) < 0) {
		tables_free(ha);
		free(ha->by_prefix);
		free(ha);
		return NULL;
	}
	return ha;
}

void ha_free(struct ha *ha)
{
	struct addr_node *n, *next;

	if (!ha)
		return;
	ha_switch_all_end(ha);
	ha_list_end(ha);
	for (n = addr_table_walk(&ha->cache, NULL); n; n = next) {
		struct ha_binding *b = ADDR_OBJECT(n, struct ha_binding, node);

		next = addr_table_walk(&ha->cache, n);
		timer_stop(ha->env->timers, &b->expiry);
		if (b->job)
			timer_stop(ha->env->timers, &b->job->timer);
		ha_signals_end(ha, b);
		free(b->identifier);
		ha_nemo_forget(b);
		free(b->job);
		free(b);
	}
	for (n = addr_table_walk(&ha->link_locals, NULL); n; n = next) {
		next = addr_table_walk(&ha->link_locals, n);
		free(ADDR_OBJECT(n, struct ha_link_local, node));
	}
	tables_free(ha);
	free(ha->by_prefix);
	free(ha);
}

/* ---- arriving packets ---- */

static void malformed(struct ha *ha, const struct mip6_packet *p, const char *why)
{
	ha->stats.malformed++;
	ha_bad_packet(ha, p, why);
}

void ha_receive_mh(struct ha *ha, const struct mip6_packet *p)
{
	struct mh_message m;
	size_t offset = 0;
	enum mh_error err;

	if (ha->withdrawn)
		return;
	if (p->flags & MIP6_PKT_HAO && !in6_is_routable_unicast(&p->src)) { /* 9.3.1 */
		malformed(ha, p, "Home Address option is not routable unicast");
		return;
	}
	err = mh_parse(p->data, p->len, &m, &offset);
	switch (err) {
	case MH_OK:
		if (m.type == MH_BU)
			ha_binding_update(ha, p, &m);
		else
			ha_signal(ha, p, &m);
		break;
	case MH_E_UNKNOWN_TYPE:
		ha->stats.unknown_type++;
		ha_bad_packet(ha, p, mh_strerror(err));
		ha_send_binding_error(ha, p, BE_UNKNOWN_MH_TYPE);
		break;
	case MH_E_PAYLOAD_PROTO:
	case MH_E_HEADER_LEN:
		malformed(ha, p, mh_strerror(err));
		ha_send_parameter_problem(ha, p, offset);
		break;
	case MH_E_SHORT:
	case MH_E_OPTION:
	case MH_E_TOO_MANY:
	case MH_E_CHECKSUM:
		malformed(ha, p, mh_strerror(err));
		break;
	}
}

void ha_receive_icmp6(struct ha *ha, const struct mip6_packet *p)
{
	if (ha->withdrawn || !p->len)
		return;
	switch (p->data[0]) {
	case ICMP6T_RA:
		ha_router_advertisement(ha, p);
		break;
	case ICMP6T_DHAAD_REQUEST:
		ha_discovery_request(ha, p);
		break;
	case ICMP6T_MPS:
		ha_prefix_solicitation(ha, p);
		break;
	default:
		ha_neighbor_message(ha, p);
	}
}

/* ---- prefixes and who may have their addresses ---- */

/*
 * What is left of the longest home prefix that home_address is in, in whole
 * seconds rounded down; false when it is in none that is still valid.
 */
bool ha_prefix_remaining(const struct ha *ha, const struct in6_addr *home_address,
	uint32_t *valid_s, uint32_t *preferred_s)
{
	const struct ha_prefix *best = NULL;

	for (size_t i = 0; i < ha->config.n_prefixes; i++) {
		const struct ha_prefix *c = &ha->config.prefixes[i];

		if (in6_in_prefix(home_address, &c->prefix.addr, c->prefix.plen) &&
			ha_prefix_left(ha, c, c->valid_s) && (!best || c->prefix.plen > best->prefix.plen))
			best = c;
	}
	if (!best)
		return false;
	*valid_s = ha_prefix_left(ha, best, best->valid_s);
	*preferred_s = ha_prefix_left(ha, best, best->preferred_s);
	return true;
}

static int compare_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in6_addr));
}

bool ha_may_register(const struct ha *ha, const struct in6_addr *home_address)
{
	return !ha->config.n_allowed ||
	       bsearch(home_address, ha->config.allowed, ha->config.n_allowed,
		       sizeof(*home_address), compare_address);
}

/* ---- what is told ---- */

void ha_emit(struct ha *ha, const struct mip6_event *e)
{
	if (ha->env->event)
		ha->env->event(ha->env->ctx, e);
}

void ha_bad_packet(struct ha *ha, const struct mip6_packet *p, const char *why)
{
	uint64_t held;
	struct mip6_event e = {
		.type = EV_BAD_PACKET,
		.when = ha_now(ha),
		.home_address = p->flags & MIP6_PKT_HAO ? p->src : in6addr_any,
		.peer = *ha_wire_source(p),
		.ifindex = p->ifindex,
		.status = -1,
		.text = why,
	};

	if (!log_allowed(&ha->bad_limit, e.when, &held))
		return;
	if (held)
		log_notice("home agent: %llu more bad packets were not reported",
			(unsigned long long)held);
	ha_emit(ha, &e);
}

void ha_op_failed(struct ha *ha, const char *what, const struct in6_addr *addr, int err)
{
	uint64_t held;

	if (!log_allowed(&ha->op_limit, ha_now(ha), &held))
		return;
	if (held)
		log_notice("home agent: %llu more failures were not reported",
			(unsigned long long)held);
	log_warning("home agent: cannot %s %s: %s", what, in6_str(addr),
		strerror(err < 0 ? -err : err));
}

const struct ha_stats *ha_stats(const struct ha *ha)
{
	return &ha->stats;
}
