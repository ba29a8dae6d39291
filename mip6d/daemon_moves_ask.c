/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking strongSwan for the tunnel that it then moves (`moves = "charon"`).
 *
 * There may be a tunnel of another inner address to the same gateway: that of
 * the address which IKEv2 has given (TIA).  If the home address is the same,
 * its SAs are used as they are; if not, SAs for the home address are asked
 * for, a child of the same connection (requirement T16).
 *
 *            place                     there
 *   idle ------------> asked ---------------------> idle
 *     ^  not there       |  ^
 *     |                  +--+ again after AGAIN_MS, while there is none
 *
 * A tunnel that is gone may be back at once, as after a re-authentication, and
 * after a move it follows, so nobody asks within GRACE_MS.  Longer than that it
 * takes a strongSwan that died and does not know of the tunnel any more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/vici.h"
#include "lib/log.h"
#include "mip6d/daemon_moves.h"
#include "common/loop.h"

#define GRACE_MS 5000
#define AGAIN_MS 10000

struct moves_ask {
	struct daemon *d;
	const struct config_ipsec_node *node;
	struct vici *vici; /* NULL: not connected */
	struct timer timer;
	bool there, was_there, place;
	struct log_limit log;
};

static void disconnect(struct moves_ask *a)
{
	if (!a->vici)
		return;
	sys_loop_forget(a->d->loop, vici_fd(a->vici));
	vici_close(a->vici);
	a->vici = NULL;
}

static void complain(struct moves_ask *a, const char *text)
{
	uint64_t left_out;

	if (log_allowed(&a->log, sys_now(NULL), &left_out))
		log_warning("strongSwan makes no tunnel for this node, %s/%s: %s", a->node->connection,
			a->node->data, text);
}

static void answer(void *ctx, const void *tag, bool ok, struct rbuf message)
{
	char text[256];

	(void)tag;
	if (ok && vici_is(vici_value(message, "success"), "yes"))
		return;
	(void)vici_copy(vici_value(message, "errmsg"), text, sizeof(text));
	complain(ctx, text[0] ? text : "it does not say why");
}

static void event(void *ctx, struct vici_text name, struct rbuf message)
{
	(void)ctx;
	(void)name;
	(void)message;
}

static const struct vici_handler handler = {.answer = answer, .event = event};

static void readable(void *arg)
{
	struct moves_ask *a = arg;

	if (vici_readable(a->vici) || vici_idle(a->vici))
		disconnect(a);
}

static int initiate(struct moves_ask *a)
{
	uint8_t octets[512];
	struct wbuf w = wbuf_make(octets, sizeof(octets));

	vici_write_packet(&w, VICI_REQUEST, "initiate");
	vici_write_value(&w, "ike", a->node->connection);
	vici_write_value(&w, "child", a->node->data);
	vici_write_value(&w, "timeout", "-1"); /* do not wait for the result */
	return vici_write_done(&w) ? vici_send(a->vici, &w, a) : -EMSGSIZE;
}

static void ask(struct moves_ask *a)
{
	int err = 0;

	disconnect(a);
	a->vici = vici_connect(a->d->cfg->ipsec.vici_socket, &handler, a, &err);
	if (a->vici)
		err = sys_loop_read(a->d->loop, vici_fd(a->vici), readable, a);
	if (!err)
		err = initiate(a);
	if (err) {
		complain(a, strerror(-err));
		disconnect(a);
	}
}

static void start(struct moves_ask *a, int64_t ms)
{
	(void)timer_start(a->d->env.timers, &a->timer, mono_add_ms(sys_now(NULL), ms));
}

static void timer(struct timer *t, void *arg)
{
	struct moves_ask *a = arg;

	(void)t;
	if (a->there || !a->place)
		return;
	ask(a);
	start(a, AGAIN_MS);
}

void moves_ask_there(struct moves_ask *a, bool there)
{
	if (!a || a->there == there)
		return;
	a->there = there;
	a->was_there |= there;
	if (there)
		timer_stop(a->d->env.timers, &a->timer);
	else
		start(a, GRACE_MS);
}

void moves_ask_place(struct moves_ask *a)
{
	if (!a)
		return;
	a->place = true;
	if (!a->there)
		start(a, a->was_there ? GRACE_MS : 0);
}

struct moves_ask *moves_ask_new(struct daemon *d)
{
	struct moves_ask *a;

	if (!d->cfg->ipsec.n_nodes)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->d = d;
	a->node = &d->cfg->ipsec.nodes[0];
	a->log = (struct log_limit)LOG_LIMIT_INIT(2, 2);
	timer_init(&a->timer, timer, a);
	return a;
}

void moves_ask_free(struct moves_ask *a)
{
	if (!a)
		return;
	timer_stop(a->d->env.timers, &a->timer);
	disconnect(a);
	free(a);
}
