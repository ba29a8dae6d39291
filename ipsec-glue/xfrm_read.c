/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec-glue/xfrm_read.h"

#include <string.h>

#include "lib/netlink.h"

struct in6_addr xfrm_read_address(const xfrm_address_t *a)
{
	struct in6_addr r;

	memcpy(&r, a, sizeof(r));
	return r;
}

const void *xfrm_read_body(const struct nlmsghdr *h, size_t len)
{
	return h->nlmsg_len >= NLMSG_HDRLEN + len ? nlmsg_data(h) : NULL;
}

const void *xfrm_read_attribute(const struct nlmsghdr *h, size_t header, int type, size_t least)
{
	const struct nlattr *a =
		nla_find(nlmsg_attrdata(h, (int)header), nlmsg_attrlen(h, (int)header), type);

	return a && nla_len(a) >= (int)least ? nla_data(a) : NULL;
}
