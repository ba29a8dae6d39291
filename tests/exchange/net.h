/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small network in one process, with simulated time: a home link with the
 * home agent as its router, two foreign links with a router each, a core
 * between them, a correspondent node, and one mobile node.
 *
 * The cores under test see a world made of the tables in mip6/env.h.  Behind
 * them stands a model of the two kernels that keeps to what the comments
 * there promise (addresses with DAD, routes, tunnel, hold queue, forwarding,
 * proxies) and a data plane on top of it: a packet between correspondent and
 * mobile node goes where the state of the two kernels sends it.  What RFC 6275
 * forbids is noted as a violation at the moment when it happens.
 *
 *	CN --- core ---+--- HA === home link (MN, host, intruder)
 *	               +--- router 1 === link 1 (MN, intruder)
 *	               +--- router 2 === link 2 (MN, intruder)
 *
 * Nothing is random but what the seed says, so every run can be repeated.
 */
#ifndef TESTS_EXCHANGE_NET_H
#define TESTS_EXCHANGE_NET_H

#include <stdio.h>

#include "lib/icmp6.h"
#include "lib/mh.h"
#include "lib/timer.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

#define NOWHERE (-1)
enum net_link { HOME, LINK1, LINK2, N_LINKS, CORE = N_LINKS, N_PATHS };

/* Kinds of packets, for the log, for rules and for traces. */
enum net_kind {
	K_ANY,
	K_RS,
	K_RA,
	K_NS,
	K_NA,
	K_BU,
	K_BA,
	K_BE,
	K_BRI, /* Binding Revocation Indication, Acknowledgement */
	K_BRA,
	K_HB_REQUEST, /* Heartbeat */
	K_HB_RESPONSE,
	K_SWITCH, /* Home Agent Switch */
	K_HOTI,
	K_COTI,
	K_HOT,
	K_COT,
	K_CBU, /* between mobile node and correspondent */
	K_CBA,
	K_BRR,
	K_MH_OTHER,
	K_ICMP_OTHER,
	N_KINDS,
};
const char *net_kind_name(enum net_kind k);

/* How a link, or the core, treats control packets.  Data packets see the delay only. */
struct net_path {
	int64_t delay_us;
	unsigned loss, duplicate, reorder; /* per mille */
	int64_t reorder_us; /* a reordered packet waits up to so much longer */
};

/* The next `count` packets of a kind, after `skip` others, get a special treatment. */
enum net_treatment { T_NONE, T_DROP, T_DUPLICATE, T_DELAY };

struct net_rule {
	enum net_kind kind;
	enum net_treatment treatment;
	unsigned skip, count;
	int64_t delay_us; /* of the packet, or of its copy */
};

enum net_fate { F_UNDERWAY, F_ARRIVED, F_LOST };

/* One control packet, as it was sent. */
struct net_seen {
	monotime_t when;
	enum net_kind kind;
	struct in6_addr src, dst, coa; /* coa: of the Home Address option or routing header */
	unsigned flags; /* MIP6_PKT_* */
	int ifindex;
	int link; /* the link it was put on, or CORE */
	enum net_fate fate; /* of its first copy */
	/* BU and BA; seq and status of BRI (the trigger) and BRA too */
	uint16_t seq, bu_flags, lifetime;
	uint8_t status;
	bool has_alt_coa;
	struct in6_addr alt_coa;
	/* NS and NA */
	struct in6_addr target;
	bool solicited, override;
	struct nd_lladdr lladdr;
	/* for sending it again */
	size_t len;
	uint8_t data[160];
};

enum data_fate {
	D_UNDERWAY,
	D_DELIVERED,
	D_HELD,
	D_LOST,
};
struct net_data {
	bool up; /* MN to CN */
	bool direct; /* by the binding at the correspondent */
	enum data_fate fate;
	monotime_t sent, done, left; /* left: of an up packet, when it left the mobile node */
	unsigned copies;
	const char *why; /* where it was lost */
};

#define NET_IFS 2
#define IF1 1
#define IF2 2
#define HA_IF 9
#define NET_ADDRS 24
#define NET_ROUTES 8
#define NET_PROXIES 8
#define NET_RULES 16
#define NET_TAKEN 8

struct net;

struct net_if {
	struct net *net;
	int ifindex;
	uint8_t mac[6];
	int link; /* enum net_link or NOWHERE */
	bool told; /* the core knows of the last change */
	bool knows; /* and has heard the router of the new link */
	bool link_local; /* usable */
	bool told_link_local; /* what the last link event said of it */
	enum mn_address_state link_local_state;
	struct timer link_local_timer, tell_timer;
};

struct net_addr {
	struct net *net;
	bool used;
	int ifindex;
	struct in6_addr addr;
	unsigned flags;
	enum mn_address_state state;
	struct timer tell, dad;
	uint32_t valid_s, preferred_s;
};

struct net_route {
	bool used, primary;
	int ifindex;
	struct in6_addr router, care_of;
};

struct net_router {
	struct net *net;
	int link;
	bool dead; /* says nothing and forwards nothing */
	bool mute; /* sends no Router Advertisements */
	bool no_slla; /* without its link-layer address */
	int64_t ra_interval_ms, ra_delay_us;
	uint16_t lifetime_s;
	uint32_t adv_interval_ms; /* 0: no such option */
	uint32_t prefix_valid_s;
	struct timer timer;
	uint8_t mac[6];
};

/* Where the mobile node's kernel sends what its home address sends. */
enum net_mode { MODE_NONE, MODE_TUNNEL, MODE_HOME };

struct mn_kernel {
	struct net_if ifs[NET_IFS];
	struct net_addr addrs[NET_ADDRS];
	struct net_route routes[NET_ROUTES];
	enum net_mode mode;
	bool hold;
	bool hold_expired; /* it ended because hold_ms were over */
	monotime_t hold_since, hold_since_mode; /* the latter: in this mode */
	bool has_tunnel;
	struct in6_addr care_of, previous; /* tunnel ends; :: when there is none */
	int home_ifindex; /* 0: not at home */
	struct in6_addr home_router;
	bool has_bu_path;
	struct in6_addr bu_care_of;
	bool has_cn_path; /* bu_path_set() for the correspondent */
	struct in6_addr cn_care_of;
	bool own, receive; /* ro_ops */
	struct in6_addr own_care_of;
	bool unwatched;
	int64_t idle_s; /* what ro_ops.idle_s() says */
	struct { /* what survives a restart */
		bool used;
		struct in6_addr care_of;
		uint16_t seq;
		uint32_t remaining_s;
		monotime_t at;
	} store;
};

struct ha_kernel {
	bool forwarding;
	struct in6_addr care_of;
	size_t n_proxies, n_listening;
	struct in6_addr proxies[NET_PROXIES], listening[NET_PROXIES];
	bool stored;
	struct ha_binding_record record;
	monotime_t stored_at;
	bool fail_forward; /* forward_set() fails */
	size_t n_networks; /* of the mobile router */
	struct ip6_prefix networks[MIP6_MAX_NETWORKS], stored_networks[MIP6_MAX_NETWORKS];
	bool fail_networks; /* forward_networks() fails */
	bool router_proxy; /* the last proxy has the router bit */
};

/* The correspondent, when it knows Mobile IPv6. */
struct cn_kernel {
	bool bound;
	struct in6_addr care_of;
	bool forgot; /* it has lost a binding without a word */
};

struct net_options {
	uint64_t seed;
	int64_t rtt_us; /* between a foreign link and the home agent, without the links */
	int64_t dad_ms; /* 0: 1000 */
	bool no_store; /* the home agent has no store */
	bool ro; /* the correspondent is one, and the mobile node has route optimization */
	int64_t cn_us; /* one way between home agent and correspondent; 0: 1 ms */
	int64_t direct_us; /* one way between the links and the correspondent; 0: 1 ms */
	bool echo; /* the home link gives the home agent its own packets back */
};

struct net {
	struct net_options opt;
	monotime_t now;
	struct timerq *timers;
	uint64_t rng, env_rng;
	FILE *trace;

	struct net_path paths[N_PATHS];
	struct net_router routers[N_LINKS];
	struct net_rule rules[NET_RULES];
	struct {
		int link;
		struct in6_addr addr;
	} taken[NET_TAKEN]; /* addresses that the intruder of a link has */
	size_t n_taken;

	struct mip6_env ha_env, mn_env, cn_env;
	struct ha_ops ha_ops;
	struct mn_ops mn_ops;
	struct ro_ops mn_ro_ops, cn_ro_ops;
	struct mn_ro_config ro_config;
	struct cn_config cn_config;
	struct ha_config ha_config;
	struct mn_config mn_config;
	struct ha *ha; /* NULL while it is down */
	struct mn *mn;
	struct cn *cn_core; /* NULL without opt.ro, or while it is down */
	struct cn_kernel ck;
	struct ha_kernel hk;
	struct mn_kernel mk;

	struct in6_addr home_address, cn;
	struct in6_addr other_agent; /* a second home agent, played by the test; :: none */
	uint8_t ha_mac[6];
	struct nd_lladdr
		host_cache; /* what the host on the home link believes of the home address */

	/* what the checks remember */
	size_t mn_started; /* the log was so long when the mobile node started */
	bool dereg_sent; /* since the last registration of this life of the mobile node */
	bool dereg_acked; /* and the mobile node was told that the binding is no more */
	struct in6_addr told_care_of; /* of the last Binding Update */
	monotime_t bound_until; /* as the mobile node was told */
	bool mn_has_seq, ha_has_seq;
	uint16_t mn_seq, ha_seq;
	monotime_t bu_times[MIP6_MAX_UPDATE_RATE];
	unsigned n_bu_times;
	bool cn_has_seq;
	uint16_t cn_seq; /* of the last Binding Update to the correspondent */
	uint64_t steps;
	int64_t window;
	unsigned window_steps;

	unsigned violations;
	char violation[256]; /* the first */

	size_t n_seen, cap_seen, cursor;
	struct net_seen *seen;
	size_t n_data, cap_data, first_held;
	struct net_data *data;
	size_t n_events, cap_events;
	struct {
		bool from_ha, from_cn;
		struct mip6_event e;
	} * events;
	unsigned n_flights;
	struct net_flight *flights; /* all that is under way */
	bool streaming;
	int64_t stream_us;
	struct timer stream;
};

/* ---- life ---- */

struct net *net_new(const struct net_options *opt); /* NULL: the defaults; nothing runs yet */
void net_free(struct net *n);
/* Both cores with the configurations in the struct, which the caller may have changed. */
void net_start(struct net *n);
void net_start_ha(struct net *n, bool with_store);
void net_stop_ha(
	struct net *n); /* as by kill -9: the kernel's state is taken away by the next start */
void net_start_mn(struct net *n, bool with_store);
void net_stop_mn(struct net *n);

/* The correspondent forgets all, as by a restart; up: and runs again. */
void net_restart_cn(struct net *n, bool up);

/* ---- time ---- */

void net_run(struct net *n, int64_t ms);
uint64_t net_random(struct net *n);
uint64_t net_below(struct net *n, uint64_t limit);

/* ---- the outside world ---- */

/* Plug an interface into a link, or NOWHERE; the core is told at once, down and up, unless... */
void net_attach(struct net *n, int ifindex, int link);
/* ...the driver says nothing about the time between: one "up" alone. */
void net_roam(struct net *n, int ifindex, int link);
void net_rule(struct net *n, enum net_kind kind, enum net_treatment t, unsigned skip,
	unsigned count, int64_t delay_ms);
void net_faults(
	struct net *n, unsigned loss, unsigned duplicate, unsigned reorder, int64_t reorder_ms);
void net_take(
	struct net *n, int link, const struct in6_addr *addr); /* the intruder has it from now on */
void net_untake(struct net *n);
void net_router_says(struct net *n, int link); /* an unsolicited Router Advertisement */
/* A packet seen before comes once more, as an attacker or a slow path may send it. */
void net_replay(struct net *n, const struct net_seen *s);
/* Any Mobility Header, on its way to the mobile node or home agent (by its destination). */
void net_inject_mh(struct net *n, const struct mip6_packet *p, const struct mh_message *m);

/* ---- what is seen ---- */

/*
 * Runs until the next packet of this kind is sent, at most so long, and
 * returns it; NULL: there was none.  Packets are taken in the order they were
 * sent, each once; those of other kinds before it are passed over.
 */
const struct net_seen *net_sent(struct net *n, enum net_kind kind, int64_t ms);
/* As above, and then until it arrived (or was lost). */
const struct net_seen *net_arrived(struct net *n, enum net_kind kind, int64_t ms);
void net_forget(struct net *n); /* what was sent until now is passed over */
size_t net_count(const struct net *n, enum net_kind kind); /* sent since the start */
bool net_until_event(struct net *n, enum mip6_event_type type, int64_t ms); /* from now on */
bool net_until(struct net *n, bool (*fn)(const struct net *n), int64_t ms);

/* The care-of address that an interface forms on a link from its MAC. */
struct in6_addr net_care_of(const struct net *n, int ifindex, int link);
struct in6_addr net_prefix(int link);
struct in6_addr net_router_address(int link);
struct in6_addr net_router_link_local(int link);
struct mn_info net_mn(const struct net *n);
bool net_ha_binding(const struct net *n, struct ha_binding_info *i); /* of the home address */

/* ---- data ---- */

size_t net_data_down(struct net *n); /* from the correspondent; returns its number */
size_t net_data_up(struct net *n);
size_t net_direct(const struct net *n, bool up); /* delivered by the direct path */
void net_stream(struct net *n, int64_t every_us); /* both ways; 0: stop */
struct net_totals {
	size_t sent, delivered, held, lost, underway, duplicated;
};
struct net_totals net_totals(const struct net *n, bool up);

/* ---- what is checked ---- */

/* Do both sides agree, and with the place where the mobile node is?  NULL, or what does not. */
const char *net_disagreement(const struct net *n);
static inline bool net_agrees(const struct net *n)
{
	return !net_disagreement(n);
}
/* Where the mobile node should be reached: an interface, or 0. */
int net_best_interface(const struct net *n);

#endif
