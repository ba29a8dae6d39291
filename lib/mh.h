/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Mobility Header (RFC 6275 section 6.1) and its options (6.2), read
 * from and written to octets.  One row of a table describes each message and
 * each option: its type, exact or least length, alignment, how to read it and
 * how to write it; one walker serves all.  A message is parsed as a whole
 * before anybody acts on it.
 *
 * Structures hold numbers in host order, addresses in network order, times
 * in the unit of the wire unless the member's name says otherwise.  Variable
 * data points into the packet that was parsed (or, for writing, into memory
 * of the caller) and lives no longer than that.
 */
#ifndef LIB_MH_H
#define LIB_MH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "mip6/wire.h"

#define MH_MAX_OPTIONS 32 /* more known ones in one message: refused */
#define MH_MIN_LEN 8
#define MH_MAX_LEN 2048 /* longest Mobility Header: (255 + 1) * 8 octets */

struct mh_option {
	uint8_t type; /* enum mh_option_type */
	union {
		uint16_t refresh_interval; /* MHOPT_REFRESH_ADVICE, units of 4 s */
		struct in6_addr alt_coa;
		struct {
			uint16_t home, care_of;
		} nonce_indices;
		struct {
			/*
			 * The authenticator: 12 octets in RFC 6275, and any
			 * number but 0 here.  It ends the message, so a writer
			 * who must compute it over the rest builds with
			 * data NULL (zeros) and finds its place in the last
			 * len octets.
			 */
			const uint8_t *data;
			size_t len;
			size_t offset; /* of data from the start of the MH; set by the parser */
		} auth_data;
		struct {
			uint8_t plen;
			struct in6_addr prefix;
		} network_prefix;
		struct {
			uint8_t subtype;
			const uint8_t *id;
			size_t len;
		} mn_id;
		struct {
			const uint8_t *data;
			size_t len;
		} opaque; /* CGA_PARAM, SIGNATURE, PERM_HOME_TOKEN */
		uint64_t care_of_keygen_token; /* MHOPT_COT */
		struct {
			uint32_t vendor; /* SMI enterprise number */
			uint8_t subtype;
			const uint8_t *data;
			size_t len;
		} vendor;
		uint32_t restart_counter;
		struct {
			uint8_t plen; /* 6 bits */
			bool prefix_request; /* P flag */
			struct in_addr addr;
		} ipv4_hoa;
		struct {
			uint8_t status;
			uint8_t plen; /* 6 bits */
			struct in_addr addr;
		} ipv4_ack;
		struct {
			bool force; /* F flag */
			uint32_t refresh_time; /* seconds */
		} nat_detection;
		struct in_addr ipv4_coa;
		struct {
			uint16_t bid;
			uint8_t status;
			bool simultaneous; /* H flag */
			uint8_t priority; /* BID-PRI, 7 bits */
			uint8_t coa_len; /* 0, 4 or 16 */
			union {
				struct in_addr v4;
				struct in6_addr v6;
			} coa;
		} binding_id;
	} u;
};

struct mh_message {
	uint8_t type; /* enum mh_type */
	uint16_t checksum; /* as received; not written: whoever sends fills it in */
	size_t wire_len; /* octets of the header, as its Header Len says; set by the parser */
	union {
		struct {
			uint64_t cookie;
		} init; /* HoTI, CoTI */
		struct {
			uint16_t nonce_index;
			uint64_t cookie;
			uint64_t token;
		} test; /* HoT, CoT */
		struct {
			uint16_t seq;
			uint16_t flags; /* BU_F_* */
			uint16_t lifetime; /* units of 4 s */
		} bu;
		struct {
			uint8_t status;
			uint8_t flags; /* BA_F_* */
			uint16_t seq;
			uint16_t lifetime; /* units of 4 s */
		} ba;
		struct {
			uint8_t status;
			struct in6_addr home_address;
		} be;
		struct {
			uint8_t count; /* addresses that follow */
			const uint8_t *addrs; /* count * 16 octets */
		} ha_switch;
		struct {
			bool unsolicited, response; /* U, R flags */
			uint32_t seq;
		} heartbeat;
		struct {
			uint8_t br_type; /* 1 indication, 2 acknowledgement */
			uint8_t trigger_or_status;
			uint16_t seq;
			uint16_t flags; /* BR_F_*, as on the wire in host order */
		} revocation;
		struct {
			const uint8_t *data; /* all that follows the checksum */
			size_t len; /* 8n + 2 */
		} experimental;
	} u;
	size_t n_options;
	/*
	 * In the order of the wire.  The parser leaves out padding, unknown
	 * options, and repetitions of an option that has a meaning only once.
	 */
	struct mh_option options[MH_MAX_OPTIONS];
};

/* RFC 5847 5: HEARTBEAT_INTERVAL and MISSING_HEARTBEATS_ALLOWED */
struct mh_heartbeat_config {
	uint32_t interval_s; /* 0: nobody is asked; who asks gets an answer */
	uint32_t missed;
};

#define MN_ID_NAI 1 /* subtype of the Mobile Node Identifier option, RFC 4283 3.1 */
#define MN_ID_NAI_MAX 253 /* octets, RFC 4282 2.2 */

/* Binding Revocation, RFC 5846 5, 5.1 */
#define BR_INDICATION 1
#define BR_ACKNOWLEDGEMENT 2
#define BR_F_P 0x8000 /* Proxy Binding */
#define BR_F_V 0x4000 /* IPv4 HoA Binding Only */
#define BR_F_G 0x2000 /* Global */

/*
 * Why a Mobility Header was not accepted.  The offset that goes into an
 * ICMPv6 Parameter Problem (RFC 6275 9.2) is given by mh_parse().
 */
enum mh_error {
	MH_OK = 0,
	MH_E_SHORT, /* fewer than 8 octets, or than Header Len says */
	MH_E_PAYLOAD_PROTO, /* Payload Proto is not 59: Parameter Problem code 0 */
	MH_E_HEADER_LEN, /* Header Len too small for the type: Parameter Problem code 0 */
	MH_E_UNKNOWN_TYPE, /* Binding Error status 2 */
	/*
	 * An option runs over the end, has a wrong length, or is a Binding
	 * Authorization Data option that is not the end of the message.
	 */
	MH_E_OPTION,
	MH_E_TOO_MANY, /* more than MH_MAX_OPTIONS */
	MH_E_CHECKSUM, /* never said by mh_parse(); for the caller's own use */
};
const char *mh_strerror(enum mh_error e);

/*
 * Parse one Mobility Header of len octets.  Octets behind the end that Header
 * Len gives are ignored (Payload Proto 59: no next header).  On an error
 * *err_offset (may be NULL) is the octet, from the start of the header, that
 * is wrong; for MH_E_OPTION and MH_E_TOO_MANY, the first of the option.
 * Unknown options are skipped (6.2.1).  The checksum is not judged here.
 *
 * The wire form is judged, not the meaning: a prefix length of 200 in a
 * Mobile Network Prefix option or a Binding Update for a multicast address
 * comes through, as it has an answer of its own.
 *
 * On MH_E_OPTION and MH_E_TOO_MANY *m holds the fixed part and the options
 * before the fault.  Nobody acts on them; they are there for the one answer
 * to a malformed option, status 164 for a Binding Identifier (RFC 5648 4.4).
 * On other errors *m holds at most the type and wire_len.
 */
enum mh_error mh_parse(const void *data, size_t len, struct mh_message *m, size_t *err_offset);

/*
 * Write m, with padding so that each option is aligned (6.2.1 and each
 * option's section) and the whole is a multiple of 8 octets.  Options keep
 * their order, but for Binding Authorization Data, which becomes the last
 * wherever it stands in m (6.2.7).  The checksum field is left zero.  Returns
 * the length, or 0 when cap is too small or m cannot be expressed (an unknown
 * type, a value wider than its field, more than MH_MAX_LEN octets).
 */
size_t mh_build(const struct mh_message *m, void *out, size_t cap);

/* The first option of a type, or NULL. */
const struct mh_option *mh_option(const struct mh_message *m, uint8_t type);
/* Append an empty option for writing; NULL when full. */
struct mh_option *mh_option_add(struct mh_message *m, uint8_t type);

/*
 * Internet checksum over the IPv6 pseudo header and data (RFC 6275 6.1.1, RFC
 * 8200 8.1), in host order: write it with wbuf_put_u16().  Over data whose
 * checksum field is filled in it is 0 exactly when that checksum is right.
 * len is the Upper-Layer Packet Length, for a Mobility Header its wire_len.
 */
uint16_t ip6_checksum(const struct in6_addr *src, const struct in6_addr *dst, uint8_t proto,
	const void *data, size_t len);

/* Printable names, or NULL for an unknown number: "BU", "Alternate Care-of Address", ... */
const char *mh_type_name(uint8_t type);
const char *mh_option_name(uint8_t type);
/* "accepted", "sequence number out of window", ...; never NULL */
const char *ba_status_name(uint8_t status);
const char *br_trigger_name(uint8_t trigger); /* of a Binding Revocation Indication; never NULL */
const char *br_status_name(uint8_t status); /* of its acknowledgement; never NULL */

#endif
