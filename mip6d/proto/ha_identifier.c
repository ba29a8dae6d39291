/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mobile Node Identifier (RFC 4283): who a mobile node says that it is, as a
 * Network Access Identifier (3.1).  It is kept with the binding and told; with
 * a list of identifiers in the configuration, a node that says none of them
 * does not get a binding.  It proves nothing that IPsec does not prove.
 */
#include <stdlib.h>
#include <string.h>

#include "mip6d/proto/ha_internal.h"

/* What is shown to people and written into logs: printable, and no longer than RFC 4282 2.2 lets it be. */
static bool is_readable(const uint8_t *id, size_t len)
{
	if (!len || len > MN_ID_NAI_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] >= 0x7f)
			return false;
	return true;
}

static const struct mh_option *find(const struct mh_message *m)
{
	const struct mh_option *o = mh_option(m, MHOPT_MN_ID);

	return o && o->u.mn_id.subtype == MN_ID_NAI && is_readable(o->u.mn_id.id, o->u.mn_id.len)
		       ? o
		       : NULL;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool ha_identifier_allowed(
	const struct ha *ha, const struct ha_binding *b, const struct mh_message *m)
{
	const struct mh_option *o = find(m);
	char text[MN_ID_NAI_MAX + 1];
	const char *key = text;

	if (!ha->config.n_identifiers)
		return true;
	/* 4.2: it is only needed at the first registration. */
	if (!o)
		return b && ha_binding_is_alive(b) && !mh_option(m, MHOPT_MN_ID);
	memcpy(text, o->u.mn_id.id, o->u.mn_id.len);
	text[o->u.mn_id.len] = '\0';
	return bsearch(
		&key, ha->config.identifiers, ha->config.n_identifiers, sizeof(key), compare_text);
}

void ha_identifier_take(struct ha_binding *b, const struct mh_message *m)
{
	const struct mh_option *o = find(m);

	if (!o || (b->identifier && strlen(b->identifier) == o->u.mn_id.len &&
			  memcmp(b->identifier, o->u.mn_id.id, o->u.mn_id.len) == 0))
		return;
	free(b->identifier);
	b->identifier = strndup((const char *)o->u.mn_id.id, o->u.mn_id.len);
	log_debug("%s is %s", in6_str(&b->node.addr), b->identifier ? b->identifier : "?");
}
