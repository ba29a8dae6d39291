/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between daemon_moves.c and daemon_moves_ask.c. */
#ifndef MIP6D_DAEMON_MOVES_H
#define MIP6D_DAEMON_MOVES_H

#include "mip6d/daemon_internal.h"

struct moves_ask; /* opaque; NULL: nobody asks, and calls do nothing */

/* NULL also where the configuration names no connection. */
struct moves_ask *moves_ask_new(struct daemon *d);
void moves_ask_free(struct moves_ask *a);
/* Whether there is the tunnel that is wanted, and where the node is. */
void moves_ask_there(struct moves_ask *a, bool there);
/* The node has a care-of address. */
void moves_ask_place(struct moves_ask *a);

#endif
