/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libnl builds and walks messages and attributes; sending and receiving is
 * done here, because libnl maps the kernel's error numbers to its own and
 * loses most of them, and does not read extended acknowledgements.
 */
#include "lib/netlink.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (1 << 16)
#define DUMP_TRIES 8
#define EVENT_BURST 64
#define EVENT_BUFFER (8 << 20)
#define BATCH_MAX (1 << 20)

struct nlreq {
	int fd;
	uint32_t port, seq;
	bool secret; /* answers hold keys: they are wiped */
	char why[256];
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int open_socket(int protocol, int flags, int buffer)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);
	struct sockaddr_nl me = {.nl_family = AF_NETLINK};

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static uint32_t port_of(int fd)
{
	struct sockaddr_nl me = {0};
	socklen_t len = sizeof(me);

	return getsockname(fd, (struct sockaddr *)&me, &len) == 0 ? me.nl_pid : 0;
}

struct nlreq *nlreq_open(int protocol, int *err)
{
	struct nlreq *r = calloc(1, sizeof(*r));
	int on = 1, buffer = 2 << 20;

	if (!r) {
		*err = -ENOMEM;
		return NULL;
	}
	r->fd = open_socket(protocol, 0, buffer);
	if (r->fd < 0) {
		*err = r->fd;
		free(r);
		return NULL;
	}
	(void)setsockopt(r->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(r->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(r->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	r->port = port_of(r->fd);
	r->secret = protocol == NETLINK_XFRM;
	*err = 0;
	return r;
}

int nlreq_open_three(struct nlreq **route, struct nlreq **xfrm, struct nlreq **netfilter)
{
	int err;

	*route = nlreq_open(NETLINK_ROUTE, &err);
	if (!err)
		*xfrm = nlreq_open(NETLINK_XFRM, &err);
	if (!err)
		*netfilter = nlreq_open(NETLINK_NETFILTER, &err);
	return err;
}

void nlreq_close(struct nlreq *r)
{
	if (!r)
		return;
	close(r->fd);
	free(r);
}

const char *nlreq_why(const struct nlreq *r)
{
	return r->why;
}

uint32_t nlreq_port(const struct nlreq *r)
{
	return r->port;
}

static struct nl_msg *begin(struct nl_msg *m, int type, int flags, const void *header, size_t header_len)
{
	if (!m)
		return NULL;
	if (!nlmsg_put(m, NL_AUTO_PORT, 0, type, 0, NLM_F_REQUEST | flags) ||
		nlmsg_append(m, (void *)header, header_len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

struct nl_msg *nlreq_msg(int type, int flags, const void *header, size_t header_len)
{
	return begin(nlmsg_alloc(), type, flags, header, header_len);
}

struct nl_msg *nlreq_msg_small(size_t room, int type, int flags, const void *header, size_t header_len)
{
	return begin(nlmsg_alloc_size(room), type, flags, header, header_len);
}

struct nl_msg *nlreq_whole(struct nl_msg *m, int err)
{
	if (m && err < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

/* ---- answers ---- */

/* The text of an extended acknowledgement, or NULL. */
static const char *kernel_words(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	size_t at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(*e));
	struct nlattr *text;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		at += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
	if (at >= h->nlmsg_len)
		return NULL;
	text = nla_find(
		(struct nlattr *)((char *)h + at), (int)(h->nlmsg_len - at), NLMSGERR_ATTR_MSG);
	return text && nla_len(text) > 0 ? nla_data(text) : NULL;
}

static int take_error(struct nlreq *r, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	const char *words;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
		return -EBADMSG;
	if (!e->error)
		return 0;
	words = kernel_words(h);
	snprintf(r->why, sizeof(r->why), "%s%s%.200s%s", strerror(-e->error), words ? " (" : "",
		words ? words : "", words ? ")" : "");
	return e->error;
}

static int send_octets(struct nlreq *r, const void *data, size_t len)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(r->fd, data, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	snprintf(r->why, sizeof(r->why), "%s", strerror(errno));
	return -errno;
}

static int send_msg(struct nlreq *r, struct nl_msg *m, int flags)
{
	struct nlmsghdr *h = nlmsg_hdr(m);

	h->nlmsg_seq = ++r->seq;
	h->nlmsg_pid = r->port;
	h->nlmsg_flags = (uint16_t)(h->nlmsg_flags | flags);
	r->why[0] = 0;
	return send_octets(r, h, h->nlmsg_len);
}

static ssize_t receive(struct nlreq *r, int flags)
{
	ssize_t n;

	do
		n = recv(r->fd, r->answer, sizeof(r->answer), flags);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* One datagram of answers.  1: more to come, 0: done, negative: error. */
static int take_answers(
	struct nlreq *r, size_t len, nlreq_fn *fn, void *arg, bool single, bool *disturbed)
{
	int left = (int)len, err;

	for (struct nlmsghdr *h = (struct nlmsghdr *)r->answer; nlmsg_ok(h, left);
		h = nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != r->seq)
			continue; /* of a request that was given up */
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			*disturbed = true;
		if (h->nlmsg_type == NLMSG_ERROR)
			return take_error(r, h);
		if (h->nlmsg_type == NLMSG_DONE) {
			if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(int)))
				memcpy(&err, NLMSG_DATA(h), sizeof(err));
			else
				err = 0;
			return err < 0 ? err : 0;
		}
		err = fn ? fn(arg, h) : 0;
		if (err < 0)
			return err;
		if (single)
			fn = NULL; /* the acknowledgement follows */
	}
	return 1;
}

static void wipe(struct nlreq *r, size_t len)
{
	if (r->secret)
		explicit_bzero(r->answer, len);
}

static int wait_answer(struct nlreq *r, nlreq_fn *fn, void *arg, bool single, bool *disturbed)
{
	ssize_t n;
	int err;

	do {
		n = receive(r, 0);
		if (n < 0) {
			snprintf(r->why, sizeof(r->why), "%s", strerror((int)-n));
			return (int)n;
		}
		err = take_answers(r, (size_t)n, fn, arg, single, disturbed);
		wipe(r, (size_t)n);
	} while (err > 0);
	return err;
}

int nlreq_do(struct nlreq *r, struct nl_msg *m)
{
	bool disturbed = false;
	int err;

	if (!m) {
		snprintf(r->why, sizeof(r->why), "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = send_msg(r, m, NLM_F_ACK);
	nlmsg_free(m);
	return err ? err : wait_answer(r, NULL, NULL, false, &disturbed);
}

int nlreq_get(struct nlreq *r, struct nl_msg *m, nlreq_fn *fn, void *arg)
{
	bool disturbed = false;
	int err;

	if (!m)
		return -ENOMEM;
	err = send_msg(r, m, NLM_F_ACK);
	nlmsg_free(m);
	return err ? err : wait_answer(r, fn, arg, true, &disturbed);
}

int nlreq_dump(struct nlreq *r, struct nl_msg *m, nlreq_fn *fn, void *arg)
{
	bool disturbed = true;
	int err = 0;

	if (!m)
		return -ENOMEM;
	for (int i = 0; i < DUMP_TRIES && disturbed && !err; i++) {
		disturbed = false;
		err = send_msg(r, m, NLM_F_DUMP);
		if (!err)
			err = wait_answer(r, fn, arg, false, &disturbed);
	}
	nlmsg_free(m);
	return err;
}

/* ---- many at once ---- */

#define SLOTS 32 /* answers that are read at once */
#define SLOT_LEN (ANSWER_MAX / SLOTS)

struct many {
	struct nlreq_result *results;
	size_t n, left;
	uint32_t first;
	nlreq_many_fn *fn;
	void *arg;
};

static void take_one(struct many *w, const struct nlmsghdr *h)
{
	uint32_t i = h->nlmsg_seq - w->first;
	const struct nlmsgerr *e = NLMSG_DATA((struct nlmsghdr *)h);
	const char *words;

	if (i >= w->n)
		return; /* of a request that was given up */
	if (h->nlmsg_type != NLMSG_ERROR) {
		if (w->fn)
			w->fn(w->arg, i, h);
		return;
	}
	w->left--;
	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e))) {
		w->results[i].error = -EBADMSG;
		return;
	}
	w->results[i].error = e->error;
	words = e->error ? kernel_words(h) : NULL;
	if (words)
		snprintf(w->results[i].words, sizeof(w->results[i].words), "%.100s", words);
}

/* Answers come one a datagram; n of them are there when the kernel has done n messages. */
static int receive_many(struct nlreq *r, struct many *w)
{
	struct mmsghdr slots[SLOTS];
	struct iovec iov[SLOTS];
	int n;

	memset(slots, 0, sizeof(slots));
	for (int i = 0; i < SLOTS; i++) {
		iov[i] = (struct iovec){r->answer + i * SLOT_LEN, SLOT_LEN};
		slots[i].msg_hdr.msg_iov = &iov[i];
		slots[i].msg_hdr.msg_iovlen = 1;
	}
	do
		n = recvmmsg(r->fd, slots, SLOTS, MSG_WAITFORONE, NULL);
	while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++) {
		int left = (int)slots[i].msg_len;

		for (struct nlmsghdr *h = iov[i].iov_base; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			take_one(w, h);
		if (r->secret)
			explicit_bzero(iov[i].iov_base, slots[i].msg_len);
	}
	return n < 0 ? -errno : 0;
}

int nlreq_many(struct nlreq *r, struct nl_msg *const *m, size_t n, struct nlreq_result *results,
	nlreq_many_fn *fn, void *arg)
{
	struct many w = {results, n, n, r->seq + 1, fn, arg};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct iovec iov[NLREQ_MANY];
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = iov, .msg_iovlen = n};
	ssize_t sent;
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *h = nlmsg_hdr(m[i]);

		h->nlmsg_seq = ++r->seq;
		h->nlmsg_pid = r->port;
		h->nlmsg_flags |= NLM_F_ACK;
		iov[i] = (struct iovec){h, NLMSG_ALIGN(h->nlmsg_len)};
		results[i] = (struct nlreq_result){.error = -EIO};
	}
	do
		sent = sendmsg(r->fd, &msg, 0);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		err = -errno;
	while (!err && w.left)
		err = receive_many(r, &w);
	if (err)
		snprintf(r->why, sizeof(r->why), "%s", strerror(-err));
	return err;
}

/* ---- batches of nfnetlink ---- */

static size_t put_batch_mark(char *at, int type, uint32_t seq)
{
	struct nlmsghdr *h = (struct nlmsghdr *)at;
	struct nfgenmsg *g = NLMSG_DATA(h);

	memset(at, 0, NLMSG_SPACE(sizeof(*g)));
	h->nlmsg_len = NLMSG_LENGTH(sizeof(*g));
	h->nlmsg_type = (uint16_t)type;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = seq;
	g->nfgen_family = AF_UNSPEC;
	g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	return NLMSG_SPACE(sizeof(*g));
}

/* The kernel has answered before sendto() came back: read what there is. */
static int batch_result(struct nlreq *r, uint32_t first)
{
	int err = 0;
	ssize_t n;

	while ((n = receive(r, MSG_DONTWAIT)) > 0) {
		int left = (int)n;

		for (struct nlmsghdr *h = (struct nlmsghdr *)r->answer; nlmsg_ok(h, left);
			h = nlmsg_next(h, &left))
			if (h->nlmsg_type == NLMSG_ERROR &&
				h->nlmsg_seq - first <= r->seq - first && !err)
				err = take_error(r, h);
	}
	return n == -EAGAIN || n >= 0 ? err : (int)n;
}

static int send_batch(struct nlreq *r, struct nl_msg **m, size_t n, char *out)
{
	uint32_t first = r->seq + 1;
	size_t len = put_batch_mark(out, NFNL_MSG_BATCH_BEGIN, ++r->seq);
	int err;

	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *h = nlmsg_hdr(m[i]);

		if (len + NLMSG_ALIGN(h->nlmsg_len) + 64 > BATCH_MAX)
			return -EMSGSIZE;
		h->nlmsg_seq = ++r->seq;
		h->nlmsg_pid = 0;
		h->nlmsg_flags |= NLM_F_ACK;
		memcpy(out + len, h, h->nlmsg_len);
		len += NLMSG_ALIGN(h->nlmsg_len);
	}
	len += put_batch_mark(out + len, NFNL_MSG_BATCH_END, ++r->seq);
	r->why[0] = 0;
	err = send_octets(r, out, len);
	return err ? err : batch_result(r, first);
}

int nlreq_batch(struct nlreq *r, struct nl_msg **m, size_t n)
{
	char *out = calloc(1, BATCH_MAX);
	int err = out ? 0 : -ENOMEM;

	for (size_t i = 0; i < n; i++)
		if (!m[i])
			err = -ENOMEM;
	if (!err)
		err = send_batch(r, m, n, out);
	for (size_t i = 0; i < n; i++)
		nlmsg_free(m[i]);
	free(out);
	return err;
}

/* ---- events ---- */

int nlevent_open(const unsigned *groups, size_t n)
{
	return nlevent_open_protocol(NETLINK_ROUTE, groups, n);
}

int nlevent_open_protocol(int protocol, const unsigned *groups, size_t n)
{
	int fd = open_socket(protocol, SOCK_NONBLOCK, EVENT_BUFFER);

	for (size_t i = 0; i < n && fd >= 0; i++) {
		int group = (int)groups[i];

		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
			0) {
			int err = -errno;

			close(fd);
			return err;
		}
	}
	return fd;
}

int nlevent_read(int fd, void (*fn)(void *arg, const struct nlmsghdr *h), void *arg)
{
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (int i = 0; i < EVENT_BURST; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ENOBUFS ? -ENOBUFS : 0;
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf; nlmsg_ok(h, left);
			h = nlmsg_next(h, &left))
			fn(arg, h);
		explicit_bzero(buf, (size_t)n); /* XFRM tells the keys of new SAs to all who listen */
	}
	return 0;
}
