/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ICMPv6 Parameter Problem that answers a Mobility Header (RFC 6275 9.2, RFC 4443 3.4). */
#ifndef PROTO_PROBLEM_H
#define PROTO_PROBLEM_H

#include "mip6/env.h"

#define PROBLEM_MAX (1280 - 40) /* RFC 4443 2.4 c: the whole packet fits the least MTU */

/* Code 0, pointing at the octet at offset of p->data; returns the length. */
size_t problem_build(const struct mip6_packet *p, size_t offset, uint8_t data[PROBLEM_MAX]);

#endif
