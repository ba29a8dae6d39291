/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages between security gateway, VPN Connectivity Manager and mobile
 * nodes; vcm-protocol(7), doc/vcm.md.  Pure.  Requirements V6, V8, V9, V12.
 *
 * A header of 24 octets, then options (Type, Length of the data, data; Pad1
 * and PadN as in RFC 6275 6.2).  Unknown options below 128 are skipped,
 * others make the message unsupported.  A message is read as a whole before
 * anything is done with it.
 */
#ifndef VCM_MESSAGE_H
#define VCM_MESSAGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/rr.h"

#define VCM_VERSION 1
#define VCM_PORT 27960 /* UDP, the default */
#define VCM_PROBE_PORT 27961 /* the VCM's, for PROBEs of nodes that ask whether they are inside */
#define VCM_HEADER_LEN 24
#define VCM_MESSAGE_MAX 1232 /* fits the least MTU of IPv6 */

enum vcm_type {
	VCM_HELLO = 1,
	VCM_ACK = 2,
	VCM_REPORT = 3,
	VCM_PLACE = 4,
	VCM_INVITE = 5,
	VCM_PUBLIC = 6,
	VCM_OFFER = 7,
	VCM_READY = 8,
	VCM_PEER_READY = 9,
	VCM_ACTIVE = 10,
	VCM_END = 11,
	VCM_DOWN = 12,
	VCM_PROBE = 13,
	VCM_PROBE_REPLY = 14,
	VCM_CLOSE = 15,
};

enum vcm_status { /* of an ACK */
	VCM_OK = 0,
	VCM_UNKNOWN_SESSION = 1, /* or an older generation */
	VCM_REFUSED = 2, /* by configuration or policy */
	VCM_SPI_TAKEN = 3, /* OFFER: another one, please */
	VCM_NO_RESOURCES = 4,
	VCM_UNSUPPORTED = 5, /* algorithm, variant, option */
	VCM_MALFORMED = 6, /* an option that this message needs is missing */
	VCM_NOT_READY = 7, /* the kernel refused: try again later */
	VCM_NOT_OUTSIDE = 8, /* INVITE, OFFER: the node is inside for itself; PLACE follows if that changes */
};

enum vcm_reason { /* of END and DOWN */
	VCM_BY_HAND = 0,
	VCM_INSIDE = 1, /* one of the two is inside again */
	VCM_IDLE = 2,
	VCM_PATH = 3, /* the direct path is dead */
	VCM_LIFETIME = 4,
	VCM_REVOKED = 5,
	VCM_RESTART = 6, /* one of the two has lost its state */
	VCM_PEER = 7, /* the other one could not, or did not answer */
	VCM_SEQUENCE =
		8, /* DOWN: sequence numbers come to an end, a new generation is needed; the session goes on */
	VCM_SHUTDOWN = 9,
	VCM_POLICY = 10, /* the pair is not allowed any more */
};

enum vcm_trigger { VCM_SECOND_LEFT = 1, VCM_NEW_SESSION = 2 }; /* V5 */

#define VCM_MAX_NODES 16 /* NODE options in one message */
#define VCM_MAX_PAIRS 16
#define VCM_MAX_CORRESPONDENTS 16
#define VCM_ALGORITHM_LEN 32 /* with the closing NUL */
#define VCM_KEY_MAX 132
#define VCM_PUBLIC_LEN 32 /* X25519, RFC 7748 */
#define VCM_SALT_LEN 32
#define VCM_NONCE_LEN 16

struct vcm_node_option {
	bool outside;
	struct in6_addr internal, home; /* home :: not known */
};

struct vcm_pair_option {
	struct in6_addr a, b; /* internal addresses */
	enum vcm_trigger trigger;
};

struct vcm_correspondent_option {
	struct in6_addr node, correspondent; /* internal addresses */
};

struct vcm_sa_option {
	uint32_t spi;
	size_t key_len; /* 0: derived (asymmetric) */
	uint8_t key[VCM_KEY_MAX];
};

/* A bit for each option that is there, or shall be written. */
#define VCM_HAS_STATUS 0x0001
#define VCM_HAS_SESSION 0x0002
#define VCM_HAS_PEER 0x0004
#define VCM_HAS_ALGORITHM 0x0008
#define VCM_HAS_SA_IN 0x0010
#define VCM_HAS_SA_OUT 0x0020
#define VCM_HAS_LIFETIME 0x0040
#define VCM_HAS_KCN 0x0080
#define VCM_HAS_PUBLIC 0x0100
#define VCM_HAS_SALT 0x0200
#define VCM_HAS_REASON 0x0400
#define VCM_HAS_NONCE 0x0800
#define VCM_HAS_COUNTERS 0x1000

/* Holds keys: vcm_message_wipe() when done with one that may. */
struct vcm_message {
	enum vcm_type type;
	uint32_t sequence;
	uint64_t epoch, peer_epoch; /* peer_epoch 0: not known */
	unsigned has; /* VCM_HAS_* */
	enum vcm_status status;
	uint64_t session;
	uint32_t generation;
	struct in6_addr peer_internal, peer_home;
	char algorithm[VCM_ALGORITHM_LEN]; /* ipsec-glue/algorithm.h */
	struct vcm_sa_option in, out; /* as the receiver uses them */
	uint32_t lifetime_s, linger_s;
	struct rr_shared kcn;
	uint8_t public_key[VCM_PUBLIC_LEN];
	uint8_t salt[VCM_SALT_LEN];
	enum vcm_reason reason;
	uint8_t nonce[VCM_NONCE_LEN];
	uint64_t packets_in, packets_out;
	size_t n_nodes, n_pairs, n_correspondents;
	struct vcm_node_option nodes[VCM_MAX_NODES];
	struct vcm_pair_option pairs[VCM_MAX_PAIRS];
	struct vcm_correspondent_option correspondents[VCM_MAX_CORRESPONDENTS];
};

enum vcm_read {
	VCM_READ_OK,
	VCM_READ_MALFORMED, /* dropped without an answer; *why says what */
	VCM_READ_VERSION, /* the same */
	VCM_READ_UNSUPPORTED, /* header is good: ACK with VCM_UNSUPPORTED */
	VCM_READ_INCOMPLETE, /* header is good, an option that the type needs is missing: ACK with VCM_MALFORMED */
};

/* data is the UDP payload.  *m is only good as far as the result says; *why is a constant text. */
enum vcm_read vcm_message_read(
	const uint8_t *data, size_t len, struct vcm_message *m, const char **why);
/* The length, or 0 when it does not fit cap, or m is not what its type needs. */
size_t vcm_message_write(const struct vcm_message *m, uint8_t *to, size_t cap);
void vcm_message_wipe(struct vcm_message *m);

const char *vcm_type_name(enum vcm_type t); /* "OFFER"; "?" */
const char *vcm_status_name(enum vcm_status s); /* "spi-taken" */
const char *vcm_reason_name(enum vcm_reason r); /* "inside" */

#endif
