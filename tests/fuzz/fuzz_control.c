/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any octets as requests on the control socket, a line each, to a home agent
 * with two bindings and SAs.  Every answer must be writable as JSON, every refusal
 * must say why.  abort() is how a fuzzer is told.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "mip6/wire.h"
#include "mip6d/config.h"
#include "mip6d/control_internal.h"
#include "mip6d/proto/ha.h"
#include "tests/fake_glue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(c)               \
	do {                     \
		if (!(c))        \
			abort(); \
	} while (0)

static monotime_t now(void *ctx)
{
	(void)ctx;
	return (monotime_t){1000000};
}

static void not_random(void *ctx, void *to, size_t n)
{
	(void)ctx;
	memset(to, 1, n);
}

static int send_nothing(void *ctx, const struct mip6_packet *p)
{
	(void)ctx, (void)p;
	return 0;
}

static void no_event(void *ctx, const struct mip6_event *e)
{
	json_t *o = control_json_event(e, now(ctx));

	REQUIRE(o);
	json_decref(o);
}

static int forward_set(void *ctx, const struct in6_addr *home, const struct in6_addr *care_of)
{
	(void)ctx, (void)home, (void)care_of;
	return 0;
}

static int forward_del(void *ctx, const struct in6_addr *home)
{
	(void)ctx, (void)home;
	return 0;
}

static void store_put(void *ctx, const struct ha_binding_record *r)
{
	(void)ctx, (void)r;
}

static void store_del(void *ctx, const struct in6_addr *home)
{
	(void)ctx, (void)home;
}

static void one_request(const struct control_backend *b, const char *line, size_t len)
{
	struct control_call call = {.backend = b};
	json_t *args, *data = NULL;
	const struct control_verb *verb =
		control_request(line, len, &args, call.error, sizeof(call.error));
	bool more = true;

	REQUIRE(!verb == !args);
	if (verb)
		data = verb->run(&call, args);
	json_decref(args);
	REQUIRE(!!data + !!call.parts.next + !!call.error[0] == 1);
	while (call.parts.next && more) {
		json_t *part = call.parts.next(call.parts.state, b, &more);

		REQUIRE(json_is_array(part) && json_array_size(part) <= 400);
		json_decref(part);
	}
	if (call.parts.next)
		call.parts.free(call.parts.state);
	if (data) {
		char *text = json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY);

		REQUIRE(text && !strchr(text, '\n'));
		free(text);
	}
	json_decref(data);
}

static struct ha *home_agent(const struct mip6_env *env)
{
	static const struct ha_ops ops = {
		.forward_set = forward_set,
		.forward_del = forward_del,
		.store_put = store_put,
		.store_del = store_del,
	};
	struct ha_binding_record r = {
		.seq = 1, .flags = BU_F_A | BU_F_H, .lifetime_s = 600, .remaining_s = 300};
	struct ha_config c = {.n_prefixes = 1, .max_lifetime_s = 600, .max_bindings = 10};
	struct ha *ha;

	REQUIRE(ip6_prefix_parse("2001:db8:1::/64", &c.prefixes[0].prefix));
	c.prefixes[0].valid_s = c.prefixes[0].preferred_s = UINT32_MAX;
	inet_pton(AF_INET6, "2001:db8:1::1000", &c.address);
	ha = ha_new(&c, env, &ops, NULL);
	REQUIRE(ha);
	inet_pton(AF_INET6, "2001:db8:5::1", &r.care_of);
	for (int i = 1; i <= 2; i++) {
		inet_pton(AF_INET6, i == 1 ? "2001:db8:1::1" : "2001:db8:1::2", &r.home_address);
		REQUIRE(ha_restore(ha, &r) == 0);
	}
	return ha;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mip6d_config config = {.role = ROLE_HOME_AGENT};
	struct mip6_env env = {.timers = timerq_new(),
		.now = now,
		.random = not_random,
		.send_mh = send_nothing,
		.send_icmp6 = send_nothing,
		.event = no_event};
	struct control_backend b = {.ha = home_agent(&env),
		.ipsec = fake_glue(IPSEC_MANUAL),
		.config = &config,
		.version = "fuzz",
		.now = now};
	const char *p = (const char *)data, *end = p + size;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

		one_request(&b, p, n);
		p += n + 1;
	}
	ha_free(b.ha);
	timerq_free(env.timers);
	return 0;
}
