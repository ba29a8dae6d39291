/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the correspondent know of each other.
 *
 *	cn.c		life cycle, arriving messages, what others may ask
 *	cn_bu.c		Binding Updates: tests, who authorizes them, the decision
 *	cn_binding.c	the Binding Cache: states, room in it, refresh, expiry
 *	cn_answer.c	HoT, CoT, BA, BRR, BE, Parameter Problem
 *	cn_shared.c	pairs that share a Kbm (RFC 4449)
 *	cn_limit.c	how many answers strangers get
 */
#ifndef PROTO_CN_INTERNAL_H
#define PROTO_CN_INTERNAL_H

#include "lib/log.h"
#include "mip6d/proto/cn.h"
#include "lib/addr_table.h"

/* ---- cn_limit.c: a token bucket for each /64, hashed into memory of a fixed size ---- */

#define CN_LIMIT_BUCKETS 1024

struct cn_limit {
	uint32_t per_second, burst;
	uint64_t
		key[2]; /* secret: nobody can choose an address that shares a bucket with another */
	struct {
		monotime_t last;
		int64_t used_us; /* of burst / per_second seconds; 0: full */
	} buckets[CN_LIMIT_BUCKETS];
};

void cn_limit_init(struct cn_limit *l, uint32_t per_second, uint32_t burst, const uint64_t key[2]);
bool cn_limit_allowed(struct cn_limit *l, const struct in6_addr *to, monotime_t now);

/* ---- the Binding Cache ---- */

/* BINDING_FORGOTTEN: in the table for its sequence number alone (5.2.8). */
enum cn_state { CN_NONE, CN_ACTIVE, CN_FORGOTTEN };

struct cn_binding {
	struct addr_node node; /* home address */
	struct in6_addr local, care_of;
	struct cn *cn;
	struct timer expiry; /* active: of the lifetime; else of the nonces */
	struct timer refresh; /* next Binding Refresh Request */
	monotime_t created, updated, expires;
	monotime_t
		nonces_until; /* a Binding Update that was accepted could be replayed until then */
	monotime_t unreachable_since, unreachable_last; /* ICMPv6 errors in a row (9.3.4) */
	uint32_t lifetime_s, moves;
	uint32_t unreachable; /* how many errors */
	uint16_t seq;
	uint8_t requests; /* BRRs since the last Binding Update */
	bool shared;
	enum cn_state state;
};

struct cn_shared {
	struct addr_node node; /* home address */
	struct in6_addr local;
	struct rr_shared data;
	bool closed; /* cn_shared_close() */
	int seq; /* -1: none yet */
};

struct cn {
	struct cn_config config;
	const struct mip6_env *env;
	const struct ro_ops *ro;
	void *ro_ctx;
	struct cn_store_ops store;
	struct rr_nonces nonces;
	struct addr_table cache; /* struct cn_binding */
	struct addr_table shared; /* struct cn_shared */
	size_t n_active;
	bool withdrawn;
	size_t hand; /* bucket where the search for an idle binding goes on */
	struct cn_limit tests, errors;
	struct log_limit bad_limit, refused_limit, op_limit;
	struct cn_stats stats;
};

/* A Binding Update without the H flag. */
struct cn_request {
	struct in6_addr home, local, care_of;
	struct in6_addr source; /* on the wire */
	uint16_t seq, flags;
	uint16_t lifetime; /* asked for, units of 4 s */
	bool deletes;
	bool has_kbm; /* the sender has proved that it knows kbm */
	uint8_t kbm[RR_KBM_LEN];
	struct cn_shared *shared; /* authorized by it, or NULL: by return routability */
	monotime_t nonces_until;
};

/* cn.c */
void cn_bad_packet(struct cn *cn, const struct mip6_packet *p, const char *why);
void cn_op_failed(struct cn *cn, const char *what, const struct in6_addr *addr, int err);
void cn_emit(struct cn *cn, const struct mip6_event *e);
bool cn_is_ours(const struct cn *cn, const struct in6_addr *local, const struct in6_addr *addr);
static inline monotime_t cn_now(const struct cn *cn)
{
	return cn->env->now(cn->env->ctx);
}
static inline const struct in6_addr *cn_wire_source(const struct mip6_packet *p)
{
	return p->flags & MIP6_PKT_HAO ? &p->src_coa : &p->src;
}

/* cn_bu.c */
void cn_binding_update(struct cn *cn, const struct mip6_packet *p, const struct mh_message *m);

/* cn_answer.c */
void cn_send_test(struct cn *cn, const struct mip6_packet *p, const struct mh_message *init);
/* With an authenticator if r->has_kbm, and never else; rate-limited where the request was not authenticated. */
void cn_send_ba(
	struct cn *cn, const struct cn_request *r, uint8_t status, uint16_t seq, uint16_t lifetime);
int cn_send_refresh_request(struct cn *cn, const struct cn_binding *b);
/* to: the source on the wire; home: of the option, or :: (9.3.3) */
void cn_send_binding_error(struct cn *cn, const struct in6_addr *local, const struct in6_addr *to,
	const struct in6_addr *home, uint8_t status);
void cn_send_parameter_problem(struct cn *cn, const struct mip6_packet *p, size_t offset);

/* cn_binding.c */
struct cn_binding *cn_binding_find(
	const struct cn *cn, const struct in6_addr *local, const struct in6_addr *home);
/* Is there an active binding for home, whichever of our addresses it belongs to? */
bool cn_is_bound_home(const struct cn *cn, const struct in6_addr *home);
/* In the table at once, in state CN_NONE: the caller goes on with it or drops it.  NULL: no room. */
struct cn_binding *cn_binding_new(struct cn *cn, const struct cn_request *r);
/*
 * The only way from one state to another, or to the same with other data, and
 * the only place where kernel and events follow.  r: the request behind it, or
 * NULL.  CN_NONE frees b; CN_FORGOTTEN does where there is nothing that could
 * be replayed.  Returns 0, or a negative errno when the kernel refused an
 * active binding: there is none then.
 */
int cn_change_state(struct cn *cn, struct cn_binding *b, enum cn_state to,
	const struct cn_request *r, uint32_t lifetime_s, const char *why);
/* A care-of address could not be reached; deletes b when that lasts (9.3.4). */
void cn_binding_unreachable(struct cn *cn, struct cn_binding *b);

/* cn_shared.c */
struct cn_shared *cn_shared_find(
	const struct cn *cn, const struct in6_addr *local, const struct in6_addr *home);
/* seq was used: it is on disk when this returns. */
void cn_shared_note(struct cn *cn, struct cn_shared *s, uint16_t seq);
void cn_shared_free_all(struct cn *cn);

#endif
