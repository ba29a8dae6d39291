/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strongSwan's control protocol, vici: messages, and a client.
 *
 * A frame is a length (32 bits) and a packet; a packet is a type, for most
 * types a name, and a message; a message is a sequence of elements: sections
 * (which nest), values and lists of values, each with a name.  Frames have
 * 512 KiB at most, sections nest 8 deep at most here.
 *
 * The codec is pure.  The client brings no event loop: its owner watches the
 * descriptor.  A peer that breaks the protocol is disconnected.
 */
#ifndef GLUE_VICI_H
#define GLUE_VICI_H

#include "lib/buf.h"

#define VICI_FRAME_MAX (512 * 1024) /* of a packet, without its length */
#define VICI_DEPTH_MAX 8
#define VICI_NAME_MAX 255

enum vici_packet_type {
	VICI_REQUEST,
	VICI_RESPONSE,
	VICI_UNKNOWN_COMMAND,
	VICI_REGISTER,
	VICI_UNREGISTER,
	VICI_CONFIRM,
	VICI_UNKNOWN_EVENT,
	VICI_EVENT,
};

enum vici_element {
	VICI_SECTION_START = 1,
	VICI_SECTION_END,
	VICI_KEY_VALUE,
	VICI_LIST_START,
	VICI_LIST_ITEM,
	VICI_LIST_END,
};

/* Text within a message: not terminated, and may hold any octet. */
struct vici_text {
	const char *at;
	size_t len;
};
bool vici_is(struct vici_text t, const char *text);
/* Copies as much as fits, and ends with a zero; what does not print becomes '?'.  False: did not fit. */
bool vici_copy(struct vici_text t, char *to, size_t cap);
/* A number of this base (10 or 16) and nothing else. */
bool vici_number(struct vici_text t, unsigned base, uint32_t *v);

/* ---- reading: a message is checked as a whole, then looked up in ---- */

struct vici_packet {
	enum vici_packet_type type;
	struct vici_text name; /* VICI_REQUEST, VICI_REGISTER, VICI_UNREGISTER, VICI_EVENT */
	struct rbuf message;
};

/* False: no packet, or its message is malformed (see vici_message_ok()). */
bool vici_packet_parse(const void *data, size_t len, struct vici_packet *p);
/* All elements are whole, nested correctly and not too deep. */
bool vici_message_ok(struct rbuf message);

/* Elements at one level, of a message that is known to be well-formed. */
struct vici_item {
	enum vici_element
		type; /* VICI_SECTION_START, VICI_KEY_VALUE or VICI_LIST_START; in a list VICI_LIST_ITEM */
	struct vici_text name; /* none for VICI_LIST_ITEM */
	struct vici_text value; /* VICI_KEY_VALUE, VICI_LIST_ITEM */
	struct rbuf inside; /* what is in the section or list */
};
/* The next one; false at the end.  r is a section's inside, a list's inside, or a whole message. */
bool vici_next(struct rbuf *r, struct vici_item *item);
/* The first element of this type and name at this level. */
bool vici_find(struct rbuf r, enum vici_element type, const char *name, struct vici_item *item);
/* The value of a key at this level, or an empty text. */
struct vici_text vici_value(struct rbuf r, const char *name);

/* ---- writing: into a wbuf, whose overflow is looked at once at the end; names longer than 255 overflow it ---- */

/* A packet without its message, after 4 octets left for the length of the frame. */
void vici_write_packet(struct wbuf *w, enum vici_packet_type type, const char *name);
void vici_write_section(struct wbuf *w, const char *name);
void vici_write_section_end(struct wbuf *w);
void vici_write_value(struct wbuf *w, const char *name, const char *value);
void vici_write_list(struct wbuf *w, const char *name);
void vici_write_item(struct wbuf *w, const char *value);
void vici_write_list_end(struct wbuf *w);
/* Puts the length in its place.  False: it overflowed. */
bool vici_write_done(struct wbuf *w);

/* ---- client ---- */

struct vici; /* opaque */

struct vici_handler {
	/* An answer: to the command or registration that was asked first of those without one.  ok: not "unknown". */
	void (*answer)(void *ctx, const void *tag, bool ok, struct rbuf message);
	void (*event)(void *ctx, struct vici_text name, struct rbuf message);
};

/* Connects at once, or not at all: NULL with a negative errno in *err.  h and ctx must outlive it. */
struct vici *vici_connect(const char *path, const struct vici_handler *h, void *ctx, int *err);
void vici_close(struct vici *v);
int vici_fd(const struct vici *v);
/* Something waits to be written: call vici_writable() when the descriptor can be. */
bool vici_wants_write(const struct vici *v);

/*
 * 0 or a negative errno, after which it must be closed: -ECONNRESET, -EPROTO.
 * A call handles a bounded number of packets.  Handlers must not close it.
 */
int vici_readable(struct vici *v);
int vici_writable(struct vici *v);

/*
 * Queue a packet written by vici_write_*() (its octets are copied).  Commands
 * go one at a time.  tag comes back with the answer.  -ENOBUFS: 1024 wait.
 */
int vici_send(struct vici *v, const struct wbuf *w, const void *tag);
/* Has nothing queued and waits for no answer. */
bool vici_idle(const struct vici *v);

#endif
