/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The raw socket for Mobility Headers (RFC 6275 6.1).
 *
 * The kernel takes the Home Address option and the type 2 routing header off
 * and swaps the addresses, verifies checksum, Header Len and Payload Proto
 * (it answers those two itself with a Parameter Problem, 9.2), and computes
 * the checksum on the way out, over the addresses of the home level.
 */
#ifndef SYS_MH_SOCKET_H
#define SYS_MH_SOCKET_H

#include "mip6/env.h"

struct mh_socket; /* opaque */

/* NULL, with *err a negative errno (-EPERM: no CAP_NET_RAW). */
struct mh_socket *mh_socket_open(int *err);
void mh_socket_close(struct mh_socket *s);
int mh_socket_fd(const struct mh_socket *s);

typedef void mh_socket_fn(void *arg, const struct mip6_packet *p);
/* Read a burst; p and its data live only during the call. */
void mh_socket_read(struct mh_socket *s, mh_socket_fn *fn, void *arg);

/*
 * Send from p->src.  With MIP6_PKT_RH2 the packet goes to p->dst_coa behind a
 * type 2 routing header, without any other state in the kernel.  With
 * MIP6_PKT_HAO the option comes from mn_ops->bu_path_set(), which must be in
 * force.  With an ifindex it leaves there whatever the routes say.
 */
int mh_socket_send(struct mh_socket *s, const struct mip6_packet *p);

#endif
