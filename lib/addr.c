/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 addresses and prefixes (RFC 4291; RFC 6275 6.1.7, 9.5.1 for what can
 * be a home or care-of address), and the keyed hash for tables of them.
 *
 * The hash is SipHash-2-4 (Aumasson and Bernstein, 2012), unrolled for the
 * one length that is needed: home and care-of addresses are chosen by
 * strangers, and with a plain hash they could choose collisions.
 */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <stdlib.h>

const struct in6_addr in6_all_nodes = {{{0xff, 0x02, [15] = 0x01}}};
const struct in6_addr in6_all_routers = {{{0xff, 0x02, [15] = 0x02}}};

bool in6_is_routable_unicast(const struct in6_addr *a)
{
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) &&
	       !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_LINKLOCAL(a) &&
	       !IN6_IS_ADDR_SITELOCAL(a) && !IN6_IS_ADDR_V4MAPPED(a);
}

struct in6_addr in6_mask(const struct in6_addr *a, uint8_t plen)
{
	struct in6_addr r = *a;
	size_t whole = plen / 8;

	if (plen >= 128)
		return r;
	if (plen % 8) {
		r.s6_addr[whole] &= (uint8_t)(0xff00 >> (plen % 8));
		whole++;
	}
	memset(r.s6_addr + whole, 0, sizeof(r) - whole);
	return r;
}

bool in6_in_prefix(const struct in6_addr *a, const struct in6_addr *prefix, uint8_t plen)
{
	struct in6_addr x = in6_mask(a, plen), y = in6_mask(prefix, plen);

	return in6_equal(&x, &y);
}

struct in6_addr in6_join(const struct in6_addr *prefix, const struct in6_addr *iid)
{
	struct in6_addr r = *prefix;

	memcpy(r.s6_addr + 8, iid->s6_addr + 8, 8);
	return r;
}

struct in6_addr in6_solicited_node(const struct in6_addr *a)
{
	struct in6_addr r = {{{0xff, 0x02, [11] = 0x01, 0xff}}};

	memcpy(r.s6_addr + 13, a->s6_addr + 13, 3);
	return r;
}

struct in6_addr in6_eui64_link_local(const uint8_t mac[6])
{
	struct in6_addr r = {{{0xfe, 0x80, [11] = 0xff, 0xfe}}};

	memcpy(r.s6_addr + 8, mac, 3);
	memcpy(r.s6_addr + 13, mac + 3, 3);
	r.s6_addr[8] ^= 0x02; /* the universal/local bit is kept inverted, RFC 4291 appendix A */
	return r;
}

const char *in6_str(const struct in6_addr *a)
{
	static char ring[8][INET6_ADDRSTRLEN];
	static unsigned turn;
	char *s = ring[turn++ % 8];

	if (!inet_ntop(AF_INET6, a, s, INET6_ADDRSTRLEN))
		s[0] = '\0';
	return s;
}

/* Up to three decimal digits and nothing else: strtoul() would take " +7". */
static bool parse_plen(const char *s, uint8_t *plen)
{
	size_t digits = strspn(s, "0123456789");
	unsigned long v;

	if (digits == 0 || digits > 3 || s[digits] != '\0')
		return false;
	v = strtoul(s, NULL, 10);
	if (v > 128)
		return false;
	*plen = (uint8_t)v;
	return true;
}

bool ip6_prefix_parse(const char *text, struct ip6_prefix *p)
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	struct ip6_prefix r;
	struct in6_addr masked;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return false;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (inet_pton(AF_INET6, addr, &r.addr) != 1 || !parse_plen(slash + 1, &r.plen))
		return false;
	masked = in6_mask(&r.addr, r.plen);
	if (!in6_equal(&masked, &r.addr))
		return false;
	*p = r;
	return true;
}

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t get_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (size_t i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static void sip_rounds(uint64_t v[4], unsigned n)
{
	while (n--) {
		v[0] += v[1];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[0] = rotl(v[0], 32);
		v[2] += v[3];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[2] = rotl(v[2], 32);
	}
}

uint64_t in6_hash(const struct in6_addr *a, const uint64_t key[2])
{
	const uint64_t words[3] = {
		get_le64(a->s6_addr), get_le64(a->s6_addr + 8),
		(uint64_t)sizeof(*a) << 56, /* the closing word holds the length */
	};
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575,
		key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573,
	};

	for (size_t i = 0; i < 3; i++) {
		v[3] ^= words[i];
		sip_rounds(v, 2);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct in6_addr in6_home_agents_anycast(const struct ip6_prefix *p)
{
	struct in6_addr a = p->addr;

	for (unsigned bit = p->plen; bit < 128; bit++)
		a.s6_addr[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	a.s6_addr[15] = 0xfe;
	if (p->plen == 64)
		a.s6_addr[8] = 0xfd; /* the universal/local bit */
	return a;
}
