/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Router Advertisement of a foreign link. */
#ifndef TESTS_ADVERT_H
#define TESTS_ADVERT_H

#include "lib/icmp6.h"

/* With a link-layer address of zeroes; for half an hour, addresses for a day. */
static inline struct icmp6_message advert(struct in6_addr prefix)
{
	struct icmp6_message m = {.type = ICMP6T_RA};

	m.u.ra.lifetime_s = 1800;
	m.u.ra.slla.len = 6;
	m.u.ra.n_prefixes = 1;
	m.u.ra.prefixes[0] = (struct nd_prefix){.prefix = prefix,
		.plen = 64,
		.on_link = true,
		.autonomous = true,
		.valid_s = 86400,
		.preferred_s = 14400};
	return m;
}

#endif
