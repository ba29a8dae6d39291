/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl monitor */
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "ctl/ctl.h"

static enum ctl_color event_color(const char *event)
{
	static const char *const bad[] = {"bu-refused", "ba-refused", "binding-lost",
		"address-duplicate", "bad-packet", "link-down"};
	static const char *const good[] = {
		"binding-new", "binding-moved", "registered", "moved", "deregistered"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(event, bad[i]) == 0)
			return RED;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(event, good[i]) == 0)
			return GREEN;
	return PLAIN;
}

/* "2026-01-02T03:04:05.678901Z" as the local time of day, in milliseconds */
void ctl_print_time(const char *text, bool color)
{
	char out[16], shown[32];
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t t = timegm(&tm);

	if (!rest || !localtime_r(&t, &tm) || !strftime(out, sizeof(out), "%H:%M:%S", &tm)) {
		printf("%s", text);
		return;
	}
	snprintf(shown, sizeof(shown), "%s%.4s", out, rest[0] == '.' ? rest : "");
	ctl_colored(stdout, color, DIM, shown, 0);
}

static void detail(const json_t *e, const char *key, const char *name)
{
	const char *v = ctl_text(e, key);

	if (v[0])
		printf("  %s %s", name, v);
}

static void print_event(const struct ctl *ctl, const json_t *e)
{
	const char *event = ctl_text(e, "event");
	const json_t *status = json_object_get(e, "status");
	const char *peer = ctl_text(e, "peer"), *text = ctl_text(e, "text");

	ctl_print_time(ctl_text(e, "time"), ctl->color);
	fputs("  ", stdout);
	ctl_colored(stdout, ctl->color, event_color(event), event, -17);
	detail(e, "internal_address", "internal");
	detail(e, "home_address", "home");
	detail(e, "care_of", "care-of");
	if (strcmp(peer, ctl_text(e, "care_of")) != 0 &&
		strcmp(peer, ctl_text(e, "home_address")) != 0)
		detail(e, "peer", "peer");
	detail(e, "interface", "on");
	if (json_object_get(e, "seq"))
		printf("  seq %lld", (long long)ctl_int(e, "seq"));
	if (ctl_int(e, "lifetime_s"))
		printf("  for %s", ctl_duration(ctl_int(e, "lifetime_s")));
	if (status && ctl_int(status, "code"))
		printf("  status %lld (%s)", (long long)ctl_int(status, "code"),
			ctl_text(status, "text"));
	if (strcmp(text, ctl_text(status, "text")) != 0)
		detail(e, "text", "-");
	putchar('\n');
}

int ctl_watch(struct ctl *ctl, void (*print)(const struct ctl *ctl, const json_t *event))
{
	static const struct timeval for_ever = {0, 0};
	json_t *data = NULL, *e;
	int rc = ctl_ask(ctl, json_pack("{s:s}", "verb", "monitor"), NULL, NULL, &data);

	json_decref(data);
	if (rc != CTL_OK)
		return rc;
	setsockopt(fileno(ctl->daemon), SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((e = ctl_next(ctl))) {
		if (ctl->json) {
			json_dumpf(e, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print(ctl, e);
		}
		json_decref(e);
		if (ferror(stdout))
			return CTL_REFUSED;
	}
	return ctl_fail(CTL_UNREACHABLE, "%s has closed the connection", ctl->peer);
}

int ctl_monitor(struct ctl *ctl, int argc, char **argv)
{
	return argc > 1 ? ctl_misused(argv[0]) : ctl_watch(ctl, print_event);
}
