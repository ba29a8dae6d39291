/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/ancillary.h"

#include <netinet/ip6.h>
#include <string.h>

#include "lib/buf.h"
#include "mip6/wire.h"

struct cmsghdr *ancillary_put(
	struct msghdr *m, struct cmsghdr *after, int type, const void *data, size_t len)
{
	struct cmsghdr *c = after ? CMSG_NXTHDR(m, after) : CMSG_FIRSTHDR(m);

	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	return c;
}

void ancillary_rthdr2(uint8_t out[ANCILLARY_RTHDR2_LEN], const struct in6_addr *care_of)
{
	memset(out, 0, ANCILLARY_RTHDR2_LEN);
	out[1] = 2; /* Hdr Ext Len */
	out[2] = MIP6_RTHDR_TYPE2;
	out[3] = 1; /* Segments Left */
	memcpy(out + 8, care_of, sizeof(*care_of));
}

/* The field of the Home Address option: after the kernel's swap, the care-of address. */
static bool find_hao(const uint8_t *data, size_t len, struct in6_addr *coa)
{
	struct rbuf r = rbuf_make(data, len), body;
	uint8_t type, n;

	if (!rbuf_skip(&r, 2)) /* Next Header, Hdr Ext Len */
		return false;
	while (rbuf_u8(&r, &type)) {
		if (type == IP6OPT_PAD1)
			continue;
		if (!rbuf_u8(&r, &n) || !rbuf_sub(&r, &body, n))
			return false;
		if (type == MIP6_DSTOPT_HAO && n == sizeof(*coa))
			return rbuf_in6(&body, coa);
	}
	return false;
}

void ancillary_take(const struct cmsghdr *c, struct mip6_packet *p)
{
	size_t len = c->cmsg_len - CMSG_LEN(0);
	const uint8_t *data = CMSG_DATA(c);
	struct in6_pktinfo info;
	int hops;

	if (c->cmsg_level != IPPROTO_IPV6)
		return;
	if (c->cmsg_type == IPV6_PKTINFO && len >= sizeof(info)) {
		memcpy(&info, data, sizeof(info));
		p->dst = info.ipi6_addr;
		p->ifindex = (int)info.ipi6_ifindex;
	} else if (c->cmsg_type == IPV6_HOPLIMIT && len >= sizeof(hops)) {
		memcpy(&hops, data, sizeof(hops));
		p->hop_limit = (uint8_t)hops;
	} else if (c->cmsg_type == IPV6_DSTOPTS) {
		if (find_hao(data, len, &p->src_coa))
			p->flags |= MIP6_PKT_HAO;
	} else if (c->cmsg_type == IPV6_RTHDR && len >= ANCILLARY_RTHDR2_LEN && data[2] == MIP6_RTHDR_TYPE2) {
		memcpy(&p->dst_coa, data + 8, sizeof(p->dst_coa));
		p->flags |= MIP6_PKT_RH2;
	}
}
