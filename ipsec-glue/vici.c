/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of vici; see vici.h.  The client is in vici_client.c. */
#include "ipsec-glue/vici.h"

#include <string.h>

/* ---- texts ---- */

bool vici_is(struct vici_text t, const char *text)
{
	return t.len == strlen(text) && memcmp(t.at, text, t.len) == 0;
}

bool vici_copy(struct vici_text t, char *to, size_t cap)
{
	size_t n = t.len < cap ? t.len : cap - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = t.at[i] >= ' ' && t.at[i] <= '~' ? t.at[i] : '?';
	to[n] = '\0';
	return n == t.len;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return 16;
}

bool vici_number(struct vici_text t, unsigned base, uint32_t *v)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t.len; i++) {
		unsigned digit = (unsigned)digit_of(t.at[i]);

		if (digit >= base)
			return false;
		sum = sum * base + digit;
		if (sum > UINT32_MAX)
			return false;
	}
	if (t.len)
		*v = (uint32_t)sum;
	return t.len > 0;
}

/* ---- reading ---- */

static bool read_text(struct rbuf *r, size_t len, struct vici_text *t)
{
	struct rbuf sub;

	if (!rbuf_sub(r, &sub, len))
		return false;
	*t = (struct vici_text){(const char *)sub.p, len};
	return true;
}

static bool read_name(struct rbuf *r, struct vici_text *t)
{
	uint8_t len;

	return rbuf_u8(r, &len) && read_text(r, len, t);
}

static bool read_value(struct rbuf *r, struct vici_text *t)
{
	uint16_t len;

	return rbuf_u16(r, &len) && read_text(r, len, t);
}

/* One element with its name and value, without looking at what it stands in. */
static bool read_element(struct rbuf *r, struct vici_item *item)
{
	uint8_t type;

	*item = (struct vici_item){0};
	if (!rbuf_u8(r, &type))
		return false;
	item->type = (enum vici_element)type;
	switch (item->type) {
	case VICI_SECTION_START:
	case VICI_LIST_START:
		return read_name(r, &item->name);
	case VICI_KEY_VALUE:
		return read_name(r, &item->name) && read_value(r, &item->value);
	case VICI_LIST_ITEM:
		return read_value(r, &item->value);
	case VICI_SECTION_END:
	case VICI_LIST_END:
		return true;
	}
	return false;
}

bool vici_message_ok(struct rbuf message)
{
	struct vici_item item;
	unsigned depth = 0;
	bool in_list = false;

	while (rbuf_left(&message)) {
		if (!read_element(&message, &item))
			return false;
		if (in_list != (item.type == VICI_LIST_ITEM || item.type == VICI_LIST_END))
			return false;
		if (item.type == VICI_SECTION_START && ++depth > VICI_DEPTH_MAX)
			return false;
		if (item.type == VICI_SECTION_END && depth-- == 0)
			return false;
		in_list = item.type == VICI_LIST_START || item.type == VICI_LIST_ITEM;
	}
	return depth == 0 && !in_list;
}

/* r is behind the start of a section or list: carve out what is in it, and go behind its end. */
static void read_inside(struct rbuf *r, struct rbuf *inside)
{
	struct vici_item item;
	unsigned depth = 1;

	*inside = *r;
	while (depth && rbuf_left(r)) {
		inside->end = r->p;
		if (!read_element(r, &item))
			break;
		if (item.type == VICI_SECTION_START || item.type == VICI_LIST_START)
			depth++;
		if (item.type == VICI_SECTION_END || item.type == VICI_LIST_END)
			depth--;
	}
}

bool vici_next(struct rbuf *r, struct vici_item *item)
{
	if (!rbuf_left(r) || !read_element(r, item))
		return false;
	if (item->type == VICI_SECTION_END || item->type == VICI_LIST_END)
		return false;
	if (item->type == VICI_SECTION_START || item->type == VICI_LIST_START)
		read_inside(r, &item->inside);
	return true;
}

bool vici_find(struct rbuf r, enum vici_element type, const char *name, struct vici_item *item)
{
	while (vici_next(&r, item))
		if (item->type == type && vici_is(item->name, name))
			return true;
	return false;
}

struct vici_text vici_value(struct rbuf r, const char *name)
{
	struct vici_item item;

	return vici_find(r, VICI_KEY_VALUE, name, &item) ? item.value : (struct vici_text){"", 0};
}

static bool has_name(uint8_t type)
{
	return type == VICI_REQUEST || type == VICI_REGISTER || type == VICI_UNREGISTER ||
	       type == VICI_EVENT;
}

bool vici_packet_parse(const void *data, size_t len, struct vici_packet *p)
{
	struct rbuf r = rbuf_make(data, len);
	uint8_t type;

	*p = (struct vici_packet){0};
	if (len > VICI_FRAME_MAX || !rbuf_u8(&r, &type) || type > VICI_EVENT)
		return false;
	p->type = (enum vici_packet_type)type;
	if (has_name(type) && !read_name(&r, &p->name))
		return false;
	p->message = r;
	return vici_message_ok(r);
}

/* ---- writing ---- */

static void write_name(struct wbuf *w, const char *name)
{
	size_t len = strlen(name);

	if (len > VICI_NAME_MAX)
		w->overflow = true;
	wbuf_u8(w, (uint8_t)len);
	wbuf_bytes(w, name, len);
}

static void write_value(struct wbuf *w, const char *value)
{
	size_t len = strlen(value);

	if (len > UINT16_MAX)
		w->overflow = true;
	wbuf_u16(w, (uint16_t)len);
	wbuf_bytes(w, value, len);
}

void vici_write_packet(struct wbuf *w, enum vici_packet_type type, const char *name)
{
	wbuf_u32(w, 0); /* vici_write_done() */
	wbuf_u8(w, (uint8_t)type);
	if (has_name((uint8_t)type))
		write_name(w, name);
}

void vici_write_section(struct wbuf *w, const char *name)
{
	wbuf_u8(w, VICI_SECTION_START);
	write_name(w, name);
}

void vici_write_section_end(struct wbuf *w)
{
	wbuf_u8(w, VICI_SECTION_END);
}

void vici_write_value(struct wbuf *w, const char *name, const char *value)
{
	wbuf_u8(w, VICI_KEY_VALUE);
	write_name(w, name);
	write_value(w, value);
}

void vici_write_list(struct wbuf *w, const char *name)
{
	wbuf_u8(w, VICI_LIST_START);
	write_name(w, name);
}

void vici_write_item(struct wbuf *w, const char *value)
{
	wbuf_u8(w, VICI_LIST_ITEM);
	write_value(w, value);
}

void vici_write_list_end(struct wbuf *w)
{
	wbuf_u8(w, VICI_LIST_END);
}

bool vici_write_done(struct wbuf *w)
{
	size_t len = w->len - 4;

	if (w->overflow || w->len < 5 || len > VICI_FRAME_MAX)
		return false;
	wbuf_put_u16(w, 0, (uint16_t)(len >> 16));
	wbuf_put_u16(w, 2, (uint16_t)len);
	return !w->overflow;
}
