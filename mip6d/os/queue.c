/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mip6d/os/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <sys/socket.h>

struct queue {
	struct nfq_handle *handle;
	struct nfq_q_handle *q;
	void (*fn)(void *arg, uint32_t id, const uint8_t *data, size_t len);
	void *arg;
};

static int packet(struct nfq_q_handle *h, struct nfgenmsg *g, struct nfq_data *d, void *arg)
{
	struct queue *q = arg;
	struct nfqnl_msg_packet_hdr *ph = nfq_get_msg_packet_hdr(d);
	unsigned char *data = NULL;
	int len = nfq_get_payload(d, &data);

	(void)h;
	(void)g;
	if (ph)
		q->fn(q->arg, ntohl(ph->packet_id), data, len > 0 ? (size_t)len : 0);
	return 0;
}

struct queue *queue_open(uint16_t number, uint32_t copy, uint32_t max_len,
	void (*fn)(void *arg, uint32_t id, const uint8_t *data, size_t len), void *arg)
{
	struct queue *q = calloc(1, sizeof(*q));
	int fd;

	if (!q)
		return NULL;
	q->fn = fn;
	q->arg = arg;
	q->handle = nfq_open();
	if (!q->handle)
		goto fail;
	q->q = nfq_create_queue(q->handle, number, packet, q);
	if (!q->q || nfq_set_mode(q->q, NFQNL_COPY_PACKET, copy) < 0 || nfq_set_queue_maxlen(q->q, max_len) < 0)
		goto fail;
	fd = nfq_fd(q->handle);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return q;
fail:
	queue_close(q);
	return NULL;
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	if (q->q)
		nfq_destroy_queue(q->q);
	if (q->handle)
		nfq_close(q->handle);
	free(q);
}

int queue_fd(const struct queue *q)
{
	return nfq_fd(q->handle);
}

void queue_read(struct queue *q)
{
	_Alignas(8) char buf[70000];
	ssize_t n;

	for (int i = 0; i < 256; i++) {
		n = recv(queue_fd(q), buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno == ENOBUFS)
			continue; /* some did not fit; the kernel dropped them */
		if (n <= 0)
			return;
		(void)nfq_handle_packet(q->handle, buf, (int)n);
	}
}

void queue_verdict(struct queue *q, uint32_t id, bool accept, uint32_t mark)
{
	if (mark)
		(void)nfq_set_verdict2(q->q, id, accept ? NF_ACCEPT : NF_DROP, mark, 0, NULL);
	else
		(void)nfq_set_verdict(q->q, id, accept ? NF_ACCEPT : NF_DROP, 0, NULL);
}
