/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager's answers to nodes that ask whether they are inside, and what IKE
 * says to nodes that are.
 *
 * Who asks is still one outside for us, and what is for it goes through its
 * tunnel.  If the link where it asks is its only one, the answer never comes by
 * there.  So a copy goes to where the question came from, in the frame that
 * the question's sender would be answered by.  It proves nothing to us, and
 * changes nothing here: anybody inside can ask in a node's name.  Only the
 * node can open the answer, and its replay window takes one of the two.
 *
 * IKE runs between home address and gateway, and a node inside has no binding:
 * what is for its home address goes to its home agent, and a copy to where the
 * node's last message came from.  IKE protects itself, and answers no message
 * twice (RFC 7296 2.1).
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

static bool recent(const struct vpn_asking *a)
{
	return a->mac_len && mono_diff_ms(a->until, sys_now(NULL)) > 0;
}

static bool asks(const struct vpn_node *n)
{
	return n && n->outside && recent(&n->asking);
}

bool vpn_answers_wanted(struct vpn_gateway *v, const struct in6_addr *internal)
{
	return asks(node_of(v, internal));
}

static void note(struct vpn_gateway *v, struct vpn_asking *from, int seconds)
{
	const struct nfqueue_origin *o = nfqueue_origin(v->asking);

	if (!o->ifindex || !o->mac_len)
		return;
	*from = (struct vpn_asking){.until = mono_add_s(sys_now(NULL), seconds),
		.ifindex = o->ifindex,
		.mac_len = o->mac_len};
	memcpy(from->mac, o->mac, o->mac_len);
}

static void copy_to(
	struct vpn_gateway *v, const struct vpn_asking *where, const uint8_t *data, size_t len)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = where->ifindex,
		.sll_halen = (unsigned char)where->mac_len};

	if (len != IP6_HEADER + (size_t)(data[4] << 8 | data[5]))
		return; /* longer than what is looked at */
	memcpy(to.sll_addr, where->mac, where->mac_len);
	if (sendto(v->packet_fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		vpn_gateway_complain(
			v, "cannot send an answer by the link of the question", -errno);
}

/* Between a home address and our external one. */
static void of_ike(struct vpn_gateway *v, const struct in6_addr *src, const struct in6_addr *dst,
	const uint8_t *data, size_t len)
{
	bool said = in6_equal(src, &v->config.address);
	struct vpn_node *n;

	HASH_FIND(hh_home, v->homes, said ? dst : src, sizeof(*src), n);
	if (n && !said)
		note(v, &n->ike, VPN_IKE_S);
	else if (n && recent(&n->ike))
		copy_to(v, &n->ike, data, len);
}

/* Whether the manager is asked, or answers. */
static void of_manager(struct vpn_gateway *v, const struct in6_addr *src,
	const struct in6_addr *dst, const uint8_t *data, size_t len)
{
	bool said = in6_equal(src, &v->config.manager);
	struct vpn_node *n = node_of(v, said ? dst : src);

	if (n && !said)
		note(v, &n->asking, VPN_ASKED_S);
	else if (asks(n))
		copy_to(v, &n->asking, data, len);
}

/* Let go at once, as if nobody had looked. */
static void packet(void *arg, uint32_t id, const uint8_t *data, size_t len)
{
	struct vpn_gateway *v = arg;
	struct rbuf r = rbuf_make(data, len);
	struct in6_addr src, dst;

	nfqueue_verdict(v->asking, id, true, 0);
	if (!rbuf_skip(&r, 8) || !rbuf_in6(&r, &src) || !rbuf_in6(&r, &dst))
		return;
	if (v->config.activates &&
		(in6_equal(&src, &v->config.address) || in6_equal(&dst, &v->config.address)))
		of_ike(v, &src, &dst, data, len);
	else
		of_manager(v, &src, &dst, data, len);
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
