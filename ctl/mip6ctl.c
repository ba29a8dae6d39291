/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl: look into a running mip6d, and check its configuration.  Requirement U1. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "mip6/control.h"

#ifndef PACKAGE_STRING
#define PACKAGE_STRING "homebound"
#endif

static const struct {
	const char *name, *args, *what;
	ctl_verb_fn *run;
} verbs[] = {
	{"status", "", "what the daemon is and does", ctl_status},
	{"bindings", "[HOME_ADDRESS]", "home agent: who is where", ctl_bindings},
	{"links", "", "mobile node: its interfaces", ctl_links},
	{"prefer", "INTERFACE PREFERENCE", "mobile node: change the order of its interfaces", ctl_prefer},
	{"correspondents", "[bindings]", "the direct paths: ours to others, or theirs to us",
		ctl_correspondents},
	{"ro", "on|off|flush PEER", "mobile node: talk to somebody directly, or not", ctl_ro},
	{"kbm", "set|del LOCAL PEER", "share a key with a peer (RFC 4449); set reads it from stdin",
		ctl_kbm},
	{"sessions", "[end PEER]", "mobile node: direct tunnels with other nodes of the intranet", ctl_sessions},
	{"stats", "", "counters", ctl_stats},
	{"monitor", "", "show events as they happen, until interrupted", ctl_monitor},
	{"remove", "HOME_ADDRESS", "home agent: remove a binding", ctl_remove},
	{"revoke", "HOME_ADDRESS [REASON]", "home agent: end a binding, and tell the node", ctl_revoke},
	{"switch", "HOME_ADDRESS|all [HOME_AGENT...]", "home agent: ask nodes to use another", ctl_switch},
	{"home-agents", "", "those of the home link, as far as they are known", ctl_home_agents},
	{"prefixes", "[set PREFIX VALID PREFERRED | remove PREFIX]",
		"prefixes of the home link; home agent: change them", ctl_prefixes},
	{"sas", "[HOME_ADDRESS]", "security associations, and what has gone by them", ctl_sas},
	{"ipsec", "check | mend | keys [gateway|manager] ADDRESS ADDRESS [ALGORITHM]",
		"compare SAs and policies with the kernel; make keys", ctl_ipsec},
	{"vcm", "VERB ...", "the VPN Connectivity Manager, vcmd; mip6ctl vcm shows what there is", ctl_vcm},
	{"gateway", "[nodes|pairs]", "security gateway: who is where, and who talks with whom", ctl_gateway},
	{"config", "check FILE", "check a configuration file; needs no daemon", ctl_config},
};
#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static int usage(FILE *to)
{
	fputs("usage: mip6ctl [-j] [-s SOCKET] VERB ...\n\n", to);
	for (size_t i = 0; i < N_VERBS; i++) {
		char call[80];

		snprintf(call, sizeof(call), "%s %s", verbs[i].name, verbs[i].args);
		fprintf(to, "  %-24s  %s\n", call, verbs[i].what);
	}
	fputs("\n"
	      "  -j, --json           JSON instead of tables\n"
	      "  -s, --socket SOCKET  of the daemon; default " MIP6_CONTROL_SOCKET "\n"
	      "                       and " VCMD_CONTROL_SOCKET " for vcm\n"
	      "  -h, --help           this text\n"
	      "      --version\n",
		to);
	return to == stdout ? CTL_OK : CTL_USAGE;
}

int ctl_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("mip6ctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
	return status;
}

int ctl_misused(const char *verb)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i].name, verb) == 0)
			fprintf(stderr, "usage: mip6ctl [-j] [-s SOCKET] %s%s%s\n", verb,
				verbs[i].args[0] ? " " : "", verbs[i].args);
	return CTL_USAGE;
}

/* Only for eyes: on a terminal, and not for those who say no (no-color.org). */
static bool want_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i].name, argv[0]) == 0)
			return verbs[i].run(ctl, argc, argv);
	if (strcmp(argv[0], "help") == 0)
		return usage(stdout);
	return ctl_fail(CTL_USAGE, "there is no verb %s; see  mip6ctl help", argv[0]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"socket", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	struct ctl ctl = {.peer = "mip6d", .color = want_color()};
	int c, rc;

	/* options may stand behind the verb as well */
	while ((c = getopt_long(argc, argv, "js:h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			ctl.json = true;
			break;
		case 's':
			ctl.socket = optarg;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			puts("mip6ctl of " PACKAGE_STRING);
			return CTL_OK;
		default:
			return usage(stderr);
		}
	}
	if (optind == argc)
		return usage(stderr);
	rc = run(&ctl, argc - optind, argv + optind);
	ctl_close(&ctl);
	if (fflush(stdout) != 0 && rc == CTL_OK)
		rc = ctl_fail(CTL_REFUSED, "cannot write the output");
	return rc;
}
