/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAs of the manager with gateways and nodes by manual keys, and the policies
 * that demand them (doc/vcm.md, requirement V1).
 */
#ifndef VCMD_SAS_H
#define VCMD_SAS_H

#include "vcm/vcmd_config.h"
#include "vcm/vcmd_store.h"

struct sys_loop;
struct vcmd_sas; /* opaque */

/* Both SAs and the policies of all for whom there are keys are there when it returns.  NULL with err filled. */
struct vcmd_sas *vcmd_sas_open(const struct vcmd_config *c, struct vcmd_store *store,
	struct sys_loop *loop, char *err, size_t errlen);
/* Nothing of it is left in the kernel.  NULL is fine. */
void vcmd_sas_close(struct vcmd_sas *s);

#endif
