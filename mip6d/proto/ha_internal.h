/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the home agent know of each other.
 *
 *	ha.c		life cycle, arriving messages, what others may ask
 *	ha_bu.c		Binding Updates: tests, registration, de-registration
 *	ha_answer.c	Binding Acknowledgement, Binding Error, Parameter Problem
 *	ha_binding.c	the binding cache: states, what is stored, restart
 *	ha_dad.c	Duplicate Address Detection on the home link
 *	ha_proxy.c	proxying and advertising there
 *	ha_signal.c	what is said beside registrations: the common part
 *	ha_revoke.c	Binding Revocation (RFC 5846)
 *	ha_heartbeat.c	Heartbeats (RFC 5847)
 *	ha_switch.c	Home Agent Switch (RFC 5142)
 *	ha_identifier.c	Mobile Node Identifier (RFC 4283)
 *	ha_nemo.c	mobile routers and their prefixes (RFC 3963)
 *	ha_list.c	Home Agents List (10.5.1)
 *	ha_discovery.c	Home Agent Address Discovery (10.5)
 *	ha_prefix.c	prefixes, Mobile Prefix Advertisements (10.6)
 */
#ifndef PROTO_HA_INTERNAL_H
#define PROTO_HA_INTERNAL_H

#include "lib/log.h"
#include "mip6d/proto/ha.h"
#include "lib/addr_table.h"

#define HA_RETRANS_TIMER_MS 1000 /* RetransTimer, RFC 4861 10 */
#define HA_MAX_NEIGHBOR_ADVERTISEMENT 3 /* RFC 4861 10 */
#define HA_ND_HOP_LIMIT 255
#define HA_NONCE_LEN 6 /* RFC 7527 4.2, RFC 3971 5.3.2 */

/* Addresses of a binding that are defended on the home link (10.3.1, L bit). */
#define HA_DEFEND_HOME 0x1
#define HA_DEFEND_LINK_LOCAL 0x2

/* The states of ha.h, and that of an entry which is not in the cache yet or no more. */
enum binding_state { BINDING_NONE, BINDING_DAD, BINDING_ACTIVE, BINDING_INVALID };

/* All that is needed to answer a Binding Update, also later, when DAD is done (9.5.4). */
struct ha_answer {
	struct in6_addr home_address;
	struct in6_addr source; /* of the Binding Update on the wire */
	struct in6_addr local; /* its destination */
	int ifindex; /* where it came from */
	uint16_t seq;
	bool routing_header; /* it had a Home Address option that said something else than its source */
	bool is_protected;
	bool router; /* the R flag (RFC 3963 4.2) */
};

/* A Binding Update that passed the tests of 9.5.1. */
struct ha_request {
	struct ha_answer answer;
	struct in6_addr care_of;
	uint16_t flags; /* BU_F_* */
	uint16_t lifetime; /* asked for; units of 4 s */
	uint16_t granted; /* units of 4 s; filled in when judged, like status */
	uint8_t status; /* BA_ACCEPTED or BA_ACCEPTED_PREFIX */
	bool has_hao;
	/* RFC 3963 6.2: filled in when judged, from the options or from the Prefix Table */
	bool explicit_networks;
	size_t n_networks;
	struct ip6_prefix networks[MIP6_MAX_NETWORKS];
	const struct ha_binding_record
		*restored; /* not a Binding Update, but this from the store */
};

struct ha_binding {
	struct addr_node node; /* home address */
	struct in6_addr care_of;
	struct ha *ha;
	struct ha_job *job; /* NULL: nothing to do on the home link */
	struct timer expiry; /* of the lifetime; when invalid, of MAX_DELETE_BCE_TIMEOUT */
	monotime_t created;
	uint32_t lifetime_s;
	uint32_t moves;
	uint16_t seq;
	uint16_t flags; /* of the last Binding Update */
	uint8_t state; /* enum binding_state */
	uint8_t defended; /* HA_DEFEND_* */
	bool forwarding; /* forward_set() was done for care_of */
	struct ha_revocation *revocation; /* in progress, or NULL */
	struct ha_switch *switching; /* the node was asked to leave, or NULL */
	struct ha_heartbeat *heartbeat; /* or NULL */
	struct ha_delivery *delivery; /* of prefixes; NULL unless active */
	char *identifier; /* RFC 4283, or NULL */
	struct ip6_prefix *networks; /* of a mobile router (RFC 3963 6.1.1), or NULL */
	size_t n_networks;
	bool networks_forwarded; /* forward_networks() was done for them */
};

/*
 * Work on the home link for one binding: first DAD for the addresses in
 * `testing`, then unsolicited advertisements.  Lives only as long as there
 * is such work.
 */
struct ha_job {
	struct addr_node link_local; /* in ha->tests while the link-local address is tested */
	struct ha_binding *binding;
	struct timer timer;
	uint8_t testing; /* HA_DEFEND_* */
	uint8_t tested; /* HA_DEFEND_*: nobody else has it */
	uint8_t advertisements; /* still to be sent */
	uint8_t nonce[HA_NONCE_LEN]; /* tells our own solicitation when it comes back */
	struct ha_request request; /* the latest Binding Update; answered after DAD */
};

/* A link-local address that is defended for one or more bindings. */
struct ha_link_local {
	struct addr_node node;
	unsigned users;
	bool router; /* the one that came first is a mobile router */
};

#define HA_MAX_AGENTS 64
#define HA_AGENT_MAX_ADDRS 16

/* Another home agent of the home link. */
struct ha_agent {
	struct ha *ha;
	struct in6_addr link_local;
	struct timer expiry;
	uint16_t preference;
	bool mobile_routers;
	size_t n_addrs;
	struct in6_addr addrs[HA_AGENT_MAX_ADDRS];
};

struct ha {
	struct ha_config config;
	const struct mip6_env *env;
	const struct ha_ops *ops;
	void *ops_ctx;
	bool link_up; /* the home link can be used */
	bool withdrawn;
	struct addr_table cache; /* struct ha_binding by home address */
	struct addr_table tests; /* struct ha_job by link-local address under test */
	struct addr_table link_locals; /* struct ha_link_local */
	size_t n_invalid;
	monotime_t next_advertisement; /* spreads those of many bindings */
	struct ha_stats stats;
	struct log_limit bad_limit, refused_limit, error_limit, op_limit, be_limit, stranger_limit;
	struct log_limit discovery_limit, solicitation_limit; /* of answers */
	size_t n_agents;
	struct ha_agent *agents[HA_MAX_AGENTS];
	struct ha_switch_all *switch_all; /* under way, or NULL */
	size_t n_revocations;
	uint16_t revocation_seq; /* of the last indication */
	struct prefix_row *by_prefix; /* the Prefix Table in the order of prefixes */
	bool revocation_numbered;
};

/* ha.c */
bool ha_prefix_remaining(const struct ha *ha, const struct in6_addr *home_address,
	uint32_t *valid_s, uint32_t *preferred_s);
bool ha_may_register(const struct ha *ha, const struct in6_addr *home_address);
void ha_op_failed(struct ha *ha, const char *what, const struct in6_addr *addr, int err);
void ha_bad_packet(struct ha *ha, const struct mip6_packet *p, const char *why);
void ha_emit(struct ha *ha, const struct mip6_event *e);
static inline monotime_t ha_now(const struct ha *ha)
{
	return ha->env->now(ha->env->ctx);
}
static inline const struct in6_addr *ha_wire_source(const struct mip6_packet *p)
{
	return p->flags & MIP6_PKT_HAO ? &p->src_coa : &p->src;
}
/* Can be answered: neither unspecified nor multicast (9.3.3, 9.5.4, RFC 4443 2.4 e). */
static inline bool ha_can_answer(const struct in6_addr *a)
{
	return !in6_is_any(a) && !IN6_IS_ADDR_MULTICAST(a);
}

/* 9.5.1: modulo 2^16; the last number and the 32768 before it are not greater. */
static inline bool ha_seq_is_greater(uint16_t seq, uint16_t last)
{
	return (uint16_t)(last - seq) > 32768;
}

/* ha_bu.c */
void ha_binding_update(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m);
/* DAD ended well: judge the request once more, answer it, and activate or drop the binding. */
void ha_dad_succeeded(struct ha *ha, struct ha_binding *b, struct ha_request *r);
void ha_refuse(struct ha *ha, const struct ha_request *r, uint8_t status, uint16_t seq);

/* ha_answer.c */
void ha_send_ba(
	struct ha *ha, const struct ha_answer *a, uint8_t status, uint16_t seq, uint16_t lifetime);
void ha_send_binding_error(struct ha *ha, const struct mip6_packet *p, uint8_t status);
void ha_send_parameter_problem(struct ha *ha, const struct mip6_packet *p, size_t offset);

/* ha_binding.c */
struct ha_binding *ha_binding_find(const struct ha *ha, const struct in6_addr *home_address);
/* In the cache at once, in state BINDING_NONE: the caller moves on or drops it.  NULL: no memory. */
struct ha_binding *ha_binding_new(struct ha *ha, const struct in6_addr *home_address);
/*
 * The only way from one state to another (or to the same with other data), and
 * the only place where forwarding, proxying, store and events follow.  r is
 * the request behind the change, or NULL.  To BINDING_NONE frees b.  Returns
 * 0, or a negative errno when forwarding could not be set: nothing changed.
 */
int ha_change_state(struct ha *ha, struct ha_binding *b, enum binding_state to,
	const struct ha_request *r, const char *why);
/* A valid Binding Update that was refused all the same: its number counts (9.5.1). */
void ha_binding_note_seq(struct ha *ha, struct ha_binding *b, uint16_t seq);

/* ha_dad.c */
/*
 * Start DAD for the addresses that r asks for, or go on with it for the latest
 * request.  ha_dad_succeeded(), or a refusal, follows.  0 or -ENOMEM.
 */
int ha_dad_start(struct ha *ha, struct ha_binding *b, const struct ha_request *r);
/*
 * Defend what the binding's flags ask for and give up what they do not;
 * advertise what is new.  An active binding whose link-local address was
 * never tested (the L bit came later) has it tested first.
 */
enum ha_defend_how {
	HA_DEFEND_ONE,
	HA_DEFEND_MANY, /* one of many: spread the advertisements */
	HA_DEFEND_RESTORED, /* the same, and what is asked for was tested before the restart */
};
void ha_defend(struct ha *ha, struct ha_binding *b, enum ha_defend_how how);
/* Stop all that goes on for b on the home link. */
void ha_undefend(struct ha *ha, struct ha_binding *b);
void ha_neighbor_message(struct ha *ha, const struct mip6_packet *p);

/* ha_proxy.c: `which` is of HA_DEFEND_HOME and HA_DEFEND_LINK_LOCAL */
#define HA_DEFENCES 2
extern const uint8_t ha_defences[HA_DEFENCES];
/* The address behind one of them; 10.3.1 for how the link-local one is derived. */
struct in6_addr ha_defended_address(const struct ha_binding *b, uint8_t which);
struct ha_link_local *ha_find_link_local(const struct ha *ha, const struct in6_addr *addr);
/* All of `which` that the binding does not defend yet; what was gained. */
uint8_t ha_proxy_defend(struct ha *ha, struct ha_binding *b, uint8_t which);
void ha_proxy_undefend(struct ha *ha, struct ha_binding *b, uint8_t which);
int ha_proxy(struct ha *ha, const struct in6_addr *addr, bool on, bool router);
void ha_advertise(struct ha *ha, const struct in6_addr *target, bool router);
void ha_send_nd(
	struct ha *ha, struct mip6_packet *p, const char *what, const struct in6_addr *target);

/* ha_signal.c */
/* A Mobility Header that is no Binding Update. */
void ha_signal(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m);
int ha_send_signal(struct ha *ha, const struct in6_addr *home_address,
	const struct in6_addr *care_of, const struct mh_message *m);
void ha_signal_event(struct ha *ha, const struct ha_binding *b, enum mip6_event_type type,
	uint16_t seq, const char *text);
bool ha_binding_is_alive(const struct ha_binding *b);
void ha_signals_end(struct ha *ha, struct ha_binding *b); /* nothing of the below any more */

/* ha_revoke.c */
void ha_revocation_answer(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m);
void ha_revocation_unknown(struct ha *ha, struct ha_binding *b); /* Binding Error: unknown type */
void ha_revocation_end(struct ha *ha, struct ha_binding *b);
bool ha_revocation_bars(const struct ha_binding *b); /* a Binding Update is not accepted meanwhile */

/* ha_heartbeat.c */
void ha_heartbeat_registered(struct ha *ha, struct ha_binding *b);
void ha_heartbeat_message(struct ha *ha, const struct mip6_packet *p, const struct mh_message *m);
void ha_heartbeat_unknown(struct ha *ha, struct ha_binding *b);
void ha_heartbeat_end(struct ha *ha, struct ha_binding *b);
bool ha_heartbeat_lost(const struct ha_binding *b);

/* ha_switch.c */
void ha_switch_unknown(struct ha *ha, struct ha_binding *b);
void ha_switch_end(struct ha *ha, struct ha_binding *b);
void ha_switch_all_end(struct ha *ha);

/* ha_nemo.c */
int ha_nemo_init(struct ha *ha); /* 0, -ENOMEM, -EINVAL: prefixes overlap */
/* The checks of RFC 3963 6.2 for a registration; notes the prefixes that it is for. */
uint8_t ha_nemo_judge(const struct ha *ha, struct ha_request *r, const struct mh_message *m);
bool ha_nemo_inside(const struct ha *ha, const struct in6_addr *a); /* in a mobile network */
/* What the store says of the prefixes, as far as it is true still; 0 or -EACCES. */
int ha_nemo_restore(
	const struct ha *ha, struct ha_request *r, const struct ha_binding_record *record);
/* After forward_set(): the prefixes of r instead of those before.  0 or an errno: none is forwarded. */
int ha_nemo_forward(struct ha *ha, struct ha_binding *b, const struct ha_request *r);
void ha_nemo_forget(struct ha_binding *b); /* after forward_del(), or before the end */
uint8_t ha_nemo_failed_status(const struct ha_request *r);

/* ha_list.c */
void ha_router_advertisement(struct ha *ha, const struct mip6_packet *p);
void ha_list_end(struct ha *ha);

/* ha_discovery.c */
void ha_discovery_request(struct ha *ha, const struct mip6_packet *p);

/* ha_prefix.c */
uint32_t ha_prefix_left(const struct ha *ha, const struct ha_prefix *p, uint32_t lifetime_s);
void ha_prefix_registered(struct ha *ha, struct ha_binding *b); /* for the first time, or again */
void ha_prefix_end(struct ha *ha, struct ha_binding *b);
void ha_prefix_solicitation(struct ha *ha, const struct mip6_packet *p);

/* ha_identifier.c */
bool ha_identifier_allowed(
	const struct ha *ha, const struct ha_binding *b, const struct mh_message *m);
void ha_identifier_take(struct ha_binding *b, const struct mh_message *m);

#endif
