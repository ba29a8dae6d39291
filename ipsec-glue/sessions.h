/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions between mobile nodes in the kernel: SAs between home addresses,
 * policies between inner addresses, whatever else of IPsec there is on this
 * machine.  Keys are the kernel's alone once they are there: an SA that
 * somebody deletes is not made again, its session ends.
 *
 * Errors are negative errnos; what failed is said by ipsec_sessions_why().
 * Requirements V9, V10, V14.
 */
#ifndef GLUE_SESSIONS_H
#define GLUE_SESSIONS_H

#include "mip6/ipsec.h"

struct ipsec_sessions; /* opaque */

struct ipsec_sessions_ops {
	/* An SA comes to an end, or (hard) is gone, whoever deleted it. */
	void (*expires)(void *ctx, uint32_t spi, bool out, bool hard);
	void (*notice)(void *ctx, const char *text);
};

/*
 * What a predecessor left that sends is away when this returns; what receives
 * stays as long as the peer may send by it.  local: the home address.  NULL
 * with the reason in err.
 */
struct ipsec_sessions *ipsec_sessions_open(const struct in6_addr *local, uint32_t replay_window,
	const struct ipsec_sessions_ops *ops, void *ctx, char *err, size_t errlen);
/* Everything is taken out of the kernel. */
void ipsec_sessions_close(struct ipsec_sessions *x);
/*
 * The kernel deletes SAs of a predecessor at the end of their lifetime; this
 * deletes policies that are left without one.  To be called now and then, as
 * long as it says that there are more.
 */
bool ipsec_sessions_forget_left(struct ipsec_sessions *x);

/* The kernel's events. */
int ipsec_sessions_fd(const struct ipsec_sessions *x);
void ipsec_sessions_read(struct ipsec_sessions *x);

/* One direction of one generation. */
struct ipsec_session_sa {
	struct in6_addr peer; /* home address */
	struct in6_addr inner_local, inner_peer;
	const char *algorithm; /* ipsec-glue/algorithm.h */
	uint32_t spi;
	const uint8_t *key;
	size_t key_len;
	uint32_t hard_s; /* the kernel deletes it by itself after so long */
};

/* Octets of a key for it; 0: there is no such algorithm, or a weak one. */
size_t ipsec_sessions_key_len(const char *algorithm);
/* One key in both directions: never with a counter mode, which would use the same counters twice. */
bool ipsec_sessions_may_share(const char *algorithm);

/* Inbound SA, good for that peer only, and its policies.  -EEXIST: that SPI is taken. */
int ipsec_sessions_in(struct ipsec_sessions *x, const struct ipsec_session_sa *s);
/* Outbound SA, and what goes to the peer goes by it; the one before is deleted. */
int ipsec_sessions_out(struct ipsec_sessions *x, const struct ipsec_session_sa *s);
/* Other policies have a say in the meantime, where the SA is not to be used for a while. */
int ipsec_sessions_use(
	struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool use);
/* Inside what the peer sends in clear is taken, too: what receives may be there for long. */
int ipsec_sessions_inside(struct ipsec_sessions *x, bool inside);
struct ipsec_session_guard; /* ipsec-glue/plan.h */
/* Its policies, while on is true; mended as the others are.  What it points to must live as long. */
int ipsec_sessions_guard(struct ipsec_sessions *x, const struct ipsec_session_guard *g, bool on);
/* Gone already is fine. */
int ipsec_sessions_in_del(struct ipsec_sessions *x, uint32_t spi);
int ipsec_sessions_out_del(struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi);
/* Packets until now; -1: there is no such SA. */
int64_t ipsec_sessions_packets(
	struct ipsec_sessions *x, const struct in6_addr *peer, uint32_t spi, bool out);

const char *ipsec_sessions_why(const struct ipsec_sessions *x);
/*
 * Each difference between what should be in the kernel and what is, one line of
 * text; with what is left over there, too.  How many, or a negative errno.
 * mend: policies are put back, what is left over goes, and an SA that somebody
 * has deleted ends its session (expires()).
 */
typedef void ipsec_sessions_text_fn(void *arg, const char *text);
int ipsec_sessions_check(
	struct ipsec_sessions *x, bool mend, ipsec_sessions_text_fn *fn, void *arg);

struct ipsec_sa_info; /* ipsec-glue/plan.h; missing: only spi, ends and mode are known */
typedef void ipsec_sessions_sa_fn(void *arg, const struct in6_addr *local, const struct in6_addr *peer,
	bool out, bool missing, const struct ipsec_sa_info *info);
void ipsec_sessions_sas(struct ipsec_sessions *x, ipsec_sessions_sa_fn *fn, void *arg);

#endif
