/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The group ipsec. */
#include "mip6d/config_read.h"

static const char *const moves_names[] = {"mip6d", "charon", NULL};

static const struct config_key ipsec_keys[] = {
	CONFIG_KEY("moves", config_read_choice, offsetof(struct config_ipsec, moves), "\"mip6d\"",
		.choices = moves_names),
	{.name = NULL},
};

const char *config_moves_name(enum config_moves m)
{
	return moves_names[m];
}

bool config_read_ipsec_group(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s, void *field)
{
	(void)k;
	if (!config_is_group(r, s))
		return false;
	config_read_group(r, ipsec_keys, s, field);
	return true;
}
