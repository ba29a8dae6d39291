/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager's answers to nodes that ask whether they are inside.
 *
 * Such a node is still one outside for us, and what is for it goes through its
 * tunnel.  If the link where it asks is its only one, the answer never comes by
 * there.  So a copy goes to where the question came from, in the frame that
 * the question's sender would be answered by.  It proves nothing to us, and
 * changes nothing here: anybody inside can ask in a node's name.  Only the
 * node can open the answer, and its replay window takes one of the two.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"
#include "lib/buf.h"
#include "mip6d/sys/marks.h"
#include "mip6d/sys/nfqueue.h"
#include "mip6d/sys/vpn_gateway_internal.h"

#define IP6_HEADER 40
#define WHOLE 1280 /* of a message; longer ones are no answers */
#define QUEUE_MAX 4096

static struct vpn_node *node_of(struct vpn_gateway *v, const struct in6_addr *internal)
{
	struct vpn_node *n;

	HASH_FIND(hh, v->nodes, internal, sizeof(*internal), n);
	return n;
}

static bool asks(const struct vpn_node *n)
{
	return n && n->outside && n->asking.mac_len &&
	       mono_diff_ms(n->asking.until, sys_now(NULL)) > 0;
}

bool vpn_answers_wanted(struct vpn_gateway *v, const struct in6_addr *internal)
{
	return asks(node_of(v, internal));
}

static void note(struct vpn_gateway *v, struct vpn_node *n)
{
	const struct nfqueue_origin *o = nfqueue_origin(v->asking);

	if (!o->ifindex || !o->mac_len)
		return;
	n->asking = (struct vpn_asking){.until = mono_add_s(sys_now(NULL), VPN_ASKED_S),
		.ifindex = o->ifindex,
		.mac_len = o->mac_len};
	memcpy(n->asking.mac, o->mac, o->mac_len);
}

static void copy_to(
	struct vpn_gateway *v, const struct vpn_node *n, const uint8_t *data, size_t len)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = n->asking.ifindex,
		.sll_halen = (unsigned char)n->asking.mac_len};

	memcpy(to.sll_addr, n->asking.mac, n->asking.mac_len);
	if (sendto(v->packet_fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		vpn_gateway_complain(
			v, "cannot send the manager's answer by the link of the question", -errno);
}

/* Let go at once, as if nobody had looked. */
static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct vpn_gateway *v = arg;
	struct rbuf r = rbuf_make(data, len);
	struct in6_addr src, dst;
	struct vpn_node *n;
	uint16_t payload;

	nfqueue_verdict(v->asking, id, true, 0);
	if (!rbuf_skip(&r, 4) || !rbuf_u16(&r, &payload) || !rbuf_skip(&r, 2) ||
		!rbuf_in6(&r, &src) || !rbuf_in6(&r, &dst))
		return;
	if (!in6_equal(&src, &v->config.manager)) {
		n = node_of(v, &src);
		if (n)
			note(v, n);
		return;
	}
	n = node_of(v, &dst);
	if (asks(n) && len == IP6_HEADER + (size_t)payload)
		copy_to(v, n, data, len);
}

static void readable(void *arg)
{
	struct vpn_gateway *v = arg;

	nfqueue_read(v->asking, packet, v);
}

int vpn_answers_open(struct vpn_gateway *v)
{
	int err;

	/* Protocol 0: it sends, and receives nothing. */
	v->packet_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (v->packet_fd < 0)
		return -errno;
	v->asking = nfqueue_open(SYS_QUEUE_ASKING, WHOLE, QUEUE_MAX, &err);
	if (!v->asking)
		return err;
	err = nfqueue_fail_open(v->asking);
	return err ? err : sys_loop_read(v->loop, nfqueue_fd(v->asking), readable, v);
}

void vpn_answers_close(struct vpn_gateway *v)
{
	if (v->asking) {
		sys_loop_forget(v->loop, nfqueue_fd(v->asking));
		nfqueue_close(v->asking);
	}
	if (v->packet_fd >= 0)
		close(v->packet_fd);
}
