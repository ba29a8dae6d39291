/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do the connections and children that we refer to exist in strongSwan, and
 * are they what RFC 4877 needs?  It does not list reqids: these are compared
 * when there are SAs.
 */
#include "ipsec-glue/swan_internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* "2001:db8::/64[mobility-header]": proto is what stands in the brackets. */
static bool parse_ts(struct vici_text t, struct ip6_prefix *p, char *proto, size_t cap)
{
	char text[128], *slash, *bracket, *end;
	unsigned long plen;

	if (!vici_copy(t, text, sizeof(text)))
		return false;
	slash = strchr(text, '/');
	if (!slash)
		return false;
	*slash++ = '\0';
	plen = strtoul(slash, &end, 10);
	if (inet_pton(AF_INET6, text, &p->addr) != 1 || plen > 128)
		return false;
	p->plen = (uint8_t)plen;
	bracket = *end == '[' ? end + 1 : end;
	end = strpbrk(bracket, "/]");
	if (end)
		*end = '\0';
	if (strlen(bracket) >= cap)
		return false;
	strcpy(proto, bracket);
	return true;
}

/* One of the traffic selectors covers all of this protocol (NULL: of all protocols) from or to the prefix. */
static bool covers(
	struct rbuf child, const char *list, const struct ip6_prefix *wanted, const char *proto)
{
	struct vici_item ts, item;

	if (!vici_find(child, VICI_LIST_START, list, &ts))
		return false;
	while (vici_next(&ts.inside, &item)) {
		struct ip6_prefix p;
		char of[32];

		if (!parse_ts(item.value, &p, of, sizeof(of)) || !ip6_prefix_contains(&p, wanted))
			continue;
		if (!of[0] || (proto && strcmp(of, proto) == 0))
			return true;
	}
	return false;
}

static struct ip6_prefix host_prefix(const struct in6_addr *a)
{
	return (struct ip6_prefix){*a, 128};
}

static bool mode_fits(struct swan_entry *e, struct rbuf child)
{
	const char *wanted = e->ref.use == IPSEC_SIGNAL ? "TRANSPORT_PROXY" : "TUNNEL";
	char mode[32];

	vici_copy(vici_value(child, "mode"), mode, sizeof(mode));
	if (strcmp(mode, wanted) == 0)
		return true;
	swan_complain(e,
		"child \"%s\" of connection \"%s\" has the mode %s; set mode = %s in swanctl.conf",
		e->ref.child, e->ref.connection, mode,
		e->ref.use == IPSEC_SIGNAL ? "transport_proxy" : "tunnel");
	return false;
}

/* Transport mode: the selectors give the SA its ends, so they are single addresses. */
static void check_signal_ts(struct swan_entry *e, struct rbuf child)
{
	static const char *const protos[] = {"mobility-header", "ipv6-icmp"};
	const struct ip6_prefix home_address = host_prefix(&e->ref.home_address);
	const struct ip6_prefix home_agent = host_prefix(&e->ref.home_agent);
	const char *node_ts = e->ref.at_home_agent ? "remote-ts" : "local-ts";
	const char *agent_ts = e->ref.at_home_agent ? "local-ts" : "remote-ts";

	for (size_t i = 0; i < 2; i++) {
		const char *list = node_ts;
		const struct in6_addr *a = &e->ref.home_address;

		if (covers(child, node_ts, &home_address, protos[i])) {
			if (covers(child, agent_ts, &home_agent, protos[i]))
				continue;
			list = agent_ts;
			a = &e->ref.home_agent;
		}
		swan_complain(e,
			"the %s of child \"%s\" of connection \"%s\" does not cover %s of %s; "
			"set %.*s_ts = %s/128[135],%s/128[ipv6-icmp] in swanctl.conf",
			list, e->ref.child, e->ref.connection, i ? "ICMPv6" : "Mobility Headers",
			in6_str(a), (int)(strlen(list) - 3), list, in6_str(a), in6_str(a));
		return;
	}
}

static void check_data_ts(struct swan_entry *e, struct rbuf child)
{
	const struct ip6_prefix node = host_prefix(&e->ref.home_address), all = {in6addr_any, 0};
	const char *node_ts = e->ref.at_home_agent ? "remote-ts" : "local-ts";
	const char *other_ts = e->ref.at_home_agent ? "local-ts" : "remote-ts";

	if (covers(child, node_ts, &node, NULL) && covers(child, other_ts, &all, NULL))
		return;
	swan_complain(e,
		"the traffic selectors of child \"%s\" of connection \"%s\" do not cover the "
		"tunnel of %s; "
		"set %.*s_ts = %s/128 and %.*s_ts = ::/0 in swanctl.conf",
		e->ref.child, e->ref.connection, in6_str(&e->ref.home_address),
		(int)(strlen(node_ts) - 3), node_ts, in6_str(&e->ref.home_address),
		(int)(strlen(other_ts) - 3), other_ts);
}

static void look_at(struct swan_entry *e, struct rbuf child)
{
	if (e->found)
		return; /* twice in one list: it is the first that strongSwan uses */
	e->found = true;
	if (!mode_fits(e, child))
		return;
	if (e->ref.use == IPSEC_SIGNAL)
		check_signal_ts(e, child);
	else
		check_data_ts(e, child);
}

void swan_conn_listed(struct swan *s, struct rbuf message)
{
	struct vici_item conn, children, child;

	while (vici_next(&message, &conn)) {
		struct rbuf r;

		if (conn.type != VICI_SECTION_START ||
			!vici_find(conn.inside, VICI_SECTION_START, "children", &children))
			continue;
		for (r = children.inside; vici_next(&r, &child);) {
			struct swan_entry *e;

			e = child.type == VICI_SECTION_START
				    ? swan_find_name(s, conn.name, child.name)
				    : NULL;
			if (e)
				look_at(e, child.inside);
		}
	}
}

void swan_conns_begin(struct swan *s)
{
	struct swan_entry *e, *next;

	HASH_ITER(by_use, s->by_use, e, next)
		e->found = false;
}

bool swan_conns_end(struct swan *s)
{
	struct swan_entry *e, *next;
	bool all = true;

	HASH_ITER(by_use, s->by_use, e, next) {
		if (e->found)
			continue;
		all = false;
		swan_complain(e,
			"strongSwan has no connection \"%s\" with a child \"%s\"; write both into "
			"swanctl.conf "
			"and run swanctl --load-all",
			e->ref.connection, e->ref.child);
	}
	return all;
}
