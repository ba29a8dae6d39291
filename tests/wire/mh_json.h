/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as JSON, for comparison with what other programs read. */
#ifndef TESTS_WIRE_MH_JSON_H
#define TESTS_WIRE_MH_JSON_H

#include <jansson.h>

#include "lib/icmp6.h"
#include "lib/mh.h"

/* New references.  Names are those of the structures; octets are hex strings. */
json_t *mh_to_json(const struct mh_message *m);
json_t *icmp6_to_json(const struct icmp6_message *m);
json_t *hex_to_json(const uint8_t *data, size_t len);

#endif
