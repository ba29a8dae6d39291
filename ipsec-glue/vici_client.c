/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of vici on a Unix socket; see vici.h.
 *
 * Requests wait in a queue.  The first of them is being sent or waits for its
 * answer; the next one is not begun before that.  Events come in between.
 */
#include "ipsec-glue/vici.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_WAITING 1024
#define PACKETS_A_CALL 256
#define READ_AT_ONCE 65536

struct request {
	struct request *next;
	const void *tag;
	size_t len;
	uint8_t octets[];
};

struct vici {
	int fd;
	const struct vici_handler *handler;
	void *ctx;
	struct request *first, **last;
	size_t n_waiting;
	size_t sent; /* octets of the first request */
	/* what has been received and not been handled: in[at..len) */
	uint8_t *in;
	size_t at, len, cap;
};

struct vici *vici_connect(const char *path, const struct vici_handler *h, void *ctx, int *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct vici *v;

	*err = -ENAMETOOLONG;
	if (strlen(path) >= sizeof(addr.sun_path))
		return NULL;
	strcpy(addr.sun_path, path);
	v = calloc(1, sizeof(*v));
	*err = -ENOMEM;
	if (!v)
		return NULL;
	v->handler = h;
	v->ctx = ctx;
	v->last = &v->first;
	v->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (v->fd < 0 || connect(v->fd, (struct sockaddr *)&addr, sizeof(addr))) {
		*err = -errno;
		vici_close(v);
		return NULL;
	}
	*err = 0;
	return v;
}

static void drop_first(struct vici *v)
{
	struct request *r = v->first;

	v->first = r->next;
	if (!v->first)
		v->last = &v->first;
	v->n_waiting--;
	v->sent = 0;
	free(r);
}

void vici_close(struct vici *v)
{
	if (!v)
		return;
	while (v->first)
		drop_first(v);
	if (v->fd >= 0)
		close(v->fd);
	free(v->in);
	free(v);
}

int vici_fd(const struct vici *v)
{
	return v->fd;
}

bool vici_wants_write(const struct vici *v)
{
	return v->first && v->sent < v->first->len;
}

bool vici_idle(const struct vici *v)
{
	return !v->first;
}

/* ---- sending ---- */

int vici_writable(struct vici *v)
{
	while (vici_wants_write(v)) {
		struct request *r = v->first;
		ssize_t n = send(v->fd, r->octets + v->sent, r->len - v->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		v->sent += (size_t)n;
	}
	return 0;
}

int vici_send(struct vici *v, const struct wbuf *w, const void *tag)
{
	struct request *r;

	if (w->overflow)
		return -EMSGSIZE;
	if (v->n_waiting >= MOST_WAITING)
		return -ENOBUFS;
	r = malloc(sizeof(*r) + w->len);
	if (!r)
		return -ENOMEM;
	*r = (struct request){.tag = tag, .len = w->len};
	memcpy(r->octets, w->base, w->len);
	*v->last = r;
	v->last = &r->next;
	v->n_waiting++;
	return vici_writable(v);
}

/* ---- receiving ---- */

static int handle(struct vici *v, const uint8_t *data, size_t len)
{
	struct vici_packet p;
	const void *tag;

	if (!vici_packet_parse(data, len, &p))
		return -EPROTO;
	if (p.type == VICI_EVENT) {
		v->handler->event(v->ctx, p.name, p.message);
		return 0;
	}
	if (p.type != VICI_RESPONSE && p.type != VICI_CONFIRM && p.type != VICI_UNKNOWN_COMMAND &&
		p.type != VICI_UNKNOWN_EVENT)
		return -EPROTO;
	if (!v->first || vici_wants_write(v))
		return -EPROTO; /* nothing was asked */
	tag = v->first->tag;
	drop_first(v);
	v->handler->answer(
		v->ctx, tag, p.type == VICI_RESPONSE || p.type == VICI_CONFIRM, p.message);
	return vici_writable(v);
}

/* The length of the packet at the front; 0: not all of it is there, -EPROTO: too long. */
static ssize_t whole_packet(const struct vici *v)
{
	struct rbuf r;
	uint32_t len;

	if (!v->in)
		return 0;
	r = rbuf_make(v->in + v->at, v->len - v->at);
	if (!rbuf_u32(&r, &len))
		return 0;
	if (len == 0 || len > VICI_FRAME_MAX)
		return -EPROTO;
	return rbuf_left(&r) >= len ? (ssize_t)len : 0;
}

/* Room for READ_AT_ONCE more octets.  What waits is less than a frame, so this is bounded. */
static int make_room(struct vici *v)
{
	uint8_t *more;

	if (v->at) {
		memmove(v->in, v->in + v->at, v->len - v->at);
		v->len -= v->at;
		v->at = 0;
	}
	if (v->cap - v->len >= READ_AT_ONCE)
		return 0;
	more = realloc(v->in, v->len + READ_AT_ONCE);
	if (!more)
		return -ENOMEM;
	v->in = more;
	v->cap = v->len + READ_AT_ONCE;
	return 0;
}

/* The number of octets that came; 0: nothing more for now. */
static ssize_t receive(struct vici *v)
{
	int err = make_room(v);
	ssize_t n;

	if (err)
		return err;
	do {
		n = recv(v->fd, v->in + v->len, v->cap - v->len, 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	v->len += (size_t)n;
	return n;
}

int vici_readable(struct vici *v)
{
	unsigned budget = PACKETS_A_CALL;

	for (;;) {
		ssize_t len = whole_packet(v);
		int err;

		if (len == 0) {
			if (!budget)
				return 0;
			len = receive(v);
			if (len <= 0)
				return (int)len;
			continue;
		}
		if (len < 0)
			return (int)len;
		v->at += 4 + (size_t)len;
		err = handle(v, v->in + v->at - (size_t)len, (size_t)len);
		if (err)
			return err;
		if (budget)
			budget--;
	}
}
