/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6d: options, configuration, and the daemon. */
#include <stdio.h>

#include "common/options.h"
#include "common/privileges.h"
#include "lib/log.h"
#include "mip6d/config.h"
#include "mip6d/daemon.h"

int main(int argc, char **argv)
{
	struct daemon_options o = {
		.name = "mip6d", .config = CONFIG_DEFAULT_PATH, .version = PACKAGE_STRING};
	struct mip6d_config cfg;
	struct config_errors errors;
	int rc = daemon_options_read(&o, argc, argv);
	bool ok;

	if (rc >= 0)
		return rc;
	ok = config_load(o.config, &cfg, &errors);
	config_errors_print(&errors, stderr);
	config_errors_release(&errors);
	if (!ok)
		return 1;
	rc = 0;
	if (!o.test) {
		log_setup("mip6d", o.debug ? LOGL_DEBUG : cfg.log_level);
		privileges_no_core();
		rc = daemon_run(&cfg, !o.foreground);
	} else if (o.print) {
		config_print(&cfg, stdout);
	}
	config_release(&cfg);
	return rc;
}
