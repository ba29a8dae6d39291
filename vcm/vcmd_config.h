/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file of vcmd, vcmd.conf(5).  Requirement U4: it is read
 * and judged as a whole before anything is touched.
 */
#ifndef VCMD_CONFIG_H
#define VCMD_CONFIG_H

#include <limits.h>
#include <stdio.h>

#include "common/config.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "vcm/manager.h"

#define VCMD_CONFIG_PATH "/etc/vcmd/vcmd.conf"
#define VCMD_MAX_GATEWAYS 16
#define VCMD_MAX_NODES 200000
#define VCMD_MAX_RULES 1000
#define VCMD_CREDENTIAL_LEN 64

/* Who makes the SAs of gateways and nodes with us. */
enum vcmd_ipsec { VCMD_IPSEC_NONE, VCMD_IPSEC_MANUAL, VCMD_IPSEC_STRONGSWAN };
const char *vcmd_ipsec_name(enum vcmd_ipsec i);

/* Of pairs with one node in a and the other one in b, whichever. */
struct vcmd_rule {
	struct ip6_prefix a, b;
	struct vcm_policy policy; /* algorithm is the name in ipsec-glue's table */
};

struct vcmd_config {
	enum log_level log_level;
	char control_socket[CONFIG_SOCKET_LEN], control_group[33];
	struct in6_addr address;
	uint32_t port, probe_port;
	enum vcmd_ipsec ipsec;
	char keys_file[PATH_MAX]; /* with VCMD_IPSEC_MANUAL */
	bool allow_weak;
	size_t n_gateways;
	struct in6_addr gateways[VCMD_MAX_GATEWAYS];
	size_t n_nodes; /* 0: whoever a gateway reports */
	struct ip6_prefix *nodes; /* sorted by ip6_prefix_cmp(), none in another */
	size_t n_rules; /* the first that fits counts; none does: refused */
	struct vcmd_rule *rules;
	char store[PATH_MAX];
	uint32_t store_mib;
	char key_file[PATH_MAX], credential[VCMD_CREDENTIAL_LEN]; /* one of the two */
	bool make_key;
	char audit_file[PATH_MAX]; /* "": none */
	uint32_t retry_s, retry_most_s;
	uint32_t max_contexts, max_sessions;
};

/*
 * Read path, "-" is standard input.  False when anything is wrong, with at
 * least one line in *errors; then *c holds nothing that must be released.
 */
bool vcmd_config_load(const char *path, struct vcmd_config *c, struct config_errors *errors);
bool vcmd_config_load_text(const char *name, const char *text, size_t len, struct vcmd_config *c,
	struct config_errors *errors);
void vcmd_config_release(struct vcmd_config *c);
/* Every setting, defaults included; it reads back to the same. */
void vcmd_config_print(const struct vcmd_config *c, FILE *to);

/* ---- what follows from it for nodes and pairs (vcmd_policy.c) ---- */

bool vcmd_node_known(const struct vcmd_config *c, const struct in6_addr *internal);
/* The number of the rule from 1 on, 0: none fits. */
size_t vcmd_pair_policy(const struct vcmd_config *c, const struct in6_addr *a,
	const struct in6_addr *b, struct vcm_policy *p);
/* More than nodes and pairs, which take effect at once, is different. */
bool vcmd_config_needs_restart(const struct vcmd_config *x, const struct vcmd_config *y);

#endif
