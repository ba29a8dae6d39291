/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VCMD_DAEMON_H
#define VCMD_DAEMON_H

#include "vcm/vcmd_config.h"

/* Run until a signal ends it; path is where cfg came from and is read again at SIGHUP.  The exit status. */
int vcmd_run(struct vcmd_config *cfg, const char *path, bool detach);

#endif
