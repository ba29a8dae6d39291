/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of what mip6d says on its control socket: verbs
 * (control_verbs.c and others), and things as JSON (control_json.c).
 */
#ifndef MIP6D_CONTROL_INTERNAL_H
#define MIP6D_CONTROL_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/control.h"
#include "mip6d/control.h"

struct cn_binding_info;
struct cn_stats;
struct ha_binding_info;
struct mn_link_info;
struct mn_ro_info;

/* ---- requests ---- */

extern const struct control_verb control_verbs[];

/* control_read() with our verbs. */
const struct control_verb *control_request(
	const char *line, size_t len, json_t **args, char *error, size_t cap);

/* control_ro.c: route optimization */
json_t *control_verb_correspondents(struct control_call *call, json_t *args);
json_t *control_verb_correspondent_bindings(struct control_call *call, json_t *args);
json_t *control_verb_ro(struct control_call *call, json_t *args);
json_t *control_verb_kbm(struct control_call *call, json_t *args);
/* control_sessions.c: sessions with other mobile nodes */
json_t *control_verb_sessions(struct control_call *call, json_t *args);
/* control_discovery.c: home agents of the home link, its prefixes */
json_t *control_verb_home_agents(struct control_call *call, json_t *args);
json_t *control_verb_prefixes(struct control_call *call, json_t *args);
/* control_ipsec.c: SAs and policies */
json_t *control_verb_sas(struct control_call *call, json_t *args);
json_t *control_verb_ipsec(struct control_call *call, json_t *args);

/* control_gateway.c: a security gateway */
json_t *control_verb_gateway(struct control_call *call, json_t *args);

/* ---- things as JSON; NULL when out of memory ---- */

json_t *control_json_binding(const struct ha_binding_info *i);
json_t *control_json_event(const struct mip6_event *e, monotime_t now);
json_t *control_json_status(const struct control_backend *b);
json_t *control_json_link(const struct mn_link_info *i);
json_t *control_json_correspondent(const struct mn_ro_info *i);
json_t *control_json_cn_binding(const struct cn_binding_info *i);
json_t *control_json_stats(const struct control_backend *b);
json_t *control_json_ipsec(const struct control_backend *b); /* how IPsec stands */
json_t *control_json_ipsec_stats(const struct control_backend *b);
json_t *control_json_gateway_stats(const struct control_backend *b);
void control_json_time(json_t *o, int64_t ago_us); /* as "time" */

#endif
