/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl revoke HOME_ADDRESS [REASON] */
#include <arpa/inet.h>

#include "ctl/ctl.h"

int ctl_revoke(struct ctl *ctl, int argc, char **argv)
{
	json_t *data = NULL, *request;
	struct in6_addr a;
	int rc;

	if (argc < 2 || argc > 3)
		return ctl_misused(argv[0]);
	if (inet_pton(AF_INET6, argv[1], &a) != 1)
		return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", argv[1]);
	request = json_pack("{s:s, s:s}", "verb", "revoke", "home_address", argv[1]);
	if (argc == 3)
		json_object_set_new(request, "reason", json_string(argv[2]));
	rc = ctl_ask(ctl, request, NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json)
		ctl_print_json(data);
	else if (rc == CTL_OK)
		printf("revoking the binding of %s with %s; mip6ctl monitor shows the answer\n",
			ctl_text(data, "home_address"), ctl_text(data, "care_of"));
	json_decref(data);
	return rc;
}
