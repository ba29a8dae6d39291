/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request, one acknowledgement.  The socket is blocking: the kernel
 * answers a request in the same system call that brings it, so the answer
 * is there when we read.
 */
#include "mip6d/os/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/socket.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ANSWER_SIZE 65536

struct nlreq {
	struct nl_sock *sock;
	uint32_t seq;
	char error[160];
	char answer[ANSWER_SIZE];
};

struct nlreq *nlreq_new(int protocol)
{
	struct nlreq *r = calloc(1, sizeof(*r));
	int one = 1;

	if (!r)
		return NULL;
	r->sock = nl_socket_alloc();
	if (!r->sock || nl_connect(r->sock, protocol) < 0) {
		nlreq_free(r);
		return NULL;
	}
	(void)setsockopt(nl_socket_get_fd(r->sock), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)setsockopt(nl_socket_get_fd(r->sock), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)nl_socket_set_buffer_size(r->sock, 1 << 20, 1 << 18);
	return r;
}

void nlreq_free(struct nlreq *r)
{
	if (!r)
		return;
	if (r->sock)
		nl_socket_free(r->sock);
	free(r);
}

struct nl_msg *nlreq_msg(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (m && nlmsg_append(m, (void *)header, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return m;
}

const char *nlreq_error(const struct nlreq *r)
{
	return r->error;
}

static int send_message(struct nlreq *r, struct nl_msg *m, int flags)
{
	struct nlmsghdr *h = nlmsg_hdr(m);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	h->nlmsg_seq = ++r->seq;
	h->nlmsg_flags = (uint16_t)(h->nlmsg_flags | flags);
	n = sendto(nl_socket_get_fd(r->sock), h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	nlmsg_free(m);
	return n < 0 ? -errno : 0;
}

static void keep_error(struct nlreq *r, const struct nlmsghdr *h, int err)
{
	const struct nlmsgerr *e = nlmsg_data(h);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = {0};
	const char *words = NULL;

	if (h->nlmsg_flags & NLM_F_ACK_TLVS) {
		size_t skip = sizeof(*e);

		if (!(h->nlmsg_flags & NLM_F_CAPPED))
			skip += e->msg.nlmsg_len - sizeof(struct nlmsghdr);
		if (h->nlmsg_len > NLMSG_HDRLEN + NLMSG_ALIGN(skip))
			(void)nla_parse(tb, NLMSGERR_ATTR_MAX,
				(struct nlattr *)((char *)nlmsg_data(h) + NLMSG_ALIGN(skip)),
				(int)(h->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip)), NULL);
		if (tb[NLMSGERR_ATTR_MSG])
			words = nla_get_string(tb[NLMSGERR_ATTR_MSG]);
	}
	strncpy(r->error, words ? words : strerror(-err), sizeof(r->error) - 1);
}

int nlreq_dump(struct nlreq *r, struct nl_msg *m, int (*fn)(struct nlmsghdr *h, void *arg), void *arg)
{
	int err, stop = 0;
	bool dump;

	if (!m)
		return -ENOMEM;
	dump = nlmsg_hdr(m)->nlmsg_flags & NLM_F_DUMP;
	err = send_message(r, m, 0);
	while (!err) {
		ssize_t n = recv(nl_socket_get_fd(r->sock), r->answer, sizeof(r->answer), 0);
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->answer;

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (int left = (int)n; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != r->seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return stop;
			if (h->nlmsg_type == NLMSG_ERROR) {
				err = ((struct nlmsgerr *)nlmsg_data(h))->error;
				if (err)
					keep_error(r, h, err);
				return err;
			}
			if (fn && !stop)
				stop = fn(h, arg);
			if (!dump)
				return stop;
		}
	}
	return err;
}

int nlreq_do(struct nlreq *r, struct nl_msg *m)
{
	if (!m)
		return -ENOMEM;
	nlmsg_hdr(m)->nlmsg_flags |= NLM_F_ACK;
	return nlreq_dump(r, m, NULL, NULL);
}
