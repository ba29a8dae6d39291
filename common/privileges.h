/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon may do once it has started: administrate the network, open raw sockets, or neither; nothing else. */
#ifndef COMMON_PRIVILEGES_H
#define COMMON_PRIVILEGES_H

#include <stdbool.h>

/* CAP_NET_ADMIN and CAP_NET_RAW are there. */
bool privileges_enough(void);
/*
 * Give up all capabilities for good but CAP_NET_ADMIN and CAP_NET_RAW, and
 * these as well where they are not wanted.  0 or a negative errno.
 */
int privileges_drop(bool net_admin, bool net_raw);
/* From now on a crash leaves no image of the memory, in which keys are.  Warns when that cannot be. */
void privileges_no_core(void);

#endif
