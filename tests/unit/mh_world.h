/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/mh.h against the figures of the RFCs, written out by hand, and against
 * everything that can be wrong with a message.
 */
#ifndef TESTS_UNIT_MH_WORLD_H
#define TESTS_UNIT_MH_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mh.h"
#include "tests/run.h"
#include "tests/wire/samples.h"

/*
 * A copy of exactly len octets on the heap, so that the address sanitizer sees
 * a read of the octet behind it.
 */
enum mh_error parse_exact(const uint8_t *data, size_t len, struct mh_message *m, size_t *off);
/* The same, of what must not be read. */
enum mh_error parse_error(const uint8_t *data, size_t len, size_t *off);

struct walk {
	size_t at; /* of an option's type octet */
};

/* The place of each option, found without the codec. */
size_t find_options(const uint8_t *d, size_t len, size_t fixed, struct walk *out);

#endif
