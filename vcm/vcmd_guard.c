/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vcm/vcmd_guard.h"

#include "common/nft_load.h"

#define TABLE "vcmd"

int vcmd_guard_on(const struct vcmd_config *c, char *err, size_t errlen)
{
	const char *address = in6_str(&c->address);
	char text[1024], why[512];
	int rc;

	/* "add" first: there may be none to delete */
	snprintf(text, sizeof(text),
		"add table ip6 " TABLE "\ndelete table ip6 " TABLE "\n"
		"table ip6 " TABLE " {\n"
		"\tchain in {\n\t\ttype filter hook input priority -150; policy accept;\n"
		"\t\tip6 daddr %s udp dport { %u, %u } meta secpath missing counter drop\n\t}\n"
		"\tchain out {\n\t\ttype filter hook output priority -150; policy accept;\n"
		"\t\tip6 saddr %s udp sport { %u, %u } rt ipsec missing counter drop\n\t}\n}\n",
		address, c->port, c->probe_port, address, c->port, c->probe_port);
	rc = nft_load(text, false, why, sizeof(why));
	if (rc)
		snprintf(err, errlen,
			"the packet filter that keeps out what does not come through IPsec cannot be "
			"loaded: %s; is nftables in the kernel, and CAP_NET_ADMIN given?",
			why);
	return rc;
}

void vcmd_guard_off(void)
{
	char why[512];

	(void)nft_load("delete table ip6 " TABLE "\n", false, why, sizeof(why));
}
