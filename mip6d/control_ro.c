/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about route optimization: correspondents, the Binding Cache, what is done by hand, shared keys. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "lib/addr.h"
#include "mip6d/config.h"
#include "mip6d/control_internal.h"
#include "mip6d/proto/cn.h"
#include "mip6d/proto/mn.h"

static bool add_correspondent(void *arg, const struct mn_ro_info *i)
{
	json_array_append_new(arg, control_json_correspondent(i));
	return true;
}

json_t *control_verb_correspondents(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!call->backend->mn)
		return control_fail(call, "this daemon is not a mobile node, or not ready yet");
	all = json_array();
	mn_ro_foreach(call->backend->mn, add_correspondent, all);
	return all;
}

static bool add_binding(void *arg, const struct cn_binding_info *i)
{
	json_array_append_new(arg, control_json_cn_binding(i));
	return true;
}

json_t *control_verb_correspondent_bindings(struct control_call *call, json_t *args)
{
	json_t *all;

	(void)args;
	if (!call->backend->cn)
		return control_fail(call, "this daemon is no correspondent (correspondent.enabled "
					  "is false), or not ready yet");
	all = json_array();
	cn_foreach(call->backend->cn, add_binding, all);
	return all;
}

/* The word `name` of args as an address; false after a complaint. */
static bool get_address(
	struct control_call *call, json_t *args, const char *name, struct in6_addr *a)
{
	const char *text = json_string_value(json_object_get(args, name));

	if (text && inet_pton(AF_INET6, text, a) == 1)
		return true;
	control_fail(call, "%s must be an IPv6 address in quotes", name);
	return false;
}

/* Which of the words action is; -1 after a complaint. */
static int get_action(struct control_call *call, json_t *args, const char *const *words,
	const char *all)
{
	const char *text = json_string_value(json_object_get(args, "action"));

	for (int i = 0; text && words[i]; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	control_fail(call, "action must be %s", all);
	return -1;
}

json_t *control_verb_ro(struct control_call *call, json_t *args)
{
	static const char *const words[] = {"on", "off", "flush", NULL};
	static const enum mn_ro_command commands[] = {MN_RO_ON, MN_RO_OFF, MN_RO_FLUSH};
	struct in6_addr peer;
	int action;

	if (!call->backend->mn)
		return control_fail(call, "this daemon is not a mobile node, or not ready yet");
	action = get_action(call, args, words, "\"on\", \"off\" or \"flush\"");
	if (action < 0 || !get_address(call, args, "peer", &peer))
		return NULL;
	switch (mn_ro_command(call->backend->mn, &peer, commands[action])) {
	case 0:
		return control_verb_correspondents(call, args);
	case -ENOENT:
		return control_fail(call, "%s is no correspondent of this node", in6_str(&peer));
	case -ENOSPC:
		return control_fail(call, "there are max_correspondents already");
	default:
		return control_fail(call, "%s cannot be a correspondent", in6_str(&peer));
	}
}

/* ---- RFC 4449 ---- */

static bool get_key(struct control_call *call, json_t *args, struct rr_shared *key)
{
	const char *const text[3] = {json_string_value(json_object_get(args, "kcn")),
		json_string_value(json_object_get(args, "home_nonce")),
		json_string_value(json_object_get(args, "care_of_nonce"))};
	const char *why = text[0] && text[1] && text[2]
				  ? config_shared_key_parse(text, key)
				  : "kcn, home_nonce and care_of_nonce must be there, in quotes";

	if (why)
		control_fail(call, "%s", why);
	return !why;
}

/* Nobody else's copy of the request has to be wiped: libjansson's is. */
static void wipe_member(json_t *args, const char *name)
{
	json_t *v = json_object_get(args, name);

	if (json_is_string(v)) /* its text is ours to change until the reference is given back */
		rr_wipe((char *)(uintptr_t)json_string_value(v), json_string_length(v));
}

static json_t *shared(struct control_call *call, json_t *args, int rc)
{
	switch (rc) {
	case 0:
		return json_pack("{s:s, s:s}", "local",
			json_string_value(json_object_get(args, "local")), "peer",
			json_string_value(json_object_get(args, "peer")));
	case -EEXIST:
		return control_fail(call, "this Kcn is another pair's already; each pair needs its "
					  "own (RFC 4449 section 4)");
	case -ENOENT:
		return control_fail(call, "these two share no key");
	default:
		return control_fail(call, "cannot: %s", strerror(-rc));
	}
}

static json_t *share(struct control_call *call, json_t *args)
{
	static const char *const words[] = {"set", "del", NULL};
	const struct control_backend *b = call->backend;
	struct in6_addr local, peer;
	struct rr_shared key;
	json_t *answer = NULL;
	int action = get_action(call, args, words, "\"set\" or \"del\"");

	if (action < 0 || !get_address(call, args, "local", &local) ||
		!get_address(call, args, "peer", &peer))
		return NULL;
	memset(&key, 0, sizeof(key));
	if (!b->share)
		control_fail(call, "this daemon is not ready yet");
	else if (action == 1)
		answer = shared(call, args, b->share(b->ctx, &local, &peer, NULL));
	else if (get_key(call, args, &key))
		answer = shared(call, args, b->share(b->ctx, &local, &peer, &key));
	rr_wipe(&key, sizeof(key));
	return answer;
}

json_t *control_verb_kbm(struct control_call *call, json_t *args)
{
	json_t *answer = share(call, args);

	wipe_member(args, "kcn");
	wipe_member(args, "home_nonce");
	wipe_member(args, "care_of_nonce");
	return answer;
}
