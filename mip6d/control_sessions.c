/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about sessions with other mobile nodes (vcm/node.h). */
#include <arpa/inet.h>

#include "lib/addr.h"
#include "mip6d/control_internal.h"

static json_t *list(struct control_call *call)
{
	const struct control_backend *b = call->backend;
	json_t *all = b->sessions ? b->sessions(b->ctx) : NULL;

	return all ? all
		   : control_fail(call,
			     "this daemon is not a mobile node with a VPN and its manager "
			     "(vpn.manager), or not ready yet");
}

json_t *control_verb_sessions(struct control_call *call, json_t *args)
{
	const char *text = json_string_value(json_object_get(args, "end"));
	const struct control_backend *b = call->backend;
	struct in6_addr peer;

	if (!json_object_get(args, "end"))
		return list(call);
	if (!text || inet_pton(AF_INET6, text, &peer) != 1)
		return control_fail(call, "end must be an IPv6 address in quotes");
	if (!b->session_end || !b->session_end(b->ctx, &peer))
		return control_fail(call, "there is no session with %s", in6_str(&peer));
	return list(call);
}
