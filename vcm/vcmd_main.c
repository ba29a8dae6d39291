/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcmd: options, configuration, and the daemon. */
#include <stdio.h>

#include "common/options.h"
#include "common/privileges.h"
#include "lib/log.h"
#include "vcm/vcmd_config.h"
#include "vcm/vcmd_daemon.h"

int main(int argc, char **argv)
{
	struct daemon_options o = {
		.name = "vcmd", .config = VCMD_CONFIG_PATH, .version = "vcmd of " PACKAGE_STRING};
	struct vcmd_config cfg;
	struct config_errors errors;
	int rc = daemon_options_read(&o, argc, argv);
	bool ok;

	if (rc >= 0)
		return rc;
	ok = vcmd_config_load(o.config, &cfg, &errors);
	config_errors_print(&errors, stderr);
	config_errors_release(&errors);
	if (!ok)
		return 1;
	rc = 0;
	if (!o.test) {
		log_setup("vcmd", o.debug ? LOGL_DEBUG : cfg.log_level);
		privileges_no_core();
		rc = vcmd_run(&cfg, o.config, !o.foreground);
	} else if (o.print) {
		vcmd_config_print(&cfg, stdout);
	}
	vcmd_config_release(&cfg);
	return rc;
}
