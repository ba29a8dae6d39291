/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about a security gateway's nodes and pairs, and what it tells monitors. */
#include <string.h>

#include "lib/addr.h"
#include "mip6d/control_internal.h"
#include "vcm/gateway.h"

static bool add_correspondent(void *arg, const struct in6_addr *a)
{
	json_array_append_new(arg, json_string(in6_str(a)));
	return true;
}

struct list {
	const struct vcm_gateway *g;
	json_t *all;
};

static bool add_node(void *arg, const struct vcm_gateway_node_info *i)
{
	struct list *l = arg;
	json_t *others = json_array();

	vcm_gateway_foreach_correspondent(l->g, &i->internal, add_correspondent, others);
	json_array_append_new(
		l->all, json_pack("{s:s, s:s, s:s, s:b, s:I, s:o}", "internal_address",
				in6_str(&i->internal), "home_address", in6_str(&i->home), "place",
				i->outside ? "outside" : "inside", "reported", i->reported,
				"since_s", (json_int_t)i->since_s, "correspondents", others));
	return true;
}

static bool add_pair(void *arg, const struct vcm_gateway_pair_info *i)
{
	struct list *l = arg;

	json_array_append_new(
		l->all, json_pack("{s:s, s:s, s:s, s:b, s:I, s:I}", "a", in6_str(&i->a), "b",
				in6_str(&i->b), "trigger",
				i->trigger == VCM_SECOND_LEFT   ? "second-left"
				: i->trigger == VCM_NEW_SESSION ? "new-session"
								: "none",
				"reported", i->reported, "packets", (json_int_t)i->packets, "age_s",
				(json_int_t)i->age_s));
	return true;
}

json_t *control_verb_gateway(struct control_call *call, json_t *args)
{
	const char *what = json_string_value(json_object_get(args, "what"));
	struct list l = {.g = call->backend->gateway};

	if (!l.g)
		return control_fail(call, "this daemon is no gateway, or not ready yet");
	if (!what || (strcmp(what, "nodes") != 0 && strcmp(what, "pairs") != 0))
		return control_fail(call, "what must be \"nodes\" or \"pairs\"");
	l.all = json_array();
	if (strcmp(what, "nodes") == 0)
		vcm_gateway_foreach_node(l.g, add_node, &l);
	else
		vcm_gateway_foreach_pair(l.g, add_pair, &l);
	return l.all;
}

json_t *control_json_gateway_stats(const struct control_backend *b)
{
	struct vcm_gateway_stats s;

	if (!b->gateway)
		return NULL;
	vcm_gateway_stats(b->gateway, &s);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "reports", (json_int_t)s.reports,
		"pairs", (json_int_t)s.pairs, "left", (json_int_t)s.left, "returned",
		(json_int_t)s.returned, "refused", (json_int_t)s.refused, "repeated",
		(json_int_t)s.exchange.repeated, "failed", (json_int_t)s.exchange.failed);
}

void control_gateway_tell(struct control *c, const struct control_gateway_event *e)
{
	bool node = strcmp(e->what, "outside") == 0 || strcmp(e->what, "inside") == 0;
	char name[64];
	json_t *o;

	if (!control_monitored(c))
		return;
	snprintf(name, sizeof(name), "gateway-%s", e->what);
	o = json_pack("{s:s}", "event", name);
	control_json_time(o, 0);
	if (e->a)
		json_object_set_new(o, "internal_address", json_string(in6_str(e->a)));
	if (e->b)
		json_object_set_new(o, node ? "home_address" : "peer", json_string(in6_str(e->b)));
	if (e->text)
		json_object_set_new(o, "text", json_string(e->text));
	control_tell(c, o);
}
