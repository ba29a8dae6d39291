/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group ipsec, and what the roles say of it. */
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/manual.h"
#include "mip6d/config_read.h"

const char *const config_ipsec_managers[] = {"none", "manual", "strongswan", NULL};
static const char *const arrangements[] = {"migrate", "home-address", NULL};
static const char *const moves_names[] = {"mip6d", "charon", NULL};

const char *config_moves_name(enum config_moves m)
{
	return moves_names[m];
}

static const struct config_key strongswan_keys[] = {
	CONFIG_KEY("socket", config_read_path, offsetof(struct config_ipsec, vici_socket),
		"\"/run/charon.vici\"", .cap = CONFIG_SOCKET_LEN),
	{.name = NULL},
};

static bool read_strongswan(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, strongswan_keys, s, field);
	return true;
}

static bool read_name(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);

	if (!text)
		return false;
	if (!text[0] || strlen(text) >= CONFIG_NAME_LEN) {
		config_complain(r, s, "is no name of up to %d characters; write one like %s",
			CONFIG_NAME_LEN - 1, k->example);
		return false;
	}
	strcpy(field, text);
	return true;
}

static const struct config_key node_keys[] = {
	CONFIG_KEY("home_address", config_read_address,
		offsetof(struct config_ipsec_node, home_address), CONFIG_EXAMPLE_HOME),
	CONFIG_KEY("connection", read_name, offsetof(struct config_ipsec_node, connection), "\"home\"",
		.required = true),
	CONFIG_KEY("signal", read_name, offsetof(struct config_ipsec_node, signal), "\"signal\""),
	CONFIG_KEY("data_connection", read_name, offsetof(struct config_ipsec_node, data_connection),
		"\"home-data\""),
	CONFIG_KEY("data", read_name, offsetof(struct config_ipsec_node, data), "\"data\""),
	CONFIG_KEY("reqid", config_read_u32, offsetof(struct config_ipsec_node, reqid), "1", .min = 1,
		.max = 0x7ffffffe),
	{.name = NULL},
};

static bool read_nodes(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct config_ipsec *c = field;
	int n = config_setting_length(s);

	if (!config_is_list(r, k, s))
		return false;
	c->nodes = calloc((size_t)n, sizeof(*c->nodes));
	if (!c->nodes)
		return false;
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		struct config_ipsec_node *node = &c->nodes[i];

		strcpy(node->signal, "signal");
		strcpy(node->data, "data");
		node->reqid = 2 * (uint32_t)i + 1;
		if (config_setting_type(e) != CONFIG_TYPE_GROUP)
			config_complain(r, e, "is no node; write  { connection = \"home\"; }");
		else
			config_read_group(r, node_keys, e, node);
	}
	c->n_nodes = (size_t)n;
	return true;
}

static const struct config_key ipsec_keys[] = {
	CONFIG_KEY("payload", config_read_bool, offsetof(struct config_ipsec, payload), "true"),
	CONFIG_KEY("arrangement", config_read_choice, offsetof(struct config_ipsec, arrangement),
		"\"migrate\" or \"home-address\"", .choices = arrangements),
	CONFIG_KEY("moves", config_read_choice, offsetof(struct config_ipsec, moves), "\"mip6d\"",
		.choices = moves_names),
	CONFIG_KEY("keys_file", config_read_path, offsetof(struct config_ipsec, keys_file),
		"\"/etc/mip6d/ipsec.keys\"", .cap = PATH_MAX),
	CONFIG_KEY("replay_window", config_read_u32, offsetof(struct config_ipsec, replay_window),
		"4096", .min = 32, .max = 4096, .unit = "packets"),
	CONFIG_KEY("strongswan", read_strongswan, 0, "{ }"),
	CONFIG_KEY("nodes", read_nodes, 0, "( { connection = \"home\"; } )"),
	{.name = NULL},
};

bool config_read_ipsec(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, ipsec_keys, s, field);
	return true;
}

void config_check_ipsec(struct config_reader *r, const config_setting_t *root, struct mip6d_config *cfg)
{
	const config_setting_t *group = config_good(root, "ipsec");
	struct config_ipsec *c = &cfg->ipsec;

	c->manager = cfg->role == ROLE_HOME_AGENT     ? cfg->home_agent.ipsec
		     : cfg->role == ROLE_MOBILE_NODE ? cfg->mobile_node.ipsec
						      : IPSEC_NONE;
	if (group && config_setting_get_member(group, "moves") &&
		(!config_good(group, "moves") || c->moves == CONFIG_MOVES_CHARON))
		return;
	if (c->manager == IPSEC_NONE && group)
		config_complain(r, group, "has no meaning with ipsec = \"none\"; remove one of the two");
	if (c->manager == IPSEC_MANUAL && !c->keys_file[0])
		config_complain(r, group ? group : root, "has no keys; add  keys_file = \"/etc/mip6d/ipsec.keys\";");
	if (c->manager == IPSEC_STRONGSWAN && !c->n_nodes)
		config_complain(r, group ? group : root, "names no connection of strongSwan; add  nodes = ( { connection = \"home\"; } );");
	if (c->manager == IPSEC_MANUAL && c->keys_file[0] && !r->faults)
		c->keys = ipsec_keys_quick(c->keys_file);
}

void config_print_ipsec(const struct mip6d_config *cfg, FILE *to)
{
	const struct config_ipsec *c = &cfg->ipsec;

	if (c->manager == IPSEC_NONE || c->moves == CONFIG_MOVES_CHARON)
		return;
	fprintf(to, "ipsec = {\n\tpayload = %s;\n\tarrangement = \"%s\";\n\treplay_window = %u;\n",
		c->payload ? "true" : "false", arrangements[c->arrangement], c->replay_window);
	if (c->manager == IPSEC_MANUAL)
		fprintf(to, "\tkeys_file = \"%s\";\n", c->keys_file);
	if (c->manager == IPSEC_STRONGSWAN) {
		fprintf(to, "\tstrongswan = { socket = \"%s\"; };\n\tnodes = (\n", c->vici_socket);
		for (size_t i = 0; i < c->n_nodes; i++) {
			const struct config_ipsec_node *n = &c->nodes[i];

			fputs("\t\t{ ", to);
			if (!in6_is_any(&n->home_address))
				fprintf(to, "home_address = \"%s\"; ", in6_str(&n->home_address));
			fprintf(to, "connection = \"%s\"; signal = \"%s\"; ", n->connection, n->signal);
			if (n->data_connection[0])
				fprintf(to, "data_connection = \"%s\"; ", n->data_connection);
			fprintf(to, "data = \"%s\"; reqid = %u; }%s\n", n->data, n->reqid,
				i + 1 < c->n_nodes ? "," : "");
		}
		fputs("\t);\n", to);
	}
	fputs("};\n", to);
}

void config_release_ipsec(struct mip6d_config *cfg)
{
	free(cfg->ipsec.nodes);
	cfg->ipsec.nodes = NULL;
	ipsec_keys_free(cfg->ipsec.keys);
	cfg->ipsec.keys = NULL;
}
