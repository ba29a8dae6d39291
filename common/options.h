/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of a daemon. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>

struct daemon_options {
	const char *name, *config, *version; /* given: config is the default */
	bool foreground, test, print, debug;
};

/* Reads argv.  -1 when the daemon is to go on, otherwise what main() returns. */
int daemon_options_read(struct daemon_options *o, int argc, char **argv);

#endif
