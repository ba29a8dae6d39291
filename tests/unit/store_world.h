/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6d/sys/store.h: a store in a folder of its own, and its file as octets. */
#ifndef TESTS_UNIT_STORE_WORLD_H
#define TESTS_UNIT_STORE_WORLD_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "mip6d/sys/restarts.h"
#include "mip6d/sys/store.h"
#include "tests/run.h"

#define RECORD 80

extern char folder[64], path[96];
extern char err[256];
extern int64_t wall; /* the wall clock */
struct store *open_it(void);
void setup(void);
void teardown(void);

/* ---- bindings with contents that follow from a number ---- */

struct in6_addr home(uint32_t n);
struct ha_binding_record binding(uint32_t n, uint16_t seq);
bool same(const struct ha_binding_record *a, const struct ha_binding_record *b);

struct list {
	size_t n;
	struct ha_binding_record r[64];
};

const struct ha_binding_record *get(const struct list *l, uint32_t n);
struct list reopened(void);

/* ---- the file as octets ---- */

size_t file_size(void);

#endif
