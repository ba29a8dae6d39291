/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel that an IKE daemon makes and moves (MOBIKE, RFC 4555): found in the
 * kernel, never touched.  Which IKE daemon it is does not matter.
 *
 * It is a pair of a policy, out, from one inner address by one ESP template in
 * tunnel mode, and of the SA of that template; while the IKE daemon moves it
 * the two differ, and there is no tunnel.  Requirements T15, T16.
 */
#ifndef GLUE_FOREIGN_H
#define GLUE_FOREIGN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct nlmsghdr;
struct nlreq;

struct foreign_tunnel {
	struct in6_addr inner; /* the tunnel inner address */
	struct in6_addr local, remote; /* where it ends: a care-of address and the gateway */
	uint32_t reqid;
	uint8_t scope; /* prefix length of what is reached by it */
};

/* ---- pure ---- */

/* A policy as the kernel tells it; false when it is none of such a tunnel, or malformed. */
bool foreign_policy_read(const struct nlmsghdr *h, struct foreign_tunnel *t);
/* Is this the SA by which t sends? */
bool foreign_sa_fits(const struct nlmsghdr *h, const struct foreign_tunnel *t);
/* May a message of the kernel mean that a tunnel has changed? */
bool foreign_concerns(const struct nlmsghdr *h);

/* ---- the kernel ---- */

/*
 * The tunnel of `inner` to `remote`; :: fits any.  When several fit, the one
 * by which most is reached.  0, -ENOENT when there is none, or a negative errno.
 */
int foreign_find(struct nlreq *xfrm, const struct in6_addr *inner, const struct in6_addr *remote,
	struct foreign_tunnel *t);
/* A descriptor that can be read when something about SAs or policies has changed, or a negative errno. */
int foreign_listen(void);
/* Read from it; true when it is worth to look again. */
bool foreign_changed(int fd);

#endif
