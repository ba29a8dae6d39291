/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6ctl status */
#include <string.h>

#include "ctl/ctl.h"

static void line(struct ctl_table *t, const char *label, enum ctl_color color, const char *value)
{
	struct ctl_row *row;

	if (!value[0])
		return;
	row = ctl_table_row(t);
	ctl_cell(row, 0, DIM, "%s", label);
	ctl_cell(row, 1, color, "%s", value);
}

static void home_agent(struct ctl_table *t, const json_t *ha)
{
	const char *link = ctl_text(ha, "home_link");
	char text[64];

	line(t, "address", PLAIN, ctl_text(ha, "address"));
	line(t, "home link", PLAIN, link[0] ? link : "virtual");
	snprintf(text, sizeof(text), "%lld of at most %lld", (long long)ctl_int(ha, "bindings"),
		(long long)ctl_int(ha, "max_bindings"));
	line(t, "bindings", PLAIN, text);
	if (json_object_get(ha, "mobile_networks")) {
		snprintf(text, sizeof(text), "%lld in the table",
			(long long)ctl_int(ha, "mobile_networks"));
		line(t, "mobile networks", PLAIN, text);
	}
}

static void mobile_router(struct ctl_table *t, const json_t *router)
{
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(router, "prefixes"), i, p)
		line(t, i ? "" : "mobile network", PLAIN, json_string_value(p));
	line(t, "mode", PLAIN, ctl_text(router, "mode"));
	if (json_is_true(json_object_get(router, "refused")))
		line(t, "", RED, "the home agent does not serve it; mip6d does not ask again");
}

static void in_ms(struct ctl_table *t, const char *label, const json_t *mn, const char *key)
{
	char text[64];

	if (!json_object_get(mn, key))
		return;
	snprintf(text, sizeof(text), "in %.1f s", (double)ctl_int(mn, key) / 1000);
	line(t, label, PLAIN, text);
}

static void mobile_node(struct ctl_table *t, const json_t *mn)
{
	const char *location = ctl_text(mn, "location"),
		   *registration = ctl_text(mn, "registration");
	const json_t *status = json_object_get(mn, "last_status");
	char text[128];

	line(t, "location", ctl_state_color(location), location);
	line(t, "registration", ctl_state_color(registration), registration);
	if (status)
		line(t, "last answer", ctl_int(status, "code") >= 128 ? RED : PLAIN,
			ctl_text(status, "text"));
	line(t, "home address", PLAIN, ctl_text(mn, "home_address"));
	line(t, "home agent", PLAIN, ctl_text(mn, "home_agent"));
	if (json_is_true(json_object_get(mn, "leaving")))
		line(t, "", YELLOW, "leaving it for another");
	if (json_is_true(json_object_get(mn, "unreachable")))
		line(t, "", RED, "does not answer heartbeats");
	if (ctl_int(mn, "revoked_for_s")) {
		snprintf(text, sizeof(text), "for another %s",
			ctl_duration(ctl_int(mn, "revoked_for_s")));
		line(t, "revoked", RED, text);
	}
	line(t, "care-of address", PLAIN, ctl_text(mn, "care_of"));
	line(t, "interface", PLAIN, ctl_text(mn, "interface"));
	line(t, "router", PLAIN, ctl_text(mn, "router"));
	if (ctl_int(mn, "lifetime_s")) {
		snprintf(text, sizeof(text), "%s left of %s",
			ctl_duration(ctl_int(mn, "remaining_s")),
			ctl_duration(ctl_int(mn, "lifetime_s")));
		line(t, "lifetime", PLAIN, text);
	}
	if (json_object_get(mn, "mobile_router"))
		mobile_router(t, json_object_get(mn, "mobile_router"));
	in_ms(t, "refresh", mn, "refresh_in_ms");
	in_ms(t, "retransmission", mn, "retransmit_in_ms");
	snprintf(text, sizeof(text), "%lld", (long long)ctl_int(mn, "moves"));
	line(t, "moves", PLAIN, text);
	snprintf(text, sizeof(text), "%lld", (long long)ctl_int(mn, "correspondents"));
	line(t, "correspondents", PLAIN, text);
}

static void correspondent(struct ctl_table *t, const json_t *cn)
{
	char text[64];

	snprintf(text, sizeof(text), "%lld of at most %lld", (long long)ctl_int(cn, "bindings"),
		(long long)ctl_int(cn, "max_bindings"));
	line(t, "direct to", PLAIN, text);
}

/* "manual keys, arrangement migrate, payload protected, 3 nodes, 2 bound" */
static void ipsec(struct ctl_table *t, const json_t *i)
{
	const char *manager = ctl_text(i, "manager"), *arrangement = ctl_text(i, "arrangement");
	char text[160];

	if (strcmp(manager, "none") == 0) {
		line(t, "ipsec", YELLOW, "none: signalling is not protected");
		return;
	}
	if (strcmp(ctl_text(i, "moves"), "charon") == 0) {
		line(t, "ipsec", PLAIN, "strongswan, which moves the tunnel");
		return;
	}
	snprintf(text, sizeof(text), "%s%s", manager, arrangement[0] ? "" : ", not ready yet");
	line(t, "ipsec", arrangement[0] ? GREEN : YELLOW, text);
	if (!arrangement[0])
		return;
	line(t, "arrangement", PLAIN, arrangement);
	line(t, "payload", PLAIN,
		json_is_true(json_object_get(i, "payload")) ? "protected"
							    : "in clear, but for HoTI and HoT");
	snprintf(text, sizeof(text), "%lld, %lld bound", (long long)ctl_int(i, "nodes"),
		(long long)ctl_int(i, "bound"));
	line(t, "nodes with SAs", PLAIN, text);
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_table t = {.right = "ll"};
	json_t *data = NULL;
	char text[128];
	int rc;

	if (argc > 1)
		return ctl_misused(argv[0]);
	rc = ctl_ask(ctl, json_pack("{s:s}", "verb", "status"), NULL, NULL, &data);
	if (rc == CTL_OK && ctl->json) {
		ctl_print_json(data);
	} else if (rc == CTL_OK) {
		line(&t, "role", BOLD, ctl_text(data, "role"));
		snprintf(text, sizeof(text), "%s, running for %s, process %lld",
			ctl_text(data, "version"), ctl_duration(ctl_int(data, "uptime_s")),
			(long long)ctl_int(data, "pid"));
		line(&t, "mip6d", PLAIN, text);
		if (json_object_get(data, "home_agent"))
			home_agent(&t, json_object_get(data, "home_agent"));
		if (json_object_get(data, "mobile_node"))
			mobile_node(&t, json_object_get(data, "mobile_node"));
		if (json_object_get(data, "correspondent"))
			correspondent(&t, json_object_get(data, "correspondent"));
		if (json_object_get(data, "ipsec"))
			ipsec(&t, json_object_get(data, "ipsec"));
		ctl_table_print(&t, ctl->color, stdout);
		ctl_table_free(&t);
	}
	json_decref(data);
	return rc;
}
