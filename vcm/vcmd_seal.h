/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the sealing key of the store comes from (vcmd.conf(5), store). */
#ifndef VCMD_SEAL_H
#define VCMD_SEAL_H

#include "vcm/vcmd_config.h"
#include "vcm/vcmd_record.h"

/*
 * From a file that nobody else may read, which is made where the
 * configuration says so, or from systemd's credentials.  False with err filled.
 */
bool vcmd_seal_load(struct vcmd_seal *s, const struct vcmd_config *c, char *err, size_t errlen);
void vcmd_seal_wipe(struct vcmd_seal *s);

#endif
