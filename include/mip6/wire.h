/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers on the wire of Mobile IPv6, as IANA keeps them in the registries
 * "Mobile IPv6 Parameters" and "ICMPv6 Parameters".  Nothing but numbers.
 */
#ifndef MIP6_WIRE_H
#define MIP6_WIRE_H

#define MIP6_PROTO_MH 135 /* Mobility Header, RFC 6275 6.1.1 */
#define MIP6_DSTOPT_HAO 0xc9 /* Home Address destination option, 6.3 */
#define MIP6_RTHDR_TYPE2 2 /* type 2 routing header, 6.4 */

/* Mobility Header types */
enum mh_type {
	MH_BRR = 0, /* Binding Refresh Request, RFC 6275 6.1.2 */
	MH_HOTI = 1, /* Home Test Init, 6.1.3 */
	MH_COTI = 2, /* Care-of Test Init, 6.1.4 */
	MH_HOT = 3, /* Home Test, 6.1.5 */
	MH_COT = 4, /* Care-of Test, 6.1.6 */
	MH_BU = 5, /* Binding Update, 6.1.7 */
	MH_BA = 6, /* Binding Acknowledgement, 6.1.8 */
	MH_BE = 7, /* Binding Error, 6.1.9 */
	MH_EXPERIMENTAL = 11, /* RFC 5096 */
	MH_HA_SWITCH = 12, /* Home Agent Switch, RFC 5142 */
	MH_HEARTBEAT = 13, /* RFC 5847 */
	MH_REVOCATION = 16, /* Binding Revocation, RFC 5846 */
};

/* Mobility options */
enum mh_option_type {
	MHOPT_PAD1 = 0,
	MHOPT_PADN = 1,
	MHOPT_REFRESH_ADVICE = 2, /* RFC 6275 6.2.4 */
	MHOPT_ALT_COA = 3, /* 6.2.5 */
	MHOPT_NONCE_INDICES = 4, /* 6.2.6 */
	MHOPT_AUTH_DATA = 5, /* 6.2.7 */
	MHOPT_NETWORK_PREFIX = 6, /* RFC 3963 4.3 */
	MHOPT_MN_ID = 8, /* RFC 4283 3 */
	MHOPT_CGA_PARAM_REQ = 11, /* RFC 4866 5.6 */
	MHOPT_CGA_PARAM = 12, /* 5.1 */
	MHOPT_SIGNATURE = 13, /* 5.2 */
	MHOPT_PERM_HOME_TOKEN = 14, /* 5.3 */
	MHOPT_COT_INIT = 15, /* 5.4 */
	MHOPT_COT = 16, /* 5.5 */
	MHOPT_VENDOR = 19, /* RFC 5094 3.1 */
	MHOPT_RESTART_COUNTER = 28, /* RFC 5847 3.4 */
	MHOPT_IPV4_HOA = 29, /* RFC 5555 3.1.1 */
	MHOPT_IPV4_ACK = 30, /* 3.2.1 */
	MHOPT_NAT_DETECTION = 31, /* 3.2.2 */
	MHOPT_IPV4_COA = 32, /* 3.1.2 */
	MHOPT_BINDING_ID = 35, /* RFC 5648 4.3 */
};

/* Binding Update flags, as the 16-bit field of RFC 6275 6.1.7 in host order */
#define BU_F_A 0x8000 /* Acknowledge */
#define BU_F_H 0x4000 /* Home Registration */
#define BU_F_L 0x2000 /* Link-Local Address Compatibility */
#define BU_F_K 0x1000 /* Key Management Mobility Capability */
#define BU_F_M 0x0800 /* MAP Registration, RFC 5380 */
#define BU_F_R 0x0400 /* Mobile Router, RFC 3963 4.1 */
#define BU_F_P 0x0200 /* Proxy Registration, RFC 5213 */
#define BU_F_F 0x0100 /* Force UDP encapsulation, RFC 5555 */
#define BU_F_T 0x0080 /* TLV header, RFC 5845 */
#define BU_F_B 0x0040 /* Bulk Binding Update, RFC 6602 */

/* Binding Acknowledgement flags, as its 8-bit field */
#define BA_F_K 0x80
#define BA_F_R 0x40 /* RFC 3963 4.2 */
#define BA_F_P 0x20
#define BA_F_T 0x10
#define BA_F_B 0x08

/* Binding Acknowledgement status, RFC 6275 6.1.8; 128 and above refuse */
enum ba_status {
	BA_ACCEPTED = 0,
	BA_ACCEPTED_PREFIX = 1, /* accepted but prefix discovery necessary */
	BA_UNSPECIFIED = 128,
	BA_PROHIBITED = 129,
	BA_RESOURCES = 130,
	BA_NO_HOME_REGISTRATION = 131,
	BA_NOT_HOME_SUBNET = 132,
	BA_NOT_HOME_AGENT = 133,
	BA_DAD_FAILED = 134,
	BA_SEQUENCE = 135,
	BA_HOME_NONCE_EXPIRED = 136,
	BA_COA_NONCE_EXPIRED = 137,
	BA_NONCES_EXPIRED = 138,
	BA_TYPE_CHANGE = 139,
	BA_MR_NOT_PERMITTED = 140, /* RFC 3963 4.2 */
	BA_INVALID_PREFIX = 141,
	BA_PREFIX_NOT_AUTHORIZED = 142,
	BA_FORWARDING_FAILED = 143,
	BA_INVALID_COA = 174, /* RFC 6275 6.1.8 */
};

/* Binding Error status, RFC 6275 6.1.9 */
enum be_status {
	BE_UNKNOWN_BINDING = 1, /* Home Address option without a binding */
	BE_UNKNOWN_MH_TYPE = 2,
};

/* Binding Revocation, RFC 5846 5.1: triggers */
enum br_trigger {
	BR_T_UNSPECIFIED = 0,
	BR_T_ADMINISTRATIVE = 1,
	BR_T_HANDOVER_SAME = 2, /* 2 to 4: between access gateways of Proxy Mobile IPv6 */
	BR_T_HANDOVER_OTHER = 3,
	BR_T_HANDOVER_UNKNOWN = 4,
	BR_T_USER = 5,
	BR_T_ACCESS_NETWORK = 6,
	BR_T_OUT_OF_SYNC = 7,
	BR_T_PER_PEER = 128, /* of global revocation */
	BR_T_LOCAL_POLICY = 129,
};

/* 5.2: status; 128 and above refuse */
enum br_status {
	BR_SUCCESS = 0,
	BR_PARTIAL_SUCCESS = 1,
	BR_NO_BINDING = 128,
	BR_IPV4_HOA_REQUIRED = 129,
	BR_GLOBAL_NOT_AUTHORIZED = 130,
	BR_IDENTITY_REQUIRED = 131,
	BR_ATTACHED = 132,
	BR_TRIGGER_NOT_SUPPORTED = 133,
	BR_FUNCTION_NOT_SUPPORTED = 134,
	BR_PROXY_NOT_SUPPORTED = 135,
};

/* ICMPv6 */
enum icmp6_type {
	ICMP6T_PARAM_PROBLEM = 4,
	ICMP6T_RS = 133,
	ICMP6T_RA = 134,
	ICMP6T_NS = 135,
	ICMP6T_NA = 136,
	ICMP6T_DHAAD_REQUEST = 144, /* RFC 6275 6.5 */
	ICMP6T_DHAAD_REPLY = 145, /* 6.6 */
	ICMP6T_MPS = 146, /* Mobile Prefix Solicitation, 6.7 */
	ICMP6T_MPA = 147, /* Mobile Prefix Advertisement, 6.8 */
};

/* Neighbor Discovery options */
enum nd_option_type {
	NDOPT_SLLA = 1,
	NDOPT_TLLA = 2,
	NDOPT_PREFIX = 3,
	NDOPT_MTU = 5,
	NDOPT_ADV_INTERVAL = 7, /* RFC 6275 7.3 */
	NDOPT_HOME_AGENT = 8, /* 7.4 */
};

/* Protocol constants, RFC 6275 section 12; milliseconds */
#define MIP6_INITIAL_BINDACK_TIMEOUT_FIRST_REG 1500
#define MIP6_INITIAL_BINDACK_TIMEOUT 1000
#define MIP6_MAX_BINDACK_TIMEOUT 32000
#define MIP6_INITIAL_DHAAD_TIMEOUT 3000
#define MIP6_DHAAD_RETRIES 4 /* retransmissions */
#define MIP6_INITIAL_SOLICIT_TIMER 3000
#define MIP6_MAX_DELETE_BCE_TIMEOUT 10000
#define MIP6_MAX_UPDATE_RATE 3 /* Binding Updates a second to one node */
#define MIP6_MAX_RR_BINDING_LIFETIME 420000
#define MIP6_LIFETIME_UNIT 4 /* seconds in a Lifetime field, 6.1.7 */

#endif
