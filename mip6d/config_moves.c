/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipsec.moves: what goes together when an IKE daemon moves the tunnel
 * (doc/ipsec.md, "Who moves what").  There is no home agent and no home link
 * then, so settings about them would be promises that nobody keeps.
 */
#include <string.h>

#include "mip6d/config_read.h"

/* Of mobile_node; what one of them asks for, only a home agent can give. */
static const char *const of_home_agent[] = {"home_prefix", "lifetime", "uplink", "heartbeat",
	"identifier", "unprotected_signals", "mobile_router", "route_optimization",
	"max_correspondents", "correspondent_lifetime", "correspondent_idle", NULL};

/* One child of one connection, for the tunnel; of the rest only mip6d's own SAs have a use. */
static void check_nodes(struct config_reader *r, const config_setting_t *ipsec)
{
	static const char *const of_mip6d[] = {
		"home_address", "home_agent", "signal", "data_connection", "reqid", NULL};
	const config_setting_t *nodes = config_good(ipsec, "nodes"), *first;

	if (!nodes)
		return;
	if (config_setting_length(nodes) > 1)
		config_complain(r, nodes,
			"with  moves = \"charon\"  there is one tunnel; write one node, like  ( { "
			"connection = \"gw\"; data = \"net\"; } )");
	first = config_setting_get_elem(nodes, 0);
	for (const char *const *name = of_mip6d; *name; name++) {
		const config_setting_t *s = config_setting_get_member(first, *name);

		if (s)
			config_complain(r, s,
				"is for SAs of mip6d, and with  moves = \"charon\"  strongSwan "
				"has them; remove it");
	}
}

/* SAs and policies are strongSwan's, so nothing can be said about them here. */
static void check_group(struct config_reader *r, const config_setting_t *ipsec)
{
	static const char *const of_mip6d[] = {"payload", "arrangement", "keys_file",
		"keys_command", "allow_weak", "replay_window", NULL};

	for (const char *const *name = of_mip6d; *name; name++) {
		const config_setting_t *s = config_setting_get_member(ipsec, *name);

		if (s)
			config_complain(r, s,
				"is for SAs of mip6d, and with  moves = \"charon\"  strongSwan "
				"has them; remove it, and say it in swanctl.conf");
	}
}

static void check_charon(struct config_reader *r, const config_setting_t *root,
	const config_setting_t *moves, const struct mip6d_config *cfg)
{
	const config_setting_t *mn = config_setting_get_member(root, "mobile_node");

	if (cfg->role != ROLE_MOBILE_NODE) {
		config_complain(r, moves,
			"\"charon\" is for a mobile node: what others have does not move; write "
			"\"mip6d\"");
		return;
	}
	if (!mn)
		return;
	if (config_good(mn, "ipsec") && cfg->mobile_node.ipsec != IPSEC_STRONGSWAN)
		config_complain(r, config_good(mn, "ipsec"),
			"with  ipsec = { moves = \"charon\"; }  the tunnel is strongSwan's; write "
			"\"strongswan\", or  moves = \"mip6d\"");
	check_group(r, config_setting_parent(moves));
	check_nodes(r, config_setting_parent(moves));
	for (const char *const *name = of_home_agent; *name; name++) {
		const config_setting_t *s = config_setting_get_member(mn, *name);

		if (s)
			config_complain(r, s,
				"has no meaning with  ipsec = { moves = \"charon\"; } , where "
				"there "
				"is a tunnel to a gateway and no home agent; remove it, or write  "
				"moves = \"mip6d\"");
	}
}

static void check_mip6d(
	struct config_reader *r, const config_setting_t *root, const struct mip6d_config *cfg)
{
	const config_setting_t *mn = config_setting_get_member(root, "mobile_node");
	const config_setting_t *home = mn ? config_good(mn, "home_address") : NULL;

	if (cfg->role != ROLE_MOBILE_NODE || !mn)
		return;
	if (!config_setting_get_member(mn, "home_prefix"))
		config_complain(r, mn, "home_prefix is missing; add  home_prefix = %s;",
			CONFIG_EXAMPLE_PREFIX);
	if (home && in6_is_any(&cfg->mobile_node.home_address))
		config_complain(r, home,
			"\"auto\" is the inner address of a tunnel that strongSwan moves; write "
			"the address, or  ipsec = { moves = \"charon\"; }");
}

void config_check_moves(
	struct config_reader *r, const config_setting_t *root, struct mip6d_config *cfg)
{
	const config_setting_t *group = config_setting_get_member(root, "ipsec"), *moves = NULL;

	if (group && config_setting_type(group) == CONFIG_TYPE_GROUP)
		moves = config_setting_get_member(group, "moves");
	if (moves && !config_good(group, "moves"))
		return; /* what goes with it is not known */
	if (moves && cfg->ipsec.moves == CONFIG_MOVES_CHARON)
		check_charon(r, root, moves, cfg);
	else
		check_mip6d(r, root, cfg);
	cfg->mobile_node.foreign_tunnel = cfg->ipsec.moves == CONFIG_MOVES_CHARON;
}

bool config_read_home_address(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_setting_get_string(s);

	if (!text || strcmp(text, "auto") != 0)
		return config_read_address(r, k, s, field);
	*(struct in6_addr *)field = in6addr_any;
	return true;
}

void config_print_moves(const struct mip6d_config *cfg, FILE *to)
{
	const struct config_ipsec *c = &cfg->ipsec;

	if (c->moves != CONFIG_MOVES_CHARON)
		return;
	fprintf(to, "ipsec = {\n\tmoves = \"%s\";\n", config_moves_name(c->moves));
	if (c->n_nodes)
		fprintf(to,
			"\tstrongswan = { socket = \"%s\"; };\n"
			"\tnodes = ( { connection = \"%s\"; data = \"%s\"; } );\n",
			c->vici_socket, c->nodes[0].connection, c->nodes[0].data);
	fputs("};\n", to);
}
