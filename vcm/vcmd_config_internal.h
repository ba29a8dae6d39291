/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that read vcmd.conf. */
#ifndef VCMD_CONFIG_INTERNAL_H
#define VCMD_CONFIG_INTERNAL_H

#include "common/config_read.h"
#include "vcm/vcmd_config.h"

/* An address or a prefix. */
bool vcmd_config_members(struct config_reader *r, const config_setting_t *s, struct ip6_prefix *p);

/* vcmd_config_pairs.c; field is the struct vcmd_config */
config_read_fn vcmd_config_read_pairs;
void vcmd_config_print_pairs(const struct vcmd_config *c, FILE *to);
/* One rule that allows all; false when out of memory. */
bool vcmd_config_default_pairs(struct vcmd_config *c);

#endif
