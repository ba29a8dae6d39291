/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of every type with every option, by name: what unit tests send
 * round, what other implementations are asked to read, and what seeds the
 * fuzzers.
 */
#ifndef TESTS_WIRE_SAMPLES_H
#define TESTS_WIRE_SAMPLES_H

#include "lib/icmp6.h"
#include "lib/mh.h"

/* False when i is behind the last one.  *name is static, *m points to static data. */
bool mh_sample(size_t i, const char **name, struct mh_message *m);
bool icmp6_sample(size_t i, const char **name, struct icmp6_message *m);

/* The same meaning: all fields and options, but not checksum, wire_len and offsets. */
bool mh_same(const struct mh_message *a, const struct mh_message *b);
bool mh_option_same(const struct mh_option *a, const struct mh_option *b);
bool icmp6_same(const struct icmp6_message *a, const struct icmp6_message *b);

#endif
