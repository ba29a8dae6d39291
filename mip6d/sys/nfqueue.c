/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/sys/nfqueue.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BURST 64
#define BUFFER (8 << 20)
#define MESSAGE 4096

struct nfqueue {
	struct mnl_socket *socket;
	uint16_t num;
	struct nfqueue_origin origin;
};

static struct nlmsghdr *header(const struct nfqueue *q, char *buf, int type)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_QUEUE << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	g->res_id = htons(q->num);
	return h;
}

/* Send and wait for the acknowledgement; only while nothing can be queued yet. */
static int configure(struct nfqueue *q, struct nlmsghdr *h)
{
	char buf[MESSAGE];
	ssize_t n;

	h->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(q->socket, h, h->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(q->socket, buf, sizeof(buf));
	if (n < 0)
		return -errno;
	return mnl_cb_run(buf, (size_t)n, 0, 0, NULL, NULL) < 0 ? -errno : 0;
}

static int bind_queue(struct nfqueue *q, uint32_t copy, uint32_t max)
{
	char buf[MESSAGE];
	struct nlmsghdr *h = header(q, buf, NFQNL_MSG_CONFIG);

	/* All in one message: the queue exists with its limits or not at all. */
	nfq_nlmsg_cfg_put_cmd(h, AF_INET6, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(h, copy ? NFQNL_COPY_PACKET : NFQNL_COPY_META, (int)copy);
	nfq_nlmsg_cfg_put_qmaxlen(h, max);
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN));
	return configure(q, h);
}

struct nfqueue *nfqueue_open(uint16_t num, uint32_t copy, uint32_t max, int *err)
{
	struct nfqueue *q = calloc(1, sizeof(*q));
	int size = BUFFER, on = 1;

	if (!q) {
		*err = -ENOMEM;
		return NULL;
	}
	q->num = num;
	q->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!q->socket || mnl_socket_bind(q->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		*err = -errno;
		nfqueue_close(q);
		return NULL;
	}
	if (setsockopt(mnl_socket_get_fd(q->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		    sizeof(size)) < 0)
		(void)setsockopt(
			mnl_socket_get_fd(q->socket), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* A full socket drops the packet; an error on the next read would say nothing more. */
	(void)mnl_socket_setsockopt(q->socket, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	*err = bind_queue(q, copy, max);
	if (*err) {
		nfqueue_close(q);
		return NULL;
	}
	return q;
}

int nfqueue_fail_open(struct nfqueue *q)
{
	char buf[MESSAGE];
	struct nlmsghdr *h = header(q, buf, NFQNL_MSG_CONFIG);

	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_FAIL_OPEN));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_FAIL_OPEN));
	return configure(q, h);
}

void nfqueue_close(struct nfqueue *q)
{
	if (!q)
		return;
	if (q->socket)
		mnl_socket_close(q->socket);
	free(q);
}

int nfqueue_fd(const struct nfqueue *q)
{
	return mnl_socket_get_fd(q->socket);
}

const struct nfqueue_origin *nfqueue_origin(const struct nfqueue *q)
{
	return &q->origin;
}

static struct nfqueue_origin read_origin(struct nlattr *const tb[])
{
	struct nfqueue_origin o = {0};
	struct nfqnl_msg_packet_hw hw;

	if (tb[NFQA_IFINDEX_INDEV])
		o.ifindex = (int)ntohl(mnl_attr_get_u32(tb[NFQA_IFINDEX_INDEV]));
	if (!tb[NFQA_HWADDR] || mnl_attr_get_payload_len(tb[NFQA_HWADDR]) < sizeof(hw))
		return o;
	memcpy(&hw, mnl_attr_get_payload(tb[NFQA_HWADDR]), sizeof(hw));
	if (ntohs(hw.hw_addrlen) > sizeof(o.mac))
		return o;
	o.mac_len = ntohs(hw.hw_addrlen);
	memcpy(o.mac, hw.hw_addr, o.mac_len);
	return o;
}

struct reader {
	struct nfqueue *queue;
	nfqueue_fn *fn;
	void *arg;
};

static int one_packet(const struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[NFQA_MAX + 1] = {NULL};
	struct reader *r = arg;
	struct nfqnl_msg_packet_hdr p;
	const uint8_t *data = NULL;
	size_t len = 0;

	if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
		nfq_nlmsg_parse(h, tb) < 0 || !tb[NFQA_PACKET_HDR])
		return MNL_CB_OK;
	memcpy(&p, mnl_attr_get_payload(tb[NFQA_PACKET_HDR]), sizeof(p));
	if (tb[NFQA_PAYLOAD]) {
		data = mnl_attr_get_payload(tb[NFQA_PAYLOAD]);
		len = mnl_attr_get_payload_len(tb[NFQA_PAYLOAD]);
	}
	r->queue->origin = read_origin(tb);
	r->fn(r->arg, ntohl(p.packet_id), data, len);
	return MNL_CB_OK;
}

bool nfqueue_read(struct nfqueue *q, nfqueue_fn *fn, void *arg)
{
	struct reader r = {q, fn, arg};
	char buf[MESSAGE] __attribute__((aligned(8)));

	for (int i = 0; i < BURST; i++) {
		ssize_t n = recv(nfqueue_fd(q), buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		mnl_cb_run(buf, (size_t)n, 0, 0, one_packet, &r);
	}
	return true;
}

static int verdict(struct nfqueue *q, int type, uint32_t id, bool accept, uint32_t mark)
{
	char buf[256] __attribute__((aligned(8)));
	struct nlmsghdr *h = header(q, buf, type);

	nfq_nlmsg_verdict_put(h, (int)id, accept ? NF_ACCEPT : NF_DROP);
	if (mark)
		nfq_nlmsg_verdict_put_mark(h, mark);
	return mnl_socket_sendto(q->socket, h, h->nlmsg_len) < 0 ? -errno : 0;
}

int nfqueue_verdict(struct nfqueue *q, uint32_t id, bool accept, uint32_t mark)
{
	return verdict(q, NFQNL_MSG_VERDICT, id, accept, mark);
}

int nfqueue_verdict_upto(struct nfqueue *q, uint32_t id, bool accept, uint32_t mark)
{
	return verdict(q, NFQNL_MSG_VERDICT_BATCH, id, accept, mark);
}
