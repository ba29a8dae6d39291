/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMPv6 errors (RFC 4443) and the packet they quote, as far as Mobile IPv6
 * wants to know whose packet it was (RFC 6275 9.3.4, 11.3.5, KERNEL facts on
 * Packet Too Big).  Everything in here comes from anybody on the path or off
 * it: the caller compares it with what it has sent.
 */
#ifndef LIB_ICMP6_ERROR_H
#define LIB_ICMP6_ERROR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICMP6T_UNREACHABLE 1
#define ICMP6T_TOO_BIG 2

struct icmp6_error {
	uint8_t type, code; /* 1 Destination Unreachable, 2 Packet Too Big, 4 Parameter Problem; others: false */
	uint32_t info; /* MTU of a 2, pointer (octets into the quoted packet) of a 4 */
	/* The quoted packet's IPv6 header, as on the wire. */
	struct in6_addr src, dst;
	/* Of its extension headers. */
	bool has_hao, has_rh2;
	struct in6_addr hao; /* home address of the option */
	size_t hao_offset; /* of the option's Type octet in the quoted packet */
	struct in6_addr rh2; /* the address in the header, so the home address while under way */
	uint8_t proto; /* what follows them; 59 when it was cut off before that was known */
	size_t proto_offset; /* where it starts in the quoted packet */
	int mh_type; /* of a Mobility Header; -1: none, or cut off */
	uint64_t mh_cookie; /* of a quoted HoTI or CoTI; 0 when cut off */
};

/* data: from the ICMPv6 Type octet on.  False for other types and for nonsense. */
bool icmp6_error_parse(const void *data, size_t len, struct icmp6_error *e);

#endif
