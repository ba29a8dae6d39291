/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of mip6d as a whole; the groups of the roles are read in
 * config_ha.c and config_mn.c.  The order of things: the text is put together
 * and looked over (config_source.c), parsed by libconfig, read by tables
 * (config_read.c), checked across settings; the first step that finds faults
 * reports all it found and is the last one.
 */
#include "mip6d/config.h"

#include <stdlib.h>
#include <string.h>

#include "mip6/control.h"
#include "mip6d/config_read.h"

static const char *const role_names[] = {"home-agent", "mobile-node", "correspondent", NULL};
const char *config_role_name(enum mip6d_role role)
{
	return role_names[role];
}

/* ---- control ---- */

static const struct config_key control_keys[] = {
	CONFIG_KEY("socket", config_read_path, offsetof(struct mip6d_config, control_socket),
		"\"" MIP6_CONTROL_SOCKET "\"", .cap = CONFIG_SOCKET_LEN),
	CONFIG_KEY("group", config_read_group_name, offsetof(struct mip6d_config, control_group),
		"\"mip6\"", .cap = sizeof(((struct mip6d_config *)0)->control_group)),
	{.name = NULL},
};

static bool read_control(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	return config_read_subgroup(r, control_keys, s, field);
}

/* ---- the whole ---- */

static const struct config_key top_keys[] = {
	CONFIG_KEY("role", config_read_choice, offsetof(struct mip6d_config, role),
		"\"home-agent\", \"mobile-node\" or \"correspondent\"", .required = true, .choices = role_names),
	CONFIG_KEY("log_level", config_read_choice, offsetof(struct mip6d_config, log_level),
		"\"info\"", .choices = config_log_levels),
	CONFIG_KEY("control", read_control, 0, "{ }"),
	CONFIG_KEY("state_file", config_read_path, offsetof(struct mip6d_config, state_file),
		"\"/var/lib/mip6d/bindings\"", .cap = PATH_MAX),
	CONFIG_KEY("home_agent", config_read_home_agent, offsetof(struct mip6d_config, home_agent),
		"{ }"),
	CONFIG_KEY("mobile_node", config_read_mobile_node,
		offsetof(struct mip6d_config, mobile_node), "{ }"),
	CONFIG_KEY("correspondent", config_read_correspondent,
		offsetof(struct mip6d_config, correspondent), "{ }"),
	CONFIG_KEY("ipsec", config_read_ipsec, offsetof(struct mip6d_config, ipsec), "{ }"),
	CONFIG_KEY("gateway", config_read_gateway, offsetof(struct mip6d_config, gateway), "{ }"),
	CONFIG_KEY("vpn", config_read_vpn, offsetof(struct mip6d_config, vpn), "{ }"),
	CONFIG_KEY("shared_keys", config_read_shared_keys, 0, "\"/etc/mip6d/keys\""),
	{.name = NULL},
};

static void check_top(struct config_reader *r, const config_setting_t *root, void *to)
{
	struct mip6d_config *cfg = to;
	static const char *const groups[] = {"home_agent", "mobile_node", NULL};
	const config_setting_t *role = config_good(root, "role"),
			       *state = config_good(root, "state_file");

	if (role) {
		const char *mine = groups[cfg->role];

		if (mine && !config_setting_get_member(root, mine))
			config_complain(r, role, "\"%s\" needs a group  %s = { ... };  add it",
				role_names[cfg->role], mine);
		for (const char *const *g = groups; *g; g++) {
			const config_setting_t *stranger = config_setting_get_member(root, *g);

			if (*g != mine && stranger)
				config_complain(r, stranger,
					"has no meaning with role = \"%s\"; remove the group, or "
					"change the role",
					role_names[cfg->role]);
		}
	}
	if (role && cfg->role == ROLE_CORRESPONDENT && !cfg->correspondent.enabled)
		config_complain(r, role,
			"is nothing else than what  correspondent = { enabled = false; }  turns "
			"off; remove one of the two");
	if (role && cfg->role == ROLE_HOME_AGENT && !cfg->correspondent.enabled &&
		config_good(root, "shared_keys"))
		config_complain(r, config_good(root, "shared_keys"),
			"has no use with  correspondent = { enabled = false; }  on a home agent; "
			"remove one of the two");
	if (state && strcmp(cfg->state_file, cfg->control_socket) == 0)
		config_complain(r, state, "is also the control socket; write another path");
	config_check_moves(r, root, cfg);
	config_check_ipsec(r, root, cfg);
	config_check_gateway(r, root, cfg);
	config_check_vpn(r, root, cfg);
}

static void defaults(struct mip6d_config *cfg)
{
	*cfg = (struct mip6d_config){
		.log_level = LOGL_INFO,
		.control_socket = MIP6_CONTROL_SOCKET,
		.state_file = "/var/lib/mip6d/bindings",
		.ipsec = {.replay_window = 4096, .vici_socket = "/run/charon.vici"},
		.correspondent = {.enabled = true,
			.max_bindings = 10000,
			.max_lifetime_s = MIP6_MAX_RR_BINDING_LIFETIME / 1000,
			.max_shared_lifetime_s = 86400,
			.refresh = true},
		.gateway = {.ipsec = IPSEC_MANUAL,
			.threshold_packets = 1,
			.threshold_s = 10,
			.hold_s = 60},
		.vpn = {.authenticate = true, .ipsec = IPSEC_MANUAL, .probe_s = 5, .idle_s = 120},
		.home_agent =
			{
				.max_lifetime_s = 86400,
				.max_bindings = 100000,
				.optimistic = true,
				.revocation = {.retries = 1,
					.timeout_ms = 1000,
					.max_timeout_ms = 2000},
				.min_prefix_interval_s = 600,
				.max_prefix_interval_s = 86400,
				.switch_rate = 1,
				.tunnel = "mip6ha0",
			},
		.mobile_node =
			{
				.lifetime_s = 600,
				.optimistic_dad = true,
				.hold_ms = 5000,
				.tunnel = "mip6mn0",
				.table = 6275,
				.n_ro_rules = 1,
				.ro_rules = {{.when = CONFIG_RO_ALWAYS}},
				.max_correspondents = 256,
				.correspondent_lifetime_s = MIP6_MAX_RR_BINDING_LIFETIME / 1000,
				.correspondent_idle_s = 60,
			},
	};
}

static bool parse(
	const struct config_source *src, struct mip6d_config *cfg, struct config_errors *errors)
{
	defaults(cfg);
	if (config_parse(src, top_keys, cfg, check_top, errors))
		return true;
	config_release(cfg);
	return false;
}

bool config_load(const char *path, struct mip6d_config *cfg, struct config_errors *errors)
{
	struct config_source src;
	bool ok;

	*errors = (struct config_errors){0};
	*cfg = (struct mip6d_config){0};
	ok = config_source_file(&src, path, errors) && parse(&src, cfg, errors);
	config_source_release(&src);
	if (ok && !config_load_ipsec_keys(cfg, errors)) {
		config_release(cfg);
		ok = false;
	}
	return ok;
}

bool config_load_text(const char *name, const char *text, size_t len, struct mip6d_config *cfg,
	struct config_errors *errors)
{
	struct config_source src;
	bool ok;

	*errors = (struct config_errors){0};
	*cfg = (struct mip6d_config){0};
	ok = config_source_text(&src, name, text, len, errors) && parse(&src, cfg, errors);
	config_source_release(&src);
	return ok;
}

void config_release(struct mip6d_config *cfg)
{
	free(cfg->home_agent.home_addresses);
	free(cfg->home_agent.networks);
	for (size_t i = 0; i < cfg->home_agent.n_identifiers; i++)
		free(cfg->home_agent.identifiers[i]);
	free(cfg->home_agent.identifiers);
	config_release_ipsec(cfg);
	config_release_gateway(cfg);
	config_release_keys(cfg->shared_keys, cfg->n_shared_keys);
	*cfg = (struct mip6d_config){0};
}
