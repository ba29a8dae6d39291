/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IPsec needs of the packet filter, in a table of its own
 * (`ip6 mip6d_esp`):
 *
 *   Nothing in clear.  What policy says is protected never leaves by the
 *   device of the unprotected tunnel, whatever happens to policies.
 *
 *   HoT through IPsec.  A Mobility Header for the home address that has no
 *   routing header came through the tunnel's SA, or is dropped: the kernel's
 *   policies cannot tell it from an Acknowledgement on the direct path
 *   (RFC 6275 11.6.2).
 *
 *   A former care-of address.  ESP that is still under way to it is sent to
 *   the present one, where its SA is now: one SA, one replay window.
 *
 *   A pause.  What would be sent to a home address by an SA that is being
 *   moved waits (doc/ipsec.md, "Sequence numbers at a move").
 */
#ifndef SYS_ESP_FILTER_H
#define SYS_ESP_FILTER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct esp_filter; /* opaque */
struct nlreq; /* of NETLINK_NETFILTER */
struct sys_loop;

struct esp_filter_config {
	const char *tunnel; /* the device */
	bool payload; /* else only Mobility Headers are protected in the tunnel */
	bool ike; /* IKE from the home address may use the unprotected tunnel: it protects itself */
	bool by_home_address; /* the tunnel's SAs end at home addresses: no matter of the filter, but of who opens it */
	bool pauses; /* home agent */
};

/* NULL with the reason in err. */
struct esp_filter *esp_filter_open(const struct esp_filter_config *c, struct sys_loop *loop, struct nlreq *nf,
	char *err, size_t errlen);
/* remove: the table too; else it goes on guarding. */
void esp_filter_close(struct esp_filter *f, bool remove);

/* Mobile node: Mobility Headers for home_address have to come through IPsec, or not. */
int esp_filter_guard(struct esp_filter *f, const struct in6_addr *home_address, bool on);
/*
 * ESP for from is ESP for care_of, for ESP_FILTER_FORMER_S; and so is what was
 * for from before, but never what is for care_of itself.  from ::: only that.
 */
int esp_filter_moved(struct esp_filter *f, const struct in6_addr *from, const struct in6_addr *care_of);
/* Home agent: what is to be sent to home_address waits, or goes on. */
int esp_filter_pause(struct esp_filter *f, const struct in6_addr *home_address, bool on);

#define ESP_FILTER_FORMER_S 10

#endif
