/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is for a mobile network whose router is not bound, and that no other
 * route leads to, is unreachable at the home agent: else it would follow the
 * default route, and the network's own routing would bring it back.
 */
#ifndef SYS_HA_UNREACHABLE_H
#define SYS_HA_UNREACHABLE_H

#include "lib/prefix_table.h"

struct nlreq;

/* The last routes of these networks, and of no others (a predecessor's).  0 or an errno. */
int ha_unreachable_set(struct nlreq *rt, const struct prefix_row *rows, size_t n);

#endif
