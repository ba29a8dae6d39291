/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that the home agent defends on the home link: proxying and
 * unsolicited Neighbor Advertisements (RFC 6275 10.4.1).
 *
 * A link-local address may belong to several home addresses, one of each home
 * prefix.  It is defended once, as long as one of them asks for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/icmp6.h"
#include "mip6d/proto/ha_internal.h"

#define ND_BUFFER 96

const uint8_t ha_defences[HA_DEFENCES] = {HA_DEFEND_HOME, HA_DEFEND_LINK_LOCAL};

struct in6_addr ha_defended_address(const struct ha_binding *b, uint8_t which)
{
	static const struct in6_addr fe80 = {{{0xfe, 0x80}}};

	return which == HA_DEFEND_HOME ? b->node.addr : in6_join(&fe80, &b->node.addr);
}

/* ---- messages ---- */

void ha_send_nd(
	struct ha *ha, struct mip6_packet *p, const char *what, const struct in6_addr *target)
{
	int err;

	p->ifindex = ha->config.home_ifindex;
	p->hop_limit = HA_ND_HOP_LIMIT;
	err = ha->env->send_icmp6(ha->env->ctx, p);
	if (err)
		ha_op_failed(ha, what, target, err);
}

/*
 * 10.4.1: S clear, O set, from our own address, and always with our link-layer address.  R is clear but
 * for mobile routers (RFC 3963 6.2).
 */
void ha_advertise(struct ha *ha, const struct in6_addr *target, bool router)
{
	struct icmp6_message m = {
		.type = ICMP6T_NA, .u.na = {.target = *target, .override = true, .router = router}};
	struct mip6_packet p = {.src = ha->config.address, .dst = in6_all_nodes};
	size_t len = ha->config.home_lladdr_len;
	uint8_t data[ND_BUFFER];

	if (!len || len > sizeof(m.u.na.tlla.addr))
		return;
	m.u.na.tlla.len = (uint8_t)len;
	memcpy(m.u.na.tlla.addr, ha->config.home_lladdr, len);
	p.data = data;
	p.len = icmp6_build(&m, data, sizeof(data));
	ha_send_nd(ha, &p, "advertise", target);
}

/* ---- defended addresses ---- */

int ha_proxy(struct ha *ha, const struct in6_addr *addr, bool on, bool router)
{
	int ifindex = ha->config.home_ifindex;
	int err = on ? ha->ops->proxy_add(ha->ops_ctx, ifindex, addr, router)
		     : ha->ops->proxy_del(ha->ops_ctx, ifindex, addr);

	if (err)
		ha_op_failed(ha, on ? "be proxy for" : "stop to be proxy for", addr, err);
	return err;
}

struct ha_link_local *ha_find_link_local(const struct ha *ha, const struct in6_addr *addr)
{
	struct addr_node *n = addr_table_find(&ha->link_locals, addr);

	return n ? ADDR_OBJECT(n, struct ha_link_local, node) : NULL;
}

static int defend_link_local(struct ha *ha, const struct in6_addr *addr, bool router)
{
	struct ha_link_local *l = ha_find_link_local(ha, addr);
	int err;

	if (l) {
		l->users++;
		return 0;
	}
	err = ha_proxy(ha, addr, true, router);
	if (err)
		return err;
	l = calloc(1, sizeof(*l));
	if (!l) {
		ha_proxy(ha, addr, false, false);
		return -ENOMEM;
	}
	l->node.addr = *addr;
	l->users = 1;
	l->router = router;
	addr_table_add(&ha->link_locals, &l->node);
	return 0;
}

static void undefend_link_local(struct ha *ha, const struct in6_addr *addr)
{
	struct ha_link_local *l = ha_find_link_local(ha, addr);

	if (!l || --l->users)
		return;
	addr_table_del(&ha->link_locals, &l->node);
	free(l);
	ha_proxy(ha, addr, false, false);
}

uint8_t ha_proxy_defend(struct ha *ha, struct ha_binding *b, uint8_t which)
{
	uint8_t gained = 0;

	for (size_t i = 0; i < HA_DEFENCES; i++) {
		uint8_t bit = ha_defences[i];
		struct in6_addr addr = ha_defended_address(b, bit);
		bool router = b->flags & BU_F_R;
		int err;

		if (!(which & bit) || b->defended & bit)
			continue;
		err = bit == HA_DEFEND_HOME ? ha_proxy(ha, &addr, true, router)
					    : defend_link_local(ha, &addr, router);
		if (!err)
			gained |= bit;
	}
	b->defended |= gained;
	return gained;
}

void ha_proxy_undefend(struct ha *ha, struct ha_binding *b, uint8_t which)
{
	for (size_t i = 0; i < HA_DEFENCES; i++) {
		uint8_t bit = ha_defences[i];
		struct in6_addr addr = ha_defended_address(b, bit);

		if (!(which & b->defended & bit))
			continue;
		b->defended &= (uint8_t)~bit;
		if (bit == HA_DEFEND_HOME)
			ha_proxy(ha, &addr, false, false);
		else
			undefend_link_local(ha, &addr);
	}
}
