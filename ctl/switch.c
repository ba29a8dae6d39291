/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl switch HOME_ADDRESS|all [HOME_AGENT...] */
#include <arpa/inet.h>
#include <string.h>

#include "ctl/ctl.h"

static json_t *request_of(int argc, char **argv)
{
	json_t *request = json_pack("{s:s}", "verb", "switch"), *agents = json_array();

	if (strcmp(argv[1], "all") != 0)
		json_object_set_new(request, "home_address", json_string(argv[1]));
	for (int i = 2; i < argc; i++)
		json_array_append_new(agents, json_string(argv[i]));
	json_object_set_new(request, "home_agents", agents);
	return request;
}

int ctl_switch(struct ctl *ctl, int argc, char **argv)
{
	json_t *data = NULL;
	struct in6_addr a;
	int rc;

	if (argc < 2)
		return ctl_misused(argv[0]);
	for (int i = 1; i < argc; i++)
		if (inet_pton(AF_INET6, argv[i], &a) != 1 &&
			!(i == 1 && strcmp(argv[1], "all") == 0))
			return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", argv[i]);
	rc = ctl_ask(ctl, request_of(argc, argv), NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json)
		ctl_print_json(data);
	else if (rc == CTL_OK)
		printf("%lld asked to leave; mip6ctl monitor shows how they do\n",
			(long long)ctl_int(data, "nodes"));
	json_decref(data);
	return rc;
}
