/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl config check FILE: the daemon's own reader, without the daemon. */
#include <string.h>

#include "ctl/ctl.h"
#include "mip6d/config.h"

static void print_json(const struct config_errors *errors, bool ok)
{
	json_t *lines = json_array(), *o;

	for (size_t i = 0; i < errors->n; i++)
		json_array_append_new(lines, json_string(errors->lines[i]));
	o = json_pack("{s:b, s:o}", "ok", ok, "errors", lines);
	ctl_print_json(o);
	json_decref(o);
}

int ctl_config(struct ctl *ctl, int argc, char **argv)
{
	struct config_errors errors;
	struct mip6d_config cfg;
	bool ok;

	if (argc != 3 || strcmp(argv[1], "check") != 0)
		return ctl_misused(argv[0]);
	ok = config_load(argv[2], &cfg, &errors);
	if (ctl->json)
		print_json(&errors, ok);
	else if (ok)
		printf("%s: correct, for a %s\n", argv[2], config_role_name(cfg.role));
	else
		config_errors_print(&errors, stderr);
	config_errors_release(&errors);
	if (ok)
		config_release(&cfg);
	return ok ? CTL_OK : CTL_REFUSED;
}
