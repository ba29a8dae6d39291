/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcmd without a network: the real control socket, configuration and audit
 * lines before a manager that is made up (tests/fake_manager.h), for tests of
 * mip6ctl's print-out.
 *
 *     vcm_daemon CONFIG-FILE
 *
 * Commands come on standard input, one a line; each is answered with "ok".
 *
 *     event WHAT     an event of the first session, with WHAT; session-down is said by b
 *     many N         so many more nodes
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake_manager.h"
#include "vcm/vcmd_audit.h"
#include "vcm/vcmd_config.h"
#include "vcm/vcmd_control.h"

struct world {
	struct event_base *base;
	const char *path;
	struct vcmd_config config;
	struct vcmd_audit *audit;
	struct control *control;
	struct control_backend backend;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "vcm_daemon: %s\n", what);
	exit(2);
}

static monotime_t now(void *ctx)
{
	(void)ctx;
	return (monotime_t){3723 * 1000000ll};
}

static void tell(struct world *w, json_t *line)
{
	if (w->audit)
		vcmd_audit_write(w->audit, line);
	control_tell(w->control, line);
}

static void acted(void *ctx, const char *what, const char *object)
{
	tell(ctx, vcmd_audit_action(what, object));
}

static bool reload(void *ctx, char *err, size_t errlen)
{
	struct config_errors errors;
	struct vcmd_config next;
	struct world *w = ctx;
	bool ok = vcmd_config_load(w->path, &next, &errors);

	if (!ok)
		snprintf(err, errlen, "%s", errors.lines[0]);
	config_errors_release(&errors);
	if (!ok)
		return false;
	vcmd_config_release(&w->config);
	w->config = next;
	return true;
}

static bool note_pair(void *arg, const struct vcm_session_record *r)
{
	*(struct vcm_session_record *)arg = *r;
	return false;
}

static void command(struct world *w, char *line)
{
	const char *verb = strtok(line, " \n"), *arg = strtok(NULL, " \n");

	if (verb && arg && strcmp(verb, "event") == 0) {
		struct vcm_session_record r = {0};
		struct vcm_audit a;

		vcm_manager_foreach_session(w->backend.manager, note_pair, &r);
		a = (struct vcm_audit){.what = arg,
			.session = r.id,
			.generation = r.generation,
			.a = r.a,
			.b = r.b,
			.node = strcmp(arg, "session-down") == 0 ? r.b : in6addr_any,
			.text = r.algorithm,
			.spi_a = r.spi_a,
			.spi_b = r.spi_b,
			.packets_ab = 12};
		tell(w, vcmd_audit_json(&a));
	} else if (verb && arg && strcmp(verb, "many") == 0) {
		vcm_manager_free(w->backend.manager);
		w->backend.manager = fake_manager_new((size_t)atoi(arg));
	} else {
		die("what?");
	}
	puts("ok");
	fflush(stdout);
}

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct world *w = arg;
	char line[256];
	ssize_t n = read(fd, line, sizeof(line) - 1); /* the test sends one line and waits */

	(void)what;
	if (n <= 0) {
		event_base_loopbreak(w->base);
		return;
	}
	line[n] = '\0';
	command(w, line);
}

int main(int argc, char **argv)
{
	struct world w = {0};
	struct config_errors errors;
	struct control_config c;
	struct event *input;
	char err[512];

	if (argc != 2 || !vcmd_config_load(argv[1], &w.config, &errors))
		die(argc == 2 && errors.n ? errors.lines[0] : "give a configuration");
	config_errors_release(&errors);
	w.path = argv[1];
	w.base = event_base_new();
	w.backend = (struct control_backend){.manager = fake_manager_new(0),
		.config = &w.config,
		.version = "0",
		.ctx = &w,
		.now = now,
		.reload = reload,
		.acted = acted};
	if (w.config.audit_file[0] &&
		!(w.audit = vcmd_audit_open(w.config.audit_file, err, sizeof(err))))
		die(err);
	c = (struct control_config){.daemon = "vcmd",
		.socket = w.config.control_socket,
		.group = w.config.control_group,
		.verbs = vcmd_verbs,
		.backend = &w.backend,
		.now = now};
	w.control = control_open(w.base, &c, err, sizeof(err));
	if (!w.control)
		die(err);
	input = event_new(w.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &w);
	event_add(input, NULL);
	puts("ready");
	fflush(stdout);
	event_base_dispatch(w.base);
	event_free(input);
	control_stop(w.control);
	vcmd_audit_close(w.audit);
	vcm_manager_free(w.backend.manager);
	vcmd_config_release(&w.config);
	event_base_free(w.base);
	return 0;
}
