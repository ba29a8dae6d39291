/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcmd.conf(5) as a whole; the rules for pairs are read in
 * vcmd_config_pairs.c.
 */
#include "vcm/vcmd_config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/prefix_table.h"
#include "mip6/control.h"
#include "vcm/vcmd_config_internal.h"

static const char *const ipsec_names[] = {"none", "manual", "strongswan", NULL};

#define KEY(name, read, field, example, ...) \
	CONFIG_KEY(name, read, offsetof(struct vcmd_config, field), example, ##__VA_ARGS__)

const char *vcmd_ipsec_name(enum vcmd_ipsec i)
{
	return ipsec_names[i];
}

/* ---- small groups ---- */

static const struct config_key control_keys[] = {
	KEY("socket", config_read_path, control_socket, "\"" VCMD_CONTROL_SOCKET "\"",
		.cap = CONFIG_SOCKET_LEN),
	KEY("group", config_read_group_name, control_group, "\"vcm\"", .cap = 33),
	{.name = NULL},
};

static bool read_control(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	return config_read_subgroup(r, control_keys, s, field);
}

static const struct config_key ipsec_keys[] = {
	KEY("manager", config_read_choice, ipsec, "\"manual\", \"strongswan\" or \"none\"",
		.required = true, .choices = ipsec_names),
	KEY("keys_file", config_read_path, keys_file, "\"/etc/vcmd/ipsec.keys\"", .cap = PATH_MAX),
	KEY("allow_weak", config_read_bool, allow_weak, "true"),
	{.name = NULL},
};

static bool read_ipsec(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct vcmd_config *c = field;
	size_t before = r->faults;

	(void)k;
	if (!config_read_subgroup(r, ipsec_keys, s, field))
		return false;
	if (r->faults == before && c->ipsec == VCMD_IPSEC_MANUAL && !c->keys_file[0])
		config_complain(r, s, "manual keys need a file; add  keys_file = "
				      "\"/etc/vcmd/ipsec.keys\";");
	if (r->faults == before && c->ipsec != VCMD_IPSEC_MANUAL && c->keys_file[0])
		config_complain(r, config_setting_get_member(s, "keys_file"),
			"has no meaning with manager = \"%s\"; remove it, or write manager = "
			"\"manual\"",
			vcmd_ipsec_name(c->ipsec));
	return r->faults == before;
}

/* The name of a file in systemd's folder, so nothing that leads out of it. */
static bool read_credential(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	const char *text = config_text(r, k, s);
	size_t n = text ? strlen(text) : 0;

	if (!text)
		return false;
	if (n == 0 || n >= k->cap || text[0] == '.' || strchr(text, '/')) {
		config_complain(r, s, "\"%.40s\" is not a name of a credential; write one like %s",
			text, k->example);
		return false;
	}
	memcpy(field, text, n + 1);
	return true;
}

static const struct config_key store_keys[] = {
	KEY("path", config_read_path, store, "\"/var/lib/vcmd/store\"", .cap = PATH_MAX),
	KEY("key_file", config_read_path, key_file, "\"/etc/vcmd/store.key\"", .cap = PATH_MAX),
	KEY("credential", read_credential, credential, "\"vcmd.key\"", .cap = VCMD_CREDENTIAL_LEN),
	KEY("make_key", config_read_bool, make_key, "true"),
	KEY("size", config_read_u32, store_mib, "1024", .min = 16, .max = 1048576, .unit = "MiB"),
	{.name = NULL},
};

static bool read_store(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct vcmd_config *c = field;
	size_t before = r->faults;

	(void)k;
	if (!config_read_subgroup(r, store_keys, s, field) || r->faults != before)
		return false;
	if (!c->key_file[0] == !c->credential[0])
		config_complain(r, s,
			"secrets are sealed with a key, from one place; write either  key_file = "
			"\"/etc/vcmd/store.key\";  or  credential = \"NAME\";");
	else if (c->make_key && c->credential[0])
		config_complain(r, config_setting_get_member(s, "make_key"),
			"has no meaning with a credential, which systemd provides; remove one of "
			"the two");
	return r->faults == before;
}

static const struct config_key audit_keys[] = {
	KEY("file", config_read_path, audit_file, "\"/var/log/vcmd/audit.log\"", .required = true,
		.cap = PATH_MAX),
	{.name = NULL},
};

static bool read_audit(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	return config_read_subgroup(r, audit_keys, s, field);
}

static const struct config_key retry_keys[] = {
	KEY("first", config_read_u32, retry_s, "5", .min = 1, .max = 3600, .unit = "s"),
	KEY("most", config_read_u32, retry_most_s, "300", .min = 1, .max = 86400, .unit = "s"),
	{.name = NULL},
};

static bool read_retry(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct vcmd_config *c = field;
	size_t before = r->faults;

	(void)k;
	if (!config_read_subgroup(r, retry_keys, s, field))
		return false;
	if (r->faults == before && c->retry_most_s < c->retry_s)
		config_complain(r, s, "most is less than first; write  most = %u;  or more",
			c->retry_s);
	return r->faults == before;
}

static const struct config_key limit_keys[] = {
	KEY("contexts", config_read_u32, max_contexts, "200000", .min = 2, .max = 10000000),
	KEY("sessions", config_read_u32, max_sessions, "100000", .min = 1, .max = 10000000),
	{.name = NULL},
};

static bool read_limits(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	return config_read_subgroup(r, limit_keys, s, field);
}

/* ---- gateways and nodes ---- */

static bool read_gateways(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct vcmd_config *c = field;
	size_t before = r->faults;
	int n = config_list_length(r, k, s, VCMD_MAX_GATEWAYS, "addresses");

	if (n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);
		const struct config_key of = {.name = "gateway", .example = "\"fd00:0:0:1::1\""};

		if (!config_read_address(r, &of, e, &c->gateways[c->n_gateways]))
			continue;
		for (size_t m = 0; m < c->n_gateways; m++)
			if (in6_equal(&c->gateways[m], &c->gateways[c->n_gateways]))
				config_complain(r, e, "is there already; remove one of the two");
		c->n_gateways++;
	}
	return r->faults == before;
}

bool vcmd_config_members(struct config_reader *r, const config_setting_t *s, struct ip6_prefix *p)
{
	static const struct config_key prefix = {.name = "prefix", .example = "\"fd00:0:0:1::/64\""},
				       address = {.name = "address",
					       .example = "\"fd00:0:0:1::101\""};
	const char *text = config_text(r, &address, s);

	if (!text)
		return false;
	if (strcmp(text, "::/0") == 0) {
		config_complain(r, s, "is every address there is; write \"any\" in a rule for pairs, "
				      "or leave nodes out");
		return false;
	}
	if (strchr(text, '/'))
		return config_read_prefix(r, &prefix, s, p);
	p->plen = 128;
	return config_read_address(r, &address, s, &p->addr);
}

static int by_prefix(const void *a, const void *b)
{
	return ip6_prefix_cmp(a, b);
}

/* The search for an address relies on it. */
static bool none_in_another(
	struct config_reader *r, const config_setting_t *s, const struct vcmd_config *c)
{
	for (size_t i = 1; i < c->n_nodes; i++) {
		const struct ip6_prefix *outer = &c->nodes[i - 1], *inner = &c->nodes[i];

		if (!ip6_prefix_contains(outer, inner))
			continue;
		config_complain(r, s, "%s/%u is in %s/%u already; remove one of the two",
			in6_str(&inner->addr), inner->plen, in6_str(&outer->addr), outer->plen);
		return false;
	}
	return true;
}

static bool read_nodes(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	struct vcmd_config *c = field;
	size_t before = r->faults;
	int n;

	if (!config_is_list(r, k, s))
		return false;
	n = config_setting_length(s);
	if (n > VCMD_MAX_NODES) {
		config_complain(r, s, "has %d rows; write %d at most, or prefixes", n,
			VCMD_MAX_NODES);
		return false;
	}
	c->nodes = calloc((size_t)n, sizeof(*c->nodes));
	if (!c->nodes) {
		config_complain(r, s, "out of memory; write prefixes");
		return false;
	}
	for (int i = 0; i < n; i++)
		if (vcmd_config_members(
			    r, config_setting_get_elem(s, (unsigned)i), &c->nodes[c->n_nodes]))
			c->n_nodes++;
	qsort(c->nodes, c->n_nodes, sizeof(*c->nodes), by_prefix);
	return r->faults == before && none_in_another(r, s, c);
}

/* ---- the whole ---- */

static const struct config_key top_keys[] = {
	KEY("log_level", config_read_choice, log_level, "\"info\"", .choices = config_log_levels),
	CONFIG_KEY("control", read_control, 0, "{ }"),
	KEY("address", config_read_address, address, "\"fd00:0:0:2::9\"", .required = true),
	KEY("port", config_read_u32, port, "27960", .min = 1, .max = 65535),
	KEY("probe_port", config_read_u32, probe_port, "27961", .min = 1, .max = 65535),
	CONFIG_KEY("ipsec", read_ipsec, 0, "{ manager = \"manual\"; keys_file = \"/etc/vcmd/ipsec.keys\"; }",
		.required = true),
	CONFIG_KEY("gateways", read_gateways, 0, "( \"fd00:0:0:1::1\" )", .required = true),
	CONFIG_KEY("nodes", read_nodes, 0, "( \"fd00:0:0:1::/64\" )"),
	CONFIG_KEY("pairs", vcmd_config_read_pairs, 0,
		"( { between = \"any\"; and = \"any\"; action = \"allow\"; } )"),
	CONFIG_KEY("store", read_store, 0, "{ key_file = \"/etc/vcmd/store.key\"; make_key = true; }",
		.required = true),
	CONFIG_KEY("audit", read_audit, 0, "{ file = \"/var/log/vcmd/audit.log\"; }"),
	CONFIG_KEY("retry", read_retry, 0, "{ first = 5; most = 300; }"),
	CONFIG_KEY("limits", read_limits, 0, "{ contexts = 200000; sessions = 100000; }"),
	{.name = NULL},
};

static void check_top(struct config_reader *r, const config_setting_t *root, void *to)
{
	const config_setting_t *probe = config_setting_get_member(root, "probe_port"),
			       *port = config_setting_get_member(root, "port");
	struct vcmd_config *c = to;

	if (c->port == c->probe_port && (probe || port))
		config_complain(r, probe ? probe : port,
			"port and probe_port are the same; write two numbers");
	for (size_t i = 0; i < c->n_gateways; i++)
		if (config_good(root, "address") && in6_equal(&c->gateways[i], &c->address) &&
			c->ipsec != VCMD_IPSEC_NONE)
			config_complain(r, config_setting_get_member(root, "gateways"),
				"%s is our own address: between the two there is no IPsec; write "
				"manager = \"none\" in ipsec, the gateway's part protects the nodes",
				in6_str(&c->address));
}

static void defaults(struct vcmd_config *c)
{
	*c = (struct vcmd_config){
		.log_level = LOGL_INFO,
		.control_socket = VCMD_CONTROL_SOCKET,
		.port = VCM_PORT,
		.probe_port = VCM_PROBE_PORT,
		.store = "/var/lib/vcmd/store",
		.store_mib = 1024,
		.retry_s = 5,
		.retry_most_s = 300,
		.max_contexts = 200000,
		.max_sessions = 100000,
	};
}

static bool parse(
	const struct config_source *src, struct vcmd_config *c, struct config_errors *errors)
{
	defaults(c);
	if (config_parse(src, top_keys, c, check_top, errors) &&
		(c->rules || vcmd_config_default_pairs(c)))
		return true;
	vcmd_config_release(c);
	return false;
}

bool vcmd_config_load(const char *path, struct vcmd_config *c, struct config_errors *errors)
{
	struct config_source src;
	bool ok;

	*errors = (struct config_errors){0};
	*c = (struct vcmd_config){0};
	ok = config_source_file(&src, path, errors) && parse(&src, c, errors);
	config_source_release(&src);
	return ok;
}

bool vcmd_config_load_text(const char *name, const char *text, size_t len, struct vcmd_config *c,
	struct config_errors *errors)
{
	struct config_source src;
	bool ok;

	*errors = (struct config_errors){0};
	*c = (struct vcmd_config){0};
	ok = config_source_text(&src, name, text, len, errors) && parse(&src, c, errors);
	config_source_release(&src);
	return ok;
}

void vcmd_config_release(struct vcmd_config *c)
{
	free(c->nodes);
	free(c->rules);
	*c = (struct vcmd_config){0};
}

bool vcmd_config_needs_restart(const struct vcmd_config *x, const struct vcmd_config *y)
{
	return !in6_equal(&x->address, &y->address) || x->port != y->port ||
	       x->probe_port != y->probe_port || x->ipsec != y->ipsec ||
	       x->n_gateways != y->n_gateways ||
	       memcmp(x->gateways, y->gateways, x->n_gateways * sizeof(x->gateways[0])) != 0 ||
	       strcmp(x->store, y->store) != 0 || strcmp(x->key_file, y->key_file) != 0 ||
	       strcmp(x->credential, y->credential) != 0 ||
	       strcmp(x->keys_file, y->keys_file) != 0 || x->store_mib != y->store_mib ||
	       strcmp(x->audit_file, y->audit_file) != 0 ||
	       strcmp(x->control_socket, y->control_socket) != 0 ||
	       strcmp(x->control_group, y->control_group) != 0 || x->retry_s != y->retry_s ||
	       x->retry_most_s != y->retry_most_s || x->max_contexts != y->max_contexts ||
	       x->max_sessions != y->max_sessions;
}
