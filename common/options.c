/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/options.h"

#include <getopt.h>
#include <stdio.h>

static int usage(const struct daemon_options *o, const char *config, FILE *to)
{
	fprintf(to,
		"usage: %s [-c FILE] [-f] [-d]\n"
		"       %s -t [-p] [-c FILE]\n"
		"  -c FILE  configuration, default %s, - for standard input\n"
		"  -f       stay in the foreground\n"
		"  -d       log everything\n"
		"  -t       check the configuration and stop\n"
		"  -p       with -t: print it with all defaults\n"
		"  -h, -V   this help, the version\n",
		o->name, o->name, config);
	return to == stdout ? 0 : 2;
}

int daemon_options_read(struct daemon_options *o, int argc, char **argv)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	const char *config = o->config;
	int c;

	while ((c = getopt_long(argc, argv, "c:fdtphV", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'd':
			o->debug = true;
			break;
		case 't':
			o->test = true;
			break;
		case 'p':
			o->print = true;
			break;
		case 'h':
			return usage(o, config, stdout);
		case 'V':
			puts(o->version);
			return 0;
		default:
			return usage(o, config, stderr);
		}
	}
	if (optind != argc || (o->print && !o->test))
		return usage(o, config, stderr);
	return -1;
}
