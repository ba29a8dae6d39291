/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets that a configuration names: a file that nobody else may read, or what a command prints. */
#ifndef COMMON_CONFIG_SECRET_H
#define COMMON_CONFIG_SECRET_H

#include <stddef.h>

#define CONFIG_SECRET_MAX (32 * 1024 * 1024)

/*
 * The whole text in *text, with a NUL behind it, to be wiped and freed by
 * config_secret_release().  NULL, or what is wrong and what would be right.
 */
const char *config_secret_file(const char *path, size_t max, char **text, size_t *len);

/*
 * What `command`, an absolute path with arguments, prints within timeout_ms.
 * There is no shell: words are parted by blanks and nothing in them has a
 * meaning.  It gets an environment of PATH alone, nothing to read and no
 * descriptor of ours.  In why what it said on its standard error.
 */
const char *config_secret_command(
	const char *command, int timeout_ms, char **text, size_t *len, char *why, size_t why_cap);

void config_secret_release(char *text, size_t len);

#endif
