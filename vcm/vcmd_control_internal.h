/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vcmd's control socket. */
#ifndef VCMD_CONTROL_INTERNAL_H
#define VCMD_CONTROL_INTERNAL_H

#include "vcm/vcmd_control.h"

void vcmd_put_int(json_t *o, const char *key, uint64_t v);
/* Arguments: false after a complaint; *given is whether it is there. */
bool vcmd_wants_manager(struct control_call *call);
bool vcmd_get_address(
	struct control_call *call, json_t *args, const char *name, struct in6_addr *a, bool *given);
bool vcmd_get_session(struct control_call *call, json_t *args, uint64_t *id, bool *given);

/* vcmd_control_list.c; NULL: there is none */
json_t *vcmd_json_context(struct vcm_manager *m, const struct in6_addr *internal);
json_t *vcmd_json_session(struct vcm_manager *m, uint64_t id);
bool vcmd_find_session(struct vcm_manager *m, const struct in6_addr *a, const struct in6_addr *b,
	uint64_t *id);
json_t *vcmd_verb_contexts(struct control_call *call, json_t *args);
json_t *vcmd_verb_sessions(struct control_call *call, json_t *args);

#endif
