/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option area of a Mobility Header: between mh.c, which knows messages,
 * and mh_options.c, which knows options.  Others use lib/mh.h.
 */
#ifndef LIB_MH_OPTIONS_H
#define LIB_MH_OPTIONS_H

#include "lib/mh.h"

/*
 * Read all options of r into m.  start is the first octet of the whole
 * header; on an error *err_offset is that of the option at fault, from there.
 */
enum mh_error mh_options_read(
	struct rbuf *r, const uint8_t *start, struct mh_message *m, size_t *err_offset);

/*
 * Write the options of m behind what is in w, whose first octet is that of
 * the header, and pad to a multiple of 8 octets.
 */
bool mh_options_write(struct wbuf *w, const struct mh_message *m);

#endif
