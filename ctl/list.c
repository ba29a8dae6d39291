/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists that a daemon answers with, as tables. */
#include <arpa/inet.h>

#include "ctl/ctl.h"

struct list {
	struct ctl_table *t;
	json_t *all; /* with -j */
	ctl_row_fn *add;
};

static void add(void *arg, json_t *element)
{
	struct list *l = arg;

	if (l->all)
		json_array_append(l->all, element);
	else
		l->add(l->t, element);
}

int ctl_list(struct ctl *ctl, json_t *request, struct ctl_table *t, ctl_row_fn *add_row)
{
	struct list l = {.t = t, .all = ctl->json ? json_array() : NULL, .add = add_row};
	int rc = ctl_ask(ctl, request, add, &l, NULL);

	if (rc == CTL_OK && l.all) {
		ctl_print_json(l.all);
	} else if (rc == CTL_OK) {
		ctl_table_sort(t);
		ctl_table_print(t, ctl->color, stdout);
	}
	json_decref(l.all);
	ctl_table_free(t);
	return rc;
}

json_t *ctl_request_of(const char *verb, const char *key, const char *address)
{
	struct in6_addr a;

	if (!address)
		return json_pack("{s:s}", "verb", verb);
	if (inet_pton(AF_INET6, address, &a) == 1)
		return json_pack("{s:s, s:s}", "verb", verb, key, address);
	(void)ctl_fail(CTL_USAGE, "%s is not an IPv6 address", address);
	return NULL;
}
