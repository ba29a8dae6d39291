/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vcmd: options, configuration, and the daemon. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/log.h"
#include "vcm/vcmd_config.h"
#include "vcm/vcmd_daemon.h"

static int usage(FILE *to)
{
	fputs("usage: vcmd [-c FILE] [-f] [-d]\n"
	      "       vcmd -t [-p] [-c FILE]\n"
	      "  -c FILE  configuration, default " VCMD_CONFIG_PATH ", - for standard input\n"
	      "  -f       stay in the foreground\n"
	      "  -d       log everything\n"
	      "  -t       check the configuration and stop\n"
	      "  -p       with -t: print it with all defaults\n"
	      "  -h, -V   this help, the version\n",
		to);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	const char *path = VCMD_CONFIG_PATH;
	bool foreground = false, test = false, print = false, debug = false, ok;
	struct vcmd_config cfg;
	struct config_errors errors;
	int c, rc = 0;

	while ((c = getopt_long(argc, argv, "c:fdtphV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'f':
			foreground = true;
			break;
		case 'd':
			debug = true;
			break;
		case 't':
			test = true;
			break;
		case 'p':
			print = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			puts("vcmd of " PACKAGE_STRING);
			return 0;
		default:
			return usage(stderr);
		}
	}
	if (optind != argc || (print && !test))
		return usage(stderr);

	ok = vcmd_config_load(path, &cfg, &errors);
	config_errors_print(&errors, stderr);
	config_errors_release(&errors);
	if (!ok)
		return 1;
	if (test) {
		if (print)
			vcmd_config_print(&cfg, stdout);
	} else {
		log_setup("vcmd", debug ? LOGL_DEBUG : cfg.log_level);
		rc = vcmd_run(&cfg, path, !foreground);
	}
	vcmd_config_release(&cfg);
	return rc;
}
