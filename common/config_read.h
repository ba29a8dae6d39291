/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups of settings as tables: one row a key, with its type and bounds. */
#ifndef COMMON_CONFIG_READ_H
#define COMMON_CONFIG_READ_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config_source.h"
#include "lib/addr.h"

struct config_reader {
	const struct config_source *source;
	struct config_errors *errors;
	size_t faults;
};

struct config_key;
/* Judge s and store it at field; false after a complaint. */
typedef bool config_read_fn(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, void *field);

struct config_key {
	const char *name; /* NULL ends a table */
	config_read_fn *read;
	size_t offset; /* of the field in the struct the table is for */
	const char *example; /* of a value; shown when it is required and missing, or malformed */
	bool required;
	/* for numbers */
	uint32_t min, max, multiple;
	const char *unit;
	/* for words: value i is choices[i]; NULL ends */
	const char *const *choices;
	size_t cap; /* of the field, for text */
};

/* A row: CONFIG_KEY("name", read function, offset, "example", .required = true, ...) */
#define CONFIG_KEY(name_, read_, offset_, example_, ...)                              \
	{                                                                             \
		.name = name_, .read = read_, .offset = offset_, .example = example_, \
		##__VA_ARGS__                                                         \
	}

/* Complain about s, at its line and with its name. */
void config_complain(struct config_reader *r, const config_setting_t *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Read all keys of a group; complains of unknown and missing ones. */
void config_read_group(struct config_reader *r, const struct config_key *table,
	const config_setting_t *group, void *to);
/* The member of a group if it is there and was read without a complaint. */
const config_setting_t *config_good(const config_setting_t *group, const char *name);

config_read_fn config_read_bool; /* bool */
config_read_fn config_read_u32; /* uint32_t within min, max; a multiple of multiple */
config_read_fn config_read_int; /* int within min, max */
config_read_fn config_read_lifetime; /* as u32, or "infinite" */
config_read_fn config_read_choice; /* int or an enum */
config_read_fn config_read_choice_bool; /* bool: second of two choices */
config_read_fn config_read_address; /* struct in6_addr: unicast and routable */
config_read_fn config_read_prefix; /* struct ip6_prefix */
config_read_fn config_read_ifname; /* char[IFNAMSIZ] */
config_read_fn config_read_path; /* char[cap]: absolute */
config_read_fn config_read_group_name; /* char[cap] */

/*
 * Parse the text of src and read it into *to by a table; check, when given,
 * looks at all of it afterwards.  False when there are faults.
 */
bool config_parse(const struct config_source *src, const struct config_key *table, void *to,
	void (*check)(struct config_reader *r, const config_setting_t *root, void *to),
	struct config_errors *errors);

/* The text of s, or NULL after a complaint. */
const char *config_text(
	struct config_reader *r, const struct config_key *k, const config_setting_t *s);
/* Is s a group?  Complains when not. */
bool config_is_group(struct config_reader *r, const config_setting_t *s);
/* Is s a list or an array with something in it?  Complains when not. */
bool config_is_list(struct config_reader *r, const struct config_key *k, const config_setting_t *s);
/* The length of such a list with no more than most elements, called what; -1 after a complaint. */
int config_list_length(struct config_reader *r, const struct config_key *k,
	const config_setting_t *s, int most, const char *what);
/* Reads s as a group by a table; false after a complaint that it is none. */
bool config_read_subgroup(struct config_reader *r, const struct config_key *table,
	const config_setting_t *s, void *to);
/* An address that is no host's: the subnet-router anycast address (RFC 4291 2.6.1). */
bool config_is_anycast(const struct in6_addr *a, const struct ip6_prefix *p);

#endif
