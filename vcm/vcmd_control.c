/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs of vcmd's control socket, but for the lists (vcmd_control_list.c). */
#include "vcm/vcmd_control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vcm/vcmd_config.h"
#include "vcm/vcmd_control_internal.h"
#include "vcm/vcmd_store.h"

#define fail control_fail

void vcmd_put_int(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v));
}

bool vcmd_wants_manager(struct control_call *call)
{
	if (!call->backend->manager)
		fail(call, "vcmd is not ready yet");
	return call->backend->manager;
}

bool vcmd_get_address(
	struct control_call *call, json_t *args, const char *name, struct in6_addr *a, bool *given)
{
	json_t *v = json_object_get(args, name);

	*given = v;
	if (!v || (json_is_string(v) && inet_pton(AF_INET6, json_string_value(v), a) == 1))
		return true;
	fail(call, "%s must be an IPv6 address in quotes", name);
	return false;
}

bool vcmd_get_session(struct control_call *call, json_t *args, uint64_t *id, bool *given)
{
	json_t *v = json_object_get(args, "session");
	const char *text = json_string_value(v);
	char *end;

	*given = v;
	if (!v)
		return true;
	if (text && strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16) {
		*id = strtoull(text, &end, 16);
		return true;
	}
	fail(call, "session must be 16 hexadecimal digits in quotes");
	return false;
}

/* ---- nodes ---- */

static json_t *set_revoked(struct control_call *call, json_t *args, bool revoked)
{
	const struct control_backend *b = call->backend;
	struct in6_addr a;
	json_t *answer;
	bool given;

	if (!vcmd_wants_manager(call) || !vcmd_get_address(call, args, "node", &a, &given))
		return NULL;
	if (!given)
		return fail(call, "node is missing");
	if (vcm_manager_revoke_node(b->manager, &a, revoked) == -ENOENT)
		return fail(call, "%s is not a node that is known here", in6_str(&a));
	b->acted(b->ctx, revoked ? "revoke" : "unrevoke", in6_str(&a));
	answer = vcmd_json_context(b->manager, &a);
	return answer ? answer : fail(call, "%s is not a node that is known here", in6_str(&a));
}

static json_t *verb_revoke(struct control_call *call, json_t *args)
{
	return set_revoked(call, args, true);
}

static json_t *verb_unrevoke(struct control_call *call, json_t *args)
{
	return set_revoked(call, args, false);
}

/* ---- one session ---- */

static json_t *act_on_session(struct control_call *call, json_t *args, const char *what,
	int (*act)(struct vcm_manager *m, uint64_t id))
{
	const struct control_backend *b = call->backend;
	struct in6_addr one, other;
	bool by_id, by_one, by_other;
	json_t *answer;
	uint64_t id;
	int err;

	if (!vcmd_wants_manager(call) || !vcmd_get_session(call, args, &id, &by_id) ||
		!vcmd_get_address(call, args, "a", &one, &by_one) ||
		!vcmd_get_address(call, args, "b", &other, &by_other))
		return NULL;
	if (by_one != by_other || by_id == by_one)
		return fail(call, "give either session, or a and b");
	if (by_one && !vcmd_find_session(b->manager, &one, &other, &id))
		return fail(call, "there is no session of %s and %s", in6_str(&one), in6_str(&other));
	answer = vcmd_json_session(b->manager, id);
	err = act(b->manager, id);
	if (answer && !err) {
		b->acted(b->ctx, what, json_string_value(json_object_get(answer, "session")));
		return answer;
	}
	json_decref(answer);
	if (err == -ENOENT || !answer)
		return fail(call, "there is no such session");
	return fail(call, "the session cannot do that now: %s", strerror(-err));
}

static int end_by_hand(struct vcm_manager *m, uint64_t id)
{
	return vcm_manager_end_session(m, id, VCM_BY_HAND);
}

static json_t *verb_end(struct control_call *call, json_t *args)
{
	return act_on_session(call, args, "end", end_by_hand);
}

static json_t *verb_rekey(struct control_call *call, json_t *args)
{
	return act_on_session(call, args, "rekey", vcm_manager_rekey);
}

/* ---- policy ---- */

static json_t *verb_policy(struct control_call *call, json_t *args)
{
	const struct vcmd_config *c = call->backend->config;
	struct in6_addr one, other;
	struct vcm_policy p;
	bool has_one, has_other;
	size_t rule;
	json_t *o;

	if (!vcmd_get_address(call, args, "a", &one, &has_one) ||
		!vcmd_get_address(call, args, "b", &other, &has_other))
		return NULL;
	if (!has_one || !has_other)
		return fail(call, "a and b are needed");
	rule = vcmd_pair_policy(c, &one, &other, &p);
	o = json_pack("{s:s, s:s, s:b, s:b, s:s}", "a", in6_str(&one), "b", in6_str(&other),
		"a_known", vcmd_node_known(c, &one), "b_known", vcmd_node_known(c, &other), "action",
		p.allowed ? "allow" : "deny");
	if (!o)
		return NULL;
	if (rule)
		vcmd_put_int(o, "rule", rule);
	if (!p.allowed)
		return o;
	json_object_set_new(o, "variant",
		json_string(p.variant == VCM_SYMMETRIC ? "symmetric" : "asymmetric"));
	json_object_set_new(o, "algorithm", json_string(p.algorithm));
	json_object_set_new(o, "keys", json_string(p.shared_key ? "shared" : "direction"));
	json_object_set_new(o, "kcn", json_boolean(p.kcn));
	vcmd_put_int(o, "lifetime_s", p.lifetime_s);
	vcmd_put_int(o, "linger_s", p.linger_s);
	return o;
}

static json_t *verb_reload(struct control_call *call, json_t *args)
{
	const struct control_backend *b = call->backend;

	(void)args;
	if (!b->reload(b->ctx, call->error, sizeof(call->error)))
		return NULL;
	b->acted(b->ctx, "reload", NULL);
	return json_pack("{s:I, s:I}", "nodes", (json_int_t)b->config->n_nodes, "rules",
		(json_int_t)b->config->n_rules);
}

/* ---- as a whole ---- */

static json_t *verb_status(struct control_call *call, json_t *args)
{
	const struct control_backend *b = call->backend;
	const struct vcmd_config *c = b->config;
	struct vcm_manager_stats s;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "role", "manager", "version", b->version,
		       "address", in6_str(&c->address), "ipsec", vcmd_ipsec_name(c->ipsec)),
	       *gateways = json_array();

	(void)args;
	vcmd_put_int(o, "port", c->port);
	vcmd_put_int(o, "pid", (uint64_t)getpid());
	vcmd_put_int(o, "uptime_s", (uint64_t)mono_diff_s(b->now(b->ctx), b->started));
	for (size_t i = 0; i < c->n_gateways; i++)
		json_array_append_new(gateways, json_string(in6_str(&c->gateways[i])));
	json_object_set_new(o, "gateways", gateways);
	if (!b->manager)
		return o;
	vcm_manager_stats(b->manager, &s);
	vcmd_put_int(o, "nodes", s.contexts);
	vcmd_put_int(o, "max_nodes", c->max_contexts);
	vcmd_put_int(o, "sessions", s.sessions);
	vcmd_put_int(o, "max_sessions", c->max_sessions);
	return o;
}

static json_t *exchange_stats(const struct vcm_exchange_stats *s)
{
	json_t *o = json_object();

#define COUNT(name) vcmd_put_int(o, #name, s->name)
	COUNT(sent);
	COUNT(repeated);
	COUNT(received);
	COUNT(duplicates);
	COUNT(acknowledged);
	COUNT(failed);
	COUNT(malformed);
	COUNT(old_epoch);
	COUNT(strangers);
	COUNT(peers);
	COUNT(queued);
	return o;
}

static json_t *manager_stats(const struct vcm_manager_stats *s)
{
	json_t *o = json_object();

	vcmd_put_int(o, "nodes", s->contexts);
	COUNT(sessions);
	COUNT(reports);
	COUNT(offered);
	COUNT(direct);
	COUNT(ended);
	COUNT(refused);
	COUNT(rekeys);
	COUNT(spi_taken);
	return o;
}

static json_t *store_stats(const struct vcmd_store_stats *s)
{
	json_t *o = json_object();

	COUNT(puts);
	COUNT(deletions);
	COUNT(commits);
	COUNT(octets);
	COUNT(octets_most);
#undef COUNT
	return o;
}

static json_t *verb_stats(struct control_call *call, json_t *args)
{
	const struct control_backend *b = call->backend;
	struct vcm_manager_stats manager;
	struct vcmd_store_stats store;
	json_t *o = json_object();

	(void)args;
	if (b->manager) {
		vcm_manager_stats(b->manager, &manager);
		json_object_set_new(o, "manager", manager_stats(&manager));
		json_object_set_new(o, "exchange", exchange_stats(&manager.exchange));
	}
	if (b->store) {
		vcmd_store_stats(b->store, &store);
		json_object_set_new(o, "store", store_stats(&store));
	}
	if (b->extra_stats)
		b->extra_stats(b->ctx, o);
	return o;
}

static json_t *verb_monitor(struct control_call *call, json_t *args)
{
	(void)args;
	call->monitor = true;
	return json_null();
}

static const char *const no_args[] = {NULL};
static const char *const node_args[] = {"node", NULL};
static const char *const sessions_args[] = {"node", "session", NULL};
static const char *const session_args[] = {"session", "a", "b", NULL};
static const char *const pair_args[] = {"a", "b", NULL};

const struct control_verb vcmd_verbs[] = {
	{"status", no_args, verb_status},
	{"stats", no_args, verb_stats},
	{"contexts", node_args, vcmd_verb_contexts},
	{"sessions", sessions_args, vcmd_verb_sessions},
	{"revoke", node_args, verb_revoke},
	{"unrevoke", node_args, verb_unrevoke},
	{"end", session_args, verb_end},
	{"rekey", session_args, verb_rekey},
	{"policy", pair_args, verb_policy},
	{"reload", no_args, verb_reload},
	{"monitor", no_args, verb_monitor},
	{NULL, NULL, NULL},
};
