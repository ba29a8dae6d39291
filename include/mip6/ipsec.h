/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security associations and policies as the parts of Homebound speak of them.
 *
 * A change (a node is added, bound, moved, comes home; a session begins) is
 * planned by pure functions (ipsec-glue/plan.h) as a list of operations in
 * the order in which they have to happen, make before break.  The list is
 * turned into netlink messages (ipsec-glue/build.h) and carried out as a
 * whole or not at all (ipsec-glue/sender.h).  What there should be is compared
 * with what there is, and mended (ipsec-glue/reconcile.h).
 *
 * Requirements M6, T1, T15, T16, V1.  Addresses are in network order, numbers
 * in host order, times in seconds.
 */
#ifndef MIP6_IPSEC_H
#define MIP6_IPSEC_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct ipsec_algorithm; /* ipsec-glue/algorithm.h */

/* ---- objects of the kernel ---- */

#define IPSEC_KEY_MAX 132 /* octets: encryption key with its salt, then integrity key */

/* A secret.  Whoever holds one wipes it; it is never printed. */
struct ipsec_key {
	size_t len;
	uint8_t octets[IPSEC_KEY_MAX];
};
void ipsec_key_wipe(struct ipsec_key *k);

/* Values are XFRM's. */
enum ipsec_mode { IPSEC_TRANSPORT = 0, IPSEC_TUNNEL = 1, IPSEC_RO = 2 };
enum ipsec_dir { IPSEC_IN = 0, IPSEC_OUT = 1, IPSEC_FWD = 2 };

/* Packets.  type is an ICMPv6 or Mobility Header type, -1: any (see plan.c where types can be used). */
struct ipsec_selector {
	uint8_t family; /* AF_INET6; AF_INET: addresses are in the first four octets */
	uint8_t proto; /* 0: any */
	int16_t type;
	struct ip6_prefix src, dst;
};

/* Found by (dst, spi).  Limits of 0 are none. */
struct ipsec_sa {
	struct in6_addr src, dst;
	uint32_t spi;
	uint32_t reqid;
	enum ipsec_mode mode; /* transport or tunnel */
	const struct ipsec_algorithm *algorithm;
	struct ipsec_key key;
	uint32_t replay_window; /* packets; 0: none, as for one that only sends */
	bool esn;
	uint64_t sent; /* last sequence number sent: the next one is one more */
	uint64_t received; /* highest sequence number received; older ones are refused */
	/* Inbound: what comes out of it must be of this selector, whatever policy is asked; without, anything may. */
	bool has_sel;
	struct ipsec_selector sel;
	uint64_t soft_s, hard_s, soft_packets, hard_packets, soft_bytes, hard_bytes;
};

/*
 * One transform that a policy demands (optional: applies when there is a
 * state, and lets pass what came without).  proto is ESP, DSTOPTS (Home
 * Address option) or ROUTING (type 2 routing header); the latter two with
 * IPSEC_RO.  :: as src and dst fits any state.
 */
struct ipsec_template {
	uint8_t proto;
	enum ipsec_mode mode;
	bool optional;
	uint32_t reqid;
	struct in6_addr src, dst;
};

#define IPSEC_MAX_TEMPLATES 4

/* Found by (sel, dir, marked).  templates in the order of application, innermost first; none: packets pass as they are. */
struct ipsec_policy {
	struct ipsec_selector sel;
	enum ipsec_dir dir;
	uint32_t priority; /* ipsec-glue/marks.h */
	bool block; /* nothing passes */
	bool marked; /* has a mark that every packet fits: stands beside another policy of the same selector */
	size_t n_templates;
	struct ipsec_template templates[IPSEC_MAX_TEMPLATES];
};

/* A state of the Home Address option or the type 2 routing header.  Found by (dst, src, proto). */
struct ipsec_ro {
	uint8_t proto;
	bool wildcard; /* for receiving, whatever the addresses */
	struct in6_addr src, dst, care_of;
};

/* One policy and the SA of its ESP template get other outer addresses (XFRM_MSG_MIGRATE). */
struct ipsec_migrate {
	struct ipsec_selector sel;
	enum ipsec_dir dir;
	uint32_t reqid;
	enum ipsec_mode mode;
	struct in6_addr old_src, old_dst, new_src, new_dst;
	/* The IKE daemon hears of it (XFRMA_KMADDRESS): its own address, and the peer's, from now on. */
	bool tell;
	struct in6_addr local, remote;
};

/* ---- operations ---- */

enum ipsec_op_type {
	IPSEC_SA_ADD, /* sa; there is none with (dst, spi) yet */
	IPSEC_SA_DEL, /* sa: dst and spi; gone already is fine */
	IPSEC_SA_LIMITS, /* sa: dst, spi, limits and what UPDSA must repeat */
	/*
	 * sa: src, dst, spi, reqid.  From now on it sends nothing: its sequence
	 * numbers are used up (set to the last one), so that a clone of it
	 * cannot send what it has sent.  Whoever carries it out remembers, by
	 * spi, the last number before; undone as IPSEC_SA_SKIP does.  That
	 * there is no such SA is fine.
	 */
	IPSEC_SA_STOP,
	/* sa: the same, dst as it is now: sends again, from IPSEC_SEQUENCE_GAP behind the number that IPSEC_SA_STOP remembered. */
	IPSEC_SA_SKIP,
	IPSEC_POLICY_SET, /* policy; adds or replaces */
	IPSEC_POLICY_DEL, /* policy: sel, dir; gone already is fine */
	IPSEC_RO_SET, /* ro; adds or moves, cached routes included */
	IPSEC_RO_DEL, /* ro: dst, src, proto; gone already is fine */
	IPSEC_MIGRATE, /* migrate */
	IPSEC_PAUSE, /* pause: what would be sent by the SAs of this home address waits */
	IPSEC_RESUME,
};

#define IPSEC_SEQUENCE_GAP 1024 /* less than any replay window of ours */
#define IPSEC_REPLAY_WINDOW 4096

struct ipsec_op {
	enum ipsec_op_type type;
	bool may_fail; /* says nothing and goes on */
	union {
		struct ipsec_sa sa;
		struct ipsec_policy policy;
		struct ipsec_ro ro;
		struct ipsec_migrate migrate;
		struct in6_addr pause;
	};
};

/* Grows as needed.  Its memory holds keys: ipsec_plan_free() wipes it. */
struct ipsec_plan {
	size_t n, cap;
	struct ipsec_op *ops;
	bool no_memory; /* something could not be added: the plan must not be carried out */
};

/* A zeroed op of this type at the end, to be filled in; NULL when out of memory. */
struct ipsec_op *ipsec_plan_add(struct ipsec_plan *p, enum ipsec_op_type type);
void ipsec_plan_free(struct ipsec_plan *p); /* empty again, and usable */
const char *ipsec_op_name(enum ipsec_op_type t); /* "sa-add", ... */

/* ---- what the kernel tells ---- */

enum ipsec_event_type {
	IPSEC_EV_ACQUIRE, /* a packet waits for an SA: src, dst, reqid, proto */
	IPSEC_EV_EXPIRE, /* src, dst, spi, reqid, hard */
	IPSEC_EV_MAPPING, /* encapsulated packets of spi come from another address: src is the new one */
	IPSEC_EV_MIGRATE, /* somebody moved reqid: src, dst are the new outer addresses */
	IPSEC_EV_SA_GONE, /* somebody deleted it, we did not: src (if known), dst, spi */
	IPSEC_EV_POLICY_GONE, /* sel, dir, priority */
	IPSEC_EV_FLUSHED, /* all SAs or all policies were deleted */
	IPSEC_EV_LOST, /* events were lost: compare everything */
};

struct ipsec_event {
	enum ipsec_event_type type;
	struct in6_addr src, dst;
	uint32_t spi, reqid;
	uint8_t proto;
	bool hard;
	struct ipsec_selector sel;
	enum ipsec_dir dir;
	uint32_t priority; /* 0: not known */
};

/* An SA as the kernel has it, for `mip6ctl sas`. */
struct ipsec_sa_info {
	struct ipsec_sa sa; /* without its key; algorithm NULL when it is none of ours */
	uint64_t packets, bytes;
	uint64_t added, used; /* Unix time; used 0: never */
	uint32_t replay_failed, integrity_failed;
};

/* ---- a mobile node and its home agent, or two ends of a session ---- */

enum ipsec_manager { IPSEC_NONE, IPSEC_MANUAL, IPSEC_STRONGSWAN };
/*
 * Mobility Headers and ICMPv6 in transport mode, and the tunnel, between a
 * home address and its home agent; the tunnel between a home address and a
 * security gateway; what a node or gateway has with the VCM, in transport
 * mode (doc/vcm.md).
 */
enum ipsec_use { IPSEC_SIGNAL, IPSEC_DATA, IPSEC_GATEWAY, IPSEC_MANAGER };
#define IPSEC_USES 2 /* of a home address and its home agent */
#define IPSEC_ALL_USES 4
const char *ipsec_use_name(enum ipsec_use u); /* "signal", "data", "gateway", "manager" */

enum ipsec_arrangement {
	/* RFC 3776, RFC 4877: the tunnel SA ends at the care-of address and is moved with it. */
	IPSEC_BY_MIGRATE,
	/* SAs end at home addresses, carried by Home Address option and routing header: a move touches none of them. */
	IPSEC_BY_HOME_ADDRESS,
};

#endif
