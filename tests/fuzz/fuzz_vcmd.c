/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vcmd reads that others may have written.  The first octet chooses:
 * a record of the store whose seal was broken open (any octets under a good
 * seal are the worst case), a record as it is, a configuration, or requests on the
 * control socket, a line each.  abort() is how a fuzzer is told.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_manager.h"
#include "vcm/vcmd_config.h"
#include "vcm/vcmd_control.h"
#include "vcm/vcmd_envelope.h"
#include "vcm/vcmd_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static void not_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, 7, n);
}

static const struct vcmd_seal seal = {.random = not_random};

/* What was read is written, and that is read to the same. */
static void session(const uint8_t *data, size_t size)
{
	static const uint8_t key[VCMD_SESSION_KEY_LEN] = {1};
	struct vcm_session_record r, again;
	uint8_t value[VCMD_RECORD_MAX];
	size_t n;

	if (vcmd_session_read(&seal, key, sizeof(key), data, size, &r))
		return;
	n = vcmd_session_write(&seal, &r, value);
	REQUIRE(n && !vcmd_session_read(&seal, key, sizeof(key), value, n, &again));
	REQUIRE(memcmp(&r, &again, sizeof(r)) == 0);
}

static void context(const uint8_t *data, size_t size)
{
	static const uint8_t key[VCMD_CONTEXT_KEY_LEN] = {1};
	struct in6_addr room[VCMD_MAX_CORRESPONDENTS];
	struct vcm_context_record r;
	uint8_t value[VCMD_RECORD_MAX];

	if (!vcmd_context_read(&seal, key, sizeof(key), data, size, &r, room))
		REQUIRE(vcmd_context_write(&seal, &r, value));
}

static void sealed(const uint8_t *data, size_t size)
{
	static const uint8_t key[VCMD_CONTEXT_KEY_LEN] = {1};
	struct vcmd_envelope e = {'c', key, VCMD_CONTEXT_KEY_LEN, data, size};
	uint8_t value[VCMD_RECORD_MAX];
	size_t half = size ? data[0] * size / 256 : 0, n;

	if (size > 4096)
		return;
	n = vcmd_envelope_write(&seal, &e, NULL, 0, value);
	REQUIRE(n);
	context(value, n);
	e = (struct vcmd_envelope){'s', key, VCMD_SESSION_KEY_LEN, data, half};
	if (size - half > VCMD_SEALED_MAX)
		return;
	n = vcmd_envelope_write(&seal, &e, data + half, size - half, value);
	REQUIRE(n);
	session(value, n);
}

static void configuration(const uint8_t *data, size_t size)
{
	struct config_errors errors;
	struct vcmd_config c;
	struct vcm_policy p;
	struct in6_addr a = in6addr_any;

	if (vcmd_config_load_text("fuzz", (const char *)data, size, &c, &errors)) {
		REQUIRE(!errors.n && c.n_rules);
		vcmd_pair_policy(&c, &a, &in6addr_loopback, &p);
		vcmd_node_known(&c, &a);
		vcmd_config_release(&c);
	} else {
		REQUIRE(errors.n);
	}
	config_errors_release(&errors);
}

static monotime_t now(void *ctx)
{
	(void)ctx;
	return (monotime_t){1000000};
}

static bool reload(void *ctx, char *err, size_t errlen)
{
	(void)ctx;
	snprintf(err, errlen, "no");
	return false;
}

static void acted(void *ctx, const char *what, const char *object)
{
	(void)ctx;
	REQUIRE(what && (!object || strlen(object) < 64));
}

static void request(const struct control_backend *b, const char *line, size_t len)
{
	struct control_call call = {.backend = b};
	json_t *args, *data = NULL;
	const struct control_verb *verb =
		control_read(vcmd_verbs, line, len, &args, call.error, sizeof(call.error));
	bool more = true;

	if (verb)
		data = verb->run(&call, args);
	json_decref(args);
	REQUIRE(!!data + !!call.parts.next + !!call.error[0] == 1);
	while (call.parts.next && more) {
		json_t *part = call.parts.next(call.parts.state, b, &more);

		REQUIRE(json_is_array(part));
		json_decref(part);
	}
	if (call.parts.next)
		call.parts.free(call.parts.state);
	json_decref(data);
}

static void requests(const uint8_t *data, size_t size)
{
	struct vcmd_config c = {0};
	struct control_backend b = {.manager = fake_manager_new(0),
		.config = &c,
		.version = "0",
		.now = now,
		.reload = reload,
		.acted = acted};

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t n = end ? (size_t)(end - data) - at : size - at;

		request(&b, (const char *)data + at, n);
		at += n + 1;
	}
	vcm_manager_free(b.manager);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const what[])(const uint8_t *data, size_t size) = {
		sealed, session, context, configuration, requests};

	if (size)
		what[data[0] % 5](data + 1, size - 1);
	return 0;
}
