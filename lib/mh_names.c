/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for numbers of the Mobility Header, for logs and for `mip6ctl`. */
#include "lib/mh.h"

const char *mh_strerror(enum mh_error e)
{
	switch (e) {
	case MH_OK:
		return "no error";
	case MH_E_SHORT:
		return "message cut off";
	case MH_E_PAYLOAD_PROTO:
		return "Payload Proto is not 59";
	case MH_E_HEADER_LEN:
		return "Header Len too small for the type";
	case MH_E_UNKNOWN_TYPE:
		return "unknown MH type";
	case MH_E_OPTION:
		return "malformed mobility option";
	case MH_E_TOO_MANY:
		return "too many mobility options";
	case MH_E_CHECKSUM:
		return "wrong checksum";
	}
	return "unknown error";
}

static const struct {
	uint8_t status;
	const char *name;
} ba_statuses[] = {
	{BA_ACCEPTED, "accepted"},
	{BA_ACCEPTED_PREFIX, "accepted but prefix discovery necessary"},
	/* RFC 5648 4.4 */
	{4, "not all binding identifiers registered"},
	{5, "returned home, no neighbor discovery for the home address"},
	/* RFC 6275 6.1.8 */
	{BA_UNSPECIFIED, "reason unspecified"},
	{BA_PROHIBITED, "administratively prohibited"},
	{BA_RESOURCES, "insufficient resources"},
	{BA_NO_HOME_REGISTRATION, "home registration not supported"},
	{BA_NOT_HOME_SUBNET, "not home subnet"},
	{BA_NOT_HOME_AGENT, "not home agent for this mobile node"},
	{BA_DAD_FAILED, "duplicate address detection failed"},
	{BA_SEQUENCE, "sequence number out of window"},
	{BA_HOME_NONCE_EXPIRED, "expired home nonce index"},
	{BA_COA_NONCE_EXPIRED, "expired care-of nonce index"},
	{BA_NONCES_EXPIRED, "expired nonces"},
	{BA_TYPE_CHANGE, "registration type change disallowed"},
	/* RFC 3963 4.2 */
	{BA_MR_NOT_PERMITTED, "mobile router operation not permitted"},
	{BA_INVALID_PREFIX, "invalid prefix"},
	{BA_PREFIX_NOT_AUTHORIZED, "not authorized for prefix"},
	{BA_FORWARDING_FAILED, "forwarding setup failed (prefixes missing)"},
	/* RFC 4285 8 */
	{144, "mobile node identifier mismatch"},
	{145, "message identification required"},
	{146, "authentication failed"},
	/* RFC 4866 5.7 */
	{147, "permanent home keygen token unavailable"},
	{148, "CGA and signature verification failed"},
	{149, "permanent home keygen token exists"},
	{150, "non-null home nonce index expected"},
	/* RFC 5648 4.4 */
	{164, "malformed binding identifier"},
	{165, "binding without identifier exists"},
	{166, "several care-of addresses prohibited"},
	{167, "binding identifier without known care-of address"},
	{168, "bulk registration prohibited"},
	{169, "simultaneous home and foreign binding prohibited"},
	{BA_INVALID_COA, "invalid care-of address"},
};

const char *ba_status_name(uint8_t status)
{
	for (size_t i = 0; i < sizeof(ba_statuses) / sizeof(ba_statuses[0]); i++) {
		if (ba_statuses[i].status == status)
			return ba_statuses[i].name;
	}
	return status < 128 ? "accepted, unknown status" : "refused, unknown status";
}

struct number_name {
	uint8_t number;
	const char *name;
};

/* RFC 5846 5.1 */
static const struct number_name br_triggers[] = {
	{BR_T_UNSPECIFIED, "unspecified"},
	{BR_T_ADMINISTRATIVE, "administrative reason"},
	{BR_T_HANDOVER_SAME, "handover, same access type"},
	{BR_T_HANDOVER_OTHER, "handover, different access type"},
	{BR_T_HANDOVER_UNKNOWN, "handover, unknown"},
	{BR_T_USER, "ended by the user"},
	{BR_T_ACCESS_NETWORK, "ended by the access network"},
	{BR_T_OUT_OF_SYNC, "possibly out of sync"},
	{BR_T_PER_PEER, "per-peer policy"},
	{BR_T_LOCAL_POLICY, "local policy of the revoking node"},
};

/* 5.2 */
static const struct number_name br_statuses[] = {
	{BR_SUCCESS, "success"},
	{BR_PARTIAL_SUCCESS, "partial success"},
	{BR_NO_BINDING, "binding does not exist"},
	{BR_IPV4_HOA_REQUIRED, "IPv4 home address option required"},
	{BR_GLOBAL_NOT_AUTHORIZED, "global revocation not authorized"},
	{BR_IDENTITY_REQUIRED, "identity of the revoked nodes required"},
	{BR_ATTACHED, "revocation failed, node is attached"},
	{BR_TRIGGER_NOT_SUPPORTED, "revocation trigger not supported"},
	{BR_FUNCTION_NOT_SUPPORTED, "revocation function not supported"},
	{BR_PROXY_NOT_SUPPORTED, "proxy binding revocation not supported"},
};

static const char *name_in(const struct number_name *t, size_t n, uint8_t number, const char *none)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].number == number)
			return t[i].name;
	return none;
}

const char *br_trigger_name(uint8_t trigger)
{
	return name_in(br_triggers, sizeof(br_triggers) / sizeof(br_triggers[0]), trigger,
		"unknown trigger");
}

const char *br_status_name(uint8_t status)
{
	return name_in(br_statuses, sizeof(br_statuses) / sizeof(br_statuses[0]), status,
		status < 128 ? "accepted, unknown status" : "refused, unknown status");
}
