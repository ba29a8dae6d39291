/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sequence numbers of manual SAs that outlive a restart (RFC 4303 3.3.3: a
 * sender must not cycle; with counter modes a number that is used twice with
 * one key gives both packets away, RFC 4106 2).
 *
 * Numbers are reserved before they are used: a record on disk holds a bound
 * above which nothing was sent with this key.  The kernel may send a block
 * of them and then stops by itself (hard packet limit), so a dead daemon does
 * no harm.  At three quarters it tells (soft limit), and the next numbers are
 * reserved.  The bound is two blocks ahead: a move uses up IPSEC_SEQUENCE_GAP
 * numbers that the kernel does not count as packets.
 *
 * Pure; no ESN, which manual keys have no way to agree upon (RFC 4303 2.2.1).
 */
#ifndef GLUE_SEQUENCE_H
#define GLUE_SEQUENCE_H

#include "mip6/ipsec.h"

#define IPSEC_SEQUENCE_BLOCK UINT64_C(0x100000)
#define IPSEC_SEQUENCE_LAST UINT32_MAX
#define IPSEC_SEQUENCE_SOON (1u << 29) /* with less than this left the operator is told */
#define IPSEC_FINGERPRINT_LEN 8

/* What is on disk of one SA. */
struct ipsec_sequence {
	uint8_t fingerprint[IPSEC_FINGERPRINT_LEN];
	uint32_t bound; /* nothing above it was sent with this key */
	uint32_t received; /* highest one at the last look */
};

/* Tells keys apart and nothing else: HMAC-SHA256 of a label with the key, its first octets. */
void ipsec_sequence_fingerprint(
	const struct ipsec_key *key, uint8_t fingerprint[IPSEC_FINGERPRINT_LEN]);

/* What the kernel has. */
struct ipsec_sequence_now {
	uint64_t sent, received, packets;
};

struct ipsec_sequence_step {
	bool store; /* put on disk, and safely there, before anything else happens */
	struct ipsec_sequence put;
	bool replace; /* the SA in the kernel has another key: away with it first */
	bool add; /* the SA is to be made, with sent and received; else it gets the limits only */
	uint64_t sent, received;
	uint64_t soft_packets, hard_packets; /* as the SA counts its packets; 0: none */
	bool soon; /* worth telling: new keys will be needed, left numbers remain */
	bool exhausted; /* none is left: nothing more can be sent with this key */
	uint32_t left;
};

/*
 * An SA is wanted.  stored: what is on disk, NULL: nothing; now: the SA in
 * the kernel with these ends and this SPI, NULL: there is none; sends: limits
 * and a bound are needed.
 */
void ipsec_sequence_begin(const struct ipsec_sequence *stored, const struct ipsec_sequence_now *now,
	const uint8_t fingerprint[IPSEC_FINGERPRINT_LEN], bool sends,
	struct ipsec_sequence_step *s);

/*
 * The SA in the kernel goes on: after its soft limit, before it is moved, or
 * when somebody looks.  The step has nothing to store and no limits when
 * what is reserved is enough still.
 */
void ipsec_sequence_continue(const struct ipsec_sequence *stored,
	const struct ipsec_sequence_now *now, bool sends, struct ipsec_sequence_step *s);

/* The SA was stopped or is deleted now, and now is the last that was seen of it: what to remember. */
void ipsec_sequence_end(const struct ipsec_sequence *stored, const struct ipsec_sequence_now *now,
	bool sends, struct ipsec_sequence_step *s);

#endif
