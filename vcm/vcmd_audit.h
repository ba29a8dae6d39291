/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has happened, one JSON object a line, in a file that is only ever
 * appended to (vcmd.conf(5), audit) and to the monitors of the control
 * socket.  There are no secrets in struct vcm_audit, so none get here.
 */
#ifndef VCMD_AUDIT_H
#define VCMD_AUDIT_H

#include <jansson.h>

#include "vcm/manager.h"

struct vcmd_audit; /* opaque */

/* NULL with err filled. */
struct vcmd_audit *vcmd_audit_open(const char *path, char *err, size_t errlen);
void vcmd_audit_close(struct vcmd_audit *a); /* NULL is fine */
/* Somebody has moved the file away: a new one.  When that fails the old one stays.  0 or a negative errno. */
int vcmd_audit_reopen(struct vcmd_audit *a);
/* line is borrowed. */
void vcmd_audit_write(struct vcmd_audit *a, const json_t *line);
uint64_t vcmd_audit_lost(const struct vcmd_audit *a); /* lines that could not be written */

/* NULL when out of memory. */
json_t *vcmd_audit_json(const struct vcm_audit *a);
/* Something that an operator has done: "by-hand" and its object. */
json_t *vcmd_audit_action(const char *what, const char *object);

#endif
