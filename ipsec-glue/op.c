/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans: lists of operations that wipe what they held. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "mip6/ipsec.h"

void ipsec_key_wipe(struct ipsec_key *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}

/* realloc() would leave a copy of the keys behind. */
static bool grow(struct ipsec_plan *p)
{
	size_t cap = p->cap ? 2 * p->cap : 16;
	struct ipsec_op *ops = calloc(cap, sizeof(*ops));

	if (!ops)
		return false;
	if (p->ops) {
		memcpy(ops, p->ops, p->n * sizeof(*ops));
		OPENSSL_cleanse(p->ops, p->n * sizeof(*ops));
		free(p->ops);
	}
	p->ops = ops;
	p->cap = cap;
	return true;
}

struct ipsec_op *ipsec_plan_add(struct ipsec_plan *p, enum ipsec_op_type type)
{
	struct ipsec_op *op;

	if (p->no_memory || (p->n == p->cap && !grow(p))) {
		p->no_memory = true;
		return NULL;
	}
	op = &p->ops[p->n++];
	memset(op, 0, sizeof(*op));
	op->type = type;
	return op;
}

void ipsec_plan_free(struct ipsec_plan *p)
{
	if (p->ops) {
		OPENSSL_cleanse(p->ops, p->n * sizeof(*p->ops));
		free(p->ops);
	}
	*p = (struct ipsec_plan){0};
}

const char *ipsec_op_name(enum ipsec_op_type t)
{
	switch (t) {
	case IPSEC_SA_ADD:
		return "sa-add";
	case IPSEC_SA_DEL:
		return "sa-del";
	case IPSEC_SA_LIMITS:
		return "sa-limits";
	case IPSEC_SA_STOP:
		return "sa-stop";
	case IPSEC_SA_SKIP:
		return "sa-skip";
	case IPSEC_POLICY_SET:
		return "policy-set";
	case IPSEC_POLICY_DEL:
		return "policy-del";
	case IPSEC_RO_SET:
		return "ro-set";
	case IPSEC_RO_DEL:
		return "ro-del";
	case IPSEC_MIGRATE:
		return "migrate";
	case IPSEC_PAUSE:
		return "pause";
	case IPSEC_RESUME:
		return "resume";
	}
	return "?";
}

const char *ipsec_use_name(enum ipsec_use u)
{
	static const char *const names[IPSEC_ALL_USES] = {"signal", "data", "gateway", "manager"};

	return (unsigned)u < IPSEC_ALL_USES ? names[u] : "?";
}
