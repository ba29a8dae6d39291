/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file of mip6d, mip6d.conf(5).  Requirement U4: it is read
 * and judged as a whole before anything is touched, and every complaint names
 * file, line, what is wrong and what would be right.
 *
 * Nothing in here looks at the machine: interfaces and groups are names until
 * the daemon starts, so that a file can be checked anywhere.
 */
#ifndef MIP6D_CONFIG_H
#define MIP6D_CONFIG_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/config.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "lib/prefix_table.h"
#include "lib/rr.h"
#include "mip6/ipsec.h"

struct cn_config;
struct ha_config;
struct mn_config;
struct mn_ro_config;

enum mip6d_role { ROLE_HOME_AGENT, ROLE_MOBILE_NODE, ROLE_CORRESPONDENT };

#define CONFIG_MAX_PREFIXES 16
#define CONFIG_MAX_INTERFACES 16
#define CONFIG_MAX_PREFERENCE 1000
#define CONFIG_MAX_RO_RULES 64
#define CONFIG_DEFAULT_PATH "/etc/mip6d/mip6d.conf"

struct config_prefix {
	struct ip6_prefix prefix;
	uint32_t valid_s, preferred_s; /* CONFIG_INFINITE: for ever */
};

#define CONFIG_IDENTIFIER_LEN 254 /* RFC 4282 2.2: 253 octets, and the closing NUL */

struct config_heartbeat { /* RFC 5847 5 */
	uint32_t interval_s; /* 0: none */
	uint32_t missed;
};

struct config_revocation { /* RFC 5846 11 */
	uint32_t retries, timeout_ms, max_timeout_ms;
};

struct config_home_agent {
	enum ipsec_manager ipsec;
	struct in6_addr address;
	char home_link[IFNAMSIZ]; /* "": virtual home link, no DAD and no proxying */
	size_t n_prefixes;
	struct config_prefix prefixes[CONFIG_MAX_PREFIXES];
	size_t n_home_addresses; /* 0: every address of the home prefixes may register */
	struct in6_addr *home_addresses; /* sorted by memcmp */
	size_t n_networks; /* 0: no mobile routers */
	struct prefix_row *networks; /* of mobile routers, sorted by prefix_row_cmp() */
	uint32_t max_lifetime_s; /* a multiple of 4 */
	uint32_t refresh_advice_s; /* a multiple of 4; 0: none is given */
	uint32_t max_bindings;
	bool optimistic; /* forward while DAD for the home address still runs */
	struct config_heartbeat heartbeat;
	struct config_revocation revocation;
	uint32_t preference; /* among home agents; 16 bits */
	uint32_t min_prefix_interval_s, max_prefix_interval_s; /* RFC 6275 13 */
	uint32_t switch_rate; /* nodes a second that are asked to leave */
	size_t n_identifiers; /* 0: who a node says that it is does not matter */
	char **identifiers; /* sorted by strcmp */
	char tunnel[IFNAMSIZ];
};

struct config_interface {
	char name[IFNAMSIZ];
	int preference; /* higher wins */
};

/* RFC 3963; n_networks 0: not a mobile router. */
#define CONFIG_MAX_NETWORKS 16 /* of one mobile router */
struct config_mobile_router {
	bool explicit_mode;
	size_t n_networks, n_ingress;
	struct ip6_prefix networks[CONFIG_MAX_NETWORKS];
	char ingress[CONFIG_MAX_INTERFACES][IFNAMSIZ];
};

/* With whom a mobile node talks directly (RFC 6275 11.7.2); the first rule that matches counts. */
enum config_ro_when { CONFIG_RO_NEVER, CONFIG_RO_ALWAYS, CONFIG_RO_AFTER };
const char *config_ro_when_name(enum config_ro_when w);
struct config_ro_rule {
	struct ip6_prefix to;
	enum config_ro_when when;
	uint32_t packets, per_s; /* CONFIG_RO_AFTER: so many, faster than so many a second; per_s 0: at any speed */
};

struct config_mobile_node {
	struct in6_addr home_address; /* ::, "auto": that of the tunnel, with foreign_tunnel */
	struct ip6_prefix home_prefix; /* none with foreign_tunnel */
	struct in6_addr home_agent; /* ::, "auto": found by discovery, or the tunnel's other end */
	enum ipsec_manager ipsec;
	size_t n_interfaces;
	struct config_interface interfaces[CONFIG_MAX_INTERFACES];
	uint32_t lifetime_s; /* a multiple of 4 */
	bool cautious; /* data after the acknowledgement, not right behind the Binding Update */
	bool optimistic_dad; /* RFC 4429 */
	bool eager; /* movement detection */
	bool random_iid;
	uint32_t hold_ms;
	char tunnel[IFNAMSIZ];
	uint32_t table; /* first of the routing tables that mip6d may use */
	struct config_mobile_router router;
	size_t n_ro_rules;
	struct config_ro_rule ro_rules[CONFIG_MAX_RO_RULES];
	uint32_t max_correspondents;
	uint32_t correspondent_lifetime_s; /* a multiple of 4 */
	uint32_t correspondent_idle_s;
	struct config_heartbeat heartbeat;
	char identifier[CONFIG_IDENTIFIER_LEN]; /* "": none is told */
	bool foreign_tunnel; /* ipsec.moves is "charon" */
	bool unprotected_signals; /* believe what a home agent says of its own accord without IPsec */
};



struct config_correspondent { /* the correspondent part of every role */
	bool enabled;
	uint32_t max_bindings;
	uint32_t max_lifetime_s, max_shared_lifetime_s; /* multiples of 4 */
	bool refresh; /* ask for it before a binding in use ends */
};

/* Who moves the tunnel with the care-of address: mip6d, or strongSwan by MOBIKE (T15). */
enum config_moves { CONFIG_MOVES_MIP6D, CONFIG_MOVES_CHARON };
const char *config_moves_name(enum config_moves m);

#define CONFIG_NAME_LEN 64

struct config_ipsec_node { /* what strongSwan calls it */
	struct in6_addr home_address; /* ::: the mobile node itself */
	struct in6_addr home_agent; /* mobile node: whose SAs these are */
	char connection[CONFIG_NAME_LEN], signal[CONFIG_NAME_LEN]; /* and the child in it */
	char data_connection[CONFIG_NAME_LEN], data[CONFIG_NAME_LEN]; /* "": the same connection */
	uint32_t reqid; /* of signal; data's is one more */
};

struct config_ipsec { /* the group ipsec */
	enum config_moves moves;
	enum ipsec_manager manager; /* of the role's group */
	bool pairs; /* SA pairs of a virtual private network have manual keys (doc/vcm.md) */
	bool payload; /* protect all that goes through the tunnel, not only HoTI and HoT */
	enum ipsec_arrangement arrangement;
	char keys_file[PATH_MAX], keys_command[PATH_MAX]; /* with IPSEC_MANUAL, one of the two */
	bool allow_weak;
	uint32_t replay_window;
	struct ipsec_keys *keys; /* read from there by config_load() */
	char vici_socket[CONFIG_SOCKET_LEN]; /* with IPSEC_STRONGSWAN */
	size_t n_nodes;
	struct config_ipsec_node *nodes;
};

struct config_gateway_node {
	struct in6_addr internal_address, home_address; /* embodiment 2: the same */
	uint32_t reqid; /* of its tunnel with the gateway; that with the manager is one more */
};

struct config_deny {
	struct ip6_prefix ends[2];
};

struct config_gateway { /* the group gateway: doc/vcm.md, the SG */
	bool enabled;
	struct in6_addr address; /* external */
	size_t n_internal, n_interfaces, n_nodes, n_deny;
	struct ip6_prefix internal[CONFIG_MAX_PREFIXES];
	char interfaces[CONFIG_MAX_INTERFACES][IFNAMSIZ];
	struct in6_addr manager;
	struct in6_addr source; /* ours towards the manager; ::: chosen at the start */
	enum ipsec_manager ipsec; /* who makes the SAs */
	uint32_t reqid; /* the first one */
	struct config_gateway_node *nodes; /* sorted by internal_address */
	struct config_deny *deny; /* pairs that shall not talk directly */
	uint32_t threshold_packets, threshold_s, hold_s, settle_ms;
};

struct config_vpn { /* the group vpn: doc/vcm.md, a mobile node inside and outside */
	bool enabled;
	struct in6_addr internal_address, gateway; /* ::: embodiment 2 */
	size_t n_internal;
	struct ip6_prefix internal[CONFIG_MAX_PREFIXES];
	struct in6_addr manager;
	bool manager_by_gateway; /* the SAs with the gateway carry what goes to it */
	bool authenticate; /* inside is where the manager answers a probe (V2) */
	enum ipsec_manager ipsec; /* who makes the SAs with gateway and manager */
	uint32_t reqid; /* of the SAs with the gateway, the manager's one more; 0: with manual keys */
	uint32_t probe_s, idle_s;
};
/* Is the address in one of them? */
bool config_in_prefixes(const struct in6_addr *a, const struct ip6_prefix *p, size_t n);

struct config_shared_key { /* RFC 4449 */
	struct in6_addr local, peer;
	struct rr_shared key;
};

struct mip6d_config {
	enum mip6d_role role;
	enum log_level log_level;
	char control_socket[CONFIG_SOCKET_LEN];
	char control_group[33]; /* name or number; "": root only */
	char state_file[PATH_MAX];
	struct config_correspondent correspondent;
	char shared_keys_file[PATH_MAX]; /* "": none */
	size_t n_shared_keys;
	struct config_shared_key *shared_keys;
	struct config_ipsec ipsec;
	struct config_gateway gateway;
	struct config_vpn vpn; /* with ROLE_MOBILE_NODE */
	struct config_home_agent home_agent; /* with ROLE_HOME_AGENT */
	struct config_mobile_node mobile_node; /* with ROLE_MOBILE_NODE */
};

/*
 * Read path, and the files it includes, into *cfg.  False when anything is
 * wrong, with at least one line in *errors; *cfg then holds nothing that must
 * be released.  *errors need not be initialised and is to be released either
 * way.  "-" is standard input.
 */
bool config_load(const char *path, struct mip6d_config *cfg, struct config_errors *errors);
/* The same for a text in memory, without the keys of SAs; name stands for it in messages. */
bool config_load_text(const char *name, const char *text, size_t len, struct mip6d_config *cfg,
	struct config_errors *errors);
void config_release(struct mip6d_config *cfg);

/*
 * Write cfg as a configuration file in which every setting stands, defaults
 * included.  It reads back to the same cfg, and that prints the same.
 */
void config_print(const struct mip6d_config *cfg, FILE *to);

const char *config_role_name(enum mip6d_role role); /* "home-agent", "mobile-node", "correspondent" */

/*
 * What the protocol core wants of a configuration.  Interface indexes and
 * link-layer addresses are left 0 and are the caller's to fill in;
 * mn->interfaces[] is in the order of cfg->mobile_node.interfaces[].
 * ha->allowed points into cfg, which must live as long.
 */
void config_to_ha(const struct mip6d_config *cfg, struct ha_config *ha);
void config_to_mn(const struct mip6d_config *cfg, struct mn_config *mn);
void config_to_mn_ro(const struct mip6d_config *cfg, struct mn_ro_config *ro);
void config_to_cn(const struct mip6d_config *cfg, struct cn_config *cn);

/* Kcn, home nonce and care-of nonce in hexadecimal digits.  NULL, or what is wrong and what would be right. */
const char *config_shared_key_parse(const char *const field[3], struct rr_shared *key);

#endif
