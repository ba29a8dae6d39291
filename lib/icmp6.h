/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ICMPv6 messages that Mobile IPv6 needs: Router Solicitation and
 * Advertisement, Neighbor Solicitation and Advertisement (RFC 4861, with the
 * extensions of RFC 6275 section 7), home agent address discovery (6.5, 6.6),
 * mobile prefix solicitation and advertisement (6.7, 6.8).
 *
 * Same rules as lib/mh.h: host order in structures, whole message parsed
 * before anyone acts, the checksum field written as zero.
 */
#ifndef LIB_ICMP6_H
#define LIB_ICMP6_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ND_MAX_PREFIXES 16 /* further ones in one message are ignored */
#define DHAAD_MAX_ADDRS 64
#define LLADDR_MAX 30 /* four units of 8 octets, less type and length */

struct nd_prefix {
	/* With the R flag the router's whole address, else zero beyond plen. */
	struct in6_addr prefix;
	uint8_t plen;
	bool on_link, autonomous, router_address; /* L, A, R flags */
	uint32_t valid_s, preferred_s; /* 0xffffffff: for ever */
};

/*
 * The option is as long as a multiple of 8 octets; how many of its octets are
 * the address, only the link type knows (RFC 4861 4.6.1).  Parsed, len is all
 * of them: 6 (Ethernet), 14, 22 or 30.  Longer ones count as absent.
 */
struct nd_lladdr {
	uint8_t len; /* octets; 0: absent */
	uint8_t addr[LLADDR_MAX];
};

struct icmp6_ra {
	uint8_t cur_hop_limit;
	bool managed, other, home_agent; /* M, O, H flags */
	int8_t preference; /* RFC 4191: -1 low, 0 medium, 1 high; 0 when lifetime_s is 0 */
	uint16_t lifetime_s;
	uint32_t reachable_ms, retrans_ms;
	struct nd_lladdr slla;
	uint32_t mtu; /* 0: absent */
	uint32_t adv_interval_ms; /* 0: absent */
	bool has_ha_info;
	uint16_t ha_preference; /* higher is better */
	uint16_t ha_lifetime_s; /* 0 is not allowed on the wire; whoever acts on it checks */
	bool ha_mobile_router; /* R flag of the Home Agent Information option, RFC 3963 7.1 */
	size_t n_prefixes;
	struct nd_prefix prefixes[ND_MAX_PREFIXES];
};

struct icmp6_ns {
	struct in6_addr target;
	struct nd_lladdr slla;
};

struct icmp6_na {
	struct in6_addr target;
	bool router, solicited, override;
	struct nd_lladdr tlla;
};

struct icmp6_rs {
	struct nd_lladdr slla;
};

struct icmp6_dhaad {
	bool reply;
	uint16_t id;
	bool mobile_router; /* R flag, RFC 3963 7.2 */
	size_t n_addrs; /* reply only */
	struct in6_addr addrs[DHAAD_MAX_ADDRS];
};

struct icmp6_mps {
	uint16_t id;
};

struct icmp6_mpa {
	uint16_t id;
	bool managed, other;
	size_t n_prefixes;
	struct nd_prefix prefixes[ND_MAX_PREFIXES];
};

struct icmp6_message {
	uint8_t type; /* enum icmp6_type */
	uint8_t code;
	union {
		struct icmp6_ra ra;
		struct icmp6_rs rs;
		struct icmp6_ns ns;
		struct icmp6_na na;
		struct icmp6_dhaad dhaad;
		struct icmp6_mps mps;
		struct icmp6_mpa mpa;
	} u;
};

/*
 * Parse an ICMPv6 message (from its Type octet on).  False for an unknown
 * type or anything malformed (RFC 4861 6.1, 7.1: lengths, zero-length
 * options, multicast targets, non-zero code; a known option whose length is
 * not that of its section; a prefix longer than 128 bits).  Options that do
 * not belong to the message are ignored; of one that may come only once the
 * first counts.  Hop limit, source address and checksum are the caller's to
 * judge, and so is what the fields mean together.
 */
bool icmp6_parse(const void *data, size_t len, struct icmp6_message *m);

/* Write; returns the length, or 0 when cap is too small or m cannot be expressed. */
size_t icmp6_build(const struct icmp6_message *m, void *out, size_t cap);

#endif
