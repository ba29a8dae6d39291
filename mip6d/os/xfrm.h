/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XFRM route-optimization states and policies: the Home Address option on
 * Binding Updates, the right to receive it, and the right to receive a type
 * 2 routing header.  All addresses are home-level ones but coa.
 */
#ifndef OS_XFRM_H
#define OS_XFRM_H

#include <netinet/in.h>

struct nlreq;

/* Home agent: accept Mobility Headers behind a Home Address option. */
int xfrm_accept_hao(struct nlreq *x);
int xfrm_refuse_hao(struct nlreq *x);
/* Mobile node: accept Mobility Headers behind a type 2 routing header for hoa. */
int xfrm_accept_rh2(struct nlreq *x, const struct in6_addr *hoa);
int xfrm_refuse_rh2(struct nlreq *x, const struct in6_addr *hoa);
/* Mobile node: Binding Updates from hoa to peer leave from coa with a Home Address option. */
int xfrm_bu_path_set(struct nlreq *x, const struct in6_addr *hoa, const struct in6_addr *peer,
	const struct in6_addr *coa);
int xfrm_bu_path_del(struct nlreq *x, const struct in6_addr *hoa, const struct in6_addr *peer);

#endif
