/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile node, for its own files only.  Others use mn.h.
 *
 *   mn.c         life cycle, dispatch of packets and events, information
 *   mn_link.c    state machine of one interface: solicitation, probing
 *   mn_router.c  Router Advertisements, routers of a link, choice of one
 *   mn_coa.c     care-of addresses of a link, their lifetimes, duplicates
 *   mn_move.c    choice among the links, and what is done at a move
 *   mn_home.c    arrival on the home link
 *   mn_reg.c     registration with the home agent: the Binding Update List entry
 *   mn_bu.c      its Binding Updates: contents, numbers, retransmission
 *   mn_nemo.c    what is different for a mobile router (RFC 3963)
 *   mn_agent.c   which home agent, and the change to another
 *   mn_discovery.c  which home agents there are (RFC 6275 11.4.1)
 *   mn_prefix.c  prefixes of the home link (RFC 6275 11.4.2, 11.4.3)
 *   mn_switch.c  Home Agent Switch messages (RFC 5142)
 *   mn_revoke.c  Binding Revocation (RFC 5846)
 *   mn_heartbeat.c  Heartbeats (RFC 5847)
 *   mn_mh.c      Mobility Headers that arrive
 *   mn_ro*.c, mn_rr.c, mn_cbu.c  route optimization, see mn_ro_internal.h
 *
 * Facts flow downwards: a link changes, mn_path_check() compares the best
 * path there is with the one in use, and moves; a move tells the registration.
 * Nothing below calls upwards, but for the registration, which tells when data
 * may flow (mn_path_bu_sent() and its neighbours).
 */
#ifndef PROTO_MN_INTERNAL_H
#define PROTO_MN_INTERNAL_H

#include "lib/log.h"
#include "mip6d/proto/mn.h"

#define MN_MAX_ROUTERS 8 /* remembered on one link */
#define MN_MAX_COAS 8 /* on one interface, those about to be removed included */
#define MN_REG_SENT 8 /* transmissions of one request whose answer is still good */

#define MN_PAST ((monotime_t){INT64_MIN})

/* At most MAX_UPDATE_RATE times within a second (RFC 6275 11.5.3, 11.8). */
struct mn_rate {
	monotime_t last[MIP6_MAX_UPDATE_RATE];
	unsigned n, next;
};
monotime_t mn_rate_when(const struct mn_rate *r, monotime_t now); /* when the next is allowed */
void mn_rate_take(struct mn_rate *r, monotime_t now);

struct mn_prefix {
	struct ip6_prefix prefix;
	bool on_link, autonomous;
	bool has_router_address;
	struct in6_addr router_address; /* with the R flag: global address of the router */
	monotime_t preferred_until, valid_until;
};

struct mn_router {
	bool used;
	struct in6_addr addr;
	struct nd_lladdr lladdr;
	monotime_t expires; /* of the Router Lifetime */
	monotime_t heard; /* the last sign of life */
	uint32_t mtu, adv_interval_ms, retrans_ms;
	int8_t preference;
	size_t n_prefixes;
	struct mn_prefix prefixes[ND_MAX_PREFIXES];
};

struct mn_coa {
	bool used;
	bool stale; /* its link was left: removed when the new path works */
	bool former; /* from before the interface changed its link-layer address */
	struct in6_addr addr; /* always a /64 */
	enum mn_address_state state;
	monotime_t preferred_until, valid_until;
	monotime_t told_preferred, told_valid; /* what the kernel knows */
	monotime_t set_at;
};

enum mn_link_state {
	MN_LINK_DOWN,
	MN_LINK_SOLICITING, /* up, and no router that we know to be there */
	MN_LINK_ATTACHED, /* to `router` */
	MN_LINK_PROBING, /* attached, but the router is in doubt */
};

enum mn_link_event_type {
	LINK_E_UP, /* came up, or may be another link than before */
	LINK_E_DOWN,
	LINK_E_ROUTER, /* `router` was chosen, or heard again */
	LINK_E_DOUBT, /* `router` may be gone */
	LINK_E_REACHABLE, /* `router` answered */
	LINK_E_LOST, /* `router` is gone and there is no other */
};

/* The route by which packets from a care-of address leave, as last given to the kernel. */
struct mn_route {
	bool set, primary;
	struct in6_addr router, care_of;
	struct nd_lladdr lladdr;
	uint32_t mtu;
};

#define MN_MAX_FAILED 4

struct mn_link {
	struct mn *mn;
	int ifindex, preference;
	enum mn_link_state state;
	uint8_t mac[6];
	bool seen; /* was up before */
	bool link_local_usable; /* as the last mn_link_event() said */
	struct in6_addr link_local; /* :: as long as nobody told */
	enum mn_address_state link_local_state;
	bool dad_started; /* link-local DAD belongs to this link: the link event began it */
	bool renew_link_local; /* put off until we know that this is not the home link */

	bool fresh; /* no Router Advertisement since the last link event */
	monotime_t doubtful_until; /* see consider() in mn_router.c */
	struct mn_router *router; /* the current one, or NULL */
	struct mn_router routers[MN_MAX_ROUTERS];
	bool home; /* the home prefix is on this link */
	struct mn_coa *coa; /* the current one, or NULL */
	struct mn_coa coas[MN_MAX_COAS];
	unsigned dad_tries; /* duplicates seen in dad_prefix */
	struct in6_addr dad_prefix;
	size_t n_failed;
	struct in6_addr
		failed[MN_MAX_FAILED]; /* prefixes given up after MN_IDGEN_RETRIES duplicates */
	struct mn_route route;

	/* solicitation */
	bool rs_sent;
	monotime_t rs_last;
	int64_t rs_interval_ms; /* before the next one */
	struct mn_rate rs_rate;
	struct timer rs_timer;
	/* probing */
	unsigned probes;
	struct timer probe_timer;
	struct timer ra_timer; /* too many Router Advertisements have been missed */
	struct timer life_timer; /* the earliest end of a lifetime */
	/* arrival at home */
	struct nd_lladdr ha_lladdr;
	bool asking, asked; /* for ha_lladdr: under way, without an answer */
	unsigned home_ns_sent, home_na_left;
	struct timer home_timer;
};

/* Where data goes. */
struct mn_path {
	enum mn_location location;
	struct mn_link *link;
	struct in6_addr care_of; /* the home address when at home */
	struct in6_addr router;
	bool suspended; /* a link event came, no Router Advertisement yet */
};

/*
 * The Binding Update List entry for the home agent (RFC 6275 11.1) and the
 * state of the request that is under way.
 */
struct mn_reg {
	enum mn_registration state;
	struct in6_addr care_of; /* in the last Binding Update; the home address when at home */
	bool deregister; /* the last request was for lifetime 0 */
	bool has_seq;
	uint16_t seq; /* the last one used */
	uint16_t lifetime; /* asked for, units of 4 s */
	struct {
		uint16_t seq;
		uint16_t lifetime;
		monotime_t at;
	} sent[MN_REG_SENT]; /* transmissions of this request, a ring */
	unsigned tries; /* transmissions of this request */
	bool outstanding; /* no answer to them yet */
	bool delivered; /* at least one of them left this host */
	bool delayed; /* send_timer is for the update rate, not for a retransmission */
	monotime_t last_sent;
	int64_t timeout_ms;
	unsigned sequence_errors; /* in a row */

	monotime_t acked_until; /* a binding that the home agent confirmed */
	struct in6_addr acked_care_of;
	uint32_t granted_s;
	monotime_t may_live_until; /* the longest that any binding may live over there */
	monotime_t refresh_at;
	int64_t refused_wait_ms;
	bool home_address_lost; /* status 134 */
	bool router_refused; /* RFC 3963 5.4: no Binding Update with the R flag any more */
	monotime_t barred_until; /* the home agent revoked the binding: no registration before */

	struct mn_rate rate;
	struct timer send_timer, refresh_timer, expiry_timer;
};

/* The home agent in use is config.home_agent. */
struct mn_agent {
	bool leaving; /* the binding there is being deleted, then `next` is used */
	struct in6_addr next;
};

/* What a Home Agent Switch message has put forward (RFC 5142). */
#define MN_SWITCH_CANDIDATES 16
struct mn_switch {
	size_t n, at; /* at: the next to be tried */
	struct in6_addr candidates[MN_SWITCH_CANDIDATES];
};

/* Dynamic Home Agent Address Discovery (RFC 6275 11.4.1). */
#define MN_MAX_CANDIDATES 16
enum mn_discovery_state {
	MN_DISCOVERY_IDLE,
	MN_DISCOVERY_ASKING,
	MN_DISCOVERY_WAITING, /* before it asks again */
};
struct mn_discovery {
	enum mn_discovery_state state;
	struct timer timer;
	uint16_t id; /* of the request under way */
	bool asked; /* sent_at is valid */
	bool exhausted; /* all candidates have failed */
	bool leaving; /* the present home agent asked to be left: it is told good-bye first */
	unsigned tries; /* transmissions of this request */
	int64_t timeout_ms;
	monotime_t sent_at;
	size_t n;
	struct mn_candidate candidates[MN_MAX_CANDIDATES];
};

/* Prefixes of the home link (RFC 6275 11.4.2, 11.4.3); the first is that of the home address. */
#define MN_MAX_HOME_PREFIXES 8
struct mn_home_prefix {
	struct ip6_prefix prefix;
	bool known; /* lifetimes have been advertised; else they are for ever */
	monotime_t preferred_until, valid_until;
};
struct mn_prefixes {
	size_t n;
	struct mn_home_prefix list[MN_MAX_HOME_PREFIXES];
	bool asking; /* a solicitation has no answer yet */
	bool wanted; /* to be sent with the next registration */
	bool sent; /* sent_at is valid */
	uint16_t id;
	int64_t timeout_ms;
	monotime_t sent_at;
	bool last_quarter; /* end_timer is for the end itself */
	bool invalid; /* the home address is not used any more */
	struct timer timer, end_timer;
};

/* The last Binding Revocation Indication that was accepted (RFC 5846). */
struct mn_revocation {
	bool answered;
	uint16_t seq;
	monotime_t when;
};

/* Heartbeats to the home agent (RFC 5847). */
struct mn_heartbeat {
	struct timer timer;
	uint32_t seq; /* of the last request */
	bool waiting; /* for its response */
	bool lost; /* too many are missing */
	bool unsupported;
	bool has_counter;
	uint32_t counter; /* of the home agent's restarts */
	unsigned missing;
};

struct mn {
	struct mn_config config;
	const struct mip6_env *env;
	const struct mn_ops *ops;
	void *ops_ctx;
	struct mn_stats stats;
	size_t n_links;
	struct mn_link links[MN_MAX_INTERFACES];
	struct mn_path path;
	struct in6_addr announced; /* care-of address of the last EV_MOVED */
	struct mn_link *home_link; /* home_set() is in force here */
	bool tunnel_used; /* tunnel_set() was called */
	struct in6_addr tunnel_at; /* foreign_tunnel: where it ends; :: nowhere */
	bool bu_path; /* bu_path_set() is in force for the home agent */
	bool signal_path; /* and signal_path() is on */
	bool hold;
	struct timer hold_timer, sweep_timer;
	struct mn_reg reg;
	struct mn_agent agent;
	struct mn_switch switching;
	struct mn_discovery discovery;
	struct mn_prefixes prefixes;
	struct mn_revocation revocation;
	struct mn_heartbeat heartbeat;
	struct mn_ro *ro; /* NULL: no route optimization */
	struct log_limit be_rate, bad_log, op_log;
	uint32_t moves, retransmissions;
	int last_status;
	bool stopping, stopped;
};

/* mn.c */
static inline monotime_t mn_now(const struct mn *mn)
{
	return mn->env->now(mn->env->ctx);
}
void mn_emit(struct mn *mn, struct mip6_event e); /* fills in time and home address */
void mn_timer(struct mn *mn, struct timer *t, monotime_t when); /* MONOTIME_NEVER stops it */
int mn_check(struct mn *mn, int rc, const char *what); /* rc, logged when it is an error */
bool mn_may_log(struct mn *mn); /* for lines that a remote can provoke */
/* Counts a malformed packet, and tells of it; false: too often to be logged. */
bool mn_bad_packet(struct mn *mn, const struct mip6_packet *p, const char *why);
int mn_send_icmp6(struct mn *mn, const struct mn_link *l, const struct in6_addr *src,
	const struct in6_addr *dst, const struct icmp6_message *m);
struct mn_link *mn_link_find(struct mn *mn, int ifindex);
struct nd_lladdr mn_lladdr(const struct mn_link *l);
void mn_finish(struct mn *mn); /* the end of mn_shutdown() */

/* mn_link.c */
void mn_link_init(struct mn_link *l, struct mn *mn, const struct mn_interface_config *c);
void mn_link_stop(struct mn_link *l); /* timers only */
void mn_link_fsm(struct mn_link *l, enum mn_link_event_type e);
const char *mn_link_state_name(enum mn_link_state s);
bool mn_link_has_router(const struct mn_link *l);
/* The link-local address changed its state. */
void mn_link_local_event(struct mn_link *l, const struct in6_addr *addr, enum mn_address_state s);
void mn_link_local_verdict(struct mn_link *l); /* home or not is known now */

/* mn_router.c */
void mn_router_advertised(struct mn_link *l, const struct in6_addr *src, const struct icmp6_ra *ra);
/* Forget the current router and take another one, or solicit. */
void mn_router_lost(struct mn_link *l);
void mn_routers_forget(struct mn_link *l);
struct mn_router *mn_router_find(struct mn_link *l, const struct in6_addr *addr);
const struct mn_prefix *mn_router_prefix(const struct mn_router *r, const struct in6_addr *addr);
monotime_t mn_ra_deadline(const struct mn_link *l);

/* mn_coa.c */
void mn_coa_select(struct mn_link *l); /* after the router or its prefixes changed */
bool mn_coa_usable(const struct mn_link *l); /* the current one */
bool mn_coa_valid(struct mn_link *l, const struct in6_addr *addr);
void mn_coa_event(struct mn_link *l, struct mn_coa *c, enum mn_address_state s);
struct mn_coa *mn_coa_find(struct mn_link *l, const struct in6_addr *addr);
void mn_coa_remove(struct mn_link *l, struct mn_coa *c);
void mn_coa_sweep(struct mn *mn); /* remove all that are stale */
/*
 * The interface has another link-layer address.  Neighbours that remember the
 * old one for an address would send into the void, and whoever changes it does
 * not want to be recognized: care-of addresses are formed anew.
 */
void mn_coa_new_identity(struct mn_link *l);
void mn_life_init(struct mn_link *l);
void mn_life_start(struct mn_link *l); /* start the timer for the earliest end of a lifetime */

/* mn_move.c */
void mn_path_check(struct mn *mn);
void mn_path_bu_sent(struct mn *mn);
void mn_path_answered(struct mn *mn, bool accepted);
void mn_path_teardown(struct mn *mn);
void mn_path_init(struct mn *mn);
/* Delete the binding at the home agent in use; what the home address sends is held. */
void mn_path_leave(struct mn *mn);
/* The home address is not to be used any more. */
void mn_path_home_invalid(struct mn *mn);
/* Before config.home_agent changes, and after it did: what leads there. */
void mn_path_forget_agent(struct mn *mn);
void mn_path_new_agent(struct mn *mn);
/* No care-of address of an interface that lost it may stay in use: called when one goes away. */
void mn_route_remove(struct mn_link *l, const struct in6_addr *care_of);

/* mn_home.c */
bool mn_home_ready(const struct mn_link *l);
void mn_home_advertised(struct mn_link *l, const struct in6_addr *src, const struct icmp6_ra *ra);
void mn_home_na(struct mn_link *l, const struct icmp6_na *na);
void mn_home_announce(struct mn_link *l);
void mn_home_stop(struct mn_link *l);
void mn_home_init(struct mn_link *l);
void mn_home_forget(struct mn *mn); /* what was learnt of the home agent */

/* mn_bu.c */
/* Send now, or as soon as MAX_UPDATE_RATE allows; what is sent is what is wanted then. */
void mn_reg_send_bu(struct mn *mn);
void mn_reg_send_timer(struct timer *t, void *arg);

/* mn_reg.c */
void mn_reg_init(struct mn *mn);
void mn_reg_stop(struct mn *mn);
/* The home agent has ended the binding and wants no other one for so long. */
void mn_reg_revoked(struct mn *mn, int64_t wait_ms);
void mn_reg_forget(struct mn *mn); /* all but the sequence number: another home agent comes */
/* A Binding Update for this care-of address is due. */
bool mn_reg_needed(const struct mn *mn, const struct in6_addr *care_of);
void mn_reg_register(struct mn *mn, const struct in6_addr *care_of);
/* care_of: the home address when at home */
void mn_reg_deregister(struct mn *mn, const struct in6_addr *care_of);
void mn_reg_pause(struct mn *mn); /* there is no path */
void mn_reg_none(struct mn *mn); /* at home, nothing to ask for */
bool mn_binding_may_live(const struct mn *mn);
bool mn_link_local_compatible(const struct mn *mn); /* the L bit */
void mn_reg_restore(
	struct mn *mn, const struct in6_addr *care_of, uint16_t seq, uint32_t remaining_s);
/* For mn_answer.c.  The only place where the state changes. */
void mn_reg_change_state(struct mn *mn, enum mn_registration to);
void mn_reg_expiry_start(struct mn *mn);
bool mn_binding_lives(const struct mn *mn); /* as far as the home agent has confirmed it */
void mn_reg_request(struct mn *mn, const struct in6_addr *care_of, bool deregister,
	enum mn_registration state);
void mn_reg_deregistered(struct mn *mn, const char *text);

/* mn_answer.c */
void mn_reg_acknowledged(struct mn *mn, const struct mh_message *m);

/* mn_nemo.c */
void mn_nemo_request(const struct mn *mn, struct mh_message *m, bool deregister);
/* An answer of success that leaves the networks out. */
bool mn_nemo_unserved(const struct mn *mn, const struct mh_message *m);
/* No other home agent can be asked: is it this status that ends all attempts? */
bool mn_nemo_final(const struct mn *mn, uint8_t status);
/* Somebody says that the home agent does not know the Mobility Header (11.3.5). */
void mn_reg_unsupported(struct mn *mn);

/* mn_agent.c */
/*
 * Use another home agent from now on, with the same home address.  deregister:
 * the one in use may still answer, so the binding there is deleted first and
 * the change happens when it is gone, or after a few Binding Updates without
 * an answer; otherwise at once.  Called again before that, the latest counts.
 */
void mn_change_home_agent(struct mn *mn, const struct in6_addr *home_agent, bool deregister);
/* The binding is deleted, or that was given up: true when another home agent is used now. */
bool mn_agent_left(struct mn *mn);
/* The home agent in use refuses, or does not answer: true when another one is tried now. */
bool mn_agent_failed(struct mn *mn);
/* A Mobility Header to the home agent while away, with Home Address option. */
void mn_send_to_agent(struct mn *mn, const struct mh_message *m, const char *what);

/* mn_discovery.c: nothing happens where the home agent is configured */
void mn_discovery_init(struct mn *mn);
void mn_discovery_stop(struct mn *mn);
bool mn_has_home_agent(const struct mn *mn);
void mn_discovery_moved(struct mn *mn); /* there is another path, or none */
void mn_discovery_received(
	struct mn *mn, const struct mip6_packet *p, const struct icmp6_dhaad *r);
bool mn_discovery_next(struct mn *mn); /* as mn_agent_failed() */
/* The home agent wants to be left for any other (RFC 5142); false where discovery is not in use. */
bool mn_discovery_leave(struct mn *mn);
void mn_discovery_done(struct mn *mn); /* the home agent has accepted */

/* mn_prefix.c */
void mn_prefix_init(struct mn *mn);
void mn_prefix_stop(struct mn *mn);
void mn_prefix_solicit(struct mn *mn); /* as soon as there is a registration and the pace allows */
void mn_prefix_registered(struct mn *mn, bool news); /* news: status 1 */
void mn_prefix_received(struct mn *mn, const struct mip6_packet *p, const struct icmp6_mpa *a);
void mn_prefix_at_home(struct mn *mn); /* a router there advertises the home prefix */
monotime_t mn_home_valid_until(const struct mn *mn);

/* mn_switch.c */
void mn_switch_received(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m);
bool mn_switch_next(struct mn *mn); /* as mn_agent_failed() */
void mn_switch_done(struct mn *mn); /* a home agent has accepted */

/* mn_revoke.c */
void mn_revocation_received(struct mn *mn, const struct mh_message *m);

/* mn_heartbeat.c */
void mn_heartbeat_init(struct mn *mn);
void mn_heartbeat_registered(struct mn *mn); /* a registration was accepted */
void mn_heartbeat_received(struct mn *mn, const struct mh_message *m);
void mn_heartbeat_unknown(struct mn *mn); /* Binding Error: unknown type */
void mn_heartbeat_forget(struct mn *mn); /* another home agent comes, or the end */

/* mn_ro.c and its neighbours: nothing happens where route optimization is off */
void mn_ro_withdraw(struct mn *mn); /* the path changes: nothing goes directly any more */
/* Away, at path.care_of: the same, but peers for whom all is ESP hear from the new place at once. */
void mn_ro_follow(struct mn *mn);
void mn_ro_path_changed(struct mn *mn); /* it has changed, and the Binding Update is on its way */
void mn_ro_registered(struct mn *mn); /* the home agent has answered */
void mn_ro_shutdown(struct mn *mn);
void mn_ro_teardown(struct mn *mn);
void mn_ro_free(struct mn *mn);
void mn_rr_received(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m);
void mn_cbu_acknowledged(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m);
/* False: not from a correspondent that we know. */
bool mn_ro_binding_error(struct mn *mn, const struct mip6_packet *p, const struct mh_message *m);
void mn_ro_refresh_request(struct mn *mn, const struct mip6_packet *p);

/* mn_mh.c */
void mn_mh_received(struct mn *mn, const struct mip6_packet *p);
/*
 * A Binding Update to the home agent, which says that it has lost us; false
 * when there was one just before, or there is no registration to renew.
 */
bool mn_update_again(struct mn *mn);

#endif
