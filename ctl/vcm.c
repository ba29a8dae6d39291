/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl vcm ...: what is asked of vcmd, and what it answers in a line; tables are in vcm_show.c. */
#include <arpa/inet.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/vcm.h"
#include "mip6/control.h"

#define SESSION "SESSION | NODE NODE"

static bool is_address(const char *text)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, text, &a) == 1;
}

static int no_address(const char *text)
{
	return ctl_fail(CTL_USAGE, "%s is not an IPv6 address", text);
}

/* Steals request; an object is the answer. */
static int ask(struct ctl *ctl, json_t *request, void (*print)(const struct ctl *ctl, json_t *data))
{
	json_t *data = NULL;
	int rc = ctl_ask(ctl, request, NULL, NULL, &data);

	if (rc == CTL_OK && ctl->json)
		ctl_print_json(data);
	else if (rc == CTL_OK)
		print(ctl, data);
	json_decref(data);
	return rc;
}

/* ---- nodes ---- */

static void print_node(const struct ctl *ctl, json_t *o)
{
	bool revoked = json_is_true(json_object_get(o, "revoked"));

	(void)ctl;
	printf("%s %s\n", ctl_text(o, "node"),
		revoked ? "is revoked: its sessions end, and it gets no more"
			: "is not revoked: it may have sessions again");
}

static int node_verb(struct ctl *ctl, int argc, char **argv)
{
	if (argc != 2)
		return ctl_vcm_misused(argv[0]);
	if (!is_address(argv[1]))
		return no_address(argv[1]);
	return ask(ctl, json_pack("{s:s, s:s}", "verb", argv[0], "node", argv[1]), print_node);
}

/* ---- sessions ---- */

static void print_session(const struct ctl *ctl, json_t *o)
{
	(void)ctl;
	printf("session %s of %s and %s; mip6ctl vcm sessions shows what becomes of it\n",
		ctl_text(o, "session"), ctl_text(o, "a"), ctl_text(o, "b"));
}

static int session_verb(struct ctl *ctl, int argc, char **argv)
{
	if (argc == 2)
		return ask(ctl, json_pack("{s:s, s:s}", "verb", argv[0], "session", argv[1]),
			print_session);
	if (argc != 3)
		return ctl_vcm_misused(argv[0]);
	for (int i = 1; i < 3; i++)
		if (!is_address(argv[i]))
			return no_address(argv[i]);
	return ask(ctl, json_pack("{s:s, s:s, s:s}", "verb", argv[0], "a", argv[1], "b", argv[2]),
		print_session);
}

/* ---- policy ---- */

static void print_policy(const struct ctl *ctl, json_t *o)
{
	bool allow = strcmp(ctl_text(o, "action"), "allow") == 0;

	for (const char *const *side = (const char *const[]){"a", "b", NULL}; *side; side++)
		if (!json_is_true(json_object_get(o, side[0][0] == 'a' ? "a_known" : "b_known")))
			printf("%s is no node of ours: it is not among nodes in vcmd.conf\n",
				ctl_text(o, *side));
	if (json_object_get(o, "rule"))
		printf("rule %lld: ", (long long)ctl_int(o, "rule"));
	else
		fputs("no rule fits: ", stdout);
	ctl_colored(stdout, ctl->color, allow ? GREEN : RED, ctl_text(o, "action"), 0);
	if (allow)
		printf(", %s, %s, %s, %s, for %s and %s", ctl_text(o, "variant"),
			ctl_text(o, "algorithm"),
			strcmp(ctl_text(o, "keys"), "shared") == 0 ? "one key"
								    : "a key for each direction",
			json_is_true(json_object_get(o, "kcn")) ? "with a Kcn" : "without a Kcn",
			ctl_duration(ctl_int(o, "lifetime_s")),
			ctl_duration(ctl_int(o, "linger_s")));
	putchar('\n');
}

static int policy_verb(struct ctl *ctl, int argc, char **argv)
{
	if (argc != 3)
		return ctl_vcm_misused(argv[0]);
	for (int i = 1; i < 3; i++)
		if (!is_address(argv[i]))
			return no_address(argv[i]);
	return ask(ctl, json_pack("{s:s, s:s, s:s}", "verb", "policy", "a", argv[1], "b", argv[2]),
		print_policy);
}

static void print_reload(const struct ctl *ctl, json_t *o)
{
	(void)ctl;
	if (ctl_int(o, "nodes"))
		printf("%lld rows of nodes, ", (long long)ctl_int(o, "nodes"));
	printf("%lld rules for pairs\n", (long long)ctl_int(o, "rules"));
}

static int reload_verb(struct ctl *ctl, int argc, char **argv)
{
	return argc > 1 ? ctl_vcm_misused(argv[0])
			: ask(ctl, json_pack("{s:s}", "verb", "reload"), print_reload);
}

/* ---- which ---- */

static const struct {
	const char *name, *args, *what;
	ctl_verb_fn *run;
} verbs[] = {
	{"status", "", "what the manager is and does", ctl_vcm_status},
	{"contexts", "[NODE]", "nodes, and where they are", ctl_vcm_contexts},
	{"sessions", "[NODE]", "pairs of nodes that talk directly", ctl_vcm_sessions},
	{"revoke", "NODE", "end its sessions; it gets no more", node_verb},
	{"unrevoke", "NODE", "it may have sessions again", node_verb},
	{"end", SESSION, "end a session: the two talk by the gateway again", session_verb},
	{"rekey", SESSION, "new keys for a session", session_verb},
	{"policy", "NODE NODE", "which rule is for this pair", policy_verb},
	{"reload", "", "read nodes and pairs of the configuration again", reload_verb},
	{"stats", "", "counters", ctl_vcm_stats},
	{"monitor", "", "show events as they happen, until interrupted", ctl_vcm_monitor},
};
#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

int ctl_vcm_misused(const char *verb)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i].name, verb) == 0)
			fprintf(stderr, "usage: mip6ctl [-j] [-s SOCKET] vcm %s%s%s\n", verb,
				verbs[i].args[0] ? " " : "", verbs[i].args);
	return CTL_USAGE;
}

static int usage(void)
{
	fputs("usage: mip6ctl [-j] [-s SOCKET] vcm VERB ...\n\n", stderr);
	for (size_t i = 0; i < N_VERBS; i++) {
		char call[80];

		snprintf(call, sizeof(call), "%s %s", verbs[i].name, verbs[i].args);
		fprintf(stderr, "  %-24s  %s\n", call, verbs[i].what);
	}
	return CTL_USAGE;
}

int ctl_vcm(struct ctl *ctl, int argc, char **argv)
{
	ctl->peer = "vcmd";
	if (!ctl->socket)
		ctl->socket = VCMD_CONTROL_SOCKET;
	for (size_t i = 0; argc > 1 && i < N_VERBS; i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(ctl, argc - 1, argv + 1);
	return argc > 1 ? ctl_fail(CTL_USAGE, "there is no verb vcm %s; see  mip6ctl vcm", argv[1])
			: usage();
}
