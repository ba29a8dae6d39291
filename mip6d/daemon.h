/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: the one place that knows both the protocol core (proto/) and
 * the system side (sys/).  It fills the core's tables with system functions
 * and brings the system's events to the core.
 */
#ifndef MIP6D_DAEMON_H
#define MIP6D_DAEMON_H

#include <stdbool.h>

struct mip6d_config;

/*
 * Run until SIGTERM or SIGINT.  detach: go to the background once everything
 * is in place.  Returns the exit status: 0 after a clean stop, 1 when
 * something needed is missing (said in the log).
 */
int daemon_run(const struct mip6d_config *cfg, bool detach);

#endif
