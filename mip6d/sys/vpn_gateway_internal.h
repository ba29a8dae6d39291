/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the gateway's kernel side share. */
#ifndef SYS_VPN_GATEWAY_INTERNAL_H
#define SYS_VPN_GATEWAY_INTERNAL_H

#include <uthash.h>

#include "common/loop.h"
#include "ipsec-glue/plan_vpn_gateway.h"
#include "lib/log.h"
#include "mip6d/sys/vpn_gateway.h"

#define VPN_QUEUES 3
#define VPN_IKE_S \
	60 /* for so long what IKE says goes where a node inside said something; nodes ask more often */
#define VPN_ASKED_S 5 /* for so long a node that has asked may not know where it is */
#define VPN_PENDING 512
#define VPN_LINKS 16

struct vpn_pair {
	struct in6_addr a, b;
	uint32_t seconds;
};

struct vpn_queue {
	struct vpn_gateway *gateway;
	struct nfqueue *queue;
	void (*tell)(struct vpn_gateway *v, const uint8_t *data, size_t len);
};

/* By which way a node asks the manager whether it is inside. */
struct vpn_asking {
	monotime_t until;
	int ifindex;
	size_t mac_len;
	uint8_t mac[8];
};

struct vpn_node {
	struct ipsec_vpn_node n;
	bool outside;
	struct vpn_asking asking, ike;
	UT_hash_handle hh, hh_home; /* by internal address, by home address */
};

struct vpn_link {
	int ifindex;
	struct in6_addr link_local;
	uint8_t mac[32];
	size_t mac_len;
};

struct vpn_gateway {
	struct vpn_gateway_config config;
	struct ip6_prefix internal[16];
	char interfaces[VPN_LINKS][16];
	struct ipsec_vpn_gateway plan; /* for those who plan */
	struct sys_loop *loop;
	struct settings *settings;
	struct vpn_gateway_events events;
	void *ctx;
	struct nlreq *nf, *rt;
	struct ipsec_sender *sender;
	struct policy_watch *watch;
	struct icmp6_socket *icmp6;
	int ifindex; /* where routes of nodes outside lead; 0: none */
	struct in6_addr source; /* ours, of what we send to them */
	size_t n_links;
	struct vpn_link links[VPN_LINKS];
	struct vpn_node *nodes, *homes;
	struct vpn_queue queues[VPN_QUEUES];
	struct nfqueue *asking; /* vpn_gateway_answer.c */
	int packet_fd;
	struct sys_after after;
	size_t n_pending;
	struct vpn_pair pending[VPN_PENDING];
	struct vpn_gateway_stats stats;
	struct log_limit log;
	char why[256];
};

/* In the log, but not too often. */
void vpn_gateway_complain(struct vpn_gateway *v, const char *what, int err);

/* vpn_gateway_filter.c */
int vpn_filter_open(struct vpn_gateway *v, char *err, size_t errlen);
void vpn_filter_close(struct vpn_gateway *v);
int vpn_filter_node(
	struct vpn_gateway *v, const struct in6_addr *internal, const struct in6_addr *home);
int vpn_filter_outside(struct vpn_gateway *v, const struct in6_addr *internal, bool on);

/* vpn_gateway_answer.c */
int vpn_answers_open(struct vpn_gateway *v);
void vpn_answers_close(struct vpn_gateway *v);
bool vpn_answers_wanted(struct vpn_gateway *v, const struct in6_addr *internal); /* it asks */

/* vpn_gateway_links.c: device, routes, proxies, advertisements */
int vpn_links_open(struct vpn_gateway *v, char *err, size_t errlen);
void vpn_links_close(struct vpn_gateway *v);
int vpn_links_take(struct vpn_gateway *v, const struct in6_addr *internal); /* ours to receive */
int vpn_links_give(struct vpn_gateway *v, const struct in6_addr *internal);
/* Routes and proxies that a predecessor left of nodes that are not outside. */
int vpn_links_settle(struct vpn_gateway *v);

#endif
