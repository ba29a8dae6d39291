/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mip6ctl kbm set|del LOCAL PEER.  The key comes by standard input, where
 * neither the list of processes nor a shell's history shows it.
 */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/rr.h"

#define LINE 512

/* Kcn, home nonce and care-of nonce, as in the file of shared_keys. */
static json_t *with_key(json_t *request)
{
	static const char *const names[] = {"kcn", "home_nonce", "care_of_nonce"};
	char line[LINE], *rest = line, *word;
	size_t n = 0;

	if (isatty(STDIN_FILENO))
		fputs("KCN HOME-NONCE CARE-OF-NONCE, in hexadecimal digits: ", stderr);
	setbuf(stdin, NULL); /* no copy of the key in a buffer */
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	while (n < 3 && (word = strtok_r(rest, " \t\r\n", &rest)))
		json_object_set_new(request, names[n++], json_string(word));
	rr_wipe(line, sizeof(line));
	if (n == 3)
		return request;
	json_decref(request);
	return NULL;
}

int ctl_kbm(struct ctl *ctl, int argc, char **argv)
{
	json_t *data = NULL, *request;
	struct in6_addr a;
	bool set;
	int rc;

	set = argc == 4 && strcmp(argv[1], "set") == 0;
	if (argc != 4 || (!set && strcmp(argv[1], "del") != 0))
		return ctl_misused(argv[0]);
	for (int i = 2; i < 4; i++)
		if (inet_pton(AF_INET6, argv[i], &a) != 1)
			return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", argv[i]);
	request = json_pack("{s:s, s:s, s:s, s:s}", "verb", "kbm", "action", argv[1], "local",
		argv[2], "peer", argv[3]);
	if (set)
		request = with_key(request);
	if (!request)
		return ctl_fail(CTL_USAGE, "standard input must have a line  KCN HOME-NONCE "
					   "CARE-OF-NONCE");
	rc = ctl_ask(ctl, request, NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json)
		ctl_print_json(data);
	else if (rc == CTL_OK)
		printf("%s and %s %s\n", ctl_text(data, "local"), ctl_text(data, "peer"),
			set ? "share a key" : "share no key any more");
	json_decref(data);
	return rc;
}
