/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to the daemon; the protocol is described in mip6/control.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "mip6/control.h"
#include "lib/rr.h"

#define PATIENCE_S 20 /* for an answer */

static int cannot_connect(const char *peer, const char *path, int e)
{
	if (e == ENOENT || e == ECONNREFUSED)
		return ctl_fail(CTL_UNREACHABLE,
			"%s is not running: nobody listens on %s; start it, or name its socket "
			"with -s",
			peer, path);
	if (e == EACCES || e == EPERM)
		return ctl_fail(CTL_UNREACHABLE,
			"permission denied for %s; become root, or a member of the group that "
			"control.group in "
			"%s's configuration names",
			path, peer);
	return ctl_fail(CTL_UNREACHABLE, "cannot connect to %s: %s", path, strerror(e));
}

static int ctl_connect(struct ctl *ctl)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval patience = {PATIENCE_S, 0};
	const char *path = ctl->socket ? ctl->socket : MIP6_CONTROL_SOCKET;
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return ctl_fail(CTL_USAGE,
			"the path of the socket is too long; %zu characters are possible",
			sizeof(sun.sun_path) - 1);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ctl_fail(CTL_UNREACHABLE, "cannot open a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		int e = errno;

		close(fd);
		return cannot_connect(ctl->peer, path, e);
	}
	ctl->daemon = fdopen(fd, "r");
	if (!ctl->daemon) {
		close(fd);
		return ctl_fail(CTL_UNREACHABLE, "out of memory");
	}
	return CTL_OK;
}

/* Steals request. */
static int put_request(struct ctl *ctl, json_t *request)
{
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL, *line = NULL;
	int n = text ? asprintf(&line, "%s\n", text) : -1;
	bool ok = n > 0 && send(fileno(ctl->daemon), line, (size_t)n, MSG_NOSIGNAL) == n;

	/* a request may have a key in it */
	if (n > 0)
		rr_wipe(line, (size_t)n);
	if (n > 0)
		free(line);
	if (text)
		rr_wipe(text, strlen(text));
	free(text);
	json_decref(request);
	/* it may have closed already, and said why: the answer tells */
	return ok || errno == EPIPE
		       ? CTL_OK
		       : ctl_fail(CTL_UNREACHABLE, "cannot send to %s: %s", ctl->peer, strerror(errno));
}

json_t *ctl_next(struct ctl *ctl)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	json_t *o = NULL;

	errno = 0;
	n = getline(&line, &cap, ctl->daemon);
	if (n > 0)
		o = json_loadb(line, (size_t)n, 0, NULL);
	free(line);
	return o;
}

static int no_answer(const struct ctl *ctl)
{
	if (errno == EAGAIN)
		return ctl_fail(CTL_UNREACHABLE, "%s does not answer", ctl->peer);
	return ctl_fail(CTL_UNREACHABLE, "%s has closed the connection", ctl->peer);
}

int ctl_ask(struct ctl *ctl, json_t *request, void (*fn)(void *arg, json_t *element), void *arg,
	json_t **data)
{
	int rc = ctl->daemon ? CTL_OK : ctl_connect(ctl);
	bool more = true;

	if (rc != CTL_OK) {
		json_decref(request);
		return rc;
	}
	rc = put_request(ctl, request);
	while (rc == CTL_OK && more) {
		json_t *o = ctl_next(ctl), *part = json_object_get(o, "data"), *element;
		size_t i;

		if (!o)
			return no_answer(ctl);
		more = json_is_true(json_object_get(o, "more"));
		if (!json_is_true(json_object_get(o, "ok")))
			rc = ctl_fail(CTL_REFUSED, "%s", ctl_text(o, "error"));
		else if (!fn)
			*data = json_incref(part);
		else
			json_array_foreach(part, i, element) fn(arg, element);
		json_decref(o);
	}
	return rc;
}

void ctl_close(struct ctl *ctl)
{
	if (ctl->daemon)
		fclose(ctl->daemon);
	ctl->daemon = NULL;
}
