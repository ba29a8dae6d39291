/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon may do: administrate the network and open raw sockets, nothing else. */
#ifndef SYS_PRIVILEGES_H
#define SYS_PRIVILEGES_H

#include <stdbool.h>

/* CAP_NET_ADMIN and CAP_NET_RAW are there. */
bool privileges_enough(void);
/* Give up all other capabilities for good.  0 or a negative errno. */
int privileges_drop(void);

#endif
