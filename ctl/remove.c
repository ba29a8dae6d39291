/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl remove HOME_ADDRESS */
#include <arpa/inet.h>

#include "ctl/ctl.h"

int ctl_remove(struct ctl *ctl, int argc, char **argv)
{
	json_t *data = NULL;
	struct in6_addr a;
	int rc;

	if (argc != 2)
		return ctl_misused(argv[0]);
	if (inet_pton(AF_INET6, argv[1], &a) != 1)
		return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", argv[1]);
	rc = ctl_ask(ctl, json_pack("{s:s, s:s}", "verb", "remove", "home_address", argv[1]), NULL,
		NULL, &data);
	if (rc == CTL_OK && ctl->json)
		ctl_print_json(data);
	else if (rc == CTL_OK)
		printf("removed the binding of %s with %s\n", ctl_text(data, "home_address"),
			ctl_text(data, "care_of"));
	json_decref(data);
	return rc;
}
