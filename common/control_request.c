/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the control socket becomes a verb and its arguments. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/control.h"

json_t *control_fail(struct control_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(call->error, sizeof(call->error), fmt, ap);
	va_end(ap);
	return NULL;
}

static const struct control_verb *find_verb(const struct control_verb *verbs, const char *name)
{
	for (const struct control_verb *v = verbs; v->name; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static bool knows(const struct control_verb *verb, const char *arg)
{
	for (const char *const *a = verb->args; *a; a++)
		if (strcmp(*a, arg) == 0)
			return true;
	return false;
}

/* An argument that nobody looks at would be a wish that is silently not granted. */
static bool check_args(const struct control_verb *verb, json_t *args, char *error, size_t cap)
{
	const char *key;
	json_t *value;

	json_object_foreach(args, key, value) if (!knows(verb, key))
	{
		snprintf(error, cap, "%s does not know the argument %.40s", verb->name, key);
		return false;
	}
	return true;
}

const struct control_verb *control_read(const struct control_verb *verbs, const char *line,
	size_t len, json_t **args, char *error, size_t cap)
{
	const struct control_verb *verb = NULL;
	json_error_t e;
	json_t *name, *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);

	*args = NULL;
	if (!request) {
		snprintf(error, cap, "not JSON, at character %d: %.100s", e.position, e.text);
		return NULL;
	}
	name = json_object_get(request, "verb");
	if (!json_is_string(name))
		snprintf(error, cap, "a request is an object with a \"verb\"");
	else if (!(verb = find_verb(verbs, json_string_value(name))))
		snprintf(error, cap, "there is no verb %.40s", json_string_value(name));
	else
		json_object_del(request, "verb");
	if (!verb || !check_args(verb, request, error, cap)) {
		json_decref(request);
		return NULL;
	}
	*args = request;
	return verb;
}
