/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6d's control socket: common/control.h with its verbs and events. */
#include "mip6d/config.h"
#include "mip6d/control_internal.h"

struct control *control_start(
	struct event_base *base, const struct control_backend *backend, char *err, size_t errlen)
{
	const struct control_config c = {.daemon = "mip6d",
		.socket = backend->config->control_socket,
		.group = backend->config->control_group,
		.verbs = control_verbs,
		.backend = backend,
		.now = backend->now,
		.ctx = backend->ctx};

	return control_open(base, &c, err, errlen);
}

void control_event(struct control *c, const struct mip6_event *e)
{
	if (control_monitored(c))
		control_tell(c, control_json_event(e, control_now(c)));
}
