/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fake_manager.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct vcm_manager {
	size_t n_contexts, n_sessions;
	struct vcm_context_record *contexts;
	struct vcm_session_record sessions[2];
	struct in6_addr talked[2];
};

static struct in6_addr address(const char *prefix, unsigned n)
{
	struct in6_addr a;

	inet_pton(AF_INET6, prefix, &a);
	a.s6_addr[13] = (uint8_t)(n >> 16);
	a.s6_addr[14] = (uint8_t)(n >> 8);
	a.s6_addr[15] = (uint8_t)n;
	return a;
}

struct vcm_manager *fake_manager_new(size_t n_more)
{
	struct vcm_manager *m = calloc(1, sizeof(*m));

	m->n_contexts = 4 + n_more;
	m->contexts = calloc(m->n_contexts, sizeof(*m->contexts));
	for (unsigned i = 0; i < m->n_contexts; i++)
		m->contexts[i] = (struct vcm_context_record){.internal = address("fd00:0:0:1::", i + 1),
			.home = address("2001:db8:1::", i + 1),
			.outside = i != 3};
	m->contexts[2].revoked = true;
	m->contexts[3].home = in6addr_any;
	m->talked[0] = m->contexts[1].internal;
	m->talked[1] = m->contexts[3].internal;
	m->contexts[0].correspondents = m->talked;
	m->contexts[0].n_correspondents = 2;
	m->n_sessions = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct vcm_session_record *s = &m->sessions[i];

		*s = (struct vcm_session_record){.id = 0x0123456789abcdef + i,
			.generation = 2 + i,
			.a = m->contexts[0].internal,
			.b = m->contexts[1 + 2 * i].internal,
			.state = i ? VCM_S_OFFERED : VCM_S_DIRECT,
			.ready_a = true,
			.ready_b = !i,
			.active_a = !i,
			.active_b = !i,
			.variant = i ? VCM_ASYMMETRIC : VCM_SYMMETRIC,
			.algorithm = "aes-gcm-128",
			.lifetime_s = 3600,
			.linger_s = 30,
			.offered_at = 1700000000,
			.ends_at = 1700003600,
			.spi_a = 0x11111111,
			.spi_b = 0x22222222};
		memset(&s->secrets, 0xc7, sizeof(s->secrets));
	}
	return m;
}

void vcm_manager_free(struct vcm_manager *m)
{
	free(m->contexts);
	free(m);
}

const char *vcm_session_state_name(enum vcm_session_state s)
{
	static const char *const names[] = {"invited", "offered", "direct", "rekeying", "ending"};

	return names[s];
}

int vcm_manager_revoke_node(struct vcm_manager *m, const struct in6_addr *internal, bool revoked)
{
	for (size_t i = 0; i < m->n_contexts; i++)
		if (memcmp(&m->contexts[i].internal, internal, sizeof(*internal)) == 0) {
			m->contexts[i].revoked = revoked;
			return 0;
		}
	return -ENOENT;
}

static struct vcm_session_record *find(struct vcm_manager *m, uint64_t id)
{
	for (size_t i = 0; i < m->n_sessions; i++)
		if (m->sessions[i].id == id)
			return &m->sessions[i];
	return NULL;
}

int vcm_manager_end_session(struct vcm_manager *m, uint64_t id, enum vcm_reason reason)
{
	struct vcm_session_record *s = find(m, id);

	(void)reason;
	if (s)
		s->state = VCM_S_ENDING;
	return s ? 0 : -ENOENT;
}

int vcm_manager_rekey(struct vcm_manager *m, uint64_t id)
{
	struct vcm_session_record *s = find(m, id);

	if (!s)
		return -ENOENT;
	if (s->state != VCM_S_DIRECT)
		return -EBUSY;
	s->state = VCM_S_REKEYING;
	return 0;
}

void vcm_manager_foreach_context(struct vcm_manager *m,
	bool (*fn)(void *arg, const struct vcm_context_record *r), void *arg)
{
	for (size_t i = 0; i < m->n_contexts; i++)
		if (!fn(arg, &m->contexts[i]))
			return;
}

void vcm_manager_foreach_session(struct vcm_manager *m,
	bool (*fn)(void *arg, const struct vcm_session_record *r), void *arg)
{
	for (size_t i = 0; i < m->n_sessions; i++)
		if (!fn(arg, &m->sessions[i]))
			return;
}

void vcm_manager_stats(const struct vcm_manager *m, struct vcm_manager_stats *s)
{
	*s = (struct vcm_manager_stats){.contexts = m->n_contexts,
		.sessions = m->n_sessions,
		.reports = 9,
		.offered = 2,
		.direct = 1,
		.exchange = {.sent = 20, .received = 21, .acknowledged = 19, .peers = 5}};
}
