/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world as the protocol core sees it.
 *
 * mip6d/proto/ makes no system call.  Packets, time, kernel state, memory of
 * bindings and events go through the tables in this file.  The daemon fills
 * them with sockets and netlink (mip6d/sys/), a test or a simulator with
 * whatever it likes.  All calls come from one thread.
 *
 * The functions do not call back into the core.  Unless said otherwise they
 * return 0 or a negative errno; the core logs a failure once and goes on, as
 * a retransmission or the next refresh repairs what was lost.
 */
#ifndef MIP6_ENV_H
#define MIP6_ENV_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/timer.h"
#include "mip6/monotime.h"

/*
 * A Mobility Header or ICMPv6 message, on its way out or as it came in.
 * src and dst are the addresses after the Home Address option and the type 2
 * routing header were applied, so those that checksums and SAs are made for.
 */
#define MIP6_PKT_HAO 0x1 /* Home Address option: on the wire the source was care_of, the option src */
#define MIP6_PKT_RH2 0x2 /* type 2 routing header: on the wire the destination was care_of, the header dst */
#define MIP6_PKT_PROTECTED 0x4 /* came through, or must leave through, an IPsec SA */
#define MIP6_PKT_TUNNELED 0x8 /* in: came through the tunnel from the home agent (11.6.2) */

struct mip6_packet {
	struct in6_addr src, dst;
	struct in6_addr src_coa; /* with MIP6_PKT_HAO */
	struct in6_addr dst_coa; /* with MIP6_PKT_RH2 */
	unsigned flags; /* MIP6_PKT_* */
	int ifindex; /* in: where it arrived; out: 0 for whatever the route says */
	uint8_t hop_limit; /* in: of the outer header; out: 0 for the default, ND wants 255 */
	const uint8_t *data; /* Mobility Header or ICMPv6 message; checksum left 0 when sending */
	size_t len;
};

/* What happened, for logs, `mip6ctl monitor` and tests. */
enum mip6_event_type {
	EV_BINDING_NEW, /* HA: first registration accepted (or pending on DAD) */
	EV_BINDING_MOVED, /* HA: new care-of address */
	EV_BINDING_REFRESHED,
	EV_BINDING_GONE, /* HA: de-registered, expired or refused after DAD; see text */
	EV_BU_REFUSED, /* HA: status is set */
	EV_LINK_UP, /* MN */
	EV_PLACE, /* MN: inside or outside of an intranet; text is which and why */
	EV_LINK_DOWN,
	EV_ROUTER, /* MN: attached to a router; peer is its address */
	EV_CARE_OF_ADDRESS, /* MN: formed; care_of */
	EV_ADDRESS_DUPLICATE,
	EV_MOVED, /* MN: care_of is the new primary care-of address, or the home address when at home */
	EV_BU_SENT, /* MN */
	EV_REGISTERED, /* MN: BA with success; lifetime_s */
	EV_DEREGISTERED,
	EV_BA_REFUSED, /* MN: status is set */
	EV_BINDING_LOST, /* MN: binding expired without an answer */
	EV_BAD_PACKET,
	/* Route optimization: peer is the other end, the correspondent or the mobile node's home address. */
	EV_CN_BINDING_NEW, /* correspondent: a binding was accepted; home_address is the peer's */
	EV_CN_BINDING_MOVED,
	EV_CN_BINDING_REFRESHED,
	EV_CN_BINDING_GONE,
	EV_CN_REFUSED, /* status, or -1 and text when it was dropped without an answer */
	EV_RO_STARTED, /* MN: return routability begins; text says why */
	EV_RO_TESTED, /* MN: both tokens are there */
	EV_RO_BU_SENT, /* MN */
	EV_RO_DIRECT, /* MN: what it sends goes directly from now on */
	EV_RO_TUNNEL, /* MN: goes by the home agent again; text says why */
	/* Between home agent and mobile node; peer is the other end. */
	EV_HOME_AGENT, /* MN: uses this home agent from now on */
	EV_SWITCH_SENT, /* HA: Home Agent Switch message (RFC 5142); text: repeated, or by whom it was ended */
	EV_SWITCH_RECEIVED, /* MN */
	EV_REVOCATION_SENT, /* HA: Binding Revocation Indication (RFC 5846); text is the trigger */
	EV_REVOCATION_ANSWERED, /* HA: text is the status, or that there was no answer */
	EV_REVOKED, /* MN: the binding is no more; text is the trigger */
	EV_PEER_LOST, /* does not answer heartbeats (RFC 5847) */
	EV_PEER_BACK, /* answers again */
	EV_PEER_RESTARTED, /* and has lost its state */
	/* Discovery (RFC 6275 11.4) */
	EV_DISCOVERY_SENT, /* MN: Home Agent Address Discovery Request; peer is where to */
	EV_HOME_AGENTS, /* MN: the list of home agents has come; peer is who sent it */
	EV_PREFIX_SOLICITED, /* MN: Mobile Prefix Solicitation; peer is the home agent */
	EV_SESSION, /* MN: of a session with peer (an internal address); text says what, and why */
	EV_HOME_PREFIX, /* MN: news of a home prefix, which is peer; lifetime_s: valid so long; text says what */
};

struct mip6_event {
	enum mip6_event_type type;
	monotime_t when;
	struct in6_addr home_address, care_of, peer; /* :: where it does not apply */
	int ifindex; /* 0 where it does not apply */
	int status; /* of a BA, or -1 */
	uint16_t seq;
	uint32_t lifetime_s;
	const char *text; /* more, or NULL */
};
const char *mip6_event_name(enum mip6_event_type t); /* "binding-new", ... */

struct mip6_env {
	void *ctx; /* first argument of every function below */
	struct timerq *timers;
	monotime_t (*now)(void *ctx);
	void (*random)(void *ctx, void *to, size_t n); /* cryptographic quality */
	int (*send_mh)(void *ctx, const struct mip6_packet *p);
	/* ICMPv6; src :: is allowed for Neighbor and Router Solicitations */
	int (*send_icmp6)(void *ctx, const struct mip6_packet *p);
	void (*event)(void *ctx, const struct mip6_event *e);
};

/* ---- what the home agent asks of the kernel and of its store ---- */

struct ha_binding_record { /* what must survive a restart */
	struct in6_addr home_address, care_of;
	uint16_t seq;
	uint16_t flags; /* of the Binding Update */
	uint32_t lifetime_s; /* granted */
	uint32_t remaining_s; /* of it, at the time of the call */
	bool invalid; /* de-registered; kept for MAX_DELETE_BCE_TIMEOUT because of its sequence number */
	/* Of a mobile router: the prefixes that are forwarded to it; valid during the call. */
	size_t n_networks;
	const struct ip6_prefix *networks;
};

#define MIP6_MAX_NETWORKS 16 /* prefixes of one mobile router */

struct ha_ops {
	/*
	 * From now on packets for home_address are tunnelled to care_of, and
	 * tunnelled packets from home_address are accepted from care_of only
	 * (RFC 6275 10.4.2, 10.4.5).  A second call for a home address moves it.
	 */
	int (*forward_set)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *care_of);
	int (*forward_del)(void *ctx, const struct in6_addr *home_address);
	/* Answer Neighbor Solicitations for addr on the home link (10.4.1); router: with the R bit (RFC 3963 6.2). */
	int (*proxy_add)(void *ctx, int ifindex, const struct in6_addr *addr, bool router);
	int (*proxy_del)(void *ctx, int ifindex, const struct in6_addr *addr);
	/* Listen to addr's solicited-node group while DAD runs for it. */
	int (*dad_listen)(void *ctx, int ifindex, const struct in6_addr *addr, bool on);
	void (*store_put)(void *ctx, const struct ha_binding_record *r);
	void (*store_del)(void *ctx, const struct in6_addr *home_address);
	/*
	 * What goes for home_address goes for these prefixes as well, and for no
	 * others (RFC 3963 6.4, 6.5): n 0 ends it, so does forward_del().  Called
	 * after forward_set(), whose later calls move them with the home address.
	 * All or none are in force when it fails.  NULL: no mobile routers.
	 */
	int (*forward_networks)(void *ctx, const struct in6_addr *home_address,
		const struct ip6_prefix *networks, size_t n);
};

/* ---- the direct path between two nodes: what correspondents and mobile nodes ask of the kernel ---- */

/*
 * local is an address of this node (for a mobile node its home address), peer
 * that of the other one (its home address if it is mobile).  RFC 6275 9.3,
 * 11.3.1.  Neighbor Discovery and Mobility Headers never take the direct path
 * by themselves; a Mobility Header takes it when its flags say so.
 */
struct ro_ops {
	/*
	 * There is a binding for peer: what local sends to it carries a type 2
	 * routing header and goes to care_of, and what comes with its Home
	 * Address option is accepted from care_of alone.  NULL: there is none
	 * any more.  A second call moves it, cached routes included.
	 */
	int (*peer_set)(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
		const struct in6_addr *care_of);
	/*
	 * peer has a binding for us: what local sends to it carries a Home
	 * Address option and leaves from care_of.  NULL: no more, it takes the
	 * tunnel from the next packet on, cached routes included.
	 */
	int (*own_set)(void *ctx, const struct in6_addr *local, const struct in6_addr *peer,
		const struct in6_addr *care_of);
	/* Packets of peer that have a type 2 routing header for local are accepted, or not. */
	int (*receive_set)(
		void *ctx, const struct in6_addr *local, const struct in6_addr *peer, bool on);
	/* Seconds since data was last sent to peer by its binding; -1: never, or not known.  May be NULL. */
	int64_t (*idle_s)(void *ctx, const struct in6_addr *local, const struct in6_addr *peer);
};

/* ---- what the mobile node asks of the kernel ---- */

#define MN_ADDR_OPTIMISTIC 0x1 /* RFC 4429: usable while DAD runs */
#define MN_ADDR_NODAD 0x2
#define MN_ADDR_HOME 0x4 /* home address (the kernel's home flag) */
#define MN_ADDR_RENEW 0x8 /* it may be there already, but the link may be another: DAD runs again */

struct mn_ops {
	/*
	 * Configure an address, or change flags and lifetimes of one that is
	 * there.  Its progress comes back through mn_address_event().
	 * Lifetimes in seconds, UINT32_MAX: for ever.
	 */
	int (*address_set)(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen,
		unsigned flags, uint32_t preferred_s, uint32_t valid_s);
	int (*address_del)(void *ctx, int ifindex, const struct in6_addr *addr, uint8_t plen);
	/*
	 * Take the link-local address away and give it back, so that DAD runs
	 * for it on the new link.  When this returns 0 and optimistic was asked
	 * for, Router Solicitations can be sent from it at once.
	 */
	int (*link_local_renew)(void *ctx, int ifindex, bool optimistic);
	/*
	 * Packets from care_of leave through router on ifindex, whatever other
	 * interfaces offer; if primary, other packets of this host do as well.
	 * lladdr (may be NULL) is the router's, so that no solicitation is needed.
	 */
	int (*router_set)(void *ctx, int ifindex, const struct in6_addr *router, const uint8_t *lladdr,
		size_t lladdr_len, const struct in6_addr *care_of, uint32_t mtu, bool primary);
	int (*router_del)(void *ctx, int ifindex, const struct in6_addr *care_of);
	/* A neighbour whose link-layer address is known by other means (RFC 6275 11.5.5). */
	int (*neighbour_set)(void *ctx, int ifindex, const struct in6_addr *addr, const uint8_t *lladdr,
		size_t lladdr_len);
	/*
	 * Binding Updates from home_address to peer carry a Home Address option
	 * and leave from care_of.  Moves an existing one at once, cached routes
	 * included.
	 */
	int (*bu_path_set)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *peer,
		const struct in6_addr *care_of);
	int (*bu_path_del)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *peer);
	/*
	 * Whether what else home_address says to home_agent, Binding Revocation
	 * Acknowledgements and Heartbeats, takes that path too.  Asked for while
	 * bu_path_set() is in force.  NULL: it does anyway.
	 */
	int (*signal_path)(void *ctx, const struct in6_addr *home_address,
		const struct in6_addr *home_agent, bool on);
	/*
	 * The bidirectional tunnel of RFC 6275 11.3.1: receive from now on at
	 * care_of as well as at the care_of before it, and send from care_of.
	 * If hold, what home_address sends is kept (up to a limit) instead of
	 * sent, until a call without hold: nothing is lost while there is no
	 * place to send it from.  care_of NULL: hold only, the old one is unusable;
	 * without hold, what home_address sends is dropped, what was held too.
	 * At a move: a call with hold, the Binding Update, and right behind it
	 * the same call without hold.
	 */
	int (*tunnel_set)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
		const struct in6_addr *care_of, bool hold);
	/*
	 * At home: home_address on ifindex, routed through router, no tunnel.
	 * dad: let DAD run for it.  With hold as above: what home_address sends
	 * is kept; needed before the de-registration was sent (11.5.5).  Takes
	 * over what tunnel_set() held; called again to end the hold or for
	 * another router.
	 */
	int (*home_set)(void *ctx, const struct in6_addr *home_address, uint8_t prefix_len, int ifindex,
		const struct in6_addr *router, bool dad, bool hold);
	/* Away again: home_address leaves ifindex (it stays on the node). */
	int (*home_del)(void *ctx, const struct in6_addr *home_address, int ifindex);
	/*
	 * Traffic between home_address and peer is of no interest any more (on
	 * false), or is again: mn_traffic() tells of peers that have traffic beyond
	 * the thresholds of the policy in force.  NULL: nobody watches.
	 */
	int (*ro_watch)(void *ctx, const struct in6_addr *peer, bool on);
	/* The last sequence number used with a correspondent with which a Kbm is shared (RFC 4449), or NULL. */
	void (*store_sequence)(void *ctx, const struct in6_addr *home_address,
		const struct in6_addr *peer, uint16_t seq);
	/*
	 * The binding update list entry that must survive a restart; remaining_s
	 * 0: no binding, but seq is still never to be used again.
	 */
	void (*store_binding)(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent,
		const struct in6_addr *care_of, uint16_t seq, uint32_t remaining_s);
};

#endif
