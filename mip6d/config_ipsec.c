/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group ipsec, and what the roles say of it. */
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/manual.h"
#include "mip6d/config_read.h"
#include "common/config_secret.h"

const char *const config_ipsec_managers[] = {"none", "manual", "strongswan", NULL};
const char *const config_ipsec_some[] = {"manual", "strongswan", NULL};
static const char *const arrangements[] = {"migrate", "home-address", NULL};
static const char *const moves_names[] = {"mip6d", "charon", NULL};

const char *config_moves_name(enum config_moves m)
{
	return moves_names[m];
}

bool config_read_ipsec_manager(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	bool strongswan;

	if (!config_read_choice_bool(r, k, s, &strongswan))
		return false;
	*(enum ipsec_manager *)field = strongswan ? IPSEC_STRONGSWAN : IPSEC_MANUAL;
	return true;
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
	return config_read_subgroup(r, strongswan_keys, s, field);
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
	CONFIG_KEY("home_agent", config_read_address,
		offsetof(struct config_ipsec_node, home_agent), CONFIG_EXAMPLE_HA),
	CONFIG_KEY("connection", read_name, offsetof(struct config_ipsec_node, connection),
		"\"home\"", .required = true),
	CONFIG_KEY("signal", read_name, offsetof(struct config_ipsec_node, signal), "\"signal\""),
	CONFIG_KEY("data_connection", read_name,
		offsetof(struct config_ipsec_node, data_connection), "\"home-data\""),
	CONFIG_KEY("data", read_name, offsetof(struct config_ipsec_node, data), "\"data\""),
	CONFIG_KEY("reqid", config_read_u32, offsetof(struct config_ipsec_node, reqid), "1",
		.min = 1, .max = 0x7ffffffe),
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

/* A program by its path, and its arguments: no shell looks at them. */
static bool read_command(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);

	if (!text)
		return false;
	if (text[0] != '/' || strlen(text) >= k->cap || strpbrk(text, "\"'\\$`|&;<>()*?~\n")) {
		config_complain(r, s,
			"is no absolute path of a program with its arguments, which no shell looks "
			"at; write one like %s, or a script for what is longer",
			k->example);
		return false;
	}
	strcpy(field, text);
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
	CONFIG_KEY("keys_command", read_command, offsetof(struct config_ipsec, keys_command),
		"\"/usr/local/sbin/ipsec-keys anna\"", .cap = PATH_MAX),
	CONFIG_KEY(
		"allow_weak", config_read_bool, offsetof(struct config_ipsec, allow_weak), "true"),
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
	return config_read_subgroup(r, ipsec_keys, s, field);
}

/* ---- what goes together ---- */

/* Settings of another manager than the one that was asked for. */
static void strangers(struct config_reader *r, const config_setting_t *group,
	const char *const *names, const char *manager)
{
	for (; *names; names++) {
		const config_setting_t *s = config_setting_get_member(group, *names);

		if (s)
			config_complain(
				r, s, "has no meaning with  ipsec = \"%s\"; remove it", manager);
	}
}

/* One of the two at most. */
static bool has_keys(struct config_reader *r, const config_setting_t *group)
{
	const config_setting_t *file = config_setting_get_member(group, "keys_file"),
			       *command = config_setting_get_member(group, "keys_command");

	if (file && command)
		config_complain(r, command,
			"with keys_file there would be two sources of keys; remove one of the two");
	return file || command;
}

static void check_manual(
	struct config_reader *r, const config_setting_t *group, const config_setting_t *asked)
{
	static const char *const of_strongswan[] = {"strongswan", "nodes", NULL};

	if (group)
		strangers(r, group, of_strongswan, "manual");
	if (!group || !has_keys(r, group))
		config_complain(r, group ? group : asked,
			"\"manual\" needs keys; write  ipsec = { keys_file = "
			"\"/etc/mip6d/ipsec.keys\"; };");
}

typedef const struct config_ipsec_node node_t;

static int by_home_address(const void *a, const void *b)
{
	return memcmp(
		&(*(node_t *const *)a)->home_address, &(*(node_t *const *)b)->home_address, 16);
}

static int by_home_agent(const void *a, const void *b)
{
	return memcmp(&(*(node_t *const *)a)->home_agent, &(*(node_t *const *)b)->home_agent, 16);
}

static int by_connection(const void *a, const void *b)
{
	return strcmp((*(node_t *const *)a)->connection, (*(node_t *const *)b)->connection);
}

/* A node has two numbers, its own and the next one: neighbours collide as well. */
static int by_reqid(const void *a, const void *b)
{
	uint32_t x = (*(node_t *const *)a)->reqid, y = (*(node_t *const *)b)->reqid;

	return x < y ? -1 : x > y;
}

static bool near_reqid(node_t *a, node_t *b)
{
	return b->reqid - a->reqid < 2;
}

/* The later one of each two that are alike gets the complaint. */
static void alike(struct config_reader *r, const config_setting_t *list,
	const struct config_ipsec *c, int (*cmp)(const void *, const void *),
	bool (*near)(node_t *, node_t *), const char *what)
{
	node_t **sorted = calloc(c->n_nodes, sizeof(*sorted)), *later;

	if (!sorted)
		return;
	for (size_t i = 0; i < c->n_nodes; i++)
		sorted[i] = &c->nodes[i];
	qsort(sorted, c->n_nodes, sizeof(*sorted), cmp);
	for (size_t i = 1; i < c->n_nodes; i++) {
		if (near ? !near(sorted[i - 1], sorted[i]) : cmp(&sorted[i - 1], &sorted[i]) != 0)
			continue;
		later = sorted[i] > sorted[i - 1] ? sorted[i] : sorted[i - 1];
		config_complain(
			r, config_setting_get_elem(list, (unsigned)(later - c->nodes)), "%s", what);
	}
	free(sorted);
}

static void alike_by_name(struct config_reader *r, const config_setting_t *list, const struct config_ipsec *c)
{
	alike(r, list, c, by_connection, NULL,
		"another node has this connection; each has its own in swanctl.conf");
	alike(r, list, c, by_reqid, near_reqid,
		"another node has this reqid or the next one; a node has two, write the first, "
		"like "
		"1, 3, 5, or none");
}

static void check_nodes_of_agent(
	struct config_reader *r, const config_setting_t *list, const struct config_ipsec *c)
{
	size_t before = r->faults;

	for (size_t i = 0; i < c->n_nodes; i++) {
		const config_setting_t *e = config_setting_get_elem(list, (unsigned)i);

		if (in6_is_any(&c->nodes[i].home_address))
			config_complain(r, e,
				"does not say whose SAs these are; add  home_address "
				"= " CONFIG_EXAMPLE_HOME ";");
		if (config_setting_get_member(e, "home_agent"))
			config_complain(r, config_setting_get_member(e, "home_agent"),
				"is what a mobile node says; here it is the address of home_agent, "
				"remove it");
	}
	if (r->faults > before)
		return;
	alike(r, list, c, by_home_address, NULL,
		"another node has this home_address; each has one entry");
	alike_by_name(r, list, c);
}

/* Children name single addresses (RFC 4877 7.3), so each home agent has an entry; without a name it is that of mobile_node. */
static void whose_entry(struct config_reader *r, const config_setting_t *e,
	struct config_ipsec_node *node, const struct config_mobile_node *mn)
{
	if (!in6_is_any(&node->home_address) && !in6_equal(&node->home_address, &mn->home_address))
		config_complain(r, config_setting_get_member(e, "home_address"),
			"is not the home_address of mobile_node; write the same, or leave it out");
	if (!in6_is_any(&node->home_agent))
		return;
	if (in6_is_any(&mn->home_agent))
		config_complain(r, e,
			"does not say which home agent it is for, and mobile_node has  home_agent = "
			"\"auto\" ; add  home_agent = " CONFIG_EXAMPLE_HA ";");
	node->home_agent = mn->home_agent;
}

static void check_nodes_of_mobile(struct config_reader *r, const config_setting_t *list,
	struct config_ipsec *c, const struct config_mobile_node *mn)
{
	size_t before = r->faults;
	bool served = in6_is_any(&mn->home_agent); /* "auto" */

	for (size_t i = 0; i < c->n_nodes; i++) {
		whose_entry(r, config_setting_get_elem(list, (unsigned)i), &c->nodes[i], mn);
		served |= in6_equal(&c->nodes[i].home_agent, &mn->home_agent);
	}
	if (r->faults > before)
		return;
	if (!served)
		config_complain(r, list,
			"has no entry for %s, the home_agent of mobile_node; add one",
			in6_str(&mn->home_agent));
	alike(r, list, c, by_home_agent, NULL,
		"another entry is for the same home agent; write into each which  "
		"home_agent = " CONFIG_EXAMPLE_HA ";");
	alike_by_name(r, list, c);
}

static void check_strongswan(struct config_reader *r, const config_setting_t *group,
	const config_setting_t *asked, struct mip6d_config *cfg)
{
	static const char *const of_manual[] = {"keys_file", "keys_command", "allow_weak", NULL};
	const config_setting_t *list = group ? config_setting_get_member(group, "nodes") : NULL;
	size_t before = r->faults;

	if (group && cfg->ipsec.pairs)
		(void)has_keys(r, group);
	else if (group)
		strangers(r, group, of_manual, "strongswan");
	if (!list)
		config_complain(r, group ? group : asked,
			"\"strongswan\" needs the names of connections in swanctl.conf; write  "
			"ipsec = { nodes = ( { connection = \"home\"; } ); };");
	if (!list || !config_good(group, "nodes") || r->faults > before)
		return;
	if (cfg->role == ROLE_HOME_AGENT)
		check_nodes_of_agent(r, list, &cfg->ipsec);
	else if (config_good(config_setting_parent(asked), "home_agent"))
		check_nodes_of_mobile(r, list, &cfg->ipsec, &cfg->mobile_node);
}

/* With "strongswan" a key file may still have the keys of SAs with the manager: it says by itself that it is wanted. */
static bool wants_pairs(const struct mip6d_config *cfg, const config_setting_t *group)
{
	bool keys = group && (config_setting_get_member(group, "keys_file") ||
				     config_setting_get_member(group, "keys_command"));

	if (keys || cfg->ipsec.manager == IPSEC_STRONGSWAN)
		return (cfg->gateway.enabled || cfg->vpn.enabled) && keys;
	return (cfg->gateway.enabled && cfg->gateway.ipsec == IPSEC_MANUAL) ||
	       (cfg->vpn.enabled && cfg->vpn.ipsec == IPSEC_MANUAL);
}

void config_check_ipsec(
	struct config_reader *r, const config_setting_t *root, struct mip6d_config *cfg)
{
	static const char *const roles[] = {"home_agent", "mobile_node", NULL};
	const config_setting_t *group = config_setting_get_member(root, "ipsec"), *role = NULL,
			       *asked;
	struct config_ipsec *c = &cfg->ipsec;

	c->manager = cfg->role == ROLE_HOME_AGENT    ? cfg->home_agent.ipsec
		     : cfg->role == ROLE_MOBILE_NODE ? cfg->mobile_node.ipsec
						     : IPSEC_NONE;
	if (group && config_setting_type(group) != CONFIG_TYPE_GROUP)
		return; /* was complained of */
	if (group && config_setting_get_member(group, "moves") &&
		(!config_good(group, "moves") || c->moves == CONFIG_MOVES_CHARON))
		return; /* config_moves.c */
	if (roles[cfg->role])
		role = config_setting_get_member(root, roles[cfg->role]);
	asked = role && config_setting_type(role) == CONFIG_TYPE_GROUP ? config_good(role, "ipsec")
								       : NULL;
	if (!asked && role)
		return; /* was complained of, or missing */
	c->pairs = wants_pairs(cfg, group);
	if (c->manager == IPSEC_NONE && c->pairs)
		check_manual(r, group,
			config_setting_get_member(root, cfg->vpn.enabled ? "vpn" : "gateway"));
	else if (c->manager == IPSEC_NONE && group)
		config_complain(r, group, "has no meaning with%s",
			role ? "  ipsec = \"none\" ; remove the group, or write \"manual\" or "
			       "\"strongswan\" there"
			     : "  role = \"correspondent\" ; remove the group");
	if (c->manager == IPSEC_MANUAL)
		check_manual(r, group, asked);
	if (c->manager == IPSEC_STRONGSWAN)
		check_strongswan(r, group, asked, cfg);
}

/* ---- keys ---- */

#define COMMAND_TIMEOUT_MS 10000

struct hearer {
	struct config_errors *errors;
	const char *name;
};

static void hear(void *arg, uint32_t line, const char *text)
{
	struct hearer *h = arg;

	config_error(h->errors, h->name, line, "%s", text);
}

bool config_load_ipsec_keys(struct mip6d_config *cfg, struct config_errors *errors)
{
	struct config_ipsec *c = &cfg->ipsec;
	char name[PATH_MAX + 20], said[200] = "";
	struct hearer h = {errors, name};
	const char *why;
	size_t len = 0;
	char *text;

	if ((c->manager != IPSEC_MANUAL && !c->pairs) || c->moves == CONFIG_MOVES_CHARON)
		return true;
	snprintf(name, sizeof(name), "%s%s", c->keys_command[0] ? "output of " : "",
		c->keys_command[0] ? c->keys_command : c->keys_file);
	why = c->keys_command[0] ? config_secret_command(c->keys_command, COMMAND_TIMEOUT_MS, &text,
					   &len, said, sizeof(said))
				 : config_secret_file(c->keys_file, CONFIG_SECRET_MAX, &text, &len);
	if (why)
		config_error(errors, name, 0, "%s%s%s", why, said[0] ? "; it says: " : "", said);
	else
		c->keys = ipsec_keys_parse(text, len, c->allow_weak, hear, &h);
	config_secret_release(text, len);
	return c->keys;
}

/* ---- printing ---- */

void config_print_ipsec(const struct mip6d_config *cfg, FILE *to)
{
	const struct config_ipsec *c = &cfg->ipsec;

	if ((c->manager == IPSEC_NONE && !c->pairs) || c->moves == CONFIG_MOVES_CHARON)
		return;
	fprintf(to, "ipsec = {\n\tpayload = %s;\n\tarrangement = \"%s\";\n\treplay_window = %u;\n",
		c->payload ? "true" : "false", arrangements[c->arrangement], c->replay_window);
	if (c->manager == IPSEC_MANUAL || c->pairs)
		fprintf(to, "\t%s = \"%s\";\n\tallow_weak = %s;\n",
			c->keys_command[0] ? "keys_command" : "keys_file",
			c->keys_command[0] ? c->keys_command : c->keys_file,
			c->allow_weak ? "true" : "false");
	if (c->manager == IPSEC_STRONGSWAN) {
		fprintf(to, "\tstrongswan = { socket = \"%s\"; };\n\tnodes = (\n", c->vici_socket);
		for (size_t i = 0; i < c->n_nodes; i++) {
			const struct config_ipsec_node *n = &c->nodes[i];

			fputs("\t\t{ ", to);
			if (!in6_is_any(&n->home_address))
				fprintf(to, "home_address = \"%s\"; ", in6_str(&n->home_address));
			if (!in6_is_any(&n->home_agent))
				fprintf(to, "home_agent = \"%s\"; ", in6_str(&n->home_agent));
			fprintf(to, "connection = \"%s\"; signal = \"%s\"; ", n->connection,
				n->signal);
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
