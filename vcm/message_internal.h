/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between message.c (header, types, names) and message_options.c. */
#ifndef VCM_MESSAGE_INTERNAL_H
#define VCM_MESSAGE_INTERNAL_H

#include "lib/buf.h"
#include "vcm/message.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* The next one; one that need not be known, or is padding, is skipped.  Not VCM_READ_OK: why. */
enum vcm_read vcm_option_read(struct rbuf *r, struct vcm_message *m, const char **why);
/* All that the message has. */
void vcm_options_write(struct wbuf *w, const struct vcm_message *m);

#endif
